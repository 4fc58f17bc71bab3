import { beforeAll, describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { encodeNodeId } from '../../src/graphql/node-ids.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import { createPolicy } from '../../src/iam/index.js';
import { allow, gist, refusedWith, send, type Payload } from './acts.js';
import { must, openStage, type Stage } from './stage.js';

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });
const fields = `service { id name description hosts enabled version createdAt updatedAt
  actions { name accessLevel description } resourceKinds { type description } }`;
const lookUp = 'query ($id: ID!) { found: service(id: $id) { id name } }';

interface Shown {
  readonly service: { readonly id: string };
}

let stage: Stage;
let root: string;

beforeAll(async () => {
  stage = await openStage(schema);
  root = await stage.token(stage.root, 'account');
});

const create = (input: object, token = root): Promise<Payload & Shown> =>
  send(stage, token, 'createService', input, `${fields} replayed`);
const update = (input: object, token = root): Promise<Payload & Shown> =>
  send(stage, token, 'updateService', input, fields);
const remove = (input: object, token = root): Promise<Payload & Shown> =>
  send(stage, token, 'deleteService', input, 'service { id name } deletedServiceId');
const plain = (id: string): string => Buffer.from(id, 'base64url').toString().slice('Service:'.length);

describe('createService', () => {
  it('registers actions and kinds that policies can name at once', async () => {
    const made = await create({
      name: 'labeling',
      description: 'Labels pictures',
      hosts: ['labeling.example.com:8443'],
      actions: [
        { name: 'labeling:task:create' },
        { name: 'labeling:task:list', accessLevel: 'LIST', description: 'See' },
      ],
      resourceKinds: [{ type: 'task', description: 'Labeling task' }],
      clientMutationId: 'c1',
    });
    expect(made).toMatchObject({ userErrors: [], clientMutationId: 'c1', replayed: false });
    expect(made.revision).toBe(await stage.revision());
    expect(made.service).toMatchObject({
      name: 'labeling',
      description: 'Labels pictures',
      hosts: ['labeling.example.com:8443'],
      enabled: true,
      version: 1,
      actions: [
        { name: 'labeling:task:create', accessLevel: 'WRITE', description: '' },
        { name: 'labeling:task:list', accessLevel: 'LIST', description: 'See' },
      ],
      resourceKinds: [{ type: 'task', description: 'Labeling task' }],
    });
    const document = { Version: '1.1', Statement: [{ Effect: 'Allow', Action: ['labeling:task:create'] }] };
    must(await createPolicy(stage.iam, await stage.call(root), { name: 'labelers', document }));
  });

  it('makes one service for one key', async () => {
    const first = await create({ name: 'retried', idempotencyKey: 'k' });
    expect(await create({ name: 'retried', idempotencyKey: 'k' })).toMatchObject({
      replayed: true,
      service: { id: first.service.id },
    });
  });

  it.each([
    ['a name in capitals', { name: 'Labels' }, [['INVALID', 'name', null]]],
    ['a host with a scheme', { name: 'hosted', hosts: ['ok.example', 'https://x'] }, [['INVALID', 'hosts', null]]],
    ['a name that is taken', { name: 'labeling' }, [['NAME_TAKEN', 'name', 'IAM.0005']]],
    ['what decides here', { name: 'iam' }, [['RESERVED', 'name', null]]],
    [
      'an action of a service of the platform',
      { name: 'modelarts', actions: [{ name: 'modelarts:notebook:melt', accessLevel: 'WRITE', description: 'Melt' }] },
      [['RESERVED', 'actions', null]],
    ],
    [
      'actions under another prefix or twice',
      { name: 'greedy', actions: [{ name: 'obs:bucket:x' }, { name: 'greedy:a:b' }, { name: 'greedy:A:B' }] },
      [
        ['INVALID', 'actions.0.name', null],
        ['INVALID', 'actions.2.name', null],
      ],
    ],
    [
      'an action name that is too long',
      { name: 'wordy', actions: [{ name: `wordy:a:${'b'.repeat(200)}` }] },
      [['INVALID', 'actions.0.name', 'IAM.1034']],
    ],
    [
      'a kind that is no segment',
      { name: 'shapeless', resourceKinds: [{ type: 'fine' }, { type: 'a:b' }] },
      [['INVALID', 'resourceKinds.1.type', null]],
    ],
  ])('refuses %s', async (_, input, problems) => {
    const before = await stage.revision();
    const refused = await create(input);
    expect(gist(refused)).toEqual(problems);
    expect(refused.service).toBeNull();
    expect(await stage.revision()).toBe(before);
  });
});

describe('updateService', () => {
  it('replaces the lists that are given and leaves the rest', async () => {
    const actions = [{ name: 'indexer:index:list', accessLevel: 'LIST' }];
    const { id } = (await create({ name: 'indexer', description: 'Old', hosts: ['a.example'], actions })).service;
    const changed = await update({ id, hosts: ['b.example'], expectedVersion: 1 });
    expect(changed.service).toMatchObject({ description: 'Old', hosts: ['b.example'], actions, version: 2 });
    expect((await update({ id, actions: [], enabled: false })).service).toMatchObject({ actions: [], enabled: false });
    expect(gist(await update({ id, enabled: true, expectedVersion: 1 }))).toEqual([
      ['CONFLICT', 'expectedVersion', 'IAM.0005'],
    ]);
    expect(gist(await update({ id, actions: [{ name: 'labeling:task:steal' }] }))).toEqual([
      ['INVALID', 'actions.0.name', null],
    ]);
    expect(gist(await update({ id, hosts: ['UPPER'] }))).toEqual([['INVALID', 'hosts', null]]);
    expect(gist(await update({ id: 'none', enabled: true }))).toEqual([['NOT_FOUND', 'id', 'IAM.0004']]);
  });

  it('asks about the service that is named', async () => {
    const [mine, other] = [(await create({ name: 'mine' })).service, (await create({ name: 'not-mine' })).service];
    const ann = await stage.user('ann');
    const Resource = [`iam:*:*:service:${plain(mine.id)}`];
    await allow(stage, ann, [{ Effect: 'Allow', Action: ['bailiwick:services:update'], Resource }]);
    const token = await stage.token(ann, 'account');
    expect((await update({ id: mine.id, description: 'by ann' }, token)).userErrors).toEqual([]);
    expect(await refusedWith(stage, token, 'updateService', { id: other.id })).toEqual(['FORBIDDEN']);
  });
});

describe('deleteService', () => {
  it('deletes a service', async () => {
    const { id } = (await create({ name: 'passing' })).service;
    expect(await remove({ id })).toMatchObject({ service: { id, name: 'passing' }, deletedServiceId: id });
    expect(await stage.get(root, lookUp, { id })).toEqual({ found: null });
    expect(gist(await remove({ id }))).toEqual([['NOT_FOUND', 'id', 'IAM.0004']]);
  });

  it('refuses one whose resources remain', async () => {
    const { id } = (
      await create({
        name: 'holder',
        actions: [{ name: 'holder:thing:create' }],
        resourceKinds: [{ type: 'thing' }],
      })
    ).service;
    const at = Date.now();
    const origin = {
      accountId: stage.accountId,
      workspaceId: '0',
      operation: 'registerResource',
      actorKind: 'SERVICE',
      actorId: plain(id),
      actorName: 'holder',
      requestId: 'r',
      at,
    };
    // What the service registers over its own signed request.
    await stage.iam.store.transaction(origin, async (transaction) => {
      await transaction.insert('resource', {
        id: 'thing-1',
        accountId: stage.accountId,
        workspaceId: '0',
        urn: `holder::${stage.accountId}:thing:1`,
        kind: 'holder:thing',
        name: '',
        ownerId: null,
        parentId: null,
        tags: [],
        registeredBy: plain(id),
        version: 1,
        createdAt: at,
        updatedAt: at,
      });
      return { commit: true, value: undefined };
    });
    const refused = await remove({ id });
    expect(gist(refused)).toEqual([['IN_USE', 'id', null]]);
    expect(refused).toMatchObject({ service: null, deletedServiceId: null });
  });
});

describe('services', () => {
  it('are listed, filtered, ordered and counted in account scope', async () => {
    const lists = await stage.neighbour('lists');
    const token = await lists.token(lists.root, 'account');
    for (const name of ['beta', 'alpha', 'gamma']) {
      lists.advance(1000);
      await send(lists, token, 'createService', { name }, '');
    }
    const names = async (args: string) => {
      const { list } = await lists.get<{ list: { nodes: { name: string }[]; totalCount: number } }>(
        token,
        `{ list: services${args} { nodes { name } totalCount } }`,
      );
      return [...list.nodes.map(({ name }) => name), list.totalCount];
    };
    expect(await names('')).toEqual(['alpha', 'beta', 'gamma', 3]);
    expect(await names('(filter: { name: "beta" })')).toEqual(['beta', 1]);
    expect(await names('(filter: { nameContains: "m" })')).toEqual(['gamma', 1]);
    expect(await names('(orderBy: { field: CREATED_AT, direction: DESC }, first: 2)')).toEqual(['gamma', 'alpha', 3]);
    const inside = await lists.token(lists.root, { workspace: '0' });
    for (const query of ['{ services { totalCount } }', '{ service(id: "x") { name } }']) {
      expect((await lists.ask(inside, query)).errors[0]?.extensions).toMatchObject({ requiredScope: 'ACCOUNT' });
    }
  });

  it('of another account are not found', async () => {
    const neighbour = await stage.neighbour('neighbour');
    const theirs = await neighbour.token(neighbour.root, 'account');
    const { id } = (await create({ name: 'ours' })).service;
    expect(await neighbour.get(theirs, lookUp, { id })).toEqual({ found: null });
    for (const mutation of ['updateService', 'deleteService']) {
      expect(gist(await send(neighbour, theirs, mutation, { id }, ''))).toEqual([['NOT_FOUND', 'id', 'IAM.0004']]);
    }
    expect(await stage.get(root, lookUp, { id: plain(id) })).toMatchObject({ found: { id, name: 'ours' } });
    expect((await stage.ask(root, lookUp, { id: encodeNodeId('Agency', 'x') })).codes).toEqual(['BAD_USER_INPUT']);
  });
});

describe('rotateServiceKey', () => {
  const rotate = (input: object): Promise<Payload & Shown & { accessKeyId: string; secretAccessKey: string | null }> =>
    send(stage, root, 'rotateServiceKey', input, 'service { id } accessKeyId secretAccessKey replayed');
  const keysOf = async (serviceId: string): Promise<readonly string[]> => {
    const window = { order: { by: 'CREATED_AT', direction: 'ASC' }, limit: 9, backward: false } as const;
    const pages = await stage.iam.store
      .reader({ accountId: stage.accountId, workspaceId: null })
      .pagesOf('service.accessKeys', [serviceId], { ...window, after: null, before: null });
    return pages.get(serviceId)?.rows.map(({ record }) => record.id) ?? [];
  };

  it('makes a key, and sent again makes none, ends none and shows no secret', async () => {
    const { id } = (await create({ name: 'rotating' })).service;
    const first = await rotate({ id, idempotencyKey: 'rotation-1' });
    expect(first).toMatchObject({ userErrors: [], replayed: false });
    expect(first.secretAccessKey).toMatch(/.{20}/);
    const keys = await keysOf(plain(id));
    expect(keys).toHaveLength(2);
    expect(keys).toContain(first.accessKeyId);
    const again = await rotate({ id, idempotencyKey: 'rotation-1' });
    expect(again).toMatchObject({
      replayed: true,
      service: { id },
      accessKeyId: first.accessKeyId,
      secretAccessKey: null,
      userErrors: [],
    });
    expect(await keysOf(plain(id))).toEqual(keys);
    const other = await rotate({ id, endOthers: true, idempotencyKey: 'rotation-1' });
    expect(other.userErrors).toMatchObject([{ code: 'IDEMPOTENCY_KEY_REUSED' }]);
    expect((await rotate({ id, endOthers: true })).replayed).toBe(false);
    expect(await keysOf(plain(id))).toHaveLength(1);
  });
});
