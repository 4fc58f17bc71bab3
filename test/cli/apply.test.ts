/**
 * `bailiwick apply` and `bailiwick export`: what they print, how they end, and what a kill leaves behind. As processes where
 * the command line itself is asked, and within this one where it would only be started once more.
 */
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import pg from 'pg';
import sqlite3 from 'sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportMark } from '../../src/apply/index.js';
import { apply, exportTo, type ApplyOptions } from '../../src/cli/apply.js';
import { initialise } from '../../src/cli/operator.js';
import { StartRefused } from '../../src/cli/refusal.js';
import { readSettings, type Settings } from '../../src/settings.js';
import { runProgram, startProgram, type Ended } from '../kit/program.js';
import { databases } from '../store/databases.js';

const sources = databases();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bailiwick-apply-cli-'));
});
afterAll(async () => {
  await sources.sqlite.stop();
  await sources.postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

let places = 0;

async function newFolder(files: Readonly<Record<string, string>> = {}): Promise<string> {
  places += 1;
  const path = join(folder, String(places));
  await mkdir(path);
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return path;
}

interface Installation {
  /** As `BAILIWICK_` settings, for processes. */
  readonly given: Readonly<Record<string, string>>;
  readonly settings: Settings;
}

async function installation(database: 'sqlite' | 'postgres'): Promise<Installation> {
  const given = {
    DATABASE_URL: await sources[database].readyUrl(),
    SECRET_KEY_FILE: join(await newFolder(), 'secret.key'),
  };
  const settings = readSettings(
    Object.fromEntries(Object.entries(given).map(([name, value]) => [`BAILIWICK_${name}`, value])),
  );
  expect(await initialise(settings)).toContain('made account `default`');
  return { given, settings };
}

/** The command as a process. */
function bailiwick({ given }: Installation, ...args: readonly string[]): Promise<Ended> {
  return runProgram('cli/bailiwick.ts', args, { settings: given });
}

type Said = Pick<Ended, 'status' | 'stdout' | 'stderr'>;

const [ctrlC, ctrlD] = ['\u0003', '\u0004'];

/** What the command does once its arguments are read. Without an answer nobody sits at the terminal. */
async function applied(
  { settings }: Pick<Installation, 'settings'>,
  path: string,
  options: ApplyOptions = {},
  answer: string | null = null,
): Promise<Said> {
  const input = Object.assign(new PassThrough(), { isTTY: answer !== null });
  const [output, errors] = [new PassThrough(), Object.assign(new PassThrough(), { isTTY: answer === ctrlC })];
  if (answer === ctrlD) input.end();
  else input.write(answer === ctrlC ? ctrlC : `${answer ?? ''}\n`);
  const status = await apply(settings, path, options, { input, output, errors, isStopped: () => false });
  return { status, stdout: textIn(output), stderr: textIn(errors) };
}

async function exported(
  { settings }: Pick<Installation, 'settings'>,
  folder: string,
  account?: string,
): Promise<Omit<Said, 'status'>> {
  const [output, errors] = [new PassThrough(), new PassThrough()];
  await exportTo(settings, folder, account === undefined ? {} : { account }, { output, errors });
  return { stdout: textIn(output), stderr: textIn(errors) };
}

/** What every file below a folder holds. */
async function contentOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) found.set(path, await readFile(path, 'utf8'));
  }
  return found;
}

/** What a command says that refuses; the test fails where it does not. */
async function refusalOf(work: Promise<unknown>): Promise<string> {
  const refused: unknown = await work.catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(StartRefused);
  return (refused as StartRefused).message;
}

/** The rows that a statement answers, past the program. */
async function rowsOf({ given }: Installation, statement: string): Promise<readonly unknown[]> {
  const { DATABASE_URL: url = '' } = given;
  if (url.startsWith('postgres')) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return (await client.query<object>(statement).finally(() => client.end())).rows;
  }
  const file = new sqlite3.Database(url.replace('sqlite:', ''));
  const rows = await new Promise<unknown[]>((resolve, reject) =>
    file.all(statement, (error, found) => (error ? reject(error) : resolve(found))),
  );
  await new Promise((resolve) => file.close(resolve));
  return rows;
}

function textIn(stream: PassThrough): string {
  return String(stream.read() ?? '');
}

const small = 'kind: Group\nname: team\n---\nkind: User\nname: erin\ngroups: [team]\n';

test(
  'the plan is shown, nothing is done unasked, and the same files do nothing twice',
  { timeout: 120_000 },
  async () => {
    const place = await installation('sqlite');
    const files = await newFolder({ 'people.yaml': small });
    const plan = [
      `+ Group \`team\`  (${files}/people.yaml:1)`,
      `+ User \`erin\`  (${files}/people.yaml:4)`,
      '    groups: + "team"',
      'plan: 2 to create, 0 to change, 0 to delete, 0 as they are',
      '',
    ].join('\n');
    expect(await applied(place, files, { dryRun: true })).toEqual({ status: 0, stdout: plan, stderr: '' });
    expect(await bailiwick(place, 'apply', files, '--dry-run', '--exit-code')).toMatchObject({
      status: 3,
      stdout: plan,
      stderr: '',
    });
    expect(await bailiwick(place, 'apply', files)).toMatchObject({
      status: 1,
      stdout: plan,
      stderr: 'nothing was changed; `--yes` applies without being asked\n',
    });
    expect(await applied(place, files, { yes: true })).toEqual({
      status: 0,
      stdout: `${plan}applied: 2 steps\n`,
      stderr: '',
    });
    expect(await applied(place, files, { dryRun: true, exitCode: true })).toMatchObject({
      status: 0,
      stdout: 'plan: 0 to create, 0 to change, 0 to delete, 2 as they are\n',
    });
    await writeFile(join(files, 'people.yaml'), small.replace('erin', 'frank'));
    const pruned = await bailiwick(place, 'apply', files, '--yes', '--json', '--prune', 'User');
    expect(pruned.status).toBe(0);
    expect(JSON.parse(pruned.stdout)).toMatchObject({
      problems: [],
      changes: [
        { verb: 'CREATE', kind: 'User', name: 'frank', file: join(files, 'people.yaml'), line: 4 },
        { verb: 'DELETE', kind: 'User', name: 'erin', file: null, line: null },
      ],
      kept: 1,
      applied: { done: 2, total: 2, failure: null },
    });
  },
);

test('what is refused is told with its place, and nothing is done', { timeout: 120_000 }, async () => {
  const place = await installation('sqlite');
  const files = await newFolder({ 'a.yaml': `${small}---\nkind: User\nnames: x\n`, 'b.json': '{"kind": "Nothing"}' });
  const read = await bailiwick(place, 'apply', files, '--yes');
  expect(read).toMatchObject({ status: 2, stdout: '' });
  expect(read.stderr.split('\n')).toEqual([
    `${files}/a.yaml:8:1 a User needs the field \`name\``,
    `${files}/a.yaml:9:1 a User has no field \`names\`; there are \`kind\`, \`name\`, \`description\`, \`enabled\`, \`groups\`, \`defaultModelArtsAccess\``,
    `${files}/b.json:1:10 \`kind\` must be \`EnterpriseProject\` or \`Policy\` or \`Group\` or \`User\` or \`Workspace\` or \`Grant\``,
    'nothing was changed',
    '',
  ]);
  const planned = await newFolder({ 'a.yaml': 'kind: User\nname: erin\ngroups:\n  - nowhere\n' });
  const problem = {
    file: join(planned, 'a.yaml'),
    line: 3,
    message: 'there is no group `nowhere`, here or in the files',
  };
  const json = await applied(place, planned, { yes: true, json: true });
  expect([json.status, JSON.parse(json.stdout)]).toMatchObject([2, { problems: [problem], applied: null }]);
  const correct = await newFolder({ 'a.yaml': small });
  const pruning = /^`--prune` takes Grant, .* by `deleteWorkspace`$/;
  const refusals: readonly (readonly [path: string, options: ApplyOptions, message: RegExp])[] = [
    [planned, { prune: 'Workspace' }, pruning],
    [join(planned, 'none'), {}, /^`.*none` cannot be read: ENOENT$/],
    [await newFolder({ 'README.md': '' }), {}, /^there is no document in /],
    [correct, { exitCode: true }, /^--exit-code says what a plan holds; give --dry-run with it$/],
    [correct, { account: 'other' }, /^there is no account `other`; there are `default`$/],
    [correct, { as: 'nobody' }, /^there is no enabled user `nobody` in account `default`$/],
  ];
  for (const [path, options, message] of refusals) {
    expect(await refusalOf(applied(place, path, options))).toMatch(message);
  }
  for (const args of [['apply'], ['apply', 'a', 'b'], ['apply', 'a', '--nonsense'], ['export'], ['nonsense']]) {
    const { status, stdout, stderr } = await bailiwick(place, ...args);
    expect([args, status, stdout]).toEqual([args, 2, '']);
    expect(stderr).toMatch(/^error: /);
  }
  const ended = await bailiwick(place, 'apply', correct, '--account', 'other');
  expect(ended).toMatchObject({
    status: 2,
    stdout: '',
    stderr: 'bailiwick: there is no account `other`; there are `default`\n',
  });
});

test('nothing in names, values and names of files reaches the terminal raw', { timeout: 60_000 }, async () => {
  const place = await installation('sqlite');
  const odd = '\u001b[2J\u009b1m\u007f\u202e\u2066\u2028';
  const shown = '\\u001b[2J\\u009b1m\\u007f\\u202e\\u2066\\u2028';
  const raw = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;
  const unknown = await newFolder({ [`a${odd}\n.json`]: JSON.stringify({ kind: 'Group', name: 'g', [odd]: 1 }) });
  const refused = await applied(place, unknown);
  expect(refused.stderr).not.toMatch(raw);
  expect(refused.stderr).toContain(`/a${shown}\\u000a.json:1:`);
  expect(refused.stderr).toContain(`a Group has no field \`${shown}\``);
  expect(refused.stderr.split('\n')).toHaveLength(3);
  const known = await newFolder({
    [`a${odd}.json`]: JSON.stringify({ kind: 'Group', name: 'g', description: 'x\u009by\u202e' }),
  });
  const planned = await applied(place, known, { dryRun: true });
  expect([planned.status, planned.stdout]).toEqual([0, expect.stringContaining(`/a${shown}.json:1)`)]);
  expect(planned.stdout).toContain('description: + "x\\u009by\\u202e"');
  expect(planned.stdout).not.toMatch(raw);
  for (const files of [unknown, known]) {
    const { stdout } = await applied(place, files, { dryRun: true, json: true });
    expect(stdout).not.toMatch(raw);
    expect(stdout).toContain(shown);
    // For a program it is what it was.
    expect(JSON.stringify(JSON.parse(stdout))).toContain(odd.slice(-4));
  }
  await expect(exported(place, await newFolder({ [`b${odd}.yaml`]: '' }))).rejects.toThrow(`\`b${shown}.yaml\``);
});

test('on a terminal it asks, and only `yes` is a yes', { timeout: 60_000 }, async () => {
  const place = await installation('sqlite');
  const files = await newFolder({ 'people.yaml': small });
  const answered = async (answer: string) => {
    const { status, stdout, stderr } = await applied(place, files, {}, answer);
    return [status, stdout.split('\n').at(-2), stderr];
  };
  const question = 'apply these changes? Only `yes` does: ';
  const plan = 'plan: 2 to create, 0 to change, 0 to delete, 0 as they are';
  expect(await answered('y')).toEqual([
    1,
    plan,
    `${question}nothing was changed; \`--yes\` applies without being asked\n`,
  ]);
  for (const left of [ctrlC, ctrlD]) {
    expect(await answered(left)).toEqual([
      1,
      plan,
      expect.stringMatching(/does: .*\nnothing was changed; `--yes` applies without being asked\n$/s),
    ]);
  }
  expect(await answered('yes')).toEqual([0, 'applied: 2 steps', question]);
});

test('a path that is mistyped makes neither database nor key nor folder', { timeout: 60_000 }, async () => {
  const files = await newFolder({ 'people.yaml': small });
  const empty = await newFolder();
  const settings = readSettings({
    BAILIWICK_DATABASE_URL: `sqlite:${join(empty, 'database', 'mistyped.db')}`,
    BAILIWICK_SECRET_KEY_FILE: join(empty, 'keys', 'secret.key'),
  });
  for (const refused of [
    () => applied({ settings }, files, { dryRun: true }),
    () => applied({ settings }, files, { yes: true }),
    () => exported({ settings }, join(empty, 'access')),
  ]) {
    expect(await refusalOf(refused())).toBe(
      `there is no database at \`${empty}/database/mistyped.db\`; check BAILIWICK_DATABASE_URL, or start the server or run \`bailiwick init\` first`,
    );
  }
  const without = readSettings({
    BAILIWICK_DATABASE_URL: await sources.sqlite.readyUrl(),
    BAILIWICK_SECRET_KEY_FILE: join(empty, 'keys', 'secret.key'),
  });
  expect(await refusalOf(applied({ settings: without }, files, { dryRun: true }))).toBe(
    'the database has no account; `bailiwick init` makes one',
  );
  const place = await installation('sqlite');
  expect(await refusalOf(exported(place, join(empty, 'access'), 'nope'))).toMatch(/^there is no account `nope`/);
  expect(await readdir(empty)).toEqual([]);
});

test('an export replaces what an export wrote, and touches nothing else', { timeout: 60_000 }, async () => {
  const place = await installation('sqlite');
  const files = await newFolder({ 'people.yaml': small });
  expect((await applied(place, files, { yes: true })).status).toBe(0);
  const folder = await newFolder({ 'README.md': 'how we do it\n', '.mine.yaml': small });
  await exported(place, folder);
  const untouched = async (name: string, message: (folder: string) => string) => {
    const before = await contentOf(folder);
    expect(await refusalOf(exported(place, folder))).toBe(message(folder));
    expect(await contentOf(folder)).toEqual(before);
    await rm(join(folder, name), { recursive: true });
    await exported(place, folder);
  };
  const beside = (names: string) => (at: string) =>
    `\`${at}\` holds ${names}, which would be applied beside the export; choose another folder`;
  const replaced = (name: string) => (at: string) =>
    `\`${at}/${name}\` would be replaced, and it does not begin as an export does: \`${exportMark}\`; move it away, or choose another folder`;
  await writeFile(join(folder, 'mine.YAML'), small);
  await untouched('mine.YAML', beside('`mine.YAML`'));
  await mkdir(join(folder, 'teams', 'vision'), { recursive: true });
  for (const name of ['a.json', 'b.yaml', 'users.yaml', 'd.yml', 'vision/e.jsonl', 'vision/f.yaml']) {
    await writeFile(join(folder, 'teams', name), name === 'users.yaml' ? `${exportMark}\n` : '');
  }
  await untouched(
    'teams',
    beside('`teams/a.json`, `teams/b.yaml`, `teams/d.yml`, `teams/users.yaml`, `teams/vision/e.jsonl` and 1 more'),
  );
  await symlink('nowhere', join(folder, 'link'));
  await untouched('link', beside('`link`'));
  // Of a kind that there is, and of one that there is not, whose file would go.
  await writeFile(join(folder, 'users.yaml'), 'kind: User\nname: mine\n');
  await untouched('users.yaml', replaced('users.yaml'));
  await writeFile(join(folder, 'workspaces.yaml'), `# mine\n${exportMark}\n`);
  await untouched('workspaces.yaml', replaced('workspaces.yaml'));
  const file = join(files, 'people.yaml');
  expect(await refusalOf(exported(place, file))).toBe(
    `\`${file}\` is no folder, and none can be made there; name another`,
  );
  expect(await refusalOf(exported(place, join(file, 'access')))).toBe(
    `\`${file}/access\` is no folder, and none can be made there; name another`,
  );
  expect((await readdir(folder)).sort()).toEqual(['.mine.yaml', 'README.md', 'groups.yaml', 'users.yaml']);
});
test(
  'an export takes the place of no file that the installation lives on, and of no link',
  { timeout: 60_000 },
  async () => {
    const place = await installation('sqlite');
    const target = await newFolder();
    const key = join(target, 'users.yaml');
    await rename(place.settings.secretKeyFile, key);
    await expect(exported({ ...place, settings: { ...place.settings, secretKeyFile: key } }, target)).rejects.toThrow(
      `\`${key}\` is where the secret key file \`${key}\` belongs`,
    );
    await rename(key, place.settings.secretKeyFile);
    await symlink(place.settings.secretKeyFile, join(target, 'grants.yaml'));
    await expect(exported(place, target)).rejects.toThrow(/grants\.yaml` is where the secret key file/);
    expect(await readdir(target)).toEqual(['grants.yaml']);
  },
);

test('an export to what is no folder is refused in a line that names it', { timeout: 60_000 }, async () => {
  const place = await installation('sqlite');
  const file = join(await newFolder({ mine: '' }), 'mine');
  for (const target of [file, join(file, 'below')]) {
    expect(await bailiwick(place, 'export', target)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: `bailiwick: \`${target}\` is no folder, and none can be made there; name another\n`,
    });
  }
  const long = join(await newFolder(), 'x'.repeat(300));
  await expect(exported(place, long)).rejects.toThrow(
    new StartRefused(`\`${long}\` cannot be written: ENAMETOOLONG; the export is not whole`),
  );
});

describe.each(['sqlite', 'postgres'] as const)('on %s', (database) => {
  test('a database of an older version is refused and stays as it is', { timeout: 60_000 }, async () => {
    const place = await installation(database);
    const files = await newFolder({ 'people.yaml': small });
    const folder = join(await newFolder(), 'access');
    const made = () => rowsOf(place, 'SELECT "name" FROM "migrations" ORDER BY "name"');
    await rowsOf(place, `DELETE FROM "migrations" WHERE "timestamp" = (SELECT MAX("timestamp") FROM "migrations")`);
    const older = await made();
    for (const refused of [
      () => applied(place, files, { dryRun: true }),
      () => applied(place, files, { yes: true }),
      () => exported(place, folder),
    ]) {
      expect(await refusalOf(refused())).toMatch(
        /^the database is one of an older version \(to be made: \w+\); start the server of this one first$/,
      );
    }
    expect(await made()).toEqual(older);
    await expect(readdir(folder)).rejects.toThrow('ENOENT');
  });

  test('an export and a dry run leave the system policies of an older version', { timeout: 60_000 }, async () => {
    const place = await installation(database);
    const files = await newFolder({ 'people.yaml': small });
    const texts = () => rowsOf(place, `SELECT "policy_id", "number", "text" FROM "policy_versions" ORDER BY 1, 2`);
    const [first] = (await texts()) as readonly { readonly policy_id: string }[];
    await rowsOf(place, `UPDATE "policy_versions" SET "text" = '{}' WHERE "policy_id" = '${first?.policy_id}'`);
    const older = await texts();
    await exported(place, await newFolder());
    expect(await applied(place, files, { dryRun: true })).toMatchObject({ status: 0 });
    expect(await texts()).toEqual(older);
    expect(await applied(place, files, { yes: true })).toMatchObject({ status: 0 });
    expect(await texts()).toHaveLength(older.length + 1);
  });

  test(
    'killed in the middle, it leaves whole transactions, and applying again completes it',
    { timeout: 300_000 },
    async () => {
      const count = 3_000;
      const place = await installation(database);
      const people = Array.from(
        { length: count },
        (_, user) => `kind: User\nname: user-${user}\ngroups: [team-${user % 7}]\n`,
      );
      const teams = Array.from({ length: 7 }, (_, team) => `kind: Group\nname: team-${team}\n`);
      const files = await newFolder({ 'all.yaml': [...people, ...teams].join('---\n') });
      const running = startProgram('cli/bailiwick.ts', ['apply', files, '--yes'], { settings: place.given });
      await running.until(/plan: .*to create/);
      // Wherever that is: what must hold afterwards does not depend on it.
      await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 1_000));
      running.kill('SIGKILL');
      await running.ended;
      const left = await newFolder();
      await exported(place, left);
      const users = (await readFile(join(left, 'users.yaml'), 'utf8').catch(() => ''))
        .split('---\n')
        .filter((text) => text !== '');
      process.stderr.write(`killed after ${users.length} of ${count} users\n`);
      expect(users.filter((text) => !/^groups:\n {2}- team-\d$/m.test(text))).toEqual([]);
      expect(users.length % 500).toBe(0);
      expect(await applied(place, files, { yes: true })).toMatchObject({ status: 0 });
      const whole = await newFolder();
      await exported(place, whole);
      expect((await readFile(join(whole, 'users.yaml'), 'utf8')).match(/^name: /gm)).toHaveLength(count);
      expect(await applied(place, files, { dryRun: true, exitCode: true })).toMatchObject({ status: 0 });
    },
  );

  test('an export goes round: to another installation, and back to the same bytes', { timeout: 120_000 }, async () => {
    const here = await installation(database);
    const policy =
      'kind: Policy\nname: p\ndocument: {Version: "1.1", Statement: [{Effect: Deny, Action: ["modelarts:*:*"]}]}\n';
    const grant = 'kind: Grant\npolicy: p\nsubject: { group: team }\nscope: { workspace: vision }\n';
    const files = await newFolder({
      'all.yaml': [small, policy, grant, 'kind: Workspace\nname: vision\nmembers: [erin]\n'].join('---\n'),
    });
    expect((await applied(here, files, { yes: true })).status).toBe(0);
    const one = await newFolder();
    expect(await bailiwick(here, 'export', one)).toMatchObject({
      status: 0,
      stdout:
        'exported account `default`: 1 in policies.yaml, 2 in groups.yaml, 1 in users.yaml, 1 in workspaces.yaml, 1 in grants.yaml\n',
      stderr: '',
    });
    const elsewhere = await installation(database === 'sqlite' ? 'postgres' : 'sqlite');
    expect((await applied(elsewhere, one, { yes: true })).status).toBe(0);
    const two = await newFolder({
      'grants.yaml': `${exportMark}\nold`,
      'enterprise-projects.yaml': `${exportMark}\r\n`,
    });
    await exported(elsewhere, two);
    const names = (await readdir(one)).sort();
    expect((await readdir(two)).sort()).toEqual(names);
    for (const name of names)
      expect(await readFile(join(two, name), 'utf8')).toBe(await readFile(join(one, name), 'utf8'));
  });
});
