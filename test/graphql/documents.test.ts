import { buildSchema, parse, specifiedRules, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { checkNesting, documentNesting, knownOperationTypes } from '../../src/graphql/documents.js';

const nested = (levels: number): string => `{ a${'(b: ['}${'['.repeat(levels - 3)}${']'.repeat(levels - 3)}]) }`;

describe('nesting of a document', () => {
  it('is taken up to its limit, and refused from there on', () => {
    expect(() => checkNesting(nested(documentNesting))).not.toThrow();
    expect(() => checkNesting(nested(documentNesting + 1))).toThrow('over 100 brackets open at once');
  });

  it.each([
    ['many fields side by side', `{ ${'a { b } '.repeat(300)} }`],
    ['brackets in a string', `{ a(b: "${'['.repeat(500)}") }`],
    ['brackets in a block string', `{ a(b: """${'{'.repeat(500)}""") }`],
    ['brackets in a comment', `{ a } # ${'('.repeat(500)}`],
  ])('does not count %s', (_what, document) => {
    expect(() => checkNesting(document)).not.toThrow();
  });

  it.each([
    ['closed more often than opened', `${'}'.repeat(300)}${'{'.repeat(101)}`],
    ['what is no token', `{ a ? ${'['.repeat(300)}`],
    ['a string that never ends', `{ a(b: "${'['.repeat(300)}`],
  ])('leaves %s to the parser', (_what, document) => {
    expect(() => checkNesting(document)).not.toThrow();
    expect(() => parse(document)).toThrow(/Syntax Error/);
  });
});

it('operations of a kind that the schema does not have do not validate', () => {
  const schema = buildSchema('type Query { a: Int }');
  const problems = (document: string): readonly string[] =>
    validate(schema, parse(document), [...specifiedRules, knownOperationTypes]).map(({ message }) => message);
  expect(problems('{ a }')).toEqual([]);
  expect(problems('subscription { b }')).toEqual(['the schema has no subscription; send a query or a mutation']);
  expect(problems('mutation M { b } query Q { a }')).toEqual([
    'the schema has no mutation; send a query or a mutation',
  ]);
});
