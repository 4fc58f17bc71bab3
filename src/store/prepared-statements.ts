/**
 * Statements of SQLite's reading connection that stay prepared, so that each is taken apart once. The driver's own way, to
 * prepare and to throw away for each question, also throws away on the thread that answers requests, where it waits for
 * whatever statement just runs on the connection (docs/decisions/0098-prepared-statements.md).
 */
import type { Database, Statement } from 'sqlite3';
import type { Raw } from './rows.js';

/** Texts that are remembered; lists have some hundred between them. The one that was asked longest ago goes first. */
const most = 200;
/**
 * Statements of one text: as many as Node has threads that run them. One that answers is not free before what waited for
 * the answer has been done.
 */
const copies = 4;

interface Question {
  readonly parameters: readonly unknown[];
  readonly answer: (rows: readonly Raw[]) => void;
  readonly fail: (error: Error) => void;
}

/** The statements of one text. */
interface Shelf {
  readonly text: string;
  readonly free: Statement[];
  made: number;
  readonly waiting: Question[];
  /** Whether nobody asks here any more. */
  cleared: boolean;
}

export class PreparedStatements {
  readonly #shelves = new Map<string, Shelf>();

  constructor(private readonly database: Database) {}

  /** Fails as the driver does. */
  ask(text: string, parameters: readonly unknown[]): Promise<readonly Raw[]> {
    return new Promise((answer, fail) => {
      const shelf = this.#shelfOf(text);
      const question = { parameters, answer, fail };
      const statement = shelf.free.pop();
      if (statement !== undefined) this.#put(shelf, statement, question);
      else if (shelf.made < copies) this.#prepare(shelf, question);
      else shelf.waiting.push(question);
    });
  }

  /** Throws those of a text away, which nobody is going to ask again. */
  discard(text: string): void {
    const shelf = this.#shelves.get(text);
    if (shelf === undefined) return;
    this.#shelves.delete(text);
    clear(shelf);
  }

  /** Throws all of them away, those under way when they have answered: the connection cannot be closed before. */
  clear(): void {
    for (const shelf of this.#shelves.values()) clear(shelf);
    this.#shelves.clear();
  }

  #shelfOf(text: string): Shelf {
    const known = this.#shelves.get(text);
    if (known !== undefined) {
      if (this.#shelves.size > most / 2) {
        this.#shelves.delete(text);
        this.#shelves.set(text, known);
      }
      return known;
    }
    const [oldest] = this.#shelves.values();
    if (oldest !== undefined && this.#shelves.size >= most) this.discard(oldest.text);
    const shelf: Shelf = { text, free: [], made: 0, waiting: [], cleared: false };
    this.#shelves.set(text, shelf);
    return shelf;
  }

  #prepare(shelf: Shelf, question: Question): void {
    shelf.made += 1;
    const statement = this.database.prepare(shelf.text, (error: Error | null) => {
      if (error === null) {
        this.#put(shelf, statement, question);
        return;
      }
      shelf.made -= 1;
      question.fail(error);
      const next = shelf.waiting.shift();
      if (next !== undefined) this.#prepare(shelf, next);
    });
  }

  #put(shelf: Shelf, statement: Statement, { parameters, answer, fail }: Question): void {
    try {
      statement.all<Raw>(parameters, (error, rows) => {
        this.#release(shelf, statement);
        if (error === null) answer(rows);
        else fail(error);
      });
    } catch (error) {
      // The driver knows no such value.
      this.#release(shelf, statement);
      fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #release(shelf: Shelf, statement: Statement): void {
    const next = shelf.waiting.shift();
    if (next !== undefined) this.#put(shelf, statement, next);
    else if (shelf.cleared) statement.finalize();
    else shelf.free.push(statement);
  }
}

function clear(shelf: Shelf): void {
  shelf.cleared = true;
  for (const statement of shelf.free) statement.finalize();
  shelf.free.length = 0;
}
