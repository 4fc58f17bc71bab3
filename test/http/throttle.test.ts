/** Who is held back, by what, for how long; and who is not. */
import { describe, expect, it, vi } from 'vitest';
import { Throttle } from '../../src/graphql/throttle.js';
import type { Call } from '../../src/iam/index.js';
import { exchange, post, type Answer } from '../kit/exchange.js';
import { startHouse, type TestHouse } from '../kit/house.js';
import { setScene } from '../kit/scene.js';
import { sign, type Key } from '../kit/signing.js';

const plenty = { points: 999_999, strangers: 999_999, failedSignIns: 999_999 };
const pages = '{ a: users(first: 100) { nodes { name } } b: users(first: 100) { nodes { name } } }';

const tooSoon = (answer: Answer): object => ({
  status: answer.status,
  code: answer.errors[0]?.extensions.code,
  header: answer.headers['retry-after'],
});

describe('points', () => {
  const limit = '{ rateLimit { limit cost remaining resetAt } }';
  interface Shown {
    readonly rateLimit: { limit: number; cost: number; remaining: number; resetAt: string };
  }

  it('are told, spent and come back', async () => {
    const house = await startHouse({ throttle: { ...plenty, points: 600 } });
    const token = await house.signIn(house.root);
    house.advance(61_000);
    const first = await house.gql<Shown>(token, limit);
    expect(first.rateLimit).toMatchObject({ limit: 600, cost: 1, remaining: 599 });
    const four = ['a', 'b', 'c', 'd'].map((name) => `${name}: users(first: 100) { nodes { name } }`).join(' ');
    await house.gql(token, `{ ${four} }`);
    const second = (await house.gql<Shown>(token, limit)).rateLimit;
    // Ten come back each second that the test itself takes.
    expect(second.remaining).toBeLessThan(590);
    expect(Date.parse(second.resetAt)).toBeGreaterThan(house.iam.now());
    house.advance(61_000);
    expect((await house.gql<Shown>(token, limit)).rateLimit.remaining).toBe(599);
  });

  it('that are spent hold back their actor, with how long, and nobody else', async () => {
    const house = await startHouse({ throttle: { ...plenty, points: 500 } });
    const scene = await setScene(house);
    const ann = await house.signIn(await scene.user('ann'), 'account');
    const root = await house.signIn(house.root, 'account');
    house.advance(61_000);
    const answers: Answer[] = [];
    for (let i = 0; i < 3; i += 1) answers.push(await house.ask(root, pages));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    const [, , refused] = answers as [Answer, Answer, Answer];
    const seconds = Number(refused.headers['retry-after']);
    expect(seconds).toBeGreaterThan(1);
    expect(tooSoon(refused)).toEqual({ status: 429, code: 'RATE_LIMITED', header: String(seconds) });
    expect(refused.errors[0]).toMatchObject({
      message: `your operations have used up the points of this minute; try again in ${seconds} seconds`,
      extensions: { retryAfter: seconds, limit: 500, cost: 202 },
    });
    expect(refused.text).not.toContain('data');
    expect((await house.ask(ann, '{ viewer { account { name } } }')).status).toBe(200);
    house.advance(seconds * 1000);
    expect((await house.ask(root, pages)).status).toBe(200);
  });

  it('are taken from whom an operation signs in, who could otherwise ask anything as nobody', async () => {
    const house = await startHouse({ throttle: { ...plenty, points: 1_500 } });
    const query = `mutation M($input: SignInInput!) {
      signIn(input: $input) { token viewer { a: permissions { effect } b: permissions { effect } } userErrors { code } }
    }`;
    const input = { account: 'default', userName: 'admin', password: house.root.password };
    const first = await post(house.url, null, { query, variables: { input } });
    expect(first.data).toMatchObject({ signIn: { userErrors: [] } });
    const second = await post(house.url, null, { query, variables: { input } });
    expect(second.data?.['signIn'] ?? null).toBeNull();
    expect(second.errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED', limit: 1_500 } }]);
    expect(tooSoon(second)).toMatchObject({ status: 429, header: String(second.errors[0]?.extensions['retryAfter']) });
    const { token } = first.data?.['signIn'] as { token: string };
    expect((await house.gql<Shown>(token, limit)).rateLimit.remaining).toBeLessThan(500);
    house.advance(61_000);
    expect((await post(house.url, null, { query, variables: { input } })).status).toBe(200);
  });

  it.each([
    { says: 'is no GraphQL', query: '{ viewer {' },
    { says: 'does not fit the schema', query: '{ viewer { nothing } }' },
    { says: 'is larger than allowed', query: `{ ${'__typename '.repeat(21)} }` },
    {
      says: 'may answer too much',
      query: `{ ${'abcdefg'
        .split('')
        .map(
          (a) =>
            `${a}: users(first: 100) { nodes { groups(first: 100) { nodes { members(first: 100) { nodes { name } } } } } }`,
        )
        .join(' ')} }`,
    },
    { says: 'has no such operation', query: 'query A { __typename } query B { __typename }' },
  ])('are taken for a document that $says, so that nobody is free to send one after the other', async ({ query }) => {
    const house = await startHouse({ throttle: { ...plenty, points: 2_500 } });
    const token = await house.signIn(house.root);
    house.advance(61_000);
    const answers: Answer[] = [];
    for (let i = 0; i < 3; i += 1) answers.push(await house.ask(token, query));
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
    // While the clock is behind nothing comes back.
    house.advance(-10_000);
    const refused = await house.ask(token, query);
    expect(tooSoon(refused)).toEqual({ status: 429, code: 'RATE_LIMITED', header: '1' });
    house.advance(61_000);
    expect((await house.ask(token, '{ __typename }')).status).toBe(200);
  });

  it('are enough by default for a hundred small requests a second, for a minute', async () => {
    const house = await startHouse();
    const token = await house.signIn(house.root);
    const before = (await house.gql<Shown>(token, limit)).rateLimit;
    expect(before.limit / before.cost).toBeGreaterThan(100 * 60);
  });

  it('beyond what one operation may cost are refused as that', async () => {
    const house = await startHouse();
    const token = await house.signIn(house.root, 'account');
    const answer = await house.ask(
      token,
      '{ users(first: 100) { nodes { groups(first: 100) { nodes { members(first: 100) { nodes { name } } } } } } }',
    );
    expect(answer.status).toBe(400);
    expect(answer.errors).toMatchObject([{ extensions: { code: 'COST_LIMIT_EXCEEDED', limit: 500_000 } }]);
    expect(answer.errors[0]?.message).toMatch(/^the operation may answer 10\d{5} objects, at most 500000 are allowed/);
  });
});

describe('an address', () => {
  const from = (house: TestHouse, address: string, body: object, token: string | null = null): Promise<Answer> =>
    exchange(house.url, {
      headers: [
        ...['content-type', 'application/json', 'x-forwarded-for', address],
        ...(token === null ? [] : ['authorization', `Bearer ${token}`]),
      ],
      body: JSON.stringify(body),
    });
  const signIn = (password: string, userName = 'admin') => ({
    query: 'mutation M($input: SignInInput!) { signIn(input: $input) { token userErrors { code } } }',
    variables: { input: { account: 'default', userName, password } },
  });

  it('without a good credential is held back, whatever credential it sends, and others are not', async () => {
    const house = await startHouse({
      trustedProxies: ['127.0.0.1'],
      throttle: { ...plenty, strangers: 3 },
    });
    const ask = { query: '{ __typename }' };
    const statuses = [
      (await from(house, '10.0.0.1', ask)).status,
      (await from(house, '10.0.0.1', ask, 'forged')).status,
      (await from(house, '10.0.0.1', { query: '{ viewer { id } }' })).status,
      (await from(house, '10.0.0.1', ask)).status,
      (await from(house, '10.0.0.1', ask, 'forged')).status,
      (await from(house, '10.0.0.2', ask)).status,
    ];
    expect(statuses.slice(3)).toEqual([429, 429, 200]);
    expect(statuses.slice(0, 3)).not.toContain(429);
    expect(tooSoon(await from(house, '10.0.0.1', ask))).toEqual({ status: 429, code: 'RATE_LIMITED', header: '20' });
    expect(JSON.parse(house.log.at(-1) ?? '')).toMatchObject({ status: 429, errors: ['RATE_LIMITED'] });
    house.advance(20_000);
    expect((await from(house, '10.0.0.1', ask)).status).toBe(200);
  });

  it('counts what cannot be read as well, and reads nothing more once it is held back', async () => {
    const house = await startHouse({ throttle: { ...plenty, strangers: 3 } });
    const token = await house.signIn(house.root);
    house.advance(61_000);
    const send = (body: string, authorization: string | null = null): Promise<Answer> =>
      exchange(house.url, {
        headers: [
          ...['content-type', 'application/json'],
          ...(authorization === null ? [] : ['authorization', authorization]),
        ],
        body,
      });
    const statuses: number[] = [];
    for (let i = 0; i < 5; i += 1) statuses.push((await send('{"query"')).status);
    for (const authorization of ['Bearer forged', 'Basic eA==']) {
      statuses.push((await send('{"query"', authorization)).status);
    }
    expect(statuses).toEqual([400, 400, 400, 429, 429, 429, 429]);
    // Whoever has a good one is read as ever.
    expect((await send('{"query"', `Bearer ${token}`)).status).toBe(400);
    expect((await send('{"query":"{ __typename }"}', `Bearer ${token}`)).status).toBe(200);
  });

  it('that tries key after key has none looked up beyond its number; keys that were good there, and other addresses, are', async () => {
    const house = await startHouse({ trustedProxies: ['127.0.0.1'], throttle: { ...plenty, strangers: 4 } });
    const scene = await setScene(house);
    const made = await house.gql<{ createService: Key }>(
      scene.token,
      'mutation { createService(input: { name: "annotator", actions: [] }) { accessKeyId secretAccessKey } }',
    );
    house.advance(61_000);
    const looks = vi.spyOn(house.iam.store.access, 'accessKey');
    let count = 0;
    const signed = (address: string, key: Key): Promise<Answer> => {
      // No two alike: what is signed twice in a second would be the same.
      const request = { query: `{ __typename n${(count += 1)}: __typename }` };
      const { headers, authorization, body } = sign(key, {
        method: 'POST',
        path: '/graphql',
        at: house.iam.now(),
        body: JSON.stringify(request),
        headers: { host: new URL(house.url).host, 'content-type': 'application/json' },
      });
      const sent = { ...headers, authorization, 'x-forwarded-for': address };
      return exchange(house.url, { headers: Object.entries(sent).flat(), body });
    };
    const invented = (): Key => ({
      accessKeyId: `INVENTED${String((count += 1)).padStart(12, '0')}`,
      secretAccessKey: 'x'.repeat(40),
    });
    const good = made.createService;
    expect((await signed('10.0.0.1', good)).status).toBe(200);
    // A trial that went well costs nothing, and strangers without a key take none from those who have one.
    for (let i = 0; i < 6; i += 1) await from(house, '10.0.0.1', { query: '{ __typename }' });
    looks.mockClear();
    const statuses: number[] = [];
    for (let i = 0; i < 9; i += 1) statuses.push((await signed('10.0.0.1', invented())).status);
    expect(statuses.filter((status) => status === 429)).toHaveLength(9);
    expect(looks).toHaveBeenCalledTimes(4);
    expect((await signed('10.0.0.1', good)).status).toBe(200);
    expect((await signed('10.0.0.2', good)).status).toBe(200);
    looks.mockRestore();
  });

  it('counts nothing that any page may have sent for its visitor', async () => {
    const house = await startHouse({ throttle: { ...plenty, strangers: 2 } });
    house.advance(61_000);
    const get = (headers: readonly string[]): Promise<Answer> =>
      exchange(`${house.url}?query=%7B__typename%7D`, { method: 'GET', headers });
    for (let i = 0; i < 2; i += 1) {
      for (const headers of [[], ['content-type', 'text/plain; charset=utf-8'], ['authorization', 'Bearer forged']]) {
        expect(await get(headers)).toMatchObject({ status: 400, text: expect.stringContaining('(CSRF)') as string });
      }
    }
    const statuses: number[] = [];
    for (let i = 0; i < 3; i += 1) statuses.push((await get(['apollo-require-preflight', '1'])).status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  it('of IPv6 counts with its network, however it is written, and not with another', async () => {
    const house = await startHouse({ trustedProxies: ['127.0.0.1'], throttle: { ...plenty, strangers: 1 } });
    const statuses: number[] = [];
    for (const address of ['2001:db8::1', '2001:0db8:0:0:ffff::2', '2001:DB8:0:0:1:2:3:4', '2001:db8:0:1::1', '::1']) {
      statuses.push((await from(house, address, { query: '{ __typename }' })).status);
    }
    expect(statuses).toEqual([200, 429, 429, 200, 200]);
  });

  it('from which sign-ins fail waits, with the right password too; another does not', async () => {
    const house = await startHouse({
      trustedProxies: ['127.0.0.1'],
      throttle: { ...plenty, failedSignIns: 3 },
    });
    const wrong = () => from(house, '10.0.0.1', signIn('Wrong-password-1', 'nobody'));
    for (let i = 0; i < 3; i += 1) expect((await wrong()).status).toBe(200);
    expect(tooSoon(await wrong())).toEqual({ status: 429, code: 'RATE_LIMITED', header: '20' });
    expect((await from(house, '10.0.0.1', signIn(house.root.password))).status).toBe(429);
    const elsewhere = await from(house, '10.0.0.2', signIn(house.root.password));
    expect(elsewhere.data).toMatchObject({ signIn: { userErrors: [] } });
    house.advance(20_000);
    expect((await from(house, '10.0.0.1', signIn(house.root.password))).status).toBe(200);
  });

  it('from which many sign in is not held back, and one that guesses behind a token of its own is', async () => {
    const house = await startHouse({ throttle: { ...plenty, failedSignIns: 2 } });
    for (let i = 0; i < 5; i += 1) await house.signIn(house.root);
    const token = await house.signIn(house.root);
    const guess = () => post(house.url, token, signIn('Wrong-password-1', 'nobody'));
    expect([(await guess()).status, (await guess()).status, (await guess()).status]).toEqual([200, 200, 429]);
  });
});

it('more passwords than can be checked in time are refused, and told to come again', async () => {
  const house = await startHouse({ throttle: plenty });
  const { passwords } = house.iam;
  let over = false;
  /** Somebody who hashes one password after the other; a crowd of them keeps the line full. */
  const hasher = async (): Promise<void> => {
    while (!over) {
      await passwords.hash('Some-password-1').catch(() => new Promise((resolve) => setTimeout(resolve, 1)));
    }
  };
  const crowd = Array.from({ length: 110 }, hasher);
  const input = { account: 'default', userName: 'nobody', password: 'Wrong-password-1' };
  const query = 'mutation M($input: SignInInput!) { signIn(input: $input) { token userErrors { code } } }';
  const asking = Array.from({ length: 40 }, () => post(house.url, null, { query, variables: { input } }));
  const first = await Promise.race(asking);
  over = true;
  const answers = await Promise.all(asking);
  await Promise.all(crowd);
  expect(tooSoon(first)).toEqual({ status: 503, code: 'UNAVAILABLE', header: '5' });
  for (const answer of answers) {
    if (answer.status === 503) continue;
    expect(answer.status).toBe(200);
    expect(answer.data).toMatchObject({ signIn: { token: null, userErrors: [{ code: 'CREDENTIALS_INVALID' }] } });
  }
});

describe('the trial of a key', () => {
  const environment = { now: 0, sourceAddress: '10.0.0.1' };
  const signed = (key: string) => ({
    environment,
    credential: {
      kind: 'signed',
      authorization: `SDK-HMAC-SHA256 Access=${key}, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
      request: { method: 'POST', path: '/graphql', query: '', headers: [], bodySha256: '' },
    } as const,
  });
  const throttleOf = () => new Throttle({ points: 1, strangers: 3, failedSignIns: 1 });

  it('is given back to each request that was good, however many were under way at once', () => {
    const throttle = throttleOf();
    const together = [signed('GOOD'), signed('GOOD'), signed('GOOD')];
    for (const arrival of together) expect(throttle.tryKey(arrival)).toBeNull();
    expect(throttle.tryKey(signed('OTHER'))?.extensions).toMatchObject({ code: 'RATE_LIMITED' });
    for (const arrival of [...together, ...together]) throttle.noteProven(arrival);
    for (let i = 0; i < 5; i += 1) expect(throttle.tryKey(signed('GOOD'))).toBeNull();
    const others = Array.from({ length: 4 }, (_, i) => throttle.tryKey(signed(`OTHER${i}`)) === null);
    expect(others).toEqual([true, true, true, false]);
  });

  it('is given back where it cannot be found out whether it is good', () => {
    const throttle = throttleOf();
    const unanswered = (arrival = signed('ANY')) => {
      const refusal = throttle.tryKey(arrival);
      throttle.giveBackTrial(arrival);
      return refusal;
    };
    for (let i = 0; i < 5; i += 1) expect(unanswered()).toBeNull();
  });

  it('comes before anything is read of its request; what is sent with a key that was good is read', () => {
    const throttle = throttleOf();
    const arrival = signed('GOOD');
    expect(throttle.looksFirst(arrival)).toBe(true);
    throttle.tryKey(arrival);
    throttle.noteProven(arrival);
    expect(throttle.looksFirst(signed('GOOD'))).toBe(false);
    expect(throttle.looksFirst(signed('OTHER'))).toBe(true);
    const elsewhere = { ...signed('GOOD'), environment: { ...environment, sourceAddress: '10.0.0.2' } };
    expect(throttle.looksFirst(elsewhere)).toBe(true);
    const stranger = { environment, credential: { kind: 'token', token: 'forged' } as const };
    expect(throttle.looksFirst(stranger)).toBe(false);
    for (let i = 0; i < 3; i += 1) throttle.admitStranger({ environment });
    expect(() => throttle.admitStranger({ environment })).toThrow(/too many requests/);
    expect(throttle.looksFirst(stranger)).toBe(true);
    expect(throttle.looksFirst({ ...stranger, environment: { ...environment, sourceAddress: '10.0.0.2' } })).toBe(
      false,
    );
  });
});

it('a user’s job uses up its own points, and neither those of another user’s nor of the agency’s other assumers', () => {
  const throttle = new Throttle({ points: 1_000, strangers: 1, failedSignIns: 1 });
  const session = (assumedBy: string, onBehalfOf: string, sessionId: string): Call =>
    ({
      accountId: 'a',
      now: 0,
      principal: {
        kind: 'AGENCY',
        id: 'agency',
        name: 'agency',
        mfaAt: null,
        delegation: {
          sessionId,
          sessionName: 'job',
          assumedBy: { kind: 'SERVICE', id: assumedBy, name: assumedBy, accountId: 'a' },
          onBehalfOf: { id: onBehalfOf, name: onBehalfOf },
        },
      },
    }) as unknown as Call;
  throttle.chargeRefused(session('training', 'ursula', 's1'));
  expect(() => throttle.admitActor(session('training', 'ursula', 's2'))).toThrow(/used up the points/);
  expect(() => throttle.admitActor(session('training', 'bob', 's3'))).not.toThrow();
  expect(() => throttle.admitActor(session('storage', 'ursula', 's4'))).not.toThrow();
});
