/**
 * `npm run crash -- --kills 200 [--database postgres] [--connections 8] [--seed 1]`: kills in the middle of writes and starts,
 * and a tenth as many in the middle of migrations. Ends with status 1 when something was lost or is there by half.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { database as databaseOption, number, readOptions, seed as seedOption } from '../kit/options.js';
import { programFolder } from '../kit/shared.js';
import { databases } from '../store/databases.js';
import { crash, crashInMigrations, type Place } from './crash.js';

const { kills, connections, database, seed } = readOptions(
  'npm run crash --',
  'Kills in the middle of writes and starts, and a tenth as many in the middle of migrations.',
  {
    kills: number('kills', 50),
    connections: number('connections that write', 6),
    database: databaseOption('sqlite'),
    seed: seedOption(),
  },
);
const say = (line: string) => void process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

// The command has built the program: to translate it at each start would take longer than everything else.
process.env[programFolder] = fileURLToPath(new URL('../../dist', import.meta.url));

// Not `process.exitCode`: the package that starts PostgreSQL ends every process that it is loaded in with 0.
process.exit(
  await run().catch((error: unknown) => {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return 2;
  }),
);

async function run(): Promise<number> {
  const sources = databases({ own: true });
  const folder = await mkdtemp(join(tmpdir(), 'bailiwick-crash-'));
  let places = 0;
  const makePlace = async (): Promise<Place> => {
    places += 1;
    return { databaseUrl: await sources[database].freshUrl(), keyFile: join(folder, String(places), 'secret.key') };
  };
  try {
    say(`seed ${seed}`);
    const writing = await crash(await makePlace(), { kills, connections, seed, say });
    say(
      `${writing.killsWhileWriting} kills while writing, ${writing.killsWhileStarting} while starting, ${writing.acknowledged} mutations acknowledged`,
    );
    const migrating = await crashInMigrations(makePlace, { kills: Math.ceil(kills / 10), seed, say });
    say(`kills in migrations: ${migrating.old} left the old tables, ${migrating.done} the new ones`);
    const faults = [...writing.faults, ...migrating.faults];
    for (const fault of faults.slice(0, 20)) say(`FAULT ${fault}`);
    say(faults.length === 0 ? 'nothing was lost, nothing is there by half' : `${faults.length} faults`);
    return faults.length === 0 ? 0 : 1;
  } finally {
    await sources[database].stop();
    await rm(folder, { recursive: true, force: true });
  }
}
