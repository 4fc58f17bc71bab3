/**
 * Permanent AK/SK keys (docs/domain.md section e1): made, sealed at rest, and checked against a signed request. Today
 * services have them; each signs its own requests and no token is ever handed to it.
 */
import { randomBytes, randomInt } from 'node:crypto';
import type { BrokenCredential } from './call.js';
import type { OpenChange } from './change.js';
import type { House } from './house.js';
import { DEFAULT_ID, type AccessKey, type Id, type Instant } from './records.js';
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
} from './signatures.js';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** Inserts a new key of this owner and answers it with its secret, the only time that the secret is shown. */
export async function insertAccessKey(
  house: House,
  open: OpenChange,
  ownerKind: AccessKey['ownerKind'],
  ownerId: Id,
): Promise<{ readonly accessKeyId: string; readonly secretAccessKey: string }> {
  const accessKeyId = Array.from({ length: 20 }, () => alphabet[randomInt(alphabet.length)]).join('');
  const secretAccessKey = randomBytes(30).toString('base64url');
  await open.transaction.insert('accessKey', {
    id: accessKeyId,
    accountId: open.call.accountId,
    ownerKind,
    ownerId,
    sealedSecret: house.sealing.seal(secretAccessKey, accessKeyId),
    description: '',
    enabled: true,
    lastUsedAt: null,
    createdAt: open.call.now,
  });
  return { accessKeyId, secretAccessKey };
}

export interface SignedScope {
  readonly key: AccessKey;
  /** Workspace named by a signed header; null for the account. */
  readonly workspaceId: Id | null;
}

/** Headers that a request is refused for when they are there but unsigned: they decide what the request means. */
const meaningful = ['x-workspace-id', 'x-project-id', 'x-domain-id', 'x-security-token', 'x-sdk-content-sha256'];

/**
 * Checks a signed request: form, date, key, signature, in that order (docs/domain.md section e4). The secret is never
 * compared, only signatures are, in constant time. Unsigned payloads are refused: a GraphQL body is the request.
 */
export async function verifySignature(
  house: House,
  now: Instant,
  authorization: string,
  request: ReceivedRequest,
): Promise<SignedScope | BrokenCredential> {
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
  const repeated = meaningful.find((name) => request.headers.filter(([key]) => key === name).length > 1);
  if (repeated !== undefined) return broken(`\`${repeated}\` is sent more than once; send it once`);
  const declared = headerOf(request, 'x-sdk-content-sha256');
  if (declared === unsignedPayload) return broken('an unsigned payload is not accepted here; sign the body');
  if (declared !== null && declared !== request.bodySha256) return broken('`X-Sdk-Content-Sha256` is not the body’s');

  const key = await house.store.access.accessKey(parts.accessKeyId);
  const secret = key === null ? null : house.sealing.open(key.sealedSecret, key.id);
  const canonical = canonicalRequest(request, parts.signedHeaders);
  const expected = signCanonical(canonical ?? '', date, secret ?? 'no such key');
  if (key === null || secret === null || canonical === null || !isSignature(expected, parts.signature)) {
    return broken('verify aksk signature fail; check key, clock and what was signed');
  }
  if (!key.enabled || key.ownerKind !== 'SERVICE') {
    return { message: 'the access key is inactive', reference: 'IAM.1107' };
  }
  return scopeOf(key, request);
}

/** Rule 22: the workspace by `X-Workspace-Id` or `X-Project-Id`, the account by `X-Domain-Id`, else workspace `"0"`. */
function scopeOf(key: AccessKey, request: ReceivedRequest): SignedScope | BrokenCredential {
  const workspace = headerOf(request, 'x-workspace-id');
  const project = headerOf(request, 'x-project-id');
  const domain = headerOf(request, 'x-domain-id');
  const named = workspace ?? project;
  if ((workspace !== null && project !== null && workspace !== project) || (named !== null && domain !== null)) {
    return broken('the scope headers disagree; send one of `X-Workspace-Id`, `X-Project-Id` and `X-Domain-Id`');
  }
  if (domain !== null) {
    return domain === key.accountId
      ? { key, workspaceId: null }
      : broken('`X-Domain-Id` is not the account of the key; send that or leave it out');
  }
  return { key, workspaceId: named ?? DEFAULT_ID };
}

function broken(message: string): BrokenCredential {
  return { message, reference: 'APIG.0301' };
}
