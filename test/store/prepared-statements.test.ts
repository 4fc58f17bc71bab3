/** Statements that stay prepared answer what they would if each question had one of its own. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sqlite3 from 'sqlite3';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FreeConnection } from '../../src/store/connection.js';
import { PreparedStatements } from '../../src/store/prepared-statements.js';
import { openStore } from '../../src/store/index.js';
import { sql } from '../../src/store/sql.js';

let folder: string;
let database: sqlite3.Database;
let statements: PreparedStatements;
/** Texts of the statements that were prepared. */
let prepared: string[];

const open = (): Promise<sqlite3.Database> =>
  new Promise((resolve, reject) => {
    const opened: sqlite3.Database = new sqlite3.Database(join(folder, 'things.db'), (error) =>
      error === null ? resolve(opened) : reject(error),
    );
  });
const run = (text: string, on = database): Promise<void> =>
  new Promise((resolve, reject) => on.exec(text, (error) => (error === null ? resolve() : reject(error))));
const close = (one: sqlite3.Database): Promise<void> =>
  new Promise((resolve, reject) => one.close((error) => (error === null ? resolve() : reject(error))));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bailiwick-prepared-'));
  database = await open();
  await run('CREATE TABLE "things" ("id" bigint, "words" varchar)');
  for (let id = 0; id < 50; id += 1) await run(`INSERT INTO "things" VALUES (${id}, 'thing ${id}')`);
  prepared = [];
  const prepare = database.prepare.bind(database);
  database.prepare = ((text: string, ...rest: unknown[]) => {
    prepared.push(text);
    return prepare(text, ...rest);
  }) as typeof database.prepare;
  statements = new PreparedStatements(database);
});
afterEach(async () => {
  statements.clear();
  // SQLite refuses to close a connection that still has a statement.
  await close(database);
  await rm(folder, { recursive: true });
});

const byId = 'SELECT "words" FROM "things" WHERE "id" = ?';
const countOf = async (): Promise<unknown> =>
  (await statements.ask('SELECT COUNT(*) AS "count" FROM "things"', []))[0]?.count;

describe('prepared statements', () => {
  it('answer each of many questions at once, and a text is prepared a few times at most', async () => {
    const ids = [...Array(50).keys()];
    for (let round = 0; round < 3; round += 1) {
      const answers = await Promise.all(ids.map((id) => statements.ask(byId, [id])));
      expect(answers).toEqual(ids.map((id) => [{ words: `thing ${id}` }]));
    }
    expect(prepared).toEqual(Array(4).fill(byId));
    expect(await statements.ask(byId, [99])).toEqual([]);
    expect(prepared.length).toBe(4);
  });

  it('see what was committed since, and tables that are not what they were', async () => {
    expect(await countOf()).toBe(50);
    const other = await open();
    await run(`INSERT INTO "things" VALUES (50, 'one more')`, other);
    expect(await countOf()).toBe(51);
    await run('ALTER TABLE "things" RENAME TO "old"; CREATE TABLE "things" ("words" varchar, "id" bigint)', other);
    expect(await countOf()).toBe(0);
    await close(other);
  });

  it('fail with the code of what is wrong, each question by itself, and go on', async () => {
    const missing = 'SELECT "words" FROM "others" WHERE "id" = ?';
    const failures = await Promise.all(
      Array.from({ length: 20 }, (_none, id) => statements.ask(missing, [id]).catch((error: unknown) => error)),
    );
    for (const error of failures) expect(error).toMatchObject({ code: 'SQLITE_ERROR', message: /no such table/ });
    await run('ALTER TABLE "things" RENAME TO "others"');
    expect(await statements.ask(missing, [7])).toEqual([{ words: 'thing 7' }]);

    const fragile = 'SELECT json_extract(?, ?) AS "part"';
    const parts = await Promise.all(
      [...Array(12).keys()].map((at) =>
        statements.ask(fragile, [at % 3 === 0 ? '{' : `{"a": ${at}}`, '$.a']).catch((error: unknown) => error),
      ),
    );
    for (const [at, part] of parts.entries()) {
      if (at % 3 === 0) expect(part).toMatchObject({ code: 'SQLITE_ERROR', message: /malformed JSON/ });
      else expect(part).toEqual([{ part: at }]);
    }
  });

  it('are thrown away, the oldest first, when there are too many texts', async () => {
    const text = (n: number) => `SELECT ${n} AS "n"`;
    for (let n = 0; n < 450; n += 1) expect(await statements.ask(text(n), [])).toEqual([{ n }]);
    prepared = [];
    expect(await statements.ask(text(449), [])).toEqual([{ n: 449 }]);
    expect(await statements.ask(text(0), [])).toEqual([{ n: 0 }]);
    expect(prepared).toEqual([text(0)]);
    // What is under way when its text goes is answered all the same.
    const slow =
      'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT COUNT(*) AS "n" FROM n';
    const counted = Promise.all([...Array(9).keys()].map((at) => statements.ask(slow, [20_000 + at])));
    const others = Promise.all([...Array(400).keys()].map((n) => statements.ask(text(1_000 + n), [])));
    expect(await counted).toEqual([...Array(9).keys()].map((at) => [{ n: 20_000 + at }]));
    expect((await others).length).toBe(400);
  });

  it('are gone when the connection is to be closed, though some were under way', async () => {
    const answers = Promise.all([...Array(30).keys()].map((id) => statements.ask(byId, [id])));
    statements.clear();
    expect((await answers)[29]).toEqual([{ words: 'thing 29' }]);
  });
});

it('a connection of the store keeps them, and lets go of them before its source is closed', async () => {
  const source = new DataSource({ type: 'sqlite', database: join(folder, 'things.db') });
  await source.initialize();
  const connection = new FreeConnection('sqlite', source);
  const counted = sql`SELECT COUNT(*) AS "count" FROM "things" WHERE "id" < ${7}`;
  for (let time = 0; time < 3; time += 1) expect(await connection.rows(counted)).toEqual([{ count: 7 }]);
  await expect(connection.rows(sql`SELECT "nothing" FROM "nowhere"`)).rejects.toThrow(
    'the database refused a statement: SQLITE_ERROR: no such table: nowhere',
  );
  connection.close();
  // What still comes is answered, and keeps nothing.
  expect(await connection.rows(counted)).toEqual([{ count: 7 }]);
  await source.destroy();
  await expect(connection.rows(counted)).rejects.toThrow(/not established/);
});

it('many first questions at once leave nothing behind', async () => {
  const source = new DataSource({ type: 'sqlite', database: join(folder, 'things.db') });
  await source.initialize();
  const connection = new FreeConnection('sqlite', source);
  const counts = await Promise.all(
    [...Array(9).keys()].map((n) => connection.rows(sql`SELECT COUNT(*) AS "count" FROM "things" WHERE "id" < ${n}`)),
  );
  expect(counts).toEqual([...Array(9).keys()].map((count) => [{ count }]));
  connection.close();
  await source.destroy();
});

it('a store is closed while reads follow one another', async () => {
  const store = await openStore(`sqlite:${join(folder, 'store.db')}`);
  let under = 0;
  const chains = [...Array(16).keys()].map(async () => {
    for (let time = 0; time < 20; time += 1) {
      under += 1;
      await store.access.accounts();
    }
  });
  const ended = Promise.allSettled(chains);
  await vi.waitFor(() => expect(under).toBeGreaterThan(20), { interval: 1 });
  await store.close();
  await ended;
  // Nothing of it is left, so that it can be opened at once.
  await (await openStore(`sqlite:${join(folder, 'store.db')}`)).close();
  expect((await readdir(folder)).filter((name) => name.startsWith('store.db')).sort()).toEqual([
    'store.db',
    'store.db.lock',
  ]);
});
