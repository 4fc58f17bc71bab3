import { buildSchema, isObjectType, type GraphQLSchema } from 'graphql';
import { Directive, Query, Resolver } from 'type-graphql';
import { describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { proveSchema, SchemaNotGuarded } from '../../src/graphql/proof.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';

const definitions = `
  directive @permission(action: String, anyOf: [String!], resource: String, scope: String!) on FIELD_DEFINITION | OBJECT
  directive @public(reason: String!) on FIELD_DEFINITION
  interface Node { id: ID! }
  interface UserError { message: String! }
`;

const user = `type User implements Node @permission(action: "iam:users:getUser", resource: "iam:::user:{source.id}", scope: "ANY") { id: ID! name: String }`;
const list = '@permission(action: "iam:users:listUsers", scope: "ANY")';

/** Problems of a schema; `own` names fields that get a resolver of their own. */
function problemsOf(sdl: string, own: readonly string[] = []): readonly string[] {
  const schema: GraphQLSchema = buildSchema(definitions + sdl, { assumeValidSDL: true });
  for (const coordinate of own) {
    const [typeName = '', fieldName = ''] = coordinate.split('.');
    const type = schema.getType(typeName);
    const field = isObjectType(type) ? type.getFields()[fieldName] : undefined;
    if (field === undefined) throw new Error(`no ${coordinate}`);
    field.resolve = () => null;
  }
  try {
    proveSchema(schema, platformCatalogue);
    return [];
  } catch (error) {
    if (error instanceof SchemaNotGuarded) return error.problems;
    throw error;
  }
}

const sound = `
  ${user}
  type UserEdge { node: User cursor: String! }
  type UserConnection { edges: [UserEdge]! nodes: [User]! }
  type GenericUserError implements UserError { message: String! }
  type CreateUserPayload { user: User userErrors: [UserError!]! }
  input CreateUserInput { groupId: ID! userId: ID }
  type Query {
    status: String @public(reason: "Says nothing of anybody.")
    user(id: ID!): User @permission(action: "iam:users:getUser", resource: "iam::{account}:user:{args.id}", scope: "ANY")
    users: UserConnection ${list}
    node(id: ID!): Node @permission(anyOf: ["bailiwick:session:use"], scope: "ANY")
  }
  type Mutation {
    createUser(input: CreateUserInput!): CreateUserPayload
      @permission(action: "iam:users:createUser", resource: "iam:::group:{args.input.groupId}", scope: "ACCOUNT")
  }
`;

describe('the proof', () => {
  it('passes a schema in which every field is asked about', () => {
    expect(problemsOf(sound, ['Query.user', 'User.name'])).toEqual([]);
  });

  it('asks of a subscription what it asks of every root field, and a permission in any case', () => {
    const listened = (field: string) => problemsOf(`${sound} type Subscription { ${field} }`);
    expect(listened(`userChanged: User ${list}`)).toEqual([]);
    expect(listened('userChanged: User')).toEqual(['Subscription.userChanged: needs one of @permission and @public']);
    expect(listened('userChanged: User @public(reason: "Everybody may hear it.")')).toEqual([
      'Subscription.userChanged: nobody listens without a credential, so it must carry @permission',
    ]);
    expect(listened(`userChanged: User! ${list}`)).toContain(
      'Subscription.userChanged: must be nullable, or a refusal would take its siblings along',
    );
    expect(listened(`userChanged: CreateUserPayload ${list}`)).toContain(
      'Subscription.userChanged: only mutations answer payloads',
    );
  });

  const faults: readonly (readonly [what: string, sdl: string, problem: string, own?: readonly string[]])[] = [
    [
      'a root field with neither directive',
      'type Query { a: String }',
      'Query.a: needs one of @permission and @public',
    ],
    [
      'a root field with both',
      `type Query { a: String ${list} @public(reason: "x") }`,
      'Query.a: has both @permission and @public; leave one',
    ],
    [
      'a mistyped directive',
      'type Query { a: String @permision(action: "iam:users:listUsers", scope: "ANY") }',
      'in the printed schema: Unknown directive "@permision".',
    ],
    [
      'a mistyped directive beside a good one',
      `type Query { a: String ${list} @publik(reason: "x") }`,
      'in the printed schema: Unknown directive "@publik".',
    ],
    [
      'a mistyped argument',
      'type Query { a: String @permission(actoin: "iam:users:listUsers", scope: "ANY") }',
      'Query.a: @permission has the unknown argument `actoin`',
    ],
    [
      'an argument of the wrong type',
      'type Query { a: String @permission(action: 3, scope: "ANY") }',
      'Query.a: @permission: Argument "action" has invalid value 3.',
    ],
    [
      'a permission without a scope',
      'type Query { a: String @permission(action: "iam:users:listUsers") }',
      'Query.a: @permission: Argument "scope" of required type "String!" was not provided.',
    ],
    [
      'an unknown scope',
      'type Query { a: String @permission(action: "iam:users:listUsers", scope: "account") }',
      'Query.a: @permission has the unknown scope `account`; use one of ACCOUNT, WORKSPACE, ANY',
    ],
    [
      'an unknown action',
      'type Query { a: String @permission(action: "iam:users:listUser", scope: "ANY") }',
      'Query.a: the catalogue has no action `iam:users:listUser`; did you mean `iam:users:listUsers`',
    ],
    [
      'an unknown action among several',
      'type Query { a: String @permission(anyOf: ["iam:users:listUsers", "no:such:action"], scope: "ANY") }',
      'Query.a: the catalogue has no action `no:such:action`',
    ],
    [
      'a pattern instead of an action',
      'type Query { a: String @permission(action: "iam:users:*", scope: "ANY") }',
      'Query.a: the catalogue has no action `iam:users:*`',
    ],
    [
      'both action and anyOf',
      'type Query { a: String @permission(action: "iam:users:listUsers", anyOf: ["iam:users:listUsers"], scope: "ANY") }',
      'Query.a: @permission must have one of `action` and `anyOf`',
    ],
    [
      'neither',
      'type Query { a: String @permission(scope: "ANY") }',
      'Query.a: @permission must have one of `action` and `anyOf`',
    ],
    [
      'no action in anyOf',
      'type Query { a: String @permission(anyOf: [], scope: "ANY") }',
      'Query.a: @permission names no action',
    ],
    ['the directive twice', `type Query { a: String ${list} ${list} }`, 'Query.a: has @permission more than once'],
    [
      'a public field without a reason',
      'type Query { a: String @public(reason: " ") }',
      'Query.a: @public gives no reason',
    ],
    [
      'a public field below the root',
      `${user.replace('name: String', 'name: String @public(reason: "x")')} type Query { a: User ${list} }`,
      'User.name: only root fields can be public',
    ],
    [
      'a permission on a root type',
      `type Query ${list} { a: String ${list} }`,
      'Query: a root type carries no permission; its fields do',
    ],
    [
      'a root field that cannot be null',
      `type Query { a: String! ${list} }`,
      'Query.a: must be nullable, or a refusal would take its siblings along',
    ],
    [
      'an object type that nobody lists',
      `type Secret { id: ID! } type Query { a: Secret ${list} }`,
      'Secret: carries no @permission and is not listed as a plain value',
    ],
    [
      'an unlisted type behind a union',
      `type Secret { id: ID! } ${user} union Any = User | Secret type Query { a: Any ${list} }`,
      'Secret: carries no @permission and is not listed as a plain value',
    ],
    [
      'a type that only looks like a wrapper by being named after one',
      `type Payload { id: ID! } type Query { a: Payload ${list} }`,
      'Payload: carries no @permission and is not listed as a plain value',
    ],
    [
      'a resolver of its own on a transparent type',
      `type Tag { key: String } type Query { a: Tag ${list} }`,
      'Tag.key: has a resolver of its own, but neither it nor its type carries @permission (a type whose fields only read properties says `simpleResolvers: true`)',
      ['Tag.key'],
    ],
    [
      'a resolver of its own on a payload',
      `${user} type MakePayload { user: User } type Query { a: String ${list} } type Mutation { make: MakePayload ${list} }`,
      'MakePayload.user: has a resolver of its own, but neither it nor its type carries @permission (a type whose fields only read properties says `simpleResolvers: true`)',
      ['MakePayload.user'],
    ],
    [
      'a payload outside mutations',
      `${user} type MakePayload { user: User } type Query { a: MakePayload ${list} }`,
      'Query.a: only mutations answer payloads',
    ],
    [
      'a payload below the root',
      `${user.replace('name: String', 'name: MakePayload')} type MakePayload { user: User } type Query { a: User ${list} }`,
      'User.name: only mutations answer payloads',
    ],
    [
      'guarded items that cannot be null',
      `${user} type Query { a: [User!] ${list} }`,
      'Query.a: yields objects of the guarded type User, so its items must be nullable',
    ],
    [
      'a guarded object that cannot be null behind an interface',
      `${user} type Tag { of: Node! } type Query { a: Tag ${list} }`,
      'Tag.of: yields objects of the guarded type Node, so it must be nullable',
    ],
    [
      'edges of guarded nodes that cannot be null',
      `${user} type UserEdge { node: User } type UserConnection { edges: [UserEdge!]! } type Query { a: UserConnection ${list} }`,
      'UserConnection.edges: yields objects of the guarded type User, so its items must be nullable',
    ],
    [
      'a list on an object that nobody asks about',
      `${user.replace('name: String', 'friends: UserConnection')} type UserEdge { node: User } type UserConnection { edges: [UserEdge]! } type Query { a: User ${list} }`,
      'User.friends: yields a list of its own, so it must carry @permission',
    ],
    [
      'a field with a rule of its own that cannot be null',
      `type Tag { key: String! ${list} } type Query { a: Tag ${list} }`,
      'Tag.key: carries @permission, so it must be nullable',
    ],
    [
      'a rule on an interface field that an object leaves out',
      `interface Named { name: String ${list} } type Tag implements Named { name: String } type Query { a: Tag ${list} }`,
      'Tag.name: lacks the @permission that Named.name declares',
    ],
    [
      'a rule on a type that is listed as transparent',
      `type Tag ${list} { key: String } type Query { a: Tag ${list} }`,
      'Tag: carries @permission but counts as transparent; rename it or take it off the list',
    ],
  ];

  for (const [what, sdl, problem, own = []] of faults) {
    it(`refuses ${what}`, () => {
      expect(problemsOf(sdl, own)).toContainEqual(expect.stringContaining(problem));
    });
  }

  const templates: readonly (readonly [resource: string, problem: string])[] = [
    ['iam::{account}:user:{args.nope}', 'names `args.nope`: `nope` is not declared'],
    ['iam::{account}:user:{args.input.nope}', 'names `args.input.nope`: `nope` is not declared'],
    ['iam::{account}:user:{args.id.deeper}', 'names `args.id.deeper`: `deeper` is not declared'],
    ['iam::{account}:user:{args.input}', 'names `args.input`: it is an object, not a value'],
    ['iam::{account}:user:{args.input.ids}', 'names `args.input.ids`: `ids` is a list'],
    [
      'iam::{account}:user:{args.input.userId}',
      'names `args.input.userId`: it may be absent; add `|caller`, or ask without a resource',
    ],
    [
      'iam::{account}:user:{args.maybe.id}',
      'names `args.maybe.id`: it may be absent; add `|caller`, or ask without a resource',
    ],
    ['iam::{account}:user:{args.id|caller}', 'names `args.id`: it is never absent; leave `|caller` out'],
    ['iam::{account}:user:{source.id}', 'names `source.id`, which is no plain field of the object'],
    ['iam::{account}:user:{arg.id}', 'has the unknown placeholder `{arg.id}`'],
    ['iam::{account}:user:{args.id', 'has a brace without its partner'],
    ['iam::{account}:user:args.id}', 'has a brace without its partner'],
    ['iam::{account}:user', 'must have the five segments `service:region:account:type:id`'],
    ['iam::{account}:{args.id}:x', 'may have placeholders only in its account and its id'],
    ['iam::other:user:{args.id}', 'must have `{account}` or nothing as its account'],
    ['iam::{args.id}:user:x', 'must have `{account}` or nothing as its account'],
    ['iam::{account}:user:', 'must not end in a blank segment'],
    ['::{account}:user:x', 'must name its service and its type'],
    ['{account}', 'must be a URN'],
  ];

  it.each(templates)('refuses the resource %s', (resource, problem) => {
    const sdl = `
      input Input { id: ID! userId: ID ids: [ID!]! }
      type Query {
        a(id: ID!, input: Input!, maybe: Input): String
          @permission(action: "iam:users:getUser", resource: "${resource}", scope: "ANY")
      }`;
    expect(problemsOf(sdl)).toContain(`Query.a: resource \`${resource}\` ${problem}`);
  });

  it('refuses a resource read from a field that has a resolver of its own', () => {
    const sdl = `${user} type Query { a: User ${list} }`;
    expect(problemsOf(sdl)).toEqual([]);
    expect(problemsOf(sdl, ['User.id'])).toContain(
      'User: resource `iam:::user:{source.id}` names `source.id`, which is no plain field of the object',
    );
  });

  it('reports everything at once, each with its place', () => {
    const problems = problemsOf('type Secret { id: ID! } type Query { a: String b: Secret! @public(reason: "x") }');
    expect(problems).toEqual([
      'Query.a: needs one of @permission and @public',
      'Query.b: must be nullable, or a refusal would take its siblings along',
      'Secret: carries no @permission and is not listed as a plain value',
    ]);
    expect(new SchemaNotGuarded(problems).message).toBe(
      `the schema is not guarded; 3 to mend:\n${problems.map((each) => `  - ${each}`).join('\n')}`,
    );
  });
});

describe('a resolver class', () => {
  it('cannot slip a directive past type-graphql by a typing error', () => {
    @Resolver()
    class Mistyped {
      @Directive('@Permission(action: "iam:users:listUsers", scope: "ANY")')
      @Query(() => String, { nullable: true })
      mistyped(): string {
        return 'leak';
      }
    }
    expect(() => buildGuardedSchema({ resolvers: [Mistyped], catalogue: platformCatalogue })).toThrow(
      'in the printed schema: Unknown directive "@Permission".',
    );
  });

  it('cannot leave the directive out', () => {
    @Resolver()
    class Bare {
      @Query(() => String, { nullable: true })
      bare(): string {
        return 'leak';
      }
    }
    expect(() => buildGuardedSchema({ resolvers: [Bare], catalogue: platformCatalogue })).toThrow(
      'Query.bare: needs one of @permission and @public',
    );
  });
});
