/**
 * GraphQL over HTTP: hands requests to Apollo Server and its answers back. A thin handler of our own rather than an
 * integration, because what makes a request safe happens before the point where integrations begin: the raw bytes, the
 * credential, the request's id (docs/decisions/0013-own-http-handler.md).
 */
import {
  ApolloServer,
  HeaderMap,
  type ApolloServerPlugin,
  type HTTPGraphQLRequest,
  type HTTPGraphQLResponse,
} from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import type { IncomingMessage } from 'node:http';
import type { FastifyBaseLogger } from 'fastify';
import { GraphQLError, type GraphQLSchema } from 'graphql';
import {
  brokenCredential,
  checkNesting,
  clientError,
  errorPlugin,
  formatError,
  isForLog,
  knownOperationTypes,
  limitsPlugin,
  openContext,
  parseLimits,
  PreparedOperations,
  requireRevision,
  retryAfterUnavailable,
  shownUnavailable,
  wordsForLog,
  type GraphContext,
  type PreparationLimits,
  type SentOperation,
  type Throttle,
} from '../graphql/index.js';
import type { Arrival, Iam } from '../iam/index.js';
import { isSimple } from './cors.js';
import { settleStatus, withCharset, type AnswerType } from './media-types.js';
import { isTrusted, type DocumentMode, type ResolvedDocument, type TrustedDocuments } from './trusted-documents.js';
import { apolloConfig, reportPlugins, type UsageReports } from './usage-reports.js';

/** What the log line of a request says about its operation. Names and codes only, never a value. */
export interface OperationNote {
  operation?: string;
  /** `query`, `mutation` or `subscription`. */
  kind?: string;
  account?: string;
  actor?: string;
  errors?: readonly string[];
}

export interface GraphQLEndpoint {
  /**
   * The JSON that answers a query which was answered often before. Null: `answer` has to be asked, of the same request;
   * what was found out about its caller is not found out again.
   */
  answerPrepared(request: EndpointRequest, sent: SentRequest): Promise<string | null> | null;
  /** @param read reads what was sent, once it is known that whoever sent it may ask anything; what it throws is thrown here */
  answer(request: EndpointRequest, read: () => SentRequest): Promise<HTTPGraphQLResponse>;
  stop(): Promise<void>;
}

export interface EndpointRequest {
  readonly raw: IncomingMessage;
  readonly arrival: Arrival;
  readonly answerType: AnswerType;
  readonly note: OperationNote;
}

/** What a request asks for: a search for GET, a parsed body for POST. */
export interface SentRequest {
  readonly search: string;
  readonly body: unknown;
}

export async function openGraphQLEndpoint(
  iam: Iam,
  schema: GraphQLSchema,
  log: FastifyBaseLogger,
  reports: UsageReports | null,
  throttle: Throttle,
  documents: TrustedDocuments,
  preparation: PreparationLimits,
): Promise<GraphQLEndpoint> {
  const requests = new WeakMap<HTTPGraphQLRequest, EndpointRequest>();
  const opened = new WeakMap<IncomingMessage, Promise<GraphContext>>();
  // Reports count what Apollo itself executes.
  const prepared = reports === null ? new PreparedOperations(schema, throttle, preparation) : null;
  const server = new ApolloServer<GraphContext>({
    schema,
    // NODE_ENV decides nothing here: every default that would look at it is spelled out.
    nodeEnv: 'production',
    introspection: true, // limitsPlugin asks for the permission
    includeStacktraceInErrorResponses: false,
    csrfPrevention: true,
    persistedQueries: false,
    allowBatchedHttpRequests: false,
    stopOnTerminationSignals: false,
    parseOptions: parseLimits,
    validationRules: [knownOperationTypes],
    formatError,
    logger: log,
    apollo: apolloConfig(reports),
    plugins: [
      limitsPlugin(throttle),
      errorPlugin((error, requestId) => log.error({ err: error, requestId }, wordsForLog(error))),
      answerPlugin(requests, prepared),
      defectPlugin(log),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      // Whatever Apollo's own variables in the environment say, nothing leaves the machine without a key of ours.
      ...reportPlugins(reports, log),
    ],
  });
  await server.start();

  function resolve(sent: SentRequest): ResolvedDocument | GraphQLError {
    try {
      return documents.resolve(sent);
    } catch (error) {
      if (error instanceof GraphQLError) return error;
      throw error;
    }
  }

  /** Who asks, and whether they may ask anything at all just now; throws what they are told instead. */
  function openCaller(request: EndpointRequest): Promise<GraphContext> {
    const { arrival, note } = request;
    const untried = throttle.tryKey(arrival);
    if (untried !== null) return Promise.reject(noted(note, untried));
    return openContext(iam, arrival).then(
      (context) => {
        if (context.call.broken === null) throttle.noteProven(arrival);
        admitCaller(context, request);
        return context;
      },
      (error: unknown) => {
        throttle.giveBackTrial(arrival);
        throw notedUnavailable(note, error);
      },
    );
  }

  function admitCaller(context: GraphContext, { note }: EndpointRequest): void {
    noteCaller(note, context);
    const { call } = context;
    try {
      if (call.broken !== null || call.principal.kind === 'ANONYMOUS') throttle.admitStranger(call);
      else throttle.admitActor(call);
    } catch (error) {
      note.errors = ['RATE_LIMITED'];
      throw error;
    }
    // Refused as a whole, before anything that was sent is looked at: a broken credential learns nothing (rule 19).
    if (call.broken !== null) {
      note.errors = ['UNAUTHENTICATED'];
      throw brokenCredential(call);
    }
  }

  function admitDocument(
    { call }: GraphContext,
    { note }: EndpointRequest,
    resolved: ResolvedDocument | GraphQLError,
  ): void {
    // Here, because no hook before the parser may refuse anything, and nobody without a good credential learns more.
    if (resolved instanceof GraphQLError) throw noted(note, resolved);
    if (!isTrusted(documents.mode, resolved) && !call.may('bailiwick:documents:execute')) {
      throw noted(note, untrusted(documents.mode, call.requestId));
    }
  }

  return {
    answerPrepared: (request, sent) => {
      if (prepared === null) return null;
      const resolved = resolve(sent);
      const plain = resolved instanceof GraphQLError ? null : plainlySent(resolved.body);
      const operation = plain === null ? null : prepared.find(plain);
      if (plain === null || operation === null) return null;
      const opening = openCaller(request);
      const leave = (): null => {
        opened.set(request.raw, opening);
        return null;
      };
      return opening.then(
        (context) => {
          try {
            admitDocument(context, request, resolved);
          } catch {
            return leave();
          }
          return operation.answer(context, plain.variables).then((text) => {
            if (text === null) return leave();
            noteOperation(request.note, 'query', operation.name);
            return text;
          });
        },
        // Told by `answer`.
        leave,
      );
    },
    answer: async (request, read) => {
      const { raw, answerType, note } = request;
      const headers = headersOf(raw);
      // Chosen already; the server would choose again, from other types too.
      headers.set('accept', withCharset(answerType.mediaType));
      const execute = (sent: SentRequest, context: () => Promise<GraphContext>): Promise<HTTPGraphQLResponse> => {
        const httpGraphQLRequest = { method: raw.method ?? '', headers, ...sent };
        requests.set(httpGraphQLRequest, request);
        return server.executeHTTPGraphQLRequest({ httpGraphQLRequest, context });
      };
      // Any page may send those for its visitor, who must not be counted for it: the server refuses them unseen.
      if (isSimple(raw)) return execute({ search: '', body: undefined }, () => openCaller(request));
      const opening = opened.get(raw) ?? openCaller(request);
      let context: GraphContext;
      try {
        context = await opening;
      } catch {
        // Nothing of what was sent is read for whoever is refused.
        return execute({ search: '', body: undefined }, () => opening);
      }
      const sent = read();
      const resolved = resolve(sent);
      const { search, body } = resolved instanceof GraphQLError ? sent : resolved;
      return execute({ search, body }, async () => {
        try {
          const extensions = extensionsOf(sent);
          if (extensions != null) await holdToRevision({ iam, throttle }, context, extensions);
        } catch (error) {
          throw notedUnavailable(note, error);
        }
        admitDocument(context, request, resolved);
        refuseDeepDocument(sent, note);
        return context;
      });
    },
    stop: async () => {
      // Usage reports count an operation a turn after it was answered, and nothing once the server ends.
      await new Promise((resolve) => setImmediate(resolve));
      await server.stop();
    },
  };
}

interface PlainlySent extends SentOperation {
  readonly variables: Readonly<Record<string, unknown>>;
}

/** What a body asks for, if it asks for nothing beside; null otherwise, and when a member is of another kind than it should. */
function plainlySent(body: unknown): PlainlySent | null {
  if (typeof body !== 'object' || body === null) return null;
  const { query, operationName, variables, extensions } = body as Readonly<Record<string, unknown>>;
  if (typeof query !== 'string' || (extensions !== undefined && extensions !== null)) return null;
  if (operationName !== undefined && operationName !== null && typeof operationName !== 'string') return null;
  if (variables !== undefined && (typeof variables !== 'object' || Array.isArray(variables))) return null;
  return {
    query,
    operationName: operationName ?? null,
    variables: (variables ?? {}) as Readonly<Record<string, unknown>>,
  };
}

/** What is known only when the answer is: its line in the log, and the status that fits what was answered. */
function answerPlugin(
  requests: WeakMap<HTTPGraphQLRequest, EndpointRequest>,
  prepared: PreparedOperations | null,
): ApolloServerPlugin<GraphContext> {
  return {
    requestDidStart: async () => ({
      willSendResponse: async ({ request, contextValue, document, operation, operationName, response }) => {
        // Not by the context, which Apollo copies.
        const received = request.http === undefined ? undefined : requests.get(request.http);
        if (received === undefined) return;
        const { note, answerType } = received;
        noteCaller(note, contextValue);
        if (operation !== undefined) noteOperation(note, operation.operation, operationName ?? null);
        if (response.body.kind !== 'single') return;
        const result = response.body.singleResult;
        if (result.errors?.some(({ extensions }) => extensions?.['code'] === 'UNAVAILABLE') === true) {
          response.http.status ??= 503;
          response.http.headers.set('retry-after', String(retryAfterUnavailable));
        }
        settleStatus(response.http, result, answerType);
        const errors = result.errors ?? [];
        if (errors.length > 0) note.errors = [...new Set(errors.map(({ extensions }) => String(extensions?.['code'])))];
        else if (
          prepared !== null &&
          document !== undefined &&
          operation !== undefined &&
          request.query !== undefined
        ) {
          const { query, operationName: named = null } = request;
          prepared.noteAnswered({ query, operationName: named }, document, operation);
        }
      },
    }),
  };
}

function noteOperation(note: OperationNote, kind: string, name: string | null): void {
  note.kind = kind;
  note.operation = name === null ? kind : `${kind} ${name}`;
}

/** Lets a request go on only at the revision that it demands; its context is as of then. */
async function holdToRevision(
  house: Parameters<typeof requireRevision>[0],
  context: GraphContext,
  extensions: unknown,
): Promise<void> {
  await requireRevision(house, context.call, extensions, async () => {
    await context.renew();
    return context.call;
  });
}

function extensionsOf({ body, search }: SentRequest): unknown {
  if (body !== undefined) return (body as { readonly extensions?: unknown }).extensions;
  const text = search.includes('extensions') ? new URLSearchParams(search).get('extensions') : null;
  // It was read strictly when it came.
  return text === null ? null : JSON.parse(text);
}

function noted(note: OperationNote, error: GraphQLError): GraphQLError {
  note.errors = [String(error.extensions['code'])];
  return error;
}

/** What is shown of a failure before there is an operation; itself where that is for nobody but the log. */
function notedUnavailable(note: OperationNote, error: unknown): unknown {
  const shown = shownUnavailable(error);
  return shown instanceof GraphQLError ? noted(note, shown) : error;
}

export function untrusted(mode: DocumentMode, requestId: string): GraphQLError {
  const how = mode === 'only' ? 'send the `documentId` of one' : 'send one of them';
  return clientError(
    'FORBIDDEN',
    `only known documents are answered here; ${how}, or ask an administrator for \`bailiwick:documents:execute\``,
    { action: 'bailiwick:documents:execute', requestId, http: { status: 403 } },
  );
}

function refuseDeepDocument({ body, search }: SentRequest, note: OperationNote): void {
  const sent = body === undefined ? new URLSearchParams(search).get('query') : (body as { query?: unknown }).query;
  if (typeof sent !== 'string') return;
  try {
    checkNesting(sent);
  } catch (error) {
    note.errors = ['OPERATION_TOO_LARGE'];
    throw error;
  }
}

/** Failures outside an operation, which no other plugin hears of. */
function defectPlugin(log: FastifyBaseLogger): ApolloServerPlugin<GraphContext> {
  const report = (error: Error): void => {
    if (isForLog(error)) log.error({ err: error }, 'a request could not be answered');
  };
  return {
    contextCreationDidFail: async ({ error }) => report(error),
    unexpectedErrorProcessingRequest: async ({ error }) => report(error),
  };
}

export function noteCaller(note: OperationNote, { call }: Pick<GraphContext, 'call'>): void {
  // Who signs out is nobody afterwards, and it was they who asked.
  const { kind, id, delegation } = call.principal;
  // A key's id is no secret, and tells one job from another.
  const session = delegation === undefined ? '' : ` session ${delegation.sessionId}`;
  if (kind !== 'ANONYMOUS') note.actor = `${kind} ${id}${session}`;
  else note.actor ??= 'ANONYMOUS';
  if (call.account !== null) note.account = call.account.id;
}

function headersOf(request: IncomingMessage): HeaderMap {
  const headers = new HeaderMap();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return headers;
}
