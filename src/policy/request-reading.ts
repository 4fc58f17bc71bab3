/** What the statements of a neighbourhood come to for one request, each part asked once. */
import { holds, misses, unclear, type Verdict } from './compiled-conditions.js';
import { CutResource } from './cut-resource.js';
import type { PolicyRequest } from './evaluation.js';
import type { NearList, NearStatement } from './near-lists.js';
import type { Neighbourhood } from './neighbours.js';
import type { PreparedCondition, PreparedStatement } from './single-statements.js';

/** What a part comes to. Of one that lacks its key this is all there is to tell; an unclear one has more to tell. */
const unknown = 0;
const plainlyNot = 1;
const lacking = 2;
const unclearlyNot = 3;
const unclearlyYes = 4;
const yes = 5;

/** What the conditions of a kind come to: whether one plainly fails, whether one is unclear, and above that how many fail. */
const asked = 1;
const plainly = 2;
const unclearly = 4;
const failingFrom = 3;

/** What there is to tell of a statement, in the verdict as well. */
export const nothingToTell = 0;
/** It does not apply; what it lacks, all of its kind lack that fit the resource. */
export const whatItsKindLacks = 1;
export const somethingOfItsOwn = 2;

export class RequestReading<Origin> {
  readonly request: PolicyRequest;
  readonly resource: CutResource | null;
  /** As many as there are numbers of each. */
  readonly countOfResources: number;
  readonly countOfKinds: number;
  readonly #conditions: readonly PreparedCondition[];
  readonly #fits: Uint8Array;
  readonly #holds: Uint8Array;
  readonly #kinds: Int32Array;

  /** Of the statements that the neighbourhood has made ready so far. */
  constructor({ conditions, countOfResources, countOfKinds }: Neighbourhood<Origin>, request: PolicyRequest) {
    this.request = request;
    this.resource = request.resource === null ? null : new CutResource(request.resource);
    this.countOfResources = countOfResources;
    this.countOfKinds = countOfKinds;
    this.#conditions = conditions;
    this.#fits = new Uint8Array(countOfResources);
    this.#holds = new Uint8Array(conditions.length);
    this.#kinds = new Int32Array(countOfKinds);
  }

  /** Whether the resource is one that the statement is about. */
  fits({ one, resources }: NearStatement<Origin>): boolean {
    return this.fitsListed(resources, one);
  }

  /** Whether the resource is one of those of this number, which a statement lists. */
  fitsListed(number: number, one: PreparedStatement): boolean {
    return (this.#fits[number] || this.#meetResources(number, one)) >= unclearlyYes;
  }

  /** Whether the resource is one that the statement at this place of a list is about. */
  fitsAt(list: NearList<Origin>, place: number): boolean {
    return this.#onResources(list, place) >= unclearlyYes;
  }

  /** Whether the condition of this number holds. */
  holds(number: number): boolean {
    return this.#outcomeOf(number) >= unclearlyYes;
  }

  /** How many conditions of the statement at this place of a list do not hold. */
  failingAt(list: NearList<Origin>, place: number): number {
    return this.#onConditions(list, place) >> failingFrom;
  }

  /** Of the statement at this place of a list. */
  toTellAt(list: NearList<Origin>, place: number): number {
    const onResources = this.#onResources(list, place);
    if (onResources === plainlyNot) return nothingToTell;
    const onConditions = this.#onConditions(list, place);
    if ((onConditions & plainly) !== 0) return nothingToTell;
    const lacks = onConditions >> failingFrom > 0 && (onConditions & unclearly) === 0;
    return lacks && onResources === yes ? whatItsKindLacks : somethingOfItsOwn;
  }

  applies({ one, resources, conditions }: NearStatement<Origin>): boolean {
    for (let i = 0; i < conditions.length; i += 1) if (!this.holds(conditions[i] ?? 0)) return false;
    return this.fitsListed(resources, one);
  }

  #onResources({ all, resources }: NearList<Origin>, place: number): number {
    const number = resources[place] ?? 0;
    const known = this.#fits[number] ?? unknown;
    if (known !== unknown) return known;
    const one = all[place];
    return one === undefined ? unknown : this.#meetResources(number, one.one);
  }

  #meetResources(number: number, one: PreparedStatement): number {
    const { context } = this.request;
    const verdict = one.meet(this.resource, context);
    const matches = verdict === unclear && one.fits(this.resource, context, verdict);
    return (this.#fits[number] = outcomeOf(verdict, matches));
  }

  /** Statements of one kind have the same conditions. */
  #onConditions({ all, kinds }: NearList<Origin>, place: number): number {
    const kind = kinds[place] ?? 0;
    const known = this.#kinds[kind] ?? unknown;
    return known === unknown ? this.#meetConditions(kind, all[place]?.conditions ?? []) : known;
  }

  #meetConditions(kind: number, numbers: readonly number[]): number {
    let failing = 0;
    let found: number = asked;
    for (let i = 0; i < numbers.length; i += 1) {
      const outcome = this.#outcomeOf(numbers[i] ?? 0);
      if (outcome < unclearlyYes) failing += 1;
      if (outcome === plainlyNot) found |= plainly;
      if (outcome === unclearlyNot || outcome === unclearlyYes) found |= unclearly;
    }
    return (this.#kinds[kind] = found | (failing << failingFrom));
  }

  #outcomeOf(number: number): number {
    const known = this.#holds[number] ?? unknown;
    const condition = this.#conditions[number];
    if (known !== unknown || condition === undefined) return known;
    const { context } = this.request;
    const verdict = condition.meet(context);
    const matches = verdict === unclear && condition.holds(context, verdict);
    return (this.#holds[number] = outcomeOf(verdict, matches));
  }
}

/** @param matches what an unclear one comes to */
function outcomeOf(verdict: Verdict, matches: boolean): number {
  if (verdict === unclear) return matches ? unclearlyYes : unclearlyNot;
  return verdict === holds ? yes : verdict === misses ? plainlyNot : lacking;
}
