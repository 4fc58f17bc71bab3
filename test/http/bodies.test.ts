/** What stands between a socket and an operation: methods, media types, bodies, query strings. All refusals are 4xx. */
import { gzipSync } from 'node:zlib';
import { connect } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { bodyLimit } from '../../src/http/index.js';
import { codesOf, exchange, type Answer, type Exchange } from '../kit/exchange.js';
import { startHouse, type TestHouse } from '../kit/house.js';

const json = ['content-type', 'application/json'];
const preflighted = ['apollo-require-preflight', '1'];
const good = '{"query":"{ __typename }"}';

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse();
});

function expectRefused(answer: Answer, status: number, message: string): void {
  expect({ status: answer.status, message: answer.errors[0]?.message }, answer.text).toEqual({ status, message });
  expect(codesOf(answer)).toEqual(['BAD_REQUEST']);
  expect(answer.data).toBeNull();
}

describe('bodies', () => {
  test.each<readonly [string, string | Uint8Array | undefined, string]>([
    ['none', undefined, 'the request has no body; send a JSON object with `query`'],
    ['empty', '', 'the request has no body; send a JSON object with `query`'],
    ['cut off', '{"query": "{ __typena', 'the body is not JSON; send one JSON object'],
    ['two objects', `${good}${good}`, 'the body is not JSON; send one JSON object'],
    ['a comma too many', '{"query":"{ __typename }",}', 'the body is not JSON; send one JSON object'],
    ['NaN', '{"query":"{ __typename }","variables":{"a":NaN}}', 'the body is not JSON; send one JSON object'],
    ['bare GraphQL', '{ __typename }', 'the body is not JSON; send one JSON object'],
    ['a raw NUL', '{"query":"{ __typename }\0"}', 'the body is not JSON; send one JSON object'],
    ['a byte order mark', `\ufeff${good}`, 'the body is not JSON; send one JSON object'],
    ['null', 'null', 'the body is not a JSON object; send one with `query`'],
    ['a string', '"{ __typename }"', 'the body is not a JSON object; send one with `query`'],
    ['a number', '1', 'the body is not a JSON object; send one with `query`'],
    ['UTF-16', Buffer.from(good, 'utf16le'), 'the body is not JSON; send one JSON object'],
    [
      'broken UTF-8',
      Buffer.concat([Buffer.from('{"query":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]),
      'the body is not UTF-8; encode it so',
    ],
    [
      'overlong UTF-8',
      Buffer.concat([Buffer.from('{"query":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]),
      'the body is not UTF-8; encode it so',
    ],
    [
      'a surrogate in UTF-8',
      Buffer.concat([Buffer.from('{"query":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
      'the body is not UTF-8; encode it so',
    ],
    ['a name twice', '{"query":"{ a }","query":"{ __typename }"}', twice('the body')],
    ['a name twice, once escaped', '{"query":"{ a }","quer\\u0079":"{ __typename }"}', twice('the body')],
    [
      'a name twice, deep inside',
      '{"query":"{ __typename }","variables":{"a":[{"b":{"c":1,"d":{},"c":2}}]}}',
      twice('the body'),
    ],
    ['an empty name twice', '{"query":"{ __typename }","":1,"":2}', twice('the body')],
    [
      'sixty-five levels',
      `{"query":"{ __typename }","variables":{"a":${'['.repeat(63)}${']'.repeat(63)}}}`,
      'the body is nested deeper than 64 levels; flatten it',
    ],
    [
      'a hundred thousand levels',
      `{"query":"{ __typename }","variables":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`,
      'the body is nested deeper than 64 levels; flatten it',
    ],
  ])('%s: refused', async (_what, body, message) => {
    expectRefused(await exchange(house.url, { headers: json, body }), 400, message);
  });

  test.each([
    ['equal names in different objects', '{"query":"{ __typename }","variables":{"a":{"x":1},"b":{"x":1}}}'],
    ['a name that looks like one in a string', '{"query":"{ __typename }","variables":{"a":"\\",\\"a\\":1"},"b":"a"}'],
    ['values that equal names', '{"query":"{ __typename }","variables":{"a":["a","a","b"],"b":"a"}}'],
    ['white space', ` \r\n\t${good}\n`],
    ['sixty-four levels', `{"query":"{ __typename }","variables":{"a":${'['.repeat(62)}${']'.repeat(62)}}}`],
  ])('%s: taken', async (_what, body) => {
    const answer = await exchange(house.url, { headers: json, body });
    expect(answer.status, answer.text).toBe(200);
  });

  test('members that GraphQL needs are asked for by the GraphQL server, with 400 each', async () => {
    for (const body of [
      '{}',
      '[]',
      `[${good}]`,
      '{"query":1}',
      '{"query":""}',
      '{"query":["{ __typename }"]}',
      '{"query":"{ __typename }","variables":"{}"}',
      '{"query":"{ __typename }","variables":[]}',
      '{"query":"{ __typename }","extensions":1}',
      '{"query":"{ __typename }","operationName":1}',
      '{"query":"{ __typename }","operationName":"Nobody"}',
      '{"query":"query A { __typename } query B { __typename }"}',
      '{"query":"{"}',
      '{"query":"{ nonsense }"}',
    ]) {
      const answer = await exchange(house.url, { headers: json, body });
      expect(answer.status, `${body}: ${answer.text}`).toBe(400);
      expect(answer.errors).toHaveLength(1);
      expect(answer.text).not.toContain('stacktrace');
    }
  });

  test('documents are not kept: a client that sends only the hash of one learns to send the document', async () => {
    const body = '{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"a"}}}';
    // 200 because clients of this protocol look for the code in an answer, not for a status.
    const answer = await exchange(house.url, { headers: json, body });
    expect({ status: answer.status, codes: codesOf(answer) }).toEqual({
      status: 200,
      codes: ['PERSISTED_QUERY_NOT_SUPPORTED'],
    });
  });

  test('a member named __proto__ changes nothing, wherever it stands', async () => {
    const polluted =
      '{"__proto__":{"polluted":"yes"},"query":"{ __typename }","constructor":{"prototype":{"polluted":"yes"}}}';
    expect(await exchange(house.url, { headers: json, body: polluted })).toMatchObject({ status: 200 });
    const fromPrototype = await exchange(house.url, {
      headers: json,
      body: '{"__proto__":{"query":"{ __typename }"}}',
    });
    expect(fromPrototype.status).toBe(400);
    const query = 'mutation M($input: SignInInput!) { signIn(input: $input) { token } }';
    const input = '{"__proto__":{"account":"default"},"userName":"admin","password":"x"}';
    const body = `{"query":${JSON.stringify(query)},"variables":{"input":${input}}}`;
    const asInput = await exchange(house.url, { headers: json, body });
    expect({ status: asInput.status, codes: new Set(codesOf(asInput)) }, asInput.text).toEqual({
      status: 400,
      codes: new Set(['BAD_USER_INPUT']),
    });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test.each([
    ['U+0000', '\\u0000'],
    ['half of a surrogate pair', '\\ud800'],
  ])('%s in a variable or in a document is bad input, not a defect', async (_what, escape) => {
    const query = 'mutation M($input: SignInInput!) { signIn(input: $input) { token } }';
    const input = `{"account":"a${escape}","userName":"admin","password":"x"}`;
    const inVariable = await exchange(house.url, {
      headers: json,
      body: `{"query":"${query}","variables":{"input":${input}}}`,
    });
    expect(codesOf(inVariable), inVariable.text).toEqual(['BAD_USER_INPUT']);
    const literal = `mutation { signIn(input: {account: \\"a\\${escape}\\", userName: \\"admin\\", password: \\"x\\"}) { token } }`;
    const inDocument = await exchange(house.url, { headers: json, body: `{"query":"${literal}"}` });
    expect(['BAD_USER_INPUT', 'GRAPHQL_PARSE_FAILED'], inDocument.text).toContain(codesOf(inDocument)[0]);
    expect(inDocument.data).toBeNull();
  });

  test('a body of the longest length is read, one byte more is not', async () => {
    const padded = good.padEnd(bodyLimit, ' ');
    expect((await exchange(house.url, { headers: json, body: padded })).status).toBe(200);
    const message = 'the body is larger than 1048576 bytes; split the request';
    expectRefused(await exchange(house.url, { headers: json, body: `${padded} ` }), 413, message);
  });

  test('a body in chunks that grows too long is cut off', async () => {
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    const head =
      'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n';
    expect(await raw(head + chunk.repeat(17))).toMatch(/^HTTP\/1\.1 413 /);
  });
});

describe('media types', () => {
  test.each<readonly [string, readonly string[], string]>([
    ['none', [], 'the request has no `Content-Type`; send `application/json`'],
    ['text/plain', ['content-type', 'text/plain'], 'the `Content-Type` is not JSON; send `application/json`'],
    [
      'a form',
      ['content-type', 'application/x-www-form-urlencoded'],
      'the `Content-Type` is not JSON; send `application/json`',
    ],
    [
      'a form with files',
      ['content-type', 'multipart/form-data; boundary=x'],
      'the `Content-Type` is not JSON; send `application/json`',
    ],
    [
      'bare GraphQL',
      ['content-type', 'application/graphql'],
      'the `Content-Type` is not JSON; send `application/json`',
    ],
    ['nearly JSON', ['content-type', 'application/jsonp'], 'the `Content-Type` is not JSON; send `application/json`'],
    ['no type at all', ['content-type', 'nonsense'], 'the `Content-Type` is not JSON; send `application/json`'],
    [
      'two of them',
      ['content-type', 'text/plain, application/json'],
      'the `Content-Type` is not JSON; send `application/json`',
    ],
    [
      'another charset',
      ['content-type', 'application/json; charset=utf-16'],
      'the charset is not UTF-8; JSON is sent in UTF-8',
    ],
  ])('%s: refused with 415, though the body is in order', async (_what, headers, message) => {
    expectRefused(await exchange(house.url, { headers: [...headers, ...preflighted], body: good }), 415, message);
  });

  test.each([
    'application/json',
    'Application/JSON',
    'application/json;charset=UTF-8',
    'application/json; charset="utf-8"',
  ])('%s: taken', async (contentType) => {
    const answer = await exchange(house.url, { headers: ['content-type', contentType], body: good });
    expect(answer.status, answer.text).toBe(200);
  });

  test('a compressed body is refused before anybody unfolds it', async () => {
    const body = gzipSync(good.padEnd(10_000_000, ' '));
    const answer = await exchange(house.url, { headers: [...json, 'content-encoding', 'gzip'], body });
    expectRefused(answer, 415, 'compressed bodies are not accepted; send the body as it is');
  });

  test('an answer that nobody can read is not sent', async () => {
    const answer = await exchange(house.url, { headers: [...json, 'accept', 'image/png'], body: good });
    expect(answer.status).toBe(406);
  });
});

describe('methods and paths', () => {
  test.each(['PUT', 'PATCH', 'DELETE', 'HEAD', 'PROPFIND'])('%s is not answered', async (method) => {
    const answer = await exchange(house.url, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers['allow']).toBe('GET, POST, OPTIONS');
  });

  test('a path that is not there says where the API is', async () => {
    const answer = await exchange(`${house.origin}/graph`, { method: 'GET' });
    expectRefused(answer, 404, 'there is nothing here; the API is at `/graphql`');
  });

  test('a path that cannot be decoded, and what is not HTTP, get 400', async () => {
    expect(await raw('GET /%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await raw('NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(
      await raw(
        'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      ),
    ).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('a header that is too long gets 431', async () => {
    expect(await raw(`GET / HTTP/1.1\r\nhost: x\r\nx-a: ${'a'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
  });
});

describe('GET', () => {
  const get = (search: string, options: Exchange = {}): Promise<Answer> =>
    exchange(`${house.url}${search}`, { method: 'GET', headers: preflighted, ...options });

  test('answers a query', async () => {
    expect(await get('?query=%7B__typename%7D')).toMatchObject({ status: 200, data: { __typename: 'Query' } });
  });

  test('never runs a mutation', async () => {
    const query = 'mutation { signIn(input: {account: "default", userName: "admin", password: "x"}) { token } }';
    const answer = await get(`?query=${encodeURIComponent(query)}`);
    expect(answer.status).toBe(405);
    expect(answer.headers['allow']).toBe('POST');
    expect(answer.data).toBeNull();
  });

  test('is refused to pages that were not asked first (CSRF)', async () => {
    for (const headers of [[], ['content-type', 'text/plain'], ['apollo-require-preflight', '']]) {
      const answer = await get('?query=%7B__typename%7D', { headers });
      expect(answer.status).toBe(400);
      expect(answer.errors[0]?.message).toContain('Cross-Site Request Forgery');
    }
  });

  test.each([
    ['?query=%7B__typename%7D&query=%7Ba%7D', "The 'query' search parameter may only be specified once."],
    ['?query=%7B__typename%7D&variables=%7B', 'the parameter `variables` is not JSON; send one JSON object'],
    ['?query=%7B__typename%7D&variables=%7B%22a%22:1,%22a%22:2%7D', twice('the parameter `variables`')],
    ['?query=%7B__typename%7D%ff', 'the query string is not UTF-8 in percent escapes; encode it so'],
    ['?query=%7B__typename%7D%', 'the query string is not UTF-8 in percent escapes; encode it so'],
  ])('%s is refused', async (search, message) => {
    expectRefused(await get(search), 400, message);
  });
});

describe('every answer', () => {
  test('forbids to be kept, framed, sniffed and rendered', async () => {
    for (const answer of [
      await exchange(house.url, { headers: json, body: good }),
      await exchange(house.url, { headers: json, body: '{' }),
      await exchange(`${house.origin}/nowhere`, { method: 'GET' }),
      await exchange(`${house.origin}/healthz`, { method: 'GET' }),
    ]) {
      expect(answer.headers).toMatchObject({
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      });
      expect(answer.headers['x-powered-by']).toBeUndefined();
    }
  });

  test('names its request: by the id that was sent if it is sane, else by a new one', async () => {
    const idOf = async (...headers: readonly string[]): Promise<unknown> => {
      const answer = await exchange(house.url, { headers: [...json, ...headers], body: '{' });
      expect(answer.errors[0]?.extensions['requestId']).toBe(answer.headers['x-request-id']);
      return answer.headers['x-request-id'];
    };
    expect(await idOf('x-request-id', 'my-request.1:2_3')).toBe('my-request.1:2_3');
    const made = /^[0-9a-f]{32}$/;
    expect(await idOf()).toMatch(made);
    expect(await idOf('x-request-id', '')).toMatch(made);
    expect(await idOf('x-request-id', 'a'.repeat(65))).toMatch(made);
    expect(await idOf('x-request-id', '<script>')).toMatch(made);
    expect(await idOf('x-request-id', 'a b')).toMatch(made);
    expect(await idOf('x-request-id', 'a', 'x-request-id', 'b')).toMatch(made);
  });
});

function twice(what: string): string {
  return `${what} has a name twice in one object, and readers would differ on which counts; keep one`;
}

/** What comes back for these bytes, until the server has nothing more to say. */
async function raw(bytes: string): Promise<string> {
  const { hostname, port } = new URL(house.url);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\r\n\r\n')) socket.end();
    });
    // The server may hang up while the rest is still being sent.
    socket.on('error', (error) => (text === '' ? reject(error) : resolve(text)));
    socket.on('close', () => resolve(text));
  });
}
