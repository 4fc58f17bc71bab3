/** What is kept in memory while a stamp stands (rule 28): nothing older than the stamp, nothing for good, nothing without bound. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GroupedRecollection, Recollection } from '../../src/iam/recollection.js';
import '../policy/seed.js';

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

describe('what is kept in groups', () => {
  it('is what would be kept under group and key in one text, and is forgotten at the same time', () => {
    const use = fc.record({
      group: fc.constantFrom('a', 'b'),
      key: fc.integer({ min: 0, max: 4 }).map(String),
      stamp: fc.constantFrom(1, 1, 1, 2),
      keeps: fc.boolean(),
    });
    let [kept, gone] = [0, 0];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.array(use, { minLength: 10, maxLength: 60 }), (limit, uses) => {
        const grouped = new GroupedRecollection<number>(limit);
        const plain = new Recollection<number>(limit);
        for (const [value, { group, key, stamp, keeps }] of uses.entries()) {
          if (keeps) {
            grouped.keep(group, key, stamp, value);
            plain.keep(`${group} ${key}`, stamp, value);
          } else {
            const known = grouped.known(group, key, stamp);
            expect(known).toBe(plain.known(`${group} ${key}`, stamp));
            if (known === undefined) gone += 1;
            else kept += 1;
          }
        }
      }),
      { numRuns: 1_000 },
    );
    expect(Math.min(kept, gone)).toBeGreaterThan(100);
  });
});
