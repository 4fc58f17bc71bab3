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
import { parseArgs } from 'node:util';
import { assumptions } from './assumptions.js';
import { deployments } from './deployments.js';
import { faultsOf, writeTable, type Row } from './report.js';
import { capacityOf, tryOut, type Effort } from './trial.js';

const { values } = parseArgs({
  options: {
    regions: { type: 'string', default: '3' },
    replicas: { type: 'string', default: '2' },
    shards: { type: 'string', default: '3' },
    accounts: { type: 'string', default: '10' },
    rate: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '60' },
    revocations: { type: 'string', default: '1' },
    changes: { type: 'string', default: '2' },
    pool: { type: 'string', default: String(assumptions.server.pool) },
    cost: { type: 'string', default: String(assumptions.server.decision * 1_000) },
    only: { type: 'string', default: deployments.map(({ name }) => name).join(',') },
    seed: { type: 'string', default: '1' },
  },
});

function positive(name: keyof typeof values, least = 1): number {
  const value = Number(values[name]);
  if (Number.isFinite(value) && value >= least) return value;
  throw new Error(`--${name} is \`${values[name]}\`; write a number from ${least}`);
}

const names = values.only.split(',').map((name) => name.trim());
const unknown = names.find((name) => !deployments.some((each) => each.name === name));
if (unknown !== undefined) {
  throw new Error(`there is no \`${unknown}\`; take of ${deployments.map(({ name }) => name).join(', ')}`);
}
const effort: Effort = {
  seed: positive('seed', 0),
  seconds: positive('seconds'),
  regions: positive('regions', 2),
  replicas: positive('replicas'),
  shards: positive('shards'),
  accounts: positive('accounts'),
  rate: positive('rate', 0.001),
  revocations: positive('revocations', 0.001),
  changes: positive('changes', 0),
  pool: positive('pool'),
  decisionCost: positive('cost', 1) / 1_000,
};

const say = (line: string) => void process.stdout.write(`${line}\n`);
const { regions, replicas, shards, rate, seconds, revocations, changes, seed } = effort;
say(
  `seed ${seed}: ${seconds} seconds, ${regions} regions, ${replicas} servers in each (or of each of ${shards} shards),`,
);
say(`${rate} decisions/s at each of ${values.cost} us, ${revocations} revocations/s, ${changes} other changes/s\n`);

const rows: Row[] = [];
for (const deployment of deployments.filter(({ name }) => names.includes(name))) {
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
