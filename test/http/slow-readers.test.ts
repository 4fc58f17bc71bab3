/** Clients that send and do not read: what is kept for one has a bound and an end, and nobody else notices. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import WebSocket from 'ws';
import { startHouse, type TestHouse } from '../kit/house.js';
import { watch } from './two-ways.js';

afterEach(() => vi.restoreAllMocks());

/** Of a busy machine: a connection that was just made must be seen within it. */
const standstill = 1_000;
const plenty = { points: 1_000_000_000, strangers: 1_000_000, failedSignIns: 60 };
const houseOf = (requestsUnderWay = 100) =>
  startHouse({
    connectionLimits: { requestsUnderWay, standstill },
    throttle: plenty,
    preparation: { after: 1, most: 100, room: 20_000, share: 1 },
  });

/** Two hundred kilobytes. */
const lists = Array.from({ length: 20 }, (_, n) => `list${n}: actions(first: $first) { nodes { name description } }`);
const long = { query: `query ($first: Int) { ${lists.join(' ')} }`, variables: { first: 100 } };

function written(
  house: TestHouse,
  method: 'GET' | 'POST',
  token: string,
  body: typeof long | { query: string },
): string {
  const headers = `host: ${new URL(house.origin).host}\r\nauthorization: Bearer ${token}\r\n`;
  const text = JSON.stringify(body);
  if (method === 'POST') {
    return `POST /graphql HTTP/1.1\r\n${headers}content-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
  }
  const { query, variables } = { variables: {}, ...body };
  const search = new URLSearchParams({ query, variables: JSON.stringify(variables) });
  return `GET /graphql?${search.toString()} HTTP/1.1\r\n${headers}apollo-require-preflight: 1\r\n\r\n`;
}

async function connected(house: TestHouse): Promise<Socket> {
  const { hostname, port } = new URL(house.origin);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  return socket;
}

/** All that comes on a connection; ask how often something is in it. */
function reading(socket: Socket): { count(text: string): number } {
  let all = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (all += chunk));
  return { count: (text) => all.split(text).length - 1 };
}

describe('a client that never reads', () => {
  test.each(['GET', 'POST'] as const)('is cut off, whichever way its answers go out (%s)', async (method) => {
    const house = await houseOf();
    const token = await house.signIn(house.root, 'account');
    const { text } = await house.ask(token, long.query, long.variables);
    expect(text.length).toBeGreaterThan(100_000);
    const request = written(house, method, token, long);
    const { answers: prepared } = watch();
    // By a connection that goes on, as those of others do.
    const beside = async () => (await fetch(`${house.origin}/healthz`)).text();
    expect(await beside()).toBe('ok\n');
    const socket = await connected(house);
    socket.pause();
    const ended = new Promise<string>((resolve) => {
      socket.on('error', ({ message }) => resolve(message));
      socket.on('close', () => resolve('closed'));
    });
    // More than the system takes off the server's hands.
    socket.write(request.repeat(Math.ceil(12_000_000 / text.length)));
    let over = false;
    void ended.then(() => (over = true));
    while (!over) {
      expect(await beside()).toBe('ok\n');
      // A client that reads nothing learns the end of its connection by writing.
      socket.write(request);
      await pause(50);
    }
    expect(await ended).toMatch(/closed|ECONNRESET|EPIPE/);
    socket.destroy();
    expect(prepared().length > 0 && prepared().every(Boolean)).toBe(method === 'POST');
    expect((await house.ask(token, long.query, long.variables)).text).toBe(text);
  });

  test('is cut off though it goes on sending empty lines, which are no request', async () => {
    const house = await houseOf();
    const token = await house.signIn(house.root, 'account');
    const { text } = await house.ask(token, long.query, long.variables);
    const socket = await connected(house);
    socket.pause();
    const ended = new Promise<void>((resolve) => {
      socket.on('error', () => resolve());
      socket.on('close', () => resolve());
    });
    // Fewer than those after which nothing more is read, and more than the system takes off the server’s hands.
    socket.write(written(house, 'POST', token, long).repeat(Math.min(90, Math.ceil(12_000_000 / text.length))));
    let over = false;
    void ended.then(() => (over = true));
    while (!over) {
      socket.write('\r\n');
      await pause(50);
    }
    socket.destroy();
  });

  test('has no more requests under way than a connection may, and all are answered', async () => {
    const house = await houseOf(10);
    const token = await house.signIn(house.root, 'account');
    const { calls } = house.iam;
    const open = calls.open.bind(calls);
    let opened = 0;
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    vi.spyOn(calls, 'open').mockImplementation(async (arrival) => {
      opened += 1;
      await released;
      return open(arrival);
    });
    const socket = await connected(house);
    const answers = reading(socket);
    const request = written(house, 'POST', token, { query: `{ __typename }${' '.repeat(8_000)}` });
    const sent = 1_000;
    socket.write(request.repeat(sent));
    let seen = -1;
    while (seen !== opened || opened === 0) {
      seen = opened;
      await pause(300);
    }
    // What was read in one piece with the last of them comes along.
    expect(opened).toBeLessThanOrEqual(10 + Math.ceil(65_536 / request.length));
    expect(await (await fetch(`${house.origin}/healthz`)).text()).toBe('ok\n');
    release();
    await vi.waitFor(() => expect(answers.count('HTTP/1.1 200 OK')).toBe(sent), { timeout: 30_000, interval: 100 });
    socket.destroy();
  });
});

describe('who waits or is idle is not cut off', () => {
  test('neither while an answer is worked on nor between requests', async () => {
    const house = await houseOf();
    const { access } = house.iam.store;
    const slow = vi.spyOn(access, 'accountByName').mockImplementation(async () => {
      await pause(2 * standstill);
      return null;
    });
    const socket = await connected(house);
    const answers = reading(socket);
    const request = `GET /readyz HTTP/1.1\r\nhost: ${new URL(house.origin).host}\r\n\r\n`;
    socket.write(request);
    await vi.waitFor(() => expect(answers.count('HTTP/1.1 200 OK')).toBe(1), { timeout: 10_000, interval: 50 });
    slow.mockRestore();
    await pause(2 * standstill);
    socket.write(request);
    await vi.waitFor(() => expect(answers.count('HTTP/1.1 200 OK')).toBe(2), { timeout: 10_000, interval: 50 });
    socket.destroy();
  });

  test('nor on a socket that listens', async () => {
    const house = await houseOf();
    const socket = new WebSocket(`${house.origin.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(socket, 'open');
    await pause(2 * standstill);
    const answer = once(socket, 'message');
    const token = await house.signIn(house.root, 'account');
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
    expect(String((await answer)[0])).toContain('connection_ack');
    socket.terminate();
  });
});
