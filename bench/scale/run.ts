/**
 * How long after a revocation was acknowledged somebody may still be allowed, for each way to place servers and databases:
 *
 *     npm run simulate:revocation
 *     npm run simulate:revocation -- --regions 5 --replicas 2 --rate 500 --seconds 120 --seed 7
 *     npm run simulate:revocation -- --only regions --pool 50 --cost 180
 *
 * A simulation of discrete events: what a server remembers, and when it asks, is done by the classes of the program; network,
 * database, processors and pauses are drawn from what `assumptions.ts` says. The same seed gives the same table.
 *
 * - **today**: whether Bailiwick can be run like this now.
 * - **window**: from the acknowledgement of a revocation to the arrival of the last request that was still allowed, anywhere.
 *   **late**: to the last Allow to a request that had arrived before the acknowledgement.
 * - **wait**: what a decision takes longer than one from memory that asks nobody; **change**: until it is acknowledged.
 * - **refused**: of what asked after a revocation, how much was refused because a copy was behind for too long.
 * - **lost**: revocations that were acknowledged and are gone.
 * - **primary/s**, **copies/s**: statements. **a core/s**: decisions where nothing is changed, with the processor busy for
 *   seven tenths.
 *
 * Ends with status 1 where there is a window that cannot be by construction.
 */
import { choices, number, readOptions, seed as seedOption } from '../../test/kit/options.js';
import { assumptions } from './assumptions.js';
import { deployments } from './deployments.js';
import { faultsOf, writeTable, type Row } from './report.js';
import { capacityOf, tryOut, type Effort } from './trial.js';

const values = readOptions(
  'npm run simulate:revocation --',
  'How long after a revocation was acknowledged somebody may still be allowed, for each way to place servers and databases.',
  {
    regions: number('regions', 3, { least: 2 }),
    replicas: number('servers in each region, or of each shard', 2),
    shards: number('shards', 3),
    accounts: number('accounts', 10),
    rate: number('decisions a second', 200, { least: 0.001, whole: false }),
    seconds: number('simulated seconds', 60, { whole: false }),
    revocations: number('revocations a second', 1, { least: 0.001, whole: false }),
    changes: number('other changes a second', 2, { least: 0, whole: false }),
    pool: number('database connections of a server', assumptions.server.pool),
    cost: number('microseconds of a decision from memory', assumptions.server.decision * 1_000, { whole: false }),
    only: choices(
      'ways to place them',
      deployments.map(({ name }) => name),
    ),
    seed: seedOption(1),
  },
);

const { only, cost, ...drawn } = values;
const effort: Effort = { ...drawn, decisionCost: cost / 1_000 };

const say = (line: string) => void process.stdout.write(`${line}\n`);
const { regions, replicas, shards, rate, seconds, revocations, changes, seed } = effort;
say(
  `seed ${seed}: ${seconds} seconds, ${regions} regions, ${replicas} servers in each (or of each of ${shards} shards),`,
);
say(`${rate} decisions/s at each of ${cost} us, ${revocations} revocations/s, ${changes} other changes/s\n`);

const rows: Row[] = [];
for (const deployment of deployments.filter(({ name }) => only.includes(name))) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${deployment.name} ...`);
  rows.push({
    deployment,
    figures: await tryOut(deployment, effort),
    capacity: await capacityOf(deployment, effort),
  });
}
if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
say(writeTable(rows));
say('');
for (const { deployment } of rows) say(`${deployment.name}: ${deployment.meaning}`);
const faults = rows.flatMap(({ deployment, figures }) => faultsOf(deployment, figures));
for (const fault of faults) say(`FAULT ${fault}`);
process.exitCode = faults.length === 0 ? 0 : 1;
