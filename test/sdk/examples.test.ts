/** The services of docs/sdk.md, as they stand there, against a real Bailiwick. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { createClient, signRequest } from '../../src/sdk/index.js';
import { startHouse, type TestHouse } from '../kit/house.js';
import { Job, plain, reading } from '../kit/job.js';
import { startProgram } from '../kit/program.js';

const root = new URL('../../', import.meta.url);

describe('docs/sdk.md', () => {
  it.each(['storage-service.ts', 'labels-service.ts'])('shows %s as it is', async (file) => {
    const page = await readFile(new URL('docs/sdk.md', root), 'utf8');
    const example = await readFile(new URL(`docs/examples/${file}`, root), 'utf8');
    expect(page).toContain('```ts\n' + example + '```');
  });
});

async function freePort(): Promise<number> {
  const socket = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => socket.once('listening', resolve));
  const { port } = socket.address() as AddressInfo;
  await new Promise((resolve) => socket.close(resolve));
  return port;
}

describe('the examples', () => {
  let house: TestHouse;
  let job: Job;

  /** Starts an example with the key of a service that was made for it; answers where it listens. */
  async function start(file: string, name: string, input: object): Promise<string> {
    const port = await freePort();
    const host = `127.0.0.1:${port}`;
    const service = await job.service({ name, hosts: [host], ...input });
    const asks = await job.scene.policy(`asks-${name}`, ['bailiwick:requests:authenticate', 'bailiwick:access:check']);
    await job.scene.grant(asks, { service: service.id });
    const prefix = file.startsWith('labels') ? 'LABELS' : 'STORAGE';
    const running = startProgram(`../docs/examples/${file}`, [], {
      conditions: ['bailiwick-source'],
      environment: {
        PORT: String(port),
        [`${prefix}_ACCOUNT`]: job.accountId,
        [`${prefix}_BAILIWICK_URL`]: house.url,
        [`${prefix}_ACCESS_KEY_ID`]: service.accessKeyId,
        [`${prefix}_SECRET_ACCESS_KEY`]: service.secretAccessKey,
      },
    });
    await running.until(/listens on (\S+)/);
    return `http://${host}`;
  }

  beforeAll(async () => {
    house = await startHouse();
    job = await Job.set(house);
  });

  it('the storage service refuses with a reason, and lets a job read what it may', async () => {
    const origin = await start('storage-service.ts', 'files', {});
    const client = createClient({ url: house.url, credentials: job.training, scope: { workspace: job.lab } });
    const keys = client.agencyCredentials({ agencyId: job.agencyId, resourceId: job.resourceId });
    const send = async (method: string, body?: string) => {
      const url = `${origin}/bucket/model.bin`;
      const credentials = await keys.get();
      // Two of the same bytes within a second would be one and the same request, which is good once.
      const nonce = { 'x-nonce': randomUUID() };
      const headers = signRequest({ method, url, headers: nonce, body, credentials });
      const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
      return { status: response.status, text: await response.text() };
    };
    expect(await (await fetch(`${origin}/bucket/model.bin`)).json()).toMatchObject({
      error: { code: 'UNAUTHENTICATED', action: reading },
    });
    const refused = await send('PUT', 'weights');
    expect(refused.status).toBe(403);
    expect(JSON.parse(refused.text)).toMatchObject({
      error: { code: 'FORBIDDEN', action: 'obs:object:PutObject', reason: 'NO_MATCHING_ALLOW' },
    });
    const writes = await job.scene.policy('writes-model', [
      { Effect: 'Allow', Action: ['obs:object:PutObject'], Resource: ['obs:*:*:object:bucket/*'] },
    ]);
    await job.scene.grant(writes, { agency: job.agencyId }, { account: true });
    expect(await send('PUT', 'weights')).toMatchObject({
      status: 201,
      text: expect.stringContaining('agency jobs assumed by service modelarts on behalf of user ursula') as string,
    });
    expect(await send('GET')).toEqual({ status: 200, text: 'weights' });
  });

  it('the labels service shows the labels that one may see', async () => {
    const origin = await start('labels-service.ts', 'labels', {
      actions: ['list', 'get'].map((operation) => ({
        name: `labels:label:${operation}`,
        accessLevel: 'READ',
        description: operation,
      })),
    });
    const policy = await job.scene.policy('sees-labels', [
      { Effect: 'Allow', Action: ['labels:label:list'] },
      { Effect: 'Allow', Action: ['labels:label:get'], Resource: ['labels:*:*:label:cat'] },
    ]);
    await job.scene.grant(policy, { user: job.user.id });
    const made = await house.gql<{ made: { accessKey: { accessKeyId: string }; secretAccessKey: string } }>(
      job.scene.token,
      'mutation K($input: CreateAccessKeyInput!) { made: createAccessKey(input: $input) { accessKey { accessKeyId } secretAccessKey userErrors { message } } }',
      { input: { userId: plain(job.user.id) } },
    );
    const credentials = {
      accessKeyId: made.made.accessKey.accessKeyId,
      secretAccessKey: made.made.secretAccessKey,
    };
    const ask = async (signed: boolean): Promise<unknown> => {
      const url = `${origin}/graphql`;
      const body = JSON.stringify({ query: '{ labels { name text } health }' });
      const headers = { 'content-type': 'application/json' };
      const sent = signed ? signRequest({ method: 'POST', url, headers, body, credentials }) : headers;
      const response = await fetch(url, { method: 'POST', headers: sent, body });
      return response.json();
    };
    expect(await ask(true)).toEqual({
      data: { health: 'well', labels: [{ name: 'cat', text: 'A cat is shown.' }, null] },
    });
    expect(await ask(false)).toMatchObject({
      data: { health: 'well', labels: null },
      errors: [{ extensions: { code: 'UNAUTHENTICATED', action: 'labels:label:list' } }],
    });
  });
});
