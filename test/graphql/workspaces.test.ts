import { beforeAll, describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { encodeNodeId } from '../../src/graphql/node-ids.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import {
  createEnterpriseProject,
  registerResource,
  registerResources,
  updateEnterpriseProject,
} from '../../src/iam/index.js';
import { allow, gist, refusedWith, send, type Payload } from './acts.js';
import { must, openStage, type Stage } from './stage.js';

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });
const fields = `workspace { id name description visibility status version createdAt updatedAt
  creator { name } enterpriseProject { name } members { nodes { name } totalCount } }`;
const lookUp = 'query ($id: ID!) { found: workspace(id: $id) { id name } }';

interface Shown {
  readonly workspace: {
    readonly id: string;
    readonly description: string;
    readonly version: number;
    readonly members: { readonly nodes: readonly unknown[] };
  };
}

let stage: Stage;
let root: string;
let ann: string;
let ben: string;
let annsToken: string;

beforeAll(async () => {
  stage = await openStage(schema);
  root = await stage.token(stage.root, 'account');
  ann = await stage.user('ann');
  ben = await stage.user('ben');
  await allow(stage, ann, ['modelarts:workspace:list', 'modelarts:workspace:get', 'modelarts:workspace:update']);
  annsToken = await stage.token(ann, 'account');
});

const create = (input: object, token = root): Promise<Payload & Shown> =>
  send(stage, token, 'createWorkspace', input, `${fields} replayed`);
const update = (input: object, token = root): Promise<Payload & Shown> =>
  send(stage, token, 'updateWorkspace', input, fields);
const remove = (input: object, token = root): Promise<Payload & Shown> =>
  send(stage, token, 'deleteWorkspace', input, 'workspace { id name } deletedWorkspaceId');
const find = async (id: string, token: string): Promise<unknown> => (await stage.get(token, lookUp, { id }))['found'];
const plain = (id: string): string => Buffer.from(id, 'base64url').toString().slice('Workspace:'.length);

describe('createWorkspace', () => {
  it('makes a public workspace of the default project unless told otherwise', async () => {
    const made = await create({ name: 'lab-one', clientMutationId: 'c1' });
    expect(made).toMatchObject({
      userErrors: [],
      clientMutationId: 'c1',
      replayed: false,
      revision: await stage.revision(),
      workspace: {
        name: 'lab-one',
        description: '',
        visibility: 'PUBLIC',
        status: 'NORMAL',
        version: 1,
        creator: { name: 'root' },
        enterpriseProject: { name: 'default' },
        members: { nodes: [], totalCount: 0 },
      },
    });
  });

  it('takes project, visibility and members, by Node id or plain id', async () => {
    const project = must(await createEnterpriseProject(stage.iam, await stage.call(root), { name: 'vision' }));
    const made = await create({
      name: 'lab-two',
      description: 'Inner circle',
      visibility: 'INTERNAL',
      enterpriseProjectId: encodeNodeId('EnterpriseProject', project.id),
      memberIds: [ben, encodeNodeId('User', ann), ann],
    });
    expect(made.workspace).toMatchObject({
      description: 'Inner circle',
      visibility: 'INTERNAL',
      enterpriseProject: { name: 'vision' },
      members: { nodes: [{ name: 'ann' }, { name: 'ben' }], totalCount: 2 },
    });
  });

  it('makes one workspace for one key', async () => {
    const first = await create({ name: 'retried', idempotencyKey: 'k' });
    const again = await create({ name: 'retried', idempotencyKey: 'k' });
    expect(again).toMatchObject({ replayed: true, revision: null, workspace: { id: first.workspace.id } });
  });

  it('refuses what breaks a rule, all of it together, and makes nothing', async () => {
    const before = await stage.revision();
    const memberIds = Array.from({ length: 501 }, (_, n) => `user-${n}`);
    const refused = await create({ name: 'a b', description: 'x'.repeat(257), memberIds });
    expect(gist(refused)).toEqual([
      ['INVALID', 'name', 'ModelArts.0107'],
      ['INVALID', 'description', 'ModelArts.0107'],
      ['LIMIT_EXCEEDED', 'memberIds', 'ModelArts.0107'],
    ]);
    expect(refused.workspace).toBeNull();
    expect(gist(await create({ name: 'Default' }))).toEqual([['RESERVED', 'name', 'ModelArts.0107']]);
    expect(gist(await create({ name: 'LAB-ONE' }))).toEqual([['NAME_TAKEN', 'name', 'ModelArts.0107']]);
    expect(gist(await create({ name: 'lost-project', enterpriseProjectId: 'none' }))).toEqual([
      ['NOT_FOUND', 'enterpriseProjectId', 'IAM.0004'],
    ]);
    expect(gist(await create({ name: 'lost-members', memberIds: [ann, 'nobody', 'no-one'] }))).toEqual([
      ['NOT_FOUND', 'memberIds', 'IAM.0004'],
      ['NOT_FOUND', 'memberIds', 'IAM.0004'],
    ]);
    expect(await stage.revision()).toBe(before);
  });

  it('refuses a disabled project', async () => {
    const call = await stage.call(root);
    const project = must(await createEnterpriseProject(stage.iam, call, { name: 'closed' }));
    must(await updateEnterpriseProject(stage.iam, call, { id: project.id, enabled: false }));
    expect(gist(await create({ name: 'too-late', enterpriseProjectId: project.id }))).toEqual([
      ['CONFLICT', 'enterpriseProjectId', null],
    ]);
  });

  it('refuses ids of another kind', async () => {
    const input = { name: 'mixed-up', memberIds: [encodeNodeId('Group', ann)] };
    expect(await refusedWith(stage, root, 'createWorkspace', input)).toEqual(['BAD_USER_INPUT']);
  });
});

describe('updateWorkspace', () => {
  it('changes what is given, members as a whole, and leaves the rest', async () => {
    const { id } = (await create({ name: 'changing', description: 'Old', memberIds: [ann] })).workspace;
    expect((await update({ id, name: 'changed' })).workspace).toMatchObject({
      name: 'changed',
      description: 'Old',
      visibility: 'PUBLIC',
      version: 2,
      members: { nodes: [{ name: 'ann' }] },
    });
    const replaced = await update({ id, visibility: 'INTERNAL', memberIds: [ben], expectedVersion: 2 });
    expect(replaced.workspace).toMatchObject({ visibility: 'INTERNAL', members: { nodes: [{ name: 'ben' }] } });
    expect((await update({ id, memberIds: [] })).workspace.members.nodes).toEqual([]);
    expect(gist(await update({ id, name: 'stale', expectedVersion: 1 }))).toEqual([
      ['CONFLICT', 'expectedVersion', 'IAM.0005'],
    ]);
  });

  it('raises the version when only the list of members changes', async () => {
    const { id } = (await create({ name: 'listing' })).workspace;
    expect((await update({ id, memberIds: [ann] })).workspace.version).toBe(2);
  });

  it('refuses the default workspace, a taken name and members who do not exist', async () => {
    const { id } = (await create({ name: 'to-change' })).workspace;
    expect(gist(await update({ id: '0', description: 'mine' }))).toEqual([['IMMUTABLE', 'id', 'ModelArts.3566']]);
    expect(gist(await update({ id, name: 'Lab-One' }))).toEqual([['NAME_TAKEN', 'name', 'ModelArts.0107']]);
    expect(gist(await update({ id, name: 'DEFAULT' }))).toEqual([['RESERVED', 'name', 'ModelArts.0107']]);
    expect(gist(await update({ id, memberIds: ['nobody'] }))).toEqual([['NOT_FOUND', 'memberIds', 'IAM.0004']]);
    expect(gist(await update({ id: 'none', name: 'nowhere' }))).toEqual([['NOT_FOUND', 'id', 'ModelArts.0102']]);
  });

  it('does not know a workspace that the caller may not enter, but changes one that they may', async () => {
    const hidden = (await create({ name: 'hidden-from-ann', visibility: 'PRIVATE' })).workspace;
    expect(gist(await update({ id: hidden.id, name: 'found-out' }, annsToken))).toEqual([
      ['NOT_FOUND', 'id', 'ModelArts.0102'],
    ]);
    const shared = (await create({ name: 'open-to-ann' })).workspace;
    expect((await update({ id: shared.id, description: 'by ann' }, annsToken)).workspace.description).toBe('by ann');
  });
});

describe('deleteWorkspace', () => {
  it('deletes an empty workspace', async () => {
    const { id } = (await create({ name: 'passing', memberIds: [ann] })).workspace;
    expect(await remove({ id })).toMatchObject({
      workspace: { id, name: 'passing' },
      deletedWorkspaceId: id,
      userErrors: [],
    });
    expect(await find(id, root)).toBeNull();
  });

  it('refuses one that holds resources, the default one and an unknown one', async () => {
    const { id } = (await create({ name: 'occupied' })).workspace;
    const inside = await stage.call(await stage.token(stage.root, { workspace: plain(id) }));
    const urn = `modelarts::${stage.accountId}:notebook:n1`;
    must(await registerResource(stage.iam, inside, { urn }));
    const refused = await remove({ id });
    expect(gist(refused)).toEqual([['IN_USE', 'id', 'ModelArts.4552']]);
    expect(refused).toMatchObject({ workspace: null, deletedWorkspaceId: null });
    expect(await find(id, root)).toMatchObject({ name: 'occupied' });
    expect(gist(await remove({ id: '0' }))).toEqual([['IMMUTABLE', 'id', 'ModelArts.3566']]);
    expect(gist(await remove({ id: 'none' }))).toEqual([['NOT_FOUND', 'id', 'ModelArts.0102']]);
  });
});

describe('workspaces', () => {
  let lists: Stage;
  let all: string;
  let mias: string;

  beforeAll(async () => {
    lists = await stage.neighbour('lists');
    all = await lists.token(lists.root, 'account');
    const mia = await lists.user('mia');
    await allow(lists, mia, ['modelarts:workspace:list']);
    mias = await lists.token(mia, 'account');
    const make = (input: object) => send(lists, all, 'createWorkspace', input, 'workspace { id }');
    const project = must(await createEnterpriseProject(lists.iam, await lists.call(all), { name: 'vision' }));
    await make({ name: 'Public', enterpriseProjectId: project.id });
    lists.advance(1000);
    await make({ name: 'private', visibility: 'PRIVATE' });
    lists.advance(1000);
    await make({ name: 'internal-with', visibility: 'INTERNAL', memberIds: [mia] });
    lists.advance(1000);
    await make({ name: 'internal-without', visibility: 'INTERNAL' });
  });

  const names = async (token: string, args = ''): Promise<readonly string[]> => {
    const { list } = await lists.get<{ list: { nodes: { name: string }[] } }>(
      token,
      `{ list: workspaces${args} { nodes { name } } }`,
    );
    return list.nodes.map(({ name }) => name);
  };

  it('lists what the caller may enter, and counts no more', async () => {
    expect(await names(all)).toEqual(['default', 'internal-with', 'internal-without', 'private', 'Public']);
    expect(await names(mias)).toEqual(['default', 'internal-with', 'Public']);
    const page = 'workspaces(first: 2) { totalCount nodes { name } pageInfo { hasNextPage endCursor } }';
    const first = await lists.get<{ workspaces: { pageInfo: { endCursor: string } } }>(mias, `{ ${page} }`);
    expect(first.workspaces).toMatchObject({
      totalCount: 3,
      nodes: [{ name: 'default' }, { name: 'internal-with' }],
      pageInfo: { hasNextPage: true },
    });
    const after = JSON.stringify(first.workspaces.pageInfo.endCursor);
    expect(await names(mias, `(first: 2, after: ${after})`)).toEqual(['Public']);
  });

  it('filters and orders', async () => {
    expect(await names(all, '(filter: { name: "PUBLIC" })')).toEqual(['Public']);
    expect(await names(all, '(filter: { nameContains: "INTERNAL" })')).toEqual(['internal-with', 'internal-without']);
    expect(await names(all, '(filter: { visibility: PRIVATE })')).toEqual(['private']);
    expect(await names(mias, '(filter: { visibility: PRIVATE })')).toEqual([]);
    const project = `"${encodeNodeId('EnterpriseProject', '0')}"`;
    expect(await names(all, `(filter: { enterpriseProjectId: ${project}, nameContains: "p" })`)).toEqual(['private']);
    expect(await names(all, '(orderBy: { field: CREATED_AT, direction: DESC }, first: 2)')).toEqual([
      'internal-without',
      'internal-with',
    ]);
    expect(await names(all, '(orderBy: { field: UPDATED_AT, direction: ASC }, last: 1)')).toEqual(['internal-without']);
    expect(await names(all, '(orderBy: { field: STATUS, direction: ASC })')).toHaveLength(5);
  });

  it('is asked in account scope only', async () => {
    const inside = await lists.token(lists.root, { workspace: '0' });
    expect((await lists.ask(inside, '{ workspaces { totalCount } }')).errors[0]?.extensions).toMatchObject({
      code: 'FORBIDDEN',
      requiredScope: 'ACCOUNT',
    });
  });
});

describe('workspace', () => {
  it('is null when the caller may not enter it, as when it is missing', async () => {
    const closed = (await create({ name: 'closed-door', visibility: 'PRIVATE' })).workspace;
    const internal = (await create({ name: 'guests-only', visibility: 'INTERNAL', memberIds: [ben] })).workspace;
    for (const id of [closed.id, internal.id, plain(closed.id), 'missing']) {
      expect(await find(id, annsToken)).toBeNull();
    }
    await update({ id: internal.id, memberIds: [ben, ann] });
    expect(await find(internal.id, annsToken)).toMatchObject({ name: 'guests-only' });
    expect(await find(closed.id, root)).toMatchObject({ name: 'closed-door' });
  });

  it('shows administrators what they are not listed in', async () => {
    const internal = (await create({ name: 'no-guests', visibility: 'INTERNAL' })).workspace;
    expect(await find(internal.id, root)).toMatchObject({ name: 'no-guests' });
  });

  it('inside a workspace is that one and no other, whatever the policies allow', async () => {
    const { id } = (await create({ name: 'next-door' })).workspace;
    const inside = await stage.token(stage.root, { workspace: plain(id) });
    expect(await find(id, inside)).toMatchObject({ name: 'next-door' });
    expect(await find('0', inside)).toBeNull();
  });

  it('of another account is not found, to read, to change or to delete', async () => {
    const neighbour = await stage.neighbour('neighbour');
    const theirs = await neighbour.token(neighbour.root, 'account');
    const { id } = (await create({ name: 'ours-alone' })).workspace;
    expect(await neighbour.get(theirs, lookUp, { id })).toEqual({ found: null });
    for (const mutation of ['updateWorkspace', 'deleteWorkspace']) {
      expect(gist(await send(neighbour, theirs, mutation, { id }, ''))).toEqual([
        ['NOT_FOUND', 'id', 'ModelArts.0102'],
      ]);
    }
  });

  it('wants the id of a workspace, after the permission', async () => {
    const id = encodeNodeId('User', ann);
    expect((await stage.ask(root, lookUp, { id })).codes).toEqual(['BAD_USER_INPUT']);
    expect((await stage.ask(await stage.token(ben, 'account'), lookUp, { id })).codes).toEqual(['FORBIDDEN']);
  });
});

describe('what hangs on a workspace', () => {
  it('shows members with the time they were added, in either order', async () => {
    const { id } = (await create({ name: 'with-members', memberIds: [ben] })).workspace;
    const query = (args: string) => `query ($id: ID!) {
      workspace(id: $id) { members${args} { edges { node { name } addedAt } totalCount } } }`;
    const { workspace } = await stage.get<{ workspace: { members: { edges: { addedAt: string }[] } } }>(
      root,
      query('(orderBy: { field: ADDED_AT, direction: DESC })'),
      { id },
    );
    expect(workspace.members.edges).toHaveLength(1);
    expect(Date.parse(workspace.members.edges[0]?.addedAt ?? '')).not.toBeNaN();
    await update({ id, memberIds: [ben, ann] });
    expect(await stage.get(root, query('(first: 1)'), { id })).toMatchObject({
      workspace: { members: { edges: [{ node: { name: 'ann' } }], totalCount: 2 } },
    });
  });

  it('is null, not an error, for who may not read it', async () => {
    const { id } = (await create({ name: 'half-shown', memberIds: [ben] })).workspace;
    const query = `query ($id: ID!) { workspace(id: $id) {
      name creator { name } enterpriseProject { name } members { nodes { name } } } }`;
    expect(await stage.get(annsToken, query, { id })).toEqual({
      workspace: { name: 'half-shown', creator: null, enterpriseProject: null, members: { nodes: [null] } },
    });
  });

  it('keeps the members from who may list workspaces but not get them', async () => {
    const cay = await stage.user('cay');
    await allow(stage, cay, ['modelarts:workspace:list']);
    const list = '{ workspaces(filter: { name: "half-shown" }) { nodes { name members { totalCount } } } }';
    expect(await stage.get(await stage.token(cay, 'account'), list)).toEqual({
      workspaces: { nodes: [{ name: 'half-shown', members: null }] },
    });
    expect(await stage.get(annsToken, list)).toEqual({
      workspaces: { nodes: [{ name: 'half-shown', members: { totalCount: 1 } }] },
    });
  });
});

describe('setWorkspacesEnabled', () => {
  it('switches others than the default one off only while there is none, and on again', async () => {
    const plainAccount = await stage.neighbour('switching');
    const token = await plainAccount.token(plainAccount.root, 'account');
    const set = (enabled: boolean) =>
      send(plainAccount, token, 'setWorkspacesEnabled', { enabled }, 'account { workspacesEnabled }');
    const make = (name: string) => send(plainAccount, token, 'createWorkspace', { name }, 'workspace { id }');
    expect(await set(false)).toMatchObject({ userErrors: [], account: { workspacesEnabled: false } });
    expect(gist(await make('too-soon'))).toEqual([['CONFLICT', null, null]]);
    const { workspaces } = await plainAccount.get<{ workspaces: { nodes: object[] } }>(
      token,
      '{ workspaces { nodes { name } } }',
    );
    expect(workspaces.nodes).toEqual([{ name: 'default' }]);
    expect(await set(true)).toMatchObject({ userErrors: [], account: { workspacesEnabled: true } });
    const { workspace } = await make('in-time');
    expect(gist(await set(false))).toEqual([['IN_USE', 'enabled', null]]);
    await send(plainAccount, token, 'deleteWorkspace', { id: (workspace as { id: string }).id }, 'deletedWorkspaceId');
    expect(await set(false)).toMatchObject({ account: { workspacesEnabled: false } });
    // What is so already is no change.
    expect(await set(false)).toMatchObject({ revision: null, account: { workspacesEnabled: false } });
  });
});

describe('deleteWorkspace with force', () => {
  it('answers what is gone, or that it is on its way, and lists it for those who could enter until then', async () => {
    const { id } = (await create({ name: 'crowded' })).workspace;
    const inside = await stage.call(await stage.token(stage.root, { workspace: plain(id) }));
    const name = (n: number) => `modelarts::${stage.accountId}:notebook:crowd-${n}`;
    must(await registerResources(stage.iam, inside, { resources: [1, 2, 3].map((n) => ({ urn: name(n) })) }));
    const refused = 'workspace { id status } deletedWorkspaceId';
    expect(gist(await send(stage, root, 'deleteWorkspace', { id }, refused))).toEqual([
      ['IN_USE', 'id', 'ModelArts.4552'],
    ]);
    expect(await send(stage, root, 'deleteWorkspace', { id, force: true }, refused)).toMatchObject({
      deletedWorkspaceId: id,
      userErrors: [],
    });
  });

  it('whoever may not delete what is in it is refused, with the code of that', async () => {
    const { id } = (await create({ name: 'guarded' })).workspace;
    const inside = await stage.call(await stage.token(stage.root, { workspace: plain(id) }));
    must(await registerResource(stage.iam, inside, { urn: `modelarts::${stage.accountId}:notebook:guarded` }));
    const eve = await stage.user('eve');
    await allow(stage, eve, ['modelarts:workspace:delete']);
    const token = await stage.token(eve, 'account');
    const mutation =
      'mutation ($input: DeleteWorkspaceInput!) { deleteWorkspace(input: $input) { deletedWorkspaceId } }';
    const { errors } = await stage.ask(token, mutation, { input: { id, force: true } });
    expect(errors.map(({ extensions }) => [extensions['code'], extensions['action'], extensions['reference']])).toEqual(
      [['FORBIDDEN', 'modelarts:notebook:delete', 'ModelArts.4551']],
    );
  });

  it('lists one that is being deleted, with how much is left, unless only those that can be entered are wanted', async () => {
    const { id } = (await create({ name: 'on-its-way', memberIds: [ann] })).workspace;
    await stage.iam.store.transaction(
      {
        accountId: stage.accountId,
        workspaceId: null,
        operation: 'deleteWorkspace',
        actorKind: 'USER',
        actorId: stage.root,
        actorName: 'root',
        requestId: 'r',
        at: stage.iam.now(),
      },
      async (transaction) => {
        await transaction.update('workspace', plain(id), { status: 'DELETING' });
        return { commit: true, value: undefined };
      },
    );
    const list = async (token: string, filter: object) =>
      (
        await stage.get<{ workspaces: { nodes: object[] } }>(
          token,
          'query ($filter: WorkspaceFilterInput) { workspaces(filter: $filter) { nodes { name status remainingResourceCount } } }',
          { filter },
        )
      ).workspaces.nodes;
    const shown = { name: 'on-its-way', status: 'DELETING', remainingResourceCount: 0 };
    for (const token of [root, annsToken]) {
      expect(await list(token, { name: 'on-its-way' })).toEqual([shown]);
      expect(await list(token, { name: 'on-its-way', accessible: false })).toEqual([shown]);
      expect(await list(token, { name: 'on-its-way', accessible: true })).toEqual([]);
    }
    expect(gist(await update({ id, name: 'back-again' }))).toEqual([['CONFLICT', 'id', 'ModelArts.4550']]);
  });
});
