/**
 * One description for each kind of row, from which entities, mapping, orders and filters follow. What is written here is
 * what the tables are; how they came to be is in migrations/, and a test holds the two together.
 *
 * INVARIANT: every table but `accounts` has the primary key (account_id, id), and every reference, unique rule and index
 * begins with account_id, so that no reference can cross accounts.
 */
import { instanceStates, type Kind, type ListedKind, type Orders, type Records } from '../iam/index.js';
import { choice, flag, integer, json, key, optional, text, type Column } from './columns.js';

export interface Reference {
  /** Property that names the row; its own id for a password or a second factor, which is its user's. */
  readonly property: string;
  readonly kind: Kind;
}

export interface Table<K extends Kind> {
  readonly name: string;
  readonly columns: { readonly [C in keyof Records[K]]-?: Column };
  /** Names are compared without case on a shadow column that the store keeps beside them: `nameKey`. */
  readonly named: 'UNIQUE' | 'SHARED' | null;
  /** Unique rules besides the primary key and the name, within the account. */
  readonly unique: readonly (readonly string[])[];
  /** Unique among all accounts, where the account is not known before the row is. */
  readonly uniqueEverywhere: readonly string[];
  /** Every order, filter and relation has one; within the account. */
  readonly indexes: readonly (readonly string[])[];
  readonly references: readonly Reference[];
  readonly orders: K extends ListedKind ? Readonly<Record<Orders[K], string>> : null;
}

const own = { accountId: key(), id: key() };
const described = { name: text(), description: text() };
const dated = { version: integer(), createdAt: integer(), updatedAt: integer() };

const byName = { NAME: 'nameKey', CREATED_AT: 'createdAt' } as const;
const byNameAndChange = { ...byName, UPDATED_AT: 'updatedAt' } as const;
const createdFirst = { CREATED_AT: 'createdAt' } as const;

const bare = { named: null, unique: [], uniqueEverywhere: [], indexes: [], references: [], orders: null } as const;

export const tables: { readonly [K in Kind]: Table<K> } = {
  account: {
    ...bare,
    name: 'accounts',
    columns: {
      id: key(),
      name: text(),
      rootUserId: key(),
      authorizationMode: choice('LOOSE', 'STRICT'),
      workspacesEnabled: flag(),
      revision: integer(),
      accessRevision: integer(),
      createdAt: integer(),
    },
    named: 'UNIQUE',
  },
  accountSettings: {
    ...bare,
    name: 'account_settings',
    columns: {
      ...own,
      failuresBeforeLock: integer(),
      countingWindowMinutes: integer(),
      lockMinutes: integer(),
      sessionMinutes: integer(),
      idleDays: integer(),
      passwordKinds: integer(),
      passwordLength: integer(),
      passwordRepeats: integer(),
      rememberedPasswords: integer(),
      passwordValidityDays: integer(),
      passwordMinimumAgeMinutes: integer(),
      ...dated,
    },
  },
  user: {
    ...bare,
    name: 'users',
    columns: {
      ...own,
      ...described,
      enabled: flag(),
      root: flag(),
      defaultModelArtsAccess: choice('IN_FORCE', 'ENDED'),
      ...dated,
    },
    named: 'UNIQUE',
    indexes: [
      ['createdAt', 'id'],
      ['updatedAt', 'id'],
    ],
    orders: byNameAndChange,
  },
  password: {
    ...bare,
    name: 'passwords',
    columns: {
      ...own,
      hash: text(),
      history: json(),
      changedAt: integer(),
      activeAt: optional(integer()),
      failures: integer(),
      firstFailureAt: optional(integer()),
      lockedUntil: optional(integer()),
    },
    references: [{ property: 'id', kind: 'user' }],
  },
  secondFactor: {
    ...bare,
    name: 'second_factors',
    columns: {
      ...own,
      sealedSecret: text(),
      confirmedAt: optional(integer()),
      lastCounter: integer(),
      createdAt: integer(),
    },
    references: [{ property: 'id', kind: 'user' }],
  },
  strangerAttempts: {
    ...bare,
    name: 'stranger_attempts',
    columns: { ...own, attempts: integer(), lastAt: integer() },
  },
  session: {
    ...bare,
    name: 'sessions',
    columns: {
      ...own,
      userId: key(),
      startedAt: integer(),
      expiresAt: integer(),
      endedAt: optional(integer()),
      mfaAt: optional(integer()),
      sourceAddress: text(),
      scopesLeft: json(),
    },
    indexes: [
      ['userId', 'startedAt', 'id'],
      ['startedAt', 'id'],
      ['expiresAt', 'id'],
    ],
    references: [{ property: 'userId', kind: 'user' }],
    orders: { STARTED_AT: 'startedAt' },
  },
  group: {
    ...bare,
    name: 'groups',
    columns: { ...own, ...described, builtIn: flag(), ...dated },
    named: 'UNIQUE',
    indexes: [
      ['createdAt', 'id'],
      ['updatedAt', 'id'],
    ],
    orders: byNameAndChange,
  },
  membership: {
    ...bare,
    name: 'memberships',
    columns: { ...own, groupId: key(), userId: key(), addedAt: integer() },
    unique: [['groupId', 'userId']],
    indexes: [['userId', 'groupId']],
    references: [
      { property: 'groupId', kind: 'group' },
      { property: 'userId', kind: 'user' },
    ],
  },
  policy: {
    ...bare,
    name: 'policies',
    columns: {
      ...own,
      ...described,
      origin: choice('SYSTEM', 'CUSTOM'),
      level: choice('GLOBAL', 'PROJECT', 'BOTH'),
      defaultVersion: integer(),
      latestVersion: integer(),
      ...dated,
    },
    named: 'UNIQUE',
    indexes: [
      ['createdAt', 'id'],
      ['updatedAt', 'id'],
      ['origin', 'nameKey', 'id'],
    ],
    orders: byNameAndChange,
  },
  policyVersion: {
    ...bare,
    name: 'policy_versions',
    columns: { ...own, policyId: key(), number: integer(), text: text(), createdAt: integer(), createdBy: key() },
    unique: [['policyId', 'number']],
    references: [{ property: 'policyId', kind: 'policy' }],
  },
  grant: {
    ...bare,
    name: 'grants',
    columns: {
      ...own,
      policyId: key(),
      subjectKind: choice('USER', 'GROUP', 'AGENCY', 'SERVICE'),
      subjectId: key(),
      scopeKind: choice('ALL', 'ACCOUNT', 'ALL_WORKSPACES', 'WORKSPACE', 'ENTERPRISE_PROJECT'),
      scopeId: key(),
      expiresAt: optional(integer()),
      createdAt: integer(),
      createdBy: key(),
    },
    unique: [['policyId', 'subjectKind', 'subjectId', 'scopeKind', 'scopeId']],
    indexes: [
      ['subjectKind', 'subjectId', 'createdAt', 'id'],
      ['subjectId', 'createdAt', 'id'],
      ['scopeKind', 'scopeId', 'createdAt', 'id'],
      ['scopeId', 'createdAt', 'id'],
      ['policyId', 'createdAt', 'id'],
      ['createdAt', 'id'],
    ],
    references: [{ property: 'policyId', kind: 'policy' }],
    orders: createdFirst,
  },
  workspace: {
    ...bare,
    name: 'workspaces',
    columns: {
      ...own,
      ...described,
      enterpriseProjectId: key(),
      visibility: choice('PUBLIC', 'PRIVATE', 'INTERNAL'),
      creatorId: key(),
      status: choice('NORMAL', 'CREATE_FAILED', 'DELETING', 'DELETE_FAILED'),
      statusDetail: text(),
      ...dated,
    },
    named: 'UNIQUE',
    indexes: [
      ['createdAt', 'id'],
      ['updatedAt', 'id'],
      ['status', 'id'],
      ['visibility', 'nameKey', 'id'],
      ['enterpriseProjectId', 'nameKey', 'id'],
    ],
    references: [{ property: 'enterpriseProjectId', kind: 'enterpriseProject' }],
    orders: { ...byNameAndChange, STATUS: 'status' },
  },
  workspaceMember: {
    ...bare,
    name: 'workspace_members',
    columns: { ...own, workspaceId: key(), userId: key(), addedAt: integer() },
    unique: [['workspaceId', 'userId']],
    indexes: [['userId', 'workspaceId']],
    references: [
      { property: 'workspaceId', kind: 'workspace' },
      { property: 'userId', kind: 'user' },
    ],
  },
  workspaceQuota: {
    ...bare,
    name: 'workspace_quotas',
    columns: { ...own, workspaceId: key(), kind: key(), quota: integer(), setAt: integer() },
    unique: [['workspaceId', 'kind']],
    references: [{ property: 'workspaceId', kind: 'workspace' }],
  },
  workspaceVisit: {
    ...bare,
    name: 'workspace_visits',
    columns: { ...own, userId: key(), workspaceId: key(), visitedAt: integer() },
    unique: [['userId', 'workspaceId']],
    indexes: [
      ['userId', 'visitedAt', 'id'],
      ['workspaceId', 'id'],
    ],
    references: [
      { property: 'userId', kind: 'user' },
      { property: 'workspaceId', kind: 'workspace' },
    ],
  },
  enterpriseProject: {
    ...bare,
    name: 'enterprise_projects',
    columns: { ...own, ...described, enabled: flag(), ...dated },
    named: 'UNIQUE',
    indexes: [['createdAt', 'id']],
    orders: byName,
  },
  service: {
    ...bare,
    name: 'services',
    columns: {
      ...own,
      ...described,
      hosts: json(),
      actions: json(),
      resourceKinds: json(),
      enabled: flag(),
      ...dated,
    },
    named: 'UNIQUE',
    indexes: [['createdAt', 'id']],
    orders: byName,
  },
  resource: {
    ...bare,
    name: 'resources',
    columns: {
      ...own,
      workspaceId: key(),
      urn: key(),
      kind: key(),
      name: text(),
      ownerId: optional(key()),
      parentId: optional(key()),
      tags: json(),
      registeredBy: key(),
      ...dated,
    },
    named: 'SHARED',
    unique: [['urn']],
    indexes: [
      ['workspaceId', 'nameKey', 'id'],
      ['workspaceId', 'urn', 'id'],
      ['workspaceId', 'createdAt', 'id'],
      ['workspaceId', 'updatedAt', 'id'],
      ['workspaceId', 'kind', 'id'],
      ['workspaceId', 'ownerId', 'id'],
      ['ownerId', 'id'],
      ['parentId', 'id'],
      ['registeredBy', 'id'],
    ],
    references: [
      { property: 'workspaceId', kind: 'workspace' },
      { property: 'parentId', kind: 'resource' },
    ],
    orders: { ...byNameAndChange, URN: 'urn' },
  },
  agency: {
    ...bare,
    name: 'agencies',
    columns: {
      ...own,
      ...described,
      trustKind: choice('SERVICE', 'ACCOUNT'),
      trustedId: key(),
      durationDays: optional(integer()),
      expiresAt: optional(integer()),
      externalId: optional(text()),
      sourceAddresses: json(),
      workspaceId: key(),
      ...dated,
    },
    named: 'UNIQUE',
    indexes: [
      ['createdAt', 'id'],
      ['trustedId', 'nameKey', 'id'],
    ],
    orders: byName,
  },
  authorization: {
    ...bare,
    name: 'authorizations',
    columns: { ...own, agencyId: key(), userId: key(), createdAt: integer(), createdBy: key() },
    unique: [['agencyId', 'userId']],
    indexes: [
      ['agencyId', 'createdAt', 'id'],
      ['userId', 'createdAt', 'id'],
      ['createdAt', 'id'],
    ],
    references: [{ property: 'agencyId', kind: 'agency' }],
    orders: createdFirst,
  },
  accessKey: {
    ...bare,
    name: 'access_keys',
    columns: {
      ...own,
      ownerKind: choice('USER', 'SERVICE'),
      ownerId: key(),
      sealedSecret: text(),
      description: text(),
      enabled: flag(),
      lastUsedAt: optional(integer()),
      createdAt: integer(),
    },
    uniqueEverywhere: ['id'],
    indexes: [
      ['ownerKind', 'ownerId', 'createdAt', 'id'],
      ['ownerId', 'createdAt', 'id'],
      ['createdAt', 'id'],
    ],
    orders: createdFirst,
  },
  keyPair: {
    ...bare,
    name: 'key_pairs',
    columns: {
      ...own,
      userId: key(),
      name: text(),
      algorithm: choice('ED25519', 'ECDSA', 'RSA', 'ED25519_SK', 'ECDSA_SK'),
      publicKey: text(),
      fingerprint: key(),
      generated: flag(),
      createdAt: integer(),
    },
    named: 'SHARED',
    unique: [
      ['userId', 'nameKey'],
      ['userId', 'fingerprint'],
    ],
    indexes: [
      ['userId', 'createdAt', 'id'],
      ['fingerprint', 'id'],
      ['createdAt', 'id'],
    ],
    references: [{ property: 'userId', kind: 'user' }],
    orders: createdFirst,
  },
  remoteAccess: {
    ...bare,
    name: 'remote_accesses',
    columns: {
      ...own,
      enabled: flag(),
      keyPairIds: json(),
      allowedAddresses: json(),
      allowAnyAddress: flag(),
      userName: text(),
      host: text(),
      port: optional(integer()),
      instanceState: optional(choice(...instanceStates)),
      stateReportedAt: optional(integer()),
      ...dated,
    },
    references: [{ property: 'id', kind: 'resource' }],
  },
  agencySession: {
    ...bare,
    name: 'agency_sessions',
    columns: {
      ...own,
      agencyId: key(),
      assumedByKind: choice('SERVICE', 'USER'),
      assumedById: key(),
      assumedByName: text(),
      assumedByAccountId: key(),
      assumedByKeyId: key(),
      assumedBySessionId: key(),
      onBehalfOfId: key(),
      resourceId: key(),
      workspaceId: key(),
      sessionName: text(),
      sessionPolicy: optional(text()),
      externalIdDigest: text(),
      sourceAddress: text(),
      startedAt: integer(),
      expiresAt: integer(),
    },
    uniqueEverywhere: ['id'],
    indexes: [
      ['agencyId', 'id'],
      ['expiresAt', 'id'],
    ],
    // It ends with its agency and its resource by being looked at, not by being removed with them.
    references: [],
  },
  spentSignature: {
    ...bare,
    name: 'spent_signatures',
    columns: { ...own, expiresAt: integer() },
    indexes: [['expiresAt', 'id']],
  },
  auditEvent: {
    ...bare,
    name: 'audit_events',
    columns: {
      ...own,
      revision: integer(),
      sequence: integer(),
      at: integer(),
      operation: key(),
      actorKind: key(),
      actorId: key(),
      actorName: text(),
      delegation: optional(json()),
      workspaceId: key(),
      targetKind: key(),
      targetId: key(),
      before: optional(json()),
      after: optional(json()),
      requestId: key(),
      position: integer(),
      hash: text(),
    },
    // Positions follow revision and sequence; a rule of their own would cost each write an index and tell nothing new.
    unique: [['revision', 'sequence']],
    indexes: [
      ['workspaceId', 'revision', 'id'],
      ['workspaceId', 'at', 'id'],
      ['workspaceId', 'operation', 'revision', 'id'],
      ['workspaceId', 'actorId', 'revision', 'id'],
      ['workspaceId', 'targetKind', 'targetId', 'revision', 'id'],
      ['workspaceId', 'targetId', 'revision', 'id'],
      ['targetKind', 'revision', 'at'],
    ],
    orders: { REVISION: 'revision' },
  },
  auditChain: {
    ...bare,
    name: 'audit_chains',
    columns: { ...own, position: integer(), hash: text(), adopted: integer() },
  },
  idempotencyRecord: {
    ...bare,
    name: 'idempotency_records',
    columns: {
      ...own,
      operation: text(),
      fingerprint: text(),
      objectId: key(),
      createdAt: integer(),
      expiresAt: integer(),
    },
    indexes: [['expiresAt', 'id']],
  },
};
