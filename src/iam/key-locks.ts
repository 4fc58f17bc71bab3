/**
 * Locks of access keys (docs/domain.md section e2; rule 24): five bad signatures in a row lock a key for five minutes, but
 * only from the address that they came from, so that nobody locks another's key from elsewhere. Kept in memory, in each
 * process by itself: a secret of forty characters is not guessed, with or without a lock (docs/decisions/0031).
 */
import type { Instant } from './records.js';

const failuresBeforeLock = 5;
const lockPeriod = 5 * 60_000;
/** Pairs that are remembered; the one that failed longest ago is forgotten for a new one. */
const remembered = 10_000;

interface Failures {
  readonly count: number;
  readonly lockedUntil: Instant | null;
}

export class KeyLocks {
  readonly #failures = new Map<string, Failures>();

  /** Null when the key may be tried from this address. */
  lockedUntil(keyId: string, address: string | null, now: Instant): Instant | null {
    const until = this.#failures.get(pair(keyId, address))?.lockedUntil ?? null;
    return until !== null && until > now ? until : null;
  }

  /** Answers whether this failure locked the key at the address. */
  noteFailure(keyId: string, address: string | null, now: Instant): boolean {
    const key = pair(keyId, address);
    const before = this.#failures.get(key);
    const count = (before === undefined || before.lockedUntil !== null ? 0 : before.count) + 1;
    this.#failures.delete(key);
    if (this.#failures.size >= remembered) {
      const oldest = this.#failures.keys().next();
      if (!oldest.done) this.#failures.delete(oldest.value);
    }
    const locks = count >= failuresBeforeLock;
    this.#failures.set(key, { count, lockedUntil: locks ? now + lockPeriod : null });
    return locks;
  }

  noteSuccess(keyId: string, address: string | null): void {
    this.#failures.delete(pair(keyId, address));
  }
}

function pair(keyId: string, address: string | null): string {
  return `${keyId} ${address ?? ''}`;
}
