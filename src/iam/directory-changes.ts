/**
 * Many changes of the directory in one transaction: what `bailiwick apply` does (docs/apply.md). Each is the very
 * use-case that the API has, with its questions and rules; only the transaction is shared, so that a hundred thousand
 * users are not a hundred thousand transactions. Changes of one transaction are of one operation, which is what their
 * audit events are called.
 */
import { administratorsGroup, alterGroup, eraseGroup, leaveGroup, seatMembers, storeGroup } from './groups.js';
import type { UpdateGroupInput } from './groups.js';
import type { Call } from './call.js';
import { change, type OpenChange } from './change.js';
import { endReachedDefaults } from './default-access.js';
import { alterProject, eraseProject, storeProject } from './enterprise-projects.js';
import type { UpdateEnterpriseProjectInput } from './enterprise-projects.js';
import { giveGrant, takeGrant, type GrantPolicyInput } from './grants.js';
import { versionConflict } from './faults.js';
import type { House } from './house.js';
import { problem, reject, succeed, type Outcome } from './outcome.js';
import { erasePolicy, eraseVersion, storePolicy, storeVersion, switchVersion } from './policies.js';
import type { CreatePolicyInput, SetDefaultPolicyVersionInput } from './policies.js';
import type { Id, User } from './records.js';
import { alterUser, eraseUser, storeUsers, type NewUser, type UpdateUserInput } from './users.js';
import { alterWorkspace, storeWorkspace, type UpdateWorkspaceInput } from './workspaces.js';
import type { CreateWorkspaceInput } from './workspaces.js';

/** What each operation takes. */
export interface DirectoryInputs {
  createEnterpriseProject: { readonly name: string; readonly description: string };
  updateEnterpriseProject: UpdateEnterpriseProjectInput;
  deleteEnterpriseProject: { readonly id: Id };
  createPolicy: Omit<CreatePolicyInput, 'idempotencyKey'>;
  /** Adds a version and puts it in use. */
  createPolicyVersion: {
    readonly policyId: Id;
    readonly document: unknown;
    /** Number of a version that makes room for it. */
    readonly instead: number | null;
  };
  setDefaultPolicyVersion: SetDefaultPolicyVersionInput;
  deletePolicy: { readonly id: Id };
  createGroup: { readonly name: string; readonly description: string };
  updateGroup: UpdateGroupInput;
  deleteGroup: { readonly id: Id };
  createUser: NewUser & {
    readonly enabled: boolean;
    /** Made without the LOOSE default, which had ended where the user comes from (rule 12). */
    readonly withoutDefault: boolean;
  };
  updateUser: Omit<UpdateUserInput, 'expectedVersion'> & {
    /**
     * The user as it was read. The version would say more than that: a grant of this very run that ends the default of a
     * user raises it.
     */
    readonly seen?: Pick<User, 'name' | 'description' | 'enabled'>;
    readonly join: readonly Id[];
    readonly leave: readonly Id[];
    readonly withoutDefault: boolean;
  };
  deleteUser: { readonly id: Id };
  createWorkspace: Omit<CreateWorkspaceInput, 'idempotencyKey' | 'memberIds'>;
  updateWorkspace: UpdateWorkspaceInput;
  grantPolicy: GrantPolicyInput;
  revokeGrant: { readonly id: Id };
}

export type DirectoryOperation = keyof DirectoryInputs;

type Acts = {
  readonly [O in DirectoryOperation]: (
    open: OpenChange,
    inputs: readonly DirectoryInputs[O][],
  ) => Promise<Outcome<readonly Id[]>>;
};

const acts: Acts = {
  createEnterpriseProject: each(storeProject, ({ id }) => id),
  updateEnterpriseProject: each(alterProject, ({ id }) => id),
  deleteEnterpriseProject: each(eraseProject, ({ id }) => id),
  createPolicy: each(
    (open, input) => storePolicy(open, input),
    ({ id }) => id,
  ),
  createPolicyVersion: each(replaceVersion, ({ policy }) => policy.id),
  setDefaultPolicyVersion: each(switchVersion, ({ policy }) => policy.id),
  deletePolicy: each(erasePolicy, ({ id }) => id),
  createGroup: each(storeGroup, ({ id }) => id),
  updateGroup: each(alterGroup, ({ id }) => id),
  deleteGroup: each(eraseGroup, ({ id }) => id),
  createUser: makeUsers,
  updateUser: each(moveUser, ({ id }) => id),
  deleteUser: each(eraseUser, ({ id }) => id),
  createWorkspace: each(storeWorkspace, ({ id }) => id),
  updateWorkspace: each(alterWorkspace, ({ id }) => id),
  grantPolicy: each(
    (open, input) => giveGrant(open, input, 'policyId'),
    ({ grant }) => grant.id,
  ),
  revokeGrant: each(takeGrant, ({ id }) => id),
};

/** All of these changes or none of them. Answers the ids of what was made or changed, in the same order. */
export async function changeDirectory<O extends DirectoryOperation>(
  house: House,
  call: Call,
  operation: O,
  inputs: readonly DirectoryInputs[O][],
): Promise<Outcome<readonly Id[]>> {
  return change(house, call, { operation }, async (open) => {
    if (operation !== 'updateUser' && operation !== 'deleteUser') return acts[operation](open, inputs);
    const before = await countAdministrators(open);
    const outcome = await acts[operation](open, inputs);
    if (outcome.kind !== 'succeeded' || before === 0 || (await countAdministrators(open)) > 0) return outcome;
    return reject(lastAdministrator);
  });
}

/** Whoever is not root and can repair what a file has broken must stay: the root user is often nobody's by then. */
export const lastAdministrator = problem(
  'CONFLICT',
  `no enabled user would be left in the group \`${administratorsGroup}\`; leave one there, or take the last one away by hand`,
);

/** Enabled members of the group `admin`. */
async function countAdministrators({ transaction, call }: OpenChange): Promise<number> {
  const groupId = await transaction.idOfName('group', administratorsGroup);
  if (groupId === null) return 0;
  const members = await transaction.access.userIdsOfGroup(call.accountId, groupId);
  const users = await transaction.getAll('user', members);
  return [...users.values()].filter(({ enabled, root }) => enabled && !root).length;
}

function each<I, R>(
  act: (open: OpenChange, input: I) => Promise<Outcome<R>>,
  idOf: (result: R) => Id,
): (open: OpenChange, inputs: readonly I[]) => Promise<Outcome<readonly Id[]>> {
  return async (open, inputs) => {
    const ids: Id[] = [];
    for (const input of inputs) {
      const outcome = await act(open, input);
      if (outcome.kind !== 'succeeded') return outcome;
      ids.push(idOf(outcome.value));
    }
    return succeed(ids);
  };
}

async function replaceVersion(open: OpenChange, input: DirectoryInputs['createPolicyVersion']) {
  const { policyId, document, instead } = input;
  if (instead !== null) {
    const room = await eraseVersion(open, { policyId, number: instead });
    if (room.kind !== 'succeeded') return room;
  }
  return storeVersion(open, { policyId, document, setAsDefault: true }, 'policyId');
}

async function makeUsers(
  open: OpenChange,
  inputs: readonly DirectoryInputs['createUser'][],
): Promise<Outcome<readonly Id[]>> {
  const stored = await storeUsers(open, inputs);
  if (stored.kind !== 'succeeded') return stored;
  for (const [index, user] of stored.value.entries()) {
    const input = inputs[index];
    if (input?.withoutDefault === true) await endDefault(open, user.id);
    if (input?.enabled !== false) continue;
    const disabled = await alterUser(open, { id: user.id, enabled: false });
    if (disabled.kind !== 'succeeded') return disabled;
  }
  return succeed(stored.value.map(({ id }) => id));
}

/** A user and their groups together: half a change of them would be no state that anybody wanted. */
async function moveUser(open: OpenChange, input: DirectoryInputs['updateUser']) {
  const { join, leave, withoutDefault, seen, ...update } = input;
  const before = await open.transaction.get('user', input.id);
  const altered = await alterUser(open, update);
  if (altered.kind !== 'succeeded') return altered;
  const stale =
    before === null ||
    seen === undefined ||
    (['name', 'description', 'enabled'] as const).every((it) => before[it] === seen[it])
      ? null
      : versionConflict(before.version, 0);
  if (stale !== null) return reject(stale);
  if (withoutDefault) await endDefault(open, input.id);
  for (const groupId of leave) {
    const left = await leaveGroup(open, { groupId, userIds: [input.id] });
    if (left.kind !== 'succeeded') return left;
  }
  if (join.length === 0) return altered;
  const joined = await seatMembers(open, [{ userId: input.id, groupIds: join }], 'groupIds');
  if (joined !== null) return joined;
  await endReachedDefaults(open.transaction, [input.id]);
  return altered;
}

/** Takes only; what gives it back is `restoreDefaultAccess`. */
async function endDefault({ transaction }: OpenChange, id: Id): Promise<void> {
  const user = await transaction.get('user', id);
  if (user?.defaultModelArtsAccess !== 'IN_FORCE') return;
  await transaction.update('user', id, { defaultModelArtsAccess: 'ENDED' });
}
