/** Between records and rows: names of columns, what is selected, what is written, what is read back. */
import { fold, type Kind, type Records, type Tag } from '../iam/index.js';
import { key, searched, type Column } from './columns.js';
import { tagLines } from './tag-lines.js';
import { column, join, raw, sql, UnstorableError, type Sql } from './sql.js';
import { tables } from './tables.js';

export type Raw = Readonly<Record<string, unknown>>;

export const kinds = Object.keys(tables) as readonly Kind[];

/** Columns that the store keeps beside others, to compare by. */
export const shadows: readonly string[] = ['nameKey', 'tagsKey', 'urnPath'];

/** The shadow column of names. */
const nameKey = key();

/** The shadow columns of tags, and of what a URN says after its fourth colon. */
const ofTagged = { tagsKey: searched(), urnPath: searched() };

/** Every column of a table, the shadows of names, tags and URNs included. */
export function columnsOf(kind: Kind): Readonly<Record<string, Column>> {
  const { columns, named } = tables[kind];
  return { ...columns, ...(named === null ? {} : { nameKey }), ...(isTagged(kind) ? ofTagged : {}) };
}

function isTagged(kind: Kind): boolean {
  return 'tags' in tables[kind].columns;
}

/** `defaultModelArtsAccess` is kept in `default_model_arts_access`. */
export function columnName(property: string): string {
  return property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The column of a property, of a row that a statement calls `alias`. */
export function property(alias: string, name: string): Sql {
  return column(alias, columnName(name));
}

/** What a statement answered: of each row its values, in the order of the columns. */
export class Rows {
  constructor(
    readonly columns: readonly string[],
    readonly values: readonly (readonly unknown[])[],
  ) {}

  static of(rows: readonly Raw[]): Rows {
    const columns = Object.keys(rows[0] ?? {});
    return new Rows(
      columns,
      rows.map((row) => columns.map((name) => row[name])),
    );
  }

  /** Where in a row a column stands; -1, where nothing is, for one that the statement has not. */
  place(column: string): number {
    return this.columns.indexOf(column);
  }
}

const selections = new Map<string, Sql>();

/** The columns of a record in a SELECT, each under its property's name. */
export function selected(kind: Kind, alias: string): Sql {
  const known = selections.get(`${kind} ${alias}`);
  if (known !== undefined) return known;
  const names = Object.keys(tables[kind].columns);
  const selection = join(
    names.map((name) => sql`${property(alias, name)} AS ${raw(`"${name}"`)}`),
    ', ',
  );
  selections.set(`${kind} ${alias}`, selection);
  return selection;
}

/** A record from a row of `selected` columns. */
export function recordOf<K extends Kind>(kind: K, row: Raw): Records[K] {
  const record: Record<string, unknown> = {};
  for (const [name, { transformer }] of columnsOfRecord(kind)) record[name] = transformer.from(row[name]);
  return record as unknown as Records[K];
}

/** Makes records of many rows, in which the `selected` columns are looked up once. */
export function recordsOf<K extends Kind>(kind: K, rows: Rows): (row: readonly unknown[]) => Records[K] {
  const parts = columnsOfRecord(kind).map(([name, { transformer }]) => {
    return { name, place: rows.place(name), from: transformer.from };
  });
  return (row) => {
    const record: Record<string, unknown> = {};
    for (const { name, place, from } of parts) record[name] = from(row[place]);
    return record as unknown as Records[K];
  };
}

function columnsOfRecord(kind: Kind): readonly (readonly [string, Column])[] {
  let columns = columnsOfRecords.get(kind);
  if (columns === undefined) columnsOfRecords.set(kind, (columns = Object.entries<Column>(tables[kind].columns)));
  return columns;
}

const columnsOfRecords = new Map<Kind, readonly (readonly [string, Column])[]>();

/** What is written of these values: columns and no others, each checked, and their shadows. */
export function rowOf(kind: Kind, values: Raw): Record<string, unknown> {
  const { columns, named } = tables[kind];
  const row: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    const written = (columns as Readonly<Record<string, Column>>)[name];
    if (written === undefined) throw new UnstorableError(`a ${kind} has no column \`${name}\``);
    checked(kind, name, () => written.check(value));
    row[name] = value;
  }
  if (named !== null && typeof row.name === 'string') {
    const shadow = fold(row.name);
    checked(kind, 'name', () => nameKey.check(shadow));
    row.nameKey = shadow;
  }
  if (isTagged(kind) && row.tags !== undefined) row.tagsKey = tagLines(row.tags as readonly Tag[]);
  if (isTagged(kind) && typeof row.urn === 'string') row.urnPath = row.urn.split(':').slice(4).join(':');
  return row;
}

/** A whole row, in which nothing may be missing. */
export function wholeRowOf(kind: Kind, record: Raw): Record<string, unknown> {
  const missing = Object.keys(tables[kind].columns).find((name) => record[name] === undefined);
  if (missing !== undefined) throw new UnstorableError(`${kind}.${missing} is missing`);
  return rowOf(kind, record);
}

function checked(kind: Kind, name: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    throw new UnstorableError(`${kind}.${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
