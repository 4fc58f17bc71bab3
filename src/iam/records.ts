/**
 * What the business remembers: one interface per kind of row, shared by the store (which keeps them) and the skin
 * (which shows parts of them). No class, no decorator, no secret in a record that is shown: passwords and key secrets
 * are kinds of their own, so that a secret cannot leak by being one more column.
 *
 * Ids are text; every row is identified by (accountId, id), so that a reference can never cross accounts.
 */
import type { PublicKeyAlgorithm } from '../ssh-keys/index.js';

export type Id = string;

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

export type AuthorizationMode = 'LOOSE' | 'STRICT';

/** Id of the default workspace and of the default enterprise project of every account. */
export const DEFAULT_ID = '0';

export interface Account {
  readonly id: Id;
  readonly name: string;
  readonly rootUserId: Id;
  readonly authorizationMode: AuthorizationMode;
  /** Whether workspaces beside the default one may be made. */
  readonly workspacesEnabled: boolean;
  /** Raised by every committed write (rule 28). */
  readonly revision: number;
  /** Raised only by writes that can change a decision; caches are keyed by it. */
  readonly accessRevision: number;
  readonly createdAt: Instant;
}

/** Whether the account's LOOSE default still acts for this user: once ended it stays ended (rule 12). */
export type DefaultAccess = 'IN_FORCE' | 'ENDED';

export interface User {
  readonly id: Id;
  readonly accountId: Id;
  readonly name: string;
  readonly description: string;
  readonly enabled: boolean;
  readonly root: boolean;
  readonly defaultModelArtsAccess: DefaultAccess;
  readonly version: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

/** What an account decided about signing in and passwords (docs/domain.md section d4); id = account id. No row: the defaults. */
export interface AccountSettings {
  readonly id: Id;
  readonly accountId: Id;
  readonly failuresBeforeLock: number;
  readonly countingWindowMinutes: number;
  readonly lockMinutes: number;
  readonly sessionMinutes: number;
  /** 0: nobody is disabled for being idle. */
  readonly idleDays: number;
  readonly passwordKinds: number;
  readonly passwordLength: number;
  /** How often one character may follow itself, the first time included; 0: any number of times. */
  readonly passwordRepeats: number;
  /** How many passwords, the present one included, cannot be used again. */
  readonly rememberedPasswords: number;
  /** 0: a password does not grow old. */
  readonly passwordValidityDays: number;
  readonly passwordMinimumAgeMinutes: number;
  readonly version: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

/** The password of a user (id = user id) and what its lockout remembers. Never shown; neither hash nor history is audited. */
export interface Password {
  readonly id: Id;
  readonly accountId: Id;
  readonly hash: string;
  /** Hashes of the passwords before, the newest first. */
  readonly history: readonly string[];
  readonly changedAt: Instant;
  /** When the user was last seen: signing in, refreshing, or being enabled. Null: not since this is noted. */
  readonly activeAt: Instant | null;
  /** Within the counting window; during a lock those since it began. */
  readonly failures: number;
  readonly firstFailureAt: Instant | null;
  readonly lockedUntil: Instant | null;
}

/**
 * The second factor of a user (id = user id): one device with time-based one-time passwords (RFC 6238). Its secret is
 * sealed under a key outside the database, never shown again and never audited.
 */
export interface SecondFactor {
  readonly id: Id;
  readonly accountId: Id;
  readonly sealedSecret: string;
  /** Null until a first code has shown that the device has the secret; before that it is asked of nobody. */
  readonly confirmedAt: Instant | null;
  /** Number of the time step of the last code that was taken: no code is taken twice. */
  readonly lastCounter: number;
  readonly createdAt: Instant;
}

/** Attempts to sign in under names that nobody has (id = account id): counted, so that they cost what all others cost. */
export interface StrangerAttempts {
  readonly id: Id;
  readonly accountId: Id;
  readonly attempts: number;
  readonly lastAt: Instant;
}

export interface Session {
  readonly id: Id;
  readonly accountId: Id;
  readonly userId: Id;
  readonly startedAt: Instant;
  readonly expiresAt: Instant;
  readonly endedAt: Instant | null;
  /** When a second factor was checked, null when none was. */
  readonly mfaAt: Instant | null;
  readonly sourceAddress: string;
  /** Scopes that its user switched away from, the latest last: who listens there has gone. */
  readonly scopesLeft: readonly ScopeLeft[];
}

export interface ScopeLeft {
  /** Null: the account. */
  readonly workspaceId: Id | null;
  readonly at: Instant;
}

export interface Group {
  readonly id: Id;
  readonly accountId: Id;
  readonly name: string;
  readonly description: string;
  /** The group `admin` of rule 2: it cannot be renamed, emptied of its grant or deleted. */
  readonly builtIn: boolean;
  readonly version: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

/** id = `<groupId>.<userId>` */
export interface Membership {
  readonly id: Id;
  readonly accountId: Id;
  readonly groupId: Id;
  readonly userId: Id;
  readonly addedAt: Instant;
}

export type PolicyOrigin = 'SYSTEM' | 'CUSTOM';
/** GLOBAL and PROJECT as AX and XA in docs/domain.md section a1; BOTH only for the lone `*:*:*` and system roles. */
export type PolicyLevel = 'GLOBAL' | 'PROJECT' | 'BOTH';

export interface Policy {
  readonly id: Id;
  readonly accountId: Id;
  readonly name: string;
  readonly description: string;
  readonly origin: PolicyOrigin;
  readonly level: PolicyLevel;
  /** Number of the version that is in use. */
  readonly defaultVersion: number;
  /** Highest number ever given; numbers are never used again. */
  readonly latestVersion: number;
  readonly version: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

/** Immutable. id = `<policyId>.<number>` */
export interface PolicyVersion {
  readonly id: Id;
  readonly accountId: Id;
  readonly policyId: Id;
  readonly number: number;
  /** The document as it was given, byte for byte (rule 7). */
  readonly text: string;
  readonly createdAt: Instant;
  readonly createdBy: Id;
}

export type SubjectKind = 'USER' | 'GROUP' | 'AGENCY' | 'SERVICE';
/** Rule 11. */
export type GrantScopeKind = 'ALL' | 'ACCOUNT' | 'ALL_WORKSPACES' | 'WORKSPACE' | 'ENTERPRISE_PROJECT';

export interface Grant {
  readonly id: Id;
  readonly accountId: Id;
  readonly policyId: Id;
  readonly subjectKind: SubjectKind;
  readonly subjectId: Id;
  readonly scopeKind: GrantScopeKind;
  /** Workspace or enterprise project id, '' for the scopes that name none. */
  readonly scopeId: Id;
  readonly expiresAt: Instant | null;
  readonly createdAt: Instant;
  readonly createdBy: Id;
}

export type WorkspaceVisibility = 'PUBLIC' | 'PRIVATE' | 'INTERNAL';
export type WorkspaceStatus = 'NORMAL' | 'CREATE_FAILED' | 'DELETING' | 'DELETE_FAILED';

export interface Workspace {
  readonly id: Id;
  readonly accountId: Id;
  readonly name: string;
  readonly description: string;
  readonly enterpriseProjectId: Id;
  readonly visibility: WorkspaceVisibility;
  readonly creatorId: Id;
  readonly status: WorkspaceStatus;
  /** What stands in the way, in words; '' when nothing does. */
  readonly statusDetail: string;
  readonly version: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

/** A user on the list of an INTERNAL workspace. id = `<workspaceId>.<userId>` */
export interface WorkspaceMember {
  readonly id: Id;
  readonly accountId: Id;
  readonly workspaceId: Id;
  readonly userId: Id;
  readonly addedAt: Instant;
}

/** When a user last chose to act in a workspace, for consoles to begin there again. id = `<userId>.<workspaceId>` */
export interface WorkspaceVisit {
  readonly id: Id;
  readonly accountId: Id;
  readonly userId: Id;
  readonly workspaceId: Id;
  readonly visitedAt: Instant;
}

/**
 * How many resources of one kind a workspace may hold (docs/domain.md section g4); no row: any number.
 * id = `<workspaceId>.<kind>`
 */
export interface WorkspaceQuota {
  readonly id: Id;
  readonly accountId: Id;
  readonly workspaceId: Id;
  /** `service:type`, as the catalogue spells it. */
  readonly kind: string;
  /** -1: any number. */
  readonly quota: number;
  readonly setAt: Instant;
}

export interface EnterpriseProject {
  readonly id: Id;
  readonly accountId: Id;
  readonly name: string;
  readonly description: string;
  readonly enabled: boolean;
  readonly version: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

export interface ServiceAction {
  readonly name: string;
  readonly accessLevel: 'LIST' | 'READ' | 'WRITE' | 'TAGGING' | 'PERMISSION_MANAGEMENT';
  readonly description: string;
}

/** A platform service that signs its own requests (rule 3). */
export interface Service {
  readonly id: Id;
  readonly accountId: Id;
  readonly name: string;
  readonly description: string;
  readonly hosts: readonly string[];
  readonly actions: readonly ServiceAction[];
  readonly resourceKinds: readonly { readonly type: string; readonly description: string }[];
  readonly enabled: boolean;
  readonly version: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

export interface Resource {
  readonly id: Id;
  readonly accountId: Id;
  readonly workspaceId: Id;
  /** `service:region:account:type:id`, unique in the account. */
  readonly urn: string;
  /** `service:type`, the catalogue's name of its kind. */
  readonly kind: string;
  readonly name: string;
  readonly ownerId: Id | null;
  readonly parentId: Id | null;
  readonly tags: readonly Tag[];
  /** The service or user that registered it. */
  readonly registeredBy: Id;
  readonly version: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

export interface Agency {
  readonly id: Id;
  readonly accountId: Id;
  readonly name: string;
  readonly description: string;
  readonly trustKind: 'SERVICE' | 'ACCOUNT';
  /** Name of the trusted service, or id of the trusted account. */
  readonly trustedId: string;
  readonly durationDays: number | null;
  readonly expiresAt: Instant | null;
  readonly externalId: string | null;
  readonly sourceAddresses: readonly string[];
  /** The one workspace that it may be assumed for; '' for any. */
  readonly workspaceId: Id;
  readonly version: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

export interface Authorization {
  readonly id: Id;
  readonly accountId: Id;
  readonly agencyId: Id;
  /** '' stands for every present and future user. */
  readonly userId: Id;
  readonly createdAt: Instant;
  readonly createdBy: Id;
}

/** Permanent AK/SK key; the secret is sealed under a key outside the database. Its secret is never audited. */
export interface AccessKey {
  /** The access key id (AK) itself. */
  readonly id: Id;
  readonly accountId: Id;
  readonly ownerKind: 'USER' | 'SERVICE';
  readonly ownerId: Id;
  readonly sealedSecret: string;
  readonly description: string;
  readonly enabled: boolean;
  readonly lastUsedAt: Instant | null;
  readonly createdAt: Instant;
}

/** Public half of a pair of SSH keys, by which its user gets into notebooks. The private half is kept by nobody but them. */
export interface KeyPair {
  readonly id: Id;
  readonly accountId: Id;
  readonly userId: Id;
  /** Unique for the user. */
  readonly name: string;
  readonly algorithm: PublicKeyAlgorithm;
  /** `ssh-ed25519 AAAA…`, without a comment. */
  readonly publicKey: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
  /** Made here, and its private key shown once; else brought by the user. */
  readonly generated: boolean;
  readonly createdAt: Instant;
}

/** States of an instance as the platform has them (docs/domain.md section h); only a running one takes connections. */
export const instanceStates = [
  'INIT',
  'CREATING',
  'STARTING',
  'STOPPING',
  'DELETING',
  'RUNNING',
  'STOPPED',
  'SNAPSHOTTING',
  'CREATE_FAILED',
  'START_FAILED',
  'DELETE_FAILED',
  'ERROR',
  'DELETED',
  'FROZEN',
] as const;

export type InstanceState = (typeof instanceStates)[number];

/** How a notebook is reached by SSH. Its id is that of the resource. */
export interface RemoteAccess {
  readonly id: Id;
  readonly accountId: Id;
  readonly enabled: boolean;
  /** Pairs that may get in while their users may; one that is deleted meanwhile stands for nothing. */
  readonly keyPairIds: readonly Id[];
  /** CIDR blocks in their one form, bits after the prefix zero. */
  readonly allowedAddresses: readonly string[];
  /** Chosen in so many words; never together with addresses. */
  readonly allowAnyAddress: boolean;
  readonly userName: string;
  /** '' when it is not known. */
  readonly host: string;
  readonly port: number | null;
  /** Null: never reported. */
  readonly instanceState: InstanceState | null;
  readonly stateReportedAt: Instant | null;
  readonly version: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

/**
 * A temporary credential: the leave that somebody took, for a time, to act with the rights of an agency (rule 26). Its
 * secret and its security token are derived from the key id and stored nowhere.
 */
export interface AgencySession {
  /** The temporary access key id itself. */
  readonly id: Id;
  /** Account of the agency. */
  readonly accountId: Id;
  readonly agencyId: Id;
  readonly assumedByKind: 'SERVICE' | 'USER';
  readonly assumedById: Id;
  readonly assumedByName: string;
  /** Another account for an agency that trusts one. */
  readonly assumedByAccountId: Id;
  /** The access key that signed for it; '' when it was a token. */
  readonly assumedByKeyId: Id;
  /** The session whose token asked for it; '' when it was a key. */
  readonly assumedBySessionId: Id;
  /** '' when it acts on nobody's behalf. */
  readonly onBehalfOfId: Id;
  /** The resource that it is for, with which it ends; '' for an agency that trusts an account. */
  readonly resourceId: Id;
  /** The one workspace that it acts in; '' for any. */
  readonly workspaceId: Id;
  readonly sessionName: string;
  /** Text of the policy that narrows it. */
  readonly sessionPolicy: string | null;
  /** Keyed hash of the external id that was named; '' when none was. */
  readonly externalIdDigest: string;
  /** Address that it was assumed from; '' when that is not known. */
  readonly sourceAddress: string;
  readonly startedAt: Instant;
  readonly expiresAt: Instant;
}

/** A signature that has changed something (rule 24); id = SHA-256 of key id and signature. Swept after `expiresAt`. */
export interface SpentSignature {
  readonly id: Id;
  readonly accountId: Id;
  readonly expiresAt: Instant;
}

/** Behind a session of an agency: who assumed it and on whose behalf, by the names of that moment. */
export interface Delegation {
  readonly sessionId: Id;
  readonly sessionName: string;
  readonly assumedBy: {
    readonly kind: 'SERVICE' | 'USER';
    readonly id: Id;
    readonly name: string;
    readonly accountId: Id;
  };
  readonly onBehalfOf: { readonly id: Id; readonly name: string } | null;
}

export type JsonImage = Readonly<Record<string, unknown>>;

/** One changed row, written by the transaction that changed it (rule 30). */
export interface AuditEvent {
  readonly id: Id;
  readonly accountId: Id;
  /** Revision of the transaction; events of one transaction share it. */
  readonly revision: number;
  /** Position within the transaction, from 0. */
  readonly sequence: number;
  readonly at: Instant;
  /** The use-case, for instance `createUser`. */
  readonly operation: string;
  readonly actorKind: string;
  readonly actorId: Id;
  readonly actorName: string;
  /** Who assumed the agency, and on whose behalf; null for every other actor. */
  readonly delegation: Delegation | null;
  /** '' when the change was made in account scope. */
  readonly workspaceId: Id;
  readonly targetKind: string;
  readonly targetId: Id;
  readonly before: JsonImage | null;
  readonly after: JsonImage | null;
  readonly requestId: string;
  /** Place in the chain of the account's events, from 1. */
  readonly position: number;
  /** Of this event and all before it (src/audit-chain). */
  readonly hash: string;
}

/** Where the chain of an account's audit events ends (id = account id). */
export interface AuditChain {
  readonly id: Id;
  readonly accountId: Id;
  /** Of the last event; 0: none yet. */
  readonly position: number;
  readonly hash: string;
  /** How many events were there before events were chained; they were chained as they were found. */
  readonly adopted: number;
}

/** Rule 25: the fingerprint and what was made, never a response. id = `<actorId>.<key>` */
export interface IdempotencyRecord {
  readonly id: Id;
  readonly accountId: Id;
  readonly operation: string;
  readonly fingerprint: string;
  readonly objectId: Id;
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
}

/** Every kind of row by name. The store has one table for each. */
export interface Records {
  account: Account;
  accountSettings: AccountSettings;
  user: User;
  password: Password;
  secondFactor: SecondFactor;
  strangerAttempts: StrangerAttempts;
  session: Session;
  group: Group;
  membership: Membership;
  policy: Policy;
  policyVersion: PolicyVersion;
  grant: Grant;
  workspace: Workspace;
  workspaceMember: WorkspaceMember;
  workspaceQuota: WorkspaceQuota;
  workspaceVisit: WorkspaceVisit;
  enterpriseProject: EnterpriseProject;
  service: Service;
  resource: Resource;
  agency: Agency;
  authorization: Authorization;
  accessKey: AccessKey;
  keyPair: KeyPair;
  remoteAccess: RemoteAccess;
  agencySession: AgencySession;
  spentSignature: SpentSignature;
  auditEvent: AuditEvent;
  auditChain: AuditChain;
  idempotencyRecord: IdempotencyRecord;
}

export type Kind = keyof Records;
