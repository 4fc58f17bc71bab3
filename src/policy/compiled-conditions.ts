/**
 * Conditions made ready: what their listed values say is read once. Conditions whose values have variables, and request
 * values that do not read as the operator's type, go to the reference form.
 */
import { liesIn, readAddress, readAddressBlock, type AddressBlock } from './addresses.js';
import { compileGlob, type TextTest } from './compiled-texts.js';
import { listedValueReads, testCondition } from './conditions.js';
import type { Condition } from './document.js';
import { type Comparison, type Operator, type OperatorUse, readOperator } from './operators.js';
import { compareDecimals, readBoolean, readDecimal, readInstant } from './quantities.js';
import { readTemplate, type RequestContext, type Template, templateGlob, templateText } from './templates.js';

/** What is learnt besides the answer; nothing is made until there is something. */
export class Notes {
  missing: string[] | null = null;
  problems: string[] | null = null;

  lacks(keys: readonly string[]): void {
    if (keys.length > 0) (this.missing ??= []).push(...keys);
  }

  reports(problems: readonly string[]): void {
    if (problems.length > 0) (this.problems ??= []).push(...problems);
  }
}

/** As `ConditionOutcome.result`. */
export type ConditionTest = (context: RequestContext, notes: Notes) => 'TRUE' | 'FALSE' | 'UNKNOWN';

export function compileCondition(condition: Condition): ConditionTest {
  const use = readOperator(condition.operator);
  const listed = condition.values.flatMap((value) => constantOf(value) ?? []);
  // A value that cannot be read, has a variable, or is not of the operator's type.
  const others =
    listed.length < condition.values.length || listed.some((one) => use !== null && !reads(use.operator, one));
  if (use === null || others) return byReference(condition);
  const { comparison } = use.operator;
  if (comparison === 'ABSENT' || comparison === 'ABSENT_OR_EMPTY') return compilePresence(condition, comparison);
  return compileComparison(condition, use, listed);
}

function byReference(condition: Condition): ConditionTest {
  return (context, notes) => {
    const { result, missing, problems } = testCondition(condition, context);
    notes.lacks(missing);
    notes.reports(problems);
    return result;
  };
}

function constantOf(value: string): [Template] | null {
  const { template } = readTemplate(value);
  return template === null || template.some((part) => part.kind === 'variable') ? null : [template];
}

function reads({ valueType }: Operator, template: Template): boolean {
  return listedValueReads(valueType, templateText(template));
}

const noValues: readonly string[] = [];

function compilePresence({ key, values }: Condition, comparison: Comparison): ConditionTest {
  const wanted = new Set(values.map(readBoolean));
  const folded = key.toLowerCase();
  return (context, notes) => {
    const given = context.get(folded) ?? noValues;
    const absent = given.length === 0;
    if (wanted.has(comparison === 'ABSENT' ? absent : given.every((value) => value === ''))) return 'TRUE';
    if (absent) notes.lacks([key]);
    return 'FALSE';
  };
}

function compileComparison(condition: Condition, use: OperatorUse, listed: readonly Template[]): ConditionTest {
  const { operator, prefix, ifExists } = use;
  const { negated } = operator;
  const each = prefix === null ? operator.requestValues === 'EACH' : prefix === 'ForAllValues';
  const whenAbsent = prefix === null ? negated : prefix === 'ForAllValues';
  const agrees = compileAgreement(operator, listed);
  const reference = byReference(condition);
  const key = condition.key.toLowerCase();
  return (context, notes) => {
    const values = context.get(key) ?? noValues;
    if (values.length === 0) {
      if (ifExists || whenAbsent) return 'TRUE';
      notes.lacks([condition.key]);
      return 'FALSE';
    }
    if (ifExists && values.every((value) => value === '')) return 'TRUE';
    let holds = each;
    for (const value of values) {
      const agreed = agrees(value);
      // Not of the operator's type, which the reference form has words for.
      if (agreed === null) return reference(context, notes);
      if ((agreed !== negated) !== each) holds = !each;
    }
    return holds ? 'TRUE' : 'FALSE';
  };
}

/** Whether a request value agrees with some listed one; null when it does not read as the operator's type. */
type Agreement = (value: string) => boolean | null;

function compileAgreement(operator: Operator, listed: readonly Template[]): Agreement {
  const texts = listed.map(templateText);
  switch (operator.valueType) {
    case 'string':
      return compileTexts(operator.comparison, listed, texts);
    case 'boolean': {
      const wanted = new Set(texts.map(readBoolean));
      return (value) => {
        const read = readBoolean(value);
        return read === null ? null : wanted.has(read);
      };
    }
    case 'ip': {
      const blocks = texts.map(readAddressBlock).filter((block): block is AddressBlock => block !== null);
      return (value) => {
        const address = readAddress(value);
        return address === null ? null : blocks.some((block) => liesIn(address, block));
      };
    }
    case 'number':
      return compileOrder(operator.comparison, texts, readDecimal, compareDecimals);
    case 'date':
      return compileOrder(operator.comparison, texts, readInstant, (a, b) => (a < b ? -1 : a > b ? 1 : 0));
  }
}

function compileTexts(comparison: Comparison, listed: readonly Template[], texts: readonly string[]): Agreement {
  return textAgreements[comparison]?.(texts, listed) ?? (() => false);
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
  const all = new Set(texts);
  return (value) => all.has(value);
}

function some(tests: readonly TextTest[]): TextTest {
  const [only] = tests;
  if (only !== undefined && tests.length === 1) return only;
  return (value) => tests.some((test) => test(value));
}

function compileOrder<T>(
  comparison: Comparison,
  texts: readonly string[],
  read: (text: string) => T | null,
  compare: (a: T, b: T) => number,
): Agreement {
  const listed = texts.map(read).filter((one): one is NonNullable<typeof one> => one !== null);
  const holds = orders[comparison] ?? (() => false);
  return (value) => {
    const given = read(value);
    return given === null ? null : listed.some((one) => holds(compare(given, one)));
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
