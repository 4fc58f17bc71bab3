/**
 * Sessions and their tokens. A session may have several tokens, one for each scope it switched to (rule 22); what is
 * stored is the session, never a token. Ending a session ends all of them at the next request.
 */
import { settingsOf } from './account-settings.js';
import { sessionSeconds } from './agency-sessions.js';
import { iamUrn } from './authorizer.js';
import type { Call } from './call.js';
import type { Calls } from './calls.js';
import { change, type OpenChange } from './change.js';
import { mayUserEnter } from './entry.js';
import { notFound } from './faults.js';
import type { House } from './house.js';
import { problem, reject, succeed, type Invalid, type Outcome } from './outcome.js';
import type { AccessReader, Scope, Transaction } from './ports.js';
import { lastWorkspaceOf, noteVisit } from './workspace-visits.js';
import { DEFAULT_ID, type Account, type Id, type Instant, type Session, type User } from './records.js';

const minute = 60_000;

/** However often it is refreshed, a session ends so long after the password was checked; then one signs in again. */
export const longestSession = 30 * 24 * 60 * minute;

/** Life of a token that is made for a service to show (rule 23). */
export const audienceTokenLife = 15 * minute;

export type ScopeChoice =
  | { readonly kind: 'account' }
  | { readonly kind: 'workspace'; readonly id: Id }
  /** The workspace that the user chose last. */
  | { readonly kind: 'lastUsed' };

export interface Issued {
  readonly token: string;
  readonly expiresAt: Instant;
  /** The call as the new token's bearer, for the `viewer` of the same payload. */
  readonly call: Call;
}

/**
 * Exchanges the caller's token for one of the same session in another scope; with an audience for a short one that only
 * that service can use, and only to ask what its bearer may do (rule 23).
 *
 * @param audience id or name of a service of the account
 */
export async function switchScope(
  house: House,
  calls: Calls,
  call: Call,
  choice: ScopeChoice,
  audience: string | null = null,
): Promise<Outcome<Issued>> {
  const { account, user, session } = call;
  if (account === null || user === null || session === null) {
    return reject(problem('INVALID', 'only a signed-in user switches scope; sign in first'));
  }
  const services = audience === null ? [] : await house.store.access.services(account.id);
  const service = services.find(({ id, name }) => id === audience || name === audience) ?? null;
  if (audience !== null && service?.enabled !== true) return reject(notFound('service', audience, 'audience'));
  const scope = await chosenScope(house.store.access, account, user, choice);
  if ('problems' in scope) return scope;
  // A token that is handed to a service says nothing of where its user goes.
  const switched = service === null ? await noteSwitch(house, call, user, session.id, scope) : null;
  const issued = await issueToken(house, calls, call, session, scope, service?.id ?? null);
  return succeed(issued, switched?.kind === 'succeeded' ? switched.revision : null);
}

/** How many scopes a session remembers to have left; more than anybody listens in. */
const rememberedLeaves = 50;

/**
 * Notes where the user goes, and that the scope of the token in hand was left: who listens there by this session has gone
 * with them. What cannot be noted refuses nothing.
 */
async function noteSwitch(
  house: House,
  call: Call,
  user: User,
  sessionId: Id,
  { workspaceId }: Scope,
): Promise<Outcome<boolean>> {
  const from = call.scope.workspaceId;
  const noted = await change(house, call, { operation: 'switchScope' }, async (open) => {
    const { transaction, call } = open;
    const refused = open.ask('bailiwick:session:use', null);
    if (refused !== null) return refused;
    if (workspaceId !== null) await noteVisit(transaction, user.id, workspaceId);
    const session = from === workspaceId ? null : await transaction.get('session', sessionId);
    if (session !== null) {
      const others = session.scopesLeft.filter((left) => left.workspaceId !== from);
      const scopesLeft = [...others, { workspaceId: from, at: call.now }].slice(-rememberedLeaves);
      await transaction.update('session', sessionId, { scopesLeft });
    }
    return succeed(session !== null);
  });
  if (noted.kind === 'succeeded' && noted.value) house.watches.wakeSession(sessionId);
  return noted;
}

/** Prolongs the caller's session by the account's session time and answers a token of it in the same scope. */
export async function refreshToken(house: House, calls: Calls, call: Call): Promise<Outcome<Issued>> {
  const prolonged = await change(house, call, { operation: 'refreshToken' }, async (open) => {
    const { transaction, call } = open;
    const refused = open.ask('bailiwick:session:use', null);
    if (refused !== null) return refused;
    const session = call.session === null ? null : await transaction.get('session', call.session.id);
    if (session === null || session.endedAt !== null || session.expiresAt <= call.now) return reject(noSession());
    const { sessionMinutes } = await settingsOf(transaction.access, call.accountId);
    const wanted = Math.min(call.now + sessionMinutes * minute, session.startedAt + longestSession);
    // Whoever refreshes is there, however long ago they signed in.
    if ((await transaction.get('password', session.userId)) !== null) {
      await transaction.update('password', session.userId, { activeAt: call.now });
    }
    return succeed(await transaction.update('session', session.id, { expiresAt: Math.max(session.expiresAt, wanted) }));
  });
  if (prolonged.kind !== 'succeeded') return prolonged;
  return succeed(await issueToken(house, calls, call, prolonged.value, call.scope), prolonged.revision);
}

/** Ends the caller's session with all its tokens. */
export async function signOut(house: House, call: Call): Promise<Outcome<Session>> {
  return change(house, call, { operation: 'signOut' }, async (open) => {
    const { call } = open;
    const refused = open.ask('bailiwick:session:use', null);
    if (refused !== null) return refused;
    const session = call.session === null ? null : await open.transaction.get('session', call.session.id);
    if (session === null) return reject(noSession());
    return succeed(await open.transaction.update('session', session.id, { endedAt: call.now }));
  });
}

/**
 * Ends one session. One's own needs only a session; another's `bailiwick:sessions:revoke` on that user, without which it
 * looks like one that does not exist: whose it is cannot be known before it is read.
 */
export async function endSession(house: House, call: Call, input: { readonly id: Id }): Promise<Outcome<Session>> {
  return change(house, call, { operation: 'endSession' }, async (open) => {
    const { transaction, call } = open;
    const session = (await transaction.reader.find('session', [input.id])).get(input.id) ?? null;
    if (session === null) return reject(notFound('session', input.id));
    if (session.userId === call.principal.id) {
      const refused = open.ask('bailiwick:session:use', null);
      if (refused !== null) return refused;
    } else if (open.ask('bailiwick:sessions:revoke', iamUrn(call.accountId, 'user', session.userId)) !== null) {
      return reject(notFound('session', input.id));
    }
    if (session.endedAt !== null || session.expiresAt <= call.now) return succeed(session);
    return succeed(await transaction.update('session', session.id, { endedAt: call.now }));
  });
}

export interface RevokeSessionsInput {
  /** Absent: the caller's own. */
  readonly userId?: Id | null;
}

export interface RevokedSessions {
  readonly user: User;
  readonly count: number;
}

/** Ends every session of a user. One's own needs only a session; another's `bailiwick:sessions:revoke`. */
export async function revokeSessions(
  house: House,
  call: Call,
  input: RevokeSessionsInput,
): Promise<Outcome<RevokedSessions>> {
  return change(house, call, { operation: 'revokeSessions' }, async (open) => {
    const { call } = open;
    const id = input.userId ?? call.principal.id;
    const own = id === call.principal.id;
    const refused = own
      ? open.ask('bailiwick:session:use', null)
      : open.ask('bailiwick:sessions:revoke', iamUrn(call.accountId, 'user', id));
    if (refused !== null) return refused;
    const user = (await open.transaction.reader.find('user', [id])).get(id) ?? null;
    if (user === null) return reject(notFound('user', id, 'userId'));
    return succeed({ user, count: await endSessions(open.transaction, id) });
  });
}

/**
 * Ends the sessions of a user whose credential has changed (docs/domain.md section d2), but for the one in which the
 * user changed it. Answers how many it ended.
 */
export async function endOtherSessionsOf({ transaction, call }: OpenChange, userId: Id): Promise<number> {
  return endSessions(transaction, userId, call.session?.userId === userId ? call.session.id : null);
}

/** Ends every open session of a user; their tokens are refused from the next request on. */
export async function endSessions(transaction: Transaction, userId: Id, except: Id | null = null): Promise<number> {
  return endOpen(transaction, await transaction.idsWhere('session', { userId, endedAt: null }), except);
}

/** The same of everybody in the account. */
export async function endSessionsOfAll(transaction: Transaction): Promise<number> {
  return endOpen(transaction, await transaction.idsWhere('session', { endedAt: null }), null);
}

/** Whether somebody can go on with a session: as such it is counted where it is ended. */
export function isOpenSession({ endedAt, expiresAt }: Pick<Session, 'endedAt' | 'expiresAt'>, at: Instant): boolean {
  return endedAt === null && expiresAt > at;
}

/**
 * Those too whose time is up, without counting them: a session of an agency that was obtained by one goes on after it, for a day at most,
 * unless it was ended.
 */
async function endOpen(transaction: Transaction, ids: readonly Id[], except: Id | null): Promise<number> {
  const { at } = transaction.origin;
  let ended = 0;
  for (const id of ids) {
    const session = await transaction.get('session', id);
    if (session === null || session.id === except || session.expiresAt <= at - sessionSeconds.most * 1000) continue;
    if (isOpenSession(session, at)) ended += 1;
    await transaction.update('session', id, { endedAt: at });
  }
  return ended;
}

/** Whether the caller may see a session: their own, and those of others with `bailiwick:sessions:list` on that user. */
export function maySeeSession(call: Call, { userId }: Session): boolean {
  return userId === call.principal.id || call.may('bailiwick:sessions:list', iamUrn(call.accountId, 'user', userId));
}

/** A token of a session in a scope, and the call of whoever bears it. */
export async function issueToken(
  house: House,
  calls: Calls,
  call: Call,
  session: Session,
  scope: Scope,
  audience: Id | null = null,
): Promise<Issued> {
  const { accountId, userId, id: sessionId } = session;
  const expiresAt = audience === null ? session.expiresAt : Math.min(session.expiresAt, call.now + audienceTokenLife);
  const token = await house.tokens.issue({ accountId, userId, sessionId, scope, expiresAt, audience });
  return { token, expiresAt, call: await calls.openSession(call, accountId, userId, sessionId, scope) };
}

/**
 * The scope that a user chose, the default workspace unless given, if they may act there. A workspace that one may not
 * enter looks like one that does not exist.
 */
export async function chosenScope(
  access: AccessReader,
  account: Account,
  user: User,
  choice: ScopeChoice | null,
): Promise<Scope | Invalid> {
  const accountId = account.id;
  if (choice?.kind === 'account') return { accountId, workspaceId: null };
  if (choice?.kind === 'lastUsed') return { accountId, workspaceId: await lastWorkspaceOf(access, account, user) };
  const workspaceId = choice?.id ?? DEFAULT_ID;
  const workspace = await access.workspace(accountId, workspaceId);
  if (workspace !== null && (await mayUserEnter(access, workspace, user))) return { accountId, workspaceId };
  return reject(notFound('workspace', workspaceId, 'scope', 'ModelArts.0102'));
}

function noSession() {
  return problem('INVALID', 'there is no session of this credential; sign in first');
}
