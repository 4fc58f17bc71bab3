/**
 * Second factors: one device of a user that makes one-time passwords. Made, then confirmed by a first code, and asked for
 * at every sign-in from then on. Its secret is shown once and sealed at rest.
 */
import { iamUrn } from './authorizer.js';
import type { Call } from './call.js';
import { change, type ChangeOptions } from './change.js';
import { notFound } from './faults.js';
import type { House } from './house.js';
import { problem, refuse, reject, succeed, type Invalid, type Outcome } from './outcome.js';
import type { Id, SecondFactor, User } from './records.js';
import { reauthenticate, sealedName, takenCounter, wrongCode } from './reauthentication.js';
import { refuseTakeover } from './takeover.js';
import { newTotpSecret, totpUri } from './totp.js';

/** A second factor with what is shown of it once, when it is made. */
export interface MadeSecondFactor {
  readonly secondFactor: SecondFactor;
  /** Base32; null in the answer to a repeat. */
  readonly secret: string | null;
  /** For a QR code; null in the answer to a repeat. */
  readonly uri: string | null;
}

/** URN of the second factors of a user, and of the one that there can be (docs/domain.md section m1). */
const allOf = (accountId: Id, userId: Id): string => iamUrn(accountId, 'mfa', userId);
const oneOf = (accountId: Id, userId: Id): string => `${allOf(accountId, userId)}/totp`;

/** Makes the caller's second factor, in place of one that was never confirmed. It is asked for once it is confirmed. */
export async function createSecondFactor(
  house: House,
  call: Call,
  input: { readonly idempotencyKey?: string | null },
): Promise<Outcome<MadeSecondFactor>> {
  const options: ChangeOptions<MadeSecondFactor> = {
    operation: 'createSecondFactor',
    ...(input.idempotencyKey == null
      ? {}
      : {
          idempotency: {
            key: input.idempotencyKey,
            input: {},
            objectId: ({ secondFactor }) => secondFactor.id,
            reread: async (transaction, id) => {
              const secondFactor = await transaction.get('secondFactor', id);
              return secondFactor === null ? null : { secondFactor, secret: null, uri: null };
            },
          },
        }),
  };
  return change(house, call, options, async (open) => {
    const { transaction, call } = open;
    const { accountId, user, account } = call;
    const refused = open.ask('iam:mfa:createVirtualMFADevice', allOf(accountId, call.principal.id));
    if (refused !== null) return refused;
    if (user === null || account === null) return reject(forUsersOnly());
    const kept = await transaction.get('secondFactor', user.id);
    if (kept !== null && kept.confirmedAt !== null) {
      const message = 'a user has one second factor; delete the one that there is first';
      return reject(problem('LIMIT_EXCEEDED', message, null, { limit: 1 }));
    }
    if (kept !== null) await transaction.remove('secondFactor', user.id);
    const secret = newTotpSecret();
    const secondFactor: SecondFactor = {
      id: user.id,
      accountId,
      sealedSecret: house.sealing.seal(secret, sealedName({ accountId, id: user.id })),
      confirmedAt: null,
      lastCounter: 0,
      createdAt: call.now,
    };
    await transaction.insert('secondFactor', secondFactor);
    return succeed({ secondFactor, secret, uri: totpUri(secret, account.name, user.name) });
  });
}

/**
 * Confirms the caller's second factor with a first code: from now on sign-in asks for it. The session stays one without:
 * whoever has only a token must not come to act as somebody who showed a second factor.
 */
export async function confirmSecondFactor(
  house: House,
  call: Call,
  input: { readonly code: string },
): Promise<Outcome<SecondFactor>> {
  return change(house, call, { operation: 'confirmSecondFactor' }, async (open) => {
    const { transaction, call } = open;
    const refused = open.ask('iam:mfa:bindMFADevice', oneOf(call.accountId, call.principal.id));
    if (refused !== null) return refused;
    if (call.user === null) return reject(forUsersOnly());
    const factor = await transaction.get('secondFactor', call.user.id);
    if (factor === null) return reject(problem('NOT_FOUND', 'there is no second factor yet; make one first'));
    if (factor.confirmedAt !== null) return reject(problem('CONFLICT', 'the second factor is confirmed already'));
    const counter = takenCounter(house, factor, input.code, call.now);
    if (counter === null) return wrongCode('code');
    const changed = { confirmedAt: call.now, lastCounter: counter };
    return succeed(await transaction.update('secondFactor', factor.id, changed));
  });
}

export interface DeleteSecondFactorInput {
  /** Absent: the caller. */
  readonly userId?: Id | null;
  /** For one's own, one of the two. */
  readonly code?: string | null;
  readonly password?: string | null;
}

/**
 * Takes a second factor away: one's own with a present code or the password, or whoever finds a token could; another's
 * with the right to, as long as that user is not stronger than the caller.
 */
export async function deleteSecondFactor(
  house: House,
  call: Call,
  input: DeleteSecondFactorInput,
): Promise<Outcome<User>> {
  const userId = input.userId ?? call.principal.id;
  const resource = oneOf(call.accountId, userId);
  const own = userId === call.principal.id;
  const decision = call.decide({ action: 'iam:mfa:deleteVirtualMFADevice', resource });
  if (decision.effect !== 'ALLOW') return refuse(decision);
  const unproved = own ? await proveOneself(house, call, input) : null;
  if (unproved !== null) return unproved;
  return change(house, call, { operation: 'deleteSecondFactor' }, async (open) => {
    const { transaction } = open;
    const refused = open.ask('iam:mfa:deleteVirtualMFADevice', resource);
    if (refused !== null) return refused;
    const user = own ? call.user : ((await transaction.reader.find('user', [userId])).get(userId) ?? null);
    if (user === null) return reject(own ? forUsersOnly() : notFound('user', userId, 'userId'));
    const factor = await transaction.get('secondFactor', userId);
    if (factor === null) return reject(problem('NOT_FOUND', 'the user has no second factor', 'userId'));
    // Taking a confirmed one away unbinds it, which is a right of its own.
    const kept = factor.confirmedAt === null ? null : open.ask('iam:mfa:unbindMFADevice', resource);
    if (kept !== null) return kept;
    const gain = own ? null : await refuseTakeover(open, user, 'userId');
    if (gain !== null) return gain;
    await transaction.remove('secondFactor', userId);
    return succeed(user);
  });
}

async function proveOneself(house: House, call: Call, input: DeleteSecondFactorInput): Promise<Invalid | null> {
  const { code, password } = input;
  if (call.user === null) return reject(forUsersOnly());
  if (code != null) return reauthenticate(house, call, { kind: 'code', code }, 'code');
  if (password != null) {
    return reauthenticate(house, call, { kind: 'password', password }, 'password');
  }
  return reject(problem('INVALID', 'send a present one-time password, or your password', 'code'));
}

function forUsersOnly() {
  return problem('INVALID', 'only a user has a second factor; sign in as one');
}
