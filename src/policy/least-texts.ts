/**
 * Texts that fit some patterns and as few others as can be.
 *
 * Whoever looks for a text that fits these and not those need not see every combination of fits: what fits fewer of those
 * serves whatever one that fits more of them serves. A character that no pattern to be fitted asks for may as well be one that
 * none mentions, which only wildcards take. So the walk goes along the patterns to be fitted, and a state is left out where
 * another has come as far along them and less far along the others.
 *
 * INVARIANT: when it was not cut short, each text that fits is matched by one that is listed and fits no more of what is
 * avoided and no less of what is sought. Proofs that nothing differs stand on that.
 */
import { type Budget, spend } from './cells.js';
import { anyOne, anyRun, type Glob, type GlobToken } from './globs.js';

/** Said when the budget ended before every text was seen. */
export const cutShort = Symbol('cut short');

export interface LeastText {
  readonly text: string;
  /** Places of what is avoided that it fits all the same, and of what is sought. */
  readonly avoided: readonly number[];
  readonly sought: readonly number[];
}

export interface TextAim {
  /** All to be fitted. */
  readonly hold: readonly Glob[];
  readonly avoided: readonly Glob[];
  /** What a text had better fit. */
  readonly sought: readonly Glob[];
  /** Whether a text that fits one of what is avoided is of no use at all. */
  readonly hopeless: (place: number) => boolean;
  /** Whether a character can stand in such a text at all. */
  readonly mayOccur: (character: string) => boolean;
}

interface State {
  /** How far along each pattern to be fitted. */
  readonly at: readonly number[];
  readonly avoided: readonly number[];
  readonly sought: readonly number[];
  readonly text: string;
}

export function* leastTexts(aim: TextAim, budget: Budget): Generator<LeastText | typeof cutShort> {
  const { hold } = aim;
  const avoided = new Row(aim.avoided);
  const sought = new Row(aim.sought);
  const hopeless = avoided.places(aim.hopeless);
  const other = unmentioned([...hold, ...aim.avoided, ...aim.sought], aim.mayOccur);
  const seen = new Map<string, State[]>();
  const stack: State[] = [];
  const listed: LeastText[] = [];
  // To see which characters are mentioned takes a look at all of them.
  let spent = !spend(budget, (avoided.tokens.length + sought.tokens.length) / 8);
  const push = (state: State): void => {
    if (state.avoided.some((place) => hopeless.has(place))) return;
    const key = state.at.join();
    const known = seen.get(key) ?? [];
    if (!spend(budget, 2 + ((known.length + 1) * (state.avoided.length + state.sought.length)) / 8)) spent = true;
    if (known.some((better) => isWithin(better.avoided, state.avoided) && isWithin(state.sought, better.sought)))
      return;
    seen.set(key, [...known.filter((worse) => !isWithin(state.avoided, worse.avoided) || !isWithin(worse.sought, state.sought)), state]); // prettier-ignore
    stack.push(state);
  };
  push({ at: hold.map(() => 0), avoided: avoided.start, sought: sought.start, text: '' });
  for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
    if (spent) {
      yield cutShort;
      return;
    }
    const { at, text } = state;
    if (at.every((place, i) => place === hold[i]?.length)) {
      const found = { text, avoided: avoided.ended(state.avoided), sought: sought.ended(state.sought) };
      const known = listed.some((one) => isWithin(one.avoided, found.avoided) && isWithin(found.sought, one.sought));
      if (!known && !found.avoided.some(aim.hopeless)) {
        listed.push(found);
        yield found;
      }
      if (hold.length > 0) continue;
    }
    // A run may be over at once; what is pushed last is gone on with first, and that fits the fewest others.
    for (const [i, place] of at.entries()) {
      if (hold[i]?.[place] === anyRun) push({ ...state, at: at.with(i, place + 1) });
    }
    const wanted = new Set<string>();
    for (const [i, place] of at.entries()) addTo(wanted, hold[i]?.[place]);
    for (const place of state.sought) addTo(wanted, sought.tokens[place]);
    for (const character of [...wanted, other]) {
      if (!aim.mayOccur(character)) continue;
      const next = at.map((place, i) => stepped(hold[i]?.[place], place, character));
      if (next.includes(-1)) continue;
      if (!spend(budget, (state.avoided.length + state.sought.length) / 4)) spent = true;
      push({
        at: next,
        avoided: avoided.step(state.avoided, character),
        sought: sought.step(state.sought, character),
        text: text + character,
      });
    }
  }
}

function addTo(characters: Set<string>, token: GlobToken | null | undefined): void {
  if (typeof token === 'string') characters.add(token);
}

/** The place after a character, or -1; a run stays where it is. */
function stepped(token: GlobToken | undefined, place: number, character: string): number {
  if (token === anyRun) return place;
  return token === anyOne || token === character ? place + 1 : -1;
}

/** Patterns in one row of tokens; a state is the ascending list of places that some of them has come to. */
class Row {
  readonly tokens: readonly (GlobToken | null)[];
  readonly start: readonly number[];
  readonly #endOf = new Map<number, number>();
  readonly #lengths: readonly number[];

  constructor(patterns: readonly Glob[]) {
    const tokens: (GlobToken | null)[] = [];
    const starts: number[] = [];
    for (const [place, pattern] of patterns.entries()) {
      starts.push(tokens.length);
      tokens.push(...pattern, null);
      this.#endOf.set(tokens.length - 1, place);
    }
    this.tokens = tokens;
    this.#lengths = patterns.map((pattern) => pattern.length);
    this.start = this.#closed(starts);
  }

  /** Places in the row from which one of these patterns is fitted by whatever follows. */
  places(of: (pattern: number) => boolean): ReadonlySet<number> {
    const found = new Set<number>();
    for (const [end, pattern] of this.#endOf) {
      if (of(pattern) && (this.#lengths[pattern] ?? 0) > 0 && this.tokens[end - 1] === anyRun) found.add(end - 1);
    }
    return found;
  }

  ended(state: readonly number[]): readonly number[] {
    return state.flatMap((place) => this.#endOf.get(place) ?? []);
  }

  step(state: readonly number[], character: string): readonly number[] {
    const reached: number[] = [];
    for (const place of state) {
      const token = this.tokens[place];
      if (token === anyRun) reached.push(place);
      else if (token === anyOne || token === character) reached.push(place + 1);
    }
    return this.#closed(reached);
  }

  /** With every place that is reached without a character; ascending. */
  #closed(places: readonly number[]): readonly number[] {
    const closed: number[] = [];
    let last = -1;
    for (let place of places) {
      if (place > last) closed.push((last = place));
      while (this.tokens[place] === anyRun) {
        place += 1;
        if (place > last) closed.push((last = place));
      }
    }
    return closed;
  }
}

/** Whether one ascending list has nothing that the other has not. */
function isWithin(few: readonly number[], many: readonly number[]): boolean {
  if (few.length > many.length) return false;
  let at = 0;
  for (const one of few) {
    while (at < many.length && (many[at] ?? 0) < one) at += 1;
    if (many[at] !== one) return false;
    at += 1;
  }
  return true;
}

/** A character that no pattern mentions. */
function unmentioned(patterns: readonly Glob[], mayOccur: (character: string) => boolean): string {
  const fits = (character: string): boolean =>
    mayOccur(character) && !patterns.some((pattern) => pattern.includes(character));
  const plain = Array.from('xyzqwvujk0123456789abcdefghilmnoprst').find(fits);
  if (plain !== undefined) return plain;
  // Ideographs: letters without case, more of them than a document has characters.
  let code = 0x4e00;
  while (!fits(String.fromCodePoint(code))) code += 1;
  return String.fromCodePoint(code);
}
