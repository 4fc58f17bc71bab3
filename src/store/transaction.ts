/**
 * The one write path: rows, their audit events and the account's revision change together or not at all.
 * What runs the transaction (when it begins, where, whether again) is each database's; what it does is here.
 */
import { beginningOf, linkAfter, placeOf, type Link } from '../audit-chain/index.js';
import {
  changesAccess,
  fold,
  secretColumns,
  unauditedColumns,
  unauditedKinds,
  type AccessReader,
  type AuditEvent,
  type Change,
  type ChangeOrigin,
  type Commit,
  type Committed,
  type Id,
  type Instant,
  type JsonImage,
  type Kind,
  type Reader,
  type Records,
  type SweptKind,
  type Transaction,
  type Verdict,
} from '../iam/index.js';
import { StoreAccessReader } from './access.js';
import type { TransactionConnection } from './connection.js';
import type { Entities } from './entities.js';
import { isLost } from './failures.js';
import { CommitLost, type Evidence } from './lost-commits.js';
import { ScopedReader } from './reader.js';
import { columnsOf, property, recordOf, rowOf, selected, shadows, wholeRowOf, type Raw } from './rows.js';
import { all, among, sql, table, type Sql } from './sql.js';
import { tables } from './tables.js';

/** How many rows one INSERT takes: SQLite allows 32,766 parameters, and an audit event has the most columns. */
const rowsAtOnce = 500;

/** Columns that no change may name: the store keeps them itself. */
const keptColumns: ReadonlySet<string> = new Set([
  'id',
  'accountId',
  'version',
  'createdAt',
  'updatedAt',
  'revision',
  'accessRevision',
]);

interface Written {
  readonly kind: Kind;
  readonly id: Id;
  readonly before: JsonImage | null;
  readonly after: JsonImage | null;
}

export interface Surroundings {
  readonly entities: Entities;
  readonly now: () => Instant;
  /** How long the work may take: it keeps every other writer waiting. */
  readonly longest: number;
}

/** Runs the work on a connection on which nothing has begun; `begin` are the statements that open the transaction. */
export async function transact<T>(
  connection: TransactionConnection,
  begin: (connection: TransactionConnection) => Promise<void>,
  origin: ChangeOrigin,
  work: (transaction: Transaction) => Promise<Verdict<T>>,
  surroundings: Surroundings,
): Promise<Committed<T> & { readonly commit: Commit | null }> {
  try {
    await begin(connection);
    const transaction = new OpenTransaction(connection, origin, surroundings);
    const verdict = await inTime(work(transaction), surroundings.longest, origin.operation);
    await connection.settle();
    if (!verdict.commit || !transaction.hasWritten) {
      await connection.rollBack();
      return { value: verdict.value, revision: null, commit: null };
    }
    const commit = await connection.resume(() => transaction.conclude());
    try {
      await connection.control('COMMIT');
    } catch (error) {
      if (!isLost(error) || !(error instanceof Error)) throw error;
      throw new CommitLost(verdict.value, commit, transaction.evidence, error);
    }
    return { value: verdict.value, revision: commit.revision, commit };
  } catch (error) {
    await connection.settle();
    await connection.rollBack();
    throw error;
  }
}

async function inTime<T>(work: Promise<T>, longest: number, operation: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    const message = `${operation} held its transaction for more than ${longest} ms and was rolled back; do slow work before it`;
    timer = setTimeout(() => reject(new Error(message)), longest);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

class OpenTransaction implements Transaction {
  readonly reader: Reader;
  readonly access: AccessReader;
  hasWritten = false;
  /** By what it is known later whether this was committed. */
  evidence: Evidence | null = null;
  private touchesAccess = false;
  private readonly written: Written[] = [];

  constructor(
    private readonly connection: TransactionConnection,
    readonly origin: ChangeOrigin,
    private readonly surroundings: Surroundings,
  ) {
    const { accountId, workspaceId } = origin;
    this.reader = new ScopedReader(connection, { accountId, workspaceId }, surroundings.now);
    this.access = new StoreAccessReader(connection);
  }

  async insert<K extends Kind>(kind: K, record: Records[K]): Promise<void> {
    await this.insertAll(kind, [record]);
  }

  async insertAll<K extends Kind>(kind: K, records: readonly Records[K][]): Promise<void> {
    refuseTrail(kind);
    const rows = records.map((record) => this.ownRow(kind, record));
    for (const some of portions(rows)) {
      await this.connection.write(kind, (manager) => manager.insert(this.surroundings.entities[kind], some));
    }
    for (const record of records) this.note(kind, 'insert', record.id, null, record, []);
  }

  async update<K extends Kind>(kind: K, id: Id, change: Change<Records[K]>): Promise<Records[K]> {
    refuseTrail(kind);
    const before = await this.existing(kind, id);
    const wanted = rowOf(kind, asRaw(change));
    const kept = Object.keys(wanted).find((name) => keptColumns.has(name));
    if (kept !== undefined) throw new Error(`${kind}.${kept} is kept by the store; leave it out of the change`);
    if ('version' in before) wanted.version = before.version + 1;
    if ('updatedAt' in before) wanted.updatedAt = this.origin.at;
    if (Object.keys(wanted).length === 0) return before;
    const changed = Object.fromEntries(Object.entries(wanted).filter(([name]) => !shadows.includes(name)));
    const after = { ...before, ...changed } as Records[K];
    await this.connection.write(kind, (manager) =>
      manager.update(this.surroundings.entities[kind], this.identity(kind, id), wanted),
    );
    const columns = Object.keys(changed).filter((name) => !isSame(asRaw(before)[name], asRaw(after)[name]));
    this.note(kind, 'update', id, before, after, columns);
    return after;
  }

  async remove<K extends Kind>(kind: K, id: Id): Promise<void> {
    refuseTrail(kind);
    const before = await this.existing(kind, id);
    await this.connection.write(kind, (manager) =>
      manager.delete(this.surroundings.entities[kind], this.identity(kind, id)),
    );
    this.note(kind, 'remove', id, before, null, []);
  }

  async sweep(
    kind: SweptKind,
    before: Instant,
    most: number,
    except: Id = '',
  ): Promise<{ readonly count: number; readonly until: Instant | null }> {
    const rows = await this.connection.rows(
      sql`SELECT found."id" AS "id", ${property('found', 'expiresAt')} AS "until" FROM ${table(tables[kind].name)} found
        WHERE ${this.ofAccount(kind)} AND ${property('found', 'expiresAt')} <= ${before} AND found."id" <> ${except}
        ORDER BY ${property('found', 'expiresAt')}, found."id" LIMIT ${most}`,
    );
    const last = rows.at(-1);
    if (last === undefined) return { count: 0, until: null };
    const identities = rows.map(({ id }) => this.identity(kind, String(id)));
    await this.connection.write(kind, (manager) => manager.delete(this.surroundings.entities[kind], identities));
    this.hasWritten = true;
    return { count: rows.length, until: Number(last.until) };
  }

  async idsWhere<K extends Kind>(kind: K, equal: Partial<Records[K]>): Promise<readonly Id[]> {
    const columns = columnsOf(kind);
    const conditions = Object.entries(equal).map(([name, value]): Sql => {
      const column = columns[name];
      // INVARIANT: a condition that cannot be set must never be left out, or a cascade would reach every row.
      if (column === undefined) throw new TypeError(`a ${kind} has no column \`${name}\` to look for`);
      if (value === undefined) throw new TypeError(`no value of ${kind}.${name} was given to look for`);
      if (value === null) return sql`${property('found', name)} IS NULL`;
      return sql`${property('found', name)} = ${column.transformer.to(value) as string | number | boolean}`;
    });
    const rows = await this.connection.rows(
      sql`SELECT found."id" AS "id" FROM ${table(tables[kind].name)} found
        WHERE ${all([this.ofAccount(kind), ...conditions])} ORDER BY found."id"`,
    );
    return rows.map((row) => String(row.id));
  }

  async idOfName(kind: Parameters<Transaction['idOfName']>[0], name: string): Promise<Id | null> {
    const [row] = await this.connection.rows(
      sql`SELECT found."id" AS "id" FROM ${table(tables[kind].name)} found
        WHERE ${this.ofAccount(kind)} AND found."name_key" = ${fold(name)}`,
    );
    return row === undefined ? null : String(row.id);
  }

  async get<K extends Kind>(kind: K, id: Id): Promise<Records[K] | null> {
    const [row] = await this.connection.rows(
      sql`SELECT ${selected(kind, 'found')} FROM ${table(tables[kind].name)} found
        WHERE ${this.ofAccount(kind)} AND found."id" = ${id}`,
    );
    return row === undefined ? null : recordOf(kind, row);
  }

  async getAll<K extends Kind>(kind: K, ids: readonly Id[]): Promise<ReadonlyMap<Id, Records[K]>> {
    if (ids.length === 0) return new Map();
    const rows = await this.connection.rows(
      sql`SELECT ${selected(kind, 'found')} FROM ${table(tables[kind].name)} found
        WHERE ${this.ofAccount(kind)} AND ${among(sql`found."id"`, ids)}`,
    );
    return new Map(rows.map((row) => [String(row.id), recordOf(kind, row)]));
  }

  async groupsOf(userIds: readonly Id[]): Promise<ReadonlyMap<Id, ReadonlySet<Id>>> {
    const groups = new Map<Id, Set<Id>>(userIds.map((id) => [id, new Set()]));
    if (groups.size === 0) return groups;
    const rows = await this.connection.rows(
      sql`SELECT found."user_id" AS "userId", found."group_id" AS "groupId" FROM ${table(tables.membership.name)} found
        WHERE ${this.ofAccount('membership')} AND ${among(sql`found."user_id"`, userIds)}`,
    );
    for (const { userId, groupId } of rows) groups.get(String(userId))?.add(String(groupId));
    return groups;
  }

  async takenNames(kind: 'user', names: readonly string[]): Promise<ReadonlySet<string>> {
    if (names.length === 0) return new Set();
    const rows = await this.connection.rows(
      sql`SELECT found."name_key" AS "key" FROM ${table(tables[kind].name)} found
        WHERE ${this.ofAccount(kind)} AND ${among(sql`found."name_key"`, names.map(fold))}`,
    );
    const taken = new Set(rows.map(({ key }) => String(key)));
    return new Set(names.filter((name) => taken.has(fold(name))));
  }

  /**
   * Writes the audit events, where their chain ends, and then raises the revision: the last statement before COMMIT.
   * Writers of an account follow one another, so nobody chains to the same end.
   */
  async conclude(): Promise<Commit> {
    const { accountId } = this.origin;
    const [found] = await this.connection.rows(
      sql`SELECT account."revision" AS "revision", account."access_revision" AS "accessRevision",
          chain."position" AS "position", chain."hash" AS "hash"
        FROM "accounts" account LEFT JOIN "audit_chains" chain ON chain."account_id" = account."id"
        WHERE account."id" = ${accountId}`,
    );
    if (found === undefined) throw new Error(`there is no account ${accountId} to write for`);
    const revision = Number(found.revision) + 1;
    const moved = await this.writeTrail(revision, found.hash === null ? null : placeOf(found));
    const accessRevision = Number(found.accessRevision) + (this.touchesAccess ? 1 : 0);
    // Each transaction ends with this: as plain statements, and as one where one can be, so that the chain costs hardly anything.
    const raising = sql`UPDATE "accounts" SET "revision" = ${revision}, "access_revision" = ${accessRevision}
      WHERE "id" = ${accountId}`;
    if (moved !== null && this.connection.dialect === 'postgres') {
      await this.connection.rows(sql`WITH moved AS (${moved}) ${raising}`);
    } else {
      if (moved !== null) await this.connection.rows(moved);
      await this.connection.rows(raising);
    }
    return { accountId, revision, accessRevision };
  }

  /**
   * @param end where the chain ends; null for an account that has none yet
   * @returns the statement that says where it ends from now on, unless that is said already
   */
  private async writeTrail(revision: number, end: Link | null): Promise<Sql | null> {
    if (this.written.length === 0) return null;
    const { accountId } = this.origin;
    const { auditEvent, auditChain } = this.surroundings.entities;
    let last = end ?? beginningOf(accountId);
    const events = this.written.map((written, sequence) => {
      const event = { ...this.eventOf(written, revision, sequence), position: last.position + 1 };
      last = linkAfter(last, event);
      this.evidence ??= { eventId: event.id, hash: last.hash };
      return rowOf('auditEvent', asRaw({ ...event, hash: last.hash }));
    });
    for (const some of portions(events)) {
      await this.connection.write('auditEvent', (manager) => manager.insert(auditEvent, some));
    }
    const { position, hash } = last;
    if (end === null) {
      const chain = { ...this.identity('auditChain', accountId), position, hash, adopted: 0 };
      await this.connection.write('auditChain', (manager) => manager.insert(auditChain, chain));
      return null;
    }
    return sql`UPDATE "audit_chains" SET "position" = ${position}, "hash" = ${hash} WHERE "account_id" = ${accountId}`;
  }

  private note<K extends Kind>(
    kind: K,
    write: 'insert' | 'update' | 'remove',
    id: Id,
    before: Records[K] | null,
    after: Records[K] | null,
    columns: readonly string[],
  ): void {
    this.hasWritten = true;
    this.touchesAccess ||= changesAccess(kind, write, columns);
    if (unauditedKinds.has(kind) || (write === 'update' && isCounting(kind, columns))) return;
    this.written.push({ kind, id, before: imageOf(kind, before), after: imageOf(kind, after) });
  }

  private eventOf(
    { kind, id, before, after }: Written,
    revision: number,
    sequence: number,
  ): Omit<AuditEvent, 'position' | 'hash'> {
    const { origin } = this;
    return {
      // Ordered by revision and then by id, events of one transaction come in the order in which they were made.
      id: `${revision}.${String(sequence).padStart(6, '0')}`,
      accountId: origin.accountId,
      revision,
      sequence,
      at: origin.at,
      operation: origin.operation,
      actorKind: origin.actorKind,
      actorId: origin.actorId,
      actorName: origin.actorName,
      delegation: origin.delegation ?? null,
      workspaceId: origin.workspaceId ?? '',
      targetKind: kind,
      targetId: id,
      before,
      after,
      requestId: origin.requestId,
    };
  }

  private async existing<K extends Kind>(kind: K, id: Id): Promise<Records[K]> {
    const record = await this.get(kind, id);
    if (record === null) throw new Error(`there is no ${kind} ${id} in account ${this.origin.accountId}`);
    return record;
  }

  private ownRow<K extends Kind>(kind: K, record: Records[K]): Record<string, unknown> {
    const row = wholeRowOf(kind, asRaw(record));
    const owner = kind === 'account' ? record.id : row.accountId;
    if (owner !== this.origin.accountId) {
      throw new Error(`a transaction of account ${this.origin.accountId} cannot write a ${kind} of another account`);
    }
    return row;
  }

  private ofAccount(kind: Kind): Sql {
    return sql`${property('found', kind === 'account' ? 'id' : 'accountId')} = ${this.origin.accountId}`;
  }

  private identity(kind: Kind, id: Id): Record<string, string> {
    return kind === 'account' ? { id } : { accountId: this.origin.accountId, id };
  }
}

/** The audit trail is written by transactions themselves and never rewritten. */
function refuseTrail(kind: Kind): void {
  if (kind === 'auditEvent' || kind === 'auditChain') throw new Error('audit events are written by the store alone');
}

function portions<T>(rows: readonly T[]): readonly T[][] {
  const count = Math.ceil(rows.length / rowsAtOnce);
  return Array.from({ length: count }, (_, index) => rows.slice(index * rowsAtOnce, (index + 1) * rowsAtOnce));
}

/** Whether only counters moved; nothing at all counts as that too. */
function isCounting(kind: Kind, columns: readonly string[]): boolean {
  const counters = unauditedColumns[kind];
  return counters !== undefined && columns.every((name) => counters.includes(name));
}

function imageOf<K extends Kind>(kind: K, record: Records[K] | null): JsonImage | null {
  if (record === null) return null;
  const secret: readonly string[] = secretColumns[kind] ?? [];
  return Object.fromEntries(Object.entries(asRaw(record)).filter(([name]) => !secret.includes(name)));
}

function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

function asRaw(values: object): Raw {
  return values as Raw;
}
