/**
 * One value of a key that passes some conditions and not others, found by aiming at it: where conditions with wildcards are
 * many, the combinations of what a value may pass are too many to list.
 */
import { type Budget, spend } from './cells.js';
import { type Glob, globsOverlap, matchesGlob } from './globs.js';
import { cutShort, leastTexts } from './least-texts.js';

/** What a condition lets pass: a value that fits one of the patterns, or (negated) none of them. */
export interface ListedPatterns {
  readonly globs: readonly Glob[];
  readonly negated: boolean;
}

/** Conditions by their ids, and whether the value is to pass each. */
export type Wishes = ReadonlyMap<number, boolean>;

/** Whether two patterns overlap takes as long as some steps. */
const overlapSteps = 16;

/** What only the empty text fits. */
const nothing: Glob = [];

export class LeastValues {
  readonly #listed: ReadonlyMap<number, ListedPatterns>;

  constructor(listed: ReadonlyMap<number, ListedPatterns>) {
    this.#listed = listed;
  }

  /** The conditions that let a value pass. */
  passedBy(text: string): ReadonlySet<number> {
    const passed = new Set<number>();
    for (const [id, { globs, negated }] of this.#listed) {
      if (globs.some((glob) => matchesGlob(glob, text)) !== negated) passed.add(id);
    }
    return passed;
  }

  /** A value that is not empty; null when there is none, or when the budget was spent. */
  find(wishes: Wishes, budget: Budget): string | null {
    const avoided = new Set([nothing]);
    const clauses: (readonly Glob[])[] = [];
    for (const [id, passes] of wishes) {
      const { globs, negated } = this.#listed.get(id) ?? { globs: [], negated: false };
      if (passes !== negated) clauses.push(globs);
      else for (const glob of globs) avoided.add(glob);
    }
    clauses.sort((a, b) => a.length - b.length);
    return this.#fitting(clauses, [], avoided, budget);
  }

  /** One pattern of each clause is held. */
  #fitting(
    clauses: readonly (readonly Glob[])[],
    hold: readonly Glob[],
    avoided: ReadonlySet<Glob>,
    budget: Budget,
  ): string | null {
    const [clause, ...rest] = clauses;
    if (clause === undefined) {
      for (const found of leastTexts(
        { hold, avoided: [...avoided], sought: [], hopeless: () => true, mayOccur: () => true },
        budget,
      ))
        return found === cutShort ? null : found.text;
      return null;
    }
    // What is held already may be one of the clause's own.
    if (clause.some((glob) => hold.includes(glob))) return this.#fitting(rest, hold, avoided, budget);
    for (const glob of clause) {
      if (!spend(budget, 1 + overlapSteps * hold.length)) return null;
      if (avoided.has(glob) || !hold.every((held) => globsOverlap(held, glob))) continue;
      const found = this.#fitting(rest, [...hold, glob], avoided, budget);
      if (found !== null) return found;
    }
    return null;
  }
}
