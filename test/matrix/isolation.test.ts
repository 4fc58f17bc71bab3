/**
 * Nothing of one side is seen from the other: two accounts and two workspaces filled with marked data, and every field
 * of the schema asked, nested, from the other side, with the strongest rights there are. A mark that appears anywhere in
 * an answer — data, error, cursor — fails.
 */
import { getNamedType } from 'graphql';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeNodeId, nodeKinds, type NodeKind } from '../../src/graphql/index.js';
import type { Kind } from '../../src/iam/index.js';
import { exchange, post, type Answer } from '../kit/exchange.js';
import { databaseNames, startHouse, testSchema, type Person, type TestHouse } from '../kit/house.js';
import { listen } from '../kit/listening.js';
import { setScene } from '../kit/scene.js';
import { sign, type Key } from '../kit/signing.js';
import { rootFields } from './fields.js';
import { fixtures } from './fixtures.js';
import { selections } from './documents.js';

const schema = testSchema();

interface Side {
  readonly person: Person;
  readonly account: string;
  readonly accountId: string;
  /** Plain ids by workspace mark: `one`, `two` (INTERNAL), `three` (PRIVATE). */
  readonly workspaces: Readonly<Record<string, string>>;
  /** Who may do everything everywhere by a grant, is no administrator, and is on the list of workspace `one`. */
  readonly plain: Person;
  /** Key of a service that may do everything everywhere. */
  readonly key: Key;
}

/**
 * Marks: `zzAlpha` stands on everything of account A, `zzAlpha-one` on what belongs to its first workspace alone: users on its
 * list, groups, policies, agencies and services with a grant there, its resources and tags.
 */
async function fill(house: TestHouse, person: Person, mark: string): Promise<Side> {
  const scene = await setScene(house, person);
  const account = await house.iam.store.access.accountByName(person.account);
  if (account === null) throw new Error('the account is gone');
  const make = async (token: string, mutation: string, object: string, input: object): Promise<string> => {
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
    const query = `mutation Make($input: ${type}!) { made: ${mutation}(input: $input) { ${object} { id } userErrors { code message path } } }`;
    const { made } = await house.gql<{ made: Record<string, { id: string }> }>(token, query, { input });
    const text = Buffer.from(made[object]?.id ?? '', 'base64url').toString();
    return text.slice(text.indexOf(':') + 1);
  };
  const everything = await scene.policy('everything', ['*:*:*']);
  const plain = await scene.user('plain');
  await scene.grant(everything, { user: plain.id });
  const made = await house.gql<{ createService: { service: { id: string } } & Key }>(
    scene.token,
    'mutation { createService(input: { name: "reader" }) { service { id } accessKeyId secretAccessKey userErrors { message } } }',
  );
  const { service: reader, ...key } = made.createService;
  await scene.grant(everything, { service: reader.id });
  const workspaces: Record<string, string> = {};
  for (const place of ['one', 'two', 'three']) {
    const at = `${mark}-${place}`;
    const project = await make(scene.token, 'createEnterpriseProject', 'enterpriseProject', { name: `${at}-project` });
    const user = await scene.user(`${at}-user`);
    const id = await make(scene.token, 'createWorkspace', 'workspace', {
      name: `${at}-workspace`,
      description: `${at}-about`,
      visibility: place === 'three' ? 'PRIVATE' : 'INTERNAL',
      memberIds: place === 'one' ? [user.id, plain.id] : [user.id],
      enterpriseProjectId: project,
    });
    workspaces[place] = id;
    const scope = { workspace: id };
    const policy = await scene.policy(`${at}-policy`, ['modelarts:notebook:list']);
    const group = await scene.group(`${at}-group`, [user]);
    await scene.grant(policy, { group }, scope);
    await scene.grant(policy, { user: user.id }, scope);
    // What services register is the account's catalogue, known in every workspace; so it bears the account's mark only.
    const service = await make(scene.token, 'createService', 'service', {
      name: `${mark.toLowerCase()}-svc-${place}`,
      actions: [
        { name: `${mark.toLowerCase()}-svc-${place}:thing:get`, accessLevel: 'READ', description: `${mark} acts` },
      ],
    });
    await scene.grant(policy, { service }, scope);
    const agency = await make(scene.token, 'createAgency', 'agency', {
      name: `${at}-agency`,
      trust: { service: 'modelarts' },
      externalId: `${at}-external`,
    });
    await scene.grant(policy, { agency }, scope);
    await make(scene.token, 'authorizeAgency', 'authorization', { agencyId: agency, userId: user.id });
    const inside = await house.signIn(person, scope);
    await make(scene.token, 'createKeyPair', 'keyPair', { userId: user.id, name: `${at}-pair` });
    for (const n of [1, 2, 3]) {
      const resourceId = await make(inside, 'registerResource', 'resource', {
        urn: `modelarts::${account.id}:notebook:${at}-res-${n}`,
        name: `${at}-res-${n}`,
        // Nobody but root may enter the PRIVATE one.
        ownerId: place === 'three' ? null : user.id,
        tags: [{ key: `${at}-res-key`, value: `${at}-res-value` }],
      });
      await make(inside, 'configureRemoteAccess', 'resource', { resourceId, host: `${at}-res-host.example` });
    }
  }
  return { person, account: person.account, accountId: account.id, workspaces, plain, key };
}

/** Every document that asks one root field for everything; arguments of required kind come from the fixtures. */
function documents(): readonly { readonly at: string; readonly query: string }[] {
  return rootFields(schema)
    .filter(({ kind, field }) => kind === 'query' && field.args.every(({ type }) => !String(type).endsWith('!')))
    .flatMap(({ at, field }) =>
      selections(schema, getNamedType(field.type), 4).map((selection) => ({
        at,
        query: `{ ${field.name} ${selection} }`,
      })),
    );
}

/**
 * An answer without what the switcher is for: names of the workspaces that the caller may enter (rule 16). Whatever
 * hangs on them stays, and who is shown which is tested in workspace-switcher.test.ts.
 */
function withoutSwitcher(text: string): string {
  const answer = JSON.parse(text) as { data?: { viewer?: { workspaces?: { edges?: unknown[]; nodes?: unknown[] } } } };
  const { edges = [], nodes = [] } = answer.data?.viewer?.workspaces ?? {};
  const items = [...edges, ...edges.map((edge) => (edge as { node?: unknown } | null)?.node), ...nodes];
  for (const item of items) if (item != null) Object.assign(item, { name: '', description: '' });
  return JSON.stringify(answer);
}

describe.each(databaseNames)('isolation on %s', (database) => {
  let house: TestHouse;
  let a: Side;
  let b: Side;
  beforeAll(async () => {
    house = await startHouse({ database });
    a = await fill(house, house.root, 'zzAlpha');
    b = await fill(house, await house.addAccount('other'), 'zzBravo');
  });

  /** Asks as somebody, from somewhere. */
  type Ask = (query: string, variables?: object) => Promise<Answer>;

  async function expectNoMark(ask: Ask, marks: RegExp, query: string, variables: object = {}): Promise<string> {
    const answer = await ask(query, variables);
    const text = withoutSwitcher(answer.text);
    const shown = marks.exec(text);
    if (shown !== null) {
      const around = text.slice(Math.max(0, shown.index - 300), shown.index + 100);
      throw new Error(`a mark of the other side appears: …${around}…\nasked: ${query}`);
    }
    expect(answer.status).toBeLessThan(500);
    expect(
      answer.errors.filter(({ extensions }) => /INTERNAL|PARSE|VALIDATION|TOO_LARGE/.test(extensions.code)),
    ).toEqual([]);
    return answer.text;
  }

  const views = [
    { says: 'account B from account scope shows nothing of A', by: 'root', of: 'b', at: null, hides: /zzAlpha/i },
    { says: 'account B from its workspace shows nothing of A', by: 'root', of: 'b', at: 'one', hides: /zzAlpha/i },
    {
      says: 'account A from account scope shows no resource of its workspaces',
      by: 'root',
      of: 'a',
      at: null,
      hides: /-res-|zzBravo/i,
    },
    {
      says: 'workspace one shows root nothing of the others',
      by: 'root',
      of: 'a',
      at: 'one',
      hides: /zzAlpha-(two|three)|zzBravo/i,
    },
    {
      says: 'workspace two shows root nothing of the others',
      by: 'root',
      of: 'a',
      at: 'two',
      hides: /zzAlpha-(one|three)|zzBravo/i,
    },
    {
      says: 'account scope shows a user nothing of workspaces that are closed to them',
      by: 'plain',
      of: 'a',
      at: null,
      hides: /-(two|three)-(workspace|about)|-res-|zzBravo/i,
    },
    {
      says: 'workspace one shows a user who may do everything nothing of the others',
      by: 'plain',
      of: 'a',
      at: 'one',
      hides: /zzAlpha-(two|three)|zzBravo/i,
    },
    {
      says: 'account scope shows a service nothing of another account, nor resources',
      by: 'service',
      of: 'a',
      at: null,
      hides: /-res-|zzBravo/i,
    },
    {
      says: 'workspace three shows a service nothing of the others',
      by: 'service',
      of: 'a',
      at: 'three',
      hides: /zzAlpha-(one|two)|zzBravo/i,
    },
  ] as const;

  const tokens = new Map<string, string>();

  /** Of the root user of a side, or of who may do everything there; signing in costs a password each time. */
  async function tokenIn(side: Side, place: string, who: 'person' | 'plain' = 'person'): Promise<string> {
    const key = `${side.account} ${who} ${place}`;
    const token =
      tokens.get(key) ?? (await house.signIn(side[who], place === 'account' ? place : { workspace: place }));
    tokens.set(key, token);
    return token;
  }

  async function lookFrom(view: (typeof views)[number]): Promise<{ ask: Ask; side: Side }> {
    const side = view.of === 'a' ? a : b;
    const id = view.at === null ? null : (side.workspaces[view.at] ?? '');
    if (view.by === 'service') return { ask: signing(side, id), side };
    const token = await tokenIn(side, id ?? 'account', view.by === 'root' ? 'person' : 'plain');
    return { ask: (query, variables = {}) => post(house.url, token, { query, variables }), side };
  }

  function signing({ key, accountId }: Side, workspaceId: string | null): Ask {
    return (query, variables = {}) => {
      const body = JSON.stringify({ query, variables });
      const [name, id] = workspaceId === null ? ['x-domain-id', accountId] : ['x-workspace-id', workspaceId];
      const headers = { 'content-type': 'application/json', host: new URL(house.url).host, [name]: id };
      const signed = sign(key, { headers, body, at: house.iam.now() });
      // `exchange` names the host itself.
      const { host: _, ...others } = signed.headers;
      const sent = Object.entries({ ...others, authorization: signed.authorization }).flat();
      return exchange(house.url, { headers: sent, body });
    };
  }

  it.each(views)('every field: $says', async (view) => {
    const { ask } = await lookFrom(view);
    const all = documents();
    expect(all.length).toBeGreaterThan(15);
    let characters = 0;
    for (const { query } of all) characters += (await expectNoMark(ask, view.hides, query)).length;
    // The same documents do show one's own marks, or this test would see nothing at all.
    expect(characters).toBeGreaterThan(10_000);
  });

  it.each(views.filter(({ by }) => by !== 'service'))('every subscription: $says', async (view) => {
    const side = view.of === 'a' ? a : b;
    const at = view.at === null ? 'account' : (side.workspaces[view.at] ?? '');
    const token = await tokenIn(side, at, view.by === 'root' ? 'person' : 'plain');
    const account = await house.iam.store.access.account(side.accountId);
    const afterRevision = Math.max(0, (account?.revision ?? 0) - 300);
    const fields = rootFields(schema).filter(({ kind }) => kind === 'subscription');
    expect(fields.length).toBeGreaterThan(1);
    for (const { at: name, field } of fields) {
      const args = { ...fixtures[name]?.({} as never, ''), ...(name.endsWith('Recorded') ? { afterRevision } : {}) };
      const given = field.args.filter((arg) => arg.name in args);
      const head = given.map((arg) => `$${arg.name}: ${String(arg.type)}`).join(', ');
      const pass = given.map((arg) => `${arg.name}: $${arg.name}`).join(', ');
      for (const selection of selections(schema, getNamedType(field.type), 4)) {
        const query = `subscription Heard(${head}) { ${field.name}(${pass}) ${selection} }`;
        const stream = await listen(house, token, query, args);
        let text = '';
        if (name.endsWith('Recorded')) {
          for (const one of [a, b]) {
            for (const place of ['account', ...Object.values(one.workspaces)]) {
              await house.gql(
                await tokenIn(one, place),
                'mutation { refreshToken(input: {}) { userErrors { code message path } } }',
              );
            }
          }
          const { length } = await eventsAfter(token, afterRevision);
          for (let n = 0; n < length; n += 1) text += JSON.stringify(await stream.next());
        } else {
          text = JSON.stringify(await stream.next());
        }
        await stream.stop();
        expect(text).not.toMatch(view.hides);
        expect(text).not.toContain('INTERNAL_SERVER_ERROR');
        expect(text).toContain(field.name);
      }
    }
  });

  /** Ids of the newest events that the place of a token shows, up to a revision. */
  async function eventsAfter(token: string, revision: number): Promise<readonly string[]> {
    const { auditEvents } = await house.gql<{ auditEvents: { nodes: { id: string; revision: number }[] } }>(
      token,
      '{ auditEvents(first: 100) { nodes { id revision } } }',
    );
    return auditEvents.nodes.filter((event) => event.revision > revision).map(({ id }) => id);
  }

  const queries = schema.getQueryType()?.getFields() ?? {};

  it.each(views)('by node id, and by plain id: $says', async (view) => {
    const { ask, side } = await lookFrom(view);
    const other = side === a ? b : a;
    const reader = (s: Side, workspaceId: string | null) =>
      house.iam.store.reader({ accountId: s.accountId, workspaceId });
    const paged: readonly Kind[] = [
      'user',
      'group',
      'policy',
      'grant',
      'workspace',
      'enterpriseProject',
      'service',
      'resource',
      'agency',
      'authorization',
      'keyPair',
    ];
    const foreign = [
      ...Object.values(other.workspaces).map((id) => [other, id] as const),
      ...(view.at === null
        ? Object.values(side.workspaces).map((id) => [side, id] as const)
        : Object.entries(side.workspaces).flatMap(([name, id]) => (name === view.at ? [] : [[side, id] as const]))),
    ];
    let asked = 0;
    for (const [nodeKind, kind] of Object.entries(nodeKinds) as [NodeKind, Kind][]) {
      if (!paged.includes(kind)) continue;
      for (const [owner, workspaceId] of foreign) {
        const window = {
          order: { by: 'CREATED_AT', direction: 'ASC' },
          limit: 100,
          backward: false,
          after: null,
          before: null,
        };
        const page = await reader(owner, workspaceId).page(kind as 'user', {}, window as never);
        // What is the program's own, such as system policies, is nobody's secret.
        const rows = page.rows.map(({ record }) => record).filter((record) => /zz/i.test(JSON.stringify(record)));
        const [first] = rows;
        if (first === undefined) continue;
        const [selection] = selections(schema, schema.getType('Node') as never, 1);
        const ids = rows.map(({ id }) => encodeNodeId(nodeKind, id));
        await expectNoMark(ask, view.hides, `query Nodes($ids: [ID!]!) { nodes(ids: $ids) ${selection} }`, { ids });
        asked += ids.length;
        await expectNoMark(ask, view.hides, `query Node($id: ID!) { node(id: $id) ${selection} }`, { id: ids[0] });
        const field = nodeKind.charAt(0).toLowerCase() + nodeKind.slice(1);
        if (!Object.hasOwn(queries, field)) continue;
        const [own] = selections(schema, getNamedType(queries[field]?.type) as never, 1);
        await expectNoMark(ask, view.hides, `query One($id: ID!) { ${field}(id: $id) ${own} }`, { id: first.id });
      }
    }
    expect(asked).toBeGreaterThan(20);
  });

  it('by count: what is counted is what can be walked', async () => {
    for (const view of views) {
      const { ask } = await lookFrom(view);
      for (const list of ['users', 'groups', 'policies', 'grants', 'agencies', 'auditEvents', 'resources']) {
        const query = `query Page($after: String) { list: ${list}(first: 100, after: $after) { totalCount edges { cursor } pageInfo { hasNextPage endCursor } } }`;
        let after: string | null = null;
        let walked = 0;
        let total: number | null = null;
        for (;;) {
          const answer: Answer = await ask(query, { after });
          const page = (
            answer.data as {
              list: null | {
                totalCount: number | null;
                edges: unknown[];
                pageInfo: { hasNextPage: boolean; endCursor: string };
              };
            } | null
          )?.list;
          if (page == null) break;
          walked += page.edges.length;
          total = page.totalCount;
          if (!page.pageInfo.hasNextPage) break;
          after = page.pageInfo.endCursor;
        }
        if (total !== null) expect({ list, view: view.says, total }).toEqual({ list, view: view.says, total: walked });
      }
    }
  });

  it('by cursor: a place in the other side’s list leads nowhere', async () => {
    for (const view of views) {
      const { ask, side } = await lookFrom(view);
      const other = side === a ? b : a;
      const foreign = await tokenIn(other, other.workspaces['one'] ?? '');
      for (const list of ['users', 'groups', 'policies', 'resources', 'agencies']) {
        const query = `{ list: ${list}(first: 1) { edges { cursor } } }`;
        const { data } = await post(house.url, foreign, { query });
        const cursor = (data as { list: { edges: { cursor: string }[] } | null }).list?.edges[0]?.cursor;
        if (cursor === undefined) continue;
        const after = `query After($cursor: String) { list: ${list}(after: $cursor) { edges { node { __typename id name } } } }`;
        await expectNoMark(ask, view.hides, after, { cursor });
      }
    }
  });

  it('by error text: mutations pointed at the other side say nothing about it', async () => {
    const token = await tokenIn(b, 'account');
    const ids = await house.iam.store
      .reader({ accountId: a.accountId, workspaceId: null })
      .page(
        'group',
        {},
        { order: { by: 'NAME', direction: 'ASC' }, limit: 10, backward: false, after: null, before: null },
      );
    const target = ids.rows.find(({ record }) => /zzAlpha/.test(record.name))?.record.id ?? '';
    const before = (await house.iam.store.access.account(a.accountId))?.revision;
    const world = new Proxy(
      {},
      {
        get: (_t, name) => (name === 'fresh' ? (prefix: string) => `${prefix}-${Math.random()}`.slice(0, 30) : target),
      },
    );
    for (const field of rootFields(schema)) {
      if (field.kind !== 'mutation' || field.rule.kind === 'public' || /sign|Session|Mode/.test(field.field.name))
        continue;
      const args = JSON.parse(
        JSON.stringify(fixtures[field.at]?.(world as never, '') ?? {}).replaceAll('f'.repeat(32), target),
      ) as object;
      const type = field.field.args.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ');
      const pass = field.field.args.map(({ name }) => `${name}: $${name}`).join(', ');
      const query = `mutation M(${type}) { ${field.field.name}(${pass}) { userErrors { __typename code message path reference } } }`;
      await expectNoMark(
        (asked, variables) => post(house.url, token, { query: asked, variables }),
        /zzAlpha/i,
        query,
        args,
      );
    }
    expect((await house.iam.store.access.account(a.accountId))?.revision).toBe(before);
  });
});
