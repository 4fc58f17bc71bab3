/** Attacks on signed requests: what was signed is changed, left out, borrowed, old, or sent once more. */
import type { Exchange } from '../../kit/exchange.js';
import { sdkDate, sign, type Key } from '../../kit/signing.js';
import type { Attack } from './attack.js';
import { plain, type Target } from './target.js';

const broken = { status: 401, code: 'UNAUTHENTICATED' } as const;
const who = '{ viewer { actor { kind name } } }';
const minute = 60_000;

/** An exchange with one header set to something else, or left out. */
function withHeader(shot: Exchange, name: string, value: string | null): Exchange {
  const kept: string[] = [];
  const { headers = [] } = shot;
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() !== name) kept.push(headers[index] ?? '', headers[index + 1] ?? '');
  }
  return { ...shot, headers: value === null ? kept : [...kept, name, value] };
}

function headerOf({ headers = [] }: Exchange, name: string): string {
  const at = headers.findIndex((each, index) => index % 2 === 0 && each.toLowerCase() === name);
  return headers[at + 1] ?? '';
}

/** Changes the `Authorization` header of an honest request. */
const changed = (change: (authorization: string) => string) => (target: Target) => {
  const shot = target.signed(target.keys.service, who);
  return withHeader(shot, 'authorization', change(headerOf(shot, 'authorization')));
};

const of =
  (key: keyof Target['keys'], more = {}) =>
  (target: Target) =>
    target.signed(target.keys[key], who, more);
const asKey = (make: (key: Key) => Key) => (target: Target) => target.signed(make(target.keys.service), who);
const makesGroup = (name: string): string => `mutation { createGroup(input: { name: "${name}" }) { group { id } } }`;
const inAccount = ({ accountId }: Target) => ({ headers: { 'x-domain-id': accountId } });

export const signatureAttacks: readonly Attack[] = (
  [
    [
      'The body is another than was signed.',
      (target) => ({ ...target.signed(target.keys.service, who), body: '{"query":"{ __typename }"}' }),
    ],
    [
      'The body has one blank more than was signed.',
      (target) => {
        const shot = target.signed(target.keys.service, who);
        return { ...shot, body: `${String(shot.body)} ` };
      },
    ],
    [
      'The URL has a query that was not signed.',
      (target) => ({ ...target.signed(target.keys.service, who), path: '/graphql?a=b' }),
    ],
    ['The path was signed for another service.', of('service', { path: '/v1/other' })],
    [
      'The method was signed as another.',
      (target) => ({ ...target.signed(target.keys.service, who, { method: 'PUT' }), method: 'POST' }),
    ],
    ['A query was signed that is not sent.', of('service', { query: 'a=b' })],
    [
      'A signed header has another value.',
      (target) => withHeader(target.signed(target.keys.service, who, inAccount(target)), 'x-domain-id', 'f'.repeat(32)),
    ],
    [
      'A header that was signed is not sent.',
      (target) => withHeader(target.signed(target.keys.service, who, { headers: { 'x-a': 'b' } }), 'x-a', null),
    ],
    [
      'The workspace stands in a header that is not signed.',
      (target) => withHeader(target.signed(target.keys.service, who), 'x-workspace-id', plain(target.ids.closed)),
    ],
    [
      'The project stands in a header that is not signed.',
      (target) => withHeader(target.signed(target.keys.service, who), 'x-project-id', '0'),
    ],
    [
      'The account stands in a header that is not signed.',
      (target) => withHeader(target.signed(target.keys.service, who), 'x-domain-id', target.accountId),
    ],
    ['The account that is signed is another’s.', of('service', { headers: { 'x-domain-id': 'f'.repeat(32) } })],
    [
      'A security token is added that is not signed.',
      (target) => withHeader(target.signed(target.keys.service, who), 'x-security-token', 'a'),
    ],
    [
      'A signed header comes twice, the second with another value.',
      (target) => {
        const shot = target.signed(target.keys.service, who, { headers: { 'x-a': 'b' } });
        return { ...shot, headers: [...(shot.headers ?? []), 'x-a', 'c'] };
      },
    ],
    [
      'The date comes twice.',
      (target) => {
        const shot = target.signed(target.keys.service, who);
        return { ...shot, headers: [...(shot.headers ?? []), 'x-sdk-date', sdkDate(Date.now())] };
      },
    ],
    [
      'The date is sixteen minutes old.',
      (target) => target.signed(target.keys.service, who, { at: Date.now() - 16 * minute }),
    ],
    [
      'The date is sixteen minutes ahead.',
      (target) => target.signed(target.keys.service, who, { at: Date.now() + 16 * minute }),
    ],
    [
      'The date is a year old.',
      (target) => target.signed(target.keys.service, who, { at: Date.now() - 365 * 24 * 60 * minute }),
    ],
    [
      'An old request gets the date of today.',
      (target) =>
        withHeader(
          target.signed(target.keys.service, who, { at: Date.now() - 60 * minute }),
          'x-sdk-date',
          sdkDate(Date.now()),
        ),
    ],
    ['There is no date.', (target) => withHeader(target.signed(target.keys.service, who), 'x-sdk-date', null)],
    [
      'The date is written otherwise.',
      (target) => withHeader(target.signed(target.keys.service, who), 'x-sdk-date', new Date().toISOString()),
    ],
    [
      'The date is the thirty-first of February.',
      (target) => withHeader(target.signed(target.keys.service, who), 'x-sdk-date', '20260231T000000Z'),
    ],
    [
      'The payload is said not to be signed.',
      of('service', { headers: { 'x-sdk-content-sha256': 'UNSIGNED-PAYLOAD' } }),
    ],
    [
      'The hash that is named is another body’s.',
      of('service', { headers: { 'x-sdk-content-sha256': 'a'.repeat(64) } }),
    ],
    [
      'The hash that is named is not signed.',
      (target) => withHeader(target.signed(target.keys.service, who), 'x-sdk-content-sha256', 'UNSIGNED-PAYLOAD'),
    ],
    ['The key is one that nobody has.', asKey((key) => ({ ...key, accessKeyId: 'AKIAIOSFODNN7EXAMPLE' }))],
    ['The secret is another.', asKey((key) => ({ ...key, secretAccessKey: 'x'.repeat(40) }))],
    ['The secret is empty.', asKey((key) => ({ ...key, secretAccessKey: '' }))],
    [
      'The secret is another key’s.',
      (target) => target.signed({ ...target.keys.service, secretAccessKey: target.keys.foreign.secretAccessKey }, who),
    ],
    ['The key is disabled.', of('disabled')],
    ['The key was deleted.', of('deleted')],
    [
      'A key of another account names this one.',
      (target) => target.signed(target.keys.foreign, who, inAccount(target)),
    ],
    ['The signature is cut short.', changed((text) => text.slice(0, -1))],
    ['The signature has no letters.', changed((text) => text.replace(/Signature=.*/, 'Signature='))],
    [
      'The signature is in capitals.',
      changed((text) =>
        text.replace(/Signature=(.*)/, (_all, hex: string) => `Signature=${hex.toUpperCase().replace(/^\d+$/, 'A')}`),
      ),
    ],
    ['The signature is all zeros.', changed((text) => text.replace(/Signature=.*/, `Signature=${'0'.repeat(64)}`))],
    ['No header is signed.', changed((text) => text.replace(/SignedHeaders=[^,]*/, 'SignedHeaders='))],
    [
      'A signed header is named twice.',
      changed((text) => text.replace('SignedHeaders=host', 'SignedHeaders=host;host')),
    ],
    [
      'Signed headers are named in another order.',
      changed((text) => text.replace('host;x-sdk-date', 'x-sdk-date;host')),
    ],
    ['Signed headers are named with a comma.', changed((text) => text.replace('host;x-sdk-date', 'host,x-sdk-date'))],
    ['The date is not among what is signed.', changed((text) => text.replace('host;x-sdk-date', 'host'))],
    ['The scheme is that of another vendor.', changed((text) => text.replace('SDK-HMAC-SHA256', 'AWS4-HMAC-SHA256'))],
    ['The scheme is a weaker one.', changed((text) => text.replace('SDK-HMAC-SHA256', 'SDK-HMAC-SHA1'))],
    ['The id of the key is a path.', changed((text) => text.replace(/Access=[^,]*/, 'Access=../../root'))],
    [
      'The id of the key is a member of every object.',
      changed((text) => text.replace(/Access=[^,]*/, 'Access=constructor')),
    ],
    ['The header has a part twice.', changed((text) => `${text}, Signature=${'0'.repeat(64)}`)],
    [
      'The header comes twice.',
      (target) => {
        const shot = target.signed(target.keys.service, who);
        return { ...shot, headers: [...(shot.headers ?? []), 'authorization', headerOf(shot, 'authorization')] };
      },
    ],
    [
      'A signature and a token come together.',
      (target) => withHeader(target.signed(target.keys.service, who), 'x-auth-token', target.tokens.root),
    ],
    [
      'A mutation that was carried out is sent once more.',
      async (target) => {
        const shot = target.signed(target.keys.service, makesGroup('made once'), inAccount(target));
        const first = await target.shoot(shot);
        if (first.status !== 200 || first.errors.length > 0) throw new Error(`it was not carried out: ${first.text}`);
        return shot;
      },
    ],
    [
      'The key was tried with five wrong secrets from here, and the right one comes sixth.',
      async (target) => {
        for (let attempt = 0; attempt < 5; attempt += 1) {
          await target.shoot(target.signed({ ...target.keys.besieged, secretAccessKey: `guess ${attempt}` }, who));
        }
        return target.signed(target.keys.besieged, who);
      },
    ],
  ] as const satisfies readonly (readonly [
    string,
    (target: Target) => (Exchange & { readonly path?: string }) | Promise<Exchange>,
  ])[]
).map(([says, send]) => ({ says, send, ...broken }));

export const scopeAttacks: readonly Attack[] = [
  {
    says: 'Two signed headers name different scopes.',
    send: of('service', { headers: { 'x-workspace-id': '0', 'x-project-id': 'f'.repeat(32) } }),
    status: 400,
    code: 'BAD_REQUEST',
  },
  {
    says: 'One signed header names a workspace and another the account.',
    send: (target) =>
      target.signed(target.keys.service, who, { headers: { 'x-workspace-id': '0', 'x-domain-id': target.accountId } }),
    status: 400,
    code: 'BAD_REQUEST',
  },
  {
    says: 'A service signs itself into a workspace of another account.',
    send: (target) =>
      target.signed(target.keys.service, who, { headers: { 'x-workspace-id': plain(target.ids.foreignWorkspace) } }),
    status: 200,
    code: 'FORBIDDEN',
    data: { viewer: null },
  },
  {
    says: 'A request of a signed service is received by another host.',
    send: (target) => {
      const request = sign(target.keys.service, {
        headers: { host: 'other.example' },
        body: JSON.stringify({ query: who }),
        at: Date.now(),
      });
      return {
        headers: [
          'content-type',
          'application/json',
          'x-sdk-date',
          request.headers['x-sdk-date'] ?? '',
          'authorization',
          request.authorization,
        ],
        body: request.body,
      };
    },
    ...broken,
  },
];
