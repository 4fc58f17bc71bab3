/** `bailiwick policy diff` as a process: what it says, in which form, and how it ends. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { diffPolicies, fails } from '../../src/cli/policy-diff.js';
import { runProgram } from '../kit/program.js';
import { commandOf } from '../kit/shared.js';

const run = promisify(execFile);
const TSX_TSCONFIG_PATH = new URL('../../tsconfig.json', import.meta.url).pathname;
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bailiwick-diff-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface WrittenStatement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: readonly string[];
  readonly Resource?: readonly string[];
}

const allow = (...Action: string[]): WrittenStatement => ({ Effect: 'Allow', Action });
const deny = (...Action: string[]): WrittenStatement => ({ Effect: 'Deny', Action });

/** As people write it: one statement in a line, from line 4 on. */
function documentOf(...statements: readonly WrittenStatement[]): string {
  const lines = statements.map((statement) => `    ${JSON.stringify(statement)}`).join(',\n');
  return `{\n  "Version": "1.1",\n  "Statement": [\n${lines}\n  ]\n}\n`;
}

async function write(name: string, ...statements: readonly WrittenStatement[]): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, documentOf(...statements));
  return name;
}

const diff = (...args: readonly string[]) =>
  runProgram('cli/bailiwick.ts', ['policy', 'diff', ...args], { cwd: folder });
const read = { Sid: 'Read', ...allow('modelarts:notebook:get', 'modelarts:notebook:list') };
const both = [read, { Sid: 'Delete', ...allow('modelarts:notebook:delete') }];

describe('policy diff of two files', () => {
  test('says what is gained, by which statement, and ends with status 1', async () => {
    const ended = await diff(await write('a.json', read), await write('b.json', ...both));
    expect(ended).toMatchObject({ status: 1, stderr: '' });
    expect(ended.stdout).toBe(
      [
        'b.json: WIDER: allows more than before',
        '  gains `modelarts:notebook:delete` on no resource in particular',
        '    before nothing allows it; now allowed by statement 1 `Delete` (b.json:5)',
        '',
      ].join('\n'),
    );
  });

  test('says what is lost and ends with status 0, unless any difference is to fail', async () => {
    const [before, after] = [await write('b.json', ...both), await write('a.json', read)];
    const ended = await diff(before, after);
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect(ended.stdout).toContain('a.json: NARROWER: allows less than before\n  loses `modelarts:notebook:delete`');
    expect(ended.stdout).toContain('before allowed by statement 1 `Delete` (b.json:5); now nothing allows it');
    expect(await diff(before, after, '--fail-on', 'any')).toMatchObject({ status: 1 });
  });

  test('takes the same said otherwise for the same', async () => {
    const split = [allow('modelarts:notebook:list'), allow('modelarts:notebook:get', 'modelarts:notebook:get')];
    const ended = await diff(await write('a.json', read), await write('split.json', ...split), '--fail-on', 'any');
    expect(ended).toMatchObject({ status: 0, stdout: 'split.json: EQUIVALENT: allows the same as before\n' });
  });

  test('a gain beside a loss fails; with `never` nothing does', async () => {
    const [before, after] = [await write('a.json', read), await write('c.json', allow('modelarts:notebook:delete'))];
    expect(await diff(before, after)).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('INCOMPARABLE') as string,
    });
    expect(await diff(before, after, '--fail-on', 'never')).toMatchObject({ status: 0 });
  });

  test('a Deny that goes is wider beside other policies, though not by itself', async () => {
    const before = await write('denies.json', read, { Sid: 'Never', ...deny('modelarts:pool:delete') });
    const after = await write('a.json', read);
    const ended = await diff(before, after);
    expect(ended.status).toBe(1);
    expect(ended.stdout).toContain(
      'WIDER: by itself it allows the same as before; beside other policies it allows more than before',
    );
    expect(ended.stdout).toContain(
      '  gains, where another policy allows it, `modelarts:pool:delete` on no resource in particular\n' +
        '    before denied by statement 1 `Never` (denies.json:5); now nothing allows it\n',
    );
    const alone = await diff(before, after, '--alone');
    expect(alone).toMatchObject({ status: 0, stdout: 'a.json: EQUIVALENT: allows the same as before\n' });
  });

  test('a Deny that comes is narrower, by itself or not', async () => {
    const ended = await diff(await write('a.json', read), await write('d.json', read, deny('modelarts:pool:delete')));
    expect(ended.status).toBe(0);
    expect(ended.stdout).toContain('d.json: NARROWER: by itself it allows the same as before; beside other');
    expect(ended.stdout).toContain('  loses, where another policy allows it, `modelarts:pool:delete`');
  });

  test('names of one action count as one', async () => {
    const { name } = platformCatalogue.rows.find(({ aliasOf }) => aliasOf === 'iam:agencies:assume') ?? { name: '' };
    const [before, after] = [
      await write('one.json', allow('iam:agencies:assume')),
      await write('other.json', allow(name)),
    ];
    expect(await diff(before, after, '--fail-on', 'any')).toMatchObject({ status: 0 });
  });

  test('reads one side from standard input, as git shows it', async () => {
    const path = await write('b.json', ...both);
    const input = documentOf(read);
    const ended = await runProgram('cli/bailiwick.ts', ['policy', 'diff', '-', path], { cwd: folder, input });
    expect(ended).toMatchObject({ status: 1, stdout: expect.stringMatching(/^b\.json: WIDER/) as string });
  });
});

describe('policy diff of folders', () => {
  test('compares files of one name, and those that stand on one side only with none', async () => {
    await write('old/same.json', read);
    await write('new/same.json', read);
    await write('old/deep/down.json', ...both);
    await write('new/deep/down.json', read);
    await write('old/gone.json', deny('modelarts:pool:delete'));
    await write('new/come.json', deny('modelarts:pool:delete'));
    await writeFile(join(folder, 'new/notes.md'), 'no policy');
    const ended = await diff('old', 'new');
    expect(ended.status).toBe(1);
    expect(ended.stdout.split('\n').filter((line) => line !== '' && !line.startsWith(' '))).toEqual([
      'come.json: NARROWER (added): by itself it allows the same as before; beside other policies it allows less than before',
      'deep/down.json: NARROWER: allows less than before',
      'gone.json: WIDER (removed): by itself it allows the same as before; beside other policies it allows more than before',
      'same.json: EQUIVALENT: allows the same as before',
    ]);
  });

  test('together, a statement that moves from one file to another changes nothing', async () => {
    await write('before/one.json', ...both);
    await write('after/one.json', read);
    await write('after/two.json', allow('modelarts:notebook:delete'));
    expect(await diff('before', 'after')).toMatchObject({ status: 1 });
    expect(await diff('before', 'after', '--together', '--fail-on', 'any')).toMatchObject({
      status: 0,
      stdout: '.: EQUIVALENT: allows the same as before\n',
    });
    expect(await diff('before/one.json', 'after', '--together', '--fail-on', 'any')).toMatchObject({ status: 0 });
  });

  test('git shows it what changed, file by file, with /dev/null for a file that was not there', async () => {
    const repository = join(folder, 'repository');
    await write('repository/policies/team.json', read);
    const git = (...args: readonly string[]) =>
      run('git', [...args], { cwd: repository, env: { ...process.env, TSX_TSCONFIG_PATH } });
    await git('init', '--quiet');
    await git('add', '.');
    const author = ['-c', 'user.name=somebody', '-c', 'user.email=somebody@example.com', '-c', 'commit.gpgsign=false'];
    await git(...author, 'commit', '--quiet', '--message', 'first');
    await write('repository/policies/team.json', ...both);
    await write('repository/policies/more.json', read);
    await git('add', '--intent-to-add', '.');
    const command = [process.execPath, ...commandOf('cli/bailiwick.ts'), 'policy', 'diff'];
    const shown = (path: string, ...options: readonly string[]) => {
      const extcmd = [...command, ...options].map((word) => `'${word}'`).join(' ');
      return git('difftool', '--no-prompt', '--trust-exit-code', '--extcmd', extcmd, 'HEAD', '--', path);
    };
    await expect(shown('policies/team.json')).rejects.toMatchObject({
      stdout: expect.stringContaining('policies/team.json: WIDER: allows more than before') as string,
    });
    const { stdout } = await shown('policies/more.json', '--fail-on', 'never');
    expect(stdout).toContain('policies/more.json: WIDER (added): allows more than before');
  });
});

describe('the forms of policy diff', () => {
  test('JSON has both verdicts, and of each request everything', async () => {
    const before = await write('denies.json', read, deny('modelarts:pool:delete'));
    const ended = await diff(before, await write('b.json', ...both), '--format', 'json');
    expect(ended.status).toBe(1);
    expect(JSON.parse(ended.stdout)).toMatchObject([
      {
        name: 'b.json',
        before: ['denies.json'],
        after: ['b.json'],
        verdict: 'WIDER',
        verdictBesideOthers: 'WIDER',
        gained: {
          action: 'modelarts:notebook:delete',
          before: { effect: 'DENY', reason: 'NO_MATCHING_ALLOW', statements: [] },
          after: { effect: 'ALLOW', statements: [{ file: 'b.json', index: 1, sid: 'Delete', line: 5 }] },
        },
        lost: null,
        lifted: { action: 'modelarts:pool:delete', before: { reason: 'EXPLICIT_DENY' }, after: { effect: 'DENY' } },
        imposed: null,
      },
    ]);
  });

  test('an annotation stands at the statement that is new, and no text ends it early', async () => {
    const widened = [read, { Sid: 'Delete', ...allow('modelarts:notebook:delete') }];
    const ended = await diff(await write('a.json', read), await write('x,y%.json', ...widened), '--format', 'github');
    expect(ended.stdout).toBe(
      '::error file=x%2Cy%25.json,line=5,title=WIDER%3A allows more than before::x,y%25.json allows more than before%0A' +
        'gains `modelarts:notebook:delete` on no resource in particular: before nothing allows it; now allowed by statement 1 `Delete` (x,y%25.json:5)\n',
    );
    expect((await diff('x,y%.json', 'a.json', '--format', 'github')).stdout).toMatch(/^::notice file=a\.json,title=/);
    expect((await diff('a.json', 'a.json', '--format', 'github')).stdout).toBe('');
  });

  test('Markdown is fit for a comment: the table first, and no name of a file is markup', async () => {
    await write('left/same.json', read);
    await write('right/same.json', read);
    await write('left/<b>|*.json', read);
    await write('right/<b>|*.json', ...both);
    const { stdout, status } = await diff('left', 'right', '--format', 'markdown');
    expect(status).toBe(1);
    expect(stdout.split('\n').slice(0, 5)).toEqual([
      '### 1 of 2 policies may allow more',
      '',
      '| Policy | It allows |',
      '| --- | --- |',
      '| &#60;b&#62;&#124;&#42;.json | ⚠️ **more** |',
    ]);
    expect(stdout).toContain('- gains `modelarts:notebook:delete` on no resource in particular<br>before nothing');
    expect(stdout).toContain('One policy allows the same as before.');
    expect(stdout).not.toContain('<b>');
    const same = await diff('left/same.json', 'right/same.json', '--format', 'markdown');
    expect(same.stdout).toBe('### Policies allow nothing more\n\nOne policy allows the same as before.\n');
  });
});

describe('what policy diff ends with status 2 on', () => {
  test.each([
    ['a missing argument', ['a.json'], "missing required argument 'after'"],
    ['an unknown option', ['a.json', 'a.json', '--loud'], "unknown option '--loud'"],
    ['an unknown form', ['a.json', 'a.json', '--format', 'yaml'], '--format takes text, json, github, markdown'],
    ['an unknown outcome', ['a.json', 'a.json', '--fail-on', 'x'], '--fail-on takes wider, any, never'],
    ['a file that is not there', ['a.json', 'nowhere.json'], 'there is no `nowhere.json`'],
    ['a file and a folder', ['a.json', '.'], 'compare a file with a file'],
    ['standard input twice', ['-', '-'], 'standard input can be one of the two sides'],
  ])('%s', async (_, args, message) => {
    await write('a.json', read);
    const ended = await diff(...args);
    expect(ended).toMatchObject({ status: 2, stdout: '' });
    expect(ended.stderr).toContain(message);
  });

  test('a document that cannot be read, with every problem at its place, whatever may fail', async () => {
    await write('a.json', read);
    await writeFile(join(folder, 'bad.json'), '{"Version":"1.1","Statement":[{"Effect":"Maybe"}]}');
    const ended = await diff('a.json', 'bad.json', '--fail-on', 'never');
    expect(ended).toMatchObject({ status: 2, stdout: '' });
    expect(ended.stderr).toMatch(/^bad\.json:1:\d+ BAD_EFFECT /m);
  });

  test('says what it can do', async () => {
    const help = await diff('--help');
    expect(help.status).toBe(0);
    for (const word of ['--fail-on', '--format', '--together', 'UNKNOWN', 'status 2'])
      expect(help.stdout).toContain(word);
  });
});

test('what cannot be decided counts as wider', async () => {
  await write('a.json', read);
  await write('b.json', ...both);
  const { differences } = await diffPolicies(
    join(folder, 'a.json'),
    join(folder, 'b.json'),
    { together: false, steps: 1 },
    async () => Buffer.alloc(0),
  );
  const verdicts = differences.map(({ change }) => change.verdictBesideOthers);
  expect(verdicts).toEqual(['UNKNOWN']);
  expect(fails(verdicts, 'wider')).toBe(true);
  expect(fails(verdicts, 'never')).toBe(false);
});
