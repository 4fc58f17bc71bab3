/** Settings of accounts, second factors, remembered passwords. An account that was there before has the defaults. */
import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { checkForeignKeys, createTable, integer, optional, text, type TableNotation } from './notation.js';

const tables: readonly TableNotation[] = [
  {
    name: 'account_settings',
    columns: [
      integer('failures_before_lock'),
      integer('counting_window_minutes'),
      integer('lock_minutes'),
      integer('session_minutes'),
      integer('idle_days'),
      integer('password_kinds'),
      integer('password_length'),
      integer('password_repeats'),
      integer('remembered_passwords'),
      integer('password_validity_days'),
      integer('password_minimum_age_minutes'),
      integer('version'),
      integer('created_at'),
      integer('updated_at'),
    ],
  },
  {
    name: 'second_factors',
    columns: [text('sealed_secret'), optional(integer('confirmed_at')), integer('last_counter'), integer('created_at')],
    references: { id: 'users' },
  },
  { name: 'stranger_attempts', columns: [integer('attempts'), integer('last_at')] },
];

export class AccountSettingsAndSecondFactors1764200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const table of tables) await createTable(runner, table);
    const active = new TableColumn(optional(integer('active_at')));
    const history = new TableColumn(optional(text('history')));
    await runner.addColumns('passwords', [active, history]);
    // Rows that are there need a value before the column can demand one.
    await runner.query(`UPDATE "passwords" SET "history" = '[]'`);
    await runner.changeColumn('passwords', history, new TableColumn(text('history')));
    await checkForeignKeys(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumns('passwords', ['active_at', 'history']);
    for (const { name } of [...tables].reverse()) await runner.dropTable(name);
  }
}
