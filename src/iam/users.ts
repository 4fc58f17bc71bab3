/** Users of an account: who can sign in. Their rights come from grants (src/iam/grants.ts), never from here. */
import { settingsOf } from './account-settings.js';
import { iamUrn } from './authorizer.js';
import type { Call } from './call.js';
import { change, creating, type OpenChange } from './change.js';
import { endReachedDefaults, looseGifts } from './default-access.js';
import { giftOf, giftOfLifting, looksAt, refuseGain, type Gift } from './escalation.js';
import { nameTaken, notFound, versionConflict } from './faults.js';
import { seatMembers } from './groups.js';
import { newId, type House } from './house.js';
import { checkText, problemsOf } from './limits.js';
import { problem, reject, succeed, type Invalid, type Outcome, type UserProblem } from './outcome.js';
import { checkFirstPassword, newPasswordOf } from './password-changes.js';
import type { Id, User } from './records.js';
import { endSessions } from './sessions.js';

export interface CreateUserInput {
  readonly name: string;
  readonly password?: string | null;
  readonly description?: string | null;
  readonly groupIds?: readonly Id[] | null;
  readonly idempotencyKey?: string | null;
}

export async function createUser(house: House, call: Call, input: CreateUserInput): Promise<Outcome<User>> {
  const settings = await settingsOf(house.store.access, call.accountId);
  const problems = problemsOf(
    ...textChecks(input),
    input.password == null ? null : checkFirstPassword(input.password, input.name, settings),
  );
  // Hashing takes tens of milliseconds; it must not hold the account's write lock.
  const hash =
    input.password == null || problems.length > 0
      ? null
      : await house.passwords.hash(input.password, call.principal.id);
  return change(house, call, creating('user', 'createUser', input), async (open) => {
    const stored = await storeUsers(open, [input], problems);
    if (stored.kind !== 'succeeded') return stored;
    const [user] = stored.value;
    if (user === undefined) throw new Error('a user vanished within its own transaction');
    if (hash !== null) {
      await open.transaction.insert('password', newPasswordOf(open.call.accountId, user.id, hash, open.call.now));
    }
    return succeed(user);
  });
}

export type NewUser = Pick<CreateUserInput, 'name' | 'description' | 'groupIds'>;

/**
 * What `createUser` does but for the password, as a part of a larger change and for many at once, in few statements: all
 * of them or none.
 *
 * @param problems what is known to be wrong with the input already
 */
export async function storeUsers(
  open: OpenChange,
  inputs: readonly NewUser[],
  problems: readonly UserProblem[] = problemsOf(...inputs.flatMap(textChecks)),
): Promise<Outcome<readonly User[]>> {
  const { transaction, call } = open;
  const groupIds = [...new Set(inputs.flatMap((input) => input.groupIds ?? []))];
  const refused =
    open.ask('iam:users:createUser', null) ??
    groupIds
      .map((groupId) => open.ask('iam:permissions:addUserToGroup', iamUrn(call.accountId, 'group', groupId)))
      .find((refusal) => refusal !== null) ??
    null;
  if (refused !== null) return refused;
  const groups = await transaction.reader.find('group', groupIds);
  const missing = groupIds.filter((groupId) => !groups.has(groupId));
  const faults = [...missing.map((groupId) => notFound('group', groupId, 'groupIds')), ...problems];
  if (faults.length > 0) return reject(...faults);
  const names = inputs.map(({ name }) => name);
  const taken = await transaction.takenNames('user', names);
  if (taken.size > 0) return reject(...[...taken].map((name) => nameTaken('user', name, 'IAM.1109')));
  // The default of an account in LOOSE mode is given by whoever makes the user, and given only if it is held.
  const givesDefault = (await refuseGain(open, looseGifts(call), 'name')) === null;
  const users = inputs.map(({ name, description }): User => ({
    id: newId(),
    accountId: call.accountId,
    name,
    description: description ?? '',
    enabled: true,
    root: false,
    defaultModelArtsAccess: givesDefault ? 'IN_FORCE' : 'ENDED',
    version: 1,
    createdAt: call.now,
    updatedAt: call.now,
  }));
  await transaction.insertAll('user', users);
  const seats = users.map(({ id }, index) => ({ userId: id, groupIds: inputs[index]?.groupIds ?? [] }));
  const joined = await seatMembers(open, seats, 'groupIds');
  if (joined !== null) return joined;
  const ids = users.map(({ id }) => id);
  await endReachedDefaults(transaction, ids);
  const stored = await transaction.getAll('user', ids);
  return succeed(users.map((user) => stored.get(user.id) ?? user));
}

function textChecks({ name, description }: NewUser): readonly (UserProblem | null)[] {
  return [checkText('userName', name, 'name'), checkText('description', description, 'description')];
}

export interface UpdateUserInput {
  readonly id: Id;
  readonly name?: string | null;
  readonly description?: string | null;
  readonly enabled?: boolean | null;
  readonly expectedVersion?: number | null;
}

/** Absent leaves a value as it is. Disabling ends the user's sessions at once. */
export async function updateUser(house: House, call: Call, input: UpdateUserInput): Promise<Outcome<User>> {
  return change(house, call, { operation: 'updateUser' }, (open) => alterUser(open, input));
}

/** What `updateUser` does, as a part of a larger change. */
export async function alterUser(open: OpenChange, input: UpdateUserInput): Promise<Outcome<User>> {
  const problems = problemsOf(
    checkText('userName', input.name, 'name'),
    checkText('description', input.description, 'description'),
  );
  const { transaction, call } = open;
  const refused = open.ask('iam:users:updateUser', iamUrn(call.accountId, 'user', input.id));
  if (refused !== null) return refused;
  const user = await transaction.get('user', input.id);
  if (user === null) return reject(notFound('user', input.id));
  if (problems.length > 0) return reject(...problems);
  const stale = versionConflict(user.version, input.expectedVersion);
  if (stale !== null) return reject(stale);
  const renamed = input.name != null && input.name !== user.name;
  if (renamed) {
    const other = await transaction.access.userByName(call.accountId, input.name);
    if (other !== null && other.id !== user.id) return reject(nameTaken('user', input.name, 'IAM.1109'));
  }
  if (user.root && input.enabled === false) {
    return reject(problem('IMMUTABLE', 'the root user cannot be disabled', 'enabled', { reference: 'IAM.1107' }));
  }
  if (user.root && !call.user?.root) {
    return reject(problem('IMMUTABLE', 'only the root user changes the root user', 'id', { reference: 'IAM.1107' }));
  }
  // To be let in again, or to bear the name that a condition asks for, is to be given what waits there (rule 5).
  const enabling = input.enabled === true && !user.enabled;
  if (enabling || renamed) {
    const attachments = await transaction.access.attachments(call.accountId, 'USER', [user.id]);
    const reached = attachments.get(user.id) ?? [];
    const gifts = enabling
      ? [...reached.map(giftOf), ...(user.defaultModelArtsAccess === 'IN_FORCE' ? looseGifts(call) : [])]
      : [...reached.map(giftOf), ...reached.map(giftOfLifting)].map(onlyByName);
    const gain = await refuseGain(open, gifts, enabling ? 'enabled' : 'name');
    if (gain !== null) return gain;
  }
  // Under another name they could no longer sign in, and whoever took theirs would be taken for them.
  if (renamed || (input.enabled === false && user.enabled)) {
    const protectedUser = await refuseAdministrator(open, user);
    if (protectedUser !== null) return protectedUser;
  }
  const changed = {
    ...(input.name == null ? {} : { name: input.name }),
    ...(input.description == null ? {} : { description: input.description }),
    ...(input.enabled == null ? {} : { enabled: input.enabled }),
  };
  if (input.enabled === false && user.enabled) await endSessions(transaction, user.id);
  // Whoever is let in again begins to be idle anew.
  if (enabling && (await transaction.get('password', user.id)) !== null) {
    await transaction.update('password', user.id, { activeAt: call.now });
  }
  return succeed(await transaction.update('user', user.id, changed));
}

/** Deletes a user with its memberships, grants, sessions, password and places on lists. */
export async function deleteUser(house: House, call: Call, input: { readonly id: Id }): Promise<Outcome<User>> {
  return change(house, call, { operation: 'deleteUser' }, (open) => eraseUser(open, input));
}

/** What `deleteUser` does, as a part of a larger change. */
export async function eraseUser(open: OpenChange, input: { readonly id: Id }): Promise<Outcome<User>> {
  const { transaction, call } = open;
  const refused = open.ask('iam:users:deleteUser', iamUrn(call.accountId, 'user', input.id));
  if (refused !== null) return refused;
  const user = await transaction.get('user', input.id);
  if (user === null) return reject(notFound('user', input.id));
  if (user.root) {
    return reject(problem('IMMUTABLE', 'the root user cannot be deleted', 'id', { reference: 'IAM.1107' }));
  }
  const protectedUser = await refuseAdministrator(open, user);
  if (protectedUser !== null) return protectedUser;
  for (const kind of [
    'membership',
    'workspaceMember',
    'workspaceVisit',
    'session',
    'authorization',
    'keyPair',
  ] as const) {
    for (const id of await transaction.idsWhere(kind, { userId: user.id })) await transaction.remove(kind, id);
  }
  for (const id of await transaction.idsWhere('grant', { subjectKind: 'USER', subjectId: user.id })) {
    await transaction.remove('grant', id);
  }
  for (const id of await transaction.idsWhere('accessKey', { ownerKind: 'USER', ownerId: user.id })) {
    await transaction.remove('accessKey', id);
  }
  for (const kind of ['password', 'secondFactor'] as const) {
    if ((await transaction.get(kind, user.id)) !== null) await transaction.remove(kind, user.id);
  }
  await transaction.remove('user', user.id);
  return succeed(user);
}

/** Only an administrator takes an administrator away. */
async function refuseAdministrator({ transaction, call }: OpenChange, user: User): Promise<Invalid | null> {
  if (call.administrator || !(await transaction.access.isAdministrator(call.accountId, user.id))) return null;
  return reject(
    problem('NOT_HELD', 'only an administrator renames, disables or deletes an administrator', 'id', {
      reference: 'IAM.0003',
      actions: ['*:*:*'],
    }),
  );
}

/** Only statements that look at the user's name: what a new name could switch on. */
function onlyByName(gift: Gift): Gift {
  return { ...gift, statements: gift.statements.filter((statement) => looksAt(statement, 'g:UserName')) };
}
