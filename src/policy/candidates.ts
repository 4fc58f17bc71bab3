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
import { CutResource, hashBeginning, hashBeginnings, hashedCharacters } from './cut-resource.js';
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
  meet(one: HeldStatement, source: PolicySource<Origin>): boolean {
    const verdict = meetStatement(one, this.resource, this.context);
    if (verdict === misses || !this.takesPart(source.origin)) return false;
    if (verdict === unclear) {
      this.#notes ??= new Notes();
      if (!tellStatement(one, this.resource, this.context, source.name, this.#notes)) return false;
    }
    const determining = { source, statement: one.statement };
    if (this.#determining === null || (one.denies && !this.#denies)) {
      // Any Deny outdoes every Allow.
      this.#determining = [determining];
      this.#denies = one.denies;
    } else if (one.denies === this.#denies) this.#determining.push(determining);
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

/** A statement that somebody has from a source. */
interface Held<Origin> {
  readonly statement: CompiledStatement;
  readonly source: PolicySource<Origin>;
}

/** Somebody's statements about one action; null for none. */
export type Candidates<Origin> = CandidateChain<Origin> | CandidateCrowd<Origin> | null;

export function gatherCandidates<Origin>(
  sources: readonly PolicySource<Origin>[],
  names: ActionNames,
): Candidates<Origin> {
  const held: Held<Origin>[] = [];
  for (const source of sources) {
    const document = compileDocument(source.document);
    if ((document.marks & names.marks) === 0) continue;
    for (const statement of document.about(names)) held.push({ statement, source });
  }
  if (held.length >= hashedFrom) return new CandidateCrowd(held);
  return held.reduceRight<CandidateChain<Origin> | null>((next, one) => new CandidateChain(one, next), null);
}

/**
 * Few statements, each beside the next, with what decides about it: who has many principals in memory waits for memory, not
 * for comparing.
 */
class CandidateChain<Origin> implements HeldStatement {
  readonly resources: CompiledResources;
  readonly conditions: CompiledConditions;
  readonly source: PolicySource<Origin>;
  readonly statement: Statement;
  readonly denies: boolean;
  readonly #next: CandidateChain<Origin> | null;

  constructor({ statement, source }: Held<Origin>, next: CandidateChain<Origin> | null) {
    this.resources = statement.resources;
    this.conditions = statement.conditions;
    this.source = source;
    this.statement = statement.statement;
    this.denies = statement.denies;
    this.#next = next;
  }

  meet(tally: Tally<Origin>): void {
    if (!tally.meet(this, this.source)) this.#next?.meet(tally);
  }

  list(): readonly DeterminingStatement<Origin>[] {
    return [this, ...(this.#next?.list() ?? nothing)];
  }
}

/** Many statements, of which most are told to miss without a look at them. */
class CandidateCrowd<Origin> {
  readonly #held: readonly Held<Origin>[];
  /** Beside each, length and hash of what the paths begin with that it can be about. */
  readonly #lengths: readonly number[];
  readonly #hashes: readonly number[];
  readonly #longest: number;
  #index: CandidateIndex | null = null;
  #asked = false;

  constructor(held: readonly Held<Origin>[]) {
    const begun = held.map(({ statement }) => commonBeginning(statement.resources.paths ?? []));
    this.#held = held;
    this.#lengths = begun.map(({ length }) => length);
    this.#hashes = begun.map(hashBeginning);
    this.#longest = this.#lengths.reduce((longest, length) => Math.max(longest, length), 0);
  }

  list(): readonly DeterminingStatement<Origin>[] {
    return this.#held.map(({ source, statement: { statement } }) => ({ source, statement }));
  }

  meet(tally: Tally<Origin>): void {
    // An index is worth its making from the second question on.
    if (this.#held.length >= indexedFrom && this.#asked) this.#meetIndexed(tally);
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
      const one = this.#held[place];
      if (one !== undefined && tally.meet(one.statement, one.source)) return;
    }
  }

  #meetIndexed(tally: Tally<Origin>): void {
    this.#index ??= new CandidateIndex(this.#held.map(({ statement }) => statement));
    const places = this.#index.on(tally.resource, tally.context, (place) => {
      const one = this.#held[place];
      return one !== undefined && tally.takesPart(one.source.origin);
    });
    for (const place of places) {
      const one = this.#held[place];
      if (one !== undefined && tally.meet(one.statement, one.source)) return;
    }
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
