/** The ways to place servers and databases that are compared. What of them Bailiwick offers today stands beside each. */
import { OwnedAccounts, SharedAccounts } from '../../src/store/current-accounts.js';
import type { Draw } from '../engines/draw.js';
import { assumptions, drawDelay, type Delay } from './assumptions.js';
import { Follower, Primary, Standby, type View } from './database.js';
import { Server, type Place } from './server.js';
import type { Timeline } from './timeline.js';

export interface Extent {
  readonly regions: number;
  /** Servers in a region, or of a shard. */
  readonly replicas: number;
  readonly shards: number;
  readonly accounts: number;
  /** Milliseconds of the processor for a decision from memory. */
  readonly decisionCost: number;
  /** Connections of a server to the database. */
  readonly pool: number;
}

export interface ServedAccount {
  readonly id: string;
  readonly primary: Primary;
  readonly servers: readonly Server[];
}

export interface World {
  readonly servers: readonly Server[];
  readonly accounts: readonly ServedAccount[];
  readonly primaries: readonly Primary[];
  /** What else is read from. */
  readonly copies: readonly View[];
  /** The primary is lost, shortly after something was acknowledged; null: it is not. */
  readonly fail: (() => void) | null;
}

export interface Deployment {
  readonly name: string;
  readonly meaning: string;
  /** Whether Bailiwick can be run like this today. */
  readonly offered: boolean;
  /** Whether no request that arrives after the acknowledgement may be allowed, whatever is slow. */
  readonly zero: boolean;
  /** Whether who asks after a revocation demands its revision. */
  readonly demands: boolean;
  readonly build: (timeline: Timeline, draw: Draw, extent: Extent) => World;
}

const { near, far } = assumptions.roundTrip;
const { statement, durable, localStatement, localDurable } = assumptions.database;

function wayFrom(here: number): (region: number) => Delay {
  return (there) => (there === here ? near : far);
}

function accountsAt(extent: Extent, primary: Primary, servers: readonly Server[], first = 0): ServedAccount[] {
  return Array.from({ length: extent.accounts }, (_none, place) => ({
    id: `account-${first + place}`,
    primary,
    servers,
  }));
}

/** So many servers in each of these regions, all on one primary. */
function placed(
  timeline: Timeline,
  draw: Draw,
  extent: Extent,
  primary: Primary,
  regions: number,
  views: (region: number) => Partial<Place> = () => ({}),
): Server[] {
  return Array.from({ length: regions * extent.replicas }, (_none, number) => {
    const region = number % regions;
    return new Server(timeline, draw, {
      region,
      primary,
      revisions: primary,
      rows: primary,
      waitsForRows: false,
      wayTo: wayFrom(region),
      makeAccounts: (reading) => new SharedAccounts(reading),
      decisionCost: extent.decisionCost,
      pool: extent.pool,
      ...views(region),
    });
  });
}

/** @param more what is otherwise: a test puts faults there */
export function buildLocal(more: Partial<Place> = {}): Deployment['build'] {
  return (timeline, draw, extent) => {
    const primary = new Primary(timeline, draw, 0, { statement: localStatement, durable: localDurable });
    const servers = placed(timeline, draw, { ...extent, replicas: 1 }, primary, 1, () => ({
      wayTo: () => null,
      makeAccounts: (reading) => new OwnedAccounts(reading),
      ...more,
    }));
    return { servers, accounts: accountsAt(extent, primary, servers), primaries: [primary], copies: [], fail: null };
  };
}

export function buildOnPrimary(regionsOf: (extent: Extent) => number, more: Partial<Place> = {}): Deployment['build'] {
  return (timeline, draw, extent) => {
    const primary = new Primary(timeline, draw, 0, { statement, durable });
    const servers = placed(timeline, draw, extent, primary, regionsOf(extent), () => more);
    return { servers, accounts: accountsAt(extent, primary, servers), primaries: [primary], copies: [], fail: null };
  };
}

/** A standby in each region but that of the primary, which the servers there read from. */
export function buildOnStandbys(revisionsFromPrimary: boolean, more: Partial<Place> = {}): Deployment['build'] {
  return (timeline, draw, extent) => {
    const primary = new Primary(timeline, draw, 0, { statement, durable });
    const views = Array.from({ length: extent.regions }, (_none, region): View => {
      return region === 0 ? primary : new Standby(primary, region, far, true);
    });
    const servers = placed(timeline, draw, extent, primary, extent.regions, (region) => {
      const rows = views[region] ?? primary;
      return { rows, revisions: revisionsFromPrimary ? primary : rows, waitsForRows: revisionsFromPrimary, ...more };
    });
    const accounts = accountsAt(extent, primary, servers);
    return { servers, accounts, primaries: [primary], copies: views.slice(1), fail: null };
  };
}

function buildShards(timeline: Timeline, draw: Draw, extent: Extent): World {
  const shards = Array.from({ length: extent.shards }, (_none, shard) => {
    const primary = new Primary(timeline, draw, 0, { statement, durable });
    const servers = placed(timeline, draw, extent, primary, 1);
    return { primary, servers, accounts: accountsAt(extent, primary, servers, shard * extent.accounts) };
  });
  return {
    servers: shards.flatMap(({ servers }) => servers),
    accounts: shards.flatMap(({ accounts }) => accounts),
    primaries: shards.map(({ primary }) => primary),
    copies: [],
    fail: null,
  };
}

/** One copy in each region, of which a majority must have a commit. Reads go to the copy that leads, or to the near one. */
function buildQuorum(nearReads: boolean): Deployment['build'] {
  return (timeline, draw, extent) => {
    const quorum = (): number => {
      const answers = Array.from({ length: Math.max(2, extent.regions - 1) }, () => drawDelay(draw, far));
      return answers.sort((one, other) => one - other)[Math.ceil(answers.length / 2) - 1] ?? 0;
    };
    const primary = new Primary(timeline, draw, 0, { statement, durable }, quorum);
    const followers = Array.from({ length: extent.regions }, (_none, region) => {
      return new Follower(primary, region, assumptions.followerAge);
    });
    const servers = placed(timeline, draw, extent, primary, extent.regions, (region) => {
      const view = nearReads ? followers[region] : primary;
      return view === undefined ? {} : { revisions: view, rows: view };
    });
    const copies = nearReads ? followers : [];
    return { servers, accounts: accountsAt(extent, primary, servers), primaries: [primary], copies, fail: null };
  };
}

/** One account, because what goes wrong is that its revisions are counted again. */
function buildFailover(waitsForStandby: boolean): Deployment['build'] {
  return (timeline, draw, extent) => {
    const word = waitsForStandby ? () => drawDelay(draw, near) + drawDelay(draw, durable) : null;
    const primary = new Primary(timeline, draw, 0, { statement, durable }, word);
    const standby = new Standby(primary, 0, near, false);
    const servers = placed(timeline, draw, extent, primary, 1);
    const fail = () => primary.fail(waitsForStandby ? { applied: Infinity } : standby);
    const accounts = accountsAt({ ...extent, accounts: 1 }, primary, servers);
    return { servers, accounts, primaries: [primary], copies: [], fail };
  };
}

export const deployments: readonly Deployment[] = [
  {
    name: 'one-process',
    meaning: 'SQLite',
    offered: true,
    zero: true,
    demands: false,
    build: buildLocal(),
  },
  {
    name: 'replicas',
    meaning: 'one PostgreSQL in the same region',
    offered: true,
    zero: true,
    demands: false,
    build: buildOnPrimary(() => 1),
  },
  {
    name: 'regions',
    meaning: 'all read and write one PostgreSQL in one of the regions',
    offered: true,
    zero: true,
    demands: false,
    build: buildOnPrimary(({ regions }) => regions),
  },
  {
    name: 'standbys',
    meaning: 'each region reads its own asynchronous standby, for everything',
    offered: false,
    zero: false,
    demands: false,
    build: buildOnStandbys(false),
  },
  {
    name: 'standbys-demanded',
    meaning: 'the same, and who asks names the revision of the revocation',
    offered: false,
    zero: true,
    demands: true,
    build: buildOnStandbys(false),
  },
  {
    name: 'standbys-stamped',
    meaning: 'revisions from the primary, rows from the own standby once it has them',
    offered: false,
    zero: true,
    demands: false,
    build: buildOnStandbys(true),
  },
  {
    name: 'shards',
    meaning: 'accounts spread over several PostgreSQL, each with its replicas',
    offered: true,
    zero: true,
    demands: false,
    build: buildShards,
  },
  {
    name: 'quorum',
    meaning: 'a database over the regions; reads where it leads, commits at a majority',
    offered: false,
    zero: true,
    demands: false,
    build: buildQuorum(false),
  },
  {
    name: 'quorum-near',
    meaning: 'the same, read from the near copy as it was a fixed time ago',
    offered: false,
    zero: false,
    demands: false,
    build: buildQuorum(true),
  },
  {
    name: 'failover',
    meaning: 'as replicas; the primary is lost again and again, its standby was asynchronous',
    offered: true,
    zero: false,
    demands: false,
    build: buildFailover(false),
  },
  {
    name: 'failover-waited',
    meaning: 'the same with a synchronous standby',
    offered: true,
    zero: true,
    demands: false,
    build: buildFailover(true),
  },
];
