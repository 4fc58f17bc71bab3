/**
 * Fills a database with a world (seed.ts) and says how long it took. The database must be empty; the key file is made.
 *
 *     npm run bench:seed -- --database sqlite:/tmp/big/bench.db --key /tmp/big/secret.key --users 100000
 */
import { writeFile } from 'node:fs/promises';
import { Progress } from '../../src/cli/progress.js';
import { number, readOptions, seed, text } from '../../test/kit/options.js';
import { seedDatabase } from './seed.js';
import { makeWorld } from './world.js';

const values = readOptions(
  'npm run bench:seed --',
  'Fills an empty database with the world of the benchmarks and says how long it took.',
  {
    database: text('URL of the empty database; needed', null),
    key: text('file for its key, which is made; needed', null),
    tokens: text('file for tokens and ids; none unless given', null),
    users: number('users', 100_000),
    policies: number('policies', 100),
    seed: seed(1),
  },
);
const { database, key, tokens } = values;
if (database === null || key === null) {
  console.error('error: say where: --database sqlite:<path> --key <path>');
  process.exit(2);
}
const progress = new Progress(process.stderr);
const size = { users: values.users, policies: values.policies, requests: 1 };
const seeded = await seedDatabase(makeWorld(values.seed, size), {
  databaseUrl: database,
  secretKeyFile: key,
  progress: (users) => progress.tell('users', users, size.users),
});
progress.close();
// Whoever reads it acts as these users.
if (tokens !== null) await writeFile(tokens, JSON.stringify(seeded), { mode: 0o600 });
const seconds = seeded.milliseconds / 1_000;
console.log(`${size.users} users in ${seconds.toFixed(1)} s, ${Math.round(size.users / seconds)} in a second`);
