import { isInterfaceType } from 'graphql';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { encodeNodeId, isNodeKind } from '../../src/graphql/node-ids.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import { updateUser } from '../../src/iam/index.js';
import { allow, gist, makeStrict, send } from './acts.js';
import { must, openStage, type Stage } from './stage.js';

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });

const viewer =
  '{ viewer { actor { id kind name } account { name } scope { kind workspace { id name } } user { name } workspace { name } } }';
const right = { account: 'default', userName: 'root', password: 'Root of default 1' };

let stage: Stage;
let root: string;

beforeAll(async () => {
  stage = await openStage(schema);
});

beforeEach(async () => {
  root = await stage.token(stage.root, 'account');
});

describe('viewer', () => {
  it('says who a credential acts as and where', async () => {
    expect(await stage.get(root, viewer)).toEqual({
      viewer: {
        actor: { id: encodeNodeId('User', stage.root), kind: 'ROOT', name: 'root' },
        account: { name: 'default' },
        scope: { kind: 'ACCOUNT', workspace: null },
        user: { name: 'root' },
        workspace: null,
      },
    });
    const ann = await stage.user('viewing-ann');
    expect(await stage.get(await stage.token(ann, { workspace: '0' }), viewer)).toEqual({
      viewer: {
        actor: { id: encodeNodeId('User', ann), kind: 'USER', name: 'viewing-ann' },
        account: { name: 'default' },
        scope: { kind: 'WORKSPACE', workspace: { id: encodeNodeId('Workspace', '0'), name: 'default' } },
        user: null,
        workspace: { name: 'default' },
      },
    });
  });

  it('is nobody without a credential', async () => {
    const { data, codes } = await stage.ask(null, viewer);
    expect(data).toEqual({ viewer: null });
    expect(codes).toEqual(['UNAUTHENTICATED']);
  });

  it('says what may be done here, in the order asked', async () => {
    const ann = await stage.user('able-ann');
    await allow(stage, ann, ['iam:users:listUsers']);
    const source =
      '{ viewer { permissions(actions: ["iam:users:listUsers", "iam:users:createUser"]) { action effect reason } } }';
    expect(await stage.get(await stage.token(ann, 'account'), source)).toEqual({
      viewer: {
        permissions: [
          { action: 'iam:users:listUsers', effect: 'ALLOW', reason: 'ALLOWED' },
          { action: 'iam:users:createUser', effect: 'DENY', reason: 'NO_MATCHING_ALLOW' },
        ],
      },
    });
  });
});

describe('signIn', () => {
  const selection = `token expiresAt ${viewer.slice(1, -1)}`;

  it('begins a session in the default workspace and shows it as the new caller', async () => {
    const {
      token,
      viewer: shown,
      userErrors,
    } = await sendPublic('signIn', { ...right, clientMutationId: 'x' }, selection);
    expect(userErrors).toEqual([]);
    expect(shown).toMatchObject({
      actor: { kind: 'ROOT' },
      scope: { kind: 'WORKSPACE', workspace: { name: 'default' } },
    });
    expect(await stage.get(token as string, '{ viewer { scope { kind } } }')).toEqual({
      viewer: { scope: { kind: 'WORKSPACE' } },
    });
  });

  it('takes the account or another workspace as scope', async () => {
    const workspace = await stage.workspace('side');
    const inAccount = await sendPublic('signIn', { ...right, scope: { account: true } }, selection);
    expect(inAccount['viewer']).toMatchObject({ scope: { kind: 'ACCOUNT' } });
    const inSide = await sendPublic(
      'signIn',
      { ...right, scope: { workspace: encodeNodeId('Workspace', workspace) } },
      selection,
    );
    expect(inSide['viewer']).toMatchObject({ workspace: { name: 'side' } });
    const nowhere = await sendPublic('signIn', { ...right, scope: { workspace: 'nope' } }, selection);
    expect(gist(nowhere)).toEqual([['NOT_FOUND', 'scope', 'ModelArts.0102']]);
    expect(nowhere).toMatchObject({ token: null, viewer: null });
  });

  it('tells a wrong password from nothing else that is wrong', async () => {
    const wrong = [{ password: 'no' }, { userName: 'nobody' }, { account: 'nowhere' }];
    for (const part of wrong) {
      const payload = await sendPublic('signIn', { ...right, ...part }, 'token');
      expect(payload.userErrors).toEqual([
        expect.objectContaining({
          code: 'CREDENTIALS_INVALID',
          reference: 'IAM.0062',
          message: 'account, user name or password is wrong; try again',
        }),
      ]);
      expect(payload['token']).toBeNull();
    }
  });

  it('answers nothing to a broken credential', async () => {
    const { codes } = await stage.ask(
      'not a token',
      'mutation ($input: SignInInput!) { signIn(input: $input) { token } }',
      {
        input: right,
      },
    );
    expect(codes).toEqual(['UNAUTHENTICATED']);
  });

  it('leaves the fields after it to the credential of the request', async () => {
    const source = `mutation ($input: SignInInput!) {
      signIn(input: $input) { token viewer { actor { name } permissions(actions: ["iam:users:createUser"]) { effect } } }
      createUser(input: { name: "not-by-nobody" }) { user { name } }
    }`;
    const { data, codes } = await stage.ask(null, source, { input: { ...right, scope: { account: true } } });
    expect(data).toMatchObject({
      signIn: { viewer: { actor: { name: 'root' }, permissions: [{ effect: 'ALLOW' }] } },
      createUser: null,
    });
    expect(codes).toEqual(['UNAUTHENTICATED']);
  });
});

describe('switchScope', () => {
  it('gives a token of the same session elsewhere, and the old one stays', async () => {
    const workspace = await stage.workspace('other');
    const payload = await send(
      stage,
      root,
      'switchScope',
      { scope: { workspace } },
      'token expiresAt viewer { workspace { name } }',
    );
    expect(payload).toMatchObject({ viewer: { workspace: { name: 'other' } } });
    expect(await stage.get(payload['token'] as string, '{ viewer { workspace { name } } }')).toMatchObject({
      viewer: { workspace: { name: 'other' } },
    });
    expect(await stage.get(root, '{ viewer { scope { kind } } }')).toEqual({ viewer: { scope: { kind: 'ACCOUNT' } } });
    await send(stage, payload['token'] as string, 'signOut', {}, 'endedAt');
    expect((await stage.ask(root, viewer)).codes).toEqual(['UNAUTHENTICATED']);
  });

  it('does not say whether a workspace that one may not enter exists', async () => {
    const secret = await stage.workspace('secret', 'PRIVATE');
    const ann = await stage.token(await stage.user('curious-ann'), { workspace: '0' });
    const closed = await send(stage, ann, 'switchScope', { scope: { workspace: secret } }, 'token');
    const missing = await send(stage, ann, 'switchScope', { scope: { workspace: 'missing' } }, 'token');
    expect(gist(closed)).toEqual([['NOT_FOUND', 'scope', 'ModelArts.0102']]);
    expect(gist(closed)).toEqual(gist(missing));
    expect(closed['token']).toBeNull();
  });

  it('refuses a scope that says nothing', async () => {
    const { codes } = await stage.ask(root, 'mutation { switchScope(input: { scope: { account: false } }) { token } }');
    expect(codes).toEqual(['BAD_USER_INPUT']);
  });
});

describe('signOut and revokeSessions', () => {
  it('end the session from the next field of the same request on', async () => {
    const { data, codes } = await stage.ask(
      root,
      'mutation { first: signOut { endedAt userErrors { code } } second: signOut { endedAt } }',
    );
    expect(data).toEqual({ first: { endedAt: expect.stringMatching(/Z$/) as string, userErrors: [] }, second: null });
    expect(codes).toEqual(['UNAUTHENTICATED']);
  });

  it('end all of one’s own sessions', async () => {
    const ann = await stage.user('leaving-ann');
    const tokens = [await stage.token(ann, 'account'), await stage.token(ann, { workspace: '0' })] as const;
    const { revokeSessions } = await stage.get<Record<string, unknown>>(
      tokens[0],
      'mutation { revokeSessions { endedSessionCount userErrors { code } } }',
    );
    expect(revokeSessions).toEqual({ endedSessionCount: 2, userErrors: [] });
    for (const token of tokens) expect((await stage.ask(token, viewer)).codes).toEqual(['UNAUTHENTICATED']);
  });

  it('end another’s only with `bailiwick:sessions:revoke` on that user', async () => {
    const ann = await stage.user('victim-ann');
    const ben = await stage.user('zealous-ben');
    const source = `mutation { revokeSessions(input: { userId: "${ann}" }) { endedSessionCount } }`;
    await stage.token(ann, 'account');
    const bearer = await stage.token(ben, 'account');
    const refused = await stage.ask(bearer, source);
    expect(refused.errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', action: 'bailiwick:sessions:revoke' });
    await allow(stage, ben, ['bailiwick:sessions:revoke']);
    expect(await stage.get(bearer, source)).toEqual({ revokeSessions: { endedSessionCount: 1 } });
  });
});

describe('node and nodes', () => {
  it('find what may be read, by identifier, in the order asked', async () => {
    const ann = await stage.user('node-ann');
    const group = await stage.group('node-group');
    const ids = [
      encodeNodeId('Group', group),
      encodeNodeId('User', 'missing'),
      encodeNodeId('User', ann),
      encodeNodeId('Workspace', '0'),
      encodeNodeId('Account', stage.accountId),
    ];
    const source =
      'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on User { name } ... on Group { name } } }';
    expect(await stage.get(root, source, { ids })).toEqual({
      nodes: [
        { __typename: 'Group', id: ids[0], name: 'node-group' },
        null,
        { __typename: 'User', id: ids[2], name: 'node-ann' },
        { __typename: 'Workspace', id: ids[3] },
        { __typename: 'Account', id: ids[4] },
      ],
    });
    expect(await stage.get(await stage.token(ann, 'account'), source, { ids: ids.slice(0, 3) })).toEqual({
      nodes: [null, null, null],
    });
  });

  it('refuse what is no identifier, and more than can be asked at once', async () => {
    expect((await stage.ask(root, '{ node(id: "0") { id } }')).codes).toEqual(['BAD_USER_INPUT']);
    const ids = Array.from({ length: 101 }, (_, index) => encodeNodeId('User', String(index)));
    expect((await stage.ask(root, 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids })).codes).toEqual([
      'BAD_USER_INPUT',
    ]);
  });

  it('hide a workspace that one may not enter', async () => {
    const secret = await stage.workspace('hidden', 'PRIVATE');
    const ann = await stage.user('nosy-ann');
    await allow(stage, ann, ['modelarts:workspace:get']);
    const source = `{ node(id: "${encodeNodeId('Workspace', secret)}") { id } }`;
    expect(await stage.get(await stage.token(ann, 'account'), source)).toEqual({ node: null });
    expect(await stage.get(root, source)).not.toEqual({ node: null });
  });

  it('know every type that implements Node', () => {
    const node = schema.getType('Node');
    const names = isInterfaceType(node) ? schema.getPossibleTypes(node).map(({ name }) => name) : [];
    expect(names.length).toBeGreaterThan(8);
    expect(names.filter((name) => !isNodeKind(name))).toEqual([]);
  });
});

describe('a user who was disabled', () => {
  it('is refused from the next request on', async () => {
    const ann = await stage.user('gone-ann');
    const token = await stage.token(ann, 'account');
    await stage.get(token, '{ viewer { actor { name } } }');
    must(await updateUser(stage.iam, await stage.call(root), { id: ann, enabled: false }));
    const { errors } = await stage.ask(token, viewer);
    expect(errors[0]?.extensions).toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});

describe('in mode STRICT', () => {
  it('the caller still learns who and where, but not what may not be read', async () => {
    const strict = await openStage(schema);
    await makeStrict(strict);
    const ann = await strict.user('strict-ann');
    expect(await strict.get(await strict.token(ann, { workspace: '0' }), viewer)).toMatchObject({
      viewer: { actor: { name: 'strict-ann' }, scope: { kind: 'WORKSPACE', workspace: null }, workspace: null },
    });
  });
});

/** Sends a mutation that needs no credential without one. */
async function sendPublic(mutation: string, input: object, selection: string): ReturnType<typeof send> {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  const source = `mutation ($input: ${type}!) { done: ${mutation}(input: $input) {
    ${selection} userErrors { __typename code message path reference } revision clientMutationId } }`;
  const { data, errors } = await stage.ask(null, source, { input });
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  return data['done'] as Awaited<ReturnType<typeof send>>;
}
