/**
 * `npm run check:history -- --operations 200000 [--database postgres] [--replicas 3] [--clients 24] [--strikes 80]
 * [--seed 7]`: records a history of replicas that are killed and stood still, and holds it against the laws. Ends with
 * status 1 when one was broken.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { database as databaseOption, number, readOptions, seed as seedOption } from '../kit/options.js';
import { programFolder } from '../kit/shared.js';
import { databases } from '../store/databases.js';
import { violationsOf } from './laws.js';
import { linesOf, tableOf } from './report.js';
import { record } from './run.js';

const values = readOptions(
  'npm run check:history --',
  'Records a history of replicas that are killed and stood still, and holds it against the laws.',
  {
    operations: number('requests', 20_000),
    database: databaseOption('postgres'),
    replicas: number('servers; three on PostgreSQL unless given, one on SQLite', null),
    clients: number('clients', 24),
    strikes: number('kills and pauses; one for 2,500 requests unless given', null, { least: 0 }),
    seed: seedOption(),
  },
);
const { database, operations, clients, seed } = values;
const replicas = values.replicas ?? (database === 'sqlite' ? 1 : 3);
const strikes = values.strikes ?? Math.max(4, Math.round(operations / 2_500));
const say = (line: string) => void process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

// The command has built the program: to translate it at each start would take longer than everything else.
process.env[programFolder] = fileURLToPath(new URL('../../dist', import.meta.url));

// Not `process.exitCode`: the package that starts PostgreSQL ends every process that it is loaded in with 0.
process.exit(
  await run().catch((error: unknown) => {
    say(error instanceof Error ? `${error.message}: ${String(error.cause)}` : String(error));
    return 2;
  }),
);

async function run(): Promise<number> {
  if (database === 'sqlite' && replicas > 1) {
    say('SQLite is used by one server at a time; leave out --replicas');
    return 2;
  }
  const sources = databases({ own: true });
  const folder = await mkdtemp(join(tmpdir(), 'bailiwick-history-'));
  try {
    say(`seed ${seed}: ${operations} operations of ${clients} clients at ${replicas} replicas on ${database}`);
    const databaseUrl = await sources[database].freshUrl();
    const keyFile = join(folder, 'secret.key');
    const report = await record({ databaseUrl, keyFile, replicas, operations, clients, strikes, seed, say });
    const begun = performance.now();
    const violations = violationsOf(report.record);
    say(`checked in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    process.stdout.write(tableOf(report));
    for (const violation of violations.slice(0, 10)) process.stdout.write(linesOf(violation));
    say(violations.length === 0 ? 'every law was kept' : `${violations.length} violations`);
    return violations.length === 0 ? 0 : 1;
  } finally {
    await sources[database].stop();
    await rm(folder, { recursive: true, force: true });
  }
}
