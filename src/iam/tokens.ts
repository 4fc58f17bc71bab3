/**
 * Bearer tokens: signed (EdDSA, RFC 8037), short, and stateless but for the session they name. The server stores session
 * ids, never tokens. It must never know what a session is worth now: a good reading is a claim, looked at by Calls.
 */
import { hash, type JsonWebKey, type KeyObject } from 'node:crypto';
import { errors, jwtVerify, SignJWT, type JWTHeaderParameters, type JWTPayload } from 'jose';
import { isAhead } from './clocks.js';
import type { Scope } from './ports.js';
import { Recollection, type Stamp } from './recollection.js';
import type { Id, Instant } from './records.js';
import { longestTokenLife, TokenKeys, usualTokenKeys, type TokenKeySettings } from './token-keys.js';

const issuer = 'bailiwick';
const algorithm = 'EdDSA';

/** All that the header of a token of ours has. Whatever else one brings (`crit`, `jwk`, `x5c` …) is a trick. */
const headerMembers: ReadonlySet<string> = new Set(['alg', 'kid', 'typ']);

export interface TokenClaims {
  readonly accountId: Id;
  readonly userId: Id;
  readonly sessionId: Id;
  readonly scope: Scope;
  readonly expiresAt: Instant;
  /** Id of the one service that may show the token (rule 23); null for a token of the user's own. */
  readonly audience: Id | null;
}

export type TokenReading =
  { readonly kind: 'good'; readonly claims: TokenClaims } | { readonly kind: 'expired' } | { readonly kind: 'broken' };

export interface Tokens {
  issue(claims: Omit<TokenClaims, 'audience'> & Partial<Pick<TokenClaims, 'audience'>>): Promise<string>;
  /** At once where the token was verified before. */
  read(token: string): TokenReading | Promise<TokenReading>;
  /** For whoever verifies tokens elsewhere (RFC 7517). */
  publicKeys(): readonly JsonWebKey[];
}

/** A signature stays what it is. Whether the token or its key has come to an end is looked at each time. */
const forGood: Stamp = 0;

/**
 * @param masterKey 32 bytes kept outside the database
 * @param remembered tokens that are not verified again once they were found to be signed by us; kept by their SHA-256, so
 * that no memory holds one
 */
export function createTokens(
  masterKey: Uint8Array,
  now: () => Instant,
  settings: TokenKeySettings = usualTokenKeys,
  remembered = 20_000,
): Tokens {
  const keys = new TokenKeys(masterKey, settings);
  const readings = new Recollection<Verified>(remembered);
  const asOfNow = ({ kid, issuedAt, reading }: Verified): TokenReading => {
    if (reading.kind !== 'good') return reading;
    const at = now();
    if (reading.claims.expiresAt <= at) return { kind: 'expired' };
    // A key goes when its period is over, whatever it has signed.
    if (keys.verifying(kid, at) === null) return { kind: 'broken' };
    // One that was made by a clock that was ahead would live for longer than it was made for.
    return isAhead(issuedAt, at) ? { kind: 'expired' } : reading;
  };
  return {
    issue: async ({ accountId, userId, sessionId, scope, expiresAt, audience = null }) => {
      const at = now();
      // INVARIANT: the last period's key is dropped when no token of it can be alive any more.
      if (expiresAt - at > longestTokenLife) throw new Error('no token may live longer than a day');
      const { kid, privateKey } = keys.signing(at);
      const token = new SignJWT({
        acc: accountId,
        sid: sessionId,
        scp: scope.workspaceId === null ? 'account' : 'workspace',
        wsp: scope.workspaceId ?? undefined,
      })
        .setProtectedHeader({ alg: algorithm, typ: 'JWT', kid })
        .setIssuer(issuer)
        .setSubject(userId)
        .setIssuedAt(Math.floor(at / 1000))
        .setExpirationTime(Math.floor(expiresAt / 1000));
      return (audience === null ? token : token.setAudience(audience)).sign(privateKey);
    },
    read: (token) => {
      const verified = readings.of(hash('sha256', token, 'base64'), forGood, () => verify(keys, token, now()), isGood);
      return verified instanceof Promise ? verified.then(asOfNow) : asOfNow(verified);
    },
    publicKeys: () => keys.published(now()),
  };
}

interface Verified {
  readonly kid: string;
  readonly issuedAt: Instant;
  readonly reading: TokenReading;
}

const broken: Verified = { kid: '', issuedAt: 0, reading: { kind: 'broken' } };

function isGood({ reading }: Verified): boolean {
  return reading.kind === 'good';
}

async function verify(keys: TokenKeys, token: string, at: Instant): Promise<Verified> {
  if (!isCanonical(token)) return broken;
  try {
    const { payload, protectedHeader } = await jwtVerify(token, (header) => keyFor(keys, header, at), {
      algorithms: [algorithm],
      issuer,
      typ: 'JWT',
      requiredClaims: ['sub', 'acc', 'sid', 'scp', 'iat', 'exp'],
      currentDate: new Date(at),
    });
    const claims = claimsOf(payload);
    return claims === null
      ? broken
      : { kid: protectedHeader.kid ?? '', issuedAt: (payload.iat ?? 0) * 1000, reading: { kind: 'good', claims } };
  } catch (error) {
    if (error instanceof errors.JWTExpired) return { kid: '', issuedAt: 0, reading: { kind: 'expired' } };
    if (error instanceof errors.JOSEError) return broken;
    throw error;
  }
}

function keyFor(keys: TokenKeys, header: JWTHeaderParameters, at: Instant): KeyObject {
  if (Object.keys(header).some((name) => !headerMembers.has(name))) throw new errors.JWSInvalid();
  const key = typeof header.kid === 'string' ? keys.verifying(header.kid, at) : null;
  if (key === null) throw new errors.JWKSNoMatchingKey();
  return key;
}

/** The last letter of a base64url text has bits that decoding ignores; a token has one spelling only. */
function isCanonical(token: string): boolean {
  return token.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part);
}

function claimsOf({ sub, acc, sid, scp, wsp, exp, aud }: JWTPayload): TokenClaims | null {
  if (typeof sub !== 'string' || typeof acc !== 'string' || typeof sid !== 'string' || exp === undefined) return null;
  if (aud !== undefined && typeof aud !== 'string') return null;
  const workspaceId = typeof wsp === 'string' ? wsp : null;
  if (scp === 'account' ? wsp !== undefined : scp !== 'workspace' || workspaceId === null) return null;
  return {
    accountId: acc,
    userId: sub,
    sessionId: sid,
    scope: { accountId: acc, workspaceId },
    expiresAt: exp * 1000,
    audience: aud ?? null,
  };
}
