/** What one policy allows that another does not, and the other way round, with a request as proof of each. */
import { Arg, Ctx, Field, ID, InputType, Int, ObjectType, Query, registerEnumType, Resolver } from 'type-graphql';
import {
  describeChangedRequest,
  describePolicyChange,
  type ChangedRequest as ChangedRequestRecord,
} from '../catalogue/index.js';
import { BadInput, comparePolicyChange, type ComparedPolicy, type DecisionReason } from '../iam/index.js';
import type { ComparisonVerdict, Evaluation, Problem, Statement } from '../policy/index.js';
import { DecisionEffects, DecisionReasons } from './access.js';
import type { GraphContext } from './context.js';
import { OneOf, Permission } from './directives.js';
import { valueOf } from './errors.js';
import { decodeId } from './node-ids.js';
import { PolicyProblem, PolicyStatement } from './policy-documents.js';
import { JsonValue } from './scalars.js';

const ComparisonVerdicts = {
  EQUIVALENT: 'EQUIVALENT',
  NARROWER: 'NARROWER',
  WIDER: 'WIDER',
  INCOMPARABLE: 'INCOMPARABLE',
  UNKNOWN: 'UNKNOWN',
} as const satisfies { readonly [One in ComparisonVerdict]: One };

registerEnumType(ComparisonVerdicts, {
  name: 'PolicyComparisonVerdict',
  description:
    'What a policy allows, compared with another one. New ones may be added; treat an unknown one as UNKNOWN.',
  valuesConfig: {
    EQUIVALENT: { description: 'It allows the same requests.' },
    NARROWER: { description: 'It allows nothing that the other does not, and some things less.' },
    WIDER: { description: 'It allows all that the other does, and more.' },
    INCOMPARABLE: { description: 'Each allows something that the other does not.' },
    UNKNOWN: { description: 'Not decided within the work that a comparison may take; treat it as WIDER.' },
  },
});

@ObjectType({ description: 'Condition key of a request, with its values.', simpleResolvers: true })
class ContextEntry {
  @Field(() => String, { description: 'Key, for instance `modelarts:poolType`.' })
  key!: string;

  @Field(() => [String], { description: 'Values of the key.' })
  values!: readonly string[];
}

@ObjectType({ description: 'Decision of one of two policies that are compared.', simpleResolvers: true })
class ComparedDecision {
  @Field(() => DecisionEffects, { description: 'Effect of the decision.' })
  effect!: Evaluation<unknown>['effect'];

  @Field(() => DecisionReasons, { description: 'Reason of the decision.' })
  reason!: DecisionReason;

  @Field(() => [PolicyStatement], {
    description: 'Statements of the policy that decided; empty when nothing allows the request.',
  })
  statements!: readonly Statement[];
}

@ObjectType({ description: 'Request that two policies decide differently.', simpleResolvers: true })
class ChangedRequest {
  @Field(() => String, { description: 'Action of the request.' })
  action!: string;

  @Field(() => String, {
    nullable: true,
    description: 'URN of the resource of the request; null when it is about none in particular.',
  })
  resource!: string | null;

  @Field(() => [ContextEntry], { description: 'Condition keys of the request; all others are absent.' })
  context!: readonly ContextEntry[];

  @Field(() => String, { description: 'Request in one line.' })
  message!: string;

  @Field(() => ComparedDecision, { description: 'Decision of the policy `before`, by itself.' })
  before!: ComparedDecision;

  @Field(() => ComparedDecision, { description: 'Decision of the policy `after`, by itself.' })
  after!: ComparedDecision;
}

@ObjectType({ description: 'Comparison of two policies: what `after` allows beside `before`.', simpleResolvers: true })
class PolicyComparison {
  @Field(() => ComparisonVerdicts, {
    nullable: true,
    description: 'Verdict on the policies by themselves; null when one of them cannot be read.',
  })
  verdict!: ComparisonVerdict | null;

  @Field(() => ComparisonVerdicts, {
    nullable: true,
    description:
      'Verdict on the policies as one of several that somebody holds, whatever the others are: a Deny that goes makes it wider, since another policy may allow what it kept back. Null when one of them cannot be read.',
  })
  verdictBesideOthers!: ComparisonVerdict | null;

  @Field(() => String, { description: 'Both verdicts in one line.' })
  message!: string;

  @Field(() => ChangedRequest, {
    nullable: true,
    description: 'Request that only `after` allows; null when none was found.',
  })
  gained!: ChangedRequest | null;

  @Field(() => ChangedRequest, {
    nullable: true,
    description: 'Request that only `before` allows; null when none was found.',
  })
  lost!: ChangedRequest | null;

  @Field(() => ChangedRequest, {
    nullable: true,
    description: 'Request that only `before` denies whatever else allows it; null when none was found.',
  })
  lifted!: ChangedRequest | null;

  @Field(() => ChangedRequest, {
    nullable: true,
    description: 'Request that only `after` denies whatever else allows it; null when none was found.',
  })
  imposed!: ChangedRequest | null;

  @Field(() => [PolicyProblem], {
    description: 'Problems of the document `before`, as they would keep it from being saved, and warnings.',
  })
  beforeProblems!: readonly Problem[];

  @Field(() => [PolicyProblem], {
    description: 'Problems of the document `after`, as they would keep it from being saved, and warnings.',
  })
  afterProblems!: readonly Problem[];
}

@InputType({ description: 'Stored policy to compare.' })
class ComparedVersionInput {
  @Field(() => ID, { description: 'Identifier of the policy.' })
  id!: string;

  @Field(() => Int, { nullable: true, description: 'Number of the version; absent: the one in use.' })
  version?: number | null;
}

@OneOf()
@InputType({ description: 'Policy to compare: exactly one of the members.' })
class ComparedPolicyInput {
  @Field(() => JsonValue, {
    nullable: true,
    description: 'Document of a policy: an object, or a string that holds JSON text.',
  })
  document?: unknown;

  @Field(() => ComparedVersionInput, {
    nullable: true,
    description: 'Policy that is stored. Needs `iam:roles:getRole` or `iam:roles:listRoles` on it.',
  })
  policy?: ComparedVersionInput | null;
}

@Resolver()
export class PolicyComparisonResolver {
  @Permission({ action: 'bailiwick:access:simulate', scope: 'ANY' })
  @Query(() => PolicyComparison, {
    nullable: true,
    description:
      'What one policy allows that another does not, and the other way round, about every action, resource and condition key, with a request as proof of each. The bare engine: no principal, no grants, no scopes. Needs `bailiwick:access:simulate`.',
  })
  async comparePolicies(
    @Arg('before', () => ComparedPolicyInput, { description: 'Policy to compare with.' }) before: ComparedPolicyInput,
    @Arg('after', () => ComparedPolicyInput, { description: 'Policy to compare.' }) after: ComparedPolicyInput,
    @Ctx() context: GraphContext,
  ): Promise<PolicyComparison> {
    const outcome = await comparePolicyChange(context.call, comparedOf(before), comparedOf(after));
    const { change, beforeProblems, afterProblems } = valueOf(context, outcome);
    if (change === null) {
      const message = 'one of the two cannot be read; its problems say why';
      const none = { verdict: null, verdictBesideOthers: null, gained: null, lost: null, lifted: null, imposed: null };
      return { ...none, message, beforeProblems, afterProblems };
    }
    const { verdict, verdictBesideOthers, gained, lost, lifted, imposed } = change;
    return {
      verdict,
      verdictBesideOthers,
      message: describePolicyChange(change),
      gained: shownRequest(gained),
      lost: shownRequest(lost),
      lifted: shownRequest(lifted),
      imposed: shownRequest(imposed),
      beforeProblems,
      afterProblems,
    };
  }
}

function comparedOf({ document, policy }: ComparedPolicyInput): ComparedPolicy {
  if (policy != null) {
    return { kind: 'STORED', policyId: decodeId('Policy', policy.id), version: policy.version ?? null };
  }
  if (document == null) throw new BadInput('a policy to compare is exactly one of `document` and `policy`');
  return { kind: 'DOCUMENT', document };
}

function shownRequest(request: ChangedRequestRecord<unknown> | null): ChangedRequest | null {
  if (request === null) return null;
  const { action, resource, context, before, after } = request;
  return {
    action,
    resource,
    context: context.map(([key, values]) => ({ key, values })),
    message: describeChangedRequest(request),
    before: shownEvaluation(before),
    after: shownEvaluation(after),
  };
}

function shownEvaluation({ effect, reason, statements }: Evaluation<unknown>): ComparedDecision {
  return { effect, reason, statements: statements.map(({ statement }) => statement) };
}
