/** Kept-alive connections of one client to every replica, one request at a time; and when it was sent and answered. */
import { Connection, type Received } from '../../bench/http/connection.js';
import { bytesOf } from '../../bench/http/requests.js';
import { sign } from '../kit/signing.js';
import type { Moment } from './laws.js';
import type { Replicas } from './replicas.js';

export type Credential =
  | { readonly kind: 'token'; readonly token: string }
  | {
      readonly kind: 'key';
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      /** Signed as well: where it acts, and the token of a temporary key. */
      readonly headers: Readonly<Record<string, string>>;
    };

export interface Exchanged {
  readonly replica: number;
  readonly sent: Moment;
  readonly answered: Moment;
  /** Null: the connection broke before there was one. */
  readonly answer: { readonly status: number; readonly body: string } | null;
}

interface Line {
  readonly port: number;
  readonly connection: Connection;
  heard: (answer: Received | null) => void;
}

export class Wire {
  readonly #lines = new Map<number, Line>();

  constructor(private readonly replicas: Replicas) {}

  async send(replica: number, by: Credential | null, body: string): Promise<Exchanged> {
    const line = this.#lineTo(replica);
    // What does not listen has been sent nothing.
    const bytes = line === null ? null : requestOf(line.port, by, body);
    const sent = performance.now();
    const received = await new Promise<Received | null>((resolve) => {
      if (line === null || bytes === null) return resolve(null);
      line.heard = resolve;
      line.connection.send(bytes);
    });
    const answered = performance.now();
    const answer = received && { status: received.status, body: received.body?.toString() ?? '' };
    return { replica, sent, answered, answer };
  }

  end(): void {
    for (const { connection } of this.#lines.values()) connection.end();
    this.#lines.clear();
  }

  #lineTo(replica: number): Line | null {
    const port = this.replicas.portOf(replica);
    const open = this.#lines.get(replica);
    if (open?.port === port) return open;
    open?.connection.end();
    this.#lines.delete(replica);
    if (port === null) return null;
    const connection = new Connection(
      port,
      true,
      (answer) => line.heard(answer),
      () => {
        if (this.#lines.get(replica) === line) this.#lines.delete(replica);
        line.heard(null);
      },
    );
    const line: Line = { port, connection, heard: () => undefined };
    this.#lines.set(replica, line);
    return line;
  }
}

function requestOf(port: number, by: Credential | null, body: string): Buffer {
  return bytesOf('/graphql', port, headersOf(port, by, body), body);
}

function headersOf(port: number, by: Credential | null, body: string): Readonly<Record<string, string>> {
  if (by === null) return {};
  if (by.kind === 'token') return { authorization: `Bearer ${by.token}` };
  const headers = { 'content-type': 'application/json', host: `127.0.0.1:${port}`, ...by.headers };
  const signed = sign(by, { headers, body, at: Date.now() });
  const { host: _host, 'content-type': _type, ...others } = signed.headers;
  return { ...others, authorization: signed.authorization };
}
