/** What an agency is granted so that functions of the platform work through it (docs/domain.md sections f2 and f3). */
import type { DraftedLevel } from '../catalogue/index.js';
import type { GrantScopeKind } from './records.js';

/** Where a policy of this level is granted so that it acts in every workspace: account-level services by the account. */
export function usualScope(level: DraftedLevel): GrantScopeKind {
  return level === 'GLOBAL' ? 'ACCOUNT' : 'ALL_WORKSPACES';
}
