/**
 * GraphQL over HTTP to the letter: the audit suite of the `graphql-http` package against a real server, and the rows of
 * the specification that it leaves out.
 */
import { serverAudits } from 'graphql-http';
import { beforeAll, describe, expect, it } from 'vitest';
import { codesOf, exchange, type Answer } from '../kit/exchange.js';
import { startHouse, type TestHouse } from '../kit/house.js';

const json = 'application/json; charset=utf-8';
const graphql = 'application/graphql-response+json; charset=utf-8';

let house: TestHouse;
let token = '';
beforeAll(async () => {
  house = await startHouse();
  token = await house.signIn(house.root);
});

function auditsAs(headers: () => Readonly<Record<string, string>>) {
  return serverAudits({
    url: () => house.url,
    fetchFn: async (url: string, options: RequestInit = {}) =>
      fetch(url, { ...options, headers: { ...(options.headers as Record<string, string>), ...headers() } }),
  });
}

describe('the audit suite, signed in and with the preflight header', () => {
  const audits = auditsAs(() => ({ authorization: `Bearer ${token}`, 'apollo-require-preflight': 'true' }));

  it('has 61 audits', () => {
    expect(audits).toHaveLength(61);
  });

  it.each(audits)('$id $name', async ({ fn }) => {
    const result = await fn();
    expect(result.status, result.status === 'ok' ? '' : result.reason).toBe('ok');
  });
});

describe('the audit suite, signed in and without the preflight header', () => {
  const audits = auditsAs(() => ({ authorization: `Bearer ${token}` }));
  const binding = audits.filter(({ name }) => /^(MUST|SHOULD) /.test(name));

  it('binds by most of its audits', () => {
    expect(binding.length).toBeGreaterThan(35);
  });

  it.each(binding)('$id $name', async ({ fn }) => {
    const result = await fn();
    expect(result.status, result.status === 'ok' ? '' : result.reason).toBe('ok');
  });

  it('fails by nothing but GET, which a page could send without being asked first', async () => {
    const failed: string[] = [];
    for (const { id, name, fn } of audits) {
      if ((await fn()).status === 'ok') continue;
      expect(name).toMatch(/^MAY .*GET/);
      failed.push(id);
    }
    expect(failed.sort()).toEqual(['5A70', '6A70', 'D6D5']);
  });
});

interface Sent {
  readonly accept?: string;
  readonly query?: string;
  readonly variables?: object;
  readonly token?: string | null;
}

async function send({ accept, query = '{ __typename }', variables, token: own = token }: Sent): Promise<Answer> {
  return exchange(house.url, {
    headers: [
      'content-type',
      'application/json',
      ...(accept === undefined ? [] : ['accept', accept]),
      ...(own === null ? [] : ['authorization', `Bearer ${own}`]),
    ],
    body: JSON.stringify({ query, variables }),
  });
}

describe('the media type of an answer', () => {
  it.each<readonly [string | undefined, string]>([
    [undefined, json],
    ['', json],
    ['*/*', json],
    ['application/*', json],
    ['application/json', json],
    ['Application/JSON', json],
    ['application/json; charset=utf-8', json],
    ['application/json;charset="UTF-8"', json],
    ['application/graphql-response+json', graphql],
    ['APPLICATION/GraphQL-Response+JSON', graphql],
    ['application/graphql-response+json; charset=utf-8', graphql],
    ['application/graphql-response+json, application/json;q=0.9', graphql],
    ['application/json;q=0.9, application/graphql-response+json', graphql],
    ['application/json;q=0.9, application/graphql-response+json;q=0.8', json],
    ['application/graphql-response+json, application/json', graphql],
    ['application/json, application/graphql-response+json', json],
    ['application/graphql-response+json;q=0.001', graphql],
    ['application/json;q=0, */*', graphql],
    ['application/graphql-response+json;q=0, */*;q=0.1', json],
    ['*/*;q=0.1, application/graphql-response+json', graphql],
    ['text/html, application/xhtml+xml, application/json;q=0.5', json],
    ['text/html, */*;q=0.1', json],
    // Apollo's clients ask for answers in parts as well, which there are none of.
    ['multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json;q=0.9', graphql],
    ['application/json; callbackSpec=1.0, application/json', json],
  ])('for Accept %j is %s', async (accept, contentType) => {
    const answer = await send({ accept });
    expect({ status: answer.status, type: answer.headers['content-type'] }).toEqual({ status: 200, type: contentType });
    expect(answer.data).toEqual({ __typename: 'Query' });
  });

  it.each([
    'text/html',
    'image/png',
    'application/jsonp',
    'application/graphql+json',
    'multipart/mixed',
    'text/*',
    '*/*;q=0',
    'application/json;q=0',
    'application/json; charset=utf-16',
    'application/json; callbackSpec=1.0',
    'application/json;q=0, application/graphql-response+json;q=0.0, text/plain',
    'nonsense',
    ',',
  ])('for Accept %j is none: 406', async (accept) => {
    const answer = await send({ accept });
    expect({ status: answer.status, type: answer.headers['content-type'] }).toEqual({ status: 406, type: json });
    expect(codesOf(answer)).toEqual(['BAD_REQUEST']);
  });

  it('is settled before anything happens: a mutation whose answer cannot be read changes nothing', async () => {
    const own = await house.signIn(house.root);
    expect((await send({ accept: 'text/html', query: 'mutation { signOut { endedAt } }', token: own })).status).toBe(
      406,
    );
    expect((await send({ query: '{ viewer { actor { name } } }', token: own })).status).toBe(200);
  });

  it('is that of refusals by the transport too', async () => {
    for (const [accept, contentType] of [
      ['application/graphql-response+json', graphql],
      ['application/json', json],
      ['*/*', json],
    ] as const) {
      const headers = ['content-type', 'application/json', 'accept', accept];
      const answer = await exchange(house.url, { headers, body: '{' });
      expect({ status: answer.status, type: answer.headers['content-type'] }).toEqual({
        status: 400,
        type: contentType,
      });
    }
    const elsewhere = await exchange(`${house.origin}/nowhere`, {
      method: 'GET',
      headers: ['accept', 'application/graphql-response+json'],
    });
    expect(elsewhere.headers['content-type']).toBe(json);
  });
});

describe('the status of an answer', () => {
  const coercion = { query: 'query C($id: ID!) { node(id: $id) { id } }', variables: { id: null } };

  it.each<readonly [string, Sent, string]>([
    ['a document that does not parse', { query: '{' }, 'GRAPHQL_PARSE_FAILED'],
    ['a document that does not validate', { query: '{ nonsense }' }, 'GRAPHQL_VALIDATION_FAILED'],
    ['a variable that cannot be coerced', coercion, 'BAD_USER_INPUT'],
    [
      'an operation that cannot be determined',
      { query: 'query A { __typename } query B { __typename }' },
      'OPERATION_RESOLUTION_FAILURE',
    ],
  ])('for %s is 400, but 200 for clients that name application/json; there is no data', async (_what, sent, code) => {
    for (const [accept, status] of [
      ['application/graphql-response+json', 400],
      ['application/graphql-response+json, application/json;q=0.9', 400],
      ['application/json', 200],
      ['application/json;q=0.5, text/html', 200],
      ['*/*', 400],
      [undefined, 400],
    ] as const) {
      const answer = await send({ ...sent, accept });
      expect({ accept, status: answer.status, codes: codesOf(answer) }).toEqual({ accept, status, codes: [code] });
      expect(answer.text).not.toContain('"data"');
    }
  });

  it('is the one of the refusal for limits and credentials, whatever media type is named', async () => {
    const aliases = `{ ${Array.from({ length: 40 }, (_, index) => `a${index}: __typename`).join(' ')} }`;
    for (const accept of ['application/json', 'application/graphql-response+json']) {
      expect(await send({ accept, query: aliases })).toMatchObject({ status: 400 });
      expect(await send({ accept, token: 'a.b.c' })).toMatchObject({ status: 401 });
      expect(await send({ accept, token: null, query: '{ viewer { actor { name } } }' })).toMatchObject({
        status: 401,
      });
      expect(await send({ accept, token: null, query: '{ __schema { description } }' })).toMatchObject({ status: 400 });
    }
  });

  it('is 401 without data when nothing could be answered without a credential', async () => {
    const answer = await send({ token: null, query: '{ viewer { actor { name } } users { totalCount } }' });
    expect({ status: answer.status, codes: codesOf(answer) }).toEqual({
      status: 401,
      codes: ['UNAUTHENTICATED', 'UNAUTHENTICATED'],
    });
    expect(answer.text).not.toContain('"data"');
  });

  it('is 200 when something was: an answer with data is a success, at least in part', async () => {
    const answer = await send({ token: null, query: '{ __typename viewer { actor { name } } }' });
    expect({ status: answer.status, codes: codesOf(answer) }).toEqual({ status: 200, codes: ['UNAUTHENTICATED'] });
    expect(answer.data).toEqual({ __typename: 'Query', viewer: null });
  });

  it('is 405 for a mutation by GET, with the methods that are allowed', async () => {
    for (const accept of ['application/json', 'application/graphql-response+json', '*/*']) {
      const query = encodeURIComponent('mutation { signOut { endedAt } }');
      const answer = await exchange(`${house.url}?query=${query}`, {
        method: 'GET',
        headers: ['accept', accept, 'apollo-require-preflight', 'true', 'authorization', `Bearer ${token}`],
      });
      expect({ status: answer.status, allow: answer.headers['allow'] }).toEqual({ status: 405, allow: 'POST' });
    }
  });
});

describe('the parameters of a GET', () => {
  const get = (search: string): Promise<Answer> =>
    exchange(`${house.url}?${search}`, { method: 'GET', headers: ['apollo-require-preflight', 'true'] });

  it.each([
    'query={__typename}&variables=&extensions=&operationName=',
    'query={__typename}&variables=null&extensions=null',
    'query={__typename}&variables={}&extensions={}',
    'query=query+Q{__typename}&operationName=Q',
    'query={__typename}&unknown=1&unknown=2',
    'query=query+null{__typename}&operationName=null',
  ])('%s: answered', async (search) => {
    expect(await get(search)).toMatchObject({ status: 200, data: { __typename: 'Query' } });
  });

  it.each([
    'query=',
    'variables={}',
    'query={__typename}&variables=[]',
    'query={__typename}&variables=1',
    'query={__typename}&variables={',
    'query={__typename}&query={__typename}',
    'query={__typename}&operationName=Nobody',
    'query=%ff',
  ])('%s: 400', async (search) => {
    expect(await get(search)).toMatchObject({ status: 400 });
  });
});

describe('the media type of a body', () => {
  it.each([
    ['another charset behind a blank', ['content-type', 'application/json; charset =utf-16']],
    ['two charsets', ['content-type', 'application/json; charset=utf-8; charset=utf-16']],
    ['two headers', ['content-type', 'application/json', 'content-type', 'text/plain']],
    ['two equal headers', ['content-type', 'application/json', 'content-type', 'application/json']],
  ])('%s: 415', async (_what, headers) => {
    const answer = await exchange(house.url, { headers, body: '{"query":"{ __typename }"}' });
    expect({ status: answer.status, codes: codesOf(answer) }).toEqual({ status: 415, codes: ['BAD_REQUEST'] });
  });
});
