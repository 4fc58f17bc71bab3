/** Settings of accounts: their ranges and defaults (docs/domain.md section d4), and who may change them how. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  accountSettingRules,
  accountSettings,
  updateAccountSettings,
  type AccountSettingName,
  type UpdateAccountSettingsInput,
} from '../../src/iam/index.js';
import { databases } from '../store/databases.js';
import { must, Scene } from './scene.js';

const documented: {
  readonly [Name in AccountSettingName]: readonly [minimum: number, maximum: number, standard: number];
} = {
  failuresBeforeLock: [3, 10, 5],
  countingWindowMinutes: [15, 60, 15],
  lockMinutes: [15, 1440, 15],
  sessionMinutes: [15, 1440, 1440],
  idleDays: [0, 240, 0],
  passwordKinds: [2, 4, 2],
  passwordLength: [6, 32, 8],
  passwordRepeats: [0, 32, 0],
  rememberedPasswords: [0, 10, 1],
  passwordValidityDays: [0, 180, 0],
  passwordMinimumAgeMinutes: [0, 1440, 0],
};

const names = Object.keys(documented) as AccountSettingName[];

it('the ranges are the documented ones', () => {
  const rules = Object.fromEntries(
    names.map((name) => {
      const { minimum, maximum, standard } = accountSettingRules[name];
      return [name, [minimum, maximum, standard]];
    }),
  );
  expect(rules).toEqual(documented);
});

for (const database of Object.values(databases())) {
  describe(`account settings on ${database.name}`, () => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await Scene.open(await database.readyUrl());
    });
    afterAll(async () => {
      await scene.close();
      await database.stop();
    });
    const read = async () => must(await accountSettings(scene.iam, await scene.root()));
    const update = async (values: UpdateAccountSettingsInput['values'], expectedVersion: number | null = null) =>
      updateAccountSettings(scene.iam, await scene.root(), { values, expectedVersion });

    it('are the defaults to begin with', async () => {
      expect(await read()).toMatchObject(Object.fromEntries(names.map((name) => [name, documented[name][2]])));
    });

    it.each(names)('%s takes its range and nothing beside it', async (name) => {
      const [minimum, maximum] = documented[name];
      for (const value of [minimum, maximum]) expect(must(await update({ [name]: value }))[name]).toBe(value);
      const { path } = accountSettingRules[name];
      const located = { path: ['input', ...path] };
      expect(await update({ [name]: minimum - 1 })).toMatchObject({ problems: [{ code: 'INVALID', ...located }] });
      expect(await update({ [name]: maximum + 1 })).toMatchObject({
        problems: [{ code: 'LIMIT_EXCEEDED', limit: maximum, ...located }],
      });
      expect((await read())[name]).toBe(maximum);
    });

    it('change all together or not at all, and say everything that is wrong', async () => {
      const before = await read();
      const outcome = await update({ failuresBeforeLock: 7, lockMinutes: 1, passwordLength: 99 });
      expect(outcome).toMatchObject({
        problems: [
          { message: '`lockMinutes` is 1; give 15 to 1440' },
          { message: '`minimumLength` is 99; give 6 to 32' },
        ],
      });
      expect(await read()).toEqual(before);
    });

    it('leave alone what is absent or null, and obey the version', async () => {
      const { version, lockMinutes } = must(await update({ idleDays: 12 }));
      expect(must(await update({ idleDays: null, failuresBeforeLock: 4 }, version))).toMatchObject({
        idleDays: 12,
        lockMinutes,
        failuresBeforeLock: 4,
        version: version + 1,
      });
      expect(await update({ idleDays: 0 }, version)).toMatchObject({ problems: [{ code: 'CONFLICT' }] });
      expect(must(await update({}, version + 1)).version).toBe(version + 1);
    });

    it('need their two rights, each its own', async () => {
      const user = await scene.user();
      expect(await accountSettings(scene.iam, await scene.call(user))).toMatchObject({ kind: 'refused' });
      await scene.allow(user, 'bailiwick:settings:get');
      expect(await accountSettings(scene.iam, await scene.call(user))).toMatchObject({ kind: 'succeeded' });
      const input = { values: { idleDays: 1 } };
      expect(await updateAccountSettings(scene.iam, await scene.call(user), input)).toMatchObject({ kind: 'refused' });
      await scene.allow(user, 'bailiwick:settings:update');
      expect(await updateAccountSettings(scene.iam, await scene.call(user), input)).toMatchObject({
        kind: 'succeeded',
      });
    });

    it('leave both images in the audit trail, also the first change of an account from before there were any', async () => {
      await scene.iam.store.transaction(scene.origin('forget'), async (transaction) => {
        await transaction.remove('accountSettings', scene.account.id);
        return { commit: true, value: undefined };
      });
      expect(await read()).toMatchObject({ failuresBeforeLock: 5, version: 1 });
      must(await update({ failuresBeforeLock: 9 }, 1));
      const window = {
        order: { by: 'REVISION', direction: 'DESC' },
        limit: 2,
        backward: false,
        after: null,
        before: null,
      } as const;
      const { rows } = await (
        await scene.root()
      ).reader.page('auditEvent', { operation: 'updateAccountSettings' }, window);
      expect(rows[0]?.record).toMatchObject({
        targetKind: 'accountSettings',
        before: { failuresBeforeLock: 5 },
        after: { failuresBeforeLock: 9, version: 2 },
      });
      expect(rows[1]?.record).toMatchObject({ before: null, after: { failuresBeforeLock: 5 } });
    });
  });
}
