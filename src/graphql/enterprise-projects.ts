/** Enterprise projects: what workspaces are grouped by, and a scope of grants. */
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
  createEnterpriseProject,
  deleteEnterpriseProject,
  updateEnterpriseProject,
  type EnterpriseProject as EnterpriseProjectRecord,
  type Instant,
  type Order,
  type Orders,
} from '../iam/index.js';
import { connection, connectionOf, PageArguments, windowOf, type ConnectionOf } from './connections.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { changesOf, CreationInput, given, MutationInput, UpdateInput } from './inputs.js';
import { decodeId, encodeNodeId } from './node-ids.js';
import { Node } from './node-interface.js';
import { OrderDirections, type OrderDirection } from './ordering.js';
import { CreationPayload, MutationPayload } from './payloads.js';
import { DateTime } from './scalars.js';

const EnterpriseProjectOrderFields = { NAME: 'NAME', CREATED_AT: 'CREATED_AT' } as const satisfies {
  readonly [By in Orders['enterpriseProject']]: By;
};

registerEnumType(EnterpriseProjectOrderFields, {
  name: 'EnterpriseProjectOrderField',
  description: 'Value that a list of enterprise projects is ordered by.',
  valuesConfig: {
    NAME: { description: 'Name of the enterprise project, letter case disregarded.' },
    CREATED_AT: { description: 'Timestamp of when the enterprise project was created.' },
  },
});

@Permission({
  anyOf: ['eps:enterpriseProjects:get', 'eps:enterpriseProjects:list'],
  resource: 'eps::{account}:enterpriseProject:{source.id}',
  scope: 'ANY',
})
@ObjectType({
  description:
    'Group of workspaces that grants can be given for. Needs `eps:enterpriseProjects:get` or `eps:enterpriseProjects:list`.',
  implements: Node,
  simpleResolvers: true,
})
export class EnterpriseProject extends Node {
  @Field(() => String, {
    description: 'Name of the enterprise project, unique in the account, letter case disregarded.',
  })
  name!: string;

  @Field(() => String, { description: 'Description of the enterprise project.' })
  description!: string;

  @Field(() => Boolean, {
    description: 'Indicates that the enterprise project is enabled; a disabled one takes no new workspaces.',
  })
  enabled!: boolean;

  @Field(() => Int, { description: 'Version of the enterprise project for `expectedVersion`.' })
  version!: number;

  @Field(() => DateTime, { description: 'Timestamp of when the enterprise project was created.' })
  createdAt!: Instant;

  @Field(() => DateTime, { description: 'Timestamp of when the enterprise project was last changed.' })
  updatedAt!: Instant;
}

export const EnterpriseProjectConnection = connectionOf('EnterpriseProject', () => EnterpriseProject, {
  item: 'enterprise project',
  items: 'enterprise projects',
});

@InputType({ description: 'Filter of a list of enterprise projects; members are ANDed.' })
class EnterpriseProjectFilterInput {
  @Field(() => String, { nullable: true, description: 'Name of the enterprise project, letter case disregarded.' })
  name?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Text that the name of the enterprise projects contains, letter case disregarded.',
  })
  nameContains?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'Indicates whether enabled or disabled ones are listed.' })
  enabled?: boolean | null;
}

@InputType({ description: 'Order of a list of enterprise projects.' })
class EnterpriseProjectOrderInput {
  @Field(() => EnterpriseProjectOrderFields, { description: 'Value that the enterprise projects are ordered by.' })
  field!: Orders['enterpriseProject'];

  @Field(() => OrderDirections, { description: 'Direction of the order.' })
  direction!: OrderDirection;
}

@ArgsType()
class EnterpriseProjectListArguments extends PageArguments {
  @Field(() => EnterpriseProjectFilterInput, { nullable: true, description: 'Filter of the list.' })
  filter?: EnterpriseProjectFilterInput | null;

  @Field(() => EnterpriseProjectOrderInput, {
    nullable: true,
    description: 'Order of the list; by name unless given.',
  })
  orderBy?: EnterpriseProjectOrderInput | null;
}

@InputType({ description: 'Input of createEnterpriseProject.' })
class CreateEnterpriseProjectInput extends CreationInput {
  @Field(() => String, {
    description: 'Name of the enterprise project, 1 to 255 letters, digits, `-` and `_`; `default` is reserved.',
  })
  name!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Description of the enterprise project, at most 512 characters.',
  })
  description?: string | null;
}

@ObjectType({ description: 'Payload of createEnterpriseProject.', simpleResolvers: true })
class CreateEnterpriseProjectPayload extends CreationPayload {
  @Field(() => EnterpriseProject, { nullable: true, description: 'Enterprise project that was created.' })
  enterpriseProject?: EnterpriseProjectRecord | null;
}

@InputType({
  description: 'Input of updateEnterpriseProject; what is absent stays as it is, null clears the description.',
})
class UpdateEnterpriseProjectInput extends UpdateInput {
  @Field(() => ID, { description: 'Identifier of the enterprise project.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'New name of the enterprise project.' })
  name?: string | null;

  @Field(() => String, { nullable: true, description: 'New description of the enterprise project.' })
  description?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Indicates that the enterprise project is enabled. Needs `eps:enterpriseProjects:enable` or `eps:enterpriseProjects:disable` besides.',
  })
  enabled?: boolean | null;
}

@ObjectType({ description: 'Payload of updateEnterpriseProject.', simpleResolvers: true })
class UpdateEnterpriseProjectPayload extends MutationPayload {
  @Field(() => EnterpriseProject, { nullable: true, description: 'Enterprise project that was changed.' })
  enterpriseProject?: EnterpriseProjectRecord | null;
}

@InputType({ description: 'Input of deleteEnterpriseProject.' })
class DeleteEnterpriseProjectInput extends MutationInput {
  @Field(() => ID, { description: 'Identifier of the enterprise project.' })
  id!: string;
}

@ObjectType({ description: 'Payload of deleteEnterpriseProject.', simpleResolvers: true })
class DeleteEnterpriseProjectPayload extends MutationPayload {
  @Field(() => EnterpriseProject, { nullable: true, description: 'Enterprise project that was deleted, as it was.' })
  enterpriseProject?: EnterpriseProjectRecord | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of the enterprise project that was deleted.' })
  deletedEnterpriseProjectId?: string | null;
}

@Resolver(() => EnterpriseProject)
export class EnterpriseProjectResolver {
  @Permission({ action: 'eps:enterpriseProjects:list', scope: 'ACCOUNT' })
  @Query(() => EnterpriseProjectConnection, {
    nullable: true,
    description: 'Enterprise projects of the account. Needs `eps:enterpriseProjects:list`.',
  })
  async enterpriseProjects(
    @Args(() => EnterpriseProjectListArguments) args: EnterpriseProjectListArguments,
    @Ctx() { call: { reader }, cursors }: GraphContext,
  ): Promise<ConnectionOf<EnterpriseProjectRecord>> {
    const window = windowOf(cursors.of('enterpriseProjects'), args, orderOf(args.orderBy));
    const filter = given(args.filter);
    return connection(await reader.page('enterpriseProject', filter, window), window, () =>
      reader.count('enterpriseProject', filter),
    );
  }

  @Permission({
    action: 'eps:enterpriseProjects:get',
    resource: 'eps::{account}:enterpriseProject:{args.id}',
    scope: 'ANY',
  })
  @Query(() => EnterpriseProject, {
    nullable: true,
    description:
      'Enterprise project by its identifier, inside a workspace only the workspace’s own; null when it is missing or invisible. Needs `eps:enterpriseProjects:get`.',
  })
  enterpriseProject(
    @Arg('id', () => ID, { description: 'Identifier of the enterprise project.' }) id: string,
    @Ctx() { loaders }: GraphContext,
  ): Promise<EnterpriseProjectRecord | null> {
    return loaders.find('enterpriseProject', decodeId('EnterpriseProject', id));
  }

  @Permission({ action: 'eps:enterpriseProjects:create', scope: 'ACCOUNT' })
  @Mutation(() => CreateEnterpriseProjectPayload, {
    nullable: true,
    description: 'Creates an enterprise project. Needs `eps:enterpriseProjects:create`.',
  })
  async createEnterpriseProject(
    @Arg('input', () => CreateEnterpriseProjectInput, { description: 'Input of the mutation.' })
    input: CreateEnterpriseProjectInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { name, description, idempotencyKey } = input;
    const outcome = await createEnterpriseProject(context.iam, context.call, { name, description, idempotencyKey });
    return answer(context, input, outcome, (enterpriseProject) => ({ enterpriseProject }));
  }

  @Permission({
    action: 'eps:enterpriseProjects:update',
    resource: 'eps::{account}:enterpriseProject:{args.input.id}',
    scope: 'ACCOUNT',
  })
  @Mutation(() => UpdateEnterpriseProjectPayload, {
    nullable: true,
    description:
      'Changes an enterprise project, but not the default one. A disabled one can only be enabled again. Needs `eps:enterpriseProjects:update`.',
  })
  async updateEnterpriseProject(
    @Arg('input', () => UpdateEnterpriseProjectInput, { description: 'Input of the mutation.' })
    input: UpdateEnterpriseProjectInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { name, description, enabled, expectedVersion } = changesOf(input, { description: '' });
    const id = decodeId('EnterpriseProject', input.id);
    const wanted = { id, name, description, enabled, expectedVersion };
    const outcome = await updateEnterpriseProject(context.iam, context.call, wanted);
    return answer(context, input, outcome, (enterpriseProject) => ({ enterpriseProject }));
  }

  @Permission({
    action: 'eps:enterpriseProjects:disable',
    resource: 'eps::{account}:enterpriseProject:{args.input.id}',
    scope: 'ACCOUNT',
  })
  @Mutation(() => DeleteEnterpriseProjectPayload, {
    nullable: true,
    description:
      'Deletes an enterprise project that no workspace is bound to, with the grants given for it. The platform has no action for deleting one: needs `eps:enterpriseProjects:disable`.',
  })
  async deleteEnterpriseProject(
    @Arg('input', () => DeleteEnterpriseProjectInput, { description: 'Input of the mutation.' })
    input: DeleteEnterpriseProjectInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const id = decodeId('EnterpriseProject', input.id);
    const outcome = await deleteEnterpriseProject(context.iam, context.call, { id });
    return answer(context, input, outcome, (enterpriseProject) => ({
      enterpriseProject,
      deletedEnterpriseProjectId: encodeNodeId('EnterpriseProject', enterpriseProject.id),
    }));
  }
}

function orderOf(input: EnterpriseProjectOrderInput | null | undefined): Order<Orders['enterpriseProject']> {
  return { by: input?.field ?? 'NAME', direction: input?.direction ?? 'ASC' };
}
