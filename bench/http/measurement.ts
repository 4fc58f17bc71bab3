/** How servers are measured: answers against each other, then requests in turns, by a client in a process of its own. */
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { stampsIn } from './contestants/bailiwick.js';
import { exchange } from './connection.js';
import type { Adapter, Server } from './contestant.js';
import { type Answer, stamp, type Row, type RowName } from './requests.js';
import type { Count, Stretch, Turn } from './turn.js';
import { decideIn, policiesOf, type World } from './world.js';
import { caller } from './seed.js';

export interface Effort {
  readonly rounds: number;
  /** How long a turn is meant to take; the first warming takes four times as long, and each later one a quarter. */
  readonly turnMs: number;
  /** How long one may take until enough was answered. */
  readonly patienceMs: number;
  readonly connections: number;
}

/** A server that takes part in a row, whose answers are the right ones. */
export interface Checked {
  readonly server: Server;
  readonly answers: number;
  /** Bytes of each answer, which every later one has to have. */
  readonly lengths: readonly number[];
  readonly bodies: readonly string[];
  readonly disagreements: readonly string[];
}

/** A number that no answered request had; those of the turns come after it. */
const checkedStamp = 1;
export const firstStamp = 1_000;

/**
 * Asks a server everything that it will be asked in its turns, and holds the answers against ours; `ours` null: these are
 * ours, held against the rules of the world.
 */
export async function checkAnswers(
  server: Server,
  row: Row,
  world: World,
  ours: readonly Answer[] | null,
): Promise<Checked & { readonly read: readonly Answer[] }> {
  const requests = server.requestsOf(row);
  const places = stampsIn(requests);
  const sent = requests.map((bytes, place) => {
    const copy = Buffer.from(bytes);
    if (places !== null) copy.write(String(checkedStamp).padStart(stamp.length, '0'), places[place] ?? 0, 'latin1');
    return copy;
  });
  const received = await exchange(server.port, sent);
  const bodies = received.map(({ body }) => body?.toString() ?? '');
  const read = received.map(({ status }, place) => server.read(row, status, bodies[place] ?? ''));
  const held = policiesOf(world, caller);
  const disagreements = read.flatMap((answer, place) => {
    const told = (what: string) => [`${server.name}, ${row.name}, request ${place}: ${what}`];
    if (answer.status !== 200) return told(`status ${answer.status}: ${bodies[place]?.slice(0, 300)}`);
    if (answer.text.startsWith('errors: ')) return told(answer.text);
    const expected =
      ours?.[place]?.effects ??
      (row.asked[place] ?? []).map((request) => (decideIn(held, request) === 'ALLOWED' ? 'ALLOW' : 'DENY'));
    const wrong = expected.findIndex((effect, i) => effect !== answer.effects[i]);
    if (wrong >= 0 || expected.length !== answer.effects.length) {
      return told(`${answer.effects[wrong]} instead of ${expected[wrong]} to question ${wrong}`);
    }
    const text = ours?.[place]?.text;
    if (text === undefined || answer.text === '' || text === answer.text) return [];
    return told(`${answer.text.slice(0, 300)} instead of ${text.slice(0, 300)}`);
  });
  const lengths = received.map(({ length }) => length);
  return { server, answers: read.length, lengths, bodies, disagreements, read };
}

/** The client. */
export class Client {
  readonly #process: ChildProcess;

  constructor(bundles: string) {
    // Buffers go over as they are.
    this.#process = fork(join(bundles, 'load.js'), { serialization: 'advanced', execArgv: [] });
  }

  take(turn: Turn): Promise<Count> {
    return new Promise((resolve, reject) => {
      const gone = (): void => reject(new Error('the client has ended'));
      this.#process.once('exit', gone);
      this.#process.once('message', (count: Count) => {
        this.#process.off('exit', gone);
        resolve(count);
      });
      this.#process.send(turn);
    });
  }

  stop(): void {
    this.#process.disconnect();
  }
}

export interface Figures {
  readonly name: string;
  /** Of each round. */
  readonly perSecond: readonly number[];
  /** Nanoseconds of the server's processor time for a request, of each round; null where that cannot be known. */
  readonly processorNs: readonly number[] | null;
  /** Share of one processor that the server used, and that the client did: medians. */
  readonly serverLoad: number | null;
  readonly clientLoad: number;
  readonly answers: number;
  readonly disagreements: readonly string[];
}

export interface RowFigures {
  readonly name: RowName;
  readonly meaning: string;
  readonly decisions: number;
  readonly servers: readonly Figures[];
}

/**
 * Servers take turns within each round, so that what else the machine does falls on all.
 *
 * @param contestants for each server its processes, one or more, all of the same program. Of two such processes one may be
 *   a tenth slower than the other for as long as it lives; a round takes the next process of each server.
 */
export async function timeInTurns(
  client: Client,
  row: Row,
  contestants: readonly (readonly [Checked, ...Checked[]])[],
  effort: Effort,
  progress: (text: string) => void,
): Promise<RowFigures> {
  const runs = contestants.map((processes) => ({
    processes: processes.map((checked) => ({ checked, stampFrom: firstStamp })),
    counts: [] as Count[],
  }));
  const turnOf = async (
    run: { readonly checked: Checked; stampFrom: number },
    warm: Stretch,
    measured: Stretch,
  ): Promise<Count> => {
    const { server, lengths } = run.checked;
    const requests = server.requestsOf(row);
    const stamps = stampsIn(requests);
    const { port, pid } = server;
    const { connections, patienceMs } = effort;
    const more = { stamps, stampFrom: run.stampFrom, stampDigits: stamp.length, lengths };
    const count = await client.take({ port, pid, connections, warm, measured, patienceMs, requests, ...more });
    run.stampFrom += count.stamped;
    if (count.wrong > 0) {
      throw new Error(`${server.name}, ${row.name}: ${count.wrong} answers were wrong; ${count.fault}`);
    }
    return count;
  };
  const { turnMs } = effort;
  const again = { milliseconds: turnMs / 4, requests: row.warm / 20 };
  for (const run of runs.flatMap(({ processes }) => processes)) {
    progress(`${row.name}: warming ${run.checked.server.name}`);
    await turnOf(run, { milliseconds: turnMs * 4, requests: row.warm }, { milliseconds: 0, requests: 1 });
  }
  for (let round = 0; round < effort.rounds; round += 1) {
    progress(`${row.name}: round ${round + 1} of ${effort.rounds}`);
    for (let step = 0; step < runs.length; step += 1) {
      const run = runs[(step + round) % runs.length];
      const taken = run?.processes[round % run.processes.length];
      if (run !== undefined && taken !== undefined)
        run.counts.push(await turnOf(taken, again, { milliseconds: turnMs, requests: row.warm / 4 }));
    }
  }
  const { name, meaning, decisions } = row;
  const servers = runs.map(({ counts }, place) => figuresOf(contestants[place] ?? [], counts));
  return { name, meaning, decisions, servers };
}

function figuresOf(processes: readonly Checked[], counts: readonly Count[]): Figures {
  const used = counts.flatMap(({ processorNs }) => (processorNs === null ? [] : [processorNs]));
  const known = used.length === counts.length;
  return {
    name: processes[0]?.server.name ?? '',
    perSecond: counts.map(({ requests, milliseconds }) => (requests / milliseconds) * 1_000),
    processorNs: known ? counts.map(({ requests, processorNs }) => (processorNs ?? 0) / Math.max(requests, 1)) : null,
    serverLoad: known
      ? medianOf(counts.map(({ processorNs, milliseconds }) => (processorNs ?? 0) / 1e6 / milliseconds))
      : null,
    clientLoad: medianOf(counts.map(({ clientNs, milliseconds }) => clientNs / 1e6 / milliseconds)),
    answers: processes.reduce((sum, { answers }) => sum + answers, 0),
    disagreements: processes.flatMap(({ disagreements }) => disagreements),
  };
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** Which adapters take part in a row. */
export function takesPart({ rows }: Adapter, row: Row): boolean {
  return rows.includes(row.name);
}
