/** Ways to yes that lead through the statements that there are: Denies lifted, and one Allow extended where none matches. */
import { evaluate, type DeterminingStatement, type PolicySource } from './evaluation.js';
import type { ExplainedRequest } from './explained-request.js';
import type { NearList, NearStatement } from './near-lists.js';
import { type Edited, Extensions, liftDeny, type StatementEdit } from './statement-ways.js';
import type { Change } from './ways.js';

/** Allows that are tried for an extension, of those that take the same number of edits. */
const mostExtended = 8;

export class EditWays<Origin> {
  readonly #explained: ExplainedRequest<Origin>;
  readonly #mayEdit: (source: PolicySource<Origin>) => boolean;
  #lifted: readonly Edited<Origin>[] | null | undefined;

  constructor(explained: ExplainedRequest<Origin>, mayEdit: (source: PolicySource<Origin>) => boolean) {
    this.#explained = explained;
    this.#mayEdit = mayEdit;
  }

  /** With the fewest edits. */
  toYes(): readonly Change<Origin>[] | null {
    const explained = this.#explained;
    const lifted = this.#liftDenies();
    if (lifted === null) return null;
    const standing = explained.matchingAllows;
    const extended = standing.length > 0 ? null : this.#extendedAllow();
    if (standing.length === 0 && extended === null) return null;
    const edits = extended === null ? lifted : [...lifted, extended];
    if (edits.length === 0) return null;
    // What neither matches nor is edited stays out of it, and of the Allows that match one speaks for all.
    const [first] = standing;
    const spoken = standing.find((one) => explained.isExempt(one)) ?? first;
    const after = edits.flatMap(({ source, after }) => (after === null ? [] : [{ source, statement: after }]));
    const { request } = explained;
    const evaluation = evaluate(reduced(spoken === undefined ? after : [spoken, ...after]), request);
    return explained.narrowed(evaluation, request.context).reason === 'ALLOWED' ? statementChanges(edits) : null;
  }

  /** With one edit for each Deny that matches, so that none does; null when one of them may not be changed. */
  pastDenies(): readonly Change<Origin>[] | null {
    const lifted = this.#liftDenies();
    return lifted === null ? null : statementChanges(lifted);
  }

  #liftDenies(): readonly Edited<Origin>[] | null {
    if (this.#lifted !== undefined) return this.#lifted;
    const { matchingDenies, narrowing, request } = this.#explained;
    const ofNarrowing = new Set(narrowing?.about.all);
    const fixed = matchingDenies.some((deny) => ofNarrowing.has(deny) || !this.#mayEdit(deny.source));
    this.#lifted = fixed ? null : matchingDenies.map((deny) => liftDeny(deny, request));
    return this.#lifted;
  }

  #extendedAllow(): Edited<Origin> | null {
    const { about, beside, reading } = this.#explained.own;
    // Each of its parts that fails takes one edit or more, so those with fewest are looked at first.
    const bySize: { readonly one: NearStatement<Origin>; readonly named: boolean }[][] = [];
    const consider = (list: NearList<Origin>, named: boolean): void => {
      for (let i = 0; i < list.length; i += 1) {
        const size = reading.failingAt(list, i) + (reading.fitsAt(list, i) ? 0 : 1) + (named ? 0 : 1);
        const alike = (bySize[size] ??= []);
        const one = alike.length < mostExtended ? list.all[i] : undefined;
        if (one?.statement.effect === 'ALLOW' && this.#mayEdit(one.source)) alike.push({ one, named });
      }
    };
    consider(about, true);
    consider(beside, false);
    const extensions = new Extensions(reading);
    let best: Edited<Origin> | null = null;
    for (const [size, alike = []] of bySize.entries()) {
      if (best !== null && size > best.changes.length) break;
      for (const [i, { one, named }] of alike.entries()) {
        if (named && alike.slice(0, i).some((before) => before.named && takeTheSame(before.one, one))) continue;
        const extended = extensions.extend(one, named);
        if (best === null || costOf(extended) < costOf(best)) best = extended;
      }
    }
    return best;
  }
}

/** Whether two statements about the action, of which as many parts fail, are mended by as many edits of the same kinds. */
function takeTheSame(a: NearStatement<unknown>, b: NearStatement<unknown>): boolean {
  if (a.statement.notResources !== null || b.statement.notResources !== null) return false;
  return a.conditions.length === b.conditions.length && a.conditions.every((number, i) => number === b.conditions[i]);
}

/** Statements as sources of their own, each with the name and origin of its own. */
function reduced<Origin>(statements: readonly DeterminingStatement<Origin>[]): readonly PolicySource<Origin>[] {
  return statements.map(({ source, statement }) => ({
    ...source,
    document: { ...source.document, statements: [statement] },
  }));
}

function statementChanges<Origin>(edits: readonly Edited<Origin>[]): readonly Change<Origin>[] {
  return edits.flatMap(({ changes }) => changes.map((change) => ({ ...change, kind: 'STATEMENT' as const })));
}

const weights: Partial<Record<StatementEdit, number>> = {
  ADD_VALUE: 0,
  ADD_RESOURCE: 1,
  ADD_ACTION: 2,
  DROP_EXCEPTION: 3,
  DROP_CONDITION: 4,
};

/** Fewest edits first, and of as many the ones that give least away. */
function costOf<Origin>({ changes }: Edited<Origin>): number {
  return changes.reduce((sum, { edit }) => sum + 100 + (weights[edit] ?? 5), 0);
}
