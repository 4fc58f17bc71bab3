import { ApolloServer } from '@apollo/server';
import { buildSchema, getIntrospectionQuery, parse, validateSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { GraphContext } from '../../src/graphql/context.js';
import { errorPlugin, formatError } from '../../src/graphql/errors.js';
import { limitsPlugin, parseLimits } from '../../src/graphql/limits.js';
import { Throttle } from '../../src/graphql/throttle.js';
import { createLoaders } from '../../src/graphql/loaders.js';
import { encodeNodeId } from '../../src/graphql/node-ids.js';
import { printGuardedSchema } from '../../src/graphql/schema.js';
import { scopeChoice } from '../../src/graphql/inputs.js';
import type { Reader } from '../../src/iam/index.js';
import { contextOf, nothing, run, type Caller } from './kit.js';
import { sample } from './sample.js';

const reported: [unknown, string | undefined][] = [];

const server = new ApolloServer<GraphContext>({
  schema: sample,
  introspection: true,
  includeStacktraceInErrorResponses: true,
  formatError,
  parseOptions: parseLimits,
  plugins: [limitsPlugin(new Throttle()), errorPlugin((error, requestId) => reported.push([error, requestId]))],
  logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
});

interface Reply {
  readonly status: number;
  readonly data: unknown;
  readonly errors: readonly { readonly message: string; readonly extensions: Record<string, unknown> }[];
}

async function post(query: string, caller: Caller, variables: Record<string, unknown> = {}): Promise<Reply> {
  const contextValue = await contextOf(caller);
  const { body, http } = await server.executeOperation({ query, variables }, { contextValue });
  if (body.kind !== 'single') throw new Error('one answer was expected');
  const { data, errors = [] } = JSON.parse(JSON.stringify(body.singleResult)) as Partial<Reply>;
  return { status: http.status ?? 200, data, errors };
}

const codes = ({ errors }: Reply): readonly unknown[] => errors.map(({ extensions }) => extensions['code']);

describe('errors on the wire', () => {
  it('answer 401 to nobody and to a broken credential, 200 to who is refused', async () => {
    expect(await post('{ directory }', { kind: 'ANONYMOUS' })).toMatchObject({ status: 401 });
    const broken = { message: 'gone', reference: 'IAM.0067' };
    expect(await post('{ status }', { kind: 'ANONYMOUS', broken })).toMatchObject({ status: 401 });
    const refused = await post('{ directory }', {});
    expect(refused.status).toBe(200);
    expect(codes(refused)).toEqual(['FORBIDDEN']);
    expect(refused.errors[0]?.extensions).not.toHaveProperty('http');
  });

  it('mask what is no business of the client, with the request to name', async () => {
    reported.length = 0;
    for (const kind of ['throw', 'string', 'serialize']) {
      const reply = await post(`{ fault(kind: "${kind}") }`, { requestId: 'req-7' });
      expect(reply.errors).toEqual([
        {
          message: 'internal error; name request `req-7` to the operator',
          path: ['fault'],
          locations: [{ line: 1, column: 3 }],
          extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: 'req-7' },
        },
      ]);
    }
    expect(reported.map(([, requestId]) => requestId)).toEqual(['req-7', 'req-7', 'req-7']);
    expect(String(reported[0]?.[0])).toContain('hunter2');
  });

  it('show malformed input with the platform’s code', async () => {
    const reply = await post('{ fault(kind: "input") }', {});
    expect(reply.errors[0]).toMatchObject({
      message: 'the cursor is bad',
      extensions: { code: 'BAD_USER_INPUT', reference: 'IAM.0011' },
    });
    expect(reported.every(([error]) => !String(error).includes('cursor'))).toBe(true);
  });

  it('never carry a stack trace', async () => {
    const replies = [
      await post('{ fault(kind: "throw") }', {}),
      await post('{ directory }', {}),
      await post('{ nope }', {}),
      await post('{', {}),
      await post('query ($v: DateTime!) { echo(at: $v) }', {}, { v: 'x' }),
    ];
    for (const reply of replies) {
      expect(JSON.stringify(reply)).not.toMatch(/stacktrace|node_modules|hunter2/);
      expect(reply.errors).toHaveLength(1);
    }
    expect(replies.flatMap(codes)).toEqual([
      'INTERNAL_SERVER_ERROR',
      'FORBIDDEN',
      'GRAPHQL_VALIDATION_FAILED',
      'GRAPHQL_PARSE_FAILED',
      'BAD_USER_INPUT',
    ]);
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 400, 400, 400]);
  });

  it('survive anything that is thrown', () => {
    for (const thrown of [undefined, null, 0, 'x', {}, Object.create(null), new Error('x')]) {
      expect(formatError({ message: 'x' }, thrown)).toEqual({
        message: 'internal error',
        extensions: { code: 'INTERNAL_SERVER_ERROR' },
      });
    }
  });
});

describe('limits', () => {
  const ask = async (query: string, caller: Caller = { may: ['iam:groups:getGroup'] }): Promise<Reply> =>
    post(query, caller);

  it('let an ordinary operation through', async () => {
    expect(codes(await ask('{ group { id owner { name } } }'))).toEqual([]);
  });

  it('refuse depth, in fragments too', async () => {
    const schema = buildSchema('type Query { q: Query }');
    const small = new ApolloServer<GraphContext>({ schema, formatError, plugins: [limitsPlugin(new Throttle())] });
    const at = async (query: string): Promise<unknown> => {
      const { body } = await small.executeOperation({ query }, { contextValue: await contextOf({}) });
      return body.kind === 'single' ? body.singleResult.errors?.[0]?.extensions : null;
    };
    const chain = (levels: number): string => (levels === 1 ? 'q { __typename }' : `q { ${chain(levels - 1)} }`);
    expect(await at(`{ ${chain(11)} }`)).toBeUndefined();
    expect(await at(`{ ${chain(12)} }`)).toMatchObject({ code: 'OPERATION_TOO_LARGE', limit: 12 });
    const spread = `{ q { q { q { q { ...A } } } } } fragment A on Query { q { q { q { q { ...B } } } } } fragment B on Query { q { q { q { q { __typename } } } } }`;
    expect(await at(spread)).toMatchObject({ code: 'OPERATION_TOO_LARGE' });
  });

  it('refuse aliases and root fields, counted where fragments are spread', async () => {
    const aliases = (count: number): string =>
      Array.from({ length: count }, (_, index) => `a${index}: __typename`).join(' ');
    expect(codes(await ask(`{ group { ${aliases(30)} } }`))).toEqual([]);
    const wide = await ask(`{ group { ${aliases(31)} } }`);
    expect(wide).toMatchObject({ status: 400, errors: [{ extensions: { code: 'OPERATION_TOO_LARGE', limit: 30 } }] });
    expect(codes(await ask(`{ ${aliases(20)} }`))).toEqual([]);
    expect((await ask(`{ ${aliases(21)} }`)).errors[0]?.extensions).toMatchObject({
      code: 'OPERATION_TOO_LARGE',
      limit: 20,
    });
    const doubled = `{ a: group { ...F } b: group { ...F } } fragment F on Group { ${aliases(15)} }`;
    expect(codes(await ask(doubled))).toEqual(['OPERATION_TOO_LARGE']);
  });

  it('measure fragments that double each other in no time', async () => {
    const chain = Array.from(
      { length: 60 },
      (_, index) => `fragment F${index} on Query { ...F${index + 1} ...F${index + 1} }`,
    );
    const query = `{ ...F0 } ${chain.join(' ')} fragment F60 on Query { a: status }`;
    expect(codes(await ask(query))).toEqual(['OPERATION_TOO_LARGE']);
  });

  it('refuse fields that fragments multiply, though their text is short', async () => {
    const fragments = (levels: number): string =>
      Array.from({ length: levels }, (_, i) =>
        i === 0 ? 'fragment F0 on Group { id __typename }' : `fragment F${i} on Group { ...F${i - 1} ...F${i - 1} }`,
      ).join(' ');
    expect(codes(await ask(`{ group { ...F10 } } ${fragments(11)}`))).toEqual([]);
    expect(await ask(`{ group { ...F11 } } ${fragments(12)}`)).toMatchObject({
      status: 400,
      errors: [
        {
          message: 'the operation has 4097 fields, at most 2500 are allowed; split it',
          extensions: { code: 'OPERATION_TOO_LARGE', limit: 2500 },
        },
      ],
    });
  });

  it('refuse directives by the dozen, unused fragments included', async () => {
    const directives = (count: number): string => '@include(if: true) '.repeat(count);
    const spread = (count: number): string =>
      Array.from({ length: count }, (_, i) => `a${i}: __typename ${directives(1)}`).join(' ');
    expect(codes(await ask(`{ ${spread(19)} ...F } fragment F on Query { group { ${spread(10)} } }`))).toEqual([]);
    const many = `{ group { ...F } } fragment F on Group { ${'... on Group @include(if: true) { id } '.repeat(51)} }`;
    expect((await ask(many)).errors[0]).toMatchObject({
      message: 'the operation has 51 directives, at most 50 are allowed; split it',
      extensions: { code: 'OPERATION_TOO_LARGE', limit: 50 },
    });
  });

  it('refuse lists in variables that are longer than any argument takes', async () => {
    const echo = 'query ($v: JSON) { echo(value: $v) }';
    const list = (length: number): number[] => Array.from({ length }, () => 0);
    expect(codes(await post(echo, {}, { v: { of: [list(2000)] } }))).toEqual([]);
    expect((await post(echo, {}, { v: { of: [list(2001)] } })).errors[0]?.extensions).toMatchObject({
      code: 'OPERATION_TOO_LARGE',
      limit: 2000,
    });
  });

  it('refuse documents of too many tokens', async () => {
    const reply = await ask(`{ ${'status '.repeat(2000)} }`);
    expect(codes(reply)).toEqual(['GRAPHQL_PARSE_FAILED']);
    expect(reply.status).toBe(400);
  });

  it('let only those read the schema who may', async () => {
    const source = getIntrospectionQuery();
    const closed = await post(source, {});
    expect(closed).toMatchObject({ status: 400, errors: [{ extensions: { code: 'INTROSPECTION_DISABLED' } }] });
    expect(closed.data).toBeUndefined();
    expect(codes(await post('{ ...F } fragment F on Query { __type(name: "User") { name } }', {}))).toEqual([
      'INTROSPECTION_DISABLED',
    ]);
    expect(codes(await post('{ __typename }', {}))).toEqual([]);
    const open = await post(source, { may: ['bailiwick:schema:introspect'] });
    expect(open.errors).toEqual([]);
  });

  it('let even those read it no deeper than its types are', async () => {
    const deep = `{ __schema { types { ${'fields { type { '.repeat(5)} name ${'} } '.repeat(5)} } } }`;
    const reply = await post(deep, { may: ['bailiwick:schema:introspect'] });
    expect(reply).toMatchObject({ status: 400, errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] });
  });

  it('hint at names of the schema to those only who may read it', async () => {
    const wrong = ['{ statu }', 'query ($v: JSO) { echo(value: $v) }', '{ group { own } }'];
    for (const query of wrong) {
      const [hinted] = (await post(query, { may: ['bailiwick:schema:introspect'] })).errors;
      const [plain] = (await post(query, {})).errors;
      expect(hinted?.message).toMatch(/ Did you mean .*\?$/);
      expect(plain?.message).toBe(hinted?.message.replace(/ Did you mean .*$/, ''));
    }
  });
});

describe('text that cannot be stored', () => {
  it.each([
    ['a variable', { v: 'a\0b' }],
    ['a list in a variable', { v: ['ok', ['\ud800']] }],
    ['a member', { v: { deep: { er: '\udfff' } } }],
    ['the name of a member', { v: { ['\0']: 1 } }],
    ['a pair the wrong way round', { v: '\udc00\ud800' }],
  ])('is refused in %s', async (_where, variables) => {
    const reply = await post('query ($v: JSON) { echo(value: $v) }', {}, variables);
    expect(codes(reply)).toEqual(['BAD_USER_INPUT']);
  });

  it('is refused in a literal', async () => {
    expect(codes(await post('{ echo(value: "a\\u0000b") }', {}))).toEqual(['BAD_USER_INPUT']);
    expect(codes(await post('{ echo(value: { deep: ["a\\u{0}b"] }) }', {}))).toEqual(['BAD_USER_INPUT']);
    // The parser itself refuses the other kind.
    expect(codes(await post('{ echo(value: "\\ud800") }', {}))).toEqual(['GRAPHQL_PARSE_FAILED']);
  });

  it('is not confused with text that can', async () => {
    const reply = await post('query ($v: JSON) { echo(value: $v) }', {}, { v: 'né 😀 \u0001' });
    expect(reply.data).toEqual({ echo: 'né 😀 \u0001' });
  });
});

describe('inputs', () => {
  const echo = async (args: string, variables: Record<string, unknown> = {}, types = ''): Promise<Reply> =>
    post(`query ${types} { echo(${args}) }`, {}, variables);

  it('of which exactly one member is wanted take exactly one', async () => {
    expect((await echo('subject: { user: "u" }')).data).toEqual({ echo: { user: 'u' } });
    expect(codes(await echo('subject: { user: "u", group: "g" }'))).toEqual(['GRAPHQL_VALIDATION_FAILED']);
    expect(codes(await echo('subject: {}'))).toEqual(['GRAPHQL_VALIDATION_FAILED']);
    expect(codes(await echo('subject: { user: null }'))).toEqual(['GRAPHQL_VALIDATION_FAILED']);
    const types = '($s: SubjectInput)';
    expect(codes(await echo('subject: $s', { s: { user: 'u', group: 'g' } }, types))).toEqual(['BAD_USER_INPUT']);
    expect(codes(await echo('subject: $s', { s: {} }, types))).toEqual(['BAD_USER_INPUT']);
    expect((await echo('subject: $s', { s: { group: 'g' } }, types)).data).toEqual({ echo: { group: 'g' } });
  });

  it('choose a scope', () => {
    expect(scopeChoice(null)).toBeNull();
    expect(scopeChoice({ account: true })).toEqual({ kind: 'account' });
    expect(scopeChoice({ workspace: encodeNodeId('Workspace', '0') })).toEqual({ kind: 'workspace', id: '0' });
    expect(() => scopeChoice({ account: false })).toThrow('`false` names no scope');
    expect(() => scopeChoice({ workspace: encodeNodeId('User', '0') })).toThrow('give the id of a Workspace');
  });

  it('of time are RFC 3339 and become milliseconds', async () => {
    expect((await echo('at: "1970-01-01T00:00:01Z"')).data).toEqual({ echo: 1000 });
    expect((await echo('at: "1970-01-01t02:00:00.5+01:00"')).data).toEqual({ echo: 3600500 });
    for (const bad of [
      '2023-02-30T00:00:00Z',
      '2023-13-01T00:00:00Z',
      '2023-01-01',
      '2023-01-01T00:00:00',
      '2023-01-01T24:01:00Z',
      'tomorrow',
      '',
    ]) {
      expect(codes(await echo(`at: "${bad}"`)), bad).toEqual(['GRAPHQL_VALIDATION_FAILED']);
    }
    expect(codes(await echo('at: 5'))).toEqual(['GRAPHQL_VALIDATION_FAILED']);
    expect((await echo('at: "2024-02-29T00:00:00Z"')).errors).toEqual([]);
  });

  it('of JSON keep `__proto__` as a member like any other', async () => {
    const written = await echo('value: { __proto__: { admin: true }, a: [1, 2.5, null, false] }');
    expect(JSON.stringify(written.data)).toBe('{"echo":{"__proto__":{"admin":true},"a":[1,2.5,null,false]}}');
    const variable = JSON.parse('{ "v": { "__proto__": { "admin": true } } }') as Record<string, unknown>;
    expect(JSON.stringify((await echo('value: $v', variable, '($v: JSON)')).data)).toBe(
      '{"echo":{"__proto__":{"admin":true}}}',
    );
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
    const inside = await echo('value: { a: $v }', { v: [{ b: 1 }] }, '($v: JSON)');
    expect(inside.data).toEqual({ echo: { a: [{ b: 1 }] } });
  });

  it('of JSON are not deeper than anything needs', async () => {
    const nest = (levels: number): unknown => (levels === 0 ? 0 : [nest(levels - 1)]);
    expect(codes(await echo('value: $v', { v: nest(64) }, '($v: JSON)'))).toEqual([]);
    expect(codes(await echo('value: $v', { v: nest(65) }, '($v: JSON)'))).toEqual(['BAD_USER_INPUT']);
    expect(codes(await echo(`value: ${'['.repeat(65)}${']'.repeat(65)}`))).toEqual(['GRAPHQL_VALIDATION_FAILED']);
    expect(codes(await echo('value: UNQUOTED'))).toEqual(['GRAPHQL_VALIDATION_FAILED']);
  });
});

describe('a payload', () => {
  it('shows problems with their concrete types and nothing else', async () => {
    const answer = await run(
      sample,
      `mutation { createUser(input: { name: "", clientMutationId: "c" }) { user { name } revision replayed clientMutationId
        userErrors { __typename code message path reference ... on LimitExceededError { limit } ... on NotHeldError { actions } ... on PolicyDocumentError { pointer line column } } } }`,
      await contextOf({ may: ['iam:users:createUser'] }),
    );
    expect(answer.errors).toEqual([]);
    expect(answer.data).toEqual({
      createUser: {
        user: null,
        revision: null,
        replayed: false,
        clientMutationId: 'c',
        userErrors: [
          {
            __typename: 'GenericUserError',
            code: 'INVALID',
            message: 'a name is needed',
            path: ['input', 'name'],
            reference: null,
          },
          {
            __typename: 'LimitExceededError',
            code: 'LIMIT_EXCEEDED',
            message: 'too many',
            path: ['input', 'name'],
            reference: null,
            limit: 3,
          },
          {
            __typename: 'NotHeldError',
            code: 'NOT_HELD',
            message: 'gain',
            path: ['input', 'name'],
            reference: null,
            actions: ['a:b:c'],
          },
          {
            __typename: 'PolicyDocumentError',
            code: 'POLICY_DOCUMENT',
            message: 'bad',
            path: ['input', 'extra'],
            reference: null,
            pointer: '/Statement',
            line: 1,
            column: 2,
          },
        ],
      },
    });
  });
});

describe('loaders', () => {
  it('bring what many ask for in one statement, and remember it for one call only', async () => {
    const statements: string[] = [];
    const reader: Reader = {
      ...nothing,
      find: async (kind, ids) => {
        statements.push(`${kind} ${ids.join()}`);
        return new Map(ids.filter((id) => id !== 'gone').map((id) => [id, { id } as never]));
      },
      countsOf: async (relation, ids) => {
        statements.push(`${relation} ${ids.join()}`);
        return new Map(ids.map((id) => [id, 2]));
      },
    };
    const loaders = createLoaders(reader);
    const found = await Promise.all(['a', 'b', 'gone', 'a'].map((id) => loaders.find('user', id)));
    expect(found).toEqual([{ id: 'a' }, { id: 'b' }, null, { id: 'a' }]);
    expect(await Promise.all([loaders.countOf('group.members', 'g'), loaders.countOf('group.members', 'h')])).toEqual([
      2, 2,
    ]);
    expect(statements).toEqual(['user a,b,gone', 'group.members g,h']);
    await createLoaders(reader).find('user', 'a');
    expect(statements).toHaveLength(3);
  });

  it('ask for pages of the same window together, and of other windows apart', async () => {
    const asked: string[] = [];
    const reader: Reader = {
      ...nothing,
      pagesOf: async (relation, ids, window) => {
        asked.push(`${relation} ${ids.join()} ${window.limit}`);
        return new Map();
      },
    };
    const window = {
      order: { by: 'NAME', direction: 'ASC' },
      limit: 2,
      backward: false,
      after: null,
      before: null,
    } as const;
    const loaders = createLoaders(reader);
    const pages = await Promise.all([
      loaders.pageOf('group.members', 'g', window),
      loaders.pageOf('group.members', 'h', { ...window }),
      loaders.pageOf('group.members', 'g', { ...window, limit: 3 }),
    ]);
    expect(pages[0]).toEqual({ rows: [], hasNext: false, hasPrevious: false });
    expect(asked).toEqual(['group.members g,h 2', 'group.members g 3']);
  });
});

describe('the printed schema', () => {
  const sdl = printGuardedSchema(sample);

  it('is valid, the same every time, and shows permissions and `@oneOf`', () => {
    expect(validateSchema(buildSchema(sdl))).toEqual([]);
    expect(printGuardedSchema(sample)).toBe(sdl);
    expect(sdl).toContain('input SubjectInput @oneOf {');
    expect(sdl).toContain(
      'type User implements Node @permission(action: "iam:users:getUser", resource: "iam::{account}:user:{source.id}", scope: "ANY") {',
    );
    expect(sdl).toContain(
      'directory: String @permission(anyOf: ["iam:users:createUser", "iam:users:updateUser"], scope: "ACCOUNT")',
    );
    expect(sdl).toContain('status: String @public(reason: "Says whether the service is up.")');
    expect(parse(sdl).definitions.length).toBeGreaterThan(10);
  });
});
