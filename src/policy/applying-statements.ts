/**
 * Which statements may apply to a resource, of those about one action: a matter of which of their patterns it fits. Most
 * resources differ in few patterns, so what a statement comes to is kept by those that fit.
 */
import type { ResourceCell } from './request-cells.js';
import { type Conjunction, negated, type Remainder, type SupposedPattern } from './situations.js';

export type SegmentsPattern = Extract<SupposedPattern, { kind: 'SEGMENTS' }>;

/** A statement that may apply to a resource, if one of its ways holds. */
export interface Applying {
  readonly place: number;
  readonly remainder: Remainder;
  readonly ways: readonly Conjunction[];
  /** The same for the same place with the same ways, within one search. */
  readonly mark: number;
}

/** Tells statements in their ways apart. */
export class ApplyingMarks {
  readonly #marks = new Map<string, number>();

  markOf(place: number, ways: readonly Conjunction[]): number {
    const text = `${place}:${ways.map((way) => way.join()).join('|')}`;
    const known = this.#marks.get(text) ?? this.#marks.size;
    this.#marks.set(text, known);
    return known;
  }
}

export class ApplyingStatements {
  readonly #statements: readonly FittedStatement[];
  /** Of each pattern, 1 for one that the resource fits that is looked at. */
  readonly #fitting: Uint8Array;

  /** @param places of the patterns, by their texts */
  constructor(
    statements: readonly (readonly [place: number, remainder: Remainder])[],
    places: ReadonlyMap<string, number>,
    marks: ApplyingMarks,
  ) {
    this.#fitting = new Uint8Array(places.size);
    this.#statements = statements.map(([place, remainder]) => new FittedStatement(place, remainder, places, marks));
  }

  on({ fits }: ResourceCell): readonly Applying[] {
    const fitting = this.#fitting;
    for (const place of fits) fitting[place] = 1;
    const applying: Applying[] = [];
    for (const statement of this.#statements) {
      const one = statement.on(fitting);
      if (one !== null) applying.push(one);
    }
    fitting.fill(0);
    return applying;
  }
}

/** So many patterns are told apart by the bits of one number. */
const mostBits = 30;

class FittedStatement {
  readonly #place: number;
  readonly #remainder: Remainder;
  readonly #places: ReadonlyMap<string, number>;
  /** Places of its own patterns. */
  readonly #own: readonly number[];
  readonly #marks: ApplyingMarks;
  readonly #known = new Map<number, Applying | null>();

  constructor(place: number, remainder: Remainder, places: ReadonlyMap<string, number>, marks: ApplyingMarks) {
    this.#place = place;
    this.#remainder = remainder;
    this.#places = places;
    this.#own = (remainder.patterns ?? []).flatMap((pattern) =>
      pattern.kind === 'SEGMENTS' ? [places.get(pattern.text) ?? -1] : [],
    );
    this.#marks = marks;
  }

  /** Null when it cannot apply. */
  on(fitting: Uint8Array): Applying | null {
    const own = this.#own;
    if (own.length > mostBits) return this.#read(fitting);
    let bits = 0;
    for (let i = 0; i < own.length; i += 1) if (fitting[own[i] ?? -1] === 1) bits |= 1 << i;
    let known = this.#known.get(bits);
    if (known === undefined) this.#known.set(bits, (known = this.#read(fitting)));
    return known;
  }

  #read(fitting: Uint8Array): Applying | null {
    const place = this.#place;
    const remainder = this.#remainder;
    const ways = waysOn(
      remainder,
      (pattern): pattern is SegmentsPattern =>
        pattern.kind === 'SEGMENTS' && fitting[this.#places.get(pattern.text) ?? -1] === 1,
    );
    return ways.length === 0 ? null : { place, remainder, ways, mark: this.#marks.markOf(place, ways) };
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
