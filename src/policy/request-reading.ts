/** What the statements of a neighbourhood come to for one request, each part asked once. */
import { CutResource } from './cut-resource.js';
import type { PolicyRequest } from './evaluation.js';
import type { NearStatement } from './near-lists.js';
import type { Neighbourhood } from './neighbours.js';
import type { PreparedCondition, PreparedStatement } from './single-statements.js';

const unknown = 0;
const no = 1;
const yes = 2;

export class RequestReading<Origin> {
  readonly request: PolicyRequest;
  readonly resource: CutResource | null;
  readonly #conditions: readonly PreparedCondition[];
  readonly #fits: Uint8Array;
  readonly #holds: Uint8Array;

  /** Of the statements that the neighbourhood has made ready so far. */
  constructor({ conditions, countOfResources }: Neighbourhood<Origin>, request: PolicyRequest) {
    this.request = request;
    this.resource = request.resource === null ? null : new CutResource(request.resource);
    this.#conditions = conditions;
    this.#fits = new Uint8Array(countOfResources);
    this.#holds = new Uint8Array(conditions.length);
  }

  /** Whether the resource is one that the statement is about. */
  fits({ one, resources }: NearStatement<Origin>): boolean {
    return this.fitsListed(resources, one);
  }

  /** Whether the resource is one of those of this number, which a statement lists. */
  fitsListed(number: number, one: PreparedStatement): boolean {
    const known = this.#fits[number] ?? unknown;
    if (known !== unknown) return known === yes;
    const fits = one.fits(this.resource, this.request.context);
    this.#fits[number] = fits ? yes : no;
    return fits;
  }

  /** Whether the condition of this number holds. */
  holds(number: number): boolean {
    const known = this.#holds[number] ?? unknown;
    if (known !== unknown) return known === yes;
    const holds = this.#conditions[number]?.holds(this.request.context) ?? false;
    this.#holds[number] = holds ? yes : no;
    return holds;
  }

  /** How many of its conditions do not hold. */
  failing({ conditions }: NearStatement<Origin>): number {
    let failing = 0;
    for (let i = 0; i < conditions.length; i += 1) if (!this.holds(conditions[i] ?? 0)) failing += 1;
    return failing;
  }

  applies(one: NearStatement<Origin>): boolean {
    const { conditions } = one;
    for (let i = 0; i < conditions.length; i += 1) if (!this.holds(conditions[i] ?? 0)) return false;
    return this.fits(one);
  }
}
