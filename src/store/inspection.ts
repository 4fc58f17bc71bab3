/**
 * A look at a database as it is, for whoever examines an installation: nothing is written, no table is brought up to
 * date, no lock is taken, and whoever uses the database goes on using it.
 */
import { existsSync } from 'node:fs';
import type { DataSource } from 'typeorm';
import type { Instant, Store } from '../iam/index.js';
import { StoreAccessReader } from './access.js';
import { FreeConnection } from './connection.js';
import { entitiesFor } from './entities.js';
import { DatabaseUnavailable, failureOf } from './failures.js';
import { forbiddingOf } from './generation.js';
import { locationOf, type Location } from './location.js';
import { migrations } from './migrations/index.js';
import { ScopedReader } from './reader.js';
import { dataSource, prepareSqlite } from './sources.js';
import { sql } from './sql.js';
import { StoredTrail } from './trail.js';

export interface Inspection {
  /** Whether there are tables of ours at all. */
  readonly begun: boolean;
  /** Migrations that this program has and the database does not; those of a database without tables are all. */
  readonly pending: readonly string[];
  /** Migrations that a newer program has made and this one may not go on beside; it cannot read what they changed. */
  readonly unknown: readonly string[];
  /** Only while nothing is pending and nothing unknown is there. */
  readonly store: Pick<Store, 'access' | 'reader'>;
  /** As the store, of every account. */
  readonly trail: StoredTrail;
  /** Whether the connection is encrypted; null where there is none. */
  readonly encrypted: boolean | null;
  /** Whether the role may do everything in the whole server; null where there are no roles. */
  readonly superuser: boolean | null;
  /** The clock of the database; null where it is that of this machine. */
  readonly clock: () => Promise<Instant | null>;
  /** When the last change of any account was made, by the clock of whoever made it. */
  readonly latestChange: () => Promise<Instant | null>;
  readonly close: () => Promise<void>;
}

/** Opens a database for reading alone; null when it is a file that is not there. Throws when it cannot be read. */
export async function inspectStore(url: string, now: () => Instant = Date.now): Promise<Inspection | null> {
  const location = locationOf(url);
  if (location.database === 'sqlite' && !existsSync(location.path)) return null;
  const source = dataSource(readOnly(location), 'INSPECTOR', entitiesFor(location.database), null);
  try {
    await source.initialize();
    if (location.database === 'sqlite') await prepareSqlite(source, 'INSPECTOR');
    return await look(source, location, now);
  } catch (error) {
    if (source.isInitialized) await source.destroy();
    // A driver's own words, never those of a statement: they would hold its parameters.
    const failure = failureOf(error);
    const { message, ...more } = failure as Error & { readonly code?: string };
    const words = failure instanceof DatabaseUnavailable ? (failure.detail ?? '') : message;
    const reason = words.split('\n', 1)[0] || (more.code ?? 'no reason was given');
    const place = location.database === 'sqlite' ? location.path : location.server;
    throw new Error(`the database ${place} cannot be read (${reason})`);
  }
}

/**
 * Without a write-ahead log nobody has the file open, and it is read as one that stands still: to open it as usual would
 * make the files beside it that a running server makes.
 */
function readOnly(location: Location): Location {
  if (location.database !== 'sqlite') return location;
  const uri = `file:${location.path.split('/').map(encodeURIComponent).join('/')}`;
  return { ...location, path: existsSync(`${location.path}-wal`) ? uri : `${uri}?immutable=1` };
}

async function look(source: DataSource, { database }: Location, now: () => Instant): Promise<Inspection> {
  const connection = new FreeConnection(database, source);
  const done = new Set(await migrationsOf(source));
  const names = migrations.map(({ name }) => name);
  const postgres = database === 'postgres';
  const [connected] = postgres
    ? await connection.rows(sql`SELECT role.rolsuper AS "superuser", COALESCE(tls.ssl, FALSE) AS "encrypted"
        FROM pg_roles role LEFT JOIN pg_stat_ssl tls ON tls.pid = pg_backend_pid() WHERE role.rolname = CURRENT_USER`)
    : [];
  return {
    begun: done.size > 0,
    pending: names.filter((name) => !done.has(name)),
    unknown: forbiddingOf([...done]),
    store: {
      access: new StoreAccessReader(connection),
      reader: (scope) => new ScopedReader(connection, scope, now),
    },
    trail: new StoredTrail(connection),
    encrypted: postgres ? connected?.encrypted === true : null,
    superuser: postgres ? connected?.superuser === true : null,
    clock: async () => {
      if (!postgres) return null;
      const [row] = await connection.rows(sql`SELECT EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS "now"`);
      return Number(row?.now);
    },
    latestChange: async () => {
      // The revision of an account is that of its last change, so that an index answers it.
      const [row] = await connection.rows(sql`SELECT MAX(event."at") AS "at" FROM "accounts" account
        JOIN "audit_events" event ON event."account_id" = account."id" AND event."revision" = account."revision"`);
      return row?.at == null ? null : Number(row.at);
    },
    close: async () => {
      connection.close();
      await source.destroy();
    },
  };
}

async function migrationsOf(source: DataSource): Promise<readonly string[]> {
  const runner = source.createQueryRunner();
  try {
    if (!(await runner.hasTable('migrations'))) return [];
    const rows = (await runner.query('SELECT "name" FROM "migrations"')) as readonly { readonly name: string }[];
    return rows.map(({ name }) => name);
  } finally {
    await runner.release();
  }
}
