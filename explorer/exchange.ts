/** Requests to the API of the server that this page came from, and to nothing else. */

export interface Operation {
  readonly query: string;
  readonly operationName?: string;
  readonly variables?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly requestId: string;
  readonly milliseconds: number;
  /** As it came; the answer of something between here and the server need not be JSON. */
  readonly text: string;
}

/** Beside this page, whatever path a proxy has put before both. */
const endpoint = new URL('graphql', location.href);

export async function ask(operation: Operation, token: string): Promise<Answer> {
  const began = performance.now();
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      accept: 'application/json',
      'content-type': 'application/json',
      'apollo-require-preflight': '1',
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(operation),
    // The token is the only credential, and it goes to this server only.
    credentials: 'omit',
    cache: 'no-store',
    redirect: 'error',
    referrerPolicy: 'no-referrer',
  });
  return {
    status: response.status,
    requestId: response.headers.get('x-request-id') ?? '',
    text: await response.text(),
    milliseconds: Math.round(performance.now() - began),
  };
}
