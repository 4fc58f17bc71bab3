import { beforeAll, describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { encodeNodeId } from '../../src/graphql/node-ids.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import { registerResource } from '../../src/iam/index.js';
import { allow, gist, makeStrict, refusedWith, send, type Payload } from './acts.js';
import { must, openStage, type Stage } from './stage.js';

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });
const fields = `resource { id urn kind name version createdAt updatedAt tags { key value }
  owner { name } parent { name } workspace { name } }`;
const lookUp = 'query ($id: ID!) { found: resource(id: $id) { id name } }';

interface Shown {
  readonly resource: { readonly id: string };
  readonly deletedResourceId?: string | null;
}

let stage: Stage;
let root: string;
let elsewhere: string;
let ann: string;

beforeAll(async () => {
  stage = await openStage(schema);
  await makeStrict(stage);
  root = await stage.token(stage.root, { workspace: '0' });
  elsewhere = await stage.token(stage.root, { workspace: await stage.workspace('elsewhere') });
  ann = await stage.user('ann');
});

const urnOf = (type: string, id: string, of = stage): string => `modelarts::${of.accountId}:${type}:${id}`;
const register = (input: object, token = root): Promise<Payload & Shown> =>
  send(stage, token, 'registerResource', input, `${fields} replayed`);
const update = (input: object, token = root): Promise<Payload & Shown> =>
  send(stage, token, 'updateResource', input, fields);
const deregister = (input: object, token = root): Promise<Payload & Shown> =>
  send(stage, token, 'deregisterResource', input, 'resource { id name } deletedResourceId');
const find = async (id: string, token: string): Promise<unknown> => (await stage.get(token, lookUp, { id }))['found'];

describe('registerResource', () => {
  it('registers in the workspace of the credential', async () => {
    const parent = await register({ urn: urnOf('notebook', 'mother'), name: 'Mother' });
    const made = await register({
      urn: urnOf('notebook', 'n:1'),
      name: 'Notebook one',
      ownerId: encodeNodeId('User', ann),
      parentId: parent.resource.id,
      tags: [{ key: 'team', value: 'vision' }],
      clientMutationId: 'c1',
    });
    expect(made).toMatchObject({ userErrors: [], clientMutationId: 'c1', replayed: false });
    expect(made.revision).toBe(await stage.revision());
    expect(made.resource).toMatchObject({
      urn: urnOf('notebook', 'n:1'),
      kind: 'modelarts:notebook',
      name: 'Notebook one',
      version: 1,
      tags: [{ key: 'team', value: 'vision' }],
      owner: { name: 'ann' },
      parent: { name: 'Mother' },
      workspace: { name: 'default' },
    });
    expect(await find(made.resource.id, root)).toMatchObject({ name: 'Notebook one' });
  });

  it('registers one resource for one key', async () => {
    const input = { urn: urnOf('notebook', 'retried'), idempotencyKey: 'k' };
    const first = await register(input);
    expect(await register(input)).toMatchObject({ replayed: true, resource: { id: first.resource.id } });
  });

  it('refuses what breaks a rule and registers nothing', async () => {
    await register({ urn: urnOf('notebook', 'taken') });
    const before = await stage.revision();
    const tags = [
      { key: 'twice', value: 'a' },
      { key: 'twice', value: 'b' },
      { key: '', value: 'c' },
    ];
    const refused = await register({ urn: urnOf('notebook', 'bad'), name: 'x'.repeat(129), tags });
    expect(gist(refused)).toEqual([
      ['INVALID', 'tags', null],
      ['INVALID', 'tags', null],
      ['INVALID', 'name', 'ModelArts.0107'],
    ]);
    expect(refused.resource).toBeNull();
    const many = Array.from({ length: 21 }, (_, n) => ({ key: `k${n}`, value: '' }));
    expect(gist(await register({ urn: urnOf('notebook', 'bad'), tags: many }))).toEqual([
      ['LIMIT_EXCEEDED', 'tags', null],
    ]);
    expect(gist(await register({ urn: 'notebook' }))).toContainEqual(['INVALID', 'urn', null]);
    expect(gist(await register({ urn: 'modelarts::someone:notebook:n' }))).toEqual([['INVALID', 'urn', null]]);
    expect(gist(await register({ urn: urnOf('notebook', 'taken') }, elsewhere))).toEqual([
      ['CONFLICT', 'urn', 'IAM.0005'],
    ]);
    expect(gist(await register({ urn: urnOf('notebook', 'lost'), ownerId: 'nobody', parentId: 'nothing' }))).toEqual([
      ['NOT_FOUND', 'ownerId', 'IAM.0004'],
      ['NOT_FOUND', 'parentId', 'IAM.0004'],
    ]);
    expect(await stage.revision()).toBe(before);
  });

  it('does not take a parent from another workspace', async () => {
    const there = await register({ urn: urnOf('notebook', 'far-away') }, elsewhere);
    expect(gist(await register({ urn: urnOf('notebook', 'orphan'), parentId: there.resource.id }))).toEqual([
      ['NOT_FOUND', 'parentId', 'IAM.0004'],
    ]);
  });

  it('needs the door and the action that creates the kind', async () => {
    const [half, whole] = [await stage.user('half'), await stage.user('whole')];
    await allow(stage, half, ['bailiwick:resources:register']);
    await allow(stage, whole, ['bailiwick:resources:register']);
    await allow(stage, whole, ['modelarts:notebook:create']);
    const urn = urnOf('notebook', 'of-half');
    const answer = await stage.ask(
      await stage.token(half, { workspace: '0' }),
      'mutation ($input: RegisterResourceInput!) { registerResource(input: $input) { userErrors { code } } }',
      { input: { urn } },
    );
    expect(answer.errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', action: 'modelarts:notebook:create' });
    const token = await stage.token(whole, { workspace: '0' });
    expect((await register({ urn }, token)).resource).toMatchObject({ urn, owner: null, workspace: null });
    expect(await refusedWith(stage, token, 'registerResource', { urn: urnOf('trainJob', 't') })).toEqual(['FORBIDDEN']);
  });

  it('needs a workspace', async () => {
    const outside = await stage.token(stage.root, 'account');
    const answer = await refusedWith(stage, outside, 'registerResource', { urn: urnOf('notebook', 'outside') });
    expect(answer).toEqual(['FORBIDDEN']);
  });
});

describe('registerResources', () => {
  it('takes what registerResource takes, for each, and answers their ids even to who may not read them', async () => {
    const parent = await register({ urn: urnOf('notebook', 'stock-mother'), name: 'Stock mother' });
    const resources = [
      {
        urn: urnOf('notebook', 'stock-1'),
        name: 'Stock one',
        ownerId: encodeNodeId('User', ann),
        parentId: parent.resource.id,
        tags: [{ key: 'team', value: 'stock' }],
      },
      { urn: urnOf('notebook', 'stock-2') },
    ];
    const selection = 'resources { urn name tags { value } owner { name } parent { name } } registeredResourceIds';
    const made = await send(stage, root, 'registerResources', { resources }, selection);
    expect(made).toMatchObject({
      userErrors: [],
      resources: [
        { name: 'Stock one', tags: [{ value: 'stock' }], owner: { name: 'ann' }, parent: { name: 'Stock mother' } },
        { urn: urnOf('notebook', 'stock-2'), name: '', tags: [], owner: null, parent: null },
      ],
    });
    const writer = await stage.user('stock-writer');
    await allow(stage, writer, ['bailiwick:resources:register']);
    await allow(stage, writer, ['modelarts:notebook:create']);
    const token = await stage.token(writer, { workspace: '0' });
    const blind = await send(stage, token, 'registerResources', { resources: [{ urn: urnOf('notebook', 'stock-3') }] }, selection); // prettier-ignore
    expect(blind['resources']).toEqual([null]);
    const [id = ''] = blind['registeredResourceIds'] as readonly string[];
    expect(await find(id, root)).not.toBeNull();
  });
});

describe('updateResource', () => {
  it('changes what is given and leaves the rest; null takes owner and parent away', async () => {
    const parent = await register({ urn: urnOf('notebook', 'u-parent'), name: 'Parent' });
    const tags = [{ key: 'a', value: '1' }];
    const made = await register({ urn: urnOf('notebook', 'u-1'), name: 'One', ownerId: ann, tags });
    const { id } = made.resource;
    expect((await update({ id, parentId: parent.resource.id })).resource).toMatchObject({
      name: 'One',
      owner: { name: 'ann' },
      parent: { name: 'Parent' },
      tags,
      version: 2,
    });
    expect((await update({ id, ownerId: null, expectedVersion: 2 })).resource).toMatchObject({
      name: 'One',
      owner: null,
      parent: { name: 'Parent' },
      tags,
    });
    expect((await update({ id, parentId: null, tags: [], name: '' })).resource).toMatchObject({
      name: '',
      parent: null,
      tags: [],
    });
    expect(gist(await update({ id, name: 'stale', expectedVersion: 1 }))).toEqual([
      ['CONFLICT', 'expectedVersion', 'IAM.0005'],
    ]);
  });

  it('lets no resource become its own ancestor', async () => {
    const top = (await register({ urn: urnOf('notebook', 'top') })).resource;
    const middle = (await register({ urn: urnOf('notebook', 'middle'), parentId: top.id })).resource;
    const low = (await register({ urn: urnOf('notebook', 'low'), parentId: middle.id })).resource;
    for (const parentId of [top.id, middle.id, low.id]) {
      expect(gist(await update({ id: top.id, parentId }))).toEqual([['CONFLICT', 'parentId', null]]);
    }
    expect((await update({ id: low.id, parentId: top.id })).userErrors).toEqual([]);
  });

  it('asks for the labels it has and for those it would have', async () => {
    const bob = await stage.user('bob');
    const Condition = { StringEquals: { 'g:ResourceTag/team': ['vision'] } };
    await allow(stage, bob, ['bailiwick:resources:update']);
    await allow(stage, bob, [{ Effect: 'Allow', Action: ['modelarts:notebook:update'], Condition }]);
    const token = await stage.token(bob, { workspace: '0' });
    const vision = [{ key: 'team', value: 'vision' }];
    const speech = [{ key: 'team', value: 'speech' }];
    const mine = (await register({ urn: urnOf('notebook', 'b-1'), tags: vision })).resource;
    const other = (await register({ urn: urnOf('notebook', 'b-2'), tags: speech })).resource;
    expect((await update({ id: mine.id, name: 'bob was here' }, token)).userErrors).toEqual([]);
    expect(await refusedWith(stage, token, 'updateResource', { id: mine.id, tags: speech })).toEqual(['FORBIDDEN']);
    // One that the caller may neither change nor see is not there.
    expect(gist(await update({ id: other.id, tags: vision }, token))).toEqual([['NOT_FOUND', 'id', 'IAM.0004']]);
  });

  it('does not know what lies in another workspace', async () => {
    const there = (await register({ urn: urnOf('notebook', 'u-there') }, elsewhere)).resource;
    expect(gist(await update({ id: there.id, name: 'reached' }))).toEqual([['NOT_FOUND', 'id', 'IAM.0004']]);
    expect(gist(await deregister({ id: there.id }))).toEqual([['NOT_FOUND', 'id', 'IAM.0004']]);
    expect(await find(there.id, root)).toBeNull();
    expect(await find(there.id, elsewhere)).not.toBeNull();
  });
});

describe('deregisterResource', () => {
  it('takes the resource off, unless others belong to it', async () => {
    const parent = (await register({ urn: urnOf('notebook', 'd-parent'), name: 'Parent' })).resource;
    const child = (await register({ urn: urnOf('notebook', 'd-child'), parentId: parent.id })).resource;
    expect(gist(await deregister({ id: parent.id }))).toEqual([['IN_USE', 'id', null]]);
    expect((await deregister({ id: child.id })).deletedResourceId).toBe(child.id);
    expect(await deregister({ id: parent.id })).toMatchObject({
      resource: { id: parent.id, name: 'Parent' },
      deletedResourceId: parent.id,
    });
    expect(await find(parent.id, root)).toBeNull();
    expect(gist(await deregister({ id: parent.id }))).toEqual([['NOT_FOUND', 'id', 'IAM.0004']]);
  });
});

interface List {
  readonly list: {
    readonly nodes: { readonly name: string }[];
    readonly totalCount: number | null;
    readonly pageInfo: {
      readonly hasNextPage: boolean;
      readonly hasPreviousPage: boolean;
      readonly startCursor: string;
      readonly endCursor: string;
    };
  };
}

describe('resources', () => {
  let lists: Stage;
  let all: string;
  let owner: string;

  const listIn = async (token: string, args = ''): Promise<List['list']> =>
    (
      await lists.get<List>(
        token,
        `{ list: resources${args} { nodes { name } totalCount
          pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`,
      )
    ).list;
  const names = async (token: string, args = ''): Promise<readonly string[]> =>
    (await listIn(token, args)).nodes.map(({ name }) => name);
  /** A user who may list resources, with statements on their kinds. */
  const reader = async (name: string, ...statements: readonly (string | object)[]): Promise<string> => {
    const id = await lists.user(name);
    await allow(lists, id, ['bailiwick:resources:list', 'bailiwick:resources:get']);
    if (statements.length > 0) await allow(lists, id, statements);
    return lists.token(id, { workspace: '0' });
  };

  beforeAll(async () => {
    lists = await stage.neighbour('lists');
    await makeStrict(lists);
    all = await lists.token(lists.root, { workspace: '0' });
    owner = await lists.user('owner');
    const call = await lists.call(all);
    for (let n = 1; n <= 6; n += 1) {
      const tags = [{ key: 'stage', value: n % 2 === 0 ? 'prod' : 'dev' }];
      const ownerId = n < 3 ? owner : null;
      must(
        await registerResource(lists.iam, call, {
          urn: urnOf('notebook', `n${n}`, lists),
          name: `N${n}`,
          tags,
          ownerId,
        }),
      );
    }
    must(await registerResource(lists.iam, call, { urn: urnOf('trainJob', 't1', lists), name: 'a job' }));
    const other = await lists.token(lists.root, { workspace: await lists.workspace('other') });
    must(
      await registerResource(lists.iam, await lists.call(other), { urn: urnOf('notebook', 'o', lists), name: 'other' }),
    );
  });

  it('lists the workspace of the credential only', async () => {
    expect(await names(all)).toEqual(['a job', 'N1', 'N2', 'N3', 'N4', 'N5', 'N6']);
    expect((await listIn(all)).totalCount).toBe(7);
  });

  it('filters and orders', async () => {
    expect(await names(all, '(filter: { kinds: ["modelarts:trainJob"] })')).toEqual(['a job']);
    expect(await names(all, '(filter: { kinds: [] })')).toEqual([]);
    expect(await names(all, '(filter: { kinds: ["no:kind"] })')).toEqual([]);
    expect(await names(all, `(filter: { urn: "${urnOf('notebook', 'n3', lists)}" })`)).toEqual(['N3']);
    expect(await names(all, '(filter: { nameContains: "n" }, first: 1)')).toEqual(['N1']);
    expect(await names(all, `(filter: { ownerId: "${encodeNodeId('User', owner)}" })`)).toEqual(['N1', 'N2']);
    expect(await names(all, '(filter: { parentId: "none" })')).toEqual([]);
    expect(await names(all, '(orderBy: { field: URN, direction: DESC }, first: 2)')).toEqual(['a job', 'N6']);
    expect(await names(all, '(orderBy: { field: NAME, direction: DESC }, first: 2)')).toEqual(['N6', 'N5']);
  });

  it('shows the kinds that the caller may list, counted', async () => {
    const jobs = await reader('jobs', 'modelarts:trainJob:list');
    expect(await listIn(jobs)).toMatchObject({ nodes: [{ name: 'a job' }], totalCount: 1 });
    expect(await names(jobs, '(filter: { kinds: ["modelarts:notebook"] })')).toEqual([]);
    expect(await listIn(await reader('nothing'))).toMatchObject({ nodes: [], totalCount: 0 });
  });

  it('leaves no trace of rows that a Deny takes away by label', async () => {
    const Condition = { StringEquals: { 'g:ResourceTag/stage': ['prod'] } };
    const dev = await reader('dev', 'modelarts:notebook:listAllNotebooks', {
      Effect: 'Deny',
      Action: ['modelarts:notebook:*'],
      Condition,
    });
    expect(await listIn(dev)).toMatchObject({
      nodes: [{ name: 'N1' }, { name: 'N3' }, { name: 'N5' }],
      totalCount: 3,
      pageInfo: { hasNextPage: false, hasPreviousPage: false },
    });
    const first = await listIn(dev, '(first: 2)');
    expect(first).toMatchObject({ nodes: [{ name: 'N1' }, { name: 'N3' }], pageInfo: { hasNextPage: true } });
    const next = await listIn(dev, `(first: 2, after: "${first.pageInfo.endCursor}")`);
    expect(next).toMatchObject({
      nodes: [{ name: 'N5' }],
      pageInfo: { hasNextPage: false, hasPreviousPage: true },
    });
    const last = await listIn(dev, '(last: 2)');
    expect(last).toMatchObject({
      nodes: [{ name: 'N3' }, { name: 'N5' }],
      pageInfo: { hasPreviousPage: true, hasNextPage: false },
    });
    expect(await listIn(dev, `(last: 2, before: "${last.pageInfo.startCursor}")`)).toMatchObject({
      nodes: [{ name: 'N1' }],
      pageInfo: { hasPreviousPage: false, hasNextPage: true },
    });
  });

  it('gives a full page however many rows are hidden between', async () => {
    const stranger = await stage.neighbour('crowded');
    await makeStrict(stranger);
    const insideAll = await stranger.token(stranger.root, { workspace: '0' });
    const call = await stranger.call(insideAll);
    for (let n = 0; n < 520; n += 1) {
      const tags = [{ key: 'stage', value: n === 0 || n > 517 ? 'dev' : 'prod' }];
      const urn = urnOf('notebook', String(n).padStart(3, '0'), stranger);
      must(await registerResource(stranger.iam, call, { urn, name: urn.slice(-3), tags }));
    }
    const id = await stranger.user('dev');
    const Condition = { StringEquals: { 'g:ResourceTag/stage': ['prod'] } };
    await allow(stranger, id, ['bailiwick:resources:list']);
    await allow(stranger, id, [
      'modelarts:notebook:listAllNotebooks',
      { Effect: 'Deny', Action: ['modelarts:*:*'], Condition },
    ]);
    const token = await stranger.token(id, { workspace: '0' });
    for (const args of ['(first: 2)', '(last: 2)']) {
      const query = `{ list: resources${args} { nodes { name } pageInfo { hasNextPage hasPreviousPage } } }`;
      const forward = args.startsWith('(first');
      expect(await stranger.get(token, query)).toEqual({
        list: {
          nodes: forward ? [{ name: '000' }, { name: '518' }] : [{ name: '518' }, { name: '519' }],
          pageInfo: { hasNextPage: forward, hasPreviousPage: !forward },
        },
      });
    }
  });

  it('lists what an Allow under a condition gives, counted', async () => {
    const Condition = { StringEquals: { 'g:ResourceTag/Stage': ['dev'] } };
    const some = await reader('some', { Effect: 'Allow', Action: ['modelarts:notebook:listAllNotebooks'], Condition });
    expect(await listIn(some)).toMatchObject({
      nodes: [{ name: 'N1' }, { name: 'N3' }, { name: 'N5' }],
      totalCount: 3,
    });
    expect(await listIn(some, '(last: 1)')).toMatchObject({ nodes: [{ name: 'N5' }], totalCount: 3 });
  });

  it('looks at each row where the database cannot, and does not count then', async () => {
    const Condition = { StringEqualsIgnoreCase: { 'g:ResourceTag/stage': ['DEV'] } };
    const some = await reader('odd', { Effect: 'Allow', Action: ['modelarts:notebook:listAllNotebooks'], Condition });
    expect(await listIn(some, '(first: 2)')).toMatchObject({
      nodes: [{ name: 'N1' }, { name: 'N3' }],
      totalCount: null,
      pageInfo: { hasNextPage: true, hasPreviousPage: false },
    });
  });

  it('of one’s own are listed to who may list them, and read by whoever may read them', async () => {
    const token = await lists.token(owner, { workspace: '0' });
    await allow(lists, owner, ['bailiwick:resources:list', 'bailiwick:resources:get']);
    await allow(lists, owner, ['modelarts:notebook:list']);
    expect(await listIn(token)).toMatchObject({ nodes: [{ name: 'N1' }, { name: 'N2' }], totalCount: 2 });
    const [third] = (await lists.get<{ list: { nodes: { id: string }[] } }>(all, '{ list: resources(filter: { nameContains: "N3" }) { nodes { id } } }')).list.nodes; // prettier-ignore
    const read = () => lists.get(token, lookUp, { id: third?.id });
    expect(await read()).toEqual({ found: null });
    await allow(lists, owner, ['modelarts:notebook:get']);
    expect(await read()).toMatchObject({ found: { name: 'N3' } });
    expect(await names(token)).toEqual(['N1', 'N2']);
  });

  it('is asked in a workspace only', async () => {
    const outside = await lists.token(lists.root, 'account');
    expect((await lists.ask(outside, '{ resources { totalCount } }')).errors[0]?.extensions).toMatchObject({
      code: 'FORBIDDEN',
      requiredScope: 'WORKSPACE',
    });
  });

  it('of another account are not found', async () => {
    const id = (await register({ urn: urnOf('notebook', 'ours') })).resource.id;
    expect(await lists.get(all, lookUp, { id })).toEqual({ found: null });
  });
});

describe('resource', () => {
  it('is null without the action that reads or lists its kind', async () => {
    const { id } = (await register({ urn: urnOf('notebook', 'r-1'), name: 'R' })).resource;
    const [blind, seeing] = [await stage.user('blind'), await stage.user('seeing')];
    await allow(stage, blind, ['bailiwick:resources:get']);
    await allow(stage, seeing, ['bailiwick:resources:get']);
    await allow(stage, seeing, ['modelarts:notebook:get']);
    expect(await find(id, await stage.token(blind, { workspace: '0' }))).toBeNull();
    expect(await find(id, await stage.token(seeing, { workspace: '0' }))).toMatchObject({ name: 'R' });
  });

  it('keeps a parent from who may not see it', async () => {
    const parent = (await register({ urn: urnOf('trainJob', 'r-job'), name: 'Job' })).resource;
    const child = (await register({ urn: urnOf('notebook', 'r-2'), parentId: parent.id })).resource;
    const query = 'query ($id: ID!) { resource(id: $id) { id parent { name } } }';
    expect(await stage.get(root, query, { id: child.id })).toMatchObject({ resource: { parent: { name: 'Job' } } });
    const dee = await stage.user('dee');
    await allow(stage, dee, ['bailiwick:resources:get']);
    await allow(stage, dee, ['modelarts:notebook:get']);
    const token = await stage.token(dee, { workspace: '0' });
    expect(await stage.get(token, query, { id: child.id })).toEqual({ resource: { id: child.id, parent: null } });
  });

  it('wants the id of a resource', async () => {
    expect((await stage.ask(root, lookUp, { id: encodeNodeId('User', ann) })).codes).toEqual(['BAD_USER_INPUT']);
    expect(await find('missing', root)).toBeNull();
  });
});
