/** Names of what an account's directory holds, as policies and contexts see them. */
import type { Principal } from './authorizer.js';
import type { Id } from './records.js';

/** URN of a principal, as `g:PrincipalUrn` shows it. */
export function principalUrn(accountId: Id, principal: Pick<Principal, 'kind' | 'id'>): string {
  const type = principal.kind === 'SERVICE' ? 'service' : principal.kind === 'AGENCY' ? 'agency' : 'user';
  return iamUrn(accountId, type, principal.id);
}

/** URN of an object of the directory: `iam::<account>:<type>:<id>`. */
export function iamUrn(accountId: Id, type: string, id: Id): string {
  return `iam::${accountId}:${type}:${id}`;
}
