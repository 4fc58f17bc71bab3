/**
 * The compiled policy engine against the reference form on generated policies and requests:
 *
 *     npm run fuzz:policy -- --pairs N [--seed S] [--workers 2]
 *
 * The script bundles this first: translated while it runs, it takes nearly twice as long.
 *
 * Effect, reason, determining statements in order, missing keys, problems and the bare effect must be the same. The seed is
 * printed; each world has one of its own (`--seed` of a world and `--workers 1 --pairs 1` make it again). Ends with status 1
 * at the first disagreement, which is printed whole, and when a kind of answer never came up.
 */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { number, readOptions, seed as seedOption } from '../kit/options.js';
import { compareFrom, type Disagreement, emptyTally, type Tally } from './comparison.js';

interface Order {
  readonly seed: number;
  readonly step: number;
  readonly pairs: number;
}
interface Report {
  readonly tally: Tally;
  readonly done: boolean;
  /** In words: contexts do not travel between processes. */
  readonly disagreement: string | null;
}

const order = process.env['FUZZ_ORDER'];
if (order === undefined) await fuzz();
else work(JSON.parse(order) as Order);

function work({ seed, step, pairs }: Order): void {
  const tell = (report: Report): void => void process.send?.(report);
  const { tally, disagreement } = compareFrom(seed, step, pairs, (so) => tell({ tally: so, done: false, disagreement: null })); // prettier-ignore
  tell({ tally, done: true, disagreement: disagreement === null ? null : describe(disagreement) });
}

function describe({ seed, sources, request, what, reference, compiled }: Disagreement): string {
  const context = [...(request.context as ReadonlyMap<string, readonly string[]>)];
  return [
    `${what} disagrees; npm run fuzz:policy -- --seed ${seed} --workers 1 --pairs 1`,
    `policies: ${JSON.stringify(sources.map(({ document }) => document.statements))}`,
    `request: ${JSON.stringify({ ...request, context })}`,
    `reference: ${JSON.stringify(reference)}`,
    `compiled:  ${JSON.stringify(compiled)}`,
  ].join('\n');
}

async function fuzz(): Promise<void> {
  const { pairs, seed, workers } = readOptions(
    'npm run fuzz:policy --',
    'The compiled policy engine against the reference form, on generated policies and requests.',
    {
      pairs: number('policies with a request each', 1_000_000),
      workers: number('processes', availableParallelism()),
      seed: seedOption(),
    },
  );
  process.stdout.write(`seed ${seed}, ${pairs} pairs, ${workers} workers\n`);
  const tallies = Array.from({ length: workers }, emptyTally);
  const started = Date.now();
  let shown = 0;
  const sum = (of: keyof Tally): number => tallies.reduce((all, tally) => all + tally[of], 0);
  const found = await Promise.all(
    tallies.map(
      (_, i) =>
        new Promise<string | null>((resolve, reject) => {
          const order: Order = { seed: seed + i, step: workers, pairs: Math.ceil(pairs / workers) };
          const worker = fork(fileURLToPath(import.meta.url), {
            env: { ...process.env, FUZZ_ORDER: JSON.stringify(order) },
          });
          worker.on('error', reject);
          worker.on('exit', (status) => {
            if (status !== 0) reject(new Error(`a worker ended with status ${status}`));
          });
          worker.on('message', (report) => {
            const { tally, done, disagreement } = report as Report;
            tallies[i] = tally;
            if (done) resolve(disagreement);
            if (Math.floor(sum('pairs') / 1_000_000) > shown) {
              shown = Math.floor(sum('pairs') / 1_000_000);
              process.stdout.write(`${shown} million pairs, ${Math.round((Date.now() - started) / 1000)} s\n`);
            }
          });
        }),
    ),
  );
  const counts = Object.keys(emptyTally()) as (keyof Tally)[];
  process.stdout.write(`${counts.map((name) => `${name} ${sum(name)}`).join(', ')}\n`);
  const disagreements = found.filter((one) => one !== null);
  process.stdout.write(disagreements.length === 0 ? 'no disagreement\n' : `${disagreements.join('\n\n')}\n`);
  const empty = pairs >= 100_000 ? counts.filter((name) => sum(name) === 0) : [];
  if (empty.length > 0) process.stdout.write(`never came up: ${empty.join(', ')}\n`);
  process.exit(disagreements.length + empty.length === 0 ? 0 : 1);
}
