/**
 * Whether a request that a server received may go on: who sent it and what they may do, asked of Bailiwick in one round
 * trip. Every doubt denies: nobody there, no right to ask, a body that was not seen.
 */
import type { AccessDecision, AccessRequest, Actor, Client, Principal, ReceivedRequest } from './client.js';
import { BailiwickError, BailiwickUnreachable } from './errors.js';

/** What a guard looks at; path, query and headers as they came. */
export interface GuardedRequest {
  readonly method: string;
  /** Path with its query, as on the request line. */
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Hexadecimal SHA-256 of the body; null when its bytes were not seen. */
  readonly bodySha256: string | null;
  /** Whether there is a body; absent: by the headers, which say it in HTTP/1.1 and need not in HTTP/2. */
  readonly hasBody?: boolean;
  readonly sourceAddress: string | null;
}

/** How the sender proved themselves. */
export type ShownCredential =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'signed'; readonly request: ReceivedRequest }
  /** Signed, with a body that nobody hashed. */
  | { readonly kind: 'unseen' };

export interface Allowed {
  readonly allowed: true;
  readonly actor: Actor;
  /** Where the request acts; null for the account, or when a token does not say. */
  readonly workspaceId: string | null;
  readonly decision: AccessDecision;
}

export interface Refusal {
  readonly allowed: false;
  readonly status: 400 | 401 | 403 | 500 | 503;
  /** `BAD_REQUEST`, `UNAUTHENTICATED`, `FORBIDDEN`, `BODY_NOT_SEEN` or `PERMISSIONS_UNAVAILABLE`. */
  readonly code: string;
  readonly message: string;
  readonly action: string;
  readonly reason: string | null;
  /** Names the request in Bailiwick's log. */
  readonly requestId: string | null;
  /** What kept Bailiwick from being asked; for the log, never for the sender. */
  readonly cause: unknown;
}

export type GuardOutcome = Allowed | Refusal;

/** Seconds until a refused sender may try again, where nobody could be asked. */
export const retryAfter = 2;

export function readCredential(request: GuardedRequest): ShownCredential {
  const valueOf = (name: string) => request.headers.find(([key]) => key.toLowerCase() === name)?.[1] ?? null;
  const authorization = valueOf('authorization');
  if (authorization?.startsWith('SDK-HMAC-SHA256 ') === true) {
    const announced = !['', '0'].includes(valueOf('content-length') ?? '') || valueOf('transfer-encoding') !== null;
    if ((announced || request.hasBody === true) && request.bodySha256 === null) return { kind: 'unseen' };
    const at = request.url.indexOf('?');
    const received = {
      method: request.method,
      path: at < 0 ? request.url : request.url.slice(0, at),
      query: at < 0 ? '' : request.url.slice(at + 1),
      headers: request.headers.map(([name, value]) => ({ name, value })),
      ...(request.bodySha256 === null ? {} : { bodySha256: request.bodySha256 }),
      ...(request.sourceAddress === null ? {} : { sourceAddress: request.sourceAddress }),
    };
    return { kind: 'signed', request: received };
  }
  const bearer = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? valueOf('x-auth-token');
  return bearer === null || bearer === '' ? { kind: 'none' } : { kind: 'token', token: bearer };
}

/** As `checkAccess` takes it; null for nobody. */
export function principalOf(credential: ShownCredential): Principal | null {
  if (credential.kind === 'token') return { credential: { token: credential.token } };
  return credential.kind === 'signed' ? { credential: { signedRequest: credential.request } } : null;
}

/**
 * Decides one question about whoever sent a request.
 *
 * @param once whether a signed request is refused when it was accepted before
 */
export async function decide(
  client: Client,
  request: GuardedRequest,
  asked: AccessRequest,
  once: boolean,
): Promise<GuardOutcome> {
  const { action } = asked;
  const credential = readCredential(request);
  if (credential.kind === 'none') {
    return refused(
      action,
      401,
      'UNAUTHENTICATED',
      `\`${action}\` needs a credential; sign the request or send a token`,
    );
  }
  if (credential.kind === 'unseen') return refused(action, 500, 'BODY_NOT_SEEN', unseen);
  const address = request.sourceAddress === null ? [] : [{ key: 'g:SourceIp', values: [request.sourceAddress] }];
  const question = { ...asked, context: [...address, ...(asked.context ?? [])] };
  try {
    if (credential.kind === 'token') {
      const principal = { credential: { token: credential.token } };
      const [decision] = await client.checkAccess([question], { principal });
      return outcomeOf(action, decision, null);
    }
    const { actor, workspaceId, decisions } = await client.authenticateRequest(credential.request, {
      once,
      requests: [question],
    });
    const [decision] = decisions;
    return outcomeOf(action, decision === undefined ? undefined : { ...decision, actor }, workspaceId);
  } catch (error) {
    return refusalOf(action, error);
  }
}

const unseen =
  'the bytes of the body were not seen, so its signature cannot be checked; install `captureBody` before the guard';

function outcomeOf(action: string, decision: AccessDecision | undefined, workspaceId: string | null): GuardOutcome {
  if (decision === undefined) throw new BailiwickUnreachable('Bailiwick answered without a decision', false);
  const { effect, reason, actor, requestId } = decision;
  if (effect === 'ALLOW' && actor !== null) return { allowed: true, actor, workspaceId, decision };
  const known = actor !== null && reason !== 'CREDENTIAL_REVOKED';
  const status = known ? 403 : 401;
  const message = known
    ? `\`${action}\` is not allowed for you here; ask an administrator and name request \`${requestId}\``
    : 'the credential is not good; sign in again, or have the token made for this service';
  return { ...refused(action, status, known ? 'FORBIDDEN' : 'UNAUTHENTICATED', message), reason, requestId };
}

/** Codes that say that this service may not ask as it does, today and tomorrow. */
const mistakes: ReadonlySet<string> = new Set(['FORBIDDEN', 'UNAUTHENTICATED', 'GRAPHQL_VALIDATION_FAILED', 'INVALID']);

/** What was thrown instead of an answer. */
export function refusalOf(action: string, error: unknown): Refusal {
  if (error instanceof BailiwickError && error.code === 'CREDENTIALS_INVALID') {
    const { message, reference, requestId } = error;
    return { ...refused(action, 401, 'UNAUTHENTICATED', message), reason: reference, requestId };
  }
  if (error instanceof BailiwickError && error.code === 'BAD_USER_INPUT') {
    // What was asked about came with the request: a name with a star in it, for instance.
    return { ...refused(action, 400, 'BAD_REQUEST', error.message), requestId: error.requestId, cause: error };
  }
  // Whatever else it is, nothing is known about the sender. What it is about is this service's own affair.
  const own = error instanceof BailiwickError && mistakes.has(error.code);
  const message = own
    ? 'permissions cannot be checked: this service may not ask for them; tell its operator'
    : 'permissions cannot be checked just now; try again';
  return {
    ...refused(action, 503, 'PERMISSIONS_UNAVAILABLE', message),
    reason: own ? error.code : 'UNREACHABLE',
    requestId: error instanceof BailiwickError ? error.requestId : null,
    cause: error,
  };
}

function refused(action: string, status: Refusal['status'], code: string, message: string): Refusal {
  return { allowed: false, status, code, message, action, reason: null, requestId: null, cause: null };
}
