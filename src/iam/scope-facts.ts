/** What decisions read about a scope: the workspace, and whether the principal may be in it. */
import type { Rights, ScopeFacts } from './authorizer.js';
import { type EntryReader, mayUserEnter, takesVisitors } from './entry.js';
import type { Scope } from './ports.js';
import { reachesWorkspace } from './reach.js';
import type { Account, Instant, User, Workspace } from './records.js';

export interface Visit {
  readonly account: Account;
  readonly scope: Scope;
  /** Null in account scope, and where there is no such workspace. */
  readonly workspace: Workspace | null;
  readonly user: User | null;
  readonly rights: Rights;
}

/**
 * Facts of a scope for one principal: closed when the workspace is gone, being deleted, or may not be entered (any
 * more). Visibility binds users; services and agency sessions enter where a grant reaches (rule 3).
 */
export async function scopeFacts(
  access: EntryReader,
  now: Instant,
  { account, scope, workspace, user, rights }: Visit,
): Promise<ScopeFacts> {
  const bound = rights.bounds?.workspaceId ?? null;
  const within = bound === null || bound === scope.workspaceId;
  if (scope.workspaceId === null) return { account, workspace: null, open: within };
  if (workspace === null) {
    return { account, workspace: { id: scope.workspaceId, name: '', enterpriseProjectId: '' }, open: false };
  }
  const open =
    user === null
      ? takesVisitors(workspace) &&
        rights.sources.some(
          ({ document, origin }) =>
            origin.kind === 'GRANT' &&
            document.statements.some(({ effect }) => effect === 'ALLOW') &&
            (origin.expiresAt === null || origin.expiresAt > now) &&
            reachesWorkspace(origin, workspace),
        )
      : await mayUserEnter(access, workspace, user);
  return { account, workspace, open: open && within };
}
