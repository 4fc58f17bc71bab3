/** The one HTTP listener: hooks that every request passes, the routes, and an orderly end. */
import { createServer, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { GraphQLSchema } from 'graphql';
import {
  Throttle,
  usualPreparation,
  usualThrottle,
  type PreparationLimits,
  type ThrottleLimits,
} from '../graphql/index.js';
import type { Arrival, Iam } from '../iam/index.js';
import { readArrival, requestIdOf } from './arrival.js';
import { bodyLimit, checkMediaType, readBody, readSearch } from './body.js';
import { Connections, usualConnectionLimits, type ConnectionLimits } from './connections.js';
import { corsHeaders, isPreflight, preflightHeaders } from './cors.js';
import { routeExplorer, type ExplorerFiles } from './explorer.js';
import { faultBody, HttpFault } from './faults.js';
import { openGraphQLEndpoint, type OperationNote } from './graphql-endpoint.js';
import { checkHead, headerCountLimit } from './head.js';
import { timestamps } from './log-lines.js';
import type { Metrics } from './metrics.js';
import { answerTypeOf, negotiateAnswerType, withCharset } from './media-types.js';
import { openSocketEndpoint } from './socket-endpoint.js';
import { ShortWay } from './short-way.js';
import { openSockets, usualSocketLimits, type SocketLimits } from './sockets.js';
import { sourceAddresses } from './source-address.js';
import { trustDocuments, type TrustedDocuments } from './trusted-documents.js';
import type { UsageReports } from './usage-reports.js';

/** Where the API is. */
export const apiPath = '/graphql';

/** Where the public keys of tokens are (RFC 7517), for services that verify one themselves. */
const keySetPath = '/.well-known/jwks.json';

/** Seconds; the key of the next period is there a day before it signs, so a copy is never too old. */
const keySetAge = 300;

/** Milliseconds for the database to answer `/readyz`. */
const readyTimeout = 2_000;

/** The answers are for programs: nothing is ever to be rendered, framed, sniffed or kept. */
const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

export interface ListenerOptions {
  readonly iam: Iam;
  readonly schema: GraphQLSchema;
  readonly corsOrigins?: readonly string[];
  /** Addresses and CIDR blocks of proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies?: readonly string[];
  readonly throttle?: ThrottleLimits;
  readonly socketLimits?: SocketLimits;
  readonly connectionLimits?: ConnectionLimits;
  /** Documents that are known by their ids; none unless given. */
  readonly documents?: TrustedDocuments;
  /** When queries that come again are prepared. */
  readonly preparation?: PreparationLimits;
  /** Told of every request. */
  readonly metrics?: Metrics | null;
  /** Null: there is no such page. */
  readonly explorer?: ExplorerFiles | null;
  /** Null: nothing is reported to Apollo. */
  readonly reports?: UsageReports | null;
  readonly log: { readonly level: string; readonly stream: { write(line: string): void } };
}

export interface Listener {
  readonly log: FastifyBaseLogger;
  /** Answers where it listens, as a URL without a path. */
  listen(host: string, port: number): Promise<string>;
  /** Takes no more requests, lets those under way finish, and cuts them off after `drainSeconds`. */
  stop(drainSeconds: number): Promise<void>;
}

export async function openListener(options: ListenerOptions): Promise<Listener> {
  const {
    iam,
    schema,
    corsOrigins = [],
    trustedProxies = [],
    throttle: throttleLimits = usualThrottle,
    socketLimits = usualSocketLimits,
    connectionLimits = usualConnectionLimits,
    documents = trustDocuments('any', []),
    preparation = usualPreparation,
    metrics = null,
    explorer = null,
    reports = null,
    log,
  } = options;
  // Known once there is an endpoint; nothing is listened to before.
  let shortWay: ShortWay | null = null;
  let draining = false;
  const app = fastify({
    bodyLimit,
    serverFactory: (handler) =>
      createServer((request, response) => {
        const handOn = (): void => handler(request, response);
        if (shortWay === null) handOn();
        else shortWay.take(request, response, handOn);
      }),
    // What comes the short way is handed on when its body is there: a request that was under way when the end began has to
    // be answered, and on what connections are left the answer says that nothing more may follow.
    return503OnClosing: false,
    requestIdHeader: false,
    genReqId: (request: IncomingMessage) => shortWay?.received(request)?.requestId ?? requestIdOf(request),
    exposeHeadRoutes: false,
    logController: new LogController({ disableRequestLogging: true }),
    logger: {
      level: log.level,
      stream: log.stream,
      base: null,
      timestamp: timestamps(),
    },
    // A path that cannot be decoded never reaches the hooks.
    frameworkErrors: (error, request, reply) => {
      writeHead(request, reply);
      void refuse(error, request, reply);
    },
  });
  const throttle = new Throttle(throttleLimits, iam.tallies);
  const endpoint = await openGraphQLEndpoint(iam, schema, app.log, reports, throttle, documents, preparation);
  const notes = new WeakMap<FastifyRequest, OperationNote>();
  const sourceAddressOf = sourceAddresses(trustedProxies);
  const shared = { iam, schema, log: app.log, throttle, documents, metrics, sourceAddressOf };
  const webSockets =
    socketLimits.connections === 0
      ? null
      : openSockets(app.server, {
          path: apiPath,
          limits: socketLimits,
          origins: corsOrigins,
          headers: securityHeaders,
          serve: openSocketEndpoint({ ...shared, limits: socketLimits }),
        });
  const connections = new Connections(app.server, connectionLimits);
  let probing: Promise<unknown> | null = null;
  /** Whether the database answers: a look for what is not there, which all who ask meanwhile share. */
  const probe = (): Promise<unknown> =>
    (probing ??= iam.store.access.accountByName('').finally(() => {
      probing = null;
    }));

  app.server.maxHeadersCount = headerCountLimit;

  function writeHead(request: FastifyRequest, reply: FastifyReply): void {
    void reply
      .headers(securityHeaders)
      .headers(corsHeaders(request.raw, corsOrigins))
      .header('x-request-id', request.id);
  }

  function readArrivalOf(request: FastifyRequest): Arrival {
    const bytes = request.body instanceof Uint8Array ? request.body : null;
    const environment = { now: iam.now(), sourceAddress: sourceAddressOf(request.raw) };
    return readArrival(request.raw, request.id, environment, bytes);
  }

  /** One line in the log, and the counts. */
  function noteAnswered(request: IncomingMessage, answered: Answered, note: OperationNote): void {
    const { requestId, route, status, milliseconds, sourceAddress } = answered;
    const method = request.method ?? '';
    const { account, actor, kind, operation, errors } = note;
    const line = {
      requestId,
      method,
      // The route, not the URL: queries in a URL hold values.
      route,
      status,
      milliseconds: Math.round(milliseconds),
      sourceAddress,
      // What is undefined is not written.
      actor,
      account,
      kind,
      operation,
      errors,
    };
    const counted = { method, route, status, seconds: milliseconds / 1000 };
    metrics?.answered({ ...counted, operation: kind ?? null, errors: errors ?? [] });
    if (status >= 500) app.log.error(line, 'request');
    else if (route === apiPath || route === null) app.log.info(line, 'request');
    else app.log.debug(line, 'request');
  }
  shortWay = new ShortWay({
    iam,
    endpoint,
    path: apiPath,
    corsOrigins,
    headers: securityHeaders,
    sourceAddressOf,
    draining: () => draining,
    looksFirst: (arrival) => throttle.looksFirst(arrival),
    answered: ({ request, requestId, sourceAddress, milliseconds, note }) =>
      noteAnswered(request, { requestId, route: apiPath, status: 200, milliseconds, sourceAddress }, note),
  });

  // In async handlers and hooks of Fastify the value answered is the payload; a reply is its own.
  function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const fault = faultOf(error);
    if (fault === null) app.log.error({ err: error, requestId: request.id }, 'a request could not be answered');
    else void reply.headers(fault.headers);
    const message = fault?.message ?? `internal error; name request \`${request.id}\` to the operator`;
    const answerType = request.routeOptions.url === apiPath ? answerTypeOf(request.raw) : null;
    return reply
      .code(fault?.status ?? 500)
      .type(withCharset(answerType?.mediaType ?? 'application/json'))
      .send(faultBody(message, request.id, fault === null ? 'INTERNAL_SERVER_ERROR' : 'BAD_REQUEST'));
  }

  app.removeAllContentTypeParsers();
  // Bytes as they came: media type, encoding and JSON are looked at by our own reader.
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  app.addHook('onRequest', async (request, reply) => {
    writeHead(request, reply);
    checkHead(request.raw);
    if (request.method !== 'OPTIONS') return undefined;
    if (!isPreflight(request.raw)) return reply.code(204).header('allow', 'GET, POST, OPTIONS').send();
    const headers = preflightHeaders(request.raw, corsOrigins);
    if (headers === null) {
      throw new HttpFault(
        403,
        'pages of this origin may not use the server; its operator can name it in `BAILIWICK_CORS_ORIGINS`',
      );
    }
    return reply.code(204).headers(headers).send();
  });
  app.addHook('onSend', async (_request, reply) => {
    // A connection kept open would keep the server waiting for its next request.
    if (draining) void reply.header('connection', 'close');
  });
  app.addHook('preParsing', async (request, _reply, payload) => {
    const received = shortWay?.received(request.raw);
    return received === undefined ? payload : Readable.from([received.bytes], { objectMode: false });
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? null;
    const { statusCode: status, elapsedTime: milliseconds } = reply;
    const answered = { requestId: request.id, route, status, milliseconds };
    noteAnswered(request.raw, { ...answered, sourceAddress: sourceAddressOf(request.raw) }, notes.get(request) ?? {});
  });
  app.setErrorHandler((error, request, reply) => refuse(error, request, reply));
  app.setNotFoundHandler((request) => {
    const [path] = request.url.split('?');
    if (path === apiPath)
      throw new HttpFault(405, 'only GET and POST are answered here', { allow: 'GET, POST, OPTIONS' });
    throw new HttpFault(404, `there is nothing here; the API is at \`${apiPath}\``);
  });

  app.route({
    method: ['GET', 'POST'],
    url: apiPath,
    handler: async (request, reply) => {
      const answerType = negotiateAnswerType(request.raw);
      const received = shortWay?.received(request.raw);
      const isPost = request.method === 'POST';
      if (isPost && received?.body === undefined) checkMediaType(request.raw);
      const note = received?.note ?? {};
      notes.set(request, note);
      const arrival = received?.arrival ?? readArrivalOf(request);
      const answer = await endpoint.answer({ raw: request.raw, arrival, answerType, note }, () =>
        isPost
          ? { search: '', body: received?.body ?? readBody(request.body) }
          : { search: readSearch(new URL(request.url, 'http://localhost').search), body: undefined },
      );
      for (const [name, value] of answer.headers) void reply.header(name, value);
      void reply.code(answer.status ?? 200);
      // INVARIANT: the schema has neither @defer nor @stream, so no answer comes in parts.
      if (answer.body.kind !== 'complete') throw new Error('the answer came in parts');
      return reply.send(answer.body.string);
    },
  });
  app.route({
    method: ['GET', 'HEAD'],
    url: keySetPath,
    handler: async (_request, reply) =>
      reply
        .header('cache-control', `public, max-age=${keySetAge}`)
        .type('application/jwk-set+json')
        // Bytes: to a text Fastify would add a charset, which the media type does not have.
        .send(Buffer.from(JSON.stringify({ keys: iam.tokens.publicKeys() }))),
  });
  app.route({
    method: ['GET', 'HEAD'],
    url: '/healthz',
    handler: async (_request, reply) => reply.type('text/plain; charset=utf-8').send('ok\n'),
  });
  app.route({
    method: ['GET', 'HEAD'],
    url: '/readyz',
    handler: async (request, reply) => {
      void reply.type('text/plain; charset=utf-8');
      if (draining) return reply.code(503).send('the server is ending\n');
      try {
        await within(readyTimeout, probe());
        return await reply.send('ok\n');
      } catch (error) {
        app.log.warn({ err: error, requestId: request.id }, 'not ready: the database does not answer');
        return reply.code(503).send('the database does not answer\n');
      }
    },
  });

  if (explorer !== null) routeExplorer(app, explorer);

  return {
    log: app.log,
    listen: (host, port) => app.listen({ host, port }),
    stop: async (drainSeconds) => {
      draining = true;
      connections.endUnused();
      const deadline = setTimeout(() => connections.endAll(), drainSeconds * 1000);
      try {
        await Promise.all([webSockets?.stop(drainSeconds), app.close()]);
      } finally {
        clearTimeout(deadline);
      }
      await endpoint.stop();
    },
  };
}

interface Answered {
  readonly requestId: string;
  readonly route: string | null;
  readonly status: number;
  readonly milliseconds: number;
  readonly sourceAddress: string | null;
}

/** What a client may be told of an error of the transport; null for a defect of ours. */
function faultOf(error: unknown): HttpFault | null {
  if (error instanceof HttpFault) return error;
  const { statusCode = 500 } = error as Partial<FastifyError>;
  if (statusCode === 413) {
    return new HttpFault(413, `the body is larger than ${bodyLimit} bytes; split the request`);
  }
  if (statusCode === 415) return new HttpFault(415, 'the `Content-Type` is not JSON; send `application/json`');
  if (statusCode >= 400 && statusCode < 500) {
    return new HttpFault(400, 'the request is not well-formed HTTP; mend it');
  }
  return null;
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} milliseconds`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
