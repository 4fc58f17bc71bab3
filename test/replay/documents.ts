/**
 * Policy documents of a small closed grammar, and what they mean: written from docs/domain.md sections a and b and from
 * nothing of src, so that it can disagree with it. An action pattern is cut at its colons, each segment is a name, `*`
 * or a beginning with `*` behind it; a statement may name one pattern of resources and ask for one tag.
 */
import type { Dice } from './random.js';

export interface Clause {
  readonly effect: 'Allow' | 'Deny';
  readonly actions: readonly string[];
  /** `service:*:*:type:a*`; null: whatever the resource, and where there is none. */
  readonly resource: string | null;
  readonly tag: { readonly key: string; readonly value: string } | null;
}

export type Document = readonly Clause[];

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** What a clause is asked about. */
export interface Request {
  /** All spellings of one act. */
  readonly actions: readonly string[];
  readonly resource: string | null;
  readonly tags: readonly Tag[];
}

export function applies(clause: Clause, { actions, resource, tags }: Request): boolean {
  return (
    clause.actions.some((pattern) => actions.some((action) => fits(pattern, action, ':', 3))) &&
    (clause.resource === null || (resource !== null && fits(clause.resource, resource, ':', 5))) &&
    (clause.tag === null || tags.some(({ key, value }) => key === clause.tag?.key && value === clause.tag.value))
  );
}

/** Whether the document by itself lets a request through. */
export function permits(document: Document, request: Request): boolean {
  const speaking = document.filter((clause) => applies(clause, request));
  return speaking.length > 0 && speaking.every(({ effect }) => effect === 'Allow');
}

export function denies(document: Document, request: Request): boolean {
  return document.some((clause) => clause.effect === 'Deny' && applies(clause, request));
}

/**
 * Requests that stand for all others: whatever these clauses say of any request, together, they say of one of these.
 * Actions that nobody has registered count, since whoever holds a pattern will hold what it takes in tomorrow. A request
 * about no resource stands for those about resources that fit nothing. A resource has a tag once, but a service that
 * asks about one which nobody registered may say several values.
 */
export function* tellingRequests(document: Document): Generator<Request> {
  for (const action of tellingNames(document.flatMap(({ actions }) => actions))) {
    const speaking = document.filter(({ actions }) => actions.some((pattern) => fits(pattern, action, ':', 3)));
    const resources = tellingNames(speaking.flatMap(({ resource }) => resource ?? []));
    const tags = new Map(speaking.flatMap(({ tag }) => (tag === null ? [] : [[`${tag.key} ${tag.value}`, tag]])));
    for (const resource of [null, ...resources]) {
      for (const some of subsets([...tags.values()])) yield { actions: [action], resource, tags: some };
    }
  }
}

/** Names that between them fit every combination of these patterns that any name fits. */
function tellingNames(patterns: readonly string[]): readonly string[] {
  return combinations(patterns.map((pattern) => pattern.split(':'))).map((segments) => segments.join(':'));
}

/** Segment by segment, so that only what stands in one pattern, or is left open by it, is put together. */
function combinations(patterns: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const names = new Set(patterns.flatMap(([first]) => (first === undefined ? [] : [exampleOf(first)])));
  if (names.size === 0) return patterns.length === 0 ? [] : [[]];
  return [...names].flatMap((name) => {
    const fitting = patterns.filter(([first = '']) => segmentFits(first, name));
    return combinations(fitting.map(([, ...rest]) => rest)).map((rest) => [name, ...rest]);
  });
}

/** Of what only the longest beginning takes in: nothing is called so. */
function exampleOf(segment: string): string {
  return segment.replace(/\*$/, 'zzz');
}

function subsets<T>(values: readonly T[]): readonly (readonly T[])[] {
  return values.reduce<readonly (readonly T[])[]>(
    (sets, value) => [...sets, ...sets.map((set) => [...set, value])],
    [[]],
  );
}

/** An Allow whose service segment can stand for the service. */
export function allowsService(document: Document, service: string): boolean {
  return document.some(
    ({ effect, actions }) =>
      effect === 'Allow' && actions.some((action) => segmentFits(action.split(':')[0] ?? '', service)),
  );
}

const accountServices = ['iam', 'bailiwick', 'eps', 'obs'];

/** What rule 11 asks of a document that is granted in ACCOUNT: does it speak of workspaces' services only. */
export function isProjectLevel(document: Document): boolean {
  return document
    .flatMap(({ actions }) => actions)
    .every((action) => {
      const service = action.split(':')[0] ?? '';
      return service !== '*' && !accountServices.includes(service);
    });
}

/** As `createPolicy` takes it. */
export function jsonOf(document: Document): object {
  return {
    Version: '1.1',
    Statement: document.map(({ effect, actions, resource, tag }) => ({
      Effect: effect,
      Action: actions,
      ...(resource === null ? {} : { Resource: [resource] }),
      ...(tag === null ? {} : { Condition: { StringEquals: { [`g:ResourceTag/${tag.key}`]: [tag.value] } } }),
    })),
  };
}

export const teams = ['red', 'blue', 'green'] as const;

/** Actions of the platform that the run is about, those of one level together (rule 11). */
const ofAccount = [
  'bailiwick:resources:*',
  'bailiwick:resources:*',
  'bailiwick:resources:list',
  'bailiwick:resources:get',
  'bailiwick:resources:register',
  'bailiwick:resources:update',
  'bailiwick:resources:deregister',
  'bailiwick:resources:move',
  'bailiwick:resources:re*',
  'bailiwick:grants:list',
  'bailiwick:audit:list',
  'bailiwick:access:check',
  'bailiwick:access:explain',
  'bailiwick:permissions:*',
  'bailiwick:permissions:grantToUser',
  'bailiwick:permissions:revokeFromUser',
  'iam:permissions:*',
  'iam:permissions:grantRoleToGroup*',
  'iam:permissions:addUserToGroup',
  'iam:permissions:removeUserFromGroup',
  'iam:users:*',
  'iam:users:list*',
  'iam:users:getUser',
  'iam:users:updateUser',
  'iam:groups:*',
  'iam:groups:listGroups',
  'iam:groups:getGroup',
  'iam:roles:*',
  'iam:roles:updateRole',
  'iam:roles:getRole',
] as const;

export interface Kind {
  readonly name: string;
  readonly operations: readonly string[];
}

function ofProjects(kinds: readonly Kind[]): readonly string[] {
  return [
    ...kinds.flatMap(({ name, operations }) => [
      ...operations.map((operation) => `${name}:${operation}`),
      `${name}:*`,
      `${name}:*`,
      `${name}:ge*`,
      `${name.slice(0, name.indexOf(':'))}:*:*`,
    ]),
    ...['create', 'list', 'get', 'update', 'delete', 'updateQuotas', '*', '*'].map(
      (act) => `modelarts:workspace:${act}`,
    ),
  ];
}

/** A document of one level, or of all services; seldom one that denies everything. */
export function randomDocument(dice: Dice, kinds: readonly Kind[]): Document {
  const level = dice.weighted([
    [5, 'ACCOUNT'],
    [6, 'PROJECT'],
    [1, 'BOTH'],
  ] as const);
  const pool = level === 'ACCOUNT' ? ofAccount : level === 'PROJECT' ? ofProjects(kinds) : ['*:*:*'];
  const clauses = Array.from({ length: 1 + dice.below(3) }, (): Clause => {
    const actions = [...new Set(Array.from({ length: 1 + dice.below(3) }, () => dice.pick(pool)))];
    const narrowed = actions.every((action) => /^(bailiwick:resources|alpha|beta|modelarts:trainJob)/.test(action));
    return {
      effect: dice.chance(level === 'BOTH' ? 0.05 : 0.16) ? 'Deny' : 'Allow',
      actions,
      resource: narrowed && dice.chance(0.2) ? randomResources(dice, kinds) : null,
      tag: narrowed && dice.chance(0.3) ? { key: 'team', value: dice.pick(teams) } : null,
    };
  });
  return clauses;
}

/** URNs of resources begin their last part with one of these. */
export const initials = ['a', 'b'] as const;

function randomResources(dice: Dice, kinds: readonly Kind[]): string {
  const [service, type] = dice.pick(kinds).name.split(':');
  return `${service}:*:*:${type}:${dice.pick(initials)}*`;
}

function fits(pattern: string, text: string, separator: string, count: number): boolean {
  const patterns = pattern.split(separator);
  const segments = text.split(separator);
  const names = [...segments.slice(0, count - 1), segments.slice(count - 1).join(separator)];
  return (
    patterns.length === names.length && patterns.every((segment, place) => segmentFits(segment, names[place] ?? ''))
  );
}

function segmentFits(pattern: string, text: string): boolean {
  const [wanted, given] = [pattern.toLowerCase(), text.toLowerCase()];
  return wanted.endsWith('*') ? given.startsWith(wanted.slice(0, -1)) : wanted === given;
}
