/** What becomes of resources: registered, changed, moved, taken off (docs/domain.md sections g and h). */
import { Asking, done, invalid, refused } from './asking.js';
import { Caller } from './decisions.js';
import type { Tag } from './documents.js';
import { withEntry, without, type Id, type Resource } from './state.js';
import type { Outcome, Write } from './writes.js';

export class ResourceWrites extends Asking {
  register(write: Write & { name: 'registerResource' }): Outcome {
    const { urn, kind, resourceName, tags, ownerId, parentId } = write;
    const { workspaceId, principal } = this.caller;
    const no = this.ask('bailiwick:resources:register', urn, tags) ?? this.askKind(kind, 'create', urn, tags);
    if (no !== null) return no;
    const missing = this.#missing(ownerId, parentId);
    if (missing.length > 0) return invalid(...missing);
    if ([...this.state.resources.values()].some((resource) => resource.urn === urn)) return invalid('CONFLICT');
    if (workspaceId === null) throw new Error('resources are registered in workspaces');
    if (this.#isFull(workspaceId, kind)) return invalid('LIMIT_EXCEEDED');
    const resource: Resource = {
      ...this.made,
      urn,
      kind,
      name: resourceName,
      workspaceId,
      ownerId,
      parentId,
      tags,
      registeredBy: principal.id,
    };
    const resources = withEntry(this.state.resources, resource.id, resource);
    return done({ ...this.state, resources }, { targetKind: 'resource', targetId: resource.id });
  }

  updateResource(write: Write & { name: 'updateResource' }): Outcome {
    const resource = this.#asked(write.id, 'bailiwick:resources:update', 'update', write.tags ?? null);
    if (!('urn' in resource)) return resource;
    const { ownerId, parentId } = write;
    const handsOver = ownerId !== undefined && ownerId !== resource.ownerId;
    if (handsOver && !this.caller.administrator && resource.registeredBy !== this.caller.principal.id) {
      return invalid('NOT_HELD');
    }
    const missing = this.#missing(ownerId ?? null, parentId ?? null);
    if (missing.length > 0) return invalid(...missing);
    if (parentId != null && this.#isBelow(parentId, resource.id)) return invalid('CONFLICT');
    const changed = {
      ...resource,
      name: write.resourceName ?? resource.name,
      tags: write.tags ?? resource.tags,
      ownerId: ownerId === undefined ? resource.ownerId : ownerId,
      parentId: parentId === undefined ? resource.parentId : parentId,
      updatedAt: this.made.updatedAt,
    };
    const resources = withEntry(this.state.resources, resource.id, changed);
    return done({ ...this.state, resources }, { targetKind: 'resource', targetId: resource.id });
  }

  move({ id, workspaceId }: Write & { name: 'moveResource' }): Outcome {
    const resource = this.#asked(id, 'bailiwick:resources:move', 'delete', null);
    if (!('urn' in resource)) return resource;
    const { principal, now } = this.caller;
    const there = new Caller(this.state, this.catalogue, principal, workspaceId, now);
    if (!this.state.workspaces.has(workspaceId) || !there.open) return invalid('NOT_FOUND');
    const about = { resource: resource.urn, tags: resource.tags };
    const verdicts = [
      there.decide('bailiwick:resources:move', about),
      there.decideKind(resource.kind, 'create', about),
    ];
    const no = verdicts.find(({ effect }) => effect === 'DENY');
    if (no !== undefined) return refused(no.reason);
    if (resource.workspaceId === workspaceId) return invalid('CONFLICT');
    if (resource.parentId !== null || this.#hasChildren(id)) return invalid('IN_USE');
    if (this.#isFull(workspaceId, resource.kind)) return invalid('LIMIT_EXCEEDED');
    const moved = { ...resource, workspaceId, updatedAt: this.made.updatedAt };
    const resources = withEntry(this.state.resources, id, moved);
    return done({ ...this.state, resources }, { targetKind: 'resource', targetId: id });
  }

  deregister({ id }: Write & { name: 'deregisterResource' }): Outcome {
    const resource = this.#asked(id, 'bailiwick:resources:deregister', 'delete', null);
    if (!('urn' in resource)) return resource;
    if (this.#hasChildren(id)) return invalid('IN_USE');
    const resources = without(this.state.resources, [id]);
    return done({ ...this.state, resources }, { targetKind: 'resource', targetId: id });
  }

  /** With the labels it has and with those it would have; what one may neither change nor see is not there (rule 19). */
  #asked(id: Id, action: string, act: 'update' | 'delete', newTags: readonly Tag[] | null): Resource | Outcome {
    const resource = this.sight.resource(id) ? this.state.resources.get(id) : undefined;
    if (resource === undefined) return this.ask(action) ?? invalid('NOT_FOUND');
    const { urn, kind, tags } = resource;
    const before = this.ask(action, urn, tags) ?? this.askKind(kind, act, urn, tags);
    if (before !== null && !this.caller.maySee(resource)) return this.ask(action) ?? invalid('NOT_FOUND');
    if (before !== null) return before;
    const after = newTags ?? tags;
    return this.ask(action, urn, after) ?? this.askKind(kind, act, urn, after) ?? resource;
  }

  #missing(ownerId: Id | null, parentId: Id | null): string[] {
    const parent = parentId === null ? undefined : this.state.resources.get(parentId);
    const seen = parent !== undefined && this.sight.resource(parent.id) && this.caller.maySee(parent);
    return [
      ...(ownerId === null || this.sight.user(ownerId) ? [] : ['NOT_FOUND']),
      ...(parentId === null || seen ? [] : ['NOT_FOUND']),
    ];
  }

  #isBelow(id: Id, ancestorId: Id): boolean {
    for (let next: Id | null = id; next !== null; next = this.state.resources.get(next)?.parentId ?? null) {
      if (next === ancestorId) return true;
    }
    return false;
  }

  #hasChildren(id: Id): boolean {
    return [...this.state.resources.values()].some(({ parentId }) => parentId === id);
  }

  #isFull(workspaceId: Id, kind: string): boolean {
    const quota = this.state.quotas.get(`${workspaceId} ${kind}`) ?? -1;
    const held = [...this.state.resources.values()].filter(
      (resource) => resource.workspaceId === workspaceId && resource.kind === kind,
    );
    return quota !== -1 && held.length >= quota;
  }
}
