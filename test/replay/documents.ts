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

/** Whether `wide`, an action pattern, lets through all that `narrow` does. */
export function coversAction(wide: string, narrow: string): boolean {
  const narrowed = narrow.split(':');
  return wide.split(':').every((segment, place) => segmentCovers(segment, narrowed[place] ?? ''));
}

export function actionsMeet(one: string, other: string): boolean {
  const others = other.split(':');
  return one.split(':').every((segment, place) => segmentsMeet(segment, others[place] ?? ''));
}

/** Patterns of the grammar differ in their type or first letter, or are the same. */
export function resourcesMeet(one: string | null, other: string | null): boolean {
  return one === null || other === null || one === other;
}

export function sameTag(one: Clause['tag'], other: Clause['tag']): boolean {
  return one?.key === other?.key && one?.value === other?.value;
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

function segmentCovers(wide: string, narrow: string): boolean {
  if (!narrow.endsWith('*')) return segmentFits(wide, narrow);
  return wide.endsWith('*') && narrow.toLowerCase().startsWith(wide.slice(0, -1).toLowerCase());
}

function segmentsMeet(one: string, other: string): boolean {
  if (!one.endsWith('*')) return segmentFits(other, one);
  if (!other.endsWith('*')) return segmentFits(one, other);
  const [a, b] = [one.slice(0, -1).toLowerCase(), other.slice(0, -1).toLowerCase()];
  return a.startsWith(b) || b.startsWith(a);
}
