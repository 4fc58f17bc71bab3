/**
 * The business of Bailiwick: accounts, people, policies, grants, workspaces, and the authorizer that decides.
 * Use-cases on ports, one deep file per subject. It must never know SQL, GraphQL or HTTP: the store implements its
 * ports, the skins call its use-cases.
 */
export * from './records.js';
export * from './ports.js';
export { pastKinds, soughtBy, type PastKind, type Sought, type TrailReader } from './trail-reader.js';
export * from './revision.js';
export * from './outcome.js';
export * from './listing.js';
export { fold } from './names.js';
export * from './authorizer.js';
export * from './reach.js';
export { describeVoid, findVoid, type VoidPart } from './void-grants.js';
export * from './call.js';
export * from './calls.js';
export type { House } from './house.js';
export * from './iam.js';
export { silentObserver, type Observer } from './observer.js';
export { usualTokenKeys, type TokenKeySettings } from './token-keys.js';
export { passwordLimits, weakness, type PasswordPolicy } from './passwords.js';
export { checkText, quotas, textRules } from './limits.js';
export * from './accounts.js';
export {
  endOtherSessionsOf,
  endSession,
  isOpenSession,
  maySeeSession,
  refreshToken,
  revokeSessions,
  signOut,
  switchScope,
  type Issued,
  type RevokedSessions,
  type RevokeSessionsInput,
  type ScopeChoice,
} from './sessions.js';
export * from './sign-in.js';
export * from './account-settings.js';
export {
  changePassword,
  passwordExpiries,
  resetPassword,
  type ChangedPassword,
  type ChangePasswordInput,
  type ResetPasswordInput,
} from './password-changes.js';
export * from './second-factors.js';
export * from './users.js';
export * from './groups.js';
export * from './services.js';
export {
  createPolicy,
  createPolicyVersion,
  defaultVersionsOf,
  deletePolicy,
  deletePolicyVersion,
  reviewDocument,
  setDefaultPolicyVersion,
  type CreatePolicyInput,
  type CreatePolicyVersionInput,
  type DocumentInput,
  type PolicyChange,
  type PolicyVersionInput,
  type SetDefaultPolicyVersionInput,
} from './policies.js';
export {
  grantAction,
  grantDoor,
  grantPolicy,
  revokeDoor,
  revokeGrant,
  type GrantChange,
  type GrantPolicyInput,
} from './grants.js';
export * from './settings.js';
export * from './workspaces.js';
export * from './workspace-deletion.js';
export { enterableWorkspaces, type EnterableWorkspace } from './workspace-visits.js';
export * from './workspace-quotas.js';
export * from './enterprise-projects.js';
export {
  changeDirectory,
  lastAdministrator,
  type DirectoryInputs,
  type DirectoryOperation,
} from './directory-changes.js';
export * from './resource-urns.js';
export * from './resource-visibility.js';
export * from './resources.js';
export * from './resource-moves.js';
export * from './resource-batches.js';
export * from './object-permissions.js';
export * from './agencies.js';
export * from './agency-sessions.js';
export * from './agency-functions.js';
export * from './authorization-readiness.js';
export { readinessProblems, type ReadinessProblem, type ReadinessProblemCode } from './readiness-problems.js';
export { checkAccess, decideForViewer, type ShownDecision } from './access.js';
export { longestRecall, recallAccess, type AccessRecall, type Moment, type RecalledDecision } from './access-recall.js';
export { unknownPastReasons, type UnknownPastReason } from './past-rows.js';
export { longestBatch, type AccessRequest } from './access-requests.js';
export { type PrincipalChoice } from './askers.js';
export { mostPolicies, simulateAccess, type Simulation } from './simulation.js';
export * from './policy-comparison.js';
export {
  mostLooks,
  whatCan,
  whoCan,
  type AccessPage,
  type ActionAccess,
  type ListedPrincipalKind,
  type OpenAccess,
  type PrincipalAccess,
  type Verdict as AccessVerdict,
  type WhatCanRequest,
  type WhoCanRequest,
} from './access-lists.js';
export { decideOpen, type OpenDecision, type OpenQuestion as OpenAccessQuestion } from './open-decision.js';
export {
  explainAccess,
  unnamed,
  type AccessExplanation,
  type ShownWay,
  type UncountedGrant,
} from './access-explanation.js';
export {
  authenticateRequest,
  type AuthenticatedRequest,
  type AuthenticateRequestInput,
} from './request-authentication.js';
export * from './audit-heads.js';
export * from './audit-images.js';
export { mayEnter, mayKnow, type EntryFacts } from './entry.js';
export { gainsOf, type Gains, type Gift } from './escalation.js';
export type { SignatureUse } from './signed-requests.js';
export {
  createAccessKey,
  credentialUrn,
  deleteAccessKey,
  keysPerOwner,
  updateAccessKey,
  type CreateAccessKeyInput,
  type IssuedKey,
  type UpdateAccessKeyInput,
} from './access-keys.js';
export * from './key-pairs.js';
export * from './remote-access.js';
export { authorizedKeys, type AuthorizedKeysRequest } from './authorized-keys.js';
export * from './remote-access-explanation.js';
export { sshConfig } from './ssh-config.js';
export { KeyLocks } from './key-locks.js';
export { SharedTallies, tallyId, type OthersCount } from './shared-tallies.js';
export { keepSweeping, sweepExpired, type Swept, type Sweeping } from './sweep.js';
export { Recollection } from './recollection.js';
export { TokenBuckets, type BucketOptions, type BucketState } from './token-buckets.js';
export { createSealing, type Sealing } from './sealing.js';
export { sealedRows, type SealedRows } from './sealed-rows.js';
export { documentOf } from './rights.js';
export * from './account-review.js';
export { FairQueue } from './fair-queue.js';
export { Watches, type Wakening, type Watch } from './watches.js';
export { PermissionChanges, type PermissionsChange } from './permission-changes.js';
export { AuditFeed } from './audit-feed.js';
