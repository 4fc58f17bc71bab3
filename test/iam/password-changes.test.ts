/** Passwords changed by their owners, reset by administrators and by the operator, on both databases. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  changePassword,
  createUser,
  passwordExpiries,
  resetLostPassword,
  resetPassword,
  updateAccountSettings,
  type AccountSettingName,
  type Call,
  type Outcome,
  type User,
} from '../../src/iam/index.js';
import { weakness } from '../../src/iam/passwords.js';
import { databases } from '../store/databases.js';
import { must, Scene } from './scene.js';

const minute = 60_000;
const day = 24 * 60 * minute;
const first = 'Correct-horse-1';

function gist(outcome: Outcome<unknown>): unknown {
  return outcome.kind === 'invalid'
    ? outcome.problems.map(({ code, path }) => [code, path?.at(-1) ?? null])
    : outcome.kind;
}

for (const database of Object.values(databases())) {
  describe(`passwords on ${database.name}`, () => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await Scene.open(await database.readyUrl());
    });
    afterAll(async () => {
      await scene.close();
      await database.stop();
    });

    const set = async (values: { readonly [Name in AccountSettingName]?: number }) =>
      must(await updateAccountSettings(scene.iam, await scene.root(), { values }));
    const person = () => scene.user(undefined, first);
    const changeTo = async (user: Pick<User, 'id'>, currentPassword: string, newPassword: string, call?: Call) =>
      changePassword(scene.iam, call ?? (await scene.call(user)), { currentPassword, newPassword });
    const resetTo = async (user: Pick<User, 'id'>, newPassword: string | null, call?: Call) =>
      resetPassword(scene.iam, call ?? (await scene.root()), { userId: user.id, newPassword });
    const knows = async (user: User, password: string) => (await scene.signIn(user, password)).kind === 'succeeded';
    const historyOf = async ({ id }: User) => (await scene.iam.store.access.password(scene.account.id, id))?.history;

    describe('changing one’s own', () => {
      it('takes the present one, ends the other sessions and keeps the one that did it', async () => {
        const user = await person();
        const [here, there] = [must(await scene.signIn(user, first)), must(await scene.signIn(user, first))];
        const call = await scene.bearer(here.token);
        const changed = must(await changeTo(user, first, 'Correct-horse-2', call));
        expect(changed).toMatchObject({ password: null, endedSessions: 1, user: { id: user.id } });
        expect((await scene.bearer(here.token)).broken).toBeNull();
        expect((await scene.bearer(there.token)).broken).toMatchObject({ reference: 'IAM.0067' });
        expect(await knows(user, first)).toBe(false);
        expect(await knows(user, 'Correct-horse-2')).toBe(true);
      });

      it('is refused with a wrong present one, before anything is said of the new one', async () => {
        const user = await person();
        expect(gist(await changeTo(user, 'Wrong-horse-1', first))).toEqual([
          ['CREDENTIALS_INVALID', 'currentPassword'],
        ]);
        expect(gist(await changeTo(user, 'Wrong-horse-1', 'x'))).toEqual([['CREDENTIALS_INVALID', 'currentPassword']]);
        expect(await knows(user, first)).toBe(true);
      });

      it('is refused by a Deny, without trying the password', async () => {
        const user = await person();
        const deny = await scene.policy({ Effect: 'Deny', Action: ['iam:users:updateUserPassword'] });
        await scene.grant({ kind: 'USER', id: user.id }, deny);
        for (let n = 0; n < 6; n += 1) expect(gist(await changeTo(user, 'Wrong-horse-1', first))).toBe('refused');
        expect(await knows(user, first)).toBe(true);
      });

      it('obeys the policy of the account', async () => {
        const user = await person();
        await set({ passwordKinds: 4, passwordLength: 12 });
        expect(gist(await changeTo(user, first, 'correct-horse-2'))).toEqual([['WEAK_PASSWORD', 'newPassword']]);
        expect(gist(await changeTo(user, first, 'Ab1-ef'))).toEqual([['WEAK_PASSWORD', 'newPassword']]);
        expect(gist(await changeTo(user, first, 'Correct-horse-2'))).toBe('succeeded');
        const weak = await createUser(scene.iam, await scene.root(), { name: 'weak', password: 'correct-horse-2' });
        expect(gist(weak)).toEqual([['WEAK_PASSWORD', 'password']]);
        await set({ passwordKinds: 2, passwordLength: 8 });
      });

      it('waits for the minimum age, which a reset does not', async () => {
        const user = await person();
        await set({ passwordMinimumAgeMinutes: 60 });
        scene.clock.at += 59 * minute;
        expect(gist(await changeTo(user, first, 'Correct-horse-2'))).toEqual([['CONFLICT', 'newPassword']]);
        scene.clock.at += minute;
        expect(gist(await changeTo(user, first, 'Correct-horse-2'))).toBe('succeeded');
        expect(gist(await resetTo(user, 'Correct-horse-3'))).toBe('succeeded');
        await set({ passwordMinimumAgeMinutes: 0 });
      });

      it('done twice at once is done once', async () => {
        const user = await person();
        const outcomes = await Promise.all(
          ['Correct-horse-2', 'Correct-horse-3'].map((password) => changeTo(user, first, password)),
        );
        expect(outcomes.filter(({ kind }) => kind === 'succeeded')).toHaveLength(1);
      });
    });

    describe('remembered passwords', () => {
      const password = (n: number) => `Remembered-${n}`;

      it('begin with the present one alone', async () => {
        const user = await person();
        expect(gist(await changeTo(user, first, first))).toEqual([['WEAK_PASSWORD', 'newPassword']]);
        must(await changeTo(user, first, password(2)));
        must(await changeTo(user, password(2), first));
        expect(await historyOf(user)).toEqual([]);
      });

      it('are as many as the account says, for a change and for a reset', async () => {
        await set({ rememberedPasswords: 3 });
        const user = await person();
        must(await changeTo(user, first, password(2)));
        must(await changeTo(user, password(2), password(3)));
        for (const used of [first, password(2), password(3)]) {
          expect(gist(await changeTo(user, password(3), used))).toEqual([['WEAK_PASSWORD', 'newPassword']]);
          expect(gist(await resetTo(user, used))).toEqual([['WEAK_PASSWORD', 'newPassword']]);
        }
        expect(await historyOf(user)).toHaveLength(2);
        must(await changeTo(user, password(3), password(4)));
        expect(await historyOf(user)).toHaveLength(2);
        must(await changeTo(user, password(4), first));
      });

      it('may be none', async () => {
        await set({ rememberedPasswords: 0 });
        const user = await person();
        must(await changeTo(user, first, first));
        expect(await historyOf(user)).toEqual([]);
        await set({ rememberedPasswords: 1 });
      });

      it('are neither audited nor shown', async () => {
        const window = {
          order: { by: 'REVISION', direction: 'DESC' },
          limit: 100,
          backward: false,
          after: null,
          before: null,
        } as const;
        const { rows } = await (await scene.root()).reader.page('auditEvent', { targetKind: 'password' }, window);
        expect(rows.length).toBeGreaterThan(10);
        for (const { record } of rows) {
          // But for the place of the event itself in its chain.
          expect(JSON.stringify({ ...record, hash: undefined })).not.toMatch(/argon2|history|hash/);
        }
      });
    });

    describe('resetting another’s', () => {
      it('makes a random one that keeps the policy, shows it once, and ends every session', async () => {
        const user = await person();
        await set({ passwordKinds: 4, passwordLength: 24, passwordRepeats: 2 });
        const open = await scene.session(user);
        const { password, endedSessions } = must(await resetTo(user, null));
        expect(endedSessions).toBe(1);
        expect((await scene.call(user, null, open)).broken).not.toBeNull();
        expect(password).toMatch(/^\S{24,}$/);
        const policy = { passwordKinds: 4, passwordLength: 24, passwordRepeats: 2 };
        expect(weakness(password ?? '', user.name, policy)).toBeNull();
        expect(await knows(user, password ?? '')).toBe(true);
        await set({ passwordKinds: 2, passwordLength: 8, passwordRepeats: 0 });
      });

      it('takes the one that was chosen, and does not repeat it', async () => {
        const user = await person();
        expect(must(await resetTo(user, 'Chosen-horse-1')).password).toBeNull();
        expect(await knows(user, 'Chosen-horse-1')).toBe(true);
      });

      it('gives a user who had none a first password', async () => {
        const user = await scene.user();
        must(await resetTo(user, 'Chosen-horse-1'));
        expect(await knows(user, 'Chosen-horse-1')).toBe(true);
      });

      it('leaves a lock standing: nobody lifts one by hand', async () => {
        const user = await person();
        for (let n = 0; n < 5; n += 1) await scene.signIn(user, 'Wrong-horse-1');
        must(await resetTo(user, 'Chosen-horse-1'));
        expect(gist(await scene.signIn(user, 'Chosen-horse-1'))).toEqual([['LOCKED', null]]);
      });

      it('is not for one’s own, not even root’s: whoever finds a token must not have the account', async () => {
        expect(gist(await resetTo(scene.rootUser, 'Chosen-horse-1'))).toEqual([['INVALID', 'userId']]);
      });

      it('needs the right to reset that very user, and finds no user that there is not', async () => {
        const user = await person();
        const helper = await scene.user();
        const call = () => scene.call(helper);
        expect(gist(await resetTo(user, null, await call()))).toBe('refused');
        const other = await scene.user();
        const policy = (Resource: readonly string[]) =>
          scene.policy({ Effect: 'Allow', Action: ['iam:users:resetUserPassword'], Resource });
        await scene.grant({ kind: 'USER', id: helper.id }, await policy([`iam:*:*:user:${other.id}`]));
        expect(gist(await resetTo(user, null, await call()))).toBe('refused');
        await scene.grant({ kind: 'USER', id: helper.id }, await policy(['iam:*:*:user:*']));
        // In mode LOOSE a user holds ModelArts, which the helper does not.
        expect(gist(await resetTo(user, null, await call()))).toEqual([['NOT_HELD', 'userId']]);
        expect(gist(await resetTo({ id: 'nobody' }, null, await scene.root()))).toEqual([['NOT_FOUND', 'userId']]);
      });

      it('tells nobody what a stronger user’s passwords were', async () => {
        const user = await person();
        await scene.allow(user, 'modelarts:trainJob:create');
        const helper = await scene.user();
        await scene.allow(helper, 'iam:users:resetUserPassword');
        for (const guess of [first, 'Never-used-1']) {
          expect(gist(await resetTo(user, guess, await scene.call(helper)))).toEqual([['NOT_HELD', 'userId']]);
        }
      });

      it('inside a workspace reaches only who may enter it', async () => {
        const { id } = await scene.workspace({ visibility: 'PRIVATE' });
        const user = await person();
        expect(gist(await resetTo(user, null, await scene.root(id)))).toEqual([['NOT_FOUND', 'userId']]);
        expect(gist(await resetTo(user, null, await scene.root('0')))).toBe('succeeded');
      });
    });

    describe('on the machine itself', () => {
      it('a lost root password is replaced, with lock and second factor', async () => {
        await scene.secondFactor(scene.rootUser);
        for (let n = 0; n < 5; n += 1) await scene.signIn(scene.rootUser, 'Wrong-horse-1');
        const session = await scene.session(scene.rootUser);
        const reset = (removeSecondFactor: boolean) =>
          resetLostPassword(scene.iam, scene.account.name, 'ROOT', { removeSecondFactor });
        const kept = (await reset(false)) ?? '';
        expect(gist(await scene.signIn(scene.rootUser, kept))).toEqual([['SECOND_FACTOR_REQUIRED', 'totp']]);
        expect((await scene.call(scene.rootUser, null, session)).broken).not.toBeNull();
        const password = (await reset(true)) ?? '';
        expect(await knows(scene.rootUser, kept)).toBe(false);
        expect(await knows(scene.rootUser, password)).toBe(true);
        expect(await resetLostPassword(scene.iam, 'nowhere', 'root', { removeSecondFactor: false })).toBeNull();
        expect(
          await resetLostPassword(scene.iam, scene.account.name, 'nobody', { removeSecondFactor: false }),
        ).toBeNull();
      });
    });

    describe('a password that grows old', () => {
      it('is shown as such and lets in all the same', async () => {
        const [user, without] = [await person(), await scene.user()];
        const expiries = async () => passwordExpiries(scene.iam, await scene.root(), [user.id, without.id]);
        expect((await expiries()).size).toBe(0);
        await set({ passwordValidityDays: 90 });
        expect(await expiries()).toEqual(new Map([[user.id, scene.clock.at + 90 * day]]));
        scene.clock.at += 91 * day;
        expect(await knows(user, first)).toBe(true);
        must(await changeTo(user, first, 'Correct-horse-2'));
        expect((await expiries()).get(user.id)).toBe(scene.clock.at + 90 * day);
        await set({ passwordValidityDays: 0 });
      });
    });
  });
}
