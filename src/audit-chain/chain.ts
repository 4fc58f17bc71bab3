/**
 * The chain: each event is hashed together with the hash of the one before, so that the hash of an event stands for it
 * and for everything before it, in that order.
 *
 *     hash of no event = SHA-256("bailiwick audit chain 1" LF account)
 *     hash of an event = SHA-256("bailiwick audit event 1" LF hash before LF canonical JSON of the hashed members)
 *
 * in UTF-8, hashes as 64 hexadecimal digits. INVARIANT: this never changes, or no head that was ever kept fits any more.
 * Another way of hashing begins with other words, from some position on.
 */
import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';
import { EndMisstored } from './misstored.js';

/** A place in the chain of an account: number of the event, counted from 1, and its hash. Position 0 is before the first. */
export interface Link {
  readonly position: number;
  readonly hash: string;
}

/** Every column of an event but its hash. */
export const hashedMembers = [
  'accountId',
  'id',
  'position',
  'revision',
  'sequence',
  'at',
  'operation',
  'actorKind',
  'actorId',
  'actorName',
  'delegation',
  'workspaceId',
  'targetKind',
  'targetId',
  'before',
  'after',
  'requestId',
] as const;

export type HashedMember = (typeof hashedMembers)[number];

/** An event as it may be, rather than as it should: whoever reads one to verify it believes nothing of it. */
export type ChainedEvent = Readonly<Record<HashedMember | 'hash', unknown>>;

/**
 * A place as a database holds it, which may hold anything: nothing is chained to what is none, and no head made of it.
 * Throws EndMisstored.
 */
export function placeOf({ position, hash }: Readonly<Partial<Record<keyof Link, unknown>>>): Link {
  const number = Number(position);
  if (Number.isSafeInteger(number) && typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash))
    return { position: number, hash };
  throw new EndMisstored('where the audit trail ends is no place in a chain; see `bailiwick audit verify`');
}

/** The chains of two accounts have nothing in common, not even their beginning. */
export function beginningOf(account: string): Link {
  return { position: 0, hash: sha256(`bailiwick audit chain 1\n${account}`) };
}

/** The place of an event that follows this one; the event says the same position, or the hash fits nothing. */
export function linkAfter(previous: Link, event: Readonly<Record<HashedMember, unknown>>): Link {
  const hashed = Object.fromEntries(hashedMembers.map((name) => [name, event[name]]));
  const hash = sha256(`bailiwick audit event 1\n${previous.hash}\n${canonicalJson(hashed)}`);
  return { position: previous.position + 1, hash };
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
