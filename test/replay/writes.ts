/**
 * What each mutation does to the model's account: refused, wrong in these ways, or done. Who asks was decided at two
 * moments: at the door when the request came in, and within the change, at the revision before it (rule 14).
 */
import type { Reason } from './decisions.js';
import type { Tag } from './documents.js';
import type { Id, ScopeKind, State, SubjectKind, TrailEntry, Visibility } from './state.js';

export type Write =
  | {
      readonly name: 'registerResource';
      readonly urn: string;
      readonly kind: string;
      readonly resourceName: string;
      readonly tags: readonly Tag[];
      readonly ownerId: Id | null;
      readonly parentId: Id | null;
    }
  | {
      readonly name: 'updateResource';
      readonly id: Id;
      readonly resourceName?: string;
      readonly tags?: readonly Tag[];
      readonly ownerId?: Id | null;
      readonly parentId?: Id | null;
    }
  | { readonly name: 'moveResource'; readonly id: Id; readonly workspaceId: Id }
  | { readonly name: 'deregisterResource'; readonly id: Id }
  | {
      readonly name: 'createWorkspace';
      readonly workspaceName: string;
      readonly description: string;
      readonly visibility: Visibility;
      readonly projectId: Id;
      readonly memberIds: readonly Id[];
    }
  | {
      readonly name: 'updateWorkspace';
      readonly id: Id;
      readonly visibility?: Visibility;
      readonly memberIds?: readonly Id[];
    }
  | { readonly name: 'deleteWorkspace'; readonly id: Id }
  | { readonly name: 'updateWorkspaceQuotas'; readonly id: Id; readonly kind: string; readonly quota: number }
  | {
      readonly name: 'grantPolicy';
      readonly policyId: Id;
      readonly subjectKind: SubjectKind;
      readonly subjectId: Id;
      readonly scopeKind: ScopeKind;
      readonly scopeId: Id;
      readonly expiresAt: number | null;
    }
  | { readonly name: 'revokeGrant'; readonly id: Id }
  | { readonly name: 'addGroupMembers' | 'removeGroupMembers'; readonly groupId: Id; readonly userIds: readonly Id[] }
  | { readonly name: 'updateUser'; readonly id: Id; readonly enabled: boolean }
  | { readonly name: 'setDefaultPolicyVersion'; readonly policyId: Id; readonly number: number }
  | { readonly name: 'setAuthorizationMode'; readonly mode: State['mode'] };

/** What only the server knows of what it made. */
export interface Made {
  readonly id: Id;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export type Entry = Pick<TrailEntry, 'targetKind' | 'targetId'>;

export type Outcome =
  | { readonly kind: 'refused'; readonly reason: Reason }
  | { readonly kind: 'invalid'; readonly codes: readonly string[] }
  /** No entries: nothing was changed, and no revision made. */
  | { readonly kind: 'done'; readonly state: State; readonly entries: readonly Entry[] };
