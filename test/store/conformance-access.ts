/** What authentication and the authorizer read: across scopes, and in a bounded number of statements. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Attachment, Store } from '../../src/iam/index.js';
import { openStore } from '../../src/store/index.js';
import type { TestDatabase } from './databases.js';
import { noon, origin, record, write } from './records.js';
import { idIn, settle, village } from './village.js';

export function conformanceOfAccess(database: TestDatabase): void {
  describe('access', () => {
    let store: Store;
    let statements: string[] = [];
    beforeAll(async () => {
      store = await openStore(await database.readyUrl(), { log: (statement) => statements.push(statement) });
      await settle(store, 'one');
      await settle(store, 'two');
      await write(store, origin('one'), async (open) => {
        // Grants only count with the version in use, and every granted policy has one.
        for (const policyId of ['of-erin', 'of-dave', 'unused']) {
          await open.insert(
            'policyVersion',
            record('policyVersion', 'one', `${policyId}.1`, { policyId, text: policyId }),
          );
        }
        await open.update('policy', 'of-private', { defaultVersion: 2, latestVersion: 2 });
        await open.insert(
          'grant',
          record('grant', 'one', 'straight', { policyId: 'of-dave', subjectId: 'carol', createdAt: noon + 5 }),
        );
      });
    });
    afterAll(async () => {
      await store.close();
    });

    const brief = (attachments: readonly Attachment[] | undefined) =>
      attachments?.map(({ grant, policy, policyVersion, group }) => [
        grant.id,
        policy.id,
        policyVersion,
        group?.id ?? null,
      ]);

    test('policies in use are those that some grant gives, with the text of the version in use, in one statement', async () => {
      await write(store, origin('one'), async (open) => {
        await open.insert('policy', record('policy', 'one', 'idle-policy', { name: 'idle policy' }));
        await open.insert(
          'policyVersion',
          record('policyVersion', 'one', 'idle-policy.1', { policyId: 'idle-policy', text: 'nobody has it' }),
        );
        await open.update('policyVersion', 'of-private.1', { text: 'an old version' });
        await open.update('policyVersion', 'of-private.2', { text: 'the version in use' });
      });
      statements = [];
      const used = await store.access.policiesInUse('one');
      expect(statements).toHaveLength(1);
      const texts = used.map(({ text }) => text);
      expect(texts).toEqual(expect.arrayContaining(['of-dave', 'of-erin', 'the version in use']));
      expect(texts).not.toContain('nobody has it');
      expect(texts).not.toContain('an old version');
      expect(await store.access.policiesInUse('nowhere')).toEqual([]);
    });

    test('attachments are the grants of a user and of their groups, expired or not, in one statement', async () => {
      statements = [];
      const found = await store.access.attachments('one', 'USER', ['carol', 'dave', 'erin', 'nobody', 'carol']);
      expect(statements).toHaveLength(1);
      expect([...found.keys()].sort()).toEqual(['carol', 'dave', 'erin', 'nobody']);
      expect(brief(found.get('carol'))).toEqual([
        ['g-other-project', 'unused', 1, 'idle'],
        ['g-private', 'of-private', 2, 'for-private'],
        ['straight', 'of-dave', 1, null],
      ]);
      expect(brief(found.get('dave'))).toEqual([
        ['g-dave', 'of-dave', 1, null],
        ['g-private', 'of-private', 2, 'for-private'],
        ['g-workspaces', 'everything', 1, 'for-workspaces'],
      ]);
      expect(brief(found.get('erin'))).toEqual([['g-erin', 'of-erin', 1, null]]);
      expect(found.get('nobody')).toEqual([]);
      expect(found.get('erin')?.[0]?.text).toBe('of-erin');
      expect(found.get('dave')?.[1]?.text).toBe('the version in use');
    });

    test('attachments carry whole records', async () => {
      const [attachment] = (await store.access.attachments('one', 'USER', ['alice'])).get('alice') ?? [];
      const rowOf = (id: string) => village.find((row) => row[1] === id)?.[4] as object;
      expect(attachment).toEqual({
        grant: record('grant', 'one', 'g-admins', rowOf('g-admins')),
        policy: record('policy', 'one', 'everything', { name: 'everything of one' }),
        policyVersion: 1,
        text: '{ "Version": "1.1" }',
        group: record('group', 'one', 'admins', { name: 'admins of one', builtIn: true }),
      });
    });

    test.each([
      ['GROUP', 'lapsed', [['g-lapsed', 'lapsed', 1, null]]],
      ['AGENCY', 'worker', [['g-worker', 'of-private', 2, null]]],
      ['SERVICE', 'training', [['g-training', 'everything', 1, null]]],
      ['SERVICE', 'carol', []],
    ] as const)('attachments of the %s %s', async (kind, id, expected) => {
      expect(brief((await store.access.attachments('one', kind, [id])).get(id))).toEqual(expected);
    });

    test('attachments of thousands are still one statement, and of nobody none', async () => {
      statements = [];
      const ids = [...Array(20_000).keys()].map((index) => `id-${index}`);
      expect((await store.access.attachments('one', 'USER', [...ids, 'alice'])).get('alice')).toHaveLength(1);
      expect(statements).toHaveLength(1);
      expect((await store.access.attachments('one', 'USER', [])).size).toBe(0);
      expect(statements).toHaveLength(1);
    });

    test('rows of the account are found by id, and those of others are not', async () => {
      const { access } = store;
      expect(await access.session('one', 's-carol')).toMatchObject({ accountId: 'one', userId: 'carol' });
      expect(await access.user('one', 'erin')).toMatchObject({ accountId: 'one', enabled: false });
      expect(await access.userByName('one', 'CAROL of ONE')).toMatchObject({ id: 'carol' });
      expect(await access.userByName('one', 'carol of two')).toBeNull();
      expect(await access.password('one', 'root')).toMatchObject({ hash: '$argon2id$secret' });
      expect(await access.password('one', 'carol')).toBeNull();
      expect(await access.accountSettings('one')).toBeNull();
      expect(await access.passwordChanges('one', ['root', 'carol'])).toEqual(new Map([['root', noon]]));
      expect((await access.passwordChanges('one', [])).size).toBe(0);
      expect(await access.service('one', 'storage')).toMatchObject({ actions: [{ accessLevel: 'WRITE' }] });
      expect((await access.services('one')).map(({ id }) => id)).toEqual(['storage', 'training']);
      expect(await access.agency('one', 'worker')).toMatchObject({ trustedId: 'training' });
      expect(await access.workspace('one', 'private')).toMatchObject({ visibility: 'PRIVATE' });
      expect(await access.account('three')).toBeNull();
      expect((await access.accounts()).map(({ id }) => id)).toEqual(['one', 'two']);
    });

    test('access keys are found across accounts', async () => {
      expect(await store.access.accessKey(idIn('two', 'accessKey', 'AK-carol'))).toMatchObject({ accountId: 'two' });
      expect(await store.access.accessKey('AK-carol')).toBeNull();
    });

    test('agencies are found across accounts by the account that they trust, sessions by their id', async () => {
      const { access } = store;
      await write(store, origin('two'), (open) =>
        open.insert(
          'agency',
          record('agency', 'two', 'partner', { name: 'partner', trustKind: 'ACCOUNT', trustedId: 'one' }),
        ),
      );
      expect(await access.agencyTrusting('one', 'partner')).toMatchObject({ accountId: 'two' });
      expect(await access.agencyTrusting('two', 'partner')).toBeNull();
      // Trusts a service of that name, which is no account.
      expect(await access.agencyTrusting('training', 'worker')).toBeNull();
      expect(await access.agencySession(idIn('two', 'agencySession', 'TEMPORARY'))).toMatchObject({ accountId: 'two' });
      expect(await access.agencySession('TEMPORARY')).toBeNull();
      expect(await access.resource('one', 'r-private')).toMatchObject({ workspaceId: 'private' });
      expect(await access.resource('three', 'r-private')).toBeNull();
    });

    test('authorizations of agencies that trust a service, for a user and for everyone', async () => {
      const { access } = store;
      await write(store, origin('one', { operation: 'authorize' }), async (open) => {
        const agency = (id: string, values: object) =>
          open.insert('agency', record('agency', 'one', id, { name: id, ...values }));
        await agency('mine', { trustedId: 'storage' });
        await agency('theirs', { trustKind: 'ACCOUNT', trustedId: 'storage' });
        for (const [agencyId, userId] of [
          ['mine', ''],
          ['mine', 'carol'],
          ['mine', 'dave'],
          ['theirs', 'carol'],
        ] as const) {
          await open.insert(
            'authorization',
            record('authorization', 'one', `${agencyId}.${userId}`, { agencyId, userId }),
          );
        }
      });
      statements = [];
      const ids = async (service: string, user: string) =>
        (await access.authorizationsFor('one', service, user)).map(({ id }) => id);
      expect(await ids('storage', 'carol')).toEqual(['mine.', 'mine.carol']);
      expect(statements).toHaveLength(1);
      expect(await ids('storage', '')).toEqual(['mine.']);
      expect(await ids('storage', 'alice')).toEqual(['mine.']);
      expect(await ids('nobody', 'carol')).toEqual([]);
    });

    test('administrators are root and the members of the built-in group', async () => {
      const answers = await Promise.all(
        ['root', 'alice', 'carol', 'nobody'].map((id) => store.access.isAdministrator('one', id)),
      );
      expect(answers).toEqual([true, true, false, false]);
    });

    test('lists of workspaces, members of groups, grants and versions of policies', async () => {
      const { access } = store;
      expect(await access.isListedIn('one', 'internal', 'dave')).toBe(true);
      expect(await access.isListedIn('one', 'internal', 'carol')).toBe(false);
      expect(await access.userIdsOfGroup('one', 'for-private')).toEqual(['carol', 'dave']);
      expect((await access.grantsOfPolicy('one', 'of-private')).map(({ id }) => id)).toEqual([
        'g-private',
        'g-project',
        'g-worker',
      ]);
      expect(await access.policyVersion('one', 'of-private', 2)).toMatchObject({ id: 'of-private.2' });
      expect(await access.policyVersion('one', 'of-private', 3)).toBeNull();
    });

    test('resources are found by URN in every workspace of the account', async () => {
      statements = [];
      const urns = [
        'training:cn:one:job:r-open',
        'training:cn:one:job:r-private',
        'training:cn:two:job:r-open',
        'none',
      ];
      const found = await store.access.resourcesByUrn('one', urns);
      expect([...found].map(([urn, { id }]) => [urn, id]).sort()).toEqual([
        ['training:cn:one:job:r-open', 'r-open'],
        ['training:cn:one:job:r-private', 'r-private'],
      ]);
      expect(statements).toHaveLength(1);
    });
  });
}
