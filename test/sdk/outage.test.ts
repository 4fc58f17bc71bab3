/**
 * Bailiwick is stopped and started again, as a process of its own: every guard denies meanwhile, says why, and lets through
 * again by itself.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createSocket, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { fastify } from 'fastify';
import { buildSchema, graphql } from 'graphql';
import { afterAll, expect, it } from 'vitest';
import {
  BailiwickUnreachable,
  createClient,
  guardExpress,
  guardFastify,
  guardSchema,
  permissionTypeDefs,
  signRequest,
} from '../../src/sdk/index.js';
import { post } from '../kit/exchange.js';
import { startProgram, type Running } from '../kit/program.js';

const servers: Server[] = [];
let folder = '';
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await rm(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const socket = createSocket().listen(0, '127.0.0.1');
  await new Promise((resolve) => socket.once('listening', resolve));
  const { port } = socket.address() as AddressInfo;
  await new Promise((resolve) => socket.close(resolve));
  return port;
}

it('denies while nobody answers, says why, and recovers', async () => {
  folder = await mkdtemp(join(tmpdir(), 'bailiwick-outage-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/graphql`;
  const start = async (): Promise<Running> => {
    const running = startProgram('main.ts', [], {
      settings: {
        PORT: String(port),
        DATABASE_URL: `sqlite:${join(folder, 'test.db')}`,
        SECRET_KEY_FILE: join(folder, 'secret.key'),
        ADMIN_PASSWORD: 'Outage password 1',
      },
    });
    await running.until(/listening on (\S+)/);
    return running;
  };
  const stop = async (running: Running): Promise<void> => {
    running.kill('SIGTERM');
    expect((await running.ended).status).toBe(0);
  };

  const first = await start();
  const ask = async (token: string | null, query: string, variables: object = {}) => {
    const { data, text } = await post(url, token, { query, variables });
    if (data === null) throw new Error(text);
    return data as Record<string, Record<string, unknown>>;
  };
  const signIn = await ask(
    null,
    'mutation S($input: SignInInput!) { signIn(input: $input) { token viewer { account { id } } } }',
    {
      input: { account: 'default', userName: 'admin', password: 'Outage password 1', scope: { account: true } },
    },
  );
  const token = signIn['signIn']?.['token'] as string;
  const nodeId = (signIn['signIn']?.['viewer'] as { account: { id: string } }).account.id;
  const account = Buffer.from(nodeId, 'base64url').toString().slice('Account:'.length);
  const routes = [await freePort(), await freePort()].map((free) => `127.0.0.1:${free}`);
  const made = await ask(
    token,
    'mutation C($input: CreateServiceInput!) { made: createService(input: $input) { accessKeyId secretAccessKey service { id } } }',
    {
      input: { name: 'storage', hosts: routes },
    },
  );
  const { accessKeyId, secretAccessKey, service } = made['made'] as {
    accessKeyId: string;
    secretAccessKey: string;
    service: { id: string };
  };
  const policy = await ask(
    token,
    'mutation P($document: JSON!) { made: createPolicy(input: { name: "asks", document: $document }) { policy { id } } }',
    {
      document: {
        Version: '1.1',
        Statement: [{ Effect: 'Allow', Action: ['bailiwick:requests:authenticate', 'bailiwick:access:check'] }],
      },
    },
  );
  await ask(token, 'mutation G($input: GrantPolicyInput!) { grantPolicy(input: $input) { grant { id } } }', {
    input: {
      policyId: (policy['made']?.['policy'] as { id: string }).id,
      subject: { service: service.id },
      scope: { all: true },
    },
  });
  const key = await ask(
    token,
    'mutation { made: createAccessKey(input: {}) { accessKey { accessKeyId } secretAccessKey } }',
  );
  const root = {
    accessKeyId: (key['made']?.['accessKey'] as { accessKeyId: string }).accessKeyId,
    secretAccessKey: key['made']?.['secretAccessKey'] as string,
  };

  const client = createClient({
    url,
    credentials: { accessKeyId, secretAccessKey },
    scope: { account },
    timeout: 1_000,
  });
  const action = 'obs:object:GetObject';
  const one = createServer(
    express().get('/x', guardExpress(client, { action }), (_request, response) => void response.end('{}')),
  );
  const other = fastify();
  other.get('/x', { preHandler: guardFastify(client, { action }) }, () => ({}));
  await other.ready();
  const [onePort, otherPort] = routes.map((host) => Number(host.split(':')[1]));
  await new Promise<void>((resolve) => one.listen(onePort, '127.0.0.1', resolve));
  await other.listen({ host: '127.0.0.1', port: otherPort ?? 0 });
  servers.push(one, other.server);
  const schema = guardSchema<{ token: string }>(
    buildSchema(`${permissionTypeDefs} type Query { x: String @permission(action: "${action}") }`),
    { client, account, sender: ({ token: shown }) => ({ token: shown }) },
  );

  const answers = async (): Promise<readonly string[]> => {
    const ofRoutes = await Promise.all(
      routes.map(async (host) => {
        const address = `http://${host}/x`;
        const headers = signRequest({ method: 'GET', url: address, credentials: root });
        const response = await fetch(address, { headers });
        const { error } = (await response.json()) as { error?: { code: string; reason: string; message: string } };
        const retry = response.headers.get('retry-after') ?? '-';
        return error === undefined ? `${response.status}` : `${response.status} ${error.code} ${error.reason} ${retry}`;
      }),
    );
    const result = await graphql({ schema, source: '{ x }', rootValue: { x: 'there' }, contextValue: { token } });
    const [error] = result.errors ?? [];
    return [...ofRoutes, error === undefined ? String(result.data?.['x']) : String(error.extensions['code'])];
  };
  const good = ['200', '200', 'there'];
  const denied = [
    '503 PERMISSIONS_UNAVAILABLE UNREACHABLE 2',
    '503 PERMISSIONS_UNAVAILABLE UNREACHABLE 2',
    'PERMISSIONS_UNAVAILABLE',
  ];

  expect(await answers()).toEqual(good);
  await stop(first);
  expect(await answers()).toEqual(denied);
  expect(await answers()).toEqual(denied);
  await expect(client.request('{ viewer { scope { kind } } }')).rejects.toThrow(BailiwickUnreachable);
  const second = await start();
  expect(await answers()).toEqual(good);
  await stop(second);
  expect(await answers()).toEqual(denied);
  const third = await start();
  expect(await answers()).toEqual(good);
  await stop(third);
}, 60_000);
