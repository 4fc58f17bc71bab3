/** What becomes of a resource when those around it go: its owner, the service that registered it, what it belongs to. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createService,
  deleteService,
  deleteUser,
  deregisterResource,
  listResources,
  registerResource,
  updateResource,
  updateService,
  updateUser,
  type Filters,
  type Id,
  type Resource,
} from '../../src/iam/index.js';
import { databases } from '../store/databases.js';
import { must, Scene } from './scene.js';

for (const database of Object.values(databases())) {
  describe(`life of resources on ${database.name}`, () => {
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
    const put = async (input: { ownerId?: Id; parentId?: Id } = {}): Promise<Resource> => {
      scene.clock.at += 1;
      const urn = `modelarts::${scene.account.id}:notebook:l-${(names += 1)}`;
      return must(await registerResource(scene.iam, await scene.root(at), { urn, ...input }));
    };
    const list = async (filter: Filters['resource']): Promise<readonly Id[]> => {
      const order = { by: 'CREATED_AT', direction: 'ASC' } as const;
      const window = { order, limit: 100, backward: false, after: null, before: null };
      return (await listResources(await scene.root(at), filter, window)).page.rows.map(({ record }) => record.id);
    };

    it('without its owner it stays, owned by nobody, until an administrator gives it to somebody', async () => {
      const [ann, ben] = [await scene.user(), await scene.user()];
      const [anns, bens, nobodys] = [await put({ ownerId: ann.id }), await put({ ownerId: ben.id }), await put()];
      must(await deleteUser(scene.iam, await scene.root(), { id: ann.id }));
      expect(await list({ ownerless: true })).toEqual([anns.id, nobodys.id]);
      expect(await list({ ownerless: false })).toEqual([bens.id]);
      // Its id is kept: nobody else becomes its owner, and no job goes on in the name of nobody.
      expect(await scene.iam.store.access.resource(scene.account.id, anns.id)).toMatchObject({ ownerId: ann.id });
      must(await updateResource(scene.iam, await scene.root(at), { id: anns.id, ownerId: ben.id }));
      expect(await list({ ownerless: true })).toEqual([nobodys.id]);
    });

    it('with its owner disabled it is theirs as before', async () => {
      const owner = await scene.user();
      const { id } = await put({ ownerId: owner.id });
      must(await updateUser(scene.iam, await scene.root(), { id: owner.id, enabled: false }));
      expect(await list({ ownerId: owner.id, ownerless: false })).toEqual([id]);
    });

    it('a service does not go before what it governs; it may be disabled', async () => {
      const actions = ['create', 'delete', 'get'].map((act) => ({
        name: `forge:anvil:${act}`,
        accessLevel: 'WRITE' as const,
        description: '',
      }));
      const { service } = must(
        await createService(scene.iam, await scene.root(), {
          name: 'forge',
          actions,
          resourceKinds: [{ type: 'anvil', description: '' }],
        }),
      );
      const urn = `forge::${scene.account.id}:anvil:1`;
      const { id } = must(await registerResource(scene.iam, await scene.root(at), { urn }));
      const remove = async () => deleteService(scene.iam, await scene.root(), { id: service.id });
      expect(await remove()).toMatchObject({ kind: 'invalid', problems: [{ code: 'IN_USE' }] });
      must(await updateService(scene.iam, await scene.root(), { id: service.id, enabled: false }));
      expect(await list({ kinds: ['forge:anvil'] })).toEqual([id]);
      must(await deregisterResource(scene.iam, await scene.root(at), { id }));
      expect((await remove()).kind).toBe('succeeded');
    });

    it('what others belong to goes after them', async () => {
      const parent = await put();
      const child = await put({ parentId: parent.id });
      const remove = async (id: Id) => deregisterResource(scene.iam, await scene.root(at), { id });
      expect(await remove(parent.id)).toMatchObject({ kind: 'invalid', problems: [{ code: 'IN_USE' }] });
      must(await remove(child.id));
      must(await remove(parent.id));
    });
  });
}
