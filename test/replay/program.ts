/** One run and its replay. */
import { Dice } from './random.js';
import { describeDisagreement, Replay, type Report } from './replay.js';
import { Run } from './run.js';
import { startServer } from './server.js';
import { makeWorld } from './world.js';

export interface ReplayOptions {
  readonly seed: number;
  readonly operations: number;
  readonly concurrency?: number;
  /** Disagreements after which nothing more is looked at; one leads to others. */
  readonly most?: number;
  readonly told?: (done: number) => void;
}

export interface Replayed {
  readonly report: Report;
  readonly found: readonly string[];
  /** What the server logged as its own defect. */
  readonly defects: readonly string[];
  readonly milliseconds: { readonly world: number; readonly run: number; readonly replay: number };
}

export async function replay(databaseUrl: string, options: ReplayOptions): Promise<Replayed> {
  const { seed, operations, concurrency = 16, most = 1, told = () => undefined } = options;
  const server = await startServer(databaseUrl);
  try {
    const began = performance.now();
    const dice = new Dice(seed);
    const world = await makeWorld(server, dice);
    const made = performance.now();
    const run = new Run(world, dice);
    await run.play({ operations, concurrency, told });
    const ran = performance.now();
    const report = new Replay(world, run.records, most).run();
    const names = new Map([...world.state.users.values()].map(({ id, name }) => [id, name]));
    return {
      report,
      found: report.disagreements.map((disagreement) => describeDisagreement(disagreement, names)),
      defects: server.defects,
      milliseconds: { world: made - began, run: ran - made, replay: performance.now() - ran },
    };
  } finally {
    await server.stop();
  }
}
