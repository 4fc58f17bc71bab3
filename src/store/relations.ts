/** Relationships that are read for many parents at once: which rows they join, and what they can be ordered by. */
import type { Kind, Relation, Relations } from '../iam/index.js';
import { confinement, type View } from './confinement.js';
import { filtered } from './lists.js';
import type { Shown, Sorting, Source } from './paging.js';
import { columnsOf, property, selected } from './rows.js';
import { all, among, raw, sql, table, type Sql } from './sql.js';
import { tables } from './tables.js';

interface Shape<R extends Relation> {
  readonly parent: Kind;
  readonly target: Kind;
  /** The row between the two, and the properties of it that name them; null when the target itself names its parent. */
  readonly link: { readonly kind: 'membership' | 'workspaceMember'; readonly target: string } | null;
  /** The property, of the link or else of the target, that names the parent. */
  readonly parentId: string;
  /** What else the target must be to name this parent. */
  readonly subjectKind?: string;
  /** What of the target is listed; all of it unless said. */
  readonly only?: (row: string, view: View) => Sql;
  readonly orders: Readonly<Record<Relations[R]['order'], string>>;
}

const byNameOrAddition = { NAME: 'nameKey', ADDED_AT: 'addedAt' } as const;
const grantsOf = (parent: Kind, subjectKind: string) =>
  ({
    parent,
    target: 'grant',
    link: null,
    parentId: 'subjectId',
    subjectKind,
    orders: { CREATED_AT: 'createdAt' },
  }) as const;

export const relations: { readonly [R in Relation]: Shape<R> } = {
  'group.members': {
    parent: 'group',
    target: 'user',
    link: { kind: 'membership', target: 'userId' },
    parentId: 'groupId',
    orders: byNameOrAddition,
  },
  'user.groups': {
    parent: 'user',
    target: 'group',
    link: { kind: 'membership', target: 'groupId' },
    parentId: 'userId',
    orders: byNameOrAddition,
  },
  'workspace.members': {
    parent: 'workspace',
    target: 'user',
    link: { kind: 'workspaceMember', target: 'userId' },
    parentId: 'workspaceId',
    orders: byNameOrAddition,
  },
  'user.grants': grantsOf('user', 'USER'),
  'group.grants': grantsOf('group', 'GROUP'),
  'agency.grants': grantsOf('agency', 'AGENCY'),
  'service.grants': grantsOf('service', 'SERVICE'),
  'policy.grants': {
    parent: 'policy',
    target: 'grant',
    link: null,
    parentId: 'policyId',
    orders: { CREATED_AT: 'createdAt' },
  },
  'policy.versions': {
    parent: 'policy',
    target: 'policyVersion',
    link: null,
    parentId: 'policyId',
    orders: { NUMBER: 'number' },
  },
  'agency.authorizations': {
    parent: 'agency',
    target: 'authorization',
    link: null,
    parentId: 'agencyId',
    orders: { CREATED_AT: 'createdAt' },
  },
  'user.accessKeys': {
    parent: 'user',
    target: 'accessKey',
    link: null,
    parentId: 'ownerId',
    only: (row) => filtered('accessKey', row, { ownerKind: 'USER' }),
    orders: { CREATED_AT: 'createdAt' },
  },
  'service.accessKeys': {
    parent: 'service',
    target: 'accessKey',
    link: null,
    parentId: 'ownerId',
    only: (row) => filtered('accessKey', row, { ownerKind: 'SERVICE' }),
    orders: { CREATED_AT: 'createdAt' },
  },
  'user.keyPairs': {
    parent: 'user',
    target: 'keyPair',
    link: null,
    parentId: 'userId',
    orders: { CREATED_AT: 'createdAt' },
  },
  'user.sessions': {
    parent: 'user',
    target: 'session',
    link: null,
    parentId: 'userId',
    only: (row, { now }) => filtered('session', row, { activeAt: now }),
    orders: { STARTED_AT: 'startedAt' },
  },
};

export interface RelationSource extends Source {
  readonly parentId: Sql;
  readonly shown: Shown;
}

/**
 * The rows of a relationship. Parents and targets are both confined, and with them what lies between: a link is visible
 * exactly when both its ends are.
 */
export function relationSource(relation: Relation, parentIds: readonly string[], view: View): RelationSource {
  const { parent, target, link, parentId, subjectKind, only } = relations[relation];
  const holder = link === null ? 'target' : 'link';
  const naming = property(holder, parentId);
  const joined = [
    ...(link === null
      ? [sql`${table(tables[target].name)} target`]
      : [sql`${table(tables[link.kind].name)} link`, joinOn(target, 'target', 'link', property('link', link.target))]),
    joinOn(parent, 'parent', holder, naming),
  ];
  return {
    columns: link === null ? sql`NULL AS "linkedAt"` : sql`link."added_at" AS "linkedAt"`,
    from: joined.reduce((left, right) => sql`${left} ${right}`),
    where: all([
      sql`${property(holder, 'accountId')} = ${view.scope.accountId}`,
      among(naming, parentIds),
      ...(subjectKind === undefined ? [] : [sql`${property('target', 'subjectKind')} = ${subjectKind}`]),
      ...(only === undefined ? [] : [only('target', view)]),
      confinement(parent, 'parent', view),
      confinement(target, 'target', view),
    ]),
    parentId: naming,
    shown: {
      columns: link === null ? selected(target, 'shown') : sql`placed."linkedAt", ${selected(target, 'shown')}`,
      join: sql`JOIN ${table(tables[target].name)} shown
        ON shown."account_id" = ${view.scope.accountId} AND shown."id" = placed."sortId"`,
    },
  };
}

export function relationSorting(relation: Relation, by: string): Sorting {
  const { target, link, orders } = relations[relation];
  const name = (orders as Readonly<Record<string, string | undefined>>)[by];
  if (name === undefined) throw new TypeError(`${relation} has no order \`${by}\``);
  const ofLink = link !== null && name === 'addedAt';
  return {
    key: property(ofLink ? 'link' : 'target', name),
    id: property('target', 'id'),
    numeric: ofLink || columnsOf(target)[name]?.type === 'bigint',
  };
}

function joinOn(kind: Kind, alias: string, from: string, id: Sql): Sql {
  return sql`JOIN ${table(tables[kind].name)} ${raw(alias)} ON ${property(alias, 'accountId')} = ${property(from, 'accountId')}
    AND ${property(alias, 'id')} = ${id}`;
}
