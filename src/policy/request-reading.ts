/** What the statements of a neighbourhood come to for one request, each part asked once. */
import { misses, type Verdict } from './compiled-conditions.js';
import { CutResource } from './cut-resource.js';
import type { PolicyRequest } from './evaluation.js';
import type { NearList, NearStatement } from './near-lists.js';
import type { Neighbourhood } from './neighbours.js';
import type { PreparedCondition, PreparedStatement } from './single-statements.js';

/** What a part comes to. One that fails may have something to tell: what it lacked, or what was wrong. */
const unknown = 0;
const plainlyNot = 1;
const not = 2;
const yes = 3;

/** What the conditions of a kind come to: whether one plainly fails, and above that how many fail. */
const asked = 1;
const plainly = 2;
const failingFrom = 2;

export class RequestReading<Origin> {
  readonly request: PolicyRequest;
  readonly resource: CutResource | null;
  /** As many as there are numbers of resources. */
  readonly countOfResources: number;
  readonly #conditions: readonly PreparedCondition[];
  readonly #fits: Uint8Array;
  readonly #holds: Uint8Array;
  readonly #kinds: Int32Array;

  /** Of the statements that the neighbourhood has made ready so far. */
  constructor({ conditions, countOfResources, countOfKinds }: Neighbourhood<Origin>, request: PolicyRequest) {
    this.request = request;
    this.resource = request.resource === null ? null : new CutResource(request.resource);
    this.countOfResources = countOfResources;
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
    return (this.#fits[number] || this.#meetResources(number, one)) === yes;
  }

  /** Whether the resource is one that the statement at this place of a list is about. */
  fitsAt(list: NearList<Origin>, place: number): boolean {
    return this.#onResources(list, place) === yes;
  }

  /** Whether the condition of this number holds. */
  holds(number: number): boolean {
    return this.#outcomeOf(number) === yes;
  }

  /** How many conditions of the statement at this place of a list do not hold. */
  failingAt(list: NearList<Origin>, place: number): number {
    return this.#onConditions(list, place) >> failingFrom;
  }

  /** Whether some part of the statement at this place of a list plainly fails: then there is nothing to tell of it. */
  plainlyMissesAt(list: NearList<Origin>, place: number): boolean {
    return this.#onResources(list, place) === plainlyNot || (this.#onConditions(list, place) & plainly) !== 0;
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
    return (this.#fits[number] = outcomeOf(verdict, one.fits(this.resource, context, verdict)));
  }

  /** Statements of one kind have the same conditions. */
  #onConditions({ all, kinds }: NearList<Origin>, place: number): number {
    const kind = kinds[place] ?? 0;
    const known = this.#kinds[kind] ?? unknown;
    return known === unknown ? this.#meetConditions(kind, all[place]?.conditions ?? []) : known;
  }

  #meetConditions(kind: number, numbers: readonly number[]): number {
    let failing = 0;
    let found = asked;
    for (const number of numbers) {
      const outcome = this.#outcomeOf(number);
      if (outcome !== yes) failing += 1;
      if (outcome === plainlyNot) found = asked | plainly;
    }
    return (this.#kinds[kind] = found | (failing << failingFrom));
  }

  #outcomeOf(number: number): number {
    const known = this.#holds[number] ?? unknown;
    const condition = this.#conditions[number];
    if (known !== unknown || condition === undefined) return known;
    const { context } = this.request;
    const verdict = condition.meet(context);
    return (this.#holds[number] = outcomeOf(verdict, condition.holds(context, verdict)));
  }
}

function outcomeOf(verdict: Verdict, matches: boolean): number {
  return matches ? yes : verdict === misses ? plainlyNot : not;
}
