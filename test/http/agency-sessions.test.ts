/**
 * The background job, end to end: a service assumes an agency for a job of a user, the job signs its requests with the
 * temporary key, and the storage service asks who that is. Real signatures over real HTTP, on both databases.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { databaseNames, startHouse, type TestHouse } from '../kit/house.js';
import { Job, plain, reading, writing } from '../kit/job.js';

describe.each(databaseNames)('on %s', (database) => {
  let house: TestHouse;
  let job: Job;

  beforeAll(async () => {
    house = await startHouse({ database });
    job = await Job.set(house);
  });

  const told = 'agency jobs assumed by service modelarts on behalf of user ursula';
  const actor = {
    kind: 'AGENCY',
    name: 'jobs',
    description: told,
    sessionName: 'night-run',
    assumedBy: { kind: 'SERVICE', name: 'modelarts' },
    onBehalfOf: { name: 'ursula' },
  };

  it('answers a key that acts with what the agency was granted, and tells the whole chain', async () => {
    const assumed = await job.assume();
    expect(assumed).toMatchObject({ actor, replayed: false, userErrors: [] });
    const key = assumed.temporaryCredential;
    if (key === null) throw new Error('no credential was answered');
    expect(key.secretAccessKey).toHaveLength(40);
    expect(Date.parse(key.expiresAt) - house.iam.now()).toBeGreaterThan(890_000);
    expect(await job.authenticate(job.received(key))).toEqual({
      actor,
      workspaceId: Buffer.from(`Workspace:${job.lab}`).toString('base64url'),
      decisions: [
        { effect: 'ALLOW', reason: 'ALLOWED', actor },
        { effect: 'DENY', reason: 'NO_MATCHING_ALLOW', actor },
      ],
      userErrors: [],
    });
    // The same key asks for itself.
    const own = await job.send(key, '{ viewer { actor { description } scope { kind } user { id } } }');
    const { id = '' } = (await house.iam.store.access.agencySession(key.accessKeyId)) ?? {};
    expect(house.log.at(-1)).toContain(`"actor":"AGENCY ${plain(job.agencyId)} session ${id}"`);
    expect(own.data).toEqual({ viewer: { actor: { description: told }, scope: { kind: 'WORKSPACE' }, user: null } });
  });

  it('shows nobody of a session to who asks about the agency by its id', async () => {
    // The first to use what the agency was granted since the last change.
    expect(await job.mayRead(await job.credential())).toBe('ALLOWED');
    const { checkAccess } = await house.gql<{ checkAccess: readonly object[] }>(
      job.scene.token,
      `query C($agency: ID!) { checkAccess(principal: { agency: $agency }, requests: [{ action: "${reading}" }]) {
        effect actor { description assumedBy { name } onBehalfOf { name } sessionName } } }`,
      { agency: job.agencyId },
    );
    expect(checkAccess).toEqual([
      {
        effect: 'ALLOW',
        actor: {
          description: 'agency jobs',
          assumedBy: null,
          onBehalfOf: null,
          sessionName: null,
        },
      },
    ]);
  });

  it('tells a service that acts in one workspace nothing of who signed for another', async () => {
    const ask = `query C($request: SignedRequestInput!, $there: ID) {
      checkAccess(
        principal: { credential: { signedRequest: $request } }
        requests: [{ action: "${reading}" }, { action: "${reading}", workspaceId: $there }]
      ) { effect reason actor { description } } }`;
    const request = job.received(await job.credential());
    const told = async (there: string) => {
      const { data } = await job.send(job.storage, ask, { request, there }, { 'x-workspace-id': there });
      return (data as { checkAccess: readonly object[] }).checkAccess;
    };
    const nothing = { effect: 'DENY', reason: 'WORKSPACE_CLOSED', actor: null };
    expect(await told('0')).toEqual([nothing, nothing]);
    // Control: in its own.
    const allowed = {
      effect: 'ALLOW',
      reason: 'ALLOWED',
      actor: { description: actor.description },
    };
    expect(await told(job.lab)).toEqual([allowed, allowed]);
  });

  it('writes down who stood behind a session, and nothing that could be used', async () => {
    const key = await job.credential({ sessionName: 'traced' });
    const events = `{ auditEvents(filter: { operation: "assumeAgency" }, first: 100) { nodes {
      actor { kind description } target { kind id } after } } }`;
    const token = await house.signIn(house.root, { workspace: job.lab });
    const { auditEvents } = await house.gql<{
      auditEvents: {
        nodes: readonly {
          target: { id: string };
          after: object;
          actor: object;
        }[];
      };
    }>(token, events);
    const event = auditEvents.nodes.find(({ target }) => target.id === key.accessKeyId);
    expect(event?.actor).toEqual({
      kind: 'SERVICE',
      description: 'service modelarts',
    });
    expect(event?.after).toMatchObject({
      sessionName: 'traced',
      onBehalfOfId: plain(job.user.id),
      workspaceId: job.lab,
    });
    expect(JSON.stringify(auditEvents)).not.toContain(key.secretAccessKey);
    expect(JSON.stringify(auditEvents)).not.toContain(key.securityToken);
  });

  it('names the chain in the events of what a session changes', async () => {
    for (const actions of [['bailiwick:resources:register'], ['modelarts:model:create']]) {
      await job.scene.grant(await job.scene.policy(`of-${actions[0]}`.replaceAll(':', '-'), actions), {
        agency: job.agencyId,
      });
    }
    const key = await job.credential();
    const register = `mutation R($input: RegisterResourceInput!) { registerResource(input: $input) { resource { id } userErrors { message } } }`;
    const answer = await job.send(key, register, {
      input: { urn: `modelarts::${job.accountId}:model:trained` },
    });
    expect(answer.errors).toEqual([]);
    const token = await house.signIn(house.root, { workspace: job.lab });
    const { auditEvents } = await house.gql<{
      auditEvents: { nodes: readonly object[] };
    }>(
      token,
      '{ auditEvents(filter: { operation: "registerResource" }, first: 1) { nodes { actor { kind name description sessionName assumedBy { kind name } onBehalfOf { name } } } } }',
    );
    expect(auditEvents.nodes).toEqual([{ actor }]);
  });

  it('binds the session to the workspace of its resource', async () => {
    const key = await job.credential();
    expect((await job.send(key, '{ viewer { scope { kind } } }', {}, {})).data).toEqual({
      viewer: { scope: { kind: 'WORKSPACE' } },
    });
    const others: readonly Readonly<Record<string, string>>[] = [
      { 'x-workspace-id': '0' },
      { 'x-domain-id': job.accountId },
    ];
    for (const scope of others) {
      const answer = await job.send(key, '{ viewer { scope { kind } } }', {}, scope);
      expect(answer.status).toBe(401);
      expect(answer.errors[0]?.message).toMatch(/bound to another workspace/);
    }
    const elsewhere = job.received(key, { headers: { 'x-workspace-id': '0' } });
    expect((await job.authenticate(elsewhere)).userErrors).toMatchObject([{ code: 'CREDENTIALS_INVALID' }]);
    // Asked in account scope about another workspace than the session's.
    const requests = ['0', job.lab].map((workspaceId) => ({
      principal: { credential: { signedRequest: job.received(key) } },
      action: reading,
      workspaceId,
    }));
    const check = 'query C($requests: [AccessRequestInput!]!) { checkAccess(requests: $requests) { reason } }';
    const { data } = await job.send(job.storage, check, { requests }, { 'x-domain-id': job.accountId });
    expect(data).toEqual({
      checkAccess: [{ reason: 'WORKSPACE_CLOSED' }, { reason: 'ALLOWED' }],
    });
  });

  it('narrows by a session policy and never widens', async () => {
    const policy = (...actions: string[]) => ({
      Version: '1.1',
      Statement: [{ Effect: 'Allow', Action: actions }],
    });
    const reasons = async (sessionPolicy: unknown): Promise<readonly string[]> => {
      const key = await job.credential({ sessionPolicy });
      const { decisions } = await job.authenticate(job.received(key));
      return decisions?.map(({ reason }) => reason) ?? [];
    };
    expect(await reasons(policy(reading, writing))).toEqual(['ALLOWED', 'NO_MATCHING_ALLOW']);
    expect(await reasons(JSON.stringify(policy(writing)))).toEqual(['SESSION_POLICY', 'NO_MATCHING_ALLOW']);
    expect(
      await reasons({
        Version: '1.1',
        Statement: [{ Effect: 'Deny', Action: [reading] }],
      }),
    ).toEqual(['SESSION_POLICY', 'NO_MATCHING_ALLOW']);
    // Built-in rights stay, unless it denies them.
    const key = await job.credential({ sessionPolicy: policy(writing) });
    expect((await job.send(key, '{ viewer { actor { name } } }')).data).toEqual({
      viewer: { actor: { name: 'jobs' } },
    });
    const mute = await job.credential({
      sessionPolicy: {
        Version: '1.1',
        Statement: [{ Effect: 'Deny', Action: ['bailiwick:session:use'] }],
      },
    });
    const answer = await job.send(mute, '{ viewer { actor { name } } }');
    expect(answer.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN', action: 'bailiwick:session:use' } }]);
  });

  it.each([
    ['too short', { durationSeconds: 899 }, 'INVALID', 'durationSeconds'],
    ['too long', { durationSeconds: 86_401 }, 'INVALID', 'durationSeconds'],
    ['a policy that is none', { sessionPolicy: { Version: '1.1' } }, 'POLICY_DOCUMENT', 'sessionPolicy'],
    [
      'a policy with an unknown action',
      {
        sessionPolicy: {
          Version: '1.1',
          Statement: [{ Effect: 'Allow', Action: ['obs:object:Melt'] }],
        },
      },
      'POLICY_DOCUMENT',
      'sessionPolicy',
    ],
    ['a name with a space', { sessionName: 'night run' }, 'INVALID', 'sessionName'],
    ['no resource', { resourceId: null }, 'INVALID', 'resourceId'],
  ])('refuses %s', async (_what, input, code, path) => {
    const assumed = await job.assume(input);
    expect(assumed).toMatchObject({ temporaryCredential: null, actor: null });
    expect(assumed.userErrors[0]).toMatchObject({
      code,
      path: expect.arrayContaining([path]) as string[],
    });
  });

  it('shows the credential once: a repeat with the key answers the session without it', async () => {
    const input = { idempotencyKey: `once-${database}` };
    const first = await job.assume(input);
    expect(first.temporaryCredential).not.toBeNull();
    expect(await job.assume(input)).toMatchObject({
      temporaryCredential: null,
      actor,
      replayed: true,
      userErrors: [],
    });
  });

  it('wants the token of the key with every request', async () => {
    const key = await job.credential();
    const other = await job.credential();
    const { securityToken: _, ...bare } = key;
    const said = async (used: Parameters<Job['received']>[0]) =>
      (await job.authenticate(job.received(used))).userErrors[0]?.message;
    expect(await said(bare)).toMatch(/needs its `X-Security-Token`/);
    expect(await said({ ...key, securityToken: other.securityToken })).toMatch(/not that of the key/);
    expect(await said({ ...key, secretAccessKey: other.secretAccessKey })).toMatch(/signature fail/);
    expect(await said({ ...job.storage, securityToken: key.securityToken })).toMatch(/goes with temporary keys/);
    const unsigned = job.received(key);
    const tampered = {
      ...unsigned,
      headers: unsigned.headers.map(({ name, value }) => ({
        name,
        value: name === 'authorization' ? value.replace(';x-security-token', '') : value,
      })),
    };
    expect((await job.authenticate(tampered)).userErrors[0]?.message).toMatch(/sent but not signed/);
  });

  it('ends by itself', async () => {
    const key = await job.credential({ durationSeconds: 900 });
    expect(await job.mayRead(key)).toBe('ALLOWED');
    house.advance(901_000);
    expect(await job.mayRead(key)).toMatch(/temporary key has expired/);
    expect((await job.send(key, '{ viewer { actor { name } } }')).errors).toMatchObject([
      { extensions: { code: 'UNAUTHENTICATED', reference: 'IAM.1108' } },
    ]);
  });
});
