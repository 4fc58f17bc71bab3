/** The account and its settings: the authorization mode, and the LOOSE default of single users. */
import { Arg, Ctx, Field, ID, InputType, Mutation, ObjectType, registerEnumType, Resolver } from 'type-graphql';
import {
  restoreDefaultAccess,
  setAuthorizationMode,
  setWorkspacesEnabled,
  type Account as AccountRecord,
  type AuthorizationMode,
  type Instant,
  type User as UserRecord,
} from '../iam/index.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { MutationInput } from './inputs.js';
import { decodeId } from './node-ids.js';
import { Node } from './node-interface.js';
import { MutationPayload } from './payloads.js';
import { DateTime } from './scalars.js';
import { User } from './users.js';

export const AuthorizationModes = { LOOSE: 'LOOSE', STRICT: 'STRICT' } as const satisfies {
  readonly [Mode in AuthorizationMode]: Mode;
};

registerEnumType(AuthorizationModes, {
  name: 'AuthorizationMode',
  description: 'Mode that decides what users may do in ModelArts whom no Allow naming `modelarts` has reached.',
  valuesConfig: {
    LOOSE: { description: 'Such users may do everything in ModelArts but administer workspaces and authorizations.' },
    STRICT: { description: 'Nobody may do anything without an Allow.' },
  },
});

@Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
@ObjectType({
  description: 'Account: the tenant that owns users, policies and workspaces. Needs `bailiwick:session:use`.',
  implements: Node,
  simpleResolvers: true,
})
export class Account extends Node {
  @Field(() => String, { description: 'Name of the account.' })
  name!: string;

  @Permission({ action: 'bailiwick:settings:get', scope: 'ANY' })
  @Field(() => AuthorizationModes, {
    nullable: true,
    description: 'Authorization mode of the account. Needs `bailiwick:settings:get`.',
  })
  authorizationMode!: AuthorizationMode | null;

  @Field(() => Boolean, {
    description: 'Indicates that workspaces beside the default one may be created in the account.',
  })
  workspacesEnabled!: boolean;

  @Field(() => DateTime, { description: 'Timestamp of when the account was created.' })
  createdAt!: Instant;
}

@InputType({ description: 'Input of setAuthorizationMode.' })
class SetAuthorizationModeInput extends MutationInput {
  @Field(() => AuthorizationModes, { description: 'Mode of the account from now on.' })
  mode!: AuthorizationMode;
}

@ObjectType({ description: 'Payload of setAuthorizationMode.', simpleResolvers: true })
class SetAuthorizationModePayload extends MutationPayload {
  @Field(() => Account, { nullable: true, description: 'Account that was changed.' })
  account?: AccountRecord | null;
}

@InputType({ description: 'Input of setWorkspacesEnabled.' })
class SetWorkspacesEnabledInput extends MutationInput {
  @Field(() => Boolean, {
    description: 'Indicates that workspaces beside the default one may be created from now on.',
  })
  enabled!: boolean;
}

@ObjectType({ description: 'Payload of setWorkspacesEnabled.', simpleResolvers: true })
class SetWorkspacesEnabledPayload extends MutationPayload {
  @Field(() => Account, { nullable: true, description: 'Account that was changed.' })
  account?: AccountRecord | null;
}

@InputType({ description: 'Input of restoreDefaultAccess.' })
class RestoreDefaultAccessInput extends MutationInput {
  @Field(() => ID, { description: 'Identifier of the user.' })
  userId!: string;
}

@ObjectType({ description: 'Payload of restoreDefaultAccess.', simpleResolvers: true })
class RestoreDefaultAccessPayload extends MutationPayload {
  @Field(() => User, { nullable: true, description: 'User whose LOOSE default is in force again.' })
  user?: UserRecord | null;
}

@Resolver()
export class SettingsResolver {
  @Permission({ action: 'bailiwick:settings:update', scope: 'ACCOUNT' })
  @Mutation(() => SetAuthorizationModePayload, {
    nullable: true,
    description:
      'Sets the authorization mode of the account. To make it LOOSE one must hold what that gives. Needs `bailiwick:settings:update`.',
  })
  async setAuthorizationMode(
    @Arg('input', () => SetAuthorizationModeInput, { description: 'Input of the mutation.' })
    input: SetAuthorizationModeInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const outcome = await setAuthorizationMode(context.iam, context.call, { mode: input.mode });
    return answer(context, input, outcome, (account) => ({ account }));
  }

  @Permission({ action: 'bailiwick:settings:update', scope: 'ACCOUNT' })
  @Mutation(() => SetWorkspacesEnabledPayload, {
    nullable: true,
    description:
      'Switches workspaces on or off in the account. Whatever there was before lies in the default workspace; they are switched off only while there is no other. Needs `bailiwick:settings:update`.',
  })
  async setWorkspacesEnabled(
    @Arg('input', () => SetWorkspacesEnabledInput, { description: 'Input of the mutation.' })
    input: SetWorkspacesEnabledInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const outcome = await setWorkspacesEnabled(context.iam, context.call, { enabled: input.enabled });
    return answer(context, input, outcome, (account) => ({ account }));
  }

  @Permission({
    action: 'bailiwick:settings:update',
    resource: 'iam::{account}:user:{args.input.userId}',
    scope: 'ACCOUNT',
  })
  @Mutation(() => RestoreDefaultAccessPayload, {
    nullable: true,
    description:
      'Gives a user the LOOSE default back after an Allow naming `modelarts` had ended it; for administrators only. Needs `bailiwick:settings:update`.',
  })
  async restoreDefaultAccess(
    @Arg('input', () => RestoreDefaultAccessInput, { description: 'Input of the mutation.' })
    input: RestoreDefaultAccessInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const outcome = await restoreDefaultAccess(context.iam, context.call, { userId: decodeId('User', input.userId) });
    return answer(context, input, outcome, (user) => ({ user }));
  }
}
