/** Deleting workspaces that hold something: who may, what goes with them, and what happens when it does not go well. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  Call,
  clearedAtOnce,
  configureRemoteAccess,
  createIam,
  deleteWorkspace,
  deregisterResource,
  grantPolicy,
  registerResource,
  registerResources,
  remainingIn,
  silentObserver,
  updateResource,
  updateWorkspace,
  updateWorkspaceQuotas,
  type Iam,
  type Id,
  type Kind,
  type Store,
  type User,
  type Workspace,
} from '../../src/iam/index.js';
import { databases } from '../store/databases.js';
import { must, Scene, type Statement } from './scene.js';

const allow = (...Action: string[]): Statement => ({ Effect: 'Allow', Action });

for (const database of Object.values(databases())) {
  describe(`deleting workspaces on ${database.name}`, () => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await Scene.open(await database.readyUrl());
    });
    afterAll(async () => {
      await scene.close();
      await database.stop();
    });
    let names = 0;
    const urn = (kind = 'notebook') => `modelarts::${scene.account.id}:${kind}:w-${(names += 1)}`;
    const put = async (
      at: Id,
      input: { kind?: string; parentId?: Id; tags?: { key: string; value: string }[] } = {},
    ) => {
      const { kind, ...others } = input;
      return must(await registerResource(scene.iam, await scene.root(at), { urn: urn(kind), ...others })).id;
    };
    /** As many resources as do not go at once, each tenth of them with one that belongs to it. */
    const fill = async (at: Id, count = clearedAtOnce + 150): Promise<void> => {
      let parentId: Id | null = null;
      for (let made = 0; made < count;) {
        const some = Math.min(100, count - made);
        const resources = Array.from({ length: some }, (_, n) => ({
          urn: urn(),
          parentId: n % 10 === 0 ? parentId : null,
        }));
        const [first] = must(await registerResources(scene.iam, await scene.root(at), { resources }));
        parentId = first?.id ?? null;
        scene.clock.at += 1;
        made += some;
      }
    };
    const remove = async (id: Id, force = true, who: User | null = null, iam: Iam = scene.iam) =>
      deleteWorkspace(iam, who === null ? await scene.root() : await scene.call(who), { id, force });
    const find = (id: Id) => scene.iam.store.access.workspace(scene.account.id, id);
    const rowsOf = async (kind: Kind, equal: object): Promise<number> =>
      (
        await scene.iam.store.transaction(scene.origin('look'), async (transaction) => ({
          commit: false,
          value: await transaction.idsWhere(kind, equal),
        }))
      ).value.length;

    it('takes everything in it along, and nothing else', async () => {
      const { id } = await scene.workspace();
      const other = await scene.workspace();
      const kept = await put(other.id);
      const parentId = await put(id);
      await put(id, { parentId });
      await put(id, { kind: 'trainJob' });
      must(
        await configureRemoteAccess(scene.iam, await scene.root(id), { resourceId: parentId, host: 'host.example' }),
      );
      const quotas = [{ kind: 'modelarts:notebook', quota: 10 }];
      must(await updateWorkspaceQuotas(scene.iam, await scene.root(), { workspaceId: id, quotas }));
      const user = await scene.user();
      must(await updateWorkspace(scene.iam, await scene.root(), { id, memberIds: [user.id] }));
      const policy = await scene.policy(allow('modelarts:notebook:list'));
      await scene.grant({ kind: 'USER', id: user.id }, policy, { kind: 'WORKSPACE', id });

      expect(must(await remove(id))).toMatchObject({ gone: true, workspace: { id, status: 'NORMAL' } });
      expect(await find(id)).toBeNull();
      for (const kind of ['resource', 'workspaceMember', 'workspaceQuota'] as const) {
        expect([kind, await rowsOf(kind, { workspaceId: id })]).toEqual([kind, 0]);
      }
      expect(await rowsOf('remoteAccess', { id: parentId })).toBe(0);
      expect(await rowsOf('grant', { scopeId: id })).toBe(0);
      expect(await rowsOf('resource', { id: kept })).toBe(1);
    });

    const tagged = { key: 'keep', value: 'yes' };
    const everything = [allow('modelarts:workspace:*'), allow('modelarts:notebook:*', 'modelarts:trainJob:*')];
    it.each<[string, Statement[], 'succeeded' | 'refused', string?]>([
      ['the delete rights of every kind in it suffice', everything, 'succeeded'],
      ['deleting workspaces alone does not', [allow('modelarts:workspace:*')], 'refused', 'modelarts:notebook:delete'],
      [
        'one kind that one may not delete refuses it all',
        [allow('modelarts:workspace:*'), allow('modelarts:notebook:*')],
        'refused',
        'modelarts:trainJob:delete',
      ],
      [
        'a Deny on what bears a tag refuses it all',
        [
          ...everything,
          {
            Effect: 'Deny',
            Action: ['modelarts:notebook:delete'],
            Condition: { StringEquals: { 'g:ResourceTag/keep': ['yes'] } },
          },
        ],
        'refused',
        'modelarts:notebook:delete',
      ],
      [
        'a Deny on taking things off the register refuses it all',
        [...everything, { Effect: 'Deny', Action: ['bailiwick:resources:deregister'] }],
        'refused',
        'bailiwick:resources:deregister',
      ],
      [
        'an Allow on some resources by name is not one on the others',
        [
          allow('modelarts:workspace:*'),
          allow('modelarts:trainJob:*'),
          { Effect: 'Allow', Action: ['modelarts:notebook:*'], Resource: ['modelarts:*:*:notebook:other-*'] },
        ],
        'refused',
        'modelarts:notebook:delete',
      ],
    ])('%s', async (_says, statements, expected, action) => {
      const { id } = await scene.workspace();
      await put(id, { kind: 'trainJob' });
      // The newest are looked at first.
      scene.clock.at += 1;
      await put(id);
      await put(id);
      await put(id, { tags: [tagged] });
      const user = await scene.user();
      for (const statement of statements) {
        await scene.grant({ kind: 'USER', id: user.id }, await scene.policy(statement));
      }
      const outcome = await remove(id, true, user);
      expect(outcome.kind).toBe(expected);
      if (outcome.kind === 'refused') {
        expect(outcome).toMatchObject({ reference: 'ModelArts.4551', decision: { action } });
        expect(await find(id)).toMatchObject({ status: 'NORMAL' });
        expect(await rowsOf('resource', { workspaceId: id })).toBe(4);
      } else expect(await find(id)).toBeNull();
    });

    it('asks once about what no statement tells apart, and about each label that one looks at', async () => {
      const { id } = await scene.workspace();
      const label = (n: number, held: string) => [
        { key: 'number', value: String(n) },
        { key: 'Held', value: held },
      ];
      for (let n = 0; n < 20; n += 1) await put(id, { tags: label(n, 'no') });
      const user = await scene.user();
      const subject = { kind: 'USER', id: user.id } as const;
      await scene.grant(subject, await scene.policy(allow('modelarts:*:*')));
      const looking = { Condition: { StringEquals: { 'G:resourcetag/held': ['yes'] } } };
      const held: Statement = { Effect: 'Deny', Action: ['modelarts:notebook:delete'], ...looking };
      await scene.grant(subject, await scene.policy(held));
      const kept = await put(id, { tags: label(20, 'yes') });
      const outcomes: unknown[] = [];
      for (const last of [false, true]) {
        if (last) must(await deregisterResource(scene.iam, await scene.root(id), { id: kept }));
        let decisions = 0;
        const observer = { ...silentObserver, decided: () => void (decisions += 1) };
        const call = new Call({ ...(await scene.call(user)), observer });
        outcomes.push((await deleteWorkspace(scene.iam, call, { id, force: true })).kind);
        expect(decisions).toBeLessThan(10);
      }
      expect(outcomes).toEqual(['refused', 'succeeded']);
    });

    it('rights in the account alone do not reach what is in a workspace', async () => {
      const { id } = await scene.workspace();
      await put(id);
      const user = await scene.user();
      const subject = { kind: 'USER', id: user.id } as const;
      await scene.grant(subject, await scene.policy(allow('modelarts:workspace:*')));
      const policy = await scene.policy(allow('modelarts:notebook:*'));
      const other = await scene.workspace();
      must(
        await grantPolicy(scene.iam, await scene.root(), {
          policyId: policy.id,
          subject,
          scope: { kind: 'WORKSPACE', id: other.id },
        }),
      );
      expect(await remove(id, true, user)).toMatchObject({ kind: 'refused', reference: 'ModelArts.4551' });
    });

    it('without force it stays as long as something is in it', async () => {
      const { id } = await scene.workspace();
      await put(id);
      expect(await remove(id, false)).toMatchObject({
        kind: 'invalid',
        problems: [{ code: 'IN_USE', reference: 'ModelArts.4552' }],
      });
      expect(await find(id)).not.toBeNull();
    });

    /** Another process on the same database. */
    const another = (store: Store): Iam => createIam({ store, masterKey: randomBytes(32), now: () => scene.clock.at });

    /** The same store, with something before each transaction. */
    const hindered = (hinder: () => Promise<void>): Store => {
      const { store } = scene.iam;
      return new Proxy(store, {
        get: (target, name) => {
          if (name !== 'transaction') return Reflect.get(target, name) as unknown;
          return async (...args: Parameters<Store['transaction']>) => {
            await hinder();
            return target.transaction(...args);
          };
        },
      });
    };

    const failing = (fails: () => boolean): Store =>
      hindered(async () => {
        if (fails()) throw new Error('the disk is full');
      });

    const state = async (id: Id, call: Call): Promise<unknown> =>
      (await call.reader.find('workspace', [id])).get(id)?.status;

    it('many things go in the background, while nobody enters and everybody who could sees it', async () => {
      const { id } = await scene.workspace();
      await fill(id);
      const before = await scene.root(id);
      expect(before.facts.open).toBe(true);
      // The first transaction is that of the mutation; what follows waits until everything has been looked at.
      let transactions = 0;
      let release = (): void => undefined;
      const looked = new Promise<void>((resolve) => (release = resolve));
      const iam = another(hindered(() => ((transactions += 1) === 1 ? Promise.resolve() : looked)));
      const outcome = must(await remove(id, true, null, iam));
      expect(outcome).toMatchObject({ gone: false, workspace: { status: 'DELETING' } });
      expect((await scene.root(id)).facts.open).toBe(false);
      expect(await registerResource(scene.iam, await scene.root(id), { urn: urn() })).toMatchObject({
        kind: 'refused',
        decision: { reason: 'WORKSPACE_CLOSED' },
      });
      expect(await state(id, await scene.root())).toBe('DELETING');
      for (const again of [
        await remove(id),
        await updateWorkspace(scene.iam, await scene.root(), { id, description: 'x' }),
      ]) {
        expect(again).toMatchObject({ kind: 'invalid', problems: [{ code: 'CONFLICT', reference: 'ModelArts.4550' }] });
      }
      expect(await remainingIn(scene.iam, outcome.workspace)).toBe(clearedAtOnce + 150);
      release();
      await iam.clearings.settled();
      expect(await find(id)).toBeNull();
      expect(await rowsOf('resource', { workspaceId: id })).toBe(0);
    });

    const beginning = async (store: Store): Promise<Workspace> => {
      const workspace = await scene.workspace();
      await fill(workspace.id);
      await scene.iam.store.transaction(scene.origin('deleteWorkspace'), async (transaction) => {
        await transaction.update('workspace', workspace.id, { status: 'DELETING' });
        return { commit: true, value: undefined };
      });
      const iam = another(store);
      iam.clearings.begin(workspace.id, scene.origin('deleteWorkspace'));
      await iam.clearings.settled();
      return workspace;
    };

    it('what cannot be deleted is said, may be entered, and is deleted by the next attempt', async () => {
      let transactions = 0;
      // The first one is done; then the disk is full for as long as it is tried, and has room when that is written.
      const store = failing(() => [2, 3, 4].includes((transactions += 1)));
      const { id } = await beginning(store);
      const left = await rowsOf('resource', { workspaceId: id });
      expect(left).toBeGreaterThan(0);
      expect(await find(id)).toMatchObject({
        status: 'DELETE_FAILED',
        statusDetail: expect.stringContaining('again') as unknown,
      });
      expect((await scene.root(id)).facts.open).toBe(true);
      expect(must(await remove(id))).toMatchObject({ gone: left <= clearedAtOnce });
      await scene.iam.clearings.settled();
      expect(await find(id)).toBeNull();
    });

    it('a hiccup of the database stops nothing', async () => {
      let transactions = 0;
      const { id } = await beginning(failing(() => [1, 3].includes((transactions += 1))));
      expect(await find(id)).toBeNull();
    });

    it('what fails while the process is ending is gone on with at the next start, and has not failed', async () => {
      const { id } = await scene.workspace();
      await fill(id);
      let tell = (): void => undefined;
      const failed = new Promise<void>((resolve) => (tell = resolve));
      let transactions = 0;
      const iam = another(
        failing(() => {
          // The mutation itself is done; then the database goes away, and is back just before the end.
          const fails = [2, 3].includes((transactions += 1));
          if (fails) tell();
          return fails;
        }),
      );
      expect(must(await remove(id, true, null, iam))).toMatchObject({ gone: false });
      await failed;
      await iam.clearings.stop();
      expect(await find(id)).toMatchObject({ status: 'DELETING', statusDetail: '' });
      await scene.iam.clearings.resume();
      await scene.iam.clearings.settled();
      expect(await find(id)).toBeNull();
    });

    it('what a process left undone is gone on with at the next start, by several at once', async () => {
      // Nothing can be written any more, not even that it failed.
      const { id } = await beginning(failing(() => true));
      expect(await find(id)).toMatchObject({ status: 'DELETING' });
      const processes = [another(scene.iam.store), another(scene.iam.store)];
      const done: Id[] = [];
      for (const { clearings } of processes) {
        await clearings.resume({
          done: (workspaceId) => void done.push(workspaceId),
          failed: (_workspaceId, error) => {
            throw error;
          },
        });
      }
      for (const { clearings } of processes) await clearings.settled();
      expect(await find(id)).toBeNull();
      expect(done).toEqual([id, id]);
    });

    it('a chain costs no more than as many that stand alone, whatever its order', async () => {
      const statements: string[] = [];
      const own = await Scene.open(await database.readyUrl(), (text) => void statements.push(text));
      const { id: workspaceId } = await own.workspace();
      const long = 6 * clearedAtOnce;
      const urnOf = (n: number) => `modelarts::${own.account.id}:notebook:chain-${n}`;
      await own.iam.store.transaction(own.origin('chain'), async (transaction) => {
        let parentId: Id | null = null;
        for (let n = 0; n < long; n += 1) {
          const made = own.clock.at - n;
          const dated = { version: 1, createdAt: made, updatedAt: made };
          const kind = 'modelarts:notebook';
          const named = { urn: urnOf(n), kind, name: '', ownerId: null, tags: [], registeredBy: own.rootUser.id };
          const id: Id = randomBytes(16).toString('hex');
          await transaction.insert('resource', {
            id,
            accountId: own.account.id,
            workspaceId,
            parentId,
            ...named,
            ...dated,
          });
          parentId = id;
        }
        return { commit: true, value: undefined };
      });
      const found = await own.iam.store.access.resourcesByUrn(own.account.id, [urnOf(0), urnOf(long - 1)]);
      const [top, bottom] = [found.get(urnOf(0)), found.get(urnOf(long - 1))];
      statements.length = 0;
      const inside = await own.root(workspaceId);
      const upside = await updateResource(own.iam, inside, { id: top?.id ?? '', parentId: bottom?.id ?? '' });
      expect(upside).toMatchObject({ kind: 'invalid', problems: [{ code: 'CONFLICT' }] });
      expect(statements.length).toBeLessThan(50);

      statements.length = 0;
      must(await deleteWorkspace(own.iam, await own.root(), { id: workspaceId, force: true }));
      await own.iam.clearings.settled();
      expect(await own.iam.store.access.workspace(own.account.id, workspaceId)).toBeNull();
      const looks = statements.filter((text) => text.startsWith('SELECT') && /"parent_id" = /.test(text));
      expect(looks.length).toBeLessThan(1.2 * long);
      await own.close();
    });

    it('leaves a trail that names who asked for it, and what went', async () => {
      const { id } = await scene.workspace();
      await fill(id, clearedAtOnce + 1);
      must(await remove(id));
      await scene.iam.clearings.settled();
      const window = {
        order: { by: 'REVISION', direction: 'DESC' },
        limit: 100,
        backward: false,
        after: null,
        before: null,
      } as const;
      const reader = (await scene.root()).reader;
      const removed = await reader.page('auditEvent', { operation: 'deleteWorkspace', targetId: id }, window);
      expect(removed.rows.map(({ record: { after, actorId } }) => [after?.['status'] ?? null, actorId])).toEqual([
        [null, scene.rootUser.id],
        ['DELETING', scene.rootUser.id],
      ]);
      const things = await reader.count('auditEvent', { operation: 'deleteWorkspace', targetKind: 'resource' });
      expect(things).toBeGreaterThanOrEqual(clearedAtOnce + 1);
    });
  });
}
