/** The simulation of revocations: its clock, its table, and that it finds what must not be. */
import { describe, expect, it } from 'vitest';
import type { Account } from '../../src/iam/index.js';
import { OwnedAccounts, type CurrentAccounts } from '../../src/store/current-accounts.js';
import { assumptions, drawDelay } from '../../bench/scale/assumptions.js';
import {
  buildLocal,
  buildOnPrimary,
  buildOnStandbys,
  deployments,
  type Deployment,
} from '../../bench/scale/deployments.js';
import { faultsOf, percentile, time, writeTable } from '../../bench/scale/report.js';
import type { Reading } from '../../bench/scale/server.js';
import { Station, Timeline } from '../../bench/scale/timeline.js';
import { capacityOf, tryOut, type Effort } from '../../bench/scale/trial.js';
import { Draw } from '../../bench/engines/draw.js';

const effort: Effort = {
  seed: 20261,
  seconds: 4,
  regions: 2,
  replicas: 1,
  shards: 2,
  accounts: 2,
  rate: 10,
  revocations: 3,
  changes: 1,
  decisionCost: 0.25,
  pool: 10,
};

/** What must have no window, built with a fault. */
function faulty(build: Deployment['build']): Deployment {
  return { name: 'faulty', meaning: '', offered: false, zero: true, demands: false, build };
}

async function faultsFoundIn(build: Deployment['build'], more: Partial<Effort> = {}): Promise<readonly string[]> {
  const deployment = faulty(build);
  return faultsOf(deployment, await tryOut(deployment, { ...effort, ...more }));
}

/** Believes for a while what it has read: a cache by time. */
class TimedAccounts implements CurrentAccounts {
  readonly #known = new Map<string, { readonly until: number; readonly account: Promise<Account | null> }>();

  constructor(
    private readonly reading: Reading,
    private readonly now: () => number,
  ) {}

  account(accountId: string): Promise<Account | null> {
    const known = this.#known.get(accountId);
    if (known !== undefined && this.now() < known.until) return known.account;
    const account = this.reading.account(accountId);
    this.#known.set(accountId, { until: this.now() + 500, account });
    return account;
  }

  changed(accountId: string): void {
    this.#known.delete(accountId);
  }
}

/** Joins a read that is under way, which may have begun before whoever joins has asked. */
class JoiningAccounts implements CurrentAccounts {
  readonly #underWay = new Map<string, Promise<Account | null>>();

  constructor(private readonly reading: Reading) {}

  account(accountId: string): Promise<Account | null> {
    const known = this.#underWay.get(accountId);
    if (known !== undefined) return known;
    const account = this.reading.account(accountId).finally(() => this.#underWay.delete(accountId));
    this.#underWay.set(accountId, account);
    return account;
  }

  changed(): void {
    // As the one that is shipped: the next read sees it.
  }
}

/** Is not told that something was committed. */
class DeafAccounts extends OwnedAccounts {
  override changed(): void {
    // Keeps what it has.
  }
}

describe('the simulated clock', () => {
  it('moves by events in their order, and those of one instant as they were asked for', async () => {
    const timeline = new Timeline();
    const seen: string[] = [];
    for (const [at, name] of [
      [5, 'c'],
      [1, 'a'],
      [5, 'd'],
      [3, 'b'],
      [9, 'late'],
    ] as const) {
      timeline.at(at, () => seen.push(`${name}${timeline.now}`));
    }
    await timeline.run(8);
    expect(seen).toEqual(['a1', 'b3', 'c5', 'd5']);
    expect(timeline.now).toBe(8);
  });

  it('has what waits for one event go on before the next one', async () => {
    const timeline = new Timeline();
    const seen: string[] = [];
    timeline.start(async () => {
      await timeline.wait(1);
      for (let step = 0; step < 20; step += 1) await Promise.resolve();
      seen.push('first');
    });
    timeline.at(1.000_001, () => seen.push('second'));
    await timeline.run(2);
    expect(seen).toEqual(['first', 'second']);
  });

  it('ends with the fault of whatever was begun', async () => {
    const timeline = new Timeline();
    timeline.start(async () => {
      await timeline.wait(1);
      throw new Error('broken');
    });
    await expect(timeline.run(2)).rejects.toThrow('broken');
  });

  it('serves first who came first, and nobody while all stands still', async () => {
    const timeline = new Timeline();
    const station = new Station(timeline, 1);
    const ended: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      timeline.start(async () => {
        await station.use(10);
        ended.push(`${name}${timeline.now}`);
      });
    }
    timeline.at(5, () => timeline.start(() => station.stop(100)));
    await timeline.run(1_000);
    expect(ended).toEqual(['a10', 'b120', 'c130']);
    expect(station.used).toBe(30);
  });
});

describe('delays', () => {
  it('have the middle and the tail that was asked for', () => {
    const draw = new Draw(7);
    const drawn = draw.list(20_000, () => drawDelay(draw, assumptions.roundTrip.far));
    expect(percentile(drawn, 50) / assumptions.roundTrip.far.median).toBeCloseTo(1, 1);
    expect(percentile(drawn, 99) / assumptions.roundTrip.far.p99).toBeCloseTo(1, 1);
    expect(Math.max(...draw.list(1_000, () => drawDelay(draw, { median: 9, p99: 100, most: 10 })))).toBe(10);
  });

  it('are shown as what they are', () => {
    expect([0, 0.04, 1.25, 80, 1_500, 59_000].map(time)).toEqual(['0', '<0.1 ms', '1.3 ms', '80 ms', '1.5 s', '>57 s']);
  });
});

describe('a simulated revocation', () => {
  const named = (name: string): Deployment => {
    const found = deployments.find((each) => each.name === name);
    if (found === undefined) throw new Error(`there is no ${name}`);
    return found;
  };

  it.each(deployments.filter(({ zero }) => zero).map(({ name }) => name))('has no window in `%s`', async (name) => {
    const figures = await tryOut(named(name), effort);
    expect(figures.revocations).toBeGreaterThan(5);
    expect(figures.allowedBefore).toBeGreaterThan(0.5);
    expect(faultsOf(named(name), figures)).toEqual([]);
    expect(writeTable([{ deployment: named(name), figures, capacity: 1 }])).toContain(`0 of ${figures.revocations}`);
  });

  it.each([
    ['standbys', 10],
    ['quorum-near', assumptions.followerAge * 0.9],
  ])('has one in `%s`', async (name, least) => {
    const { windows } = await tryOut(named(name), effort);
    expect(percentile(windows, 50)).toBeGreaterThan(least);
  });

  it('can be lost with a primary whose standby was behind', async () => {
    const { lost, revocations } = await tryOut(named('failover'), { ...effort, seconds: 30, rate: 2, changes: 3 });
    expect(lost).toBeGreaterThan(0);
    expect(lost).toBeLessThan(revocations / 4);
  });

  it('is the same for the same seed, and another for another', async () => {
    const first = await tryOut(named('standbys'), effort);
    expect(await tryOut(named('standbys'), effort)).toEqual(first);
    expect((await tryOut(named('standbys'), { ...effort, seed: 5 })).windows).not.toEqual(first.windows);
  });

  it('costs more of the processor where each decision asks a database', async () => {
    const alone = await capacityOf(named('one-process'), effort);
    const together = await capacityOf(named('replicas'), effort);
    expect(together).toBeLessThan(alone);
    expect(together).toBeGreaterThan(alone / 2);
  });
});

describe('the simulation finds', () => {
  it('a cache by time', async () => {
    const build: Deployment['build'] = (timeline, draw, extent) => {
      const makeAccounts = (reading: Reading) => new TimedAccounts(reading, () => timeline.now);
      return buildOnPrimary(() => 2, { makeAccounts })(timeline, draw, extent);
    };
    expect(await faultsFoundIn(build)).toEqual([expect.stringMatching(/^faulty: allowed \d+ ms after/)]);
  });

  it('a request that joins a read from before it came', async () => {
    const makeAccounts = (reading: Reading) => new JoiningAccounts(reading);
    const found = await faultsFoundIn(
      buildOnPrimary(() => 2, { makeAccounts }),
      { rate: 100, accounts: 1 },
    );
    expect(found).toEqual([expect.stringMatching(/^faulty: allowed /)]);
  });

  it('a process that is not told of its own commits', async () => {
    const makeAccounts = (reading: Reading) => new DeafAccounts(reading);
    expect(await faultsFoundIn(buildLocal({ makeAccounts }))).toEqual([expect.stringMatching(/^faulty: allowed >/)]);
  });

  it('rows that are read from a copy before it has the revision that they are kept under', async () => {
    const found = await faultsFoundIn(buildOnStandbys(true, { waitsForRows: false }));
    expect(found).toEqual([expect.stringMatching(/^faulty: allowed /)]);
  });

  it('that it has shown nothing', async () => {
    const none = await faultsFoundIn(
      buildOnPrimary(() => 1),
      { revocations: 0 },
    );
    expect(none.join()).toContain('nothing was revoked');
  });
});
