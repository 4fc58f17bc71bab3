/** Whether a database is one that this program may use: not one that a newer program has changed already. */
import type { DataSource } from 'typeorm';
import { migrations } from './migrations/index.js';

export class NewerDatabaseError extends Error {
  constructor(migration: string) {
    super(
      `the database was changed by a newer version of bailiwick (migration ${migration}); start that version, or restore a backup from before`,
    );
    this.name = 'NewerDatabaseError';
  }
}

/** TypeORM ignores migrations that it does not know, and would go on with tables it does not understand. */
export async function refuseNewer(source: DataSource): Promise<void> {
  const runner = source.createQueryRunner();
  try {
    if (!(await runner.hasTable('migrations'))) return;
    const known = new Set<string>(migrations.map(({ name }) => name));
    const rows = (await runner.query('SELECT "name" FROM "migrations"')) as readonly { readonly name: string }[];
    const newer = rows.find(({ name }) => !known.has(name));
    if (newer !== undefined) throw new NewerDatabaseError(newer.name);
  } finally {
    await runner.release();
  }
}
