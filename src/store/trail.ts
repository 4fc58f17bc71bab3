/**
 * The audit trail as it lies in the database, for whoever verifies or exports it: every account's, and as it is rather
 * than as it should be. Nothing here trusts a column.
 */
import { jsonAsWritten, type ChainedEvent, type Link } from '../audit-chain/index.js';
import type { Id } from '../iam/index.js';
import type { Connection } from './connection.js';
import { columnsOf, property, selected, type Raw } from './rows.js';
import { always, sql } from './sql.js';

/** Each holds images of whole rows. */
const readAtOnce = 500;

export interface ChainEnd extends Link {
  /** How many events were there before events were chained. */
  readonly adopted: number;
}

export class StoredTrail {
  constructor(private readonly connection: Pick<Connection, 'dialect' | 'rows'>) {}

  /** Where the chain ends; null when that is not said. */
  async end(accountId: Id): Promise<ChainEnd | null> {
    const [row] = await this.connection.rows(
      sql`SELECT ${selected('auditChain', 'found')} FROM "audit_chains" found WHERE found."account_id" = ${accountId}`,
    );
    if (row === undefined) return null;
    return { position: Number(row.position), hash: String(row.hash), adopted: Number(row.adopted) };
  }

  /** Events in the order of the chain; those too that are made while they are read, up to some of them. */
  async *events(accountId: Id): AsyncGenerator<ChainedEvent, void, undefined> {
    let after = always;
    for (;;) {
      const rows = await this.connection.rows(
        sql`SELECT ${selected('auditEvent', 'found')} FROM "audit_events" found
          WHERE found."account_id" = ${accountId} AND ${after}
          ORDER BY found."revision", found."sequence", found."id" LIMIT ${readAtOnce}`,
      );
      for (const row of rows) yield eventOf(row);
      const { revision, sequence, id } = rows.at(-1) ?? {};
      // After a row without a place nothing can follow: it is broken there, and that will show.
      if (!isScalar(revision) || !isScalar(sequence) || !isScalar(id)) return;
      after = sql`(${property('found', 'revision')}, ${property('found', 'sequence')}, ${property('found', 'id')})
        > (${revision}, ${sequence}, ${id})`;
    }
  }
}

function isScalar(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

const numbers: ReadonlySet<string> = new Set(namesOf('bigint'));
const jsons: ReadonlySet<string> = new Set(['delegation', 'before', 'after']);

function namesOf(type: string): readonly string[] {
  return Object.entries(columnsOf('auditEvent')).flatMap(([name, column]) => (column.type === type ? [name] : []));
}

function eventOf(row: Raw): ChainedEvent {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      // PostgreSQL's driver answers bigint as text.
      if (numbers.has(name)) return [name, value === null ? null : Number(value)];
      return [name, jsons.has(name) ? jsonAsWritten(value) : value];
    }),
  ) as unknown as ChainedEvent;
}
