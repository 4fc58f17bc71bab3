/**
 * What somebody who is signed in proves once more before a credential is changed: that they know the password, or have
 * the second factor. A failure counts towards the lock as one at sign-in does, or a stolen token would be a way around
 * it. Here one has a session, so a lock is told whatever was sent.
 */
import { settingsOf } from './account-settings.js';
import type { Call } from './call.js';
import { lockedOut } from './faults.js';
import type { House } from './house.js';
import { countedFailure, lockedUntil, noFailures } from './lockout.js';
import { problem, reject, type Invalid } from './outcome.js';
import type { ChangeOrigin, Transaction } from './ports.js';
import type { Id, Instant, SecondFactor } from './records.js';
import { totpCounter } from './totp.js';

export type Proof =
  { readonly kind: 'password'; readonly password: string } | { readonly kind: 'code'; readonly code: string };

/**
 * Checks a proof of the caller. Answers null when it is good, else what to tell.
 *
 * @param path name of the input value that holds the proof
 */
export async function reauthenticate(house: House, call: Call, proof: Proof, path: string): Promise<Invalid | null> {
  const { accountId, now, principal } = call;
  const userId = principal.id;
  const kept = await house.store.access.password(accountId, userId);
  const settings = await settingsOf(house.store.access, accountId);
  const known = proof.kind === 'code' || (await house.passwords.verify(kept?.hash ?? null, proof.password, userId));
  const origin: ChangeOrigin = {
    accountId,
    workspaceId: call.scope.workspaceId,
    operation: 'reauthenticate',
    actorKind: principal.kind,
    actorId: userId,
    actorName: principal.name,
    requestId: call.requestId,
    at: now,
  };
  const { value } = await house.store.transaction<Invalid | null>(origin, async (transaction) => {
    const password = await transaction.get('password', userId);
    const until = password === null ? null : lockedUntil(password, now);
    if (until !== null) return { commit: false, value: reject(lockedOut(until)) };
    const good =
      proof.kind === 'password'
        ? known && password !== null && password.hash === kept?.hash
        : await takeCode(house, transaction, userId, proof.code, now);
    if (password !== null && (!good || password.failures > 0)) {
      await transaction.update('password', userId, good ? noFailures : countedFailure(house, password, settings, now));
    }
    if (good) return { commit: true, value: null };
    return { commit: true, value: proof.kind === 'code' ? wrongCode(path) : wrongPassword(path) };
  });
  return value;
}

async function takeCode(
  house: House,
  transaction: Transaction,
  userId: Id,
  code: string,
  now: Instant,
): Promise<boolean> {
  const factor = await transaction.get('secondFactor', userId);
  const counter = factor === null ? null : takenCounter(house, factor, code, now);
  if (counter === null) return false;
  await transaction.update('secondFactor', userId, { lastCounter: counter });
  return true;
}

/** The time step of a code that this second factor takes now; null for a wrong one and for one that was taken already. */
export function takenCounter(house: House, factor: SecondFactor, code: string, now: Instant): number | null {
  const secret = house.sealing.open(factor.sealedSecret, sealedName(factor));
  const counter = secret === null ? null : totpCounter(secret, code, now);
  return counter !== null && counter > factor.lastCounter ? counter : null;
}

/** Under what name a secret is sealed: moved to the row of another user it cannot be opened. */
export function sealedName({ accountId, id }: Pick<SecondFactor, 'accountId' | 'id'>): string {
  return `second factor ${accountId} ${id}`;
}

export function wrongCode(path: string): Invalid {
  const message = 'the one-time password is wrong or was used already; wait for the next one';
  return reject(problem('CREDENTIALS_INVALID', message, path, { reference: 'IAM.0062' }));
}

function wrongPassword(path: string): Invalid {
  return reject(problem('CREDENTIALS_INVALID', 'the password is wrong; try again', path, { reference: 'IAM.0062' }));
}
