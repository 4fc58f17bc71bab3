/**
 * Every number that the simulation takes from outside itself. Times are milliseconds. None was measured on real networks:
 * they are of the order that public clouds publish, and a run with others is one edit away.
 */
import type { Draw } from '../engines/draw.js';

/** A time that is seldom long: lognormal, given by what half of the draws and 99 of 100 are below. */
export interface Delay {
  readonly median: number;
  readonly p99: number;
  /** No draw is longer. */
  readonly most?: number;
}

/** How far the 99th of 100 lies from the middle, in deviations of a normal distribution. */
const deviationsToP99 = 2.326_347_9;

export function drawDelay(draw: Draw, { median, p99, most = Infinity }: Delay): number {
  if (median === 0) return 0;
  const normal = Math.sqrt(-2 * Math.log(1 - draw.next())) * Math.cos(2 * Math.PI * draw.next());
  return Math.min(most, median * Math.exp((Math.log(p99 / median) / deviationsToP99) * normal));
}

/** Until the next of events that come by chance, so long apart on average. */
export function drawPause(draw: Draw, mean: number): number {
  return -Math.log(1 - draw.next()) * mean;
}

export const assumptions = {
  roundTrip: {
    /** Between two machines of one region. Assumed. */
    near: { median: 0.5, p99: 2 },
    /** Between two regions on different continents; some 70 to 90 between Europe and the east of the US. Assumed. */
    far: { median: 80, p99: 120 },
  },
  database: {
    processors: 8,
    /** A statement that finds rows by primary key. Assumed. */
    statement: { median: 0.1, p99: 1 },
    /** Until a commit is on its disk. Assumed: a disk with a battery or flash on the network. */
    durable: { median: 2, p99: 15 },
    /** The same two for SQLite, in the process itself. Assumed. */
    localStatement: { median: 0.05, p99: 0.5 },
    localDurable: { median: 2, p99: 15 },
  },
  server: {
    /** Of the processor, for a decision that is answered from memory; `--cost` says another, `npm run bench:http` measures it. */
    decision: 0.25,
    /** Of the processor, for the answer of one statement. Assumed. */
    answer: 0.05,
    /** Connections: what BAILIWICK_DATABASE_POOL is when nobody says otherwise. */
    pool: 10,
    /** Statements that read what somebody may do, when it is not in memory: of the order of `src/iam/rights.ts`. */
    statementsOfRights: 4,
    /** Statements of a change between its lock and its commit. Assumed. */
    statementsOfChange: 8,
    /** A pause of the collector. Assumed. */
    collection: { every: 2_000, length: { median: 4, p99: 40 } },
    /** The whole process stands still: a machine that moves, SIGSTOP, no processor. Assumed, and more often than in life. */
    standstill: { every: 20_000, length: { median: 700, p99: 5_000 } },
    /** How long a request waits for the revision that it demands, and how long between two looks. */
    patience: 2_000,
    look: 20,
  },
  standby: {
    /** Behind the primary, beside the way there. Assumed. */
    lag: { median: 15, p99: 600 },
    /** Replay stands still for a long query: `max_standby_streaming_delay` of PostgreSQL is 30 seconds if nobody says otherwise. */
    standstill: { every: 60_000, length: { median: 3_000, p99: 30_000, most: 30_000 } },
  },
  /** Least age of a read from a near copy in CockroachDB (its manual for 20.1: 4.8 seconds); in YugabyteDB it is 30. */
  followerAge: 4_800,
  /** From the loss of a primary until its standby answers, and from there to the next loss. Assumed, the second for the test's sake. */
  failover: { length: 5_000, every: 10_000 },
} as const;

/** What one core is planned to be busy at most, so that queues stay short. */
export const plannedLoad = 0.7;
