/** A world for the permission matrix: an account with one of everything, and people made on the spot. */
import { randomBytes } from 'node:crypto';
import type { TestHouse } from '../kit/house.js';
import { setScene, type Scene } from '../kit/scene.js';

export type Place = 'account' | { readonly workspace: string };

export interface World {
  readonly house: TestHouse;
  readonly scene: Scene;
  readonly accountId: string;
  readonly userId: string;
  readonly groupId: string;
  readonly policyId: string;
  readonly grantId: string;
  readonly enterpriseProjectId: string;
  readonly agencyId: string;
  readonly authorizationId: string;
  readonly serviceId: string;
  readonly resourceId: string;
  readonly accessKeyId: string;
  readonly keyPairId: string;
  readonly sessionId: string;
  readonly home: string;
  readonly elsewhere: string;
  /** A user without password, group or grant. */
  stranger(): Promise<string>;
  /** A user who holds these actions everywhere and nothing else, the same one each time: to be given no more. */
  holding(...actions: readonly string[]): Promise<string>;
  /** A token for a session of its own. */
  token(userId: string, place: Place, accountId?: string): Promise<string>;
  /** Grants one policy of these actions; answers the grant. */
  give(userId: string, effect: 'Allow' | 'Deny', actions: readonly string[], scope?: object): Promise<void>;
  /** A name that nothing has yet. */
  readonly fresh: (prefix: string) => string;
}

export async function makeWorld(house: TestHouse): Promise<World> {
  const { iam } = house;
  const scene = await setScene(house);
  await house.gql(scene.token, 'mutation { setAuthorizationMode(input: { mode: STRICT }) { userErrors { code } } }');
  const account = await iam.store.access.accountByName('default');
  if (account === null) throw new Error('the account is gone');
  let count = 0;
  const fresh = (prefix: string) => `${prefix}-${(count += 1)}`;
  const policies = new Map<string, string>();

  const plain = (id: string): string => {
    const text = Buffer.from(id, 'base64url').toString();
    return /^[A-Z][A-Za-z]+:/.test(text) ? text.slice(text.indexOf(':') + 1) : id;
  };
  const make = async (mutation: string, inputType: string, object: string, input: object, token = scene.token) => {
    const query = `mutation Make($input: ${inputType}!) { made: ${mutation}(input: $input) { ${object} { id } userErrors { code message path } } }`;
    const { made } = await house.gql<{ made: Record<string, { id: string }> }>(token, query, { input });
    return plain(made[object]?.id ?? '');
  };
  const stranger = () => make('createUser', 'CreateUserInput', 'user', { name: fresh('stranger') });
  const token: World['token'] = async (userId, place, accountId = account.id) => {
    const id = randomBytes(16).toString('hex');
    const workspaceId = place === 'account' ? null : place.workspace;
    const now = iam.now();
    const origin = {
      accountId,
      workspaceId: null,
      operation: 'signIn',
      actorKind: 'USER',
      actorId: userId,
      actorName: '',
      requestId: id,
      at: now,
    };
    await iam.store.transaction(origin, async (transaction) => {
      await transaction.insert('session', {
        id,
        accountId,
        userId,
        startedAt: now,
        expiresAt: now + 86_400_000,
        endedAt: null,
        mfaAt: null,
        sourceAddress: '127.0.0.1',
        scopesLeft: [],
      });
      return { commit: true, value: undefined };
    });
    const scope = { accountId, workspaceId };
    return iam.tokens.issue({ accountId, userId, sessionId: id, scope, expiresAt: now + 86_400_000 });
  };
  const give: World['give'] = async (userId, effect, actions, scope = { all: true }) => {
    const key = `${effect} ${actions.join(' ')}`;
    let policyId = policies.get(key);
    if (policyId === undefined) {
      policyId = await scene.policy(fresh('policy'), [{ Effect: effect, Action: actions }]);
      policies.set(key, policyId);
    }
    await scene.grant(policyId, { user: userId }, scope);
  };

  const holders = new Map<string, Promise<string>>();
  const holding: World['holding'] = (...actions) => {
    const key = actions.join(' ');
    const make = async (): Promise<string> => {
      const userId = await stranger();
      for (const action of actions) await give(userId, 'Allow', [action]);
      return userId;
    };
    const known = holders.get(key) ?? make();
    holders.set(key, known);
    return known;
  };

  const home = plain(await scene.workspace('home-workspace'));
  const elsewhere = plain(await scene.workspace('other-workspace'));
  const userId = await stranger();
  const groupId = plain(await scene.group('some-group'));
  const policyId = plain(await scene.policy('some-policy', ['modelarts:notebook:list']));
  const grantId = plain(await scene.grant(policyId, { group: groupId }));
  const enterpriseProjectId = await make(
    'createEnterpriseProject',
    'CreateEnterpriseProjectInput',
    'enterpriseProject',
    {
      name: 'some-project',
    },
  );
  const agencyId = await make('createAgency', 'CreateAgencyInput', 'agency', {
    name: 'some-agency',
    trust: { service: 'modelarts' },
  });
  const authorizationId = await make('authorizeAgency', 'AuthorizeAgencyInput', 'authorization', {
    agencyId,
    allUsers: true,
  });
  const serviceId = await make('createService', 'CreateServiceInput', 'service', { name: 'some-service' });
  const inHome = await house.signIn(house.root, { workspace: home });
  const resourceId = await make(
    'registerResource',
    'RegisterResourceInput',
    'resource',
    { urn: `modelarts::${account.id}:notebook:some-notebook` },
    inHome,
  );
  const accessKeyId = await make('createAccessKey', 'CreateAccessKeyInput', 'accessKey', { userId });
  const keyPairId = await make('createKeyPair', 'CreateKeyPairInput', 'keyPair', { userId, name: 'some-pair' });
  await token(userId, 'account');
  const { rows } = await iam.store
    .reader({ accountId: account.id, workspaceId: null })
    .pagesOf('user.sessions', [userId], {
      order: { by: 'STARTED_AT', direction: 'DESC' },
      limit: 1,
      backward: false,
      after: null,
      before: null,
    })
    .then((pages) => pages.get(userId) ?? { rows: [] });
  const sessionId = rows[0]?.record.id ?? '';
  return {
    house,
    scene,
    accountId: account.id,
    userId,
    groupId,
    policyId,
    grantId,
    enterpriseProjectId,
    agencyId,
    authorizationId,
    serviceId,
    resourceId,
    accessKeyId,
    keyPairId,
    sessionId,
    home,
    elsewhere,
    stranger,
    holding,
    token,
    give,
    fresh,
  };
}
