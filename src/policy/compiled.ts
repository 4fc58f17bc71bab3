/**
 * The decision, made ready: the statements of a principal are read once and found by the action, the resource and the
 * texts that a request names, instead of being walked. It answers what the reference form (evaluation.ts) answers,
 * determining statements, missing keys and problems included; `npm run fuzz:policy` holds the two together.
 */
import { isConcreteAction } from './actions.js';
import { CandidateIndex } from './candidate-index.js';
import { misses, unclear } from './compiled-conditions.js';
import { CutResource, hashBeginnings } from './cut-resource.js';
import {
  ActionNames,
  compileDocument,
  type CompiledDocument,
  type CompiledStatement,
  Notes,
} from './compiled-statements.js';
import type { StatementEffect } from './document.js';
import {
  distinctKeys,
  evaluate,
  type DeterminingStatement,
  type Evaluation,
  type PolicyRequest,
  type PolicySource,
} from './evaluation.js';

/**
 * Who holds few documents and asks seldom has them asked one by one: what they come to is shared, and nothing is kept for
 * the principal.
 */
const fewDocuments = 16;
const rememberedFrom = 3;

/** Actions whose statements are remembered for one principal of more. */
const rememberedActions = 512;

/** From so many statements about one action on, they are found by an index. */
const indexedFrom = 64;

/** Whether a source takes part in a request. */
export type TakesPart<Origin> = (origin: Origin) => boolean;

type NamedAction = Pick<PolicyRequest, 'action' | 'aliases'>;

const everySource = (): boolean => true;
const nothing: readonly never[] = [];

/** The sources of one principal, made ready. They must not change. */
export class CompiledSources<Origin> {
  readonly #sources: readonly PolicySource<Origin>[];
  #documents: readonly CompiledDocument[] | null = null;
  /** Beside each document what it may be about: those that are not about an action are not even looked at. */
  #marks: readonly number[] | null = null;
  #known: Map<ActionNames, Candidates<Origin>> | null = null;
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
    const names = namesOf(request, remember);
    // An action that is a pattern is refused in the words of the reference form.
    if (names === null) return evaluate([], request);
    const found = new Findings<Origin>();
    this.#find(names, request, takesPart, found);
    return found.evaluation();
  }

  /** The effect of `evaluate` alone, for those who ask much and show nothing. */
  effectOf(request: PolicyRequest, takesPart: TakesPart<Origin> = everySource, remember = false): StatementEffect {
    const names = namesOf(request, remember);
    if (names === null) return 'DENY';
    const seen = new Effects();
    this.#find(names, request, takesPart, seen);
    return seen.allowed && !seen.denied ? 'ALLOW' : 'DENY';
  }

  /** The statements about an action, of sources that take part, in order; none for what is a pattern. */
  about(
    action: NamedAction,
    takesPart: TakesPart<Origin> = everySource,
    remember = false,
  ): readonly DeterminingStatement<Origin>[] {
    const names = namesOf(action, remember);
    if (names === null) return nothing;
    const { determining } = this.#candidates(names);
    return determining.filter(({ source }) => takesPart(source.origin));
  }

  #find(names: ActionNames, request: PolicyRequest, takesPart: TakesPart<Origin>, verdicts: Verdicts<Origin>): void {
    const sources = this.#sources;
    if (sources.length > fewDocuments || (names.kept && this.#asked >= rememberedFrom)) {
      this.#candidates(names).find(request, takesPart, verdicts);
      return;
    }
    this.#asked += 1;
    const documents = (this.#documents ??= sources.map(({ document }) => compileDocument(document)));
    const marks = (this.#marks ??= documents.map((document) => document.marks));
    let resource: CutResource | null = null;
    for (let i = 0; i < documents.length; i += 1) {
      if (((marks[i] ?? 0) & names.marks) === 0) continue;
      const source = sources[i];
      const statements = documents[i]?.about(names);
      if (source === undefined || statements === undefined || statements.length === 0) continue;
      if (!takesPart(source.origin)) continue;
      if (request.resource !== null) resource ??= new CutResource(request.resource);
      for (const statement of statements) {
        const verdict = statement.meet(resource, request.context);
        if (verdict === misses) continue;
        if (verdict === unclear && !statement.tell(resource, request.context, source.name, verdicts.notes)) continue;
        if (verdicts.add({ source, statement: statement.statement }, statement.denies)) return;
      }
    }
  }

  #candidates(names: ActionNames): Candidates<Origin> {
    const known = this.#known?.get(names);
    if (known !== undefined) return known;
    const candidates = new Candidates(this.#sources, names);
    if (names.kept) {
      this.#known ??= new Map();
      const [oldest] = this.#known.size >= rememberedActions ? this.#known.keys() : nothing;
      if (oldest !== undefined) this.#known.delete(oldest);
      this.#known.set(names, candidates);
    }
    return candidates;
  }
}

/** What a walk over the statements that match comes to. */
interface Verdicts<Origin> {
  readonly notes: Notes;
  /** True when nothing that follows can change it. */
  add(determining: DeterminingStatement<Origin>, denies: boolean): boolean;
}

class Findings<Origin> implements Verdicts<Origin> {
  readonly notes = new Notes();
  #allows: DeterminingStatement<Origin>[] | null = null;
  #denials: DeterminingStatement<Origin>[] | null = null;

  add(determining: DeterminingStatement<Origin>, denies: boolean): boolean {
    if (denies) (this.#denials ??= []).push(determining);
    else (this.#allows ??= []).push(determining);
    return false;
  }

  evaluation(): Evaluation<Origin> {
    const { missing, problems: noted } = this.notes;
    const missingContextKeys = missing === null ? nothing : distinctKeys(missing);
    const problems = noted === null ? nothing : [...new Set(noted)].sort();
    if (this.#denials !== null) {
      return { effect: 'DENY', reason: 'EXPLICIT_DENY', statements: this.#denials, missingContextKeys, problems };
    }
    if (this.#allows !== null) {
      return { effect: 'ALLOW', reason: 'ALLOWED', statements: this.#allows, missingContextKeys, problems };
    }
    return { effect: 'DENY', reason: 'NO_MATCHING_ALLOW', statements: nothing, missingContextKeys, problems };
  }
}

class Effects implements Verdicts<unknown> {
  readonly notes = new Notes();
  allowed = false;
  denied = false;

  add(_determining: unknown, denies: boolean): boolean {
    if (denies) this.denied = true;
    else this.allowed = true;
    return denies;
  }
}

/** The statements of some sources about one action. */
class Candidates<Origin> {
  /** Ready to be answered; beside each, the statement made ready. */
  readonly determining: readonly DeterminingStatement<Origin>[];
  readonly #compiled: readonly CompiledStatement[];
  /** Length and hash of what the paths begin with, one after the other: who is told to miss is not even looked at. */
  readonly #begun: readonly number[];
  readonly #longest: number;
  #index: CandidateIndex | null = null;
  #asked = 0;

  constructor(sources: readonly PolicySource<Origin>[], names: ActionNames) {
    const determining: DeterminingStatement<Origin>[] = [];
    const compiled: CompiledStatement[] = [];
    const begun: number[] = [];
    for (const source of sources) {
      for (const one of compileDocument(source.document).about(names)) {
        determining.push({ source, statement: one.statement });
        compiled.push(one);
        begun.push(one.begunLength, one.begunHash);
      }
    }
    this.determining = determining;
    this.#compiled = compiled;
    this.#begun = begun;
    this.#longest = compiled.reduce((longest, { begunLength }) => Math.max(longest, begunLength), 0);
  }

  find(request: PolicyRequest, takesPart: TakesPart<Origin>, verdicts: Verdicts<Origin>): void {
    const count = this.#compiled.length;
    if (count === 0) return;
    const resource = request.resource === null ? null : new CutResource(request.resource);
    // An index is worth its making from the second question on.
    if (count >= indexedFrom && this.#asked > 0) {
      const places = this.#indexed().on(resource, request.context, (place) => this.#takesPart(place, takesPart));
      for (const place of places) if (this.#meet(place, request, resource, takesPart, verdicts)) return;
      return;
    }
    this.#asked += 1;
    const begun = this.#begun;
    const length = resource?.isWhole === true ? resource.text.length - resource.startOf(4) : 0;
    const hashes = length > 0 && resource !== null ? hashBeginnings(resource, this.#longest) : noHashes;
    for (let place = 0; place < count; place += 1) {
      const wanted = begun[2 * place] ?? 0;
      if (wanted > 0 && (wanted > length || hashes[wanted] !== begun[2 * place + 1])) continue;
      if (this.#meet(place, request, resource, takesPart, verdicts)) return;
    }
  }

  #indexed(): CandidateIndex {
    return (this.#index ??= new CandidateIndex(this.#compiled));
  }

  #takesPart(place: number, takesPart: TakesPart<Origin>): boolean {
    const one = this.determining[place];
    return one !== undefined && takesPart(one.source.origin);
  }

  #meet(
    place: number,
    request: PolicyRequest,
    resource: CutResource | null,
    takesPart: TakesPart<Origin>,
    verdicts: Verdicts<Origin>,
  ): boolean {
    const statement = this.#compiled[place];
    const verdict = statement?.meet(resource, request.context) ?? misses;
    if (statement === undefined || verdict === misses) return false;
    const one = this.determining[place];
    if (one === undefined || !takesPart(one.source.origin)) return false;
    if (verdict === unclear && !statement.tell(resource, request.context, one.source.name, verdicts.notes))
      return false;
    return verdicts.add(one, statement.denies);
  }
}

const noHashes = new Int32Array(0);

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
