/** How the versions of a policy change: one more, another in use, one less. What a version is: policy-versions.ts. */
import { Arg, Ctx, Field, ID, InputType, Int, Mutation, ObjectType, Resolver } from 'type-graphql';
import {
  createPolicyVersion,
  deletePolicyVersion,
  setDefaultPolicyVersion,
  type Policy as PolicyRecord,
  type User as UserRecord,
} from '../iam/index.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { CreationInput, MutationInput, UpdateInput } from './inputs.js';
import { decodeId } from './node-ids.js';
import { CreationPayload, MutationPayload } from './payloads.js';
import { Policy } from './policies.js';
import { documentDescription } from './policy-documents.js';
import { PolicyVersion, StoredVersion } from './policy-versions.js';
import { JsonValue } from './scalars.js';
import { User } from './users.js';

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

const warningsDescription =
  'Warnings of what the version now in use says that can have no effect where the policy is granted, unless the one before said it too; at most ten, and how many more.';

@ObjectType({ description: 'Payload of createPolicyVersion.', simpleResolvers: true })
class CreatePolicyVersionPayload extends CreationPayload {
  @Field(() => Policy, { nullable: true, description: 'Policy that the version was added to.' })
  policy?: PolicyRecord | null;

  @Field(() => PolicyVersion, { nullable: true, description: 'Version that was created.' })
  policyVersion?: PolicyVersion | null;

  @Field(() => [User], { nullable: 'itemsAndList', description: endedDescription })
  defaultAccessEnded?: readonly UserRecord[] | null;

  @Field(() => [String], { nullable: true, description: warningsDescription })
  warnings?: readonly string[] | null;
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

  @Field(() => [String], { nullable: true, description: warningsDescription })
  warnings?: readonly string[] | null;
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

@Resolver(() => PolicyVersion)
export class PolicyVersionChangeResolver {
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
    return answer(context, input, outcome, ({ policy, policyVersion, defaultAccessEnded, warnings }) => ({
      policy,
      policyVersion: new StoredVersion(context.call, policy, policyVersion),
      defaultAccessEnded,
      warnings,
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
    return answer(context, input, outcome, ({ policy, defaultAccessEnded, warnings }) => ({
      policy,
      defaultAccessEnded,
      warnings,
    }));
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
}
