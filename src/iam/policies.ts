/**
 * Custom policies and their versions. A version is immutable; which one is in use is a property of the policy, and
 * changing that is changing what every holder may do, so it obeys the no-escalation rule. The text of a document is kept
 * byte for byte (rule 7).
 */
import { changeOfPolicies, checkDocument, mayWiden, policyLevel, type DocumentPurpose } from '../catalogue/index.js';
import { parsePolicy, type PolicyDocument, type Problem, type Statement } from '../policy/index.js';
import { iamUrn } from './authorizer.js';
import type { Call } from './call.js';
import { change, creating, type ChangeOptions, type OpenChange, repeatable } from './change.js';
import { endReachedDefaults } from './default-access.js';
import { denialsOf, entersByGrant, lift, refuseGain, statementsOf, type Gift } from './escalation.js';
import { isNameTaken, nameTaken, notFound, versionConflict } from './faults.js';
import { usersReachedBy } from './grants.js';
import { newId, type House } from './house.js';
import { checkText, problemsOf, quotas } from './limits.js';
import { problem, reject, succeed, type Outcome, type UserProblem } from './outcome.js';
import type { Grant, Id, Policy, PolicyVersion, User } from './records.js';
import { documentOf } from './rights.js';
import { standingVoidWarnings } from './void-warnings.js';

/** A document as a caller sends it: text is kept as it is; a value is kept as its compact JSON. */
export type DocumentInput = unknown;

interface CheckedDocument {
  readonly document: PolicyDocument;
  readonly text: string;
}

/**
 * Problems of a document against the grammar and the account's catalogue, warnings included; nothing is stored. A
 * document of the system's own is held to the grammar of system documents.
 */
export function reviewDocument(
  call: Pick<Call, 'catalogue'>,
  input: DocumentInput,
  origin: Policy['origin'] = 'CUSTOM',
): readonly Problem[] {
  const parsed = parsePolicy(input, origin);
  return [...parsed.problems, ...checkDocument(parsed, call.catalogue)];
}

/** A document that may be stored, or what keeps it from being; `path` names it in the input. */
export function checkPolicyDocument(
  call: Pick<Call, 'catalogue'>,
  input: DocumentInput,
  purpose: DocumentPurpose = 'GRANT',
  path = 'document',
): CheckedDocument | readonly UserProblem[] {
  const parsed = parsePolicy(input, 'CUSTOM');
  const errors = [...parsed.problems, ...checkDocument(parsed, call.catalogue, purpose)].filter(
    ({ severity }) => severity === 'ERROR',
  );
  if (parsed.document !== null && errors.length === 0) {
    return { document: parsed.document, text: typeof input === 'string' ? input : JSON.stringify(input) };
  }
  return errors.map(({ code, message, pointer, line, column }) =>
    problem('POLICY_DOCUMENT', message, path, { reference: code, pointer, line, column }),
  );
}

export interface CreatePolicyInput {
  readonly name: string;
  readonly description?: string | null;
  readonly document: DocumentInput;
  readonly idempotencyKey?: string | null;
}

export async function createPolicy(house: House, call: Call, input: CreatePolicyInput): Promise<Outcome<Policy>> {
  const checked = checkPolicyDocument(call, input.document);
  return change(house, call, creating('policy', 'createPolicy', input), (open) => storePolicy(open, input, checked));
}

/** What `createPolicy` does, as a part of a larger change. */
export async function storePolicy(
  open: OpenChange,
  input: Pick<CreatePolicyInput, 'name' | 'description' | 'document'>,
  checked = checkPolicyDocument(open.call, input.document),
): Promise<Outcome<Policy>> {
  const { call } = open;
  const refused = open.ask('iam:roles:createRole', null);
  if (refused !== null) return refused;
  const problems = [
    ...problemsOf(
      checkText('policyName', input.name, 'name'),
      checkText('description', input.description, 'description'),
    ),
    ...('document' in checked ? [] : checked),
  ];
  if (problems.length > 0 || !('document' in checked)) return reject(...problems);
  if (await isNameTaken(open, 'policy', input.name)) {
    return reject(nameTaken('policy', input.name, 'IAM.0005'));
  }
  const policy: Policy = {
    id: newId(),
    accountId: call.accountId,
    name: input.name,
    description: input.description ?? '',
    origin: 'CUSTOM',
    level: policyLevel(checked.document),
    defaultVersion: 1,
    latestVersion: 1,
    version: 1,
    createdAt: call.now,
    updatedAt: call.now,
  };
  await open.transaction.insert('policy', policy);
  await open.transaction.insert('policyVersion', versionOf(call, policy.id, 1, checked.text));
  return succeed(policy);
}

export interface CreatePolicyVersionInput {
  readonly policyId: Id;
  readonly document: DocumentInput;
  /** Whether the new version is in use at once. */
  readonly setAsDefault?: boolean | null;
  readonly idempotencyKey?: string | null;
}

export interface PolicyChange {
  readonly policy: Policy;
  readonly policyVersion: PolicyVersion;
  /** Users whose LOOSE default this ended (rule 12). */
  readonly defaultAccessEnded: readonly User[];
  /** What of the version that is in use now has no effect where the policy is granted; not what had none before. */
  readonly warnings: readonly string[];
}

/** Adds a version; at most five are kept (docs/domain.md section a5). */
export async function createPolicyVersion(
  house: House,
  call: Call,
  input: CreatePolicyVersionInput,
): Promise<Outcome<PolicyChange>> {
  const checked = checkPolicyDocument(call, input.document);
  return change(house, call, creatingVersion(input), (open) => storeVersion(open, input, 'policyId', checked));
}

/**
 * What `createPolicyVersion` does, as a part of a larger change.
 *
 * @param path of the input value that names the policy
 */
export async function storeVersion(
  open: OpenChange,
  input: Omit<CreatePolicyVersionInput, 'idempotencyKey'>,
  path: string,
  checked = checkPolicyDocument(open.call, input.document),
): Promise<Outcome<PolicyChange>> {
  const { transaction, call } = open;
  const policy = await changeablePolicy(open, 'iam:roles:updateRole', input.policyId, path);
  if ('kind' in policy) return policy;
  if (!('document' in checked)) return reject(...checked);
  const level = policyLevel(checked.document);
  if (level !== policy.level) return reject(levelChanged(policy.level));
  const kept = await transaction.idsWhere('policyVersion', { policyId: policy.id });
  if (kept.length >= quotas.policyVersions) {
    return reject(
      problem(
        'LIMIT_EXCEEDED',
        `a policy keeps at most ${quotas.policyVersions} versions; delete one that is not in use first`,
        path,
        { reference: 'IAM.1115', limit: quotas.policyVersions },
      ),
    );
  }
  const policyVersion = versionOf(call, policy.id, policy.latestVersion + 1, checked.text);
  await transaction.insert('policyVersion', policyVersion);
  const numbered = await transaction.update('policy', policy.id, { latestVersion: policyVersion.number });
  if (input.setAsDefault !== true)
    return succeed({ policy: numbered, policyVersion, defaultAccessEnded: [], warnings: [] });
  return useVersion(open, numbered, policyVersion, path);
}

/** A repeat answers the version that the first one made; whose default that ended was told then. */
function creatingVersion(input: CreatePolicyVersionInput): ChangeOptions<PolicyChange> {
  return repeatable('createPolicyVersion', input, {
    objectId: ({ policyVersion }) => policyVersion.id,
    reread: async (transaction, id) => {
      const policyVersion = await transaction.get('policyVersion', id);
      const policy = policyVersion === null ? null : await transaction.get('policy', policyVersion.policyId);
      return policy === null || policyVersion === null
        ? null
        : { policy, policyVersion, defaultAccessEnded: [], warnings: [] };
    },
  });
}

export interface PolicyVersionInput {
  readonly policyId: Id;
  readonly number: number;
}

export interface SetDefaultPolicyVersionInput extends PolicyVersionInput {
  /** The policy's version that the caller read. */
  readonly expectedVersion?: number | null;
}

/** Puts a version in use for every grant of the policy, from the next request on. */
export async function setDefaultPolicyVersion(
  house: House,
  call: Call,
  input: SetDefaultPolicyVersionInput,
): Promise<Outcome<PolicyChange>> {
  return change(house, call, { operation: 'setDefaultPolicyVersion' }, (open) => switchVersion(open, input));
}

/** What `setDefaultPolicyVersion` does, as a part of a larger change. */
export async function switchVersion(
  open: OpenChange,
  input: SetDefaultPolicyVersionInput,
): Promise<Outcome<PolicyChange>> {
  const policy = await changeablePolicy(open, 'iam:roles:updateRole', input.policyId, 'policyId');
  if ('kind' in policy) return policy;
  const stale = versionConflict(policy.version, input.expectedVersion);
  if (stale !== null) return reject(stale);
  const version = await open.transaction.get('policyVersion', `${policy.id}.${input.number}`);
  if (version === null) return reject(notFound('version', String(input.number), 'number'));
  return useVersion(open, policy, version, 'policyId');
}

/** Deletes a version that is not in use. Its number is never used again. */
export async function deletePolicyVersion(
  house: House,
  call: Call,
  input: PolicyVersionInput,
): Promise<Outcome<PolicyChange>> {
  return change(house, call, { operation: 'deletePolicyVersion' }, (open) => eraseVersion(open, input));
}

/** What `deletePolicyVersion` does, as a part of a larger change. */
export async function eraseVersion(open: OpenChange, input: PolicyVersionInput): Promise<Outcome<PolicyChange>> {
  const policy = await changeablePolicy(open, 'iam:roles:updateRole', input.policyId, 'policyId');
  if ('kind' in policy) return policy;
  const policyVersion = await open.transaction.get('policyVersion', `${policy.id}.${input.number}`);
  if (policyVersion === null) return reject(notFound('version', String(input.number), 'number'));
  if (policyVersion.number === policy.defaultVersion) {
    return reject(problem('IN_USE', 'this version is in use; set another as default first', 'number'));
  }
  await open.transaction.remove('policyVersion', policyVersion.id);
  return succeed({ policy, policyVersion, defaultAccessEnded: [], warnings: [] });
}

/** Deletes a custom policy that nobody holds. */
export async function deletePolicy(house: House, call: Call, input: { readonly id: Id }): Promise<Outcome<Policy>> {
  return change(house, call, { operation: 'deletePolicy' }, (open) => erasePolicy(open, input));
}

/** What `deletePolicy` does, as a part of a larger change. */
export async function erasePolicy(open: OpenChange, input: { readonly id: Id }): Promise<Outcome<Policy>> {
  const { call } = open;
  const policy = await changeablePolicy(open, 'iam:roles:deleteRole', input.id, 'id');
  if ('kind' in policy) return policy;
  const grants = await open.transaction.access.grantsOfPolicy(call.accountId, policy.id);
  if (grants.length > 0) {
    const [count, them] = grants.length === 1 ? ['one grant uses', 'it'] : [`${grants.length} grants use`, 'them'];
    return reject(problem('IN_USE', `${count} this policy; revoke ${them} first`, 'id', { reference: 'IAM.0005' }));
  }
  for (const id of await open.transaction.idsWhere('policyVersion', { policyId: policy.id })) {
    await open.transaction.remove('policyVersion', id);
  }
  await open.transaction.remove('policy', policy.id);
  return succeed(policy);
}

async function changeablePolicy(
  open: OpenChange,
  action: string,
  id: Id,
  path: string,
): Promise<Policy | Exclude<Outcome<never>, { kind: 'succeeded' }>> {
  const refused = open.ask(action, iamUrn(open.call.accountId, 'policy', id));
  if (refused !== null) return refused;
  const policy = await open.transaction.get('policy', id);
  if (policy === null) return reject(notFound('policy', id, path));
  if (policy.origin === 'SYSTEM') {
    return reject(
      problem('IMMUTABLE', 'a system policy cannot be changed or deleted; copy it into one of yours', path),
    );
  }
  return policy;
}

async function useVersion(
  open: OpenChange,
  policy: Policy,
  policyVersion: PolicyVersion,
  path: string,
): Promise<Outcome<PolicyChange>> {
  const { transaction, call } = open;
  const current = await transaction.access.policyVersion(call.accountId, policy.id, policy.defaultVersion);
  const grants = await transaction.access.grantsOfPolicy(call.accountId, policy.id);
  const gain = await refuseGain(open, giftsOfSwitch(current?.text ?? '', policyVersion.text, grants), path);
  if (gain !== null && mayGain(call, current?.text ?? '', policyVersion.text)) return gain;
  const changed = await transaction.update('policy', policy.id, { defaultVersion: policyVersion.number });
  const defaultAccessEnded = await endReachedDefaults(transaction, await usersReachedBy(transaction, grants));
  const texts = { before: current?.text ?? '', after: policyVersion.text };
  const warnings = await standingVoidWarnings(open, changed, texts, grants);
  return succeed({ policy: changed, policyVersion, defaultAccessEnded, warnings });
}

/** Whether a holder of both texts, one after the other, may gain anything, whatever else they hold. */
function mayGain({ catalogue }: Call, before: string, after: string): boolean {
  const sourcesOf = (text: string) => {
    const document = documentOf(text);
    return document === null ? null : [{ name: '', document, origin: null }];
  };
  const [then, now] = [sourcesOf(before), sourcesOf(after)];
  if (then === null || now === null) return true;
  return mayWiden(changeOfPolicies(then, now, catalogue, { steps: mostSteps }).verdictBesideOthers);
}

/** A change waits for it while it keeps others from writing; what is not known by then counts as a gain. */
const mostSteps = 100_000;

/** What holders gain when one text takes the place of another: its new Allows, and the Denies that go. */
function giftsOfSwitch(before: string, after: string, grants: readonly Grant[]): readonly Gift[] {
  const known = new Set(statementsOf(before, 'ALLOW').flatMap(byAction).map(meaning));
  const stays = new Set(statementsOf(after, 'DENY').flatMap(byAction).map(meaning));
  const allowed = statementsOf(after, 'ALLOW').flatMap(byAction);
  const denied = statementsOf(before, 'DENY').flatMap(byAction);
  const gained = [
    ...allowed.filter((statement) => !known.has(meaning(statement))),
    ...lift(denied.filter((statement) => !stays.has(meaning(statement)))),
  ];
  const denials = denialsOf(after);
  return grants.map((grant) => ({
    statements: gained,
    denials,
    scope: grant,
    expiresAt: grant.expiresAt,
    entersByGrant: entersByGrant(grant),
  }));
}

/** One statement for each action, so that those which are said in another statement now are no gain. */
function byAction(statement: Statement): readonly Statement[] {
  if (statement.notActions !== null) return [statement];
  return statement.actions.map((action) => ({ ...statement, actions: [action] }));
}

/** What a statement says, apart from where it stands and what it is called. */
function meaning(statement: Statement): string {
  const { index: _index, sid: _sid, ...rest } = statement;
  return JSON.stringify(rest);
}

function levelChanged(level: Policy['level']): UserProblem {
  const kind =
    level === 'GLOBAL' ? 'account-level' : level === 'PROJECT' ? 'project-level' : 'account- and project-level';
  return problem(
    'POLICY_DOCUMENT',
    `the versions of a policy stay on one level; this policy names ${kind} services, so make another for the rest`,
    'document',
    { reference: 'IAM.1009', pointer: '/Statement', line: null, column: null },
  );
}

function versionOf(call: Call, policyId: Id, number: number, text: string): PolicyVersion {
  return {
    id: `${policyId}.${number}`,
    accountId: call.accountId,
    policyId,
    number,
    text,
    createdAt: call.now,
    createdBy: call.principal.id,
  };
}

/** Reads one policy's version in use with its text. */
export async function defaultVersionsOf(
  call: Call,
  policies: readonly Policy[],
): Promise<ReadonlyMap<Id, PolicyVersion>> {
  return call.reader.find(
    'policyVersion',
    policies.map(({ id, defaultVersion }) => `${id}.${defaultVersion}`),
  );
}
