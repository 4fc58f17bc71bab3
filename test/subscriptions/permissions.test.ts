/** What the caller may do, told as it changes, whatever changes it. */
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Call } from '../../src/iam/index.js';
import { usualThrottle } from '../../src/graphql/index.js';
import { databaseNames, startHouse, type Person, type TestHouse } from '../kit/house.js';
import { listen, type Listening } from '../kit/listening.js';
import { setScene, type Scene } from '../kit/scene.js';

const get = 'modelarts:notebook:get';
const list = 'modelarts:notebook:list';
const changed =
  'subscription ($actions: [String!]) { permissionsChanged(actions: $actions) { revision changes { action effect reason } } }';

describe.each(databaseNames)('permissionsChanged on %s', (database) => {
  let house: TestHouse;
  let scene: Scene;
  let count = 0;
  beforeAll(async () => {
    house = await startHouse({ database });
    scene = await setScene(house);
    await house.gql(scene.token, 'mutation { setAuthorizationMode(input: { mode: STRICT }) { userErrors { code } } }');
  });

  const fresh = (prefix: string) => `${prefix}-${(count += 1)}`;
  const revision = async () => (await house.iam.store.access.accountByName('default'))?.revision ?? NaN;
  const person = () => scene.user(fresh('person'));
  const policy = (...statements: Parameters<Scene['policy']>[1]) => scene.policy(fresh('policy'), statements);
  const change = (mutation: string, input: object) => {
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
    return house.gql<Record<string, { revision: number }>>(
      scene.token,
      `mutation M($input: ${type}!) { ${mutation}(input: $input) { revision userErrors { code message } } }`,
      { input },
    );
  };

  async function listening(by: Person, actions: readonly string[] | null = [get, list]): Promise<Listening> {
    const opened = await listen(house, await house.signIn(by), changed, { actions });
    onTestFinished(() => opened.stop());
    return opened;
  }

  /** The answers of the next event. */
  async function heard(opened: Listening): Promise<Record<string, string>> {
    const event = (await opened.next()) as { data: { permissionsChanged: { changes: Answer[] } } };
    expect(event).toMatchObject({ data: { permissionsChanged: { changes: expect.any(Array) as unknown } } });
    return Object.fromEntries(event.data.permissionsChanged.changes.map(({ action, effect }) => [action, effect]));
  }

  interface Answer {
    readonly action: string;
    readonly effect: string;
  }

  it('tells what a grant gives and its revocation takes, and nothing else', async () => {
    const ann = await person();
    const opened = await listening(ann);
    const policyId = await policy(get);
    const before = await revision();
    const grantId = await scene.grant(policyId, { user: ann.id });
    const event = (await opened.next()) as { data: { permissionsChanged: { revision: number } } };
    expect(event).toEqual({
      data: {
        permissionsChanged: {
          revision: expect.any(Number) as unknown,
          changes: [{ action: get, effect: 'ALLOW', reason: 'ALLOWED' }],
        },
      },
    });
    // What the policy woke may have read the revision just before the grant, and the grant just after it.
    expect(event.data.permissionsChanged.revision).toBeGreaterThanOrEqual(before);
    expect(event.data.permissionsChanged.revision).toBeLessThanOrEqual(await revision());
    await change('revokeGrant', { id: grantId });
    expect(await heard(opened)).toEqual({ [get]: 'DENY' });
  });

  it('tells nothing of what changes for others', async () => {
    const [ann, bob] = [await person(), await person()];
    const opened = await listening(ann);
    await scene.grant(await policy(get), { user: bob.id });
    await scene.grant(await policy(list), { user: ann.id });
    expect(await heard(opened)).toEqual({ [list]: 'ALLOW' });
  });

  it('tells of joining a group and leaving it', async () => {
    const ann = await person();
    const group = await scene.group(fresh('group'));
    await scene.grant(await policy(get, list), { group });
    const opened = await listening(ann);
    await change('addGroupMembers', { groupId: group, userIds: [ann.id] });
    expect(await heard(opened)).toEqual({ [get]: 'ALLOW', [list]: 'ALLOW' });
    await change('removeGroupMembers', { groupId: group, userIds: [ann.id] });
    expect(await heard(opened)).toEqual({ [get]: 'DENY', [list]: 'DENY' });
  });

  it('tells of another version of a policy coming into use', async () => {
    const ann = await person();
    const policyId = await policy(get);
    await scene.grant(policyId, { user: ann.id });
    const opened = await listening(ann);
    const document = { Version: '1.1', Statement: [{ Effect: 'Allow', Action: [list] }] };
    await change('createPolicyVersion', { policyId, document, setAsDefault: true });
    expect(await heard(opened)).toEqual({ [get]: 'DENY', [list]: 'ALLOW' });
  });

  it('tells of a Deny of one’s own', async () => {
    const ann = await person();
    await scene.grant(await policy(get, list), { user: ann.id });
    const opened = await listening(ann);
    await scene.grant(await policy({ Effect: 'Deny', Action: [get] }), { user: ann.id });
    expect(await opened.next()).toMatchObject({
      data: { permissionsChanged: { changes: [{ action: get, effect: 'DENY', reason: 'EXPLICIT_DENY' }] } },
    });
  });

  it('tells of a grant that ends by itself, without any write', async () => {
    const ann = await person();
    const expiresAt = new Date(house.iam.now() + 3_600_000).toISOString();
    const policyId = await policy(get);
    await change('grantPolicy', { policyId, subject: { user: ann.id }, scope: { all: true }, expiresAt });
    const opened = await listening(ann);
    const before = await revision();
    house.advance(3_600_001);
    expect(await heard(opened)).toEqual({ [get]: 'DENY' });
    expect(await revision()).toBe(before);
  });

  it('is not woken again and again by what has ended', async () => {
    const ann = await person();
    const expiresAt = new Date(house.iam.now() + 3_600_000).toISOString();
    await change('grantPolicy', {
      policyId: await policy(get),
      subject: { user: ann.id },
      scope: { all: true },
      expiresAt,
    });
    const opened = await listening(ann);
    house.advance(3_600_001);
    await heard(opened);
    const asked = vi.spyOn(Call.prototype, 'lapsesAt');
    onTestFinished(() => asked.mockRestore());
    await pause(1_000);
    // With each waking somebody asks what ends next; a timer that is past goes off a thousand times in that.
    expect(asked.mock.calls.length).toBeLessThan(50);
  });

  it('tells of the mode of the account', async () => {
    const ann = await person();
    const opened = await listening(ann);
    await change('setAuthorizationMode', { mode: 'LOOSE' });
    expect(await heard(opened)).toEqual({ [get]: 'ALLOW', [list]: 'ALLOW' });
    await change('setAuthorizationMode', { mode: 'STRICT' });
    expect(await heard(opened)).toEqual({ [get]: 'DENY', [list]: 'DENY' });
  });

  it('asks about every action of the catalogue unless some are named', async () => {
    const ann = await person();
    const opened = await listening(ann, null);
    await scene.grant(await policy('modelarts:notebook:*'), { user: ann.id });
    const answers = await heard(opened);
    expect(Object.keys(answers).length).toBeGreaterThan(5);
    expect(Object.keys(answers).every((action) => action.startsWith('modelarts:notebook:'))).toBe(true);
  });

  it('begins with every answer when that is asked for, so that nothing falls between', async () => {
    const ann = await person();
    await scene.grant(await policy(get), { user: ann.id });
    const query = `subscription { permissionsChanged(actions: ["${get}", "${list}", "${get}"], includeCurrent: true) { changes { action effect } } }`;
    const opened = await listen(house, await house.signIn(ann), query);
    onTestFinished(() => opened.stop());
    expect(await opened.next()).toEqual({
      data: {
        permissionsChanged: {
          changes: [
            { action: get, effect: 'ALLOW' },
            { action: list, effect: 'DENY' },
          ],
        },
      },
    });
  });

  it('tells the newest answer to whoever takes them slowly', async () => {
    const ann = await person();
    const policyId = await policy(get);
    const opened = await listening(ann);
    for (let round = 0; round < 5; round += 1) {
      const id = await scene.grant(policyId, { user: ann.id });
      await change('revokeGrant', { id });
    }
    await scene.grant(await policy(list), { user: ann.id });
    let last: Record<string, string> = {};
    const seen: string[] = [];
    while (last[list] !== 'ALLOW') {
      last = await heard(opened);
      if (last[get] !== undefined) seen.push(last[get]);
    }
    // However many were passed over, each one is a change against the one before, and the last says how it is.
    expect(seen).toEqual(seen.map((_, index) => (index % 2 === 0 ? 'ALLOW' : 'DENY')));
    expect(seen.length % 2).toBe(0);
  });

  it('takes points for looking though nothing is other than before, and ends when none are left', async () => {
    const house = await startHouse({ database, throttle: { ...usualThrottle, points: 3_000 } });
    onTestFinished(() => house.stop());
    const scene = await setScene(house);
    const ann = await scene.user('ann');
    // Every action of the catalogue: some five hundred points to begin with, and as many for each look.
    const opened = await listen(house, await house.signIn(ann), changed);
    onTestFinished(() => opened.stop());
    let ended = false;
    const rest = opened.rest().finally(() => (ended = true));
    // Each may change what somebody may do, and changes nothing for her.
    for (let made = 0; made < 30 && !ended; made += 1) {
      await scene.policy(`unused-${made}`, [get]);
      await pause(100);
    }
    expect(ended).toBe(true);
    expect(await rest).toMatchObject([
      { failed: [{ message: /points/, extensions: { code: 'RATE_LIMITED', limit: 3_000 } }] },
    ]);
    await expect.poll(() => house.log.some((line) => line.includes('subscription ended'))).toBe(true);
  });

  it('refuses more actions than may be asked about at once', async () => {
    const actions = Array.from({ length: 1_001 }, (_, index) => `modelarts:notebook:get${index}`);
    const opened = await listen(house, await house.signIn(await person()), changed, { actions });
    expect(await opened.rest()).toMatchObject([{ failed: [{ extensions: { code: 'BAD_USER_INPUT' } }] }]);
    await opened.stop();
  });
});
