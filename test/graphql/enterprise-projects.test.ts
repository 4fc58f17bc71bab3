import { beforeAll, describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { encodeNodeId } from '../../src/graphql/node-ids.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import { createEnterpriseProject, createWorkspace } from '../../src/iam/index.js';
import { allow, gist, refusedWith, send, type Payload } from './acts.js';
import { must, openStage, type Stage } from './stage.js';

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });
const fields = 'enterpriseProject { id name description enabled version createdAt updatedAt }';

interface Shown {
  readonly enterpriseProject: { readonly id: string; readonly enabled: boolean };
}

let stage: Stage;
let root: string;

beforeAll(async () => {
  stage = await openStage(schema);
  root = await stage.token(stage.root, 'account');
});

const create = (input: object, token = root): Promise<Payload & Shown> =>
  send(stage, token, 'createEnterpriseProject', input, `${fields} replayed`);
const update = (input: object, token = root): Promise<Payload & Shown> =>
  send(stage, token, 'updateEnterpriseProject', input, fields);
const remove = (input: object, token = root): Promise<Payload & Shown> =>
  send(stage, token, 'deleteEnterpriseProject', input, `${fields} deletedEnterpriseProjectId`);

async function workspaceIn(enterpriseProjectId: string, name: string): Promise<string> {
  return must(await createWorkspace(stage.iam, await stage.call(root), { name, enterpriseProjectId })).id;
}

describe('createEnterpriseProject', () => {
  it('answers the project, the revision and what the client sent', async () => {
    const made = await create({ name: 'vision', description: 'Cameras', clientMutationId: 'c1' });
    expect(made.enterpriseProject).toMatchObject({ name: 'vision', description: 'Cameras', enabled: true, version: 1 });
    expect(made).toMatchObject({ userErrors: [], clientMutationId: 'c1', replayed: false });
    expect(made.revision).toBe(await stage.revision());
  });

  it('makes one project for one key, and refuses the key with other input', async () => {
    const first = await create({ name: 'retried', idempotencyKey: 'k1' });
    const again = await create({ name: 'retried', idempotencyKey: 'k1' });
    expect(again.enterpriseProject.id).toBe(first.enterpriseProject.id);
    expect(again).toMatchObject({ replayed: true, revision: null });
    expect(gist(await create({ name: 'different', idempotencyKey: 'k1' }))).toEqual([
      ['IDEMPOTENCY_KEY_REUSED', 'idempotencyKey', null],
    ]);
  });

  it.each([
    ['a name with a space', { name: 'two words' }, [['INVALID', 'name', null]]],
    [
      'a blank name and a long description',
      { name: '', description: 'x'.repeat(513) },
      [
        ['INVALID', 'name', null],
        ['INVALID', 'description', null],
      ],
    ],
    ['the reserved name in capitals', { name: 'DEFAULT' }, [['RESERVED', 'name', null]]],
    ['a name that is taken in other letters', { name: 'VISION' }, [['NAME_TAKEN', 'name', 'IAM.0005']]],
  ])('refuses %s and makes nothing', async (_, input, problems) => {
    const before = await stage.revision();
    const refused = await create(input);
    expect(gist(refused)).toEqual(problems);
    expect(refused).toMatchObject({ enterpriseProject: null, revision: null });
    expect(await stage.revision()).toBe(before);
  });

  it('refuses more projects than an account may have', async () => {
    const full = await stage.neighbour('full');
    const call = await full.call(await full.token(full.root, 'account'));
    for (let n = 1; n < 256; n += 1) must(await createEnterpriseProject(full.iam, call, { name: `p${n}` }));
    const refused = await send(
      full,
      await full.token(full.root, 'account'),
      'createEnterpriseProject',
      { name: 'one-more' },
      'userErrors { ... on LimitExceededError { limit } }',
    );
    expect(refused.userErrors).toMatchObject([
      { __typename: 'LimitExceededError', code: 'LIMIT_EXCEEDED', limit: 256 },
    ]);
  });
});

describe('updateEnterpriseProject', () => {
  it('changes what is given and leaves the rest', async () => {
    const { enterpriseProject } = await create({ name: 'speech', description: 'Voices' });
    const { id } = enterpriseProject;
    const renamed = await update({ id, name: 'talk', expectedVersion: 1 });
    expect(renamed.enterpriseProject).toMatchObject({ id, name: 'talk', description: 'Voices', version: 2 });
    const described = await update({ id, description: '' });
    expect(described.enterpriseProject).toMatchObject({ name: 'talk', description: '', version: 3 });
    expect(gist(await update({ id, name: 'again', expectedVersion: 1 }))).toEqual([
      ['CONFLICT', 'expectedVersion', 'IAM.0005'],
    ]);
  });

  it('only enables a disabled project', async () => {
    const { id } = (await create({ name: 'sleeping' })).enterpriseProject;
    expect((await update({ id, enabled: false })).enterpriseProject.enabled).toBe(false);
    expect(gist(await update({ id, name: 'dreaming' }))).toEqual([['CONFLICT', 'id', 'EPS.0014']]);
    expect((await update({ id, enabled: true, name: 'awake' })).enterpriseProject).toMatchObject({
      enabled: true,
      name: 'awake',
    });
  });

  it('asks for enabling and disabling separately', async () => {
    const ann = await stage.user('ann');
    await allow(stage, ann, ['eps:enterpriseProjects:update']);
    const token = await stage.token(ann, 'account');
    const { id } = (await create({ name: 'switched' })).enterpriseProject;
    expect((await update({ id, description: 'by ann' }, token)).userErrors).toEqual([]);
    expect(await refusedWith(stage, token, 'updateEnterpriseProject', { id, enabled: false })).toEqual(['FORBIDDEN']);
  });

  it('refuses the default project, a taken name and an unknown id', async () => {
    const { id } = (await create({ name: 'to-rename' })).enterpriseProject;
    expect(gist(await update({ id: '0', description: 'mine' }))).toEqual([['IMMUTABLE', 'id', null]]);
    expect(gist(await update({ id, name: 'Vision' }))).toEqual([['NAME_TAKEN', 'name', 'IAM.0005']]);
    expect(gist(await update({ id, name: 'Default' }))).toEqual([['RESERVED', 'name', null]]);
    expect(gist(await update({ id: 'f'.repeat(32), name: 'lost' }))).toEqual([['NOT_FOUND', 'id', 'IAM.0004']]);
  });
});

describe('deleteEnterpriseProject', () => {
  it('deletes a project without workspaces', async () => {
    const { enterpriseProject } = await create({ name: 'short-lived' });
    const gone = await remove({ id: enterpriseProject.id });
    expect(gone).toMatchObject({ deletedEnterpriseProjectId: enterpriseProject.id, enterpriseProject, userErrors: [] });
    const { found } = await stage.get(root, 'query ($id: ID!) { found: enterpriseProject(id: $id) { id } }', {
      id: enterpriseProject.id,
    });
    expect(found).toBeNull();
    expect(gist(await remove({ id: enterpriseProject.id }))).toEqual([['NOT_FOUND', 'id', 'IAM.0004']]);
  });

  it('refuses one that workspaces are bound to, and the default one', async () => {
    const { call, iam } = { call: await stage.call(root), iam: stage.iam };
    const project = must(await createEnterpriseProject(iam, call, { name: 'bound' }));
    await workspaceIn(project.id, 'bound-workspace');
    expect(await remove({ id: project.id })).toMatchObject({
      enterpriseProject: null,
      deletedEnterpriseProjectId: null,
      userErrors: [{ code: 'IN_USE', path: ['input', 'id'] }],
    });
    expect(gist(await remove({ id: '0' }))).toEqual([['IMMUTABLE', 'id', null]]);
  });
});

describe('enterpriseProjects', () => {
  let lists: Stage;
  let token: string;

  beforeAll(async () => {
    lists = await stage.neighbour('lists');
    token = await lists.token(lists.root, 'account');
    for (const [at, name] of ['beta', 'Alpha', 'gamma_1'].entries()) {
      lists.advance(1000 * (at + 1));
      const call = await lists.call(token);
      must(await createEnterpriseProject(lists.iam, call, { name }));
    }
    const project = await send<Shown>(
      lists,
      token,
      'createEnterpriseProject',
      { name: 'off' },
      'enterpriseProject { id }',
    );
    await send(lists, token, 'updateEnterpriseProject', { id: project.enterpriseProject.id, enabled: false }, '');
  });

  const names = async (args: string): Promise<readonly string[]> => {
    const { list } = await lists.get<{ list: { nodes: { name: string }[] } }>(
      token,
      `{ list: enterpriseProjects${args} { nodes { name } } }`,
    );
    return list.nodes.map(({ name }) => name);
  };

  it('orders by name without case, or by creation, either way', async () => {
    expect(await names('')).toEqual(['Alpha', 'beta', 'default', 'gamma_1', 'off']);
    expect(await names('(orderBy: { field: NAME, direction: DESC })')).toEqual([
      'off',
      'gamma_1',
      'default',
      'beta',
      'Alpha',
    ]);
    expect(await names('(orderBy: { field: CREATED_AT, direction: ASC })')).toEqual([
      'default',
      'beta',
      'Alpha',
      'gamma_1',
      'off',
    ]);
  });

  it('filters, and null filters nothing', async () => {
    expect(await names('(filter: { name: "ALPHA" })')).toEqual(['Alpha']);
    expect(await names('(filter: { nameContains: "A" })')).toEqual(['Alpha', 'beta', 'default', 'gamma_1']);
    expect(await names('(filter: { nameContains: "a_" })')).toEqual(['gamma_1']);
    expect(await names('(filter: { enabled: false })')).toEqual(['off']);
    expect(await names('(filter: { name: null, enabled: null })')).toHaveLength(5);
  });

  it('pages both ways and counts what the filter leaves', async () => {
    const page = `edges { node { name } cursor } pageInfo { hasNextPage hasPreviousPage endCursor } totalCount`;
    const first = await lists.get<{ list: { pageInfo: { endCursor: string }; totalCount: number } }>(
      token,
      `{ list: enterpriseProjects(first: 2, filter: { enabled: true }) { ${page} } }`,
    );
    expect(first.list).toMatchObject({
      edges: [{ node: { name: 'Alpha' } }, { node: { name: 'beta' } }],
      pageInfo: { hasNextPage: true, hasPreviousPage: false },
      totalCount: 4,
    });
    const next = await lists.get(
      token,
      `query ($after: String) { list: enterpriseProjects(first: 2, after: $after, filter: { enabled: true }) { ${page} } }`,
      { after: first.list.pageInfo.endCursor },
    );
    expect(next['list']).toMatchObject({
      edges: [{ node: { name: 'default' } }, { node: { name: 'gamma_1' } }],
      pageInfo: { hasNextPage: false, hasPreviousPage: true },
    });
    expect(await names('(last: 1)')).toEqual(['off']);
  });

  it('is asked in account scope only', async () => {
    const inside = await lists.token(lists.root, { workspace: '0' });
    const { errors } = await lists.ask(inside, '{ enterpriseProjects { totalCount } }');
    expect(errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', reason: 'WRONG_SCOPE', requiredScope: 'ACCOUNT' });
  });
});

describe('enterpriseProject', () => {
  const query = 'query ($id: ID!) { found: enterpriseProject(id: $id) { id name } }';

  it('takes a Node id or a plain one, and refuses that of another kind', async () => {
    const id = encodeNodeId('EnterpriseProject', '0');
    for (const given of ['0', id]) {
      expect(await stage.get(root, query, { id: given })).toEqual({ found: { id, name: 'default' } });
    }
    expect((await stage.ask(root, query, { id: encodeNodeId('Workspace', '0') })).codes).toEqual(['BAD_USER_INPUT']);
  });

  it('shows a workspace its own project only', async () => {
    const other = (await create({ name: 'elsewhere' })).enterpriseProject;
    const inside = await stage.token(stage.root, { workspace: '0' });
    expect(await stage.get(inside, query, { id: '0' })).toMatchObject({ found: { name: 'default' } });
    expect(await stage.get(inside, query, { id: other.id })).toEqual({ found: null });
    expect(await stage.get(root, query, { id: other.id })).toMatchObject({ found: { name: 'elsewhere' } });
  });

  it('does not know the projects of another account', async () => {
    const neighbour = await stage.neighbour('neighbour');
    const theirs = await neighbour.token(neighbour.root, 'account');
    const { id } = (await create({ name: 'private-matter' })).enterpriseProject;
    expect(await neighbour.get(theirs, query, { id })).toEqual({ found: null });
    expect(gist(await send(neighbour, theirs, 'updateEnterpriseProject', { id, name: 'taken-over' }, ''))).toEqual([
      ['NOT_FOUND', 'id', 'IAM.0004'],
    ]);
    expect(gist(await send(neighbour, theirs, 'deleteEnterpriseProject', { id }, ''))).toEqual([
      ['NOT_FOUND', 'id', 'IAM.0004'],
    ]);
  });

  it('asks about exactly the project that is named', async () => {
    const ben = await stage.user('ben');
    const mine = (await create({ name: 'bens' })).enterpriseProject;
    const plain = Buffer.from(mine.id, 'base64url').toString().split(':')[1] ?? '';
    const Resource = [`eps:*:*:enterpriseProject:${plain}`];
    await allow(stage, ben, [{ Effect: 'Allow', Action: ['eps:enterpriseProjects:get'], Resource }]);
    const token = await stage.token(ben, 'account');
    expect(await stage.get(token, query, { id: mine.id })).toMatchObject({ found: { name: 'bens' } });
    expect((await stage.ask(token, query, { id: '0' })).codes).toEqual(['FORBIDDEN']);
  });
});
