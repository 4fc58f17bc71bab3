/** Statements about a request, or nearly so, that did not apply to it, and which part of each kept it from applying. */
import { actionMatcher } from './actions.js';
import { testCondition } from './conditions.js';
import type { Condition } from './document.js';
import { type DeterminingStatement, distinctKeys, type PolicyRequest } from './evaluation.js';
import type { Surroundings } from './neighbours.js';
import { matchResource } from './resources.js';
import {
  fitsResource,
  holdsFor,
  type PreparedStatement,
  prepareStatement,
  type RequestReading,
} from './single-statements.js';

export type FailedPart =
  | { readonly part: 'ACTION'; readonly asked: string; readonly listed: readonly string[]; readonly excepted: boolean }
  | {
      readonly part: 'RESOURCE';
      /** Null: the request is about no resource in particular. */
      readonly asked: string | null;
      readonly listed: readonly string[];
      /** The listed patterns are those that the statement leaves out. */
      readonly excepted: boolean;
      /** Keys of variables without which it cannot be told. */
      readonly missing: readonly string[];
      readonly problems: readonly string[];
    }
  | {
      readonly part: 'CONDITION';
      readonly condition: Condition;
      /** What the request says of the key; empty when it says nothing. */
      readonly given: readonly string[];
      readonly missing: readonly string[];
      readonly problems: readonly string[];
    };

export interface NearMiss<Origin> extends DeterminingStatement<Origin> {
  /** Every part that failed; when the action did, the others are told all the same. */
  readonly failed: readonly FailedPart[];
}

/** How far statements are that failed by more than conditions; each condition counts as one. */
const resourceWeight = 2.5;
const actionWeight = 3.5;

export interface NearMisses<Origin> {
  readonly nearMisses: readonly NearMiss<Origin>[];
  /** How many more there are. */
  readonly leftOut: number;
}

/** The nearest first; of equally near ones in the order given. */
export function findNearMisses<Origin>(
  { about, beside }: Surroundings<Origin>,
  reading: RequestReading,
  most: number,
): NearMisses<Origin> {
  const { request } = reading;
  const nearest: { readonly one: DeterminingStatement<Origin>; readonly distance: number }[] = [];
  let count = 0;
  const meet = (one: DeterminingStatement<Origin>, distance: number): void => {
    count += 1;
    const last = nearest.at(-1);
    if (nearest.length >= most && last !== undefined && last.distance <= distance) return;
    // Behind those that are as near: they came first.
    let place = nearest.length;
    while (place > 0 && (nearest[place - 1]?.distance ?? 0) > distance) place -= 1;
    nearest.splice(place, 0, { one, distance });
    if (nearest.length > most) nearest.pop();
  };
  for (const one of about) {
    const distance = distanceOf(prepareStatement(one.statement), reading);
    if (distance > 0) meet(one, distance);
  }
  for (const one of beside) {
    if (reading.fits(prepareStatement(one.statement))) meet(one, actionWeight + nameDistance(one, request));
  }
  const nearMisses = nearest.map(({ one: { source, statement } }) => ({
    source,
    statement,
    failed: failedParts(prepareStatement(statement), request),
  }));
  return { nearMisses, leftOut: count - nearMisses.length };
}

/** Which parts of a statement do not fit a request. */
export function failedParts(one: PreparedStatement, request: PolicyRequest): readonly FailedPart[] {
  const { statement } = one;
  const { context } = request;
  const failed: FailedPart[] = [];
  const { actions, notActions, resources, notResources } = statement;
  const names = [request.action, ...(request.aliases ?? [])];
  const named = (notActions ?? actions).some((pattern) => names.some(actionMatcher(pattern)));
  if (named !== (notActions === null)) {
    failed.push({
      part: 'ACTION',
      asked: request.action,
      listed: notActions ?? actions,
      excepted: notActions !== null,
    });
  }
  if (!fitsResource(one, request, context)) {
    const listed = notResources ?? resources ?? [];
    const met = listed.map((pattern) => matchResource(pattern, request.resource, context));
    failed.push({
      part: 'RESOURCE',
      asked: request.resource,
      listed,
      excepted: notResources !== null,
      missing: distinctKeys(met.flatMap(({ missing }) => missing)),
      problems: [...new Set(met.flatMap(({ problems }) => problems))],
    });
  }
  for (const { condition, key } of one.conditions) {
    if (holdsFor(statement, condition, context)) continue;
    const { missing, problems } = testCondition(condition, context);
    const given = context.get(key) ?? [];
    failed.push({ part: 'CONDITION', condition, given, missing: distinctKeys(missing), problems });
  }
  return failed;
}

/** Nought for a statement that applies. */
function distanceOf(one: PreparedStatement, reading: RequestReading): number {
  if (!reading.fits(one)) return resourceWeight + resourceDistance(one, reading.request.resource);
  let failing = 0;
  for (const condition of one.conditions) if (!reading.holds(one, condition)) failing += 1;
  return failing;
}

/** Below one; the less, the further some pattern begins as the resource does. */
function resourceDistance({ statement }: PreparedStatement, resource: string | null): number {
  if (resource === null) return 0.9;
  let longest = 0;
  for (const pattern of statement.resources ?? []) {
    let same = 0;
    while (same < pattern.length && pattern[same] === resource[same]) same += 1;
    longest = Math.max(longest, same);
  }
  return 0.9 / (1 + longest);
}

/** Below one; the less, the further some name of the statement begins as the action does. */
function nameDistance({ statement }: DeterminingStatement<unknown>, { action }: PolicyRequest): number {
  const asked = action.toLowerCase();
  let longest = 0;
  for (const name of statement.actions) {
    const listed = name.toLowerCase();
    let same = 0;
    while (same < listed.length && listed[same] === asked[same]) same += 1;
    longest = Math.max(longest, same);
  }
  return 0.9 / (1 + longest);
}
