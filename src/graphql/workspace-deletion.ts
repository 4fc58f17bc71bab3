/** Deleting workspaces: at once when little is in them, else in the background while it is told how far it got. */
import 'reflect-metadata';
import { Arg, Ctx, Field, FieldResolver, ID, InputType, Int, Mutation, ObjectType, Resolver, Root } from 'type-graphql';
import { clearedAtOnce, deleteWorkspace, remainingIn, type Workspace as WorkspaceRecord } from '../iam/index.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { MutationInput } from './inputs.js';
import { decodeId, encodeNodeId } from './node-ids.js';
import { MutationPayload } from './payloads.js';
import { Workspace } from './workspaces.js';

@InputType({ description: 'Input of deleteWorkspace.' })
class DeleteWorkspaceInput extends MutationInput {
  @Field(() => ID, { description: 'Identifier of the workspace.' })
  id!: string;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description:
      'Indicates that the resources in the workspace are deleted with it, which needs the action that deletes each of them.',
  })
  force?: boolean | null;
}

@ObjectType({ description: 'Payload of deleteWorkspace.', simpleResolvers: true })
class DeleteWorkspacePayload extends MutationPayload {
  @Field(() => Workspace, {
    nullable: true,
    description: 'Workspace that was deleted, as it was; with status DELETING while what it holds is being deleted.',
  })
  workspace?: WorkspaceRecord | null;

  @Field(() => ID, {
    nullable: true,
    description: 'Identifier of the workspace that is gone; null while it is being deleted.',
  })
  deletedWorkspaceId?: string | null;
}

@Resolver(() => Workspace)
export class WorkspaceDeletionResolver {
  @Permission({
    action: 'modelarts:workspace:delete',
    resource: 'modelarts::{account}:workspace:{args.input.id}',
    scope: 'ACCOUNT',
  })
  @Mutation(() => DeleteWorkspacePayload, {
    nullable: true,
    description: `Deletes a workspace with its list of members, its quotas and the grants given for it. One that holds resources is refused unless \`force\` is given; more than ${clearedAtOnce} of them are deleted in the background, while nobody may enter and \`status\` is DELETING. Needs \`modelarts:workspace:delete\`, with \`force\` also the action that deletes each resource in it, for instance \`modelarts:notebook:delete\`.`,
  })
  async deleteWorkspace(
    @Arg('input', () => DeleteWorkspaceInput, { description: 'Input of the mutation.' }) input: DeleteWorkspaceInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const wanted = { id: decodeId('Workspace', input.id), force: input.force };
    const outcome = await deleteWorkspace(context.iam, context.call, wanted);
    return answer(context, input, outcome, ({ workspace, gone }) => ({
      workspace,
      deletedWorkspaceId: gone ? encodeNodeId('Workspace', workspace.id) : null,
    }));
  }

  @FieldResolver(() => Int, {
    nullable: true,
    description:
      'Number of resources that are still to be deleted with the workspace; null unless its deletion was begun.',
  })
  remainingResourceCount(
    @Root() workspace: WorkspaceRecord,
    @Ctx() { iam }: GraphContext,
  ): Promise<number | null> | null {
    return remainingIn(iam, workspace);
  }
}
