/**
 * Actions and resources told apart by the patterns that name them, segment by segment: after each segment only the
 * patterns go on that fit so far, so that what one service is asked never meets what another is.
 */
import { isConcreteAction } from './actions.js';
import { type Budget, spend, type TextCells, textCells } from './cells.js';
import { type Glob, matchesGlob, readGlob } from './globs.js';
import { cutShort } from './least-texts.js';
import { segmentCount } from './resources.js';

/** A pattern cut into segments. */
export interface SegmentedPattern {
  readonly segments: readonly Glob[];
}

/** Names that no pattern tells apart. */
export interface SegmentedCell {
  readonly segments: readonly string[];
  /** Places of the patterns that they fit, ascending. */
  readonly fits: readonly number[];
}

/** The cells of names with so many segments. */
function* segmentedCells(
  patterns: readonly SegmentedPattern[],
  count: number,
  mayOccur: (character: string, segment: number) => boolean,
  budget: Budget,
): Generator<SegmentedCell | typeof cutShort> {
  const known = new Map<string, TextCells>();
  const keys = patterns.map(({ segments }) => segments.map(keyOf));
  const cellsOf = (segment: number, globs: ReadonlyMap<string, Glob>): TextCells => {
    const key = JSON.stringify([segment, ...globs.keys()]);
    let cells = known.get(key);
    if (cells === undefined) {
      const list = [...globs.values()].map((glob) => ({ kind: 'GLOB', glob }) as const);
      cells = textCells(list, (character) => mayOccur(character, segment), false, budget);
      known.set(key, cells);
    }
    return cells;
  };
  function* walk(alive: readonly number[], texts: readonly string[]): Generator<SegmentedCell | typeof cutShort> {
    const segment = texts.length;
    if (segment === count) {
      yield { segments: texts, fits: alive };
      return;
    }
    const globs = new Map<string, Glob>();
    for (const place of alive) globs.set(keys[place]?.[segment] ?? '', patterns[place]?.segments[segment] ?? []);
    const order = new Map([...globs.keys()].map((key, i) => [key, i]));
    const { cells, complete } = cellsOf(segment, globs);
    if (!complete) yield cutShort;
    for (const { text, fits } of cells) {
      if (!spend(budget, 1 + alive.length)) {
        yield cutShort;
        return;
      }
      const fitting = new Set(fits);
      yield* walk(
        alive.filter((place) => fitting.has(order.get(keys[place]?.[segment] ?? '') ?? -1)),
        [...texts, text],
      );
    }
  }
  yield* walk(
    patterns.flatMap(({ segments }, place) => (segments.length === count ? [place] : [])),
    [],
  );
}

function keyOf(glob: Glob): string {
  return glob.map((token) => (typeof token === 'string' ? `'${token}` : token.description)).join('');
}

export interface ActionCell {
  readonly names: readonly string[];
  /** Places of the patterns that some of the names fit. */
  readonly fits: ReadonlySet<number>;
}

/** Which actions there are. */
export interface KnownActions {
  /** The names of each, the first one its own; aliases after it. */
  readonly actions: readonly (readonly string[])[];
  /** Whether others may be asked for too. */
  readonly others: boolean;
}

/** The actions that patterns tell apart: known ones under all their names, and others if there may be any. */
export function* actionCells(
  patterns: readonly string[],
  known: KnownActions,
  budget: Budget,
): Generator<ActionCell | typeof cutShort> {
  const always = patterns.flatMap((pattern, place) => (/^\*+$/.test(pattern) ? [place] : []));
  const read = patterns.map((pattern) => ({
    segments: /^\*+$/.test(pattern) ? [] : pattern.toLowerCase().split(':').map(readGlob),
  }));
  yield* knownCells(patterns, always, known.actions, budget);
  if (!known.others) return;
  // A name with aliases is never asked for alone; a pattern of its own keeps it out of the other cells.
  const aliased = known.actions.filter((names) => names.length > 1).flat();
  const all = [...read, ...aliased.map((name) => ({ segments: name.toLowerCase().split(':').map(readGlob) }))];
  const counts = new Set([3, ...all.map(({ segments }) => segments.length).filter((count) => count > 0)]);
  let unmentioned = 1;
  while (counts.has(unmentioned)) unmentioned += 1;
  for (const count of [...counts, unmentioned]) {
    for (const cell of segmentedCells(all, count, mayOccurInAction, budget)) {
      if (cell === cutShort) {
        yield cell;
        continue;
      }
      const action = cell.segments.join(':');
      if (!isConcreteAction(action) || cell.fits.some((place) => place >= patterns.length)) continue;
      yield { names: [action], fits: new Set([...always, ...cell.fits]) };
    }
  }
}

/** Actions that are members of some patterns: where there are too many to tell all apart, one may still show something. */
export function* likelyActions(
  patterns: readonly string[],
  asked: Iterable<string>,
  { actions, others }: KnownActions,
  budget: Budget,
): Generator<ActionCell> {
  const known = new Set(actions.flat().map((name) => name.toLowerCase()));
  const tests = patterns.map((pattern) => (/^\*+$/.test(pattern) ? null : expressionOf(pattern.toLowerCase())));
  if (!others) return;
  for (const pattern of asked) {
    const name = pattern.toLowerCase().replaceAll('*', 'zq').replaceAll('?', 'z');
    if (!isConcreteAction(name) || known.has(name)) continue;
    if (!spend(budget, patterns.length)) return;
    yield { names: [name], fits: new Set(tests.flatMap((test, place) => (test?.test(name) !== false ? [place] : []))) };
  }
}

function mayOccurInAction(character: string): boolean {
  return character !== ':' && isConcreteAction(character);
}

function* knownCells(
  patterns: readonly string[],
  always: readonly number[],
  actions: KnownActions['actions'],
  budget: Budget,
): Generator<ActionCell | typeof cutShort> {
  const exact = new Map<string, number[]>();
  const globs: { readonly place: number; readonly test: RegExp }[] = [];
  for (const [place, pattern] of patterns.entries()) {
    if (/^\*+$/.test(pattern)) continue;
    const lower = pattern.toLowerCase();
    if (/[*?]/.test(lower)) globs.push({ place, test: expressionOf(lower) });
    else exact.set(lower, [...(exact.get(lower) ?? []), place]);
  }
  for (const names of actions) {
    if (!spend(budget, 1 + globs.length)) {
      yield cutShort;
      return;
    }
    const fits = new Set(always);
    for (const name of names.map((each) => each.toLowerCase())) {
      for (const place of exact.get(name) ?? []) fits.add(place);
      for (const { place, test } of globs) if (test.test(name)) fits.add(place);
    }
    yield { names, fits };
  }
}

/** A pattern of an action as an expression over names in lower case: no wildcard reaches across a colon. */
function expressionOf(pattern: string): RegExp {
  const source = Array.from(pattern, (character) =>
    character === '*' ? '[^:]*' : character === '?' ? '[^:]' : character.replace(/[\\^$.|+()[\]{}/-]/, '\\$&'),
  ).join('');
  return new RegExp(`^${source}$`, 'su');
}

export interface ResourceCell {
  readonly resource: string | null;
  /** Places of the patterns that it fits. */
  readonly fits: readonly number[];
}

/** The resources that patterns tell apart, and at last the request that is about none. */
export function* resourceCells(
  patterns: readonly SegmentedPattern[],
  budget: Budget,
): Generator<ResourceCell | typeof cutShort> {
  const counts = new Set([segmentCount, ...patterns.map(({ segments }) => segments.length)]);
  for (const count of counts) {
    for (const cell of segmentedCells(patterns, count, mayOccurIn(count), budget)) {
      yield cell === cutShort ? cell : { resource: cell.segments.join(':'), fits: cell.fits };
    }
  }
  yield { resource: null, fits: [] };
}

/** Only the path may have colons; the service is compared in lower case. */
export function mayOccurIn(count: number): (character: string, segment: number) => boolean {
  return (character, segment) => {
    if (character === ':') return segment === segmentCount - 1 && count === segmentCount;
    return segment > 0 || character.toLowerCase() === character;
  };
}

/** Whether a resource, cut at its colons, fits a pattern. */
export function fitsSegmented({ segments }: SegmentedPattern, texts: readonly string[]): boolean {
  const last = segments.length - 1;
  return (
    (texts.length === segments.length || (segments.length === segmentCount && texts.length > segmentCount)) &&
    segments.every((glob, i) => matchesGlob(glob, i === last ? texts.slice(last).join(':') : (texts[i] ?? '')))
  );
}
