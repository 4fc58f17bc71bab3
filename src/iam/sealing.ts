/**
 * Secrets at rest: AES-256-GCM (NIST SP 800-38D) under a key derived from the installation's master key, which lives
 * outside the database. The name of what is sealed is authenticated with it, so that one row's secret cannot be moved
 * to another row.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const nonceLength = 12;
const tagLength = 16;

export interface Sealing {
  seal(secret: string, name: string): string;
  /** Null when it was sealed under another key or for another name, or was altered. */
  open(sealed: string, name: string): string | null;
}

/** @param masterKey 32 bytes kept outside the database */
export function createSealing(masterKey: Uint8Array): Sealing {
  const key = Buffer.from(hkdfSync('sha256', masterKey, new Uint8Array(0), 'bailiwick sealing 1', 32));
  return {
    seal: (secret, name) => {
      const nonce = randomBytes(nonceLength);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name));
      const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
    },
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
