/**
 * What one policy allows that another does not, and the other way round: the bare engine, as `simulateAccess` is (rule
 * 18). Each of the two is given inline, or stored and visible to whoever asks.
 */
import { changeOfPolicies, type PolicyChange } from '../catalogue/index.js';
import { parsePolicy, type PolicySource, type Problem } from '../policy/index.js';
import { iamUrn } from './authorizer.js';
import type { Call } from './call.js';
import { notFound } from './faults.js';
import { reject, succeed, type Outcome, type UserProblem } from './outcome.js';
import { reviewDocument, type DocumentInput } from './policies.js';
import type { Id } from './records.js';

export type ComparedPolicy =
  | { readonly kind: 'DOCUMENT'; readonly document: DocumentInput }
  /** Null: the version in use. */
  | { readonly kind: 'STORED'; readonly policyId: Id; readonly version: number | null };

export interface PolicyComparisonAnswer {
  /** Null when one of the two cannot be read; its problems say why. */
  readonly change: PolicyChange<null> | null;
  /** As they would stand beside the document if it were saved, warnings among them. */
  readonly beforeProblems: readonly Problem[];
  readonly afterProblems: readonly Problem[];
}

/** Work of each comparison: what it does not get done is UNKNOWN, and nobody else waits for it longer. */
const steps = 200_000;

export async function comparePolicyChange(
  call: Call,
  before: ComparedPolicy,
  after: ComparedPolicy,
): Promise<Outcome<PolicyComparisonAnswer>> {
  const [then, now] = [await read(call, before, 'before'), await read(call, after, 'after')];
  if ('code' in then || 'code' in now) {
    return reject(...[then, now].flatMap((side) => ('code' in side ? [side] : [])));
  }
  const change =
    then.source === null || now.source === null
      ? null
      : changeOfPolicies([then.source], [now.source], call.catalogue, { steps });
  return succeed({ change, beforeProblems: then.problems, afterProblems: now.problems });
}

interface Side {
  readonly source: PolicySource<null> | null;
  readonly problems: readonly Problem[];
}

async function read(call: Call, policy: ComparedPolicy, path: 'before' | 'after'): Promise<Side | UserProblem> {
  if (policy.kind === 'DOCUMENT') return sideOf(call, policy.document, 'CUSTOM', path);
  const { policyId } = policy;
  const missing = notFound('policy', policyId, path);
  // As the type Policy asks it: to compare a policy is to read it.
  const urn = iamUrn(call.accountId, 'policy', policyId);
  if (!call.may('iam:roles:getRole', urn) && !call.may('iam:roles:listRoles', urn)) return missing;
  const stored = (await call.reader.find('policy', [policyId])).get(policyId);
  if (stored === undefined) return missing;
  const number = policy.version ?? stored.defaultVersion;
  const id = `${policyId}.${number}`;
  const version = (await call.reader.find('policyVersion', [id])).get(id);
  if (version === undefined) return notFound('version', String(number), path);
  return sideOf(call, version.text, stored.origin, path);
}

function sideOf(call: Call, input: DocumentInput, origin: 'CUSTOM' | 'SYSTEM', name: string): Side {
  const problems = reviewDocument(call, input, origin);
  // What the catalogue says against a document keeps it from being saved, not from being understood.
  const { document } = parsePolicy(input, origin);
  return { source: document === null ? null : { name, document, origin: null }, problems };
}
