/**
 * The audit trail as it grows: events of the caller's scope after a place in it, in the order of what happened, read by
 * that place and never queued, so that none is lost or told twice however many commit at once and however slowly they
 * are taken.
 */
import type { Call } from './call.js';
import type { Filters, Position } from './ports.js';
import type { AuditEvent } from './records.js';

/** Each holds images of whole rows. */
const readAtOnce = 20;

export class AuditFeed {
  readonly #filter: Filters['auditEvent'];
  #after: Position;

  /** @param revision of the account, after which events are told */
  constructor(filter: Filters['auditEvent'], revision: number) {
    this.#filter = filter;
    this.#after = endOf(revision);
  }

  /** The next events that the caller's scope has; none when all have been told. */
  async next({ reader, account }: Call): Promise<readonly AuditEvent[]> {
    // Writers of an account follow one another: what was committed up to the revision that the call has read is there.
    const revision = account?.revision ?? 0;
    const { rows } = await reader.page('auditEvent', this.#filter, {
      order: { by: 'REVISION', direction: 'ASC' },
      limit: readAtOnce,
      backward: false,
      after: this.#after,
      before: null,
    });
    const last = rows.at(-1)?.position;
    if (rows.length === readAtOnce && last !== undefined) this.#after = last;
    else this.#after = endOf(Math.max(revision, Number(this.#after.key), Number(last?.key ?? 0)));
    return rows.map(({ record }) => record);
  }
}

/** After every event of a revision: their ids are digits and dots, which `~` follows. */
function endOf(revision: number): Position {
  return { key: revision, id: `${revision}.~` };
}
