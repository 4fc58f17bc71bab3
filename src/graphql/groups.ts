/** Groups and their members; a group brings its grants to all of them. */
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
  addGroupMembers,
  createGroup,
  deleteGroup,
  removeGroupMembers,
  updateGroup,
  type Group as GroupRecord,
  type Instant,
  type Order,
  type Orders,
  type Relations,
  type User as UserRecord,
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
import { answer, type PayloadFrame } from './errors.js';
import { changesOf, CreationInput, given, MutationInput, UpdateInput } from './inputs.js';
import { decodeId, decodeIds, encodeNodeId, longestIdList } from './node-ids.js';
import { Node } from './node-interface.js';
import { OrderDirections, type OrderDirection } from './ordering.js';
import { CreationPayload, MutationPayload } from './payloads.js';
import { DateTime } from './scalars.js';
import { User } from './users.js';

const GroupOrderFields = { NAME: 'NAME', CREATED_AT: 'CREATED_AT', UPDATED_AT: 'UPDATED_AT' } as const satisfies {
  readonly [By in Orders['group']]: By;
};

registerEnumType(GroupOrderFields, {
  name: 'GroupOrderField',
  description: 'Value that a list of groups is ordered by.',
  valuesConfig: {
    NAME: { description: 'Name of the group, letter case disregarded.' },
    CREATED_AT: { description: 'Timestamp of when the group was created.' },
    UPDATED_AT: { description: 'Timestamp of when the group was last changed.' },
  },
});

const MemberOrderFields = { NAME: 'NAME', ADDED_AT: 'ADDED_AT' } as const satisfies {
  readonly [By in Relations['group.members']['order']]: By;
};

registerEnumType(MemberOrderFields, {
  name: 'MembershipOrderField',
  description: 'Value that the members of a group, or the groups of a user, are ordered by.',
  valuesConfig: {
    NAME: { description: 'Name of what is listed, letter case disregarded.' },
    ADDED_AT: { description: 'Timestamp of when the user joined the group.' },
  },
});

@Permission({
  anyOf: ['iam:groups:getGroup', 'iam:groups:listGroups'],
  resource: 'iam::{account}:group:{source.id}',
  scope: 'ANY',
})
@ObjectType({
  description: 'Users who are given rights together. Needs `iam:groups:getGroup` or `iam:groups:listGroups`.',
  implements: Node,
  simpleResolvers: true,
})
export class Group extends Node {
  @Field(() => String, { description: 'Name of the group, unique in the account, letter case disregarded.' })
  name!: string;

  @Field(() => String, { description: 'Description of the group.' })
  description!: string;

  @Field(() => Boolean, {
    description: 'Indicates the group `admin` that every account begins with; it cannot be renamed or deleted.',
  })
  builtIn!: boolean;

  @Field(() => Int, { description: 'Version of the group for `expectedVersion`.' })
  version!: number;

  @Field(() => DateTime, { description: 'Timestamp of when the group was created.' })
  createdAt!: Instant;

  @Field(() => DateTime, { description: 'Timestamp of when the group was last changed.' })
  updatedAt!: Instant;
}

export const GroupConnection = connectionOf('Group', () => Group, { item: 'group', items: 'groups' });

export const GroupMemberConnection = connectionOf('GroupMember', () => User, {
  item: 'member',
  items: 'members',
  added: 'the user joined the group',
});

export const UserGroupConnection = connectionOf('UserGroup', () => Group, {
  item: 'group',
  items: 'groups',
  added: 'the user joined the group',
});

@InputType({ description: 'Filter of a list of groups; members are ANDed.' })
class GroupFilterInput {
  @Field(() => String, { nullable: true, description: 'Name of the group, letter case disregarded.' })
  name?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Text that the name of the groups contains, letter case disregarded.',
  })
  nameContains?: string | null;
}

@InputType({ description: 'Order of a list of groups.' })
class GroupOrderInput {
  @Field(() => GroupOrderFields, { description: 'Value that the groups are ordered by.' })
  field!: Orders['group'];

  @Field(() => OrderDirections, { description: 'Direction of the order.' })
  direction!: OrderDirection;
}

@ArgsType()
class GroupListArguments extends PageArguments {
  @Field(() => GroupFilterInput, { nullable: true, description: 'Filter of the list.' })
  filter?: GroupFilterInput | null;

  @Field(() => GroupOrderInput, { nullable: true, description: 'Order of the list; by name unless given.' })
  orderBy?: GroupOrderInput | null;
}

@InputType({ description: 'Order of the members of a group, or of the groups of a user.' })
class MembershipOrderInput {
  @Field(() => MemberOrderFields, { description: 'Value that the list is ordered by.' })
  field!: keyof typeof MemberOrderFields;

  @Field(() => OrderDirections, { description: 'Direction of the order.' })
  direction!: OrderDirection;
}

@ArgsType()
class MembershipListArguments extends PageArguments {
  @Field(() => MembershipOrderInput, { nullable: true, description: 'Order of the list; by name unless given.' })
  orderBy?: MembershipOrderInput | null;
}

@InputType({ description: 'Input of createGroup.' })
class CreateGroupInput extends CreationInput {
  @Field(() => String, { description: 'Name of the group, 1 to 128 characters, unique in the account.' })
  name!: string;

  @Field(() => String, { nullable: true, description: 'Description of the group, at most 255 characters.' })
  description?: string | null;
}

@ObjectType({ description: 'Payload of createGroup.', simpleResolvers: true })
class CreateGroupPayload extends CreationPayload {
  @Field(() => Group, { nullable: true, description: 'Group that was created.' })
  group?: GroupRecord | null;
}

@InputType({ description: 'Input of updateGroup; what is absent stays as it is, null clears the description.' })
class UpdateGroupInput extends UpdateInput {
  @Field(() => ID, { description: 'Identifier of the group.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'Name of the group from now on.' })
  name?: string | null;

  @Field(() => String, { nullable: true, description: 'Description of the group from now on.' })
  description?: string | null;
}

@ObjectType({ description: 'Payload of updateGroup.', simpleResolvers: true })
class UpdateGroupPayload extends MutationPayload {
  @Field(() => Group, { nullable: true, description: 'Group that was changed.' })
  group?: GroupRecord | null;
}

@InputType({ description: 'Input of deleteGroup.' })
class DeleteGroupInput extends MutationInput {
  @Field(() => ID, { description: 'Identifier of the group.' })
  id!: string;
}

@ObjectType({ description: 'Payload of deleteGroup.', simpleResolvers: true })
class DeleteGroupPayload extends MutationPayload {
  @Field(() => Group, { nullable: true, description: 'Group that was deleted, as it was.' })
  group?: GroupRecord | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of the group that was deleted.' })
  deletedGroupId?: string | null;
}

@InputType({ description: 'Input of addGroupMembers.' })
class AddGroupMembersInput extends MutationInput {
  @Field(() => ID, { description: 'Identifier of the group.' })
  groupId!: string;

  @Field(() => [ID], { description: `Identifiers of the users who join, at most ${longestIdList}.` })
  userIds!: readonly string[];
}

@ObjectType({ description: 'Payload of addGroupMembers.', simpleResolvers: true })
class AddGroupMembersPayload extends MutationPayload {
  @Field(() => Group, { nullable: true, description: 'Group that the users joined.' })
  group?: GroupRecord | null;

  @Field(() => [User], {
    nullable: 'itemsAndList',
    description: 'Users who are members now; null where the caller may not read the user.',
  })
  users?: readonly UserRecord[] | null;

  @Field(() => [User], {
    nullable: 'itemsAndList',
    description: 'Users whose LOOSE default this ended; null where the caller may not read the user.',
  })
  defaultAccessEnded?: readonly UserRecord[] | null;
}

@InputType({ description: 'Input of removeGroupMembers.' })
class RemoveGroupMembersInput extends MutationInput {
  @Field(() => ID, { description: 'Identifier of the group.' })
  groupId!: string;

  @Field(() => [ID], { description: `Identifiers of the users who leave, at most ${longestIdList}.` })
  userIds!: readonly string[];
}

@ObjectType({ description: 'Payload of removeGroupMembers.', simpleResolvers: true })
class RemoveGroupMembersPayload extends MutationPayload {
  @Field(() => Group, { nullable: true, description: 'Group that the users left.' })
  group?: GroupRecord | null;

  @Field(() => [User], {
    nullable: 'itemsAndList',
    description: 'Users who are no members any more; null where the caller may not read the user.',
  })
  users?: readonly UserRecord[] | null;
}

@Resolver(() => Group)
export class GroupResolver {
  @Permission({ action: 'iam:groups:listGroups', scope: 'ANY' })
  @Query(() => GroupConnection, {
    nullable: true,
    description: 'Groups of the account; inside a workspace those with a grant there. Needs `iam:groups:listGroups`.',
  })
  async groups(
    @Args(() => GroupListArguments) args: GroupListArguments,
    @Ctx() { call: { reader }, cursors }: GraphContext,
  ): Promise<ConnectionOf<GroupRecord>> {
    const window = windowOf(cursors.of('groups'), args, orderOf(args.orderBy));
    const filter = given(args.filter);
    return connection(await reader.page('group', filter, window), window, () => reader.count('group', filter));
  }

  @Permission({ action: 'iam:groups:getGroup', resource: 'iam::{account}:group:{args.id}', scope: 'ANY' })
  @Query(() => Group, {
    nullable: true,
    description: 'Group by identifier; null when missing or invisible. Needs `iam:groups:getGroup`.',
  })
  group(
    @Arg('id', () => ID, { description: 'Identifier of the group.' }) id: string,
    @Ctx() { loaders }: GraphContext,
  ): Promise<GroupRecord | null> {
    return loaders.find('group', decodeId('Group', id));
  }

  @Permission({ action: 'iam:groups:createGroup', scope: 'ACCOUNT' })
  @Mutation(() => CreateGroupPayload, {
    nullable: true,
    description: 'Creates a group. Needs `iam:groups:createGroup`.',
  })
  async createGroup(
    @Arg('input', () => CreateGroupInput, { description: 'Input of the mutation.' }) input: CreateGroupInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { name, description, idempotencyKey } = input;
    const outcome = await createGroup(context.iam, context.call, { name, description, idempotencyKey });
    return answer(context, input, outcome, (group) => ({ group }));
  }

  @Permission({ action: 'iam:groups:updateGroup', resource: 'iam::{account}:group:{args.input.id}', scope: 'ACCOUNT' })
  @Mutation(() => UpdateGroupPayload, {
    nullable: true,
    description: 'Changes a group. Needs `iam:groups:updateGroup`.',
  })
  async updateGroup(
    @Arg('input', () => UpdateGroupInput, { description: 'Input of the mutation.' }) input: UpdateGroupInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { name, description, expectedVersion } = changesOf(input, { description: '' });
    const wanted = { id: decodeId('Group', input.id), name, description, expectedVersion };
    return answer(context, input, await updateGroup(context.iam, context.call, wanted), (group) => ({ group }));
  }

  @Permission({ action: 'iam:groups:deleteGroup', resource: 'iam::{account}:group:{args.input.id}', scope: 'ACCOUNT' })
  @Mutation(() => DeleteGroupPayload, {
    nullable: true,
    description: 'Deletes a group with its memberships and grants; the users stay. Needs `iam:groups:deleteGroup`.',
  })
  async deleteGroup(
    @Arg('input', () => DeleteGroupInput, { description: 'Input of the mutation.' }) input: DeleteGroupInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const outcome = await deleteGroup(context.iam, context.call, { id: decodeId('Group', input.id) });
    return answer(context, input, outcome, (group) => ({ group, deletedGroupId: encodeNodeId('Group', group.id) }));
  }

  @Permission({
    action: 'iam:permissions:addUserToGroup',
    resource: 'iam::{account}:group:{args.input.groupId}',
    scope: 'ACCOUNT',
  })
  @Mutation(() => AddGroupMembersPayload, {
    nullable: true,
    description:
      'Adds users to a group, all or none; who is a member already stays one. One must hold what the group gives. Needs `iam:permissions:addUserToGroup`.',
  })
  async addGroupMembers(
    @Arg('input', () => AddGroupMembersInput, { description: 'Input of the mutation.' }) input: AddGroupMembersInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const wanted = {
      groupId: decodeId('Group', input.groupId),
      userIds: decodeIds('User', input.userIds, longestIdList),
    };
    return answer(context, input, await addGroupMembers(context.iam, context.call, wanted), (change) => change);
  }

  @Permission({
    action: 'iam:permissions:removeUserFromGroup',
    resource: 'iam::{account}:group:{args.input.groupId}',
    scope: 'ACCOUNT',
  })
  @Mutation(() => RemoveGroupMembersPayload, {
    nullable: true,
    description:
      'Removes users from a group, all or none; who is no member is no fault. Needs `iam:permissions:removeUserFromGroup`.',
  })
  async removeGroupMembers(
    @Arg('input', () => RemoveGroupMembersInput, { description: 'Input of the mutation.' })
    input: RemoveGroupMembersInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const wanted = {
      groupId: decodeId('Group', input.groupId),
      userIds: decodeIds('User', input.userIds, longestIdList),
    };
    const outcome = await removeGroupMembers(context.iam, context.call, wanted);
    return answer(context, input, outcome, ({ group, users }) => ({ group, users }));
  }

  @Permission({
    anyOf: ['iam:users:listUsersForGroup', 'iam:users:listUsers'],
    resource: 'iam::{account}:group:{source.id}',
    scope: 'ANY',
  })
  @FieldResolver(() => GroupMemberConnection, {
    nullable: true,
    description:
      'Members of the group; inside a workspace those who may enter it. Needs `iam:users:listUsersForGroup` or `iam:users:listUsers`.',
  })
  async members(
    @Root() group: GroupRecord,
    @Args(() => MembershipListArguments) args: MembershipListArguments,
    @Ctx() { loaders, cursors }: GraphContext,
  ): Promise<ConnectionOf<UserRecord>> {
    const window = windowOf(cursors.of('Group.members', group.id), args, membershipOrder(args));
    const page = await loaders.pageOf('group.members', group.id, window);
    return linkedConnection(page, window, () => loaders.countOf('group.members', group.id));
  }
}

/** Here and not beside User: users know nothing of groups. */
@Resolver(() => User)
export class UserGroupsResolver {
  @Permission({
    anyOf: ['iam:groups:listGroupsForUser', 'iam:groups:listGroups'],
    resource: 'iam::{account}:user:{source.id}',
    scope: 'ANY',
  })
  @FieldResolver(() => UserGroupConnection, {
    nullable: true,
    description:
      'Groups of the user; inside a workspace those with a grant there. Needs `iam:groups:listGroupsForUser` or `iam:groups:listGroups`.',
  })
  async groups(
    @Root() user: UserRecord,
    @Args(() => MembershipListArguments) args: MembershipListArguments,
    @Ctx() { loaders, cursors }: GraphContext,
  ): Promise<ConnectionOf<GroupRecord>> {
    const window = windowOf(cursors.of('User.groups', user.id), args, membershipOrder(args));
    const page = await loaders.pageOf('user.groups', user.id, window);
    return linkedConnection(page, window, () => loaders.countOf('user.groups', user.id));
  }
}

function orderOf(input: GroupOrderInput | null | undefined): Order<Orders['group']> {
  return { by: input?.field ?? 'NAME', direction: input?.direction ?? 'ASC' };
}

function membershipOrder({ orderBy }: MembershipListArguments): Order<keyof typeof MemberOrderFields> {
  return { by: orderBy?.field ?? 'NAME', direction: orderBy?.direction ?? 'ASC' };
}
