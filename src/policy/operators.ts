/**
 * The condition operators, as one table.
 *
 * The table is data: the evaluator reads from it what to compare and how, the documentation prints it, and the
 * catalogue asks it which operators suit a key. Names compare exactly, letter case included.
 * Sources: domain facts, section a3 and the operator table beside them; synonyms after the project's rules.
 */

/** What an operator's listed values, and the request's, must read as. */
export type OperatorValueType = 'string' | 'number' | 'date' | 'boolean' | 'ip';

/** The test between one request value and one listed value, before negation. */
export type Comparison =
  | 'EQUALS'
  | 'EQUALS_IGNORING_CASE'
  | 'FITS_PATTERN'
  | 'STARTS_WITH'
  | 'ENDS_WITH'
  | 'LESS'
  | 'LESS_OR_EQUAL'
  | 'GREATER'
  | 'GREATER_OR_EQUAL'
  | 'IN_BLOCK'
  /** Not a comparison: `"true"` holds when the key is absent, `"false"` when it is there. */
  | 'ABSENT'
  /** As ABSENT, and a key with empty text only counts as absent too. */
  | 'ABSENT_OR_EMPTY';

export interface Operator {
  readonly name: string;
  readonly valueType: OperatorValueType;
  readonly comparison: Comparison;
  /** Negated: a request value passes when the comparison fails for every listed value. */
  readonly negated: boolean;
  /**
   * How several request values combine when the operator has no prefix: some must pass, or each. Plain operators: some
   * when positive, each when negated. `…AnyOf` forms: some, negated or not.
   */
  readonly requestValues: 'SOME' | 'EACH';
  /** Whether `IfExists` may follow the name and `ForAnyValue:` or `ForAllValues:` precede it. */
  readonly takesIfExists: boolean;
  readonly takesPrefix: boolean;
  /** The documented operator that this one is another spelling of. */
  readonly synonymOf: string | null;
  /** Where the name comes from: a published version of the grammar, another vendor's spelling, or our own addition. */
  readonly origin: '1.1' | '5.0' | 'SYNONYM' | 'EXTENSION';
  readonly summary: string;
}

type Row = Pick<Operator, 'name' | 'valueType' | 'comparison' | 'origin' | 'summary'> & Partial<Operator>;

function row(operator: Row): Operator {
  const negated = operator.negated ?? false;
  const presence = operator.comparison === 'ABSENT' || operator.comparison === 'ABSENT_OR_EMPTY';
  return {
    negated,
    requestValues: negated ? 'EACH' : 'SOME',
    takesIfExists: !presence,
    takesPrefix: !presence,
    synonymOf: null,
    ...operator,
  };
}

/** A positive operator with its negation. */
function pair(positive: Row, negatedName: string): Operator[] {
  return [
    row(positive),
    row({
      ...positive,
      name: negatedName,
      negated: true,
      summary: `no listed value may do what ${positive.name} asks of one`,
    }),
  ];
}

function synonym(name: string, of: Operator): Operator {
  return { ...of, name, synonymOf: of.name, origin: 'SYNONYM', summary: `another spelling of ${of.name}` };
}

/** The set form of a string operator: one of the request's values passing is enough, for the negated ones too. */
function setForm(of: Operator): Operator {
  return {
    ...of,
    name: `${of.name}AnyOf`,
    requestValues: 'SOME',
    takesPrefix: false,
    summary: `set form of ${of.name}: holds when at least one request value passes`,
  };
}

const plainStrings: readonly Operator[] = [
  ...pair(
    {
      name: 'StringEquals',
      valueType: 'string',
      comparison: 'EQUALS',
      origin: '1.1',
      summary: 'the same text, letter case included',
    },
    'StringNotEquals',
  ),
  ...pair(
    {
      name: 'StringEqualsIgnoreCase',
      valueType: 'string',
      comparison: 'EQUALS_IGNORING_CASE',
      origin: '1.1',
      summary: 'the same text, letter case disregarded',
    },
    'StringNotEqualsIgnoreCase',
  ),
  ...pair(
    {
      name: 'StringLike',
      valueType: 'string',
      comparison: 'FITS_PATTERN',
      origin: '1.1',
      summary: 'fits the pattern, letter case included: `*` any run of characters, `?` one',
    },
    'StringNotLike',
  ),
  row({
    name: 'StringStartWith',
    valueType: 'string',
    comparison: 'STARTS_WITH',
    origin: '1.1',
    summary: 'begins with the text',
  }),
  row({
    name: 'StringEndWith',
    valueType: 'string',
    comparison: 'ENDS_WITH',
    origin: '1.1',
    summary: 'ends with the text',
  }),
];

const otherStrings: readonly Operator[] = [
  ...pair(
    {
      name: 'StringMatch',
      valueType: 'string',
      comparison: 'FITS_PATTERN',
      origin: '5.0',
      summary: 'fits the pattern, letter case included: `*` any run of characters, `?` one',
    },
    'StringNotMatch',
  ),
  row({
    name: 'StringNotStartWith',
    valueType: 'string',
    comparison: 'STARTS_WITH',
    negated: true,
    origin: 'EXTENSION',
    summary: 'begins with no listed text',
  }),
  row({
    name: 'StringNotEndWith',
    valueType: 'string',
    comparison: 'ENDS_WITH',
    negated: true,
    origin: 'EXTENSION',
    summary: 'ends with no listed text',
  }),
];

const orderings = [
  ['LessThan', 'LESS', 'below', 'before'],
  ['LessThanEquals', 'LESS_OR_EQUAL', 'at or below', 'at or before'],
  ['GreaterThan', 'GREATER', 'above', 'after'],
  ['GreaterThanEquals', 'GREATER_OR_EQUAL', 'at or above', 'at or after'],
] as const;

const numbers: readonly Operator[] = [
  ...pair(
    {
      name: 'NumberEquals',
      valueType: 'number',
      comparison: 'EQUALS',
      origin: '5.0',
      summary: 'the same number, however it is written',
    },
    'NumberNotEquals',
  ),
  ...orderings.map(([suffix, comparison, words]) =>
    row({
      name: `Number${suffix}`,
      valueType: 'number',
      comparison,
      origin: '5.0',
      summary: `a number ${words} the listed one`,
    }),
  ),
];

const dates: readonly Operator[] = [
  ...pair(
    {
      name: 'DateEquals',
      valueType: 'date',
      comparison: 'EQUALS',
      origin: 'SYNONYM',
      summary: 'the same instant, however it is written',
    },
    'DateNotEquals',
  ),
  ...orderings.map(([suffix, comparison, , words]) =>
    row({
      name: `Date${suffix}`,
      valueType: 'date',
      comparison,
      origin: '5.0',
      summary: `an instant ${words} the listed one`,
    }),
  ),
];

const others: readonly Operator[] = [
  row({
    name: 'Bool',
    valueType: 'boolean',
    comparison: 'EQUALS',
    origin: '1.1',
    summary: 'the same of `true` and `false`',
  }),
  ...pair(
    {
      name: 'IpAddress',
      valueType: 'ip',
      comparison: 'IN_BLOCK',
      origin: '5.0',
      summary: 'the address lies in the listed address or CIDR block',
    },
    'NotIpAddress',
  ),
  row({
    name: 'Null',
    valueType: 'boolean',
    comparison: 'ABSENT',
    origin: '5.0',
    summary: '`true`: the request has no value for the key; `false`: it has one',
  }),
  row({
    name: 'IsNullOrEmpty',
    valueType: 'boolean',
    comparison: 'ABSENT_OR_EMPTY',
    origin: '1.1',
    summary: '`true`: the request has no value for the key, or empty text only; `false`: it has content',
  }),
];

/** Every operator by its bare name. What may stand around a name is said in its row. */
export const operators: readonly Operator[] = [
  ...plainStrings,
  ...plainStrings.map(setForm),
  ...otherStrings,
  ...numbers,
  ...numbers.map((operator) => synonym(operator.name.replace('Number', 'Numeric'), operator)),
  ...dates,
  ...others,
];

const byName: ReadonlyMap<string, Operator> = new Map(operators.map((operator) => [operator.name, operator]));

export type SetPrefix = 'ForAnyValue' | 'ForAllValues';

/** A name as it stands in a document, taken apart. */
export interface OperatorUse {
  readonly operator: Operator;
  readonly prefix: SetPrefix | null;
  readonly ifExists: boolean;
}

/** Takes an operator name apart; null when no operator is called so. Never looks at letter case kindly. */
export function readOperator(name: string): OperatorUse | null {
  const [, prefix = null, rest = ''] = /^(?:(ForAnyValue|ForAllValues):)?(.*)$/s.exec(name) ?? [];
  const ifExists = rest.endsWith('IfExists');
  const operator = byName.get(ifExists ? rest.slice(0, -'IfExists'.length) : rest);
  if (operator === undefined) return null;
  if (ifExists && !operator.takesIfExists) return null;
  if (prefix !== null && !operator.takesPrefix) return null;
  return { operator, prefix: prefix === null ? null : (prefix as SetPrefix), ifExists };
}

/** Every name that `readOperator` knows, for suggestions and for documentation. */
export const operatorNames: readonly string[] = operators.flatMap(({ name, takesIfExists, takesPrefix }) => {
  const forms = takesIfExists ? [name, `${name}IfExists`] : [name];
  const prefixed = (prefix: SetPrefix): string[] => forms.map((form) => `${prefix}:${form}`);
  return takesPrefix ? [...forms, ...prefixed('ForAnyValue'), ...prefixed('ForAllValues')] : forms;
});
