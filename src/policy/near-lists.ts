/** Statements that a request is met by, and what follows from them alone, found out once for as long as they are kept. */
import type { DeterminingStatement, PolicySource } from './evaluation.js';
import type { PreparedStatement } from './single-statements.js';

export interface NearStatement<Origin> extends DeterminingStatement<Origin> {
  readonly one: PreparedStatement;
  /** Statements of one number fit the same resources. As the following, from nought on without a gap. */
  readonly resources: number;
  /** Conditions of one number are the same. */
  readonly conditions: readonly number[];
  /** Statements of one kind, whose resources a request fits alike, apply together or not at all. */
  readonly kind: number;
}

/** Parts of one list that are remembered. */
const rememberedParts = 8;

export class NearList<Origin> {
  /** In the order given. */
  readonly all: readonly NearStatement<Origin>[];
  /** Beside each its numbers, and whether variables have a say in what it fits: a thousand are walked without a look at them. */
  readonly resources: readonly number[];
  readonly kinds: readonly number[];
  readonly open: readonly boolean[];
  #ofEachKind: readonly NearStatement<Origin>[] | null = null;
  #spellings: ReadonlyMap<string, string> | null = null;
  #keys: ReadonlySet<string> | null = null;
  #sources: SourcesOf<Origin> | null = null;
  #parts: { readonly chosen: Uint8Array; readonly part: NearList<Origin> }[] = [];

  constructor(all: readonly NearStatement<Origin>[]) {
    this.all = all;
    this.resources = all.map(({ resources }) => resources);
    this.kinds = all.map(({ kind }) => kind);
    this.open = all.map(({ one }) => one.variables.length > 0);
  }

  get length(): number {
    return this.all.length;
  }

  /** Of statements that apply together or not at all, the first. */
  get ofEachKind(): readonly NearStatement<Origin>[] {
    return (this.#ofEachKind ??= oneOfEachKind(this.all));
  }

  /** Every key, in lower case, that they depend on. */
  get keys(): ReadonlySet<string> {
    return (this.#keys ??= new Set(this.ofEachKind.flatMap(({ one }) => one.keys)));
  }

  /** Keys of conditions as the first statement writes them, by the key in lower case. */
  get spellings(): ReadonlyMap<string, string> {
    if (this.#spellings !== null) return this.#spellings;
    const spellings = new Map<string, string>();
    for (const { one } of this.ofEachKind) {
      for (const { key, condition } of one.conditions) if (!spellings.has(key)) spellings.set(key, condition.key);
    }
    this.#spellings = spellings;
    return spellings;
  }

  /** Those from sources of which something is true. */
  from(test: (source: PolicySource<Origin>) => boolean): NearList<Origin> {
    const { distinct, places } = (this.#sources ??= sourcesOf(this.all));
    const taken = distinct.map(test);
    const chosen = new Uint8Array(places.length);
    for (let i = 0; i < places.length; i += 1) if (taken[places[i] ?? 0] === true) chosen[i] = 1;
    return this.part(chosen);
  }

  /**
   * Some of them; the same part, as long as it is remembered, when it is of the same.
   *
   * @param chosen beside each, one for those that are meant, else nought
   */
  part(chosen: Uint8Array): NearList<Origin> {
    const { all } = this;
    let count = 0;
    for (let i = 0; i < chosen.length; i += 1) count += chosen[i] ?? 0;
    if (count === all.length) return this;
    if (count === 0) return none;
    const known = this.#parts.find((one) => one.part.all.length === count && isSame(one.chosen, chosen));
    if (known !== undefined) return known.part;
    const part = new NearList(all.filter((_, i) => chosen[i] === 1));
    this.#parts = [{ chosen, part }, ...this.#parts.slice(0, rememberedParts - 1)];
    return part;
  }
}

const none = new NearList<never>([]);

/** Where statements come from, and beside each its place among these. */
interface SourcesOf<Origin> {
  readonly distinct: readonly PolicySource<Origin>[];
  readonly places: readonly number[];
}

function sourcesOf<Origin>(all: readonly NearStatement<Origin>[]): SourcesOf<Origin> {
  const distinct = [...new Set(all.map(({ source }) => source))];
  const known = new Map(distinct.map((source, place) => [source, place]));
  return { distinct, places: all.map(({ source }) => known.get(source) ?? 0) };
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

export function oneOfEachKind<Origin>(statements: readonly NearStatement<Origin>[]): readonly NearStatement<Origin>[] {
  const seen = new Set<number>();
  return statements.filter(({ kind }) => {
    if (seen.has(kind)) return false;
    seen.add(kind);
    return true;
  });
}
