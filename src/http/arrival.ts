/**
 * What a request brings, read from its head: an id, a credential, an address. Reading only: whether a token is good is
 * found out by the business.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Arrival, Credential } from '../iam/index.js';
import type { ReceivedRequest } from '../signatures/index.js';
import type { PlainHead } from './head.js';

/** Ids that a caller may choose: short, and of characters that cannot forge a log line or a header. */
const saneRequestId = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;

/** The caller's own `X-Request-Id` if it is sane, else a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const [first = null, second = null] = request.headersDistinct['x-request-id'] ?? [];
  return chooseRequestId(second === null ? first : null);
}

/** @param sent the caller's own, where there is one */
export function chooseRequestId(sent: string | null): string {
  if (sent !== null && saneRequestId.test(sent)) return sent;
  // Node draws many of these at once; sixteen bytes by themselves cost a call of the system each time.
  return randomUUID().replaceAll('-', '');
}

/** RFC 6750 section 2.1. */
const tokenForm = /^[A-Za-z0-9._~+/-]+=*$/;

/**
 * One credential, none, or a broken one. Two that disagree are broken, never chosen between: a proxy that looks at one
 * and a server that acts on the other is how impersonation begins.
 */
export function readCredential(request: IncomingMessage, body: Uint8Array | null = null): Credential {
  const readings = readHeaders(request, body);
  return Array.isArray(readings) ? theOneOf(readings, bothHeaders) : readings;
}

/** The same of a head that is plain. */
export function readPlainCredential(
  { authorization, xAuthToken }: Pick<PlainHead, 'authorization' | 'xAuthToken'>,
  request: IncomingMessage,
  body: Uint8Array | null,
): Credential {
  if (xAuthToken === null) return authorization === null ? none : readAuthorization(authorization, request, body);
  const token = readXAuthToken(xAuthToken);
  return authorization === null
    ? token
    : theOneOf([readAuthorization(authorization, request, body), token], bothHeaders);
}

const none: Credential = { kind: 'none' };

const bothHeaders = '`Authorization` and `X-Auth-Token`';

/**
 * The credential of a connection: of the request that opened it, or of the parameters that it began with, where pages put
 * it that cannot set headers.
 */
export function readConnectionCredential(request: IncomingMessage, parameters: unknown): Credential {
  const headers = readHeaders(request, null);
  if (!Array.isArray(headers)) return headers;
  const given = typeof parameters === 'object' && parameters !== null ? Object.entries(parameters) : [];
  const inside: Credential[] = [];
  for (const [name, value] of given as [string, unknown][]) {
    const key = name.toLowerCase();
    // Null and absent say the same.
    if ((key !== 'authorization' && key !== 'token') || value == null) continue;
    if (typeof value !== 'string') return broken(`\`${key}\` of the connection is no text; send a token`);
    if (key === 'token') inside.push(readToken(value.trim(), 'token', 'the parameter'));
    else if (/^bearer(\s|$)/i.test(value.trim())) inside.push(readAuthorization(value, request, null));
    else return broken('`Authorization` of the connection has no token; send `Bearer` with one');
  }
  return theOneOf([...headers, ...inside], 'headers and parameters of the connection, or several of them,');
}

/** What each header says; a broken credential when one stands there twice. */
function readHeaders(request: IncomingMessage, body: Uint8Array | null): Credential[] | Credential {
  // Not `request.headers`, where Node keeps the first of several and drops the rest.
  const authorization = request.headersDistinct['authorization'] ?? [];
  const xAuthToken = request.headersDistinct['x-auth-token'] ?? [];
  if (authorization.length > 1) return broken('the header `Authorization` stands there more than once; send one');
  if (xAuthToken.length > 1) return broken('the header `X-Auth-Token` stands there more than once; send one');
  return [...authorization.map((value) => readAuthorization(value, request, body)), ...xAuthToken.map(readXAuthToken)];
}

function theOneOf(readings: readonly Credential[], places: string): Credential {
  const [first, ...others] = readings;
  if (first === undefined) return none;
  for (const reading of readings) if (reading.kind === 'broken') return reading;
  const same = others.every((other) => first.kind === 'token' && other.kind === 'token' && first.token === other.token);
  return same ? first : broken(`${places} carry different credentials; send one of them`);
}

/** As nearly all write it. */
const plainBearer = /^bearer ([A-Za-z0-9._~+/-]+=*)$/i;

function readAuthorization(value: string, request: IncomingMessage, body: Uint8Array | null): Credential {
  const token = plainBearer.exec(value)?.[1];
  if (token !== undefined) return { kind: 'token', token };
  const [scheme = '', ...rest] = value.trim().split(/\s+/);
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return readToken(rest.join(' '), 'Authorization');
    case 'sdk-hmac-sha256':
      return { kind: 'signed', authorization: value.trim(), request: receivedRequest(request, body) };
    default:
      // The scheme is not repeated: a token sent without one would be.
      return broken('the scheme of `Authorization` is unknown; send `Authorization: Bearer` with a token');
  }
}

/** The request as its signer must have seen it: raw target, every header, hash of the bytes that came. */
function receivedRequest(request: IncomingMessage, body: Uint8Array | null): ReceivedRequest {
  const [path = '', query = ''] = splitTarget(request.url ?? '');
  const headers: (readonly [string, string])[] = [];
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    headers.push([request.rawHeaders[index]?.toLowerCase() ?? '', request.rawHeaders[index + 1] ?? '']);
  }
  let bodySha256: string | null = null;
  return {
    method: request.method ?? '',
    path,
    query,
    headers,
    // When it is asked for: most of what can be wrong with a signature is found out without it, and a body may be long.
    get bodySha256() {
      return (bodySha256 ??= createHash('sha256')
        .update(body ?? new Uint8Array(0))
        .digest('hex'));
    },
  };
}

function splitTarget(target: string): readonly [string, string] {
  const at = target.indexOf('?');
  return at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
}

function readXAuthToken(value: string): Credential {
  return readToken(value.trim(), 'X-Auth-Token');
}

function readToken(token: string, name: string, kind = 'the header'): Credential {
  if (token === '') return broken(`${kind} \`${name}\` has no token; sign in and send the token`);
  if (!tokenForm.test(token)) return broken(`the token in \`${name}\` has characters that no token has; sign in again`);
  return { kind: 'token', token };
}

function broken(message: string): Credential {
  return { kind: 'broken', message, reference: 'IAM.0067' };
}

export function readArrival(
  request: IncomingMessage,
  requestId: string,
  environment: Arrival['environment'],
  body: Uint8Array | null = null,
): Arrival {
  return {
    requestId,
    credential: readCredential(request, body),
    environment,
  };
}
