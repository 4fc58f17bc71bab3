/**
 * The few types of column that mean the same on every database (rule 29): text, whole numbers in `bigint`, flags, JSON
 * as text. A column checks what is written to it, because SQLite would take anything, and reads back what it wrote.
 */
import { refuseUnstorable, UnstorableError } from './sql.js';

export interface Column {
  readonly type: 'text' | 'varchar' | 'bigint' | 'boolean';
  readonly nullable: boolean;
  /** Text that is compared or ordered by: `COLLATE "C"` in PostgreSQL, which is what SQLite does anyway. */
  readonly compared: boolean;
  /** The values of an enum, held by a CHECK. */
  readonly values: readonly string[] | null;
  /** Throws what is wrong with a value that is to be written. */
  readonly check: (value: unknown) => void;
  readonly transformer: { readonly to: (value: unknown) => unknown; readonly from: (stored: unknown) => unknown };
}

/** No index entry of PostgreSQL may be longer than a third of a page; a key of several columns must fit. */
const longestKey = 1_024;

const asItIs = { to: (value: unknown) => value, from: (stored: unknown) => stored };

function checkText(value: unknown): void {
  if (typeof value !== 'string') throw new UnstorableError(`text was expected, not ${typeof value}`);
  refuseUnstorable(value);
}

function checkKey(value: unknown): void {
  checkText(value);
  if (Buffer.byteLength(value as string) > longestKey) {
    throw new UnstorableError(`text longer than ${longestKey} bytes cannot be indexed`);
  }
}

/** Ids, and other text that is looked up or ordered by. */
export function key(): Column {
  return { type: 'text', nullable: false, compared: true, values: null, check: checkKey, transformer: asItIs };
}

/** Text that is only shown. */
export function text(): Column {
  return { type: 'text', nullable: false, compared: false, values: null, check: checkText, transformer: asItIs };
}

/** Text of any length that statements look into. */
export function searched(): Column {
  return { ...text(), compared: true };
}

export function choice(...values: readonly string[]): Column {
  const check = (value: unknown) => {
    if (!values.includes(value as string)) throw new UnstorableError(`one of ${values.join(', ')} was expected`);
  };
  return { type: 'varchar', nullable: false, compared: true, values, check, transformer: asItIs };
}

export function integer(): Column {
  const check = (value: unknown) => {
    if (!Number.isSafeInteger(value)) throw new UnstorableError(`a whole number was expected, not ${typeof value}`);
  };
  // PostgreSQL's driver answers bigint as text; every number of ours is a safe integer.
  const from = (stored: unknown) => (stored === null || stored === undefined ? null : Number(stored));
  return { type: 'bigint', nullable: false, compared: false, values: null, check, transformer: { ...asItIs, from } };
}

export function flag(): Column {
  const check = (value: unknown) => {
    if (typeof value !== 'boolean') throw new UnstorableError(`true or false was expected, not ${typeof value}`);
  };
  const from = (stored: unknown) => stored === true || stored === 1;
  return { type: 'boolean', nullable: false, compared: false, values: null, check, transformer: { ...asItIs, from } };
}

export function json(): Column {
  const check = (value: unknown) => {
    if (typeof value !== 'object' || value === null)
      throw new UnstorableError(`a JSON object or list was expected, not ${typeof value}`);
  };
  const transformer = {
    to: (value: unknown) => (value === null || value === undefined ? value : JSON.stringify(value)),
    from: (stored: unknown): unknown => (typeof stored === 'string' ? JSON.parse(stored) : null),
  };
  return { type: 'text', nullable: false, compared: false, values: null, check, transformer };
}

export function optional(column: Column): Column {
  const check = (value: unknown) => {
    if (value !== null) column.check(value);
  };
  return { ...column, nullable: true, check };
}
