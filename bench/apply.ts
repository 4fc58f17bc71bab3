/**
 * What `bailiwick apply` and `export` cost for many users, as processes of their own on the built code: wall clock,
 * processor time and memory of each step.
 *
 *     npm run bench:apply -- --users 100000
 *     npm run bench:apply -- --users 20000 --database postgres
 *
 * `postgres` starts a server for this run, which waits for no disk; the URL of another one names an empty database there.
 * What PostgreSQL itself uses of the processor is not in the figures.
 */
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { number, readOptions } from '../test/kit/options.js';
import { databaseOption, postgresFor } from './http/postgres.js';

const values = readOptions('npm run bench:apply --', 'What `bailiwick apply` and `export` cost for many users.', {
  users: number('users', 100_000),
  database: {
    ...databaseOption,
    help: '`sqlite`, `postgres` (a server of its own for this run), or the URL of an empty PostgreSQL database',
  },
});
const { users } = values;
const postgres = await postgresFor(values.database);
const folder = await mkdtemp(join(tmpdir(), 'bailiwick-bench-apply-'));
const usage = `data:text/javascript,${encodeURIComponent(
  "process.on('exit',()=>{const u=process.resourceUsage();process.stderr.write('USAGE '+JSON.stringify([(u.userCPUTime+u.systemCPUTime)/1e6,u.maxRSS/1024])+'\\n')})",
)}`;

async function run(what: string, args: readonly string[]): Promise<string> {
  const begun = performance.now();
  const child = spawn(process.execPath, ['--import', usage, 'dist/cli/bailiwick.js', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      BAILIWICK_DATABASE_URL: postgres?.url ?? `sqlite:${join(folder, 'bench.db')}`,
      BAILIWICK_SECRET_KEY_FILE: join(folder, 'secret.key'),
    },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const status = await new Promise((resolve) => child.on('close', resolve));
  const [, cpu = 0, memory = 0] = /USAGE \[([\d.]+),([\d.]+)\]/.exec(stderr)?.map(Number) ?? [];
  if (status !== 0) throw new Error(`${what} ended with ${String(status)}: ${stderr}`);
  const wall = (performance.now() - begun) / 1_000;
  const last = stdout.trim().split('\n').at(-1) ?? '';
  process.stdout.write(
    `${what.padEnd(28)} ${wall.toFixed(1).padStart(7)} s ${cpu.toFixed(1).padStart(7)} s processor ${memory.toFixed(0).padStart(6)} MB   ${last}\n`,
  );
  return stdout;
}

function* documents(description: string): Generator<string> {
  for (let group = 0; group < 100; group += 1) {
    yield `---\nkind: Group\nname: team-${group}\n---\nkind: Grant\npolicy: OBS ReadOnlyAccess\nsubject: { group: team-${group} }\nscope: all\n`;
  }
  for (let user = 0; user < users; user += 1) {
    yield `---\nkind: User\nname: user-${user}\ndescription: ${description} ${user}\ngroups: [team-${user % 100}, team-${(user * 7 + 1) % 100}]\n`;
  }
}

const files = join(folder, 'files');
await mkdir(files);
const write = (description: string) =>
  pipeline(Readable.from(documents(description)), createWriteStream(join(files, 'all.yaml')));

try {
  await write('one of');
  await run('init', ['init']);
  await run('plan of an empty account', ['apply', files, '--dry-run']);
  await run('apply', ['apply', files, '--yes']);
  await run('plan, nothing to do', ['apply', files, '--dry-run']);
  await write('another of');
  await run('every user changed', ['apply', files, '--yes']);
  await run('export', ['export', join(folder, 'one')]);
  await run('plan of the export', ['apply', join(folder, 'one'), '--dry-run']);
  const { length } = await readFile(join(folder, 'one', 'users.yaml'));
  process.stdout.write(`users.yaml of the export: ${(length / 1024 ** 2).toFixed(1)} MB\n`);
} finally {
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true });
}
