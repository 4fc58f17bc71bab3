/** Granting an agency what functions of the platform need, in one step. */
import { Arg, Ctx, Field, ID, InputType, Mutation, ObjectType, Resolver } from 'type-graphql';
import type { AuthorizationPreset } from '../catalogue/index.js';
import {
  grantAgencyFunctions,
  type Agency as AgencyRecord,
  type Grant as GrantRecord,
  type Policy as PolicyRecord,
} from '../iam/index.js';
import { Agency } from './agencies.js';
import { AuthorizationPresets, chosen } from './authorization-functions.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { Grant } from './grants.js';
import { CreationInput } from './inputs.js';
import { decodeId, decodeOptionalId } from './node-ids.js';
import { CreationPayload } from './payloads.js';
import { Policy } from './policies.js';

@InputType({ description: 'Input of grantAgencyFunctions.' })
class GrantAgencyFunctionsInput extends CreationInput {
  @Field(() => ID, { description: 'Identifier of the agency.' })
  agencyId!: string;

  @Field(() => AuthorizationPresets, { description: 'Preset of the functions.' })
  preset!: AuthorizationPreset;

  @Field(() => [String], {
    nullable: true,
    description: 'Identifiers of the functions, with the preset CUSTOM alone; see `authorizationFunctions`.',
  })
  functions?: string[] | null;

  @Field(() => ID, {
    nullable: true,
    description:
      'Identifier of the only workspace where the functions shall work; absent: every workspace, present and future.',
  })
  workspaceId?: string | null;
}

@ObjectType({ description: 'Payload of grantAgencyFunctions.', simpleResolvers: true })
class GrantAgencyFunctionsPayload extends CreationPayload {
  @Field(() => Agency, { nullable: true, description: 'Agency that was granted what the functions need.' })
  agency?: AgencyRecord | null;

  @Field(() => [Policy], {
    nullable: 'itemsAndList',
    description:
      'Policies that give it, one for account-level services and one for the others, as far as needed; null items may not be read.',
  })
  policies?: readonly PolicyRecord[] | null;

  @Field(() => [Grant], {
    nullable: 'itemsAndList',
    description: 'Grants of the policies to the agency; null items may not be read.',
  })
  grants?: readonly GrantRecord[] | null;

  @Field(() => [String], {
    nullable: true,
    description:
      'Warnings to the giver: what of the policies can have no effect in the scope. None when the mutation is repeated.',
  })
  warnings?: readonly string[] | null;
}

@Resolver()
export class AgencyFunctionResolver {
  // What each level and scope asks for exactly, the use-case asks; making and changing policies too.
  @Permission({
    action: 'iam:permissions:grantRoleToAgencyOnProject',
    resource: 'iam::{account}:agency:{args.input.agencyId}',
    scope: 'ACCOUNT',
  })
  @Mutation(() => GrantAgencyFunctionsPayload, {
    nullable: true,
    description:
      'Grants an agency what functions need and nothing beyond, by policies made for it alone; other functions are added to those of before. Needs `iam:permissions:grantRoleToAgencyOnProject` and, for every workspace, `iam:permissions:grantRoleToAgencyOnDomain` on the agency; `iam:roles:createRole` where a policy is made, `iam:roles:updateRole` where one changes; and that one holds what is given.',
  })
  async grantAgencyFunctions(
    @Arg('input', () => GrantAgencyFunctionsInput, { description: 'Input of the mutation.' })
    input: GrantAgencyFunctionsInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { preset, functions, workspaceId, idempotencyKey } = input;
    const outcome = await grantAgencyFunctions(context.iam, context.call, {
      agencyId: decodeId('Agency', input.agencyId),
      preset,
      functions: chosen(functions),
      workspaceId: decodeOptionalId('Workspace', workspaceId ?? null),
      idempotencyKey: idempotencyKey ?? null,
    });
    return answer(context, input, outcome, (change) => change);
  }
}
