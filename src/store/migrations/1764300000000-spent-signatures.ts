/** Signatures that have changed something, so that none changes anything twice. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { checkForeignKeys, createTable, integer, type TableNotation } from './notation.js';

const table: TableNotation = {
  name: 'spent_signatures',
  columns: [integer('expires_at')],
  indexes: [['expires_at', 'id']],
};

export class SpentSignatures1764300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTable(runner, table);
    await checkForeignKeys(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable(table.name);
  }
}
