/**
 * What `checkAccess` would have answered at a moment that has passed, from the audit trail: rows as they were then, decided
 * by the code that decides today with the clock of then. Where the trail does not say what was, neither does the answer.
 *
 * Nobody learns more from it than from reading the trail: what is asked about a workspace needs the right to read the
 * trail inside that workspace; of one that is gone, nobody but administrators may read it.
 */
import { catalogueOf } from './account-catalogues.js';
import { checkPosable, poseRequest, type ShownDecision } from './access.js';
import type { AccessRequest } from './access-requests.js';
import type { PrincipalChoice } from './askers.js';
import { anonymous, decide, type Rights } from './authorizer.js';
import { Breath } from './breath.js';
import type { Call } from './call.js';
import type { Calls } from './calls.js';
import { clockTolerance } from './clocks.js';
import { takesVisitors } from './entry.js';
import type { House } from './house.js';
import { BadInput, type Outcome, refuse, succeed } from './outcome.js';
import { PastAccount } from './past-account.js';
import { PastAskers } from './past-askers.js';
import { UnknownPast, type UnknownPastReason } from './past-rows.js';
import type { Account, Id, Instant } from './records.js';
import { maySeeResource } from './resource-visibility.js';
import { pastKinds } from './trail-reader.js';

/** Most requests of one question about the past: each may be about a principal of its own. */
export const longestRecall = 40;

/** A moment: an instant, a revision of the account, or the account of that revision by the clock of that instant. */
export interface Moment {
  readonly at: Instant | null;
  readonly revision: number | null;
}

/** The decision of then, or why it cannot be known. */
export type RecalledDecision =
  | { readonly decision: ShownDecision; readonly unknown: null }
  | { readonly decision: null; readonly unknown: UnknownPastReason };

export interface AccessRecall {
  /** The instant by which conditions and ends of grants were decided. */
  readonly at: Instant;
  /** The revision of the account that was decided by. */
  readonly revision: number;
  /** When the account's trail begins; null while there is none. */
  readonly knownSince: Instant | null;
  /** In the order asked. */
  readonly decisions: readonly RecalledDecision[];
}

/** Decides many requests as of one moment. Its door is `bailiwick:audit:list`; about others it needs `bailiwick:access:check` as well. */
export async function recallAccess(
  house: House,
  calls: Calls,
  call: Call,
  requests: readonly AccessRequest[],
  moment: Moment,
): Promise<Outcome<AccessRecall>> {
  const door = call.decide({ action: 'bailiwick:audit:list', resource: null });
  if (door.effect !== 'ALLOW') return refuse(door);
  if (requests.length > longestRecall) {
    throw new BadInput(`${requests.length} requests were sent; at most ${longestRecall} are answered as of a moment`);
  }
  const refused = checkPosable(call, requests);
  if (refused !== null) return refuse(refused);
  const named = requests.map((request) => ({ ...request, principal: namedChoice(call, request.principal) }));
  const { account } = call;
  if (account === null) throw new Error('a call with an actor has an account');

  const found = await findMoment(house, account, call.now, moment);
  const { at, revision, knownSince } = found;
  if (found.unknown !== null) {
    const { unknown } = found;
    return succeed({ at, revision, knownSince, decisions: named.map(() => ({ decision: null, unknown })) });
  }
  const recall = new Recall(house, calls, call, at, revision);
  const decisions: RecalledDecision[] = [];
  const breath = new Breath();
  for (const request of named) {
    await breath.pause();
    decisions.push(await recall.decide(request));
  }
  return succeed({ at, revision, knownSince, decisions });
}

/** The viewer too is asked about by id: what their session knew then is not kept. */
function namedChoice({ principal }: Call, choice: PrincipalChoice | null): PrincipalChoice {
  if (choice === null) {
    const kind = principal.kind === 'AGENCY' ? 'agency' : principal.kind === 'SERVICE' ? 'service' : 'user';
    return { kind, id: principal.id };
  }
  if (!('id' in choice)) throw new BadInput('no credential is kept; name a user, agency or service');
  return choice;
}

async function findMoment(
  house: House,
  account: Account,
  now: Instant,
  { at, revision }: Moment,
): Promise<Omit<AccessRecall, 'decisions'> & { readonly unknown: UnknownPastReason | null }> {
  const { trail } = house.store;
  if (at === null && revision === null) throw new BadInput('no moment was named; give `asOf`, `asOfRevision` or both');
  if (at !== null && at > now) throw new BadInput('`asOf` has not come yet; name an instant that has passed');
  if (revision !== null && (revision < 0 || revision > account.revision)) {
    throw new BadInput(`the account has no revision ${revision}; its last one is ${account.revision}`);
  }
  const first = await trail.first(account.id);
  const then = revision ?? (await revisionAt(house, account, at ?? now));
  const instant = at ?? (await trail.lastAt(account.id, then)) ?? first?.at ?? now;
  const found = { at: instant, revision: then, knownSince: first?.at ?? null };
  if (first === null || then < first.revision || instant < first.at) return { ...found, unknown: 'BEFORE_TRAIL' };
  // An event that somebody took out by hand is missed nowhere else. That those that are there say what they said when
  // they were made, `bailiwick audit verify` proves.
  const whole = await trail.isWholeAfter(account.id, then);
  if (!whole) return { ...found, unknown: 'TRAIL_BROKEN' };
  // Where a clock was set, an instant names no revision; a revision that was named does.
  const named = revision !== null || (await trail.isOrderedAround(account.id, pastKinds, then, now, clockTolerance));
  return { ...found, unknown: named ? null : 'CLOCK_SET_BACK' };
}

/**
 * The revision in force at an instant. An event says when its change was asked for, and is committed a little later;
 * revisions are in the order of commits. Whatever comes after a change that was asked for later was not there yet.
 */
async function revisionAt({ store }: House, account: Account, at: Instant): Promise<number> {
  const next = await store.trail.firstRevisionSince(account.id, pastKinds, at);
  return next === null ? account.revision : next - 1;
}

/** Nobody's: that a question is asked from somewhere gives nothing. */
const none: Rights = { principal: anonymous, sources: [], unreadable: [] };

class Recall {
  readonly #past: PastAccount;
  readonly #rights = new Map<string, Rights>();
  readonly #insides = new Map<Id, Call | null>();

  constructor(
    private readonly house: House,
    private readonly calls: Calls,
    private readonly call: Call,
    private readonly at: Instant,
    revision: number,
  ) {
    this.#past = new PastAccount(house.store.trail, call.accountId, revision);
  }

  async decide(request: AccessRequest): Promise<RecalledDecision> {
    try {
      return { decision: await this.#decide(request), unknown: null };
    } catch (error) {
      if (error instanceof UnknownPast) return { decision: null, unknown: error.reason };
      throw error;
    }
  }

  async #decide(request: AccessRequest): Promise<ShownDecision> {
    const { call, at } = this;
    const inside = request.workspaceId === null ? null : await this.#inside(request.workspaceId);
    if (!call.administrator && (request.workspaceId === null ? request.resource !== null : inside === null)) {
      throw notVisible();
    }
    const account = await this.#past.account();
    if (account === null) throw new UnknownPast('TRAIL_BROKEN', 'The account was not there.');
    const registered = request.resource === null ? null : await this.#past.resource(request.resource);
    // Others ask as from inside the workspace, where what is registered elsewhere reads as if it were nowhere.
    const here = call.administrator ? null : request.workspaceId;
    if (
      registered !== null &&
      here === registered.workspaceId &&
      (inside === null || !maySeeResource(inside, registered))
    )
      throw notVisible();
    const askers = new PastAskers(this.#past, account, at, here, this.#rights);
    const asking = {
      scope: { accountId: call.accountId, workspaceId: here },
      environment: { now: at, sourceAddress: null },
      rights: none,
    };
    const posed = await poseRequest(asking, askers, request, registered);
    if (posed.decision !== null) return this.#shown({ ...posed.decision, principal: posed.principal });
    const catalogue = catalogueOf(this.house.catalogue, await this.#past.services());
    const decision = decide(catalogue, posed.asker.rights, posed.facts, posed.environment, posed.question);
    return this.#shown({ ...decision, principal: posed.asker.rights.principal });
  }

  #shown(decision: ShownDecision): ShownDecision {
    return this.call.may('bailiwick:access:explain') ? decision : { ...decision, statements: null, problems: [] };
  }

  /** The viewer inside a workspace whose trail they may read there; null for any other. */
  async #inside(workspaceId: Id): Promise<Call | null> {
    const known = this.#insides.get(workspaceId);
    if (known !== undefined) return known;
    const workspace = await this.house.store.access.workspace(this.call.accountId, workspaceId);
    const inside =
      workspace === null || !takesVisitors(workspace) ? null : await this.calls.inWorkspace(this.call, workspace);
    const readable = inside !== null && inside.facts.open && inside.may('bailiwick:audit:list') ? inside : null;
    this.#insides.set(workspaceId, readable);
    return readable;
  }
}

function notVisible(): UnknownPast {
  return new UnknownPast('NOT_VISIBLE', '');
}
