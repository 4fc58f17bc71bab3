import { beforeAll, describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import { authorizeAgency, createAgency, createService, grantPolicy, type Id } from '../../src/iam/index.js';
import { allow, makeStrict } from './acts.js';
import { must, openStage, type Stage } from './stage.js';

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });
const question = `query ($input: AuthorizationReadinessInput!) { readiness: authorizationReadiness(input: $input) {
  service ready allUsers agency { name } authorization { allUsers agency { name } user { name } }
  problems { code message reference function } missingActions limitedActions
  functions { function ready missingAgencyActions limitedAgencyActions missingUserActions } } }`;

interface Readiness {
  readonly readiness: {
    readonly ready: boolean;
    readonly agency: { readonly name: string } | null;
    readonly missingActions: readonly string[];
  };
}

let stage: Stage;
let ann: Id;
let home: Id;
let away: Id;

beforeAll(async () => {
  stage = await openStage(schema);
  await makeStrict(stage);
  ann = await stage.user('ann');
  home = await stage.workspace('home');
  away = await stage.workspace('zz-away');
});

const asRoot = async () => stage.call(await stage.token(stage.root, 'account'));

async function agency(name: string, actions: readonly string[], workspaceId: Id, userId: Id | null): Promise<Id> {
  const trust = { kind: 'SERVICE', id: 'modelarts' } as const;
  const { id } = must(await createAgency(stage.iam, await asRoot(), { name, trust }));
  const policyId = await stage.policy(`of ${name}`, actions);
  const scope = { kind: 'WORKSPACE', id: workspaceId } as const;
  must(await grantPolicy(stage.iam, await asRoot(), { policyId, subject: { kind: 'AGENCY', id }, scope }));
  const whom = userId === null ? ({ kind: 'allUsers' } as const) : ({ kind: 'user', id: userId } as const);
  must(await authorizeAgency(stage.iam, await asRoot(), { agencyId: id, for: whom }));
  return id;
}

describe('authorizationReadiness', () => {
  it('names what is missing before anything runs, to a user who may read no agency', async () => {
    await agency('reader', ['obs:object:GetObject'], home, ann);
    const token = await stage.token(ann, { workspace: home });
    const input = { functions: ['edge'], actions: ['obs:object:GetObject', 'smn:topic:publish'] };
    expect(await stage.get(token, question, { input })).toMatchObject({
      readiness: {
        service: 'modelarts',
        ready: false,
        allUsers: false,
        agency: null,
        // One's own authorization everybody may read, and of it nothing else.
        authorization: { allUsers: false, agency: null, user: null },
        problems: [
          { code: 'FUNCTION_INCOMPLETE', function: 'edge', reference: null },
          {
            code: 'ACTIONS_MISSING',
            function: null,
            message: expect.stringContaining('`smn:topic:publish`') as string,
          },
        ],
        functions: [{ function: 'edge', ready: false }],
        missingActions: ['smn:topic:publish'],
        limitedActions: [],
      },
    });
  });

  it('shows the agency to whoever may read it', async () => {
    const reader = await stage.user('agency-reader');
    await allow(stage, reader, ['iam:agencies:getAgency', 'iam:users:getUser', 'bailiwick:access:check']);
    await allow(stage, reader, ['modelarts:authorization:list']);
    const token = await stage.token(reader, { workspace: home });
    const input = { userId: ann, actions: ['obs:object:GetObject'] };
    expect(await stage.get(token, question, { input })).toMatchObject({
      readiness: {
        ready: true,
        agency: { name: 'reader' },
        authorization: { agency: { name: 'reader' }, user: { name: 'ann' } },
      },
    });
  });

  it('is asked in a workspace, of others with a permission of its own', async () => {
    const input = { userId: stage.root };
    const account = await stage.ask(await stage.token(ann, 'account'), question, { input: {} });
    expect(account.errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', reason: 'WRONG_SCOPE' });
    const other = await stage.ask(await stage.token(ann, { workspace: home }), question, { input });
    expect(other.errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', action: 'bailiwick:access:check' });
  });

  it('tells nothing of an agency that acts in another workspace only', async () => {
    const bob = await stage.user('bob');
    const id = await agency('zz-elsewhere', ['obs:object:GetObject'], away, bob);
    const token = await stage.token(stage.root, { workspace: home });
    for (const agencyId of [null, id]) {
      const input = { userId: bob, agencyId, actions: ['obs:object:GetObject'] };
      const { data } = await stage.ask(token, question, { input });
      expect(data).toMatchObject({
        readiness: {
          ready: false,
          agency: null,
          authorization: null,
          problems: [{ code: 'AGENCY_WITHOUT_GRANT' }],
          missingActions: ['obs:object:GetObject'],
        },
      });
      expect(JSON.stringify(data)).not.toMatch(/zz-/);
      expect(JSON.stringify(data)).not.toContain(id);
    }
    const there = await stage.token(stage.root, { workspace: away });
    const { readiness } = await stage.get<Readiness>(there, question, {
      input: { userId: bob, actions: ['obs:object:GetObject'] },
    });
    expect(readiness).toMatchObject({ ready: true, agency: { name: 'zz-elsewhere' } });
  });

  it('knows no user of another account', async () => {
    const next = await stage.neighbour('next');
    const stranger = await next.user('stranger');
    const token = await stage.token(stage.root, { workspace: home });
    expect(await stage.get(token, question, { input: { userId: stranger } })).toMatchObject({
      readiness: { ready: false, agency: null, problems: [{ code: 'WORKSPACE_CLOSED' }] },
    });
  });

  it('asks about services of the account too', async () => {
    const actions = [{ name: 'render:scene:get', accessLevel: 'READ', description: '' }] as const;
    must(await createService(stage.iam, await asRoot(), { name: 'render', actions }));
    const token = await stage.token(ann, { workspace: home });
    const input = { service: 'render', actions: ['render:scene:get'] };
    expect(await stage.get(token, question, { input })).toMatchObject({
      readiness: { service: 'render', problems: [{ code: 'NO_AUTHORIZATION', reference: 'ModelArts.0429' }] },
    });
  });
});
