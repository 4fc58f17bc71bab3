/** Lists against a model: every order and filter, every window, forwards and backwards. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type {
  Filters,
  Kind,
  ListedKind,
  Orders,
  Page,
  Position,
  Reader,
  Records,
  Relation,
  Relations,
  Store,
  Window,
} from '../../src/iam/index.js';
import { openStore } from '../../src/store/index.js';
import type { TestDatabase } from './databases.js';
import { noon, ofAccount } from './records.js';
import { populate, type Rows } from './town.js';

const seed = Number(process.env.BAILIWICK_TEST_SEED ?? Date.now() % 2 ** 31);

const fold = (name: string) => name.normalize('NFKC').toLowerCase();
const named = { NAME: (row: { name: string }) => fold(row.name) };
const created = { CREATED_AT: (row: { createdAt: number }) => row.createdAt };
const updated = { UPDATED_AT: (row: { updatedAt: number }) => row.updatedAt };

const orders: { readonly [K in ListedKind]: Readonly<Record<Orders[K], (row: Records[K]) => string | number>> } = {
  user: { ...named, ...created, ...updated },
  group: { ...named, ...created, ...updated },
  policy: { ...named, ...created, ...updated },
  grant: created,
  workspace: { ...named, ...created, ...updated, STATUS: (row) => row.status },
  enterpriseProject: { ...named, ...created },
  service: { ...named, ...created },
  resource: { ...named, ...created, ...updated, URN: (row) => row.urn },
  agency: { ...named, ...created },
  authorization: created,
  auditEvent: { REVISION: (row) => row.revision },
  session: { STARTED_AT: (row) => row.startedAt },
  accessKey: created,
  keyPair: created,
};

/** For each filter values worth trying, and what it means. */
interface Term<R, V> {
  readonly values: readonly V[];
  matches(row: R, value: V, rows: Rows): boolean;
}

const equal = <P extends string, V>(property: P, values: readonly V[]): Term<{ readonly [Q in P]: unknown }, V> => ({
  values,
  matches: (row, value) => row[property] === value,
});
const contains: Term<{ name: string }, string> = {
  values: ['', 'A', '%', '_', '\\', 'é', 'FI', '🦊', 'zz'],
  matches: (row, value) => fold(row.name).includes(fold(value)),
};
const byName = {
  name: {
    values: ['root', 'ADMIN', 'Training', 'nobody'],
    matches: (row, value) => fold(row.name) === fold(value),
  } satisfies Term<{ name: string }, string>,
  nameContains: contains,
};
function isKnown(row: Records['workspace'], userId: string, rows: Rows): boolean {
  return (
    rows.user.some((user) => user.id === userId) &&
    (row.visibility === 'PUBLIC' ||
      row.creatorId === userId ||
      userId === 'root' ||
      (row.visibility === 'INTERNAL' &&
        rows.workspaceMember.some((member) => member.workspaceId === row.id && member.userId === userId)))
  );
}
const instants = [noon - 1, noon, noon + 1, noon + 2, noon + 9];

const filters: {
  readonly [K in ListedKind]: { readonly [F in keyof Filters[K]]-?: Term<Records[K], NonNullable<Filters[K][F]>> };
} = {
  user: {
    ...byName,
    enabled: equal('enabled', [true, false]),
    rootOrGranted: {
      values: [[], ['none'], ['policy-1'], ['policy-0', 'policy-1', 'policy-2']],
      matches: (row, policyIds, rows) =>
        row.root ||
        rows.grant.some(
          ({ policyId, subjectKind, subjectId }) =>
            policyIds.includes(policyId) &&
            (subjectKind === 'USER'
              ? subjectId === row.id
              : subjectKind === 'GROUP' &&
                rows.membership.some(({ groupId, userId }) => groupId === subjectId && userId === row.id)),
        ),
    },
  },
  group: byName,
  policy: { ...byName, origin: equal('origin', ['SYSTEM', 'CUSTOM']) },
  grant: {
    policyId: equal('policyId', ['policy-1', 'none']),
    subjectKind: equal('subjectKind', ['USER', 'AGENCY']),
    subjectId: equal('subjectId', ['user-1', 'group-1']),
    scopeKind: equal('scopeKind', ['ALL', 'WORKSPACE', 'ACCOUNT']),
    scopeId: equal('scopeId', ['', 'workspace-1']),
  },
  workspace: {
    ...byName,
    enterpriseProjectId: equal('enterpriseProjectId', ['project-0', '0']),
    visibility: equal('visibility', ['PUBLIC', 'PRIVATE']),
    accessibleTo: {
      values: ['root', 'user-0', 'user-5', 'nobody'],
      matches: (row, userId, rows) => ['NORMAL', 'DELETE_FAILED'].includes(row.status) && isKnown(row, userId, rows),
    },
    knownTo: { values: ['root', 'user-0', 'user-5', 'nobody'], matches: isKnown },
  },
  enterpriseProject: { ...byName, enabled: equal('enabled', [true, false]) },
  service: byName,
  resource: {
    urn: equal('urn', ['training:cn:town:job:1', 'none']),
    nameContains: contains,
    ownerId: equal('ownerId', ['user-1', 'nobody']),
    kinds: {
      values: [[], ['training:job'], ['training:job', 'training:model'], ['other']],
      matches: (row, kinds) => kinds.includes(row.kind),
    },
    parentId: equal('parentId', ['resource-0', 'none']),
    ownerless: {
      values: [true, false],
      matches: (row, wanted, rows) => wanted !== rows.user.some((user) => user.id === row.ownerId),
    },
    visible: {
      values: [
        { kind: 'NONE' },
        { kind: 'TEST', test: { about: 'OWNER', id: 'user-1' } },
        { kind: 'NOT', of: { kind: 'TEST', test: { about: 'OWNER', id: 'user-1' } } },
      ],
      matches: ({ ownerId }, { kind }) => kind !== 'NONE' && (ownerId === 'user-1') === (kind === 'TEST'),
    },
  },
  agency: { ...byName, trustedId: equal('trustedId', ['training', 'none']) },
  authorization: { agencyId: equal('agencyId', ['agency-0']), userId: equal('userId', ['', 'user-1']) },
  auditEvent: {
    operation: equal('operation', ['import', 'createAccount']),
    actorId: equal('actorId', ['root', 'someone']),
    targetKind: equal('targetKind', ['user', 'grant']),
    targetId: equal('targetId', ['user-1']),
    since: { values: instants, matches: (row, at) => row.at >= at },
    until: { values: instants, matches: (row, at) => row.at < at },
  },
  session: {
    userId: equal('userId', ['user-0', 'user-9']),
    activeAt: {
      values: instants,
      matches: (row, at) => row.startedAt <= at && at < row.expiresAt && (row.endedAt === null || row.endedAt > at),
    },
  },
  accessKey: { ownerKind: equal('ownerKind', ['USER', 'SERVICE']), ownerId: equal('ownerId', ['user-1']) },
  keyPair: { userId: equal('userId', ['user-0', 'user-9']), fingerprint: equal('fingerprint', ['SHA256:4', 'none']) },
};

const lists = (Object.keys(orders) as ListedKind[]).flatMap((kind) =>
  Object.keys(orders[kind]).map((by) => ({ kind, by })),
);

/** Bytes of UTF-8, as both databases compare. */
function compare(one: Position, other: Position): number {
  const keys =
    typeof one.key === 'number' && typeof other.key === 'number'
      ? one.key - other.key
      : Buffer.compare(Buffer.from(String(one.key)), Buffer.from(String(other.key)));
  return keys || Buffer.compare(Buffer.from(one.id), Buffer.from(other.id));
}

interface Shown {
  readonly positions: readonly Position[];
  readonly hasNext: boolean;
  readonly hasPrevious: boolean;
}

/** What a window shows of a list, said as plainly as can be. */
function modelOf(positions: readonly Position[], { order, limit, backward, after, before }: Window): Shown {
  const sign = order.direction === 'ASC' ? 1 : -1;
  const list = [...positions].sort((one, other) => sign * compare(one, other));
  const isPast = (position: Position) => after !== null && sign * compare(position, after) <= 0;
  const isBeyond = (position: Position) => before !== null && sign * compare(position, before) >= 0;
  const inside = list.filter((position) => !isPast(position) && !isBeyond(position));
  const more = inside.length > limit;
  return {
    positions: backward ? inside.slice(Math.max(0, inside.length - limit)) : inside.slice(0, limit),
    hasPrevious: list.some(isPast) || (backward && more),
    hasNext: list.some(isBeyond) || (!backward && more),
  };
}

function shown(page: Page<unknown>): Shown {
  return { positions: page.rows.map((row) => row.position), hasNext: page.hasNext, hasPrevious: page.hasPrevious };
}

/** Windows over these positions, whose bounds are rows, places between rows, or absent. */
function windows(by: string, positions: readonly Position[]): fc.Arbitrary<Window<never>> {
  const numeric = /_AT$|^NUMBER$|^REVISION$/.test(by);
  // Some seeds leave a relation without rows; then there are only places between rows.
  const rowsOf = positions.length === 0 ? [] : [fc.constantFrom(...positions)];
  const bound = fc.option(
    fc.oneof(
      ...rowsOf,
      fc.record({
        key: numeric ? fc.integer({ min: noon - 2, max: noon + 9 }) : fc.string({ unit: 'grapheme', maxLength: 2 }),
        id: fc.constantFrom('', 'm', 'zzz'),
      }),
    ),
  );
  return fc.record({
    order: fc.record({ by: fc.constant(by as never), direction: fc.constantFrom('ASC', 'DESC') }),
    limit: fc.integer({ min: 0, max: 6 }),
    backward: fc.boolean(),
    after: bound,
    before: bound,
  });
}

export function conformanceOfPaging(database: TestDatabase): void {
  describe(`lists (BAILIWICK_TEST_SEED=${seed})`, () => {
    let store: Store;
    let rows: Rows;
    beforeAll(async () => {
      store = await openStore(await database.readyUrl(), { now: () => noon });
      rows = await populate(store, 'town', seed);
    });
    afterAll(async () => {
      await store.close();
    });
    const readerOf = (kind: Kind): Reader =>
      store.reader(kind === 'resource' ? { accountId: 'town', workspaceId: 'workspace-1' } : ofAccount('town'));

    const positionsOf = (kind: ListedKind, by: string, filter: Readonly<Record<string, unknown>>) => {
      const key = orders[kind][by as never] as (row: unknown) => string | number;
      const terms = filters[kind] as Readonly<Record<string, Term<unknown, unknown>>>;
      return rows[kind]
        .filter((row) => Object.entries(filter).every(([name, value]) => terms[name]?.matches(row, value, rows)))
        .map((row) => ({ key: key(row), id: row.id }));
    };

    test.each(lists)(
      'any window of $kind by $by, under any filter, shows what the model shows',
      async ({ kind, by }) => {
        const filter = fc.record(
          Object.fromEntries(
            Object.entries(filters[kind] as Readonly<Record<string, Term<unknown, unknown>>>).map(([name, term]) => [
              name,
              fc.constantFrom(...term.values),
            ]),
          ),
          { requiredKeys: [] },
        );
        const sparse = fc.oneof({ arbitrary: fc.constant({}), weight: 2 }, { arbitrary: filter, weight: 3 });
        await fc.assert(
          fc.asyncProperty(windows(by, positionsOf(kind, by, {})), sparse, async (window, chosen) => {
            const positions = positionsOf(kind, by, chosen);
            expect(shown(await readerOf(kind).page(kind, chosen, window))).toEqual(modelOf(positions, window));
            expect(await readerOf(kind).count(kind, chosen)).toBe(positions.length);
          }),
          { seed, numRuns: 60 },
        );
      },
    );

    test.each(lists)('walking $kind by $by forwards and backwards gives the whole list', async ({ kind, by }) => {
      for (const direction of ['ASC', 'DESC'] as const) {
        const order = { by: by as never, direction };
        const whole = modelOf(positionsOf(kind, by, {}), {
          order,
          limit: 10_000,
          backward: false,
          after: null,
          before: null,
        });
        for (const backward of [false, true]) {
          const walked: Position[] = [];
          let bound: Position | null = null;
          for (let more = true; more;) {
            const bounds: Pick<Window, 'after' | 'before'> = backward
              ? { after: null, before: bound }
              : { after: bound, before: null };
            const page: Page<unknown> = await readerOf(kind).page(kind, {}, { order, limit: 5, backward, ...bounds });
            expect(backward ? page.hasNext : page.hasPrevious).toBe(bound !== null);
            const positions = page.rows.map((row) => row.position);
            if (backward) walked.unshift(...positions);
            else walked.push(...positions);
            bound = (backward ? positions[0] : positions.at(-1)) ?? null;
            more = backward ? page.hasPrevious : page.hasNext;
          }
          expect(walked).toEqual(whole.positions);
        }
      }
    });

    const related: {
      readonly [R in Relation]: (order: Relations[R]['order']) => readonly { parent: string; position: Position }[];
    } = {
      'group.members': (order) => linked('membership', 'groupId', 'user', 'userId', order),
      'user.groups': (order) => linked('membership', 'userId', 'group', 'groupId', order),
      'workspace.members': (order) => linked('workspaceMember', 'workspaceId', 'user', 'userId', order),
      'user.grants': () => grantsTo('USER'),
      'group.grants': () => grantsTo('GROUP'),
      'agency.grants': () => grantsTo('AGENCY'),
      'service.grants': () => grantsTo('SERVICE'),
      'policy.grants': () => owned('grant', 'policyId', 'createdAt'),
      'policy.versions': () => owned('policyVersion', 'policyId', 'number'),
      'agency.authorizations': () => owned('authorization', 'agencyId', 'createdAt'),
      'user.accessKeys': () => keysOf('USER'),
      'service.accessKeys': () => keysOf('SERVICE'),
      'user.keyPairs': () => owned('keyPair', 'userId', 'createdAt'),
      // Of those that are open at noon, which is when these lists are looked at.
      'user.sessions': () =>
        rows.session
          .filter(
            (row) => row.startedAt <= noon && noon < row.expiresAt && (row.endedAt === null || row.endedAt > noon),
          )
          .map((row) => ({ parent: row.userId, position: { key: row.startedAt, id: row.id } })),
    };
    const owned = (kind: Kind, parent: string, key: string) =>
      (rows[kind] as unknown as readonly Record<string, string | number>[]).map((row) => ({
        parent: String(row[parent]),
        position: { key: row[key] as string | number, id: String(row.id) },
      }));
    const keysOf = (ownerKind: string) =>
      rows.accessKey
        .filter((row) => row.ownerKind === ownerKind && row.ownerId.startsWith(ownerKind.toLowerCase()))
        .map((row) => ({ parent: row.ownerId, position: { key: row.createdAt, id: row.id } }));
    const grantsTo = (subjectKind: string) =>
      rows.grant
        .filter((row) => row.subjectKind === subjectKind)
        .map((row) => ({ parent: row.subjectId, position: { key: row.createdAt, id: row.id } }));
    const linked = (kind: Kind, parent: string, target: 'user' | 'group', targetId: string, order: string) =>
      (rows[kind] as unknown as readonly Record<string, string | number>[]).map((row) => {
        const name = (rows[target] as readonly { id: string; name: string }[]).find(
          ({ id }) => id === row[targetId],
        )?.name;
        const key = order === 'NAME' ? fold(name ?? '') : Number(row.addedAt);
        return { parent: String(row[parent]), position: { key, id: String(row[targetId]) } };
      });

    const relationOrders: { readonly [R in Relation]: readonly Relations[R]['order'][] } = {
      'group.members': ['NAME', 'ADDED_AT'],
      'user.groups': ['NAME', 'ADDED_AT'],
      'workspace.members': ['NAME', 'ADDED_AT'],
      'user.grants': ['CREATED_AT'],
      'group.grants': ['CREATED_AT'],
      'agency.grants': ['CREATED_AT'],
      'service.grants': ['CREATED_AT'],
      'policy.grants': ['CREATED_AT'],
      'policy.versions': ['NUMBER'],
      'agency.authorizations': ['CREATED_AT'],
      'user.accessKeys': ['CREATED_AT'],
      'service.accessKeys': ['CREATED_AT'],
      'user.keyPairs': ['CREATED_AT'],
      'user.sessions': ['STARTED_AT'],
    };

    test.each(
      (Object.keys(relationOrders) as Relation[]).flatMap((relation) =>
        relationOrders[relation].map((by) => ({ relation, by })),
      ),
    )('any window of $relation by $by shows what the model shows for each parent', async ({ relation, by }) => {
      const pairs = related[relation](by as never);
      const parents = [...new Set(pairs.map(({ parent }) => parent)), 'no-such', 'group-0', 'user-0'];
      await fc.assert(
        fc.asyncProperty(
          windows(
            by,
            pairs.map(({ position }) => position),
          ),
          async (window) => {
            const pages = await readerOf('user').pagesOf(relation, parents, window);
            const model = new Map(
              parents.map((id) => [
                id,
                modelOf(
                  pairs.filter(({ parent }) => parent === id).map(({ position }) => position),
                  window,
                ),
              ]),
            );
            expect(new Map([...pages].map(([id, page]) => [id, shown(page)]))).toEqual(model);
          },
        ),
        { seed, numRuns: 40 },
      );
    });

    test('rows of a relationship carry when they were added', async () => {
      const window = {
        order: { by: 'NAME', direction: 'ASC' },
        limit: 99,
        backward: false,
        after: null,
        before: null,
      } as const;
      const pages = await readerOf('group').pagesOf('group.members', ['group-1'], window);
      const added = new Map(pages.get('group-1')?.rows.map(({ record: row }) => [row.target.id, row.addedAt]));
      const expected = rows.membership
        .filter((row) => row.groupId === 'group-1')
        .map((row) => [row.userId, row.addedAt] as const);
      expect(added).toEqual(new Map(expected));
    });

    test('an order, a filter or a position that no list knows is refused', async () => {
      const reader = readerOf('user');
      const window = {
        order: { by: 'NAME', direction: 'ASC' },
        limit: 1,
        backward: false,
        after: null,
        before: null,
      } as const;
      await expect(reader.page('user', { nonsense: 1 } as never, window)).rejects.toThrow('no filter `nonsense`');
      await expect(reader.page('user', { name: null } as never, window)).rejects.toThrow(
        '`name` of a list of user has no value',
      );
      await expect(reader.page('user', { name: undefined }, window)).resolves.toMatchObject({ hasNext: true });
      await expect(
        reader.page('user', {}, { ...window, order: { by: 'AGE' as never, direction: 'ASC' } }),
      ).rejects.toThrow('no order `AGE`');
      await expect(reader.page('user', {}, { ...window, after: { key: 3, id: '' } })).rejects.toThrow(
        'key of another type',
      );
      await expect(reader.page('user', {}, { ...window, limit: -1 })).rejects.toThrow('must be a whole number');
    });
  });
}
