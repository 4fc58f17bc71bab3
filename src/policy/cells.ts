/**
 * Texts told apart by patterns: every combination of fits and misfits that some text shows, each with one such text.
 *
 * The patterns run together as one automaton, made state by state: a state says how far each pattern has come. From a
 * state only the characters matter that some pattern waits for; all others are alike, so one of them stands for all.
 * Walking breadth first, each combination is met at its shortest text.
 *
 * INVARIANT: when `complete`, no text shows a combination that is not listed. Proofs that nothing differs stand on that.
 */
import { withoutCase } from './conditions.js';
import { anyOne, anyRun, type Glob, type GlobToken } from './globs.js';

/** What a pattern asks of a text. */
export type TextPattern =
  | { readonly kind: 'GLOB'; readonly glob: Glob }
  /** The same text, letter case disregarded as `StringEqualsIgnoreCase` has it; given without case. */
  | { readonly kind: 'WITHOUT_CASE'; readonly text: string };

/** Texts that no pattern tells apart. */
export interface TextCell {
  readonly text: string;
  /** Places of the patterns that it fits, ascending. */
  readonly fits: readonly number[];
}

export interface TextCells {
  readonly cells: readonly TextCell[];
  readonly complete: boolean;
}

/** Steps that are left for a piece of work; shared by everything that is done for it. */
export interface Budget {
  left: number;
}

/** Takes steps from a budget; false when it is spent. */
export function spend(budget: Budget, steps: number): boolean {
  budget.left -= steps;
  return budget.left >= 0;
}

/**
 * @param mayOccur whether a character can stand in such a text at all
 * @param emptyApart whether the empty text is a cell of its own, beside the others that fit what it fits; else another
 *   text is preferred to it
 */
export function textCells(
  patterns: readonly TextPattern[],
  mayOccur: (character: string) => boolean,
  emptyApart: boolean,
  budget: Budget,
): TextCells {
  const automaton = new Automaton(patterns, mayOccur);
  const cells = new Map<string, TextCell>();
  const start = automaton.start();
  const seen = new Set<string>([start.join()]);
  let layer: { readonly state: readonly number[]; readonly text: string }[] = [{ state: start, text: '' }];
  const empty: TextCell = { text: '', fits: automaton.accepted(start) };
  // The start may be come back to with a text that is not empty.
  seen.delete(start.join());
  while (layer.length > 0) {
    const next: typeof layer = [];
    for (const { state, text } of layer) {
      for (const [character, reached] of automaton.steps(state)) {
        if (!spend(budget, 1 + reached.length)) {
          return { cells: [...cells.values(), empty], complete: false };
        }
        const key = reached.join();
        if (seen.has(key)) continue;
        seen.add(key);
        const longer = text + character;
        const fits = automaton.accepted(reached);
        const cell = fits.join();
        if (!cells.has(cell)) cells.set(cell, { text: longer, fits });
        next.push({ state: reached, text: longer });
      }
    }
    layer = next;
  }
  const found = [...cells.values()];
  if (emptyApart || !cells.has(empty.fits.join())) found.push(empty);
  return { cells: found, complete: !automaton.inexact };
}

/** All patterns in one row of tokens; a state is the ascending list of places that some pattern has come to. */
class Automaton {
  readonly #tokens: (GlobToken | null)[] = [];
  /** For each place: the pattern it belongs to, when it is of the kind without case. */
  readonly #folded: boolean[] = [];
  readonly #starts: number[] = [];
  readonly #patternEndingAt = new Map<number, number>();
  readonly #mayOccur: (character: string) => boolean;
  readonly #other: string;
  /** Whether letter case of some pattern cannot be told character by character. */
  readonly inexact: boolean;

  constructor(patterns: readonly TextPattern[], mayOccur: (character: string) => boolean) {
    this.#mayOccur = mayOccur;
    for (const [place, pattern] of patterns.entries()) {
      const tokens = pattern.kind === 'GLOB' ? pattern.glob : Array.from(pattern.text);
      this.#starts.push(this.#tokens.length);
      for (const token of tokens) {
        this.#tokens.push(token);
        this.#folded.push(pattern.kind === 'WITHOUT_CASE');
      }
      this.#patternEndingAt.set(this.#tokens.length, place);
      this.#tokens.push(null);
      this.#folded.push(false);
    }
    // Which small sigma a capital one becomes depends on what stands around it.
    this.inexact = patterns.some((pattern) => pattern.kind === 'WITHOUT_CASE' && /[σς]/.test(pattern.text));
    this.#other = this.#unmentioned();
  }

  start(): readonly number[] {
    return this.#closed(this.#starts);
  }

  accepted(state: readonly number[]): readonly number[] {
    return state.flatMap((place) => this.#patternEndingAt.get(place) ?? []);
  }

  /** Each character that matters, with the state that it leads to; last the one that stands for all others. */
  *steps(state: readonly number[]): Generator<readonly [string, readonly number[]]> {
    const always: number[] = [];
    const by = new Map<string, number[]>();
    const leads = (character: string, place: number): void => {
      if (!this.#mayOccur(character)) return;
      const known = by.get(character);
      if (known === undefined) by.set(character, [place]);
      else known.push(place);
    };
    for (const place of state) {
      const token = this.#tokens[place];
      if (token === undefined || token === null) continue;
      if (token === anyRun) always.push(place);
      else if (token === anyOne) always.push(place + 1);
      else if (this.#folded[place] === true) {
        for (const [character, length] of this.#spellings(place)) leads(character, place + length);
      } else leads(token, place + 1);
    }
    for (const [character, places] of by) yield [character, this.#closed([...always, ...places])];
    yield [this.#other, this.#closed(always)];
  }

  /** Characters that come to the next ones of a text without case, and how many of these. */
  *#spellings(place: number): Generator<readonly [string, number]> {
    let run = '';
    for (let length = 1; length <= longestFold; length += 1) {
      const token = this.#tokens[place + length - 1];
      if (typeof token !== 'string') return;
      run += token;
      if (length === 1 && withoutCase(run) === run) yield [run, 1];
      for (const character of spellings().get(run) ?? []) yield [character, length];
    }
  }

  /** With every place that is reached without a character: a `*` may be over at once. */
  #closed(places: readonly number[]): readonly number[] {
    const closed = new Set<number>();
    for (let place of places) {
      closed.add(place);
      while (this.#tokens[place] === anyRun) closed.add((place += 1));
    }
    return [...closed].sort((a, b) => a - b);
  }

  #unmentioned(): string {
    const mentioned = new Set<string>();
    for (const [place, token] of this.#tokens.entries()) {
      if (typeof token !== 'string') continue;
      mentioned.add(token);
      if (this.#folded[place] === true) for (const [character] of this.#spellings(place)) mentioned.add(character);
    }
    const fits = (character: string): boolean => !mentioned.has(character) && this.#mayOccur(character);
    const plain = Array.from('xyzqwvujk0123456789abcdefghilmnoprst').find(fits);
    if (plain !== undefined) return plain;
    // Ideographs: letters without case, more of them than a document has characters.
    let code = 0x4e00;
    while (!fits(String.fromCodePoint(code))) code += 1;
    return String.fromCodePoint(code);
  }
}

/** Characters that one character may come to without case. */
const longestFold = 3;

let spellingsKnown: ReadonlyMap<string, readonly string[]> | null = null;

/** Characters that change when case is taken away, by what they come to. Letters with case end before U+20000. */
function spellings(): ReadonlyMap<string, readonly string[]> {
  if (spellingsKnown !== null) return spellingsKnown;
  const known = new Map<string, string[]>();
  for (let code = 0x41; code < 0x20000; code += 1) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const character = String.fromCodePoint(code);
    const plain = withoutCase(character);
    if (plain === character) continue;
    const list = known.get(plain);
    if (list === undefined) known.set(plain, [character]);
    else list.push(character);
  }
  spellingsKnown = known;
  return known;
}
