/** Attacks by bytes, methods, paths and headers: on what reads the head of a request, and finds where it ends. */
import type { Attack } from './attack.js';
import type { Shot } from './target.js';

const good = '{"query":"{ __typename }"}';
const changing = 'mutation { signOut { endedAt } }';
const json = ['content-type', 'application/json'];
const preflighted = ['apollo-require-preflight', 'true'];

/** A whole POST whose head has these lines beside the usual ones; then whatever follows. */
function post(lines: readonly string[], body = good, line = 'POST /graphql HTTP/1.1'): Shot {
  const head = [line, 'host: x', 'content-type: application/json', 'connection: close', ...lines];
  return { raw: `${head.join('\r\n')}\r\n\r\n${body}` };
}

const smuggled = `GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n`;
const sized = (body: string): string => `content-length: ${Buffer.byteLength(body)}`;
const malformed = { status: 400 } as const;

const smuggling: readonly Attack[] = [
  {
    says: 'A request with both Content-Length and Transfer-Encoding hides a second one behind the shorter of the two.',
    send: post(['content-length: 5', 'transfer-encoding: chunked'], `0\r\n\r\n${smuggled}`),
    ...malformed,
  },
  {
    says: 'The same two headers stand the other way round.',
    send: post(['transfer-encoding: chunked', `content-length: ${good.length}`], `0\r\n\r\n${smuggled}`),
    ...malformed,
  },
  {
    says: 'Two lengths differ, so that a proxy and the server disagree on where the body ends.',
    send: post(['content-length: 3', sized(good)], good + smuggled),
    ...malformed,
  },
  { says: 'Two equal lengths are sent as two headers.', send: post([sized(good), sized(good)]), ...malformed },
  { says: 'One header names the length twice.', send: post([`${sized(good)}, ${good.length}`]), ...malformed },
  { says: 'The length is negative.', send: post(['content-length: -1'], smuggled), ...malformed },
  { says: 'The length has a plus sign.', send: post([`content-length: +${good.length}`]), ...malformed },
  { says: 'The length is hexadecimal.', send: post(['content-length: 0x1a']), ...malformed },
  { says: 'The length has a blank inside.', send: post(['content-length: 2 6']), ...malformed },
  { says: 'The length does not fit 64 bits.', send: post(['content-length: 18446744073709551616']), ...malformed },
  {
    says: 'The coding is misspelt, so that one reader takes it for chunked and another does not.',
    send: post(['transfer-encoding: xchunked', sized(good)]),
    ...malformed,
  },
  {
    says: 'Chunked is not the last coding.',
    send: post(['transfer-encoding: chunked, identity'], `0\r\n\r\n${smuggled}`),
    ...malformed,
  },
  {
    says: 'Two headers of coding contradict each other.',
    send: post(['transfer-encoding: chunked', 'transfer-encoding: identity'], `0\r\n\r\n${smuggled}`),
    ...malformed,
  },
  {
    says: 'A vertical tab stands before the coding.',
    send: post(['transfer-encoding: \x0bchunked'], `0\r\n\r\n${smuggled}`),
    ...malformed,
  },
  {
    says: 'A blank stands between the name of the header and its colon.',
    send: post(['transfer-encoding : chunked'], `0\r\n\r\n${smuggled}`),
    ...malformed,
  },
  {
    says: 'The coding stands in a folded line, which some readers skip.',
    send: post(['x-a: b\r\n transfer-encoding: chunked', sized(good)], good + smuggled),
    ...malformed,
  },
  {
    says: 'A header line ends with a bare carriage return, behind which another header hides.',
    send: post(['x-a: b\rtransfer-encoding: chunked', sized(good)], good + smuggled),
    ...malformed,
  },
  {
    says: 'The lines of the head end with bare line feeds, which a proxy takes for part of a value.',
    send: {
      raw: `POST /graphql HTTP/1.1\nhost: x\ncontent-type: application/json\nconnection: close\n${sized(good)}\n\n${good}`,
    },
    ...malformed,
  },
  {
    says: 'One line of the head ends with a bare line feed, behind which a header hides.',
    send: post(['x-a: b\ntransfer-encoding: chunked'], `0\r\n\r\n${smuggled}`),
    ...malformed,
  },
  { says: 'A header value has a NUL.', send: post(['x-a: a\0b', sized(good)]), ...malformed },
  { says: 'A header name has a blank.', send: post(['x a: b', sized(good)]), ...malformed },
  { says: 'A header line has no colon.', send: post(['nonsense', sized(good)]), ...malformed },
  {
    says: 'The size of a chunk has a plus sign.',
    send: post(['transfer-encoding: chunked'], `+1a\r\n${good}\r\n0\r\n\r\n`),
    ...malformed,
  },
  {
    says: 'The size of a chunk begins with 0x.',
    send: post(['transfer-encoding: chunked'], `0x1a\r\n${good}\r\n0\r\n\r\n`),
    ...malformed,
  },
  {
    says: 'The size of a chunk does not fit 64 bits.',
    send: post(['transfer-encoding: chunked'], `fffffffffffffffff\r\n${good}\r\n0\r\n\r\n`),
    ...malformed,
  },
  {
    says: 'A chunk is longer than it says.',
    send: post(['transfer-encoding: chunked'], `3\r\n${good}\r\n0\r\n\r\n`),
    ...malformed,
  },
  {
    says: 'The extension of a chunk ends with a bare line feed, where some readers end the line.',
    send: post(['transfer-encoding: chunked'], `1a;a=b\n${good}\r\n0\r\n\r\n`),
    ...malformed,
  },
  {
    says: 'The extensions of a chunk never end.',
    send: post(['transfer-encoding: chunked'], `1a;${'a'.repeat(40_000)}\r\n${good}\r\n0\r\n\r\n`),
    ...malformed,
  },
  {
    says: 'A body that Content-Length ends is followed by a second request, after the connection was to be closed.',
    send: post([sized(good)], good + smuggled),
    ...malformed,
  },
  {
    says: 'The credential comes in the trailer of a chunked body, behind whoever looked at the headers.',
    send: ({ tokens }) => {
      const query = '{"query":"{ viewer { actor { name } } }"}';
      const chunks = `${query.length.toString(16)}\r\n${query}\r\n0\r\nauthorization: Bearer ${tokens.root}\r\n\r\n`;
      return post(['transfer-encoding: chunked', 'trailer: authorization'], chunks);
    },
    status: 401,
    code: 'UNAUTHENTICATED',
  },
];

const targets: readonly Attack[] = [
  {
    says: 'Two hosts are named, for a proxy to route by one and the server to check the other.',
    send: post(['host: y', sized(good)]),
    status: 400,
    code: 'BAD_REQUEST',
  },
  { says: 'The protocol is HTTP/0.9.', send: { raw: 'GET /healthz\r\n\r\n' }, status: 400, code: 'BAD_REQUEST' },
  {
    says: 'So many headers come that Node drops some, in the hope that it drops the second credential.',
    send: ({ tokens }) =>
      post([
        `x-auth-token: ${tokens.root}`,
        ...Array.from({ length: 2_500 }, () => 'a:b'),
        'x-auth-token: a.b.c',
        sized(good),
      ]),
    status: 401,
    code: 'UNAUTHENTICATED',
  },
  {
    says: 'The request line names another host, as to a proxy, and the server does not go there but answers itself.',
    send: post([sized(good)], good, 'POST http://evil.example/graphql HTTP/1.1'),
    status: 200,
    data: { __typename: 'Query' },
  },
  {
    says: 'The target is an asterisk.',
    send: post([sized(good)], good, 'POST * HTTP/1.1'),
    status: 404,
    code: 'BAD_REQUEST',
  },
  {
    says: 'A request of HTTP/1.1 names no host.',
    send: { raw: `POST /graphql HTTP/1.1\r\nconnection: close\r\n${sized(good)}\r\n\r\n${good}` },
    ...malformed,
  },
  {
    says: 'The protocol is an unknown version.',
    send: { raw: 'GET /healthz HTTP/9.9\r\nhost: x\r\n\r\n' },
    ...malformed,
  },
  { says: 'The connection begins as HTTP/2.', send: { raw: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' }, ...malformed },
  {
    says: 'The connection asks to become HTTP/2 without a proxy seeing it (h2c).',
    send: {
      raw: `GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close, Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n`,
    },
    status: 200,
    also: ({ text }) => {
      if (!text.endsWith('ok\n')) throw new Error(`it was upgraded: ${text}`);
    },
  },
  {
    says: 'CONNECT asks the server to be a proxy.',
    send: { raw: 'CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\n' },
    status: 0,
  },
  {
    says: 'TRACE asks for the headers back, the credential among them.',
    send: {
      raw: 'TRACE /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer secret-canary\r\nconnection: close\r\n\r\n',
    },
    status: 405,
    code: 'BAD_REQUEST',
    also: ({ text }) => {
      if (text.includes('secret-canary')) throw new Error('the credential came back');
    },
  },
  ...['PUT', 'PATCH', 'DELETE', 'PROPFIND'].map((method) => ({
    says: `${method} carries an operation past rules for POST.`,
    send: { method, headers: json, body: good },
    status: 405,
    code: 'BAD_REQUEST',
  })),
  { says: 'HEAD carries a query.', send: { method: 'HEAD', path: '/graphql?query={__typename}' }, status: 405 },
  {
    says: 'The method is one that nobody knows.',
    send: { raw: `FOO /graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n` },
    ...malformed,
  },
  {
    says: 'The method is written in small letters.',
    send: post([sized(good)], good, 'post /graphql HTTP/1.1'),
    ...malformed,
  },
  {
    says: 'A GET says in a header that it means POST.',
    send: {
      method: 'GET',
      path: `/graphql?query=${encodeURIComponent(changing)}`,
      headers: [...preflighted, 'x-http-method-override', 'POST'],
    },
    status: 405,
    code: 'BAD_REQUEST',
  },
  {
    says: 'A header names another path than the request line, as proxies pass one on.',
    send: {
      path: '/nowhere',
      headers: [...json, 'x-original-url', '/graphql', 'x-rewrite-url', '/graphql'],
      body: good,
    },
    status: 404,
    code: 'BAD_REQUEST',
  },
  ...['//graphql', '/graphql/', '/GraphQL', '/graphql/../graphql', '/graphql;a=b', '/graphql%00', '/graphql%2f..'].map(
    (path) => ({
      says: `The path ${path} gets round rules for /graphql that stand before the server.`,
      send: post([sized(good)], good, `POST ${path} HTTP/1.1`),
      status: 404,
      code: 'BAD_REQUEST',
    }),
  ),
  {
    says: 'The path leads out of the server’s files.',
    send: { raw: 'GET /..%2f..%2f..%2fetc%2fpasswd HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n' },
    status: 404,
    code: 'BAD_REQUEST',
  },
  {
    says: 'The URL is longer than anything the server reads.',
    send: { raw: `GET /graphql?query=${'a'.repeat(40_000)} HTTP/1.1\r\nhost: x\r\n\r\n` },
    status: 431,
  },
  {
    says: 'One header is longer than anything the server reads.',
    send: post([`x-a: ${'a'.repeat(40_000)}`, sized(good)]),
    status: 431,
  },
  {
    says: 'The request id tries to add a header to the answer.',
    send: { headers: [...json, 'x-request-id', 'a%0d%0aset-cookie:%20b=c'], body: good },
    status: 200,
    data: { __typename: 'Query' },
    also: ({ headers }) => {
      if (!/^[0-9a-f]{32}$/.test(String(headers['x-request-id']))) throw new Error('the id was taken over');
      if (headers['set-cookie'] !== undefined) throw new Error('a header was added');
    },
  },
  {
    says: 'The host is a page of the attacker’s, for a link in the answer to lead there.',
    send: {
      raw: 'GET / HTTP/1.1\r\nhost: evil.example\r\nx-forwarded-host: evil.example\r\nconnection: close\r\n\r\n',
    },
    status: 404,
    code: 'BAD_REQUEST',
    also: ({ text }) => {
      if (text.includes('evil.example')) throw new Error('the host came back');
    },
  },
];

export const headAttacks: readonly Attack[] = [...smuggling, ...targets];
