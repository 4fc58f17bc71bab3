/**
 * Signing in, on both databases: who is let in, when a lock stands, and that no failure tells one thing from another —
 * neither by what it answers nor by the work it makes, counted in hashes and statements.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  changePassword,
  refreshToken,
  signIn,
  unlockUser,
  updateAccountSettings,
  updateUser,
  type AccountSettingName,
  type AuditEvent,
  type Iam,
  type Issued,
  type Outcome,
  type User,
} from '../../src/iam/index.js';
import { databases } from '../store/databases.js';
import { must, Scene } from './scene.js';

const minute = 60_000;
const day = 24 * 60 * minute;
const right = 'Correct-horse-9';
const wrong = 'Wrong-horse-9';

/** What a failure looks like from outside: code, reference, path and words. */
function gist(outcome: Outcome<unknown>): unknown {
  return outcome.kind === 'invalid'
    ? outcome.problems.map(({ code, path }) => [code, path?.at(-1) ?? null])
    : outcome.kind;
}

const refused = [['CREDENTIALS_INVALID', null]];
const isLocked = [['LOCKED', null]];

for (const database of Object.values(databases())) {
  describe(`sign-in on ${database.name}`, () => {
    let scene: Scene;
    const statements: string[] = [];
    beforeAll(async () => {
      scene = await Scene.open(await database.readyUrl(), (text) => void statements.push(text));
    });
    afterAll(async () => {
      await scene.close();
      await database.stop();
    });

    const set = async (values: { readonly [Name in AccountSettingName]?: number }) =>
      must(await updateAccountSettings(scene.iam, await scene.root(), { values }));
    const fail = async (user: Pick<User, 'name'>, times: number) => {
      for (let n = 0; n < times; n += 1) expect(gist(await scene.signIn(user, wrong))).toEqual(refused);
    };
    const eventsOf = async (operation: string): Promise<readonly AuditEvent[]> => {
      const { rows } = await (
        await scene.root()
      ).reader.page(
        'auditEvent',
        { operation },
        {
          order: { by: 'REVISION', direction: 'ASC' },
          limit: 1000,
          backward: false,
          after: null,
          before: null,
        },
      );
      return rows.map(({ record }) => record);
    };

    describe('a failure', () => {
      interface Failure {
        readonly says: string;
        readonly makes: () => Promise<{ account?: string; userName: string; password: string; totp?: string }>;
      }

      const person = () => scene.user(undefined, right);
      const failures: readonly Failure[] = [
        {
          says: 'an account that there is not',
          makes: async () => ({ account: 'nowhere', userName: (await person()).name, password: right }),
        },
        { says: 'a user that there is not', makes: async () => ({ userName: 'nobody', password: right }) },
        {
          says: 'a user without a password',
          makes: async () => ({ userName: (await scene.user()).name, password: right }),
        },
        { says: 'a wrong password', makes: async () => ({ userName: (await person()).name, password: wrong }) },
        {
          says: 'a wrong password with a code beside it',
          makes: async () => ({ userName: (await person()).name, password: wrong, totp: '123456' }),
        },
        {
          says: 'a password that nobody could have',
          makes: async () => ({ userName: (await person()).name, password: 'x'.repeat(5000) }),
        },
        {
          says: 'the attempt that locks',
          makes: async () => {
            const user = await person();
            await fail(user, 4);
            return { userName: user.name, password: wrong };
          },
        },
        {
          says: 'a wrong password of a locked user',
          makes: async () => {
            const user = await person();
            await fail(user, 5);
            return { userName: user.name, password: wrong };
          },
        },
        {
          says: 'the right password of a locked user whom somebody goes on guessing',
          makes: async () => {
            const user = await person();
            await fail(user, 10);
            return { userName: user.name, password: right };
          },
        },
        {
          says: 'a wrong password of a disabled user',
          makes: async () => {
            const user = await person();
            must(await updateUser(scene.iam, await scene.root(), { id: user.id, enabled: false }));
            return { userName: user.name, password: wrong };
          },
        },
        {
          says: 'a wrong password of a user with a second factor',
          makes: async () => {
            const user = await person();
            await scene.secondFactor(user);
            return { userName: user.name, password: wrong };
          },
        },
        {
          says: 'a wrong password with the right code',
          makes: async () => {
            const user = await person();
            const secret = await scene.secondFactor(user);
            scene.clock.at += minute;
            return { userName: user.name, password: wrong, totp: scene.code(secret) };
          },
        },
      ];

      /** Counts what is asked of the hashes. */
      function counting(): { readonly iam: Iam; readonly hashes: () => number } {
        let hashes = 0;
        const { passwords } = scene.iam;
        const counted = {
          hash: (password: string) => {
            hashes += 1;
            return passwords.hash(password);
          },
          verify: (stored: string | null, password: string) => {
            hashes += 1;
            return passwords.verify(stored, password);
          },
        };
        return { iam: { ...scene.iam, passwords: counted }, hashes: () => hashes };
      }

      async function measured(input: { account?: string; userName: string; password: string; totp?: string }) {
        const { iam, hashes } = counting();
        const from = statements.length;
        const whole = { account: scene.account.name, scope: null, ...input };
        const outcome = await signIn(iam, iam.calls, scene.nobody(), whole);
        // An event moves the end of the chain of events: with the statement that raises the revision, or just before it.
        const work = statements
          .slice(from)
          .filter((text) => !text.trim().startsWith('UPDATE "audit_chains"'))
          .map((text) => (text.trim().split(/\s+/)[0] ?? '').replace('WITH', 'UPDATE'));
        return { outcome, hashes: hashes(), work };
      }

      it.each(failures)('says and costs what every other does: $says', async ({ makes }) => {
        // Once, the process asks which account stands in for those that there are not.
        await measured({ account: 'nowhere', userName: 'nobody', password: wrong });
        const usual = await measured({ userName: 'nobody', password: wrong });
        const { outcome, hashes, work } = await measured(await makes());
        expect(outcome).toEqual(usual.outcome);
        expect(outcome).toEqual({
          kind: 'invalid',
          problems: [
            {
              code: 'CREDENTIALS_INVALID',
              message: 'account, user name or password is wrong; try again',
              path: null,
              reference: 'IAM.0062',
            },
          ],
        });
        expect(hashes).toBe(1);
        expect(usual.hashes).toBe(1);
        // But for the event of a lock, which is there to be found afterwards.
        expect(work.filter((verb) => verb === 'INSERT')).toHaveLength((await lastLocked()) ? 1 : 0);
        expect(work.filter((verb) => verb !== 'INSERT')).toEqual(usual.work);
        expect(usual.work.at(-1)).toBe('COMMIT');
        expect(usual.work).toContain('UPDATE');
      });

      /** Whether the last failed attempt locked somebody. */
      async function lastLocked(): Promise<boolean> {
        const revision = (await scene.iam.store.access.account(scene.account.id))?.revision;
        return (await eventsOf('signInFailed')).some((event) => event.revision === revision);
      }

      it('leaves nothing in the audit trail but the lock', async () => {
        const before = (await eventsOf('signInFailed')).length;
        const user = await person();
        await fail({ name: 'nobody-at-all' }, 3);
        await fail(user, 4);
        expect(await eventsOf('signInFailed')).toHaveLength(before);
        await fail(user, 4);
        const added = (await eventsOf('signInFailed')).slice(before);
        expect(added).toHaveLength(1);
        expect(added[0]).toMatchObject({
          actorId: user.id,
          targetKind: 'password',
          targetId: user.id,
          before: { lockedUntil: null },
          after: { lockedUntil: scene.clock.at + 15 * minute },
        });
        expect(JSON.stringify(added)).not.toContain('argon2');
      });
    });

    describe('a lock', () => {
      it('is told to the right password only, and opens by itself', async () => {
        const user = await scene.user(undefined, right);
        await fail(user, 5);
        expect(gist(await scene.signIn(user, right))).toEqual(isLocked);
        expect(gist(await scene.signIn(user, wrong))).toEqual(refused);
        scene.clock.at += 15 * minute;
        expect(gist(await scene.signIn(user, right))).toBe('succeeded');
      });

      it('counts failures that arrive together', async () => {
        const user = await scene.user(undefined, right);
        await Promise.all(Array.from({ length: 5 }, () => scene.signIn(user, wrong)));
        expect(gist(await scene.signIn(user, right))).toEqual(isLocked);
      });

      it('does not tell a guesser which guess was right', async () => {
        const user = await scene.user(undefined, right);
        await fail(user, 10);
        expect(gist(await scene.signIn(user, right))).toEqual(refused);
        scene.clock.at += 15 * minute;
        expect(gist(await scene.signIn(user, right))).toBe('succeeded');
      });

      it('forgets failures once the right password came', async () => {
        const user = await scene.user(undefined, right);
        await fail(user, 4);
        must(await scene.signIn(user, right));
        await fail(user, 4);
        expect(gist(await scene.signIn(user, right))).toBe('succeeded');
      });

      it('is lifted on the machine itself', async () => {
        const user = await scene.user(undefined, right);
        await fail(user, 10);
        expect(await unlockUser(scene.iam, scene.account.name, user.name)).toBe(true);
        expect(gist(await scene.signIn(user, right))).toBe('succeeded');
      });

      it('comes and goes as the account decided', async () => {
        await set({ failuresBeforeLock: 3, lockMinutes: 60 });
        const user = await scene.user(undefined, right);
        await fail(user, 3);
        scene.clock.at += 59 * minute;
        expect(gist(await scene.signIn(user, right))).toEqual(isLocked);
        scene.clock.at += minute;
        expect(gist(await scene.signIn(user, right))).toBe('succeeded');
        await set({ failuresBeforeLock: 5, lockMinutes: 15 });
      });

      it('is the same one for the password that is asked again inside a session', async () => {
        const user = await scene.user(undefined, right);
        const call = await scene.call(user);
        const attempt = () =>
          changePassword(scene.iam, call, { currentPassword: wrong, newPassword: 'Another-horse-9' });
        for (let n = 0; n < 5; n += 1)
          expect(gist(await attempt())).toEqual([['CREDENTIALS_INVALID', 'currentPassword']]);
        expect(gist(await attempt())).toEqual(isLocked);
        expect(
          gist(await changePassword(scene.iam, call, { currentPassword: right, newPassword: 'Another-horse-9' })),
        ).toEqual(isLocked);
        expect(gist(await scene.signIn(user, right))).toEqual(isLocked);
      });
    });

    describe('a session', () => {
      it('lasts as long as the account decided, and names where it came from', async () => {
        await set({ sessionMinutes: 15 });
        const user = await scene.user(undefined, right);
        const { token, expiresAt } = must(await scene.signIn(user, right));
        expect(expiresAt).toBe(scene.clock.at + 15 * minute);
        expect((await scene.bearer(token)).session).toMatchObject({ sourceAddress: '192.0.2.9', mfaAt: null });
        scene.clock.at += 15 * minute;
        expect((await scene.bearer(token)).broken).toMatchObject({ reference: 'IAM.0066' });
        await set({ sessionMinutes: 1440 });
      });

      it('is not begun in a workspace that one may not enter', async () => {
        const { id } = await scene.workspace({ visibility: 'PRIVATE' });
        const user = await scene.user(undefined, right);
        const closed = await scene.signIn(user, right, { scope: { kind: 'workspace', id } });
        expect(gist(closed)).toEqual([['NOT_FOUND', 'scope']]);
      });
    });

    describe('a second factor', () => {
      const bound = async () => {
        const user = await scene.user(undefined, right);
        const secret = await scene.secondFactor(user);
        scene.clock.at += minute;
        return { user, secret };
      };

      it('is asked for after the right password only, and is not a failure then', async () => {
        const { user } = await bound();
        for (let n = 0; n < 6; n += 1) {
          expect(gist(await scene.signIn(user, right))).toEqual([['SECOND_FACTOR_REQUIRED', 'totp']]);
        }
        expect(gist(await scene.signIn(user, right, { totp: '' }))).toEqual([['SECOND_FACTOR_REQUIRED', 'totp']]);
      });

      it('lets in with its code, and policies see how long ago', async () => {
        const { user, secret } = await bound();
        const deny = { Effect: 'Deny', Action: ['modelarts:notebook:*'] } as const;
        const without = { Bool: { 'g:MFAPresent': ['false'] } };
        const old = { NumberGreaterThan: { 'g:MFAAge': ['600'] } };
        await scene.grant({ kind: 'USER', id: user.id }, await scene.policy({ ...deny, Condition: without }));
        await scene.grant({ kind: 'USER', id: user.id }, await scene.policy({ ...deny, Condition: old }));
        const action = 'modelarts:notebook:create';
        const reason = async (token: string) => (await scene.bearer(token)).decide({ action, resource: null }).reason;
        const { token, call } = must(await scene.signIn(user, right, { totp: scene.code(secret) }));
        expect(call.session?.mfaAt).toBe(scene.clock.at);
        expect(await reason(token)).toBe('AUTHORIZATION_MODE');
        scene.clock.at += 11 * minute;
        expect(await reason(token)).toBe('EXPLICIT_DENY');
        const other = await scene.call(user, '0');
        expect(other.decide({ action, resource: null }).reason).toBe('EXPLICIT_DENY');
      });

      it('takes each code once, also when sign-in came to nothing or came twice at once', async () => {
        const { user, secret } = await bound();
        const totp = scene.code(secret);
        const { id } = await scene.workspace({ visibility: 'PRIVATE' });
        const closed = await scene.signIn(user, right, { totp, scope: { kind: 'workspace', id } });
        expect(gist(closed)).toEqual([['NOT_FOUND', 'scope']]);
        expect(gist(await scene.signIn(user, right, { totp }))).toEqual([['CREDENTIALS_INVALID', 'totp']]);
        scene.clock.at += 30_000;
        const next = scene.code(secret);
        const twice = await Promise.all([1, 2, 3].map(() => scene.signIn(user, right, { totp: next })));
        expect(twice.filter(({ kind }) => kind === 'succeeded')).toHaveLength(1);
      });

      it('takes the code of the step before and after, and no older one after a newer', async () => {
        const { user, secret } = await bound();
        const at = scene.clock.at;
        const codeOf = (instant: number) => {
          scene.clock.at = instant;
          const code = scene.code(secret);
          scene.clock.at = at;
          return code;
        };
        const tries = (instant: number) => scene.signIn(user, right, { totp: codeOf(instant) });
        expect(gist(await tries(at - minute))).toEqual([['CREDENTIALS_INVALID', 'totp']]);
        expect(gist(await tries(at + minute))).toEqual([['CREDENTIALS_INVALID', 'totp']]);
        expect(gist(await tries(at + 30_000))).toBe('succeeded');
        expect(gist(await tries(at - 30_000))).toEqual([['CREDENTIALS_INVALID', 'totp']]);
        expect(gist(await tries(at))).toEqual([['CREDENTIALS_INVALID', 'totp']]);
      });

      it('counts a wrong code as a failed attempt', async () => {
        const { user, secret } = await bound();
        for (let n = 0; n < 5; n += 1) {
          expect(gist(await scene.signIn(user, right, { totp: 'abcdef' }))).toEqual([['CREDENTIALS_INVALID', 'totp']]);
        }
        expect(gist(await scene.signIn(user, right, { totp: scene.code(secret) }))).toEqual(isLocked);
      });
    });

    describe('idle users', () => {
      let outcome: Outcome<Issued>;

      it('are disabled when they come back too late, told so only with the right password, and audited', async () => {
        const user = await scene.user(undefined, right);
        const other = must(await scene.signIn(user, right));
        await set({ idleDays: 30 });
        scene.clock.at += 30 * day - minute;
        must(await scene.signIn(user, right));
        scene.clock.at += 30 * day;
        expect(gist(await scene.signIn(user, wrong))).toEqual(refused);
        outcome = await scene.signIn(user, right);
        expect(outcome).toMatchObject({
          problems: [
            {
              code: 'CREDENTIALS_INVALID',
              message: 'the user was idle for over 30 days and is disabled; ask an administrator',
              reference: 'IAM.0082',
            },
          ],
        });
        const stored = await scene.iam.store.access.user(scene.account.id, user.id);
        expect(stored?.enabled).toBe(false);
        expect((await scene.bearer(other.token)).broken).not.toBeNull();
        expect(await eventsOf('disableIdleUser')).toMatchObject([
          { actorId: user.id, targetKind: 'user', before: { enabled: true }, after: { enabled: false } },
        ]);
        expect(gist(await scene.signIn(user, right))).toEqual([['CREDENTIALS_INVALID', 'userName']]);
        // Being enabled again begins a new time.
        must(await updateUser(scene.iam, await scene.root(), { id: user.id, enabled: true }));
        scene.clock.at += 29 * day;
        expect(gist(await scene.signIn(user, right))).toBe('succeeded');
      });

      it('are not those who refreshed, used a key, or are the root user', async () => {
        await set({ idleDays: 1 });
        const refreshing = await scene.user(undefined, right);
        let { token } = must(await scene.signIn(refreshing, right));
        for (let n = 0; n < 4; n += 1) {
          scene.clock.at += 20 * 60 * minute;
          token = must(await refreshToken(scene.iam, scene.iam.calls, await scene.bearer(token))).token;
        }
        expect(gist(await scene.signIn(refreshing, right))).toBe('succeeded');

        const signing = await scene.user(undefined, right);
        scene.clock.at += 5 * day;
        await scene.iam.store.transaction(scene.origin('test'), async (transaction) => {
          await transaction.insert('accessKey', {
            id: `AK${database.name}`,
            accountId: scene.account.id,
            ownerKind: 'USER',
            ownerId: signing.id,
            sealedSecret: 'sealed',
            description: '',
            enabled: true,
            lastUsedAt: scene.clock.at - minute,
            createdAt: scene.clock.at,
          });
          return { commit: true, value: undefined };
        });
        expect(gist(await scene.signIn(signing, right))).toBe('succeeded');

        scene.clock.at += 500 * day;
        expect(gist(await scene.signIn(scene.rootUser, 'Root-password-1'))).toBe('succeeded');
        await set({ idleDays: 0 });
        expect(gist(await scene.signIn(signing, right))).toBe('succeeded');
      });
    });
  });
}
