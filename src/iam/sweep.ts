/**
 * Takes away what has expired and is of no use any more: idempotency records, spent signatures, sessions. In small
 * transactions, so that nobody waits long for the account.
 */
import { clockTolerance } from './clocks.js';
import type { House } from './house.js';
import { newId } from './house.js';
import type { SweptKind } from './ports.js';
import type { Id } from './records.js';
import { forgetSignatures } from './signed-requests.js';

const hour = 3_600_000;

/** How long after its end a row is kept: a session is still told of in the answer that its token has ended. */
const keptFor: Readonly<Record<SweptKind, number>> = {
  session: 24 * hour,
  agencySession: 24 * hour,
  spentSignature: clockTolerance,
  idempotencyRecord: 0,
};

const atOnce = 200;

export type Swept = Readonly<Record<SweptKind, number>>;

/** Sweeps every account; answers how many rows went. `signal` ends it between two transactions. */
export async function sweepExpired(house: House, signal?: AbortSignal): Promise<Swept> {
  const swept = { session: 0, agencySession: 0, spentSignature: 0, idempotencyRecord: 0 };
  for (const { id } of await house.store.access.accounts()) {
    for (const kind of Object.keys(keptFor) as SweptKind[]) {
      for (let count = atOnce; count === atOnce && signal?.aborted !== true;) {
        count = await sweepSome(house, id, kind);
        swept[kind] += count;
      }
    }
  }
  return swept;
}

async function sweepSome(house: House, accountId: Id, kind: SweptKind): Promise<number> {
  const at = house.now();
  const origin = {
    accountId,
    workspaceId: null,
    operation: 'sweepExpired',
    actorKind: 'OPERATOR',
    actorId: '',
    actorName: 'server',
    requestId: newId(),
    at,
  };
  const { value } = await house.store.transaction(origin, async (transaction) => {
    const before = at - keptFor[kind];
    const count = await (kind === 'spentSignature'
      ? forgetSignatures(transaction, accountId, before, atOnce)
      : transaction.sweep(kind, before, atOnce).then((swept) => swept.count));
    return { commit: count > 0, value: count };
  });
  return value;
}

export interface Sweeping {
  /** Ends it; waits for the transaction under way. */
  stop(): Promise<void>;
}

/** Sweeps now, and then about every hour; several processes on one database do not all come at the same moment. */
export function keepSweeping(
  house: House,
  report: { done(swept: Swept): void; failed(error: unknown): void },
  every = hour,
): Sweeping {
  const ending = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const sweep = async (): Promise<void> => {
    try {
      report.done(await sweepExpired(house, ending.signal));
    } catch (error) {
      // It comes again in an hour; a server that answers is worth more than a table that is swept.
      report.failed(error);
    }
    if (ending.signal.aborted) return;
    timer = setTimeout(begin, every * (0.9 + Math.random() / 5));
    timer.unref();
  };
  const begin = (): void => {
    running = sweep();
  };
  begin();
  return {
    stop: async () => {
      ending.abort();
      clearTimeout(timer);
      await running;
    },
  };
}
