/**
 * A process of Bailiwick. What decides how old an answer may be is the program's own: the classes by which a server knows where
 * an account stands and keeps what it has read (decision 0088) run here as they are. Simulated is what is around them: the
 * processor, the pool, the network and the database.
 */
import type { AccessReader, Account } from '../../src/iam/index.js';
import { Recollection } from '../../src/iam/recollection.js';
import type { CurrentAccounts } from '../../src/store/current-accounts.js';
import type { Draw } from '../engines/draw.js';
import { assumptions, drawDelay, drawPause, type Delay } from './assumptions.js';
import type { Primary, Standing, View } from './database.js';
import { Station, type Timeline } from './timeline.js';

export type Answer = 'ALLOW' | 'DENY' | 'REFUSED';

export interface Decision {
  readonly answer: Answer;
  readonly arrivedAt: number;
  readonly answeredAt: number;
  /** Milliseconds of it in which the server found out where the account stands and what somebody may do there. */
  readonly waited: number;
}

export interface Change {
  readonly arrivedAt: number;
  readonly acknowledgedAt: number;
  readonly revision: number;
}

export type Reading = Pick<AccessReader, 'account' | 'revisions'>;

export interface Place {
  readonly region: number;
  readonly primary: Primary;
  /** What tells where accounts stand. */
  readonly revisions: View;
  /** What rights are read from. */
  readonly rows: View;
  /** Whether rights are read only once the view has the revision that they are for. */
  readonly waitsForRows: boolean;
  /** Round trip to that region, from this one; null: the database is in this process. */
  readonly wayTo: (region: number) => Delay | null;
  readonly makeAccounts: (reading: Reading) => CurrentAccounts;
  readonly decisionCost: number;
  /** Connections to the database at most. */
  readonly pool: number;
}

interface Rights {
  readonly allowed: boolean;
  /** Whether this process could find them out in time. */
  readonly known: boolean;
}

/** More than are ever asked for: what memory is too small for is another question. */
const rememberedRights = 100_000;

export class Server {
  readonly #loop: Station;
  readonly #pool: Station;
  readonly #accounts: CurrentAccounts;
  readonly #rights = new Recollection<Rights>(rememberedRights);

  constructor(
    private readonly timeline: Timeline,
    private readonly draw: Draw,
    private readonly place: Place,
  ) {
    this.#loop = new Station(timeline, 1);
    this.#pool = new Station(timeline, place.pool);
    this.#accounts = place.makeAccounts({
      account: async (accountId) => {
        const standing = await this.#ask(place.revisions, () => place.revisions.standing(accountId));
        return accountAt(accountId, standing);
      },
      revisions: (accountIds) =>
        this.#ask(place.revisions, () =>
          accountIds.map((accountId) => ({ accountId, ...place.revisions.standing(accountId) })),
        ),
    });
    for (const { every, length } of [assumptions.server.collection, assumptions.server.standstill]) {
      const pause = async (): Promise<void> => {
        for (;;) {
          await timeline.wait(drawPause(draw, every));
          await this.#loop.stop(drawDelay(draw, length));
        }
      };
      timeline.start(pause);
    }
  }

  /** Milliseconds for which its processor worked. */
  get busy(): number {
    return this.#loop.used;
  }

  /**
   * A request: it arrives, learns where the account stands by a read that begins after that, and is answered from memory where
   * memory is of that revision.
   *
   * @param least revision that it demands, or 0
   */
  async decide(accountId: string, principal: string, least: number): Promise<Decision> {
    const arrivedAt = this.timeline.now;
    await this.#loop.use(this.place.decisionCost / 2);
    const asked = this.timeline.now;
    const rights = await this.#rightsOf(accountId, principal, least);
    const waited = this.timeline.now - asked;
    await this.#loop.use(this.place.decisionCost / 2);
    const answer = !rights.known ? 'REFUSED' : rights.allowed ? 'ALLOW' : 'DENY';
    return { answer, arrivedAt, answeredAt: this.timeline.now, waited };
  }

  async #rightsOf(accountId: string, principal: string, least: number): Promise<Rights> {
    const unknown = { allowed: false, known: false };
    const until = this.timeline.now + assumptions.server.patience;
    for (;;) {
      const account = await this.#accounts.account(accountId);
      if (account === null) return unknown;
      if (account.revision >= least) {
        const read = () => this.#readRights(accountId, principal, account.revision);
        return this.#rights.of(principal, account.accessRevision, read, ({ known }) => known);
      }
      if (this.timeline.now >= until) return unknown;
      await this.timeline.wait(assumptions.server.look);
    }
  }

  async #readRights(accountId: string, principal: string, revision: number): Promise<Rights> {
    const { rows, waitsForRows } = this.place;
    const until = this.timeline.now + assumptions.server.patience;
    const read = () => ({ revoked: rows.isRevoked(principal), revision: rows.standing(accountId).revision });
    for (;;) {
      let seen = await this.#ask(rows, read);
      for (let more = 1; more < assumptions.server.statementsOfRights; more += 1) seen = await this.#ask(rows, read);
      if (!waitsForRows || seen.revision >= revision) return { allowed: !seen.revoked, known: true };
      if (this.timeline.now >= until) return { allowed: false, known: false };
      await this.timeline.wait(assumptions.server.look);
    }
  }

  /** A change: the account's row is locked, everything is written, and who asked is told once it is committed. */
  async change(accountId: string, revoked: string | null): Promise<Change> {
    const { primary, decisionCost } = this.place;
    const arrivedAt = this.timeline.now;
    await this.#loop.use(decisionCost);
    await this.#pool.take();
    await this.#exchange(primary, () => primary.carryOut(() => undefined));
    const lock = primary.lockOf(accountId);
    await this.#exchange(primary, async () => {
      await lock.take();
      await primary.carryOut(() => undefined);
    });
    for (let statement = 0; statement < assumptions.server.statementsOfChange; statement += 1) {
      await this.#exchange(primary, () => primary.carryOut(() => undefined));
    }
    const revision = await this.#exchange(primary, async () => {
      await primary.commit(accountId, revoked);
      lock.release();
      return primary.standing(accountId).revision;
    });
    this.#pool.release();
    this.#accounts.changed(accountId);
    await this.#loop.use(decisionCost);
    return { arrivedAt, acknowledgedAt: this.timeline.now, revision };
  }

  async #ask<T>(view: View, read: () => T): Promise<T> {
    await this.#pool.take();
    const answer = await this.#exchange(view, () => view.carryOut(read));
    this.#pool.release();
    return answer;
  }

  /** There and back, and the processor that reads the answer. */
  async #exchange<T>(view: View, there: () => Promise<T>): Promise<T> {
    const way = this.place.wayTo(view.region);
    if (way !== null) await this.timeline.wait(drawDelay(this.draw, way) / 2);
    const answer = await there();
    if (way !== null) await this.timeline.wait(drawDelay(this.draw, way) / 2);
    await this.#loop.use(assumptions.server.answer);
    return answer;
  }
}

function accountAt(id: string, { revision, accessRevision }: Standing): Account {
  return {
    id,
    name: id,
    rootUserId: 'root',
    authorizationMode: 'STRICT',
    workspacesEnabled: true,
    revision,
    accessRevision,
    createdAt: 0,
  };
}
