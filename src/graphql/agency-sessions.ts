/** Assuming an agency: a temporary credential that acts with the agency's rights. */
import 'reflect-metadata';
import { Arg, Ctx, Field, ID, InputType, Int, Mutation, ObjectType, Resolver } from 'type-graphql';
import { assumeAgency, sessionSeconds, type Instant } from '../iam/index.js';
import { Actor, actorOf } from './actors.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { CreationInput } from './inputs.js';
import { decodeId, decodeOptionalId } from './node-ids.js';
import { CreationPayload } from './payloads.js';
import { DateTime, JsonValue } from './scalars.js';

@InputType({ description: 'Input of assumeAgency.' })
class AssumeAgencyInput extends CreationInput {
  @Field(() => ID, { description: 'Identifier of the agency.' })
  agencyId!: string;

  @Field(() => ID, {
    nullable: true,
    description:
      'Identifier of the resource that the session is for, which the service registered here and with which the session ends. Asked of services; absent for an agency that trusts an account.',
  })
  resourceId?: string | null;

  @Field(() => ID, {
    nullable: true,
    description:
      'Identifier of the user on whose behalf the service acts, who is the owner of the resource; the owner unless given.',
  })
  onBehalfOf?: string | null;

  @Field(() => Int, {
    nullable: true,
    defaultValue: sessionSeconds.usual,
    description: `Seconds until the credential ends, ${sessionSeconds.least} to ${sessionSeconds.most}; sooner where the agency does.`,
  })
  durationSeconds?: number | null;

  @Field(() => JsonValue, {
    nullable: true,
    description:
      'Policy of version 1.1 that narrows the session, an object or a string that holds JSON text: what it does not allow, the session may not. It gives nothing.',
  })
  sessionPolicy?: unknown;

  @Field(() => String, {
    nullable: true,
    description: 'Name of the session for the audit trail, 2 to 64 characters; the name of who assumes unless given.',
  })
  sessionName?: string | null;

  @Field(() => String, { nullable: true, description: 'External id that was agreed, where the agency asks for one.' })
  externalId?: string | null;
}

@ObjectType({
  description:
    'Credential that acts as a session of an agency. Requests are signed with the key and send the token as `X-Security-Token`, signed with them.',
  simpleResolvers: true,
})
export class TemporaryCredential {
  @Field(() => String, { description: 'Identifier of the key (AK).' })
  accessKeyId!: string;

  @Field(() => String, { description: 'Secret of the key (SK); shown once and stored nowhere.' })
  secretAccessKey!: string;

  @Field(() => String, { description: 'Token that goes with every request; shown once and stored nowhere.' })
  securityToken!: string;

  @Field(() => DateTime, { description: 'Timestamp of when the credential ends by itself.' })
  expiresAt!: Instant;
}

@ObjectType({ description: 'Payload of assumeAgency.', simpleResolvers: true })
class AssumeAgencyPayload extends CreationPayload {
  @Field(() => TemporaryCredential, {
    nullable: true,
    description: 'Credential of the session; null for a repeat, since it is shown once.',
  })
  temporaryCredential?: TemporaryCredential | null;

  @Field(() => Actor, { nullable: true, description: 'Actor that requests signed with the credential act as.' })
  actor?: Actor | null;
}

@Resolver()
export class AgencySessionResolver {
  // Of an agency of another account the account is told apart in the use-case; here the id is what one may be given.
  @Permission({
    action: 'iam:agencies:assume',
    resource: 'iam::{account}:agency:{args.input.agencyId}',
    scope: 'WORKSPACE',
  })
  @Mutation(() => AssumeAgencyPayload, {
    nullable: true,
    description:
      'Answers a temporary credential that acts with what the agency was granted, in the workspace of the resource that it is for. It ends with the agency, its trust, the authorization, the user, the resource and the key that signed for it, from the next request on. Needs `iam:agencies:assume` on the agency, and that the agency trusts the caller.',
  })
  async assumeAgency(
    @Arg('input', () => AssumeAgencyInput, { description: 'Input of the mutation.' }) input: AssumeAgencyInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { durationSeconds, sessionPolicy, sessionName, externalId, idempotencyKey } = input;
    const wanted = {
      agencyId: decodeId('Agency', input.agencyId),
      resourceId: decodeOptionalId('Resource', input.resourceId),
      onBehalfOf: decodeOptionalId('User', input.onBehalfOf),
      durationSeconds,
      sessionPolicy,
      sessionName,
      externalId,
      idempotencyKey,
    };
    const outcome = await assumeAgency(context.iam, context.call, wanted);
    return answer(context, input, outcome, ({ actor, session, temporaryCredential }) => ({
      temporaryCredential,
      actor: actorOf(session.accountId, actor),
    }));
  }
}
