/**
 * How a use-case answers: errors are values inside and are translated once, at the edge (src/graphql/errors.ts).
 *
 * Three outcomes besides success. *Refused*: the caller may not; says the action, and why to those who may know.
 * *Invalid*: the caller can mend the input; several problems at once. Anything thrown is a defect and is masked.
 */
import type { Decision } from './authorizer.js';

/** Stable codes of what a caller can mend. They are the GraphQL enum UserErrorCode; never rename one. */
export const userErrorCodes = {
  NOT_FOUND: 'Something named in the input does not exist, or is invisible to the caller: the two look alike.',
  INVALID: 'A value breaks a rule of its field.',
  NAME_TAKEN: 'Another object of this kind has this name; names compare without case.',
  RESERVED: 'A name or object is reserved by the service and cannot be used or changed.',
  LIMIT_EXCEEDED: 'A quota or documented maximum would be exceeded.',
  CONFLICT: 'The object is in a state that does not allow this, or it changed since it was read.',
  IN_USE: 'Other objects still refer to this one.',
  IDEMPOTENCY_KEY_REUSED: 'The idempotency key was used before with other input.',
  CREDENTIALS_INVALID: 'Account, user name, password or second factor are not right together.',
  SECOND_FACTOR_REQUIRED: 'The password is right; send it again with a one-time password of the second factor.',
  LOCKED: 'Too many failed attempts; it opens again by itself.',
  WEAK_PASSWORD: 'The password breaks the password policy.',
  POLICY_DOCUMENT: 'The policy document has a problem at the place shown.',
  NOT_HELD: 'Nobody gives more than they hold: the action shown would be gained.',
  TRUST_CONDITION: 'A condition of the agency’s trust does not hold.',
  AGENCY_EXPIRED: 'The agency has expired.',
  NOT_AUTHORIZED: 'No authorization lets the service act for this user there, or the user may not act there by now.',
  IMMUTABLE: 'The object cannot be changed or deleted at all.',
} as const;

export type UserErrorCode = keyof typeof userErrorCodes;

export interface UserProblem {
  readonly code: UserErrorCode;
  /** Lower case, one line, input in backticks, says what to do next. */
  readonly message: string;
  /** Path of the input value, for instance ['input', 'document']. */
  readonly path: readonly string[] | null;
  /** The vendors' code where one exists, for instance `IAM.1028`. */
  readonly reference: string | null;
  /** Place in a policy document (RFC 6901), with its line and column when the document was text. */
  readonly pointer?: string;
  readonly line?: number | null;
  readonly column?: number | null;
  /** Actions that would be gained (NOT_HELD). */
  readonly actions?: readonly string[];
  /** The maximum that applies (LIMIT_EXCEEDED). */
  readonly limit?: number;
}

export interface Succeeded<T> {
  readonly kind: 'succeeded';
  readonly value: T;
  readonly revision: number | null;
  /** An idempotent repeat: nothing was done again, secrets are not shown again. */
  readonly replayed: boolean;
}

export interface Refused {
  readonly kind: 'refused';
  readonly decision: Decision;
  /** The vendors' code of this very refusal; null for that of every other. */
  readonly reference: string | null;
}

export interface Invalid {
  readonly kind: 'invalid';
  readonly problems: readonly UserProblem[];
}

export type Outcome<T> = Succeeded<T> | Refused | Invalid;

export function succeed<T>(value: T, revision: number | null = null, replayed = false): Succeeded<T> {
  return { kind: 'succeeded', value, revision, replayed };
}

export function refuse(decision: Decision, reference: string | null = null): Refused {
  return { kind: 'refused', decision, reference };
}

export function reject(...problems: readonly UserProblem[]): Invalid {
  return { kind: 'invalid', problems };
}

/** Builds a problem; `path` names the input value below `input`. */
export function problem(
  code: UserErrorCode,
  message: string,
  path: string | readonly string[] | null = null,
  more: Partial<Omit<UserProblem, 'code' | 'message' | 'path'>> = {},
): UserProblem {
  const steps = path === null ? null : ['input', ...(typeof path === 'string' ? [path] : path)];
  return { code, message, path: steps, reference: null, ...more };
}

/** What was asked cannot be done just now, and was not done: the same request may be sent again. */
export class Unavailable extends Error {
  constructor(
    message: string,
    /** For the log: what stood in the way. Null: the message says it all. */
    readonly detail: string | null = null,
  ) {
    super(message);
    this.name = 'Unavailable';
  }
}

/** There is more to do than can be done in time. */
export class Overloaded extends Unavailable {
  constructor(message: string) {
    super(message);
    this.name = 'Overloaded';
  }
}

/** A change may have been made, and may not: nobody can tell. It must not be made again without looking. */
export class OutcomeUnknown extends Error {
  constructor(
    message: string,
    /** The request that asked for it, by which the audit trail names it. */
    readonly requestId: string,
    /** For the log: what stood in the way. */
    readonly detail: string,
  ) {
    super(message);
    this.name = 'OutcomeUnknown';
  }
}

/** A request that is malformed rather than mistaken: wrong kind of id, bad cursor, page out of range. */
export class BadInput extends Error {
  constructor(
    message: string,
    readonly reference: string | null = null,
  ) {
    super(message);
    this.name = 'BadInput';
  }
}
