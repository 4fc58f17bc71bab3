import { beforeAll, describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import { allow, gist, send } from './acts.js';
import { openStage, type Stage } from './stage.js';

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });
const values =
  'signIn { failuresBeforeLock countingWindowMinutes lockMinutes sessionMinutes idleDays } password { characterKinds minimumLength repeatedCharacters remembered validityDays minimumAgeMinutes } version';
const usual = {
  signIn: { failuresBeforeLock: 5, countingWindowMinutes: 15, lockMinutes: 15, sessionMinutes: 1440, idleDays: 0 },
  password: {
    characterKinds: 2,
    minimumLength: 8,
    repeatedCharacters: 0,
    remembered: 1,
    validityDays: 0,
    minimumAgeMinutes: 0,
  },
  version: 1,
};

let stage: Stage;
let root: string;
beforeAll(async () => {
  stage = await openStage(schema);
  root = await stage.token(stage.root, 'account');
});

const update = (input: object) => send(stage, root, 'updateAccountSettings', input, `accountSettings { ${values} }`);

describe('accountSettings', () => {
  it('are the defaults of a new account, and what they are changed to', async () => {
    expect(await stage.get(root, `{ accountSettings { ${values} } }`)).toEqual({ accountSettings: usual });
    const changed = {
      signIn: { failuresBeforeLock: 3, countingWindowMinutes: 20, lockMinutes: 30, sessionMinutes: 60, idleDays: 90 },
      password: {
        characterKinds: 3,
        minimumLength: 12,
        repeatedCharacters: 3,
        remembered: 5,
        validityDays: 180,
        minimumAgeMinutes: 5,
      },
    };
    const payload = await update({ ...changed, expectedVersion: 1 });
    expect(payload).toMatchObject({ accountSettings: { ...changed, version: 2 }, userErrors: [] });
    expect(payload.revision).toBe(await stage.revision());
    expect(await stage.get(root, `{ accountSettings { ${values} } }`)).toEqual({
      accountSettings: { ...changed, version: 2 },
    });
  });

  it('say where each value is out of its range, with the maximum', async () => {
    const source = `mutation ($input: UpdateAccountSettingsInput!) { updateAccountSettings(input: $input) {
      accountSettings { version } userErrors { __typename code message path ... on LimitExceededError { limit } } } }`;
    const input = { signIn: { failuresBeforeLock: 2, lockMinutes: 9999 }, password: { remembered: 11 } };
    expect(await stage.get(root, source, { input })).toEqual({
      updateAccountSettings: {
        accountSettings: null,
        userErrors: [
          {
            __typename: 'GenericUserError',
            code: 'INVALID',
            message: '`failuresBeforeLock` is 2; give 3 to 10',
            path: ['input', 'signIn', 'failuresBeforeLock'],
          },
          {
            __typename: 'LimitExceededError',
            code: 'LIMIT_EXCEEDED',
            message: '`lockMinutes` is 9999; give 15 to 1440',
            path: ['input', 'signIn', 'lockMinutes'],
            limit: 1440,
          },
          {
            __typename: 'LimitExceededError',
            code: 'LIMIT_EXCEEDED',
            message: '`remembered` is 11; give 0 to 10',
            path: ['input', 'password', 'remembered'],
            limit: 10,
          },
        ],
      },
    });
  });

  it('leave alone what is absent', async () => {
    const before = (await stage.get<{ accountSettings: object }>(root, `{ accountSettings { ${values} } }`))
      .accountSettings;
    const { accountSettings } = await update({ signIn: {} });
    expect(accountSettings).toMatchObject({ ...before, version: expect.any(Number) as number });
    expect(gist(await update({ signIn: { idleDays: 1 }, expectedVersion: 1 }))).toEqual([
      ['CONFLICT', 'expectedVersion', 'IAM.0005'],
    ]);
  });

  it('are for account scope and for those with the rights', async () => {
    const ann = await stage.user('setting-ann');
    const bearer = await stage.token(ann, 'account');
    expect((await stage.ask(bearer, '{ accountSettings { version } }')).codes).toEqual(['FORBIDDEN']);
    await allow(stage, ann, ['bailiwick:settings:get']);
    expect((await stage.ask(bearer, '{ accountSettings { version } }')).codes).toEqual([]);
    const inside = await stage.ask(await stage.token(ann, { workspace: '0' }), '{ accountSettings { version } }');
    expect(inside.errors[0]?.extensions).toMatchObject({ reason: 'WRONG_SCOPE', requiredScope: 'ACCOUNT' });
  });

  it('of one account are not those of another', async () => {
    const other = await stage.neighbour('other');
    const token = await other.token(other.root, 'account');
    expect(await other.get(token, `{ accountSettings { ${values} } }`)).toEqual({ accountSettings: usual });
  });
});
