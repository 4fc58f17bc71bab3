import { beforeAll, describe, expect, test } from 'vitest';
import { exchange, type Answer } from '../kit/exchange.js';
import { startHouse, type TestHouse } from '../kit/house.js';

const studio = 'https://studio.apollographql.com';
const body = '{"query":"{ __typename }"}';
const asked = ['access-control-request-method', 'POST', 'access-control-request-headers', 'authorization,content-type'];

let closed: TestHouse;
let open: TestHouse;
beforeAll(async () => {
  closed = await startHouse();
  open = await startHouse({ corsOrigins: [studio, 'http://localhost:3000'] });
});

function preflight(house: TestHouse, origin: string, ...more: readonly string[]): Promise<Answer> {
  return exchange(house.url, { method: 'OPTIONS', headers: ['origin', origin, ...asked, ...more] });
}

function post(house: TestHouse, origin: string): Promise<Answer> {
  return exchange(house.url, { headers: ['origin', origin, 'content-type', 'application/json'], body });
}

function corsOf({ headers }: Answer): readonly string[] {
  return Object.keys(headers).filter((name) => name.startsWith('access-control-'));
}

describe('closed, as by default', () => {
  test('no page is told anything', async () => {
    const answer = await preflight(closed, studio);
    expect(answer.status).toBe(403);
    expect(answer.errors[0]?.message).toBe(
      'pages of this origin may not use the server; its operator can name it in `BAILIWICK_CORS_ORIGINS`',
    );
    expect(corsOf(answer)).toEqual([]);
    expect(corsOf(await post(closed, studio))).toEqual([]);
  });
});

describe('open to some origins', () => {
  test('their pages may ask and read', async () => {
    const answer = await preflight(open, studio);
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': studio,
      'access-control-allow-methods': 'GET, POST',
      vary: 'Origin',
    });
    expect(answer.headers['access-control-allow-headers']).toContain('authorization');
    expect(answer.headers['access-control-allow-headers']).toContain('content-type');
    expect(await post(open, studio)).toMatchObject({
      status: 200,
      headers: { 'access-control-allow-origin': studio, 'access-control-expose-headers': 'X-Request-Id, Retry-After' },
    });
  });

  test('a refusal can be read too, or nobody would learn why', async () => {
    const headers = ['origin', studio, 'content-type', 'application/json'];
    expect(await exchange(open.url, { headers, body: '{' })).toMatchObject({
      status: 400,
      headers: { 'access-control-allow-origin': studio },
    });
  });

  test('cookies are never asked for', async () => {
    expect((await preflight(open, studio)).headers['access-control-allow-credentials']).toBeUndefined();
    expect((await post(open, studio)).headers['access-control-allow-credentials']).toBeUndefined();
  });

  test.each([
    'https://studio.apollographql.com.evil.example',
    'https://evil.example',
    'http://studio.apollographql.com',
    'https://studio.apollographql.com:8443',
    'HTTPS://STUDIO.APOLLOGRAPHQL.COM',
    'null',
    '*',
  ])('the page of %s is told nothing', async (origin) => {
    const refused = await preflight(open, origin);
    expect(refused.status).toBe(403);
    expect(corsOf(refused)).toEqual([]);
    const answer = await post(open, origin);
    expect(corsOf(answer)).toEqual([]);
    // Or a cache could give this answer to a page that may read it, and the other way round.
    expect(answer.headers['vary']).toContain('Origin');
  });

  test('a page on the internet may reach a server on this machine, if it asks for just that', async () => {
    const answer = await preflight(open, studio, 'access-control-request-private-network', 'true');
    expect(answer.headers['access-control-allow-private-network']).toBe('true');
    expect((await preflight(open, studio)).headers['access-control-allow-private-network']).toBeUndefined();
  });

  test('OPTIONS from no page at all says what can be sent', async () => {
    const answer = await exchange(open.url, { method: 'OPTIONS' });
    expect(answer).toMatchObject({ status: 204, headers: { allow: 'GET, POST, OPTIONS' } });
    expect(corsOf(answer)).toEqual([]);
  });
});
