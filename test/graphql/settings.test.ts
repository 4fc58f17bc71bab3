import { beforeAll, describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { encodeNodeId } from '../../src/graphql/node-ids.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import { grantPolicy } from '../../src/iam/index.js';
import { must, openStage, type Stage } from './stage.js';

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });

const setMode = `mutation ($input: SetAuthorizationModeInput!) {
  done: setAuthorizationMode(input: $input) {
    account { id name authorizationMode createdAt } clientMutationId revision
    userErrors { __typename code reference path ... on NotHeldError { actions } }
  }
}`;
const restore = `mutation ($input: RestoreDefaultAccessInput!) {
  done: restoreDefaultAccess(input: $input) {
    user { name defaultModelArtsAccess } revision
    userErrors { __typename code reference path ... on NotHeldError { actions } }
  }
}`;

let stage: Stage;
let root: string;

const give = async (name: string, actions: readonly string[], userId: string): Promise<void> => {
  const policyId = await stage.policy(name, actions);
  const subject = { kind: 'USER', id: userId } as const;
  must(await grantPolicy(stage.iam, await stage.call(root), { policyId, subject, scope: { kind: 'ALL', id: '' } }));
};

beforeAll(async () => {
  stage = await openStage(schema);
  root = await stage.token(stage.root, 'account');
});

describe('setAuthorizationMode', () => {
  it('changes the mode; decisions follow from the next request on', async () => {
    const user = await stage.user('loose');
    const inside = await stage.token(user, { workspace: '0' });
    const check = `{ checkAccess(requests: [{ action: "modelarts:notebook:create" }]) { effect reason } }`;
    expect(await stage.get(inside, check)).toEqual({
      checkAccess: [{ effect: 'ALLOW', reason: 'AUTHORIZATION_MODE' }],
    });
    const strict = await stage.get(root, setMode, { input: { mode: 'STRICT', clientMutationId: 'tighter' } });
    expect(strict).toEqual({
      done: {
        account: {
          id: encodeNodeId('Account', stage.accountId),
          name: 'default',
          authorizationMode: 'STRICT',
          createdAt: expect.stringMatching(/Z$/) as string,
        },
        clientMutationId: 'tighter',
        revision: await stage.revision(),
        userErrors: [],
      },
    });
    expect(await stage.get(inside, check)).toEqual({
      checkAccess: [{ effect: 'DENY', reason: 'NO_MATCHING_ALLOW' }],
    });
    const same = await stage.get<{ done: object }>(root, setMode, { input: { mode: 'STRICT' } });
    expect(same.done).toMatchObject({ revision: null, userErrors: [] });
    await stage.get(root, setMode, { input: { mode: 'LOOSE' } });
    expect(await stage.get(inside, check)).toMatchObject({ checkAccess: [{ effect: 'ALLOW' }] });
  });

  it('is loosened only by those who hold what that gives', async () => {
    const user = await stage.user('settler');
    await give('settings only', ['bailiwick:settings:update'], user);
    const token = await stage.token(user, 'account');
    const tighter = await stage.get<{ done: object }>(token, setMode, { input: { mode: 'STRICT' } });
    // The mode itself needs a permission of its own.
    expect(tighter.done).toMatchObject({ account: { name: 'default', authorizationMode: null }, userErrors: [] });
    const before = await stage.revision();
    const looser = await stage.get<{ done: object }>(token, setMode, { input: { mode: 'LOOSE' } });
    expect(looser.done).toMatchObject({
      account: null,
      revision: null,
      userErrors: [{ __typename: 'NotHeldError', code: 'NOT_HELD', reference: 'IAM.0003', path: ['input', 'mode'] }],
    });
    expect(await stage.revision()).toBe(before);
    await stage.get(root, setMode, { input: { mode: 'LOOSE' } });
  });

  it('is for account scope and for those who may', async () => {
    const inside = await stage.token(stage.root, { workspace: '0' });
    const wrong = await stage.ask(inside, setMode, { input: { mode: 'STRICT' } });
    expect(wrong.errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', reason: 'WRONG_SCOPE' });
    const nobody = await stage.token(await stage.user('sets nothing'), 'account');
    const refused = await stage.ask(nobody, setMode, { input: { mode: 'STRICT' } });
    expect(refused.errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', action: 'bailiwick:settings:update' });
    expect((await stage.ask(root, setMode, { input: { mode: 'TIGHT' } })).codes).toEqual(['BAD_USER_INPUT']);
  });
});

describe('restoreDefaultAccess', () => {
  it('gives the LOOSE default back to a user from whom an Allow had taken it', async () => {
    const user = await stage.user('restored');
    await give('ends the default', ['modelarts:notebook:get'], user);
    const { done } = await stage.get<{ done: object }>(root, restore, {
      input: { userId: encodeNodeId('User', user) },
    });
    expect(done).toEqual({
      user: { name: 'restored', defaultModelArtsAccess: 'IN_FORCE' },
      revision: await stage.revision(),
      userErrors: [],
    });
    const again = await stage.get<{ done: object }>(root, restore, { input: { userId: user } });
    expect(again.done).toMatchObject({ user: { name: 'restored' }, revision: null, userErrors: [] });
  });

  it('is for administrators only, whatever one may set', async () => {
    const user = await stage.user('not restored');
    const setter = await stage.user('all but administrator');
    await give('all settings', ['bailiwick:*:*'], setter);
    const token = await stage.token(setter, 'account');
    const { done } = await stage.get<{ done: object }>(token, restore, { input: { userId: user } });
    expect(done).toMatchObject({
      user: null,
      userErrors: [{ __typename: 'NotHeldError', code: 'NOT_HELD', reference: 'IAM.0003', actions: ['modelarts:*:*'] }],
    });
  });

  it('needs no default for the root user, and finds nobody of another account', async () => {
    const before = await stage.revision();
    const ofRoot = await stage.get<{ done: object }>(root, restore, { input: { userId: stage.root } });
    expect(ofRoot.done).toMatchObject({ userErrors: [{ code: 'IMMUTABLE', path: ['input', 'userId'] }] });
    const neighbour = await stage.neighbour('beside');
    for (const userId of ['none', neighbour.root]) {
      const { done } = await stage.get<{ done: object }>(root, restore, { input: { userId } });
      expect(done).toMatchObject({
        user: null,
        userErrors: [{ code: 'NOT_FOUND', reference: 'IAM.0004', path: ['input', 'userId'] }],
      });
    }
    expect(await stage.revision()).toBe(before);
  });
});
