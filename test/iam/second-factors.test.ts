/** Second factors: made, confirmed, taken away, by whom and with what proof; on both databases. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  confirmSecondFactor,
  createSecondFactor,
  deleteSecondFactor,
  deleteUser,
  type Call,
  type DeleteSecondFactorInput,
  type Outcome,
  type User,
} from '../../src/iam/index.js';
import { databases } from '../store/databases.js';
import { must, Scene } from './scene.js';

const minute = 60_000;
const password = 'Correct-horse-9';

function gist(outcome: Outcome<unknown>): unknown {
  return outcome.kind === 'invalid'
    ? outcome.problems.map(({ code, path }) => [code, path?.at(-1) ?? null])
    : outcome.kind;
}

for (const database of Object.values(databases())) {
  describe(`second factors on ${database.name}`, () => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await Scene.open(await database.readyUrl());
    });
    afterAll(async () => {
      await scene.close();
      await database.stop();
    });
    const person = () => scene.user(undefined, password);
    const make = async (user: User, idempotencyKey: string | null = null) =>
      createSecondFactor(scene.iam, await scene.call(user), { idempotencyKey });
    const confirm = async (user: User, code: string) =>
      confirmSecondFactor(scene.iam, await scene.call(user), { code });
    const remove = async (user: User, input: DeleteSecondFactorInput, call?: Call) =>
      deleteSecondFactor(scene.iam, call ?? (await scene.call(user)), input);
    const factorOf = async (user: User) =>
      (await (await scene.root()).reader.find('secondFactor', [user.id])).get(user.id);

    describe('making one', () => {
      it('shows secret and address once, seals the secret, and asks nobody for a code yet', async () => {
        const user = await person();
        const { secret, uri, secondFactor } = must(await make(user));
        expect(uri).toContain(`secret=${secret}`);
        expect(uri).toContain(encodeURIComponent(`${user.name}@${scene.account.name}`));
        expect(secondFactor.confirmedAt).toBeNull();
        expect((await factorOf(user))?.sealedSecret).not.toContain(secret);
        expect(gist(await scene.signIn(user, password))).toBe('succeeded');
      });

      it('again replaces one that was never confirmed', async () => {
        const user = await person();
        const [one, two] = [must(await make(user)), must(await make(user))];
        expect(gist(await confirm(user, scene.code(one.secret ?? '')))).toEqual([['CREDENTIALS_INVALID', 'code']]);
        expect(gist(await confirm(user, scene.code(two.secret ?? '')))).toBe('succeeded');
      });

      it('is refused beside one that is confirmed', async () => {
        const user = await person();
        await scene.secondFactor(user);
        expect(await make(user)).toMatchObject({ problems: [{ code: 'LIMIT_EXCEEDED', limit: 1 }] });
      });

      it('with the same key shows the secret no second time', async () => {
        const user = await person();
        const one = must(await make(user, 'key-1'));
        const again = await make(user, 'key-1');
        expect(again).toMatchObject({ replayed: true, value: { secret: null, uri: null } });
        expect(gist(await confirm(user, scene.code(one.secret ?? '')))).toBe('succeeded');
      });

      it('is refused by a Deny', async () => {
        const user = await person();
        const deny = await scene.policy({ Effect: 'Deny', Action: ['iam:mfa:*'] });
        await scene.grant({ kind: 'USER', id: user.id }, deny);
        expect(gist(await make(user))).toBe('refused');
        expect(gist(await confirm(user, '000000'))).toBe('refused');
        expect(gist(await remove(user, { password }))).toBe('refused');
      });
    });

    describe('confirming one', () => {
      it('takes its code, once: the same does not sign in afterwards', async () => {
        const user = await person();
        const secret = must(await make(user)).secret ?? '';
        const code = scene.code(secret);
        must(await confirm(user, code));
        expect(gist(await scene.signIn(user, password, { totp: code }))).toEqual([['CREDENTIALS_INVALID', 'totp']]);
        scene.clock.at += 30_000;
        expect(gist(await scene.signIn(user, password, { totp: scene.code(secret) }))).toBe('succeeded');
      });

      it('does not make the session one with a second factor: its token may be stolen', async () => {
        const user = await person();
        const { token } = must(await scene.signIn(user, password));
        const secret = must(await make(user)).secret ?? '';
        const call = await scene.bearer(token);
        must(await confirmSecondFactor(scene.iam, call, { code: scene.code(secret) }));
        expect((await scene.bearer(token)).session?.mfaAt).toBeNull();
      });

      it('needs one that is there and not yet confirmed', async () => {
        const user = await person();
        expect(gist(await confirm(user, '000000'))).toEqual([['NOT_FOUND', null]]);
        const secret = await scene.secondFactor(user);
        scene.clock.at += minute;
        expect(gist(await confirm(user, scene.code(secret)))).toEqual([['CONFLICT', null]]);
      });
    });

    describe('taking one’s own away', () => {
      it('needs a present code or the password', async () => {
        const user = await person();
        const secret = await scene.secondFactor(user);
        scene.clock.at += minute;
        expect(gist(await remove(user, {}))).toEqual([['INVALID', 'code']]);
        expect(gist(await remove(user, { code: '123456' }))).toEqual([['CREDENTIALS_INVALID', 'code']]);
        expect(gist(await remove(user, { password: 'Wrong-horse-9' }))).toEqual([['CREDENTIALS_INVALID', 'password']]);
        expect(gist(await remove(user, { code: scene.code(secret) }))).toBe('succeeded');
        expect(await factorOf(user)).toBeUndefined();
        expect(gist(await scene.signIn(user, password))).toBe('succeeded');

        await scene.secondFactor(user);
        expect(gist(await remove(user, { password }))).toBe('succeeded');
        expect(gist(await remove(user, { password }))).toEqual([['NOT_FOUND', 'userId']]);
      });

      it('counts a wrong proof towards the lock', async () => {
        const user = await person();
        const secret = await scene.secondFactor(user);
        scene.clock.at += minute;
        for (let n = 0; n < 5; n += 1) {
          expect(gist(await remove(user, n % 2 === 0 ? { code: '123456' } : { password: 'no' }))).not.toBe('succeeded');
        }
        expect(gist(await remove(user, { code: scene.code(secret) }))).toEqual([['LOCKED', null]]);
        expect(gist(await scene.signIn(user, password))).toEqual([['LOCKED', null]]);
      });

      it('takes a code once', async () => {
        const user = await person();
        const secret = await scene.secondFactor(user);
        scene.clock.at += minute;
        const totp = scene.code(secret);
        must(await scene.signIn(user, password, { totp }));
        expect(gist(await remove(user, { code: totp }))).toEqual([['CREDENTIALS_INVALID', 'code']]);
      });

      it('that is confirmed needs the right to unbind as well', async () => {
        const user = await person();
        const deny = await scene.policy({ Effect: 'Deny', Action: ['iam:mfa:unbindMFADevice'] });
        await scene.grant({ kind: 'USER', id: user.id }, deny);
        must(await make(user));
        expect(gist(await remove(user, { password }))).toBe('succeeded');
        await scene.secondFactor(user);
        expect(await remove(user, { password })).toMatchObject({ decision: { action: 'iam:mfa:unbindMFADevice' } });
      });
    });

    describe('taking another’s away', () => {
      it('is an administrator’s, needs no proof, and the user signs in by password again', async () => {
        const user = await person();
        await scene.secondFactor(user);
        const removed = await remove(user, { userId: user.id }, await scene.root());
        expect(must(removed)).toMatchObject({ id: user.id });
        expect(gist(await scene.signIn(user, password))).toBe('succeeded');
      });

      it('needs the right to on that very user', async () => {
        const [user, helper] = [await person(), await scene.user()];
        await scene.secondFactor(user);
        expect(gist(await remove(user, { userId: user.id }, await scene.call(helper)))).toBe('refused');
        expect(gist(await remove(user, { userId: 'nobody' }, await scene.root()))).toEqual([['NOT_FOUND', 'userId']]);
      });
    });

    it('goes with its user', async () => {
      const user = await person();
      await scene.secondFactor(user);
      must(await deleteUser(scene.iam, await scene.root(), { id: user.id }));
      expect(await factorOf(user)).toBeUndefined();
    });

    it('cannot be moved to another user by whoever can write to the database', async () => {
      const [ann, ben] = [await person(), await person()];
      const secret = await scene.secondFactor(ann);
      const stolen = await factorOf(ann);
      must(await make(ben));
      await scene.iam.store.transaction(scene.origin('attack'), async (transaction) => {
        const { sealedSecret = '' } = stolen ?? {};
        await transaction.update('secondFactor', ben.id, { sealedSecret, confirmedAt: scene.clock.at });
        return { commit: true, value: undefined };
      });
      scene.clock.at += minute;
      const outcome = await scene.signIn(ben, password, { totp: scene.code(secret) });
      expect(gist(outcome)).toEqual([['CREDENTIALS_INVALID', 'totp']]);
    });
  });
}
