/**
 * Time-based one-time passwords (RFC 6238) as authenticator apps know them: SHA-1, six digits, thirty seconds. It must
 * never know whose secret it is, nor which codes were taken before.
 */
import { Secret, TOTP } from 'otpauth';
import type { Instant } from './records.js';

const rules = { algorithm: 'SHA1', digits: 6, period: 30 } as const;

/** Steps before and after the present one whose code is taken too: clocks differ, and typing takes time. */
const tolerance = 1;

/** A new secret of 160 bits (RFC 4226 section 4) in base32, as a person would type it. */
export function newTotpSecret(): string {
  return new Secret({ size: 20 }).base32;
}

/** The address that a QR code holds: `otpauth://totp/…`. */
export function totpUri(secret: string, accountName: string, userName: string): string {
  const label = `${userName}@${accountName}`;
  return new TOTP({ ...rules, issuer: 'Bailiwick', label, secret: Secret.fromBase32(secret) }).toString();
}

/** The number of the time step whose code this is, null when it is of none that is taken now. */
export function totpCounter(secret: string, code: string, now: Instant): number | null {
  const token = code.replaceAll(' ', '');
  if (!/^\d{6}$/.test(token)) return null;
  const delta = TOTP.validate({
    ...rules,
    secret: Secret.fromBase32(secret),
    token,
    timestamp: now,
    window: tolerance,
  });
  return delta === null ? null : TOTP.counter({ period: rules.period, timestamp: now }) + delta;
}
