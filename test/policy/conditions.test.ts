import { describe, expect, it } from 'vitest';
import { buildContext, evaluate, operators, type PolicyDocument, readOperator } from '../../src/policy/index.js';
import { readTable } from './table.js';

interface ConditionRow {
  sentence: string;
  operator: string;
  listed: string[];
  request: string[];
  holds: boolean;
  missing?: boolean;
  problem?: string;
}

const rows = readTable<ConditionRow>('conditions.json');
const key = 'g:Key';

/** One Allow with one condition: it allows iff the condition holds. */
function decide(effect: 'ALLOW' | 'DENY', operator: string, listed: string[], request: string[]) {
  const statement = { index: 0, sid: null, effect, actions: ['a:b:c'], notActions: null, resources: null, notResources: null }; // prettier-ignore
  const document: PolicyDocument = {
    version: '1.1',
    depends: [],
    statements: [{ ...statement, conditions: [{ operator, key, values: listed }] }],
  };
  const sources = [{ name: 'p', document, origin: null }];
  return evaluate(sources, { action: 'a:b:c', resource: null, context: buildContext([[key, request]]) });
}

describe('conditions', () => {
  it.each(rows)('$sentence', ({ operator, listed, request, holds, missing, problem }) => {
    const allow = decide('ALLOW', operator, listed, request);
    expect(allow.reason).toBe(holds ? 'ALLOWED' : 'NO_MATCHING_ALLOW');
    expect(allow.missingContextKeys).toEqual(missing === true ? [key] : []);
    expect(allow.problems).toHaveLength(problem === undefined ? 0 : 1);
    expect(allow.problems.join()).toContain(problem ?? '');

    const deny = decide('DENY', operator, listed, request);
    expect(deny.reason, 'a condition holds alike under both effects').toBe(
      holds ? 'EXPLICIT_DENY' : 'NO_MATCHING_ALLOW',
    );
    expect(deny.missingContextKeys).toEqual(allow.missingContextKeys);
  });

  it('has a row for every operator', () => {
    const used = new Set(rows.map(({ operator }) => readOperator(operator)?.operator.name));
    expect(operators.map(({ name }) => name).filter((name) => !used.has(name))).toEqual([]);
  });
});

describe('an unknown operator', () => {
  it.each(['StringSounds', 'stringequals', 'NullIfExists', 'ForAnyValue:Null', 'StringEqualsifexists', ''])(
    '`%s` keeps an Allow from matching, lets a Deny match, and is reported',
    (operator) => {
      for (const request of [[], ['a']]) {
        const allow = decide('ALLOW', operator, ['a'], request);
        const deny = decide('DENY', operator, ['a'], request);
        expect(allow.reason).toBe('NO_MATCHING_ALLOW');
        expect(deny.reason).toBe('EXPLICIT_DENY');
        for (const { problems, missingContextKeys } of [allow, deny]) {
          expect(problems).toHaveLength(1);
          expect(problems[0]).toMatch(/^statement 0 of `p`: the operator `.*` is unknown/);
          expect(missingContextKeys).toEqual([]);
        }
      }
    },
  );

  it('does not let a Deny match whose other condition is false: that one is known', () => {
    const document: PolicyDocument = {
      version: '1.1',
      depends: [],
      statements: [
        { index: 0, sid: null, effect: 'DENY', actions: ['*'], notActions: null, resources: null, notResources: null,
          conditions: [{ operator: 'Odd', key, values: ['a'] }, { operator: 'StringEquals', key, values: ['b'] }] },
      ], // prettier-ignore
    };
    const context = buildContext([[key, 'a']]);
    const answer = evaluate([{ name: 'p', document, origin: null }], { action: 'a:b:c', resource: null, context });
    expect(answer.reason).toBe('NO_MATCHING_ALLOW');
    // Nor is it told: the statement is plainly about something else.
    expect(answer.problems).toEqual([]);
  });
});

describe('the table of operators', () => {
  it('has each name once, and each synonym of a documented one', () => {
    const names = operators.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { synonymOf } of operators) if (synonymOf !== null) expect(names).toContain(synonymOf);
  });

  it('has the documented names', () => {
    const strings = ['Equals', 'NotEquals', 'EqualsIgnoreCase', 'NotEqualsIgnoreCase', 'Like', 'NotLike', 'StartWith', 'EndWith']; // prettier-ignore
    const orders = ['LessThan', 'LessThanEquals', 'GreaterThan', 'GreaterThanEquals'];
    const documented = [
      ...strings.flatMap((name) => [`String${name}`, `String${name}AnyOf`]),
      ...['Number', 'Numeric'].flatMap((type) => ['Equals', 'NotEquals', ...orders].map((name) => `${type}${name}`)),
      ...['Equals', 'NotEquals', ...orders].map((name) => `Date${name}`),
      ...['StringMatch', 'StringNotMatch', 'StringNotStartWith', 'StringNotEndWith'],
      ...['Bool', 'IpAddress', 'NotIpAddress', 'Null', 'IsNullOrEmpty'],
    ];
    expect(operators.map(({ name }) => name).sort()).toEqual(documented.sort());
  });

  it('says of each operator what goes around it', () => {
    for (const { name, takesIfExists, takesPrefix } of operators) {
      expect(readOperator(`${name}IfExists`) !== null).toBe(takesIfExists);
      expect(readOperator(`ForAnyValue:${name}`) !== null).toBe(takesPrefix);
      expect(readOperator(`ForAllValues:${name}IfExists`) !== null).toBe(takesPrefix && takesIfExists);
      expect(readOperator(name.toLowerCase())).toBeNull();
    }
  });
});

describe('buildContext', () => {
  it('reads keys without letter case, and lets a later entry replace an earlier one', () => {
    const context = buildContext([['g:UserName', 'told'], ['G:username', ['known', 'twice']]]); // prettier-ignore
    expect([...context]).toEqual([['g:username', ['known', 'twice']]]);
  });

  it('takes a key away with an empty list', () => {
    expect(buildContext([['g:A', 'x'], ['g:a', []]]).size).toBe(0); // prettier-ignore
  });

  it('keeps its own copy', () => {
    const values = ['a'];
    const context = buildContext([['g:A', values]]);
    values.push('b');
    expect(context.get('g:a')).toEqual(['a']);
  });
});
