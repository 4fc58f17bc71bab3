/** Apollo Studio: what its Sandbox and Explorer send from a page on the internet, as a browser lets them. */
import { buildClientSchema, getIntrospectionQuery, type IntrospectionQuery } from 'graphql';
import { beforeAll, describe, expect, test } from 'vitest';
import { readSettings } from '../../src/settings.js';
import { exchange, type Answer } from '../kit/exchange.js';
import { startHouse, type TestHouse } from '../kit/house.js';

const studio = 'https://studio.apollographql.com';

let house: TestHouse;
let token: string;
beforeAll(async () => {
  house = await startHouse({ corsOrigins: readSettings({ BAILIWICK_STUDIO: 'on' }).corsOrigins });
  token = await house.signIn(house.root);
});

/** As a browser asks before a request with these headers, from a page on the internet to a server on loopback. */
function preflight(requested: readonly string[]): Promise<Answer> {
  return exchange(house.url, {
    method: 'OPTIONS',
    headers: [
      ...['origin', studio, 'access-control-request-method', 'POST'],
      ...['access-control-request-headers', requested.join(','), 'access-control-request-private-network', 'true'],
      ...['sec-fetch-mode', 'cors', 'sec-fetch-site', 'cross-site', 'sec-fetch-dest', 'empty', 'accept', '*/*'],
    ],
  });
}

/** What a browser compares: every header that is not safelisted must be named in the answer (Fetch, section 4.8). */
function admits({ headers }: Answer, requested: readonly string[]): boolean {
  const allowed = String(headers['access-control-allow-headers']).toLowerCase().split(', ');
  return requested.every((name) => allowed.includes(name));
}

function send(headers: readonly string[], body: object): Promise<Answer> {
  const page = ['origin', studio, 'referer', `${studio}/`, 'sec-fetch-mode', 'cors', 'sec-fetch-site', 'cross-site'];
  return exchange(house.url, {
    headers: [...page, 'accept', '*/*', 'content-type', 'application/json', ...headers],
    body: JSON.stringify(body),
  });
}

describe('the preflight', () => {
  test.each([
    ['an operation', ['content-type']],
    ['an operation with the token among the shared headers', ['authorization', 'content-type']],
    ['the same with the other header for tokens', ['content-type', 'x-auth-token']],
    ['a request that asks to be asked about', ['apollo-require-preflight', 'content-type']],
    [
      'clients that name themselves',
      ['apollographql-client-name', 'apollographql-client-version', 'content-type', 'x-apollo-operation-name'],
    ],
    [
      'explorers that ask for plans and traces by habit',
      ['apollo-expose-query-plan', 'apollo-query-plan-experimental', 'content-type', 'x-apollo-tracing'],
    ],
  ])('of %s is answered so that a browser goes on', async (_what, requested) => {
    const answer = await preflight(requested);
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': studio,
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-private-network': 'true',
    });
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    expect(admits(answer, requested)).toBe(true);
  });

  test('does not admit headers that only something between here and there may set', async () => {
    for (const name of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'host', 'cookie']) {
      expect(admits(await preflight([name]), [name])).toBe(false);
    }
  });
});

describe('the schema', () => {
  const query = getIntrospectionQuery({ inputValueDeprecation: true });

  test('is read with a token, whole enough to build a client’s schema of', async () => {
    const answer = await send(['authorization', `Bearer ${token}`], { operationName: 'IntrospectionQuery', query });
    expect(answer.status).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBe(studio);
    expect(answer.errors).toEqual([]);
    const schema = buildClientSchema(answer.data as unknown as IntrospectionQuery);
    expect(schema.getQueryType()?.getFields()).toHaveProperty('viewer');
    expect(schema.getMutationType()?.getFields()).toHaveProperty('signIn');
  });

  test('is refused without one, in an answer that the page can read', async () => {
    const answer = await send([], { operationName: 'IntrospectionQuery', query });
    expect(answer.status).toBeLessThan(500);
    expect(answer.headers['access-control-allow-origin']).toBe(studio);
    expect(answer.data?.['__schema'] ?? null).toBeNull();
    expect(answer.errors[0]?.message).toMatch(/credential|sign in|permission/);
  });

  test('the question whether anybody is there is answered to everybody', async () => {
    expect(await send([], { query: '{ __typename }' })).toMatchObject({ status: 200, data: { __typename: 'Query' } });
  });
});

test('an operation with variables and a null operation name answers as anywhere else', async () => {
  const body = {
    operationName: null,
    query: 'query ($n: Int) { viewer { account { name } } users(first: $n) { nodes { name } } }',
    variables: { n: 1 },
  };
  const answer = await send(['authorization', `Bearer ${token}`, 'apollo-require-preflight', 'true'], body);
  expect(answer.status).toBe(200);
  expect(answer.data).toMatchObject({ viewer: { account: { name: 'default' } } });
});
