/**
 * A service asks who signed a request that it received: real signatures over real HTTP, on both databases. What was
 * changed, was made for somebody else or comes a second time is refused, and nobody learns a secret or locks a key.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { exchange, type Answer } from '../kit/exchange.js';
import { databaseNames, startHouse, type Person, type TestHouse } from '../kit/house.js';
import { setScene, type Scene } from '../kit/scene.js';
import { sha256, sign, type Key, type Unsigned } from '../kit/signing.js';

const ask = `mutation Ask($input: AuthenticateRequestInput!) {
  asked: authenticateRequest(input: $input) {
    actor { kind name } workspaceId decisions { effect reason } userErrors { code message path reference }
  }
}`;
const check = 'query Check($requests: [AccessRequestInput!]!) { checkAccess(requests: $requests) { effect reason } }';
const questions = [{ action: 'modelarts:notebook:get' }, { action: 'modelarts:notebook:delete' }];

interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly bodySha256: string;
}

describe.each(databaseNames)('on %s', (database) => {
  let house: TestHouse;
  let scene: Scene;
  let storage: Key;
  let other: Key;
  let hostless: Key;
  let powerless: Key;
  let ann: Person;
  let annsKey: Key;
  let lab: string;

  const keyOf = async (token: string, mutation: string, input: object): Promise<Key & { id: string }> => {
    const isService = mutation === 'createService';
    const query = isService
      ? 'mutation M($input: CreateServiceInput!) { made: createService(input: $input) { accessKeyId secretAccessKey service { id } userErrors { message } } }'
      : 'mutation M($input: CreateAccessKeyInput!) { made: createAccessKey(input: $input) { secretAccessKey accessKey { id accessKeyId } userErrors { message } } }';
    const { made } = await house.gql<{
      made: {
        secretAccessKey: string;
        accessKeyId?: string;
        service?: { id: string };
        accessKey?: { id: string; accessKeyId: string };
      };
    }>(token, query, { input });
    return {
      accessKeyId: made.accessKeyId ?? made.accessKey?.accessKeyId ?? '',
      secretAccessKey: made.secretAccessKey,
      id: made.service?.id ?? made.accessKey?.id ?? '',
    };
  };

  beforeAll(async () => {
    house = await startHouse({ database });
    scene = await setScene(house);
    await house.gql(scene.token, 'mutation { setAuthorizationMode(input: { mode: STRICT }) { userErrors { code } } }');
    const may = await scene.policy('asks', ['bailiwick:requests:authenticate', 'bailiwick:access:check']);
    const service = async (name: string, hosts: readonly string[], granted = true): Promise<Key> => {
      const made = await keyOf(scene.token, 'createService', { name, hosts });
      if (granted) await scene.grant(may, { service: made.id });
      return made;
    };
    storage = await service('storage', ['storage.example.com', 'storage.example.com:8443']);
    other = await service('other', ['storage.example.com']);
    hostless = await service('hostless', []);
    powerless = await service('powerless', ['storage.example.com'], false);
    ann = await scene.user('ann');
    await scene.grant(await scene.policy('reads', ['modelarts:notebook:get']), { user: ann.id });
    annsKey = await keyOf(scene.token, 'createAccessKey', { userId: ann.id });
    lab = Buffer.from(await scene.workspace('laboratory'), 'base64url')
      .toString()
      .replace('Workspace:', '');
  });

  /** What reached the service, signed by somebody. */
  function received(key: Key, more: Partial<Unsigned> = {}): Received {
    const request = {
      method: 'PUT',
      path: '/v1/files/a%20b',
      query: 'part=2&part=1',
      body: 'bytes',
      at: house.iam.now(),
      ...more,
      headers: { host: 'storage.example.com', ...more.headers },
    };
    const signed = sign(key, request);
    const headers = Object.entries({ ...signed.headers, authorization: signed.authorization });
    return {
      method: signed.method,
      path: signed.path,
      query: signed.query,
      headers: headers.map(([name, value]) => ({ name, value })),
      bodySha256: signed.bodySha256,
    };
  }

  /** The service asks with a signed request of its own. */
  async function by(key: Key, query: string, variables: object, scope: Record<string, string> = {}): Promise<Answer> {
    const body = JSON.stringify({ query, variables });
    const headers = { 'content-type': 'application/json', host: new URL(house.url).host, ...scope };
    const signed = sign(key, { headers, body, at: house.iam.now() });
    const { host: _, ...others } = signed.headers;
    return exchange(house.url, {
      headers: Object.entries({ ...others, authorization: signed.authorization }).flat(),
      body,
    });
  }

  interface Asked {
    readonly actor: { readonly kind: string; readonly name: string } | null;
    readonly workspaceId: string | null;
    readonly decisions: readonly { readonly effect: string; readonly reason: string }[] | null;
    readonly userErrors: readonly { readonly code: string; readonly message: string }[];
  }
  let count = 0;
  async function authenticate(request: Received, more: object = {}, key = storage, scope = {}): Promise<Asked> {
    // Two of the same bytes within a second would have the same signature, and be a replay of the service's own.
    const input = { request, ...more, clientMutationId: `c${(count += 1)}` };
    const answer = await by(key, ask, { input }, scope);
    expect(answer.errors).toEqual([]);
    expect(answer.text).not.toContain(annsKey.secretAccessKey);
    return (answer.data as { asked: Asked }).asked;
  }
  const refused = (message: RegExp) => ({
    actor: null,
    decisions: null,
    userErrors: [{ code: 'CREDENTIALS_INVALID', message: expect.stringMatching(message) as string }],
  });

  it('tells who signed, where, and what they may do there', async () => {
    expect(await authenticate(received(annsKey), { requests: questions })).toEqual({
      actor: { kind: 'USER', name: 'ann' },
      workspaceId: Buffer.from('Workspace:0').toString('base64url'),
      decisions: [
        { effect: 'ALLOW', reason: 'ALLOWED' },
        { effect: 'DENY', reason: 'NO_MATCHING_ALLOW' },
      ],
      userErrors: [],
    });
    expect(await authenticate(received(annsKey))).toMatchObject({ actor: { name: 'ann' }, decisions: [] });
    const kept = await house.iam.store.access.accessKey(annsKey.accessKeyId);
    expect(kept?.lastUsedAt).toBeGreaterThan(house.iam.now() - 60_000);
    expect(await authenticate(received(other))).toMatchObject({ actor: { kind: 'SERVICE', name: 'other' } });
    const elsewhere = received(annsKey, { headers: { host: 'STORAGE.example.com:8443' } });
    expect(await authenticate(elsewhere)).toMatchObject({ actor: { name: 'ann' } });
  });

  it.each<[string, (request: Received) => Received]>([
    ['the method', (request) => ({ ...request, method: 'GET' })],
    ['the path', (request) => ({ ...request, path: '/v1/files/b' })],
    ['the query', (request) => ({ ...request, query: 'part=3' })],
    ['the body', (request) => ({ ...request, bodySha256: sha256('other bytes') })],
    ['that there is a body', ({ bodySha256: _, ...request }) => request as Received],
    [
      'the date',
      (request) => ({
        ...request,
        headers: request.headers.map((header) =>
          header.name === 'x-sdk-date' ? { ...header, value: '20200101T000000Z' } : header,
        ),
      }),
    ],
    [
      'the signature',
      (request) => ({
        ...request,
        headers: request.headers.map((header) =>
          header.name === 'authorization' ? { ...header, value: header.value.replace(/.$/, '') + '0' } : header,
        ),
      }),
    ],
    ['everything', () => ({ method: 'GET', path: '/', query: '', headers: [], bodySha256: sha256('') })],
  ])('tells nothing when %s was changed', async (_what, change) => {
    const key = await keyOf(scene.token, 'createAccessKey', { userId: (await scene.user(`u${(count += 1)}`)).id });
    const good = received(key);
    const changed = change(good);
    // One signature in sixteen ends in the digit that it is changed to.
    if (JSON.stringify(changed) === JSON.stringify(good)) return;
    expect(await authenticate(changed)).toMatchObject(refused(/./));
  });

  it('wants a host of the service, and signed', async () => {
    const foreign = received(annsKey, { headers: { host: 'training.example.com' } });
    expect(await authenticate(foreign)).toMatchObject(refused(/a host that is not this service’s/));
    expect(await authenticate(received(annsKey), {}, hostless)).toMatchObject(refused(/has registered no host/));
    const unsigned = received(annsKey);
    const without = {
      ...unsigned,
      headers: unsigned.headers.map((header) =>
        header.name === 'authorization' ? { ...header, value: header.value.replace('host;', '') } : header,
      ),
    };
    expect(await authenticate(without)).toMatchObject(refused(/does not sign its `Host`/));
    const twice = { ...unsigned, headers: [...unsigned.headers, { name: 'Host', value: 'storage.example.com' }] };
    expect(await authenticate(twice)).toMatchObject(refused(/more than once/));
  });

  it('accepts a request once when asked to, whoever sends it again', async () => {
    const often = received(annsKey, { path: '/often' });
    expect((await authenticate(often)).actor).not.toBeNull();
    expect((await authenticate(often)).actor).not.toBeNull();
    const once = received(annsKey, { path: '/once' });
    const answers = await Promise.all([1, 2, 3].map(() => authenticate(once, { once: true })));
    expect(answers.filter(({ actor }) => actor !== null)).toHaveLength(1);
    expect(await authenticate(once, { once: true })).toMatchObject(refused(/was received before/));
  });

  it('does not use up a request by a question that is refused for another reason', async () => {
    const inLab = received(annsKey, { path: '/kept', headers: { 'x-workspace-id': lab } });
    expect(await authenticate(inLab, { once: true })).toMatchObject(refused(/another workspace/));
    const malformed = await by(
      storage,
      ask,
      {
        input: { request: inLab, once: true, requests: [{ action: 'modelarts:notebook:get', resource: 'no urn' }] },
      },
      { 'x-workspace-id': lab },
    );
    expect(malformed.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(await authenticate(inLab, { once: true }, storage, { 'x-workspace-id': lab })).toMatchObject({
      actor: { name: 'ann' },
    });
    expect(await authenticate(inLab, { once: true }, storage, { 'x-workspace-id': lab })).toMatchObject(
      refused(/was received before/),
    );
  });

  it('knows no key that is disabled, gone, or of another account, and says the same of the latter two', async () => {
    const user = await scene.user('leaving');
    const key = await keyOf(scene.token, 'createAccessKey', { userId: user.id });
    const set = (enabled: boolean) =>
      house.gql(
        scene.token,
        'mutation M($input: UpdateAccessKeyInput!) { updateAccessKey(input: $input) { userErrors { message } } }',
        { input: { id: key.id, enabled } },
      );
    expect((await authenticate(received(key))).actor).toEqual({ kind: 'USER', name: 'leaving' });
    await set(false);
    expect(await authenticate(received(key))).toMatchObject(refused(/inactive/));
    await set(true);
    await house.gql(
      scene.token,
      'mutation M($input: UpdateUserInput!) { updateUser(input: $input) { userErrors { message } } }',
      { input: { id: user.id, enabled: false } },
    );
    expect(await authenticate(received(key))).toMatchObject(refused(/disabled or gone/));
    await house.gql(
      scene.token,
      'mutation M($input: DeleteAccessKeyInput!) { deleteAccessKey(input: $input) { userErrors { message } } }',
      { input: { id: key.id } },
    );
    const gone = await authenticate(received(key));
    expect(gone).toMatchObject(refused(/signature fail/));
    const stranger = await house.addAccount(`stranger-${(count += 1)}`);
    const foreignToken = await house.signIn(stranger, 'account');
    const foreign = await keyOf(foreignToken, 'createAccessKey', { userId: stranger.id });
    expect(await authenticate(received(foreign))).toEqual(gone);
  });

  it('is for services that may, alone', async () => {
    const input = { request: received(annsKey) };
    const root = await house.ask(scene.token, ask, { input });
    expect(root.data).toMatchObject({ asked: { actor: null, userErrors: [{ code: 'INVALID' }] } });
    const answer = await by(powerless, ask, { input });
    expect(answer.errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN', action: 'bailiwick:requests:authenticate' } },
    ]);
    const principal = { user: ann.id };
    const about = await by(storage, ask, { input: { ...input, requests: [{ ...questions[0], principal }] } });
    expect(about.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });

  it('says of a request where it acts; a service inside a workspace learns of that one alone', async () => {
    const there = () => received(annsKey, { headers: { 'x-workspace-id': lab }, path: `/${(count += 1)}` });
    const { accountId } = await (async () => ({
      accountId: (await house.iam.store.access.accountByName('default'))?.id ?? '',
    }))();
    const inAccount = { 'x-domain-id': accountId };
    expect(await authenticate(there(), {}, storage, inAccount)).toMatchObject({
      workspaceId: Buffer.from(`Workspace:${lab}`).toString('base64url'),
    });
    expect(await authenticate(there(), {}, storage, { 'x-workspace-id': lab })).toMatchObject({
      actor: { name: 'ann' },
    });
    expect(await authenticate(there())).toMatchObject(refused(/another workspace/));
  });

  it('locks a key by bad signatures for the service that showed them and the address that it named, and nobody else', async () => {
    const user = await scene.user('locked');
    const key = await keyOf(scene.token, 'createAccessKey', { userId: user.id });
    const forged = { ...key, secretAccessKey: 'x'.repeat(40) };
    const from = (sourceAddress: string, path: string, by = key) => ({ ...received(by, { path }), sourceAddress });
    // Whoever forges requests keeps nobody out who comes from elsewhere, nor anybody where no address is named.
    for (let i = 0; i < 6; i += 1) await authenticate(received(forged, { path: `/${i}` }));
    expect((await authenticate(received(key))).actor).toEqual({ kind: 'USER', name: 'locked' });
    for (let i = 0; i < 5; i += 1) await authenticate(from('192.0.2.7', `/${i}`, forged));
    expect(await authenticate(from('192.0.2.7', '/good'))).toMatchObject(refused(/too many bad signatures/));
    expect((await authenticate(from('192.0.2.8', '/good'))).actor).toEqual({ kind: 'USER', name: 'locked' });
    expect((await authenticate(from('192.0.2.7', '/good'), {}, other)).actor).toEqual({ kind: 'USER', name: 'locked' });
    const own = await by(key, '{ viewer { actor { name } } }', {});
    expect(own.data).toEqual({ viewer: { actor: { name: 'locked' } } });
  });

  it('may be shown to checkAccess instead, by the service that it was made for alone', async () => {
    const show = (request: Received) =>
      questions.map((question) => ({ ...question, principal: { credential: { signedRequest: request } } }));
    const reasons = async (key: Key, request: Received): Promise<unknown> =>
      (
        (await by(key, check, { requests: show(request) })).data as { checkAccess: { reason: string }[] }
      ).checkAccess.map(({ reason }) => reason);
    const request = received(annsKey, { path: '/shown' });
    expect(await reasons(storage, request)).toEqual(['ALLOWED', 'NO_MATCHING_ALLOW']);
    const revoked = ['CREDENTIAL_REVOKED', 'CREDENTIAL_REVOKED'];
    expect(await reasons(hostless, request)).toEqual(revoked);
    expect(await reasons(storage, { ...request, path: '/another' })).toEqual(revoked);
    const byRoot = await house.ask(scene.token, check, { requests: show(request) });
    expect(byRoot.data).toMatchObject({ checkAccess: [{ reason: 'CREDENTIAL_REVOKED' }, {}] });
  });
});
