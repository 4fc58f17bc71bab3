/**
 * A request that is to be explained, among the statements that have a say in it: what they come to, and what the verdict
 * is in this and in other contexts.
 */
import { isConcreteAction } from './actions.js';
import { Tally } from './candidates.js';
import type { TakesPart } from './compiled.js';
import type { RequestContext } from './context.js';
import type { StatementEffect } from './document.js';
import type { Evaluation, PolicyRequest, PolicySource } from './evaluation.js';
import type { NearGroup } from './near-misses.js';
import type { NearList, NearStatement } from './near-lists.js';
import { type Neighbourhood, neighbourhoodOf } from './neighbours.js';
import { nothingToTell, RequestReading, whatItsKindLacks } from './request-reading.js';

/** Which statements have a say. */
export interface Participation<Origin> {
  readonly takesPart?: TakesPart<Origin>;
  /** Sources that must allow it as well, as the policy of a session must. */
  readonly narrowing?: readonly PolicySource<Origin>[];
  /** What of an origin the narrowing has no say in unless it denies it. */
  readonly exempt?: (origin: Origin) => boolean;
}

export interface Verdict<Origin> {
  /** NARROWED: what narrows the sources does not allow it. */
  readonly reason: Evaluation<Origin>['reason'] | 'NARROWED';
  readonly evaluation: Evaluation<Origin>;
}

const everything = (): boolean => true;

/** Statements that have a say, by what they come to for the request as it is. */
export class Group<Origin> implements NearGroup<Origin> {
  readonly neighbourhood: Neighbourhood<Origin>;
  readonly reading: RequestReading<Origin>;
  readonly about: NearList<Origin>;
  readonly beside: NearList<Origin>;
  #possible: NearList<Origin> | null = null;
  #telling: readonly NearStatement<Origin>[] | null = null;

  constructor(
    neighbourhood: Neighbourhood<Origin>,
    request: PolicyRequest,
    about: NearList<Origin>,
    beside: NearList<Origin>,
  ) {
    this.neighbourhood = neighbourhood;
    this.reading = new RequestReading(neighbourhood, request);
    this.about = about;
    this.beside = beside;
  }

  /** Those that could match in some context. */
  get possible(): NearList<Origin> {
    if (this.#possible !== null) return this.#possible;
    const { about, reading } = this;
    const { length, open } = about;
    const chosen = new Uint8Array(length);
    for (let i = 0; i < length; i += 1) if (open[i] === true || reading.fitsAt(about, i)) chosen[i] = 1;
    return (this.#possible = about.part(chosen));
  }

  /** What they come to; the evaluator is asked about those that have a part in it. */
  evaluate(): Evaluation<Origin> {
    const tally = new Tally<Origin>(this.reading.request, everything, false);
    for (const { one, source } of this.#tellingOnes()) tally.meet(one.compiled, source, null);
    return tally.evaluation();
  }

  /** Those that match the request as it is. */
  matching(effect: StatementEffect): readonly NearStatement<Origin>[] {
    return this.#tellingOnes().filter((one) => one.statement.effect === effect && this.reading.applies(one));
  }

  /** Those that match, and of those of which there is the same to tell, one. */
  #tellingOnes(): readonly NearStatement<Origin>[] {
    if (this.#telling !== null) return this.#telling;
    const { about, reading } = this;
    const telling: NearStatement<Origin>[] = [];
    let told: Uint8Array | null = null;
    for (let i = 0; i < about.length; i += 1) {
      const toTell = reading.toTellAt(about, i);
      if (toTell === nothingToTell) continue;
      const one = about.all[i];
      if (one === undefined) continue;
      if (toTell === whatItsKindLacks) {
        told ??= new Uint8Array(reading.countOfKinds);
        if (told[one.kind] === 1) continue;
        told[one.kind] = 1;
      }
      telling.push(one);
    }
    return (this.#telling = telling);
  }
}

export class ExplainedRequest<Origin> {
  readonly request: PolicyRequest;
  readonly asksOneAction: boolean;
  readonly own: Group<Origin>;
  /** Null: nothing narrows. */
  readonly narrowing: Group<Origin> | null;
  readonly #takesPart: TakesPart<Origin>;
  readonly #exempt: (origin: Origin) => boolean;
  #keys: ReadonlySet<string> | null = null;
  #denies: readonly NearStatement<Origin>[] | null = null;
  #allows: readonly NearStatement<Origin>[] | null = null;

  constructor(
    sources: readonly PolicySource<Origin>[],
    request: PolicyRequest,
    { takesPart = everything, narrowing, exempt = () => false }: Participation<Origin>,
  ) {
    this.request = request;
    this.asksOneAction = [request.action, ...(request.aliases ?? [])].every(isConcreteAction);
    this.#takesPart = takesPart;
    this.#exempt = exempt;
    this.own = this.#groupOf(sources, takesPart);
    this.narrowing = narrowing === undefined ? null : this.#groupOf(narrowing, everything);
  }

  #groupOf(sources: readonly PolicySource<Origin>[], takesPart: TakesPart<Origin>): Group<Origin> {
    const neighbourhood = neighbourhoodOf(sources);
    const { about, beside } = neighbourhood.around(this.asksOneAction ? this.request : null);
    const part = ({ origin }: PolicySource<Origin>): boolean => takesPart(origin);
    return takesPart === everything
      ? new Group(neighbourhood, this.request, about, beside)
      : new Group(neighbourhood, this.request, about.from(part), beside.from(part));
  }

  /** What is near: of the narrowing, only what is about the action. */
  get near(): readonly NearGroup<Origin>[] {
    const { own, narrowing } = this;
    return narrowing === null ? [own] : [own, { about: narrowing.about, beside: null, reading: narrowing.reading }];
  }

  get #groups(): readonly Group<Origin>[] {
    return this.narrowing === null ? [this.own] : [this.own, this.narrowing];
  }

  verdict(context: RequestContext): Verdict<Origin> {
    return this.narrowed(this.#evaluate(this.own, context), context);
  }

  /** What becomes of a verdict under what narrows it. */
  narrowed(evaluation: Evaluation<Origin>, context: RequestContext): Verdict<Origin> {
    const plainly = { reason: evaluation.reason, evaluation };
    if (this.narrowing === null || evaluation.reason === 'EXPLICIT_DENY') return plainly;
    const own = this.#evaluate(this.narrowing, context);
    if (own.reason === 'EXPLICIT_DENY') return { reason: 'NARROWED', evaluation: own };
    if (own.effect === 'ALLOW' || evaluation.effect === 'DENY') return plainly;
    return evaluation.statements.some((one) => this.isExempt(one)) ? plainly : { reason: 'NARROWED', evaluation: own };
  }

  isAllowed(context: RequestContext): boolean {
    if (this.narrowing !== null) return this.verdict(context).reason === 'ALLOWED';
    return this.own.neighbourhood.compiled.effectOf(this.#in(context), this.#takesPart, true) === 'ALLOW';
  }

  isExplicitlyDenied(context: RequestContext): boolean {
    return [this.#evaluate(this.own, context), this.underNarrowing(context)].some(
      (evaluation) => evaluation?.reason === 'EXPLICIT_DENY',
    );
  }

  /** What the narrowing by itself says; null when there is none. */
  underNarrowing(context: RequestContext): Evaluation<Origin> | null {
    return this.narrowing === null ? null : this.#evaluate(this.narrowing, context);
  }

  isExempt({ source }: { readonly source: PolicySource<Origin> }): boolean {
    return this.#exempt(source.origin);
  }

  /** Allows that match the request as it is. */
  get matchingAllows(): readonly NearStatement<Origin>[] {
    return (this.#allows ??= this.own.matching('ALLOW'));
  }

  /** Denies that match the request as it is, those of the narrowing last. */
  get matchingDenies(): readonly NearStatement<Origin>[] {
    return (this.#denies ??= this.#groups.flatMap((group) => group.matching('DENY')));
  }

  /** Every key, in lower case, that has a say. */
  get keys(): ReadonlySet<string> {
    const { own, narrowing } = this;
    if (narrowing === null) return own.about.keys;
    return (this.#keys ??= new Set([...own.about.keys, ...narrowing.about.keys]));
  }

  /** A key as some statement writes it. */
  spellingOf(key: string): string {
    for (const { about } of this.#groups) {
      const written = about.spellings.get(key);
      if (written !== undefined) return written;
    }
    return key;
  }

  #evaluate(group: Group<Origin>, context: RequestContext): Evaluation<Origin> {
    // What the request as it is comes to is known from its parts; a pattern is refused in the words of the evaluator.
    if (context === this.request.context && this.asksOneAction) return group.evaluate();
    const takesPart = group === this.own ? this.#takesPart : everything;
    return group.neighbourhood.compiled.evaluate(this.#in(context), takesPart, true);
  }

  #in(context: RequestContext): PolicyRequest {
    return { ...this.request, context };
  }
}
