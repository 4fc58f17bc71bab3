/**
 * Which media type an answer has, by the header `Accept` (RFC 9110 section 12.5.1, GraphQL over HTTP), and which status
 * goes with it. Chosen before anything is done: a mutation whose answer nobody could read must not happen.
 */
import type { IncomingMessage } from 'node:http';
import type { HTTPGraphQLHead } from '@apollo/server';
import type { ExecutionResult, GraphQLFormattedError } from 'graphql';
import Negotiator from 'negotiator';
import { HttpFault } from './faults.js';

/** The first is answered where a caller has no preference, since every client reads it. */
const answerTypes = ['application/json', 'application/graphql-response+json'] as const;

export interface AnswerType {
  readonly mediaType: (typeof answerTypes)[number];
  /**
   * The caller named `application/json`: a client from before there was a media type for GraphQL, which takes an answer
   * for one of a GraphQL server only if its status is 200.
   */
  readonly legacy: boolean;
}

/** The type of the answer to a request; null when the caller can read neither. */
export function answerTypeOf({ headers }: IncomingMessage): AnswerType | null {
  return chooseAnswerType(headers.accept ?? '');
}

/** @param sent the header, empty where there is none */
export function chooseAnswerType(sent: string): AnswerType | null {
  const accept = sent.trim();
  // An empty header says as much as none.
  if (accept === '') return usualAnswerType;
  const known = negotiated.get(accept);
  if (known !== undefined) return known;
  const chosen = negotiate(accept);
  // Clients of one kind all send the same; what is long or new time and again is not worth keeping.
  if (accept.length <= 200 && negotiated.size < 100) negotiated.set(accept, chosen);
  return chosen;
}

const usualAnswerType: AnswerType = { mediaType: answerTypes[0], legacy: false };

const negotiated = new Map<string, AnswerType | null>();

function negotiate(accept: string): AnswerType | null {
  const negotiator = new Negotiator({ headers: { accept } });
  const chosen = negotiator.mediaType(answerTypes.map(withCharset));
  const mediaType = answerTypes.find((type) => withCharset(type) === chosen);
  if (mediaType === undefined) return null;
  const named = negotiator.mediaTypes().map((type) => type.toLowerCase());
  return { mediaType, legacy: mediaType === 'application/json' && named.includes('application/json') };
}

/** The same, where there must be one. */
export function negotiateAnswerType(request: IncomingMessage): AnswerType {
  const answerType = answerTypeOf(request);
  if (answerType !== null) return answerType;
  throw new HttpFault(406, `the answer is \`${answerTypes.join('` or `')}\` in UTF-8; accept one of them`);
}

export function withCharset(mediaType: AnswerType['mediaType']): string {
  return `${mediaType}; charset=utf-8`;
}

/** What `application/json` has answered with 200 ever since: the request was well-formed, its document or values not. */
const requestErrors: ReadonlySet<unknown> = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'OPERATION_RESOLUTION_FAILURE',
  'BAD_USER_INPUT',
]);

/** Brings status and result together, which are decided in different places: by errors, and by what was executed. */
export function settleStatus(
  http: HTTPGraphQLHead,
  result: { data?: ExecutionResult['data']; readonly errors?: readonly GraphQLFormattedError[] },
  { legacy }: AnswerType,
): void {
  const { status = 200 } = http;
  if (status < 400) return;
  if (result.data != null && Object.values(result.data).some((value) => value !== null)) {
    // Something was answered; that the rest was refused stands in the errors.
    http.status = 200;
    return;
  }
  // Nothing was: a refusal as a whole, which has no data, not even names of fields.
  delete result.data;
  if (legacy && result.errors?.every(({ extensions }) => requestErrors.has(extensions?.['code'])) === true) {
    http.status = 200;
  }
}
