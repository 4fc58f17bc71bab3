/**
 * The statements that somebody has about one action, ready to be met by requests, and what those come to that match. Few are
 * walked; of many, most are told to miss without a look at them, or found by an index.
 */
import { CandidateIndex } from './candidate-index.js';
import type { ActionNames } from './compiled-actions.js';
import { type CompiledConditions, misses, unclear } from './compiled-conditions.js';
import type { CompiledResources } from './compiled-resources.js';
import {
  compileDocument,
  type CompiledStatement,
  type MeetingStatement,
  meetStatement,
  Notes,
  tellStatement,
} from './compiled-statements.js';
import type { Beginning } from './compiled-texts.js';
import { CutResource, hashBeginning, hashBeginnings, hashedCharacters, signOf } from './cut-resource.js';
import type { RequestContext } from './context.js';
import type { Statement } from './document.js';
import {
  distinctKeys,
  type DeterminingStatement,
  type Evaluation,
  type PolicyRequest,
  type PolicySource,
} from './evaluation.js';

/** Whether a source takes part in a request. */
export type TakesPart<Origin> = (origin: Origin) => boolean;

/** From so many statements on, what their paths begin with is looked at first, and from so many an index is. */
const hashedFrom = 6;
const indexedFrom = 64;

const nothing: readonly never[] = [];

/** What the statements that match one request come to. */
export class Tally<Origin> {
  readonly context: RequestContext;
  readonly resource: CutResource | null;
  readonly takesPart: TakesPart<Origin>;
  /** The answer may be short of statements. */
  readonly #effectOnly: boolean;
  #denies = false;
  #determining: DeterminingStatement<Origin>[] | null = null;
  #notes: Notes | null = null;

  constructor(request: PolicyRequest, takesPart: TakesPart<Origin>, effectOnly: boolean) {
    this.context = request.context;
    this.resource = request.resource === null ? null : new CutResource(request.resource);
    this.takesPart = takesPart;
    this.#effectOnly = effectOnly;
  }

  /** True when nothing that follows can change what it comes to. */
  meet(one: HeldStatement, source: PolicySource<Origin>, answer: DeterminingStatement<Origin> | null): boolean {
    const verdict = meetStatement(one, this.resource, this.context);
    if (verdict === misses || !this.takesPart(source.origin)) return false;
    if (verdict === unclear) {
      this.#notes ??= new Notes();
      if (!tellStatement(one, this.resource, this.context, source.name, this.#notes)) return false;
    }
    const determining = answer ?? { source, statement: one.statement };
    const known = this.#determining;
    if (known === null || (one.denies && !this.#denies)) {
      // Any Deny outdoes every Allow.
      this.#determining = [determining];
      this.#denies = one.denies;
    } else if (one.denies === this.#denies) {
      const first = known[0];
      // A list that is pushed to takes room for many.
      if (known.length === 1 && first !== undefined) this.#determining = [first, determining];
      else known.push(determining);
    }
    return this.#denies && this.#effectOnly;
  }

  evaluation(): Evaluation<Origin> {
    const missing = this.#notes?.missing ?? null;
    const noted = this.#notes?.problems ?? null;
    const missingContextKeys = missing === null ? nothing : distinctKeys(missing);
    const problems = noted === null ? nothing : [...new Set(noted)].sort();
    const statements = this.#determining;
    if (statements === null) {
      if (missing === null && noted === null) return noMatch;
      return { effect: 'DENY', reason: 'NO_MATCHING_ALLOW', statements: nothing, missingContextKeys, problems };
    }
    return this.#denies
      ? { effect: 'DENY', reason: 'EXPLICIT_DENY', statements, missingContextKeys, problems }
      : { effect: 'ALLOW', reason: 'ALLOWED', statements, missingContextKeys, problems };
  }
}

export const noMatch = {
  effect: 'DENY',
  reason: 'NO_MATCHING_ALLOW',
  statements: nothing,
  missingContextKeys: nothing,
  problems: nothing,
} as const;

interface HeldStatement extends MeetingStatement {
  readonly denies: boolean;
}

/** Somebody's statements about one action; null for none. */
export type Candidates<Origin> = CandidateChain<Origin> | CandidateCrowd<Origin> | null;

export function gatherCandidates<Origin>(
  sources: readonly PolicySource<Origin>[],
  names: ActionNames,
): Candidates<Origin> {
  const held: (readonly [CompiledStatement, PolicySource<Origin>])[] = [];
  for (const source of sources) {
    const document = compileDocument(source.document);
    if ((document.marks & names.marks) === 0) continue;
    for (const statement of document.about(names)) held.push([statement, source]);
  }
  if (held.length >= hashedFrom) {
    return new CandidateCrowd(held.map(([statement, source]) => new Candidate(statement, source)));
  }
  return held.reduceRight<CandidateChain<Origin> | null>(
    (next, [statement, source]) => new CandidateChain(statement, source, next),
    null,
  );
}

/**
 * A statement that somebody has from a source, as it is answered, with what decides about it beside: who has many principals
 * in memory waits for memory, not for comparing.
 */
class Candidate<Origin> implements HeldStatement, DeterminingStatement<Origin> {
  readonly source: PolicySource<Origin>;
  readonly statement: Statement;
  // Private to the engine: whoever is given the answer sees its source and its statement alone.
  readonly #resources: CompiledResources;
  readonly #conditions: CompiledConditions;
  readonly #denies: boolean;

  constructor({ statement, resources, conditions, denies }: CompiledStatement, source: PolicySource<Origin>) {
    this.source = source;
    this.statement = statement;
    this.#resources = resources;
    this.#conditions = conditions;
    this.#denies = denies;
  }

  get resources(): CompiledResources {
    return this.#resources;
  }

  get conditions(): CompiledConditions {
    return this.#conditions;
  }

  get denies(): boolean {
    return this.#denies;
  }
}

/** Few statements, each with the next. */
class CandidateChain<Origin> extends Candidate<Origin> {
  /** Of what the paths begin with that it can be about; 0 for any. What misses by it is not looked at. */
  readonly #sign: number;
  readonly #next: CandidateChain<Origin> | null;

  constructor(statement: CompiledStatement, source: PolicySource<Origin>, next: CandidateChain<Origin> | null) {
    super(statement, source);
    this.#sign = signOf(commonBeginning(statement.resources.paths ?? []));
    this.#next = next;
  }

  meet(tally: Tally<Origin>): void {
    const told = this.#sign > 0 && tally.resource?.mayBegin(this.#sign) !== true;
    if (told || !tally.meet(this, this.source, this)) this.#next?.meet(tally);
  }

  list(): readonly DeterminingStatement<Origin>[] {
    return [this, ...(this.#next?.list() ?? nothing)];
  }
}

/** Many statements, of which most are told to miss without a look at them. */
class CandidateCrowd<Origin> {
  readonly #all: readonly Candidate<Origin>[];
  /** Beside each, length and hash of what the paths begin with that it can be about. */
  readonly #lengths: readonly number[];
  readonly #hashes: readonly number[];
  readonly #longest: number;
  #index: CandidateIndex | null = null;
  #asked = false;

  constructor(all: readonly Candidate<Origin>[]) {
    const begun = all.map(({ resources }) => commonBeginning(resources.paths ?? []));
    this.#all = all;
    this.#lengths = begun.map(({ length }) => length);
    this.#hashes = begun.map(hashBeginning);
    this.#longest = this.#lengths.reduce((longest, length) => Math.max(longest, length), 0);
  }

  list(): readonly DeterminingStatement<Origin>[] {
    return this.#all;
  }

  meet(tally: Tally<Origin>): void {
    // An index is worth its making from the second question on.
    if (this.#all.length >= indexedFrom && this.#asked) this.#meetIndexed(tally);
    else this.#meetAll(tally);
  }

  #meetAll(tally: Tally<Origin>): void {
    this.#asked = true;
    const { resource } = tally;
    const length = resource?.isWhole === true ? resource.text.length - resource.startOf(4) : 0;
    const hashes = length > 0 && resource !== null ? hashBeginnings(resource, this.#longest) : noHashes;
    const lengths = this.#lengths;
    const wanted = this.#hashes;
    for (let place = 0; place < lengths.length; place += 1) {
      const begun = lengths[place] ?? 0;
      if (begun > 0 && (begun > length || hashes[begun] !== wanted[place])) continue;
      if (this.#meetOne(place, tally)) return;
    }
  }

  #meetIndexed(tally: Tally<Origin>): void {
    this.#index ??= new CandidateIndex(this.#all);
    const places = this.#index.on(tally.resource, tally.context, (place) => {
      const one = this.#all[place];
      return one !== undefined && tally.takesPart(one.source.origin);
    });
    for (const place of places) if (this.#meetOne(place, tally)) return;
  }

  #meetOne(place: number, tally: Tally<Origin>): boolean {
    const one = this.#all[place];
    return one !== undefined && tally.meet(one, one.source, one);
  }
}

/** What they all begin with, as far as it is hashed. */
function commonBeginning(paths: readonly Beginning[]): string {
  const [first, ...others] = paths.map(({ text }) => text);
  let common = first ?? '';
  for (const text of others) {
    let length = 0;
    while (length < common.length && common[length] === text[length]) length += 1;
    common = common.slice(0, length);
  }
  return common.slice(0, hashedCharacters);
}

const noHashes = new Int32Array(0);
