/** What would have been decided at a moment that has passed, from the audit trail. */
import { Arg, Ctx, Field, Int, ObjectType, Query, registerEnumType, Resolver } from 'type-graphql';
import { longestRecall, recallAccess, unknownPastReasons, type Instant, type UnknownPastReason } from '../iam/index.js';
import { AccessDecision, AccessRequestInput, PrincipalInput, principalOf, requestOf, shownDecision } from './access.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { valueOf } from './errors.js';
import { DateTime } from './scalars.js';

const UnknownPastReasons = Object.fromEntries(Object.keys(unknownPastReasons).map((reason) => [reason, reason])) as {
  readonly [Reason in UnknownPastReason]: Reason;
};

registerEnumType(UnknownPastReasons, {
  name: 'UnknownPastReason',
  description: 'Why it cannot be known what was decided. New ones may be added.',
  valuesConfig: Object.fromEntries(
    Object.entries(unknownPastReasons).map(([reason, description]) => [
      reason,
      { description: description.replace(/^The /, '').replace(/^./, (first) => first.toUpperCase()) },
    ]),
  ),
});

@ObjectType({
  description: 'Decision as it was, or why it cannot be known: exactly one of the two.',
  simpleResolvers: true,
})
class RecalledDecision {
  @Field(() => AccessDecision, {
    nullable: true,
    description: 'Decision that `checkAccess` made of it then; null when that cannot be known.',
  })
  decision!: AccessDecision | null;

  @Field(() => UnknownPastReasons, { nullable: true, description: 'Why it cannot be known; null when it is.' })
  unknown!: UnknownPastReason | null;
}

@ObjectType({ description: 'Decisions as they were at a moment that has passed.', simpleResolvers: true })
class AccessRecall {
  @Field(() => DateTime, {
    description:
      'Timestamp by which conditions and ends of grants were decided: the one asked for, or that of the revision.',
  })
  asOf!: Instant;

  @Field(() => Int, { description: 'Revision of the account that was decided by.' })
  revision!: number;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Timestamp of when the audit trail of the account begins; nothing before it can be known.',
  })
  knownSince!: Instant | null;

  @Field(() => [RecalledDecision], { description: 'Decisions, in the order asked.' })
  decisions!: readonly RecalledDecision[];
}

@Resolver()
export class AccessRecallResolver {
  @Permission({ action: 'bailiwick:audit:list', scope: 'ACCOUNT' })
  @Query(() => AccessRecall, {
    nullable: true,
    description:
      'Decisions that `checkAccess` would have made at a moment that has passed, from the audit trail; what the trail does not say is told to be unknown. Principals are asked about by id, so what only a session knows counts as absent. Needs `bailiwick:audit:list`, in the workspaces that are asked about as well; for anyone but the viewer `bailiwick:access:check`.',
  })
  async recallAccess(
    @Arg('requests', () => [AccessRequestInput], { description: `Requests to decide, 1 to ${longestRecall}.` })
    requests: AccessRequestInput[],
    @Arg('principal', () => PrincipalInput, {
      nullable: true,
      description: 'Principal of every request that names none, which cannot be a credential; absent: the viewer.',
    })
    principal: PrincipalInput | null | undefined,
    @Arg('asOf', () => DateTime, {
      nullable: true,
      description: 'Timestamp to decide as of; absent: that of `asOfRevision`. One of the two is needed.',
    })
    asOf: Instant | null | undefined,
    @Arg('asOfRevision', () => Int, {
      nullable: true,
      description: 'Revision of the account to decide as of; absent: the one in force at `asOf`.',
    })
    asOfRevision: number | null | undefined,
    @Ctx() context: GraphContext,
  ): Promise<AccessRecall> {
    const { iam, call } = context;
    const usual = principal == null ? null : principalOf(principal);
    const asked = requests.map(requestOf).map((request) => ({ ...request, principal: request.principal ?? usual }));
    const moment = { at: asOf ?? null, revision: asOfRevision ?? null };
    const { at, ...recall } = valueOf(context, await recallAccess(iam, iam.calls, call, asked, moment));
    return {
      ...recall,
      asOf: at,
      decisions: recall.decisions.map(({ decision, unknown }) => ({
        decision: decision === null ? null : shownDecision(call, decision),
        unknown,
      })),
    };
  }
}
