import { beforeAll, describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { encodeNodeId } from '../../src/graphql/node-ids.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import {
  createAgency,
  createService,
  decisionReasons,
  grantPolicy,
  registerResource,
  updateUser,
  type GrantScopeKind,
  type SubjectKind,
} from '../../src/iam/index.js';
import { must, openStage, type Stage } from './stage.js';
import table from './simulations.json' with { type: 'json' };

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });

interface Decision {
  readonly effect: string;
  readonly reason: string;
  readonly action: string;
  readonly resource: string | null;
  readonly statements: readonly Readonly<Record<string, unknown>>[] | null;
  readonly missingContextKeys: readonly string[];
  readonly problems: readonly string[];
  readonly requestId: string;
}

const decision = `effect reason action resource missingContextKeys problems requestId statements {
  policy policyVersion index sid effect origin originKind group expiresAt
  scope { kind workspace { name } } grant { subjectKind policy { name } }
}`;
const check = `query ($requests: [AccessRequestInput!]!) { done: checkAccess(requests: $requests) { ${decision} } }`;
const simulate = `query ($input: SimulateAccessInput!) { done: simulateAccess(input: $input) { ${decision} } }`;

let stage: Stage;
let root: string;

const ask = async (token: string, requests: readonly object[]): Promise<readonly Decision[]> =>
  (await stage.get<{ done: readonly Decision[] }>(token, check, { requests })).done;
const verdicts = async (token: string, requests: readonly object[]): Promise<readonly (readonly string[])[]> =>
  (await ask(token, requests)).map(({ effect, reason }) => [effect, reason]);

/** Makes a policy of these statements and grants it; without a scope: everywhere. */
const give = async (
  name: string,
  statements: readonly (string | object)[],
  subject: { readonly kind: SubjectKind; readonly id: string },
  scope: { readonly kind: GrantScopeKind; readonly id: string } = { kind: 'ALL', id: '' },
  expiresAt: number | null = null,
): Promise<void> => {
  const policyId = await stage.policy(name, statements);
  must(await grantPolicy(stage.iam, await stage.call(root), { policyId, subject, scope, expiresAt }));
};
const user = (id: string) => ({ kind: 'USER', id }) as const;

let asker: string;
let seer: string;

beforeAll(async () => {
  stage = await openStage(schema);
  root = await stage.token(stage.root, 'account');
  const checker = await stage.user('checker');
  await give('checks', ['bailiwick:access:check'], user(checker));
  asker = await stage.token(checker, 'account');
  seer = await stage.user('seer');
  await give('explains', ['bailiwick:access:*', 'bailiwick:grants:list', 'iam:roles:listRoles'], user(seer));
});

describe('checkAccess about oneself', () => {
  it('answers each request in its order, with the reason', async () => {
    const own = await stage.user('mixed');
    await give(
      'mixed policy',
      [
        { Effect: 'Allow', Action: ['modelarts:notebook:*'] },
        { Effect: 'Deny', Action: ['modelarts:notebook:delete'] },
      ],
      user(own),
    );
    const token = await stage.token(own, { workspace: '0' });
    const actions = ['get', 'delete', 'nonsense', 'list'].map((operation) => `modelarts:notebook:${operation}`);
    const requests = [...actions, 'modelarts:pool:get'].map((action) => ({ action }));
    const decisions = await ask(token, requests);
    expect(decisions.map(({ action, effect, reason }) => [action, effect, reason])).toEqual([
      ['modelarts:notebook:get', 'ALLOW', 'ALLOWED'],
      ['modelarts:notebook:delete', 'DENY', 'EXPLICIT_DENY'],
      ['modelarts:notebook:nonsense', 'DENY', 'UNKNOWN_ACTION'],
      ['modelarts:notebook:list', 'ALLOW', 'ALLOWED'],
      ['modelarts:pool:get', 'DENY', 'NO_MATCHING_ALLOW'],
    ]);
    expect(new Set(decisions.map(({ requestId }) => requestId))).toEqual(new Set(['r1']));
    expect(await verdicts(await stage.token(stage.root, { workspace: '0' }), requests.slice(1, 3))).toEqual([
      ['ALLOW', 'ROOT'],
      ['DENY', 'UNKNOWN_ACTION'],
    ]);
  });

  it('needs no permission of its own, by name or without one', async () => {
    const own = await stage.user('asks itself');
    const token = await stage.token(own, { workspace: '0' });
    expect(
      await verdicts(token, [
        { action: 'modelarts:notebook:get' },
        { action: 'modelarts:notebook:get', principal: { user: own } },
        { action: 'modelarts:notebook:get', principal: { user: encodeNodeId('User', own) }, workspaceId: '0' },
      ]),
    ).toEqual([
      ['ALLOW', 'AUTHORIZATION_MODE'],
      ['ALLOW', 'AUTHORIZATION_MODE'],
      ['ALLOW', 'AUTHORIZATION_MODE'],
    ]);
  });

  it('takes 1 to 1,000 requests', async () => {
    const request = { action: 'modelarts:notebook:get' };
    const many = await ask(
      root,
      Array.from({ length: 1000 }, () => request),
    );
    expect(many).toHaveLength(1000);
    for (const length of [0, 1001]) {
      const { codes, data } = await stage.ask(root, check, { requests: Array.from({ length }, () => request) });
      expect([length, codes, data]).toEqual([length, ['BAD_USER_INPUT'], { done: null }]);
    }
  });

  it('names workspaces from account scope, and no other from inside one', async () => {
    const own = await stage.user('walks about');
    const bench = await stage.workspace('check-bench');
    const closed = await stage.workspace('check-closed', 'PRIVATE');
    await give('at the bench', ['modelarts:notebook:get'], user(own), { kind: 'WORKSPACE', id: bench });
    const action = 'modelarts:notebook:get';
    const everywhere = [undefined, bench, closed, '0', 'none', encodeNodeId('Workspace', bench)].map((workspaceId) => ({
      action,
      workspaceId,
    }));
    expect(await verdicts(await stage.token(own, 'account'), everywhere)).toEqual([
      ['DENY', 'NO_MATCHING_ALLOW'],
      ['ALLOW', 'ALLOWED'],
      ['DENY', 'WORKSPACE_CLOSED'],
      ['DENY', 'NO_MATCHING_ALLOW'],
      ['DENY', 'WORKSPACE_CLOSED'],
      ['ALLOW', 'ALLOWED'],
    ]);
    expect(await verdicts(await stage.token(own, { workspace: '0' }), everywhere)).toEqual([
      ['DENY', 'NO_MATCHING_ALLOW'],
      ['DENY', 'WORKSPACE_CLOSED'],
      ['DENY', 'WORKSPACE_CLOSED'],
      ['DENY', 'NO_MATCHING_ALLOW'],
      ['DENY', 'WORKSPACE_CLOSED'],
      ['DENY', 'WORKSPACE_CLOSED'],
    ]);
  });

  it('keeps statements and problems to itself without the permission to explain', async () => {
    const own = await stage.user('unexplained');
    await give(
      'secret policy',
      [
        { Effect: 'Allow', Action: ['modelarts:notebook:get'] },
        {
          Effect: 'Deny',
          Action: ['modelarts:notebook:get'],
          Condition: { NumberLessThan: { 'modelarts:poolId': ['10'] } },
        },
      ],
      user(own),
    );
    const context = [{ key: 'modelarts:poolId', values: ['no number'] }];
    const request = { action: 'modelarts:notebook:get', workspaceId: '0', context };
    const [told] = await ask(await stage.token(own, { workspace: '0' }), [request]);
    expect(told).toMatchObject({ effect: 'ALLOW', reason: 'ALLOWED', statements: null, problems: [] });
    const [explained] = await ask(await stage.token(seer, 'account'), [{ ...request, principal: { user: own } }]);
    expect(explained).toMatchObject({
      effect: 'ALLOW',
      statements: [{ policy: 'secret policy' }],
      problems: [expect.stringContaining('`secret policy`')],
    });
  });

  it('reads keys of the request, and says which were missing', async () => {
    const own = await stage.user('pool user');
    await give(
      'no public pools',
      [
        { Effect: 'Allow', Action: ['modelarts:notebook:create'] },
        {
          Effect: 'Deny',
          Action: ['modelarts:notebook:create'],
          Condition: { StringEquals: { 'modelarts:poolType': ['public'] } },
        },
      ],
      user(own),
    );
    const token = await stage.token(own, { workspace: '0' });
    const action = 'modelarts:notebook:create';
    const on = (...values: string[]) => ({ action, context: [{ key: 'modelarts:poolType', values }] });
    const decisions = await ask(token, [on('public'), on('dedicated'), { action }, on('dedicated', 'public')]);
    expect(decisions.map(({ effect, missingContextKeys }) => [effect, missingContextKeys])).toEqual([
      ['DENY', []],
      ['ALLOW', []],
      ['ALLOW', ['modelarts:poolType']],
      ['DENY', []],
    ]);
  });

  it('refuses a resource that is no URN, which would pass by a Deny that names resources', async () => {
    const own = await stage.user('names loosely');
    await give(
      'all notebooks but one',
      [
        { Effect: 'Allow', Action: ['modelarts:notebook:*'] },
        { Effect: 'Deny', Action: ['modelarts:notebook:*'], Resource: ['modelarts:*:*:notebook:secret'] },
      ],
      user(own),
    );
    const token = await stage.token(own, { workspace: '0' });
    const on = (resource: string) => ({ action: 'modelarts:notebook:get', resource });
    expect(await verdicts(token, [on('modelarts:::notebook:secret'), on('modelarts:::notebook:other')])).toEqual([
      ['DENY', 'EXPLICIT_DENY'],
      ['ALLOW', 'ALLOWED'],
    ]);
    for (const wrong of [
      '',
      'secret',
      'modelarts:notebook:secret',
      'modelarts:::notebook:',
      'modelarts:::notebook:*',
    ]) {
      const { codes } = await stage.ask(token, check, { requests: [on('modelarts:::notebook:other'), on(wrong)] });
      expect([wrong, codes]).toEqual([wrong, ['BAD_USER_INPUT']]);
    }
  });

  it('lets nobody set what the server knows, nor a user what services say', async () => {
    for (const key of ['g:UserName', 'G:userid', 'g:DomainId', 'g:PrincipalUrn', 'g:MFAPresent', 'g:SourceIp']) {
      const requests = [{ action: 'modelarts:notebook:get', context: [{ key, values: ['x'] }] }];
      const { codes } = await stage.ask(root, check, { requests });
      expect([key, codes]).toEqual([key, ['BAD_USER_INPUT']]);
    }
  });

  it('is for authenticated actors', async () => {
    expect((await stage.ask(null, check, { requests: [{ action: 'modelarts:notebook:get' }] })).codes).toEqual([
      'UNAUTHENTICATED',
    ]);
  });
});

describe('checkAccess about others', () => {
  it('needs a permission, be it for one request among many', async () => {
    const other = await stage.user('asked about');
    const token = await stage.token(await stage.user('curious'), 'account');
    const requests = [
      { action: 'modelarts:notebook:get' },
      { action: 'modelarts:notebook:get', principal: { user: other } },
    ];
    const { errors, data } = await stage.ask(token, check, { requests });
    expect(errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', action: 'bailiwick:access:check' });
    expect(data).toEqual({ done: null });
    expect(await verdicts(asker, [{ ...requests[1], workspaceId: '0' }])).toEqual([['ALLOW', 'AUTHORIZATION_MODE']]);
  });

  it('asks for users, agencies and services by what was granted to them', async () => {
    const call = await stage.call(root);
    const person = await stage.user('granted person');
    const agency = must(
      await createAgency(stage.iam, call, { name: 'checked', trust: { kind: 'SERVICE', id: 'modelarts' } }),
    ).id;
    const service = must(await createService(stage.iam, call, { name: 'checked' })).service.id;
    await give('for all three', ['modelarts:notebook:get'], user(person));
    for (const subject of [
      { kind: 'AGENCY', id: agency },
      { kind: 'SERVICE', id: service },
    ] as const) {
      await give(`for the ${subject.kind}`, ['modelarts:notebook:get'], subject);
    }
    const requests = [{ user: person }, { agency }, { service: encodeNodeId('Service', service) }].flatMap(
      (principal) =>
        ['modelarts:notebook:get', 'modelarts:notebook:list'].map((action) => ({
          principal,
          action,
          workspaceId: '0',
        })),
    );
    expect(await verdicts(asker, requests)).toEqual([
      ['ALLOW', 'ALLOWED'],
      ['DENY', 'NO_MATCHING_ALLOW'],
      ['ALLOW', 'ALLOWED'],
      ['DENY', 'NO_MATCHING_ALLOW'],
      ['ALLOW', 'ALLOWED'],
      ['DENY', 'NO_MATCHING_ALLOW'],
    ]);
  });

  it('says of a principal that it is missing, of another account, disabled or expired', async () => {
    const neighbour = await stage.neighbour('over there');
    const disabled = await stage.user('disabled');
    must(await updateUser(stage.iam, await stage.call(root), { id: disabled, enabled: false }));
    const agency = must(
      await createAgency(stage.iam, await stage.call(root), {
        name: 'for a day',
        trust: { kind: 'SERVICE', id: 'modelarts' },
        durationDays: 1,
      }),
    ).id;
    const action = 'modelarts:notebook:get';
    const requests = [
      { user: 'none' },
      { user: neighbour.root },
      { service: 'none' },
      { agency: 'none' },
      { user: disabled },
    ].map((principal) => ({ principal, action, workspaceId: '0' }));
    expect(await verdicts(asker, requests)).toEqual([
      ['DENY', 'PRINCIPAL_NOT_FOUND'],
      ['DENY', 'PRINCIPAL_NOT_FOUND'],
      ['DENY', 'PRINCIPAL_NOT_FOUND'],
      ['DENY', 'PRINCIPAL_NOT_FOUND'],
      ['DENY', 'PRINCIPAL_DISABLED'],
    ]);
    stage.advance(2 * 86_400_000);
    root = await stage.token(stage.root, 'account');
    const later = await stage.token(stage.root, 'account');
    expect(await verdicts(later, [{ principal: { agency }, action, workspaceId: '0' }])).toEqual([
      ['DENY', 'AGENCY_EXPIRED'],
    ]);
    const wrong = [{ principal: { user: encodeNodeId('Group', disabled) }, action }];
    expect((await stage.ask(later, check, { requests: wrong })).codes).toEqual(['BAD_USER_INPUT']);
    const both = [{ principal: { user: disabled, agency }, action }];
    expect((await stage.ask(later, check, { requests: both })).codes).toEqual(['BAD_USER_INPUT']);
  });

  it('takes a credential with its whole session: who, and where', async () => {
    const person = await stage.user('shows a token');
    const bench = await stage.workspace('token-bench');
    // Elsewhere too: the scope of the token is what keeps it out of there.
    await give('at the token bench', ['modelarts:notebook:get'], user(person), { kind: 'ALL', id: '' });
    const elsewhere = `modelarts::${stage.accountId}:notebook:elsewhere`;
    const inDefault = await stage.call(await stage.token(stage.root, { workspace: '0' }));
    must(await registerResource(stage.iam, inDefault, { urn: elsewhere }));
    const token = await stage.token(person, { workspace: bench });
    const checkerToken = await stage.token(stage.root, 'account');
    const neighbour = await stage.neighbour('token next door');
    const foreign = await neighbour.token(neighbour.root, { workspace: '0' });
    const action = 'modelarts:notebook:get';
    const bearing = (shown: string, more: object = {}) => ({
      principal: { credential: { token: shown } },
      action,
      ...more,
    });
    expect(
      await verdicts(checkerToken, [
        bearing(token),
        bearing(token, { workspaceId: '0' }),
        bearing(token, { resource: elsewhere }),
        bearing('nonsense'),
        bearing(foreign),
      ]),
    ).toEqual([
      ['ALLOW', 'ALLOWED'],
      ['DENY', 'WORKSPACE_CLOSED'],
      ['DENY', 'NO_MATCHING_ALLOW'],
      ['DENY', 'CREDENTIAL_REVOKED'],
      ['DENY', 'CREDENTIAL_REVOKED'],
    ]);
  });

  it('finds inside a workspace only who is visible there', async () => {
    const closed = await stage.workspace('check-private', 'PRIVATE');
    const outsider = await stage.user('outsider');
    const inside = await stage.token(stage.root, { workspace: closed });
    const request = { principal: { user: outsider }, action: 'modelarts:notebook:get' };
    expect(await verdicts(inside, [request])).toEqual([['DENY', 'PRINCIPAL_NOT_FOUND']]);
  });

  it('lets what is registered of a resource win over what is asked', async () => {
    const bench = await stage.workspace('resource-bench');
    const inside = await stage.token(stage.root, { workspace: bench });
    const urn = `modelarts::${stage.accountId}:notebook:n1`;
    must(
      await registerResource(stage.iam, await stage.call(inside), {
        urn,
        tags: [{ key: 'team', value: 'red' }],
      }),
    );
    const person = await stage.user('red team');
    await give(
      'of the red team',
      [
        {
          Effect: 'Allow',
          Action: ['modelarts:notebook:get'],
          Condition: { StringEquals: { 'g:ResourceTag/team': ['red'] } },
        },
      ],
      user(person),
      { kind: 'WORKSPACE', id: bench },
    );
    const checkerToken = await stage.token(stage.root, 'account');
    const principal = { user: person };
    const action = 'modelarts:notebook:get';
    expect(
      await verdicts(checkerToken, [
        { principal, action, resource: urn },
        { principal, action, resource: urn, workspaceId: '0' },
        { principal, action, resource: `${urn}2`, workspaceId: bench },
      ]),
    ).toEqual([
      ['ALLOW', 'ALLOWED'],
      ['ALLOW', 'ALLOWED'],
      ['DENY', 'NO_MATCHING_ALLOW'],
    ]);
  });
});

describe('the statements of a decision', () => {
  it('say which policy, where in it, and how it came to bind', async () => {
    const person = await stage.user('explained');
    const team = await stage.group('explained team', [person]);
    const bench = await stage.workspace('explained-bench');
    const until = stage.iam.now() + 3_600_000;
    await give(
      'through the team',
      [
        { Effect: 'Allow', Action: ['modelarts:pool:get'] },
        { Effect: 'Allow', Action: ['modelarts:notebook:get'] },
      ],
      { kind: 'GROUP', id: team },
      { kind: 'WORKSPACE', id: bench },
      until,
    );
    await give('straight', ['modelarts:notebook:get'], user(person));
    const token = await stage.token(seer, 'account');
    const [told] = await ask(token, [
      { principal: { user: person }, action: 'modelarts:notebook:get', workspaceId: bench },
    ]);
    expect(told?.statements).toHaveLength(2);
    expect(told?.statements).toEqual(
      expect.arrayContaining([
        {
          policy: 'through the team',
          policyVersion: 1,
          index: 1,
          sid: null,
          effect: 'ALLOW',
          origin: `granted through group \`explained team\` in one workspace until ${new Date(until).toISOString()}`,
          originKind: 'GRANT',
          group: 'explained team',
          expiresAt: new Date(until).toISOString(),
          scope: { kind: 'WORKSPACE', workspace: null },
          grant: { subjectKind: 'GROUP', policy: { name: 'through the team' } },
        },
        {
          policy: 'straight',
          policyVersion: 1,
          index: 0,
          sid: null,
          effect: 'ALLOW',
          origin: 'granted straight in the account and every workspace',
          originKind: 'GRANT',
          group: null,
          expiresAt: null,
          scope: { kind: 'ALL', workspace: null },
          grant: { subjectKind: 'USER', policy: { name: 'straight' } },
        },
      ]),
    );
  });

  it('name built-in policies as such', async () => {
    const person = await stage.user('by default');
    const token = await stage.token(stage.root, 'account');
    const [loose, self] = await ask(token, [
      { principal: { user: person }, action: 'modelarts:notebook:get', workspaceId: '0' },
      { principal: { user: person }, action: 'bailiwick:session:use' },
    ]);
    expect(loose).toMatchObject({
      reason: 'AUTHORIZATION_MODE',
      statements: [
        {
          policy: 'ModelArts default access',
          origin: 'built-in default of authorization mode LOOSE',
          originKind: 'BUILT_IN',
          scope: null,
          grant: null,
        },
      ],
    });
    expect(self).toMatchObject({
      reason: 'ALLOWED',
      statements: [
        { policy: 'Self', sid: 'UseSession', origin: 'built-in policy of everyone', originKind: 'BUILT_IN' },
      ],
    });
  });
});

describe('simulateAccess', () => {
  interface Row {
    readonly sentence: string;
    readonly policies: readonly unknown[];
    readonly authorizationMode?: string;
    readonly requests: readonly object[];
    readonly decisions: readonly (readonly [effect: string, reason: string, ...statements: string[]])[];
    readonly missingContextKeys?: readonly string[];
    readonly problems?: readonly string[];
  }

  it.each(table as unknown as readonly Row[])('$sentence', async (row) => {
    const { policies, requests, authorizationMode } = row;
    const input = { policies, requests, ...(authorizationMode === undefined ? {} : { authorizationMode }) };
    const { done } = await stage.get<{ done: readonly Decision[] }>(root, simulate, { input });
    expect(
      done.map(({ effect, reason, statements }) => [
        effect,
        reason,
        ...(statements ?? []).map((one) => `${String(one['policy'])}/${String(one['index'])} ${String(one['origin'])}`),
      ]),
    ).toEqual(row.decisions);
    const [first] = done;
    expect(first?.missingContextKeys).toEqual(row.missingContextKeys ?? []);
    expect(first?.problems).toEqual((row.problems ?? []).map((part) => expect.stringContaining(part) as string));
    expect(first?.requestId).toBe('r1');
  });

  it('takes 1 to 1,000 requests, each in its place', async () => {
    const policies = [{ Version: '1.1', Statement: [{ Effect: 'Allow', Action: ['a:b:even*'] }] }];
    const requests = Array.from({ length: 1000 }, (_, i) => ({ action: `a:b:${i % 2 === 0 ? 'even' : 'odd'}${i}` }));
    const { done } = await stage.get<{ done: readonly Decision[] }>(root, simulate, { input: { policies, requests } });
    expect(done.map(({ action }) => action)).toEqual(requests.map(({ action }) => action));
    expect(done.every(({ effect }, i) => effect === (i % 2 === 0 ? 'ALLOW' : 'DENY'))).toBe(true);
    for (const wrong of [[], [...requests, ...requests.slice(0, 1)]]) {
      const { codes } = await stage.ask(root, simulate, { input: { policies, requests: wrong } });
      expect([wrong.length, codes]).toEqual([wrong.length, ['BAD_USER_INPUT']]);
    }
  });

  it('needs its permission', async () => {
    const input = { policies: [], requests: [{ action: 'a:b:c' }] };
    const token = await stage.token(await stage.user('simulates nothing'), 'account');
    const { errors } = await stage.ask(token, simulate, { input });
    expect(errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', action: 'bailiwick:access:simulate' });
  });
});

describe('viewer.permissions', () => {
  it('answers for the actions asked, in their order', async () => {
    const own = await stage.user('permitted');
    await give('permits', ['modelarts:notebook:get'], user(own));
    const token = await stage.token(own, { workspace: '0' });
    const query = 'query ($actions: [String!]) { viewer { permissions(actions: $actions) { action effect reason } } }';
    const actions = ['modelarts:notebook:list', 'modelarts:notebook:get', 'none:of:these'];
    expect(await stage.get(token, query, { actions })).toEqual({
      viewer: {
        permissions: [
          { action: 'modelarts:notebook:list', effect: 'DENY', reason: 'NO_MATCHING_ALLOW' },
          { action: 'modelarts:notebook:get', effect: 'ALLOW', reason: 'ALLOWED' },
          { action: 'none:of:these', effect: 'DENY', reason: 'UNKNOWN_ACTION' },
        ],
      },
    });
    const { viewer } = await stage.get<{ viewer: { permissions: { action: string; effect: string }[] } }>(token, query);
    expect(viewer.permissions).toHaveLength(
      platformCatalogue.rows.filter(({ aliasOf }) => aliasOf === null).length + 0,
    );
    expect(viewer.permissions.filter(({ effect }) => effect === 'ALLOW').map(({ action }) => action)).toContain(
      'modelarts:notebook:get',
    );
    expect((await stage.ask(token, query, { actions: Array.from({ length: 1001 }, () => 'a:b:c') })).codes).toEqual([
      'BAD_USER_INPUT',
    ]);
  });

  it('shows the account to everyone in it, its mode to those who may read settings', async () => {
    const token = await stage.token(await stage.user('looks up'), { workspace: '0' });
    const query = '{ viewer { account { id name authorizationMode } } }';
    const account = { id: encodeNodeId('Account', stage.accountId), name: 'default' };
    expect(await stage.get(token, query)).toEqual({ viewer: { account: { ...account, authorizationMode: null } } });
    expect(await stage.get(await stage.token(stage.root, 'account'), query)).toEqual({
      viewer: { account: { ...account, authorizationMode: 'LOOSE' } },
    });
  });
});

describe('the reasons', () => {
  it('are those of the business, each described', () => {
    const type = schema.getType('DecisionReason');
    if (type === undefined || !('getValues' in type)) throw new Error('DecisionReason is an enum');
    expect(type.getValues().map(({ name }) => name)).toEqual(Object.keys(decisionReasons));
    for (const { description } of type.getValues()) expect(description).toMatch(/^(?!The )[A-Z].*\.$/);
  });
});
