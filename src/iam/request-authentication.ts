/**
 * Who signed a request that a service received (DESIGN section 6, rule 22): the service shows what came, and learns the
 * actor and, when it asks, what that actor may do; never the secret.
 */
import { checkAccess, type ShownDecision } from './access.js';
import { type AccessRequest } from './access-requests.js';
import type { Principal } from './authorizer.js';
import type { BrokenCredential, Call } from './call.js';
import type { Calls } from './calls.js';
import type { House } from './house.js';
import { problem, refuse, reject, succeed, type Invalid, type Outcome } from './outcome.js';
import { hostFault } from './received-host.js';
import type { Id } from './records.js';
import type { ReceivedRequest } from '../signatures/index.js';

export interface AuthenticateRequestInput {
  readonly request: ReceivedRequest;
  /** Address that it came from, as the service saw it; null when it does not say. */
  readonly sender: string | null;
  /** Refuse the request if it was accepted before: for one that changes something. */
  readonly once: boolean;
  /** What the signer is asked about in the same round; their principal is the signer. */
  readonly requests: readonly Omit<AccessRequest, 'principal'>[];
}

export interface AuthenticatedRequest {
  readonly actor: Principal;
  /** Workspace that the signed request acts in; null: the account. */
  readonly workspaceId: Id | null;
  readonly decisions: readonly ShownDecision[];
}

export async function authenticateRequest(
  house: House,
  calls: Calls,
  call: Call,
  { request, sender, once, requests }: AuthenticateRequestInput,
): Promise<Outcome<AuthenticatedRequest>> {
  const decision = call.decide({ action: 'bailiwick:requests:authenticate', resource: null });
  if (decision.effect !== 'ALLOW') return refuse(decision);
  const service =
    call.principal.kind === 'SERVICE' ? await house.store.access.service(call.accountId, call.principal.id) : null;
  if (service === null) {
    return reject(problem('INVALID', 'only a service asks who signed a request; sign this one with a service’s key'));
  }
  const elsewhere = hostFault(service, request);
  if (elsewhere !== null) return reject(problem('CREDENTIALS_INVALID', elsewhere, 'request'));
  const signer = await calls.openReceived(call, service, request, sender);
  if (signer.broken !== null) return notAccepted(signer.broken);
  const { workspaceId } = signer.scope;
  // Inside a workspace a service learns of that workspace alone.
  if (call.scope.workspaceId !== null && call.scope.workspaceId !== workspaceId) {
    return reject(problem('CREDENTIALS_INVALID', 'the request acts in another workspace than this one', 'request'));
  }
  let decisions: readonly ShownDecision[] = [];
  if (requests.length > 0) {
    const principal = { kind: 'signer', call: signer } as const;
    const decided = await checkAccess(
      house,
      calls,
      call,
      requests.map((asked) => ({ ...asked, principal })),
    );
    if (decided.kind !== 'succeeded') return decided;
    decisions = decided.value;
  }
  // Last: whatever else refuses the question must not use up the request, which its sender would have to sign again.
  const { broken } = once ? await calls.spend(signer) : signer;
  return broken === null ? succeed({ actor: signer.principal, workspaceId, decisions }) : notAccepted(broken);
}

function notAccepted({ message, reference }: BrokenCredential): Invalid {
  return reject(problem('CREDENTIALS_INVALID', message, 'request', { reference }));
}
