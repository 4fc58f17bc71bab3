/** Moving resources between workspaces. */
import 'reflect-metadata';
import { Arg, Ctx, Field, ID, InputType, Mutation, ObjectType, Resolver } from 'type-graphql';
import { moveResource, type Resource as ResourceRecord } from '../iam/index.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { UpdateInput } from './inputs.js';
import { decodeId } from './node-ids.js';
import { MutationPayload } from './payloads.js';
import { Resource } from './resources.js';

@InputType({ description: 'Input of moveResource.' })
class MoveResourceInput extends UpdateInput {
  @Field(() => ID, { description: 'Identifier of the resource, in the workspace of the caller.' })
  id!: string;

  @Field(() => ID, { description: 'Identifier of the workspace that the resource goes to.' })
  workspaceId!: string;
}

@ObjectType({ description: 'Payload of moveResource.', simpleResolvers: true })
class MoveResourcePayload extends MutationPayload {
  @Field(() => Resource, { nullable: true, description: 'Resource that was moved.' })
  resource?: ResourceRecord | null;
}

@Resolver()
export class ResourceMoveResolver {
  @Permission({ action: 'bailiwick:resources:move', scope: 'WORKSPACE' })
  @Mutation(() => MoveResourcePayload, {
    nullable: true,
    description:
      'Moves a resource of the workspace to another one, which ends the sessions of agencies that are for it. Needs `bailiwick:resources:move` and the action that deletes its kind here, and `bailiwick:resources:move` and the action that creates its kind there.',
  })
  async moveResource(
    @Arg('input', () => MoveResourceInput, { description: 'Input of the mutation.' }) input: MoveResourceInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { iam, call } = context;
    const wanted = {
      id: decodeId('Resource', input.id),
      workspaceId: decodeId('Workspace', input.workspaceId),
      expectedVersion: input.expectedVersion ?? null,
    };
    return answer(context, input, await moveResource(iam, iam.calls, call, wanted), (resource) => ({ resource }));
  }
}
