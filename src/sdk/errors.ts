/** What a caller of the SDK may have to deal with: Bailiwick said no, or could not be asked. */

/** A fault in what was sent, from `userErrors` of a mutation. */
export interface UserError {
  readonly code: string;
  readonly message: string;
  readonly path: readonly string[] | null;
  /** The vendors' code where one exists, for instance `ModelArts.0429`. */
  readonly reference: string | null;
}

export interface ErrorDetails {
  /** Names the request in Bailiwick's log. */
  readonly requestId?: string | null;
  readonly reference?: string | null;
  readonly reason?: string | null;
  readonly action?: string | null;
  readonly userErrors?: readonly UserError[];
}

/**
 * Bailiwick answered and refused. `code` is the `extensions.code` of its first error (`UNAUTHENTICATED`, `FORBIDDEN`,
 * `BAD_USER_INPUT`, `RATE_LIMITED` …), or that of the first of `userErrors`.
 */
export class BailiwickError extends Error {
  readonly code: string;
  readonly requestId: string | null;
  readonly reference: string | null;
  readonly reason: string | null;
  readonly action: string | null;
  readonly userErrors: readonly UserError[];

  constructor(code: string, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.requestId = details.requestId ?? null;
    this.reference = details.reference ?? null;
    this.reason = details.reason ?? null;
    this.action = details.action ?? null;
    this.userErrors = details.userErrors ?? [];
  }
}

/**
 * Bailiwick could not be asked: not reached, not in time, or it said that it cannot answer now. Nothing is known about
 * what was asked, so whoever guards something denies. `code` is `UNREACHABLE`.
 */
export class BailiwickUnreachable extends BailiwickError {
  /** The request never arrived, so it can be sent again whatever it was. */
  readonly neverArrived: boolean;

  constructor(message: string, neverArrived: boolean, options?: ErrorOptions) {
    super('UNREACHABLE', message, {}, options);
    this.neverArrived = neverArrived;
  }
}
