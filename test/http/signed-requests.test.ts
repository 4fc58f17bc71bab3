/** Services sign their requests (rule 3); real signatures over real HTTP, and what happens to the ones that are not quite right. */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { canonicalRequest, signCanonical, signatureScheme } from '../../src/iam/index.js';
import { codesOf, exchange, type Answer } from '../kit/exchange.js';
import { startHouse, type TestHouse } from '../kit/house.js';
import { setScene } from '../kit/scene.js';

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

  it('changes nothing, since it could be sent again', async () => {
    const before = (await house.iam.store.access.account(accountId))?.revision;
    const query = 'mutation { signOut(input: {}) { userErrors { code reference } } }';
    expect((await send({ query })).data).toEqual({
      signOut: { userErrors: [{ code: 'INVALID', reference: 'APIG.0301' }] },
    });
    expect((await house.iam.store.access.account(accountId))?.revision).toBe(before);
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
    ['with two scopes that disagree', { headers: { 'x-project-id': '0' } }],
    ['with a workspace and the account', { headers: { 'x-domain-id': 'a'.repeat(32) } }],
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
