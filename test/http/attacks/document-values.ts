/** Attacks by values: numbers, texts, members and documents inside of documents. */
import { asks, invalid, json, unfit, written } from './asking.js';
import type { Attack } from './attack.js';

const page = 'query ($first: Int) { users(first: $first) { totalCount } }';
const refusedPage = { status: 200, code: 'BAD_USER_INPUT', data: { users: null } } as const;

/** What every object of JavaScript has, so that the executor takes it for a variable that was given. */
const inherited: readonly Attack[] = ['constructor', 'toString', 'hasOwnProperty', '__proto__'].flatMap((name) => [
  {
    says: `A page is as long as the variable \`${name}\`, which is not given.`,
    send: asks(`query ($${name}: Int = 100) { users(first: $${name}) { nodes { id } } }`),
    ...unfit,
  },
  {
    says: `A filter is filled from the variable \`${name}\`, which is not given.`,
    send: asks(`query ($${name}: String) { users(filter: { nameContains: $${name} }) { totalCount } }`),
    ...unfit,
  },
]);

const numbers: readonly Attack[] = [
  { says: 'A page has minus one rows.', send: asks('{ users(first: -1) { totalCount } }'), ...refusedPage },
  { says: 'A page has no rows.', send: asks('{ users(first: 0) { totalCount } }'), ...refusedPage },
  { says: 'A page has minus nothing rows.', send: written(page, '{"first":-0}'), ...refusedPage },
  { says: 'A page has one row too many.', send: asks('{ users(first: 101) { totalCount } }'), ...refusedPage },
  {
    says: 'A page from the end has one row too many.',
    send: asks('{ users(last: 101) { totalCount } }'),
    ...refusedPage,
  },
  { says: 'A page from the end has minus one rows.', send: asks('{ users(last: -1) { totalCount } }'), ...refusedPage },
  { says: 'A page is from both ends.', send: asks('{ users(first: 1, last: 1) { totalCount } }'), ...refusedPage },
  {
    says: 'A page has the smallest number of rows that there is.',
    send: asks(page, { first: -2_147_483_648 }),
    ...refusedPage,
  },
  { says: 'A page has more rows than fit 32 bits.', send: asks(page, { first: 2_147_483_648 }), ...unfit },
  { says: 'A page has more rows than fit 64 bits.', send: written(page, '{"first":18446744073709551616}'), ...unfit },
  { says: 'A page has infinitely many rows.', send: written(page, '{"first":1e400}'), ...unfit },
  { says: 'A page has a thousand digits of rows.', send: written(page, `{"first":${'9'.repeat(1_000)}}`), ...unfit },
  { says: 'A page has one and a half rows.', send: asks(page, { first: 1.5 }), ...unfit },
  { says: 'A page has almost one row.', send: written(page, '{"first":0.9999999999}'), ...unfit },
  { says: 'A page has a text of rows.', send: asks(page, { first: '1' }), ...unfit },
  { says: 'A page has a list of rows.', send: asks(page, { first: [1] }), ...unfit },
  { says: 'A page has true rows.', send: asks(page, { first: true }), ...unfit },
  { says: 'A page has an object of rows.', send: asks(page, { first: { valueOf: 1 } }), ...unfit },
  {
    says: 'A number in the document does not fit.',
    send: asks('{ users(first: 99999999999) { totalCount } }'),
    ...invalid,
  },
  { says: 'A number in the document has a fraction.', send: asks('{ users(first: 1.0) { totalCount } }'), ...invalid },
];

const makesGroup =
  'mutation ($input: CreateGroupInput!) { it: createGroup(input: $input) { userErrors { code message } } }';
const makesPolicy =
  'mutation ($input: CreatePolicyInput!) { it: createPolicy(input: $input) { userErrors { code message } } }';
const grants =
  'mutation ($input: GrantPolicyInput!) { it: grantPolicy(input: $input) { userErrors { code message } } }';
const policyOf = (document: unknown): object => ({ input: { name: 'a policy', document } });

const values: readonly Attack[] = [
  { says: 'A variable has a U+0000.', send: asks(makesGroup, { input: { name: 'a\0b' } }), ...unfit },
  {
    says: 'A variable has half a surrogate pair.',
    send: written(makesGroup, '{"input":{"name":"a\\udc00"}}'),
    ...unfit,
  },
  { says: 'A variable that nobody uses has a U+0000.', send: asks('{ __typename }', { unused: ['a\0'] }), ...unfit },
  {
    says: 'A name is a hundred thousand letters long.',
    send: asks(makesGroup, { input: { name: 'a'.repeat(100_000) } }),
    status: 200,
    userError: 'INVALID',
  },
  {
    says: 'A name has lines that would forge others in a log.',
    send: asks(makesGroup, { input: { name: 'a\n{"level":60,"msg":"forged"}' } }),
    status: 200,
    userError: 'INVALID',
  },
  {
    says: 'A name turns the direction of reading round.',
    send: asks(makesGroup, { input: { name: 'a\u202eb' } }),
    status: 200,
    userError: 'INVALID',
  },
  {
    says: 'An input has a member that there is not.',
    send: asks(makesGroup, { input: { name: 'a', id: '1' } }),
    ...unfit,
  },
  {
    says: 'An input has a member of the prototype.',
    send: written(makesGroup, '{"input":{"name":"a","__proto__":{"admin":true}}}'),
    ...unfit,
  },
  {
    says: 'An input has a constructor.',
    send: written(makesGroup, '{"input":{"name":"a","constructor":{"prototype":{}}}}'),
    ...unfit,
  },
  {
    says: 'Variables come from the prototype.',
    send: written(makesGroup, '{"__proto__":{"input":{"name":"a"}}}'),
    ...unfit,
  },
  {
    says: 'A choice of one has two.',
    send: asks(grants, {
      input: { policyId: 'full_access', subject: { user: 'a', group: 'b' }, scope: { all: true } },
    }),
    ...unfit,
  },
  {
    says: 'A choice of one has none.',
    send: asks(grants, { input: { policyId: 'full_access', subject: {}, scope: { all: true } } }),
    ...unfit,
  },
  {
    says: 'A choice of one has null.',
    send: asks(grants, { input: { policyId: 'full_access', subject: { user: null }, scope: { all: true } } }),
    ...unfit,
  },
  {
    says: 'A choice of one has two in the document.',
    send: asks(
      'mutation { grantPolicy(input: { policyId: "a", subject: { user: "a", group: "b" }, scope: { all: true } }) { revision } }',
    ),
    ...invalid,
  },
  {
    says: 'A time is beyond the end of time.',
    send: asks(grants, {
      input: {
        policyId: 'full_access',
        subject: { user: 'a' },
        scope: { all: true },
        expiresAt: '275760-09-13T00:00:00.001Z',
      },
    }),
    ...unfit,
  },
  {
    says: 'A time is the thirtieth of February.',
    send: asks(grants, {
      input: {
        policyId: 'full_access',
        subject: { user: 'a' },
        scope: { all: true },
        expiresAt: '2030-02-30T00:00:00Z',
      },
    }),
    ...unfit,
  },
  {
    says: 'A choice of words is given as another word.',
    send: asks('mutation ($input: SetAuthorizationModeInput!) { setAuthorizationMode(input: $input) { revision } }', {
      input: { mode: 'OPEN' },
    }),
    ...unfit,
  },
  {
    says: 'A document of a policy is a number beyond all numbers.',
    send: written(makesPolicy, '{"input":{"name":"a policy","document":1e400}}'),
    status: 200,
    userError: 'POLICY_DOCUMENT',
  },
  {
    says: 'A document of a policy is a list.',
    send: asks(makesPolicy, policyOf([])),
    status: 200,
    userError: 'POLICY_DOCUMENT',
  },
  {
    says: 'A document of a policy has a name twice, so that its Deny is read by nobody.',
    send: asks(
      makesPolicy,
      policyOf('{"Version":"1.1","Statement":[{"Effect":"Deny","Effect":"Allow","Action":["iam:users:getUser"]}]}'),
    ),
    status: 200,
    userError: 'POLICY_DOCUMENT',
  },
  {
    says: 'A document of a policy is nested fifty deep.',
    send: asks(makesPolicy, policyOf(JSON.parse(`${'['.repeat(50)}${']'.repeat(50)}`))),
    status: 200,
    userError: 'POLICY_DOCUMENT',
  },
  {
    says: 'A document of a policy as text is nested ten thousand deep.',
    send: asks(makesPolicy, policyOf(`${'['.repeat(10_000)}${']'.repeat(10_000)}`)),
    status: 200,
    userError: 'POLICY_DOCUMENT',
  },
  {
    says: 'A pattern has so many wildcards that trying them all takes for ever.',
    send: asks('query ($input: SimulateAccessInput!) { simulateAccess(input: $input) { effect } }', {
      input: {
        policies: [
          {
            Version: '1.1',
            Statement: [{ Effect: 'Allow', Action: ['iam:users:*'], Resource: [`iam:*:*:user:${'*a'.repeat(40)}b`] }],
          },
        ],
        requests: [{ action: 'iam:users:getUser', resource: `iam::x:user:${'a'.repeat(400)}` }],
      },
    }),
    status: 200,
    data: { simulateAccess: [{ effect: 'DENY' }] },
  },
  {
    says: 'A document of the hash only asks for what somebody else may have sent.',
    send: ({ tokens }) => ({
      headers: [...json, 'authorization', `Bearer ${tokens.root}`],
      body: `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"${'a'.repeat(64)}"}}}`,
    }),
    // 200 because clients of that protocol look for the code in an answer, not for a status.
    status: 200,
    code: 'PERSISTED_QUERY_NOT_SUPPORTED',
  },
  {
    says: 'A document is planted under the hash of another.',
    send: ({ tokens }) => ({
      headers: [...json, 'authorization', `Bearer ${tokens.root}`],
      body: `{"query":"{ __typename }","extensions":{"persistedQuery":{"version":1,"sha256Hash":"${'a'.repeat(64)}"}}}`,
    }),
    status: 200,
    code: 'PERSISTED_QUERY_NOT_SUPPORTED',
  },
];

export const valueAttacks: readonly Attack[] = [...numbers, ...inherited, ...values];
