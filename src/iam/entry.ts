/**
 * Who may enter a workspace (rules 2 and 3; docs/domain.md section g3). The store's scope-bound reader says the same in
 * SQL for lists of users; test/iam/entry.test.ts holds the two together.
 */
import type { AccessReader } from './ports.js';
import type { Id, User, Workspace } from './records.js';

/** Facts about one user and one workspace. */
export interface EntryFacts {
  readonly visibility: Workspace['visibility'];
  readonly status: Workspace['status'];
  readonly root: boolean;
  readonly administrator: boolean;
  readonly creator: boolean;
  readonly listed: boolean;
}

/** Whether anybody at all may enter, services and agencies too: nobody does while it is being made or deleted. */
export function takesVisitors({ status }: Pick<EntryFacts, 'status'>): boolean {
  return status === 'NORMAL' || status === 'DELETE_FAILED';
}

/** Whether somebody may enter: whoever may know of it, while it takes anybody. */
export function mayEnter(facts: EntryFacts): boolean {
  return takesVisitors(facts) && mayKnow(facts);
}

/** PUBLIC: everyone of the account. PRIVATE: creator and administrators. INTERNAL: these and the listed users. */
export function mayKnow(facts: Omit<EntryFacts, 'status'>): boolean {
  if (facts.root || facts.administrator || facts.creator) return true;
  switch (facts.visibility) {
    case 'PUBLIC':
      return true;
    case 'PRIVATE':
      return false;
    case 'INTERNAL':
      return facts.listed;
  }
}

/** What is read about one user and one workspace. */
export type EntryReader = Pick<AccessReader, 'isAdministrator' | 'isListedIn'>;

/** Whether this user may enter this workspace now. */
export async function mayUserEnter(access: EntryReader, workspace: Workspace, user: User): Promise<boolean> {
  const facts = await entryFacts(access, workspace, user);
  return facts !== null && mayEnter(facts);
}

/** Whether this user may know of this workspace, and so see what becomes of it. */
export async function mayUserKnow(access: EntryReader, workspace: Workspace, user: User): Promise<boolean> {
  const facts = await entryFacts(access, workspace, user);
  return facts !== null && mayKnow(facts);
}

/** Null when the two are of different accounts. */
async function entryFacts(access: EntryReader, workspace: Workspace, user: User): Promise<EntryFacts | null> {
  const { accountId, id } = workspace;
  if (user.accountId !== accountId) return null;
  const [administrator, listed] = await Promise.all([
    access.isAdministrator(accountId, user.id),
    workspace.visibility === 'INTERNAL' ? access.isListedIn(accountId, id, user.id) : false,
  ]);
  return {
    visibility: workspace.visibility,
    status: workspace.status,
    root: user.root,
    administrator,
    creator: workspace.creatorId === user.id,
    listed,
  };
}

/** The workspaces of these that a user may enter, for lists; bounded statements. */
export async function enterable(
  access: EntryReader,
  workspaces: readonly Workspace[],
  user: User,
): Promise<readonly Id[]> {
  const answers = await Promise.all(workspaces.map((workspace) => mayUserEnter(access, workspace, user)));
  return workspaces.filter((_, index) => answers[index]).map((workspace) => workspace.id);
}
