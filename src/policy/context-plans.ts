/**
 * What a search for other facts needs to know of the statements that it is about, whatever the request: which conditions
 * look at which key, which keys are variables, and which values tell the conditions on a key apart. Made once for the same
 * statements.
 */
import { type CandidateMemory, KeyCandidates } from './key-candidates.js';
import type { NearStatement } from './near-lists.js';
import type { PreparedCondition, PreparedStatement } from './single-statements.js';
import { type Equation, readEquation } from './variable-solutions.js';

/** Keys that are names of one thing: what is said under the first is said under each. In lower case. */
export type SameKeys = readonly (readonly string[])[];

/** A statement, what it lists and asks by numbers: what is of one number is the same. */
export type NumberedStatement = Pick<NearStatement<never>, 'one' | 'resources' | 'conditions'>;

/** Each of these must match. */
export type ContextTarget = readonly NumberedStatement[];

export interface PlannedCondition {
  /** Among those of the plan. */
  readonly place: number;
  readonly number: number;
  readonly one: PreparedCondition;
  /** The thing that it is about, and those of its variables. */
  readonly keys: readonly PlannedKey[];
  /** The thing that it is about, where nothing else decides whether it holds. */
  readonly onlyKey: PlannedKey | null;
  /** Among those that are about the same. */
  readonly placeOnKey: number;
}

export interface PlannedResources {
  /** Among those of the plan. */
  readonly place: number;
  readonly number: number;
  /** Of the statements that list the same, the first. */
  readonly one: PreparedStatement;
  readonly variables: readonly PlannedKey[];
}

export interface PlannedStatement {
  /** Every thing that it depends on. */
  readonly keys: readonly PlannedKey[];
  readonly conditions: readonly PlannedCondition[];
  readonly resources: PlannedResources;
}

/** A key, and what the values listed for it come to. */
export interface Listing {
  readonly key: string;
  readonly equations: readonly Equation[];
}

/** A thing that requests say something of, by the first of its names. */
export class PlannedKey {
  readonly name: string;
  /** Among those of the plan. */
  readonly place: number;
  readonly conditions: PlannedCondition[] = [];
  /** Whether some resource or listed value has it as a variable. */
  isVariable = false;

  constructor(name: string, place: number) {
    this.name = name;
    this.place = place;
  }
}

export class ContextPlan {
  readonly targets: readonly (readonly PlannedStatement[])[];
  readonly denies: readonly PlannedStatement[];
  readonly conditions: PlannedCondition[] = [];
  readonly resources: PlannedResources[] = [];
  readonly keys: PlannedKey[] = [];
  /** Of those that look at something, in the order in which conditions do. */
  readonly #asked: PlannedKey[] = [];
  readonly #keys = new Map<string, PlannedKey>();
  readonly #firstNames = new Map<string, string>();
  readonly #statements = new Map<PreparedStatement, PlannedStatement>();
  readonly #conditions = new Map<number, PlannedCondition>();
  readonly #resources = new Map<number, PlannedResources>();
  readonly #memory: CandidateMemory;
  readonly #lasting: number;
  readonly #candidates: (KeyCandidates | null | undefined)[] = [];
  readonly #equations: (readonly Equation[] | undefined)[] = [];
  readonly #listings: (readonly Listing[] | undefined)[] = [];

  /**
   * @param denies none of these may match
   * @param memory what is known of conditions with numbers below `lasting`
   */
  constructor(
    targets: readonly ContextTarget[],
    denies: readonly NumberedStatement[],
    sameKeys: SameKeys,
    memory: CandidateMemory,
    lasting: number,
  ) {
    this.#memory = memory;
    this.#lasting = lasting;
    for (const [first = '', ...others] of sameKeys) for (const other of others) this.#firstNames.set(other, first);
    this.targets = targets.map((allows) => allows.map((one) => this.#take(one)));
    this.denies = denies.map((one) => this.#take(one));
  }

  /** The thing that a key is a name of, when some statement has a key that is. */
  find(key: string): PlannedKey | undefined {
    return this.#keys.get(this.#firstNames.get(key) ?? key);
  }

  /** Values that tell the conditions on a key apart; null where variables make of each value something else. */
  candidatesFor(key: PlannedKey): KeyCandidates | null {
    const known = this.#candidates[key.place];
    if (known !== undefined) return known;
    const open = key.isVariable || key.conditions.some(({ one }) => one.variables.length > 0);
    const candidates = open ? null : this.#candidatesOf(key);
    this.#candidates[key.place] = candidates;
    return candidates;
  }

  #candidatesOf({ conditions }: PlannedKey): KeyCandidates {
    const ones = conditions.map(({ one }) => one);
    const numbers = conditions.map(({ number }) => number);
    const lasts = numbers.every((number) => number < this.#lasting);
    return lasts ? this.#memory.of(numbers, ones) : new KeyCandidates(ones);
  }

  /** What a variable would have to be for the resources of statements to come to some text. */
  equationsOf({ name, place }: PlannedKey): readonly Equation[] {
    return (this.#equations[place] ??= [...new Set(this.resources.flatMap(patternsOf))].flatMap((pattern) => {
      return readEquation(pattern, name) ?? [];
    }));
  }

  /** Conditions that list a value with a variable, by what the variable would have to be for it to come to some text. */
  listingsOf({ name, place }: PlannedKey): readonly Listing[] {
    return (this.#listings[place] ??= this.#asked.flatMap(({ conditions }) =>
      conditions.flatMap(({ one: { variables, key, condition } }) =>
        variables.includes(name)
          ? [{ key, equations: condition.values.flatMap((value) => readEquation(value, name) ?? []) }]
          : [],
      ),
    ));
  }

  #take(numbered: NumberedStatement): PlannedStatement {
    const { one, conditions: numbers } = numbered;
    const known = this.#statements.get(one);
    if (known !== undefined) return known;
    const resources = this.#resourcesOf(numbered);
    const conditions = one.conditions.map((condition, i) => this.#condition(condition, numbers[i] ?? 0));
    const keys = [...new Set([...resources.variables, ...conditions.flatMap(({ keys }) => keys)])];
    const made = { keys, conditions, resources };
    this.#statements.set(one, made);
    return made;
  }

  #resourcesOf({ one, resources: number }: NumberedStatement): PlannedResources {
    const known = this.#resources.get(number);
    if (known !== undefined) return known;
    const made = { place: this.resources.length, number, one, variables: this.#variables(one.variables) };
    this.#resources.set(number, made);
    this.resources.push(made);
    return made;
  }

  #condition(one: PreparedCondition, number: number): PlannedCondition {
    const known = this.#conditions.get(number);
    if (known !== undefined) return known;
    const key = this.#keyOf(one.key);
    const keys = [key, ...this.#variables(one.variables)];
    const place = this.conditions.length;
    const onlyKey = keys.length === 1 ? key : null;
    const made = { place, number, one, keys, onlyKey, placeOnKey: key.conditions.length };
    if (key.conditions.length === 0) this.#asked.push(key);
    key.conditions.push(made);
    this.#conditions.set(number, made);
    this.conditions.push(made);
    return made;
  }

  #keyOf(key: string): PlannedKey {
    const known = this.find(key);
    if (known !== undefined) return known;
    const name = this.#firstNames.get(key) ?? key;
    const made = new PlannedKey(name, this.keys.length);
    this.#keys.set(name, made);
    this.keys.push(made);
    return made;
  }

  #variables(names: readonly string[]): readonly PlannedKey[] {
    return names.map((name) => {
      const key = this.#keyOf(name);
      key.isVariable = true;
      return key;
    });
  }
}

function patternsOf({ one: { statement, variables } }: PlannedResources): readonly string[] {
  return variables.length === 0 ? [] : [...(statement.resources ?? []), ...(statement.notResources ?? [])];
}

/** Plans that are remembered. */
const remembered = 32;

/** Plans by what they are about. */
export class PlanMemory<About> {
  readonly #known = new Map<About, { readonly sameKeys: string; readonly plan: ContextPlan }>();

  of(about: About, sameKeys: SameKeys, make: () => ContextPlan): ContextPlan {
    const text = sameKeys.map((names) => names.join(' ')).join('\n');
    const known = this.#known.get(about);
    if (known?.sameKeys === text) return known.plan;
    const plan = make();
    const [oldest] = this.#known.size >= remembered ? this.#known.keys() : [];
    if (oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(about, { sameKeys: text, plan });
    return plan;
  }
}
