/** What becomes of grants, groups, users, policies and the mode of the account. */
import { Asking, done, invalid, refused } from './asking.js';
import { isProjectLevel } from './documents.js';
import { refusedAtDoor, revokeDoor } from './doors.js';
import { defaultGift, gainRefused, giftsOf, liftedGifts, switchGifts } from './gifts.js';
import {
  documentOf,
  endDefaults,
  isAdministrator,
  isMember,
  userMayEnter,
  withEntry,
  without,
  type Grant,
  type Id,
  type ScopeKind,
  type SubjectKind,
} from './state.js';
import type { Outcome, Write } from './writes.js';

export class DirectoryWrites extends Asking {
  grant(write: Write & { name: 'grantPolicy' }): Outcome {
    const { policyId, subjectKind, subjectId, scopeId, expiresAt } = write;
    const { caller } = this;
    const no = this.ask(grantAction('grant', subjectKind, write.scopeKind));
    if (no !== null) return no;
    const seen = {
      USER: this.sight.user(subjectId),
      GROUP: this.sight.group(subjectId),
      SERVICE: this.sight.service(subjectId),
    };
    const elsewhere = this.#isElsewhere(write.scopeKind, scopeId);
    const faults = [
      ...(this.sight.policy(policyId) ? [] : ['NOT_FOUND']),
      ...(seen[subjectKind] ? [] : ['NOT_FOUND']),
      ...(elsewhere ? ['INVALID'] : this.#isThere(write.scopeKind, scopeId) ? [] : ['NOT_FOUND']),
      ...(expiresAt !== null && expiresAt <= caller.now ? ['INVALID'] : []),
    ];
    if (faults.length > 0) return invalid(...faults);
    const document = documentOf(this.state, policyId);
    const widened = write.scopeKind === 'ACCOUNT' && isProjectLevel(document);
    const scopeKind = widened ? 'ALL' : write.scopeKind;
    const wider = widened ? this.ask(grantAction('grant', subjectKind, 'ALL')) : null;
    if (wider !== null) return wider;
    const standing = [...this.state.grants.values()].find(
      (grant) =>
        grant.policyId === policyId &&
        grant.subjectKind === subjectKind &&
        grant.subjectId === subjectId &&
        grant.scopeKind === scopeKind &&
        grant.scopeId === scopeId,
    );
    const ends = (end: number | null) => end ?? Infinity;
    const shortened = standing !== undefined && ends(expiresAt) < ends(standing.expiresAt);
    if (shortened && this.#isAdministratorsOwn(standing)) return invalid('IMMUTABLE');
    const grant: Grant = {
      ...(standing ?? { ...this.made, policyId, subjectKind, subjectId, scopeKind, scopeId }),
      expiresAt,
    };
    const gifts = [...giftsOf(this.state, [grant]), ...(shortened ? liftedGifts(this.state, [standing]) : [])];
    if (gainRefused(caller, gifts)) return invalid('NOT_HELD');
    if (this.#restrainsAdministrators(grant)) return invalid('NOT_HELD');
    const changed = standing?.expiresAt !== expiresAt;
    const grants = changed ? withEntry(this.state.grants, grant.id, grant) : this.state.grants;
    const { state, ended } = endDefaults({ ...this.state, grants }, caller.now, this.#reachedBy([grant]));
    return done(
      state,
      ...(changed ? [{ targetKind: 'grant', targetId: grant.id }] : []),
      ...ended.map((targetId) => ({ targetKind: 'user', targetId })),
    );
  }

  revoke({ id }: Write & { name: 'revokeGrant' }): Outcome {
    const grant = this.sight.grant(id) ? this.state.grants.get(id) : undefined;
    if (grant === undefined) {
      const no = refusedAtDoor(this.caller, { scope: 'ANY', anyOf: revokeDoor, resource: null });
      return no === null ? invalid('NOT_FOUND') : refused(no);
    }
    const no = this.ask(grantAction('revoke', grant.subjectKind, grant.scopeKind));
    if (no !== null) return no;
    if (this.#isElsewhere(grant.scopeKind, grant.scopeId)) return invalid('INVALID');
    if (this.#isAdministratorsOwn(grant)) return invalid('IMMUTABLE');
    if (gainRefused(this.caller, liftedGifts(this.state, [grant]))) return invalid('NOT_HELD');
    const grants = without(this.state.grants, [id]);
    return done({ ...this.state, grants }, { targetKind: 'grant', targetId: id });
  }

  #isElsewhere(scopeKind: ScopeKind, scopeId: Id): boolean {
    const here = this.caller.workspaceId;
    return here !== null && !(scopeKind === 'WORKSPACE' && scopeId === here);
  }

  /** A workspace that one may not enter looks like one that does not exist. */
  #isThere(scopeKind: ScopeKind, scopeId: Id): boolean {
    if (scopeKind === 'ENTERPRISE_PROJECT') return this.state.projects.has(scopeId);
    if (scopeKind !== 'WORKSPACE') return true;
    const { principal, workspaceId } = this.caller;
    if (principal.kind === 'USER') return userMayEnter(this.state, scopeId, principal.id);
    return scopeId === workspaceId && this.state.workspaces.has(scopeId);
  }

  /** FullAccess of the administrators stays for ever (rule 2). */
  #isAdministratorsOwn({ subjectKind, subjectId, policyId, scopeKind }: Grant): boolean {
    const builtIn = subjectKind === 'GROUP' && this.state.groups.get(subjectId)?.builtIn === true;
    return builtIn && scopeKind === 'ALL' && this.state.policies.get(policyId)?.name === 'FullAccess';
  }

  #restrainsAdministrators({ subjectKind, subjectId, policyId }: Grant): boolean {
    if (this.caller.administrator) return false;
    if (!documentOf(this.state, policyId).some(({ effect }) => effect === 'Deny')) return false;
    if (subjectKind === 'GROUP') return this.state.groups.get(subjectId)?.builtIn === true;
    return subjectKind === 'USER' && isAdministrator(this.state, subjectId);
  }

  /** In the order of the rows: users of a group by their ids. */
  #reachedBy(grants: readonly Grant[]): readonly Id[] {
    return grants.flatMap(({ subjectKind, subjectId }) => {
      if (subjectKind === 'USER') return [subjectId];
      if (subjectKind !== 'GROUP') return [];
      return [...this.state.users.keys()].filter((id) => isMember(this.state, subjectId, id)).sort();
    });
  }

  join({ groupId, userIds }: Write & { name: 'addGroupMembers' | 'removeGroupMembers' }): Outcome {
    const no = this.ask('iam:permissions:addUserToGroup', `iam::${this.state.accountId}:group:${groupId}`);
    if (no !== null) return no;
    const missing = this.#missingMembers(groupId, userIds);
    if (missing.length > 0) return invalid(...missing);
    if (gainRefused(this.caller, giftsOf(this.state, this.#grantsOfGroup(groupId)))) return invalid('NOT_HELD');
    if (this.#isForAdministrators(groupId)) return invalid('NOT_HELD');
    const joined = [...new Set(userIds)].filter((id) => !isMember(this.state, groupId, id));
    const memberships = new Set([...this.state.memberships, ...joined.map((id) => `${groupId} ${id}`)]);
    const { state, ended } = endDefaults({ ...this.state, memberships }, this.caller.now, userIds);
    return done(
      state,
      ...joined.map((id) => ({ targetKind: 'membership', targetId: `${groupId}.${id}` })),
      ...ended.map((targetId) => ({ targetKind: 'user', targetId })),
    );
  }

  leave({ groupId, userIds }: Write & { name: 'addGroupMembers' | 'removeGroupMembers' }): Outcome {
    const no = this.ask('iam:permissions:removeUserFromGroup', `iam::${this.state.accountId}:group:${groupId}`);
    if (no !== null) return no;
    const missing = this.#missingMembers(groupId, userIds);
    if (missing.length > 0) return invalid(...missing);
    if (gainRefused(this.caller, liftedGifts(this.state, this.#grantsOfGroup(groupId)))) return invalid('NOT_HELD');
    if (this.#isForAdministrators(groupId)) return invalid('NOT_HELD');
    const left = [...new Set(userIds)].filter((id) => isMember(this.state, groupId, id));
    const memberships = new Set(
      [...this.state.memberships].filter((entry) => !left.some((id) => entry === `${groupId} ${id}`)),
    );
    return done(
      { ...this.state, memberships },
      ...left.map((id) => ({ targetKind: 'membership', targetId: `${groupId}.${id}` })),
    );
  }

  #missingMembers(groupId: Id, userIds: readonly Id[]): string[] {
    return [
      ...(this.state.groups.has(groupId) ? [] : ['NOT_FOUND']),
      ...userIds.filter((id) => !this.state.users.has(id)).map(() => 'NOT_FOUND'),
    ];
  }

  #isForAdministrators(groupId: Id): boolean {
    return !this.caller.administrator && this.state.groups.get(groupId)?.builtIn === true;
  }

  #grantsOfGroup(groupId: Id): readonly Grant[] {
    return [...this.state.grants.values()].filter(
      ({ subjectKind, subjectId }) => subjectKind === 'GROUP' && subjectId === groupId,
    );
  }

  enable({ id, enabled }: Write & { name: 'updateUser' }): Outcome {
    const { caller } = this;
    const no = this.ask('iam:users:updateUser', `iam::${this.state.accountId}:user:${id}`);
    if (no !== null) return no;
    const user = this.state.users.get(id);
    if (user === undefined) return invalid('NOT_FOUND');
    if (user.root && (!enabled || !caller.root)) return invalid('IMMUTABLE');
    if (enabled && !user.enabled) {
      const grants = [...this.state.grants.values()].filter(
        ({ subjectKind, subjectId }) =>
          (subjectKind === 'USER' && subjectId === id) ||
          (subjectKind === 'GROUP' && isMember(this.state, subjectId, id)),
      );
      const loose = this.state.mode === 'LOOSE' && user.usesDefault ? [defaultGift] : [];
      if (gainRefused(caller, [...giftsOf(this.state, grants), ...loose])) return invalid('NOT_HELD');
    }
    const ends = !enabled && user.enabled;
    if (ends && !caller.administrator && isAdministrator(this.state, id)) return invalid('NOT_HELD');
    const users = withEntry(this.state.users, id, { ...user, enabled });
    const sessions = ends ? this.#openSessionsOf(id) : [];
    const endedSessions = new Set([...this.state.endedSessions, ...sessions]);
    return done(
      { ...this.state, users, endedSessions },
      ...[...sessions].sort().map((targetId) => ({ targetKind: 'session', targetId })),
      { targetKind: 'user', targetId: id },
    );
  }

  #openSessionsOf(userId: Id): readonly Id[] {
    const sessions = this.state.sessions.get(userId) ?? [];
    return sessions.filter((id) => !this.state.endedSessions.has(id));
  }

  useVersion({ policyId, number }: Write & { name: 'setDefaultPolicyVersion' }): Outcome {
    const no = this.ask('iam:roles:updateRole', `iam::${this.state.accountId}:policy:${policyId}`);
    if (no !== null) return no;
    const policy = this.state.policies.get(policyId);
    if (policy === undefined) return invalid('NOT_FOUND');
    if (policy.system) return invalid('IMMUTABLE');
    const next = policy.versions[number - 1];
    if (next === undefined) return invalid('NOT_FOUND');
    const grants = [...this.state.grants.values()]
      .filter((grant) => grant.policyId === policyId)
      .sort((one, other) => compare(one.createdAt, other.createdAt) || compare(one.id, other.id));
    if (gainRefused(this.caller, switchGifts(documentOf(this.state, policyId), next, grants)))
      return invalid('NOT_HELD');
    const policies = withEntry(this.state.policies, policyId, { ...policy, inUse: number });
    const changed = { ...this.state, policies };
    const { state, ended } = endDefaults(changed, this.caller.now, this.#reachedBy(grants));
    return done(
      state,
      { targetKind: 'policy', targetId: policyId },
      ...ended.map((targetId) => ({ targetKind: 'user', targetId })),
    );
  }

  setMode({ mode }: Write & { name: 'setAuthorizationMode' }): Outcome {
    const no = this.ask('bailiwick:settings:update');
    if (no !== null) return no;
    if (this.state.mode === mode) return done(this.state);
    if (mode === 'LOOSE' && gainRefused(this.caller, [defaultGift])) return invalid('NOT_HELD');
    return done({ ...this.state, mode }, { targetKind: 'account', targetId: this.state.accountId });
  }
}

/** Contract: the exact action by subject × scope. */
function grantAction(act: 'grant' | 'revoke', subject: SubjectKind, scope: ScopeKind): string {
  const [toFrom, verb] = act === 'grant' ? ['To', 'grant'] : ['From', 'revoke'];
  if (subject !== 'GROUP') return `bailiwick:permissions:${verb}${toFrom}${subject === 'USER' ? 'User' : 'Service'}`;
  const where = scope === 'ALL' ? '' : scope === 'ACCOUNT' ? 'OnDomain' : 'OnProject';
  return `iam:permissions:${verb}Role${toFrom}Group${where}`;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
