/**
 * The one translator between the business and the API's errors. Inside, errors are values (src/iam/outcome.ts); here they
 * become payloads or GraphQL errors, and whatever else was thrown is masked.
 */
import { HeaderMap, type ApolloServerPlugin } from '@apollo/server';
import { GraphQLError, isValueNode, type GraphQLFormattedError } from 'graphql';
import { BadInput, OutcomeUnknown, Unavailable, type Call, type Decision, type Outcome } from '../iam/index.js';
import type { GraphContext } from './context.js';
import { shownProblem, type ShownProblem } from './user-errors.js';

/** What was thrown because something is out of order that will mend, as the client sees it; anything else stays what it is. */
export function shownUnavailable(error: unknown): unknown {
  const extensions = unavailableExtensions(error);
  if (extensions === null || !(error instanceof Error)) return error;
  const { retryAfter } = extensions;
  const headers = new HeaderMap(retryAfter === undefined ? [] : [['retry-after', String(retryAfter)]]);
  const shown: Record<string, unknown> = { ...extensions, http: { status: 503, headers } };
  return new GraphQLError(error.message, { extensions: shown, originalError: error });
}

/** Seconds after which whatever was out of order may have mended. */
export const retryAfterUnavailable = 5;

interface UnavailableExtensions {
  readonly code: 'UNAVAILABLE' | 'OUTCOME_UNKNOWN';
  readonly retryAfter?: number;
  readonly requestId?: string;
}

function unavailableExtensions(error: unknown): UnavailableExtensions | null {
  if (error instanceof Unavailable) return { code: 'UNAVAILABLE', retryAfter: retryAfterUnavailable };
  // Nothing about when to try again: it must not be tried again without looking.
  if (error instanceof OutcomeUnknown) return { code: 'OUTCOME_UNKNOWN', requestId: error.requestId };
  return null;
}

/** Every `extensions.code` that leaves the server, with what it means. As stable as field names. */
export const errorCodes = {
  UNAUTHENTICATED: 'No credential was sent, or it is no longer good. HTTP 401.',
  FORBIDDEN: 'The caller may not do this here; `action`, `requestId` and `reference` name the question.',
  BAD_USER_INPUT: 'A value is malformed: wrong kind of id, bad cursor, page out of range, text that cannot be stored.',
  BAD_REQUEST: 'The HTTP request is malformed.',
  GRAPHQL_PARSE_FAILED: 'The document is not GraphQL.',
  GRAPHQL_VALIDATION_FAILED: 'The document does not fit the schema.',
  OPERATION_RESOLUTION_FAILURE: 'The document does not have the operation that was asked for.',
  PERSISTED_QUERY_NOT_FOUND: 'No document with this `documentId` is known here; send its text as `query`.',
  PERSISTED_QUERY_NOT_SUPPORTED:
    'The server learns no documents from requests (automatic persisted queries); known ones go by `documentId`.',
  INTROSPECTION_DISABLED: 'The caller may not read the schema. HTTP 400.',
  OPERATION_TOO_LARGE: 'The operation is deeper, wider or longer than allowed; `limit` says the maximum. HTTP 400.',
  COST_LIMIT_EXCEEDED:
    'The operation may answer more objects than one operation is allowed to; `limit` says how many. HTTP 400.',
  RATE_LIMITED: 'Too many requests, or no points left; `retryAfter` says in how many seconds to try again. HTTP 429.',
  UNAVAILABLE:
    'The server or its database cannot answer just now; nothing was done, try again after `retryAfter` seconds. HTTP 503.',
  REVISION_NOT_REACHED:
    'The database of the server does not have the revision that the request demands in `extensions.minRevision`; nothing was done, try again after `retryAfter` seconds. HTTP 503.',
  OUTCOME_UNKNOWN:
    'The change may have been made, and its result cannot be told: the database was lost meanwhile. Read what was to change before trying again, or repeat it with the same `idempotencyKey`. HTTP 503.',
  INTERNAL_SERVER_ERROR: 'A defect of the server; `requestId` finds it in the log.',
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** An error that the caller is meant to read. */
export function clientError(
  code: ErrorCode,
  message: string,
  extensions: Readonly<Record<string, unknown>> = {},
): GraphQLError {
  return new GraphQLError(message, { extensions: { ...extensions, code } });
}

/** A broken credential: nothing is answered to it (rule 19). */
export function brokenCredential({ broken, requestId }: Call): GraphQLError {
  const status = broken?.status ?? 401;
  const code = status === 400 ? 'BAD_REQUEST' : 'UNAUTHENTICATED';
  return clientError(code, broken?.message ?? 'the credential is not good; sign in again', {
    reference: broken?.reference ?? 'IAM.0067',
    requestId,
    http: { status },
  });
}

/** What the person refused learns: the action and a request id; the reasons only if they may see them (rule 17). */
export function refusal(call: Call, decision: Decision, reference: string | null = null): GraphQLError {
  const { action, reason, requiredScope } = decision;
  const { requestId } = call;
  if (call.broken !== null) return brokenCredential(call);
  if (reason === 'UNAUTHENTICATED') {
    return clientError('UNAUTHENTICATED', `\`${action}\` needs a credential; sign in first`, {
      action,
      reference: 'IAM.0001',
      requestId,
      http: { status: 401 },
    });
  }
  const named = { action, requestId };
  if (reason === 'WRONG_SCOPE') {
    const needed = requiredScope === 'ACCOUNT' ? 'account scope' : 'a workspace';
    return clientError(
      'FORBIDDEN',
      `\`${action}\` needs ${needed}, and this credential acts elsewhere; exchange it with \`switchScope\``,
      {
        ...named,
        reference: 'IAM.0002',
        reason,
        requiredScope,
      },
    );
  }
  if (reason === 'WORKSPACE_CLOSED') {
    return clientError('FORBIDDEN', 'this workspace is closed to you or gone; exchange the token with `switchScope`', {
      ...named,
      reference: 'ModelArts.0112',
      reason,
    });
  }
  return clientError(
    'FORBIDDEN',
    `\`${action}\` is not allowed for you here; ask an administrator and name request \`${requestId}\``,
    {
      ...named,
      reference: reference ?? (action.toLowerCase().startsWith('modelarts:') ? 'ModelArts.0112' : 'IAM.0003'),
      ...(call.may('bailiwick:access:explain') ? { decision: explanation(decision) } : {}),
    },
  );
}

function explanation({ reason, resource, statements, missingContextKeys, problems }: Decision): object {
  return { reason, resource, statements, missingContextKeys, problems };
}

/** What every payload has besides the object that its mutation is about. */
export interface PayloadFrame {
  readonly userErrors: readonly ShownProblem[];
  readonly revision: number | null;
  readonly clientMutationId: string | null;
  readonly replayed: boolean;
}

/**
 * Makes the payload of a mutation. A refusal is thrown; problems become `userErrors` beside null objects; `show` names
 * the objects of a success.
 */
export function answer<T, Shown extends object>(
  { call }: GraphContext,
  input: { readonly clientMutationId?: string | null },
  outcome: Outcome<T>,
  show: (value: T) => Shown,
): PayloadFrame & Partial<Shown> {
  const clientMutationId = input.clientMutationId ?? null;
  switch (outcome.kind) {
    case 'refused':
      throw refusal(call, outcome.decision, outcome.reference);
    case 'invalid': {
      const userErrors = outcome.problems.map(shownProblem);
      const frame: PayloadFrame = { userErrors, revision: null, clientMutationId, replayed: false };
      return frame as PayloadFrame & Partial<Shown>;
    }
    case 'succeeded': {
      const { value, revision, replayed } = outcome;
      return { ...show(value), userErrors: [], revision, clientMutationId, replayed };
    }
  }
}

/** The value of an outcome that has no payload to put problems in: of a query. */
export function valueOf<T>({ call }: GraphContext, outcome: Outcome<T>): T {
  if (outcome.kind === 'refused') throw refusal(call, outcome.decision, outcome.reference);
  if (outcome.kind === 'succeeded') return outcome.value;
  throw new BadInput(outcome.problems.map(({ message }) => message).join('; '), outcome.problems[0]?.reference ?? null);
}

/** What executors put beside the code and clients have no use for. */
const unshownExtensions: ReadonlySet<string> = new Set(['http', 'stacktrace']);

const requestIds = new WeakMap<object, string>();

/** Errors of requests whose caller may read the schema, and so be told which of its names was meant. */
const forReaders = new WeakSet<object>();

/**
 * Turns any error into what the client sees. Only errors made for clients pass; stack traces and the HTTP part never do.
 * Given to Apollo as `formatError`, and to be called by any executor that goes round Apollo's own. Never throws.
 */
export function formatError(formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError {
  const { locations, path } = formatted;
  const place = { ...(locations === undefined ? {} : { locations }), ...(path === undefined ? {} : { path }) };
  const cause = rootCause(error);
  const unavailable = unavailableExtensions(cause);
  if (unavailable !== null && cause instanceof Error) {
    return { message: cause.message, ...place, extensions: { ...unavailable } };
  }
  if (cause instanceof BadInput) {
    const reference = cause.reference === null ? {} : { reference: cause.reference };
    return { message: cause.message, ...place, extensions: { ...reference, code: 'BAD_USER_INPUT' } };
  }
  if (cause instanceof GraphQLError && isShownCode(formatted.extensions?.['code'])) {
    const extensions = Object.entries(formatted.extensions ?? {}).filter(([name]) => !unshownExtensions.has(name));
    const message = withoutValues(formatted.message);
    const mayRead = isObject(error) && forReaders.has(error);
    return {
      message: mayRead ? message : message.replace(suggestion, ''),
      ...place,
      extensions: Object.fromEntries(extensions),
    };
  }
  if (isArgumentFault(cause)) {
    return { message: withoutValues(cause.message), ...place, extensions: { code: 'BAD_USER_INPUT' } };
  }
  const requestId = isObject(error) ? requestIds.get(error) : undefined;
  return {
    message:
      requestId === undefined ? 'internal error' : `internal error; name request \`${requestId}\` to the operator`,
    ...place,
    extensions: { code: 'INTERNAL_SERVER_ERROR', ...(requestId === undefined ? {} : { requestId }) },
  };
}

/**
 * graphql repeats values that do not fit, of variables and of the document, and a value may be a password. What it
 * expected instead stays; names of fields and types are no values.
 */
const repeatedValues: readonly (readonly [RegExp, string])[] = [
  [/got invalid value [\s\S]*?(?=(?: at "[^"]*")?; )/, 'got an invalid value'],
  [/(cannot represent (?:a )?(?:non[- ][\w -]+? )?value): [\s\S]*$/, '$1'],
  [/^(Expected value of type "[^"]*"), found (?!null)[\s\S]*$/, '$1, found another'],
  [/Value "[\s\S]*" does not exist in/, 'The value does not exist in'],
  [/((?:Unexpected|found) (?:String|Int|Float|BlockString)) "[\s\S]*$/, '$1'],
  [/^(Argument "[^"]*") has invalid value [\s\S]*$/, '$1 has an invalid value; look for variables that are null in it'],
];

/** graphql's hint at names of the schema, which is for those who may read it. */
const suggestion = / Did you mean [\s\S]*\?$/;

function withoutValues(message: string): string {
  return repeatedValues.reduce((text, [pattern, instead]) => text.replace(pattern, instead), message);
}

/** Whether `formatError` masks this error: it is a defect, for the log to keep. */
export function isMasked(error: unknown): boolean {
  const cause = rootCause(error);
  if (cause instanceof BadInput || isArgumentFault(cause) || unavailableExtensions(cause) !== null) return false;
  // The code may stand on the outside only: Apollo gives one to graphql's own errors by wrapping them.
  return !(cause instanceof GraphQLError && error instanceof GraphQLError && isShownCode(error.extensions['code']));
}

/** What the operator must be able to read up: a defect, and what stood in the way of an answer. */
export function isForLog(error: unknown): boolean {
  const cause = rootCause(error);
  if (cause instanceof Unavailable) return cause.detail !== null;
  return cause instanceof OutcomeUnknown || isMasked(error);
}

/** What the log says of an error for which `isForLog` holds. */
export function wordsForLog(error: unknown): string {
  return unavailableExtensions(rootCause(error)) === null ? 'a defect was masked' : 'the database did not answer';
}

/** Ties an operation's errors to its request, so that a masked one can name it; defects go to `report`. */
export function noteErrors(
  errors: readonly unknown[],
  requestId: string | undefined,
  report: (error: unknown, requestId: string | undefined) => void,
): void {
  for (const error of errors) {
    if (requestId !== undefined && isObject(error)) requestIds.set(error, requestId);
    if (isForLog(error)) report(rootCause(error), requestId);
  }
}

/** Errors of an operation that Apollo has not seen, as its caller sees them. Defects go to `report`. */
export function showErrors(
  errors: readonly GraphQLError[],
  call: Call,
  report: (error: unknown, requestId: string | undefined) => void,
): readonly GraphQLFormattedError[] {
  noteErrors(errors, call.requestId, report);
  if (call.may('bailiwick:schema:introspect')) for (const error of errors) forReaders.add(error);
  return errors.map((error) => formatError(error.toJSON(), error));
}

/** Apollo's part in it. `report` must not throw and must not keep the request waiting. */
export function errorPlugin(
  report: (error: unknown, requestId: string | undefined) => void,
): ApolloServerPlugin<GraphContext> {
  return {
    requestDidStart: async () => ({
      didEncounterErrors: async ({ errors, contextValue }) => {
        // Apollo has no context yet when making it was what failed.
        const call = (contextValue as GraphContext | undefined)?.call;
        noteErrors(errors, call?.requestId, report);
        if (call?.may('bailiwick:schema:introspect') === true) for (const error of errors) forReaders.add(error);
      },
    }),
  };
}

/** The error that began it: executors wrap what resolvers throw, Apollo wraps some once more. */
function rootCause(error: unknown): unknown {
  let cause = error;
  for (let depth = 0; depth < 8; depth += 1) {
    if (!(cause instanceof GraphQLError) || cause.originalError === undefined) break;
    cause = cause.originalError;
  }
  return cause;
}

/**
 * An argument that only its variables spoil, with a null where none may be: validation cannot see it, and the executor throws
 * it without a code. Its own faults it throws at fields, this one at the value.
 */
function isArgumentFault(error: unknown): error is GraphQLError {
  const [place] = error instanceof GraphQLError ? (error.nodes ?? []) : [];
  return place !== undefined && isValueNode(place);
}

function isShownCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && code !== 'INTERNAL_SERVER_ERROR' && Object.hasOwn(errorCodes, code);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
