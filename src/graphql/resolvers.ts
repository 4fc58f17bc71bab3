/** Every resolver class of the API, subject by subject. */
import type { BuildSchemaOptions } from 'type-graphql';
import {
  AccessKeyResolver,
  ServiceAccessKeysResolver,
  UserAccessKeysResolver,
  ViewerAccessKeysResolver,
} from './access-keys.js';
import { AccessExplanationResolver } from './access-explanation.js';
import { AccessListResolver } from './access-lists.js';
import { AccessRecallResolver } from './access-recall.js';
import { AccessResolver, DecidingStatementResolver } from './access.js';
import { AccountSettingsResolver } from './account-settings.js';
import { AgencyResolver } from './agencies.js';
import { AgencySessionResolver } from './agency-sessions.js';
import { AgencyFunctionResolver } from './agency-functions.js';
import { AuditHeadResolver } from './audit-heads.js';
import { AuditResolver } from './audit.js';
import { AuthorizationFunctionResolver } from './authorization-functions.js';
import { AuthorizationReadinessResolver } from './authorization-readiness.js';
import { AgencyAuthorizationsResolver, AuthorizationResolver } from './authorizations.js';
import { CatalogueResolver } from './catalogue.js';
import { EnterpriseProjectResolver } from './enterprise-projects.js';
import {
  AgencyGrantsResolver,
  GroupGrantsResolver,
  PolicyGrantsResolver,
  ServiceGrantsResolver,
  UserGrantsResolver,
} from './grant-relations.js';
import { GrantResolver, GrantScopeResolver } from './grants.js';
import { GroupResolver, UserGroupsResolver } from './groups.js';
import { KeyPairResolver, UserKeyPairsResolver, ViewerKeyPairsResolver } from './key-pairs.js';
import { NodeResolver } from './node.js';
import { OpenSessionResolver, UserSessionsResolver, ViewerSessionsResolver } from './open-sessions.js';
import { PasswordResolver, UserPasswordResolver, ViewerPasswordResolver } from './passwords.js';
import { PermissionChangeResolver } from './permission-changes.js';
import { PolicyResolver } from './policies.js';
import { PolicyComparisonResolver } from './policy-comparison.js';
import { PolicyVersionChangeResolver } from './policy-version-changes.js';
import { PolicyVersionResolver } from './policy-versions.js';
import { RateLimitResolver } from './rate-limit.js';
import { RemoteAccessExplanationResolver } from './remote-access-explanation.js';
import { RemoteAccessResolver, ResourceRemoteAccessResolver } from './remote-access.js';
import { RequestAuthenticationResolver } from './request-authentication.js';
import { ResourceBatchResolver } from './resource-batches.js';
import { ResourceMoveResolver } from './resource-moves.js';
import { ResourceResolver } from './resources.js';
import { SecondFactorResolver, UserSecondFactorResolver, ViewerSecondFactorResolver } from './second-factors.js';
import { ServiceResolver } from './services.js';
import { SessionResolver } from './session.js';
import { SettingsResolver } from './settings.js';
import { UserResolver } from './users.js';
import { ResourcePermissionsResolver, WorkspacePermissionsResolver } from './viewer-permissions.js';
import { WorkspaceDeletionResolver } from './workspace-deletion.js';
import { WorkspaceQuotaResolver } from './workspace-quotas.js';
import { ViewerWorkspacesResolver } from './workspace-switcher.js';
import { WorkspaceResolver } from './workspaces.js';

export const resolvers: BuildSchemaOptions['resolvers'] = [
  AccessKeyResolver,
  AccessExplanationResolver,
  AccessListResolver,
  AccessRecallResolver,
  AccessResolver,
  AccountSettingsResolver,
  AgencyAuthorizationsResolver,
  AgencyFunctionResolver,
  AgencyGrantsResolver,
  AgencyResolver,
  AgencySessionResolver,
  AuditHeadResolver,
  AuditResolver,
  AuthorizationFunctionResolver,
  AuthorizationReadinessResolver,
  AuthorizationResolver,
  CatalogueResolver,
  DecidingStatementResolver,
  EnterpriseProjectResolver,
  GrantResolver,
  GrantScopeResolver,
  GroupGrantsResolver,
  GroupResolver,
  KeyPairResolver,
  NodeResolver,
  OpenSessionResolver,
  PasswordResolver,
  PermissionChangeResolver,
  PolicyGrantsResolver,
  PolicyComparisonResolver,
  PolicyResolver,
  PolicyVersionChangeResolver,
  PolicyVersionResolver,
  RateLimitResolver,
  RemoteAccessExplanationResolver,
  RemoteAccessResolver,
  RequestAuthenticationResolver,
  ResourceBatchResolver,
  ResourceMoveResolver,
  ResourcePermissionsResolver,
  ResourceRemoteAccessResolver,
  ResourceResolver,
  SecondFactorResolver,
  ServiceAccessKeysResolver,
  ServiceGrantsResolver,
  ServiceResolver,
  SessionResolver,
  SettingsResolver,
  UserAccessKeysResolver,
  UserGrantsResolver,
  UserGroupsResolver,
  UserKeyPairsResolver,
  UserPasswordResolver,
  UserResolver,
  UserSecondFactorResolver,
  UserSessionsResolver,
  ViewerKeyPairsResolver,
  ViewerPasswordResolver,
  ViewerSecondFactorResolver,
  ViewerSessionsResolver,
  ViewerAccessKeysResolver,
  ViewerWorkspacesResolver,
  WorkspaceDeletionResolver,
  WorkspacePermissionsResolver,
  WorkspaceQuotaResolver,
  WorkspaceResolver,
];
