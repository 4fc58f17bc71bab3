/** The body of a POST and the query of a GET, brought to what the GraphQL server takes; everything else is refused. */
import type { IncomingMessage } from 'node:http';
import { vouchForText } from '../graphql/index.js';
import { HttpFault } from './faults.js';
import { decodeText, readJson } from './json-text.js';

/** Enough for a thousand questions or a policy of the longest kind many times over. */
export const bodyLimit = 1_048_576;

/**
 * Refuses a body that is not plainly JSON in UTF-8. A form or `text/plain`, which any page may send without being
 * asked first, is refused here already; `csrfPrevention` of the GraphQL server stands behind it.
 */
export function checkMediaType({ headers, headersDistinct }: IncomingMessage): void {
  // Node keeps the first of several, and what stands before this server may go by the last.
  const [contentType, another] = headersDistinct['content-type'] ?? [];
  if (another !== undefined) {
    throw new HttpFault(415, 'the header `Content-Type` stands there more than once; send one');
  }
  const [essence = '', ...parameters] = (contentType ?? '').split(';').map((part) => part.trim().toLowerCase());
  if (essence !== 'application/json') {
    const what = contentType === undefined ? 'the request has no `Content-Type`' : 'the `Content-Type` is not JSON';
    throw new HttpFault(415, `${what}; send \`application/json\``, { 'accept-post': 'application/json' });
  }
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=');
    if (name.trim() === 'charset' && !['utf-8', 'utf8'].includes(value.replaceAll('"', ''))) {
      throw new HttpFault(415, 'the charset is not UTF-8; JSON is sent in UTF-8');
    }
  }
  // None is understood, so that no small body can unfold into a large one.
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
    throw new HttpFault(415, 'compressed bodies are not accepted; send the body as it is', {
      'accept-encoding': 'identity',
    });
  }
}

/** Reads the body of a POST. The GraphQL server says what is wrong with its members. */
export function readBody(body: unknown): unknown {
  if (!(body instanceof Uint8Array) || body.length === 0) {
    throw new HttpFault(400, 'the request has no body; send a JSON object with `query`');
  }
  const { value, plain } = readJson(decodeText(body, 'the body'), 'the body');
  if (typeof value !== 'object' || value === null) {
    throw new HttpFault(400, 'the body is not a JSON object; send one with `query`');
  }
  // UTF-8 has no half of a surrogate pair, and JSON no control character but as an escape.
  if (plain && 'variables' in value) vouchForText(value.variables);
  return value;
}

/**
 * Reads the query string of a GET strictly, where the GraphQL server would be lenient: escapes, and the JSON in
 * parameters. Optional parameters that are empty or null are as good as absent and are left out.
 */
export function readSearch(search: string): string {
  for (const part of search.replace(/^\?/, '').split('&')) {
    try {
      decodeURIComponent(part.replaceAll('+', ' '));
    } catch {
      throw new HttpFault(400, 'the query string is not UTF-8 in percent escapes; encode it so');
    }
  }
  const parameters = [...new URLSearchParams(search)].filter(([name, text]) => {
    if (name === 'operationName') return text !== '';
    if (name !== 'variables' && name !== 'extensions') return true;
    return text !== '' && readJson(text, `the parameter \`${name}\``).value !== null;
  });
  return `?${new URLSearchParams(parameters).toString()}`;
}
