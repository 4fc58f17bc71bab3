/**
 * WebSockets on the listener of the API: which requests become one, how many there may be, and their orderly end. What is
 * said on them is for `socket-endpoint.ts`.
 */
import { randomBytes } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';
import { requestIdOf } from './arrival.js';
import { faultBody } from './faults.js';
import { checkHead } from './head.js';

export interface SocketLimits {
  /** Of this process; 0: there are none, and nothing is subscribed to. */
  readonly connections: number;
  /** Of one actor, and of one address as long as nobody knows who is there. */
  readonly connectionsPerActor: number;
  readonly subscriptionsPerConnection: number;
  /** Seconds in which a connection must say who it is. */
  readonly initSeconds: number;
  /** Seconds between two questions whether anybody is still there. */
  readonly pingSeconds: number;
  readonly messageBytes: number;
}

export const usualSocketLimits: SocketLimits = {
  connections: 1_000,
  connectionsPerActor: 50,
  subscriptionsPerConnection: 20,
  initSeconds: 5,
  pingSeconds: 30,
  messageBytes: 65_536,
};

/** Seconds after which a client that found no place may try again. */
const retryAfter = 5;

export interface OpenedSocket {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  readonly connectionId: string;
}

export interface SocketOptions {
  readonly path: string;
  readonly limits: SocketLimits;
  /** Origins beside the server's own whose pages may connect. */
  readonly origins: readonly string[];
  /** Headers of an answer that refuses to open a socket. */
  readonly headers: Readonly<Record<string, string>>;
  /** Takes a socket over; resolves once it is closed and everything on it has ended. */
  readonly serve: (opened: OpenedSocket) => Promise<void>;
}

export interface Sockets {
  /** Closes every socket and waits for what runs on them; after so many seconds they are cut off. */
  stop(drainSeconds: number): Promise<void>;
}

/** Milliseconds that a client has for its part of a close; whoever keeps it open keeps others out. */
const closeTimeout = 2_000;

export function openSockets(server: Server, options: SocketOptions): Sockets {
  const { path, limits, origins, headers, serve } = options;
  const ids = new WeakMap<IncomingMessage, string>();
  const open = new Map<WebSocket, Promise<void>>();
  let opening = 0;
  let draining = false;
  // Apart, because its types do not know all of them.
  const serverOptions = {
    noServer: true,
    clientTracking: false,
    maxPayload: limits.messageBytes,
    // A small message cannot unfold into a large one.
    perMessageDeflate: false,
    closeTimeout,
    handleProtocols: (offered: Set<string>) =>
      offered.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) ? GRAPHQL_TRANSPORT_WS_PROTOCOL : false,
  } as const;
  const sockets = new WebSocketServer(serverOptions);
  sockets.on('headers', (lines, request) => {
    lines.push(`X-Request-Id: ${ids.get(request) ?? randomBytes(16).toString('hex')}`);
  });

  const faultOf = (request: IncomingMessage): readonly [number, string] | null => {
    try {
      checkHead(request);
    } catch (error) {
      return [400, error instanceof Error ? error.message : 'the request is not well-formed HTTP; mend it'];
    }
    if (request.url?.split('?')[0] !== path) return [404, `there is nothing here; the API is at \`${path}\``];
    if (!isAdmitted(request, origins)) {
      return [403, 'pages of this origin may not connect; the operator can name it in `BAILIWICK_CORS_ORIGINS`'];
    }
    if (draining) return [503, 'the server is ending; connect again'];
    if (open.size + opening < limits.connections) return null;
    return [503, `there are ${limits.connections} connections, which is all; try again in ${retryAfter} seconds`];
  };

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!isWebSocket(request)) return serveUnchanged(server, request, socket, head);
    const connectionId = requestIdOf(request);
    const gone = () => socket.destroy();
    socket.on('error', gone);
    const fault = faultOf(request);
    if (fault !== null) return refuse(socket, headers, connectionId, ...fault);
    ids.set(request, connectionId);
    opening += 1;
    // The handshake is answered, or refused, before this returns.
    sockets.handleUpgrade(request, socket, head, (opened) => {
      socket.off('error', gone);
      const served = serve({ socket: opened, request, connectionId })
        .catch(() => opened.terminate())
        .finally(() => open.delete(opened));
      open.set(opened, served);
    });
    opening -= 1;
  });

  return {
    stop: async (drainSeconds) => {
      draining = true;
      for (const socket of open.keys()) socket.close(1001, 'the server is ending');
      const deadline = setTimeout(() => {
        for (const socket of open.keys()) socket.terminate();
      }, drainSeconds * 1000);
      await Promise.allSettled(open.values());
      clearTimeout(deadline);
    },
  };
}

function isWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * Pages of other origins are kept out though they bring no credential of the visitor's: what they could not read by HTTP
 * they shall not read here. Programs send no origin; a page's own host is the one it was loaded from.
 */
function isAdmitted({ headersDistinct, headers }: IncomingMessage, origins: readonly string[]): boolean {
  const [origin, another] = headersDistinct['origin'] ?? [];
  if (origin === undefined) return true;
  if (another !== undefined) return false;
  if (origins.includes(origin)) return true;
  try {
    return new URL(origin).host === headers.host?.toLowerCase();
  } catch {
    return false;
  }
}

/**
 * A request that would be upgraded to something that is not spoken here is answered as if it had not asked (RFC 9110
 * section 7.8); some clients of HTTP/2 ask with each. Node hands it over all the same, so it is given back as it came,
 * without the wish.
 */
function serveUnchanged(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] ?? '';
    const value = request.rawHeaders[index + 1] ?? '';
    if (/^(upgrade|http2-settings)$/i.test(name)) continue;
    const options = value.split(',').map((option) => option.trim());
    const kept = options.filter((option) => !/^(upgrade|http2-settings)$/i.test(option));
    if (name.toLowerCase() !== 'connection') lines.push(`${name}: ${value}`);
    else if (kept.length > 0) lines.push(`${name}: ${kept.join(', ')}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

function refuse(
  socket: Duplex,
  headers: SocketOptions['headers'],
  requestId: string,
  status: number,
  message: string,
): void {
  const body = faultBody(message, requestId, status === 503 ? 'UNAVAILABLE' : 'BAD_REQUEST');
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...Object.entries({
      ...headers,
      ...(status === 503 ? { 'retry-after': String(retryAfter) } : {}),
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      'x-request-id': requestId,
      connection: 'close',
    }).map(([name, value]) => `${name}: ${value}`),
  ];
  // Nothing of Node's looks after a socket any more that it has handed over, and who says nothing would stay for ever.
  const deadline = setTimeout(() => socket.destroy(), closeTimeout);
  socket.once('close', () => clearTimeout(deadline));
  socket.resume().end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
