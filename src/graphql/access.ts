/** Asking: may I, may they, would these policies allow it. Every answer comes from the policy engine and says why. */
import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  ObjectType,
  Query,
  registerEnumType,
  Resolver,
  Root,
} from 'type-graphql';
import {
  BadInput,
  checkAccess,
  decideForViewer,
  decisionReasons,
  longestBatch,
  simulateAccess,
  type AccessRequest,
  type AuthorizationMode,
  type Call,
  type DecidingStatement as DecidingStatementRecord,
  type Decision,
  type DecisionReason,
  type Grant as GrantRecord,
  type Id,
  type Instant,
  type PrincipalChoice,
  type ShownDecision,
  type StatementOrigin,
} from '../iam/index.js';
import { Actor, actorOf } from './actors.js';
import type { GraphContext } from './context.js';
import { OneOf, Permission } from './directives.js';
import { valueOf } from './errors.js';
import { Grant, GrantScope, shownScope, type ShownScope } from './grants.js';
import { decodeId, decodeOptionalId } from './node-ids.js';
import { PolicyEffects, type PolicyEffect } from './policy-documents.js';
import { receivedRequestOf, senderOf, SignedRequestInput } from './received-requests.js';
import { DateTime, JsonValue } from './scalars.js';
import { AuthorizationModes } from './settings.js';

export const DecisionEffects = { ALLOW: 'ALLOW', DENY: 'DENY' } as const satisfies {
  readonly [Effect in Decision['effect']]: Effect;
};

registerEnumType(DecisionEffects, {
  name: 'DecisionEffect',
  description: 'Effect of a decision.',
  valuesConfig: { ALLOW: { description: 'It is allowed.' }, DENY: { description: 'It is not allowed.' } },
});

/** The enum as type-graphql wants it: names that are their own values. */
export const DecisionReasons = Object.fromEntries(Object.keys(decisionReasons).map((reason) => [reason, reason])) as {
  readonly [Reason in DecisionReason]: Reason;
};

registerEnumType(DecisionReasons, {
  name: 'DecisionReason',
  description: 'Reason of a decision. New ones may be added.',
  valuesConfig: Object.fromEntries(
    Object.entries(decisionReasons).map(([reason, description]) => [
      reason,
      { description: description.replace(/^The /, '').replace(/^./, (first) => first.toUpperCase()) },
    ]),
  ),
});

const StatementOriginKinds = {
  BUILT_IN: 'BUILT_IN',
  GRANT: 'GRANT',
  INLINE: 'INLINE',
  SESSION: 'SESSION',
} as const satisfies {
  readonly [Kind in StatementOrigin['kind']]: Kind;
};

registerEnumType(StatementOriginKinds, {
  name: 'StatementOriginKind',
  description: 'Kind of the origin of a statement.',
  valuesConfig: {
    BUILT_IN: { description: 'Policy that everyone has without a grant.' },
    GRANT: { description: 'Policy that was granted.' },
    INLINE: { description: 'Policy that was given with the question.' },
    SESSION: { description: 'Policy that narrows a session of an agency.' },
  },
});

@ObjectType({ description: 'Statement that decided.', simpleResolvers: true })
export class DecidingStatement {
  @Field(() => String, { description: 'Name of the policy that the statement stands in.' })
  policy!: string;

  @Field(() => Int, { description: 'Number of the policy’s version that decided.' })
  policyVersion!: number;

  @Field(() => Int, { description: 'Place of the statement in the document, counted from 0.' })
  index!: number;

  @Field(() => String, { nullable: true, description: 'Name of the statement, `Sid` in the document.' })
  sid!: string | null;

  @Field(() => PolicyEffects, { description: 'Effect of the statement.' })
  effect!: PolicyEffect;

  @Field(() => String, { description: 'Origin of the statement in words: how it came to bind the principal.' })
  origin!: string;

  @Field(() => StatementOriginKinds, { description: 'Kind of the origin of the statement.' })
  originKind!: StatementOrigin['kind'];

  @Field(() => String, {
    nullable: true,
    description: 'Name of the group that brings the grant; null when it reaches the principal straight.',
  })
  group!: string | null;

  @Field(() => GrantScope, { nullable: true, description: 'Scope of the grant; null for other origins.' })
  scope!: ShownScope | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Timestamp of when the grant ends; null when it stands until it is revoked, and for other origins.',
  })
  expiresAt!: Instant | null;
}

@ObjectType({ description: 'Decision on one request.', simpleResolvers: true })
export class AccessDecision {
  @Field(() => DecisionEffects, { description: 'Effect of the decision.' })
  effect!: Decision['effect'];

  @Field(() => DecisionReasons, { description: 'Reason of the decision.' })
  reason!: DecisionReason;

  @Field(() => Actor, {
    nullable: true,
    description:
      'Actor that the decision is about; null when there is none, as for a credential that is no longer good, and for `simulateAccess`.',
  })
  actor!: Actor | null;

  @Field(() => String, { description: 'Action that was asked about.' })
  action!: string;

  @Field(() => String, { nullable: true, description: 'URN of the resource that was asked about.' })
  resource!: string | null;

  @Field(() => [DecidingStatement], {
    nullable: true,
    description: 'Statements that decided; null without `bailiwick:access:explain`.',
  })
  statements!: readonly DecidingStatement[] | null;

  @Field(() => [String], {
    description: 'Condition keys whose absence kept a statement, a Deny above all, from applying.',
  })
  missingContextKeys!: readonly string[];

  @Field(() => [String], {
    description:
      'Problems of policies that took part, for instance an unknown operator. They name policies: empty without `bailiwick:access:explain`.',
  })
  problems!: readonly string[];

  @Field(() => ID, { description: 'Identifier of the request in which it was decided, for the log.' })
  requestId!: string;
}

@ObjectType({ description: 'Answer to whether the viewer may do something here.', simpleResolvers: true })
export class AccessPermission {
  @Field(() => String, { description: 'Action that was asked about.' })
  action!: string;

  @Field(() => DecisionEffects, { description: 'Effect of the decision.' })
  effect!: Decision['effect'];

  @Field(() => DecisionReasons, { description: 'Reason of the decision.' })
  reason!: DecisionReason;
}

/** What the viewer may do in the scope of the call, for these actions or, for null, for all of the catalogue. */
export async function permissionsOf(
  call: Call,
  actions: readonly string[] | null,
): Promise<readonly AccessPermission[]> {
  const decisions = await decideForViewer(call, actions);
  return decisions.map(({ action, effect, reason }) => ({ action, effect, reason }));
}

@OneOf()
@InputType({ description: 'Credential to look at: exactly one of the members.' })
class CredentialInput {
  @Field(() => String, {
    nullable: true,
    description:
      'Token of the account; it carries the whole session: who, second factor and scope. One that was made for a service is good when that service shows it.',
  })
  token?: string | null;

  @Field(() => SignedRequestInput, {
    nullable: true,
    description:
      'Signed request that a service received; the service that it was made for may show it, and nobody else.',
  })
  signedRequest?: SignedRequestInput | null;
}

@OneOf()
@InputType({
  description:
    'Principal to ask about: exactly one of the members. By id there is no session, so what only a session knows counts as absent.',
})
export class PrincipalInput {
  @Field(() => ID, { nullable: true, description: 'Identifier of a user.' })
  user?: string | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of an agency.' })
  agency?: string | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of a service.' })
  service?: string | null;

  @Field(() => CredentialInput, { nullable: true, description: 'Credential that somebody showed.' })
  credential?: CredentialInput | null;
}

@InputType({ description: 'Value of a condition key of a request.' })
export class ContextEntryInput {
  @Field(() => String, {
    description:
      'Key, for instance `modelarts:poolType`. What the server knows itself cannot be given to `checkAccess`.',
  })
  key!: string;

  @Field(() => [String], { description: 'Values of the key.' })
  values!: string[];
}

@InputType({ description: 'Request to decide.' })
export class AccessRequestInput {
  @Field(() => PrincipalInput, {
    nullable: true,
    description:
      'Principal of the request; absent: the viewer. Others need `bailiwick:access:check`. Of no meaning to `simulateAccess`.',
  })
  principal?: PrincipalInput | null;

  @Field(() => String, { description: 'Action of the request.' })
  action!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'URN of the resource of the request: `service:region:account:type:id`, without wildcards. `simulateAccess` takes any form.',
  })
  resource?: string | null;

  @Field(() => ID, {
    nullable: true,
    description:
      'Identifier of the workspace of the request; absent: the scope of the viewer or of the credential. What is registered of the resource wins. Of no meaning to `simulateAccess`.',
  })
  workspaceId?: string | null;

  @Field(() => [ContextEntryInput], { nullable: true, description: 'Condition keys of the request.' })
  context?: ContextEntryInput[] | null;
}

@InputType({ description: 'Input of simulateAccess.' })
class SimulateAccessInput {
  @Field(() => [JsonValue], {
    description: 'Documents of the policies, each an object or a string that holds JSON text; of any version.',
  })
  policies!: unknown[];

  @Field(() => [AccessRequestInput], { description: `Requests to decide, 1 to ${longestBatch}.` })
  requests!: AccessRequestInput[];

  @Field(() => AuthorizationModes, {
    nullable: true,
    defaultValue: 'STRICT',
    description: 'Authorization mode to decide in.',
  })
  authorizationMode?: AuthorizationMode | null;
}

@Resolver()
export class AccessResolver {
  @Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
  @Query(() => [AccessDecision], {
    nullable: true,
    description:
      'Decisions on requests, in the order asked. Needs `bailiwick:session:use`; for anyone but the viewer `bailiwick:access:check`.',
  })
  async checkAccess(
    @Arg('requests', () => [AccessRequestInput], { description: `Requests to decide, 1 to ${longestBatch}.` })
    requests: AccessRequestInput[],
    @Arg('principal', () => PrincipalInput, {
      nullable: true,
      description: 'Principal of every request that names none; absent: the viewer.',
    })
    principal: PrincipalInput | null | undefined,
    @Ctx() context: GraphContext,
  ): Promise<readonly AccessDecision[]> {
    return decideRequests({ requests, principal }, context);
  }

  @Permission({ action: 'bailiwick:access:simulate', scope: 'ANY' })
  @Query(() => [AccessDecision], {
    nullable: true,
    description:
      'Decisions of the bare policy engine over policies given inline, in the order asked: no principal, no grants, no keys filled in; any action and resource. A document that cannot be read makes every answer a DENY for INVALID_POLICY. Needs `bailiwick:access:simulate`.',
  })
  async simulateAccess(
    @Arg('input', () => SimulateAccessInput, { description: 'Policies and requests.' }) input: SimulateAccessInput,
    @Ctx() { call }: GraphContext,
  ): Promise<readonly AccessDecision[]> {
    const { policies, authorizationMode } = input;
    const requests = input.requests.map(requestOf);
    const decisions = await simulateAccess({ policies, requests, authorizationMode: authorizationMode ?? 'STRICT' });
    return decisions.map((decision) => shownDecision(call, { ...decision, principal: null }));
  }
}

interface CheckAccessArguments {
  readonly requests: readonly AccessRequestInput[];
  readonly principal?: PrincipalInput | null | undefined;
}

/** `checkAccess`, of arguments as they were read: to make objects of their classes takes longer than to decide them. */
export async function decideRequests(
  { requests, principal }: CheckAccessArguments,
  context: GraphContext,
): Promise<readonly AccessDecision[]> {
  const { iam, call } = context;
  const usual = principal == null ? null : principalOf(principal);
  const asked = requests.map((sent) => {
    const request = requestOf(sent);
    return usual === null || request.principal !== null ? request : { ...request, principal: usual };
  });
  const outcome = await checkAccess(iam, iam.calls, call, asked);
  return valueOf(context, outcome).map((decision) => shownDecision(call, decision));
}

@Resolver(() => DecidingStatement)
export class DecidingStatementResolver {
  @Permission({ action: 'bailiwick:grants:list', scope: 'ANY' })
  @FieldResolver(() => Grant, {
    nullable: true,
    description:
      'Grant that brings the statement; null for other origins and when it is invisible. Needs `bailiwick:grants:list`.',
  })
  grant(@Root() { grantId }: ShownStatement, @Ctx() { loaders }: GraphContext): Promise<GrantRecord | null> | null {
    return grantId === null ? null : loaders.find('grant', grantId);
  }
}

type ShownStatement = DecidingStatement & { readonly grantId: Id | null };

export function shownDecision({ requestId, accountId }: Call, decision: ShownDecision): AccessDecision {
  return new OpenDecision(decision, accountId, requestId);
}

/** What is not selected is not put into words: of a batch most is asked about its effect alone. */
class OpenDecision implements AccessDecision {
  constructor(
    private readonly decision: ShownDecision,
    private readonly accountId: Id,
    readonly requestId: string,
  ) {}

  get effect(): Decision['effect'] {
    return this.decision.effect;
  }

  get reason(): DecisionReason {
    return this.decision.reason;
  }

  get action(): string {
    return this.decision.action;
  }

  get resource(): string | null {
    return this.decision.resource;
  }

  get missingContextKeys(): readonly string[] {
    return this.decision.missingContextKeys;
  }

  get problems(): readonly string[] {
    return this.decision.problems;
  }

  get actor(): Actor | null {
    const { principal } = this.decision;
    return principal === null ? null : actorOf(this.accountId, principal);
  }

  get statements(): readonly ShownStatement[] | null {
    return this.decision.statements?.map(shownStatement) ?? null;
  }
}

export function shownStatement({ origin, ...statement }: DecidingStatementRecord): ShownStatement {
  const { kind, policyVersion, grantId, group, expiresAt } = origin;
  return {
    ...statement,
    policyVersion,
    grantId,
    group,
    expiresAt,
    origin: describeOrigin(origin),
    originKind: kind,
    scope: kind === 'GRANT' ? shownScope(origin) : null,
  };
}

/** Which one it is says `scope`, to those only who may know. */
const scopeWords = {
  ALL: 'the account and every workspace',
  ACCOUNT: 'the account',
  ALL_WORKSPACES: 'every workspace',
  WORKSPACE: 'one workspace',
  ENTERPRISE_PROJECT: 'one enterprise project',
} as const satisfies Record<StatementOrigin['scopeKind'], string>;

function describeOrigin(origin: StatementOrigin): string {
  if (origin.kind === 'INLINE') return 'given inline';
  if (origin.kind === 'SESSION') return 'policy of the session, which narrows it';
  if (origin.kind === 'BUILT_IN') {
    return origin.authorizationMode ? 'built-in default of authorization mode LOOSE' : 'built-in policy of everyone';
  }
  const { scopeKind, group, expiresAt } = origin;
  const through = group === null ? 'granted straight' : `granted through group \`${group}\``;
  const until = expiresAt === null ? '' : ` until ${new Date(expiresAt).toISOString()}`;
  return `${through} in ${scopeWords[scopeKind]}${until}`;
}

export function requestOf({ principal, action, resource, workspaceId, context }: AccessRequestInput): AccessRequest {
  return {
    principal: principal == null ? null : principalOf(principal),
    action,
    resource: resource ?? null,
    workspaceId: decodeOptionalId('Workspace', workspaceId ?? null),
    context: context ?? [],
  };
}

export function principalOf({ user, agency, service, credential }: PrincipalInput): PrincipalChoice {
  if (user != null) return { kind: 'user', id: decodeId('User', user) };
  if (agency != null) return { kind: 'agency', id: decodeId('Agency', agency) };
  if (service != null) return { kind: 'service', id: decodeId('Service', service) };
  if (credential?.token != null) return { kind: 'token', token: credential.token };
  if (credential?.signedRequest != null) {
    const { signedRequest } = credential;
    return { kind: 'signedRequest', request: receivedRequestOf(signedRequest), sender: senderOf(signedRequest) };
  }
  throw new BadInput('a principal is exactly one of `user`, `agency`, `service` and `credential`');
}
