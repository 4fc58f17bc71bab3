/**
 * Fills a database with a world (seed.ts) and says how long it took. The database must be empty; the key file is made.
 *
 *     npm run bench:seed -- --database sqlite:/tmp/big/bench.db --key /tmp/big/secret.key --users 100000
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { seedDatabase } from './seed.js';
import { makeWorld } from './world.js';

const { values } = parseArgs({
  options: {
    database: { type: 'string' },
    key: { type: 'string' },
    /** File for tokens and ids; none unless given. */
    tokens: { type: 'string' },
    users: { type: 'string', default: '100000' },
    policies: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
  },
});
const { database, key, tokens } = values;
if (database === undefined || key === undefined) throw new Error('say where: --database sqlite:<path> --key <path>');
const size = { users: Number(values.users), policies: Number(values.policies), requests: 1 };
const seeded = await seedDatabase(makeWorld(Number(values.seed), size), {
  databaseUrl: database,
  secretKeyFile: key,
  progress: (text) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
  },
});
// Whoever reads it acts as these users.
if (tokens !== undefined) await writeFile(tokens, JSON.stringify(seeded), { mode: 0o600 });
const seconds = seeded.milliseconds / 1_000;
console.log(`${size.users} users in ${seconds.toFixed(1)} s, ${Math.round(size.users / seconds)} in a second`);
