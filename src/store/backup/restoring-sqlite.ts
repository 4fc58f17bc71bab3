/** Into SQLite: a new file is made beside the database and put in its place when it is whole. */
import { existsSync } from 'node:fs';
import { lstat, mkdir, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { entitiesFor } from '../entities.js';
import { failureOf } from '../failures.js';
import type { Location } from '../location.js';
import { createPrivately, LockFile } from '../lock-file.js';
import { dataSource } from '../sources.js';
import { amendRestored } from './amending.js';
import type { OpenBackup } from './format.js';
import { fill, RestoreRefused, verifyRestored, type RestoringOptions } from './filling.js';
import { queryOf, tablesThere, type Query } from './tables.js';

type File = Location & { readonly database: 'sqlite' };

export async function restoreSqlite(named: File, backup: OpenBackup, options: RestoringOptions): Promise<void> {
  const target = { ...named, path: await replaceable(named.path) };
  const { path } = target;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // A server that runs holds it; nobody can start one until everything is in place. It is a file of its own, which stays.
  const lock = await LockFile.take(path).catch((error: unknown) => {
    throw new RestoreRefused(error instanceof Error ? error.message : String(error));
  });
  const draft = `${path}${unfinished}${randomBytes(6).toString('hex')}`;
  try {
    await removeUnfinished(path);
    if (!options.replace) await expectEmpty(target);
    await createPrivately(draft);
    await make({ ...target, path: draft }, backup, options);
    await sync(draft);
    await settle(target);
    await rename(draft, path);
    await sync(dirname(path));
  } finally {
    for (const end of ['', ...besides]) await rm(draft + end, { force: true });
    await lock.release();
  }
}

/**
 * The file to put the new one in the place of: where the database is a link, the one that it points to, beside which SQLite
 * keeps its log. A device would be gone.
 */
async function replaceable(path: string): Promise<string> {
  const facts = await lstat(path).catch(() => null);
  if (facts === null) return path;
  const file = await realpath(path).catch(() => null);
  if (file === null) throw new RestoreRefused(`the database ${path} is a link to what is not there`);
  if (!(await stat(file)).isFile()) throw new RestoreRefused(`the database ${path} is no regular file`);
  return file;
}

const unfinished = '.restoring-';
/** Files that belong to a database file, and would be taken for those of another in its place. */
const besides = ['-wal', '-shm', '-journal'];

/** What restores that were killed have left; nobody else makes one while the lock is held. */
async function removeUnfinished(path: string): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    if (name.startsWith(basename(path) + unfinished)) await rm(join(dirname(path), name), { force: true });
  }
}

async function expectEmpty(target: File): Promise<void> {
  const size = await stat(target.path).then(
    (facts) => facts.size,
    () => 0,
  );
  if (size === 0) return;
  const accounts = await onConnection(target, 'COPIER', async (query) => {
    if (!(await tablesThere(query, 'sqlite')).includes('accounts')) return 0;
    const [counted] = await query('SELECT COUNT(*) AS "rows" FROM "accounts"');
    return Number(counted?.rows);
  });
  if (accounts > 0) {
    throw new RestoreRefused(
      `the database ${target.path} is in use (accounts: ${accounts}); name an empty one with BAILIWICK_DATABASE_URL, or replace it with --replace`,
    );
  }
}

async function make(draft: File, backup: OpenBackup, options: RestoringOptions): Promise<void> {
  const entities = entitiesFor('sqlite');
  const source = dataSource(draft, 'RESTORER', entities, null);
  try {
    await source.initialize();
    const runner = source.createQueryRunner();
    const query = queryOf(runner);
    // The file is thrown away unless it is finished, and is synchronised when it is.
    await query('PRAGMA journal_mode = DELETE');
    await query('PRAGMA synchronous = OFF');
    await fill(source, runner, 'sqlite', backup, options, async (_, load) => {
      // Migrations switch it on again. Rows stand in no order that references would bear.
      await query('PRAGMA foreign_keys = OFF');
      await query('BEGIN');
      await load();
      await query('COMMIT');
    });
    await query('BEGIN');
    await amendRestored(runner, 'sqlite', entities, options);
    await query('COMMIT');
    const [broken] = await query('PRAGMA foreign_key_check');
    if (broken !== undefined) {
      throw new RestoreRefused(
        `rows of ${String(broken.table)} in the backup refer to rows of ${String(broken.parent)} that are not in it`,
      );
    }
    const [sound] = await query('PRAGMA integrity_check');
    if (sound?.integrity_check !== 'ok') throw new Error(`the restored file is not sound: ${JSON.stringify(sound)}`);
    await verifyRestored(query, 'sqlite', options);
  } finally {
    if (source.isInitialized) await source.destroy();
  }
}

/**
 * Sees to it that nothing of the database that is replaced lies beside the new one: SQLite would add what stands in a
 * log of the old file to the new one.
 */
async function settle(target: File): Promise<void> {
  const { path } = target;
  if (existsSync(path) && (await stat(path)).size > 0) {
    const mode = await onConnection(target, 'COPIER', async (query) => {
      await query('PRAGMA query_only = OFF');
      const [row] = await query('PRAGMA journal_mode = DELETE');
      return row?.journal_mode;
    }).catch((error: unknown) => {
      const reason = failureOf(error).message;
      throw new RestoreRefused(
        `the database ${path} that is to be replaced cannot be closed in good order (${reason}); end who reads it, or move it away together with the files beside it (${besides.join(', ')})`,
      );
    });
    if (mode !== 'delete') {
      throw new RestoreRefused(`somebody reads the database ${path}; end that program, then restore again`);
    }
  }
  const left = besides.filter((end) => existsSync(path + end));
  if (left.length > 0) {
    throw new RestoreRefused(
      `beside the database lie ${left.map((end) => path + end).join(', ')}, which belong to another one; move them away`,
    );
  }
}

async function onConnection<T>(target: File, role: 'COPIER', work: (query: Query) => Promise<T>): Promise<T> {
  const source = dataSource(target, role, entitiesFor('sqlite'), null);
  try {
    await source.initialize();
    return await work(queryOf(source.createQueryRunner()));
  } finally {
    if (source.isInitialized) await source.destroy();
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
