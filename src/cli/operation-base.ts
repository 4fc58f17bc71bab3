/** Files as they were at a commit, for operations that are compared with what they were. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { isOperationFile, type SourceText } from './operation-files.js';
import { StartRefused } from './refusal.js';

const run = promisify(execFile);
const longestOutput = 64 * 1024 * 1024;

/** What stood in these files and folders then; files that were not there are left out. */
export async function readAtCommit(
  ref: string,
  names: readonly string[],
  folder: string,
): Promise<readonly SourceText[]> {
  if (ref.startsWith('-')) throw new StartRefused(`\`${ref}\` names no commit`);
  if (names.includes('-')) throw new StartRefused('standard input has no earlier version; name files, or use --before');
  const listed = await git(folder, ['ls-tree', '-r', '-z', '--name-only', ref, '--', ...names]);
  const files = listed.split('\0').filter((name) => name !== '' && (names.includes(name) || isOperationFile(name)));
  return Promise.all(
    files.map(async (name) => ({ name: `${ref}:${name}`, text: await git(folder, ['show', `${ref}:./${name}`]) })),
  );
}

async function git(cwd: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run('git', [...args], { cwd, maxBuffer: longestOutput });
    return stdout;
  } catch (error) {
    const said = (error as { readonly stderr?: unknown }).stderr;
    throw new StartRefused(
      `git cannot say what stood there: ${typeof said === 'string' ? said.trim() : String(error)}`,
    );
  }
}
