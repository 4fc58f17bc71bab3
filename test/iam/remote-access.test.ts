/** Remote access: who configures it how, whose keys sshd is told at which moment, and what is said to those who stay outside. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  authorizedKeys,
  configureRemoteAccess,
  createService,
  deleteKeyPair,
  deregisterResource,
  explainRemoteAccess,
  importKeyPair,
  registerResource,
  removeGroupMembers,
  reportInstanceState,
  revokeGrant,
  updateResource,
  updateUser,
  updateWorkspace,
  type Call,
  type ConfigureRemoteAccessInput,
  type Grant,
  type KeyPair,
  type Outcome,
  type Resource,
  type User,
  type Workspace,
} from '../../src/iam/index.js';
import { generateKeyPair } from '../../src/ssh-keys/index.js';
import { databases } from '../store/databases.js';
import { must, Scene, type Statement } from './scene.js';

let count = 0;
const fresh = (what: string): string => `${what}-${(count += 1)}`;
const access = 'modelarts:notebook:access';
const problemsOf = (outcome: Outcome<unknown>) => (outcome.kind === 'invalid' ? outcome.problems : []);

for (const database of Object.values(databases())) {
  describe(`remote access on ${database.name}`, () => {
    let scene: Scene;
    let workspace: Workspace;
    let notebook: Resource;
    let ann: User;
    let grant: Grant;
    let pair: KeyPair;

    beforeAll(async () => {
      scene = await (await Scene.open(await database.readyUrl())).strict();
    });
    afterAll(async () => {
      await scene.close();
      await database.stop();
    });

    const register = async (at: Workspace): Promise<Resource> => {
      const urn = `modelarts:cn:${scene.account.id}:notebook:${fresh('nb')}`;
      return must(await registerResource(scene.iam, await scene.root(at.id), { urn, name: 'Ann’s notebook' }));
    };
    const bring = async (user: User): Promise<KeyPair> => {
      const { publicKey } = generateKeyPair('ED25519', '');
      const input = { name: fresh('pair'), publicKey: publicKey.line };
      return must(await importKeyPair(scene.iam, await scene.call(user), input));
    };
    const inside = (user: User): Promise<Call> => scene.call(user, workspace.id);
    const configure = async (by: User, input: Partial<ConfigureRemoteAccessInput> = {}) =>
      configureRemoteAccess(scene.iam, await inside(by), { resourceId: notebook.id, ...input });
    const report = async (state: 'RUNNING' | 'STOPPED', by?: User) =>
      reportInstanceState(scene.iam, by === undefined ? await scene.root(workspace.id) : await inside(by), {
        resourceId: notebook.id,
        state,
      });
    const keys = (more: { userName?: string; fingerprint?: string } = {}, urn = notebook.urn) =>
      authorizedKeys(scene.iam, scene.iam.calls, { notebook: urn, ...more });
    const deny = async (user: User, statement: Partial<Statement>) =>
      scene.grant(
        { kind: 'USER', id: user.id },
        await scene.policy({ Effect: 'Deny', Action: [access], ...statement }),
      );
    const line = (from: string, { publicKey }: KeyPair = pair) =>
      `restrict,pty,port-forwarding${from === '' ? '' : `,from="${from}"`} ${publicKey}`;

    /** A running notebook of a workspace of its own, which Ann has opened to herself from one address. */
    beforeEach(async () => {
      workspace = await scene.workspace();
      notebook = await register(workspace);
      ann = await scene.user();
      grant = await scene.allow(ann, 'modelarts:notebook:*');
      pair = await bring(ann);
      must(await report('RUNNING'));
      must(await configure(ann, { enabled: true, keyPairIds: [pair.id], allowedAddresses: ['192.0.2.7'] }));
    });

    describe('is configured', () => {
      it('closed until somebody opens it, with the list kept in one form', async () => {
        notebook = await register(workspace);
        const { remoteAccess } = must(await configure(ann, { allowedAddresses: ['10.1.2.3/8', '2001:DB8::/32'] }));
        expect(remoteAccess).toMatchObject({
          enabled: false,
          keyPairIds: [],
          allowedAddresses: ['10.0.0.0/8', '2001:db8::/32'],
          allowAnyAddress: false,
          userName: 'ma-user',
          host: '',
          port: null,
          instanceState: null,
        });
        expect(await keys()).toEqual([]);
      });

      it('from five addresses at most, which are addresses', async () => {
        const limit = await configure(ann, {
          allowedAddresses: ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '::1'],
        });
        expect(problemsOf(limit)).toMatchObject([{ code: 'LIMIT_EXCEEDED', limit: 5 }]);
        for (const wrong of [
          '',
          'example.com',
          '10.0.0.1"',
          '10.0.0.1,!10.0.0.1',
          '*',
          '10.0.0.0/33',
          '010.0.0.1',
          'fe80::1%eth0',
          '0.0.0.0/0',
          '::/0',
        ]) {
          const outcome = await configure(ann, { allowedAddresses: [wrong] });
          expect([wrong, problemsOf(outcome)]).toMatchObject([
            wrong,
            [{ code: 'INVALID', path: ['input', 'allowedAddresses'] }],
          ]);
        }
      });

      it('open to anywhere only in so many words', async () => {
        expect(problemsOf(await configure(ann, { allowedAddresses: [] }))).toMatchObject([
          { code: 'INVALID', message: expect.stringContaining('allowAnyAddress: true') as string },
        ]);
        const both = await configure(ann, { allowedAddresses: ['10.0.0.1'], allowAnyAddress: true });
        expect(problemsOf(both)).toMatchObject([{ code: 'INVALID' }]);
        expect(must(await configure(ann, { allowAnyAddress: true })).remoteAccess.allowedAddresses).toEqual([]);
        expect(await keys()).toEqual([line('')]);
        expect(problemsOf(await configure(ann, { allowAnyAddress: false }))).toMatchObject([{ code: 'INVALID' }]);
        must(await configure(ann, { allowedAddresses: ['10.0.0.1'] }));
        expect(await keys()).toEqual([line('10.0.0.1')]);
      });

      it('with key pairs of one’s own alone', async () => {
        const ben = await scene.user();
        await scene.allow(ben, 'modelarts:notebook:*');
        const his = await bring(ben);
        for (const id of [his.id, 'nothing']) {
          expect(problemsOf(await configure(ann, { keyPairIds: [pair.id, id] }))).toMatchObject([
            { code: 'NOT_FOUND', reference: 'ModelArts.6789' },
          ]);
        }
        // What another brings leaves mine, and I can take it out again.
        expect(must(await configure(ben, { keyPairIds: [his.id] })).remoteAccess.keyPairIds).toEqual([pair.id, his.id]);
        expect((await keys()).toSorted()).toEqual([line('192.0.2.7'), line('192.0.2.7', his)].toSorted());
        must(await configure(ann, { removeOthers: true }));
        expect(await keys()).toEqual([line('192.0.2.7')]);
        expect(problemsOf(await configure(ann, { keyPairIds: [] }))).toMatchObject([{ path: ['input', 'keyPairIds'] }]);
      });

      it('by who may update it; to bring keys one must be let in oneself', async () => {
        const ben = await scene.user();
        const his = await bring(ben);
        expect(await configure(ben, { enabled: false })).toMatchObject({ kind: 'refused' });
        await scene.allow(ben, 'modelarts:notebook:update', 'modelarts:notebook:get');
        expect(await configure(ben, { keyPairIds: [his.id] })).toMatchObject({
          kind: 'refused',
          decision: { action: access },
        });
        must(await configure(ben, { host: 'notebooks.example', port: 32_701 }));
      });

      it('not for what is no notebook, and not out of another workspace', async () => {
        const urn = `modelarts::${scene.account.id}:trainJob:${fresh('job')}`;
        const job = must(await registerResource(scene.iam, await scene.root(workspace.id), { urn }));
        const asRoot = async (resourceId: string, at: string) =>
          configureRemoteAccess(scene.iam, await scene.root(at), { resourceId, host: 'a.example' });
        expect(problemsOf(await asRoot(job.id, workspace.id))).toMatchObject([{ code: 'INVALID' }]);
        const elsewhere = await scene.workspace();
        expect(problemsOf(await asRoot(notebook.id, elsewhere.id))).toMatchObject([{ code: 'NOT_FOUND' }]);
      });

      it.each([
        [{ userName: 'Root' }, 'userName'],
        [{ userName: '-oProxyCommand' }, 'userName'],
        [{ userName: 'a\nb' }, 'userName'],
        [{ host: 'a b' }, 'host'],
        [{ host: '-h' }, 'host'],
        [{ host: 'a\nProxyCommand rm' }, 'host'],
        [{ host: 'fe80::1%eth0' }, 'host'],
        [{ port: 0 }, 'port'],
        [{ port: 65_536 }, 'port'],
      ])('not with %o', async (input, path) => {
        expect(problemsOf(await configure(ann, input))).toMatchObject([{ code: 'INVALID', path: ['input', path] }]);
      });

      it('and changed by one at a time', async () => {
        const { remoteAccess } = must(await configure(ann, { host: '2001:db8::5' }));
        expect(
          problemsOf(await configure(ann, { host: 'b', expectedVersion: remoteAccess.version - 1 })),
        ).toMatchObject([{ code: 'CONFLICT' }]);
        must(await configure(ann, { host: null, port: null, expectedVersion: remoteAccess.version }));
      });
    });

    describe('of the instance', () => {
      it('is reported by who registered the notebook alone', async () => {
        expect(problemsOf(await report('STOPPED', ann))).toMatchObject([{ code: 'RESERVED' }]);
        expect(await keys()).toHaveLength(1);
      });

      it('takes connections when it runs, and not before anybody has said so', async () => {
        must(await report('STOPPED'));
        expect(await keys()).toEqual([]);
        must(await report('RUNNING'));
        expect(await keys()).toHaveLength(1);
        notebook = await register(workspace);
        must(await configure(ann, { enabled: true, keyPairIds: [pair.id], allowAnyAddress: true }));
        expect(await keys()).toEqual([]);
      });

      it('is no change when it stays', async () => {
        const root = await scene.root(workspace.id);
        const revision = async () => (await scene.iam.store.access.account(scene.account.id))?.revision;
        const before = await revision();
        must(await reportInstanceState(scene.iam, root, { resourceId: notebook.id, state: 'RUNNING' }));
        expect(await revision()).toBe(before);
        must(await reportInstanceState(scene.iam, root, { resourceId: notebook.id, state: 'STOPPED' }));
        expect(await revision()).toBe((before ?? 0) + 1);
      });
    });

    describe('lets in', () => {
      it('by name and fingerprint, when sshd says them', async () => {
        expect(await keys()).toEqual([line('192.0.2.7')]);
        expect(await keys({ userName: 'ma-user', fingerprint: pair.fingerprint })).toEqual([line('192.0.2.7')]);
        expect(await keys({ userName: 'root' })).toEqual([]);
        expect(await keys({ fingerprint: 'SHA256:other' })).toEqual([]);
      });

      it.each<readonly [string, () => Promise<unknown>]>([
        [
          'the key is deleted',
          async () => must(await deleteKeyPair(scene.iam, await scene.call(ann), { id: pair.id })),
        ],
        ['the right is revoked', async () => must(await revokeGrant(scene.iam, await scene.root(), { id: grant.id }))],
        [
          'the user is disabled',
          async () => must(await updateUser(scene.iam, await scene.root(), { id: ann.id, enabled: false })),
        ],
        [
          'the workspace is closed to the user',
          async () =>
            must(await updateWorkspace(scene.iam, await scene.root(), { id: workspace.id, visibility: 'PRIVATE' })),
        ],
        ['it is closed', async () => must(await configure(ann, { enabled: false }))],
        ['a Deny comes', () => deny(ann, {})],
        [
          'a Deny looks at a label that the notebook gets',
          async () => {
            await deny(ann, { Condition: { StringEquals: { 'g:ResourceTag/secret': ['yes'] } } });
            expect(await keys()).toHaveLength(1);
            const tags = [{ key: 'secret', value: 'yes' }];
            must(await updateResource(scene.iam, await scene.root(workspace.id), { id: notebook.id, tags }));
          },
        ],
        [
          'the notebook is taken off the register',
          async () => must(await deregisterResource(scene.iam, await scene.root(workspace.id), { id: notebook.id })),
        ],
      ])('nobody once %s', async (_, happens) => {
        expect(await keys()).toHaveLength(1);
        await happens();
        expect(await keys()).toEqual([]);
      });

      it('who has the right by a group until they leave it, and until a grant’s own end', async () => {
        const ben = await scene.user();
        const group = await scene.group(ben);
        const policy = await scene.policy({ Effect: 'Allow', Action: ['modelarts:notebook:*'] });
        await scene.grant({ kind: 'GROUP', id: group.id }, policy);
        const his = await bring(ben);
        must(await configure(ben, { keyPairIds: [his.id] }));
        expect(await keys({ fingerprint: his.fingerprint })).toHaveLength(1);
        must(await removeGroupMembers(scene.iam, await scene.root(), { groupId: group.id, userIds: [ben.id] }));
        expect(await keys({ fingerprint: his.fingerprint })).toEqual([]);
        await scene.grant(
          { kind: 'USER', id: ben.id },
          policy,
          { kind: 'WORKSPACE', id: workspace.id },
          scene.clock.at + 5,
        );
        expect(await keys({ fingerprint: his.fingerprint })).toHaveLength(1);
        scene.clock.at += 5;
        expect(await keys({ fingerprint: his.fingerprint })).toEqual([]);
      });

      it('by a policy that looks at the address, where the list holds single ones', async () => {
        must(await configure(ann, { allowedAddresses: ['10.0.0.7', '172.16.0.9', '10.9.0.0/16'] }));
        const where = { IpAddress: { 'g:SourceIp': ['10.0.0.0/8'] } };
        const denied = await deny(ann, { Condition: where });
        // Of a block nobody can say that the Deny does not apply.
        expect(await keys()).toEqual([line('172.16.0.9')]);
        must(await revokeGrant(scene.iam, await scene.root(), { id: denied.id }));
        must(await revokeGrant(scene.iam, await scene.root(), { id: grant.id }));
        await scene.grant(
          { kind: 'USER', id: ann.id },
          await scene.policy({ Effect: 'Allow', Action: [access], Condition: where }),
        );
        expect(await keys()).toEqual([line('10.0.0.7')]);
      });

      it.each([
        ['NotIpAddress', ['203.0.113.0/24']],
        ['IpAddressIfExists', ['10.0.0.0/8']],
        ['Null', ['true']],
      ])('not by an Allow that looks at the address by `%s`, where it is not known', async (operator, values) => {
        const condition = { [operator]: { 'g:SourceIp': values } };
        must(await configure(ann, { allowedAddresses: ['10.0.0.7', '203.0.113.0/28'] }));
        must(await revokeGrant(scene.iam, await scene.root(), { id: grant.id }));
        const policy = await scene.policy({ Effect: 'Allow', Action: ['modelarts:notebook:*'], Condition: condition });
        await scene.grant({ kind: 'USER', id: ann.id }, policy);
        expect(await keys()).toEqual(operator === 'Null' ? [] : [line('10.0.0.7')]);
        must(
          await configureRemoteAccess(scene.iam, await scene.root(workspace.id), {
            resourceId: notebook.id,
            allowAnyAddress: true,
          }),
        );
        expect(await keys()).toEqual([]);
        // Another Allow that looks at nothing lets in from there all the same; a Deny that looks at the address does not.
        await scene.allow(ann, access);
        expect(await keys()).toEqual([line('')]);
        await deny(ann, { Resource: ['modelarts:*:*:notebook:*'], Condition: condition });
        expect(await keys()).toEqual([]);
      });

      it.each(['', 'nonsense', 'modelarts::x:notebook:y', '*', 'modelarts:cn:*:notebook:*'])(
        'nobody under the URN `%s`',
        async (urn) => {
          expect(await keys({}, urn)).toEqual([]);
          expect(await keys({}, `${notebook.urn}${urn}x`)).toEqual([]);
        },
      );
    });

    describe('is explained', () => {
      const explain = async (by: Call, more: object = {}) =>
        explainRemoteAccess(scene.iam, scene.iam.calls, by, { resourceId: notebook.id, ...more });
      const failing = async (more: object = {}): Promise<readonly string[]> => {
        const found = must(await explain(await inside(ann), { sourceAddress: '192.0.2.7', ...more }));
        expect(found?.checks.map(({ name }) => name)).toEqual([
          'ENABLED',
          'STATE',
          'KEY_PAIR',
          'ADDRESS',
          'USER_ENABLED',
          'WORKSPACE_ENTRY',
          'PERMISSION',
        ]);
        for (const { status, advice } of found?.checks ?? []) expect(advice === null).toBe(status === 'OK');
        const failed = (found?.checks ?? []).filter(({ status }) => status !== 'OK').map(({ name }) => name);
        expect(found?.allowed).toBe(failed.length === 0);
        return failed;
      };

      it('says nothing is in the way exactly when sshd would be told the key', async () => {
        expect(await failing({ keyPairId: pair.id })).toEqual([]);
        expect(await failing({ fingerprint: pair.fingerprint })).toEqual([]);
        expect(await failing()).toEqual([]);
      });

      it('says what is in the way', async () => {
        expect(await failing({ fingerprint: 'SHA256:other' })).toEqual(['KEY_PAIR']);
        expect(await failing({ sourceAddress: '192.0.2.8' })).toEqual(['ADDRESS']);
        must(await report('STOPPED'));
        expect(await failing()).toEqual(['STATE']);
        must(await configure(ann, { enabled: false }));
        expect(await failing({ keyPairId: (await bring(ann)).id })).toEqual(['ENABLED', 'STATE', 'KEY_PAIR']);
        must(await report('RUNNING'));
        must(await configure(ann, { enabled: true }));
        await deny(ann, {});
        expect(await failing()).toEqual(['PERMISSION']);
        expect(await keys()).toEqual([]);
      });

      it('takes the address of the request itself, for oneself', async () => {
        expect(await failing({ sourceAddress: null })).toEqual(['ADDRESS']);
        must(await configure(ann, { allowedAddresses: ['127.0.0.0/8'] }));
        expect(await failing({ sourceAddress: null })).toEqual([]);
      });

      it('about others to who may explain, with the statements; of a disabled user too', async () => {
        const ben = await scene.user();
        await scene.allow(ben, 'modelarts:notebook:get');
        await scene.allow(ben, 'bailiwick:resources:get');
        expect(await explain(await inside(ben), { userId: ann.id })).toMatchObject({ kind: 'refused' });
        await scene.allow(ben, 'bailiwick:access:explain');
        must(await updateUser(scene.iam, await scene.root(), { id: ann.id, enabled: false }));
        const found = must(await explain(await inside(ben), { userId: ann.id }));
        expect(found?.checks.filter(({ status }) => status !== 'OK')).toMatchObject([
          { name: 'ADDRESS', status: 'UNKNOWN' },
          { name: 'USER_ENABLED', status: 'FAILED' },
        ]);
        expect(found?.decision.statements).toHaveLength(1);
      });

      it('with names of key pairs for who may read them', async () => {
        const ben = await scene.user();
        for (const action of ['modelarts:notebook:get', 'bailiwick:resources:get', 'bailiwick:access:explain']) {
          await scene.allow(ben, action);
        }
        const said = async (by: User) => {
          const asked = [{}, { keyPairId: pair.id }, { fingerprint: (await bring(ann)).fingerprint }];
          const found = await Promise.all(
            asked.map(async (more) => must(await explain(await inside(by), { userId: ann.id, ...more }))),
          );
          return found.map((each) => each?.checks.find(({ name }) => name === 'KEY_PAIR'));
        };
        for (const check of await said(ben)) expect(check?.message).not.toMatch(/`pair-/);
        expect((await said(ben)).map((check) => check?.status)).toEqual(['OK', 'OK', 'FAILED']);
        await scene.allow(ben, 'ecs:serverKeypairs:list');
        for (const by of [ann, ben]) for (const check of await said(by)) expect(check?.message).toMatch(/`pair-/);
      });

      it('and is nothing to who neither sees the notebook, nor may access it, nor has a key on its list', async () => {
        const ben = await scene.user();
        expect(must(await explain(await inside(ben)))).toBeNull();
        expect(must(await explain(await scene.call(ann, (await scene.workspace()).id)))).toBeNull();
        await scene.allow(ben, access);
        expect(must(await explain(await inside(ben)))?.allowed).toBe(false);
      });

      it('not to a service, which connects to nothing', async () => {
        const name = `svc-${count}a`;
        const made = must(await createService(scene.iam, await scene.root(), { name }));
        const root = await scene.root(workspace.id);
        const rights = {
          ...root.rights,
          principal: { ...root.rights.principal, kind: 'SERVICE' as const, id: made.service.id },
        };
        const { Call: CallOf } = await import('../../src/iam/index.js');
        const call = new CallOf({ ...root, rights, user: null });
        await expect(explain(call)).rejects.toThrow('only users connect');
      });
    });

    it('leaves its images to who may see the notebook', async () => {
      const ben = await scene.user();
      await scene.allow(ben, 'bailiwick:audit:list');
      const { maySeeImages } = await import('../../src/iam/index.js');
      const call = await inside(ben);
      const window = { order: { by: 'REVISION', direction: 'ASC' }, limit: 10, backward: false } as const;
      const { rows } = await call.reader.page(
        'auditEvent',
        { targetId: notebook.id },
        { ...window, after: null, before: null },
      );
      const events = rows.map(({ record }) => record).filter(({ targetKind }) => targetKind === 'remoteAccess');
      expect(events.map(({ operation }) => operation)).toEqual(['reportInstanceState', 'configureRemoteAccess']);
      const seen = async (asker: Call) =>
        Promise.all(
          events.map((event) =>
            maySeeImages(asker, event, async (kind, id) => (await asker.reader.find(kind, [id])).get(id) ?? null),
          ),
        );
      expect(await seen(call)).toEqual([false, false]);
      expect(await seen(await scene.root(workspace.id))).toEqual([true, true]);
    });
  });
}
