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

/** URL of a database of the server that all files share; null outside Vitest. */
export async function sharedPostgres(): Promise<string | null> {
  const door = process.env[databaseDoor];
  if (door === undefined) return null;
  const answer = await fetch(door);
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text;
}
