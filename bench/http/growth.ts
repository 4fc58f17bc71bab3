/**
 * How the cost of a decision grows from a small account to a large one, over HTTP and in process:
 *
 *     npm run bench:growth-http
 *     npm run bench:growth-http -- --users 1000000 --policies 10000 --rounds 5 --strict
 *
 * Callers ask for themselves, each with a token of its own, by Zipf's law: the second half as often as the first. Over HTTP
 * the two servers take turns; in process each database is decided on by a process of its own (deciding.ts), in turns too.
 * Answers are compared with the rules of the world first. A million users take half an hour to put in, because each of
 * them is an event of the audit trail; fewer unless asked for.
 */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Progress } from '../../src/cli/progress.js';
import { choice, flag, number, readOptions, seed as seedOption } from '../../test/kit/options.js';
import { exchange } from './connection.js';
import type { Server, Site } from './contestant.js';
import { openProgram } from './contestants/bailiwick.js';
import { type Asked, drawAsked, type Draws, effectsOf } from './draws.js';
import { type Checked, Client, medianOf, timeInTurns } from './measurement.js';
import { databaseOption, postgresFor } from './postgres.js';
import { align, figure, ratioOf } from './report.js';
import { bodyOf, bytesOf, readGraphQL, type Row, rowsOf } from './requests.js';
import { makeSite, rootFrom } from './site.js';
import { makeWorld } from './world.js';

const values = readOptions(
  'npm run bench:growth-http --',
  'How the cost of a decision grows from a small account to a large one, over HTTP and in process.',
  {
    users: number('users of the large account', 100_000),
    policies: number('policies of the large account', 10_000),
    database: databaseOption,
    requests: number('different requests, each of a user drawn by Zipf’s law', 4_000),
    rounds: number('turns of each account', 3),
    turn: number('milliseconds of a turn over HTTP', 1_000),
    seed: seedOption(1),
    judge: choice('what the target is judged by', ['wall', 'processor'], 'wall'),
    strict: flag('end with status 1 where a target is missed'),
  },
);
const mostOverHttp = 1.2;
const mostInProcess = 3;
const small = { users: 1_000, policies: 100 };
const { seed, rounds } = values;
const bundles = fileURLToPath(new URL('./', import.meta.url));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

interface Account {
  readonly name: string;
  readonly site: Site;
  readonly asked: readonly Asked[];
}

async function makeAccount(
  folder: string,
  { users, policies }: { readonly users: number; readonly policies: number },
  postgresUrl: string | null,
): Promise<Account> {
  await mkdir(folder);
  const root = rootFrom(import.meta.url);
  const size = { users, policies, requests: 1_000 };
  const asked = drawAsked(makeWorld(seed, size), values.requests);
  const callers = [...new Set(asked.map(({ user }) => user))];
  const places = { folder, root, bundles, program: join(root, 'dist') };
  const progress = new Progress(process.stderr);
  const told = (put: number): void => progress.tell('users', put, users);
  const site = await makeSite({ ...places, seed, size, callers, postgresUrl, progress: told });
  progress.close();
  const name = `${figure(users)} users, ${figure(policies)} policies`;
  console.log(
    `${name}: put in within ${(site.seeded.milliseconds / 1_000).toFixed(1)} s, ${callers.length} of them ask`,
  );
  return { name, site, asked };
}

/** The account behind a server whose answers are right. */
async function openAccount({ name, site, asked }: Account, row: Row): Promise<Checked> {
  const opened = await openProgram(site, 'growth', []);
  const requests = asked.map(({ user, place }) => {
    const headers = { authorization: `Bearer ${site.seeded.tokens[user] ?? ''}` };
    return bytesOf('/graphql', opened.port, headers, bodyOf(row, row.variables[place] ?? {}));
  });
  const server: Server = { ...opened, name, requestsOf: () => requests };
  const received = await exchange(server.port, requests);
  const expected = effectsOf(site.world, asked);
  const disagreements = received.flatMap(({ status, body }, place) => {
    const { text, effects } = readGraphQL(row, status, body?.toString() ?? '');
    return effects[0] === expected[place] ? [] : [`${name}, request ${place}: ${text} instead of ${expected[place]}`];
  });
  const lengths = received.map(({ length }) => length);
  return { server, answers: requests.length, lengths, bodies: [], disagreements };
}

const run = promisify(execFile);

/** Nanoseconds of a decision in process, of each round. */
async function decideInProcess(accounts: readonly Account[], folder: string): Promise<Map<Account, number[]>> {
  const figures = new Map<Account, number[]>(accounts.map((account) => [account, []]));
  const files = new Map<Account, string>();
  for (const account of accounts) {
    const { tokens } = account.site.seeded;
    const draws: Draws = { ...(await account.site.database('deciding')), tokens, asked: account.asked };
    const file = join(folder, `${account.asked.length}-${files.size}.json`);
    await writeFile(file, JSON.stringify(draws), { mode: 0o600 });
    files.set(account, file);
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const [account, file] of files) {
      const { stdout } = await run(process.execPath, [join(bundles, 'deciding.js'), file]);
      figures.get(account)?.push((JSON.parse(stdout) as { readonly ns: number }).ns);
    }
  }
  return figures;
}

const folder = await mkdtemp(join(tmpdir(), 'bailiwick-bench-growth-'));
// However it ends: there are keys in it.
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const postgres = await postgresFor(values.database);
const client = new Client(bundles);
const opened: Checked[] = [];
try {
  const large = { users: values.users, policies: values.policies };
  const accounts = [
    await makeAccount(join(folder, 'small'), small, postgres?.url ?? null),
    await makeAccount(join(folder, 'large'), large, postgres?.url ?? null),
  ];
  const inProcess = await decideInProcess(accounts, folder);
  for (const account of accounts) {
    const row = rowsOf(account.site.world).find(({ name }) => name === 'check');
    if (row !== undefined) opened.push(await openAccount(account, row));
  }
  const disagreements = opened.flatMap((checked) => checked.disagreements);
  const [row] = rowsOf(accounts[0]?.site.world ?? makeWorld(seed, { ...small, requests: 1 })).filter(
    ({ name }) => name === 'check',
  );
  if (disagreements.length === 0 && row !== undefined) {
    const turnMs = values.turn;
    const effort = { rounds, turnMs, patienceMs: turnMs * 20, connections: 32 };
    const { servers } = await timeInTurns(
      client,
      row,
      opened.map((one) => [one]),
      effort,
      () => undefined,
    );
    const [smallest, largest] = servers;
    const ns = accounts.map((account) => medianOf(inProcess.get(account) ?? []));
    if (smallest === undefined || largest === undefined) throw new Error('an account was not measured');
    const lines = servers.map((figures, place) => [
      figures.name,
      figure(medianOf(figures.perSecond)),
      figures.processorNs === null ? '-' : figure(medianOf(figures.processorNs) / 1_000),
      figure(ns[place] ?? NaN),
    ]);
    const head = ['account', 'requests/s', 'processor us', 'in process ns'];
    console.log(['', ...align([head, ...lines])].join('\n'));
    const wall = ratioOf(smallest, largest, 'wall') ?? NaN;
    const processor = ratioOf(smallest, largest, 'processor');
    // How many times as quick the small one is: how much it grew.
    const overHttp = values.judge === 'processor' ? (processor ?? wall) : wall;
    const within = (ns[1] ?? NaN) / (ns[0] ?? NaN);
    const verdicts = [
      {
        text: `over HTTP: ${wall.toFixed(2)} times (${processor?.toFixed(2) ?? '-'} by processor time), at most ${mostOverHttp}`,
        reached: overHttp <= mostOverHttp,
      },
      { text: `in process: ${within.toFixed(2)} times, at most ${mostInProcess}`, reached: within <= mostInProcess },
    ];
    console.log('\nTargets, growth of a decision:');
    for (const { text, reached } of verdicts) console.log(`  ${reached ? 'reached' : 'MISSED '}  ${text}`);
    process.exitCode = values.strict && verdicts.some(({ reached }) => !reached) ? 1 : 0;
  } else {
    for (const line of disagreements.slice(0, 20)) console.error(line);
    console.error(`${disagreements.length} answers differ; nothing was timed`);
    process.exitCode = 1;
  }
} finally {
  client.stop();
  for (const { server } of opened) await server.stop();
  await postgres?.stop();
}
