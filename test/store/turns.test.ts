/** Who writes when: one at a time for a key, and nobody before everybody else because they ask for more. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Places, Turns } from '../../src/store/turns.js';

const refusal = () => new Error('too many');

test('those who wait take turns, each of their own in order', async () => {
  const turns = new Turns(refusal);
  const order: string[] = [];
  const ask = (who: string, what: string): Promise<void> =>
    turns.take('account', who, async () => {
      await turn();
      order.push(what);
    });
  await Promise.all([
    ...['a1', 'a2', 'a3', 'a4'].map((what) => ask('ann', what)),
    ...['b1', 'b2'].map((what) => ask('bob', what)),
    ask('root', 'revoked'),
  ]);
  expect(order).toEqual(['a1', 'a2', 'b1', 'revoked', 'a3', 'b2', 'a4']);
});

test('one at a time for each key, and keys beside each other', async () => {
  const turns = new Turns(refusal);
  const running = new Map<string, number>();
  let together = 0;
  const ask = (key: string): Promise<void> =>
    turns.take(key, 'ann', async () => {
      running.set(key, (running.get(key) ?? 0) + 1);
      expect(running.get(key)).toBe(1);
      together = Math.max(
        together,
        [...running.values()].reduce((sum, count) => sum + count),
      );
      await turn();
      running.set(key, 0);
    });
  await Promise.all(['one', 'two', 'one', 'two', 'one'].map(ask));
  expect(together).toBe(2);
});

test('who fails lets the next one in, and the end is told when nobody waits any more', async () => {
  const turns = new Turns(refusal);
  const failing = turns.take('account', 'ann', () => Promise.reject(new Error('not this one')));
  const order: string[] = [];
  const next = turns.take('account', 'ann', async () => void order.push('next'));
  const drained = turns.drained().then(() => order.push('drained'));
  await expect(failing).rejects.toThrow('not this one');
  await Promise.all([next, drained]);
  expect(order).toEqual(['next', 'drained']);
  await turns.drained();
});

test('of one a thousand may wait, and no more; another still may', async () => {
  const turns = new Turns(refusal);
  let end = (): void => undefined;
  const held = turns.take('account', 'ann', () => new Promise<void>((resolve) => (end = resolve)));
  const waiting = Array.from({ length: 1_000 }, () => turns.take('account', 'ann', async () => undefined));
  await expect(turns.take('account', 'ann', async () => undefined)).rejects.toThrow('too many');
  const other = turns.take('account', 'bob', async () => 'bob');
  end();
  expect(await other).toBe('bob');
  await Promise.all([held, ...waiting]);
});

test('places are given on in order, and who waits too long is refused and takes none', async () => {
  const places = new Places(1, 50, refusal);
  let end = (): void => undefined;
  const held = places.take(() => new Promise<void>((resolve) => (end = resolve)));
  await expect(places.take(async () => undefined)).rejects.toThrow('too many');
  const order: number[] = [];
  const waiting = [1, 2, 3].map((number) => places.take(async () => void order.push(number)));
  end();
  await Promise.all([held, ...waiting]);
  expect(order).toEqual([1, 2, 3]);
  expect(await places.take(async () => 'free')).toBe('free');
});
