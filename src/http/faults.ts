/** What is wrong with a request before there is an operation: refused here, in the shape that GraphQL clients read. */

/** A refusal of the transport; always the client's to mend. */
export class HttpFault extends Error {
  constructor(
    readonly status: 400 | 403 | 404 | 405 | 406 | 413 | 415,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = 'HttpFault';
  }
}

/** The body of a refusal: `errors` as in any GraphQL answer, with the code of the transport. */
export function faultBody(message: string, requestId: string, code = 'BAD_REQUEST'): string {
  return JSON.stringify({ errors: [{ message, extensions: { requestId, code } }] });
}
