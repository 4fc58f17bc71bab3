/**
 * What is asked next, and by whom: reads and writes over everything that the generator has heard of, allowed or not,
 * possible or not. It knows only what answers told; which of it is still true when a request arrives, nobody knows.
 */
import type { Dice } from './random.js';
import type { NodeKind, Place, Question, Read, Window } from './reads.js';
import type { Id, State } from './state.js';
import { randomScope, randomTags, randomUrn, type Actor, type World } from './world.js';
import type { Write } from './writes.js';

export type Operation = Read | Write | { readonly name: 'signIn'; readonly userId: Id };

export interface Ask {
  readonly actor: Actor;
  /** Null: account scope. */
  readonly workspaceId: Id | null;
  readonly operation: Operation;
}

interface KnownResource {
  readonly id: Id;
  readonly kind: string;
  readonly urn: string;
  workspaceId: Id;
}

/** What a cursor belongs to. */
export interface CursorList {
  readonly list: string;
  readonly by: string;
  readonly direction: string;
  readonly workspaceId: Id | null;
}

/** Most resources in one workspace and most workspaces that the run makes; lists stay worth paging through. */
const most = { resources: 45, workspaces: 9 } as const;

const minute = 60_000;

export class Generator {
  readonly resources = new Map<Id, KnownResource>();
  readonly workspaces: Set<Id>;
  readonly #gone: Id[] = [];
  readonly #grants: Set<Id>;
  readonly #cursors = new Map<string, { readonly cursor: string; readonly place: Place }[]>();
  readonly #kinds: readonly string[];
  readonly #userIds: readonly Id[];
  /** `<actor> <workspace>`: was found closed. */
  readonly #closed = new Set<string>();
  /** Disabled users are let in again sooner or later, or the run would fall asleep. */
  readonly disabled = new Set<Id>();

  constructor(
    private readonly world: World,
    private readonly dice: Dice,
  ) {
    const { state, catalogue } = world;
    this.workspaces = new Set(state.workspaces.keys());
    this.#grants = new Set(state.grants.keys());
    this.#kinds = [...catalogue.keys()];
    this.#userIds = [...state.users.keys()];
  }

  next(quiet: boolean): Ask {
    return quiet || this.dice.chance(0.5) ? this.#read() : this.#write();
  }

  /** What an answer told. */
  note(operation: Operation, made: { readonly id: Id } | null, workspaceId: Id | null): void {
    const { name } = operation;
    if (name === 'registerResource' && made !== null && workspaceId !== null) {
      this.resources.set(made.id, { id: made.id, kind: operation.kind, urn: operation.urn, workspaceId });
    }
    if (name === 'moveResource') {
      const resource = this.resources.get(operation.id);
      if (resource !== undefined) resource.workspaceId = operation.workspaceId;
    }
    if (name === 'deregisterResource') {
      this.resources.delete(operation.id);
      this.#gone.push(operation.id);
    }
    if (name === 'createWorkspace' && made !== null) this.workspaces.add(made.id);
    if (name === 'deleteWorkspace') this.workspaces.delete(operation.id);
    if (name === 'grantPolicy' && made !== null) this.#grants.add(made.id);
    if (name === 'revokeGrant') this.#grants.delete(operation.id);
    if (name === 'updateUser') {
      if (operation.enabled) this.disabled.delete(operation.id);
      else this.disabled.add(operation.id);
    }
  }

  noteEntry(actorId: Id, workspaceId: Id, closed: boolean): void {
    const key = `${actorId} ${workspaceId}`;
    if (closed) this.#closed.add(key);
    else this.#closed.delete(key);
  }

  keepCursor(list: CursorList, cursor: string, place: Place): void {
    const key = cursorKey(list);
    const kept = this.#cursors.get(key) ?? [];
    kept.push({ cursor, place });
    // The newest are the likeliest to lie inside a list, old ones show what has gone meanwhile.
    if (kept.length > 60) kept.splice(this.dice.below(40), 1);
    this.#cursors.set(key, kept);
  }

  #read(): Ask {
    const { dice } = this;
    const actor = this.#actor(false);
    const inside = this.#openWorkspace(actor);
    const anywhere = dice.chance(0.3) ? null : inside;
    const ask = (operation: Operation, workspaceId: Id | null): Ask => {
      if (!dice.chance(0.03)) return { actor, operation, workspaceId };
      // Where it may not be asked, or sees something else: there its cursor opens nothing.
      const elsewhere =
        'window' in operation ? { ...operation, window: { ...operation.window, from: null } } : operation;
      return { actor, operation: elsewhere, workspaceId: workspaceId === null ? inside : null };
    };
    const name = dice.weighted<Read['name']>([
      [7, 'resources'],
      [3, 'resource'],
      [3, 'nodes'],
      [3, 'users'],
      [2, 'groups'],
      [2, 'grants'],
      [2, 'workspaces'],
      [1, 'workspace'],
      [2, 'auditEvents'],
      [3, 'checkAccess'],
      [1.5, 'viewer'],
      [1, 'switchScope'],
      [0.5, 'strangeCursor'],
    ]);
    const part = (): string | null => (dice.chance(0.2) ? dice.pick(['z', 'q1', 'a', 'u-', 'GR', '-zq', '7']) : null);
    switch (name) {
      case 'resources': {
        const by = dice.pick(['NAME', 'URN', 'CREATED_AT', 'UPDATED_AT']);
        const filter = {
          kinds: dice.chance(0.3) ? dice.some(this.#kinds, 3) : null,
          nameContains: part(),
          ownerId: dice.chance(0.1) ? dice.pick(this.#userIds) : null,
          parentId: dice.chance(0.05) ? this.#someResource(inside) : null,
        };
        return ask({ name, ...filter, window: this.#window(name, by, inside) }, inside);
      }
      case 'resource':
        return ask({ name, id: this.#someResource(inside) }, inside);
      case 'workspace':
        return ask({ name, id: dice.chance(0.6) ? inside : this.#someWorkspace() }, anywhere);
      case 'nodes':
        return ask({ name, ids: Array.from({ length: 1 + dice.below(6) }, () => this.#node(inside)) }, anywhere);
      case 'users': {
        const window = this.#window(name, dice.pick(['NAME', 'CREATED_AT']), anywhere);
        return ask(
          { name, window, nameContains: part(), enabled: dice.chance(0.2) ? dice.chance(0.5) : null },
          anywhere,
        );
      }
      case 'groups': {
        const window = this.#window(name, dice.pick(['NAME', 'CREATED_AT']), anywhere);
        return ask({ name, window, nameContains: part() }, anywhere);
      }
      case 'workspaces': {
        const window = this.#window(name, dice.pick(['NAME', 'CREATED_AT', 'UPDATED_AT']), null);
        const visibility = dice.chance(0.2) ? dice.pick(['PUBLIC', 'PRIVATE', 'INTERNAL'] as const) : null;
        return ask({ name, window, nameContains: part(), visibility }, null);
      }
      case 'grants': {
        const scope = dice.chance(0.25) ? { workspace: dice.chance(0.5) ? inside : this.#someWorkspace() } : null;
        const subjectKind = dice.chance(0.2) ? dice.pick(['USER', 'GROUP', 'SERVICE'] as const) : null;
        return ask({ name, scope, subjectKind, window: this.#window(name, 'CREATED_AT', anywhere) }, anywhere);
      }
      case 'auditEvents': {
        const operation = dice.chance(0.2) ? dice.pick(['registerResource', 'grantPolicy', 'updateUser']) : null;
        const window = { ...this.#window(name, 'REVISION', anywhere, 'DESC'), backward: false };
        return ask({ name, operation, window }, anywhere);
      }
      case 'checkAccess':
        return ask(
          { name, questions: Array.from({ length: 1 + dice.below(5) }, () => this.#question(inside)) },
          anywhere,
        );
      case 'viewer':
        return ask({ name, actions: Array.from({ length: 3 }, () => this.#action()) }, anywhere);
      case 'switchScope':
        return ask({ name, workspaceId: this.#someWorkspace() }, anywhere);
      case 'strangeCursor': {
        const strange = [...this.#cursors].filter(([key]) => !key.startsWith('resources') || !key.endsWith(inside));
        if (strange.length === 0) return this.#read();
        const { cursor } = dice.pick(dice.pick(strange)[1]);
        return { actor, operation: { name, list: 'resources', cursor }, workspaceId: inside };
      }
    }
  }

  #write(): Ask {
    const { dice, world } = this;
    const actor = this.#actor(true);
    const inside = this.#openWorkspace(actor);
    const here = [...this.resources.values()].filter(({ workspaceId }) => workspaceId === inside).length;
    const name = dice.weighted<Write['name']>([
      [here < 10 ? 30 : here < most.resources ? 9 : 1, 'registerResource'],
      [6, 'updateResource'],
      [here > most.resources - 10 ? 6 : here > 8 ? 3 : 1, 'deregisterResource'],
      [11, 'moveResource'],
      [2, 'updateWorkspace'],
      [this.workspaces.size < most.workspaces ? 1 : 0.1, 'createWorkspace'],
      [0.7, 'deleteWorkspace'],
      [0.7, 'updateWorkspaceQuotas'],
      [5, 'grantPolicy'],
      [2, 'revokeGrant'],
      [1.5, 'addGroupMembers'],
      [1.5, 'removeGroupMembers'],
      [1.2, 'updateUser'],
      [1, 'setDefaultPolicyVersion'],
      [0.4, 'setAuthorizationMode'],
    ]);
    const ask = (operation: Operation, workspaceId: Id | null): Ask => ({ actor, operation, workspaceId });
    const owner = (): Id | null => (dice.chance(0.5) ? dice.pick(this.#userIds) : null);
    const parent = (): Id | null => (dice.chance(0.04) ? this.#someResource(inside) : null);
    switch (name) {
      case 'registerResource': {
        const kind = dice.pick(this.#kinds);
        const taken = dice.chance(0.03) ? [...this.resources.values()].find((known) => known.kind === kind) : undefined;
        const mark = dice.mark();
        const operation: Operation = {
          name,
          kind,
          urn: taken?.urn ?? randomUrn(dice, world.state.accountId, kind),
          resourceName: `${dice.pick(['re', 'RE', 'x'])}-${mark}`,
          tags: randomTags(dice, mark),
          ownerId: owner(),
          parentId: parent(),
        };
        return ask(operation, inside);
      }
      case 'updateResource': {
        const id = this.#someResource(inside);
        const mark = dice.mark();
        const operation: Operation = {
          name,
          id,
          ...(dice.chance(0.5) ? { resourceName: `re-${mark}` } : {}),
          ...(dice.chance(0.6) ? { tags: randomTags(dice, mark) } : {}),
          ...(dice.chance(0.3) ? { ownerId: owner() } : {}),
          ...(dice.chance(0.3) ? { parentId: parent() } : {}),
        };
        return ask(operation, inside);
      }
      case 'deregisterResource':
        return ask({ name, id: this.#someResource(inside) }, inside);
      case 'moveResource':
        return ask({ name, id: this.#someResource(inside), workspaceId: this.#openWorkspace(actor) }, inside);
      case 'createWorkspace': {
        const workspaceName = `ws-${dice.mark()}`;
        const operation: Operation = {
          name,
          workspaceName,
          description: `about ${workspaceName}`,
          visibility: dice.pick(['PUBLIC', 'PRIVATE', 'INTERNAL']),
          projectId: dice.pick([...world.state.projects]),
          memberIds: dice.some(this.#userIds, 3),
        };
        return ask(operation, null);
      }
      case 'updateWorkspace': {
        const operation: Operation = {
          name,
          id: inside,
          ...(dice.chance(0.6) ? { visibility: dice.pick(['PUBLIC', 'PRIVATE', 'INTERNAL'] as const) } : {}),
          ...(dice.chance(0.6) ? { memberIds: dice.some(this.#userIds, 5) } : {}),
        };
        return ask(operation, null);
      }
      case 'deleteWorkspace':
        return ask({ name, id: inside }, null);
      case 'updateWorkspaceQuotas': {
        const quota = dice.weighted([
          [2, -1],
          [1, 5 + dice.below(15)],
        ]);
        return ask({ name, id: inside, kind: dice.pick(this.#kinds), quota }, null);
      }
      case 'grantPolicy':
        return this.#grant(actor, inside);
      case 'revokeGrant':
        return ask({ name, id: dice.pick([...this.#grants]) }, dice.chance(0.7) ? null : inside);
      case 'addGroupMembers':
      case 'removeGroupMembers': {
        const groups = [...world.state.groups.values()];
        // Seldom the administrators: whoever joins them sees everything.
        const { id } = dice.chance(name === 'addGroupMembers' ? 0.04 : 0.15)
          ? dice.pick(groups)
          : dice.pick(groups.slice(1));
        const userIds = [dice.pick(this.#userIds), ...dice.some(this.#userIds, 1)];
        return ask({ name, groupId: id, userIds: [...new Set(userIds)] }, null);
      }
      case 'updateUser': {
        const [off] = this.disabled;
        if (off !== undefined && dice.chance(0.7)) return ask({ name, id: off, enabled: true }, null);
        return ask({ name, id: dice.pick(this.#userIds), enabled: dice.chance(0.5) }, null);
      }
      case 'setDefaultPolicyVersion': {
        const { id } = dice.pick([...world.state.policies.values()]);
        return ask({ name, policyId: id, number: 1 + dice.below(2) }, null);
      }
      case 'setAuthorizationMode':
        return ask({ name, mode: dice.chance(0.6) ? 'LOOSE' : 'STRICT' }, null);
    }
  }

  #grant(actor: Actor, inside: Id): Ask {
    const { dice, world } = this;
    const { state, server } = world;
    const within = dice.chance(0.3);
    const current: State = {
      ...state,
      workspaces: new Map([...state.workspaces].filter(([id]) => this.workspaces.has(id))),
    };
    const [scopeKind, scopeId] =
      within && dice.chance(0.9) ? (['WORKSPACE', inside] as const) : randomScope(dice, current);
    const subjectKind = dice.weighted([
      [4, 'USER'],
      [4, 'GROUP'],
      [1, 'SERVICE'],
    ] as const);
    const subjects = { USER: this.#userIds, GROUP: [...state.groups.keys()], SERVICE: [...state.services.keys()] };
    // Between two steps of the clock, which are ten minutes long.
    const expiresAt = dice.chance(0.4) ? server.now() + (5 + 10 * dice.below(4)) * minute : null;
    const operation: Operation = {
      name: 'grantPolicy',
      // More often one by which something can be done, or the run would come to a halt.
      policyId: dice.pick([...state.policies.keys()].slice(1, dice.chance(0.5) ? 9 : undefined)),
      subjectKind,
      subjectId: dice.pick(subjects[subjectKind]),
      scopeKind,
      scopeId,
      expiresAt,
    };
    return { actor, operation, workspaceId: within ? inside : null };
  }

  /** Whoever can do much writes more often, or little would happen. */
  #actor(writes: boolean): Actor {
    const { actors } = this.world;
    const [root, administrator, ...others] = actors;
    if (root === undefined || administrator === undefined) throw new Error('a run has actors');
    return this.dice.weighted([
      [writes ? 45 : 10, root],
      [writes ? 45 : 10, administrator],
      ...others.map((actor, place): [number, Actor] => [
        place < 2 ? (writes ? 25 : 10) : place < 4 ? (writes ? 25 : 8) : writes ? 10 : 8,
        actor,
      ]),
    ]);
  }

  #window(list: string, by: string, workspaceId: Id | null, only?: 'DESC'): Window {
    const { dice } = this;
    const direction = only ?? dice.pick(['ASC', 'DESC'] as const);
    const kept = this.#cursors.get(cursorKey({ list, by, direction, workspaceId })) ?? [];
    const from = kept.length > 0 && dice.chance(0.45) ? dice.pick(kept) : null;
    return { by, direction, size: dice.pick([1, 2, 3, 5, 10, 25, 100]), backward: dice.chance(0.3), from };
  }

  #someWorkspace(): Id {
    return this.dice.pick([...this.workspaces]);
  }

  /** Mostly where the actor was let in. */
  #openWorkspace({ id }: Actor): Id {
    const open = [...this.workspaces].filter((workspaceId) => !this.#closed.has(`${id} ${workspaceId}`));
    return open.length > 0 && this.dice.chance(0.85) ? this.dice.pick(open) : this.#someWorkspace();
  }

  /** Mostly of that workspace, sometimes of another, seldom one that has gone. */
  #someResource(workspaceId: Id): Id {
    const { dice } = this;
    const all = [...this.resources.values()];
    const here = all.filter((resource) => resource.workspaceId === workspaceId);
    if (dice.chance(0.04) && this.#gone.length > 0) return dice.pick(this.#gone);
    const from = here.length > 0 && dice.chance(0.88) ? here : all;
    return from.length === 0 ? dice.mark() : dice.pick(from).id;
  }

  #node(workspaceId: Id): { readonly kind: NodeKind; readonly id: Id } {
    const { dice } = this;
    const { state } = this.world;
    const kind = dice.pick([
      'Resource',
      'Resource',
      'User',
      'Group',
      'Grant',
      'Workspace',
      'Policy',
      'Service',
    ] as const);
    const ids: { readonly [Kind in NodeKind]: () => Id } = {
      Resource: () => this.#someResource(workspaceId),
      User: () => dice.pick(this.#userIds),
      Group: () => dice.pick([...state.groups.keys()]),
      Grant: () => dice.pick([...this.#grants]),
      Workspace: () => this.#someWorkspace(),
      Policy: () => dice.pick([...state.policies.keys()]),
      Service: () => dice.pick([...state.services.keys()]),
    };
    return { kind, id: ids[kind]() };
  }

  #question(workspaceId: Id): Question {
    const { dice } = this;
    const { actors } = this.world;
    const other = dice.pick(actors);
    const resource = dice.chance(0.6) ? this.resources.get(this.#someResource(workspaceId)) : undefined;
    const acts = ['create', 'update', 'delete', 'get', 'list'];
    return {
      principal: dice.chance(0.5) ? null : { kind: other.kind, id: other.id },
      action: resource !== undefined && dice.chance(0.7) ? `${resource.kind}:${dice.pick(acts)}` : this.#action(),
      resource: resource?.urn ?? null,
      workspaceId: dice.chance(0.4) ? this.#someWorkspace() : null,
    };
  }

  #action(): string {
    const { dice } = this;
    return dice.chance(0.5)
      ? `${dice.pick(this.#kinds)}:${dice.pick(['create', 'update', 'delete', 'get', 'list'])}`
      : dice.pick([
          'bailiwick:resources:get',
          'bailiwick:resources:move',
          'bailiwick:grants:list',
          'bailiwick:session:use',
          'iam:users:listUsers',
          'iam:permissions:addUserToGroup',
          'modelarts:workspace:get',
          'modelarts:workspace:update',
        ]);
  }
}

function cursorKey({ list, by, direction, workspaceId }: CursorList): string {
  return `${list} ${by} ${direction} ${workspaceId ?? 'account'}`;
}
