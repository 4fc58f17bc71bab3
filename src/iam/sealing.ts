/**
 * Secrets at rest: AES-256-GCM (NIST SP 800-38D) under a key derived from the installation's master key, which lives
 * outside the database. The name of what is sealed is authenticated with it, so that one row's secret cannot be moved
 * to another row.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

const nonceLength = 12;
const tagLength = 16;

export interface Sealing {
  seal(secret: string, name: string): string;
  /**
   * The same result for the same text and name: for what clients compare and caches keep, such as cursors. The nonce is
   * derived from both, so that it is never used for two texts.
   */
  sealStably(text: string, name: string): string;
  /**
   * A secret that is made anew from the master key whenever it is needed, and so is stored nowhere; base64url.
   *
   * @param purpose keeps the secrets of one name apart
   * @param bytes of entropy
   */
  derive(purpose: string, name: string, bytes: number): string;
  /** Keyed hash in hexadecimal: tells whether two texts are the same, and gives no way to guess at one. */
  digest(text: string, name: string): string;
  /** Null when it was sealed under another key or for another name, or was altered. */
  open(sealed: string, name: string): string | null;
}

/** @param masterKey 32 bytes kept outside the database */
export function createSealing(masterKey: Uint8Array): Sealing {
  const derived = (purpose: string) => Buffer.from(hkdfSync('sha256', masterKey, new Uint8Array(0), purpose, 32));
  const key = derived('bailiwick sealing 1');
  const nonceKey = derived('bailiwick sealing nonces 1');
  const digestKey = derived('bailiwick digests 1');
  const sealWith = (nonce: Uint8Array, text: string, name: string): string => {
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
  };
  return {
    seal: (secret, name) => sealWith(randomBytes(nonceLength), secret, name),
    sealStably: (text, name) => {
      const both = createHmac('sha256', nonceKey)
        .update(JSON.stringify([name, text]))
        .digest();
      return sealWith(both.subarray(0, nonceLength), text, name);
    },
    derive: (purpose, name, bytes) => {
      const info = `bailiwick ${purpose} 1 ${name}`;
      return Buffer.from(hkdfSync('sha256', masterKey, new Uint8Array(0), info, bytes)).toString('base64url');
    },
    digest: (text, name) =>
      createHmac('sha256', digestKey)
        .update(JSON.stringify([name, text]))
        .digest('hex'),
    open: (sealed, name) => {
      const bytes = Buffer.from(sealed, 'base64url');
      if (bytes.length < nonceLength + tagLength) return null;
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceLength))
        .setAAD(Buffer.from(name))
        .setAuthTag(bytes.subarray(nonceLength, nonceLength + tagLength));
      try {
        const secret = decipher.update(bytes.subarray(nonceLength + tagLength));
        return Buffer.concat([secret, decipher.final()]).toString('utf8');
      } catch {
        return null;
      }
    },
  };
}
