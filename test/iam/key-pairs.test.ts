/** Key pairs: who makes, brings and deletes whose, and that no private key is kept anywhere. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createKeyPair,
  deleteKeyPair,
  deleteUser,
  importKeyPair,
  keyPairsPerUser,
  keyPairUrn,
  type User,
} from '../../src/iam/index.js';
import { generateKeyPair } from '../../src/ssh-keys/index.js';
import { databases } from '../store/databases.js';
import { must, Scene } from './scene.js';

const newKey = (): string => generateKeyPair('ED25519', '').publicKey.line;

for (const database of Object.values(databases())) {
  describe(`key pairs on ${database.name}`, () => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await (await Scene.open(await database.readyUrl())).strict();
    });
    afterAll(async () => {
      await scene.close();
      await database.stop();
    });

    const create = async (by: User, input: { name: string; userId?: string; idempotencyKey?: string }) =>
      createKeyPair(scene.iam, await scene.call(by), input);
    const bring = async (by: User, name: string, publicKey: string, userId?: string) =>
      importKeyPair(scene.iam, await scene.call(by), { name, publicKey, ...(userId === undefined ? {} : { userId }) });
    const remove = async (by: User, id: string) => deleteKeyPair(scene.iam, await scene.call(by), { id });

    it('are made by their users; the private key is in the answer, and neither in the row nor in the trail', async () => {
      const ann = await scene.user();
      const { keyPair, privateKey } = must(await create(ann, { name: 'desk' }));
      expect(keyPair).toMatchObject({ userId: ann.id, name: 'desk', algorithm: 'ED25519', generated: true });
      expect(keyPair.publicKey).toMatch(/^ssh-ed25519 \S+$/);
      const secret = privateKey?.split('\n').slice(1, -2) ?? [];
      expect(secret.length).toBeGreaterThan(3);
      const reader = (await scene.root()).reader;
      const { rows } = await reader.page(
        'auditEvent',
        { targetId: keyPair.id },
        { order: { by: 'REVISION', direction: 'ASC' }, limit: 10, backward: false, after: null, before: null },
      );
      expect(rows.map(({ record }) => [record.operation, record.after?.['fingerprint']])).toEqual([
        ['createKeyPair', keyPair.fingerprint],
      ]);
      const kept = JSON.stringify([keyPair, rows]);
      // The first lines are the same in every file: the second half of each holds the secret.
      for (const line of secret.slice(2)) expect(kept).not.toContain(line);
      expect(kept).not.toContain('PRIVATE KEY');
    });

    it('are not made twice by one idempotency key, and a repeat shows no private key', async () => {
      const ann = await scene.user();
      const first = must(await create(ann, { name: 'desk', idempotencyKey: 'once' }));
      expect(await create(ann, { name: 'desk', idempotencyKey: 'once' })).toMatchObject({
        kind: 'succeeded',
        replayed: true,
        value: { keyPair: { id: first.keyPair.id }, privateKey: null },
      });
    });

    it('can be brought; a key and a name are there once for each user, and again for another', async () => {
      const [ann, ben] = [await scene.user(), await scene.user()];
      const key = newKey();
      expect(must(await bring(ann, 'laptop', `${key} ann@laptop`))).toMatchObject({ publicKey: key, generated: false });
      const problems = (outcome: object) => (outcome as { problems?: readonly { code: string }[] }).problems;
      expect(problems(await bring(ann, 'LAPTOP', newKey()))).toMatchObject([{ code: 'NAME_TAKEN' }]);
      expect(problems(await bring(ann, 'other', key))).toMatchObject([{ code: 'CONFLICT' }]);
      must(await bring(ben, 'laptop', key));
    });

    it.each([
      ['', 'name'],
      ['x'.repeat(65), 'name'],
      ['a b', 'name'],
      ['a/b', 'name'],
      ['é', 'name'],
    ])('the name `%s` is refused', async (name, path) => {
      const ann = await scene.user();
      for (const outcome of [await create(ann, { name }), await bring(ann, name, newKey())]) {
        expect(outcome).toMatchObject({ kind: 'invalid', problems: [{ code: 'INVALID', path: ['input', path] }] });
      }
    });

    it('what is no key is refused with the reason, and never repeated', async () => {
      const outcome = await bring(await scene.user(), 'desk', 'ssh-dss AAAAB3NzaC1kc3M=');
      expect(outcome).toMatchObject({
        kind: 'invalid',
        problems: [
          { code: 'INVALID', path: ['input', 'publicKey'], message: expect.stringContaining('DSA') as string },
        ],
      });
      expect(JSON.stringify(outcome)).not.toContain('AAAAB3NzaC1kc3M');
    });

    it('are so many for each user and no more', async () => {
      const ann = await scene.user();
      for (let n = 0; n < keyPairsPerUser; n += 1) must(await bring(ann, `pair-${n}`, newKey()));
      expect(await create(ann, { name: 'one-more' })).toMatchObject({
        kind: 'invalid',
        problems: [{ code: 'LIMIT_EXCEEDED', limit: keyPairsPerUser }],
      });
    });

    it('of another look as if they were not there, unless one may delete that user’s', async () => {
      const [ann, ben, carl] = [await scene.user(), await scene.user(), await scene.user()];
      const pair = must(await bring(ann, 'desk', newKey()));
      const notThere = { kind: 'invalid', problems: [{ code: 'NOT_FOUND', reference: 'ModelArts.6789' }] };
      expect(await remove(ben, pair.id)).toMatchObject(notThere);
      expect(await remove(ben, 'nothing')).toMatchObject(notThere);
      expect(await bring(ben, 'theirs', newKey(), ann.id)).toMatchObject({ kind: 'refused' });
      await scene.allow(carl, 'ecs:serverKeypairs:*');
      must(await bring(carl, 'given', newKey(), ann.id));
      must(await remove(carl, pair.id));
      expect(await remove(ann, pair.id)).toMatchObject(notThere);
    });

    it('a Deny takes one’s own away', async () => {
      const ann = await scene.user();
      const pair = must(await bring(ann, 'desk', newKey()));
      await scene.grant(
        { kind: 'USER', id: ann.id },
        await scene.policy({ Effect: 'Deny', Action: ['ecs:serverKeypairs:*'] }),
      );
      for (const outcome of [
        await create(ann, { name: 'more' }),
        await bring(ann, 'more', newKey()),
        await remove(ann, pair.id),
      ]) {
        expect(outcome).toMatchObject({ kind: 'refused', decision: { reason: 'EXPLICIT_DENY' } });
      }
    });

    it('the two names for reading one are one action: a Deny on either binds', async () => {
      for (const name of ['kps:SSHKeyPair:get', 'ecs:serverKeypairs:get', 'kps:*:*']) {
        const ann = await scene.user();
        const pair = must(await bring(ann, 'desk', newKey()));
        const about = { action: 'ecs:serverKeypairs:get', resource: keyPairUrn(scene.account.id, ann.id, pair.name) };
        expect((await scene.call(ann)).decide(about).effect).toBe('ALLOW');
        await scene.grant({ kind: 'USER', id: ann.id }, await scene.policy({ Effect: 'Deny', Action: [name] }));
        expect((await scene.call(ann)).decide(about).reason).toBe('EXPLICIT_DENY');
      }
    });

    it('a Deny on one pair by its URN spares the others', async () => {
      const ann = await scene.user();
      const [kept, free] = [must(await bring(ann, 'kept', newKey())), must(await bring(ann, 'free', newKey()))];
      const policy = await scene.policy({
        Effect: 'Deny',
        Action: ['ecs:serverKeypairs:delete'],
        Resource: [keyPairUrn('*', ann.id, 'kept').replace('::', ':*:')],
      });
      await scene.grant({ kind: 'USER', id: ann.id }, policy);
      expect(await remove(ann, kept.id)).toMatchObject({ kind: 'refused' });
      must(await remove(ann, free.id));
    });

    it('end with their user', async () => {
      const ann = await scene.user();
      const pair = must(await bring(ann, 'desk', newKey()));
      must(await deleteUser(scene.iam, await scene.root(), { id: ann.id }));
      expect((await (await scene.root()).reader.find('keyPair', [pair.id])).size).toBe(0);
    });
  });
}
