/** Objects by their identifier, whatever their type. Each type's permission is asked when it is reached. */
import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Ctx, ID, Info, Query, Resolver } from 'type-graphql';
import { BadInput, visibleWorkspaces, type Id } from '../iam/index.js';
import { shownAccessKey } from './access-keys.js';
import { shownAuthorization } from './authorizations.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { shownKeyPair } from './key-pairs.js';
import { longestIdList, nodeKinds, readNodeId, type NodeId, type NodeKind } from './node-ids.js';
import { Node } from './node-interface.js';
import { findVisibleSession } from './open-sessions.js';
import { findVisibleResource } from './resources.js';
import { checkText } from './text.js';

@Resolver()
export class NodeResolver {
  @Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
  @Query(() => Node, {
    nullable: true,
    description:
      'Object by its identifier; null when it is missing or the caller may not read it. Needs `bailiwick:session:use` and the permission of its type.',
  })
  async node(
    @Arg('id', () => ID, { description: 'Identifier of the object.' }) id: string,
    @Ctx() context: GraphContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<object | null> {
    const [object = null] = await findNodes(context, info, [id]);
    return object;
  }

  @Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
  @Query(() => [Node], {
    nullable: 'itemsAndList',
    description:
      'Objects by their identifiers, in the order asked; null for what is missing or may not be read. Needs `bailiwick:session:use` and the permission of each type.',
  })
  nodes(
    @Arg('ids', () => [ID], { description: `Identifiers of the objects, at most ${longestIdList}.` })
    ids: readonly string[],
    @Ctx() context: GraphContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<readonly (object | null)[]> {
    if (ids.length > longestIdList) {
      throw new BadInput(`${ids.length} ids were sent; at most ${longestIdList} are taken at once`);
    }
    return findNodes(context, info, ids);
  }
}

type Find = (context: GraphContext, id: Id) => Promise<object | null>;

/** Kinds whose record is not the whole object, or whose type's permission is not the whole question. */
const finders: { readonly [Kind in NodeKind]?: Find } = {
  Authorization: async ({ loaders }, id) => {
    const record = await loaders.find('authorization', id);
    return record === null ? null : shownAuthorization(record);
  },
  AccessKey: async ({ loaders }, id) => {
    const record = await loaders.find('accessKey', id);
    return record === null ? null : shownAccessKey(record);
  },
  KeyPair: async ({ loaders }, id) => {
    const record = await loaders.find('keyPair', id);
    return record === null ? null : shownKeyPair(record);
  },
  Resource: findVisibleResource,
  Session: findVisibleSession,
};

/** The objects of these ids in their order; one statement for each kind, whatever their number. */
async function findNodes(
  context: GraphContext,
  { schema }: GraphQLResolveInfo,
  texts: readonly string[],
): Promise<readonly (object | null)[]> {
  const nodes = texts.map(nodeIdOf);
  const entered = await enteredWorkspaces(context, nodes);
  return Promise.all(
    nodes.map(async ({ kind, id }) => {
      // Kinds of Node that the API does not show.
      if (schema.getType(kind) === undefined) return null;
      const find = finders[kind] ?? (({ loaders }) => loaders.find(nodeKinds[kind], id));
      const object = kind === 'Workspace' ? (entered.get(id) ?? null) : await find(context, id);
      return object === null ? null : { ...object, __typename: kind };
    }),
  );
}

function nodeIdOf(text: string): NodeId {
  const node = readNodeId(text);
  if (node === null) throw new BadInput(`\`${text}\` is not the identifier of an object`);
  checkText(node.id);
  return node;
}

/** Those among the workspaces that the caller may enter; asked for all of them at once. */
async function enteredWorkspaces(
  { call, loaders }: GraphContext,
  nodes: readonly NodeId[],
): Promise<ReadonlyMap<Id, object>> {
  const wanted = nodes.filter(({ kind }) => kind === 'Workspace');
  const records = await Promise.all(wanted.map(({ id }) => loaders.find('workspace', id)));
  const entered = await visibleWorkspaces(call, [...new Set(records.filter((record) => record !== null))]);
  return new Map(entered.map((workspace) => [workspace.id, workspace]));
}
