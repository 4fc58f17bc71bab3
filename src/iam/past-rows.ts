/**
 * Rows as they were: what is there now, with everything undone that happened since. Pure. The images of the trail must fit
 * one another and end in what is there, or nothing is known.
 */
import type { AuditEvent, Id, JsonImage, Records } from './records.js';
import type { PastKind } from './trail-reader.js';

/** Why it cannot be known what was decided; stable, shown in the API. */
export const unknownPastReasons = {
  BEFORE_TRAIL: 'The audit trail of the account begins later.',
  NOT_RECORDED: 'An image of that time does not hold what a decision needs.',
  TRAIL_BROKEN: 'What the trail says does not fit together, or does not end in what is there now; verify the trail.',
  CLOCK_SET_BACK:
    'The instants of the changes around this one are out of order, because a clock was set or several differ; name a revision.',
  TOO_MANY_CHANGES: 'More has changed since than is undone for one answer; ask about a later moment.',
  NOT_VISIBLE: 'The viewer may not read the trail of the workspace that is asked about, or named none for a resource.',
} as const;

export type UnknownPastReason = keyof typeof unknownPastReasons;

/** Thrown through code that decides, which knows no answer but a decision; caught where the past was asked for. */
export class UnknownPast extends Error {
  constructor(
    readonly reason: UnknownPastReason,
    detail: string,
  ) {
    super(`${unknownPastReasons[reason]} ${detail}`);
    this.name = 'UnknownPast';
  }
}

/** Columns that decisions read. An image without one of them was made before there was such a column. */
const needed: { readonly [K in PastKind]: readonly (keyof Records[K] & string)[] } = {
  account: ['id', 'name', 'authorizationMode'],
  user: ['id', 'accountId', 'name', 'enabled', 'root', 'defaultModelArtsAccess'],
  group: ['id', 'name', 'builtIn'],
  membership: ['groupId', 'userId'],
  policy: ['id', 'name', 'defaultVersion'],
  policyVersion: ['id', 'policyId', 'number', 'text'],
  grant: ['id', 'policyId', 'subjectKind', 'subjectId', 'scopeKind', 'scopeId', 'expiresAt', 'createdAt'],
  workspace: ['id', 'accountId', 'name', 'enterpriseProjectId', 'visibility', 'creatorId', 'status'],
  workspaceMember: ['workspaceId', 'userId'],
  service: ['id', 'name', 'enabled', 'actions', 'resourceKinds'],
  resource: ['id', 'urn', 'workspaceId', 'tags'],
  agency: ['id', 'name', 'trustKind', 'expiresAt'],
};

/** Raised by every transaction, without an event of their own. */
const uncounted: ReadonlySet<string> = new Set(['revision', 'accessRevision']);

/**
 * @param present rows as they are, or were while the events were read
 * @param changes every event about such rows after the moment, the oldest first
 */
export function rowsBefore<K extends PastKind>(
  kind: K,
  present: readonly Records[K][],
  changes: readonly AuditEvent[],
): readonly Records[K][] {
  const now = new Map<Id, JsonImage>(present.map((row) => [row.id, row as unknown as JsonImage]));
  const then = new Map<Id, JsonImage | null>(now);
  const last = new Map<Id, JsonImage | null>();
  for (const { targetId, before, after } of changes) {
    const known = last.get(targetId);
    if (known === undefined) then.set(targetId, before);
    else if (!fit(known, before)) throw broken(kind, targetId);
    last.set(targetId, after);
  }
  for (const [id, after] of last) if (!fit(after, now.get(id) ?? null)) throw broken(kind, id);
  return [...then.values()].flatMap((image) => (image === null ? [] : [wholeRow(kind, image)]));
}

function broken(kind: PastKind, id: Id): UnknownPast {
  return new UnknownPast('TRAIL_BROKEN', `${kind} \`${id}\``);
}

function wholeRow<K extends PastKind>(kind: K, image: JsonImage): Records[K] {
  const absent = needed[kind].find((column) => image[column] === undefined);
  if (absent !== undefined)
    throw new UnknownPast('NOT_RECORDED', `${kind} \`${String(image['id'])}\` has no \`${absent}\``);
  return image as unknown as Records[K];
}

/** Whether two images are of one row. A column that only one of them has was added between the two. */
function fit(one: JsonImage | null, other: JsonImage | null): boolean {
  if (one === null || other === null) return one === other;
  return Object.keys(one).every(
    (name) => uncounted.has(name) || other[name] === undefined || isSame(one[name], other[name]),
  );
}

function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
