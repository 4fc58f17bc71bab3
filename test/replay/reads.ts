/**
 * What each read answers, in parts that can be true of different moments: one request reads who asks first, then rows,
 * then what hangs on the rows, and others change all of it meanwhile. While nothing is in flight all moments are one.
 */
import { Caller, type Reason, type Verdict } from './decisions.js';
import type { Tag } from './documents.js';
import { refusedAtDoor, type Door } from './doors.js';
import { Sight, userMayEnter, type Grant, type Id, type Principal, type State, type Visibility } from './state.js';

export type Direction = 'ASC' | 'DESC';

export interface Window {
  readonly by: string;
  readonly direction: Direction;
  readonly size: number;
  readonly backward: boolean;
  /** Where the page begins (or, backward, ends), and the cursor that says so. */
  readonly from: { readonly place: Place; readonly cursor: string } | null;
}

export interface Place {
  readonly key: string | number;
  readonly id: string;
}

export interface Question {
  readonly principal: { readonly kind: 'USER' | 'SERVICE'; readonly id: Id } | null;
  readonly action: string;
  readonly resource: string | null;
  readonly workspaceId: Id | null;
}

export type Read =
  | {
      readonly name: 'resources';
      readonly window: Window;
      readonly kinds: readonly string[] | null;
      readonly nameContains: string | null;
      readonly ownerId: Id | null;
      readonly parentId: Id | null;
    }
  | { readonly name: 'resource' | 'workspace'; readonly id: Id }
  | { readonly name: 'nodes'; readonly ids: readonly { readonly kind: NodeKind; readonly id: Id }[] }
  | {
      readonly name: 'users';
      readonly window: Window;
      readonly nameContains: string | null;
      readonly enabled: boolean | null;
    }
  | { readonly name: 'groups'; readonly window: Window; readonly nameContains: string | null }
  | {
      readonly name: 'workspaces';
      readonly window: Window;
      readonly nameContains: string | null;
      readonly visibility: Visibility | null;
    }
  | {
      readonly name: 'grants';
      readonly window: Window;
      readonly scope: { readonly workspace: Id } | null;
      readonly subjectKind: Grant['subjectKind'] | null;
    }
  | { readonly name: 'auditEvents'; readonly window: Window; readonly operation: string | null }
  | { readonly name: 'checkAccess'; readonly questions: readonly Question[] }
  | { readonly name: 'viewer'; readonly actions: readonly string[] }
  | { readonly name: 'switchScope'; readonly workspaceId: Id }
  /** A cursor of another list or another scope: it opens nothing. */
  | { readonly name: 'strangeCursor'; readonly list: 'resources' | 'users' | 'groups'; readonly cursor: string };

export type NodeKind = 'Resource' | 'User' | 'Group' | 'Grant' | 'Workspace' | 'Policy' | 'Service';

const doors: { readonly [Name in Exclude<Read['name'], 'strangeCursor'>]: Omit<Door, 'resource'> } = {
  resources: { scope: 'WORKSPACE', anyOf: ['bailiwick:resources:list'] },
  resource: { scope: 'WORKSPACE', anyOf: ['bailiwick:resources:get'] },
  workspace: { scope: 'ANY', anyOf: ['modelarts:workspace:get'] },
  nodes: { scope: 'ANY', anyOf: ['bailiwick:session:use'] },
  users: { scope: 'ANY', anyOf: ['iam:users:listUsers'] },
  groups: { scope: 'ANY', anyOf: ['iam:groups:listGroups'] },
  workspaces: { scope: 'ACCOUNT', anyOf: ['modelarts:workspace:list'] },
  grants: { scope: 'ANY', anyOf: ['bailiwick:grants:list'] },
  auditEvents: { scope: 'ANY', anyOf: ['bailiwick:audit:list'] },
  checkAccess: { scope: 'ANY', anyOf: ['bailiwick:session:use'] },
  viewer: { scope: 'ANY', anyOf: ['bailiwick:session:use'] },
  switchScope: { scope: 'ANY', anyOf: ['bailiwick:session:use'] },
};

/** Null: let in. */
export function refusedRead(caller: Caller, read: Read): Reason | null {
  const { accountId } = caller.state;
  const name = read.name === 'strangeCursor' ? read.list : read.name;
  const resource = read.name === 'workspace' ? `modelarts::${accountId}:workspace:${read.id}` : null;
  const refused = refusedAtDoor(caller, { ...doors[name], resource });
  if (refused !== null || read.name !== 'checkAccess') return refused;
  const { principal } = caller;
  const ofOthers = read.questions.some(
    ({ principal: other }) => other !== null && !(other.kind === principal.kind && other.id === principal.id),
  );
  const { effect, reason } = caller.decide('bailiwick:access:check');
  return ofOthers && effect === 'DENY' ? reason : null;
}

/** What a type shows to whom: the permission that stands on it (rule 15). */
export class Gates {
  constructor(readonly caller: Caller) {}

  user(id: Id): boolean {
    return this.#any(['iam:users:getUser', 'iam:users:listUsers'], `iam::${this.#account}:user:${id}`);
  }

  group(id: Id): boolean {
    return this.#any(['iam:groups:getGroup', 'iam:groups:listGroups'], `iam::${this.#account}:group:${id}`);
  }

  policy(id: Id): boolean {
    return this.#any(['iam:roles:getRole', 'iam:roles:listRoles'], `iam::${this.#account}:policy:${id}`);
  }

  service(id: Id): boolean {
    return this.#any(['bailiwick:services:get', 'bailiwick:services:list'], `iam::${this.#account}:service:${id}`);
  }

  workspace(id: Id): boolean {
    return this.#any(
      ['modelarts:workspace:get', 'modelarts:workspace:list'],
      `modelarts::${this.#account}:workspace:${id}`,
    );
  }

  grant(): boolean {
    return this.#any(['bailiwick:grants:list'], null);
  }

  resource(urn: string): boolean {
    return this.#any(['bailiwick:resources:get', 'bailiwick:resources:list'], urn);
  }

  get #account(): Id {
    return this.caller.state.accountId;
  }

  #any(actions: readonly string[], resource: string | null): boolean {
    return actions.some((action) => this.caller.may(action, { resource }));
  }
}

/** Whether a caller may enter a workspace that stands in an answer: users by its visibility, services where they are. */
export function enters({ principal, workspaceId }: Caller, state: State, id: Id): boolean {
  return principal.kind === 'USER' ? userMayEnter(state, id, principal.id) : id === workspaceId;
}

export interface Row {
  readonly id: Id;
  readonly key: string | number;
  readonly shown: boolean;
}

export type ListRead = Extract<Read, { readonly window: Window }>;

/** The rows of a list in its order, whole: what the filter lets through and the caller may know of. */
export function rowsOf(read: ListRead, caller: Caller, state: State): readonly Row[] {
  const sight = new Sight(state, caller.workspaceId, caller.now);
  const gates = new Gates(caller);
  switch (read.name) {
    case 'resources': {
      const kinds = read.kinds ?? [...caller.catalogue.keys()];
      return ordered(
        read.window,
        [...state.resources.values()].filter(
          (resource) =>
            sight.resource(resource.id) &&
            kinds.includes(resource.kind) &&
            caller.mayList(resource) &&
            caller.maySee(resource) &&
            contains(resource.name, read.nameContains) &&
            (read.ownerId === null || resource.ownerId === read.ownerId) &&
            (read.parentId === null || resource.parentId === read.parentId),
        ),
        ({ urn }) => gates.resource(urn),
      );
    }
    case 'users':
      return ordered(
        read.window,
        [...state.users.values()].filter(
          ({ id, name, enabled }) =>
            sight.user(id) && contains(name, read.nameContains) && (read.enabled === null || enabled === read.enabled),
        ),
        ({ id }) => gates.user(id),
      );
    case 'groups':
      return ordered(
        read.window,
        [...state.groups.values()].filter(({ id, name }) => sight.group(id) && contains(name, read.nameContains)),
        ({ id }) => gates.group(id),
      );
    case 'workspaces':
      return ordered(
        read.window,
        [...state.workspaces.values()].filter(
          ({ id, name, visibility }) =>
            caller.principal.kind === 'USER' &&
            userMayEnter(state, id, caller.principal.id) &&
            contains(name, read.nameContains) &&
            (read.visibility === null || visibility === read.visibility),
        ),
        ({ id }) => gates.workspace(id),
      );
    case 'grants': {
      const named = read.scope?.workspace ?? null;
      // One that may not be entered is as good as none.
      if (named !== null && sight.workspace(named) && !enters(caller, state, named)) return [];
      return ordered(
        read.window,
        [...state.grants.values()].filter(
          (grant) =>
            sight.grant(grant.id) &&
            (named === null || (grant.scopeKind === 'WORKSPACE' && grant.scopeId === named)) &&
            (read.subjectKind === null || grant.subjectKind === read.subjectKind),
        ),
        () => gates.grant(),
      );
    }
    case 'auditEvents':
      throw new Error('the trail is no list of objects');
  }
}

/** Letter case disregarded. */
function contains(name: string, part: string | null): boolean {
  return part === null || name.toLowerCase().includes(part.toLowerCase());
}

interface Listed {
  readonly id: Id;
  readonly name?: string;
  readonly urn?: string;
  readonly createdAt: string;
  readonly updatedAt?: string;
}

function ordered<T extends Listed>(
  { by, direction }: Window,
  rows: readonly T[],
  shown: (row: T) => boolean,
): readonly Row[] {
  const keyOf = (row: T): string => {
    const key = { NAME: row.name?.toLowerCase(), URN: row.urn, CREATED_AT: row.createdAt, UPDATED_AT: row.updatedAt }[
      by
    ];
    if (key === undefined) throw new Error(`no order ${by}`);
    return key;
  };
  const sorted = rows.map((row) => ({ id: row.id, key: keyOf(row), shown: shown(row) }));
  return sorted.sort((one, other) => comparePlaces(one, other) * (direction === 'ASC' ? 1 : -1));
}

export function comparePlaces(one: Place, other: Place): number {
  if (one.key !== other.key) return one.key < other.key ? -1 : 1;
  return one.id < other.id ? -1 : one.id > other.id ? 1 : 0;
}

export interface Page<R extends Place> {
  readonly rows: readonly R[];
  readonly hasNext: boolean;
  readonly hasPrevious: boolean;
}

/** A window of a list in the manner of Relay. */
export function pageOf<R extends Place>(rows: readonly R[], { from, size, backward, direction }: Window): Page<R> {
  const side = (row: R): number =>
    from === null ? 1 : comparePlaces(row, from.place) * (direction === 'ASC' ? 1 : -1);
  if (!backward) {
    const after = rows.filter((row) => side(row) > 0);
    return { rows: after.slice(0, size), hasNext: after.length > size, hasPrevious: after.length < rows.length };
  }
  const before = from === null ? rows : rows.filter((row) => side(row) < 0);
  return { rows: before.slice(-size), hasNext: before.length < rows.length, hasPrevious: before.length > size };
}

/** An object behind a Node id; null is what the caller may not know of. */
export function findNode(caller: Caller, state: State, kind: NodeKind, id: Id): Id | null {
  const sight = new Sight(state, caller.workspaceId, caller.now);
  const gates = new Gates(caller);
  switch (kind) {
    case 'Resource': {
      const resource = sight.resource(id) ? state.resources.get(id) : undefined;
      return resource !== undefined && caller.maySee(resource) && gates.resource(resource.urn) ? id : null;
    }
    case 'User':
      return sight.user(id) && gates.user(id) ? id : null;
    case 'Group':
      return sight.group(id) && gates.group(id) ? id : null;
    case 'Grant':
      return sight.grant(id) && gates.grant() ? id : null;
    case 'Policy':
      return sight.policy(id) && gates.policy(id) ? id : null;
    case 'Service':
      return sight.service(id) && gates.service(id) ? id : null;
    case 'Workspace':
      return sight.workspace(id) && enters(caller, state, id) && gates.workspace(id) ? id : null;
  }
}

/** Rule 17 and docs/decisions/0026: what is said of a question about anybody, anywhere. */
export function answerQuestion(caller: Caller, state: State, question: Question): Verdict {
  const { catalogue, now } = caller;
  const here = caller.workspaceId;
  const registered =
    question.resource === null ? undefined : [...state.resources.values()].find(({ urn }) => urn === question.resource);
  const { principal } = question;
  const own = principal === null || (principal.kind === caller.principal.kind && principal.id === caller.principal.id);
  const refused = (reason: Reason): Verdict => ({ effect: 'DENY', reason });
  if (!own) {
    const sight = new Sight(state, here, now);
    const seen = principal.kind === 'USER' ? sight.user(principal.id) : sight.service(principal.id);
    if (!seen) return refused('PRINCIPAL_NOT_FOUND');
    if (principal.kind === 'USER' && state.users.get(principal.id)?.enabled !== true)
      return refused('PRINCIPAL_DISABLED');
  }
  const where = registered?.workspaceId ?? question.workspaceId ?? here;
  const closed = registered === undefined ? 'WORKSPACE_CLOSED' : 'NO_MATCHING_ALLOW';
  if (here !== null && here !== where) return refused(closed);
  const asked: Principal = own ? caller.principal : { ...principal, sessionId: null };
  const there = new Caller(own ? caller.state : state, catalogue, asked, where, now);
  if (!there.open && registered !== undefined && question.workspaceId !== where) return refused(closed);
  const tags: readonly Tag[] = registered?.tags ?? [];
  return there.decide(question.action, { resource: question.resource, tags });
}
