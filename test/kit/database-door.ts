/**
 * Where the files of a run ask for what they share of databases: the URL of one PostgreSQL server, and, for either database,
 * tables that the store has made, to be copied: making them takes hundreds of statements. Each is made for the first who
 * asks. The answers are those that `Shared` names.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { emptyTemplate, startPostgres, type PostgresServer } from '../store/databases.js';
import type { Shared } from './shared.js';
import { runFolder } from './translated.js';

export interface DatabaseDoor {
  readonly url: string;
  /** The program is another now, and may make other tables. */
  forgetTables(): void;
  close(): Promise<void>;
}

export async function openDatabaseDoor(): Promise<DatabaseDoor> {
  let server: Promise<PostgresServer> | null = null;
  const tables = new Map<string, Promise<string>>();
  const folders: string[] = [];
  const made: string[] = [];

  const run = async (statement: string): Promise<PostgresServer> => {
    server ??= startPostgres();
    const client = new pg.Client({ connectionString: (await server).urlOf('postgres') });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
    return server;
  };

  const makeSqlite = async (): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'bailiwick-tables-'));
    folders.push(folder);
    const path = join(folder, 'tables.db');
    await makeTables(`sqlite:${path}`);
    return path;
  };

  const makePostgres = async (): Promise<string> => {
    const name = `tables_${randomBytes(8).toString('hex')}`;
    const { urlOf } = await run(`CREATE DATABASE ${name} TEMPLATE ${emptyTemplate}`);
    made.push(name);
    await makeTables(urlOf(name));
    return name;
  };

  const once = (what: string, make: () => Promise<string>): Promise<string> => {
    const known = tables.get(what) ?? make();
    tables.set(what, known);
    return known;
  };

  const answers: Readonly<Record<Shared, () => Promise<string>>> = {
    postgres: async () => (await (server ??= startPostgres())).urlOf('postgres'),
    'tables/sqlite': () => once('sqlite', makeSqlite),
    'tables/postgres': () => once('postgres', makePostgres),
  };

  const door = createServer((request, response) => {
    const what = (request.url ?? '').slice(1);
    const answer = Object.hasOwn(answers, what) ? answers[what as Shared]() : Promise.reject(new Error(`no ${what}`));
    answer.then(
      (text) => response.end(text),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(door.address() as AddressInfo).port}/`,
    forgetTables: () => tables.clear(),
    close: async () => {
      door.close();
      door.closeAllConnections();
      for (const folder of folders) await rm(folder, { recursive: true, force: true });
      for (const name of made) await run(`DROP DATABASE ${name} WITH (FORCE)`);
      await (await server?.catch(() => null))?.stop();
    },
  };
}

/** By the store itself, in a process of its own, which sees the program as it is now. */
async function makeTables(url: string): Promise<void> {
  const script = `
    import { openStore } from ${JSON.stringify(`${runFolder}/store/index.js`)};
    await (await openStore(${JSON.stringify(url)})).close();`;
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
}
