/** What changes of what a caller may do: answers that are remembered, and compared with those of a later call. */
import { decideForViewer } from './access.js';
import type { Decision } from './authorizer.js';
import type { Call } from './call.js';

export interface PermissionsChange {
  /** Nothing in it is older than this revision of the account, which is read first; something may be newer. */
  readonly revision: number;
  readonly changes: readonly Pick<Decision, 'action' | 'effect' | 'reason'>[];
}

export class PermissionChanges {
  readonly #actions: readonly string[] | null;
  /** Actions that are allowed, as far as whoever listens knows. */
  readonly #allowed = new Set<string>();

  private constructor(actions: readonly string[] | null) {
    this.#actions = actions;
  }

  /** Remembers the answers to this call: what changes from here on is told. For null the actions of the catalogue. */
  static async since(call: Call, actions: readonly string[] | null): Promise<PermissionChanges> {
    const changes = new PermissionChanges(actions === null ? null : [...new Set(actions)]);
    await changes.upTo(call);
    return changes;
  }

  /** Every answer to this call, changed or not. */
  async all(call: Call): Promise<PermissionsChange> {
    return { revision: revisionOf(call), changes: await decideForViewer(call, this.#actions) };
  }

  /** What is answered to this call otherwise than before, which is remembered; null when nothing is. */
  async upTo(call: Call): Promise<PermissionsChange | null> {
    const decisions = await decideForViewer(call, this.#actions);
    const changes = decisions.filter(({ action, effect }) => (effect === 'ALLOW') !== this.#allowed.has(action));
    const asked = new Set(decisions.map(({ action }) => action));
    // Taken out of the catalogue: nobody may do it any more.
    const gone = [...this.#allowed].filter((action) => !asked.has(action)).map((action) => call.decide(about(action)));
    for (const { action, effect } of [...changes, ...gone]) {
      if (effect === 'ALLOW') this.#allowed.add(action);
      else this.#allowed.delete(action);
    }
    if (changes.length + gone.length === 0) return null;
    return { revision: revisionOf(call), changes: [...changes, ...gone] };
  }
}

function about(action: string) {
  return { action, resource: null };
}

function revisionOf({ account }: Call): number {
  return account?.revision ?? 0;
}
