/** The tables: migrations, what TypeORM thinks of them, and the ways of TypeORM that must be closed. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { commandLineSource, openStore } from '../../src/store/index.js';
import { databases } from './databases.js';
import { founded, ofAccount } from './records.js';

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
