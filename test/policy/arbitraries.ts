/** Generated worlds: few names and short patterns, so that things that are compared do meet. */
import fc from 'fast-check';
import type { Condition, PolicyDocument, Statement } from '../../src/policy/index.js';

export const segmentText = fc.stringMatching(/^[ab]{0,4}$/);
export const segmentPattern = fc.stringMatching(/^[ab*?]{0,5}$/);

const names = ['modelarts', 'obs'] as const;
const operations = ['create', 'delete', 'get'] as const;

export const action = fc
  .tuple(fc.constantFrom(...names), fc.constantFrom('notebook', 'pool', ''), fc.constantFrom(...operations))
  .map((segments) => segments.join(':'));

export const actionPattern = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...names, '*', 'mod*'), fc.constantFrom('notebook', 'pool', '', '*', '?o*', 'Note*'), fc.constantFrom(...operations, '*', '*e', 'ge?', 'GET')).map((segments) => segments.join(':')) },
  { weight: 1, arbitrary: fc.constantFrom('*', '*:*:*', 's3:*') },
); // prettier-ignore

export const resource = fc.option(
  fc
    .tuple(fc.constantFrom('obs', 'modelarts'), fc.constantFrom('eu', ''), fc.constantFrom('acc', ''), fc.constantFrom('bucket', 'notebook'), fc.constantFrom('a', 'ab', 'alice', 'alice/x', 'bob/x', 'a:b', '*', ''))
    .map((segments) => segments.join(':')),
  { nil: null },
); // prettier-ignore

export const resourcePattern = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.constantFrom('obs', 'OBS', '*', 'modelarts'), fc.constantFrom('eu', '', '*'), fc.constantFrom('', '*', 'a?c'), fc.constantFrom('bucket', 'notebook', '*', ''), fc.constantFrom('a', 'a*', '*', '', '?*', '*/x', 'alice/*', '${g:UserName}/*', "${g:UserName, 'bob'}/x", '${g:Team}', '${*}', 'a:*', 'ab*'))
      .map((segments) => segments.join(':')),
  },
  { weight: 1, arbitrary: fc.constantFrom('*', '*:*:*:*:*', '::::', 'obs:::bucket:${') },
); // prettier-ignore

const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({
    operator: fc.constantFrom('StringEquals', 'StringNotEquals', 'StringLike', 'StringEqualsIfExists', 'ForAnyValue:StringEquals', 'ForAllValues:StringNotEquals', 'StringNotEqualsAnyOf', 'NotAnOperator'),
    key: fc.constantFrom('g:UserName', 'g:username', 'g:Team', 'obs:prefix', 'g:ResourceTag/team'),
    values: fc.array(fc.constantFrom('alice', 'bob', 'a*', '${g:UserName}', '${g:Team}', 'x'), { minLength: 1, maxLength: 2 }),
  }),
  fc.record({
    operator: fc.constantFrom('NumberLessThan', 'NumberNotEquals', 'Bool', 'Null', 'NotIpAddress', 'DateLessThan'),
    key: fc.constantFrom('g:MFAAge', 'obs:count'),
    values: fc.array(fc.constantFrom('5', '7.5', 'true', '10.0.0.0/8', '2026-01-01T00:00:00Z'), { minLength: 1, maxLength: 2 }),
  }),
); // prettier-ignore

/** What statements are made of. */
export interface StatementParts {
  readonly action: fc.Arbitrary<string>;
  readonly resource: fc.Arbitrary<string>;
  readonly condition: fc.Arbitrary<Statement['conditions'][number]>;
}

export function statement(
  effects: readonly Statement['effect'][] = ['ALLOW', 'DENY'],
  parts: StatementParts = { action: actionPattern, resource: resourcePattern, condition },
): fc.Arbitrary<Statement> {
  const some = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 1, maxLength: 3 });
  const about = fc.oneof(
    { weight: 5, arbitrary: fc.record({ actions: some(parts.action), notActions: fc.constant(null) }) },
    { weight: 1, arbitrary: fc.record({ actions: fc.constant([]), notActions: some(parts.action) }) },
  );
  const on = fc.oneof(
    { weight: 2, arbitrary: fc.constant({ resources: null, notResources: null }) },
    { weight: 3, arbitrary: fc.record({ resources: some(parts.resource), notResources: fc.constant(null) }) },
    { weight: 1, arbitrary: fc.record({ resources: fc.constant(null), notResources: some(parts.resource) }) },
  );
  const rest = fc.record({
    index: fc.constant(0),
    sid: fc.constant(null),
    effect: fc.constantFrom(...effects),
    conditions: fc.array(parts.condition, { maxLength: 2 }),
  });
  return fc.tuple(rest, about, on).map(([first, second, third]) => ({ ...first, ...second, ...third }));
}

export function documentOf(statements: readonly Statement[]): PolicyDocument {
  return { version: '5.0', statements: statements.map((one, index) => ({ ...one, index })), depends: [] };
}

/** Context entries, split by whether they say something of the principal. */
export const personal = fc.record(
  { 'g:UserName': fc.subarray(['alice', 'bob', '*', 'a'], { maxLength: 2 }), 'g:Team': fc.subarray(['x', 'a*'], { maxLength: 1 }), 'g:MFAAge': fc.constantFrom<string[]>(['3'], ['7.5'], ['old']) },
  { requiredKeys: [] },
); // prettier-ignore
export const impersonal = fc.record(
  { 'obs:prefix': fc.subarray(['alice', 'x', 'a'], { maxLength: 2 }), 'g:ResourceTag/team': fc.constantFrom<string[]>(['x'], ['bob'], ['']), 'obs:count': fc.constantFrom<string[]>(['5'], ['9'], ['many'], ['10.1.1.1']) },
  { requiredKeys: [] },
); // prettier-ignore
