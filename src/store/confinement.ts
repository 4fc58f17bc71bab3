/**
 * The second wall: for each kind, the condition under which a row belongs to a scope. Every read of a `Reader` goes
 * through here, whatever it asks, so that a forgotten check elsewhere shows nothing (DESIGN section 2).
 *
 * This is the only place of the store that knows rules of the business, because they must be SQL to be complete. Who
 * may enter a workspace is said in TypeScript too, by the business itself; tests hold the two together.
 */
import type { Instant, Kind, Scope } from '../iam/index.js';
import { property } from './rows.js';
import { all, always, any, never, raw, sql, table, type Sql } from './sql.js';
import { tables } from './tables.js';

/** What a reader sees from: its scope, at one instant. */
export interface View {
  readonly scope: Scope;
  readonly now: Instant;
}

/** The rows of `kind`, called `row` in the statement, that belong to the scope of the view. */
export function confinement(kind: Kind, row: string, view: View): Sql {
  const { accountId, workspaceId } = view.scope;
  const ofAccount = sql`${property(row, kind === 'account' ? 'id' : 'accountId')} = ${accountId}`;
  if (workspaceId === null) return all([ofAccount, inAccount[kind](row)]);
  const place = { accountId, workspaceId, now: view.now };
  const exists = existing('workspace', `${row}_here`, place, sql`${workspaceId}`);
  return all([ofAccount, exists, inWorkspace[kind](row, place)]);
}

/** Who may enter: whoever may know of it, but nobody while it is being made or deleted. */
export function mayEnter(workspace: string, user: string): Sql {
  return all([sql`${property(workspace, 'status')} IN ('NORMAL', 'DELETE_FAILED')`, mayKnow(workspace, user)]);
}

/**
 * Who may know of a workspace: the root user, administrators and the creator always, everyone of the account when it is
 * PUBLIC, the listed users when it is INTERNAL. `workspace` and `user` name rows of one account.
 */
export function mayKnow(workspace: string, user: string): Sql {
  const ofWorkspace = (name: string) => property(workspace, name);
  const ofUser = (name: string) => property(user, name);
  const listed = sql`EXISTS (
    SELECT 1 FROM "workspace_members" listed
    WHERE listed."account_id" = ${ofWorkspace('accountId')} AND listed."workspace_id" = ${ofWorkspace('id')}
      AND listed."user_id" = ${ofUser('id')})`;
  return any([
    sql`${ofWorkspace('visibility')} = 'PUBLIC'`,
    sql`${ofWorkspace('creatorId')} = ${ofUser('id')}`,
    sql`${ofUser('root')} = TRUE`,
    sql`(${ofWorkspace('visibility')} = 'INTERNAL' AND ${listed})`,
    isAdministrator(ofUser('accountId'), ofUser('id')),
  ]);
}

/** Membership of the built-in group `admin`. */
export function isAdministrator(accountId: Sql, userId: Sql): Sql {
  return sql`EXISTS (
    SELECT 1 FROM "memberships" joined
    JOIN "groups" administrators ON administrators."account_id" = joined."account_id"
      AND administrators."id" = joined."group_id" AND administrators."built_in" = TRUE
    WHERE joined."account_id" = ${accountId} AND joined."user_id" = ${userId})`;
}

const everyRow = () => always;
const noRow = () => never;

/** Account scope: who, but never what; nothing of any workspace's resources or history. */
const inAccount: { readonly [K in Kind]: (row: string) => Sql } = {
  account: everyRow,
  accountSettings: everyRow,
  user: everyRow,
  password: noRow,
  secondFactor: everyRow,
  spentSignature: noRow,
  strangerAttempts: noRow,
  session: everyRow,
  group: everyRow,
  membership: everyRow,
  policy: everyRow,
  policyVersion: everyRow,
  grant: everyRow,
  workspace: everyRow,
  workspaceMember: everyRow,
  workspaceQuota: everyRow,
  workspaceVisit: everyRow,
  enterpriseProject: everyRow,
  service: everyRow,
  resource: noRow,
  agency: everyRow,
  authorization: everyRow,
  accessKey: everyRow,
  keyPair: everyRow,
  remoteAccess: noRow,
  agencySession: noRow,
  auditEvent: (row) => sql`${property(row, 'workspaceId')} = ''`,
  auditChain: noRow,
  idempotencyRecord: noRow,
};

interface Place {
  readonly accountId: string;
  readonly workspaceId: string;
  readonly now: Instant;
}

/** Workspace scope: what belongs to that workspace, and those who can act there. */
const inWorkspace: { readonly [K in Kind]: (row: string, place: Place) => Sql } = {
  account: everyRow,
  accountSettings: noRow,
  user: (row, place) => sql`EXISTS (
    SELECT 1 FROM "workspaces" ${raw(`${row}_entered`)}
    WHERE ${property(`${row}_entered`, 'accountId')} = ${place.accountId}
      AND ${property(`${row}_entered`, 'id')} = ${place.workspaceId} AND ${mayEnter(`${row}_entered`, row)})`,
  password: noRow,
  secondFactor: (row, place) => visible('user', row, place, property(row, 'id')),
  spentSignature: noRow,
  strangerAttempts: noRow,
  session: (row, place) => visible('user', row, place, property(row, 'userId')),
  group: (row, place) => granted('GROUP', row, place),
  membership: (row, place) =>
    all([visible('group', row, place, property(row, 'groupId')), visible('user', row, place, property(row, 'userId'))]),
  policy: (row, place) => any([sql`${property(row, 'origin')} = 'SYSTEM'`, grantedBy(row, place)]),
  policyVersion: (row, place) => visible('policy', row, place, property(row, 'policyId')),
  grant: (row, place) => all([effective(row, place), subjectVisible(row, place)]),
  workspace: (row, place) => sql`${property(row, 'id')} = ${place.workspaceId}`,
  workspaceMember: (row, place) =>
    all([
      sql`${property(row, 'workspaceId')} = ${place.workspaceId}`,
      visible('user', row, place, property(row, 'userId')),
    ]),
  workspaceQuota: (row, place) => sql`${property(row, 'workspaceId')} = ${place.workspaceId}`,
  workspaceVisit: noRow,
  enterpriseProject: (row, place) => sql`${property(row, 'id')} = ${projectOf(place)}`,
  service: (row, place) => granted('SERVICE', row, place),
  resource: (row, place) => sql`${property(row, 'workspaceId')} = ${place.workspaceId}`,
  agency: (row, place) => granted('AGENCY', row, place),
  authorization: (row, place) =>
    all([
      visible('agency', row, place, property(row, 'agencyId')),
      any([sql`${property(row, 'userId')} = ''`, visible('user', row, place, property(row, 'userId'))]),
    ]),
  accessKey: (row, place) =>
    any([
      all([sql`${property(row, 'ownerKind')} = 'USER'`, visible('user', row, place, property(row, 'ownerId'))]),
      all([sql`${property(row, 'ownerKind')} = 'SERVICE'`, visible('service', row, place, property(row, 'ownerId'))]),
    ]),
  keyPair: (row, place) => visible('user', row, place, property(row, 'userId')),
  remoteAccess: (row, place) => visible('resource', row, place, property(row, 'id')),
  agencySession: noRow,
  auditEvent: (row, place) => sql`${property(row, 'workspaceId')} = ${place.workspaceId}`,
  auditChain: noRow,
  idempotencyRecord: noRow,
};

/** Whether a grant acts in the workspace now: its scope reaches it and it has not expired. */
function effective(grant: string, place: Place): Sql {
  const of = (name: string) => property(grant, name);
  return all([
    sql`(${of('expiresAt')} IS NULL OR ${of('expiresAt')} > ${place.now})`,
    any([
      sql`${of('scopeKind')} IN ('ALL', 'ACCOUNT', 'ALL_WORKSPACES')`,
      sql`(${of('scopeKind')} = 'WORKSPACE' AND ${of('scopeId')} = ${place.workspaceId})`,
      sql`(${of('scopeKind')} = 'ENTERPRISE_PROJECT' AND ${of('scopeId')} = ${projectOf(place)})`,
    ]),
  ]);
}

function projectOf(place: Place): Sql {
  return sql`(SELECT project."enterprise_project_id" FROM "workspaces" project
    WHERE project."account_id" = ${place.accountId} AND project."id" = ${place.workspaceId})`;
}

/** Whether some grant acting in the workspace has this row as its subject. */
function granted(subjectKind: 'GROUP' | 'AGENCY' | 'SERVICE', row: string, place: Place): Sql {
  const grant = `${row}_grant`;
  return sql`EXISTS (
    SELECT 1 FROM "grants" ${raw(grant)}
    WHERE ${property(grant, 'accountId')} = ${place.accountId} AND ${property(grant, 'subjectKind')} = ${subjectKind}
      AND ${property(grant, 'subjectId')} = ${property(row, 'id')} AND ${effective(grant, place)})`;
}

/** Whether some visible grant gives this policy. */
function grantedBy(policy: string, place: Place): Sql {
  const grant = `${policy}_grant`;
  return sql`EXISTS (
    SELECT 1 FROM "grants" ${raw(grant)}
    WHERE ${property(grant, 'accountId')} = ${place.accountId}
      AND ${property(grant, 'policyId')} = ${property(policy, 'id')} AND ${inWorkspace.grant(grant, place)})`;
}

/** A user is visible when they may enter; the other subjects are by this very grant, if they exist. */
function subjectVisible(grant: string, place: Place): Sql {
  const subject = property(grant, 'subjectId');
  const isOf = (kind: string) => sql`${property(grant, 'subjectKind')} = ${kind}`;
  return any([
    all([isOf('USER'), visible('user', grant, place, subject)]),
    all([isOf('GROUP'), existing('group', `${grant}_group`, place, subject)]),
    all([isOf('AGENCY'), existing('agency', `${grant}_agency`, place, subject)]),
    all([isOf('SERVICE'), existing('service', `${grant}_service`, place, subject)]),
  ]);
}

/** Whether the row of `kind` with this id exists in the account and is visible from the workspace. */
function visible(kind: Kind, from: string, place: Place, id: Sql): Sql {
  const row = `${from}_${tables[kind].name}`;
  return existing(kind, row, place, id, inWorkspace[kind](row, place));
}

function existing(kind: Kind, row: string, place: Pick<Place, 'accountId'>, id: Sql, condition: Sql = always): Sql {
  return sql`EXISTS (
    SELECT 1 FROM ${table(tables[kind].name)} ${raw(row)}
    WHERE ${property(row, 'accountId')} = ${place.accountId} AND ${property(row, 'id')} = ${id} AND ${condition})`;
}
