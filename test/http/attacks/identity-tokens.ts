/** Attacks by credentials in headers: tokens that are cut, changed, forged or borrowed, and headers that claim to be one. */
import { createHmac, generateKeyPairSync, sign as signBytes, type KeyObject } from 'node:crypto';
import { TokenKeys } from '../../../src/iam/token-keys.js';
import type { Attack } from './attack.js';
import { plain, type Shot, type Target } from './target.js';

const json = ['content-type', 'application/json'];
const who = JSON.stringify({ query: '{ viewer { actor { kind name } scope { kind workspace { name } } } }' });
const asks = (headers: readonly string[], body = who): Shot => ({ headers: [...json, ...headers], body });
const bearer = (token: string): Shot => asks(['authorization', `Bearer ${token}`]);

type Json = Readonly<Record<string, unknown>>;

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const read = (token: string, index: number): Json =>
  JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString()) as Json;
const piece = (token: string, index: number): string => token.split('.')[index] ?? '';

/** A token with this head and body, signed by this key. */
function signed(head: Json, body: unknown, key: KeyObject): string {
  const text = `${part(head)}.${part(body)}`;
  return `${text}.${signBytes(null, Buffer.from(text), key).toString('base64url')}`;
}

/** A token that the server's own key has signed: what whoever stole the key for a moment could have made. */
function genuine({ masterKey, tokens }: Target, head: Json, body: Json): string {
  const { privateKey } = new TokenKeys(masterKey).signing(Date.now());
  const all = { ...read(tokens.root, 1), ...body };
  const claims = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return signed({ ...read(tokens.root, 0), ...head }, claims, privateKey);
}

/** The letter of base64url whose last bit, which decoding leaves out here, is another. */
function respelt(letter: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return letters[letters.indexOf(letter) ^ 1] ?? '';
}

function hmac({ tokens }: Target, secret: string | Buffer, head: Json = {}): string {
  const text = `${part({ ...read(tokens.root, 0), alg: 'HS256', ...head })}.${part(read(tokens.root, 1))}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

function publicKey({ masterKey }: Target): KeyObject {
  return new TokenKeys(masterKey).signing(Date.now()).publicKey;
}

const own = generateKeyPairSync('ed25519');
const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const second = (offset: number): number => Math.floor(Date.now() / 1000) + offset;
const broken = { status: 401, code: 'UNAUTHENTICATED' } as const;

const forged: readonly Attack[] = (
  [
    ['The token is nonsense.', () => 'nonsense'],
    ['The token has lost its signature.', ({ tokens }) => `${piece(tokens.root, 0)}.${piece(tokens.root, 1)}.`],
    [
      'The token has lost its signature and the dot.',
      ({ tokens }) => `${piece(tokens.root, 0)}.${piece(tokens.root, 1)}`,
    ],
    ['The token is cut short by one letter.', ({ tokens }) => tokens.root.slice(0, -1)],
    ['The token is one letter longer.', ({ tokens }) => `${tokens.root}A`],
    ['The token has lost its head.', ({ tokens }) => `.${piece(tokens.root, 1)}.${piece(tokens.root, 2)}`],
    ['The token has a fourth part.', ({ tokens }) => `${tokens.root}.e30`],
    ['The token looks encrypted.', ({ tokens }) => `${tokens.root}.e30.e30`],
    ['The token is padded as other base64 is.', ({ tokens }) => `${tokens.root}==`],
    [
      'The last letter is another that decodes to the same bytes.',
      ({ tokens }) => tokens.root.slice(0, -1) + respelt(tokens.root.slice(-1)),
    ],
    [
      'The token says that it is not signed.',
      ({ tokens }) => `${part({ alg: 'none', typ: 'JWT' })}.${piece(tokens.root, 1)}.`,
    ],
    [
      'The token says so in other letters.',
      ({ tokens }) => `${part({ alg: 'nOnE', typ: 'JWT' })}.${piece(tokens.root, 1)}.`,
    ],
    [
      'The token says so and keeps its signature.',
      ({ tokens }) =>
        `${part({ ...read(tokens.root, 0), alg: 'none' })}.${piece(tokens.root, 1)}.${piece(tokens.root, 2)}`,
    ],
    ['The token names no algorithm.', (target) => genuine(target, { alg: undefined }, {})],
    [
      'The token is an HMAC whose secret is the public key as a PEM.',
      (target) => hmac(target, publicKey(target).export({ format: 'pem', type: 'spki' })),
    ],
    [
      'The token is an HMAC whose secret is the public key as published.',
      (target) => hmac(target, String(publicKey(target).export({ format: 'jwk' }).x)),
    ],
    [
      'The token is an HMAC whose secret is the bytes of the public key.',
      (target) => hmac(target, Buffer.from(String(publicKey(target).export({ format: 'jwk' }).x), 'base64url')),
    ],
    ['The token is an HMAC of an empty secret.', (target) => hmac(target, '')],
    [
      'The key of the token is a file that is empty.',
      (target) => hmac(target, '', { kid: '../../../../../../dev/null' }),
    ],
    ['The key of the token is a piece of SQL.', (target) => hmac(target, 'x', { kid: "' UNION SELECT 'x' --" })],
    ['The key of the token is a list.', (target) => genuine(target, { kid: [read(target.tokens.root, 0)['kid']] }, {})],
    ['The key of the token is a member of every object.', (target) => genuine(target, { kid: '__proto__' }, {})],
    ['The token names no key.', (target) => genuine(target, { kid: undefined }, {})],
    ['The token names a key of another epoch.', (target) => genuine(target, { kid: '1.30.0' }, {})],
    [
      'Another key has signed the token.',
      ({ tokens }) => signed(read(tokens.root, 0), read(tokens.root, 1), own.privateKey),
    ],
    [
      'Another kind of key has signed the token.',
      ({ tokens }) => signed({ ...read(tokens.root, 0), alg: 'ES256' }, read(tokens.root, 1), curve.privateKey),
    ],
    [
      'The token brings its key along.',
      ({ tokens }) =>
        signed(
          { ...read(tokens.root, 0), jwk: own.publicKey.export({ format: 'jwk' }) },
          read(tokens.root, 1),
          own.privateKey,
        ),
    ],
    [
      'The token says where its key is to be fetched.',
      ({ tokens }) =>
        signed({ ...read(tokens.root, 0), jku: 'http://127.0.0.1:9/jwks' }, read(tokens.root, 1), own.privateKey),
    ],
    [
      'A genuine signature covers a certificate in the head.',
      (target) => genuine(target, { x5u: 'http://127.0.0.1:9' }, {}),
    ],
    ['The head has an extension that must be understood.', (target) => genuine(target, { crit: ['exp'], exp: 1 }, {})],
    ['The body is not to be decoded.', (target) => genuine(target, { crit: ['b64'], b64: false }, {})],
    ['The token is of another type.', (target) => genuine(target, { typ: 'at+jwt' }, {})],
    ['The token is of no type.', (target) => genuine(target, { typ: undefined }, {})],
    ['The token is a nested one.', (target) => genuine(target, { cty: 'JWT' }, {})],
    ['The token has expired.', (target) => genuine(target, {}, { exp: second(-60) })],
    ['The token expires at a text.', (target) => genuine(target, {}, { exp: String(second(600)) })],
    ['The token never expires.', (target) => genuine(target, {}, { exp: undefined })],
    ['The token is not good yet.', (target) => genuine(target, {}, { nbf: second(600) })],
    ['The token is of another issuer.', (target) => genuine(target, {}, { iss: 'https://evil.example' })],
    ['The token is of no issuer.', (target) => genuine(target, {}, { iss: undefined })],
    ['The token is meant for a service.', (target) => genuine(target, {}, { aud: plain(target.ids.service) })],
    ['The token is meant for several.', (target) => genuine(target, {}, { aud: ['bailiwick'] })],
    ['The token names another user than its session.', (target) => genuine(target, {}, { sub: plain(target.ids.ann) })],
    ['The token names a session that there is not.', (target) => genuine(target, {}, { sid: 'f'.repeat(32) })],
    [
      'The token names another account than its session.',
      (target) => genuine(target, {}, { acc: String(read(target.tokens.foreign, 1)['acc']) }),
    ],
    ['The token names no scope.', (target) => genuine(target, {}, { scp: undefined })],
    ['The token names two scopes.', (target) => genuine(target, {}, { scp: 'account', wsp: '0' })],
    ['The session of the token has ended.', ({ tokens }) => tokens.ended],
    ['The token was made for a service, which is all it is good for.', ({ tokens }) => tokens.audience],
    ['The token is as long as a head can be.', () => 'a'.repeat(8_000)],
  ] as const satisfies readonly (readonly [string, (target: Target) => string])[]
).map(([says, forge]) => ({ says, send: (target: Target) => bearer(forge(target)), ...broken }));

const headers: readonly Attack[] = (
  [
    [
      'Two credentials come in one kind of header, the good one first.',
      ({ root, ann }) => ['authorization', `Bearer ${root}`, 'authorization', `Bearer ${ann}`],
    ],
    [
      'Two credentials come in two kinds of header.',
      ({ root, ann }) => ['authorization', `Bearer ${ann}`, 'x-auth-token', root],
    ],
    [
      'A good credential comes beside a broken one.',
      ({ root }) => ['authorization', 'Bearer a.b.c', 'x-auth-token', root],
    ],
    [
      'A good credential comes beside an empty one.',
      ({ root }) => ['authorization', `Bearer ${root}`, 'x-auth-token', ''],
    ],
    ['One header holds a list of credentials.', ({ root, ann }) => ['x-auth-token', `${ann}, ${root}`]],
    ['The scheme stands there twice.', ({ root }) => ['authorization', `Bearer Bearer ${root}`]],
    ['The token comes without a scheme.', ({ root }) => ['authorization', root]],
    ['The token comes in percent escapes.', ({ root }) => ['authorization', `Bearer ${root.replaceAll('.', '%2e')}`]],
    [
      'Name and password come as Basic.',
      () => ['authorization', `Basic ${Buffer.from('admin:Root of default 1').toString('base64')}`],
    ],
    [
      'The scheme is another vendor’s.',
      ({ root }) => ['authorization', `AWS4-HMAC-SHA256 Credential=${root.slice(0, 20)}`],
    ],
  ] as const satisfies readonly (readonly [string, (tokens: Target['tokens']) => readonly string[]])[]
).map(([says, make]) => ({ says, send: ({ tokens }: Target) => asks(make(tokens)), ...broken }));

/** Headers that proxies of other systems set: none of them makes anybody of nobody. */
const claims: readonly Attack[] = (
  [
    ['A header claims to be the root user.', ({ rootId }) => ['x-user-id', rootId, 'x-user-name', 'admin']],
    [
      'A proxy’s header claims to be the root user.',
      () => ['x-forwarded-user', 'admin', 'x-remote-user', 'admin', 'remote-user', 'admin'],
    ],
    [
      'A certificate’s header claims to be the root user.',
      () => ['x-ssl-client-s-dn', 'CN=admin', 'x-client-cert', 'admin'],
    ],
    [
      'The request claims to come from this machine.',
      () => ['x-forwarded-for', '127.0.0.1', 'x-real-ip', '127.0.0.1', 'forwarded', 'for=127.0.0.1;by=127.0.0.1'],
    ],
    [
      'The token comes as a cookie, as a browser would send it.',
      ({ tokens }) => ['cookie', `token=${tokens.root}; authorization=Bearer ${tokens.root}`],
    ],
    ['The token comes as a proxy’s credential.', ({ tokens }) => ['proxy-authorization', `Bearer ${tokens.root}`]],
    [
      'The token comes in the header for tokens that are asked about.',
      ({ tokens }) => ['x-subject-token', tokens.root],
    ],
    ['The token comes as the security token of a key.', ({ tokens }) => ['x-security-token', tokens.root]],
    ['Names of headers with underscores pass for those with dashes.', ({ tokens }) => ['x_auth_token', tokens.root]],
  ] as const satisfies readonly (readonly [string, (target: Target) => readonly string[]])[]
).map(([says, make]) => ({ says, send: (target: Target) => asks(make(target)), ...broken }));

const annHere = {
  viewer: {
    actor: { kind: 'USER', name: 'ann' },
    scope: { kind: 'WORKSPACE', workspace: { name: 'default' } },
  },
};

const hints: readonly Attack[] = [
  ...(
    [
      [
        'Headers beside a token name another workspace, which only signed ones may.',
        ({ ids }) => ['x-workspace-id', plain(ids.closed), 'x-project-id', plain(ids.closed)],
      ],
      ['A header beside a token names the account.', ({ accountId }) => ['x-domain-id', accountId]],
      [
        'Headers beside a token name another user to act as.',
        ({ rootId }) => ['x-user-id', rootId, 'x-impersonate-user', 'admin', 'x-on-behalf-of', 'admin'],
      ],
    ] as const satisfies readonly (readonly [string, (target: Target) => readonly string[]])[]
  ).map(([says, make]) => ({
    says,
    send: (target: Target) => asks(['authorization', `Bearer ${target.tokens.ann}`, ...make(target)]),
    status: 200,
    data: annHere,
  })),
  {
    says: 'The token comes in the URL, where logs and referrers keep it.',
    send: ({ tokens }) => ({ ...asks([]), path: `/graphql?access_token=${tokens.root}&token=${tokens.root}` }),
    ...broken,
    also: (_reply, target) => {
      if (target.log().join('\n').includes(target.tokens.root)) throw new Error('the log keeps it');
    },
  },
  {
    says: 'The address of the caller is forged, for the log and the trail to name another.',
    send: ({ tokens }) => asks(['authorization', `Bearer ${tokens.ann}`, 'x-forwarded-for', '203.0.113.66']),
    status: 200,
    data: annHere,
    also: (_reply, target) => {
      if (target.log().join('\n').includes('203.0.113.66')) throw new Error('the log believes it');
    },
  },
];

export const tokenAttacks: readonly Attack[] = [...forged, ...headers, ...claims, ...hints];
