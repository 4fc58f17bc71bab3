/** What a way to yes is made of. */
import type { Statement } from './document.js';
import type { PolicySource } from './evaluation.js';
import type { StatementChange } from './statement-ways.js';

export interface ContextChange {
  readonly kind: 'CONTEXT';
  /** As some statement writes it. */
  readonly key: string;
  /** Empty: absent. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** It goes with another change and is no element of the way by itself. */
  readonly entailed: boolean;
}

export type Change<Origin> =
  | ContextChange
  | (StatementChange<Origin> & { readonly kind: 'STATEMENT' })
  /** One Allow more, in whatever policy. */
  | { readonly kind: 'GRANT'; readonly statement: Statement }
  /** One of the policies offered, as it is. */
  | { readonly kind: 'POLICY'; readonly source: PolicySource<Origin> };

export interface Way<Origin> {
  /** Where it leads; the others of its changes are what it needs besides, since Denies match as well. */
  readonly kind: Change<Origin>['kind'];
  readonly changes: readonly Change<Origin>[];
}

/** By what ways are compared: what goes with a change costs nothing by itself. */
export function countElements<Origin>(changes: readonly Change<Origin>[]): number {
  return changes.filter((change) => change.kind !== 'CONTEXT' || !change.entailed).length;
}
