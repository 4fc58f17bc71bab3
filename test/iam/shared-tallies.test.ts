/** What several processes on one database count together: pure, over a table in memory, and over both databases. */
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  KeyLocks,
  SharedTallies,
  type OthersCount,
  type Store,
  type Tallies,
  type Tally,
} from '../../src/iam/index.js';
import { openStore } from '../../src/store/index.js';
import { databases } from '../store/databases.js';

const { sqlite, postgres } = databases();
afterAll(async () => {
  await sqlite.stop();
  await postgres.stop();
});

describe.each([sqlite, postgres])('the table on $name', (database) => {
  it('adds within a period, begins anew with a higher one, ignores what comes late, and is swept', async () => {
    const store = await openStore(await database.freshUrl());
    onTestFinished(() => store.close());
    const { tallies } = store;
    const tally = (id: string, period: number, amount: number, changedAt: number): Tally => ({
      id,
      period,
      amount,
      changedAt,
    });
    await tallies.add([]);
    await tallies.add([tally('b', 7, 2, 1_000), tally('a', 0, 1, 1_000)]);
    await tallies.add([tally('a', 0, 3, 1_001), tally('b', 8, 1, 1_002), tally('c', 0, -1, 1_003)]);
    await tallies.add([tally('b', 7, 50, 1_004)]);
    expect(await tallies.changedSince(1_000, 10)).toEqual([
      tally('b', 8, 1, 1_004),
      tally('c', 0, -1, 1_003),
      tally('a', 0, 4, 1_001),
    ]);
    expect((await tallies.changedSince(1_002, 10)).map(({ id }) => id)).toEqual(['b', 'c']);
    expect((await tallies.changedSince(0, 1)).map(({ id }) => id)).toEqual(['b']);
    await tallies.sweep(1_003);
    expect((await tallies.changedSince(0, 10)).map(({ id }) => id)).toEqual(['b', 'c']);
  });

  it('nothing is lost when many add at once', async () => {
    const url = await database.freshUrl();
    const stores = [await openStore(url)];
    if (database.name === 'postgres') stores.push(await openStore(url));
    onTestFinished(async () => {
      for (const store of stores) await store.close();
    });
    const ids = ['a', 'b', 'c', 'd'];
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        (stores[index % stores.length] as Store).tallies.add(
          // Each in another order.
          ids.map((_id, place) => ({ id: ids[(place + index) % 4] ?? '', period: 1, amount: 1, changedAt: index })),
        ),
      ),
    );
    const rows = await stores[0]?.tallies.changedSince(0, 10);
    expect(rows?.map(({ id, amount }) => `${id} ${amount}`).sort()).toEqual(ids.map((id) => `${id} 40`));
  });
});

it('a key that was locked at one process is locked at another one on the same PostgreSQL database', async () => {
  const url = await postgres.freshUrl();
  const stores = [await openStore(url), await openStore(url)] as const;
  onTestFinished(async () => {
    for (const store of stores) await store.close();
  });
  const [one, two] = stores.map((store) => new KeyLocks(new SharedTallies(store, Date.now, 20))) as [
    KeyLocks,
    KeyLocks,
  ];
  for (let time = 0; time < 3; time += 1) one.noteFailure('key', '10.0.0.1', Date.now());
  for (let time = 0; time < 2; time += 1) two.noteFailure('key', '10.0.0.1', Date.now());
  for (const locks of [one, two]) {
    await vi.waitFor(() => expect(locks.lockedUntil('key', '10.0.0.1', Date.now())).not.toBeNull(), 20_000);
    expect(locks.lockedUntil('key', '10.0.0.2', Date.now())).toBeNull();
  }
});

/** A table that several processes share, whose exchanges happen when the test says so. */
function processes(count: number) {
  const rows = new Map<string, Tally>();
  let now = 1_000_000;
  let broken = false;
  let writes = 0;
  const tallies: Tallies = {
    add: async (added) => {
      if (broken) throw new Error('gone');
      if (added.length > 0) writes += 1;
      for (const { id, period, amount, changedAt } of added) {
        const kept = rows.get(id);
        if (kept !== undefined && kept.period > period) continue;
        rows.set(id, { id, period, amount: kept?.period === period ? kept.amount + amount : amount, changedAt });
      }
    },
    changedSince: async (since) => [...rows.values()].filter(({ changedAt }) => changedAt >= since),
    sweep: async (before) => {
      for (const { id, changedAt } of [...rows.values()]) if (changedAt < before) rows.delete(id);
    },
  };
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const made = Array.from({ length: count }, () => {
    const shared = new SharedTallies({ database: 'postgres', tallies }, () => now);
    return { shared, locks: new KeyLocks(shared) };
  });
  return {
    made,
    rows,
    writes: () => writes,
    now: () => now,
    breakTable: (gone: boolean) => (broken = gone),
    /** Everybody hands over and learns, twice: what one hands over last the others learn the next time. */
    exchange: async () => {
      for (let round = 0; round < 3; round += 1) {
        for (const { shared } of made) shared.attend();
        now += 1_000;
        await vi.advanceTimersByTimeAsync(1_000);
      }
    },
    advance: (milliseconds: number) => (now += milliseconds),
  };
}

describe('locks of keys', () => {
  const fail = ({ locks }: { locks: KeyLocks }, now: number, times = 1) => {
    for (let time = 0; time < times; time += 1) locks.noteFailure('key', '10.0.0.1', now);
  };
  const isLocked = ({ locks }: { locks: KeyLocks }, now: number, address = '10.0.0.1') =>
    locks.lockedUntil('key', address, now) !== null;

  it('bad signatures at several processes lock the key at all of them, for that address alone, and it opens everywhere', async () => {
    const { made, exchange, now, advance } = processes(3);
    const [one, two, three] = made as [(typeof made)[0], (typeof made)[0], (typeof made)[0]];
    fail(one, now(), 2);
    fail(two, now(), 2);
    await exchange();
    expect(made.map((each) => isLocked(each, now()))).toEqual([false, false, false]);
    // The fifth one, wherever it comes.
    expect(three.locks.noteFailure('key', '10.0.0.1', now())).toBe(true);
    await exchange();
    expect(made.map((each) => isLocked(each, now()))).toEqual([true, true, true]);
    expect(made.map((each) => isLocked(each, now(), '10.0.0.2'))).toEqual([false, false, false]);
    advance(5 * 60_000);
    expect(made.map((each) => isLocked(each, now()))).toEqual([false, false, false]);
    await exchange();
    fail(one, now(), 4);
    await exchange();
    // Counted from the beginning after a lock.
    expect(made.map((each) => isLocked(each, now()))).toEqual([false, false, false]);
    fail(two, now());
    await exchange();
    expect(made.map((each) => isLocked(each, now()))).toEqual([true, true, true]);
  });

  it('a good signature at one of them begins the row anew at all', async () => {
    const { made, exchange, now } = processes(2);
    const [one, two] = made as [(typeof made)[0], (typeof made)[0]];
    fail(one, now(), 2);
    fail(two, now(), 2);
    await exchange();
    two.locks.noteSuccess('key', '10.0.0.1');
    await exchange();
    fail(one, now(), 2);
    await exchange();
    fail(two, now(), 2);
    await exchange();
    expect(made.map((each) => isLocked(each, now()))).toEqual([false, false]);
    fail(one, now());
    await exchange();
    expect(made.map((each) => isLocked(each, now()))).toEqual([true, true]);
  });

  it('a single bad signature of a key writes nothing, and many in a second write once', async () => {
    const { made, exchange, now, rows, writes } = processes(1);
    const [one] = made as [(typeof made)[0]];
    for (let key = 0; key < 500; key += 1) one.locks.noteFailure(`invented-${key}`, '10.0.0.1', now());
    await exchange();
    expect(rows.size).toBe(0);
    fail(one, now(), 4);
    await exchange();
    expect(writes()).toBe(1);
    expect([...rows.values()]).toMatchObject([{ amount: 4 }]);
    expect([...rows.keys()].join()).not.toMatch(/10\.0\.0\.1|key:key/);
  });

  it('what was there before a process looked is learnt with its age', async () => {
    const { made, exchange, now, advance } = processes(2);
    const [one, two] = made as [(typeof made)[0], (typeof made)[0]];
    fail(one, now(), 5);
    one.shared.attend();
    await vi.advanceTimersByTimeAsync(1_000);
    const lockedAt = now();
    advance(4 * 60_000);
    await exchange();
    expect(two.locks.lockedUntil('key', '10.0.0.1', now())).toBeLessThanOrEqual(lockedAt + 5 * 60_000);
    expect(isLocked(two, now())).toBe(true);
    expect(isLocked(two, lockedAt + 5 * 60_000)).toBe(false);
  });

  it('while the table is gone each counts alone, and what was counted is handed over later', async () => {
    const { made, exchange, now, breakTable } = processes(2);
    const [one, two] = made as [(typeof made)[0], (typeof made)[0]];
    breakTable(true);
    fail(one, now(), 3);
    await exchange();
    breakTable(false);
    await exchange();
    fail(two, now(), 2);
    await exchange();
    expect(made.map((each) => isLocked(each, now()))).toEqual([true, true]);
  });

  it('with SQLite nothing is handed over', async () => {
    const refuse = async (): Promise<never> => {
      throw new Error('asked');
    };
    const told: OthersCount[] = [];
    const shared = new SharedTallies(
      { database: 'sqlite', tallies: { add: refuse, changedSince: refuse, sweep: refuse } },
      () => 0,
      1,
    );
    shared.onOthers('key', (count) => told.push(count));
    const locks = new KeyLocks(shared);
    for (let time = 0; time < 5; time += 1) locks.noteFailure('key', null, 0);
    expect(locks.lockedUntil('key', null, 1)).not.toBeNull();
    expect(told).toEqual([]);
  });
});
