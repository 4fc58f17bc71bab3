/**
 * The audit events of each account form a chain. Events that are there already are chained as they are found, in the
 * order in which they were made: from here on nothing can happen to them unseen, and of what happened before nobody
 * can tell.
 */
import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { beginningOf, jsonAsWritten, linkAfter, type HashedMember, type Link } from '../../audit-chain/index.js';
import { checkForeignKeys, createTable, integer, optional, text, type TableNotation } from './notation.js';

const table: TableNotation = {
  name: 'audit_chains',
  columns: [integer('position'), text('hash'), integer('adopted')],
};
const columns = [integer('position'), text('hash')] as const;

/** Images of whole rows are in them. */
const atOnce = 500;

type Row = Readonly<Record<string, unknown>>;

export class AuditChains1764800000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTable(runner, table);
    await runner.addColumns(
      'audit_events',
      columns.map((column) => new TableColumn(optional(column))),
    );
    const accounts = (await runner.query(`SELECT "id" FROM "accounts"`)) as readonly { readonly id: string }[];
    for (const { id } of accounts) await chainEvents(runner, id);
    await runner.changeColumns(
      'audit_events',
      columns.map((column) => ({
        oldColumn: new TableColumn(optional(column)),
        newColumn: new TableColumn(column),
      })),
    );
    await checkForeignKeys(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumns('audit_events', ['position', 'hash']);
    await runner.dropTable(table.name);
  }
}

async function chainEvents(runner: QueryRunner, accountId: string): Promise<void> {
  let last = beginningOf(accountId);
  let after: readonly [revision: number, sequence: number] = [-1, -1];
  for (let found = atOnce; found === atOnce;) {
    const rows = await query(
      runner,
      `SELECT * FROM "audit_events" WHERE "account_id" = ? AND ("revision", "sequence") > (?, ?)
        ORDER BY "revision", "sequence" LIMIT ${atOnce}`,
      [accountId, ...after],
    );
    const links = rows.map((row) => {
      last = linkAfter(last, eventOf(row, last.position + 1));
      return { id: row.id, ...last };
    });
    if (links.length > 0) await writeLinks(runner, accountId, links);
    const end = rows.at(-1);
    if (end !== undefined) after = [Number(end.revision), Number(end.sequence)];
    found = rows.length;
  }
  const { position, hash } = last;
  await query(
    runner,
    `INSERT INTO "audit_chains" ("account_id", "id", "position", "hash", "adopted") VALUES (?, ?, ?, ?, ?)`,
    [accountId, accountId, position, hash, position],
  );
}

async function query(runner: QueryRunner, statement: string, parameters: unknown[]): Promise<readonly Row[]> {
  let number = 0;
  const text = isSqlite(runner) ? statement : statement.replaceAll('?', () => `$${(number += 1)}`);
  return (await runner.query(text, parameters)) as readonly Row[];
}

function isSqlite(runner: QueryRunner): boolean {
  return runner.connection.options.type === 'sqlite';
}

/** One statement for many rows. */
async function writeLinks(
  runner: QueryRunner,
  accountId: string,
  links: readonly (Link & { readonly id: unknown })[],
): Promise<void> {
  const statement = isSqlite(runner)
    ? `UPDATE "audit_events" SET "position" = given.value ->> 'position', "hash" = given.value ->> 'hash'
          FROM json_each(?) given WHERE "account_id" = ? AND "audit_events"."id" = given.value ->> 'id'`
    : `UPDATE "audit_events" SET "position" = given."position", "hash" = given."hash"
          FROM json_to_recordset(?::json) AS given("id" text, "position" bigint, "hash" text)
          WHERE "account_id" = ? AND "audit_events"."id" = given."id"`;
  await query(runner, statement, [JSON.stringify(links), accountId]);
}

/** As the columns were on the day of this migration. */
function eventOf(row: Row, position: number): Readonly<Record<HashedMember, unknown>> {
  return {
    accountId: row.account_id,
    id: row.id,
    position,
    revision: Number(row.revision),
    sequence: Number(row.sequence),
    at: Number(row.at),
    operation: row.operation,
    actorKind: row.actor_kind,
    actorId: row.actor_id,
    actorName: row.actor_name,
    delegation: jsonAsWritten(row.delegation),
    workspaceId: row.workspace_id,
    targetKind: row.target_kind,
    targetId: row.target_id,
    before: jsonAsWritten(row.before),
    after: jsonAsWritten(row.after),
    requestId: row.request_id,
  };
}
