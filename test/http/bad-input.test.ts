/**
 * Bad input of every kind gets its exact error with its reference, and changes nothing: each row is sent to a real
 * server, and the account's revision stands where it stood.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { exchange, type Answer } from '../kit/exchange.js';
import { databaseNames, startHouse, type TestHouse } from '../kit/house.js';
import { setScene } from '../kit/scene.js';

interface Row {
  readonly says: string;
  readonly send: { readonly query: string; readonly variables?: object } | string;
  readonly status?: number;
  /** A top-level code, or the userError with its reference. */
  readonly expects:
    | { readonly code: string; readonly message?: RegExp }
    | { readonly userError: string; readonly reference: string | null };
}

const allow = (action: string, more: object = {}) => ({ Effect: 'Allow', Action: [action], ...more });
const policy = (document: unknown) => ({
  query:
    'mutation Make($input: CreatePolicyInput!) { it: createPolicy(input: $input) { userErrors { code reference message } } }',
  variables: { input: { name: 'a policy', document } },
});
const version = (...Statement: unknown[]) => ({ Version: '1.1', Statement });
const user = (input: object) => ({
  query:
    'mutation Make($input: CreateUserInput!) { it: createUser(input: $input) { userErrors { code reference message } } }',
  variables: { input },
});
const workspace = (input: object) => ({
  query:
    'mutation Make($input: CreateWorkspaceInput!) { it: createWorkspace(input: $input) { userErrors { code reference message } } }',
  variables: { input },
});
const ask = (action: string, more: object = {}) => ({
  query: 'query Ask($requests: [AccessRequestInput!]!) { checkAccess(requests: $requests) { reason } }',
  variables: { requests: [{ action, ...more }] },
});

const rows: readonly Row[] = [
  { says: 'a body that is not JSON', send: '{"query":', status: 400, expects: { code: 'BAD_REQUEST' } },
  {
    says: 'a body with the same key twice',
    send: '{"query":"{ __typename }","query":"{ viewer { __typename } }"}',
    status: 400,
    expects: { code: 'BAD_REQUEST' },
  },
  {
    says: 'a document that is not GraphQL',
    send: { query: '{ viewer {' },
    status: 400,
    expects: { code: 'GRAPHQL_PARSE_FAILED' },
  },
  {
    says: 'a field that does not exist',
    send: { query: '{ nothing }' },
    status: 400,
    expects: { code: 'GRAPHQL_VALIDATION_FAILED' },
  },
  {
    says: 'a page of 101',
    send: { query: '{ users(first: 101) { totalCount } }' },
    expects: { code: 'BAD_USER_INPUT', message: /between 1 and 100/ },
  },
  {
    says: 'a page of none',
    send: { query: '{ users(first: 0) { totalCount } }' },
    expects: { code: 'BAD_USER_INPUT' },
  },
  {
    says: 'a page from both ends',
    send: { query: '{ users(first: 1, last: 1) { totalCount } }' },
    expects: { code: 'BAD_USER_INPUT' },
  },
  {
    says: 'a cursor that is none',
    send: { query: '{ users(after: "AAAA") { totalCount } }' },
    expects: { code: 'BAD_USER_INPUT', message: /cursor/ },
  },
  {
    says: 'a cursor of another order',
    send: { query: '{ users(after: "AVsiQ1JFQVRFRF9BVCIsIkFTQyIsMSwieCJd") { totalCount } }' },
    expects: { code: 'BAD_USER_INPUT', message: /cursor/ },
  },
  {
    says: 'the id of another kind',
    send: { query: `{ user(id: "${Buffer.from('Group:1').toString('base64url')}") { name } }` },
    expects: { code: 'BAD_USER_INPUT', message: /Group/ },
  },
  {
    says: 'a number where there is none so large',
    send: { query: '{ users(first: 99999999999) { totalCount } }' },
    status: 400,
    expects: { code: 'GRAPHQL_VALIDATION_FAILED' },
  },
  { says: 'text with U+0000', send: user({ name: 'nul\u0000' }), expects: { code: 'BAD_USER_INPUT' }, status: 400 },
  {
    says: 'text with half a character',
    send: user({ name: 'half\ud800' }),
    expects: { code: 'BAD_USER_INPUT' },
    status: 400,
  },
  {
    says: 'a user name that begins with a digit and a blank',
    send: user({ name: ' x' }),
    expects: { userError: 'INVALID', reference: 'IAM.0007' },
  },
  {
    says: 'a user name of 65 characters',
    send: user({ name: 'x'.repeat(65) }),
    expects: { userError: 'INVALID', reference: 'IAM.0007' },
  },
  {
    says: 'a user name that is taken, in other letter case',
    send: user({ name: 'ADMIN' }),
    expects: { userError: 'NAME_TAKEN', reference: 'IAM.1109' },
  },
  {
    says: 'a password that is too short',
    send: user({ name: 'short', password: 'Ab1' }),
    expects: { userError: 'WEAK_PASSWORD', reference: 'IAM.1118' },
  },
  {
    says: 'a password that is the user name backwards',
    send: user({ name: 'backwards1', password: '1sdrawkcab' }),
    expects: { userError: 'WEAK_PASSWORD', reference: 'IAM.1118' },
  },
  {
    says: 'a group that does not exist',
    send: user({ name: 'lost', groupIds: ['f'.repeat(32)] }),
    expects: { userError: 'NOT_FOUND', reference: 'IAM.0004' },
  },
  {
    says: 'the reserved workspace name',
    send: workspace({ name: 'Default' }),
    expects: { userError: 'RESERVED', reference: 'ModelArts.0107' },
  },
  {
    says: 'a workspace name of three characters',
    send: workspace({ name: 'abc' }),
    expects: { userError: 'INVALID', reference: 'ModelArts.0107' },
  },
  {
    says: 'the default workspace, changed',
    send: {
      query:
        'mutation { it: updateWorkspace(input: { id: "0", name: "mine" }) { userErrors { code reference message } } }',
    },
    expects: { userError: 'IMMUTABLE', reference: 'ModelArts.3566' },
  },
  {
    says: 'the root user, deleted',
    send: {
      query: 'mutation D($id: ID!) { it: deleteUser(input: { id: $id }) { userErrors { code reference message } } }',
      variables: { id: 'ROOT' },
    },
    expects: { userError: 'IMMUTABLE', reference: 'IAM.1107' },
  },
  {
    says: 'a document that is not JSON',
    send: policy('{"Version":"1.1",'),
    expects: { userError: 'POLICY_DOCUMENT', reference: 'JSON_SYNTAX' },
  },
  {
    says: 'a document with the same key twice',
    send: policy('{"Version":"1.1","Version":"1.1","Statement":[]}'),
    expects: { userError: 'POLICY_DOCUMENT', reference: 'DUPLICATE_KEY' },
  },
  {
    says: 'a document of 7 KB',
    send: policy(JSON.stringify(version(allow('modelarts:notebook:get'))) + ' '.repeat(7000)),
    expects: { userError: 'POLICY_DOCUMENT', reference: 'IAM.1021' },
  },
  {
    says: 'a ninth statement',
    send: policy(version(...Array.from({ length: 9 }, () => allow('modelarts:notebook:get')))),
    expects: { userError: 'POLICY_DOCUMENT', reference: 'IAM.1028' },
  },
  {
    says: 'a hundred and first action',
    send: policy(version({ Effect: 'Allow', Action: Array.from({ length: 101 }, () => 'modelarts:notebook:get') })),
    expects: { userError: 'POLICY_DOCUMENT', reference: 'IAM.1033' },
  },
  {
    says: 'an action that no service has registered',
    send: policy(version(allow('modelarts:notebok:get'))),
    expects: { userError: 'POLICY_DOCUMENT', reference: 'IAM.1036' },
  },
  {
    says: 'an operator that nobody knows',
    send: policy(version(allow('modelarts:notebook:get', { Condition: { StringSounds: { 'g:UserName': ['x'] } } }))),
    expects: { userError: 'POLICY_DOCUMENT', reference: 'UNKNOWN_OPERATOR' },
  },
  {
    says: 'version 5.0',
    send: policy({ ...version(allow('modelarts:notebook:get')), Version: '5.0' }),
    expects: { userError: 'POLICY_DOCUMENT', reference: 'IAM.1024' },
  },
  {
    says: 'account-level and project-level services in one document',
    send: policy(version(allow('modelarts:notebook:get'), allow('iam:users:getUser'))),
    expects: { userError: 'POLICY_DOCUMENT', reference: 'MIXED_SCOPE' },
  },
  {
    says: 'a member __proto__ in a document',
    send: policy(
      '{"Version":"1.1","__proto__":{},"Statement":[{"Effect":"Allow","Action":["modelarts:notebook:get"]}]}',
    ),
    expects: { userError: 'POLICY_DOCUMENT', reference: 'UNKNOWN_FIELD' },
  },
  {
    says: 'a context key that only the server knows',
    send: ask('modelarts:notebook:get', { context: [{ key: 'g:UserName', values: ['root'] }] }),
    expects: { code: 'BAD_USER_INPUT', message: /filled in by the server/ },
  },
  {
    says: 'a context key that only services set',
    send: ask('modelarts:notebook:get', { context: [{ key: 'g:SourceIp', values: ['10.0.0.1'] }] }),
    expects: { code: 'BAD_USER_INPUT', message: /services only/ },
  },
  {
    says: 'a thousand and one requests',
    send: {
      query: ask('x').query,
      variables: { requests: Array.from({ length: 1001 }, () => ({ action: 'modelarts:notebook:get' })) },
    },
    expects: { code: 'BAD_USER_INPUT', message: /1001/ },
  },
  {
    says: 'two subjects of one grant',
    send: {
      query:
        'mutation { grantPolicy(input: { policyId: "full_access", subject: { user: "a", group: "b" }, scope: { all: true } }) { userErrors { code } } }',
    },
    status: 400,
    expects: { code: 'GRAPHQL_VALIDATION_FAILED' },
  },
];

describe.each(databaseNames)('bad input on %s', (database) => {
  let house: TestHouse;
  let token: string;
  let accountId: string;
  let rootId: string;
  beforeAll(async () => {
    house = await startHouse({ database });
    ({ token } = await setScene(house));
    const account = await house.iam.store.access.accountByName('default');
    accountId = account?.id ?? '';
    rootId = account?.rootUserId ?? '';
  });

  it.each(rows)('$says', async ({ send, status = 200, expects }) => {
    const body = (typeof send === 'string' ? send : JSON.stringify(send)).replace('"ROOT"', `"${rootId}"`);
    const before = (await house.iam.store.access.account(accountId))?.revision;
    const answer: Answer = await exchange(house.url, {
      headers: ['content-type', 'application/json', 'authorization', `Bearer ${token}`],
      body,
    });
    expect({ status: answer.status, text: answer.text.slice(0, 300) }).toMatchObject({ status });
    if ('code' in expects) {
      expect(answer.errors[0]?.extensions.code).toBe(expects.code);
      if (expects.message !== undefined) expect(answer.errors[0]?.message).toMatch(expects.message);
    } else {
      const payload = answer.data?.['it'] as { userErrors: { code: string; reference: string | null }[] };
      expect(payload.userErrors[0]).toMatchObject({ code: expects.userError, reference: expects.reference });
    }
    expect((await house.iam.store.access.account(accountId))?.revision).toBe(before);
  });

  it('members called __proto__ are members like any other, and change nothing', async () => {
    const answer = await exchange(house.url, {
      headers: ['content-type', 'application/json', 'authorization', `Bearer ${token}`],
      body: '{"query":"query Page($first: Int) { users(first: $first) { nodes { name } } }","variables":{"__proto__":{"first":101}},"__proto__":{"query":"{ nothing }"}}',
    });
    expect(answer.errors).toEqual([]);
    expect(answer.data).toEqual({ users: { nodes: [{ name: 'admin' }] } });
    expect(({} as Record<string, unknown>)['first']).toBeUndefined();
  });
});

describe('guessing in bulk', () => {
  it('signs in once in a request, whatever aliases or fragments say', async () => {
    const house = await startHouse();
    const attempt = 'signIn(input: { account: "default", userName: "admin", password: "guess" }) { token }';
    for (const query of [
      `mutation { a: ${attempt} b: ${attempt} }`,
      `mutation { ...F a: ${attempt} } fragment F on Mutation { b: ${attempt} }`,
    ]) {
      const answer = await exchange(house.url, {
        headers: ['content-type', 'application/json'],
        body: JSON.stringify({ query }),
      });
      expect(answer.status).toBe(400);
      expect(answer.errors[0]?.extensions).toMatchObject({ code: 'OPERATION_TOO_LARGE', limit: 1 });
    }
  });
});
