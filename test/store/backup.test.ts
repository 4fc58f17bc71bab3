/** Backups in every direction between the databases: what is in one is in the other, to the last column. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createGzip, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { verifyTrail } from '../../src/audit-chain/index.js';
import type { Kind } from '../../src/iam/index.js';
import {
  backUpStore,
  commandLineSource,
  NoBackup,
  openBackup,
  openStore,
  readThrough,
  RestoreRefused,
  restoreStore,
  type Restored,
} from '../../src/store/index.js';
import { migrations } from '../../src/store/migrations/index.js';
import { kinds } from '../../src/store/rows.js';
import { tables } from '../../src/store/tables.js';
import { databases, type TestDatabase } from './databases.js';
import { founded, noon, ofAccount, origin, record, write } from './records.js';

const { sqlite, postgres } = databases();
afterAll(async () => {
  await sqlite.stop();
  await postgres.stop();
});

beforeAll(() => {
  vi.spyOn(console, 'log').mockReturnValue();
});

async function backedUp(url: string, between: () => Promise<void> = async () => undefined): Promise<Buffer> {
  let file = Buffer.alloc(0);
  const options = { keyCheck: null, now: () => noon, tell: () => undefined };
  const header = await backUpStore(url, options, async (bytes) => {
    async function* slowed(): AsyncGenerator<Buffer> {
      for await (const chunk of bytes) {
        await between();
        yield chunk;
      }
    }
    file = await buffer(Readable.from(slowed()).pipe(createGzip()));
  });
  if (header === null) throw new Error('there was nothing to back up');
  return file;
}

async function restored(
  file: Buffer,
  url: string,
  { replace = false, verify = async () => undefined }: Partial<Parameters<typeof restoreStore>[2]> = {},
): Promise<void> {
  const backup = await openBackup(Readable.from([file]));
  await restoreStore(url, backup, { replace, verify, watch: () => undefined, tell: () => undefined });
}

/** Every row of every table, as the drivers answer it but for what they spell differently. */
async function contentOf(url: string): Promise<Record<string, unknown[]>> {
  const source = commandLineSource(url);
  await source.initialize();
  try {
    const content: Record<string, unknown[]> = {};
    for (const kind of kinds) {
      const rows = await source.query<Record<string, unknown>[]>(`SELECT * FROM "${tables[kind].name}"`);
      const spelled = rows.map((row) =>
        Object.fromEntries(
          Object.entries(row)
            .sort(([one], [other]) => (one < other ? -1 : 1))
            .map(([name, value]) => [
              name,
              value === null ? null : `${typeof value === 'boolean' ? Number(value) : (value as string | number)}`,
            ]),
        ),
      );
      content[kind] = spelled.map((row) => JSON.stringify(row)).sort();
    }
    return content;
  } finally {
    await source.destroy();
  }
}

const odd = 'Ähre "\\\u2028\u0001 \u{1f33e}\n';

/** Two accounts with a row of every kind, among them what a format could lose. */
async function settled(database: TestDatabase): Promise<string> {
  const url = await database.freshUrl();
  const store = await openStore(url);
  for (const account of ['a', 'b']) {
    await founded(store, account);
    await write(store, origin(account), async (open) => {
      const add = (kind: Kind, id: string, values: object = {}) => open.insert(kind, record(kind, account, id, values));
      for (const kind of ['accountSettings', 'password', 'secondFactor'] as const) await add(kind, 'root');
      for (const kind of ['strangerAttempts', 'session', 'membership', 'policyVersion', 'grant'] as const) {
        await add(kind, `one-${kind}`);
      }
      await add('group', 'odd', { name: odd, description: odd });
      await add('workspaceMember', 'member');
      await add('workspaceQuota', 'quota', { quota: Number.MAX_SAFE_INTEGER });
      await add('workspaceVisit', 'visit');
      // The child comes first in every order of ids.
      await add('resource', 'z', { urn: 'training:cn:a:job:z' });
      await add('resource', 'a', { urn: 'training:cn:a:job:a', parentId: 'z' });
      await add('remoteAccess', 'z', { port: null, instanceState: null, enabled: false });
      for (const kind of [
        'authorization',
        'keyPair',
        'agencySession',
        'spentSignature',
        'idempotencyRecord',
      ] as const) {
        await add(kind, `${account}-${kind}`);
      }
      await add('accessKey', `KEY-${account}`);
    });
  }
  await store.close();
  return url;
}

test('every kind is among what is compared', async () => {
  const content = await contentOf(await settled(sqlite));
  expect(Object.entries(content).filter(([, rows]) => rows.length === 0)).toEqual([]);
});

describe.each([
  [sqlite, sqlite],
  [sqlite, postgres],
  [postgres, sqlite],
  [postgres, postgres],
])('from $name', (from, into) => {
  test(`into ${into.name}: the same rows, the same tables, chains that hold, and it goes on from there`, async () => {
    const url = await settled(from);
    const target = await into.freshUrl();
    let seen: Restored['accounts'] = [];
    await restored(await backedUp(url), target, {
      verify: async ({ accounts, trail }) => {
        seen = accounts;
        for (const { id } of accounts) expect((await verifyTrail(trail, id, [])).numberOfBreaks).toBe(0);
      },
    });
    expect(seen).toEqual(['a', 'b'].map((id) => ({ id, name: id })));
    expect(await contentOf(target)).toEqual(await contentOf(url));
    const source = commandLineSource(target);
    await source.initialize();
    const { upQueries } = await source.driver.createSchemaBuilder().log();
    await source.destroy();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
    const store = await openStore(target);
    const before = (await store.access.account('a'))?.revision ?? 0;
    expect(await write(store, origin('a'), (open) => open.insert('group', record('group', 'a', 'new')))).toBe(
      before + 1,
    );
    await store.close();
  });
});

describe.each([sqlite, postgres])('$name', (database) => {
  test('while others write: all that was acknowledged before, and the rest of one state', async () => {
    const url = await database.freshUrl();
    const store = await openStore(url);
    await founded(store, 'a');
    for (let number = 0; number < 40; number += 1) {
      await write(store, origin('a'), (open) =>
        open.insertAll(
          'group',
          Array.from({ length: 50 }, (_, index) => {
            const id = `early-${number}-${index}`;
            return record('group', 'a', id, { name: id, description: 'x'.repeat(500) });
          }),
        ),
      );
    }
    let late = 0;
    const file = await backedUp(url, async () => {
      late += 1;
      // Both rows or none, with their events.
      await write(store, origin('a'), async (open) => {
        await open.insert('user', record('user', 'a', `late-${late}`, { name: `late-${late}` }));
        await open.insert('group', record('group', 'a', `late-${late}`, { name: `late-${late}` }));
      });
    });
    expect(late).toBeGreaterThan(10);
    await store.close();
    const target = await database.freshUrl();
    await restored(file, target, {
      verify: async ({ trail }) => expect((await verifyTrail(trail, 'a', [])).numberOfBreaks).toBe(0),
    });
    const copy = await openStore(target);
    const reader = copy.reader(ofAccount('a'));
    expect(await reader.count('group', {})).toBe(2001);
    expect(await reader.count('user', {})).toBe(1);
    expect((await copy.access.account('a'))?.revision).toBe(41);
    await copy.close();
  });

  test('a database in use is not touched unless it shall be replaced, and nothing of it is then left', async () => {
    const url = await settled(database);
    const file = await backedUp(url);
    const store = await openStore(url);
    await write(store, origin('a'), (open) => open.insert('group', record('group', 'a', 'later')));
    await expect(restored(file, url, { replace: true })).rejects.toThrow(/stop (that process|all of them) first/);
    await store.close();
    const later = await contentOf(url);
    await expect(restored(file, url)).rejects.toThrow(/is in use \(accounts: 2\); .* --replace/);
    expect(await contentOf(url)).toEqual(later);
    const refusal = new Error('not this one');
    await expect(restored(file, url, { replace: true, verify: () => Promise.reject(refusal) })).rejects.toBe(refusal);
    expect(await contentOf(url)).toEqual(later);
    await restored(file, url, { replace: true });
    expect(await contentOf(url)).not.toEqual(later);
    expect((await contentOf(url))['group']?.filter((row) => String(row).includes('"later"'))).toEqual([]);
  });

  test('one of the first release is restored and brought up to date', async () => {
    const old = await database.freshUrl();
    const source = commandLineSource(old);
    source.setOptions({ migrations: migrations.slice(0, 1) });
    if (old.startsWith('sqlite:')) await makeFolderOf(old);
    await source.initialize();
    await source.runMigrations({ transaction: 'all' });
    await source.query(
      `INSERT INTO "accounts" ("id", "name", "name_key", "root_user_id", "authorization_mode", "revision", "access_revision", "created_at")
        VALUES ('old', 'Old', 'old', 'root', 'LOOSE', 1, 1, ${noon})`,
    );
    await source.destroy();
    const target = await database.freshUrl();
    await restored(await backedUp(old), target);
    const store = await openStore(target);
    expect(await store.access.account('old')).toMatchObject({ name: 'Old', workspacesEnabled: true });
    await store.close();
  });

  test('nothing is made of a database that is not there, or has nothing', async () => {
    const options = { keyCheck: null, now: () => noon, tell: () => undefined };
    expect(await backUpStore(await database.freshUrl(), options, async () => undefined)).toBeNull();
  });

  test('rows that refer to nothing are refused', async () => {
    const file = altered(await backedUp(await settled(database)), (lines) =>
      lines.map((line) => (line.startsWith('["a","one-membership"') ? line.replace('"admins"', '"nobody"') : line)),
    );
    const target = await database.freshUrl();
    await expect(restored(file, target)).rejects.toThrow(/refer/);
    await expectNothing(target);
  });

  test('what is no whole backup is refused, at whatever byte it was cut or changed', async () => {
    const file = await backedUp(await settled(database));
    const target = await database.freshUrl();
    const bad: [string, Buffer][] = [
      ['empty', Buffer.alloc(0)],
      ['text', Buffer.from('no backup')],
      ['zipped text', gzipSync('no backup\n')],
      ...[0.1, 0.5, 0.9, 1].map((part): [string, Buffer] => [
        `cut at ${part}`,
        file.subarray(0, part * file.length - 1),
      ]),
      ['without its end', gzipSync(gunzipSync(file).toString().split('\n').slice(0, -2).join('\n') + '\n')],
      ['a value changed', gzipSync(gunzipSync(file).toString().replace('"FullAccess"', '"FullAccesz"'))],
      ['a table left out', altered(file, (lines) => lines.filter((line) => !line.startsWith('{"table":"sessions"')))],
      ['something after it', gzipSync(`${gunzipSync(file).toString()}{}\n`)],
    ];
    // The reader is the same; that the transaction is taken back is another matter, and one file shows it.
    for (const [what, bytes] of database.name === 'sqlite' ? bad : bad.slice(-2)) {
      await expect(restored(bytes, target), what).rejects.toThrow(NoBackup);
    }
    const twice = altered(file, (lines) => lines.flatMap((line) => (line.includes('"KEY-a"') ? [line, line] : [line])));
    await expect(restored(twice, target)).rejects.toThrow(/UNIQUE|unique/);
    const newer = altered(file, ([first = '', ...lines]) => [
      first.replace(migrations.at(-1)?.name ?? '', 'Later1999999999999'),
      ...lines,
    ]);
    await expect(restored(newer, target)).rejects.toThrow(RestoreRefused);
    const form = altered(file, ([first = '', ...lines]) => [first.replace('backup 1', 'backup 9'), ...lines]);
    await expect(restored(form, target)).rejects.toThrow(/`bailiwick backup 9`, which this version does not know/);
    await expectNothing(target);
    await restored(
      altered(file, (lines) => lines),
      target,
    );
  });

  test('it is read to its end without a database', async () => {
    const kindsSeen = new Set<Kind>();
    let last = [0, 0];
    await readThrough(await openBackup(Readable.from([await backedUp(await settled(database))])), {
      watch: (kind, row) => {
        kindsSeen.add(kind);
        if (kind === 'accessKey') expect(row).toMatchObject({ ownerKind: 'USER', sealedSecret: 'v1.sealed' });
      },
      tell: (...told) => void (last = told),
    });
    expect([...kindsSeen].sort()).toEqual([...kinds].sort());
    expect(last[0]).toBe(last[1]);
  });

  async function expectNothing(url: string): Promise<void> {
    if (database.name === 'sqlite') {
      const path = url.slice('sqlite:'.length);
      expect(existsSync(path)).toBe(false);
      // The lock stays, whoever has had it.
      const left = existsSync(dirname(path)) ? readdirSync(dirname(path)) : [];
      expect(left.filter((name) => name !== 'test.db.lock')).toEqual([]);
      return;
    }
    const source = commandLineSource(url);
    await source.initialize();
    expect(await source.query('SELECT 1 FROM information_schema.tables WHERE table_schema = current_schema()')).toEqual(
      [],
    );
    await source.destroy();
  }
});

test('SQLite: files of another database are never taken for those of the restored one', async () => {
  const file = await backedUp(await settled(sqlite));
  const target = await sqlite.freshUrl();
  await makeFolderOf(target);
  const path = target.slice('sqlite:'.length);
  writeFileSync(`${path}-wal`, 'a log');
  await expect(restored(file, target)).rejects.toThrow(/test\.db-wal, which belong to another one; move them away/);
  expect(readdirSync(dirname(path)).sort()).toEqual(['test.db-wal', 'test.db.lock']);
});

test('SQLite: whoever reads the database keeps it from being replaced', async () => {
  const url = await settled(sqlite);
  const file = await backedUp(url);
  const reader = commandLineSource(url);
  await reader.initialize();
  await reader.query('SELECT 1 FROM "accounts"');
  await expect(restored(file, url, { replace: true })).rejects.toThrow(RestoreRefused);
  await reader.destroy();
  await restored(file, url, { replace: true });
});

async function makeFolderOf(url: string): Promise<void> {
  await mkdir(dirname(url.slice('sqlite:'.length)), { recursive: true });
}

/** A backup with other lines, and a checksum that fits. */
function altered(file: Buffer, change: (lines: readonly string[]) => readonly string[]): Buffer {
  const changed = change(gunzipSync(file).toString().split('\n').slice(0, -2));
  const text = `${changed.join('\n')}\n`;
  const rows = changed.filter((line) => line.startsWith('[')).length;
  return gzipSync(`${text}${JSON.stringify({ end: true, rows, sha256: sha256(text) })}\n`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
