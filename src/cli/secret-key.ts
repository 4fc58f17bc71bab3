/**
 * The file of the master key: 32 random bytes from which the keys that sign tokens are derived. Kept apart from the
 * database, so that a copy of the database alone forges nothing.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError, StartRefused } from './refusal.js';

const keyLength = 32;

/** The key in the file; null when there is no file. Throws when the file is not to be trusted. */
export async function readSecretKey(path: string): Promise<Uint8Array | null> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    if (isSystemError(error)) throw new StartRefused(`the secret key file \`${path}\` cannot be read: ${error.code}`);
    throw error;
  }
  try {
    const { mode, size } = await file.stat();
    if ((mode & 0o077) !== 0) {
      throw new StartRefused(`the secret key file \`${path}\` is open to others; run \`chmod 600 ${path}\``);
    }
    if (size !== keyLength) {
      throw new StartRefused(
        `the secret key file \`${path}\` has ${size} bytes, not ${keyLength}; restore it, or set BAILIWICK_SECRET_KEY_FILE`,
      );
    }
    return new Uint8Array(await file.readFile());
  } finally {
    await file.close();
  }
}

/** Makes the file, whole or not at all; when another process was first, the key is that one's. */
export async function createSecretKey(path: string): Promise<Uint8Array> {
  const key = randomBytes(keyLength);
  const draft = `${path}.${process.pid}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(key);
      await file.sync();
    } finally {
      await file.close();
    }
    try {
      // Fails if the file is there, which a rename would not.
      await link(draft, path);
    } finally {
      await unlink(draft);
    }
    return key;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) {
      const other = await readSecretKey(path);
      if (other !== null) return other;
    }
    if (isSystemError(error)) throw new StartRefused(`the secret key file \`${path}\` cannot be made: ${error.code}`);
    throw error;
  }
}
