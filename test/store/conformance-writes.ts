/** What every database must do with writes: rows, uniqueness, audit, revisions, transactions that race. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  changesAccess,
  UniquenessError,
  type AuditEvent,
  type Commit,
  type Kind,
  type Records,
  type Store,
} from '../../src/iam/index.js';
import { openStore } from '../../src/store/index.js';
import type { TestDatabase } from './databases.js';
import { founded, noon, ofAccount, origin, record, write } from './records.js';

/** For each kind a row to add to a founded account, and a change to it. */
const changes: { readonly [K in Kind]: { readonly row: Partial<Records[K]>; readonly change: object } | null } = {
  account: null,
  user: { row: { name: 'Ünïcode Üser' }, change: { name: 'Renamed', enabled: false } },
  accountSettings: { row: { idleDays: 30 }, change: { rememberedPasswords: 10 } },
  password: {
    row: { history: ['$argon2id$older'] },
    change: { hash: 'other', history: [], activeAt: noon, failures: 3, lockedUntil: noon + 5 },
  },
  secondFactor: { row: {}, change: { confirmedAt: noon + 1, lastCounter: 56_666_666 } },
  strangerAttempts: { row: {}, change: { attempts: 1, lastAt: noon + 1 } },
  session: { row: { mfaAt: noon }, change: { endedAt: noon + 1 } },
  group: { row: { name: 'Team' }, change: { description: 'people' } },
  membership: { row: {}, change: { addedAt: noon + 1 } },
  policy: { row: { name: 'Viewer' }, change: { defaultVersion: 2, latestVersion: 2 } },
  policyVersion: { row: { number: 9, text: ' {"Statement":[]}\r\n "\\u0000" ' }, change: { text: '{}' } },
  grant: { row: { expiresAt: noon + 1 }, change: { expiresAt: null } },
  workspace: { row: { name: 'lab' }, change: { visibility: 'INTERNAL', status: 'DELETING' } },
  workspaceMember: { row: {}, change: { addedAt: noon + 1 } },
  workspaceQuota: { row: {}, change: { quota: -1 } },
  workspaceVisit: { row: {}, change: { visitedAt: noon + 1 } },
  enterpriseProject: { row: { name: 'p1' }, change: { enabled: false } },
  service: { row: { name: 'storage', hosts: [] }, change: { hosts: ['a', 'b'], actions: [] } },
  resource: { row: { ownerId: 'root' }, change: { tags: [{ key: 'k', value: '☃' }], ownerId: null } },
  agency: {
    row: { name: 'other', durationDays: 7 },
    change: { externalId: 'x', sourceAddresses: [], workspaceId: 'lab' },
  },
  authorization: { row: {}, change: { userId: 'root' } },
  accessKey: { row: {}, change: { lastUsedAt: noon + 1, enabled: false } },
  keyPair: { row: { algorithm: 'RSA', generated: false }, change: { name: 'laptop' } },
  remoteAccess: {
    row: { port: null, instanceState: null, stateReportedAt: null },
    change: { enabled: false, keyPairIds: [], allowAnyAddress: true, instanceState: 'STOPPED', port: 22 },
  },
  agencySession: { row: { sessionPolicy: '{}' }, change: { expiresAt: noon + 1, sessionPolicy: null } },
  auditEvent: null,
  auditChain: null,
  idempotencyRecord: { row: {}, change: { objectId: 'other' } },
  spentSignature: { row: {}, change: { expiresAt: noon + 1 } },
};

const written = (Object.keys(changes) as Kind[]).filter((kind) => changes[kind] !== null);

export function conformanceOfWrites(database: TestDatabase): void {
  let store: Store;
  beforeAll(async () => {
    store = await openStore(await database.readyUrl());
  });
  afterAll(async () => {
    await store.close();
  });

  const eventsOf = async (accountId: string): Promise<readonly AuditEvent[]> => {
    const window = { order: { by: 'REVISION', direction: 'ASC' }, limit: 1_000, backward: false } as const;
    const page = await store
      .reader(ofAccount(accountId))
      .page('auditEvent', {}, { ...window, after: null, before: null });
    return page.rows.map((row) => row.record);
  };

  describe('rows', () => {
    test('an account made in its own transaction is there afterwards, at revision 1', async () => {
      await founded(store, 'made');
      const account = await store.access.account('made');
      expect(account).toEqual(record('account', 'made', 'made', { name: 'made', revision: 1, accessRevision: 1 }));
      expect(await store.access.accountByName('MADE')).toEqual(account);
      expect((await store.access.accounts()).map(({ id }) => id)).toContain('made');
    });

    test.each(written)('a %s is inserted, read back as it was, changed and removed', async (kind) => {
      const accountId = `rows-${kind}`;
      const id = kind === 'password' || kind === 'secondFactor' ? 'root' : `new-${kind}`;
      await founded(store, accountId);
      if (kind === 'remoteAccess') {
        await write(store, origin(accountId), (open) => open.insert('resource', record('resource', accountId, id)));
      }
      const row = record(kind, accountId, id, changes[kind]?.row as Partial<Records[typeof kind]>);
      await write(store, origin(accountId), (transaction) => transaction.insert(kind, row));
      await store.transaction(origin(accountId), async (transaction) => {
        expect(await transaction.get(kind, id)).toEqual(row);
        return { commit: false, value: null };
      });

      const change = changes[kind]?.change as Partial<Records[typeof kind]>;
      const changed = { ...row, ...change } as Records[typeof kind];
      const kept =
        'version' in row ? { version: row.version + 1, ...('updatedAt' in row ? { updatedAt: noon + 9 } : {}) } : {};
      await write(store, origin(accountId, { at: noon + 9 }), async (transaction) => {
        expect(await transaction.update(kind, id, change)).toEqual({ ...changed, ...kept });
        expect(await transaction.get(kind, id)).toEqual({ ...changed, ...kept });
      });

      await write(store, origin(accountId), (transaction) => transaction.remove(kind, id));
      await store.transaction(origin(accountId), async (transaction) => {
        expect(await transaction.get(kind, id)).toBeNull();
        return { commit: false, value: null };
      });
    });

    test('a row that does not exist can be neither changed nor removed', async () => {
      const absent = /there is no user nobody in account made/;
      await expect(write(store, origin('made'), (open) => open.update('user', 'nobody', {}))).rejects.toThrow(absent);
      await expect(write(store, origin('made'), (open) => open.remove('user', 'nobody'))).rejects.toThrow(absent);
    });

    test('a row is looked for by its values, null too, but never by a value that is missing', async () => {
      await founded(store, 'looking');
      await write(store, origin('looking'), async (transaction) => {
        await transaction.insert('session', record('session', 'looking', 's1'));
        await transaction.insert('session', record('session', 'looking', 's2', { endedAt: noon }));
        expect(await transaction.idsWhere('session', { userId: 'root' })).toEqual(['s1', 's2']);
        expect(await transaction.idsWhere('session', { userId: 'root', endedAt: null })).toEqual(['s1']);
        expect(await transaction.idsWhere('user', { root: true })).toEqual(['root']);
        expect(await transaction.idsWhere('user', {})).toEqual(['root']);
        expect(await transaction.idOfName('user', 'ＲＯＯＴ')).toBe('root');
        expect(await transaction.idOfName('group', 'root')).toBeNull();
        await expect(transaction.idsWhere('session', { userId: undefined })).rejects.toThrow(
          'no value of session.userId',
        );
      });
    });

    test('many rows at once are written, read and looked for as each of them would be', async () => {
      await founded(store, 'many');
      const users = Array.from({ length: 1_100 }, (_, user) =>
        record('user', 'many', `u${user}`, { name: `User ${user}` }),
      );
      await write(store, origin('many'), async (transaction) => {
        await transaction.insertAll('user', users);
        await transaction.insertAll('user', []);
        await transaction.insertAll('membership', [
          record('membership', 'many', 'admins.u1', { userId: 'u1' }),
          record('membership', 'many', 'admins.u2', { userId: 'u2' }),
        ]);
        const found = await transaction.getAll('user', ['u1099', 'u0', 'nobody']);
        expect(found).toEqual(new Map([users[0], users[1_099]].map((user) => [user?.id, user])));
        expect(await transaction.getAll('user', [])).toEqual(new Map());
        expect(await transaction.takenNames('user', ['USER 7', 'User 7 ', 'ｕser 8'])).toEqual(
          new Set(['USER 7', 'ｕser 8']),
        );
        expect(await transaction.groupsOf(['u1', 'u3'])).toEqual(
          new Map([
            ['u1', new Set(['admins'])],
            ['u3', new Set()],
          ]),
        );
      });
      const events = (await eventsOf('many')).filter(({ targetId }) => /^u\d/.test(targetId));
      expect(events.slice(0, 3).map(({ sequence, targetId, before }) => [sequence, targetId, before])).toEqual([
        [0, 'u0', null],
        [1, 'u1', null],
        [2, 'u2', null],
      ]);
      const elsewhere = record('user', 'other', 'u', { name: 'Stranger' });
      const across = write(store, origin('many'), (open) => open.insertAll('user', [elsewhere]));
      await expect(across).rejects.toThrow('cannot write a user of another account');
      const again = write(store, origin('many'), (open) =>
        open.insertAll('user', [
          record('user', 'many', 'new', { name: 'New' }),
          record('user', 'many', 'twin', { name: 'NEW' }),
        ]),
      );
      await expect(again).rejects.toThrow(UniquenessError);
    });

    test('what has expired is swept, so many at once, without an event and without changing a right', async () => {
      await founded(store, 'swept');
      const kinds = ['session', 'spentSignature', 'idempotencyRecord'] as const;
      await write(store, origin('swept'), async (transaction) => {
        for (const kind of kinds) {
          for (const [id, expiresAt] of [
            ['past', noon - 2],
            ['before', noon - 1],
            ['now', noon],
            ['later', noon + 1],
          ] as const) {
            await transaction.insert(kind, record(kind, 'swept', id, { expiresAt }));
          }
        }
      });
      const before = await store.access.account('swept');
      const events = async () => store.reader({ accountId: 'swept', workspaceId: null }).count('auditEvent', {});
      const eventsBefore = await events();
      for (const kind of kinds) {
        const sweep = (most: number) =>
          write(store, origin('swept'), (transaction) =>
            transaction.sweep(kind, noon, most).then(({ count }) => count),
          );
        await sweep(2);
        const left = async () =>
          (
            await store.transaction(origin('swept'), async (transaction) => ({
              commit: false,
              value: await transaction.idsWhere(kind, {}),
            }))
          ).value;
        expect(await left()).toEqual(['later', 'now']);
        await sweep(2);
        expect(await left()).toEqual(['later']);
      }
      const after = await store.access.account('swept');
      expect(after?.accessRevision).toBe(before?.accessRevision);
      expect(after?.revision).toBeGreaterThan(before?.revision ?? 0);
      expect(await events()).toBe(eventsBefore);
    });

    test('columns that the store keeps cannot be changed by hand, nor another account, nor the audit trail', async () => {
      const refused = (work: Parameters<typeof write>[2]) => expect(write(store, origin('made'), work)).rejects;
      await refused((open) => open.update('account', 'made', { revision: 9 } as never)).toThrow('kept by the store');
      await refused((open) => open.update('user', 'root', { version: 9 } as never)).toThrow('kept by the store');
      await refused((open) => open.update('user', 'root', { nonsense: 9 } as never)).toThrow('no column `nonsense`');
      await refused((open) => open.insert('user', record('user', 'other', 'u'))).toThrow('another account');
      await refused((open) => open.insert('auditEvent', record('auditEvent', 'made', 'e'))).toThrow('the store alone');
      await refused((open) => open.remove('auditEvent', '1.000000')).toThrow('the store alone');
    });

    test.each([
      ['text with U+0000', { name: 'a\u0000b' }, 'user.name: text with U+0000'],
      ['half a surrogate pair', { description: '\ud800' }, 'user.description: text with half a surrogate pair'],
      ['text for a number', { createdAt: 'now' }, 'user.createdAt: a whole number was expected'],
      ['a value outside the enum', { defaultModelArtsAccess: 'PAUSED' }, 'one of IN_FORCE, ENDED was expected'],
      ['null where there must be something', { enabled: null }, 'user.enabled: true or false was expected'],
      ['a name too long for an index', { name: 'x'.repeat(2_000) }, 'user.name: text longer than 1024 bytes'],
      ['a missing column', { name: undefined }, 'user.name is missing'],
    ])('%s is refused clearly', async (_, values, message) => {
      const user = record('user', 'made', 'bad', values as Partial<Records['user']>);
      await expect(write(store, origin('made'), (open) => open.insert('user', user))).rejects.toThrow(message);
    });

    test('text with U+0000 is refused clearly in reads as well', async () => {
      await expect(store.access.user('made', '\u0000')).rejects.toThrow('U+0000');
      await expect(store.reader(ofAccount('made')).find('user', ['a', '\u0000'])).rejects.toThrow('U+0000');
      await expect(store.access.user('made', undefined as never)).rejects.toThrow('a value of a condition is missing');
    });

    test('references hold: rows of another account and missing rows cannot be referred to', async () => {
      await founded(store, 'mine');
      await founded(store, 'theirs');
      await write(store, origin('theirs'), (open) => open.insert('user', record('user', 'theirs', 'guest')));
      const membership = record('membership', 'mine', 'admins.guest', { userId: 'guest' });
      await expect(write(store, origin('mine'), (open) => open.insert('membership', membership))).rejects.toThrow(
        'a membership refers to a row that is not there',
      );
      await write(store, origin('mine'), (open) => open.insert('session', record('session', 'mine', 's')));
      await expect(write(store, origin('mine'), (open) => open.remove('user', 'root'))).rejects.toThrow(
        'a user refers to a row that is not there, or is still referred to',
      );
    });
  });

  describe('uniqueness', () => {
    const twice: readonly [string, Kind, object, object][] = [
      ['user names without case', 'user', { name: 'Ada' }, { name: 'ADA' }],
      ['names in compatibility forms', 'group', { name: 'ﬁne' }, { name: 'FINE' }],
      ['policy names', 'policy', { name: 'P' }, { name: 'p' }],
      ['workspace names', 'workspace', { name: 'Lab' }, { name: 'lab' }],
      ['project names', 'enterpriseProject', { name: 'P' }, { name: 'p' }],
      ['service names', 'service', { name: 'svc' }, { name: 'SVC' }],
      ['agency names', 'agency', { name: 'A' }, { name: 'a' }],
      ['URNs', 'resource', { urn: 'a:b:c:d:e' }, { urn: 'a:b:c:d:e' }],
      ['grants of a policy to a subject in a scope', 'grant', {}, { expiresAt: 1 }],
      ['authorizations of an agency for a user', 'authorization', {}, {}],
      ['members of a group', 'membership', {}, {}],
      ['members of a workspace', 'workspaceMember', {}, {}],
      ['numbers of policy versions', 'policyVersion', {}, {}],
      ['names of a user’s key pairs', 'keyPair', { name: 'Desk' }, { name: 'dESK', fingerprint: 'SHA256:other' }],
    ];
    beforeAll(() => founded(store, 'unique'));

    test.each(twice)('%s are unique in the account', async (_, kind, first, second) => {
      const insert = (id: string, values: object) =>
        write(store, origin('unique'), (open) => open.insert(kind, record(kind, 'unique', id, values as never)));
      await insert(`${kind}-1`, first);
      const failure = await insert(`${kind}-2`, second).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(UniquenessError);
      expect((failure as UniquenessError).kind).toBe(kind);
      expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain('parameters');
    });

    test('a user has a key once, whatever it is called', async () => {
      const insert = (id: string) =>
        write(store, origin('unique'), (open) =>
          open.insert('keyPair', record('keyPair', 'unique', id, { name: id, fingerprint: 'SHA256:twice' })),
        );
      await insert('pair-1');
      await expect(insert('pair-2')).rejects.toBeInstanceOf(UniquenessError);
    });

    test('a row cannot be renamed to a taken name, and ids are unique', async () => {
      await write(store, origin('unique'), (open) =>
        open.insert('user', record('user', 'unique', 'u1', { name: 'One' })),
      );
      await write(store, origin('unique'), (open) =>
        open.insert('user', record('user', 'unique', 'u2', { name: 'Two' })),
      );
      await expect(
        write(store, origin('unique'), (open) => open.update('user', 'u2', { name: 'oNE' })),
      ).rejects.toBeInstanceOf(UniquenessError);
      await expect(
        write(store, origin('unique'), (open) =>
          open.insert('user', record('user', 'unique', 'u1', { name: 'Three' })),
        ),
      ).rejects.toBeInstanceOf(UniquenessError);
    });

    test('resource names are shared freely, and other accounts may use the same names and ids', async () => {
      await founded(store, 'unique-2');
      await write(store, origin('unique-2'), async (open) => {
        for (const id of ['r1', 'r2']) {
          await open.insert('resource', record('resource', 'unique-2', id, { name: 'same', urn: `a:b:c:d:${id}` }));
        }
        await open.insert('user', record('user', 'unique-2', 'u1', { name: 'One' }));
      });
    });

    test('access key ids and account names are unique everywhere', async () => {
      await write(store, origin('unique'), (open) => open.insert('accessKey', record('accessKey', 'unique', 'AK')));
      await expect(
        write(store, origin('unique-2'), (open) => open.insert('accessKey', record('accessKey', 'unique-2', 'AK'))),
      ).rejects.toBeInstanceOf(UniquenessError);
      const account = record('account', 'x', 'unique-3', { name: 'UNIQUE' });
      await expect(write(store, origin('unique-3'), (open) => open.insert('account', account))).rejects.toBeInstanceOf(
        UniquenessError,
      );
    });

    test('after a write that failed, nothing of the transaction can be committed', async () => {
      const swallowed = store.transaction(origin('unique'), async (open) => {
        await open.insert('group', record('group', 'unique', 'swallowed', { name: 'swallowed' }));
        await open.insert('user', record('user', 'unique', 'u1')).catch(() => undefined);
        return { commit: true, value: null };
      });
      await expect(swallowed).rejects.toBeInstanceOf(UniquenessError);
      expect((await store.reader(ofAccount('unique')).find('group', ['swallowed'])).size).toBe(0);
    });
  });

  describe('audit', () => {
    test('each change leaves an event with both images, in order, with the revision of its transaction', async () => {
      await founded(store, 'audit');
      const ada = record('user', 'audit', 'ada', { name: 'Ada' });
      const where = { operation: 'createUser', actorId: 'root', actorName: 'Root', requestId: 'r-7', at: noon + 1 };
      const revision = await write(store, origin('audit', where), async (open) => {
        await open.insert('user', ada);
        await open.update('user', 'ada', { enabled: false });
        await open.remove('user', 'ada');
      });
      expect(revision).toBe(2);
      const off = { ...ada, enabled: false, version: 2, updatedAt: noon + 1 };
      const events = (await eventsOf('audit')).filter((event) => event.revision === revision);
      expect(events.map(({ sequence, before, after }) => ({ sequence, before, after }))).toEqual([
        { sequence: 0, before: null, after: ada },
        { sequence: 1, before: ada, after: off },
        { sequence: 2, before: off, after: null },
      ]);
      expect(events[1]).toMatchObject({
        ...where,
        actorKind: 'USER',
        targetKind: 'user',
        targetId: 'ada',
        workspaceId: '',
      });
    });

    test('images hold no secret, and bookkeeping leaves no event', async () => {
      await founded(store, 'secrets');
      await write(store, origin('secrets'), async (open) => {
        await open.insert('password', record('password', 'secrets', 'root', { hash: 'HASH-1' }));
        await open.update('password', 'root', { hash: 'HASH-2', failures: 1 });
        await open.insert('accessKey', record('accessKey', 'secrets', 'AK-S', { sealedSecret: 'SEALED' }));
        await open.insert('idempotencyRecord', record('idempotencyRecord', 'secrets', 'i'));
      });
      const events = (await eventsOf('secrets')).filter((event) => event.revision === 2);
      expect(events.map((event) => event.targetKind)).toEqual(['password', 'password', 'accessKey']);
      expect(events[1]?.after).toMatchObject({ failures: 1 });
      expect(JSON.stringify(events)).not.toMatch(/HASH|SEALED/);
    });

    test('counters that move by themselves leave no event; a lock does, and so does all else beside them', async () => {
      await founded(store, 'counters');
      await write(store, origin('counters'), async (open) => {
        await open.insert('password', record('password', 'counters', 'root'));
        await open.insert('secondFactor', record('secondFactor', 'counters', 'root', { sealedSecret: 'SEALED' }));
        await open.insert('strangerAttempts', record('strangerAttempts', 'counters', 'counters'));
      });
      const revision = await write(store, origin('counters'), async (open) => {
        await open.update('password', 'root', { failures: 1, firstFailureAt: noon });
        await open.update('password', 'root', { failures: 1 });
        await open.update('password', 'root', { failures: 0, firstFailureAt: null, lockedUntil: noon + 9 });
        await open.update('password', 'root', { failures: 0, lockedUntil: null, history: ['HASH-1'] });
        await open.update('secondFactor', 'root', { lastCounter: 7 });
        await open.update('secondFactor', 'root', { lastCounter: 8, confirmedAt: noon });
        await open.update('strangerAttempts', 'counters', { attempts: 1 });
      });
      const events = (await eventsOf('counters')).filter((event) => event.revision === revision);
      expect(
        events.map(({ targetKind, after }) => [targetKind, after?.['lockedUntil'], after?.['lastCounter']]),
      ).toEqual([
        ['password', noon + 9, undefined],
        ['password', null, undefined],
        ['secondFactor', undefined, 8],
      ]);
      expect(JSON.stringify(events)).not.toMatch(/HASH|SEALED/);
    });

    test('each commit is told before it is answered, once it can be read, and nothing else is told', async () => {
      await founded(store, 'told');
      const told: Commit[] = [];
      const readThen: Promise<readonly Commit[]>[] = [];
      const stop = store.onCommit((commit) => {
        if (commit.accountId !== 'told') return;
        told.push(commit);
        readThen.push(store.access.revisions(['told', 'nobody']));
      });
      const insert = (name: string) => record('user', 'told', name, { name });
      await write(store, origin('told'), (open) => open.insert('user', insert('one')));
      await store.transaction(origin('told'), async (open) => {
        await open.insert('user', insert('two'));
        return { commit: false, value: null };
      });
      await store.transaction(origin('told'), async () => ({ commit: true, value: null }));
      await write(store, origin('told'), (open) => open.update('user', 'one', { description: 'changes no right' }));
      stop();
      await write(store, origin('told'), (open) => open.insert('user', insert('three')));
      expect(told).toEqual([
        { accountId: 'told', revision: 2, accessRevision: 2 },
        { accountId: 'told', revision: 3, accessRevision: 2 },
      ]);
      expect((await Promise.all(readThen)).map(([commit]) => commit?.revision)).toEqual([
        expect.toSatisfy((revision: number) => revision >= 2),
        expect.toSatisfy((revision: number) => revision >= 3),
      ]);
      expect(await store.access.revisions([])).toEqual([]);
    });

    test('a transaction that is rolled back or fails leaves no row, no event, no revision', async () => {
      await founded(store, 'undone');
      const before = await store.access.account('undone');
      const insert = record('user', 'undone', 'ghost', { name: 'ghost' });
      const committed = await store.transaction(origin('undone'), async (open) => {
        await open.insert('user', insert);
        expect((await open.reader.find('user', ['ghost'])).size).toBe(1);
        expect((await store.reader(ofAccount('undone')).find('user', ['ghost'])).size).toBe(0);
        return { commit: false, value: 'refused' };
      });
      expect(committed).toEqual({ value: 'refused', revision: null });
      const failed = write(store, origin('undone'), async (open) => {
        await open.insert('user', insert);
        throw new Error('changed my mind');
      });
      await expect(failed).rejects.toThrow('changed my mind');
      // Several calls at once, of which one fails: those still under way must not be committed by themselves.
      const several = write(store, origin('undone'), (open) =>
        Promise.all([
          open.insert('user', record('user', 'undone', 'root')),
          ...['a', 'b', 'c'].map((id) => open.insert('user', record('user', 'undone', id, { name: id }))),
        ]),
      );
      await expect(several).rejects.toBeInstanceOf(UniquenessError);
      expect(await store.access.account('undone')).toEqual(before);
      expect((await store.reader(ofAccount('undone')).find('user', ['ghost', 'a', 'b', 'c'])).size).toBe(0);
      expect((await eventsOf('undone')).every((event) => event.revision === 1)).toBe(true);
    });

    test('a transaction with more events than one statement can hold keeps their order', async () => {
      await founded(store, 'much');
      await write(store, origin('much'), async (open) => {
        for (let index = 0; index < 1_100; index += 1) {
          await open.insert('idempotencyRecord', record('idempotencyRecord', 'much', `k${index}`));
          if (index % 2 === 0) await open.update('user', 'root', { description: String(index) });
        }
      });
      const events = (await eventsOf('much')).filter((event) => event.revision === 2);
      expect(events.map((event) => event.sequence)).toEqual([...Array(550).keys()]);
      expect(events.at(-1)?.after).toMatchObject({ description: '1098' });
    });
  });

  describe('revisions', () => {
    const revisions = async (accountId: string) => {
      const account = await store.access.account(accountId);
      return [account?.revision, account?.accessRevision];
    };
    beforeAll(() => founded(store, 'rev'));

    test('every committed write raises the revision, only some the access revision', async () => {
      expect(await revisions('rev')).toEqual([1, 1]);
      expect(await write(store, origin('rev'), (open) => open.update('user', 'root', { description: 'x' }))).toBe(2);
      expect(changesAccess('user', 'update', ['description', 'version', 'updatedAt'])).toBe(false);
      expect(await revisions('rev')).toEqual([2, 1]);
      await write(store, origin('rev'), (open) => open.insert('session', record('session', 'rev', 's')));
      expect(await revisions('rev')).toEqual([3, 1]);
      await write(store, origin('rev'), (open) => open.update('session', 's', { endedAt: noon }));
      expect(await revisions('rev')).toEqual([4, 2]);
      await write(store, origin('rev'), (open) =>
        open.insert('idempotencyRecord', record('idempotencyRecord', 'rev', 'i')),
      );
      expect(await revisions('rev')).toEqual([5, 2]);
      await write(store, origin('rev'), async (open) => {
        await open.update('user', 'root', { description: 'y' });
        await open.update('user', 'root', { enabled: false });
      });
      expect(await revisions('rev')).toEqual([6, 3]);
    });

    test('a change to what is there already can change no decision', async () => {
      const before = await revisions('rev');
      await write(store, origin('rev'), (open) => open.update('user', 'root', { enabled: false, name: 'Root' }));
      expect(await revisions('rev')).toEqual([Number(before[0]) + 1, before[1]]);
    });

    test('a transaction that writes nothing raises nothing', async () => {
      const before = await revisions('rev');
      const read = await store.transaction(origin('rev'), async (open) => ({
        commit: true,
        value: (await open.access.user('rev', 'root'))?.name,
      }));
      expect(read).toEqual({ value: 'Root', revision: null });
      expect(await revisions('rev')).toEqual(before);
    });

    test('settings of the account are changed through it and keep its revisions', async () => {
      const [revision, access] = await revisions('rev');
      await write(store, origin('rev'), (open) => open.update('account', 'rev', { authorizationMode: 'STRICT' }));
      expect(await store.access.account('rev')).toMatchObject({
        authorizationMode: 'STRICT',
        revision: Number(revision) + 1,
        accessRevision: Number(access) + 1,
      });
    });

    test('nothing can be written for an account that does not exist', async () => {
      const orphan = write(store, origin('nowhere'), (open) => open.insert('user', record('user', 'nowhere', 'u')));
      await expect(orphan).rejects.toThrow();
    });
  });
}
