/**
 * What a database refuses, in our words. TypeORM's errors carry the statement's parameters and PostgreSQL's details the
 * whole row, password hashes among them, so neither is kept as the cause: only the code and the first line are.
 */
import { QueryFailedError } from 'typeorm';
import { UniquenessError, type Kind } from '../iam/index.js';

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

/** The error to throw instead of what a driver threw; `kind` is what was being written. */
export function failureOf(error: unknown, kind: Kind | null = null): Error {
  const driver: unknown = error instanceof QueryFailedError ? error.driverError : error;
  if (!(driver instanceof Error)) return new Error(String(error));
  const code = 'code' in driver && typeof driver.code === 'string' ? driver.code : '';
  if (!(error instanceof QueryFailedError) && code === '') return driver;
  const line = driver.message.split('\n', 1)[0] ?? '';
  if (kind !== null && (code === '23505' || line.includes('UNIQUE constraint failed')))
    return new UniquenessError(kind);
  if (code === '23503' || line.includes('FOREIGN KEY constraint failed')) {
    const what = kind === null ? 'a row' : `a ${kind}`;
    return new DatabaseError(`${what} refers to a row that is not there, or is still referred to`, code);
  }
  return new DatabaseError(`the database refused a statement: ${line}`, code);
}

/** PostgreSQL gave way to another transaction: the same work may well succeed when it is done again. */
export function isPassing(error: unknown): boolean {
  return error instanceof DatabaseError && (error.code === '40001' || error.code === '40P01');
}
