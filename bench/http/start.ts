/**
 * How long a server takes from being started to its first answer, and how much memory it holds, on an empty database and
 * on one with many users:
 *
 *     npm run bench:start
 *     npm run bench:start -- --users 100000 --rounds 5 --database postgres --strict
 *
 * The two take turns. `first answer` is from starting the process to the whole answer to a query with a token, `processor`
 * what the process had used of it by then; `memory` is what it holds then, and after some thousand requests of different
 * users. The target is judged by the time, or with `--judge processor` by the processor's.
 */
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { choice, flag, number, readOptions, seed } from '../../test/kit/options.js';
import { exchange } from './connection.js';
import type { Site } from './contestant.js';
import { openProgram } from './contestants/bailiwick.js';
import { medianOf } from './measurement.js';
import { databaseOption, postgresFor } from './postgres.js';
import { memoryOf, processorTime } from './processor.js';
import { align } from './report.js';
import { bodyOf, bytesOf, rowsOf } from './requests.js';
import { makeSite, rootFrom } from './site.js';

const values = readOptions(
  'npm run bench:start --',
  'How long a server takes from being started to its first answer, on an empty database and on one with many users.',
  {
    users: number('users of the large database', 100_000),
    policies: number('policies of both', 100),
    database: databaseOption,
    rounds: number('starts on each', 5),
    requests: number('requests after the start, before the memory is read again', 5_000),
    seed: seed(1),
    judge: choice('what the target is judged by', ['wall', 'processor'], 'wall'),
    strict: flag('end with status 1 where the target is missed'),
  },
);
/** How many times as long the start may take. */
const most = 2;
/** Users who ask after the start. */
const callers = Array.from({ length: 500 }, (_none, place) => place);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

interface Start {
  readonly ms: number;
  readonly processorMs: number;
  readonly memory: number;
  readonly memoryAfter: number;
}

async function startOn(site: Site, name: string): Promise<Start> {
  const row = rowsOf(site.world).find((one) => one.name === 'check');
  if (row === undefined) throw new Error('there is no such row');
  const began = performance.now();
  const server = await openProgram(site, name, []);
  try {
    const requestOf = (place: number): Buffer => {
      const token = site.seeded.tokens[place % callers.length] ?? '';
      const body = bodyOf(row, row.variables[place % row.variables.length] ?? {});
      return bytesOf('/graphql', server.port, { authorization: `Bearer ${token}` }, body);
    };
    const [first] = await exchange(server.port, [requestOf(0)]);
    const ms = performance.now() - began;
    if (first?.status !== 200) throw new Error(`${name}: ${String(first?.body)}`);
    const processorMs = (processorTime(server.pid) ?? NaN) / 1e6;
    const memory = memoryOf(server.pid)?.now ?? NaN;
    await exchange(
      server.port,
      Array.from({ length: values.requests }, (_none, i) => requestOf(i)),
    );
    return { ms, processorMs, memory, memoryAfter: memoryOf(server.pid)?.now ?? NaN };
  } finally {
    await server.stop();
  }
}

const folder = await mkdtemp(join(tmpdir(), 'bailiwick-bench-start-'));
// However it ends: there are keys in it.
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const postgres = await postgresFor(values.database);
try {
  const root = rootFrom(import.meta.url);
  const sites = new Map<string, Site>();
  // The smallest has the callers and nobody else.
  for (const users of [callers.length, values.users]) {
    const place = join(folder, String(users));
    await mkdir(place);
    const site = await makeSite({
      folder: place,
      root,
      program: join(root, 'dist'),
      bundles: fileURLToPath(new URL('./', import.meta.url)),
      seed: values.seed,
      size: { users, policies: values.policies, requests: 1_000 },
      callers,
      postgresUrl: postgres?.url ?? null,
    });
    console.log(`${users} users were put in within ${(site.seeded.milliseconds / 1_000).toFixed(1)} s`);
    const database = await site.database('started');
    sites.set(`${users} users`, { ...site, database: async () => database });
  }
  const starts = new Map<string, Start[]>([...sites.keys()].map((name) => [name, []]));
  for (let round = 0; round < values.rounds; round += 1) {
    for (const [name, site] of sites) starts.get(name)?.push(await startOn(site, name.replaceAll(' ', '-')));
  }
  const figures = [...starts].map(([name, list]) => ({
    name,
    ms: medianOf(list.map(({ ms }) => ms)),
    processorMs: medianOf(list.map(({ processorMs }) => processorMs)),
    memory: medianOf(list.map(({ memory }) => memory)) / 2 ** 20,
    memoryAfter: medianOf(list.map(({ memoryAfter }) => memoryAfter)) / 2 ** 20,
  }));
  const lines = figures.map(({ name, ms, processorMs, memory, memoryAfter }) => [
    name,
    ...[ms, processorMs, memory, memoryAfter].map((value) => value.toFixed(0)),
  ]);
  const head = ['', 'first answer ms', 'processor ms', 'memory MB', 'after requests MB'];
  console.log(['', ...align([head, ...lines])].join('\n'));
  const [small, large] = figures;
  if (small !== undefined && large !== undefined) {
    const [wall, processor] = [large.ms / small.ms, large.processorMs / small.processorMs];
    const judged = values.judge === 'processor' ? processor : wall;
    const reached = judged <= most;
    console.log(
      `\n  ${reached ? 'reached' : 'MISSED '}  start with ${large.name}: ${wall.toFixed(2)} times as long (${processor.toFixed(2)} by processor time), at most ${most}`,
    );
    process.exitCode = values.strict && !reached ? 1 : 0;
  }
} finally {
  await postgres?.stop();
}
