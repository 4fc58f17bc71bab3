import { beforeAll, describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { encodeNodeId } from '../../src/graphql/node-ids.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import { grantPolicy } from '../../src/iam/index.js';
import { allow, gist, refusedWith, send, type Payload } from './acts.js';
import { must, openStage, type Stage } from './stage.js';

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });
const agencyFields = `agency { id name description trust { kind service account } durationDays expiresAt expired
  externalId sourceAddresses version createdAt updatedAt }`;
const authorizationFields = 'authorization { id urn allUsers user { name } agency { name } createdBy { name } }';
const lookUp = 'query ($id: ID!) { found: agency(id: $id) { id name } }';
const day = 24 * 60 * 60 * 1000;
const modelarts = { service: 'modelarts' };

interface ShownAgency {
  readonly agency: { readonly id: string; readonly createdAt: string; readonly expiresAt: string | null };
}

interface ShownAuthorization {
  readonly authorization: { readonly id: string };
}

let stage: Stage;
let root: string;

beforeAll(async () => {
  stage = await openStage(schema);
  root = await stage.token(stage.root, 'account');
});

const create = (input: object, token = root): Promise<Payload & ShownAgency> =>
  send(stage, token, 'createAgency', input, `${agencyFields} replayed`);
const update = (input: object, token = root): Promise<Payload & ShownAgency> =>
  send(stage, token, 'updateAgency', input, agencyFields);
const remove = (input: object, token = root): Promise<Payload & ShownAgency> =>
  send(stage, token, 'deleteAgency', input, 'agency { id name } deletedAgencyId');
const authorize = (input: object, token = root): Promise<Payload & ShownAuthorization> =>
  send(stage, token, 'authorizeAgency', input, `${authorizationFields} replayed`);
const revoke = (input: object, token = root): Promise<Payload & ShownAuthorization> =>
  send(stage, token, 'revokeAuthorization', input, `${authorizationFields} deletedAuthorizationId`);
const plain = (id: string): string =>
  Buffer.from(id, 'base64url')
    .toString()
    .replace(/^[^:]*:/, '');

let policies = 0;

/** Gives an agency something to pass on. */
async function grantTo(agencyId: string, action: string, workspaceId: string | null = null): Promise<void> {
  policies += 1;
  const policyId = await stage.policy(`of-agency-${policies}`, [action]);
  const scope =
    workspaceId === null ? ({ kind: 'ALL', id: '' } as const) : ({ kind: 'WORKSPACE', id: workspaceId } as const);
  const subject = { kind: 'AGENCY', id: plain(agencyId) } as const;
  must(await grantPolicy(stage.iam, await stage.call(root), { policyId, subject, scope }));
}

describe('createAgency', () => {
  it('trusts a service for ever unless told otherwise', async () => {
    const made = await create({ name: 'training', trust: modelarts, clientMutationId: 'c1' });
    expect(made).toMatchObject({ userErrors: [], clientMutationId: 'c1', replayed: false });
    expect(made.revision).toBe(await stage.revision());
    expect(made.agency).toMatchObject({
      name: 'training',
      description: '',
      trust: { kind: 'SERVICE', service: 'modelarts', account: null },
      durationDays: null,
      expiresAt: null,
      expired: false,
      externalId: null,
      sourceAddresses: [],
      version: 1,
    });
  });

  it('trusts an account, for a time, under conditions', async () => {
    const account = 'a'.repeat(32);
    const made = await create({
      name: 'partner',
      description: 'Them',
      trust: { account },
      durationDays: 20,
      externalId: 'x-1',
      sourceAddresses: ['192.0.2.0/24', '2001:db8::1'],
    });
    expect(made.agency).toMatchObject({
      description: 'Them',
      trust: { kind: 'ACCOUNT', service: null, account },
      durationDays: 20,
      externalId: 'x-1',
      sourceAddresses: ['192.0.2.0/24', '2001:db8::1'],
    });
    expect(Date.parse(made.agency.expiresAt ?? '')).toBe(Date.parse(made.agency.createdAt) + 20 * day);
  });

  it('makes one agency for one key', async () => {
    const input = { name: 'retried', trust: modelarts, idempotencyKey: 'k' };
    const first = await create(input);
    expect(await create(input)).toMatchObject({ replayed: true, agency: { id: first.agency.id } });
  });

  it.each([
    [
      'terms that break rules, all of them together',
      {
        name: 'x'.repeat(65),
        description: 'a@b',
        trust: { service: 'nobody' },
        durationDays: 0,
        externalId: 'x',
        sourceAddresses: ['192.0.2.0/33'],
      },
      [
        ['INVALID', 'name', 'IAM.0007'],
        ['INVALID', 'description', 'IAM.0007'],
        ['INVALID', 'trust', 'IAM.0007'],
        ['INVALID', 'durationDays', null],
        ['INVALID', 'externalId', null],
        ['INVALID', 'sourceAddresses', null],
      ],
    ],
    [
      'an account that is no id',
      { name: 'partner-two', trust: { account: 'acme' } },
      [['INVALID', 'trust', 'IAM.0007']],
    ],
    [
      'too many addresses',
      { name: 'wide', trust: modelarts, sourceAddresses: Array.from({ length: 6 }, (_, n) => `192.0.2.${n}`) },
      [['LIMIT_EXCEEDED', 'sourceAddresses', null]],
    ],
    ['a name that is taken', { name: 'TRAINING', trust: modelarts }, [['NAME_TAKEN', 'name', 'ModelArts.4502']]],
  ])('refuses %s', async (_, input, problems) => {
    const before = await stage.revision();
    const refused = await create(input);
    expect(gist(refused)).toEqual(problems);
    expect(refused.agency).toBeNull();
    expect(await stage.revision()).toBe(before);
  });

  it('wants exactly one kind of trust', async () => {
    for (const trust of [{}, { ...modelarts, account: 'a'.repeat(32) }]) {
      const { errors } = await stage.ask(
        root,
        'mutation ($input: CreateAgencyInput!) { createAgency(input: $input) { revision } }',
        { input: { name: 'torn', trust } },
      );
      expect(errors).toHaveLength(1);
    }
  });

  it('refuses more agencies than an account may have', async () => {
    const full = await stage.neighbour('full');
    const token = await full.token(full.root, 'account');
    for (let n = 0; n < 50; n += 1) {
      expect((await send(full, token, 'createAgency', { name: `a${n}`, trust: modelarts }, '')).userErrors).toEqual([]);
    }
    expect(gist(await send(full, token, 'createAgency', { name: 'one-more', trust: modelarts }, ''))).toEqual([
      ['LIMIT_EXCEEDED', 'name', 'ModelArts.4500'],
    ]);
  });
});

describe('updateAgency', () => {
  it('changes what is given and leaves the rest; null ends time and external id', async () => {
    const made = await create({
      name: 'changing',
      description: 'Old',
      trust: modelarts,
      durationDays: 1,
      externalId: 'first',
      sourceAddresses: ['192.0.2.1'],
    });
    const { id, expiresAt } = made.agency;
    expect((await update({ id, description: 'New' })).agency).toMatchObject({
      description: 'New',
      trust: modelarts,
      durationDays: 1,
      expiresAt,
      externalId: 'first',
      sourceAddresses: ['192.0.2.1'],
      version: 2,
    });
    const account = 'b'.repeat(32);
    expect(
      (await update({ id, trust: { account }, durationDays: null, externalId: null, sourceAddresses: [] })).agency,
    ).toMatchObject({
      description: 'New',
      trust: { kind: 'ACCOUNT', service: null, account },
      durationDays: null,
      expiresAt: null,
      externalId: null,
      sourceAddresses: [],
    });
    expect(gist(await update({ id, description: 'stale', expectedVersion: 1 }))).toEqual([
      ['CONFLICT', 'expectedVersion', 'IAM.0005'],
    ]);
    expect(gist(await update({ id, durationDays: 36_501 }))).toEqual([['INVALID', 'durationDays', null]]);
    expect(gist(await update({ id: 'none', description: 'nowhere' }))).toEqual([['NOT_FOUND', 'id', 'IAM.0004']]);
  });

  it('gives nobody what they do not hold', async () => {
    const { id } = (await create({ name: 'strong', trust: modelarts, durationDays: 1 })).agency;
    await grantTo(id, 'obs:bucket:ListBucket');
    const ann = await stage.user('ann');
    await allow(stage, ann, ['iam:agencies:updateAgency']);
    const token = await stage.token(ann, 'account');
    expect((await update({ id, description: 'harmless' }, token)).userErrors).toEqual([]);
    expect(await update({ id, durationDays: null }, token)).toMatchObject({
      agency: null,
      userErrors: [{ __typename: 'NotHeldError', code: 'NOT_HELD', reference: 'IAM.0003' }],
    });
  });
});

describe('deleteAgency', () => {
  it('deletes the agency with its authorizations', async () => {
    const { id } = (await create({ name: 'passing', trust: modelarts })).agency;
    const { authorization } = await authorize({ agencyId: id, allUsers: true });
    expect(await remove({ id })).toMatchObject({ agency: { id, name: 'passing' }, deletedAgencyId: id });
    expect(await stage.get(root, lookUp, { id })).toEqual({ found: null });
    expect(gist(await remove({ id }))).toEqual([['NOT_FOUND', 'id', 'IAM.0004']]);
    expect(gist(await revoke({ id: authorization.id }))).toEqual([['NOT_FOUND', 'id', 'IAM.0004']]);
  });
});

describe('agencies', () => {
  const names = async (token: string, args = ''): Promise<readonly unknown[]> => {
    const { list } = await stage.get<{ list: { nodes: { name: string }[]; totalCount: number } }>(
      token,
      `{ list: agencies${args} { nodes { name } totalCount } }`,
    );
    return [...list.nodes.map(({ name }) => name), list.totalCount];
  };

  it('are filtered and ordered', async () => {
    stage.advance(1000);
    await create({ name: 'zeta', trust: { account: 'c'.repeat(32) } });
    expect(await names(root, '(filter: { name: "ZETA" })')).toEqual(['zeta', 1]);
    expect(await names(root, '(filter: { nameContains: "ZET" })')).toEqual(['zeta', 1]);
    expect(await names(root, `(filter: { trust: { account: "${'c'.repeat(32)}" } })`)).toEqual(['zeta', 1]);
    expect(await names(root, '(filter: { trust: { service: "nobody" } })')).toEqual([0]);
    expect((await names(root, '(orderBy: { field: CREATED_AT, direction: DESC }, first: 1)'))[0]).toBe('zeta');
    expect((await names(root, '(orderBy: { field: NAME, direction: DESC }, first: 1)'))[0]).toBe('zeta');
  });

  it('are inside a workspace those that a grant reaches there', async () => {
    const [here, there] = [await stage.workspace('here'), await stage.workspace('there')];
    const { id } = (await create({ name: 'local', trust: modelarts })).agency;
    await grantTo(id, 'modelarts:notebook:get', here);
    const [insideHere, insideThere] = [
      await stage.token(stage.root, { workspace: here }),
      await stage.token(stage.root, { workspace: there }),
    ];
    expect(await names(insideHere, '(filter: { name: "local" })')).toEqual(['local', 1]);
    expect(await names(insideThere, '(filter: { name: "local" })')).toEqual([0]);
    expect(await stage.get(insideHere, lookUp, { id })).toMatchObject({ found: { name: 'local' } });
    expect(await stage.get(insideThere, lookUp, { id })).toEqual({ found: null });
  });

  it('keep the external id from who may only list them', async () => {
    await create({ name: 'secretive', trust: modelarts, externalId: 'hush' });
    const query = '{ agencies(filter: { name: "secretive" }) { nodes { name externalId } } }';
    const [lister, getter] = [await stage.user('lister'), await stage.user('getter')];
    await allow(stage, lister, ['iam:agencies:listAgencies']);
    await allow(stage, getter, ['iam:agencies:listAgencies', 'iam:agencies:getAgency']);
    expect(await stage.get(await stage.token(lister, 'account'), query)).toEqual({
      agencies: { nodes: [{ name: 'secretive', externalId: null }] },
    });
    expect(await stage.get(await stage.token(getter, 'account'), query)).toEqual({
      agencies: { nodes: [{ name: 'secretive', externalId: 'hush' }] },
    });
  });

  it('of another account are not found', async () => {
    const neighbour = await stage.neighbour('neighbour');
    const theirs = await neighbour.token(neighbour.root, 'account');
    const { id } = (await create({ name: 'ours', trust: modelarts })).agency;
    const { authorization } = await authorize({ agencyId: id, allUsers: true });
    expect(await neighbour.get(theirs, lookUp, { id })).toEqual({ found: null });
    for (const [mutation, input, path] of [
      ['updateAgency', { id }, 'id'],
      ['deleteAgency', { id }, 'id'],
      ['authorizeAgency', { agencyId: id, allUsers: true }, 'agencyId'],
      ['revokeAuthorization', { id: authorization.id }, 'id'],
    ] as const) {
      expect(gist(await send(neighbour, theirs, mutation, input, ''))).toEqual([['NOT_FOUND', path, 'IAM.0004']]);
    }
    expect(await neighbour.get(theirs, '{ authorizations { totalCount } }')).toEqual({
      authorizations: { totalCount: 0 },
    });
  });

  it('end when their time is up', async () => {
    // On a clock of its own: after a day every token has ended.
    const late = await openStage(schema);
    const token = await late.token(late.root, 'account');
    const input = { name: 'brief', trust: modelarts, durationDays: 1 };
    await send(late, token, 'createAgency', input, '');
    const query = '{ agencies { nodes { name expired } } }';
    expect(await late.get(token, query)).toEqual({ agencies: { nodes: [{ name: 'brief', expired: false }] } });
    late.advance(day);
    expect(await late.get(await late.token(late.root, 'account'), query)).toEqual({
      agencies: { nodes: [{ name: 'brief', expired: true }] },
    });
  });
});

describe('authorizeAgency', () => {
  it('authorizes for one user, or for all', async () => {
    const { id } = (await create({ name: 'for-jobs', trust: modelarts })).agency;
    const bob = await stage.user('bob');
    const one = await authorize({ agencyId: id, userId: encodeNodeId('User', bob), clientMutationId: 'c' });
    expect(one).toMatchObject({
      userErrors: [],
      clientMutationId: 'c',
      replayed: false,
      revision: await stage.revision(),
      authorization: {
        urn: `modelarts::${stage.accountId}:authorization:${bob}`,
        allUsers: false,
        user: { name: 'bob' },
        agency: { name: 'for-jobs' },
        createdBy: { name: 'root' },
      },
    });
    const all = await authorize({ agencyId: id, allUsers: true, idempotencyKey: 'all' });
    expect(all.authorization).toMatchObject({
      urn: `modelarts::${stage.accountId}:authorization:all-users`,
      allUsers: true,
      user: null,
    });
    expect(await authorize({ agencyId: id, allUsers: true, idempotencyKey: 'all' })).toMatchObject({
      replayed: true,
      authorization: { id: all.authorization.id },
    });
    expect(gist(await authorize({ agencyId: id, userId: bob }))).toEqual([['CONFLICT', 'agencyId', 'ModelArts.0424']]);
  });

  it('refuses unknown agencies and users', async () => {
    const { id } = (await create({ name: 'known', trust: modelarts })).agency;
    expect(gist(await authorize({ agencyId: 'none', allUsers: true }))).toEqual([
      ['NOT_FOUND', 'agencyId', 'IAM.0004'],
    ]);
    expect(gist(await authorize({ agencyId: id, userId: 'nobody' }))).toEqual([['NOT_FOUND', 'userId', 'IAM.0004']]);
  });

  it('wants one user or all of them', async () => {
    const { id } = (await create({ name: 'unclear', trust: modelarts })).agency;
    for (const input of [{}, { allUsers: false }, { userId: 'u', allUsers: true }]) {
      expect(await refusedWith(stage, root, 'authorizeAgency', { agencyId: id, ...input })).toEqual(['BAD_USER_INPUT']);
    }
  });

  it('needs the pass on the agency, and what the agency was granted', async () => {
    const { id } = (await create({ name: 'to-pass', trust: modelarts })).agency;
    await grantTo(id, 'obs:bucket:ListBucket');
    const cay = await stage.user('cay');
    await allow(stage, cay, ['modelarts:authorization:create']);
    const token = await stage.token(cay, 'account');
    const input = { agencyId: id, userId: cay };
    const { errors } = await stage.ask(
      token,
      'mutation ($input: AuthorizeAgencyInput!) { authorizeAgency(input: $input) { revision } }',
      { input },
    );
    expect(errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', action: 'iam:agencies:pass' });
    await allow(stage, cay, ['iam:agencies:pass']);
    expect(gist(await authorize(input, token))).toEqual([['NOT_HELD', 'agencyId', 'IAM.0003']]);
    await allow(stage, cay, ['obs:bucket:ListBucket']);
    // Granted in every scope, the agency enters workspaces that cay may not: that is for administrators.
    expect(gist(await authorize(input, token))).toEqual([['NOT_HELD', 'agencyId', 'IAM.0003']]);
    const narrow = (await create({ name: 'to-pass-here', trust: modelarts })).agency.id;
    await grantTo(narrow, 'obs:bucket:ListBucket', '0');
    expect((await authorize({ ...input, agencyId: narrow }, token)).userErrors).toEqual([]);
  });
});

describe('revokeAuthorization', () => {
  it('takes the authorization away', async () => {
    const { id } = (await create({ name: 'revoked', trust: modelarts })).agency;
    const made = (await authorize({ agencyId: id, allUsers: true })).authorization;
    expect(await revoke({ id: made.id })).toMatchObject({
      authorization: made,
      deletedAuthorizationId: made.id,
      userErrors: [],
    });
    expect(gist(await revoke({ id: made.id }))).toEqual([['NOT_FOUND', 'id', 'IAM.0004']]);
  });
});

describe('authorizations', () => {
  let lists: Stage;
  let all: string;
  let mia: string;
  let ned: string;
  let mias: string;
  let jobs: string;

  interface List {
    readonly list: { readonly nodes: readonly { readonly urn: string }[]; readonly totalCount: number };
  }

  const listed = async (token: string, args = ''): Promise<readonly unknown[]> => {
    const { list } = await lists.get<List>(token, `{ list: authorizations${args} { nodes { urn } totalCount } }`);
    return [...list.nodes.map(({ urn }) => urn.split(':').at(-1)), list.totalCount];
  };

  beforeAll(async () => {
    lists = await stage.neighbour('lists');
    all = await lists.token(lists.root, 'account');
    [mia, ned] = [await lists.user('mia'), await lists.user('ned')];
    mias = await lists.token(mia, 'account');
    const agency = async (name: string): Promise<string> =>
      (await send<ShownAgency>(lists, all, 'createAgency', { name, trust: modelarts }, 'agency { id }')).agency.id;
    jobs = await agency('jobs');
    const notebooks = await agency('notebooks');
    for (const input of [
      { agencyId: jobs, userId: mia },
      { agencyId: jobs, allUsers: true },
      { agencyId: jobs, userId: ned },
      { agencyId: notebooks, userId: mia },
    ]) {
      lists.advance(1000);
      await send(lists, all, 'authorizeAgency', input, '');
    }
  });

  it('are all there for who may list them', async () => {
    expect(await listed(all)).toEqual([mia, 'all-users', ned, mia, 4]);
    expect(await listed(all, '(orderBy: { field: CREATED_AT, direction: DESC }, first: 2)')).toEqual([mia, ned, 4]);
    expect(await listed(all, `(filter: { agencyId: "${jobs}" })`)).toEqual([mia, 'all-users', ned, 3]);
    expect(await listed(all, `(filter: { userId: "${ned}" })`)).toEqual([ned, 1]);
  });

  it('are one’s own for everybody else, whatever the filter', async () => {
    expect(await listed(mias)).toEqual([mia, mia, 2]);
    expect(await listed(mias, `(filter: { agencyId: "${jobs}" })`)).toEqual([mia, 1]);
    expect(await listed(mias, `(filter: { userId: "${encodeNodeId('User', mia)}" })`)).toEqual([mia, mia, 2]);
    expect(await listed(mias, `(filter: { userId: "${ned}" })`)).toEqual([0]);
    await expect(listed(mias, '(filter: { userId: "" })')).rejects.toThrow('an id is empty');
    const hidden =
      '{ authorizations(first: 1) { nodes { allUsers user { name } agency { name } createdBy { name } } } }';
    expect(await lists.get(mias, hidden)).toEqual({
      authorizations: { nodes: [{ allUsers: false, user: null, agency: null, createdBy: null }] },
    });
  });

  it('are refused where Self is denied', async () => {
    await allow(lists, ned, [{ Effect: 'Deny', Action: ['modelarts:authorization:list'] }]);
    const neds = await lists.token(ned, 'account');
    expect((await lists.ask(neds, '{ authorizations { totalCount } }')).codes).toEqual(['FORBIDDEN']);
  });

  it('hang on their agency for who may list them', async () => {
    const olive = await lists.user('olive');
    await allow(lists, olive, ['iam:agencies:getAgency']);
    const query = `query ($id: ID!) { agency(id: $id) { authorizations(first: 2) { nodes { urn } totalCount } } }`;
    const olives = await lists.token(olive, 'account');
    expect(await lists.get(olives, query, { id: jobs })).toEqual({ agency: { authorizations: null } });
    expect(await lists.get(all, query, { id: jobs })).toMatchObject({
      agency: { authorizations: { totalCount: 3, nodes: [{ urn: expect.stringContaining(mia) as string }, {}] } },
    });
  });

  it('are inside a workspace those of agencies that act there', async () => {
    const inside = await lists.token(lists.root, { workspace: '0' });
    expect(await listed(inside)).toEqual([0]);
    const policyId = await lists.policy('reach', ['modelarts:notebook:get']);
    const subject = { kind: 'AGENCY', id: plain(jobs) } as const;
    const scope = { kind: 'WORKSPACE', id: '0' } as const;
    must(await grantPolicy(lists.iam, await lists.call(all), { policyId, subject, scope }));
    expect(await listed(inside)).toEqual([mia, 'all-users', ned, 3]);
    expect(await listed(await lists.token(mia, { workspace: '0' }))).toEqual([mia, 1]);
  });
});
