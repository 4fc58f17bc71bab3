/** Who signed a request that a service received. */
import 'reflect-metadata';
import { Arg, Ctx, Field, ID, InputType, Mutation, ObjectType, Resolver } from 'type-graphql';
import { authenticateRequest, BadInput, longestBatch } from '../iam/index.js';
import { AccessDecision, AccessRequestInput, requestOf, shownDecision } from './access.js';
import { Actor, actorOf } from './actors.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { MutationInput } from './inputs.js';
import { encodeNodeId } from './node-ids.js';
import { MutationPayload } from './payloads.js';
import { receivedRequestOf, senderOf, SignedRequestInput } from './received-requests.js';

@InputType({ description: 'Input of authenticateRequest.' })
class AuthenticateRequestInput extends MutationInput {
  @Field(() => SignedRequestInput, { description: 'Request that the service received.' })
  request!: SignedRequestInput;

  @Field(() => Boolean, {
    defaultValue: false,
    description: 'Indicates that the request is refused if it was accepted before; for requests that change something.',
  })
  once!: boolean;

  @Field(() => [AccessRequestInput], {
    nullable: true,
    description: `Questions about the signer, decided in the same round, at most ${longestBatch}; without \`principal\`. Needs \`bailiwick:access:check\`.`,
  })
  requests?: readonly AccessRequestInput[] | null;
}

@ObjectType({ description: 'Payload of authenticateRequest.', simpleResolvers: true })
class AuthenticateRequestPayload extends MutationPayload {
  @Field(() => Actor, { nullable: true, description: 'Whom the request acts as.' })
  actor?: Actor | null;

  @Field(() => ID, {
    nullable: true,
    description: 'Identifier of the workspace that the request acts in; null for the account.',
  })
  workspaceId?: string | null;

  @Field(() => [AccessDecision], {
    nullable: true,
    description: 'Decisions on the questions about the signer, in the order asked.',
  })
  decisions?: readonly AccessDecision[] | null;
}

@Resolver()
export class RequestAuthenticationResolver {
  @Permission({ action: 'bailiwick:requests:authenticate', scope: 'ANY' })
  @Mutation(() => AuthenticateRequestPayload, {
    nullable: true,
    description:
      'Tells a service who signed a request that it received, which must sign a `Host` of the service. For services only. Needs `bailiwick:requests:authenticate`.',
  })
  async authenticateRequest(
    @Arg('input', () => AuthenticateRequestInput, { description: 'Input of the mutation.' })
    input: AuthenticateRequestInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const requests = (input.requests ?? []).map(requestOf);
    if (requests.some(({ principal }) => principal !== null)) {
      throw new BadInput('the questions are about the signer; leave `principal` out');
    }
    const { iam, call } = context;
    const wanted = {
      request: receivedRequestOf(input.request),
      sender: senderOf(input.request),
      once: input.once,
      requests,
    };
    const outcome = await authenticateRequest(iam, iam.calls, call, wanted);
    return answer(context, input, outcome, ({ actor, workspaceId, decisions }) => ({
      actor: actorOf(call.accountId, actor),
      workspaceId: workspaceId === null ? null : encodeNodeId('Workspace', workspaceId),
      decisions: decisions.map((decision) => shownDecision(call, decision)),
    }));
  }
}
