/**
 * The decision, made ready: the statements of a principal are read once and found by the action, the resource and the
 * texts that a request names, instead of being walked. It answers what the reference form (evaluation.ts) answers,
 * determining statements, missing keys and problems included; `npm run fuzz:policy` holds the two together.
 */
import { isConcreteAction } from './actions.js';
import { type Candidates, gatherCandidates, noMatch, Tally, type TakesPart } from './candidates.js';
import { ActionNames } from './compiled-actions.js';
import { compileDocument } from './compiled-statements.js';
import type { StatementEffect } from './document.js';
import {
  evaluate,
  type DeterminingStatement,
  type Evaluation,
  type PolicyRequest,
  type PolicySource,
} from './evaluation.js';

export type { TakesPart };

/**
 * Who holds few documents and asks seldom has them asked one by one: what they come to is shared, and nothing is kept for
 * the principal.
 */
const fewDocuments = 16;
const rememberedFrom = 3;

/** Actions whose statements are remembered for one principal; so many of them are found by walking. */
const rememberedActions = 512;
const walkedActions = 8;

type NamedAction = Pick<PolicyRequest, 'action' | 'aliases'>;

const everySource = (): boolean => true;
const nothing: readonly never[] = [];

/** The sources of one principal, made ready. They must not change. */
export class CompiledSources<Origin> {
  readonly #sources: readonly PolicySource<Origin>[];
  /** Beside each source what it may be about: those that are not about an action are not even looked at. */
  #marks: readonly number[] | null = null;
  #known: Known<Candidates<Origin>> | null = null;
  #asked = 0;

  constructor(sources: readonly PolicySource<Origin>[]) {
    this.#sources = sources;
  }

  /**
   * As `evaluate` over those sources that take part.
   *
   * @param remember whether the action is one of a closed set, so that remembering it cannot fill the memory
   */
  evaluate(request: PolicyRequest, takesPart: TakesPart<Origin> = everySource, remember = false): Evaluation<Origin> {
    return this.#evaluate(request, takesPart, remember, false);
  }

  /** The effect of `evaluate` alone, for those who ask much and show nothing. */
  effectOf(request: PolicyRequest, takesPart: TakesPart<Origin> = everySource, remember = false): StatementEffect {
    return this.#evaluate(request, takesPart, remember, true).effect;
  }

  /** The statements about an action, of sources that take part, in order; none for what is a pattern. */
  about(
    action: NamedAction,
    takesPart: TakesPart<Origin> = everySource,
    remember = false,
  ): readonly DeterminingStatement<Origin>[] {
    const key = keyOf(action);
    let candidates = this.#find(key);
    if (candidates === undefined) {
      const names = namesOf(action, remember);
      if (names === null) return nothing;
      candidates = this.#gather(names, key);
    }
    const about = candidates?.list() ?? nothing;
    return about.filter(({ source }) => takesPart(source.origin));
  }

  /** @param effectOnly the answer may be short of statements */
  #evaluate(
    request: PolicyRequest,
    takesPart: TakesPart<Origin>,
    remember: boolean,
    effectOnly: boolean,
  ): Evaluation<Origin> {
    const key = keyOf(request);
    const known = this.#find(key);
    if (known !== undefined) return evaluateAmong(known, request, takesPart, effectOnly);
    const names = namesOf(request, remember);
    // An action that is a pattern is refused in the words of the reference form.
    if (names === null) return evaluate([], request);
    const sources = this.#sources;
    if (sources.length > fewDocuments || (names.kept && this.#asked >= rememberedFrom)) {
      return evaluateAmong(this.#gather(names, key), request, takesPart, effectOnly);
    }
    this.#asked += 1;
    const marks = (this.#marks ??= sources.map(({ document }) => compileDocument(document).marks));
    const tally = new Tally(request, takesPart, effectOnly);
    for (let i = 0; i < sources.length; i += 1) {
      const source = sources[i];
      if (source === undefined || ((marks[i] ?? 0) & names.marks) === 0) continue;
      for (const one of compileDocument(source.document).about(names)) if (tally.meet(one, source, null)) break;
    }
    return tally.evaluation();
  }

  #find(key: ActionKey | null): Candidates<Origin> | undefined {
    return key === null ? undefined : this.#known?.find(key);
  }

  #gather(names: ActionNames, key: ActionKey | null): Candidates<Origin> {
    const candidates = gatherCandidates(this.#sources, names);
    if (names.kept && key !== null) {
      this.#known = this.#known?.with(key, candidates) ?? new KnownAction(key, candidates, null);
    }
    return candidates;
  }
}

function evaluateAmong<Origin>(
  candidates: Candidates<Origin>,
  request: PolicyRequest,
  takesPart: TakesPart<Origin>,
  effectOnly: boolean,
): Evaluation<Origin> {
  if (candidates === null) return noMatch;
  const tally = new Tally(request, takesPart, effectOnly);
  candidates.meet(tally);
  return tally.evaluation();
}

/** What an action is known by: its name where it has one, else the list of all of them. */
type ActionKey = string | readonly string[];

/** Null for what is never kept: other names beside one that is not among them. */
function keyOf({ action, aliases }: NamedAction): ActionKey | null {
  if (aliases === undefined || aliases.length === 0) return action;
  return aliases.includes(action) ? aliases : null;
}

/** What is kept for some actions. */
interface Known<Kept> {
  find(key: ActionKey): Kept | undefined;
  /** What is known then. */
  with(key: ActionKey, kept: Kept): Known<Kept>;
}

/** Most are asked about few actions, of which each leads to the one before. */
class KnownAction<Kept> implements Known<Kept> {
  readonly #key: ActionKey;
  readonly #kept: Kept;
  readonly #before: KnownAction<Kept> | null;

  constructor(key: ActionKey, kept: Kept, before: KnownAction<Kept> | null) {
    this.#key = key;
    this.#kept = kept;
    this.#before = before;
  }

  find(key: ActionKey): Kept | undefined {
    if (this.#key === key) return this.#kept;
    let one = this.#before;
    while (one !== null && one.#key !== key) one = one.#before;
    return one === null ? undefined : one.#kept;
  }

  with(key: ActionKey, kept: Kept): Known<Kept> {
    const all = this.#entries();
    return all.length < walkedActions ? new KnownAction(key, kept, this) : new KnownActions(all).with(key, kept);
  }

  /** The oldest first. */
  #entries(): [ActionKey, Kept][] {
    return [...(this.#before === null ? nothing : this.#before.#entries()), [this.#key, this.#kept]];
  }
}

/** Many are looked up, and the oldest let go. */
class KnownActions<Kept> implements Known<Kept> {
  readonly #all: Map<ActionKey, Kept>;

  constructor(all: Iterable<readonly [ActionKey, Kept]>) {
    this.#all = new Map(all);
  }

  find(key: ActionKey): Kept | undefined {
    return this.#all.get(key);
  }

  with(key: ActionKey, kept: Kept): this {
    const all = this.#all;
    const [oldest] = all.size >= rememberedActions ? all.keys() : nothing;
    if (oldest !== undefined) all.delete(oldest);
    all.set(key, kept);
    return this;
  }
}

/** Names of registered actions, read once: by the action where it has one name, else by the list of them all. */
const readNames = new Map<string, ActionNames>();
const readLists = new WeakMap<readonly string[], ActionNames>();
const mostReadNames = 4096;

/** Null when one is a pattern. */
function namesOf({ action, aliases = nothing }: NamedAction, remember: boolean): ActionNames | null {
  const listed = aliases.length > 0;
  const known = listed ? readLists.get(aliases) : readNames.get(action);
  if (known !== undefined && (!listed || aliases.includes(action))) return known;
  const names = [action, ...aliases];
  if (!names.every(isConcreteAction)) return null;
  const kept = remember && (listed ? aliases.includes(action) : readNames.size < mostReadNames);
  const read = new ActionNames(names, kept);
  if (kept && listed) readLists.set(aliases, read);
  else if (kept) readNames.set(action, read);
  return read;
}
