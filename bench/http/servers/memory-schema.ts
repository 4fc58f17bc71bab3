/**
 * The same schema over the same data, all of it in memory and answered to whoever asks: no credential is read, nothing is
 * decided (decisions are looked up among those made before the start), nothing is stored. What a framework costs by itself.
 */
import { buildASTSchema, GraphQLScalarType, parse, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql';
import { encodeNodeId } from '../../../src/graphql/node-ids.js';
import { reasonsOf } from '../requests.js';
import { caller, seededAt } from '../seed.js';
import {
  actionOf,
  digits,
  groupName,
  groupsOf,
  idOf,
  urnOf,
  userName,
  type AccessRequest,
  type World,
} from '../world.js';
import type { Plan } from './listening.js';

interface MemoryGroup {
  readonly id: string;
  readonly name: string;
}

interface MemoryUser {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly enabled: boolean;
  readonly createdAt: string;
  readonly memberOf: readonly MemoryGroup[];
}

type Args = Record<string, unknown>;

export function memorySchema(plan: Plan & { readonly world: World }): GraphQLSchema {
  const schema = buildASTSchema(parse(plan.sdl));
  for (const type of Object.values(schema.getTypeMap())) {
    if (type instanceof GraphQLScalarType && type.name === 'DateTime') type.serialize = (value) => value;
  }
  const { world, rootId, accountId } = plan;
  const groups = world.groups.map((_policies, place): MemoryGroup => {
    return { id: encodeNodeId('Group', idOf('group', place)), name: groupName(place) };
  });
  const createdAt = new Date(seededAt).toISOString();
  const root = { id: encodeNodeId('User', rootId), name: 'admin', description: 'The root user of the account' };
  const users: MemoryUser[] = [{ ...root, enabled: true, createdAt, memberOf: [] }];
  for (let place = 0; place < world.users; place += 1) {
    users.push({
      id: encodeNodeId('User', idOf('user', place)),
      name: userName(place),
      description: `number ${digits(place)}`,
      enabled: true,
      createdAt,
      memberOf: groupsOf(world, place).flatMap((group) => groups.slice(group, group + 1)),
    });
  }
  const viewer = {
    actor: { id: encodeNodeId('User', idOf('user', caller)), kind: 'USER', name: userName(caller) },
    account: { id: encodeNodeId('Account', accountId), name: 'bench' },
    scope: { kind: 'WORKSPACE' },
  };
  const decided = new Map(
    [...reasonsOf(world, caller)].map(([request, reason]) => [
      keyOf(actionOf(request), urnOf(request), request.pool),
      { effect: reason === 'ALLOWED' ? 'ALLOW' : 'DENY', reason },
    ]),
  );

  set(schema, 'Query', 'viewer', () => viewer);
  set(schema, 'Query', 'checkAccess', (_root, { requests }) =>
    (requests as readonly AskedAccess[]).map(({ action, resource, context }) =>
      decided.get(keyOf(action, resource, context?.[0]?.values[0] ?? null)),
    ),
  );
  set(schema, 'Query', 'users', (_root, { first }) => connectionOf(users, first));
  set(schema, 'User', 'groups', ({ memberOf }: MemoryUser, { first }) => connectionOf(memberOf, first));
  set(schema, 'Mutation', 'createUser', (_root, { input }) => {
    const { name, description } = input as { readonly name: string; readonly description: string };
    const id = encodeNodeId('User', idOf('user', users.length));
    const user = { id, name, description, enabled: true, createdAt: new Date().toISOString(), memberOf: [] };
    users.push(user);
    return { user, userErrors: [] };
  });
  return schema;
}

interface AskedAccess {
  readonly action: string;
  readonly resource: string;
  readonly context?: readonly { readonly values: readonly string[] }[];
}

const keyOf = (action: string, resource: string, pool: AccessRequest['pool']): string =>
  `${action}\n${resource}\n${pool ?? ''}`;

function connectionOf<T>(items: readonly T[], first: unknown): object {
  const count = typeof first === 'number' ? first : 25;
  const edges = items.slice(0, count).map((node) => ({ node }));
  return { edges, pageInfo: { hasNextPage: items.length > count } };
}

function set<Source>(
  schema: GraphQLSchema,
  typeName: string,
  fieldName: string,
  resolve: GraphQLFieldResolver<Source, unknown, Args>,
): void {
  const type = schema.getType(typeName);
  const field = type !== undefined && 'getFields' in type ? type.getFields()[fieldName] : undefined;
  if (field === undefined || !('args' in field)) throw new Error(`the schema has no ${typeName}.${fieldName}`);
  field.resolve = resolve as GraphQLFieldResolver<unknown, unknown>;
}
