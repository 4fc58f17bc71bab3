/** Access keys of users: who makes, changes and deletes whose; what signing with them is; that a signature changes things once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createAccessKey,
  createGroup,
  deleteAccessKey,
  updateAccessKey,
  updateUser,
  type Call,
  type IssuedKey,
  type User,
} from '../../src/iam/index.js';
import { sign } from '../kit/signing.js';
import { databases } from '../store/databases.js';
import { must, Scene } from './scene.js';

let count = 0;
const fresh = (what: string): string => `${what}-${(count += 1)}`;
const keyOf = ({ accessKey, secretAccessKey }: IssuedKey) => ({
  accessKeyId: accessKey.id,
  secretAccessKey: secretAccessKey ?? '',
});

for (const database of Object.values(databases())) {
  describe(`access keys on ${database.name}`, () => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await (await Scene.open(await database.readyUrl())).strict();
    });
    afterAll(async () => {
      await scene.close();
      await database.stop();
    });

    const make = async (by: User, input: { userId?: string; idempotencyKey?: string } = {}) =>
      createAccessKey(scene.iam, await scene.call(by), input);

    function arrivalOf(issued: IssuedKey, headers: Readonly<Record<string, string>> = {}, body = fresh('body')) {
      const signed = sign(keyOf(issued), { headers: { host: 'localhost', ...headers }, body, at: scene.clock.at });
      const { method, path, query, bodySha256, authorization } = signed;
      return {
        requestId: fresh('request'),
        environment: { now: scene.clock.at, sourceAddress: '127.0.0.1' },
        credential: {
          kind: 'signed',
          authorization,
          request: { method, path, query, headers: Object.entries(signed.headers), bodySha256 },
        },
      } as const;
    }

    const open = (issued: IssuedKey, headers?: Readonly<Record<string, string>>): Promise<Call> =>
      scene.iam.calls.open(arrivalOf(issued, headers));
    const inAccount = () => ({ 'x-domain-id': scene.account.id });

    it('are made by their users, two at most, with an id of 20 characters and a secret of 40', async () => {
      const ann = await scene.user();
      const { accessKey, secretAccessKey } = must(await make(ann));
      expect(accessKey.id).toMatch(/^[A-Z0-9]{20}$/);
      expect(secretAccessKey).toMatch(/^[A-Za-z0-9_-]{40}$/);
      expect(JSON.stringify(accessKey)).not.toContain(secretAccessKey);
      must(await make(ann));
      expect(await make(ann)).toMatchObject({
        kind: 'invalid',
        problems: [{ code: 'LIMIT_EXCEEDED', reference: 'akSkNumExceed', limit: 2 }],
      });
      must(await deleteAccessKey(scene.iam, await scene.call(ann), { id: accessKey.id }));
      must(await make(ann));
    });

    it('are not made twice by one idempotency key, and a repeat shows no secret', async () => {
      const ann = await scene.user();
      const first = must(await make(ann, { idempotencyKey: 'once' }));
      expect(await make(ann, { idempotencyKey: 'once' })).toMatchObject({
        kind: 'succeeded',
        replayed: true,
        value: { accessKey: { id: first.accessKey.id }, secretAccessKey: null },
      });
    });

    describe('of another user', () => {
      it('need the action on that user, and everything that the user holds', async () => {
        const ann = await scene.user();
        await scene.allow(ann, 'modelarts:notebook:get');
        const bob = await scene.user();
        expect(await make(bob, { userId: ann.id })).toMatchObject({ kind: 'refused' });
        await scene.allow(bob, 'iam:credentials:*');
        const notHeld = { kind: 'invalid', problems: [{ code: 'NOT_HELD', actions: ['modelarts:notebook:get'] }] };
        expect(await make(bob, { userId: ann.id })).toMatchObject(notHeld);
        const { accessKey } = must(await make(ann));
        const change = async (input: object) =>
          updateAccessKey(scene.iam, await scene.call(bob), { id: accessKey.id, ...input });
        expect(await change({ enabled: false })).toMatchObject(notHeld);
        expect(await deleteAccessKey(scene.iam, await scene.call(bob), { id: accessKey.id })).toMatchObject(notHeld);
        await scene.allow(bob, 'modelarts:notebook:*');
        must(await make(bob, { userId: ann.id }));
        must(await change({ enabled: false }));
        must(await deleteAccessKey(scene.iam, await scene.call(bob), { id: accessKey.id }));
      });

      it('are the root user’s only by the root user, and an administrator’s only by one', async () => {
        const bob = await scene.user();
        await scene.allow(bob, 'iam:credentials:*');
        expect(await make(bob, { userId: scene.rootUser.id })).toMatchObject({
          kind: 'invalid',
          problems: [{ code: 'NOT_HELD', actions: ['*:*:*'] }],
        });
        must(await make(scene.rootUser));
      });

      it('look like keys that do not exist to who may change only their own', async () => {
        const ann = await scene.user();
        const bob = await scene.user();
        const { accessKey } = must(await make(ann));
        const said = async (id: string) => {
          const outcome = await deleteAccessKey(scene.iam, await scene.call(bob), { id });
          return JSON.stringify(outcome).replaceAll(id, 'ID');
        };
        expect(await said(accessKey.id)).toBe(await said('A'.repeat(20)));
      });
    });

    describe('sign requests', () => {
      it('of their user, in the scope that a header names, else in workspace "0"', async () => {
        const ann = await scene.user();
        await scene.allow(ann, 'modelarts:notebook:get');
        const key = must(await make(ann));
        const call = await open(key);
        expect(call.broken).toBeNull();
        expect([call.principal.kind, call.principal.id, call.scope.workspaceId]).toEqual(['USER', ann.id, '0']);
        expect(call.session).toBeNull();
        expect(call.decide({ action: 'modelarts:notebook:get', resource: null }).effect).toBe('ALLOW');
        expect((await open(key, inAccount())).scope.workspaceId).toBeNull();
        const closed = await scene.workspace({ visibility: 'PRIVATE' });
        for (const id of [closed.id, 'f'.repeat(32)]) {
          const inside = await open(key, { 'x-workspace-id': id });
          expect(inside.decide({ action: 'modelarts:notebook:get', resource: null }).reason).toBe('WORKSPACE_CLOSED');
        }
        const root = must(await make(scene.rootUser));
        expect(
          (await open(root, { 'x-workspace-id': closed.id })).decide({
            action: 'obs:bucket:ListBucket',
            resource: null,
          }).reason,
        ).toBe('ROOT');
      });

      it('until key or user is disabled or deleted', async () => {
        const ann = await scene.user();
        const key = must(await make(ann));
        const update = async (enabled: boolean) =>
          must(await updateAccessKey(scene.iam, await scene.root(), { id: key.accessKey.id, enabled }));
        await update(false);
        expect((await open(key)).broken).toMatchObject({ reference: 'IAM.1107' });
        await update(true);
        expect((await open(key)).broken).toBeNull();
        must(await updateUser(scene.iam, await scene.root(), { id: ann.id, enabled: false }));
        expect((await open(key)).broken).toMatchObject({ reference: 'IAM.0080' });
        must(await updateUser(scene.iam, await scene.root(), { id: ann.id, enabled: true }));
        must(await deleteAccessKey(scene.iam, await scene.root(), { id: key.accessKey.id }));
        expect((await open(key)).broken).toMatchObject({ reference: 'APIG.0301' });
      });

      it('and say when they were last used, to within five minutes, without filling the trail', async () => {
        const ann = await scene.user();
        const key = must(await make(ann));
        const used = async () => (await scene.iam.store.access.accessKey(key.accessKey.id))?.lastUsedAt;
        const { accessRevision } = (await scene.iam.store.access.account(scene.account.id)) ?? {};
        expect(await used()).toBeNull();
        await open(key);
        const first = await used();
        expect(first).toBe(scene.clock.at);
        scene.clock.at += 60_000;
        await open(key);
        expect(await used()).toBe(first);
        scene.clock.at += 5 * 60_000;
        await open(key);
        expect(await used()).toBe(scene.clock.at);
        expect((await scene.iam.store.access.account(scene.account.id))?.accessRevision).toBe(accessRevision);
        const window = {
          order: { by: 'REVISION', direction: 'DESC' },
          limit: 100,
          backward: false,
          after: null,
          before: null,
        } as const;
        const { rows } = await (await scene.root()).reader.page('auditEvent', { targetId: key.accessKey.id }, window);
        expect(rows.map(({ record }) => record.operation)).toEqual(['createAccessKey']);
      });
    });

    it('lock for five minutes after five bad signatures, but only where they come from', async () => {
      const ann = await scene.user();
      const key = must(await make(ann));
      const from = (sourceAddress: string, secretAccessKey = key.secretAccessKey): Promise<Call> => {
        const arrival = arrivalOf({ ...key, secretAccessKey });
        return scene.iam.calls.open({ ...arrival, environment: { ...arrival.environment, sourceAddress } });
      };
      const wrong = 'x'.repeat(40);
      for (let n = 0; n < 4; n += 1) await from('192.0.2.1', wrong);
      expect((await from('192.0.2.1')).broken).toBeNull();
      for (let n = 0; n < 5; n += 1) {
        expect((await from('192.0.2.1', wrong)).broken).toMatchObject({ reference: 'APIG.0301' });
      }
      expect((await from('192.0.2.1')).broken).toMatchObject({ reference: 'IAM.1104' });
      expect((await from('192.0.2.2')).broken).toBeNull();
      scene.clock.at += 5 * 60_000 + 1;
      expect((await from('192.0.2.1')).broken).toBeNull();
      // A key that there is not is told apart by nothing.
      const nobody = { ...key, accessKey: { ...key.accessKey, id: 'N'.repeat(20) } };
      const tries: unknown[] = [];
      for (let n = 0; n < 6; n += 1) tries.push((await scene.iam.calls.open(arrivalOf(nobody))).broken?.reference);
      expect(tries).toEqual([...Array.from({ length: 5 }, () => 'APIG.0301'), 'IAM.1104']);
    });

    describe('a signature', () => {
      it('changes nothing until it is spent, and is spent once, however many arrive at once', async () => {
        const ann = await scene.user();
        await scene.allow(ann, 'iam:groups:createGroup');
        const key = must(await make(ann));
        const arrival = arrivalOf(key, inAccount());
        const unspent = await scene.iam.calls.open(arrival);
        await expect(createGroup(scene.iam, unspent, { name: fresh('group') })).rejects.toThrow('unspent');
        const name = fresh('group');
        const outcomes = await Promise.all(
          Array.from({ length: 20 }, async () => {
            const call = await scene.iam.calls.spend(await scene.iam.calls.open(arrival));
            if (call.broken !== null) return call.broken.reference;
            return (await createGroup(scene.iam, call, { name })).kind;
          }),
        );
        expect(outcomes.filter((outcome) => outcome === 'succeeded')).toHaveLength(1);
        expect(outcomes.filter((outcome) => outcome === 'APIG.0301')).toHaveLength(19);
        // Asking again changes nothing, so it may.
        expect((await scene.iam.calls.open(arrival)).broken).toBeNull();
        // Another process with the same database knows of it: it is in no memory.
        expect((await scene.iam.calls.spend(await scene.iam.calls.open(arrival))).broken).not.toBeNull();
      });

      it('changes nothing by a key that was taken away while it waited', async () => {
        const ann = await scene.user();
        await scene.allow(ann, 'iam:groups:createGroup');
        for (const take of [
          async (id: string) => must(await deleteAccessKey(scene.iam, await scene.root(), { id })),
          async (id: string) => must(await updateAccessKey(scene.iam, await scene.root(), { id, enabled: false })),
        ]) {
          const key = must(await make(ann));
          const call = await scene.iam.calls.spend(await open(key, inAccount()));
          await take(key.accessKey.id);
          expect(await createGroup(scene.iam, call, { name: fresh('group') })).toMatchObject({ kind: 'refused' });
          await deleteAccessKey(scene.iam, await scene.root(), { id: key.accessKey.id });
        }
      });
    });

    it('end the user’s other sessions when they are taken away, and not the one that does it', async () => {
      const ann = await scene.user();
      const key = must(await make(ann));
      const [here, there] = [await scene.session(ann), await scene.session(ann)];
      must(await deleteAccessKey(scene.iam, await scene.call(ann, null, here), { id: key.accessKey.id }));
      const ended = async (id: string) =>
        (await scene.iam.store.access.session(scene.account.id, id))?.endedAt !== null;
      expect([await ended(here), await ended(there)]).toEqual([false, true]);
    });
  });
}
