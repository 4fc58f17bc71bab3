/** On which level a document speaks, and which services it names: what widening a grant and ending LOOSE depend on. */
import { actionPatternCovers, matchesActionPattern, type PolicyDocument, type Statement } from '../policy/index.js';
import { hasWildcard, segmentsOf } from './action-row.js';
import { platformCatalogue } from './catalogue.js';

/**
 * GLOBAL: account-level services only (the published type AX). PROJECT: services whose resources lie in workspaces
 * (XA). BOTH: it names services of both levels, or all services by a wildcard.
 */
export type PolicyLevel = 'GLOBAL' | 'PROJECT' | 'BOTH';

/** The one pattern that may stand for services of both levels (rule 11). */
export const everyAction = '*:*:*';

/** What a registered service is not: those of the platform alone can be account-level. */
const globalServices = new Set(
  platformCatalogue.services.filter((service) => service.global).map((service) => service.name),
);

/** The level of one action name or pattern, by its service segment. A service nobody registered counts as PROJECT. */
export function patternLevel(pattern: string): PolicyLevel {
  const { service } = segmentsOf(pattern);
  if (hasWildcard(service)) return 'BOTH';
  return globalServices.has(service.toLowerCase()) ? 'GLOBAL' : 'PROJECT';
}

/** The level of a whole document, Deny statements included; a statement with `NotAction` speaks of every service. */
export function policyLevel(document: PolicyDocument): PolicyLevel {
  const levels = new Set(document.statements.map(statementLevel));
  return soleLevel(levels);
}

/** As `policyLevel`, for one statement. */
export function statementLevel(statement: Statement): PolicyLevel {
  if (statement.notActions !== null) return 'BOTH';
  return soleLevel(new Set(statement.actions.map(patternLevel)));
}

/**
 * Whether an Allow statement of the document names the service, wildcards counted: for `modelarts` the question that
 * ends a user's LOOSE default (rule 12). Resource and Condition are not looked at: a narrow Allow names it too. Deny
 * statements never do. Built-in policies are the caller's to leave out.
 */
export function namesService(document: PolicyDocument, service: string): boolean {
  return document.statements.some((statement) => statement.effect === 'ALLOW' && reachesService(statement, service));
}

/** Whether some action pattern of a statement can stand for actions of the service, whatever its effect. */
export function reachesService(statement: Statement, service: string): boolean {
  if (statement.notActions !== null) return !statement.notActions.some((pattern) => leavesOut(pattern, service));
  return statement.actions.some((pattern) => matchesService(segmentsOf(pattern).service, service));
}

function matchesService(pattern: string, service: string): boolean {
  // The engine's matcher, so that the two can never differ about what a wildcard stands for.
  return matchesActionPattern(`${pattern}:*:*`, `${service}:any:any`);
}

// Only an exclusion of all that the service has leaves it out; `modelarts:pool:*` leaves the rest of it named.
function leavesOut(pattern: string, service: string): boolean {
  return actionPatternCovers(pattern, `${service}:*:*`);
}

function soleLevel(levels: ReadonlySet<PolicyLevel>): PolicyLevel {
  const [first] = levels;
  return levels.size === 1 && first !== undefined ? first : 'BOTH';
}
