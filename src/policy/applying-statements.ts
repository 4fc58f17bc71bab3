/**
 * Which statements may apply to a resource: a matter of which of their patterns it fits. Most resources differ in few
 * patterns, so what a statement comes to is kept by those of its own that fit.
 */
import type { SegmentedPattern } from './request-cells.js';
import { type Conjunction, negated, type Remainder, type SupposedPattern } from './situations.js';

export type SegmentsPattern = Extract<SupposedPattern, { kind: 'SEGMENTS' }>;

/** A pattern of some statement, with its number among all of them. */
export interface NumberedPattern {
  readonly number: number;
  readonly text: string;
  readonly pattern: SegmentedPattern;
}

/** A statement that may apply to a resource, if one of its ways holds. */
export interface Applying {
  readonly place: number;
  readonly remainder: Remainder;
  readonly ways: readonly Conjunction[];
  /** The same for the same place with the same ways. */
  readonly mark: number;
}

/** The statements that one search has read, by their places. */
export class ApplyingStatements {
  readonly #patterns = new Map<string, NumberedPattern>();
  readonly #statements = new Map<number, FittedStatement>();
  readonly #marks = new Marks();
  /** By the numbers of patterns, 1 for those that the resource fits which is looked at. */
  #fitting = new Uint8Array(64);

  add(place: number, remainder: Remainder): void {
    const patterns = (remainder.patterns ?? []).filter((pattern) => pattern.kind === 'SEGMENTS');
    const numbered = patterns.map((pattern) => this.#numbered(pattern));
    this.#statements.set(place, new FittedStatement(place, remainder, patterns, numbered));
    if (this.#patterns.size > this.#fitting.length) this.#fitting = new Uint8Array(2 * this.#patterns.size);
  }

  /** The patterns of some statements, each once. */
  patternsOf(places: readonly number[]): readonly NumberedPattern[] {
    return [...new Set(places.flatMap((place) => this.#statements.get(place)?.patterns ?? []))];
  }

  /** Those of some statements that may apply to a resource which fits these patterns, by their numbers. */
  on(places: readonly number[], fits: readonly number[]): readonly Applying[] {
    const fitting = this.#fitting;
    for (const number of fits) fitting[number] = 1;
    const applying: Applying[] = [];
    for (const place of places) {
      const one = this.#statements.get(place)?.on(fitting, this.#marks) ?? null;
      if (one !== null) applying.push(one);
    }
    for (const number of fits) fitting[number] = 0;
    return applying;
  }

  #numbered({ text, pattern }: SegmentsPattern): NumberedPattern {
    const known = this.#patterns.get(text) ?? { number: this.#patterns.size, text, pattern };
    this.#patterns.set(text, known);
    return known;
  }
}

/** Tells statements in their ways apart. */
class Marks {
  readonly #marks = new Map<string, number>();

  markOf(place: number, ways: readonly Conjunction[]): number {
    const text = `${place}:${ways.map((way) => way.join()).join('|')}`;
    const known = this.#marks.get(text) ?? this.#marks.size;
    this.#marks.set(text, known);
    return known;
  }
}

/** So many patterns are told apart by the bits of one number. */
const mostBits = 30;

class FittedStatement {
  readonly patterns: readonly NumberedPattern[];
  readonly #place: number;
  readonly #remainder: Remainder;
  /** The patterns as they are supposed, beside `patterns`. */
  readonly #supposed: readonly SegmentsPattern[];
  readonly #known = new Map<number, Applying | null>();

  constructor(
    place: number,
    remainder: Remainder,
    supposed: readonly SegmentsPattern[],
    patterns: readonly NumberedPattern[],
  ) {
    this.patterns = patterns;
    this.#place = place;
    this.#remainder = remainder;
    this.#supposed = supposed;
  }

  /** Null when it cannot apply. */
  on(fitting: Uint8Array, marks: Marks): Applying | null {
    const { patterns } = this;
    if (patterns.length > mostBits) return this.#read(fitting, marks);
    let bits = 0;
    for (let i = 0; i < patterns.length; i += 1) if (fitting[patterns[i]?.number ?? -1] === 1) bits |= 1 << i;
    let known = this.#known.get(bits);
    if (known === undefined) this.#known.set(bits, (known = this.#read(fitting, marks)));
    return known;
  }

  #read(fitting: Uint8Array, marks: Marks): Applying | null {
    const place = this.#place;
    const remainder = this.#remainder;
    const those = new Set<SupposedPattern>(this.#supposed.filter((_, i) => fitting[this.patterns[i]?.number ?? -1] === 1)); // prettier-ignore
    const ways = waysOn(remainder, (pattern): pattern is SegmentsPattern => those.has(pattern));
    return ways.length === 0 ? null : { place, remainder, ways, mark: marks.markOf(place, ways) };
  }
}

/** The ways in which a statement can apply to a resource; none when it cannot. */
export function waysOn(
  { effect, named, patterns, conditions }: Remainder,
  fits: (pattern: SupposedPattern) => pattern is SegmentsPattern,
): readonly Conjunction[] {
  if (patterns === null) return [conditions];
  if (named) {
    const fitting = patterns.filter(fits);
    if (fitting.some(({ state }) => state === 'RESOLVED')) return [conditions];
    return fitting.flatMap(({ state, fits }) => (state === 'FREE' ? [[...conditions, fits]] : []));
  }
  const missing: number[] = [];
  for (const pattern of patterns) {
    if (pattern.kind === 'EVERY') return [];
    // A pattern that nobody can tell of: an Allow gives way, a Deny stands.
    if (pattern.kind === 'UNREADABLE') {
      if (effect === 'ALLOW') return [];
    } else if (fits(pattern)) {
      if (pattern.state === 'RESOLVED' || (pattern.state === 'UNRESOLVED' && effect === 'ALLOW')) return [];
      if (pattern.state === 'FREE') missing.push(effect === 'ALLOW' ? pattern.misses : negated(pattern.fits));
    }
  }
  return [[...conditions, ...new Set(missing)]];
}
