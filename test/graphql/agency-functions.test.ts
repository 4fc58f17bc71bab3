/** From nothing to a working agency, over real HTTP and on every database: what is drafted is granted, and then ready. */
import { beforeAll, describe, expect, it } from 'vitest';
import { authorizationFunctions, draftAgencyPolicies, type AuthorizationPreset } from '../../src/catalogue/index.js';
import { databaseNames, startHouse, type Person, type TestHouse } from '../kit/house.js';
import { setScene, type Scene } from '../kit/scene.js';

const grantMutation = `mutation ($input: GrantAgencyFunctionsInput!) { done: grantAgencyFunctions(input: $input) {
  agency { id name } policies { id name level defaultVersion { number documentText } }
  grants { id scope { kind workspace { id } } agency { id } expiresAt } warnings
  userErrors { code message path reference } revision clientMutationId replayed } }`;
const readinessQuery = `query ($input: AuthorizationReadinessInput!) { readiness: authorizationReadiness(input: $input) {
  ready agency { id } problems { code message function } functions { function ready missingAgencyActions limitedAgencyActions } } }`;

interface Done {
  readonly agency: { readonly id: string } | null;
  readonly policies: readonly {
    readonly id: string;
    readonly name: string;
    readonly level: string;
    readonly defaultVersion: { readonly number: number; readonly documentText: string };
  }[];
  readonly grants: readonly {
    readonly id: string;
    readonly scope: { readonly kind: string; readonly workspace: { readonly id: string } | null };
    readonly agency: { readonly id: string };
  }[];
  readonly warnings: readonly string[] | null;
  readonly userErrors: readonly {
    readonly code: string;
    readonly message: string;
    readonly path: readonly string[] | null;
  }[];
  readonly revision: number | null;
  readonly replayed: boolean;
}

interface Readiness {
  readonly ready: boolean;
  readonly agency: { readonly id: string } | null;
  readonly problems: readonly { readonly code: string; readonly function: string | null }[];
  readonly functions: readonly { readonly function: string; readonly ready: boolean }[];
}

const everyId = authorizationFunctions.map(({ id }) => id);
const needsOf = (ids: readonly string[]): ReadonlySet<string> =>
  new Set(authorizationFunctions.filter(({ id }) => ids.includes(id)).flatMap(({ agencyActions }) => agencyActions));
/** The functions that work once an agency holds what these need. */
const workingWith = (ids: readonly string[]): readonly string[] =>
  authorizationFunctions
    .filter(({ agencyActions }) => agencyActions.every((action) => needsOf(ids).has(action)))
    .map(({ id }) => id);
const commonIds = authorizationFunctions.filter(({ commonUser }) => commonUser).map(({ id }) => id);

describe.each(databaseNames)('granting an agency functions, on %s', (database) => {
  let house: TestHouse;
  let scene: Scene;
  let names = 0;
  let home: string;
  let away: string;

  beforeAll(async () => {
    house = await startHouse({ database });
    scene = await setScene(house);
    home = await scene.workspace('home-workspace');
    away = await scene.workspace('away-workspace');
  });

  const fresh = (prefix: string): string => `${prefix}-${(names += 1)}`;

  /** An agency that `modelarts` may use for one new user. */
  async function authorized(name = fresh('agency')): Promise<{ readonly agencyId: string; readonly person: Person }> {
    const { made } = await house.gql<{ made: { agency: { id: string } } }>(
      scene.token,
      'mutation ($input: CreateAgencyInput!) { made: createAgency(input: $input) { agency { id } userErrors { code } } }',
      { input: { name, trust: { service: 'modelarts' } } },
    );
    const agencyId = made.agency.id;
    const person = await scene.user(fresh('user'));
    await house.gql(
      scene.token,
      'mutation ($input: AuthorizeAgencyInput!) { authorizeAgency(input: $input) { userErrors { code } } }',
      { input: { agencyId, userId: person.id } },
    );
    return { agencyId, person };
  }

  async function give(input: object, token = scene.token): Promise<Done> {
    const { data, errors } = await house.ask(token, grantMutation, { input });
    if (errors.length > 0) throw new Error(JSON.stringify(errors));
    return (data as unknown as { done: Done }).done;
  }

  async function readiness(person: Person, workspace: string, functions: readonly string[]): Promise<Readiness> {
    const token = await house.signIn(person, { workspace });
    return (await house.gql<{ readiness: Readiness }>(token, readinessQuery, { input: { functions } })).readiness;
  }

  const readyOnes = ({ functions }: Readiness): readonly string[] =>
    functions.filter(({ ready }) => ready).map((each) => each.function);

  const choices: readonly { preset: AuthorizationPreset; functions?: readonly string[] }[] = [
    { preset: 'COMMON_USER' },
    ...everyId.map((id) => ({ preset: 'CUSTOM' as const, functions: [id] })),
    { preset: 'CUSTOM', functions: everyId },
  ];

  it.each(choices)('makes these functions ready and no others: %j', async ({ preset, functions }) => {
    const ids = functions ?? commonIds;
    const { agencyId, person } = await authorized();
    const before = await readiness(person, home, ids);
    expect(before.ready).toBe(false);
    expect(before.problems.map(({ code }) => code)).toEqual(['AGENCY_WITHOUT_GRANT']);
    const done = await give({ agencyId, preset, functions });
    expect(done.userErrors).toEqual([]);
    // What functions need is never void where it is granted; of a refusal there is nothing to warn of.
    expect(done.warnings).toEqual([]);
    const drafted = draftAgencyPolicies({ preset, functions: functions ?? [] }).policies;
    expect(done.policies.map(({ level, defaultVersion }) => [level, defaultVersion.documentText])).toEqual(
      drafted.map(({ level, text }) => [level, text]),
    );
    expect(done.grants.map(({ scope }) => scope.kind)).toEqual(
      drafted.map(({ level }) => (level === 'GLOBAL' ? 'ACCOUNT' : 'ALL_WORKSPACES')),
    );
    for (const workspace of [home, away]) {
      const after = await readiness(person, workspace, everyId);
      expect(readyOnes(after)).toEqual(workingWith(ids));
      expect((await readiness(person, workspace, ids)).ready).toBe(drafted.length > 0);
    }
    await house.gql(
      scene.token,
      'mutation ($input: DeleteAgencyInput!) { deleteAgency(input: $input) { userErrors { code } } }',
      { input: { id: agencyId } },
    );
  });

  it('does the same a second time without changing anything', async () => {
    const { agencyId } = await authorized();
    const input = { agencyId, preset: 'COMMON_USER' };
    const first = await give(input);
    const second = await give(input);
    expect(first.revision).not.toBeNull();
    expect(second).toEqual({ ...first, revision: null });
  });

  it('adds what other functions need, and keeps what there was', async () => {
    const { agencyId, person } = await authorized();
    const first = await give({ agencyId, preset: 'CUSTOM', functions: ['edge'] });
    const second = await give({ agencyId, preset: 'CUSTOM', functions: ['training'] });
    expect(second.policies.map(({ level, defaultVersion }) => [level, defaultVersion.number])).toEqual([
      ['GLOBAL', 1],
      ['PROJECT', 2],
    ]);
    expect(second.policies[1]?.id).toBe(first.policies[0]?.id);
    expect(second.grants[1]?.id).toBe(first.grants[0]?.id);
    expect(readyOnes(await readiness(person, home, everyId))).toEqual(workingWith(['edge', 'training']));
  });

  it('grants one workspace without reaching another, whatever the agency is granted there', async () => {
    const { agencyId, person } = await authorized();
    const here = await give({ agencyId, preset: 'CUSTOM', functions: ['training'], workspaceId: home });
    const there = await give({ agencyId, preset: 'CUSTOM', functions: ['edge'], workspaceId: away });
    expect(here.grants.map(({ scope }) => [scope.kind, scope.workspace?.id])).toEqual([
      ['WORKSPACE', home],
      ['WORKSPACE', home],
    ]);
    expect(readyOnes(await readiness(person, home, everyId))).toEqual(workingWith(['training']));
    expect(readyOnes(await readiness(person, away, everyId))).toEqual(workingWith(['edge']));
    expect([...(here.warnings ?? ['none']), ...(there.warnings ?? ['none'])]).toEqual([]);
    const ids = new Set([...here.policies, ...there.policies].map(({ id }) => id));
    expect(ids.size).toBe(3);
    const everywhere = await give({ agencyId, preset: 'CUSTOM', functions: ['pools'] });
    expect(everywhere.policies.some(({ id }) => ids.has(id))).toBe(false);
  });

  it('names policies after their agency, and keeps agencies with long names apart', async () => {
    const [one, other] = ['a', 'b'].map((last) => `${'long name '.repeat(6)}${fresh('x')}${last}`.slice(-64));
    const short = await authorized('short');
    expect((await give({ agencyId: short.agencyId, preset: 'COMMON_USER' })).policies.map(({ name }) => name)).toEqual([
      'short-global',
      'short-project',
    ]);
    const inZero = await give({ agencyId: short.agencyId, preset: 'CUSTOM', functions: ['edge'], workspaceId: '0' });
    expect(inZero.policies.map(({ name }) => name)).toEqual(['short-project-0']);
    const made: string[] = [];
    for (const name of [one, other]) {
      const { agencyId } = await authorized(name);
      const { policies } = await give({ agencyId, preset: 'CUSTOM', functions: ['edge'], workspaceId: home });
      made.push(...policies.map((policy) => policy.name));
    }
    expect(new Set(made).size).toBe(2);
    expect(made.every((name) => name.length === 64 && /-project-[0-9a-f]{8}$/.test(name))).toBe(true);
  });

  it('leaves a policy alone that others hold as well', async () => {
    const { agencyId } = await authorized();
    const { policies } = await give({ agencyId, preset: 'CUSTOM', functions: ['edge'] });
    await scene.grant(policies[0]?.id ?? '', { group: await scene.group(fresh('group')) });
    const again = await give({ agencyId, preset: 'CUSTOM', functions: ['pools'] });
    expect(again).toMatchObject({
      agency: null,
      policies: null,
      warnings: null,
      userErrors: [{ code: 'CONFLICT' }],
      revision: null,
    });
    expect(again.userErrors[0]?.message).toContain(policies[0]?.name);
  });

  it('leaves a policy alone that somebody has written limits into', async () => {
    const { agencyId, person } = await authorized();
    const { policies } = await give({ agencyId, preset: 'CUSTOM', functions: ['edge'] });
    const document = { Version: '1.1', Statement: [{ Effect: 'Deny', Action: ['ief:node:get'] }] };
    await house.gql(
      scene.token,
      'mutation ($input: CreatePolicyVersionInput!) { createPolicyVersion(input: $input) { userErrors { code } } }',
      { input: { policyId: policies[0]?.id, document, setAsDefault: true } },
    );
    const again = await give({ agencyId, preset: 'CUSTOM', functions: ['edge'] });
    expect(again.userErrors.map(({ code }) => code)).toEqual(['CONFLICT']);
    expect((await readiness(person, home, ['edge'])).ready).toBe(false);
  });

  it('does not bring back what was revoked', async () => {
    const { agencyId, person } = await authorized();
    const { grants } = await give({ agencyId, preset: 'CUSTOM', functions: ['edge'] });
    await house.gql(
      scene.token,
      'mutation ($input: RevokeGrantInput!) { revokeGrant(input: $input) { userErrors { code } } }',
      { input: { id: grants[0]?.id } },
    );
    const again = await give({ agencyId, preset: 'CUSTOM', functions: ['pools'] });
    expect(again.userErrors).toEqual([]);
    expect(readyOnes(await readiness(person, home, everyId))).toEqual(workingWith(['pools']));
  });

  it('gives a grant that has ended anew, and leaves one its end that has not', async () => {
    const { agencyId, person } = await authorized();
    const input = { agencyId, preset: 'CUSTOM', functions: ['edge'] };
    const { policies, grants } = await give(input);
    const ends = new Date(house.iam.now() + 60_000).toISOString();
    const shorten = { policyId: policies[0]?.id, subject: { agency: agencyId }, scope: { allWorkspaces: true } };
    await house.gql(
      scene.token,
      'mutation ($input: GrantPolicyInput!) { grantPolicy(input: $input) { userErrors { code } } }',
      { input: { ...shorten, expiresAt: ends } },
    );
    expect((await give(input)).grants).toMatchObject([{ id: grants[0]?.id, expiresAt: ends }]);
    house.advance(120_000);
    expect((await readiness(person, home, ['edge'])).problems.map(({ code }) => code)).toEqual([
      'AGENCY_WITHOUT_GRANT',
    ]);
    expect((await give(input)).grants).toMatchObject([{ expiresAt: null }]);
    expect((await readiness(person, home, ['edge'])).ready).toBe(true);
  });

  it('keeps to the number of versions that a policy may have', async () => {
    const { agencyId } = await authorized();
    const project = ['edge', 'pools', 'notebook', 'training', 'models'];
    for (const id of project)
      expect((await give({ agencyId, preset: 'CUSTOM', functions: [id] })).userErrors).toEqual([]);
    const sixth = await give({ agencyId, preset: 'CUSTOM', functions: ['datasets'] });
    expect(sixth.userErrors).toMatchObject([{ code: 'LIMIT_EXCEEDED', path: ['input', 'functions'] }]);
    expect(sixth.revision).toBeNull();
  });

  it('answers a repeat with what the first one made', async () => {
    const { agencyId } = await authorized();
    const input = { agencyId, preset: 'COMMON_USER', idempotencyKey: fresh('key') };
    const first = await give(input);
    const again = await give(input);
    expect(first.replayed).toBe(false);
    expect(again).toMatchObject({ replayed: true, agency: first.agency, revision: null });
    expect(again.policies.map(({ id }) => id).sort()).toEqual(first.policies.map(({ id }) => id).sort());
    expect(again.grants.map(({ id }) => id).sort()).toEqual(first.grants.map(({ id }) => id).sort());
    const other = await give({ ...input, preset: 'CUSTOM', functions: ['edge'] });
    expect(other.userErrors.map(({ code }) => code)).toEqual(['IDEMPOTENCY_KEY_REUSED']);
  });

  it('has nothing to grant for functions that need nothing', async () => {
    const { agencyId } = await authorized();
    const done = await give({ agencyId, preset: 'CUSTOM', functions: ['basics', 'workspace'] });
    expect(done).toMatchObject({ policies: [], grants: [], userErrors: [], revision: null });
  });

  it.each([
    [{ agencyId: 'f'.repeat(32) }, 'NOT_FOUND', ['input', 'agencyId']],
    [{ workspaceId: 'f'.repeat(32) }, 'NOT_FOUND', ['input', 'workspaceId']],
    [{ functions: ['edge', 'edgy'] }, 'INVALID', ['input', 'functions', '1']],
    [{ functions: [] }, 'INVALID', ['input', 'functions']],
    [{ preset: 'COMMON_USER' }, 'INVALID', ['input', 'functions']],
  ])('says what is wrong with %j', async (wrong, code, path) => {
    const { agencyId } = await authorized();
    const done = await give({ agencyId, preset: 'CUSTOM', functions: ['edge'], ...wrong });
    expect(done.userErrors).toMatchObject([{ code, path }]);
    expect([done.agency, done.revision]).toEqual([null, null]);
  });

  it('asks for every step, and leaves nothing behind when one is refused', async () => {
    const { agencyId } = await authorized();
    const person = await scene.user(fresh('giver'));
    const input = { agencyId, preset: 'COMMON_USER' };
    const everything = await scene.policy(fresh('everything'), ['*:*:*']);
    const steps = [
      'iam:permissions:grantRoleToAgencyOnProject',
      'iam:permissions:grantRoleToAgencyOnDomain',
      'iam:roles:createRole',
    ];
    await scene.grant(everything, { user: person.id });
    for (const action of steps) {
      const deny = await scene.policy(fresh('deny'), [{ Effect: 'Deny', Action: [action] }]);
      const grantId = await scene.grant(deny, { user: person.id });
      const token = await house.signIn(person, 'account');
      const { errors } = await house.ask(token, grantMutation, { input });
      expect(errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', action });
      await house.gql(
        scene.token,
        'mutation ($input: RevokeGrantInput!) { revokeGrant(input: $input) { userErrors { code } } }',
        { input: { id: grantId } },
      );
    }
    // Whoever is no administrator gives an agency nothing that reaches beyond one workspace.
    const token = await house.signIn(person, 'account');
    const wide = await give(input, token);
    expect(wide.userErrors).toMatchObject([{ code: 'NOT_HELD', path: ['input', 'functions'] }]);
    const left = await house.gql<{ agency: { grants: { totalCount: number } } }>(
      scene.token,
      'query ($id: ID!) { agency(id: $id) { grants { totalCount } } }',
      { id: agencyId },
    );
    expect(left.agency.grants.totalCount).toBe(0);
    expect((await give({ ...input, workspaceId: home }, token)).userErrors).toEqual([]);
  });
});
