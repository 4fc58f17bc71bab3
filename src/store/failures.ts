/**
 * What a database refuses, in our words. TypeORM's errors carry the statement's parameters and PostgreSQL's details the
 * whole row, password hashes among them, so neither is kept as the cause: only the code and the first line are.
 */
import { QueryFailedError } from 'typeorm';
import { Unavailable, UniquenessError, type Kind } from '../iam/index.js';

export class DatabaseError extends Error {
  constructor(
    message: string,
    /** SQLSTATE, or SQLite's name of the failure. */
    readonly code: string,
  ) {
    super(message);
    this.name = 'DatabaseError';
  }
}

/**
 * GONE: the connection broke, or none can be made. SILENT: nothing came back, not even a failure. CROWDED: none became free in time. SLOW: a statement took longer than it
 * may. HELD: somebody else held a lock for longer than one waits. CONFLICT: PostgreSQL gave way to another transaction.
 * FULL: there is no room for what was to be written; whoever only reads is answered. SCARCE: memory, or room for what is in between, did not suffice.
 */
export type Obstacle = 'GONE' | 'SILENT' | 'CROWDED' | 'QUEUED' | 'SLOW' | 'HELD' | 'CONFLICT' | 'FULL' | 'SCARCE';

const advice: Readonly<Record<Obstacle, string>> = {
  GONE: 'the database does not answer just now; try again in a few seconds',
  SILENT: 'the database does not answer just now; try again in a few seconds',
  CROWDED: 'every connection to the database is in use; try again in a few seconds',
  QUEUED: 'too many changes of yours wait for their turn; send fewer at once, and try again in a few seconds',
  SLOW: 'the database took too long over this; ask for less at once, or try again later',
  HELD: 'the database is held by somebody else just now; try again in a few seconds',
  FULL: 'the disk of the database is full and nothing was changed; reads go on, changes do as soon as there is room',
  SCARCE: 'the database has too little memory or room for this just now; ask for less at once, or try again later',
  CONFLICT: 'other changes kept getting in the way of this one; try again in a few seconds',
};

/** The database could not do it now; it may well do it later. The words of the driver are for the log alone. */
export class DatabaseUnavailable extends Unavailable {
  constructor(
    readonly obstacle: Obstacle,
    readonly code: string,
    detail: string,
  ) {
    super(advice[obstacle], code === '' ? detail : `${code}: ${detail}`);
    this.name = 'DatabaseUnavailable';
  }
}

const obstacles: Readonly<Record<string, Obstacle>> = {
  '40001': 'CONFLICT',
  '40P01': 'CONFLICT',
  '57014': 'SLOW',
  // Whoever leaves a transaction idle for that long will do so again.
  '25P03': 'SLOW',
  '55P03': 'HELD',
  SQLITE_BUSY: 'HELD',
  SQLITE_LOCKED: 'HELD',
  '53300': 'CROWDED',
  '53100': 'FULL',
  SQLITE_FULL: 'FULL',
  '53000': 'SCARCE',
  '53200': 'SCARCE',
  '53400': 'SCARCE',
  SQLITE_NOMEM: 'SCARCE',
  // A server that is ending, was killed, is not up yet, or became a standby: the next connection may find another.
  '57P01': 'GONE',
  '57P02': 'GONE',
  '57P03': 'GONE',
  '57P05': 'GONE',
  '25006': 'GONE',
  ECONNREFUSED: 'GONE',
  ECONNRESET: 'GONE',
  ECONNABORTED: 'GONE',
  EPIPE: 'GONE',
  ETIMEDOUT: 'GONE',
  EHOSTUNREACH: 'GONE',
  EHOSTDOWN: 'GONE',
  ENETUNREACH: 'GONE',
  ENETDOWN: 'GONE',
  ENOTFOUND: 'GONE',
  EAI_AGAIN: 'GONE',
};

/** What pg says without a code. */
const wordless: readonly (readonly [RegExp, Obstacle])[] = [
  [/^timeout exceeded when trying to connect/, 'CROWDED'],
  [/^(Query read timeout|timeout expired|Connection terminated due to connection timeout)/, 'SILENT'],
  [/^Connection terminated/, 'GONE'],
  [/not queryable$/, 'GONE'],
  // TypeORM, of a runner whose connection broke between two statements.
  [/^Query runner already released/, 'GONE'],
];

function obstacleOf(code: string, line: string): Obstacle | null {
  if (code === '') return wordless.find(([pattern]) => pattern.test(line))?.[1] ?? null;
  // Class 08 are exceptions of the connection.
  return obstacles[code] ?? (/^08...$/.test(code) ? 'GONE' : null);
}

/** The error to throw instead of what a driver threw; `kind` is what was being written. */
export function failureOf(error: unknown, kind: Kind | null = null): Error {
  const driver: unknown = error instanceof QueryFailedError ? error.driverError : error;
  if (!(driver instanceof Error)) return new Error(String(error));
  if (driver instanceof DatabaseUnavailable) return driver;
  const code = 'code' in driver && typeof driver.code === 'string' ? driver.code : '';
  const line = driver.message.split('\n', 1)[0] ?? '';
  const obstacle = obstacleOf(code, line);
  if (obstacle !== null) return new DatabaseUnavailable(obstacle, code, line);
  if (!(error instanceof QueryFailedError) && code === '') return driver;
  if (kind !== null && (code === '23505' || line.includes('UNIQUE constraint failed')))
    return new UniquenessError(kind);
  if (code === '23503' || line.includes('FOREIGN KEY constraint failed')) {
    const what = kind === null ? 'a row' : `a ${kind}`;
    return new DatabaseError(`${what} refers to a row that is not there, or is still referred to`, code);
  }
  return new DatabaseError(`the database refused a statement: ${line}`, code);
}

/** The connection is of no use any more, or there was none. */
export function isLost(error: unknown): boolean {
  return error instanceof DatabaseUnavailable && (error.obstacle === 'GONE' || error.obstacle === 'SILENT');
}

/** Nothing was done, and the same work may well succeed when it is done again at once. */
export function isPassing(error: unknown): boolean {
  return error instanceof DatabaseUnavailable && (error.obstacle === 'GONE' || error.obstacle === 'CONFLICT');
}
