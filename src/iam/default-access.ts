/**
 * The end of the LOOSE default (rule 12): from the moment a first Allow naming `modelarts` reaches a user through any
 * grant, the default is over for that user, and stays over when the grant is revoked, so that revoking never widens.
 */
import { modelArtsDefaultPolicy, namesService } from '../catalogue/index.js';
import type { Call } from './call.js';
import { statementsOf, type Gift } from './escalation.js';
import type { Transaction } from './ports.js';
import type { Id, User } from './records.js';
import { documentOf } from './rights.js';

/**
 * Ends the default of those of these users whom such an Allow reaches now. To be called at the end of every change that
 * can make a grant reach a user. Answers the users whose default it ended.
 */
export async function endReachedDefaults(transaction: Transaction, userIds: readonly Id[]): Promise<readonly User[]> {
  const users = await transaction.getAll('user', [...new Set(userIds)]);
  const candidates = [...new Set(userIds)].flatMap((id) => {
    const user = users.get(id);
    return user !== undefined && !user.root && user.defaultModelArtsAccess === 'IN_FORCE' ? [user] : [];
  });
  if (candidates.length === 0) return [];
  const reached = await transaction.access.attachments(
    transaction.origin.accountId,
    'USER',
    candidates.map((user) => user.id),
  );
  const ended: User[] = [];
  for (const user of candidates) {
    const namesModelArts = (reached.get(user.id) ?? []).some(({ grant, text }) => {
      if (grant.expiresAt !== null && grant.expiresAt <= transaction.origin.at) return false;
      const document = documentOf(text);
      return document === null || namesService(document, 'modelarts');
    });
    if (namesModelArts) ended.push(await transaction.update('user', user.id, { defaultModelArtsAccess: 'ENDED' }));
  }
  return ended;
}

/** What being in reach of the LOOSE default gives. */
export function defaultAccessGift(): Gift {
  return {
    statements: statementsOf(JSON.stringify(modelArtsDefaultPolicy.document), 'ALLOW'),
    scope: { scopeKind: 'ALL_WORKSPACES', scopeId: '' },
    expiresAt: null,
    entersByGrant: false,
  };
}

/** What the LOOSE default gives in this account; nothing while the mode is STRICT. */
export function looseGifts(call: Call): readonly Gift[] {
  return call.account?.authorizationMode === 'LOOSE' ? [defaultAccessGift()] : [];
}
