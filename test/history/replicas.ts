/** Servers on one database, as people run them: started, killed and stood still from outside, and started again. */
import { setTimeout as rest } from 'node:timers/promises';
import { startServer, type Server } from '../crash/server.js';

type State =
  | { readonly kind: 'down' }
  | { readonly kind: 'starting' | 'running' | 'paused'; readonly server: Server; readonly port: number };

export class Replicas {
  readonly #states: State[];
  /** Who waits for one that listens. */
  #waiting: (() => void)[] = [];

  /** @param settings without the prefix, for all of them */
  constructor(
    readonly count: number,
    private readonly settings: Readonly<Record<string, string>>,
    /** Told of each that ends by itself. */
    private readonly ended: (why: string) => void,
  ) {
    this.#states = Array.from({ length: count }, () => ({ kind: 'down' }));
  }

  /** The first makes what all of them need. */
  async startAll(): Promise<void> {
    await this.start(0);
    await Promise.all(this.#states.slice(1).map((_state, index) => this.start(index + 1)));
  }

  /** Ends when it listens, or was killed before. */
  async start(replica: number): Promise<void> {
    const server = startServer(this.settings);
    const starting: State = { kind: 'starting', server, port: 0 };
    this.#states[replica] = starting;
    void server.ended.then((log) => {
      const state = this.#of(replica);
      if (state.kind !== 'down' && state.server === server) {
        this.#states[replica] = { kind: 'down' };
        this.ended(`replica ${replica} ended by itself: ${log}`);
      }
    });
    const url = await server.listening;
    if (url === null || this.#states[replica] !== starting) return;
    this.#states[replica] = { kind: 'running', server, port: Number(new URL(url).port) };
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async kill(replica: number): Promise<void> {
    const state = this.#of(replica);
    if (state.kind === 'down') return;
    this.#states[replica] = { kind: 'down' };
    await state.server.kill();
  }

  async pause(replica: number, milliseconds: number): Promise<void> {
    const state = this.#of(replica);
    if (state.kind !== 'running') return;
    const paused: State = { ...state, kind: 'paused' };
    this.#states[replica] = paused;
    state.server.pause();
    await rest(milliseconds);
    state.server.resume();
    // It may have been killed meanwhile.
    if (this.#states[replica] === paused) this.#states[replica] = state;
  }

  killAll(): Promise<unknown> {
    return Promise.all(this.#states.map((_state, replica) => this.kill(replica)));
  }

  is(replica: number, ...kinds: readonly State['kind'][]): boolean {
    return kinds.includes(this.#of(replica).kind);
  }

  /** Those that can be connected to; a connection to one that is paused waits. */
  listening(): readonly number[] {
    return [...this.#states.keys()].filter((replica) => this.is(replica, 'running', 'paused'));
  }

  /** Waits until there is one. */
  async someListening(): Promise<readonly number[]> {
    while (this.listening().length === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.listening();
  }

  /** Null when nothing listens there. */
  portOf(replica: number): number | null {
    const state = this.#of(replica);
    return state.kind === 'running' || state.kind === 'paused' ? state.port : null;
  }

  #of(replica: number): State {
    return this.#states[replica] ?? { kind: 'down' };
  }
}
