/** Every resolver class of the API, subject by subject. */
import type { BuildSchemaOptions } from 'type-graphql';
import { AccessResolver, DecidingStatementResolver } from './access.js';
import { AgencyResolver, AuthorizationResolver } from './agencies.js';
import { AuditResolver } from './audit.js';
import { CatalogueResolver } from './catalogue.js';
import { EnterpriseProjectResolver } from './enterprise-projects.js';
import {
  AgencyGrantsResolver,
  GrantResolver,
  GrantScopeResolver,
  GroupGrantsResolver,
  PolicyGrantsResolver,
  ServiceGrantsResolver,
  UserGrantsResolver,
} from './grants.js';
import { GroupResolver, UserGroupsResolver } from './groups.js';
import { NodeResolver } from './node.js';
import { PolicyResolver, PolicyVersionResolver } from './policies.js';
import { ResourceResolver } from './resources.js';
import { ServiceResolver } from './services.js';
import { SessionResolver } from './session.js';
import { SettingsResolver } from './settings.js';
import { UserResolver } from './users.js';
import { WorkspaceResolver } from './workspaces.js';

export const resolvers: BuildSchemaOptions['resolvers'] = [
  AccessResolver,
  AgencyGrantsResolver,
  AgencyResolver,
  AuditResolver,
  AuthorizationResolver,
  CatalogueResolver,
  DecidingStatementResolver,
  EnterpriseProjectResolver,
  GrantResolver,
  GrantScopeResolver,
  GroupGrantsResolver,
  GroupResolver,
  NodeResolver,
  PolicyGrantsResolver,
  PolicyResolver,
  PolicyVersionResolver,
  ResourceResolver,
  ServiceGrantsResolver,
  ServiceResolver,
  SessionResolver,
  SettingsResolver,
  UserGrantsResolver,
  UserGroupsResolver,
  UserResolver,
  WorkspaceResolver,
];
