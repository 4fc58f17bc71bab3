/** Passwords: changed by their owners, reset by administrators. None is ever read. */
import { Arg, Ctx, Field, FieldResolver, ID, InputType, Int, Mutation, ObjectType, Resolver, Root } from 'type-graphql';
import {
  changePassword,
  passwordExpiries,
  resetPassword,
  type ChangedPassword,
  type Id,
  type Instant,
  type User as UserRecord,
} from '../iam/index.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { MutationInput } from './inputs.js';
import { decodeId } from './node-ids.js';
import { MutationPayload } from './payloads.js';
import { DateTime } from './scalars.js';
import { Viewer } from './session.js';
import { User } from './users.js';

@InputType({ description: 'Input of changePassword.' })
class ChangePasswordInput extends MutationInput {
  @Field(() => String, { description: 'Password of the caller as it is; a wrong one counts as a failed sign-in.' })
  currentPassword!: string;

  @Field(() => String, { description: 'Password of the caller from now on.' })
  newPassword!: string;
}

@ObjectType({ description: 'Payload of changePassword.', simpleResolvers: true })
class ChangePasswordPayload extends MutationPayload {
  @Field(() => User, { nullable: true, description: 'User whose password was changed.' })
  user?: UserRecord | null;

  @Field(() => Int, { nullable: true, description: 'Number of other sessions of the user that were ended.' })
  endedSessionCount?: number | null;
}

@InputType({ description: 'Input of resetPassword.' })
class ResetPasswordInput extends MutationInput {
  @Field(() => ID, { description: 'Identifier of the user; anyone but the caller.' })
  userId!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Password of the user from now on; absent: a random one is made and shown once.',
  })
  newPassword?: string | null;
}

@ObjectType({ description: 'Payload of resetPassword.', simpleResolvers: true })
class ResetPasswordPayload extends MutationPayload {
  @Field(() => User, { nullable: true, description: 'User whose password was reset.' })
  user?: UserRecord | null;

  @Field(() => String, {
    nullable: true,
    description: 'Random password that was made; shown once. Null when the input named one.',
  })
  password?: string | null;

  @Field(() => Int, { nullable: true, description: 'Number of sessions of the user that were ended.' })
  endedSessionCount?: number | null;
}

@Resolver()
export class PasswordResolver {
  @Permission({
    action: 'iam:users:updateUserPassword',
    resource: 'iam::{account}:user:{caller}',
    scope: 'ANY',
  })
  @Mutation(() => ChangePasswordPayload, {
    nullable: true,
    description:
      'Changes the caller’s own password and ends the caller’s other sessions. Needs `iam:users:updateUserPassword`.',
  })
  async changePassword(
    @Arg('input', () => ChangePasswordInput, { description: 'Input of the mutation.' }) input: ChangePasswordInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { currentPassword, newPassword } = input;
    const outcome = await changePassword(context.iam, context.call, { currentPassword, newPassword });
    return answer(context, input, outcome, ({ user, endedSessions }) => ({ user, endedSessionCount: endedSessions }));
  }

  @Permission({
    action: 'iam:users:resetUserPassword',
    resource: 'iam::{account}:user:{args.input.userId}',
    scope: 'ANY',
  })
  @Mutation(() => ResetPasswordPayload, {
    nullable: true,
    description:
      'Sets the password of another user and ends the user’s sessions. One must hold what the user holds. Needs `iam:users:resetUserPassword`.',
  })
  async resetPassword(
    @Arg('input', () => ResetPasswordInput, { description: 'Input of the mutation.' }) input: ResetPasswordInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const wanted = { userId: decodeId('User', input.userId), newPassword: input.newPassword };
    const outcome = await resetPassword(context.iam, context.call, wanted);
    return answer(context, input, outcome, shownReset);
  }
}

function shownReset({ user, password, endedSessions }: ChangedPassword) {
  return { user, password, endedSessionCount: endedSessions };
}

const shownExpiry = 'Timestamp of when the password grows too old, which does not keep anyone out; null: never.';

@Resolver(() => User)
export class UserPasswordResolver {
  @Permission({ action: 'iam:users:getUser', resource: 'iam::{account}:user:{source.id}', scope: 'ANY' })
  @FieldResolver(() => DateTime, { nullable: true, description: `${shownExpiry} Needs \`iam:users:getUser\`.` })
  passwordExpiresAt(@Root() user: UserRecord, @Ctx() context: GraphContext): Promise<Instant | null> {
    return expiryOf(context, user.id);
  }
}

@Resolver(() => Viewer)
export class ViewerPasswordResolver {
  @FieldResolver(() => DateTime, { nullable: true, description: shownExpiry })
  passwordExpiresAt(@Ctx() context: GraphContext): Promise<Instant | null> {
    return expiryOf(context, context.call.principal.id);
  }
}

function expiryOf({ iam, call, loaders }: GraphContext, userId: Id): Promise<Instant | null> {
  return loaders.by('password expiry', userId, (ids) => passwordExpiries(iam, call, ids));
}
