/**
 * The store: what the business remembers, in SQLite or PostgreSQL, through TypeORM, which nothing outside this folder
 * knows. It implements the ports of `iam` and has one door, `openStore`.
 *
 * It must never know a rule of the business, save the one that has to be SQL to be complete: which rows belong to a
 * scope (confinement.ts). It must never know GraphQL, HTTP, or who is asking.
 */
import { AdvancedConsoleLogger, type DataSource } from 'typeorm';
import type { Instant, Store } from '../iam/index.js';
import { entitiesFor } from './entities.js';
import { locationOf } from './location.js';
import { openPostgres } from './postgres-store.js';
import { dataSource, usualDatabaseLimits, type DatabaseLimits, type StatementLog } from './sources.js';
import { openSqlite } from './sqlite-store.js';

export {
  backUpStore,
  NoBackup,
  openBackup,
  readThrough,
  RestoreRefused,
  restoreStore,
  totalRows,
  type BackupHeader,
  type OpenBackup,
  type Restored,
} from './backup/index.js';
export { DatabaseError, DatabaseUnavailable } from './failures.js';
export { NewerDatabaseError } from './generation.js';
export { inspectStore, type Inspection } from './inspection.js';
export { locationOf, type Location } from './location.js';
export { usualDatabaseLimits, type DatabaseLimits } from './sources.js';
export { UnstorableError } from './sql.js';
export type { ChainEnd, StoredTrail } from './trail.js';

export interface StoreOptions {
  /** Called with the text of each statement, never with its parameters. */
  readonly log?: StatementLog;
  /** The clock that says which grants have expired. */
  readonly now?: () => Instant;
  /** Milliseconds after which a transaction that is still open is rolled back; 30 seconds unless said. */
  readonly longestTransaction?: number;
  /** Where less is said, the usual ones hold. */
  readonly limits?: Partial<DatabaseLimits>;
  /** Called now and then while the tables cannot be brought up to date because of others, with what is waited for, and with null when it is no more. */
  readonly wait?: (what: string | null) => void;
}

/**
 * Opens a database and brings its tables up to date. URLs: `sqlite:<path>`, `postgres://user:password@host/database`.
 *
 *     const store = await openStore('sqlite:data/bailiwick.db');
 */
export async function openStore(url: string, options: StoreOptions = {}): Promise<Store> {
  const location = locationOf(url);
  const settings = {
    log: options.log ?? null,
    now: options.now ?? Date.now,
    longestTransaction: options.longestTransaction ?? 30_000,
    limits: { ...usualDatabaseLimits, ...options.limits },
    ...(options.wait === undefined ? {} : { wait: options.wait }),
  };
  return location.database === 'sqlite' ? openSqlite(location, settings) : openPostgres(location, settings);
}

/** For TypeORM's command line only (ormconfig.ts): it shows and runs migrations. */
export function commandLineSource(url: string): DataSource {
  const location = locationOf(url);
  const speaking = new AdvancedConsoleLogger(['schema', 'migration', 'warn', 'error']);
  // Nothing cuts a migration off by the time that a request has.
  const role = location.database === 'postgres' ? 'MIGRATOR' : 'WRITER';
  return dataSource(location, role, entitiesFor(location.database), speaking);
}
