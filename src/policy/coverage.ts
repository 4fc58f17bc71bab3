/**
 * Comparing statements without a request: does one cover another, may two meet.
 *
 * Written for the rule that nobody gives more than they hold. INVARIANT: `statementCovers` never says yes wrongly and
 * `statementsMayOverlap` never says no wrongly; both err the other way where deciding exactly would take more thought
 * than it is worth.
 */
import { actionPatternCovers, actionPatternsOverlap, matchesActionPattern } from './actions.js';
import type { Condition, Statement } from './document.js';
import { readOperator } from './operators.js';
import { resourcePatternCovers, resourcePatternsMayOverlap } from './resources.js';
import { hasVariables } from './templates.js';

/**
 * Whether `held`, an Allow, matches for its holder every request that `given` could match for anybody. What the given
 * statement's effect is does not matter: a Deny that is to be lifted is compared as what it kept back.
 *
 * Says no, among others, when coverage needs several held statements (ask for each action and resource alone), when a
 * held resource or condition has a variable, and when a held condition is not word for word among the given ones.
 */
export function statementCovers(held: Statement, given: Statement): boolean {
  return (
    held.effect === 'ALLOW' &&
    actionsCovered(held, given) &&
    resourcesCovered(held, given) &&
    held.conditions.every((condition) => conditionImplied(condition, given.conditions))
  );
}

/**
 * Whether some request may match both statements; false only when certainly none does. Conditions and variables are not
 * looked into.
 *
 * @param sameActions names of one action under its aliases, for each action that has several. The engine knows no
 *   catalogue: without them two names of one action count as two actions.
 */
export function statementsMayOverlap(
  a: Statement,
  b: Statement,
  sameActions: readonly (readonly string[])[] = [],
): boolean {
  return actionsMayOverlap(a, b, sameActions) && resourcesMayOverlap(a, b);
}

function actionsCovered(held: Statement, given: Statement): boolean {
  if (held.notActions === null) {
    const coveredBy = (pattern: string): boolean => held.actions.some((wider) => actionPatternCovers(wider, pattern));
    // What a NotAction leaves open is everything else, names of any form included: only `*` covers that.
    return given.notActions === null ? given.actions.every(coveredBy) : coveredBy('*');
  }
  if (held.notActions.length === 0) return true;
  // A named action may have an alias that the held NotAction leaves out, so names cannot be set against exceptions.
  if (given.notActions === null) return given.actions.length === 0;
  const exceptions = given.notActions;
  return held.notActions.every((pattern) => exceptions.some((wider) => actionPatternCovers(wider, pattern)));
}

function resourcesCovered(held: Statement, given: Statement): boolean {
  if (held.notResources === null) {
    const patterns = held.resources;
    if (patterns === null) return true;
    const coveredBy = (pattern: string): boolean => patterns.some((wider) => resourcePatternCovers(wider, pattern));
    return given.notResources === null ? (given.resources ?? ['*']).every(coveredBy) : coveredBy('*');
  }
  if (held.notResources.length === 0) return true;
  if (given.notResources === null) return false;
  const exceptions = given.notResources;
  return held.notResources.every(
    (pattern) => !hasVariables(pattern) && exceptions.some((wider) => resourcePatternCovers(wider, pattern)),
  );
}

/** Whether a held condition holds for the holder whenever the given conditions hold for somebody. */
function conditionImplied(held: Condition, given: readonly Condition[]): boolean {
  if (readOperator(held.operator) === null || dependsOnPrincipal(held.key)) return false;
  if (held.values.some(hasVariables)) return false;
  return given.some(
    ({ operator, key, values }) =>
      operator === held.operator && key.toLowerCase() === held.key.toLowerCase() && sameValues(values, held.values),
  );
}

function sameValues(a: readonly string[], b: readonly string[]): boolean {
  return a.every((value) => b.includes(value)) && b.every((value) => a.includes(value));
}

/** Global keys that say something of the request or the resource, not of who asks. Source: domain facts, section a2. */
const impersonalKeys = [
  'g:currenttime',
  'g:enterpriseprojectid',
  'g:projectname',
  'g:requestedregion',
  'g:resourceaccount',
  'g:servicename',
  'g:sourceip',
  'g:sourcevpc',
  'g:sourcevpce',
  'g:tagkeys',
  'hw:sourceip',
];
const impersonalFamilies = ['g:resourcetag/', 'g:requesttag/'];

/**
 * Whether a key may say something of the principal, so that it can differ between holder and receiver. Of the global
 * prefixes only the keys known to be impersonal are not: a key that nobody placed counts as personal. Keys of a service
 * (`modelarts:poolType`) speak of its resources.
 */
export function dependsOnPrincipal(key: string): boolean {
  const lower = key.toLowerCase();
  if (!/^(g|hw|aws|iam|sts):/.test(lower) && lower.includes(':')) return false;
  return !impersonalKeys.includes(lower) && !impersonalFamilies.some((family) => lower.startsWith(family));
}

function actionsMayOverlap(a: Statement, b: Statement, sameActions: readonly (readonly string[])[]): boolean {
  if (a.notActions !== null && b.notActions !== null) return true;
  if (a.notActions !== null) return actionsEscape(b.actions, a.notActions);
  if (b.notActions !== null) return actionsEscape(a.actions, b.notActions);
  return a.actions.some((one) =>
    b.actions.some(
      (other) =>
        actionPatternsOverlap(one, other) || sameActions.some((names) => fitsAny(one, names) && fitsAny(other, names)),
    ),
  );
}

/** Whether some action that fits the patterns may not be among the exceptions. */
function actionsEscape(patterns: readonly string[], exceptions: readonly string[]): boolean {
  return patterns.some((pattern) => !exceptions.some((wider) => actionPatternCovers(wider, pattern)));
}

function fitsAny(pattern: string, names: readonly string[]): boolean {
  return names.some((name) => matchesActionPattern(pattern, name));
}

function resourcesMayOverlap(a: Statement, b: Statement): boolean {
  const patternsOf = ({ resources }: Statement): readonly string[] => resources ?? ['*'];
  if (a.notResources !== null && b.notResources !== null) return true;
  if (a.notResources !== null) return resourcesEscape(patternsOf(b), a.notResources);
  if (b.notResources !== null) return resourcesEscape(patternsOf(a), b.notResources);
  return patternsOf(a).some((one) => patternsOf(b).some((other) => resourcePatternsMayOverlap(one, other)));
}

function resourcesEscape(patterns: readonly string[], exceptions: readonly string[]): boolean {
  return patterns.some((pattern) => !exceptions.some((wider) => resourcePatternCovers(wider, pattern)));
}
