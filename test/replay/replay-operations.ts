/**
 * The replay at any size, outside of the test runner:
 * `npm run replay -- --operations 10000 [--database postgres] [--seed N]`. Ends with status 1 when the product and the
 * model disagree, and says about what first; with status 2 when it could not be tried.
 */
import { database as databaseOption, number, readOptions, seed as seedOption } from '../kit/options.js';
import { databases } from '../store/databases.js';
import { replay, type Replayed } from './program.js';

const { operations, concurrency, database, seed } = readOptions(
  'npm run replay --',
  'Generated operations, each answer and the state after them held against a model of the rules.',
  {
    operations: number('operations', 10_000),
    concurrency: number('how many at once', 16),
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
  say(`${operations} operations, ${concurrency} at once, on ${database}, seed ${seed}`);
  let shown = 0;
  try {
    const told = (done: number): void => {
      if (done - shown < 1000) return;
      shown = done;
      say(`${new Date().toISOString().slice(11, 19)} ${done} of ${operations}`);
    };
    const replayed = await replay(await source.readyUrl(), { operations, concurrency, seed, told });
    say(describe(replayed));
    return replayed.found.length + replayed.defects.length > 0 ? 1 : 0;
  } finally {
    await source.stop();
  }
}

function describe({ report, found, defects, milliseconds }: Replayed): string {
  const { operations: sent, writes, read, refused, invalid, parts, exact, mixed, searched, marks } = report;
  const number = (count: number): string => count.toLocaleString('en');
  const seconds = (time: number): string => `${(time / 1000).toFixed(1)} s`;
  return [
    `${number(sent)} operations in ${seconds(milliseconds.run)}, replayed in ${seconds(milliseconds.replay)}`,
    `  ${number(writes)} writes acknowledged, ${number(refused)} refused, ${number(invalid)} with userErrors; ${number(read)} reads answered`,
    `  ${number(parts)} parts of answers compared: ${number(exact)} of exactly one revision, ${number(mixed)} of two moments`,
    `  ${number(searched)} characters searched for ${number(marks)} marks`,
    ...defects.map((line) => `defect logged: ${line}`),
    ...found.map((text) => `DISAGREEMENT (seed ${seed})\n${text}`),
    found.length + defects.length === 0 ? 'the model agrees, and nothing crossed a workspace' : 'FAILED',
  ].join('\n');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
