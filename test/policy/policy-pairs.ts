/**
 * Generated pairs of policies to compare: one changed a little into the other, as people edit them, and two that have nothing
 * to do with each other. Half are as people write them, half as the fuzz of the engine draws them, odd in every way.
 */
import type { ComparisonOptions, Condition, PolicyDocument, Statement } from '../../src/policy/index.js';
import { Draw, drawWorld } from '../fuzz/worlds.js';

export interface PolicyPair {
  readonly kind: string;
  readonly before: readonly PolicyDocument[];
  readonly after: readonly PolicyDocument[];
  readonly options: ComparisonOptions;
}

const usualActions = ['modelarts:notebook:get', 'modelarts:notebook:create', 'modelarts:notebook:*', 'modelarts:*:get', 'modelarts:*:*', 'modelarts:pool:get*', 'obs:object:get', 'obs:object:*', 'obs:bucket:list*', 'obs:*:*', 'iam:agencies:assume']; // prettier-ignore
const usualResources = ['obs:*:*:object:team-a/*', 'obs:*:*:object:team-a/models/*', 'obs:*:*:object:team-b/*', 'obs:*:*:object:*', 'obs:*:*:object:${g:UserName}/*', 'obs:*:*:bucket:shared-*', 'modelarts:*:*:notebook:*', 'modelarts:eu:*:notebook:n1', 'modelarts:*:*:pool:gpu-??', '*']; // prettier-ignore
const usualConditions: readonly Condition[] = [
  { operator: 'Bool', key: 'g:MFAPresent', values: ['true'] },
  { operator: 'IpAddress', key: 'g:SourceIp', values: ['10.0.0.0/8'] },
  { operator: 'NotIpAddress', key: 'g:SourceIp', values: ['10.0.0.0/16', '192.0.2.0/24'] },
  { operator: 'StringEquals', key: 'g:ResourceTag/team', values: ['red', 'blue'] },
  { operator: 'StringNotEquals', key: 'g:ResourceTag/team', values: ['red'] },
  { operator: 'StringEquals', key: 'g:ResourceTag/owner', values: ['${g:UserName}'] },
  { operator: 'StringLike', key: 'g:UserName', values: ['team-a-*', 'admin'] },
  { operator: 'ForAllValues:StringEquals', key: 'g:TagKeys', values: ['team', 'cost'] },
  { operator: 'NumberLessThan', key: 'g:MFAAge', values: ['3600'] },
  { operator: 'DateLessThan', key: 'g:CurrentTime', values: ['2027-01-01T00:00:00Z'] },
  { operator: 'Null', key: 'g:MFAAge', values: ['false'] },
  { operator: 'StringEqualsIfExists', key: 'obs:prefix', values: ['home/', ''] },
];

export function drawPair(seed: number): PolicyPair {
  const draw = new Draw(seed);
  const odd = draw.chance(0.5);
  const make = odd ? (): Statement => oddStatement(draw) : (): Statement => usualStatement(draw);
  const count = 1 + draw.below(draw.chance(0.8) ? 4 : 9);
  const before = draw.list(count, make);
  const independent = draw.chance(0.2);
  const after = independent ? draw.list(1 + draw.below(4), make) : edited(draw, before, make);
  const cut = draw.chance(0.2) ? draw.below(after.length + 1) : after.length;
  return {
    kind: `${odd ? 'odd' : 'usual'}, ${independent ? 'independent' : 'edited'}`,
    before: [documentOf(before)],
    after: [documentOf(after.slice(0, cut)), documentOf(after.slice(cut))],
    options: drawOptions(draw),
  };
}

/** Half of the time nothing is known of actions and keys. */
function drawOptions(draw: Draw): ComparisonOptions {
  const single = draw.chance(0.3)
    ? draw.one([['g:mfapresent', 'g:sourceip', 'g:mfaage', 'g:username'], ['g:team']])
    : null;
  const names = ['modelarts:notebook:get', 'modelarts:notebook:create', 'modelarts::getAll', 'obs:object:get', 'obs:bucket:get', 'obs:bucket:delete', 'mod:pool:get', 'iam:agencies:assume']; // prettier-ignore
  const known = draw.chance(0.35) ? names.map((name) => (draw.chance(0.2) ? [name, `${name}2`] : [name])) : null;
  if (known !== null && draw.chance(0.3)) known.push(['obs:object:put', 'obs:bucket:create', 'mod:pool:delete']);
  return {
    ...(single === null ? {} : { singleValued: (key: string) => single.includes(key) }),
    ...(known === null ? {} : { actions: known, anyAction: draw.chance(0.5) }),
  };
}

function documentOf(statements: readonly Statement[]): PolicyDocument {
  return { version: '5.0', statements: statements.map((one, index) => ({ ...one, index })), depends: [] };
}

function oddStatement(draw: Draw): Statement {
  for (;;) {
    // Large worlds are for the indexes of the engine.
    const { sources } = drawWorld(new Draw(draw.below(2 ** 31)));
    const statements = sources.flatMap(({ document }) => document.statements);
    if (statements.length <= 12) return draw.one(statements);
  }
}

function usualStatement(draw: Draw): Statement {
  const some = <T>(from: readonly T[]): T[] => [...new Set(draw.list(1 + draw.below(3), () => draw.one(from)))];
  const resource = draw.next();
  return {
    index: 0,
    sid: null,
    effect: draw.chance(0.3) ? 'DENY' : 'ALLOW',
    actions: some(usualActions),
    notActions: null,
    resources: resource < 0.35 ? null : some(usualResources),
    notResources: null,
    conditions: draw.list(draw.chance(0.5) ? 0 : 1 + draw.below(2), () => draw.one(usualConditions)),
  };
}

/** One to three edits, as somebody would make them. */
function edited(draw: Draw, statements: readonly Statement[], make: () => Statement): readonly Statement[] {
  let list = [...statements];
  for (let edits = draw.below(4); edits > 0; edits -= 1) {
    const place = draw.below(list.length);
    const one = list[place];
    const kind = draw.next();
    if (one === undefined || kind < 0.1) list.splice(draw.below(list.length + 1), 0, make());
    else if (kind < 0.2) list.splice(place, 1);
    else if (kind < 0.27) list = draw.chance(0.5) ? list.toReversed() : [...list, one];
    else list[place] = changed(draw, one, make, kind);
  }
  return list;
}

function changed(draw: Draw, one: Statement, make: () => Statement, kind: number): Statement {
  if (kind < 0.37) return { ...one, effect: one.effect === 'ALLOW' ? 'DENY' : 'ALLOW' };
  if (kind < 0.47) return { ...one, conditions: one.conditions.slice(1) };
  if (kind < 0.57) return { ...one, conditions: [...one.conditions, ...make().conditions] };
  if (kind < 0.72) return { ...one, conditions: one.conditions.map((condition) => changedCondition(draw, condition)) };
  const lists = (['actions', 'notActions', 'resources', 'notResources'] as const).filter((list) => (one[list] ?? []).length > 0); // prettier-ignore
  if (lists.length === 0) return one;
  const list = draw.one(lists);
  const patterns = one[list] ?? [];
  const place = draw.below(patterns.length);
  return {
    ...one,
    [list]: patterns.flatMap((pattern, i) => (i === place ? changedPattern(draw, pattern) : [pattern])),
  };
}

function changedPattern(draw: Draw, pattern: string): string[] {
  const segments = pattern.split(':');
  const place = draw.chance(0.5) ? segments.length - 1 : draw.below(segments.length);
  const segment = segments[place] ?? '';
  const to = draw.one(['*', `${segment}*`, segment.replace('*', 'x'), `${segment.slice(0, 1)}*`, segment.replace('*', '?'), '']); // prettier-ignore
  const made = segments.with(place, place === 0 && to === '' ? '*' : to).join(':');
  return draw.chance(0.3) ? [pattern, made] : [made];
}

function changedCondition(draw: Draw, condition: Condition): Condition {
  const { operator, values } = condition;
  const form = draw.next();
  if (form < 0.25) return { ...condition, values: values.length > 1 ? values.slice(1) : [...values, ...values] };
  if (form < 0.5) return { ...condition, values: [...values, draw.one(['alice', '7', 'true', '10.1.0.0/16', '2026-06-01', 'a*', ...values])] }; // prettier-ignore
  if (form < 0.6) return { ...condition, operator: operator.endsWith('IfExists') ? operator.slice(0, -8) : `${operator}IfExists` }; // prettier-ignore
  if (form < 0.7) return { ...condition, operator: operator.includes('Not') ? operator.replace('Not', '') : operator.replace('String', 'StringNot') }; // prettier-ignore
  if (form < 0.8) return { ...condition, operator: operator.includes(':') ? (operator.split(':')[1] ?? operator) : `ForAllValues:${operator}` }; // prettier-ignore
  if (form < 0.9) return { ...condition, operator: operator.replace('LessThanEquals', 'GreaterThan').replace(/LessThan$/, 'LessThanEquals') }; // prettier-ignore
  return { ...condition, values: values.map((value) => value.replace(/\d+$/, (digits) => String(Number(digits) + 1))) };
}
