/** The row of an account as it is now, from memory or by a shared read: never from before it was asked for (rule 28). */
import { describe, expect, it } from 'vitest';
import type { Account, Id } from '../../src/iam/index.js';
import { OwnedAccounts, SharedAccounts } from '../../src/store/current-accounts.js';

/** A database with one account, each statement of which is answered when it is told to, with what stood there when it began. */
class SlowDatabase {
  revision = 1;
  readonly waiting: (() => void)[] = [];
  statements = 0;

  account(id: Id): Promise<Account | null> {
    return this.answer(id === 'a' ? ({ id, revision: this.revision } as Account) : null);
  }

  revisions(ids: readonly Id[]) {
    const { revision } = this;
    return this.answer(
      ids.filter((id) => id === 'a').map((accountId) => ({ accountId, revision, accessRevision: revision })),
    );
  }

  async goOn(): Promise<void> {
    do {
      await new Promise((resolve) => setImmediate(resolve));
      for (const go of this.waiting.splice(0)) go();
      await new Promise((resolve) => setImmediate(resolve));
    } while (this.waiting.length > 0);
  }

  private answer<T>(value: T): Promise<T> {
    this.statements += 1;
    return new Promise((resolve) => this.waiting.push(() => resolve(value)));
  }
}

const revisionOf = async (reading: Promise<Account | null>): Promise<number | null> =>
  (await reading)?.revision ?? null;

describe('accounts of a database that this process alone writes', () => {
  it('are read once and then from memory, until they change', async () => {
    const database = new SlowDatabase();
    const accounts = new OwnedAccounts(database);
    const first = [revisionOf(accounts.account('a')), revisionOf(accounts.account('a'))];
    await database.goOn();
    expect(await Promise.all(first)).toEqual([1, 1]);
    expect(database.statements).toBe(1);
    database.revision = 2;
    accounts.changed('a');
    const second = revisionOf(accounts.account('a'));
    await database.goOn();
    expect(await second).toBe(2);
    expect(await revisionOf(accounts.account('a'))).toBe(2);
    expect(database.statements).toBe(2);
  });

  it('are not kept from a read that began before a change', async () => {
    const database = new SlowDatabase();
    const accounts = new OwnedAccounts(database);
    const before = revisionOf(accounts.account('a'));
    database.revision = 2;
    accounts.changed('a');
    const after = revisionOf(accounts.account('a'));
    await database.goOn();
    expect([await before, await after]).toEqual([1, 2]);
    expect(await revisionOf(accounts.account('a'))).toBe(2);
  });

  it('are not kept when there are none', async () => {
    const database = new SlowDatabase();
    const accounts = new OwnedAccounts(database);
    for (const expected of [1, 2]) {
      const none = revisionOf(accounts.account('nobody'));
      await database.goOn();
      expect(await none).toBeNull();
      expect(database.statements).toBe(expected);
    }
  });
});

describe('accounts of a database that others write as well', () => {
  it('are as they were when a read began that began after they were asked for', async () => {
    const database = new SlowDatabase();
    const accounts = new SharedAccounts(database);
    const early = [accounts.account('a'), accounts.account('a')].map(revisionOf);
    await new Promise((resolve) => setImmediate(resolve));
    // Both reads that may be under way have begun: whoever comes now waits for the next.
    database.revision = 2;
    const late = ['a', 'a', 'nobody', 'a'].map((id) => revisionOf(accounts.account(id)));
    await database.goOn();
    await Promise.all(early);
    expect(await Promise.all(late)).toEqual([2, 2, null, 2]);
  });

  it('share a read, and are read whole only when they have moved', async () => {
    const database = new SlowDatabase();
    const accounts = new SharedAccounts(database);
    const ask = async (): Promise<number> => {
      const before = database.statements;
      const all = Array.from({ length: 50 }, () => revisionOf(accounts.account('a')));
      await database.goOn();
      expect(new Set(await Promise.all(all))).toEqual(new Set([database.revision]));
      return database.statements - before;
    };
    // Two reads at a time and one more for all who wait, each of the revision and at first of the row.
    expect(await ask()).toBeLessThanOrEqual(6);
    expect(await ask()).toBeLessThanOrEqual(3);
    database.revision = 2;
    expect(await ask()).toBeLessThanOrEqual(6);
  });

  it('answer a failure to those who waited, and the next who ask as ever', async () => {
    let broken = true;
    const database = new SlowDatabase();
    const accounts = new SharedAccounts({
      account: (id) => database.account(id),
      revisions: async (ids) => {
        if (broken) throw new Error('away');
        return database.revisions(ids);
      },
    });
    await expect(accounts.account('a')).rejects.toThrow('away');
    broken = false;
    const next = revisionOf(accounts.account('a'));
    await new Promise((resolve) => setImmediate(resolve));
    await database.goOn();
    expect(await next).toBe(1);
  });
});
