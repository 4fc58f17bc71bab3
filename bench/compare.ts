/**
 * What it costs to compare two documents.
 *
 *     npm run build:program && npx tsx bench/compare.ts [statements, 200] [part of a make-up's name]
 *
 * Compares the built code's two documents of so many statements each, of several make-ups: one edited a little into the other,
 * in ways that change nothing, narrow, widen or both, and two that have nothing to do with each other. Prints the verdict, how
 * long the first comparison took and the median of the next ones, in milliseconds; ends with status 1 when some first comparison
 * took more than 500. What is UNKNOWN is counted at the end: of the adversarial make-ups some are.
 */
import type { comparePolicies as Compare, Condition, PolicyDocument, Statement } from '../src/policy/index.js';
import { Dice } from '../test/replay/random.js';

const { comparePolicies } = (await import(new URL('../dist/policy/index.js', import.meta.url).href)) as {
  comparePolicies: typeof Compare;
};
const size = Number(process.argv[2] ?? 200);
const only = process.argv[3] ?? '';
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
  readonly effect?: (dice: Dice) => Statement['effect'];
  readonly conditions?: (dice: Dice) => readonly Condition[];
  /** Whether what is named is all that a statement is not about. */
  readonly except?: (dice: Dice) => readonly ('action' | 'resource')[];
}

const aimed = { action: () => 'obs:object:get', resource: () => null };
const object = (path: string): string => `obs:*:*:object:${path}`;
const condition = (operator: string, key: string, ...values: readonly string[]): readonly Condition[] => [
  { operator, key, values },
];
/** Letters with wildcards between them. */
const woven = (dice: Dice, wildcards: readonly string[]): string =>
  Array.from({ length: 2 + dice.below(4) }, () => dice.pick(['a', 'b', 'c', 'ab', 'ba'])).reduce(
    (text, letters) => text + letters + dice.pick(wildcards),
    dice.pick(['', '*']),
  );
const network = (dice: Dice): string =>
  `10.${dice.below(4)}.${dice.below(8) * 32}.0/${dice.pick([12, 15, 16, 19, 20, 24])}`;
const day = (dice: Dice): string => `20${20 + dice.below(20)}-0${1 + dice.below(9)}-1${dice.below(9)}T00:00:00Z`;

const named = (dice: Dice): string => `${dice.pick(services)}:${dice.pick(types)}:${dice.pick(operations)}`;
const kinds: readonly (readonly [name: string, make: Make])[] = [
  ['actions by name, folders', { action: named, resource: (dice) => (dice.chance(0.4) ? null : `*:*:*:*:team-${dice.pick(['a', 'b', 'c', 'd'])}/${dice.pick(['*', 'models/*', 'data/*'])}`) }],
  ['a third patterns, folders', { action: (dice) => dice.chance(0.33) ? `${dice.pick(services)}:${dice.chance(0.5) ? '*' : dice.pick(types)}:${dice.pick(['*', 'get*', 'list'])}` : named(dice), resource: (dice) => (dice.chance(0.4) ? null : `${dice.pick([...services, '*'])}:*:*:${dice.pick([...types, '*'])}:team-${dice.below(9)}/*`) }],
  ['one action, a resource each', { action: () => 'modelarts:notebook:get', resource: (dice) => `modelarts:*:*:notebook:n${dice.below(10_000)}` }],
  ['one action, patterns of resources', { action: () => 'obs:object:get', resource: (dice) => `obs:*:*:object:${dice.pick(['team', 'user', 'job'])}-${dice.below(50)}/${dice.pick(['*', '*.csv', 'out/*'])}` }],
  ['ones own folders', { action: named, resource: (dice) => `obs:*:*:object:${dice.pick(['${g:UserName}/*', '${g:UserName}/out/*', 'shared/*', 'team-a/*'])}` }],
  ['a team anywhere in the resource', { ...aimed, resource: (dice) => object(`*team-${dice.below(400)}*`) }],
  ['a team anywhere in a tag', { ...aimed, conditions: (dice) => condition('StringLike', 'g:ResourceTag/team', `*team-${dice.below(400)}*`) }],
  ['three teams anywhere in a tag, or none of them', { ...aimed, conditions: (dice) => condition(dice.pick(['StringLike', 'StringNotLike']), 'g:ResourceTag/team', ...[0, 1, 2].map(() => `*team-${dice.below(90)}*`)) }],
  ['letters between wildcards', { ...aimed, resource: (dice) => object(woven(dice, ['*'])) }],
  ['letters between wildcards, some of one character', { ...aimed, resource: (dice) => object(woven(dice, ['*', '?', '*', '*??'])) }],
  ['letters far from the end', { ...aimed, resource: (dice) => object(`*${dice.pick(['a', 'b', 'c'])}${'?'.repeat(dice.below(24))}`) }],
  ['letters between wildcards, under conditions', { ...aimed, resource: (dice) => object(woven(dice, ['*', '*', '?'])), conditions: (dice) => dice.some(conditions, 2) }],
  ['many Denies over a few Allows', { ...aimed, effect: (dice) => dice.chance(0.05) ? 'ALLOW' : 'DENY', resource: (dice) => object(dice.chance(0.1) ? '*' : woven(dice, ['*'])), conditions: (dice) => dice.chance(0.5) ? [] : dice.some(conditions, 2) }],
  ['all but some actions and resources', { action: (dice) => `${dice.pick(services)}:${dice.pick(types)}:${dice.pick(['get*', 'list', '*'])}`, resource: (dice) => object(`team-${dice.below(40)}/*`), except: (dice) => dice.some(['action', 'resource'] as const, 2) }],
  ['all but a team anywhere', { ...aimed, resource: (dice) => object(`*team-${dice.below(60)}*`), except: (dice) => dice.chance(0.3) ? ['resource'] : [] }],
  ['letters between wildcards in actions', { action: (dice) => `${dice.pick(['obs', '*'])}:${woven(dice, ['*'])}:${woven(dice, ['*', '?'])}`, resource: () => null }],
  ['thirty keys', { ...aimed, conditions: (dice) => [0, 1, 2].flatMap(() => condition(dice.pick(['StringEquals', 'StringNotEquals', 'StringLike']), `g:ResourceTag/k${dice.below(30)}`, dice.pick(['a', 'b', 'a*', '*b']))) }],
  ['networks in networks', { ...aimed, conditions: (dice) => condition(dice.pick(['IpAddress', 'IpAddress', 'NotIpAddress']), 'g:SourceIp', network(dice), network(dice)) }],
  ['times', { ...aimed, conditions: (dice) => [...condition('DateGreaterThan', 'g:CurrentTime', day(dice)), ...condition('DateLessThan', 'g:CurrentTime', day(dice))] }],
  ['lists of values', { ...aimed, conditions: (dice) => condition(dice.pick(['ForAllValues:StringLike', 'ForAnyValue:StringLike', 'ForAllValues:StringNotEquals', 'ForAnyValue:StringEquals']), 'g:TagKeys', ...Array.from({ length: 3 }, () => dice.pick(['a', 'b', 'c', 'd', 'e', 'f', 'a*', '*b', '*c*']))) }],
  ['variables of many keys', { ...aimed, resource: (dice) => object(`${dice.pick(['*', 'home/', 'team-'])}\${${dice.pick(['g:UserName', 'g:UserId', 'g:ResourceTag/team', 'g:DomainName'])}}${dice.pick(['*', '/*', `/${dice.below(20)}/*`])}`), conditions: (dice) => dice.chance(0.7) ? [] : condition('StringLike', dice.pick(['g:UserName', 'g:UserId']), `${dice.pick(['a', 'b', 'c'])}*`) }],
]; // prettier-ignore

function statementOf(dice: Dice, make: Make): Statement {
  const about = make.resource(dice);
  const resources = about === null ? null : [about];
  const effect = make.effect?.(dice) ?? (dice.chance(0.85) ? 'ALLOW' : 'DENY');
  const actions = Array.from({ length: 1 + dice.below(4) }, () => make.action(dice));
  const held = make.conditions?.(dice) ?? (dice.chance(0.5) ? [] : dice.some(conditions, 2));
  const except = make.except?.(dice) ?? [];
  return {
    index: 0,
    sid: null,
    effect,
    actions: except.includes('action') ? [] : actions,
    notActions: except.includes('action') ? actions : null,
    resources: except.includes('resource') ? null : resources,
    notResources: except.includes('resource') ? resources : null,
    conditions: held,
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

/**
 * Milliseconds: the lesser of what the clock and the processor say. The one counts what others do meanwhile, the other also
 * the threads that compile and collect beside; who waits for an answer waits no longer than either on a quiet machine.
 */
function timed<T>(work: () => T): readonly [T, number] {
  const [began, from] = [performance.now(), process.cpuUsage()];
  const result = work();
  const { user, system } = process.cpuUsage(from);
  return [result, Math.min(performance.now() - began, (user + system) / 1000)];
}

let failed = false;
let unknown = 0;
for (const [kind, make] of kinds) {
  for (const [edit, change] of edits) {
    if (!`${kind}; ${edit}`.includes(only)) continue;
    const dice = new Dice(7);
    const list = Array.from({ length: size }, () => statementOf(dice, make));
    const [before, after] = [documentOf(list), documentOf(change(list, dice, make))];
    const [{ verdict }, first] = timed(() => comparePolicies(before, after));
    const next = Array.from(
      { length: first > most ? 0 : 5 },
      () => timed(() => comparePolicies(before, after))[1],
    ).sort((a, b) => a - b);
    failed ||= first > most;
    if (verdict === 'UNKNOWN') unknown += 1;
    process.stdout.write(`${`${kind}; ${edit}`.padEnd(72)} ${verdict.padEnd(13)} ${first.toFixed(0).padStart(5)} ${(next[2] ?? 0).toFixed(0).padStart(5)}\n`); // prettier-ignore
  }
}
process.stdout.write(`UNKNOWN ${unknown}\n`);
process.exit(failed ? 1 : 0);
