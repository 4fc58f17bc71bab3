/** Key pairs and remote access through the API: what is shown to whom, once and again. */
import { beforeAll, describe, expect, it } from 'vitest';
import { databaseNames, startHouse, type Person, type TestHouse } from '../kit/house.js';
import { setScene, type Scene } from '../kit/scene.js';

const created = /* GraphQL */ `
  mutation Create($input: CreateKeyPairInput!) {
    createKeyPair(input: $input) {
      keyPair {
        id
        name
        urn
        algorithm
        publicKey
        fingerprint
        generated
        user {
          name
        }
      }
      privateKey
      replayed
      userErrors {
        code
        message
        path
        reference
      }
    }
  }
`;
const configured = /* GraphQL */ `
  mutation Configure($input: ConfigureRemoteAccessInput!) {
    configureRemoteAccess(input: $input) {
      remoteAccess {
        urn
        enabled
        allowedAddresses
        allowAnyAddress
        userName
        host
        port
        instanceState
        keyPairCount
        keyPairs {
          name
        }
        sshConfig
        version
      }
      userErrors {
        code
        message
        path
        reference
      }
    }
  }
`;
const shown =
  'query Shown($id: ID!) { resource(id: $id) { remoteAccess { host keyPairCount keyPairs { name } sshConfig } } }';

interface Made {
  readonly createKeyPair: {
    readonly keyPair: { readonly id: string; readonly urn: string };
    readonly privateKey: string;
  };
}

describe.each(databaseNames)('remote access through the API on %s', (database) => {
  let house: TestHouse;
  let scene: Scene;
  let root: string;
  let ann: Person;
  let ben: Person;
  let notebook: string;
  let accountId: string;
  beforeAll(async () => {
    house = await startHouse({ database });
    scene = await setScene(house);
    await house.gql(scene.token, 'mutation { setAuthorizationMode(input: { mode: STRICT }) { userErrors { code } } }');
    accountId = (await house.iam.store.access.accountByName('default'))?.id ?? '';
    root = await house.signIn(house.root);
    ann = await scene.user('ann');
    ben = await scene.user('ben');
    const notebooks = await scene.policy('notebooks', ['modelarts:notebook:*']);
    const reading = await scene.policy('reading', ['bailiwick:resources:get']);
    for (const policy of [notebooks, reading]) await scene.grant(policy, { user: ann.id });
    const { registerResource } = await house.gql<{ registerResource: { resource: { id: string } } }>(
      root,
      'mutation Register($urn: String!) { registerResource(input: { urn: $urn }) { resource { id } userErrors { message } } }',
      { urn: `modelarts::${accountId}:notebook:lab 1` },
    );
    notebook = registerResource.resource.id;
  });
  const plain = (id: string): string => Buffer.from(id, 'base64url').toString().split(':')[1] ?? '';

  it('a pair is shown with its private key once; to its user, to who may, and to nobody else', async () => {
    const token = await house.signIn(ann, 'account');
    const input = { name: 'desk', idempotencyKey: 'desk-1' };
    const { createKeyPair } = await house.gql<Made>(token, created, { input });
    const { keyPair, privateKey } = createKeyPair;
    expect(createKeyPair).toMatchObject({
      keyPair: {
        name: 'desk',
        algorithm: 'ED25519',
        generated: true,
        urn: `ecs::${accountId}:keypair:${plain(ann.id)}/desk`,
      },
      privateKey: expect.stringContaining('BEGIN OPENSSH PRIVATE KEY') as string,
      replayed: false,
    });
    const again = await house.gql(token, created, { input });
    expect(again).toMatchObject({ createKeyPair: { keyPair: { id: keyPair.id }, privateKey: null, replayed: true } });

    const mine = '{ viewer { keyPairs { totalCount nodes { id name fingerprint } } } }';
    expect(await house.gql(token, mine)).toMatchObject({
      viewer: { keyPairs: { totalCount: 1, nodes: [{ id: keyPair.id, name: 'desk' }] } },
    });
    const node = 'query Node($id: ID!) { node(id: $id) { __typename id } }';
    const found = { node: { __typename: 'KeyPair', id: keyPair.id } };
    expect(await house.gql(token, node, { id: keyPair.id })).toEqual(found);
    expect(await house.gql(scene.token, node, { id: keyPair.id })).toEqual(found);
    const bens = await house.signIn(ben, 'account');
    expect(await house.gql(bens, node, { id: keyPair.id })).toEqual({ node: null });
    expect(await house.gql(bens, mine)).toMatchObject({ viewer: { keyPairs: { nodes: [] } } });
    const remove = 'mutation Remove($id: ID!) { deleteKeyPair(input: { id: $id }) { userErrors { code reference } } }';
    const { data } = await house.ask(bens, remove, { id: keyPair.id });
    expect(data).toEqual({ deleteKeyPair: { userErrors: [{ code: 'NOT_FOUND', reference: 'ModelArts.6789' }] } });
    // What follows the head of the file is in no line of the log either.
    const secret = privateKey.split('\n').slice(3, -2);
    for (const line of secret) expect(house.log.join('\n')).not.toContain(line);
  });

  it('a notebook is opened, and shown as far as each may see', async () => {
    const token = await house.signIn(ann);
    const { viewer } = await house.gql<{ viewer: { keyPairs: { nodes: { id: string }[] } } }>(
      token,
      '{ viewer { keyPairs { nodes { id } } } }',
    );
    const keyPairIds = viewer.keyPairs.nodes.map(({ id }) => id);
    const input = { resourceId: notebook, enabled: true, keyPairIds, allowedAddresses: ['10.1.2.3/8'] };
    const place = { host: 'notebooks.example', port: 32_701 };
    expect(await house.gql(token, configured, { input: { ...input, ...place } })).toMatchObject({
      configureRemoteAccess: {
        remoteAccess: {
          urn: `modelarts::${accountId}:notebook:lab 1`,
          enabled: true,
          allowedAddresses: ['10.0.0.0/8'],
          allowAnyAddress: false,
          userName: 'ma-user',
          ...place,
          instanceState: null,
          keyPairCount: 1,
          keyPairs: [{ name: 'desk' }],
        },
      },
    });
    const config = [
      'Host notebook-lab-1',
      '  HostName notebooks.example',
      '  Port 32701',
      '  User ma-user',
      '  # Where you keep the private key:',
      '  IdentityFile ~/.ssh/desk',
      '  IdentitiesOnly yes',
      '',
    ].join('\n');
    expect(await house.gql(token, shown, { id: notebook })).toEqual({
      resource: {
        remoteAccess: { host: 'notebooks.example', keyPairCount: 1, keyPairs: [{ name: 'desk' }], sshConfig: config },
      },
    });
    // Ben may read notebooks, and no key pairs but his own.
    const reading = await scene.policy('reading notebooks', ['modelarts:notebook:get']);
    await scene.grant(reading, { user: ben.id });
    await scene.grant(await scene.policy('reading resources', ['bailiwick:resources:get']), { user: ben.id });
    const bens = await house.signIn(ben);
    expect(await house.gql(bens, shown, { id: notebook })).toEqual({
      resource: {
        remoteAccess: {
          host: 'notebooks.example',
          keyPairCount: 1,
          keyPairs: [null],
          sshConfig: expect.stringContaining('# IdentityFile') as string,
        },
      },
    });
    await scene.grant(
      await scene.policy('listing', [
        'modelarts:notebook:listAllNotebooks',
        { Effect: 'Deny', Action: ['modelarts:notebook:get'] },
      ]),
      { user: ben.id },
    );
    expect(await house.gql(bens, shown, { id: notebook })).toEqual({ resource: { remoteAccess: null } });
  });

  it('null clears what it can clear, and is refused elsewhere', async () => {
    const token = await house.signIn(ann);
    const ask = (more: object) => house.ask(token, configured, { input: { resourceId: notebook, ...more } });
    expect((await ask({ host: null, port: null, userName: null })).data).toMatchObject({
      configureRemoteAccess: { remoteAccess: { host: null, port: null, userName: 'ma-user', sshConfig: null } },
    });
    for (const member of ['enabled', 'keyPairIds', 'removeOthers', 'allowedAddresses', 'allowAnyAddress']) {
      const { errors } = await ask({ [member]: null });
      expect(errors[0]?.message).toBe(`\`${member}\` cannot be null; leave it out to keep what there is`);
    }
  });

  it('explains to oneself what is in the way, with the decision', async () => {
    const token = await house.signIn(ann);
    const query = /* GraphQL */ `
      query Why($input: ExplainRemoteAccessInput!) {
        explainRemoteAccess(input: $input) {
          allowed
          checks {
            name
            status
            message
            advice
          }
          decision {
            effect
            reason
            action
            statements {
              policy
            }
          }
        }
      }
    `;
    const found = await house.gql(token, query, { input: { resourceId: notebook } });
    expect(found).toMatchObject({
      explainRemoteAccess: {
        allowed: false,
        decision: { effect: 'ALLOW', reason: 'ALLOWED', action: 'modelarts:notebook:access', statements: null },
      },
    });
    const { explainRemoteAccess } = found as unknown as {
      explainRemoteAccess: { checks: readonly { name: string; status: string; advice: string | null }[] };
    };
    const failed = explainRemoteAccess.checks.filter(({ status }) => status === 'FAILED');
    expect(failed.map(({ name }) => name)).toEqual(['STATE', 'ADDRESS']);
    expect(failed.every(({ advice }) => advice !== null)).toBe(true);
    const both = { resourceId: notebook, keyPairId: 'a', fingerprint: 'b' };
    for (const input of [both, { resourceId: notebook, sourceAddress: 'here' }]) {
      expect((await house.ask(token, query, { input })).errors).toMatchObject([
        { extensions: { code: 'BAD_USER_INPUT' } },
      ]);
    }
    const other = await house.ask(token, query, { input: { resourceId: notebook, userId: ben.id } });
    expect(other.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN', action: 'bailiwick:access:explain' } }]);
    const missing = await house.gql(token, query, { input: { resourceId: 'nothing' } });
    expect(missing).toEqual({ explainRemoteAccess: null });
  });
});
