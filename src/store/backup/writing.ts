/**
 * A backup of a database that goes on being used: everything is read in one transaction that sees one committed state,
 * that of the moment in which it begins. Readers and writers go on; SQLite's log of writes grows meanwhile.
 */
import { existsSync } from 'node:fs';
import type { QueryRunner } from 'typeorm';
import { entitiesFor } from '../entities.js';
import { failureOf } from '../failures.js';
import { NewerDatabaseError } from '../generation.js';
import { locationOf, type Location } from '../location.js';
import { migrations } from '../migrations/index.js';
import { dataSource, prepareSqlite, usualDatabaseLimits, type DatabaseLimits } from '../sources.js';
import type { Dialect } from '../sql.js';
import { tellingWaits, type TellWait } from '../waits.js';
import { backupFormat, writtenBackup, type BackedUpTable, type BackupHeader, type Row, type Value } from './format.js';
import { describeTables, migrationsThere, queryOf, tablesThere, type Query } from './tables.js';

export interface WritingOptions {
  readonly keyCheck: string | null;
  readonly now: () => number;
  /** Called now and then. */
  readonly tell: (done: number, total: number) => void;
  /** Called now and then while others hold what is to be read. */
  readonly wait?: TellWait;
  readonly limits?: Partial<DatabaseLimits>;
}

/** Audit events hold images of whole rows. */
const readAtOnce = 500;

/**
 * Hands the bytes of a backup to `write`, not yet compressed; null when there is no database, or nothing in it.
 *
 * @param write must read to the end
 */
export async function backUpStore(
  url: string,
  { keyCheck, now, tell, ...surroundings }: WritingOptions,
  write: (bytes: AsyncIterable<Buffer>) => Promise<void>,
): Promise<BackupHeader | null> {
  const location = locationOf(url);
  if (location.database === 'sqlite' && !existsSync(location.path)) return null;
  return inOneState(location, surroundings, async (query) => {
    const done = await migrationsThere(query, location.database);
    const known: readonly string[] = migrations.map(({ name }) => name);
    const newer = done.find((name) => !known.includes(name));
    if (newer !== undefined) throw new NewerDatabaseError(newer);
    if (done.length === 0) return null;
    const header: BackupHeader = {
      format: backupFormat,
      database: location.database,
      at: new Date(now()).toISOString(),
      keyCheck,
      migrations: done,
      tables: await describeTables(query, location.database),
    };
    const total = totalRows(header);
    let read = 0;
    await write(
      writtenBackup(header, async function* (table) {
        for await (const rows of rowsOf(query, location.database, table)) {
          yield rows;
          read += rows.length;
          tell(read, total);
        }
      }),
    );
    return header;
  });
}

export function totalRows({ tables }: Pick<BackupHeader, 'tables'>): number {
  return tables.reduce((sum, { rows }) => sum + rows, 0);
}

async function inOneState<T>(
  location: Location,
  { wait, limits }: Pick<WritingOptions, 'wait' | 'limits'>,
  work: (query: Query) => Promise<T>,
): Promise<T> {
  const { database } = location;
  const source = dataSource(location, 'COPIER', entitiesFor(database), null, { ...usualDatabaseLimits, ...limits });
  let runner: QueryRunner | null = null;
  try {
    await source.initialize().catch((error: unknown) => {
      throw failureOf(error);
    });
    if (database === 'sqlite') await prepareSqlite(source, 'COPIER');
    runner = source.createQueryRunner();
    await runner.connect();
    const query = queryOf(runner);
    if (database === 'sqlite') {
      await query('BEGIN');
      return await work(query);
    }
    return await tellingWaits(source, runner, wait, async () => {
      const names = (await tablesThere(query, database)).map((name) => `"${name}"`);
      await query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      // Before anything is read: a table that is made anew while this waits for it would be empty in a state from before.
      if (names.length > 0) await query(`LOCK TABLE ${names.join(', ')} IN ACCESS SHARE MODE`);
      return work(query);
    });
  } finally {
    // Nothing was written; the transaction ends with its connection at the latest.
    await runner?.query('ROLLBACK').catch(() => undefined);
    await runner?.release().catch(() => undefined);
    if (source.isInitialized) await source.destroy();
  }
}

/** By the primary key, so that each statement begins where the one before ended. */
async function* rowsOf(
  query: Query,
  dialect: Dialect,
  { name, columns }: BackedUpTable,
): AsyncGenerator<readonly Row[], void, undefined> {
  const key = columns.some((column) => column.name === 'account_id') ? ['account_id', 'id'] : ['id'];
  const named = key.map((column) => `"${column}"`).join(', ');
  const selected = columns.map((column) => `"${column.name}"`).join(', ');
  const places = key.map((_, index) => (dialect === 'sqlite' ? '?' : `$${index + 1}`)).join(', ');
  let after: unknown[] | null = null;
  for (;;) {
    const rows: readonly Readonly<Record<string, unknown>>[] = await query(
      `SELECT ${selected} FROM "${name}" ${after === null ? '' : `WHERE (${named}) > (${places})`}
        ORDER BY ${named} LIMIT ${readAtOnce}`,
      after ?? [],
    );
    if (rows.length > 0) yield rows.map((row) => columns.map((column) => valueOf(name, column, row[column.name])));
    const last = rows.at(-1);
    if (last === undefined || rows.length < readAtOnce) return;
    after = key.map((column) => last[column]);
  }
}

/** SQLite would hold anything in any column; what is not of its type could not be restored. */
function valueOf(table: string, { name, type }: BackedUpTable['columns'][number], value: unknown): Value {
  if (value === null) return null;
  if (type === 'text' && typeof value === 'string') return value;
  if (type === 'boolean' && (typeof value === 'boolean' || value === 0 || value === 1)) return Boolean(value);
  // PostgreSQL's driver answers bigint as text.
  if (type === 'integer' && (typeof value === 'string' || typeof value === 'number') && value !== '') {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
  }
  throw new Error(`${table}.${name} has a value that is no ${type}; the database was changed by something else`);
}
