/**
 * Whether a session of an agency stands (rules 5 and 26; docs/domain.md sections f1 and f2). One list of conditions for
 * the moment in which the agency is assumed and for every use after it: whatever is taken back — the agency, its trust,
 * the authorization, the user, the resource, the key that signed for it — ends the session at its next request.
 *
 * What the session may do is decided elsewhere, from the agency's grants.
 */
import { liesIn, readAddress, readAddressBlock } from '../policy/index.js';
import type { DecisionReason } from './authorizer.js';
import { mayUserEnter } from './entry.js';
import type { House } from './house.js';
import type { UserErrorCode } from './outcome.js';
import type { Agency, AgencySession, Authorization, Delegation, Instant, Resource, User } from './records.js';

/** Everything that the conditions read, as it is now. */
export interface DelegationFacts {
  readonly agency: Agency | null;
  /** Who assumed it: null when gone, disabled, or when what they proved themselves with has been taken back. */
  readonly assumer: { readonly name: string } | null;
  readonly resource: Resource | null;
  /** Whom it acts for, null when gone. */
  readonly beneficiary: User | null;
  /** Whether that user may enter the session's workspace. */
  readonly mayEnter: boolean;
  /** Of the agencies that trust the assuming service, for the user and for everyone. */
  readonly authorizations: readonly Authorization[];
  /** Keyed hash of the external id that the agency asks for; '' when it asks for none. */
  readonly externalIdDigest: string;
}

/** The first condition that does not hold, as a decision, an answer to the one who assumes, and a broken credential say it. */
export interface DelegationFault {
  readonly reason: DecisionReason;
  readonly code: UserErrorCode;
  readonly message: string;
  readonly path: string;
  readonly reference: string;
}

/** The session as it was made, or would be. */
export type Terms = Omit<AgencySession, 'startedAt'>;

/** Null when every condition holds. */
export function faultOf(terms: Terms, facts: DelegationFacts, now: Instant): DelegationFault | null {
  return agencyFault(terms, facts, now) ?? conditionFault(terms, facts) ?? purposeFault(terms, facts);
}

/** That there is no such agency, and that it trusts somebody else, look alike. */
function agencyFault(terms: Terms, { agency, assumer }: DelegationFacts, now: Instant): DelegationFault | null {
  // Before anything about the agency: whoever reads this must not go looking for a fault there.
  if (assumer === null) {
    return {
      reason: 'CREDENTIAL_REVOKED',
      code: 'TRUST_CONDITION',
      message:
        'the key or session that assumed the agency was taken back, or its owner disabled; assume it again with a good one',
      path: 'agencyId',
      reference: 'IAM.0080',
    };
  }
  const trusted =
    agency !== null &&
    (agency.trustKind === 'SERVICE'
      ? terms.assumedByKind === 'SERVICE' &&
        terms.assumedByAccountId === agency.accountId &&
        assumer.name === agency.trustedId
      : terms.assumedByAccountId === agency.trustedId);
  if (!trusted) {
    return {
      reason: 'TRUST_CONDITION',
      code: 'NOT_FOUND',
      message: 'there is no such agency, or it does not trust who assumes it; ask who made the agency',
      path: 'agencyId',
      reference: 'ModelArts.4335',
    };
  }
  if (agency.expiresAt === null || agency.expiresAt > now) return null;
  return {
    reason: 'AGENCY_EXPIRED',
    code: 'AGENCY_EXPIRED',
    message: `the agency expired at ${new Date(agency.expiresAt).toISOString()}; ask for it to be prolonged`,
    path: 'agencyId',
    reference: 'ModelArts.4335',
  };
}

function conditionFault(terms: Terms, { agency, externalIdDigest }: DelegationFacts): DelegationFault | null {
  const unmet = (message: string, path: string): DelegationFault => {
    return { reason: 'TRUST_CONDITION', code: 'TRUST_CONDITION', message, path, reference: 'IAM.0002' };
  };
  if (externalIdDigest !== '' && externalIdDigest !== terms.externalIdDigest) {
    return unmet('the agency asks for an external id, and this is not it; send the one that was agreed', 'externalId');
  }
  const { sourceAddresses = [], workspaceId = '' } = agency ?? {};
  if (sourceAddresses.length > 0 && !comesFrom(terms.sourceAddress, sourceAddresses)) {
    return unmet('the agency may not be assumed from this address; ask for it to be added', 'agencyId');
  }
  // A session that is bound to no workspace is confined to this one as it is opened.
  if (workspaceId !== '' && terms.workspaceId !== '' && workspaceId !== terms.workspaceId) {
    return unmet('the agency is bound to another workspace; use one that is good here', 'agencyId');
  }
  return null;
}

/** What a service's session is for: its resource, and the user whom it acts for. */
function purposeFault(terms: Terms, facts: DelegationFacts): DelegationFault | null {
  const { agency, resource, beneficiary, authorizations } = facts;
  if (agency?.trustKind === 'ACCOUNT') return null;
  if (
    resource === null ||
    resource.registeredBy !== terms.assumedById ||
    resource.workspaceId !== terms.workspaceId ||
    resource.accountId !== terms.accountId
  ) {
    return {
      reason: 'TRUST_CONDITION',
      code: 'NOT_FOUND',
      message: 'there is no such resource that this service registered in this workspace; register it first',
      path: 'resourceId',
      reference: 'IAM.0004',
    };
  }
  if ((resource.ownerId ?? '') !== terms.onBehalfOfId) {
    return {
      reason: 'TRUST_CONDITION',
      code: 'TRUST_CONDITION',
      message: 'the resource does not belong to the user who is acted for; name its owner',
      path: 'onBehalfOf',
      reference: 'IAM.0002',
    };
  }
  if (terms.onBehalfOfId !== '') {
    if (beneficiary === null || !beneficiary.enabled) {
      return unable('PRINCIPAL_DISABLED', 'the user who is acted for is disabled or gone; enable the user first');
    }
    if (!facts.mayEnter) {
      return unable('WORKSPACE_CLOSED', 'the user who is acted for may not enter the workspace; let the user in first');
    }
  }
  if (governing(authorizations, terms.onBehalfOfId).some(({ agencyId }) => agencyId === terms.agencyId)) return null;
  const whom = terms.onBehalfOfId === '' ? 'all users, as a resource without an owner needs' : 'this user';
  return {
    reason: 'TRUST_CONDITION',
    code: 'NOT_AUTHORIZED',
    message: `no authorization lets the service act through this agency for ${whom}; have \`authorizeAgency\` called`,
    path: 'agencyId',
    reference: terms.onBehalfOfId === '' ? 'ModelArts.2785' : 'ModelArts.0429',
  };
}

function unable(reason: DecisionReason, message: string): DelegationFault {
  return { reason, code: 'NOT_AUTHORIZED', message, path: 'onBehalfOf', reference: 'IAM.0082' };
}

/** A user's own entries win over those for everyone (section f2): whoever has one is not served through the others. */
export function governing(authorizations: readonly Authorization[], userId: string): readonly Authorization[] {
  const own = userId === '' ? [] : authorizations.filter((authorization) => authorization.userId === userId);
  return own.length > 0 ? own : authorizations.filter((authorization) => authorization.userId === '');
}

/** Whether an address lies in one of the blocks; one that is not known lies in none. */
export function comesFrom(address: string, blocks: readonly string[]): boolean {
  const read = readAddress(address);
  if (read === null) return false;
  return blocks.some((text) => {
    const block = readAddressBlock(text);
    return block !== null && liesIn(read, block);
  });
}

/** Reads the facts as they are now. */
export async function readDelegation(
  { store, sealing }: Pick<House, 'store' | 'sealing'>,
  terms: Terms,
  access = store.access,
): Promise<DelegationFacts> {
  const { accountId, agencyId, resourceId, workspaceId, onBehalfOfId } = terms;
  const [agency, assumer, resource, beneficiary, workspace] = await Promise.all([
    access.agency(accountId, agencyId),
    readAssumer(access, terms),
    resourceId === '' ? null : access.resource(accountId, resourceId),
    onBehalfOfId === '' ? null : access.user(accountId, onBehalfOfId),
    workspaceId === '' ? null : access.workspace(accountId, workspaceId),
  ]);
  const [mayEnter, authorizations] = await Promise.all([
    beneficiary === null || workspace === null ? false : mayUserEnter(access, workspace, beneficiary),
    agency?.trustKind === 'SERVICE' ? access.authorizationsFor(accountId, agency.trustedId, onBehalfOfId) : [],
  ]);
  const externalIdDigest = digestOf(sealing, agency?.externalId ?? null);
  return { agency, assumer, resource, beneficiary, mayEnter, authorizations, externalIdDigest };
}

/** What is kept and compared of an external id. */
export function digestOf(sealing: House['sealing'], externalId: string | null): string {
  return externalId === null ? '' : sealing.digest(externalId, 'external id');
}

async function readAssumer(access: House['store']['access'], terms: Terms): Promise<DelegationFacts['assumer']> {
  const { assumedByAccountId: accountId, assumedByKeyId: keyId, assumedBySessionId: sessionId } = terms;
  const [key, session, who] = await Promise.all([
    keyId === '' ? null : access.accessKey(keyId),
    sessionId === '' ? null : access.session(accountId, sessionId),
    terms.assumedByKind === 'SERVICE'
      ? access.service(accountId, terms.assumedById)
      : access.user(accountId, terms.assumedById),
  ]);
  // A session that came to its end in time leaves what was obtained with it; one that was ended does not. It is swept
  // a day later, which no session of an agency outlives by more than its own day.
  const proven =
    keyId === '' ? sessionId !== '' && (session === null || session.endedAt === null) : key?.enabled === true;
  return proven && who !== null && who.enabled ? { name: who.name } : null;
}

/** Who stands behind the session, by the names that they have now. */
export function delegationOf(
  session: AgencySession,
  { beneficiary }: Pick<DelegationFacts, 'beneficiary'>,
): Delegation {
  const { assumedByKind, assumedById, assumedByName, assumedByAccountId } = session;
  return {
    sessionId: session.id,
    sessionName: session.sessionName,
    assumedBy: { kind: assumedByKind, id: assumedById, name: assumedByName, accountId: assumedByAccountId },
    onBehalfOf: beneficiary === null ? null : { id: beneficiary.id, name: beneficiary.name },
  };
}
