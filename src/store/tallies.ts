/**
 * Counts that the processes on one database share. They are nobody's rows: a write here raises no revision, leaves no event and
 * waits for no account (docs/decisions/0084-shared-throttles.md).
 */
import type { Instant, Tallies, Tally } from '../iam/index.js';
import type { Connection, TransactionConnection } from './connection.js';
import { join, sql } from './sql.js';

/** No kind of row: written out in the statements. */
export const talliesTable = 'shared_tallies';

type Write = (work: (connection: TransactionConnection) => Promise<void>) => Promise<void>;

export class StoredTallies implements Tallies {
  constructor(
    private readonly reads: Connection,
    private readonly write: Write,
  ) {}

  async add(tallies: readonly Tally[]): Promise<void> {
    if (tallies.length === 0) return;
    // In one order, or two processes could wait for each other.
    const sorted = [...tallies].sort((one, other) => (one.id < other.id ? -1 : 1));
    const rows = sorted.map(({ id, period, amount, changedAt }) => sql`(${id}, ${period}, ${amount}, ${changedAt})`);
    await this.write(async (connection) => {
      await connection.rows(sql`INSERT INTO "shared_tallies" AS kept ("id", "period", "amount", "changed_at")
        VALUES ${join(rows, ', ')}
        ON CONFLICT ("id") DO UPDATE SET
          "amount" = CASE WHEN kept."period" = excluded."period" THEN kept."amount" + excluded."amount"
            WHEN kept."period" < excluded."period" THEN excluded."amount" ELSE kept."amount" END,
          "period" = CASE WHEN kept."period" < excluded."period" THEN excluded."period" ELSE kept."period" END,
          "changed_at" = excluded."changed_at"`);
    });
  }

  async changedSince(since: Instant, most: number): Promise<readonly Tally[]> {
    const rows = await this.reads.rows(
      sql`SELECT kept."id" AS "id", kept."period" AS "period", kept."amount" AS "amount", kept."changed_at" AS "changedAt"
        FROM "shared_tallies" kept WHERE kept."changed_at" >= ${since}
        ORDER BY kept."changed_at" DESC LIMIT ${most}`,
    );
    return rows.map(({ id, period, amount, changedAt }) => ({
      id: String(id),
      period: Number(period),
      amount: Number(amount),
      changedAt: Number(changedAt),
    }));
  }

  async sweep(before: Instant): Promise<void> {
    await this.write(async (connection) => {
      await connection.rows(sql`DELETE FROM "shared_tallies" WHERE "changed_at" < ${before}`);
    });
  }
}
