/**
 * The server that is shipped beside others, over HTTP on this machine:
 *
 *     npm run bench:http
 *     npm run bench:http -- --rows viewer,check --servers unguarded,graphql-yoga --rounds 5 --seed 7 --strict
 *     npm run bench:http -- --database postgres
 *     npm run bench:http -- --rows users --processes 5 --rounds 10
 *
 * One world (world.ts), made from the seed, is filled into a database; each server is a process of its own on a copy of it,
 * or on the same data in memory. A client in another process keeps `--connections` connections busy, each with the next
 * request as soon as an answer has come. Servers take turns in each round; a ratio is the median of those of the rounds.
 * Of each server `--processes` are started, and the rounds take one after the other: two processes of one program differ
 * by a tenth for as long as they live, which is as much as what some of the targets are about.
 *
 * - **requests/s**, and how many times that of each server ours is (**x**).
 * - **processor us**: what a request costs the server's process of processor time, all threads, and how many times less
 *   that is of ours (**x**). It holds where others use the machine too. What PostgreSQL uses is not in it.
 * - **server**, **client**: share of one processor that each was using. Where the client comes near 100 %, it is
 *   measured, not the server.
 * - **same answers**: requests whose answer was compared with ours before anything was timed; ours with the rules of the
 *   world. In the turns each answer must have the status and the length of the one that was compared.
 *
 * Targets are judged by requests/s, or with `--judge processor` by processor time. One that is missed ends the run with
 * status 1 only with `--strict`; answers that differ always do.
 */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { choice, choices, flag, number, readOptions, seed } from '../../test/kit/options.js';
import { adapters } from './adapters.js';
import type { Server } from './contestant.js';
import {
  checkAnswers,
  Client,
  type Effort,
  type RowFigures,
  takesPart,
  timeInTurns,
  type Checked,
} from './measurement.js';
import { databaseOption, postgresFor } from './postgres.js';
import { judgeTargets, type Measure, ours, writeTable } from './report.js';
import { type Answer, rowNames, rowsOf } from './requests.js';
import { makeSite, rootFrom, siteOf } from './site.js';

const values = readOptions(
  'npm run bench:http --',
  'The server that is shipped beside others, over HTTP on this machine. What the columns mean is told in bench/http/run.ts.',
  {
    rows: choices('what is asked', rowNames),
    servers: choices(
      'whom it is compared with',
      adapters.map(({ name }) => name),
    ),
    database: databaseOption,
    rounds: number('turns of each server', 3),
    processes: number(
      'processes of each server, which take the rounds one after the other; at most as many as rounds',
      1,
    ),
    turn: number('milliseconds of a turn', 800),
    connections: number('connections that are kept busy', 32),
    users: number('users of the account', 1_000),
    policies: number('policies of the account', 100),
    seed: seed(1),
    judge: choice('what targets are judged by', ['wall', 'processor'], 'wall'),
    strict: flag('end with status 1 where a target is missed'),
  },
);
const effort: Effort = {
  rounds: values.rounds,
  turnMs: values.turn,
  patienceMs: values.turn * 20,
  connections: values.connections,
};
const { processes } = values;
if (processes > effort.rounds) {
  console.error(`error: --processes is ${processes}, more than the rounds, which are ${effort.rounds}`);
  process.exit(2);
}
const judge: Measure = values.judge;
const [own] = adapters;
const chosen = [own, ...adapters.filter((one) => one !== own && values.servers.includes(one.name))];

/** Only where somebody watches. */
const progress = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

/** The client and the servers lie beside this. */
const bundles = fileURLToPath(new URL('./', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'bailiwick-bench-http-'));
// However it ends: there are keys in it.
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const postgres = await postgresFor(values.database);
const running: Server[] = [];
const client = new Client(bundles);
try {
  const root = rootFrom(import.meta.url);
  const size = { users: values.users, policies: values.policies, requests: 2_000 };
  const site = await makeSite({
    folder,
    root,
    bundles,
    program: join(root, 'dist'),
    seed: values.seed,
    size,
    postgresUrl: postgres?.url ?? null,
    progress: (users) => progress(`${users} of ${size.users} users`),
  });
  console.log(
    `seed ${values.seed}, ${values.users} users, ${values.policies} policies, ${values.database.split(':')[0]}, ${values.connections} connections, ${processes === 1 ? 'one process' : `${processes} processes`} of each server, ${values.rounds} rounds of ${values.turn} ms, Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? '?'}`,
  );
  for (const { name, use } of chosen) console.log(`  ${name.padEnd(13)} ${use}`);

  const rows = rowsOf(site.world).filter(({ name }) => values.rows.includes(name));
  const answersOfOurs = new Map<string, readonly Answer[]>();
  /** By row, the processes of each server. */
  const checked = new Map<string, [Checked, ...Checked[]][]>(rows.map(({ name }) => [name, []]));
  const disagreements: string[] = [];
  for (const adapter of chosen) {
    for (let place = 0; place < processes; place += 1) {
      progress(`opening ${adapter.name}`);
      const server = await adapter.open(siteOf(site, place));
      if (server === null) {
        console.log(`  ${adapter.name} is not here; for cerbos: npm run fetch:cerbos`);
        break;
      }
      running.push(server);
      for (const row of rows.filter((one) => takesPart(adapter, one))) {
        progress(`${row.name}: answers of ${adapter.name}`);
        const found = await checkAnswers(server, row, site.world, answersOfOurs.get(row.name) ?? null);
        if (adapter.name === ours && place === 0) {
          answersOfOurs.set(row.name, found.read);
          site.answers[row.name] = found.bodies;
        }
        if (place === 0) checked.get(row.name)?.push([found]);
        else checked.get(row.name)?.at(-1)?.push(found);
        disagreements.push(...found.disagreements);
      }
    }
  }

  const measured: RowFigures[] = [];
  if (disagreements.length === 0) {
    for (const row of rows) {
      const figures = await timeInTurns(client, row, checked.get(row.name) ?? [], effort, progress);
      progress('');
      measured.push(figures);
      console.log(writeTable(figures));
    }
  }
  const verdicts = judgeTargets(measured, judge);
  if (verdicts.length > 0) console.log(`\nTargets, judged by ${judge === 'wall' ? 'requests/s' : 'processor time'}:`);
  for (const { text, reached } of verdicts) console.log(`  ${reached ? 'reached' : 'MISSED '}  ${text}`);
  for (const line of disagreements.slice(0, 20)) console.error(line);
  if (disagreements.length > 0) console.error(`${disagreements.length} answers differ; nothing was timed`);
  process.exitCode = disagreements.length > 0 || (values.strict && verdicts.some(({ reached }) => !reached)) ? 1 : 0;
} finally {
  client.stop();
  for (const server of running) await server.stop();
  await postgres?.stop();
}
