/** Why somebody cannot connect to a notebook, or that nothing is in the way. */
import { Arg, Ctx, Field, ID, InputType, ObjectType, Query, registerEnumType, Resolver } from 'type-graphql';
import {
  explainRemoteAccess,
  remoteAccessChecks,
  type RemoteAccessCheckName,
  type RemoteAccessCheck as RemoteAccessCheckRecord,
  type RemoteAccessExplanation as RemoteAccessExplanationRecord,
} from '../iam/index.js';
import { AccessDecision, shownDecision } from './access.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { valueOf } from './errors.js';
import { decodeId, decodeOptionalId } from './node-ids.js';

const CheckNames = Object.fromEntries(Object.keys(remoteAccessChecks).map((name) => [name, name])) as {
  readonly [Name in RemoteAccessCheckName]: Name;
};

registerEnumType(CheckNames, {
  name: 'RemoteAccessCheckName',
  description: 'Thing that stands between a person and a notebook. New ones may be added.',
  valuesConfig: Object.fromEntries(
    Object.entries(remoteAccessChecks).map(([name, description]) => [name, { description }]),
  ),
});

const CheckStatuses = { FAILED: 'FAILED', OK: 'OK', UNKNOWN: 'UNKNOWN' } as const;

registerEnumType(CheckStatuses, {
  name: 'RemoteAccessCheckStatus',
  description: 'How a check came out.',
  valuesConfig: {
    FAILED: { description: 'It is in the way.' },
    OK: { description: 'It is not in the way.' },
    UNKNOWN: { description: 'What it needs to know was not said.' },
  },
});

@ObjectType({ description: 'One thing that stands between a person and a notebook.', simpleResolvers: true })
export class RemoteAccessCheck {
  @Field(() => CheckNames, { description: 'What was looked at.' })
  name!: RemoteAccessCheckName;

  @Field(() => CheckStatuses, { description: 'How it came out.' })
  status!: RemoteAccessCheckRecord['status'];

  @Field(() => String, { description: 'What was found, in one line.' })
  message!: string;

  @Field(() => String, { nullable: true, description: 'What to do next; null where there is nothing to do.' })
  advice!: string | null;
}

@ObjectType({ description: 'Why somebody cannot connect to a notebook, or that they can.', simpleResolvers: true })
export class RemoteAccessExplanation {
  @Field(() => Boolean, { description: 'Indicates that nothing is in the way of a connection now.' })
  allowed!: boolean;

  @Field(() => [RemoteAccessCheck], { description: 'Everything that was looked at, in the order to mend it.' })
  checks!: readonly RemoteAccessCheckRecord[];

  @Field(() => AccessDecision, {
    description: 'Decision on `modelarts:notebook:access`, as it is made when somebody connects.',
  })
  decision!: AccessDecision;
}

@InputType({ description: 'Input of explainRemoteAccess: a connection, as far as it is known.' })
class ExplainRemoteAccessInput {
  @Field(() => ID, { description: 'Identifier of the notebook, a resource.' })
  resourceId!: string;

  @Field(() => ID, { nullable: true, description: 'Identifier of the user who connects; the viewer unless given.' })
  userId?: string | null;

  @Field(() => ID, {
    nullable: true,
    description:
      'Identifier of the key pair that is offered; any of the user’s when neither it nor a fingerprint is given.',
  })
  keyPairId?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Fingerprint of the key that is offered, `SHA256:…`, as `ssh -v` shows it.',
  })
  fingerprint?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Address that the connection comes from; unless given, that of this request for the viewer, and unknown for others.',
  })
  sourceAddress?: string | null;
}

@Resolver()
export class RemoteAccessExplanationResolver {
  @Permission({ action: 'bailiwick:session:use', scope: 'WORKSPACE' })
  @Query(() => RemoteAccessExplanation, {
    nullable: true,
    description:
      'Why somebody cannot connect to a notebook of the workspace by SSH; null for a notebook that the caller does not know of. Needs `bailiwick:session:use`; for anyone but the viewer `bailiwick:access:explain`.',
  })
  async explainRemoteAccess(
    @Arg('input', () => ExplainRemoteAccessInput, { description: 'Connection to explain.' })
    input: ExplainRemoteAccessInput,
    @Ctx() context: GraphContext,
  ): Promise<RemoteAccessExplanation | null> {
    const { iam, call } = context;
    const outcome = await explainRemoteAccess(iam, iam.calls, call, {
      resourceId: decodeId('Resource', input.resourceId),
      userId: decodeOptionalId('User', input.userId),
      keyPairId: decodeOptionalId('KeyPair', input.keyPairId),
      fingerprint: input.fingerprint ?? null,
      sourceAddress: input.sourceAddress ?? null,
    });
    const found = valueOf(context, outcome);
    return found === null ? null : shownExplanation(context, found);
  }
}

function shownExplanation(
  { call }: GraphContext,
  { decision, ...others }: RemoteAccessExplanationRecord,
): RemoteAccessExplanation {
  return { ...others, decision: shownDecision(call, decision) };
}
