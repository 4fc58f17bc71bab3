/** The PostgreSQL server that is asked for by name: the one that a URL leads to, or one of the packages', for this run. */
import { startPostgres } from '../../test/store/databases.js';

export interface Postgres {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** @param database `sqlite`, `postgres`, or the URL of a PostgreSQL server in which databases may be made */
export async function postgresFor(database: string): Promise<Postgres | null> {
  if (database === 'sqlite') return null;
  if (database !== 'postgres') return { url: database, stop: async () => undefined };
  const server = await startPostgres();
  return { url: server.urlOf('postgres'), stop: server.stop };
}
