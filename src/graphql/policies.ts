/** Policies: named documents, their versions, and what can be said of them. */
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
  createPolicyVersion,
  deletePolicy,
  deletePolicyVersion,
  documentOf,
  reviewDocument,
  setDefaultPolicyVersion,
  type Call,
  type Instant,
  type Order,
  type Orders,
  type Policy as PolicyRecord,
  type PolicyLevel,
  type PolicyOrigin,
  type PolicyVersion as PolicyVersionRecord,
  type User as UserRecord,
} from '../iam/index.js';
import type { Problem, Statement } from '../policy/index.js';
import { connection, connectionOf, PageArguments, windowOf, type ConnectionOf } from './connections.js';
import type { GraphContext } from './context.js';
import { Permission, type PermissionOptions } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { CreationInput, given, MutationInput, UpdateInput } from './inputs.js';
import { decodeId, encodeNodeId } from './node-ids.js';
import { Node } from './node-interface.js';
import { OrderDirections, type OrderDirection } from './ordering.js';
import { CreationPayload, MutationPayload } from './payloads.js';
import { DateTime, JsonValue } from './scalars.js';
import { User } from './users.js';

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

const PolicyLevels = { GLOBAL: 'GLOBAL', PROJECT: 'PROJECT', BOTH: 'BOTH' } as const satisfies {
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

export const PolicyEffects = { ALLOW: 'ALLOW', DENY: 'DENY' } as const;

export type PolicyEffect = keyof typeof PolicyEffects;

registerEnumType(PolicyEffects, {
  name: 'PolicyEffect',
  description: 'Effect of a statement that matches.',
  valuesConfig: {
    ALLOW: { description: 'Allows, unless some statement denies.' },
    DENY: { description: 'Denies, whatever else allows.' },
  },
});

const ProblemSeverities = { ERROR: 'ERROR', WARNING: 'WARNING' } as const;

registerEnumType(ProblemSeverities, {
  name: 'PolicyProblemSeverity',
  description: 'Severity of a problem of a policy document.',
  valuesConfig: {
    ERROR: { description: 'Problem with which the document could not be saved.' },
    WARNING: { description: 'Remark about what may surprise.' },
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

const PolicyVersionOrderFields = { NUMBER: 'NUMBER' } as const;

registerEnumType(PolicyVersionOrderFields, {
  name: 'PolicyVersionOrderField',
  description: 'Value that a list of policy versions is ordered by.',
  valuesConfig: { NUMBER: { description: 'Number of the version.' } },
});

@ObjectType({ description: 'Condition of a statement: one operator on one key.', simpleResolvers: true })
class PolicyCondition {
  @Field(() => String, { description: 'Operator of the condition, for instance `StringEquals`.' })
  operator!: string;

  @Field(() => String, { description: 'Key of the condition, for instance `g:UserName`.' })
  key!: string;

  @Field(() => [String], { description: 'Values of the condition, variables such as `${g:UserName}` as written.' })
  values!: readonly string[];
}

@ObjectType({ description: 'Statement of a policy document in parsed form.', simpleResolvers: true })
class PolicyStatement {
  @Field(() => Int, { description: 'Place of the statement in the document, counted from 0.' })
  index!: number;

  @Field(() => String, { nullable: true, description: 'Name of the statement, `Sid` in the document.' })
  sid!: string | null;

  @Field(() => PolicyEffects, { description: 'Effect of the statement.' })
  effect!: PolicyEffect;

  @Field(() => [String], { description: 'Actions or patterns of the statement; empty when `notActions` is given.' })
  actions!: readonly string[];

  @Field(() => [String], {
    nullable: true,
    description: 'Actions or patterns that the statement leaves out; null when it names `actions`.',
  })
  notActions!: readonly string[] | null;

  @Field(() => [String], {
    nullable: true,
    description: 'Patterns of the resources that the statement is about; null when it is about all.',
  })
  resources!: readonly string[] | null;

  @Field(() => [String], {
    nullable: true,
    description: 'Patterns of the resources that the statement leaves out; null when it leaves out none.',
  })
  notResources!: readonly string[] | null;

  @Field(() => [PolicyCondition], { description: 'Conditions of the statement; all of them must hold.' })
  conditions!: readonly PolicyCondition[];
}

@ObjectType({ description: 'Problem found in a policy document, with its place.', simpleResolvers: true })
export class PolicyProblem implements Problem {
  @Field(() => String, { description: 'Code of the problem, for instance `IAM.1036`.' })
  code!: string;

  @Field(() => ProblemSeverities, { description: 'Severity of the problem.' })
  severity!: Problem['severity'];

  @Field(() => String, { description: 'Message of the problem; says what to do next.' })
  message!: string;

  @Field(() => String, { description: 'JSON pointer of the place (RFC 6901).' })
  pointer!: string;

  @Field(() => Int, { nullable: true, description: 'Line of the place, counted from 1; null when there is no text.' })
  line!: number | null;

  @Field(() => Int, { nullable: true, description: 'Column of the place, counted from 1; null when there is no text.' })
  column!: number | null;
}

/** To read a policy is to read the documents of its versions; one may list what one may not open, so either will do. */
const reading = {
  anyOf: ['iam:roles:getRole', 'iam:roles:listRoles'],
  resource: 'iam::{account}:policy:{source.id}',
  scope: 'ANY',
} as const satisfies PermissionOptions;

@ObjectType({ description: 'Version of a policy. It never changes.', simpleResolvers: true })
export class PolicyVersion {
  @Field(() => Int, { description: 'Number of the version within its policy; never used again.' })
  number!: number;

  @Field(() => JsonValue, { nullable: true, description: 'Document of the version; null should it be unreadable.' })
  document!: unknown;

  @Field(() => String, { description: 'Document of the version as it was given, byte for byte.' })
  documentText!: string;

  @Field(() => [PolicyStatement], {
    nullable: true,
    description: 'Statements of the version in parsed form; null should the document be unreadable.',
  })
  statements!: readonly Statement[] | null;

  @Field(() => [PolicyProblem], {
    description: 'Warnings about the document, and what has become an error as the catalogue changed.',
  })
  warnings!: readonly Problem[];

  @Field(() => Boolean, { description: 'Indicates that the version is the one in use.' })
  isDefault!: boolean;

  @Field(() => DateTime, { description: 'Timestamp of when the version was created.' })
  createdAt!: Instant;
}

export const PolicyVersionConnection = connectionOf('PolicyVersion', () => PolicyVersion, {
  item: 'version',
  items: 'versions',
});

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

@InputType({ description: 'Order of a list of policy versions.' })
class PolicyVersionOrderInput {
  @Field(() => PolicyVersionOrderFields, { description: 'Value that the versions are ordered by.' })
  field!: keyof typeof PolicyVersionOrderFields;

  @Field(() => OrderDirections, { description: 'Direction of the order.' })
  direction!: OrderDirection;
}

@ArgsType()
class PolicyVersionListArguments extends PageArguments {
  @Field(() => PolicyVersionOrderInput, {
    nullable: true,
    description: 'Order of the list; newest first unless given.',
  })
  orderBy?: PolicyVersionOrderInput | null;
}

const documentDescription =
  'Document of the policy: an object, or a string that holds JSON text, which is stored byte for byte.';

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

@InputType({ description: 'Input of createPolicyVersion.' })
class CreatePolicyVersionInput extends CreationInput {
  @Field(() => ID, { description: 'Identifier of the policy.' })
  policyId!: string;

  @Field(() => JsonValue, { description: documentDescription })
  document!: unknown;

  @Field(() => Boolean, { nullable: true, description: 'Indicates that the new version is in use at once.' })
  setAsDefault?: boolean | null;
}

const endedDescription =
  'Users whose LOOSE default the change ended, because the first Allow naming `modelarts` has reached them; null items may not be read.';

@ObjectType({ description: 'Payload of createPolicyVersion.', simpleResolvers: true })
class CreatePolicyVersionPayload extends CreationPayload {
  @Field(() => Policy, { nullable: true, description: 'Policy that the version was added to.' })
  policy?: PolicyRecord | null;

  @Field(() => PolicyVersion, { nullable: true, description: 'Version that was created.' })
  policyVersion?: PolicyVersion | null;

  @Field(() => [User], { nullable: 'itemsAndList', description: endedDescription })
  defaultAccessEnded?: readonly UserRecord[] | null;
}

@InputType({ description: 'Input of setDefaultPolicyVersion.' })
class SetDefaultPolicyVersionInput extends UpdateInput {
  @Field(() => ID, { description: 'Identifier of the policy.' })
  policyId!: string;

  @Field(() => Int, { description: 'Number of the version to put in use.' })
  number!: number;
}

@ObjectType({ description: 'Payload of setDefaultPolicyVersion.', simpleResolvers: true })
class SetDefaultPolicyVersionPayload extends MutationPayload {
  @Field(() => Policy, { nullable: true, description: 'Policy that was changed.' })
  policy?: PolicyRecord | null;

  @Field(() => [User], { nullable: 'itemsAndList', description: endedDescription })
  defaultAccessEnded?: readonly UserRecord[] | null;
}

@InputType({ description: 'Input of deletePolicyVersion.' })
class DeletePolicyVersionInput extends MutationInput {
  @Field(() => ID, { description: 'Identifier of the policy.' })
  policyId!: string;

  @Field(() => Int, { description: 'Number of the version to delete; not the one in use.' })
  number!: number;
}

@ObjectType({ description: 'Payload of deletePolicyVersion.', simpleResolvers: true })
class DeletePolicyVersionPayload extends MutationPayload {
  @Field(() => Policy, { nullable: true, description: 'Policy that the version was deleted from.' })
  policy?: PolicyRecord | null;

  @Field(() => Int, { nullable: true, description: 'Number of the version that was deleted.' })
  deletedPolicyVersionNumber?: number | null;
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
    @Ctx() { call: { reader } }: GraphContext,
  ): Promise<ConnectionOf<PolicyRecord>> {
    const window = windowOf(args, policyOrder(args.orderBy));
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
    action: 'iam:roles:updateRole',
    resource: 'iam::{account}:policy:{args.input.policyId}',
    scope: 'ACCOUNT',
  })
  @Mutation(() => CreatePolicyVersionPayload, {
    nullable: true,
    description:
      'Adds a version to a custom policy, at most five of them. To put it in use, one must hold what its holders gain. Needs `iam:roles:updateRole`.',
  })
  async createPolicyVersion(
    @Arg('input', () => CreatePolicyVersionInput, { description: 'Input of the mutation.' })
    input: CreatePolicyVersionInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { document, setAsDefault, idempotencyKey } = input;
    const policyId = decodeId('Policy', input.policyId);
    const wanted = { policyId, document, setAsDefault, idempotencyKey };
    const outcome = await createPolicyVersion(context.iam, context.call, wanted);
    return answer(context, input, outcome, ({ policy, policyVersion, defaultAccessEnded }) => ({
      policy,
      policyVersion: new StoredVersion(context.call, policy, policyVersion),
      defaultAccessEnded,
    }));
  }

  @Permission({
    action: 'iam:roles:updateRole',
    resource: 'iam::{account}:policy:{args.input.policyId}',
    scope: 'ACCOUNT',
  })
  @Mutation(() => SetDefaultPolicyVersionPayload, {
    nullable: true,
    description:
      'Puts a version in use for every grant of the policy, from the next request on. One must hold what its holders gain. Needs `iam:roles:updateRole`.',
  })
  async setDefaultPolicyVersion(
    @Arg('input', () => SetDefaultPolicyVersionInput, { description: 'Input of the mutation.' })
    input: SetDefaultPolicyVersionInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { number, expectedVersion } = input;
    const policyId = decodeId('Policy', input.policyId);
    const outcome = await setDefaultPolicyVersion(context.iam, context.call, { policyId, number, expectedVersion });
    return answer(context, input, outcome, ({ policy, defaultAccessEnded }) => ({ policy, defaultAccessEnded }));
  }

  @Permission({
    action: 'iam:roles:updateRole',
    resource: 'iam::{account}:policy:{args.input.policyId}',
    scope: 'ACCOUNT',
  })
  @Mutation(() => DeletePolicyVersionPayload, {
    nullable: true,
    description: 'Deletes a version of a custom policy that is not in use. Needs `iam:roles:updateRole`.',
  })
  async deletePolicyVersion(
    @Arg('input', () => DeletePolicyVersionInput, { description: 'Input of the mutation.' })
    input: DeletePolicyVersionInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const wanted = { policyId: decodeId('Policy', input.policyId), number: input.number };
    const outcome = await deletePolicyVersion(context.iam, context.call, wanted);
    return answer(context, input, outcome, ({ policy, policyVersion }) => ({
      policy,
      deletedPolicyVersionNumber: policyVersion.number,
    }));
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
    @Ctx() { call, loaders }: GraphContext,
  ): Promise<ConnectionOf<StoredVersion>> {
    const { field, direction } = args.orderBy ?? { field: 'NUMBER', direction: 'DESC' };
    const window = windowOf(args, { by: field, direction });
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

@Resolver(() => PolicyVersion)
export class PolicyVersionResolver {
  @Permission({ anyOf: ['iam:users:getUser', 'iam:users:listUsers'], scope: 'ANY' })
  @FieldResolver(() => User, {
    nullable: true,
    description: 'User who created the version; null when it was somebody else or the user is gone or invisible.',
  })
  createdBy(@Root() version: StoredVersion, @Ctx() { loaders }: GraphContext): Promise<UserRecord | null> {
    return loaders.find('user', version.creatorId);
  }
}

/** A stored version as it is shown. What its text says is read when it is asked for: a list may want the numbers only. */
class StoredVersion implements PolicyVersion {
  readonly #call: Call;
  readonly #policy: PolicyRecord;
  readonly #version: PolicyVersionRecord;

  constructor(call: Call, policy: PolicyRecord, version: PolicyVersionRecord) {
    this.#call = call;
    this.#policy = policy;
    this.#version = version;
  }

  get number(): number {
    return this.#version.number;
  }

  get createdAt(): Instant {
    return this.#version.createdAt;
  }

  get creatorId(): string {
    return this.#version.createdBy;
  }

  get isDefault(): boolean {
    return this.#version.number === this.#policy.defaultVersion;
  }

  get documentText(): string {
    return this.#version.text;
  }

  get document(): unknown {
    return documentOf(this.#version.text) === null ? null : (JSON.parse(this.#version.text) as unknown);
  }

  get statements(): readonly Statement[] | null {
    return documentOf(this.#version.text)?.statements ?? null;
  }

  get warnings(): readonly Problem[] {
    return reviewDocument(this.#call, this.#version.text, this.#policy.origin);
  }
}

async function versionOf(
  { call, loaders }: GraphContext,
  policy: PolicyRecord,
  number: number,
): Promise<StoredVersion | null> {
  const version = await loaders.find('policyVersion', `${policy.id}.${number}`);
  return version === null ? null : new StoredVersion(call, policy, version);
}

function policyOrder(order: PolicyOrderInput | null | undefined): Order<Orders['policy']> {
  return { by: order?.field ?? 'NAME', direction: order?.direction ?? 'ASC' };
}
