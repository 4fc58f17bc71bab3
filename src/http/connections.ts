/**
 * Connections of the listener: how many requests one may have under way, how long it may leave what it is sent, and their end.
 * Without these limits whoever sends and never reads would have any number of answers kept in memory, for as long as they like.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface ConnectionLimits {
  /**
   * Requests of one connection that wait for their answers, two at least; nothing more is read of it until one has been sent. What came in one
   * piece with the last of them is taken as well.
   */
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
  /** How far what is sent had come when it was looked at last. */
  sent: SentSoFar;
  /** Of `performance.now()`: since when it has not come any further. */
  since: number;
}

interface SentSoFar {
  /** Bytes of writes that are done. */
  readonly written: number;
  /** Bytes that the system has not taken yet of the one that is under way: a long answer is one write. */
  readonly queued: number;
}

export class Connections {
  readonly #server: Server;
  readonly #limits: ConnectionLimits;
  readonly #open = new Map<Socket, Connection>();
  readonly #looking: NodeJS.Timeout;

  /** @param server one that does not listen yet */
  constructor(server: Server, limits: ConnectionLimits) {
    this.#server = server;
    this.#limits = limits;
    server.requestTimeout = timeouts.request;
    server.keepAliveTimeout = timeouts.keepAlive;
    server.on('connection', (socket: Socket) => this.#take(socket));
    server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => this.#count(socket, response));
    // By what was taken, not by Node's own timer, which starts anew with whatever comes: an empty line is enough.
    this.#looking = setInterval(() => this.#endStandstills(), limits.standstill / 4);
    this.#looking.unref();
    server.once('close', () => clearInterval(this.#looking));
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
    const connection: Connection = { underWay: 0, sent: sentOn(socket), since: performance.now() };
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

  #endStandstills(): void {
    const now = performance.now();
    for (const [socket, connection] of this.#open) {
      const sent = sentOn(socket);
      const { written, queued } = connection.sent;
      // However long an answer is worked on, it is not the client who keeps it waiting.
      if (socket.writableLength === 0 || sent.written !== written || sent.queued !== queued) {
        connection.sent = sent;
        connection.since = now;
      } else if (now - connection.since >= this.#limits.standstill) socket.destroy();
    }
  }
}

function sentOn(socket: Socket): SentSoFar {
  // Node tells it nowhere else; where it does not tell it, a write counts once it is done.
  const { _handle: handle } = socket as { _handle?: { readonly writeQueueSize?: number } | null };
  return { written: socket.bytesWritten - socket.writableLength, queued: handle?.writeQueueSize ?? 0 };
}
