/** Statements in a request whose context is changed: what each part of them comes to then, asked once for each value. */
import type { RequestContext } from './context.js';
import type { ContextPlan, PlannedCondition, PlannedResources, PlannedStatement } from './context-plans.js';
import type { CutResource } from './cut-resource.js';
import type { KeyValues } from './key-values.js';

/** Values by key in lower case; an empty list takes the key away. */
export type ContextChanges = ReadonlyMap<string, KeyValues>;

export const noChanges: ContextChanges = new Map<string, KeyValues>();

/** The request's context with changes, as far as some keys go. */
export function changedContext(
  base: RequestContext,
  keys: Iterable<string>,
  changes: ContextChanges,
): Map<string, KeyValues> {
  const context = new Map<string, KeyValues>();
  const put = (key: string, values: KeyValues): void => {
    if (values.length > 0) context.set(key, values);
  };
  for (const key of keys) put(key, changes.get(key) ?? base.get(key) ?? absent);
  for (const [key, values] of changes) put(key, values);
  return context;
}

const absent: KeyValues = [];

/** The request as it is, and what the parts of statements come to in it. */
export interface UnchangedRequest {
  readonly context: RequestContext;
  readonly resource: CutResource | null;
  holds(condition: PlannedCondition): boolean;
  fits(resources: PlannedResources): boolean;
}

const unknown = 0;
const no = 1;
const yes = 2;

/** What resources come to whose only variable has certain values. */
interface FitsUnder {
  readonly variable: string;
  readonly only: RequestContext;
  readonly each: Uint8Array;
}

export class ChangedStatements {
  readonly #plan: ContextPlan;
  readonly #unchanged: UnchangedRequest;
  /** By values, which are told apart by being one list, what the parts of the plan come to. */
  readonly #holds = new Map<KeyValues, Uint8Array>();
  readonly #fits = new Map<KeyValues, FitsUnder>();

  constructor(plan: ContextPlan, unchanged: UnchangedRequest) {
    this.#plan = plan;
    this.#unchanged = unchanged;
  }

  holds(condition: PlannedCondition, changes: ContextChanges): boolean {
    if (changes.size === 0) return this.#unchanged.holds(condition);
    const { one, keys, placeOnKey, place } = condition;
    const values = changes.get(one.key);
    if (one.variables.length > 0) {
      if (values === undefined && !changesAny(one.variables, changes)) {
        return this.#unchanged.holds(condition);
      }
      return one.holds(changedContext(this.#unchanged.context, [one.key, ...one.variables], changes));
    }
    if (values === undefined) return this.#unchanged.holds(condition);
    const key = keys[0];
    const candidates = key === undefined ? null : this.#plan.candidatesFor(key);
    const candidate = candidates?.find(values);
    if (candidates != null && candidate !== undefined) return candidates.holdsUnder(candidate, placeOnKey);
    let known = this.#holds.get(values);
    if (known === undefined) this.#holds.set(values, (known = new Uint8Array(this.#plan.conditions.length)));
    if (known[place] === unknown) known[place] = one.holdsGiven(values) ? yes : no;
    return known[place] === yes;
  }

  fits(resources: PlannedResources, changes: ContextChanges): boolean {
    if (changes.size === 0) return this.#unchanged.fits(resources);
    const { one, place } = resources;
    const { variables } = one;
    const first = variables[0];
    if (first === undefined || !changesAny(variables, changes)) return this.#unchanged.fits(resources);
    const { resource, context } = this.#unchanged;
    if (takesAny(one.needed, changes)) return false;
    if (variables.length > 1) return one.fits(resource, changedContext(context, variables, changes));
    const values = changes.get(first) ?? absent;
    let known = this.#fits.get(values);
    if (known?.variable !== first) {
      const only = values.length === 0 ? noChanges : new Map([[first, values]]);
      this.#fits.set(values, (known = { variable: first, only, each: new Uint8Array(this.#plan.resources.length) }));
    }
    const { each, only } = known;
    if (each[place] === unknown) each[place] = one.fits(resource, only) ? yes : no;
    return each[place] === yes;
  }

  matches({ conditions, resources }: PlannedStatement, changes: ContextChanges): boolean {
    for (const condition of conditions) if (!this.holds(condition, changes)) return false;
    return this.fits(resources, changes);
  }
}

function changesAny(keys: readonly string[], changes: ContextChanges): boolean {
  for (let i = 0; i < keys.length; i += 1) if (changes.has(keys[i] ?? '')) return true;
  return false;
}

/** Whether some of the keys are taken away. */
function takesAny(keys: readonly string[], changes: ContextChanges): boolean {
  for (let i = 0; i < keys.length; i += 1) if (changes.get(keys[i] ?? '')?.length === 0) return true;
  return false;
}
