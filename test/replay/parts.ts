/** An answer taken apart into what can each be compared with the model. */
import type { Caller, Reason } from './decisions.js';
import {
  answerQuestion,
  comparePlaces,
  enters,
  findNode,
  Gates,
  pageOf,
  refusedRead,
  rowsOf,
  type ListRead,
  type Place,
  type Read,
} from './reads.js';
import { eventPlace, type Answer, type List, type Record } from './run.js';
import { isMember, Sight, userMayEnter, type Grant, type Id, type State, type TrailEntry } from './state.js';
import { plain } from './world.js';

/** Who asked, what was listed, and what hung on it: three moments of one request, in this order. */
export interface Moments {
  readonly caller: Caller;
  readonly rows: State;
  readonly links: State;
}

export interface Part {
  readonly what: string;
  readonly given: string;
  /** Texts that would be right. */
  readonly expected: (moments: Moments) => readonly string[];
  /** Whether rows and links can be of different moments. */
  readonly linked?: boolean;
}

export function outcomeText(reason: Reason | null): string {
  if (reason === null) return 'answered';
  if (reason === 'CREDENTIAL_REVOKED') return 'UNAUTHENTICATED';
  return reason === 'WRONG_SCOPE' || reason === 'WORKSPACE_CLOSED' ? `FORBIDDEN ${reason}` : 'FORBIDDEN';
}

export function givenOutcome({ errors = [] }: Answer): string {
  const [error] = errors;
  if (error === undefined) return 'answered';
  const { code, reason } = error.extensions;
  return reason === undefined || code === 'UNAUTHENTICATED' ? code : `${code} ${reason}`;
}

/** Everything of a read that the model has to say something about. */
export function partsOf(record: Record, read: Read, earlierEvents: ReadonlyMap<string, number>): readonly Part[] {
  const { answer } = record;
  const access: Part = {
    what: 'access',
    given: givenOutcome(answer),
    expected: ({ caller }) => {
      const refused = refusedRead(caller, read);
      if (refused === null && read.name === 'strangeCursor') return ['BAD_USER_INPUT'];
      return [outcomeText(refused)];
    },
  };
  if (access.given !== 'answered') return [access];
  switch (read.name) {
    case 'strangeCursor':
      return [access];
    case 'auditEvents':
      return [access, ...eventParts(read, listOf(answer), record.ask.workspaceId, earlierEvents)];
    case 'resources':
    case 'users':
    case 'groups':
    case 'workspaces':
    case 'grants':
      return [access, ...listParts(read, listOf(answer))];
    case 'resource':
      return [access, ...objectParts('Resource', read.id, answer.data?.['found'])];
    case 'workspace':
      return [access, ...objectParts('Workspace', read.id, answer.data?.['found'])];
    case 'nodes': {
      const found = answer.data?.['found'] as readonly unknown[];
      return [access, ...read.ids.flatMap(({ kind, id }, place) => objectParts(kind, id, found[place]))];
    }
    case 'checkAccess': {
      const found = answer.data?.['found'] as readonly { readonly effect: string; readonly reason: string }[];
      return [
        access,
        ...read.questions.map((question, place): Part => ({
          what: `decision ${place} on ${JSON.stringify(question)}`,
          given: `${found[place]?.effect} ${found[place]?.reason}`,
          linked: true,
          expected: ({ caller, rows, links }) =>
            // Where the resource lies is read before what the other may do there.
            [rows, links].map((state) => {
              const { effect, reason } = answerQuestion(caller, state, question);
              return `${effect} ${reason}`;
            }),
        })),
      ];
    }
    case 'viewer':
      return [access, ...viewerParts(read.actions, answer.data?.['found'] as ShownViewer)];
    case 'switchScope': {
      const done = answer.data?.['done'] as { readonly userErrors: readonly { readonly code: string }[] };
      return [
        access,
        {
          what: 'outcome',
          given: done.userErrors.map(({ code }) => code).join() || 'done',
          linked: true,
          expected: ({ caller, rows }) => {
            const { kind, id } = caller.principal;
            // Services have no session that could switch.
            if (kind === 'SERVICE') return ['INVALID', 'NOT_FOUND'];
            return [userMayEnter(rows, read.workspaceId, id) ? 'done' : 'NOT_FOUND'];
          },
        },
      ];
    }
  }
}

function listOf({ data }: Answer): List {
  return data?.['list'] as List;
}

function listParts(read: ListRead, list: List): readonly Part[] {
  const ids = list.edges.map((edge) => (edge?.node == null ? null : plain(edge.node.id)));
  const { hasNextPage: hasNext, hasPreviousPage: hasPrevious, startCursor, endCursor } = list.pageInfo;
  const first = list.edges[0];
  const last = list.edges.at(-1);
  return [
    {
      what: 'page',
      given: JSON.stringify({ ids, hasNext, hasPrevious }),
      expected: ({ caller, rows }) => {
        const page = pageOf(rowsOf(read, caller, rows), read.window);
        const { backward, from } = read.window;
        const expected = {
          ids: page.rows.map(({ id, shown }) => (shown ? id : null)),
          hasNext: page.hasNext,
          hasPrevious: page.hasPrevious,
        };
        // Behind a cursor a list that looks at each row counts those too that it does not show.
        const sifted = read.name === 'resources' && from !== null && !caller.seesPlainly(read.kinds);
        const behind = backward ? { ...expected, hasNext: true } : { ...expected, hasPrevious: true };
        return [expected, ...(sifted ? [behind] : [])].map((text) => JSON.stringify(text));
      },
    },
    {
      what: 'cursors of the page',
      given: JSON.stringify([
        first === null || first?.cursor === (startCursor ?? undefined),
        last === null || last?.cursor === (endCursor ?? undefined),
      ]),
      expected: () => ['[true,true]'],
    },
    {
      what: 'totalCount',
      given: String(list.totalCount),
      expected: ({ caller, rows }) => {
        const count = String(rowsOf(read, caller, rows).length);
        // Not counted where something the caller holds tells resources of one kind apart.
        return read.name === 'resources' && !caller.seesPlainly(read.kinds) ? [count, 'null'] : [count];
      },
    },
    ...list.edges.flatMap((edge) => {
      if (edge?.node == null) return [];
      const id = plain(edge.node.id);
      const kind = (
        { resources: 'Resource', users: 'User', groups: 'Group', workspaces: 'Workspace', grants: 'Grant' } as const
      )[read.name as Exclude<ListRead['name'], 'auditEvents'>];
      return fieldsOf(kind, id, edge.node);
    }),
  ];
}

function objectParts(kind: Parameters<typeof findNode>[2], id: Id, shown: unknown): readonly Part[] {
  const object = shown as { readonly id: string; readonly [name: string]: unknown } | null;
  const found: Part = {
    what: `${kind} ${id}`,
    given: object === null ? 'null' : plain(object.id),
    linked: true,
    // Who may enter a workspace is read again where the workspace itself is asked for.
    expected: ({ caller, rows }) => [findNode(caller, rows, kind, id) ?? 'null'],
  };
  return object === null ? [found] : [found, ...fieldsOf(kind, id, object)];
}

/** Own fields that were asked for, and the relations of those objects that have some. */
function fieldsOf(
  kind: Parameters<typeof findNode>[2],
  id: Id,
  shown: { readonly [name: string]: unknown },
): readonly Part[] {
  const own = (
    names: readonly string[],
    read: (state: State) => { readonly [name: string]: unknown } | undefined,
  ): Part => {
    const asked = names.filter((name) => shown[name] !== undefined);
    return {
      what: `fields of ${kind} ${id}`,
      given: JSON.stringify(asked.map((name) => shown[name])),
      expected: ({ rows }) => [JSON.stringify(asked.map((name) => read(rows)?.[name]))],
    };
  };
  const link = (name: string, expected: (moments: Moments) => Id | null): readonly Part[] => {
    if (shown[name] === undefined) return [];
    const object = shown[name] as { readonly id: string } | null;
    return [
      {
        what: `${name} of ${kind} ${id}`,
        given: object === null ? 'null' : plain(object.id),
        linked: true,
        expected: (moments) => [expected(moments) ?? 'null'],
      },
    ];
  };
  switch (kind) {
    case 'Resource':
      return [
        own(['name', 'urn', 'kind', 'tags', 'createdAt', 'updatedAt'], (state) => state.resources.get(id) as never),
        ...link('owner', ({ caller, rows, links }) => {
          const ownerId = rows.resources.get(id)?.ownerId ?? null;
          return ownerId === null ? null : findNode(caller, links, 'User', ownerId);
        }),
        ...link('parent', ({ caller, rows, links }) => {
          const parentId = rows.resources.get(id)?.parentId ?? null;
          return parentId === null ? null : findNode(caller, links, 'Resource', parentId);
        }),
        ...link('workspace', ({ caller, rows, links }) => {
          // Of the scope itself, so it has been entered; it may have gone meanwhile.
          const workspaceId = rows.resources.get(id)?.workspaceId ?? '';
          const sight = new Sight(links, caller.workspaceId, caller.now);
          return sight.workspace(workspaceId) && new Gates(caller).workspace(workspaceId) ? workspaceId : null;
        }),
      ];
    case 'User':
      return [own(['name', 'enabled', 'root'], (state) => state.users.get(id) as never)];
    case 'Group':
      return [
        own(['name'], (state) => state.groups.get(id) as never),
        ...memberParts(`members of Group ${id}`, shown['members'], ({ caller, links }) => {
          const group = `iam::${links.accountId}:group:${id}`;
          const may = ['iam:users:listUsersForGroup', 'iam:users:listUsers'].some((act) =>
            caller.may(act, { resource: group }),
          );
          if (!may) return null;
          const sight = new Sight(links, caller.workspaceId, caller.now);
          return sight.group(id)
            ? [...links.users.keys()].filter((user) => isMember(links, id, user) && sight.user(user))
            : [];
        }),
      ];
    case 'Workspace':
      return [
        own(['name', 'visibility', 'createdAt', 'updatedAt'], (state) => state.workspaces.get(id) as never),
        ...memberParts(`members of Workspace ${id}`, shown['members'], ({ caller, links }) => {
          const resource = `modelarts::${links.accountId}:workspace:${id}`;
          if (!caller.may('modelarts:workspace:get', { resource })) return null;
          return [...links.users.keys()].filter((user) => links.listed.has(`${id} ${user}`));
        }),
      ];
    case 'Grant': {
      const subject = (name: Grant['subjectKind'], node: 'User' | 'Group' | 'Service') =>
        link(node.toLowerCase(), ({ caller, rows, links }) => {
          const grant = rows.grants.get(id);
          return grant?.subjectKind === name ? findNode(caller, links, node, grant.subjectId) : null;
        });
      return [
        ...link('policy', ({ caller, rows, links }) =>
          findNode(caller, links, 'Policy', rows.grants.get(id)?.policyId ?? ''),
        ),
        ...subject('USER', 'User'),
        ...subject('GROUP', 'Group'),
        ...subject('SERVICE', 'Service'),
        ...scopeParts(id, shown['scope']),
      ];
    }
    case 'Policy':
    case 'Service':
      return [];
  }
}

function scopeParts(id: Id, shown: unknown): readonly Part[] {
  if (shown === undefined) return [];
  const { kind, workspace } = shown as { readonly kind: string; readonly workspace: { readonly id: string } | null };
  return [
    {
      what: `scope of Grant ${id}`,
      given: `${kind} ${workspace === null ? 'null' : plain(workspace.id)}`,
      linked: true,
      expected: ({ caller, rows, links }) => {
        const grant = rows.grants.get(id);
        const named = grant?.scopeKind === 'WORKSPACE' ? grant.scopeId : null;
        const gates = ['modelarts:workspace:get', 'modelarts:workspace:list'].some((act) => caller.may(act));
        const sight = new Sight(links, caller.workspaceId, caller.now);
        const seen = named !== null && gates && sight.workspace(named) && enters(caller, links, named);
        return [`${grant?.scopeKind} ${seen && new Gates(caller).workspace(named) ? named : 'null'}`];
      },
    },
  ];
}

function memberParts(
  what: string,
  shown: unknown,
  expected: (moments: Moments) => readonly Id[] | null,
): readonly Part[] {
  if (shown === undefined) return [];
  const list = shown as {
    readonly totalCount: number;
    readonly nodes: readonly ({ readonly id: string } | null)[];
  } | null;
  const nodes = list?.nodes.map((node) => (node === null ? 'null' : plain(node.id))).sort();
  return [
    {
      what,
      given: JSON.stringify(nodes ?? null),
      linked: true,
      expected: (moments) => {
        const gates = new Gates(moments.caller);
        return [
          JSON.stringify(
            expected(moments)
              ?.map((id) => (gates.user(id) ? id : 'null'))
              .sort() ?? null,
          ),
        ];
      },
    },
    {
      what: `number of ${what}`,
      given: String(list?.totalCount ?? null),
      linked: true,
      expected: (moments) => [String(expected(moments)?.length ?? null)],
    },
  ];
}

interface ShownViewer {
  readonly actor: { readonly id: string };
  readonly scope: { readonly kind: string; readonly workspace: { readonly id: string } | null };
  readonly user: { readonly id: string } | null;
  readonly workspace: { readonly id: string } | null;
  readonly permissions: readonly { readonly effect: string; readonly reason: string }[];
}

function viewerParts(actions: readonly string[], shown: ShownViewer): readonly Part[] {
  const idOf = (object: { readonly id: string } | null) => (object === null ? null : plain(object.id));
  return [
    {
      what: 'viewer',
      given: JSON.stringify([
        idOf(shown.actor),
        shown.scope.kind,
        idOf(shown.scope.workspace),
        idOf(shown.user),
        idOf(shown.workspace),
      ]),
      expected: ({ caller }) => {
        const { principal, workspaceId } = caller;
        const gates = new Gates(caller);
        const workspace = workspaceId !== null && gates.workspace(workspaceId) ? workspaceId : null;
        const user = principal.kind === 'USER' && gates.user(principal.id) ? principal.id : null;
        const kind = workspaceId === null ? 'ACCOUNT' : 'WORKSPACE';
        return [JSON.stringify([principal.id, kind, workspace, user, workspace])];
      },
    },
    ...actions.map((action, place): Part => ({
      what: `permission ${action}`,
      given: `${shown.permissions[place]?.effect} ${shown.permissions[place]?.reason}`,
      expected: ({ caller }) => {
        const { effect, reason } = caller.decide(action);
        return [`${effect} ${reason}`];
      },
    })),
  ];
}

interface ShownEvent {
  readonly revision: number;
  readonly sequence: number;
  readonly operation: string;
  readonly actor: { readonly id: string };
  readonly target: { readonly id: string; readonly kind: string };
}

/** Newest first, as far back as the run; what was before it counts and is not looked at. */
function eventParts(
  read: Extract<Read, { readonly name: 'auditEvents' }>,
  list: List,
  workspaceId: Id | null,
  earlierEvents: ReadonlyMap<string, number>,
): readonly Part[] {
  const earlier = earlierEvents.get(workspaceId ?? '') ?? 0;
  const trailOf = (state: State): readonly (TrailEntry & { readonly place: Place })[] =>
    placed(state).filter(
      (entry) => entry.workspaceId === workspaceId && (read.operation === null || entry.operation === read.operation),
    );
  const text = (revision: number, actorId: Id, operation: string, kind: string, id: Id | null) =>
    `${revision} ${actorId} ${operation} ${kind} ${id}`;
  const shown = list.edges.flatMap((edge) => (edge?.node == null ? [] : [edge.node as unknown as ShownEvent]));
  return [
    {
      what: 'events',
      given: '',
      expected: ({ rows }) => {
        const { from, size } = read.window;
        const entries = trailOf(rows)
          .filter(({ place }) => from === null || comparePlaces(place, from.place) < 0)
          .reverse()
          .slice(0, size);
        const expected = entries.map(({ revision, actorId, operation, targetKind, targetId }) =>
          text(revision, actorId, operation, targetKind, targetId),
        );
        const begins = rows.trail[0]?.revision ?? Infinity;
        const given = shown
          .filter(({ revision }) => revision >= begins)
          .map(({ revision, actor, operation, target }) =>
            text(revision, plain(actor.id), operation, target.kind, plain(target.id)),
          );
        if (JSON.stringify(given) === JSON.stringify(expected)) return [''];
        const at = expected.findIndex((entry, place) => entry !== given[place]);
        return [
          `at ${at}: ${expected[at < 0 ? expected.length - 1 : at]}; given ${given[at < 0 ? expected.length : at]}`,
        ];
      },
    },
    ...(read.operation === null
      ? [
          {
            what: 'number of events',
            given: String(list.totalCount),
            expected: ({ rows }: Moments) => [String(trailOf(rows).length + earlier)],
          },
        ]
      : []),
  ];
}

const places = new WeakMap<readonly TrailEntry[], (TrailEntry & { readonly place: Place })[]>();

/** The trail with the places of its entries; the array only ever grows. */
function placed(state: State): readonly (TrailEntry & { readonly place: Place })[] {
  const known = places.get(state.trail) ?? [];
  places.set(state.trail, known);
  for (const entry of state.trail.slice(known.length)) {
    const before = known.at(-1);
    const sequence = before?.revision === entry.revision ? Number(before.place.id.split('.')[1]) + 1 : 0;
    known.push({ ...entry, place: eventPlace(entry.revision, sequence) });
  }
  let end = known.length;
  while (end > 0 && (known[end - 1]?.revision ?? 0) > state.revision) end -= 1;
  return end === known.length ? known : known.slice(0, end);
}
