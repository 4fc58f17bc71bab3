/** Which writes can change a decision, and so must empty caches (rule 28). */
import type { Kind } from './records.js';

/** Kinds that no decision reads at all. Whether a second factor was shown is a fact of the session. */
const neutralKinds: ReadonlySet<Kind> = new Set<Kind>([
  'accountSettings',
  'auditChain',
  'auditEvent',
  'idempotencyRecord',
  'keyPair',
  'password',
  'remoteAccess',
  'secondFactor',
  'spentSignature',
  'strangerAttempts',
  'workspaceQuota',
  'workspaceVisit',
]);

/** Columns that no decision reads, whatever their kind. Names stay out: `g:UserName` is a condition key. */
const neutralColumns: ReadonlySet<string> = new Set([
  'description',
  'version',
  'updatedAt',
  'lastUsedAt',
  'scopesLeft',
  'statusDetail',
  'workspacesEnabled',
  'revision',
  'accessRevision',
]);

/** A new session, of a user or an agency, decides nothing for anyone who does not hold its credential; its end does. */
const neutralInserts: ReadonlySet<Kind> = new Set<Kind>(['session', 'agencySession', 'policyVersion']);

/** Whether a write can change what some request is answered: when in doubt, yes. */
export function changesAccess(
  kind: Kind,
  write: 'insert' | 'update' | 'remove',
  columns: readonly string[] = [],
): boolean {
  if (neutralKinds.has(kind)) return false;
  if (write === 'insert') return !neutralInserts.has(kind);
  if (write === 'update') return columns.some((column) => !neutralColumns.has(column));
  return true;
}

/** Kinds whose images never enter the audit trail: their rows hold secrets or are bookkeeping of their own. */
export const unauditedKinds: ReadonlySet<Kind> = new Set<Kind>([
  'auditChain',
  'auditEvent',
  'idempotencyRecord',
  'spentSignature',
  'strangerAttempts',
  // Where somebody works is kept for their console, not for whoever reads the trail.
  'workspaceVisit',
]);

/**
 * Counters that move without anybody having decided anything, some of them by callers without a credential: a change of
 * these alone is no event, or whoever guesses passwords could fill the trail. A lock, or its end, is one.
 */
export const unauditedColumns: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  session: ['scopesLeft'],
  password: ['failures', 'firstFailureAt', 'activeAt'],
  secondFactor: ['lastCounter'],
  accessKey: ['lastUsedAt'],
};

/** Columns left out of audit images because they are secret or derived from a secret. */
export const secretColumns: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  password: ['hash', 'history'],
  secondFactor: ['sealedSecret'],
  accessKey: ['sealedSecret'],
  // Keys and sessions of who assumed it may be another account's.
  agencySession: ['externalIdDigest', 'assumedByKeyId', 'assumedBySessionId'],
};
