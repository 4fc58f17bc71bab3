/**
 * What the business asks of a store. `src/store` implements these; a conformance suite in test/store holds every
 * database to them. Nothing here knows SQL.
 *
 * Reading is bound to a scope: a `Reader` cannot return a row of another scope, whatever it is asked (the second wall;
 * the first is the permission directive). Writing has one door: `Store.transaction`.
 */
import type { Expression, ResourceTest } from '../policy/index.js';
import type {
  Account,
  Delegation,
  Grant,
  Group,
  Id,
  Instant,
  Kind,
  Policy,
  PolicyVersion,
  Records,
  Session,
  SubjectKind,
  User,
  Workspace,
  Service,
  GrantScopeKind,
  WorkspaceVisibility,
  PolicyOrigin,
} from './records.js';
import type { TrailReader } from './trail-reader.js';

/** Where a request acts: the account (workspaceId null), or exactly one workspace of it. */
export interface Scope {
  readonly accountId: Id;
  readonly workspaceId: Id | null;
}

/** Kinds that are listed in pages. */
export type ListedKind =
  | 'user'
  | 'group'
  | 'policy'
  | 'grant'
  | 'workspace'
  | 'enterpriseProject'
  | 'service'
  | 'resource'
  | 'agency'
  | 'authorization'
  | 'auditEvent'
  | 'session'
  | 'accessKey'
  | 'keyPair';

/** What may be asked of one registered resource by itself. Texts compare as in policies (src/policy/plan.ts). */
export type RowTest =
  | ResourceTest
  | { readonly about: 'KIND'; readonly oneOf: readonly string[] }
  | { readonly about: 'OWNER'; readonly id: Id }
  | { readonly about: 'REGISTERED_BY'; readonly id: Id };

export type RowExpression = Expression<RowTest>;

/** Filters are ANDed; an absent member filters nothing. `…Contains` compares without case. */
export interface Filters {
  user: {
    readonly name?: string;
    readonly nameContains?: string;
    readonly enabled?: boolean;
    /** Only root, and users to whom some grant of these policies comes, straight or through a group. */
    readonly rootOrGranted?: readonly Id[];
  };
  group: { readonly name?: string; readonly nameContains?: string };
  policy: { readonly name?: string; readonly nameContains?: string; readonly origin?: PolicyOrigin };
  grant: {
    readonly policyId?: Id;
    readonly subjectKind?: SubjectKind;
    readonly subjectId?: Id;
    readonly scopeKind?: GrantScopeKind;
    readonly scopeId?: Id;
  };
  workspace: {
    readonly name?: string;
    readonly nameContains?: string;
    readonly enterpriseProjectId?: Id;
    readonly visibility?: WorkspaceVisibility;
    /** Only workspaces that this user may enter (rule 2 and DESIGN section 2). */
    readonly accessibleTo?: Id;
    /** Those and the ones that this user could enter, were they not being made or deleted. */
    readonly knownTo?: Id;
  };
  enterpriseProject: { readonly name?: string; readonly nameContains?: string; readonly enabled?: boolean };
  service: { readonly name?: string; readonly nameContains?: string };
  resource: {
    readonly urn?: string;
    readonly nameContains?: string;
    readonly ownerId?: Id;
    /** Only these kinds (`service:type`); an empty list matches nothing. */
    readonly kinds?: readonly string[];
    readonly parentId?: Id;
    /** True: those that nobody owns, or whose owner is gone; false: those whose owner is there. */
    readonly ownerless?: boolean;
    /** Only rows for which this holds: what the caller may see, said of rows. */
    readonly visible?: RowExpression;
  };
  agency: { readonly name?: string; readonly nameContains?: string; readonly trustedId?: string };
  authorization: { readonly agencyId?: Id; readonly userId?: Id };
  auditEvent: {
    readonly operation?: string;
    readonly actorId?: Id;
    readonly targetKind?: string;
    readonly targetId?: Id;
    readonly since?: Instant;
    readonly until?: Instant;
  };
  session: { readonly userId?: Id; readonly activeAt?: Instant };
  accessKey: { readonly ownerKind?: 'USER' | 'SERVICE'; readonly ownerId?: Id };
  keyPair: { readonly userId?: Id; readonly fingerprint?: string };
}

/** What a list may be ordered by; the primary key always ends the order. */
export interface Orders {
  user: 'NAME' | 'CREATED_AT' | 'UPDATED_AT';
  group: 'NAME' | 'CREATED_AT' | 'UPDATED_AT';
  policy: 'NAME' | 'CREATED_AT' | 'UPDATED_AT';
  grant: 'CREATED_AT';
  workspace: 'NAME' | 'CREATED_AT' | 'UPDATED_AT' | 'STATUS';
  enterpriseProject: 'NAME' | 'CREATED_AT';
  service: 'NAME' | 'CREATED_AT';
  resource: 'NAME' | 'URN' | 'CREATED_AT' | 'UPDATED_AT';
  agency: 'NAME' | 'CREATED_AT';
  authorization: 'CREATED_AT';
  auditEvent: 'REVISION';
  session: 'STARTED_AT';
  accessKey: 'CREATED_AT';
  keyPair: 'CREATED_AT';
}

/** Place of a row in an order: the value ordered by (text or number), then the id. */
export interface Position {
  readonly key: string | number;
  readonly id: Id;
}

export interface Order<By extends string = string> {
  readonly by: By;
  readonly direction: 'ASC' | 'DESC';
}

/**
 * A window of a list. Forward: the first `limit` rows after `after`; backward: the last `limit` rows before `before`.
 * Rows come in the order of the list either way. Both bounds may be given; they are exclusive.
 */
export interface Window<By extends string = string> {
  readonly order: Order<By>;
  readonly limit: number;
  readonly backward: boolean;
  readonly after: Position | null;
  readonly before: Position | null;
}

export interface Row<R> {
  readonly record: R;
  readonly position: Position;
}

export interface Page<R> {
  readonly rows: readonly Row<R>[];
  readonly hasNext: boolean;
  readonly hasPrevious: boolean;
}

/** A row reached through a relationship, with the facts of the relationship itself. */
export interface Linked<R> {
  readonly target: R;
  readonly addedAt: Instant;
}

/** Relationships that are read for many parents at once: parent kind, what is listed, and how it may be ordered. */
export interface Relations {
  'group.members': { row: Linked<User>; order: 'NAME' | 'ADDED_AT' };
  'user.groups': { row: Linked<Group>; order: 'NAME' | 'ADDED_AT' };
  'user.grants': { row: Grant; order: 'CREATED_AT' };
  'group.grants': { row: Grant; order: 'CREATED_AT' };
  'agency.grants': { row: Grant; order: 'CREATED_AT' };
  'service.grants': { row: Grant; order: 'CREATED_AT' };
  'policy.grants': { row: Grant; order: 'CREATED_AT' };
  'policy.versions': { row: PolicyVersion; order: 'NUMBER' };
  'workspace.members': { row: Linked<User>; order: 'NAME' | 'ADDED_AT' };
  'agency.authorizations': { row: Records['authorization']; order: 'CREATED_AT' };
  'user.keyPairs': { row: Records['keyPair']; order: 'CREATED_AT' };
  /** Those that are open now. */
  'user.accessKeys': { row: Records['accessKey']; order: 'CREATED_AT' };
  'service.accessKeys': { row: Records['accessKey']; order: 'CREATED_AT' };
  'user.sessions': { row: Session; order: 'STARTED_AT' };
}

export type Relation = keyof Relations;

/**
 * Reads rows of one scope, and no others: ids, names, filters and parents from elsewhere find nothing.
 *
 * Account scope sees the account's directory, never a workspace's resources nor the audit events made inside a
 * workspace. Workspace scope sees what DESIGN section 2 lists: its resources; users who may enter it; groups, agencies
 * and services with a grant effective there; the policies so granted and the system policies; grants effective there
 * whose subject is visible there; itself and its enterprise project; authorizations of visible agencies for all users
 * or for users visible there; the audit events made in it.
 */
export interface Reader {
  readonly scope: Scope;
  /** Rows by id, in one statement; what is missing or out of scope is absent from the map. */
  find<K extends Kind>(kind: K, ids: readonly Id[]): Promise<ReadonlyMap<Id, Records[K]>>;
  page<K extends ListedKind>(kind: K, filter: Filters[K], window: Window<Orders[K]>): Promise<Page<Records[K]>>;
  count<K extends ListedKind>(kind: K, filter: Filters[K]): Promise<number>;
  /** One page for each parent, in one statement; every parent id given is in the map. */
  pagesOf<R extends Relation>(
    relation: R,
    parentIds: readonly Id[],
    window: Window<Relations[R]['order']>,
  ): Promise<ReadonlyMap<Id, Page<Relations[R]['row']>>>;
  /** Number of rows for each parent, in one statement. */
  countsOf(relation: Relation, parentIds: readonly Id[]): Promise<ReadonlyMap<Id, number>>;
}

/** A grant that reaches a principal, with the document of the policy's version in use. */
export interface Attachment {
  readonly grant: Grant;
  readonly policy: Policy;
  readonly policyVersion: number;
  readonly text: string;
  /** The group that brings it, null when granted straight. */
  readonly group: Group | null;
}

/** What authentication and the authorizer read, before there is a scope to be bound to. Never reachable from a resolver. */
export interface AccessReader {
  account(accountId: Id): Promise<Account | null>;
  accountByName(name: string): Promise<Account | null>;
  accounts(): Promise<readonly Account[]>;
  /** The revisions of these accounts as they are now, in one statement; absent for those that do not exist. */
  revisions(accountIds: readonly Id[]): Promise<readonly Commit[]>;
  session(accountId: Id, sessionId: Id): Promise<Session | null>;
  user(accountId: Id, userId: Id): Promise<User | null>;
  /** Names compare without case. */
  userByName(accountId: Id, name: string): Promise<User | null>;
  password(accountId: Id, userId: Id): Promise<Records['password'] | null>;
  /** When each of these users got the password that they have; absent for users without one. No hash comes along. */
  passwordChanges(accountId: Id, userIds: readonly Id[]): Promise<ReadonlyMap<Id, Instant>>;
  /** Null: the account has decided nothing, and the defaults hold. */
  accountSettings(accountId: Id): Promise<Records['accountSettings'] | null>;
  service(accountId: Id, serviceId: Id): Promise<Service | null>;
  services(accountId: Id): Promise<readonly Service[]>;
  agency(accountId: Id, agencyId: Id): Promise<Records['agency'] | null>;
  /** The agency of whatever account that bears this id, if it trusts this account. */
  agencyTrusting(accountId: Id, agencyId: Id): Promise<Records['agency'] | null>;
  /** Authorizations of the agencies that trust this service, as far as they name this user or everyone; in one statement. */
  authorizationsFor(accountId: Id, serviceName: string, userId: Id): Promise<readonly Records['authorization'][]>;
  /** Looked up across accounts, as access keys are. */
  agencySession(sessionId: Id): Promise<Records['agencySession'] | null>;
  /** Quotas that were set, by kind. */
  workspaceQuotas(accountId: Id, workspaceId: Id): Promise<ReadonlyMap<string, Records['workspaceQuota']>>;
  /** Number of registered resources of each of these kinds, of every kind for null; in one statement. */
  resourceCounts(accountId: Id, workspaceId: Id, kinds: readonly string[] | null): Promise<ReadonlyMap<string, number>>;
  /**
   * Resources of a workspace, the newest first, so that what belongs to another mostly comes before it.
   *
   * @param after the last one that was read; null for the first ones
   */
  resourcesIn(
    accountId: Id,
    workspaceId: Id,
    after: Pick<Records['resource'], 'createdAt' | 'id'> | null,
    limit: number,
  ): Promise<readonly Records['resource'][]>;
  /** Resources of a workspace that nothing belongs to, the newest first. */
  childlessResources(accountId: Id, workspaceId: Id, limit: number): Promise<readonly Records['resource'][]>;
  /** Whether any resource names this one as its parent. */
  hasChildResources(accountId: Id, resourceId: Id): Promise<boolean>;
  /** Whether a resource is this ancestor, or has it above; one statement however far above. */
  liesUnder(accountId: Id, resourceId: Id, ancestorId: Id): Promise<boolean>;
  /** Ids of workspaces whose deletion is under way. */
  workspacesBeingDeleted(accountId: Id): Promise<readonly Id[]>;
  /** The workspace that a user chose last, of those that are there. */
  lastVisit(accountId: Id, userId: Id): Promise<Records['workspaceVisit'] | null>;
  /** Where the chain of the account's audit events ends. */
  auditChain(accountId: Id): Promise<Records['auditChain'] | null>;
  resource(accountId: Id, resourceId: Id): Promise<Records['resource'] | null>;
  /** Null: remote access to the resource was never configured, and no state of it reported. */
  remoteAccess(accountId: Id, resourceId: Id): Promise<Records['remoteAccess'] | null>;
  /** Key pairs by id, in one statement; those that are there, the oldest first. */
  keyPairs(accountId: Id, ids: readonly Id[]): Promise<readonly Records['keyPair'][]>;
  /** Access keys are looked up across accounts: the key id is all that a signed request names. */
  accessKey(accessKeyId: string): Promise<Records['accessKey'] | null>;
  workspace(accountId: Id, workspaceId: Id): Promise<Workspace | null>;
  /** The group `admin` and the INTERNAL list, as far as they matter for one user and one workspace. */
  isAdministrator(accountId: Id, userId: Id): Promise<boolean>;
  isListedIn(accountId: Id, workspaceId: Id, userId: Id): Promise<boolean>;
  /** Every grant of these principals, their groups' included, expired or not; one map entry for each id given. */
  attachments(
    accountId: Id,
    kind: 'USER' | 'AGENCY' | 'SERVICE' | 'GROUP',
    ids: readonly Id[],
  ): Promise<ReadonlyMap<Id, readonly Attachment[]>>;
  /** Users that a group brings its grants to. */
  userIdsOfGroup(accountId: Id, groupId: Id): Promise<readonly Id[]>;
  /** Grants of one policy, in every scope. */
  grantsOfPolicy(accountId: Id, policyId: Id): Promise<readonly Grant[]>;
  /** Policies that some grant gives, each with the text in use; in one statement. */
  policiesInUse(accountId: Id): Promise<readonly { readonly id: Id; readonly name: string; readonly text: string }[]>;
  policyVersion(accountId: Id, policyId: Id, number: number): Promise<PolicyVersion | null>;
  /** Registered resources by URN, in one statement; in every workspace of the account. */
  resourcesByUrn(accountId: Id, urns: readonly string[]): Promise<ReadonlyMap<string, Records['resource']>>;
}

/** Who makes a change, where, in answer to which request: what its audit events say. */
export interface ChangeOrigin {
  readonly accountId: Id;
  readonly workspaceId: Id | null;
  readonly operation: string;
  readonly actorKind: string;
  readonly actorId: Id;
  readonly actorName: string;
  /** Who assumed the agency, where the actor is one. */
  readonly delegation?: Delegation | null;
  readonly requestId: string;
  readonly at: Instant;
}

/** Without the columns that the store keeps itself: versions, revisions and times of change. */
export type Change<R> = Partial<
  Omit<R, 'id' | 'accountId' | 'version' | 'revision' | 'accessRevision' | 'createdAt' | 'updatedAt'>
>;

/**
 * An open transaction. It sees its own writes; nobody else does until it commits. Writers of one account follow one
 * another, so what it has read stays true until it commits. Each write leaves an audit event with its images. After a
 * write that failed nothing but a rollback is possible. The work may be run again, from the start, when the database had
 * to give way to another transaction: what it does outside the transaction must bear that.
 */
export interface Transaction {
  readonly origin: ChangeOrigin;
  /** Bound to the scope of the origin. */
  readonly reader: Reader;
  /** The whole account, for rules that must see it (uniqueness, quotas, reach); never for answers. */
  readonly access: AccessReader;
  insert<K extends Kind>(kind: K, record: Records[K]): Promise<void>;
  /** The same for many, in few statements; in this order. */
  insertAll<K extends Kind>(kind: K, records: readonly Records[K][]): Promise<void>;
  /** Raises `version` and `updatedAt` where the kind has them. Answers the new row. The row must exist. */
  update<K extends Kind>(kind: K, id: Id, change: Change<Records[K]>): Promise<Records[K]>;
  /** The row must exist, and nothing may refer to it any more. */
  remove<K extends Kind>(kind: K, id: Id): Promise<void>;
  /**
   * Removes rows whose `expiresAt` is at or before an instant, at most so many, and never the one `except`; answers how many,
   * and the last `expiresAt` among them. They have decided nothing since then, so this is no event of the trail and changes no
   * right.
   */
  sweep(
    kind: SweptKind,
    before: Instant,
    most: number,
    except?: Id,
  ): Promise<{ readonly count: number; readonly until: Instant | null }>;
  /** Ids of rows of a kind in the account whose columns equal these values; for cascades and uniqueness. */
  idsWhere<K extends Kind>(kind: K, equal: Partial<Records[K]>): Promise<readonly Id[]>;
  /** Id of the row of this kind that bears the name, compared without case; regardless of scope. */
  idOfName(
    kind: 'user' | 'group' | 'policy' | 'workspace' | 'enterpriseProject' | 'service' | 'agency',
    name: string,
  ): Promise<Id | null>;
  /** One row of the account regardless of scope; for rules, never for answers. */
  get<K extends Kind>(kind: K, id: Id): Promise<Records[K] | null>;
  /** The same for many, in one statement; what is not there is absent. */
  getAll<K extends Kind>(kind: K, ids: readonly Id[]): Promise<ReadonlyMap<Id, Records[K]>>;
  /** Ids of the groups that each of these users is in, in one statement; every user id given is in the map. */
  groupsOf(userIds: readonly Id[]): Promise<ReadonlyMap<Id, ReadonlySet<Id>>>;
  /** Those of these names that a row of this kind bears, compared without case; in one statement. */
  takenNames(kind: 'user', names: readonly string[]): Promise<ReadonlySet<string>>;
}

/** Kinds whose rows are of no use once they have expired. */
export type SweptKind = 'session' | 'agencySession' | 'spentSignature' | 'idempotencyRecord';

/** What a transaction decides about itself. */
export type Verdict<T> = { readonly commit: true; readonly value: T } | { readonly commit: false; readonly value: T };

export interface Committed<T> {
  readonly value: T;
  /** The account's revision after the commit; null when nothing was written or it was rolled back. */
  readonly revision: number | null;
}

/** Where an account stands after a transaction. */
export interface Commit {
  readonly accountId: Id;
  readonly revision: number;
  readonly accessRevision: number;
}

/** A count that the processes on one database share. */
export interface Tally {
  readonly id: Id;
  /** A higher one begins anew; what comes late for a lower one is not counted any more. */
  readonly period: number;
  readonly amount: number;
  readonly changedAt: Instant;
}

/** Counts of nobody's: no event, no revision, no account that is waited for. */
export interface Tallies {
  /** Adds these amounts, in one statement; each id once. */
  add(tallies: readonly Tally[]): Promise<void>;
  /** Those that were changed at or after an instant, at most so many, the newest first. */
  changedSince(since: Instant, most: number): Promise<readonly Tally[]>;
  /** Takes away those that were changed before an instant. */
  sweep(before: Instant): Promise<void>;
}

export interface Store {
  readonly database: 'sqlite' | 'postgres';
  reader(scope: Scope): Reader;
  readonly access: AccessReader;
  /** What happened to the rows that decisions are made of. Never reachable from a resolver. */
  readonly trail: TrailReader;
  readonly tallies: Tallies;
  /**
   * The one write path (rule 27). An exception rolls back and is thrown on; `OutcomeUnknown` is thrown where the database was
   * lost while it committed and nobody can tell whether it did.
   */
  transaction<T>(origin: ChangeOrigin, work: (transaction: Transaction) => Promise<Verdict<T>>): Promise<Committed<T>>;
  /**
   * Tells of each transaction of this process once it is committed, before whoever asked for it is answered. What is told
   * must be quick and must not throw. Answers how to stop it.
   */
  onCommit(tell: (commit: Commit) => void): () => void;
  close(): Promise<void>;
}

/** Thrown by a write that breaks a uniqueness rule of the tables. */
export class UniquenessError extends Error {
  constructor(
    readonly kind: Kind,
    options?: ErrorOptions,
  ) {
    super(`a ${kind} with these values exists already`, options);
    this.name = 'UniquenessError';
  }
}
