/**
 * Lockout (docs/domain.md section d4): failures within a window lock a user for a time, after which it opens by itself.
 * A pure account of failures; who counts one, and what the one who failed is told, is decided where it happened.
 */
import type { House } from './house.js';
import type { AccountSettings, Instant, Password } from './records.js';

export type Failures = Pick<Password, 'failures' | 'firstFailureAt' | 'lockedUntil'>;

export type LockRules = Pick<AccountSettings, 'failuresBeforeLock' | 'countingWindowMinutes' | 'lockMinutes'>;

const minute = 60_000;

export const noFailures: Failures = { failures: 0, firstFailureAt: null, lockedUntil: null };

/** When the lock that stands now ends; null: there is none. */
export function lockedUntil({ lockedUntil: until }: Failures, now: Instant): Instant | null {
  return until !== null && until > now ? until : null;
}

/**
 * Whether somebody went on guessing under the lock. The right password is told of a lock; if that held without end, a
 * lock would slow no guesser down, only keep the owner out. So after as many failures again no answer depends on the
 * password any more, until the lock is over.
 */
export function isBesieged(failures: Failures, rules: LockRules, now: Instant): boolean {
  return lockedUntil(failures, now) !== null && failures.failures >= rules.failuresBeforeLock;
}

/** What one more failure makes of the counters: a new window begins when the old one is over. */
export function afterFailure(failures: Failures, rules: LockRules, now: Instant): Failures {
  const until = lockedUntil(failures, now);
  if (until !== null) {
    const counted = Math.min(failures.failures + 1, rules.failuresBeforeLock);
    return { failures: counted, firstFailureAt: null, lockedUntil: until };
  }
  const { firstFailureAt } = failures;
  const sameWindow = firstFailureAt !== null && now - firstFailureAt < rules.countingWindowMinutes * minute;
  const counted = sameWindow ? failures.failures + 1 : 1;
  if (counted < rules.failuresBeforeLock) {
    return { failures: counted, firstFailureAt: sameWindow ? firstFailureAt : now, lockedUntil: null };
  }
  return { ...noFailures, lockedUntil: now + rules.lockMinutes * minute };
}

/** The same, told to whoever watches when it locks; once more where the database had the transaction run again. */
export function countedFailure(
  { observer }: Pick<House, 'observer'>,
  failures: Failures,
  rules: LockRules,
  now: Instant,
): Failures {
  const after = afterFailure(failures, rules, now);
  if (lockedUntil(failures, now) === null && lockedUntil(after, now) !== null) observer.locked('USER');
  return after;
}
