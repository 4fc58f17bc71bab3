/**
 * Guards of Express and Fastify routes: real frameworks, real signatures, and a real Bailiwick that is stopped and
 * started again.
 */
import { createServer, request as send, type Server } from 'node:http';
import { connect, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { fastify } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  actorOf,
  captureBody,
  captureFastifyBody,
  createClient,
  guardExpress,
  guardFastify,
  guarded,
  signRequest,
  type Credentials,
  type Refusal,
} from '../../src/sdk/index.js';
import { startHouse, type TestHouse } from '../kit/house.js';
import { Job, reading, writing, type TemporaryKey } from '../kit/job.js';

let house: TestHouse;
let job: Job;
let key: TemporaryKey;
const refusals: Refusal[] = [];
const servers: Server[] = [];
const urls: Record<'express' | 'fastify', string> = { express: '', fastify: '' };

const hostOf = (server: Server): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  house = await startHouse();
  job = await Job.set(house);
  key = await job.credential();
  const client = createClient({
    url: house.url,
    credentials: job.storage,
    scope: { account: job.accountId },
    timeout: 1_000,
  });
  const onRefusal = (refusal: Refusal): void => void refusals.push(refusal);
  const urnOf = (name: unknown): string => `obs::${job.accountId}:object:bucket/${String(name)}`;

  const one = express();
  one.use(express.raw({ type: () => true, verify: captureBody }));
  one.get('/objects/:name', guardExpress(client, { action: reading, onRefusal }), (request, response) => {
    response.json({ actor: actorOf(request).description, decided: guarded(request)?.decision.reason });
  });
  one.put(
    '/objects/:name',
    guardExpress(client, { action: writing, resource: ({ params }) => urnOf(params['name']) }),
    (request, response) => void response.json({ length: (request.body as Buffer).length }),
  );
  one.post('/objects/:name', guardExpress(client, { action: reading, onRefusal }), (_request, response) => {
    response.json({ posted: true });
  });
  one.get(
    '/workspaces/:workspace/objects/:name',
    guardExpress(client, {
      action: reading,
      resource: ({ params }) => urnOf(params['name']),
      workspaceId: ({ params }) => String(params['workspace']),
    }),
    (_request, response) => void response.json({ there: true }),
  );
  const expressServer = createServer(one);

  const other = fastify();
  other.addHook('preParsing', captureFastifyBody);
  other.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  other.get('/objects/:name', { preHandler: guardFastify(client, { action: reading, onRefusal }) }, (request) => ({
    actor: actorOf(request).description,
    decided: guarded(request)?.decision.reason,
  }));
  other.post('/objects/:name', { preHandler: guardFastify(client, { action: reading, onRefusal }) }, () => ({
    posted: true,
  }));
  other.put(
    '/objects/:name',
    {
      preHandler: guardFastify(client, {
        action: writing,
        resource: ({ params }) => urnOf((params as { name: string }).name),
      }),
    },
    (request) => ({ length: (request.body as Buffer).length }),
  );
  await other.ready();

  await new Promise<void>((resolve) => expressServer.listen(0, '127.0.0.1', resolve));
  await other.listen({ host: '127.0.0.1', port: 0 });
  servers.push(expressServer, other.server);
  urls.express = `http://${hostOf(expressServer)}`;
  urls.fastify = `http://${hostOf(other.server)}`;
  await job.change('updateService', { id: job.storage.id, hosts: servers.map(hostOf) });
});

afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Record<string, unknown> & { readonly error?: Record<string, unknown> };
}

/** Exactly these bytes; nothing is added but what HTTP needs. */
async function call(url: string, method: string, headers: Record<string, string>, body?: string): Promise<Told> {
  return new Promise((resolve, reject) => {
    const sent = send(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const { statusCode: status = 0, headers: told } = response;
        resolve({ status, headers: told, body: JSON.parse(text) as Told['body'] });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

let count = 0;
function signed(credentials: Credentials, method: string, url: string, body?: string): Promise<Told> {
  const headers = { 'x-nonce': String((count += 1)), ...(body === undefined ? {} : { 'content-type': 'text/plain' }) };
  const all = signRequest({ method, url, headers, body, credentials, at: house.iam.now() });
  return call(url, method, all, body);
}

const temporary = (): Credentials => ({ ...key, expiresAt: Date.parse(key.expiresAt) });

describe.each(['express', 'fastify'] as const)('a route of %s', (framework) => {
  const at = (path: string): string => `${urls[framework]}${path}`;

  it('lets through who may, and tells the handler who it is', async () => {
    expect(await signed(temporary(), 'GET', at('/objects/a%20b?part=2&part=1'))).toMatchObject({
      status: 200,
      body: { actor: 'agency jobs assumed by service modelarts on behalf of user ursula', decided: 'ALLOWED' },
    });
  });

  it('refuses who may not, and says what and why', async () => {
    const told = await signed(temporary(), 'PUT', at('/objects/c'), 'content');
    expect(told).toMatchObject({
      status: 403,
      body: {
        error: {
          code: 'FORBIDDEN',
          action: writing,
          reason: 'NO_MATCHING_ALLOW',
          requestId: expect.any(String) as string,
          message: expect.stringMatching(/ask an administrator/) as string,
        },
      },
    });
    expect(told.headers['content-type']).toMatch(/json/);
  });

  it('asks for a credential, and for a good one', async () => {
    expect(await call(at('/objects/c'), 'GET', {})).toMatchObject({
      status: 401,
      body: { error: { code: 'UNAUTHENTICATED', action: reading } },
    });
    const forged = { ...temporary(), secretAccessKey: 'x'.repeat(40) };
    expect(await signed(forged, 'GET', at('/objects/c'))).toMatchObject({
      status: 401,
      body: { error: { message: expect.stringMatching(/signature fail/) as string } },
    });
    expect(await call(at('/objects/c'), 'GET', { authorization: 'Bearer nonsense' })).toMatchObject({
      status: 401,
      body: { error: { reason: 'CREDENTIAL_REVOKED' } },
    });
  });

  it('takes a token that was made for this service, and not the user’s own way in', async () => {
    const own = await house.signIn(job.user, { workspace: job.lab });
    const { switchScope } = await house.gql<{ switchScope: { token: string } }>(
      own,
      'mutation S($input: SwitchScopeInput!) { switchScope(input: $input) { token userErrors { message } } }',
      { input: { scope: { workspace: job.lab }, audience: job.storage.id } },
    );
    const told = await call(at('/objects/c'), 'GET', { authorization: `Bearer ${switchScope.token}` });
    expect(told).toMatchObject({ status: 403, body: { error: { reason: 'NO_MATCHING_ALLOW' } } });
    const { nodes } = (
      await house.gql<{ policies: { nodes: { id: string }[] } }>(
        job.scene.token,
        '{ policies(filter: { name: "reads-objects" }) { nodes { id } } }',
      )
    ).policies;
    const grant = await job.scene.grant(nodes[0]?.id ?? '', { user: job.user.id }, { account: true });
    expect(await call(at('/objects/c'), 'GET', { 'x-auth-token': switchScope.token })).toMatchObject({
      status: 200,
      body: { actor: 'user ursula' },
    });
    await job.change('revokeGrant', { id: grant });
  });

  it('holds the bytes of the body against the signature, and takes what changes something once', async () => {
    const url = at('/objects/d');
    const headers = signRequest({
      method: 'POST',
      url,
      headers: { 'content-type': 'text/plain' },
      body: 'the content',
      credentials: temporary(),
      at: house.iam.now(),
    });
    expect(await call(url, 'POST', headers, 'other bytes')).toMatchObject({ status: 401 });
    expect(await call(url, 'POST', headers, 'the content')).toMatchObject({ status: 200, body: { posted: true } });
    expect(await call(url, 'POST', headers, 'the content')).toMatchObject({
      status: 401,
      body: { error: { message: expect.stringMatching(/received before/) as string } },
    });
  });
});

describe('over HTTP/2, where no header needs to announce a body', () => {
  /** As whoever saw a signed request pass would send it again: in HTTP/2, where the host is not called so. */
  async function over2(server: Http2Server, headers: Record<string, string>, body?: string) {
    const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    try {
      const stream = session.request({ ':method': 'POST', ':path': '/objects/e', ...headers }, { endStream: false });
      stream.end(body);
      let status = 0;
      stream.on('response', (told) => (status = Number(told[':status'])));
      let text = '';
      for await (const chunk of stream) text += String(chunk);
      return { status, text };
    } finally {
      session.close();
    }
  }

  it.each([true, false])(
    'a body that was not signed is refused, whether its bytes were captured (%s)',
    async (captures) => {
      const client = createClient({ url: house.url, credentials: job.storage, scope: { account: job.accountId } });
      const app = fastify({ http2: true });
      if (captures) app.addHook('preParsing', captureFastifyBody);
      app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
      app.post(
        '/objects/:name',
        { preHandler: guardFastify(client, { action: reading, once: false }) as never },
        (request) => ({
          body: String(request.body),
        }),
      );
      await app.listen({ host: '127.0.0.1', port: 0 });
      try {
        const host = `127.0.0.1:${(app.server.address() as AddressInfo).port}`;
        await job.change('updateService', { id: job.storage.id, hosts: [...servers.map(hostOf), host] });
        const url = `http://${host}/objects/e`;
        const sign = (body?: string) => ({
          host,
          'content-type': 'text/plain',
          ...signRequest({ method: 'POST', url, body, credentials: temporary(), at: house.iam.now() }),
        });
        expect(await over2(app.server, sign(), 'nobody signed this')).toMatchObject({ status: captures ? 401 : 500 });
        // Control: what was signed.
        const told = await over2(app.server, sign('signed'), 'signed');
        expect(told).toEqual(captures ? { status: 200, text: '{"body":"signed"}' } : { ...told, status: 500 });
      } finally {
        await app.close();
      }
    },
  );
});

it('a route that is about one workspace refuses a credential of another', async () => {
  const at = (workspace: string): string => `${urls.express}/workspaces/${workspace}/objects/a`;
  expect(await signed(temporary(), 'GET', at(job.lab))).toMatchObject({ status: 200, body: { there: true } });
  expect(await signed(temporary(), 'GET', at('0'))).toMatchObject({
    status: 403,
    body: { error: { reason: 'WORKSPACE_CLOSED' } },
  });
});

it('what cannot be asked about is the sender’s mistake, and not an outage', async () => {
  const told = await signed(temporary(), 'GET', `${urls.express}/workspaces/${job.lab}/objects/a%2A`);
  expect(told).toMatchObject({
    status: 400,
    body: { error: { code: 'BAD_REQUEST', message: expect.stringMatching(/is no URN of one thing/) as string } },
  });
});

it('refuses a body that nobody hashed, and says how to have it hashed', async () => {
  const server = createServer(
    express().post(
      '/x',
      guardExpress(createClient({ url: house.url, credentials: job.storage, scope: { account: job.accountId } }), {
        action: reading,
      }),
    ),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  const told = await signed(temporary(), 'POST', `http://${hostOf(server)}/x`, 'content');
  expect(told).toMatchObject({
    status: 500,
    body: { error: { code: 'BODY_NOT_SEEN', message: expect.stringMatching(/captureBody/) as string } },
  });
});

it('denies when this service may not ask, and keeps from the sender why', async () => {
  const powerless = await job.service({ name: 'powerless', hosts: [] });
  const app = express();
  const seen: Refusal[] = [];
  const client = createClient({ url: house.url, credentials: powerless, scope: { account: job.accountId } });
  app.get('/x', guardExpress(client, { action: reading, onRefusal: (refusal) => void seen.push(refusal) }));
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  const told = await signed(temporary(), 'GET', `http://${hostOf(server)}/x`);
  expect(told).toMatchObject({
    status: 503,
    body: { error: { code: 'PERMISSIONS_UNAVAILABLE', reason: 'FORBIDDEN' } },
  });
  expect(told.headers['retry-after']).toBe('2');
  expect(seen[0]?.cause).toMatchObject({ action: 'bailiwick:requests:authenticate' });
});
