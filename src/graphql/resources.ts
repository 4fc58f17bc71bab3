/** Resources that services register in a workspace; here a workspace shows what lies in it. */
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
  deregisterResource,
  listResources,
  maySeeResource,
  registerResource,
  updateResource,
  type Filters,
  type Id,
  type Instant,
  type Order,
  type Orders,
  type Resource as ResourceRecord,
  type Tag as TagRecord,
  type User as UserRecord,
  type Workspace as WorkspaceRecord,
} from '../iam/index.js';
import { connection, connectionOf, PageArguments, windowOf, type ConnectionOf } from './connections.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { changesOf, CreationInput, given, MutationInput, TagInput, UpdateInput } from './inputs.js';
import { decodeId, decodeOptionalId, encodeNodeId } from './node-ids.js';
import { Node } from './node-interface.js';
import { OrderDirections, type OrderDirection } from './ordering.js';
import { CreationPayload, MutationPayload } from './payloads.js';
import { DateTime } from './scalars.js';
import { User } from './users.js';
import { Workspace } from './workspaces.js';

const ResourceOrderFields = {
  NAME: 'NAME',
  URN: 'URN',
  CREATED_AT: 'CREATED_AT',
  UPDATED_AT: 'UPDATED_AT',
} as const satisfies { readonly [By in Orders['resource']]: By };

registerEnumType(ResourceOrderFields, {
  name: 'ResourceOrderField',
  description: 'Value that a list of resources is ordered by.',
  valuesConfig: {
    NAME: { description: 'Name of the resource, letter case disregarded.' },
    URN: { description: 'URN of the resource.' },
    CREATED_AT: { description: 'Timestamp of when the resource was registered.' },
    UPDATED_AT: { description: 'Timestamp of when the resource was last changed.' },
  },
});

@ObjectType({ description: 'Label of a resource.', simpleResolvers: true })
export class Tag {
  @Field(() => String, { description: 'Key of the label.' })
  key!: string;

  @Field(() => String, { description: 'Value of the label.' })
  value!: string;
}

@Permission({
  anyOf: ['bailiwick:resources:get', 'bailiwick:resources:list'],
  resource: '{source.urn}',
  scope: 'WORKSPACE',
})
@ObjectType({
  description:
    'Something that a service registered in a workspace. Needs `bailiwick:resources:get` or `bailiwick:resources:list`, and the action of its kind that reads or lists it, for instance `modelarts:notebook:get`.',
  implements: Node,
  simpleResolvers: true,
})
export class Resource extends Node {
  @Field(() => String, {
    description: 'URN of the resource, its name in policies: `service:region:account:type:id`.',
  })
  urn!: string;

  @Field(() => String, { description: 'Name of the resource’s kind: `service:type`.' })
  kind!: string;

  @Field(() => String, { description: 'Name of the resource for people; may be blank.' })
  name!: string;

  @Field(() => [Tag], { description: 'Labels of the resource, which conditions of policies can ask for.' })
  tags!: readonly TagRecord[];

  @Field(() => Int, { description: 'Version of the resource for `expectedVersion`.' })
  version!: number;

  @Field(() => DateTime, { description: 'Timestamp of when the resource was registered.' })
  createdAt!: Instant;

  @Field(() => DateTime, { description: 'Timestamp of when the resource was last changed.' })
  updatedAt!: Instant;
}

export const ResourceConnection = connectionOf('Resource', () => Resource, { item: 'resource', items: 'resources' });

@InputType({ description: 'Filter of a list of resources; members are ANDed.' })
class ResourceFilterInput {
  @Field(() => String, { nullable: true, description: 'URN of the resource.' })
  urn?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Text that the name of the resources contains, letter case disregarded.',
  })
  nameContains?: string | null;

  @Field(() => [String], { nullable: true, description: 'Names of the kinds of the resources: `service:type`.' })
  kinds?: readonly string[] | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of the user who owns the resources.' })
  ownerId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of the resource that the resources belong to.' })
  parentId?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Indicates resources that nobody owns any more, or never did, so that they can be given an owner; false for those whose owner is there.',
  })
  ownerless?: boolean | null;
}

@InputType({ description: 'Order of a list of resources.' })
class ResourceOrderInput {
  @Field(() => ResourceOrderFields, { description: 'Value that the resources are ordered by.' })
  field!: Orders['resource'];

  @Field(() => OrderDirections, { description: 'Direction of the order.' })
  direction!: OrderDirection;
}

@ArgsType()
class ResourceListArguments extends PageArguments {
  @Field(() => ResourceFilterInput, { nullable: true, description: 'Filter of the list.' })
  filter?: ResourceFilterInput | null;

  @Field(() => ResourceOrderInput, { nullable: true, description: 'Order of the list; by name unless given.' })
  orderBy?: ResourceOrderInput | null;
}

@InputType({ description: 'Input of registerResource.' })
class RegisterResourceInput extends CreationInput {
  @Field(() => String, {
    description: 'URN of the resource, unique in the account: `service:region:account:type:id` of a known kind.',
  })
  urn!: string;

  @Field(() => String, { nullable: true, description: 'Name of the resource for people, at most 128 characters.' })
  name?: string | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of the user who owns the resource.' })
  ownerId?: string | null;

  @Field(() => ID, {
    nullable: true,
    description: 'Identifier of the resource that it belongs to, in the same workspace.',
  })
  parentId?: string | null;

  @Field(() => [TagInput], { nullable: true, description: 'Labels of the resource, at most 20.' })
  tags?: readonly TagInput[] | null;
}

@ObjectType({ description: 'Payload of registerResource.', simpleResolvers: true })
class RegisterResourcePayload extends CreationPayload {
  @Field(() => Resource, { nullable: true, description: 'Resource that was registered.' })
  resource?: ResourceRecord | null;
}

@InputType({ description: 'Input of updateResource; what is absent stays as it is.' })
class UpdateResourceInput extends UpdateInput {
  @Field(() => ID, { description: 'Identifier of the resource.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'Name of the resource from now on.' })
  name?: string | null;

  @Field(() => ID, {
    nullable: true,
    description: 'Identifier of the user who owns the resource from now on; null takes the owner away.',
  })
  ownerId?: string | null;

  @Field(() => ID, {
    nullable: true,
    description: 'Identifier of the resource that it belongs to from now on; null takes it out.',
  })
  parentId?: string | null;

  @Field(() => [TagInput], {
    nullable: true,
    description: 'All labels of the resource from now on, at most 20.',
  })
  tags?: readonly TagInput[] | null;
}

@ObjectType({ description: 'Payload of updateResource.', simpleResolvers: true })
class UpdateResourcePayload extends MutationPayload {
  @Field(() => Resource, { nullable: true, description: 'Resource that was changed.' })
  resource?: ResourceRecord | null;
}

@InputType({ description: 'Input of deregisterResource.' })
class DeregisterResourceInput extends MutationInput {
  @Field(() => ID, { description: 'Identifier of the resource.' })
  id!: string;
}

@ObjectType({ description: 'Payload of deregisterResource.', simpleResolvers: true })
class DeregisterResourcePayload extends MutationPayload {
  @Field(() => Resource, { nullable: true, description: 'Resource that was taken off the register, as it was.' })
  resource?: ResourceRecord | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of the resource that was taken off the register.' })
  deletedResourceId?: string | null;
}

@Resolver(() => Resource)
export class ResourceResolver {
  @Permission({ action: 'bailiwick:resources:list', scope: 'WORKSPACE' })
  @Query(() => ResourceConnection, {
    nullable: true,
    description:
      'Resources of the workspace that the caller may list: all of a kind, or those only that their policies name. Where a kind has an action that lists all, its `list` lists one’s own. Needs `bailiwick:resources:list`, and the action that lists each kind, for instance `modelarts:notebook:list`.',
  })
  async resources(
    @Args(() => ResourceListArguments) args: ResourceListArguments,
    @Ctx() { call, cursors }: GraphContext,
  ): Promise<ConnectionOf<ResourceRecord>> {
    const window = windowOf(cursors.of('resources'), args, orderOf(args.orderBy));
    const { page, count } = await listResources(call, filterOf(args.filter), window);
    return connection(page, window, count);
  }

  @Permission({ action: 'bailiwick:resources:get', scope: 'WORKSPACE' })
  @Query(() => Resource, {
    nullable: true,
    description:
      'Resource of the workspace by its identifier; null when it is missing or invisible. Needs `bailiwick:resources:get`, and the action that reads its kind, for instance `modelarts:notebook:get`, or one that lists it.',
  })
  resource(
    @Arg('id', () => ID, { description: 'Identifier of the resource.' }) id: string,
    @Ctx() context: GraphContext,
  ): Promise<ResourceRecord | null> {
    return findVisibleResource(context, decodeId('Resource', id));
  }

  @Permission({ action: 'bailiwick:resources:register', resource: '{args.input.urn}', scope: 'WORKSPACE' })
  @Mutation(() => RegisterResourcePayload, {
    nullable: true,
    description:
      'Registers a resource in the workspace of the credential. Needs `bailiwick:resources:register`, and the action that creates its kind, for instance `modelarts:notebook:create`.',
  })
  async registerResource(
    @Arg('input', () => RegisterResourceInput, { description: 'Input of the mutation.' }) input: RegisterResourceInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { urn, name, tags, idempotencyKey } = input;
    const wanted = { urn, name, ...references(input), tags, idempotencyKey };
    const outcome = await registerResource(context.iam, context.call, wanted);
    return answer(context, input, outcome, (resource) => ({ resource }));
  }

  @Permission({ action: 'bailiwick:resources:update', scope: 'WORKSPACE' })
  @Mutation(() => UpdateResourcePayload, {
    nullable: true,
    description:
      'Changes a resource of the workspace. Needs `bailiwick:resources:update`, and the action that updates its kind, with the labels it has and with those it would have.',
  })
  async updateResource(
    @Arg('input', () => UpdateResourceInput, { description: 'Input of the mutation.' }) input: UpdateResourceInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { name, tags, expectedVersion } = changesOf(input, { ownerId: null, parentId: null });
    const wanted = { id: decodeId('Resource', input.id), name, ...references(input), tags, expectedVersion };
    const outcome = await updateResource(context.iam, context.call, wanted);
    return answer(context, input, outcome, (resource) => ({ resource }));
  }

  @Permission({ action: 'bailiwick:resources:deregister', scope: 'WORKSPACE' })
  @Mutation(() => DeregisterResourcePayload, {
    nullable: true,
    description:
      'Takes a resource of the workspace off the register, unless others belong to it. Needs `bailiwick:resources:deregister`, and the action that deletes its kind.',
  })
  async deregisterResource(
    @Arg('input', () => DeregisterResourceInput, { description: 'Input of the mutation.' })
    input: DeregisterResourceInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const outcome = await deregisterResource(context.iam, context.call, { id: decodeId('Resource', input.id) });
    return answer(context, input, outcome, (resource) => ({
      resource,
      deletedResourceId: encodeNodeId('Resource', resource.id),
    }));
  }

  @FieldResolver(() => User, {
    nullable: true,
    description: 'User who owns the resource; null when nobody does or the caller may not read the user.',
  })
  owner(@Root() { ownerId }: ResourceRecord, @Ctx() { loaders }: GraphContext): Promise<UserRecord | null> | null {
    return ownerId === null ? null : loaders.find('user', ownerId);
  }

  @FieldResolver(() => Resource, {
    nullable: true,
    description: 'Resource that it belongs to; null when there is none or the caller may not read it.',
  })
  parent(@Root() { parentId }: ResourceRecord, @Ctx() context: GraphContext): Promise<ResourceRecord | null> | null {
    return parentId === null ? null : findVisibleResource(context, parentId);
  }

  @FieldResolver(() => Workspace, {
    nullable: true,
    description: 'Workspace that the resource lies in; null when the caller may not read it.',
  })
  workspace(
    @Root() { workspaceId }: ResourceRecord,
    @Ctx() { loaders }: GraphContext,
  ): Promise<WorkspaceRecord | null> {
    // The workspace that the credential acts in: whoever got here has entered it.
    return loaders.find('workspace', workspaceId);
  }
}

/** A resource of the workspace by its plain id, if the caller may see it. */
export async function findVisibleResource({ call, loaders }: GraphContext, id: Id): Promise<ResourceRecord | null> {
  const resource = await loaders.find('resource', id);
  return resource !== null && maySeeResource(call, resource) ? resource : null;
}

/** What an input refers to, as plain ids; absent and null stay what they are. */
export function references({ ownerId, parentId }: Pick<UpdateResourceInput, 'ownerId' | 'parentId'>) {
  return { ownerId: decodeOptionalId('User', ownerId), parentId: decodeOptionalId('Resource', parentId) };
}

function filterOf(input: ResourceFilterInput | null | undefined): Filters['resource'] {
  const { ownerId, parentId, ...others } = given(input);
  return {
    ...others,
    ...(ownerId === undefined ? {} : { ownerId: decodeId('User', ownerId) }),
    ...(parentId === undefined ? {} : { parentId: decodeId('Resource', parentId) }),
  };
}

function orderOf(input: ResourceOrderInput | null | undefined): Order<Orders['resource']> {
  return { by: input?.field ?? 'NAME', direction: input?.direction ?? 'ASC' };
}
