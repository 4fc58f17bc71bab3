/**
 * What clients write into their documents: none of it becomes a part of the program that is compiled, and none is read
 * otherwise than the executor reads it.
 */
import fc from 'fast-check';
import {
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isScalarType,
  type GraphQLInputType,
} from 'graphql';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Chance } from '../crash/chance.js';
import { testSchema } from '../kit/house.js';
import { selections } from '../matrix/documents.js';
import { rootFields } from '../matrix/fields.js';
import { fixtures } from '../matrix/fixtures.js';
import { makeWorld, type World } from '../matrix/world.js';
import '../policy/seed.js';
import { seen, send, startTwoWays, watch, type TwoWays } from './two-ways.js';

const schema = testSchema();
let ways: TwoWays;
let world: World;
let token: string;
beforeAll(async () => {
  ways = await startTwoWays('sqlite');
  world = await makeWorld(ways.preparing);
  token = await ways.preparing.signIn(ways.preparing.root, 'account');
});
afterAll(() => ways.stop());
afterEach(() => vi.restoreAllMocks());

/** Asks until it would be prepared and once more, and holds every answer to the executor's; whether it was prepared. */
async function askBothWays(query: string, variables: object = {}): Promise<boolean> {
  const { answers } = watch();
  const body = { query, variables };
  const expected = seen(await send(ways.plain, token, body));
  for (const _time of [1, 2, 3]) expect(seen(await send(ways.preparing, token, body)), query).toEqual(expected);
  const prepared = answers().some(Boolean);
  vi.restoreAllMocks();
  return prepared;
}

const date = '__MAGIC_DATE__33a9e76d_02e0_4128_8e92_3530ad3da74d';
const numbers = [
  '__MAGIC_NAN__57f286b9_4c20_487f_b409_79804ddcb4f8',
  '__MAGIC_PLUS_INFINITY__bb201c39_3333_4695_b4ad_7f1722e7aa7a',
  '__MAGIC_MINUS_INFINITY__71d4310a_d4a3_4a05_b1fe_e60779d24998',
];
const program = `${date}globalThis.written=1`;
const escaped = program.replaceAll('_', '\\u005f');
const asks = (action: string): string => `{ checkAccess(requests: [{action: ${action}}]) { effect action } }`;
const simulates = (policy: string, action = '"iam:users:listUsers"', declared = ''): string =>
  `query Simulate${declared} { simulateAccess(input: {policies: [${policy}], requests: [{action: ${action}}]}) { effect reason } }`;
const allows = (more: string): string =>
  simulates(
    `{Version: "5.0", Statement: [{Effect: "Allow", Action: ["iam:users:listUsers"], ${more}}]}`,
    undefined,
    '($c: JSON)',
  );

describe('the marks of the compiler in a text are text', () => {
  it.each([
    ['in an action', asks(`"${program}"`)],
    ['written with escapes', asks(`"${escaped}"`)],
    ['in a block of text', asks(`"""${program}"""`)],
    ['beside more text', asks(`"x\\"${program}\\"x"`)],
    ['as a number', asks(`"${numbers[0]}"`)],
    ['as the largest', asks(`"${numbers[1]}"`)],
    ['as the least', asks(`"${numbers[2]}"`)],
    ['of a list', `{ viewer { permissions(actions: "${program}") { action effect } } }`],
    ['of an id', `{ node(id: "${program}") { id } }`],
    ['in a policy', simulates(`{Version: "${program}"}`)],
    ['as a name in a policy', simulates(`{${date}written: 1}`)],
    ['as text of a policy', simulates(`"{\\"Version\\":\\"${escaped.replaceAll('\\', '\\\\')}\\"}"`)],
    ['in a default', `query D($a: [String!] = ["${program}"]) { viewer { permissions(actions: $a) { action } } }`],
    ['after a promise', `{ users(first: 1) { nodes { id } } viewer { permissions(actions: ["${date}no.such"]) { effect } } }`],
  ])('%s', async (_where, query) => {
    expect(await askBothWays(query)).toBe(false);
    expect('written' in globalThis).toBe(false);
  }); // prettier-ignore
});

describe('what the compiler reads otherwise is not compiled', () => {
  it.each([
    ['a variable in JSON', allows('Condition: $c'), { c: { StringEquals: { 'g:UserName': ['x'] } } }],
    ['a member called `__proto__`', allows('Condition: {}, __proto__: {Effect: "Deny"}'), {}],
    ['null in a list', 'query N($v: String = "x") { checkAccess(requests: [{action: "a:b:c", context: [{key: "k:v", values: [$v]}]}]) { effect } }', { v: null }],
    ['nothing in an object', 'query N($s: String) { users(filter: {nameContains: $s}) { totalCount } }', {}],
    ['null for a choice', 'query N($d: OrderDirection = ASC) { users(orderBy: {field: NAME, direction: $d}) { totalCount } }', { d: null }],
    ['`__proto__` as an answer', '{ viewer { __proto__: actor { name } actor { id } } }', {}],
    ['a time', '{ auditEvents(filter: {from: "2030-01-01T00:00:00Z"}) { totalCount } }', {}],
    ['one of several', '{ checkAccess(requests: [{action: "a:b:c", principal: {user: "x", agency: "y"}}]) { effect } }', {}],
  ])('%s', async (_what, query, variables) => {
    expect(await askBothWays(query, variables)).toBe(false);
  }); // prettier-ignore

  it.each([
    ['a number', '{ users(first: 2) { nodes { id } } }', {}],
    ['null', '{ users(first: null) { nodes { id } } }', {}],
    ['a default', 'query D($n: Int = 2) { users(first: $n) { nodes { id } } }', {}],
    ['a whole variable', 'query V($r: [AccessRequestInput!]!) { checkAccess(requests: $r) { effect } }', { r: [{ action: `${program}` }] }],
  ])('%s is', async (_what, query, variables) => {
    expect(await askBothWays(query, variables)).toBe(true);
    expect('written' in globalThis).toBe(false);
  }); // prettier-ignore
});

it('an empty list is no object, wherever one is wanted', async () => {
  const users = 'query U($f: UserFilterInput) { users(filter: $f) { totalCount } }';
  expect(await askBothWays(users, { f: {} })).toBe(true);
  expect(await askBothWays(users, { f: [] })).toBe(false);
  const drafts = 'query S($r: [AccessRequestInput!]!) { checkAccess(requests: $r) { effect } }';
  expect(await askBothWays(drafts, { r: [{ action: 'a:b:c', context: [] }] })).toBe(true);
  expect(await askBothWays(drafts, { r: [{ action: 'a:b:c', context: [[]] }] })).toBe(false);
  expect(await askBothWays(drafts, { r: [{ action: 'a:b:c', principal: [] }] })).toBe(false);
});

describe('a variable that is null within an argument is the caller’s fault, on both ways', () => {
  it.each([
    'query N($v: String = "x") { checkAccess(requests: [{action: "a:b:c", context: [{key: "hunter2", values: [$v]}]}]) { effect } }',
    'query N($v: ID = "x") { nodes(ids: ["hunter2", $v]) { id } }',
    'query N($v: OrderDirection = ASC) { users(orderBy: {field: NAME, direction: $v}) { totalCount } }',
  ])('%s', async (query) => {
    for (const house of [ways.preparing, ways.plain]) {
      const lines = house.log.length;
      const { status, errors } = await send(house, token, { query, variables: { v: null } });
      expect([status, errors.length, errors[0]?.extensions.code]).toEqual([200, 1, 'BAD_USER_INPUT']);
      expect(errors[0]?.message).toMatch(
        /^Argument "\w+" has an invalid value; look for variables that are null in it$/,
      );
      // Nobody is called for it.
      expect(house.log.slice(lines).join('')).not.toMatch(/defect|"level":50/);
    }
  });
});

it('a text is not taken for another one with a name', async () => {
  for (const [query, operationName] of [
    ['query\n{ rateLimit { limit } }', undefined],
    ['{ rateLimit { limit } }', 'query'],
    ['query A { rateLimit { limit } }', 'A'],
    ['A\nquery A { rateLimit { limit } }', undefined],
  ] as const) {
    for (const _time of [1, 2, 3]) {
      const [one, other] = [
        await send(ways.preparing, token, { query, operationName }),
        await send(ways.plain, token, { query, operationName }),
      ];
      expect([query, one.status, one.errors.length]).toEqual([query, other.status, other.errors.length]);
    }
  }
});

it('few letters that stand for much are not compiled', async () => {
  const id = Buffer.from(`User:${world.userId}`).toString('base64url');
  const nodes = (count: number): string =>
    `query Q($id: ID!) { ${Array.from({ length: count }, (_, n) => `n${n}: node(id: $id) { ...Ids }`).join(' ')} } fragment Ids on Node { ${'id '.repeat(10)} }`;
  expect(await askBothWays(nodes(1), { id })).toBe(true);
  expect(await askBothWays(nodes(10), { id })).toBe(false);
  const many = Array.from({ length: 20 }, (_, n) => n);
  const asksMany = `query Q(${many.map((n) => `$r${n}: [AccessRequestInput!]!`).join(' ')}) { ${many.map((n) => `c${n}: checkAccess(requests: $r${n}) { effect }`).join(' ')} }`;
  const requests = Object.fromEntries(many.map((n) => [`r${n}`, [{ action: 'iam:users:listUsers' }]]));
  expect(await askBothWays(asksMany, requests)).toBe(false);
});

/** Writes a value where a type is wanted: some of it into the document, and some, at any depth, into variables. */
class Writer {
  readonly declared: string[] = [];
  readonly variables: Record<string, unknown> = {};
  readonly #chance: Chance;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** Of a whole argument; what is within it is less often a variable, so that some of what is written is compiled. */
  writeArgument(type: GraphQLInputType, value: unknown): string {
    return this.#chance.next() < 0.6 ? this.#variable(type, value) : this.write(type, value);
  }

  write(type: GraphQLInputType, value: unknown): string {
    if (this.#chance.next() < 0.3) return this.#variable(type, value);
    const nullable = getNullableType(type);
    if (value === null || value === undefined) return 'null';
    if (isListType(nullable)) {
      if (!Array.isArray(value)) return this.write(nullable.ofType, value);
      return `[${value.map((item) => this.write(nullable.ofType, item)).join(', ')}]`;
    }
    if (isInputObjectType(nullable)) {
      const fields = nullable.getFields();
      const members = Object.entries(value).filter(([name]) => name in fields);
      return `{${members.map(([name, member]) => `${name}: ${this.write(fields[name]?.type ?? nullable, member)}`).join(', ')}}`;
    }
    if (typeof value === 'string' && isEnumType(nullable)) return value;
    if (isScalarType(nullable) && nullable.name === 'JSON') return this.#json(nullable, value);
    return JSON.stringify(value);
  }

  #json(type: GraphQLInputType, value: unknown): string {
    if (this.#chance.next() < 0.15) return this.#variable(type, value);
    if (Array.isArray(value)) return `[${value.map((item) => this.#json(type, item)).join(', ')}]`;
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    const members = Object.entries(value).filter(([name]) => /^[_A-Za-z]\w*$/.test(name));
    return `{${members.map(([name, member]) => `${name}: ${this.#json(type, member)}`).join(', ')}}`;
  }

  #variable(type: GraphQLInputType, value: unknown): string {
    const name = `v${this.declared.length}`;
    // Nullable with a default may stand where null may not, and null may be given for it all the same.
    const chance = this.#chance.next();
    const nullable = String(getNullableType(type));
    const fallback = isScalarType(type) || isEnumType(getNullableType(type)) ? this.#default(type, value) : null;
    this.declared.push(fallback !== null && chance < 0.4 ? `$${name}: ${nullable} = ${fallback}` : `$${name}: ${String(type)}`);
    if (chance < 0.1) this.variables[name] = null;
    else if (chance < 0.2) this.variables[name] = isListType(getNullableType(type)) ? [[]] : [];
    else if (chance > 0.1) this.variables[name] = value;
    return `$${name}`;
  } // prettier-ignore

  #default(type: GraphQLInputType, value: unknown): string | null {
    if (value === null || value === undefined || typeof value === 'object') return null;
    return typeof value === 'string' && isEnumType(getNullableType(type)) ? value : JSON.stringify(value);
  }
}

it('is answered alike wherever values stand, in the document or in variables, at every depth', async () => {
  const queries = rootFields(schema).filter(({ at, kind }) => kind === 'query' && !moving.has(at));
  const withArguments = queries.filter(({ at, field }) => field.args.some(({ name }) => name in (fixtures[at]?.(world, '') ?? {}))); // prettier-ignore
  let compared = 0;
  let prepared = 0;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...withArguments), fc.nat(), async ({ at, field }, start) => {
      const writer = new Writer(new Chance(start));
      const given = fixtures[at]?.(world, '') ?? {};
      const passed = field.args.filter(({ name }) => name in given).map(({ name, type }) => `${name}: ${writer.writeArgument(type, given[name])}`);
      const [selection = ''] = selections(schema, getNamedType(field.type), 2, 8);
      const declared = writer.declared.length === 0 ? '' : `(${writer.declared.join(', ')})`;
      const query = `query Q${declared} { ${field.name}(${passed.join(', ')}) ${selection} }`;
      if (await askBothWays(query, writer.variables)) prepared += 1;
      compared += 1;
    }),
    { numRuns: 150 },
  ); // prettier-ignore
  expect(compared).toBe(150);
  expect(prepared).toBeGreaterThan(5);
});

/** Answers that say how much the caller has left, and what time it is. */
const moving: ReadonlySet<string> = new Set(['Query.rateLimit', 'Query.auditHead']);
