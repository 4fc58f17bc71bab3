/** What becomes of commands when nobody reads what they print, or when it cannot be written. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { initialise } from '../../src/cli/operator.js';
import { readSettings } from '../../src/settings.js';
import { commandOf } from '../kit/shared.js';
import { emptyInstallation, folderOf, type Environment } from './installations.js';

let environment: Environment;
let files: string;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  environment = await emptyInstallation('sqlite');
  await initialise(readSettings(environment));
  files = join(folderOf(environment), 'people.yaml');
});

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** By a shell, which puts the command in the place of `"$@"`. */
function shell(line: string, command: readonly string[], more: Environment = {}): ChildProcess {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('BAILIWICK_') && name !== 'NODE_ENV');
  const child = spawn('bash', ['-c', line, 'bash', process.execPath, ...commandOf('cli/bailiwick.ts'), ...command], {
    env: { ...Object.fromEntries(others), ...environment, ...more },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.add(child);
  return child;
}

async function run(line: string, command: readonly string[]): Promise<{ status: number | null; stderr: string }> {
  const child = shell(line, command);
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const stderr = child.stderr === null ? '' : await text(child.stderr);
  return { status: await ended, stderr };
}

/** `true` has ended long before anything is printed. */
const nobodyReads = '"$@" | true; exit ${PIPESTATUS[0]}';
const nobodyHears = '"$@" 2>&1 | true; exit ${PIPESTATUS[0]}';
const full = '"$@" > /dev/full';

test.each(['audit export --account default', 'audit verify', 'doctor', 'account create another'])(
  '%s ends quietly without a reader, and says that a disk is full',
  async (command) => {
    expect(await run(nobodyReads, command.split(' '))).toEqual({ status: 141, stderr: '' });
    expect(await run(full, command.replace('another', 'third').split(' '))).toEqual({
      status: 74,
      stderr: 'bailiwick: standard output cannot be written: ENOSPC; what was printed is not all there\n',
    });
  },
);

test('what changes things goes on to its end', { timeout: 120_000 }, async () => {
  const people = (count: number) =>
    Array.from({ length: count }, (_, user) => `kind: User\nname: user-${user}\n`).join('---\n');
  await writeFile(files, people(700));
  expect(await run(nobodyReads, ['apply', files, '--account', 'default', '--yes', '--full'])).toEqual({
    status: 0,
    stderr: '',
  });
  const left = ['apply', files, '--account', 'default', '--dry-run', '--exit-code'];
  expect(await run('"$@"', left)).toEqual({ status: 0, stderr: '' });
  await writeFile(files, people(1_400));
  expect(await run(nobodyHears, ['apply', files, '--account', 'default', '--yes', '--full'])).toEqual({
    status: 0,
    stderr: '',
  });
  expect(await run('"$@"', left)).toEqual({ status: 0, stderr: '' });
  await writeFile(files, people(1_401));
  // That there is something to do is not lost for want of a reader.
  expect(await run(nobodyReads, left)).toEqual({ status: 3, stderr: '' });
  expect(await run(full, ['apply', files, '--account', 'default', '--yes', '--full'])).toEqual({
    status: 74,
    stderr: 'bailiwick: standard output cannot be written: ENOSPC; what was printed is not all there\n',
  });
  expect(await run('"$@"', left)).toEqual({ status: 0, stderr: '' });
  const backup = join(folderOf(environment), 'backup');
  expect(await run(nobodyReads, ['backup', backup])).toEqual({ status: 0, stderr: '' });
  expect((await readFile(backup)).length).toBeGreaterThan(1_000);
});

test.each(['exec "$@" > >(true)', 'exec "$@" > /dev/full', 'exec "$@" > >(true) 2> >(head -1 >&2)'])(
  'a server serves without a reader: %s',
  { timeout: 60_000 },
  async (line) => {
    const port = 20_000 + Math.floor(Math.random() * 20_000);
    const server = shell(line, ['serve'], { BAILIWICK_PORT: String(port) });
    const ended = new Promise<number | null>((resolve) => server.on('exit', resolve));
    let status: number | null = null;
    for (let attempt = 0; status === null && attempt < 100; attempt += 1) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      status = await fetch(`http://127.0.0.1:${port}/healthz`).then(
        (answer) => answer.status,
        () => null,
      );
    }
    expect(status).toBe(200);
    // What it printed when it listened has failed by now.
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    server.kill('SIGTERM');
    expect(await ended).toBe(0);
  },
);
