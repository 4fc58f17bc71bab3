import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { signOut } from '../../src/iam/index.js';
import { codesOf, exchange, type Answer } from '../kit/exchange.js';
import { startHouse, type TestHouse } from '../kit/house.js';

const query = '{ viewer { actor { name } } }';
const day = 24 * 60 * 60 * 1000;

let house: TestHouse;
let token = '';

beforeAll(async () => {
  house = await startHouse();
  token = await house.signIn(house.root);
});

function send(headers: readonly string[], source = query): Promise<Answer> {
  const body = JSON.stringify({ query: source });
  return exchange(house.url, { headers: ['content-type', 'application/json', ...headers], body });
}

function expectBroken(answer: Answer, message?: string): void {
  expect(answer.status).toBe(401);
  expect(codesOf(answer)).toEqual(['UNAUTHENTICATED']);
  expect(answer.data).toBeNull();
  if (message !== undefined) expect(answer.errors[0]?.message).toBe(message);
}

describe('a good token', () => {
  test.each([
    ['as bearer', () => ['authorization', `Bearer ${token}`]],
    ['as bearer, whatever the case of the scheme', () => ['Authorization', `bEARER   ${token} `]],
    ['as X-Auth-Token', () => ['X-Auth-Token', token]],
    ['in both headers', () => ['x-auth-token', token, 'authorization', `Bearer ${token}`]],
  ])('is taken %s', async (_way, headers) => {
    const answer = await send(headers());
    expect(answer.status, answer.text).toBe(200);
    expect(answer.data).toEqual({ viewer: { actor: { name: 'admin' } } });
  });
});

test('without a credential the field is refused, and what is public is not', async () => {
  const refused = await send([]);
  expect(refused.status).toBe(401);
  expect(codesOf(refused)).toEqual(['UNAUTHENTICATED']);
  expect(refused.errors[0]?.path).toEqual(['viewer']);
  expect(await send([], '{ __typename }')).toMatchObject({ status: 200, data: { __typename: 'Query' } });
});

describe('headers that do not carry one credential', () => {
  test.each([
    [
      'both headers with different tokens',
      () => ['x-auth-token', 'a.b.c', 'authorization', `Bearer ${token}`],
      '`Authorization` and `X-Auth-Token` carry different credentials; send one of them',
    ],
    [
      'two equal Authorization headers',
      () => ['authorization', `Bearer ${token}`, 'authorization', `Bearer ${token}`],
      'the header `Authorization` stands there more than once; send one',
    ],
    [
      'two Authorization headers, the good one first',
      () => ['authorization', `Bearer ${token}`, 'authorization', 'Basic YTpi'],
      'the header `Authorization` stands there more than once; send one',
    ],
    [
      'two X-Auth-Token headers',
      () => ['x-auth-token', token, 'x-auth-token', token],
      'the header `X-Auth-Token` stands there more than once; send one',
    ],
    [
      'a good X-Auth-Token beside a scheme that is unknown',
      () => ['x-auth-token', token, 'authorization', 'Basic YTpi'],
      'the scheme of `Authorization` is unknown; send `Authorization: Bearer` with a token',
    ],
    [
      'the token without a scheme',
      () => ['authorization', token],
      'the scheme of `Authorization` is unknown; send `Authorization: Bearer` with a token',
    ],
    [
      'a signature',
      () => ['authorization', 'SDK-HMAC-SHA256 Access=A, SignedHeaders=host, Signature=0'],
      'the Authorization header is not of the form `SDK-HMAC-SHA256 Access=…, …`',
    ],
    ['an empty scheme', () => ['authorization', ''], undefined],
    [
      'a bearer without a token',
      () => ['authorization', 'Bearer '],
      'the header `Authorization` has no token; sign in and send the token',
    ],
    [
      'an empty X-Auth-Token',
      () => ['x-auth-token', ''],
      'the header `X-Auth-Token` has no token; sign in and send the token',
    ],
    [
      'a token in two parts',
      () => ['authorization', 'Bearer a b'],
      'the token in `Authorization` has characters that no token has; sign in again',
    ],
    [
      'a list of tokens',
      () => ['x-auth-token', `${token}, ${token}`],
      'the token in `X-Auth-Token` has characters that no token has; sign in again',
    ],
  ] as const)('%s are broken, never chosen between', async (_what, headers, message) => {
    expectBroken(await send(headers()), message);
  });
});

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

describe('a token that is not ours', () => {
  const header = (): Record<string, unknown> => read(0);
  const claims = (): Record<string, unknown> => read(1);
  function read(index: number): Record<string, unknown> {
    return JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString()) as Record<string, unknown>;
  }
  function signature(): string {
    return token.split('.')[2] ?? '';
  }
  function signed(head: object, body: object): string {
    const { privateKey } = generateKeyPairSync('ed25519');
    const text = `${part(head)}.${part(body)}`;
    return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
  }

  test.each<readonly [string, () => string]>([
    ['is no token at all', () => 'nonsense'],
    ['has two parts', () => token.split('.').slice(0, 2).join('.')],
    ['has lost its signature', () => `${token.split('.').slice(0, 2).join('.')}.`],
    ['says `alg: none`', () => `${part({ alg: 'none', typ: 'JWT' })}.${part(claims())}.`],
    [
      'says `alg: none` and keeps the signature',
      () => `${part({ ...header(), alg: 'none' })}.${part(claims())}.${signature()}`,
    ],
    ['says `alg: None`', () => `${part({ ...header(), alg: 'None' })}.${part(claims())}.`],
    ['is signed by another key', () => signed(header(), claims())],
    [
      'brings its own key along',
      () => {
        const { publicKey, privateKey } = generateKeyPairSync('ed25519');
        const text = `${part({ ...header(), jwk: publicKey.export({ format: 'jwk' }) })}.${part(claims())}`;
        return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
      },
    ],
    [
      'is an HMAC',
      () => {
        const { publicKey } = generateKeyPairSync('ed25519');
        const key = createPublicKey(publicKey.export({ format: 'pem', type: 'spki' }).toString());
        const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims())}`;
        const secret = key.export({ format: 'pem', type: 'spki' });
        return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
      },
    ],
    ['names another user', () => `${part(header())}.${part({ ...claims(), sub: 'f'.repeat(32) })}.${signature()}`],
    [
      'names another scope',
      () => `${part(header())}.${part({ ...claims(), scp: 'account', wsp: undefined })}.${signature()}`,
    ],
    ['says that it never ends', () => `${part(header())}.${part({ ...claims(), exp: 99_999_999_999 })}.${signature()}`],
    ['is good but for its last letters', () => `${token.slice(0, -4)}AAAA`],
    ['is a megabyte long but for the header limit', () => 'a'.repeat(8_000)],
  ])('is refused when it %s', async (_how, forge) => {
    const answer = await send(['authorization', `Bearer ${forge()}`]);
    expectBroken(answer, 'the token is not one of ours; sign in again');
    expect(answer.errors[0]?.extensions['reference']).toBe('IAM.0067');
  });

  test('is refused from another house, though its account has the same name', async () => {
    const other = await startHouse();
    const foreign = await other.signIn(other.root);
    expectBroken(await send(['authorization', `Bearer ${foreign}`]), 'the token is not one of ours; sign in again');
  });
});

test('a broken credential gets no answer to anything: not to sign-in, not to public names, not to a faulty document', async () => {
  const signIn = `mutation { signIn(input: {account: "default", userName: "admin", password: "${house.root.password}"}) { token } }`;
  for (const source of [signIn, '{ __typename }', '{ nonsense }', '{', '']) {
    expectBroken(await send(['authorization', 'Bearer a.b.c'], source));
  }
});

test('a token ends with its session, at the next request', async () => {
  const own = await house.signIn(house.root);
  const headers = ['authorization', `Bearer ${own}`];
  expect((await send(headers)).status).toBe(200);
  const { iam } = house;
  const call = await iam.calls.open({
    requestId: 'r1',
    credential: { kind: 'token', token: own },
    environment: { now: iam.now(), sourceAddress: null },
  });
  expect(await signOut(iam, call)).toMatchObject({ kind: 'succeeded' });
  expectBroken(await send(headers), 'the session has ended; sign in again');
  expect((await send(['authorization', `Bearer ${token}`])).status).toBe(200);
});

test('a token ends by itself after a day', async () => {
  const late = await startHouse();
  const own = await late.signIn(late.root);
  late.advance(day - 60_000);
  expect((await late.ask(own, query)).status).toBe(200);
  late.advance(61_000);
  const answer = await late.ask(own, query);
  expectBroken(answer, 'the token has expired; sign in again');
  expect(answer.errors[0]?.extensions['reference']).toBe('IAM.0066');
});
