/**
 * The fewest keys of a request that have to change for it to be allowed.
 *
 * A way must make every condition of some Allow true and one condition of every Deny false. The search takes the first
 * that is not so and branches over the keys that could mend it and the values that do; no key is changed twice. Whatever
 * way there is of the size looked for mends the first fault by one of its keys, so with rising sizes the first way found
 * has the fewest keys that any has with these values. Bounded: past its budget it answers that it found none.
 */
import {
  changedContext,
  ChangedStatements,
  type ContextChanges,
  noChanges,
  type UnchangedRequest,
} from './changed-statements.js';
import type { RequestContext } from './context.js';
import type {
  ContextPlan,
  PlannedCondition,
  PlannedKey,
  PlannedResources,
  PlannedStatement,
  SameKeys,
} from './context-plans.js';
import { type Candidate, type KeyCandidates, nearestFirst } from './key-candidates.js';
import { type KeyValues, valuesFor } from './key-values.js';
import type { Equation } from './variable-solutions.js';

/** Keys that a way may change. */
const mostKeys = 4;

/** Places that one search may look at. */
const budget = 600;

/** Allows that one search aims at. */
const mostTargets = 200;
const outOfReach = 255;

/** What may be changed, and what changes with it. */
export interface ChangeableContext {
  /** Whether a key, in lower case, may come to have these values; none: may come to be absent. */
  readonly mayBecome: (key: string, values: KeyValues) => boolean;
  readonly sameKeys?: SameKeys;
  /** What else a request says when a key has these values, in lower case: the age of a second factor that is there. */
  readonly entails?: (key: string, values: KeyValues) => readonly (readonly [string, KeyValues])[];
}

export interface ContextSearch {
  readonly unchanged: UnchangedRequest;
  readonly changeable: ChangeableContext;
  readonly plan: ContextPlan;
  /** Every key that the verdict depends on. */
  readonly keys: ReadonlySet<string>;
  /** The verdict of the evaluator; a way is one only when this says so. */
  readonly allowed: (context: RequestContext) => boolean;
}

/** The chosen keys with what goes with them. */
export function settleChanges(chosen: ContextChanges, { sameKeys = [], entails }: ChangeableContext): ContextChanges {
  if (chosen.size === 0 || (entails === undefined && sameKeys.length === 0)) return chosen;
  const settled = new Map<string, KeyValues>();
  const put = (key: string, values: KeyValues): void => {
    for (const one of sameKeys.find((names) => names.includes(key)) ?? [key]) settled.set(one, values);
  };
  for (const [key, values] of chosen) {
    for (const [also, what] of entails?.(key, values) ?? []) if (!chosen.has(also)) put(also, what);
  }
  for (const [key, values] of chosen) put(key, values);
  return settled;
}

/** The chosen keys of a way with the fewest of them; null when none was found. */
export function findContextWay(search: ContextSearch): ContextChanges | null {
  return new ContextWays(search).find();
}

type Entailed = readonly (readonly [string, KeyValues])[];

/** Values that a key may come to have. */
interface Accepted {
  readonly values: readonly KeyValues[];
  /** Null where variables have a say in them. */
  readonly candidates: KeyCandidates | null;
  /** Of candidates that are accepted by their places, one more than how many are tried before; else nought. */
  readonly ranks: Uint16Array;
}

/** Targets that can be reached at all, those first of which fewer keys seem to have to change. */
interface Aims {
  /** By their places in the plan. */
  readonly inOrder: Uint32Array;
  /** By how many keys seem to have to change, how many come before those of which more seem to. */
  readonly ends: readonly number[];
  /** By their places in the plan, how many must change at least. */
  readonly least: Uint8Array;
}

class ContextWays {
  readonly #search: ContextSearch;
  readonly #plan: ContextPlan;
  readonly #changed: ChangedStatements;
  /** As the changes are settled, so that the same values always entail the very same. */
  readonly #changeable: ChangeableContext;
  readonly #accepted: (Accepted | undefined)[] = [];
  readonly #mending: (readonly KeyValues[] | undefined)[] = [];
  readonly #mendable: Int8Array;
  readonly #fitting: (readonly KeyValues[] | undefined)[] = [];
  /** By keys, what each of their values comes to when nothing else is chosen. */
  readonly #settled: (readonly ContextChanges[] | undefined)[] = [];
  #entailing: ReadonlyMap<PlannedKey, ReadonlySet<PlannedKey>> | null = null;
  /** Keys that others entail. */
  readonly #entailed = new Set<PlannedKey>();
  /** Of the target that is looked at how many keys fail, how many that nothing entails, and which. */
  #failing = 0;
  #alone = 0;
  /** And how many seem to have to change, and how many must at least. */
  #seems = 0;
  #least = 0;
  readonly #failingKeys: PlannedKey[] = [];
  readonly #aloneKeys: PlannedKey[] = [];
  #left = budget;

  constructor(search: ContextSearch) {
    const { plan, unchanged, changeable } = search;
    this.#search = search;
    this.#plan = plan;
    this.#changed = new ChangedStatements(plan, unchanged);
    this.#changeable = rememberEntailed(changeable);
    this.#mendable = new Int8Array(plan.conditions.length);
  }

  find(): ContextChanges | null {
    // A Deny that no key has a say in stays.
    for (const deny of this.#plan.denies) {
      if (deny.keys.length === 0 && this.#changed.matches(deny, noChanges)) return null;
    }
    const { targets } = this.#plan;
    const { inOrder, ends, least } = this.#aims();
    for (let size = 0; size <= mostKeys; size += 1) {
      const end = ends[size] ?? 0;
      for (let i = 0; i < end; i += 1) {
        const place = inOrder[i] ?? 0;
        const target = targets[place];
        if (target === undefined || (least[place] ?? 0) > size) continue;
        const found = this.#walk(target, noChanges, noChanges, size);
        if (found !== null) return found;
        if (this.#left <= 0) return null;
      }
    }
    return null;
  }

  #aims(): Aims {
    const { targets } = this.#plan;
    const seems = new Uint8Array(targets.length);
    const least = new Uint8Array(targets.length);
    for (let i = 0; i < targets.length; i += 1) {
      const target = targets[i];
      const reachable = target !== undefined && this.#aimAt(target);
      seems[i] = reachable ? this.#seems : outOfReach;
      least[i] = this.#least;
    }
    const inOrder = new Uint32Array(Math.min(targets.length, mostTargets));
    const ends: number[] = [];
    let count = 0;
    for (let keys = 0; keys <= mostKeys; keys += 1) {
      for (let i = 0; i < seems.length && count < inOrder.length; i += 1) if (seems[i] === keys) inOrder[count++] = i;
      ends.push(count);
    }
    return { inOrder, ends, least };
  }

  /**
   * False when it takes too many keys, or some part of the target is not to be mended. Walked for a thousand targets, so it
   * makes nothing on the way.
   */
  #aimAt(target: readonly PlannedStatement[]): boolean {
    this.#failing = this.#alone = 0;
    let more = 0;
    for (let i = 0; i < target.length; i += 1) {
      const one = target[i];
      if (one === undefined) continue;
      if (!this.#changed.fits(one.resources, noChanges)) {
        if (!this.#noteResources(one.resources)) return false;
        more = 1;
      }
      const { conditions } = one;
      for (let j = 0; j < conditions.length; j += 1) {
        const condition = conditions[j];
        if (condition === undefined || this.#changed.holds(condition, noChanges)) continue;
        if (!this.#isMendable(condition)) return false;
        if (condition.onlyKey === null) more = 1;
        else this.#noteKey(condition.onlyKey);
      }
    }
    // Keys that others entail come free, so only one of them is counted on.
    const entailed = this.#changeable.entails !== undefined;
    const failing = this.#failing;
    this.#seems = Math.max(more, entailed ? Math.min(1, failing) : failing);
    this.#least = Math.max(this.#seems, this.#alone + (this.#needsAnother() ? 1 : 0));
    return this.#least <= mostKeys;
  }

  /** False when no value of their variables makes them fit. */
  #noteResources(resources: PlannedResources): boolean {
    const { variables } = resources;
    const variable = variables[0];
    if (variable === undefined) return false;
    if (variables.length > 1 || this.#isEntailed(variable)) return true;
    if (this.#valuesFitting(resources, variable).length === 0) return false;
    if (!isAmong(this.#aloneKeys, this.#alone, variable)) this.#aloneKeys[this.#alone++] = variable;
    return true;
  }

  #noteKey(key: PlannedKey): void {
    if (!isAmong(this.#failingKeys, this.#failing, key)) this.#failingKeys[this.#failing++] = key;
    if (this.#isEntailed(key) || isAmong(this.#aloneKeys, this.#alone, key)) return;
    this.#aloneKeys[this.#alone++] = key;
  }

  /** Whether some of the failing keys comes neither of itself nor through those that have to be chosen anyway. */
  #needsAnother(): boolean {
    if (this.#entailments().size === 0) return false;
    const alone = this.#aloneKeys.slice(0, this.#alone);
    return this.#failingKeys
      .slice(0, this.#failing)
      .some((key) => !alone.includes(key) && !alone.some((one) => this.#entails(one, key)));
  }

  #isMendable(condition: PlannedCondition): boolean {
    const { place, keys } = condition;
    const known = this.#mendable[place] ?? 0;
    if (known !== 0) return known > 0;
    let mendable = false;
    for (let i = 0; i < keys.length && !mendable; i += 1) {
      const key = keys[i];
      mendable = key !== undefined && (this.#isEntailed(key) || this.#hasValuesFor(key, condition));
    }
    this.#mendable[place] = mendable ? 1 : -1;
    return mendable;
  }

  #hasValuesFor(key: PlannedKey, condition: PlannedCondition): boolean {
    const { values, candidates, ranks } = this.#acceptedFor(key);
    if (candidates === null || condition.onlyKey !== key) return values.length > 0;
    const holding = candidates.holding(condition.placeOnKey);
    for (let i = 0; i < holding.length; i += 1) if (ranks[holding[i]?.place ?? 0] !== 0) return true;
    return false;
  }

  /** @param settled what the chosen ones come to */
  #walk(
    target: readonly PlannedStatement[],
    chosen: ContextChanges,
    settled: ContextChanges,
    left: number,
  ): ContextChanges | null {
    this.#left -= 1;
    if (this.#left <= 0) return null;
    const changed = this.#changed;
    for (const { conditions, resources } of target) {
      const faulty = conditions.find((one) => !changed.holds(one, settled));
      if (faulty !== undefined) {
        const valuesOf = (key: PlannedKey): readonly KeyValues[] => this.#valuesFor(key, faulty);
        return this.#branch(target, chosen, left, faulty.keys, (changes) => changed.holds(faulty, changes), valuesOf);
      }
      if (!changed.fits(resources, settled)) {
        const valuesOf = (key: PlannedKey): readonly KeyValues[] => this.#valuesFitting(resources, key);
        const mends = (changes: ContextChanges): boolean => changed.fits(resources, changes);
        return this.#branch(target, chosen, left, resources.variables, mends, valuesOf);
      }
    }
    for (const deny of this.#plan.denies) {
      if (!changed.matches(deny, settled)) continue;
      return this.#branch(target, chosen, left, deny.keys, (changes) => !changed.matches(deny, changes));
    }
    const { unchanged, keys, allowed } = this.#search;
    return allowed(changedContext(unchanged.context, keys, settled)) ? chosen : null;
  }

  #branch(
    target: readonly PlannedStatement[],
    chosen: ContextChanges,
    left: number,
    keys: readonly PlannedKey[],
    mends: (settled: ContextChanges) => boolean,
    valuesOf = (key: PlannedKey): readonly KeyValues[] => this.#acceptedFor(key).values,
  ): ContextChanges | null {
    if (left === 0) return null;
    for (const key of this.#chooseAmong(keys)) {
      if (chosen.has(key.name)) continue;
      for (const values of valuesOf(key)) {
        const next = new Map(chosen).set(key.name, values);
        const settled = settleChanges(next, this.#changeable);
        if (!mends(settled)) continue;
        const found = this.#walk(target, next, settled, left - 1);
        if (found !== null) return found;
        if (this.#left <= 0) return null;
      }
    }
    return null;
  }

  /** The keys themselves, and those that entail one of them. */
  #chooseAmong(keys: readonly PlannedKey[]): Iterable<PlannedKey> {
    const entailing = [...this.#entailments()].filter(([, also]) => keys.some((key) => also.has(key)));
    return entailing.length === 0 && keys.length < 2 ? keys : new Set([...entailing.map(([key]) => key), ...keys]);
  }

  /** By keys that entail others, which. */
  #entailments(): ReadonlyMap<PlannedKey, ReadonlySet<PlannedKey>> {
    if (this.#entailing !== null) return this.#entailing;
    const { entails } = this.#changeable;
    const entailing = new Map<PlannedKey, Set<PlannedKey>>();
    for (const key of entails === undefined ? [] : this.#plan.keys) {
      for (const values of this.#acceptedFor(key).values) {
        for (const [name] of entails?.(key.name, values) ?? []) {
          const also = this.#plan.find(name);
          if (also === undefined) continue;
          entailing.set(key, (entailing.get(key) ?? new Set<PlannedKey>()).add(also));
          this.#entailed.add(also);
        }
      }
    }
    this.#entailing = entailing;
    return entailing;
  }

  #entails(key: PlannedKey, other: PlannedKey): boolean {
    return this.#entailments().get(key)?.has(other) === true;
  }

  #isEntailed(key: PlannedKey): boolean {
    return this.#entailments().size > 0 && this.#entailed.has(key);
  }

  /** Values of a key that could mend a condition: those under which it holds, where the key is all that it asks for. */
  #valuesFor(key: PlannedKey, condition: PlannedCondition): readonly KeyValues[] {
    const { values, candidates, ranks } = this.#acceptedFor(key);
    if (candidates === null || condition.onlyKey !== key) return values;
    const rankOf = ({ place }: Candidate): number => ranks[place] ?? 0;
    return (this.#mending[condition.place] ??= candidates
      .holding(condition.placeOnKey)
      .filter((one) => rankOf(one) > 0)
      .sort((a, b) => rankOf(a) - rankOf(b))
      .map(({ values }) => values));
  }

  /** Values of a variable under which resources fit, where it is the only one in them. */
  #valuesFitting(resources: PlannedResources, key: PlannedKey): readonly KeyValues[] {
    const { values } = this.#acceptedFor(key);
    const { variables, place } = resources;
    if (variables.length !== 1 || variables[0] !== key) return values;
    return (this.#fitting[place] ??= this.#findFitting(resources, key, values));
  }

  #findFitting(resources: PlannedResources, key: PlannedKey, values: readonly KeyValues[]): readonly KeyValues[] {
    const settled = (this.#settled[key.place] ??= values.map((one) =>
      settleChanges(new Map([[key.name, one]]), this.#changeable),
    ));
    let fitting: KeyValues[] | null = null;
    for (let i = 0; i < values.length; i += 1) {
      const one = values[i];
      if (one !== undefined && this.#changed.fits(resources, settled[i] ?? noChanges)) (fitting ??= []).push(one);
    }
    return fitting ?? nothing;
  }

  /** Values that a key may come to have, one for each way in which the conditions that look at it can come out. */
  #acceptedFor(key: PlannedKey): Accepted {
    return (this.#accepted[key.place] ??= this.#accept(key));
  }

  #accept(key: PlannedKey): Accepted {
    const { unchanged, changeable } = this.#search;
    const { context } = unchanged;
    const candidates = this.#plan.candidatesFor(key);
    if (candidates === null) {
      const listed = key.conditions.map(({ one }) => one.condition);
      const values = [...valuesFor(listed, context), ...this.#valuesOfVariable(key)];
      return { values: values.filter((one) => changeable.mayBecome(key.name, one)), candidates, ranks: noRanks };
    }
    const values: KeyValues[] = [];
    const ranks = new Uint16Array(candidates.all.length);
    const kinds = new Uint8Array(candidates.all.length);
    for (const one of nearestFirst(candidates, context.get(key.name) ?? [])) {
      if (kinds[one.kind] === 1 || !changeable.mayBecome(key.name, one.values)) continue;
      kinds[one.kind] = 1;
      values.push(one.values);
      ranks[one.place] = values.length;
    }
    return { values, candidates, ranks };
  }

  /** What a variable must come to for a pattern to fit the resource, or for a listed value to be the one given. */
  #valuesOfVariable(key: PlannedKey): readonly KeyValues[] {
    if (!key.isVariable) return [];
    const { resource, context } = this.#search.unchanged;
    const texts = new Set<string>();
    const solve = (equations: readonly Equation[], text: string): void => {
      for (const equation of equations) {
        const solution = equation.solve(text);
        if (solution !== null && solution !== '') texts.add(solution);
      }
    };
    if (resource !== null) solve(this.#plan.equationsOf(key), resource.text);
    for (const { key: listing, equations } of this.#plan.listingsOf(key)) {
      for (const given of context.get(listing) ?? []) solve(equations, given);
    }
    return Array.from(texts.add('x'), (text) => [text]);
  }
}

const noRanks = new Uint16Array(0);
const nothing: readonly never[] = [];

function isAmong(keys: readonly PlannedKey[], count: number, key: PlannedKey): boolean {
  for (let i = 0; i < count; i += 1) if (keys[i] === key) return true;
  return false;
}

function rememberEntailed(changeable: ChangeableContext): ChangeableContext {
  const { entails } = changeable;
  if (entails === undefined) return changeable;
  const known = new Map<string, Map<KeyValues, Entailed>>();
  return {
    ...changeable,
    entails: (key, values) => {
      const ofKey = known.get(key) ?? new Map<KeyValues, Entailed>();
      known.set(key, ofKey);
      const found = ofKey.get(values) ?? entails(key, values);
      ofKey.set(values, found);
      return found;
    },
  };
}
