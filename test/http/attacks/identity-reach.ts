/** Attacks by somebody who is who they say: on scopes, ids, cursors and idempotency keys that are not theirs. */
import { randomUUID } from 'node:crypto';
import type { Attack } from './attack.js';
import { type Shot, type Target } from './target.js';

const errors = 'userErrors { code message reference }';

function asks(token: string, query: string, variables: object = {}): Shot {
  return {
    headers: ['content-type', 'application/json', 'authorization', `Bearer ${token}`],
    body: JSON.stringify({ query, variables }),
  };
}

const nodeId = (kind: string, id: string): string => Buffer.from(`${kind}:${id}`).toString('base64url');
const switches =
  (make: (target: Target) => object, who: 'ann' | 'root' = 'ann') =>
  (target: Target) =>
    asks(
      target.tokens[who],
      `mutation ($input: SwitchScopeInput!) { it: switchScope(input: $input) { token ${errors} } }`,
      {
        input: make(target),
      },
    );
const cursorOf = async (target: Target, token: string, list: string): Promise<string> => {
  const { page } = await target.gql<{ page: { pageInfo: { endCursor: string } } }>(
    token,
    `{ page: ${list} { pageInfo { endCursor } } }`,
  );
  return page.pageInfo.endCursor;
};
const users = async (target: Target, after: string | Promise<string>): Promise<Shot> =>
  asks(target.tokens.account, 'query ($after: String) { users(after: $after) { nodes { name } } }', {
    after: await after,
  });
const makesGroup = `mutation ($input: CreateGroupInput!) { it: createGroup(input: $input) { group { name } replayed ${errors} } }`;

const bad = { status: 200, code: 'BAD_USER_INPUT' } as const;
const invalid = { status: 400, code: 'BAD_USER_INPUT' } as const;
const forbidden = { status: 200, code: 'FORBIDDEN' } as const;

const scopes: readonly Attack[] = [
  {
    says: 'A user changes to a workspace that is closed to them.',
    send: switches(({ ids }) => ({ scope: { workspace: ids.closed } })),
    status: 200,
    userError: 'NOT_FOUND',
  },
  {
    says: 'A user changes to a workspace that there is not, which looks the same.',
    send: switches(() => ({ scope: { workspace: 'f'.repeat(32) } })),
    status: 200,
    userError: 'NOT_FOUND',
  },
  {
    says: 'Even root changes to no workspace of another account.',
    send: switches(({ ids }) => ({ scope: { workspace: ids.foreignWorkspace } }), 'root'),
    status: 200,
    userError: 'NOT_FOUND',
  },
  {
    says: 'A user changes to two scopes at once.',
    send: switches(() => ({ scope: { account: true, workspace: '0' } })),
    ...invalid,
  },
  { says: 'A user changes to no scope.', send: switches(() => ({ scope: {} })), ...invalid },
  {
    says: 'A user changes to the account by saying no.',
    send: switches(() => ({ scope: { account: false } })),
    ...bad,
    data: { it: null },
  },
  {
    says: 'A user hands a token to a service of another account.',
    send: switches(({ ids }) => ({ scope: { workspace: '0' }, audience: ids.foreignService })),
    status: 200,
    userError: 'NOT_FOUND',
  },
  {
    says: 'A user hands a token to somebody who is no service.',
    send: switches(({ ids }) => ({ scope: { workspace: '0' }, audience: ids.ann })),
    ...bad,
    data: { it: null },
  },
  {
    says: 'A token that was made for a service makes itself a better one.',
    send: ({ tokens }) => asks(tokens.audience, `mutation { refreshToken { token ${errors} } }`),
    status: 401,
    code: 'UNAUTHENTICATED',
  },
];

const ids: readonly Attack[] = [
  {
    says: 'A user of another account is read by id.',
    send: ({ tokens, ids }) => asks(tokens.account, '{ node(id: "ID") { id } }'.replace('ID', ids.foreignUser)),
    status: 200,
    data: { node: null },
  },
  {
    says: 'Root of another account reads root of this one.',
    send: ({ tokens, rootId }) => asks(tokens.foreign, `{ user(id: "${rootId}") { name } }`),
    status: 200,
    data: { user: null },
  },
  {
    says: 'Root of another account deletes a user of this one.',
    send: ({ tokens, ids }) =>
      asks(tokens.foreign, `mutation { deleteUser(input: { id: "${ids.ann}" }) { ${errors} } }`),
    status: 200,
    userError: 'NOT_FOUND',
  },
  {
    says: 'A user who may nothing deletes another.',
    send: ({ tokens, ids }) => asks(tokens.ann, `mutation { deleteUser(input: { id: "${ids.dora}" }) { ${errors} } }`),
    ...forbidden,
    data: { deleteUser: null },
  },
  {
    says: 'A user gives themselves everything.',
    send: ({ tokens, ids }) =>
      asks(
        tokens.ann,
        `mutation { grantPolicy(input: { policyId: "full_access", subject: { user: "${ids.ann}" }, scope: { all: true } }) { ${errors} } }`,
      ),
    ...forbidden,
    data: { grantPolicy: null },
  },
  {
    says: 'A user makes a key for root.',
    send: ({ tokens, rootId }) =>
      asks(tokens.ann, `mutation { createAccessKey(input: { userId: "${rootId}" }) { secretAccessKey ${errors} } }`),
    ...forbidden,
    data: { createAccessKey: null },
  },
  {
    says: 'The key of another is enabled by its id.',
    send: ({ tokens, userKeyNode }) =>
      asks(
        tokens.foreign,
        `mutation { updateAccessKey(input: { id: "${userKeyNode}", enabled: true }) { ${errors} } }`,
      ),
    status: 200,
    userError: 'NOT_FOUND',
  },
  {
    says: 'The id of a group is given as one of a user.',
    send: ({ tokens, ids }) => asks(tokens.account, `{ user(id: "${ids.engineers}") { name } }`),
    ...bad,
    data: { user: null },
  },
  {
    says: 'An id has a U+0000 inside its encoding.',
    send: ({ tokens }) => asks(tokens.account, `{ user(id: "${nodeId('User', 'a\0')}") { name } }`),
    ...bad,
    data: { user: null },
  },
  {
    says: 'An id names a kind that every object has.',
    send: ({ tokens }) => asks(tokens.account, `{ node(id: "${nodeId('__proto__', 'x')}") { id } }`),
    ...bad,
    data: { node: null },
  },
  {
    says: 'An id is a piece of SQL.',
    send: ({ tokens }) => asks(tokens.account, `{ user(id: "' OR '1'='1") { name } }`),
    status: 200,
    data: { user: null },
  },
  {
    says: 'An id is ten thousand letters long.',
    send: ({ tokens }) => asks(tokens.account, `{ user(id: "${'a'.repeat(10_000)}") { name } }`),
    ...bad,
    data: { user: null },
  },
  {
    says: 'Somebody checks for root what they may not ask.',
    send: ({ tokens, rootId }) =>
      asks(
        tokens.ann,
        `{ checkAccess(requests: [{ principal: { user: "${rootId}" }, action: "iam:users:getUser" }]) { effect } }`,
      ),
    ...forbidden,
    data: { checkAccess: null },
  },
  {
    says: 'A question claims what only the server knows.',
    send: ({ tokens }) =>
      asks(
        tokens.ann,
        '{ checkAccess(requests: [{ action: "iam:users:getUser", context: [{ key: "g:MFAPresent", values: ["true"] }] }]) { effect } }',
      ),
    ...bad,
    data: { checkAccess: null },
  },
];

const cursors: readonly Attack[] = (
  [
    ['A cursor is made up.', (target) => users(target, Buffer.from('["ann","1"]').toString('base64url'))],
    ['A cursor is empty.', (target) => users(target, '')],
    [
      'A cursor is of another list.',
      (target) =>
        users(
          target,
          cursorOf(
            target,
            target.tokens.account,
            'workspaces(first: 1, orderBy: {field: CREATED_AT, direction: DESC})',
          ),
        ),
    ],
    [
      'A cursor is of another order.',
      (target) =>
        users(
          target,
          cursorOf(target, target.tokens.account, 'users(first: 1, orderBy: {field: CREATED_AT, direction: ASC})'),
        ),
    ],
    [
      'A letter of a cursor is changed.',
      async (target) => {
        const cursor = await cursorOf(target, target.tokens.account, 'users(first: 1)');
        const at = Math.floor(cursor.length / 2);
        return users(target, cursor.slice(0, at) + (cursor[at] === 'A' ? 'B' : 'A') + cursor.slice(at + 1));
      },
    ],
    [
      'A cursor is of another account.',
      (target) => users(target, cursorOf(target, target.tokens.foreign, 'users(first: 1)')),
    ],
    ['A cursor is three thousand letters long.', (target) => users(target, 'A'.repeat(3_000))],
  ] as const satisfies readonly (readonly [string, (target: Target) => Promise<Shot>])[]
).map(([says, send]) => ({
  says,
  send,
  ...bad,
  data: { users: null },
}));

const once = randomUUID();
const idempotency: readonly Attack[] = [
  {
    says: 'An idempotency key is used again for something else.',
    send: async (target) => {
      await target.gql(target.tokens.account, makesGroup, { input: { name: 'first', idempotencyKey: once } });
      return asks(target.tokens.account, makesGroup, { input: { name: 'second', idempotencyKey: once } });
    },
    status: 200,
    userError: 'IDEMPOTENCY_KEY_REUSED',
  },
  {
    says: 'Somebody without the right repeats another’s creation by its key.',
    send: ({ tokens }) => asks(tokens.ann, makesGroup, { input: { name: 'first', idempotencyKey: once } }),
    ...forbidden,
    data: { it: null },
  },
  {
    says: 'A secret is asked for once more by repeating what made it.',
    send: async (target) => {
      const make = `mutation ($input: CreateAccessKeyInput!) { it: createAccessKey(input: $input) { replayed secretAccessKey ${errors} } }`;
      const input = { userId: target.ids.ann, idempotencyKey: randomUUID() };
      await target.gql(target.tokens.account, make, { input });
      return asks(target.tokens.account, make, { input });
    },
    status: 200,
    data: { it: { replayed: true, secretAccessKey: null, userErrors: [] } },
  },
];

export const reachAttacks: readonly Attack[] = [...scopes, ...ids, ...cursors, ...idempotency];
