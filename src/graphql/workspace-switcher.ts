/** The switcher of a console: the workspaces that the user behind a credential may enter, wherever it acts (rule 16). */
import 'reflect-metadata';
import { Arg, Args, Ctx, Field, FieldResolver, ID, Int, ObjectType, Resolver } from 'type-graphql';
import { enterableWorkspaces, workspaceUrn, type Instant, type Workspace as WorkspaceRecord } from '../iam/index.js';
import { connection, PageArguments, PageInfo, windowOf, type ConnectionOf } from './connections.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { encodeNodeId } from './node-ids.js';
import { DateTime } from './scalars.js';
import { Viewer } from './session.js';
import { Workspace } from './workspaces.js';

@ObjectType({
  description: 'Place of one workspace in the list of those that the caller may enter.',
  simpleResolvers: true,
})
class ViewerWorkspaceEdge {
  @Field(() => ID, { description: 'Identifier of the workspace, for `switchScope`.' })
  workspaceId!: string;

  @Field(() => String, { description: 'Name of the workspace.' })
  name!: string;

  @Field(() => Boolean, { description: 'Indicates that the credential acts in the workspace.' })
  current!: boolean;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Timestamp of when the caller last chose the workspace, in any session; null if never.',
  })
  lastUsedAt!: Instant | null;

  @Field(() => Workspace, {
    nullable: true,
    description: 'Workspace itself; null when the caller may enter it but may not read more of it than is here.',
  })
  node!: WorkspaceRecord | null;

  @Field(() => String, { description: 'Cursor of the workspace in the list.' })
  cursor!: string;
}

@ObjectType({ description: 'Page of the list of workspaces that the caller may enter.', simpleResolvers: true })
class ViewerWorkspaceConnection {
  @Field(() => [ViewerWorkspaceEdge], {
    nullable: 'items',
    description: 'Edges of the page, one for each workspace.',
  })
  edges!: readonly ViewerWorkspaceEdge[];

  @Field(() => [Workspace], {
    nullable: 'items',
    description: 'Items of the page without their edges; null where the caller may not read the workspace.',
  })
  nodes!: readonly (WorkspaceRecord | null)[];

  @Field(() => PageInfo, { description: 'Place of the page in the list.' })
  pageInfo!: PageInfo;

  @Field(() => Int, { nullable: true, description: 'Number of workspaces in the whole list.' })
  totalCount!: ConnectionOf<WorkspaceRecord>['totalCount'];
}

@Resolver(() => Viewer)
export class ViewerWorkspacesResolver {
  @Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
  @FieldResolver(() => ViewerWorkspaceConnection, {
    nullable: true,
    description:
      'Workspaces that the caller may enter, by name, whichever one the credential acts in; null for services and agencies, which name the workspace in each request. Needs `bailiwick:session:use`.',
  })
  async workspaces(
    @Args(() => PageArguments) args: PageArguments,
    @Arg('nameContains', () => String, {
      nullable: true,
      description: 'Text that the name of the workspaces contains, letter case disregarded.',
    })
    nameContains: string | null | undefined,
    @Ctx() { iam, call, cursors }: GraphContext,
  ): Promise<ViewerWorkspaceConnection | null> {
    const window = windowOf(cursors.of('Viewer.workspaces'), args, { by: 'NAME', direction: 'ASC' });
    const listing = await enterableWorkspaces(iam, call, nameContains ?? null, window);
    if (listing === null) return null;
    const { edges: places, ...shown } = connection(listing.page, window, listing.count);
    const edges = places.map(({ node: { workspace, current, visitedAt }, cursor }): ViewerWorkspaceEdge => {
      const urn = workspaceUrn(call.accountId, workspace.id);
      const readable = ['modelarts:workspace:get', 'modelarts:workspace:list'].some((action) => call.may(action, urn));
      return {
        workspaceId: encodeNodeId('Workspace', workspace.id),
        name: workspace.name,
        current,
        lastUsedAt: visitedAt,
        node: readable ? workspace : null,
        cursor,
      };
    });
    return { ...shown, edges, nodes: edges.map(({ node }) => node) };
  }
}
