/** Whether a service may act for a user in a workspace, and whether its agency holds what that takes: asked beforehand. */
import { Arg, Ctx, Field, ID, InputType, ObjectType, Query, registerEnumType, Resolver } from 'type-graphql';
import {
  authorizationReadiness,
  readinessProblems,
  type Agency as AgencyRecord,
  type AuthorizationReadiness as Answer,
  type FunctionReadiness as FunctionAnswer,
  type ReadinessProblem as Problem,
  type ReadinessProblemCode,
} from '../iam/index.js';
import { Agency } from './agencies.js';
import { Authorization, shownAuthorization, type ShownAuthorization } from './authorizations.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { valueOf } from './errors.js';
import { decodeOptionalId } from './node-ids.js';

/** The enum as type-graphql wants it: names that are their own values. */
const ReadinessProblemCodes = Object.fromEntries(Object.keys(readinessProblems).map((code) => [code, code])) as {
  readonly [Code in ReadinessProblemCode]: Code;
};

registerEnumType(ReadinessProblemCodes, {
  name: 'ReadinessProblemCode',
  description: 'Reason why a service is not ready to act for a user. New ones may be added.',
  valuesConfig: Object.fromEntries(
    Object.entries(readinessProblems).map(([code, description]) => [
      code,
      { description: description.replace(/^The /, '').replace(/^./, (first) => first.toUpperCase()) },
    ]),
  ),
});

@ObjectType({ description: 'Problem that keeps a service from acting for a user.', simpleResolvers: true })
class ReadinessProblem implements Problem {
  @Field(() => ReadinessProblemCodes, { description: 'Code of the problem.' })
  code!: ReadinessProblemCode;

  @Field(() => String, { description: 'Message of the problem; says what to do next.' })
  message!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'Code of the problem in the vendors’ documents, for instance `ModelArts.0429`; null when they have none.',
  })
  reference!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Identifier of the function that the problem is about; null when it is about all.',
  })
  function!: string | null;
}

@ObjectType({ description: 'Readiness of one function of the platform.', simpleResolvers: true })
class FunctionReadiness implements FunctionAnswer {
  @Field(() => String, { description: 'Identifier of the function, as `authorizationFunctions` has it.' })
  function!: string;

  @Field(() => Boolean, { description: 'Indicates that the agency lacks nothing for the function.' })
  ready!: boolean;

  @Field(() => [String], { description: 'Names of the actions that the agency lacks for the function.' })
  missingAgencyActions!: readonly string[];

  @Field(() => [String], {
    description: 'Names of the actions that the agency may do to some resources or under some circumstances only.',
  })
  limitedAgencyActions!: readonly string[];

  @Field(() => [String], {
    description: 'Names of the actions that the user lacks for the function; what runs later does not depend on them.',
  })
  missingUserActions!: readonly string[];
}

@ObjectType({ description: 'Readiness of a service to act for a user in a workspace.', simpleResolvers: true })
export class AuthorizationReadiness {
  @Field(() => String, { description: 'Name of the service.' })
  service!: string;

  @Field(() => Boolean, { description: 'Indicates that there is no problem.' })
  ready!: boolean;

  @Field(() => Agency, {
    nullable: true,
    description:
      'Agency that the service would act through; null when there is none, or when it is invisible here or may not be read.',
  })
  agency!: AgencyRecord | null;

  @Field(() => Authorization, {
    nullable: true,
    description:
      'Authorization by which the agency was found; null when there is none, or when it is invisible here or may not be read.',
  })
  authorization!: ShownAuthorization | null;

  @Field(() => Boolean, {
    description: 'Indicates that the agency was found by an authorization for all users, the user having none.',
  })
  allUsers!: boolean;

  @Field(() => [ReadinessProblem], {
    description: 'Problems that keep the service from acting; empty when it is ready.',
  })
  problems!: readonly ReadinessProblem[];

  @Field(() => [FunctionReadiness], { description: 'Readiness of each function that was asked about.' })
  functions!: readonly FunctionReadiness[];

  @Field(() => [String], { description: 'Names of the actions, of those in `actions`, that the agency lacks.' })
  missingActions!: readonly string[];

  @Field(() => [String], {
    description:
      'Names of the actions, of those in `actions`, that the agency may do only at times or to some resources.',
  })
  limitedActions!: readonly string[];
}

@InputType({ description: 'Question whether a service may act for a user in the workspace.' })
class AuthorizationReadinessInput {
  @Field(() => String, {
    nullable: true,
    defaultValue: 'modelarts',
    description: 'Name of the service that would act.',
  })
  service?: string | null;

  @Field(() => ID, {
    nullable: true,
    description: 'Identifier of the user; absent: the viewer. Others need `bailiwick:access:check`.',
  })
  userId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of the only agency to look at; absent: any.' })
  agencyId?: string | null;

  @Field(() => [String], {
    nullable: true,
    description:
      'Identifiers of the functions to ask about; absent: those of the preset COMMON_USER, or none when `actions` are given.',
  })
  functions?: string[] | null;

  @Field(() => [String], {
    nullable: true,
    description: 'Names of further actions that the agency needs, for instance `obs:object:GetObject`.',
  })
  actions?: string[] | null;
}

@Resolver()
export class AuthorizationReadinessResolver {
  @Permission({ action: 'bailiwick:session:use', scope: 'WORKSPACE' })
  @Query(() => AuthorizationReadiness, {
    nullable: true,
    description:
      'Whether a service may act for a user in this workspace and what its agency lacks, before anything runs. Needs `bailiwick:session:use`; for anyone but the viewer `bailiwick:access:check`.',
  })
  async authorizationReadiness(
    @Arg('input', () => AuthorizationReadinessInput, { description: 'Question to answer.' })
    input: AuthorizationReadinessInput,
    @Ctx() context: GraphContext,
  ): Promise<AuthorizationReadiness> {
    const { iam, call } = context;
    const outcome = await authorizationReadiness(iam, iam.calls, call, {
      service: input.service ?? 'modelarts',
      userId: decodeOptionalId('User', input.userId ?? null),
      agencyId: decodeOptionalId('Agency', input.agencyId ?? null),
      functions: input.functions ?? null,
      actions: input.actions ?? [],
    });
    return shownReadiness(valueOf(context, outcome));
  }
}

function shownReadiness({ authorization, ...answer }: Answer): AuthorizationReadiness {
  return { ...answer, authorization: authorization === null ? null : shownAuthorization(authorization) };
}
