/**
 * What it costs to compare two documents.
 *
 *     npx tsc -p tsconfig.build.json && npx tsx bench/compare.ts [statements, 200]
 *
 * Compares the built code's two documents of so many statements each, of several make-ups: one edited a little into the other,
 * in ways that change nothing, narrow, widen or both, and two that have nothing to do with each other. Prints the verdict, the
 * processor time of the first comparison and the median of the next ones, in milliseconds; ends with status 1 when some first
 * comparison took more than 500, or is UNKNOWN.
 */
import type { comparePolicies as Compare, Condition, PolicyDocument, Statement } from '../src/policy/index.js';
import { Dice } from '../test/replay/random.js';

const { comparePolicies } = (await import(new URL('../dist/policy/index.js', import.meta.url).href)) as {
  comparePolicies: typeof Compare;
};
const size = Number(process.argv[2] ?? 200);
const most = 500;

const services = ['modelarts', 'obs', 'ecs', 'vpc', 'swr', 'iam', 'cce', 'dcs', 'evs', 'rds'];
const types = ['notebook', 'pool', 'job', 'image', 'service', 'dataset', 'bucket', 'object'];
const operations = ['create', 'delete', 'get', 'list', 'update', 'start', 'stop', 'getAcl'];
const conditions: readonly Condition[] = [
  { operator: 'Bool', key: 'g:MFAPresent', values: ['true'] },
  { operator: 'IpAddress', key: 'g:SourceIp', values: ['10.0.0.0/8', '192.0.2.0/24'] },
  { operator: 'StringEquals', key: 'g:ResourceTag/team', values: ['red', 'blue'] },
  { operator: 'StringNotEquals', key: 'g:ResourceTag/stage', values: ['production'] },
  { operator: 'StringLike', key: 'g:ResourceTag/team', values: ['re*'] },
  { operator: 'DateLessThan', key: 'g:CurrentTime', values: ['2027-01-01T00:00:00Z'] },
  { operator: 'NumberLessThan', key: 'g:MFAAge', values: ['3600'] },
];

interface Make {
  readonly action: (dice: Dice) => string;
  readonly resource: (dice: Dice) => string | null;
}

const named = (dice: Dice): string => `${dice.pick(services)}:${dice.pick(types)}:${dice.pick(operations)}`;
const kinds: readonly (readonly [name: string, make: Make])[] = [
  ['actions by name, folders', { action: named, resource: (dice) => (dice.chance(0.4) ? null : `*:*:*:*:team-${dice.pick(['a', 'b', 'c', 'd'])}/${dice.pick(['*', 'models/*', 'data/*'])}`) }],
  ['a third patterns, folders', { action: (dice) => dice.chance(0.33) ? `${dice.pick(services)}:${dice.chance(0.5) ? '*' : dice.pick(types)}:${dice.pick(['*', 'get*', 'list'])}` : named(dice), resource: (dice) => (dice.chance(0.4) ? null : `${dice.pick([...services, '*'])}:*:*:${dice.pick([...types, '*'])}:team-${dice.below(9)}/*`) }],
  ['one action, a resource each', { action: () => 'modelarts:notebook:get', resource: (dice) => `modelarts:*:*:notebook:n${dice.below(10_000)}` }],
  ['one action, patterns of resources', { action: () => 'obs:object:get', resource: (dice) => `obs:*:*:object:${dice.pick(['team', 'user', 'job'])}-${dice.below(50)}/${dice.pick(['*', '*.csv', 'out/*'])}` }],
  ['ones own folders', { action: named, resource: (dice) => `obs:*:*:object:${dice.pick(['${g:UserName}/*', '${g:UserName}/out/*', 'shared/*', 'team-a/*'])}` }],
]; // prettier-ignore

function statementOf(dice: Dice, { action, resource }: Make): Statement {
  const about = resource(dice);
  return {
    index: 0,
    sid: null,
    effect: dice.chance(0.85) ? 'ALLOW' : 'DENY',
    actions: Array.from({ length: 1 + dice.below(4) }, () => action(dice)),
    notActions: null,
    resources: about === null ? null : [about],
    notResources: null,
    conditions: dice.chance(0.5) ? [] : dice.some(conditions, 2),
  };
}

function documentOf(statements: readonly Statement[]): PolicyDocument {
  return { version: '5.0', statements: statements.map((one, index) => ({ ...one, index })), depends: [] };
}

const edits: readonly (readonly [name: string, (list: readonly Statement[], dice: Dice, make: Make) => readonly Statement[]])[] = [
  ['the same, each statement in two', (list) => list.flatMap((one) => one.actions.length < 2 ? [one] : [{ ...one, actions: one.actions.slice(0, 1) }, { ...one, actions: one.actions.slice(1) }])],
  ['a condition more on ten Allows', (list) => list.map((one, i) => i % 20 === 0 && one.effect === 'ALLOW' ? { ...one, conditions: [...one.conditions, { operator: 'StringEquals', key: 'g:ResourceTag/owner', values: ['me'] }] } : one)],
  ['every Allow on one resource', (list) => list.map((one) => one.effect === 'ALLOW' ? { ...one, resources: one.resources?.map((text) => text.replace('*', 'eu')) ?? ['obs:*:*:*:*'] } : one)],
  ['ten statements others', (list, dice, make) => list.map((one, i) => (i % 20 === 0 ? statementOf(dice, make) : one))],
  ['all others', (list, dice, make) => list.map(() => statementOf(dice, make))],
]; // prettier-ignore

/** Milliseconds of the processor. */
function timed<T>(work: () => T): readonly [T, number] {
  const from = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(from);
  return [result, (user + system) / 1000];
}

let failed = false;
for (const [kind, make] of kinds) {
  for (const [edit, change] of edits) {
    const dice = new Dice(7);
    const list = Array.from({ length: size }, () => statementOf(dice, make));
    const [before, after] = [documentOf(list), documentOf(change(list, dice, make))];
    const [{ verdict }, first] = timed(() => comparePolicies(before, after));
    const next = Array.from({ length: 5 }, () => timed(() => comparePolicies(before, after))[1]).sort((a, b) => a - b);
    failed ||= first > most || verdict === 'UNKNOWN';
    process.stdout.write(`${`${kind}; ${edit}`.padEnd(72)} ${verdict.padEnd(13)} ${first.toFixed(0).padStart(5)} ${(next[2] ?? 0).toFixed(0).padStart(5)}\n`); // prettier-ignore
  }
}
process.exit(failed ? 1 : 0);
