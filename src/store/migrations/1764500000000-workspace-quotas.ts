/** How many resources of a kind a workspace may hold. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { checkForeignKeys, createTable, integer, key, type TableNotation } from './notation.js';

const table: TableNotation = {
  name: 'workspace_quotas',
  columns: [key('workspace_id'), key('kind'), integer('quota'), integer('set_at')],
  unique: [['workspace_id', 'kind']],
  references: { workspace_id: 'workspaces' },
};

export class WorkspaceQuotas1764500000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTable(runner, table);
    await checkForeignKeys(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable(table.name);
  }
}
