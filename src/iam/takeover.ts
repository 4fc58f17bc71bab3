/**
 * Nobody gets hold of a user who is stronger than themselves (rule 5): whoever sets another's password, or takes another's
 * second factor away, may come to act as that user. What that would give is compared as any other gift.
 */
import type { OpenChange } from './change.js';
import { looseGifts } from './default-access.js';
import { mayUserEnter } from './entry.js';
import { giftsOfPrincipal, refuseGain } from './escalation.js';
import { problem, reject, type Invalid } from './outcome.js';
import type { User } from './records.js';

/** Refuses when the caller would gain something by acting as this user; null when nothing is gained. */
export async function refuseTakeover(open: OpenChange, user: User, path: string): Promise<Invalid | null> {
  const { transaction, call } = open;
  if (user.root && call.user?.root !== true) {
    return reject(
      problem('NOT_HELD', 'only the root user changes the credentials of the root user', path, {
        reference: 'IAM.0003',
        actions: ['*:*:*'],
      }),
    );
  }
  if (call.administrator) return null;
  if (await transaction.access.isAdministrator(call.accountId, user.id)) {
    return reject(
      problem('NOT_HELD', 'only an administrator changes the credentials of an administrator', path, {
        reference: 'IAM.0003',
        actions: ['*:*:*'],
      }),
    );
  }
  const loose = user.defaultModelArtsAccess === 'IN_FORCE' ? looseGifts(call) : [];
  const gain = await refuseGain(open, [...(await giftsOfPrincipal(transaction, 'USER', user.id)), ...loose], path);
  return gain ?? (await refuseEntry(open, user, path));
}

/** No policy says who may enter a workspace that is not public, so entering as another is compared by itself. */
async function refuseEntry({ transaction, call }: OpenChange, user: User, path: string): Promise<Invalid | null> {
  const { access } = transaction;
  const listings = await transaction.idsWhere('workspaceMember', { userId: user.id });
  const listed = await Promise.all(listings.map((id) => transaction.get('workspaceMember', id)));
  const candidates = [
    ...(await transaction.idsWhere('workspace', { creatorId: user.id })),
    ...listed.flatMap((member) => (member === null ? [] : [member.workspaceId])),
  ];
  for (const id of new Set(candidates)) {
    const workspace = await transaction.get('workspace', id);
    if (workspace === null || !(await mayUserEnter(access, workspace, user))) continue;
    if (call.user !== null && (await mayUserEnter(access, workspace, call.user))) continue;
    return reject(
      problem(
        'NOT_HELD',
        'you would enter workspaces of this user that are closed to you; ask an administrator',
        path,
        {
          reference: 'IAM.0003',
          actions: ['modelarts:workspace:get'],
        },
      ),
    );
  }
  return null;
}
