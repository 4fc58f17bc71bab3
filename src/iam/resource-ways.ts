/**
 * The rules of seeing and of listing a registered resource, in the words of the catalogue: which actions let one, of the
 * register itself and of the resource's kind. Read twice: for one row, and as a plan for all.
 */
import type { Catalogue } from '../catalogue/index.js';
import { allOf, anyOf, testOf, type Expression } from '../policy/index.js';
import type { Call } from './call.js';
import type { RowTest } from './ports.js';
import { isRegistered, type KindOperation } from './resource-kinds.js';

export type Way =
  | { readonly by: 'REGISTER'; readonly action: string }
  | { readonly by: 'KIND'; readonly operation: KindOperation }
  /** No Deny is about the operation; whether an Allow is does not matter. */
  | { readonly by: 'NO_DENIAL'; readonly operation: KindOperation }
  /** The resource is the caller's own. */
  | { readonly by: 'OWNERSHIP' };

/** The register's own actions that let one see what is registered. */
const ofRegister = anyOf(
  ['bailiwick:resources:get', 'bailiwick:resources:list'].map((action) => testOf<Way>({ by: 'REGISTER', action })),
);

/** Who sees a resource when it is named. */
export function seeing(catalogue: Catalogue, kind: string): Expression<Way> {
  const get = isRegistered(catalogue, kind, 'get') ? [ofKind('get')] : [];
  const ways = [...get, ...listingActions(catalogue, kind)];
  // A kind that registered neither has what the register's own actions say, and every Deny.
  return allOf([ofRegister, ways.length > 0 ? anyOf(ways) : ofKind('get')]);
}

/**
 * Who finds a resource in a list: whoever may list its kind. A kind without an action for that is listed by whoever sees it.
 * INVARIANT: nobody lists what they may not see.
 */
export function listing(catalogue: Catalogue, kind: string): Expression<Way> {
  const ways = listingActions(catalogue, kind);
  return ways.length > 0 ? allOf([ofRegister, anyOf(ways)]) : seeing(catalogue, kind);
}

/**
 * Where a kind has an action that lists everybody's, the one that lists is for one's own. A Deny on that one is about listing
 * all the same: what it hides must not come back with a right to list more.
 */
function listingActions(catalogue: Catalogue, kind: string): readonly Expression<Way>[] {
  const list = isRegistered(catalogue, kind, 'list') ? [ofKind('list')] : [];
  if (!isRegistered(catalogue, kind, 'listAll')) return list;
  const own = list.map((way) => allOf([way, testOf<Way>({ by: 'OWNERSHIP' })]));
  return [...own, allOf([ofKind('listAll'), testOf<Way>({ by: 'NO_DENIAL', operation: 'list' })])];
}

function ofKind(operation: KindOperation): Expression<Way> {
  return testOf<Way>({ by: 'KIND', operation });
}

/**
 * What makes a resource the caller's own: that the user who asks owns it, or the user on whose behalf an agency does. Nobody
 * stands behind a service and behind an agency that acts for nobody: theirs is what they registered. Null: nothing is.
 */
export function ownership({ principal }: Pick<Call, 'principal'>): Extract<RowTest, { readonly id: string }> | null {
  const behind = principal.delegation?.onBehalfOf?.id ?? null;
  switch (principal.kind) {
    case 'ROOT':
    case 'USER':
      return { about: 'OWNER', id: principal.id };
    case 'AGENCY':
      return behind === null ? { about: 'REGISTERED_BY', id: principal.id } : { about: 'OWNER', id: behind };
    case 'SERVICE':
      return { about: 'REGISTERED_BY', id: principal.id };
    case 'ANONYMOUS':
      return null;
  }
}
