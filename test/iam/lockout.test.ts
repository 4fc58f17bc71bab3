/** When failures lock a user, when the lock opens, and when it is told no more: lockouts.json, and bounds for any course. */
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  afterFailure,
  isBesieged,
  lockedUntil,
  noFailures,
  type Failures,
  type LockRules,
} from '../../src/iam/lockout.js';

interface Course {
  readonly sentence: string;
  readonly rules: LockRules;
  /** Minutes. */
  readonly failuresAt: readonly number[];
  readonly askedAt: number;
  readonly locked: boolean;
  readonly besieged: boolean;
}

const courses = JSON.parse(readFileSync(new URL('lockouts.json', import.meta.url), 'utf8')) as readonly Course[];
const minute = 60_000;
const seed = Number(process.env['BAILIWICK_TEST_SEED'] ?? Date.now() & 0x7fffffff);

const after = (rules: LockRules, instants: readonly number[]): Failures =>
  instants.reduce((failures, at) => afterFailure(failures, rules, at), noFailures);

describe('lockout', () => {
  it.each(courses)('$sentence', ({ rules, failuresAt, askedAt, locked, besieged }) => {
    const failures = after(
      rules,
      failuresAt.map((at) => at * minute),
    );
    expect(lockedUntil(failures, askedAt * minute) !== null).toBe(locked);
    expect(isBesieged(failures, rules, askedAt * minute)).toBe(besieged);
  });

  it(`lets nobody try more than three times the failures within a window or a lock (BAILIWICK_TEST_SEED=${seed})`, () => {
    const rules = fc.record({
      failuresBeforeLock: fc.integer({ min: 3, max: 10 }),
      countingWindowMinutes: fc.integer({ min: 15, max: 60 }),
      lockMinutes: fc.integer({ min: 15, max: 1440 }),
    });
    fc.assert(
      fc.property(rules, fc.array(fc.integer({ min: 1, max: 5_000 }), { maxLength: 300 }), (chosen, pauses) => {
        let failures: Failures = noFailures;
        let now = 0;
        let told: number[] = [];
        for (const pause of pauses) {
          now += pause;
          // An attempt whose answer depends on the password: what a guesser gains.
          if (!isBesieged(failures, chosen, now)) told.push(now);
          failures = afterFailure(failures, chosen, now);
          const window = Math.min(chosen.lockMinutes, chosen.countingWindowMinutes) * minute;
          told = told.filter((at) => at > now - window);
          expect(told.length).toBeLessThanOrEqual(3 * chosen.failuresBeforeLock);
        }
      }),
      { seed, numRuns: 300 },
    );
  });
});
