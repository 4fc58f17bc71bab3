/** Agencies: trust in a service or another account. On whose behalf they are used: authorizations.ts. */
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
  BadInput,
  createAgency,
  deleteAgency,
  updateAgency,
  visibleWorkspaces,
  type Agency as AgencyRecord,
  type CreateAgencyInput as CreateAgencyChoice,
  type Filters,
  type Instant,
  type Order,
  type Orders,
} from '../iam/index.js';
import { connection, connectionOf, PageArguments, windowOf, type ConnectionOf } from './connections.js';
import type { GraphContext } from './context.js';
import { OneOf, Permission } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { changesOf, CreationInput, given, MutationInput, UpdateInput } from './inputs.js';
import { decodeId, decodeOptionalId, encodeNodeId } from './node-ids.js';
import { Node } from './node-interface.js';
import { OrderDirections, type OrderDirection } from './ordering.js';
import { CreationPayload, MutationPayload } from './payloads.js';
import { DateTime } from './scalars.js';
import { Workspace } from './workspaces.js';

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

  @Field(() => ID, {
    nullable: true,
    description:
      'Identifier of the one workspace that the agency may be used in; absent: any that a grant of the agency reaches.',
  })
  workspaceId?: string | null;
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
    description: 'Description of the agency from now on; null clears it.',
  })
  description?: string | null;

  @Field(() => AgencyTrustInput, {
    nullable: true,
    description: 'Trust of the agency from now on.',
  })
  trust?: AgencyTrustInput | null;

  @Field(() => Int, { nullable: true, description: 'Number of days from now until the agency ends; null: for ever.' })
  durationDays?: number | null;

  @Field(() => String, { nullable: true, description: 'External id of the agency from now on; null asks for none.' })
  externalId?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: 'All addresses and CIDR blocks from now on; an empty list: from anywhere.',
  })
  sourceAddresses?: readonly string[] | null;

  @Field(() => ID, {
    nullable: true,
    description: 'Identifier of the one workspace that the agency may be used in from now on; null: any.',
  })
  workspaceId?: string | null;
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
    @Ctx() { call: { reader }, cursors }: GraphContext,
  ): Promise<ConnectionOf<AgencyRecord>> {
    const window = windowOf(cursors.of('agencies'), args, agencyOrder(args.orderBy));
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
    const workspaceId = decodeOptionalId('Workspace', input.workspaceId);
    const terms = { durationDays, externalId, sourceAddresses, workspaceId };
    const wanted = { name, description, trust, ...terms, idempotencyKey };
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
    const { description, durationDays, externalId, sourceAddresses, workspaceId, expectedVersion } = changesOf(input, {
      description: '',
      durationDays: null,
      externalId: null,
      workspaceId: null,
    });
    const id = decodeId('Agency', input.id);
    const trust = input.trust == null ? null : trustOf(input.trust);
    const terms = {
      durationDays,
      externalId,
      sourceAddresses,
      workspaceId: workspaceId == null ? workspaceId : decodeId('Workspace', workspaceId),
    };
    const wanted = { id, description, trust, ...terms, expectedVersion };
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

  @FieldResolver(() => Workspace, {
    nullable: true,
    description:
      'Workspace that alone the agency may be used in; null when it is bound to none, or the caller may not read it.',
  })
  async workspace(@Root() { workspaceId }: AgencyRecord, @Ctx() context: GraphContext): Promise<object | null> {
    if (workspaceId === '') return null;
    const workspace = await context.loaders.find('workspace', workspaceId);
    const [visible] = workspace === null ? [] : await visibleWorkspaces(context.call, [workspace]);
    return visible ?? null;
  }

  @FieldResolver(() => Boolean, { description: 'Indicates that the agency has ended by its time.' })
  expired(@Root() { expiresAt }: AgencyRecord, @Ctx() { call }: GraphContext): boolean {
    return expiresAt !== null && expiresAt <= call.now;
  }
}

function trustOf({ service, account }: AgencyTrustInput): CreateAgencyChoice['trust'] {
  if (service != null) return { kind: 'SERVICE', id: service };
  if (account != null) return { kind: 'ACCOUNT', id: account };
  throw new BadInput('trust is exactly one of `service` and `account`');
}

function agencyFilter(input: AgencyFilterInput | null | undefined): Filters['agency'] {
  const { trust, ...others } = given(input);
  return trust === undefined ? others : { ...others, trustedId: trustOf(trust).id };
}

function agencyOrder(input: AgencyOrderInput | null | undefined): Order<Orders['agency']> {
  return { by: input?.field ?? 'NAME', direction: input?.direction ?? 'ASC' };
}
