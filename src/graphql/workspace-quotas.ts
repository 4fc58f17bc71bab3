/** Quotas of workspaces: how many resources of each kind may be registered in one. */
import 'reflect-metadata';
import { Arg, Ctx, Field, FieldResolver, ID, InputType, Int, Mutation, ObjectType, Resolver, Root } from 'type-graphql';
import {
  quotaBounds,
  quotasOf,
  updateWorkspaceQuotas,
  type Instant,
  type ShownQuota,
  type Workspace as WorkspaceRecord,
} from '../iam/index.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { MutationInput } from './inputs.js';
import { decodeId } from './node-ids.js';
import { MutationPayload } from './payloads.js';
import { DateTime } from './scalars.js';
import { Workspace } from './workspaces.js';

@ObjectType({ description: 'Quota of a workspace for one kind of resource.', simpleResolvers: true })
export class WorkspaceQuota {
  @Field(() => String, { description: 'Kind of the resources, for instance `modelarts:notebook`.' })
  resource!: string;

  @Field(() => Int, {
    description: `Number of resources that may be registered; ${quotaBounds.unlimited} for any number.`,
  })
  quota!: number;

  @Field(() => Int, { description: 'Least number that the quota may be set to.' })
  minQuota!: number;

  @Field(() => Int, { description: 'Greatest number that the quota may be set to.' })
  maxQuota!: number;

  @Field(() => Int, {
    nullable: true,
    description: 'Number of resources that are registered; null while any number is allowed.',
  })
  usedQuota!: number | null;

  @Field(() => DateTime, {
    description: 'Timestamp of when the quota was set; of when the workspace was created, if it never was.',
  })
  updatedAt!: Instant;
}

function shownQuota({ kind, quota, used, setAt }: ShownQuota): WorkspaceQuota {
  const { least: minQuota, most: maxQuota } = quotaBounds;
  return { resource: kind, quota, minQuota, maxQuota, usedQuota: used, updatedAt: setAt };
}

@InputType({ description: 'Quota to set for one kind of resource.' })
class WorkspaceQuotaInput {
  @Field(() => String, { description: 'Kind of the resources, for instance `modelarts:notebook`.' })
  resource!: string;

  @Field(() => Int, {
    description: `Number of resources from now on, ${quotaBounds.least} to ${quotaBounds.most}; ${quotaBounds.unlimited} for any number.`,
  })
  quota!: number;
}

@InputType({ description: 'Input of updateWorkspaceQuotas; what is not named stays as it is.' })
class UpdateWorkspaceQuotasInput extends MutationInput {
  @Field(() => ID, { description: 'Identifier of the workspace.' })
  id!: string;

  @Field(() => [WorkspaceQuotaInput], { description: 'Quotas to set, each kind once.' })
  quotas!: readonly WorkspaceQuotaInput[];
}

@ObjectType({ description: 'Payload of updateWorkspaceQuotas.', simpleResolvers: true })
class UpdateWorkspaceQuotasPayload extends MutationPayload {
  @Field(() => Workspace, { nullable: true, description: 'Workspace whose quotas were set.' })
  workspace?: WorkspaceRecord | null;
}

@Resolver(() => Workspace)
export class WorkspaceQuotaResolver {
  @Permission({
    action: 'modelarts:workspace:getQuotas',
    resource: 'modelarts::{account}:workspace:{source.id}',
    scope: 'ANY',
  })
  @FieldResolver(() => [WorkspaceQuota], {
    nullable: true,
    description:
      'Quotas of the workspace, one for each kind of which resources are registered. Needs `modelarts:workspace:getQuotas`.',
  })
  async quotas(
    @Root() workspace: WorkspaceRecord,
    @Ctx() { iam, call }: GraphContext,
  ): Promise<readonly WorkspaceQuota[]> {
    return (await quotasOf(iam, call, workspace)).map(shownQuota);
  }

  @Permission({
    action: 'modelarts:workspace:updateQuotas',
    resource: 'modelarts::{account}:workspace:{args.input.id}',
    scope: 'ACCOUNT',
  })
  @Mutation(() => UpdateWorkspaceQuotasPayload, {
    nullable: true,
    description:
      'Sets quotas of a workspace that the caller may enter, the default one included. What is registered beyond a new quota stays. Needs `modelarts:workspace:updateQuotas`.',
  })
  async updateWorkspaceQuotas(
    @Arg('input', () => UpdateWorkspaceQuotasInput, { description: 'Input of the mutation.' })
    input: UpdateWorkspaceQuotasInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const wanted = {
      workspaceId: decodeId('Workspace', input.id),
      quotas: input.quotas.map(({ resource, quota }) => ({ kind: resource, quota })),
    };
    const outcome = await updateWorkspaceQuotas(context.iam, context.call, wanted);
    return answer(context, input, outcome, (workspace) => ({ workspace }));
  }
}
