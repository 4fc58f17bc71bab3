/** What tables a database really has, whichever migrations it has seen: they may be older than the descriptions. */
import type { QueryRunner } from 'typeorm';
import { failureOf } from '../failures.js';
import { kinds, type Raw } from '../rows.js';
import type { Dialect } from '../sql.js';
import { tables } from '../tables.js';
import { talliesTable } from '../tallies.js';
import type { BackedUpTable, ColumnType } from './format.js';

export type Query = (text: string, parameters?: unknown[]) => Promise<readonly Raw[]>;

/** Statements on the one connection of a runner, so that all of them are in its transaction. */
export function queryOf(runner: QueryRunner): Query {
  return async (text, parameters) => {
    try {
      return (await runner.query(text, parameters)) as readonly Raw[];
    } catch (error) {
      throw failureOf(error);
    }
  };
}

export const migrationsTable = 'migrations';

/** Names of our own tables that are there, in the order in which they are described. */
export async function tablesThere(query: Query, dialect: Dialect): Promise<readonly string[]> {
  const rows = await query(
    dialect === 'sqlite'
      ? `SELECT "name" FROM sqlite_master WHERE "type" = 'table'`
      : `SELECT table_name AS "name" FROM information_schema.tables
          WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`,
  );
  const there = new Set(rows.map(({ name }) => String(name)));
  return [...kinds.map((kind) => tables[kind].name), talliesTable, migrationsTable].filter((name) => there.has(name));
}

/** Names of the migrations that have run, in their order. */
export async function migrationsThere(query: Query, dialect: Dialect): Promise<readonly string[]> {
  if (!(await tablesThere(query, dialect)).includes(migrationsTable)) return [];
  const rows = await query(`SELECT "name" FROM "${migrationsTable}" ORDER BY "timestamp", "id"`);
  return rows.map(({ name }) => String(name));
}

/** Every table of ours with its columns and how many rows it has now. */
export async function describeTables(query: Query, dialect: Dialect): Promise<readonly BackedUpTable[]> {
  const described: BackedUpTable[] = [];
  for (const name of await tablesThere(query, dialect)) {
    if (name === migrationsTable) continue;
    const columns = await query(
      dialect === 'sqlite'
        ? `SELECT "name", "type" FROM pragma_table_info('${name}') ORDER BY "cid"`
        : `SELECT column_name AS "name", data_type AS "type" FROM information_schema.columns
            WHERE table_schema = current_schema() AND table_name = '${name}' ORDER BY ordinal_position`,
    );
    const [counted] = await query(`SELECT COUNT(*) AS "rows" FROM "${name}"`);
    described.push({
      name,
      columns: columns.map((column) => ({ name: String(column.name), type: typeOf(name, column) })),
      rows: Number(counted?.rows),
    });
  }
  return described;
}

const types: Readonly<Record<string, ColumnType>> = {
  text: 'text',
  varchar: 'text',
  'character varying': 'text',
  bigint: 'integer',
  boolean: 'boolean',
};

function typeOf(table: string, { name, type }: Raw): ColumnType {
  const known = types[String(type).toLowerCase()];
  if (known === undefined) throw new Error(`${table}.${String(name)} has the type ${String(type)}, which is not ours`);
  return known;
}
