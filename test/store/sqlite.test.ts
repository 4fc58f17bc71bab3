/** The conformance suite on SQLite, and what only SQLite must do: files, durability, plans. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import sqlite3 from 'sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Store } from '../../src/iam/index.js';
import { openStore } from '../../src/store/index.js';
import { LockFile } from '../../src/store/lock-file.js';
import { conformanceOfAccess } from './conformance-access.js';
import { conformanceOfConfinement } from './conformance-confinement.js';
import { conformanceOfPaging } from './conformance-paging.js';
import { conformanceOfRaces } from './conformance-races.js';
import { conformanceOfWrites } from './conformance-writes.js';
import { databases } from './databases.js';
import { founded, noon, ofAccount } from './records.js';

const database = databases().sqlite;
afterAll(() => database.stop());

conformanceOfWrites(database);
conformanceOfConfinement(database);
conformanceOfPaging(database);
conformanceOfAccess(database);
conformanceOfRaces(database);

const fileOf = (url: string) => url.slice('sqlite:'.length);
const modeOf = (path: string) => statSync(path).mode & 0o777;

/** A process of its own that writes groups until it is killed, and says each that was acknowledged. */
function startWriter(url: string) {
  const script = fileURLToPath(new URL('writer-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, url], { stdio: ['ignore', 'pipe', 'inherit'] });
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

async function killed(child: ReturnType<typeof startWriter>['child']): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

describe('files', () => {
  test('the folder and the files are made for their owner alone', async () => {
    const url = await database.freshUrl();
    const store = await openStore(url);
    await founded(store, 'a');
    expect(modeOf(dirname(fileOf(url)))).toBe(0o700);
    for (const name of readdirSync(dirname(fileOf(url)))) {
      expect([name, modeOf(`${dirname(fileOf(url))}/${name}`)]).toEqual([name, 0o600]);
    }
    await store.close();
    expect(readdirSync(dirname(fileOf(url)))).toEqual(['test.db', 'test.db.lock']);
  });

  test('writes are logged ahead and synced; reads have a connection that cannot write', async () => {
    const url = await database.freshUrl();
    const statements: string[] = [];
    const store = await openStore(url, { log: (statement) => statements.push(statement) });
    await founded(store, 'a');
    expect(readdirSync(dirname(fileOf(url))).sort()).toEqual(['test.db', 'test.db-shm', 'test.db-wal', 'test.db.lock']);
    const reading = statements.slice(statements.lastIndexOf('PRAGMA synchronous = FULL'));
    expect(reading.slice(0, 3)).toEqual([
      'PRAGMA synchronous = FULL',
      'PRAGMA foreign_keys = ON',
      'PRAGMA query_only = ON',
    ]);
    expect(statements.filter((statement) => statement === 'PRAGMA synchronous = FULL').length).toBeGreaterThan(1);
    expect(statements.filter((statement) => statement.startsWith('BEGIN')).at(-1)).toBe('BEGIN IMMEDIATE');
    await store.close();
  });

  test('what was written is there when it is opened again', async () => {
    const url = await database.freshUrl();
    const first = await openStore(url);
    await founded(first, 'a');
    await first.close();
    const second = await openStore(url);
    expect(await second.access.userByName('a', 'root')).toMatchObject({ id: 'root' });
    await second.close();
  });

  test.each([
    ['sqlite::memory:', /`sqlite::memory:` cannot be used: .*; name a file$/],
    ['sqlite:', /names no file; write `sqlite:<path>`/],
    ['sqlite://data/x.db', /names no file/],
    ['mysql://root:secret@host/x', /names no database that is known; write/],
    ['postgres://root:secret@host', /names no database; write/],
    ['', /names no database that is known/],
  ])('the URL %s is refused', async (url, message) => {
    const failure = (await openStore(url).catch((error: unknown) => error)) as Error;
    expect(failure.message).toMatch(message);
    expect(failure.message).not.toContain('secret');
  });

  test('a folder that cannot be made is refused, and named', async () => {
    const path = `${fileURLToPath(import.meta.url)}/inside/test.db`;
    await expect(openStore(`sqlite:${path}`)).rejects.toThrow(`cannot write beside the SQLite database ${path} (`);
  });

  test('a file that is no database is refused, and its lock given back', async () => {
    const url = await database.freshUrl();
    mkdirSync(dirname(fileOf(url)), { recursive: true });
    writeFileSync(fileOf(url), 'this is not a database, but it is long enough to look like one'.repeat(20));
    await expect(openStore(url)).rejects.toThrow(/cannot open the SQLite database .*not a database/);
    const lock = await LockFile.take(fileOf(url));
    await lock.release();
  });
});

describe('durability', () => {
  test('every write that was acknowledged survives SIGKILL', async () => {
    const url = await database.freshUrl();
    for (const round of [1, 2, 3]) {
      const { child, lines } = startWriter(url);
      const acknowledged: string[] = [];
      while (acknowledged.length < 40 * round) acknowledged.push(String((await lines.next()).value));
      await killed(child);
      for (let rest = await lines.next(); rest.done !== true; rest = await lines.next()) acknowledged.push(rest.value);
      const store = await openStore(url);
      const found = await store.reader(ofAccount('durable')).find('group', acknowledged);
      expect(found.size).toBe(acknowledged.length);
      const groups = await store.reader(ofAccount('durable')).count('group', {});
      // One event for each group and none without: images and rows are of one transaction.
      expect(await store.reader(ofAccount('durable')).count('auditEvent', { targetKind: 'group' })).toBe(groups);
      await store.close();
    }
  });
});

describe('plans', () => {
  let url: string;
  let store: Store;
  let statements: string[] = [];
  let inspector: sqlite3.Database;
  beforeAll(async () => {
    url = await database.freshUrl();
    store = await openStore(url, { log: (statement) => statements.push(statement) });
    await founded(store, 'a');
    inspector = new sqlite3.Database(fileOf(url));
  });
  afterAll(async () => {
    await new Promise((resolve) => inspector.close(resolve));
    await store.close();
  });

  const planOf = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
    statements = [];
    await work();
    const [statement] = statements;
    expect(statements).toHaveLength(1);
    return new Promise((resolve, reject) => {
      inspector.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${statement}`, (error, rows) => {
        if (error === null) resolve(rows.map((row) => row.detail));
        else reject(error);
      });
    });
  };
  const scope = { accountId: 'a', workspaceId: '0' };
  const window = { limit: 20, backward: false, after: null, before: null };
  const ascending = <By extends string>(by: By) => ({ ...window, order: { by, direction: 'ASC' as const } });
  const after = { after: { key: noon, id: 'x' } };

  const hot: readonly [string, () => Promise<unknown>][] = [
    ['a session by id', () => store.access.session('a', 's')],
    ['a user by name', () => store.access.userByName('a', 'root')],
    ['an access key', () => store.access.accessKey('AK')],
    ['an account by name', () => store.access.accountByName('a')],
    ['attachments of users', () => store.access.attachments('a', 'USER', ['root'])],
    ['resources by URN', () => store.access.resourcesByUrn('a', ['urn'])],
    ['whether a user is an administrator', () => store.access.isAdministrator('a', 'root')],
    ['rows by id', () => store.reader(scope).find('user', ['root'])],
    ['members of groups', () => store.reader(scope).pagesOf('group.members', ['admins'], ascending('NAME'))],
    [
      'grants of policies',
      () => store.reader(ofAccount('a')).pagesOf('policy.grants', ['full'], ascending('CREATED_AT')),
    ],
    ['the number of grants of users', () => store.reader(scope).countsOf('user.grants', ['root'])],
    ['settings of the account', () => store.access.accountSettings('a')],
    ['ages of passwords', () => store.access.passwordChanges('a', ['root'])],
    ['open sessions of users', () => store.reader(scope).pagesOf('user.sessions', ['root'], ascending('STARTED_AT'))],
  ];
  test.each(hot)('%s: no table is scanned', async (_, work) => {
    const plan = await planOf(work);
    const scans = plan.filter(
      (detail) =>
        /^SCAN /.test(detail) &&
        !/^SCAN (CONSTANT ROW|json_each|given|principals|reached|placed|listed|\(subquery)/.test(detail),
    );
    expect(scans, plan.join('\n')).toEqual([]);
  });

  const pages: readonly [string, () => Promise<unknown>][] = [
    ['resources by name', () => store.reader(scope).page('resource', {}, ascending('NAME'))],
    ['resources by URN', () => store.reader(scope).page('resource', {}, ascending('URN'))],
    ['resources by creation', () => store.reader(scope).page('resource', {}, { ...ascending('CREATED_AT'), ...after })],
    ['resources by change', () => store.reader(scope).page('resource', {}, ascending('UPDATED_AT'))],
    ['users by name', () => store.reader(ofAccount('a')).page('user', {}, ascending('NAME'))],
    [
      'users by creation',
      () => store.reader(ofAccount('a')).page('user', {}, { ...ascending('CREATED_AT'), ...after }),
    ],
    ['grants', () => store.reader(ofAccount('a')).page('grant', {}, ascending('CREATED_AT'))],
    [
      'grants of a subject',
      () =>
        store.reader(ofAccount('a')).page('grant', { subjectKind: 'USER', subjectId: 'root' }, ascending('CREATED_AT')),
    ],
    ['audit events', () => store.reader(ofAccount('a')).page('auditEvent', {}, ascending('REVISION'))],
    [
      'audit events of one row',
      () =>
        store
          .reader(ofAccount('a'))
          .page('auditEvent', { targetKind: 'user', targetId: 'root' }, ascending('REVISION')),
    ],
    [
      'sessions of a user',
      () => store.reader(ofAccount('a')).page('session', { userId: 'root' }, ascending('STARTED_AT')),
    ],
  ];
  test.each(pages)('a page of %s comes in the order of an index, without sorting', async (_, work) => {
    const plan = await planOf(work);
    const page = plan.filter((detail) => /\btarget\b/.test(detail));
    expect(page.length).toBeGreaterThan(0);
    expect(
      page.filter((detail) => !/^SEARCH target USING (COVERING )?INDEX/.test(detail)),
      plan.join('\n'),
    ).toEqual([]);
    if (!plan.some((detail) => detail.includes('outside'))) {
      expect(
        plan.filter((detail) => detail.includes('TEMP B-TREE')),
        plan.join('\n'),
      ).toEqual([]);
    }
  });

  test('an unfiltered look at a table that has no index for it would be seen as a scan', async () => {
    const plan = await new Promise<string>((resolve) => {
      inspector.all<{ detail: string }>('EXPLAIN QUERY PLAN SELECT * FROM "users" WHERE "description" = 1', (_, rows) =>
        resolve(rows.map((row) => row.detail).join()),
      );
    });
    expect(plan).toMatch(/^SCAN /);
  });
});
