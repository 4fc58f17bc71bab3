import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { commandLineSource, openStore } from '../../src/store/index.js';
import { migrations } from '../../src/store/migrations/index.js';
import { databases } from './databases.js';
import { founded, origin, write } from './records.js';

// The command line's data source says what it does.
beforeAll(() => {
  vi.spyOn(console, 'log').mockReturnValue();
});

describe.each(Object.values(databases()))('a database of a newer program on $name', (database) => {
  afterAll(() => database.stop());

  it('is refused with what to do, and left as it is', async () => {
    const url = await database.freshUrl();
    await (await openStore(url)).close();
    const source = commandLineSource(url);
    await source.initialize();
    await source.query(
      `INSERT INTO "migrations" ("timestamp", "name") VALUES (9999999999999, 'FromTheFuture9999999999999')`,
    );
    await source.destroy();
    await expect(openStore(url)).rejects.toThrow(
      /newer version of bailiwick \(migration FromTheFuture9999999999999\); start that version/,
    );
  });

  it('is used when it was only added to: replicas are replaced one after another', async () => {
    const url = await database.freshUrl();
    const older = await openStore(url);
    await founded(older, 'a');
    const source = commandLineSource(url);
    await source.initialize();
    await source.query(
      `INSERT INTO "migrations" ("timestamp", "name") VALUES (9999999999999, 'AdditiveThings9999999999999')`,
    );
    await source.query('CREATE TABLE "things" ("id" TEXT PRIMARY KEY)');
    await source.destroy();
    // The one that runs, and one that is started again.
    await write(older, origin('a'), (open) => open.update('user', 'root', { description: 'running' }));
    await older.close();
    const again = await openStore(url);
    await write(again, origin('a'), (open) => open.update('user', 'root', { description: 'started again' }));
    expect((await again.access.account('a'))?.revision).toBe(3);
    await again.close();
  });
});

/** Tables with their columns; a column that may be left out of a row ends with a question mark. */
async function shapeOf(
  source: ReturnType<typeof commandLineSource>,
): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
  const runner = source.createQueryRunner();
  const tables = await runner.getTables(
    (
      await source.query<{ name: string }[]>(
        source.options.type === 'sqlite'
          ? `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
          : `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
      )
    ).map(({ name }) => name),
  );
  await runner.release();
  return new Map(
    tables.map(({ name, columns, uniques, checks, foreignKeys, indices }) => [
      name.replace(/^public\./, ''),
      new Map<string, string>([
        ...columns.map(
          (column) => [column.name, `${column.type}${column.isNullable || column.default != null ? '?' : ''}`] as const,
        ),
        ...[...uniques, ...checks, ...foreignKeys, ...indices.filter(({ isUnique }) => isUnique)].map(
          (rule) => [`rule ${rule.name}`, 'rule'] as const,
        ),
      ]),
    ]),
  );
}

describe.each(Object.values(databases()))('migrations that say that they are additive, on $name', (database) => {
  afterAll(() => database.stop());

  it('leave everything as it was that older programs read and write', async () => {
    const first = migrations.findIndex(({ name }) => name.startsWith('Additive'));
    expect(first).toBeGreaterThan(0);
    const url = await database.freshUrl();
    let before: Awaited<ReturnType<typeof shapeOf>> | null = null;
    for (let count = first; count <= migrations.length; count += 1) {
      const source = commandLineSource(url);
      source.setOptions({ migrations: migrations.slice(0, count) });
      await source.initialize();
      await source.runMigrations({ transaction: 'all' });
      const after = await shapeOf(source);
      await source.destroy();
      const made = migrations[count - 1]?.name ?? '';
      if (before !== null && made.startsWith('Additive')) {
        for (const [table, columns] of before) {
          for (const [column, type] of columns)
            expect(after.get(table)?.get(column), `${made}: ${table}.${column}`).toBe(type);
          for (const [column, type] of after.get(table) ?? []) {
            if (!columns.has(column)) expect(type, `${made}: ${table}.${column}`).toMatch(/\?$/);
          }
        }
      }
      before = after;
    }
  });
});
