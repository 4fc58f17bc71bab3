/**
 * A query is answered the same, byte for byte, by the function compiled of it and by the executor that it is compiled
 * for: every root field with everything that hangs on it, whoever asks. Two listeners before one house, one of which
 * prepares what it has answered once, and the other never anything.
 */
import { connect } from 'node:net';
import fc from 'fast-check';
import { getNamedType } from 'graphql';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { PreparedOperations } from '../../src/graphql/index.js';
import { exchange, type Answer } from '../kit/exchange.js';
import { databaseNames, startHouse, testSchema, type TestHouse } from '../kit/house.js';
import { selections } from '../matrix/documents.js';
import { rootFields } from '../matrix/fields.js';
import { fixtures } from '../matrix/fixtures.js';
import { makeWorld, type World } from '../matrix/world.js';
import { requestId, seen, send, startTwoWays, watch, type Served } from './two-ways.js';

const schema = testSchema();
/** Answers that say how much the caller has left, which the question itself takes from, and what time it is. */
const moving: ReadonlySet<string> = new Set(['Query.rateLimit', 'Query.auditHead']);

interface Asked {
  readonly at: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Every query, with everything that can be asked of it; its arguments as variables. */
function asked(world: World): readonly Asked[] {
  return rootFields(schema)
    .filter(({ kind }) => kind === 'query')
    .flatMap(({ at, field }): readonly Asked[] => {
      const given = fixtures[at]?.(world, '') ?? {};
      const used = field.args.filter(({ name }) => name in given);
      const declared = used.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ');
      const passed = used.map(({ name }) => `${name}: $${name}`).join(', ');
      const parts = selections(schema, getNamedType(field.type), 3, 120);
      return (parts.length === 0 ? [''] : parts).map((selection) => ({
        at,
        query: `query${declared === '' ? '' : ` Asked(${declared})`} { ${field.name}${passed === '' ? '' : `(${passed})`} ${selection} }`,
        variables: given,
      }));
    });
}

/** Sends requests on one connection, each before the one ahead of it is answered; the id and the status of each answer. */
async function sendAhead(house: Served, token: string, bodies: readonly string[]): Promise<readonly string[][]> {
  const { hostname, port, pathname } = new URL(house.url);
  const requests = bodies.map((body, n) =>
    [
      `POST ${pathname} HTTP/1.1`,
      `Host: ${hostname}:${port}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `Authorization: Bearer ${token}`,
      `X-Request-Id: n${n}`,
      ...(n === bodies.length - 1 ? ['Connection: close'] : []),
      '',
      body,
    ].join('\r\n'),
  );
  const socket = connect(Number(port), hostname);
  socket.write(requests.join(''));
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return [...text.matchAll(/HTTP\/1.1 (\d+)[^]*?x-request-id: (\w+)/gi)].map(([, status = '', id = '']) => [
    id,
    status,
  ]);
}

afterEach(() => vi.restoreAllMocks());

describe.each(databaseNames)('prepared operations on %s', (database) => {
  let preparing: TestHouse;
  let plain: Served;
  let world: World;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    ({ preparing, plain, stop } = await startTwoWays(database));
    world = await makeWorld(preparing);
  });
  afterAll(() => stop());

  it('are answered the same, whatever is asked for and by whom', async () => {
    const root = await preparing.signIn(preparing.root, 'account');
    const inside = await preparing.signIn(preparing.root, { workspace: world.home });
    const stranger = await world.token(await world.stranger(), 'account');
    const { answers } = watch();
    const short = new Map<string, number>();
    for (const { at, query, variables } of asked(world)) {
      let known = false;
      for (const token of [root, inside, stranger]) {
        const body = { query, variables };
        // What has been prepared for one is prepared for all.
        const first = known ? null : await send(preparing, token, body);
        const before = answers().length;
        const second = await send(preparing, token, body);
        const other = await send(plain, token, body);
        if (!moving.has(at)) {
          expect(seen(second), `${at}\n${query}`).toEqual(seen(other));
          if (first !== null) expect(first.status).toBe(other.status);
        }
        const prepared = answers().slice(before).some(Boolean);
        // What is refused is told by the executor; what is not was answered shortly.
        if (prepared) short.set(at, (short.get(at) ?? 0) + 1);
        else if (second.errors.length === 0) throw new Error(`${at} was not prepared: ${query}`);
        known ||= prepared;
      }
    }
    const missed = rootFields(schema).filter(({ at, kind }) => kind === 'query' && !short.has(at));
    expect(missed.map(({ at }) => at)).toEqual([]);
  });

  const viewer = 'query Viewer { viewer { actor { name } } }';

  async function prepare(token: string, query: string, variables: object = {}): Promise<void> {
    for (const _time of [1, 2]) await send(preparing, token, { query, variables });
  }

  it('are refused to who may not ask, as ever', async () => {
    const { answers } = watch();
    const root = await preparing.signIn(preparing.root, 'account');
    await prepare(root, viewer);
    expect(answers()).toContain(true);
    for (const token of [null, `${root}x`, 'x.y.z']) {
      const [one, other] = [
        await send(preparing, token, { query: viewer }),
        await send(plain, token, { query: viewer }),
      ];
      expect(seen(one)).toEqual(seen(other));
      expect(one.errors.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHENTICATED']);
    }
  });

  it('end with the session, the user and the token', async () => {
    const query = 'query Own { viewer { actor { id } } }';
    const userId = await world.stranger();
    const [first, second] = [await world.token(userId, 'account'), await world.token(userId, 'account')];
    await prepare(first, query);
    const signedOut = 'mutation { signOut { userErrors { code } } }';
    await preparing.gql(first, signedOut);
    expect((await send(preparing, first, { query })).status).toBe(401);
    expect((await send(preparing, second, { query })).status).toBe(200);
    await preparing.gql(
      world.scene.token,
      'mutation Disable($input: UpdateUserInput!) { updateUser(input: $input) { userErrors { code } } }',
      { input: { id: userId, enabled: false } },
    );
    expect((await send(preparing, second, { query })).status).toBe(401);
    const root = await preparing.signIn(preparing.root, 'account');
    await prepare(root, query);
    preparing.advance(25 * 3_600_000);
    const ended = [await send(preparing, root, { query }), await send(plain, root, { query })].map(seen);
    expect(ended[0]).toEqual(ended[1]);
    expect(ended[0]).toMatchObject({ status: 401 });
  });

  it('take the same values of variables as the executor, and refuse the same', async () => {
    const token = await preparing.signIn(preparing.root, 'account');
    const query =
      'query Ask($requests: [AccessRequestInput!]!, $first: Int, $ids: [ID!] = []) { checkAccess(requests: $requests) { effect action resource } users(first: $first) { edges { node { name } } } nodes(ids: $ids) { id } }';
    const good = { requests: [{ action: 'modelarts:notebook:get' }] };
    await prepare(token, query, good);
    const odd = fc.oneof(
      fc.constantFrom(null, true, -0, 1, 1.5, 2 ** 31, -1, '', '1', 'x', '\u0000', '\ud800', [], {}, [[]], [null]),
      fc.string({ maxLength: 5 }),
      fc.integer(),
    );
    const request = fc.oneof(
      odd,
      fc.record(
        {
          action: fc.oneof(fc.constant('modelarts:notebook:get'), odd),
          resource: fc.oneof(fc.constant('modelarts:r:a:notebook:x'), odd),
          workspaceId: odd,
          context: fc.oneof(odd, fc.array(fc.record({ key: odd, values: fc.oneof(odd, fc.array(odd)) }))),
          principal: fc.oneof(odd, fc.dictionary(fc.constantFrom('user', 'agency', 'service', 'else'), odd)),
          else: odd,
        },
        { requiredKeys: [] },
      ),
    );
    const variables = fc.record(
      {
        requests: fc.oneof(fc.constant(good.requests), odd, request, fc.array(request, { maxLength: 3 })),
        first: odd,
        ids: fc.oneof(odd, fc.array(odd, { maxLength: 3 })),
        else: odd,
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(variables, async (given) => {
        const body = { query, variables: given };
        const [one, other] = await Promise.all([send(preparing, token, body), send(plain, token, body)]);
        expect(seen(one)).toEqual(seen(other));
      }),
      { numRuns: 150 },
    );
  });

  it('know what one of several is, as the executor does', async () => {
    const token = await preparing.signIn(preparing.root, 'account');
    const query = 'query Of($requests: [AccessRequestInput!]!) { checkAccess(requests: $requests) { effect } }';
    const action = 'modelarts:notebook:get';
    await prepare(token, query, { requests: [{ action }] });
    // Ids that are somebody's: nothing is wrong but how many are given.
    const user = Buffer.from(`User:${world.userId}`).toString('base64url');
    const agency = Buffer.from(`Agency:${world.agencyId}`).toString('base64url');
    const signedRequest = { method: 'GET', path: '/', headers: [{ name: 'authorization', value: 'x' }] };
    const rows: readonly (readonly [object | null, 'short' | 'long' | 'refused'])[] = [
      [null, 'short'],
      [{ user }, 'short'],
      [{ agency }, 'short'],
      [{ credential: { token } }, 'short'],
      [{ credential: { token: 'x' } }, 'short'],
      [{ credential: { signedRequest } }, 'long'],
      [{ credential: { token, signedRequest } }, 'refused'],
      [{ credential: {} }, 'refused'],
      [{ credential: { token: null } }, 'refused'],
      [{ user, agency: null }, 'refused'],
      [{ user, agency }, 'refused'],
      [{}, 'refused'],
      [{ user: null }, 'refused'],
    ];
    for (const [principal, way] of rows) {
      const { answers } = watch();
      const body = { query, variables: { requests: [{ action }, { action, principal }] } };
      const one = await send(preparing, token, body);
      expect(seen(one), JSON.stringify(principal)).toEqual(seen(await send(plain, token, body)));
      expect([answers(), one.errors.length], JSON.stringify(principal)).toEqual([
        [way === 'short'],
        way === 'refused' ? 1 : 0,
      ]);
      vi.restoreAllMocks();
    }
  });

  it('are told apart by the name of the operation', async () => {
    const token = await preparing.signIn(preparing.root, 'account');
    const query = 'query One { viewer { actor { name } } } query Two { viewer { actor { kind } } }';
    for (const operationName of ['One', 'Two', 'One', 'Two', 'Three', 'One\nquery', '', null, 7, undefined, 'One']) {
      const body = { query, operationName };
      expect(seen(await send(preparing, token, body)), String(operationName)).toEqual(
        seen(await send(plain, token, body)),
      );
    }
  });

  it('are answered the long way when anything is unusual', async () => {
    const token = await preparing.signIn(preparing.root, 'account');
    await prepare(token, viewer);
    const bodies: readonly object[] = [
      { query: viewer, extensions: { permissions: true } },
      { query: viewer, extensions: {} },
      { query: viewer, variables: [] },
      { query: viewer, variables: 'x' },
      { query: viewer, documentId: 'sha256:0' },
      { query: [viewer] },
    ];
    for (const body of bodies) {
      expect(seen(await send(preparing, token, body)), JSON.stringify(body)).toEqual(
        seen(await send(plain, token, body)),
      );
    }
    const headers: readonly (readonly string[])[] = [
      ['accept', 'application/graphql-response+json'],
      ['accept', 'text/html'],
      ['accept', ''],
      ['accept', 'application/json', 'accept', 'text/html'],
      ['content-encoding', 'gzip'],
      ['content-type', 'application/json'],
      ['expect', '100-continue'],
      ['content-type', 'text/plain'],
      ['authorization', 'Bearer x'],
      ['x-auth-token', token],
      ['x-auth-token', 'x'],
      ['host', 'elsewhere'],
      ['origin', 'https://page.example'],
    ];
    for (const more of headers) {
      expect(seen(await send(preparing, token, { query: viewer }, more)), more.join(': ')).toEqual(
        seen(await send(plain, token, { query: viewer }, more)),
      );
    }
    const twice = `{"query": ${JSON.stringify(viewer)}, "query": "{ __typename }"}`;
    for (const body of [twice, '{', '', '[]', '\ufeff{}']) {
      const sent = { headers: ['content-type', 'application/json', 'x-request-id', requestId], body };
      expect(seen(await exchange(preparing.url, sent)), body).toEqual(seen(await exchange(plain.url, sent)));
    }
  });

  it('are answered each by itself when many come at once', async () => {
    const token = await preparing.signIn(preparing.root, 'account');
    await prepare(token, viewer);
    const bodies = [
      JSON.stringify({ query: viewer }),
      '{',
      JSON.stringify({ query: viewer, documentId: 'sha256:0' }),
      JSON.stringify({ query: '{ viewer { actor { name } } }' }),
      JSON.stringify({ query: viewer, operationName: 'Other' }),
    ];
    const ask = (to: Served, n: number): Promise<Answer> => {
      // Every third is asked by nobody known.
      const authorization = `Bearer ${n % 3 === 0 ? 'x' : token}`;
      const headers = ['content-type', 'application/json', 'x-request-id', `n${n}`, 'authorization', authorization];
      return exchange(to.url, { headers, body: bodies[n % bodies.length] ?? '' });
    };
    const numbers = Array.from({ length: 60 }, (_, n) => n);
    const together = await Promise.all(numbers.map((n) => ask(preparing, n)));
    for (const n of numbers) expect(seen(together[n] as Answer), String(n)).toEqual(seen(await ask(plain, n)));
  });

  it('are answered in turn on one connection, however soon they come', async () => {
    const token = await preparing.signIn(preparing.root, 'account');
    await prepare(token, viewer);
    const body = JSON.stringify({ query: viewer });
    const answers = await sendAhead(preparing, token, [body, body, '{', body, body]);
    expect(answers).toEqual([
      ['n0', '200'],
      ['n1', '200'],
      ['n2', '400'],
      ['n3', '200'],
      ['n4', '200'],
    ]);
  });

  it('are answered in turn on one connection when they are large, those that cannot be read as well', async () => {
    const token = await preparing.signIn(preparing.root, 'account');
    await prepare(token, viewer);
    const large = JSON.stringify({ query: viewer, variables: { filled: 'x'.repeat(20_000) } });
    const bodies = [large, large.slice(0, -1), large, '{', large, large];
    const statuses = (await sendAhead(preparing, token, bodies)).map(([, status]) => status);
    expect(statuses).toEqual(['200', '400', '200', '400', '200', '200']);
  });

  it('leave the same line in the log', async () => {
    const token = await preparing.signIn(preparing.root, 'account');
    await prepare(token, viewer);
    const line = ({ log }: Served): object => {
      const {
        time: _time,
        milliseconds: _milliseconds,
        ...rest
      } = JSON.parse(log.at(-1) ?? '{}') as Record<string, unknown>;
      return rest;
    };
    const lines: object[] = [];
    for (const house of [preparing, plain]) {
      await send(house, token, { query: viewer });
      lines.push(line(house));
    }
    expect(lines[0]).toEqual(lines[1]);
    expect(lines[0]).toMatchObject({ operation: 'query Viewer', kind: 'query', status: 200, requestId });
  });
});

describe('what is kept of prepared operations', () => {
  /** Asks the same under a name; whether it was kept. */
  function askNamed(house: TestHouse, token: string): (name: string) => Promise<boolean> {
    const find = vi.spyOn(PreparedOperations.prototype, 'find');
    return async (name) => {
      await house.gql(token, `query ${name} { viewer { actor { name } } }`);
      return find.mock.results.at(-1)?.value !== null;
    };
  }

  it('is no more than the limit, and what was used longest ago goes first', async () => {
    const house = await startHouse({ preparation: { after: 1, most: 2, room: 1_000, share: 1 } });
    const token = await house.signIn(house.root, 'account');
    const found = askNamed(house, token);
    expect([await found('A'), await found('A')]).toEqual([false, true]);
    expect([await found('B'), await found('A')]).toEqual([false, true]);
    expect(await found('C')).toBe(false);
    expect([await found('A'), await found('B')]).toEqual([true, false]);
  });

  it('is no larger than there is room for', async () => {
    // Each is thirteen large.
    const house = await startHouse({ preparation: { after: 1, most: 10, room: 26, share: 1 } });
    const token = await house.signIn(house.root, 'account');
    const found = askNamed(house, token);
    for (const name of ['A', 'B']) expect([await found(name), await found(name)]).toEqual([false, true]);
    expect([await found('A'), await found('C')]).toEqual([true, false]);
    expect([await found('C'), await found('A'), await found('B')]).toEqual([true, true, false]);
  });

  it('takes no more of the time to compile than its share', async () => {
    // Of a thousand times as long as compiling took: nothing else is prepared while the test runs.
    const house = await startHouse({ preparation: { after: 1, most: 10, room: 1_000, share: 0.0001 } });
    const token = await house.signIn(house.root, 'account');
    const find = vi.spyOn(PreparedOperations.prototype, 'find');
    for (const name of ['A', 'A', 'B', 'B', 'A']) await house.gql(token, `query ${name} { viewer { actor { name } } }`);
    expect(find.mock.results.slice(-5).map(({ value }) => value !== null)).toEqual([false, true, false, false, true]);
  });
});
