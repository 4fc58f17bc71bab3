/** Statements that a request is met by, and what follows from them alone, found out once for as long as they are kept. */
import type { DeterminingStatement } from './evaluation.js';
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
  #ofEachKind: readonly NearStatement<Origin>[] | null = null;
  #spellings: ReadonlyMap<string, string> | null = null;
  #keys: ReadonlySet<string> | null = null;
  #parts: { readonly chosen: Uint8Array; readonly part: NearList<Origin> }[] = [];

  constructor(all: readonly NearStatement<Origin>[]) {
    this.all = all;
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

  /** Those of which something is true; the same part, as long as it is remembered, when it is of the same. */
  where(test: (one: NearStatement<Origin>) => boolean): NearList<Origin> {
    const { all } = this;
    const chosen = new Uint8Array(all.length);
    let count = 0;
    for (let i = 0; i < all.length; i += 1) {
      const one = all[i];
      if (one === undefined || !test(one)) continue;
      chosen[i] = 1;
      count += 1;
    }
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
