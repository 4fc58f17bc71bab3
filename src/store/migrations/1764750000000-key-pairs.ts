/** Public keys of SSH that users have registered. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { checkForeignKeys, choice, createTable, flag, integer, key, text, type TableNotation } from './notation.js';

const table: TableNotation = {
  name: 'key_pairs',
  columns: [
    key('user_id'),
    text('name'),
    key('name_key'),
    choice('algorithm', 'ED25519', 'ECDSA', 'RSA', 'ED25519_SK', 'ECDSA_SK'),
    text('public_key'),
    key('fingerprint'),
    flag('generated'),
    integer('created_at'),
  ],
  unique: [
    ['user_id', 'name_key'],
    ['user_id', 'fingerprint'],
  ],
  indexes: [
    ['user_id', 'created_at', 'id'],
    ['fingerprint', 'id'],
    ['created_at', 'id'],
  ],
  references: { user_id: 'users' },
};

export class KeyPairs1764750000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTable(runner, table);
    await checkForeignKeys(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable(table.name);
  }
}
