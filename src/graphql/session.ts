/** The caller: signing in and out, the scope one acts in, and what one may do there. */
import {
  Arg,
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
} from 'type-graphql';
import {
  revokeSessions,
  signIn,
  signOut,
  switchScope,
  type Account as AccountRecord,
  type Call,
  type Instant,
  type Issued,
  type User as UserRecord,
  type Workspace as WorkspaceRecord,
} from '../iam/index.js';
import { AccessPermission, permissionsOf } from './access.js';
import { Actor, actorOf } from './actors.js';
import type { GraphContext } from './context.js';
import { Permission, Public } from './directives.js';
import { answer, brokenCredential, type PayloadFrame } from './errors.js';
import { MutationInput, scopeChoice, ScopeInput } from './inputs.js';
import { decodeOptionalId } from './node-ids.js';
import { MutationPayload } from './payloads.js';
import { DateTime } from './scalars.js';
import { Account } from './settings.js';
import { User } from './users.js';
import { Workspace } from './workspaces.js';

const ScopeKinds = { ACCOUNT: 'ACCOUNT', WORKSPACE: 'WORKSPACE' } as const;

registerEnumType(ScopeKinds, {
  name: 'RequestScopeKind',
  description: 'Kind of scope that a credential acts in.',
  valuesConfig: {
    ACCOUNT: { description: 'The account: its directory, not the resources of its workspaces.' },
    WORKSPACE: { description: 'Exactly one workspace and what belongs to it.' },
  },
});

@ObjectType({ description: 'Scope that a credential acts in.', simpleResolvers: true })
export class RequestScope {
  @Field(() => ScopeKinds, { description: 'Kind of the scope.' })
  kind!: keyof typeof ScopeKinds;

  @Field(() => Workspace, {
    nullable: true,
    description: 'Workspace of the scope; null in account scope, or when the caller may not read it.',
  })
  workspace!: WorkspaceRecord | null;
}

@Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
@ObjectType({
  description: 'Caller: who a credential acts as, where, and what that allows. Needs `bailiwick:session:use`.',
  simpleResolvers: true,
})
export class Viewer {
  @Field(() => Actor, { description: 'Actor that the credential stands for.' })
  actor!: Actor;

  @Field(() => Account, { nullable: true, description: 'Account of the actor.' })
  account!: AccountRecord | null;

  @Field(() => RequestScope, { description: 'Scope that the credential acts in.' })
  scope!: RequestScope;

  @Field(() => User, {
    nullable: true,
    description: 'User who signed in; null for services and agencies, or when the caller may not read users.',
  })
  user!: UserRecord | null;

  @Field(() => Workspace, {
    nullable: true,
    description: 'Workspace that the credential acts in; null in account scope, or when the caller may not read it.',
  })
  workspace!: WorkspaceRecord | null;
}

function viewerOf({ principal, account, user, workspace, scope }: Call): Viewer {
  return {
    actor: actorOf(scope.accountId, principal),
    account,
    scope: { kind: scope.workspaceId === null ? 'ACCOUNT' : 'WORKSPACE', workspace },
    user,
    workspace,
  };
}

@InputType({ description: 'Input of signIn.' })
class SignInInput extends MutationInput {
  @Field(() => String, { description: 'Name of the account.' })
  account!: string;

  @Field(() => String, { description: 'Name of the user, letter case disregarded.' })
  userName!: string;

  @Field(() => String, { description: 'Password of the user.' })
  password!: string;

  @Field(() => ScopeInput, {
    nullable: true,
    description: 'Scope to act in; the default workspace, `"0"`, unless given.',
  })
  scope?: ScopeInput | null;

  @Field(() => String, {
    nullable: true,
    description: 'One-time password that the second factor shows now, for users who have one; each is good once.',
  })
  totp?: string | null;
}

@ObjectType({ description: 'Payload of signIn.', simpleResolvers: true })
class SignInPayload extends MutationPayload {
  @Field(() => String, { nullable: true, description: 'Token for the header `Authorization: Bearer …`; shown once.' })
  token?: string | null;

  @Field(() => DateTime, { nullable: true, description: 'Timestamp of when the token and its session end.' })
  expiresAt?: Instant | null;

  @Field(() => Viewer, { nullable: true, description: 'Caller as whom the token acts.' })
  viewer?: Viewer | null;
}

@InputType({ description: 'Input of switchScope.' })
class SwitchScopeInput extends MutationInput {
  @Field(() => ScopeInput, { description: 'Scope that the new token acts in.' })
  scope!: ScopeInput;

  @Field(() => ID, {
    nullable: true,
    description:
      'Identifier or name of a service: the token lasts 15 minutes at most and is good for nothing but that this service shows it to `checkAccess`. Absent: a token of the caller’s own.',
  })
  audience?: string | null;
}

@ObjectType({ description: 'Payload of switchScope.', simpleResolvers: true })
class SwitchScopePayload extends MutationPayload {
  @Field(() => String, { nullable: true, description: 'Token of the same session for the new scope; shown once.' })
  token?: string | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Timestamp of when the token ends: with its session, sooner when a service is to show it.',
  })
  expiresAt?: Instant | null;

  @Field(() => Viewer, { nullable: true, description: 'Caller as whom the new token acts.' })
  viewer?: Viewer | null;
}

@InputType({ description: 'Input of signOut.' })
class SignOutInput extends MutationInput {}

@ObjectType({ description: 'Payload of signOut.', simpleResolvers: true })
class SignOutPayload extends MutationPayload {
  @Field(() => DateTime, { nullable: true, description: 'Timestamp of when the session ended.' })
  endedAt?: Instant | null;
}

@InputType({ description: 'Input of revokeSessions.' })
class RevokeSessionsInput extends MutationInput {
  @Field(() => ID, { nullable: true, description: 'Identifier of the user; the caller unless given.' })
  userId?: string | null;
}

@ObjectType({ description: 'Payload of revokeSessions.', simpleResolvers: true })
class RevokeSessionsPayload extends MutationPayload {
  @Field(() => User, { nullable: true, description: 'User whose sessions were ended.' })
  user?: UserRecord | null;

  @Field(() => Int, { nullable: true, description: 'Number of sessions that were ended.' })
  endedSessionCount?: number | null;
}

@Resolver(() => Viewer)
export class SessionResolver {
  @Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
  @Query(() => Viewer, {
    nullable: true,
    description: 'Caller: who the credential acts as and where. Needs `bailiwick:session:use`.',
  })
  viewer(@Ctx() { call }: GraphContext): Viewer {
    return viewerOf(call);
  }

  @Public('Who signs in has no credential yet.')
  @Mutation(() => SignInPayload, {
    nullable: true,
    description:
      'Begins a session by password, and by second factor for users who have one, and answers its first token. Needs no permission.',
  })
  async signIn(
    @Arg('input', () => SignInInput, { description: 'Input of the mutation.' }) input: SignInInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { account, userName, password, totp } = input;
    const wanted = { account, userName, password, totp, scope: scopeChoice(input.scope) };
    const outcome = await signIn(context.iam, context.iam.calls, context.call, wanted);
    if (outcome.kind === 'succeeded') {
      context.signIn = 'DONE';
      context.chargeTo?.(outcome.value.call);
    }
    return answer(context, input, outcome, (issued) => shownToken(context, issued));
  }

  @Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
  @Mutation(() => SwitchScopePayload, {
    nullable: true,
    description:
      'Answers a token of the same session for another scope, or one to hand to a service. The old token stays good, but subscriptions of the scope that is left end. Needs `bailiwick:session:use`.',
  })
  async switchScope(
    @Arg('input', () => SwitchScopeInput, { description: 'Input of the mutation.' }) input: SwitchScopeInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const choice = scopeChoice(input.scope);
    if (choice === null) throw new Error('a required input is missing');
    const audience = decodeOptionalId('Service', input.audience);
    const outcome = await switchScope(context.iam, context.iam.calls, context.call, choice, audience);
    return answer(context, input, outcome, (issued) => shownToken(context, issued));
  }

  @Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
  @Mutation(() => SignOutPayload, {
    nullable: true,
    description: 'Ends the caller’s session with all its tokens. Needs `bailiwick:session:use`.',
  })
  async signOut(
    @Arg('input', () => SignOutInput, { nullable: true, description: 'Input of the mutation.' })
    input: SignOutInput | null,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const outcome = await signOut(context.iam, context.call);
    return answer(context, input ?? {}, outcome, ({ endedAt }) => ({ endedAt }));
  }

  @Permission({ anyOf: ['bailiwick:session:use', 'bailiwick:sessions:revoke'], scope: 'ANY' })
  @Mutation(() => RevokeSessionsPayload, {
    nullable: true,
    description:
      'Ends every session of a user. One’s own need `bailiwick:session:use`, another’s `bailiwick:sessions:revoke`.',
  })
  async revokeSessions(
    @Arg('input', () => RevokeSessionsInput, { nullable: true, description: 'Input of the mutation.' })
    input: RevokeSessionsInput | null,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const userId = decodeOptionalId('User', input?.userId);
    const outcome = await revokeSessions(context.iam, context.call, { userId });
    return answer(context, input ?? {}, outcome, ({ user, count }) => ({ user, endedSessionCount: count }));
  }

  @FieldResolver(() => [AccessPermission], {
    description:
      'Answers to whether the caller may do these actions in the scope of the credential, in the order asked.',
  })
  permissions(
    @Arg('actions', () => [String], {
      nullable: true,
      description: 'Actions asked about; every action of the catalogue unless given.',
    })
    actions: readonly string[] | null | undefined,
    @Ctx() { call }: GraphContext,
  ): Promise<readonly AccessPermission[]> {
    return permissionsOf(call, actions ?? null);
  }
}

/** What is left of the payload is answered to the session that was just made or switched. */
export function shownToken(context: GraphContext, { token, expiresAt, call }: Issued) {
  // The session can have ended while the token was made.
  if (call.broken !== null) throw brokenCredential(call);
  context.actAs(call);
  return { token, expiresAt, viewer: viewerOf(call) };
}
