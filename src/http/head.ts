/** The head of a request, where it could be read in two ways: by what stands before this server, and by this server. */
import type { IncomingMessage } from 'node:http';
import { HttpFault } from './faults.js';

/**
 * Node drops headers beyond this number silently, a second credential among them. Zero: none; their size is limited all
 * the same.
 */
export const headerCountLimit = 0;

/** Refuses what RFC 9112 has refused and Node lets pass: more than one host, and requests from before there were any. */
export function checkHead({ headersDistinct, httpVersionMajor }: IncomingMessage): void {
  if ((headersDistinct['host'] ?? []).length > 1) {
    throw new HttpFault(400, 'the header `Host` stands there more than once; send one');
  }
  if (httpVersionMajor < 1) throw new HttpFault(400, 'HTTP/0.9 is not spoken here; send HTTP/1.1');
}

/** The head of a POST that has nothing in it to choose between or to refuse: all that is looked at before its body. */
export interface PlainHead {
  readonly accept: string | null;
  readonly authorization: string | null;
  readonly xAuthToken: string | null;
  readonly requestId: string | null;
  /** Of the body, in bytes. */
  readonly length: number;
}

const plainJson = /^application\/json(?:; ?charset=utf-8)?$/i;

/**
 * Reads a head in one go, where `headers` and `headersDistinct` of Node each make an object of all of it. Null where
 * anything is less than plain: it is for others to find out what, and whether that is to be refused.
 */
export function readPlainHead({ method, rawHeaders, httpVersionMajor }: IncomingMessage): PlainHead | null {
  if (method !== 'POST' || httpVersionMajor < 1) return null;
  let host = false;
  let json = false;
  let length: number | null = null;
  let accept: string | null = null;
  let authorization: string | null = null;
  let xAuthToken: string | null = null;
  let requestId: string | null = null;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const value = rawHeaders[at + 1] ?? '';
    switch ((rawHeaders[at] ?? '').toLowerCase()) {
      case 'host':
        if (host) return null;
        host = true;
        break;
      case 'content-type':
        if (json || !plainJson.test(value)) return null;
        json = true;
        break;
      case 'content-length':
        if (length !== null) return null;
        length = Number(value);
        break;
      case 'accept':
        if (accept !== null) return null;
        accept = value;
        break;
      case 'authorization':
        if (authorization !== null) return null;
        authorization = value;
        break;
      case 'x-auth-token':
        if (xAuthToken !== null) return null;
        xAuthToken = value;
        break;
      case 'x-request-id':
        if (requestId !== null) return null;
        requestId = value;
        break;
      case 'content-encoding':
      case 'transfer-encoding':
      case 'expect':
      case 'upgrade':
        return null;
      default:
        break;
    }
  }
  if (!json || length === null || !(length > 0)) return null;
  return { accept, authorization, xAuthToken, requestId, length };
}
