/** A stream ends with what it stands on: session, token, user, workspace, right. One row for each way to end. */
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { databaseNames, startHouse, type Person, type TestHouse } from '../kit/house.js';
import { clientOf, listen, openRaw, until, type Heard } from '../kit/listening.js';
import { setScene, type Scene } from '../kit/scene.js';
import { sign, type Key } from '../kit/signing.js';

const recorded = 'subscription { auditEventRecorded { operation } }';
const changed = 'subscription { permissionsChanged(actions: ["modelarts:notebook:get"]) { revision } }';
const hour = 3_600_000;

interface Ground {
  readonly house: TestHouse;
  readonly scene: Scene;
  /** Who listens, in a PUBLIC workspace, by a grant of the door’s right alone. */
  readonly ann: Person;
  readonly token: string;
  readonly grantId: string;
  readonly workspaceId: string;
  readonly act: (mutation: string, input?: object, token?: string) => Promise<unknown>;
}

interface Way {
  readonly says: string;
  readonly end: (ground: Ground) => Promise<unknown>;
  readonly code: 'UNAUTHENTICATED' | 'FORBIDDEN';
  readonly reason?: string;
  /** The other stream goes on: it has another door. */
  readonly auditOnly?: boolean;
}

const ways: readonly Way[] = [
  { says: 'signing out', end: ({ act, token }) => act('signOut', {}, token), code: 'UNAUTHENTICATED' },
  {
    says: 'revoking one’s sessions',
    end: ({ act, token }) => act('revokeSessions', {}, token),
    code: 'UNAUTHENTICATED',
  },
  {
    says: 'an administrator revoking the sessions of the user',
    end: ({ act, ann }) => act('revokeSessions', { userId: ann.id }),
    code: 'UNAUTHENTICATED',
  },
  {
    says: 'disabling the user',
    end: ({ act, ann }) => act('updateUser', { id: ann.id, enabled: false }),
    code: 'UNAUTHENTICATED',
  },
  { says: 'deleting the user', end: ({ act, ann }) => act('deleteUser', { id: ann.id }), code: 'UNAUTHENTICATED' },
  {
    says: 'a new password for the user',
    end: ({ act, ann }) => act('resetPassword', { userId: ann.id }),
    code: 'UNAUTHENTICATED',
  },
  { says: 'the session’s end by itself', end: async ({ house }) => house.advance(25 * hour), code: 'UNAUTHENTICATED' },
  {
    says: 'the token’s end by itself, though its session was prolonged',
    end: async ({ act, token, house }) => {
      house.advance(12 * hour);
      await act('refreshToken', {}, token);
      house.advance(13 * hour);
    },
    code: 'UNAUTHENTICATED',
  },
  {
    says: 'deleting the workspace',
    end: ({ act, workspaceId }) => act('deleteWorkspace', { id: workspaceId }),
    code: 'FORBIDDEN',
    reason: 'WORKSPACE_CLOSED',
  },
  {
    says: 'closing the workspace to the user',
    end: ({ act, workspaceId }) => act('updateWorkspace', { id: workspaceId, visibility: 'PRIVATE' }),
    code: 'FORBIDDEN',
    reason: 'WORKSPACE_CLOSED',
  },
  {
    says: 'revoking the right at the door',
    end: ({ act, grantId }) => act('revokeGrant', { id: grantId }),
    code: 'FORBIDDEN',
    auditOnly: true,
  },
  {
    says: 'a Deny of the right at the door',
    end: async ({ scene, ann }) => {
      const deny = { Effect: 'Deny', Action: ['bailiwick:audit:list', 'bailiwick:session:use'] };
      await scene.grant(await scene.policy(`deny-${ann.name}`, [deny]), { user: ann.id });
    },
    code: 'FORBIDDEN',
  },
];

describe.each(databaseNames)('a stream on %s', (database) => {
  let house: TestHouse;
  let count = 0;
  beforeAll(async () => {
    house = await startHouse({ database });
  });

  async function ground(): Promise<Ground> {
    // Each time, because the clock moves on by days.
    const scene = await setScene(house);
    const ann = await scene.user(`ann-${(count += 1)}`);
    const policyId = await scene.policy(`listen-${count}`, ['bailiwick:audit:list']);
    const grantId = await scene.grant(policyId, { user: ann.id });
    const workspaceId = await scene.workspace(`workspace-${count}`);
    const token = await house.signIn(ann, { workspace: workspaceId });
    const act = async (mutation: string, input: object = {}, by?: string) => {
      const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
      const query = `mutation Act($input: ${type}!) { ${mutation}(input: $input) { userErrors { code message } } }`;
      return house.gql(by ?? (await house.signIn(house.root, 'account')), query, { input });
    };
    return { house, scene, ann, token, grantId, workspaceId, act };
  }

  /** How the last message of an ended stream looks, whichever field it is of. */
  const ending = (field: string, { code, reason }: Pick<Way, 'code' | 'reason'>): unknown[] => [
    {
      data: { [field]: null },
      errors: [
        expect.objectContaining({
          path: [field],
          extensions: expect.objectContaining(reason === undefined ? { code } : { code, reason }) as unknown,
        }),
      ],
    },
    { complete: true },
  ];

  it.each(ways)('ends by $says', async ({ end, code, reason, auditOnly }) => {
    const here = await ground();
    const client = clientOf(house, { token: here.token });
    onTestFinished(() => void client.dispose());
    const audit = await listen(house, client, recorded);
    const permissions = await listen(house, client, changed);
    await end(here);
    const how = { code, ...(reason === undefined ? {} : { reason }) };
    expect((await audit.rest()).slice(-2)).toEqual(ending('auditEventRecorded', how));
    if (auditOnly === true) return;
    expect((await permissions.rest()).slice(-2)).toEqual(ending('permissionsChanged', how));
  });

  const broken = ways.filter(({ code }) => code === 'UNAUTHENTICATED');

  it.each(broken)('of which none listens is closed with 4403 by $says', async ({ end }) => {
    const here = await ground();
    const socket = await openRaw(house);
    onTestFinished(() => socket.end());
    socket.send({ type: 'connection_init', payload: { authorization: `bearer ${here.token}` } });
    expect(await socket.message()).toEqual({ type: 'connection_ack' });
    await end(here);
    expect(await socket.closed).toMatchObject({ code: 4403 });
  });

  it('closes its socket with 4403 once the last stream has said why', async () => {
    const here = await ground();
    const socket = await openRaw(house);
    onTestFinished(() => socket.end());
    socket.send({ type: 'connection_init', payload: { token: here.token } });
    expect(await socket.message()).toEqual({ type: 'connection_ack' });
    for (const id of ['a', 'b']) socket.send({ id, type: 'subscribe', payload: { query: recorded } });
    await here.act('signOut', {}, here.token);
    const said: Readonly<Record<string, unknown>>[] = [];
    // An event of the trail may still be on its way before the error.
    while (said.filter(({ type }) => type === 'complete').length < 2) said.push(await socket.message());
    const errors = said.filter((one) => (one['payload'] as { errors?: unknown } | undefined)?.errors !== undefined);
    expect(errors).toHaveLength(2);
    expect(await socket.closed).toEqual({ code: 4403, reason: 'the session has ended; sign in again' });
  });

  it.each([recorded, 'subscription { permissionsChanged { revision } }'])(
    'of the scope that is left by switchScope ends without a word, of the session’s other scopes goes on: %s',
    async (query) => {
      const here = await ground();
      const opened = await listen(house, here.token, query);
      onTestFinished(() => opened.stop());
      const change = async (token: string, scope: object) => {
        const mutation =
          'mutation ($scope: ScopeInput!) { switchScope(input: { scope: $scope }) { token userErrors { code } } }';
        return (await house.gql<{ switchScope: { token: string } }>(token, mutation, { scope })).switchScope.token;
      };
      const elsewhere = await listen(house, await change(here.token, { workspace: '0' }), query);
      onTestFinished(() => elsewhere.stop());
      expect((await opened.rest()).filter((said) => 'errors' in said)).toEqual([]);
      // The token that was left is good all the same, and whoever comes back listens anew.
      const again = await listen(house, here.token, query);
      onTestFinished(() => again.stop());
      await here.act('signOut', {}, here.token);
      for (const stream of [again, elsewhere]) {
        expect((await stream.rest()).at(-2)).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
      }
    },
  );

  it('tells the reason of a refusal only as HTTP would', async () => {
    const here = await ground();
    const opened = await listen(house, here.token, recorded);
    await here.act('revokeGrant', { id: here.grantId });
    const [said] = (await opened.rest()) as readonly [Heard & { errors: readonly { extensions: object }[] }];
    const { errors } = await house.ask(here.token, '{ auditEvents { nodes { id } } }');
    const known = (extensions: object | undefined) => ({ ...extensions, requestId: '' });
    expect(known(said.errors[0]?.extensions)).toEqual(known(errors[0]?.extensions));
    await opened.stop();
  });

  it('of a service ends when its key is taken back', async () => {
    const here = await ground();
    const query =
      'mutation { createService(input: { name: "listener-NAME" }) { service { id } accessKeyId secretAccessKey userErrors { code } } }';
    const { createService } = await house.gql<{ createService: Key & { service: { id: string } } }>(
      await house.signIn(house.root, 'account'),
      query.replace('NAME', here.ann.name),
    );
    const { service, ...key } = createService;
    await here.scene.grant(await here.scene.policy(`service-${here.ann.name}`, ['bailiwick:audit:list']), {
      service: service.id,
    });
    const host = new URL(house.url).host;
    const workspaceId = Buffer.from(here.workspaceId, 'base64url').toString().split(':')[1] ?? '';
    const signed = sign(key, {
      method: 'GET',
      path: '/graphql',
      headers: { host, 'x-workspace-id': workspaceId },
      body: '',
      at: house.iam.now(),
    });
    const socket = await openRaw(house, { headers: { ...signed.headers, authorization: signed.authorization } });
    onTestFinished(() => socket.end());
    socket.send({ type: 'connection_init' });
    expect(await socket.message()).toEqual({ type: 'connection_ack' });
    socket.send({ id: 'a', type: 'subscribe', payload: { query: recorded } });
    await until(() => house.log.some((line) => /SERVICE .*subscription began/.test(line)));
    await here.act('deleteAccessKey', { id: key.accessKeyId });
    expect(await socket.message()).toMatchObject({
      type: 'next',
      payload: { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] },
    });
    expect(await socket.closed).toMatchObject({ code: 4403 });
  });
});
