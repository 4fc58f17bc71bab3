/** Requests over real HTTP, and everything about one when it fails. */
import { request } from 'node:http';

export interface ApiError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: Readonly<Record<string, unknown>> & { readonly code: string };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** As it came. */
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>> | null;
  readonly errors: readonly ApiError[];
}

export interface Exchange {
  readonly method?: string;
  /** Name and value in turn, so that a name can stand there twice. */
  readonly headers?: readonly string[];
  readonly body?: string | Uint8Array;
}

/** Sends exactly this; adds nothing but what HTTP itself needs. */
export async function exchange(url: string, { method = 'POST', headers = [], body }: Exchange): Promise<Answer> {
  const length = body === undefined ? [] : ['content-length', String(Buffer.byteLength(body))];
  const named = headers.some((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
  const host = named ? [] : ['host', new URL(url).host];
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers: [...host, ...headers, ...length], agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, ...readResult(text) });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

export async function post(url: string, token: string | null, body: object): Promise<Answer> {
  const authorization = token === null ? [] : ['authorization', `Bearer ${token}`];
  return exchange(url, { headers: ['content-type', 'application/json', ...authorization], body: JSON.stringify(body) });
}

export function errorsOf({ errors }: Answer): readonly ApiError[] {
  return errors;
}

/** `extensions.code` of each error. */
export function codesOf({ errors }: Answer): readonly string[] {
  return errors.map(({ extensions }) => extensions.code);
}

/** Every `userErrors` entry of the root fields. */
export function userErrorsOf({ data }: Answer): readonly { readonly code: string; readonly message: string }[] {
  return Object.values(data ?? {}).flatMap((payload) => {
    if (typeof payload !== 'object' || payload === null || !('userErrors' in payload)) return [];
    return payload.userErrors as readonly { readonly code: string; readonly message: string }[];
  });
}

/** What a failed test prints: the operation, what was sent, what came back, and what the server logged about it. */
export function describeExchange(query: string, variables: object, answer: Answer, log: readonly string[]): string {
  const requestId = String(answer.headers['x-request-id']);
  return [
    `the operation did not succeed: HTTP ${answer.status}, request ${requestId}`,
    query.trim(),
    `variables: ${JSON.stringify(variables)}`,
    `answer: ${answer.text}`,
    ...log.filter((line) => line.includes(requestId)).map((line) => `log: ${line.trim()}`),
  ].join('\n');
}

function readResult(text: string): Pick<Answer, 'data' | 'errors'> {
  try {
    const { data, errors } = JSON.parse(text) as Partial<Pick<Answer, 'data' | 'errors'>>;
    return { data: data ?? null, errors: errors ?? [] };
  } catch {
    return { data: null, errors: [] };
  }
}
