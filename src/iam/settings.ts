/** Settings of the account that decisions read: the authorization mode and each user's LOOSE default (rule 12). */
import { iamUrn } from './authorizer.js';
import type { Call } from './call.js';
import { change } from './change.js';
import { defaultAccessGift } from './default-access.js';
import { refuseGain } from './escalation.js';
import { notFound } from './faults.js';
import type { House } from './house.js';
import { problem, reject, succeed, type Outcome } from './outcome.js';
import { DEFAULT_ID, type Account, type AuthorizationMode, type Id, type User } from './records.js';

/** Sets whether users whom no Allow naming modelarts has reached may use ModelArts (docs/domain.md section b3). */
export async function setAuthorizationMode(
  house: House,
  call: Call,
  input: { readonly mode: AuthorizationMode },
): Promise<Outcome<Account>> {
  return change(house, call, { operation: 'setAuthorizationMode' }, async (open) => {
    const { call } = open;
    const refused = open.ask('bailiwick:settings:update', null);
    if (refused !== null) return refused;
    const account = await open.transaction.get('account', call.accountId);
    if (account === null) return reject(notFound('account', call.accountId));
    if (account.authorizationMode === input.mode) return succeed(account);
    if (input.mode === 'LOOSE') {
      const gain = await refuseGain(open, [defaultAccessGift()], 'mode');
      if (gain !== null) return gain;
    }
    return succeed(await open.transaction.update('account', account.id, { authorizationMode: input.mode }));
  });
}

/**
 * Switches workspaces on or off: whether others beside the default one may be made. What was there before is in the
 * default workspace, and stays there; they are switched off only while there is no other.
 */
export async function setWorkspacesEnabled(
  house: House,
  call: Call,
  { enabled }: { readonly enabled: boolean },
): Promise<Outcome<Account>> {
  return change(house, call, { operation: 'setWorkspacesEnabled' }, async (open) => {
    const { transaction, call } = open;
    const refused = open.ask('bailiwick:settings:update', null);
    if (refused !== null) return refused;
    const account = await transaction.get('account', call.accountId);
    if (account === null) return reject(notFound('account', call.accountId));
    if (account.workspacesEnabled === enabled) return succeed(account);
    const others = (await transaction.idsWhere('workspace', {})).filter((id) => id !== DEFAULT_ID);
    if (!enabled && others.length > 0) {
      const many = others.length === 1 ? 'one workspace is' : `${others.length} workspaces are`;
      return reject(problem('IN_USE', `${many} there beside the default one; delete these first`, 'enabled'));
    }
    return succeed(await transaction.update('account', account.id, { workspacesEnabled: enabled }));
  });
}

/** Gives a user the LOOSE default back after a first Allow had ended it; administrators only (rule 12). */
export async function restoreDefaultAccess(
  house: House,
  call: Call,
  input: { readonly userId: Id },
): Promise<Outcome<User>> {
  return change(house, call, { operation: 'restoreDefaultAccess' }, async (open) => {
    const { call } = open;
    const refused = open.ask('bailiwick:settings:update', iamUrn(call.accountId, 'user', input.userId));
    if (refused !== null) return refused;
    const user = await open.transaction.get('user', input.userId);
    if (user === null) return reject(notFound('user', input.userId, 'userId'));
    if (!call.administrator) {
      return reject(
        problem('NOT_HELD', 'only an administrator restores the default access of a user', 'userId', {
          reference: 'IAM.0003',
          actions: ['modelarts:*:*'],
        }),
      );
    }
    if (user.root) return reject(problem('IMMUTABLE', 'the root user needs no default access', 'userId'));
    if (user.defaultModelArtsAccess === 'IN_FORCE') return succeed(user);
    return succeed(await open.transaction.update('user', user.id, { defaultModelArtsAccess: 'IN_FORCE' }));
  });
}
