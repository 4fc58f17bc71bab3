/**
 * A commit whose answer never came: the connection broke while it was on its way. What became of it is looked up, never
 * guessed (docs/decisions/0083-lost-connections.md).
 */
import type { Commit, Id } from '../iam/index.js';
import type { TransactionConnection } from './connection.js';
import { sql } from './sql.js';

/** The first event that a transaction wrote. Its hash covers all there is to know about it and about what came before. */
export interface Evidence {
  readonly eventId: Id;
  readonly hash: string;
}

/** Thrown where the answer to COMMIT should have come. */
export class CommitLost extends Error {
  constructor(
    readonly value: unknown,
    readonly commit: Commit,
    /** Null: the transaction has left no event. */
    readonly evidence: Evidence | null,
    override readonly cause: Error,
  ) {
    super('the connection was lost while a transaction was being committed');
    this.name = 'CommitLost';
  }
}

export type Fate = 'COMMITTED' | 'ROLLED_BACK' | 'UNKNOWN';

/**
 * To be asked in a transaction that holds the lock on the account's row: the lost one held it too, so it has ended by now,
 * one way or the other.
 */
export async function fateOf(
  connection: TransactionConnection,
  { commit: { accountId, revision }, evidence }: CommitLost,
): Promise<Fate> {
  const [found] = await connection.rows(
    sql`SELECT account."revision" AS "revision", event."hash" AS "hash" FROM "accounts" account
      LEFT JOIN "audit_events" event ON event."account_id" = account."id" AND event."id" = ${evidence?.eventId ?? ''}
      WHERE account."id" = ${accountId}`,
  );
  // Where there is no row there was no lock: an account that is just being made may still come.
  if (found === undefined) return 'UNKNOWN';
  // Nobody else takes a revision away.
  if (Number(found.revision) < revision) return 'ROLLED_BACK';
  // Somebody has that revision, and without an event nobody knows who.
  if (evidence === null) return 'UNKNOWN';
  return found.hash === evidence.hash ? 'COMMITTED' : 'ROLLED_BACK';
}
