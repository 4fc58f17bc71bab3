/** What takes as long as there are rows, or waits for others, is not cut off on PostgreSQL, and says for what it waits. */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { backUpStore, openBackup, openStore, restoreStore, type DatabaseLimits } from '../../src/store/index.js';
import { locationOf } from '../../src/store/location.js';
import { migrationLock } from '../../src/store/migrating-postgres.js';
import { dataSource, usualDatabaseLimits, type Role } from '../../src/store/sources.js';
import { describeWait, type TellWait } from '../../src/store/waits.js';
import { databases } from './databases.js';
import { founded, noon } from './records.js';

const { postgres } = databases();
const clients: pg.Client[] = [];
afterAll(async () => {
  for (const client of clients) await client.end();
  await postgres.stop();
});

/** Of requests. The client gives a connection up five seconds after the longest time of a statement. */
const short: Partial<DatabaseLimits> = { longestStatement: 100, longestLockWait: 100 };
const longerThanThat = 6_000;

let url: string;
let file: Buffer;

beforeAll(async () => {
  url = await postgres.freshUrl();
  const store = await openStore(url);
  await founded(store, 'a');
  await store.close();
  file = await backedUp();
});

async function backedUp(wait: TellWait = () => undefined): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  await backUpStore(
    url,
    { keyCheck: null, now: () => noon, tell: () => undefined, wait, limits: short },
    async (all) => {
      bytes = await buffer(Readable.from(all).pipe(createGzip()));
    },
  );
  return bytes;
}

async function restored(
  target: string,
  { replace = false, wait = () => undefined }: { replace?: boolean; wait?: TellWait } = {},
): Promise<void> {
  const silent = { watch: () => undefined, tell: () => undefined, verify: async () => undefined };
  await restoreStore(target, await openBackup(Readable.from([file])), { ...silent, replace, wait, limits: short });
}

async function client(target: string): Promise<pg.Client> {
  const made = new pg.Client({ connectionString: target, application_name: 'somebody else' });
  await made.connect();
  clients.push(made);
  return made;
}

async function accountsIn(target: string): Promise<unknown> {
  return (await (await client(target)).query('SELECT "id" FROM "accounts"')).rows;
}

test.each<[Role, { readonly readOnly: 'on' | 'off' }]>([
  ['COPIER', { readOnly: 'off' }],
  ['RESTORER', { readOnly: 'off' }],
  ['MIGRATOR', { readOnly: 'off' }],
])('nothing hurries a %s, save that it may not do nothing for ever', async (role, { readOnly }) => {
  const source = dataSource(locationOf(url), role, {}, null, { ...usualDatabaseLimits, ...short });
  await source.initialize();
  const [told] = await source.query<unknown[]>(
    `SELECT current_setting('statement_timeout') AS "statement", current_setting('lock_timeout') AS "lock",
      current_setting('idle_in_transaction_session_timeout') AS "idle",
      current_setting('default_transaction_read_only') AS "readOnly",
      current_setting('client_connection_check_interval', TRUE) AS "left"`,
  );
  await source.destroy();
  expect(told).toEqual({ statement: '0', lock: '0', idle: '1h', readOnly, left: '2s' });
});

test('a restore goes on through a statement that takes longer than any request may', async () => {
  const target = await postgres.freshUrl();
  await (
    await client(target)
  ).query(`
    CREATE FUNCTION slow() RETURNS event_trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF current_query() LIKE 'ALTER TABLE "audit_events" ADD CONSTRAINT%' THEN PERFORM pg_sleep(${longerThanThat / 1000}); END IF;
    END $$;
    CREATE EVENT TRIGGER slow ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION slow()`);
  const begun = performance.now();
  await restored(target);
  expect(performance.now() - begun).toBeGreaterThan(longerThanThat);
  expect(await accountsIn(target)).toEqual([{ id: 'a' }]);
});

test('a restore waits for a server that migrates, and says so', async () => {
  const target = await postgres.freshUrl();
  const migrating = await client(target);
  await migrating.query(`SELECT pg_advisory_lock(${migrationLock})`);
  const told: (string | null)[] = [];
  const restoring = restored(target, { wait: (what) => told.push(what) });
  await Promise.race([restoring, pause(longerThanThat)]);
  await migrating.query(`SELECT pg_advisory_unlock(${migrationLock})`);
  await restoring;
  expect(told[0]).toMatch(/^other migrations and restores, behind process \d+ \(somebody else(, for \d+ s)?\) of /);
  expect(await accountsIn(target)).toEqual([{ id: 'a' }]);
});

test('a restore waits for whoever reads what is to be replaced, but not while servers are connected', async () => {
  const target = await postgres.freshUrl();
  await restored(target);
  const reading = await client(target);
  await reading.query('BEGIN');
  await reading.query('SELECT 1 FROM "accounts"');
  const server = await openStore(target);
  // Those who ask the server would wait behind it. Without --replace it is in use, whoever reads.
  await expect(restored(target, { replace: true })).rejects.toThrow(/stop all of them first/);
  await server.close();
  await expect(restored(target)).rejects.toThrow(/is in use \(accounts: 1\)/);
  const told: (string | null)[] = [];
  // Who waits goes on waiting until somebody says that they may.
  const waitingRestore = async (go: () => Promise<unknown>): Promise<void> => {
    told.splice(0);
    let end = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (end = resolve));
    const restoring = restored(target, {
      replace: true,
      wait: (what) => {
        told.push(what);
        end();
      },
    });
    await Promise.race([restoring, waiting]);
    await go();
    await restoring;
  };
  const late = new pg.Client({ connectionString: target, application_name: 'bailiwick' });
  const refused = waitingRestore(async () => {
    await late.connect();
    await reading.query('ROLLBACK');
  });
  await expect(refused).rejects.toThrow(/stop all of them first/);
  await late.end();
  await reading.query('BEGIN');
  await reading.query('SELECT 1 FROM "accounts"');
  await waitingRestore(() => reading.query('ROLLBACK'));
  expect(told[0]).toMatch(/^the table \S+, behind process \d+ \(somebody else, for \d+ s\) of the database$/);
});

test('of two restores that begin together one is done, and the other is told that there is something now', async () => {
  const target = await postgres.freshUrl();
  const outcomes = await Promise.allSettled([restored(target), restored(target)]);
  const reasons = outcomes.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []));
  expect(reasons).toEqual([expect.stringMatching(/is in use \(accounts: 1\)/)]);
});

test('a backup waits for whoever holds a table, and says so', async () => {
  const holding = await client(url);
  await holding.query('BEGIN');
  await holding.query('LOCK TABLE "audit_events" IN ACCESS EXCLUSIVE MODE');
  const told: (string | null)[] = [];
  const backingUp = backedUp((what) => told.push(what));
  await Promise.race([backingUp, pause(longerThanThat)]);
  await holding.query('ROLLBACK');
  expect((await backingUp).length).toBeGreaterThan(0);
  expect(told[0]).toMatch(/^the table audit_events, behind process \d+ \(somebody else, for \d+ s\) of the database$/);
});

test('a backup that waited for a table which was made anew has the rows of the new one', async () => {
  const rowsOf = async (wait?: TellWait): Promise<number | undefined> => {
    const options = { keyCheck: null, now: () => noon, tell: () => undefined, limits: short };
    const read = async (all: AsyncIterable<Buffer>) => void (await buffer(Readable.from(all)));
    const header = await backUpStore(url, { ...options, ...(wait === undefined ? {} : { wait }) }, read);
    return header?.tables.find(({ name }) => name === 'audit_events')?.rows;
  };
  const before = await rowsOf();
  expect(before).toBeGreaterThan(0);
  const holding = await client(url);
  await holding.query('BEGIN');
  await holding.query(`LOCK TABLE "audit_events" IN ACCESS EXCLUSIVE MODE`);
  await holding.query(`CREATE TABLE "made_anew" (LIKE "audit_events" INCLUDING ALL)`);
  await holding.query(`INSERT INTO "made_anew" SELECT * FROM "audit_events"`);
  await holding.query(`DROP TABLE "audit_events" CASCADE`);
  await holding.query(`ALTER TABLE "made_anew" RENAME TO "audit_events"`);
  const told: (string | null)[] = [];
  const backingUp = rowsOf((what) => told.push(what));
  while (told.length === 0) await pause(20);
  await holding.query('COMMIT');
  expect(await backingUp).toBe(before);
});

test('who is waited for is told in a line, however many they are', () => {
  expect(describeWait([])).toBeNull();
  const row = (pid: number, kind = 'relation') => ({ kind, table: 'users', pid, name: 'psql', seconds: '7' });
  expect(describeWait([1, 2, 3, 4, 5].map((pid) => row(pid)))).toBe(
    'the table users, behind process 1 (psql, for 7 s), process 2 (psql, for 7 s), process 3 (psql, for 7 s), 2 more of the database',
  );
  expect(describeWait([{ ...row(0, 'transactionid'), name: null, seconds: null }])).toBe(
    'rows that others are changing, behind a prepared transaction of the database',
  );
  expect(describeWait([{ ...row(9), name: null, seconds: null }])).toBe(
    'the table users, behind process 9 of the database',
  );
});
