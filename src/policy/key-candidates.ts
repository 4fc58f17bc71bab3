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
  /** As many as there are conditions, by their place. */
  readonly holds: Uint8Array;
  /** What it is as a time; null where no condition compares times. */
  readonly instant: bigint | null;
}

const noContext: RequestContext = new Map();

/** Candidates for conditions on one thing, without variables: then no request has a say in them. */
export function candidatesFor(conditions: readonly PreparedCondition[]): readonly Candidate[] {
  const listed = conditions.map(({ condition }) => condition);
  const times = listed.some(({ operator }) => operator.includes('Date'));
  const kinds = new Map<string, number>();
  return valuesFor(listed, noContext).map((values) => {
    const contexts = new Map<string, RequestContext>();
    const holds = Uint8Array.from(conditions, (one) => {
      let context = contexts.get(one.key);
      if (context === undefined) {
        context = values.length === 0 ? noContext : new Map([[one.key, values]]);
        contexts.set(one.key, context);
      }
      return one.holds(context) ? 1 : 0;
    });
    const text = holds.join('');
    const kind = kinds.get(text) ?? kinds.size;
    kinds.set(text, kind);
    return { values, kind, holds, instant: times && values.length === 1 ? readInstant(values[0] ?? '') : null };
  });
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
  #known: { readonly numbers: readonly number[]; readonly candidates: readonly Candidate[] }[] = [];

  /** @param numbers the same for the same condition as long as the memory lasts; not the same for others */
  of(numbers: readonly number[], conditions: readonly PreparedCondition[]): readonly Candidate[] {
    const known = this.#known.find((one) => isSame(one.numbers, numbers));
    if (known !== undefined) return known.candidates;
    const candidates = candidatesFor(conditions);
    this.#known = [{ numbers, candidates }, ...this.#known.slice(0, remembered - 1)];
    return candidates;
  }
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
