/** Moving a resource is decided where it leaves and where it comes to, for whoever asks. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  maySeeImages,
  moveResource,
  registerResource,
  updateResource,
  updateWorkspaceQuotas,
  type Id,
  type User,
} from '../../src/iam/index.js';
import { databases } from '../store/databases.js';
import { must, Scene } from './scene.js';

for (const database of Object.values(databases())) {
  describe(`moving resources on ${database.name}`, () => {
    let scene: Scene;
    let from: Id;
    let to: Id;
    beforeAll(async () => {
      scene = await Scene.open(await database.readyUrl());
      from = (await scene.workspace()).id;
      to = (await scene.workspace()).id;
    });
    afterAll(async () => {
      await scene.close();
      await database.stop();
    });
    let names = 0;
    const register = async (parentId?: Id): Promise<Id> =>
      must(
        await registerResource(scene.iam, await scene.root(from), {
          urn: `modelarts::${scene.account.id}:notebook:m-${(names += 1)}`,
          ...(parentId === undefined ? {} : { parentId }),
        }),
      ).id;
    const move = async (id: Id, workspaceId: Id, who?: User, expectedVersion?: number) =>
      moveResource(
        scene.iam,
        scene.iam.calls,
        who === undefined ? await scene.root(from) : await scene.call(who, from),
        {
          id,
          workspaceId,
          ...(expectedVersion === undefined ? {} : { expectedVersion }),
        },
      );
    const where = async (id: Id): Promise<Id | undefined> =>
      (await scene.iam.store.access.resource(scene.account.id, id))?.workspaceId;

    it('goes, and is found there and no longer here', async () => {
      const id = await register();
      expect(must(await move(id, to))).toMatchObject({ workspaceId: to, version: 2 });
      expect((await (await scene.root(from)).reader.find('resource', [id])).size).toBe(0);
      expect((await (await scene.root(to)).reader.find('resource', [id])).size).toBe(1);
      expect(await move(id, to)).toMatchObject({ kind: 'invalid', problems: [{ code: 'NOT_FOUND' }] });
    });

    const here = { scope: 'from' } as const;
    const there = { scope: 'to' } as const;
    it.each([
      ['all of it', [here, there], 'succeeded'],
      ['nothing there', [here], 'refused'],
      ['nothing here', [there], 'refused'],
    ] as const)('a user who may %s', async (_what, places, expected) => {
      const user = await scene.user();
      const actions = [['bailiwick:resources:*'], ['modelarts:notebook:*']];
      for (const { scope } of places) {
        for (const Action of actions) {
          const policy = await scene.policy({ Effect: 'Allow', Action });
          await scene.grant({ kind: 'USER', id: user.id }, policy, {
            kind: 'WORKSPACE',
            id: scope === 'from' ? from : to,
          });
        }
      }
      const id = await register();
      const outcome = await move(id, to, user);
      expect(outcome.kind).toBe(expected);
      expect(await where(id)).toBe(expected === 'succeeded' ? to : from);
    });

    it('a workspace that one may not enter looks like one that is not there', async () => {
      const user = await scene.user();
      for (const Action of [['bailiwick:resources:*'], ['modelarts:notebook:*']]) {
        await scene.grant({ kind: 'USER', id: user.id }, await scene.policy({ Effect: 'Allow', Action }));
      }
      const closed = await scene.workspace({ visibility: 'PRIVATE' });
      const id = await register();
      const [hidden, missing] = [await move(id, closed.id, user), await move(id, 'f'.repeat(32), user)];
      expect(hidden).toMatchObject({ kind: 'invalid', problems: [{ code: 'NOT_FOUND', reference: 'ModelArts.0102' }] });
      const messages = [hidden, missing].map((outcome) =>
        outcome.kind === 'invalid' ? outcome.problems[0]?.message.replace(/`[^`]*`/, '') : '',
      );
      expect(messages[0]).toBe(messages[1]);
    });

    it('is refused by what is granted there without a word of it here', async () => {
      const user = await scene.user();
      for (const Action of [['bailiwick:resources:*', 'bailiwick:access:explain'], ['modelarts:notebook:*']]) {
        await scene.grant({ kind: 'USER', id: user.id }, await scene.policy({ Effect: 'Allow', Action }));
      }
      const policy = await scene.policy({ Effect: 'Deny', Action: ['bailiwick:resources:move'] });
      await scene.grant({ kind: 'USER', id: user.id }, policy, { kind: 'WORKSPACE', id: to });
      expect(await move(await register(), to, user)).toMatchObject({
        kind: 'refused',
        decision: { action: 'bailiwick:resources:move', reason: 'EXPLICIT_DENY', statements: [], problems: [] },
      });
    });

    it('tells nobody who reads the trail where it was that it went elsewhere, and where', async () => {
      const id = await register();
      must(await updateResource(scene.iam, await scene.root(from), { id, name: 'renamed' }));
      must(await move(id, to));
      const reading = await scene.root(from);
      const { rows } = await reading.reader.page(
        'auditEvent',
        { targetId: id },
        { order: { by: 'REVISION', direction: 'ASC' }, limit: 10, backward: false, after: null, before: null },
      );
      const shown: [string, boolean][] = [];
      for (const { record } of rows) {
        const find = async () => null;
        shown.push([record.operation, await maySeeImages(reading, record, find)]);
      }
      expect(shown).toEqual([
        ['registerResource', true],
        ['updateResource', true],
        ['moveResource', false],
      ]);
    });

    it('stays with what belongs to it, within quotas, and with whom it was read', async () => {
      const parent = await register();
      const child = await register(parent);
      expect(await move(parent, to)).toMatchObject({ kind: 'invalid', problems: [{ code: 'IN_USE' }] });
      expect(await move(child, to)).toMatchObject({ kind: 'invalid', problems: [{ code: 'IN_USE' }] });
      const single = await register();
      expect(await move(single, from)).toMatchObject({ kind: 'invalid', problems: [{ code: 'CONFLICT' }] });
      expect(await move(single, to, undefined, 9)).toMatchObject({ kind: 'invalid', problems: [{ code: 'CONFLICT' }] });
      const full = (await scene.workspace()).id;
      must(
        await updateWorkspaceQuotas(scene.iam, await scene.root(), {
          workspaceId: full,
          quotas: [{ kind: 'modelarts:notebook', quota: 1 }],
        }),
      );
      must(await move(single, full));
      expect(await move(await register(), full)).toMatchObject({
        kind: 'invalid',
        problems: [{ code: 'LIMIT_EXCEEDED' }],
      });
    });
  });
}
