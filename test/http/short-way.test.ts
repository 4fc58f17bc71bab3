/** In which order requests that come together are asked and answered, and that no socket is read before all of them were. */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { EndpointRequest } from '../../src/http/graphql-endpoint.js';
import { ShortWay } from '../../src/http/short-way.js';

/** Turns of the event loop. */
class Turns {
  count = 0;
  #ended = false;

  constructor() {
    const turn = (): void => {
      this.count += 1;
      if (!this.#ended) setImmediate(turn);
    };
    setImmediate(turn);
  }

  end(): void {
    this.#ended = true;
  }
}

interface Deeds {
  /** `asked 0`, `answered 0`, and what was handed on. */
  readonly order: string[];
  /** Turns in which requests were asked. */
  readonly turns: Set<number>;
}

/** Sends bodies that arrive in one turn; each is asked of `ask`, which answers after as many awaits as a call takes. */
async function sendTogether(bodies: readonly string[], ask: (n: number) => Promise<string | null>): Promise<Deeds> {
  const order: string[] = [];
  const turns = new Set<number>();
  const now = new Turns();
  await new Promise<void>((done) => {
    let left = bodies.length;
    const ended = (deed: string): void => {
      order.push(deed);
      left -= 1;
      if (left === 0) done();
    };
    const way = new ShortWay({
      iam: { now: () => 0 },
      endpoint: {
        answerPrepared: ({ arrival }: EndpointRequest) => {
          order.push(`asked ${arrival.requestId}`);
          turns.add(now.count);
          return ask(Number(arrival.requestId.slice(1)));
        },
      },
      path: '/graphql',
      corsOrigins: [],
      headers: {},
      sourceAddressOf: () => null,
      draining: () => false,
      looksFirst: () => false,
      answered: ({ requestId }) => ended(`answered ${requestId}`),
    });
    bodies.forEach((body, n) => {
      const request = new IncomingMessage(new Socket());
      const rawHeaders = ['Host', 'x', 'Content-Type', 'application/json', 'X-Request-Id', `n${n}`];
      const length = ['Content-Length', String(Buffer.byteLength(body))];
      Object.assign(request, {
        method: 'POST',
        url: '/graphql',
        httpVersionMajor: 1,
        rawHeaders: [...rawHeaders, ...length],
      });
      way.take(request, new ServerResponse(request), () => ended(`handed on n${n}`));
      request.push(body);
      request.push(null);
    });
  });
  now.end();
  return { order, turns };
}

async function inMemory(): Promise<string> {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
  return '{}';
}

const small = '{"query":"{ viewer }"}';
const large = JSON.stringify({ query: '{ viewer }', variables: { filled: 'x'.repeat(20_000) } });

describe('requests that come together', () => {
  it('are all asked before one is answered while they are small', async () => {
    const { order, turns } = await sendTogether([small, small, small], inMemory);
    expect(order).toEqual(['asked n0', 'asked n1', 'asked n2', 'answered n0', 'answered n1', 'answered n2']);
    expect(turns.size).toBe(1);
  });

  it('are answered each before the next is asked when they are large', async () => {
    const { order, turns } = await sendTogether([large, large, large], inMemory);
    expect(order).toEqual(['asked n0', 'answered n0', 'asked n1', 'answered n1', 'asked n2', 'answered n2']);
    expect(turns.size).toBe(1);
  });

  it('go together as far as their bodies come to 16 KiB', async () => {
    const half = JSON.stringify({ query: '{ viewer }', variables: { filled: 'x'.repeat(9_000) } });
    const { order } = await sendTogether([half, half, small, small], inMemory);
    expect(order.slice(0, 4)).toEqual(['asked n0', 'asked n1', 'answered n0', 'answered n1']);
    expect(order.slice(4, 6)).toEqual(['asked n2', 'asked n3']);
  });

  it('do not wait for one that waits for something outside', async () => {
    const outside = (n: number): Promise<string | null> =>
      n === 0 ? new Promise((resolve) => setTimeout(() => resolve('{}'), 50)) : inMemory();
    const { order, turns } = await sendTogether([large, large, large], outside);
    expect(order).toEqual(['asked n0', 'asked n1', 'answered n1', 'asked n2', 'answered n2', 'answered n0']);
    expect(turns.size).toBe(1);
  });

  it('have their turn whatever becomes of those before them', async () => {
    const broken = large.slice(0, -1);
    const ask = (n: number): Promise<string | null> => {
      if (n === 1) throw new Error('of a test');
      return n === 2 ? Promise.reject(new Error('of a test')) : n === 3 ? Promise.resolve(null) : inMemory();
    };
    const { order, turns } = await sendTogether([broken, large, large, large, large], ask);
    expect(order.filter((deed) => !deed.startsWith('asked'))).toEqual([
      'handed on n0',
      'handed on n1',
      'handed on n2',
      'handed on n3',
      'answered n4',
    ]);
    expect(turns.size).toBe(1);
  });

  it('are all asked before any socket is read again, however many they are', async () => {
    const { order, turns } = await sendTogether(new Array<string>(400).fill(large), inMemory);
    expect(order).toHaveLength(800);
    expect(turns.size).toBe(1);
  });
});
