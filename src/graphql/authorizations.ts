/** Authorizations: on whose behalf the service that an agency trusts may act through it. What an agency is: agencies.ts. */
import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Mutation,
  ObjectType,
  Query,
  registerEnumType,
  Resolver,
  Root,
} from 'type-graphql';
import {
  authorizationUrn,
  authorizeAgency,
  BadInput,
  listAuthorizations,
  revokeAuthorization,
  type Agency as AgencyRecord,
  type Authorization as AuthorizationRecord,
  type AuthorizeAgencyInput as AuthorizeAgencyChoice,
  type Filters,
  type Instant,
  type Order,
  type Orders,
  type Page,
  type User as UserRecord,
} from '../iam/index.js';
import { Agency } from './agencies.js';
import { connection, connectionOf, PageArguments, windowOf, type ConnectionOf } from './connections.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { CreationInput, given, MutationInput } from './inputs.js';
import { decodeId, encodeNodeId } from './node-ids.js';
import { Node } from './node-interface.js';
import { OrderDirections, type OrderDirection } from './ordering.js';
import { CreationPayload, MutationPayload } from './payloads.js';
import { DateTime } from './scalars.js';
import { User } from './users.js';

const AuthorizationOrderFields = { CREATED_AT: 'CREATED_AT' } as const satisfies {
  readonly [By in Orders['authorization']]: By;
};

registerEnumType(AuthorizationOrderFields, {
  name: 'AuthorizationOrderField',
  description: 'Value that a list of authorizations is ordered by.',
  valuesConfig: { CREATED_AT: { description: 'Timestamp of when the authorization was created.' } },
});

@Permission({ action: 'modelarts:authorization:list', resource: '{source.urn}', scope: 'ANY' })
@ObjectType({
  description:
    'Leave for the service that an agency trusts to act through it on behalf of one user, or of all. Needs `modelarts:authorization:list`; one’s own everybody may read.',
  implements: Node,
  simpleResolvers: true,
})
export class Authorization extends Node {
  @Field(() => String, {
    description:
      'URN of the authorization, its name in policies: `modelarts::account:authorization:user`, with `all-users` for all.',
  })
  urn!: string;

  @Field(() => Boolean, { description: 'Indicates that the authorization is for every present and future user.' })
  allUsers!: boolean;

  @Field(() => DateTime, { description: 'Timestamp of when the authorization was created.' })
  createdAt!: Instant;
}

/** What stands behind an `Authorization`: the record with what its type's rule and fields read. */
export type ShownAuthorization = AuthorizationRecord & Pick<Authorization, 'urn' | 'allUsers'>;

export function shownAuthorization(record: AuthorizationRecord): ShownAuthorization {
  return { ...record, urn: authorizationUrn(record.accountId, record.userId), allUsers: record.userId === '' };
}

export const AuthorizationConnection = connectionOf('Authorization', () => Authorization, {
  item: 'authorization',
  items: 'authorizations',
});

@InputType({ description: 'Filter of a list of authorizations; members are ANDed.' })
class AuthorizationFilterInput {
  @Field(() => ID, { nullable: true, description: 'Identifier of the agency of the authorizations.' })
  agencyId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of the user whom the authorizations name.' })
  userId?: string | null;
}

@InputType({ description: 'Order of a list of authorizations.' })
class AuthorizationOrderInput {
  @Field(() => AuthorizationOrderFields, { description: 'Value that the authorizations are ordered by.' })
  field!: Orders['authorization'];

  @Field(() => OrderDirections, { description: 'Direction of the order.' })
  direction!: OrderDirection;
}

@ArgsType()
class NestedAuthorizationArguments extends PageArguments {
  @Field(() => AuthorizationOrderInput, {
    nullable: true,
    description: 'Order of the list; oldest first unless given.',
  })
  orderBy?: AuthorizationOrderInput | null;
}

@ArgsType()
class AuthorizationListArguments extends NestedAuthorizationArguments {
  @Field(() => AuthorizationFilterInput, { nullable: true, description: 'Filter of the list.' })
  filter?: AuthorizationFilterInput | null;
}

@InputType({ description: 'Input of authorizeAgency; names one user, or all users.' })
class AuthorizeAgencyInput extends CreationInput {
  @Field(() => ID, { description: 'Identifier of the agency.' })
  agencyId!: string;

  @Field(() => ID, { nullable: true, description: 'Identifier of the user on whose behalf the service may act.' })
  userId?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Indicates every present and future user; only `true` has a meaning.',
  })
  allUsers?: boolean | null;
}

@ObjectType({ description: 'Payload of authorizeAgency.', simpleResolvers: true })
class AuthorizeAgencyPayload extends CreationPayload {
  @Field(() => Authorization, { nullable: true, description: 'Authorization that was created.' })
  authorization?: ShownAuthorization | null;
}

@InputType({ description: 'Input of revokeAuthorization.' })
class RevokeAuthorizationInput extends MutationInput {
  @Field(() => ID, { description: 'Identifier of the authorization.' })
  id!: string;
}

@ObjectType({ description: 'Payload of revokeAuthorization.', simpleResolvers: true })
class RevokeAuthorizationPayload extends MutationPayload {
  @Field(() => Authorization, { nullable: true, description: 'Authorization that was revoked, as it was.' })
  authorization?: ShownAuthorization | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of the authorization that was revoked.' })
  deletedAuthorizationId?: string | null;
}

@Resolver(() => Agency)
export class AgencyAuthorizationsResolver {
  @Permission({ action: 'modelarts:authorization:list', scope: 'ANY' })
  @FieldResolver(() => AuthorizationConnection, {
    nullable: true,
    description: 'Authorizations of the agency. Needs `modelarts:authorization:list`.',
  })
  async authorizations(
    @Root() { id }: AgencyRecord,
    @Args(() => NestedAuthorizationArguments) args: NestedAuthorizationArguments,
    @Ctx() { loaders, cursors }: GraphContext,
  ): Promise<ConnectionOf<ShownAuthorization>> {
    const window = windowOf(cursors.of('Agency.authorizations', id), args, authorizationOrder(args.orderBy));
    const page = await loaders.pageOf('agency.authorizations', id, window);
    return connection(shownPage(page), window, () => loaders.countOf('agency.authorizations', id));
  }
}

@Resolver(() => Authorization)
export class AuthorizationResolver {
  // Whoever may read the own entry, as the policy Self allows, gets in; which entries there are, the use-case decides.
  @Permission({
    action: 'modelarts:authorization:list',
    resource: 'modelarts::{account}:authorization:{caller}',
    scope: 'ANY',
  })
  @Query(() => AuthorizationConnection, {
    nullable: true,
    description:
      'Authorizations of the account; inside a workspace those of agencies and users visible there. Without `modelarts:authorization:list` only those that name the caller.',
  })
  async authorizations(
    @Args(() => AuthorizationListArguments) args: AuthorizationListArguments,
    @Ctx() { call, cursors }: GraphContext,
  ): Promise<ConnectionOf<ShownAuthorization>> {
    const window = windowOf(cursors.of('authorizations'), args, authorizationOrder(args.orderBy));
    const { page, count } = await listAuthorizations(call, authorizationFilter(args.filter), window);
    return connection(shownPage(page), window, count);
  }

  @Permission({ action: 'modelarts:authorization:create', scope: 'ACCOUNT' })
  @Mutation(() => AuthorizeAgencyPayload, {
    nullable: true,
    description:
      'Lets the service that an agency trusts act through it on behalf of a user, or of all. Needs `modelarts:authorization:create`, `iam:agencies:pass` on the agency, and that one holds what the agency was granted.',
  })
  async authorizeAgency(
    @Arg('input', () => AuthorizeAgencyInput, { description: 'Input of the mutation.' }) input: AuthorizeAgencyInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { idempotencyKey } = input;
    const wanted = { agencyId: decodeId('Agency', input.agencyId), for: beneficiaryOf(input), idempotencyKey };
    const outcome = await authorizeAgency(context.iam, context.call, wanted);
    return answer(context, input, outcome, (made) => ({ authorization: shownAuthorization(made) }));
  }

  @Permission({ action: 'modelarts:authorization:delete', scope: 'ACCOUNT' })
  @Mutation(() => RevokeAuthorizationPayload, {
    nullable: true,
    description: 'Revokes an authorization; it binds from the next request on. Needs `modelarts:authorization:delete`.',
  })
  async revokeAuthorization(
    @Arg('input', () => RevokeAuthorizationInput, { description: 'Input of the mutation.' })
    input: RevokeAuthorizationInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const outcome = await revokeAuthorization(context.iam, context.call, { id: decodeId('Authorization', input.id) });
    return answer(context, input, outcome, (revoked) => ({
      authorization: shownAuthorization(revoked),
      deletedAuthorizationId: encodeNodeId('Authorization', revoked.id),
    }));
  }

  @FieldResolver(() => Agency, {
    nullable: true,
    description: 'Agency of the authorization; null when the caller may not read it.',
  })
  agency(@Root() { agencyId }: AuthorizationRecord, @Ctx() { loaders }: GraphContext): Promise<AgencyRecord | null> {
    return loaders.find('agency', agencyId);
  }

  @FieldResolver(() => User, {
    nullable: true,
    description: 'User whom the authorization names; null when it is for all or the caller may not read the user.',
  })
  user(@Root() { userId }: AuthorizationRecord, @Ctx() { loaders }: GraphContext): Promise<UserRecord | null> | null {
    return userId === '' ? null : loaders.find('user', userId);
  }

  @FieldResolver(() => User, {
    nullable: true,
    description: 'User who created the authorization; null when it was somebody else or the user is gone or invisible.',
  })
  createdBy(@Root() { createdBy }: AuthorizationRecord, @Ctx() { loaders }: GraphContext): Promise<UserRecord | null> {
    return loaders.find('user', createdBy);
  }
}

function shownPage(page: Page<AuthorizationRecord>): Page<ShownAuthorization> {
  return { ...page, rows: page.rows.map(({ record, position }) => ({ record: shownAuthorization(record), position })) };
}

function beneficiaryOf({ userId, allUsers }: AuthorizeAgencyInput): AuthorizeAgencyChoice['for'] {
  if ((userId != null) === (allUsers === true)) throw new BadInput('give exactly one of `userId` and `allUsers: true`');
  return userId == null ? { kind: 'allUsers' } : { kind: 'user', id: decodeId('User', userId) };
}

function authorizationFilter(input: AuthorizationFilterInput | null | undefined): Filters['authorization'] {
  const { agencyId, userId } = given(input);
  return {
    ...(agencyId === undefined ? {} : { agencyId: decodeId('Agency', agencyId) }),
    ...(userId === undefined ? {} : { userId: decodeId('User', userId) }),
  };
}

function authorizationOrder(input: AuthorizationOrderInput | null | undefined): Order<Orders['authorization']> {
  return { by: input?.field ?? 'CREATED_AT', direction: input?.direction ?? 'ASC' };
}
