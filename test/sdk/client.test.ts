/** The client against a real server: what it asks, how it keeps a temporary key, and what it does when nobody answers. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  BailiwickError,
  BailiwickUnreachable,
  createClient,
  type Client,
  type Credentials,
} from '../../src/sdk/index.js';
import { refreshing } from '../../src/sdk/credentials.js';
import { databaseNames, startHouse, type TestHouse } from '../kit/house.js';
import { Job, plain, reading, writing } from '../kit/job.js';

describe.each(databaseNames)('on %s', (database) => {
  let house: TestHouse;
  let job: Job;
  let training: Client;
  let storage: Client;

  beforeAll(async () => {
    house = await startHouse({ database });
    job = await Job.set(house);
    const scope = { workspace: job.lab };
    training = createClient({ url: house.url, credentials: job.training, scope });
    storage = createClient({ url: house.url, credentials: job.storage, scope });
  });

  it('asks any operation, typed by its document or by whoever asks', async () => {
    const answer = await training.request<{ viewer: { actor: { name: string } } }>('{ viewer { actor { name } } }');
    expect(answer.viewer.actor.name).toBe('modelarts');
    await expect(training.request('{ users { nodes { name } } }')).rejects.toMatchObject({
      code: 'FORBIDDEN',
      action: 'iam:users:listUsers',
      requestId: expect.any(String) as string,
    });
  });

  it('never repeats what an operation has done when its key ends in the midst of it', async () => {
    const own = await job.service({ name: `rotating-${database}` });
    const everything = await job.scene.policy(`everything-${database}`, ['iam:*:*', 'bailiwick:*:*']);
    await job.scene.grant(everything, { service: own.id });
    const { made: next } = await house.gql<{ made: Credentials }>(
      job.scene.token,
      'mutation R($input: RotateServiceKeyInput!) { made: rotateServiceKey(input: $input) { accessKeyId secretAccessKey userErrors { message } } }',
      { input: { id: own.id } },
    );
    let current: Credentials = own;
    const credentials = { get: async () => current, discard: () => void (current = next) };
    const client = createClient({ url: house.url, credentials, scope: { account: job.accountId } });
    const create = (name: string) => `createGroup(input: { name: "${name}" }) { userErrors { code } }`;
    const disable = `updateAccessKey(input: { id: "${own.accessKeyId}", enabled: false }) { userErrors { code } }`;
    await expect(
      client.request(`mutation { a: ${create(`${database}-1`)} b: ${disable} c: ${create(`${database}-2`)} }`),
    ).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    // Control: what was not begun is sent again with the other key.
    current = own;
    expect(await client.request(`mutation { a: ${create(`${database}-2`)} }`)).toEqual({ a: { userErrors: [] } });
  });

  it('sends equal mutations within a second as two requests', async () => {
    const urn = `modelarts::${job.accountId}:trainJob:sdk-${database}`;
    const { id } = await training.registerResource({ urn, ownerId: job.user.id });
    await training.deregisterResource(id);
    const again = await training.registerResource({ urn, ownerId: job.user.id });
    await training.deregisterResource(again.id);
    await expect(training.deregisterResource(again.id)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      userErrors: [{ path: ['input', 'id'] }],
    });
  });

  it('tells the revision that it made, and may demand it', async () => {
    const urn = `modelarts::${job.accountId}:trainJob:demanded-${database}`;
    const made = await training.registerResource({ urn, ownerId: job.user.id });
    const { revision } = await training.deregisterResource(made.id);
    if (made.revision === null || revision === null) throw new Error('something was changed, and no revision told');
    expect(revision).toBeGreaterThan(made.revision);
    expect(await training.checkAccess([{ action: 'modelarts:trainJob:get' }], { minRevision: revision })).toHaveLength(
      1,
    );
    await expect(
      training.request('{ viewer { actor { name } } }', {}, { minRevision: revision + 1_000 }),
    ).rejects.toMatchObject({ name: 'BailiwickError', code: 'REVISION_NOT_REACHED' });
  });

  it('asks about many in one request, each about its own principal or the one that all are about', async () => {
    const before = house.log.filter((line) => line.includes('"msg":"request"')).length;
    const decisions = await storage.checkAccess(
      [
        ...Array.from({ length: 1_500 }, () => ({ action: reading, workspaceId: job.lab })),
        { action: 'modelarts:trainJob:create', principal: { service: job.training.id } },
      ],
      { principal: { agency: job.agencyId }, timeout: 20_000 },
    );
    expect(house.log.filter((line) => line.includes('"msg":"request"')).length - before).toBe(1);
    expect(decisions).toHaveLength(1_501);
    expect(new Set(decisions.slice(0, 1_500).map(({ effect }) => effect))).toEqual(new Set(['ALLOW']));
    expect(decisions[0]?.actor).toMatchObject({ kind: 'AGENCY', name: 'jobs' });
    expect(decisions[1_500]).toMatchObject({ effect: 'ALLOW', actor: { kind: 'SERVICE', name: 'modelarts' } });
    expect(await storage.checkAccess([])).toEqual([]);
  });

  it('has a thousand requests decided in one pass: as many statements as for ten', async () => {
    // Of things that nobody has asked about before: what is known of a resource is remembered.
    const statementsFor = async (count: number, bucket: string): Promise<number> => {
      const before = house.statements.length;
      const asked = Array.from({ length: count }, (_, index) => ({
        action: reading,
        resource: `obs::${job.accountId}:object:${bucket}/${index}`,
      }));
      const decisions = await storage.checkAccess(asked, { principal: { agency: job.agencyId }, timeout: 20_000 });
      expect(decisions).toHaveLength(count);
      return house.statements.length - before;
    };
    // The least of several: now and then the house reads or writes something of its own.
    const leastFor = async (count: number): Promise<number> => {
      const counted: number[] = [];
      for (const time of [1, 2, 3]) counted.push(await statementsFor(count, `bucket-${count}-${time}`));
      return Math.min(...counted);
    };
    const few = await leastFor(10);
    expect(await leastFor(1_000)).toBe(few);
    expect(few).toBeLessThan(20);
  });

  it('assumes an agency, and learns who signed with the key that it got', async () => {
    const { credentials, actor } = await training.assumeAgency({ agencyId: job.agencyId, resourceId: job.resourceId });
    expect(actor.description).toBe('agency jobs assumed by service modelarts on behalf of user ursula');
    const answer = await storage.authenticateRequest(job.received({ ...credentials, expiresAt: '' }), {
      once: true,
      requests: [{ action: reading }, { action: writing }],
    });
    expect(answer).toMatchObject({
      actor,
      decisions: [{ effect: 'ALLOW' }, { effect: 'DENY', reason: 'NO_MATCHING_ALLOW' }],
    });
    expect(plain(answer.workspaceId ?? '')).toBe(job.lab);
    await expect(training.assumeAgency({ agencyId: job.agencyId, resourceId: 'f'.repeat(32) })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      userErrors: [{ path: ['input', 'resourceId'] }],
    });
  });

  it('keeps the keys of an agency, and gets another when one was taken back', async () => {
    const provider = training.agencyCredentials({ agencyId: job.agencyId, resourceId: job.resourceId });
    const [one, other] = await Promise.all([provider.get(), provider.get()]);
    expect(one).toBe(other);
    const worker = createClient({ url: house.url, credentials: provider, scope: { workspace: job.lab } });
    const who = async (): Promise<unknown> => worker.request('{ viewer { actor { name } } }');
    expect(await who()).toEqual({ viewer: { actor: { name: 'jobs' } } });
    // The session ends with the job; for another job there is another session.
    provider.discard?.(one.accessKeyId);
    expect((await provider.get()).accessKeyId).not.toBe(one.accessKeyId);
    expect(await who()).toEqual({ viewer: { actor: { name: 'jobs' } } });
  });
});

describe('a temporary key', () => {
  const minute = 60_000;
  const setUp = () => {
    const state = { now: 0, issued: 0, fails: false };
    const provider = refreshing(
      async () => {
        if (state.fails) throw new BailiwickUnreachable('nobody is there', true);
        state.issued += 1;
        const expiresAt = state.now + 15 * minute;
        return { accessKeyId: `KEY${state.issued}`, secretAccessKey: 's', securityToken: 't', expiresAt };
      },
      () => state.now,
    );
    const get = async (): Promise<string> => (await provider.get()).accessKeyId;
    return { state, get };
  };

  it('is asked for once, and again when a fifth of its life is left', async () => {
    const { state, get } = setUp();
    expect(await Promise.all([get(), get(), get()])).toEqual(['KEY1', 'KEY1', 'KEY1']);
    state.now = 12 * minute - 1;
    expect(await get()).toBe('KEY1');
    state.now = 12 * minute;
    expect(await get()).toBe('KEY2');
    expect(state.issued).toBe(2);
  });

  it('is used on while it is good and no other can be had, and no longer', async () => {
    const { state, get } = setUp();
    expect(await get()).toBe('KEY1');
    state.fails = true;
    state.now = 14 * minute;
    expect(await get()).toBe('KEY1');
    state.now = 15 * minute;
    await expect(get()).rejects.toThrow(BailiwickUnreachable);
    state.fails = false;
    expect(await get()).toBe('KEY2');
  });
});

describe('when nobody answers as they should', () => {
  let server: Server | null = null;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    server = null;
  });
  const key: Credentials = { accessKeyId: 'AK', secretAccessKey: 'SK' };
  /** A server that answers its requests one after the other like this. */
  async function answering(...answers: readonly (object | string | null)[]) {
    let asked = 0;
    server = createServer((request, response) => {
      request.resume();
      const answer = answers[Math.min(asked, answers.length - 1)];
      asked += 1;
      if (answer === null || answer === undefined) return;
      response.setHeader('content-type', 'application/json');
      response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
    return { client: createClient({ url, credentials: key, timeout: 400 }), asked: () => asked };
  }
  const busy = { errors: [{ message: 'busy', extensions: { code: 'UNAVAILABLE' } }] };
  const good = { data: { viewer: null } };

  it('asks a query again when its answer was lost, and no mutation', async () => {
    const lost = await answering('<html>', busy, good);
    expect(await lost.client.request('{ viewer { scope { kind } } }')).toEqual({ viewer: null });
    expect(lost.asked()).toBe(3);
    server?.close();
    const changed = await answering(busy, good);
    await expect(changed.client.request('mutation { signOut { endedAt } }')).rejects.toThrow(BailiwickUnreachable);
    expect(changed.asked()).toBe(1);
  });

  it('gives up in time', async () => {
    const { client } = await answering(null);
    await expect(client.request('{ viewer { scope { kind } } }')).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringMatching(/no answer from .* in time/) as string,
    });
  });

  it('says that nobody is there', async () => {
    const { client } = await answering(good);
    await new Promise((resolve) => server?.close(resolve));
    await expect(client.request('mutation { signOut { endedAt } }')).rejects.toMatchObject({
      code: 'UNREACHABLE',
      neverArrived: true,
    });
  });

  it('is refused as it is told', async () => {
    const extensions = { code: 'UNAUTHENTICATED', reference: 'IAM.0066', requestId: 'r1' };
    const { client } = await answering({ errors: [{ message: 'no', extensions }] });
    const error = await client.request('{ viewer { scope { kind } } }').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BailiwickError);
    expect(error).toMatchObject({ code: 'UNAUTHENTICATED', reference: 'IAM.0066', requestId: 'r1' });
  });
});
