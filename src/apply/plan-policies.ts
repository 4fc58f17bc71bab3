/** Plans for policies: a document that differs becomes a version, which is in use at once. */
import { parsePolicy } from '../policy/index.js';
import { policyLevel } from '../catalogue/index.js';
import { checkText, quotas, reviewDocument, type Grant, type Id } from '../iam/index.js';
import type { CurrentPolicy } from './current.js';
import type { WantedPolicy } from './documents.js';
import { hasEnded, isKept, placeOf, quoted, report, step, type Planning, type Step } from './planning.js';

export function planPolicies(planning: Planning): void {
  const { current, wanted, changes, prune, problems } = planning;
  for (const [name, policy] of wanted.Policy) {
    const { place } = policy;
    const there = current.policies.get(name);
    report(planning, place, [
      checkText('policyName', policy.name, 'name'),
      checkText('description', policy.description, 'description'),
    ]);
    if (there === undefined) {
      checkDocument(planning, policy);
      const { name, description, document } = policy;
      const makes = { kind: 'Policy', name } as const;
      const steps = [step('create policies', 'createPolicy', () => ({ name, description, document }), makes)];
      const details = [
        ...said('description', description),
        { field: 'document', before: null, after: textOf(document) },
      ];
      changes.push({ verb: 'CREATE', kind: 'Policy', name, place, details, steps });
    } else if (there.origin === 'SYSTEM') {
      problems.push({
        place,
        message: `${quoted(there.name)} is a system policy, which cannot be changed; choose another name`,
      });
    } else updatePolicy(planning, policy, there);
  }
  if (prune.has('Policy')) prunePolicies(planning);
}

/** Grants that have ended stay where they were given, and a policy that has any is not deleted: they go with it. */
function prunePolicies({ current, wanted, now, changes }: Planning): void {
  const ended = new Map<Id, Grant[]>();
  for (const grant of current.grants) {
    if (!hasEnded(grant, now)) continue;
    const others = ended.get(grant.policyId);
    if (others === undefined) ended.set(grant.policyId, [grant]);
    else others.push(grant);
  }
  for (const [folded, policy] of current.policies) {
    if (wanted.Policy.has(folded) || isKept(policy)) continue;
    const { id, name } = policy;
    const grants = ended.get(id) ?? [];
    const details = grants.length === 0 ? [] : [{ field: 'ended grants', before: String(grants.length), after: null }];
    const steps = [
      ...grants.map((grant) => step('revoke grants', 'revokeGrant', () => ({ id: grant.id }))),
      step('delete policies', 'deletePolicy', () => ({ id })),
    ];
    changes.push({ verb: 'DELETE', kind: 'Policy', name, place: null, details, steps });
  }
}

function updatePolicy(planning: Planning, policy: WantedPolicy, there: CurrentPolicy): void {
  const { changes, problems } = planning;
  const { name, description, document, place } = policy;
  if (name !== there.name || description !== there.description) {
    const field = name === there.name ? 'description' : 'name';
    const message = `the ${field} of a policy is given when it is made and cannot be changed: it is ${quoted(there[field])}`;
    problems.push({ place, message });
  }
  if (isSame(there.text, document)) {
    changes.push({ verb: 'KEEP', kind: 'Policy', name, place, details: [], steps: [] });
    return;
  }
  checkDocument(planning, policy, there);
  const again = there.versions.find(({ text }) => isSame(text, document));
  const number = again?.number ?? there.latestVersion + 1;
  const details = [
    { field: 'version', before: String(there.defaultVersion), after: String(number) },
    { field: 'document', before: there.text, after: textOf(document) },
  ];
  const steps: Step[] = [];
  if (again !== undefined) {
    const input = { policyId: there.id, number: again.number, expectedVersion: there.version };
    steps.push(step('change policies', 'setDefaultPolicyVersion', () => input));
  } else {
    const full = there.versions.length >= quotas.policyVersions;
    const oldest = there.versions.find((version) => version.number !== there.defaultVersion);
    const instead = full ? (oldest?.number ?? null) : null;
    if (instead !== null) details.push({ field: 'oldest version', before: String(instead), after: 'goes' });
    steps.push(step('change policies', 'createPolicyVersion', () => ({ policyId: there.id, document, instead })));
  }
  changes.push({ verb: 'UPDATE', kind: 'Policy', name, place, details, steps });
}

function checkDocument({ call, problems }: Planning, policy: WantedPolicy, there: CurrentPolicy | null = null): void {
  const errors = reviewDocument(call, policy.document).filter(({ severity }) => severity === 'ERROR');
  for (const { message, pointer, line } of errors) {
    problems.push({ place: policy.locate(pointer ?? '', line), message });
  }
  const { document } = parsePolicy(policy.document, 'CUSTOM');
  if (there === null || document === null || errors.length > 0 || policyLevel(document) === there.level) return;
  const message =
    'the versions of a policy stay on one level, of account or of project; make another policy for the rest';
  problems.push({ place: placeOf(policy, 'document'), message });
}

/** Text means its bytes; a value means what it says, however it was written. */
export function isSame(text: string, document: unknown): boolean {
  if (typeof document === 'string') return text === document;
  try {
    return canonical(JSON.parse(text)) === canonical(document);
  } catch {
    return false;
  }
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}

function textOf(document: unknown): string {
  return typeof document === 'string' ? document : JSON.stringify(document);
}

function said(field: string, value: string) {
  return value === '' ? [] : [{ field, before: null, after: value }];
}
