/** Registering many resources at once: all or none, each asked about, and a repeat makes nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  deregisterResource,
  longestRegistration,
  registerResource,
  registerResources,
  updateWorkspaceQuotas,
  type Id,
  type RegisterResourcesInput,
  type User,
} from '../../src/iam/index.js';
import { databases } from '../store/databases.js';
import { must, Scene } from './scene.js';

for (const database of Object.values(databases())) {
  describe(`registering many resources on ${database.name}`, () => {
    let scene: Scene;
    let at: Id;
    beforeAll(async () => {
      scene = await Scene.open(await database.readyUrl());
      at = (await scene.workspace()).id;
    });
    afterAll(async () => {
      await scene.close();
      await database.stop();
    });
    let names = 0;
    const urn = (kind = 'notebook') => `modelarts::${scene.account.id}:${kind}:b-${(names += 1)}`;
    const several = (count: number) => Array.from({ length: count }, () => ({ urn: urn() }));
    const send = async (input: RegisterResourcesInput, who?: User) =>
      registerResources(scene.iam, who === undefined ? await scene.root(at) : await scene.call(who, at), input);
    const registered = async (): Promise<number> =>
      [...(await scene.iam.store.access.resourceCounts(scene.account.id, at, null)).values()].reduce(
        (a, b) => a + b,
        0,
      );

    it('registers them in the order given, in one revision', async () => {
      const resources = several(longestRegistration);
      const outcome = await send({ resources });
      expect(must(outcome).map((resource) => resource.urn)).toEqual(resources.map((resource) => resource.urn));
      const { revision } = outcome.kind === 'succeeded' ? outcome : { revision: null };
      expect(revision).toBe((await scene.iam.store.access.account(scene.account.id))?.revision);
    });

    it('none is registered when one is wrong, and each fault says where it stands', async () => {
      const taken = must(await registerResource(scene.iam, await scene.root(at), { urn: urn() })).urn;
      const before = await registered();
      const twice = urn();
      const outcome = await send({
        resources: [
          { urn: urn() },
          { urn: 'no urn' },
          { urn: urn(), tags: [{ key: '', value: 'x' }] },
          { urn: taken },
          { urn: urn(), ownerId: 'nobody' },
          { urn: twice },
          { urn: twice },
        ],
      });
      expect(outcome.kind === 'invalid' && outcome.problems.map(({ code, path }) => [code, path?.join('.')])).toEqual([
        ['INVALID', 'input.resources.1.urn'],
        ['INVALID', 'input.resources.2.tags'],
        ['CONFLICT', 'input.resources.3.urn'],
        ['NOT_FOUND', 'input.resources.4.ownerId'],
        ['CONFLICT', 'input.resources.6.urn'],
      ]);
      expect(await registered()).toBe(before);
    });

    it('one that the caller may not make refuses them all', async () => {
      const user = await scene.user();
      for (const Action of [['bailiwick:resources:*'], ['modelarts:notebook:*']]) {
        await scene.grant({ kind: 'USER', id: user.id }, await scene.policy({ Effect: 'Allow', Action }));
      }
      const before = await registered();
      expect((await send({ resources: several(2) }, user)).kind).toBe('succeeded');
      expect(await send({ resources: [{ urn: urn() }, { urn: urn('trainJob') }] }, user)).toMatchObject({
        kind: 'refused',
        decision: { action: 'modelarts:trainJob:create' },
      });
      expect(await registered()).toBe(before + 2);
    });

    it('a place is counted for each', async () => {
      const { id } = await scene.workspace();
      const quotas = [{ kind: 'modelarts:notebook', quota: 3 }];
      must(await updateWorkspaceQuotas(scene.iam, await scene.root(), { workspaceId: id, quotas }));
      const call = await scene.root(id);
      const full = await registerResources(scene.iam, call, { resources: several(4) });
      expect(full).toMatchObject({ kind: 'invalid', problems: [{ code: 'LIMIT_EXCEEDED', limit: 3 }] });
      expect((await registerResources(scene.iam, call, { resources: several(3) })).kind).toBe('succeeded');
    });

    it.each([0, longestRegistration + 1])('%i at once are refused', async (count) => {
      expect(await send({ resources: several(count) })).toMatchObject({
        kind: 'invalid',
        problems: [{ path: ['input', 'resources'] }],
      });
    });

    it('a repeat answers what the first one made, as long as it is there', async () => {
      const input = { resources: several(3), idempotencyKey: 'batch-1' };
      const first = must(await send(input));
      const again = await send(input);
      expect(again).toMatchObject({ kind: 'succeeded', replayed: true });
      expect(must(again).map(({ id }) => id)).toEqual(first.map(({ id }) => id));
      expect(await send({ ...input, resources: several(3) })).toMatchObject({
        kind: 'invalid',
        problems: [{ code: 'IDEMPOTENCY_KEY_REUSED' }],
      });
      // The middle one goes, and another comes in its place.
      must(await deregisterResource(scene.iam, await scene.root(at), { id: first[1]?.id ?? '' }));
      scene.clock.at += 1;
      must(await registerResource(scene.iam, await scene.root(at), { urn: first[1]?.urn ?? '' }));
      expect(await send(input)).toMatchObject({ kind: 'invalid', problems: [{ code: 'NOT_FOUND' }] });
    });
  });
}
