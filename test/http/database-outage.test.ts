/** A database that is stopped and started while the server runs: what requests are told, and that all goes on by itself. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { errorsOf, post } from '../kit/exchange.js';
import { startHouse, type TestHouse } from '../kit/house.js';
import { brokenLine } from '../store/broken-line.js';
import { startPostgres, type PostgresServer } from '../store/databases.js';

let server: PostgresServer;
let house: TestHouse;

beforeAll(async () => {
  server = await startPostgres();
  house = await startHouse({
    database: 'postgres',
    databaseUrl: server.urlOf('postgres'),
    limits: { connectionWait: 2_000 },
  });
});
afterAll(async () => {
  await house.stop();
  await server.stop();
});

const viewer = '{ viewer { actor { name } } }';
const makeGroup =
  'mutation M($name: String!) { createGroup(input: { name: $name }) { group { name } userErrors { code } } }';

const readiness = async () => {
  const response = await fetch(`${house.origin}/readyz`);
  return { status: response.status, text: await response.text() };
};

async function within<T>(ask: () => Promise<T>, isAnswer: (answer: T) => boolean): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    const answer = await ask();
    if (isAnswer(answer) || attempt === 200) return answer;
    await pause(50);
  }
}

it('the server stays up without its database, says so, and goes on when it is back', async () => {
  const token = await house.signIn(house.root, 'account');
  expect(await readiness()).toEqual({ status: 200, text: 'ok\n' });
  await server.halt();
  const signIn = {
    query: 'mutation M($input: SignInInput!) { signIn(input: $input) { token userErrors { code } } }',
    variables: { input: { account: house.root.account, userName: house.root.name, password: house.root.password } },
  };
  const requests = [
    { token, body: { query: viewer } },
    { token, body: { query: makeGroup, variables: { name: 'never' } } },
    { token: null, body: signIn },
  ];
  for (const request of requests) {
    const answer = await post(house.url, request.token, request.body);
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('5');
    expect(answer.data ?? null).toBeNull();
    expect(errorsOf(answer)).toMatchObject([
      {
        message: 'the database does not answer just now; try again in a few seconds',
        extensions: { code: 'UNAVAILABLE', retryAfter: 5 },
      },
    ]);
    // Neither addresses nor words of a driver.
    expect(JSON.stringify(answer)).not.toMatch(/ECONN|127\.0\.0\.1:|terminat|stack/i);
  }
  expect(await readiness()).toEqual({ status: 503, text: 'the database does not answer\n' });
  expect((await fetch(`${house.origin}/healthz`)).status).toBe(200);
  // The operator reads what stood in the way.
  expect(house.log.join('')).toMatch(/ECONNREFUSED|ECONNRESET|57P0|Connection terminated/);
  expect(house.log.join('')).not.toContain('a defect was masked');

  await server.resume();
  const back = await within(readiness, ({ status }) => status === 200);
  expect(back.status).toBe(200);
  expect(await house.gql(token, viewer)).toMatchObject({ viewer: { actor: { name: house.root.name } } });
  await house.gql(token, makeGroup, { name: 'after' });
  const { groups } = await house.gql<{ groups: { nodes: { name: string }[] } }>(
    token,
    '{ groups(first: 10) { nodes { name } } }',
  );
  expect(groups.nodes.map(({ name }) => name).sort()).toEqual(['admin', 'after']);
});

it('a change that was made and cannot be read any more is not said to have failed', async () => {
  const line = await brokenLine(house.databaseUrl);
  const there = await startHouse({ beside: house, databaseUrl: line.url, limits: { connectionWait: 2_000 } });
  const token = await there.signIn(there.root, 'account');
  const forget = there.iam.store.onCommit(() => line.shut());
  const answer = await post(there.url, token, { query: makeGroup, variables: { name: 'made' } });
  forget();
  expect(answer.status).toBe(503);
  expect(answer.headers['retry-after']).toBeUndefined();
  expect(errorsOf(answer)).toMatchObject([
    {
      message: 'the change was made, but its result cannot be read just now; read it before you try again',
      extensions: { code: 'OUTCOME_UNKNOWN', requestId: answer.headers['x-request-id'] },
    },
  ]);
  line.mend();
  const { groups } = await there.gql<{ groups: { nodes: { name: string }[] } }>(
    token,
    '{ groups(first: 10) { nodes { name } } }',
  );
  expect(groups.nodes.map(({ name }) => name)).toContain('made');
  await there.stop();
  await line.close();
});
