/** PostgreSQL: a pool. The lock on the account's row makes writers of one account follow one another, as in SQLite. */
import type { DataSource } from 'typeorm';
import type { Id } from '../iam/index.js';
import { discard, FreeConnection, TransactionConnection } from './connection.js';
import { entitiesFor } from './entities.js';
import { DatabaseUnavailable, failureOf } from './failures.js';
import type { Location } from './location.js';
import { migrate } from './migrating-postgres.js';
import { dataSource, type DatabaseLimits } from './sources.js';
import { sql } from './sql.js';
import { OpenStore, type Engine, type Settings } from './store.js';
import { Places } from './turns.js';

export async function openPostgres(
  location: Location & { readonly database: 'postgres' },
  settings: Settings,
): Promise<OpenStore> {
  const entities = entitiesFor('postgres');
  // Of its own, because nothing of a migration may be cut off by the time that a request has.
  const migrator = dataSource(location, 'MIGRATOR', {}, settings.log, { ...settings.limits, poolSize: 3 });
  const source = dataSource(location, 'WRITER', entities, settings.log, settings.limits);
  const close = async () => {
    for (const each of [migrator, source]) if (each.isInitialized) await each.destroy();
  };
  try {
    await connect(migrator, location.server);
    await refuseOtherEncodings(migrator, location.server);
    await migrate(migrator, settings.wait);
    await migrator.destroy();
    await connect(source, location.server);
  } catch (error) {
    await close();
    throw error;
  }
  return new OpenStore(new PostgresEngine(source, settings.limits, close), { ...settings, entities });
}

async function connect(source: DataSource, server: string): Promise<void> {
  try {
    await source.initialize();
  } catch (error) {
    const reason = error instanceof Error && error.message !== '' ? error.message : String(error);
    throw new Error(
      `cannot open the PostgreSQL database ${server} (${reason}); check that the server runs and that the database URL is right`,
    );
  }
}

export async function refuseOtherEncodings(source: DataSource, server: string): Promise<void> {
  const [row] = await source.query<{ server_encoding: string }[]>('SHOW server_encoding');
  if (row?.server_encoding !== 'UTF8') {
    throw new Error(
      `the database ${server} has the encoding ${row?.server_encoding}; create it again with ENCODING 'UTF8' TEMPLATE template0`,
    );
  }
}

class PostgresEngine implements Engine {
  readonly database = 'postgres';
  readonly reads: FreeConnection;
  /**
   * INVARIANT: some connections are left for reads. What runs in a transaction may wait for a read outside of it: of rights that have
   * moved since the request came, which others wait for as well. Transactions that had every connection would wait for ever.
   */
  readonly places: Places;

  constructor(
    private readonly source: DataSource,
    { poolSize, connectionWait }: DatabaseLimits,
    readonly close: () => Promise<void>,
  ) {
    this.reads = new FreeConnection('postgres', source);
    const refusal = () =>
      new DatabaseUnavailable('CROWDED', '', `no place for a transaction within ${connectionWait} ms`);
    this.places = new Places(poolSize - Math.max(1, Math.floor(poolSize / 4)), connectionWait, refusal);
  }

  /** Those who would wait for the account's row wait here instead, without holding a connection of the pool. */
  queueOf(accountId: Id): string {
    return accountId;
  }

  async borrow<T>(work: (connection: TransactionConnection) => Promise<T>): Promise<T> {
    const runner = this.source.createQueryRunner();
    try {
      await runner.connect();
    } catch (error) {
      throw failureOf(error);
    }
    const connection = new TransactionConnection('postgres', runner);
    try {
      return await work(connection);
    } finally {
      // The pool must never hand out a connection on which a transaction may still be open.
      if (!connection.isClean) await discard(runner);
      await runner.release();
    }
  }

  async begin(connection: TransactionConnection, accountId: Id): Promise<void> {
    // READ COMMITTED: each statement after the lock sees what the writer before has committed. A snapshot taken while
    // waiting for the lock would be older than that.
    await connection.control('BEGIN ISOLATION LEVEL READ COMMITTED');
    await connection.rows(sql`SELECT 1 FROM "accounts" locked WHERE locked."id" = ${accountId} FOR UPDATE`);
  }
}
