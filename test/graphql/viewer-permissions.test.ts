import { beforeAll, describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import { registerResource } from '../../src/iam/index.js';
import { allow } from './acts.js';
import { must, openStage, type Stage } from './stage.js';

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });

interface Permission {
  readonly action: string;
  readonly effect: 'ALLOW' | 'DENY';
}

let stage: Stage;
let tokens: { readonly root: string; readonly ann: string; readonly account: string };

beforeAll(async () => {
  stage = await openStage(schema);
  const ann = await stage.user('ann');
  await allow(stage, ann, ['bailiwick:resources:list', 'bailiwick:resources:get', 'bailiwick:resources:deregister']);
  await allow(stage, ann, [
    'modelarts:notebook:list',
    'modelarts:notebook:listAllNotebooks',
    'modelarts:workspace:get',
  ]);
  await allow(stage, ann, [
    {
      Effect: 'Allow',
      Action: ['modelarts:notebook:update', 'modelarts:notebook:delete'],
      Condition: { StringEquals: { 'g:ResourceTag/team': ['ann'] } },
    },
  ]);
  tokens = {
    root: await stage.token(stage.root, { workspace: '0' }),
    ann: await stage.token(ann, { workspace: '0' }),
    account: await stage.token(stage.root, 'account'),
  };
  const call = await stage.call(tokens.root);
  for (const [name, tags] of [
    ['plain', []],
    ['mine', [{ key: 'team', value: 'ann' }]],
  ] as const) {
    must(
      await registerResource(stage.iam, call, { urn: `modelarts::${stage.accountId}:notebook:${name}`, name, tags }),
    );
  }
});

const ofNotebooks = `query ($actions: [String!]) {
  resources(orderBy: { field: NAME, direction: ASC }) { nodes { name viewerPermissions(actions: $actions) { action effect reason } } }
}`;

async function permissions(token: string, actions?: readonly string[]): Promise<Record<string, readonly Permission[]>> {
  interface Listed {
    readonly resources: { readonly nodes: readonly { name: string; viewerPermissions: readonly Permission[] }[] };
  }
  const { resources } = await stage.get<Listed>(token, ofNotebooks, actions === undefined ? {} : { actions });
  return Object.fromEntries(resources.nodes.map(({ name, viewerPermissions }) => [name, viewerPermissions]));
}

const allowed = (given: readonly Permission[] = []): readonly string[] =>
  given.filter(({ effect }) => effect === 'ALLOW').map(({ action }) => action);

describe('viewerPermissions of a resource', () => {
  it('says which buttons to show, each by what the resource is', async () => {
    const asked = ['modelarts:notebook:delete', 'modelarts:notebook:start', 'bailiwick:resources:deregister'];
    const { plain, mine } = await permissions(tokens.ann, asked);
    expect(plain?.map(({ action }) => action)).toEqual(asked);
    expect(allowed(plain)).toEqual(['bailiwick:resources:deregister']);
    expect(allowed(mine)).toEqual(['modelarts:notebook:delete', 'bailiwick:resources:deregister']);
  });

  it('answers for every action of its kind, and those of the register, unless told which', async () => {
    const { mine } = await permissions(tokens.ann);
    expect(allowed(mine)).toEqual([
      'modelarts:notebook:list',
      'modelarts:notebook:listAllNotebooks',
      'modelarts:notebook:update',
      'modelarts:notebook:delete',
      'bailiwick:resources:get',
      'bailiwick:resources:deregister',
    ]);
    const ofRoot = (await permissions(tokens.root))['mine'] ?? [];
    expect(ofRoot.map(({ action }) => action)).toEqual(mine?.map(({ action }) => action));
    expect(allowed(ofRoot)).toHaveLength(ofRoot.length);
  });

  it('an action that nobody registered is not allowed, and too many are refused', async () => {
    const { mine } = await permissions(tokens.root, ['modelarts:notebook:fly']);
    expect(mine).toEqual([{ action: 'modelarts:notebook:fly', effect: 'DENY', reason: 'UNKNOWN_ACTION' }]);
    const { codes } = await stage.ask(tokens.root, ofNotebooks, {
      actions: Array.from({ length: 101 }, () => 'modelarts:notebook:get'),
    });
    expect([...new Set(codes)]).toEqual(['BAD_USER_INPUT']);
  });
});

describe('viewerPermissions of a workspace', () => {
  const query = 'query ($id: ID!) { workspace(id: $id) { viewerPermissions { action effect } } }';
  it('says what may be done with it', async () => {
    const ask = async (token: string) =>
      (await stage.get<{ workspace: { viewerPermissions: readonly Permission[] } }>(token, query, { id: '0' }))
        .workspace.viewerPermissions;
    expect(allowed(await ask(tokens.ann))).toEqual(['modelarts:workspace:get']);
    const ofRoot = await ask(tokens.account);
    expect(allowed(ofRoot)).toEqual(ofRoot.map(({ action }) => action));
    expect(allowed(ofRoot)).toContain('modelarts:workspace:updateQuotas');
  });
});
