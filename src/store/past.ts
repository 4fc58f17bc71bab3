/** What lies in the audit trail about rows that decisions are made of, and what those rows are now. */
import {
  pastKinds,
  soughtBy,
  type AuditEvent,
  type Id,
  type Instant,
  type PastKind,
  type Records,
  type Sought,
  type TrailReader,
} from '../iam/index.js';
import type { Connection } from './connection.js';
import { property, recordOf, selected } from './rows.js';
import { among, byDialect, join, raw, sql, table, type Sql } from './sql.js';
import { tables } from './tables.js';

export class StoredPast implements TrailReader {
  constructor(private readonly connection: Connection) {}

  async first(accountId: Id): Promise<Pick<AuditEvent, 'revision' | 'at'> | null> {
    const [row] = await this.connection.rows(
      sql`SELECT found."revision" AS "revision", found."at" AS "at" FROM "audit_events" found
        WHERE found."account_id" = ${accountId} ORDER BY found."revision", found."sequence" LIMIT 1`,
    );
    return row === undefined ? null : { revision: Number(row.revision), at: Number(row.at) };
  }

  async firstRevisionSince(accountId: Id, kinds: readonly PastKind[], at: Instant): Promise<number | null> {
    const [row] = await this.connection.rows(
      sql`SELECT MIN(found."revision") AS "revision" FROM "audit_events" found
        WHERE found."account_id" = ${accountId} AND ${among(sql`found."target_kind"`, kinds)} AND found."at" > ${at}`,
    );
    return row?.revision == null ? null : Number(row.revision);
  }

  async isOrderedAround(
    accountId: Id,
    kinds: readonly PastKind[],
    revision: number,
    now: Instant,
    tolerance: number,
  ): Promise<boolean> {
    const these = sql`found."account_id" = ${accountId} AND ${among(sql`found."target_kind"`, kinds)}`;
    const [row] = await this.connection.rows(
      sql`SELECT
          (SELECT MAX(found."at") FROM "audit_events" found WHERE ${these} AND found."revision" <= ${revision}) AS "latest",
          (SELECT MAX(found."at") FROM "audit_events" found WHERE ${these} AND found."revision" = ${revision + 1}) AS "next",
          (SELECT MIN(found."at") FROM "audit_events" found WHERE ${these} AND found."revision" > ${revision + 1}) AS "earliest"`,
    );
    const instant = (value: unknown): Instant | null => (value == null ? null : Number(value));
    const [latest, next, earliest] = [instant(row?.latest), instant(row?.next), instant(row?.earliest)];
    const last = await this.lastAt(accountId, revision);
    if (latest !== null && last !== null && latest - last > tolerance) return false;
    return next === null || (next - (earliest ?? next) <= tolerance && next - now <= tolerance);
  }

  async lastAt(accountId: Id, revision: number): Promise<Instant | null> {
    const [row] = await this.connection.rows(
      sql`SELECT found."at" AS "at" FROM "audit_events" found
        WHERE found."account_id" = ${accountId} AND found."revision" <= ${revision}
        ORDER BY found."revision" DESC, found."sequence" DESC LIMIT 1`,
    );
    return row === undefined ? null : Number(row.at);
  }

  /** One statement, so that all of it is of one moment. */
  async isWholeAfter(accountId: Id, revision: number): Promise<boolean> {
    const [row] = await this.connection.rows(
      sql`SELECT chain."position" AS "end",
          (SELECT COUNT(*) FROM "audit_events" later
            WHERE later."account_id" = ${accountId} AND later."revision" > ${revision}) AS "count",
          (SELECT found."position" FROM "audit_events" found
            WHERE found."account_id" = ${accountId} AND found."revision" <= ${revision}
            ORDER BY found."revision" DESC, found."sequence" DESC LIMIT 1) AS "start"
        FROM "audit_chains" chain WHERE chain."account_id" = ${accountId}`,
    );
    return row !== undefined && Number(row.end) - Number(row.start ?? 0) === Number(row.count);
  }

  async countAfter(accountId: Id, kind: PastKind, revision: number, most: number): Promise<number> {
    const [row] = await this.connection.rows(
      sql`SELECT COUNT(*) AS "count" FROM (SELECT 1 FROM "audit_events" found
        WHERE ${this.after(accountId, kind, revision)} LIMIT ${most}) counted`,
    );
    return Number(row?.count ?? 0);
  }

  async present<K extends PastKind>(
    accountId: Id,
    { kind, column, values }: Sought<K>,
  ): Promise<readonly Records[K][]> {
    const own = property('found', kind === 'account' ? 'id' : 'accountId');
    const rows = await this.connection.rows(
      sql`SELECT ${selected(kind, 'found')} FROM ${table(tables[kind].name)} found
        WHERE ${own} = ${accountId} AND ${among(property('found', column), values)}`,
    );
    return rows.map((row) => recordOf(kind, row));
  }

  async changesAfter(
    accountId: Id,
    { kind, column, values }: Sought,
    revision: number,
    most: number,
  ): Promise<readonly AuditEvent[]> {
    const about =
      column === 'id'
        ? among(sql`found."target_id"`, values)
        : sql`(${among(member('before', kind, column), values)} OR ${among(member('after', kind, column), values)})`;
    const rows = await this.connection.rows(
      sql`SELECT ${selected('auditEvent', 'found')} FROM "audit_events" found
        WHERE ${this.after(accountId, kind, revision)} AND ${about}
        ORDER BY found."revision", found."sequence" LIMIT ${most}`,
    );
    return rows.map((row) => recordOf('auditEvent', row));
  }

  private after(accountId: Id, kind: PastKind, revision: number): Sql {
    return sql`found."account_id" = ${accountId} AND found."target_kind" = ${kind} AND found."revision" > ${revision}`;
  }
}

/** What an image says of a column; absent for no image. */
function member(image: 'before' | 'after', kind: PastKind, column: string): Sql {
  // INVARIANT: names become text of the statement, so they are ours and no caller's.
  if (!pastKinds.includes(kind) || !(soughtBy[kind] as readonly string[]).includes(column)) {
    throw new TypeError(`rows of kind ${kind} are not looked for by ${column}`);
  }
  const text = property('found', image);
  return byDialect({
    sqlite: join([raw('json_extract('), text, raw(`, '$.${column}')`)], ''),
    postgres: join([raw('('), text, raw(`::json ->> '${column}')`)], ''),
  });
}
