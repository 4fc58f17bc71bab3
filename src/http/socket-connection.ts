/**
 * One WebSocket: who is at the other end, and until when. It closes by itself when its credential ends, when nobody
 * answers any more, and when more waits to be taken than may.
 */
import type { IncomingMessage } from 'node:http';
import { CloseCode } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { throttledActor, throttledPlace, type Throttle } from '../graphql/index.js';
import type { Call, Iam, Watch } from '../iam/index.js';
import { readConnectionCredential } from './arrival.js';
import type { SocketLimits } from './sockets.js';

/** Bytes that wait to be sent; a page that takes nothing does not make the server remember everything. */
const mostWaiting = 8_388_608;

/** Milliseconds after which the credential is looked at though nothing woke. */
const lookAgainAfter = 30_000;

/** IANA's registry of close codes: the client may come back. */
const tryAgainLater = 1013;

/** How many there are of each. */
export class Tally {
  readonly #counts = new Map<string, number>();

  /** False, and nothing is taken, when there are that many already. */
  take(key: string, limit: number): boolean {
    const count = this.#counts.get(key) ?? 0;
    if (count >= limit) return false;
    this.#counts.set(key, count + 1);
    return true;
  }

  giveBack(key: string): void {
    const count = this.#counts.get(key) ?? 0;
    if (count <= 1) this.#counts.delete(key);
    else this.#counts.set(key, count - 1);
  }
}

export interface ConnectionParts {
  readonly id: string;
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  readonly sourceAddress: string | null;
  readonly iam: Iam;
  readonly throttle: Throttle;
  readonly limits: SocketLimits;
  readonly tally: Tally;
}

export class SocketConnection {
  readonly id: string;
  readonly sourceAddress: string | null;
  /** Subscriptions that have begun and not ended. */
  listening = 0;
  readonly #parts: ConnectionParts;
  #call: Call | null = null;
  #watch: Watch | null = null;
  #pinging: NodeJS.Timeout;
  /** What the connection counts as: its address until it is known who is there, then the actor. */
  #counted: string | null = null;
  #ended = false;

  constructor(parts: ConnectionParts) {
    const { id, socket, sourceAddress, limits } = parts;
    this.id = id;
    this.sourceAddress = sourceAddress;
    this.#parts = parts;
    let alive = true;
    for (const sign of ['pong', 'message']) socket.on(sign, () => (alive = true));
    this.#pinging = setInterval(() => {
      if (!alive) return socket.terminate();
      alive = false;
      socket.ping();
    }, limits.pingSeconds * 1000);
    this.#pinging.unref();
    this.#countAs(`address ${throttledPlace({ sourceAddress })}`);
  }

  /** As last opened. */
  get call(): Call {
    if (this.#call === null) throw new Error('nobody has said yet who is there');
    return this.#call;
  }

  /** Looks at the credential that the connection began with; false: there is none that is good, and it was closed. */
  async begin(parameters: unknown): Promise<boolean> {
    const { iam, request, throttle } = this.#parts;
    const credential = readConnectionCredential(request, parameters);
    const environment = { now: iam.now(), sourceAddress: this.sourceAddress };
    const arrival = { requestId: this.id, credential, environment };
    const untried = throttle.tryKey(arrival);
    if (untried !== null) return this.#refuse(tryAgainLater, untried.message);
    const call = await iam.calls.open(arrival).catch((error: unknown) => {
      throttle.giveBackTrial(arrival);
      throw error;
    });
    if (call.broken === null) throttle.noteProven(arrival);
    // Who has left meanwhile would never give back what is taken from here on.
    if (this.#ended) return false;
    if (call.broken !== null || call.principal.kind === 'ANONYMOUS') {
      try {
        throttle.admitStranger(call);
      } catch (error) {
        return this.#refuse(tryAgainLater, error instanceof Error ? error.message : 'too many requests');
      }
      if (call.broken !== null) return this.#refuse(CloseCode.Forbidden, call.broken.message);
      return this.#refuse(CloseCode.Unauthorized, 'a credential is needed; send a token as `Authorization` or `token`');
    }
    this.#call = call;
    if (!this.#countAs(`actor ${throttledActor(call)}`)) return false;
    this.#watch = iam.watches.watch(call.accountIds(), 'ACCESS');
    void this.#stay(this.#watch);
    return true;
  }

  /** Opens the call again: who is there as of now. */
  async reopen(): Promise<Call> {
    this.#call = await this.#parts.iam.calls.reopen(this.call);
    return this.#call;
  }

  /** Closes the socket if the credential has ended and nothing is left on it that could say so. */
  leaveIfBroken({ broken }: Call): void {
    if (broken !== null && this.listening === 0) this.close(CloseCode.Forbidden, broken.message);
  }

  /** Resolves once it is handed over; what cannot be sent any more is as good as sent. */
  async send(text: string): Promise<void> {
    const { socket } = this.#parts;
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > mostWaiting) return socket.terminate();
    await new Promise<void>((resolve) => socket.send(text, () => resolve()));
  }

  close(code: number, reason: string): void {
    // A close frame has room for 123 bytes.
    let short = reason;
    while (Buffer.byteLength(short) > 123) short = short.slice(0, -1);
    this.#parts.socket.close(code, short);
  }

  /** To be called once the socket is closed. */
  end(): void {
    this.#ended = true;
    clearInterval(this.#pinging);
    this.#watch?.close();
    this.#giveBack();
  }

  /**
   * While nothing listens nobody else looks whether the credential is still good. What listens looks itself, and opens calls of its own:
   * this one grows old, and would name the same end that is past again and again.
   */
  async #stay(watch: Watch): Promise<void> {
    const { iam } = this.#parts;
    const actor = throttledActor(this.call);
    try {
      const due = () => Math.min(this.listening === 0 ? this.call.lapsesAt() : Infinity, iam.now() + lookAgainAfter);
      while (await watch.woken(due())) {
        if (this.listening === 0) this.leaveIfBroken(await iam.watches.inTurn(actor, () => this.reopen()));
      }
    } catch {
      this.close(tryAgainLater, 'it cannot be looked at who is there; connect again');
    }
  }

  #refuse(code: number, reason: string): false {
    this.close(code, reason);
    return false;
  }

  #countAs(key: string): boolean {
    const { tally, limits } = this.#parts;
    this.#giveBack();
    if (tally.take(key, limits.connectionsPerActor)) {
      this.#counted = key;
      return true;
    }
    return this.#refuse(tryAgainLater, `you have ${limits.connectionsPerActor} connections, which is all; close one`);
  }

  #giveBack(): void {
    if (this.#counted !== null) this.#parts.tally.giveBack(this.#counted);
    this.#counted = null;
  }
}
