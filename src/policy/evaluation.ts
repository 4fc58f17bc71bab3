/**
 * The decision: which statements match a request, and what they come to.
 *
 * This is the reference form: every statement is walked, every pattern read anew. It is kept simple because faster
 * forms are judged by it. Everything is collected first and decided last, in one place, so the order of policies and of
 * statements can never matter. Source: domain facts, section a4.
 */
import { actionMatcher, isConcreteAction } from './actions.js';
import { testCondition } from './conditions.js';
import type { RequestContext } from './context.js';
import type { Condition, PolicyDocument, Statement, StatementEffect } from './document.js';
import { quote } from './problems.js';
import { matchResource } from './resources.js';

/** A document with what its owner wants to find again in the answer. */
export interface PolicySource<Origin = unknown> {
  /** Shown in problems; need not be unique. */
  readonly name: string;
  readonly document: PolicyDocument;
  readonly origin: Origin;
}

export interface PolicyRequest {
  /** The name of one action; a pattern is refused (DENY, with a problem). */
  readonly action: string;
  /** Other names of the same action. A pattern that fits any of the names fits the action. */
  readonly aliases?: readonly string[];
  /** `service:region:account:type:path`, or null when the request is about no resource in particular. */
  readonly resource: string | null;
  /** As `buildContext` makes it: keys in lower case. */
  readonly context: RequestContext;
}

export interface DeterminingStatement<Origin> {
  readonly source: PolicySource<Origin>;
  readonly statement: Statement;
}

export interface Evaluation<Origin> {
  readonly effect: StatementEffect;
  readonly reason: 'ALLOWED' | 'EXPLICIT_DENY' | 'NO_MATCHING_ALLOW';
  /** Every matching Deny when one matched, else every matching Allow, in the order given; empty by default. */
  readonly statements: readonly DeterminingStatement<Origin>[];
  /**
   * Keys whose absence, and nothing else that is known, kept a statement from applying, a Deny in particular: a condition
   * that asks for one, a variable of a resource. As written, sorted, once each.
   */
  readonly missingContextKeys: readonly string[];
  /**
   * What could not be evaluated as written, in statements that nothing else keeps from applying: unknown operators,
   * ill-typed values. One line each, sorted, once each.
   */
  readonly problems: readonly string[];
}

/** What holds when no statement says anything. */
const defaultDecision = { effect: 'DENY', reason: 'NO_MATCHING_ALLOW', statements: [] } as const;

/**
 * Decides a request. A statement matches when action, resource and every condition match. Any matching Deny denies;
 * else any matching Allow allows; else the default denies. Total: it answers for every input and never throws.
 */
export function evaluate<Origin>(sources: readonly PolicySource<Origin>[], request: PolicyRequest): Evaluation<Origin> {
  const names = [request.action, ...(request.aliases ?? [])];
  const pattern = names.find((name) => !isConcreteAction(name));
  if (pattern !== undefined) {
    const problem = `${quote(pattern)} is not the name of one action; ask for each action by its name`;
    return { ...defaultDecision, missingContextKeys: [], problems: [problem] };
  }

  const allows: DeterminingStatement<Origin>[] = [];
  const denials: DeterminingStatement<Origin>[] = [];
  const missing: string[] = [];
  const problems: string[] = [];
  for (const source of sources) {
    for (const statement of source.document.statements) {
      const outcome = matchStatement(statement, names, request);
      missing.push(...outcome.missing);
      problems.push(
        ...outcome.problems.map((problem) => `statement ${statement.index} of ${quote(source.name)}: ${problem}`),
      );
      if (outcome.matches) (statement.effect === 'DENY' ? denials : allows).push({ source, statement });
    }
  }

  const notes = { missingContextKeys: distinctKeys(missing), problems: [...new Set(problems)].sort() };
  if (denials.length > 0) return { effect: 'DENY', reason: 'EXPLICIT_DENY', statements: denials, ...notes };
  if (allows.length > 0) return { effect: 'ALLOW', reason: 'ALLOWED', statements: allows, ...notes };
  return { ...defaultDecision, ...notes };
}

/** How one part of a statement, or the whole, meets a request. */
export interface Outcome {
  readonly matches: boolean;
  readonly missing: readonly string[];
  readonly problems: readonly string[];
}

const fits: Outcome = { matches: true, missing: [], problems: [] };
const misses: Outcome = { matches: false, missing: [], problems: [] };

/**
 * A statement that is plainly about something else says nothing: neither what it lacked nor what was wrong with it. Only
 * when nothing but that kept it from applying, it is told.
 */
function matchStatement(statement: Statement, names: readonly string[], request: PolicyRequest): Outcome {
  if (!actionMatches(statement, names)) return misses;
  const parts = [
    matchResources(statement, request.resource, request.context),
    ...statement.conditions.map((condition) => meetCondition(condition, statement.effect, request.context)),
  ];
  return parts.some(missesPlainly)
    ? misses
    : together(
        parts.every(({ matches }) => matches),
        parts,
      );
}

function missesPlainly({ matches, missing, problems }: Outcome): boolean {
  return !matches && missing.length === 0 && problems.length === 0;
}

export function meetCondition(condition: Condition, effect: StatementEffect, context: RequestContext): Outcome {
  const { result, missing, problems } = testCondition(condition, context);
  // Rule 10: nobody knows what an unknown operator asks, so each effect takes the reading that gives less.
  return { matches: result === 'UNKNOWN' ? effect === 'DENY' : result === 'TRUE', missing, problems };
}

function actionMatches(statement: Statement, names: readonly string[]): boolean {
  const fits = (pattern: string): boolean => names.some(actionMatcher(pattern));
  return statement.notActions === null ? statement.actions.some(fits) : !statement.notActions.some(fits);
}

/**
 * `Resource`: some pattern fits. `NotResource`: none does. A pattern with an unresolved variable fits nothing; under
 * `NotResource` that would make an Allow wider for want of a key, so there an Allow does not match and a Deny does.
 */
export function matchResources(
  { resources, notResources, effect }: Statement,
  resource: string | null,
  context: RequestContext,
): Outcome {
  const meet = (pattern: string): Outcome => matchResource(pattern, resource, context);
  if (notResources !== null) {
    const met = notResources.map(meet);
    if (met.some(({ matches }) => matches)) return misses;
    const undecided = met.some(({ missing, problems }) => missing.length > 0 || problems.length > 0);
    return together(!undecided || effect === 'DENY', met);
  }
  if (resources === null) return fits;
  const met = resources.map(meet);
  // What one pattern lacked does not matter when another fits.
  return met.some(({ matches }) => matches) ? fits : together(false, met);
}

function together(matches: boolean, met: readonly Outcome[]): Outcome {
  return {
    matches,
    missing: met.flatMap(({ missing }) => missing),
    problems: met.flatMap(({ problems }) => problems),
  };
}

/** Sorted, each key once; of several spellings the first in code order, so that the order of policies does not show. */
export function distinctKeys(keys: readonly string[]): string[] {
  if (keys.length < 2) return [...keys];
  const spellings = new Map<string, string>();
  for (const key of [...keys].sort()) {
    if (!spellings.has(key.toLowerCase())) spellings.set(key.toLowerCase(), key);
  }
  return [...spellings.values()];
}
