/** Words of messages: what a user wrote, and "did you mean", the nearest known name compared segment by segment. */
import { matchesActionPattern } from '../policy/index.js';
import { foldName, hasWildcard, segmentsOf } from './action-row.js';

/**
 * The nearest of `known` to an action name or pattern, or null when nothing is near enough to be helpful.
 *
 * Segments are compared one with one, so that `modelarts:notebok:create` finds `modelarts:notebook:create` and never
 * an equally long name of another service. A segment with wildcards that fits stays as it was written:
 * `modelarts:notebok:*` finds `modelarts:notebook:*`. The first of equally near names wins.
 */
export function suggestAction(action: string, known: readonly ReturnType<typeof segmentsOf>[]): string | null {
  const wanted = segmentsOf(action);
  const byType = new Comparison(wanted.resourceType);
  const byService = new Comparison(wanted.service);
  const byOperation = new Comparison(wanted.operation);
  let nearest: { distance: number; name: string } | null = null;
  for (const segments of known) {
    const service = byService.with(segments.service);
    if (service === null) continue;
    const resourceType = byType.with(segments.resourceType);
    if (resourceType === null) continue;
    const operation = byOperation.with(segments.operation);
    if (operation === null) continue;
    const distance = service.distance + resourceType.distance + operation.distance;
    if (nearest !== null && distance >= nearest.distance) continue;
    nearest = { distance, name: `${service.text}:${resourceType.text}:${operation.text}` };
  }
  return nearest?.name ?? null;
}

/** The nearest of `known` to a plain name, such as a kind or a condition key, or null. */
export function suggestName(name: string, known: readonly string[]): string | null {
  const comparison = new Comparison(name);
  let nearest: { distance: number; name: string } | null = null;
  for (const candidate of known) {
    const found = comparison.with(candidate);
    if (found === null || (nearest !== null && found.distance >= nearest.distance)) continue;
    nearest = { distance: found.distance, name: candidate };
  }
  return nearest?.name ?? null;
}

/** The longest piece of input that a message repeats: as long as an action name may be. */
const longestShown = 128;

/** What a user wrote, in backticks and on one line whatever it holds. */
export function quote(text: string): string {
  const shown = text
    .slice(0, longestShown)
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029`]|\p{Surrogate}/gu, '\ufffd');
  return `\`${shown}${text.length > longestShown ? '…' : ''}\``;
}

/** Ends a message with a suggestion, or with what to do when there is none. */
export function didYouMean(suggestion: string | null, otherwise: string): string {
  return suggestion === null ? otherwise : `did you mean ${quote(suggestion)}?`;
}

/** One segment against many candidates; the same candidate is measured once (a catalogue repeats its segments). */
class Comparison {
  private readonly measured = new Map<string, { distance: number; text: string } | null>();
  private readonly folded: string;

  constructor(private readonly segment: string) {
    this.folded = foldName(segment);
  }

  /** Null when the candidate is too far off to be what was meant. */
  with(candidate: string): { distance: number; text: string } | null {
    let result = this.measured.get(candidate);
    if (result === undefined) {
      result = this.measure(candidate);
      this.measured.set(candidate, result);
    }
    return result;
  }

  private measure(candidate: string): { distance: number; text: string } | null {
    if (hasWildcard(this.segment) && fits(this.segment, candidate)) return { distance: 0, text: this.segment };
    const longest = Math.max(this.segment.length, candidate.length);
    // A third of the letters may be off, at least one: more finds names that have nothing to do with each other.
    const bound = Math.max(1, Math.ceil(longest / 3));
    if (Math.abs(this.segment.length - candidate.length) > bound) return null;
    const distance = editDistance(this.folded, foldName(candidate));
    return distance <= bound ? { distance, text: candidate } : null;
  }
}

// The engine's own matcher, because it is linear: a regular expression made of a caller's many `*` would not be.
function fits(pattern: string, text: string): boolean {
  return matchesActionPattern(`any:${pattern}:any`, `any:${text}:any`);
}

/** Insertions, deletions, replacements and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = a[row - 1] === b[column - 1] ? 0 : 1;
      let best = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + replaced,
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, (beforePrevious[column - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}
