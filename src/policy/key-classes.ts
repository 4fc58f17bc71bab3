/**
 * What a request may say under one condition key, as far as conditions can tell.
 *
 * Values that every condition on the key takes alike are one class. A key with several values is a set of classes: a
 * condition asks of it only whether some value passes, whether each does, and whether all can be read. So whether given
 * conditions can hold together while others fail is found class by class, without listing the sets.
 */
import { type Budget, spend, textCells, type TextPattern } from './cells.js';
import { requestValueReads, testCondition, withoutCase } from './conditions.js';
import type { Condition } from './document.js';
import { anyRun, literalGlob } from './globs.js';
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
  readonly #count: ValueCount;
  /** Without the classes that may have no member: what they answer can be shown, what they refuse proves nothing. */
  readonly #real: readonly ValueClass[];
  /** Whether every value falls into one of the classes. */
  readonly complete: boolean;

  constructor(conditions: readonly PlainCondition[], count: ValueCount, budget: Budget) {
    this.#conditions = new Map(conditions.map((condition) => [condition.id, condition]));
    this.#count = count;
    const { classes, complete } = classesOf(conditions, budget);
    this.#classes = classes;
    this.#real = classes.filter(({ text }) => text !== null);
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
    if (!spend(budget, classes.length)) return null;
    const one = classes.find((each) => met([each]));
    if (one !== undefined) return this.#answerOf([one]);
    if (this.#count === 'ONE' || this.#count === 'AT_MOST_ONE') return null;
    for (const readAs of [null, ...typed]) {
      const set = this.#setFor(demands, classes, readAs);
      if (set !== null && met(set)) return this.#answerOf(fewest(set, met));
    }
    return null;
  }

  /** Several values, some not empty, that all read as a type, or (null) not all as any type that must not hold. */
  #setFor(
    { hold, fail }: Demands,
    classes: readonly ValueClass[],
    readAs: TypedValueType | null,
  ): readonly ValueClass[] | null {
    let allowed = readAs === null ? classes : classes.filter(({ type }) => type === readAs);
    const wanted: ((each: ValueClass) => boolean)[] = [(each) => !each.empty];
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
          wanted.push(({ type }) => type !== valueType);
          continue;
        }
        const passes = ({ passes: those }: ValueClass): boolean => those.has(id);
        // `each` that holds and `some` that fails bind every value; the other two want one value.
        if (asksEach(known.use) === mustHold) allowed = allowed.filter((each) => passes(each) === mustHold);
        else wanted.push((each) => passes(each) === mustHold);
      }
    }
    const set = new Set<ValueClass>();
    for (const wants of wanted) {
      const found = [...set].find(wants) ?? allowed.find(wants);
      if (found === undefined) return null;
      set.add(found);
    }
    return [...set];
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

/** A listed value that is read as an address, a date or a number takes as long as some steps. */
const readingSteps = 8;

function classesOf(
  conditions: readonly PlainCondition[],
  budget: Budget,
): { readonly classes: readonly ValueClass[]; readonly complete: boolean } {
  const compared = conditions.filter(({ use }) => !isPresence(use));
  const strings = compared.filter(({ use }) => use.operator.valueType === 'string');
  const others = compared.filter(({ use }) => use.operator.valueType !== 'string');
  const types = typed.filter((type) => others.some(({ use }) => use.operator.valueType === type));
  const reads = (type: OperatorValueType): readonly string[] =>
    others
      .filter(({ use }) => use.operator.valueType === type)
      .flatMap(({ condition }) => condition.values.map(textOf));

  const texts = new Map<string, ReadonlySet<number>>();
  const cells = stringCells(strings, budget);
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
  // Each text is held against each listed value: of some hundreds of addresses, which are read anew, that is most of it.
  const weight = 1 + compared.reduce((sum, { condition }) => sum + readingSteps * condition.values.length, 0);
  for (const text of [...plain, ...candidates.flatMap((each) => each.texts)]) {
    if (!spend(budget, weight)) return { classes: known, complete: false };
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
          if (!spend(budget, weight)) return { classes: known, complete: false };
          const typedPasses = passedBy(value, ofType(others, each.type));
          learn({ text: null, empty: false, type: each.type, passes: new Set([...passes, ...typedPasses]) });
        }
      }
    }
  }
  spend(budget, known.length * Math.max(1, others.length));
  return { classes: known, complete };
}

function ofType(conditions: readonly PlainCondition[], type: OperatorValueType): readonly PlainCondition[] {
  return conditions.filter(({ use }) => use.operator.valueType === type);
}

/** The conditions whose bare comparison lets a value pass: prefix and `IfExists` speak of the whole list. */
function passedBy(text: string, conditions: readonly PlainCondition[]): ReadonlySet<number> {
  const passed = conditions.filter(({ condition, use }) => {
    const bare = { ...condition, operator: use.operator.name };
    return testCondition(bare, new Map([[condition.key.toLowerCase(), [text]]])).result === 'TRUE';
  });
  return new Set(passed.map(({ id }) => id));
}

interface StringCell {
  readonly text: string;
  readonly passes: ReadonlySet<number>;
}

function stringCells(
  conditions: readonly PlainCondition[],
  budget: Budget,
): { readonly cells: readonly StringCell[]; readonly complete: boolean } {
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
  const { cells, complete } = textCells(patterns, () => true, true, budget);
  return {
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
