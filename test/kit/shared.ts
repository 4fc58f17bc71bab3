import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

/** What whole-run.ts made for every file, as the processes of the tests are told of it: by their environment. */
export const programFolder = 'TEST_PROGRAM_FOLDER';
export const databaseDoor = 'TEST_DATABASE_DOOR';

const root = new URL('../../', import.meta.url);

/**
 * The arguments by which Node starts a file named from `src`: as it was translated for the whole run, or, when it is not
 * of the program or nothing was translated (outside Vitest), as it is written.
 */
export function commandOf(file: string): readonly string[] {
  const built = process.env[programFolder];
  if (built !== undefined && !file.startsWith('..')) return [`${built}/${file.replace(/\.ts$/, '.js')}`];
  return ['--import', new URL('node_modules/tsx/dist/loader.mjs', root).href, new URL(`src/${file}`, root).pathname];
}

/** What the door has, by path: URL of a database of the server, and what to make databases with tables from. */
export type Shared = 'postgres' | 'tables/sqlite' | 'tables/postgres';

/** Asks the door of the run; null outside Vitest. Not by `fetch`, which tests watch. */
export async function askShared(what: Shared): Promise<string | null> {
  const door = process.env[databaseDoor];
  if (door === undefined) return null;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${door}${what}`, { agent: false }, resolve).on('error', reject);
  });
  const said = await text(answer);
  if (answer.statusCode !== 200) throw new Error(said);
  return said;
}
