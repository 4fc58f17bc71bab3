/**
 * How many generated denials get a way to yes, and how many of the ways are the shortest:
 *
 *     npm run explain:denials -- --denials 2000 --seed 1 [--tried 3]
 *
 * Ends with status 1 when fewer than 99 % get one, some way does not work, or trying everything finds a shorter one for
 * more than 5 %.
 */
import { describeChange } from '../../src/policy/index.js';
import { number, readOptions, seed } from '../kit/options.js';
import { judgeDenials } from './explained-denials.js';

const values = readOptions(
  'npm run explain:denials --',
  'How many generated denials get a way to yes, and how many of the ways are the shortest.',
  {
    denials: number('denials', 1_000),
    tried: number('up to how many elements are tried together for a shorter way', 2),
    show: number('how many of each that failed are printed', 0, { least: 0 }),
    seed: seed(),
  },
);
const shares = judgeDenials(values.denials, values.seed, values.tried);
const percent = (part: number, whole: number): string => `${((100 * part) / Math.max(1, whole)).toFixed(2)} %`;
const print = (line: string): void => void process.stdout.write(`${line}\n`);

print(`denials          ${shares.denials} (seed ${values.seed})`);
print(`with a way       ${shares.withWay} (${percent(shares.withWay, shares.denials)})`);
for (const [kind, count] of Object.entries(shares.kinds).sort()) print(`  ${kind.padEnd(14)} ${count}`);
print(`ways that work   ${shares.verified} (${percent(shares.verified, shares.withWay)})`);
print(
  `none shorter     ${shares.minimal} (${percent(shares.minimal, shares.withWay)}), up to ${values.tried} elements tried together`,
);
for (const { denial, way, shorter } of shares.longer.slice(0, values.show)) {
  print(JSON.stringify({ shorter, way: way.changes.map(describeChange), request: denial.request, context: denial.entries, sources: denial.sources }, null, 1)); // prettier-ignore
}
for (const denial of shares.without.slice(0, values.show)) {
  print(JSON.stringify({ without: true, request: denial.request, context: denial.entries, sources: denial.sources }, null, 1)); // prettier-ignore
}
const good =
  shares.withWay >= 0.99 * shares.denials &&
  shares.verified === shares.withWay &&
  shares.minimal >= 0.95 * shares.withWay;
process.exitCode = good ? 0 : 1;
