/**
 * Permanent AK/SK keys (docs/domain.md section e1): made, changed and deleted. Two for each owner; the secret is shown
 * once and kept sealed under a key outside the database. What is signed with them: signed-requests.ts.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { iamUrn } from './authorizer.js';
import type { Call } from './call.js';
import { change, creating, type ChangeOptions, type OpenChange } from './change.js';
import { notFound } from './faults.js';
import type { House } from './house.js';
import { checkText, problemsOf } from './limits.js';
import { problem, reject, succeed, type Outcome } from './outcome.js';
import type { AccessKey, Id, User } from './records.js';
import { endOtherSessionsOf } from './sessions.js';
import { refuseTakeover } from './takeover.js';

/** Most keys of one user or service; enough to change one for another. Fixed. */
export const keysPerOwner = 2;

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** A key with its secret: the only time that the secret is shown. Null secret: an idempotent repeat. */
export interface IssuedKey {
  readonly accessKey: AccessKey;
  readonly secretAccessKey: string | null;
}

/** Inserts a new key of this owner: an id of 20 characters, a secret of 40. */
export async function insertAccessKey(
  house: House,
  { transaction, call }: OpenChange,
  owner: Pick<AccessKey, 'ownerKind' | 'ownerId' | 'description'>,
): Promise<IssuedKey & { readonly secretAccessKey: string }> {
  const id = Array.from({ length: 20 }, () => alphabet[randomInt(alphabet.length)]).join('');
  const secretAccessKey = randomBytes(30).toString('base64url');
  const accessKey: AccessKey = {
    id,
    accountId: call.accountId,
    ...owner,
    sealedSecret: house.sealing.seal(secretAccessKey, id),
    enabled: true,
    lastUsedAt: null,
    createdAt: call.now,
  };
  await transaction.insert('accessKey', accessKey);
  return { accessKey, secretAccessKey };
}

/** Name of a key in policies: a credential of its owner. */
export function credentialUrn(accountId: Id, ownerId: Id, keyId: Id | null = null): string {
  return iamUrn(accountId, 'credential', keyId === null ? ownerId : `${ownerId}/${keyId}`);
}

export interface CreateAccessKeyInput {
  /** Absent: the caller. */
  readonly userId?: Id | null;
  readonly description?: string | null;
  readonly idempotencyKey?: string | null;
}

/** Makes a key of a user: who has it acts as that user. Services have theirs from createService and rotateServiceKey. */
export async function createAccessKey(
  house: House,
  call: Call,
  input: CreateAccessKeyInput,
): Promise<Outcome<IssuedKey>> {
  const problems = problemsOf(checkText('description', input.description, 'description'));
  return change(house, call, issuing(input), async (open) => {
    const { transaction, call } = open;
    const userId = input.userId ?? call.principal.id;
    const refused = open.ask('iam:credentials:createCredential', credentialUrn(call.accountId, userId));
    if (refused !== null) return refused;
    const user = (await transaction.reader.find('user', [userId])).get(userId) ?? null;
    if (user === null) {
      if (input.userId == null)
        return reject(problem('INVALID', 'only users make keys for themselves; use rotateServiceKey'));
      return reject(notFound('user', userId, 'userId'));
    }
    if (problems.length > 0) return reject(...problems);
    const taken = await refuseForeign(open, user);
    if (taken !== null) return taken;
    const held = await transaction.idsWhere('accessKey', { ownerKind: 'USER', ownerId: userId });
    if (held.length >= keysPerOwner) {
      return reject(
        problem('LIMIT_EXCEEDED', `a user has at most ${keysPerOwner} access keys; delete one first`, 'userId', {
          reference: 'akSkNumExceed',
          limit: keysPerOwner,
        }),
      );
    }
    const owner = { ownerKind: 'USER', ownerId: userId, description: input.description ?? '' } as const;
    return succeed(await insertAccessKey(house, open, owner));
  });
}

/** A repeat answers the key and never its secret. */
function issuing(input: CreateAccessKeyInput): ChangeOptions<IssuedKey> {
  const { operation, idempotency } = creating('accessKey', 'createAccessKey', input);
  if (idempotency === undefined) return { operation };
  return {
    operation,
    idempotency: {
      ...idempotency,
      objectId: ({ accessKey }) => accessKey.id,
      reread: async (transaction, id, call) => {
        const accessKey = await idempotency.reread(transaction, id, call);
        return accessKey === null ? null : { accessKey, secretAccessKey: null };
      },
    },
  };
}

export interface UpdateAccessKeyInput {
  readonly id: Id;
  /** Null clears it; absent leaves it. */
  readonly description?: string | null;
  /** A disabled key is refused from the next request on; it can be enabled again. */
  readonly enabled?: boolean | null;
}

export async function updateAccessKey(
  house: House,
  call: Call,
  input: UpdateAccessKeyInput,
): Promise<Outcome<AccessKey>> {
  const problems = problemsOf(checkText('description', input.description, 'description'));
  return change(house, call, { operation: 'updateAccessKey' }, async (open) => {
    const key = await askedKey(open, input.id, 'iam:credentials:updateCredential');
    if (!('sealedSecret' in key)) return key;
    if (problems.length > 0) return reject(...problems);
    const switched = input.enabled != null && input.enabled !== key.enabled;
    if (switched) {
      // To enable a key is to let in again whoever has it; to disable a stronger one's is to lock them out.
      const foreign = await refuseForeignOwner(open, key);
      if (foreign !== null) return foreign;
      if (key.ownerKind === 'USER') await endOtherSessionsOf(open, key.ownerId);
    }
    return succeed(
      await open.transaction.update('accessKey', key.id, {
        ...(input.description === undefined ? {} : { description: input.description ?? '' }),
        ...(input.enabled == null ? {} : { enabled: input.enabled }),
      }),
    );
  });
}

/** Deletes a key for good; its signatures are refused from the next request on. */
export async function deleteAccessKey(
  house: House,
  call: Call,
  input: { readonly id: Id },
): Promise<Outcome<AccessKey>> {
  return change(house, call, { operation: 'deleteAccessKey' }, async (open) => {
    const key = await askedKey(open, input.id, 'iam:credentials:deleteCredential');
    if (!('sealedSecret' in key)) return key;
    const foreign = await refuseForeignOwner(open, key);
    if (foreign !== null) return foreign;
    await open.transaction.remove('accessKey', key.id);
    if (key.ownerKind === 'USER') await endOtherSessionsOf(open, key.ownerId);
    return succeed(key);
  });
}

/** The key, when the exact question about it is allowed; whose it is is not told to others. */
async function askedKey(
  open: OpenChange,
  id: Id,
  action: string,
): Promise<AccessKey | Exclude<Outcome<never>, { kind: 'succeeded' }>> {
  const { transaction, call } = open;
  const key = (await transaction.reader.find('accessKey', [id])).get(id) ?? null;
  const refused = open.ask(action, credentialUrn(call.accountId, key?.ownerId ?? call.principal.id, id));
  if (key === null) return refused ?? reject(notFound('access key', id));
  if (refused === null) return key;
  // Who may change their own keys has passed the door: a key that is another's looks like one that is not there.
  return open.ask(action, credentialUrn(call.accountId, call.principal.id, id)) ?? reject(notFound('access key', id));
}

async function refuseForeignOwner(open: OpenChange, { ownerKind, ownerId }: AccessKey) {
  if (ownerKind === 'SERVICE') return null;
  const user = await open.transaction.get('user', ownerId);
  return user === null ? null : refuseForeign(open, user);
}

/** Whoever has a key acts as its user, so another's is for those who hold what that user holds (rule 5). */
async function refuseForeign(open: OpenChange, user: User) {
  return user.id === open.call.principal.id ? null : refuseTakeover(open, user, 'userId');
}
