/** How far a grant reaches (rule 11; docs/domain.md sections b1 and b4). The truth table stands in test/iam/reach.json. */
import type { GrantScopeKind, Id } from './records.js';

/** What the catalogue says of an action, as far as reach depends on it. */
export interface ReachableAction {
  /** Belongs to an account-level service (iam, obs, eps, bss, bailiwick). */
  readonly global: boolean;
  /** May be given through an enterprise project at all. */
  readonly enterpriseProjectScope: boolean;
}

export interface GrantScope {
  readonly scopeKind: GrantScopeKind;
  readonly scopeId: Id;
}

/** Whether what is granted in `grant` acts on a request for `action` in that workspace (null: in account scope). */
export function reaches(
  grant: GrantScope,
  workspace: { readonly id: Id; readonly enterpriseProjectId: Id } | null,
  action: ReachableAction,
): boolean {
  switch (grant.scopeKind) {
    case 'ALL':
      return true;
    case 'ACCOUNT':
      return workspace === null || action.global;
    case 'ALL_WORKSPACES':
      return workspace !== null;
    case 'WORKSPACE':
      return workspace !== null && workspace.id === grant.scopeId;
    case 'ENTERPRISE_PROJECT':
      return workspace !== null && workspace.enterpriseProjectId === grant.scopeId && action.enterpriseProjectScope;
  }
}

/** Whether every request that `inner` can reach, `outer` reaches too; for the rule that nobody gives more than they hold. */
export function covers(outer: GrantScope, inner: GrantScope): boolean {
  if (outer.scopeKind === 'ALL') return true;
  if (outer.scopeKind === 'ALL_WORKSPACES') {
    return ['ALL_WORKSPACES', 'WORKSPACE', 'ENTERPRISE_PROJECT'].includes(inner.scopeKind);
  }
  return outer.scopeKind === inner.scopeKind && outer.scopeId === inner.scopeId;
}

/** Whether some request could be reached by both; false only when certainly none can. */
export function mayMeet(a: GrantScope, b: GrantScope): boolean {
  if (a.scopeKind === 'WORKSPACE' && b.scopeKind === 'WORKSPACE') return a.scopeId === b.scopeId;
  if (a.scopeKind === 'ENTERPRISE_PROJECT' && b.scopeKind === 'ENTERPRISE_PROJECT') return a.scopeId === b.scopeId;
  return true;
}

/** Whether a grant reaches into a workspace for some action at all: how services and agency sessions enter (rule 3). */
export function reachesWorkspace(
  grant: GrantScope,
  workspace: { readonly id: Id; readonly enterpriseProjectId: Id },
): boolean {
  return reaches(grant, workspace, { global: true, enterpriseProjectScope: true });
}
