/**
 * Grants: subject × policy × scope, optionally with an end (rule 11). Which action is asked depends on the subject and
 * the scope; giving obeys the no-escalation rule, and so does taking a Deny away.
 */
import { builtInPolicies, fullAccessId, securityAdministratorId } from '../catalogue/index.js';
import { iamUrn } from './authorizer.js';
import type { Call } from './call.js';
import { change, type OpenChange } from './change.js';
import { endReachedDefaults } from './default-access.js';
import { mayUserEnter } from './entry.js';
import { giftOf, giftOfLifting, refuseGain, statementsOf } from './escalation.js';
import { notFound } from './faults.js';
import { newId, type House } from './house.js';
import { problem, reject, succeed, type Outcome, type UserProblem } from './outcome.js';
import type { Transaction } from './ports.js';
import type { Grant, GrantScopeKind, Id, Instant, Policy, SubjectKind, User } from './records.js';
import { documentOf } from './rights.js';
import { voidWarnings } from './void-warnings.js';

/** The exact action of giving or taking, by subject and scope (contract: "exact action by subject × scope"). */
export function grantAction(act: 'grant' | 'revoke', subject: SubjectKind, scope: GrantScopeKind): string {
  if (subject === 'USER') return `bailiwick:permissions:${act === 'grant' ? 'grantToUser' : 'revokeFromUser'}`;
  if (subject === 'SERVICE') return `bailiwick:permissions:${act === 'grant' ? 'grantToService' : 'revokeFromService'}`;
  const kind = subject === 'GROUP' ? 'Group' : 'Agency';
  const verb = act === 'grant' ? `grantRoleTo${kind}` : `revokeRoleFrom${kind}`;
  const reach = scope === 'ALL' ? '' : scope === 'ACCOUNT' ? 'OnDomain' : 'OnProject';
  return `iam:permissions:${verb}${reach}`;
}

/** Every action that can open the door of grantPolicy or revokeGrant; the exact one is asked behind it. */
export const grantDoor = [
  'iam:permissions:grantRoleToGroup',
  'iam:permissions:grantRoleToGroupOnDomain',
  'iam:permissions:grantRoleToGroupOnProject',
  'iam:permissions:grantRoleToAgency',
  'iam:permissions:grantRoleToAgencyOnDomain',
  'iam:permissions:grantRoleToAgencyOnProject',
  'bailiwick:permissions:grantToUser',
  'bailiwick:permissions:grantToService',
] as const;

export const revokeDoor = [
  'iam:permissions:revokeRoleFromGroup',
  'iam:permissions:revokeRoleFromGroupOnDomain',
  'iam:permissions:revokeRoleFromGroupOnProject',
  'iam:permissions:revokeRoleFromAgency',
  'iam:permissions:revokeRoleFromAgencyOnDomain',
  'iam:permissions:revokeRoleFromAgencyOnProject',
  'bailiwick:permissions:revokeFromUser',
  'bailiwick:permissions:revokeFromService',
] as const;

export interface GrantPolicyInput {
  readonly policyId: Id;
  readonly subject: { readonly kind: SubjectKind; readonly id: Id };
  readonly scope: { readonly kind: GrantScopeKind; readonly id: Id };
  readonly expiresAt?: Instant | null;
}

export interface GrantChange {
  readonly grant: Grant;
  /** The policy is project-level and was granted in ACCOUNT, so the grant's scope became ALL (rule 11). */
  readonly widened: boolean;
  /** What the giver should know: what of the policy has no effect there, and roles that it depends on. */
  readonly warnings: readonly string[];
  /** Users whose LOOSE default this ended (rule 12). */
  readonly defaultAccessEnded: readonly User[];
}

/** Grants a policy. A grant that stands already is no fault; another end replaces the one it had. */
export async function grantPolicy(house: House, call: Call, input: GrantPolicyInput): Promise<Outcome<GrantChange>> {
  return change(house, call, { operation: 'grantPolicy' }, (open) => giveGrant(open, input, 'policyId'));
}

/**
 * What `grantPolicy` does, as a part of a larger change.
 *
 * @param path of the input value that says what is given
 */
export async function giveGrant(
  open: OpenChange,
  input: GrantPolicyInput,
  path: string,
): Promise<Outcome<GrantChange>> {
  const { transaction, call } = open;
  const action = grantAction('grant', input.subject.kind, input.scope.kind);
  const refused = open.ask(action, subjectUrn(call.accountId, input.subject));
  if (refused !== null) return refused;
  const found = await findParts(open, input);
  if ('kind' in found) return found;
  const { policy, text } = found;
  const widened = policy.level === 'PROJECT' && input.scope.kind === 'ACCOUNT';
  const grant: Grant = {
    id: newId(),
    accountId: call.accountId,
    policyId: policy.id,
    subjectKind: input.subject.kind,
    subjectId: input.subject.id,
    scopeKind: widened ? 'ALL' : input.scope.kind,
    scopeId: input.scope.id,
    expiresAt: input.expiresAt ?? null,
    createdAt: call.now,
    createdBy: call.principal.id,
  };
  if (widened) {
    const wider = open.ask(grantAction('grant', grant.subjectKind, 'ALL'), subjectUrn(call.accountId, input.subject));
    if (wider !== null) return wider;
  }
  const standing = await standingGrant(transaction, grant);
  const shortened = standing !== null && endsBefore(grant.expiresAt, standing.expiresAt);
  if (shortened && (await isAdministratorsOwn(transaction, standing))) {
    return reject(problem('IMMUTABLE', 'the administrators keep FullAccess for ever', 'expiresAt'));
  }
  // To end a grant earlier is to revoke it in advance: what its Denies keep back is given then.
  const gifts = [giftOf({ grant, text }), ...(shortened ? [giftOfLifting({ grant: standing, text })] : [])];
  const gain = await refuseGain(open, gifts, path);
  if (gain !== null) return gain;
  const restrained = await refuseRestraining(open, grant, text);
  if (restrained !== null) return reject(restrained);
  const stored = await storeGrant(transaction, grant, standing);
  const reached = await usersReachedBy(transaction, [stored]);
  return succeed({
    grant: stored,
    widened,
    warnings: [
      ...(await voidWarnings(open, policy, text, stored)),
      ...(await dependencyWarnings(transaction, policy, text, stored)),
    ],
    defaultAccessEnded: await visibleUsers(transaction, await endReachedDefaults(transaction, reached)),
  });
}

/** Those of these users whom the caller's scope shows: a group granted in a workspace has members who may not enter it. */
async function visibleUsers({ reader }: Transaction, users: readonly User[]): Promise<readonly User[]> {
  const visible = await reader.find(
    'user',
    users.map(({ id }) => id),
  );
  return users.filter(({ id }) => visible.has(id));
}

/** Administrators obey Deny (rule 2), so only an administrator puts one on them. */
async function refuseRestraining(open: OpenChange, grant: Grant, text: string): Promise<UserProblem | null> {
  const { transaction, call } = open;
  if (call.administrator) return null;
  const denied = statementsOf(text, 'DENY').flatMap(({ actions }) => actions);
  if (denied.length === 0) return null;
  const administers =
    grant.subjectKind === 'GROUP'
      ? (await transaction.get('group', grant.subjectId))?.builtIn === true
      : grant.subjectKind === 'USER' && (await transaction.access.isAdministrator(call.accountId, grant.subjectId));
  if (!administers) return null;
  return problem('NOT_HELD', 'only an administrator denies an administrator anything; ask one', 'subject', {
    reference: 'IAM.0003',
    actions: denied,
  });
}

/** Takes a grant away; it binds from the next request on. */
export async function revokeGrant(house: House, call: Call, input: { readonly id: Id }): Promise<Outcome<Grant>> {
  return change(house, call, { operation: 'revokeGrant' }, (open) => takeGrant(open, input));
}

/** What `revokeGrant` does, as a part of a larger change. */
export async function takeGrant(open: OpenChange, input: { readonly id: Id }): Promise<Outcome<Grant>> {
  const { transaction, call } = open;
  // Asked before it is known whether the grant exists: a stranger learns nothing (rule 19).
  const grant = (await transaction.reader.find('grant', [input.id])).get(input.id) ?? null;
  if (grant === null) {
    const refusals = revokeDoor.map((action) => open.ask(action, null));
    const refused = refusals.every((refusal) => refusal !== null) ? refusals[0] : null;
    return refused ?? reject(notFound('grant', input.id));
  }
  const subject = { kind: grant.subjectKind, id: grant.subjectId };
  const refused = open.ask(
    grantAction('revoke', grant.subjectKind, grant.scopeKind),
    subjectUrn(call.accountId, subject),
  );
  if (refused !== null) return refused;
  const elsewhere = outsideWorkspace(call, grant.scopeKind, grant.scopeId, 'id');
  if (elsewhere !== null) return reject(elsewhere);
  if (await isAdministratorsOwn(transaction, grant)) {
    return reject(problem('IMMUTABLE', 'the administrators keep FullAccess; leave the group instead', 'id'));
  }
  const policy = await transaction.get('policy', grant.policyId);
  const version =
    policy === null ? null : await transaction.access.policyVersion(call.accountId, policy.id, policy.defaultVersion);
  const gain = await refuseGain(open, [giftOfLifting({ grant, text: version?.text ?? '' })], 'id');
  if (gain !== null) return gain;
  await transaction.remove('grant', grant.id);
  return succeed(grant);
}

/** Ids of the users whom these grants reach, straight or through their group. */
export async function usersReachedBy(
  transaction: Transaction,
  grants: readonly Pick<Grant, 'subjectKind' | 'subjectId'>[],
): Promise<readonly Id[]> {
  const reached = new Set<Id>();
  for (const { subjectKind, subjectId } of grants) {
    if (subjectKind === 'USER') reached.add(subjectId);
    if (subjectKind !== 'GROUP') continue;
    for (const id of await transaction.access.userIdsOfGroup(transaction.origin.accountId, subjectId)) reached.add(id);
  }
  return [...reached];
}

async function findParts(
  open: OpenChange,
  input: GrantPolicyInput,
): Promise<{ readonly policy: Policy; readonly text: string } | ReturnType<typeof reject>> {
  const { transaction, call } = open;
  const { reader } = transaction;
  const faults: UserProblem[] = [];
  const policy = (await reader.find('policy', [input.policyId])).get(input.policyId) ?? null;
  if (policy === null) faults.push(notFound('policy', input.policyId, 'policyId'));
  const subjectKind = subjectRecord[input.subject.kind];
  if (!(await reader.find(subjectKind, [input.subject.id])).has(input.subject.id)) {
    faults.push(notFound(subjectKind, input.subject.id, 'subject'));
  }
  const elsewhere = outsideWorkspace(call, input.scope.kind, input.scope.id, 'scope');
  if (elsewhere !== null) faults.push(elsewhere);
  else if (input.scope.kind === 'WORKSPACE' && !(await isEnterable(open, input.scope.id))) {
    faults.push(notFound('workspace', input.scope.id, 'scope', 'ModelArts.0102'));
  } else if (
    input.scope.kind === 'ENTERPRISE_PROJECT' &&
    (await transaction.get('enterpriseProject', input.scope.id)) === null
  ) {
    faults.push(notFound('enterprise project', input.scope.id, 'scope'));
  }
  if (input.expiresAt != null && input.expiresAt <= call.now) {
    faults.push(problem('INVALID', 'the grant would have expired already; give a time in the future', 'expiresAt'));
  }
  if (builtInPolicies.some(({ id }) => id === policy?.id)) {
    faults.push(
      problem('RESERVED', 'this policy is held by rule and cannot be granted; choose another or write one', 'policyId'),
    );
  }
  if (input.subject.kind === 'AGENCY' && policy?.id === securityAdministratorId) {
    faults.push(
      problem(
        'RESERVED',
        'Security Administrator is never granted to an agency; choose a narrower policy',
        'policyId',
        {
          reference: 'IAM.0003',
        },
      ),
    );
  }
  if (policy === null || faults.length > 0) return reject(...faults);
  const version = await transaction.access.policyVersion(call.accountId, policy.id, policy.defaultVersion);
  return { policy, text: version?.text ?? '' };
}

/** A workspace that one may not enter looks like one that does not exist, here too. */
export async function isEnterable({ transaction, call }: OpenChange, id: Id): Promise<boolean> {
  const workspace = await transaction.get('workspace', id);
  if (workspace === null) return false;
  return call.user === null ? id === call.scope.workspaceId : mayUserEnter(transaction.access, workspace, call.user);
}

/** From inside a workspace one grants and revokes for that workspace only. */
function outsideWorkspace(call: Call, kind: GrantScopeKind, id: Id, path: string): UserProblem | null {
  const here = call.scope.workspaceId;
  if (here === null || (kind === 'WORKSPACE' && id === here)) return null;
  return problem(
    'INVALID',
    'inside a workspace only grants for this workspace can be made or revoked; switch to account scope for others',
    path,
  );
}

/** The grant of the same policy to the same subject in the same scope, if there is one. */
async function standingGrant(transaction: Transaction, grant: Grant): Promise<Grant | null> {
  const { policyId, subjectKind, subjectId, scopeKind, scopeId } = grant;
  const [id] = await transaction.idsWhere('grant', { policyId, subjectKind, subjectId, scopeKind, scopeId });
  return id === undefined ? null : transaction.get('grant', id);
}

function endsBefore(end: Instant | null, other: Instant | null): boolean {
  return end !== null && (other === null || end < other);
}

/** FullAccess of the group `admin` in ALL: neither revoked nor given an end (rule 2). */
async function isAdministratorsOwn(transaction: Transaction, grant: Grant): Promise<boolean> {
  if (grant.subjectKind !== 'GROUP' || grant.policyId !== fullAccessId || grant.scopeKind !== 'ALL') return false;
  return (await transaction.get('group', grant.subjectId))?.builtIn === true;
}

async function storeGrant(transaction: Transaction, grant: Grant, standing: Grant | null): Promise<Grant> {
  if (standing === null) {
    await transaction.insert('grant', grant);
    return grant;
  }
  if (standing.expiresAt === grant.expiresAt) return standing;
  return transaction.update('grant', standing.id, { expiresAt: grant.expiresAt });
}

/** A role of version 1.0 may depend on others that must be granted in the same scope (docs/domain.md section a6). */
async function dependencyWarnings(
  transaction: Transaction,
  policy: Policy,
  text: string,
  grant: Grant,
): Promise<readonly string[]> {
  const depends = documentOf(text)?.depends ?? [];
  if (depends.length === 0) return [];
  const attachments = await transaction.access.attachments(transaction.origin.accountId, grant.subjectKind, [
    grant.subjectId,
  ]);
  const held = new Set((attachments.get(grant.subjectId) ?? []).map((attachment) => attachment.policy.name));
  return depends
    .filter(({ displayName }) => !held.has(displayName))
    .map(({ displayName }) => `\`${policy.name}\` depends on \`${displayName}\`; grant that in the same scope too`);
}

const subjectRecord = { USER: 'user', GROUP: 'group', AGENCY: 'agency', SERVICE: 'service' } as const;

function subjectUrn(accountId: Id, subject: GrantPolicyInput['subject']): string {
  return iamUrn(accountId, subjectRecord[subject.kind], subject.id);
}
