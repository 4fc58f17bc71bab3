/** What every change of the model begins with: who asks, of which account, and what they see of it. */
import type { Caller, Catalogue, Verdict } from './decisions.js';
import type { Tag } from './documents.js';
import { Sight, type State } from './state.js';
import type { Entry, Made, Outcome } from './writes.js';

export const invalid = (...codes: string[]): Outcome => ({ kind: 'invalid', codes });
export const refused = (reason: Verdict['reason']): Outcome => ({ kind: 'refused', reason });
export const done = (state: State, ...entries: Entry[]): Outcome => ({ kind: 'done', state, entries });

export abstract class Asking {
  protected readonly state: State;
  protected readonly sight: Sight;

  constructor(
    protected readonly caller: Caller,
    protected readonly made: Made,
    protected readonly catalogue: Catalogue,
  ) {
    this.state = caller.state;
    this.sight = new Sight(caller.state, caller.workspaceId, caller.now);
  }

  protected ask(action: string, resource: string | null = null, tags: readonly Tag[] = []): Outcome | null {
    const { effect, reason } = this.caller.decide(action, { resource, tags });
    return effect === 'ALLOW' ? null : refused(reason);
  }

  protected askKind(
    kind: string,
    act: 'create' | 'update' | 'delete',
    resource: string,
    tags: readonly Tag[],
  ): Outcome | null {
    const { effect, reason } = this.caller.decideKind(kind, act, { resource, tags });
    return effect === 'ALLOW' ? null : refused(reason);
  }
}
