/**
 * The audit trail as it lies in the database, for whoever verifies or exports it: every account's, and as it is rather
 * than as it should be. Nothing here trusts a column, nor that it holds what its type says: SQLite keeps a text or bytes
 * where a number belongs, and looks for it elsewhere.
 */
import {
  EndMisstored,
  jsonAsWritten,
  Misstored,
  remarksOn,
  type ChainedEvent,
  type Link,
} from '../audit-chain/index.js';
import type { Id } from '../iam/index.js';
import type { Connection } from './connection.js';
import { columnName, columnsOf, property, selected, type Raw } from './rows.js';
import { always, byDialect, canBeStored, sql, type Dialect, type Sql } from './sql.js';

/** Each holds images of whole rows. */
const readAtOnce = 500;

export interface ChainEnd extends Link {
  /** How many events were there before events were chained. */
  readonly adopted: number;
}

export class StoredTrail {
  constructor(private readonly connection: Pick<Connection, 'dialect' | 'rows'>) {}

  /** Where the chain ends; null when that is not said. Throws EndMisstored when what is said is no place. */
  async end(accountId: Id): Promise<ChainEnd | null> {
    const [row] = await this.connection.rows(
      sql`SELECT ${selected('auditChain', 'found')} FROM "audit_chains" found WHERE found."account_id" = ${accountId}`,
    );
    if (row === undefined) return null;
    const [remark] = remarksOn(this.#membersOf('auditChain', row));
    if (remark !== undefined) throw new EndMisstored(`${remark}, in the row of "audit_chains"`);
    const [position, adopted] = [Number(row.position), Number(row.adopted)];
    if (adopted < 0 || adopted > position) {
      throw new EndMisstored('"adopted" is no number of events that are there, in the row of "audit_chains"');
    }
    return { position, hash: String(row.hash), adopted };
  }

  /** Events in the order of the chain; those too that are made while they are read, up to some of them. */
  async *events(accountId: Id): AsyncGenerator<ChainedEvent, void, undefined> {
    let after = always;
    for (let found = readAtOnce; found === readAtOnce;) {
      const rows = await this.connection.rows(
        sql`SELECT ${selected('auditEvent', 'found')}, ${place} AS "place" FROM "audit_events" found
          WHERE found."account_id" = ${accountId} AND ${after}
          ORDER BY found."revision", found."sequence", found."id" LIMIT ${readAtOnce}`,
      );
      for (const row of rows) yield await this.#eventOf(row);
      found = rows.length;
      const last = rows.at(-1);
      // After a row without a place nothing can follow: it is broken there, and that will show.
      if (last === undefined || [last.revision, last.sequence, last.id].includes(null)) return;
      after = sql`(found."revision", found."sequence", found."id") > ${whatIsAt(last)}`;
    }
  }

  async #eventOf({ place: at, ...row }: Raw): Promise<ChainedEvent> {
    const members = this.#membersOf('auditEvent', row);
    for (const [name, value] of Object.entries(row)) {
      // What is no UTF-8 is read with this in its place, and compared as the bytes that it is.
      if (typeof value !== 'string' || !value.includes('\uFFFD') || (await this.#holds(at, name, value))) continue;
      members[name] = new Misstored('TEXT that is no UTF-8', value, columnName(name), 'text');
    }
    return members as unknown as ChainedEvent;
  }

  /** Whether a column of an event has this very text in the eyes of the database. PostgreSQL lets nothing else in. */
  async #holds(at: unknown, name: string, value: string): Promise<boolean> {
    if (this.connection.dialect === 'postgres') return true;
    if (!canBeStored(value)) return false;
    const rows = await this.connection.rows(
      sql`SELECT 1 AS "found" FROM "audit_events" found
        WHERE found.rowid = CAST(${String(at)} AS INTEGER) AND ${property('found', name)} = ${value}`,
    );
    return rows.length > 0;
  }

  #membersOf(kind: 'auditEvent' | 'auditChain', row: Raw): Record<string, unknown> {
    const columns = columnsOf(kind);
    const { dialect } = this.connection;
    return Object.fromEntries(
      Object.entries(row).map(([name, value]) => {
        if (columns[name]?.type === 'bigint') return [name, numberOf(name, value, dialect)];
        return [name, jsons.has(name) ? jsonOf(name, value) : textOf(name, value, 'text')];
      }),
    );
  }
}

const jsons: ReadonlySet<string> = new Set(['delegation', 'before', 'after']);

/** Where a row lies in SQLite; as text, because numbers may be greater than JavaScript's. */
const place = byDialect({ sqlite: sql`CAST(found.rowid AS TEXT)`, postgres: sql`''` });

/**
 * What a row is ordered by. By where it lies in SQLite, where what was read of it may not be all that is there: it might be
 * less, and the same row would come again and again.
 */
function whatIsAt({ place: at, revision, sequence, id }: Raw): Sql {
  const said = sql`(${asParameter(revision)}, ${asParameter(sequence)}, ${asParameter(id)})`;
  const isExact = Number.isSafeInteger(revision) && Number.isSafeInteger(sequence) && isExactText(id);
  return byDialect({
    sqlite: isExact
      ? said
      : sql`(SELECT last."revision", last."sequence", last."id" FROM "audit_events" last
          WHERE last.rowid = CAST(${String(at)} AS INTEGER))`,
    postgres: said,
  });
}

function asParameter(value: unknown): string | number {
  return typeof value === 'number' ? value : String(value);
}

function isExactText(value: unknown): boolean {
  return typeof value === 'string' && canBeStored(value) && !value.includes('\uFFFD');
}

function numberOf(name: string, value: unknown, dialect: Dialect): number | Misstored {
  // PostgreSQL's driver answers bigint as text. In SQLite a text is one, and comes after every number.
  const isSpelled = dialect === 'postgres' && typeof value === 'string' && /^(?:0|-?[1-9]\d*)$/.test(value);
  const number = isSpelled ? Number(value) : value;
  return Number.isSafeInteger(number) ? (number as number) : misstored(name, number, 'a whole number');
}

function textOf(name: string, value: unknown, expected: string): string | Misstored {
  return typeof value === 'string' ? value : misstored(name, value, expected);
}

function jsonOf(name: string, value: unknown): unknown {
  return value === null || typeof value === 'string' ? jsonAsWritten(value) : textOf(name, value, 'text or NULL');
}

function misstored(name: string, value: unknown, expected: string): Misstored {
  const make = (storedAs: string, text: string | null) => new Misstored(storedAs, text, columnName(name), expected);
  if (value === null) return make('NULL', null);
  if (value instanceof Uint8Array) return make('BLOB', Buffer.from(value).toString('hex'));
  if (typeof value === 'number') {
    return make(Number.isInteger(value) ? 'a number beyond 2^53' : 'a number that is not whole', String(value));
  }
  return typeof value === 'string' ? make('TEXT', value) : make(typeof value, null);
}
