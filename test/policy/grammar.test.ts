import { describe, expect, it } from 'vitest';
import { parsePolicy, type PolicyDialect, policyLimits, type Problem, problemCodes } from '../../src/policy/index.js';
import { readTable } from './table.js';

interface GrammarRow {
  sentence: string;
  dialect: PolicyDialect;
  /** The text, line by line; or the parsed value. */
  lines?: string[];
  value?: unknown;
  /** `SEVERITY CODE pointer line:column`, in order. */
  problems: string[];
}

const rows = readTable<GrammarRow>('grammar.json');
const inputOf = (row: GrammarRow): unknown => row.lines?.join('\n') ?? row.value;

function print({ severity, code, pointer, line, column }: Problem): string {
  return `${severity} ${code} ${pointer} ${line}:${column}`;
}

function codes(input: unknown, dialect: PolicyDialect = 'CUSTOM'): string[] {
  return parsePolicy(input, dialect).problems.map(({ code }) => code);
}

describe('the grammar', () => {
  it.each(rows)('$sentence', (row) => {
    const parsed = parsePolicy(inputOf(row), row.dialect);
    expect(parsed.problems.map(print)).toEqual(row.problems);
    expect(parsed.document === null).toBe(row.problems.some((problem) => problem.startsWith('ERROR')));
    expect(parsed.text).toBe(row.lines === undefined ? null : inputOf(row));
  });

  it('writes one line in lower case for each problem, without a full stop', () => {
    for (const row of rows) {
      for (const { message } of parsePolicy(inputOf(row), row.dialect).problems) {
        expect(message).toMatch(/^[a-z`][^\n\r]*[^.\n\r]$/);
        expect(message).not.toMatch(/^(I|The) /);
      }
    }
  });

  it('gives no code that the table of codes lacks', () => {
    for (const row of rows)
      for (const code of codes(inputOf(row), row.dialect)) expect(problemCodes).toHaveProperty([code]);
  });
});

const statement = { Effect: 'Allow', Action: ['modelarts:notebook:create'] };
const policy = (...statements: unknown[]) => ({ Version: '1.1', Statement: statements });
const times = <T>(count: number, entry: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => entry(i));
const withCondition = (condition: unknown) => policy({ ...statement, Condition: condition });
const operatorNames = ['StringEquals', 'StringNotEquals', 'StringLike', 'StringNotLike', 'StringMatch', 'StringNotMatch', 'StringStartWith', 'StringEndWith', 'StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', 'StringEqualsAnyOf']; // prettier-ignore
const agencies = (count: number, uri = '/iam/agencies/a') =>
  policy({ Effect: 'Allow', Action: ['iam:agencies:assume'], Resource: { uri: times(count, () => uri) } });
const depends = (count: number) => ({
  Version: '1.0',
  Statement: [statement],
  Depends: times(count, () => ({ catalog: 'BASE', display_name: 'x' })),
});

describe('limits: the last that is allowed, and the first that is not', () => {
  it.each<[string, unknown, unknown, string, PolicyDialect?]>([
    ['8 statements', policy(...times(8, () => statement)), policy(...times(9, () => statement)), 'IAM.1028'],
    ['100 actions', policy({ Effect: 'Allow', Action: times(100, (i) => `a:b:${i}`) }), policy({ Effect: 'Allow', Action: times(101, (i) => `a:b:${i}`) }), 'IAM.1033'],
    ['128 characters of an action', policy({ Effect: 'Allow', Action: [`a:b:${'c'.repeat(124)}`] }), policy({ Effect: 'Allow', Action: [`a:b:${'c'.repeat(125)}`] }), 'IAM.1034'],
    ['10 resources', policy({ ...statement, Resource: times(10, () => 'obs:::bucket:*') }), policy({ ...statement, Resource: times(11, () => 'obs:::bucket:*') }), 'IAM.1040'],
    ['1,500 characters of a resource', policy({ ...statement, Resource: [`obs:::bucket:${'a'.repeat(1487)}`] }), policy({ ...statement, Resource: [`obs:::bucket:${'a'.repeat(1488)}`] }), 'IAM.1042'],
    ['20 agency URIs', agencies(20), agencies(21), 'IAM.1037'],
    ['128 characters of an agency URI', agencies(1, `/iam/agencies/${'a'.repeat(114)}`), agencies(1, `/iam/agencies/${'a'.repeat(115)}`), 'IAM.1037'],
    ['10 operators', withCondition(Object.fromEntries(operatorNames.slice(0, 10).map((name) => [name, { 'g:A': ['a'] }]))), withCondition(Object.fromEntries(operatorNames.map((name) => [name, { 'g:A': ['a'] }]))), 'IAM.1050'],
    ['10 keys', withCondition({ StringEquals: Object.fromEntries(times(10, (i) => [`g:A${i}`, ['a']])) }), withCondition({ StringEquals: Object.fromEntries(times(11, (i) => [`g:A${i}`, ['a']])) }), 'IAM.1054'],
    ['1,024 characters of a value', withCondition({ StringEquals: { 'g:A': ['a'.repeat(1024)] } }), withCondition({ StringEquals: { 'g:A': ['a'.repeat(1025)] } }), 'IAM.1056'],
    ['1,024 characters, not UTF-16 units', withCondition({ StringEquals: { 'g:A': ['\u{1f680}'.repeat(1024)] } }), withCondition({ StringEquals: { 'g:A': ['\u{1f680}'.repeat(1025)] } }), 'IAM.1056'],
    ['20 dependencies', depends(20), depends(21), 'IAM.1058', 'SYSTEM'],
  ])('%s', (_, allowed, refused, code, dialect = 'CUSTOM') => {
    expect(codes(allowed, dialect)).toEqual([]);
    expect(codes(refused, dialect)).toEqual([code]);
    expect(codes(JSON.stringify(refused), dialect), 'as text').toEqual([code]);
  }); // prettier-ignore

  it('6,144 characters of text, white space included', () => {
    const text = JSON.stringify(policy(statement));
    expect(codes(text.padEnd(6144))).toEqual([]);
    expect(parsePolicy(text.padEnd(6145), 'CUSTOM').problems.map(print)).toEqual(['ERROR IAM.1021  1:1']);
  });

  it('6,144 characters of an object count without white space', () => {
    const values = (length: number) => [...times(5, () => 'v'.repeat(1000)), 'v'.repeat(length)];
    const empty = JSON.stringify(withCondition({ StringEquals: { 'g:A': values(0) } })).length;
    expect(empty).toBeLessThan(6144);
    expect(codes(withCondition({ StringEquals: { 'g:A': values(6144 - empty) } }))).toEqual([]);
    expect(codes(withCondition({ StringEquals: { 'g:A': values(6145 - empty) } }))).toEqual(['IAM.1021']);
  });

  it('more is allowed to the documents of the system, as its limits say', () => {
    const many = policy(...times(policyLimits.SYSTEM.statements, () => statement));
    expect(codes(many, 'SYSTEM')).toEqual([]);
    expect(codes(policy(...times(policyLimits.SYSTEM.statements + 1, () => statement)), 'SYSTEM')).toEqual([
      'IAM.1028',
    ]);
  });
});

describe('the document that comes of it', () => {
  it('keeps what was written, with canonical effects and agency patterns', () => {
    const { document } = parsePolicy(
      {
        Version: '5.0',
        Statement: [
          { Sid: 'one', Effect: 'aLLow', Action: 'modelarts:noteBook:Create', Resource: '*' },
          { Effect: 'DENY', NotAction: ['iam:*:*'], NotResource: ['obs:::bucket:a'], Condition: { Bool: { 'g:MFAPresent': 'false' }, StringLike: { 'g:A': ['x', '${g:B}'], 'g:C': ['y'] } } },
          { Effect: 'Allow', Action: ['iam:agencies:assume'], Resource: { uri: ['/iam/agencies/a1', '/iam/agencies/*'] } },
        ],
      }, // prettier-ignore
      'SYSTEM',
    );
    const base = { sid: null, notActions: null, resources: null, notResources: null, conditions: [] };
    expect(document).toEqual({
      version: '5.0',
      depends: [],
      statements: [
        { ...base, index: 0, sid: 'one', effect: 'ALLOW', actions: ['modelarts:noteBook:Create'], resources: ['*'] },
        {
          ...base,
          index: 1,
          effect: 'DENY',
          actions: [],
          notActions: ['iam:*:*'],
          notResources: ['obs:::bucket:a'],
          conditions: [
            { operator: 'Bool', key: 'g:MFAPresent', values: ['false'] },
            { operator: 'StringLike', key: 'g:A', values: ['x', '${g:B}'] },
            { operator: 'StringLike', key: 'g:C', values: ['y'] },
          ],
        },
        {
          ...base,
          index: 2,
          effect: 'ALLOW',
          actions: ['iam:agencies:assume'],
          resources: ['iam:*:*:agency:a1', 'iam:*:*:agency:*'],
        },
      ],
    });
  });

  it('keeps dependencies', () => {
    expect(parsePolicy(depends(1), 'SYSTEM').document?.depends).toEqual([{ catalog: 'BASE', displayName: 'x' }]);
  });
});

describe('locate', () => {
  const text = '{ "Version": "5.0",\r\n "Statement": [\r{ "Effect": "Allow", "Action": "a:b:c",\n "Condition": { "StringEquals": { "g:ResourceTag/a~b": ["x"] } } } ] }'; // prettier-ignore
  it.each([
    ['', { line: 1, column: 1 }],
    ['/Version', { line: 1, column: 14 }],
    ['/Statement', { line: 2, column: 15 }],
    ['/Statement/0', { line: 3, column: 1 }],
    ['/Statement/0/Action', { line: 3, column: 32 }],
    ['/Statement/0/Action/0', { line: 3, column: 32 }],
    ['/Statement/0/Action/1', null],
    ['/Statement/0/Condition/StringEquals/g:ResourceTag~1a~0b/0', { line: 4, column: 57 }],
    ['/Statement/1', null],
    ['/Statement/00', null],
    ['/Statement/length', null],
    ['/__proto__', null],
    ['Statement', null],
  ])('finds `%s`', (pointer, place) => {
    expect(parsePolicy(text, 'SYSTEM').locate(pointer)).toEqual(place);
  });

  it('knows no places in a parsed value', () => {
    expect(parsePolicy(policy(statement), 'CUSTOM').locate('/Version')).toBeNull();
  });

  it('still locates when the document is refused', () => {
    expect(parsePolicy('{ "Version": "9" }', 'CUSTOM').locate('/Version')).toEqual({ line: 1, column: 14 });
  });
});

describe('suggestions', () => {
  it.each([
    [{ ...policy(statement), Versoin: '1.1' }, 'did you mean `Version`?'],
    [policy({ ...statement, condition: {} }), 'did you mean `Condition`?'],
    [policy({ ...statement, Sid: 'a' }), 'it belongs to version 5.0'],
    [policy({ ...statement, constructor: 'a' }), 'it may have `Effect`'],
    [withCondition({ stringequals: { 'g:A': ['a'] } }), 'did you mean `StringEquals`?'],
    [withCondition({ StringEqualIfExists: { 'g:A': ['a'] } }), 'did you mean `StringEqualsIfExists`?'],
    [withCondition({ 'ForAnyValues:StringLike': { 'g:A': ['a'] } }), 'did you mean `ForAnyValue:StringLike`?'],
    [withCondition({ NullIfExists: { 'g:A': ['true'] } }), 'takes no `IfExists`'],
    [withCondition({ 'ForAnyValue:Null': { 'g:A': ['true'] } }), 'takes no set prefix'],
    [withCondition({ ArnLikelihood: { 'g:A': ['a'] } }), 'see the table of operators'],
    [policy({ Effect: 'Allow', Action: ['ModelArts:a:b'] }), 'write `modelarts`'],
    [policy({ Effect: 'Allow', Action: 'a:b:c' }), 'put `a:b:c` in brackets'],
    [withCondition({ Bool: { 'g:A': [true] } }), 'write `"true"`'],
  ])('%j says what to do', (input, advice) => {
    const messages = parsePolicy(input, 'CUSTOM').problems.map(({ message }) => message);
    expect(messages.join('\n')).toContain(advice);
  });

  it('shows what was written cut short and in one line', () => {
    const nasty = `\`a\n\u2028${'x'.repeat(100)}`;
    const [problem] = parsePolicy(policy({ Effect: nasty, Action: ['a:b:c'] }), 'CUSTOM').problems;
    expect(problem?.message).toBe(
      `effect \`'a\\u000a\\u2028${'x'.repeat(76)}…\` does not exist; write \`Allow\` or \`Deny\``,
    );
  });
});
