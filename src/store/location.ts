/** Which database a URL names. No message repeats the URL: it may hold a password. */
import { resolve } from 'node:path';

export type Location =
  | { readonly database: 'sqlite'; readonly path: string }
  | { readonly database: 'postgres'; readonly url: string; readonly server: string };

const forms = 'write `sqlite:<path>` or `postgres://user:password@host:port/database`';

export function locationOf(url: string): Location {
  if (url.startsWith('sqlite:')) return { database: 'sqlite', path: sqlitePath(url.slice('sqlite:'.length)) };
  if (/^postgres(ql)?:\/\//.test(url)) return { database: 'postgres', url, server: postgresServer(url) };
  throw new Error(`the database URL names no database that is known; ${forms}`);
}

function sqlitePath(path: string): string {
  if (path === ':memory:') {
    throw new Error(
      '`sqlite::memory:` cannot be used: reads and writes have a connection each and could not share it; name a file',
    );
  }
  if (path === '' || path.includes('\u0000') || /^\/\/[^/]/.test(path)) {
    throw new Error('the database URL names no file; write `sqlite:<path>`, for instance `sqlite:data/bailiwick.db`');
  }
  return resolve(path);
}

function postgresServer(url: string): string {
  try {
    const { host, pathname } = new URL(url);
    if (pathname.length > 1) return `${host}${pathname}`;
  } catch {
    throw new Error(`the database URL cannot be read; ${forms}`);
  }
  throw new Error(`the database URL names no database; ${forms}`);
}
