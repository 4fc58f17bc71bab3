/** `npm run enumerate:access -- --worlds 50 --seed 7 --database sqlite`: lists of access against brute force. */
import { parseArgs } from 'node:util';
import { databases } from '../store/databases.js';
import { compareWorld } from './worlds.js';

const { values } = parseArgs({
  options: {
    worlds: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Date.now() & 0x7fffffff) },
    database: { type: 'string', default: 'sqlite' },
  },
});
const [worlds, seed] = [Number(values.worlds), Number(values.seed)];
const database = databases()[values.database === 'postgres' ? 'postgres' : 'sqlite'];
process.stdout.write(`${worlds} worlds on ${database.name}, seed ${seed}\n`);
let disagreements = 0;
try {
  for (let i = 0; i < worlds; i++) {
    for (const line of await compareWorld(await database.freshUrl(), seed + i)) {
      disagreements++;
      process.stdout.write(`seed ${seed + i}: ${line}\n`);
    }
  }
} finally {
  await database.stop();
}
process.stdout.write(`${disagreements} disagreements\n`);
process.exitCode = disagreements === 0 ? 0 : 1;
