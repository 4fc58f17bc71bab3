/**
 * Comparisons of generated pairs of policies, held against mere asking:
 *
 *     npm run compare:policies -- --pairs N [--seed S] [--requests 800]
 *
 * Every witness is put to both forms of the engine, and for what a verdict denies a request is looked for in a universe made
 * by other means than the search. Ends with status 1 at a disagreement, or when more than 2 % are UNKNOWN.
 */
import { number, readOptions, seed as seedOption } from '../kit/options.js';
import { checkPair, emptyComparisonTally } from './compared-policies.js';

const { pairs, requests, seed } = readOptions(
  'npm run compare:policies --',
  'Comparisons of generated pairs of policies, held against mere asking.',
  {
    pairs: number('pairs', 10_000),
    requests: number('a quarter of the most requests that are asked about a pair', 200),
    seed: seedOption(),
  },
);
process.stdout.write(`seed ${seed}, ${pairs} pairs, up to ${requests * 4} requests each\n`);
const tally = emptyComparisonTally();
const disagreements: string[] = [];
for (let pair = 0; pair < pairs && disagreements.length < 5; pair += 1) {
  const wrong = checkPair(seed + pair, tally, requests);
  if (wrong !== null) disagreements.push(wrong);
}
const share = tally.verdicts.UNKNOWN / pairs;
process.stdout.write(
  [
    Object.entries(tally.verdicts).map(([verdict, count]) => `${verdict} ${count}`).join(', '),
    `UNKNOWN ${(share * 100).toFixed(2)} %: ${JSON.stringify(tally.unknownByKind)}`,
    `witnesses ${tally.witnesses}, confirmed by both forms ${tally.confirmed}; requests asked ${tally.requests}`,
    disagreements.length === 0 ? 'no disagreement' : disagreements.join('\n\n'),
    '',
  ].join('\n'),
); // prettier-ignore
process.exit(disagreements.length > 0 || share > 0.02 ? 1 : 0);
