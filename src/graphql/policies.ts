/** Policies: named documents that can be granted. What they say: policy-documents.ts; their versions: policy-versions.ts. */
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
  ObjectType,
  Query,
  Mutation,
  registerEnumType,
  Resolver,
  Root,
} from 'type-graphql';
import {
  createPolicy,
  deletePolicy,
  type Instant,
  type Order,
  type Orders,
  type Policy as PolicyRecord,
  type PolicyLevel,
  type PolicyOrigin,
} from '../iam/index.js';
import type { Problem, Statement } from '../policy/index.js';
import { connection, connectionOf, PageArguments, windowOf, type ConnectionOf } from './connections.js';
import type { GraphContext } from './context.js';
import { Permission, type PermissionOptions } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { CreationInput, given, MutationInput } from './inputs.js';
import { decodeId, encodeNodeId } from './node-ids.js';
import { Node } from './node-interface.js';
import { OrderDirections, type OrderDirection } from './ordering.js';
import { CreationPayload, MutationPayload } from './payloads.js';
import { documentDescription, PolicyProblem, PolicyStatement } from './policy-documents.js';
import {
  PolicyVersion,
  PolicyVersionConnection,
  PolicyVersionListArguments,
  StoredVersion,
  versionOf,
} from './policy-versions.js';
import { DateTime, JsonValue } from './scalars.js';

const PolicyOrigins = { SYSTEM: 'SYSTEM', CUSTOM: 'CUSTOM' } as const satisfies {
  readonly [Origin in PolicyOrigin]: Origin;
};

registerEnumType(PolicyOrigins, {
  name: 'PolicyOrigin',
  description: 'Origin of a policy.',
  valuesConfig: {
    SYSTEM: { description: 'Policy that ships with the program; nobody changes or deletes it.' },
    CUSTOM: { description: 'Policy that the account wrote.' },
  },
});

export const PolicyLevels = { GLOBAL: 'GLOBAL', PROJECT: 'PROJECT', BOTH: 'BOTH' } as const satisfies {
  readonly [Level in PolicyLevel]: Level;
};

registerEnumType(PolicyLevels, {
  name: 'PolicyLevel',
  description: 'Level of the services that a policy names.',
  valuesConfig: {
    GLOBAL: { description: 'Account-level services only.' },
    PROJECT: { description: 'Services whose resources lie in workspaces only.' },
    BOTH: { description: 'Services of both levels, or every service.' },
  },
});

const PolicyOrderFields = { NAME: 'NAME', CREATED_AT: 'CREATED_AT', UPDATED_AT: 'UPDATED_AT' } as const satisfies {
  readonly [By in Orders['policy']]: By;
};

registerEnumType(PolicyOrderFields, {
  name: 'PolicyOrderField',
  description: 'Value that a list of policies is ordered by.',
  valuesConfig: {
    NAME: { description: 'Name of the policy, letter case disregarded.' },
    CREATED_AT: { description: 'Timestamp of when the policy was created.' },
    UPDATED_AT: { description: 'Timestamp of when the policy was last changed.' },
  },
});

/** To read a policy is to read the documents of its versions; one may list what one may not open, so either will do. */
const reading = {
  anyOf: ['iam:roles:getRole', 'iam:roles:listRoles'],
  resource: 'iam::{account}:policy:{source.id}',
  scope: 'ANY',
} as const satisfies PermissionOptions;

@Permission(reading)
@ObjectType({
  description: 'Named policy document that can be granted. Needs `iam:roles:getRole` or `iam:roles:listRoles`.',
  implements: Node,
  simpleResolvers: true,
})
export class Policy extends Node {
  @Field(() => String, { description: 'Name of the policy, unique in the account, letter case disregarded.' })
  name!: string;

  @Field(() => String, { description: 'Description of the policy.' })
  description!: string;

  @Field(() => PolicyOrigins, { description: 'Origin of the policy.' })
  origin!: PolicyOrigin;

  @Field(() => PolicyLevels, { description: 'Level of the services that the policy names.' })
  level!: PolicyLevel;

  @Field(() => Int, { description: 'Version of the object for `expectedVersion`; not that of its document.' })
  version!: number;

  @Field(() => DateTime, { description: 'Timestamp of when the policy was created.' })
  createdAt!: Instant;

  @Field(() => DateTime, { description: 'Timestamp of when the policy was last changed.' })
  updatedAt!: Instant;
}

export const PolicyConnection = connectionOf('Policy', () => Policy, { item: 'policy', items: 'policies' });

@InputType({ description: 'Filter of a list of policies; members are ANDed.' })
class PolicyFilterInput {
  @Field(() => String, { nullable: true, description: 'Name of the policy, letter case disregarded.' })
  name?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Text that the name of the policies contains, letter case disregarded.',
  })
  nameContains?: string | null;

  @Field(() => PolicyOrigins, { nullable: true, description: 'Origin of the policies.' })
  origin?: PolicyOrigin | null;
}

@InputType({ description: 'Order of a list of policies.' })
class PolicyOrderInput {
  @Field(() => PolicyOrderFields, { description: 'Value that the policies are ordered by.' })
  field!: Orders['policy'];

  @Field(() => OrderDirections, { description: 'Direction of the order.' })
  direction!: OrderDirection;
}

@ArgsType()
class PolicyListArguments extends PageArguments {
  @Field(() => PolicyFilterInput, { nullable: true, description: 'Filter of the list.' })
  filter?: PolicyFilterInput | null;

  @Field(() => PolicyOrderInput, { nullable: true, description: 'Order of the list; by name unless given.' })
  orderBy?: PolicyOrderInput | null;
}

@InputType({ description: 'Input of createPolicy.' })
class CreatePolicyInput extends CreationInput {
  @Field(() => String, { description: 'Name of the policy, 1 to 64 characters.' })
  name!: string;

  @Field(() => String, { nullable: true, description: 'Description of the policy, at most 255 characters.' })
  description?: string | null;

  @Field(() => JsonValue, { description: documentDescription })
  document!: unknown;
}

@ObjectType({ description: 'Payload of createPolicy.', simpleResolvers: true })
class CreatePolicyPayload extends CreationPayload {
  @Field(() => Policy, { nullable: true, description: 'Policy that was created.' })
  policy?: PolicyRecord | null;
}

@InputType({ description: 'Input of deletePolicy.' })
class DeletePolicyInput extends MutationInput {
  @Field(() => ID, { description: 'Identifier of the policy.' })
  id!: string;
}

@ObjectType({ description: 'Payload of deletePolicy.', simpleResolvers: true })
class DeletePolicyPayload extends MutationPayload {
  @Field(() => Policy, { nullable: true, description: 'Policy that was deleted, as it was.' })
  policy?: PolicyRecord | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of the policy that was deleted.' })
  deletedPolicyId?: string | null;
}

@Resolver(() => Policy)
export class PolicyResolver {
  @Permission({ action: 'iam:roles:listRoles', scope: 'ANY' })
  @Query(() => PolicyConnection, {
    nullable: true,
    description:
      'Policies of the account; inside a workspace the system policies and those granted there. Needs `iam:roles:listRoles`.',
  })
  async policies(
    @Args(() => PolicyListArguments) args: PolicyListArguments,
    @Ctx() { call: { reader }, cursors }: GraphContext,
  ): Promise<ConnectionOf<PolicyRecord>> {
    const window = windowOf(cursors.of('policies'), args, policyOrder(args.orderBy));
    const filter = given(args.filter);
    return connection(await reader.page('policy', filter, window), window, () => reader.count('policy', filter));
  }

  @Permission({ action: 'iam:roles:getRole', resource: 'iam::{account}:policy:{args.id}', scope: 'ANY' })
  @Query(() => Policy, {
    nullable: true,
    description: 'Policy by its identifier; null when it is missing or invisible. Needs `iam:roles:getRole`.',
  })
  policy(
    @Arg('id', () => ID, { description: 'Identifier of the policy.' }) id: string,
    @Ctx() { loaders }: GraphContext,
  ): Promise<PolicyRecord | null> {
    return loaders.find('policy', decodeId('Policy', id));
  }

  @Permission({ action: 'iam:roles:createRole', scope: 'ACCOUNT' })
  @Mutation(() => CreatePolicyPayload, {
    nullable: true,
    description: 'Creates a custom policy of version 1.1. Needs `iam:roles:createRole`.',
  })
  async createPolicy(
    @Arg('input', () => CreatePolicyInput, { description: 'Input of the mutation.' }) input: CreatePolicyInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { name, description, document, idempotencyKey } = input;
    const outcome = await createPolicy(context.iam, context.call, { name, description, document, idempotencyKey });
    return answer(context, input, outcome, (policy) => ({ policy }));
  }

  @Permission({
    action: 'iam:roles:deleteRole',
    resource: 'iam::{account}:policy:{args.input.id}',
    scope: 'ACCOUNT',
  })
  @Mutation(() => DeletePolicyPayload, {
    nullable: true,
    description: 'Deletes a custom policy that no grant uses, with its versions. Needs `iam:roles:deleteRole`.',
  })
  async deletePolicy(
    @Arg('input', () => DeletePolicyInput, { description: 'Input of the mutation.' }) input: DeletePolicyInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const outcome = await deletePolicy(context.iam, context.call, { id: decodeId('Policy', input.id) });
    return answer(context, input, outcome, (policy) => ({
      policy,
      deletedPolicyId: encodeNodeId('Policy', policy.id),
    }));
  }

  @Permission(reading)
  @FieldResolver(() => PolicyVersion, {
    nullable: true,
    description: 'Version of the policy that is in use: what its grants give.',
  })
  defaultVersion(@Root() policy: PolicyRecord, @Ctx() context: GraphContext): Promise<StoredVersion | null> {
    return versionOf(context, policy, policy.defaultVersion);
  }

  @Permission(reading)
  @FieldResolver(() => PolicyVersion, {
    nullable: true,
    description: 'Version of the policy with the highest number; null when that one was deleted.',
  })
  latestVersion(@Root() policy: PolicyRecord, @Ctx() context: GraphContext): Promise<StoredVersion | null> {
    return versionOf(context, policy, policy.latestVersion);
  }

  @Permission(reading)
  @FieldResolver(() => PolicyVersionConnection, { nullable: true, description: 'Versions of the policy.' })
  async versions(
    @Root() policy: PolicyRecord,
    @Args(() => PolicyVersionListArguments) args: PolicyVersionListArguments,
    @Ctx() { call, loaders, cursors }: GraphContext,
  ): Promise<ConnectionOf<StoredVersion>> {
    const { field, direction } = args.orderBy ?? { field: 'NUMBER', direction: 'DESC' };
    const window = windowOf(cursors.of('Policy.versions', policy.id), args, { by: field, direction });
    const page = await loaders.pageOf('policy.versions', policy.id, window);
    const rows = page.rows.map(({ record, position }) => ({
      record: new StoredVersion(call, policy, record),
      position,
    }));
    return connection({ ...page, rows }, window, () => loaders.countOf('policy.versions', policy.id));
  }

  @Permission(reading)
  @FieldResolver(() => JsonValue, { nullable: true, description: 'Document of the policy’s version in use.' })
  async document(@Root() policy: PolicyRecord, @Ctx() context: GraphContext): Promise<unknown> {
    return (await versionOf(context, policy, policy.defaultVersion))?.document ?? null;
  }

  @Permission(reading)
  @FieldResolver(() => String, {
    nullable: true,
    description: 'Document of the policy’s version in use as it was given, byte for byte.',
  })
  async documentText(@Root() policy: PolicyRecord, @Ctx() context: GraphContext): Promise<string | null> {
    return (await versionOf(context, policy, policy.defaultVersion))?.documentText ?? null;
  }

  @Permission(reading)
  @FieldResolver(() => [PolicyStatement], {
    nullable: true,
    description: 'Statements of the policy’s version in use, in parsed form.',
  })
  async statements(@Root() policy: PolicyRecord, @Ctx() context: GraphContext): Promise<readonly Statement[] | null> {
    return (await versionOf(context, policy, policy.defaultVersion))?.statements ?? null;
  }

  @Permission(reading)
  @FieldResolver(() => [PolicyProblem], {
    nullable: true,
    description: 'Warnings about the policy’s version in use, and what has become an error as the catalogue changed.',
  })
  async warnings(@Root() policy: PolicyRecord, @Ctx() context: GraphContext): Promise<readonly Problem[] | null> {
    return (await versionOf(context, policy, policy.defaultVersion))?.warnings ?? null;
  }

  @Permission({ action: 'bailiwick:grants:list', scope: 'ANY' })
  @FieldResolver(() => Int, {
    nullable: true,
    description:
      'Number of the policy’s grants; inside a workspace of those that are visible there. Needs `bailiwick:grants:list`.',
  })
  grantCount(@Root() policy: PolicyRecord, @Ctx() { loaders }: GraphContext): Promise<number> {
    return loaders.countOf('policy.grants', policy.id);
  }

  @Permission({ action: 'bailiwick:grants:list', scope: 'ANY' })
  @FieldResolver(() => Boolean, {
    nullable: true,
    description:
      'Indicates that some grant uses the policy, so that it cannot be deleted; inside a workspace only visible grants count. Needs `bailiwick:grants:list`.',
  })
  async inUse(@Root() policy: PolicyRecord, @Ctx() { loaders }: GraphContext): Promise<boolean> {
    return (await loaders.countOf('policy.grants', policy.id)) > 0;
  }
}

function policyOrder(order: PolicyOrderInput | null | undefined): Order<Orders['policy']> {
  return { by: order?.field ?? 'NAME', direction: order?.direction ?? 'ASC' };
}
