/**
 * Whether a service may act for a user, and whether what it would do in the user's place is allowed: answered before a
 * job runs rather than when it fails (docs/domain.md section f2). Each action is decided by the authorizer, with the
 * rights that the agency's grants give in the workspace of the call.
 */
import {
  chooseFunctions,
  didYouMean,
  quote,
  type AuthorizationFunction,
  type Catalogue,
  type FunctionChoice,
} from '../catalogue/index.js';
import { longestBatch } from './access-requests.js';
import { decide, type Decision, type Principal, type Rights, type ScopeFacts } from './authorizer.js';
import { Breath } from './breath.js';
import type { Call } from './call.js';
import type { Calls } from './calls.js';
import { governing } from './delegation.js';
import type { House } from './house.js';
import { BadInput, refuse, succeed, type Outcome } from './outcome.js';
import type { Account, Agency, Authorization, Id, User, Workspace } from './records.js';
import {
  lackProblems,
  noAgencyProblem,
  userProblems,
  withoutGrantProblem,
  type ReadinessProblem,
} from './readiness-problems.js';
import { composeRights } from './rights.js';
import { leastOf, mostOf } from './rights-bounds.js';

export interface ReadinessRequest {
  /** Name of the service that would act. */
  readonly service: string;
  /** Null: the caller. */
  readonly userId: Id | null;
  /** Only this agency; null: whichever is found. */
  readonly agencyId: Id | null;
  /** Ids of functions; null: those of the ordinary user, unless actions are named. */
  readonly functions: readonly string[] | null;
  /** Actions that the agency needs besides. */
  readonly actions: readonly string[];
}

export interface FunctionReadiness {
  readonly function: string;
  /** The agency lacks nothing for it. */
  readonly ready: boolean;
  readonly missingAgencyActions: readonly string[];
  /** Allowed for some resources or under some circumstances only. */
  readonly limitedAgencyActions: readonly string[];
  readonly missingUserActions: readonly string[];
}

export interface AuthorizationReadiness {
  readonly service: string;
  readonly ready: boolean;
  /** The one that would be used, as far as it is visible in the workspace. */
  readonly agency: Agency | null;
  readonly authorization: Authorization | null;
  /** It was found by an authorization for all users. */
  readonly allUsers: boolean;
  readonly problems: readonly ReadinessProblem[];
  readonly functions: readonly FunctionReadiness[];
  /** Of the actions that were asked for by name. */
  readonly missingActions: readonly string[];
  readonly limitedActions: readonly string[];
}

/** Answers for the workspace of the call. About somebody else one needs `bailiwick:access:check`. */
export async function authorizationReadiness(
  house: House,
  calls: Calls,
  call: Call,
  request: ReadinessRequest,
): Promise<Outcome<AuthorizationReadiness>> {
  await checkService(house, call, request.service);
  const wanted = wantedOf(call, request);
  const own = call.user !== null && (request.userId === null || request.userId === call.user.id);
  if (!own) {
    const decision = call.decide({ action: 'bailiwick:access:check', resource: null });
    if (decision.effect !== 'ALLOW') return refuse(decision);
  }
  const userId = request.userId ?? call.user?.id;
  if (userId === undefined) throw new BadInput('who asks is no user; name the user in `userId`');
  const place = placeOf(call);
  const user = own ? call.user : ((await call.reader.find('user', [userId])).get(userId) ?? null);
  const asUser = user === null ? null : await userJudge(calls, call, place, user);
  const found = user === null ? nothingFound : await findCandidates(house, calls, call, place, user, request);
  const chosen = await choose(found.candidates, wanted);
  const stands = (action: string): Standing => chosen?.judge.standing(action) ?? 'MISSING';
  const functions: FunctionReadiness[] = [];
  const breath = new Breath();
  for (const { id, agencyActions, userActions } of wanted.functions) {
    await breath.pause();
    const missingAgencyActions = agencyActions.filter((action) => stands(action) === 'MISSING');
    functions.push({
      function: id,
      ready: missingAgencyActions.length === 0,
      missingAgencyActions,
      limitedAgencyActions: agencyActions.filter((action) => stands(action) === 'LIMITED'),
      missingUserActions: userActions.filter((action) => (asUser?.standing(action) ?? 'MISSING') === 'MISSING'),
    });
  }
  const missingActions = wanted.actions.filter((action) => stands(action) === 'MISSING');
  const problems = [
    ...userProblems(user),
    ...(user === null || chosen !== null ? [] : [noAgencyProblem({ ...request, ...found })]),
    ...(chosen?.judge.open === false ? [withoutGrantProblem()] : []),
    ...(chosen?.judge.open === true
      ? lackProblems(functions, missingActions, (action) => chosen.judge.isDenied(action))
      : []),
  ];
  return succeed({
    service: request.service,
    ready: problems.length === 0,
    ...(await visibleParts(call, chosen)),
    allUsers: chosen?.authorization.userId === '',
    problems,
    functions,
    missingActions,
    limitedActions: wanted.actions.filter((action) => stands(action) === 'LIMITED'),
  });
}

interface Wanted {
  readonly functions: readonly AuthorizationFunction[];
  /** Canonical names. */
  readonly actions: readonly string[];
}

/** Of the platform, or made in the account: what an agency can trust. */
async function checkService({ store }: House, { accountId, catalogue }: Call, service: string): Promise<void> {
  if (catalogue.services.some(({ name }) => name === service)) return;
  if ((await store.access.services(accountId)).some(({ name }) => name === service)) return;
  throw new BadInput(`${quote(service)} is no service; name one that an agency can trust`);
}

function wantedOf({ catalogue }: Call, { functions, actions }: ReadinessRequest): Wanted {
  for (const list of [functions ?? [], actions]) {
    if (list.length > longestBatch) {
      throw new BadInput(`${list.length} names were sent; at most ${longestBatch} are answered at once`);
    }
  }
  const usual = functions === null && actions.length === 0;
  const choice = usual ? usualFunctions : ({ preset: 'CUSTOM', functions: functions ?? [] } as const);
  return {
    functions: choice.preset === 'CUSTOM' && choice.functions.length === 0 ? [] : knownFunctions(choice),
    actions: [...new Set(actions.map((action) => knownAction(catalogue, action)))],
  };
}

const usualFunctions: FunctionChoice = { preset: 'COMMON_USER', functions: [] };

function knownFunctions(choice: FunctionChoice): readonly AuthorizationFunction[] {
  const { functions, problems } = chooseFunctions(choice);
  const [first] = problems;
  if (first !== undefined) throw new BadInput(first.message);
  return functions;
}

/** A mistyped action must not look like one that is missing. */
function knownAction(catalogue: Catalogue, action: string): string {
  const row = catalogue.canonical(action);
  if (row !== undefined) return row.name;
  throw new BadInput(
    `action ${quote(action)} is unknown; ${didYouMean(catalogue.suggest(action), 'take one from `actions`')}`,
  );
}

interface Place {
  readonly account: Account;
  readonly workspace: Workspace;
}

function placeOf({ account, workspace }: Call): Place {
  if (account === null || workspace === null) throw new Error('readiness is asked in a workspace that exists');
  return { account, workspace };
}

type Standing = 'HELD' | 'LIMITED' | 'MISSING';

/** Decides for one principal in the workspace, of acts whose resource and circumstances are not known yet. */
class Judge {
  readonly #call: Call;
  readonly #rights: Rights;
  readonly #facts: ScopeFacts;
  readonly #standings = new Map<string, Standing>();
  readonly #bounds = new Map<string, { readonly least: Rights; readonly most: Rights }>();

  constructor(call: Call, rights: Rights, facts: ScopeFacts) {
    this.#call = call;
    this.#rights = rights;
    this.#facts = facts;
  }

  get open(): boolean {
    return this.#facts.open;
  }

  standing(action: string): Standing {
    const known = this.#standings.get(action);
    if (known !== undefined) return known;
    const { least, most } = this.#boundsFor(action);
    const held = this.#decide(most, action).effect === 'ALLOW';
    const whole = held && this.#decide(least, action).effect === 'ALLOW';
    const standing = whole ? 'HELD' : held ? 'LIMITED' : 'MISSING';
    this.#standings.set(action, standing);
    return standing;
  }

  /** Whether a Deny takes the action away, so that to grant it would not help. */
  isDenied(action: string): boolean {
    return this.#decide(this.#boundsFor(action).most, action).reason === 'EXPLICIT_DENY';
  }

  #decide(rights: Rights, action: string): Decision {
    const { catalogue, now } = this.#call;
    return decide(catalogue, rights, this.#facts, { now, sourceAddress: null }, { action, resource: null });
  }

  #boundsFor(action: string): { readonly least: Rights; readonly most: Rights } {
    const service = action.slice(0, action.indexOf(':'));
    const known = this.#bounds.get(service);
    if (known !== undefined) return known;
    const bounds = { least: leastOf(this.#rights, service), most: mostOf(this.#rights, service) };
    this.#bounds.set(service, bounds);
    return bounds;
  }
}

async function userJudge(calls: Calls, call: Call, place: Place, user: User): Promise<Judge> {
  if (user === call.user) return new Judge(call, call.rights, call.facts);
  // By id there is no session, so its keys take their weakest value: no second factor (rule 17).
  const principal: Principal = { kind: user.root ? 'ROOT' : 'USER', id: user.id, name: user.name, mfaAt: null };
  const rights = await calls.rightsOf(place.account, principal, user);
  return new Judge(call, rights, await calls.scopeFacts(place.account, call.scope, place.workspace, user, rights));
}

interface Candidate {
  readonly agency: Agency;
  readonly authorization: Authorization;
  readonly judge: Judge;
}

interface Found {
  readonly candidates: readonly Candidate[];
  /** Whether an agency would be a candidate, had it not expired. */
  readonly expired: boolean;
  /** Whether one would be, were it not bound to another workspace. */
  readonly bound: boolean;
}

const nothingFound: Found = { candidates: [], expired: false, bound: false };

/** The user's own entries before those for all users, which count only where there is none (section f2). */
async function findCandidates(
  house: House,
  calls: Calls,
  call: Call,
  { account, workspace }: Place,
  user: User,
  request: ReadinessRequest,
): Promise<Found> {
  // An agency that holds nothing in this workspace is invisible in it, and its entry counts all the same.
  const everywhere = house.store.reader({ accountId: account.id, workspaceId: null });
  const entries = await house.store.access.authorizationsFor(account.id, request.service, user.id);
  const agencies = await everywhere.find('agency', [...new Set(entries.map(({ agencyId }) => agencyId))]);
  const asked = governing(entries, user.id).filter(
    ({ agencyId }) => request.agencyId === null || agencyId === request.agencyId,
  );
  const governs = asked.flatMap((authorization) => {
    const agency = agencies.get(authorization.agencyId);
    return agency === undefined ? [] : [{ agency, authorization }];
  });
  const lasting = governs.filter(({ agency }) => agency.expiresAt === null || agency.expiresAt > call.now);
  const counted = lasting.filter(({ agency }) => agency.workspaceId === '' || agency.workspaceId === workspace.id);
  const ids = counted.map(({ agency }) => agency.id);
  const attachments = await house.store.access.attachments(account.id, 'AGENCY', ids);
  const candidates = counted.map(async ({ agency, authorization }) => {
    const principal: Principal = { kind: 'AGENCY', id: agency.id, name: agency.name, mfaAt: null };
    const rights = composeRights(account, principal, null, attachments.get(agency.id) ?? []);
    const facts = await calls.scopeFacts(account, call.scope, workspace, null, rights);
    return { agency, authorization, judge: new Judge(call, rights, facts) };
  });
  return {
    candidates: await Promise.all(candidates),
    expired: governs.length > 0 && lasting.length === 0,
    bound: lasting.length > 0 && counted.length === 0,
  };
}

/** The first agency that lacks nothing, else the one that lacks least; of equal ones the one that was authorized first. */
async function choose(candidates: readonly Candidate[], wanted: Wanted): Promise<Candidate | null> {
  const actions = new Set([...wanted.functions.flatMap(({ agencyActions }) => agencyActions), ...wanted.actions]);
  let best: { readonly candidate: Candidate; readonly lacks: number } | null = null;
  const breath = new Breath();
  for (const candidate of candidates) {
    let lacks = candidate.judge.open ? 0 : 1;
    for (const action of actions) {
      await breath.pause();
      if (candidate.judge.standing(action) === 'MISSING') lacks += 1;
    }
    if (best === null || lacks < best.lacks) best = { candidate, lacks };
    if (lacks === 0) break;
  }
  return best?.candidate ?? null;
}

async function visibleParts(
  call: Call,
  chosen: Candidate | null,
): Promise<Pick<AuthorizationReadiness, 'agency' | 'authorization'>> {
  if (chosen === null) return { agency: null, authorization: null };
  const { agency, authorization } = chosen;
  const [agencies, authorizations] = await Promise.all([
    call.reader.find('agency', [agency.id]),
    call.reader.find('authorization', [authorization.id]),
  ]);
  return {
    agency: agencies.get(agency.id) ?? null,
    authorization: authorizations.get(authorization.id) ?? null,
  };
}
