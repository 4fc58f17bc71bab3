/** What is counted, through real requests; and that nothing but counts can be read. */
import { connect, createServer, type AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import fastify from 'fastify';
import { createMetrics, serveMetrics } from '../../src/http/index.js';
import { exchange, post } from '../kit/exchange.js';
import { startHouse } from '../kit/house.js';
import { startProgram } from '../kit/program.js';
import { setScene } from '../kit/scene.js';

const signIn = (userName: string, password: string) => ({
  query: 'mutation M($input: SignInInput!) { signIn(input: $input) { token userErrors { code } } }',
  variables: { input: { account: 'default', userName, password } },
});

describe('metrics', () => {
  it('count requests, operations, decisions, sign-ins and lockouts, by names from closed lists', async () => {
    const metrics = createMetrics();
    const house = await startHouse({ metrics });
    const scene = await setScene(house);
    await house.gql(scene.token, 'mutation { setAuthorizationMode(input: { mode: STRICT }) { userErrors { code } } }');
    const ann = await scene.user('ann');
    const token = await house.signIn(ann, 'account');
    await house.ask(token, '{ users { nodes { name } } }');
    await house.ask(token, '{ viewer { id } }');
    await house.ask(null, '{ viewer { account { name } } }');
    await exchange(house.origin + '/somewhere/secret', { method: 'GET' });
    await exchange(house.url, { method: 'DELETE' });
    for (let i = 0; i < 5; i += 1) await post(house.url, null, signIn('ann', 'Wrong-password-1'));
    const text = await metrics.text();
    const value = (line: string): number =>
      Number(
        text
          .split('\n')
          .find((found) => found.startsWith(`${line} `))
          ?.slice(line.length + 1) ?? NaN,
      );
    expect(value('bailiwick_http_requests_total{method="GET",route="none",status="404"}')).toBe(1);
    expect(value('bailiwick_http_requests_total{method="other",route="none",status="405"}')).toBe(1);
    expect(value('bailiwick_http_requests_total{method="POST",route="/graphql",status="401"}')).toBe(1);
    expect(value('bailiwick_operations_total{kind="query",code="FORBIDDEN"}')).toBe(1);
    expect(value('bailiwick_operations_total{kind="query",code="UNAUTHENTICATED"}')).toBe(1);
    expect(value('bailiwick_operations_total{kind="mutation",code="OK"}')).toBeGreaterThan(3);
    expect(value('bailiwick_decisions_total{effect="DENY",reason="NO_MATCHING_ALLOW"}')).toBeGreaterThan(0);
    expect(value('bailiwick_decisions_total{effect="ALLOW",reason="ROOT"}')).toBeGreaterThan(0);
    expect(value('bailiwick_sign_ins_total{outcome="SUCCEEDED"}')).toBe(2);
    expect(value('bailiwick_sign_ins_total{outcome="CREDENTIALS_INVALID"}')).toBe(5);
    expect(value('bailiwick_lockouts_total{what="USER"}')).toBe(1);
    expect(value('bailiwick_http_request_duration_seconds_count{route="/graphql"}')).toBeGreaterThan(10);
    expect(text).not.toMatch(/ann|admin|secret|127\.0\.0\.1|Wrong/);
  });

  it('count a key that bad signatures locked', async () => {
    const metrics = createMetrics();
    const house = await startHouse({ metrics });
    const { KeyLocks } = await import('../../src/iam/index.js');
    const locks = new KeyLocks();
    const failures = [1, 2, 3, 4, 5].map(() => locks.noteFailure('KEY', '10.0.0.1', 1));
    expect(failures).toEqual([false, false, false, false, true]);
    const authorization = 'SDK-HMAC-SHA256 Access=AKIAIOSFODNN7EXAMPLE, SignedHeaders=x-sdk-date, Signature=';
    const date = new Date(house.iam.now()).toISOString().replace(/[-:]|\.\d{3}/g, '');
    for (let i = 0; i < 5; i += 1) {
      await exchange(house.url, {
        headers: [
          ...['content-type', 'application/json', 'x-sdk-date', date],
          ...['authorization', authorization + 'a'.repeat(64)],
        ],
        body: '{"query":"{ __typename }"}',
      });
    }
    expect(await metrics.text()).toContain('bailiwick_lockouts_total{what="ACCESS_KEY"} 1\n');
  });
});

describe('the listener of metrics', () => {
  const log = fastify({ logger: false }).log;

  it.each([
    { says: 'a body that is no JSON', type: 'application/json', body: '{', status: 400 },
    { says: 'a body past any size', type: 'application/json', body: ' '.repeat(1_100_000), status: 413 },
    { says: 'a body of another type', type: 'application/xml', body: '<a/>', status: 404 },
  ])('refuses $says as the mistake of who sent it', async ({ type, body, status }) => {
    const listener = await serveMetrics(createMetrics(), '127.0.0.1', 0, log);
    const answer = await exchange(listener.url, { method: 'POST', headers: ['content-type', type], body });
    await listener.stop();
    expect([answer.status, answer.text]).toEqual([status, 'the metrics are at /metrics\n']);
  });

  it('ends while somebody is connected who asks nothing', async () => {
    const listener = await serveMetrics(createMetrics(), '127.0.0.1', 0, log);
    const socket = connect(Number(new URL(listener.url).port), '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await new Promise((resolve) => socket.once('connect', resolve));
    expect((await exchange(listener.url, { method: 'GET' })).status).toBe(200);
    await listener.stop();
    await closed;
  });
});

describe('the program', () => {
  const folders: string[] = [];
  afterAll(async () => {
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  });
  const place = async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bailiwick-metrics-'));
    folders.push(folder);
    return { PORT: '0', DATABASE_URL: `sqlite:${join(folder, 'test.db')}`, SECRET_KEY_FILE: join(folder, 'key') };
  };

  it('serves them on a port of their own when asked to, and never beside the API', async () => {
    const running = startProgram('main.ts', [], { settings: { ...(await place()), METRICS_PORT: '0' } });
    const [, api = ''] = await running.until(/listening on (\S+)\/graphql/);
    const [, url = ''] = await running.until(/metrics at (\S+)/);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
    const counts = await exchange(url, { method: 'GET' });
    expect(counts.status).toBe(200);
    expect(counts.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(counts.text).toContain('process_cpu_seconds_total');
    expect((await exchange(url.replace('/metrics', '/graphql'), { method: 'GET' })).status).toBe(404);
    expect((await exchange(`${api}/metrics`, { method: 'GET' })).status).toBe(404);
    running.kill('SIGTERM');
    expect((await running.ended).status).toBe(0);
  });

  it('does not start when that port is taken, and says which setting to change', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const running = startProgram('main.ts', [], { settings: { ...(await place()), METRICS_PORT: String(port) } });
    const ended = await running.ended;
    other.close();
    expect(ended.status).not.toBe(0);
    expect(ended.stderr).toContain(
      `port ${port} of 127.0.0.1 is in use; stop the other program, or set BAILIWICK_METRICS_PORT`,
    );
  });
});
