/** What a service is told by whoever starts it, and how it tells what it does. */
import { readFile } from 'node:fs/promises';
import type { CredentialProvider, Credentials } from 'bailiwick/sdk';

/** @throws Error when the variable is not set: a service does not guess */
export function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`set ${name}`);
  return value;
}

/**
 * The key of a service from a file that its operator keeps up to date. It is read when a key is needed first, and again
 * when the one that was read is refused, so that a rotation needs no restart.
 */
export function keyFile(path: string): CredentialProvider {
  let kept: Credentials | null = null;
  return {
    get: async () => {
      kept ??= JSON.parse(await readFile(path, 'utf8')) as Credentials;
      return kept;
    },
    discard: (accessKeyId) => {
      if (kept?.accessKeyId === accessKeyId) kept = null;
    },
  };
}

/** One line of the log. An error is written with its whole chain of causes, as a developer would have it written. */
export function log(what: string, details: Readonly<Record<string, unknown>> = {}): void {
  const written = JSON.stringify({ what, ...details }, (_key, value: unknown) => {
    return value instanceof Error
      ? { ...value, message: value.message, stack: value.stack, cause: value.cause }
      : value;
  });
  process.stdout.write(`${written}\n`);
}
