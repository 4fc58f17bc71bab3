/**
 * SQLite: one connection writes, behind a mutex; another, read-only, answers everything else. A read on the writing
 * connection would see what a transaction has not committed (typeorm/typeorm#10372), so only transactions read there.
 */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DataSource } from 'typeorm';
import { FreeConnection, TransactionConnection } from './connection.js';
import { entitiesFor } from './entities.js';
import { DatabaseUnavailable, failureOf } from './failures.js';
import { NewerDatabaseError, refuseNewer } from './generation.js';
import type { Location } from './location.js';
import { createPrivately, LockFile } from './lock-file.js';
import { dataSource, prepareSqlite } from './sources.js';
import { OpenStore, type Engine, type Settings } from './store.js';

export async function openSqlite(
  location: Location & { readonly database: 'sqlite' },
  settings: Settings,
): Promise<OpenStore> {
  const { path } = location;
  const lock = await lockOf(path);
  const entities = entitiesFor('sqlite');
  const writer = dataSource(location, 'WRITER', entities, settings.log, settings.limits);
  const reader = dataSource(location, 'READER', entities, settings.log, settings.limits);
  const close = async () => {
    try {
      if (reader.isInitialized) await reader.destroy();
    } finally {
      try {
        if (writer.isInitialized) await writer.destroy();
      } finally {
        await lock.release();
      }
    }
  };
  try {
    await createPrivately(path);
    await writer.initialize();
    await prepareSqlite(writer, 'WRITER');
    await refuseNewer(writer);
    await writer.runMigrations({ transaction: 'all' });
    // Migrations that rebuild a table switch the checks of foreign keys off and on again.
    await prepareSqlite(writer, 'WRITER');
    await reader.initialize();
    await prepareSqlite(reader, 'READER');
  } catch (error) {
    await close();
    if (error instanceof NewerDatabaseError) throw error;
    const reason = failureOf(error);
    const words = reason instanceof DatabaseUnavailable ? (reason.detail ?? '') : reason.message;
    throw new Error(
      `cannot open the SQLite database ${path} (${words}); check the path and that the file is a database of this service`,
    );
  }
  return new OpenStore(new SqliteEngine(writer, reader, close), { ...settings, entities });
}

async function lockOf(path: string): Promise<LockFile> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return await LockFile.take(path);
  } catch (error) {
    // What the file system refuses has a code; the lock's own message says all that there is to say.
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new Error(
      `cannot write beside the SQLite database ${path} (${error.message}); choose a folder that is yours`,
    );
  }
}

class SqliteEngine implements Engine {
  readonly database = 'sqlite';
  readonly places = null;
  readonly reads: FreeConnection;

  constructor(
    private readonly writer: DataSource,
    reader: DataSource,
    private readonly closeSources: () => Promise<void>,
  ) {
    this.reads = new FreeConnection('sqlite', reader);
  }

  async close(): Promise<void> {
    this.reads.close();
    await this.closeSources();
  }

  /** Every writer waits for every other, whatever its account. */
  queueOf(): string {
    return '';
  }

  async borrow<T>(work: (connection: TransactionConnection) => Promise<T>): Promise<T> {
    return work(new TransactionConnection('sqlite', this.writer.createQueryRunner()));
  }

  async begin(connection: TransactionConnection): Promise<void> {
    // IMMEDIATE: the lock is taken now, not at the first write, when what was read may be old already.
    await connection.control('BEGIN IMMEDIATE');
  }
}
