/** Functions of the platform: what their users and their agencies need, and drafts of policies for agencies. */
import { Arg, Field, ID, ObjectType, Query, registerEnumType, Resolver } from 'type-graphql';
import {
  authorizationFunctions,
  draftAgencyPolicies,
  type AuthorizationFunction as FunctionRecord,
  type AuthorizationPreset,
  type DraftedAgencyPolicy as DraftedPolicy,
} from '../catalogue/index.js';
import { BadInput, usualScope, type GrantScopeKind, type PolicyLevel } from '../iam/index.js';
import { Permission } from './directives.js';
import { GrantScopeKinds } from './grant-inputs.js';
import { PolicyLevels } from './policies.js';
import { PolicyProblem } from './policy-documents.js';
import { JsonValue } from './scalars.js';

export const AuthorizationPresets = { COMMON_USER: 'COMMON_USER', CUSTOM: 'CUSTOM' } as const satisfies {
  readonly [Preset in AuthorizationPreset]: Preset;
};

registerEnumType(AuthorizationPresets, {
  name: 'AuthorizationPreset',
  description: 'Preset of the functions that an agency is made for.',
  valuesConfig: {
    COMMON_USER: { description: 'Functions that an ordinary user needs.' },
    CUSTOM: { description: 'Functions that are picked one by one.' },
  },
});

@ObjectType({
  description: 'Function of the platform, with what its user needs and what its service needs to act for the user.',
  simpleResolvers: true,
})
export class AuthorizationFunction implements FunctionRecord {
  @Field(() => ID, { description: 'Identifier of the function, for instance `training`.' })
  id!: string;

  @Field(() => String, { description: 'Label of the function for people.' })
  label!: string;

  @Field(() => String, { description: 'Description of the function.' })
  description!: string;

  @Field(() => [String], { description: 'Names of the resource kinds that the function is made of.' })
  resourceKinds!: readonly string[];

  @Field(() => [String], {
    description: 'Names of the actions that a user of the function needs, those that they depend on among them.',
  })
  userActions!: readonly string[];

  @Field(() => [String], {
    description:
      'Names of the actions that an agency needs so that the service can act for the user; empty when it does not.',
  })
  agencyActions!: readonly string[];

  @Field(() => Boolean, { description: 'Indicates that the function belongs to the preset COMMON_USER.' })
  commonUser!: boolean;
}

@ObjectType({ description: 'Policy for an agency, ready to be created and granted.', simpleResolvers: true })
export class DraftedAgencyPolicy {
  @Field(() => PolicyLevels, { description: 'Level of the services that the policy names.' })
  level!: PolicyLevel;

  @Field(() => GrantScopeKinds, {
    description: 'Kind of the scope to grant the policy in, so that the functions work in every workspace.',
  })
  scopeKind!: GrantScopeKind;

  @Field(() => JsonValue, { description: 'Document of the policy.' })
  document!: unknown;

  @Field(() => String, { description: 'Document of the policy as text.' })
  text!: string;
}

@ObjectType({
  description: 'Draft of what an agency is granted so that functions work; nothing is stored.',
  simpleResolvers: true,
})
export class AgencyPolicyDraft {
  @Field(() => [AuthorizationFunction], { description: 'Functions that the draft is made for.' })
  functions!: readonly AuthorizationFunction[];

  @Field(() => [DraftedAgencyPolicy], {
    description:
      'Policies of the draft, one for account-level services and one for the others; empty when the functions need nothing.',
  })
  policies!: readonly DraftedAgencyPolicy[];

  @Field(() => [PolicyProblem], {
    description: 'Problems of the choice; their pointers are into the arguments, for instance `/functions/0`.',
  })
  problems!: readonly PolicyProblem[];
}

/** Functions that one draft is made from: far more than there are. */
const longestChoice = 100;

@Resolver()
export class AuthorizationFunctionResolver {
  @Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
  @Query(() => [AuthorizationFunction], {
    nullable: true,
    description:
      'Functions of the platform, to choose what an agency is granted; see `draftAgencyPolicies`. Needs `bailiwick:session:use`.',
  })
  authorizationFunctions(): readonly AuthorizationFunction[] {
    return authorizationFunctions;
  }

  @Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
  @Query(() => AgencyPolicyDraft, {
    nullable: true,
    description:
      'Draft of what an agency is granted so that functions work, and nothing beyond; `grantAgencyFunctions` grants the same. Needs `bailiwick:session:use`.',
  })
  draftAgencyPolicies(
    @Arg('preset', () => AuthorizationPresets, { description: 'Preset of the functions.' }) preset: AuthorizationPreset,
    @Arg('functions', () => [String], {
      nullable: true,
      description: 'Identifiers of the functions, with the preset CUSTOM alone.',
    })
    functions: string[] | null,
  ): AgencyPolicyDraft {
    const { policies, ...draft } = draftAgencyPolicies({ preset, functions: chosen(functions) });
    return { ...draft, policies: policies.map(shownDraft) };
  }
}

/** The functions that an input names. */
export function chosen(functions: readonly string[] | null | undefined): readonly string[] {
  if (functions != null && functions.length > longestChoice) {
    throw new BadInput(`${functions.length} functions were named; at most ${longestChoice} are taken`);
  }
  return functions ?? [];
}

function shownDraft(policy: DraftedPolicy): DraftedAgencyPolicy {
  return { ...policy, scopeKind: usualScope(policy.level) };
}
