/**
 * `@permission` on a schema of another service, asked of a real Bailiwick over HTTP: what is let through and what not, how
 * many requests that takes, and what happens when nobody answers.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import {
  buildSchema,
  execute,
  GraphQLObjectType,
  parse,
  subscribe,
  validate,
  type GraphQLFieldResolver,
  type GraphQLSchema,
} from 'graphql';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createClient, guardSchema, permissionTypeDefs, SchemaNotGuarded, type Client } from '../../src/sdk/index.js';
import { seed } from '../policy/seed.js';
import { startHouse, type TestHouse } from '../kit/house.js';
import { Job } from '../kit/job.js';

let house: TestHouse;
let job: Job;
let client: Client;
let token: string;
/** Questions of each request to Bailiwick so far. */
let requests: number[] = [];

const read = 'obs:object:GetObject';

beforeAll(async () => {
  house = await startHouse();
  job = await Job.set(house);
  const counting: typeof fetch = (url, init) => {
    const { variables } = JSON.parse(init?.body as string) as { variables: Record<string, unknown> };
    const asked = Object.values(variables).flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : []));
    const { input } = variables as { input?: { requests: unknown[] } };
    requests.push(asked.length + (input?.requests.length ?? 0));
    return fetch(url, init);
  };
  const scope = { account: job.accountId };
  client = createClient({ url: house.url, credentials: job.storage, scope, fetch: counting, timeout: 5_000 });
  // Reads every object but those whose name begins with `secret`, and lists.
  const objects = (pattern: string): string => `obs:*:*:object:${pattern}`;
  const policy = await job.scene.policy('reads-most', [
    { Effect: 'Allow', Action: [read, 'obs:bucket:ListBucket'] },
    { Effect: 'Deny', Action: [read], Resource: [objects('secret*')] },
  ]);
  await job.scene.grant(policy, { user: job.user.id });
  const own = await house.signIn(job.user, { workspace: job.lab });
  const { switchScope } = await house.gql<{ switchScope: { token: string } }>(
    own,
    'mutation S($input: SwitchScopeInput!) { switchScope(input: $input) { token userErrors { message } } }',
    { input: { scope: { workspace: job.lab }, audience: job.storage.id } },
  );
  token = switchScope.token;
});

beforeEach(() => {
  requests = [];
});

interface Context {
  readonly token: string | null;
}

function guardedSchema(typeDefs: string, resolvers: Resolvers = {}, asking = client): GraphQLSchema {
  const schema = buildSchema(permissionTypeDefs + typeDefs);
  for (const [typeName, fields] of Object.entries(resolvers)) {
    const type = schema.getType(typeName);
    if (!(type instanceof GraphQLObjectType)) throw new Error(`no type ${typeName}`);
    for (const [name, resolve] of Object.entries(fields)) {
      const field = type.getFields()[name];
      if (field === undefined) throw new Error(`no field ${typeName}.${name}`);
      if (typeName === 'Subscription') field.subscribe = resolve;
      else field.resolve = resolve;
    }
  }
  return guardSchema<Context>(schema, {
    client: asking,
    account: job.accountId,
    sender: ({ token: shown }) => (shown === null ? null : { token: shown }),
  });
}

type Resolvers = Readonly<Record<string, Readonly<Record<string, GraphQLFieldResolver<unknown, unknown>>>>>;

async function run(schema: GraphQLSchema, query: string, shown: string | null = token, rootValue: unknown = {}) {
  const document = parse(query);
  expect(validate(schema, document)).toEqual([]);
  const result = await execute({ schema, document, rootValue, contextValue: { token: shown } });
  const errors = (result.errors ?? []).map(({ path, extensions, message }) => ({
    path,
    code: extensions['code'],
    reason: extensions['reason'],
    message,
  }));
  return { data: JSON.parse(JSON.stringify(result.data ?? null)) as unknown, errors };
}

const files = /* GraphQL */ `
  type Query {
    bucket(name: String!): Bucket @permission(action: "obs:bucket:ListBucket", resource: "obs:::bucket:{args.name}")
    object(name: String!): File @permission(action: "obs:object:GetObject", resource: "obs:::object:{args.name}")
    time: String @public(reason: "Everybody may know the time.")
    hidden: String @permission(action: "obs:object:DeleteObject")
    either: String @permission(anyOf: ["obs:object:DeleteObject", "obs:bucket:ListBucket"])
  }
  type Mutation {
    write(name: String!): File @permission(action: "obs:object:GetObject", resource: "obs:::object:{args.name}")
  }
  type Subscription {
    written(name: String!): String @permission(action: "obs:object:GetObject", resource: "obs:::object:{args.name}")
  }
  type Bucket {
    name: String
    files: [File]
    strict: [File!]
    any: [Entry]
    owner: String @permission(action: "obs:object:DeleteObject")
    sole: String! @permission(action: "obs:object:DeleteObject")
    first: File
  }
  union Entry = File | Bucket
  type File @permission(action: "obs:object:GetObject", resource: "obs:::object:{source.name}") {
    name: String
    size: Int
    note: String @permission(action: "obs:object:GetObject", resource: "obs:::object:secret-{source.name}")
    bucket: Bucket
  }
`;

const file = (name: string): object => ({ __typename: 'File', name, size: name.length, note: 'note' });
const bucket = (): object => ({
  __typename: 'Bucket',
  name: 'b',
  files: ['a', 'secret-1', 'c'].map(file),
  strict: ['a', 'secret-2'].map(file),
  any: [file('secret-3'), file('d'), { __typename: 'Bucket', name: 'inner' }],
  owner: 'somebody',
  sole: 'somebody',
  first: file('secret-4'),
});
const resolvers: Resolvers = {
  Query: {
    bucket: bucket,
    object: (_source, { name }) => file(name as string),
    time: () => 'noon',
    hidden: () => 'hidden',
    either: () => 'either',
  },
  Mutation: { write: (_source, { name }) => file(name as string) },
};

describe('what is let through', () => {
  it('root fields: refused with action, reason and request; public ones without a question', async () => {
    const { data, errors } = await run(
      guardedSchema(files, resolvers),
      '{ time hidden either object(name: "x") { size } }',
    );
    expect(data).toEqual({ time: 'noon', hidden: null, either: 'either', object: { size: 1 } });
    expect(errors).toEqual([
      {
        path: ['hidden'],
        code: 'FORBIDDEN',
        reason: 'NO_MATCHING_ALLOW',
        message: expect.stringMatching(
          /^`obs:object:DeleteObject` is not allowed for you here; ask an administrator/,
        ) as string,
      },
    ]);
    const publicOnly = await run(guardedSchema(files, resolvers), '{ time }', null);
    expect(publicOnly).toEqual({ data: { time: 'noon' }, errors: [] });
  });

  it('nobody, and a credential that is not good', async () => {
    for (const shown of [null, 'nonsense', await house.signIn(job.user).then((good) => `${good.slice(0, -4)}AAAA`)]) {
      const { data, errors } = await run(guardedSchema(files, resolvers), '{ either }', shown);
      expect(data).toEqual({ either: null });
      expect(errors).toMatchObject([{ code: 'UNAUTHENTICATED' }]);
    }
  });

  it('nested fields and objects are null where they may be, wherever they are reached', async () => {
    const { data, errors } = await run(
      guardedSchema(files, resolvers),
      '{ bucket(name: "b") { name owner files { name note } any { __typename ... on File { name } ... on Bucket { name } } first { name } } }',
    );
    expect(data).toEqual({
      bucket: {
        name: 'b',
        owner: null,
        files: [{ name: 'a', note: null }, null, { name: 'c', note: null }],
        any: [null, { __typename: 'File', name: 'd' }, { __typename: 'Bucket', name: 'inner' }],
        first: null,
      },
    });
    expect(errors).toEqual([]);
  });

  it('where null may not be, the refusal is an error', async () => {
    const { data, errors } = await run(guardedSchema(files, resolvers), '{ bucket(name: "b") { strict { name } } }');
    expect(data).toEqual({ bucket: { strict: null } });
    expect(errors).toMatchObject([{ path: ['bucket', 'strict', 1], code: 'FORBIDDEN' }]);
    const sole = await run(guardedSchema(files, resolvers), '{ bucket(name: "b") { sole } }');
    expect(sole).toMatchObject({ data: { bucket: null }, errors: [{ path: ['bucket', 'sole'], code: 'FORBIDDEN' }] });
  });

  it('a resolver that is refused never runs', async () => {
    let ran = 0;
    const schema = guardedSchema(files, { Query: { ...resolvers['Query'], hidden: () => (ran += 1) } });
    await run(schema, '{ hidden }');
    expect(ran).toBe(0);
  });

  it('an argument never adds to a URN', async () => {
    const { data } = await run(guardedSchema(files, resolvers), '{ object(name: "secret*") { name } }');
    expect(data).toEqual({ object: null });
    const { errors } = await run(guardedSchema(files, resolvers), '{ object(name: "") { name } }');
    expect(errors).toMatchObject([{ code: 'FORBIDDEN', message: expect.stringMatching(/without a name/) as string }]);
  });

  it('a subscription is asked as it begins and at each event', async () => {
    const events = async function* () {
      for (const text of ['one', 'two', 'three']) yield await Promise.resolve({ written: text });
    };
    const schema = guardedSchema(files, { ...resolvers, Subscription: { written: events } });
    const start = async (name: string) =>
      subscribe({ schema, document: parse(`subscription { written(name: "${name}") }`), contextValue: { token } });
    expect(await start('secret-x')).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
    const stream = await start('free');
    if (!(Symbol.asyncIterator in stream)) throw new Error(JSON.stringify(stream));
    const seen: unknown[] = [];
    const denies = await job.scene.policy('denies-free', [
      { Effect: 'Deny', Action: [read], Resource: ['obs:*:*:object:free'] },
    ]);
    for await (const { data, errors } of stream) {
      seen.push(data?.['written'] ?? errors?.[0]?.extensions['code']);
      if (seen.length === 2) await job.scene.grant(denies, { user: job.user.id });
    }
    expect(seen).toEqual(['one', 'two', 'FORBIDDEN']);
  });
});

describe('how often Bailiwick is asked', () => {
  it('once for each level, whatever stands on it', async () => {
    const schema = guardedSchema(files, resolvers);
    await run(
      schema,
      `{ bucket(name: "b") { owner files { note name } strict { name } first { name note } }
         other: bucket(name: "b") { owner any { ... on File { note } } } object(name: "x") { note } hidden either }`,
    );
    // Root fields; what the buckets and the file's fields ask; the objects in them with their fields.
    expect(requests).toHaveLength(3);
  });

  it('equal questions are asked once in an operation', async () => {
    await run(
      guardedSchema(files, resolvers),
      '{ a: hidden b: hidden c: object(name: "x") { name } d: object(name: "x") { name } }',
    );
    expect(requests).toEqual([2]);
  });

  it('not at all for what needs no permission', async () => {
    await run(guardedSchema(files, resolvers), '{ time __typename }');
    expect(requests).toEqual([]);
  });

  it('root fields of a mutation one after the other: each may change who may do what', async () => {
    const { data } = await run(
      guardedSchema(files, resolvers),
      'mutation { a: write(name: "x") { name } b: write(name: "x") { name } }',
    );
    expect(data).toEqual({ a: { name: 'x' }, b: { name: 'x' } });
    expect(requests.length).toBe(2);
  });

  it('a thousand objects and more in one request', async () => {
    const many = {
      Query: {
        ...resolvers['Query'],
        bucket: () => ({ files: Array.from({ length: 1_200 }, (_, i) => file(`f${i}`)) }),
      },
    };
    const { data, errors } = await run(guardedSchema(files, many), '{ bucket(name: "b") { files { name } } }');
    expect(errors).toEqual([]);
    expect((data as { bucket: { files: unknown[] } }).bucket.files.filter((one) => one !== null)).toHaveLength(1_200);
    expect(requests).toEqual([1, 1_200]);
  });

  it('once for a level whose objects arrive one after the other, under parents that do so too', async () => {
    const typeDefs = /* GraphQL */ `
      type Query {
        many: [Part] @public(reason: "For the test.")
      }
      type Part {
        name: String
        part: Part
        asked: String @permission(action: "obs:object:GetObject", resource: "obs:::object:{source.name}")
      }
    `;
    let made = 0;
    // Far enough apart that a request for one would be on its way before the next is there.
    const late = async (): Promise<object> => {
      const mine = (made += 1);
      await sleep(15 * (mine % 3));
      return { name: `part-${mine}`, asked: 'told' };
    };
    const schema = guardedSchema(typeDefs, {
      Query: { many: () => [late(), late(), late()] },
      Part: { part: late },
    });
    const { data, errors } = await run(schema, '{ many { asked part { asked part { asked } } } }');
    expect(errors).toEqual([]);
    const leaf = { asked: 'told' };
    const branch = { ...leaf, part: { ...leaf, part: leaf } };
    expect(data).toEqual({ many: [branch, branch, branch] });
    expect(requests).toEqual([3, 3, 3]);
  });

  it('at most once for each level of generated operations, however slow their resolvers are', async () => {
    const typeDefs = /* GraphQL */ `
      type Query {
        one: Plain @permission(action: "obs:bucket:ListBucket")
        free: Plain @public(reason: "For the test.")
        many: [Kept] @permission(action: "obs:bucket:ListBucket")
      }
      type Plain {
        name: String
        plain: Plain
        kept: Kept
        list: [Kept]
        asked: String @permission(action: "obs:object:GetObject", resource: "obs:::object:{source.name}")
        failing: Kept
      }
      type Kept @permission(action: "obs:object:GetObject", resource: "obs:::object:{source.name}") {
        name: String
        plain: Plain
        kept: Kept
        list: [Plain]
        asked: String @permission(action: "obs:object:GetObject", resource: "obs:::object:more-{source.name}")
      }
    `;
    const tree: fc.Arbitrary<string> = fc.letrec<{ plain: string; kept: string }>((tie) => ({
      plain: fc
        .tuple(
          fc.constantFrom('name', 'asked', 'name asked'),
          fc.option(tie('plain')),
          fc.option(tie('kept')),
          fc.option(tie('kept')),
          fc.boolean(),
        )
        .map(
          ([own, plain, kept, list, failing]) =>
            `${own} ${plain === null ? '' : `plain { ${plain} }`} ${kept === null ? '' : `kept { ${kept} }`} ${list === null ? '' : `list { ${list} }`} ${failing ? 'failing { name }' : ''}`,
        ),
      kept: fc
        .tuple(fc.constantFrom('name', 'asked', 'name asked'), fc.option(tie('plain')), fc.option(tie('plain')))
        .map(
          ([own, plain, list]) =>
            `${own} ${plain === null ? '' : `plain { ${plain} }`} ${list === null ? '' : `list { ${list} }`}`,
        ),
    })).plain;
    const depthOf = (query: string): number => {
      let [depth, most] = [0, 0];
      for (const character of query) {
        if (character === '{') most = Math.max(most, (depth += 1));
        if (character === '}') depth -= 1;
      }
      return most;
    };
    await fc.assert(
      fc.asyncProperty(tree, tree, fc.infiniteStream(fc.integer({ min: -3, max: 4 })), async (left, right, delays) => {
        const waits = delays[Symbol.iterator]();
        let count = 0;
        const slow = async <T>(make: () => T): Promise<T> => {
          const wait = Number(waits.next().value);
          if (wait > 0) await sleep(wait);
          return make();
        };
        const made = (): object => ({ name: `n${(count += 1)}` });
        const list = (): unknown => slow(() => [made(), slow(made), null, made()]);
        const one = () => slow(made);
        const fields = {
          plain: one,
          kept: one,
          list,
          failing: () =>
            slow(() => {
              throw new Error('failed');
            }),
        };
        const { failing: _, ...ofKept } = fields;
        const schema = guardedSchema(typeDefs, {
          Query: { one, free: one, many: list },
          Plain: fields,
          Kept: ofKept,
        });
        const query = `{ one { ${left} } free { ${right} } many { name plain { name asked } } }`;
        if (depthOf(query) > 6) return;
        requests = [];
        const { data, errors } = await run(schema, query);
        expect(data).not.toBeNull();
        for (const { message } of errors) expect(message).toBe('failed');
        expect(requests.length).toBeGreaterThan(0);
        expect(requests.length).toBeLessThanOrEqual(depthOf(query));
      }),
      { numRuns: 60, seed },
    );
  });
});

describe('a schema that is not guarded is not served', () => {
  it.each([
    ['a root field with neither directive', 'type Query { a: String }', /Query\.a: has neither/],
    ['a mistyped directive', 'type Query { a: String @permision(action: "obs:bucket:ListBucket") }', /permision/],
    ['a mistyped argument', 'type Query { a: String @permission(acton: "a:b:c") }', /acton/],
    ['an action that is none', 'type Query { a: String @permission(action: "everything") }', /names no action/],
    ['neither action nor anyOf', 'type Query { a: String @permission }', /one of `action` and `anyOf`/],
    [
      'a template of an undeclared argument',
      'type Query { a(id: ID!): String @permission(action: "a:b:c", resource: "a:::b:{args.name}") }',
      /`name` is not declared/,
    ],
    [
      'a template of an argument that may be absent',
      'type Query { a(id: ID): String @permission(action: "a:b:c", resource: "a:::b:{args.id}") }',
      /may be absent/,
    ],
    [
      'a template of the caller',
      'type Query { a: String @permission(action: "a:b:c", resource: "a:::b:{caller}") }',
      /names the caller/,
    ],
    ['public for no reason', 'type Query { a: String @public(reason: " ") }', /gives no reason/],
    ['both directives', 'type Query { a: String @public(reason: "x") @permission(action: "a:b:c") }', /has both/],
    [
      'an interface',
      'interface I { a: String @permission(action: "a:b:c") } type Query { b: I @public(reason: "x") }',
      /stands on an interface/,
    ],
  ])('%s', (_what, typeDefs, message) => {
    const make = () => {
      const schema = buildSchema(permissionTypeDefs + typeDefs, { assumeValidSDL: true });
      return guardSchema<Context>(schema, { client, account: 'a', sender: () => null });
    };
    expect(make).toThrow(SchemaNotGuarded);
    expect(make).toThrow(message);
  });
});

it('when nobody answers, everything guarded is refused and says so', async () => {
  const nobody = createClient({ url: 'http://127.0.0.1:9/graphql', credentials: job.storage, timeout: 300 });
  const { data, errors } = await run(
    guardedSchema(files, resolvers, nobody),
    '{ time hidden bucket(name: "b") { name } }',
  );
  expect(data).toEqual({ time: 'noon', hidden: null, bucket: null });
  expect(errors).toMatchObject([
    { path: ['hidden'], code: 'PERMISSIONS_UNAVAILABLE', reason: 'UNREACHABLE' },
    { path: ['bucket'], code: 'PERMISSIONS_UNAVAILABLE' },
  ]);
});
