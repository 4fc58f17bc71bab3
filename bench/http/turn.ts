/** One turn of a server under load: many connections, on each the next request as soon as an answer has come. */
import { Connection } from './connection.js';
import { processorTime } from './processor.js';

/** Goes on for so long, and until so much was answered: a machine that others use may be slow for a while. */
export interface Stretch {
  readonly milliseconds: number;
  readonly requests: number;
}

export interface Turn {
  readonly port: number;
  /** Process of the server. */
  readonly pid: number;
  readonly connections: number;
  /** Before anything is counted. */
  readonly warm: Stretch;
  readonly measured: Stretch;
  /** Milliseconds after which either ends, however little was answered. */
  readonly patienceMs: number;
  /** Taken one after the other by whichever connection is free. */
  readonly requests: readonly Uint8Array[];
  /** Where in each request a number stands that no other request has; null: nowhere. */
  readonly stamps: readonly number[] | null;
  /** The first such number. */
  readonly stampFrom: number;
  readonly stampDigits: number;
  /** Length of the answer to each request. */
  readonly lengths: readonly number[];
}

export interface Count {
  readonly requests: number;
  /** Answers of another status or length than expected, and connections lost. */
  readonly wrong: number;
  /** What the first of them was. */
  readonly fault: string | null;
  readonly milliseconds: number;
  /** Of the server; null where it cannot be known. */
  readonly processorNs: number | null;
  /** Of the client itself. */
  readonly clientNs: number;
  /** Numbers used up. */
  readonly stamped: number;
}

export function takeTurn(turn: Turn): Promise<Count> {
  const { port, pid, connections, stamps, stampDigits, lengths } = turn;
  const requests = turn.requests.map((bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const open = new Set<Connection>();
  let next = 0;
  let stamped = 0;
  let answers = 0;
  let wrong = 0;
  let fault: string | null = null;
  let ended = false;
  /** Told when the last connection has been left. */
  let left = (): void => undefined;
  /** Looks whether the stretch under way is over. */
  let look = (): void => undefined;
  const blame = (what: string): void => {
    wrong += 1;
    fault ??= what;
  };

  const leave = (connection: Connection): void => {
    open.delete(connection);
    connection.end();
    if (open.size === 0) left();
  };

  const start = (): void => {
    let sent = 0;
    const send = (): void => {
      sent = next;
      next = next + 1 === requests.length ? 0 : next + 1;
      const bytes = requests[sent] ?? Buffer.alloc(0);
      connection.send(stamps === null ? bytes : stampedCopy(bytes, stamps[sent] ?? 0));
    };
    const connection: Connection = new Connection(
      port,
      false,
      ({ status, length }) => {
        if (ended) {
          leave(connection);
          return;
        }
        answers += 1;
        if (status !== 200 || length !== lengths[sent]) {
          blame(`status ${status}, ${length} bytes instead of ${lengths[sent]} to request ${sent}`);
        }
        look();
        if (!ended) send();
      },
      (why) => {
        leave(connection);
        if (ended) return;
        blame(why);
        // What refuses every connection would be asked for one for ever.
        if (wrong < connections * 4) start();
      },
    );
    open.add(connection);
    send();
  };
  const stampedCopy = (bytes: Buffer, at: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy.write(String(turn.stampFrom + stamped).padStart(stampDigits, '0'), at, 'latin1');
    stamped += 1;
    return copy;
  };

  const last = ({ milliseconds, requests }: Stretch): Promise<void> =>
    new Promise((resolve) => {
      const [from, began] = [answers, performance.now()];
      const over = (): void => {
        clearInterval(timer);
        look = () => undefined;
        resolve();
      };
      const isOver = (now: number): boolean =>
        (answers - from >= requests && now - began >= milliseconds) || now - began >= turn.patienceMs;
      look = () => {
        if (answers - from >= requests && isOver(performance.now())) over();
      };
      const timer = setInterval(() => {
        if (isOver(performance.now())) over();
      }, 20);
    });

  const whole = async (): Promise<Count> => {
    for (let i = 0; i < connections; i += 1) start();
    await last(turn.warm);
    const answersBefore = answers;
    const [began, usedBefore, ownBefore] = [performance.now(), processorTime(pid), process.cpuUsage()];
    await last(turn.measured);
    const used = processorTime(pid);
    const own = process.cpuUsage(ownBefore);
    const milliseconds = performance.now() - began;
    ended = true;
    // What is under way is answered first: the server would go on with it in the turn of the next one.
    const late = setTimeout(() => {
      blame(`${open.size} requests were not answered`);
      open.forEach(leave);
    }, turn.patienceMs);
    await new Promise<void>((resolve) => {
      left = resolve;
      if (open.size === 0) resolve();
    });
    clearTimeout(late);
    return {
      requests: answers - answersBefore,
      wrong,
      fault,
      milliseconds,
      processorNs: used === null || usedBefore === null ? null : used - usedBefore,
      clientNs: (own.user + own.system) * 1_000,
      stamped,
    };
  };
  return whole();
}
