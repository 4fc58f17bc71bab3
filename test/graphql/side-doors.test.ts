/** Ways in which an answer told more than the caller may see, found by an attack; each asked for again. */
import { beforeAll, describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import { grantPolicy, revokeGrant } from '../../src/iam/index.js';
import { allow, makeStrict, send } from './acts.js';
import { must, openStage, type Stage } from './stage.js';

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });
let stage: Stage;
beforeAll(async () => {
  stage = await openStage(schema);
  await makeStrict(stage);
});

const urn = (id: string) => `modelarts::${stage.accountId}:notebook:${id}`;
const here = { workspace: '0' };

interface Made {
  readonly resource: { readonly id: string };
}

it('a page whose last row is hidden does not tell its name by the cursor', async () => {
  const ann = await stage.user('ann');
  const hidden = await stage.user('zz-hidden-person');
  const deny = { Effect: 'Deny', Action: ['iam:users:*'], Resource: [`iam:*:*:user:${hidden}`] };
  await allow(stage, ann, ['iam:users:*', deny]);
  const { users } = await stage.get<{ users: { edges: unknown[]; pageInfo: { endCursor: string } } }>(
    await stage.token(ann, 'account'),
    '{ users(last: 1) { edges { cursor node { name } } pageInfo { endCursor } } }',
  );
  expect(users.edges).toEqual([null]);
  expect(Buffer.from(users.pageInfo.endCursor, 'base64url').toString('latin1')).not.toContain('hidden');
});

it('a Deny on reading resources with a tag holds for every way of reading them', async () => {
  const root = await stage.token(stage.root, here);
  const tags = [{ key: 'level', value: 'secret' }];
  const { resource } = await send<Made>(
    stage,
    root,
    'registerResource',
    { urn: urn('secret'), tags },
    'resource { id }',
  );
  const bob = await stage.user('bob');
  await allow(stage, bob, ['modelarts:notebook:*']);
  await allow(stage, bob, ['bailiwick:resources:*']);
  const read = '($id: ID!) { resource(id: $id) { name } node(id: $id) { id } resources { nodes { urn } } }';
  const token = await stage.token(bob, here);
  expect(await stage.get(token, `query ${read}`, { id: resource.id })).toMatchObject({
    resource: { name: '' },
    node: { id: resource.id },
    resources: { nodes: [{ urn: urn('secret') }] },
  });
  const Condition = { StringEquals: { 'g:ResourceTag/level': ['secret'] } };
  await allow(stage, bob, [{ Effect: 'Deny', Action: ['bailiwick:resources:*'], Condition }]);
  expect(await stage.get(token, `query ${read}`, { id: resource.id })).toEqual({
    resource: null,
    node: null,
    resources: { nodes: [] },
  });
});

describe('an idempotent repeat', () => {
  it('shows the object as one who reads it sees it, which may be not at all', async () => {
    const cid = await stage.user('cid');
    await allow(stage, cid, ['bailiwick:resources:*']);
    const policyId = await stage.policy('notebooks', ['modelarts:notebook:*']);
    const asRoot = async () => stage.call(await stage.token(stage.root, 'account'));
    const subject = { kind: 'USER', id: cid } as const;
    const scope = { kind: 'ALL', id: '' } as const;
    const { grant } = must(await grantPolicy(stage.iam, await asRoot(), { policyId, subject, scope }));
    const token = await stage.token(cid, here);
    const input = { urn: urn('mine'), name: 'mine', idempotencyKey: 'k' };
    const shown = 'resource { id name } replayed';
    const { resource } = await send<Made>(stage, token, 'registerResource', input, shown);
    expect(await send(stage, token, 'registerResource', input, shown)).toMatchObject({
      resource: { name: 'mine' },
      replayed: true,
    });
    must(await revokeGrant(stage.iam, await asRoot(), { id: grant.id }));
    const renamed = { id: resource.id, name: 'a new secret' };
    await send(stage, await stage.token(stage.root, here), 'updateResource', renamed, 'resource { id }');
    const mutation = `mutation ($input: RegisterResourceInput!) { registerResource(input: $input) { ${shown} userErrors { code } } }`;
    const again = await stage.ask(token, mutation, { input });
    expect(JSON.stringify(again)).not.toContain('a new secret');
  });

  it('goes through the type’s own door for other kinds too', async () => {
    const dee = await stage.user('dee');
    const policyId = await stage.policy('groups', ['iam:groups:*']);
    const asRoot = async () => stage.call(await stage.token(stage.root, 'account'));
    const subject = { kind: 'USER', id: dee } as const;
    const scope = { kind: 'ALL', id: '' } as const;
    const { grant } = must(await grantPolicy(stage.iam, await asRoot(), { policyId, subject, scope }));
    await allow(stage, dee, ['iam:groups:createGroup']);
    const token = await stage.token(dee, 'account');
    const input = { name: 'once', idempotencyKey: 'g' };
    await send(stage, token, 'createGroup', input, 'group { name }');
    expect(await send(stage, token, 'createGroup', input, 'group { name }')).toMatchObject({ group: { name: 'once' } });
    must(await revokeGrant(stage.iam, await asRoot(), { id: grant.id }));
    expect(await send(stage, token, 'createGroup', input, 'group { name }')).toMatchObject({ group: null });
  });
});

it('granting to a group inside a workspace names no members who may not enter, nor does its trail', async () => {
  const loose = await openStage(schema);
  const outsider = await loose.user('outsider-name');
  const insider = await loose.user('insider');
  const group = await loose.group('team', [outsider, insider]);
  const place = await loose.workspace('closed-place', 'PRIVATE');
  const root = await loose.token(loose.root, 'account');
  const listed = { id: place, visibility: 'INTERNAL', memberIds: [insider] };
  await send(loose, root, 'updateWorkspace', listed, 'workspace { id }');
  const scope = { kind: 'WORKSPACE', id: place } as const;
  await allow(loose, insider, ['iam:permissions:*', 'iam:users:*', 'bailiwick:audit:list'], scope);
  await allow(loose, insider, ['modelarts:notebook:*'], scope);
  const marker = await loose.policy('marker', [{ Effect: 'Deny', Action: ['obs:bucket:CreateBucket'] }]);
  const at = { workspace: place };
  await send(loose, root, 'grantPolicy', { policyId: marker, subject: { group }, scope: at }, 'grant { id }');
  const policyId = await loose.policy('given', ['modelarts:notebook:get']);
  await send(loose, root, 'grantPolicy', { policyId, subject: { user: insider }, scope: at }, 'grant { id }');
  const token = await loose.token(insider, at);
  const granted = await send<{ userErrors: unknown[] }>(
    loose,
    token,
    'grantPolicy',
    { policyId, subject: { group }, scope: at },
    'grant { id } defaultAccessEnded { name }',
  );
  expect(granted.userErrors).toEqual([]);
  const trail = await loose.get(token, '{ auditEvents { nodes { operation target { kind } before after } } }');
  expect(JSON.stringify(trail)).toContain('"kind":"user"');
  expect(JSON.stringify([granted, trail])).not.toContain('outsider-name');
  // Its own grant is there to be seen.
  expect(JSON.stringify(trail)).toContain(policyId);
});

it('grants are not counted by the id of a workspace that one may not enter', async () => {
  const eve = await stage.user('eve');
  await allow(stage, eve, ['bailiwick:grants:list']);
  const policyId = await stage.policy('kept', ['modelarts:notebook:get']);
  const root = await stage.token(stage.root, 'account');
  const token = await stage.token(eve, 'account');
  const counts: unknown[] = [];
  for (const visibility of ['PRIVATE', 'PUBLIC'] as const) {
    const workspace = await stage.workspace(`counted-${visibility}`, visibility);
    await send(stage, root, 'grantPolicy', { policyId, subject: { user: eve }, scope: { workspace } }, 'grant { id }');
    const query = `{ grants(filter: { scope: { workspace: "${workspace}" } }) { totalCount nodes { id } } }`;
    counts.push((await stage.get<{ grants: { totalCount: number } }>(token, query)).grants.totalCount);
  }
  expect(counts).toEqual([0, 1]);
});

it('checkAccess gives the same reason for a URN that is registered elsewhere and one that is not', async () => {
  const place = await stage.workspace('hidden-place', 'PRIVATE');
  const inside = await stage.token(stage.root, { workspace: place });
  await send(stage, inside, 'registerResource', { urn: urn('exists') }, 'resource { id }');
  const dan = await stage.user('dan');
  for (const scope of [here, 'account'] as const) {
    const requests = ['exists', 'exists-not'].map((id) => ({
      action: 'modelarts:notebook:get',
      resource: urn(id),
      ...(scope === 'account' ? { workspaceId: '0' } : {}),
    }));
    const { checkAccess } = await stage.get<{ checkAccess: unknown[] }>(
      await stage.token(dan, scope),
      'query ($requests: [AccessRequestInput!]!) { checkAccess(requests: $requests) { effect reason } }',
      { requests },
    );
    expect(checkAccess[0]).toEqual(checkAccess[1]);
  }
});
