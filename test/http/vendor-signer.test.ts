/** The vendor's own SDK for Node.js, as published, signs real requests to a real server: what clients exist work here. */
import { beforeAll, expect, it } from 'vitest';
import { BasicCredentials, GlobalCredentials } from '@huaweicloud/huaweicloud-sdk-core';
import { ClientBuilder } from '@huaweicloud/huaweicloud-sdk-core/ClientBuilder.js';
import type { HcClient } from '@huaweicloud/huaweicloud-sdk-core/HcClient.js';
import { startHouse, type TestHouse } from '../kit/house.js';
import { setScene } from '../kit/scene.js';

let house: TestHouse;
let accountId: string;
let workspace: string;
let key: { readonly accessKeyId: string; readonly secretAccessKey: string };

beforeAll(async () => {
  house = await startHouse();
  const scene = await setScene(house);
  accountId = (await house.iam.store.access.accountByName('default'))?.id ?? '';
  workspace = Buffer.from(await scene.workspace('vision'), 'base64url')
    .toString()
    .slice('Workspace:'.length);
  const made = await house.gql<{
    createAccessKey: { accessKey: { accessKeyId: string }; secretAccessKey: string };
  }>(
    await house.signIn(house.root, 'account'),
    'mutation { createAccessKey(input: {}) { accessKey { accessKeyId } secretAccessKey userErrors { code } } }',
  );
  const { accessKey, secretAccessKey } = made.createAccessKey;
  key = { accessKeyId: accessKey.accessKeyId, secretAccessKey };
});

function clientOf(credential: BasicCredentials | GlobalCredentials): HcClient {
  return new ClientBuilder<HcClient>((client) => client)
    .withCredential(credential.withAk(key.accessKeyId).withSk(key.secretAccessKey))
    .withEndpoint(house.origin)
    .build();
}

const inWorkspace = (): HcClient => clientOf(new BasicCredentials().withProjectId(workspace));
const inAccount = (): HcClient => clientOf(new GlobalCredentials().withDomainId(accountId));

async function send(
  client: HcClient,
  request: { method?: string; query: string; queryParams?: object },
): Promise<unknown> {
  const { method = 'POST', query, queryParams = {} } = request;
  const answer: unknown = await client.sendRequest({
    method,
    url: '/graphql',
    contentType: 'application/json',
    queryParams,
    pathParams: {},
    headers: method === 'GET' ? { 'apollo-require-preflight': '1' } : {},
    ...(method === 'GET' ? {} : { data: { query } }),
  });
  return (answer as { data: unknown }).data;
}

const viewer = '{ viewer { actor { kind name } scope { kind workspace { name } } } }';

it('asks in the workspace that its project id names', async () => {
  expect(await send(inWorkspace(), { query: viewer })).toEqual({
    viewer: { actor: { kind: 'ROOT', name: 'admin' }, scope: { kind: 'WORKSPACE', workspace: { name: 'vision' } } },
  });
});

it('asks in the account that its domain id names', async () => {
  expect(await send(inAccount(), { query: viewer })).toMatchObject({ viewer: { scope: { kind: 'ACCOUNT' } } });
});

it('asks by GET, with characters that encoders differ about', async () => {
  const query = `query Named($actions: [String!]) { viewer { permissions(actions: $actions) { action effect } } }`;
  const variables = JSON.stringify({ actions: ['modelarts:notebook:get', "it's (all) ~fine*!"] });
  const data = await send(inWorkspace(), { method: 'GET', query, queryParams: { query, variables } });
  expect(JSON.stringify(data)).toContain("it's (all) ~fine*!");
});

it('changes something', async () => {
  const query = 'mutation { createGroup(input: { name: "by the SDK" }) { group { name } userErrors { code } } }';
  expect(await send(inAccount(), { query })).toEqual({
    createGroup: { group: { name: 'by the SDK' }, userErrors: [] },
  });
});

it('is refused with another secret', async () => {
  const wrong = new GlobalCredentials().withDomainId(accountId).withAk(key.accessKeyId).withSk('x'.repeat(40));
  const client = new ClientBuilder<HcClient>((made) => made).withCredential(wrong).withEndpoint(house.origin).build();
  await expect(send(client, { query: viewer })).rejects.toMatchObject({ httpStatusCode: 401 });
});
