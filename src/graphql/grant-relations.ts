/** Grants where their subjects and policies are shown: `user.grants`, `policy.grants` and the like, read for many parents at once. */
import { Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type {
  Grant as GrantRecord,
  Group as GroupRecord,
  Id,
  Policy as PolicyRecord,
  Records,
  Relation,
  User as UserRecord,
} from '../iam/index.js';
import { Agency } from './agencies.js';
import { connection, windowOf, type ConnectionOf } from './connections.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { grantOrder, NestedGrantArguments } from './grant-inputs.js';
import { GrantConnection, listing } from './grants.js';
import { Group } from './groups.js';
import { Policy } from './policies.js';
import { Service } from './services.js';
import { User } from './users.js';

const relationDescription = (of: string): string => `Grants of the ${of}. Needs \`bailiwick:grants:list\`.`;

@Resolver(() => User)
export class UserGrantsResolver {
  @Permission(listing)
  @FieldResolver(() => GrantConnection, {
    nullable: true,
    description: `${relationDescription('user')} Those of the user’s groups stand on the groups.`,
  })
  grants(
    @Root() { id }: UserRecord,
    @Args(() => NestedGrantArguments) args: NestedGrantArguments,
    @Ctx() context: GraphContext,
  ): Promise<ConnectionOf<GrantRecord>> {
    return grantsOf(context, 'user.grants', id, args);
  }
}

@Resolver(() => Group)
export class GroupGrantsResolver {
  @Permission(listing)
  @FieldResolver(() => GrantConnection, { nullable: true, description: relationDescription('group') })
  grants(
    @Root() { id }: GroupRecord,
    @Args(() => NestedGrantArguments) args: NestedGrantArguments,
    @Ctx() context: GraphContext,
  ): Promise<ConnectionOf<GrantRecord>> {
    return grantsOf(context, 'group.grants', id, args);
  }
}

@Resolver(() => Agency)
export class AgencyGrantsResolver {
  @Permission(listing)
  @FieldResolver(() => GrantConnection, { nullable: true, description: relationDescription('agency') })
  grants(
    @Root() { id }: Records['agency'],
    @Args(() => NestedGrantArguments) args: NestedGrantArguments,
    @Ctx() context: GraphContext,
  ): Promise<ConnectionOf<GrantRecord>> {
    return grantsOf(context, 'agency.grants', id, args);
  }
}

@Resolver(() => Service)
export class ServiceGrantsResolver {
  @Permission(listing)
  @FieldResolver(() => GrantConnection, { nullable: true, description: relationDescription('service') })
  grants(
    @Root() { id }: Records['service'],
    @Args(() => NestedGrantArguments) args: NestedGrantArguments,
    @Ctx() context: GraphContext,
  ): Promise<ConnectionOf<GrantRecord>> {
    return grantsOf(context, 'service.grants', id, args);
  }
}

@Resolver(() => Policy)
export class PolicyGrantsResolver {
  @Permission(listing)
  @FieldResolver(() => GrantConnection, { nullable: true, description: relationDescription('policy') })
  grants(
    @Root() { id }: PolicyRecord,
    @Args(() => NestedGrantArguments) args: NestedGrantArguments,
    @Ctx() context: GraphContext,
  ): Promise<ConnectionOf<GrantRecord>> {
    return grantsOf(context, 'policy.grants', id, args);
  }
}

async function grantsOf(
  { loaders, cursors }: GraphContext,
  relation: Extract<Relation, `${string}.grants`>,
  parentId: Id,
  args: NestedGrantArguments,
): Promise<ConnectionOf<GrantRecord>> {
  const window = windowOf(cursors.of(relation, parentId), args, grantOrder(args.orderBy));
  const page = await loaders.pageOf(relation, parentId, window);
  return connection(page, window, () => loaders.countOf(relation, parentId));
}
