/** Attacks by documents: what costs much to read, and what reads as something it is not. */
import { asks, invalid, tooLarge, unfit, unread } from './asking.js';
import type { Attack } from './attack.js';
import { valueAttacks } from './document-values.js';

const times = (count: number, make: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => make(index)).join(' ');

/** Fragments that each spread the next one twice: 2^n fields from n lines. */
const doubling = (levels: number, leaf: string): string =>
  `{ ...F0 } ${times(levels, (n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`)} fragment F${levels} on Query { ${leaf} }`;

const fragments: readonly Attack[] = [
  { says: 'A fragment spreads itself.', send: asks('{ ...F } fragment F on Query { ...F }'), ...invalid },
  {
    says: 'Two fragments spread each other.',
    send: asks('{ ...F } fragment F on Query { ...G } fragment G on Query { ...F }'),
    ...invalid,
  },
  {
    says: 'A fragment spreads itself through a field and an inline fragment.',
    send: asks(
      '{ viewer { ...F } } fragment F on Viewer { user { groups { nodes { ... { ...G } } } } } fragment G on Group { members { nodes { ...H } } } fragment H on User { groups { nodes { ...G } } }',
    ),
    ...invalid,
  },
  {
    says: 'A cycle of a hundred fragments is spread from each of them.',
    send: asks(
      `{ ...F0 } ${times(100, (n) => `fragment F${n} on Query { ...F${(n + 1) % 100} ...F${(n + 7) % 100} }`)}`,
    ),
    ...invalid,
  },
  { says: 'A fragment is spread that is not there.', send: asks('{ ...Nowhere }'), ...invalid },
  {
    says: 'A fragment stands there that nobody spreads.',
    send: asks('{ __typename } fragment F on Query { __typename }'),
    ...invalid,
  },
  {
    says: 'Two fragments have one name.',
    send: asks('{ ...F } fragment F on Query { __typename } fragment F on Query { a: __typename }'),
    ...invalid,
  },
  { says: 'Twenty lines of fragments make a million fields.', send: asks(doubling(20, '__typename')), ...tooLarge },
  { says: 'Twenty lines of fragments make a million aliases.', send: asks(doubling(20, 'a: __typename')), ...tooLarge },
  {
    says: 'Fifty lines of fragments make more fields than a number can count.',
    send: asks(doubling(50, '__typename')),
    ...tooLarge,
  },
  {
    says: 'A fragment hides depth.',
    send: asks(
      '{ viewer { user { ...D } } } fragment D on User { groups { nodes { members { nodes { groups { nodes { members { nodes { groups { nodes { name } } } } } } } } } } }',
    ),
    ...tooLarge,
  },
];

const deepGroups = (levels: number): string =>
  `{ groups { nodes { ${'members { nodes { groups { nodes { '.repeat(levels)} name ${'} } } } '.repeat(levels)} } } }`;

const size: readonly Attack[] = [
  {
    says: 'One field is asked for five hundred times by alias.',
    send: asks(`{ ${times(500, (n) => `a${n}: __typename`)} }`),
    ...tooLarge,
  },
  {
    says: 'One list is asked for five hundred times by alias.',
    send: asks(`{ ${times(300, (n) => `a${n}: users { totalCount }`)} }`),
    ...tooLarge,
  },
  {
    says: 'Aliases are one more than allowed.',
    send: asks(`{ viewer { ${times(31, (n) => `a${n}: __typename`)} } }`),
    ...tooLarge,
  },
  {
    says: 'Fields at the root are one more than allowed.',
    send: asks(`{ ${times(21, () => 'viewer { __typename }')} }`),
    ...tooLarge,
  },
  {
    says: 'Twenty-one mutations come in one request.',
    send: asks(`mutation { ${times(21, (n) => `m${n}: createGroup(input: { name: "g${n}" }) { revision }`)} }`),
    ...tooLarge,
  },
  { says: 'Lists are nested as deep as they go.', send: asks(deepGroups(4)), ...tooLarge },
  { says: 'The document has ten thousand tokens.', send: asks(`{ ${times(10_000, () => '__typename')} }`), ...unread },
  {
    says: 'One field is asked for a thousand times, which merges into one.',
    send: asks(`{ viewer { ${times(1_500, () => 'account { id }')} } }`),
    ...unread,
  },
  {
    says: 'A field has a thousand directives.',
    send: asks(`{ viewer { account ${times(1_200, () => '@include(if: true)')} { id } } }`),
    ...unread,
  },
  {
    says: 'A directive stands there twice that may only once.',
    send: asks('{ __typename @include(if: true) @include(if: true) }'),
    ...invalid,
  },
  { says: 'A directive is one that there is not.', send: asks('{ __typename @admin }'), ...invalid },
  {
    says: 'A directive of the schema is written by the client.',
    send: asks('{ viewer @public(reason: "let me in") { account { id } } }'),
    ...invalid,
  },
  { says: 'The answer is asked for in parts.', send: asks('{ ... @defer { viewer { account { id } } } }'), ...invalid },
  { says: 'A list is asked for in parts.', send: asks('{ users { nodes @stream { name } } }'), ...invalid },
  {
    says: 'Two hundred fields have one alias and differ.',
    send: asks(`{ viewer { ${times(200, (n) => `a: ${n % 2 === 0 ? '__typename' : 'actor { id }'}`)} } }`),
    ...invalid,
  },
  {
    says: 'Two hundred variables are not used.',
    send: asks(`query (${times(200, (n) => `$v${n}: Int`)}) { __typename }`),
    ...invalid,
  },
  {
    says: 'A thousand and one questions are asked at once.',
    send: asks('query ($requests: [AccessRequestInput!]!) { checkAccess(requests: $requests) { effect } }', {
      requests: Array.from({ length: 1_001 }, () => ({ action: 'iam:users:getUser' })),
    }),
    status: 200,
    code: 'BAD_USER_INPUT',
    data: { checkAccess: null },
  },
  {
    says: 'A thousand objects are asked for by id.',
    send: asks('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: Array.from({ length: 1_000 }, () => 'a') }),
    status: 200,
    code: 'BAD_USER_INPUT',
    data: { nodes: null },
  },
];

const nesting: readonly Attack[] = [
  {
    says: 'The document is nested ten thousand deep.',
    send: asks('{ a '.repeat(10_000) + '}'.repeat(10_000)),
    ...tooLarge,
  },
  {
    says: 'A list in an argument is nested ten thousand deep.',
    send: asks(`{ node(id: ${'['.repeat(10_000)}${']'.repeat(10_000)}) { id } }`),
    ...tooLarge,
  },
  {
    says: 'A list in an argument is nested as deep as the number of tokens allows.',
    send: asks(`{ node(id: ${'['.repeat(950)}${']'.repeat(950)}) { id } }`),
    ...tooLarge,
  },
  {
    says: 'An object in an argument is nested five hundred deep.',
    send: asks(`{ node(id: ${'{a:'.repeat(500)}1${'}'.repeat(500)}) { id } }`),
    ...tooLarge,
  },
  {
    says: 'A type of a variable is nested five hundred deep.',
    send: asks(`query ($a: ${'['.repeat(500)}ID${']'.repeat(500)}) { __typename }`),
    ...tooLarge,
  },
  {
    says: 'The brackets of a deep document never close.',
    send: asks('{ viewer '.repeat(100_000)),
    ...tooLarge,
  },
  {
    says: 'A deep document comes by GET.',
    send: {
      method: 'GET',
      path: `/graphql?query=${'{a'.repeat(200)}`,
      headers: ['apollo-require-preflight', 'true'],
    },
    ...tooLarge,
  },
  {
    says: 'A deep document comes after a string that hides a bracket.',
    send: asks(`{ node(id: "]]]]]]]]]]]]]]]]]]]]", a: ${'['.repeat(101)}`),
    ...tooLarge,
  },
];

const introspection: readonly Attack[] = [
  {
    says: 'Nobody reads the schema.',
    send: asks('{ __schema { types { name } } }', {}, null),
    status: 400,
    code: 'INTROSPECTION_DISABLED',
  },
  {
    says: 'Nobody reads a type.',
    send: asks('{ __type(name: "User") { fields { name } } }', {}, null),
    status: 400,
    code: 'INTROSPECTION_DISABLED',
  },
  {
    says: 'Nobody reads the schema under another name, through a fragment.',
    send: asks('{ ...F } fragment F on Query { ... { a: __schema { types { name } } } }', {}, null),
    status: 400,
    code: 'INTROSPECTION_DISABLED',
  },
  {
    says: 'Nobody reads the schema beside what is public.',
    send: asks('{ __typename __schema { types { name } } }', {}, null),
    status: 400,
    code: 'INTROSPECTION_DISABLED',
  },
  {
    says: 'The types of types are read in circles.',
    send: asks(
      '{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }',
    ),
    ...invalid,
  },
  {
    says: 'The circle goes through a fragment.',
    send: asks(
      '{ __schema { types { ...T } } } fragment T on __Type { fields { type { ...U } } } fragment U on __Type { fields { type { fields { type { fields { name } } } } } }',
    ),
    ...invalid,
  },
];

const operations: readonly Attack[] = [
  { says: 'The document is empty.', send: asks(''), status: 400, code: 'BAD_REQUEST' },
  { says: 'The document is a comment.', send: asks('# nothing'), ...unread },
  { says: 'The document has a fragment only.', send: asks('fragment F on Query { __typename }'), ...invalid },
  {
    says: 'The document extends the schema.',
    send: asks('extend type Query { admin: Boolean } { __typename }'),
    ...invalid,
  },
  { says: 'The document defines a schema.', send: asks('schema { query: Query } type Query { a: Int }'), ...invalid },
  {
    says: 'The operation is a subscription that the schema does not have.',
    send: asks('subscription { anything }'),
    ...invalid,
  },
  {
    says: 'The operation is a subscription, which is not for HTTP.',
    send: asks('subscription { auditEventRecorded { operation } }'),
    status: 400,
    code: 'BAD_REQUEST',
  },
  { says: 'Two operations have no name.', send: asks('{ __typename } { a: __typename }'), ...invalid },
  { says: 'Two operations have one name.', send: asks('query A { __typename } query A { a: __typename }'), ...invalid },
  {
    says: 'It is not said which of two operations is meant.',
    send: asks('query A { __typename } mutation B { signOut { endedAt } }'),
    status: 400,
    code: 'OPERATION_RESOLUTION_FAILURE',
  },
  { says: 'A string has half a surrogate pair.', send: asks('{ node(id: "\\ud800") { id } }'), ...unread },
  {
    says: 'A string has a character beyond all characters.',
    send: asks('{ node(id: "\\u{110000}") { id } }'),
    ...unread,
  },
  { says: 'A string has a U+0000.', send: asks('{ node(id: "a\\u0000") { id } }'), ...unfit },
  { says: 'A string never ends.', send: asks('{ node(id: "a) { id } }'), ...unread },
  {
    says: 'A number has a zero in front, which some read as octal.',
    send: asks('{ users(first: 010) { totalCount } }'),
    ...unread,
  },
  { says: 'The document has a control character.', send: asks('{ __type\u0007name }'), ...unread },
  {
    says: 'A field has a letter that looks like another.',
    send: asks('{ v\u0456ewer { account { id } } }'),
    ...unread,
  },
];

export const documentAttacks: readonly Attack[] = [
  ...fragments,
  ...size,
  ...nesting,
  ...introspection,
  ...operations,
  ...valueAttacks,
];
