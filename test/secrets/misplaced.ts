/**
 * Requests that bring a secret where none belongs: in URLs, headers, documents, variables, and under other names. Not as
 * what a client calls things of its own (names, descriptions, idempotency keys, request ids, names of operations): that
 * is kept as it was given.
 */
import { bearer, mutationOf, type Reply, type Sender, type SigningKey } from './sender.js';

interface Secrets {
  readonly token: string;
  readonly password: string;
  readonly key: Required<SigningKey>;
}

type Misplacing = (sender: Sender, secret: string, secrets: Secrets) => Promise<Reply>;

const who = '{ done: viewer { actor { id } } }';
const json = { 'content-type': 'application/json' };
const body = JSON.stringify({ query: who });
const preflighted = { 'apollo-require-preflight': '1' };
const input = (value: unknown) => ({ input: value });

/** By a header whose value a secret may be, or the whole request is refused before it is read. */
const inHeader =
  (headers: (secret: string) => Readonly<Record<string, string>>): Misplacing =>
  (sender, secret) =>
    sender.exchange({ headers: { ...json, ...headers(encodeURIComponent(secret)) }, body });

const inDocument =
  (document: (literal: string) => string): Misplacing =>
  (sender, secret) =>
    sender.post(null, document(JSON.stringify(secret)));

const inVariables =
  (query: string, variables: (secret: string) => object): Misplacing =>
  (sender, secret, { token }) =>
    sender.post(token, query, variables(secret));

const places: readonly Misplacing[] = [
  // URLs.
  ...['token', 'access_token', 'password', 'variables', 'extensions'].map(
    (name): Misplacing =>
      (sender, secret) =>
        sender.exchange({
          method: 'GET',
          path: `/graphql?query=${encodeURIComponent(who)}&${name}=${encodeURIComponent(secret)}`,
          headers: preflighted,
        }),
  ),
  ...['/graphql/', '/', '/.well-known/', '/healthz/', '/%zz'].map(
    (path): Misplacing =>
      (sender, secret) =>
        sender.exchange({ method: 'GET', path: path + encodeURIComponent(secret) }),
  ),
  // Headers.
  ...[
    'cookie',
    'referer',
    'origin',
    'user-agent',
    'x-api-key',
    'x-forwarded-for',
    'x-request-id-of',
    'traceparent',
  ].map((name) => inHeader((secret) => ({ [name]: secret }))),
  inHeader((secret) => ({ authorization: secret })),
  inHeader((secret) => ({ authorization: `Basic ${Buffer.from(`admin:${secret}`).toString('base64')}` })),
  inHeader((secret) => ({ authorization: `Bearer ${secret}x` })),
  inHeader((secret) => ({ authorization: `Bearer ${secret} ${secret}` })),
  inHeader((secret) => ({ authorization: `Bearer x`, 'x-auth-token': secret })),
  inHeader((secret) => ({ 'x-auth-token': `${secret}.x` })),
  inHeader((secret) => ({ 'x-security-token': secret })),
  inHeader((secret) => ({
    authorization: `SDK-HMAC-SHA256 Access=${secret}, SignedHeaders=host, Signature=${secret}`,
  })),
  inHeader((secret) => ({ 'content-type': `application/json; charset=${secret}` })),
  inHeader((secret) => ({ accept: secret })),
  inHeader((secret) => ({ 'content-encoding': secret })),
  (sender, secret) => sender.exchange({ headers: { 'content-type': 'text/plain' }, body: secret }),
  // Bodies and documents that are none.
  (sender, secret) => sender.exchange({ headers: json, body: secret }),
  (sender, secret) => sender.exchange({ headers: json, body: `{"query":${JSON.stringify(secret)}` }),
  (sender, secret) => sender.exchange({ headers: json, body: `{"query":"{ a }","variables":{${secret}}}` }),
  (sender, secret) => sender.exchange({ headers: json, body: JSON.stringify([secret]) }),
  (sender, secret) => sender.exchange({ headers: json, body: JSON.stringify({ query: secret }) }),
  (sender, secret) => sender.exchange({ headers: json, body: JSON.stringify({ query: who, operationName: secret }) }),
  (sender, secret) => sender.exchange({ headers: json, body: JSON.stringify({ query: who, variables: secret }) }),
  (sender, secret) => sender.exchange({ headers: json, body: JSON.stringify({ documentId: secret }) }),
  (sender, secret) =>
    sender.exchange({
      headers: json,
      body: JSON.stringify({ extensions: { persistedQuery: { version: 1, sha256Hash: secret } } }),
    }),
  inDocument((secret) => `mutation { signIn(input: ${secret}) { token } }`),
  inDocument((secret) => `mutation { signIn(input: { password: ${secret} }) { token } }`),
  inDocument((secret) => `mutation { signIn(input: { account: [${secret}], password: ${secret} }) { tokn } }`),
  inDocument((secret) => `{ viewer(token: ${secret}) { actor { id } } }`),
  inDocument((secret) => `{ users(first: ${secret}) { nodes { id } } }`),
  inDocument((secret) => `{ viewer { actor { id } } } ${secret}`),
  inDocument((secret) => `query Q($a: String = ${secret}) { viewer { actor { id } } }`),
  // Variables and inputs, signed in.
  inVariables(mutationOf('signIn', 'token'), (secret) => input({ account: 'a', userName: 'u', password: [secret] })),
  inVariables(mutationOf('signIn', 'token'), (secret) => input({ account: secret, userName: secret, password: 'x' })),
  inVariables(mutationOf('switchScope', 'token'), (secret) => input({ scope: { workspace: secret } })),
  inVariables(mutationOf('switchScope', 'token'), (secret) => input({ scope: { account: true }, audience: secret })),
  inVariables(mutationOf('endSession', 'session { id }'), (secret) => input({ id: secret })),
  inVariables(mutationOf('deleteAccessKey', 'deletedAccessKeyId'), (secret) => input({ id: secret })),
  inVariables(mutationOf('confirmSecondFactor', 'secondFactor { confirmedAt }'), (secret) => input({ code: secret })),
  inVariables(mutationOf('assumeAgency', 'actor { id }'), (secret) => input({ agencyId: secret, externalId: secret })),
  inVariables('query Q($first: Int) { done: users(first: $first) { nodes { id } } }', (first) => ({ first })),
  inVariables('query Q($after: String) { done: workspaces(after: $after) { nodes { id } } }', (after) => ({ after })),
  inVariables(
    'query Q($token: String!) { done: checkAccess(requests: [{ action: "obs:object:GetObject", principal: { credential: { token: $token } } }]) { effect } }',
    (token) => ({ token }),
  ),
  // Another one's signature, and one's own under another name.
  (sender, secret, { token }) => {
    const headers = [{ name: 'authorization', value: `Bearer ${secret}` }];
    const request = { method: 'GET', path: `/${encodeURIComponent(secret)}`, query: secret, headers };
    return sender.mutate(token, 'authenticateRequest', 'actor { id }', { request });
  },
  (sender, secret, { key }) => sender.signed({ ...key, securityToken: encodeURIComponent(secret) }, '0', who),
  (sender, secret, { key }) => sender.signed({ ...key, accessKeyId: encodeURIComponent(secret) }, '0', who),
  (sender, secret, { key }) => sender.signed(key, encodeURIComponent(secret), who),
  (sender, secret, { token }) =>
    sender.exchange({ headers: { ...json, ...bearer(token), 'x-auth-token': `${encodeURIComponent(secret)}.` }, body }),
];

/** The number says which secret goes where: every place has one before any has another. */
export async function misplaced(sender: Sender, secrets: Secrets, number: number): Promise<Reply> {
  const { token, password, key } = secrets;
  const kinds = [token, password, key.secretAccessKey, key.securityToken];
  const place = places[number % places.length];
  // INVARIANT: neither list is empty.
  if (place === undefined) throw new Error('there is no such place');
  const turn = number + Math.floor(number / places.length);
  return place(sender, kinds[turn % kinds.length] ?? token, secrets);
}
