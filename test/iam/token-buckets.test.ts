/** Token buckets: what comes back and when, in whatever order requests are looked at, and which are forgotten. */
import { describe, expect, it } from 'vitest';
import { TokenBuckets } from '../../src/iam/index.js';

const perSecond = (capacity: number, remembered = 10) => new TokenBuckets({ capacity, perSecond: 1, remembered });

interface Step {
  readonly at: number;
  /** Negative: given back. */
  readonly take: number;
  /** Milliseconds to wait. */
  readonly waits?: number;
}

const rows: readonly { readonly says: string; readonly steps: readonly Step[] }[] = [
  {
    says: 'refills as time passes',
    steps: [
      { at: 0, take: 3 },
      { at: 0, take: 1, waits: 1000 },
      { at: 1000, take: 1 },
      { at: 1000, take: 1, waits: 1000 },
    ],
  },
  {
    says: 'refills no time twice for a request that is looked at late',
    steps: [
      { at: 0, take: 3 },
      { at: 2000, take: 1 },
      { at: 1000, take: 1 },
      { at: 2000, take: 1, waits: 1000 },
    ],
  },
  {
    says: 'refills no time twice for what is given back late',
    steps: [
      { at: 0, take: 3 },
      { at: 2000, take: 2 },
      { at: 0, take: -1 },
      { at: 2000, take: 1 },
      { at: 2000, take: 1, waits: 1000 },
    ],
  },
  {
    says: 'goes on refilling after the clock was set back far',
    steps: [
      { at: 3_600_000, take: 3 },
      { at: 0, take: 1, waits: 1000 },
      { at: 1000, take: 1 },
    ],
  },
];

describe('a bucket of three that refills by one a second', () => {
  it.each(rows)('$says', ({ steps }) => {
    const buckets = perSecond(3);
    for (const { at, take, waits = 0 } of steps) {
      if (take < 0) buckets.giveBack('a', -take, at);
      else expect(buckets.take('a', take, at)).toBe(waits);
    }
  });
});

it('who keeps asking is not forgotten for being refused', () => {
  const buckets = perSecond(1, 2);
  expect(buckets.take('insistent', 1, 0)).toBe(0);
  for (let i = 0; i < 5; i += 1) {
    buckets.take(`other ${i}`, 1, 0);
    expect(buckets.take('insistent', 1, 0)).toBe(1000);
  }
});
