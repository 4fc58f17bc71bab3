/**
 * What a request may say under one condition key, as far as conditions can tell.
 *
 * Values that every condition on the key takes alike are one class. A key with several values is a set of classes: a
 * condition asks of it only whether some value passes, whether each does, and whether all can be read. So whether given
 * conditions can hold together while others fail is found class by class, without listing the sets.
 */
import { type Budget, spend, textCells, type TextPattern } from './cells.js';
import { compileCondition, type ConditionTest, holds, unclear } from './compiled-conditions.js';
import { requestValueReads, testCondition, withoutCase } from './conditions.js';
import type { Condition } from './document.js';
import { anyRun, literalGlob } from './globs.js';
import { LeastValues, type ListedPatterns, type Wishes } from './least-values.js';
import type { OperatorUse, OperatorValueType } from './operators.js';
import { readBoolean } from './quantities.js';
import { readTemplate, templateGlob, templateText } from './templates.js';
import { textsOfType, type TypedValueType, typed } from './typed-samples.js';

/** A condition whose operator is known and whose values have no variable left. */
export interface PlainCondition {
  readonly id: number;
  readonly condition: Condition;
  readonly use: OperatorUse;
}

/** Conditions that the request must meet, and others that it must not. */
export interface Demands {
  readonly hold: readonly number[];
  readonly fail: readonly number[];
}

/** How many values the key may have: variables make a difference between one and several. */
export type ValueCount = 'ANY' | 'AT_MOST_ONE' | 'ONE' | 'SEVERAL';

/** An answer to demands: the classes that the values come from; none when the key is absent. */
export interface KeyAnswer {
  readonly classes: readonly ValueClass[];
  /** The texts; null when no single text is known to be in a class. */
  readonly values: readonly string[] | null;
}

interface ValueClass {
  readonly text: string | null;
  readonly empty: boolean;
  /** Which type besides text it reads as; the types share no text. */
  readonly type: OperatorValueType | null;
  readonly passes: ReadonlySet<number>;
}

export class KeyClasses {
  readonly #conditions: ReadonlyMap<number, PlainCondition>;
  readonly #classes: readonly ValueClass[];
  /** Where values are aimed at: those found so far are among the classes. */
  readonly #aimed: AimedClasses | null;
  readonly #count: ValueCount;
  /** Without the classes that may have no member: what they answer can be shown, what they refuse proves nothing. */
  readonly #real: readonly ValueClass[];
  /** Whether every value falls into one of the classes. */
  readonly complete: boolean;

  constructor(conditions: readonly PlainCondition[], count: ValueCount, budget: Budget) {
    this.#conditions = new Map(conditions.map((condition) => [condition.id, condition]));
    this.#count = count;
    const { classes, complete, aimed } = classesOf(conditions, budget);
    this.#classes = classes;
    this.#aimed = aimed;
    this.#real = aimed === null ? classes.filter(({ text }) => text !== null) : classes;
    this.complete = complete;
  }

  /** One text of each class of which one is known. */
  get texts(): readonly string[] {
    return this.#real.flatMap(({ text }) => (text === null ? [] : [text]));
  }

  /** Whether a condition holds under an answer. */
  holds(id: number, { classes }: KeyAnswer): boolean {
    const known = this.#conditions.get(id);
    return known !== undefined && resultOf(known, classes);
  }

  /**
   * The simplest answer that meets the demands, or null when there is none.
   *
   * @param loosely whether classes count too of which no member is known
   */
  answer(demands: Demands, loosely: boolean, budget: Budget): KeyAnswer | null {
    const classes = loosely ? this.#classes : this.#real;
    const met = (of: readonly ValueClass[]): boolean =>
      demands.hold.every((id) => this.holds(id, { classes: of, values: null })) &&
      !demands.fail.some((id) => this.holds(id, { classes: of, values: null }));
    if ((this.#count === 'ANY' || this.#count === 'AT_MOST_ONE') && met([])) return { classes: [], values: [] };
    const weight = 1 + (demands.hold.length + demands.fail.length) / 32;
    if (!spend(budget, classes.length * weight)) return null;
    const one = classes.find((each) => met([each]));
    if (one !== undefined) return this.#answerOf([one]);
    if (this.#aimed !== null) {
      const found = this.#aimed.find(this.#wishesOf(demands), budget);
      if (found !== null && met([found])) return this.#answerOf([found]);
    }
    if (this.#count === 'ONE' || this.#count === 'AT_MOST_ONE') return null;
    for (const readAs of [null, ...this.#typesIn(demands)]) {
      const set = this.#setFor(demands, classes, readAs, budget);
      if (set !== null && met(set)) return this.#answerOf(fewest(set, met));
    }
    return null;
  }

  /** Types that are worth trying apart: where no demand is about one, its values meet only what any values do. */
  #typesIn({ hold, fail }: Demands): readonly TypedValueType[] {
    if (this.#aimed !== null) return [];
    const asked = new Set([...hold, ...fail].map((id) => this.#conditions.get(id)?.use.operator.valueType));
    return typed.filter((type) => asked.has(type));
  }

  /** Several values, some not empty, that all read as a type, or (null) not all as any type that must not hold. */
  #setFor(
    { hold, fail }: Demands,
    classes: readonly ValueClass[],
    readAs: TypedValueType | null,
    budget: Budget,
  ): readonly ValueClass[] | null {
    let allowed = readAs === null ? classes : classes.filter(({ type }) => type === readAs);
    const wanted: Wanted[] = [{ by: (each) => !each.empty, wishes: [] }];
    const bound = new Map<number, boolean>();
    for (const [ids, mustHold] of [
      [hold, true],
      [fail, false],
    ] as const) {
      for (const id of ids) {
        const known = this.#conditions.get(id);
        if (known === undefined) continue;
        const { valueType } = known.use.operator;
        // Presence alone decides these; whether they agree is seen when the set is tried.
        if (isPresence(known.use)) continue;
        if (valueType !== 'string' && valueType !== readAs) {
          if (mustHold) return null;
          wanted.push({ by: ({ type }) => type !== valueType, wishes: [] });
          continue;
        }
        const passes = ({ passes: those }: ValueClass): boolean => those.has(id);
        // `each` that holds and `some` that fails bind every value; the other two want one value.
        if (asksEach(known.use) === mustHold) {
          allowed = allowed.filter((each) => passes(each) === mustHold);
          bound.set(id, mustHold);
        } else wanted.push({ by: (each) => passes(each) === mustHold, wishes: [[id, mustHold]] });
      }
    }
    const set = new Set<ValueClass>();
    for (const { by, wishes } of wanted) {
      const found =
        [...set].find(by) ?? allowed.find(by) ?? this.#aimed?.find(new Map([...bound, ...wishes]), budget) ?? null;
      if (found === null || !by(found)) return null;
      set.add(found);
    }
    return [...set];
  }

  /** What one value that is not empty must pass, and must not; what is asked about presence it decides by itself. */
  #wishesOf({ hold, fail }: Demands): Wishes {
    const compared = (id: number): boolean => {
      const known = this.#conditions.get(id);
      return known !== undefined && !isPresence(known.use);
    };
    return new Map([...hold.filter(compared).map((id) => [id, true] as const), ...fail.filter(compared).map((id) => [id, false] as const)]); // prettier-ignore
  }

  #answerOf(classes: readonly ValueClass[]): KeyAnswer {
    const texts = classes.map(({ text }) => text);
    const values = texts.some((text) => text === null) ? null : texts.filter((text) => text !== null);
    const [only] = values ?? [];
    // The same value twice is two values to a variable and one to every condition.
    if (this.#count === 'SEVERAL' && values?.length === 1 && only !== undefined)
      return { classes, values: [only, only] };
    return { classes, values };
  }
}

/** A value that a set must have, and what makes it one where it is to be aimed at. */
interface Wanted {
  readonly by: (each: ValueClass) => boolean;
  readonly wishes: readonly (readonly [id: number, passes: boolean])[];
}

/** Classes of texts that are found as they are asked for. */
class AimedClasses {
  /** What was found; whoever looks for a value looks here first. */
  readonly found: ValueClass[] = [];
  readonly #values: LeastValues;
  readonly #texts = new Set<string>();

  constructor(values: LeastValues) {
    this.#values = values;
    this.#learn('');
  }

  /** Null when there is none, or the budget is spent. */
  find(wishes: Wishes, budget: Budget): ValueClass | null {
    const text = this.#values.find(wishes, budget);
    return text === null ? null : this.#learn(text);
  }

  #learn(text: string): ValueClass {
    const made = { text, empty: text === '', type: null, passes: this.#values.passedBy(text) };
    if (!this.#texts.has(text)) this.found.push(made);
    this.#texts.add(text);
    return made;
  }
}

/** Without what is not needed. */
function fewest(set: readonly ValueClass[], met: (of: readonly ValueClass[]) => boolean): readonly ValueClass[] {
  const spare = set.length < 3 ? -1 : set.findIndex((_, i) => met(set.toSpliced(i, 1)));
  return spare < 0 ? set : fewest(set.toSpliced(spare, 1), met);
}

/** As `testCondition`, of classes instead of values; none is an absent key. A test holds the two together. */
function resultOf({ id, condition, use }: PlainCondition, classes: readonly ValueClass[]): boolean {
  const absent = classes.length === 0;
  const empty = classes.every((each) => each.empty);
  if (isPresence(use)) {
    const asked = use.operator.comparison === 'ABSENT' ? absent : empty;
    return condition.values.some((value) => readBoolean(textOf(value)) === asked);
  }
  if (use.ifExists && empty) return true;
  if (absent) return use.prefix === null ? use.operator.negated : use.prefix === 'ForAllValues';
  const { valueType } = use.operator;
  if (valueType !== 'string' && classes.some(({ type }) => type !== valueType)) return false;
  return asksEach(use) ? classes.every(({ passes }) => passes.has(id)) : classes.some(({ passes }) => passes.has(id));
}

function isPresence(use: OperatorUse): boolean {
  return use.operator.comparison === 'ABSENT' || use.operator.comparison === 'ABSENT_OR_EMPTY';
}

function asksEach(use: OperatorUse): boolean {
  return use.prefix === null ? use.operator.requestValues === 'EACH' : use.prefix === 'ForAllValues';
}

function textOf(value: string): string {
  return templateText(readTemplate(value).template ?? []);
}

interface Classes {
  readonly classes: readonly ValueClass[];
  readonly complete: boolean;
  readonly aimed: AimedClasses | null;
}

function classesOf(conditions: readonly PlainCondition[], budget: Budget): Classes {
  const compared = conditions.filter(({ use }) => !isPresence(use));
  const strings = compared.filter(({ use }) => use.operator.valueType === 'string');
  const others = compared.filter(({ use }) => use.operator.valueType !== 'string');
  const types = typed.filter((type) => others.some(({ use }) => use.operator.valueType === type));
  const reads = (type: OperatorValueType): readonly string[] =>
    others
      .filter(({ use }) => use.operator.valueType === type)
      .flatMap(({ condition }) => condition.values.map(textOf));

  const texts = new Map<string, ReadonlySet<number>>();
  const cells = stringCells(strings, types.length === 0, budget);
  if (cells.listed !== null) {
    const aimed = new AimedClasses(new LeastValues(cells.listed));
    return { classes: aimed.found, complete: true, aimed };
  }
  let complete = cells.complete;
  for (const { text, passes } of cells.cells) texts.set(text, passes);
  const known: ValueClass[] = [];
  const seen = new Set<string>();
  const learn = (each: ValueClass): void => {
    const key = `${each.type ?? ''} ${each.empty ? 0 : 1} ${[...each.passes].sort((a, b) => a - b).join()}`;
    if (seen.has(key)) return;
    seen.add(key);
    known.push(each);
  };
  const plain = strings.length === 0 ? ['', 'text'] : [...texts.keys()];
  const candidates = types.map((type) => {
    const found = textsOfType(type, reads(type));
    if (!found.complete) complete = false;
    return { type, texts: found.texts };
  });
  // Each text is held against each listed value, and read as what each condition compares.
  const weight = 1 + compared.reduce((sum, { condition }) => sum + 2 + condition.values.length, 0);
  for (const text of [...plain, ...candidates.flatMap((each) => each.texts)]) {
    if (!spend(budget, weight)) return { classes: known, complete: false, aimed: null };
    const type = types.find((each) => requestValueReads(each, text)) ?? null;
    const passes = texts.get(text) ?? passedBy(text, strings);
    const typedPasses = type === null ? [] : passedBy(text, ofType(others, type));
    learn({ text, empty: text === '', type, passes: new Set([...passes, ...typedPasses]) });
  }
  if (strings.length > 0 && types.length > 0) {
    // A text of any cell may read as any of the types, as anything in it: whether one does is not looked into.
    for (const { text, passes } of cells.cells) {
      if (text === '') continue;
      learn({ text: null, empty: false, type: null, passes });
      for (const each of candidates) {
        for (const value of each.texts) {
          if (!spend(budget, weight)) return { classes: known, complete: false, aimed: null };
          const typedPasses = passedBy(value, ofType(others, each.type));
          learn({ text: null, empty: false, type: each.type, passes: new Set([...passes, ...typedPasses]) });
        }
      }
    }
  }
  spend(budget, known.length * Math.max(1, others.length));
  return { classes: known, complete, aimed: null };
}

function ofType(conditions: readonly PlainCondition[], type: OperatorValueType): readonly PlainCondition[] {
  return conditions.filter(({ use }) => use.operator.valueType === type);
}

/** The conditions whose bare comparison lets a value pass: prefix and `IfExists` speak of the whole list. */
function passedBy(text: string, conditions: readonly PlainCondition[]): ReadonlySet<number> {
  const passed = new Set<number>();
  for (const condition of conditions) if (passes(condition, text)) passed.add(condition.id);
  return passed;
}

const tests = new WeakMap<PlainCondition, ConditionTest>();

function passes(plain: PlainCondition, text: string): boolean {
  const bare = { ...plain.condition, operator: plain.use.operator.name };
  let test = tests.get(plain);
  if (test === undefined) tests.set(plain, (test = compileCondition(bare)));
  const context = new Map([[bare.key.toLowerCase(), [text]]]);
  const verdict = test(context);
  return verdict === unclear ? testCondition(bare, context).result === 'TRUE' : verdict === holds;
}

interface StringCell {
  readonly text: string;
  readonly passes: ReadonlySet<number>;
}

interface StringCells {
  readonly cells: readonly StringCell[];
  readonly complete: boolean;
  /** What each condition lists, where its values are to be aimed at. */
  readonly listed: ReadonlyMap<number, ListedPatterns> | null;
}

/** @param mayAim whether values may be aimed at where there are too many cells */
function stringCells(conditions: readonly PlainCondition[], mayAim: boolean, budget: Budget): StringCells {
  const patterns: TextPattern[] = [];
  const places = new Map<string, number>();
  const listed = conditions.map(({ condition, use }) => {
    const { comparison } = use.operator;
    const wanted = condition.values.map((value) => {
      const key = `${comparison} ${value}`;
      const known = places.get(key);
      if (known !== undefined) return known;
      places.set(key, patterns.length);
      patterns.push(patternOf(comparison, value));
      return patterns.length - 1;
    });
    return { wanted, negated: use.operator.negated };
  });
  const globs = patterns.flatMap((pattern) => (pattern.kind === 'GLOB' ? [pattern.glob] : []));
  const aims = mayAim && globs.length === patterns.length;
  // Texts that can be aimed at are worth listing only where they are few.
  const share = aims ? { left: Math.max(0, Math.ceil(budget.left / 16)) } : budget;
  const given = share.left;
  const { cells, complete } = textCells(patterns, () => true, true, share);
  if (aims) {
    spend(budget, given - share.left);
    const listedGlobs = new Map(
      conditions.map(({ id }, i) => {
        const { wanted = [], negated = false } = listed[i] ?? {};
        return [id, { globs: wanted.flatMap((place) => [globs[place] ?? []]), negated }];
      }),
    );
    if (!complete) return { cells: [], complete: true, listed: listedGlobs };
  }
  return {
    listed: null,
    cells: cells.map(({ text, fits }) => {
      const fitting = new Set(fits);
      const passing = conditions.filter((_, i) => {
        const { wanted = [], negated = false } = listed[i] ?? {};
        return wanted.some((place) => fitting.has(place)) !== negated;
      });
      return { text, passes: new Set(passing.map(({ id }) => id)) };
    }),
    complete,
  };
}

function patternOf(comparison: OperatorUse['operator']['comparison'], value: string): TextPattern {
  const template = readTemplate(value).template ?? [];
  const text = templateText(template);
  if (comparison === 'EQUALS_IGNORING_CASE') return { kind: 'WITHOUT_CASE', text: withoutCase(text) };
  if (comparison === 'FITS_PATTERN') return { kind: 'GLOB', glob: templateGlob(template) };
  if (comparison === 'STARTS_WITH') return { kind: 'GLOB', glob: [...literalGlob(text), anyRun] };
  if (comparison === 'ENDS_WITH') return { kind: 'GLOB', glob: [anyRun, ...literalGlob(text)] };
  return { kind: 'GLOB', glob: literalGlob(text) };
}
