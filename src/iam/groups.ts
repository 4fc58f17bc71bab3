/** Groups and their members. To join a group is to be given its grants, so joining obeys the no-escalation rule. */
import { iamUrn } from './authorizer.js';
import type { Call } from './call.js';
import { change, creating, type OpenChange } from './change.js';
import { endReachedDefaults } from './default-access.js';
import { giftOf, giftOfLifting, refuseGain } from './escalation.js';
import { isNameTaken, nameTaken, notFound, versionConflict } from './faults.js';
import { newId, type House } from './house.js';
import { checkText, problemsOf, quotas } from './limits.js';
import { problem, reject, succeed, type Invalid, type Outcome, type UserProblem } from './outcome.js';
import type { Group, Id, Membership, User } from './records.js';

/** Name of the group that every account begins with (rule 2). */
export const administratorsGroup = 'admin';

export interface CreateGroupInput {
  readonly name: string;
  readonly description?: string | null;
  readonly idempotencyKey?: string | null;
}

export async function createGroup(house: House, call: Call, input: CreateGroupInput): Promise<Outcome<Group>> {
  const problems = groupProblems(input);
  if (problems.length > 0) return reject(...problems);
  return change(house, call, creating('group', 'createGroup', input), (open) => storeGroup(open, input));
}

/** What `createGroup` does, as a part of a larger change. */
export async function storeGroup(
  open: OpenChange,
  input: Pick<CreateGroupInput, 'name' | 'description'>,
): Promise<Outcome<Group>> {
  const problems = groupProblems(input);
  if (problems.length > 0) return reject(...problems);
  const { call } = open;
  const refused = open.ask('iam:groups:createGroup', null);
  if (refused !== null) return refused;
  if (await isNameTaken(open, 'group', input.name)) return reject(nameTaken('group', input.name));
  const group: Group = {
    id: newId(),
    accountId: call.accountId,
    name: input.name,
    description: input.description ?? '',
    builtIn: false,
    version: 1,
    createdAt: call.now,
    updatedAt: call.now,
  };
  await open.transaction.insert('group', group);
  return succeed(group);
}

export interface UpdateGroupInput {
  readonly id: Id;
  readonly name?: string | null;
  readonly description?: string | null;
  readonly expectedVersion?: number | null;
}

export async function updateGroup(house: House, call: Call, input: UpdateGroupInput): Promise<Outcome<Group>> {
  return change(house, call, { operation: 'updateGroup' }, (open) => alterGroup(open, input));
}

/** What `updateGroup` does, as a part of a larger change. */
export async function alterGroup(open: OpenChange, input: UpdateGroupInput): Promise<Outcome<Group>> {
  const problems = groupProblems(input);
  const { call } = open;
  const refused = open.ask('iam:groups:updateGroup', iamUrn(call.accountId, 'group', input.id));
  if (refused !== null) return refused;
  const group = await open.transaction.get('group', input.id);
  if (group === null) return reject(notFound('group', input.id));
  if (problems.length > 0) return reject(...problems);
  const stale = versionConflict(group.version, input.expectedVersion);
  if (stale !== null) return reject(stale);
  if (input.name != null && input.name !== group.name) {
    if (group.builtIn) return reject(builtIn('renamed'));
    if (await isNameTaken(open, 'group', input.name, group.id)) return reject(nameTaken('group', input.name));
  }
  return succeed(
    await open.transaction.update('group', group.id, {
      ...(input.name == null ? {} : { name: input.name }),
      ...(input.description == null ? {} : { description: input.description }),
    }),
  );
}

function groupProblems({ name, description }: Pick<UpdateGroupInput, 'name' | 'description'>): readonly UserProblem[] {
  return problemsOf(checkText('groupName', name, 'name'), checkText('description', description, 'description'));
}

/** Deletes a group with its memberships and grants; the users stay. */
export async function deleteGroup(house: House, call: Call, input: { readonly id: Id }): Promise<Outcome<Group>> {
  return change(house, call, { operation: 'deleteGroup' }, (open) => eraseGroup(open, input));
}

/** What `deleteGroup` does, as a part of a larger change. */
export async function eraseGroup(open: OpenChange, input: { readonly id: Id }): Promise<Outcome<Group>> {
  const { transaction, call } = open;
  const refused = open.ask('iam:groups:deleteGroup', iamUrn(call.accountId, 'group', input.id));
  if (refused !== null) return refused;
  const group = await transaction.get('group', input.id);
  if (group === null) return reject(notFound('group', input.id));
  if (group.builtIn) return reject(builtIn('deleted'));
  const members = await transaction.idsWhere('membership', { groupId: group.id });
  if (members.length > 0) {
    const gain = await refuseLifting(open, group.id, 'id');
    if (gain !== null) return gain;
  }
  for (const id of members) await transaction.remove('membership', id);
  for (const id of await transaction.idsWhere('grant', { subjectKind: 'GROUP', subjectId: group.id })) {
    await transaction.remove('grant', id);
  }
  await transaction.remove('group', group.id);
  return succeed(group);
}

export interface MembershipInput {
  readonly groupId: Id;
  readonly userIds: readonly Id[];
}

export interface MembershipChange {
  readonly group: Group;
  readonly users: readonly User[];
  /** Users whose LOOSE default this ended (rule 12). */
  readonly defaultAccessEnded: readonly User[];
}

/** All or nothing; a user who is a member already stays one. */
export async function addGroupMembers(
  house: House,
  call: Call,
  input: MembershipInput,
): Promise<Outcome<MembershipChange>> {
  return change(house, call, { operation: 'addGroupMembers' }, async (open) => {
    const { transaction, call } = open;
    const refused = open.ask('iam:permissions:addUserToGroup', iamUrn(call.accountId, 'group', input.groupId));
    if (refused !== null) return refused;
    // With nobody to join, nothing else would look whether there is such a group.
    const faults = input.userIds.length === 0 ? await missingOf(open, [], [input.groupId], 'groupId') : [];
    if (faults.length > 0) return reject(...faults);
    const joined = await joinGroups(open, input.userIds, [input.groupId], 'groupId');
    if (joined !== null) return joined;
    const defaultAccessEnded = await endReachedDefaults(transaction, input.userIds);
    return succeed({ ...(await membersOf(open, input)), defaultAccessEnded });
  });
}

/** All or nothing; a user who is no member is no fault. */
export async function removeGroupMembers(
  house: House,
  call: Call,
  input: MembershipInput,
): Promise<Outcome<MembershipChange>> {
  return change(house, call, { operation: 'removeGroupMembers' }, (open) => leaveGroup(open, input));
}

/** What `removeGroupMembers` does, as a part of a larger change. */
export async function leaveGroup(open: OpenChange, input: MembershipInput): Promise<Outcome<MembershipChange>> {
  const { transaction, call } = open;
  const refused = open.ask('iam:permissions:removeUserFromGroup', iamUrn(call.accountId, 'group', input.groupId));
  if (refused !== null) return refused;
  const faults = await missingOf(open, input.userIds, [input.groupId], 'groupId');
  if (faults.length > 0) return reject(...faults);
  const gain =
    (await refuseLifting(open, input.groupId, 'groupId')) ?? (await refuseUnlessAdministrator(open, input.groupId));
  if (gain !== null) return gain;
  for (const userId of new Set(input.userIds)) {
    const id = `${input.groupId}.${userId}`;
    if ((await transaction.get('membership', id)) !== null) await transaction.remove('membership', id);
  }
  return succeed({ ...(await membersOf(open, input)), defaultAccessEnded: [] });
}

/** Makes these users members of these groups, within an open change. Answers what stands against it, else null. */
export async function joinGroups(
  open: OpenChange,
  userIds: readonly Id[],
  groupIds: readonly Id[],
  path: string,
): Promise<Outcome<never> | null> {
  if (userIds.length === 0) return null;
  return seatMembers(
    open,
    [...new Set(userIds)].map((userId) => ({ userId, groupIds })),
    path,
  );
}

/** The same where each user joins groups of their own; no user may be named twice. In few statements, however many. */
export async function seatMembers(
  open: OpenChange,
  seats: readonly { readonly userId: Id; readonly groupIds: readonly Id[] }[],
  path: string,
): Promise<Outcome<never> | null> {
  const { transaction, call } = open;
  const joining = seats.filter((seat) => seat.groupIds.length > 0);
  if (joining.length === 0) return null;
  const groupIds = [...new Set(joining.flatMap((seat) => seat.groupIds))];
  for (const groupId of groupIds) {
    const refused = open.ask('iam:permissions:addUserToGroup', iamUrn(call.accountId, 'group', groupId));
    if (refused !== null) return refused;
  }
  const userIds = joining.map(({ userId }) => userId);
  const faults = await missingOf(open, userIds, groupIds, path);
  if (faults.length > 0) return reject(...faults);
  const brought = await transaction.access.attachments(call.accountId, 'GROUP', groupIds);
  const gain = await refuseGain(open, [...brought.values()].flat().map(giftOf), path);
  if (gain !== null) return gain;
  for (const groupId of groupIds) {
    const refused = await refuseUnlessAdministrator(open, groupId);
    if (refused !== null) return refused;
  }
  const present = await transaction.groupsOf(userIds);
  const added: Membership[] = [];
  for (const { userId, groupIds } of joining) {
    const current = present.get(userId) ?? new Set();
    const joined = [...new Set(groupIds)].filter((groupId) => !current.has(groupId));
    if (current.size + joined.length > quotas.groupsPerUser) {
      return reject(
        problem('LIMIT_EXCEEDED', `a user is in at most ${quotas.groupsPerUser} groups; leave one first`, path, {
          reference: 'IAM.1115',
          limit: quotas.groupsPerUser,
        }),
      );
    }
    for (const groupId of joined) {
      const id = `${groupId}.${userId}`;
      added.push({ id, accountId: call.accountId, groupId, userId, addedAt: call.now });
    }
  }
  await transaction.insertAll('membership', added);
  return null;
}

/** The members of `admin` may give anything (rule 5), whatever is granted to that group today. */
async function refuseUnlessAdministrator({ transaction, call }: OpenChange, groupId: Id): Promise<Invalid | null> {
  if (call.administrator || (await transaction.get('group', groupId))?.builtIn !== true) return null;
  return reject(
    problem('NOT_HELD', 'only an administrator makes or unmakes an administrator', 'groupId', {
      reference: 'IAM.0003',
      actions: ['*:*:*'],
    }),
  );
}

async function refuseLifting(open: OpenChange, groupId: Id, path: string): Promise<Invalid | null> {
  const brought = await open.transaction.access.attachments(open.call.accountId, 'GROUP', [groupId]);
  return refuseGain(open, (brought.get(groupId) ?? []).map(giftOfLifting), path);
}

async function missingOf(
  open: OpenChange,
  userIds: readonly Id[],
  groupIds: readonly Id[],
  groupPath: string,
): Promise<readonly UserProblem[]> {
  const faults: UserProblem[] = [];
  const groups = await open.transaction.getAll('group', groupIds);
  for (const id of groupIds) if (!groups.has(id)) faults.push(notFound('group', id, groupPath));
  const users = await open.transaction.getAll('user', userIds);
  for (const id of userIds) if (!users.has(id)) faults.push(notFound('user', id, 'userIds'));
  return faults;
}

async function membersOf(
  open: OpenChange,
  input: MembershipInput,
): Promise<Omit<MembershipChange, 'defaultAccessEnded'>> {
  const group = await open.transaction.get('group', input.groupId);
  if (group === null) throw new Error('a group vanished within its own transaction');
  const users = await Promise.all([...new Set(input.userIds)].map((id) => open.transaction.get('user', id)));
  return { group, users: users.filter((user): user is User => user !== null) };
}

function builtIn(done: string): UserProblem {
  return problem('IMMUTABLE', `the group \`${administratorsGroup}\` cannot be ${done}`, 'id', {
    reference: 'IAM.0003',
  });
}
