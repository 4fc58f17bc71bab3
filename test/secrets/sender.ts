/** Sends requests of every kind to the program, and keeps what proves somebody of each that is signed. */
import { Agent, request } from 'node:http';
import { sign, type Key, type Unsigned } from '../kit/signing.js';
import type { Ledger } from './ledger.js';

export type SigningKey = Key & { readonly securityToken?: string };

export interface Reply {
  readonly status: number;
  readonly text: string;
}

export interface Sent {
  readonly method?: string;
  /** After the origin. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

type Payload = Readonly<Record<string, unknown>> & { readonly userErrors?: readonly unknown[] };

export class Sender {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });
  #count = 0;

  constructor(
    readonly url: string,
    private readonly ledger: Ledger,
  ) {}

  /** Exactly this, whatever it is. */
  async exchange({ method = 'POST', path = '/graphql', headers = {}, body }: Sent): Promise<Reply> {
    const { hostname, port } = new URL(this.url);
    return new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
      const options = { hostname, port, path, method, agent: this.#agent, headers: { ...headers, ...length } };
      const sent = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('error', reject);
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  post(token: string | null, query: string, variables: object = {}): Promise<Reply> {
    const headers = { 'content-type': 'application/json', ...(token === null ? {} : bearer(token)) };
    return this.exchange({ headers, body: JSON.stringify({ query, variables }) });
  }

  /** To the API itself. */
  signed(key: SigningKey, workspaceId: string, query: string, variables: object = {}): Promise<Reply> {
    // Two of the same bytes within a second would have the same signature.
    const body = JSON.stringify({ query, variables, extensions: { count: (this.#count += 1) } });
    const { host } = new URL(this.url);
    const headers = { 'content-type': 'application/json', host, 'x-workspace-id': workspaceId };
    const signed = this.#sign(key, { headers, body });
    return this.exchange({ headers: signed.headers, body });
  }

  /** A request as the storage service received it, as it shows it to the API. */
  received(key: SigningKey, host: string, workspaceId: string) {
    const headers = { host, 'x-workspace-id': workspaceId };
    const signed = this.#sign(key, { method: 'GET', path: `/v1/objects/${(this.#count += 1)}`, headers });
    const { method, path, query, bodySha256 } = signed;
    const shown = Object.entries(signed.headers).map(([name, value]) => ({ name, value }));
    return { method, path, query, bodySha256, headers: shown };
  }

  /** Payload of the one root field, named `done`, of an operation that must succeed. */
  async expect<T = Payload>(reply: Promise<Reply>): Promise<T> {
    const { status, text } = await reply;
    const { data, errors } = parse(text);
    if (status !== 200 || errors !== undefined || data?.done == null || (data.done.userErrors ?? []).length > 0) {
      throw new Error(`the operation did not succeed: HTTP ${status}, ${text.slice(0, 1000)}`);
    }
    return data.done as T;
  }

  /** An operation that must be refused, in whatever way. */
  async expectRefused(reply: Promise<Reply>): Promise<void> {
    const { status, text } = await reply;
    const { data, errors } = parse(text);
    if (status < 400 && errors === undefined && (data?.done?.userErrors ?? []).length === 0) {
      throw new Error(`the operation was not refused: HTTP ${status}, ${text.slice(0, 1000)}`);
    }
    // Refused for another reason, nothing of what was sent would have been looked at.
    if (status === 429 || status >= 500) throw new Error(`the server did not look: HTTP ${status}, ${text}`);
  }

  mutate(token: string | null, mutation: string, selection: string, input: object): Promise<Reply> {
    return this.post(token, mutationOf(mutation, selection), { input });
  }

  close(): void {
    this.#agent.destroy();
  }

  #sign(key: SigningKey, unsigned: Omit<Unsigned, 'at'>) {
    const { securityToken } = key;
    const headers =
      securityToken === undefined ? unsigned.headers : { ...unsigned.headers, 'x-security-token': securityToken };
    const signed = sign(key, { ...unsigned, headers, at: Date.now() });
    this.ledger.keep('signature', signed.authorization.split('Signature=')[1] ?? '');
    return { ...signed, headers: { ...signed.headers, authorization: signed.authorization } };
  }
}

export function bearer(token: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token}` };
}

export function mutationOf(mutation: string, selection: string): string {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  return `mutation M($input: ${type}!) { done: ${mutation}(input: $input) { ${selection} userErrors { code message path } } }`;
}

function parse(text: string): { data?: { done?: Payload | null } | null; errors?: unknown } {
  try {
    return JSON.parse(text) as { data?: { done?: Payload | null } | null; errors?: unknown };
  } catch {
    return {};
  }
}
