/** What the socket takes, from whom, and how much of it. */
import { connect } from 'node:net';
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createMetrics, documentId, trustDocuments, usualSocketLimits } from '../../src/http/index.js';
import { usualThrottle } from '../../src/graphql/index.js';
import { startHouse, type HouseOptions, type TestHouse } from '../kit/house.js';
import {
  clientOf,
  listen,
  openInitialised,
  openRaw,
  until,
  type RawOptions,
  type RawSocket,
} from '../kit/listening.js';
import { setScene } from '../kit/scene.js';

const recorded = 'subscription { auditEventRecorded { operation } }';
const subscribe = (id: string, query = recorded, more: object = {}) => ({
  id,
  type: 'subscribe',
  payload: { query, ...more },
});

const opened: RawSocket[] = [];
afterEach(() => {
  for (const socket of opened.splice(0)) socket.end();
});

async function raw(house: TestHouse, options?: RawOptions): Promise<RawSocket> {
  const socket = await openRaw(house, options);
  opened.push(socket);
  return socket;
}

async function initialised(house: TestHouse, token: string): Promise<RawSocket> {
  const socket = await openInitialised(house, token);
  opened.push(socket);
  return socket;
}

async function started(options: HouseOptions = {}): Promise<{ house: TestHouse; token: string }> {
  const house = await startHouse(options);
  onTestFinished(() => house.stop());
  return { house, token: await house.signIn(house.root, 'account') };
}

const codesIn = (message: Readonly<Record<string, unknown>>): unknown =>
  (message['payload'] as readonly { readonly extensions: { readonly code: string } }[]).map(
    ({ extensions }) => extensions.code,
  );

describe('the socket', () => {
  let house: TestHouse;
  let token: string;
  beforeAll(async () => {
    house = await startHouse({ corsOrigins: ['https://console.example'] });
    token = await house.signIn(house.root, 'account');
  });

  it.each([
    { says: 'as `Authorization`', payload: (good: string) => ({ Authorization: `Bearer ${good}` }) },
    { says: 'as `authorization`', payload: (good: string) => ({ authorization: `bearer ${good}` }) },
    { says: 'as `token`', payload: (good: string) => ({ token: good }) },
    { says: 'twice the same', payload: (good: string) => ({ token: good, Authorization: `Bearer ${good}` }) },
  ])('takes a token $says', async ({ payload }) => {
    const socket = await raw(house);
    socket.send({ type: 'connection_init', payload: payload(token) });
    expect(await socket.message()).toEqual({ type: 'connection_ack' });
  });

  it('takes a token of the request that opened it', async () => {
    for (const headers of [{ authorization: `Bearer ${token}` }, { 'x-auth-token': token }] as Record<
      string,
      string
    >[]) {
      const socket = await raw(house, { headers });
      socket.send({ type: 'connection_init' });
      expect(await socket.message()).toEqual({ type: 'connection_ack' });
    }
  });

  it.each([
    { says: 'none', payload: () => ({}), code: 4401 },
    { says: 'one that is not ours', payload: () => ({ token: 'abc.def.ghi' }), code: 4403 },
    { says: 'another scheme', payload: () => ({ Authorization: 'Basic YTpi' }), code: 4403 },
    { says: 'no text', payload: () => ({ token: { $ne: null } }), code: 4403 },
    {
      says: 'two that differ',
      payload: (good: string) => ({ token: good, Authorization: 'Bearer abc.def.ghi' }),
      code: 4403,
    },
  ])('closes a connection whose credential is $says', async ({ payload, code }) => {
    const socket = await raw(house);
    socket.send({ type: 'connection_init', payload: payload(token) });
    const { code: closed, reason } = await socket.closed;
    expect(closed).toBe(code);
    expect(reason).not.toContain('abc.def');
  });

  it('closes a connection whose header and parameters disagree', async () => {
    const socket = await raw(house, { headers: { authorization: `Bearer ${token}` } });
    socket.send({ type: 'connection_init', payload: { token: await house.signIn(house.root) } });
    expect(await socket.closed).toMatchObject({ code: 4403 });
  });

  it('refuses a token that was made for a service', async () => {
    const scene = await setScene(house);
    const made = await house.gql<{ createService: { service: { id: string } } }>(
      scene.token,
      'mutation { createService(input: { name: "hearer" }) { service { id } userErrors { code } } }',
    );
    const { switchScope } = await house.gql<{ switchScope: { token: string } }>(
      token,
      'mutation S($id: ID!) { switchScope(input: { scope: { account: true }, audience: $id }) { token userErrors { code } } }',
      { id: made.createService.service.id },
    );
    const socket = await raw(house);
    socket.send({ type: 'connection_init', payload: { token: switchScope.token } });
    expect(await socket.closed).toMatchObject({ code: 4403 });
  });

  it.each([
    { says: 'another origin', headers: { origin: 'https://evil.example' }, status: 403 },
    { says: 'no origin that can be read', headers: { origin: 'null' }, status: 403 },
    { says: 'another path', path: '/elsewhere', status: 404 },
  ])('is not opened for $says', async ({ headers = {}, path, status }) => {
    const options = { headers, ...(path === undefined ? {} : { path }) };
    await expect(raw(house, options)).rejects.toThrow(`status ${status}`);
  });

  it('is opened for pages of the server itself, and of origins that are named', async () => {
    for (const origin of [house.origin, 'https://console.example']) {
      expect((await raw(house, { headers: { origin } })).socket.protocol).toBe('graphql-transport-ws');
    }
  });

  it.each([[[]], [['graphql-ws']]])('is closed with 4406 for the subprotocols %j', async (protocols) => {
    // The client fails on a protocol that was not chosen; without one it opens and is closed.
    const answer = raw(house, { protocols }).then((socket) => socket.closed);
    if (protocols.length > 0) await expect(answer).rejects.toThrow();
    else expect(await answer).toMatchObject({ code: 4406 });
  });

  it.each([
    { says: 'no JSON', data: '{', code: 4400 },
    { says: 'no object', data: '[]', code: 4400 },
    { says: 'null', data: 'null', code: 4400 },
    { says: 'a name twice', data: '{"type":"ping","type":"connection_init"}', code: 4400 },
    { says: 'deep nesting', data: '['.repeat(20_000) + ']'.repeat(20_000), code: 4400 },
    { says: 'an unknown type', data: '{"type":"constructor"}', code: 4400 },
    { says: 'a type of servers', data: '{"type":"next","id":"a","payload":{}}', code: 4400 },
    { says: 'bytes', data: new Uint8Array([1, 2, 3]), code: 4400 },
    { says: 'a payload that is none', data: '{"type":"subscribe","id":"a","payload":1}', code: 4400 },
    {
      says: 'more than a message may have',
      data: `{"type":"ping","payload":{"a":"${'x'.repeat(70_000)}"}}`,
      code: 1009,
    },
  ])('is closed by $says, before and after somebody is there', async ({ data, code }) => {
    for (const socket of [await raw(house), await initialised(house, token)]) {
      socket.sendRaw(data);
      expect(await socket.closed).toMatchObject({ code });
    }
  });

  it('is closed by frames that are none, and by text that is not UTF-8', async () => {
    const garbage = await initialised(house, token);
    const { _socket: wire } = garbage.socket as unknown as { _socket: { write(data: Uint8Array): void } };
    wire.write(new Uint8Array([0xff, 0xff, 0xff, 0xff, 0x00]));
    expect((await garbage.closed).code).toBe(1002);
    const latin = await initialised(house, token);
    latin.socket.send(Buffer.from([0x22, 0xe9, 0x22]), { binary: false });
    expect((await latin.closed).code).toBe(1007);
    expect(house.log.filter((line) => line.includes('"level":50'))).toEqual([]);
  });

  it('is closed when it begins twice, and when it subscribes before it has begun', async () => {
    const twice = await initialised(house, token);
    twice.send({ type: 'connection_init' });
    expect(await twice.closed).toMatchObject({ code: 4429 });
    const early = await raw(house);
    early.send(subscribe('a'));
    expect(await early.closed).toMatchObject({ code: 4401 });
  });

  it('is closed when an id is used twice at once', async () => {
    const socket = await initialised(house, token);
    for (const _ of [1, 2]) socket.send(subscribe('__proto__'));
    expect(await socket.closed).toMatchObject({ code: 4409 });
  });

  it('answers a ping, and ends a subscription that is completed', async () => {
    const socket = await initialised(house, token);
    socket.send({ type: 'ping', payload: { a: 1 } });
    expect(await socket.message()).toEqual({ type: 'pong', payload: { a: 1 } });
    const before = house.log.length;
    socket.send(subscribe('a'));
    await until(() => house.log.slice(before).some((line) => line.includes('subscription began')));
    socket.send({ id: 'a', type: 'complete' });
    await until(() => house.log.slice(before).some((line) => line.includes('subscription ended')));
  });

  const deep = `subscription { auditEventRecorded { actor { ${'assumedBy { '.repeat(11)} id ${'} '.repeat(11)} } } }`;
  it.each([
    {
      says: 'a query',
      query: '{ viewer { actor { name } } }',
      code: 'BAD_REQUEST',
      message: /send a query by HTTP POST/,
    },
    { says: 'a mutation', query: 'mutation { signOut { endedAt } }', code: 'BAD_REQUEST', message: /by HTTP POST/ },
    { says: 'no GraphQL', query: 'subscription {', code: 'GRAPHQL_PARSE_FAILED', message: /Syntax Error/ },
    {
      says: 'an unknown field',
      query: 'subscription { anything }',
      code: 'GRAPHQL_VALIDATION_FAILED',
      message: /anything/,
    },
    {
      says: 'two fields',
      query: 'subscription { auditEventRecorded { operation } permissionsChanged { revision } }',
      code: 'GRAPHQL_VALIDATION_FAILED',
      message: /one/,
    },
    {
      says: 'a field that may be left out',
      query: 'subscription { auditEventRecorded @skip(if: true) { operation } }',
      code: 'GRAPHQL_VALIDATION_FAILED',
      message: /left out/,
    },
    {
      says: 'a field that may be left out in a fragment',
      query:
        'subscription { ...F } fragment F on Subscription { ... { auditEventRecorded @include(if: false) { operation } } }',
      code: 'GRAPHQL_VALIDATION_FAILED',
      message: /left out/,
    },
    { says: 'too many levels', query: deep, code: 'OPERATION_TOO_LARGE', message: /levels deep/ },
    {
      says: 'too many aliases',
      query: `subscription { auditEventRecorded { ${Array.from({ length: 31 }, (_, n) => `a${n}: id`).join(' ')} } }`,
      code: 'OPERATION_TOO_LARGE',
      message: /aliases/,
    },
    {
      says: 'too many tokens',
      query: `subscription { auditEventRecorded { ${'id '.repeat(2_000)} } }`,
      code: 'GRAPHQL_PARSE_FAILED',
      message: /tokens/,
    },
    {
      says: 'brackets without end',
      query: `subscription { auditEventRecorded(filter: {operation: ${'['.repeat(200)}${']'.repeat(200)}}) { id } }`,
      code: 'OPERATION_TOO_LARGE',
      message: /brackets/,
    },
    {
      says: 'no operation of the name',
      query: `${recorded.replace('subscription', 'subscription A')}`,
      more: { operationName: 'B' },
      code: 'OPERATION_RESOLUTION_FAILURE',
      message: /name/,
    },
    {
      says: 'a variable of another kind',
      query: 'subscription ($r: Int) { auditEventRecorded(afterRevision: $r) { id } }',
      more: { variables: { r: 'hunter2' } },
      code: 'BAD_USER_INPUT',
      message: /^((?!hunter2).)*$/,
    },
    {
      says: 'an id of another kind',
      query: `subscription { auditEventRecorded(filter: { actorId: "${Buffer.from('Group:1').toString('base64url')}" }) { id } }`,
      code: 'BAD_USER_INPUT',
      message: /Group/,
    },
    {
      says: 'text that cannot be stored',
      query: 'subscription { auditEventRecorded(filter: { operation: "a\\u0000" }) { id } }',
      code: 'BAD_USER_INPUT',
      message: /U\+0000/,
    },
    {
      says: 'a document that nobody knows',
      query: '',
      more: { documentId: `sha256:${'0'.repeat(64)}` },
      code: 'PERSISTED_QUERY_NOT_FOUND',
      message: /known/,
    },
  ])('refuses $says and stays open', async ({ query, more, code, message }) => {
    const socket = await initialised(house, token);
    socket.send(subscribe('a', query, more));
    const answer = await socket.message();
    expect(answer).toMatchObject({ id: 'a', type: 'error' });
    expect(codesIn(answer)).toEqual([code]);
    expect((answer['payload'] as { message: string }[])[0]?.message).toMatch(message);
    socket.send({ type: 'ping' });
    expect(await socket.message()).toEqual({ type: 'pong' });
  });

  it('logs how each subscription began and ended, by whom, and never a token', async () => {
    const from = house.log.length;
    const stream = await listen(house, token, recorded);
    await (await setScene(house)).group('heard-of');
    while (!JSON.stringify(await stream.next()).includes('createGroup'));
    await stream.stop();
    await until(() => house.log.slice(from).some((line) => line.includes('subscription ended')));
    const lines = house.log.slice(from).map((line) => JSON.parse(line) as Record<string, unknown>);
    const began = lines.find(({ msg }) => msg === 'subscription began');
    const ended = lines.find(({ msg }) => msg === 'subscription ended');
    const { id } = house.root;
    expect(began).toMatchObject({ kind: 'subscription', actor: `ROOT ${id}`, sourceAddress: '127.0.0.1' });
    expect(began?.['operation']).toMatch(/^subscription Listened\d+$/);
    expect(ended).toMatchObject({ requestId: began?.['requestId'], connectionId: began?.['connectionId'] });
    expect(ended?.['events']).toBeGreaterThan(0);
    expect(house.log.join('')).not.toContain(token.slice(-40));
  });

  it('lets nobody stay who was refused an upgrade and says nothing more', async () => {
    const { hostname, port } = new URL(house.origin);
    const wire = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
    onTestFinished(() => void wire.destroy());
    const failed = new Promise((resolve) => wire.once('error', resolve));
    wire.write(
      `GET /nowhere HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    );
    let text = '';
    wire.on('data', (chunk) => (text += String(chunk)));
    await new Promise((resolve) => wire.once('end', resolve));
    expect(text).toMatch(/^HTTP\/1\.1 404 /);
    const writing = setInterval(() => wire.write('x'), 100);
    onTestFinished(() => clearInterval(writing));
    expect(await failed).toMatchObject({ code: expect.stringMatching(/ECONNRESET|EPIPE/) as string });
  });

  it('keeps nothing more of a connection for each wish for another protocol', async () => {
    const { hostname, port } = new URL(house.origin);
    const wire = connect(Number(port), hostname);
    onTestFinished(() => void wire.destroy());
    const warnings: string[] = [];
    const warned = ({ name }: Error): void => void warnings.push(name);
    process.on('warning', warned);
    onTestFinished(() => void process.off('warning', warned));
    let text = '';
    wire.on('data', (chunk) => (text += String(chunk)));
    for (let asked = 1; asked <= 15; asked += 1) {
      wire.write(`GET /healthz HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n`);
      await until(() => text.split('HTTP/1.1 200 ').length === asked + 1);
    }
    expect(warnings).toEqual([]);
  });

  it('leaves a wish for another protocol aside and answers over HTTP as ever', async () => {
    const body = JSON.stringify({ query: '{ viewer { actor { kind } } }' });
    const { hostname, port } = new URL(house.origin);
    const wire = connect(Number(port), hostname);
    onTestFinished(() => void wire.destroy());
    wire.write(
      `POST /graphql HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n` +
        `Authorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 10)}`,
    );
    setImmediate(() => wire.write(body.slice(10)));
    let text = '';
    for await (const chunk of wire) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text).toContain('{"data":{"viewer":{"actor":{"kind":"ROOT"}}}}');
  });
});

describe('the bounds of sockets', () => {
  it('hold for the process', async () => {
    const { house } = await started({ socketLimits: { ...usualSocketLimits, connections: 2 } });
    const first = await raw(house);
    await raw(house);
    await expect(raw(house)).rejects.toThrow('status 503');
    first.end();
    await until(() => house.log.some((line) => line.includes('socket closed')));
    await raw(house);
  });

  it('hold for an actor, and for an address that has not said who is there', async () => {
    const { house, token } = await started({ socketLimits: { ...usualSocketLimits, connectionsPerActor: 2 } });
    await initialised(house, token);
    await initialised(house, token);
    const third = await raw(house);
    third.send({ type: 'connection_init', payload: { token } });
    expect(await third.closed).toMatchObject({ code: 1013 });
    await raw(house);
    await raw(house);
    expect(await (await raw(house)).closed).toMatchObject({ code: 1013 });
  });

  it('give back the place of who has left before it is known who is there', async () => {
    const { house, token } = await started({ socketLimits: { ...usualSocketLimits, connectionsPerActor: 2 } });
    const { calls } = house.iam;
    const open = calls.open.bind(calls);
    let look = (): void => undefined;
    const looked = new Promise<void>((resolve) => (look = resolve));
    const spied = vi.spyOn(calls, 'open').mockImplementation(async (arrival) => looked.then(() => open(arrival)));
    const sockets = [await raw(house), await raw(house)];
    for (const socket of sockets) {
      socket.send({ type: 'connection_init', payload: { token } });
      socket.end();
    }
    await until(() => house.log.filter((line) => line.includes('socket closed')).length === 2);
    look();
    await Promise.all(spied.mock.results.map(({ value }) => value as Promise<unknown>));
    spied.mockRestore();
    await initialised(house, token);
    await initialised(house, token);
  });

  it('hold for the subscriptions of a connection', async () => {
    const { house, token } = await started({ socketLimits: { ...usualSocketLimits, subscriptionsPerConnection: 2 } });
    const socket = await initialised(house, token);
    for (const id of ['a', 'b', 'c']) socket.send(subscribe(id));
    const answer = await socket.message();
    expect(answer).toMatchObject({ type: 'error' });
    expect(codesIn(answer)).toEqual(['RATE_LIMITED']);
  });

  it('take points for each subscription beyond those of a connection', async () => {
    const socketLimits = { ...usualSocketLimits, subscriptionsPerConnection: 1 };
    const { house, token } = await started({ socketLimits, throttle: { ...usualThrottle, points: 6_000 } });
    const socket = await initialised(house, token);
    socket.send(subscribe('a'));
    await until(() => house.log.some((line) => line.includes('subscription began')));
    for (const id of ['b', 'c', 'd']) {
      socket.send(subscribe(id));
      expect(codesIn(await socket.message())).toEqual(['RATE_LIMITED']);
    }
    const { rateLimit } = await house.gql<{ rateLimit: { remaining: number } }>(token, '{ rateLimit { remaining } }');
    // A thousand each, of which a hundred come back in a second.
    expect(rateLimit.remaining).toBeLessThan(4_500);
  });

  it('hold for the time to say who is there', async () => {
    const { house } = await started({ socketLimits: { ...usualSocketLimits, initSeconds: 1 } });
    expect(await (await raw(house)).closed).toMatchObject({ code: 4408 });
  });

  it('hold for who answers no ping', async () => {
    const { house, token } = await started({ socketLimits: { ...usualSocketLimits, pingSeconds: 1 } });
    const silent = await initialised(house, token);
    silent.socket.pause();
    await until(() => house.log.some((line) => line.includes('socket closed')));
    const there = await initialised(house, token);
    const closed = there.closed.then(() => 'closed');
    const later = new Promise((resolve) => setTimeout(() => resolve('open'), 2_500));
    expect(await Promise.race([closed, later])).toBe('open');
  });

  it('are none at all when there are to be no sockets', async () => {
    const { house } = await started({ socketLimits: { ...usualSocketLimits, connections: 0 } });
    await expect(raw(house)).rejects.toThrow(/status 4\d\d/);
  });

  it('take points for each event as for the subscription, and end it when none are left', async () => {
    const { house, token } = await started({ throttle: { ...usualThrottle, points: 1_100 } });
    const query = `subscription { permissionsChanged(includeCurrent: true) { changes { action } } }`;
    // Every action of the catalogue: some five hundred points to begin with, and as many again for the first event.
    const stream = await listen(house, token, query);
    expect(await stream.rest()).toMatchObject([{ failed: [{ extensions: { code: 'RATE_LIMITED' } }] }]);
    await stream.stop();
  });

  it('count strangers who try credentials', async () => {
    const { house } = await started({ throttle: { ...usualThrottle, strangers: 3 } });
    const codes: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      const socket = await raw(house);
      socket.send({ type: 'connection_init', payload: { token: 'abc.def.ghi' } });
      codes.push((await socket.closed).code);
    }
    expect(codes.at(-1)).toBe(1013);
  });

  it('take known documents only where only those are answered', async () => {
    const known = 'subscription Known { permissionsChanged(includeCurrent: true, actions: []) { revision } }';
    // Everybody may send any document until the people are there.
    let documents = trustDocuments('any', []);
    const { house, token } = await started({
      documents: {
        get mode() {
          return documents.mode;
        },
        idOf: (operation) => documents.idOf(operation),
        resolve: (request) => documents.resolve(request),
      },
    });
    const person = await (await setScene(house)).user('ann');
    const hers = await house.signIn(person);
    const said = async (by: string, query: string, more: object = {}) => {
      const socket = await initialised(house, by);
      socket.send(subscribe('a', query, more));
      const answer = await socket.message();
      return answer['type'] === 'error' ? codesIn(answer) : answer['type'];
    };
    const byId = { documentId: documentId(known) };
    documents = trustDocuments('known', [known]);
    expect(await said(hers, known)).toBe('next');
    expect(await said(hers, recorded)).toEqual(['FORBIDDEN']);
    documents = trustDocuments('only', [known]);
    expect(await said(hers, known)).toEqual(['FORBIDDEN']);
    expect(await said(hers, '', byId)).toBe('next');
    expect(await said(hers, known, byId)).toEqual(['BAD_REQUEST']);
    expect(await said(token, known)).toBe('next');
  });

  it('end in order when the server does', async () => {
    const { house, token } = await started();
    const socket = await initialised(house, token);
    socket.send(subscribe('a'));
    await until(() => house.log.some((line) => line.includes('subscription began')));
    const stopped = house.stop();
    expect(await socket.closed).toEqual({ code: 1001, reason: 'the server is ending' });
    await stopped;
  });

  it('are counted', async () => {
    const metrics = createMetrics();
    const { house, token } = await started({ metrics });
    const value = async (name: string) => new RegExp(`^${name} (\\d+)$`, 'm').exec(await metrics.text())?.[1];
    const stream = await listen(house, token, recorded);
    expect([await value('bailiwick_sockets'), await value('bailiwick_subscriptions')]).toEqual(['1', '1']);
    await stream.stop();
    await until(() => house.log.some((line) => line.includes('socket closed')));
    await expect.poll(() => value('bailiwick_sockets')).toBe('0');
    await expect.poll(() => value('bailiwick_subscriptions')).toBe('0');
    expect(await metrics.text()).toMatch(/bailiwick_operations_total\{kind="subscription",code="OK"\} 1/);
  });
});

it('the client of the protocol gets along with the server: one connection, several subscriptions', async () => {
  const { house, token } = await started();
  const client = clientOf(house, { Authorization: `Bearer ${token}` });
  onTestFinished(() => void client.dispose());
  const streams = [await listen(house, client, recorded), await listen(house, client, recorded)];
  await (await setScene(house)).group('both');
  for (const stream of streams) while (!JSON.stringify(await stream.next()).includes('createGroup'));
  expect(house.log.filter((line) => line.includes('socket opened'))).toHaveLength(1);
});
