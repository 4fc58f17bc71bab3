import { beforeAll, describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import { createUser, type Id } from '../../src/iam/index.js';
import { allow, gist, makeStrict, refusedWith, send } from './acts.js';
import { must, openStage, type Stage } from './stage.js';

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });
const first = 'Correct-horse-1';

let stage: Stage;
let root: string;
beforeAll(async () => {
  stage = await openStage(schema);
  await makeStrict(stage);
  root = await stage.token(stage.root, 'account');
});

async function person(name: string): Promise<Id> {
  return must(await createUser(stage.iam, await stage.call(root), { name, password: first })).id;
}

const change = (token: string, currentPassword: string, newPassword: string) =>
  send(stage, token, 'changePassword', { currentPassword, newPassword }, 'user { name } endedSessionCount');
const reset = (token: string, userId: Id, newPassword?: string) =>
  send(stage, token, 'resetPassword', { userId, newPassword }, 'user { name } password endedSessionCount');

describe('changePassword', () => {
  it('changes one’s own, through Self, in any scope, and counts the other sessions that it ended', async () => {
    const ann = await person('changing-ann');
    const [account, inside] = [await stage.token(ann, 'account'), await stage.token(ann, { workspace: '0' })];
    expect(await change(account, first, 'Correct-horse-2')).toMatchObject({
      user: { name: 'changing-ann' },
      endedSessionCount: 1,
      userErrors: [],
    });
    expect((await stage.ask(inside, '{ viewer { actor { id } } }')).codes).toEqual(['UNAUTHENTICATED']);
    const again = await stage.token(ann, { workspace: '0' });
    expect(await change(again, 'Correct-horse-2', 'Correct-horse-3')).toMatchObject({ userErrors: [] });
  });

  it('says what is wrong with either password, and repeats neither', async () => {
    const token = await stage.token(await person('failing-ann'), 'account');
    const payloads = [
      await change(token, 'Wrong-horse-1', 'Correct-horse-2'),
      await change(token, first, 'short-1'),
      await change(token, first, first),
    ];
    expect(payloads.map(gist)).toEqual([
      [['CREDENTIALS_INVALID', 'currentPassword', 'IAM.0062']],
      [['WEAK_PASSWORD', 'newPassword', 'IAM.1118']],
      [['WEAK_PASSWORD', 'newPassword', 'IAM.1118']],
    ]);
    expect(JSON.stringify(payloads)).not.toMatch(/horse|short-1/);
    expect(payloads[0]).toMatchObject({ user: null, endedSessionCount: null, revision: null });
  });

  it('is closed by a Deny', async () => {
    const ann = await person('denied-ann');
    await allow(stage, ann, [{ Effect: 'Deny', Action: ['iam:users:updateUserPassword'] }]);
    const token = await stage.token(ann, 'account');
    const input = { currentPassword: first, newPassword: 'Correct-horse-2' };
    expect(await refusedWith(stage, token, 'changePassword', input)).toEqual(['FORBIDDEN']);
  });
});

describe('resetPassword', () => {
  it('shows a random one once, and a chosen one never', async () => {
    const ann = await person('reset-ann');
    await stage.token(ann, 'account');
    const payload = await reset(root, ann);
    expect(payload).toMatchObject({ user: { name: 'reset-ann' }, endedSessionCount: 1, userErrors: [] });
    expect(payload['password']).toMatch(/^\S{20}$/);
    expect(await reset(root, ann, 'Chosen-horse-1')).toMatchObject({ password: null, userErrors: [] });
  });

  it('is asked about the very user, and names the action that would be gained', async () => {
    const [ann, ben] = [await person('strong-ann'), await person('weak-ben')];
    const helper = await stage.user('helper');
    const bearer = await stage.token(helper, 'account');
    expect(await refusedWith(stage, bearer, 'resetPassword', { userId: ben })).toEqual(['FORBIDDEN']);
    const Resource = [`iam:*:*:user:${ann}`, `iam:*:*:user:${ben}`];
    await allow(stage, helper, [{ Effect: 'Allow', Action: ['iam:users:resetUserPassword'], Resource }]);
    await allow(stage, ann, ['modelarts:trainJob:create']);
    expect(await reset(bearer, ben)).toMatchObject({ userErrors: [] });
    const refused = await reset(bearer, ann);
    expect(gist(refused)).toEqual([['NOT_HELD', 'userId', 'IAM.0003']]);
    expect(refused.userErrors[0]?.message).toContain('`modelarts:trainJob:create`');
    expect(await refusedWith(stage, bearer, 'resetPassword', { userId: stage.root })).toEqual(['FORBIDDEN']);
  });
});

describe('passwordExpiresAt', () => {
  it('is shown to oneself, and of others to those who may read them one by one', async () => {
    const days = 90;
    const input = { password: { validityDays: days } };
    await send(stage, root, 'updateAccountSettings', input, 'accountSettings { version }');
    const ann = await person('ageing-ann');
    const { viewer } = await stage.get<{ viewer: { passwordExpiresAt: string } }>(
      await stage.token(ann, 'account'),
      '{ viewer { passwordExpiresAt } }',
    );
    const left = Date.parse(viewer.passwordExpiresAt) - stage.iam.now();
    expect(Math.round(left / 86_400_000)).toBe(days);

    const lister = await stage.user('lister');
    const source = '{ users(filter: { name: "ageing-ann" }) { nodes { name passwordExpiresAt } } }';
    await allow(stage, lister, ['iam:users:listUsers']);
    const bearer = await stage.token(lister, 'account');
    expect(await stage.get(bearer, source)).toEqual({
      users: { nodes: [{ name: 'ageing-ann', passwordExpiresAt: null }] },
    });
    await allow(stage, lister, ['iam:users:getUser']);
    expect(await stage.get(bearer, source)).toEqual({
      users: { nodes: [{ name: 'ageing-ann', passwordExpiresAt: viewer.passwordExpiresAt }] },
    });
    expect(await stage.get(bearer, '{ users(filter: { name: "lister" }) { nodes { passwordExpiresAt } } }')).toEqual({
      users: { nodes: [{ passwordExpiresAt: null }] },
    });
  });
});
