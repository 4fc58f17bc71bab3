/** How each listed kind can be filtered: one term for each member of its filter. */
import { fold, type Filters, type ListedKind } from '../iam/index.js';
import { mayEnter, mayKnow } from './confinement.js';
import { rowExpression } from './row-expressions.js';
import { property } from './rows.js';
import { all, always, among, contains, raw, sql, type Scalar, type Sql } from './sql.js';

/** The condition that a value of the filter sets on a row that the statement calls `row`. */
type Term<V> = (row: string, value: V) => Sql;

type Terms<K extends ListedKind> = { readonly [F in keyof Filters[K]]-?: Term<NonNullable<Filters[K][F]>> };

/** Equality for most; for names without case. */
const same =
  (name: string): Term<Scalar> =>
  (row, value) =>
    sql`${property(row, name)} = ${value}`;

const named: Term<string> = (row, value) => sql`${property(row, 'nameKey')} = ${fold(value)}`;
const nameContains: Term<string> = (row, value) => contains(property(row, 'nameKey'), fold(value));
const byName = { name: named, nameContains };

const filters: { readonly [K in ListedKind]: Terms<K> } = {
  user: { ...byName, enabled: same('enabled'), rootOrGranted },
  group: byName,
  policy: { ...byName, origin: same('origin') },
  grant: {
    policyId: same('policyId'),
    subjectKind: same('subjectKind'),
    subjectId: same('subjectId'),
    scopeKind: same('scopeKind'),
    scopeId: same('scopeId'),
  },
  workspace: {
    ...byName,
    enterpriseProjectId: same('enterpriseProjectId'),
    visibility: same('visibility'),
    accessibleTo: (row, userId) => forUser(row, userId, mayEnter),
    knownTo: (row, userId) => forUser(row, userId, mayKnow),
  },
  enterpriseProject: { ...byName, enabled: same('enabled') },
  service: byName,
  resource: {
    urn: same('urn'),
    nameContains,
    ownerId: same('ownerId'),
    kinds: (row, values) => among(property(row, 'kind'), values),
    parentId: same('parentId'),
    ownerless: (row, wanted) => {
      const owned = sql`EXISTS (
        SELECT 1 FROM "users" ${raw('proprietor')}
        WHERE proprietor."account_id" = ${property(row, 'accountId')}
          AND proprietor."id" = ${property(row, 'ownerId')})`;
      return wanted ? sql`NOT ${owned}` : owned;
    },
    visible: rowExpression,
  },
  agency: { ...byName, trustedId: same('trustedId') },
  authorization: { agencyId: same('agencyId'), userId: same('userId') },
  auditEvent: {
    operation: same('operation'),
    actorId: same('actorId'),
    targetKind: same('targetKind'),
    targetId: same('targetId'),
    /** From this instant on. */
    since: (row, instant) => sql`${property(row, 'at')} >= ${instant}`,
    /** Before this instant. */
    until: (row, instant) => sql`${property(row, 'at')} < ${instant}`,
  },
  session: {
    userId: same('userId'),
    activeAt: (row, instant) =>
      all([
        sql`${property(row, 'startedAt')} <= ${instant}`,
        sql`${property(row, 'expiresAt')} > ${instant}`,
        sql`(${property(row, 'endedAt')} IS NULL OR ${property(row, 'endedAt')} > ${instant})`,
      ]),
  },
  accessKey: { ownerKind: same('ownerKind'), ownerId: same('ownerId') },
  keyPair: { userId: same('userId'), fingerprint: same('fingerprint') },
};

/** Written as one lookup from the grants of the policies, so that few grants mean little work among many users. */
function rootOrGranted(row: string, policyIds: readonly string[]): Sql {
  const account = property(row, 'accountId');
  const given = among(sql`given."policy_id"`, policyIds);
  return sql`(${property(row, 'root')} = ${true} OR ${property(row, 'id')} IN (
    SELECT given."subject_id" FROM "grants" given
    WHERE given."account_id" = ${account} AND given."subject_kind" = 'USER' AND ${given}
    UNION ALL
    SELECT joined."user_id" FROM "grants" given
    JOIN "memberships" joined ON joined."account_id" = given."account_id" AND joined."group_id" = given."subject_id"
    WHERE given."account_id" = ${account} AND given."subject_kind" = 'GROUP' AND ${given}))`;
}

/** What holds between a workspace and a user of its account. */
function forUser(workspace: string, userId: string, holds: (workspace: string, user: string) => Sql): Sql {
  return sql`EXISTS (
    SELECT 1 FROM "users" ${raw('visitor')}
    WHERE visitor."account_id" = ${property(workspace, 'accountId')} AND visitor."id" = ${userId}
      AND ${holds(workspace, 'visitor')})`;
}

/** Absent members filter nothing; a member that no list knows is a defect, never a filter that is not applied. */
export function filtered<K extends ListedKind>(kind: K, row: string, filter: Filters[K]): Sql {
  const terms = filters[kind] as Readonly<Record<string, Term<unknown> | undefined>>;
  const conditions = Object.entries(filter)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const term = terms[name];
      if (term === undefined) throw new TypeError(`a list of ${kind} has no filter \`${name}\``);
      if (value === null) throw new TypeError(`the filter \`${name}\` of a list of ${kind} has no value`);
      return term(row, value);
    });
  return conditions.length === 0 ? always : all(conditions);
}
