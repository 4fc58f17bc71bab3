/**
 * Values that a key may come to have, and which of the conditions that look at it hold then. Found out once for the same
 * conditions, whatever the request.
 */
import type { RequestContext } from './context.js';
import { type KeyValues, valuesFor } from './key-values.js';
import { readInstant } from './quantities.js';
import type { PreparedCondition } from './single-statements.js';

export interface Candidate {
  readonly values: KeyValues;
  /** Candidates of one kind have the same conditions hold. */
  readonly kind: number;
  /** What it is as a time; null where no condition compares times. */
  readonly instant: bigint | null;
}

const noContext: RequestContext = new Map();

/** Candidates for conditions on one thing, without variables: then no request has a say in them. */
export class KeyCandidates {
  readonly all: readonly Candidate[];
  readonly #conditions: readonly PreparedCondition[];
  readonly #holding: (readonly Candidate[])[] = [];

  constructor(conditions: readonly PreparedCondition[]) {
    const listed = conditions.map(({ condition }) => condition);
    const times = listed.some(({ operator }) => operator.includes('Date'));
    const kinds = new Map<string, number>();
    this.#conditions = conditions;
    this.all = valuesFor(listed, noContext).map((values) => {
      const text = conditions.map((one) => (holdsFor(one, values) ? '1' : '0')).join('');
      const kind = kinds.get(text) ?? kinds.size;
      kinds.set(text, kind);
      return { values, kind, instant: times && values.length === 1 ? readInstant(values[0] ?? '') : null };
    });
  }

  /** Those under which the condition at this place holds. */
  holding(place: number): readonly Candidate[] {
    const known = this.#holding[place];
    if (known !== undefined) return known;
    const condition = this.#conditions[place];
    const holding = condition === undefined ? [] : this.all.filter(({ values }) => holdsFor(condition, values));
    this.#holding[place] = holding;
    return holding;
  }
}

function holdsFor(condition: PreparedCondition, values: KeyValues): boolean {
  return condition.holds(values.length === 0 ? noContext : new Map([[condition.key, values]]));
}

/** Times in the order of their distance to the one that the request says, all else where it was. */
export function nearestFirst(candidates: readonly Candidate[], [present = '']: KeyValues): readonly Candidate[] {
  if (!candidates.some(({ instant }) => instant !== null)) return candidates;
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
