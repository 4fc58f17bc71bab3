/** Events are found by the kind of their row, for whoever asks what was so at an earlier revision or instant. */
import { TableIndex, type MigrationInterface, type QueryRunner } from 'typeorm';
import { checkForeignKeys } from './notation.js';

const index = {
  name: 'ix_audit_events_target_kind_revision_at',
  columnNames: ['account_id', 'target_kind', 'revision', 'at'],
};

export class AdditiveTrailOfKinds1764810000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createIndex('audit_events', new TableIndex(index));
    await checkForeignKeys(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropIndex('audit_events', index.name);
  }
}
