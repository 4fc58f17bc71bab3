/** One-time passwords against the vectors of RFC 6238 appendix B (SHA-1), cut to six digits as section 1.2 has it. */
import { URI } from 'otpauth';
import { describe, expect, it } from 'vitest';
import { newTotpSecret, totpCounter, totpUri } from '../../src/iam/totp.js';

/** `12345678901234567890` in base32. */
const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

const vectors: readonly (readonly [seconds: number, code: string])[] = [
  [59, '94287082'],
  [1_111_111_109, '07081804'],
  [1_111_111_111, '14050471'],
  [1_234_567_890, '89005924'],
  [2_000_000_000, '69279037'],
  [20_000_000_000, '65353130'],
];

describe('a one-time password', () => {
  it.each(vectors)('at %i seconds is the one of the RFC', (seconds, code) => {
    expect(totpCounter(secret, code.slice(-6), seconds * 1000)).toBe(Math.floor(seconds / 30));
  });

  it('may be written in two groups', () => {
    expect(totpCounter(secret, '287 082', 59_000)).toBe(1);
  });

  it.each(['', '28708', '2870820', '28708a', '٢٨٧٠٨٢', '-87082', '287.82', '94287082'])('is never `%s`', (code) => {
    expect(totpCounter(secret, code, 59_000)).toBeNull();
  });

  it('is taken one step early and one step late, and says of which step it is', () => {
    for (const seconds of [0, 29, 30, 59, 60, 89]) expect(totpCounter(secret, '287082', seconds * 1000)).toBe(1);
    for (const seconds of [90, 120, 3600]) expect(totpCounter(secret, '287082', seconds * 1000)).toBeNull();
  });

  it('comes from a secret of 160 bits that is made anew each time', () => {
    const secrets = Array.from({ length: 50 }, newTotpSecret);
    expect(new Set(secrets).size).toBe(50);
    for (const each of secrets) expect(each).toMatch(/^[A-Z2-7]{32}$/);
  });

  it('can be had from the address by any authenticator', () => {
    const uri = totpUri(secret, 'acme', 'ann walker');
    expect(uri).toMatch(/^otpauth:\/\/totp\/Bailiwick:ann%20walker%40acme\?/);
    const parsed = URI.parse(uri);
    expect(parsed).toMatchObject({
      issuer: 'Bailiwick',
      label: 'ann walker@acme',
      algorithm: 'SHA1',
      digits: 6,
      period: 30,
    });
    expect(parsed.secret.base32).toBe(secret);
  });
});
