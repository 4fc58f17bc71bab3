/**
 * What the business asks of a store about the past: rows as they are, and what the audit trail says happened to them.
 * Every scope's events, whoever asks: what of it may be told is decided in access-recall.ts.
 */
import type { AuditEvent, Id, Instant, Kind, Records } from './records.js';

/**
 * The kinds of row that decisions about a user, an agency or a service are made of, each with the columns that it is looked
 * for by. INVARIANT: no use-case changes one of these columns, or a row would be looked for where it no longer is.
 */
export const soughtBy = {
  account: ['id'],
  user: ['id'],
  group: ['id'],
  membership: ['userId'],
  policy: ['id'],
  policyVersion: ['id'],
  grant: ['subjectId'],
  workspace: ['id'],
  workspaceMember: ['id'],
  service: ['id', 'accountId'],
  resource: ['urn'],
  agency: ['id'],
} as const satisfies Partial<{ readonly [K in Kind]: readonly (keyof Records[K] & string)[] }>;

export type PastKind = keyof typeof soughtBy;

export const pastKinds = Object.keys(soughtBy) as readonly PastKind[];

/** Rows of a kind that have one of these values in a column. */
export interface Sought<K extends PastKind = PastKind> {
  readonly kind: K;
  readonly column: (typeof soughtBy)[K][number];
  readonly values: readonly string[];
}

export interface TrailReader {
  /** The first event of the account's trail; null while there is none. */
  first(accountId: Id): Promise<Pick<AuditEvent, 'revision' | 'at'> | null>;
  /** The first revision that was made, of rows of these kinds, by a request after an instant; null: none was. */
  firstRevisionSince(accountId: Id, kinds: readonly PastKind[], at: Instant): Promise<number | null>;
  /**
   * Whether the instants of changes of rows of these kinds fit the order of their revisions on both sides of one, as far as the
   * tolerance: none before is later than the last, none after is earlier than the next; and the next one is not after `now`.
   */
  isOrderedAround(
    accountId: Id,
    kinds: readonly PastKind[],
    revision: number,
    now: Instant,
    tolerance: number,
  ): Promise<boolean>;
  /** When the last change up to a revision was asked for; null: there is none. */
  lastAt(accountId: Id, revision: number): Promise<Instant | null>;
  /** Whether there are as many events after a revision as the chain of the account has places after it. */
  isWholeAfter(accountId: Id, revision: number): Promise<boolean>;
  /** Number of events about a kind after a revision, at most so many. */
  countAfter(accountId: Id, kind: PastKind, revision: number, most: number): Promise<number>;
  /** Rows as they are. */
  present<K extends PastKind>(accountId: Id, sought: Sought<K>): Promise<readonly Records[K][]>;
  /** Events after a revision about such rows, at most so many, the oldest first. */
  changesAfter(accountId: Id, sought: Sought, revision: number, most: number): Promise<readonly AuditEvent[]>;
}
