/**
 * Every condition key of the platform (docs/domain.md section a2): filled in by the server wherever a request can know
 * it, shown by a policy that allows with the right value only; or why no request can know it.
 */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { userErrorsOf } from '../kit/exchange.js';
import { databaseNames, startHouse, type TestHouse } from '../kit/house.js';
import { setScene, type Scene } from '../kit/scene.js';

interface Facts {
  readonly accountId: string;
  readonly userId: string;
  readonly workspaceId: string;
  readonly now: number;
}

interface Filled {
  readonly operator: string;
  readonly right: string | ((facts: Facts) => string);
  readonly wrong: string;
  /** What is asked: an action alone, an action on a registered resource, or to register one with the tag. */
  readonly of?: 'action' | 'resource' | 'request';
}

const moment = (at: number): string => new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z');
const year = 365 * 86_400_000;

const filled: Readonly<Record<string, Filled>> = {
  'g:CurrentTime': {
    operator: 'DateGreaterThan',
    right: ({ now }) => moment(now - year),
    wrong: '2999-01-01T00:00:00Z',
  },
  'g:DomainName': { operator: 'StringEquals', right: 'default', wrong: 'another' },
  'g:DomainId': { operator: 'StringEquals', right: ({ accountId }) => accountId, wrong: 'f'.repeat(32) },
  'g:UserId': { operator: 'StringEquals', right: ({ userId }) => userId, wrong: 'f'.repeat(32) },
  'g:UserName': { operator: 'StringLike', right: 'asker-*', wrong: 'nobody-*' },
  'g:PrincipalId': { operator: 'StringEquals', right: ({ userId }) => userId, wrong: 'f'.repeat(32) },
  'g:PrincipalType': { operator: 'StringEquals', right: 'User', wrong: 'Service' },
  'g:PrincipalUrn': {
    operator: 'StringEquals',
    right: ({ accountId, userId }) => `iam::${accountId}:user:${userId}`,
    wrong: 'iam::1:user:1',
  },
  'g:PrincipalIsRootUser': { operator: 'Bool', right: 'false', wrong: 'true' },
  'g:MFAPresent': { operator: 'Bool', right: 'true', wrong: 'false' },
  'g:MFAAge': { operator: 'NumericLessThan', right: '3600', wrong: '1' },
  'g:ProjectName': { operator: 'StringEquals', right: 'laboratory', wrong: 'office' },
  'g:ServiceName': { operator: 'StringEquals', right: 'modelarts', wrong: 'obs' },
  'g:SourceIp': { operator: 'IpAddress', right: '127.0.0.0/8', wrong: '10.0.0.0/8' },
  'hw:SourceIp': { operator: 'IpAddress', right: '127.0.0.1', wrong: '127.0.0.2' },
  'g:ViaService': { operator: 'Bool', right: 'false', wrong: 'true' },
  'g:EnterpriseProjectId': { operator: 'StringEquals', right: '0', wrong: '1' },
  'g:ResourceTag/<tag-key>': { operator: 'StringEquals', right: 'red', wrong: 'blue', of: 'resource' },
  'g:ResourceAccount': { operator: 'StringEquals', right: ({ accountId }) => accountId, wrong: '1', of: 'resource' },
  'g:RequestedRegion': { operator: 'StringEquals', right: 'north-1', wrong: 'south-1', of: 'resource' },
  'g:RequestTag/<tag-key>': { operator: 'StringEquals', right: 'red', wrong: 'blue', of: 'request' },
  'g:TagKeys': { operator: 'ForAnyValue:StringEquals', right: 'team', wrong: 'cost', of: 'request' },
};

const unknowable: Readonly<Record<string, string>> = {
  'g:PrincipalTag/<tag-key>': 'users, services and agencies have no tags here',
  'g:SourceVpc': 'a network in front of the server knows it, the request does not',
  'g:SourceVpce': 'a network in front of the server knows it, the request does not',
  'modelarts:poolType': 'the service that runs pools knows it and says it when it asks',
  'modelarts:poolId': 'the service that runs pools knows it and says it when it asks',
};

it('every key is filled in, or says why it cannot be', () => {
  const keys = platformCatalogue.conditionKeys.map(({ key }) => key).filter((key) => !key.startsWith('bailiwick:'));
  expect([...Object.keys(filled), ...Object.keys(unknowable)].sort()).toEqual([...keys].sort());
});

describe.each(databaseNames)('on %s', (database) => {
  let house: TestHouse;
  let scene: Scene;
  let facts: Omit<Facts, 'userId'>;
  let urn: string;
  let door: string;
  let count = 0;

  beforeAll(async () => {
    house = await startHouse({ database });
    scene = await setScene(house);
    await house.gql(scene.token, 'mutation { setAuthorizationMode(input: { mode: STRICT }) { userErrors { code } } }');
    const workspace = Buffer.from(await scene.workspace('laboratory'), 'base64url')
      .toString()
      .replace('Workspace:', '');
    const accountId = (await house.iam.store.access.accountByName('default'))?.id ?? '';
    facts = { accountId, workspaceId: workspace, now: house.iam.now() };
    door = await scene.policy('door', ['bailiwick:resources:register']);
    urn = `modelarts:north-1:${accountId}:notebook:tagged`;
    await house.gql(
      await house.signIn(house.root, { workspace }),
      'mutation ($input: RegisterResourceInput!) { registerResource(input: $input) { userErrors { message } } }',
      { input: { urn, tags: [{ key: 'team', value: 'red' }] } },
    );
  });

  /** A user, signed in with a second factor ten seconds ago. */
  async function newcomer(): Promise<{ id: string; token: string }> {
    const { id: nodeId } = await scene.user(`asker-${(count += 1)}`);
    const id = Buffer.from(nodeId, 'base64url').toString().replace('User:', '');
    const session = randomBytes(16).toString('hex');
    const { accountId, workspaceId } = facts;
    const now = house.iam.now();
    const origin = {
      accountId,
      workspaceId: null,
      operation: 'signIn',
      actorKind: 'USER',
      actorId: id,
      actorName: '',
      requestId: session,
      at: now,
    } as const;
    const expiresAt = now + 3_600_000;
    await house.iam.store.transaction(origin, async (transaction) => {
      await transaction.insert('session', {
        id: session,
        accountId,
        userId: id,
        startedAt: now,
        expiresAt,
        endedAt: null,
        mfaAt: now - 10_000,
        sourceAddress: '127.0.0.1',
        scopesLeft: [],
      });
      return { commit: true, value: undefined };
    });
    const scope = { accountId, workspaceId };
    return { id, token: await house.iam.tokens.issue({ accountId, userId: id, sessionId: session, scope, expiresAt }) };
  }

  async function allows(token: string, of: Filled['of']): Promise<boolean> {
    if (of !== 'request') {
      const resource = of === 'resource' ? urn : null;
      const query = 'query ($requests: [AccessRequestInput!]!) { checkAccess(requests: $requests) { effect reason } }';
      const { checkAccess } = await house.gql<{ checkAccess: readonly { effect: string }[] }>(token, query, {
        requests: [{ action: 'modelarts:notebook:get', resource }],
      });
      return checkAccess[0]?.effect === 'ALLOW';
    }
    const answer = await house.ask(
      token,
      'mutation ($input: RegisterResourceInput!) { registerResource(input: $input) { userErrors { code message } } }',
      {
        input: {
          urn: `modelarts:north-1:${facts.accountId}:notebook:made-${(count += 1)}`,
          tags: [{ key: 'team', value: 'red' }],
        },
      },
    );
    if (answer.errors.length === 0) expect(userErrorsOf(answer)).toEqual([]);
    else expect(answer.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    return answer.errors.length === 0;
  }

  it.each(Object.entries(filled))('%s decides', async (key, { operator, right, wrong, of = 'action' }) => {
    const outcomes: boolean[] = [];
    for (const isRight of [true, false]) {
      const { id, token } = await newcomer();
      const value = isRight ? (typeof right === 'string' ? right : right({ ...facts, userId: id })) : wrong;
      const Condition = { [operator]: { [key.replace('<tag-key>', 'team')]: [value] } };
      const action = of === 'request' ? 'modelarts:notebook:create' : 'modelarts:notebook:get';
      const statements: object[] = [{ Effect: 'Allow', Action: [action], Condition }];
      // The door of a mutation is asked before its input is looked at.
      if (of === 'request') await scene.grant(door, { user: id });
      await scene.grant(await scene.policy(`for-${(count += 1)}`, statements), { user: id });
      outcomes.push(await allows(token, of));
    }
    expect(outcomes).toEqual([true, false]);
  });
});
