/** Services of the account: each owns actions and resource kinds under its own prefix. */
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
import type { AccessLevel } from '../catalogue/index.js';
import {
  createService,
  rotateServiceKey,
  deleteService,
  quotas,
  updateService,
  type Instant,
  type Order,
  type Orders,
  type Service as ServiceRecord,
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

export const AccessLevels = {
  LIST: 'LIST',
  READ: 'READ',
  WRITE: 'WRITE',
  TAGGING: 'TAGGING',
  PERMISSION_MANAGEMENT: 'PERMISSION_MANAGEMENT',
} as const satisfies { readonly [Level in AccessLevel]: Level };

registerEnumType(AccessLevels, {
  name: 'AccessLevel',
  description: 'Level of the access that an action gives.',
  valuesConfig: {
    LIST: { description: 'Sees which resources there are.' },
    READ: { description: 'Reads a resource.' },
    WRITE: { description: 'Creates, changes or deletes resources.' },
    TAGGING: { description: 'Changes labels of resources.' },
    PERMISSION_MANAGEMENT: { description: 'Changes who may do what.' },
  },
});

const ServiceOrderFields = { NAME: 'NAME', CREATED_AT: 'CREATED_AT' } as const satisfies {
  readonly [By in Orders['service']]: By;
};

registerEnumType(ServiceOrderFields, {
  name: 'ServiceOrderField',
  description: 'Value that a list of services is ordered by.',
  valuesConfig: {
    NAME: { description: 'Name of the service.' },
    CREATED_AT: { description: 'Timestamp of when the service was created.' },
  },
});

@ObjectType({ description: 'Action that a service owns.', simpleResolvers: true })
export class ServiceAction {
  @Field(() => String, { description: 'Name of the action: `service:type:operation`.' })
  name!: string;

  @Field(() => AccessLevels, { description: 'Access level of the action.' })
  accessLevel!: AccessLevel;

  @Field(() => String, { description: 'Description of the action.' })
  description!: string;
}

@ObjectType({ description: 'Kind of resource that a service owns.', simpleResolvers: true })
export class ServiceResourceKind {
  @Field(() => String, { description: 'Type of the resources, the fourth segment of their URNs.' })
  type!: string;

  @Field(() => String, { description: 'Description of the kind.' })
  description!: string;
}

@Permission({
  anyOf: ['bailiwick:services:get', 'bailiwick:services:list'],
  resource: 'iam::{account}:service:{source.id}',
  scope: 'ANY',
})
@ObjectType({
  description:
    'Service of the account that signs its own requests. Needs `bailiwick:services:get` or `bailiwick:services:list`.',
  implements: Node,
  simpleResolvers: true,
})
export class Service extends Node {
  @Field(() => String, { description: 'Name of the service, the prefix of its actions; unique in the account.' })
  name!: string;

  @Field(() => String, { description: 'Description of the service.' })
  description!: string;

  @Field(() => [String], { description: 'Hosts that the service answers on.' })
  hosts!: readonly string[];

  @Field(() => [ServiceAction], { description: 'Actions that the service owns.' })
  actions!: ServiceRecord['actions'];

  @Field(() => [ServiceResourceKind], { description: 'Kinds of resources that the service owns.' })
  resourceKinds!: ServiceRecord['resourceKinds'];

  @Field(() => Boolean, { description: 'Indicates that the service may act; requests of a disabled one are refused.' })
  enabled!: boolean;

  @Field(() => Int, { description: 'Version of the service for `expectedVersion`.' })
  version!: number;

  @Field(() => DateTime, { description: 'Timestamp of when the service was created.' })
  createdAt!: Instant;

  @Field(() => DateTime, { description: 'Timestamp of when the service was last changed.' })
  updatedAt!: Instant;
}

export const ServiceConnection = connectionOf('Service', () => Service, { item: 'service', items: 'services' });

@InputType({ description: 'Filter of a list of services; members are ANDed.' })
class ServiceFilterInput {
  @Field(() => String, { nullable: true, description: 'Name of the service.' })
  name?: string | null;

  @Field(() => String, { nullable: true, description: 'Text that the name of the services contains.' })
  nameContains?: string | null;
}

@InputType({ description: 'Order of a list of services.' })
class ServiceOrderInput {
  @Field(() => ServiceOrderFields, { description: 'Value that the services are ordered by.' })
  field!: Orders['service'];

  @Field(() => OrderDirections, { description: 'Direction of the order.' })
  direction!: OrderDirection;
}

@ArgsType()
class ServiceListArguments extends PageArguments {
  @Field(() => ServiceFilterInput, { nullable: true, description: 'Filter of the list.' })
  filter?: ServiceFilterInput | null;

  @Field(() => ServiceOrderInput, { nullable: true, description: 'Order of the list; by name unless given.' })
  orderBy?: ServiceOrderInput | null;
}

const mostActions = `at most ${quotas.actionsPerService}; all services of the account have at most ${quotas.actionsPerAccount} together`;
const mostKinds = `at most ${quotas.resourceKindsPerService}; all services of the account have at most ${quotas.resourceKindsPerAccount} together`;

@InputType({ description: 'Action that a service brings.' })
class ActionInput {
  @Field(() => String, { description: 'Name of the action, under the service’s own prefix: `service:type:operation`.' })
  name!: string;

  @Field(() => AccessLevels, { defaultValue: AccessLevels.WRITE, description: 'Access level of the action.' })
  accessLevel!: AccessLevel;

  @Field(() => String, { defaultValue: '', description: 'Description of the action, at most 255 characters.' })
  description!: string;
}

@InputType({ description: 'Kind of resource that a service brings.' })
class ResourceKindInput {
  @Field(() => String, {
    description: `Type of the resources, the fourth segment of their URNs, at most ${quotas.resourceTypeLength} characters.`,
  })
  type!: string;

  @Field(() => String, { defaultValue: '', description: 'Description of the kind, at most 255 characters.' })
  description!: string;
}

@InputType({
  description: `Input of createService; an account has at most ${quotas.servicesPerAccount} services.`,
})
class CreateServiceInput extends CreationInput {
  @Field(() => String, {
    description:
      'Name of the service, 2 to 32 lower-case letters, digits and `-`, beginning with a letter; it never changes.',
  })
  name!: string;

  @Field(() => String, { nullable: true, description: 'Description of the service, at most 255 characters.' })
  description?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: `Hosts that the service answers on, at most ${quotas.hostsPerService}, in lower case, with an optional port.`,
  })
  hosts?: readonly string[] | null;

  @Field(() => [ActionInput], { nullable: true, description: `Actions that the service owns, ${mostActions}.` })
  actions?: readonly ActionInput[] | null;

  @Field(() => [ResourceKindInput], {
    nullable: true,
    description: `Kinds of resources that the service owns, ${mostKinds}.`,
  })
  resourceKinds?: readonly ResourceKindInput[] | null;
}

@ObjectType({ description: 'Payload of createService.', simpleResolvers: true })
class CreateServicePayload extends CreationPayload {
  @Field(() => Service, { nullable: true, description: 'Service that was created.' })
  service?: ServiceRecord | null;

  @Field(() => String, {
    nullable: true,
    description: 'Identifier of the key that the service signs its requests with.',
  })
  accessKeyId?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Secret of the key. Shown this once and never again; null when the mutation was replayed.',
  })
  secretAccessKey?: string | null;
}

@InputType({ description: 'Input of rotateServiceKey.' })
class RotateServiceKeyInput extends CreationInput {
  @Field(() => ID, { description: 'Identifier of the service.' })
  id!: string;

  @Field(() => Boolean, {
    defaultValue: false,
    description:
      'Indicates that every other key of the service ends at once; otherwise the newest of them stays until the next rotation.',
  })
  endOthers!: boolean;
}

@ObjectType({ description: 'Payload of rotateServiceKey.', simpleResolvers: true })
class RotateServiceKeyPayload extends CreationPayload {
  @Field(() => Service, { nullable: true, description: 'Service that has the new key.' })
  service?: ServiceRecord | null;

  @Field(() => String, { nullable: true, description: 'Identifier of the new key.' })
  accessKeyId?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Secret of the new key. Shown this once and never again; null when the mutation was replayed.',
  })
  secretAccessKey?: string | null;
}

@InputType({ description: 'Input of updateService; what is absent stays as it is, null clears the description.' })
class UpdateServiceInput extends UpdateInput {
  @Field(() => ID, { description: 'Identifier of the service.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'Description of the service from now on.' })
  description?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: `All hosts of the service from now on, at most ${quotas.hostsPerService}.`,
  })
  hosts?: readonly string[] | null;

  @Field(() => [ActionInput], {
    nullable: true,
    description: `All actions of the service from now on, ${mostActions}.`,
  })
  actions?: readonly ActionInput[] | null;

  @Field(() => [ResourceKindInput], {
    nullable: true,
    description: `All resource kinds of the service from now on, ${mostKinds}.`,
  })
  resourceKinds?: readonly ResourceKindInput[] | null;

  @Field(() => Boolean, { nullable: true, description: 'Indicates that the service may act.' })
  enabled?: boolean | null;
}

@ObjectType({ description: 'Payload of updateService.', simpleResolvers: true })
class UpdateServicePayload extends MutationPayload {
  @Field(() => Service, { nullable: true, description: 'Service that was changed.' })
  service?: ServiceRecord | null;
}

@InputType({ description: 'Input of deleteService.' })
class DeleteServiceInput extends MutationInput {
  @Field(() => ID, { description: 'Identifier of the service.' })
  id!: string;
}

@ObjectType({ description: 'Payload of deleteService.', simpleResolvers: true })
class DeleteServicePayload extends MutationPayload {
  @Field(() => Service, { nullable: true, description: 'Service that was deleted, as it was.' })
  service?: ServiceRecord | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of the service that was deleted.' })
  deletedServiceId?: string | null;
}

@Resolver(() => Service)
export class ServiceResolver {
  @Permission({ action: 'bailiwick:services:list', scope: 'ACCOUNT' })
  @Query(() => ServiceConnection, {
    nullable: true,
    description: 'Services of the account. Needs `bailiwick:services:list`.',
  })
  async services(
    @Args(() => ServiceListArguments) args: ServiceListArguments,
    @Ctx() { call: { reader }, cursors }: GraphContext,
  ): Promise<ConnectionOf<ServiceRecord>> {
    const window = windowOf(cursors.of('services'), args, orderOf(args.orderBy));
    const filter = given(args.filter);
    return connection(await reader.page('service', filter, window), window, () => reader.count('service', filter));
  }

  @Permission({ action: 'bailiwick:services:get', resource: 'iam::{account}:service:{args.id}', scope: 'ACCOUNT' })
  @Query(() => Service, {
    nullable: true,
    description: 'Service by its identifier; null when it is missing. Needs `bailiwick:services:get`.',
  })
  service(
    @Arg('id', () => ID, { description: 'Identifier of the service.' }) id: string,
    @Ctx() { loaders }: GraphContext,
  ): Promise<ServiceRecord | null> {
    return loaders.find('service', decodeId('Service', id));
  }

  @Permission({ action: 'bailiwick:services:create', scope: 'ACCOUNT' })
  @Mutation(() => CreateServicePayload, {
    nullable: true,
    description:
      'Creates a service with the actions and resource kinds that it owns; policies may name them from the next request on. Answers the key that it signs its requests with. Needs `bailiwick:services:create`.',
  })
  async createService(
    @Arg('input', () => CreateServiceInput, { description: 'Input of the mutation.' }) input: CreateServiceInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { name, description, hosts, actions, resourceKinds, idempotencyKey } = input;
    const wanted = { name, description, hosts, actions, resourceKinds, idempotencyKey };
    const outcome = await createService(context.iam, context.call, wanted);
    return answer(context, input, outcome, (made) => ({ ...made }));
  }

  @Permission({
    action: 'bailiwick:services:rotateKey',
    resource: 'iam::{account}:service:{args.input.id}',
    scope: 'ACCOUNT',
  })
  @Mutation(() => RotateServiceKeyPayload, {
    nullable: true,
    description: 'Makes a new signing key for a service. Needs `bailiwick:services:rotateKey`.',
  })
  async rotateServiceKey(
    @Arg('input', () => RotateServiceKeyInput, { description: 'Input of the mutation.' }) input: RotateServiceKeyInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { endOthers, idempotencyKey } = input;
    const wanted = { id: decodeId('Service', input.id), endOthers, idempotencyKey };
    const outcome = await rotateServiceKey(context.iam, context.call, wanted);
    return answer(context, input, outcome, (made) => ({ ...made }));
  }

  @Permission({
    action: 'bailiwick:services:update',
    resource: 'iam::{account}:service:{args.input.id}',
    scope: 'ACCOUNT',
  })
  @Mutation(() => UpdateServicePayload, {
    nullable: true,
    description: 'Changes a service; lists that are given replace the ones it has. Needs `bailiwick:services:update`.',
  })
  async updateService(
    @Arg('input', () => UpdateServiceInput, { description: 'Input of the mutation.' }) input: UpdateServiceInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { description, hosts, actions, resourceKinds, enabled, expectedVersion } = changesOf(input, {
      description: '',
    });
    const id = decodeId('Service', input.id);
    const wanted = { id, description, hosts, actions, resourceKinds, enabled, expectedVersion };
    const outcome = await updateService(context.iam, context.call, wanted);
    return answer(context, input, outcome, (service) => ({ service }));
  }

  @Permission({
    action: 'bailiwick:services:delete',
    resource: 'iam::{account}:service:{args.input.id}',
    scope: 'ACCOUNT',
  })
  @Mutation(() => DeleteServicePayload, {
    nullable: true,
    description:
      'Deletes a service with its grants and keys, unless resources that it registered remain. Needs `bailiwick:services:delete`.',
  })
  async deleteService(
    @Arg('input', () => DeleteServiceInput, { description: 'Input of the mutation.' }) input: DeleteServiceInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const outcome = await deleteService(context.iam, context.call, { id: decodeId('Service', input.id) });
    return answer(context, input, outcome, (service) => ({
      service,
      deletedServiceId: encodeNodeId('Service', service.id),
    }));
  }
}

function orderOf(input: ServiceOrderInput | null | undefined): Order<Orders['service']> {
  return { by: input?.field ?? 'NAME', direction: input?.direction ?? 'ASC' };
}
