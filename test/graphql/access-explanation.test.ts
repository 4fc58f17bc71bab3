/** `explainAccess` through the API: what it tells, and that it names nothing that the asker may not see. */
import { beforeAll, describe, expect, it } from 'vitest';
import { databaseNames, startHouse, type Person, type TestHouse } from '../kit/house.js';
import { setScene, type Scene } from '../kit/scene.js';

const query = `query Why($request: AccessRequestInput!) {
  explainAccess(request: $request) {
    decision { effect reason statements { policy index origin group } missingContextKeys problems }
    nearMisses { kind effect policy index sid message failures { part message operator key listed given missingContextKeys } }
    nearMissesLeftOut
    waysToYes { kind message changes { kind message key from to policy index edit value } }
    advice
  }
}`;

interface Told {
  readonly decision: { readonly effect: string; readonly reason: string };
  readonly nearMisses: readonly { readonly kind: string; readonly policy: string | null; readonly message: string }[];
  readonly waysToYes: readonly { readonly kind: string; readonly message: string }[];
  readonly advice: string | null;
}

const notebook = 'modelarts:notebook:delete';

describe.each(databaseNames)('explainAccess on %s', (database) => {
  let house: TestHouse;
  let scene: Scene;
  let ann: Person;
  let guest: Person;
  let one: string;
  let two: string;

  beforeAll(async () => {
    house = await startHouse({ database });
    scene = await setScene(house);
    ann = await scene.user('ann');
    guest = await scene.user('guest');
    one = await scene.workspace('zz-one-workspace');
    two = await scene.workspace('zz-two-workspace', { visibility: 'INTERNAL' });
    const strong = { Effect: 'Allow', Action: [notebook], Condition: { Bool: { 'g:MFAPresent': ['true'] } } };
    await scene.grant(await scene.policy('zz-strong', [strong]), { user: ann.id }, { workspace: one });
    await scene.grant(
      await scene.policy('zz-elsewhere', ['modelarts:trainJob:delete']),
      { user: ann.id },
      { workspace: two },
    );
    const asking = await scene.policy('zz-asking', ['bailiwick:access:explain', 'bailiwick:access:check']);
    await scene.grant(asking, { user: guest.id });
  });

  async function ask(token: string, action: string, more: object = {}): Promise<Told> {
    const request = { principal: { user: ann.id }, action, ...more };
    return (await house.gql<{ explainAccess: Told }>(token, query, { request })).explainAccess;
  }

  it('proposes the second factor that an Allow wants', async () => {
    const told = await ask(await house.signIn(house.root, { workspace: one }), notebook);
    expect(told.decision).toMatchObject({ effect: 'DENY', reason: 'NO_MATCHING_ALLOW' });
    expect(told.nearMisses).toMatchObject([{ kind: 'STATEMENT', policy: 'zz-strong' }]);
    expect(told.waysToYes[0]).toMatchObject({
      kind: 'CONTEXT',
      message: 'say `true` for `g:MFAPresent` instead of `false`',
    });
    expect(told.waysToYes.map(({ kind }) => kind)).toEqual(['CONTEXT', 'DEFAULT_ACCESS']);
  });

  it('tells what allows an allowed request, and no way', async () => {
    const told = await ask(await house.signIn(house.root, { workspace: one }), 'bailiwick:session:use');
    expect(told.decision.effect).toBe('ALLOW');
    expect(told.waysToYes).toEqual([]);
  });

  it('proposes an action that there is for one that there is not', async () => {
    const told = await ask(scene.token, 'modelarts:notebook:delet');
    expect(told.decision.reason).toBe('UNKNOWN_ACTION');
    expect(told.advice).toContain('did you mean `modelarts:notebook:');
  });

  it('without the right to list policies, those that did not decide have no name', async () => {
    const told = await ask(await house.signIn(guest, { workspace: one }), notebook);
    expect(told.nearMisses).toMatchObject([{ kind: 'STATEMENT', policy: null }]);
    expect(JSON.stringify(told)).not.toContain('zz-strong');
    const other = await ask(await house.signIn(guest, { workspace: one }), 'modelarts:trainJob:delete');
    expect(JSON.stringify(other)).not.toMatch(/zz-/);
  });

  it('in account scope, says that it is granted in another workspace', async () => {
    const told = await ask(scene.token, 'modelarts:trainJob:delete', { workspaceId: one });
    expect(told.nearMisses).toMatchObject([{ kind: 'OTHER_SCOPE', policy: 'zz-elsewhere' }]);
    expect(told.waysToYes[0]).toMatchObject({
      kind: 'REACH',
      message: 'grant the policy `zz-elsewhere` in this scope',
    });
  });

  it('inside a workspace, names nothing of another one, whatever is asked', async () => {
    const token = await house.signIn(house.root, { workspace: one });
    for (const action of [notebook, 'modelarts:trainJob:delete', 'modelarts:notebook:list', 'obs:bucket:ListBucket']) {
      for (const more of [{}, { workspaceId: one }, { workspaceId: two }, { workspaceId: 'f'.repeat(32) }]) {
        expect(JSON.stringify(await ask(token, action, more))).not.toMatch(/zz-elsewhere|zz-two/);
      }
    }
  });

  it('a workspace that is closed to the asker reads like one that does not exist', async () => {
    const token = await house.signIn(guest, 'account');
    const closed = await ask(token, notebook, { workspaceId: two });
    const none = await ask(token, notebook, { workspaceId: 'f'.repeat(32) });
    expect(closed).toEqual(none);
    expect(closed.advice).toContain('closed');
  });

  it('entry to a workspace and what is wanted there are one way', async () => {
    const told = await ask(scene.token, 'modelarts:trainJob:delete', { workspaceId: two });
    expect(told.decision.reason).toBe('WORKSPACE_CLOSED');
    expect(told.waysToYes).toMatchObject([
      { kind: 'ENTRY', message: 'let the user enter the workspace: put them on its list' },
    ]);
  });
});
