/**
 * From resolver classes to the schema that is served: built by type-graphql, completed where type-graphql has no words,
 * proved, and only then guarded.
 */
import { getDocumentNodeFromSchema, mapSchema, MapperKind } from '@graphql-tools/utils';
import {
  GraphQLInputObjectType,
  GraphQLInterfaceType,
  GraphQLSchema,
  GraphQLUnionType,
  GraphQLObjectType,
  isObjectType,
  Kind,
  lexicographicSortSchema,
  print,
  specifiedDirectives,
  visit,
  type DocumentNode,
  type GraphQLFieldConfig,
  type GraphQLFieldResolver,
  type NameNode,
} from 'graphql';
import { buildSchemaSync, type BuildSchemaOptions } from 'type-graphql';
import type { Catalogue } from '../catalogue/index.js';
import { decideRequests } from './access.js';
import type { GraphContext } from './context.js';
import { permissionDirective, publicDirective } from './directives.js';
import { errorCodes } from './errors.js';
import { guardSchema, typeNameOf } from './guard.js';
import { encodeNodeId, isNodeKind } from './node-ids.js';
import { proveSchema } from './proof.js';
import { directivesOf, plainReader } from './rules.js';

export interface GuardedSchemaOptions {
  readonly resolvers: BuildSchemaOptions['resolvers'];
  readonly catalogue: Catalogue;
}

/** type-graphql asks for one as soon as there is a subscription; those here bring a feed of their own. */
const noTopics = {
  publish: () => undefined,
  subscribe: (): never => {
    throw new Error('there are no topics; a subscription brings a feed');
  },
};

/** Builds the schema; throws `SchemaNotGuarded` rather than serve a field that nobody asks about. */
export function buildGuardedSchema({ resolvers, catalogue }: GuardedSchemaOptions): GraphQLSchema {
  const built = buildSchemaSync({
    resolvers,
    validate: false,
    // The proof checks the schema once it is complete.
    skipCheck: true,
    directives: [...specifiedDirectives, permissionDirective, publicDirective],
    pubSub: noTopics,
  });
  const schema = complete(built);
  return guardSchema(schema, proveSchema(schema, catalogue));
}

/** The SDL that clients and reviewers read: sorted, with directives, the same text for the same schema. */
export function printGuardedSchema(schema: GraphQLSchema): string {
  const document = getDocumentNodeFromSchema(lexicographicSortSchema(schema));
  // graphql sorts by character codes, people and the lint of the SDL by letters: `aliases` before `aliasOf`.
  const byFields = { leave: (node: { readonly fields?: Named }) => ({ ...node, fields: inOrder(node.fields) }) };
  const sorted = visit<DocumentNode>(document, {
    [Kind.OBJECT_TYPE_DEFINITION]: byFields,
    [Kind.INTERFACE_TYPE_DEFINITION]: byFields,
    [Kind.INPUT_OBJECT_TYPE_DEFINITION]: byFields,
    [Kind.ENUM_TYPE_DEFINITION]: { leave: (node) => ({ ...node, values: inOrder(node.values) }) },
    [Kind.FIELD_DEFINITION]: { leave: (node) => ({ ...node, arguments: inOrder(node.arguments) }) },
  });
  return `${print(sorted)}\n`;
}

type Named = readonly { readonly name: NameNode }[];

function inOrder(nodes: Named = []): Named {
  return [...nodes].sort((a, b) => a.name.value.localeCompare(b.name.value, 'en'));
}

const description = [
  'Permissions of an AI platform: who may do what, in which workspace, on whose behalf, and why.',
  'Each field and type shows its permission in `@permission`. What the caller can mend comes as `userErrors` in payloads; everything else as a top-level error whose `extensions.code` is one of:',
  Object.entries(errorCodes)
    .map(([code, meaning]) => `- \`${code}\`: ${meaning}`)
    .join('\n'),
].join('\n\n');

const rootDescriptions: Readonly<Record<string, string>> = {
  Query: 'What can be read. Each field shows its permission; what is refused is null beside an error.',
  Mutation: 'What can be changed. Fields run one after the other, each as the caller whom the one before left behind.',
  Subscription:
    'What can be listened to, over a WebSocket at the same address (`graphql-transport-ws`). Permission is asked again for each event; what is refused ends with an error.',
};

/** What type-graphql cannot say: `@oneOf`, types named by the object itself, ids and counts read without a resolver. */
function complete(schema: GraphQLSchema): GraphQLSchema {
  const completed = mapSchema(schema, {
    [MapperKind.INPUT_OBJECT_TYPE]: (type) =>
      directivesOf(type).some((directive) => directive.name.value === 'oneOf')
        ? new GraphQLInputObjectType({ ...type.toConfig(), isOneOf: true })
        : undefined,
    // type-graphql's own functions are asynchronous, which would make every object behind them a promise.
    [MapperKind.INTERFACE_TYPE]: (type) =>
      new GraphQLInterfaceType({ ...type.toConfig(), resolveType: (value) => typeNameOf(value) }),
    [MapperKind.UNION_TYPE]: (type) =>
      new GraphQLUnionType({ ...type.toConfig(), resolveType: (value) => typeNameOf(value) }),
    [MapperKind.ROOT_OBJECT]: (type) =>
      new GraphQLObjectType({ ...type.toConfig(), description: rootDescriptions[type.name] ?? null }),
    [MapperKind.OBJECT_FIELD]: (field: GraphQLFieldConfig<unknown, unknown>, fieldName, typeName) => {
      const plain = plainResolvers[`${typeName}.${fieldName}`];
      if (plain !== undefined) return { ...field, resolve: plain };
      if (field.resolve !== undefined) return undefined;
      if (fieldName === 'id' && isNode(schema, typeName)) return { ...field, resolve: idReader(typeName) };
      if (fieldName === 'totalCount' && typeName.endsWith('Connection')) return { ...field, resolve: readTotalCount };
      return undefined;
    },
  });
  return new GraphQLSchema({ ...completed.toConfig(), description });
}

const checkAccess: GraphQLFieldResolver<unknown, GraphContext, Parameters<typeof decideRequests>[0]> = (
  _source,
  args,
  context,
) => decideRequests(args, context);

/** In place of those of type-graphql, which makes objects of classes of all that was sent: of a thousand things, a thousand. */
const plainResolvers: Readonly<Record<string, typeof checkAccess>> = { 'Query.checkAccess': checkAccess };

function isNode(schema: GraphQLSchema, typeName: string): boolean {
  const type = schema.getType(typeName);
  return isObjectType(type) && type.getInterfaces().some((implemented) => implemented.name === 'Node');
}

function idReader(typeName: string): (source: { readonly id: string }) => string {
  if (!isNodeKind(typeName)) throw new Error(`${typeName} implements Node but is no known kind of Node`);
  return plainReader((source: { readonly id: string }) => encodeNodeId(typeName, source.id));
}

const readTotalCount = plainReader((source: { readonly totalCount: (() => unknown) | null }) =>
  source.totalCount === null ? null : source.totalCount(),
);
