import { beforeAll, describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { encodeNodeId } from '../../src/graphql/node-ids.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import { createService, createUser } from '../../src/iam/index.js';
import { allow, gist, send } from './acts.js';
import { must, openStage, type Stage } from './stage.js';

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });
const list = 'sessions { totalCount nodes { id current startedAt expiresAt endedAt secondFactorAt sourceAddress } }';

interface Listed {
  readonly totalCount: number;
  readonly nodes: readonly { readonly id: string; readonly current: boolean; readonly sourceAddress: string | null }[];
}

let stage: Stage;
let root: string;
beforeAll(async () => {
  stage = await openStage(schema);
  root = await stage.token(stage.root, 'account');
});

const own = async (token: string) =>
  (await stage.get<{ viewer: { sessions: Listed } }>(token, `{ viewer { ${list} } }`)).viewer.sessions;
const idOf = async (token: string) => (await own(token)).nodes.find(({ current }) => current)?.id ?? '';

describe('sessions', () => {
  it('are listed to their owner, the newest first, and one of them is this one', async () => {
    const ann = await stage.user('listing-ann');
    const first = await stage.token(ann, 'account');
    stage.advance(1000);
    const second = await stage.token(ann, { workspace: '0' });
    const [fromFirst, fromSecond] = [await own(first), await own(second)];
    expect(fromFirst.totalCount).toBe(2);
    expect(fromFirst.nodes.map(({ current }) => current)).toEqual([false, true]);
    expect(fromSecond.nodes.map(({ current }) => current)).toEqual([true, false]);
    expect(fromFirst.nodes.map(({ id }) => id)).toEqual(fromSecond.nodes.map(({ id }) => id));
    expect(fromFirst.nodes[0]).toMatchObject({ sourceAddress: null, secondFactorAt: null, endedAt: null });
  });

  it('of others are listed with `bailiwick:sessions:list` on that user', async () => {
    const [ann, ben] = [await stage.user('watched-ann'), await stage.user('watching-ben')];
    await stage.token(ann, 'account');
    const bearer = await stage.token(ben, 'account');
    const source = `{ user(id: "${ann}") { name ${list} } }`;
    await allow(stage, ben, ['iam:users:getUser']);
    expect(await stage.get(bearer, source)).toEqual({ user: { name: 'watched-ann', sessions: null } });
    await allow(stage, ben, ['bailiwick:sessions:list']);
    expect(await stage.get(bearer, source)).toMatchObject({ user: { sessions: { totalCount: 1 } } });
  });

  it('by their id are shown to whom they are listed, with their user', async () => {
    const [ann, ben] = [await stage.user('found-ann'), await stage.user('finding-ben')];
    const token = await stage.token(ann, 'account');
    const bearer = await stage.token(ben, 'account');
    const id = await idOf(token);
    const source = `{ node(id: "${id}") { id ... on Session { current user { name } } } }`;
    expect(await stage.get(token, source)).toEqual({ node: { id, current: true, user: null } });
    expect(await stage.get(bearer, source)).toEqual({ node: null });
    await allow(stage, ben, ['bailiwick:sessions:list', 'iam:users:getUser']);
    expect(await stage.get(bearer, source)).toEqual({ node: { id, current: false, user: { name: 'found-ann' } } });
  });

  it('that are over are not listed', async () => {
    const ann = await stage.user('over-ann');
    const tokens = [await stage.token(ann, 'account'), await stage.token(ann, 'account')] as const;
    await send(stage, tokens[1], 'signOut', {}, 'endedAt');
    expect((await own(tokens[0])).totalCount).toBe(1);
  });

  it('of many users cost as many statements as of few', async () => {
    for (let n = 0; n < 12; n += 1) await stage.token(await stage.user(`many-${n}`), 'account');
    const ask = (first: number) =>
      stage.statements(() =>
        stage.get(
          root,
          `{ users(first: ${first}) { nodes { passwordExpiresAt secondFactor { confirmedAt } ${list} } } }`,
        ),
      );
    await ask(2);
    expect(await ask(12)).toBe(await ask(2));
  });
});

describe('endSession', () => {
  it('ends one and says how it ended', async () => {
    const ann = await stage.user('ending-ann');
    const [here, there] = [await stage.token(ann, 'account'), await stage.token(ann, 'account')];
    const id = await idOf(there);
    const payload = await send(stage, here, 'endSession', { id }, 'session { id endedAt current }');
    expect(payload).toMatchObject({
      session: { id, current: false, endedAt: expect.stringMatching(/Z$/) as string },
      userErrors: [],
    });
    expect((await stage.ask(there, '{ viewer { actor { id } } }')).codes).toEqual(['UNAUTHENTICATED']);
  });

  it('of another looks like one that there is not, without the right', async () => {
    const ann = await stage.token(await stage.user('kept-ann'), 'account');
    const ben = await stage.token(await stage.user('grim-ben'), 'account');
    const missing = encodeNodeId('Session', 'f'.repeat(32));
    for (const id of [await idOf(ann), missing]) {
      expect(gist(await send(stage, ben, 'endSession', { id }, 'session { id }'))).toEqual([
        ['NOT_FOUND', 'id', 'IAM.0004'],
      ]);
    }
    expect((await stage.ask(ann, '{ viewer { actor { id } } }')).codes).toEqual([]);
  });

  it('takes no id of another kind', async () => {
    const { codes } = await stage.ask(
      root,
      `mutation { endSession(input: { id: "${encodeNodeId('User', stage.root)}" }) { session { id } } }`,
    );
    expect(codes).toEqual(['BAD_USER_INPUT']);
  });
});

describe('refreshToken', () => {
  it('answers a token of the same session in the same scope, and goes on as its bearer', async () => {
    const ann = await stage.user('fresh-ann');
    const token = await stage.token(ann, { workspace: '0' });
    stage.advance(3_600_000);
    const payload = await send<{ token: string; expiresAt: string }>(
      stage,
      token,
      'refreshToken',
      { clientMutationId: 'c1' },
      'token expiresAt viewer { actor { name } scope { kind } }',
    );
    expect(payload).toMatchObject({
      viewer: { actor: { name: 'fresh-ann' }, scope: { kind: 'WORKSPACE' } },
      clientMutationId: 'c1',
    });
    const left = Date.parse(payload.expiresAt) - stage.iam.now();
    expect(left).toBeGreaterThan(86_400_000 - 60_000);
    expect(left).toBeLessThanOrEqual(86_400_000);
    expect(await idOf(payload.token)).toBe(await idOf(token));
  });

  it('needs no input', async () => {
    const token = await stage.token(await stage.user('brief-ann'), 'account');
    const { refreshToken } = await stage.get<{ refreshToken: { token: string } }>(
      token,
      'mutation { refreshToken { token } }',
    );
    expect((await stage.ask(refreshToken.token, '{ viewer { actor { id } } }')).codes).toEqual([]);
  });
});

describe('switchScope with an audience', () => {
  it('gives a short token that is no credential', async () => {
    const call = await stage.call(root);
    const { service } = must(await createService(stage.iam, call, { name: 'training' }));
    const token = await stage.token(await stage.user('narrow-ann'), 'account');
    for (const audience of ['training', service.id, encodeNodeId('Service', service.id)]) {
      const input = { scope: { workspace: '0' }, audience };
      const payload = await send<{ token: string; expiresAt: string }>(
        stage,
        token,
        'switchScope',
        input,
        'token expiresAt viewer { scope { kind } }',
      );
      expect(payload).toMatchObject({ userErrors: [], viewer: { scope: { kind: 'WORKSPACE' } } });
      const left = Date.parse(payload.expiresAt) - stage.iam.now();
      expect(left).toBeGreaterThan(14 * 60_000);
      expect(left).toBeLessThanOrEqual(15 * 60_000);
      const { codes, errors } = await stage.ask(payload.token, '{ viewer { actor { id } } }');
      expect(codes).toEqual(['UNAUTHENTICATED']);
      expect(errors[0]?.message).toMatch(/^the token was made for a service/);
    }
  });

  it('names a service that there is', async () => {
    const token = await stage.token(await stage.user('lost-ann'), 'account');
    const input = { scope: { account: true }, audience: 'nobody' };
    expect(gist(await send(stage, token, 'switchScope', input, 'token'))).toEqual([
      ['NOT_FOUND', 'audience', 'IAM.0004'],
    ]);
  });
});

describe('a user', () => {
  it('made with a password signs in with it', async () => {
    const call = await stage.call(root);
    must(await createUser(stage.iam, call, { name: 'able-ann', password: 'Correct-horse-9' }));
    const source = `mutation { signIn(input: { account: "default", userName: "able-ann", password: "Correct-horse-9" }) { token viewer { ${list} } } }`;
    const { data } = await stage.ask(null, source);
    expect(data['signIn']).toMatchObject({
      viewer: { sessions: { totalCount: 1, nodes: [{ current: true, sourceAddress: '192.0.2.1' }] } },
    });
  });
});
