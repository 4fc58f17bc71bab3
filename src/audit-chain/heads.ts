/**
 * Heads: where a chain stood at an instant, signed with the installation's key (Ed25519). Whoever keeps one elsewhere
 * can say later whether everything up to it is still what it was; whoever is given one can say that the installation
 * made it, and no other.
 */
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';
import type { Link } from './chain.js';

export const headFormat = 'bailiwick audit head 1';

export interface Head extends Link {
  /** Plain id of the account. */
  readonly account: string;
  /** When the head was made: `2030-01-31T08:00:00.000Z`. */
  readonly at: string;
}

export interface SignedHead extends Head {
  readonly format: typeof headFormat;
  /** The 32 bytes of the key, in base64url (`x` of RFC 8037). */
  readonly publicKey: string;
  /** Of the format, LF, and the canonical JSON of account, at, hash and position; in base64url. */
  readonly signature: string;
}

export interface HeadKey {
  readonly privateKey: KeyObject;
  readonly publicKey: string;
}

/** PKCS #8 header of an Ed25519 private key (RFC 8410 section 7); the 32 bytes of the seed follow it. */
const pkcs8Header = Buffer.from('302e020100300506032b657004220420', 'hex');

/** @param seed 32 bytes that nobody else has */
export function headKeyFrom(seed: Uint8Array): HeadKey {
  const key = Buffer.concat([pkcs8Header, seed]);
  const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  return { privateKey, publicKey: rawKey(createPublicKey(privateKey)) };
}

export function signHead({ privateKey, publicKey }: HeadKey, head: Head): SignedHead {
  const signature = sign(null, signedBytes(head), privateKey).toString('base64url');
  const { account, position, hash, at } = head;
  return { format: headFormat, account, position, hash, at, publicKey, signature };
}

/** Whether this key signed exactly this head, and the head says so itself. */
export function isGenuine(head: SignedHead, publicKey: string): boolean {
  if (head.publicKey !== publicKey || !isOneSpelling(head.publicKey) || !isOneSpelling(head.signature)) return false;
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
  return verify(null, signedBytes(head), key, Buffer.from(head.signature, 'base64url'));
}

/**
 * A signed head from JSON: by itself, or as the answer to a query of `auditHead`. Whether its signature fits is another
 * question. Null when it is none.
 */
export function readSignedHead(value: unknown): SignedHead | null {
  const given = member(member(value, 'data'), 'auditHead') ?? member(value, 'auditHead') ?? value;
  const [format, account, position, hash, at, publicKey, signature] = [
    'format',
    'account',
    'position',
    'hash',
    'at',
    'publicKey',
    'signature',
  ].map((name) => member(given, name));
  if (format !== headFormat || typeof account !== 'string' || account === '') return null;
  if (typeof position !== 'number' || !Number.isSafeInteger(position) || position < 0) return null;
  if (!matches(hash, /^[0-9a-f]{64}$/) || !matches(at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)) return null;
  if (!matches(publicKey, /^[\w-]{43}$/) || !matches(signature, /^[\w-]{86}$/)) return null;
  return { format, account, position, hash, at, publicKey, signature };
}

/** For a file (PEM), which other programs read too. */
export function publicKeyText(publicKey: string): string {
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
  return key.export({ format: 'pem', type: 'spki' }).toString();
}

/** The key in such a file; null when there is none. */
export function publicKeyFrom(text: string): string | null {
  // A private key has a public half too, but nobody means to carry it here.
  if (!text.includes('-----BEGIN PUBLIC KEY-----')) return null;
  try {
    const key = createPublicKey(text);
    return key.asymmetricKeyType === 'ed25519' ? rawKey(key) : null;
  } catch {
    return null;
  }
}

function rawKey(key: KeyObject): string {
  return key.export({ format: 'jwk' }).x ?? '';
}

/** The last digit has bits that nobody reads; another digit would stand for the same bytes. */
function isOneSpelling(base64url: string): boolean {
  return Buffer.from(base64url, 'base64url').toString('base64url') === base64url;
}

function signedBytes({ account, at, hash, position }: Head): Buffer {
  return Buffer.from(`${headFormat}\n${canonicalJson({ account, at, hash, position })}`);
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

function matches(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}
