/**
 * A database as far as revocations go: commits in an order, and views of it that may be behind. What is read is what the
 * view has when the statement begins.
 */
import type { Draw } from '../engines/draw.js';
import { assumptions, drawDelay, drawPause, type Delay } from './assumptions.js';
import { Station, type Timeline } from './timeline.js';

/** Where an account stands. */
export interface Standing {
  readonly revision: number;
  readonly accessRevision: number;
}

interface StoredCommit extends Standing {
  readonly accountId: string;
  /** Place among all commits, never given twice. */
  readonly sequence: number;
  readonly at: number;
  /** Whose rights were taken; null for a change that takes nobody's. */
  readonly revoked: string | null;
}

/** What a statement is sent to. */
export interface View {
  readonly region: number;
  /** Statements that were carried out. */
  readonly statements: number;
  standing(accountId: string): Standing;
  isRevoked(principal: string): boolean;
  /** Takes the time of a statement, and then answers what was there when it began. */
  carryOut<T>(read: () => T): Promise<T>;
}

const beginning: Standing = { revision: 1, accessRevision: 1 };

/** The one that commits. */
export class Primary implements View {
  #commits: StoredCommit[] = [];
  #sequence = 0;
  #revoked = new Map<string, number>();
  readonly #locks = new Map<string, Station>();
  readonly #processors: Station;
  #statements = 0;
  #back: Promise<void> = Promise.resolve();
  readonly #followers: ((commit: StoredCommit) => void)[] = [];

  constructor(
    readonly timeline: Timeline,
    readonly draw: Draw,
    readonly region: number,
    private readonly times: { readonly statement: Delay; readonly durable: Delay },
    /** Round trip to the others whose word a commit needs; null: none is needed. */
    private readonly quorum: (() => number) | null = null,
  ) {
    this.#processors = new Station(timeline, assumptions.database.processors);
  }

  get statements(): number {
    return this.#statements;
  }

  get commits(): readonly StoredCommit[] {
    return this.#commits;
  }

  standing(accountId: string): Standing {
    return this.standingUpTo(accountId, Infinity);
  }

  standingUpTo(accountId: string, sequence: number): Standing {
    const found = this.#commits.findLast((each) => each.accountId === accountId && each.sequence <= sequence);
    return found ?? beginning;
  }

  isRevoked(principal: string): boolean {
    return this.isRevokedUpTo(principal, Infinity);
  }

  isRevokedUpTo(principal: string, sequence: number): boolean {
    const revoked = this.#revoked.get(principal);
    return revoked !== undefined && revoked <= sequence;
  }

  async carryOut<T>(read: () => T): Promise<T> {
    await this.#back;
    this.#statements += 1;
    await this.#processors.take();
    const answer = read();
    await this.timeline.wait(drawDelay(this.draw, this.times.statement));
    this.#processors.release();
    return answer;
  }

  lockOf(accountId: string): Station {
    const lock = this.#locks.get(accountId) ?? new Station(this.timeline, 1);
    this.#locks.set(accountId, lock);
    return lock;
  }

  /** Makes it durable, and only then visible. @returns its sequence */
  async commit(accountId: string, revoked: string | null): Promise<number> {
    await this.#back;
    this.#statements += 1;
    await this.timeline.wait(drawDelay(this.draw, this.times.durable));
    if (this.quorum !== null) await this.timeline.wait(this.quorum());
    const { revision, accessRevision } = this.standing(accountId);
    this.#sequence += 1;
    const commit: StoredCommit = {
      accountId,
      sequence: this.#sequence,
      at: this.timeline.now,
      revoked,
      revision: revision + 1,
      accessRevision: revoked === null ? accessRevision : revision + 1,
    };
    this.#commits.push(commit);
    if (revoked !== null) this.#revoked.set(revoked, commit.sequence);
    for (const tell of this.#followers) tell(commit);
    return commit.sequence;
  }

  follow(tell: (commit: StoredCommit) => void): void {
    this.#followers.push(tell);
  }

  /** Its machine is lost, and what one of its standbys had goes on from there. Revisions are counted on from that, too. */
  fail(standby: { readonly applied: number }): void {
    const kept = standby.applied;
    this.#commits = this.#commits.filter(({ sequence }) => sequence <= kept);
    this.#revoked = new Map([...this.#revoked].filter(([, sequence]) => sequence <= kept));
    this.#back = this.timeline.wait(assumptions.failover.length);
  }
}

/** Replays what the primary has committed, in that order and later. */
export class Standby implements View {
  #applied = 0;
  #until = 0;
  #statements = 0;
  readonly #processors: Station;

  constructor(
    private readonly primary: Primary,
    readonly region: number,
    way: Delay,
    standstills: boolean,
  ) {
    const { timeline, draw } = primary;
    const { lag, standstill } = assumptions.standby;
    this.#processors = new Station(timeline, assumptions.database.processors);
    primary.follow(({ sequence, at }) => {
      this.#until = Math.max(this.#until, at + drawDelay(draw, way) / 2 + drawDelay(draw, lag));
      timeline.at(this.#until, () => (this.#applied = Math.max(this.#applied, sequence)));
    });
    const stand = (): void =>
      timeline.at(timeline.now + drawPause(draw, standstill.every), () => {
        this.#until = Math.max(this.#until, timeline.now + drawDelay(draw, standstill.length));
        stand();
      });
    if (standstills) stand();
  }

  get statements(): number {
    return this.#statements;
  }

  get applied(): number {
    return this.#applied;
  }

  standing(accountId: string): Standing {
    return this.primary.standingUpTo(accountId, this.#applied);
  }

  isRevoked(principal: string): boolean {
    return this.primary.isRevokedUpTo(principal, this.#applied);
  }

  async carryOut<T>(read: () => T): Promise<T> {
    this.#statements += 1;
    await this.#processors.take();
    const answer = read();
    await this.primary.timeline.wait(drawDelay(this.primary.draw, assumptions.database.statement));
    this.#processors.release();
    return answer;
  }
}

/** A near copy that answers as things were a fixed time ago. */
export class Follower implements View {
  #statements = 0;

  constructor(
    private readonly primary: Primary,
    readonly region: number,
    private readonly age: number,
  ) {}

  get statements(): number {
    return this.#statements;
  }

  standing(accountId: string): Standing {
    return this.primary.standingUpTo(accountId, this.#horizon());
  }

  isRevoked(principal: string): boolean {
    return this.primary.isRevokedUpTo(principal, this.#horizon());
  }

  async carryOut<T>(read: () => T): Promise<T> {
    this.#statements += 1;
    const answer = read();
    await this.primary.timeline.wait(drawDelay(this.primary.draw, assumptions.database.statement));
    return answer;
  }

  #horizon(): number {
    const until = this.primary.timeline.now - this.age;
    return this.primary.commits.findLast(({ at }) => at <= until)?.sequence ?? 0;
  }
}
