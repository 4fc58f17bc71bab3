/**
 * The calls of nobody: what a request is answered as that showed no credential, or one that is not good, and the words for
 * why it is not.
 */
import type { Catalogue } from '../catalogue/index.js';
import { anonymous } from './authorizer.js';
import { Call, type BrokenCredential } from './call.js';
import type { DelegationFault } from './delegation.js';
import type { Reader } from './ports.js';

const nowhere: Reader = {
  scope: { accountId: '', workspaceId: null },
  find: async () => new Map(),
  page: async () => ({ rows: [], hasNext: false, hasPrevious: false }),
  count: async () => 0,
  pagesOf: async (_relation, parentIds) =>
    new Map(parentIds.map((id) => [id, { rows: [], hasNext: false, hasPrevious: false }])),
  countsOf: async (_relation, parentIds) => new Map(parentIds.map((id) => [id, 0])),
};

export const forService: BrokenCredential = {
  message: 'the token was made for a service, which shows it when it asks; send one of signIn or switchScope',
  reference: 'IAM.0067',
};

export const expiredToken: BrokenCredential = {
  message: 'the token has expired; sign in again',
  reference: 'IAM.0066',
};

export const begunAhead: BrokenCredential = {
  message: 'the session was begun by a clock that was ahead of this server; sign in again',
  reference: 'IAM.0067',
};

export const assumedAhead: Pick<DelegationFault, 'message' | 'reference' | 'reason'> = {
  message: 'it was begun by a clock that was ahead of this server; assume the agency again',
  reference: 'IAM.1108',
  reason: 'CREDENTIAL_REVOKED',
};

export const elsewhere: BrokenCredential = {
  message: 'this session is bound to another workspace; name that one or none',
  reference: 'APIG.0301',
  reason: 'WORKSPACE_CLOSED',
};

/** A session of an agency that stands no longer: why, to whoever holds its key. */
export function ended(fault: Pick<DelegationFault, 'message' | 'reference' | 'reason'> | null): BrokenCredential {
  const { message = 'it has expired', reference = 'IAM.1108', reason = 'CREDENTIAL_REVOKED' } = fault ?? {};
  return { message: `the session of the agency has ended: ${message}`, reference, reason };
}

/** The anonymous actor: owns no statement, sees no row. With `broken`, not even public fields answer. */
export function nobodyCall(
  catalogue: Catalogue,
  { requestId, environment }: Pick<Call, 'requestId' | 'environment'>,
  broken: BrokenCredential | null,
): Call {
  return new Call({
    requestId,
    environment,
    catalogue,
    rights: { principal: anonymous, sources: [], unreadable: [] },
    facts: { account: { id: '', name: '' }, workspace: null, open: true },
    scope: nowhere.scope,
    reader: nowhere,
    account: null,
    workspace: null,
    user: null,
    session: null,
    administrator: false,
    broken:
      broken === null
        ? null
        : {
            message: broken.message,
            reference: broken.reference,
            status: broken.status ?? 401,
            reason: broken.reason ?? 'CREDENTIAL_REVOKED',
          },
  });
}
