/**
 * Statements about one action, when they are many, found by what tells them apart: what the path of the resource begins
 * with, or a text that a condition wants. Each is put in the one place where the fewest others are.
 */
import type { CutResource } from './cut-resource.js';
import { isFaultless, wantedTexts } from './compiled-conditions.js';
import type { MeetingStatement } from './compiled-statements.js';
import type { Beginning } from './compiled-texts.js';
import type { RequestContext } from './context.js';
import type { Condition, Statement } from './document.js';
import { hasVariables } from './templates.js';

/** Of a place among the statements given; places are answered in order. */
export type PlaceTakesPart = (place: number) => boolean;

const nothing: readonly number[] = [];

export class CandidateIndex {
  /** Not told apart by anything. */
  readonly #always: number[] = [];
  readonly #whole = new Map<string, number[]>();
  readonly #begun = new Map<string, number[]>();
  /** Lengths of the beginnings, the shortest first. */
  readonly #lengths: readonly number[];
  readonly #wanting = new Map<string, Wanting>();

  constructor(statements: readonly Pick<MeetingStatement, 'resources' | 'statement'>[]) {
    const crowds = new Crowds(statements);
    const lengths = new Set<number>();
    for (const [place, { resources, statement }] of statements.entries()) {
      const wanted = wantedOf(statement);
      const { paths } = resources;
      const most = statements.length / 2;
      const onPath = paths === null ? Infinity : crowds.ofPaths(paths);
      const best = wanted.reduce<{ readonly crowd: number; readonly by: WantedTexts | null }>(
        (least, by) => {
          const crowd = crowds.ofTexts(by);
          return crowd < least.crowd ? { crowd, by } : least;
        },
        { crowd: onPath, by: null },
      );
      if (best.crowd > most) this.#always.push(place);
      else if (best.by !== null)
        wantingOf(this.#wanting, best.by.key).add(place, best.by, signatureOf(statement, best.by.condition));
      else {
        for (const { text, whole } of paths ?? []) {
          push(whole ? this.#whole : this.#begun, text, place);
          if (!whole) lengths.add(text.length);
        }
      }
    }
    this.#lengths = [...lengths].sort((a, b) => a - b);
  }

  /**
   * Places of the statements that may apply or have something to tell, in order, each once. Of those that have the same to
   * tell, one that takes part stands for all.
   */
  on(resource: CutResource | null, context: RequestContext, takesPart: PlaceTakesPart): readonly number[] {
    const lists: (readonly number[])[] = this.#always.length > 0 ? [this.#always] : [];
    if (resource?.isWhole === true && (this.#whole.size > 0 || this.#lengths.length > 0)) {
      const { path } = resource;
      const whole = this.#whole.get(path);
      if (whole !== undefined) lists.push(whole);
      for (const length of this.#lengths) {
        if (length > path.length) break;
        const begun = this.#begun.get(path.slice(0, length));
        if (begun !== undefined) lists.push(begun);
      }
    }
    for (const wanting of this.#wanting.values()) {
      const values = context.get(wanting.key);
      if (values === undefined || values.length === 0) {
        lists.push(wanting.whenAbsent(takesPart));
        continue;
      }
      for (const value of values) {
        const having = wanting.byText.get(value);
        if (having !== undefined) lists.push(having);
      }
    }
    if (lists.length < 2) return lists[0] ?? nothing;
    return inOrder(lists);
  }
}

/** A condition that can be looked up: without one of these texts for its key, the statement does not apply. */
interface WantedTexts {
  readonly condition: Condition;
  /** In lower case. */
  readonly key: string;
  readonly texts: readonly string[];
}

function wantedOf({ conditions }: Statement): readonly WantedTexts[] {
  return conditions.flatMap((condition) => {
    const texts = wantedTexts(condition);
    return texts === null ? [] : [{ condition, key: condition.key.toLowerCase(), texts }];
  });
}

/** In the order given, each once: a statement may have several patterns that a path fits. */
function inOrder(lists: readonly (readonly number[])[]): readonly number[] {
  const places: number[] = [];
  for (const list of lists) for (const place of list) places.push(place);
  if (places.length < 2) return places;
  places.sort((a, b) => a - b);
  return places.filter((place, i) => place !== places[i - 1]);
}

/** Statements that want one of some texts for one key. */
class Wanting {
  readonly key: string;
  readonly byText = new Map<string, number[]>();
  /** What each is told alike by when its key is absent. */
  readonly #alike = new Map<string, number[]>();
  readonly #others: number[] = [];

  constructor(key: string) {
    this.key = key;
  }

  add(place: number, { texts }: WantedTexts, signature: string | null): void {
    for (const text of new Set(texts)) push(this.byText, text, place);
    if (signature === null) this.#others.push(place);
    else push(this.#alike, signature, place);
  }

  whenAbsent(takesPart: PlaceTakesPart): readonly number[] {
    const places = [...this.#others];
    for (const alike of this.#alike.values()) {
      const one = alike.find(takesPart);
      if (one !== undefined) places.push(one);
    }
    return places;
  }
}

/**
 * Statements of one signature lack the same keys when that of the condition is absent, and cannot be at fault: all they can
 * do then is to say so. Null for what may have something of its own to tell.
 */
function signatureOf({ resources, notResources, conditions }: Statement, by: Condition): string | null {
  if (notResources !== null || resources?.some(hasVariables) === true) return null;
  const others = conditions.filter((condition) => condition !== by);
  return others.every(isFaultless) ? JSON.stringify([by.key, resources, others]) : null;
}

/** How many statements say the same. */
class Crowds {
  readonly #paths = new Map<string, number>();
  readonly #texts = new Map<string, Map<string, number>>();

  constructor(statements: readonly Pick<MeetingStatement, 'resources' | 'statement'>[]) {
    for (const { resources, statement } of statements) {
      for (const path of resources.paths ?? []) count(this.#paths, nameOf(path));
      for (const { key, texts } of wantedOf(statement)) {
        const counts = this.#texts.get(key) ?? new Map<string, number>();
        this.#texts.set(key, counts);
        for (const text of texts) count(counts, text);
      }
    }
  }

  ofPaths(paths: readonly Beginning[]): number {
    if (paths.some(({ text, whole }) => text === '' && !whole)) return Infinity;
    return paths.reduce((sum, path) => sum + (this.#paths.get(nameOf(path)) ?? 0), 0);
  }

  ofTexts({ key, texts }: WantedTexts): number {
    const counts = this.#texts.get(key);
    return texts.reduce((sum, text) => sum + (counts?.get(text) ?? 0), 0);
  }
}

function nameOf({ text, whole }: Beginning): string {
  return whole ? text : `${text}*`;
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function push(lists: Map<string, number[]>, key: string, place: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [place]);
  else if (list.at(-1) !== place) list.push(place);
}

function wantingOf(all: Map<string, Wanting>, key: string): Wanting {
  const known = all.get(key);
  if (known !== undefined) return known;
  const made = new Wanting(key);
  all.set(key, made);
  return made;
}
