/**
 * Signed requests (docs/domain.md sections e2 to e4; rules 22 and 24): whose key it is, whether the signature is right,
 * which scope it names, and that what it changes it changes once. What the owner may do is decided elsewhere.
 */
import { createHash } from 'node:crypto';
import type { BrokenCredential } from './call.js';
import type { House } from './house.js';
import { UniquenessError, type AccessReader, type ChangeOrigin, type Transaction } from './ports.js';
import { DEFAULT_ID, type AccessKey, type AgencySession, type Id, type Instant } from './records.js';
import type { KeyLocks } from './key-locks.js';
import { temporarySecrets } from './temporary-keys.js';
import {
  canonicalRequest,
  dateWindow,
  headerOf,
  isSignature,
  readAuthorization,
  readSignatureDate,
  signCanonical,
  unsignedPayload,
  type ReceivedRequest,
} from '../signatures/index.js';

/** The signature that a call came with. */
export interface SignatureUse {
  readonly keyId: Id;
  /** SHA-256 of key id and signature: what is remembered of a spent one, from which neither can be had. */
  readonly id: Id;
  /** From then on the date of the request refuses it by itself. */
  readonly expiresAt: Instant;
  /** This request was the first to change anything with it, and may go on. */
  readonly spent: boolean;
}

/** What signs: a permanent key of its owner, or the temporary one of a session. */
export type SigningKey =
  | { readonly kind: 'PERMANENT'; readonly key: AccessKey }
  | { readonly kind: 'TEMPORARY'; readonly session: AgencySession };

/** Where keys are looked up, across accounts. */
export type SigningKeys = Pick<AccessReader, 'accessKey' | 'agencySession'>;

export interface SignedRequest {
  readonly signing: SigningKey;
  /** Workspace named by a signed header; null for the account. */
  readonly workspaceId: Id | null;
  readonly use: SignatureUse;
}

/** Headers that a request is refused for when they are there but unsigned: they decide what the request means. */
const meaningful = ['x-workspace-id', 'x-project-id', 'x-domain-id', 'x-security-token', 'x-sdk-content-sha256'];

export interface Presented {
  readonly authorization: string;
  readonly request: ReceivedRequest;
  readonly now: Instant;
  readonly sourceAddress: string | null;
}

/**
 * Checks a signed request: form, date, lock, key, signature, in that order (section e4). The secret is never compared,
 * only signatures are, in constant time, and an unknown key costs what a wrong signature does. Unsigned payloads are
 * refused: a GraphQL body is the request.
 */
export async function verifySignature(
  house: House,
  keys: SigningKeys,
  locks: KeyLocks | null,
  { authorization, request, now, sourceAddress }: Presented,
): Promise<SignedRequest | BrokenCredential> {
  const parts = readAuthorization(authorization);
  if (parts === null) return broken('the Authorization header is not of the form `SDK-HMAC-SHA256 Access=…, …`');
  const date = headerOf(request, 'x-sdk-date');
  const instant = date === null ? null : readSignatureDate(date);
  if (date === null || instant === null || !parts.signedHeaders.includes('x-sdk-date')) {
    return broken('send `X-Sdk-Date` as YYYYMMDDTHHMMSSZ and sign it');
  }
  if (Math.abs(now - instant) > dateWindow) return broken('signature expired; `X-Sdk-Date` is over 15 minutes away');
  const unsigned = meaningful.find((name) => headerOf(request, name) !== null && !parts.signedHeaders.includes(name));
  if (unsigned !== undefined) return broken(`\`${unsigned}\` is sent but not signed; sign it or leave it out`);
  const repeated = parts.signedHeaders.find((name) => request.headers.filter(([key]) => key === name).length > 1);
  if (repeated !== undefined) return broken(`\`${repeated}\` is sent more than once; send it once`);
  const declared = headerOf(request, 'x-sdk-content-sha256');
  if (declared === unsignedPayload) return broken('an unsigned payload is not accepted here; sign the body');

  const { accessKeyId, signature } = parts;
  const until = locks?.lockedUntil(accessKeyId, sourceAddress, now) ?? null;
  if (until !== null) {
    const at = new Date(until).toISOString();
    const message = `too many bad signatures of this key from this address; try again after ${at}`;
    return { message, reference: 'IAM.1104' };
  }
  if (declared !== null && declared !== request.bodySha256) return broken('`X-Sdk-Content-Sha256` is not the body’s');
  const signing = await findSigningKey(keys, accessKeyId);
  const secret = signing === null ? null : secretOf(house, signing);
  const canonical = canonicalRequest(request, parts.signedHeaders);
  const expected = signCanonical(canonical ?? '', date, secret ?? 'no such key');
  const right = isSignature(expected, signature);
  if (signing === null || secret === null || canonical === null || !right) {
    if (locks?.noteFailure(accessKeyId, sourceAddress, now) === true) house.observer.locked('ACCESS_KEY');
    return badSignature;
  }
  locks?.noteSuccess(accessKeyId, sourceAddress);
  const fault = signingFault(house, signing, headerOf(request, 'x-security-token'), now);
  if (fault !== null) return fault;
  const scope = scopeOf(signing, request);
  if ('message' in scope) return scope;
  const id = createHash('sha256').update(`${accessKeyId}\n${signature}`).digest('hex');
  return { signing, ...scope, use: { keyId: accessKeyId, id, expiresAt: instant + dateWindow, spent: false } };
}

export const badSignature: BrokenCredential = broken(
  'verify aksk signature fail; check key, clock and what was signed',
);

export const inactive: BrokenCredential = { message: 'the access key is inactive', reference: 'IAM.1107' };

/** By the id that a signed request names; permanent keys first, of which there are more. */
export async function findSigningKey(keys: SigningKeys, id: string): Promise<SigningKey | null> {
  const key = await keys.accessKey(id);
  if (key !== null) return { kind: 'PERMANENT', key };
  const session = await keys.agencySession(id);
  return session === null ? null : { kind: 'TEMPORARY', session };
}

function secretOf({ sealing }: House, signing: SigningKey): string | null {
  if (signing.kind === 'PERMANENT') return sealing.open(signing.key.sealedSecret, signing.key.id);
  return temporarySecrets(sealing, signing.session.id).secretAccessKey;
}

/** What is wrong with a key whose signature is right; null when it is good. */
function signingFault(
  { sealing }: House,
  signing: SigningKey,
  securityToken: string | null,
  now: Instant,
): BrokenCredential | null {
  if (signing.kind === 'PERMANENT') {
    if (securityToken !== null) return broken('`X-Security-Token` goes with temporary keys; leave it out');
    return signing.key.enabled ? null : inactive;
  }
  const { id, expiresAt } = signing.session;
  if (securityToken === null) return broken('a temporary key needs its `X-Security-Token`; send and sign it');
  if (!isSignature(temporarySecrets(sealing, id).securityToken, securityToken)) {
    return broken('decrypt token fail; `X-Security-Token` is not that of the key');
  }
  if (expiresAt > now) return null;
  return { message: 'the temporary key has expired; assume the agency again', reference: 'IAM.1108' };
}

/** Rule 22: the workspace by `X-Workspace-Id` or `X-Project-Id`, the account by `X-Domain-Id`, else workspace `"0"`. */
function scopeOf(
  signing: SigningKey,
  request: ReceivedRequest,
): { readonly workspaceId: Id | null } | BrokenCredential {
  const workspace = headerOf(request, 'x-workspace-id');
  const project = headerOf(request, 'x-project-id');
  const domain = headerOf(request, 'x-domain-id');
  const named = workspace ?? project;
  if ((workspace !== null && project !== null && workspace !== project) || (named !== null && domain !== null)) {
    const message = 'the scope headers disagree; send one of `X-Workspace-Id`, `X-Project-Id` and `X-Domain-Id`';
    return { ...broken(message), status: 400 };
  }
  if (domain !== null) {
    const { accountId } = signing.kind === 'PERMANENT' ? signing.key : signing.session;
    return domain === accountId
      ? { workspaceId: null }
      : broken('`X-Domain-Id` is not the account of the key; send that or leave it out');
  }
  // A session that is bound to a workspace acts there; naming another is refused as it is opened.
  const usual =
    signing.kind === 'TEMPORARY' && signing.session.workspaceId !== '' ? signing.session.workspaceId : DEFAULT_ID;
  return { workspaceId: named ?? usual };
}

/**
 * Spends a signature, before anything is changed with it: whoever saw the request pass and sends it again finds it
 * spent (rule 24). Of any number that arrive at once, in any number of processes, one is the first.
 */
export async function spendSignature(
  house: House,
  origin: Omit<ChangeOrigin, 'operation'>,
  { id, expiresAt }: SignatureUse,
): Promise<BrokenCredential | null> {
  const { accountId } = origin;
  try {
    const { value: isForgotten } = await house.store.transaction(
      { ...origin, operation: 'spendSignature' },
      async (transaction) => {
        const forgotten = await transaction.get('spentSignature', forgottenId);
        if (forgotten !== null && expiresAt <= forgotten.expiresAt) return { commit: false, value: true };
        await transaction.insert('spentSignature', { id, accountId, expiresAt });
        return { commit: true, value: false };
      },
    );
    return isForgotten
      ? broken('nobody knows any more whether this signed request was received before; sign it again')
      : null;
  } catch (error) {
    if (!(error instanceof UniquenessError)) throw error;
    return broken('this signed request was received before; sign it again');
  }
}

/**
 * The row that says until when the signatures could be used that were forgotten; no hash is spelled like it. By the clock that
 * forgot them they are over, and by one that was set back since, or is another process's, they may not be.
 */
const forgottenId = 'forgotten';

/** Forgets signatures that were over at an instant, at most so many; answers how many. */
export async function forgetSignatures(
  transaction: Transaction,
  accountId: Id,
  before: Instant,
  most: number,
): Promise<number> {
  const { count, until } = await transaction.sweep('spentSignature', before, most, forgottenId);
  if (until === null) return 0;
  const forgotten = await transaction.get('spentSignature', forgottenId);
  if (forgotten === null) {
    await transaction.insert('spentSignature', { id: forgottenId, accountId, expiresAt: until });
  } else if (forgotten.expiresAt < until) {
    await transaction.update('spentSignature', forgottenId, { expiresAt: until });
  }
  return count;
}

/** How often the last use of a key is written down. */
const usePrecision = 5 * 60_000;

/** Writes down when a key was last used, to within five minutes. */
export async function noteUse(
  house: House,
  origin: Omit<ChangeOrigin, 'operation'>,
  { id, lastUsedAt }: AccessKey,
): Promise<void> {
  if (lastUsedAt !== null && origin.at - lastUsedAt < usePrecision) return;
  await house.store.transaction({ ...origin, operation: 'noteKeyUse' }, async (transaction) => {
    // Many requests may come at once: the first has written it.
    const key = await transaction.get('accessKey', id);
    if (key === null || (key.lastUsedAt !== null && origin.at - key.lastUsedAt < usePrecision)) {
      return { commit: false, value: null };
    }
    await transaction.update('accessKey', id, { lastUsedAt: origin.at });
    return { commit: true, value: null };
  });
}

function broken(message: string): BrokenCredential {
  return { message, reference: 'APIG.0301' };
}
