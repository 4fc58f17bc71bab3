/**
 * The background job end to end: Bailiwick, a training service and a storage service as three processes that know each
 * other by HTTP alone. A user starts a job with a token made for the training service; the job works later with nobody
 * there, its requests signed by the vendor's SDK with temporary keys; and whatever is taken back stops its next request.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signRequest } from '../../src/sdk/index.js';
import { exchange, type Answer } from '../kit/exchange.js';
import type { Person } from '../kit/house.js';
import { filesBelow, postgresPlaces, sqliteRows, textSource } from '../secrets/places.js';
import { Search } from '../secrets/search.js';
import { databases } from '../store/databases.js';
import { Platform, type Job, type Reply, type Step, type Told } from './platform.js';

const { postgres } = databases({ own: true });

afterAll(() => postgres.stop());

interface Ending {
  readonly says: string;
  readonly does: (platform: Platform, job: Job) => Promise<unknown>;
  /** What storage answers the next request of the job. */
  readonly status: 401 | 403;
  /** Its message and the reason beside it. */
  readonly expects: RegExp;
  /** What the training service is told when it asks for another key afterwards; absent: the key itself is still good. */
  readonly refusal?: string;
  /** Whether the job's owner goes with it. */
  readonly takesOwner?: boolean;
}

const endings: readonly Ending[] = [
  {
    says: 'revoking the authorization',
    does: (platform, { authorizationId }) => platform.change('revokeAuthorization', { id: authorizationId }),
    status: 401,
    expects: /no authorization lets the service act through this agency for this user/,
    refusal: 'NOT_AUTHORIZED',
  },
  {
    says: 'deleting the agency',
    does: (platform, { agencyId }) => platform.change('deleteAgency', { id: agencyId }),
    status: 401,
    expects: /there is no such agency/,
    refusal: 'NOT_FOUND',
  },
  {
    says: 'revoking the grant that lets the agency read and write objects',
    does: (platform, { grantIds: [objects] }) => platform.change('revokeGrant', { id: objects }),
    status: 403,
    expects: /is not allowed for you here.* NO_MATCHING_ALLOW/,
  },
  {
    says: 'revoking every grant of the agency',
    does: async (platform, { grantIds }) => {
      for (const id of grantIds) await platform.change('revokeGrant', { id });
    },
    status: 403,
    expects: /is not allowed for you here.* WORKSPACE_CLOSED/,
  },
  {
    says: 'disabling the user',
    does: (platform, { owner }) => platform.change('updateUser', { id: owner.id, enabled: false }),
    status: 401,
    expects: /the user who is acted for is disabled/,
    refusal: 'NOT_AUTHORIZED',
    takesOwner: true,
  },
  {
    says: 'deleting the user',
    does: (platform, { owner }) => platform.change('deleteUser', { id: owner.id }),
    status: 401,
    expects: /the user who is acted for is disabled or gone/,
    refusal: 'NOT_AUTHORIZED',
    takesOwner: true,
  },
  {
    says: 'taking the job off the register',
    does: (platform, job) => platform.endJob(job),
    status: 401,
    expects: /there is no such resource/,
    refusal: 'NOT_FOUND',
  },
  {
    says: 'asking for an external id that was not agreed on',
    does: (platform, { agencyId }) => platform.change('updateAgency', { id: agencyId, externalId: 'from now on' }),
    status: 401,
    expects: /the agency asks for an external id/,
    refusal: 'TRUST_CONDITION',
  },
  {
    says: 'letting the agency be assumed from other addresses only',
    does: (platform, { agencyId }) => platform.change('updateAgency', { id: agencyId, sourceAddresses: ['192.0.2.7'] }),
    status: 401,
    expects: /the agency may not be assumed from this address/,
    refusal: 'TRUST_CONDITION',
  },
  {
    says: 'having the agency trust another service',
    does: (platform, { agencyId }) => platform.change('updateAgency', { id: agencyId, trust: { service: 'storage' } }),
    status: 401,
    expects: /it does not trust who assumes it/,
    refusal: 'NOT_FOUND',
  },
];

const reasonOf = ({ body }: Told): string => `${body?.error?.message} ${body?.error?.reason}`;

/** The step ran, and everything about it is as it should be. */
function expectDone({ status, body }: Reply<Step>, job: Job): string {
  expect(status, JSON.stringify(body)).toBe(200);
  const actor = `agency ${job.agencyName} assumed by service modelarts on behalf of user ${job.owner.name}`;
  expect(body).toMatchObject({ put: { status: 201, actor }, get: { status: 200, actor }, same: true });
  return body.credential;
}

/** Both requests of the step were refused, though it had the key of the step before. */
function expectRefused(
  { status, body }: Reply<Step>,
  credential: string,
  expected: Pick<Ending, 'status' | 'expects'>,
) {
  expect(status, JSON.stringify(body)).toBe(200);
  expect(body.credential).toBe(credential);
  for (const told of [body.put, body.get]) {
    expect(told?.status).toBe(expected.status);
    expect(told === null ? '' : reasonOf(told)).toMatch(expected.expects);
  }
}

function describeOn(database: 'sqlite' | 'postgres'): void {
  let databaseUrl: string | null = null;
  let platform: Platform;
  let ursula: Person;
  /** Her own, and the one that she gave the training service. */
  let own = '';
  let token = '';
  let owners = 0;

  beforeAll(async () => {
    if (database === 'postgres') databaseUrl = await postgres.freshUrl();
    platform = await Platform.start(databaseUrl);
    ursula = await platform.engineer('ursula');
    own = await platform.signIn(ursula, { workspace: platform.workspace });
    token = await platform.narrow(own);
  });

  afterAll(() => platform?.stop());

  const atStorage = (name: string): string => `${platform.storageUrl}/v1/buckets/training/objects/${name}`;

  /** A request to the storage service with a token. */
  const showing = (shown: string): Promise<Answer> =>
    exchange(atStorage('some-object'), { method: 'GET', headers: ['authorization', `Bearer ${shown}`] });

  describe('a job', () => {
    let job: Job;
    let credential = '';

    it('is started with a token that was made for the training service', async () => {
      job = await platform.job(ursula, token);
      const { resource } = await platform.gql<{ resource: object }>(
        await platform.signIn(platform.root, { workspace: platform.workspace }),
        'query R($id: ID!) { resource(id: $id) { kind name owner { name } workspace { name } } }',
        { id: job.id },
      );
      expect(resource).toEqual({
        kind: 'modelarts:trainJob',
        name: job.name,
        owner: { name: 'ursula' },
        workspace: { name: 'vision' },
      });
    });

    it('writes and reads objects with nobody there, and storage knows on whose behalf', async () => {
      credential = expectDone(await platform.step(job), job);
      expect(credential).toMatch(/^[A-Z0-9]{24}$/);
      expect(expectDone(await platform.step(job), job)).toBe(credential);
    });

    it('reaches no objects but its own: the training service narrowed its key', async () => {
      const { body } = await platform.step(job, { key: 'somebody-else' });
      expect(body).toMatchObject({
        credential,
        get: { status: 403, body: { error: { reason: 'SESSION_POLICY' } } },
      });
    });

    it('is told apart in the audit trail: who assumed which agency, and on whose behalf', async () => {
      const model = await platform.publish(job);
      expect(model.status, JSON.stringify(model.body)).toBe(201);
      const query = `query A($id: ID!) { auditEvents(filter: { targetId: $id }) {
        nodes { operation actor { kind description sessionName onBehalfOf { name } } workspace { name } }
      } }`;
      const inside = await platform.signIn(platform.root, { workspace: platform.workspace });
      const trail = async (id: string) =>
        (await platform.gql<{ auditEvents: { nodes: object[] } }>(inside, query, { id })).auditEvents.nodes;
      const description = `agency ${job.agencyName} assumed by service modelarts on behalf of user ursula`;
      const actor = { kind: 'AGENCY', description, sessionName: job.name, onBehalfOf: { name: 'ursula' } };
      expect(await trail(model.body.id)).toEqual([
        { operation: 'registerResource', actor, workspace: { name: 'vision' } },
      ]);
      expect(await trail(job.id)).toMatchObject([
        { operation: 'registerResource', actor: { description: 'service modelarts', onBehalfOf: null } },
      ]);
    });

    it('runs on when its owner has gone home: nobody’s token is needed or kept', async () => {
      const later = await platform.engineer('uma');
      const session = await platform.signIn(later, { workspace: platform.workspace });
      const hers = await platform.job(later, await platform.narrow(session));
      await platform.gql(session, 'mutation { signOut { userErrors { code } } }');
      expectDone(await platform.step(hers), hers);
    });

    it('is not for whoever may not start one, nor with a token for elsewhere', async () => {
      const victor = await platform.user('victor');
      const session = await platform.signIn(victor, { workspace: platform.workspace });
      const input = { name: 'victors', agency: job.agencyId };
      expect(await platform.startJob(await platform.narrow(session), input)).toMatchObject({
        status: 403,
        body: { error: { code: 'NO_MATCHING_ALLOW' } },
      });
      expect(await platform.startJob(token, { ...input, workspace: '0' })).toMatchObject({
        status: 401,
        body: { error: { code: 'WORKSPACE_CLOSED' } },
      });
    });
  });

  describe('the token for the training service', () => {
    it('is worth nothing at the storage service', async () => {
      const answer = await showing(token);
      expect(answer.status).toBe(401);
      expect(JSON.parse(answer.text)).toMatchObject({ error: { reason: 'CREDENTIAL_REVOKED' } });
    });

    it('control: one that was made for the storage service is worth what its bearer may do there', async () => {
      const answer = await showing(await platform.narrow(own, platform.storage));
      expect(answer.status).toBe(403);
      expect(JSON.parse(answer.text)).toMatchObject({ error: { reason: 'NO_MATCHING_ALLOW' } });
    });

    it('is no way into Bailiwick', async () => {
      expect((await platform.ask(token, '{ viewer { actor { name } } }')).status).toBe(401);
    });

    it('for another service starts no job', async () => {
      const elsewhere = await platform.narrow(own, platform.storage);
      expect(await platform.startJob(elsewhere, { name: 'x', agency: 'x' })).toMatchObject({
        status: 401,
        body: { error: { code: 'CREDENTIAL_REVOKED' } },
      });
    });

    it('ends with the session that it was made from', async () => {
      const session = await platform.signIn(ursula, { workspace: platform.workspace });
      const brief = await platform.narrow(session);
      await platform.gql(session, 'mutation { signOut { userErrors { code } } }');
      expect(await platform.startJob(brief, { name: 'x', agency: 'x' })).toMatchObject({
        status: 401,
        body: { error: { code: 'CREDENTIAL_REVOKED' } },
      });
    });
  });

  describe('the next request of a job is refused after', () => {
    it.each(endings)('$says', async ({ does, refusal, takesOwner = false, ...expected }) => {
      const owner = takesOwner ? await platform.engineer(`owner ${(owners += 1)}`) : ursula;
      const narrowed = takesOwner
        ? await platform.narrow(await platform.signIn(owner, { workspace: platform.workspace }))
        : token;
      const job = await platform.job(owner, narrowed);
      const credential = expectDone(await platform.step(job), job);
      await does(platform, job);
      expectRefused(await platform.step(job), credential, expected);
      const next = await platform.step(job);
      if (refusal === undefined) return expectRefused(next, credential, expected);
      // The training service gave the key up, and gets no other.
      expect(next).toMatchObject({ status: 409, body: { error: { code: refusal } } });
    });

    it('disabling the key of the training service; enabled again, the job goes on', async () => {
      const job = await platform.job(ursula, token);
      const credential = expectDone(await platform.step(job), job);
      const { accessKeyId: id } = platform.training;
      await platform.change('updateAccessKey', { id, enabled: false });
      const expected = { status: 401, expects: /key or session that assumed the agency was taken back/ } as const;
      expectRefused(await platform.step(job), credential, expected);
      expect(await platform.step(job)).toMatchObject({ status: 409, body: { error: { code: 'UNAUTHENTICATED' } } });
      await platform.change('updateAccessKey', { id, enabled: true });
      expectDone(await platform.step(job), job);
    });

    it('rotating the key of the training service; with the new one the job goes on, and nothing is restarted', async () => {
      const job = await platform.job(ursula, token);
      const credential = expectDone(await platform.step(job), job);
      const query = `mutation R($input: RotateServiceKeyInput!) { made: rotateServiceKey(input: $input) { accessKeyId secretAccessKey userErrors { code message } } }`;
      const input = { id: platform.training.id, endOthers: true };
      const { made } = await platform.gql<{ made: { accessKeyId: string; secretAccessKey: string } }>(
        platform.scene.token,
        query,
        { input },
      );
      const expected = { status: 401, expects: /key or session that assumed the agency was taken back/ } as const;
      expectRefused(await platform.step(job), credential, expected);
      expect(await platform.step(job)).toMatchObject({ status: 409, body: { error: { code: 'UNAUTHENTICATED' } } });
      await platform.rekeyTraining(made);
      expect(expectDone(await platform.step(job), job)).not.toBe(credential);
    });
  });

  it('while Bailiwick is down storage denies and says why; when it is back the job goes on', async () => {
    const job = await platform.job(ursula, token);
    const credential = expectDone(await platform.step(job), job);
    const unassumed = await platform.job(ursula, token);
    expect(await platform.stopBailiwick()).toBe(0);
    const { body } = await platform.step(job);
    expect(body.credential).toBe(credential);
    for (const told of [body.put, body.get]) {
      expect(told).toMatchObject({
        status: 503,
        retryAfter: '2',
        body: { error: { code: 'PERMISSIONS_UNAVAILABLE', reason: 'UNREACHABLE' } },
      });
      expect(told?.body?.error?.message).toMatch(/cannot be checked just now; try again/);
    }
    expect(await platform.step(unassumed)).toMatchObject({ status: 503, body: { error: { code: 'UNREACHABLE' } } });
    await platform.startBailiwick();
    expect(expectDone(await platform.step(job), job)).toBe(credential);
    expectDone(await platform.step(unassumed), unassumed);
  });

  it('nothing that anybody proved themselves with was printed or stored', async () => {
    const job = await platform.job(ursula, token);
    const credential = expectDone(await platform.step(job), job);
    // Control: the secrets of temporary keys that are looked for are those that the jobs have.
    const url = atStorage(`${job.name}-checkpoint-1`);
    const headers = signRequest({ method: 'GET', url, credentials: await platform.derived(credential) });
    expect(await exchange(url, { method: 'GET', headers: Object.entries(headers).flat() })).toMatchObject({
      status: 200,
    });

    const { ledger } = platform;
    // Control: the id of a key is no secret; it stands in the database, and in the audit trail there.
    ledger.keep('landmark', credential);
    const search = new Search(ledger.all());
    for (const { name, text } of platform.printed()) await search.read('printed', textSource(name, text));
    await searchDatabase(search, platform, databaseUrl);
    for await (const source of filesBelow(platform.runFolder, true)) await search.read('files of services', source);
    const findings = [...search.findings.values()];
    expect(findings.filter(({ kind }) => kind !== 'landmark')).toEqual([]);
    const places = new Set(findings.map(({ place }) => place));
    expect([...places].sort()).toEqual(['files of the database', 'rows as text']);
    const kinds = [...ledger.counts().keys()];
    expect(kinds).toEqual([
      'landmark',
      'password',
      'security token',
      'service secret',
      'temporary secret',
      'token',
      'token for a service',
      'trigger secret',
    ]);
    expect(platform.printed().map(({ name }) => name)).toEqual(['bailiwick', 'storage', 'training', 'bailiwick']);
    for (const { name, text } of platform.printed()) expect(text.length, name).toBeGreaterThan(1_000);
    // Control: it was the vendor's client that signed.
    expect(platform.printed()[1]?.text).toMatch(/"allowed".*"userAgent":"huaweicloud-usdk-nodejs/);
  });
}

describe.concurrent.each(['sqlite', 'postgres'] as const)('on %s', (database) => {
  // Two platforms at once, one thing after the other on each.
  describe.sequential('the platform', () => describeOn(database));
});

async function searchDatabase(search: Search, { databaseFolder }: Platform, databaseUrl: string | null): Promise<void> {
  if (databaseUrl === null) {
    for await (const source of filesBelow(databaseFolder)) await search.read('files of the database', source);
    const rows = sqliteRows(join(databaseFolder, 'bailiwick.db'));
    for await (const source of rows) await search.read('rows as text', source);
    return;
  }
  const places = await postgresPlaces(databaseUrl);
  await places.checkpoint();
  const { dataDirectory, databaseDirectory } = places;
  for (const folder of [databaseDirectory, 'pg_wal']) {
    const files = filesBelow(join(dataDirectory, folder));
    for await (const source of files) await search.read('files of the database', source);
  }
  const copies = await mkdtemp(join(tmpdir(), 'bailiwick-copies-'));
  try {
    await places.copyTables(copies);
    for await (const source of filesBelow(copies, true)) await search.read('rows as text', source);
  } finally {
    await rm(copies, { recursive: true, force: true });
  }
}
