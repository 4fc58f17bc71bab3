import { beforeAll, describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { encodeNodeId } from '../../src/graphql/node-ids.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import { allow, gist, refusedWith, send } from './acts.js';
import { openStage, type Stage } from './stage.js';

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });

let stage: Stage;
let root: string;

beforeAll(async () => {
  stage = await openStage(schema);
  root = await stage.token(stage.root, 'account');
});

const user = (id: string): string => encodeNodeId('User', id);
const group = (id: string): string => encodeNodeId('Group', id);

describe('users', () => {
  it('are created, read back, changed and deleted', async () => {
    const made = await send(
      stage,
      root,
      'createUser',
      { name: 'Ann', password: 'Correct horse 1', description: 'first', clientMutationId: 'c1' },
      'replayed user { id name description enabled root defaultModelArtsAccess version createdAt updatedAt groups { totalCount } }',
    );
    expect(made).toMatchObject({
      userErrors: [],
      clientMutationId: 'c1',
      replayed: false,
      revision: await stage.revision(),
      user: {
        name: 'Ann',
        description: 'first',
        enabled: true,
        root: false,
        defaultModelArtsAccess: 'IN_FORCE',
        version: 1,
        groups: { totalCount: 0 },
      },
    });
    const { id } = made['user'] as { id: string };
    const changed = await send(
      stage,
      root,
      'updateUser',
      { id, name: 'Anna', expectedVersion: 1 },
      'user { name description version }',
    );
    expect(changed['user']).toEqual({ name: 'Anna', description: 'first', version: 2 });
    const stale = await send(stage, root, 'updateUser', { id, name: 'Ann', expectedVersion: 1 }, 'user { name }');
    expect(gist(stale)).toEqual([['CONFLICT', 'expectedVersion', 'IAM.0005']]);
    expect(stale).toMatchObject({ user: null, revision: null });
    expect(await stage.get(root, `{ user(id: "${id}") { name } }`)).toEqual({ user: { name: 'Anna' } });
    const gone = await send(stage, root, 'deleteUser', { id }, 'deletedUserId user { name groups { totalCount } }');
    expect(gone).toMatchObject({ deletedUserId: id, user: { name: 'Anna' } });
    expect(await stage.get(root, `{ user(id: "${id}") { name } }`)).toEqual({ user: null });
  });

  it('are made once for one idempotency key', async () => {
    const input = { name: 'Once', idempotencyKey: 'k1' };
    const first = await send(stage, root, 'createUser', input, 'replayed user { id }');
    const again = await send(stage, root, 'createUser', input, 'replayed user { id }');
    expect(again).toMatchObject({ replayed: true, user: first['user'] as object });
    const other = await send(stage, root, 'createUser', { ...input, name: 'Twice' }, 'user { id }');
    expect(gist(other)).toEqual([['IDEMPOTENCY_KEY_REUSED', 'idempotencyKey', null]]);
  });

  it('report every problem of an input at once', async () => {
    const bad = await send(
      stage,
      root,
      'createUser',
      { name: '1 bad', password: 'x', description: 'd'.repeat(300) },
      'user { id }',
    );
    expect(gist(bad).map(([code, path]) => [code, path])).toEqual([
      ['INVALID', 'name'],
      ['INVALID', 'description'],
      ['WEAK_PASSWORD', 'password'],
    ]);
  });

  it('are listed in pages, filtered and ordered', async () => {
    for (const name of ['page-a', 'page-b', 'page-c']) await stage.user(name);
    const source = `query ($after: String, $by: UserOrderInput) {
      users(first: 2, after: $after, filter: { nameContains: "PAGE-" }, orderBy: $by) {
        totalCount nodes { name } edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage endCursor } } }`;
    interface Listed {
      readonly users: {
        readonly totalCount: number;
        readonly nodes: readonly { readonly name: string }[];
        readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
      };
    }
    const first = await stage.get<Listed>(root, source);
    expect(first.users).toMatchObject({
      totalCount: 3,
      nodes: [{ name: 'page-a' }, { name: 'page-b' }],
      pageInfo: { hasNextPage: true },
    });
    const { endCursor: after } = first.users.pageInfo;
    expect((await stage.get<Listed>(root, source, { after })).users).toMatchObject({
      nodes: [{ name: 'page-c' }],
      pageInfo: { hasNextPage: false, hasPreviousPage: true },
    });
    const by = { field: 'NAME', direction: 'DESC' };
    expect((await stage.get<Listed>(root, source, { by })).users.nodes).toEqual([
      { name: 'page-c' },
      { name: 'page-b' },
    ]);
    expect((await stage.ask(root, source, { by, after })).codes).toEqual(['BAD_USER_INPUT']);
  });

  it('are hidden one by one where a Deny names them', async () => {
    const shown = await stage.user('deny-shown');
    const hidden = await stage.user('deny-hidden');
    const reader = await stage.user('deny-reader');
    await allow(stage, reader, ['iam:users:listUsers', 'iam:users:getUser']);
    await allow(stage, reader, [
      { Effect: 'Deny', Action: ['iam:users:*'], Resource: [`iam:*:*:user:${hidden}`] },
      { Effect: 'Allow', Action: ['iam:groups:listGroups'] },
    ]);
    const token = await stage.token(reader, 'account');
    const source = '{ users(filter: { nameContains: "deny-" }) { edges { cursor node { name } } nodes { id } } }';
    const { users } = await stage.get<{
      users: { edges: readonly ({ node: { name: string } } | null)[]; nodes: readonly unknown[] };
    }>(token, source);
    expect(users.edges.map((edge) => edge?.node.name ?? null)).toEqual([null, 'deny-reader', 'deny-shown']);
    expect(users.nodes[0]).toBeNull();
    expect((await stage.ask(token, `{ user(id: "${user(hidden)}") { name } }`)).codes).toEqual(['FORBIDDEN']);
    expect(await stage.get(token, `{ user(id: "${shown}") { name } }`)).toEqual({ user: { name: 'deny-shown' } });
    expect(await stage.get(token, `{ node(id: "${user(hidden)}") { id } }`)).toEqual({ node: null });
  });

  it('cannot be changed without the permission, from a workspace, or by the id of something else', async () => {
    const ann = await stage.user('kept-ann');
    const ben = await stage.user('barred-ben');
    const input = { id: ann, name: 'other' };
    expect(await refusedWith(stage, await stage.token(ben, 'account'), 'updateUser', input)).toEqual(['FORBIDDEN']);
    const inside = await stage.ask(
      await stage.token(stage.root, { workspace: '0' }),
      'mutation ($input: UpdateUserInput!) { updateUser(input: $input) { revision } }',
      { input },
    );
    expect(inside.errors[0]?.extensions).toMatchObject({ reason: 'WRONG_SCOPE', requiredScope: 'ACCOUNT' });
    expect(await refusedWith(stage, root, 'updateUser', { ...input, id: group(ann) })).toEqual(['BAD_USER_INPUT']);
  });
});

describe('groups', () => {
  it('are created, changed and deleted, and `admin` cannot be', async () => {
    const made = await send(stage, root, 'createGroup', { name: 'Engineers' }, 'group { id name builtIn version }');
    expect(made['group']).toMatchObject({ name: 'Engineers', builtIn: false, version: 1 });
    const { id } = made['group'] as { id: string };
    const changed = await send(
      stage,
      root,
      'updateGroup',
      { id, description: 'who build' },
      'group { description version }',
    );
    expect(changed['group']).toEqual({ description: 'who build', version: 2 });
    const taken = await send(stage, root, 'createGroup', { name: 'ENGINEERS' }, 'group { id }');
    expect(gist(taken)).toEqual([['NAME_TAKEN', 'name', 'IAM.0005']]);
    const gone = await send(stage, root, 'deleteGroup', { id }, 'deletedGroupId');
    expect(gone['deletedGroupId']).toBe(id);
    const { groups } = await stage.get<{ groups: { nodes: readonly { id: string }[] } }>(
      root,
      '{ groups(filter: { name: "Admin" }) { nodes { id builtIn } } }',
    );
    const kept = await send(stage, root, 'deleteGroup', { id: groups.nodes[0]?.id }, 'deletedGroupId');
    expect(gist(kept)).toEqual([['IMMUTABLE', 'id', 'IAM.0003']]);
  });

  it('have members who join and leave, all or none', async () => {
    const [ann, ben] = [await stage.user('member-ann'), await stage.user('member-ben')];
    const groupId = group(await stage.group('members'));
    const joined = await send(
      stage,
      root,
      'addGroupMembers',
      { groupId, userIds: [user(ann), ben] },
      'users { name } defaultAccessEnded { name } group { name members { totalCount nodes { name } edges { addedAt node { name } } } }',
    );
    expect(joined).toMatchObject({
      users: [{ name: 'member-ann' }, { name: 'member-ben' }],
      defaultAccessEnded: [],
      group: { members: { totalCount: 2, nodes: [{ name: 'member-ann' }, { name: 'member-ben' }] } },
    });
    for (const name of ['addGroupMembers', 'removeGroupMembers']) {
      const nowhere = await send(stage, root, name, { groupId: group('none'), userIds: [] }, 'group { id }');
      expect(gist(nowhere), name).toEqual([['NOT_FOUND', 'groupId', expect.any(String)]]);
    }
    const missing = await send(stage, root, 'addGroupMembers', { groupId, userIds: [ann, 'nobody'] }, 'group { id }');
    expect(gist(missing)).toEqual([['NOT_FOUND', 'userIds', 'IAM.0004']]);
    expect(
      await stage.get(root, `{ user(id: "${ann}") { groups { nodes { name } edges { addedAt } } } }`),
    ).toMatchObject({
      user: { groups: { nodes: [{ name: 'members' }] } },
    });
    const left = await send(
      stage,
      root,
      'removeGroupMembers',
      { groupId, userIds: [ann] },
      'users { name } group { members { totalCount } }',
    );
    expect(left).toMatchObject({ users: [{ name: 'member-ann' }], group: { members: { totalCount: 1 } } });
    const many = Array.from({ length: 101 }, (_, index) => String(index));
    expect(await refusedWith(stage, root, 'addGroupMembers', { groupId, userIds: many })).toEqual(['BAD_USER_INPUT']);
  });

  it('show their members only to those who may list users', async () => {
    const groupId = await stage.group('watched', [await stage.user('watched-ann')]);
    const watcher = await stage.user('watcher');
    await allow(stage, watcher, ['iam:groups:getGroup']);
    const token = await stage.token(watcher, 'account');
    const source = `{ group(id: "${group(groupId)}") { name members { nodes { name } } } }`;
    expect(await stage.get(token, source)).toEqual({ group: { name: 'watched', members: null } });
    await allow(stage, watcher, ['iam:users:listUsersForGroup']);
    expect(await stage.get(token, source)).toEqual({ group: { name: 'watched', members: { nodes: [null] } } });
    await allow(stage, watcher, ['iam:users:getUser']);
    expect(await stage.get(token, source)).toEqual({
      group: { name: 'watched', members: { nodes: [{ name: 'watched-ann' }] } },
    });
  });

  it('cannot be used to gain what one does not hold', async () => {
    const climber = await stage.user('climber');
    await allow(stage, climber, ['iam:permissions:addUserToGroup']);
    const { groups } = await stage.get<{ groups: { nodes: readonly { id: string }[] } }>(
      root,
      '{ groups(filter: { name: "admin" }) { nodes { id } } }',
    );
    const input = { groupId: groups.nodes[0]?.id, userIds: [climber] };
    const tried = await send(stage, await stage.token(climber, 'account'), 'addGroupMembers', input, 'group { id }');
    expect(tried.userErrors[0]).toMatchObject({ __typename: 'NotHeldError', code: 'NOT_HELD' });
  });

  it('of a list are read in as many statements as of one', async () => {
    const source =
      '{ groups(first: 100) { nodes { name members(first: 5) { totalCount nodes { name groups { nodes { name } } } } } } }';
    await stage.get(root, source);
    const before = await stage.statements(() => stage.get(root, source));
    for (const name of ['n-1', 'n-2', 'n-3']) await stage.group(name, [await stage.user(`user-of-${name}`)]);
    await stage.get(root, source);
    expect(await stage.statements(() => stage.get(root, source))).toBe(before);
  });
});
