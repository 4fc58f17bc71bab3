/** Each kind of thing that a decision reads: changed, and recalled as it was before, on both databases. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  checkAccess,
  createAgency,
  createPolicyVersion,
  createService,
  deleteAgency,
  deleteService,
  moveResource,
  recallAccess,
  registerResource,
  removeGroupMembers,
  revokeGrant,
  setAuthorizationMode,
  updateAgency,
  updateResource,
  updateUser,
  updateWorkspace,
  type AccessRequest,
  type Id,
} from '../../src/iam/index.js';
import { databases } from '../store/databases.js';
import { must, Scene, type Statement } from './scene.js';

const sources = databases();
afterAll(async () => {
  await sources.sqlite.stop();
  await sources.postgres.stop();
});

const get = 'modelarts:notebook:get';
const allow: readonly Statement[] = [{ Effect: 'Allow', Action: [get] }];

describe.each(['sqlite', 'postgres'] as const)('on %s', (database) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open(await sources[database].freshUrl());
  });
  afterAll(() => scene.close());

  const about = (kind: 'user' | 'agency' | 'service', id: Id, more: Partial<AccessRequest> = {}): AccessRequest => ({
    principal: { kind, id },
    action: get,
    resource: null,
    workspaceId: '0',
    context: [],
    ...more,
  });

  async function granted(
    subject: { kind: 'USER' | 'GROUP' | 'AGENCY' | 'SERVICE'; id: Id },
    statements: readonly Statement[] = allow,
  ) {
    const policy = await scene.policy(...statements);
    return { policy, grant: await scene.grant(subject, policy) };
  }

  /** What is asked, what changes, and the reasons before and after. */
  type Change = () => Promise<readonly [AccessRequest, () => Promise<unknown>, string, string]>;

  const changes: Readonly<Record<string, Change>> = {
    'a user who is disabled': async () => {
      const { id } = await scene.user();
      const change = async () => must(await updateUser(scene.iam, await scene.root(), { id, enabled: false }));
      return [about('user', id), change, 'AUTHORIZATION_MODE', 'PRINCIPAL_DISABLED'];
    },
    'the default of a user that a first Allow ends': async () => {
      const { id } = await scene.user();
      const change = () => granted({ kind: 'USER', id }, [{ Effect: 'Allow', Action: ['modelarts:notebook:list'] }]);
      return [about('user', id), change, 'AUTHORIZATION_MODE', 'NO_MATCHING_ALLOW'];
    },
    'a user who leaves a group': async () => {
      const user = await scene.user();
      const { id } = user;
      const group = await scene.group(user);
      await granted({ kind: 'GROUP', id: group.id });
      const change = async () =>
        must(await removeGroupMembers(scene.iam, await scene.root(), { groupId: group.id, userIds: [id] }));
      return [about('user', id), change, 'ALLOWED', 'NO_MATCHING_ALLOW'];
    },
    'another version of a policy': async () => {
      const { id } = await scene.user();
      const { policy } = await granted({ kind: 'USER', id });
      const document = { Version: '1.1', Statement: [{ Effect: 'Deny', Action: [get] }] };
      const change = async () =>
        must(
          await createPolicyVersion(scene.iam, await scene.root(), {
            policyId: policy.id,
            document,
            setAsDefault: true,
          }),
        );
      return [about('user', id), change, 'ALLOWED', 'EXPLICIT_DENY'];
    },
    'a grant that is revoked': async () => {
      const { id } = await scene.user();
      const { grant } = await granted({ kind: 'USER', id });
      const change = async () => must(await revokeGrant(scene.iam, await scene.root(), { id: grant.id }));
      return [about('user', id), change, 'ALLOWED', 'NO_MATCHING_ALLOW'];
    },
    'a grant that ends by itself': async () => {
      const { id } = await scene.user();
      const policy = await scene.policy(...allow);
      await scene.grant({ kind: 'USER', id }, policy, { kind: 'ALL', id: '' }, scene.clock.at + 60_000);
      const change = () => Promise.resolve((scene.clock.at += 120_000));
      return [about('user', id), change, 'ALLOWED', 'NO_MATCHING_ALLOW'];
    },
    'a workspace that is closed': async () => {
      const { id } = await scene.user();
      const workspace = await scene.workspace();
      const change = async () =>
        must(await updateWorkspace(scene.iam, await scene.root(), { id: workspace.id, visibility: 'PRIVATE' }));
      return [about('user', id, { workspaceId: workspace.id }), change, 'AUTHORIZATION_MODE', 'WORKSPACE_CLOSED'];
    },
    'the list of a workspace': async () => {
      const { id } = await scene.user();
      const workspace = await scene.workspace({ visibility: 'INTERNAL', memberIds: [id] });
      const change = async () =>
        must(await updateWorkspace(scene.iam, await scene.root(), { id: workspace.id, memberIds: [] }));
      return [about('user', id, { workspaceId: workspace.id }), change, 'AUTHORIZATION_MODE', 'WORKSPACE_CLOSED'];
    },
    'tags of a resource': async () => {
      const { id } = await scene.user();
      const condition = { StringEquals: { 'g:ResourceTag/team': ['a'] } };
      await granted({ kind: 'USER', id }, [{ Effect: 'Allow', Action: [get], Condition: condition }]);
      const resource = await registered([{ key: 'team', value: 'a' }]);
      const change = async () =>
        must(await updateResource(scene.iam, await scene.root('0'), { id: resource.id, tags: [] }));
      return [about('user', id, { resource: resource.urn }), change, 'ALLOWED', 'NO_MATCHING_ALLOW'];
    },
    'a resource that is moved': async () => {
      const { id } = await scene.user();
      const workspace = await scene.workspace({ visibility: 'PRIVATE' });
      const resource = await registered([]);
      const input = { id: resource.id, workspaceId: workspace.id };
      const change = async () => must(await moveResource(scene.iam, scene.iam.calls, await scene.root('0'), input));
      return [about('user', id, { resource: resource.urn }), change, 'AUTHORIZATION_MODE', 'NO_MATCHING_ALLOW'];
    },
    'an agency that is deleted': async () => {
      const { id } = await agency();
      await granted({ kind: 'AGENCY', id });
      const change = async () => must(await deleteAgency(scene.iam, await scene.root(), { id }));
      return [about('agency', id), change, 'ALLOWED', 'PRINCIPAL_NOT_FOUND'];
    },
    'an agency that has ended, and was given more time': async () => {
      const { id } = await agency(1);
      await granted({ kind: 'AGENCY', id });
      scene.clock.at += 2 * 86_400_000;
      const change = async () => must(await updateAgency(scene.iam, await scene.root(), { id, durationDays: null }));
      return [about('agency', id), change, 'AGENCY_EXPIRED', 'ALLOWED'];
    },
    'a service, and the actions that it registered': async () => {
      const { id } = await scene.user();
      const actions = [{ name: 'own:thing:use', accessLevel: 'WRITE' as const, description: 'Use a thing' }];
      const made = must(await createService(scene.iam, await scene.root(), { name: 'own', actions }));
      const change = async () => must(await deleteService(scene.iam, await scene.root(), { id: made.service.id }));
      return [about('user', id, { action: 'own:thing:use' }), change, 'NO_MATCHING_ALLOW', 'UNKNOWN_ACTION'];
    },
    'the mode of the account': async () => {
      const { id } = await scene.user();
      const change = async () => must(await setAuthorizationMode(scene.iam, await scene.root(), { mode: 'STRICT' }));
      return [about('user', id), change, 'AUTHORIZATION_MODE', 'NO_MATCHING_ALLOW'];
    },
  };

  async function registered(tags: readonly { key: string; value: string }[]) {
    const urn = `modelarts:cn:${scene.account.id}:notebook:n${scene.clock.at}`;
    return must(await registerResource(scene.iam, await scene.root('0'), { urn, tags }));
  }

  async function agency(durationDays: number | null = null) {
    const trust = { kind: 'SERVICE', id: 'modelarts' } as const;
    return must(await createAgency(scene.iam, await scene.root(), { name: `a${scene.clock.at}`, trust, durationDays }));
  }

  it.each(Object.keys(changes))('%s', async (name) => {
    scene.clock.at += 1000;
    const [request, change, before, after] = (await changes[name]?.()) ?? [];
    if (request === undefined || change === undefined) throw new Error('nothing changes');
    scene.clock.at += 1000;
    const { at } = scene.clock;
    const revision = (await scene.root()).account?.revision ?? null;
    const made = must(await checkAccess(scene.iam, scene.iam.calls, await scene.root(), [request]));
    expect(made[0]?.reason).toBe(before);
    scene.clock.at += 1000;
    await change();
    scene.clock.at += 1000;
    const now = must(await checkAccess(scene.iam, scene.iam.calls, await scene.root(), [request]));
    expect(now[0]?.reason).toBe(after);
    for (const moment of [
      { at, revision: null },
      { at, revision },
    ]) {
      const told = must(await recallAccess(scene.iam, scene.iam.calls, await scene.root(), [request], moment));
      expect(told.decisions).toEqual([{ decision: made[0], unknown: null }]);
    }
    const moment = { at: scene.clock.at, revision: null };
    const told = must(await recallAccess(scene.iam, scene.iam.calls, await scene.root(), [request], moment));
    expect(told.decisions).toEqual([{ decision: now[0], unknown: null }]);
  });
});
