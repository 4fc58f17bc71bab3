/** Why a request is allowed or refused, what was near, and the shortest way to yes. */
import { Arg, Ctx, Field, Int, ObjectType, Query, registerEnumType, Resolver } from 'type-graphql';
import {
  explainAccess,
  unnamed,
  type AccessExplanation as AccessExplanationRecord,
  type ShownWay,
  type StatementOrigin,
} from '../iam/index.js';
import { describeChange, describeFailure, type Change, type FailedPart, type NearMiss } from '../policy/index.js';
import { AccessDecision, AccessRequestInput, requestOf, shownDecision } from './access.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { valueOf } from './errors.js';
import { PolicyEffects, type PolicyEffect } from './policy-documents.js';

const NearMissKinds = { EXPIRED: 'EXPIRED', OTHER_SCOPE: 'OTHER_SCOPE', STATEMENT: 'STATEMENT' } as const;

registerEnumType(NearMissKinds, {
  name: 'AccessNearMissKind',
  description: 'Why a statement did not apply.',
  valuesConfig: {
    EXPIRED: { description: 'Its grant has ended.' },
    OTHER_SCOPE: { description: 'Its grant does not reach this scope.' },
    STATEMENT: { description: 'The request does not fit it.' },
  },
});

const FailedParts = { ACTION: 'ACTION', CONDITION: 'CONDITION', RESOURCE: 'RESOURCE' } as const;

registerEnumType(FailedParts, {
  name: 'AccessFailedPart',
  description: 'Part of a statement that a request does not fit.',
  valuesConfig: {
    ACTION: { description: 'The action is not among those of the statement.' },
    CONDITION: { description: 'A condition does not hold.' },
    RESOURCE: { description: 'The resource is not among those of the statement.' },
  },
});

const WayKinds = {
  CONTEXT: 'CONTEXT',
  DEFAULT_ACCESS: 'DEFAULT_ACCESS',
  ENTRY: 'ENTRY',
  GRANT: 'GRANT',
  POLICY: 'POLICY',
  REACH: 'REACH',
  STATEMENT: 'STATEMENT',
} as const;

registerEnumType(WayKinds, {
  name: 'AccessWayKind',
  description: 'What has to change for a request to be allowed. New ones may be added.',
  valuesConfig: {
    CONTEXT: { description: 'Facts of the request: its address, its time, its second factor, tags.' },
    DEFAULT_ACCESS: { description: 'The default of authorization mode LOOSE, which has ended for the user.' },
    ENTRY: { description: 'Entry to the workspace, and the changes that are listed.' },
    GRANT: { description: 'One Allow more, of exactly what is asked for.' },
    POLICY: { description: 'One grant more, of a policy that exists.' },
    REACH: { description: 'One grant more here, of a policy whose grant has ended or does not reach this scope.' },
    STATEMENT: { description: 'Statements that there are.' },
  },
});

const ChangeKinds = { CONTEXT: 'CONTEXT', GRANT: 'GRANT', POLICY: 'POLICY', STATEMENT: 'STATEMENT' } as const;

registerEnumType(ChangeKinds, {
  name: 'AccessChangeKind',
  description: 'What one change of a way changes.',
  valuesConfig: {
    CONTEXT: { description: 'What the request says of a key.' },
    GRANT: { description: 'There is one Allow more.' },
    POLICY: { description: 'A policy that exists is granted.' },
    STATEMENT: { description: 'A statement is edited.' },
  },
});

@ObjectType({ description: 'Part of a statement that a request does not fit.', simpleResolvers: true })
class AccessFailure {
  @Field(() => FailedParts, { description: 'Part of the statement.' })
  part!: FailedPart['part'];

  @Field(() => String, { description: 'What does not fit, in one line.' })
  message!: string;

  @Field(() => String, { nullable: true, description: 'Operator of the condition; null for other parts.' })
  operator!: string | null;

  @Field(() => String, { nullable: true, description: 'Key of the condition; null for other parts.' })
  key!: string | null;

  @Field(() => [String], { description: 'Values, or patterns, that the statement lists.' })
  listed!: readonly string[];

  @Field(() => [String], { description: 'Values that the request gives; empty when it gives none.' })
  given!: readonly string[];

  @Field(() => [String], { description: 'Condition keys that it needs and the request lacks.' })
  missingContextKeys!: readonly string[];
}

@ObjectType({
  description: 'Statement that was about a request, or nearly so, and did not apply.',
  simpleResolvers: true,
})
class AccessNearMiss {
  @Field(() => NearMissKinds, { description: 'Why it did not apply.' })
  kind!: keyof typeof NearMissKinds;

  @Field(() => PolicyEffects, { description: 'Effect that the statement would have had.' })
  effect!: PolicyEffect;

  @Field(() => String, {
    nullable: true,
    description: 'Name of the policy that the statement stands in; null when it is not to be seen by the viewer here.',
  })
  policy!: string | null;

  @Field(() => Int, { description: 'Place of the statement in the document, counted from 0.' })
  index!: number;

  @Field(() => String, { nullable: true, description: 'Name of the statement, `Sid` in the document.' })
  sid!: string | null;

  @Field(() => String, { description: 'Why it did not apply, in one line.' })
  message!: string;

  @Field(() => [AccessFailure], { description: 'Every part that the request does not fit.' })
  failures!: readonly AccessFailure[];
}

@ObjectType({ description: 'One change that a way to yes asks for.', simpleResolvers: true })
class AccessChange {
  @Field(() => ChangeKinds, { description: 'What changes.' })
  kind!: Change<unknown>['kind'];

  @Field(() => String, { description: 'Change in one line.' })
  message!: string;

  @Field(() => String, { nullable: true, description: 'Condition key, where a fact or a condition changes.' })
  key!: string | null;

  @Field(() => [String], { nullable: true, description: 'Values of the key before; empty when it is absent.' })
  from!: readonly string[] | null;

  @Field(() => [String], { nullable: true, description: 'Values of the key after; empty when it is to be absent.' })
  to!: readonly string[] | null;

  @Field(() => String, {
    nullable: true,
    description: 'Name of the policy that is edited or granted; null for other changes, and when it is not to be seen.',
  })
  policy!: string | null;

  @Field(() => Int, { nullable: true, description: 'Place of the statement that is edited, counted from 0.' })
  index!: number | null;

  @Field(() => String, { nullable: true, description: 'Edit of the statement, for instance `DROP_CONDITION`.' })
  edit!: string | null;

  @Field(() => String, { nullable: true, description: 'Action, resource or value that is put on a list or taken off.' })
  value!: string | null;
}

@ObjectType({ description: 'Way to have a refused request allowed.', simpleResolvers: true })
class AccessWay {
  @Field(() => WayKinds, { description: 'What has to change.' })
  kind!: ShownWay['kind'];

  @Field(() => String, { description: 'Way in one line.' })
  message!: string;

  @Field(() => [AccessChange], { description: 'Every change; all of them are needed.' })
  changes!: readonly AccessChange[];
}

@ObjectType({
  description: 'Why a request is allowed or refused, what was near, and how it would be allowed.',
  simpleResolvers: true,
})
export class AccessExplanation {
  @Field(() => AccessDecision, { description: 'Decision, as `checkAccess` makes it.' })
  decision!: AccessDecision;

  @Field(() => [AccessNearMiss], {
    description:
      'Statements that were near, the nearest first. Of an allowed request the Denies among them are what would take it away.',
  })
  nearMisses!: readonly AccessNearMiss[];

  @Field(() => Int, { description: 'Number of further statements that were near.' })
  nearMissesLeftOut!: number;

  @Field(() => [AccessWay], {
    description: 'Ways to yes, the shortest first; each was tried. Empty when it is allowed, and when none was found.',
  })
  waysToYes!: readonly AccessWay[];

  @Field(() => String, {
    nullable: true,
    description: 'What to do first, where it is not the policies that refuse; null otherwise.',
  })
  advice!: string | null;
}

@Resolver()
export class AccessExplanationResolver {
  @Permission({ action: 'bailiwick:access:explain', scope: 'ANY' })
  @Query(() => AccessExplanation, {
    nullable: true,
    description:
      'Everything that decided a request, and what was near. Needs `bailiwick:access:explain`; for anyone but the viewer `bailiwick:access:check` as well. Names of policies that did not decide need `iam:roles:listRoles`, grants that do not count here `bailiwick:grants:list`.',
  })
  async explainAccess(
    @Arg('request', () => AccessRequestInput, { description: 'Request to explain.' }) request: AccessRequestInput,
    @Ctx() context: GraphContext,
  ): Promise<AccessExplanation> {
    const { iam, call } = context;
    const told = valueOf(context, await explainAccess(iam, iam.calls, call, requestOf(request)));
    return {
      decision: shownDecision(call, told.decision),
      nearMisses: [...told.uncountedGrants.map(shownGrant), ...told.nearMisses.map(shownMiss)],
      nearMissesLeftOut: told.nearMissesLeftOut,
      waysToYes: told.ways.map(shownWay),
      advice: told.advice,
    };
  }
}

function shownGrant(grant: AccessExplanationRecord['uncountedGrants'][number]): AccessNearMiss {
  const { policy, index, sid, reason, origin } = grant;
  const message =
    reason === 'EXPIRED'
      ? `granted, but the grant ended at ${new Date(origin.expiresAt ?? 0).toISOString()}`
      : 'granted, but in another scope';
  return { kind: reason, effect: 'ALLOW', policy: named(policy), index, sid, message, failures: [] };
}

function shownMiss({ source, statement, failed }: NearMiss<StatementOrigin>): AccessNearMiss {
  return {
    kind: 'STATEMENT',
    effect: statement.effect,
    policy: named(source.name),
    index: statement.index,
    sid: statement.sid,
    message: failed.map(describeFailure).join('; '),
    failures: failed.map(shownFailure),
  };
}

function shownFailure(failed: FailedPart): AccessFailure {
  const message = describeFailure(failed);
  if (failed.part === 'CONDITION') {
    const { condition, given, missing } = failed;
    const { operator, key, values } = condition;
    return { part: failed.part, message, operator, key, listed: values, given, missingContextKeys: missing };
  }
  return {
    part: failed.part,
    message,
    operator: null,
    key: null,
    listed: failed.listed,
    given: failed.asked === null ? [] : [failed.asked],
    missingContextKeys: failed.part === 'RESOURCE' ? failed.missing : [],
  };
}

function shownWay(way: ShownWay): AccessWay {
  const { kind } = way;
  const changes = way.changes.map(shownChange);
  const steps = [...firstStep(way), ...changes.map(({ message }) => message)];
  return { kind, message: steps.join(', and '), changes };
}

function firstStep(way: ShownWay): readonly string[] {
  if (way.kind === 'REACH') return [`grant the policy \`${way.policy}\` ${way.expired ? 'again' : 'in this scope'}`];
  if (way.kind === 'DEFAULT_ACCESS') return ['restore the default of mode LOOSE to the user'];
  if (way.kind !== 'ENTRY') return [];
  return way.by === 'LIST'
    ? ['let the user enter the workspace: put them on its list']
    : ['let the principal enter the workspace: grant it something there'];
}

function shownChange(change: Change<StatementOrigin>): AccessChange {
  const none = { key: null, from: null, to: null, policy: null, index: null, edit: null, value: null };
  const shown = { ...none, kind: change.kind, message: describeChange(change) };
  switch (change.kind) {
    case 'CONTEXT':
      return { ...shown, key: change.key, from: change.from, to: change.to };
    case 'STATEMENT': {
      const { source, statement, edit, value, condition } = change;
      return { ...shown, key: condition?.key ?? null, policy: named(source.name), index: statement.index, edit, value };
    }
    case 'GRANT':
      return { ...shown, value: change.statement.actions[0] ?? null };
    case 'POLICY':
      return { ...shown, policy: change.source.name };
  }
}

function named(policy: string): string | null {
  return policy === unnamed ? null : policy;
}
