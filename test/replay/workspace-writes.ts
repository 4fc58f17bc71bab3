/** What becomes of workspaces, their lists and quotas (docs/domain.md section g). */
import { Asking, done, invalid } from './asking.js';
import { userMayEnter, withEntry, without, type Id } from './state.js';
import type { Entry, Outcome, Write } from './writes.js';

export class WorkspaceWrites extends Asking {
  createWorkspace(write: Write & { name: 'createWorkspace' }): Outcome {
    const no = this.ask('modelarts:workspace:create');
    if (no !== null) return no;
    const { workspaceName: name, visibility, projectId } = write;
    if (this.#isNameTaken(name)) return invalid('NAME_TAKEN');
    if (!this.state.projects.has(projectId)) return invalid('NOT_FOUND');
    const memberIds = [...new Set(write.memberIds)];
    const missing = memberIds.filter((id) => !this.sight.user(id));
    if (missing.length > 0) return invalid(...missing.map(() => 'NOT_FOUND'));
    const { id } = this.made;
    const workspace = { ...this.made, name, visibility, projectId, creatorId: this.caller.principal.id };
    const listed = new Set([...this.state.listed, ...memberIds.map((userId) => `${id} ${userId}`)]);
    const workspaces = withEntry(this.state.workspaces, id, workspace);
    return done(
      { ...this.state, workspaces, listed },
      { targetKind: 'workspace', targetId: id },
      ...memberIds.map((userId) => ({ targetKind: 'workspaceMember', targetId: `${id}.${userId}` })),
    );
  }

  updateWorkspace(write: Write & { name: 'updateWorkspace' }): Outcome {
    const no = this.#changeable('modelarts:workspace:update', write.id, false);
    if (no !== null) return no;
    const workspace = this.state.workspaces.get(write.id);
    if (workspace === undefined) throw new Error('a changeable workspace exists');
    const memberIds = write.memberIds === undefined ? null : [...new Set(write.memberIds)];
    const missing = (memberIds ?? []).filter((id) => !this.sight.user(id));
    if (missing.length > 0) return invalid(...missing.map(() => 'NOT_FOUND'));
    const before = this.#listOf(write.id);
    const others = [...this.state.listed].filter((entry) => !before.includes(entry));
    const listed =
      memberIds === null ? this.state.listed : new Set([...others, ...memberIds.map((id) => `${write.id} ${id}`)]);
    const changed = {
      ...workspace,
      visibility: write.visibility ?? workspace.visibility,
      updatedAt: this.made.updatedAt,
    };
    const workspaces = withEntry(this.state.workspaces, write.id, changed);
    return done(
      { ...this.state, workspaces, listed },
      ...(memberIds === null ? [] : before).map(memberEntry),
      ...(memberIds ?? []).map((id) => memberEntry(`${write.id} ${id}`)),
      { targetKind: 'workspace', targetId: write.id },
    );
  }

  deleteWorkspace({ id }: Write & { name: 'deleteWorkspace' }): Outcome {
    const no = this.#changeable('modelarts:workspace:delete', id, false);
    if (no !== null) return no;
    if ([...this.state.resources.values()].some(({ workspaceId }) => workspaceId === id)) return invalid('IN_USE');
    const grants = [...this.state.grants.values()]
      .filter(({ scopeKind, scopeId }) => scopeKind === 'WORKSPACE' && scopeId === id)
      .map((grant) => grant.id)
      .sort();
    const list = this.#listOf(id);
    const quotas = [...this.state.quotas.keys()].filter((key) => key.startsWith(`${id} `)).sort();
    const state = {
      ...this.state,
      grants: without(this.state.grants, grants),
      listed: new Set([...this.state.listed].filter((entry) => !list.includes(entry))),
      quotas: without(this.state.quotas, quotas),
      workspaces: without(this.state.workspaces, [id]),
    };
    return done(
      state,
      ...grants.map((targetId) => ({ targetKind: 'grant', targetId })),
      ...list.map(memberEntry),
      ...quotas.map(quotaEntry),
      { targetKind: 'workspace', targetId: id },
    );
  }

  setQuota({ id, kind, quota }: Write & { name: 'updateWorkspaceQuotas' }): Outcome {
    const no = this.#changeable('modelarts:workspace:updateQuotas', id, true);
    if (no !== null) return no;
    const key = `${id} ${kind}`;
    if (this.state.quotas.get(key) === quota) return done(this.state);
    return done({ ...this.state, quotas: withEntry(this.state.quotas, key, quota) }, quotaEntry(key));
  }

  /** Only who may enter a workspace changes it; the default one stays as it is (section g3). */
  #changeable(action: string, id: Id, defaultToo: boolean): Outcome | null {
    const no = this.ask(action, `modelarts::${this.state.accountId}:workspace:${id}`);
    if (no !== null) return no;
    const { principal } = this.caller;
    if (principal.kind !== 'USER' || !userMayEnter(this.state, id, principal.id)) return invalid('NOT_FOUND');
    return id === '0' && !defaultToo ? invalid('IMMUTABLE') : null;
  }

  #isNameTaken(name: string): boolean {
    return [...this.state.workspaces.values()].some((other) => other.name.toLowerCase() === name.toLowerCase());
  }

  #listOf(workspaceId: Id): string[] {
    return [...this.state.listed].filter((entry) => entry.startsWith(`${workspaceId} `)).sort();
  }
}

function memberEntry(entry: string): Entry {
  return { targetKind: 'workspaceMember', targetId: entry.replace(' ', '.') };
}

function quotaEntry(key: string): Entry {
  return { targetKind: 'workspaceQuota', targetId: key.replace(' ', '.') };
}
