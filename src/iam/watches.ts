/**
 * Wakes those who listen for what changes in an account: at each commit of this process; within a beat of one that
 * another process made on the same database; and at an instant that they name, because time is not a write. A waking says
 * only that it is time to look: whoever wakes reads everything anew.
 */
import { FairQueue } from './fair-queue.js';
import type { AccessReader, Commit, Store } from './ports.js';
import type { Id, Instant } from './records.js';

/** What wakes: commits that can change a decision, or every one. */
export type Wakening = 'ACCESS' | 'EVERY';

export interface Watch {
  /**
   * Resolves with true once there is something to look at: a commit since the last time, or the instant `due`. What
   * happens while nobody waits is kept, as one waking however often it happened. False: the watch is closed.
   */
  woken(due: Instant): Promise<boolean>;
  close(): void;
}

/** Milliseconds: how late a commit of another process, or a clock that was put forward, is noticed at most. */
const usualBeat = 1_000;

/** How many of those who were woken look at the same time: the others must not keep requests from the database. */
const lookingAtOnce = 4;

interface Account {
  /** Null until it was looked up or told. */
  known: Commit | null;
  readonly watches: Set<OpenWatch>;
}

class OpenWatch implements Watch {
  due: Instant = Infinity;
  /** The same by the time of the process: a clock that is set back puts nothing off. */
  dueHere = Infinity;
  // Whatever was committed between what its owner has read so far and now was not told to it.
  private pending = true;
  private closed = false;
  private answer: ((awake: boolean) => void) | null = null;

  constructor(
    readonly wakening: Wakening,
    private readonly attend: (due: Instant) => void,
    private readonly now: () => Instant,
    private readonly leave: () => void,
    readonly sessionId: Id | null,
  ) {}

  async woken(due: Instant): Promise<boolean> {
    if (this.closed) return false;
    if (this.pending) {
      this.pending = false;
      return true;
    }
    this.due = due;
    this.dueHere = performance.now() + (due - this.now());
    const woken = new Promise<boolean>((resolve) => (this.answer = resolve));
    this.attend(due);
    return woken;
  }

  wake(): void {
    if (this.answer === null) this.pending = true;
    else this.settle(true);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.leave();
    this.settle(false);
  }

  private settle(awake: boolean): void {
    const { answer } = this;
    this.answer = null;
    this.due = Infinity;
    this.dueHere = Infinity;
    answer?.(awake);
  }
}

export class Watches {
  readonly #access: AccessReader;
  /** Whether other processes write as well. */
  readonly #shared: boolean;
  readonly #now: () => Instant;
  readonly #beat: number;
  readonly #accounts = new Map<Id, Account>();
  readonly #watches = new Set<OpenWatch>();
  readonly #waiting = new FairQueue<() => void>();
  #looking = 0;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer is to go off; Infinity while there is none. */
  #tickAt: Instant = Infinity;
  #polledAt = -Infinity;

  constructor(store: Pick<Store, 'access' | 'database' | 'onCommit'>, now: () => Instant, beat = usualBeat) {
    this.#access = store.access;
    this.#shared = store.database === 'postgres';
    this.#now = now;
    this.#beat = beat;
    store.onCommit((commit) => this.#note(commit));
  }

  /**
   * Begins woken, so that nothing is missed between what its owner has read and now.
   *
   * @param sessionId session by which it is listened; null when there is none
   */
  watch(accountIds: readonly Id[], wakening: Wakening, sessionId: Id | null = null): Watch {
    const watch = new OpenWatch(
      wakening,
      (due) => this.#attend(due),
      this.#now,
      () => this.#leave(watch, accountIds),
      sessionId,
    );
    this.#watches.add(watch);
    for (const id of accountIds) {
      const account = this.#accounts.get(id) ?? { known: null, watches: new Set() };
      account.watches.add(watch);
      this.#accounts.set(id, account);
    }
    this.#attend(Infinity);
    return watch;
  }

  /** Wakes who listens by a session of this process: its user has gone elsewhere. Other processes look within their beat. */
  wakeSession(sessionId: Id): void {
    for (const watch of this.#watches) if (watch.sessionId === sessionId) watch.wake();
  }

  /**
   * Runs what somebody does who was woken, a few at a time. Those who wait take turns by who they are: one commit wakes
   * all, and the thousand streams of one would be looked at before the single one of another.
   */
  async inTurn<T>(who: string, look: () => Promise<T>): Promise<T> {
    if (this.#looking < lookingAtOnce) this.#looking += 1;
    else await new Promise<void>((resolve) => this.#waiting.add(who, resolve));
    try {
      return await look();
    } finally {
      const next = this.#waiting.next();
      if (next === undefined) this.#looking -= 1;
      else next();
    }
  }

  #leave(watch: OpenWatch, accountIds: readonly Id[]): void {
    this.#watches.delete(watch);
    for (const id of accountIds) {
      const account = this.#accounts.get(id);
      account?.watches.delete(watch);
      if (account?.watches.size === 0) this.#accounts.delete(id);
    }
    if (this.#watches.size > 0) return;
    clearTimeout(this.#timer);
    this.#tickAt = Infinity;
  }

  #note(commit: Commit): void {
    const account = this.#accounts.get(commit.accountId);
    if (account === undefined) return;
    const { known } = account;
    // Told late, after a poll has seen it.
    if (known !== null && known.revision >= commit.revision) return;
    account.known = commit;
    const access = known === null || known.accessRevision < commit.accessRevision;
    for (const watch of account.watches) if (access || watch.wakening === 'EVERY') watch.wake();
  }

  /** Makes sure that the timer goes off within a beat, and no later than `due`. */
  #attend(due: Instant): void {
    const now = this.#now();
    const at = Math.min(due, now + this.#beat);
    if (this.#tickAt <= at) return;
    clearTimeout(this.#timer);
    this.#tickAt = at;
    this.#timer = setTimeout(() => void this.#tick(), Math.max(0, at - now));
    this.#timer.unref();
  }

  async #tick(): Promise<void> {
    if (this.#shared && performance.now() - this.#polledAt >= this.#beat) {
      this.#polledAt = performance.now();
      // What the database does not answer now it is asked in a beat; and no watch sleeps for long without looking.
      const commits = await this.#access.revisions([...this.#accounts.keys()]).catch(() => []);
      for (const commit of commits) this.#note(commit);
    }
    const now = this.#now();
    for (const watch of this.#watches) if (watch.due <= now || watch.dueHere <= performance.now()) watch.wake();
    this.#tickAt = Infinity;
    if (this.#watches.size === 0) return;
    let nearest = Infinity;
    for (const { due } of this.#watches) nearest = Math.min(nearest, due);
    this.#attend(nearest);
  }
}
