/** Who is woken, when, and that nothing which happens while nobody waits is lost. */
import { expect, it } from 'vitest';
import { Watches, type Commit, type Store } from '../../src/iam/index.js';

const beat = 5;

function watching(database: Store['database'] = 'sqlite') {
  let tell: Parameters<Store['onCommit']>[0] = () => undefined;
  let now = 1_000_000;
  const elsewhere = new Map<string, Commit>();
  let polls = 0;
  const access = {
    revisions: async (ids: readonly string[]) => {
      polls += 1;
      return ids.flatMap((id) => elsewhere.get(id) ?? []);
    },
  } as unknown as Store['access'];
  const store = { database, access, onCommit: (told: typeof tell) => ((tell = told), () => undefined) };
  const watches = new Watches(store, () => now, beat);
  return {
    watches,
    commit: (accountId: string, revision: number, accessRevision: number) =>
      tell({ accountId, revision, accessRevision }),
    commitElsewhere: (accountId: string, revision: number, accessRevision: number) =>
      void elsewhere.set(accountId, { accountId, revision, accessRevision }),
    advance: (milliseconds: number) => void (now += milliseconds),
    polls: () => polls,
  };
}

/** Whether a promise is settled once everything that can run has run. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.then(() => (done = true));
  await new Promise((resolve) => setTimeout(resolve, 4 * beat));
  return done;
}

it('begins woken, then sleeps', async () => {
  const watch = watching().watches.watch(['a'], 'EVERY');
  expect(await watch.woken(Infinity)).toBe(true);
  expect(await settled(watch.woken(Infinity))).toBe(false);
});

it('is woken by commits of its account alone, and by those that change decisions alone if it likes', async () => {
  const { watches, commit } = watching();
  const [every, access] = [watches.watch(['a'], 'EVERY'), watches.watch(['a'], 'ACCESS')];
  for (const watch of [every, access]) await watch.woken(Infinity);
  const [first, second] = [every.woken(Infinity), access.woken(Infinity)];
  commit('b', 9, 9);
  expect([await settled(first), await settled(second)]).toEqual([false, false]);
  // The first commit that is told: what was before it is not known.
  commit('a', 1, 1);
  expect(await Promise.all([first, second])).toEqual([true, true]);
  const [third, fourth] = [every.woken(Infinity), access.woken(Infinity)];
  commit('a', 2, 1);
  expect([await settled(third), await settled(fourth)]).toEqual([true, false]);
  commit('a', 3, 2);
  expect(await fourth).toBe(true);
});

it('keeps what happens while nobody waits, as one waking', async () => {
  const { watches, commit } = watching();
  const watch = watches.watch(['a', 'b'], 'ACCESS');
  await watch.woken(Infinity);
  for (let n = 1; n < 5; n += 1) commit(n % 2 === 0 ? 'a' : 'b', n, n);
  expect(await watch.woken(Infinity)).toBe(true);
  expect(await settled(watch.woken(Infinity))).toBe(false);
});

it('is woken at the instant that it names, also when the clock is put forward', async () => {
  const { watches, advance } = watching();
  const watch = watches.watch(['a'], 'ACCESS');
  await watch.woken(Infinity);
  const woken = watch.woken(1_000_000 + 3_600_000);
  expect(await settled(woken)).toBe(false);
  advance(3_600_000);
  expect(await woken).toBe(true);
});

it('asks for the commits of other processes where there are any, as long as somebody watches', async () => {
  const { watches, commitElsewhere, polls } = watching('postgres');
  const watch = watches.watch(['a'], 'ACCESS');
  await watch.woken(Infinity);
  const woken = watch.woken(Infinity);
  commitElsewhere('a', 7, 3);
  expect(await woken).toBe(true);
  const again = watch.woken(Infinity);
  commitElsewhere('a', 8, 3);
  expect(await settled(again)).toBe(false);
  commitElsewhere('a', 9, 4);
  expect(await again).toBe(true);
  watch.close();
  await settled(Promise.resolve());
  const before = polls();
  await settled(Promise.resolve());
  expect(polls()).toBe(before);
});

it('never asks where one process writes', async () => {
  const { watches, polls } = watching('sqlite');
  const watch = watches.watch(['a'], 'EVERY');
  await watch.woken(Infinity);
  await settled(watch.woken(Infinity));
  expect(polls()).toBe(0);
});

it('says so when it is closed, to whoever waits and to whoever comes later', async () => {
  const watch = watching().watches.watch(['a'], 'EVERY');
  await watch.woken(Infinity);
  const waiting = watch.woken(Infinity);
  watch.close();
  expect([await waiting, await watch.woken(Infinity)]).toEqual([false, false]);
});

it('lets a few look at a time, each in turn, whatever becomes of those before', async () => {
  const { watches } = watching();
  let looking = 0;
  let most = 0;
  const order: number[] = [];
  const looks = Array.from({ length: 20 }, (_, n) =>
    watches
      .inTurn('ann', async () => {
        most = Math.max(most, (looking += 1));
        await new Promise((resolve) => setImmediate(resolve));
        looking -= 1;
        order.push(n);
        if (n % 3 === 0) throw new Error('it failed');
      })
      .catch(() => undefined),
  );
  await Promise.all(looks);
  expect(most).toBe(4);
  expect(order).toEqual([...order].sort((a, b) => a - b));
});

it('lets those who wait look by turns, so that many of one hold up nobody else', async () => {
  const { watches } = watching();
  const order: string[] = [];
  const look = (what: string): Promise<void> =>
    watches.inTurn(what.charAt(0), async () => {
      await new Promise((resolve) => setImmediate(resolve));
      order.push(what);
    });
  const ofAnn = Array.from({ length: 1_000 }, (_, n) => look(`a${n}`));
  await Promise.all([...ofAnn, ...['b0', 'c0', 'b1'].map(look)]);
  // Four of hers were in before anybody else came.
  expect(order.slice(0, 9)).toEqual(['a0', 'a1', 'a2', 'a3', 'a4', 'b0', 'c0', 'a5', 'b1']);
  expect(order.filter((what) => what.startsWith('a'))).toEqual(Array.from({ length: 1_000 }, (_, n) => `a${n}`));
});

it('is woken when the time is over though the clock was set back meanwhile', async () => {
  const { watches, advance } = watching();
  const watch = watches.watch(['a'], 'EVERY');
  await watch.woken(Infinity);
  const woken = watch.woken(1_000_000 + beat);
  advance(-3_600_000);
  expect(await woken).toBe(true);
});
