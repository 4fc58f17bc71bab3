/** Registering many resources at once. */
import 'reflect-metadata';
import { Arg, Ctx, Field, ID, InputType, Mutation, ObjectType, Resolver } from 'type-graphql';
import { longestRegistration, registerResources, type Resource as ResourceRecord } from '../iam/index.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { CreationInput, TagInput } from './inputs.js';
import { encodeNodeId } from './node-ids.js';
import { CreationPayload } from './payloads.js';
import { references, Resource } from './resources.js';

@InputType({ description: 'Resource to register.' })
class NewResourceInput {
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
    description: 'Identifier of the resource that it belongs to, which was registered before in the same workspace.',
  })
  parentId?: string | null;

  @Field(() => [TagInput], { nullable: true, description: 'Labels of the resource, at most 20.' })
  tags?: readonly TagInput[] | null;
}

@InputType({ description: 'Input of registerResources.' })
class RegisterResourcesInput extends CreationInput {
  @Field(() => [NewResourceInput], {
    description: `Resources to register, at most ${longestRegistration}.`,
  })
  resources!: readonly NewResourceInput[];
}

@ObjectType({ description: 'Payload of registerResources.', simpleResolvers: true })
class RegisterResourcesPayload extends CreationPayload {
  @Field(() => [Resource], {
    nullable: 'itemsAndList',
    description: 'Resources that were registered, in the order given; null where the caller may not read one.',
  })
  resources?: readonly ResourceRecord[] | null;

  @Field(() => [ID], {
    nullable: true,
    description: 'Identifiers of the resources that were registered, in the order given.',
  })
  registeredResourceIds?: readonly string[] | null;
}

@Resolver()
export class ResourceBatchResolver {
  @Permission({ action: 'bailiwick:resources:register', scope: 'WORKSPACE' })
  @Mutation(() => RegisterResourcesPayload, {
    nullable: true,
    description:
      'Registers resources in the workspace of the credential, all or none of them. Needs, for each, `bailiwick:resources:register` and the action that creates its kind, for instance `modelarts:notebook:create`.',
  })
  async registerResources(
    @Arg('input', () => RegisterResourcesInput, { description: 'Input of the mutation.' })
    input: RegisterResourcesInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const resources = input.resources.map((one) => ({ ...one, ...references(one) }));
    const wanted = { resources, idempotencyKey: input.idempotencyKey };
    const outcome = await registerResources(context.iam, context.call, wanted);
    return answer(context, input, outcome, (registered) => ({
      resources: registered,
      registeredResourceIds: registered.map(({ id }) => encodeNodeId('Resource', id)),
    }));
  }
}
