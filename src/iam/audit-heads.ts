/**
 * Heads of the audit trail: where an account's chain stands, signed with a key of the installation that is derived from
 * its master key and never changes, since heads are kept for years. What they are good for: docs/audit.md.
 */
import { hkdfSync } from 'node:crypto';
import {
  beginningOf,
  headKeyFrom,
  placeOf,
  signHead,
  type HeadKey,
  type Link,
  type SignedHead,
} from '../audit-chain/index.js';
import type { Call } from './call.js';
import type { House } from './house.js';
import type { Id, Instant } from './records.js';

export type { SignedHead } from '../audit-chain/index.js';

/** @param masterKey 32 bytes kept outside the database */
export function auditHeadKey(masterKey: Uint8Array): HeadKey {
  return headKeyFrom(Buffer.from(hkdfSync('sha256', masterKey, new Uint8Array(0), 'bailiwick audit heads 1', 32)));
}

/** @param end where the chain of the account ends; null when it has none */
export function signedHead(key: HeadKey, account: Id, end: Link | null, now: Instant): SignedHead {
  const { position, hash } = placeOf(end ?? beginningOf(account));
  return signHead(key, { account, position, hash, at: new Date(now).toISOString() });
}

/** The head of the caller's account: of everything that was committed before it was asked for. */
export async function auditHead(
  { store, headKey, now }: Pick<House, 'store' | 'headKey' | 'now'>,
  { accountId }: Pick<Call, 'accountId'>,
): Promise<SignedHead> {
  return signedHead(headKey, accountId, await store.access.auditChain(accountId), now());
}
