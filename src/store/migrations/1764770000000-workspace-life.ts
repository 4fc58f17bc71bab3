/** The switch that enables workspaces, why one could not be deleted, and where each user worked last. */
import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { checkForeignKeys, createTable, flag, integer, key, optional, text, type TableNotation } from './notation.js';

const table: TableNotation = {
  name: 'workspace_visits',
  columns: [key('user_id'), key('workspace_id'), integer('visited_at')],
  unique: [['user_id', 'workspace_id']],
  indexes: [
    ['user_id', 'visited_at', 'id'],
    ['workspace_id', 'id'],
  ],
  references: { user_id: 'users', workspace_id: 'workspaces' },
};

export class WorkspaceLife1764770000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTable(runner, table);
    // Accounts that are there could make workspaces.
    await addColumn(runner, 'accounts', 'workspaces_enabled', flag('workspaces_enabled'), 'TRUE');
    await addColumn(runner, 'workspaces', 'status_detail', text('status_detail'), "''");
    await checkForeignKeys(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn('workspaces', 'status_detail');
    await runner.dropColumn('accounts', 'workspaces_enabled');
    await runner.dropTable(table.name);
  }
}

async function addColumn(
  runner: QueryRunner,
  name: string,
  column: string,
  options: ReturnType<typeof flag>,
  value: string,
): Promise<void> {
  await runner.addColumn(name, new TableColumn(optional(options)));
  await runner.query(`UPDATE "${name}" SET "${column}" = ${value}`);
  await runner.changeColumn(name, new TableColumn(optional(options)), new TableColumn(options));
}
