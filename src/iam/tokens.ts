/**
 * Bearer tokens: signed (EdDSA, RFC 8037), short, and stateless but for the session they name. The server stores session
 * ids, never tokens. The signing key is derived from the installation's master key (HKDF, RFC 5869), so no private key
 * is ever written to the database.
 */
import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import type { Scope } from './ports.js';
import type { Id, Instant } from './records.js';

const issuer = 'bailiwick';
const algorithm = 'EdDSA';

/** PKCS #8 header of an Ed25519 private key (RFC 8410 section 7); the 32 bytes of the seed follow it. */
const pkcs8Header = Buffer.from('302e020100300506032b657004220420', 'hex');

export interface TokenClaims {
  readonly accountId: Id;
  readonly userId: Id;
  readonly sessionId: Id;
  readonly scope: Scope;
  readonly expiresAt: Instant;
}

export type TokenReading =
  { readonly kind: 'good'; readonly claims: TokenClaims } | { readonly kind: 'expired' } | { readonly kind: 'broken' };

export interface Tokens {
  issue(claims: TokenClaims): Promise<string>;
  read(token: string): Promise<TokenReading>;
}

/** @param masterKey 32 bytes kept outside the database */
export function createTokens(masterKey: Uint8Array, now: () => Instant): Tokens {
  const seed = Buffer.from(hkdfSync('sha256', masterKey, new Uint8Array(0), 'bailiwick token signing 1', 32));
  const privateKey: KeyObject = createPrivateKey({
    key: Buffer.concat([pkcs8Header, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = createPublicKey(privateKey);
  return {
    issue: ({ accountId, userId, sessionId, scope, expiresAt }) =>
      new SignJWT({
        acc: accountId,
        sid: sessionId,
        scp: scope.workspaceId === null ? 'account' : 'workspace',
        wsp: scope.workspaceId ?? undefined,
      })
        .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
        .setIssuer(issuer)
        .setSubject(userId)
        .setIssuedAt(Math.floor(now() / 1000))
        .setExpirationTime(Math.floor(expiresAt / 1000))
        .sign(privateKey),
    read: async (token) => {
      try {
        const { payload } = await jwtVerify(token, publicKey, {
          algorithms: [algorithm],
          issuer,
          typ: 'JWT',
          requiredClaims: ['sub', 'acc', 'sid', 'scp', 'exp'],
          currentDate: new Date(now()),
        });
        const { sub, acc, sid, scp, wsp, exp } = payload;
        if (typeof sub !== 'string' || typeof acc !== 'string' || typeof sid !== 'string' || exp === undefined) {
          return { kind: 'broken' };
        }
        const inAccount = scp === 'account' && wsp === undefined;
        if (!inAccount && !(scp === 'workspace' && typeof wsp === 'string')) return { kind: 'broken' };
        return {
          kind: 'good',
          claims: {
            accountId: acc,
            userId: sub,
            sessionId: sid,
            scope: { accountId: acc, workspaceId: inAccount ? null : (wsp as string) },
            expiresAt: exp * 1000,
          },
        };
      } catch (error) {
        if (error instanceof errors.JWTExpired) return { kind: 'expired' };
        if (error instanceof errors.JOSEError) return { kind: 'broken' };
        throw error;
      }
    },
  };
}
