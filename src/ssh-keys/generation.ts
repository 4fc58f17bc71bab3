/**
 * New pairs of keys. The private key is written as `ssh-keygen` writes one without a passphrase (OpenSSH's PROTOCOL.key),
 * the one form that every OpenSSH since 6.5 reads.
 */
import { generateKeyPairSync, randomBytes, type JsonWebKey } from 'node:crypto';
import { blobOfJwk, readPublicKey, type PublicKey } from './public-key.js';
import { wireNumber, wirePositive, wireString } from './wire.js';

/** RSA is left out: finding its primes takes a thread for seconds, and who needs one can bring it. */
export const generatedAlgorithms = ['ED25519', 'ECDSA'] as const;

export type GeneratedAlgorithm = (typeof generatedAlgorithms)[number];

export interface GeneratedKeyPair {
  readonly publicKey: PublicKey;
  /** PEM, for a file that only its owner reads. */
  readonly privateKey: string;
}

/** `comment`: shown by `ssh-keygen -l` and agents. */
export function generateKeyPair(algorithm: GeneratedAlgorithm, comment: string): GeneratedKeyPair {
  const jwk: JsonWebKey =
    algorithm === 'ED25519'
      ? generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  const blob = blobOfJwk(jwk);
  const secret = Buffer.from(jwk.d ?? '', 'base64url');
  // An Ed25519 secret stands there with the public half behind it.
  const own =
    algorithm === 'ED25519'
      ? wireString(Buffer.concat([secret, Buffer.from(jwk.x ?? '', 'base64url')]))
      : wirePositive(secret);
  const check = randomBytes(4);
  const plain = Buffer.concat([check, check, blob, own, wireString(comment)]);
  // Blocks of the cipher `none` have 8 bytes; what fills the last one counts up from 1.
  const padding = Buffer.from(Array.from({ length: (8 - (plain.length % 8)) % 8 }, (_, index) => index + 1));
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    wireString('none'),
    wireString('none'),
    wireString(''),
    wireNumber(1),
    wireString(blob),
    wireString(Buffer.concat([plain, padding])),
  ]);
  const lines = file.toString('base64').match(/.{1,70}/g) ?? [];
  const privateKey = ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join(
    '\n',
  );
  return { publicKey: readPublicKey(`${nameOf(blob)} ${blob.toString('base64')}`), privateKey };
}

function nameOf(blob: Buffer): string {
  return blob.subarray(4, 4 + blob.readUInt32BE(0)).toString('latin1');
}
