/**
 * A backup is restored whole or not at all: into tables as they were when it was written, which are then brought up to
 * date as those of any older database. Nobody sees any of it before all of it is there and has been held against its
 * checksum, its references and its audit chains.
 */
import { MigrationExecutor, type DataSource, type QueryRunner } from 'typeorm';
import type { Id, Kind } from '../../iam/index.js';
import { migrations } from '../migrations/index.js';
import { kinds } from '../rows.js';
import type { DatabaseLimits } from '../sources.js';
import { render, type Dialect } from '../sql.js';
import { tables } from '../tables.js';
import { StoredTrail } from '../trail.js';
import type { TellWait } from '../waits.js';
import { accountsIn, type Amendment } from './amending.js';
import type { BackedUpTable, OpenBackup, Row, Value } from './format.js';
import { describeTables, queryOf, type Query } from './tables.js';
import { totalRows } from './writing.js';

/** Nothing was changed; the message says what to do next. */
export class RestoreRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RestoreRefused';
  }
}

export interface Restored {
  readonly accounts: readonly { readonly id: Id; readonly name: string }[];
  readonly trail: StoredTrail;
}

export interface RestoringOptions {
  /** Whether a database that has accounts may be replaced. */
  readonly replace: boolean;
  /** Sees every row, under the names of its record; one of an older version may have fewer columns. */
  readonly watch: (kind: Kind, row: Readonly<Record<string, Value>>) => void;
  /** Called now and then. */
  readonly tell: (done: number, total: number) => void;
  /** Called now and then while others hold what is to be replaced. */
  readonly wait?: TellWait;
  readonly limits?: Partial<DatabaseLimits>;
  /** A change that belongs to restoring, in the same step. */
  readonly amend?: (amendment: Amendment) => Promise<void>;
  /** The last look, when all is there and nobody else sees it yet: when it throws, nothing was restored. */
  readonly verify: (restored: Restored) => Promise<void>;
}

/** Reads a backup to its end, which is what proves that it is whole. */
export async function readThrough(
  { header, rows }: OpenBackup,
  { watch, tell }: Pick<RestoringOptions, 'watch' | 'tell'>,
): Promise<void> {
  expectKnown(header.migrations);
  const total = totalRows(header);
  let done = 0;
  for await (const some of rows) {
    watchAll(some, watch);
    tell((done += some.rows.length), total);
  }
}

/** Tables can be made as they were only where all that made them is known, and is known to come first. */
export function expectKnown(names: readonly string[]): void {
  const known: readonly string[] = migrations.map(({ name }) => name);
  const newer = names.find((name) => !known.includes(name));
  if (newer !== undefined) {
    throw new RestoreRefused(`the backup was made by a newer version (migration ${newer}); restore it with that one`);
  }
  if (names.length === 0 || names.some((name, index) => name !== known[index])) {
    throw new RestoreRefused(
      'the backup is of tables that no released version has; restore it with the one it is from',
    );
  }
}

/** Makes the tables of the backup, fills them, brings them up to date. Nothing may be there yet. */
export async function fill(
  source: DataSource,
  runner: QueryRunner,
  dialect: Dialect,
  { header, rows }: OpenBackup,
  options: RestoringOptions,
  loading: (query: Query, load: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const query = queryOf(runner);
  await migrate(source, runner, header.migrations);
  expectSame(header.tables, await describeTables(query, dialect));
  const total = totalRows(header);
  await loading(query, async () => {
    let done = 0;
    for await (const some of rows) {
      watchAll(some, options.watch);
      await query(insertion(some.table, dialect), [JSON.stringify(some.rows)]);
      options.tell((done += some.rows.length), total);
    }
  });
  await migrate(
    source,
    runner,
    migrations.map(({ name }) => name),
  );
}

export async function verifyRestored(query: Query, dialect: Dialect, { verify }: RestoringOptions): Promise<void> {
  const connection = {
    dialect,
    rows: (statement: Parameters<typeof render>[0]) => {
      const { text, parameters } = render(statement, dialect);
      return query(text, parameters);
    },
  };
  await verify({ accounts: await accountsIn(query), trail: new StoredTrail(connection) });
}

/** Runs those of these migrations that have not run, in the transaction of the runner where there is one. */
async function migrate(source: DataSource, runner: QueryRunner, names: readonly string[]): Promise<void> {
  const wanted = source.migrations.filter((migration) => names.includes(migration.name ?? migration.constructor.name));
  const some = Object.create(source, { migrations: { value: wanted } }) as DataSource;
  await new MigrationExecutor(some, runner).executePendingMigrations();
}

function expectSame(told: readonly BackedUpTable[], found: readonly BackedUpTable[]): void {
  const shape = (described: readonly BackedUpTable[]) =>
    described
      .map(
        ({ name, columns }) =>
          `${name} (${columns
            .map((column) => `${column.name} ${column.type}`)
            .sort()
            .join(', ')})`,
      )
      .sort();
  const wanted = shape(told);
  const made = shape(found);
  const odd = wanted.find((table, index) => table !== made[index]) ?? made[wanted.length];
  if (odd !== undefined) {
    throw new RestoreRefused(`the tables of the backup are not those that its migrations make: ${odd}`);
  }
}

const kindsByTable = new Map<string, Kind>(kinds.map((kind) => [tables[kind].name, kind]));

function watchAll(
  { table, rows }: { readonly table: BackedUpTable; readonly rows: readonly Row[] },
  watch: RestoringOptions['watch'],
): void {
  const kind = kindsByTable.get(table.name);
  if (kind === undefined) return;
  const properties = table.columns.map(({ name }) =>
    name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  );
  for (const row of rows) {
    watch(kind, Object.fromEntries(properties.map((property, index) => [property, row[index] ?? null])));
  }
}

const casts = { text: 'text', integer: 'bigint', boolean: 'boolean' } as const;

/** One parameter, however many rows. The names are those of tables that this program has made. */
function insertion({ name, columns }: BackedUpTable, dialect: Dialect): string {
  const names = columns.map((column) => `"${column.name}"`).join(', ');
  const values = columns.map(({ type }, index) =>
    dialect === 'sqlite' ? `given.value ->> ${index}` : `(given.value ->> ${index})::${casts[type]}`,
  );
  const given = dialect === 'sqlite' ? 'json_each(?) given' : 'json_array_elements($1::json) AS given(value)';
  return `INSERT INTO "${name}" (${names}) SELECT ${values.join(', ')} FROM ${given}`;
}
