/** Comparing policies: a table of cases, and a small run of `npm run compare:policies`. */
import { describe, expect, it } from 'vitest';
import {
  comparePolicies,
  type ComparisonVerdict,
  type Condition,
  type Statement,
  type Witness,
} from '../../src/policy/index.js';
import { Draw } from '../fuzz/worlds.js';
import { documentOf } from './arbitraries.js';
import { checkPair, emptyComparisonTally, faultOf, refutation } from './compared-policies.js';
import { parsed } from './parsed.js';
import { drawPair } from './policy-pairs.js';
import { seed } from './seed.js';
import { readTable } from './table.js';

interface Row {
  readonly sentence: string;
  readonly before: readonly unknown[];
  readonly after: readonly unknown[];
  readonly verdict: ComparisonVerdict;
  readonly actions?: readonly (readonly string[])[];
  readonly anyAction?: boolean;
  readonly singleValued?: readonly string[];
  /** How many values keys have in the witness; null: the key is absent. */
  readonly gained?: Readonly<Record<string, number | null>>;
  readonly lost?: Readonly<Record<string, number | null>>;
}

const opposite: Readonly<Record<ComparisonVerdict, ComparisonVerdict>> = { EQUIVALENT: 'EQUIVALENT', NARROWER: 'WIDER', WIDER: 'NARROWER', INCOMPARABLE: 'INCOMPARABLE', UNKNOWN: 'UNKNOWN' }; // prettier-ignore

function countOf(witness: Witness | null, key: string): number | null {
  return witness?.context.find(([name]) => name === key)?.[1].length ?? null;
}

describe('cases', () => {
  it.each(readTable<Row>('comparisons.json'))('$sentence', ({ verdict, gained, lost, ...row }) => {
    const [before, after] = [row.before, row.after].map((statements) =>
      statements.map((statement) => parsed({ Version: '5.0', Statement: [statement] })),
    ) as [ReturnType<typeof parsed>[], ReturnType<typeof parsed>[]];
    const options = {
      ...(row.actions === undefined ? {} : { actions: row.actions }),
      ...(row.anyAction === undefined ? {} : { anyAction: row.anyAction }),
      ...(row.singleValued === undefined
        ? {}
        : { singleValued: (key: string) => row.singleValued?.includes(key) === true }),
    };
    const comparison = comparePolicies(before, after, options);
    expect(comparison.verdict).toBe(verdict);
    expect(comparePolicies(after, before, options).verdict).toBe(opposite[verdict]);
    const tally = emptyComparisonTally();
    expect(faultOf(comparison, before, after, tally)).toBeNull();
    expect(refutation(comparison, before, after, new Draw(seed), 40, tally, options)).toBeNull();
    for (const [key, count] of Object.entries(gained ?? {})) expect(countOf(comparison.gained, key)).toBe(count);
    for (const [key, count] of Object.entries(lost ?? {})) expect(countOf(comparison.lost, key)).toBe(count);
  });
});

describe('what the parser would refuse', () => {
  const one = (effect: Statement['effect'], condition?: Condition): Statement => ({
    index: 0,
    sid: null,
    effect,
    actions: ['obs:object:get'],
    notActions: null,
    resources: null,
    notResources: null,
    conditions: condition === undefined ? [] : [condition],
  });
  const unknown = { operator: 'Resembles', key: 'k:t', values: ['a'] };
  const illTyped = { operator: 'NumberEquals', key: 'k:n', values: ['five'] };
  const alice = { operator: 'StringEquals', key: 'g:UserName', values: ['alice'] };
  const named = (effect: Statement['effect'], ...paths: readonly string[]): Statement => ({
    ...one(effect, alice),
    resources: paths.map((path) => `obs:*:*:object:${path}`),
  });
  const hundred = Array.from({ length: 100 }, (_, i) => (i === 0 ? '${g:UserName}/x' : i === 96 ? 'b/y' : `f/${i}`));

  it.each([
    ['an operator that nobody knows lets an Allow allow nothing', [one('ALLOW', unknown)], 'EQUIVALENT'],
    ['an operator that nobody knows lets a Deny deny all', [one('ALLOW'), one('DENY', unknown)], 'EQUIVALENT'],
    ['a listed value of the wrong type makes a condition hold for nothing', [one('ALLOW', illTyped)], 'EQUIVALENT'],
    ['a Deny whose listed value has the wrong type denies nothing', [one('ALLOW'), one('DENY', illTyped)], 'NARROWER'],
    ['a list of a hundred resources names each of them', [named('ALLOW', ...hundred)], 'NARROWER'],
    [
      'of a hundred resources one is not denied',
      [named('ALLOW', ...hundred), named('DENY', '${g:UserName}/*', 'f/*')],
      'NARROWER',
    ],
  ])('%s', (_, statements, verdict) => {
    expect(comparePolicies(documentOf(statements), documentOf([])).verdict).toBe(verdict);
  });
});

it('generated pairs: witnesses are confirmed, verdicts stand against asking, and few stay unknown', () => {
  const tally = emptyComparisonTally();
  const pairs = 125;
  // The first half is the same in every run: how often a verdict comes up is a claim about the generator, and chance
  // would break it now and then.
  for (let pair = 0; pair < pairs; pair += 1) expect(checkPair(pair, tally, 30)).toBeNull();
  for (const [verdict, count] of Object.entries(tally.verdicts)) {
    if (verdict === 'UNKNOWN') expect(count).toBeLessThanOrEqual(pairs * 0.02);
    else expect(count, verdict).toBeGreaterThan(pairs * 0.05);
  }
  for (let pair = 0; pair < pairs; pair += 1) expect(checkPair(seed + pair, tally, 30)).toBeNull();
  expect(tally.confirmed).toBe(tally.witnesses);
  process.stderr.write(`comparisons: ${JSON.stringify(tally)}\n`);
});

it('mere asking would find most verdicts that are wrong', () => {
  let [found, wrong] = [0, 0];
  for (let pair = 0; wrong < 40; pair += 1) {
    const { before, after, options } = drawPair(seed + pair);
    const comparison = comparePolicies(before, after, options);
    if (comparison.verdict !== 'INCOMPARABLE') continue;
    wrong += 1;
    const claimed = { ...comparison, verdict: 'EQUIVALENT' } as const;
    if (refutation(claimed, before, after, new Draw(seed), 150, emptyComparisonTally(), options) !== null) found += 1;
  }
  process.stderr.write(`of ${wrong} wrong verdicts asking found ${found}\n`);
  expect(found).toBeGreaterThan(wrong * 0.5);
});

it('says UNKNOWN, and nothing that it has not seen, when its steps are spent', () => {
  const { before, after } = drawPair(seed);
  for (const steps of [0, 1, 10, 100, 1000]) {
    expect(faultOf(comparePolicies(before, after, { steps }), before, after, emptyComparisonTally())).toBeNull();
  }
  const document = parsed({ Version: '1.1', Statement: [{ Effect: 'Allow', Action: ['obs:object:get'], Resource: ['obs:*:*:object:a*'] }] }); // prettier-ignore
  const other = parsed({ Version: '1.1', Statement: [{ Effect: 'Allow', Action: ['obs:object:get'], Resource: ['obs:*:*:object:*'] }] }); // prettier-ignore
  expect(comparePolicies(document, other, { steps: 1 }).verdict).toBe('UNKNOWN');
  expect(comparePolicies(document, other).verdict).toBe('WIDER');
});
