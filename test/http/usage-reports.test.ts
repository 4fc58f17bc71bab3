/** What leaves for Apollo: nothing without a key of ours, and with one no value, token, header or message. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { exchange } from '../kit/exchange.js';
import { startHouse, type TestHouse } from '../kit/house.js';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The protobuf, unpacked. */
  readonly bytes: Buffer;
}

/** In the place of Apollo's server. */
let fake: Server;
let endpointUrl: string;
const received: Received[] = [];

beforeAll(async () => {
  fake = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ path: request.url ?? '', headers: request.headers, bytes: gunzipSync(Buffer.concat(chunks)) });
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => fake.once('listening', resolve));
  endpointUrl = `http://127.0.0.1:${(fake.address() as AddressInfo).port}`;
});
afterAll(() => fake.close());
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  received.length = 0;
});

const canary = {
  variable: 'canary-of-a-variable',
  literal: 'canary-of-a-literal',
  alias: 'canaryOfAnAlias',
  client: 'canary-of-a-client-name',
  header: 'canary-of-a-header',
  invalid: 'canary-of-a-document-that-does-not-fit',
  broken: 'canary-of-a-document-that-is-none',
} as const;

/** Every way a value can come in, and answers with every kind of error. */
async function useApi(house: TestHouse): Promise<readonly string[]> {
  const token = await house.signIn(house.root, 'account');
  const headers = [
    ...['content-type', 'application/json', 'authorization', `Bearer ${token}`],
    ...['apollographql-client-name', canary.client, 'apollographql-client-version', canary.client],
    ...['x-request-id', canary.header, 'user-agent', canary.header],
  ];
  const messages: string[] = [];
  const ask = async (query: string, variables: object = {}): Promise<void> => {
    const { errors } = await exchange(house.url, { headers, body: JSON.stringify({ query, variables }) });
    messages.push(...errors.map(({ message }) => message));
  };
  await ask('query ReportedByName($n: String) { users(filter: { nameContains: $n }) { nodes { name } } }', {
    n: canary.variable,
  });
  await ask(
    `query ReportedLiteral { ${canary.alias}: users(filter: { nameContains: "${canary.literal}" }) { nodes { id } } }`,
  );
  await ask(`{ users(filter: { nameContains: "${canary.invalid}" }) { nodes { ${canary.alias} } } }`);
  await ask(`{ users(filter: { nameContains: "${canary.broken}" `);
  // Refused in the middle of an answer: a permission of account scope, asked for without a credential.
  const refused = await house.ask(null, 'query ReportedRefusal { viewer { actor { name } } }');
  messages.push(...refused.errors.map(({ message }) => message));
  expect(messages).toHaveLength(3);
  return [token, house.root.password, ...messages];
}

describe('without a key', () => {
  test.each([
    ['none of Apollo’s variables', {}],
    ['a key and a graph of Apollo’s', { APOLLO_KEY: 'service:g:k', APOLLO_GRAPH_REF: 'g@current' }],
    ['reporting of the schema switched on', { APOLLO_KEY: 'service:g:k', APOLLO_SCHEMA_REPORTING: 'true' }],
    ['a graph named twice, which Apollo Server refuses', { APOLLO_GRAPH_REF: 'g@current', APOLLO_GRAPH_ID: 'g' }],
    ['a key that no header can carry, which it refuses too', { APOLLO_KEY: 'k\u0001k' }],
  ])('nothing is sent anywhere, with %s in the environment', async (_what, environment) => {
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    const fetched = vi.spyOn(globalThis, 'fetch');
    const house = await startHouse();
    await useApi(house);
    await house.stop();
    expect(fetched).not.toHaveBeenCalled();
    expect(house.log.join('')).not.toMatch(/[Aa]pollo/);
  });
});

describe('with a key', () => {
  const key = 'service:bailiwick-test:key';

  test('counts of operations are sent, and no value, token, header or message with them', async () => {
    // Apollo's own variables neither add to what we say nor contradict it.
    vi.stubEnv('APOLLO_GRAPH_ID', 'other');
    vi.stubEnv('APOLLO_KEY', 'service:other:key');
    const house = await startHouse({ reports: { key, graphRef: 'bailiwick-test@current', endpointUrl } });
    const secrets = await useApi(house);
    // What is still to be reported is sent before the server ends.
    await house.stop();
    expect(received.length).toBeGreaterThan(0);
    for (const { path, headers } of received) {
      expect(path).toBe('/api/ingress/traces');
      expect(headers['x-api-key']).toBe(key);
    }
    const sent = Buffer.concat(received.map(({ bytes }) => bytes)).toString('latin1');
    for (const name of ['bailiwick-test@current', 'ReportedByName', 'ReportedLiteral', 'ReportedRefusal', 'SignIn']) {
      expect(sent).toContain(name);
    }
    for (const secret of [...Object.values(canary), ...secrets, house.root.id]) expect(sent).not.toContain(secret);
    expect(house.log.join('')).not.toContain(key);
  });

  test('a remote server that fails does not keep this one from answering or ending', async () => {
    const nowhere = createServer((_request, response) => response.writeHead(500).end('no')).listen(0, '127.0.0.1');
    await new Promise((resolve) => nowhere.once('listening', resolve));
    const { port } = nowhere.address() as AddressInfo;
    const reports = { key, graphRef: 'bailiwick-test@current', endpointUrl: `http://127.0.0.1:${port}` };
    const house = await startHouse({ reports });
    expect((await house.ask(null, '{ __typename }')).status).toBe(200);
    await house.stop();
    nowhere.close();
    expect(house.log.join('')).toContain('a usage report could not be sent to Apollo');
    expect(house.log.join('')).not.toContain(key);
  });
});
