/**
 * Which pages may read answers (CORS, in the Fetch standard). Closed unless origins are named. Credentials mode stays
 * off: tokens travel in headers that a page must set itself, never in cookies that a browser would add.
 */
import type { IncomingMessage } from 'node:http';

/** What the explorers of this API and Apollo's clients send. */
const requestHeaders = [
  'accept',
  // Asked for by Apollo's explorers out of habit; nothing here reads the plans and traces that they mean.
  'apollo-expose-query-plan',
  'apollo-query-plan-experimental',
  'apollo-require-preflight',
  'apollographql-client-name',
  'apollographql-client-version',
  'authorization',
  'content-type',
  'x-apollo-operation-name',
  'x-apollo-tracing',
  'x-auth-token',
  'x-request-id',
].join(', ');

/** Headers of the answer to a request of any method but OPTIONS. */
export function corsHeaders(request: IncomingMessage, origins: readonly string[]): Readonly<Record<string, string>> {
  if (origins.length === 0) return {};
  const { origin } = request.headers;
  // Caches must keep the answers to different origins apart, also the one that allows nothing.
  if (origin === undefined || !origins.includes(origin)) return { vary: 'Origin' };
  return {
    vary: 'Origin',
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'X-Request-Id, Retry-After',
  };
}

/** Whether OPTIONS is a browser's question before the real request, rather than a plain one. */
export function isPreflight({ headers }: IncomingMessage): boolean {
  return headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
}

/** Media types that a page may send without its browser asking first (Fetch, section 2.2.2). */
const simpleTypes: ReadonlySet<string> = new Set([
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'text/plain',
]);

/** Whether any page on the internet could have had a browser send this, without being asked whether it may. */
export function isSimple({ headers }: IncomingMessage): boolean {
  if (headers['apollo-require-preflight'] || headers['x-apollo-operation-name']) return false;
  const [essence = ''] = (headers['content-type'] ?? '').split(';');
  return headers['content-type'] === undefined || simpleTypes.has(essence.trim().toLowerCase());
}

/** Headers of the answer to a preflight; null when the origin is not one of those named. */
export function preflightHeaders(
  request: IncomingMessage,
  origins: readonly string[],
): Readonly<Record<string, string>> | null {
  const { origin } = request.headers;
  if (origin === undefined || !origins.includes(origin)) return null;
  return {
    ...corsHeaders(request, origins),
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': requestHeaders,
    'access-control-max-age': '600',
    // A page on the internet that talks to a server on this machine asks once more (Private Network Access).
    ...(request.headers['access-control-request-private-network'] === 'true'
      ? { 'access-control-allow-private-network': 'true' }
      : {}),
  };
}
