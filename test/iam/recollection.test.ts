/** What is kept in memory while a stamp stands (rule 28): nothing older than the stamp, nothing for good, nothing without bound. */
import { describe, expect, it } from 'vitest';
import { Recollection } from '../../src/iam/recollection.js';

function counted(values: readonly string[]): { read: () => Promise<string>; count: () => number } {
  let count = 0;
  return {
    read: async () => {
      const value = values[Math.min(count, values.length - 1)] ?? '';
      count += 1;
      return value;
    },
    count: () => count,
  };
}

describe('what is kept while a stamp stands', () => {
  it('is read once, also when many ask at the same time, and again under another stamp', async () => {
    const kept = new Recollection<string>(10);
    const { read, count } = counted(['old', 'new']);
    const answers = await Promise.all([kept.of('a', 1, read), kept.of('a', 1, read)]);
    expect(answers).toEqual(['old', 'old']);
    expect(await kept.of('a', 1, read)).toBe('old');
    expect(count()).toBe(1);
    expect(await kept.of('a', 2, read)).toBe('new');
    expect(await kept.of('a', 2, read)).toBe('new');
    expect(count()).toBe(2);
  });

  it('is not put back by somebody who was slow: under a stamp that is past everything is read anew', async () => {
    const kept = new Recollection<string>(10);
    let release = (): void => undefined;
    const slow = kept.of('a', 1, () => new Promise<string>((resolve) => (release = () => resolve('old'))));
    expect(await kept.of('a', 2, async () => 'new')).toBe('new');
    release();
    expect(await slow).toBe('old');
    const { read, count } = counted(['never asked for']);
    expect(await kept.of('a', 2, read)).toBe('new');
    expect(count()).toBe(0);
    expect(await kept.of('a', 1, async () => 'as it is now')).toBe('as it is now');
    expect(await kept.of('a', 2, read)).toBe('new');
  });

  it('forgets what could not be read, and what is not worth keeping', async () => {
    const kept = new Recollection<string | null>(10);
    await expect(Promise.resolve(kept.of('a', 1, () => Promise.reject(new Error('away'))))).rejects.toThrow('away');
    const worth = (value: string | null) => value !== null;
    expect(await kept.of('a', 1, async () => null, worth)).toBeNull();
    expect(await kept.of('a', 1, async () => 'there', worth)).toBe('there');
  });

  it('keeps no more than its limit, and what is used all the time stays', async () => {
    const kept = new Recollection<string>(10);
    const { read, count } = counted(['hot']);
    for (let i = 0; i < 1_000; i += 1) {
      await kept.of('hot', 1, read);
      await kept.of(`cold ${i}`, 1, async () => 'cold');
    }
    expect(count()).toBe(1);
    let again = 0;
    for (let i = 0; i < 1_000; i += 1) {
      await kept.of(`cold ${i}`, 1, async () => {
        again += 1;
        return 'cold';
      });
    }
    expect(again).toBeGreaterThanOrEqual(990);
  });
});
