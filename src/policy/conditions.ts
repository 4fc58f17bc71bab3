/**
 * One condition against one request: typed reading, set arithmetic, absent keys.
 *
 * Sources: domain facts, section a3 and the operator table; for absent keys, unknown operators and ill-typed values the
 * project's rules 8 to 10.
 */
import { liesIn, readAddress, readAddressBlock } from './addresses.js';
import type { RequestContext } from './context.js';
import type { Condition } from './document.js';
import { matchesGlob } from './globs.js';
import { type Comparison, type Operator, type OperatorUse, type OperatorValueType, readOperator } from './operators.js';
import { quote } from './problems.js';
import { compareDecimals, readBoolean, readDecimal, readInstant } from './quantities.js';
import { readTemplate, resolveTemplate, type Template, templateGlob, templateText } from './templates.js';

export interface ConditionOutcome {
  /** `UNKNOWN` when the operator does not exist: what that means depends on the statement's effect. */
  readonly result: 'TRUE' | 'FALSE' | 'UNKNOWN';
  /** Keys whose absence made the condition false: its own, or those of variables in its values. */
  readonly missing: readonly string[];
  readonly problems: readonly string[];
}

/**
 * Tests a condition.
 *
 * 1. An unknown operator: UNKNOWN.
 * 2. A listed value that is not of the operator's type: false, whatever the request says. So is an unreadable variable.
 * 3. `Null` and `IsNullOrEmpty` answer from presence alone.
 * 4. `IfExists`: true when the key is absent or has empty text only.
 * 5. An absent key: `ForAllValues` true, `ForAnyValue` false, else true for negated operators and false for positive.
 * 6. A request value that is not of the operator's type: false, negated or not.
 * 7. A request value passes a positive operator when some listed value agrees with it, a negated one when none does;
 *    prefix or operator say whether some request value must pass or each.
 *
 * A listed value with a variable that cannot be resolved agrees with nothing.
 */
export function testCondition(condition: Condition, context: RequestContext): ConditionOutcome {
  const use = readOperator(condition.operator);
  if (use === null) {
    const problem = `the operator ${quote(condition.operator)} is unknown; an Allow with it never matches, a Deny does`;
    return { result: 'UNKNOWN', missing: [], problems: [problem] };
  }
  const listed = readListedValues(condition, use.operator.valueType, context);
  const { problems } = listed;
  if (listed.illTyped) return { result: 'FALSE', missing: [], problems };

  const values = context.get(condition.key.toLowerCase()) ?? [];
  const absent = values.length === 0;
  const empty = values.every((value) => value === '');
  const { comparison } = use.operator;
  if (comparison === 'ABSENT' || comparison === 'ABSENT_OR_EMPTY') {
    const holds = listed.values.some(
      (value) => readBoolean(templateText(value)) === (comparison === 'ABSENT' ? absent : empty),
    );
    const missing = holds ? [] : absent ? [condition.key, ...listed.missing] : listed.missing;
    return { result: holds ? 'TRUE' : 'FALSE', missing, problems };
  }

  if (use.ifExists && empty) return { result: 'TRUE', missing: [], problems };
  if (absent) {
    const holds = use.prefix === null ? use.operator.negated : use.prefix === 'ForAllValues';
    return { result: holds ? 'TRUE' : 'FALSE', missing: holds ? [] : [condition.key], problems };
  }
  const illTyped = values.find((value) => !requestValueReads(use.operator.valueType, value));
  if (illTyped !== undefined) {
    const problem = `the value ${quote(illTyped)} of ${quote(condition.key)} is not ${typeNames[use.operator.valueType]}, which ${quote(use.operator.name)} compares; the condition is false`;
    return { result: 'FALSE', missing: [], problems: [...problems, problem] };
  }
  const holds = combine(use, values, listed.values);
  // An unresolved variable can only have cost a positive operator an agreement; a negated one it helps.
  const missing = holds || use.operator.negated ? [] : listed.missing;
  return { result: holds ? 'TRUE' : 'FALSE', missing, problems };
}

/** What each value type is called in messages. */
export const typeNames: Readonly<Record<OperatorValueType, string>> = {
  string: 'text',
  number: 'a decimal number',
  date: 'a UTC time such as `2026-01-31T08:30:00Z`',
  boolean: '`true` or `false`',
  ip: 'a network address',
};

/** Whether a listed value reads as the type; addresses may be blocks. Variables must be resolved before. */
export function listedValueReads(type: OperatorValueType, text: string): boolean {
  return type === 'ip' ? readAddressBlock(text) !== null : requestValueReads(type, text);
}

/** Whether a value of a request reads as the type. */
export function requestValueReads(type: OperatorValueType, text: string): boolean {
  switch (type) {
    case 'string':
      return true;
    case 'number':
      return readDecimal(text) !== null;
    case 'date':
      return readInstant(text) !== null;
    case 'boolean':
      return readBoolean(text) !== null;
    case 'ip':
      return readAddress(text) !== null;
  }
}

interface ListedValues {
  /** Values that could be resolved. */
  readonly values: readonly Template[];
  readonly illTyped: boolean;
  readonly missing: readonly string[];
  readonly problems: readonly string[];
}

function readListedValues(condition: Condition, type: OperatorValueType, context: RequestContext): ListedValues {
  const values: Template[] = [];
  const missing: string[] = [];
  const problems: string[] = [];
  let illTyped = false;
  for (const text of condition.values) {
    const { template, fault } = readTemplate(text);
    if (template === null) {
      illTyped = true;
      problems.push(`the value ${quote(text)} for ${quote(condition.key)} cannot be used: ${fault}`);
      continue;
    }
    const resolution = resolveTemplate(template, context);
    missing.push(...resolution.missing);
    problems.push(...resolution.problems);
    if (resolution.missing.length > 0 || resolution.problems.length > 0) continue;
    const resolved = templateText(resolution.template);
    if (listedValueReads(type, resolved)) {
      values.push(resolution.template);
    } else {
      illTyped = true;
      problems.push(
        `the listed value ${quote(resolved)} for ${quote(condition.key)} is not ${typeNames[type]}; the condition is false`,
      );
    }
  }
  return { values, illTyped, missing, problems };
}

function combine(use: OperatorUse, values: readonly string[], listed: readonly Template[]): boolean {
  const passes = (value: string): boolean =>
    listed.some((one) => agrees(use.operator, value, one)) !== use.operator.negated;
  const each = use.prefix === null ? use.operator.requestValues === 'EACH' : use.prefix === 'ForAllValues';
  return each ? values.every(passes) : values.some(passes);
}

/** The bare comparison of one request value with one listed value; both are known to be of the operator's type. */
function agrees(operator: Operator, value: string, listed: Template): boolean {
  const { comparison, valueType } = operator;
  const text = templateText(listed);
  switch (valueType) {
    case 'string':
      return textTests[comparison]?.(value, listed) ?? false;
    case 'boolean':
      return readBoolean(value) === readBoolean(text);
    case 'ip': {
      const address = readAddress(value);
      const block = readAddressBlock(text);
      return address !== null && block !== null && liesIn(address, block);
    }
    case 'number': {
      const left = readDecimal(value);
      const right = readDecimal(text);
      return left !== null && right !== null && ordered(comparison, compareDecimals(left, right));
    }
    case 'date': {
      const left = readInstant(value);
      const right = readInstant(text);
      return left !== null && right !== null && ordered(comparison, left < right ? -1 : left > right ? 1 : 0);
    }
  }
}

/** How a text agrees with a listed one. */
const textTests: Partial<Record<Comparison, (value: string, listed: Template) => boolean>> = {
  EQUALS: (value, listed) => value === templateText(listed),
  EQUALS_IGNORING_CASE: (value, listed) => withoutCase(value) === withoutCase(templateText(listed)),
  FITS_PATTERN: (value, listed) => matchesGlob(templateGlob(listed), value),
  STARTS_WITH: (value, listed) => value.startsWith(templateText(listed)),
  ENDS_WITH: (value, listed) => value.endsWith(templateText(listed)),
};

/** Which order (negative, zero, positive) of the request's value to the listed one is asked for. */
const orderTests: Partial<Record<Comparison, (order: number) => boolean>> = {
  EQUALS: (order) => order === 0,
  LESS: (order) => order < 0,
  LESS_OR_EQUAL: (order) => order <= 0,
  GREATER: (order) => order > 0,
  GREATER_OR_EQUAL: (order) => order >= 0,
};

function ordered(comparison: Comparison, order: number): boolean {
  return orderTests[comparison]?.(order) ?? false;
}

/** Upper case first: letters with two lower-case forms then meet (the long s and s). No locale takes part. */
export function withoutCase(text: string): string {
  return text.toUpperCase().toLowerCase();
}
