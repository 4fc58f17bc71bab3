/** Services sign their requests (rule 3); real signatures over real HTTP, and what happens to the ones that are not quite right. */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { canonicalRequest, signCanonical, signatureScheme } from '../../src/signatures/index.js';
import { codesOf, exchange, type Answer } from '../kit/exchange.js';
import { startHouse, type TestHouse } from '../kit/house.js';
import { setScene } from '../kit/scene.js';
import { sign, type Key } from '../kit/signing.js';

let house: TestHouse;
let accountId: string;
let key: { accessKeyId: string; secretAccessKey: string; id: string };
let vision: string;

const viewer = '{ viewer { actor { kind name } scope { kind } } }';

beforeAll(async () => {
  house = await startHouse();
  const scene = await setScene(house);
  accountId = (await house.iam.store.access.accountByName('default'))?.id ?? '';
  const made = await house.gql<{
    createService: { service: { id: string }; accessKeyId: string; secretAccessKey: string };
  }>(
    scene.token,
    'mutation { createService(input: { name: "annotator", actions: [{ name: "annotator:task:assign", accessLevel: WRITE, description: "assign" }] }) { service { id } accessKeyId secretAccessKey userErrors { code } } }',
  );
  key = { ...made.createService, id: made.createService.service.id };
  const node = await scene.workspace('vision');
  vision = Buffer.from(node, 'base64url').toString().slice('Workspace:'.length);
  const policy = await scene.policy('ask', ['bailiwick:access:check']);
  await scene.grant(policy, { service: key.id }, { workspace: vision });
});

interface Sent {
  readonly query?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly unsigned?: Readonly<Record<string, string>>;
  readonly secret?: string;
  readonly accessKeyId?: string;
  readonly at?: number;
  /** What is changed after signing. */
  readonly tamper?: (sent: { url: string; headers: Record<string, string>; body: string }) => void;
}

async function send(sent: Sent): Promise<Answer> {
  const body = sent.body ?? JSON.stringify({ query: sent.query ?? viewer });
  const date = new Date(sent.at ?? house.iam.now()).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const signed: Record<string, string> = {
    host: new URL(house.url).host,
    'x-sdk-date': date,
    'x-workspace-id': vision,
    ...sent.headers,
  };
  for (const [name, value] of Object.entries(signed)) if (value === '') delete signed[name];
  const names = Object.keys(signed).sort();
  const bodySha256 = createHash('sha256').update(body).digest('hex');
  const request = { method: 'POST', path: '/graphql', query: '', headers: Object.entries(signed), bodySha256 };
  const signature = signCanonical(canonicalRequest(request, names) ?? '', date, sent.secret ?? key.secretAccessKey);
  const { host: _host, ...headers } = signed;
  const out = {
    url: house.url,
    body,
    headers: {
      'content-type': 'application/json',
      ...headers,
      ...sent.unsigned,
      authorization: `${signatureScheme} Access=${sent.accessKeyId ?? key.accessKeyId}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
    } as Record<string, string>,
  };
  sent.tamper?.(out);
  return exchange(out.url, { headers: Object.entries(out.headers).flat(), body: out.body });
}

describe('a signed request', () => {
  it('acts as the service in the workspace that it names', async () => {
    const answer = await send({});
    expect(answer.errors).toEqual([]);
    expect(answer.data).toEqual({
      viewer: { actor: { kind: 'SERVICE', name: 'annotator' }, scope: { kind: 'WORKSPACE' } },
    });
  });

  it('acts in the account when it names that', async () => {
    const answer = await send({ headers: { 'x-workspace-id': '', 'x-domain-id': accountId } });
    expect(answer.data).toMatchObject({ viewer: { scope: { kind: 'ACCOUNT' } } });
  });

  it('enters no workspace that no grant of the service reaches', async () => {
    const answer = await send({ headers: { 'x-workspace-id': '' } });
    expect(answer.errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', reason: 'WORKSPACE_CLOSED' });
  });

  it('asks for decisions about its own actions', async () => {
    const query = '{ checkAccess(requests: [{ action: "annotator:task:assign" }]) { effect reason } }';
    expect((await send({ query })).data).toEqual({ checkAccess: [{ effect: 'DENY', reason: 'NO_MATCHING_ALLOW' }] });
  });

  it('changes something once: the same bytes a second time are refused as a whole', async () => {
    const token = await house.signIn(house.root, 'account');
    const policy = await house.gql<{ createPolicy: { policy: { id: string } } }>(
      token,
      'mutation { createPolicy(input: { name: "makes groups", document: { Version: "1.1", Statement: [{ Effect: "Allow", Action: ["iam:groups:createGroup"] }] } }) { policy { id } userErrors { code } } }',
    );
    await house.gql(
      token,
      `mutation { grantPolicy(input: { policyId: "${policy.createPolicy.policy.id}", subject: { service: "${key.id}" }, scope: { all: true } }) { userErrors { code } } }`,
    );
    const headers = { 'x-workspace-id': '', 'x-domain-id': accountId };
    const query = `mutation {
      one: createGroup(input: { name: "one by signature" }) { group { name } userErrors { code } }
      two: createGroup(input: { name: "two by signature" }) { group { name } userErrors { code } }
    }`;
    const at = house.iam.now();
    const first = await send({ query, headers, at });
    expect(first.errors).toEqual([]);
    expect(first.data).toMatchObject({ one: { userErrors: [] }, two: { userErrors: [] } });
    const { revision } = (await house.iam.store.access.account(accountId)) ?? {};
    const again = await send({ query, headers, at });
    expect(again.status).toBe(401);
    expect(codesOf(again)).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
    expect(again.errors[0]).toMatchObject({
      message: 'this signed request was received before; sign it again',
      extensions: { reference: 'APIG.0301' },
    });
    expect((await house.iam.store.access.account(accountId))?.revision).toBe(revision);
    // Signed again, it is another request.
    expect((await send({ query, headers, at: at + 1000 })).data).toMatchObject({
      one: { userErrors: [{ code: 'NAME_TAKEN' }] },
    });
  });

  it('asks as often as it likes', async () => {
    const at = house.iam.now();
    const once = await send({ at });
    expect(once.errors).toEqual([]);
    expect((await send({ at })).data).toEqual(once.data);
  });
});

describe('a user’s access key', () => {
  const make =
    'mutation { createAccessKey(input: {}) { accessKey { id accessKeyId enabled } secretAccessKey userErrors { code } } }';
  interface Made {
    readonly createAccessKey: { accessKey: { id: string; accessKeyId: string }; secretAccessKey: string };
  }

  it('is made with a token, signs as its user, is listed without its secret, and is deleted by a signed request', async () => {
    const token = await house.signIn(house.root, 'account');
    const { createAccessKey } = await house.gql<Made>(token, make);
    const { accessKey, secretAccessKey } = createAccessKey;
    const own = { accessKeyId: accessKey.accessKeyId, secret: secretAccessKey };
    const headers = { 'x-workspace-id': '', 'x-domain-id': accountId };
    const answer = await send({
      ...own,
      headers,
      query:
        '{ viewer { actor { kind name } accessKeys { accessKeyId enabled lastUsedAt user { name } service { id } } } }',
    });
    expect(answer.errors).toEqual([]);
    expect(answer.data).toMatchObject({
      viewer: {
        actor: { kind: 'ROOT', name: 'admin' },
        accessKeys: [{ accessKeyId: accessKey.accessKeyId, enabled: true, user: { name: 'admin' }, service: null }],
      },
    });
    expect(answer.text).not.toContain(secretAccessKey);
    const node = await house.gql<{ node: unknown }>(token, `{ node(id: "${accessKey.id}") { __typename id } }`);
    expect(node.node).toEqual({ __typename: 'AccessKey', id: accessKey.id });
    const remove = `mutation { deleteAccessKey(input: { id: "${accessKey.accessKeyId}" }) { deletedAccessKeyId userErrors { code } } }`;
    expect((await send({ ...own, headers, query: remove })).data).toMatchObject({
      deleteAccessKey: { deletedAccessKeyId: accessKey.id, userErrors: [] },
    });
    expect((await send({ ...own, headers })).status).toBe(401);
    // The database, the trail and the log have seen no secret.
    // Taking a key away has ended the sessions of its user.
    expect((await house.ask(token, '{ viewer { actor { id } } }')).status).toBe(401);
    const anew = await house.signIn(house.root, 'account');
    const { text } = await house.ask(anew, '{ auditEvents(first: 100) { nodes { operation before after } } }');
    expect(text).toContain('createAccessKey');
    expect(text + house.log.join('')).not.toContain(secretAccessKey);
  });

  it('cannot do what needs a session', async () => {
    const token = await house.signIn(house.root, 'account');
    const { createAccessKey } = await house.gql<Made>(token, make);
    const own = { accessKeyId: createAccessKey.accessKey.accessKeyId, secret: createAccessKey.secretAccessKey };
    for (const query of [
      'mutation { signOut(input: {}) { userErrors { code } } }',
      'mutation { switchScope(input: { scope: { account: true } }) { userErrors { code } } }',
    ]) {
      expect((await send({ ...own, headers: { 'x-workspace-id': '0' }, query })).text).toContain('"code":"INVALID"');
    }
  });
});

describe('a signed request is refused', () => {
  const refused: readonly (readonly [string, Sent])[] = [
    ['with another secret', { secret: 'x'.repeat(40) }],
    ['with a key that nobody has', { accessKeyId: 'AKEXAMPLE0000000TEST' }],
    [
      'with another body than was signed',
      { tamper: (sent) => (sent.body = JSON.stringify({ query: '{ __typename }' })) },
    ],
    ['with a query that was not signed', { tamper: (sent) => (sent.url += '?a=1') }],
    ['with a changed header', { tamper: (sent) => (sent.headers['x-workspace-id'] = '0') }],
    ['with a date of an hour ago', { at: Date.now() - 3_600_000 }],
    ['with a date of an hour ahead', { at: Date.now() + 3_600_000 }],
    ['with a workspace that is not signed', { headers: { 'x-workspace-id': '' }, unsigned: { 'x-workspace-id': '0' } }],
    ['with a project that is not signed', { unsigned: { 'x-project-id': '0' } }],
    ['with an unsigned payload', { headers: { 'x-sdk-content-sha256': 'UNSIGNED-PAYLOAD' } }],
    ['with a declared hash that is not the body’s', { headers: { 'x-sdk-content-sha256': 'a'.repeat(64) } }],
    ['without a date', { headers: { 'x-sdk-date': '' } }],
    [
      'with a signature that is cut short',
      { tamper: (sent) => (sent.headers['authorization'] = (sent.headers['authorization'] ?? '').slice(0, -1)) },
    ],
  ];
  it.each(refused)('%s', async (_name, sent) => {
    const answer = await send(sent);
    expect(answer.status).toBe(401);
    expect(codesOf(answer)).toEqual(['UNAUTHENTICATED']);
    expect(answer.errors[0]?.extensions).toMatchObject({ reference: 'APIG.0301' });
    expect(answer.data).toBeNull();
  });

  it.each<[string, Sent]>([
    ['with two scopes that disagree', { headers: { 'x-project-id': '0' } }],
    ['with a workspace and the account', { headers: { 'x-domain-id': 'a'.repeat(32) } }],
  ])('%s, as one that contradicts itself', async (_name, sent) => {
    const answer = await send(sent);
    expect(answer.status).toBe(400);
    expect(codesOf(answer)).toEqual(['BAD_REQUEST']);
  });

  it('once its key was rotated away', async () => {
    const token = await house.signIn(house.root, 'account');
    const rotated = await house.gql<{ rotateServiceKey: { accessKeyId: string; secretAccessKey: string } }>(
      token,
      `mutation { rotateServiceKey(input: { id: "${key.id}", endOthers: true }) { accessKeyId secretAccessKey userErrors { code } } }`,
    );
    expect((await send({})).status).toBe(401);
    key = { ...rotated.rotateServiceKey, id: key.id };
    expect((await send({})).errors).toEqual([]);
  });

  it('once the service is disabled', async () => {
    const token = await house.signIn(house.root, 'account');
    const set = (enabled: boolean) =>
      house.gql(
        token,
        `mutation { updateService(input: { id: "${key.id}", enabled: ${enabled} }) { userErrors { code } } }`,
      );
    await set(false);
    expect((await send({})).status).toBe(401);
    await set(true);
    expect((await send({})).errors).toEqual([]);
  });
});

it('where it is known under which names the server is reached, a request must have been signed for one of them', async () => {
  const named = await startHouse({ hosts: ['iam.example.com'] });
  const { made } = await named.gql<{ made: Key & { accessKey: { accessKeyId: string } } }>(
    await named.signIn(named.root, 'account'),
    'mutation { made: createAccessKey(input: {}) { accessKey { accessKeyId } secretAccessKey userErrors { code } } }',
  );
  const key = { accessKeyId: made.accessKey.accessKeyId, secretAccessKey: made.secretAccessKey };
  const body = JSON.stringify({ query: '{ viewer { actor { kind } } }' });
  const send = async (host: string, signsHost = true): Promise<Answer> => {
    const headers = { 'content-type': 'application/json', ...(signsHost ? { host } : {}) };
    const signed = sign(key, { headers, body, at: named.iam.now() });
    const sent = { ...signed.headers, host, authorization: signed.authorization };
    return exchange(named.url, { headers: Object.entries(sent).flat(), body });
  };
  expect((await send('IAM.example.com')).data).toEqual({ viewer: { actor: { kind: 'ROOT' } } });
  const refused = await Promise.all([send('storage.example.com'), send('iam.example.com', false)]);
  expect(refused.map(({ status, errors }) => [status, errors[0]?.message])).toEqual([
    [401, 'the request was made for `storage.example.com`, which is not this server'],
    [401, 'the request does not sign its `Host`; sign it'],
  ]);
});
