import { beforeAll, describe, expect, it } from 'vitest';
import { authorizationFunctions, draftAgencyPolicies, platformCatalogue } from '../../src/catalogue/index.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import { makeStrict } from './acts.js';
import { openStage, type Stage } from './stage.js';

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });
const draftQuery = `query ($preset: AuthorizationPreset!, $functions: [String!]) {
  draft: draftAgencyPolicies(preset: $preset, functions: $functions) {
    functions { id } policies { level scopeKind document text } problems { code severity message pointer }
  } }`;

interface Draft {
  readonly draft: {
    readonly functions: readonly { readonly id: string }[];
    readonly policies: readonly {
      readonly level: string;
      readonly scopeKind: string;
      readonly document: object;
      readonly text: string;
    }[];
    readonly problems: readonly { readonly code: string; readonly pointer: string }[];
  };
}

let stage: Stage;
let nobody: string;

beforeAll(async () => {
  stage = await openStage(schema);
  await makeStrict(stage);
  nobody = await stage.token(await stage.user('nobody'), { workspace: '0' });
});

describe('authorizationFunctions', () => {
  it('shows everyone who signed in what each function needs on both sides', async () => {
    const { functions } = await stage.get<{ functions: readonly object[] }>(
      nobody,
      '{ functions: authorizationFunctions { id label description resourceKinds userActions agencyActions commonUser } }',
    );
    expect(functions).toEqual(authorizationFunctions);
  });
});

describe('draftAgencyPolicies', () => {
  it('drafts one policy for account-level services and one for the others', async () => {
    const { draft } = await stage.get<Draft>(nobody, draftQuery, { preset: 'COMMON_USER' });
    const { policies } = draftAgencyPolicies({ preset: 'COMMON_USER', functions: [] });
    expect(draft.policies).toEqual([
      { ...policies[0], level: 'GLOBAL', scopeKind: 'ACCOUNT' },
      { ...policies[1], level: 'PROJECT', scopeKind: 'ALL_WORKSPACES' },
    ]);
    expect(draft.problems).toEqual([]);
  });

  it('drafts for the functions that are picked alone', async () => {
    const { draft } = await stage.get<Draft>(nobody, draftQuery, { preset: 'CUSTOM', functions: ['edge'] });
    expect(draft.functions).toEqual([{ id: 'edge' }]);
    expect(draft.policies.map(({ level }) => level)).toEqual(['PROJECT']);
  });

  it('says what is wrong with a choice, and where', async () => {
    const { draft } = await stage.get<Draft>(nobody, draftQuery, { preset: 'CUSTOM', functions: ['edge', 'egde'] });
    expect(draft).toMatchObject({
      functions: [],
      policies: [],
      problems: [{ code: 'UNKNOWN_FUNCTION', pointer: '/functions/1' }],
    });
  });

  it('takes no list that no one could mean', async () => {
    const functions = Array.from({ length: 101 }, () => 'edge');
    expect((await stage.ask(nobody, draftQuery, { preset: 'CUSTOM', functions })).codes).toEqual(['BAD_USER_INPUT']);
  });
});
