/**
 * Statements about a request, or nearly so, that did not apply to it, and which part of each kept it from applying.
 */
import type { ConditionOutcome } from './conditions.js';
import type { Condition, Statement } from './document.js';
import { type DeterminingStatement, distinctKeys, type PolicyRequest } from './evaluation.js';
import type { NearList, NearStatement } from './near-lists.js';
import type { RequestReading } from './request-reading.js';
import { matchResource } from './resources.js';

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

/** Statements that could be near, with what they come to for the request. */
export interface NearGroup<Origin> {
  readonly reading: RequestReading<Origin>;
  readonly about: NearList<Origin>;
  /** Null: they are not told. */
  readonly beside: NearList<Origin> | null;
}

type Told = Pick<ConditionOutcome, 'missing' | 'problems'>;

interface Met<Origin> {
  readonly one: NearStatement<Origin>;
  readonly reading: RequestReading<Origin>;
  readonly named: boolean;
  readonly distance: number;
}

/** The nearest first; of equally near ones in the order given, those about the action before its neighbours. */
export function findNearMisses<Origin>(groups: readonly NearGroup<Origin>[], most: number): NearMisses<Origin> {
  const nearest = new Nearest<Origin>(most);
  let count = 0;
  for (const { about, reading } of groups) {
    const byResource = new ResourceDistances(reading.request.resource, reading.countOfResources);
    for (let i = 0; i < about.length; i += 1) {
      if (reading.fitsAt(about, i)) {
        const failing = reading.failingAt(about, i);
        if (failing === 0) continue;
        count += 1;
        const one = failing < nearest.farthest ? about.all[i] : undefined;
        if (one !== undefined) nearest.put(one, reading, true, failing);
        continue;
      }
      count += 1;
      // How far exactly is worth knowing only where it could be among the nearest.
      if (resourceWeight >= nearest.farthest || byResource.isTooFar(about.resources[i] ?? 0)) continue;
      const one = about.all[i];
      if (one === undefined) continue;
      const distance = byResource.of(one, nearest.farthest);
      if (distance < nearest.farthest) nearest.put(one, reading, true, distance);
    }
  }
  for (const { beside, reading } of groups) {
    for (let i = 0; i < (beside?.length ?? 0); i += 1) {
      if (beside === null || !reading.fitsAt(beside, i)) continue;
      count += 1;
      const one = actionWeight < nearest.farthest ? beside.all[i] : undefined;
      if (one === undefined) continue;
      const distance = actionWeight + nameDistance(one.statement, reading.request);
      if (distance < nearest.farthest) nearest.put(one, reading, false, distance);
    }
  }
  const outcomes = new Map<RequestReading<Origin>, Map<number, Told>>();
  const nearMisses = nearest.all.map(({ one, reading, named }) => {
    const known = outcomes.get(reading) ?? new Map<number, Told>();
    outcomes.set(reading, known);
    return { source: one.source, statement: one.statement, failed: failedParts(one, reading, named, known) };
  });
  return { nearMisses, leftOut: count - nearMisses.length };
}

/** The nearest of those that are put to it. */
class Nearest<Origin> {
  readonly all: Met<Origin>[] = [];
  /** What is as far is none of them. */
  farthest: number;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
    this.farthest = most > 0 ? Infinity : -Infinity;
  }

  put(one: NearStatement<Origin>, reading: RequestReading<Origin>, named: boolean, distance: number): void {
    const { all } = this;
    // Behind those that are as near: they came first.
    let place = all.length;
    while (place > 0 && (all[place - 1]?.distance ?? 0) > distance) place -= 1;
    all.splice(place, 0, { one, reading, named, distance });
    if (all.length > this.#most) all.pop();
    if (all.length === this.#most) this.farthest = all[all.length - 1]?.distance ?? Infinity;
  }
}

/** Which parts of a statement do not fit a request, in words to come. */
function failedParts<Origin>(
  near: NearStatement<Origin>,
  reading: RequestReading<Origin>,
  named: boolean,
  outcomes: Map<number, Told>,
): readonly FailedPart[] {
  const { statement, one, conditions } = near;
  const { context, action, resource } = reading.request;
  const failed: FailedPart[] = [];
  const { actions, notActions, resources, notResources } = statement;
  if (!named) {
    failed.push({ part: 'ACTION', asked: action, listed: notActions ?? actions, excepted: notActions !== null });
  }
  if (!reading.fits(near)) {
    const listed = notResources ?? resources ?? [];
    // Only what has to be put in can be missing or wrong.
    const met = one.tellsOfResources(reading.resource, context)
      ? listed.filter((pattern) => pattern.includes('${')).map((pattern) => matchResource(pattern, resource, context))
      : [];
    failed.push({
      part: 'RESOURCE',
      asked: resource,
      listed,
      excepted: notResources !== null,
      missing: distinctKeys(met.flatMap(({ missing }) => missing)),
      problems: [...new Set(met.flatMap(({ problems }) => problems))],
    });
  }
  for (const [i, prepared] of one.conditions.entries()) {
    const { condition, key } = prepared;
    const number = conditions[i] ?? 0;
    if (reading.holds(number)) continue;
    const outcome = outcomes.get(number) ?? prepared.tell(context);
    outcomes.set(number, outcome);
    const given = context.get(key) ?? [];
    failed.push({
      part: 'CONDITION',
      condition,
      given,
      missing: distinctKeys(outcome.missing),
      problems: outcome.problems,
    });
  }
  return failed;
}

/** How far statements are whose resources a request does not fit: the less, the further some pattern begins as its own does. */
class ResourceDistances {
  readonly #resource: string | null;
  /** By the numbers of resources, one where they are known not to be among the nearest. */
  #tooFar: Uint8Array | null = null;
  readonly #countOfResources: number;
  /** So many characters must be the same to be among the nearest. */
  #needed = 0;

  constructor(resource: string | null, countOfResources: number) {
    this.#resource = resource;
    this.#countOfResources = countOfResources;
  }

  isTooFar(resources: number): boolean {
    return this.#tooFar?.[resources] === 1;
  }

  /**
   * Exactly, where it is nearer than the farthest of the nearest.
   *
   * @param farthest no more than the time before
   */
  of({ statement, resources }: NearStatement<unknown>, farthest: number): number {
    const distance = resourceWeight + 0.9 / (1 + this.#longest(statement.resources ?? nothing, farthest));
    if (distance >= farthest) (this.#tooFar ??= new Uint8Array(this.#countOfResources))[resources] = 1;
    return distance;
  }

  #longest(patterns: readonly string[], farthest: number): number {
    const resource = this.#resource;
    if (resource === null) return 0;
    while (this.#needed <= resource.length && resourceWeight + 0.9 / (1 + this.#needed) >= farthest) this.#needed += 1;
    // Most begin alike and are told by the one character that they lack.
    const last = this.#needed - 1;
    let longest = 0;
    for (let i = 0; i < patterns.length; i += 1) {
      const pattern = patterns[i] ?? '';
      if (last >= 0 && pattern.charCodeAt(last) !== resource.charCodeAt(last)) continue;
      let same = 0;
      while (same < pattern.length && pattern.charCodeAt(same) === resource.charCodeAt(same)) same += 1;
      if (same > longest) longest = same;
    }
    return longest;
  }
}

const nothing: readonly never[] = [];

/** Below one; the less, the further some name of the statement begins as the action does. */
function nameDistance({ actions }: Statement, { action }: PolicyRequest): number {
  const asked = action.toLowerCase();
  let longest = 0;
  for (const name of actions) {
    const listed = name.toLowerCase();
    let same = 0;
    while (same < listed.length && listed.charCodeAt(same) === asked.charCodeAt(same)) same += 1;
    longest = Math.max(longest, same);
  }
  return 0.9 / (1 + longest);
}
