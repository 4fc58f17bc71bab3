/** Ways to yes that lead through something more: one Allow, or one of the policies that could be given. */
import { CompiledSources } from './compiled.js';
import type { RequestContext } from './context.js';
import type { EditWays } from './edit-ways.js';
import { evaluate, type PolicySource } from './evaluation.js';
import type { ExplainedRequest } from './explained-request.js';
import type { FactWays } from './fact-ways.js';
import { tightestAllow } from './statement-ways.js';
import { type Change, countElements, type Way } from './ways.js';
import { widthOf } from './width.js';

/** What could be given. */
export interface Offer<Origin> {
  /** Whether there may be one more Allow. */
  readonly mayGrant: boolean;
  /** Policies that could be given; their origins are of no meaning here. */
  readonly candidates: readonly PolicySource<Origin>[];
}

export class GrantWays<Origin> {
  readonly #explained: ExplainedRequest<Origin>;
  readonly #facts: FactWays<Origin>;
  readonly #edits: EditWays<Origin>;

  constructor(explained: ExplainedRequest<Origin>, facts: FactWays<Origin>, edits: EditWays<Origin>) {
    this.#explained = explained;
    this.#facts = facts;
    this.#edits = edits;
  }

  toYes({ mayGrant, candidates }: Offer<Origin>): readonly Way<Origin>[] {
    const explained = this.#explained;
    if (explained.matchingAllows.length > 0 || (!mayGrant && candidates.length === 0)) return [];
    const first = this.#freeOfDenies();
    if (first === null) return [];
    const { changes, context } = first;
    // The origin of what is yet to be given exempts it from nothing.
    if (explained.underNarrowing(context)?.effect === 'DENY') return [];
    const ways: Way<Origin>[] = [];
    const statement = tightestAllow(explained.request);
    const document = { version: '5.0', statements: [statement], depends: [] } as const;
    const request = { ...explained.request, context };
    if (mayGrant && evaluate([{ name: '', document, origin: null }], request).effect === 'ALLOW') {
      ways.push({ kind: 'GRANT', changes: [{ kind: 'GRANT', statement }, ...changes] });
    }
    const source = this.#tightest(candidates, context);
    if (source !== null) ways.push({ kind: 'POLICY', changes: [{ kind: 'POLICY', source }, ...changes] });
    return ways;
  }

  /** What must be done so that no Deny matches, facts where as few of them do; null when nothing helps. */
  #freeOfDenies(): { readonly changes: readonly Change<Origin>[]; readonly context: RequestContext } | null {
    const { context } = this.#explained.request;
    const lifted = this.#edits.pastDenies();
    if (lifted?.length === 0) return { changes: [], context };
    const way = this.#facts.pastDenies();
    if (way !== null && (lifted === null || countElements(way.changes) <= countElements(lifted))) return way;
    return lifted === null ? null : { changes: lifted, context };
  }

  #tightest(candidates: readonly PolicySource<Origin>[], context: RequestContext): PolicySource<Origin> | null {
    if (candidates.length === 0) return null;
    const request = { ...this.#explained.request, context };
    const about = new CompiledSources(candidates).about(request);
    const tightest = [...new Set(about.map(({ source }) => source))].sort(
      (a, b) => widthOf(a.document) - widthOf(b.document) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
    );
    return tightest.find((source) => new CompiledSources([source]).effectOf(request) === 'ALLOW') ?? null;
  }
}
