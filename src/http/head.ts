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
