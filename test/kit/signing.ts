/** Signs requests as a client of the platform would, by the functions that the vectors of docs/domain.md hold to. */
import { createHash } from 'node:crypto';
import { canonicalRequest, signCanonical, signatureScheme } from '../../src/signatures/index.js';

export interface Key {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface Unsigned {
  readonly method?: string;
  readonly path?: string;
  /** Without the question mark. */
  readonly query?: string;
  /** Signed all of them, and `x-sdk-date` beside; `host` among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly at: number;
}

export interface Signed {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly bodySha256: string;
  readonly authorization: string;
}

export function sdkDate(at: number): string {
  return new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export function sign(key: Key, request: Unsigned): Signed {
  const { method = 'POST', path = '/graphql', query = '', body = '', at } = request;
  const headers: Readonly<Record<string, string>> = { ...request.headers, 'x-sdk-date': sdkDate(at) };
  const names = Object.keys(headers).sort();
  const bodySha256 = sha256(body);
  const received = { method, path, query, headers: Object.entries(headers), bodySha256 };
  const canonical = canonicalRequest(received, names);
  if (canonical === null) throw new Error('the request cannot be signed');
  const signature = signCanonical(canonical, sdkDate(at), key.secretAccessKey);
  const authorization = `${signatureScheme} Access=${key.accessKeyId}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { method, path, query, headers, body, bodySha256, authorization };
}
