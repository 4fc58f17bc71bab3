/**
 * One operation over HTTP: signed anew for each attempt, with a deadline, sent again when nothing can have happened.
 * It knows how Bailiwick answers; what is asked stands in client.ts.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CredentialProvider } from './credentials.js';
import { BailiwickError, BailiwickUnreachable } from './errors.js';
import { signRequest, type RequestScope } from './signer.js';

export interface Exchange {
  readonly url: string;
  readonly credentials: CredentialProvider;
  readonly fetch: typeof fetch;
}

export interface Operation {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly scope: RequestScope | undefined;
  /** Milliseconds for everything, attempts after the first included. */
  readonly timeout: number;
  /** Asking twice does no harm, so an answer that was lost on its way is asked for again. */
  readonly repeatable: boolean;
  readonly minRevision: number | undefined;
  readonly signal: AbortSignal | undefined;
}

interface Result {
  readonly data?: unknown;
  readonly errors?: readonly { readonly message: string; readonly extensions?: Record<string, unknown> }[];
}

const attempts = 3;
const firstPause = 50;

/**
 * Sends an operation and answers its data.
 *
 * @throws BailiwickError when it was refused, BailiwickUnreachable when it could not be asked
 */
export async function send(exchange: Exchange, operation: Operation): Promise<unknown> {
  // By the time of the process: a clock that is set back lengthens nothing.
  const deadline = performance.now() + operation.timeout;
  let renewed = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await sendOnce(exchange, operation, deadline);
    } catch (error) {
      const again = error instanceof BailiwickUnreachable && (error.neverArrived || operation.repeatable);
      if (error instanceof BailiwickError && turnedAway.has(error) && !renewed && attempt < attempts) {
        // A key that was taken back: whoever gives keys may have another. Nothing was done with this one.
        renewed = true;
        if (exchange.credentials.discard !== undefined) continue;
      }
      const pause = firstPause * 2 ** (attempt - 1) * (0.5 + Math.random());
      if (!again || attempt >= attempts || performance.now() + pause >= deadline) throw error;
      await sleep(pause);
    }
  }
}

async function sendOnce(
  { url, credentials, fetch }: Exchange,
  { query, variables, scope, minRevision, signal }: Operation,
  deadline: number,
): Promise<unknown> {
  const key = await credentials.get();
  const demands = minRevision === undefined ? {} : { extensions: { minRevision } };
  const body = JSON.stringify({ query, variables, ...demands });
  // Two equal operations within a second would have the same signature, and the second be taken for the first again.
  const headers = { 'content-type': 'application/json', 'x-request-nonce': randomBytes(12).toString('hex') };
  const signed = signRequest({ method: 'POST', url, headers, body, credentials: key, scope });
  const timeout = AbortSignal.timeout(Math.max(1, Math.ceil(deadline - performance.now())));
  const ending = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { method: 'POST', headers: signed, body, signal: ending, redirect: 'error' });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted === true) throw error;
    const late = timeout.aborted;
    const message = late ? `no answer from ${url} in time` : `${url} cannot be reached: ${causeOf(error)}`;
    throw new BailiwickUnreachable(message, !late && neverConnected(error), { cause: error });
  }
  return resultOf(url, response, text, () => credentials.discard?.(key.accessKeyId));
}

function resultOf(url: string, response: Response, text: string, discard: () => void): unknown {
  const requestId = response.headers.get('x-request-id');
  const result = readResult(text);
  if (result === null) {
    throw new BailiwickUnreachable(`${url} answered ${response.status} and nothing that is an answer`, false);
  }
  const [error] = result.errors ?? [];
  if (error === undefined) return result.data;
  const { code, requestId: named, reference, reason, action } = textsOf(error.extensions ?? {});
  if (code === 'UNAVAILABLE') throw new BailiwickUnreachable(error.message, false);
  if (code === 'UNAUTHENTICATED') discard();
  const details = { requestId: named ?? requestId, reference, reason, action };
  const refused = new BailiwickError(code ?? 'INTERNAL_SERVER_ERROR', error.message, details);
  if (response.status === 401) turnedAway.add(refused);
  throw refused;
}

/** Refused before anything was done; a key may also be taken back between two mutations of one operation. */
const turnedAway = new WeakSet<BailiwickError>();

function readResult(text: string): Result | null {
  try {
    const result = JSON.parse(text) as Result | null;
    return typeof result === 'object' && result !== null && ('data' in result || Array.isArray(result.errors))
      ? result
      : null;
  } catch {
    return null;
  }
}

function textsOf(extensions: Record<string, unknown>) {
  const text = (name: string): string | null => {
    const value = extensions[name];
    return typeof value === 'string' ? value : null;
  };
  return {
    code: text('code'),
    requestId: text('requestId'),
    reference: text('reference'),
    reason: text('reason'),
    action: text('action'),
  };
}

/** What fetch hides under "fetch failed". */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}

const unconnected: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']);

function neverConnected(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return typeof cause === 'object' && cause !== null && 'code' in cause && unconnected.has(cause.code);
}
