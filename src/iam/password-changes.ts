/**
 * New passwords: one's own, another's by an administrator, and by the operator on the machine itself. The rules of the
 * account hold for each, and so do the passwords that it remembers; both are looked at before the account's write lock
 * is taken, because a hash takes tens of milliseconds.
 */
import { settingsOf } from './account-settings.js';
import { iamUrn } from './authorizer.js';
import type { Call } from './call.js';
import { change, type OpenChange } from './change.js';
import { notFound } from './faults.js';
import type { House } from './house.js';
import { noFailures } from './lockout.js';
import { problem, refuse, reject, succeed, type Invalid, type Outcome, type UserProblem } from './outcome.js';
import { randomPassword, weakness } from './passwords.js';
import type { Transaction } from './ports.js';
import type { AccountSettings, Id, Instant, Password, User } from './records.js';
import { reauthenticate } from './reauthentication.js';
import { endOtherSessionsOf } from './sessions.js';
import { refuseTakeover } from './takeover.js';

const minute = 60_000;
const day = 24 * 60 * minute;

export interface ChangedPassword {
  readonly user: User;
  /** The random password when one was made; shown this once. */
  readonly password: string | null;
  readonly endedSessions: number;
}

export interface ChangePasswordInput {
  readonly currentPassword: string;
  readonly newPassword: string;
}

/** Changes one's own password and ends one's other sessions. The present password is proved before anything else. */
export async function changePassword(
  house: House,
  call: Call,
  { currentPassword, newPassword }: ChangePasswordInput,
): Promise<Outcome<ChangedPassword>> {
  const { user } = call;
  const resource = iamUrn(call.accountId, 'user', call.principal.id);
  const decision = call.decide({ action: 'iam:users:updateUserPassword', resource });
  if (decision.effect !== 'ALLOW') return refuse(decision);
  if (user === null) return reject(problem('INVALID', 'only a user has a password; a service has keys'));
  const proof = { kind: 'password', password: currentPassword } as const;
  const unproved = await reauthenticate(house, call, proof, 'currentPassword');
  if (unproved !== null) return unproved;
  const { access } = house.store;
  const settings = await settingsOf(access, call.accountId);
  const kept = await access.password(call.accountId, user.id);
  const fault =
    refuseYoung(kept, settings, call.now) ?? (await checkNew(house, call, kept, newPassword, user, settings));
  if (fault !== null) return reject(fault);
  const hash = await house.passwords.hash(newPassword, call.principal.id);
  return change(house, call, { operation: 'changePassword' }, async (open) => {
    const refused = open.ask('iam:users:updateUserPassword', resource);
    if (refused !== null) return refused;
    const lost = await storePassword(open, user.id, kept, hash, settings);
    if (lost !== null) return lost;
    return succeed({ user, password: null, endedSessions: await endOtherSessionsOf(open, user.id) });
  });
}

export interface ResetPasswordInput {
  readonly userId: Id;
  /** Absent: a random one is made and answered once. */
  readonly newPassword?: string | null;
}

/** Sets another user's password and ends all of their sessions. A lock stays: nobody lifts one by hand (section d4). */
export async function resetPassword(
  house: House,
  call: Call,
  { userId, newPassword }: ResetPasswordInput,
): Promise<Outcome<ChangedPassword>> {
  const operation = 'resetPassword';
  // Asked twice: what an account remembers of a stronger user's passwords is for nobody to find out.
  const found = await change(house, call, { operation }, (open) => findResettable(open, userId));
  if (found.kind !== 'succeeded') return found;
  const { access } = house.store;
  const settings = await settingsOf(access, call.accountId);
  const kept = await access.password(call.accountId, userId);
  const password = newPassword ?? randomPassword(found.value.name, settings);
  const fault = await checkNew(house, call, kept, password, found.value, settings);
  if (fault !== null) return reject(fault);
  const hash = await house.passwords.hash(password, call.principal.id);
  return change(house, call, { operation }, async (open) => {
    const user = await findResettable(open, userId);
    if (user.kind !== 'succeeded') return user;
    const lost = await storePassword(open, userId, kept, hash, settings);
    if (lost !== null) return lost;
    const endedSessions = await endOtherSessionsOf(open, userId);
    return succeed({ user: user.value, password: newPassword == null ? password : null, endedSessions });
  });
}

/** The user whose password the caller may set. */
async function findResettable(open: OpenChange, userId: Id): Promise<Outcome<User>> {
  const { transaction, call } = open;
  const refused = open.ask('iam:users:resetUserPassword', iamUrn(call.accountId, 'user', userId));
  if (refused !== null) return refused;
  const user = (await transaction.reader.find('user', [userId])).get(userId) ?? null;
  if (user === null) return reject(notFound('user', userId, 'userId'));
  if (user.id === call.principal.id) {
    // Or whoever has found a token of theirs would have the account for good.
    return reject(problem('INVALID', 'this is your own password; change it with `changePassword`', 'userId'));
  }
  return (await refuseTakeover(open, user, 'userId')) ?? succeed(user);
}

/** When the passwords of these users grow too old; absent where there is none or they do not grow old. */
export async function passwordExpiries(
  house: House,
  call: Call,
  userIds: readonly Id[],
): Promise<ReadonlyMap<Id, Instant>> {
  const { access } = house.store;
  const { passwordValidityDays } = await settingsOf(access, call.accountId);
  if (passwordValidityDays === 0) return new Map();
  const changes = await access.passwordChanges(call.accountId, userIds);
  return new Map([...changes].map(([id, changedAt]) => [id, changedAt + passwordValidityDays * day]));
}

/** What is wrong with a password for a new user, null when nothing is. */
export function checkFirstPassword(password: string, userName: string, settings: AccountSettings): UserProblem | null {
  return weak(weakness(password, userName, settings), 'password');
}

async function checkNew(
  house: House,
  call: Call,
  kept: Password | null,
  password: string,
  user: User,
  settings: AccountSettings,
): Promise<UserProblem | null> {
  const fault = weak(weakness(password, user.name, settings), 'newPassword');
  if (fault !== null || kept === null) return fault;
  for (const hash of [kept.hash, ...kept.history].slice(0, settings.rememberedPasswords)) {
    if (await house.passwords.verify(hash, password, call.principal.id)) {
      return weak('the password was used before; choose one that was not', 'newPassword');
    }
  }
  return null;
}

function weak(message: string | null, path: string): UserProblem | null {
  return message === null ? null : problem('WEAK_PASSWORD', message, path, { reference: 'IAM.1118' });
}

/** A minimum age keeps one from changing one's password until the account no longer remembers the first. */
function refuseYoung(kept: Password | null, settings: AccountSettings, now: Instant): UserProblem | null {
  const { passwordMinimumAgeMinutes: age } = settings;
  if (kept === null || now - kept.changedAt >= age * minute) return null;
  const at = new Date(kept.changedAt + age * minute).toISOString();
  const message = `the password was changed less than ${age} minutes ago; change it after ${at}`;
  return problem('CONFLICT', message, 'newPassword', { reference: 'IAM.1118' });
}

/** Writes a password over the one that was checked; what a second caller has set meanwhile is not overwritten. */
async function storePassword(
  { transaction }: OpenChange,
  userId: Id,
  checked: Password | null,
  hash: string,
  { rememberedPasswords }: AccountSettings,
): Promise<Invalid | null> {
  const current = await transaction.get('password', userId);
  if (current?.hash !== checked?.hash) {
    return reject(problem('CONFLICT', 'the password was changed meanwhile; try again', 'newPassword'));
  }
  await writePassword(transaction, userId, hash, rememberedPasswords);
  return null;
}

/** Puts a password in the place of the one that there is, which is remembered as long as the account remembers any. */
export async function writePassword(
  transaction: Transaction,
  userId: Id,
  hash: string,
  remembered: number,
): Promise<void> {
  const { accountId, at } = transaction.origin;
  const current = await transaction.get('password', userId);
  if (current === null) {
    await transaction.insert('password', newPasswordOf(accountId, userId, hash, at));
  } else {
    // The present one is remembered by being there.
    const history = [current.hash, ...current.history].slice(0, Math.max(0, remembered - 1));
    await transaction.update('password', userId, { hash, history, changedAt: at });
  }
}

/** The row of a user's first password. */
export function newPasswordOf(accountId: Id, userId: Id, hash: string, at: Instant): Password {
  return { id: userId, accountId, hash, history: [], changedAt: at, activeAt: at, ...noFailures };
}
