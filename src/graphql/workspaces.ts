/** Workspaces: isolated spaces for resources. What one may not enter looks like what does not exist. */
import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  registerEnumType,
  Resolver,
  Root,
} from 'type-graphql';
import {
  createWorkspace,
  updateWorkspace,
  visibleWorkspaces,
  type EnterpriseProject as EnterpriseProjectRecord,
  type Filters,
  type Instant,
  type Order,
  type Orders,
  type Relations,
  type User as UserRecord,
  type Workspace as WorkspaceRecord,
  type WorkspaceStatus,
  type WorkspaceVisibility,
} from '../iam/index.js';
import {
  connection,
  connectionOf,
  linkedConnection,
  PageArguments,
  windowOf,
  type ConnectionOf,
} from './connections.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { EnterpriseProject } from './enterprise-projects.js';
import { answer, type PayloadFrame } from './errors.js';
import { changesOf, CreationInput, given, UpdateInput } from './inputs.js';
import { decodeId, decodeIds, decodeOptionalId } from './node-ids.js';
import { Node } from './node-interface.js';
import { OrderDirections, type OrderDirection } from './ordering.js';
import { CreationPayload, MutationPayload } from './payloads.js';
import { DateTime } from './scalars.js';
import { User } from './users.js';

const WorkspaceVisibilities = { PUBLIC: 'PUBLIC', PRIVATE: 'PRIVATE', INTERNAL: 'INTERNAL' } as const satisfies {
  readonly [Visibility in WorkspaceVisibility]: Visibility;
};

registerEnumType(WorkspaceVisibilities, {
  name: 'WorkspaceVisibility',
  description: 'Visibility of a workspace: which users may enter it.',
  valuesConfig: {
    PUBLIC: { description: 'Every user of the account.' },
    PRIVATE: { description: 'Creator of the workspace, and administrators.' },
    INTERNAL: { description: 'Members of the workspace, its creator, and administrators.' },
  },
});

const WorkspaceStatuses = {
  NORMAL: 'NORMAL',
  CREATE_FAILED: 'CREATE_FAILED',
  DELETING: 'DELETING',
  DELETE_FAILED: 'DELETE_FAILED',
} as const satisfies { readonly [Status in WorkspaceStatus]: Status };

registerEnumType(WorkspaceStatuses, {
  name: 'WorkspaceStatus',
  description: 'Status of a workspace.',
  valuesConfig: {
    NORMAL: { description: 'In use.' },
    CREATE_FAILED: { description: 'Could not be made; nobody enters.' },
    DELETING: { description: 'Being deleted; nobody enters.' },
    DELETE_FAILED: { description: 'Could not be deleted whole; may be entered to clean up.' },
  },
});

const WorkspaceOrderFields = {
  NAME: 'NAME',
  CREATED_AT: 'CREATED_AT',
  UPDATED_AT: 'UPDATED_AT',
  STATUS: 'STATUS',
} as const satisfies { readonly [By in Orders['workspace']]: By };

registerEnumType(WorkspaceOrderFields, {
  name: 'WorkspaceOrderField',
  description: 'Value that a list of workspaces is ordered by.',
  valuesConfig: {
    NAME: { description: 'Name of the workspace, letter case disregarded.' },
    CREATED_AT: { description: 'Timestamp of when the workspace was created.' },
    UPDATED_AT: { description: 'Timestamp of when the workspace was last changed.' },
    STATUS: { description: 'Status of the workspace, by its name.' },
  },
});

type MemberOrder = Relations['workspace.members']['order'];

const WorkspaceMemberOrderFields = { NAME: 'NAME', ADDED_AT: 'ADDED_AT' } as const satisfies {
  readonly [By in MemberOrder]: By;
};

registerEnumType(WorkspaceMemberOrderFields, {
  name: 'WorkspaceMemberOrderField',
  description: 'Value that a list of workspace members is ordered by.',
  valuesConfig: {
    NAME: { description: 'Name of the member, letter case disregarded.' },
    ADDED_AT: { description: 'Timestamp of when the member was added.' },
  },
});

@Permission({
  anyOf: ['modelarts:workspace:get', 'modelarts:workspace:list'],
  resource: 'modelarts::{account}:workspace:{source.id}',
  scope: 'ANY',
})
@ObjectType({
  description:
    'Isolated space for resources. Needs `modelarts:workspace:get` or `modelarts:workspace:list`, and that the caller may enter it.',
  implements: Node,
  simpleResolvers: true,
})
export class Workspace extends Node {
  @Field(() => String, { description: 'Name of the workspace, unique in the account, letter case disregarded.' })
  name!: string;

  @Field(() => String, { description: 'Description of the workspace.' })
  description!: string;

  @Field(() => WorkspaceVisibilities, { description: 'Visibility of the workspace.' })
  visibility!: WorkspaceVisibility;

  @Field(() => WorkspaceStatuses, { description: 'Status of the workspace.' })
  status!: WorkspaceStatus;

  @Field(() => String, { description: 'Status in words: what stands in the way; blank when nothing does.' })
  statusDetail!: string;

  @Field(() => Int, { description: 'Version of the workspace for `expectedVersion`.' })
  version!: number;

  @Field(() => DateTime, { description: 'Timestamp of when the workspace was created.' })
  createdAt!: Instant;

  @Field(() => DateTime, { description: 'Timestamp of when the workspace was last changed.' })
  updatedAt!: Instant;
}

export const WorkspaceConnection = connectionOf('Workspace', () => Workspace, {
  item: 'workspace',
  items: 'workspaces',
});

export const WorkspaceMemberConnection = connectionOf('WorkspaceMember', () => User, {
  item: 'member',
  items: 'members',
  added: 'the user was put on the list of the workspace',
});

@InputType({ description: 'Filter of a list of workspaces; members are ANDed.' })
class WorkspaceFilterInput {
  @Field(() => String, { nullable: true, description: 'Name of the workspace, letter case disregarded.' })
  name?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Text that the name of the workspaces contains, letter case disregarded.',
  })
  nameContains?: string | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of the enterprise project of the workspaces.' })
  enterpriseProjectId?: string | null;

  @Field(() => WorkspaceVisibilities, { nullable: true, description: 'Visibility of the workspaces.' })
  visibility?: WorkspaceVisibility | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Indicates that only workspaces are listed which the caller can enter now, without those that are being deleted; false unless given.',
  })
  accessible?: boolean | null;
}

@InputType({ description: 'Order of a list of workspaces.' })
class WorkspaceOrderInput {
  @Field(() => WorkspaceOrderFields, { description: 'Value that the workspaces are ordered by.' })
  field!: Orders['workspace'];

  @Field(() => OrderDirections, { description: 'Direction of the order.' })
  direction!: OrderDirection;
}

@ArgsType()
class WorkspaceListArguments extends PageArguments {
  @Field(() => WorkspaceFilterInput, { nullable: true, description: 'Filter of the list.' })
  filter?: WorkspaceFilterInput | null;

  @Field(() => WorkspaceOrderInput, { nullable: true, description: 'Order of the list; by name unless given.' })
  orderBy?: WorkspaceOrderInput | null;
}

@InputType({ description: 'Order of a list of workspace members.' })
class WorkspaceMemberOrderInput {
  @Field(() => WorkspaceMemberOrderFields, { description: 'Value that the members are ordered by.' })
  field!: MemberOrder;

  @Field(() => OrderDirections, { description: 'Direction of the order.' })
  direction!: OrderDirection;
}

@ArgsType()
class WorkspaceMemberListArguments extends PageArguments {
  @Field(() => WorkspaceMemberOrderInput, { nullable: true, description: 'Order of the list; by name unless given.' })
  orderBy?: WorkspaceMemberOrderInput | null;
}

@InputType({ description: 'Input of createWorkspace.' })
class CreateWorkspaceInput extends CreationInput {
  @Field(() => String, {
    description: 'Name of the workspace, 4 to 64 letters, digits, `-` and `_`; `default` is reserved.',
  })
  name!: string;

  @Field(() => String, { nullable: true, description: 'Description of the workspace, at most 256 characters.' })
  description?: string | null;

  @Field(() => ID, {
    nullable: true,
    description: 'Identifier of the enterprise project of the workspace, for ever; the default one unless given.',
  })
  enterpriseProjectId?: string | null;

  @Field(() => WorkspaceVisibilities, {
    nullable: true,
    defaultValue: WorkspaceVisibilities.PUBLIC,
    description: 'Visibility of the workspace.',
  })
  visibility?: WorkspaceVisibility | null;

  @Field(() => [ID], {
    nullable: true,
    description: 'Identifiers of the members, at most 500; they count while the visibility is INTERNAL.',
  })
  memberIds?: string[] | null;
}

@ObjectType({ description: 'Payload of createWorkspace.', simpleResolvers: true })
class CreateWorkspacePayload extends CreationPayload {
  @Field(() => Workspace, { nullable: true, description: 'Workspace that was created.' })
  workspace?: WorkspaceRecord | null;
}

@InputType({ description: 'Input of updateWorkspace; what is absent stays as it is, null clears the description.' })
class UpdateWorkspaceInput extends UpdateInput {
  @Field(() => ID, { description: 'Identifier of the workspace.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'New name of the workspace.' })
  name?: string | null;

  @Field(() => String, { nullable: true, description: 'New description of the workspace.' })
  description?: string | null;

  @Field(() => WorkspaceVisibilities, { nullable: true, description: 'New visibility of the workspace.' })
  visibility?: WorkspaceVisibility | null;

  @Field(() => [ID], {
    nullable: true,
    description: 'Identifiers of all members from now on, at most 500; they replace the list.',
  })
  memberIds?: string[] | null;
}

@ObjectType({ description: 'Payload of updateWorkspace.', simpleResolvers: true })
class UpdateWorkspacePayload extends MutationPayload {
  @Field(() => Workspace, { nullable: true, description: 'Workspace that was changed.' })
  workspace?: WorkspaceRecord | null;
}

@Resolver(() => Workspace)
export class WorkspaceResolver {
  @Permission({ action: 'modelarts:workspace:list', scope: 'ACCOUNT' })
  @Query(() => WorkspaceConnection, {
    nullable: true,
    description:
      'Workspaces of the account that the caller may enter, and those of them that are being deleted. Needs `modelarts:workspace:list`.',
  })
  async workspaces(
    @Args(() => WorkspaceListArguments) args: WorkspaceListArguments,
    @Ctx() { call: { reader, principal }, cursors }: GraphContext,
  ): Promise<ConnectionOf<WorkspaceRecord>> {
    const window = windowOf(cursors.of('workspaces'), args, orderOf(args.orderBy));
    const filter = filterOf(args.filter, principal.id);
    return connection(await reader.page('workspace', filter, window), window, () => reader.count('workspace', filter));
  }

  @Permission({
    action: 'modelarts:workspace:get',
    resource: 'modelarts::{account}:workspace:{args.id}',
    scope: 'ANY',
  })
  @Query(() => Workspace, {
    nullable: true,
    description:
      'Workspace by its identifier, inside a workspace only that one; null when it is missing or the caller may not enter it. Needs `modelarts:workspace:get`.',
  })
  async workspace(
    @Arg('id', () => ID, { description: 'Identifier of the workspace.' }) id: string,
    @Ctx() { call, loaders }: GraphContext,
  ): Promise<WorkspaceRecord | null> {
    const workspace = await loaders.find('workspace', decodeId('Workspace', id));
    const [visible] = workspace === null ? [] : await visibleWorkspaces(call, [workspace]);
    return visible ?? null;
  }

  @Permission({ action: 'modelarts:workspace:create', scope: 'ACCOUNT' })
  @Mutation(() => CreateWorkspacePayload, {
    nullable: true,
    description: 'Creates a workspace. Needs `modelarts:workspace:create`.',
  })
  async createWorkspace(
    @Arg('input', () => CreateWorkspaceInput, { description: 'Input of the mutation.' }) input: CreateWorkspaceInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { name, description, visibility, idempotencyKey } = input;
    const enterpriseProjectId = decodeOptionalId('EnterpriseProject', input.enterpriseProjectId);
    const memberIds = input.memberIds && decodeIds('User', input.memberIds);
    const wanted = { name, description, enterpriseProjectId, visibility, memberIds, idempotencyKey };
    const outcome = await createWorkspace(context.iam, context.call, wanted);
    return answer(context, input, outcome, (workspace) => ({ workspace }));
  }

  @Permission({
    action: 'modelarts:workspace:update',
    resource: 'modelarts::{account}:workspace:{args.input.id}',
    scope: 'ACCOUNT',
  })
  @Mutation(() => UpdateWorkspacePayload, {
    nullable: true,
    description:
      'Changes a workspace that the caller may enter, but not the default one; its enterprise project never changes. Needs `modelarts:workspace:update`.',
  })
  async updateWorkspace(
    @Arg('input', () => UpdateWorkspaceInput, { description: 'Input of the mutation.' }) input: UpdateWorkspaceInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { name, description, visibility, expectedVersion } = changesOf(input, { description: '' });
    const memberIds = input.memberIds && decodeIds('User', input.memberIds);
    const wanted = { id: decodeId('Workspace', input.id), name, description, visibility, memberIds, expectedVersion };
    const outcome = await updateWorkspace(context.iam, context.call, wanted);
    return answer(context, input, outcome, (workspace) => ({ workspace }));
  }

  @FieldResolver(() => EnterpriseProject, {
    nullable: true,
    description: 'Enterprise project of the workspace; null when the caller may not read it.',
  })
  enterpriseProject(
    @Root() workspace: WorkspaceRecord,
    @Ctx() { loaders }: GraphContext,
  ): Promise<EnterpriseProjectRecord | null> {
    return loaders.find('enterpriseProject', workspace.enterpriseProjectId);
  }

  @FieldResolver(() => User, {
    nullable: true,
    description: 'User who created the workspace; null when it was somebody else or the user is gone or invisible.',
  })
  creator(@Root() workspace: WorkspaceRecord, @Ctx() { loaders }: GraphContext): Promise<UserRecord | null> {
    return loaders.find('user', workspace.creatorId);
  }

  @Permission({
    action: 'modelarts:workspace:get',
    resource: 'modelarts::{account}:workspace:{source.id}',
    scope: 'ANY',
  })
  @FieldResolver(() => WorkspaceMemberConnection, {
    nullable: true,
    description:
      'Users on the list of the workspace, which counts while the visibility is INTERNAL. Needs `modelarts:workspace:get`.',
  })
  async members(
    @Root() workspace: WorkspaceRecord,
    @Args(() => WorkspaceMemberListArguments) args: WorkspaceMemberListArguments,
    @Ctx() { loaders, cursors }: GraphContext,
  ): Promise<ConnectionOf<UserRecord>> {
    const { field, direction } = args.orderBy ?? { field: 'NAME', direction: 'ASC' };
    const window = windowOf(cursors.of('Workspace.members', workspace.id), args, { by: field, direction });
    const page = await loaders.pageOf('workspace.members', workspace.id, window);
    return linkedConnection(page, window, () => loaders.countOf('workspace.members', workspace.id));
  }
}

function filterOf(input: WorkspaceFilterInput | null | undefined, callerId: string): Filters['workspace'] {
  const { enterpriseProjectId, accessible, ...others } = given(input);
  return {
    ...others,
    ...(accessible === true ? { accessibleTo: callerId } : { knownTo: callerId }),
    ...(enterpriseProjectId === undefined
      ? {}
      : { enterpriseProjectId: decodeId('EnterpriseProject', enterpriseProjectId) }),
  };
}

function orderOf(input: WorkspaceOrderInput | null | undefined): Order<Orders['workspace']> {
  return { by: input?.field ?? 'NAME', direction: input?.direction ?? 'ASC' };
}
