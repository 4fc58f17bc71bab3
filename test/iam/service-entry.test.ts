/**
 * Services enter a workspace where a grant reaches (rule 3), sign for themselves, and are made by people who may be
 * weaker: none of that is a way round what binds those people. On both databases.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  authorizeAgency,
  checkAccess,
  createAgency,
  createService,
  deleteService,
  deregisterResource,
  grantPolicy,
  listResources,
  moveResource,
  registerResource,
  rotateServiceKey,
  updateAgency,
  updateService,
  type Call,
  type KeyedService,
  type ShownDecision,
  type User,
  type Workspace,
} from '../../src/iam/index.js';
import { canonicalRequest, signCanonical, signatureScheme } from '../../src/signatures/index.js';
import { databases } from '../store/databases.js';
import { must, Scene } from './scene.js';

const user = (id: string) => ({ kind: 'USER', id }) as const;
const service = (id: string) => ({ kind: 'SERVICE', id }) as const;
const notHeld = { kind: 'invalid', problems: [{ code: 'NOT_HELD', reference: 'IAM.0003' }] };

let count = 0;
const fresh = (): string => `svc-${(count += 1)}-${process.pid}`;

for (const database of Object.values(databases())) {
  describe(`services on ${database.name}`, () => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await (await Scene.open(await database.readyUrl())).strict();
    });
    afterAll(async () => {
      await scene.close();
      await database.stop();
    });

    /** A call by a signed request of this key. */
    function signed({ accessKeyId, secretAccessKey }: KeyedService, workspaceId: string): Promise<Call> {
      const date = new Date(scene.clock.at).toISOString().replace(/[-:]|\.\d{3}/g, '');
      const headers: [string, string][] = [
        ['host', 'localhost'],
        ['x-sdk-date', date],
        ['x-workspace-id', workspaceId],
      ];
      const names = headers.map(([name]) => name);
      const bodySha256 = createHash('sha256').update('').digest('hex');
      const request = { method: 'POST', path: '/graphql', query: '', headers, bodySha256 };
      const signature = signCanonical(canonicalRequest(request, names) ?? '', date, secretAccessKey ?? '');
      const authorization = `${signatureScheme} Access=${accessKeyId}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
      return scene.iam.calls.open({
        requestId: `r-${(count += 1)}`,
        environment: { now: scene.clock.at, sourceAddress: '10.0.0.7' },
        credential: { kind: 'signed', authorization, request },
      });
    }

    /** Holds notebooks everywhere and may make services and grant; may enter PUBLIC workspaces only. */
    async function builder(): Promise<User> {
      const made = await scene.user();
      await scene.allow(made, 'bailiwick:services:*', 'bailiwick:permissions:*', 'bailiwick:resources:*');
      await scene.allow(made, 'iam:permissions:*', 'iam:agencies:*');
      await scene.allow(made, 'modelarts:notebook:*', 'modelarts:authorization:*');
      return made;
    }

    async function give(by: Call, to: { kind: 'SERVICE' | 'AGENCY'; id: string }, at: Workspace | 'ALL' | 'ACCOUNT') {
      const actions = at === 'ACCOUNT' ? ['bailiwick:resources:list'] : ['modelarts:notebook:list'];
      const policy = await scene.policy({ Effect: 'Allow', Action: actions });
      const scope = typeof at === 'string' ? { kind: at, id: '' } : { kind: 'WORKSPACE' as const, id: at.id };
      return grantPolicy(scene.iam, by, { policyId: policy.id, subject: to, scope });
    }

    it('what one may not enter, a service of one’s own does not enter either', async () => {
      const mallory = await builder();
      const closed = await scene.workspace({ visibility: 'PRIVATE' });
      const open = await scene.workspace({ visibility: 'PUBLIC' });
      const own = must(await createService(scene.iam, await scene.call(mallory), { name: fresh() }));
      for (const at of ['ALL', 'ACCOUNT'] as const) {
        expect(await give(await scene.call(mallory), service(own.service.id), at)).toMatchObject(notHeld);
      }
      expect(await give(await scene.call(mallory), service(own.service.id), closed)).toMatchObject({
        kind: 'invalid',
        problems: [{ code: 'NOT_FOUND' }],
      });
      must(await give(await scene.call(mallory), service(own.service.id), open));
      expect((await signed(own, closed.id)).facts.open).toBe(false);
      expect((await signed(own, open.id)).decide({ action: 'modelarts:notebook:list', resource: null }).effect).toBe(
        'ALLOW',
      );
      // An administrator may.
      must(await give(await scene.root(), service(own.service.id), 'ALL'));
      expect((await signed(own, closed.id)).facts.open).toBe(true);
    });

    it('what services registered is read again once one registers something else, and not before', async () => {
      const name = fresh();
      const catalogue = async () => (await scene.root()).catalogue;
      const actions = [{ name: `${name}:lamp:light`, description: '', accessLevel: 'WRITE' as const }];
      const { service: made } = must(await createService(scene.iam, await scene.root(), { name, actions }));
      const before = await catalogue();
      expect(before.find(`${name}:lamp:light`)).toBeDefined();
      await scene.allow(await scene.user(), 'modelarts:notebook:list');
      expect(await catalogue()).toBe(before);
      const more = [...actions, { name: `${name}:lamp:dim`, description: '', accessLevel: 'WRITE' as const }];
      must(await updateService(scene.iam, await scene.root(), { id: made.id, actions: more }));
      expect((await catalogue()).find(`${name}:lamp:dim`)).toBeDefined();
      const resourceKinds = [{ type: 'lamp', description: 'Lamp' }];
      must(await updateService(scene.iam, await scene.root(), { id: made.id, resourceKinds }));
      expect((await catalogue()).findKind(`${name}:lamp`)?.label).toBe('Lamp');
      must(await deleteService(scene.iam, await scene.root(), { id: made.id }));
      expect((await catalogue()).find(`${name}:lamp:light`)).toBeUndefined();
    });

    it('nor is the key of a service that enters there made anew, nor an agency turned to oneself', async () => {
      const mallory = await builder();
      const closed = await scene.workspace({ visibility: 'PRIVATE' });
      const open = await scene.workspace({ visibility: 'PUBLIC' });
      for (const [at, outcome] of [
        [closed, notHeld],
        [open, { kind: 'succeeded' }],
      ] as const) {
        const made = must(await createService(scene.iam, await scene.root(), { name: fresh() }));
        must(await give(await scene.root(), service(made.service.id), at));
        expect(await rotateServiceKey(scene.iam, await scene.call(mallory), { id: made.service.id })).toMatchObject(
          outcome,
        );
        must(await updateService(scene.iam, await scene.root(), { id: made.service.id, enabled: false }));
        expect(
          await updateService(scene.iam, await scene.call(mallory), { id: made.service.id, enabled: true }),
        ).toMatchObject(outcome);
        const trust = { kind: 'SERVICE', id: 'modelarts' } as const;
        const agency = must(await createAgency(scene.iam, await scene.root(), { name: fresh(), trust }));
        must(await give(await scene.root(), { kind: 'AGENCY', id: agency.id }, at));
        expect(
          await updateAgency(scene.iam, await scene.call(mallory), { id: agency.id, durationDays: 9 }),
        ).toMatchObject(outcome);
        expect(
          await authorizeAgency(scene.iam, await scene.call(mallory), {
            agencyId: agency.id,
            for: { kind: 'user', id: mallory.id },
          }),
        ).toMatchObject(outcome);
      }
    });

    it('a workspace that is being deleted takes no service either, nor what one would put there', async () => {
      const doomed = await scene.workspace();
      const other = await scene.workspace();
      const own = must(await createService(scene.iam, await scene.root(), { name: fresh() }));
      for (const Action of [['bailiwick:resources:*'], ['modelarts:notebook:*']]) {
        await scene.grant(service(own.service.id), await scene.policy({ Effect: 'Allow', Action }));
      }
      /** As a mutation arrives: its signature is spent. */
      const at = async ({ id }: Workspace) => (await signed(own, id)).withSpentSignature();
      const urn = () => `modelarts::${scene.account.id}:notebook:${fresh()}`;
      const waiting = await at(doomed);
      const { id } = must(await registerResource(scene.iam, await at(other), { urn: urn() }));
      must(await registerResource(scene.iam, waiting, { urn: urn() }));
      await scene.iam.store.transaction(scene.origin('deleteWorkspace'), async (transaction) => {
        await transaction.update('workspace', doomed.id, { status: 'DELETING' });
        return { commit: true, value: undefined };
      });
      const closed = { kind: 'refused', decision: { reason: 'WORKSPACE_CLOSED' } };
      for (const call of [waiting, await at(doomed)]) {
        expect(await registerResource(scene.iam, call, { urn: urn() })).toMatchObject(closed);
      }
      expect(
        await moveResource(scene.iam, scene.iam.calls, await at(other), { id, workspaceId: doomed.id }),
      ).toMatchObject({ kind: 'invalid', problems: [{ code: 'NOT_FOUND', reference: 'ModelArts.0102' }] });
    });

    describe('what a service says of whom it asks about', () => {
      let asking: KeyedService;
      let ann: User;
      const list = 'modelarts:notebook:list';
      beforeAll(async () => {
        asking = must(await createService(scene.iam, await scene.root(), { name: fresh() }));
        await scene.grant(
          service(asking.service.id),
          await scene.policy({ Effect: 'Allow', Action: ['bailiwick:access:check', 'bailiwick:access:explain'] }),
        );
        ann = await scene.user();
      });

      async function ask(
        action: string,
        resource: string | null,
        context: Readonly<Record<string, string>> = {},
      ): Promise<ShownDecision> {
        const [decision] = must(
          await checkAccess(scene.iam, scene.iam.calls, await signed(asking, '0'), [
            {
              principal: { kind: 'user', id: ann.id },
              action,
              resource,
              workspaceId: null,
              context: Object.entries(context).map(([key, value]) => ({ key, values: [value] })),
            },
          ]),
        );
        if (decision === undefined) throw new Error('no decision');
        return decision;
      }

      it('the client’s address counts, never the service’s own', async () => {
        const inside = { IpAddress: { 'g:SourceIp': ['10.0.0.0/8'] } };
        await scene.grant(user(ann.id), await scene.policy({ Effect: 'Allow', Action: [list], Condition: inside }));
        expect(await ask(list, null, { 'g:SourceIp': '10.1.2.3' })).toMatchObject({ effect: 'ALLOW' });
        expect(await ask(list, null, { 'g:SourceIp': '203.0.113.9' })).toMatchObject({ effect: 'DENY' });
        expect(await ask(list, null)).toMatchObject({ effect: 'DENY', missingContextKeys: ['g:SourceIp'] });
        await scene.grant(
          user(ann.id),
          await scene.policy(
            { Effect: 'Allow', Action: ['modelarts:notebook:get'] },
            {
              Effect: 'Deny',
              Action: ['modelarts:notebook:get'],
              Condition: { IpAddress: { 'g:SourceIp': ['203.0.113.0/24'] } },
            },
          ),
        );
        expect(await ask('modelarts:notebook:get', null, { 'g:SourceIp': '203.0.113.9' })).toMatchObject({
          effect: 'DENY',
          reason: 'EXPLICIT_DENY',
        });
      });

      it('the stored tags of a registered resource win as a whole, also when it has none', async () => {
        const action = 'modelarts:trainJob:get';
        const urn = (id: string) => `modelarts::${scene.account.id}:trainJob:${id}`;
        must(await registerResource(scene.iam, await scene.root('0'), { urn: urn('bare') }));
        const tagged = { StringEquals: { 'g:ResourceTag/team': ['a'] } };
        await scene.grant(user(ann.id), await scene.policy({ Effect: 'Allow', Action: [action], Condition: tagged }));
        for (const key of ['g:ResourceTag/team', 'G:RESOURCETAG/team']) {
          expect(await ask(action, urn('bare'), { [key]: 'a' })).toMatchObject({ effect: 'DENY' });
          expect(await ask(action, urn('unregistered'), { [key]: 'a' })).toMatchObject({ effect: 'ALLOW' });
        }
      });
    });

    describe('what a service registers', () => {
      async function robots(...operations: readonly string[]) {
        const name = fresh();
        const action = (operation: string) => ({
          name: `${name}:arm:${operation}`,
          accessLevel: 'WRITE' as const,
          description: 'Moves',
        });
        const { service: made } = must(
          await createService(scene.iam, await scene.root(), { name, actions: operations.map(action) }),
        );
        return { id: made.id, name, action, urn: (id: string) => `${name}::${scene.account.id}:arm:${id}` };
      }

      it('is not taken away while resources of it are there, so that neither they nor their Denies are lost', async () => {
        const { id, action, urn } = await robots('create', 'delete');
        const resource = must(await registerResource(scene.iam, await scene.root('0'), { urn: urn('one') }));
        const change = async (...operations: readonly string[]) =>
          updateService(scene.iam, await scene.root(), { id, actions: operations.map(action), resourceKinds: [] });
        const inUse = { kind: 'invalid', problems: [{ code: 'IN_USE' }] };
        expect(await change()).toMatchObject(inUse);
        expect(await change('create')).toMatchObject(inUse);
        expect(await change('create', 'deleteArm')).toMatchObject(inUse);
        must(await change('create', 'delete', 'deleteArm'));
        expect(await deleteService(scene.iam, await scene.root(), { id })).toMatchObject(inUse);
        must(await deregisterResource(scene.iam, await scene.root('0'), { id: resource.id }));
        must(await change('create'));
        must(await deleteService(scene.iam, await scene.root(), { id }));
      });

      it('may lack an action for an operation: then the register’s own decides, and every Deny', async () => {
        const { name, urn } = await robots('create');
        const keeper = await scene.user();
        await scene.allow(keeper, 'bailiwick:resources:*');
        await scene.allow(keeper, `${name}:arm:create`);
        const register = async (id: string) =>
          must(await registerResource(scene.iam, await scene.call(keeper, '0'), { urn: urn(id) }));
        const one = await register('one');
        must(await deregisterResource(scene.iam, await scene.call(keeper, '0'), { id: one.id }));
        const two = await register('two');
        const deny = await scene.policy({ Effect: 'Deny', Action: [`${name}:*:*`] });
        await scene.grant(user(keeper.id), deny);
        expect(await deregisterResource(scene.iam, await scene.call(keeper, '0'), { id: two.id })).not.toMatchObject({
          kind: 'succeeded',
        });
        must(await deregisterResource(scene.iam, await scene.root('0'), { id: two.id }));
      });

      it.each([
        ['modelarts::ACCOUNT:notebok:1', 'did you mean `modelarts:notebook`?'],
        ['MODELARTS::ACCOUNT:notebook:1', 'is written `modelarts:notebook`'],
        ['modelarts::ACCOUNT:NOTEBOOK:1', 'is written `modelarts:notebook`'],
        ['obs::ACCOUNT:object:1', 'no action creates'],
        ['modelarts::ACCOUNT:notebook:*', 'without wildcards'],
        ['modelarts::ACCOUNT:notebook:a?', 'without wildcards'],
        ['modelarts::ACCOUNT:notebook:${g:UserName}', 'without wildcards'],
        ['modelarts::ACCOUNT:notebook:a\nb', 'control characters'],
        ['modelarts::ACCOUNT:notebook: ', 'this is no URN'],
      ])('a resource is not registered as %j, and the root user is told why', async (written, said) => {
        const urn = written.replace('ACCOUNT', scene.account.id);
        const outcome = await registerResource(scene.iam, await scene.root('0'), { urn });
        expect(outcome).toMatchObject({ kind: 'invalid', problems: [{ code: 'INVALID', path: ['input', 'urn'] }] });
        expect(JSON.stringify(outcome)).toContain(said);
      });

      it('is filtered by kinds whatever their letter case', async () => {
        const urn = `modelarts::${scene.account.id}:notebook:case`;
        must(await registerResource(scene.iam, await scene.root('0'), { urn }));
        const window = {
          order: { by: 'NAME', direction: 'ASC' },
          limit: 100,
          backward: false,
          after: null,
          before: null,
        } as const;
        const { page } = await listResources(await scene.root('0'), { kinds: ['ModelArts:NoteBook'] }, window);
        expect(page.rows.map(({ record }) => record.urn)).toContain(urn);
      });
    });

    it('an agency cannot be turned to a service that is gone, nor is its trust inherited by a name', async () => {
      const name = fresh();
      const actions = [{ name: `${name}:thing:get`, accessLevel: 'READ' as const, description: 'Reads' }];
      const made = must(await createService(scene.iam, await scene.root(), { name, actions }));
      const trust = { kind: 'SERVICE', id: 'modelarts' } as const;
      const agency = must(await createAgency(scene.iam, await scene.root(), { name: fresh(), trust }));
      await scene.grant(
        { kind: 'AGENCY', id: agency.id },
        await scene.policy({ Effect: 'Allow', Action: ['modelarts:pool:delete'] }),
      );
      const waiting = await scene.root();
      must(await deleteService(scene.iam, await scene.root(), { id: made.service.id }));
      expect(
        await updateAgency(scene.iam, waiting, { id: agency.id, trust: { kind: 'SERVICE', id: name } }),
      ).toMatchObject({ kind: 'invalid' });
    });
  });
}
