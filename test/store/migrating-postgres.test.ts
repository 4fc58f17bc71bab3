/** Migrations beside those who use the database: nobody stands still behind them for long, and none is left by half. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { afterAll, expect, test } from 'vitest';
import { openStore } from '../../src/store/index.js';
import { locationOf } from '../../src/store/location.js';
import { migrate, type MigrationPatience } from '../../src/store/migrating-postgres.js';
import { migrations } from '../../src/store/migrations/index.js';
import { dataSource } from '../../src/store/sources.js';
import type { TellWait } from '../../src/store/waits.js';
import { databases } from './databases.js';
import { founded } from './records.js';

const { postgres } = databases();
afterAll(() => postgres.stop());

/** Makes a table of its own before it comes to one that others use. */
class Later9999999999999 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE "things" ("id" TEXT PRIMARY KEY)');
    await runner.query('ALTER TABLE "groups" ADD COLUMN "later" TEXT');
  }

  async down(): Promise<void> {
    throw new Error('there is no way back');
  }
}

async function inUse(): Promise<{ url: string; reading: pg.Client; other: pg.Client }> {
  const url = await postgres.freshUrl();
  const store = await openStore(url);
  await founded(store, 'a');
  await store.close();
  const [reading, other] = await Promise.all(
    ['a backup', 'a server'].map(async (name) => {
      const client = new pg.Client({ connectionString: url, application_name: name });
      await client.connect();
      return client;
    }),
  );
  if (reading === undefined || other === undefined) throw new Error('two clients were made');
  await reading.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await reading.query('SELECT COUNT(*) FROM "groups"');
  return { url, reading, other };
}

async function migrated(url: string, patience: MigrationPatience, wait?: TellWait): Promise<void> {
  const source = dataSource(locationOf(url), 'MIGRATOR', {}, null);
  source.setOptions({ migrations: [...migrations, Later9999999999999] });
  await source.initialize();
  await migrate(source, wait, patience).finally(() => source.destroy());
}

/** Tables and columns of the migration, and how often it is noted. */
async function doneIn(client: pg.Client): Promise<unknown> {
  const { rows } = await client.query(
    `SELECT to_regclass('things') IS NOT NULL AS "table",
      (SELECT COUNT(*)::int FROM information_schema.columns WHERE table_name = 'groups' AND column_name = 'later') AS "columns",
      (SELECT COUNT(*)::int FROM "migrations" WHERE "name" LIKE 'Later%') AS "noted"`,
  );
  return rows[0];
}

const nothing = { table: false, columns: 0, noted: 0 };

test('while a backup reads a table, others read it too, and the migration comes when the backup has ended', async () => {
  const { url, reading, other } = await inUse();
  const told: (string | null)[] = [];
  let toldTwice = (): void => undefined;
  const waited = new Promise<void>((resolve) => (toldTwice = resolve));
  const migrating = migrated(url, { lockWait: 400, pause: 400, longest: 60_000 }, (what) => {
    told.push(what);
    // It has been waited for, left alone, and waited for again.
    if (told.filter((each) => each !== null).length > 1 && told.includes(null)) toldTwice();
  });
  // Where it says nothing, the reads say what is wrong.
  await Promise.race([waited, migrating, pause(10_000)]);
  // Longer than it may queue, and by far shorter than a backup.
  await other.query('SET statement_timeout = 5000');
  for (let count = 0; count < 5; count += 1) {
    expect((await other.query('SELECT "id" FROM "groups"')).rows).not.toEqual([]);
    expect(await doneIn(other)).toEqual(nothing);
  }
  await reading.query('COMMIT');
  await migrating;
  expect(told[0]).toMatch(/^the table groups, behind process \d+ \(a backup, for \d+ s\) of the database$/);
  expect(await doneIn(other)).toEqual({ table: true, columns: 1, noted: 1 });
  await Promise.all([reading.end(), other.end()]);
});

test('it is given up in the end, with what was waited for and nothing changed', async () => {
  const { url, reading, other } = await inUse();
  await expect(migrated(url, { lockWait: 500, pause: 100, longest: 1_000 })).rejects.toThrow(
    /^the tables cannot be brought up to date: .* waited for the table groups, behind process \d+ \(a backup, for \d+ s\) of the database; nothing was changed; /,
  );
  expect(await doneIn(other)).toEqual(nothing);
  await reading.query('COMMIT');
  await migrated(url, { lockWait: 500, pause: 100, longest: 1_000 });
  expect(await doneIn(other)).toEqual({ table: true, columns: 1, noted: 1 });
  await Promise.all([reading.end(), other.end()]);
});

test('what is wrong with a migration is told at once', async () => {
  const { url, reading, other } = await inUse();
  await reading.query('COMMIT');
  await other.query('CREATE TABLE "things" ("id" TEXT)');
  await expect(migrated(url, { lockWait: 500, pause: 60_000, longest: 600_000 })).rejects.toThrow(/already exists/);
  await Promise.all([reading.end(), other.end()]);
});
