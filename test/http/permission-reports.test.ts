/** `extensions.permissions` over real HTTP: to whom, for what, and what nobody can learn from it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { analyseFiles } from '../../src/cli/operations.js';
import { documentId, trustDocuments, type TrustedDocuments } from '../../src/http/index.js';
import { codesOf, exchange, post, type Answer } from '../kit/exchange.js';
import { startHouse, type TestHouse } from '../kit/house.js';
import { setScene, type Scene } from '../kit/scene.js';

interface Entry {
  readonly path: readonly string[];
  readonly coordinate: string;
  readonly resource: string | null;
  readonly effect: string;
}

const extensions = { permissions: true };

function reportOf({ text }: Answer): { readonly asked: readonly Entry[]; readonly complete: boolean } | undefined {
  const { extensions: found } = JSON.parse(text) as { extensions?: { permissions?: never } };
  return found?.permissions;
}

const effects = (answer: Answer) =>
  Object.fromEntries(
    (reportOf(answer)?.asked ?? []).map((each) => [`${each.path.join('.')} ${each.coordinate}`, each.effect]),
  );

const usersQuery = '{ users { nodes { id name groups { totalCount } } } }';

describe('a report of permissions', () => {
  let house: TestHouse;
  let scene: Scene;
  let reader: string;
  let narrow: string;
  let nobody: string;
  let readerId: string;

  beforeAll(async () => {
    house = await startHouse();
    scene = await setScene(house);
    const token = async (name: string, statements: readonly (string | object)[]) => {
      const user = await scene.user(name);
      if (statements.length > 0) await scene.grant(await scene.policy(name, statements), { user: user.id });
      return { id: user.id, token: await house.signIn(user, 'account') };
    };
    ({ token: reader, id: readerId } = await token('reader', ['iam:users:listUsers']));
    const resource = (pattern: string) => ({ Effect: 'Allow', Action: ['iam:users:getUser'], Resource: [pattern] });
    ({ token: narrow } = await token('narrow', [resource('iam:*:*:user:abc')]));
    ({ token: nobody } = await token('nobody', []));
  });

  it('says what is asked where, and what it comes to for the caller', async () => {
    const answer = await post(house.url, reader, { query: usersQuery, extensions });
    expect(answer.status).toBe(200);
    expect(effects(answer)).toEqual({
      'users Query.users': 'ALLOW',
      'users.nodes User': 'ALLOW',
      'users.nodes.groups User.groups': 'DENY',
    });
    expect(reportOf(answer)).toMatchObject({
      complete: true,
      asked: [
        { anyOf: ['iam:users:listUsers'], scope: 'ANY', resource: null, whenRefused: 'ERROR', onType: null },
        { resource: 'iam::{account}:user:{source.id}', whenRefused: 'NULL' },
        {},
      ],
    });
  });

  it('comes by GET as by POST', async () => {
    const search = new URLSearchParams({ query: usersQuery, extensions: JSON.stringify(extensions) }).toString();
    const headers = ['authorization', `Bearer ${reader}`, 'apollo-require-preflight', '1'];
    const answer = await exchange(`${house.url}?${search}`, { method: 'GET', headers });
    expect(effects(answer)).toMatchObject({ 'users.nodes User': 'ALLOW' });
  });

  it('comes with a refusal, which it explains', async () => {
    const answer = await post(house.url, nobody, { query: usersQuery, extensions });
    expect(codesOf(answer)).toEqual(['FORBIDDEN']);
    expect(effects(answer)).toMatchObject({ 'users Query.users': 'DENY', 'users.nodes User': 'DENY' });
  });

  it('is not there unless it is asked for, letter by letter', async () => {
    for (const asked of [undefined, {}, { permissions: false }, { permissions: 'true' }, { permissions: null }]) {
      const answer = await post(house.url, reader, { query: usersQuery, ...(asked ? { extensions: asked } : {}) });
      expect(answer.status).toBe(200);
      expect(answer.text).not.toContain('extensions');
    }
  });

  it('is not there for who has no credential, or one that is not good', async () => {
    for (const token of [null, 'forged']) {
      const answer = await post(house.url, token, { query: usersQuery, extensions });
      expect(answer.status).toBe(401);
      expect(reportOf(answer)).toBeUndefined();
    }
    const input = { account: 'default', userName: 'admin', password: house.root.password };
    const query = 'mutation ($input: SignInInput!) { signIn(input: $input) { viewer { actor { id } } } }';
    const signedIn = await post(house.url, null, { query, variables: { input }, extensions });
    expect(signedIn).toMatchObject({ status: 200 });
    expect(reportOf(signedIn)).toBeUndefined();
  });

  it('is not there for who may not read the schema', async () => {
    const user = await scene.user('blind');
    const deny = { Effect: 'Deny', Action: ['bailiwick:schema:introspect'] };
    await scene.grant(await scene.policy('blind', [deny]), { user: user.id });
    const answer = await post(house.url, await house.signIn(user), {
      query: '{ viewer { actor { id } } }',
      extensions,
    });
    expect(answer.status).toBe(200);
    expect(reportOf(answer)).toBeUndefined();
  });

  it('tells of no object whether it is there', async () => {
    // Both are null for one who may read another user alone.
    const query = 'query ($id: ID!) { node(id: $id) { ... on User { name } } }';
    const about = async (id: string) => {
      const sent = Buffer.from(`User:${id}`).toString('base64url');
      const answer = await post(house.url, narrow, { query, variables: { id: sent }, extensions });
      expect(answer.data).toEqual({ node: null });
      return reportOf(answer);
    };
    const decode = (id: string) => Buffer.from(id, 'base64url').toString().split(':')[1] ?? id;
    const there = await about(decode(readerId));
    expect(there).toEqual(await about('f'.repeat(32)));
    expect(there?.asked.map(({ coordinate, effect }) => [coordinate, effect])).toEqual([
      ['Query.node', 'ALLOW'],
      ['User', 'DEPENDS'],
    ]);
  });

  it('repeats of ids only what was sent', async () => {
    const query =
      'query ($id: ID!) { one: user(id: $id) { name } two: user(id: "def") { name } viewer { accessKeys { id } } }';
    const answer = await post(house.url, narrow, { query, variables: { id: 'abc' }, extensions });
    const report = reportOf(answer);
    const of = (name: string) => report?.asked.filter(({ path }) => path[0] === name);
    expect(of('one')).toMatchObject([{ resource: 'iam::{account}:user:abc', effect: 'ALLOW' }, { effect: 'DEPENDS' }]);
    expect(of('two')).toMatchObject([{ resource: 'iam::{account}:user:def', effect: 'DENY' }, {}]);
    const account = await house.iam.store.access.accountByName('default');
    expect(JSON.stringify(report)).not.toContain(account?.id);
  });

  it('says DENY in the wrong scope, and of what an object would have to be', async () => {
    const query = '{ resources { nodes { name } } viewer { actor { id } } }';
    const answer = await post(house.url, await house.signIn(house.root, 'account'), { query, extensions });
    expect(effects(answer)).toMatchObject({ 'resources Query.resources': 'DENY', 'viewer Viewer': 'ALLOW' });
  });

  it('has an end', async () => {
    const aliases = Array.from({ length: 19 }, (_, index) => `a${index}: node(id: "x") { id }`).join(' ');
    const answer = await post(house.url, reader, { query: `{ ${aliases} }`, extensions });
    expect(reportOf(answer)).toMatchObject({ complete: false });
    expect(reportOf(answer)?.asked).toHaveLength(200);
  });

  it('costs a point for each entry, and nothing when it is not asked for', async () => {
    const cost = async (more: object) => {
      const answer = await post(house.url, reader, { query: '{ rateLimit { cost } }', ...more });
      return [(answer.data?.['rateLimit'] as { cost: number }).cost, reportOf(answer)?.asked.length ?? 0] as const;
    };
    const [plain] = await cost({});
    const [dearer, entries] = await cost({ extensions });
    expect(entries).toBeGreaterThan(0);
    expect(dearer).toBe(plain + entries);
  });
});

describe('the tightest policy of a document', () => {
  it.each(['Users', 'Resources', 'Viewer'])('%s makes every entry ALLOW, and less does not', async (name) => {
    const house = await startHouse();
    const scene = await setScene(house);
    await house.gql(scene.token, 'mutation { setAuthorizationMode(input: { mode: STRICT }) { userErrors { code } } }');
    const file = fileURLToPath(new URL(`../../schema/operations/${name}.graphql`, import.meta.url));
    const query = readFileSync(file, 'utf8');
    const { operations } = await analyseFiles([file], { schema: null, requiredOnly: false }, async () =>
      Buffer.alloc(0),
    );
    const documents = operations.flatMap(({ policies }) => policies.policies.map(({ document }) => document));
    const all = documents.flatMap(({ Statement }) => Statement);
    const answerFor = async (user: string, held: readonly (readonly object[])[]) => {
      const person = await scene.user(user);
      for (const [index, statements] of held.entries()) {
        await scene.grant(await scene.policy(`${user} ${index}`, statements), { user: person.id });
      }
      const answer = await post(house.url, await house.signIn(person), { query, extensions });
      return { answer, effects: new Set(reportOf(answer)?.asked.map(({ effect }) => effect)) };
    };
    const whole = await answerFor(
      'whole',
      documents.map(({ Statement }) => Statement),
    );
    expect(codesOf(whole.answer)).toEqual([]);
    expect([...whole.effects]).toEqual(['ALLOW']);
    for (const [index, statement] of all.entries()) {
      const fewer = documents.map(({ Statement }) => Statement.filter((each) => each !== statement));
      const less = await answerFor(
        `less${index}`,
        fewer.filter(({ length }) => length > 0),
      );
      expect(less.effects).toContain('DENY');
    }
  });
});

describe('where only known documents are answered', () => {
  it('comes for those alone', async () => {
    let current = trustDocuments('any', [usersQuery]);
    const documents: TrustedDocuments = {
      get mode() {
        return current.mode;
      },
      idOf: (operation) => current.idOf(operation),
      resolve: (request) => current.resolve(request),
    };
    const house = await startHouse({ documents });
    const scene = await setScene(house);
    const plain = await house.signIn(await scene.user('plain'), 'account');
    current = trustDocuments('only', [usersQuery]);
    const trusted = await post(house.url, plain, { documentId: documentId(usersQuery), extensions });
    expect(codesOf(trusted)).toEqual(['FORBIDDEN']);
    expect(effects(trusted)).toMatchObject({ 'users Query.users': 'DENY' });
    const other = await post(house.url, plain, { query: '{ viewer { actor { id } } }', extensions });
    expect(other.status).toBe(403);
    expect(reportOf(other)).toBeUndefined();
  });
});
