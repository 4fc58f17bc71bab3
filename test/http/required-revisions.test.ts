/** Requests that demand a revision: answered where the account has come to it, refused whole where its database has not. */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createGzip } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { usualThrottle } from '../../src/graphql/index.js';
import { backUpStore, openBackup, restoreStore } from '../../src/store/index.js';
import { codesOf, exchange, post, type Answer } from '../kit/exchange.js';
import { databaseNames, startHouse, type TestHouse } from '../kit/house.js';
import { openInitialised } from '../kit/listening.js';
import { databases } from '../store/databases.js';

const sources = databases();
afterAll(async () => {
  await sources.sqlite.stop();
  await sources.postgres.stop();
});

const viewer = '{ viewer { actor { name } } }';
const groups = '{ groups(first: 50) { nodes { name } } }';

async function makeGroup(house: TestHouse, token: string, name: string): Promise<number> {
  const { createGroup } = await house.gql<{ createGroup: { revision: number } }>(
    token,
    'mutation M($name: String!) { createGroup(input: { name: $name }) { revision userErrors { code } } }',
    { name },
  );
  return createGroup.revision;
}

async function namesIn(house: TestHouse, token: string): Promise<readonly string[]> {
  const answer = await house.gql<{ groups: { nodes: { name: string }[] } }>(token, groups);
  return answer.groups.nodes.map(({ name }) => name).sort();
}

const demanding = (house: TestHouse, token: string | null, query: string, minRevision: unknown): Promise<Answer> =>
  post(house.url, token, { query, extensions: { minRevision } });

describe.each(databaseNames)('on %s', (database) => {
  /** As it was before the group `late` was made. */
  let older: TestHouse;
  let newer: TestHouse;
  let token: string;
  let early: number;
  let late: number;

  beforeAll(async () => {
    newer = await startHouse({ database });
    token = await newer.signIn(newer.root, 'account');
    early = await makeGroup(newer, token, 'early');
    let file = Buffer.alloc(0);
    await backUpStore(newer.databaseUrl, { keyCheck: null, now: Date.now, tell: () => undefined }, async (bytes) => {
      file = await buffer(Readable.from(bytes).pipe(createGzip()));
    });
    late = await makeGroup(newer, token, 'late');
    const backup = await openBackup(Readable.from([file]));
    const databaseUrl = await sources[database].freshUrl();
    await restoreStore(databaseUrl, backup, {
      replace: false,
      verify: async () => undefined,
      watch: () => undefined,
      tell: () => undefined,
    });
    older = await startHouse({ beside: newer, databaseUrl });
  });

  it('answers where the account is at it, or beyond', async () => {
    for (const minRevision of [0, early, late, null]) {
      const answer = await demanding(newer, token, viewer, minRevision);
      expect(answer).toMatchObject({ status: 200, data: { viewer: { actor: { name: newer.root.name } } } });
    }
    expect(await demanding(older, token, viewer, early)).toMatchObject({ status: 200, errors: [] });
  });

  it('refuses the whole request where the database was put back, and does nothing', async () => {
    const create =
      'mutation { createGroup(input: { name: "never" }) { group { id } userErrors { code } } signOut { userErrors { code } } }';
    const queries = [viewer, create, '{ nonsense'];
    for (const answer of await Promise.all(queries.map((query) => demanding(older, token, query, late)))) {
      expect(answer.status).toBe(503);
      expect(answer.headers['retry-after']).toBe('5');
      expect(answer.data).toBeNull();
      expect(answer.errors).toMatchObject([
        {
          message: expect.stringMatching(/does not have the revision .* nothing was done/) as string,
          extensions: {
            code: 'REVISION_NOT_REACHED',
            minRevision: late,
            retryAfter: 5,
            requestId: answer.headers['x-request-id'],
          },
        },
      ]);
      // Where the account stands is not told.
      expect(Object.keys(answer.errors[0]?.extensions ?? {}).sort()).toEqual([
        'code',
        'minRevision',
        'requestId',
        'retryAfter',
      ]);
    }
    // Without it the same server answers what it has, to the same token.
    expect(await namesIn(older, token)).toEqual(['admin', 'early']);
  });

  it('takes it from the query string as well', async () => {
    const get = (house: TestHouse, minRevision: number) => {
      const parameters = new URLSearchParams({ query: viewer, extensions: JSON.stringify({ minRevision }) });
      const headers = ['authorization', `Bearer ${token}`, 'apollo-require-preflight', '1'];
      return exchange(`${house.url}?${parameters.toString()}`, { method: 'GET', headers });
    };
    expect((await get(newer, late)).status).toBe(200);
    const refused = await get(older, late);
    expect([refused.status, codesOf(refused)]).toEqual([503, ['REVISION_NOT_REACHED']]);
  });

  /** What a request was answered that demands the next revision, made meanwhile; again where making it took too long. */
  async function waitedFor(query: string, by: string, make: () => Promise<unknown>): Promise<Answer> {
    for (let attempt = 0; ; attempt += 1) {
      const next = (await makeGroup(older, token, `${database} ${query.length} ${attempt}`)) + 1;
      const waiting = demanding(older, by, query, next);
      await make();
      const answer = await waiting;
      if (answer.status !== 503 || attempt === 5) return answer;
    }
  }

  it('waits for a revision that comes, and answers as of then', async () => {
    const beside = database === 'postgres' ? { beside: older, databaseUrl: older.databaseUrl } : null;
    const other = beside === null ? older : await startHouse(beside);
    let count = 0;
    const answer = await waitedFor(groups, token, () => makeGroup(other, token, `awaited ${(count += 1)}`));
    expect(answer.status).toBe(200);
    expect(answer.text).toContain(`"awaited ${count}"`);
    if (other !== older) await other.stop();
  });

  it('refuses who lost their credential while they waited', async () => {
    const leaving = await older.signIn(older.root);
    const answer = await waitedFor(viewer, leaving, () =>
      older.gql(leaving, 'mutation { signOut { userErrors { code } } }').catch(() => undefined),
    );
    expect([answer.status, codesOf(answer), answer.data]).toEqual([401, ['UNAUTHENTICATED'], null]);
  });

  it('begins no subscription before it', async () => {
    for (const [minRevision, type] of [
      [late + 1_000, 'error'],
      [-1, 'error'],
      [late, 'next'],
    ] as const) {
      const socket = await openInitialised(newer, token);
      const query =
        'subscription { permissionsChanged(actions: ["iam:users:listUsers"], includeCurrent: true) { changes { effect } } }';
      socket.send({ id: 'one', type: 'subscribe', payload: { query, extensions: { minRevision } } });
      const message = await socket.message();
      expect(message['type']).toBe(type);
      if (type === 'error') {
        const code = minRevision < 0 ? 'BAD_REQUEST' : 'REVISION_NOT_REACHED';
        expect(message['payload']).toMatchObject([{ extensions: { code } }]);
      }
      socket.end();
    }
  });
});

describe('what is no revision of the caller', () => {
  let house: TestHouse;
  let token: string;
  beforeAll(async () => {
    house = await startHouse();
    token = await house.signIn(house.root, 'account');
  });

  it.each([-1, 0.5, 2 ** 53, 1e300, '1', '', true, [1], { at: 1 }])('%j is refused', async (minRevision) => {
    const answer = await demanding(house, token, viewer, minRevision);
    expect([answer.status, codesOf(answer), answer.data]).toEqual([400, ['BAD_REQUEST'], null]);
    expect(answer.errors[0]?.message).toMatch(/`minRevision`/);
  });

  it('nobody is told whether an account is at it', async () => {
    for (const minRevision of [0, 1_000_000]) {
      const signIn =
        'mutation { signIn(input: { account: "default", userName: "admin", password: "x" }) { userErrors { code } } }';
      const answer = await demanding(house, null, signIn, minRevision);
      expect([answer.status, codesOf(answer), answer.data]).toEqual([401, ['UNAUTHENTICATED'], null]);
      const broken = await demanding(house, 'abc.def.ghi', viewer, minRevision);
      expect([broken.status, codesOf(broken)]).toEqual([401, ['UNAUTHENTICATED']]);
      expect(broken.errors[0]?.message).not.toMatch(/minRevision/);
    }
    // Nor what they sent is wrong.
    expect(codesOf(await demanding(house, 'abc.def.ghi', viewer, -1))).toEqual(['UNAUTHENTICATED']);
  });

  it('costs points where it is refused', async () => {
    // What comes back within the second that it waits is less than what it costs.
    const poor = await startHouse({ throttle: { ...usualThrottle, points: 5_000 } });
    const poorToken = await poor.signIn(poor.root, 'account');
    const left = async () => {
      const answer = await poor.gql<{ rateLimit: { remaining: number } }>(poorToken, '{ rateLimit { remaining } }');
      return answer.rateLimit.remaining;
    };
    const before = await left();
    await demanding(poor, poorToken, viewer, 1_000_000);
    expect(await left()).toBeLessThan(before);
    await poor.stop();
  });
});
