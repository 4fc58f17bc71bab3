/**
 * GraphQL over a WebSocket (`graphql-transport-ws`): subscriptions and nothing else. What the protocol asks for is done by
 * graphql-ws; who is there, what they may begin, and when it ends is said here (docs/decisions/0066-subscriptions.md).
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyBaseLogger } from 'fastify';
import { GraphQLError, type ExecutionArgs, type ExecutionResult, type GraphQLSchema } from 'graphql';
import { CloseCode, makeServer, type Context, type SubscribePayload } from 'graphql-ws';
import type { RawData } from 'ws';
import {
  beginSubscription,
  brokenCredential,
  clientError,
  contextFrom,
  readSubscription,
  requireRevision,
  showErrors,
  wordsForLog,
  type GraphContext,
  type SentSubscription,
  type Throttle,
} from '../graphql/index.js';
import type { Call, Iam } from '../iam/index.js';
import { HttpFault } from './faults.js';
import { noteCaller, untrusted, type OperationNote } from './graphql-endpoint.js';
import { readJson } from './json-text.js';
import type { Metrics } from './metrics.js';
import { SocketConnection, Tally } from './socket-connection.js';
import type { OpenedSocket, SocketLimits } from './sockets.js';
import { isTrusted, type TrustedDocuments } from './trusted-documents.js';

export interface SocketEndpointOptions {
  readonly iam: Iam;
  readonly schema: GraphQLSchema;
  readonly log: FastifyBaseLogger;
  readonly throttle: Throttle;
  readonly documents: TrustedDocuments;
  readonly metrics: Metrics | null;
  readonly limits: SocketLimits;
  readonly sourceAddressOf: (request: IncomingMessage) => string | null;
}

/** A subscription that was asked for, from its message to its end. */
interface Subscription {
  readonly connection: SocketConnection;
  readonly note: OperationNote;
  readonly since: number;
  /** As whom it was asked for, or last told. */
  call: Call;
  /** Null until it has begun. */
  context: GraphContext | null;
  events: number;
}

type SocketContext = Context<Record<string, unknown> | undefined, SocketConnection>;

/** What clients send; the protocol has more, for servers. */
const clientMessages: ReadonlySet<unknown> = new Set(['complete', 'connection_init', 'ping', 'pong', 'subscribe']);

/** Serves sockets; each resolves once it is closed and everything on it has ended. */
export function openSocketEndpoint(options: SocketEndpointOptions): (opened: OpenedSocket) => Promise<void> {
  const { iam, throttle, log, metrics, limits, sourceAddressOf } = options;
  const tally = new Tally();
  const server = serverOf(options);
  return async ({ socket, request, connectionId: id }) => {
    const sourceAddress = sourceAddressOf(request);
    const connection = new SocketConnection({ id, socket, request, sourceAddress, iam, throttle, limits, tally });
    const working = new Set<Promise<void>>();
    let handle = async (_text: string): Promise<void> => undefined;
    const left = server.opened(
      {
        protocol: socket.protocol,
        send: (text) => connection.send(text),
        close: (code = CloseCode.InternalServerError, reason = '') => connection.close(code, reason),
        onMessage: (take) => void (handle = take),
      },
      connection,
    );
    metrics?.sockets(1);
    log.debug({ connectionId: id, sourceAddress }, 'socket opened');
    socket.on('message', (data, isBinary) => {
      const work = receive(connection, data, isBinary, (text) => handle(text)).catch((error: unknown) => {
        log.error({ err: error, connectionId: id }, 'a message could not be answered');
        connection.close(CloseCode.InternalServerError, 'internal error');
      });
      working.add(work);
      void work.finally(() => working.delete(work));
    });
    // What breaks the protocol of WebSockets closes the socket, which is all there is to do.
    socket.on('error', (error) => log.debug({ err: error, connectionId: id }, 'a socket failed'));
    await new Promise<void>((resolve) => {
      socket.once('close', (code, reason) => {
        connection.end();
        log.debug({ connectionId: id, sourceAddress, code }, 'socket closed');
        resolve(left(code, String(reason)));
      });
    });
    metrics?.sockets(-1);
    await Promise.allSettled(working);
  };
}

/** Takes one message, strictly: the text that this server reads is the one that every other reader reads. */
async function receive(
  connection: SocketConnection,
  data: RawData,
  isBinary: boolean,
  handle: (text: string) => Promise<void>,
): Promise<void> {
  if (isBinary) return connection.close(CloseCode.BadRequest, 'the message is binary; send text');
  const text = textOf(data);
  let message: unknown;
  try {
    message = readJson(text, 'the message').value;
  } catch (error) {
    return connection.close(CloseCode.BadRequest, error instanceof HttpFault ? error.message : 'not JSON');
  }
  if (!clientMessages.has((message as { readonly type?: unknown } | null)?.type)) {
    return connection.close(CloseCode.BadRequest, 'the message is of no type that clients send');
  }
  return handle(text);
}

/** ws has checked that it is UTF-8. */
function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return Buffer.from(data as Uint8Array).toString();
}

function serverOf(options: SocketEndpointOptions) {
  const { log, metrics, limits } = options;
  /** By the payload of the message, which every hook is given. */
  const subscriptions = new WeakMap<SubscribePayload, Subscription>();
  const streams = new WeakMap<object, AsyncGenerator<ExecutionResult>>();
  const report = (error: unknown, requestId: string | undefined): void =>
    log.error({ err: error, requestId }, wordsForLog(error));
  const show = (subscription: Subscription, errors: readonly GraphQLError[]) => {
    const shown = showErrors(errors, subscription.context?.call ?? subscription.call, report);
    const codes = shown.map(({ extensions }) => String(extensions?.['code']));
    subscription.note.errors = [...new Set([...(subscription.note.errors ?? []), ...codes])];
    return shown;
  };
  const lineOf = ({ note, connection, call }: Subscription) => ({
    requestId: call.requestId,
    connectionId: connection.id,
    sourceAddress: connection.sourceAddress,
    ...note,
  });
  return makeServer<Record<string, unknown> | undefined, SocketConnection>({
    connectionInitWaitTimeout: limits.initSeconds * 1000,
    onConnect: async ({ extra: connection, connectionParams }) => connection.begin(connectionParams),
    onSubscribe: async (context, _id, payload) => {
      const { extra: connection } = context;
      const requestId = randomBytes(16).toString('hex');
      const subscription: Subscription = {
        connection,
        note: {},
        since: performance.now(),
        call: connection.call.asRequest(requestId),
        context: null,
        events: 0,
      };
      subscriptions.set(payload, subscription);
      try {
        const begun = await begin(options, context, payload, subscription);
        if (Array.isArray(begun)) return begun as readonly GraphQLError[];
        const { args, stream } = begun as Begun;
        streams.set(args, stream);
        connection.listening += 1;
        metrics?.subscriptions(1, []);
        log.info(lineOf(subscription), 'subscription began');
        return args;
      } catch (error) {
        return [asGraphQL(error)];
      }
    },
    subscribe: (args) => {
      const stream = streams.get(args);
      if (stream === undefined) throw new Error('a subscription was not begun');
      return stream;
    },
    execute: () => {
      throw new Error('only subscriptions are executed here');
    },
    onNext: (_context, _id, payload, _args, { data, errors }) => {
      const subscription = subscriptions.get(payload);
      if (subscription === undefined) throw new Error('an event of a subscription that was not begun');
      subscription.events += 1;
      const shown = errors === undefined ? {} : { errors: show(subscription, errors) };
      return { ...(data === undefined ? {} : { data }), ...shown };
    },
    onError: (_context, _id, payload, errors) => {
      const subscription = subscriptions.get(payload);
      if (subscription === undefined) throw new Error('an error of a subscription that was not asked for');
      const shown = show(subscription, errors);
      if (subscription.context === null) {
        metrics?.subscriptions(0, subscription.note.errors ?? []);
        log.info(lineOf(subscription), 'subscription refused');
        setImmediate(() => subscription.connection.leaveIfBroken(subscription.call));
      }
      return shown;
    },
    onComplete: (_context, _id, payload) => {
      const subscription = subscriptions.get(payload);
      if (subscription === undefined) return;
      const { connection, note, since, events, context } = subscription;
      connection.listening -= 1;
      metrics?.subscriptions(-1, note.errors ?? []);
      const milliseconds = Math.round(performance.now() - since);
      log.info({ ...lineOf(subscription), events, milliseconds }, 'subscription ended');
      // After the message that it is complete.
      setImmediate(() => connection.leaveIfBroken(context?.call ?? subscription.call));
    },
  });
}

interface Begun {
  readonly args: ExecutionArgs;
  readonly stream: AsyncGenerator<ExecutionResult>;
}

/** Everything that a request over HTTP has to pass, in the same order; throws or answers what it fails on. */
async function begin(
  { iam, schema, throttle, documents, limits }: SocketEndpointOptions,
  { extra: connection, subscriptions }: SocketContext,
  payload: SubscribePayload & { readonly documentId?: unknown },
  subscription: Subscription,
): Promise<Begun | readonly GraphQLError[]> {
  const { note } = subscription;
  let call = (await connection.reopen()).asRequest(subscription.call.requestId);
  subscription.call = call;
  noteCaller(note, { call });
  if (call.broken !== null) throttle.admitStranger(call);
  else throttle.admitActor(call);
  if (call.broken !== null) return [brokenCredential(call)];
  const { requestId } = call;
  call = await requireRevision({ iam, throttle }, call, payload.extensions, async () =>
    (await connection.reopen()).asRequest(requestId),
  );
  subscription.call = call;
  if (Object.keys(subscriptions).length > limits.subscriptionsPerConnection) {
    // Who is there was looked up for it.
    throttle.chargeRefused(call);
    const limit = limits.subscriptionsPerConnection;
    const message = `a connection has ${limit} subscriptions at most; complete one, or open another connection`;
    return [clientError('RATE_LIMITED', message, { limit })];
  }
  const { query, documentId } = payload;
  const resolved = documents.resolve({ search: '', body: { query, documentId } });
  const sent: SentSubscription = {
    query: (resolved.body as { readonly query: string }).query,
    operationName: payload.operationName ?? null,
    variables: payload.variables ?? {},
  };
  if (!isTrusted(documents.mode, resolved) && !call.may('bailiwick:documents:execute')) {
    return [untrusted(documents.mode, call.requestId)];
  }
  const found = readSubscription(schema, sent);
  if (!('document' in found)) {
    throttle.chargeRefused(call);
    return found;
  }
  const { operation, document } = found;
  note.kind = operation.operation;
  note.operation = operation.name === undefined ? note.kind : `${note.kind} ${operation.name.value}`;
  let opened = false;
  const context = await contextFrom(iam, async () => {
    if (opened) call = await iam.calls.reopen(call);
    opened = true;
    return call;
  });
  const stream = await beginSubscription(schema, found, sent, context, throttle);
  if (!(Symbol.asyncIterator in stream)) return stream;
  subscription.context = context;
  return { args: { schema, document, contextValue: context, operationName: sent.operationName }, stream };
}

function asGraphQL(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  if (error instanceof HttpFault) return clientError('BAD_REQUEST', error.message);
  const cause = error instanceof Error ? error : new Error(String(error));
  return new GraphQLError(cause.message, { originalError: cause });
}
