/**
 * Bringing the tables of PostgreSQL up to date beside those who use them: all migrations in one transaction, which never queues for
 * a table for long. Whoever comes after in the queue waits too, also to read: behind a backup that runs for an hour, servers of the
 * version before would stand still for an hour.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { MigrationExecutor, type DataSource, type QueryRunner } from 'typeorm';
import { DatabaseUnavailable, failureOf } from './failures.js';
import { NewerDatabaseError, refuseNewer } from './generation.js';
import { tellingWaits, type TellWait } from './waits.js';

/** Any number will do, as long as every replica takes the same one while it migrates. */
export const migrationLock = 7_223_904_118;

/** Milliseconds. */
export interface MigrationPatience {
  /** How long the others may stand still behind it, each time. */
  readonly lockWait: number;
  /** How long they are left alone in between. */
  readonly pause: number;
  /** After which it is given up, with nothing changed. */
  readonly longest: number;
}

const usualPatience: MigrationPatience = { lockWait: 2_000, pause: 4_000, longest: 10 * 60_000 };

/** Replicas that start together migrate one after another. */
export async function migrate(
  source: DataSource,
  tell: TellWait = () => undefined,
  patience: MigrationPatience = usualPatience,
): Promise<void> {
  const runner = source.createQueryRunner();
  await runner.connect();
  let last: string | null = null;
  const wait: TellWait = (what) => {
    last = what ?? last;
    tell(what);
  };
  try {
    // Often enough to see each time whom it waits for.
    await tellingWaits(
      source,
      runner,
      wait,
      async () => {
        await runner.query(`SELECT pg_advisory_lock(${migrationLock})`);
        await refuseNewer(source);
        await runner.query(`SET lock_timeout = ${patience.lockWait}`);
        await runUnlessHeld(source, runner, patience, () => last);
      },
      patience.lockWait / 2,
    );
  } catch (error) {
    if (error instanceof NewerDatabaseError) throw error;
    const failure = failureOf(error);
    throw failure instanceof DatabaseUnavailable ? new Error(`${failure.message} (${failure.detail})`) : failure;
  } finally {
    await runner.query(`SELECT pg_advisory_unlock(${migrationLock})`).catch(() => undefined);
    await runner.release();
  }
}

/** Whatever was done of them before a lock was not to be had is taken back, and done again from the beginning. */
async function runUnlessHeld(
  source: DataSource,
  runner: QueryRunner,
  { lockWait, pause: between, longest }: MigrationPatience,
  holder: () => string | null,
): Promise<void> {
  let waited = 0;
  for (;;) {
    try {
      const executor = new MigrationExecutor(source, runner);
      executor.transaction = 'all';
      await executor.executePendingMigrations();
      return;
    } catch (error) {
      if (!isHeld(error)) throw error;
      const minutes = Math.round(longest / 60_000);
      // What they did before that is no waiting.
      waited += lockWait + between;
      if (waited > longest) {
        throw new Error(
          `the tables cannot be brought up to date: ${minutes} minutes were waited for ${holder() ?? 'what others hold'}; nothing was changed; end that, or start again when it has ended`,
        );
      }
    }
    await pause(between);
  }
}

/** Somebody else has what is to be changed; or each of two had what the other wanted. */
function isHeld(error: unknown): boolean {
  const failure = failureOf(error);
  return failure instanceof DatabaseUnavailable && (failure.code === '55P03' || failure.code === '40P01');
}
