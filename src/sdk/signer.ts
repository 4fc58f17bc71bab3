/**
 * Signs requests with SDK-HMAC-SHA256 (docs/domain.md section e2), as the vendor's own SDK does: the same request with the
 * same key gets the same `Authorization`.
 */
import { createHash } from 'node:crypto';
import {
  canonicalRequest,
  emptyBodySha256,
  signatureDate,
  signatureScheme,
  signCanonical,
} from '../signatures/index.js';
import type { Credentials } from './credentials.js';

/** Where a request acts: exactly one workspace, or the account. Without one: workspace `"0"`, or the session's. */
export type RequestScope = { readonly workspace: string } | { readonly account: string };

export interface UnsignedRequest {
  readonly method: string;
  /** The whole address with its query; a space in it is `%20`, never `+`. */
  readonly url: string | URL;
  /** Headers to send, all of which are signed, but the content type of a multipart body. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Text is sent as UTF-8. Absent or empty: no body. */
  readonly body?: string | Uint8Array | undefined;
  readonly credentials: Credentials;
  /** Plain ids, as the headers have them. */
  readonly scope?: RequestScope | undefined;
  /** When it is sent, within 15 minutes of the server's clock. Now unless given; milliseconds since 1970. */
  readonly at?: number;
}

/** Headers to send, names in lower case; `host` is not among them, since every HTTP client sends it by itself. */
export type SignedHeaders = Record<string, string>;

/**
 * The headers of a request with its signature.
 *
 * @throws TypeError for an address that cannot be signed: a query with a bare plus sign, or broken percent signs; and for
 *   a header or an id of a key that cannot be sent
 */
export function signRequest(request: UnsignedRequest): SignedHeaders {
  const { method, credentials, scope, body, at = Date.now() } = request;
  const url = new URL(request.url);
  const sent = lowerCase(request.headers ?? {});
  if (credentials.securityToken !== undefined) sent['x-security-token'] = credentials.securityToken;
  if (scope !== undefined) {
    if ('workspace' in scope) sent['x-workspace-id'] = scope.workspace;
    else sent['x-domain-id'] = scope.account;
  }
  const date = signatureDate(at);
  sent['x-sdk-date'] = date;
  const signed: Record<string, string> = { host: url.host, ...sent };
  if (signed['content-type']?.includes('multipart/form-data') === true) delete signed['content-type'];
  const unsendable = Object.keys(signed).find((name) => !sendable.test(signed[name] ?? ''));
  if (unsendable !== undefined || !/^[A-Za-z0-9]{1,64}$/.test(credentials.accessKeyId)) {
    // Named and not shown: it may be a secret.
    const what = unsendable === undefined ? 'the id of the access key' : `the value of the header \`${unsendable}\``;
    throw new TypeError(`${what} has characters that cannot be sent; take line ends out of it`);
  }
  const names = Object.keys(signed).sort();
  const canonical = canonicalRequest(
    {
      method,
      path: url.pathname,
      query: url.search.slice(1),
      headers: Object.entries(signed),
      bodySha256: body === undefined || body.length === 0 ? emptyBodySha256 : sha256(body),
    },
    names,
  );
  if (canonical === null) {
    throw new TypeError('the address cannot be signed; write `%20` for a space and `%2B` for a plus sign in its query');
  }
  const signature = signCanonical(canonical, date, credentials.secretAccessKey);
  const { host: _, ...headers } = sent;
  const authorization = `${signatureScheme} Access=${credentials.accessKeyId}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { ...headers, authorization };
}

/** What HTTP lets the value of a header be. */
const sendable = /^[\t\x20-\x7e\x80-\xff]*$/;

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function sha256(body: string | Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}
