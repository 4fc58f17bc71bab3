/**
 * Where a user works: the workspaces that they may switch to, and the one that they chose last, so that a console begins
 * there again. Rule 16: this is one of the few places that name other workspaces than one's own.
 */
import type { Call } from './call.js';
import { mayUserEnter } from './entry.js';
import type { House } from './house.js';
import type { Listing } from './listing.js';
import type { AccessReader, Orders, Row, Transaction, Window } from './ports.js';
import { DEFAULT_ID, type Account, type Id, type Instant, type User, type Workspace } from './records.js';

/** Visits closer together than this are one: a console that asks again and again writes nothing. */
const oneVisit = 60_000;

export interface EnterableWorkspace {
  /** Node id and kind are those of the workspace itself. */
  readonly workspace: Workspace;
  /** The caller acts in it now. */
  readonly current: boolean;
  /** When the caller chose it last; null: never. */
  readonly visitedAt: Instant | null;
}

/**
 * The workspaces that the user behind the call may enter, wherever the call acts; null for services and agencies, which
 * name the workspace in each request. Needs no permission but to be there: entering needs none.
 */
export async function enterableWorkspaces(
  house: House,
  { accountId, user, scope }: Call,
  nameContains: string | null,
  window: Window<Orders['workspace']>,
): Promise<Listing<EnterableWorkspace> | null> {
  if (user === null) return null;
  const reader = house.store.reader({ accountId, workspaceId: null });
  const filter = { accessibleTo: user.id, ...(nameContains === null ? {} : { nameContains }) };
  const page = await reader.page('workspace', filter, window);
  const visitOf = (id: Id): Id => `${user.id}.${id}`;
  const visits = await reader.find(
    'workspaceVisit',
    page.rows.map(({ record }) => visitOf(record.id)),
  );
  const rows = page.rows.map(({ record, position }): Row<EnterableWorkspace> => {
    const visitedAt = visits.get(visitOf(record.id))?.visitedAt ?? null;
    return { position, record: { workspace: record, current: record.id === scope.workspaceId, visitedAt } };
  });
  return { page: { ...page, rows }, count: () => reader.count('workspace', filter) };
}

/** Remembers that a user chose to act in a workspace; nothing when it has been deleted since they chose. */
export async function noteVisit(transaction: Transaction, userId: Id, workspaceId: Id): Promise<boolean> {
  const { accountId, at } = transaction.origin;
  const id = `${userId}.${workspaceId}`;
  const kept = await transaction.get('workspaceVisit', id);
  if (kept === null) {
    if ((await transaction.access.workspace(accountId, workspaceId)) === null) return false;
    await transaction.insert('workspaceVisit', { id, accountId, userId, workspaceId, visitedAt: at });
    return true;
  }
  const last = await transaction.access.lastVisit(accountId, userId);
  if (last?.id === id && at - kept.visitedAt < oneVisit) return false;
  await transaction.update('workspaceVisit', id, { visitedAt: at });
  return true;
}

/** The workspace that a user chose last, if they may still enter it; else the default one. */
export async function lastWorkspaceOf(access: AccessReader, account: Account, user: User): Promise<Id> {
  const visit = await access.lastVisit(account.id, user.id);
  const workspace = visit === null ? null : await access.workspace(account.id, visit.workspaceId);
  return workspace !== null && (await mayUserEnter(access, workspace, user)) ? workspace.id : DEFAULT_ID;
}
