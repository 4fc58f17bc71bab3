/** Where the search looks: everything that a database leaves on a disk, its backup, its rows as text, and plain files. */
import { createReadStream, existsSync } from 'node:fs';
import { chmod, readdir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import pg from 'pg';
import sqlite3 from 'sqlite3';
import type { Source } from './search.js';

export function fileSource(path: string, text: boolean): Source {
  return { name: path, bytes: bytesOf(path), text };
}

async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  // Opened only when somebody reads.
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) yield chunk as Buffer;
}

export function textSource(name: string, text: string): Source {
  return { name, bytes: [Buffer.from(text)], text: true };
}

/** Every file below a folder. A server that runs there may remove one before it is its turn. */
export async function* filesBelow(folder: string, text = false): AsyncGenerator<Source> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) yield { ...fileSource(path, text), bytes: bytesWhileThere(path) };
  }
}

async function* bytesWhileThere(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* bytesOf(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** A copy as an operator makes one while the server runs. */
export async function backUpSqlite(path: string, copy: string): Promise<void> {
  const database = await openSqlite(path);
  try {
    await rowsOf(database, 'VACUUM INTO ?', copy);
  } finally {
    await closeSqlite(database);
  }
}

const pageOfRows = 2_000;

/** Every row of every table as JSON. */
export async function* sqliteRows(path: string): AsyncGenerator<Source> {
  const database = await openSqlite(path);
  try {
    const tables = await rowsOf(database, `SELECT name FROM sqlite_schema WHERE type = 'table'`);
    for (const { name } of tables) {
      async function* lines(): AsyncGenerator<Uint8Array> {
        for (let offset = 0; ; offset += pageOfRows) {
          const rows = await rowsOf(database, `SELECT * FROM "${String(name)}" LIMIT ${pageOfRows} OFFSET ${offset}`);
          if (rows.length > 0) yield Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
          if (rows.length < pageOfRows) return;
        }
      }
      yield { name: `table ${String(name)}`, bytes: lines(), text: true };
    }
  } finally {
    await closeSqlite(database);
  }
}

export interface PostgresPlaces {
  readonly dataDirectory: string;
  /** Of the database there, below the server's. */
  readonly databaseDirectory: string;
  /** Has the server keep every segment of its log of writes, also those that it needs no more. */
  keepWrites(): Promise<void>;
  /** Writes what is in memory only to the files. */
  checkpoint(): Promise<void>;
  /** Has the server refuse, and log, a statement that names this. */
  plant(name: string): Promise<void>;
  /** Writes every table of the database to a file in the folder: rows as JSON, as `COPY` writes them. */
  copyTables(folder: string): Promise<void>;
}

export async function postgresPlaces(databaseUrl: string): Promise<PostgresPlaces> {
  const ask = async (...statements: readonly string[]): Promise<readonly Record<string, unknown>[]> => {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    try {
      let rows: readonly Record<string, unknown>[] = [];
      for (const statement of statements) ({ rows } = await client.query<Record<string, unknown>>(statement));
      return rows;
    } finally {
      await client.end();
    }
  };
  const [{ data_directory: folder } = {}] = await ask('SHOW data_directory');
  const [{ oid } = {}] = await ask('SELECT oid FROM pg_database WHERE datname = current_database()');
  const { hostname } = new URL(databaseUrl);
  if (hostname !== '127.0.0.1' || typeof folder !== 'string' || !existsSync(folder)) {
    throw new Error('the files of the database are not on this machine; let the search start its own server');
  }
  return {
    dataDirectory: folder,
    databaseDirectory: join('base', String(oid)),
    keepWrites: async () => {
      await ask(`ALTER SYSTEM SET wal_keep_size = '100GB'`, 'SELECT pg_reload_conf()');
    },
    checkpoint: async () => {
      await ask('CHECKPOINT');
    },
    plant: async (name) => {
      await ask(`SELECT "${name}"`).catch(() => undefined);
    },
    copyTables: async (target) => {
      // The server writes them, as a user of its own.
      await chmod(target, 0o777);
      const tables = await ask(
        `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
      );
      await ask(
        ...tables.map(({ name }) => {
          const file = join(target, `${String(name)}.json`).replaceAll("'", "''");
          return `COPY (SELECT row_to_json(t) FROM "${String(name)}" AS t) TO '${file}'`;
        }),
      );
    },
  };
}

/** Which part of the data directory of PostgreSQL a file belongs to. */
export function partOf(dataDirectory: string, path: string): 'relations' | 'log of writes' | 'other files' {
  const [folder] = path.slice(dataDirectory.length + 1).split(sep);
  if (folder === 'base' || folder === 'global') return 'relations';
  return folder === 'pg_wal' ? 'log of writes' : 'other files';
}

function openSqlite(path: string): Promise<sqlite3.Database> {
  return new Promise((resolve, reject) => {
    const database = new sqlite3.Database(path, sqlite3.OPEN_READONLY, (error) =>
      error === null ? resolve(database) : reject(error),
    );
  });
}

function rowsOf(database: sqlite3.Database, statement: string, ...parameters: string[]) {
  return new Promise<readonly Record<string, unknown>[]>((resolve, reject) => {
    database.all<Record<string, unknown>>(statement, parameters, (error, rows) =>
      error === null ? resolve(rows) : reject(error),
    );
  });
}

function closeSqlite(database: sqlite3.Database): Promise<void> {
  return new Promise((resolve, reject) => {
    database.close((error) => (error === null ? resolve() : reject(error)));
  });
}
