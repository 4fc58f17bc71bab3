/**
 * The text of a backup: lines of JSON in UTF-8, gzipped. The same for every database, so that what one has written the
 * other can read; docs/backup.md describes it for whoever has the file and not this program.
 *
 *     {"format":"bailiwick backup 1","database":"sqlite","at":"…","keyCheck":"…","migrations":[…],"tables":[…]}
 *     {"table":"accounts"}
 *     ["a","Acme",…]                          one line for each row, values in the order of the header's columns
 *     …
 *     {"end":true,"rows":1234,"sha256":"…"}   over every byte before this line
 *
 * INVARIANT: what is written under a name of a format is read for ever. Another form has another name.
 */
import { createHash } from 'node:crypto';
import { createGunzip } from 'node:zlib';
import { pipeline } from 'node:stream/promises';
import { PassThrough, type Readable } from 'node:stream';

export const backupFormat = 'bailiwick backup 1';

const columnTypes = ['text', 'integer', 'boolean'] as const;
export type ColumnType = (typeof columnTypes)[number];
export type Value = string | number | boolean | null;
export type Row = readonly Value[];

export interface BackedUpTable {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[];
  readonly rows: number;
}

export interface BackupHeader {
  readonly format: typeof backupFormat;
  /** Where it was written; it can be restored into either. */
  readonly database: 'sqlite' | 'postgres';
  /** ISO 8601. */
  readonly at: string;
  /** Tells whether a secret key file is the one that belongs to it; null when none was at hand. */
  readonly keyCheck: string | null;
  /** Names, in the order in which they ran. */
  readonly migrations: readonly string[];
  readonly tables: readonly BackedUpTable[];
}

/** The file is none, or not what was written. */
export class NoBackup extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'NoBackup';
  }
}

/** Bytes that are handed on, or held, at once. */
const portion = 64 * 1024;
const largestBatch = { rows: 500, bytes: 1024 * 1024 };
/** No row of ours comes near; what does is no backup, and must not fill the memory. */
const longestLine = 64 * 1024 * 1024;

/** The bytes of a backup before they are compressed. */
export async function* writtenBackup(
  header: BackupHeader,
  rowsOf: (table: BackedUpTable) => AsyncIterable<readonly Row[]>,
): AsyncGenerator<Buffer, void, undefined> {
  const hash = createHash('sha256');
  let held: string[] = [];
  let length = 0;
  let rows = 0;
  const hold = (line: unknown): void => {
    const text = `${JSON.stringify(line)}\n`;
    held.push(text);
    length += text.length;
  };
  const taken = (): Buffer => {
    const bytes = Buffer.from(held.join(''));
    held = [];
    length = 0;
    hash.update(bytes);
    return bytes;
  };
  hold(header);
  for (const table of header.tables) {
    hold({ table: table.name });
    for await (const some of rowsOf(table)) {
      for (const row of some) {
        hold(row);
        if (length >= portion) yield taken();
      }
      rows += some.length;
    }
  }
  yield taken();
  yield Buffer.from(`${JSON.stringify({ end: true, rows, sha256: hash.digest('hex') })}\n`);
}

export interface OpenBackup {
  readonly header: BackupHeader;
  /**
   * Rows in the order of the file. They are known to be whole, and what was written, only when the last has been read.
   */
  readonly rows: AsyncGenerator<{ readonly table: BackedUpTable; readonly rows: readonly Row[] }, void, undefined>;
}

/** @param file compressed bytes. Throws NoBackup, now or while rows are read. */
export async function openBackup(file: Readable): Promise<OpenBackup> {
  const hash = createHash('sha256');
  const lines = linesOf(unzipped(file));
  const next = async (): Promise<{ readonly bytes: Buffer; readonly value: unknown }> => {
    const { value: bytes, done } = await lines.next();
    if (done === true) throw new NoBackup('it ends before its end: it was cut off');
    return { bytes, value: parsed(bytes) };
  };
  const first = await next();
  hash.update(first.bytes);
  const header = headerFrom(first.value);
  async function* rows(): OpenBackup['rows'] {
    let total = 0;
    let batch: Row[] = [];
    let bytesHeld = 0;
    let index = -1;
    let ofTable = 0;
    const leave = (): void => {
      const table = header.tables[index];
      if (table !== undefined && ofTable !== table.rows) {
        throw new NoBackup(`it has ${ofTable} rows of ${table.name} where its header says ${table.rows}`);
      }
    };
    for (;;) {
      const { bytes, value } = await next();
      const table = header.tables[index];
      if (Array.isArray(value)) {
        if (table === undefined) throw new NoBackup('it has rows of no table');
        batch.push(rowFrom(value, table));
        ofTable += 1;
        total += 1;
        bytesHeld += bytes.length;
        hash.update(bytes);
        if (batch.length < largestBatch.rows && bytesHeld < largestBatch.bytes) continue;
      }
      if (batch.length > 0 && table !== undefined) yield { table, rows: batch };
      batch = [];
      bytesHeld = 0;
      if (Array.isArray(value)) continue;
      const { table: name, end, rows: told, sha256 } = (value ?? {}) as Readonly<Record<string, unknown>>;
      leave();
      if (end === true) {
        if (index + 1 !== header.tables.length) throw new NoBackup('tables are missing');
        if (told !== total || sha256 !== hash.digest('hex')) {
          throw new NoBackup('its checksum does not fit: it was damaged or changed');
        }
        if ((await lines.next()).done !== true) throw new NoBackup('something follows its end');
        return;
      }
      index += 1;
      ofTable = 0;
      if (name !== header.tables[index]?.name) throw new NoBackup('tables are missing, or stand in another order');
      hash.update(bytes);
    }
  }
  return { header, rows: rows() };
}

/** Each with the newline that ends it. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let held: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      yield Buffer.concat([...held, chunk.subarray(from, end + 1)]);
      held = [];
      length = 0;
      from = end + 1;
    }
    if (from === chunk.length) continue;
    held.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > longestLine) throw new NoBackup('a line of it is longer than any row can be');
  }
  if (length > 0) throw new NoBackup('it ends in the middle of a line: it was cut off');
}

async function* unzipped(file: Readable): AsyncGenerator<Buffer, void, undefined> {
  const output = new PassThrough();
  const gunzip = createGunzip();
  let failure: Error | null = null;
  const fail = (error: unknown): void => {
    failure ??= error instanceof Error ? error : new Error(String(error));
  };
  const done = pipeline(file, gunzip, output).catch(fail);
  try {
    for await (const chunk of output) yield chunk as Buffer;
  } catch (error) {
    fail(error);
  } finally {
    file.destroy();
    output.destroy();
    await done;
  }
  const found = failure as (Error & { readonly code?: unknown }) | null;
  if (found === null) return;
  const code = String(found.code);
  if (code === 'Z_BUF_ERROR') throw new NoBackup('it was cut off');
  if (code.startsWith('Z_')) throw new NoBackup('it is not gzipped, or damaged');
  throw found;
}

function parsed(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'));
  } catch {
    throw new NoBackup('a line of it is no JSON');
  }
}

function headerFrom(value: unknown): BackupHeader {
  const { format, database, at, keyCheck, migrations, tables } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (format !== backupFormat) {
    if (typeof format === 'string' && format.startsWith('bailiwick backup ')) {
      throw new NoBackup(`its format is \`${format}\`, which this version does not know; restore it with a newer one`);
    }
    throw new NoBackup(`its first line does not say \`${backupFormat}\``);
  }
  const readable =
    (database === 'sqlite' || database === 'postgres') &&
    typeof at === 'string' &&
    (keyCheck === null || typeof keyCheck === 'string') &&
    Array.isArray(migrations) &&
    migrations.every((name) => typeof name === 'string') &&
    Array.isArray(tables) &&
    tables.every(isTable);
  if (!readable) throw new NoBackup('its first line cannot be read');
  return { format, database, at, keyCheck, migrations, tables };
}

function isTable(value: unknown): value is BackedUpTable {
  const { name, columns, rows } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return (
    typeof name === 'string' &&
    Number.isSafeInteger(rows) &&
    Array.isArray(columns) &&
    columns.every((column: unknown) => {
      const { name: columnName, type } = (column ?? {}) as Readonly<Record<string, unknown>>;
      return typeof columnName === 'string' && (columnTypes as readonly unknown[]).includes(type);
    })
  );
}

function rowFrom(values: readonly unknown[], { name, columns }: BackedUpTable): Row {
  const fits =
    values.length === columns.length &&
    values.every((value, index) => value === null || fitsType(value, columns[index]?.type));
  if (!fits) throw new NoBackup(`a row of ${name} is not as its header says`);
  return values as Row;
}

function fitsType(value: unknown, type: ColumnType | undefined): boolean {
  if (type === 'text') return typeof value === 'string';
  return type === 'integer' ? Number.isSafeInteger(value) : typeof value === 'boolean';
}
