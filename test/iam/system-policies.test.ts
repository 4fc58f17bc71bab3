/** What becomes of an account's copies of the policies that ship with the program when a newer program starts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPolicy, updateSystemPolicies, type Id } from '../../src/iam/index.js';
import { databases } from '../store/databases.js';
import { must, Scene } from './scene.js';

for (const database of Object.values(databases())) {
  describe(`system policies on ${database.name}`, () => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await Scene.open(await database.readyUrl());
    });
    afterAll(async () => {
      await scene.close();
      await database.stop();
    });

    const policyOf = async (id: Id) => (await (await scene.root()).reader.find('policy', [id])).get(id);

    it('stay as they are when nothing new has come', async () => {
      expect(await updateSystemPolicies(scene.iam)).toBe(0);
    });

    it('get a new version where their document is another now', async () => {
      const id = 'full_access';
      const textOf = async (number: number) =>
        (await (await scene.root()).reader.find('policyVersion', [`${id}.${number}`])).get(`${id}.${number}`)?.text;
      const shipped = await textOf(1);
      const text = JSON.stringify({ Version: '1.1', Statement: [{ Effect: 'Allow', Action: ['obs:*:*'] }] });
      await scene.iam.store.transaction(scene.origin('test'), async (transaction) => {
        await transaction.update('policyVersion', `${id}.1`, { text });
        return { commit: true, value: undefined };
      });
      expect(await updateSystemPolicies(scene.iam)).toBe(1);
      expect(await policyOf(id)).toMatchObject({ defaultVersion: 2, latestVersion: 2, version: 2 });
      expect([await textOf(1), await textOf(2)]).toEqual([text, shipped]);
      expect(await updateSystemPolicies(scene.iam)).toBe(0);
    });

    it('make way for a policy of the account’s own that has the name of one that comes later', async () => {
      const id = 'modelarts-default-access';
      const { name } = (await policyOf(id)) ?? { name: '' };
      await scene.iam.store.transaction(scene.origin('test'), async (transaction) => {
        await transaction.remove('policyVersion', `${id}.1`);
        await transaction.remove('policy', id);
        return { commit: true, value: undefined };
      });
      const document = { Version: '1.1', Statement: [{ Effect: 'Allow', Action: ['modelarts:notebook:get'] }] };
      const own = must(await createPolicy(scene.iam, await scene.root(), { name, document }));

      expect(await updateSystemPolicies(scene.iam)).toBe(1);
      expect(await policyOf(id)).toMatchObject({ name: `${name} (system)`, origin: 'SYSTEM' });
      expect(await policyOf(own.id)).toMatchObject({ name, origin: 'CUSTOM' });
      expect(await updateSystemPolicies(scene.iam)).toBe(0);
    });
  });
}
