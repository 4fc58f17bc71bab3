/**
 * The short way of requests for prepared operations: from Node's listener straight to the endpoint, past the router and
 * its hooks, which cost more than such an operation does (docs/decisions/0089-prepared-operations.md).
 *
 * Only what is plain in every way and goes well is answered here. Everything else is handed on to the listener's own
 * way with what was received so far, and is refused and told of there as if it had come by itself.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Arrival, Iam } from '../iam/index.js';
import { readArrival, requestIdOf } from './arrival.js';
import { bodyLimit, checkMediaType, readBody } from './body.js';
import { corsHeaders } from './cors.js';
import { HttpFault } from './faults.js';
import type { GraphQLEndpoint, OperationNote } from './graphql-endpoint.js';
import { checkHead } from './head.js';
import { negotiateAnswerType, withCharset, type AnswerType } from './media-types.js';
import type { SourceAddressOf } from './source-address.js';

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
  readonly answered: (answered: AnsweredShortly) => void;
}

export class ShortWay {
  readonly #options: ShortWayOptions;
  readonly #received = new WeakMap<IncomingMessage, ReceivedBody>();

  constructor(options: ShortWayOptions) {
    this.#options = options;
  }

  /** What is there already of a request that comes the other way. */
  received(request: IncomingMessage): ReceivedBody | undefined {
    return this.#received.get(request);
  }

  /** Answers a request, or hands it on; never both. */
  take(request: IncomingMessage, response: ServerResponse, handOn: () => void): void {
    const began = performance.now();
    const answerType = this.#options.draining() ? null : this.#answerTypeOf(request);
    if (answerType === null) {
      handOn();
      return;
    }
    const chunks: Uint8Array[] = [];
    request.on('data', (chunk: Uint8Array) => void chunks.push(chunk));
    // Whoever breaks off is not answered.
    request.on('error', () => undefined);
    request.on('end', () => {
      const [first] = chunks;
      const bytes = first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks);
      let answering: Promise<string | null> | null;
      try {
        answering = this.#ask(request, bytes, answerType);
      } catch {
        // Thrown again where it is told.
        answering = null;
      }
      if (answering === null) {
        handOn();
        return;
      }
      answering.then((text) => {
        if (text === null) handOn();
        else this.#answer(request, response, answerType, text, began);
      }, handOn);
    });
  }

  /** Null where it takes the other way to see what is asked for, or what is wrong. */
  #answerTypeOf(request: IncomingMessage): AnswerType | null {
    if (request.method !== 'POST' || request.url !== this.#options.path) return null;
    const { headers } = request;
    if (headers['transfer-encoding'] !== undefined || headers.expect !== undefined) return null;
    const length = Number(headers['content-length']);
    if (!(length > 0 && length <= bodyLimit)) return null;
    try {
      checkHead(request);
      checkMediaType(request);
      return negotiateAnswerType(request);
    } catch (error) {
      if (error instanceof HttpFault) return null;
      throw error;
    }
  }

  #ask(request: IncomingMessage, bytes: Uint8Array, answerType: AnswerType): Promise<string | null> | null {
    const { iam, endpoint, sourceAddressOf } = this.#options;
    const requestId = requestIdOf(request);
    const note: OperationNote = {};
    let body: unknown;
    try {
      body = readBody(bytes);
    } catch (error) {
      if (!(error instanceof HttpFault)) throw error;
      this.#received.set(request, { requestId, bytes, body: undefined, arrival: null, note });
      return null;
    }
    const environment = { now: iam.now(), sourceAddress: sourceAddressOf(request) };
    const arrival = readArrival(request, requestId, environment, bytes);
    this.#received.set(request, { requestId, bytes, body, arrival, note });
    return endpoint.answerPrepared({ raw: request, arrival, search: '', body, answerType, note });
  }

  #answer(
    request: IncomingMessage,
    response: ServerResponse,
    { mediaType }: AnswerType,
    text: string,
    began: number,
  ): void {
    const { corsOrigins, headers, draining, answered } = this.#options;
    // INVARIANT: set before the answer was asked for.
    const received = this.#received.get(request);
    if (received === undefined) throw new Error('an answer to a request that was not received');
    const { requestId, note } = received;
    response.writeHead(200, {
      ...headers,
      ...corsHeaders(request, corsOrigins),
      'x-request-id': requestId,
      'content-type': withCharset(mediaType),
      'content-length': Buffer.byteLength(text),
      // A connection kept open would keep the server waiting for its next request.
      ...(draining() ? { connection: 'close' } : {}),
    });
    response.end(text);
    answered({ request, requestId, milliseconds: performance.now() - began, note });
  }
}
