/** What all processes on one database count together: bad signatures, failed sign-ins of an address. */
import { Table, type MigrationInterface, type QueryRunner } from 'typeorm';
import { checkForeignKeys, integer, key } from './notation.js';

const name = 'shared_tallies';

export class AdditiveSharedTallies1764830000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const isSqlite = runner.connection.options.type === 'sqlite';
    await runner.createTable(
      new Table({
        name,
        // Of no account: whoever fails may name a key that there is not.
        columns: [key('id'), integer('period'), integer('amount'), integer('changed_at')].map(
          ({ collation, ...column }) => ({
            ...column,
            isPrimary: column.name === 'id',
            ...(collation === undefined || isSqlite ? {} : { collation }),
          }),
        ),
        indices: [{ name: `ix_${name}_changed_at`, columnNames: ['changed_at'] }],
      }),
    );
    await checkForeignKeys(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable(name);
  }
}
