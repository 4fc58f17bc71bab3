/**
 * The worlds that engines are compared on, each from one seed: who holds which policies, and who asks for what. They are
 * neutral: each adapter translates them into what its engine reads before the clock starts.
 *
 * The kind in an action is always that of the resource asked about, and resources always have five segments, so that a
 * star which reaches across colons (most engines') means the same as one that does not (ours).
 */
import { Draw } from './draw.js';

export type Condition =
  /** The resource has the tag, with one of the values. */
  | { readonly kind: 'tag'; readonly key: string; readonly values: readonly string[] }
  /** The resource has the tag, and it fits the pattern. */
  | { readonly kind: 'tagLike'; readonly key: string; readonly pattern: string }
  | { readonly kind: 'ip'; readonly blocks: readonly string[] }
  | { readonly kind: 'notIp'; readonly block: string }
  | { readonly kind: 'before' | 'after'; readonly instant: string };

export interface Statement {
  readonly id: string;
  readonly effect: 'Allow' | 'Deny';
  /** `service:type:operation`, with stars. */
  readonly actions: readonly string[];
  /** `service:region:account:type:path`, with stars; null: every resource. */
  readonly resources: readonly string[] | null;
  /** At most one of each kind. */
  readonly conditions: readonly Condition[];
}

export interface Policy {
  readonly name: string;
  readonly statements: readonly Statement[];
}

export interface Request {
  /** Place in `holders`. */
  readonly user: number;
  readonly action: string;
  readonly resource: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly ip: string;
  /** `2026-03-01T12:00:00Z`. */
  readonly time: string;
}

export interface World {
  readonly name: string;
  readonly statements: number;
  readonly users: number;
  readonly policies: readonly Policy[];
  /** Places of the policies that a user holds, directly and by groups, each once. */
  readonly policiesOf: (user: number) => readonly number[];
  readonly requests: readonly Request[];
}

const types = [
  'notebook',
  'trainJob',
  'service',
  'dataset',
  'model',
  'pool',
  'workflow',
  'image',
  'algorithm',
] as const;
/** Kinds as `service:type`. */
export const kinds: readonly string[] = [
  ...types.map((type) => `modelarts:${type}`),
  'obs:bucket',
  'obs:object',
  'swr:repo',
];
export const operations = ['list', 'get', 'create', 'update', 'delete', 'start', 'stop', 'tag', 'share', 'getLogs'];

/** A pattern of texts and stars, as every engine here understands it. */
export function patternOf(pattern: string): RegExp {
  const parts = pattern.split('*').map((text) => text.replace(/[\\^$.|?+()[\]{}/-]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}

const account = 'a1';
const regions = ['north-4', 'east-3'];
const environments = ['dev', 'test', 'prod'];
const teams = 40;
const noon = '2026-03-01T12:00:00Z';

function urn(kind: string, region: string, path: string): string {
  const [service = '', type = ''] = kind.split(':');
  return `${service}:${region}:${account}:${type}:${path}`;
}

/** Statements as administrators write them: about a team's resources, some with conditions. */
function writeStatement(draw: Draw, id: string, conditioned: boolean): Statement {
  const denies = draw.chance(0.15);
  const kind = draw.one(kinds);
  const [service = ''] = kind.split(':');
  const team = draw.below(teams);
  const form = draw.next();
  const actions =
    form < 0.7
      ? draw.some(operations, 1 + draw.below(denies ? 2 : 5)).map((operation) => `${kind}:${operation}`)
      : form < 0.86
        ? [`${kind}:*`]
        : form < 0.94
          ? [`${kind}:get*`, `${kind}:list`]
          : [`${service}:*:${draw.one(operations)}`];
  const spread = form >= 0.94;
  const place = draw.next();
  const resources =
    place < 0.2 && !denies
      ? null
      : spread
        ? [`${service}:*:*:*:team${team}-*`]
        : place < 0.35
          ? [urn(kind, '*', '*').replace(`:${account}:`, ':*:')]
          : place < 0.7
            ? [urn(kind, '*', `team${team}-*`)]
            : draw.list(1 + draw.below(3), () => urn(kind, draw.one(regions), resourcePath(draw, team)));
  const conditions: Condition[] = [];
  if (conditioned || denies) {
    if (draw.chance(denies ? 0.6 : 0.4)) {
      const values = denies ? ['prod'] : draw.some(environments, 1 + draw.below(2));
      conditions.push({ kind: 'tag', key: 'env', values });
    }
    if (conditioned && draw.chance(0.15)) conditions.push({ kind: 'tagLike', key: 'team', pattern: `team${team}*` });
    if (conditioned && draw.chance(0.15)) {
      if (denies) conditions.push({ kind: 'notIp', block: '10.0.0.0/8' });
      else conditions.push({ kind: 'ip', blocks: draw.some(['10.0.0.0/8', '192.168.0.0/16', '172.16.4.0/22'], 2) });
    }
    if (conditioned && draw.chance(0.1)) conditions.push({ kind: 'after', instant: '2026-01-01T00:00:00Z' });
    if (conditioned && draw.chance(0.1)) conditions.push({ kind: 'before', instant: '2027-01-01T00:00:00Z' });
  }
  return { id, effect: denies ? 'Deny' : 'Allow', actions, resources, conditions };
}

function resourcePath(draw: Draw, team: number): string {
  return `team${team}-${String(draw.below(500)).padStart(4, '0')}`;
}

const actionNames = kinds.flatMap((kind) => operations.map((operation) => `${kind}:${operation}`));
const expansions = new Map<string, readonly string[]>();

/** The actions that a pattern stands for. */
function namesOf(pattern: string): readonly string[] {
  const known = expansions.get(pattern);
  if (known !== undefined) return known;
  const fits = patternOf(pattern);
  const names = actionNames.filter((name) => fits.test(name));
  expansions.set(pattern, names);
  return names;
}

/** A request that a statement is about, its conditions included unless `astray`. */
function ask(draw: Draw, user: number, statement: Statement, astray: boolean): Request {
  const action = draw.one(namesOf(draw.one(statement.actions)));
  const kind = action.slice(0, action.lastIndexOf(':'));
  const pattern = statement.resources === null ? '*' : draw.one(statement.resources);
  const path = pattern.split(':')[4] ?? '*';
  const beginning = path.endsWith('*') ? path.slice(0, -1) : null;
  const team = draw.below(teams);
  const resource =
    beginning === null
      ? pattern
      : urn(kind, draw.one(regions), beginning === '' ? resourcePath(draw, team) : `${beginning}${draw.below(500)}`);
  const tags: Record<string, string> = draw.chance(0.1)
    ? {}
    : { env: draw.one(environments), team: `team${draw.below(teams)}` };
  let ip = draw.chance(0.7) ? `10.${draw.below(256)}.${draw.below(256)}.7` : `203.0.113.${draw.below(256)}`;
  if (!astray) {
    for (const condition of statement.conditions) {
      if (condition.kind === 'tag') tags[condition.key] = draw.one(condition.values);
      else if (condition.kind === 'tagLike') tags[condition.key] = condition.pattern.replaceAll('*', '-x');
      else if (condition.kind === 'ip') ip = condition.blocks[0]?.replace(/\.0\/\d+$/, '.9') ?? ip;
      else if (condition.kind === 'notIp') ip = '203.0.113.9';
    }
  }
  return { user, action, resource, tags, ip, time: draw.chance(0.97) ? noon : '2025-06-01T00:00:00Z' };
}

/** Most ask for what they may, some for what is forbidden, some for what nothing speaks of. */
function askAround(draw: Draw, user: number, held: readonly Statement[]): Request {
  const fate = draw.next();
  const wanted = fate < 0.65 ? 'Allow' : fate < 0.75 ? 'Deny' : null;
  if (wanted !== null) {
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const statement = draw.one(held);
      if (statement.effect === wanted) return ask(draw, user, statement, draw.chance(0.1));
    }
  }
  return ask(draw, user, writeStatement(draw, '', false), true);
}

function policiesFrom(statements: readonly Statement[], each: number): Policy[] {
  const policies: Policy[] = [];
  for (let at = 0; at < statements.length; at += each) {
    policies.push({ name: `policy-${policies.length}`, statements: statements.slice(at, at + each) });
  }
  return policies;
}

function onePrincipal(name: string, statements: readonly Statement[], requests: readonly Request[]): World {
  const policies = policiesFrom(statements, 20);
  const all = policies.map((_policy, place) => place);
  return { name, statements: statements.length, users: 1, policies, policiesOf: () => all, requests };
}

function small(draw: Draw): World {
  const statements = draw.list(20, (i) => writeStatement(draw, `s${i}`, false));
  return onePrincipal(
    'small',
    statements,
    draw.list(2_000, () => askAround(draw, 0, statements)),
  );
}

interface Crowd {
  readonly users: number;
  readonly groups: number;
  readonly policies: number;
  readonly requests: number;
  readonly groupsOfUser: number;
  readonly policiesOfGroup: number;
  readonly zipf: boolean;
}

function crowd(name: string, draw: Draw, size: Crowd): World {
  const statements = draw.list(size.policies * 5, (i) => writeStatement(draw, `s${i}`, true));
  const policies = policiesFrom(statements, 5);
  const places = (count: number) => draw.list(count, () => draw.below(size.policies));
  const groups = draw.list(size.groups, () => places(1 + draw.below(size.policiesOfGroup)));
  const users = draw.list(size.users, () => ({
    groups: draw.list(1 + draw.below(size.groupsOfUser), () => draw.below(size.groups)),
    policies: places(draw.below(3)),
  }));
  // Put together before the clock starts: it is no engine's work.
  const held = users.map((holder): readonly number[] => {
    const byGroups = holder.groups.flatMap((group) => groups[group] ?? []);
    return [...new Set([...holder.policies, ...byGroups])];
  });
  const policiesOf = (user: number): readonly number[] => held[user] ?? [];
  const caller = size.zipf ? draw.zipf(size.users) : () => draw.below(size.users);
  const requests = draw.list(size.requests, () => {
    const user = caller();
    return askAround(
      draw,
      user,
      policiesOf(user).flatMap((place) => policies[place]?.statements ?? []),
    );
  });
  return { name, statements: statements.length, users: size.users, policies, policiesOf, requests };
}

const notebook = 'modelarts:notebook';
/** Wildcards that are about the actions of the statements beside them. */
const wildcards = ['modelarts:notebook:*', 'modelarts:*:start', 'modelarts:note*:st*', '*:notebook:*', 'modelarts:*:*'];

export type Shape = 'resources' | 'tags' | 'mixed';

/** Statements of one principal about one action, told apart by the resource or by a tag. */
function longList(name: string, draw: Draw, count: number, shape: Shape, wild: boolean): World {
  const statements = draw.list(count, (i): Statement => {
    const id = `s${i}`;
    const effect = draw.chance(0.1) ? 'Deny' : 'Allow';
    const byResource = shape === 'resources' || (shape === 'mixed' && i % 2 === 0);
    const actions = wild && draw.chance(0.2) ? [draw.one(wildcards)] : [`${notebook}:start`];
    if (byResource) {
      const path = draw.chance(0.7) ? `nb-${i}` : `project${i}-*`;
      const resource = urn(notebook, path.endsWith('*') ? '*' : 'north-4', path);
      // What is forbidden is of something that is allowed.
      const prod: Condition = { kind: 'tag', key: 'env', values: ['prod'] };
      return { id, effect, actions, resources: [resource], conditions: effect === 'Deny' ? [prod] : [] };
    }
    const project: Condition = { kind: 'tag', key: 'project', values: [`p${i}`] };
    const development: Condition = { kind: 'tagLike', key: 'env', pattern: 'd*' };
    return { id, effect, actions, resources: null, conditions: i % 5 === 0 ? [project, development] : [project] };
  });
  const requests = draw.list(2_000, (): Request => {
    const statement = draw.one(statements);
    const wanted = ask(draw, 0, statement, draw.chance(0.1));
    const action = `${notebook}:start`;
    if (draw.chance(0.7)) return { ...wanted, action: draw.chance(0.9) ? action : wanted.action };
    const tags = { env: draw.one(environments), project: `p${count + draw.below(count)}` };
    return { ...wanted, action, resource: urn(notebook, 'north-4', `nb-${count + draw.below(count)}`), tags };
  });
  return onePrincipal(name, statements, requests);
}

const longLists = [1_000, 10_000].flatMap((count) =>
  (['resources', 'tags'] as const).flatMap((shape) => [
    { name: `${count}-${shape}`, count, shape, wild: false },
    { name: `${count}-${shape}-wild`, count, shape, wild: true },
  ]),
);
const growth = [10, 100, 1_000, 10_000].map((count) => ({
  name: `growth-${count}`,
  count,
  shape: 'mixed' as const,
  wild: true,
}));

/** What makes each world; `size` below 1 makes all that is counted smaller. */
const makers: Readonly<Record<string, (draw: Draw, size: number) => World>> = {
  small: (draw) => small(draw),
  medium: (draw, size) =>
    crowd('medium', draw, {
      users: scaled(1_000, size),
      groups: scaled(50, size),
      policies: scaled(200, size),
      requests: scaled(5_000, size),
      groupsOfUser: 3,
      policiesOfGroup: 5,
      zipf: false,
    }),
  large: (draw, size) =>
    crowd('large', draw, {
      users: scaled(100_000, size),
      groups: scaled(5_000, size),
      policies: scaled(10_000, size),
      requests: scaled(20_000, size),
      groupsOfUser: 4,
      policiesOfGroup: 6,
      zipf: true,
    }),
  ...Object.fromEntries(
    [...longLists, ...growth].map(({ name, count, shape, wild }) => [
      name,
      (draw: Draw, size: number) => longList(name, draw, scaled(count, size), shape, wild),
    ]),
  ),
};

function scaled(count: number, size: number): number {
  return Math.max(4, Math.round(count * size));
}

export const worldNames: readonly string[] = Object.keys(makers);

/** Each world has a seed of its own, so that leaving one out does not change the others. */
export function makeWorld(name: string, seed: number, size: number): World {
  const make = makers[name];
  if (make === undefined) throw new Error(`there is no world ${name}; there are ${worldNames.join(', ')}`);
  return make(new Draw(seed + worldNames.indexOf(name) * 7919), size);
}
