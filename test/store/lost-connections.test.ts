/** Transactions whose connection breaks, or that PostgreSQL makes give way: done once, or not at all, and nobody is told wrong. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { OutcomeUnknown, Unavailable, type Store, type Transaction } from '../../src/iam/index.js';
import { DatabaseUnavailable } from '../../src/store/failures.js';
import { openStore } from '../../src/store/index.js';
import { raw } from '../../src/store/sql.js';
import { brokenLine, type BrokenLine } from './broken-line.js';
import { databases, startPostgres, type PostgresServer } from './databases.js';
import { founded, ofAccount, origin, record, write } from './records.js';

const database = databases().postgres;
afterAll(() => database.stop());

const window = {
  order: { by: 'REVISION', direction: 'ASC' },
  limit: 500,
  backward: false,
  after: null,
  before: null,
} as const;

/** As it is sent; `BEGIN ISOLATION LEVEL READ COMMITTED` has the word as well. */
const commit = 'COMMIT\0';

function runOn(transaction: Transaction, statement: string): Promise<unknown> {
  return (transaction.access as unknown as { connection: { rows(sql: unknown): Promise<unknown> } }).connection.rows(
    raw(statement),
  );
}

/** Ends every connection of a store, as an operator or a fail-over would. */
async function endConnections(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'bailiwick' AND datname = current_database() AND pid <> pg_backend_pid()`,
  );
  await client.end();
}

describe('PostgreSQL', () => {
  let url: string;
  let store: Store;
  beforeAll(async () => {
    url = await database.freshUrl();
    store = await openStore(url);
  });
  afterAll(() => store.close());

  test('two transactions that deadlock are both done, one of them after the other', async () => {
    for (const id of ['left', 'right']) await founded(store, id);
    let inside = 0;
    const crossing = (own: string, other: string) => {
      let runs = 0;
      return write(store, origin(own), async (transaction) => {
        runs += 1;
        await transaction.insert('group', record('group', own, `run-${runs}`, { name: `run-${runs}` }));
        inside += 1;
        while (inside < 2) await pause(5);
        // Each has its own account's row by now, and wants the other's.
        await runOn(transaction, `SELECT 1 FROM "accounts" WHERE "id" = '${other}' FOR UPDATE`);
      }).then((revision) => ({ revision, runs }));
    };
    const both = await Promise.all([crossing('left', 'right'), crossing('right', 'left')]);
    expect(both.map(({ revision }) => revision)).toEqual([2, 2]);
    expect(both.map(({ runs }) => runs).sort()).toEqual([1, 2]);
    // What was begun in vain has left nothing.
    for (const id of ['left', 'right'])
      expect(await store.reader(ofAccount(id)).count('group', { nameContains: 'run' })).toBe(1);
  });

  test('connections that are ended in the middle of transactions: all is done, once', async () => {
    await founded(store, 'ended');
    await founded(store, 'ended-too');
    let inside = 0;
    let ended = false;
    const runs: Record<string, number> = {};
    const working = ['ended', 'ended-too'].map((id) =>
      write(store, origin(id), async (transaction) => {
        runs[id] = (runs[id] ?? 0) + 1;
        await transaction.insert('group', record('group', id, 'made', { name: 'made' }));
        inside += 1;
        while (!ended) await pause(5);
        await transaction.update('user', 'root', { description: 'x' });
      }),
    );
    while (inside < 2) await pause(5);
    await endConnections(url);
    ended = true;
    expect(await Promise.all(working)).toEqual([2, 2]);
    expect(runs).toEqual({ ended: 2, 'ended-too': 2 });
    for (const id of ['ended', 'ended-too']) {
      const events = await store.reader(ofAccount(id)).page('auditEvent', { operation: 'test' }, window);
      expect(events.rows.map(({ record: event }) => event.targetId)).toEqual(['made', 'root']);
    }
    // Those that nobody used at the time are dropped as well: whoever reads notices nothing.
    await endConnections(url);
    expect((await Promise.all(Array.from({ length: 20 }, () => store.access.account('ended')))).length).toBe(20);
  });
});

describe('a line that breaks while a transaction is being committed', () => {
  let line: BrokenLine;
  let store: Store;
  let direct: Store;
  beforeEach(async () => {
    const url = await database.freshUrl();
    line = await brokenLine(url);
    direct = await openStore(url);
    store = await openStore(line.url, { limits: { connectionWait: 2_000 } });
    await founded(store, 'a');
  });
  afterEach(async () => {
    line.mend();
    await store.close();
    await direct.close();
    await line.close();
  });

  /** Makes a group; answers how often that was begun. */
  async function make(name: string): Promise<{ readonly revision: number; readonly runs: number }> {
    let runs = 0;
    const revision = await write(store, origin('a', { requestId: name }), async (transaction) => {
      runs += 1;
      await transaction.insert('group', record('group', 'a', `${name}-${runs}`, { name: `${name}-${runs}` }));
    });
    return { revision, runs };
  }
  const groups = async () => {
    const page = await direct.reader(ofAccount('a')).page('auditEvent', { operation: 'test' }, window);
    return page.rows.map(({ record: event }) => event.targetId);
  };

  test('committed: it is looked up and told as what it is, and not done again', async () => {
    const heard: number[] = [];
    store.onCommit(({ revision }) => heard.push(revision));
    line.breakAt(commit, { delivered: true });
    expect(await make('made')).toEqual({ revision: 2, runs: 1 });
    expect(line.breaks()).toBe(1);
    expect(await groups()).toEqual(['made-1']);
    expect(heard).toEqual([2]);
  });

  test('not committed: it is done again', async () => {
    line.breakAt(commit, { delivered: false });
    expect(await make('made')).toEqual({ revision: 2, runs: 2 });
    expect(line.breaks()).toBe(1);
    expect(await groups()).toEqual(['made-2']);
  });

  test('not committed, and another replica took its revision meanwhile: it is done again, after that one', async () => {
    // The line breaks under both, so that the other one is through before anybody looks.
    line.breakAt(commit, { delivered: false, forGood: true });
    const making = make('made');
    while (line.breaks() === 0) await pause(5);
    await write(direct, origin('a'), (transaction) =>
      transaction.insert('group', record('group', 'a', 'other', { name: 'other' })),
    );
    line.mend();
    expect(await making).toEqual({ revision: 3, runs: 2 });
    expect(await groups()).toEqual(['other', 'made-2']);
  });

  test('nobody can tell: it is not done again, and that is told', async () => {
    line.breakAt(commit, { delivered: true, forGood: true });
    const making = make('made');
    const error: unknown = await making.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OutcomeUnknown);
    expect(error).toMatchObject({
      requestId: 'made',
      message:
        'the database was lost while this change was being committed, and nobody can tell whether it was; read what was to change before you try again',
    });
    expect(await groups()).toEqual(['made-1']);
    line.mend();
    expect(await make('next')).toEqual({ revision: 3, runs: 1 });
  });

  test('a transaction without an event is told as unknown once somebody has its revision', async () => {
    const spend = () =>
      write(store, origin('a'), (transaction) =>
        transaction.insert('spentSignature', record('spentSignature', 'a', 'spent')),
      );
    line.breakAt(commit, { delivered: true });
    await expect(spend()).rejects.toThrow(OutcomeUnknown);
    line.breakAt(commit, { delivered: false });
    expect(
      await write(store, origin('a'), (transaction) =>
        transaction.insert('spentSignature', record('spentSignature', 'a', 'other')),
      ),
    ).toBe(3);
  });
});

describe('a server that is stopped and started while it is written to', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test('what was acknowledged is there, what was refused is not, and the store goes on', async () => {
    const store = await openStore(server.urlOf('postgres'), { limits: { connectionWait: 1_000 } });
    const accounts = ['a', 'b', 'c'];
    for (const id of accounts) await founded(store, id);
    const acknowledged: string[] = [];
    const refused: string[] = [];
    const unknown: string[] = [];
    let over = false;
    const writing = accounts.map(async (account) => {
      for (let index = 0; !over; index += 1) {
        const id = `${account}-${index}`;
        try {
          await write(store, origin(account), (transaction) =>
            transaction.insert('group', record('group', account, id, { name: id })),
          );
          acknowledged.push(id);
        } catch (error) {
          expect([Unavailable, OutcomeUnknown].some((kind) => error instanceof kind)).toBe(true);
          (error instanceof OutcomeUnknown ? unknown : refused).push(id);
        }
      }
    });
    while (acknowledged.length < 30) await pause(5);
    await server.halt();
    while (refused.length < 3) await pause(5);
    await server.resume();
    const before = acknowledged.length;
    while (acknowledged.length < before + 30) await pause(5);
    over = true;
    await Promise.all(writing);
    const there = new Set<string>();
    for (const account of accounts) {
      const found = await store
        .reader(ofAccount(account))
        .page('auditEvent', { operation: 'test' }, { ...window, limit: 100_000 });
      for (const { record: event } of found.rows) {
        expect(there.has(event.targetId)).toBe(false);
        there.add(event.targetId);
      }
    }
    expect(acknowledged.filter((id) => !there.has(id))).toEqual([]);
    expect(refused.filter((id) => there.has(id))).toEqual([]);
    expect(there.size).toBeLessThanOrEqual(acknowledged.length + unknown.length);
    await store.close();
  });

  test('as a standby it is neither read from nor opened, and is once it is the primary again', async () => {
    const url = server.urlOf('postgres');
    const store = await openStore(url, { limits: { connectionWait: 1_000 } });
    expect(await store.access.account('a')).not.toBeNull();
    await server.halt();
    await server.resumeAsStandby();
    const code = '25006';
    await expect(store.access.account('a')).rejects.toMatchObject({ constructor: DatabaseUnavailable, code });
    await expect(openStore(url)).rejects.toThrow('the server is a standby');
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query('SELECT pg_promote()');
    await client.end();
    expect(await store.access.account('a')).not.toBeNull();
    await write(store, origin('a'), (transaction) =>
      transaction.insert('group', record('group', 'a', 'later', { name: 'later' })),
    );
    await store.close();
  });
});
