/** Attacks by encodings, bodies, media types, and by pages that make a browser send them. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { Attack } from './attack.js';
import type { Shot } from './target.js';

const good = '{"query":"{ __typename }"}';
const changing = 'mutation { signOut { endedAt } }';
const json = ['content-type', 'application/json'];
const preflighted = ['apollo-require-preflight', 'true'];

const refused = { status: 400, code: 'BAD_REQUEST' } as const;
const unsupported = { status: 415, code: 'BAD_REQUEST' } as const;

const get = (search: string, headers: readonly string[] = preflighted): Shot => ({
  method: 'GET',
  path: `/graphql${search}`,
  headers,
});

const body = (bytes: string | Uint8Array | undefined, headers: readonly string[] = json): Shot =>
  bytes === undefined ? { headers } : { headers, body: bytes };

/** The head of a POST, and a body that it does not fit. */
const raw = (line: string, bytes: string): Shot => ({
  raw: `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\n${line}\r\n\r\n${bytes}`,
});

const bomb = gzipSync(Buffer.alloc(50_000_000, ' '));
const encodings: readonly Attack[] = [
  ['A body of 50 KB would unfold to 50 MB.', 'gzip', bomb],
  ['A bomb is wrapped in another.', 'gzip, gzip', gzipSync(bomb)],
  ['The body is deflated.', 'deflate', deflateSync(good)],
  ['The body is compressed with Brotli.', 'br', brotliCompressSync(good)],
  ['The encoding is one that nobody knows.', 'squeeze', Buffer.from(good)],
  ['The encoding hides behind identity.', 'identity, gzip', gzipSync(good)],
  ['The encoding has an old name.', 'x-gzip', gzipSync(good)],
].map(([says, encoding, bytes]) => ({
  says: String(says),
  send: body(bytes as Uint8Array, [...json, 'content-encoding', String(encoding)]),
  ...unsupported,
}));

const quoted = (bytes: readonly number[]): Uint8Array =>
  Buffer.concat([Buffer.from('{"query":"{ __typename } #'), Buffer.from(bytes), Buffer.from('"}')]);
const variables = (text: string): string => `{"query":"{ __typename }","variables":${text}}`;

const bodies: readonly Attack[] = [
  ['There is no body.', undefined],
  ['The body is empty.', ''],
  ['The body is cut off.', '{"query":"{ __type'],
  ['Two documents stand in one body.', good + good],
  ['The body begins with a byte order mark.', `\ufeff${good}`],
  ['The body is UTF-16.', Buffer.from(good, 'utf16le')],
  ['The body has a byte that UTF-8 does not have.', quoted([0xff])],
  ['The body has a slash in overlong UTF-8.', quoted([0xc0, 0xaf])],
  ['The body has half a surrogate pair in UTF-8.', quoted([0xed, 0xa0, 0x80])],
  ['The body has a raw NUL.', quoted([0])],
  ['A name stands twice, and readers differ on which counts.', '{"query":"{ __typename }","query":"{ viewer }"}'],
  ['A name stands twice, once with an escape.', '{"query":"{ __typename }","quer\\u0079":"{ viewer }"}'],
  ['A name stands twice deep inside.', variables('{"a":[{"b":1,"c":{},"b":2}]}')],
  ['Arrays are nested a hundred thousand deep.', variables(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)],
  ['Objects are nested ten thousand deep.', variables(`{"a":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`)],
  ['The body is null.', 'null'],
  ['The body is a string.', '"{ __typename }"'],
  ['The body is a number beyond all numbers.', '1e400'],
  ['Two operations come as a batch.', `[${good},${good}]`],
  ['A thousand operations come as a batch.', `[${Array.from({ length: 1_000 }, () => good).join(',')}]`],
  ['A batch is empty.', '[]'],
  ['The members come from the prototype.', '{"__proto__":{"query":"{ __typename }"}}'],
  ['The query is an object that looks like a parsed document.', '{"query":{"kind":"Document","definitions":[]}}'],
  ['The variables are a list.', variables('["a"]')],
  ['The variables are text that holds JSON.', variables('"{}"')],
  ['The name of the operation is an object.', '{"query":"{ __typename }","operationName":{"toString":1}}'],
].map(([says, bytes]) => ({ says: String(says), send: body(bytes), ...refused }));

const pollution: readonly Attack[] = [
  {
    says: 'Members named __proto__ and constructor try to give every object another member.',
    send: body(
      '{"query":"{ __typename }","__proto__":{"query":"{ viewer }"},"constructor":{"prototype":{"admin":true}},"variables":{"__proto__":{"admin":true}}}',
    ),
    status: 200,
    data: { __typename: 'Query' },
  },
  {
    says: 'The body is one byte longer than allowed.',
    send: body(good.padEnd(1_048_577, ' ')),
    status: 413,
    code: 'BAD_REQUEST',
  },
  {
    says: 'The length promises two gigabytes.',
    send: raw('content-length: 2147483648', good),
    status: 413,
    code: 'BAD_REQUEST',
  },
  {
    says: 'A body in chunks never ends.',
    send: raw('transfer-encoding: chunked', `10000\r\n${' '.repeat(0x10000)}\r\n`.repeat(17)),
    status: 413,
    code: 'BAD_REQUEST',
  },
];

const mediaTypes: readonly Attack[] = [
  ...(
    [
      ['A page sends the operation as plain text, which browsers let it do unasked.', ['content-type', 'text/plain']],
      ['A page sends the operation as a form.', ['content-type', 'application/x-www-form-urlencoded']],
      ['A page sends the operation as a form with files.', ['content-type', 'multipart/form-data; boundary=x']],
      ['A page sends no type.', []],
      ['Plain text has JSON in a parameter.', ['content-type', 'text/plain; a=application/json']],
      ['Two types are named in one header.', ['content-type', 'text/plain, application/json']],
      ['Two types are named in two headers.', ['content-type', 'application/json', 'content-type', 'text/plain']],
      ['The charset is UTF-7, where less can mean more.', ['content-type', 'application/json; charset=utf-7']],
      ['Two charsets contradict each other.', ['content-type', 'application/json; charset=utf-8; charset=utf-16']],
    ] as const
  ).map(([says, headers]) => ({ says, send: body(good, [...headers, ...preflighted]), ...unsupported })),
  {
    says: 'The answer to a mutation is asked for as a web page.',
    send: ({ tokens }) => ({
      headers: [...json, 'accept', 'text/html', 'authorization', `Bearer ${tokens.account}`],
      body: '{"query":"mutation { createGroup(input: { name: \\"unread\\" }) { group { id } } }"}',
    }),
    status: 406,
    code: 'BAD_REQUEST',
  },
];

const pages: readonly Attack[] = [
  {
    says: 'A link makes a browser change something.',
    send: ({ tokens }) =>
      get(`?query=${encodeURIComponent(changing)}`, [...preflighted, 'authorization', `Bearer ${tokens.ann}`]),
    status: 405,
    code: 'BAD_REQUEST',
  },
  {
    says: 'A link names a mutation beside a harmless query.',
    send: ({ tokens }) =>
      get(`?query=${encodeURIComponent(`query A { __typename } ${changing.replace('{', 'B {')}`)}&operationName=B`, [
        ...preflighted,
        'authorization',
        `Bearer ${tokens.ann}`,
      ]),
    status: 405,
    code: 'BAD_REQUEST',
  },
  { says: 'An image asks a question by GET.', send: get('?query={__typename}', []), ...refused },
  {
    says: 'A link has the query twice.',
    send: get('?query={__typename}&query={viewer{actor{name}}}'),
    ...refused,
  },
  { says: 'A link has bytes that are not UTF-8.', send: get('?query=%ff'), ...refused },
  {
    says: 'A link has variables with a name twice.',
    send: get(`?query={__typename}&variables=${encodeURIComponent('{"a":1,"a":2}')}`),
    ...refused,
  },
  ...['https://evil.example', 'null', 'http://127.0.0.1', 'file://'].map((origin) => ({
    says: `A page of ${origin} asks whether it may send tokens.`,
    send: {
      method: 'OPTIONS',
      headers: [
        'origin',
        origin,
        'access-control-request-method',
        'POST',
        'access-control-request-headers',
        'authorization',
      ],
    },
    status: 403,
    code: 'BAD_REQUEST',
    also: ({ headers }: { readonly headers: object }) => {
      if (Object.keys(headers).some((name) => name.startsWith('access-control-'))) throw new Error('it may');
    },
  })),
  {
    says: 'A page of another origin asks without asking first, and may not read the answer.',
    send: body(good, [...json, 'origin', 'https://evil.example']),
    status: 200,
    data: { __typename: 'Query' },
    also: ({ headers }) => {
      if (headers['access-control-allow-origin'] !== undefined) throw new Error('it may read');
    },
  },
];

export const bodyAttacks: readonly Attack[] = [...encodings, ...bodies, ...pollution, ...mediaTypes, ...pages];
