/** The signer beside the vendor's own, byte by byte, and beside the vectors of docs/domain.md section e3. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BasicCredentials } from '@huaweicloud/huaweicloud-sdk-core';
import { AKSKSigner } from '@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner.js';
import { signRequest } from '../../src/sdk/index.js';
import { readSignatureDate } from '../../src/signatures/index.js';
import { seed } from '../policy/seed.js';
import vectors from '../signatures/vectors.json' with { type: 'json' };

const credentials = {
  accessKeyId: 'AKEXAMPLE0000000TEST',
  secretAccessKey: 'ExampleSecretKeyForTestVectorsOnly000000',
};

// Where the vendor's signer leaves its own specification it is not followed: it escapes escaped paths once more, and
// orders headers by the rules of a language, which disagree with the order of codes where a name has more hyphens.
const segment = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_.~'), minLength: 1, maxLength: 12 });
const word = fc.string({ unit: fc.constantFrom(...'abcdefghij'), minLength: 1, maxLength: 10 });
const text = fc.string({ unit: 'grapheme', maxLength: 12 });

const requests = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD'),
  // A segment of dots alone is not sent as it is written.
  path: fc.array(
    segment.filter((value) => /[^.]/.test(value)),
    { maxLength: 4 },
  ),
  query: fc.dictionary(
    text.filter((key) => key !== '' && key !== '__proto__'),
    fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 3 })),
    { maxKeys: 4 },
  ),
  headers: fc.dictionary(
    word.map((name) => `x-${name}`),
    fc.string({ unit: fc.constantFrom(...'ab cdé/;=,"'), maxLength: 12 }).map((value) => value.trim()),
    { maxKeys: 4 },
  ),
  body: fc.option(fc.record({ text, number: fc.integer() }), { nil: undefined }),
  at: fc.integer({ min: 1_577_836_800, max: 4_102_444_799 }).map((seconds) => seconds * 1000),
});

it('a request has the authorization that the vendor’s signer gives it, 2,000 of 2,000', () => {
  fc.assert(
    fc.property(requests, ({ method, path, query, headers, body, at }) => {
      const endpoint = `https://storage.example.com:8443/${path.join('/')}`;
      const sent = { 'content-type': 'application/json', ...headers };
      const date = new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, '');
      const request = {
        method,
        endpoint,
        queryParams: structuredClone(query),
        headers: { ...sent, 'X-Sdk-Date': date },
        ...(body === undefined ? {} : { data: body }),
      };
      const key = new BasicCredentials().withAk(credentials.accessKeyId).withSk(credentials.secretAccessKey);
      const theirs = AKSKSigner.sign(request, key) as Record<string, string>;
      const pairs = Object.entries(query).flatMap(([name, value]) =>
        [value].flat().map((single) => `${encodeURIComponent(name)}=${encodeURIComponent(single)}`),
      );
      const ours = signRequest({
        method,
        url: pairs.length === 0 ? endpoint : `${endpoint}?${pairs.join('&')}`,
        headers: sent,
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials,
        at,
      });
      expect(ours['authorization']).toBe(theirs['Authorization']);
    }),
    { numRuns: 2_000, seed },
  );
});

// What an unsigned payload is signed as, Bailiwick never takes.
it.each(vectors.filter(({ name }) => name !== 'V2'))('vector $name: $says', (vector) => {
  const {
    host,
    'x-sdk-date': date,
    ...headers
  } = Object.fromEntries(Object.entries(vector.headers).map(([name, value]) => [name, String(value)]));
  const query = vector.query === '' ? '' : `?${vector.query}`;
  const signed = signRequest({
    method: vector.method,
    url: `https://${host}${vector.path}${query}`,
    headers,
    body: vector.body,
    credentials: { accessKeyId: 'AK', secretAccessKey: vector.secretKey },
    at: readSignatureDate(date ?? '') ?? 0,
  });
  expect(signed['authorization']).toContain(`Signature=${vector.signature}`);
});

it('signs what it sends, but never the type of a multipart body', () => {
  const headers = signRequest({
    method: 'PUT',
    url: 'http://localhost:4000/files/a%20b?part=1',
    headers: { 'Content-Type': 'multipart/form-data; boundary=x', 'X-Other': ' spaced ' },
    body: new TextEncoder().encode('bytes'),
    credentials: { ...credentials, securityToken: 'temp-token' },
    scope: { workspace: 'w1' },
    at: Date.UTC(2026, 0, 1),
  });
  expect(headers['authorization']).toContain('SignedHeaders=host;x-other;x-sdk-date;x-security-token;x-workspace-id,');
  expect(headers).toMatchObject({
    'x-security-token': 'temp-token',
    'x-workspace-id': 'w1',
    'x-sdk-date': '20260101T000000Z',
  });
  expect(Object.keys(headers)).not.toContain('host');
});

it('refuses an address that readers would read in two ways', () => {
  const sign = (url: string) => () => signRequest({ method: 'GET', url, credentials });
  expect(sign('http://localhost/?a=b+c')).toThrow(/write `%20` for a space/);
  expect(sign('http://localhost/?a=%zz')).toThrow(TypeError);
});

it('names what cannot be sent, and does not show it', () => {
  const secret = 'token-of-somebody';
  const attempt = (given: object, headers = {}) => {
    try {
      signRequest({ method: 'GET', url: 'http://localhost/', headers, credentials: { ...credentials, ...given } });
    } catch (error) {
      return String(error);
    }
    return 'sent';
  };
  expect(attempt({ securityToken: `${secret}\nx` })).toMatch(/^TypeError: .*`x-security-token`/);
  expect(attempt({ accessKeyId: `${secret}\n` })).toMatch(/^TypeError: the id of the access key/);
  expect(attempt({}, { 'X-Other': `${secret}\u{1f511}` })).toMatch(/^TypeError: .*`x-other`/);
  for (const given of [{ securityToken: `${secret}\nx` }, { accessKeyId: `${secret}\n` }]) {
    expect(attempt(given)).not.toContain(secret);
  }
  expect(attempt({ securityToken: secret })).toBe('sent');
});
