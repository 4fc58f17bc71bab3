/** Second factors: made, confirmed and taken away by their owners; taken away by administrators when a device is lost. */
import { Arg, Ctx, Field, FieldResolver, ID, InputType, Mutation, ObjectType, Resolver, Root } from 'type-graphql';
import {
  confirmSecondFactor,
  createSecondFactor,
  deleteSecondFactor,
  type Instant,
  type SecondFactor as SecondFactorRecord,
  type User as UserRecord,
} from '../iam/index.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { CreationInput, MutationInput } from './inputs.js';
import { decodeOptionalId } from './node-ids.js';
import { CreationPayload, MutationPayload } from './payloads.js';
import { DateTime } from './scalars.js';
import { Viewer } from './session.js';
import { User } from './users.js';

@ObjectType({ description: 'Second factor: a device that makes one-time passwords (RFC 6238).', simpleResolvers: true })
export class SecondFactor {
  @Field(() => DateTime, {
    nullable: true,
    description: 'Timestamp of when a first code confirmed it; null: not yet, so that sign-in does not ask for it.',
  })
  confirmedAt!: Instant | null;

  @Field(() => DateTime, { description: 'Timestamp of when the second factor was created.' })
  createdAt!: Instant;
}

@InputType({ description: 'Input of createSecondFactor.' })
class CreateSecondFactorInput extends CreationInput {}

@ObjectType({ description: 'Payload of createSecondFactor.', simpleResolvers: true })
class CreateSecondFactorPayload extends CreationPayload {
  @Field(() => SecondFactor, { nullable: true, description: 'Second factor that was created, not confirmed yet.' })
  secondFactor?: SecondFactorRecord | null;

  @Field(() => String, {
    nullable: true,
    description: 'Address for a QR code, `otpauth://totp/…`; it holds the secret and is shown once.',
  })
  uri?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Secret in base32, to be typed where no code can be read; shown once.',
  })
  secret?: string | null;
}

@InputType({ description: 'Input of confirmSecondFactor.' })
class ConfirmSecondFactorInput extends MutationInput {
  @Field(() => String, { description: 'One-time password of six digits that the device shows now.' })
  code!: string;
}

@ObjectType({ description: 'Payload of confirmSecondFactor.', simpleResolvers: true })
class ConfirmSecondFactorPayload extends MutationPayload {
  @Field(() => SecondFactor, { nullable: true, description: 'Second factor that sign-in asks for from now on.' })
  secondFactor?: SecondFactorRecord | null;
}

@InputType({ description: 'Input of deleteSecondFactor.' })
class DeleteSecondFactorInput extends MutationInput {
  @Field(() => ID, { nullable: true, description: 'Identifier of the user; the caller unless given.' })
  userId?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'One-time password that the device shows now; for one’s own, unless `password` is given.',
  })
  code?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Password of the caller; for one’s own, unless `code` is given.',
  })
  password?: string | null;
}

@ObjectType({ description: 'Payload of deleteSecondFactor.', simpleResolvers: true })
class DeleteSecondFactorPayload extends MutationPayload {
  @Field(() => User, { nullable: true, description: 'User who has no second factor any more.' })
  user?: UserRecord | null;
}

@Resolver()
export class SecondFactorResolver {
  @Permission({
    action: 'iam:mfa:createVirtualMFADevice',
    resource: 'iam::{account}:mfa:{caller}',
    scope: 'ANY',
  })
  @Mutation(() => CreateSecondFactorPayload, {
    nullable: true,
    description:
      'Creates the caller’s second factor and shows its secret; sign-in asks for it once it is confirmed. Needs `iam:mfa:createVirtualMFADevice`.',
  })
  async createSecondFactor(
    @Arg('input', () => CreateSecondFactorInput, { nullable: true, description: 'Input of the mutation.' })
    input: CreateSecondFactorInput | null,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const outcome = await createSecondFactor(context.iam, context.call, { idempotencyKey: input?.idempotencyKey });
    return answer(context, input ?? {}, outcome, (made) => made);
  }

  @Permission({
    action: 'iam:mfa:bindMFADevice',
    resource: 'iam::{account}:mfa:{caller}/totp',
    scope: 'ANY',
  })
  @Mutation(() => ConfirmSecondFactorPayload, {
    nullable: true,
    description:
      'Confirms the caller’s second factor with a first code: every sign-in asks for one from now on. Needs `iam:mfa:bindMFADevice`.',
  })
  async confirmSecondFactor(
    @Arg('input', () => ConfirmSecondFactorInput, { description: 'Input of the mutation.' })
    input: ConfirmSecondFactorInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const outcome = await confirmSecondFactor(context.iam, context.call, { code: input.code });
    return answer(context, input, outcome, (secondFactor) => ({ secondFactor }));
  }

  @Permission({
    action: 'iam:mfa:deleteVirtualMFADevice',
    resource: 'iam::{account}:mfa:{args.input.userId|caller}/totp',
    scope: 'ANY',
  })
  @Mutation(() => DeleteSecondFactorPayload, {
    nullable: true,
    description:
      'Takes a second factor away: one’s own with a code or the password; another’s if one holds what the user holds. Needs `iam:mfa:deleteVirtualMFADevice`, and `iam:mfa:unbindMFADevice` once it is confirmed.',
  })
  async deleteSecondFactor(
    @Arg('input', () => DeleteSecondFactorInput, { description: 'Input of the mutation.' })
    input: DeleteSecondFactorInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { code, password } = input;
    const wanted = { userId: decodeOptionalId('User', input.userId), code, password };
    const outcome = await deleteSecondFactor(context.iam, context.call, wanted);
    return answer(context, input, outcome, (user) => ({ user }));
  }
}

const reading = ['iam:mfa:getVirtualMFADevice', 'iam:mfa:listVirtualMFADevices'] as const;
const needed = 'Needs `iam:mfa:getVirtualMFADevice` or `iam:mfa:listVirtualMFADevices`.';

@Resolver(() => User)
export class UserSecondFactorResolver {
  @Permission({ anyOf: reading, resource: 'iam::{account}:mfa:{source.id}', scope: 'ANY' })
  @FieldResolver(() => SecondFactor, {
    nullable: true,
    description: `Second factor of the user; null: none. ${needed}`,
  })
  secondFactor(@Root() { id }: UserRecord, @Ctx() { loaders }: GraphContext): Promise<SecondFactorRecord | null> {
    return loaders.find('secondFactor', id);
  }
}

@Resolver(() => Viewer)
export class ViewerSecondFactorResolver {
  @Permission({ anyOf: reading, resource: 'iam::{account}:mfa:{caller}', scope: 'ANY' })
  @FieldResolver(() => SecondFactor, {
    nullable: true,
    description: `Second factor of the caller; null: none. ${needed}`,
  })
  secondFactor(@Ctx() { call, loaders }: GraphContext): Promise<SecondFactorRecord | null> {
    return loaders.find('secondFactor', call.principal.id);
  }
}
