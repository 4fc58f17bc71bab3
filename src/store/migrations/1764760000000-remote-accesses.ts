/** How notebooks are reached by SSH. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import {
  checkForeignKeys,
  choice,
  createTable,
  flag,
  integer,
  optional,
  text,
  type TableNotation,
} from './notation.js';

const table: TableNotation = {
  name: 'remote_accesses',
  columns: [
    flag('enabled'),
    text('key_pair_ids'),
    text('allowed_addresses'),
    flag('allow_any_address'),
    text('user_name'),
    text('host'),
    optional(integer('port')),
    optional(
      choice(
        'instance_state',
        'INIT',
        'CREATING',
        'STARTING',
        'STOPPING',
        'DELETING',
        'RUNNING',
        'STOPPED',
        'SNAPSHOTTING',
        'CREATE_FAILED',
        'START_FAILED',
        'DELETE_FAILED',
        'ERROR',
        'DELETED',
        'FROZEN',
      ),
    ),
    optional(integer('state_reported_at')),
    integer('version'),
    integer('created_at'),
    integer('updated_at'),
  ],
  references: { id: 'resources' },
};

export class RemoteAccesses1764760000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTable(runner, table);
    await checkForeignKeys(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable(table.name);
  }
}
