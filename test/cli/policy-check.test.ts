import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkPolicyFiles, printProblems } from '../../src/cli/policy-check.js';
import { runProgram } from '../kit/program.js';

interface Case {
  readonly sentence: string;
  /** Text of each file in the order they are named on the command line; null for one that is not there. */
  readonly files: Readonly<Record<string, string | null>>;
  readonly status: number;
  /** How each line of the output begins, after the folder. */
  readonly lines: readonly string[];
}

const cases = JSON.parse(readFileSync(new URL('policy-check.json', import.meta.url), 'utf8')) as readonly Case[];
const typo = '{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["modelarts:notebok:list"]}]}';
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bailiwick-check-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function write(files: Case['files']): Promise<readonly string[]> {
  return Promise.all(
    Object.entries(files).map(async ([name, text]) => {
      if (name === '-') return name;
      if (text === null) await rm(join(folder, name), { force: true });
      else await writeFile(join(folder, name), text);
      return join(folder, name);
    }),
  );
}

describe('policy check', () => {
  test.each(cases)('$sentence', async ({ files, status, lines }) => {
    const paths = await write(files);
    const problems = await checkPolicyFiles(paths, async () => Buffer.from(files['-'] ?? ''));
    const printed = printProblems(problems).replaceAll(`${folder}/`, '').split('\n').slice(0, -1);
    expect(printed).toHaveLength(lines.length);
    lines.forEach((line, index) => expect(printed[index]?.slice(0, line.length)).toBe(line));
    expect(problems.some(({ severity }) => severity === 'ERROR') ? 1 : 0).toBe(status);
  });

  test('What has no effect in a scope is said when the scope is told, and not otherwise.', async () => {
    const text = '{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["obs:bucket:HeadBucket"]}]}';
    const readInput = async (): Promise<Uint8Array> => Buffer.from(text);
    expect(await checkPolicyFiles(['-'], readInput)).toEqual([]);
    expect(await checkPolicyFiles(['-'], readInput, 'WORKSPACE')).toEqual([]);
    expect(printProblems(await checkPolicyFiles(['-'], readInput, 'ENTERPRISE_PROJECT'))).toBe(
      '<stdin>:1:59 NO_EFFECT_IN_SCOPE warning: `obs:bucket:HeadBucket` has no effect in this scope: what it names cannot be given through an enterprise project; grant it in another scope\n',
    );
  });

  test('A file that is not UTF-8 is refused rather than read with other characters in it.', async () => {
    const path = join(folder, 'latin.json');
    await writeFile(
      path,
      Buffer.concat([Buffer.from('{"Version":"1.1","x":"'), Buffer.from([0xe9]), Buffer.from('"}')]),
    );
    const problems = await checkPolicyFiles([path], async () => Buffer.alloc(0));
    expect(problems).toMatchObject([
      { code: 'UNREADABLE', message: 'the file is not UTF-8; save it in that encoding' },
    ]);
  });
});

describe('the program', () => {
  test('ends with status 1 on an error, with nothing on stderr and no database made', async () => {
    const ended = await runProgram('cli/bailiwick.ts', ['policy', 'check', '-'], { input: typo, cwd: folder });
    expect(ended).toMatchObject({ status: 1, stderr: '' });
    expect(ended.stdout).toContain('<stdin>:1:59 IAM.1036');
    await expect(access(join(folder, 'data'))).rejects.toThrow('ENOENT');
  });

  test('takes the scope that a policy is meant for', async () => {
    const input = '{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["iam:users:createUser"]}]}';
    const ended = await runProgram('cli/bailiwick.ts', ['policy', 'check', '--scope', 'workspace', '-'], { input });
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect(ended.stdout).toContain('NO_EFFECT_IN_SCOPE');
    const wrong = await runProgram('cli/bailiwick.ts', ['policy', 'check', '--scope', 'everywhere', '-'], { input });
    expect(wrong.status).not.toBe(0);
  });

  test('checks policies whatever the settings say', async () => {
    const input = '{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["modelarts:notebook:list"]}]}';
    const settings = { PORT: 'x', DATABASE_URL: 'nowhere' };
    const ended = await runProgram('cli/bailiwick.ts', ['policy', 'check', '-'], { input, settings });
    expect(ended).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });

  test('prints JSON for other programs', async () => {
    const ended = await runProgram('cli/bailiwick.ts', ['policy', 'check', '--json', '-'], { input: typo });
    expect(JSON.parse(ended.stdout)).toMatchObject([
      { file: '<stdin>', severity: 'ERROR', code: 'IAM.1036', line: 1, column: 59, pointer: '/Statement/0/Action/0' },
    ]);
    expect(ended.status).toBe(1);
  });

  test('fails on a warning only when that is asked for', async () => {
    const input = '{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["modelarts:trainJobVersion:create"]}]}';
    const check = (...options: string[]) =>
      runProgram('cli/bailiwick.ts', ['policy', 'check', ...options, '-'], { input });
    expect(await check()).toMatchObject({ status: 0, stdout: expect.stringContaining('LEGACY_ACTION') as string });
    expect(await check('--strict')).toMatchObject({ status: 1 });
  });

  test('says what it can do', async () => {
    const help = await runProgram('cli/bailiwick.ts', ['--help']);
    for (const command of ['serve', 'init', 'account', 'unlock', 'policy']) expect(help.stdout).toContain(command);
    expect((await runProgram('cli/bailiwick.ts', ['polcy'])).stderr).toContain('Did you mean policy?');
  });
});
