/**
 * Attacks on delegation, written down one by one, each beside what it is refused with; and what ends a session that was
 * rightly had, one way after the other. Real signatures over real HTTP, on both databases.
 */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { exchange } from '../kit/exchange.js';
import { databaseNames, startHouse, type TestHouse } from '../kit/house.js';
import { Job, plain, reading, type Assumed, type ServiceKey, type TemporaryKey } from '../kit/job.js';
import { setScene } from '../kit/scene.js';
import { sign } from '../kit/signing.js';

interface Attack {
  readonly says: string;
  /** `code reference` of the first problem, or null when it must succeed: the control beside the attack. */
  readonly expects: string | null;
  readonly tries: (job: Job, more: { readonly accomplice: ServiceKey }) => Promise<Assumed>;
}

let count = 0;
const fresh = (prefix: string): string => `${prefix}-${(count += 1)}`;
const day = 86_400_000;

/** An agency of the same rights and trust, authorized for everyone, under other terms. */
async function agency(job: Job, terms: object = {}, authorized = true): Promise<string> {
  const agencyId = await job.make('createAgency', 'agency', {
    name: fresh('agency'),
    trust: { service: 'modelarts' },
    ...terms,
  });
  const { policyId } = await policyOf(job);
  await job.scene.grant(policyId, { agency: agencyId }, { account: true });
  if (authorized) await job.make('authorizeAgency', 'authorization', { agencyId, allUsers: true });
  return agencyId;
}

async function policyOf({ house, scene }: Job): Promise<{ policyId: string }> {
  const { policies } = await house.gql<{ policies: { nodes: readonly { id: string }[] } }>(
    scene.token,
    '{ policies(filter: { name: "reads-objects" }) { nodes { id } } }',
  );
  return { policyId: policies.nodes[0]?.id ?? '' };
}

/** A user with a job of their own in the laboratory. */
async function owner(job: Job): Promise<{ readonly id: string; readonly resourceId: string }> {
  const { id } = await job.scene.user(fresh('user'));
  return { id, resourceId: await job.register(id) };
}

const untrusted = 'NOT_FOUND ModelArts.4335';
const unmet = 'TRUST_CONDITION IAM.0002';
const unauthorized = 'NOT_AUTHORIZED ModelArts.0429';

const attacks: readonly Attack[] = [
  {
    says: 'control: the trusted service, for a job of the user who authorized it',
    expects: null,
    tries: (job) => job.assume(),
  },
  {
    says: 'another service assumes an agency that does not trust it, for a resource of its own',
    expects: untrusted,
    tries: async (job, { accomplice }) => {
      const resourceId = await job.register(job.user.id, accomplice);
      return job.assume({ resourceId }, accomplice);
    },
  },
  {
    says: 'the same for an agency that does not exist: the two look alike',
    expects: untrusted,
    tries: (job, { accomplice }) => job.assume({ agencyId: 'f'.repeat(32) }, accomplice),
  },
  {
    says: 'confused deputy: the trusted service is talked into a job that another service registered',
    expects: 'NOT_FOUND IAM.0004',
    tries: async (job, { accomplice }) => job.assume({ resourceId: await job.register(job.user.id, accomplice) }),
  },
  {
    says: 'confused deputy: it is given the agency of an account that agreed on an external id, without the id',
    expects: unmet,
    tries: async (job) => job.assume({ agencyId: await agency(job, { externalId: 'agreed-upon' }) }),
  },
  {
    says: 'the same with another id',
    expects: unmet,
    tries: async (job) =>
      job.assume({ agencyId: await agency(job, { externalId: 'agreed-upon' }), externalId: 'guessed' }),
  },
  {
    says: 'control: the same with the id that was agreed; his own authorization is for another agency',
    expects: null,
    tries: async (job) => {
      const { resourceId } = await owner(job);
      const agencyId = await agency(job, { externalId: 'agreed-upon' });
      return job.assume({ agencyId, resourceId, externalId: 'agreed-upon' });
    },
  },
  {
    says: 'a job of the user, on behalf of somebody else',
    expects: unmet,
    tries: async (job) => job.assume({ onBehalfOf: (await owner(job)).id }),
  },
  {
    says: 'a job of a user who authorized nothing, without saying on whose behalf',
    expects: unauthorized,
    tries: async (job) => job.assume({ resourceId: (await owner(job)).resourceId }),
  },
  {
    says: 'a job without an owner through an agency that one user authorized',
    expects: 'NOT_AUTHORIZED ModelArts.2785',
    tries: async (job) => job.assume({ resourceId: await job.register(null) }),
  },
  {
    says: 'control: a job without an owner through an agency that is authorized for everyone',
    expects: null,
    tries: async (job) => job.assume({ agencyId: await agency(job), resourceId: await job.register(null) }),
  },
  {
    says: 'on behalf of a user, a job that has no owner',
    expects: unmet,
    tries: async (job) => job.assume({ resourceId: await job.register(null), onBehalfOf: job.user.id }),
  },
  {
    says: 'through an agency for everyone, for a user who authorized another one: the own entry wins',
    expects: unauthorized,
    tries: async (job) => job.assume({ agencyId: await agency(job) }),
  },
  {
    says: 'through an agency that nobody authorized',
    expects: unauthorized,
    tries: async (job) =>
      job.assume({ agencyId: await agency(job, {}, false), resourceId: (await owner(job)).resourceId }),
  },
  {
    says: 'through an agency that has expired',
    expects: 'AGENCY_EXPIRED ModelArts.4335',
    tries: async (job) => {
      const agencyId = await agency(job, { durationDays: 1 });
      const { resourceId } = await owner(job);
      job.house.advance(day);
      try {
        return await job.assume({ agencyId, resourceId });
      } finally {
        // Or the tokens of everybody else would have expired too.
        job.house.advance(-day);
      }
    },
  },
  {
    says: 'from an address that the agency does not name',
    expects: unmet,
    tries: async (job) => job.assume({ agencyId: await agency(job, { sourceAddresses: ['192.0.2.0/24', '::1'] }) }),
  },
  {
    says: 'control: from an address in a block that it names',
    expects: null,
    tries: async (job) => {
      const agencyId = await agency(job, { sourceAddresses: ['192.0.2.0/24', '127.0.0.0/8'] });
      return job.assume({ agencyId, resourceId: (await owner(job)).resourceId });
    },
  },
  {
    says: 'an agency that is bound to another workspace',
    expects: unmet,
    tries: async (job) =>
      job.assume({ agencyId: await agency(job, { workspaceId: '0' }), resourceId: (await owner(job)).resourceId }),
  },
  {
    says: 'control: an agency that is bound to this workspace',
    expects: null,
    tries: async (job) =>
      job.assume({ agencyId: await agency(job, { workspaceId: job.lab }), resourceId: (await owner(job)).resourceId }),
  },
  {
    says: 'for a user who was disabled',
    expects: 'NOT_AUTHORIZED IAM.0082',
    tries: async (job) => {
      const { id, resourceId } = await owner(job);
      const agencyId = await agency(job);
      await job.change('updateUser', { id, enabled: false });
      return job.assume({ agencyId, resourceId });
    },
  },
  {
    says: 'for a user who was deleted: the job has nobody to act for',
    expects: 'NOT_AUTHORIZED IAM.0082',
    tries: async (job) => {
      const { id, resourceId } = await owner(job);
      const agencyId = await agency(job);
      await job.change('deleteUser', { id });
      return job.assume({ agencyId, resourceId });
    },
  },
  {
    says: 'for a user who may not enter the workspace any more',
    expects: 'NOT_AUTHORIZED IAM.0082',
    tries: async (job) => {
      const { resourceId } = await owner(job);
      const agencyId = await agency(job);
      await job.change('updateWorkspace', { id: job.lab, visibility: 'PRIVATE' });
      const assumed = await job.assume({ agencyId, resourceId });
      await job.change('updateWorkspace', { id: job.lab, visibility: 'PUBLIC' });
      return assumed;
    },
  },
  {
    says: 'for a job in another workspace than the one that the request acts in',
    expects: 'NOT_FOUND IAM.0004',
    tries: async (job) => {
      const works = await job.scene.policy(fresh('trains'), ['modelarts:trainJob:*']);
      await job.scene.grant(works, { service: job.training.id }, { workspace: '0' });
      const urn = `modelarts::${job.accountId}:trainJob:${fresh('elsewhere')}`;
      const query =
        'mutation R($input: RegisterResourceInput!) { made: registerResource(input: $input) { resource { id } userErrors { message } } }';
      const answer = await job.send(job.training, query, { input: { urn, ownerId: job.user.id } }, {});
      const { made } = answer.data as { made: { resource: { id: string } } };
      return job.assume({ resourceId: made.resource.id });
    },
  },
  {
    says: 'chaining: a session of an agency assumes another, which it even was granted to do',
    expects: unmet,
    tries: async (job) => {
      const agencyId = await agency(job);
      const { resourceId } = await owner(job);
      const assumes = await job.scene.policy(fresh('assumes'), ['iam:agencies:assume']);
      await job.scene.grant(assumes, { agency: agencyId });
      const key = await job.credential({ agencyId, resourceId });
      return job.assume({ agencyId, resourceId }, key);
    },
  },
];

interface Ending {
  readonly says: string;
  /** What the storage service is told from then on. */
  readonly expects: RegExp;
  readonly does: (job: Job, own: Own) => Promise<void>;
}

/** What one ending takes away, so that the next has its own. */
interface Own {
  readonly userId: string;
  readonly resourceId: string;
  readonly agencyId: string;
  readonly authorizationId: string;
  readonly grantId: string;
  readonly key: TemporaryKey;
}

const endings: readonly Ending[] = [
  {
    says: 'revoking the authorization',
    expects: /no authorization lets the service act/,
    does: (job, { authorizationId }) => job.change('revokeAuthorization', { id: authorizationId }),
  },
  {
    says: 'deleting the agency',
    expects: /no such agency/,
    does: (job, { agencyId }) => job.change('deleteAgency', { id: agencyId }),
  },
  {
    says: 'trusting another service',
    expects: /does not trust who assumes it/,
    does: (job, { agencyId }) => job.change('updateAgency', { id: agencyId, trust: { service: 'storage' } }),
  },
  {
    says: 'asking for an external id that was not named',
    expects: /asks for an external id/,
    does: (job, { agencyId }) => job.change('updateAgency', { id: agencyId, externalId: 'from now on' }),
  },
  {
    says: 'taking the address away that it was assumed from',
    expects: /may not be assumed from this address/,
    does: (job, { agencyId }) => job.change('updateAgency', { id: agencyId, sourceAddresses: ['192.0.2.7'] }),
  },
  {
    says: 'binding the agency to another workspace',
    expects: /bound to another workspace/,
    does: (job, { agencyId }) => job.change('updateAgency', { id: agencyId, workspaceId: '0' }),
  },
  {
    says: 'revoking the grant of the agency',
    expects: /NO_MATCHING_ALLOW|WORKSPACE_CLOSED/,
    does: (job, { grantId }) => job.change('revokeGrant', { id: grantId }),
  },
  {
    says: 'granting the agency a Deny',
    expects: /EXPLICIT_DENY/,
    does: async (job, { agencyId }) => {
      const denies = await job.scene.policy(fresh('denies'), [{ Effect: 'Deny', Action: [reading] }]);
      await job.scene.grant(denies, { agency: agencyId });
    },
  },
  {
    says: 'disabling the user',
    expects: /user who is acted for is disabled/,
    does: (job, { userId }) => job.change('updateUser', { id: userId, enabled: false }),
  },
  {
    says: 'deleting the user',
    expects: /disabled or gone/,
    does: (job, { userId }) => job.change('deleteUser', { id: userId }),
  },
  {
    says: 'deregistering the job',
    expects: /no such resource/,
    does: async (job, { resourceId }) => {
      const query =
        'mutation D($input: DeregisterResourceInput!) { deregisterResource(input: $input) { userErrors { message } } }';
      const answer = await job.send(job.training, query, { input: { id: resourceId } });
      expect(answer.errors).toEqual([]);
    },
  },
  {
    says: 'giving the job to another user',
    expects: /does not belong to the user/,
    does: async (job, { resourceId }) => {
      const query =
        'mutation U($input: UpdateResourceInput!) { updateResource(input: $input) { userErrors { message } } }';
      const answer = await job.send(job.training, query, { input: { id: resourceId, ownerId: job.user.id } });
      expect(answer.errors).toEqual([]);
    },
  },
];

describe.each(databaseNames)('on %s', (database) => {
  let house: TestHouse;
  let job: Job;
  let accomplice: ServiceKey;

  beforeAll(async () => {
    house = await startHouse({ database });
    job = await Job.set(house);
    accomplice = await job.service({ name: 'accomplice', hosts: ['accomplice.example.com'] });
    for (const actions of [['modelarts:trainJob:*'], ['bailiwick:resources:*', 'iam:agencies:assume']]) {
      await job.scene.grant(await job.scene.policy(fresh('accomplice'), actions), { service: accomplice.id });
    }
  });

  it.each(attacks)('$says', async ({ expects, tries }) => {
    const assumed = await tries(job, { accomplice });
    if (expects === null) {
      expect(assumed.userErrors).toEqual([]);
      expect(assumed.temporaryCredential).not.toBeNull();
      return;
    }
    const [problem] = assumed.userErrors;
    expect(`${problem?.code} ${problem?.reference}`).toBe(expects);
    expect(assumed).toMatchObject({ temporaryCredential: null, actor: null });
    // Says what to do next.
    expect(problem?.message).toMatch(/[;,] /);
  });

  it.each(endings)('$says ends the session at its next request', async ({ expects, does }) => {
    const { id: userId, resourceId } = await owner(job);
    const agencyId = await agency(job, {}, false);
    const authorizationId = await job.make('authorizeAgency', 'authorization', { agencyId, userId });
    const { grants } = (
      await house.gql<{ agency: { grants: { nodes: readonly { id: string }[] } } }>(
        job.scene.token,
        'query G($id: ID!) { agency(id: $id) { grants { nodes { id } } } }',
        { id: agencyId },
      )
    ).agency;
    const grantId = grants.nodes[0]?.id ?? '';
    const key = await job.credential({ agencyId, resourceId });
    expect(await job.mayRead(key)).toBe('ALLOWED');
    await does(job, { userId, resourceId, agencyId, authorizationId, grantId, key });
    expect(await job.mayRead(key)).toMatch(expects);
  });

  it('an authorization of the user’s own for another agency ends what was had through one for everyone', async () => {
    const { id: userId, resourceId } = await owner(job);
    const key = await job.credential({ agencyId: await agency(job), resourceId });
    expect(await job.mayRead(key)).toBe('ALLOWED');
    await job.make('authorizeAgency', 'authorization', { agencyId: job.agencyId, userId });
    expect(await job.mayRead(key)).toMatch(/no authorization lets the service act/);
  });

  it('disabling, rotating away and deleting the key or the service that signed for it ends the session', async () => {
    const query =
      'mutation R($input: RotateServiceKeyInput!) { made: rotateServiceKey(input: $input) { accessKeyId secretAccessKey userErrors { message } } }';
    const rotate = async (endOthers: boolean): Promise<ServiceKey> => {
      const { made } = await house.gql<{ made: { accessKeyId: string; secretAccessKey: string } }>(
        job.scene.token,
        query,
        { input: { id: job.training.id, endOthers } },
      );
      return { ...made, id: job.training.id };
    };
    const agencyId = await agency(job);
    const { resourceId } = await owner(job);
    const second = await rotate(false);
    const assumed = await job.assume({ agencyId, resourceId }, second);
    const key = assumed.temporaryCredential;
    if (key === null) throw new Error(JSON.stringify(assumed));
    expect(await job.mayRead(key)).toBe('ALLOWED');
    await job.change('updateAccessKey', { id: second.accessKeyId, enabled: false });
    expect(await job.mayRead(key)).toMatch(/that assumed the agency was taken back/);
    await job.change('updateAccessKey', { id: second.accessKeyId, enabled: true });
    expect(await job.mayRead(key)).toBe('ALLOWED');
    await job.change('updateService', { id: job.training.id, enabled: false });
    expect(await job.mayRead(key)).toMatch(/that assumed the agency was taken back/);
    await job.change('updateService', { id: job.training.id, enabled: true });
    expect(await job.mayRead(key)).toBe('ALLOWED');
    const last = await rotate(true);
    expect(await job.mayRead(key)).toMatch(/that assumed the agency was taken back/);
    Object.assign(job.training, last);
  });

  it('another’s name: who may change jobs cannot put one of their own into somebody’s name', async () => {
    const eve = await job.scene.user(fresh('eve'));
    for (const actions of [['bailiwick:resources:*'], ['modelarts:trainJob:*']]) {
      await job.scene.grant(
        await job.scene.policy(fresh('changes'), actions),
        { user: eve.id },
        { workspace: job.lab },
      );
    }
    const resourceId = await job.register(eve.id);
    const token = await house.signIn(eve, { workspace: job.lab });
    const update = async (input: object) =>
      (
        await house.ask(
          token,
          'mutation U($input: UpdateResourceInput!) { updateResource(input: $input) { userErrors { code path } } }',
          { input: { id: resourceId, ...input } },
        )
      ).data;
    expect(await update({ ownerId: job.user.id })).toEqual({
      updateResource: { userErrors: [{ code: 'NOT_HELD', path: ['input', 'ownerId'] }] },
    });
    expect(await update({ name: 'renamed' })).toEqual({ updateResource: { userErrors: [] } });
  });

  it('a name that agencies trust: only an administrator makes a service of the platform', async () => {
    const mallory = await job.scene.user(fresh('mallory'));
    await job.scene.grant(await job.scene.policy(fresh('services'), ['bailiwick:services:*']), { user: mallory.id });
    const token = await house.signIn(mallory, 'account');
    const create =
      'mutation C($input: CreateServiceInput!) { createService(input: $input) { service { name } userErrors { code } } }';
    expect((await house.ask(token, create, { input: { name: 'dli' } })).data).toEqual({
      createService: { service: null, userErrors: [{ code: 'NOT_HELD' }] },
    });
    expect((await house.ask(token, create, { input: { name: fresh('own') } })).data).toMatchObject({
      createService: { userErrors: [] },
    });
  });

  it('replay: an assumption that somebody saw pass answers no second credential', async () => {
    const input = { agencyId: await agency(job), resourceId: (await owner(job)).resourceId };
    const query =
      'mutation A($input: AssumeAgencyInput!) { assumeAgency(input: $input) { temporaryCredential { accessKeyId } userErrors { message } } }';
    const body = JSON.stringify({ query, variables: { input } });
    const headers = { 'content-type': 'application/json', host: new URL(house.url).host, 'x-workspace-id': job.lab };
    const signed = sign(job.training, { headers, body, at: house.iam.now() });
    const { host: _, ...others } = signed.headers;
    const sent = { headers: Object.entries({ ...others, authorization: signed.authorization }).flat(), body };
    const first = await exchange(house.url, sent);
    expect(first.text).toMatch(/"temporaryCredential":{"accessKeyId":"[A-Z0-9]{24}"}/);
    const again = await exchange(house.url, sent);
    expect(again.status).toBe(401);
    expect(again.errors[0]?.message).toMatch(/received before/);
    expect(again.text).not.toContain('temporaryCredential":{');
  });

  it('self-grant: neither a session nor the service gives more than it holds', async () => {
    const agencyId = await agency(job);
    const { resourceId } = await owner(job);
    const powers = await job.scene.policy(fresh('powers'), ['iam:permissions:*', 'bailiwick:permissions:*']);
    await job.scene.grant(powers, { agency: agencyId }, { all: true });
    await job.scene.grant(powers, { service: job.training.id }, { all: true });
    // Seen in the workspace, because somebody has them there.
    const [deletes = '', gets = ''] = await Promise.all(
      ['modelarts:notebook:delete', 'modelarts:notebook:get'].map(async (action) => {
        const policyId = await job.scene.policy(fresh('notebooks'), [action]);
        await job.scene.grant(policyId, { service: job.storage.id }, { workspace: job.lab });
        return policyId;
      }),
    );
    await job.scene.grant(gets, { agency: agencyId }, { workspace: job.lab });
    const grant =
      'mutation G($input: GrantPolicyInput!) { grantPolicy(input: $input) { grant { id } userErrors { code message } } }';
    const refused = { grantPolicy: { grant: null, userErrors: [{ code: 'NOT_HELD' }] } };
    // A workspace's own grants are made in it.
    const toAgency = { policyId: deletes, subject: { agency: agencyId }, scope: { workspace: job.lab } };
    const toService = { policyId: deletes, subject: { service: job.training.id }, scope: { workspace: job.lab } };
    const key = await job.credential({ agencyId, resourceId });
    expect((await job.send(key, grant, { input: toAgency })).data).toMatchObject(refused);
    expect((await job.send(job.training, grant, { input: toService })).data).toMatchObject(refused);
    // Control: what the agency holds there it may give; narrowed by its session, not even that.
    const held = { ...toService, policyId: gets };
    const sessionPolicy = {
      Version: '1.1',
      Statement: [{ Effect: 'Allow', Action: ['iam:permissions:*', 'bailiwick:permissions:*'] }],
    };
    const narrowed = await job.credential({ agencyId, resourceId, sessionPolicy });
    expect((await job.send(narrowed, grant, { input: held })).data).toMatchObject(refused);
    expect((await job.send(key, grant, { input: held })).data).toMatchObject({ grantPolicy: { userErrors: [] } });
  });

  it('for ever: a session of an agency that ends gives nothing that outlasts it', async () => {
    const agencyId = await agency(job, { durationDays: 1 });
    const { resourceId } = await owner(job);
    const powers = await job.scene.policy(fresh('powers'), ['iam:permissions:*', 'bailiwick:permissions:*']);
    await job.scene.grant(powers, { agency: agencyId }, { all: true });
    const gets = await job.scene.policy(fresh('notebooks'), ['modelarts:notebook:get']);
    await job.scene.grant(gets, { agency: agencyId }, { workspace: job.lab });
    const key = await job.credential({ agencyId, resourceId });
    const give = async (expiresAt: string | null): Promise<unknown> => {
      const query =
        'mutation G($input: GrantPolicyInput!) { grantPolicy(input: $input) { grant { id } userErrors { code } } }';
      const input = { policyId: gets, subject: { service: job.storage.id }, scope: { workspace: job.lab }, expiresAt };
      return (await job.send(key, query, { input })).data;
    };
    const refused = { grantPolicy: { grant: null, userErrors: [{ code: 'NOT_HELD' }] } };
    expect(await give(null)).toEqual(refused);
    expect(await give(new Date(house.iam.now() + 2 * day).toISOString())).toEqual(refused);
    expect(await give(new Date(house.iam.now() + day / 2).toISOString())).toMatchObject({
      grantPolicy: { userErrors: [] },
    });
  });

  it('self-authorization: the service does not let itself act for somebody', async () => {
    const agencyId = await agency(job, {}, false);
    const { id: userId } = await owner(job);
    const authorize =
      'mutation A($input: AuthorizeAgencyInput!) { authorizeAgency(input: $input) { authorization { id } userErrors { code } } }';
    const scope = { 'x-domain-id': job.accountId };
    const send = () => job.send(job.training, authorize, { input: { agencyId, userId } }, scope);
    expect((await send()).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    for (const actions of [['modelarts:authorization:create'], ['iam:agencies:pass']]) {
      await job.scene.grant(await job.scene.policy(fresh('authorizes'), actions), { service: job.training.id });
    }
    expect((await send()).data).toMatchObject({
      authorizeAgency: { authorization: null, userErrors: [{ code: 'NOT_HELD' }] },
    });
  });

  it('relay: a service that received a signed request cannot pass it on to Bailiwick as its own', async () => {
    const body = JSON.stringify({ query: '{ viewer { actor { name } } }' });
    const key = await job.credential({ agencyId: await agency(job), resourceId: (await owner(job)).resourceId });
    for (const [host, status] of [
      ['accomplice.example.com', 401],
      [new URL(house.url).host, 200],
    ] as const) {
      const headers = {
        'content-type': 'application/json',
        host,
        'x-workspace-id': job.lab,
        'x-security-token': key.securityToken,
      };
      const signed = sign(key, { headers, body, at: house.iam.now() });
      const sent = Object.entries({ ...signed.headers, authorization: signed.authorization }).flat();
      const answer = await exchange(house.url, { headers: sent, body });
      expect(answer.status).toBe(status);
      if (status === 401) expect(answer.errors[0]?.message).toMatch(/was made for a service at/);
    }
  });

  it('a user assumes no agency of a service, not even root', async () => {
    const token = await house.signIn(house.root, { workspace: job.lab });
    const { data } = await house.ask(
      token,
      'mutation A($input: AssumeAgencyInput!) { assumeAgency(input: $input) { temporaryCredential { accessKeyId } userErrors { code reference } } }',
      { input: { agencyId: job.agencyId, resourceId: job.resourceId } },
    );
    expect(data).toEqual({
      assumeAgency: {
        temporaryCredential: null,
        userErrors: [{ code: 'NOT_FOUND', reference: 'ModelArts.4335' }],
      },
    });
  });

  describe('an agency that trusts another account', () => {
    const assume = `mutation A($input: AssumeAgencyInput!) { assumed: assumeAgency(input: $input) {
      temporaryCredential { accessKeyId secretAccessKey securityToken expiresAt }
      actor { description accountId assumedBy { name accountId } } userErrors { code reference path } } }`;
    let partner: string;
    let partnerToken: string;
    let agencyId: string;

    const assumed = async (token: string, input: object) => {
      const answer = await house.ask(token, assume, { input });
      return (answer.data as { assumed: Assumed & { actor: object | null } } | null)?.assumed ?? answer.errors;
    };

    beforeAll(async () => {
      const root = await house.addAccount(fresh('partner'));
      partner = (await house.iam.store.access.accountByName(root.account))?.id ?? '';
      partnerToken = await house.signIn(root);
      agencyId = await job.make('createAgency', 'agency', { name: fresh('partners'), trust: { account: partner } });
      const { policyId } = await policyOf(job);
      await job.scene.grant(policyId, { agency: agencyId }, { account: true });
    });

    it('is assumed from there, acts here, and is told from where', async () => {
      const made = await assumed(partnerToken, { agencyId, sessionName: 'support' });
      expect(made).toMatchObject({
        actor: {
          description: expect.stringMatching(/^agency partners-\d+ assumed by user admin$/) as string,
          accountId: Buffer.from(`Account:${job.accountId}`).toString('base64url'),
          assumedBy: { name: 'admin', accountId: Buffer.from(`Account:${partner}`).toString('base64url') },
        },
        userErrors: [],
      });
      const key = (made as Assumed).temporaryCredential;
      if (key === null) throw new Error(JSON.stringify(made));
      expect(await job.mayRead(key)).toBe('ALLOWED');
      // It acts in any scope that a grant reaches.
      const { data } = await job.send(key, '{ viewer { scope { kind } } }', {}, { 'x-domain-id': job.accountId });
      expect(data).toEqual({ viewer: { scope: { kind: 'ACCOUNT' } } });
      // In the trail of the account whose agency it is.
      const { auditEvents } = await house.gql<{ auditEvents: { nodes: readonly object[] } }>(
        job.scene.token,
        '{ auditEvents(filter: { operation: "assumeAgency" }, first: 1) { nodes { actor { kind name } after } } }',
      );
      expect(auditEvents.nodes).toMatchObject([
        {
          actor: { kind: 'USER', name: expect.stringMatching(/^partner-\d+\/admin$/) as string },
          after: { assumedByAccountId: partner, sessionName: 'support' },
        },
      ]);
      // Signing out over there ends it, and so does a change of the trust.
      await house.gql(partnerToken, 'mutation { signOut { userErrors { code } } }');
      expect(await job.mayRead(key)).toMatch(/that assumed the agency was taken back/);
    });

    it('changes nothing any more when it is taken back there while the change waits for its turn', async () => {
      const root = await house.addAccount(fresh('hasty-partner'));
      const account = (await house.iam.store.access.accountByName(root.account))?.id ?? '';
      const its = await job.make('createAgency', 'agency', { name: fresh('partners'), trust: { account } });
      const makes = await job.scene.policy(fresh('makes-groups'), ['iam:groups:createGroup']);
      await job.scene.grant(makes, { agency: its }, { account: true });
      const token = await house.signIn(root);
      const key = ((await assumed(token, { agencyId: its })) as Assumed).temporaryCredential;
      if (key === null) throw new Error('it was not assumed');
      const create = () =>
        job.send(
          key,
          'mutation C($input: CreateGroupInput!) { createGroup(input: $input) { group { name } userErrors { code } } }',
          { input: { name: fresh('group') } },
          { 'x-domain-id': job.accountId },
        );
      // Control: while it stands.
      expect(await create()).toMatchObject({ data: { createGroup: { userErrors: [] } } });
      const { store } = house.iam;
      const transaction = store.transaction.bind(store);
      const spied = vi.spyOn(store, 'transaction').mockImplementation(async (origin, work) => {
        if (origin.operation === 'createGroup') {
          await house.gql(token, 'mutation { signOut { userErrors { code } } }');
        }
        return transaction(origin, work);
      });
      try {
        const { data, errors } = await create();
        expect(data).toEqual({ createGroup: null });
        expect(errors).toMatchObject([
          { extensions: { code: expect.stringMatching(/FORBIDDEN|UNAUTHENTICATED/) as string } },
        ]);
      } finally {
        spied.mockRestore();
      }
    });

    it('is assumed by who may assume this agency alone', async () => {
      const root = await house.addAccount(fresh('careful-partner'));
      const account = (await house.iam.store.access.accountByName(root.account))?.id ?? '';
      const [its = '', another = ''] = await Promise.all(
        [1, 2].map(() => job.make('createAgency', 'agency', { name: fresh('partners'), trust: { account } })),
      );
      const theirs = await setScene(house, root);
      await house.gql(
        theirs.token,
        'mutation { setAuthorizationMode(input: { mode: STRICT }) { userErrors { code } } }',
      );
      const bob = await theirs.user('bob');
      const policy = await theirs.policy('assumes-one', [
        { Effect: 'Allow', Action: ['iam:agencies:assume'], Resource: [`iam:*:*:agency:${plain(its)}`] },
      ]);
      await theirs.grant(policy, { user: bob.id });
      const token = await house.signIn(bob);
      expect(await assumed(token, { agencyId: its })).toMatchObject({ userErrors: [] });
      expect(await assumed(token, { agencyId: another })).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    });

    it('is not there for a third account, nor for who may not assume', async () => {
      const third = await house.signIn(await house.addAccount(fresh('third')));
      expect(await assumed(third, { agencyId })).toMatchObject({ userErrors: [{ code: 'NOT_FOUND' }] });
      const own = await house.signIn(house.root);
      expect(await assumed(own, { agencyId })).toMatchObject({ userErrors: [{ code: 'NOT_FOUND' }] });
    });

    it('is kept from who may act on nothing of other accounts', async () => {
      const root = await house.addAccount(fresh('careful-partner'));
      const account = (await house.iam.store.access.accountByName(root.account))?.id ?? '';
      const its = await job.make('createAgency', 'agency', { name: fresh('partners'), trust: { account } });
      const scene = await setScene(house, root);
      const user = await scene.user('careful');
      const stays = { StringEquals: { 'g:ResourceAccount': [job.accountId] } };
      const deny = { Effect: 'Deny', Action: ['iam:agencies:assume'], Condition: stays };
      await scene.grant(await scene.policy('assumes', ['iam:agencies:assume']), { user: user.id });
      const token = await house.signIn(user);
      // Control: without the Deny.
      expect(await assumed(token, { agencyId: its })).toMatchObject({ userErrors: [] });
      await scene.grant(await scene.policy('stays', [deny]), { user: user.id });
      expect(await assumed(token, { agencyId: its })).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    });

    it('takes neither resource nor user', async () => {
      const root = await house.addAccount(fresh('other-partner'));
      const account = (await house.iam.store.access.accountByName(root.account))?.id ?? '';
      const its = await job.make('createAgency', 'agency', { name: fresh('partners'), trust: { account } });
      const token = await house.signIn(root);
      expect(await assumed(token, { agencyId: its, resourceId: job.resourceId })).toMatchObject({
        temporaryCredential: null,
        userErrors: [{ code: 'INVALID', path: ['input', 'resourceId'] }],
      });
    });

    it('is confined to the workspace that it is bound to, also from then on', async () => {
      const root = await house.addAccount(fresh('bound-partner'));
      const account = (await house.iam.store.access.accountByName(root.account))?.id ?? '';
      const its = await job.make('createAgency', 'agency', { name: fresh('partners'), trust: { account } });
      const { policyId } = await policyOf(job);
      await job.scene.grant(policyId, { agency: its }, { all: true });
      const made = await assumed(await house.signIn(root), { agencyId: its });
      const key = (made as Assumed).temporaryCredential;
      if (key === null) throw new Error(JSON.stringify(made));
      const scoped = async (scope: Readonly<Record<string, string>>): Promise<number> =>
        (await job.send(key, '{ viewer { scope { kind } } }', {}, scope)).status;
      expect(await scoped({ 'x-domain-id': job.accountId })).toBe(200);
      await job.change('updateAgency', { id: its, workspaceId: job.lab });
      expect(await scoped({ 'x-domain-id': job.accountId })).toBe(401);
      expect(await scoped({ 'x-workspace-id': '0' })).toBe(401);
      expect(await scoped({ 'x-workspace-id': job.lab })).toBe(200);
    });
  });

  it('a key of a session is nobody’s to a service of another account', async () => {
    const key = await job.credential({ agencyId: await agency(job), resourceId: (await owner(job)).resourceId });
    const stranger = await house.addAccount(fresh('stranger'));
    const token = await house.signIn(stranger, 'account');
    const { made } = await house.gql<{
      made: { accessKeyId: string; secretAccessKey: string; service: { id: string } };
    }>(
      token,
      'mutation { made: createService(input: { name: "storage", hosts: ["storage.example.com"] }) { accessKeyId secretAccessKey service { id } userErrors { message } } }',
    );
    const policy = await house.gql<{ made: { policy: { id: string } } }>(
      token,
      'mutation P($document: JSON!) { made: createPolicy(input: { name: "asks", document: $document }) { policy { id } userErrors { message } } }',
      {
        document: {
          Version: '1.1',
          Statement: [{ Effect: 'Allow', Action: ['bailiwick:requests:authenticate', 'bailiwick:access:check'] }],
        },
      },
    );
    await house.gql(
      token,
      'mutation G($input: GrantPolicyInput!) { grantPolicy(input: $input) { userErrors { message } } }',
      {
        input: { policyId: policy.made.policy.id, subject: { service: made.service.id }, scope: { all: true } },
      },
    );
    const theirs = { ...made, id: made.service.id };
    const ask =
      'mutation Ask($input: AuthenticateRequestInput!) { asked: authenticateRequest(input: $input) { actor { name } userErrors { message } } }';
    const answer = await job.send(theirs, ask, { input: { request: job.received(key) } }, {});
    expect(answer.data).toMatchObject({
      asked: { actor: null, userErrors: [{ message: expect.stringMatching(/signature fail/) as string }] },
    });
  });
});
