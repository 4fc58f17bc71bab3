import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  canonicalRequest,
  emptyBodySha256,
  isSignature,
  readAuthorization,
  readSignatureDate,
  signCanonical,
  type ReceivedRequest,
} from '../../src/signatures/index.js';
import vectors from './vectors.json' with { type: 'json' };

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function received(vector: (typeof vectors)[number]): ReceivedRequest {
  const headers = Object.entries(vector.headers).map(([name, value]) => [name, value] as const);
  const bodySha256 = vector.body === '' ? emptyBodySha256 : sha256(vector.body);
  return { method: vector.method, path: vector.path, query: vector.query, headers, bodySha256 };
}

describe('SDK-HMAC-SHA256 (docs/domain.md section e3)', () => {
  it.each(vectors)('$name: $says', (vector) => {
    const canonical = canonicalRequest(received(vector), Object.keys(vector.headers).sort());
    expect(canonical).not.toBeNull();
    expect(sha256(canonical ?? '')).toBe(vector.canonicalHash);
    const signature = signCanonical(canonical ?? '', vector.headers['x-sdk-date'], vector.secretKey);
    expect(signature).toBe(vector.signature);
    expect(isSignature(vector.signature, signature)).toBe(true);
  });

  it('a vector signs nothing else: another method, path, query, header or body has another signature', () => {
    for (const vector of vectors) {
      const request = received(vector);
      const names = Object.keys(vector.headers).sort();
      const others: ReceivedRequest[] = [
        { ...request, method: request.method === 'GET' ? 'POST' : 'GET' },
        { ...request, path: `${request.path}x` },
        { ...request, query: `${request.query}&z=1` },
        { ...request, headers: request.headers.map(([name, value]) => [name, name === 'host' ? 'evil' : value]) },
      ];
      if (!('x-sdk-content-sha256' in vector.headers)) others.push({ ...request, bodySha256: sha256('other') });
      for (const other of others) {
        const canonical = canonicalRequest(other, names) ?? '';
        expect(signCanonical(canonical, vector.headers['x-sdk-date'], vector.secretKey)).not.toBe(vector.signature);
      }
    }
  });
});

describe('reading the Authorization header', () => {
  const signature = 'a'.repeat(64);
  it.each([
    ['another scheme', `HMAC-SHA256 Access=AK, SignedHeaders=host, Signature=${signature}`],
    ['unsorted headers', `SDK-HMAC-SHA256 Access=AK, SignedHeaders=x-sdk-date;host, Signature=${signature}`],
    ['a header named twice', `SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;host, Signature=${signature}`],
    ['an empty header name', `SDK-HMAC-SHA256 Access=AK, SignedHeaders=;host, Signature=${signature}`],
    ['upper-case header names', `SDK-HMAC-SHA256 Access=AK, SignedHeaders=Host, Signature=${signature}`],
    ['a short signature', 'SDK-HMAC-SHA256 Access=AK, SignedHeaders=host, Signature=abcd'],
    ['an upper-case signature', `SDK-HMAC-SHA256 Access=AK, SignedHeaders=host, Signature=${'A'.repeat(64)}`],
    ['something after it', `SDK-HMAC-SHA256 Access=AK, SignedHeaders=host, Signature=${signature}, Extra=1`],
  ])('refuses %s', (_name, header) => {
    expect(readAuthorization(header)).toBeNull();
  });

  it('reads a good one', () => {
    expect(
      readAuthorization(`SDK-HMAC-SHA256 Access=AK1, SignedHeaders=host;x-sdk-date, Signature=${signature}`),
    ).toEqual({ accessKeyId: 'AK1', signedHeaders: ['host', 'x-sdk-date'], signature });
  });
});

describe('reading the date', () => {
  it.each(['20260230T000000Z', '20261301T000000Z', '20260101T250000Z', '2026-01-01T00:00:00Z', '20260101T000000', ''])(
    'refuses %j',
    (date) => {
      expect(readSignatureDate(date)).toBeNull();
    },
  );
  it('reads a good one', () => {
    expect(readSignatureDate('20260101T000000Z')).toBe(Date.UTC(2026, 0, 1));
  });
});
