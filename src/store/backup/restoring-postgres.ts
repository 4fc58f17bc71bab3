/** Into PostgreSQL: everything in one transaction, the tables included. */
import type { QueryRunner } from 'typeorm';
import { entitiesFor } from '../entities.js';
import { failureOf } from '../failures.js';
import { NewerDatabaseError } from '../generation.js';
import type { Location } from '../location.js';
import { migrations } from '../migrations/index.js';
import { migrationLock } from '../migrating-postgres.js';
import { refuseOtherEncodings } from '../postgres-store.js';
import { dataSource, restorersName, serversName, usualDatabaseLimits } from '../sources.js';
import { tellingWaits } from '../waits.js';
import { amendRestored } from './amending.js';
import type { OpenBackup } from './format.js';
import { fill, RestoreRefused, verifyRestored, type RestoringOptions } from './filling.js';
import { migrationsThere, queryOf, tablesThere, type Query } from './tables.js';

type Server = Location & { readonly database: 'postgres' };

export async function restorePostgres(target: Server, backup: OpenBackup, options: RestoringOptions): Promise<void> {
  const entities = entitiesFor('postgres');
  const limits = { ...usualDatabaseLimits, ...options.limits };
  const source = dataSource(target, 'RESTORER', entities, null, limits);
  try {
    await source.initialize();
  } catch (error) {
    const reason = failureOf(error).message;
    throw new RestoreRefused(`cannot open the PostgreSQL database ${target.server} (${reason})`);
  }
  const runner = source.createQueryRunner();
  try {
    await refuseOtherEncodings(source, target.server);
    await runner.connect();
    const query = queryOf(runner);
    await tellingWaits(source, runner, options.wait, async () => {
      // A server that starts meanwhile waits until everything is in place. Ends with the connection.
      await query(`SELECT pg_advisory_lock(${migrationLock})`);
      await runner.startTransaction();
      await clear(query, target, options);
      await fill(source, runner, 'postgres', backup, options, withoutReferences);
      await amendRestored(runner, 'postgres', entities, options);
      await verifyRestored(query, 'postgres', options);
      await runner.commitTransaction();
    });
  } finally {
    await end(runner);
    await source.destroy();
  }
}

/** The connection is not used again, so that a transaction that is still open ends with it. */
async function end(runner: QueryRunner): Promise<void> {
  if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
  await runner.query(`SELECT pg_advisory_unlock(${migrationLock})`).catch(() => undefined);
  await runner.release().catch(() => undefined);
}

/** Takes away the tables of a database that is empty, or is to be replaced. */
async function clear(query: Query, target: Server, options: RestoringOptions): Promise<void> {
  const known: readonly string[] = migrations.map(({ name }) => name);
  const newer = (await migrationsThere(query, 'postgres')).find((name) => !known.includes(name));
  if (newer !== undefined) throw new NewerDatabaseError(newer);
  const there = await tablesThere(query, 'postgres');
  if (there.length === 0) return;
  const names = there.map((name) => `"${name}"`).join(', ');
  // Before it waits for a lock too: everybody who comes after waits behind it, and those who serve must not.
  await expectUnused(query, target, there, options);
  // Whoever is writing finishes first, and nobody begins.
  await query(`LOCK TABLE ${names} IN ACCESS EXCLUSIVE MODE`);
  await expectUnused(query, target, there, options);
  await query(`DROP TABLE ${names}`);
}

async function expectUnused(
  query: Query,
  { server }: Server,
  there: readonly string[],
  { replace }: RestoringOptions,
): Promise<void> {
  if (there.includes('accounts') && !replace) {
    const [counted] = await query('SELECT COUNT(*) AS "rows" FROM "accounts"');
    if (Number(counted?.rows) > 0) {
      throw new RestoreRefused(
        `the database ${server} is in use (accounts: ${String(counted?.rows)}); name an empty one with BAILIWICK_DATABASE_URL, or replace it with --replace`,
      );
    }
  }
  // Within a transaction it would say for the second time what it said for the first.
  await query('SELECT pg_stat_clear_snapshot()');
  // A URL can give all connections another name; servers have the same one then.
  const [others] = await query(
    `SELECT COUNT(*) AS "count" FROM pg_stat_activity WHERE datname = current_database()
      AND application_name = COALESCE(NULLIF(current_setting('application_name'), '${restorersName}'), '${serversName}')
      AND pid <> pg_backend_pid()`,
  );
  if (Number(others?.count) > 0) {
    throw new RestoreRefused(
      `servers are connected to the database ${server}, and would go on answering from what they remember; stop all of them first`,
    );
  }
}

/** Rows stand in no order that references would bear; they are held against all of them at the end, table by table. */
async function withoutReferences(query: Query, load: () => Promise<void>): Promise<void> {
  const names = (await tablesThere(query, 'postgres')).map((name) => `'${name}'`).join(', ');
  const references = await query(
    `SELECT held.relname AS "table", rule.conname AS "name", pg_get_constraintdef(rule.oid) AS "definition"
      FROM pg_constraint rule JOIN pg_class held ON held.oid = rule.conrelid
      WHERE rule.contype = 'f' AND held.relnamespace = current_schema()::regnamespace AND held.relname IN (${names})
      ORDER BY 1, 2`,
  );
  for (const { table, name } of references) {
    await query(`ALTER TABLE "${String(table)}" DROP CONSTRAINT "${String(name)}"`);
  }
  await load();
  for (const { table, name, definition } of references) {
    await query(`ALTER TABLE "${String(table)}" ADD CONSTRAINT "${String(name)}" ${String(definition)}`);
  }
  await query(`ANALYZE ${(await tablesThere(query, 'postgres')).map((name) => `"${name}"`).join(', ')}`);
}
