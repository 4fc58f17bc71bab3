/** How long the database may take, and how a request is told that it took longer: nothing of a driver's own words. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import sqlite3 from 'sqlite3';
import { afterAll, expect, test } from 'vitest';
import { Unavailable, type Store } from '../../src/iam/index.js';
import { DatabaseUnavailable, openStore, type DatabaseLimits } from '../../src/store/index.js';
import { raw } from '../../src/store/sql.js';
import { databases } from './databases.js';
import { founded, ofAccount, origin, record, write } from './records.js';

const { sqlite, postgres } = databases();
const open = new Set<Store>();
afterAll(async () => {
  for (const store of open) await store.close();
  await sqlite.stop();
  await postgres.stop();
});

async function opened(url: string, limits: Partial<DatabaseLimits> = {}): Promise<Store> {
  const store = await openStore(url, { limits });
  open.add(store);
  return store;
}

/** Runs any statement where reads run: outside a transaction of the store, or inside one. */
function runOn(reader: unknown, statement: string): Promise<unknown> {
  return (reader as { connection: { rows(sql: unknown): Promise<unknown> } }).connection.rows(raw(statement));
}

async function failure(work: Promise<unknown>): Promise<DatabaseUnavailable> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(DatabaseUnavailable);
  expect(error).toBeInstanceOf(Unavailable);
  return error as DatabaseUnavailable;
}

async function otherClient(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

test('PostgreSQL: a statement that takes too long is ended, and the store goes on', async () => {
  const store = await opened(await postgres.freshUrl(), { longestStatement: 1_500 });
  await founded(store, 'a');
  const read = await failure(runOn(store.access, 'SELECT pg_sleep(30)'));
  expect(read).toMatchObject({ obstacle: 'SLOW', code: '57014' });
  expect(read.message).toBe('the database took too long over this; ask for less at once, or try again later');
  let runs = 0;
  const change = await failure(
    write(store, origin('a'), async (transaction) => {
      runs += 1;
      await transaction.insert('group', record('group', 'a', 'never', { name: 'never' }));
      await runOn(transaction.access, 'SELECT pg_sleep(30)');
    }),
  );
  expect(change.obstacle).toBe('SLOW');
  // It would be as slow again.
  expect(runs).toBe(1);
  expect((await store.reader(ofAccount('a')).find('group', ['never'])).size).toBe(0);
  expect(await write(store, origin('a'), (next) => next.update('user', 'root', { description: 'x' }))).toBe(2);
});

/** Holds a transaction of an account open until it is told to end. */
async function held(store: Store, accountId: string): Promise<{ readonly end: () => Promise<unknown> }> {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  let enter = (): void => undefined;
  const entered = new Promise<void>((resolve) => (enter = resolve));
  const change = write(store, origin(accountId), async (transaction) => {
    enter();
    await released;
    await transaction.update('user', 'root', { description: 'x' });
  });
  await entered;
  return {
    end: async () => {
      release();
      return change;
    },
  };
}

test('PostgreSQL: who gets no connection in time is told so, and gets one when there is one', async () => {
  const store = await opened(await postgres.freshUrl(), { poolSize: 2, connectionWait: 2_500 });
  for (const id of ['a', 'b']) await founded(store, id);
  const change = await held(store, 'a');
  const reading = runOn(store.access, 'SELECT pg_sleep(4)');
  const refused = await Promise.all([
    failure(store.access.account('a')),
    failure(write(store, origin('b'), (transaction) => transaction.update('user', 'root', { description: 'x' }))),
  ]);
  for (const each of refused) {
    expect(each).toMatchObject({ obstacle: 'CROWDED', code: '' });
    expect(each.message).toBe('every connection to the database is in use; try again in a few seconds');
  }
  await reading;
  // Changes leave a connection for reads, however many there are.
  expect((await store.access.account('a'))?.revision).toBe(1);
  expect(await change.end()).toBe(2);
  expect(await write(store, origin('b'), (next) => next.update('user', 'root', { description: 'x' }))).toBe(2);
});

test('PostgreSQL: as many changes as there are connections, all of which read outside of their transactions, are all made', async () => {
  const store = await opened(await postgres.freshUrl(), { poolSize: 4, connectionWait: 4_000 });
  const accounts = Array.from({ length: 12 }, (_none, place) => `account-${place}`);
  for (const id of accounts) await founded(store, id);
  const changes = accounts.flatMap((id) =>
    Array.from({ length: 3 }, () =>
      write(store, origin(id), async (transaction) => {
        // What is read anew of who asks, when it has moved meanwhile.
        expect(await store.access.account(id)).not.toBeNull();
        await store.access.isAdministrator(id, 'root');
        await transaction.update('user', 'root', { description: 'x' });
      }),
    ),
  );
  const revisions = await Promise.all(changes);
  expect(revisions.toSorted()).toEqual([2, 3, 4].flatMap((revision) => accounts.map(() => revision)));
});

test('PostgreSQL: who finds every connection of the server taken by others is told so', async () => {
  const url = await postgres.freshUrl();
  const owner = await otherClient(url);
  const name = `crowded_${randomBytes(6).toString('hex')}`;
  await owner.query(`CREATE ROLE ${name} LOGIN PASSWORD 'crowded' CONNECTION LIMIT 4`);
  await owner.query(`ALTER DATABASE ${new URL(url).pathname.slice(1)} OWNER TO ${name}`);
  const theirs = Object.assign(new URL(url), { username: name, password: 'crowded' }).href;
  const store = await opened(theirs, { connectionWait: 2_000 });
  await founded(store, 'a');
  const others: pg.Client[] = [];
  const full = async () => {
    for (;;) others.push(await otherClient(theirs));
  };
  await expect(full()).rejects.toMatchObject({ code: '53300' });
  const held = runOn(store.access, 'SELECT pg_sleep(1)');
  const refused = await Promise.allSettled(Array.from({ length: 4 }, () => runOn(store.access, 'SELECT pg_sleep(0)')));
  const reasons = refused.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
  expect(reasons.length).toBeGreaterThan(0);
  for (const reason of reasons) expect(reason).toMatchObject({ obstacle: 'CROWDED', code: '53300' });
  await held;
  await Promise.all(others.map((client) => client.end()));
  expect((await store.access.account('a'))?.revision).toBe(1);
  await store.close();
  open.delete(store);
  await owner.query(`ALTER DATABASE ${new URL(url).pathname.slice(1)} OWNER TO CURRENT_USER`);
  await owner.query(`REASSIGN OWNED BY ${name} TO CURRENT_USER`);
  await owner.query(`DROP OWNED BY ${name}`);
  await owner.query(`DROP ROLE ${name}`);
  await owner.end();
});

test('PostgreSQL: what needs more room in between than there is, is told to ask for less', async () => {
  const url = await postgres.freshUrl();
  const owner = await otherClient(url);
  const database = new URL(url).pathname.slice(1);
  for (const setting of ['temp_file_limit = 64', 'work_mem = 64']) {
    await owner.query(`ALTER DATABASE ${database} SET ${setting}`);
  }
  await owner.end();
  const store = await opened(url);
  const large = 'SELECT md5(n::text) FROM generate_series(1, 50000) n ORDER BY 1';
  expect(await failure(runOn(store.access, large))).toMatchObject({
    obstacle: 'SCARCE',
    code: '53400',
    message: 'the database has too little memory or room for this just now; ask for less at once, or try again later',
  });
  await founded(store, 'a');
  expect((await store.access.account('a'))?.revision).toBe(1);
});

test('PostgreSQL: nobody waits for ever for what another transaction holds', async () => {
  const url = await postgres.freshUrl();
  const store = await opened(url, { longestLockWait: 500 });
  await founded(store, 'a');
  const client = await otherClient(url);
  await client.query('BEGIN');
  await client.query(`SELECT 1 FROM "accounts" WHERE "id" = 'a' FOR UPDATE`);
  const describe = () => write(store, origin('a'), (next) => next.update('user', 'root', { description: 'x' }));
  expect(await failure(describe())).toMatchObject({ obstacle: 'HELD', code: '55P03' });
  await client.query('ROLLBACK');
  await client.end();
  expect(await describe()).toBe(2);
});

test('PostgreSQL: a transaction in which nothing happens loses its connection, and its work is not begun again', async () => {
  const store = await opened(await postgres.freshUrl(), { longestIdle: 2_000 });
  await founded(store, 'a');
  let runs = 0;
  const idle = write(store, origin('a'), async (transaction) => {
    runs += 1;
    await transaction.insert('group', record('group', 'a', 'never', { name: 'never' }));
    await pause(4_000);
    await transaction.update('user', 'root', { description: 'x' });
  });
  await failure(idle);
  expect(runs).toBe(1);
  expect((await store.reader(ofAccount('a')).find('group', ['never'])).size).toBe(0);
  expect(await write(store, origin('a'), (next) => next.update('user', 'root', { description: 'x' }))).toBe(2);
});

test('PostgreSQL: migrations may take longer than a statement, and wait longer than one for another replica', async () => {
  const url = await postgres.freshUrl();
  const client = await otherClient(url);
  // What a replica holds while it migrates (src/store/migrating-postgres.ts).
  await client.query('SELECT pg_advisory_lock(7223904118)');
  const opening = opened(url, { longestStatement: 2_000, longestLockWait: 100 });
  await pause(2_500);
  await client.query('SELECT pg_advisory_unlock(7223904118)');
  await client.end();
  const store = await opening;
  const [limits] = (await runOn(
    store.access,
    `SELECT current_setting('statement_timeout') AS "statement", current_setting('lock_timeout') AS "lock",
      current_setting('idle_in_transaction_session_timeout') AS "idle"`,
  )) as readonly object[];
  expect(limits).toEqual({ statement: '2s', lock: '100ms', idle: '30s' });
});

test('SQLite: who waits in vain for a file that another program has locked is told so', async () => {
  const url = await sqlite.freshUrl();
  const store = await opened(url, { connectionWait: 200 });
  await founded(store, 'a');
  const other = new sqlite3.Database(url.slice('sqlite:'.length));
  await once(other, 'open');
  const run = (statement: string) =>
    new Promise<void>((resolve, reject) => other.run(statement, (error) => (error ? reject(error) : resolve())));
  await run('BEGIN IMMEDIATE');
  const describe = () => write(store, origin('a'), (next) => next.update('user', 'root', { description: 'x' }));
  const held = await failure(describe());
  expect(held).toMatchObject({ obstacle: 'HELD', code: 'SQLITE_BUSY' });
  expect(held.message).toBe('the database is held by somebody else just now; try again in a few seconds');
  // Who only reads does not wait for a writer.
  expect((await store.access.account('a'))?.revision).toBe(1);
  await run('ROLLBACK');
  await new Promise((resolve) => other.close(resolve));
  expect(await describe()).toBe(2);
});
