/** The tables: migrations, what TypeORM thinks of them, and the ways of TypeORM that must be closed. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { commandLineSource, openStore } from '../../src/store/index.js';
import { migrations } from '../../src/store/migrations/index.js';
import { databases } from './databases.js';
import { founded, noon, ofAccount, origin } from './records.js';

const { sqlite, postgres } = databases();
afterAll(async () => {
  await sqlite.stop();
  await postgres.stop();
});

// The command line's data source says what it does.
beforeAll(() => {
  vi.spyOn(console, 'log').mockReturnValue();
});

describe.each([sqlite, postgres])('$name', (database) => {
  test('migrations run once on an empty database and not again; what was written stays', async () => {
    const url = await database.freshUrl();
    const statements: string[] = [];
    const first = await openStore(url, { log: (statement) => statements.push(statement) });
    expect(statements.filter((statement) => statement.startsWith('CREATE TABLE')).length).toBeGreaterThan(19);
    await founded(first, 'a');
    await first.close();
    statements.length = 0;
    const second = await openStore(url, { log: (statement) => statements.push(statement) });
    expect(statements.filter((statement) => /^(CREATE|ALTER|DROP)/.test(statement))).toEqual([]);
    expect(await second.reader(ofAccount('a')).count('user', {})).toBe(1);
    await second.close();
  });

  test('the migrated tables are exactly those that are described', async () => {
    const url = await database.freshUrl();
    await (await openStore(url)).close();
    const source = commandLineSource(url);
    await source.initialize();
    const { upQueries } = await source.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
    await source.destroy();
  });

  test('an account of the first release keeps its rows, and has the defaults of what came later', async () => {
    const url = await database.freshUrl();
    const source = commandLineSource(url);
    source.setOptions({ migrations: migrations.slice(0, 1) });
    await source.initialize();
    await source.runMigrations({ transaction: 'all' });
    await source.query(
      `INSERT INTO "accounts" ("id", "name", "name_key", "root_user_id", "authorization_mode", "revision", "access_revision", "created_at")
        VALUES ('old', 'Old', 'old', 'root', 'LOOSE', 1, 1, ${noon})`,
    );
    await source.query(
      `INSERT INTO "users" ("account_id", "id", "name", "name_key", "description", "enabled", "root", "default_model_arts_access", "version", "created_at", "updated_at")
        VALUES ('old', 'root', 'Root', 'root', '', TRUE, TRUE, 'ENDED', 1, ${noon}, ${noon})`,
    );
    await source.query(
      `INSERT INTO "passwords" ("account_id", "id", "hash", "changed_at", "failures", "first_failure_at", "locked_until")
        VALUES ('old', 'root', 'HASH', ${noon}, 2, ${noon}, NULL)`,
    );
    await source.destroy();
    const store = await openStore(url);
    expect(await store.access.password('old', 'root')).toEqual({
      id: 'root',
      accountId: 'old',
      hash: 'HASH',
      history: [],
      changedAt: noon,
      activeAt: null,
      failures: 2,
      firstFailureAt: noon,
      lockedUntil: null,
    });
    expect(await store.access.accountSettings('old')).toBeNull();
    const removal = store.transaction(origin('old'), async (open) => {
      await open.remove('user', 'root');
      return { commit: true, value: null };
    });
    // Rebuilding the table has not lost what it refers to.
    await expect(removal).rejects.toThrow('still referred to');
    await store.close();
  });

  test('the command line sees every migration as run', async () => {
    const url = await database.freshUrl();
    const source = commandLineSource(url);
    await source.initialize();
    expect(await source.showMigrations()).toBe(true);
    await source.runMigrations({ transaction: 'all' });
    expect(await source.showMigrations()).toBe(false);
    await source.destroy();
  });

  test('a condition without a value throws instead of matching every row', async () => {
    const url = await database.freshUrl();
    const store = await openStore(url);
    await founded(store, 'a');
    await store.close();
    const source = commandLineSource(url);
    await source.initialize();
    const { manager } = source;
    for (const nothing of [undefined, null as never]) {
      await expect(manager.find('user', { where: { id: nothing } })).rejects.toThrow(/id/);
      await expect(manager.findOneBy('user', { accountId: 'a', id: nothing })).rejects.toThrow(/id/);
      await expect(manager.update('user', { id: nothing }, { description: 'x' })).rejects.toThrow(/id/);
      await expect(manager.delete('user', { id: nothing })).rejects.toThrow(/id/);
    }
    expect(await manager.count('user')).toBe(1);
    await source.destroy();
  });
});
