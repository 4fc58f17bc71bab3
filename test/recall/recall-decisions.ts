/**
 * The recall of any number of decisions, outside of the test runner:
 * `npm run recall:decisions -- --steps 2000 [--database postgres] [--seed N]`. Ends with status 1 when one is recalled as
 * it was not, and says about what first; with status 2 when it could not be tried.
 */
import { database as databaseOption, number, readOptions, seed as seedOption } from '../kit/options.js';
import { databases } from '../store/databases.js';
import { recallHistory, type Recalled } from './recall.js';

const { steps, decisions, database, seed } = readOptions(
  'npm run recall:decisions --',
  'Decisions of a generated history, each asked again later as of its moment.',
  {
    steps: number('changes', 1_000),
    decisions: number('decisions after each change', 8),
    database: databaseOption('sqlite'),
    seed: seedOption(),
  },
);

// Not `process.exitCode`: the package that starts PostgreSQL ends every process that it is loaded in with 0.
process.exit(
  await main().catch((error: unknown) => {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return 2;
  }),
);

async function main(): Promise<number> {
  const source = databases()[database];
  say(`${steps} steps on ${database}, ${decisions} decisions after each, seed ${seed}`);
  try {
    const recalled = await recallHistory(await source.freshUrl(), { steps, decisions, seed, thorough: true });
    say(describe(recalled));
    return recalled.found.length > 0 ? 1 : 0;
  } finally {
    await source.stop();
  }
}

function describe({ recalled, reasons, done, found, milliseconds }: Recalled): string {
  const listed = (counts: ReadonlyMap<string, number>): string =>
    [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
  return [
    `${recalled} decisions recalled in ${(milliseconds.recall / 1000).toFixed(1)} s, made in ${(milliseconds.history / 1000).toFixed(1)} s`,
    `  ${listed(reasons)}`,
    `  of a history of: ${listed(done)}`,
    ...found.slice(0, 3).map((text) => `NOT AS IT WAS (seed ${seed})\n${text}`),
    found.length === 0 ? 'every one as it was' : `FAILED: ${found.length}`,
  ].join('\n');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
