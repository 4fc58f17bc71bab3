/**
 * One kept-alive connection that sends prepared bytes and reads what comes back: just enough of HTTP/1.1 to know where an
 * answer ends, so that the client costs a fraction of what any server does.
 */
import { connect, type Socket } from 'node:net';

const headEnd = Buffer.from('\r\n\r\n');
/** The last chunk of a body in chunks; JSON has no bare line end that could look like it. */
const lastChunk = Buffer.from('0\r\n\r\n');

export interface Received {
  readonly status: number;
  /** Bytes of the body; of one in chunks with their heads. */
  readonly length: number;
  /** Null unless bodies are kept. */
  readonly body: Buffer | null;
}

export class Connection {
  readonly #socket: Socket;
  readonly #keepsBodies: boolean;
  readonly #received: (answer: Received) => void;
  #head: Buffer | null = null;
  #status = 0;
  /** Bytes of the body still to come; -1: the head is being read, -2: it comes in chunks. */
  #remaining = -1;
  #length = 0;
  #tail: Buffer = Buffer.alloc(0);
  #parts: Buffer[] = [];

  /**
   * @param received called once for each answer
   * @param lost called when the connection ends by itself
   */
  constructor(port: number, keepsBodies: boolean, received: (answer: Received) => void, lost: (why: string) => void) {
    this.#keepsBodies = keepsBodies;
    this.#received = received;
    let why = 'the server closed the connection';
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
      .on('data', (chunk: Buffer) => this.#read(chunk))
      .on('error', (error) => (why = error.message))
      .on('close', () => lost(why));
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Ends it without telling. */
  end(): void {
    this.#socket.removeAllListeners('close').on('error', () => undefined);
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#remaining === -1) {
      const head = this.#head === null ? chunk : Buffer.concat([this.#head, chunk]);
      const end = head.indexOf(headEnd);
      if (end < 0) {
        this.#head = head;
        return;
      }
      this.#head = null;
      const text = head.toString('latin1', 0, end);
      this.#status = Number(text.slice(9, 12));
      const length = /content-length: *(\d+)/i.exec(text)?.[1];
      this.#remaining = length === undefined ? -2 : Number(length);
      this.#length = length === undefined ? 0 : this.#remaining;
      this.#tail = Buffer.alloc(0);
      this.#readBody(head.subarray(end + headEnd.length));
      return;
    }
    this.#readBody(chunk);
  }

  #readBody(chunk: Buffer): void {
    if (this.#keepsBodies) this.#parts.push(chunk);
    if (this.#remaining >= 0) {
      this.#remaining -= chunk.length;
      if (this.#remaining <= 0) this.#finish();
      return;
    }
    this.#length += chunk.length;
    this.#tail = Buffer.concat([this.#tail, chunk]).subarray(-lastChunk.length);
    if (this.#tail.equals(lastChunk)) this.#finish();
  }

  #finish(): void {
    const inChunks = this.#remaining === -2;
    const whole = this.#keepsBodies ? Buffer.concat(this.#parts) : null;
    this.#parts = [];
    this.#remaining = -1;
    const body = whole !== null && inChunks ? joinChunks(whole) : whole;
    this.#received({ status: this.#status, length: this.#length, body });
  }
}

function joinChunks(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.toString('latin1', at, end), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(body.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}

/** What came back to each request, over a few connections. */
export async function exchange(port: number, requests: readonly Buffer[]): Promise<readonly Received[]> {
  const received: Received[] = [];
  let next = 0;
  const take = (): Promise<void> =>
    new Promise((resolve, reject) => {
      let sent = 0;
      const send = (): void => {
        sent = next;
        next += 1;
        const bytes = requests[sent];
        if (bytes !== undefined) return connection.send(bytes);
        connection.end();
        resolve();
      };
      const connection: Connection = new Connection(
        port,
        true,
        (answer) => {
          received[sent] = answer;
          send();
        },
        (why) => reject(new Error(`${why} before request ${sent} was answered`)),
      );
      send();
    });
  await Promise.all(Array.from({ length: Math.min(16, requests.length) }, take));
  return received;
}
