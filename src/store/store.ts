/** The store over one open database, whichever it is. */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  OutcomeUnknown,
  type AccessReader,
  type ChangeOrigin,
  type Commit,
  type Committed,
  type Id,
  type Instant,
  type Reader,
  type Scope,
  type Store,
  type Tallies,
  type TrailReader,
  type Transaction,
  type Verdict,
} from '../iam/index.js';
import { StoreAccessReader } from './access.js';
import type { Connection, TransactionConnection } from './connection.js';
import { OwnedAccounts, SharedAccounts, type CurrentAccounts } from './current-accounts.js';
import type { Entities } from './entities.js';
import { DatabaseUnavailable, isLost, isPassing } from './failures.js';
import { CommitLost, fateOf, type Fate } from './lost-commits.js';
import { StoredPast } from './past.js';
import { attempts, pauseAfter } from './patience.js';
import { ScopedReader } from './reader.js';
import type { DatabaseLimits, StatementLog } from './sources.js';
import { StoredTallies } from './tallies.js';
import { transact } from './transaction.js';
import { Turns, type Places } from './turns.js';
import type { TellWait } from './waits.js';

export interface Settings {
  readonly log: StatementLog | null;
  readonly now: () => Instant;
  readonly longestTransaction: number;
  readonly limits: DatabaseLimits;
  readonly wait?: TellWait;
}

/** What differs between databases. */
export interface Engine {
  readonly database: 'sqlite' | 'postgres';
  readonly reads: Connection;
  /** Transactions of one queue follow one another within this process. */
  queueOf(accountId: Id): string;
  /** How many transactions may be open at a time; null where their queue says it. */
  readonly places: Places | null;
  borrow<T>(work: (connection: TransactionConnection) => Promise<T>): Promise<T>;
  begin(connection: TransactionConnection, accountId: Id): Promise<void>;
  close(): Promise<void>;
}

/** Some five seconds: a server that was killed is up again by then, more often than not. */
const attemptsToLookUp = 8;

function unknownOutcome({ operation, requestId }: ChangeOrigin, cause: unknown): OutcomeUnknown {
  const message =
    'the database was lost while this change was being committed, and nobody can tell whether it was; read what was to change before you try again';
  return new OutcomeUnknown(message, requestId, `${operation}: ${String(cause)}`);
}

export class OpenStore implements Store {
  readonly database: 'sqlite' | 'postgres';
  readonly access: AccessReader;
  readonly trail: TrailReader;
  readonly tallies: Tallies;
  private readonly turns = new Turns(() => new DatabaseUnavailable('QUEUED', '', 'too many wait for one actor'));
  /** Marks what runs inside a transaction that is still open: one inside another would wait for itself. */
  private readonly inside = new AsyncLocalStorage<{ open: boolean }>();
  private open = 0;
  private closed: Promise<void> | null = null;
  private readonly current: CurrentAccounts;
  private readonly listeners = new Set<(commit: Commit) => void>();

  constructor(
    private readonly engine: Engine,
    private readonly settings: Settings & { readonly entities: Entities },
  ) {
    this.database = engine.database;
    const access = new StoreAccessReader(engine.reads);
    this.current = engine.database === 'sqlite' ? new OwnedAccounts(access) : new SharedAccounts(access);
    this.access = new StoreAccessReader(engine.reads, this.current);
    this.trail = new StoredPast(engine.reads);
    this.tallies = new StoredTallies(engine.reads, async (work) => {
      if (this.closed !== null) throw new Error('the store is closed; nothing can be written any more');
      // SQLite has one connection that writes; in PostgreSQL nobody is waited for but others who count.
      await this.turns.take(engine.queueOf(''), 'tallies', () => engine.borrow(work));
    });
  }

  reader(scope: Scope): Reader {
    return new ScopedReader(this.engine.reads, scope, this.settings.now);
  }

  async transaction<T>(
    origin: ChangeOrigin,
    work: (transaction: Transaction) => Promise<Verdict<T>>,
  ): Promise<Committed<T>> {
    if (this.closed !== null) throw new Error('the store is closed; nothing can be written any more');
    if (this.inside.getStore()?.open === true) {
      throw new Error(`${origin.operation} opens a transaction inside another one; use the open one`);
    }
    const who = `${origin.accountId} ${origin.actorId}`;
    return this.turns.take(this.engine.queueOf(origin.accountId), who, async () => {
      const since = performance.now();
      for (let attempt = 1; ; attempt += 1) {
        try {
          const { commit, value, revision } = await this.attempt(origin, work);
          if (commit !== null) this.announce(commit);
          return { value, revision };
        } catch (thrown) {
          const error = thrown instanceof CommitLost ? thrown.cause : thrown;
          if (thrown instanceof CommitLost) {
            const fate = await this.lookUp(thrown);
            if (fate === 'UNKNOWN') throw unknownOutcome(origin, error);
            if (fate === 'COMMITTED') {
              this.announce(thrown.commit);
              return { value: thrown.value as T, revision: thrown.commit.revision };
            }
          }
          // Work whose connection was taken from it because it did nothing for so long would do so again.
          const late = performance.now() - since >= this.settings.limits.longestIdle;
          if (attempt === attempts || late || !isPassing(error)) throw error;
          await pauseAfter(attempt);
        }
      }
    });
  }

  onCommit(tell: (commit: Commit) => void): () => void {
    this.listeners.add(tell);
    return () => void this.listeners.delete(tell);
  }

  close(): Promise<void> {
    this.closed ??= this.turns.drained().then(() => this.engine.close());
    return this.closed;
  }

  private announce(commit: Commit): void {
    this.current.changed(commit.accountId);
    for (const tell of this.listeners) tell(commit);
  }

  /** What became of a commit, as soon as the database says it; and not for long, because somebody waits for the answer. */
  private async lookUp(lost: CommitLost): Promise<Fate> {
    for (let attempt = 1; attempt <= attemptsToLookUp; attempt += 1) {
      try {
        return await this.engine.borrow(async (connection) => {
          try {
            await this.engine.begin(connection, lost.commit.accountId);
            return await fateOf(connection, lost);
          } finally {
            await connection.settle();
            await connection.rollBack();
          }
        });
      } catch (error) {
        if (!isLost(error)) return 'UNKNOWN';
        await pauseAfter(attempt);
      }
    }
    return 'UNKNOWN';
  }

  private async attempt<T>(
    origin: ChangeOrigin,
    work: (transaction: Transaction) => Promise<Verdict<T>>,
  ): ReturnType<typeof transact<T>> {
    const { entities, now, longestTransaction } = this.settings;
    const mark = { open: true };
    const run = () =>
      this.engine.borrow((connection) =>
        transact(
          connection,
          () => this.engine.begin(connection, origin.accountId),
          origin,
          (transaction) => this.inside.run(mark, () => work(transaction)),
          { entities, now, longest: longestTransaction },
        ),
      );
    this.open += 1;
    try {
      return await (this.engine.places?.take(run) ?? run());
    } finally {
      mark.open = false;
      this.open -= 1;
      // While it is used, every promise of the process costs more, those of reads too.
      if (this.open === 0) this.inside.disable();
      // After a failure too: a COMMIT that fails may have been carried out.
      this.current.changed(origin.accountId);
    }
  }
}
