/** `recallAccess` through the API: what was decided then, what cannot be known, and to whom nothing is told. */
import pg from 'pg';
import sqlite3 from 'sqlite3';
import { beforeAll, describe, expect, it } from 'vitest';
import { databaseNames, startHouse, type Person, type TestHouse } from '../kit/house.js';
import { setScene, type Scene } from '../kit/scene.js';

const query = `query Then($requests: [AccessRequestInput!]!, $principal: PrincipalInput, $asOf: DateTime, $asOfRevision: Int) {
  recallAccess(requests: $requests, principal: $principal, asOf: $asOf, asOfRevision: $asOfRevision) {
    asOf
    revision
    knownSince
    decisions { unknown decision { effect reason actor { name } statements { policy policyVersion group } problems } }
  }
}`;

interface Told {
  readonly asOf: string;
  readonly revision: number;
  readonly knownSince: string;
  readonly decisions: readonly {
    readonly unknown: string | null;
    readonly decision: { readonly reason: string; readonly statements: readonly object[] | null } | null;
  }[];
}

const action = 'modelarts:notebook:delete';

describe.each(databaseNames)('recallAccess on %s', (database) => {
  let house: TestHouse;
  let scene: Scene;
  let ann: Person;
  let auditor: Person;
  let one: string;
  let two: string;
  let accountId: string;
  const now = () => new Date(house.iam.now()).toISOString();

  beforeAll(async () => {
    house = await startHouse({ database });
    scene = await setScene(house);
    ann = await scene.user('ann');
    auditor = await scene.user('auditor');
    one = await scene.workspace('workspace-one');
    two = await scene.workspace('workspace-two', { visibility: 'INTERNAL' });
    accountId = (await house.iam.store.access.accountByName('default'))?.id ?? '';
    await scene.grant(await scene.policy('auditing', ['bailiwick:audit:list', 'bailiwick:access:check']), {
      user: auditor.id,
    });
  });

  /** By root, unless another token is given. */
  async function recall(given: object, token = scene.token): Promise<Told> {
    const variables = { requests: [{ action, workspaceId: one }], principal: { user: ann.id }, ...given };
    return (await house.gql<{ recallAccess: Told }>(token, query, variables)).recallAccess;
  }

  async function reasons(given: object, token?: string): Promise<readonly (string | null)[]> {
    const { decisions } = await recall(given, token);
    return decisions.map(({ decision, unknown }) => decision?.reason ?? unknown);
  }

  it('tells what was decided between a grant and its end, and by what', async () => {
    const before = now();
    house.advance(1000);
    const policyId = await scene.policy('deleting', [action]);
    const grantId = await scene.grant(policyId, { user: ann.id }, { workspace: one });
    house.advance(1000);
    const between = now();
    house.advance(1000);
    const document = { Version: '1.1', Statement: [{ Effect: 'Deny', Action: [action] }] };
    await house.gql(
      scene.token,
      'mutation ($input: CreatePolicyVersionInput!) { createPolicyVersion(input: $input) { revision userErrors { message } } }',
      { input: { policyId, document, setAsDefault: true } },
    );
    house.advance(1000);
    const denied = now();
    house.advance(1000);
    await house.gql(
      scene.token,
      'mutation ($id: ID!) { revokeGrant(input: { id: $id }) { revision userErrors { message } } }',
      {
        id: grantId,
      },
    );
    house.advance(1000);
    expect(await reasons({ asOf: before })).toEqual(['AUTHORIZATION_MODE']);
    const told = await recall({ asOf: between });
    expect(told.decisions).toEqual([
      {
        unknown: null,
        decision: {
          effect: 'ALLOW',
          reason: 'ALLOWED',
          actor: { name: 'ann' },
          statements: [{ policy: 'deleting', policyVersion: 1, group: null }],
          problems: [],
        },
      },
    ]);
    expect(told.asOf).toBe(between);
    expect(await reasons({ asOf: denied })).toEqual(['EXPLICIT_DENY']);
    expect(await reasons({ asOf: now() })).toEqual(['NO_MATCHING_ALLOW']);
    // The revision that was told stands for the same moment.
    expect(await reasons({ asOfRevision: told.revision })).toEqual(['ALLOWED']);
    expect(await reasons({ asOfRevision: told.revision, asOf: now() })).toEqual(['ALLOWED']);
    expect(await reasons({ asOfRevision: told.revision + 1 })).toEqual(['EXPLICIT_DENY']);
  });

  it('tells it of who is gone, and of root when another asks', async () => {
    const gone = await scene.user('gone');
    house.advance(1000);
    const there = now();
    house.advance(1000);
    await house.gql(
      scene.token,
      'mutation ($id: ID!) { deleteUser(input: { id: $id }) { revision userErrors { message } } }',
      {
        id: gone.id,
      },
    );
    expect(await reasons({ principal: { user: gone.id }, asOf: there })).toEqual(['AUTHORIZATION_MODE']);
    expect(await reasons({ principal: { user: gone.id }, asOf: now() })).toEqual(['PRINCIPAL_NOT_FOUND']);
    const token = await house.signIn(auditor, 'account');
    expect(await reasons({ principal: { user: house.root.id }, asOf: there }, token)).toEqual(['ROOT']);
  });

  it('knows nothing of what was before the trail', async () => {
    const { knownSince } = await recall({ asOf: now() });
    const before = new Date(Date.parse(knownSince) - 1).toISOString();
    expect(await reasons({ asOf: before })).toEqual(['BEFORE_TRAIL']);
    expect(await reasons({ asOfRevision: 0 })).toEqual(['BEFORE_TRAIL']);
    expect(await reasons({ asOfRevision: 1 })).toEqual(['PRINCIPAL_NOT_FOUND']);
  });

  it('shows statements to those only who may see them, as checkAccess does', async () => {
    const { decisions } = await recall({ asOf: now() }, await house.signIn(auditor, 'account'));
    expect(decisions).toMatchObject([{ decision: { reason: 'NO_MATCHING_ALLOW', statements: null, problems: [] } }]);
  });

  it('tells nobody more than the trail that they may read', async () => {
    const token = await house.signIn(auditor, 'account');
    const urn = `modelarts:cn:${accountId}:notebook:n1`;
    const register = `mutation ($urn: String!) { registerResource(input: { urn: $urn }) { resource { id } userErrors { message } } }`;
    await house.gql(await house.signIn(house.root, { workspace: two }), register, { urn });
    const three = await scene.workspace('workspace-three');
    house.advance(1000);
    const asOf = now();
    const requests = [
      { action },
      { action, workspaceId: one },
      { action, workspaceId: two },
      { action, workspaceId: 'e'.repeat(32) },
      { action, workspaceId: three },
      // Whether it is registered somewhere makes no difference to who may not read there.
      { action, resource: urn },
      { action, resource: `${urn}0` },
      { action, resource: urn, workspaceId: one },
      { action, resource: urn, workspaceId: two },
    ];
    const denied = 'NO_MATCHING_ALLOW';
    const hidden = 'NOT_VISIBLE';
    expect(await reasons({ requests, asOf }, token)).toEqual(
      [denied, denied, hidden, hidden, denied, hidden, hidden, denied, hidden], // prettier-ignore
    );
    house.advance(1000);
    await house.gql(
      scene.token,
      'mutation ($id: ID!) { deleteWorkspace(input: { id: $id }) { revision userErrors { message } } }',
      {
        id: three,
      },
    );
    await house.iam.clearings.settled();
    expect(await reasons({ requests: [{ action, workspaceId: three }], asOf }, token)).toEqual([hidden]);
    // Administrators read what became of a workspace, and of what lay in it.
    expect(await reasons({ requests, asOf })).toEqual(
      [denied, denied, 'WORKSPACE_CLOSED', 'WORKSPACE_CLOSED', denied, denied, denied, denied, 'WORKSPACE_CLOSED'], // prettier-ignore
    );
  });

  it.each([
    ['no moment', {}, 'no moment was named'],
    ['an instant that has not come', { asOf: '2999-01-01T00:00:00Z' }, 'has not come yet'],
    ['a revision that was not made', { asOfRevision: 2_000_000_000 }, 'the account has no revision'],
    ['a credential', { principal: { credential: { token: 'x' } }, asOfRevision: 1 }, 'no credential is kept'],
    ['too many requests', { requests: Array<object>(41).fill({ action }), asOfRevision: 1 }, 'at most 40'],
  ])('refuses %s', async (_, given, message) => {
    const variables = { requests: [{ action, workspaceId: one }], principal: { user: ann.id }, ...given };
    const { errors } = (await house.ask(scene.token, query, variables)) as {
      errors?: readonly { message: string; extensions: object }[];
    };
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(errors?.[0]?.message).toContain(message);
  });

  it('is for who may read the trail, in account scope; about others for who may ask about them', async () => {
    const [plain, reader] = [await scene.user('plain'), await scene.user('reader')];
    await scene.grant(await scene.policy('reading', ['bailiwick:audit:list']), { user: reader.id });
    const variables = { requests: [{ action }], principal: { user: ann.id }, asOf: now() };
    const codes = async (person: Person, scope: 'account' | { workspace: string }, more: object = {}) => {
      const answer = (await house.ask(await house.signIn(person, scope), query, { ...variables, ...more })) as {
        errors?: readonly { extensions: { code: string; reason?: string } }[];
      };
      return answer.errors?.map(({ extensions }) => [extensions.code, extensions.reason]) ?? [];
    };
    expect(await codes(plain, 'account')).toEqual([['FORBIDDEN', undefined]]);
    expect(await codes(auditor, { workspace: one })).toMatchObject([['FORBIDDEN', 'WRONG_SCOPE']]);
    expect(await codes(reader, 'account')).toEqual([['FORBIDDEN', undefined]]);
    // About themselves, by id.
    expect(await codes(reader, 'account', { principal: null })).toEqual([]);
  });

  it('knows nothing where somebody changed the trail or a row by hand', async () => {
    const group = await scene.group('readers', [ann]);
    const policy = await scene.policy('creating', ['modelarts:trainJob:create']);
    const grant = await scene.grant(policy, { group });
    house.advance(1000);
    const asOf = now();
    house.advance(1000);
    await house.gql(
      scene.token,
      'mutation ($id: ID!) { revokeGrant(input: { id: $id }) { revision userErrors { message } } }',
      {
        id: grant,
      },
    );
    const requests = [{ action: 'modelarts:trainJob:create', workspaceId: one }];
    const expected = ['ALLOWED'];
    expect(await reasons({ requests, asOf })).toEqual(expected);
    await byHand(`UPDATE "users" SET "name" = 'anna' WHERE "name" = 'ann'`);
    await house.gql(
      scene.token,
      'mutation ($id: ID!) { updateUser(input: { id: $id, description: "x" }) { revision userErrors { message } } }',
      {
        id: ann.id,
      },
    );
    await byHand(`UPDATE "users" SET "name" = 'annie' WHERE "name" = 'anna'`);
    expect(await reasons({ requests, asOf })).toEqual(['TRAIL_BROKEN']);
    await byHand(`UPDATE "users" SET "name" = 'anna' WHERE "name" = 'annie'`);
    expect(await reasons({ requests, asOf })).toEqual(expected);
    // The event that the grant was revoked: without it, it would never have been there.
    await byHand(`DELETE FROM "audit_events" WHERE "operation" = 'revokeGrant' AND "revision" =
      (SELECT MAX("revision") FROM "audit_events" WHERE "operation" = 'revokeGrant')`);
    expect(await reasons({ requests, asOf })).toEqual(['TRAIL_BROKEN']);
  });

  async function byHand(statement: string): Promise<void> {
    if (database === 'postgres') {
      const client = new pg.Client({ connectionString: house.databaseUrl });
      await client.connect();
      await client.query(statement);
      return client.end();
    }
    const file = new URL(house.databaseUrl.replace('sqlite:', 'file:')).pathname;
    await new Promise<void>((resolve, reject) => {
      const connection = new sqlite3.Database(file);
      connection.run(statement, (error) => {
        connection.close(() => (error === null ? resolve() : reject(error)));
      });
    });
  }
});
