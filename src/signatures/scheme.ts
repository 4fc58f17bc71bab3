/**
 * The signature scheme SDK-HMAC-SHA256 (docs/domain.md section e2): canonical request, string to sign, signature. Pure;
 * who owns a key and what it may do is decided elsewhere. The vectors of section e3 are its test.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export const signatureScheme = 'SDK-HMAC-SHA256';

/** Hash of an empty body. */
export const emptyBodySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** The literal that stands for the hash of a body that was not signed. */
export const unsignedPayload = 'UNSIGNED-PAYLOAD';

/** How far a request's date may be from the server's, either side. */
export const dateWindow = 15 * 60 * 1000;

/** A request as it was received; path and query are raw, header names lower case, values of one name in order. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Hexadecimal SHA-256 of the body as received. */
  readonly bodySha256: string;
}

export interface SignatureParts {
  readonly accessKeyId: string;
  /** Lower case, in the order of the header. */
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

/** Reads `SDK-HMAC-SHA256 Access=…, SignedHeaders=…, Signature=…`; null when it is not of that form. */
export function readAuthorization(header: string): SignatureParts | null {
  const match =
    /^SDK-HMAC-SHA256 +Access=([A-Za-z0-9]{1,64}), *SignedHeaders=([a-z0-9;_-]{1,2048}), *Signature=([0-9a-f]{64})$/.exec(
      header,
    );
  if (match === null) return null;
  const [, accessKeyId = '', headers = '', signature = ''] = match;
  const signedHeaders = headers.split(';');
  const sorted = [...signedHeaders].sort();
  if (signedHeaders.some((name, index) => name === '' || name !== sorted[index] || name === sorted[index + 1])) {
    return null;
  }
  return { accessKeyId, signedHeaders, signature };
}

/** The first value of a header, without the space around it; null when it is absent. */
export function headerOf(request: Pick<ReceivedRequest, 'headers'>, name: string): string | null {
  return request.headers.find(([key]) => key === name)?.[1].trim() ?? null;
}

/** The canonical request; null when path or query cannot be read or a signed header was not sent. */
export function canonicalRequest(request: ReceivedRequest, signedHeaders: readonly string[]): string | null {
  const path = canonicalPath(request.path);
  const query = canonicalQuery(request.query);
  if (path === null || query === null) return null;
  const lines: string[] = [];
  for (const name of signedHeaders) {
    const values = request.headers.filter(([key]) => key === name).map(([, value]) => value.trim());
    if (values.length === 0) return null;
    lines.push(`${name}:${values.join(',')}\n`);
  }
  const declared = headerOf(request, 'x-sdk-content-sha256');
  const bodyHash = declared === unsignedPayload ? unsignedPayload : request.bodySha256;
  return [request.method.toUpperCase(), path, query, lines.join(''), signedHeaders.join(';'), bodyHash].join('\n');
}

/** Hexadecimal signature of a canonical request. */
export function signCanonical(canonical: string, date: string, secret: string): string {
  const hash = createHash('sha256').update(canonical).digest('hex');
  return createHmac('sha256', secret).update(`${signatureScheme}\n${date}\n${hash}`).digest('hex');
}

/** Compares in constant time. */
export function isSignature(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** `YYYYMMDDTHHMMSSZ` as milliseconds since 1970; null when it is no such date. */
export function readSignatureDate(date: string): number | null {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(date);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second] = match;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const instant = Date.parse(iso);
  return Number.isNaN(instant) || new Date(instant).toISOString() !== iso ? null : instant;
}

/** An instant, in milliseconds since 1970, as `X-Sdk-Date` has it: `YYYYMMDDTHHMMSSZ`. */
export function signatureDate(instant: number): string {
  return new Date(instant).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

/** Unreserved characters stay, everything else is `%XX`; `encodeURIComponent` alone leaves `!'()*` bare. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** Each segment encoded; always ends in a slash, whether the request's path does or not. */
function canonicalPath(path: string): string | null {
  const segments = path.split('/').map(decode);
  if (segments.some((segment) => segment === null)) return null;
  const encoded = segments.map((segment) => encode(segment ?? '')).join('/');
  return encoded.endsWith('/') ? encoded : `${encoded}/`;
}

/**
 * Sorted by key in code order, then by value. A space is `%20`, never `+`: a bare plus is a plus to some readers and a
 * space to others, so what was signed and what is read could differ.
 */
function canonicalQuery(query: string): string | null {
  if (query === '') return '';
  if (query.includes('+')) return null;
  const pairs: (readonly [string, string])[] = [];
  for (const part of query.split('&')) {
    const at = part.indexOf('=');
    const key = decode(at < 0 ? part : part.slice(0, at));
    const value = decode(at < 0 ? '' : part.slice(at + 1));
    if (key === null || value === null) return null;
    pairs.push([key, value]);
  }
  return pairs
    .sort(([keyA, valueA], [keyB, valueB]) => compare(keyA, keyB) || compare(valueA, valueB))
    .map(([key, value]) => `${encode(key)}=${encode(value)}`)
    .join('&');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
