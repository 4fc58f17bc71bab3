/**
 * Guards for routes of Express and Fastify. Neither framework is imported: what is used of them is written down here, so
 * that a service needs only the one it has.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Transform, type Readable } from 'node:stream';
import type { AccessRequest, Actor, Client } from './client.js';
import { decide, retryAfter, type Allowed, type GuardedRequest, type GuardOutcome, type Refusal } from './guard.js';

/** A value, or how to read it from the request. */
type Told<Request, Value> = Value | ((request: Request) => Value);

export interface GuardOptions<Request> {
  /** `service:type:operation`. */
  readonly action: Told<Request, string>;
  /** URN of what the request is about; absent: none in particular. */
  readonly resource?: Told<Request, string | null>;
  /** Workspace that the route is about, its plain id: a credential of another one is refused. Absent: the credential's own. */
  readonly workspaceId?: Told<Request, string | null>;
  /** Further facts that policies may ask for; only services tell `g:SourceIp`, which is told anyway. */
  readonly context?: Told<Request, AccessRequest['context']>;
  /** Whether a signed request is good once only; for every method but GET, HEAD and OPTIONS unless given. */
  readonly once?: boolean;
  /** Address of the sender; that of the socket unless given. Behind a proxy: what the framework trusts it to say. */
  readonly sourceAddress?: (request: Request) => string | null;
  /** Told of every refusal, with what kept Bailiwick from being asked in `cause`; for the log. */
  readonly onRefusal?: (refusal: Refusal, request: Request) => void;
}

const bodies = new WeakMap<IncomingMessage, string>();
const passed = new WeakMap<IncomingMessage, Allowed>();

/** Who sent a request that a guard let through, where it acts and what was decided; null when no guard did. */
export function guarded(request: IncomingMessage | { readonly raw: IncomingMessage }): Allowed | null {
  return passed.get('raw' in request ? request.raw : request) ?? null;
}

/** Whom a guarded request acts as. @throws Error when no guard let it through: the route is not guarded */
export function actorOf(request: IncomingMessage | { readonly raw: IncomingMessage }): Actor {
  const allowed = guarded(request);
  if (allowed === null) throw new Error('no guard let this request through; guard the route');
  return allowed.actor;
}

/**
 * For the option `verify` of Express' parsers: `express.json({ verify: captureBody })`. Bodies that came compressed are
 * seen as they are after that, which their signature does not fit.
 */
export function captureBody(request: IncomingMessage, _response: ServerResponse, body: Uint8Array): void {
  bodies.set(request, createHash('sha256').update(body).digest('hex'));
}

/**
 * For a server of Node alone: called at once in its `request` handler, before anything else happens, it sees the bytes of
 * the body as whoever reads them takes them in. Called later it may miss some, and then no signature fits.
 */
export function captureNodeBody(request: IncomingMessage): void {
  const hash = createHash('sha256');
  const push = request.push.bind(request);
  request.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (chunk instanceof Uint8Array) hash.update(chunk);
    else if (chunk === null && !bodies.has(request)) bodies.set(request, hash.digest('hex'));
    return push(chunk, encoding);
  };
}

/** What is used of a request of Express 5. */
export interface ExpressRequest extends IncomingMessage {
  readonly originalUrl: string;
  readonly params: Readonly<Record<string, string | string[]>>;
  readonly query: unknown;
  readonly body: unknown;
}

/** Middleware for a route of Express, after the parsers of bodies. */
export function guardExpress(
  client: Client,
  options: GuardOptions<ExpressRequest>,
): (request: ExpressRequest, response: ServerResponse, next: (error?: unknown) => void) => void {
  return (request, response, next) => {
    ask(client, options, request, request, request.originalUrl)
      .then((outcome) => {
        if (outcome.allowed) return next();
        response.statusCode = outcome.status;
        for (const [name, value] of headersOf(outcome)) response.setHeader(name, value);
        response.end(JSON.stringify(shown(outcome)));
      })
      .catch(next);
  };
}

/** What is used of a request of Fastify 5. */
export interface FastifyRequest {
  readonly raw: IncomingMessage;
  /** As on the request line. */
  readonly originalUrl: string;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

export interface FastifyReply {
  code(status: number): FastifyReply;
  header(name: string, value: string): FastifyReply;
  send(payload: unknown): unknown;
}

/** Hook `preParsing` of Fastify, for the whole server: `app.addHook('preParsing', captureFastifyBody)`. */
export function captureFastifyBody(
  request: FastifyRequest,
  _reply: unknown,
  payload: Readable,
  done: (error: null, payload: Readable) => void,
): void {
  const hash = createHash('sha256');
  let received = 0;
  const seen = new Transform({
    transform: (chunk: Uint8Array, _encoding, next) => {
      hash.update(chunk);
      received += chunk.length;
      // Fastify holds this against the length that was announced.
      Object.assign(seen, { receivedEncodedLength: received });
      next(null, chunk);
    },
    flush: (next) => {
      bodies.set(request.raw, hash.digest('hex'));
      next();
    },
  });
  payload.on('error', (error) => seen.destroy(error));
  done(null, payload.pipe(seen));
}

/** Hook `preHandler` of a route of Fastify. */
export function guardFastify(
  client: Client,
  options: GuardOptions<FastifyRequest>,
): (request: FastifyRequest, reply: FastifyReply) => Promise<unknown> {
  return async (request, reply) => {
    const outcome = await ask(client, options, request, request.raw, request.originalUrl);
    if (outcome.allowed) return undefined;
    reply.code(outcome.status);
    for (const [name, value] of headersOf(outcome)) reply.header(name, value);
    return reply.send(JSON.stringify(shown(outcome)));
  };
}

const safe: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

async function ask<Request>(
  client: Client,
  options: GuardOptions<Request>,
  request: Request,
  raw: IncomingMessage,
  url: string,
): Promise<GuardOutcome> {
  const { once = !safe.has(raw.method ?? ''), sourceAddress, onRefusal } = options;
  const asked = {
    action: told(options.action, request),
    resource: told(options.resource, request) ?? null,
    workspaceId: told(options.workspaceId, request) ?? null,
    ...(options.context === undefined ? {} : { context: told(options.context, request) ?? [] }),
  };
  const address = sourceAddress === undefined ? (raw.socket.remoteAddress ?? null) : sourceAddress(request);
  const outcome = await decide(client, receivedOf(raw, url, address), asked, once);
  if (outcome.allowed) passed.set(raw, outcome);
  else onRefusal?.(outcome, request);
  return outcome;
}

function told<Request, Value extends string | null | undefined | readonly unknown[]>(
  value: Told<Request, Value>,
  request: Request,
): Value {
  return typeof value === 'function' ? value(request) : value;
}

/** A request of Node as it came: every header, in its order, also those that stand there twice. */
export function receivedOf(raw: IncomingMessage, url: string, sourceAddress: string | null): GuardedRequest {
  const headers: [string, string][] = [];
  for (let index = 0; index + 1 < raw.rawHeaders.length; index += 2) {
    headers.push([raw.rawHeaders[index] ?? '', raw.rawHeaders[index + 1] ?? '']);
  }
  const seen = { method: raw.method ?? '', url, headers, bodySha256: bodies.get(raw) ?? null, sourceAddress };
  // A request of HTTP/2 may bring a body that no header announces.
  const stream = 'stream' in raw ? (raw.stream as { readonly endAfterHeaders?: boolean }) : null;
  return stream === null ? seen : { ...seen, hasBody: stream.endAfterHeaders !== true };
}

function headersOf({ status }: Refusal): readonly (readonly [string, string])[] {
  return [
    ['content-type', 'application/json; charset=utf-8'],
    ['cache-control', 'no-store'],
    ...(status === 503 ? ([['retry-after', String(retryAfter)]] as const) : []),
  ];
}

function shown({ code, message, action, reason, requestId }: Refusal): object {
  return { error: { code, message, action, reason, requestId } };
}
