/**
 * Whether a request can make some literals hold and keep some conjunctions from holding.
 *
 * Of each conjunction that must not hold some literal has to fail. The search asks each key for its simplest answer, looks
 * which of those conjunctions still hold, and tries what of them could fail, one literal after the other. It ends when none
 * holds that must not, or when nothing is left to try.
 */
import { type Budget, spend } from './cells.js';
import type { Demands, KeyAnswer, KeyClasses } from './key-classes.js';
import { type Conjunction, negated } from './situations.js';

export interface LiteralSpace {
  /** The key that a literal is about; null for one that is free. */
  keyOf(literal: number): string | null;
  /** What the key may say. */
  classesOf(key: string): KeyClasses;
  consequencesOf(literal: number): readonly number[];
}

export type Answers = ReadonlyMap<string, KeyAnswer>;

/** How far a search has come. */
interface Standing {
  readonly held: ReadonlySet<number>;
  readonly demands: ReadonlyMap<string, Demands>;
  readonly answers: Answers;
}

const nothing: Standing = { held: new Set(), demands: new Map(), answers: new Map() };
const noDemands: Demands = { hold: [], fail: [] };

export class DemandSearch {
  readonly #space: LiteralSpace;
  readonly #loosely: boolean;
  readonly #budget: Budget;
  readonly #asked = new Map<string, KeyAnswer | null>();

  /** @param loosely whether classes of values count too of which no member is known */
  constructor(space: LiteralSpace, loosely: boolean, budget: Budget) {
    this.#space = space;
    this.#loosely = loosely;
    this.#budget = budget;
  }

  /** Answers under which `hold` holds and each of `fail` has a literal that fails; null when there are none. */
  find(hold: Conjunction, fail: readonly Conjunction[]): Answers | null {
    const start = this.#extended(nothing, hold);
    return start === null ? null : this.#resolve(fail, start);
  }

  #resolve(fail: readonly Conjunction[], at: Standing): Answers | null {
    if (!spend(this.#budget, fail.length + 1)) return null;
    const unsettled: (readonly number[])[] = [];
    const forced: number[] = [];
    for (const conjunction of fail) {
      if (conjunction.some((literal) => at.held.has(negated(literal)))) continue;
      const choices = conjunction.filter((literal) => !at.held.has(literal));
      const [only] = choices;
      if (only === undefined) return null;
      if (choices.length === 1) forced.push(negated(only));
      unsettled.push(choices);
    }
    // What leaves no choice is asked of a key all at once.
    if (forced.length > 0) {
      const next = this.#extended(at, forced);
      return next === null ? null : this.#resolve(fail, next);
    }
    let tight: readonly number[] | null = null;
    for (const choices of unsettled) {
      if (tight !== null && choices.length >= tight.length) continue;
      if (choices.every((literal) => this.#holds(literal, at))) tight = choices;
    }
    if (tight === null) return at.answers;
    let before: Standing | null = at;
    for (const literal of tight) {
      const failing: Standing | null = this.#extended(before, [negated(literal)]);
      const found = failing === null ? null : this.#resolve(fail, failing);
      if (found !== null || this.#budget.left < 0) return found;
      // What follows need not be tried with this one failing again.
      before = this.#extended(before, [literal]);
      if (before === null) return null;
    }
    return null;
  }

  /** The same with more that holds, and what follows from it; null when that cannot be. */
  #extended(at: Standing, literals: readonly number[]): Standing | null {
    const held = new Set(at.held);
    const changed = new Map<string, Demands>();
    const open = [...literals];
    for (let literal = open.pop(); literal !== undefined; literal = open.pop()) {
      if (held.has(literal)) continue;
      if (held.has(negated(literal))) return null;
      held.add(literal);
      open.push(...this.#space.consequencesOf(literal));
      const key = this.#space.keyOf(literal);
      if (key === null) continue;
      const { hold, fail } = changed.get(key) ?? at.demands.get(key) ?? noDemands;
      const id = literal >> 1;
      changed.set(key, literal % 2 === 0 ? { hold: [...hold, id], fail } : { hold, fail: [...fail, id] });
    }
    const demands = new Map([...at.demands, ...changed]);
    const answers = new Map(at.answers);
    for (const [key, demand] of changed) {
      const answer = this.#answer(key, demand);
      if (answer === null) return null;
      answers.set(key, answer);
    }
    return { held, demands, answers };
  }

  #holds(literal: number, { held, answers }: Standing): boolean {
    if (held.has(literal)) return true;
    if (held.has(negated(literal))) return false;
    const key = this.#space.keyOf(literal);
    const denied = literal % 2 === 1;
    // What nothing is known about fails.
    if (key === null) return denied;
    const answer = answers.get(key) ?? this.#answer(key, noDemands);
    return answer !== null && this.#space.classesOf(key).holds(literal >> 1, answer) !== denied;
  }

  #answer(key: string, demands: Demands): KeyAnswer | null {
    const inOrder = (ids: readonly number[]): readonly number[] => [...ids].sort((a, b) => a - b);
    const asked = `${key} ${inOrder(demands.hold).join()} ${inOrder(demands.fail).join()}`;
    let answer = this.#asked.get(asked);
    if (answer === undefined) {
      answer = this.#space.classesOf(key).answer(demands, this.#loosely, this.#budget);
      // What a spent budget says proves nothing.
      if (this.#budget.left >= 0) this.#asked.set(asked, answer);
    }
    return answer;
  }
}
