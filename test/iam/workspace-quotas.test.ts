/** Quotas of workspaces: what they are set to, what they keep out, and that they hold when everybody comes at once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  deregisterResource,
  quotasOf,
  registerResource,
  updateWorkspaceQuotas,
  type Id,
  type UpdateQuotasInput,
} from '../../src/iam/index.js';
import { databases } from '../store/databases.js';
import { must, Scene } from './scene.js';

const kind = 'modelarts:notebook';

for (const database of Object.values(databases())) {
  describe(`quotas of workspaces on ${database.name}`, () => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await Scene.open(await database.readyUrl());
    });
    afterAll(async () => {
      await scene.close();
      await database.stop();
    });
    let names = 0;
    const set = async (workspaceId: Id, quotas: UpdateQuotasInput['quotas']) =>
      updateWorkspaceQuotas(scene.iam, await scene.root(), { workspaceId, quotas });
    const register = async (workspaceId: Id, type = 'notebook') =>
      registerResource(scene.iam, await scene.root(workspaceId), {
        urn: `modelarts::${scene.account.id}:${type}:n-${(names += 1)}`,
      });
    const shown = async (workspaceId: Id) => {
      const call = await scene.root(workspaceId);
      if (call.workspace === null) throw new Error('there is no such workspace');
      const quotas = await quotasOf(scene.iam, call, call.workspace);
      return quotas.find((one) => one.kind === kind);
    };

    it('what is used is counted by the database, not read row by row', async () => {
      const statements: string[] = [];
      const own = await Scene.open(await database.readyUrl(), (text) => void statements.push(text));
      const { id } = await own.workspace();
      must(await updateWorkspaceQuotas(own.iam, await own.root(), { workspaceId: id, quotas: [{ kind, quota: 9 }] }));
      const call = await own.root(id);
      statements.length = 0;
      must(await registerResource(own.iam, call, { urn: `modelarts::${own.account.id}:notebook:counted` }));
      const looks = statements.filter((text) => text.startsWith('SELECT') && text.includes('"kind" ='));
      expect(looks.filter((text) => text.includes('"resources"') && !text.includes('COUNT(*)'))).toEqual([]);
      expect(statements.filter((text) => text.includes('COUNT(*)'))).toHaveLength(1);
      await own.close();
    });

    it('any number until one is set, then no more than that; the other kinds and workspaces go on', async () => {
      const { id } = await scene.workspace();
      const other = await scene.workspace();
      expect(await shown(id)).toMatchObject({ quota: -1, used: null });
      const first = must(await register(id));
      must(await set(id, [{ kind: 'ModelArts:Notebook', quota: 2 }]));
      expect(await shown(id)).toMatchObject({ quota: 2, used: 1 });
      must(await register(id));
      expect(await register(id)).toMatchObject({
        kind: 'invalid',
        problems: [{ code: 'LIMIT_EXCEEDED', reference: 'ModelArts.0113', limit: 2, path: ['input', 'urn'] }],
      });
      must(await register(id, 'trainJob'));
      must(await register(other.id));
      must(await deregisterResource(scene.iam, await scene.root(id), { id: first.id }));
      must(await register(id));
      // What is there stays when the quota falls below it.
      must(await set(id, [{ kind, quota: 1 }]));
      expect(await shown(id)).toMatchObject({ quota: 1, used: 2 });
      expect(await register(id)).toMatchObject({ kind: 'invalid' });
      must(await set(id, [{ kind, quota: -1 }]));
      must(await register(id));
    });

    it.each([
      ['a kind that is none', [{ kind: 'modelarts:nothing', quota: 1 }], ['input', 'quotas', '0', 'resource']],
      ['zero', [{ kind, quota: 0 }], ['input', 'quotas', '0', 'quota']],
      ['less than any number', [{ kind, quota: -2 }], ['input', 'quotas', '0', 'quota']],
      ['more than the greatest', [{ kind, quota: 1_000_001 }], ['input', 'quotas', '0', 'quota']],
      [
        'a kind twice',
        [
          { kind, quota: 1 },
          { kind: 'modelarts:NOTEBOOK', quota: 2 },
        ],
        ['input', 'quotas', '1', 'resource'],
      ],
    ])('refuses %s', async (_what, quotas, path) => {
      const { id } = await scene.workspace();
      expect(await set(id, quotas)).toMatchObject({ kind: 'invalid', problems: [{ code: 'INVALID', path }] });
      expect(await shown(id)).toMatchObject({ quota: -1 });
    });

    it('the default workspace has quotas too, one that is not there has none', async () => {
      must(await set('0', [{ kind: 'modelarts:pool', quota: 5 }]));
      expect(await set('f'.repeat(32), [])).toMatchObject({ kind: 'invalid', problems: [{ code: 'NOT_FOUND' }] });
    });

    it('of 100 registrations at once for 10 places exactly 10 succeed', async () => {
      const { id } = await scene.workspace();
      must(await set(id, [{ kind, quota: 10 }]));
      const outcomes = await Promise.all(Array.from({ length: 100 }, () => register(id)));
      expect(outcomes.filter((outcome) => outcome.kind === 'succeeded')).toHaveLength(10);
      expect(await shown(id)).toMatchObject({ used: 10 });
    });
  });
}
