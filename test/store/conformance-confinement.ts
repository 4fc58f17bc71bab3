/** The second wall: for each kind and scope, exactly the rows that belong there, however they are asked for. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type {
  Filters,
  Kind,
  ListedKind,
  Orders,
  Reader,
  Relation,
  Relations,
  Store,
  Window,
} from '../../src/iam/index.js';
import { openStore } from '../../src/store/index.js';
import type { TestDatabase } from './databases.js';
import { origin, record, write } from './records.js';
import { idIn, places, scopeOf, settle, today, village, type Place } from './village.js';

const orders: { readonly [K in ListedKind]: Orders[K] } = {
  user: 'NAME',
  group: 'NAME',
  policy: 'NAME',
  grant: 'CREATED_AT',
  workspace: 'NAME',
  enterpriseProject: 'NAME',
  service: 'NAME',
  resource: 'NAME',
  agency: 'NAME',
  authorization: 'CREATED_AT',
  auditEvent: 'REVISION',
  session: 'STARTED_AT',
  accessKey: 'CREATED_AT',
  keyPair: 'CREATED_AT',
};

const kinds = [...new Set(village.map(([kind]) => kind))];
const linesOf = (kind: Kind) => village.filter(([of]) => of === kind);
const isVisible = (kind: Kind, id: string, place: Place) =>
  linesOf(kind).some(([, of, , visible]) => of === id && visible.split(' ').includes(place));

const everything = <By extends string>(by: By): Window<By> => ({
  order: { by, direction: 'ASC' },
  limit: 1_000,
  backward: false,
  after: null,
  before: null,
});

/** Each relation, and the pairs (parent, row) that it joins, whoever looks. */
const relations: {
  readonly [R in Relation]: {
    readonly parent: Kind;
    readonly target: Kind;
    readonly order: Relations[R]['order'];
    readonly pairs: readonly (readonly [string, string])[];
  };
} = (() => {
  const pairs = (
    kind: Kind,
    parent: string,
    target: string,
    condition: (row: Record<string, unknown>) => boolean = () => true,
  ) =>
    linesOf(kind)
      .map(([, id, , , values]): Record<string, unknown> => ({ id, ...values }))
      .filter(condition)
      .map((row) => [String(row[parent]), String(row[target])] as const);
  const grants = (subject: string) => pairs('grant', 'subjectId', 'id', (row) => row.subjectKind === subject);
  const grant = { target: 'grant', order: 'CREATED_AT' } as const;
  return {
    'group.members': {
      parent: 'group',
      target: 'user',
      order: 'NAME',
      pairs: pairs('membership', 'groupId', 'userId'),
    },
    'user.groups': { parent: 'user', target: 'group', order: 'NAME', pairs: pairs('membership', 'userId', 'groupId') },
    'workspace.members': {
      parent: 'workspace',
      target: 'user',
      order: 'ADDED_AT',
      pairs: pairs('workspaceMember', 'workspaceId', 'userId'),
    },
    'user.grants': { parent: 'user', ...grant, pairs: grants('USER') },
    'group.grants': { parent: 'group', ...grant, pairs: grants('GROUP') },
    'agency.grants': { parent: 'agency', ...grant, pairs: grants('AGENCY') },
    'service.grants': { parent: 'service', ...grant, pairs: grants('SERVICE') },
    'policy.grants': { parent: 'policy', ...grant, pairs: pairs('grant', 'policyId', 'id') },
    'policy.versions': {
      parent: 'policy',
      target: 'policyVersion',
      order: 'NUMBER',
      pairs: pairs('policyVersion', 'policyId', 'id'),
    },
    'agency.authorizations': {
      parent: 'agency',
      target: 'authorization',
      order: 'CREATED_AT',
      pairs: pairs('authorization', 'agencyId', 'id'),
    },
    'user.accessKeys': {
      parent: 'user',
      target: 'accessKey',
      order: 'CREATED_AT',
      pairs: pairs('accessKey', 'ownerId', 'id', (row) => row.ownerKind === undefined),
    },
    'service.accessKeys': {
      parent: 'service',
      target: 'accessKey',
      order: 'CREATED_AT',
      pairs: pairs('accessKey', 'ownerId', 'id', (row) => row.ownerKind === 'SERVICE'),
    },
    'user.keyPairs': {
      parent: 'user',
      target: 'keyPair',
      order: 'CREATED_AT',
      pairs: pairs('keyPair', 'userId', 'id'),
    },
    'user.sessions': {
      parent: 'user',
      target: 'session',
      order: 'STARTED_AT',
      pairs: pairs('session', 'userId', 'id', (row) => row.endedAt === undefined),
    },
  };
})();

export function conformanceOfConfinement(database: TestDatabase): void {
  describe('confinement', () => {
    let store: Store;
    let statements = 0;
    beforeAll(async () => {
      store = await openStore(await database.readyUrl(), { now: () => today, log: () => (statements += 1) });
      await settle(store, 'one');
      await settle(store, 'two');
      await write(store, origin('two'), async (open) => {
        await open.insert(
          'workspace',
          record('workspace', 'two', 'elsewhere', { enterpriseProjectId: 'p0', name: 'elsewhere' }),
        );
      });
    });
    afterAll(async () => {
      await store.close();
    });

    /** The same questions from both accounts: what one sees never depends on the other. */
    const fromBoth = async (place: Place, ask: (reader: Reader, accountId: string) => Promise<void>) => {
      for (const accountId of place === 'elsewhere' ? ['one'] : ['one', 'two']) {
        await ask(store.reader(scopeOf(accountId, place)), accountId);
      }
    };

    test.each(village.map(([kind, id, why, visible]) => ({ kind, id, why, visible })))(
      '$kind $id, $why, is visible from: $visible',
      async ({ kind, id, visible }) => {
        for (const place of places) {
          await fromBoth(place, async (reader, accountId) => {
            const found = await reader.find(kind, [idIn(accountId, kind, id)]);
            expect([place, found.size > 0]).toEqual([place, visible.split(' ').includes(place)]);
            for (const row of found.values()) expect(row).toMatchObject({ accountId });
          });
        }
      },
    );

    const listed = kinds.filter((kind): kind is ListedKind => kind in orders);
    test.each(places.flatMap((place) => listed.map((kind) => ({ place, kind }))))(
      'a list of $kind from $place and its count show the same rows as looking for them',
      async ({ place, kind }) => {
        await fromBoth(place, async (reader, accountId) => {
          const expected = linesOf(kind)
            .map(([, id]) => id)
            .filter((id) => isVisible(kind, id, place))
            .concat(accountId === 'two' && kind === 'workspace' && place === 'account' ? ['elsewhere'] : [])
            .map((id) => idIn(accountId, kind, id));
          const page = await reader.page(kind, {}, everything<never>(orders[kind] as never));
          expect(page.rows.map(({ record: row }) => row.id).sort()).toEqual(expected.sort());
          expect(page.rows.every(({ record: row }) => row.accountId === accountId)).toBe(true);
          expect(await reader.count(kind, {})).toBe(expected.length);
        });
      },
    );

    test.each(
      places.flatMap((place) => (Object.keys(relations) as Relation[]).map((relation) => ({ place, relation }))),
    )(
      '$relation from $place: parents and rows are both confined, in one statement each',
      async ({ place, relation }) => {
        const { parent, target, order, pairs } = relations[relation];
        const parents = [...linesOf(parent).map(([, id]) => id), 'no-such'];
        await fromBoth(place, async (reader, accountId) => {
          const expected = new Map(
            parents.map((id) => [
              id,
              pairs
                .filter(([from, row]) => from === id && isVisible(parent, id, place) && isVisible(target, row, place))
                .map(([, row]) => idIn(accountId, target, row))
                .sort(),
            ]),
          );
          const before = statements;
          const pages = await reader.pagesOf(relation, parents, everything<never>(order as never));
          const counts = await reader.countsOf(relation, parents);
          expect(statements - before).toBe(2);
          const found = [...pages].map(([id, page]) => {
            const rows = page.rows.map(({ record: row }) => ('target' in row ? row.target : row));
            expect(rows.every((row) => row.accountId === accountId)).toBe(true);
            return [id, rows.map((row) => row.id).sort()] as const;
          });
          expect(new Map(found)).toEqual(expected);
          expect(counts).toEqual(new Map([...expected].map(([id, rows]) => [id, rows.length])));
        });
      },
    );

    test.each(places)('audit events seen from %s are those made there', async (place) => {
      await fromBoth(place, async (reader) => {
        const page = await reader.page('auditEvent', {}, everything('REVISION'));
        const operations = [...new Set(page.rows.map(({ record: row }) => row.operation))];
        const expected = { account: ['settle'], open: ['within open'], private: ['within private'] };
        const account = place === 'account' && reader.scope.accountId === 'two' ? ['settle', 'test'] : expected.account;
        expect(operations).toEqual({ ...expected, account }[place as 'account'] ?? []);
        expect(await reader.count('auditEvent', {})).toBe(page.rows.length);
      });
    });

    test.each(places)('from %s the own account can be read, if the workspace exists, and no other', async (place) => {
      const found = await store.reader(scopeOf('one', place)).find('account', ['one', 'two']);
      expect([...found.keys()]).toEqual(place === 'nowhere' || place === 'elsewhere' ? [] : ['one']);
    });

    test('filters cannot reach out of the scope', async () => {
      const reader = store.reader(scopeOf('one', 'private'));
      const ask = <K extends ListedKind>(kind: K, filter: Filters[K]) => reader.count(kind, filter);
      expect(await ask('user', { name: 'dave of one' })).toBe(0);
      expect(await ask('user', { name: 'carol of one' })).toBe(1);
      expect(await ask('user', { name: 'carol of two' })).toBe(0);
      expect(await ask('grant', { subjectId: 'erin' })).toBe(0);
      expect(await ask('resource', { urn: 'training:cn:one:job:r-open' })).toBe(0);
      expect(await ask('auditEvent', { operation: 'settle' })).toBe(0);
      expect(await ask('workspace', { accessibleTo: 'dave' })).toBe(0);
      expect(await ask('workspace', { accessibleTo: 'carol' })).toBe(1);
    });

    test.each([
      ['root', ['internal', 'open', 'private']],
      ['alice', ['internal', 'open', 'private']],
      ['carol', ['internal', 'open', 'private']],
      ['dave', ['internal', 'open']],
      ['erin', ['open']],
      ['nobody', []],
    ])('%s may enter %s', async (userId, expected) => {
      const reader = store.reader(scopeOf('one', 'account'));
      const page = await reader.page('workspace', { accessibleTo: userId }, everything('NAME'));
      expect(page.rows.map(({ record: row }) => row.id).sort()).toEqual(expected);
    });

    test('the reader of a transaction is bound to the scope of its origin', async () => {
      await store.transaction(origin('one', { workspaceId: 'private' }), async (open) => {
        expect([...(await open.reader.find('user', ['carol', 'dave', 'erin'])).keys()]).toEqual(['carol']);
        expect((await open.get('user', 'dave'))?.id).toBe('dave');
        return { commit: false, value: null };
      });
    });

    test('thousands of ids are one statement', async () => {
      const ids = [...Array(40_000).keys()].map((index) => `id-${index}`);
      const before = statements;
      expect((await store.reader(scopeOf('one', 'open')).find('user', [...ids, 'carol'])).size).toBe(1);
      expect((await store.reader(scopeOf('one', 'open')).countsOf('user.groups', [...ids, 'alice'])).get('alice')).toBe(
        1,
      );
      expect(statements - before).toBe(2);
    });
  });
}
