/** Switching as in a console: which workspaces there are to choose from, the one chosen last, all in one round trip. */
import { beforeAll, describe, expect, it } from 'vitest';
import { databaseNames, startHouse, type Person, type TestHouse } from '../kit/house.js';
import { setScene, type Scene } from '../kit/scene.js';

interface Switcher {
  readonly edges: readonly {
    readonly workspaceId: string;
    readonly name: string;
    readonly current: boolean;
    readonly lastUsedAt: string | null;
    readonly node: { readonly id: string } | null;
  }[];
  readonly totalCount: number;
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
}

const shown =
  '{ edges { workspaceId name current lastUsedAt node { id } } totalCount pageInfo { hasNextPage endCursor } }';
const signInMutation = `mutation ($input: SignInInput!) {
  signIn(input: $input) { token viewer { scope { kind } workspaces { edges { name current } } } userErrors { code } }
}`;
const switching = `mutation ($input: SwitchScopeInput!) {
  switchScope(input: $input) {
    token revision userErrors { code reference }
    viewer { permissions(actions: ["modelarts:notebook:create"]) { effect } workspaces ${shown} }
  }
}`;

describe.each(databaseNames)('switching workspaces on %s', (database) => {
  let house: TestHouse;
  let scene: Scene;
  let ann: Person;
  const ids: Record<string, string> = {};
  beforeAll(async () => {
    house = await startHouse({ database });
    scene = await setScene(house);
    ann = await scene.user('ann');
    ids['open'] = await scene.workspace('open-lab');
    ids['listed'] = await scene.workspace('listed-lab', { visibility: 'INTERNAL', memberIds: [ann.id] });
    ids['unlisted'] = await scene.workspace('unlisted-lab', { visibility: 'INTERNAL' });
    ids['closed'] = await scene.workspace('closed-lab', { visibility: 'PRIVATE' });
  });
  const workspacesOf = async (token: string, args = ''): Promise<Switcher> =>
    (await house.gql<{ viewer: { workspaces: Switcher } }>(token, `{ viewer { workspaces${args} ${shown} } }`)).viewer
      .workspaces;
  const signInWith = async (scope: object | null) => {
    const { account, name: userName, password } = ann;
    const input = { account, userName, password, scope };
    interface Answer {
      readonly signIn: { token: string; viewer: { workspaces: Switcher } };
    }
    const { signIn } = await house.gql<Answer>(null, signInMutation, { input });
    return {
      token: signIn.token,
      current: signIn.viewer.workspaces.edges.find(({ current }) => current)?.name ?? null,
    };
  };
  const switchTo = async (token: string, scope: object) => {
    interface Answer {
      readonly switchScope: {
        token: string;
        revision: number | null;
        viewer: { permissions: { effect: string }[]; workspaces: Switcher };
      };
    }
    return (await house.gql<Answer>(token, switching, { input: { scope } })).switchScope;
  };

  it('lists those that one may enter, from any of them and from the account, and no others', async () => {
    for (const scope of ['account', { workspace: '0' }, { workspace: ids['listed'] ?? '' }] as const) {
      const { edges, totalCount } = await workspacesOf(await house.signIn(ann, scope));
      expect(edges.map(({ name }) => name)).toEqual(['default', 'listed-lab', 'open-lab']);
      expect(totalCount).toBe(3);
      const current = scope === 'account' ? [] : [scope.workspace === '0' ? 'default' : 'listed-lab'];
      expect(edges.filter((edge) => edge.current).map(({ name }) => name)).toEqual(current);
      // In account scope Ann has no right to read workspaces: she is told what she needs to choose, and no more.
      if (scope === 'account') expect(edges.map(({ node }) => node)).toEqual([null, null, null]);
    }
    const all = await workspacesOf(scene.token);
    expect(all.edges.map(({ name }) => name)).toEqual([
      'closed-lab',
      'default',
      'listed-lab',
      'open-lab',
      'unlisted-lab',
    ]);
    expect(all.edges.map(({ node, workspaceId }) => node?.id === workspaceId)).toEqual(Array(5).fill(true));
  });

  it('does not offer one that is being deleted', async () => {
    const going = await scene.workspace('going-lab');
    const id = Buffer.from(going, 'base64url').toString().slice('Workspace:'.length);
    const root = await house.iam.store.access.accountByName(house.root.account);
    const origin = {
      accountId: root?.id ?? '',
      workspaceId: null,
      operation: 'deleteWorkspace',
      actorKind: 'ROOT',
      actorId: house.root.id,
      actorName: house.root.name,
      requestId: 'r',
      at: house.iam.now(),
    };
    const names = async () => (await workspacesOf(scene.token)).edges.map(({ name }) => name);
    expect(await names()).toContain('going-lab');
    await house.iam.store.transaction(origin, async (transaction) => {
      await transaction.update('workspace', id, { status: 'DELETING' });
      return { commit: true, value: undefined };
    });
    expect(await names()).not.toContain('going-lab');
  });

  it('pages through them, and finds them by name', async () => {
    const token = await house.signIn(ann);
    const first = await workspacesOf(token, '(first: 2)');
    expect(first.pageInfo.hasNextPage).toBe(true);
    const rest = await workspacesOf(token, `(first: 2, after: "${first.pageInfo.endCursor}")`);
    expect([...first.edges, ...rest.edges].map(({ name }) => name)).toEqual(['default', 'listed-lab', 'open-lab']);
    expect((await workspacesOf(token, '(nameContains: "LISTED")')).edges.map(({ name }) => name)).toEqual([
      'listed-lab',
    ]);
  });

  it('switches, and is told in the same answer what it may do there', async () => {
    const engineer = await scene.user('engineer');
    // A Deny-only set leaves the LOOSE default in force, so it is taken away by an Allow naming modelarts.
    const policy = await scene.policy('there-only', ['modelarts:notebook:create']);
    await scene.grant(policy, { user: engineer.id }, { workspace: ids['open'] });
    const start = await house.signIn(engineer);
    const there = await switchTo(start, { workspace: ids['open'] });
    expect(there.viewer.permissions).toEqual([{ effect: 'ALLOW' }]);
    expect(there.viewer.workspaces.edges.find(({ current }) => current)?.name).toBe('open-lab');
    const back = await switchTo(there.token, { workspace: '0' });
    expect(back.viewer.permissions).toEqual([{ effect: 'DENY' }]);
    expect(back.viewer.workspaces.edges.find(({ current }) => current)?.name).toBe('default');
    // The token that was left stays good: another window may be open there.
    expect((await workspacesOf(there.token)).edges.find(({ current }) => current)?.name).toBe('open-lab');
  });

  it('remembers the one chosen last, in every session, until it is closed to the user', async () => {
    const { token } = await signInWith(null);
    await switchTo(token, { workspace: ids['listed'] });
    house.advance(120_000);
    const to = await switchTo(token, { workspace: ids['open'] });
    expect(to.revision).not.toBeNull();
    // Not a choice of where to work.
    await switchTo(token, { account: true });
    expect((await signInWith({ lastUsed: true })).current).toBe('open-lab');
    expect((await signInWith(null)).current).toBe('default');
    expect((await signInWith({ lastUsed: true })).current).toBe('open-lab');
    const { edges } = await workspacesOf(token);
    const used = Object.fromEntries(edges.map(({ name, lastUsedAt }) => [name, lastUsedAt]));
    const [listed, open] = ['listed-lab', 'open-lab'].map((name) => Date.parse(used[name] ?? ''));
    expect(open).toBeGreaterThan(listed ?? NaN);

    const secret = await scene.workspace('shut-lab');
    await switchTo(token, { workspace: secret });
    expect((await signInWith({ lastUsed: true })).current).toBe('shut-lab');
    await house.gql(
      scene.token,
      'mutation ($input: UpdateWorkspaceInput!) { updateWorkspace(input: $input) { userErrors { code message path } } }',
      { input: { id: secret, visibility: 'PRIVATE' } },
    );
    expect((await signInWith({ lastUsed: true })).current).toBe('default');
    await house.gql(
      scene.token,
      'mutation ($input: DeleteWorkspaceInput!) { deleteWorkspace(input: $input) { userErrors { code message path } } }',
      { input: { id: secret } },
    );
    expect((await signInWith({ lastUsed: true })).current).toBe('open-lab');
  });

  it('writes nothing for who switches to where they were a moment ago', async () => {
    const { token } = await signInWith({ workspace: ids['open'] });
    await switchTo(token, { workspace: ids['open'] });
    expect((await switchTo(token, { workspace: ids['open'] })).revision).toBeNull();
  });

  it('what is not a choice is refused as before', async () => {
    const token = await house.signIn(ann);
    const answer = await house.ask(token, switching, { input: { scope: { workspace: ids['closed'] } } });
    expect(answer.data).toMatchObject({
      switchScope: { token: null, userErrors: [{ code: 'NOT_FOUND', reference: 'ModelArts.0102' }] },
    });
  });
});
