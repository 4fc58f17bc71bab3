/**
 * Whether a database is one that this program may use: not one that a newer program has changed in a way that it cannot know. What was
 * only added to (src/store/migrations/index.ts) it may, so that replicas can be replaced one after another.
 */
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

/** Those of the migrations of a database that this program does not know and may not go on beside. */
export function forbiddingOf(names: readonly string[]): readonly string[] {
  const known = new Set<string>(migrations.map(({ name }) => name));
  return names.filter((name) => !known.has(name) && !name.startsWith('Additive'));
}

/** TypeORM ignores migrations that it does not know, and would go on with tables it does not understand. */
export async function refuseNewer(source: DataSource): Promise<void> {
  const runner = source.createQueryRunner();
  try {
    if (!(await runner.hasTable('migrations'))) return;
    const rows = (await runner.query('SELECT "name" FROM "migrations" ORDER BY "id"')) as readonly { name: string }[];
    const newer = forbiddingOf(rows.map(({ name }) => name));
    if (newer[0] !== undefined) throw new NewerDatabaseError(newer[0]);
  } finally {
    await runner.release();
  }
}
