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
  type ChangedCondition,
  type ChangedStatement,
  ChangedStatements,
  type ContextChanges,
  type NumberedStatement,
} from './changed-statements.js';
import type { RequestContext } from './context.js';
import type { PolicyRequest } from './evaluation.js';
import { type Candidate, type CandidateMemory, KeyCandidates, nearestFirst } from './key-candidates.js';
import { type KeyValues, valuesFor } from './key-values.js';
import type { PreparedStatement } from './single-statements.js';
import { readTemplate } from './templates.js';

/** Keys that a way may change. */
const mostKeys = 4;

/** Places that one search may look at. */
const budget = 600;

/** Allows that one search aims at. */
const mostTargets = 200;

/** What may be changed, and what changes with it. */
export interface ChangeableContext {
  /** Whether a key, in lower case, may come to have these values; none: may come to be absent. */
  readonly mayBecome: (key: string, values: KeyValues) => boolean;
  /** Keys that are names of one thing: what is said under the first is said under each. In lower case. */
  readonly sameKeys?: readonly (readonly string[])[];
  /** What else a request says when a key has these values, in lower case: the age of a second factor that is there. */
  readonly entails?: (key: string, values: KeyValues) => readonly (readonly [string, KeyValues])[];
}

/** Each of these must match. */
export type ContextTarget = readonly NumberedStatement[];

export interface ContextSearch {
  readonly request: PolicyRequest;
  readonly changeable: ChangeableContext;
  readonly targets: readonly ContextTarget[];
  /** None of these may match. */
  readonly denies: readonly NumberedStatement[];
  /** Every key that the verdict depends on. */
  readonly keys: ReadonlySet<string>;
  /** The verdict of the evaluator; a way is one only when this says so. */
  readonly allowed: (context: RequestContext) => boolean;
  /** What is known of values already, for conditions with numbers below the one given. */
  readonly memory: { readonly candidates: CandidateMemory; readonly numbers: number };
}

/** The chosen keys with what goes with them. */
export function settleChanges(chosen: ContextChanges, { sameKeys = [], entails }: ChangeableContext): ContextChanges {
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

/** Values that a key may come to have. */
interface Accepted {
  readonly candidates: KeyCandidates;
  /** Of those that it may, in the order in which they are tried. */
  readonly ranks: ReadonlyMap<Candidate, number>;
  /** Of conditions, among those that the candidates are for. */
  readonly places: ReadonlyMap<ChangedCondition, number>;
}

class ContextWays {
  readonly #search: ContextSearch;
  readonly #targets: readonly (readonly ChangedStatement[])[];
  readonly #denies: readonly ChangedStatement[];
  readonly #statements: readonly PreparedStatement[];
  /** By the first name of their key. */
  readonly #conditions = new Map<string, ChangedCondition[]>();
  readonly #firstNames = new Map<string, string>();
  readonly #values = new Map<string, readonly KeyValues[]>();
  readonly #mending = new Map<ChangedCondition, readonly KeyValues[]>();
  readonly #accepted = new Map<string, Accepted>();
  #variables: ReadonlySet<string> | null = null;
  #entailing: ReadonlyMap<string, ReadonlySet<string>> | null = null;
  #left = budget;

  constructor(search: ContextSearch) {
    this.#search = search;
    const { targets, denies, changeable, request } = search;
    for (const [first = '', ...others] of changeable.sameKeys ?? []) {
      for (const other of others) this.#firstNames.set(other, first);
    }
    const changed = new ChangedStatements(request);
    this.#targets = targets.map((allows) => allows.map((one) => changed.take(one)));
    this.#denies = denies.map((one) => changed.take(one));
    this.#statements = changed.statements;
    for (const one of changed.conditions) {
      const key = this.#firstName(one.one.key);
      const about = this.#conditions.get(key);
      if (about === undefined) this.#conditions.set(key, [one]);
      else about.push(one);
    }
  }

  find(): ContextChanges | null {
    const none = new Map<string, KeyValues>();
    // A Deny that no key has a say in stays.
    if (this.#denies.some((deny) => deny.one.keys.length === 0 && deny.matches(none))) return null;
    const ranked = this.#targets
      .map((target) => ({ target, least: this.#leastFor(target) }))
      .filter(({ least }) => least <= mostKeys)
      .sort((a, b) => a.least - b.least)
      .slice(0, mostTargets);
    for (let size = 0; size <= mostKeys; size += 1) {
      for (const { target, least } of ranked) {
        if (least > size) break;
        const found = this.#walk(target, none, size);
        if (found !== null) return found;
        if (this.#left <= 0) return null;
      }
    }
    return null;
  }

  /** How many keys must change at least for a target; more than any way has when some condition is not to be mended. */
  #leastFor(target: readonly ChangedStatement[]): number {
    const none = new Map<string, KeyValues>();
    const settled = new Set<string>();
    let least = 0;
    for (const allow of target) {
      if (!allow.fits(none)) {
        if (allow.one.variables.length === 0) return Infinity;
        least = Math.max(least, 1);
      }
      for (const condition of allow.conditions) {
        if (condition.holds(none)) continue;
        const { key, variables } = condition.one;
        const keys = [key, ...variables].map((one) => this.#firstName(one));
        // Keys that others entail come free, so only one of them is counted on.
        if (!keys.some((one) => this.#valuesFor(one, condition).length > 0) && !this.#entailed()) return Infinity;
        if (keys.length === 1 && keys[0] !== undefined) settled.add(keys[0]);
        else least = Math.max(least, 1);
      }
    }
    return this.#entailed() ? Math.max(least, Math.min(1, settled.size)) : Math.max(least, settled.size);
  }

  #entailed(): boolean {
    return this.#search.changeable.entails !== undefined;
  }

  #walk(target: readonly ChangedStatement[], chosen: ContextChanges, left: number): ContextChanges | null {
    this.#left -= 1;
    if (this.#left <= 0) return null;
    const settled = settleChanges(chosen, this.#search.changeable);
    for (const allow of target) {
      const faulty = allow.conditions.find((one) => !one.holds(settled));
      if (faulty !== undefined) {
        const { key, variables } = faulty.one;
        const valuesOf = (one: string): readonly KeyValues[] => this.#valuesFor(one, faulty);
        return this.#branch(target, chosen, left, [key, ...variables], (changes) => faulty.holds(changes), valuesOf);
      }
      if (!allow.fits(settled)) {
        return this.#branch(target, chosen, left, allow.one.variables, (changes) => allow.fits(changes));
      }
    }
    const deny = this.#denies.find((one) => one.matches(settled));
    if (deny !== undefined) {
      return this.#branch(target, chosen, left, deny.one.keys, (changes) => !deny.matches(changes));
    }
    const { request, keys, allowed } = this.#search;
    return allowed(changedContext(request.context, keys, settled)) ? chosen : null;
  }

  #branch(
    target: readonly ChangedStatement[],
    chosen: ContextChanges,
    left: number,
    keys: readonly string[],
    mends: (settled: ContextChanges) => boolean,
    valuesOf = (key: string): readonly KeyValues[] => this.#valuesOf(key),
  ): ContextChanges | null {
    if (left === 0) return null;
    const { changeable } = this.#search;
    for (const key of this.#chooseAmong(keys)) {
      if (chosen.has(key)) continue;
      for (const values of valuesOf(key)) {
        const next = new Map([...chosen, [key, values]]);
        if (!mends(settleChanges(next, changeable))) continue;
        const found = this.#walk(target, next, left - 1);
        if (found !== null) return found;
        if (this.#left <= 0) return null;
      }
    }
    return null;
  }

  /** The keys themselves, and those that entail one of them. */
  #chooseAmong(keys: readonly string[]): ReadonlySet<string> {
    const wanted = new Set(keys.map((key) => this.#firstName(key)));
    const { entails } = this.#search.changeable;
    if (entails === undefined) return wanted;
    this.#entailing ??= new Map(
      [...new Set(this.#statements.flatMap(({ keys }) => keys.map((key) => this.#firstName(key))))].map((key) => [
        key,
        new Set(this.#valuesOf(key).flatMap((values) => entails(key, values).map(([also]) => this.#firstName(also)))),
      ]),
    );
    const entailing = [...this.#entailing].filter(([, also]) => [...wanted].some((key) => also.has(key)));
    return new Set([...entailing.map(([key]) => key), ...wanted]);
  }

  #firstName(key: string): string {
    return this.#firstNames.get(key) ?? key;
  }

  /** Values of a key that could mend a condition: those under which it holds, where the key is all that it asks for. */
  #valuesFor(key: string, condition: ChangedCondition): readonly KeyValues[] {
    const { one } = condition;
    const values = this.#valuesOf(key);
    const accepted = this.#accepted.get(key);
    const place = accepted?.places.get(condition);
    if (accepted === undefined || place === undefined || one.variables.length > 0) return values;
    const known = this.#mending.get(condition);
    if (known !== undefined) return known;
    const { candidates, ranks } = accepted;
    const mending = candidates
      .holding(place)
      .filter((one) => ranks.has(one))
      .sort((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0))
      .map(({ values }) => values);
    this.#mending.set(condition, mending);
    return mending;
  }

  /** Values that a key may come to have, one for each way in which the conditions that look at it can come out. */
  #valuesOf(key: string): readonly KeyValues[] {
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    const { request, changeable, memory } = this.#search;
    const { context } = request;
    const about = this.#conditions.get(key) ?? [];
    const conditions = about.map(({ one }) => one);
    let values: readonly KeyValues[];
    if (this.#isVariable(key) || conditions.some(({ variables }) => variables.length > 0)) {
      // A variable may make of each value something else.
      const listed = conditions.map(({ condition }) => condition);
      values = [...valuesFor(listed, context), ...this.#valuesOfVariable(key)].filter((one) =>
        changeable.mayBecome(key, one),
      );
    } else {
      const numbers = about.map(({ number }) => number);
      const lasting = numbers.every((number) => number < memory.numbers);
      const candidates = lasting ? memory.candidates.of(numbers, conditions) : new KeyCandidates(conditions);
      const kinds = new Set<number>();
      const accepted = nearestFirst(candidates.all, context.get(key) ?? []).filter((one) => {
        if (kinds.has(one.kind) || !changeable.mayBecome(key, one.values)) return false;
        kinds.add(one.kind);
        return true;
      });
      this.#accepted.set(key, {
        candidates,
        ranks: new Map(accepted.map((one, rank) => [one, rank])),
        places: new Map(about.map((one, place) => [one, place])),
      });
      values = accepted.map((one) => one.values);
    }
    this.#values.set(key, values);
    return values;
  }

  #isVariable(key: string): boolean {
    this.#variables ??= new Set(
      [
        ...[...this.#conditions.values()].flatMap((about) => about.flatMap(({ one }) => one.variables)),
        ...this.#statements.flatMap(({ variables }) => variables),
      ].map((one) => this.#firstName(one)),
    );
    return this.#variables.has(key);
  }

  /** What a variable must come to for a pattern to fit the resource, or for a listed value to be the one given. */
  #valuesOfVariable(key: string): readonly KeyValues[] {
    if (!this.#isVariable(key)) return [];
    const { request } = this.#search;
    const texts: string[] = [];
    const solve = (pattern: string, text: string): void => {
      const solution = solveVariable(pattern, key, text);
      if (solution !== null && solution !== '') texts.push(solution);
    };
    for (const { statement } of this.#statements) {
      for (const pattern of [...(statement.resources ?? []), ...(statement.notResources ?? [])]) {
        if (request.resource !== null) solve(pattern, request.resource);
      }
    }
    for (const { one } of [...this.#conditions.values()].flat()) {
      for (const given of request.context.get(one.key) ?? []) {
        for (const value of one.condition.values) solve(value, given);
      }
    }
    return [...new Set([...texts, 'x'])].map((text) => [text]);
  }
}

/** The value of a variable that makes a text with wildcards come to another; null when none is seen. */
function solveVariable(pattern: string, key: string, text: string): string | null {
  const { template } = readTemplate(pattern);
  if (template === null || !template.some((part) => part.kind === 'variable' && part.key.toLowerCase() === key)) {
    return null;
  }
  let taken = false;
  const source = template
    .map((part) => {
      if (part.kind === 'variable') {
        if (part.key.toLowerCase() !== key || taken) return '[^]*?';
        taken = true;
        return '([^]*?)';
      }
      const wild = part.kind === 'text';
      return Array.from(part.text, (character) =>
        wild && character === '*' ? '[^]*?' : wild && character === '?' ? '[^]' : escape(character),
      ).join('');
    })
    .join('');
  // Two runs side by side would be tried in every division of the text.
  if (text.length > 300 || source.split('*?').length > 4) return null;
  // Blank segments fit anything.
  const blanks = source.replace(/(?<=^|:)(?=:)/g, '[^:]*');
  return new RegExp(`^${blanks}$`, 'u').exec(text)?.[1] ?? null;
}

function escape(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}
