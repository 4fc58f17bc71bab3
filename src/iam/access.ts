/** Asking: may I, may they (rules 16 to 18). Every answer comes from the authorizer and says why to those who may know. */
import { modelArtsDefaultPolicy, namesService, type Catalogue, type ConditionKey } from '../catalogue/index.js';
import {
  buildContext,
  evaluate,
  parsePolicy,
  requestValueReads,
  typeNames,
  type OperatorValueType,
  type PolicyDocument,
  type PolicySource,
} from '../policy/index.js';
import {
  decide,
  decideBy,
  type Decision,
  type DecisionReason,
  type Environment,
  type Principal,
  type Question,
  type Rights,
  type ScopeFacts,
  type StatementOrigin,
} from './authorizer.js';
import { Breath } from './breath.js';
import type { Call } from './call.js';
import type { Calls } from './calls.js';
import type { House } from './house.js';
import { BadInput, refuse, succeed, type Outcome } from './outcome.js';
import type { Account, AuthorizationMode, Id, Resource, User } from './records.js';
import { hostFault } from './received-host.js';
import { readUrn } from './resource-urns.js';
import type { ReceivedRequest } from '../signatures/index.js';

/** Most policies in one `simulateAccess`: each is read and asked for every request. */
export const mostPolicies = 100;

/** Most requests in one `checkAccess` or `simulateAccess`. */
export const longestBatch = 1000;

export type PrincipalChoice =
  | { readonly kind: 'user' | 'agency' | 'service'; readonly id: Id }
  | { readonly kind: 'token'; readonly token: string }
  /** As a service received it, which alone may show it. */
  | { readonly kind: 'signedRequest'; readonly request: ReceivedRequest; readonly sender: string | null }
  /** Whoever signed it, found out already. */
  | { readonly kind: 'signer'; readonly call: Call };

export interface AccessRequest {
  /** Null: the viewer. */
  readonly principal: PrincipalChoice | null;
  readonly action: string;
  readonly resource: string | null;
  readonly workspaceId: Id | null;
  readonly context: readonly { readonly key: string; readonly values: readonly string[] }[];
}

/**
 * A decision as the asker may see it. Without `bailiwick:access:explain` it keeps its statements to itself, and with them
 * the problems, which name policies.
 */
export type ShownDecision = Omit<Decision, 'statements'> & {
  readonly statements: Decision['statements'] | null;
  /** Whom it is about; null when there is nobody. */
  readonly principal: Principal | null;
};

/** Decides many requests in one pass; answers in the order asked. */
export async function checkAccess(
  house: House,
  calls: Calls,
  call: Call,
  requests: readonly AccessRequest[],
): Promise<Outcome<readonly ShownDecision[]>> {
  const refused = checkPosable(call, requests);
  if (refused !== null) return refuse(refused);
  const urns = requests.flatMap(({ resource }) => (resource === null ? [] : [resource]));
  const registered =
    urns.length === 0
      ? new Map<string, Resource>()
      : await house.store.access.resourcesByUrn(call.accountId, [...new Set(urns)]);
  const explained = call.may('bailiwick:access:explain');
  const asked = new Askers(house, calls, call);
  const decisions: ShownDecision[] = [];
  const breath = new Breath();
  for (const request of requests) {
    await breath.pause();
    const decided = await decideRequest(call, asked, request, registered.get(request.resource ?? '') ?? null);
    decisions.push(explained ? decided : { ...decided, statements: null, problems: [] });
  }
  return succeed(decisions);
}

async function decideRequest(
  call: Call,
  askers: Askers,
  request: AccessRequest,
  registered: Resource | null,
): Promise<Decision & Pick<ShownDecision, 'principal'>> {
  const posed = await poseRequest(call, askers, request, registered);
  if (posed.decision !== null) return { ...posed.decision, principal: posed.principal };
  const { asker, facts, environment, question } = posed;
  const decision = decide(call.catalogue, asker.rights, facts, environment, question);
  call.observer.decided(decision.reason);
  return { ...decision, principal: asker.rights.principal };
}

/** A request made into the question that the authorizer decides, or the decision that needed none. */
export type Posed =
  | { readonly decision: Decision; readonly principal: Principal | null }
  | {
      readonly decision: null;
      readonly asker: Asker;
      readonly facts: ScopeFacts;
      readonly environment: Environment;
      readonly question: Question;
      readonly registered: Resource | null;
    };

/** The question of one request, by the same rules as those of `checkAccess`. */
export async function poseOne(house: House, calls: Calls, call: Call, request: AccessRequest): Promise<Outcome<Posed>> {
  const checked = checkPosable(call, [request]);
  if (checked !== null) return refuse(checked);
  const { resource } = request;
  const rows = resource === null ? null : await house.store.access.resourcesByUrn(call.accountId, [resource]);
  const registered = rows?.get(resource ?? '') ?? null;
  const askers = new Askers(house, calls, call);
  const posed = await poseRequest(call, askers, request, registered);
  if (registered === null || posed.decision?.reason !== 'NO_MATCHING_ALLOW') return succeed(posed);
  // Registered where it may not be asked about. That is not to be told by what was near either: a refusal reads as if the
  // URN were not registered at all.
  const unregistered = await poseRequest(call, askers, request, null);
  if (unregistered.decision !== null) return succeed(posed);
  const { asker, facts, environment, question } = unregistered;
  const { reason } = decide(call.catalogue, asker.rights, facts, environment, question);
  return succeed(reason === 'NO_MATCHING_ALLOW' ? unregistered : posed);
}

/** Throws for what cannot be asked; answers the refusal of asking about others, null where nothing is refused. */
function checkPosable(call: Call, requests: readonly AccessRequest[]): Decision | null {
  checkRequests(requests);
  checkResources(requests);
  if (requests.some(({ principal }) => principal !== null && !isViewer(call, principal))) {
    const decision = call.decide({ action: 'bailiwick:access:check', resource: null });
    if (decision.effect !== 'ALLOW') return decision;
  }
  for (const { context } of requests) for (const { key, values } of context) checkContext(call, key, values);
  return null;
}

async function poseRequest(
  call: Call,
  askers: Askers,
  request: AccessRequest,
  registered: Resource | null,
): Promise<Posed> {
  // What is stored about a registered resource wins over what the caller says of it (rule 17): its tags as a whole.
  const said = request.context.filter(({ key }) => registered === null || !/^g:ResourceTag\//i.test(key));
  const question: Question = {
    action: request.action,
    resource: request.resource,
    ...(registered === null ? {} : { tags: registered.tags }),
    ...(said.length === 0 ? {} : { context: buildContext(said.map(({ key, values }) => [key, values] as const)) }),
  };
  const asker = await askers.find(request.principal);
  if ('reason' in asker) return { decision: decideBy(asker.reason, question), principal: null };
  const { principal } = asker.rights;
  const workspaceId = registered?.workspaceId ?? request.workspaceId ?? asker.home;
  const here = call.scope.workspaceId;
  // Where a resource is registered is not told by the reason: a refusal reads as if the URN were not registered at all.
  const closed = registered === null ? 'WORKSPACE_CLOSED' : 'NO_MATCHING_ALLOW';
  // One credential, one scope: whoever shows it in another workspace has shown nothing that is good there.
  if ([here, asker.home].some((scope) => scope !== null && scope !== workspaceId)) {
    // Inside a workspace nobody learns whose credential acts elsewhere.
    const shown = here === null || asker.home === here ? principal : null;
    return { decision: decideBy(closed, question), principal: shown };
  }
  const facts = await askers.facts(asker, workspaceId);
  if (!facts.open && registered !== null && request.workspaceId !== workspaceId) {
    return { decision: decideBy(closed, question), principal };
  }
  // The address that the server sees is the asker's own. Of somebody else it knows none: a service may say it.
  const environment = asker.rights === call.rights ? call.environment : { ...call.environment, sourceAddress: null };
  return { decision: null, asker, facts, environment, question, registered };
}

export interface Asker {
  readonly rights: Rights;
  readonly user: User | null;
  /** The workspace in which a question is asked that names none. */
  readonly home: Id | null;
}

/** Principals and scopes of one batch, each looked up once. */
export class Askers {
  readonly #house: House;
  readonly #calls: Calls;
  readonly #call: Call;
  readonly #found = new Map<string, Asker | { readonly reason: DecisionReason }>();
  readonly #facts = new Map<string, ScopeFacts>();

  constructor(house: House, calls: Calls, call: Call) {
    this.#house = house;
    this.#calls = calls;
    this.#call = call;
  }

  async find(choice: PrincipalChoice | null) {
    const call = this.#call;
    if (choice === null || isViewer(call, choice)) {
      return askerOf(call);
    }
    if (choice.kind === 'signer') return askerOf(choice.call);
    const key = keyOf(choice);
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const found = await this.#look(choice);
    this.#found.set(key, found);
    return found;
  }

  #look(choice: Exclude<PrincipalChoice, { kind: 'signer' }>) {
    if (choice.kind === 'token') return this.#bearer(choice.token);
    return choice.kind === 'signedRequest'
      ? this.#signer(choice.request, choice.sender)
      : this.#named(choice.kind, choice.id);
  }

  async facts(asker: Asker, workspaceId: Id | null): Promise<ScopeFacts> {
    const call = this.#call;
    const account = this.#account();
    if (asker.rights === call.rights && workspaceId === call.scope.workspaceId) return call.facts;
    const { kind, id, delegation } = asker.rights.principal;
    const key = `${kind} ${id} ${delegation?.sessionId ?? ''} ${workspaceId ?? ''}`;
    const known = this.#facts.get(key);
    if (known !== undefined) return known;
    const scope = { accountId: account.id, workspaceId };
    const workspace = workspaceId === null ? null : await this.#house.store.access.workspace(account.id, workspaceId);
    const facts = await this.#calls.scopeFacts(account, scope, workspace, asker.user, asker.rights);
    this.#facts.set(key, facts);
    return facts;
  }

  async #named(kind: 'user' | 'agency' | 'service', id: Id) {
    const account = this.#account();
    const found = (await this.#call.reader.find(kind, [id])).get(id);
    if (found === undefined) return { reason: 'PRINCIPAL_NOT_FOUND' } as const;
    if ('enabled' in found && !found.enabled) return { reason: 'PRINCIPAL_DISABLED' } as const;
    if ('trustKind' in found && found.expiresAt !== null && found.expiresAt <= this.#call.now) {
      return { reason: 'AGENCY_EXPIRED' } as const;
    }
    const user = 'root' in found ? found : null;
    // By id there is no session, so its keys take their weakest value: no second factor (rule 17).
    const principal: Principal = {
      kind: kind === 'agency' ? 'AGENCY' : kind === 'service' ? 'SERVICE' : user?.root === true ? 'ROOT' : 'USER',
      id,
      name: found.name,
      mfaAt: null,
    };
    const rights = await this.#calls.rightsOf(account, principal, user);
    return { rights, user, home: this.#call.scope.workspaceId };
  }

  /** A credential carries the whole session: who, second factor, and scope. */
  async #bearer(token: string) {
    const { principal, accountId } = this.#call;
    const showing = principal.kind === 'SERVICE' ? principal.id : null;
    const other = await this.#calls.openShown(this.#call, token, showing);
    if (other === null || other.accountId !== accountId) return { reason: 'CREDENTIAL_REVOKED' } as const;
    return askerOf(other);
  }

  /** Whoever signed a request that this service received, which must have been made for one of its hosts (rule 22). */
  async #signer(request: ReceivedRequest, sender: string | null) {
    const { principal, accountId } = this.#call;
    const revoked = { reason: 'CREDENTIAL_REVOKED' } as const;
    if (principal.kind !== 'SERVICE') return revoked;
    const service = await this.#house.store.access.service(accountId, principal.id);
    if (service === null || hostFault(service, request) !== null) return revoked;
    const other = await this.#calls.openReceived(this.#call, service, request, sender);
    return other.broken === null ? askerOf(other) : { reason: other.broken.reason ?? revoked.reason };
  }

  #account(): Account {
    const { account } = this.#call;
    if (account === null) throw new Error('a call with an actor has an account');
    return account;
  }
}

/** What the viewer may do here, one answer for each action; for every action of the catalogue when none are named. */
export async function decideForViewer(call: Call, actions: readonly string[] | null): Promise<readonly Decision[]> {
  checkBatch(actions?.length ?? 0);
  const asked = actions ?? call.catalogue.rows.filter(({ aliasOf }) => aliasOf === null).map(({ name }) => name);
  const breath = new Breath();
  const decisions: Decision[] = [];
  for (const action of asked) {
    await breath.pause();
    decisions.push(call.decide({ action, resource: null }));
  }
  return decisions;
}

export interface Simulation {
  readonly policies: readonly unknown[];
  readonly requests: readonly AccessRequest[];
  readonly authorizationMode: AuthorizationMode;
}

/**
 * The bare engine over policies given inline (rule 18): no principal, root, entry, grants or filled-in keys; any action
 * and resource form. A document that cannot be read makes every answer DENY for reason INVALID_POLICY.
 */
export async function simulateAccess(simulation: Simulation): Promise<readonly Decision[]> {
  checkRequests(simulation.requests);
  if (simulation.policies.length > mostPolicies) {
    throw new BadInput(
      `${simulation.policies.length} policies were sent; at most ${mostPolicies} are simulated at once`,
    );
  }
  const sources: PolicySource<StatementOrigin>[] = [];
  const problems: string[] = [];
  const breath = new Breath();
  for (const [index, input] of simulation.policies.entries()) {
    await breath.pause();
    const parsed = parsePolicy(input, 'ANY');
    const name = `policies[${index}]`;
    if (parsed.document !== null) sources.push({ name, document: parsed.document, origin: inline(name, false) });
    for (const { severity, code, message, pointer } of parsed.problems) {
      if (severity === 'ERROR') problems.push(`${name}${pointer}: ${code} ${message}`);
    }
  }
  const named = sources.some(({ document }) => namesService(document, 'modelarts'));
  if (simulation.authorizationMode === 'LOOSE' && !named) {
    sources.push({
      name: modelArtsDefaultPolicy.displayName,
      document: builtInDocument(),
      origin: inline(modelArtsDefaultPolicy.id, true),
    });
  }
  const decisions: Decision[] = [];
  for (const request of simulation.requests) {
    await breath.pause();
    decisions.push(decideInline(request));
  }
  return decisions;

  function decideInline(request: AccessRequest): Decision {
    const question = { action: request.action, resource: request.resource };
    if (problems.length > 0) return { ...decideBy('INVALID_POLICY', question), problems };
    const evaluation = evaluate(sources, {
      ...question,
      context: buildContext(request.context.map(({ key, values }) => [key, values] as const)),
    });
    const statements = evaluation.statements.map(({ source, statement }) => ({
      policy: source.name,
      index: statement.index,
      sid: statement.sid,
      effect: statement.effect,
      origin: source.origin,
    }));
    const byModeOnly = evaluation.effect === 'ALLOW' && statements.every(({ origin }) => origin.authorizationMode);
    return {
      ...question,
      effect: evaluation.effect,
      reason: byModeOnly ? ('AUTHORIZATION_MODE' as const) : evaluation.reason,
      statements,
      missingContextKeys: evaluation.missingContextKeys,
      problems: evaluation.problems,
      requiredScope: null,
    };
  }
}

export function builtInDocument(): PolicyDocument {
  const { document } = parsePolicy(modelArtsDefaultPolicy.document, 'SYSTEM');
  if (document === null) throw new Error('the LOOSE default cannot be read');
  return document;
}

function inline(policyId: string, authorizationMode: boolean): StatementOrigin {
  return {
    kind: authorizationMode ? 'BUILT_IN' : 'INLINE',
    policyId,
    policyVersion: 1,
    grantId: null,
    scopeKind: 'ALL',
    scopeId: '',
    expiresAt: null,
    group: null,
    authorizationMode,
  };
}

function askerOf({ rights, user, scope }: Call): Asker {
  return { rights, user, home: scope.workspaceId };
}

/** Two that look the same are the same. */
function keyOf(choice: Exclude<PrincipalChoice, { kind: 'signer' }>): string {
  if (choice.kind === 'token') return `token ${choice.token}`;
  return choice.kind === 'signedRequest'
    ? `signedRequest ${JSON.stringify([choice.request, choice.sender])}`
    : `${choice.kind} ${choice.id}`;
}

export function isViewer(call: Call, choice: PrincipalChoice): boolean {
  if (choice.kind === 'token' || choice.kind === 'signedRequest' || choice.kind === 'signer') return false;
  const own = call.principal.kind === 'SERVICE' ? 'service' : call.principal.kind === 'AGENCY' ? 'agency' : 'user';
  return choice.kind === own && choice.id === call.principal.id;
}

/** Rule 17: what the server knows is never taken from a caller; the client's address and resource keys from services only. */
export function checkContext(
  call: Pick<Call, 'catalogue' | 'principal'>,
  key: string,
  values: readonly string[],
): void {
  const setter = setterOf(call.catalogue, key);
  if (setter === 'SERVER') throw new BadInput(`\`${key}\` is filled in by the server; leave it out`);
  if (setter === 'SERVICE' && call.principal.kind !== 'SERVICE') {
    throw new BadInput(`\`${key}\` may be set by services only; leave it out`);
  }
  // Rule 10: evaluated, such a value would only make conditions false, a Deny's among them.
  const known = call.catalogue.findConditionKey(key);
  const type = known === undefined ? 'string' : comparedAs[known.type];
  if (!values.every((value) => requestValueReads(type, value))) {
    throw new BadInput(`a value of \`${key}\` is not ${typeNames[type]}; mend it or leave it out`);
  }
}

/** What the operators for a key's type compare. */
const comparedAs = {
  string: 'string',
  'string-set': 'string',
  bool: 'boolean',
  number: 'number',
  date: 'date',
  ip: 'ip',
} as const satisfies Readonly<Record<ConditionKey['type'], OperatorValueType>>;

export function setterOf(catalogue: Catalogue, key: string): 'SERVER' | 'SERVICE' | 'CALLER' {
  if (/^g:(user|domain|principal|mfa)/i.test(key)) return 'SERVER';
  return catalogue.findConditionKey(key)?.setBy ?? 'CALLER';
}

function checkRequests(requests: readonly AccessRequest[]): void {
  if (requests.length === 0) throw new BadInput('no request was sent; send at least one');
  checkBatch(requests.length);
}

/**
 * Rule 10: a resource that is no URN would escape every statement that names resources, a Deny above all, and still meet
 * those that name none.
 */
export function checkResources(requests: readonly AccessRequest[]): void {
  const index = requests.findIndex(({ resource }) => resource !== null && readUrn(resource) === null);
  if (index < 0) return;
  throw new BadInput(
    `\`resource\` of request ${index} (counted from 0) is no URN of one thing; write \`service:region:account:type:id\`, without wildcards and control characters`,
  );
}

function checkBatch(length: number): void {
  if (length > longestBatch)
    throw new BadInput(`${length} requests were sent; at most ${longestBatch} are answered at once`);
}
