/** What every database must do with transactions that race: lose nothing, show nothing too early. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Store } from '../../src/iam/index.js';
import { openStore } from '../../src/store/index.js';
import type { TestDatabase } from './databases.js';
import { founded, ofAccount, origin, record, write } from './records.js';

export function conformanceOfRaces(database: TestDatabase): void {
  describe('races', () => {
    let url: string;
    let store: Store;
    beforeAll(async () => {
      url = await database.readyUrl();
      store = await openStore(url);
    });
    afterAll(async () => {
      await store.close();
    });

    test('transactions that commit, roll back and fail race with reads: nothing is lost, nothing seen early', async () => {
      await founded(store, 'race');
      const count = 60;
      const fate = (index: number) => (['commit', 'rollback', 'failure'] as const)[index % 3];
      const ids = (index: number) => [`first-${index}`, `second-${index}`];
      const all = [...Array(count).keys()];
      const reader = store.reader(ofAccount('race'));
      const seen = new Set<string>();
      let halves = 0;
      let over = false;
      const reading = (async () => {
        while (!over) {
          const found = await reader.find('group', all.flatMap(ids));
          for (const id of found.keys()) seen.add(id);
          halves += all.filter((index) => found.has(`first-${index}`) !== found.has(`second-${index}`)).length;
        }
      })();
      const revisions = await Promise.all(
        all.map(async (index) => {
          try {
            const committed = await store.transaction(origin('race'), async (open) => {
              for (const id of ids(index)) {
                await open.insert('group', record('group', 'race', id, { name: id }));
                await pause(index % 4);
              }
              if (fate(index) === 'failure') throw new Error('failure');
              return { commit: fate(index) === 'commit', value: index };
            });
            if (committed.revision !== null) {
              // What was acknowledged is there for the next read.
              expect((await reader.find('group', ids(index))).size).toBe(2);
            }
            return committed.revision;
          } catch (error) {
            expect((error as Error).message).toBe('failure');
            return null;
          }
        }),
      );
      over = true;
      await reading;
      const committed = all.filter((index) => fate(index) === 'commit');
      expect(halves).toBe(0);
      expect([...(await reader.find('group', all.flatMap(ids))).keys()].sort()).toEqual(committed.flatMap(ids).sort());
      expect([...seen].filter((id) => !committed.flatMap(ids).includes(id))).toEqual([]);
      expect(revisions.filter((revision) => revision !== null).sort((a, b) => a - b)).toEqual(
        committed.map((_, index) => index + 2),
      );
      expect((await store.access.account('race'))?.revision).toBe(committed.length + 1);
    });

    test('200 increments at once make 200', async () => {
      await founded(store, 'counter');
      await write(store, origin('counter'), (open) => open.update('user', 'root', { description: '0' }));
      const increment = () =>
        write(store, origin('counter'), async (open) => {
          const user = await open.get('user', 'root');
          await open.update('user', 'root', { description: String(Number(user?.description) + 1) });
        });
      await Promise.all([...Array(200).keys()].map(increment));
      expect(await store.access.user('counter', 'root')).toMatchObject({ description: '200', version: 202 });
      expect((await store.access.account('counter'))?.revision).toBe(202);
    });

    test('accounts do not disturb one another', async () => {
      const accounts = ['east', 'west', 'north'];
      for (const account of accounts) await founded(store, account);
      await Promise.all(
        accounts.flatMap((account) =>
          [...Array(20).keys()].map((index) =>
            write(store, origin(account), (open) =>
              open.insert('group', record('group', account, `g${index}`, { name: `g${index}` })),
            ),
          ),
        ),
      );
      for (const account of accounts) {
        expect((await store.access.account(account))?.revision).toBe(21);
        expect(await store.reader(ofAccount(account)).count('group', {})).toBe(21);
      }
    });

    test('a transaction inside another would wait for itself: it is refused', async () => {
      const nested = write(store, origin('east'), async () => {
        await write(store, origin('east', { operation: 'inner' }), (open) => open.update('user', 'root', {}));
      });
      await expect(nested).rejects.toThrow('inner opens a transaction inside another one');
    });

    test('a transaction that takes too long is rolled back and lets the others go on', async () => {
      const hurried = await openStore(await database.readyUrl(), { longestTransaction: 300 });
      await founded(hurried, 'slow');
      const group = (id: string) => record('group', 'slow', id, { name: id });
      let late: Promise<unknown> = Promise.resolve();
      const slow = write(hurried, origin('slow', { operation: 'sleep' }), async (open) => {
        await open.insert('group', group('never'));
        late = pause(600).then(() => open.insert('group', group('late')));
        late.catch(() => undefined);
        await late;
      });
      const next = write(hurried, origin('slow'), (open) => open.insert('group', group('next')));
      await expect(slow).rejects.toThrow('sleep held its transaction for more than 300 ms');
      expect(await next).toBe(2);
      await expect(late).rejects.toThrow('the transaction has ended');
      const found = await hurried.reader(ofAccount('slow')).find('group', ['never', 'late', 'next']);
      expect([...found.keys()]).toEqual(['next']);
      await hurried.close();
    });

    test('after closing, nothing can be written; what was under way is finished first', async () => {
      const closing = await openStore(await database.readyUrl());
      await founded(closing, 'closing');
      const last = write(closing, origin('closing'), async (open) => {
        await pause(50);
        await open.update('user', 'root', { description: 'last' });
      });
      await Promise.all([closing.close(), closing.close()]);
      expect(await last).toBe(2);
      await expect(write(closing, origin('closing'), (open) => open.update('user', 'root', {}))).rejects.toThrow(
        'the store is closed',
      );
    });
  });
}
