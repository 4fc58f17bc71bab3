/**
 * Values that a key may come to have, and which of the conditions that look at it hold then. Found out once for the same
 * conditions, whatever the request.
 */
import { wantedTexts } from './compiled-conditions.js';
import type { RequestContext } from './context.js';
import { type KeyValues, valuesFor } from './key-values.js';
import { readInstant } from './quantities.js';
import type { PreparedCondition } from './single-statements.js';

export interface Candidate {
  readonly values: KeyValues;
  /** Candidates of one kind have the same conditions hold. */
  readonly kind: number;
  /** Among all of them. */
  readonly place: number;
  /** What it is as a time; null where no condition compares times. */
  readonly instant: bigint | null;
}

const noContext: RequestContext = new Map();

/** Candidates for conditions on one thing, without variables: then no request has a say in them. */
export class KeyCandidates {
  readonly all: readonly Candidate[];
  readonly times: boolean;
  readonly #places = new Map<KeyValues, Candidate>();
  /** For each kind, a bit for each condition. */
  readonly #rows: readonly string[];
  readonly #holding: (readonly Candidate[])[] = [];

  constructor(conditions: readonly PreparedCondition[]) {
    const listed = conditions.map(({ condition }) => condition);
    const outcomes = new KeyOutcomes(conditions);
    const kinds = new Map<string, number>();
    this.times = listed.some(({ operator }) => operator.includes('Date'));
    this.all = valuesFor(listed, noContext).map((values, place) => {
      const row = outcomes.under(values);
      const kind = kinds.get(row) ?? kinds.size;
      kinds.set(row, kind);
      const instant = this.times && values.length === 1 ? readInstant(values[0] ?? '') : null;
      const candidate = { values, kind, place, instant };
      this.#places.set(values, candidate);
      return candidate;
    });
    this.#rows = [...kinds.keys()];
  }

  /** That of these values; they are told apart by being one list. */
  find(values: KeyValues): Candidate | undefined {
    return this.#places.get(values);
  }

  /** Whether the condition at a place holds under a candidate. */
  holdsUnder({ kind }: Candidate, place: number): boolean {
    return (((this.#rows[kind]?.charCodeAt(place >> 3) ?? 0) >> (place & 7)) & 1) === 1;
  }

  /** Those under which the condition at this place holds. */
  holding(place: number): readonly Candidate[] {
    return (this.#holding[place] ??= this.all.filter((candidate) => this.holdsUnder(candidate, place)));
  }
}

/** Which of some conditions hold under values of their key. What many of them list is looked up instead of compared. */
class KeyOutcomes {
  readonly #bytes: number;
  readonly #others: (readonly [condition: PreparedCondition, place: number])[] = [];
  /** By key as conditions name it, and by the text that they want. */
  readonly #wanting = new Map<string, Map<string, number[]>>();

  constructor(conditions: readonly PreparedCondition[]) {
    this.#bytes = (conditions.length + 7) >> 3;
    for (const [place, condition] of conditions.entries()) {
      const texts = wantedTexts(condition.condition);
      if (texts === null) {
        this.#others.push([condition, place]);
        continue;
      }
      const byText = this.#wanting.get(condition.key) ?? new Map<string, number[]>();
      this.#wanting.set(condition.key, byText);
      for (const text of texts) {
        const places = byText.get(text);
        if (places === undefined) byText.set(text, [place]);
        else places.push(place);
      }
    }
  }

  /** A bit for each condition, eight in each character. */
  under(values: KeyValues): string {
    const row = new Uint8Array(this.#bytes);
    const mark = (place: number): void => {
      row[place >> 3] = (row[place >> 3] ?? 0) | (1 << (place & 7));
    };
    for (const byText of this.#wanting.values()) {
      for (const value of values) for (const place of byText.get(value) ?? []) mark(place);
    }
    for (const [condition, place] of this.#others) if (condition.holdsGiven(values)) mark(place);
    return String.fromCharCode(...row);
  }
}

/** Times in the order of their distance to the one that the request says, all else where it was. */
export function nearestFirst(
  { all: candidates, times }: KeyCandidates,
  [present = '']: KeyValues,
): readonly Candidate[] {
  if (!times || !candidates.some(({ instant }) => instant !== null)) return candidates;
  const now = readInstant(present);
  if (now === null) return candidates;
  const distance = ({ instant }: Candidate): number => Math.abs(Number((instant ?? now) - now));
  const sorted = candidates
    .filter(({ instant }) => instant !== null)
    .map((candidate) => ({ candidate, distance: distance(candidate) }))
    .sort((a, b) => a.distance - b.distance);
  let next = 0;
  return candidates.map((candidate) => {
    if (candidate.instant === null) return candidate;
    next += 1;
    return sorted[next - 1]?.candidate ?? candidate;
  });
}

/** Sets of conditions that are remembered. */
const remembered = 32;

/** Candidates for sets of numbered conditions. */
export class CandidateMemory {
  #known: { readonly numbers: readonly number[]; readonly candidates: KeyCandidates }[] = [];

  /** @param numbers the same for the same condition as long as the memory lasts; not the same for others */
  of(numbers: readonly number[], conditions: readonly PreparedCondition[]): KeyCandidates {
    const known = this.#known.find((one) => isSame(one.numbers, numbers));
    if (known !== undefined) return known.candidates;
    const candidates = new KeyCandidates(conditions);
    this.#known = [{ numbers, candidates }, ...this.#known.slice(0, remembered - 1)];
    return candidates;
  }
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
