/**
 * The short way of requests for prepared operations: from Node's listener straight to the endpoint, past the router and
 * its hooks, which cost more than such an operation does (docs/decisions/0089-prepared-operations.md).
 *
 * Only what is plain in every way and goes well is answered here. Everything else is handed on to the listener's own
 * way with what was received so far, and is refused and told of there as if it had come by itself.
 *
 * What came in one turn of the event loop goes the way together, a step at a time, as far as it is small: all are read,
 * then all are asked, then all are answered. A step that is done many times in a row costs the processor less than many
 * steps in turn, and whoever waits for several answers is woken once.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Arrival, Iam } from '../iam/index.js';
import { chooseRequestId, readPlainCredential } from './arrival.js';
import { bodyLimit, readBody } from './body.js';
import { corsHeaders } from './cors.js';
import type { GraphQLEndpoint, OperationNote } from './graphql-endpoint.js';
import { readPlainHead, type PlainHead } from './head.js';
import { chooseAnswerType, withCharset, type AnswerType } from './media-types.js';
import type { SourceAddressOf } from './source-address.js';

/**
 * Bytes of bodies from which on what was asked is answered before more is, unless it waits for the database. What a request
 * has read and decided is then still in the processor's cache when it is answered, and dead when the collector comes by; of
 * large ones that go together everything would be alive at once.
 */
const lengthTogether = 16_384;

/** What was received of a request that was handed on. */
export interface ReceivedBody {
  readonly requestId: string;
  readonly bytes: Uint8Array;
  /** Read already; undefined where it cannot be. */
  readonly body: unknown;
  readonly arrival: Arrival | null;
  readonly note: OperationNote;
}

export interface AnsweredShortly {
  readonly request: IncomingMessage;
  readonly requestId: string;
  readonly sourceAddress: string | null;
  readonly milliseconds: number;
  readonly note: OperationNote;
}

export interface ShortWayOptions {
  readonly iam: Pick<Iam, 'now'>;
  readonly endpoint: Pick<GraphQLEndpoint, 'answerPrepared'>;
  /** Path of the API. */
  readonly path: string;
  readonly corsOrigins: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly sourceAddressOf: SourceAddressOf;
  /** Whether the server is ending. */
  readonly draining: () => boolean;
  /** Whether it is found out who sends a request before anything of it is read. */
  readonly looksFirst: (arrival: Arrival) => boolean;
  readonly answered: (answered: AnsweredShortly) => void;
}

/** A request on its way. */
interface Traveller {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly head: PlainHead;
  readonly answerType: AnswerType;
  /** Of `performance.now()`. */
  readonly began: number;
  readonly handOn: () => void;
  readonly chunks: Uint8Array[];
}

interface ReadTraveller {
  readonly traveller: Traveller;
  readonly arrival: Arrival;
  readonly note: OperationNote;
}

export class ShortWay {
  readonly #options: ShortWayOptions;
  readonly #headers: readonly string[];
  readonly #handedOn = new WeakMap<IncomingMessage, ReceivedBody>();
  #received: Traveller[] = [];
  #answers: { readonly read: ReadTraveller; readonly text: string }[] = [];

  constructor(options: ShortWayOptions) {
    this.#options = options;
    this.#headers = Object.entries(options.headers).flat();
  }

  /** What is there already of a request that comes the other way. */
  received(request: IncomingMessage): ReceivedBody | undefined {
    return this.#handedOn.get(request);
  }

  /** Answers a request, or hands it on; never both. */
  take(request: IncomingMessage, response: ServerResponse, handOn: () => void): void {
    const began = performance.now();
    const { path, draining } = this.#options;
    const head = request.url === path && !draining() ? readPlainHead(request) : null;
    const answerType = head === null || head.length > bodyLimit ? null : chooseAnswerType(head.accept ?? '');
    if (head === null || answerType === null) {
      handOn();
      return;
    }
    const traveller: Traveller = { request, response, head, answerType, began, handOn, chunks: [] };
    request.on('data', (chunk: Uint8Array) => void traveller.chunks.push(chunk));
    // Whoever breaks off is not answered.
    request.on('error', () => undefined);
    request.on('end', () => this.#receive(traveller));
  }

  #receive(traveller: Traveller): void {
    if (this.#received.length === 0) setImmediate(() => this.#askAll());
    this.#received.push(traveller);
  }

  #askAll(): void {
    const together = this.#received.slice(0, countTogether(this.#received));
    this.#received = this.#received.slice(together.length);
    if (this.#received.length > 0) afterAnswers(() => this.#askAll());
    for (const traveller of together) this.#ask(traveller);
  }

  #ask(traveller: Traveller): void {
    const { request, head, answerType, chunks } = traveller;
    const { iam, endpoint, sourceAddressOf, looksFirst } = this.#options;
    const [first] = chunks;
    const bytes = first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks);
    const requestId = chooseRequestId(head.requestId);
    const note: OperationNote = {};
    let body: unknown;
    let arrival: Arrival | null = null;
    const handOn = (): void => {
      this.#handedOn.set(request, { requestId, bytes, body, arrival, note });
      traveller.handOn();
    };
    let answering: Promise<string | null> | null;
    try {
      const environment = { now: iam.now(), sourceAddress: sourceAddressOf(request) };
      arrival = { requestId, credential: readPlainCredential(head, request, bytes), environment };
      if (looksFirst(arrival)) answering = null;
      else {
        body = readBody(bytes);
        answering = endpoint.answerPrepared({ raw: request, arrival, answerType, note }, { search: '', body });
      }
      const read = { traveller, arrival, note };
      answering?.then((text) => (text === null ? handOn() : this.#keepAnswer(read, text)), handOn);
    } catch {
      // It is thrown again where it is told; and those behind it must have their turn.
      answering = null;
    }
    if (answering === null) handOn();
  }

  #keepAnswer(read: ReadTraveller, text: string): void {
    // After everything that waits for nothing but other code.
    if (this.#answers.length === 0) process.nextTick(() => this.#answerAll());
    this.#answers.push({ read, text });
  }

  #answerAll(): void {
    const answers = this.#answers;
    this.#answers = [];
    for (const { read, text } of answers) this.#answer(read, text);
  }

  #answer({ traveller, arrival, note }: ReadTraveller, text: string): void {
    const { request, response, answerType, began } = traveller;
    const { corsOrigins, draining, answered } = this.#options;
    const { requestId, environment } = arrival;
    // A flat list of names and values, which Node takes as it is.
    const headers = [
      ...this.#headers,
      'x-request-id',
      requestId,
      'content-type',
      withCharset(answerType.mediaType),
      'content-length',
      String(Buffer.byteLength(text)),
    ];
    if (corsOrigins.length > 0) headers.push(...Object.entries(corsHeaders(request, corsOrigins)).flat());
    // A connection kept open would keep the server waiting for its next request.
    if (draining()) headers.push('connection', 'close');
    response.writeHead(200, headers);
    response.end(text);
    const { sourceAddress } = environment;
    answered({ request, requestId, sourceAddress, milliseconds: performance.now() - began, note });
  }
}

/**
 * Once what waits for nothing but other code has gone on to its end and been answered, and before any socket is read again:
 * others would send faster than they are answered, and what waits here would have no bound.
 */
function afterAnswers(deed: () => void): void {
  // Ticks that code leaves behind come after it, and this one after theirs.
  queueMicrotask(() => {
    process.nextTick(() => {
      process.nextTick(deed);
    });
  });
}

/** How many of them are asked together: at least one. */
function countTogether(received: readonly Traveller[]): number {
  let length = 0;
  let count = 0;
  for (const { head } of received) {
    if (length >= lengthTogether) break;
    length += head.length;
    count += 1;
  }
  return count;
}
