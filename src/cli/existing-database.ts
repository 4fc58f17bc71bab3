/**
 * For commands that read a database, or change what is in it, and neither make one nor bring its tables up to date: a
 * mistyped path must not become a database, and one of an older version is the server's to change.
 */
import type { Settings } from '../settings.js';
import { inspectStore, locationOf, type Inspection } from '../store/index.js';
import { StartRefused } from './refusal.js';

/** Looks at a database whose tables are those of this program, beside whoever uses it. */
export async function withDatabase<T>(
  { databaseUrl }: Pick<Settings, 'databaseUrl'>,
  work: (inspection: Inspection) => Promise<T>,
): Promise<T> {
  const inspection = await inspectStore(databaseUrl).catch((error: unknown) => {
    throw new StartRefused(error instanceof Error ? error.message : String(error));
  });
  if (inspection === null || !inspection.begun) {
    await inspection?.close();
    const location = locationOf(databaseUrl);
    const place = location.database === 'sqlite' ? location.path : location.server;
    const what = inspection === null ? `there is no database at \`${place}\`` : `the database \`${place}\` is empty`;
    throw new StartRefused(
      `${what}; check BAILIWICK_DATABASE_URL, or start the server or run \`bailiwick init\` first`,
    );
  }
  try {
    const { pending, unknown } = inspection;
    if (unknown.length > 0) throw new StartRefused('the database was changed by a newer version; use that one');
    if (pending.length > 0) {
      throw new StartRefused(
        `the database is one of an older version (to be made: ${pending.join(', ')}); start the server of this one first`,
      );
    }
    return await work(inspection);
  } finally {
    await inspection.close();
  }
}
