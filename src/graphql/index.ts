/**
 * The skin: types, resolvers and the permission directives of the GraphQL API, one file for each subject. Resolvers
 * unpack an input, call one use-case and return.
 *
 * It must never know the store or HTTP, and never decides anything itself: doors and objects are asked about by the
 * guard, everything else inside the use-cases.
 */
export { contextFrom, openContext, type GraphContext } from './context.js';
export { checkNesting, documentNesting, knownOperationTypes } from './documents.js';
export {
  answer,
  brokenCredential,
  clientError,
  type ErrorCode,
  errorCodes,
  errorPlugin,
  formatError,
  isForLog,
  noteErrors,
  retryAfterUnavailable,
  showErrors,
  shownUnavailable,
  wordsForLog,
} from './errors.js';
export { checkOperation, limitsPlugin, operationLimits, parseLimits } from './limits.js';
export { decodeId, encodeNodeId, nodeKinds, plainId, readNodeId, type NodeKind } from './node-ids.js';
export {
  PreparedOperations,
  usualPreparation,
  type PreparationLimits,
  PreparedOperation,
  type SentOperation,
} from './prepared-operations.js';
export { beginSubscription, readSubscription, type SentSubscription } from './subscribing.js';
export { vouchForText } from './text.js';
export { Throttle, throttledActor, throttledPlace, usualThrottle, type ThrottleLimits } from './throttle.js';
export {
  shownResource,
  type AskedPermission,
  type AskedResource,
  type DeclaredPermissions,
  type FittingScope,
  type OperationPermissions,
} from './asked-permissions.js';
export { declaredByRules, permissionsOfOperation } from './operation-permissions.js';
export { SchemaNotGuarded } from './proof.js';
export { requireRevision } from './required-revision.js';
export { readRules, type PermissionRule, type SchemaRules } from './rules.js';
export { expectReviewed } from './reviewed.js';
export { resolvers } from './resolvers.js';
export { buildGuardedSchema, printGuardedSchema, type GuardedSchemaOptions } from './schema.js';
