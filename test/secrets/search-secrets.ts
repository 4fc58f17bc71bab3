/**
 * The search at any size, outside of the test runner: `npm run search:secrets -- --rounds 5000 [--database postgres]`.
 * Ends with status 1 when a secret was found, or when something that was planted was not, and says of which kind and
 * where; never the value. With status 2 when it could not be looked for.
 */
import { database as databaseOption, number, readOptions } from '../kit/options.js';
import { databases } from '../store/databases.js';
import { run, type Report } from './run.js';

const { rounds, database } = readOptions(
  'npm run search:secrets --',
  'Looks for secrets in everything that is answered, logged and stored.',
  {
    rounds: number('rounds of requests', 200),
    database: databaseOption('sqlite'),
  },
);

// Not `process.exitCode`: the package that starts PostgreSQL ends every process that it is loaded in with 0.
process.exit(
  await search().catch((error: unknown) => {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return 2;
  }),
);

async function search(): Promise<number> {
  const sources = databases({ own: true });
  try {
    const report = await run({
      rounds,
      ...(database === 'postgres'
        ? { databaseUrl: await sources.postgres.freshUrl(), databaseLog: sources.postgres.log }
        : {}),
      told: (progress) => say(`${new Date().toISOString().slice(11, 19)} ${progress}`),
    });
    say(describe(report));
    return report.findings.length + report.overlooked.length > 0 ? 1 : 0;
  } finally {
    await sources.postgres.stop();
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function describe({ operations, values, searched, findings, overlooked, controls, milliseconds }: Report): string {
  const table = (counts: ReadonlyMap<string, number>): readonly string[] =>
    [...counts]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, count]) => `  ${count.toLocaleString('en').padStart(13)}  ${name}`);
  const total = (counts: ReadonlyMap<string, number>): string =>
    [...counts.values()].reduce((sum, count) => sum + count, 0).toLocaleString('en');
  const seconds = (time: number): string => `${(time / 1000).toFixed(1)} s`;
  return [
    `operations in ${seconds(milliseconds.scene)}: ${total(operations)}`,
    ...table(operations),
    `values that were looked for: ${total(values)}`,
    ...table(values),
    `bytes that were searched in ${seconds(milliseconds.search)}: ${total(searched)}`,
    ...table(searched),
    `planted texts that had to be found: ${controls}, of which not found: ${overlooked.length}`,
    ...overlooked.map((what) => `  NOT FOUND  ${what}`),
    `secrets found: ${findings.length}`,
    ...findings.map(
      ({ kind, form, place, source, at }) => `  FOUND  ${kind}, ${form}, in ${place}: ${source} at ${at}`,
    ),
  ].join('\n');
}
