/** `bailiwick backup`: everything that the database holds, in one file, while the service goes on. */
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { link, open, rename, rm, stat } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { sealedRows } from '../iam/index.js';
import type { Settings } from '../settings.js';
import {
  backUpStore,
  DatabaseError,
  DatabaseUnavailable,
  NewerDatabaseError,
  openBackup,
  readThrough,
  totalRows,
  type BackupHeader,
} from '../store/index.js';
import { refuseToOverwrite } from './installation-files.js';
import { counted, Progress } from './progress.js';
import { isSystemError, StartRefused } from './refusal.js';
import { readSecretKey } from './secret-key.js';

export interface BackupOptions {
  readonly force: boolean;
}

export interface BackupTerminal {
  readonly output: Writable;
  readonly errors: Writable & { readonly isTTY?: boolean };
}

export async function backUp(
  settings: Settings,
  path: string,
  { force }: BackupOptions,
  { output, errors }: BackupTerminal,
  now: () => number = Date.now,
): Promise<void> {
  await refuseToOverwrite(path, settings);
  if (!force && existsSync(path)) throw taken(path);
  const key = await readSecretKey(settings.secretKeyFile);
  const draft = `${path}.${randomBytes(6).toString('hex')}.unfinished`;
  const progress = new Progress(errors);
  let header: BackupHeader | null;
  try {
    header = await written(settings, draft, key === null ? null : sealedRows(key).keyCheck, progress, now);
    if (header === null) throw nothing();
    // What was written is read again before it is called a backup.
    const checking = new Progress(errors);
    await readThrough(await openBackup(createReadStream(draft)), {
      watch: () => undefined,
      tell: (done, total) => checking.tell('checking', done, total),
    }).finally(() => checking.close());
    await place(draft, path, force);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new StartRefused(`\`${path}\` cannot be written: ${error.code}; there is no backup`);
  } finally {
    progress.close();
    await rm(draft, { force: true });
  }
  output.write(describe(path, header, (await stat(path)).size));
  output.write(
    key === null
      ? `the secret key file \`${settings.secretKeyFile}\` was not there; find it, or the secrets in this backup cannot be opened\n`
      : `keep a copy of the secret key file \`${settings.secretKeyFile}\` too, and not beside it: access keys and second factors are sealed with it\n`,
  );
}

async function written(
  { databaseUrl, databaseWaitSeconds }: Settings,
  draft: string,
  keyCheck: string | null,
  progress: Progress,
  now: () => number,
): Promise<BackupHeader | null> {
  const options = {
    keyCheck,
    now,
    tell: (done: number, total: number) => progress.tell('backing up', done, total),
    wait: (what: string | null) => progress.wait(what),
    limits: { connectionWait: databaseWaitSeconds * 1000 },
  };
  try {
    return await backUpStore(databaseUrl, options, async (bytes) => {
      await pipeline(
        Readable.from(bytes),
        createGzip(),
        createWriteStream(draft, { flags: 'wx', mode: 0o600, flush: true }),
      );
    });
  } catch (error) {
    // What the file system refuses is told with the name of the file.
    if (!(
      error instanceof DatabaseError ||
      error instanceof DatabaseUnavailable ||
      error instanceof NewerDatabaseError
    ))
      throw error;
    throw new StartRefused(`${error.message}; there is no backup`);
  }
}

/** Under its name at last, and so that it is still there when the power goes. */
async function place(draft: string, path: string, force: boolean): Promise<void> {
  if (force) await rename(draft, path);
  else {
    // Fails if the file is there by now, which a rename would not.
    await link(draft, path).catch((error: unknown) => {
      throw isSystemError(error, 'EEXIST') ? taken(path) : error;
    });
  }
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function taken(path: string): StartRefused {
  return new StartRefused(`\`${path}\` is there already; choose another name, or write over it with --force`);
}

function nothing(): StartRefused {
  return new StartRefused('the database is not there, or empty; check BAILIWICK_DATABASE_URL');
}

function describe(path: string, header: BackupHeader, size: number): string {
  const accounts = header.tables.find(({ name }) => name === 'accounts')?.rows ?? 0;
  return `backed up ${counted(totalRows(header))} rows of ${counted(accounts)} accounts to \`${path}\` (${counted(size)} bytes), as of ${header.at}\n`;
}
