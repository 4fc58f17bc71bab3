/** A full disk: changes are refused whole and say why, reads go on, and so do changes when there is room again. */
import type { DataSource } from 'typeorm';
import { afterAll, expect, test } from 'vitest';
import { verifyTrail } from '../../src/audit-chain/index.js';
import { DatabaseUnavailable, inspectStore, openStore } from '../../src/store/index.js';
import { failureOf } from '../../src/store/failures.js';
import { databases } from './databases.js';
import { founded, ofAccount, origin, record, write } from './records.js';

const database = databases().sqlite;
afterAll(() => database.stop());

test('SQLite refuses a change for which there is no room, and takes it when there is', async () => {
  const url = await database.freshUrl();
  const store = await openStore(url);
  await founded(store, 'a');
  const { writer } = (store as unknown as { readonly engine: { readonly writer: DataSource } }).engine;
  const [{ page_count: pages } = { page_count: 0 }] = await writer.query<{ page_count: number }[]>('PRAGMA page_count');
  await writer.query(`PRAGMA max_page_count = ${pages + 20}`);
  let written = 0;
  const add = async () => {
    await write(store, origin('a'), async (open) => {
      const id = `g${written}`;
      await open.insert('group', record('group', 'a', id, { name: id, description: 'x'.repeat(3_000) }));
      await open.insert('user', record('user', 'a', id, { name: id, description: 'x'.repeat(3_000) }));
    });
    written += 1;
  };
  const fill = async () => {
    for (;;) await add();
  };
  await expect(fill()).rejects.toMatchObject({ name: 'DatabaseUnavailable', obstacle: 'FULL', code: 'SQLITE_FULL' });
  await expect(add()).rejects.toThrow(
    /^the disk of the database is full and nothing was changed; reads go on, changes do as soon as there is room$/,
  );
  expect(written).toBeGreaterThan(0);
  const counts = async () => {
    const reader = store.reader(ofAccount('a'));
    return [await reader.count('group', {}), await reader.count('user', {})];
  };
  expect(await counts()).toEqual([written + 1, written + 1]);
  expect((await store.access.account('a'))?.revision).toBe(written + 1);
  await writer.query('PRAGMA max_page_count = 1000000');
  await add();
  expect(await counts()).toEqual([written + 1, written + 1]);
  const inspection = await inspectStore(url);
  if (inspection === null) throw new Error('the database is gone');
  const { numberOfBreaks, events } = await verifyTrail(inspection.trail, 'a', []);
  await inspection.close();
  expect([numberOfBreaks, events]).toEqual([0, 8 + 2 * written]);
  await store.close();
});

test('PostgreSQL says it by its own code', () => {
  const error = failureOf(
    Object.assign(new Error('could not extend file: No space left on device'), { code: '53100' }),
  );
  expect(error).toBeInstanceOf(DatabaseUnavailable);
  expect(error).toMatchObject({ obstacle: 'FULL' });
});
