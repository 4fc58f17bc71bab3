/**
 * Conditions made ready: what their listed values say is read once. A condition answers by itself where that is all there
 * is to say; where something has to be told besides (what was wrong, what a variable lacked), the reference form says it.
 */
import { liesIn, readAddress, readAddressBlock, type AddressBlock } from './addresses.js';
import { readDottedAddress, readSmallInteger, readUtcSecond } from './compiled-quantities.js';
import { compileGlob, type TextTest } from './compiled-texts.js';
import { listedValueReads, testCondition } from './conditions.js';
import type { RequestContext } from './context.js';
import type { Condition } from './document.js';
import { matchesGlob } from './globs.js';
import { type Comparison, type Operator, type OperatorUse, readOperator } from './operators.js';
import { compareDecimals, readBoolean, readDecimal, readInstant } from './quantities.js';
import { SharedParts } from './shared-parts.js';
import { readTemplate, resolveTemplate, type Template, templateGlob, templateText } from './templates.js';

/** How a part of a statement meets a request. Numbers, as they are what decides most often. */
export const misses = 0;
export const holds = 1;
/** It misses, and only for want of its own key. */
export const lacksKey = 2;
/** There is something to tell besides: ask the reference form. */
export const unclear = 3;
export type Verdict = typeof misses | typeof holds | typeof lacksKey | typeof unclear;

export type ConditionTest = (context: RequestContext) => Verdict;

const shared = new SharedParts<ConditionTest>();

export function compileCondition(condition: Condition): ConditionTest {
  const { operator, key, values } = condition;
  return shared.take(JSON.stringify([operator, key, values]), () => readCondition(condition));
}

/** All conditions of a statement. */
export class CompiledConditions {
  readonly tests: readonly ConditionTest[];
  /** Most have none or one, which is found without a look at the list. */
  readonly #first: ConditionTest | null;
  readonly #single: boolean;

  constructor(tests: readonly ConditionTest[]) {
    this.tests = tests;
    this.#first = tests[0] ?? null;
    this.#single = tests.length === 1;
  }

  meet(context: RequestContext): typeof misses | typeof holds | typeof unclear {
    if (this.#first === null) return holds;
    const first = this.#first(context);
    if (first === misses) return misses;
    let clear = first === holds;
    if (this.#single) return clear ? holds : unclear;
    const { tests } = this;
    for (let i = 1; i < tests.length; i += 1) {
      const verdict = tests[i]?.(context) ?? misses;
      // As the reference form has it: what plainly misses says nothing.
      if (verdict === misses) return misses;
      if (verdict !== holds) clear = false;
    }
    return clear ? holds : unclear;
  }
}

const noConditions = new CompiledConditions([]);
const sharedLists = new SharedParts<CompiledConditions>();

export function compileConditions(conditions: readonly Condition[]): CompiledConditions {
  if (conditions.length === 0) return noConditions;
  const text = JSON.stringify(conditions.map(({ operator, key, values }) => [operator, key, values]));
  return sharedLists.take(text, () => new CompiledConditions(conditions.map(compileCondition)));
}

function readCondition(condition: Condition): ConditionTest {
  const use = readOperator(condition.operator);
  const templates = condition.values.map((value) => readTemplate(value).template);
  const read = templates.filter((template) => template !== null);
  if (use === null || read.length < templates.length) return byReference(condition);
  const { operator } = use;
  const { comparison } = operator;
  if (read.some(isOpen)) {
    return operator.valueType === 'string' ? compileOpenTexts(condition, use, read) : byReference(condition);
  }
  // One ill-typed value makes it false whatever is asked, and is told.
  if (!read.every((template) => listedValueReads(operator.valueType, templateText(template)))) {
    return byReference(condition);
  }
  if (comparison === 'ABSENT' || comparison === 'ABSENT_OR_EMPTY') return compilePresence(condition, comparison);
  return compileComparison(condition, use, compileAgreement(operator, read));
}

/**
 * Texts of which the key must have one for the condition to hold, in any statement; null when that is not what it asks. Its
 * other answers are that it misses, or lacks its key.
 */
export function wantedTexts(condition: Condition): readonly string[] | null {
  const use = readOperator(condition.operator);
  if (use === null || use.ifExists || use.prefix === 'ForAllValues') return null;
  const { comparison, negated, valueType, requestValues } = use.operator;
  if (comparison !== 'EQUALS' || negated || valueType !== 'string') return null;
  if (use.prefix === null && requestValues !== 'SOME') return null;
  const templates = condition.values.map((value) => readTemplate(value).template);
  const read = templates.filter((template) => template !== null);
  return read.length < templates.length || read.some(isOpen) ? null : read.map(templateText);
}

/** Whether no request can make it say more than that it holds, misses or lacks its key. */
export function isFaultless({ operator, values }: Condition): boolean {
  const templates = values.map((value) => readTemplate(value).template);
  const closed = templates.every((template) => template !== null && !isOpen(template));
  return closed && readOperator(operator)?.operator.valueType === 'string';
}

function isOpen(template: Template): boolean {
  return template.some((part) => part.kind === 'variable');
}

function byReference(condition: Condition): ConditionTest {
  return (context) => {
    const { result, missing, problems } = testCondition(condition, context);
    if (missing.length > 0 || problems.length > 0) return unclear;
    return result === 'TRUE' ? holds : misses;
  };
}

const noValues: readonly string[] = [];

function compilePresence({ key, values }: Condition, comparison: Comparison): ConditionTest {
  const wanted = new Set(values.map((value) => readBoolean(templateText(readTemplate(value).template ?? []))));
  const folded = key.toLowerCase();
  return (context) => {
    const given = context.get(folded) ?? noValues;
    const absent = given.length === 0;
    if (wanted.has(comparison === 'ABSENT' ? absent : given.every((value) => value === ''))) return holds;
    return absent ? lacksKey : misses;
  };
}

/** Whether a request value agrees with some listed one; null when it does not read as the operator's type. */
type Agreement = (value: string) => boolean | null;

function compileComparison(condition: Condition, use: OperatorUse, agrees: Agreement): ConditionTest {
  const { operator, prefix, ifExists } = use;
  const { negated } = operator;
  const each = prefix === null ? operator.requestValues === 'EACH' : prefix === 'ForAllValues';
  const whenAbsent = ifExists || (prefix === null ? negated : prefix === 'ForAllValues') ? holds : lacksKey;
  const key = condition.key.toLowerCase();
  const test: ConditionTest = (context) => {
    const values = context.get(key);
    const first = values?.[0];
    if (values === undefined || first === undefined) return whenAbsent;
    if (ifExists && values.every((value) => value === '')) return holds;
    if (values.length === 1) {
      const agreed = agrees(first);
      return agreed === null ? unclear : agreed === negated ? misses : holds;
    }
    let passed = each;
    for (const value of values) {
      const agreed = agrees(value);
      if (agreed === null) return unclear;
      if ((agreed !== negated) !== each) passed = !each;
    }
    return passed ? holds : misses;
  };
  const [only, ...others] = wantedTexts(condition) ?? [];
  if (only === undefined || others.length > 0) return test;
  // One text against one, as most are.
  return (context) => {
    const values = context.get(key);
    return values?.length === 1 ? (values[0] === only ? holds : misses) : test(context);
  };
}

/** Listed texts with variables: put in for each request. What cannot be put in has to be told of. */
function compileOpenTexts(condition: Condition, use: OperatorUse, listed: readonly Template[]): ConditionTest {
  let resolved: Template[] = [];
  const reference = byReference(condition);
  const compare = textComparisons[use.operator.comparison] ?? (() => false);
  const test = compileComparison(condition, use, (value) => resolved.some((one) => compare(value, one)));
  return (context) => {
    resolved = [];
    for (const template of listed) {
      const resolution = resolveTemplate(template, context);
      if (resolution.missing.length > 0 || resolution.problems.length > 0) return reference(context);
      resolved.push(resolution.template);
    }
    return test(context);
  };
}

const textComparisons: Partial<Record<Comparison, (value: string, listed: Template) => boolean>> = {
  EQUALS: (value, listed) => value === templateText(listed),
  EQUALS_IGNORING_CASE: (value, listed) => withoutCase(value) === withoutCase(templateText(listed)),
  FITS_PATTERN: (value, listed) => matchesGlob(templateGlob(listed), value),
  STARTS_WITH: (value, listed) => value.startsWith(templateText(listed)),
  ENDS_WITH: (value, listed) => value.endsWith(templateText(listed)),
};

function compileAgreement(operator: Operator, listed: readonly Template[]): Agreement {
  const texts = listed.map(templateText);
  switch (operator.valueType) {
    case 'string':
      return textAgreements[operator.comparison]?.(texts, listed) ?? (() => false);
    case 'boolean':
      return compileTruth(texts);
    case 'ip':
      return compileBlocks(texts);
    case 'number':
      return compileOrder(operator.comparison, texts, readDecimal, compareDecimals, readSmallInteger);
    case 'date':
      return compileOrder(operator.comparison, texts, readInstant, compareBigints, readUtcSecond);
  }
}

/** How a text agrees with the listed ones, given as texts and as they may have wildcards. */
const textAgreements: Partial<Record<Comparison, (texts: readonly string[], listed: readonly Template[]) => TextTest>> =
  {
    EQUALS: (texts) => membership(texts),
    EQUALS_IGNORING_CASE: (texts) => {
      const among = membership(texts.map(withoutCase));
      return (value) => among(withoutCase(value));
    },
    FITS_PATTERN: (_texts, listed) => some(listed.map((one) => compileGlob(templateGlob(one)))),
    STARTS_WITH: (texts) => some(texts.map((text) => (value: string) => value.startsWith(text))),
    ENDS_WITH: (texts) => some(texts.map((text) => (value: string) => value.endsWith(text))),
  };

function membership(texts: readonly string[]): TextTest {
  const [only] = texts;
  if (texts.length === 1) return (value) => value === only;
  const [, other] = texts;
  if (texts.length === 2) return (value) => value === only || value === other;
  const all = new Set(texts);
  return (value) => all.has(value);
}

function some(tests: readonly TextTest[]): TextTest {
  const [only] = tests;
  if (only !== undefined && tests.length === 1) return only;
  return (value) => tests.some((test) => test(value));
}

function compileTruth(texts: readonly string[]): Agreement {
  const wanted = new Set(texts.map(readBoolean));
  const whenTrue = wanted.has(true);
  const whenFalse = wanted.has(false);
  return (value) => {
    const read = value === 'true' ? true : value === 'false' ? false : readBoolean(value);
    return read === null ? null : read ? whenTrue : whenFalse;
  };
}

function compileBlocks(texts: readonly string[]): Agreement {
  const blocks = texts.map(readAddressBlock).filter((block): block is AddressBlock => block !== null);
  const ranges = blocks
    .filter(({ bits }) => bits === 32)
    .map(({ value, prefix }) => {
      const free = BigInt(32 - prefix);
      const first = Number((value >> free) << free);
      return { first, last: first + 2 ** (32 - prefix) - 1 };
    });
  return (value) => {
    const dotted = readDottedAddress(value);
    if (dotted === dotted) return ranges.some(({ first, last }) => first <= dotted && dotted <= last);
    const address = readAddress(value);
    return address === null ? null : blocks.some((block) => liesIn(address, block));
  };
}

const compareBigints = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

function compileOrder<T>(
  comparison: Comparison,
  texts: readonly string[],
  read: (text: string) => T | null,
  compare: (a: T, b: T) => number,
  readPlain: (text: string) => number,
): Agreement {
  const listed = texts.map(read).filter((one): one is NonNullable<typeof one> => one !== null);
  const plain = texts.map(readPlain);
  const allPlain = plain.every((one) => one === one);
  const fits = orders[comparison] ?? (() => false);
  const [onlyPlain = NaN] = plain;
  return (value) => {
    if (allPlain) {
      const given = readPlain(value);
      if (given === given) {
        return plain.length === 1 ? fits(given - onlyPlain) : plain.some((one) => fits(given - one));
      }
    }
    const given = read(value);
    return given === null ? null : listed.some((one) => fits(compare(given, one)));
  };
}

/** Which order (negative, zero, positive) of the request's value to the listed one is asked for. */
const orders: Partial<Record<Comparison, (order: number) => boolean>> = {
  EQUALS: (order) => order === 0,
  LESS: (order) => order < 0,
  LESS_OR_EQUAL: (order) => order <= 0,
  GREATER: (order) => order > 0,
  GREATER_OR_EQUAL: (order) => order >= 0,
};

/** As the reference form has it: upper case first. */
function withoutCase(text: string): string {
  return text.toUpperCase().toLowerCase();
}
