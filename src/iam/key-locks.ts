/**
 * Locks of access keys (docs/domain.md section e2; rule 24): five bad signatures in a row lock a key for five minutes, but
 * only from the address that they came from, so that nobody locks another's key from elsewhere. Counted in memory, and together
 * with the other processes on the database (docs/decisions/0084).
 */
import type { Id, Instant } from './records.js';
import { tallyId, type OthersCount, type SharedTallies } from './shared-tallies.js';

const failuresBeforeLock = 5;
const lockPeriod = 5 * 60_000;
/** Pairs that are remembered; the one that failed longest ago is forgotten for a new one. */
const remembered = 10_000;
/** One bad signature of a pair is a mistake, and who invents keys makes nothing else: others are told from the second on. */
const toldFrom = 2;

interface Failures {
  readonly count: number;
  readonly lockedUntil: Instant | null;
  /** Of this process, that the others were not told of. */
  readonly untold: number;
}

const none: Failures = { count: 0, lockedUntil: null, untold: 0 };

export class KeyLocks {
  readonly #failures = new Map<Id, Failures>();
  readonly #tallies: SharedTallies | null;

  /** @param tallies null: this process counts alone */
  constructor(tallies: SharedTallies | null = null) {
    this.#tallies = tallies;
    tallies?.onOthers('key', (count) => this.#noteOthers(count));
  }

  /** Null when the key may be tried from this address. */
  lockedUntil(keyId: string, address: string | null, now: Instant): Instant | null {
    this.#tallies?.attend();
    const id = idOf(keyId, address);
    const until = lockOf(this.#failures.get(id) ?? none, now);
    if (until === null || until - now <= lockPeriod) return until;
    // The clock was set back meanwhile: the lock begins anew rather than lasting for hours.
    this.#keep(id, { ...none, lockedUntil: now + lockPeriod });
    return now + lockPeriod;
  }

  /** Answers whether this failure locked the key at the address. */
  noteFailure(keyId: string, address: string | null, now: Instant): boolean {
    const id = idOf(keyId, address);
    const before = this.#failures.get(id) ?? none;
    // After a lock it is counted from the beginning.
    const count = (before.lockedUntil === null ? before.count : 0) + 1;
    const locks = count >= failuresBeforeLock;
    const untold = before.untold + 1;
    const told = locks || count > toldFrom || untold >= toldFrom;
    if (told) this.#tallies?.add(id, untold);
    this.#keep(id, { count, lockedUntil: locks ? now + lockPeriod : null, untold: told ? 0 : untold });
    return locks;
  }

  noteSuccess(keyId: string, address: string | null): void {
    const id = idOf(keyId, address);
    if (this.#failures.delete(id)) this.#tallies?.begin(id);
  }

  #noteOthers({ id, amount, begun, at, now }: OthersCount): void {
    const before = this.#failures.get(id) ?? none;
    // Under a lock nothing is counted: those were on their way.
    if (lockOf(before, now) !== null) return;
    const count = (begun || before.lockedUntil !== null ? 0 : before.count) + amount;
    // The clock of the other process may be ahead, and no lock is longer than one.
    const until = count >= failuresBeforeLock ? Math.min(at, now) + lockPeriod : null;
    if (count <= 0) this.#failures.delete(id);
    else this.#keep(id, { count, lockedUntil: until, untold: before.untold });
  }

  #keep(id: Id, failures: Failures): void {
    this.#failures.delete(id);
    if (this.#failures.size >= remembered) {
      const oldest = this.#failures.keys().next();
      if (!oldest.done) this.#failures.delete(oldest.value);
    }
    this.#failures.set(id, failures);
  }
}

function idOf(keyId: string, address: string | null): Id {
  return tallyId('key', `${keyId} ${address ?? ''}`);
}

function lockOf({ lockedUntil: until }: Failures, now: Instant): Instant | null {
  return until !== null && until > now ? until : null;
}
