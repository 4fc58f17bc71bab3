/** The PostgreSQL server that is asked for by name: the one that a URL leads to, or one of the packages', for this run. */
import { InvalidArgumentError } from 'commander';
import { type Reading, text } from '../../test/kit/options.js';
import { startPostgres } from '../../test/store/databases.js';

export interface Postgres {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** The option that names it. */
export const databaseOption: Reading<string> = {
  ...text(
    '`sqlite`, `postgres` (a server of its own for this run), or the URL of a PostgreSQL server in which databases may be made',
    'sqlite',
  ),
  value: '<database>',
  read: (written) => {
    if (written === 'sqlite' || /^postgres(?:$|(?:ql)?:\/\/.)/.test(written)) return written;
    throw new InvalidArgumentError('Write sqlite, postgres, or a URL that begins with postgres://.');
  },
};

/** @param database `sqlite`, `postgres`, or the URL of a PostgreSQL server in which databases may be made */
export async function postgresFor(database: string): Promise<Postgres | null> {
  if (database === 'sqlite') return null;
  if (database !== 'postgres') return { url: database, stop: async () => undefined };
  const server = await startPostgres();
  return { url: server.urlOf('postgres'), stop: server.stop };
}
