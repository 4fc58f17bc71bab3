/**
 * Resources to which some statements may apply, and to which as few others as can be do: enough to find a request under which
 * the first hold and the others fail, wherever there is one.
 */
import { type Budget, spend } from './cells.js';
import { anyOne, anyRun, type Glob, globsOverlap } from './globs.js';
import { cutShort, type LeastText, leastTexts } from './least-texts.js';
import { mayOccurIn, type SegmentedPattern } from './request-cells.js';
import { segmentCount } from './resources.js';
import type { Remainder, SupposedPattern } from './situations.js';

type SegmentsPattern = Extract<SupposedPattern, { kind: 'SEGMENTS' }>;

/** @returns resources; null is a request that is about none */
export function* leastResources(
  hold: readonly Remainder[],
  fail: readonly Remainder[],
  budget: Budget,
): Generator<string | null | typeof cutShort> {
  // What applies whatever is asked cannot fail.
  if (fail.some(({ patterns, conditions }) => patterns === null && conditions.length === 0)) return;
  if (!spend(budget, hold.length + fail.length)) {
    yield cutShort;
    return;
  }
  const standing = standingOf(hold, fail);
  const asked = new Set<string>();
  for (const held of choices(hold)) {
    const all = [...held, ...standing.needed];
    const counts = new Set(all.length > 0 ? all.map(({ segments }) => segments.length) : standing.counts);
    if (all.length > 0 && counts.size > 1) continue;
    for (const count of counts) {
      for (const resource of cellsOf(all, standing, count, budget)) {
        if (resource === cutShort) {
          yield resource;
          return;
        }
        if (asked.has(resource)) continue;
        asked.add(resource);
        yield resource;
      }
    }
    if (all.length === 0) yield null;
  }
}

const standings = new WeakMap<readonly Remainder[], Standing>();

/** The same as long as the same is to fail, unless what is to hold has patterns of its own to be missed. */
function standingOf(hold: readonly Remainder[], fail: readonly Remainder[]): Standing {
  if (hold.some(({ named }) => !named)) return new Standing(hold, fail);
  let standing = standings.get(fail);
  if (standing === undefined) standings.set(fail, (standing = new Standing(hold, fail)));
  return standing;
}

/** One pattern of each statement that names some. */
function choices(hold: readonly Remainder[]): readonly (readonly SegmentedPattern[])[] {
  return hold.reduce<readonly (readonly SegmentedPattern[])[]>(
    (all, { named, patterns }) => {
      if (!named || patterns === null) return all;
      const own = patterns.filter(isSegments).filter(({ state }) => state !== 'UNRESOLVED');
      return all.flatMap((held) =>
        own
          .filter(({ pattern }) => held.every((other) => mayMeet(pattern, other)))
          .map(({ pattern }) => [...held, pattern]),
      );
    },
    [[]],
  );
}

function mayMeet(one: SegmentedPattern, other: SegmentedPattern): boolean {
  return (
    one.segments.length === other.segments.length &&
    one.segments.every((glob, i) => globsOverlap(glob, other.segments[i] ?? []))
  );
}

function isSegments(pattern: SupposedPattern): pattern is SegmentsPattern {
  return pattern.kind === 'SEGMENTS';
}

/** Patterns that stand in the way of a request, and such as would clear it. */
class Standing {
  readonly avoided: readonly SegmentedPattern[];
  readonly sought: readonly SegmentedPattern[];
  /** Every request must fit these. */
  readonly needed: readonly SegmentedPattern[];
  /** How many of what is avoided, from the first on, no request may fit. */
  readonly hopeless: number;
  readonly counts: readonly number[];
  /** Texts of segments before the last, by what they are to fit and what stands in the way. */
  readonly known = new Map<string, readonly (LeastText | typeof cutShort)[]>();

  constructor(hold: readonly Remainder[], fail: readonly Remainder[]) {
    const bound = ({ conditions }: Remainder): boolean => conditions.length === 0;
    const named = fail.filter((one) => one.named && one.patterns !== null);
    const excepting = fail.filter((one) => !one.named && one.patterns !== null);
    const needs = excepting.filter((one) => bound(one) && one.patterns?.length === 1);
    const hopeless = new Map<string, SegmentedPattern>();
    for (const one of named.filter(bound)) add(hopeless, one, ({ state }) => state === 'RESOLVED');
    // An Allow on all but a pattern that cannot be told gives way as if the pattern fitted.
    for (const one of hold.filter((each) => !each.named)) add(hopeless, one, ({ state }) => state === 'RESOLVED' || (state === 'UNRESOLVED' && one.effect === 'ALLOW')); // prettier-ignore
    const avoided = new Map(hopeless);
    for (const one of [...named, ...hold.filter((each) => !each.named)]) add(avoided, one, () => true);
    const sought = new Map<string, SegmentedPattern>();
    for (const one of excepting.filter((each) => !needs.includes(each))) add(sought, one, () => true);
    const needed = new Map<string, SegmentedPattern>();
    for (const one of needs) add(needed, one, () => true);
    this.avoided = [...avoided.values()];
    this.sought = [...sought.values()];
    this.needed = [...needed.values()];
    this.hopeless = hopeless.size;
    this.counts = [segmentCount, ...[...this.avoided, ...this.sought].map(({ segments }) => segments.length)];
  }
}

function add(
  to: Map<string, SegmentedPattern>,
  { patterns }: Remainder,
  wanted: (pattern: SegmentsPattern) => boolean,
): void {
  for (const pattern of (patterns ?? []).filter(isSegments)) if (wanted(pattern)) to.set(pattern.text, pattern.pattern);
}

function* cellsOf(
  hold: readonly SegmentedPattern[],
  { avoided, sought, hopeless, known }: Standing,
  count: number,
  budget: Budget,
): Generator<string | typeof cutShort> {
  const mayOccur = mayOccurIn(count);
  const longEnough = (patterns: readonly SegmentedPattern[]): readonly number[] =>
    patterns.flatMap(({ segments }, place) => (segments.length === count ? [place] : []));
  yield* walk(longEnough(avoided), longEnough(sought), []);

  function* walk(
    against: readonly number[],
    towards: readonly number[],
    texts: readonly string[],
  ): Generator<string | typeof cutShort> {
    const segment = texts.length;
    if (segment === count) {
      yield texts.join(':');
      return;
    }
    if (!spend(budget, 1 + 2 * (against.length + towards.length))) {
      yield cutShort;
      return;
    }
    const bad = groupsOf(avoided, against, segment);
    const good = groupsOf(sought, towards, segment);
    const last = segment === count - 1;
    const key = `${segment} ${hold.map(({ segments }) => nameOf(segments[segment] ?? [])).join()}  ${[...bad.keys()].join(' ')}  ${[...good.keys()].join(' ')}`;
    const badPlaces = [...bad.values()].map(({ places }) => places);
    const goodPlaces = [...good.values()].map(({ places }) => places);
    const aim = {
      hold: distinct(hold.map(({ segments }) => segments[segment] ?? [])),
      avoided: [...bad.values()].map(({ glob }) => glob),
      sought: [...good.values()].map(({ glob }) => glob),
      hopeless: (place: number) => last && (badPlaces[place]?.some((each) => each < hopeless) ?? false),
      mayOccur: (character: string) => mayOccur(character, segment),
    };
    // The last segment is asked about once for each way to it, and as far as it is needed.
    let cells: Iterable<LeastText | typeof cutShort> = last ? leastTexts(aim, budget) : (known.get(key) ?? []);
    if (!last && !known.has(key)) known.set(key, (cells = [...leastTexts(aim, budget)]));
    for (const cell of cells) {
      if (cell === cutShort) {
        yield cell;
        return;
      }
      yield* walk(
        cell.avoided.flatMap((place) => badPlaces[place] ?? []),
        cell.sought.flatMap((place) => goodPlaces[place] ?? []),
        [...texts, cell.text],
      );
    }
  }
}

interface Group {
  readonly glob: Glob;
  readonly places: number[];
}

/** Patterns by what they have in one segment. */
function groupsOf(
  patterns: readonly SegmentedPattern[],
  places: readonly number[],
  segment: number,
): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>();
  for (const place of places) {
    const glob = patterns[place]?.segments[segment] ?? [];
    const key = nameOf(glob);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { glob, places: [place] });
    else group.places.push(place);
  }
  return groups;
}

function distinct(globs: readonly Glob[]): readonly Glob[] {
  return [...new Map(globs.map((glob) => [nameOf(glob), glob])).values()];
}

const names = new WeakMap<Glob, string>();

/** The same for globs that are the same, and without blanks. */
function nameOf(glob: Glob): string {
  let name = names.get(glob);
  if (name === undefined) {
    name = JSON.stringify(glob.map((token) => (token === anyRun ? 0 : token === anyOne ? 1 : token))).replaceAll(' ', '\\u0020'); // prettier-ignore
    names.set(glob, name);
  }
  return name;
}
