/**
 * Nobody gives more than they hold (rule 5, docs/decisions/0021 and 0027), as the model understands it: by what documents
 * mean and not by how they are written. A gift is held when every request that it lets through, its own Denies counted, is
 * let through by what was granted to the giver: the Allows of grants that reach wherever the gift does and last as long,
 * and the Denies of all that may meet it. The product compares six times for one change at the most and in so many steps;
 * beyond these it refuses. A run whose accounts are as small as here has not been seen to come to that where it matters.
 */
import { denies, permits, tellingRequests, type Clause, type Document } from './documents.js';
import type { Caller } from './decisions.js';
import {
  documentOf,
  grantsOf,
  hasEnded,
  userMayEnter,
  type Grant,
  type Id,
  type ScopeKind,
  type State,
} from './state.js';

interface Reach {
  readonly scopeKind: ScopeKind;
  readonly scopeId: Id;
}

export interface Gift extends Reach {
  /** Its Allows are given; its Denies come with them and keep a part back. */
  readonly document: Document;
  readonly expiresAt: number | null;
  /** Services enter where a grant reaches. */
  readonly opens: boolean;
}

export function giftsOf(state: State, grants: readonly Grant[]): readonly Gift[] {
  return grants.map((grant) => ({
    ...reachOf(grant),
    document: documentOf(state, grant.policyId),
    expiresAt: grant.expiresAt,
    opens: grant.subjectKind === 'SERVICE',
  }));
}

/** Taking a Deny away gives what it kept back, whatever else keeps it back as well. */
export function liftedGifts(state: State, grants: readonly Grant[]): readonly Gift[] {
  return grants.map((grant) => ({
    ...reachOf(grant),
    document: lifted(documentOf(state, grant.policyId)),
    expiresAt: null,
    opens: grant.subjectKind === 'SERVICE',
  }));
}

/**
 * What another version of a policy gives to those who hold it: nothing when nobody can gain by it. Otherwise all that it
 * says and the first did not say in the same words, even where the first meant it; this is coarse by design.
 */
export function switchGifts(before: Document, after: Document, grants: readonly Grant[]): readonly Gift[] {
  if (!widens(before, after)) return [];
  const gained = [...missingFrom(before, after, 'Allow'), ...lifted(missingFrom(after, before, 'Deny'))];
  const denials = after.filter(({ effect }) => effect === 'Deny');
  return grants.map((grant) => ({
    ...reachOf(grant),
    document: [...gained, ...denials],
    expiresAt: grant.expiresAt,
    opens: grant.subjectKind === 'SERVICE',
  }));
}

/** Whether somebody may gain: by the documents alone, or beside others that allow what only the first denies. */
function widens(before: Document, after: Document): boolean {
  for (const request of tellingRequests([...before, ...after])) {
    if (permits(after, request) && !permits(before, request)) return true;
    if (denies(before, request) && !denies(after, request)) return true;
  }
  return false;
}

function lifted(document: Document): Document {
  return document.filter(({ effect }) => effect === 'Deny').map((clause) => ({ ...clause, effect: 'Allow' }));
}

/** What being in reach of the LOOSE default gives, by as many of its patterns as the grammar can tell apart. */
export const defaultGift: Gift = {
  scopeKind: 'ALL_WORKSPACES',
  scopeId: '',
  document: [
    {
      effect: 'Allow',
      actions: [
        'modelarts:trainJob:*',
        ...['list', 'get', 'getQuotas'].map((act) => `modelarts:workspace:${act}`),
        'modelarts:pool:*',
      ],
      resource: null,
      tag: null,
    },
  ],
  expiresAt: null,
  opens: false,
};

export function gainRefused(caller: Caller, gifts: readonly Gift[]): boolean {
  if (caller.administrator) return false;
  const { state, principal, now } = caller;
  const held = grantsOf(state, principal.kind, principal.id, now);
  return gifts
    .filter((gift) => !hasEnded(gift, now) && gift.document.some(({ effect }) => effect === 'Allow'))
    .some((gift) => !mayOpen(caller, gift) || !isHeld(state, held, gift));
}

function mayOpen({ state, principal, workspaceId }: Caller, { opens, scopeKind, scopeId }: Gift): boolean {
  if (!opens) return true;
  if (scopeKind !== 'WORKSPACE') return false;
  return principal.kind === 'USER' ? userMayEnter(state, scopeId, principal.id) : scopeId === workspaceId;
}

function isHeld(state: State, held: readonly Grant[], gift: Gift): boolean {
  const clausesOf = (grants: readonly Grant[], wanted: Clause['effect']): Document =>
    grants.flatMap(({ policyId }) => documentOf(state, policyId).filter(({ effect }) => effect === wanted));
  const lasting = held.filter((grant) => covers(grant, gift) && lastsAsLong(grant, gift));
  const near = held.filter((grant) => mayMeet(grant, gift));
  const together = [...clausesOf(lasting, 'Allow'), ...clausesOf(near, 'Deny')];
  for (const request of tellingRequests([...gift.document, ...together])) {
    if (permits(gift.document, request) && !permits(together, request)) return false;
  }
  return true;
}

function lastsAsLong(grant: Grant, gift: Gift): boolean {
  return grant.expiresAt === null || (gift.expiresAt !== null && gift.expiresAt <= grant.expiresAt);
}

function covers(outer: Reach, inner: Reach): boolean {
  if (outer.scopeKind === 'ALL') return true;
  const inWorkspaces = ['ALL_WORKSPACES', 'WORKSPACE', 'ENTERPRISE_PROJECT'].includes(inner.scopeKind);
  if (outer.scopeKind === 'ALL_WORKSPACES') return inWorkspaces;
  return outer.scopeKind === inner.scopeKind && outer.scopeId === inner.scopeId;
}

/** Two scopes of one narrow kind meet only when they are the same. */
function mayMeet(one: Reach, other: Reach): boolean {
  const narrow = one.scopeKind === 'WORKSPACE' || one.scopeKind === 'ENTERPRISE_PROJECT';
  return !narrow || one.scopeKind !== other.scopeKind || one.scopeId === other.scopeId;
}

function reachOf({ scopeKind, scopeId }: Grant): Reach {
  return { scopeKind, scopeId };
}

/** Clauses of `more`, action by action, that `less` does not have word for word. */
function missingFrom(less: Document, more: Document, effect: Clause['effect']): Document {
  const word = (clause: Clause, action: string) => JSON.stringify([action, clause.resource, clause.tag]);
  const known = new Set(
    less
      .filter((clause) => clause.effect === effect)
      .flatMap((clause) => clause.actions.map((act) => word(clause, act))),
  );
  return more
    .filter((clause) => clause.effect === effect)
    .flatMap((clause) => clause.actions.map((action) => ({ ...clause, actions: [action] })))
    .filter((clause) => !known.has(word(clause, clause.actions[0] ?? '')));
}
