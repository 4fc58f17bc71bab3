/**
 * The catalogue: what can be named in a policy and asked in a decision. Typed actions, kinds of resource, condition
 * keys, system-defined and built-in policies, all of them data under `schema/` that is checked when it is loaded; and
 * the questions about a document that only this data can answer.
 *
 * It must never know who somebody is, what they were granted, where they act, or whether something is allowed: no
 * account, no user, no workspace, no store, no clock. It knows the policy engine's types and pure functions only.
 */
export {
  accessLevels,
  hasWildcard,
  type AccessLevel,
  type ActionOrigin,
  type ActionRow,
  type RegisteredAction,
  type RegisteredKind,
  type ResourceKind,
} from './action-row.js';
export { NameIndex } from './name-index.js';
export { actionNames, type ActionName } from './action-names.js';
export {
  dependenciesOf,
  platformCatalogue,
  RegistrationRefused,
  type Catalogue,
  type CatalogueService,
} from './catalogue.js';
export { checkRegistration } from './registration.js';
export type { ConditionKey, ConditionKeyPresence, ConditionKeySetter, ConditionKeyType } from './condition-keys.js';
export { checkDocument, type DocumentPurpose } from './document-check.js';
export { namesService, policyLevel, type PolicyLevel } from './policy-level.js';
export {
  authorizationFunctions,
  authorizationPresets,
  type AuthorizationFunction,
  type AuthorizationPreset,
} from './authorization-functions.js';
export {
  agencyActionsOf,
  chooseFunctions,
  draftAgencyPolicies,
  draftedPolicy,
  spread,
  type AgencyPolicyDraft,
  type DraftedAgencyPolicy,
  type DraftedLevel,
  type FunctionChoice,
} from './agency-policies.js';
export {
  draftPolicy,
  draftText,
  type DraftDocument,
  type PolicyDraft,
  type PolicyDraftRequest,
} from './policy-draft.js';
export {
  fullAccessId,
  samplePolicies,
  securityAdministratorId,
  systemPolicies,
  type SystemPolicy,
  type SystemPolicyKind,
} from './system-policies.js';
export { builtInPolicies, modelArtsDefaultPolicy, selfPolicy, type BuiltInPolicy } from './built-in-policies.js';
export {
  changeOfPolicies,
  describeChangedRequest,
  describePolicyChange,
  gainOfPolicies,
  mayWiden,
  type ChangedRequest,
  type ComparingCatalogue,
  type PolicyChange,
} from './policy-change.js';
export { didYouMean, quote, suggestName } from './suggestion.js';
