import { beforeAll, describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { encodeNodeId } from '../../src/graphql/node-ids.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import { createAgency, createEnterpriseProject, createService } from '../../src/iam/index.js';
import { must, openStage, type Stage } from './stage.js';

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });

interface Payload {
  readonly grant: { readonly id: string } & Readonly<Record<string, unknown>>;
  readonly userErrors: readonly Readonly<Record<string, unknown>>[];
  readonly revision: number | null;
  readonly [name: string]: unknown;
}

const errorFields = `userErrors { __typename code message path reference ... on NotHeldError { actions } } revision`;

const grantMutation = `mutation ($input: GrantPolicyInput!) {
  done: grantPolicy(input: $input) {
    grant {
      id subjectKind policy { name } user { name } group { name } agency { name } service { name }
      scope { kind workspace { name } enterpriseProject { name } } expiresAt expired createdBy { name }
    }
    widened warnings defaultAccessEnded { name } ${errorFields}
  }
}`;
const revokeMutation = `mutation ($input: RevokeGrantInput!) {
  done: revokeGrant(input: $input) { grant { id expired } deletedGrantId ${errorFields} }
}`;

let stage: Stage;
let root: string;
let projectPolicy: string;
let ann: string;
let group: string;
let agency: string;
let service: string;
let enterpriseProject: string;
let lab: string;

const change = async (mutation: string, input: object, token = root): Promise<Payload> =>
  (await stage.get<{ done: Payload }>(token, mutation, { input })).done;
const grant = (input: object, token = root): Promise<Payload> => change(grantMutation, input, token);

/** Somebody with these actions, in account scope unless another is named. */
const holder = async (
  name: string,
  statements: readonly (string | object)[],
  scope: Parameters<Stage['token']>[1] = 'account',
): Promise<string> => {
  const id = await stage.user(name);
  for (const [index, level] of [/^(iam|bailiwick|obs|eps):/, /^modelarts:/].entries()) {
    const own = statements.filter((one) => typeof one !== 'string' || level.test(one));
    if (!own.some((one) => typeof one === 'string')) continue;
    const policyId = await stage.policy(`of ${name} ${index}`, own);
    expect((await grant({ policyId, subject: { user: id }, scope: { all: true } })).userErrors).toEqual([]);
  }
  return stage.token(id, scope);
};

beforeAll(async () => {
  stage = await openStage(schema);
  root = await stage.token(stage.root, 'account');
  const call = await stage.call(root);
  projectPolicy = await stage.policy('notebook reader', ['modelarts:notebook:get', 'modelarts:notebook:list']);
  ann = await stage.user('ann');
  group = await stage.group('engineers');
  agency = must(
    await createAgency(stage.iam, call, { name: 'night-train', trust: { kind: 'SERVICE', id: 'modelarts' } }),
  ).id;
  service = must(await createService(stage.iam, call, { name: 'render' })).service.id;
  enterpriseProject = must(await createEnterpriseProject(stage.iam, call, { name: 'research' })).id;
  lab = await stage.workspace('laboratory');
});

describe('grantPolicy', () => {
  it('gives a policy to each kind of subject in each kind of scope', async () => {
    const subjects = { user: ann, group, agency, service };
    const names = { user: 'ann', group: 'engineers', agency: 'night-train', service: 'render' };
    const scopes = {
      ALL: { all: true },
      ALL_WORKSPACES: { allWorkspaces: true },
      WORKSPACE: { workspace: lab },
      ENTERPRISE_PROJECT: { enterpriseProject },
    };
    const ids = new Set<string>();
    for (const [kind, id] of Object.entries(subjects)) {
      for (const [scopeKind, scope] of Object.entries(scopes)) {
        const payload = await grant({ policyId: projectPolicy, subject: { [kind]: id }, scope });
        const others = { user: null, group: null, agency: null, service: null };
        expect(payload).toMatchObject({
          userErrors: [],
          widened: false,
          warnings: [],
          grant: {
            ...others,
            [kind]: { name: names[kind as keyof typeof names] },
            subjectKind: kind.toUpperCase(),
            policy: { name: 'notebook reader' },
            scope: {
              kind: scopeKind,
              workspace: scopeKind === 'WORKSPACE' ? { name: 'laboratory' } : null,
              enterpriseProject: scopeKind === 'ENTERPRISE_PROJECT' ? { name: 'research' } : null,
            },
            expiresAt: null,
            expired: false,
            createdBy: { name: 'root' },
          },
        });
        expect(payload.revision).toBe(await stage.revision());
        ids.add(payload.grant.id);
      }
    }
    expect(ids.size).toBe(16);
  });

  it('widens a project-level policy granted in the account, visibly; an account-level one stays', async () => {
    const user = await stage.user('widened');
    const widened = await grant({ policyId: projectPolicy, subject: { user }, scope: { account: true } });
    expect(widened).toMatchObject({ widened: true, grant: { scope: { kind: 'ALL' } } });
    const accountPolicy = await stage.policy('directory reader', ['iam:users:listUsers']);
    const kept = await grant({ policyId: accountPolicy, subject: { user }, scope: { account: true } });
    expect(kept).toMatchObject({ widened: false, grant: { scope: { kind: 'ACCOUNT' } } });
  });

  it('leaves one that stands already, and gives it another end when asked', async () => {
    const user = await stage.user('twice');
    const input = { policyId: projectPolicy, subject: { user }, scope: { workspace: lab } };
    const first = await grant(input);
    const again = await grant(input);
    expect(again).toMatchObject({ grant: { id: first.grant.id }, userErrors: [], revision: null });
    const ending = await grant({ ...input, expiresAt: '2100-01-31T10:00:00+02:00' });
    expect(ending).toMatchObject({
      grant: { id: first.grant.id, expiresAt: '2100-01-31T08:00:00.000Z', expired: false },
    });
    expect(ending.revision).toBe(await stage.revision());
  });

  it('takes Node ids and plain ids alike, of the right kind only', async () => {
    const user = await stage.user('by node id');
    const payload = await grant({
      policyId: encodeNodeId('Policy', projectPolicy),
      subject: { user: encodeNodeId('User', user) },
      scope: { workspace: encodeNodeId('Workspace', lab) },
    });
    expect(payload).toMatchObject({ userErrors: [], grant: { user: { name: 'by node id' } } });
    const input = { policyId: projectPolicy, subject: { group: encodeNodeId('User', user) }, scope: { all: true } };
    expect((await stage.ask(root, grantMutation, { input })).codes).toEqual(['BAD_USER_INPUT']);
  });

  it('wants exactly one subject and one scope, and `true` where it is a flag', async () => {
    const input = { policyId: projectPolicy, subject: { user: ann }, scope: { all: true } };
    for (const [wrong, message] of [
      [{ ...input, subject: { user: ann, group } }, /exactly one key/i],
      [{ ...input, scope: { all: true, workspace: lab } }, /exactly one key/i],
      [{ ...input, subject: {} }, /exactly one key/i],
      [{ ...input, scope: { all: false } }, /`false` names no scope/],
    ] as const) {
      const { errors, data } = await stage.ask(root, grantMutation, { input: wrong });
      expect(errors).toHaveLength(1);
      expect(errors[0]?.message).toMatch(message);
      expect(data['done'] ?? null).toBeNull();
    }
  });

  it('ends the LOOSE default of those whom the first Allow naming modelarts reaches, and says whose', async () => {
    const users = [await stage.user('loose one'), await stage.user('loose two')];
    const team = await stage.group('loose team', users);
    const deny = await stage.policy('deny only', [{ Effect: 'Deny', Action: ['modelarts:notebook:delete'] }]);
    const denied = await grant({ policyId: deny, subject: { group: team }, scope: { all: true } });
    expect(denied.defaultAccessEnded).toEqual([]);
    const allowed = await grant({ policyId: projectPolicy, subject: { group: team }, scope: { workspace: lab } });
    expect((allowed.defaultAccessEnded as { name: string }[]).map(({ name }) => name).sort()).toEqual([
      'loose one',
      'loose two',
    ]);
  });

  it('warns that a role depends on another, until that one is held', async () => {
    const user = await stage.user('server administrator');
    const role = { policyId: 'server_adm', subject: { user }, scope: { all: true } };
    const warned = await grant(role);
    expect(warned.warnings).toEqual([
      expect.stringMatching(/^`.+` depends on `.+`; grant that in the same scope too$/),
    ]);
    const named = /depends on `(.+)`;/.exec((warned.warnings as string[])[0] ?? '')?.[1];
    const { policies } = await stage.get<{ policies: { nodes: { id: string }[] } }>(
      root,
      'query ($name: String) { policies(filter: { name: $name }) { nodes { id } } }',
      { name: named },
    );
    await grant({ ...role, policyId: policies.nodes[0]?.id });
    expect((await grant(role)).warnings).toEqual([]);
  });

  it('names all that is missing, and nothing of another account is there', async () => {
    const neighbour = await stage.neighbour('across the street');
    const theirs = {
      policyId: await neighbour.policy('their policy', ['modelarts:notebook:get']),
      subject: { user: await neighbour.user('their user') },
      scope: { workspace: await neighbour.workspace('their-bench') },
    };
    const before = await stage.revision();
    for (const input of [theirs, { policyId: 'none', subject: { user: 'none' }, scope: { workspace: 'none' } }]) {
      const payload = await grant(input);
      expect(payload).toMatchObject({ grant: null, widened: null, warnings: null, revision: null });
      expect(payload.userErrors).toMatchObject([
        { code: 'NOT_FOUND', reference: 'IAM.0004', path: ['input', 'policyId'] },
        { code: 'NOT_FOUND', reference: 'IAM.0004', path: ['input', 'subject'] },
        { code: 'NOT_FOUND', reference: 'ModelArts.0102', path: ['input', 'scope'] },
      ]);
    }
    const project = await grant({
      policyId: projectPolicy,
      subject: { user: ann },
      scope: { enterpriseProject: 'none' },
    });
    expect(project.userErrors).toMatchObject([{ code: 'NOT_FOUND', path: ['input', 'scope'] }]);
    expect(await stage.revision()).toBe(before);
  });

  it('refuses an end that is past and Security Administrator for an agency', async () => {
    const before = await stage.revision();
    const past = await grant({
      policyId: projectPolicy,
      subject: { user: ann },
      scope: { all: true },
      expiresAt: '2020-01-01T00:00:00Z',
    });
    expect(past.userErrors).toMatchObject([{ code: 'INVALID', path: ['input', 'expiresAt'] }]);
    const administrator = await grant({ policyId: 'secu_admin', subject: { agency }, scope: { all: true } });
    expect(administrator.userErrors).toMatchObject([
      { code: 'RESERVED', reference: 'IAM.0003', path: ['input', 'policyId'] },
    ]);
    expect(await stage.revision()).toBe(before);
  });

  it('asks the exact action of subject and scope behind its door', async () => {
    const token = await holder('group granter', [
      'iam:permissions:grantRoleToGroupOnProject',
      'modelarts:notebook:get',
      'modelarts:notebook:list',
    ]);
    const allowed = await grant({ policyId: projectPolicy, subject: { group }, scope: { workspace: lab } }, token);
    expect(allowed.userErrors).toEqual([]);
    for (const [subject, scope, action] of [
      [{ group }, { all: true }, 'iam:permissions:grantRoleToGroup'],
      [{ group }, { account: true }, 'iam:permissions:grantRoleToGroupOnDomain'],
      [{ user: ann }, { workspace: lab }, 'bailiwick:permissions:grantToUser'],
      [{ service }, { workspace: lab }, 'bailiwick:permissions:grantToService'],
      [{ agency }, { workspace: lab }, 'iam:permissions:grantRoleToAgencyOnProject'],
    ] as const) {
      const { errors, data } = await stage.ask(token, grantMutation, {
        input: { policyId: projectPolicy, subject, scope },
      });
      expect(errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', action });
      expect(data).toEqual({ done: null });
    }
  });

  it('opens its door to nobody who may grant nothing', async () => {
    const token = await stage.token(await stage.user('grants nothing'), 'account');
    const { errors } = await stage.ask(token, grantMutation, {
      input: { policyId: 'none', subject: { user: 'none' }, scope: { all: true } },
    });
    expect(errors[0]?.extensions).toMatchObject({
      code: 'FORBIDDEN',
      action: 'iam:permissions:grantRoleToGroup',
    });
  });

  it('gives nobody more than the giver holds there', async () => {
    const token = await holder('narrow giver', ['bailiwick:permissions:grantToUser', 'modelarts:notebook:get']);
    const before = await stage.revision();
    const payload = await grant({ policyId: projectPolicy, subject: { user: ann }, scope: { all: true } }, token);
    expect(payload.userErrors).toMatchObject([
      {
        __typename: 'NotHeldError',
        code: 'NOT_HELD',
        reference: 'IAM.0003',
        path: ['input', 'policyId'],
        actions: ['modelarts:notebook:list'],
      },
    ]);
    expect(await stage.revision()).toBe(before);
  });

  it('shows users who lost their default only to those who may read them', async () => {
    const user = await stage.user('unseen loser');
    const token = await holder('blind giver', [
      'bailiwick:permissions:grantToUser',
      'modelarts:notebook:get',
      'modelarts:notebook:list',
    ]);
    const payload = await grant({ policyId: projectPolicy, subject: { user }, scope: { workspace: lab } }, token);
    expect(payload).toMatchObject({ userErrors: [], defaultAccessEnded: [null], grant: { user: null, policy: null } });
  });

  describe('inside a workspace', () => {
    it('grants for this workspace only', async () => {
      const inside = await stage.token(stage.root, { workspace: lab });
      const user = await stage.user('insider');
      const system = 'modelarts_common_operations';
      const payload = await grant({ policyId: system, subject: { user }, scope: { workspace: lab } }, inside);
      expect(payload).toMatchObject({ userErrors: [], grant: { scope: { kind: 'WORKSPACE' } } });
      for (const scope of [{ all: true }, { account: true }, { allWorkspaces: true }, { workspace: '0' }]) {
        const { userErrors } = await grant({ policyId: system, subject: { user }, scope }, inside);
        expect(userErrors).toMatchObject([{ code: 'INVALID', path: ['input', 'scope'] }]);
      }
    });

    it('finds neither subjects nor policies that are invisible there', async () => {
      const closed = await stage.workspace('closed-bench', 'PRIVATE');
      const inside = await stage.token(stage.root, { workspace: closed });
      const elsewhere = await stage.policy('granted nowhere', ['modelarts:notebook:get']);
      const { userErrors } = await grant(
        { policyId: elsewhere, subject: { user: ann }, scope: { workspace: closed } },
        inside,
      );
      expect(userErrors).toMatchObject([
        { code: 'NOT_FOUND', path: ['input', 'policyId'] },
        { code: 'NOT_FOUND', path: ['input', 'subject'] },
      ]);
    });
  });
});

describe('revokeGrant', () => {
  const make = async (user: string, scope: object = { workspace: lab }, policyId = projectPolicy): Promise<string> =>
    (await grant({ policyId, subject: { user }, scope })).grant.id;

  it('takes a grant away; it is gone at once', async () => {
    const user = await stage.user('revoked');
    const id = await make(user);
    const payload = await change(revokeMutation, { id });
    expect(payload).toMatchObject({ deletedGrantId: id, grant: { id, expired: false }, userErrors: [] });
    expect(payload.revision).toBe(await stage.revision());
    const again = await change(revokeMutation, { id });
    expect(again.userErrors).toMatchObject([{ code: 'NOT_FOUND', reference: 'IAM.0004', path: ['input', 'id'] }]);
  });

  it('never brings the LOOSE default back', async () => {
    const user = await stage.user('ended for good');
    await change(revokeMutation, { id: await make(user) });
    const read = await stage.get(root, 'query ($id: ID!) { user(id: $id) { defaultModelArtsAccess } }', { id: user });
    expect(read).toEqual({ user: { defaultModelArtsAccess: 'ENDED' } });
  });

  it('leaves FullAccess to the administrators', async () => {
    const { groups } = await stage.get<{ groups: { nodes: { grants: { nodes: { id: string }[] } }[] } }>(
      root,
      '{ groups(filter: { name: "admin" }) { nodes { grants { nodes { id } } } } }',
    );
    const id = groups.nodes[0]?.grants.nodes[0]?.id;
    const payload = await change(revokeMutation, { id });
    expect(payload.userErrors).toMatchObject([{ code: 'IMMUTABLE', path: ['input', 'id'] }]);
  });

  it('finds no grant of another account, nor, inside a workspace, of another one', async () => {
    const id = await make(await stage.user('kept from afar'));
    const neighbour = await stage.neighbour('the far side');
    const theirs = await neighbour.token(neighbour.root, 'account');
    const other = await stage.token(stage.root, { workspace: '0' });
    for (const token of [theirs, other]) {
      expect((await change(revokeMutation, { id }, token)).userErrors).toMatchObject([{ code: 'NOT_FOUND' }]);
    }
    const everywhere = await make(await stage.user('kept everywhere'), { all: true });
    expect((await change(revokeMutation, { id: everywhere }, other)).userErrors).toMatchObject([
      { code: 'INVALID', path: ['input', 'id'] },
    ]);
    const inside = await stage.token(stage.root, { workspace: lab });
    expect((await change(revokeMutation, { id }, inside)).userErrors).toEqual([]);
  });

  it('asks the exact action, and tells a stranger nothing', async () => {
    const id = await make(await stage.user('strangely held'));
    const some = await holder('group revoker', ['iam:permissions:revokeRoleFromGroup']);
    const { errors } = await stage.ask(some, revokeMutation, { input: { id } });
    expect(errors[0]?.extensions).toMatchObject({
      code: 'FORBIDDEN',
      action: 'bailiwick:permissions:revokeFromUser',
    });
    const nobody = await stage.token(await stage.user('revokes nothing'), 'account');
    for (const named of [id, 'none']) {
      expect((await stage.ask(nobody, revokeMutation, { input: { id: named } })).codes).toEqual(['FORBIDDEN']);
    }
  });

  it('lifts a Deny only for those who hold what it kept back', async () => {
    const deny = await stage.policy('keeps back', [{ Effect: 'Deny', Action: ['modelarts:pool:*'] }]);
    const id = await make(await stage.user('kept back'), { all: true }, deny);
    const token = await holder('lifter', ['bailiwick:permissions:revokeFromUser', 'bailiwick:grants:list']);
    const payload = await change(revokeMutation, { id }, token);
    expect(payload.userErrors).toMatchObject([
      { __typename: 'NotHeldError', code: 'NOT_HELD', actions: ['modelarts:pool:*'] },
    ]);
    expect((await change(revokeMutation, { id })).userErrors).toEqual([]);
  });
});

describe('reading grants', () => {
  const list = `query ($filter: GrantFilterInput, $orderBy: GrantOrderInput, $first: Int, $after: String) {
    grants(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
      totalCount nodes { id subjectKind scope { kind } policy { name } }
      pageInfo { hasNextPage hasPreviousPage endCursor }
    }
  }`;
  interface Listed {
    readonly grants: {
      readonly totalCount: number;
      readonly nodes: readonly { readonly id: string }[];
      readonly pageInfo: { readonly endCursor: string };
    };
  }
  const ids = ({ grants }: Listed): readonly string[] => grants.nodes.map(({ id }) => id);
  let policyId: string;
  let reader: string;
  let team: string;
  let made: readonly string[];

  beforeAll(async () => {
    policyId = await stage.policy('listed', ['modelarts:notebook:get']);
    reader = await stage.user('listed user');
    team = await stage.group('listed team', [reader]);
    const inputs = [
      { subject: { user: reader }, scope: { workspace: lab } },
      { subject: { user: reader }, scope: { workspace: '0' } },
      { subject: { group: team }, scope: { enterpriseProject } },
      { subject: { service }, scope: { allWorkspaces: true } },
    ];
    const grants: string[] = [];
    for (const input of inputs) {
      grants.push((await grant({ policyId, ...input })).grant.id);
      stage.advance(1000);
    }
    made = grants;
  });

  it('filters by policy, subject and scope, alone and together', async () => {
    const [first, second, third, fourth] = made;
    for (const [filter, expected] of [
      [{}, [first, second, third, fourth]],
      [{ subject: { user: reader } }, [first, second]],
      [{ subject: { group: encodeNodeId('Group', team) } }, [third]],
      [{ subjectKind: 'SERVICE' }, [fourth]],
      [{ subjectKind: 'USER', subject: { user: reader } }, [first, second]],
      [{ subjectKind: 'GROUP', subject: { user: reader } }, []],
      [{ scope: { workspace: lab } }, [first]],
      [{ scope: { workspace: '0' }, subject: { user: reader } }, [second]],
      [{ scopeKind: 'ENTERPRISE_PROJECT' }, [third]],
      [{ scope: { enterpriseProject } }, [third]],
      [{ scope: { allWorkspaces: true } }, [fourth]],
      [{ scopeKind: 'ALL', scope: { workspace: lab } }, []],
      // Scopes that name nothing look alike but for their kind.
      [{ scopeKind: 'ALL_WORKSPACES', scope: { all: true } }, []],
      [{ scope: { account: true } }, []],
    ] as const) {
      const found = await stage.get<Listed>(root, list, { filter: { policyId, ...filter } });
      expect([filter, ids(found)]).toEqual([filter, expected]);
      expect(found.grants.totalCount).toBe(expected.length);
    }
  });

  it('orders by time either way, and pages', async () => {
    const orderBy = { field: 'CREATED_AT', direction: 'DESC' };
    const first = await stage.get<Listed>(root, list, { filter: { policyId }, orderBy, first: 3 });
    expect(ids(first)).toEqual([made[3], made[2], made[1]]);
    expect(first.grants).toMatchObject({ totalCount: 4, pageInfo: { hasNextPage: true, hasPreviousPage: false } });
    const { endCursor: after } = first.grants.pageInfo;
    const second = await stage.get<Listed>(root, list, { filter: { policyId }, orderBy, first: 3, after });
    expect(ids(second)).toEqual([made[0]]);
    expect(second.grants).toMatchObject({ pageInfo: { hasNextPage: false, hasPreviousPage: true } });
  });

  it('reaches grants from policy, user, group, agency and service', async () => {
    const [first, second, third, fourth] = made;
    const nested = 'grants(first: 100) { totalCount nodes { id } }';
    const read = await stage.get<Record<string, { grants: { totalCount: number; nodes: { id: string }[] } }>>(
      root,
      `query ($policy: ID!, $user: ID!, $group: ID!, $service: ID!, $agency: ID!) {
        policy(id: $policy) { ${nested} } user(id: $user) { ${nested} } group(id: $group) { ${nested} }
        service(id: $service) { ${nested} } agency(id: $agency) { ${nested} }
      }`,
      { policy: policyId, user: reader, group: team, service, agency },
    );
    const nestedIds = (name: string) => read[name]?.grants.nodes.map(({ id }) => id) ?? [];
    expect(nestedIds('policy')).toEqual([first, second, third, fourth]);
    expect(nestedIds('user')).toEqual([first, second]);
    expect(nestedIds('group')).toEqual([third]);
    expect(nestedIds('service')).toContain(fourth);
    expect(nestedIds('agency')).toHaveLength(4);
    for (const { grants } of Object.values(read)) expect(grants.totalCount).toBe(grants.nodes.length);
  });

  it('shows inside a workspace what acts there on subjects visible there', async () => {
    const inside = await stage.token(stage.root, { workspace: lab });
    const found = await stage.get<Listed>(inside, list, { filter: { policyId } });
    expect(ids(found)).toEqual([made[0], made[3]]);
    expect(found.grants.totalCount).toBe(2);
    const read = await stage.get<{ user: { grants: { nodes: unknown[] } } }>(
      inside,
      'query ($id: ID!) { user(id: $id) { grants { totalCount nodes { id scope { workspace { name } } } } } }',
      { id: reader },
    );
    expect(read.user.grants).toEqual({
      totalCount: 1,
      nodes: [{ id: made[0], scope: { workspace: { name: 'laboratory' } } }],
    });
  });

  it('is not told of the workspace of a grant that one may not enter', async () => {
    const closed = await stage.workspace('quiet-room', 'PRIVATE');
    const id = (await grant({ policyId, subject: { user: reader }, scope: { workspace: closed } })).grant.id;
    const token = await holder('grant lister', [
      'bailiwick:grants:list',
      'modelarts:workspace:list',
      'modelarts:workspace:get',
    ]);
    const query = `query ($filter: GrantFilterInput) { grants(filter: $filter) { nodes {
      id policy { name } user { name } scope { kind workspace { name } }
    } } }`;
    const read = await stage.get<{ grants: { nodes: { id: string }[] } }>(token, query, { filter: { policyId } });
    expect(read.grants.nodes.find((one) => one.id === id)).toEqual({
      id,
      policy: null,
      user: null,
      scope: { kind: 'WORKSPACE', workspace: null },
    });
    expect(read.grants.nodes.find((one) => one.id === made[0])).toMatchObject({
      scope: { workspace: { name: 'laboratory' } },
    });
    await change(revokeMutation, { id });
  });

  it('says that a grant has ended by its time', async () => {
    const user = await stage.user('for an hour');
    const expiresAt = new Date(stage.iam.now() + 3_600_000).toISOString();
    await grant({ policyId, subject: { user }, scope: { workspace: lab }, expiresAt });
    const read = async (): Promise<unknown> =>
      (
        await stage.get<{ grants: { nodes: unknown[] } }>(
          root,
          'query ($filter: GrantFilterInput) { grants(filter: $filter) { nodes { expiresAt expired } } }',
          { filter: { subject: { user } } },
        )
      ).grants.nodes;
    expect(await read()).toEqual([{ expiresAt, expired: false }]);
    stage.advance(3_600_000);
    expect(await read()).toEqual([{ expiresAt, expired: true }]);
  });

  it('needs its permission at every place', async () => {
    const token = await holder('looks around', ['iam:users:*', 'iam:roles:*', 'iam:groups:*']);
    expect((await stage.ask(token, '{ grants { totalCount } }')).codes).toEqual(['FORBIDDEN']);
    const read = await stage.get(
      token,
      `query ($user: ID!, $policy: ID!, $group: ID!) {
        user(id: $user) { grants { totalCount } } policy(id: $policy) { grants { totalCount } }
        group(id: $group) { grants { totalCount } }
      }`,
      { user: reader, policy: policyId, group: team },
    );
    expect(read).toEqual({ user: { grants: null }, policy: { grants: null }, group: { grants: null } });
  });

  it('takes no more statements for many than for few', async () => {
    const crowd = await stage.policy('of a crowd', ['modelarts:notebook:get']);
    for (let index = 0; index < 8; index += 1) {
      const user = await stage.user(`one of a crowd ${index}`);
      await grant({ policyId: crowd, subject: { user }, scope: { workspace: lab } });
    }
    const query = `query ($first: Int!) { users(first: $first, filter: { nameContains: "crowd" }) { nodes { name
      grants { totalCount nodes { policy { name documentText } user { name } createdBy { name } scope { workspace { name } } } }
    } } }`;
    // The first read after a change reads the rights anew.
    await stage.get(root, query, { first: 1 });
    const few = await stage.statements(() => stage.get(root, query, { first: 2 }));
    const many = await stage.statements(() => stage.get(root, query, { first: 8 }));
    expect(many).toBe(few);
  });
});
