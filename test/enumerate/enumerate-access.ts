/** `npm run enumerate:access -- --worlds 1000 --seed 7 --database sqlite`: lists of access against brute force. */
import { randomBytes } from 'node:crypto';
import { createIam } from '../../src/iam/index.js';
import { openStore } from '../../src/store/index.js';
import { database as databaseOption, number, readOptions, seed as seedOption } from '../kit/options.js';
import { databases } from '../store/databases.js';
import { compareWorld, newTally } from './worlds.js';

const values = readOptions(
  'npm run enumerate:access --',
  'Lists of who may and of what one may, of generated worlds, against brute force.',
  {
    worlds: number('worlds', 50),
    database: databaseOption('sqlite'),
    seed: seedOption(),
  },
);
const { worlds, seed } = values;
const database = databases()[values.database];
const say = (line: string): void => void process.stdout.write(`${line}\n`);

say(`${worlds} worlds on ${database.name}, seed ${seed}`);
const tally = newTally();
const began = performance.now();
const store = await openStore(await database.readyUrl(), {});
const iam = createIam({ store, masterKey: randomBytes(32) });
let told = 0;
try {
  for (let made = 0; made < worlds; made++) {
    try {
      await compareWorld(iam, seed + made, tally);
    } catch (error) {
      throw new Error(`the world of seed ${seed + made} came to nothing`, { cause: error });
    }
    for (const line of tally.disagreements.slice(told)) say(`seed ${seed + made}: ${line}`);
    told = tally.disagreements.length;
    if ((made + 1) % 25 === 0 || made + 1 === worlds) say(progress(made + 1));
  }
} finally {
  await iam.clearings.stop();
  await store.close();
  await database.stop();
}
say(`${tally.disagreements.length} disagreements`);
process.exitCode = tally.disagreements.length === 0 ? 0 : 1;

function progress(made: number): string {
  const { lists, compared, cautious } = tally;
  const seconds = Math.round((performance.now() - began) / 1000);
  const { user, system } = process.cpuUsage();
  const processor = Math.round((user + system) / 1e6);
  return `${made} worlds, ${seconds} s (${processor} s of a processor): ${lists} lists, ${compared.YES} YES, ${compared.IF} IF, ${compared.NO} NO, ${cautious} cautious, ${tally.disagreements.length} disagreements`;
}
