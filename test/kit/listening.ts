/**
 * Subscriptions over a real WebSocket with the real client of the protocol, and sockets on which anything can be said.
 *
 *     const listening = await listen(house, token, 'subscription { auditEventRecorded { operation } }');
 *     expect(await listening.next()).toEqual({ data: { auditEventRecorded: { operation: 'createUser' } } });
 *     await listening.stop();
 */
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { Answer } from './exchange.js';
import type { TestHouse } from './house.js';

/** One result as it came over the wire, or how it ended. */
export type Heard =
  | { readonly data?: Readonly<Record<string, unknown>> | null; readonly errors?: readonly HeardError[] }
  | { readonly failed: readonly HeardError[] }
  | { readonly closed: { readonly code: number; readonly reason: string } }
  | { readonly complete: true };

export interface HeardError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: Readonly<Record<string, unknown>>;
}

export interface Listening {
  /** The next thing that is heard, in order. */
  next(): Promise<Heard>;
  /** Everything from here to the end, the end included. */
  rest(): Promise<readonly Heard[]>;
  /** Ends the subscription, and the connection if it is its own. */
  stop(): Promise<void>;
}

type Listened = Pick<TestHouse, 'url' | 'log'>;

export function clientOf(house: Pick<TestHouse, 'url'>, connectionParams: Record<string, unknown> | null): Client {
  return createClient({
    url: house.url.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    ...(connectionParams === null ? {} : { connectionParams }),
    lazy: true,
    retryAttempts: 0,
  });
}

let names = 0;

/** Resolves once the server has begun to listen, or has refused to. */
export async function listen(
  house: Listened,
  by: string | null | Client,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<Listening> {
  const own = typeof by === 'string' || by === null;
  const client = own ? clientOf(house, by === null ? null : { Authorization: `Bearer ${by}` }) : by;
  // A name of its own, by which the server's log tells that it has begun.
  const name = `Listened${(names += 1)}`;
  const named = query.replace(/subscription\s*[A-Za-z0-9_]*/, `subscription ${name}`);
  const heard: Heard[] = [];
  let wake: () => void = () => undefined;
  let ended = false;
  const note = (what: Heard, end = false): void => {
    heard.push(what);
    ended ||= end;
    wake();
  };
  const unsubscribe = client.subscribe(
    { query: named, variables },
    {
      next: (result) => note(result as Heard),
      error: (error) => {
        if (Array.isArray(error)) note({ failed: error as HeardError[] }, true);
        else {
          const { code, reason } = error as { readonly code: number; readonly reason: string };
          note({ closed: { code, reason } }, true);
        }
      },
      complete: () => note({ complete: true }, true),
    },
  );
  const next = async (): Promise<Heard> => {
    for (;;) {
      const first = heard.shift();
      if (first !== undefined) return first;
      if (ended) throw new Error('the subscription has ended, and that was heard already');
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  await until(() => heard.length > 0 || house.log.some((line) => line.includes(`subscription ${name}"`)));
  return {
    next,
    rest: async () => {
      const all: Heard[] = [];
      for (;;) {
        const one = await next();
        all.push(one);
        if ('complete' in one || 'closed' in one || 'failed' in one) return all;
      }
    },
    stop: async () => {
      unsubscribe();
      if (own) await client.dispose();
    },
  };
}

/**
 * The first thing that a subscription hears, as the answer to a request would say it. A connection that is closed for want
 * of a credential says so for the field.
 */
export async function hearOnce(
  house: Listened,
  token: string | null,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<Answer> {
  const listening = await listen(house, token, query, variables);
  const first = await listening.next();
  await listening.stop();
  const [, field = ''] = /\{\s*(\w+)/.exec(query) ?? [];
  const closed = 'closed' in first ? [closedError(first.closed.code, field)] : [];
  const errors = 'failed' in first ? first.failed : 'errors' in first ? (first.errors ?? []) : closed;
  return {
    status: 'closed' in first ? 401 : 200,
    headers: {},
    text: JSON.stringify(first),
    data: 'data' in first ? (first.data ?? null) : null,
    errors: errors as Answer['errors'],
  };
}

function closedError(code: number, field: string): Answer['errors'][number] {
  if (code !== 4401 && code !== 4403) throw new Error(`the connection was closed with ${code}`);
  return { message: 'the connection was closed', path: [field], extensions: { code: 'UNAUTHENTICATED' } };
}

/** Waits for something that happens beside the test; the test's own time limit ends it. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A socket without a client: what is sent is sent as it is. */
export interface RawSocket {
  send(message: unknown): void;
  /** Sends these bytes as text or as they are. */
  sendRaw(data: string | Uint8Array): void;
  /** The next message, parsed. */
  message(): Promise<Readonly<Record<string, unknown>>>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly socket: WebSocket;
  end(): void;
}

export interface RawOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
  readonly path?: string;
}

/** Rejects with the status when the server does not open one. */
export async function openRaw(
  { url }: Pick<TestHouse, 'url'>,
  { headers = {}, protocols = ['graphql-transport-ws'], path }: RawOptions = {},
): Promise<RawSocket> {
  const address = url.replace('http', 'ws');
  const target = path === undefined ? address : new URL(path, address).href;
  const socket = new WebSocket(target, [...protocols], { headers });
  const messages: Readonly<Record<string, unknown>>[] = [];
  let wake: () => void = () => undefined;
  socket.on('message', (data) => {
    messages.push(JSON.parse((data as Buffer).toString()) as Record<string, unknown>);
    wake();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('unexpected-response', (_request, response) => {
      reject(new Error(`status ${response.statusCode}`));
      response.resume();
      socket.terminate();
    });
    socket.on('error', reject);
  });
  return {
    socket,
    closed,
    send: (message) => socket.send(JSON.stringify(message)),
    sendRaw: (data) => socket.send(data),
    message: async () => {
      for (;;) {
        const first = messages.shift();
        if (first !== undefined) return first;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    end: () => socket.terminate(),
  };
}

/** A socket that has said who is there. */
export async function openInitialised(house: Pick<TestHouse, 'url'>, token: string): Promise<RawSocket> {
  const raw = await openRaw(house);
  raw.send({ type: 'connection_init', payload: { Authorization: `Bearer ${token}` } });
  const answer = await raw.message();
  if (answer['type'] !== 'connection_ack') throw new Error(`not acknowledged: ${JSON.stringify(answer)}`);
  return raw;
}
