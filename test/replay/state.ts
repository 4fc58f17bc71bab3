/**
 * The model's account: plain maps, replaced and never changed, so that what was true at any revision can be asked later.
 * Written from docs/domain.md section g, DESIGN section 2 and docs/decisions; nothing here knows src.
 */
import { allowsService, type Document, type Tag } from './documents.js';

export type Id = string;
export type Visibility = 'PUBLIC' | 'PRIVATE' | 'INTERNAL';
export type SubjectKind = 'USER' | 'GROUP' | 'SERVICE';
export type ScopeKind = 'ALL' | 'ACCOUNT' | 'ALL_WORKSPACES' | 'WORKSPACE' | 'ENTERPRISE_PROJECT';

export interface User {
  readonly id: Id;
  readonly name: string;
  readonly root: boolean;
  readonly enabled: boolean;
  /** Whether the LOOSE default is in force (rule 12). */
  readonly usesDefault: boolean;
  readonly createdAt: string;
}

export interface Group {
  readonly id: Id;
  readonly name: string;
  readonly builtIn: boolean;
  readonly createdAt: string;
}

export interface Policy {
  readonly id: Id;
  readonly name: string;
  readonly system: boolean;
  readonly versions: readonly Document[];
  /** Counted from 1. */
  readonly inUse: number;
}

export interface Grant {
  readonly id: Id;
  readonly policyId: Id;
  readonly subjectKind: SubjectKind;
  readonly subjectId: Id;
  readonly scopeKind: ScopeKind;
  readonly scopeId: Id;
  readonly expiresAt: number | null;
  readonly createdAt: string;
}

export interface Workspace {
  readonly id: Id;
  readonly name: string;
  readonly visibility: Visibility;
  readonly creatorId: Id;
  readonly projectId: Id;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface Resource {
  readonly id: Id;
  readonly urn: string;
  readonly kind: string;
  readonly name: string;
  readonly workspaceId: Id;
  readonly ownerId: Id | null;
  readonly parentId: Id | null;
  readonly tags: readonly Tag[];
  readonly registeredBy: Id;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface TrailEntry {
  readonly revision: number;
  /** Null: the account's. */
  readonly workspaceId: Id | null;
  readonly operation: string;
  readonly actorId: Id;
  readonly targetKind: string;
  /** Null for rows whose ids nobody is told. */
  readonly targetId: Id | null;
}

/** Who acts: a user by one of the sessions they ever had, or a service by its key. */
export interface Principal {
  readonly kind: 'USER' | 'SERVICE';
  readonly id: Id;
  /** Null where it is asked about somebody by id. */
  readonly sessionId: Id | null;
}

export interface State {
  readonly accountId: Id;
  readonly revision: number;
  readonly mode: 'LOOSE' | 'STRICT';
  readonly users: ReadonlyMap<Id, User>;
  readonly groups: ReadonlyMap<Id, Group>;
  /** `<group> <user>`. */
  readonly memberships: ReadonlySet<string>;
  readonly policies: ReadonlyMap<Id, Policy>;
  readonly grants: ReadonlyMap<Id, Grant>;
  readonly workspaces: ReadonlyMap<Id, Workspace>;
  /** `<workspace> <user>`. */
  readonly listed: ReadonlySet<string>;
  /** `<workspace> <kind>`. */
  readonly quotas: ReadonlyMap<string, number>;
  readonly resources: ReadonlyMap<Id, Resource>;
  readonly services: ReadonlyMap<Id, { readonly id: Id; readonly name: string }>;
  readonly projects: ReadonlySet<Id>;
  /** Of each user, all that ever began. */
  readonly sessions: ReadonlyMap<Id, readonly Id[]>;
  readonly endedSessions: ReadonlySet<Id>;
  /** Shared by all states and longer than it was: entries of later revisions are not there yet. */
  readonly trail: readonly TrailEntry[];
}

export function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value);
}

export function without<K, V>(map: ReadonlyMap<K, V>, keys: Iterable<K>): ReadonlyMap<K, V> {
  const copy = new Map(map);
  for (const key of keys) copy.delete(key);
  return copy;
}

export function isMember(state: State, groupId: Id, userId: Id): boolean {
  return state.memberships.has(`${groupId} ${userId}`);
}

/** Rule 2: root, and the members of the group that every account begins with. */
export function isAdministrator(state: State, userId: Id): boolean {
  if (state.users.get(userId)?.root === true) return true;
  return [...state.groups.values()].some(({ builtIn, id }) => builtIn && isMember(state, id, userId));
}

/** Section g3 with rule 2: who may enter, of the users. */
export function userMayEnter(state: State, workspaceId: Id, userId: Id): boolean {
  const workspace = state.workspaces.get(workspaceId);
  if (workspace === undefined || !state.users.has(userId)) return false;
  if (workspace.creatorId === userId || isAdministrator(state, userId)) return true;
  if (workspace.visibility === 'INTERNAL') return state.listed.has(`${workspaceId} ${userId}`);
  return workspace.visibility === 'PUBLIC';
}

/** Rule 3: users by visibility, services where a grant that allows something reaches. */
export function mayEnter(state: State, workspaceId: Id, { kind, id }: Principal, now: number): boolean {
  if (kind === 'USER') return userMayEnter(state, workspaceId, id);
  return grantsOf(state, kind, id, now).some(
    (grant) =>
      reachesInto(state, grant, workspaceId) &&
      documentOf(state, grant.policyId).some(({ effect }) => effect === 'Allow'),
  );
}

/** Whether a grant acts in the workspace for some action at all. */
export function reachesInto(state: State, { scopeKind, scopeId }: Grant, workspaceId: Id): boolean {
  const workspace = state.workspaces.get(workspaceId);
  if (workspace === undefined) return false;
  if (scopeKind === 'WORKSPACE') return scopeId === workspaceId;
  if (scopeKind === 'ENTERPRISE_PROJECT') return scopeId === workspace.projectId;
  return true;
}

export function documentOf(state: State, policyId: Id): Document {
  const policy = state.policies.get(policyId);
  return policy?.versions[policy.inUse - 1] ?? [];
}

export function hasEnded({ expiresAt }: Pick<Grant, 'expiresAt'>, now: number): boolean {
  return expiresAt !== null && expiresAt <= now;
}

/** Grants that reach a subject now, straight or through a group. */
export function grantsOf(state: State, kind: SubjectKind, id: Id, now: number): readonly Grant[] {
  return [...state.grants.values()].filter(
    (grant) =>
      !hasEnded(grant, now) &&
      ((grant.subjectKind === kind && grant.subjectId === id) ||
        (kind === 'USER' && grant.subjectKind === 'GROUP' && isMember(state, grant.subjectId, id))),
  );
}

/** What a scope shows of the directory (DESIGN section 2). `null`: account scope, which shows all of it. */
export class Sight {
  constructor(
    readonly state: State,
    readonly workspaceId: Id | null,
    readonly now: number,
  ) {}

  user(id: Id): boolean {
    if (!this.state.users.has(id)) return false;
    return this.workspaceId === null || userMayEnter(this.state, this.workspaceId, id);
  }

  group(id: Id): boolean {
    return this.state.groups.has(id) && (this.workspaceId === null || this.#isGranted('GROUP', id));
  }

  service(id: Id): boolean {
    return this.state.services.has(id) && (this.workspaceId === null || this.#isGranted('SERVICE', id));
  }

  grant(id: Id): boolean {
    const grant = this.state.grants.get(id);
    if (grant === undefined) return false;
    if (this.workspaceId === null) return true;
    if (!this.#acts(grant)) return false;
    return grant.subjectKind !== 'USER' || this.user(grant.subjectId);
  }

  policy(id: Id): boolean {
    const policy = this.state.policies.get(id);
    if (policy === undefined) return false;
    if (this.workspaceId === null || policy.system) return true;
    return [...this.state.grants.values()].some((grant) => grant.policyId === id && this.grant(grant.id));
  }

  /** Of the row alone: who may enter it is another question. */
  workspace(id: Id): boolean {
    return this.state.workspaces.has(id) && (this.workspaceId === null || this.workspaceId === id);
  }

  project(id: Id): boolean {
    if (!this.state.projects.has(id)) return false;
    return this.workspaceId === null || this.state.workspaces.get(this.workspaceId)?.projectId === id;
  }

  resource(id: Id): boolean {
    return this.workspaceId !== null && this.state.resources.get(id)?.workspaceId === this.workspaceId;
  }

  #acts(grant: Grant): boolean {
    return this.workspaceId !== null && !hasEnded(grant, this.now) && reachesInto(this.state, grant, this.workspaceId);
  }

  #isGranted(kind: SubjectKind, id: Id): boolean {
    return [...this.state.grants.values()].some(
      (grant) => grant.subjectKind === kind && grant.subjectId === id && this.#acts(grant),
    );
  }
}

/** Rule 12: the default ends for good when a first Allow naming `modelarts` reaches a user through any grant. */
export function endDefaults(state: State, now: number, userIds: Iterable<Id>): { state: State; ended: readonly Id[] } {
  const ended: Id[] = [];
  let users = state.users;
  for (const id of new Set(userIds)) {
    const user = users.get(id);
    if (user === undefined || user.root || !user.usesDefault) continue;
    const reached = grantsOf(state, 'USER', id, now).some(({ policyId }) =>
      allowsService(documentOf(state, policyId), 'modelarts'),
    );
    if (!reached) continue;
    users = withEntry(users, id, { ...user, usesDefault: false });
    ended.push(id);
  }
  return { state: { ...state, users }, ended };
}
