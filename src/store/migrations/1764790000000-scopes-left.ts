/** Which scopes a session was switched away from. */
import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { checkForeignKeys, optional, text } from './notation.js';

export class ScopesLeft1764790000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const column = text('scopes_left');
    await runner.addColumn('sessions', new TableColumn(optional(column)));
    await runner.query(`UPDATE "sessions" SET "scopes_left" = '[]'`);
    await runner.changeColumn('sessions', new TableColumn(optional(column)), new TableColumn(column));
    await checkForeignKeys(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn('sessions', 'scopes_left');
  }
}
