/**
 * Nothing of one side is seen from the other: two accounts and two workspaces filled with marked data, and every field
 * of the schema asked, nested, from the other side, with the strongest rights there are. A mark that appears anywhere in
 * an answer — data, error, cursor — fails.
 */
import { getNamedType } from 'graphql';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeNodeId, nodeKinds, type NodeKind } from '../../src/graphql/index.js';
import type { Kind } from '../../src/iam/index.js';
import { post } from '../kit/exchange.js';
import { databaseNames, startHouse, testSchema, type Person, type TestHouse } from '../kit/house.js';
import { setScene } from '../kit/scene.js';
import { rootFields } from './fields.js';
import { fixtures } from './fixtures.js';
import { selections } from './documents.js';

const schema = testSchema();

interface Side {
  readonly person: Person;
  readonly account: string;
  readonly accountId: string;
  /** Plain ids by workspace mark: `one`, `two`. */
  readonly workspaces: Readonly<Record<string, string>>;
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
  const workspaces: Record<string, string> = {};
  for (const place of ['one', 'two']) {
    const at = `${mark}-${place}`;
    const project = await make(scene.token, 'createEnterpriseProject', 'enterpriseProject', { name: `${at}-project` });
    const user = await scene.user(`${at}-user`);
    const id = await make(scene.token, 'createWorkspace', 'workspace', {
      name: `${at}-workspace`,
      description: `${at}-about`,
      visibility: 'INTERNAL',
      memberIds: [user.id],
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
    for (const n of [1, 2, 3]) {
      await make(inside, 'registerResource', 'resource', {
        urn: `modelarts::${account.id}:notebook:${at}-res-${n}`,
        name: `${at}-res-${n}`,
        ownerId: user.id,
        tags: [{ key: `${at}-res-key`, value: `${at}-res-value` }],
      });
    }
  }
  return { person, account: person.account, accountId: account.id, workspaces };
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

describe.each(databaseNames)('isolation on %s', (database) => {
  let house: TestHouse;
  let a: Side;
  let b: Side;
  beforeAll(async () => {
    house = await startHouse({ database });
    a = await fill(house, house.root, 'zzAlpha');
    b = await fill(house, await house.addAccount('other'), 'zzBravo');
  });

  async function expectNoMark(token: string, marks: RegExp, query: string, variables: object = {}): Promise<string> {
    const answer = await post(house.url, token, { query, variables });
    const shown = marks.exec(answer.text);
    if (shown !== null) {
      const around = answer.text.slice(Math.max(0, shown.index - 300), shown.index + 100);
      throw new Error(`a mark of the other side appears: …${around}…\nasked: ${query}`);
    }
    expect(answer.status).toBeLessThan(500);
    expect(
      answer.errors.filter(({ extensions }) => /INTERNAL|PARSE|VALIDATION|TOO_LARGE/.test(extensions.code)),
    ).toEqual([]);
    return answer.text;
  }

  const views = [
    { says: 'account B from account scope shows nothing of A', of: 'b', at: null, hides: /zzAlpha/i },
    { says: 'account B from its workspace shows nothing of A', of: 'b', at: 'one', hides: /zzAlpha/i },
    {
      says: 'account A from account scope shows no resource of its workspaces',
      of: 'a',
      at: null,
      hides: /-res-|zzBravo/i,
    },
    { says: 'workspace one shows nothing of workspace two', of: 'a', at: 'one', hides: /zzAlpha-two|zzBravo/i },
    { says: 'workspace two shows nothing of workspace one', of: 'a', at: 'two', hides: /zzAlpha-one|zzBravo/i },
  ] as const;

  async function tokenOf(view: (typeof views)[number]): Promise<{ token: string; side: Side }> {
    const side = view.of === 'a' ? a : b;
    const scope = view.at === null ? ('account' as const) : { workspace: side.workspaces[view.at] ?? '' };
    return { token: await house.signIn(side.person, scope), side };
  }

  it.each(views)('every field: $says', async (view) => {
    const { token } = await tokenOf(view);
    const all = documents();
    expect(all.length).toBeGreaterThan(15);
    let characters = 0;
    for (const { query } of all) characters += (await expectNoMark(token, view.hides, query)).length;
    // The same documents do show one's own marks, or this test would see nothing at all.
    expect(characters).toBeGreaterThan(10_000);
  });

  it.each(views)('by node id: $says', async (view) => {
    const { token, side } = await tokenOf(view);
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
        for (const { record } of page.rows) {
          const query = `query Node($id: ID!) { node(id: $id) ${selections(schema, schema.getType('Node') as never, 1)[0]} }`;
          await expectNoMark(token, view.hides, query, { id: encodeNodeId(nodeKind, record.id) });
          asked += 1;
        }
      }
    }
    expect(asked).toBeGreaterThan(20);
  });

  it('by count: what is counted is what can be walked', async () => {
    for (const view of views) {
      const { token } = await tokenOf(view);
      for (const list of ['users', 'groups', 'policies', 'grants', 'agencies', 'auditEvents', 'resources']) {
        const query = `query Page($after: String) { list: ${list}(first: 100, after: $after) { totalCount edges { cursor } pageInfo { hasNextPage endCursor } } }`;
        let after: string | null = null;
        let walked = 0;
        let total: number | null = null;
        for (;;) {
          const answer = await post(house.url, token, { query, variables: { after } });
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
      const { token, side } = await tokenOf(view);
      const other = side === a ? b : a;
      const foreign = await house.signIn(other.person, { workspace: other.workspaces['one'] ?? '' });
      for (const list of ['users', 'groups', 'policies', 'resources', 'agencies']) {
        const query = `{ list: ${list}(first: 1) { edges { cursor } } }`;
        const { data } = await post(house.url, foreign, { query });
        const cursor = (data as { list: { edges: { cursor: string }[] } | null }).list?.edges[0]?.cursor;
        if (cursor === undefined) continue;
        const after = `query After($cursor: String) { list: ${list}(after: $cursor) { edges { node { __typename id name } } } }`;
        await expectNoMark(token, view.hides, after, { cursor });
      }
    }
  });

  it('by error text: mutations pointed at the other side say nothing about it', async () => {
    const token = await house.signIn(b.person, 'account');
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
      await expectNoMark(token, /zzAlpha/i, query, args);
    }
    expect((await house.iam.store.access.account(a.accountId))?.revision).toBe(before);
  });
});
