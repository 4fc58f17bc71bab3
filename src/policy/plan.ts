/**
 * Decisions about many resources at once: the engine evaluated as far as it goes without knowing the resource.
 *
 * What is known (principal, time, scope) is decided here and now, by the reference form itself; what depends on the
 * resource, its URN and its tags, stays as tests in an expression that a database can put to its rows. What can be said
 * in no such test is OPEN: it may hold or not. A plan without OPEN is exact: it holds for a resource if and only if
 * `evaluate` allows. With OPEN, `upperBound` says which resources may be allowed; each then has to be looked at.
 *
 * PRECONDITION: resources are whole URNs (four colons or more), and no key of the context speaks of the resource but
 * `g:ResourceTag/…` and those that are named as read off the URN.
 */
import { actionsMatcher, isConcreteAction, readActionName } from './actions.js';
import { testCondition } from './conditions.js';
import { contextWith } from './context.js';
import type { Condition, PolicyDocument, Statement, StatementEffect } from './document.js';
import type { PolicyRequest, PolicySource } from './evaluation.js';
import {
  allOf,
  anyOf,
  constant,
  every,
  type Expression,
  negation,
  none,
  replaceTests,
  sizeOf,
  testOf,
  writtenAlike,
} from './expressions.js';
import { anyOne, anyRun, type Glob, literalGlob, matchesGlob } from './globs.js';
import { type Operator, readOperator } from './operators.js';
import { readResourcePattern, segmentCount } from './resources.js';
import { readTemplate, resolveTemplate, type Template, templateGlob, templateText } from './templates.js';

/** A wildcard pattern as plain data: text stands for itself. */
export type Pattern = readonly (string | Wildcard)[];
export type Wildcard = { readonly any: 'RUN' | 'ONE' };

export type ResourceTest =
  /** Each segment of the URN fits its pattern; the service in lower case. Any run of characters fits `[{any: 'RUN'}]`. */
  | { readonly about: 'URN'; readonly segments: readonly Pattern[] }
  /** The tag is there and its value fits one of the patterns. Keys of tags are in lower case, as `tagFacts` has them. */
  | { readonly about: 'TAG'; readonly key: string; readonly fits: readonly Pattern[] }
  | { readonly about: 'TAG_ABSENT'; readonly key: string };

export interface OpenTest {
  readonly about: 'OPEN';
}

export type Plan = Expression<ResourceTest | OpenTest>;

export interface PlanRequest extends Pick<PolicyRequest, 'action' | 'aliases' | 'context'> {
  readonly urnKeys?: readonly UrnKey[];
}

/** A key whose value is a segment of the URN. */
export interface UrnKey {
  /** In lower case. */
  readonly key: string;
  readonly segment: 1 | 2 | 3;
  /** The value where the segment is blank or `*`; null: the key is absent then. */
  readonly otherwise: string | null;
}

/** Which resources the Allows, and which the Denies, of some sources match. */
export interface StatementPlans {
  readonly allowed: Plan;
  readonly denied: Plan;
}

const tagPrefix = 'g:resourcetag/';

/** Tests that a plan of one effect may have; above, it is given up. A statement of that size is no filter any more. */
const mostTests = 200;

/** What may hold or not. */
export const open: Plan & Expression<OpenTest> = testOf({ about: 'OPEN' });
const anything: Pattern = [{ any: 'RUN' }];

/** The plan of `evaluate`: allowed by some statement and denied by none. */
export function planDecision(sources: readonly PolicySource[], request: PlanRequest): Plan {
  const { allowed, denied } = planStatements(sources, request);
  return allOf([allowed, negation(denied)]);
}

export function planStatements(sources: readonly PolicySource[], request: PlanRequest): StatementPlans {
  const asked = [...new Set([request.action, ...(request.aliases ?? [])])];
  if (!asked.every(isConcreteAction)) return { allowed: none, denied: none };
  const names = asked.map(readActionName);
  const plans: Record<StatementEffect, Plan[]> = { ALLOW: [], DENY: [] };
  for (const { document } of sources) {
    for (const statement of document.statements) {
      const isAbout = matcherOf(statement);
      if (names.some(isAbout) === (statement.notActions === null)) {
        plans[statement.effect].push(planStatement(statement, request));
      }
    }
  }
  return { allowed: bounded(anyOf(plans.ALLOW)), denied: bounded(anyOf(plans.DENY)) };
}

/** What a document says of an action whatever the resource and the context. */
export interface Sweep {
  /** It allows the action on everything, under no condition. */
  readonly allows: boolean;
  /** It denies the action somewhere, or could. */
  readonly denies: boolean;
}

const sweeps = new WeakMap<PolicyDocument, Map<string, Sweep>>();

/**
 * What can be said without a plan; kept with the document, for those who ask about the same few actions again and again.
 *
 * @param names names of one action, none of them a pattern
 */
export function sweepOf(document: PolicyDocument, names: readonly string[]): Sweep {
  const key = names.join(' ');
  let known = sweeps.get(document);
  if (known === undefined) sweeps.set(document, (known = new Map<string, Sweep>()));
  let sweep = known.get(key);
  if (sweep === undefined) known.set(key, (sweep = readSweep(document, names.map(readActionName))));
  return sweep;
}

function readSweep({ statements }: PolicyDocument, names: readonly (readonly string[])[]): Sweep {
  const about = statements.filter((statement) => names.some(matcherOf(statement)) === (statement.notActions === null));
  return {
    allows: about.some(
      ({ effect, conditions, resources, notResources }) =>
        effect === 'ALLOW' &&
        conditions.length === 0 &&
        notResources === null &&
        (resources === null || resources.includes('*')),
    ),
    denies: about.some(({ effect }) => effect === 'DENY'),
  };
}

const matchers = new WeakMap<Statement, ReturnType<typeof actionsMatcher>>();

/** Statements are asked about action after action, so the patterns of each are read once. */
function matcherOf(statement: Statement): ReturnType<typeof actionsMatcher> {
  const known = matchers.get(statement);
  if (known !== undefined) return known;
  const matcher = actionsMatcher(statement.notActions ?? statement.actions);
  matchers.set(statement, matcher);
  return matcher;
}

/** Whether a plan leaves nothing open. */
export function isExact<Test>(plan: Expression<Test | OpenTest>): boolean {
  return sizeOf(plan, (one) => (isOpen(one) ? 1 : 0)) === 0;
}

/** What holds for every resource that the plan may hold for. The same as an exact plan. */
export function upperBound<Test>(plan: Expression<Test | OpenTest>): Expression<Test> {
  return replaceTests(plan, (one, upright) => (isOpen(one) ? constant(upright) : testOf(one)));
}

/**
 * The plan for resources of which some segments of the URN are known; null stands for one that is not. What is known is not
 * asked any more, so that plans for resources of several kinds become one.
 */
export function withSegments(plan: Plan, known: readonly (string | null)[]): Plan {
  return replaceTests(plan, (one): Plan => {
    if (one.about !== 'URN') return testOf(one);
    const fits = one.segments.every((pattern, i) => {
      const text = known[i];
      return text == null || fitsPattern(pattern, i === 0 ? text.toLowerCase() : text);
    });
    return fits ? urnTest(one.segments.map((pattern, i) => (known[i] == null ? pattern : anything))) : none;
  });
}

/** Weight of a test, for bounds: a tag with many values is as many tests. */
export function weightOf(one: { readonly about: string; readonly fits?: readonly Pattern[] }): number {
  return one.fits?.length ?? 1;
}

/**
 * Tags as conditions see them: keys without letter case, a later one in the place of an earlier, and one without a value
 * as if it were not there.
 */
export function tagFacts(tags: readonly { readonly key: string; readonly value: string }[]): Map<string, string> {
  const facts = new Map<string, string>();
  // Lower-cased as the whole key is: the form of a letter may depend on what precedes it.
  for (const { key, value } of tags) {
    if (value !== '') facts.set(`${tagPrefix}${key}`.toLowerCase().slice(tagPrefix.length), value);
  }
  return facts;
}

function isOpen(one: unknown): one is OpenTest {
  return (one as OpenTest).about === 'OPEN';
}

function bounded(plan: Plan): Plan {
  return sizeOf(plan, weightOf) > mostTests ? open : plan;
}

function planStatement(statement: Statement, request: PlanRequest): Plan {
  const conditions = statement.conditions.map((condition) => planCondition(condition, statement.effect, request));
  return bounded(allOf([planResources(statement, request), ...conditions]));
}

function planResources({ resources, notResources, effect }: Statement, request: PlanRequest): Plan {
  if (notResources !== null) {
    const met = notResources.map((pattern) => planResource(pattern, request));
    const leftOut = met.map(({ matches }) => matches);
    // An Allow does not reach what it may have wanted to leave out.
    const undecided = effect === 'ALLOW' ? met.map((one) => one.undecided) : [];
    return negation(anyOf([...leftOut, ...undecided]));
  }
  if (resources === null) return every;
  return anyOf(resources.map((pattern) => planResource(pattern, request).matches));
}

/** As `matchResource`: whether the pattern fits, and whether a variable of it keeps that from being told. */
function planResource(text: string, request: PlanRequest): { readonly matches: Plan; readonly undecided: Plan } {
  const reading = readResourcePattern(text, request.context);
  if (reading === 'UNREADABLE') return { matches: none, undecided: every };
  if (reading === 'EVERY_RESOURCE') return { matches: every, undecided: none };
  if (hasResourceVariables(text, request)) return { matches: open, undecided: open };
  const fits =
    reading.segments.length === segmentCount ? urnTest(reading.segments.map((segment) => patternOf(segment))) : none;
  return reading.resolved ? { matches: fits, undecided: none } : { matches: none, undecided: fits };
}

function planCondition(condition: Condition, effect: StatementEffect, request: PlanRequest): Plan {
  const use = readOperator(condition.operator);
  // Rule 10, as `evaluate` has it.
  if (use === null) return constant(effect === 'DENY');
  if (condition.values.some((value) => hasResourceVariables(value, request))) return open;
  const key = condition.key.toLowerCase();
  /** What the condition comes to when its key has this value. */
  const given = (value: string | null): boolean => {
    const context = contextWith(request.context, key, value === null ? null : [value]);
    return testCondition(condition, context).result === 'TRUE';
  };
  const urnKey = request.urnKeys?.find((one) => one.key === key);
  if (urnKey === undefined && !key.startsWith(tagPrefix)) {
    return constant(testCondition(condition, request.context).result === 'TRUE');
  }

  const { operator } = use;
  if (operator.comparison === 'ABSENT' || operator.comparison === 'ABSENT_OR_EMPTY') {
    // Any value will do: what is there is never empty.
    const [whenAbsent, whenThere] = [constant(given(null)), constant(given('x'))];
    return urnKey === undefined
      ? choose(testOf({ about: 'TAG_ABSENT', key: key.slice(tagPrefix.length) }), whenAbsent, whenThere)
      : choose(blank(urnKey), constant(given(urnKey.otherwise)), whenThere);
  }
  const patterns = listedPatterns(operator, condition, request);
  if (urnKey !== undefined) return planUrnKey(urnKey, patterns, operator.negated, given(urnKey.otherwise));
  return planTag(key.slice(tagPrefix.length), patterns, operator.negated, given(null));
}

/** A condition on a tag: it has one value, or is not there. */
function planTag(key: string, patterns: Plan | readonly Pattern[], negated: boolean, whenAbsent: boolean): Plan {
  const absent: Plan = testOf({ about: 'TAG_ABSENT', key });
  if ('kind' in patterns) return choose(absent, constant(whenAbsent), patterns);
  const there = negation(absent);
  const always = patterns.some((pattern) => isAnything(pattern) || isAnyOneAndMore(pattern));
  const listed: Plan = patterns.length === 0 ? none : testOf({ about: 'TAG', key, fits: patterns });
  const fits = always ? there : listed;
  if (negated) return whenAbsent ? negation(fits) : allOf([there, negation(fits)]);
  return whenAbsent ? anyOf([absent, fits]) : fits;
}

/** A condition on a segment of the URN, which is the key's value unless it names nothing in particular. */
function planUrnKey(urnKey: UrnKey, patterns: Plan | readonly Pattern[], negated: boolean, otherwise: boolean): Plan {
  if ('kind' in patterns) return choose(blank(urnKey), constant(otherwise), patterns);
  const fits = anyOf(patterns.map((pattern) => segmentTest(urnKey, pattern)));
  const holds = negated ? negation(fits) : fits;
  const fitsBlank = patterns.some((pattern) => ['', '*'].some((text) => matchesGlob(globOf(pattern), text)));
  // Then a blank segment comes out as it should by fitting nothing.
  if (!fitsBlank && otherwise === negated) return holds;
  return choose(blank(urnKey), constant(otherwise), holds);
}

/** The listed values as patterns, or what to think of every value that is there when they are not to be said so. */
function listedPatterns(
  operator: Operator,
  { values }: Condition,
  { context }: PlanRequest,
): Plan | readonly Pattern[] {
  const listed: Template[] = [];
  for (const text of values) {
    const { template } = readTemplate(text);
    // An ill-typed listed value makes the condition false; texts are ill-typed only when they cannot be read.
    if (template === null) return none;
    const { missing, problems, template: resolved } = resolveTemplate(template, context);
    if (missing.length === 0 && problems.length === 0) listed.push(resolved);
  }
  const asPattern = operator.valueType === 'string' ? patternForms[operator.comparison] : undefined;
  return asPattern === undefined ? open : listed.map(asPattern);
}

const patternForms: Partial<Record<Operator['comparison'], (listed: Template) => Pattern>> = {
  EQUALS: (listed) => patternOf(literalGlob(templateText(listed))),
  FITS_PATTERN: (listed) => patternOf(templateGlob(listed)),
  STARTS_WITH: (listed) => patternOf([...literalGlob(templateText(listed)), anyRun]),
  ENDS_WITH: (listed) => patternOf([anyRun, ...literalGlob(templateText(listed))]),
};

function choose(condition: Plan, then: Plan, otherwise: Plan): Plan {
  if (writtenAlike(then, otherwise)) return then;
  return anyOf([allOf([condition, then]), allOf([negation(condition), otherwise])]);
}

function blank(urnKey: UrnKey): Plan {
  return anyOf([segmentTest(urnKey, []), segmentTest(urnKey, ['*'])]);
}

function segmentTest({ segment }: UrnKey, pattern: Pattern): Plan {
  return urnTest(Array.from({ length: segmentCount }, (_, i) => (i === segment ? pattern : anything)));
}

function urnTest(segments: readonly Pattern[]): Plan {
  return segments.every(isAnything) ? every : testOf({ about: 'URN', segments });
}

/** Whether a text has a variable that stands for something of the resource. */
function hasResourceVariables(text: string, { urnKeys = [] }: PlanRequest): boolean {
  const { template } = readTemplate(text);
  return (template ?? []).some((part) => {
    if (part.kind !== 'variable') return false;
    const key = part.key.toLowerCase();
    return key.startsWith(tagPrefix) || urnKeys.some((one) => one.key === key);
  });
}

function isAnything(pattern: Pattern): boolean {
  const [first, ...rest] = pattern;
  return rest.length === 0 && typeof first === 'object' && first.any === 'RUN';
}

/** Fits whatever is not empty. */
function isAnyOneAndMore(pattern: Pattern): boolean {
  const wildcards = pattern.filter((part) => typeof part === 'object');
  const ones = wildcards.filter((part) => part.any === 'ONE').length;
  return wildcards.length === pattern.length && ones === 1 && wildcards.length > 1;
}

/** A glob as plain data, each run of characters one text, each run of stars one star. */
function patternOf(glob: Glob): Pattern {
  const parts: (string | Wildcard)[] = [];
  for (const token of glob) {
    const last = parts.at(-1);
    if (token === anyOne) parts.push({ any: 'ONE' });
    else if (token !== anyRun) {
      if (typeof last === 'string') parts[parts.length - 1] = last + token;
      else parts.push(token);
    } else if (typeof last !== 'object' || last.any !== 'RUN') parts.push({ any: 'RUN' });
  }
  return parts;
}

function globOf(pattern: Pattern): Glob {
  return pattern.flatMap((part): Glob =>
    typeof part === 'string' ? literalGlob(part) : [part.any === 'RUN' ? anyRun : anyOne],
  );
}

/** Whether a text fits a pattern. */
export function fitsPattern(pattern: Pattern, text: string): boolean {
  return matchesGlob(globOf(pattern), text);
}
