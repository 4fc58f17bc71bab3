/** Users: who can sign in. */
import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  registerEnumType,
  Resolver,
} from 'type-graphql';
import {
  createUser,
  deleteUser,
  updateUser,
  type DefaultAccess,
  type Instant,
  type Order,
  type Orders,
  type User as UserRecord,
} from '../iam/index.js';
import { connection, connectionOf, PageArguments, windowOf, type ConnectionOf } from './connections.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { changesOf, CreationInput, given, MutationInput, UpdateInput } from './inputs.js';
import { decodeId, decodeIds, encodeNodeId } from './node-ids.js';
import { Node } from './node-interface.js';
import { OrderDirections, type OrderDirection } from './ordering.js';
import { CreationPayload, MutationPayload } from './payloads.js';
import { DateTime } from './scalars.js';

const DefaultAccesses = { IN_FORCE: 'IN_FORCE', ENDED: 'ENDED' } as const satisfies {
  readonly [Access in DefaultAccess]: Access;
};

registerEnumType(DefaultAccesses, {
  name: 'DefaultAccess',
  description: 'State of the access that authorization mode LOOSE gives a user by default.',
  valuesConfig: {
    IN_FORCE: { description: 'No Allow naming `modelarts` has reached the user; the default acts in mode LOOSE.' },
    ENDED: { description: 'An Allow naming `modelarts` has reached the user; it stays ended when that is revoked.' },
  },
});

const UserOrderFields = { NAME: 'NAME', CREATED_AT: 'CREATED_AT', UPDATED_AT: 'UPDATED_AT' } as const satisfies {
  readonly [By in Orders['user']]: By;
};

registerEnumType(UserOrderFields, {
  name: 'UserOrderField',
  description: 'Value that a list of users is ordered by.',
  valuesConfig: {
    NAME: { description: 'Name of the user, letter case disregarded.' },
    CREATED_AT: { description: 'Timestamp of when the user was created.' },
    UPDATED_AT: { description: 'Timestamp of when the user was last changed.' },
  },
});

@Permission({
  anyOf: ['iam:users:getUser', 'iam:users:listUsers'],
  resource: 'iam::{account}:user:{source.id}',
  scope: 'ANY',
})
@ObjectType({
  description: 'Member of the account who can sign in. Needs `iam:users:getUser` or `iam:users:listUsers`.',
  implements: Node,
  simpleResolvers: true,
})
export class User extends Node {
  @Field(() => String, { description: 'Name of the user, unique in the account, letter case disregarded.' })
  name!: string;

  @Field(() => String, { description: 'Description of the user.' })
  description!: string;

  @Field(() => Boolean, { description: 'Indicates that the user may sign in.' })
  enabled!: boolean;

  @Field(() => Boolean, { description: 'Indicates the account’s root user, who bypasses policies.' })
  root!: boolean;

  @Field(() => DefaultAccesses, {
    description: 'State of the access to ModelArts that authorization mode LOOSE gives the user.',
  })
  defaultModelArtsAccess!: DefaultAccess;

  @Field(() => Int, { description: 'Version of the user for `expectedVersion`.' })
  version!: number;

  @Field(() => DateTime, { description: 'Timestamp of when the user was created.' })
  createdAt!: Instant;

  @Field(() => DateTime, { description: 'Timestamp of when the user was last changed.' })
  updatedAt!: Instant;
}

export const UserConnection = connectionOf('User', () => User, { item: 'user', items: 'users' });

@InputType({ description: 'Filter of a list of users; members are ANDed.' })
class UserFilterInput {
  @Field(() => String, { nullable: true, description: 'Name of the user, letter case disregarded.' })
  name?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Text that the name of the users contains, letter case disregarded.',
  })
  nameContains?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'Indicates whether the users may sign in.' })
  enabled?: boolean | null;
}

@InputType({ description: 'Order of a list of users.' })
class UserOrderInput {
  @Field(() => UserOrderFields, { description: 'Value that the users are ordered by.' })
  field!: Orders['user'];

  @Field(() => OrderDirections, { description: 'Direction of the order.' })
  direction!: OrderDirection;
}

@ArgsType()
class UserListArguments extends PageArguments {
  @Field(() => UserFilterInput, { nullable: true, description: 'Filter of the list.' })
  filter?: UserFilterInput | null;

  @Field(() => UserOrderInput, { nullable: true, description: 'Order of the list; by name unless given.' })
  orderBy?: UserOrderInput | null;
}

@InputType({ description: 'Input of createUser.' })
class CreateUserInput extends CreationInput {
  @Field(() => String, { description: 'Name of the user, 1 to 64 characters, unique in the account.' })
  name!: string;

  @Field(() => String, { nullable: true, description: 'Password of the user; without one the user cannot sign in.' })
  password?: string | null;

  @Field(() => String, { nullable: true, description: 'Description of the user, at most 255 characters.' })
  description?: string | null;

  @Field(() => [ID], {
    nullable: true,
    description: 'Identifiers of the groups to join; each needs `iam:permissions:addUserToGroup`.',
  })
  groupIds?: readonly string[] | null;
}

@ObjectType({ description: 'Payload of createUser.', simpleResolvers: true })
class CreateUserPayload extends CreationPayload {
  @Field(() => User, { nullable: true, description: 'User that was created.' })
  user?: UserRecord | null;
}

@InputType({ description: 'Input of updateUser; what is absent stays as it is, null clears the description.' })
class UpdateUserInput extends UpdateInput {
  @Field(() => ID, { description: 'Identifier of the user.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'Name of the user from now on.' })
  name?: string | null;

  @Field(() => String, { nullable: true, description: 'Description of the user from now on.' })
  description?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Indicates that the user may sign in; `false` ends the user’s sessions at once.',
  })
  enabled?: boolean | null;
}

@ObjectType({ description: 'Payload of updateUser.', simpleResolvers: true })
class UpdateUserPayload extends MutationPayload {
  @Field(() => User, { nullable: true, description: 'User that was changed.' })
  user?: UserRecord | null;
}

@InputType({ description: 'Input of deleteUser.' })
class DeleteUserInput extends MutationInput {
  @Field(() => ID, { description: 'Identifier of the user.' })
  id!: string;
}

@ObjectType({ description: 'Payload of deleteUser.', simpleResolvers: true })
class DeleteUserPayload extends MutationPayload {
  @Field(() => User, { nullable: true, description: 'User that was deleted, as it was.' })
  user?: UserRecord | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of the user that was deleted.' })
  deletedUserId?: string | null;
}

@Resolver(() => User)
export class UserResolver {
  @Permission({ action: 'iam:users:listUsers', scope: 'ANY' })
  @Query(() => UserConnection, {
    nullable: true,
    description: 'Users of the account; inside a workspace those who may enter it. Needs `iam:users:listUsers`.',
  })
  async users(
    @Args(() => UserListArguments) args: UserListArguments,
    @Ctx() { call: { reader }, cursors }: GraphContext,
  ): Promise<ConnectionOf<UserRecord>> {
    const window = windowOf(cursors.of('users'), args, orderOf(args.orderBy));
    const filter = given(args.filter);
    return connection(await reader.page('user', filter, window), window, () => reader.count('user', filter));
  }

  @Permission({ action: 'iam:users:getUser', resource: 'iam::{account}:user:{args.id}', scope: 'ANY' })
  @Query(() => User, {
    nullable: true,
    description: 'User by identifier; null when missing or invisible. Needs `iam:users:getUser`.',
  })
  user(
    @Arg('id', () => ID, { description: 'Identifier of the user.' }) id: string,
    @Ctx() { loaders }: GraphContext,
  ): Promise<UserRecord | null> {
    return loaders.find('user', decodeId('User', id));
  }

  @Permission({ action: 'iam:users:createUser', scope: 'ACCOUNT' })
  @Mutation(() => CreateUserPayload, {
    nullable: true,
    description:
      'Creates a user. To put the user into groups one must hold what the groups give. Needs `iam:users:createUser`.',
  })
  async createUser(
    @Arg('input', () => CreateUserInput, { description: 'Input of the mutation.' }) input: CreateUserInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { name, password, description, idempotencyKey } = input;
    const groupIds = decodeIds('Group', input.groupIds ?? []);
    const wanted = { name, password, description, groupIds, idempotencyKey };
    return answer(context, input, await createUser(context.iam, context.call, wanted), (user) => ({ user }));
  }

  @Permission({ action: 'iam:users:updateUser', resource: 'iam::{account}:user:{args.input.id}', scope: 'ACCOUNT' })
  @Mutation(() => UpdateUserPayload, {
    nullable: true,
    description: 'Changes a user. Needs `iam:users:updateUser`.',
  })
  async updateUser(
    @Arg('input', () => UpdateUserInput, { description: 'Input of the mutation.' }) input: UpdateUserInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { name, description, enabled, expectedVersion } = changesOf(input, { description: '' });
    const wanted = { id: decodeId('User', input.id), name, description, enabled, expectedVersion };
    return answer(context, input, await updateUser(context.iam, context.call, wanted), (user) => ({ user }));
  }

  @Permission({ action: 'iam:users:deleteUser', resource: 'iam::{account}:user:{args.input.id}', scope: 'ACCOUNT' })
  @Mutation(() => DeleteUserPayload, {
    nullable: true,
    description: 'Deletes a user with memberships, grants, sessions and credentials. Needs `iam:users:deleteUser`.',
  })
  async deleteUser(
    @Arg('input', () => DeleteUserInput, { description: 'Input of the mutation.' }) input: DeleteUserInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const outcome = await deleteUser(context.iam, context.call, { id: decodeId('User', input.id) });
    return answer(context, input, outcome, (user) => ({ user, deletedUserId: encodeNodeId('User', user.id) }));
  }
}

function orderOf(input: UserOrderInput | null | undefined): Order<Orders['user']> {
  return { by: input?.field ?? 'NAME', direction: input?.direction ?? 'ASC' };
}
