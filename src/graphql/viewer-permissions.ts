/** What the caller may do with an object, so that a frontend knows which buttons to show. */
import 'reflect-metadata';
import { Arg, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import {
  decideAboutResource,
  decideAboutWorkspace,
  type Decision,
  type Resource as ResourceRecord,
  type Workspace as WorkspaceRecord,
} from '../iam/index.js';
import { AccessPermission } from './access.js';
import type { GraphContext } from './context.js';
import { Resource } from './resources.js';
import { Workspace } from './workspaces.js';

const actionsArgument = {
  nullable: true,
  description: 'Actions asked about, at most 100; those of its kind unless given.',
} as const;

function shown(decisions: readonly Decision[]): readonly AccessPermission[] {
  return decisions.map(({ action, effect, reason }) => ({ action, effect, reason }));
}

@Resolver(() => Resource)
export class ResourcePermissionsResolver {
  @FieldResolver(() => [AccessPermission], {
    description:
      'Answers to whether the caller may do these actions with the resource as it is, in the order asked. A change of it is asked about by what it would be, too.',
  })
  viewerPermissions(
    @Root() resource: ResourceRecord,
    @Arg('actions', () => [String], actionsArgument) actions: readonly string[] | null | undefined,
    @Ctx() { call }: GraphContext,
  ): readonly AccessPermission[] {
    return shown(decideAboutResource(call, resource, actions ?? null));
  }
}

@Resolver(() => Workspace)
export class WorkspacePermissionsResolver {
  @FieldResolver(() => [AccessPermission], {
    description:
      'Answers to whether the caller may do these actions with the workspace in the scope of the credential, in the order asked.',
  })
  viewerPermissions(
    @Root() workspace: WorkspaceRecord,
    @Arg('actions', () => [String], actionsArgument) actions: readonly string[] | null | undefined,
    @Ctx() { call }: GraphContext,
  ): readonly AccessPermission[] {
    return shown(decideAboutWorkspace(call, workspace, actions ?? null));
  }
}
