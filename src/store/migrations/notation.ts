/**
 * A short notation for tables in migrations, over TypeORM's Table API. A migration says what the tables were on its day,
 * so it must not read the descriptions of today.
 */
import { Table, type QueryRunner, type TableColumnOptions } from 'typeorm';

export interface TableNotation {
  readonly name: string;
  readonly columns: readonly TableColumnOptions[];
  /** Columns after account_id; `accounts` itself has none. */
  readonly unique?: readonly (readonly string[])[];
  readonly uniqueEverywhere?: readonly string[];
  readonly indexes?: readonly (readonly string[])[];
  /** Column that names a row, and the table it is in. */
  readonly references?: Readonly<Record<string, string>>;
}

export const key = (name: string): TableColumnOptions => ({ name, type: 'text', collation: 'C' });
export const text = (name: string): TableColumnOptions => ({ name, type: 'text' });
export const integer = (name: string): TableColumnOptions => ({ name, type: 'bigint' });
export const flag = (name: string): TableColumnOptions => ({ name, type: 'boolean' });
export const choice = (name: string, ...values: string[]): TableColumnOptions => ({
  name,
  type: 'varchar',
  collation: 'C',
  enum: values,
});
export const optional = (column: TableColumnOptions): TableColumnOptions => ({ ...column, isNullable: true });

export async function createTable(runner: QueryRunner, notation: TableNotation): Promise<void> {
  const { name, columns, unique = [], uniqueEverywhere = [], indexes = [], references = {} } = notation;
  const isAccounts = name === 'accounts';
  const within = (names: readonly string[]) => (isAccounts ? [...names] : ['account_id', ...names]);
  const isSqlite = runner.connection.options.type === 'sqlite';
  await runner.createTable(
    new Table({
      name,
      columns: [...(isAccounts ? [] : [key('account_id')]), key('id'), ...columns].map(
        ({ enum: _, collation, ...column }) => ({
          ...column,
          isPrimary: column.name === 'id' || column.name === 'account_id',
          // SQLite compares bytes anyway and knows no collation of this name.
          ...(collation === undefined || isSqlite ? {} : { collation }),
        }),
      ),
      uniques: [
        ...unique.map((names) => ({ name: `uq_${name}_${names.join('_')}`, columnNames: within(names) })),
        ...uniqueEverywhere.map((column) => ({ name: `uq_${name}_${column}`, columnNames: [column] })),
      ],
      indices: indexes.map((names) => ({ name: `ix_${name}_${names.join('_')}`, columnNames: within(names) })),
      checks: columns
        .filter((column) => column.enum !== undefined)
        .map((column) => ({
          name: `ck_${name}_${column.name}`,
          expression: `"${column.name}" IN (${column.enum?.map((value) => `'${value}'`).join(', ')})`,
        })),
      foreignKeys: [
        ...(isAccounts
          ? []
          : [
              {
                name: `fk_${name}_account`,
                columnNames: ['account_id'],
                referencedTableName: 'accounts',
                referencedColumnNames: ['id'],
              },
            ]),
        ...Object.entries(references).map(([column, referencedTableName]) => ({
          name: `fk_${name}_${column}`,
          columnNames: ['account_id', column],
          referencedTableName,
          referencedColumnNames: ['account_id', 'id'],
        })),
      ],
    }),
  );
}

/** Every migration ends with this: SQLite rebuilds tables with the checks of foreign keys switched off. */
export async function checkForeignKeys(runner: QueryRunner): Promise<void> {
  if (runner.connection.options.type !== 'sqlite') return;
  const broken = (await runner.query('PRAGMA foreign_key_check')) as readonly { table: string; parent: string }[];
  const [first] = broken;
  if (first === undefined) return;
  throw new Error(
    `the migration would leave ${broken.length} rows that refer to nothing (first: ${first.table} to ${first.parent}); nothing was changed`,
  );
}
