/** Which operations may be compiled, on a schema that has what the product's own has not. */
import { buildSchema, parse, type OperationDefinitionNode } from 'graphql';
import { describe, expect, it } from 'vitest';
import { compiledSizeOf, largestCompiled } from '../../src/graphql/preparable.js';

const schema = buildSchema(`
  scalar Any
  enum Way { UP DOWN }
  input Endless { name: String, within: [Endless!] }
  input Pair { one: Int, other: Int }
  interface Thing { id: ID, self: Thing }
  type A implements Thing { id: ID, self: Thing }
  type B implements Thing { id: ID, self: Thing, more: Int }
  type Query {
    any(value: Any): Int
    numbers(values: [Int]): Int
    number(value: Int, ratio: Float, sure: Boolean, way: Way): Int
    endless(value: Endless): Int
    pair(value: Pair): Int
    thing: Thing
  }
`);

function sizeOf(text: string): number | null {
  const document = parse(text);
  return compiledSizeOf(schema, document, document.definitions[0] as OperationDefinitionNode);
}

describe('how large an operation is when it is compiled', () => {
  it.each([
    ['{ number(value: 1, ratio: -1.5, sure: true, way: UP) }', 15],
    ['{ number(value: null) }', 12],
    ['query ($v: Int = 1) { number(value: $v) }', 16],
    ['query ($v: Pair) { pair(value: $v) }', 24],
    // Each field once for A and once for B.
    ['{ thing { id } }', 13],
    ['{ thing { id id } }', 15],
    ['{ thing { self { id } } }', 17],
    // A fragment for B alone is looked at for A too, and left out.
    ['{ thing { ... on B { more } } }', 14],
    ['{ thing { ...F } } fragment F on Thing { id }', 15],
  ])('%s', (text, size) => {
    expect(sizeOf(text)).toBe(size);
  });

  it('counts no further than it must', () => {
    const levels = 40;
    const fragments = Array.from({ length: levels }, (_, n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`);
    expect(sizeOf(`{ ...F0 } ${fragments.join(' ')} fragment F${levels} on Query { thing { id } }`)).toBeNull();
  });

  it('counts on where conditions cannot hold, because the compiler walks there too', () => {
    const walking = (levels: number): string => {
      const doubling = Array.from({ length: levels }, (_, n) => `fragment F${n} on B { ...F${n + 1} ...F${n + 1} }`);
      return `{ thing { ... on A { id ... on Thing { ...F0 } } } } ${doubling.join(' ')} fragment F${levels} on B { id }`;
    };
    expect([sizeOf(walking(8)), sizeOf(walking(12)), sizeOf(walking(60))]).toEqual([16, null, null]);
    const twice = '{ thing { ... on A { ...F } } } fragment F on B { self { ...F } }';
    expect(sizeOf(twice)).toBeNull();
  });

  it('takes names as long as anybody writes them', () => {
    const named = (length: number): string => `{ ${'n'.repeat(length)}: numbers }`;
    expect([sizeOf(named(64)), sizeOf(named(65))]).toEqual([11, null]);
    expect(sizeOf(`query ($${'v'.repeat(65)}: Int) { number(value: $${'v'.repeat(65)}) }`)).toBeNull();
  });

  it('is what may be, up to the limit', () => {
    const fields = (count: number): string =>
      `{ ${Array.from({ length: count }, (_, n) => `n${n}: numbers`).join(' ')} }`;
    // Every operation is ten from the beginning.
    const most = largestCompiled - 10;
    expect([sizeOf(fields(most)), sizeOf(fields(most + 1))]).toEqual([largestCompiled, null]);
  });
});

describe('what is not compiled', () => {
  it.each([
    ['a text', '{ any(value: "x") }'],
    ['a list', '{ numbers(values: [1]) }'],
    ['one item for a list', '{ numbers(values: 1) }'],
    ['an object', '{ pair(value: {one: 1}) }'],
    ['a number for a scalar of the schema’s own', '{ any(value: 1) }'],
    ['a name for a scalar of the schema’s own', '{ any(value: UP) }'],
    ['null for a scalar of the schema’s own', '{ any(value: null) }'],
    ['a default for a scalar of the schema’s own', 'query ($v: Any = 1) { any(value: $v) }'],
    ['an input that may stand within itself', 'query ($v: Endless) { endless(value: $v) }'],
    ['an unknown input', 'query ($v: Nothing) { endless(value: $v) }'],
    ['`__proto__` as an answer', '{ __proto__: number }'],
    ['a name of an answer that could be two names put together', '{ b_a: number }'],
    ['`__proto__` as a fragment', '{ ...__proto__ } fragment __proto__ on Query { number }'],
    ['a mutation where there is none', 'mutation { number }'],
  ])('%s', (_what, text) => {
    expect(sizeOf(text)).toBeNull();
  });
});
