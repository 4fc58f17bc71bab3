/** Asking: may I, may they (rules 16 and 17). Every answer comes from the authorizer and says why to those who may know. */
import { buildContext } from '../policy/index.js';
import { type AccessRequest, checkBatch, checkContext, checkRequests, checkResources } from './access-requests.js';
import { type Asker, Askers, isViewer } from './askers.js';
import {
  decide,
  decideBy,
  type Decision,
  type Environment,
  type Principal,
  type Question,
  type ScopeFacts,
} from './authorizer.js';
import { Breath } from './breath.js';
import type { Call } from './call.js';
import type { Calls } from './calls.js';
import type { House } from './house.js';
import { refuse, succeed, type Outcome } from './outcome.js';
import type { Resource } from './records.js';

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
  const urns: string[] = [];
  for (const { resource } of requests) if (resource !== null) urns.push(resource);
  const registered =
    urns.length === 0 || call.account === null ? unregistered : await calls.resources(call.account, urns);
  const explained = call.may('bailiwick:access:explain');
  const asked = new Askers(house, calls, call);
  const decisions: ShownDecision[] = [];
  const breath = new Breath();
  for (const request of requests) {
    const pause = breath.pause();
    if (pause !== null) await pause;
    const found = registered.size === 0 ? undefined : registered.get(request.resource ?? '');
    const posing = poseRequest(call, asked, request, found ?? null);
    // Of a batch most is known at once, and a thousand waits cost more than a thousand decisions.
    const posed = posing instanceof Promise ? await posing : posing;
    decisions.push(shown(decidePosed(call, posed, explained), posed, explained));
  }
  return succeed(decisions);
}

const unregistered: ReadonlyMap<string, Resource> = new Map();

function decidePosed(call: Call, posed: Posed, explained: boolean): Decision {
  if (posed.decision !== null) return posed.decision;
  const { asker, facts, environment, question } = posed;
  const decision = decide(call.catalogue, asker.rights, facts, environment, question, explained);
  call.observer.decided(decision.reason);
  return decision;
}

const untold: readonly never[] = [];

function shown(decision: Decision, posed: Posed, explained: boolean): ShownDecision {
  const { effect, reason, action, resource, statements, missingContextKeys, problems, requiredScope } = decision;
  return {
    effect,
    reason,
    action,
    resource,
    statements: explained ? statements : null,
    missingContextKeys,
    problems: explained ? problems : untold,
    requiredScope,
    principal: posed.decision === null ? posed.asker.rights.principal : posed.principal,
  };
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

/** Who is asked about, and what is known of a scope for them: as it is now, or as it was. */
export type Asking = Pick<Askers, 'find' | 'facts'>;

type FoundAsker = Awaited<ReturnType<Asking['find']>>;

/** Whoever asks, as far as it decides what is asked. */
type Posing = Pick<Call, 'scope' | 'environment' | 'rights'>;

/** Throws for what cannot be asked; answers the refusal of asking about others, null where nothing is refused. */
export function checkPosable(call: Call, requests: readonly AccessRequest[]): Decision | null {
  checkRequests(requests);
  checkResources(requests);
  if (requests.some(({ principal }) => principal !== null && !isViewer(call, principal))) {
    const decision = call.decide({ action: 'bailiwick:access:check', resource: null });
    if (decision.effect !== 'ALLOW') return decision;
  }
  for (const { context } of requests) for (const { key, values } of context) checkContext(call, key, values);
  return null;
}

/**
 * At once where everything that it needs is known.
 *
 * @param call whose scope the question is asked in
 */
export function poseRequest(
  call: Posing,
  askers: Asking,
  request: AccessRequest,
  registered: Resource | null,
): Posed | Promise<Posed> {
  const question = questionOf(request, registered);
  const asker = askers.find(request.principal);
  return asker instanceof Promise
    ? poseLater(call, askers, request, registered, question, asker)
    : poseOf(call, askers, request, registered, question, asker);
}

/** Apart, because a function that waits keeps what it was given, and most need not wait. */
async function poseLater(
  call: Posing,
  askers: Asking,
  request: AccessRequest,
  registered: Resource | null,
  question: Question,
  asker: Promise<FoundAsker>,
): Promise<Posed> {
  return poseOf(call, askers, request, registered, question, await asker);
}

function questionOf(request: AccessRequest, registered: Resource | null): Question {
  const { action, resource, context } = request;
  if (registered === null) {
    return context.length === 0 ? { action, resource } : { action, resource, context: contextOf(context) };
  }
  // What is stored about a registered resource wins over what the caller says of it (rule 17): its tags as a whole.
  const said = context.filter(({ key }) => !/^g:ResourceTag\//i.test(key));
  const { tags } = registered;
  return { action, resource, tags, ...(said.length === 0 ? {} : { context: contextOf(said) }) };
}

function contextOf(said: AccessRequest['context']): ReadonlyMap<string, readonly string[]> {
  return buildContext(said.map(({ key, values }) => [key, values] as const));
}

function poseOf(
  call: Posing,
  askers: Asking,
  request: AccessRequest,
  registered: Resource | null,
  question: Question,
  asker: FoundAsker,
): Posed | Promise<Posed> {
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
  const facts = askers.facts(asker, workspaceId);
  return facts instanceof Promise
    ? poseInLater(call, request, registered, question, asker, facts)
    : poseIn(call, request, registered, question, asker, facts);
}

async function poseInLater(
  call: Posing,
  request: AccessRequest,
  registered: Resource | null,
  question: Question,
  asker: Asker,
  facts: Promise<ScopeFacts>,
): Promise<Posed> {
  return poseIn(call, request, registered, question, asker, await facts);
}

/** In a scope whose facts are known. */
function poseIn(
  call: Posing,
  request: AccessRequest,
  registered: Resource | null,
  question: Question,
  asker: Asker,
  facts: ScopeFacts,
): Posed {
  if (!facts.open && registered !== null && request.workspaceId !== registered.workspaceId) {
    return { decision: decideBy('NO_MATCHING_ALLOW', question), principal: asker.rights.principal };
  }
  // The address that the server sees is the asker's own. Of somebody else it knows none: a service may say it.
  const environment = asker.rights === call.rights ? call.environment : { ...call.environment, sourceAddress: null };
  return { decision: null, asker, facts, environment, question, registered };
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
