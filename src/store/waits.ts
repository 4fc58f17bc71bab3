/**
 * Who keeps a connection to PostgreSQL waiting: work that waits as long as it takes must say for what, or it looks like work that
 * hangs.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { DataSource, QueryRunner } from 'typeorm';
import type { Raw } from './rows.js';

/** Called now and then while something is waited for, with what that is; with null when it is waited for no more. */
export type TellWait = (what: string | null) => void;

/** Milliseconds between two looks; what is over sooner was no wait. */
const betweenLooks = 3_000;
/** Who is named; of more it is said how many. */
const named = 3;

/** Does the work, which runs statements on `working`, and tells meanwhile what that connection waits for. */
export async function tellingWaits<T>(
  source: DataSource,
  working: QueryRunner,
  tell: TellWait | undefined,
  work: () => Promise<T>,
  between = betweenLooks,
): Promise<T> {
  if (tell === undefined) return work();
  const ended = new AbortController();
  const looking = await lookAt(source, working, tell, ended.signal, between);
  try {
    return await work();
  } finally {
    ended.abort();
    await looking.end;
  }
}

/**
 * Resolves when the connection that looks is there: it must not come later, as restoring counts who is connected. Where none can be
 * had, nothing is told; what is wrong the work itself says.
 */
async function lookAt(
  source: DataSource,
  working: QueryRunner,
  tell: TellWait,
  ended: AbortSignal,
  between: number,
): Promise<{ readonly end: Promise<void> }> {
  const runner = source.createQueryRunner();
  const release = () => runner.release().catch(() => undefined);
  try {
    const [{ pid } = {}] = (await working.query('SELECT pg_backend_pid() AS "pid"')) as readonly Raw[];
    await runner.query(`SELECT set_config('application_name', 'bailiwick, looking on', FALSE)`);
    const look = async (): Promise<void> => {
      for (let waited = false; await passes(between, ended);) {
        const what = describeWait((await runner.query(whoIsBefore, [pid])) as readonly Raw[]);
        if (ended.aborted) return;
        if (waited || what !== null) tell(what);
        waited = what !== null;
      }
    };
    return {
      end: look()
        .catch(() => undefined)
        .finally(release),
    };
  } catch {
    return { end: release() };
  }
}

async function passes(time: number, ended: AbortSignal): Promise<boolean> {
  return pause(time, true, { signal: ended }).catch(() => false);
}

/** Not what they run: it may hold what nobody else is to see. */
const whoIsBefore = `
  SELECT wanted.locktype AS "kind", wanted.relation::regclass::text AS "table", before.pid AS "pid",
    other.application_name AS "name", floor(extract(epoch FROM now() - other.xact_start)) AS "seconds"
  FROM pg_locks wanted
    CROSS JOIN LATERAL (SELECT DISTINCT unnest(pg_blocking_pids(wanted.pid)) AS pid) before
    LEFT JOIN pg_stat_activity other ON other.pid = before.pid
  WHERE wanted.pid = $1 AND NOT wanted.granted
  ORDER BY other.xact_start NULLS LAST, before.pid`;

/** Null when nobody is waited for. */
export function describeWait(before: readonly Raw[]): string | null {
  const [first] = before;
  if (first === undefined) return null;
  const who = before.slice(0, named).map(({ pid, name, seconds }) => {
    // PostgreSQL says so of a transaction that was prepared and belongs to no connection.
    if (Number(pid) === 0) return 'a prepared transaction';
    const known = [typeof name === 'string' ? name : '', seconds === null ? '' : `for ${Number(seconds)} s`].filter(
      (each) => each !== '',
    );
    return `process ${Number(pid)}${known.length === 0 ? '' : ` (${known.join(', ')})`}`;
  });
  const more = before.length - who.length;
  if (more > 0) who.push(`${more} more`);
  return `${thingOf(first)}, behind ${who.join(', ')} of the database`;
}

function thingOf({ kind, table }: Raw): string {
  if (kind === 'advisory') return 'other migrations and restores';
  return typeof table === 'string' && kind === 'relation' ? `the table ${table}` : 'rows that others are changing';
}
