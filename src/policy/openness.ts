/**
 * Decisions of which some keys of the context, or the resource, are not known yet: three verdicts instead of two.
 *
 * YES: allowed whatever they come to. NO: denied whatever they come to. IF: everything else, with the keys that it turns
 * on and the condition that is left. What is known is decided by the reference form; what is left is a formula of tests.
 * Tests of one key hang together: its values that can make a difference are enumerated, or, where they cannot all be
 * listed, every way in which its tests might come out. So YES and NO are never wrong. IF may stand where a longer
 * calculation would say YES or NO: `exact` says whether it was shown that the answer really differs.
 */
import { testCondition } from './conditions.js';
import { contextWith, type RequestContext } from './context.js';
import type { Condition, Statement } from './document.js';
import { meetCondition } from './evaluation.js';
import {
  allOf,
  anyOf,
  constant,
  every,
  type Expression,
  holds,
  keyOf,
  negation,
  none,
  replaceTests,
  testOf,
} from './expressions.js';
import { readOperator } from './operators.js';
import { waysOf, type Way } from './representatives.js';
import { matchResource, readResourcePattern, resourcePatternCovers, segmentCount } from './resources.js';
import { hasVariables, readTemplate } from './templates.js';

export type OpenKeyTest =
  /** A condition, as written. */
  | { readonly about: 'CONDITION'; readonly operator: string; readonly key: string; readonly values: readonly string[] }
  /** The resource fits the pattern, as written. */
  | { readonly about: 'RESOURCE'; readonly pattern: string }
  /** Keys that the pattern needs are absent, or have several values, and everything else of it fits. */
  | { readonly about: 'UNRESOLVED'; readonly pattern: string };

export interface OpenRequest {
  /** Null: about no resource in particular. `anyResource`: it is about one, nobody knows which. */
  readonly resource: string | null | typeof anyResource;
  /** What is known; open keys are absent. */
  readonly context: RequestContext;
  /** Whether a key, in lower case, may come to anything. */
  readonly isOpen: (key: string) => boolean;
  /** Whether an open key has at most one value; else it may have several. */
  readonly isSingle?: (key: string) => boolean;
  /** Whether a request may bring this value of an open key at all; else any. */
  readonly accepts?: (key: string, value: string) => boolean;
  /**
   * What an open key hangs together with: other keys of the same tie, or with `RESOURCE` the resource that nobody knows
   * yet. Which of their outcomes go together is not known, so none of them shows that an answer differs.
   */
  readonly tieOf?: (key: string) => string | null;
}

export const anyResource = Symbol('any resource');

export interface OpenVerdict {
  readonly verdict: 'YES' | 'IF' | 'NO';
  /** Open keys that it turns on, in lower case, sorted. Empty unless IF. */
  readonly keys: readonly string[];
  /** Whether it turns on the resource. */
  readonly resource: boolean;
  /** What must hold for the action to be allowed. */
  readonly condition: Expression<OpenKeyTest>;
  /** False: IF was the most that could be said within the budget. YES and NO are always exact. */
  readonly exact: boolean;
}

/** Combinations that one verdict may look at. */
const mostCombinations = 4096;

/** Tests of one key, of which nobody can list all values, that are taken apart. */
const mostFreeTests = 6;

/** What some statements about the action ask of what is open, by effect. */
export interface OpenFormulas {
  readonly allowed: Expression<OpenKeyTest>;
  readonly denied: Expression<OpenKeyTest>;
}

export function openFormulas(statements: readonly Statement[], request: OpenRequest): OpenFormulas {
  const of = (effect: Statement['effect']): Expression<OpenKeyTest> =>
    anyOf(statements.filter((one) => one.effect === effect).map((one) => formulaOf(one, request)));
  return { allowed: of('ALLOW'), denied: of('DENY') };
}

/** The verdict of statements that are about the action: allowed by one and denied by none. */
export function openVerdict(statements: readonly Statement[], request: OpenRequest): OpenVerdict {
  const { allowed, denied } = openFormulas(statements, request);
  return verdictOf(allOf([allowed, negation(denied)]), request);
}

/** The verdict of a formula: whether it holds whatever the open keys come to. */
export function verdictOf(formula: Expression<OpenKeyTest>, request: OpenRequest): OpenVerdict {
  const settled = (verdict: 'YES' | 'NO'): OpenVerdict => ({
    verdict,
    keys: [],
    resource: false,
    condition: constant(verdict === 'YES'),
    exact: true,
  });
  if (formula.kind === 'EVERY') return settled('YES');
  if (formula.kind === 'NONE') return settled('NO');

  const axes = axesOf(formula, request);
  const combinations = axes.reduce((product, { ways }) => product * (ways?.length ?? Infinity), 1);
  if (combinations > mostCombinations) return undecided(formula, axes);

  const size = axes.map(({ ways }) => ways?.length ?? 0);
  const outcomes: boolean[] = [];
  const shown = { yes: false, no: false };
  const places = axes.map(() => 0);
  for (let at = 0; at < combinations; at++) {
    let rest = at;
    let real = true;
    const truths = new Map<string, boolean>();
    for (const [i, axis] of axes.entries()) {
      places[i] = rest % (size[i] ?? 1);
      rest = Math.floor(rest / (size[i] ?? 1));
      const way = axis.ways?.[places[i] ?? 0];
      if (way === undefined) continue;
      real &&= way.real;
      for (const [j, key] of axis.tests.entries()) truths.set(key, way.truths[j] ?? false);
    }
    const outcome = holds(formula, (test) => truths.get(keyOf(testOf(test))) ?? false);
    outcomes.push(outcome);
    if (real) shown[outcome ? 'yes' : 'no'] = true;
  }
  if (!outcomes.includes(false)) return settled('YES');
  if (!outcomes.includes(true)) return settled('NO');

  const turning = axes.filter((_, i) => turnsOn(outcomes, size, i));
  const first = new Map(
    axes
      .filter((axis) => !turning.includes(axis))
      .flatMap(({ tests, ways }) => tests.map((key, j) => [key, ways?.[0]?.truths[j] ?? false] as const)),
  );
  const condition = replaceTests(formula, (test): Expression<OpenKeyTest> => {
    const known = first.get(keyOf(testOf(test)));
    return known === undefined ? testOf(test) : constant(known);
  });
  return { ...undecided(condition, turning), exact: shown.yes && shown.no };
}

function undecided(condition: Expression<OpenKeyTest>, axes: readonly Axis[]): OpenVerdict {
  const keys = [...new Set(axes.flatMap((axis) => axis.keys))].sort();
  return { verdict: 'IF', keys, resource: axes.some((axis) => axis.resource), condition, exact: false };
}

/** Whether some outcome changes when nothing but one axis does. */
function turnsOn(outcomes: readonly boolean[], size: readonly number[], axis: number): boolean {
  const step = size.slice(0, axis).reduce((product, one) => product * one, 1);
  const turn = step * (size[axis] ?? 1);
  return outcomes.some((outcome, at) => outcome !== outcomes[at - (((at % turn) / step) | 0) * step]);
}

/** Tests that hang together, with the ways in which they can come out. */
interface Axis {
  readonly keys: readonly string[];
  readonly resource: boolean;
  /** Texts of the tests. */
  readonly tests: readonly string[];
  /** Null: too many. */
  readonly ways: readonly Way[] | null;
}

function axesOf(formula: Expression<OpenKeyTest>, request: OpenRequest): Axis[] {
  const tests = new Map<string, OpenKeyTest>();
  replaceTests(formula, (test) => {
    tests.set(keyOf(testOf(test)), test);
    return none;
  });
  const groups = new Map<string, [string, OpenKeyTest][]>();
  const keysOf = new Map<string, readonly string[]>();
  for (const [text, test] of tests) {
    const keys = openKeysOf(test, request);
    const variables = test.about === 'CONDITION' ? openVariables(test.values, request).length > 0 : keys.length > 0;
    // A test that reads several keys at once stands for itself: any outcome may go with any other.
    const name = variables ? `free ${text}` : test.about === 'CONDITION' ? `key ${keys[0] ?? ''}` : 'resource';
    groups.set(name, [...(groups.get(name) ?? []), [text, test]]);
    keysOf.set(name, [...new Set([...(keysOf.get(name) ?? []), ...keys])]);
  }
  const axes = [...groups].map(([name, group]) => ({
    keys: keysOf.get(name) ?? [],
    resource: request.resource === anyResource && group.some(([, test]) => test.about !== 'CONDITION'),
    tests: group.map(([text]) => text),
    ways: waysOfGroup(
      name,
      group.map(([, test]) => test),
      request,
    ),
  }));
  return axes.map((axis, i) => {
    const ties = tiesOf(axis, request);
    const tied = axes.some((other, j) => i !== j && tiesOf(other, request).some((tie) => ties.includes(tie)));
    const offResource = !axis.resource && ties.includes('RESOURCE');
    return tied || offResource ? { ...axis, ways: axis.ways?.map((way) => ({ ...way, real: false })) ?? null } : axis;
  });
}

function tiesOf({ keys, resource }: Pick<Axis, 'keys' | 'resource'>, { tieOf }: OpenRequest): readonly string[] {
  const ties = keys.flatMap((key) => tieOf?.(key) ?? []);
  return resource ? [...ties, 'RESOURCE'] : ties;
}

function waysOfGroup(name: string, tests: readonly OpenKeyTest[], request: OpenRequest): readonly Way[] | null {
  if (name.startsWith('key ')) {
    const key = name.slice('key '.length);
    const conditions = tests.filter((test) => test.about === 'CONDITION');
    const single = request.isSingle?.(key) ?? false;
    const accepts = (value: string): boolean => request.accepts?.(key, value) ?? true;
    const found = waysOf(conditions, request.context, { single, accepts }, (condition, values) =>
      meets(condition, contextWith(request.context, key, values)),
    );
    if (found.complete) return found.ways;
    const free = freeWays(tests.length);
    const real = new Set(found.ways.map(({ truths }) => truths.join()));
    return free?.map((way) => ({ ...way, real: real.has(way.truths.join()) })) ?? null;
  }
  const free = freeWays(tests.length);
  if (name !== 'resource' || free === null) return free;
  const patterns = tests.map((test) =>
    test.about === 'RESOURCE' && !hasVariables(test.pattern) ? test.pattern : null,
  );
  const covers = (wide: string | null | undefined, narrow: string | null | undefined): boolean =>
    wide != null && narrow != null && resourcePatternCovers(wide, narrow);
  return free
    .filter(({ truths }) =>
      truths.every((wide, i) => wide || truths.every((narrow, j) => !narrow || !covers(patterns[i], patterns[j]))),
    )
    .map((way) => ({ ...way, real: tests.length === 1 }));
}

/** Every way in which so many tests might come out; none of them is known to be possible. */
function freeWays(count: number): Way[] | null {
  if (count > mostFreeTests) return null;
  return Array.from({ length: 2 ** count }, (_, bits) => ({
    truths: Array.from({ length: count }, (__, i) => ((bits >> i) & 1) === 1),
    real: false,
  }));
}

function meets(condition: Pick<Condition, 'operator' | 'key' | 'values'>, context: RequestContext): boolean {
  return testCondition({ ...condition, values: [...condition.values] }, context).result === 'TRUE';
}

/** What a statement that is about the action asks of what is open. */
function formulaOf(statement: Statement, request: OpenRequest): Expression<OpenKeyTest> {
  const conditions = statement.conditions.map((condition): Expression<OpenKeyTest> => {
    const { operator, key, values } = condition;
    const test: OpenKeyTest = { about: 'CONDITION', operator, key, values };
    return openKeysOf(test, request).length === 0 || readOperator(operator) === null
      ? constant(meetCondition(condition, statement.effect, request.context).matches)
      : testOf(test);
  });
  return allOf([resourcesOf(statement, request), ...conditions]);
}

function resourcesOf(statement: Statement, request: OpenRequest): Expression<OpenKeyTest> {
  const { resources, notResources, effect } = statement;
  if (notResources === null) {
    return resources === null ? every : anyOf(resources.map((pattern) => meetPattern(pattern, request).matches));
  }
  const met = notResources.map((pattern) => meetPattern(pattern, request));
  // As `evaluate` has it: what cannot be told makes an Allow not match and a Deny match.
  return negation(
    anyOf(met.flatMap(({ matches, undecided }) => (effect === 'ALLOW' ? [matches, undecided] : [matches]))),
  );
}

interface PatternMeeting {
  readonly matches: Expression<OpenKeyTest>;
  /** A variable is wanting, and everything else fits. */
  readonly undecided: Expression<OpenKeyTest>;
}

function meetPattern(pattern: string, request: OpenRequest): PatternMeeting {
  const { resource, context } = request;
  const reading = readResourcePattern(pattern, context);
  if (reading === 'UNREADABLE') return { matches: none, undecided: every };
  if (reading === 'EVERY_RESOURCE') return { matches: every, undecided: none };
  const fits = testOf<OpenKeyTest>({ about: 'RESOURCE', pattern });
  if (openVariables([pattern], request).length > 0) {
    if (resource === null) return { matches: none, undecided: none };
    return { matches: fits, undecided: testOf({ about: 'UNRESOLVED', pattern }) };
  }
  if (resource !== anyResource) {
    const { matches, missing, problems } = matchResource(pattern, resource, context);
    return { matches: constant(matches), undecided: constant(missing.length > 0 || problems.length > 0) };
  }
  if (reading.segments.length !== segmentCount) return { matches: none, undecided: none };
  return reading.resolved ? { matches: fits, undecided: none } : { matches: none, undecided: fits };
}

function openKeysOf(test: OpenKeyTest, request: OpenRequest): string[] {
  if (test.about !== 'CONDITION') return openVariables([test.pattern], request);
  const own = test.key.toLowerCase();
  return [...new Set([...(request.isOpen(own) ? [own] : []), ...openVariables(test.values, request)])].sort();
}

function openVariables(texts: readonly string[], request: OpenRequest): string[] {
  const keys = texts.flatMap((text) =>
    (readTemplate(text).template ?? []).flatMap((part) => (part.kind === 'variable' ? [part.key.toLowerCase()] : [])),
  );
  return [...new Set(keys)].filter(request.isOpen).sort();
}
