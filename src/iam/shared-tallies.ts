/**
 * What the processes on one database count together (docs/decisions/0084). Each counts in memory, as if it were alone, and at most
 * once a second hands over what it has counted and learns what the others have: nobody waits for it, and a bad
 * signature costs no write of its own. With SQLite there is one process, and nothing is handed over.
 */
import { createHash } from 'node:crypto';
import type { Store, Tally } from './ports.js';
import type { Id, Instant } from './records.js';

/** Milliseconds between two exchanges. */
const usualBeat = 1_000;
/** How long a count is of use; longer than any lock. */
const keptFor = 10 * 60_000;
/** How far the clocks of two processes may be apart. */
const overlap = 15_000;
/** Counts that wait to be handed over, and that are handed over or learnt at once; whoever makes more is told of the newest. */
const mostPending = 1_000;
const mostAtOnce = 200;
const mostLearnt = 2_000;
const mostSeen = 20_000;

interface Count {
  readonly period: number;
  readonly amount: number;
}

/** What others have counted since the last time. */
export interface OthersCount {
  readonly id: Id;
  /** Negative where somebody took something back. */
  readonly amount: number;
  /** Another process began a new period: what was counted before does not count any more. */
  readonly begun: boolean;
  readonly at: Instant;
  /** By the clock of this process. */
  readonly now: Instant;
}

/** The id of what is counted: says nothing about a key or an address, and is short whatever somebody sends. */
export function tallyId(kind: string, subject: string): Id {
  return `${kind}:${createHash('sha256').update(subject).digest('base64url')}`;
}

export class SharedTallies {
  readonly #store: Pick<Store, 'database' | 'tallies'>;
  readonly #now: () => Instant;
  readonly #beat: number;
  readonly #pending = new Map<Id, Count>();
  readonly #seen = new Map<Id, Count>();
  readonly #listeners = new Map<string, (count: OthersCount) => void>();
  #timer: NodeJS.Timeout | undefined;
  #exchangedAt: Instant = -Infinity;
  #sweptAt: Instant = -Infinity;

  constructor(store: Pick<Store, 'database' | 'tallies'>, now: () => Instant, beat = usualBeat) {
    this.#store = store;
    this.#now = now;
    this.#beat = beat;
  }

  /** Tells of what other processes count under ids of a kind. */
  onOthers(kind: string, tell: (count: OthersCount) => void): void {
    this.#listeners.set(kind, tell);
  }

  /** Somebody is about to be counted, or refused: makes sure that what others have counted is learnt soon. */
  attend(): void {
    if (this.#store.database !== 'postgres' || this.#timer !== undefined) return;
    const wait = Math.min(this.#beat, Math.max(0, this.#exchangedAt + this.#beat - this.#now()));
    this.#timer = setTimeout(() => void this.#exchange(), wait);
    this.#timer.unref();
  }

  /** Adds to a count. Without a period: to the present one. */
  add(id: Id, amount: number, period = this.#period(id)): void {
    if (this.#store.database !== 'postgres') return;
    const known = this.#pending.get(id);
    if (known !== undefined && known.period > period) return;
    this.#keep(this.#pending, mostPending, id, {
      period,
      amount: known?.period === period ? known.amount + amount : amount,
    });
    this.attend();
  }

  /** Begins a new period, if anything was counted that others know of. */
  begin(id: Id): void {
    if (this.#seen.has(id) || this.#pending.has(id)) this.add(id, 0, this.#period(id) + 1);
  }

  #period(id: Id): number {
    return Math.max(this.#pending.get(id)?.period ?? 0, this.#seen.get(id)?.period ?? 0);
  }

  async #exchange(): Promise<void> {
    const { tallies } = this.#store;
    const now = this.#now();
    const batch = [...this.#pending].slice(0, mostAtOnce);
    for (const [id] of batch) this.#pending.delete(id);
    let handedOver = false;
    try {
      await tallies.add(batch.map(([id, count]) => ({ id, ...count, changedAt: now })));
      handedOver = true;
      for (const [id, count] of batch) this.#note(id, count);
      const since = Math.max(now - keptFor, this.#exchangedAt - overlap);
      // The oldest first, as they were counted.
      const rows = [...(await tallies.changedSince(since, mostLearnt))].reverse();
      for (const row of rows) this.#learn(row);
      this.#exchangedAt = now;
      // Also when the clock was set back since.
      if (Math.abs(now - this.#sweptAt) > keptFor) {
        this.#sweptAt = now;
        await tallies.sweep(now - keptFor);
      }
    } catch {
      // The database does not answer: each process counts alone until it does. What it did not take waits, unless more came.
      if (!handedOver) for (const [id, count] of batch) if (!this.#pending.has(id)) this.#pending.set(id, count);
    }
    this.#timer = undefined;
    if (this.#pending.size > 0) {
      this.#exchangedAt = Math.max(this.#exchangedAt, now);
      this.attend();
    }
  }

  /** What this process has handed over is no news when it comes back. */
  #note(id: Id, { period, amount }: Count): void {
    const seen = this.#seen.get(id);
    if (seen !== undefined && seen.period > period) return;
    this.#keep(this.#seen, mostSeen, id, { period, amount: seen?.period === period ? seen.amount + amount : amount });
  }

  #learn({ id, period, amount, changedAt: at }: Tally): void {
    const seen = this.#seen.get(id);
    if (seen !== undefined && (seen.period > period || (seen.period === period && seen.amount === amount))) return;
    this.#keep(this.#seen, mostSeen, id, { period, amount });
    const begun = seen !== undefined && seen.period < period;
    const news = seen === undefined || begun ? amount : amount - seen.amount;
    this.#listeners.get(id.slice(0, id.indexOf(':')))?.({ id, amount: news, begun, at, now: this.#now() });
  }

  /** Keeps an entry as the newest; the oldest goes where there are too many. */
  #keep(counts: Map<Id, Count>, most: number, id: Id, count: Count): void {
    counts.delete(id);
    if (counts.size >= most) {
      const oldest = counts.keys().next();
      if (!oldest.done) counts.delete(oldest.value);
    }
    counts.set(id, count);
  }
}
