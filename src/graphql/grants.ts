/** Grants: who was given which policy, where, and until when. */
import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import {
  grantDoor,
  grantPolicy,
  revokeDoor,
  revokeGrant,
  visibleWorkspaces,
  type EnterpriseProject as EnterpriseProjectRecord,
  type Grant as GrantRecord,
  type GrantScopeKind,
  type Group as GroupRecord,
  type Instant,
  type Policy as PolicyRecord,
  type Records,
  type SubjectKind,
  type User as UserRecord,
  type Workspace as WorkspaceRecord,
} from '../iam/index.js';
import { Agency } from './agencies.js';
import { connection, connectionOf, windowOf, type ConnectionOf } from './connections.js';
import type { GraphContext } from './context.js';
import { Permission, type PermissionOptions } from './directives.js';
import { EnterpriseProject } from './enterprise-projects.js';
import { answer, type PayloadFrame } from './errors.js';
import {
  filterOf,
  GrantListArguments,
  grantOrder,
  GrantScopeInput,
  GrantScopeKinds,
  scopeOf,
  SubjectInput,
  SubjectKinds,
  subjectOf,
} from './grant-inputs.js';
import { Group } from './groups.js';
import { MutationInput } from './inputs.js';
import { decodeId, encodeNodeId } from './node-ids.js';
import { Node } from './node-interface.js';
import { MutationPayload } from './payloads.js';
import { Policy } from './policies.js';
import { DateTime } from './scalars.js';
import { Service } from './services.js';
import { User } from './users.js';
import { Workspace } from './workspaces.js';

export const listing = { action: 'bailiwick:grants:list', scope: 'ANY' } as const satisfies PermissionOptions;

@ObjectType({ description: 'Scope that a grant reaches.', simpleResolvers: true })
export class GrantScope {
  @Field(() => GrantScopeKinds, { description: 'Kind of the scope.' })
  kind!: GrantScopeKind;
}

/** What stands behind a `GrantScope`: a grant's own columns, or those that a decision remembers of it. */
export type ShownScope = Pick<GrantRecord, 'scopeKind' | 'scopeId'> & { readonly kind: GrantScopeKind };

export function shownScope({ scopeKind, scopeId }: Pick<GrantRecord, 'scopeKind' | 'scopeId'>): ShownScope {
  return { kind: scopeKind, scopeKind, scopeId };
}

@Permission(listing)
@ObjectType({
  description: 'Policy given to a subject in a scope. Needs `bailiwick:grants:list`.',
  implements: Node,
  simpleResolvers: true,
})
export class Grant extends Node {
  @Field(() => SubjectKinds, { description: 'Kind of the subject of the grant.' })
  subjectKind!: SubjectKind;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Timestamp of when the grant ends; null when it stands until it is revoked.',
  })
  expiresAt!: Instant | null;

  @Field(() => DateTime, { description: 'Timestamp of when the grant was created.' })
  createdAt!: Instant;
}

export const GrantConnection = connectionOf('Grant', () => Grant, { item: 'grant', items: 'grants' });

@InputType({ description: 'Input of grantPolicy.' })
class GrantPolicyInput extends MutationInput {
  @Field(() => ID, { description: 'Identifier of the policy to grant.' })
  policyId!: string;

  @Field(() => SubjectInput, { description: 'Subject to grant it to.' })
  subject!: SubjectInput;

  @Field(() => GrantScopeInput, { description: 'Scope to grant it in.' })
  scope!: GrantScopeInput;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Timestamp of when the grant ends; absent: it stands until it is revoked.',
  })
  expiresAt?: Instant | null;
}

@ObjectType({ description: 'Payload of grantPolicy.', simpleResolvers: true })
class GrantPolicyPayload extends MutationPayload {
  @Field(() => Grant, { nullable: true, description: 'Grant that stands now.' })
  grant?: GrantRecord | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Indicates that the scope became the account and every workspace, because the policy is project-level.',
  })
  widened?: boolean | null;

  @Field(() => [String], {
    nullable: true,
    description:
      'Warnings to the giver: what of the policy can have no effect in this scope, and roles that it depends on.',
  })
  warnings?: readonly string[] | null;

  @Field(() => [User], {
    nullable: 'itemsAndList',
    description:
      'Users whose LOOSE default the grant ended, because the first Allow naming `modelarts` has reached them; null items may not be read.',
  })
  defaultAccessEnded?: readonly UserRecord[] | null;
}

@InputType({ description: 'Input of revokeGrant.' })
class RevokeGrantInput extends MutationInput {
  @Field(() => ID, { description: 'Identifier of the grant.' })
  id!: string;
}

@ObjectType({ description: 'Payload of revokeGrant.', simpleResolvers: true })
class RevokeGrantPayload extends MutationPayload {
  @Field(() => Grant, { nullable: true, description: 'Grant that was revoked, as it was.' })
  grant?: GrantRecord | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of the grant that was revoked.' })
  deletedGrantId?: string | null;
}

@Resolver(() => Grant)
export class GrantResolver {
  @Permission(listing)
  @Query(() => GrantConnection, {
    nullable: true,
    description:
      'Grants of the account, expired ones too; inside a workspace those that act there on subjects visible there. Needs `bailiwick:grants:list`.',
  })
  async grants(
    @Args(() => GrantListArguments) args: GrantListArguments,
    @Ctx() { call, cursors, loaders }: GraphContext,
  ): Promise<ConnectionOf<GrantRecord>> {
    const { reader } = call;
    const window = windowOf(cursors.of('grants'), args, grantOrder(args.orderBy));
    const filter = filterOf(args.filter ?? {});
    const named = filter?.scopeKind === 'WORKSPACE' && filter.scopeId ? filter.scopeId : null;
    const workspace = named === null ? null : await loaders.find('workspace', named);
    // A workspace that one may not enter is as good as none, when asked for by its id too.
    const closed = workspace !== null && (await visibleWorkspaces(call, [workspace])).length === 0;
    if (filter === null || closed)
      return connection({ rows: [], hasNext: false, hasPrevious: false }, window, async () => 0);
    return connection(await reader.page('grant', filter, window), window, () => reader.count('grant', filter));
  }

  @Permission({ anyOf: grantDoor, scope: 'ANY' })
  @Mutation(() => GrantPolicyPayload, {
    nullable: true,
    description:
      'Grants a policy; one that stands already takes the new end. Inside a workspace only for that workspace. Needs the action of the subject’s kind and the scope, and that one holds what is given.',
  })
  async grantPolicy(
    @Arg('input', () => GrantPolicyInput, { description: 'Input of the mutation.' }) input: GrantPolicyInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const outcome = await grantPolicy(context.iam, context.call, {
      policyId: decodeId('Policy', input.policyId),
      subject: subjectOf(input.subject),
      scope: scopeOf(input.scope),
      expiresAt: input.expiresAt,
    });
    return answer(context, input, outcome, (change) => change);
  }

  @Permission({ anyOf: revokeDoor, scope: 'ANY' })
  @Mutation(() => RevokeGrantPayload, {
    nullable: true,
    description:
      'Revokes a grant; it binds from the next request on. Inside a workspace only for that workspace. Needs the action of the subject’s kind and the scope.',
  })
  async revokeGrant(
    @Arg('input', () => RevokeGrantInput, { description: 'Input of the mutation.' }) input: RevokeGrantInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const outcome = await revokeGrant(context.iam, context.call, { id: decodeId('Grant', input.id) });
    return answer(context, input, outcome, (grant) => ({ grant, deletedGrantId: encodeNodeId('Grant', grant.id) }));
  }

  @FieldResolver(() => Policy, {
    nullable: true,
    description: 'Policy of the grant. Needs `iam:roles:getRole` or `iam:roles:listRoles`.',
  })
  policy(@Root() grant: GrantRecord, @Ctx() { loaders }: GraphContext): Promise<PolicyRecord | null> {
    return loaders.find('policy', grant.policyId);
  }

  @FieldResolver(() => GrantScope, { description: 'Scope of the grant.' })
  scope(@Root() grant: GrantRecord): ShownScope {
    return shownScope(grant);
  }

  @FieldResolver(() => Boolean, { description: 'Indicates that the grant has ended by its time.' })
  expired(@Root() { expiresAt }: GrantRecord, @Ctx() { call }: GraphContext): boolean {
    return expiresAt !== null && expiresAt <= call.now;
  }

  @FieldResolver(() => User, { nullable: true, description: 'User who is the subject; null for other subjects.' })
  user(@Root() grant: GrantRecord, @Ctx() context: GraphContext): Promise<Records['user'] | null> | null {
    return subject(context, grant, 'USER', 'user');
  }

  @FieldResolver(() => Group, { nullable: true, description: 'Group that is the subject; null for other subjects.' })
  group(@Root() grant: GrantRecord, @Ctx() context: GraphContext): Promise<GroupRecord | null> | null {
    return subject(context, grant, 'GROUP', 'group');
  }

  @FieldResolver(() => Agency, { nullable: true, description: 'Agency that is the subject; null for other subjects.' })
  agency(@Root() grant: GrantRecord, @Ctx() context: GraphContext): Promise<Records['agency'] | null> | null {
    return subject(context, grant, 'AGENCY', 'agency');
  }

  @FieldResolver(() => Service, {
    nullable: true,
    description: 'Service that is the subject; null for other subjects.',
  })
  service(@Root() grant: GrantRecord, @Ctx() context: GraphContext): Promise<Records['service'] | null> | null {
    return subject(context, grant, 'SERVICE', 'service');
  }

  @FieldResolver(() => User, {
    nullable: true,
    description: 'User who created the grant; null when it was somebody else or the user is gone or invisible.',
  })
  createdBy(@Root() grant: GrantRecord, @Ctx() { loaders }: GraphContext): Promise<UserRecord | null> {
    return loaders.find('user', grant.createdBy);
  }
}

@Resolver(() => GrantScope)
export class GrantScopeResolver {
  @Permission({ anyOf: ['modelarts:workspace:get', 'modelarts:workspace:list'], scope: 'ANY' })
  @FieldResolver(() => Workspace, {
    nullable: true,
    description: 'Workspace of the scope; null for other kinds and when the caller may not enter it.',
  })
  async workspace(
    @Root() { kind, scopeId }: ShownScope,
    @Ctx() { call, loaders }: GraphContext,
  ): Promise<WorkspaceRecord | null> {
    const workspace = kind === 'WORKSPACE' ? await loaders.find('workspace', scopeId) : null;
    const [visible] = workspace === null ? [] : await visibleWorkspaces(call, [workspace]);
    return visible ?? null;
  }

  @Permission({ anyOf: ['eps:enterpriseProjects:get', 'eps:enterpriseProjects:list'], scope: 'ANY' })
  @FieldResolver(() => EnterpriseProject, {
    nullable: true,
    description: 'Enterprise project of the scope; null for other kinds and when it is invisible.',
  })
  enterpriseProject(
    @Root() { kind, scopeId }: ShownScope,
    @Ctx() { loaders }: GraphContext,
  ): Promise<EnterpriseProjectRecord | null> | null {
    return kind === 'ENTERPRISE_PROJECT' ? loaders.find('enterpriseProject', scopeId) : null;
  }
}

function subject<K extends 'user' | 'group' | 'agency' | 'service'>(
  { loaders }: GraphContext,
  { subjectKind, subjectId }: GrantRecord,
  wanted: SubjectKind,
  kind: K,
): Promise<Records[K] | null> | null {
  return subjectKind === wanted ? loaders.find(kind, subjectId) : null;
}
