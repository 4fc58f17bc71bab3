/** A token for one service, end to end (rule 23): the user hands it over, the service signs and asks, nobody else can. */
import { createHash } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { canonicalRequest, signCanonical, signatureScheme } from '../../src/signatures/index.js';
import { codesOf, exchange, post, type Answer } from '../kit/exchange.js';
import { startHouse, type TestHouse } from '../kit/house.js';
import { setScene, type Scene } from '../kit/scene.js';

interface Service {
  readonly name: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

let house: TestHouse;
let scene: Scene;
let [training, storage]: Service[] = [];
let bearer = '';
let token = '';

const narrow = `mutation ($audience: ID!) { switchScope(input: { scope: { workspace: "0" }, audience: $audience }) { token userErrors { code } } }`;

beforeAll(async () => {
  house = await startHouse();
  scene = await setScene(house);
  const check = await scene.policy('check', ['bailiwick:access:check']);
  const register = async (name: string): Promise<Service> => {
    const { createService } = await house.gql<{ createService: Service & { service: { id: string } } }>(
      scene.token,
      `mutation { createService(input: { name: "${name}" }) { service { id } accessKeyId secretAccessKey userErrors { code } } }`,
    );
    await scene.grant(check, { service: createService.service.id }, { workspace: '0' });
    return { ...createService, name };
  };
  [training, storage] = [await register('training'), await register('storage')];
  const ann = await scene.user('ann');
  await scene.grant(await scene.policy('jobs', ['modelarts:trainJob:create']), { user: ann.id }, { workspace: '0' });
  bearer = await house.signIn(ann);
  token = (await house.gql<{ switchScope: { token: string } }>(bearer, narrow, { audience: 'training' })).switchScope
    .token;
});

/** The service asks what the bearer of this token may do. */
async function ask(service: Service | undefined, shown: string): Promise<Answer> {
  if (service === undefined) throw new Error('the service was not made');
  const query = `query ($token: String!) { checkAccess(requests: [{ action: "modelarts:trainJob:create", principal: { credential: { token: $token } } }]) { effect reason } }`;
  const body = JSON.stringify({ query, variables: { token: shown } });
  const date = new Date(house.iam.now()).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const signed = [
    ['host', new URL(house.url).host],
    ['x-sdk-date', date],
    ['x-workspace-id', '0'],
  ] as const;
  const names = signed.map(([name]) => name);
  const bodySha256 = createHash('sha256').update(body).digest('hex');
  const request = { method: 'POST', path: '/graphql', query: '', headers: signed, bodySha256 };
  const signature = signCanonical(canonicalRequest(request, names) ?? '', date, service.secretAccessKey);
  const authorization = `${signatureScheme} Access=${service.accessKeyId}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  const headers = ['content-type', 'application/json', ...signed.slice(1).flat(), 'authorization', authorization];
  return exchange(house.url, { headers, body });
}

test('the service that it was made for is told what its bearer may do', async () => {
  expect((await ask(training, token)).data).toEqual({ checkAccess: [{ effect: 'ALLOW', reason: 'ALLOWED' }] });
});

test('another service that shows it learns that it is worth nothing', async () => {
  expect((await ask(storage, token)).data).toEqual({ checkAccess: [{ effect: 'DENY', reason: 'CREDENTIAL_REVOKED' }] });
});

test.each([
  ['as bearer', (text: string) => ['authorization', `Bearer ${text}`]],
  ['as X-Auth-Token', (text: string) => ['x-auth-token', text]],
] as const)('presented %s it is refused', async (_way, headers) => {
  const body = JSON.stringify({ query: '{ viewer { actor { name } } }' });
  const answer = await exchange(house.url, { headers: ['content-type', 'application/json', ...headers(token)], body });
  expect(answer.status).toBe(401);
  expect(codesOf(answer)).toEqual(['UNAUTHENTICATED']);
  expect(answer.errors[0]?.message).toBe(
    'the token was made for a service, which shows it when it asks; send one of signIn or switchScope',
  );
});

test.each([
  'refreshToken { token }',
  'switchScope(input: { scope: { account: true } }) { token }',
  'signOut { endedAt }',
])('it gets no answer to %s', async (mutation) => {
  const answer = await post(house.url, token, { query: `mutation { ${mutation} }` });
  expect(answer.status).toBe(401);
  expect(answer.data).toBeNull();
});

test('it ends with its session', async () => {
  await house.gql(bearer, 'mutation { signOut { userErrors { code } } }');
  expect((await ask(training, token)).data).toEqual({
    checkAccess: [{ effect: 'DENY', reason: 'CREDENTIAL_REVOKED' }],
  });
});
