/**
 * Nobody gives more than they hold (rule 5, docs/decisions/0021 and 0027), as the model understands it: a gift counts as
 * held when one granted Allow covers it whole, where and as long as it is given, with no Deny of the giver's near it.
 */
import { actionsMeet, coversAction, resourcesMeet, sameTag, type Clause, type Document } from './documents.js';
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
  readonly clauses: Document;
  readonly expiresAt: number | null;
  /** Services enter where a grant reaches. */
  readonly opens: boolean;
}

export function giftsOf(state: State, grants: readonly Grant[]): readonly Gift[] {
  return grants.map((grant) => ({
    ...reachOf(grant),
    clauses: documentOf(state, grant.policyId).filter(({ effect }) => effect === 'Allow'),
    expiresAt: grant.expiresAt,
    opens: grant.subjectKind === 'SERVICE',
  }));
}

/** Taking a Deny away gives what it kept back. */
export function liftedGifts(state: State, grants: readonly Grant[]): readonly Gift[] {
  return grants.map((grant) => ({
    ...reachOf(grant),
    clauses: documentOf(state, grant.policyId).filter(({ effect }) => effect === 'Deny'),
    expiresAt: null,
    opens: grant.subjectKind === 'SERVICE',
  }));
}

/** What another version of a policy gives to those who hold it. */
export function switchGifts(before: Document, after: Document, grants: readonly Grant[]): readonly Gift[] {
  const gained = [...missingFrom(before, after, 'Allow'), ...missingFrom(after, before, 'Deny')];
  return grants.map((grant) => ({
    ...reachOf(grant),
    clauses: gained,
    expiresAt: grant.expiresAt,
    opens: grant.subjectKind === 'SERVICE',
  }));
}

/** What being in reach of the LOOSE default gives, by as many of its actions as the grammar can tell apart. */
export const defaultGift: Gift = {
  scopeKind: 'ALL_WORKSPACES',
  scopeId: '',
  clauses: [
    {
      effect: 'Allow',
      actions: [
        ...['create', 'update', 'delete', 'get', 'list'].map((act) => `modelarts:trainJob:${act}`),
        ...['list', 'get', 'getQuotas'].map((act) => `modelarts:workspace:${act}`),
        'modelarts:pool:create',
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
    .filter((gift) => !hasEnded(gift, now))
    .some((gift) =>
      gift.clauses.some((clause) =>
        clause.actions.some((action) => !mayOpen(caller, gift) || !isHeld(state, held, gift, clause, action)),
      ),
    );
}

function mayOpen({ state, principal, workspaceId }: Caller, { opens, scopeKind, scopeId }: Gift): boolean {
  if (!opens) return true;
  if (scopeKind !== 'WORKSPACE') return false;
  return principal.kind === 'USER' ? userMayEnter(state, scopeId, principal.id) : scopeId === workspaceId;
}

function isHeld(state: State, held: readonly Grant[], gift: Gift, clause: Clause, action: string): boolean {
  const near = held.some(
    (grant) =>
      mayMeet(grant, gift) &&
      documentOf(state, grant.policyId).some(
        (own) =>
          own.effect === 'Deny' &&
          own.actions.some((pattern) => actionsMeet(pattern, action)) &&
          resourcesMeet(own.resource, clause.resource),
      ),
  );
  if (near) return false;
  return held.some(
    (grant) =>
      covers(grant, gift) &&
      (grant.expiresAt === null || (gift.expiresAt !== null && gift.expiresAt <= grant.expiresAt)) &&
      documentOf(state, grant.policyId).some(
        (own) =>
          own.effect === 'Allow' &&
          own.actions.some((pattern) => coversAction(pattern, action)) &&
          (own.resource === null || own.resource === clause.resource) &&
          (own.tag === null || sameTag(own.tag, clause.tag)),
      ),
  );
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
