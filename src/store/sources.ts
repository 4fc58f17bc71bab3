/** TypeORM's data sources, with what every one of them must have. */
import type { ClientBase } from 'pg';
import sqlite3 from 'sqlite3';
import { DataSource, type DataSourceOptions, type Logger } from 'typeorm';
import type { Entities } from './entities.js';
import type { Location } from './location.js';
import { migrations } from './migrations/index.js';

/** Called with the text of each statement, never with its parameters: they hold secrets. */
export type StatementLog = (sql: string) => void;

/** How long the database may take, and how much of it one process takes. Milliseconds. */
export interface DatabaseLimits {
  /** Connections to PostgreSQL that a process has at most, two at least; a quarter, and one at least, is left for reads. */
  readonly poolSize: number;
  /** How long to wait for a connection to become free or be made; in SQLite for a lock that another program holds. */
  readonly connectionWait: number;
  /** How long one statement may take in PostgreSQL. */
  readonly longestStatement: number;
  /** How long a statement waits for a row or table that another transaction holds in PostgreSQL. */
  readonly longestLockWait: number;
  /** How long a transaction may do nothing before PostgreSQL ends it. */
  readonly longestIdle: number;
}

export const usualDatabaseLimits: DatabaseLimits = {
  poolSize: 10,
  connectionWait: 5_000,
  longestStatement: 15_000,
  longestLockWait: 10_000,
  longestIdle: 30_000,
};

/** How long after the end of its time PostgreSQL has to say that a statement took too long; then the connection is given up. */
const graceOfStatements = 5_000;
/** Kibibytes of the database that SQLite's reader keeps in memory at most. */
const readersCache = 65_536;

/**
 * TypeORM asks the driver for its talkative form, which inspects the arguments of every statement in case it fails: a tenth
 * of what SQLite costs. Our own errors say which statement failed.
 */
const quietSqlite: unknown = Object.create(sqlite3, { verbose: { value: () => sqlite3 } });

/**
 * An inspector reads beside whoever uses the database, and leaves no trace. A copier does too, as a full participant: it
 * sees one state of a database that others begin or cease to use meanwhile, and clears up the log of a server that was killed.
 * A restorer fills a database that nobody else uses yet. Nothing hurries a copier, a restorer and a migrator: what they do takes
 * as long as there are rows.
 */
export type Role = 'READER' | 'WRITER' | 'INSPECTOR' | 'COPIER' | 'RESTORER' | 'MIGRATOR';

const unhurriedRoles: ReadonlySet<Role> = new Set<Role>(['COPIER', 'RESTORER', 'MIGRATOR']);
const readingRoles: ReadonlySet<Role> = new Set<Role>(['INSPECTOR', 'COPIER']);

/** What each connection to PostgreSQL is called there. Restoring tells servers from others by it. */
export const serversName = 'bailiwick';
export const restorersName = 'bailiwick restore';
const names: Partial<Readonly<Record<Role, string>>> = { COPIER: 'bailiwick backup', RESTORER: restorersName };

export function dataSource(
  location: Location,
  role: Role,
  entities: Partial<Entities>,
  log: StatementLog | Logger | null,
  limits: DatabaseLimits = usualDatabaseLimits,
): DataSource {
  const shared = {
    entities: Object.values(entities),
    migrations: [...migrations],
    migrationsTableName: 'migrations',
    synchronize: false,
    logger: typeof log === 'object' && log !== null ? log : statementLogger(log),
    // INVARIANT: `where: {id: undefined}` would otherwise match every row.
    invalidWhereValuesBehavior: { null: 'throw', undefined: 'throw' },
  } satisfies Partial<DataSourceOptions>;
  if (location.database === 'sqlite') {
    return new DataSource({
      ...shared,
      type: 'sqlite',
      database: location.path,
      driver: quietSqlite,
      enableWAL: role === 'WRITER',
      busyTimeout: limits.connectionWait,
      // SQLITE_OPEN_READONLY | SQLITE_OPEN_FULLMUTEX, and SQLITE_OPEN_URI; a writer's flags are the driver's own.
      ...(role === 'READER' ? { flags: 0x0001_0001 } : {}),
      ...(role === 'INSPECTOR' ? { flags: 0x0001_0041 } : {}),
      // SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX: never SQLITE_OPEN_CREATE.
      ...(role === 'COPIER' ? { flags: 0x0001_0002 } : {}),
    });
  }
  return new DataSource({
    ...shared,
    type: 'postgres',
    url: location.url,
    applicationName: names[role] ?? serversName,
    connectTimeoutMS: limits.connectionWait,
    poolSize: limits.poolSize,
    extra: {
      // Of a machine that is gone nothing says so.
      keepAlive: true,
      ...(unhurriedRoles.has(role) ? unhurried : timeoutsOf(limits)),
      // A copier's transaction says so itself: poolers refuse what they do not know.
      ...(role === 'INSPECTOR' ? { options: '-c default_transaction_read_only=on' } : {}),
      verify: (client: ClientBase, done: (error?: Error) => void) =>
        void prepare(client, role).then(() => done(), done),
    },
  });
}

/** Each connection is asked and told before it is used. Who only reads may look at a standby. */
async function prepare(client: ClientBase, role: Role): Promise<void> {
  if (!readingRoles.has(role)) await refuseStandby(client);
  if (unhurriedRoles.has(role)) await client.query(noticeWhoLeft).catch(() => undefined);
}

/** Each connection is told as it is made. */
function timeoutsOf({ longestStatement, longestLockWait, longestIdle }: DatabaseLimits) {
  return {
    statement_timeout: longestStatement,
    lock_timeout: longestLockWait,
    idle_in_transaction_session_timeout: longestIdle,
    query_timeout: longestStatement + graceOfStatements,
  };
}

/**
 * Neither PostgreSQL nor the client, which would wait only so long, ends what such a connection does; but whoever does nothing in a
 * transaction for an hour is stuck, and holds up the others. Said in any case, because a role or a database may have timeouts of
 * its own; pg sends no plain zero.
 */
const unhurried = {
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: 3_600_000,
};

/**
 * PostgreSQL takes no notice of a program that was ended while it waited, and others would queue for ever behind nobody. Servers
 * before version 14, and some systems, cannot be told to look.
 */
const noticeWhoLeft = `SELECT set_config("name", '2s', FALSE) FROM pg_settings WHERE "name" = 'client_connection_check_interval'`;

/**
 * After a failover the same name may lead elsewhere: a standby answers as things were a while ago, and whose rights have been
 * taken since would be let in.
 */
async function refuseStandby(client: ClientBase): Promise<void> {
  const {
    rows: [row],
  } = await client.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS "standby"');
  if (row?.standby === false) return;
  // What a server says itself to who would write to it there.
  throw Object.assign(new Error('the server is a standby; name the primary'), { code: '25006' });
}

export async function prepareSqlite(source: DataSource, role: Role): Promise<void> {
  await source.query('PRAGMA synchronous = FULL');
  await source.query('PRAGMA foreign_keys = ON');
  if (role !== 'WRITER') await source.query('PRAGMA query_only = ON');
  // Lists read rows in an order in which they do not lie; SQLite's own two megabytes would be read anew for every page.
  if (role === 'READER') await source.query(`PRAGMA cache_size = -${readersCache}`);
}

function statementLogger(log: StatementLog | null): Logger {
  const silent = () => undefined;
  return {
    logQuery: (query) => log?.(query),
    logQueryError: silent,
    logQuerySlow: silent,
    logSchemaBuild: silent,
    logMigration: silent,
    log: silent,
  };
}
