/**
 * The decision, made ready: the statements of a principal are read once and found by the action, the resource and the
 * texts that a request names, instead of being walked. It answers what the reference form (evaluation.ts) answers,
 * determining statements, missing keys and problems included; `npm run fuzz:policy` holds the two together.
 */
import { isConcreteAction } from './actions.js';
import { CandidateIndex } from './candidate-index.js';
import { CutResource } from './compiled-resources.js';
import { ActionNames, compileDocument, type CompiledStatement, Notes } from './compiled-statements.js';
import type { StatementEffect } from './document.js';
import {
  distinctKeys,
  evaluate,
  type DeterminingStatement,
  type Evaluation,
  type PolicyRequest,
  type PolicySource,
} from './evaluation.js';

/** Actions whose statements are remembered for one principal. */
const rememberedActions = 512;

/** From so many statements about one action on, they are found by an index. */
const indexedFrom = 12;

/** Who asks less often than this, of few documents, is not worth remembering anything for. */
const rememberedFrom = 3;
const fewDocuments = 16;

/** Whether a source takes part in a request. */
export type TakesPart<Origin> = (origin: Origin) => boolean;

type NamedAction = Pick<PolicyRequest, 'action' | 'aliases'>;

const everySource = (): boolean => true;
const nothing: readonly never[] = [];

/** The sources of one principal, made ready. They must not change. */
export class CompiledSources<Origin> {
  readonly #sources: readonly PolicySource<Origin>[];
  #known: Map<string, Candidates<Origin>> | null = null;
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
    const candidates = this.#candidates(request, remember);
    // An action that is a pattern is refused in the words of the reference form.
    if (candidates === null) return evaluate([], request);
    const found = new Findings<Origin>();
    candidates.find(request, takesPart, found);
    return found.evaluation();
  }

  /** The effect of `evaluate` alone, for those who ask much and show nothing. */
  effectOf(request: PolicyRequest, takesPart: TakesPart<Origin> = everySource, remember = false): StatementEffect {
    const candidates = this.#candidates(request, remember);
    if (candidates === null) return 'DENY';
    const seen = new Effects();
    candidates.find(request, takesPart, seen);
    return seen.allowed && !seen.denied ? 'ALLOW' : 'DENY';
  }

  /** The statements about an action, of sources that take part, in order; none for what is a pattern. */
  about(
    action: NamedAction,
    takesPart: TakesPart<Origin> = everySource,
    remember = false,
  ): readonly DeterminingStatement<Origin>[] {
    const candidates = this.#candidates(action, remember);
    return candidates?.determining.filter(({ source }) => takesPart(source.origin)) ?? [];
  }

  /** Null when a name is a pattern. */
  #candidates({ action, aliases = nothing }: NamedAction, remember: boolean): Candidates<Origin> | null {
    const known = this.#known?.get(action);
    if (known !== undefined && sameNames(known.aliases, aliases)) return known;
    const names = namesOf(action, aliases, remember);
    if (names === null) return null;
    const candidates = new Candidates(this.#sources, names, aliases);
    this.#asked += 1;
    if (remember && (this.#asked >= rememberedFrom || this.#sources.length > fewDocuments)) {
      this.#known ??= new Map();
      const [oldest] = this.#known.size >= rememberedActions ? this.#known.keys() : nothing;
      if (oldest !== undefined) this.#known.delete(oldest);
      this.#known.set(action, candidates);
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
  readonly aliases: readonly string[];
  /** Ready to be answered; beside each, the statement made ready. */
  readonly determining: readonly DeterminingStatement<Origin>[];
  readonly #compiled: readonly CompiledStatement[];
  #index: CandidateIndex | null = null;
  #found = 0;

  constructor(sources: readonly PolicySource<Origin>[], names: ActionNames, aliases: readonly string[]) {
    const determining: DeterminingStatement<Origin>[] = [];
    const compiled: CompiledStatement[] = [];
    for (const source of sources) {
      for (const one of compileDocument(source.document).about(names)) {
        determining.push({ source, statement: one.statement });
        compiled.push(one);
      }
    }
    this.aliases = aliases;
    this.determining = determining;
    this.#compiled = compiled;
  }

  find(request: PolicyRequest, takesPart: TakesPart<Origin>, verdicts: Verdicts<Origin>): void {
    const { determining } = this;
    const compiled = this.#compiled;
    if (compiled.length === 0) return;
    const resource = request.resource === null ? null : new CutResource(request.resource);
    const { context } = request;
    const { notes } = verdicts;
    if (compiled.length < indexedFrom || this.#found++ === 0) {
      for (let place = 0; place < compiled.length; place += 1) {
        const one = determining[place];
        const statement = compiled[place];
        if (one === undefined || statement === undefined || !takesPart(one.source.origin)) continue;
        if (!statement.matches(resource, context, one.source.name, notes)) continue;
        if (verdicts.add(one, statement.denies)) return;
      }
      return;
    }
    this.#index ??= new CandidateIndex(compiled);
    const partOf = (place: number): boolean => {
      const one = determining[place];
      return one !== undefined && takesPart(one.source.origin);
    };
    for (const place of this.#index.on(resource, context, partOf, notes)) {
      const one = determining[place];
      const statement = compiled[place];
      if (one === undefined || statement === undefined || !partOf(place)) continue;
      if (!statement.matches(resource, context, one.source.name, notes)) continue;
      if (verdicts.add(one, statement.denies)) return;
    }
  }
}

/** Names that documents were asked about, of closed sets alone, and never more than so many. */
const readNames = new Map<string, ActionNames>();
const mostReadNames = 4096;

/** Null when one is a pattern. */
function namesOf(action: string, aliases: readonly string[], remember: boolean): ActionNames | null {
  const known = aliases.length === 0 ? readNames.get(action) : undefined;
  if (known !== undefined) return known;
  const names = [action, ...aliases];
  if (!names.every(isConcreteAction)) return null;
  const read = new ActionNames(names);
  if (remember && aliases.length === 0 && readNames.size < mostReadNames) readNames.set(action, read);
  return read;
}

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  if (one === other) return true;
  return one.length === other.length && one.every((name, i) => name === other[i]);
}
