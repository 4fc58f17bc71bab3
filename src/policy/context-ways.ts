/**
 * The fewest keys of a request that have to change for it to be allowed.
 *
 * A way must make every condition of some Allow true and one condition of every Deny false. The search takes the first
 * that is not so and branches over the keys that could mend it and the values that do; no key is changed twice. Whatever
 * way there is of the size looked for mends the first fault by one of its keys, so with rising sizes the first way found
 * has the fewest keys that any has with these values. Bounded: past its budget it answers that it found none.
 */
import { testCondition } from './conditions.js';
import type { RequestContext } from './context.js';
import type { Condition } from './document.js';
import type { DeterminingStatement, PolicyRequest } from './evaluation.js';
import { type KeyValues, valuesFor } from './key-values.js';
import { fitsResource, holdsFor, type PreparedCondition, type PreparedStatement } from './single-statements.js';
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

/** Values by key in lower case; an empty list takes the key away. */
export type ContextChanges = ReadonlyMap<string, KeyValues>;

export interface ContextTarget<Origin> {
  /** Each of these must match. */
  readonly allows: readonly PreparedStatement[];
  readonly of: readonly DeterminingStatement<Origin>[];
}

export interface ContextSearch<Origin> {
  readonly request: PolicyRequest;
  readonly changeable: ChangeableContext;
  readonly targets: readonly ContextTarget<Origin>[];
  /** None of these may match. */
  readonly denies: readonly PreparedStatement[];
  /** Every key that the verdict depends on. */
  readonly keys: ReadonlySet<string>;
  /** The verdict of the evaluator; a way is one only when this says so. */
  readonly allowed: (context: RequestContext) => boolean;
}

/** The request's context with changes, as far as some keys go. */
export function changedContext(
  base: RequestContext,
  keys: Iterable<string>,
  changes: ContextChanges,
): Map<string, KeyValues> {
  const context = new Map<string, KeyValues>();
  for (const key of new Set([...keys, ...changes.keys()])) {
    const values = changes.get(key) ?? base.get(key) ?? [];
    if (values.length > 0) context.set(key, values);
  }
  return context;
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
export function findContextWay<Origin>(search: ContextSearch<Origin>): ContextChanges | null {
  return new ContextWays(search).find();
}

class ContextWays<Origin> {
  readonly #search: ContextSearch<Origin>;
  readonly #denies: readonly PreparedStatement[];
  readonly #keys: readonly string[];
  readonly #firstNames = new Map<string, string>();
  readonly #values = new Map<string, readonly KeyValues[]>();
  readonly #conditions: readonly PreparedCondition[];
  readonly #truths = new Map<string, Map<KeyValues, boolean>>();
  readonly #fits = new Map<PreparedStatement, boolean>();
  #entailing: ReadonlyMap<string, ReadonlySet<string>> | null = null;
  #left = budget;

  constructor(search: ContextSearch<Origin>) {
    this.#search = search;
    const { targets, changeable } = search;
    const denies = [...new Map(search.denies.map((one) => [one.signature, one])).values()];
    this.#denies = denies;
    for (const [first = '', ...others] of changeable.sameKeys ?? []) {
      for (const other of others) this.#firstNames.set(other, first);
    }
    const all = [...new Set([...targets.flatMap(({ allows }) => allows), ...denies])];
    const conditions = all.flatMap((one) => one.conditions);
    this.#conditions = [...new Map(conditions.map((one) => [one.signature, one])).values()];
    this.#keys = [...new Set(all.flatMap(({ keys }) => keys))];
  }

  find(): ContextChanges | null {
    const { targets } = this.#search;
    const denies = this.#denies;
    // A Deny that no key has a say in stays.
    if (denies.some((deny) => deny.keys.length === 0 && this.#matches(deny, new Map()))) return null;
    const ranked = targets
      .map((target) => ({ target, least: this.#leastFor(target) }))
      .filter(({ least }) => least <= mostKeys)
      .sort((a, b) => a.least - b.least)
      .slice(0, mostTargets);
    for (let size = 0; size <= mostKeys; size += 1) {
      for (const { target, least } of ranked) {
        if (least > size) break;
        const found = this.#walk(target, new Map(), size);
        if (found !== null) return found;
        if (this.#left <= 0) return null;
      }
    }
    return null;
  }

  /** How many keys must change at least for a target; more than any way has when some condition is not to be mended. */
  #leastFor({ allows }: ContextTarget<Origin>): number {
    const none = new Map<string, KeyValues>();
    const settled = new Set<string>();
    let least = 0;
    for (const allow of allows) {
      if (!this.#fitsResource(allow, none)) {
        if (allow.variables.length === 0) return Infinity;
        least = Math.max(least, 1);
      }
      for (const one of allow.conditions) {
        if (this.#holds(allow, one, none)) continue;
        const keys = [one.key, ...one.variables].map((key) => this.#firstName(key));
        // Keys that others entail come free, so only one of them is counted on.
        if (!keys.some((key) => this.#valuesOf(key).length > 0) && !this.#entailed()) return Infinity;
        if (keys.length === 1 && keys[0] !== undefined) settled.add(keys[0]);
        else least = Math.max(least, 1);
      }
    }
    return this.#entailed() ? Math.max(least, Math.min(1, settled.size)) : Math.max(least, settled.size);
  }

  #entailed(): boolean {
    return this.#search.changeable.entails !== undefined;
  }

  #walk(target: ContextTarget<Origin>, chosen: ContextChanges, left: number): ContextChanges | null {
    this.#left -= 1;
    if (this.#left <= 0) return null;
    const settled = settleChanges(chosen, this.#search.changeable);
    for (const allow of target.allows) {
      const faulty = allow.conditions.find((one) => !this.#holds(allow, one, settled));
      if (faulty !== undefined) {
        const mends = (changes: ContextChanges): boolean => this.#holds(allow, faulty, changes);
        return this.#branch(target, chosen, left, [faulty.key, ...faulty.variables], mends);
      }
      if (!this.#fitsResource(allow, settled)) {
        const mends = (changes: ContextChanges): boolean => this.#fitsResource(allow, changes);
        return this.#branch(target, chosen, left, allow.variables, mends);
      }
    }
    const deny = this.#denies.find((one) => this.#matches(one, settled));
    if (deny !== undefined) {
      return this.#branch(target, chosen, left, deny.keys, (changes) => !this.#matches(deny, changes));
    }
    const { request, keys, allowed } = this.#search;
    return allowed(changedContext(request.context, keys, settled)) ? chosen : null;
  }

  #branch(
    target: ContextTarget<Origin>,
    chosen: ContextChanges,
    left: number,
    keys: readonly string[],
    mends: (settled: ContextChanges) => boolean,
  ): ContextChanges | null {
    if (left === 0) return null;
    const { changeable } = this.#search;
    for (const key of this.#chooseAmong(keys)) {
      if (chosen.has(key)) continue;
      for (const values of this.#valuesOf(key)) {
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
      [...new Set(this.#keys.map((key) => this.#firstName(key)))].map((key) => [
        key,
        new Set(this.#valuesOf(key).flatMap((values) => entails(key, values).map(([also]) => this.#firstName(also)))),
      ]),
    );
    const entailing = [...this.#entailing].filter(([, also]) => [...wanted].some((key) => also.has(key)));
    return new Set([...entailing.map(([key]) => key), ...wanted]);
  }

  #matches(statement: PreparedStatement, changes: ContextChanges): boolean {
    return (
      statement.conditions.every((one) => this.#holds(statement, one, changes)) &&
      this.#fitsResource(statement, changes)
    );
  }

  #holds(
    { statement }: PreparedStatement,
    { condition, key, variables, signature }: PreparedCondition,
    changes: ContextChanges,
  ) {
    const { context } = this.#search.request;
    if (variables.length > 0) {
      return holdsFor(statement, condition, changedContext(context, [key, ...variables], changes));
    }
    const values = changes.get(key) ?? context.get(key) ?? absent;
    let truths = this.#truths.get(signature);
    if (truths === undefined) this.#truths.set(signature, (truths = new Map<KeyValues, boolean>()));
    const known = truths.get(values);
    if (known !== undefined) return known;
    const holds = holdsFor(statement, condition, new Map(values.length === 0 ? [] : [[key, values]]));
    truths.set(values, holds);
    return holds;
  }

  #fitsResource(one: PreparedStatement, changes: ContextChanges): boolean {
    const { request } = this.#search;
    if (one.variables.length > 0) {
      return fitsResource(one, request, changedContext(request.context, one.variables, changes));
    }
    const known = this.#fits.get(one);
    if (known !== undefined) return known;
    const fits = fitsResource(one, request, request.context);
    this.#fits.set(one, fits);
    return fits;
  }

  #firstName(key: string): string {
    return this.#firstNames.get(key) ?? key;
  }

  /** Values that a key may come to have, one for each way in which the conditions that look at it can come out. */
  #valuesOf(key: string): readonly KeyValues[] {
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    const { request, changeable } = this.#search;
    const { context } = request;
    const about = this.#conditions.filter((one) => this.#firstName(one.key) === key);
    const present = context.get(key) ?? absent;
    const candidates = [
      ...valuesFor(
        about.map(({ condition }) => condition),
        context,
        present,
      ),
      ...this.#valuesOfVariable(key),
    ];
    const kinds = new Set<string>();
    const values = candidates.filter((candidate) => {
      if (!changeable.mayBecome(key, candidate)) return false;
      const known = about.filter(({ variables }) => variables.length === 0);
      // A variable may make of each value something else.
      if (known.length < about.length || this.#isVariable(key)) return true;
      const kind = known.map(({ condition, key: own }) => this.#outcome(condition, own, candidate)).join('');
      if (kinds.has(kind)) return false;
      kinds.add(kind);
      return true;
    });
    this.#values.set(key, values);
    return values;
  }

  #outcome(condition: Condition, key: string, values: KeyValues): string {
    return testCondition(condition, new Map(values.length === 0 ? [] : [[key, values]])).result.charAt(0);
  }

  #isVariable(key: string): boolean {
    const uses = (keys: readonly string[]): boolean => keys.some((one) => this.#firstName(one) === key);
    const { targets } = this.#search;
    const denies = this.#denies;
    return (
      this.#conditions.some(({ variables }) => uses(variables)) ||
      denies.some(({ variables }) => uses(variables)) ||
      targets.some(({ allows }) => allows.some(({ variables }) => uses(variables)))
    );
  }

  /** What a variable must come to for a pattern to fit the resource, or for a listed value to be the one given. */
  #valuesOfVariable(key: string): readonly KeyValues[] {
    if (!this.#isVariable(key)) return [];
    const { request, targets } = this.#search;
    const denies = this.#denies;
    const texts: string[] = [];
    const solve = (pattern: string, text: string): void => {
      const solution = solveVariable(pattern, key, text);
      if (solution !== null && solution !== '') texts.push(solution);
    };
    for (const { statement } of [...targets.flatMap(({ allows }) => allows), ...denies]) {
      for (const pattern of [...(statement.resources ?? []), ...(statement.notResources ?? [])]) {
        if (request.resource !== null) solve(pattern, request.resource);
      }
    }
    for (const { condition, key: own } of this.#conditions) {
      for (const given of request.context.get(own) ?? []) for (const value of condition.values) solve(value, given);
    }
    return [...new Set([...texts, 'x'])].map((text) => [text]);
  }
}

const absent: KeyValues = [];

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
  return /[\\^$.*+?()[\]{}|/-]/.test(character) ? `\\${character}` : character;
}
