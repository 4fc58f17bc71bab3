/** Sessions that are open: listed to their owner and to those who may, refreshed, ended one by one. */
import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Mutation,
  ObjectType,
  Resolver,
  Root,
} from 'type-graphql';
import {
  endSession,
  maySeeSession,
  refreshToken,
  type Call,
  type Id,
  type Instant,
  type Session as SessionRecord,
  type User as UserRecord,
} from '../iam/index.js';
import { connection, connectionOf, PageArguments, windowOf, type ConnectionOf } from './connections.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { MutationInput } from './inputs.js';
import { decodeId } from './node-ids.js';
import { Node } from './node-interface.js';
import { MutationPayload } from './payloads.js';
import { DateTime } from './scalars.js';
import { shownToken, Viewer } from './session.js';
import { User } from './users.js';

@Permission({ anyOf: ['bailiwick:session:use', 'bailiwick:sessions:list'], scope: 'ANY' })
@ObjectType({
  description:
    'Session that began with a sign-in. One’s own need `bailiwick:session:use`, those of others `bailiwick:sessions:list`.',
  implements: Node,
  simpleResolvers: true,
})
export class Session extends Node {
  @Field(() => DateTime, { description: 'Timestamp of when the user signed in.' })
  startedAt!: Instant;

  // Nullable only because every other `expiresAt` is: a query over several types could not ask for it otherwise.
  @Field(() => DateTime, { nullable: true, description: 'Timestamp of when the session ends unless it is refreshed.' })
  expiresAt!: Instant;

  @Field(() => DateTime, { nullable: true, description: 'Timestamp of when the session was ended; null: it was not.' })
  endedAt!: Instant | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Timestamp of when the user showed a second factor; null: the session is one without.',
  })
  secondFactorAt!: Instant | null;

  @Field(() => String, { nullable: true, description: 'Address that the sign-in came from; null when unknown.' })
  sourceAddress!: string | null;

  @Field(() => Boolean, { description: 'Indicates the session of the credential that asks.' })
  current!: boolean;
}

type ShownSession = Session & { readonly userId: Id };

function shownSession({ session }: Call, record: SessionRecord): ShownSession {
  const { id, userId, startedAt, expiresAt, endedAt, mfaAt, sourceAddress } = record;
  return {
    id,
    userId,
    startedAt,
    expiresAt,
    endedAt,
    secondFactorAt: mfaAt,
    sourceAddress: sourceAddress === '' ? null : sourceAddress,
    current: id === session?.id,
  };
}

/** For `node`: the type's permission says that some sessions may be read, not which. */
export async function findVisibleSession({ call, loaders }: GraphContext, id: Id): Promise<ShownSession | null> {
  const session = await loaders.find('session', id);
  return session !== null && maySeeSession(call, session) ? shownSession(call, session) : null;
}

export const SessionConnection = connectionOf('Session', () => Session, { item: 'session', items: 'sessions' });

@InputType({ description: 'Input of refreshToken.' })
class RefreshTokenInput extends MutationInput {}

@ObjectType({ description: 'Payload of refreshToken.', simpleResolvers: true })
class RefreshTokenPayload extends MutationPayload {
  @Field(() => String, { nullable: true, description: 'Token of the same session in the same scope; shown once.' })
  token?: string | null;

  @Field(() => DateTime, { nullable: true, description: 'Timestamp of when the token and its session end.' })
  expiresAt?: Instant | null;

  @Field(() => Viewer, { nullable: true, description: 'Caller as whom the token acts.' })
  viewer?: Viewer | null;
}

@InputType({ description: 'Input of endSession.' })
class EndSessionInput extends MutationInput {
  @Field(() => ID, { description: 'Identifier of the session.' })
  id!: string;
}

@ObjectType({ description: 'Payload of endSession.', simpleResolvers: true })
class EndSessionPayload extends MutationPayload {
  @Field(() => Session, { nullable: true, description: 'Session that has ended.' })
  session?: ShownSession | null;
}

@Resolver(() => Session)
export class OpenSessionResolver {
  @Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
  @Mutation(() => RefreshTokenPayload, {
    nullable: true,
    description:
      'Prolongs the caller’s session, up to 30 days after sign-in, and answers a token of it in the same scope. Needs `bailiwick:session:use`.',
  })
  async refreshToken(
    @Arg('input', () => RefreshTokenInput, { nullable: true, description: 'Input of the mutation.' })
    input: RefreshTokenInput | null,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const outcome = await refreshToken(context.iam, context.iam.calls, context.call);
    return answer(context, input ?? {}, outcome, (issued) => shownToken(context, issued));
  }

  @Permission({ anyOf: ['bailiwick:session:use', 'bailiwick:sessions:revoke'], scope: 'ANY' })
  @Mutation(() => EndSessionPayload, {
    nullable: true,
    description:
      'Ends one session with all its tokens. One’s own need `bailiwick:session:use`, another’s `bailiwick:sessions:revoke`.',
  })
  async endSession(
    @Arg('input', () => EndSessionInput, { description: 'Input of the mutation.' }) input: EndSessionInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { call } = context;
    const outcome = await endSession(context.iam, call, { id: decodeId('Session', input.id) });
    return answer(context, input, outcome, (session) => ({ session: shownSession(call, session) }));
  }

  @FieldResolver(() => User, {
    nullable: true,
    description: 'User whose session it is; null when the caller may not read users.',
  })
  user(@Root() { userId }: ShownSession, @Ctx() { loaders }: GraphContext): Promise<UserRecord | null> {
    return loaders.find('user', userId);
  }
}

@Resolver(() => Viewer)
export class ViewerSessionsResolver {
  @Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
  @FieldResolver(() => SessionConnection, {
    nullable: true,
    description: 'Open sessions of the caller, the newest first. Needs `bailiwick:session:use`.',
  })
  sessions(
    @Args(() => PageArguments) args: PageArguments,
    @Ctx() context: GraphContext,
  ): Promise<ConnectionOf<ShownSession>> {
    return sessionsOf(context, context.call.principal.id, args);
  }
}

@Resolver(() => User)
export class UserSessionsResolver {
  @Permission({ action: 'bailiwick:sessions:list', resource: 'iam::{account}:user:{source.id}', scope: 'ANY' })
  @FieldResolver(() => SessionConnection, {
    nullable: true,
    description: 'Open sessions of the user, the newest first. Needs `bailiwick:sessions:list`.',
  })
  sessions(
    @Root() { id }: UserRecord,
    @Args(() => PageArguments) args: PageArguments,
    @Ctx() context: GraphContext,
  ): Promise<ConnectionOf<ShownSession>> {
    return sessionsOf(context, id, args);
  }
}

async function sessionsOf(
  { call, loaders, cursors }: GraphContext,
  userId: Id,
  args: PageArguments,
): Promise<ConnectionOf<ShownSession>> {
  const window = windowOf(cursors.of('User.sessions', userId), args, { by: 'STARTED_AT', direction: 'DESC' });
  const page = await loaders.pageOf('user.sessions', userId, window);
  const rows = page.rows.map(({ record, position }) => ({ record: shownSession(call, record), position }));
  return connection({ ...page, rows }, window, () => loaders.countOf('user.sessions', userId));
}
