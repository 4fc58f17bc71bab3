/**
 * Sign-in by password, with a second factor for those who have one. Every attempt that fails is one answer after one
 * amount of work: as many hashes, as many statements, a committed write each — whether account and user exist, whether
 * the user is locked, disabled or has a second factor. Only the right password learns more.
 */
import { settingsOf } from './account-settings.js';
import type { Call } from './call.js';
import type { Calls } from './calls.js';
import { lockedOut } from './faults.js';
import { newId, type House } from './house.js';
import { countedFailure, isBesieged, lockedUntil, noFailures } from './lockout.js';
import type { Observer } from './observer.js';
import { problem, reject, succeed, type Invalid, type Outcome } from './outcome.js';
import type { ChangeOrigin, Scope, Store, Transaction } from './ports.js';
import type { Account, AccountSettings, Id, Instant, Password, Session, User } from './records.js';
import { takenCounter, wrongCode } from './reauthentication.js';
import { chosenScope, endSessions, issueToken, type Issued, type ScopeChoice } from './sessions.js';
import { noteVisit } from './workspace-visits.js';

const minute = 60_000;
const day = 24 * 60 * minute;

export interface SignInInput {
  readonly account: string;
  readonly userName: string;
  readonly password: string;
  /** One-time password of the second factor. */
  readonly totp?: string | null;
  readonly scope: ScopeChoice | null;
}

/** Begins a session and answers its first token. */
export async function signIn(house: House, calls: Calls, call: Call, input: SignInInput): Promise<Outcome<Issued>> {
  const begun = await attempt(house, call, input);
  house.observer.signedIn(outcomeOf(begun));
  if (begun.kind !== 'succeeded') return begun;
  const { value, revision } = begun;
  return succeed(await issueToken(house, calls, call, value.session, value.scope), revision);
}

/** A session that was begun, and where its first token acts. */
interface Begun {
  readonly session: Session;
  readonly scope: Scope;
}

function outcomeOf(outcome: Outcome<Begun>): Parameters<Observer['signedIn']>[0] {
  if (outcome.kind === 'succeeded') return 'SUCCEEDED';
  return outcome.kind === 'invalid' ? (outcome.problems[0]?.code ?? 'REFUSED') : 'REFUSED';
}

async function attempt(house: House, call: Call, input: SignInInput): Promise<Outcome<Begun>> {
  const { access } = house.store;
  const named = await access.accountByName(input.account);
  // Of an account that there is not, one that there is asks the same questions and bears the same writes.
  const accountId = named?.id ?? (await standIn(house.store));
  if (accountId === null) return wrongCredentials();
  const homonym = await access.userByName(accountId, input.userName);
  const user = named === null ? null : homonym;
  const password = await access.password(accountId, user?.id ?? '');
  const settings = await settingsOf(access, accountId);
  const right = await house.passwords.verify(password?.hash ?? null, input.password);

  const origin: ChangeOrigin = {
    accountId,
    workspaceId: null,
    operation: 'signIn',
    actorKind: user === null ? 'ANONYMOUS' : 'USER',
    actorId: user?.id ?? '',
    actorName: user?.name ?? '',
    requestId: call.requestId,
    at: call.now,
  };
  if (named === null || user === null || password === null || !right) {
    await countFailure(house, { ...origin, operation: 'signInFailed' }, password, settings);
    return wrongCredentials();
  }
  const facts: Facts = { account: named, userId: user.id, password, settings, input };
  const { value, revision } = await house.store.transaction<Outcome<Begun> | 'IDLE'>(origin, (transaction) =>
    begin(house, transaction, call, facts),
  );
  if (value === 'IDLE') return disableIdle(house, origin, user.id, settings);
  if (value.kind !== 'succeeded') return value;
  call.noteChanged();
  return succeed(value.value, revision);
}

interface Facts {
  readonly account: Account;
  readonly userId: Id;
  readonly password: Password;
  readonly settings: AccountSettings;
  readonly input: SignInInput;
}

/** What the right password is told, and the session if nothing stands against it. */
async function begin(
  house: House,
  transaction: Transaction,
  call: Call,
  { account, userId: id, password, settings, input }: Facts,
): Promise<{ readonly commit: boolean; readonly value: Outcome<Begun> | 'IDLE' }> {
  const { now } = call;
  // Read again inside: attempts that arrive together follow one another here.
  const current = await transaction.get('password', id);
  if (current === null || current.hash !== password.hash) return { commit: false, value: wrongCredentials() };
  const failed = async (value: Invalid) => {
    await transaction.update('password', id, countedFailure(house, current, settings, now));
    return { commit: true, value };
  };
  if (isBesieged(current, settings, now)) return failed(wrongCredentials());
  const until = lockedUntil(current, now);
  if (until !== null) return { commit: false, value: reject(lockedOut(until)) };
  const user = await transaction.get('user', id);
  if (user?.enabled !== true) return { commit: false, value: disabled('the user is disabled; ask an administrator') };
  if (await isIdle(transaction, user, current, settings, now)) return { commit: false, value: 'IDLE' };

  const factor = await transaction.get('secondFactor', id);
  const bound = factor?.confirmedAt != null;
  if (bound) {
    if (input.totp == null || input.totp === '') return { commit: false, value: secondFactorNeeded() };
    const counter = takenCounter(house, factor, input.totp, now);
    if (counter === null) return failed(wrongCode('totp'));
    await transaction.update('secondFactor', id, { lastCounter: counter });
  }
  const scope = await chosenScope(transaction.access, account, user, input.scope);
  // Committed all the same: a code that was taken is not taken again.
  if ('problems' in scope) return { commit: true, value: scope };
  await transaction.update('password', id, { ...noFailures, activeAt: now });
  const session: Session = {
    id: newId(),
    accountId: account.id,
    userId: id,
    startedAt: now,
    expiresAt: now + settings.sessionMinutes * minute,
    endedAt: null,
    mfaAt: bound ? now : null,
    sourceAddress: call.environment.sourceAddress ?? '',
    scopesLeft: [],
  };
  await transaction.insert('session', session);
  if (input.scope?.kind === 'workspace') await noteVisit(transaction, id, input.scope.id);
  return { commit: true, value: succeed({ session, scope }) };
}

/** One more failure: on the password that was tried, or among those of strangers. A read and a write either way. */
async function countFailure(
  house: House,
  origin: ChangeOrigin,
  password: Password | null,
  settings: AccountSettings,
): Promise<void> {
  const { accountId, at } = origin;
  await house.store.transaction(origin, async (transaction) => {
    if (password !== null) {
      const current = await transaction.get('password', password.id);
      if (current === null) return { commit: false, value: undefined };
      await transaction.update('password', password.id, countedFailure(house, current, settings, at));
      return { commit: true, value: undefined };
    }
    const strangers = await transaction.get('strangerAttempts', accountId);
    if (strangers === null) {
      await transaction.insert('strangerAttempts', { id: accountId, accountId, attempts: 1, lastAt: at });
    } else {
      await transaction.update('strangerAttempts', accountId, { attempts: strangers.attempts + 1, lastAt: at });
    }
    return { commit: true, value: undefined };
  });
}

const standIns = new WeakMap<Store, Id>();

/** An account at which attempts are made that name one that there is not; asked for once. Null: there is none at all. */
async function standIn(store: Store): Promise<Id | null> {
  const known = standIns.get(store);
  if (known !== undefined) return known;
  const [account] = await store.access.accounts();
  if (account === undefined) return null;
  standIns.set(store, account.id);
  return account.id;
}

/**
 * Whether nobody has seen the user for longer than the account allows: neither signing in or refreshing, nor a request
 * signed with a key of theirs. The root user is never idle, as it is never disabled: the account would be lost.
 */
async function isIdle(
  transaction: Transaction,
  user: User,
  { activeAt }: Password,
  { idleDays }: AccountSettings,
  now: Instant,
): Promise<boolean> {
  if (idleDays === 0 || user.root || activeAt === null) return false;
  const since = now - idleDays * day;
  if (activeAt > since) return false;
  for (const id of await transaction.idsWhere('accessKey', { ownerKind: 'USER', ownerId: user.id })) {
    const lastUsedAt = (await transaction.get('accessKey', id))?.lastUsedAt ?? null;
    if (lastUsedAt !== null && lastUsedAt > since) return false;
  }
  return true;
}

async function disableIdle(
  house: House,
  origin: ChangeOrigin,
  userId: Id,
  { idleDays }: AccountSettings,
): Promise<Invalid> {
  await house.store.transaction({ ...origin, operation: 'disableIdleUser' }, async (transaction) => {
    if ((await transaction.get('user', userId))?.enabled !== true) return { commit: false, value: undefined };
    await transaction.update('user', userId, { enabled: false });
    await endSessions(transaction, userId);
    return { commit: true, value: undefined };
  });
  return disabled(`the user was idle for over ${idleDays} days and is disabled; ask an administrator`);
}

function wrongCredentials(): Invalid {
  return reject(
    problem('CREDENTIALS_INVALID', 'account, user name or password is wrong; try again', null, {
      reference: 'IAM.0062',
    }),
  );
}

function disabled(message: string): Invalid {
  return reject(problem('CREDENTIALS_INVALID', message, 'userName', { reference: 'IAM.0082' }));
}

function secondFactorNeeded(): Invalid {
  const message = 'the user has a second factor; send its present one-time password as well';
  return reject(problem('SECOND_FACTOR_REQUIRED', message, 'totp', { reference: 'IAM.0062' }));
}
