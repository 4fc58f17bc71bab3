/** Agencies: trust in a service or another account. Authorizations: whom a service may act for through one. */
import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
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
  createAgency,
  deleteAgency,
  listAuthorizations,
  revokeAuthorization,
  updateAgency,
  type Agency as AgencyRecord,
  type Authorization as AuthorizationRecord,
  type AuthorizeAgencyInput as AuthorizeAgencyChoice,
  type CreateAgencyInput as CreateAgencyChoice,
  type Filters,
  type Instant,
  type Order,
  type Orders,
  type Page,
  type User as UserRecord,
} from '../iam/index.js';
import { connection, connectionOf, PageArguments, windowOf, type ConnectionOf } from './connections.js';
import type { GraphContext } from './context.js';
import { OneOf, Permission } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { CreationInput, given, MutationInput, UpdateInput } from './inputs.js';
import { decodeId, encodeNodeId } from './node-ids.js';
import { Node } from './node-interface.js';
import { OrderDirections, type OrderDirection } from './ordering.js';
import { CreationPayload, MutationPayload } from './payloads.js';
import { DateTime } from './scalars.js';
import { User } from './users.js';

type TrustKind = AgencyRecord['trustKind'];

const TrustKinds = { SERVICE: 'SERVICE', ACCOUNT: 'ACCOUNT' } as const satisfies { readonly [Kind in TrustKind]: Kind };

registerEnumType(TrustKinds, {
  name: 'AgencyTrustKind',
  description: 'Kind of whom an agency trusts.',
  valuesConfig: {
    SERVICE: { description: 'Service of the platform or of the account.' },
    ACCOUNT: { description: 'Another account.' },
  },
});

const AgencyOrderFields = { NAME: 'NAME', CREATED_AT: 'CREATED_AT' } as const satisfies {
  readonly [By in Orders['agency']]: By;
};

registerEnumType(AgencyOrderFields, {
  name: 'AgencyOrderField',
  description: 'Value that a list of agencies is ordered by.',
  valuesConfig: {
    NAME: { description: 'Name of the agency, letter case disregarded.' },
    CREATED_AT: { description: 'Timestamp of when the agency was created.' },
  },
});

const AuthorizationOrderFields = { CREATED_AT: 'CREATED_AT' } as const satisfies {
  readonly [By in Orders['authorization']]: By;
};

registerEnumType(AuthorizationOrderFields, {
  name: 'AuthorizationOrderField',
  description: 'Value that a list of authorizations is ordered by.',
  valuesConfig: { CREATED_AT: { description: 'Timestamp of when the authorization was created.' } },
});

@ObjectType({ description: 'Trust of an agency: who may act with its rights.', simpleResolvers: true })
export class AgencyTrust {
  @Field(() => TrustKinds, { description: 'Kind of who is trusted.' })
  kind!: TrustKind;

  @Field(() => String, { nullable: true, description: 'Name of the trusted service; null for an account.' })
  service!: string | null;

  @Field(() => String, { nullable: true, description: 'Identifier of the trusted account; null for a service.' })
  account!: string | null;
}

@Permission({
  anyOf: ['iam:agencies:getAgency', 'iam:agencies:listAgencies'],
  resource: 'iam::{account}:agency:{source.id}',
  scope: 'ANY',
})
@ObjectType({
  description:
    'Trust in a service or another account, which may act with the rights granted to the agency. Needs `iam:agencies:getAgency` or `iam:agencies:listAgencies`.',
  implements: Node,
  simpleResolvers: true,
})
export class Agency extends Node {
  @Field(() => String, { description: 'Name of the agency, unique in the account, letter case disregarded.' })
  name!: string;

  @Field(() => String, { description: 'Description of the agency.' })
  description!: string;

  @Field(() => Int, { nullable: true, description: 'Number of days that the agency was given; null: for ever.' })
  durationDays!: number | null;

  @Field(() => DateTime, { nullable: true, description: 'Timestamp of when the agency ends; null: never.' })
  expiresAt!: Instant | null;

  @Permission({
    action: 'iam:agencies:getAgency',
    resource: 'iam::{account}:agency:{source.id}',
    scope: 'ANY',
  })
  @Field(() => String, {
    nullable: true,
    description:
      'External id that whoever assumes the agency must name; null when none is asked for. Needs `iam:agencies:getAgency`.',
  })
  externalId!: string | null;

  @Field(() => [String], {
    description: 'Addresses and CIDR blocks that the agency may be assumed from; empty: from anywhere.',
  })
  sourceAddresses!: readonly string[];

  @Field(() => Int, { description: 'Version of the agency for `expectedVersion`.' })
  version!: number;

  @Field(() => DateTime, { description: 'Timestamp of when the agency was created.' })
  createdAt!: Instant;

  @Field(() => DateTime, { description: 'Timestamp of when the agency was last changed.' })
  updatedAt!: Instant;
}

export const AgencyConnection = connectionOf('Agency', () => Agency, { item: 'agency', items: 'agencies' });

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

@OneOf()
@InputType({ description: 'Trust of an agency: exactly one of a service and an account.' })
class AgencyTrustInput {
  @Field(() => String, { nullable: true, description: 'Name of the trusted service, for instance `modelarts`.' })
  service?: string | null;

  @Field(() => String, { nullable: true, description: 'Identifier of the trusted account, 32 hexadecimal digits.' })
  account?: string | null;
}

@InputType({ description: 'Filter of a list of agencies; members are ANDed.' })
class AgencyFilterInput {
  @Field(() => String, { nullable: true, description: 'Name of the agency, letter case disregarded.' })
  name?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Text that the name of the agencies contains, letter case disregarded.',
  })
  nameContains?: string | null;

  @Field(() => AgencyTrustInput, { nullable: true, description: 'Trust of the agencies.' })
  trust?: AgencyTrustInput | null;
}

@InputType({ description: 'Order of a list of agencies.' })
class AgencyOrderInput {
  @Field(() => AgencyOrderFields, { description: 'Value that the agencies are ordered by.' })
  field!: Orders['agency'];

  @Field(() => OrderDirections, { description: 'Direction of the order.' })
  direction!: OrderDirection;
}

@ArgsType()
class AgencyListArguments extends PageArguments {
  @Field(() => AgencyFilterInput, { nullable: true, description: 'Filter of the list.' })
  filter?: AgencyFilterInput | null;

  @Field(() => AgencyOrderInput, { nullable: true, description: 'Order of the list; by name unless given.' })
  orderBy?: AgencyOrderInput | null;
}

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

@InputType({ description: 'Input of createAgency.' })
class CreateAgencyInput extends CreationInput {
  @Field(() => String, { description: 'Name of the agency, 1 to 64 characters; it never changes.' })
  name!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Description of the agency, at most 255 characters without `@#$%^&*<>\\`.',
  })
  description?: string | null;

  @Field(() => AgencyTrustInput, { description: 'Trust of the agency.' })
  trust!: AgencyTrustInput;

  @Field(() => Int, { nullable: true, description: 'Number of days until the agency ends; absent: for ever.' })
  durationDays?: number | null;

  @Field(() => String, {
    nullable: true,
    description: 'External id that whoever assumes the agency must name, 2 to 128 characters.',
  })
  externalId?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: 'Addresses and CIDR blocks that the agency may be assumed from, at most 5; absent: from anywhere.',
  })
  sourceAddresses?: readonly string[] | null;
}

@ObjectType({ description: 'Payload of createAgency.', simpleResolvers: true })
class CreateAgencyPayload extends CreationPayload {
  @Field(() => Agency, { nullable: true, description: 'Agency that was created.' })
  agency?: AgencyRecord | null;
}

@InputType({ description: 'Input of updateAgency; what is absent stays as it is.' })
class UpdateAgencyInput extends UpdateInput {
  @Field(() => ID, { description: 'Identifier of the agency.' })
  id!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Description of the agency from now on; null changes nothing.',
  })
  description?: string | null;

  @Field(() => AgencyTrustInput, {
    nullable: true,
    description: 'Trust of the agency from now on; null changes nothing.',
  })
  trust?: AgencyTrustInput | null;

  @Field(() => Int, { nullable: true, description: 'Number of days from now until the agency ends; null: for ever.' })
  durationDays?: number | null;

  @Field(() => String, { nullable: true, description: 'External id of the agency from now on; null asks for none.' })
  externalId?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: 'All addresses and CIDR blocks from now on; an empty list: from anywhere; null changes nothing.',
  })
  sourceAddresses?: readonly string[] | null;
}

@ObjectType({ description: 'Payload of updateAgency.', simpleResolvers: true })
class UpdateAgencyPayload extends MutationPayload {
  @Field(() => Agency, { nullable: true, description: 'Agency that was changed.' })
  agency?: AgencyRecord | null;
}

@InputType({ description: 'Input of deleteAgency.' })
class DeleteAgencyInput extends MutationInput {
  @Field(() => ID, { description: 'Identifier of the agency.' })
  id!: string;
}

@ObjectType({ description: 'Payload of deleteAgency.', simpleResolvers: true })
class DeleteAgencyPayload extends MutationPayload {
  @Field(() => Agency, { nullable: true, description: 'Agency that was deleted, as it was.' })
  agency?: AgencyRecord | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of the agency that was deleted.' })
  deletedAgencyId?: string | null;
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
export class AgencyResolver {
  @Permission({ action: 'iam:agencies:listAgencies', scope: 'ANY' })
  @Query(() => AgencyConnection, {
    nullable: true,
    description:
      'Agencies of the account; inside a workspace those with a grant that acts there. Needs `iam:agencies:listAgencies`.',
  })
  async agencies(
    @Args(() => AgencyListArguments) args: AgencyListArguments,
    @Ctx() { call: { reader } }: GraphContext,
  ): Promise<ConnectionOf<AgencyRecord>> {
    const window = windowOf(args, agencyOrder(args.orderBy));
    const filter = agencyFilter(args.filter);
    return connection(await reader.page('agency', filter, window), window, () => reader.count('agency', filter));
  }

  @Permission({ action: 'iam:agencies:getAgency', resource: 'iam::{account}:agency:{args.id}', scope: 'ANY' })
  @Query(() => Agency, {
    nullable: true,
    description: 'Agency by its identifier; null when it is missing or invisible. Needs `iam:agencies:getAgency`.',
  })
  agency(
    @Arg('id', () => ID, { description: 'Identifier of the agency.' }) id: string,
    @Ctx() { loaders }: GraphContext,
  ): Promise<AgencyRecord | null> {
    return loaders.find('agency', decodeId('Agency', id));
  }

  @Permission({ action: 'iam:agencies:createAgency', scope: 'ACCOUNT' })
  @Mutation(() => CreateAgencyPayload, {
    nullable: true,
    description: 'Creates an agency; what it may do comes from grants alone. Needs `iam:agencies:createAgency`.',
  })
  async createAgency(
    @Arg('input', () => CreateAgencyInput, { description: 'Input of the mutation.' }) input: CreateAgencyInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { name, description, durationDays, externalId, sourceAddresses, idempotencyKey } = input;
    const trust = trustOf(input.trust);
    const wanted = { name, description, trust, durationDays, externalId, sourceAddresses, idempotencyKey };
    return answer(context, input, await createAgency(context.iam, context.call, wanted), (agency) => ({ agency }));
  }

  @Permission({
    action: 'iam:agencies:updateAgency',
    resource: 'iam::{account}:agency:{args.input.id}',
    scope: 'ACCOUNT',
  })
  @Mutation(() => UpdateAgencyPayload, {
    nullable: true,
    description:
      'Changes an agency. To change whom or how long it trusts one must hold what it was granted. Needs `iam:agencies:updateAgency`.',
  })
  async updateAgency(
    @Arg('input', () => UpdateAgencyInput, { description: 'Input of the mutation.' }) input: UpdateAgencyInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { description, durationDays, externalId, sourceAddresses, expectedVersion } = input;
    const id = decodeId('Agency', input.id);
    const trust = input.trust == null ? null : trustOf(input.trust);
    const wanted = { id, description, trust, durationDays, externalId, sourceAddresses, expectedVersion };
    return answer(context, input, await updateAgency(context.iam, context.call, wanted), (agency) => ({ agency }));
  }

  @Permission({
    action: 'iam:agencies:deleteAgency',
    resource: 'iam::{account}:agency:{args.input.id}',
    scope: 'ACCOUNT',
  })
  @Mutation(() => DeleteAgencyPayload, {
    nullable: true,
    description: 'Deletes an agency with its grants and authorizations. Needs `iam:agencies:deleteAgency`.',
  })
  async deleteAgency(
    @Arg('input', () => DeleteAgencyInput, { description: 'Input of the mutation.' }) input: DeleteAgencyInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const outcome = await deleteAgency(context.iam, context.call, { id: decodeId('Agency', input.id) });
    return answer(context, input, outcome, (agency) => ({
      agency,
      deletedAgencyId: encodeNodeId('Agency', agency.id),
    }));
  }

  @FieldResolver(() => AgencyTrust, { description: 'Trust of the agency.' })
  trust(@Root() { trustKind, trustedId }: AgencyRecord): AgencyTrust {
    return {
      kind: trustKind,
      service: trustKind === 'SERVICE' ? trustedId : null,
      account: trustKind === 'ACCOUNT' ? trustedId : null,
    };
  }

  @FieldResolver(() => Boolean, { description: 'Indicates that the agency has ended by its time.' })
  expired(@Root() { expiresAt }: AgencyRecord, @Ctx() { call }: GraphContext): boolean {
    return expiresAt !== null && expiresAt <= call.now;
  }

  @Permission({ action: 'modelarts:authorization:list', scope: 'ANY' })
  @FieldResolver(() => AuthorizationConnection, {
    nullable: true,
    description: 'Authorizations of the agency. Needs `modelarts:authorization:list`.',
  })
  async authorizations(
    @Root() { id }: AgencyRecord,
    @Args(() => NestedAuthorizationArguments) args: NestedAuthorizationArguments,
    @Ctx() { loaders }: GraphContext,
  ): Promise<ConnectionOf<ShownAuthorization>> {
    const window = windowOf(args, authorizationOrder(args.orderBy));
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
    @Ctx() { call }: GraphContext,
  ): Promise<ConnectionOf<ShownAuthorization>> {
    const window = windowOf(args, authorizationOrder(args.orderBy));
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

function trustOf({ service, account }: AgencyTrustInput): CreateAgencyChoice['trust'] {
  if (service != null) return { kind: 'SERVICE', id: service };
  if (account != null) return { kind: 'ACCOUNT', id: account };
  throw new BadInput('trust is exactly one of `service` and `account`');
}

function beneficiaryOf({ userId, allUsers }: AuthorizeAgencyInput): AuthorizeAgencyChoice['for'] {
  if ((userId != null) === (allUsers === true)) throw new BadInput('give exactly one of `userId` and `allUsers: true`');
  return userId == null ? { kind: 'allUsers' } : { kind: 'user', id: decodeId('User', userId) };
}

function agencyFilter(input: AgencyFilterInput | null | undefined): Filters['agency'] {
  const { trust, ...others } = given(input);
  return trust === undefined ? others : { ...others, trustedId: trustOf(trust).id };
}

function agencyOrder(input: AgencyOrderInput | null | undefined): Order<Orders['agency']> {
  return { by: input?.field ?? 'NAME', direction: input?.direction ?? 'ASC' };
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
