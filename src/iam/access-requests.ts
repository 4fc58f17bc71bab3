/** What may be asked about access at all, and what a request may say of itself (rules 10 and 17). */
import type { Catalogue, ConditionKey } from '../catalogue/index.js';
import { requestValueReads, typeNames, type OperatorValueType } from '../policy/index.js';
import type { PrincipalChoice } from './askers.js';
import type { Call } from './call.js';
import { BadInput } from './outcome.js';
import type { Id } from './records.js';
import { isUrn } from './resource-urns.js';

/** Most requests in one `checkAccess` or `simulateAccess`. */
export const longestBatch = 1000;

export interface AccessRequest {
  /** Null: the viewer. */
  readonly principal: PrincipalChoice | null;
  readonly action: string;
  readonly resource: string | null;
  readonly workspaceId: Id | null;
  readonly context: readonly { readonly key: string; readonly values: readonly string[] }[];
}

/** Rule 17: what the server knows is never taken from a caller; the client's address and resource keys from services only. */
export function checkContext(
  call: Pick<Call, 'catalogue' | 'principal'>,
  key: string,
  values: readonly string[],
): void {
  const setter = setterOf(call.catalogue, key);
  if (setter === 'SERVER') throw new BadInput(`\`${key}\` is filled in by the server; leave it out`);
  if (setter === 'SERVICE' && call.principal.kind !== 'SERVICE') {
    throw new BadInput(`\`${key}\` may be set by services only; leave it out`);
  }
  // Rule 10: evaluated, such a value would only make conditions false, a Deny's among them.
  const type = contextTypeOf(call.catalogue, key);
  if (!values.every((value) => requestValueReads(type, value))) {
    throw new BadInput(`a value of \`${key}\` is not ${typeNames[type]}; mend it or leave it out`);
  }
}

/** What the values of a key that a request brings must read as. */
export function contextTypeOf(catalogue: Catalogue, key: string): OperatorValueType {
  const known = catalogue.findConditionKey(key);
  return known === undefined ? 'string' : comparedAs[known.type];
}

/** What the operators for a key's type compare. */
const comparedAs = {
  string: 'string',
  'string-set': 'string',
  bool: 'boolean',
  number: 'number',
  date: 'date',
  ip: 'ip',
} as const satisfies Readonly<Record<ConditionKey['type'], OperatorValueType>>;

export function setterOf(catalogue: Catalogue, key: string): 'SERVER' | 'SERVICE' | 'CALLER' {
  if (/^g:(user|domain|principal|mfa)/i.test(key)) return 'SERVER';
  return catalogue.findConditionKey(key)?.setBy ?? 'CALLER';
}

export function checkRequests(requests: readonly AccessRequest[]): void {
  if (requests.length === 0) throw new BadInput('no request was sent; send at least one');
  checkBatch(requests.length);
}

/**
 * Rule 10: a resource that is no URN would escape every statement that names resources, a Deny above all, and still meet
 * those that name none.
 */
export function checkResources(requests: readonly AccessRequest[]): void {
  const index = requests.findIndex(({ resource }) => resource !== null && !isUrn(resource));
  if (index < 0) return;
  throw new BadInput(
    `\`resource\` of request ${index} (counted from 0) is no URN of one thing; write \`service:region:account:type:id\`, without wildcards and control characters`,
  );
}

export function checkBatch(length: number): void {
  if (length > longestBatch)
    throw new BadInput(`${length} requests were sent; at most ${longestBatch} are answered at once`);
}
