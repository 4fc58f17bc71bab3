/**
 * Connections of the listener: how many requests one may have under way, how long it may leave what it is sent, and their end.
 * Without these limits whoever sends and never reads would have any number of answers kept in memory, for as long as they like.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface ConnectionLimits {
  /** Requests of one connection that wait for their answers, two at least; nothing more is read of it until one has been sent. */
  readonly requestsUnderWay: number;
  /** Milliseconds in which something must be taken of what waits to be sent. */
  readonly standstill: number;
}

export const usualConnectionLimits: ConnectionLimits = { requestsUnderWay: 100, standstill: 60_000 };

const timeouts = {
  /** A whole request must have arrived by then; stops those who send a byte now and then. */
  request: 30_000,
  /** Longer than usual load balancers keep theirs, so that it is they who end an idle connection. */
  keepAlive: 72_000,
} as const;

interface Connection {
  underWay: number;
}

export class Connections {
  readonly #server: Server;
  readonly #limits: ConnectionLimits;
  readonly #open = new Map<Socket, Connection>();

  /** @param server one that does not listen yet */
  constructor(server: Server, limits: ConnectionLimits) {
    this.#server = server;
    this.#limits = limits;
    server.requestTimeout = timeouts.request;
    server.keepAliveTimeout = timeouts.keepAlive;
    server.timeout = limits.standstill;
    server.on('connection', (socket: Socket) => this.#take(socket));
    server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => this.#count(socket, response));
    server.on('timeout', (socket: Socket) => this.#endStandstill(socket));
  }

  /** Ends those on which nothing was ever sent. */
  endUnused(): void {
    // Browsers connect ahead of need; Node counts a connection without a first request as busy.
    for (const socket of this.#open.keys()) if (socket.bytesRead === 0) socket.destroy();
  }

  endAll(): void {
    this.#server.closeAllConnections();
    // Those that were handed over for an upgrade Node has forgotten.
    for (const socket of this.#open.keys()) socket.destroy();
  }

  #take(socket: Socket): void {
    // A request that was given back (sockets.ts) comes with the same one.
    if (this.#open.has(socket)) return;
    const connection: Connection = { underWay: 0 };
    this.#open.set(socket, connection);
    socket.once('close', () => this.#open.delete(socket));
    // Node reads on by itself whenever a body is asked for.
    socket.on('resume', () => {
      if (connection.underWay >= this.#limits.requestsUnderWay) socket.pause();
    });
  }

  #count(socket: Socket, response: ServerResponse): void {
    const { requestsUnderWay } = this.#limits;
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    connection.underWay += 1;
    if (connection.underWay >= requestsUnderWay) socket.pause();
    response.once('close', () => {
      connection.underWay -= 1;
      if (connection.underWay === requestsUnderWay - 1) socket.resume();
    });
  }

  /** Nothing has moved on it: neither did anything come, nor was anything taken. */
  #endStandstill(socket: Socket): void {
    const underWay = this.#open.get(socket)?.underWay ?? 0;
    // However long an answer is worked on, it is not the client who keeps it waiting.
    if (underWay > 0 && socket.writableLength === 0) socket.setTimeout(this.#limits.standstill);
    else socket.destroy();
  }
}
