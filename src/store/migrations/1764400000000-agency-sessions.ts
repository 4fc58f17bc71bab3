/** Sessions of agencies, the workspace that an agency may be bound to, and who stands behind an agency in the trail. */
import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { checkForeignKeys, choice, createTable, integer, key, optional, text, type TableNotation } from './notation.js';

const table: TableNotation = {
  name: 'agency_sessions',
  columns: [
    key('agency_id'),
    choice('assumed_by_kind', 'SERVICE', 'USER'),
    key('assumed_by_id'),
    text('assumed_by_name'),
    key('assumed_by_account_id'),
    key('assumed_by_key_id'),
    key('assumed_by_session_id'),
    key('on_behalf_of_id'),
    key('resource_id'),
    key('workspace_id'),
    text('session_name'),
    optional(text('session_policy')),
    text('external_id_digest'),
    text('source_address'),
    integer('started_at'),
    integer('expires_at'),
  ],
  uniqueEverywhere: ['id'],
  indexes: [
    ['agency_id', 'id'],
    ['expires_at', 'id'],
  ],
};

export class AgencySessions1764400000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTable(runner, table);
    await runner.addColumn('audit_events', new TableColumn(optional(text('delegation'))));
    const isSqlite = runner.connection.options.type === 'sqlite';
    const { collation, ...column } = key('workspace_id');
    const compared = { ...column, ...(isSqlite ? {} : { collation }) };
    await runner.addColumn('agencies', new TableColumn(optional(compared)));
    // Agencies that are there were bound to no workspace.
    await runner.query(`UPDATE "agencies" SET "workspace_id" = ''`);
    await runner.changeColumn('agencies', new TableColumn(optional(compared)), new TableColumn(compared));
    await checkForeignKeys(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn('agencies', 'workspace_id');
    await runner.dropColumn('audit_events', 'delegation');
    await runner.dropTable(table.name);
  }
}
