/**
 * Verification of signed requests, without a server: what changes the canonical request, the date, the key or the
 * signature is refused, ten thousand times of ten thousand; what leaves them equal is the same actor.
 */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { createSealing, KeyLocks, type AccessKey, type BrokenCredential } from '../../src/iam/index.js';
import type { House } from '../../src/iam/house.js';
import { verifySignature, type SignedRequest } from '../../src/iam/signed-requests.js';
import { sdkDate, sha256, sign, type Key, type Signed } from '../kit/signing.js';
import { seed } from '../policy/seed.js';

const at = Date.parse('2026-01-01T00:00:00Z');
const sealing = createSealing(new Uint8Array(32).fill(3));
const keys: readonly Key[] = ['KEYONE00000000000000', 'KEYTWO00000000000000'].map((accessKeyId) => ({
  accessKeyId,
  secretAccessKey: randomBytes(30).toString('base64url'),
}));
const rows = new Map<string, AccessKey>();
let house: House;

beforeAll(() => {
  for (const { accessKeyId: id, secretAccessKey } of keys) {
    rows.set(id, {
      id,
      accountId: 'a1',
      ownerKind: 'USER',
      ownerId: id,
      sealedSecret: sealing.seal(secretAccessKey, id),
      description: '',
      enabled: true,
      lastUsedAt: null,
      createdAt: at,
    });
  }
  // Of the whole house, verification asks for two things.
  const access = { accessKey: async (id: string) => rows.get(id) ?? null, agencySession: async () => null };
  house = { sealing, store: { access } } as unknown as House;
});

const word = fc.stringMatching(/^[A-Za-z0-9_.~-]{1,12}$/);
const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
  .filter((value) => !/\p{Surrogate}/u.test(value))
  .map(encodeURIComponent);
const headerValue = fc.stringMatching(/^[!-~]([ -~]{0,18}[!-~])?$/);

const request = fc
  .record({
    method: fc.constantFrom('POST', 'GET', 'PUT', 'DELETE'),
    segments: fc.array(fc.oneof(word, text), { minLength: 1, maxLength: 4 }),
    pairs: fc.array(fc.tuple(fc.oneof(word, text), fc.oneof(word, text, fc.constant(''))), { maxLength: 4 }),
    extra: fc.dictionary(
      fc.stringMatching(/^x-[a-z]{1,8}$/).filter((name) => name !== 'x-sdk-date'),
      headerValue,
      { maxKeys: 3 },
    ),
    body: fc.string({ maxLength: 40 }),
    workspace: fc.option(word),
  })
  .map(({ method, segments, pairs, extra, body, workspace }) => ({
    method,
    path: `/${segments.join('/')}`,
    query: pairs.map(([name, value]) => `${name}=${value}`).join('&'),
    headers: { host: 'localhost:4000', ...extra, ...(workspace === null ? {} : { 'x-workspace-id': workspace }) },
    body,
    at,
  }));

interface Sent {
  method: string;
  path: string;
  query: string;
  headers: [string, string][];
  body: string;
  authorization: string;
}

function sentOf({ method, path, query, headers, body, authorization }: Signed): Sent {
  return { method, path, query, headers: Object.entries(headers), body, authorization };
}

function verify(sent: Sent, locks = new KeyLocks()): Promise<SignedRequest | BrokenCredential> {
  const { method, path, query, headers, body, authorization } = sent;
  const received = {
    method,
    path,
    query,
    headers: headers.map(([name, value]) => [name.toLowerCase(), value] as const),
    bodySha256: sha256(body),
  };
  return verifySignature(house, house.store.access, locks, {
    authorization,
    request: received,
    now: at,
    sourceAddress: '127.0.0.1',
  });
}

const [one, two] = keys as [Key, Key];

/** Each changes one thing that the signature is about. */
const changes: Readonly<Record<string, (sent: Sent, draw: (maximum: number) => number) => void>> = {
  'the method': (sent) => (sent.method = sent.method === 'POST' ? 'PUT' : 'POST'),
  'a character more in the path': (sent) => (sent.path += 'x'),
  'a segment more in the path': (sent) => (sent.path = `/x${sent.path}`),
  'a slash within the path': (sent) => (sent.path = `/${sent.path}`),
  'a pair more in the query': (sent) => (sent.query = sent.query === '' ? 'zz=1' : `${sent.query}&zz=1`),
  'a value in the query': (sent) => (sent.query = sent.query === '' ? 'q' : `${sent.query}x`),
  'the body': (sent) => (sent.body += ' '),
  'the value of a signed header': (sent, draw) => {
    const header = sent.headers[draw(sent.headers.length)];
    if (header !== undefined) header[1] = `${header[1]}x`;
  },
  'a signed header that is gone': (sent, draw) => void sent.headers.splice(draw(sent.headers.length), 1),
  'a signed header that is there twice': (sent, draw) => {
    const header = sent.headers[draw(sent.headers.length)];
    if (header !== undefined) sent.headers.push([...header]);
  },
  'the date': (sent) => {
    const date = sent.headers.find(([name]) => name === 'x-sdk-date');
    if (date !== undefined) date[1] = sdkDate(at + 1000);
  },
  'the key': (sent) => (sent.authorization = sent.authorization.replace(one.accessKeyId, two.accessKeyId)),
  'a key that there is not': (sent) =>
    (sent.authorization = sent.authorization.replace(one.accessKeyId, 'N'.repeat(20))),
  'a digit of the signature': (sent, draw) => {
    const start = sent.authorization.length - 64 + draw(64);
    const digit = sent.authorization[start] === '0' ? '1' : '0';
    sent.authorization = sent.authorization.slice(0, start) + digit + sent.authorization.slice(start + 1);
  },
  'the list of signed headers': (sent) =>
    (sent.authorization = sent.authorization.replace(/SignedHeaders=[^;,]+;?/, 'SignedHeaders=')),
  'a scope that was not signed': (sent) => void sent.headers.push(['x-domain-id', 'a1']),
  'the algorithm': (sent) => (sent.authorization = sent.authorization.replace('SHA256', 'SHA1')),
};

it('any change is refused, 10,000 of 10,000', async () => {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(request, fc.constantFrom(...Object.keys(changes)), fc.nat(), async (made, change, number) => {
      const sent = sentOf(sign(one, made));
      expect(await verify(sent)).not.toHaveProperty('message');
      changes[change]?.(sent, (maximum) => number % maximum);
      expect(await verify(sent), change).toHaveProperty('message');
      refused += 1;
    }),
    { numRuns: 10_000, seed },
  );
  expect(refused).toBe(10_000);
});

/** Each leaves the canonical request as it was. */
const same: Readonly<Record<string, (sent: Sent) => void>> = {
  'the order of the query': (sent) => (sent.query = sent.query.split('&').reverse().join('&')),
  'the spelling of escapes': (sent) =>
    (sent.path = sent.path.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase())),
  'escapes that need not be': (sent) =>
    (sent.path = sent.path.replace(/(?<!%[0-9A-F]?)[A-Za-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`)),
  'a slash at the end': (sent) => (sent.path = sent.path.endsWith('/') ? sent.path : `${sent.path}/`),
  'the case of header names': (sent) =>
    (sent.headers = sent.headers.map(([name, value]) => [name.toUpperCase(), value])),
  'the order of headers': (sent) => void sent.headers.reverse(),
  'spaces around values': (sent) => (sent.headers = sent.headers.map(([name, value]) => [name, `  ${value} `])),
  'headers that are not signed': (sent) => void sent.headers.push(['accept', '*/*'], ['user-agent', 'somebody']),
};

it('what leaves the request equal is the same actor', async () => {
  await fc.assert(
    fc.asyncProperty(request, fc.constantFrom(...Object.keys(same)), async (made, change) => {
      const sent = sentOf(sign(one, made));
      const before = await verify(sent);
      same[change]?.(sent);
      const after = await verify(sent);
      expect(after, change).toEqual(before);
      expect(after).toMatchObject({ signing: { key: { id: one.accessKeyId } } });
    }),
    { numRuns: 2_000, seed },
  );
});

it('a bare plus in a query is refused, since readers differ on what it is', async () => {
  const sent = sentOf(sign(one, { headers: { host: 'localhost' }, query: 'a=b%2Bc', at }));
  expect(await verify(sent)).not.toHaveProperty('message');
  expect(await verify({ ...sent, query: 'a=b+c' })).toHaveProperty('message');
});

it('the locks forget the oldest when there are too many', () => {
  const locks = new KeyLocks();
  for (let n = 0; n < 5; n += 1) locks.noteFailure('first', 'a', at);
  expect(locks.lockedUntil('first', 'a', at)).not.toBeNull();
  for (let n = 0; n < 10_000; n += 1) locks.noteFailure(`key-${n}`, 'a', at);
  expect(locks.lockedUntil('first', 'a', at)).toBeNull();
});
