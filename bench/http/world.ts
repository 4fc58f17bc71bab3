/**
 * The world that servers are compared on, from one seed: an account with users, groups and policies, and what one of its
 * users asks for. Nothing here is kept by user, so that a world of a million costs what one of a thousand does.
 *
 * Statements are those that every contestant can be told: operations on types, an optional beginning of the resource's
 * path, an optional value of one condition key.
 */
import { Draw } from '../engines/draw.js';

export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  /** Operations of the type; null: every one. */
  readonly operations: readonly string[] | null;
  /** Null: every type. */
  readonly type: string | null;
  /** What the path of the resource begins with; null: every resource. */
  readonly prefix: string | null;
  /** Values of `poolKey`, one of which the request gives; null: whatever it gives. */
  readonly pools: readonly string[] | null;
}

export interface Policy {
  readonly name: string;
  readonly statements: readonly Statement[];
}

export interface AccessRequest {
  readonly type: string;
  readonly operation: string;
  readonly path: string;
  /** Null: the request does not give the key. */
  readonly pool: string | null;
}

export type Reason = 'ALLOWED' | 'EXPLICIT_DENY' | 'NO_MATCHING_ALLOW';

export interface World {
  readonly seed: number;
  readonly users: number;
  readonly policies: readonly Policy[];
  /** Places of the policies of each group. */
  readonly groups: readonly (readonly number[])[];
  readonly requests: readonly AccessRequest[];
}

export interface WorldSize {
  readonly users: number;
  readonly policies: number;
  readonly requests: number;
}

/** Condition key that requests give and statements ask about. */
export const poolKey = 'modelarts:poolType';

/** Types of the service `modelarts` whose every operation below is an action of the catalogue. */
export const types = [
  'notebook',
  'trainJob',
  'model',
  'service',
  'workflow',
  'pool',
  'network',
  'tensorboard',
] as const;
export const operations = ['create', 'list', 'get', 'update', 'delete'] as const;
const teams = 4;
const pools = ['shared', 'dedicated', 'edge'] as const;
export const policiesOfGroup = 2;
export const groupsOfUser = 3;
const statementsOfPolicy = 4;

export function makeWorld(seed: number, { users, policies, requests }: WorldSize): World {
  const draw = new Draw(seed);
  const made = draw.list(policies, (place) => ({ name: `policy-${digits(place)}`, statements: drawStatements(draw) }));
  const groups = draw.list(Math.ceil(policies / policiesOfGroup), (place) =>
    Array.from({ length: policiesOfGroup }, (_none, i) => (place * policiesOfGroup + i) % policies),
  );
  return { seed, users, policies: made, groups, requests: draw.list(requests, () => drawRequest(draw)) };
}

function drawStatements(draw: Draw): Statement[] {
  return draw.list(statementsOfPolicy, (): Statement => {
    const denies = draw.chance(0.15);
    const wide = !denies && draw.chance(0.1);
    return {
      effect: denies ? 'Deny' : 'Allow',
      operations: !wide && draw.chance(0.3) ? null : draw.some(operations, 1 + draw.below(wide ? 1 : 3)),
      type: wide ? null : draw.one(types),
      prefix: draw.chance(wide ? 0.3 : 0.5) ? pathIn(draw) : null,
      pools: draw.chance(0.25) ? draw.some(pools, 1 + draw.below(2)) : null,
    };
  });
}

const pathIn = (draw: Draw): string => `team-${String(draw.below(teams)).padStart(2, '0')}/`;

function drawRequest(draw: Draw): AccessRequest {
  return {
    type: draw.one(types),
    operation: draw.one(operations),
    path: `${pathIn(draw)}${String(draw.below(10_000)).padStart(5, '0')}`,
    pool: draw.chance(0.5) ? draw.one(pools) : null,
  };
}

/** Groups of a user, each once, in order. */
export function groupsOf({ groups }: Pick<World, 'groups'>, user: number): readonly number[] {
  const places = Array.from({ length: groupsOfUser }, (_none, i) => (user * 7 + i * 5 + 1) % groups.length);
  return [...new Set(places)].sort((a, b) => a - b);
}

export function policiesOf(world: World, user: number): readonly Policy[] {
  const places = new Set(groupsOf(world, user).flatMap((group) => world.groups[group] ?? []));
  return world.policies.filter((_one, place) => places.has(place));
}

/** What a user is told, by the rules as they are written here: for servers that have no policies of their own. */
export function decideIn(held: readonly Policy[], request: AccessRequest): Reason {
  const fitting = held.flatMap(({ statements }) => statements.filter((statement) => fits(statement, request)));
  if (fitting.some(({ effect }) => effect === 'Deny')) return 'EXPLICIT_DENY';
  return fitting.length > 0 ? 'ALLOWED' : 'NO_MATCHING_ALLOW';
}

function fits({ operations, type, prefix, pools }: Statement, request: AccessRequest): boolean {
  if (type !== null && type !== request.type) return false;
  if (operations !== null && !operations.includes(request.operation)) return false;
  if (prefix !== null && !request.path.startsWith(prefix)) return false;
  return pools === null || (request.pool !== null && pools.includes(request.pool));
}

export const digits = (place: number): string => String(place).padStart(7, '0');
export const userName = (user: number): string => `user-${digits(user)}`;
export const groupName = (group: number): string => `group-${digits(group)}`;

/** Ids as the product has them, 32 hexadecimal digits: the same of the same place. */
export function idOf(kind: 'user' | 'group' | 'policy' | 'grant' | 'session', place: number): string {
  const kinds = { user: 'a', group: 'b', policy: 'c', grant: 'd', session: 'e' } as const;
  return `${kinds[kind]}${place.toString(16).padStart(31, '0')}`;
}

/** A URN with a blank account stands for the caller's. */
export const urnOf = ({ type, path }: AccessRequest): string => `modelarts:north:account:${type}:${path}`;
export const actionOf = ({ type, operation }: AccessRequest): string => `modelarts:${type}:${operation}`;
