/**
 * Lists of resources against looking at every row: for generated policies of users, services and sessions of agencies, in
 * every order, paged both ways. And what is one's own, as a table of sentences.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Catalogue } from '../../src/catalogue/index.js';
import {
  Call,
  listResources,
  maySeeResource,
  type Delegation,
  type Filters,
  type Orders,
  type Position,
  type Principal,
  type Resource,
  type Rights,
  type RightsSource,
  type Row,
  type Window,
} from '../../src/iam/index.js';
import { parsePolicy, type Condition, type Statement } from '../../src/policy/index.js';
import { documentOf } from '../policy/arbitraries.js';
import { seed } from '../policy/seed.js';
import { databases, type TestDatabase } from '../store/databases.js';
import { Scene } from './scene.js';

const { sqlite, postgres } = databases();
afterAll(async () => {
  await sqlite.stop();
  await postgres.stop();
});

const kinds = ['modelarts:notebook', 'modelarts:trainJob', 'modelarts:dataset', 'labs:thing', 'labs:odd', 'labs:bare'];

/** A service of the account: one kind with both ways of listing, one without `list`, one with nothing but `create`. */
function withLabs(catalogue: Catalogue): Catalogue {
  const names = ['thing:create', 'thing:list', 'thing:get', 'thing:listAllThings', 'odd:create', 'odd:listAllodd', 'bare:create']; // prettier-ignore
  return catalogue.with(
    names.map((name) => ({ name: `labs:${name}`, service: 'labs', accessLevel: 'LIST' as const, description: name })),
  );
}

const origin: RightsSource['origin'] = {
  kind: 'GRANT',
  policyId: 'p',
  policyVersion: 1,
  grantId: 'g',
  scopeKind: 'ALL',
  scopeId: '',
  expiresAt: null,
  group: null,
  authorizationMode: false,
};
const forOthers = (onBehalfOf: Delegation['onBehalfOf']): Delegation => ({
  sessionId: 's',
  sessionName: 's',
  assumedBy: { kind: 'SERVICE', id: 'training', name: 'training', accountId: 'a' },
  onBehalfOf,
});
const principals: readonly Principal[] = [
  { kind: 'USER', id: 'ann', name: 'ann', mfaAt: null },
  { kind: 'USER', id: 'bob', name: 'a*', mfaAt: 1 },
  { kind: 'ROOT', id: 'root', name: 'root', mfaAt: null },
  { kind: 'SERVICE', id: 'training', name: 'training', mfaAt: null },
  { kind: 'AGENCY', id: 'agency', name: 'agency', mfaAt: null, delegation: forOthers(null) },
  { kind: 'AGENCY', id: 'agency', name: 'agency', mfaAt: null, delegation: forOthers({ id: 'ann', name: 'ann' }) },
];

const texts = ['a', 'A', 'a%', '_', '[a]', "o'b", '"x"', 'é', 'É', '😀', 'prod', '5'] as const;
const tagKeys = ['team', 'Team', 'stage', 'k\'"%'] as const;
const regions = ['', 'cn', 'CN', '*', 'a%'] as const;
const row = fc.record({
  kind: fc.constantFrom(...kinds),
  region: fc.constantFrom(...regions),
  path: fc.tuple(fc.constantFrom(...texts, 'a:b', 'team-a/x'), fc.constantFrom('', '/', ':', '*')).map((parts) => parts.join('')), // prettier-ignore
  name: fc.constantFrom('', 'a', 'b', 'ab', 'é'),
  ownerId: fc.constantFrom(null, 'ann', 'bob', 'agency', 'training'),
  registeredBy: fc.constantFrom('ann', 'training', 'agency', 'root'),
  createdAt: fc.nat(20),
  updatedAt: fc.nat(3),
  tags: fc.array(fc.record({ key: fc.constantFrom(...tagKeys), value: fc.constantFrom('', ...texts) }), { maxLength: 3 }),
}); // prettier-ignore

const actions = fc.constantFrom('*', 'modelarts:*:*', 'labs:*:*', '*:*:list*', '*:*:get', 'modelarts:notebook:list', 'modelarts:notebook:listAllNotebooks', 'labs:thing:listAll*', 'labs:thing:list', 'labs:odd:*', 'labs:bare:get', 'modelarts:trainJob:list', 'bailiwick:resources:*', 'bailiwick:resources:get'); // prettier-ignore
const patterns = fc.constantFrom('*', 'modelarts:*:*:*:*', 'MODELARTS:*:*:notebook:*', '*:cn:*:*:*', '*:*:*:*:a*', '*:*:*:*:a%*', '*:*:*:*:*[a]*', '*:*:*:*:${g:UserName}*', '*:*:*:*:*:b', '*:*:*:*:?', ':::thing:', '*:*:*:*:${g:Nothing}', '*:*:*:*:team-a/*', '*:*:nobody:*:*'); // prettier-ignore
const condition: fc.Arbitrary<Condition> = fc.record({
  operator: fc.constantFrom('StringEquals', 'StringEquals', 'StringNotEquals', 'StringLike', 'StringNotLike', 'StringEqualsIfExists', 'ForAllValues:StringEquals', 'ForAnyValue:StringNotEquals', 'Null', 'StringEndWith', 'StringEqualsIgnoreCase', 'NumberEquals', 'NoSuchOperator'),
  key: fc.constantFrom('g:ResourceTag/team', 'g:resourcetag/TEAM', 'g:ResourceTag/stage', "g:ResourceTag/k'\"%", 'g:RequestedRegion', 'g:UserName', 'g:ResourceAccount'),
  values: fc.array(fc.constantFrom(...texts, 'true', 'a*', '*', '?', 'cn', '${g:UserName}'), { minLength: 1, maxLength: 6 }),
}); // prettier-ignore
const statement: fc.Arbitrary<Statement> = fc.record({
  index: fc.constant(0),
  sid: fc.constant(null),
  effect: fc.constantFrom('ALLOW', 'ALLOW', 'ALLOW', 'DENY'),
  actions: fc.array(actions, { minLength: 1, maxLength: 3 }),
  notActions: fc.constant(null),
  resources: fc.option(fc.array(patterns, { minLength: 1, maxLength: 2 }), { nil: null, freq: 1 }),
  notResources: fc.constant(null),
  conditions: fc.array(condition, { maxLength: 1 }),
});
const turned = fc
  .tuple(statement, fc.nat(6))
  .map(([one, n]) => (n === 0 ? { ...one, resources: null, notResources: one.resources } : one));
const source: fc.Arbitrary<RightsSource> = fc
  .record({
    statements: fc.array(turned, { minLength: 1, maxLength: 3 }),
    scopeKind: fc.constantFrom('ALL', 'ALL', 'ALL_WORKSPACES', 'WORKSPACE', 'ACCOUNT', 'ENTERPRISE_PROJECT'),
    scopeId: fc.constantFrom('0', '0', 'elsewhere'),
    expired: fc.nat(9),
    builtIn: fc.nat(5),
  })
  .map(({ statements, expired, builtIn, ...scope }) => ({
    name: 'generated',
    document: documentOf(statements),
    origin: { ...origin, ...scope, expiresAt: expired === 0 ? 1 : null, kind: builtIn === 0 ? 'BUILT_IN' : 'GRANT' },
  }));
const everything: RightsSource = {
  name: 'base',
  document: documentOf([{ index: 0, sid: null, effect: 'ALLOW', actions: ['bailiwick:resources:*'], notActions: null, resources: null, notResources: null, conditions: [] }]),
  origin,
}; // prettier-ignore
const rights: fc.Arbitrary<Rights> = fc
  .tuple(fc.nat(20), fc.array(source, { minLength: 1, maxLength: 4 }), fc.nat(4), fc.option(source, { freq: 2 }))
  .map(([who, sources, base, narrowed]) => {
    const principal = principals[who === 0 ? 2 : [0, 1, 3, 4, 5][who % 5]!] as Principal;
    const bounds = { policy: narrowed, workspaceId: null, expiresAt: Number.MAX_SAFE_INTEGER, agencyExpiresAt: null };
    return {
      principal,
      sources: base === 0 ? sources : [everything, ...sources],
      unreadable: [],
      ...(principal.kind === 'AGENCY' ? { bounds } : {}),
    };
  });

const orders = ['NAME', 'URN', 'CREATED_AT', 'UPDATED_AT'] as const;
const keyOf: Readonly<Record<Orders['resource'], (one: Resource) => string | number>> = {
  NAME: ({ name }) => name,
  URN: ({ urn }) => urn,
  CREATED_AT: ({ createdAt }) => createdAt,
  UPDATED_AT: ({ updatedAt }) => updatedAt,
};
const bytes = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other));
function inOrder(by: Orders['resource'], descending: boolean): (one: Resource, other: Resource) => number {
  return (one, other) => {
    const [a, b] = [keyOf[by](one), keyOf[by](other)];
    const order = typeof a === 'number' && typeof b === 'number' ? a - b : bytes(String(a), String(b));
    return (order === 0 ? bytes(one.id, other.id) : order) * (descending ? -1 : 1);
  };
}

/** The rule of lists once more, from the sentence of decision 65, by decisions on the row alone. */
function isListed(call: Call, one: Resource): boolean {
  const [service = '', type = ''] = one.kind.split(':');
  const actionOf = (operation: string): string | null =>
    [operation, operation + type, `${operation + type}s`].map((name) => `${service}:${type}:${name}`).find((name) => call.catalogue.find(name) !== undefined) ?? null; // prettier-ignore
  const ask = (operation: string) => {
    const spellings = [operation, operation + type, `${operation + type}s`].map((name) => `${service}:${type}:${name}`);
    const action = actionOf(operation) ?? `${service}:${type}:${operation}`;
    return call.decide({ action, spellings, onlyIfRegistered: true, resource: one.urn, tags: one.tags });
  };
  const { principal } = call;
  const behind = principal.kind === 'USER' || principal.kind === 'ROOT' ? principal.id : principal.delegation?.onBehalfOf?.id; // prettier-ignore
  const own = behind === undefined ? one.registeredBy === principal.id : one.ownerId === behind;
  const mayList = ask('list').effect === 'ALLOW';
  if (actionOf('listAll') === null) return actionOf('list') === null || mayList;
  const denied = ask('list').statements.some(({ effect }) => effect === 'DENY');
  return (actionOf('list') !== null && mayList && own) || (ask('listAll').effect === 'ALLOW' && !denied);
}

describe.each<TestDatabase>([sqlite, postgres])('lists of resources on $name', (database) => {
  let scene: Scene;
  let base: Call;
  let rows: readonly Resource[];
  let catalogue: Catalogue;

  beforeAll(async () => {
    scene = await Scene.open(await database.readyUrl());
    base = await scene.root('0');
    catalogue = withLabs(scene.iam.catalogue);
    const accountId = scene.account.id;
    const [made] = fc.sample(
      fc.uniqueArray(row, {
        minLength: 80,
        maxLength: 80,
        selector: ({ kind, region, path }) => [kind, region, path].join(' '),
      }),
      { seed, numRuns: 1 },
    );
    rows = (made ?? []).map(({ region, path, kind, ...values }, n) => {
      const urn = `${kind.replace(':', `:${region}:${accountId}:`)}:${path}`;
      return { ...values, id: `r${n}`, accountId, workspaceId: '0', urn, kind, parentId: null, version: 1 };
    });
    await scene.iam.store.transaction({ ...scene.origin('test'), workspaceId: '0' }, async (open) => {
      for (const one of rows) await open.insert('resource', one);
      return { commit: true, value: null };
    });
  });
  afterAll(() => scene.close());

  const callOf = (held: Rights): Call =>
    new Call({ ...base, catalogue, rights: held, user: null, administrator: false });

  it('are what looking at every row would give, in order, counted and paged both ways', async () => {
    const seen = { exact: 0, some: 0, open: 0 };
    const asked = fc.record({
      by: fc.constantFrom(...orders),
      direction: fc.constantFrom('ASC', 'DESC'),
      backward: fc.boolean(),
      sizes: fc.array(fc.integer({ min: 1, max: 25 }), { minLength: 1, maxLength: 6 }),
    });
    const filter: fc.Arbitrary<Filters['resource']> = fc.constantFrom({}, {}, { ownerId: 'ann' }, { nameContains: 'A' }, { kinds: ['ModelArts:Notebook', 'labs:odd', 'no:kind'] }); // prettier-ignore
    const shown = fc.asyncProperty(rights, asked, filter, async (held, { by, direction, backward, sizes }, only) => {
      const call = callOf(held);
      const expected = rows
        .filter((one) => maySeeResource(call, one) && isListed(call, one))
        .filter(({ ownerId }) => only.ownerId === undefined || ownerId === only.ownerId)
        .filter(({ name }) => only.nameContains === undefined || name.includes('a'))
        .filter(({ kind }) => only.kinds === undefined || ['modelarts:notebook', 'labs:odd'].includes(kind))
        .toSorted(inOrder(by, direction === 'DESC'))
        .map(({ id }) => id);
      const found: string[] = [];
      let bound: Position | null = null;
      let counted: number | null = null;
      for (let n = 0; ; n += 1) {
        const limit = sizes[n % sizes.length] ?? 1;
        const edges = backward ? { after: null, before: bound } : { after: bound, before: null };
        const window: Window<Orders['resource']> = { order: { by, direction }, limit, backward, ...edges };
        const { page, count } = await listResources(call, only, window);
        const ids = page.rows.map(({ record }) => record.id);
        if (backward) found.unshift(...ids);
        else found.push(...ids);
        const [follows, precedes] = backward ? [page.hasPrevious, page.hasNext] : [page.hasNext, page.hasPrevious];
        expect([follows, precedes]).toEqual([found.length < expected.length, n > 0 && expected.length > 0]);
        if (n === 0) counted = count === null ? null : await count();
        const edge: Row<Resource> | undefined = backward ? page.rows[0] : page.rows.at(-1);
        if (!follows || edge === undefined) break;
        bound = edge.position;
      }
      expect(found).toEqual(expected);
      if (counted !== null) expect(counted).toBe(expected.length);
      seen[counted === null ? 'open' : 'exact'] += 1;
      seen.some += Number(counted !== null && expected.length > 0 && expected.length < rows.length);
    });
    // The first half asks the same in every run: few lists stay open, and by chance there may be hardly any.
    await fc.assert(shown, { seed: 1, numRuns: 80 });
    expect(seen.open).toBeGreaterThan(3);
    await fc.assert(shown, { numRuns: 80 });
    process.stderr.write(`lists of resources on ${database.name}: ${JSON.stringify(seen)}\n`);
    expect(seen.some).toBeGreaterThan(20);
  });

  interface Sentence {
    readonly sentence: string;
    readonly as: string;
    readonly policies: readonly object[];
    readonly session?: object;
    readonly listed: readonly string[];
    readonly seen: readonly string[];
  }
  const table = JSON.parse(readFileSync(new URL('own-and-all.json', import.meta.url), 'utf8')) as readonly Sentence[];

  it.each(table)('$sentence', async ({ as, policies, session, listed, seen }) => {
    const sourceOf = (statements: object): RightsSource => {
      const { document, problems } = parsePolicy(JSON.stringify({ Version: '1.1', Statement: statements }), 'CUSTOM');
      if (document === null) throw new Error(JSON.stringify(problems));
      return { name: 'table', document, origin };
    };
    const principal = {
      'user ann': principals[0],
      root: principals[2],
      'service training': principals[3],
      'agency for nobody': principals[4],
      'agency for ann': principals[5],
    }[as];
    if (principal === undefined) throw new Error(`nobody is called ${as}`);
    const bounds = {
      policy: session === undefined ? null : sourceOf([session]),
      workspaceId: null,
      expiresAt: Number.MAX_SAFE_INTEGER,
      agencyExpiresAt: null,
    };
    const held = { principal, sources: [everything, sourceOf(policies)], unreadable: [], bounds };
    const store = scene.iam.store;
    const call = callOf(held);
    const place = { accountId: scene.account.id, workspaceId: 'shelf' };
    const shelf = new Call({ ...call, scope: place, reader: store.reader(place) });
    const order = { by: 'NAME', direction: 'ASC' } as const;
    const { page, count } = await listResources(shelf, {}, { order, limit: 50, backward: false, after: null, before: null }); // prettier-ignore
    expect(page.rows.map(({ record }) => record.name)).toEqual(listed);
    expect(await count?.()).toBe(listed.length);
    expect(shelved.filter((one) => maySeeResource(shelf, one)).map(({ name }) => name)).toEqual(seen);
  });

  const shelved: Resource[] = [];
  beforeAll(async () => {
    const accountId = scene.account.id;
    const place = { ...scene.origin('test'), workspaceId: 'shelf' };
    const put = (name: string, kind: string, ownerId: string | null, registeredBy: string, team: string) =>
      shelved.push({
        id: name,
        accountId,
        workspaceId: 'shelf',
        urn: `${kind.replace(':', `::${accountId}:`)}:${name}`,
        kind,
        name,
        ownerId,
        parentId: null,
        tags: [{ key: 'Team', value: team }],
        registeredBy,
        version: 1,
        createdAt: 1,
        updatedAt: 1,
      });
    put('job-of-bob', 'modelarts:trainJob', 'bob', 'training', 'speech');
    put('nb-of-ann', 'modelarts:notebook', 'ann', 'training', 'vision');
    put('nb-of-bob', 'modelarts:notebook', 'bob', 'ann', 'vision');
    put('nb-of-none', 'modelarts:notebook', null, 'agency', 'speech');
    put('odd-of-ann', 'labs:odd', 'ann', 'training', 'vision');
    put('thing-of-ann', 'labs:thing', 'ann', 'bob', 'speech');
    put('thing-of-bob', 'labs:thing', 'bob', 'agency', 'vision');
    await scene.iam.store.transaction(place, async (open) => {
      const here = (await open.get('workspace', '0'))!;
      await open.insert('workspace', { ...here, id: 'shelf', name: 'shelf' });
      for (const one of shelved) await open.insert('resource', one);
      return { commit: true, value: null };
    });
  });
});
