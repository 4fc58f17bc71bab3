/** Where statements run: freely for reads, in single file inside a transaction. */
import type { Database } from 'sqlite3';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import type { Kind } from '../iam/index.js';
import { failureOf, isLost, isPassing } from './failures.js';
import { attempts, pauseAfter } from './patience.js';
import { PackedRows } from './packed-rows.js';
import { PreparedStatements } from './prepared-statements.js';
import { Rows, type Raw } from './rows.js';
import { render, type Dialect, type Rendered, type Sql } from './sql.js';

export interface Connection {
  readonly dialect: Dialect;
  rows(statement: Sql): Promise<readonly Raw[]>;
  /** The same for a statement that may answer many, each column of which has a name of its own and is one of a table, or a number. */
  manyRows(statement: Sql): Promise<Rows>;
}

/** Reads that belong to no transaction: each statement sees one committed state. */
export class FreeConnection implements Connection {
  readonly #packedRows = new PackedRows();
  #statements: PreparedStatements | null = null;
  #closed = false;

  constructor(
    readonly dialect: Dialect,
    private readonly source: DataSource,
  ) {}

  async rows(statement: Sql): Promise<readonly Raw[]> {
    return this.#ask(render(statement, this.dialect));
  }

  async manyRows(statement: Sql): Promise<Rows> {
    const rendered = render(statement, this.dialect);
    if (this.dialect !== 'sqlite') return Rows.of(await this.#ask(rendered));
    const { text, parameters } = rendered;
    const packed = this.#packedRows.pack(text);
    if (packed !== null) return this.#packedRows.unpack(text, await this.#ask({ text: packed, parameters }));
    const rows = Rows.of(await this.#ask(rendered));
    // From now on it is asked for packed.
    if (this.#packedRows.learn(text, rows)) this.#statements?.discard(text);
    return rows;
  }

  /** Before its source is closed: SQLite closes no connection that has statements. What still comes leaves none. */
  close(): void {
    this.#closed = true;
    this.#statements?.clear();
    this.#statements = null;
  }

  async #ask({ text, parameters }: Rendered): Promise<readonly Raw[]> {
    for (let attempt = 1; ; attempt += 1) {
      const runner = this.source.createQueryRunner();
      try {
        const statements = this.#statements ?? (await this.#openStatements(runner));
        if (statements === null) return (await runner.query(text, parameters)) as Raw[];
        this.source.logger.logQuery(text, parameters);
        return await statements.ask(text, parameters);
      } catch (error) {
        const failure = failureOf(error);
        if (isLost(failure)) await discard(runner);
        // A read may be asked any number of times.
        if (attempt === attempts || !isPassing(failure)) throw failure;
      } finally {
        await runner.release();
      }
      await pauseAfter(attempt);
    }
  }

  /** Null where statements are not kept. */
  async #openStatements(runner: QueryRunner): Promise<PreparedStatements | null> {
    if (this.dialect !== 'sqlite' || !this.source.isInitialized) return null;
    const database = (await runner.connect()) as Database;
    // Others may have come here meanwhile, and so may the end.
    return this.#closed ? null : (this.#statements ??= new PreparedStatements(database));
  }
}

/** Breaks the connection of a runner, so that no pool hands it out again: nobody knows what it still does. */
export async function discard(runner: QueryRunner): Promise<void> {
  // A connection that was never made cannot be broken; asked again, the runner answers what it answered then.
  const client = (await runner.connect().catch(() => null)) as { end?: () => Promise<void> } | null;
  client?.end?.().catch(() => undefined);
}

/**
 * The connection of one transaction. Its statements follow one another even when the caller starts several at once, and
 * none can run once it has ended: a statement still under way while the transaction is rolled back would otherwise be
 * committed by itself afterwards.
 */
export class TransactionConnection implements Connection {
  private last: Promise<unknown> = Promise.resolve();
  private ended = false;
  private broken: Error | null = null;

  constructor(
    readonly dialect: Dialect,
    private readonly runner: QueryRunner,
  ) {}

  rows(statement: Sql): Promise<readonly Raw[]> {
    return this.inTurn(null, () => {
      const { text, parameters } = render(statement, this.dialect);
      return this.runner.query(text, parameters) as Promise<readonly Raw[]>;
    });
  }

  async manyRows(statement: Sql): Promise<Rows> {
    return Rows.of(await this.rows(statement));
  }

  write<T>(kind: Kind, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.inTurn(kind, () => work(this.runner.manager));
  }

  /** BEGIN, COMMIT and ROLLBACK: the only statements that are not in turn. */
  async control(text: string): Promise<void> {
    try {
      await this.runner.query(text);
    } catch (error) {
      const failure = failureOf(error);
      if (isLost(failure)) this.broken = failure;
      throw failure;
    }
  }

  /** Whether it is certain that nothing is open on the connection any more. */
  isClean = true;

  async rollBack(): Promise<void> {
    // Where the connection is lost, the database rolls back by itself.
    if (isLost(this.broken)) this.isClean = false;
    else
      await this.control('ROLLBACK').catch(() => {
        this.isClean = false;
      });
  }

  /** Lets nothing more in and waits for what is under way. */
  async settle(): Promise<void> {
    this.ended = true;
    await this.last;
  }

  /** What the store itself does between the end of the work and COMMIT. */
  async resume<T>(work: () => Promise<T>): Promise<T> {
    if (this.broken !== null) throw this.broken;
    this.ended = false;
    try {
      return await work();
    } finally {
      await this.settle();
    }
  }

  private inTurn<T>(kind: Kind | null, work: () => Promise<T>): Promise<T> {
    if (this.ended) {
      return Promise.reject(new Error('the transaction has ended; await every call inside its work'));
    }
    const turn = this.last.then(async () => {
      // PostgreSQL accepts nothing after a failed statement; SQLite would. The stricter of the two holds for both.
      if (this.broken !== null) throw this.broken;
      try {
        return await work();
      } catch (error) {
        this.broken = failureOf(error, kind);
        throw this.broken;
      }
    });
    this.last = turn.catch(() => undefined);
    return turn;
  }
}
