/**
 * One way of deployment for a while: everybody asks, somebody's rights are taken now and then, and from the acknowledgement on
 * that somebody asks every server that serves the account, again and again.
 */
import { Draw } from '../engines/draw.js';
import { assumptions, drawPause, plannedLoad } from './assumptions.js';
import type { Deployment, Extent, ServedAccount, World } from './deployments.js';
import type { Server } from './server.js';
import { Timeline } from './timeline.js';

export interface Effort extends Extent {
  readonly seed: number;
  readonly seconds: number;
  /** Decisions a second at each server, beside those that are measured for a revocation. */
  readonly rate: number;
  /** Revocations a second, all together. */
  readonly revocations: number;
  /** Other changes a second, all together. */
  readonly changes: number;
}

export interface Figures {
  readonly revocations: number;
  /** Of each that is not lost: milliseconds from its acknowledgement to the arrival of the last request that was allowed; 0 where none was. */
  readonly windows: readonly number[];
  /** Of each: milliseconds from its acknowledgement to the last Allow to a request that had arrived before. */
  readonly late: readonly number[];
  /** Of those who still had their rights, how many were allowed when they asked: all, or the simulation shows nothing. */
  readonly allowedBefore: number;
  /** Revocations that were acknowledged and are not there any more. */
  readonly lost: number;
  /** Of each decision: milliseconds to find out where the account stands and what may be done there. */
  readonly waits: readonly number[];
  /** Of each change, from its arrival to its acknowledgement. */
  readonly changes: readonly number[];
  /** Share of what was asked after a revocation that was refused because the revision did not come in time. */
  readonly refused: number;
  readonly primaryReads: number;
  readonly copyReads: number;
  /** Milliseconds for which processors of servers worked. */
  readonly busy: number;
}

/** How long after an acknowledgement is looked; who is allowed still is allowed for longer than that. */
export const horizon = 60_000;

/** Principals of an account beside those who lose their rights. */
const usualPrincipals = 20;

function usualPrincipal(accountId: string, number: number): string {
  return `${accountId}/usual-${number}`;
}

/** From the acknowledgement of a revocation to the loss of the primary, where one is lost. */
const untilFailure = 5;

/** Answers after which nobody expects another Allow. */
const deniedInARow = 25;
const meanwhilePause = 10;

/** Seconds at full load that tell what one core takes, and how much of its time decisions are to need then. */
const fullLoad = { seconds: 3, share: 0.7 } as const;

/** Decisions a second that one core takes where nothing is changed: the busier it is, the more of them share a read. */
export async function capacityOf(deployment: Deployment, effort: Effort): Promise<number> {
  const rate = (fullLoad.share * 1_000) / effort.decisionCost;
  const few = { regions: 2, replicas: 1, shards: 1, accounts: 2 };
  const full = { ...effort, ...few, rate, seconds: fullLoad.seconds, revocations: 0, changes: 0 };
  const { waits, busy } = await tryOut(deployment, full);
  return (waits.length / busy) * 1_000 * plannedLoad;
}

export async function tryOut(deployment: Deployment, effort: Effort): Promise<Figures> {
  const timeline = new Timeline();
  const draw = new Draw(effort.seed);
  const world = deployment.build(timeline, draw, effort);
  const trial = new Trial(timeline, draw, world, effort, deployment.demands);
  return trial.run();
}

class Trial {
  readonly #windows: number[] = [];
  readonly #late: number[] = [];
  readonly #waits: number[] = [];
  readonly #changes: number[] = [];
  #asked = 0;
  #refused = 0;
  #ending = false;
  readonly #before = { asked: 0, allowed: 0 };
  readonly #acknowledged: Revoked[] = [];

  constructor(
    private readonly timeline: Timeline,
    private readonly draw: Draw,
    private readonly world: World,
    private readonly effort: Effort,
    private readonly demands: boolean,
  ) {}

  async run(): Promise<Figures> {
    const { timeline, world, effort } = this;
    await this.#warmUp();
    const begun = timeline.now;
    const busyOf = () => world.servers.reduce((sum, server) => sum + server.busy, 0);
    const readsOf = (views: readonly { readonly statements: number }[]) =>
      views.reduce((sum, { statements }) => sum + statements, 0);
    const before = { busy: busyOf(), primaries: readsOf(world.primaries), copies: readsOf(world.copies) };
    for (const server of world.servers) timeline.start(() => this.#keepAsking(server));
    if (effort.changes > 0) timeline.start(() => this.#keepChanging());
    if (effort.revocations > 0) timeline.start(() => this.#keepRevoking());
    await timeline.run(begun + effort.seconds * 1_000);
    const primaryReads = (readsOf(world.primaries) - before.primaries) / effort.seconds;
    const copyReads = (readsOf(world.copies) - before.copies) / effort.seconds;
    // What was revoked late is followed for as long as what was revoked first; nobody else comes any more.
    this.#ending = true;
    await timeline.run(timeline.now + 2 * horizon);
    return {
      revocations: this.#acknowledged.length,
      windows: this.#windows,
      late: this.#late,
      allowedBefore: this.#before.allowed / Math.max(1, this.#before.asked),
      lost: this.#acknowledged.filter(({ principal, account }) => !account.primary.isRevoked(principal)).length,
      waits: this.#waits,
      changes: this.#changes,
      refused: this.#refused / Math.max(1, this.#asked),
      primaryReads,
      copyReads,
      busy: busyOf() - before.busy,
    };
  }

  /** Everybody is asked for once everywhere, so that what follows is not the time after a start. */
  async #warmUp(): Promise<void> {
    const { timeline, world } = this;
    let warm = false;
    timeline.start(async () => {
      for (const { id, servers } of world.accounts) {
        const principals = Array.from({ length: usualPrincipals }, (_none, number) => usualPrincipal(id, number));
        await Promise.all(servers.flatMap((server) => principals.map((one) => server.decide(id, one, 0))));
      }
      warm = true;
    });
    while (!warm) await timeline.run(timeline.now + 10);
  }

  async #keepAsking(server: Server): Promise<void> {
    const { timeline, draw, world, effort } = this;
    const served = world.accounts.filter(({ servers }) => servers.includes(server));
    while (!this.#ending) {
      await timeline.wait(drawPause(draw, 1_000 / effort.rate));
      const { id } = draw.one(served);
      const principal = usualPrincipal(id, draw.below(usualPrincipals));
      timeline.start(async () => void this.#waits.push((await server.decide(id, principal, 0)).waited));
    }
  }

  async #keepChanging(): Promise<void> {
    const { timeline, draw, world, effort } = this;
    while (!this.#ending) {
      await timeline.wait(drawPause(draw, 1_000 / effort.changes));
      const { id, servers } = draw.one(world.accounts);
      timeline.start(() => draw.one(servers).change(id, null));
    }
  }

  async #keepRevoking(): Promise<void> {
    const { timeline, draw, world, effort } = this;
    let next = this.#nextRevoked(0);
    let failsAt = timeline.now + assumptions.failover.every;
    for (let number = 1; !this.#ending; number += 1) {
      const [revoked, following] = [next, this.#nextRevoked(number)];
      const fails = world.fail !== null && timeline.now >= failsAt;
      if (fails) failsAt = timeline.now + assumptions.failover.length + assumptions.failover.every;
      // Whoever loses their rights is known everywhere, or memory would be put to no test.
      timeline.start(() => this.#ask(revoked));
      await timeline.wait(drawPause(draw, 1_000 / effort.revocations));
      timeline.start(async () => {
        await this.#revoke(revoked);
        if (!fails) return;
        // The next one asks after this revocation, so that it is remembered as things were then; then the primary is lost.
        timeline.start(() => this.#ask(following));
        await timeline.wait(untilFailure);
        world.fail?.();
      });
      next = following;
    }
  }

  #nextRevoked(number: number): Revoked {
    const account = this.draw.one(this.world.accounts);
    return { account, principal: `${account.id}/revoked-${number}` };
  }

  async #revoke(revoked: Revoked): Promise<void> {
    const { account, principal } = revoked;
    const before = new Meanwhile();
    for (const server of account.servers) {
      this.timeline.start(() => this.#askMeanwhile(server, account.id, principal, before));
    }
    const { arrivedAt, acknowledgedAt, revision } = await this.draw.one(account.servers).change(account.id, principal);
    before.over = true;
    this.#changes.push(acknowledgedAt - arrivedAt);
    this.#acknowledged.push(revoked);
    const told = { since: acknowledgedAt, least: this.demands ? revision : 0, before };
    this.timeline.start(() => this.#follow(revoked, told));
  }

  /** Everywhere at once. */
  async #ask({ account: { id, servers }, principal }: Revoked): Promise<void> {
    const decisions = await Promise.all(servers.map((server) => server.decide(id, principal, 0)));
    this.#before.asked += decisions.length;
    this.#before.allowed += decisions.filter(({ answer }) => answer === 'ALLOW').length;
  }

  /** Whoever is about to lose their rights asks while they are being taken. */
  async #askMeanwhile(server: Server, accountId: string, principal: string, meanwhile: Meanwhile): Promise<void> {
    const pending: Promise<void>[] = [];
    while (!meanwhile.over) {
      pending.push(
        server.decide(accountId, principal, 0).then(({ answer, answeredAt }) => {
          if (answer === 'ALLOW') meanwhile.lastAllowAt = Math.max(meanwhile.lastAllowAt, answeredAt);
        }),
      );
      await this.timeline.wait(meanwhilePause);
    }
    await Promise.all(pending);
  }

  async #follow({ account, principal }: Revoked, told: Told): Promise<void> {
    const { id, servers } = account;
    const lasts = await Promise.all(servers.map((server) => this.#followAt(server, id, principal, told)));
    // One that is gone is counted as that: there is nothing that anybody could still come to know.
    if (account.primary.isRevoked(principal)) this.#windows.push(Math.max(...lasts));
    this.#late.push(Math.max(0, told.before.lastAllowAt - told.since));
  }

  /**
   * Asks as often as makes a difference: the longer ago the acknowledgement, the seldomer, until all is denied for a while.
   *
   * @returns milliseconds from the acknowledgement to the arrival of the last request that was allowed
   */
  async #followAt(server: Server, accountId: string, principal: string, { since, least }: Told): Promise<number> {
    const { timeline } = this;
    let [last, denied] = [0, 0];
    const pending: Promise<void>[] = [];
    for (let elapsed = 0; elapsed < horizon && denied < deniedInARow; elapsed = timeline.now - since) {
      pending.push(
        server.decide(accountId, principal, least).then(({ answer, arrivedAt }) => {
          this.#asked += 1;
          if (answer === 'REFUSED') this.#refused += 1;
          denied = answer === 'DENY' ? denied + 1 : 0;
          if (answer === 'ALLOW') last = Math.max(last, arrivedAt - since);
        }),
      );
      await timeline.wait(Math.max(1, elapsed / 50));
    }
    await Promise.all(pending);
    return last;
  }
}

interface Revoked {
  readonly account: ServedAccount;
  readonly principal: string;
}

/** What is asked between the beginning of a revocation and its acknowledgement. */
class Meanwhile {
  over = false;
  lastAllowAt = 0;
}

interface Told {
  readonly since: number;
  /** Revision that is demanded from then on, or 0. */
  readonly least: number;
  readonly before: Meanwhile;
}
