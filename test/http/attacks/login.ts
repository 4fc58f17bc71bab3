/** Attacks on signing in: guessing in bulk, learning who exists, and getting round what slows a guesser down. */
import type { Attack } from './attack.js';
import { plain, type Reply, type Shot, type Target } from './target.js';

const json = ['content-type', 'application/json'];
const signIn =
  'mutation ($input: SignInInput!) { signIn(input: $input) { token userErrors { code message path reference } } }';

type Input = Readonly<Record<string, unknown>>;

/** Every attempt of these lines has the same request id, so that answers can be compared byte by byte. */
const traced = [...json, 'x-request-id', 'attempt'];

const attempt = (input: Input, headers: readonly string[] = traced): Shot => ({
  headers,
  body: JSON.stringify({ query: signIn, variables: { input } }),
});
const asAdmin = (more: Input = {}): Input => ({
  account: 'default',
  userName: 'admin',
  password: 'a wrong one',
  ...more,
});
const asks = (query: string, token: string | null = null): Shot => ({
  headers: [...json, ...(token === null ? [] : ['authorization', `Bearer ${token}`])],
  body: JSON.stringify({ query }),
});
const guess = (password: string): string =>
  `signIn(input: { account: "default", userName: "admin", password: "${password}" }) { token userErrors { code } }`;

const wrong =
  '{"data":{"signIn":{"token":null,"userErrors":[{"code":"CREDENTIALS_INVALID","message":"account, user name or password is wrong; try again","path":null,"reference":"IAM.0062"}]}}}\n';

/** The one answer there is to an attempt that fails: its bytes, and the headers of one at a user who is not there. */
async function expectNothingLearned({ text, headers }: Reply, target: Target): Promise<void> {
  if (text !== wrong) throw new Error(`the answer is another: ${text}`);
  const stranger = await target.shoot(attempt(asAdmin({ userName: 'nobody' })));
  const shown = (of: Reply['headers']): string => JSON.stringify({ ...of, date: null });
  if (shown(headers) !== shown(stranger.headers)) throw new Error(`the headers are others: ${shown(headers)}`);
}

const enumeration: readonly Attack[] = (
  [
    ['The password of a user is wrong.', asAdmin()],
    ['There is no such user.', asAdmin({ userName: 'nobody' })],
    ['There is no such account.', asAdmin({ account: 'nowhere' })],
    ['The user is one of another account.', asAdmin({ userName: 'eve' })],
    ['The user is disabled.', asAdmin({ userName: 'dora' })],
    ['The user is locked.', asAdmin({ userName: 'lola' })],
    ['The user has a second factor, and the password is wrong.', asAdmin({ userName: 'mia' })],
    [
      'The user has a second factor, and a code comes with the wrong password.',
      asAdmin({ userName: 'mia', totp: '000000' }),
    ],
    ['There is no such user, and a code comes along.', asAdmin({ userName: 'nobody', totp: '000000' })],
    ['The password is empty.', asAdmin({ password: '' })],
    ['The password is ten thousand letters long.', asAdmin({ password: 'a'.repeat(10_000) })],
    ['The user name is empty.', asAdmin({ userName: '' })],
    ['The user name is ten thousand letters long.', asAdmin({ userName: 'a'.repeat(10_000) })],
    ['The user name is a pattern.', asAdmin({ userName: '%' })],
    ['The user name is a pattern of a directory.', asAdmin({ userName: '*)(uid=*' })],
    ['The user name is a piece of SQL.', asAdmin({ userName: "admin' OR '1'='1' --" })],
    ['The password is a piece of SQL.', asAdmin({ password: "' OR '1'='1" })],
    ['The account is a piece of SQL.', asAdmin({ account: "default'; DROP TABLE users; --" })],
    ['The user name has a blank behind it.', asAdmin({ userName: 'admin ' })],
    ['The user name has a Cyrillic letter that looks like another.', asAdmin({ userName: '\u0430dmin' })],
    [
      'The user name is in full width, which folding makes the usual one.',
      asAdmin({ userName: '\uff41\uff44\uff4d\uff49\uff4e' }),
    ],
    ['The user name is a member of every object.', asAdmin({ userName: '__proto__' })],
    ['The user is named by id.', (target: Target) => asAdmin({ userName: target.rootId })],
    [
      'The password is right but for the case of a letter.',
      (target: Target) => asAdmin({ password: target.passwords.admin.toLowerCase() }),
    ],
    [
      'The password is right but for a blank behind it.',
      (target: Target) => asAdmin({ password: `${target.passwords.admin} ` }),
    ],
    ['The password is another user’s.', (target: Target) => asAdmin({ password: target.passwords.ann })],
  ] as const satisfies readonly (readonly [string, Input | ((target: Target) => Input)])[]
).map(([says, input]) => ({
  says,
  send: (target: Target) => attempt(typeof input === 'function' ? input(target) : input),
  status: 200,
  userError: 'CREDENTIALS_INVALID',
  counted: true,
  also: async (reply, target) => {
    await expectNothingLearned(reply, target);
    // Or the lines below this one would be those of a locked user.
    await target.gql(null, signIn, { input: asAdmin({ password: target.passwords.admin }) });
  },
}));

const tooMany = { status: 400, code: 'OPERATION_TOO_LARGE' } as const;

const bulk: readonly Attack[] = [
  {
    says: 'One request tries two passwords by alias.',
    send: asks(`mutation { a: ${guess('a')} b: ${guess('b')} }`),
    ...tooMany,
  },
  {
    says: 'One request tries twenty passwords by alias.',
    send: asks(`mutation { ${Array.from({ length: 20 }, (_, index) => `a${index}: ${guess('a')}`).join(' ')} }`),
    ...tooMany,
  },
  {
    says: 'The second attempt hides in a fragment.',
    send: asks(`mutation { ...F a: ${guess('a')} } fragment F on Mutation { b: ${guess('b')} }`),
    ...tooMany,
  },
  {
    says: 'The second attempt hides in a fragment inside a fragment.',
    send: asks(`mutation { a: ${guess('a')} ... { ... on Mutation { b: ${guess('b')} } } }`),
    ...tooMany,
  },
  {
    says: 'The second attempt has a directive, which a counter could take for one that switches it off.',
    send: asks(`mutation { a: ${guess('a')} b: ${guess('b').replace('{ token', '@skip(if: false) { token')} }`),
    ...tooMany,
  },
  {
    says: 'A fragment with one attempt is spread twice under other names.',
    send: asks(
      `mutation { a: ${guess('a')} ...F ...G } fragment F on Mutation { b: ${guess('b')} } fragment G on Mutation { c: ${guess('c')} }`,
    ),
    ...tooMany,
  },
  {
    says: 'Two attempts come as a batch.',
    send: {
      headers: json,
      body: JSON.stringify([{ query: `mutation { ${guess('a')} }` }, { query: `mutation { ${guess('b')} }` }]),
    },
    status: 400,
    code: 'BAD_REQUEST',
  },
  {
    says: 'Two attempts come under two names, of which one is asked for.',
    send: {
      headers: json,
      body: JSON.stringify({
        query: `mutation A { ${guess('a')} } mutation B { ${guess('b')} }`,
        operationName: ['A', 'B'],
      }),
    },
    status: 400,
    code: 'BAD_REQUEST',
  },
  {
    says: 'Passwords come as a list for one input.',
    send: attempt(asAdmin({ password: ['a', 'b'] })),
    status: 400,
    code: 'BAD_USER_INPUT',
  },
  {
    says: 'The attempt comes by GET, which some counters do not count.',
    send: {
      method: 'GET',
      path: `/graphql?query=${encodeURIComponent(`mutation { ${guess('a')} }`)}`,
      headers: ['apollo-require-preflight', 'true'],
    },
    status: 405,
    code: 'BAD_REQUEST',
  },
];

const inputs: readonly Attack[] = (
  [
    ['The password is an operator of a document database.', { password: { $ne: null } }],
    ['The password is a number.', { password: 0 }],
    ['The password is true.', { password: true }],
    ['The password is null.', { password: null }],
    ['The user name has a U+0000, behind which another reader stops.', { userName: 'admin\0' }],
    ['The account has half a surrogate pair.', { account: 'default\ud800' }],
    ['The input has a member that makes it root.', { root: true }],
    ['The scope is both account and workspace.', { scope: { account: true, workspace: '0' } }],
    ['The code is a list.', { totp: ['000000'] }],
  ] as const satisfies readonly (readonly [string, Input])[]
).map(([says, more]) => ({
  says,
  send: attempt(asAdmin(more)),
  status: 400,
  code: 'BAD_USER_INPUT',
}));

const passed: readonly Attack[] = [
  {
    says: 'The password is missing, and the prototype has one.',
    send: {
      headers: json,
      body: JSON.stringify({ query: signIn, variables: { input: {} } }).replace(
        '"input":{}',
        '"input":{"account":"default","userName":"admin","__proto__":{"password":"x"}}',
      ),
    },
    status: 400,
    code: 'BAD_USER_INPUT',
  },
  {
    says: 'A second factor is left out, though the password is right.',
    send: attempt({ account: 'default', userName: 'mia', password: 'Password of mia 1' }),
    status: 200,
    userError: 'SECOND_FACTOR_REQUIRED',
  },
  {
    says: 'The code of a second factor is guessed.',
    send: attempt({ account: 'default', userName: 'mia', password: 'Password of mia 1', totp: 'abcdef' }),
    status: 200,
    userError: 'CREDENTIALS_INVALID',
    counted: true,
  },
  {
    says: 'A locked user has the right password, and comes from elsewhere by a header.',
    send: attempt({ account: 'default', userName: 'lola', password: 'Password of lola 1' }, [
      ...json,
      'x-forwarded-for',
      '203.0.113.7',
    ]),
    status: 200,
    userError: 'LOCKED',
  },
  {
    says: 'A disabled user has the right password.',
    send: attempt({ account: 'default', userName: 'dora', password: 'Password of dora 1' }),
    status: 200,
    userError: 'CREDENTIALS_INVALID',
    message: /disabled/,
  },
  {
    says: 'A user signs in to a workspace that is closed to them.',
    send: ({ passwords, ids }) =>
      attempt({ account: 'default', userName: 'ann', password: passwords.ann, scope: { workspace: ids.closed } }),
    status: 200,
    userError: 'NOT_FOUND',
    counted: true,
  },
  {
    says: 'A user signs in to a workspace of another account.',
    send: ({ passwords, ids }) =>
      attempt({
        account: 'default',
        userName: 'ann',
        password: passwords.ann,
        scope: { workspace: plain(ids.foreignWorkspace) },
      }),
    status: 200,
    userError: 'NOT_FOUND',
    counted: true,
  },
  {
    says: 'A broken token comes with the right password.',
    send: ({ passwords }) =>
      attempt(asAdmin({ password: passwords.admin }), [...json, 'authorization', 'Bearer a.b.c']),
    status: 401,
    code: 'UNAUTHENTICATED',
  },
];

const refusals: readonly Attack[] = [
  {
    says: 'Nobody changes a password.',
    send: asks(
      'mutation { changePassword(input: { currentPassword: "a", newPassword: "Another one 1" }) { revision } }',
    ),
    status: 401,
    code: 'UNAUTHENTICATED',
  },
  {
    says: 'Whoever has a token only changes the password by guessing the old one.',
    send: ({ tokens }) =>
      asks(
        'mutation { changePassword(input: { currentPassword: "a wrong one", newPassword: "Another one 1" }) { userErrors { code message } } }',
        tokens.ann,
      ),
    status: 200,
    userError: 'CREDENTIALS_INVALID',
    counted: true,
  },
  {
    says: 'A user sets the password of root.',
    send: ({ tokens, rootId }) =>
      asks(
        `mutation { resetPassword(input: { userId: "${rootId}", newPassword: "Another one 1" }) { userErrors { code } } }`,
        tokens.ann,
      ),
    status: 200,
    code: 'FORBIDDEN',
    data: { resetPassword: null },
  },
  {
    says: 'Whoever has a token only takes the second factor of its owner away.',
    send: ({ tokens }) =>
      asks('mutation { deleteSecondFactor(input: {}) { userErrors { code message } } }', tokens.ann),
    status: 200,
    userError: 'INVALID',
  },
  {
    says: 'A user ends the sessions of root.',
    send: ({ tokens, rootId }) =>
      asks(`mutation { revokeSessions(input: { userId: "${rootId}" }) { userErrors { code } } }`, tokens.ann),
    status: 200,
    code: 'FORBIDDEN',
    data: { revokeSessions: null },
  },
  {
    says: 'Nobody makes a user.',
    send: asks('mutation { createUser(input: { name: "mallory", password: "Password of mallory 1" }) { revision } }'),
    status: 401,
    code: 'UNAUTHENTICATED',
  },
  {
    says: 'Whoever signs in wrongly makes a user in the same request.',
    send: asks(
      `mutation { ${guess('a wrong one')} createUser(input: { name: "mallory", password: "Password of mallory 1" }) { revision } }`,
    ),
    status: 200,
    code: 'UNAUTHENTICATED',
    userError: 'CREDENTIALS_INVALID',
    counted: true,
  },
];

const siege: readonly Attack[] = [
  {
    says: 'Somebody guessed five times, and the sixth guess is right.',
    send: async (target) => {
      for (let guessed = 0; guessed < 5; guessed += 1) {
        await target.shoot(attempt({ account: 'default', userName: 'ann', password: `guess ${guessed}` }));
      }
      return attempt({ account: 'default', userName: 'ann', password: target.passwords.ann });
    },
    status: 200,
    userError: 'LOCKED',
  },
  {
    says: 'Somebody goes on guessing under the lock.',
    send: attempt({ account: 'default', userName: 'ann', password: 'guess' }),
    status: 200,
    userError: 'CREDENTIALS_INVALID',
    counted: true,
    also: expectNothingLearned,
  },
  {
    says: 'Somebody guessed so long under the lock that even the right guess is answered like a wrong one.',
    send: async (target) => {
      for (let guessed = 0; guessed < 5; guessed += 1) {
        await target.shoot(attempt({ account: 'default', userName: 'ann', password: `guess ${guessed}` }));
      }
      return attempt({ account: 'default', userName: 'ann', password: target.passwords.ann });
    },
    status: 200,
    userError: 'CREDENTIALS_INVALID',
    counted: true,
    also: expectNothingLearned,
  },
];

export const loginAttacks: readonly Attack[] = [...enumeration, ...bulk, ...inputs, ...passed, ...refusals, ...siege];
