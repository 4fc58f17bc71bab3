/** `whoCan` and `whatCan` through the API: pages both ways, three verdicts, and nothing beyond what the asker may see. */
import { beforeAll, describe, expect, it } from 'vitest';
import { databaseNames, startHouse, type Person, type TestHouse } from '../kit/house.js';
import { errorsOf } from '../kit/exchange.js';
import { setScene, type Scene } from '../kit/scene.js';

const verdict = 'verdict exact conditionKeys dependsOnResource condition statements { policy effect }';
const page = 'pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount';
const who = `query Who($action: String!, $resource: String, $workspaceId: ID, $context: [ContextEntryInput!], $filter: PrincipalAccessFilter, $first: Int, $after: String, $last: Int, $before: String) {
  list: whoCan(action: $action, resource: $resource, workspaceId: $workspaceId, context: $context, filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    edges { cursor } nodes { actor { kind name } ${verdict} } ${page}
  }
}`;
const what = `query What($principal: PrincipalInput, $resource: String, $workspaceId: ID, $context: [ContextEntryInput!], $filter: ActionAccessFilter, $first: Int, $after: String, $last: Int, $before: String) {
  list: whatCan(principal: $principal, resource: $resource, workspaceId: $workspaceId, context: $context, filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    edges { cursor } nodes { action ${verdict} } ${page}
  }
}`;

interface Listed {
  readonly action?: string;
  readonly actor?: { readonly kind: string; readonly name: string };
  readonly verdict: 'YES' | 'IF' | 'NO';
  readonly exact: boolean;
  readonly conditionKeys: readonly string[];
  readonly dependsOnResource: boolean;
  readonly condition: string | null;
  readonly statements: readonly { readonly policy: string; readonly effect: string }[] | null;
}

interface List {
  readonly edges: readonly { readonly cursor: string }[];
  readonly nodes: readonly Listed[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
  readonly totalCount: number | null;
}

const action = 'modelarts:notebook:delete';
const nameOf = ({ actor, action: named }: Listed): string => actor?.name ?? named ?? '';

describe.each(databaseNames)('lists of access on %s', (database) => {
  let house: TestHouse;
  let scene: Scene;
  let ann: Person;
  let lister: Person;
  let one: string;
  let two: string;

  beforeAll(async () => {
    house = await startHouse({ database });
    scene = await setScene(house);
    one = await scene.workspace('workspace-one');
    two = await scene.workspace('workspace-two', { visibility: 'INTERNAL' });
    const strict = 'mutation { setAuthorizationMode(input: { mode: STRICT }) { userErrors { code } } }';
    await house.gql(scene.token, strict);
    ann = await scene.user('ann');
    const [bob, cy, dan, eve] = [
      await scene.user('bob'),
      await scene.user('cy'),
      await scene.user('dan'),
      await scene.user('eve'),
    ];
    const team = await scene.group('team', [bob, cy]);
    const open = {
      Effect: 'Allow',
      Action: [action],
      Condition: { StringEquals: { 'modelarts:poolType': ['shared'] } },
    };
    await scene.grant(await scene.policy('plain', [action, 'modelarts:notebook:get']), { user: ann.id });
    await scene.grant(await scene.policy('pooled', [open]), { group: team });
    await scene.grant(await scene.policy('never', [{ Effect: 'Deny', Action: ['modelarts:*:*'] }]), { user: cy.id });
    await scene.grant(await scene.policy('there', [action]), { user: dan.id }, { workspace: two });
    const some = { Effect: 'Allow', Action: [action], Resource: ['modelarts:*:*:notebook:a*'] };
    await scene.grant(await scene.policy('some', [some]), { user: eve.id });
    lister = await scene.user('lister');
    await scene.grant(await scene.policy('listing', ['bailiwick:access:enumerate']), { user: lister.id });
  });

  const ask = async (query: string, variables: object, token = scene.token): Promise<List> =>
    (await house.gql<{ list: List }>(token, query, variables)).list;

  it('whoCan lists who can and who may, and nobody who cannot', async () => {
    const { nodes, totalCount } = await ask(who, { action, workspaceId: one });
    expect(nodes.map((row) => [nameOf(row), row.verdict, row.conditionKeys])).toEqual([
      ['admin', 'YES', []],
      ['ann', 'YES', []],
      ['bob', 'IF', ['modelarts:pooltype']],
    ]);
    expect(nodes[2]).toMatchObject({
      exact: true,
      condition: 'modelarts:poolType StringEquals ["shared"]',
      statements: [{ policy: 'pooled', effect: 'ALLOW' }],
    });
    expect(nodes[0]).toMatchObject({ condition: 'always', statements: [] });
    expect(totalCount).toBeNull();
  });

  it('whoCan says YES or nothing once the key is known', async () => {
    const said = (value: string) => ({
      action,
      workspaceId: one,
      context: [{ key: 'modelarts:poolType', values: [value] }],
    });
    const names = async (value: string) =>
      (await ask(who, said(value))).nodes.map((row) => `${nameOf(row)} ${row.verdict}`);
    expect(await names('shared')).toEqual(['admin YES', 'ann YES', 'bob YES']);
    expect(await names('own')).toEqual(['admin YES', 'ann YES']);
  });

  it('whoCan keeps to its filter', async () => {
    const names = async (filter: object) => (await ask(who, { action, workspaceId: one, filter })).nodes.map(nameOf);
    expect(await names({ verdicts: ['IF'] })).toEqual(['bob']);
    expect(await names({ verdicts: ['NO'] })).toEqual([]);
    expect(await names({ nameContains: 'N' })).toEqual(['admin', 'ann']);
    expect(await names({ kind: 'AGENCY' })).toEqual([]);
  });

  it.each([
    ['whoCan', who, { action, filter: { kind: 'USER' } }],
    ['whatCan', what, { filter: { service: 'modelarts', verdicts: ['YES', 'NO'] } }],
  ] as const)('%s shows the same in pages forward and back', async (_, query, asked) => {
    const variables =
      'action' in asked ? { ...asked, workspaceId: one } : { ...asked, principal: { user: ann.id }, workspaceId: one };
    const size = 'action' in asked ? 1 : 40;
    const forward: string[] = [];
    for (let after: string | null = null, more = true; more;) {
      const { nodes, pageInfo }: List = await ask(query, { ...variables, first: size, after });
      expect(nodes.length).toBeLessThanOrEqual(size);
      expect(pageInfo.hasPreviousPage).toBe(after !== null);
      forward.push(...nodes.map(nameOf));
      after = pageInfo.endCursor;
      more = pageInfo.hasNextPage;
    }
    const backward: string[] = [];
    for (let before: string | null = null, more = true; more;) {
      const { nodes, pageInfo }: List = await ask(query, { ...variables, last: size, before });
      expect(pageInfo.hasNextPage).toBe(before !== null);
      backward.unshift(...nodes.map(nameOf));
      before = pageInfo.startCursor;
      more = pageInfo.hasPreviousPage;
    }
    expect(forward.length).toBeGreaterThan(2 * size);
    expect(forward).toEqual(backward);
    expect(new Set(forward).size).toBe(forward.length);
  });

  it('a cursor goes on with its own list and no other', async () => {
    const { edges } = await ask(who, { action, workspaceId: one, first: 1 });
    const after = edges[0]?.cursor;
    expect((await ask(who, { action, workspaceId: one, first: 1, after })).nodes.map(nameOf)).toEqual(['ann']);
    for (const other of [
      { action: 'modelarts:notebook:get', workspaceId: one },
      { action, workspaceId: two },
    ]) {
      const answer = await house.ask(scene.token, who, { ...other, after });
      expect(errorsOf(answer)).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    }
  });

  it('whatCan lists what somebody can do, in three verdicts', async () => {
    const filter = { resourceKind: 'modelarts:notebook', verdicts: ['YES', 'IF', 'NO'] };
    const of = async (name: string, more: object = {}) => {
      const list = await ask(what, { principal: { user: name }, workspaceId: one, filter, first: 100, ...more });
      return list.nodes.find((row) => row.action === action);
    };
    expect(await of(ann.id)).toMatchObject({ verdict: 'YES', dependsOnResource: false, conditionKeys: [] });
    expect(await of(lister.id)).toMatchObject({ verdict: 'NO', condition: 'never' });
    const users = await house.gql<{ users: { nodes: { id: string; name: string }[] } }>(
      scene.token,
      '{ users { nodes { id name } } }',
    );
    const eve = users.users.nodes.find(({ name }) => name === 'eve')?.id ?? '';
    expect(await of(eve)).toMatchObject({
      verdict: 'IF',
      dependsOnResource: true,
      condition: 'the resource fits `modelarts:*:*:notebook:a*`',
    });
    const accounts = await house.gql<{ viewer: { account: { id: string } } }>(
      scene.token,
      '{ viewer { account { id } } }',
    );
    const about = (id: string) => ({ resource: `modelarts::${accounts.viewer.account.id}:notebook:${id}` });
    expect(await of(eve, about('alpha'))).toMatchObject({ verdict: 'YES', dependsOnResource: false });
    expect(await of(eve, about('beta'))).toMatchObject({ verdict: 'NO' });
  });

  it('nothing inside a workspace is told of another, nor of who is not visible there', async () => {
    const inside = await house.signIn(house.root, { workspace: one });
    expect((await ask(who, { action }, inside)).nodes.map(nameOf)).toEqual(['admin', 'ann', 'bob']);
    expect((await ask(who, { action, workspaceId: two }, inside)).nodes).toEqual([]);
    expect((await ask(what, { principal: { user: ann.id }, workspaceId: two }, inside)).nodes).toEqual([]);
    // Granted there, but on no list of those who may enter.
    expect((await ask(who, { action, workspaceId: two })).nodes.map(nameOf)).toEqual(['admin']);
  });

  it('without `bailiwick:access:explain` neither statements nor what is left of them are shown', async () => {
    const { nodes } = await ask(who, { action }, await house.signIn(lister, { workspace: one }));
    expect(nodes.map((row) => [nameOf(row), row.verdict, row.condition, row.statements])).toEqual([
      ['admin', 'YES', null, null],
      ['ann', 'YES', null, null],
      ['bob', 'IF', null, null],
    ]);
  });

  it('are refused without `bailiwick:access:enumerate`, and about others without `bailiwick:access:check`', async () => {
    const stranger = await house.signIn(ann, { workspace: one });
    const forbidden = [{ extensions: { code: 'FORBIDDEN' } }];
    expect(errorsOf(await house.ask(stranger, who, { action }))).toMatchObject(forbidden);
    expect(errorsOf(await house.ask(stranger, what, {}))).toMatchObject(forbidden);
    const listing = await house.signIn(lister, { workspace: one });
    expect(errorsOf(await house.ask(listing, what, { principal: { user: ann.id } }))).toMatchObject(forbidden);
    const own = (await ask(what, { filter: { service: 'bailiwick' } }, listing)).nodes;
    expect(own.map(nameOf)).toContain('bailiwick:access:enumerate');
  });

  it('refuse what is out of range, and cost what they may look at', async () => {
    const bad = [{ extensions: { code: 'BAD_USER_INPUT' } }];
    expect(errorsOf(await house.ask(scene.token, who, { action, first: 101 }))).toMatchObject(bad);
    expect(errorsOf(await house.ask(scene.token, who, { action, first: 1, last: 1 }))).toMatchObject(bad);
    const cost = async (list: string) =>
      (
        await house.gql<{ rateLimit: { cost: number } }>(
          scene.token,
          `{ ${list} { pageInfo { hasNextPage } } rateLimit { cost } }`,
        )
      ).rateLimit.cost;
    expect(await cost('whatCan(first: 1)')).toBeGreaterThanOrEqual(5000);
    expect(await cost(`whoCan(action: "${action}", first: 1)`)).toBeGreaterThanOrEqual(20_000);
  });
});
