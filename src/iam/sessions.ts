/**
 * Sign-in, the scope of a session's tokens, and the end of sessions. A session may have several tokens, one for each
 * scope it switched to (rule 22); what is stored is the session, never a token.
 */
import { iamUrn } from './authorizer.js';
import type { Call } from './call.js';
import type { Calls } from './calls.js';
import { change } from './change.js';
import { mayUserEnter } from './entry.js';
import { notFound } from './faults.js';
import { newId, type House } from './house.js';
import { problem, reject, succeed, type Invalid, type Outcome } from './outcome.js';
import type { ChangeOrigin, Scope } from './ports.js';
import { DEFAULT_ID, type Account, type Id, type Instant, type Password, type Session, type User } from './records.js';
import { endSessionsOf } from './users.js';

/** Tokens and sessions live for a day (docs/domain.md section d2). */
export const sessionPeriod = 24 * 60 * 60 * 1000;

/** Lockout of docs/domain.md section d4: failures within the window lock the user for a time, then it opens by itself. */
export const lockout = { failures: 5, window: 15 * 60 * 1000, period: 15 * 60 * 1000 } as const;

export type ScopeChoice = { readonly kind: 'account' } | { readonly kind: 'workspace'; readonly id: Id };

export interface SignInInput {
  readonly account: string;
  readonly userName: string;
  readonly password: string;
  readonly scope: ScopeChoice | null;
}

export interface Issued {
  readonly token: string;
  readonly expiresAt: Instant;
  /** The call as the new token's bearer, for the `viewer` of the same payload. */
  readonly call: Call;
}

/**
 * Signs in by password. An unknown account, an unknown user and a wrong password are one and the same answer after the
 * same work; only the right password learns more (a lock, a disabled user, a workspace that one may not enter).
 */
export async function signIn(house: House, calls: Calls, call: Call, input: SignInInput): Promise<Outcome<Issued>> {
  const { access } = house.store;
  const account = await access.accountByName(input.account);
  const user = account === null ? null : await access.userByName(account.id, input.userName);
  const password = user === null ? null : await access.password(user.accountId, user.id);
  const right = await house.passwords.verify(password?.hash ?? null, input.password);
  if (account === null || user === null || password === null) return wrongCredentials();

  const origin: ChangeOrigin = {
    accountId: account.id,
    workspaceId: null,
    operation: right ? 'signIn' : 'signInFailed',
    actorKind: 'USER',
    actorId: user.id,
    actorName: user.name,
    requestId: call.requestId,
    at: call.now,
  };
  const { value: outcome, revision } = await house.store.transaction<Outcome<Session>>(origin, async (transaction) => {
    // Read again inside: failures arriving together must each count.
    const current = await transaction.get('password', user.id);
    if (current === null || current.hash !== password.hash) return { commit: false, value: wrongCredentials() };
    const isLocked = current.lockedUntil !== null && current.lockedUntil > call.now;
    if (!right) {
      // A lock is told to the right password only, or it would tell which users there are.
      if (isLocked) return { commit: false, value: wrongCredentials() };
      await transaction.update('password', user.id, afterFailure(current, call.now));
      return { commit: true, value: wrongCredentials() };
    }
    if (current.lockedUntil !== null && isLocked) return { commit: false, value: locked(current.lockedUntil) };
    if (!user.enabled) {
      const disabled = problem('CREDENTIALS_INVALID', 'the user is disabled; ask an administrator', 'userName', {
        reference: 'IAM.0082',
      });
      return { commit: false, value: reject(disabled) };
    }
    const closed = await refuseScope(house, account, user, input.scope);
    if (closed !== null) return { commit: false, value: closed };
    if (current.failures > 0) {
      await transaction.update('password', user.id, { failures: 0, firstFailureAt: null, lockedUntil: null });
    }
    const session: Session = {
      id: newId(),
      accountId: account.id,
      userId: user.id,
      startedAt: call.now,
      expiresAt: call.now + sessionPeriod,
      endedAt: null,
      mfaAt: null,
      sourceAddress: call.environment.sourceAddress ?? '',
    };
    await transaction.insert('session', session);
    return { commit: true, value: succeed(session) };
  });
  if (outcome.kind !== 'succeeded') return outcome;
  return succeed(await issue(house, calls, call, outcome.value, scopeOf(account.id, input.scope)), revision);
}

/** Exchanges the caller's token for one of the same session in another scope. */
export async function switchScope(
  house: House,
  calls: Calls,
  call: Call,
  choice: ScopeChoice,
): Promise<Outcome<Issued>> {
  const { account, user, session } = call;
  if (account === null || user === null || session === null) {
    return reject(problem('INVALID', 'only a signed-in user switches scope; sign in first'));
  }
  const closed = await refuseScope(house, account, user, choice);
  if (closed !== null) return closed;
  return succeed(await issue(house, calls, call, session, scopeOf(account.id, choice)));
}

/** Ends the caller's session with all its tokens. */
export async function signOut(house: House, call: Call): Promise<Outcome<Session>> {
  return change(house, call, { operation: 'signOut' }, async (open) => {
    const { call } = open;
    const refused = open.ask('bailiwick:session:use', null);
    if (refused !== null) return refused;
    const session = call.session === null ? null : await open.transaction.get('session', call.session.id);
    if (session === null) return reject(problem('INVALID', 'there is no session to end; this credential has none'));
    return succeed(await open.transaction.update('session', session.id, { endedAt: call.now }));
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
    return succeed({ user, count: await endSessionsOf(open, id) });
  });
}

async function issue(house: House, calls: Calls, call: Call, session: Session, scope: Scope): Promise<Issued> {
  const { accountId, userId, id: sessionId, expiresAt } = session;
  const token = await house.tokens.issue({ accountId, userId, sessionId, scope, expiresAt });
  return { token, expiresAt, call: await calls.openSession(call, accountId, userId, sessionId, scope) };
}

/** A workspace that one may not enter looks like one that does not exist. */
async function refuseScope(
  house: House,
  account: Account,
  user: User,
  choice: ScopeChoice | null,
): Promise<Invalid | null> {
  const { workspaceId } = scopeOf(account.id, choice);
  if (workspaceId === null) return null;
  const workspace = await house.store.access.workspace(account.id, workspaceId);
  if (workspace !== null && (await mayUserEnter(house.store.access, workspace, user))) return null;
  return reject(notFound('workspace', workspaceId, 'scope', 'ModelArts.0102'));
}

function scopeOf(accountId: Id, choice: ScopeChoice | null): Scope {
  if (choice === null) return { accountId, workspaceId: DEFAULT_ID };
  return { accountId, workspaceId: choice.kind === 'account' ? null : choice.id };
}

/** What one more failure makes of the counters: a new window begins when the old one is over. */
export function afterFailure(
  password: Pick<Password, 'failures' | 'firstFailureAt'>,
  now: Instant,
): Pick<Password, 'failures' | 'firstFailureAt' | 'lockedUntil'> {
  const sameWindow = password.firstFailureAt !== null && now - password.firstFailureAt < lockout.window;
  const failures = sameWindow ? password.failures + 1 : 1;
  const firstFailureAt = sameWindow ? password.firstFailureAt : now;
  if (failures < lockout.failures) return { failures, firstFailureAt, lockedUntil: null };
  return { failures: 0, firstFailureAt: null, lockedUntil: now + lockout.period };
}

function wrongCredentials(): Invalid {
  return reject(
    problem('CREDENTIALS_INVALID', 'account, user name or password is wrong; try again', null, {
      reference: 'IAM.0062',
    }),
  );
}

function locked(until: Instant): Invalid {
  const at = new Date(until).toISOString();
  return reject(problem('LOCKED', `too many failed attempts; try again after ${at}`, null, { reference: 'IAM.0061' }));
}
