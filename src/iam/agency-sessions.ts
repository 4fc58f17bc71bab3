/**
 * Assuming an agency: a temporary key that acts with the agency's rights (rule 26; docs/domain.md sections e1 and f1).
 * Whom the agency trusts and under which conditions: delegation.ts. What is done with the key: signed-requests.ts.
 */
import { agencyUrn } from './agencies.js';
import type { Principal } from './authorizer.js';
import type { Call } from './call.js';
import { change, repeatable, type ChangeOptions, type OpenChange } from './change.js';
import { delegationOf, digestOf, faultOf, readDelegation, type DelegationFacts, type Terms } from './delegation.js';
import type { House } from './house.js';
import { checkText, problemsOf } from './limits.js';
import { problem, reject, succeed, type Outcome, type UserProblem } from './outcome.js';
import { checkPolicyDocument, type DocumentInput } from './policies.js';
import type { Agency, AgencySession, Id, Instant } from './records.js';
import { newTemporaryKeyId, temporarySecrets, type TemporarySecrets } from './temporary-keys.js';

/** Seconds that a session lasts (section e1): 15 minutes unless said, at most a day. */
export const sessionSeconds = { least: 900, most: 86_400, usual: 900 } as const;

export interface AssumeAgencyInput {
  readonly agencyId: Id;
  /** What the session is for; a service names one, an account none. */
  readonly resourceId?: Id | null;
  /** Absent: the owner of the resource. */
  readonly onBehalfOf?: Id | null;
  readonly durationSeconds?: number | null;
  /** Allows nothing by itself: what it does not allow, the session may not. */
  readonly sessionPolicy?: DocumentInput;
  /** For the trail; absent: the name of who assumes. */
  readonly sessionName?: string | null;
  readonly externalId?: string | null;
  readonly idempotencyKey?: string | null;
}

export interface TemporaryCredential extends TemporarySecrets {
  readonly accessKeyId: string;
  readonly expiresAt: Instant;
}

export interface AssumedAgency {
  /** Whom requests signed with the credential act as. */
  readonly actor: Principal;
  readonly session: AgencySession;
  /** Null for an idempotent repeat: it is shown once. */
  readonly temporaryCredential: TemporaryCredential | null;
}

/**
 * Makes a session of an agency: for a service, on behalf of a user and bound to a resource; for somebody of a trusted
 * account, in that agency's account. It ends by itself, and sooner when anything that it stands on is taken back.
 */
export async function assumeAgency(
  house: House,
  call: Call,
  input: AssumeAgencyInput,
): Promise<Outcome<AssumedAgency>> {
  const trusting = await house.store.access.agencyTrusting(call.accountId, input.agencyId);
  const accountId = trusting?.accountId ?? call.accountId;
  return change(house, call, assuming(house, accountId, input), async (open) => {
    const { transaction, call } = open;
    const refused = open.ask('iam:agencies:assume', agencyUrn(accountId, input.agencyId));
    if (refused !== null) return refused;
    if (call.principal.kind === 'AGENCY') {
      return reject(
        problem(
          'TRUST_CONDITION',
          'a session of an agency assumes no other agency; ask with a key of your own',
          'agencyId',
          {
            reference: 'IAM.0002',
          },
        ),
      );
    }
    const agency = await transaction.access.agency(accountId, input.agencyId);
    const terms = await termsOf(house, open, input, accountId, agency);
    const facts = await readDelegation(house, terms, transaction.access);
    const fault = faultOf(terms, facts, call.now);
    const problems = [...purposeProblems(input, agency), ...inputProblems(call, input)];
    // Who is not trusted is told nothing else; a resource that is not named is no resource that is missing.
    if (fault !== null && (fault.path !== 'resourceId' || input.resourceId != null)) {
      const { code, message, path, reference } = fault;
      return reject(problem(code, message, path, { reference }));
    }
    if (problems.length > 0 || agency === null) return reject(...problems);
    const session: AgencySession = { ...terms, startedAt: call.now };
    await transaction.insert('agencySession', session);
    const { id, expiresAt } = session;
    const temporaryCredential = { accessKeyId: id, ...temporarySecrets(house.sealing, id), expiresAt };
    return succeed({ actor: actorOf(agency, session, facts), session, temporaryCredential });
  });
}

/** A repeat answers the session without its credential. */
function assuming(house: House, accountId: Id, input: AssumeAgencyInput): ChangeOptions<AssumedAgency> {
  const options = repeatable<AssumedAgency>('assumeAgency', input, {
    objectId: ({ session }) => session.id,
    reread: async (transaction, id) => {
      const session = await transaction.get('agencySession', id);
      const agency = session === null ? null : await transaction.get('agency', session.agencyId);
      if (session === null || agency === null) return null;
      const facts = await readDelegation(house, session, transaction.access);
      return { actor: actorOf(agency, session, facts), session, temporaryCredential: null };
    },
  });
  return { ...options, accountId };
}

async function termsOf(
  { sealing }: House,
  { transaction, call }: OpenChange,
  input: AssumeAgencyInput,
  accountId: Id,
  agency: Agency | null,
): Promise<Terms> {
  const { principal, now } = call;
  const byAccount = agency?.trustKind === 'ACCOUNT';
  const resource = input.resourceId == null ? null : await transaction.access.resource(accountId, input.resourceId);
  const wanted = now + (input.durationSeconds ?? sessionSeconds.usual) * 1000;
  const { sessionPolicy } = input;
  return {
    id: newTemporaryKeyId(),
    accountId,
    agencyId: input.agencyId,
    assumedByKind: principal.kind === 'SERVICE' ? 'SERVICE' : 'USER',
    assumedById: principal.id,
    assumedByName: principal.name,
    assumedByAccountId: call.accountId,
    assumedByKeyId: call.signature?.keyId ?? '',
    assumedBySessionId: call.session?.id ?? '',
    onBehalfOfId: byAccount ? '' : (input.onBehalfOf ?? resource?.ownerId ?? ''),
    resourceId: byAccount ? '' : (input.resourceId ?? ''),
    workspaceId: byAccount ? agency.workspaceId : (call.scope.workspaceId ?? ''),
    sessionName: input.sessionName ?? principal.name,
    sessionPolicy:
      sessionPolicy == null ? null : typeof sessionPolicy === 'string' ? sessionPolicy : JSON.stringify(sessionPolicy),
    externalIdDigest: digestOf(sealing, input.externalId ?? null),
    sourceAddress: call.environment.sourceAddress ?? '',
    expiresAt: Math.min(wanted, agency?.expiresAt ?? wanted),
  };
}

/** A service says what the session is for; for an account there is nothing to say. */
function purposeProblems({ resourceId, onBehalfOf }: AssumeAgencyInput, agency: Agency | null): readonly UserProblem[] {
  if (agency?.trustKind !== 'ACCOUNT') {
    if (resourceId != null) return [];
    return [problem('INVALID', 'name the resource that the session is for; register it first', 'resourceId')];
  }
  const meaningless = (path: string): UserProblem =>
    problem('INVALID', `\`${path}\` goes with agencies that trust a service; leave it out`, path);
  return problemsOf(
    resourceId == null ? null : meaningless('resourceId'),
    onBehalfOf == null ? null : meaningless('onBehalfOf'),
  );
}

function inputProblems(call: Call, input: AssumeAgencyInput): readonly UserProblem[] {
  const { durationSeconds, sessionPolicy, sessionName } = input;
  const { least, most } = sessionSeconds;
  const lasting = durationSeconds ?? sessionSeconds.usual;
  const duration =
    Number.isInteger(lasting) && lasting >= least && lasting <= most
      ? null
      : problem('INVALID', `a session lasts ${least} to ${most} seconds`, 'durationSeconds', { reference: 'IAM.0007' });
  const checked = sessionPolicy == null ? null : checkPolicyDocument(call, sessionPolicy, 'SESSION', 'sessionPolicy');
  const document = checked === null || 'document' in checked ? [] : checked;
  return [...problemsOf(duration, checkText('sessionName', sessionName, 'sessionName')), ...document];
}

function actorOf(agency: Agency, session: AgencySession, facts: DelegationFacts): Principal {
  const { id, name } = agency;
  return { kind: 'AGENCY', id, name, mfaAt: null, delegation: delegationOf(session, facts) };
}
