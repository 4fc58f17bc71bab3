/** What operations cost, on the schema that is served; each row with the sum in words. */
import { Kind, parse, type OperationDefinitionNode } from 'graphql';
import { describe, expect, it } from 'vitest';
import { costOf, longestListAmong } from '../../src/graphql/cost.js';
import { testSchema } from '../kit/house.js';

interface Row {
  readonly says: string;
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly costs: number;
}

const rows: readonly Row[] = [
  { says: 'an object and one below it', query: '{ viewer { account { name } } }', costs: 2 },
  { says: 'a page of 25 unless it says how long', query: '{ users { nodes { name } } }', costs: 26 },
  { says: 'a page as long as it says', query: '{ users(first: 100) { nodes { name } } }', costs: 101 },
  { says: 'a page from the end', query: '{ users(last: 7) { nodes { name } } }', costs: 8 },
  {
    says: 'edges like nodes, each with its node',
    query: '{ users(first: 10) { edges { node { name } } } }',
    costs: 21,
  },
  {
    says: 'a page by a variable',
    query: 'query ($n: Int) { users(first: $n) { nodes { name } } }',
    variables: { n: 50 },
    costs: 51,
  },
  {
    says: 'the default of a variable',
    query: 'query ($n: Int = 100) { users(first: $n) { nodes { name } } }',
    costs: 101,
  },
  {
    says: 'the default of a variable, though every object has something of its name',
    query: 'query ($constructor: Int = 100) { users(first: $constructor) { nodes { name } } }',
    costs: 101,
  },
  {
    says: 'the default of a variable that is a list, though every object has something of its name',
    query:
      'query ($toString: [AccessRequestInput!] = [{ action: "a:b:c" }, { action: "a:b:d" }]) { checkAccess(requests: $toString) { effect } }',
    costs: 2,
  },
  {
    says: 'a page that is out of range as the longest or shortest there is',
    query: '{ a: users(first: 100000) { nodes { name } } b: users(first: -5) { nodes { name } } }',
    costs: 103,
  },
  {
    says: 'pages of pages, multiplied',
    query: '{ users(first: 100) { nodes { groups(first: 10) { nodes { name } } } } }',
    costs: 1 + 100 * (1 + 1 + 10),
  },
  { says: 'a count', query: '{ users(first: 1) { totalCount } }', costs: 2 },
  {
    says: 'what is selected twice under other names, twice',
    query: '{ a: users(first: 100) { nodes { name } } b: users(first: 100) { nodes { name } } }',
    costs: 202,
  },
  {
    says: 'a fragment wherever it is spread',
    query:
      '{ a: users(first: 2) { ...Page } b: users(first: 3) { ...Page } } fragment Page on UserConnection { nodes { name } }',
    costs: 7,
  },
  {
    says: 'an inline fragment as what it selects',
    query: '{ node(id: "x") { ... on User { groups(first: 5) { nodes { name } } } } }',
    costs: 7,
  },
  { says: 'as many nodes as ids', query: '{ nodes(ids: ["a", "b", "c"]) { id } }', costs: 3 },
  {
    says: 'as many decisions as requests',
    query: 'query ($r: [AccessRequestInput!]!) { checkAccess(requests: $r) { effect } }',
    variables: { r: Array.from({ length: 1000 }, () => ({ action: 'modelarts:notebook:get' })) },
    costs: 1000,
  },
  {
    says: 'a simulation by policies times requests, whatever it selects',
    query: 'query ($i: SimulateAccessInput!) { simulateAccess(input: $i) { effect } }',
    variables: { i: { policies: [{}, {}], requests: [{}, {}, {}] } },
    costs: 2 * 3 + 10,
  },
  {
    says: 'a comparison of policies, whatever it comes to',
    query: '{ comparePolicies(before: { document: {} }, after: { document: {} }) { verdict } }',
    costs: 100_000 + 1,
  },
  {
    says: 'what was decided then by its requests, each of which may be about somebody else',
    query: '{ recallAccess(requests: [{ action: "a" }, { action: "b" }], asOfRevision: 1) { decisions { unknown } } }',
    costs: 2 * 10_000 + 1 + 10,
  },
  { says: 'as many answers as actions', query: '{ viewer { permissions(actions: ["a", "b"]) { effect } } }', costs: 3 },
  {
    says: 'every action of the catalogue where none is named',
    query: '{ viewer { permissions { effect } } }',
    costs: 501,
  },
  { says: 'a mutation ten more', query: 'mutation { signOut(input: {}) { revision } }', costs: 11 },
  {
    says: 'a session of an agency ten thousand more: a row for days and an event for ever',
    query: 'mutation { assumeAgency(input: { agencyId: "a" }) { revision } }',
    costs: 11 + 10_000,
  },
  {
    says: 'what somebody can do by all the catalogue, ten for each verdict, however short the page',
    query: '{ whatCan(first: 1) { nodes { action } } }',
    costs: 10 * 500 + 1 + 1,
  },
  {
    says: 'who can do something by all the principals that a page may look at',
    query: '{ whoCan(action: "a", first: 3) { nodes { verdict } } }',
    costs: 10 * 2000 + 1 + 3,
  },
  {
    says: 'such a list each time that it is selected',
    query: '{ a: whatCan { pageInfo { hasNextPage } } b: whatCan(first: 2) { nodes { statements { policy } } } }',
    costs: 10 * 500 + 2 + 10 * 500 + 1 + 2 * (1 + 10),
  },
  {
    says: 'readiness by the usual functions times agencies, where nothing is named',
    query: '{ authorizationReadiness(input: {}) { ready } }',
    costs: 1 + 6 * 40 * 50,
  },
  {
    says: 'readiness by the actions and functions that are named',
    query: 'query ($i: AuthorizationReadinessInput!) { authorizationReadiness(input: $i) { ready } }',
    variables: { i: { actions: ['a', 'b', 'c'], functions: ['training', 'edge'] } },
    costs: 1 + (3 + 2 * 40) * 50,
  },
  {
    says: 'a password to be checked a hundred more',
    query: 'mutation { signIn(input: { account: "a", userName: "b", password: "c" }) { token } }',
    costs: 111,
  },
  {
    says: 'a password to be changed like one that is compared with all that are remembered',
    query: 'mutation { changePassword(input: { currentPassword: "a", newPassword: "b" }) { revision } }',
    costs: 11 + 12 * 100,
  },
  {
    says: 'a password that proves who one is, too',
    query: 'mutation { deleteSecondFactor(input: { password: "a" }) { revision } }',
    costs: 111,
  },
  {
    says: 'a mutation of many by how many, and so what it answers of them',
    query:
      'mutation ($i: AddGroupMembersInput!) { addGroupMembers(input: $i) { ...Added } } fragment Added on AddGroupMembersPayload { users { groups(first: 3) { nodes { name } } } }',
    variables: { i: { groupId: 'g', userIds: Array.from({ length: 2000 }, (_, i) => `u${i}`) } },
    costs: 10 + 2000 + 1 + 2000 * (1 + 1 + 3),
  },
  {
    says: 'a mutation of many that stand in the document alike',
    query: `mutation { addGroupMembers(input: { groupId: "g", userIds: [${'"u" '.repeat(30)}] }) { users { name } } }`,
    costs: 10 + 30 + 1 + 30,
  },
  {
    says: 'what a simulation selects by requests as well',
    query: 'query ($i: SimulateAccessInput!) { simulateAccess(input: $i) { statements { policy } } }',
    variables: { i: { policies: [{}], requests: Array.from({ length: 500 }, () => ({})) } },
    costs: 500 + 500 * (1 + 10),
  },
  {
    says: 'reading the schema, by what is asked of it',
    query:
      '{ __schema { types { ...T } } __type(name: "User") { a: name b: name } } fragment T on __Type { fields { name } }',
    costs: 700,
  },
  { says: 'next to nothing', query: '{ __typename }', costs: 1 },
];

const cost = (query: string, variables: Readonly<Record<string, unknown>> = {}): number => {
  const document = parse(query);
  const operation = document.definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  return costOf(testSchema(), document, operation as OperationDefinitionNode, variables);
};

describe('the cost of an operation', () => {
  it.each(rows)('$says', ({ query, variables, costs }) => {
    expect(cost(query, variables)).toBe(costs);
  });

  it.each(rows)('is the same when its lists were measured before: $says', ({ query, variables = {}, costs }) => {
    longestListAmong(variables);
    expect([cost(query, variables), cost(query, variables)]).toEqual([costs, costs]);
  });

  it('is measured by the longest list, wherever it stands in the variables', () => {
    const list = (length: number) => Array.from({ length }, (_, i) => i);
    expect(longestListAmong({ a: [list(3), { b: list(120) }], c: list(7), d: 'x', e: null })).toBe(120);
    expect(longestListAmong({ a: list(7), b: { c: { d: list(8) } } })).toBe(8);
    expect([undefined, null, 1, 'abc', {}, { a: 'abc' }, list(5)].map(longestListAmong)).toEqual([0, 0, 0, 0, 0, 0, 5]);
  });

  it('is found in one walk, however often fragments spread fragments', () => {
    const levels = 60;
    const fragments = Array.from(
      { length: levels },
      (_, i) => `fragment F${i} on Viewer { ${i === 0 ? 'account { name }' : `...F${i - 1} ...F${i - 1}`} }`,
    );
    expect(cost(`{ viewer { ...F${levels - 1} } } ${fragments.join(' ')}`)).toBe(1 + 2 ** (levels - 1));
  });

  it('is beyond any limit for fragments that spread themselves', () => {
    expect(cost('{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A }')).toBe(Infinity);
  });
});
