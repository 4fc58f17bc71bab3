/**
 * Why a request is decided as it is: what decided, what was near, and the shortest way to yes.
 *
 * A way to yes is looked for where it costs least: first in the request itself (other facts), then in the statements
 * there are, then in one statement or policy more. In the first of these places where there is one, it has the fewest
 * elements. Each is put to the evaluator before it is shown: what is shown works.
 */
import { isConcreteAction } from './actions.js';
import type { TakesPart } from './compiled.js';
import type { RequestContext } from './context.js';
import {
  changedContext,
  type ChangeableContext,
  type ContextChanges,
  type ContextTarget,
  findContextWay,
  settleChanges,
} from './context-ways.js';
import type { Statement, StatementEffect } from './document.js';
import {
  type DeterminingStatement,
  evaluate,
  type Evaluation,
  type PolicyRequest,
  type PolicySource,
} from './evaluation.js';
import { findNearMisses, type NearMiss } from './near-misses.js';
import { neighbourhoodOf, type Surroundings } from './neighbours.js';
import { type PreparedStatement, prepareStatement, RequestReading } from './single-statements.js';
import { type Edited, extendAllow, liftDeny, type StatementChange, tightestAllow } from './statement-ways.js';
import { widthOf } from './width.js';

export interface ContextChange {
  readonly kind: 'CONTEXT';
  /** As some statement writes it. */
  readonly key: string;
  /** Empty: absent. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** It goes with another change and is no element of the way by itself. */
  readonly entailed: boolean;
}

export type Change<Origin> =
  | ContextChange
  | (StatementChange<Origin> & { readonly kind: 'STATEMENT' })
  /** One Allow more, in whatever policy. */
  | { readonly kind: 'GRANT'; readonly statement: Statement }
  /** One of the policies offered, as it is. */
  | { readonly kind: 'POLICY'; readonly source: PolicySource<Origin> };

export interface Way<Origin> {
  /** Where it leads; the others of its changes are what it needs besides, since Denies match as well. */
  readonly kind: Change<Origin>['kind'];
  readonly changes: readonly Change<Origin>[];
}

export interface Explanation<Origin> {
  readonly effect: StatementEffect;
  /** NARROWED: what narrows the sources does not allow it. */
  readonly reason: Evaluation<Origin>['reason'] | 'NARROWED';
  readonly evaluation: Evaluation<Origin>;
  readonly nearMisses: readonly NearMiss<Origin>[];
  readonly nearMissesLeftOut: number;
  /** The shortest first; empty when it is allowed, and when there is none. */
  readonly ways: readonly Way<Origin>[];
}

export interface ExplanationOptions<Origin> extends Partial<ChangeableContext> {
  readonly takesPart?: TakesPart<Origin>;
  /** Sources that must allow it as well, as the policy of a session must. */
  readonly narrowing?: readonly PolicySource<Origin>[];
  /** What of an origin the narrowing has no say in unless it denies it. */
  readonly exempt?: (origin: Origin) => boolean;
  /** Whether statements of a source may be changed. */
  readonly mayEdit?: (source: PolicySource<Origin>) => boolean;
  /** Whether there may be one more Allow. */
  readonly mayGrant?: boolean;
  /** Policies that could be given; their origins are of no meaning here. */
  readonly candidates?: readonly PolicySource<Origin>[];
  readonly mostNearMisses?: number;
}

/** Near misses that are told unless said otherwise. */
const usualNearMisses = 10;

/** Allows that are tried for an extension. */
const mostExtended = 8;

const everything = (): boolean => true;

/** The sources and candidates must not change while their lists are kept: what is found out about them is kept as well. */
export function explain<Origin>(
  sources: readonly PolicySource<Origin>[],
  request: PolicyRequest,
  options: ExplanationOptions<Origin> = {},
): Explanation<Origin> {
  return new Explaining(sources, request, options).tell();
}

class Explaining<Origin> {
  readonly #sources: readonly PolicySource<Origin>[];
  readonly #request: PolicyRequest;
  readonly #options: ExplanationOptions<Origin>;
  readonly #takesPart: TakesPart<Origin>;
  readonly #reading: RequestReading;
  readonly #names: readonly string[];
  readonly #near: Surroundings<Origin>;
  readonly #narrowing: readonly DeterminingStatement<Origin>[];
  #allKeys: ReadonlySet<string> | null = null;
  #aboutSet: ReadonlySet<Statement> | null = null;

  constructor(sources: readonly PolicySource<Origin>[], request: PolicyRequest, options: ExplanationOptions<Origin>) {
    this.#sources = sources;
    this.#request = request;
    this.#reading = new RequestReading(request);
    this.#options = options;
    const takesPart = options.takesPart ?? everything;
    this.#takesPart = takesPart;
    this.#names = [request.action, ...(request.aliases ?? [])];
    const { about, beside } = this.#asksOneAction()
      ? neighbourhoodOf(sources).around(this.#names)
      : { about: [], beside: [] };
    const part = ({ source }: DeterminingStatement<Origin>): boolean => takesPart(source.origin);
    this.#near =
      takesPart === everything ? { about, beside } : { about: about.filter(part), beside: beside.filter(part) };
    this.#narrowing =
      options.narrowing === undefined || !this.#asksOneAction()
        ? []
        : neighbourhoodOf(options.narrowing).around(this.#names).about;
  }

  tell(): Explanation<Origin> {
    const { reason, evaluation } = this.#verdict(this.#request.context);
    const effect = reason === 'ALLOWED' ? 'ALLOW' : 'DENY';
    const near = {
      about: this.#narrowing.length === 0 ? this.#near.about : [...this.#near.about, ...this.#narrowing],
      beside: this.#near.beside,
    };
    const { nearMisses, leftOut } = findNearMisses(
      near,
      this.#reading,
      this.#options.mostNearMisses ?? usualNearMisses,
    );
    const ways = effect === 'ALLOW' || !this.#asksOneAction() ? [] : this.#ways();
    return { effect, reason, evaluation, nearMisses, nearMissesLeftOut: leftOut, ways };
  }

  #asksOneAction(): boolean {
    return this.#names.every(isConcreteAction);
  }

  #verdict(context: RequestContext): Pick<Explanation<Origin>, 'reason' | 'evaluation'> {
    const request = { ...this.#request, context };
    const evaluation = neighbourhoodOf(this.#sources).compiled.evaluate(request, this.#takesPart, true);
    return this.#narrowed(evaluation, context);
  }

  /** What becomes of a verdict under what narrows it. */
  #narrowed(
    evaluation: Evaluation<Origin>,
    context: RequestContext,
  ): Pick<Explanation<Origin>, 'reason' | 'evaluation'> {
    const { narrowing, exempt } = this.#options;
    if (narrowing === undefined || evaluation.reason === 'EXPLICIT_DENY')
      return { reason: evaluation.reason, evaluation };
    const own = evaluate(reduced(this.#narrowing), { ...this.#request, context });
    const exempted = evaluation.statements.some(({ source }) => exempt?.(source.origin) === true);
    const refuses = own.reason === 'EXPLICIT_DENY' || (own.effect === 'DENY' && !exempted);
    const narrows = refuses && (evaluation.effect === 'ALLOW' || own.reason === 'EXPLICIT_DENY');
    return { reason: narrows ? 'NARROWED' : evaluation.reason, evaluation: narrows ? own : evaluation };
  }

  #ways(): readonly Way<Origin>[] {
    const context = this.#contextWay();
    if (context !== null) return [context];
    const statement = this.#statementWay();
    if (statement !== null) return [statement];
    return this.#grantWays();
  }

  #contextWay(): Way<Origin> | null {
    const { exempt } = this.#options;
    const mayFit = (one: PreparedStatement): boolean => one.variables.length > 0 || this.#reading.fits(one);
    const prepared = (list: readonly DeterminingStatement<Origin>[], effect: StatementEffect): Aim<Origin>[] =>
      list
        .filter(({ statement }) => statement.effect === effect)
        .map((of) => ({ of, one: prepareStatement(of.statement) }))
        .filter(({ one }) => mayFit(one));
    const allows = prepared(this.#near.about, 'ALLOW');
    const second = this.#options.narrowing === undefined ? null : prepared(this.#narrowing, 'ALLOW');
    const targets = distinct(allows).flatMap((aim): ContextTarget<Origin>[] =>
      second === null || exempt?.(aim.of.source.origin) === true
        ? [targetOf(aim)]
        : distinct(second).map((other) => targetOf(aim, other)),
    );
    return this.#searchContext(targets, (context) => this.#verdict(context).reason === 'ALLOWED');
  }

  #searchContext(
    targets: readonly ContextTarget<Origin>[],
    allowed: (context: RequestContext) => boolean,
  ): (Way<Origin> & { readonly settled: ContextChanges }) | null {
    const { mayBecome, sameKeys, entails } = this.#options;
    if (mayBecome === undefined || targets.length === 0) return null;
    const changeable: ChangeableContext = {
      mayBecome,
      ...(sameKeys === undefined ? {} : { sameKeys }),
      ...(entails === undefined ? {} : { entails }),
    };
    const denies = [...this.#near.about, ...this.#narrowing]
      .filter(({ statement }) => statement.effect === 'DENY')
      .map(({ statement }) => prepareStatement(statement))
      .filter((one) => one.variables.length > 0 || this.#reading.fits(one));
    const base = this.#request.context;
    const chosen = findContextWay({
      request: this.#request,
      changeable,
      targets,
      denies,
      keys: this.#keys(),
      allowed,
    });
    if (chosen === null || chosen.size === 0) return null;
    const settled = settleChanges(chosen, changeable);
    const changes = [...settled].map(([key, to]): ContextChange => ({
      kind: 'CONTEXT',
      key: this.#spelling(key),
      from: base.get(key) ?? [],
      to,
      entailed: !chosen.has(key),
    }));
    // What goes with it and nothing here asks for is no change that anybody has to know of.
    const told = (key: string, { from, to }: ContextChange): boolean =>
      this.#keys().has(key) && from.join('\n') !== to.join('\n');
    const shown = changes.filter((change) => !change.entailed || told(change.key.toLowerCase(), change));
    return { kind: 'CONTEXT', changes: shown.sort((a, b) => Number(a.entailed) - Number(b.entailed)), settled };
  }

  #statementWay(): Way<Origin> | null {
    const lifted = this.#liftDenies();
    if (lifted === null) return null;
    const allows = this.#near.about.filter(({ statement }) => statement.effect === 'ALLOW');
    const standing = allows.filter((one) => this.#applies(one));
    const extended = standing.length > 0 ? null : this.#extendedAllow();
    if (standing.length === 0 && extended === null) return null;
    const edits = extended === null ? lifted : [...lifted, extended];
    if (edits.length === 0) return null;
    const after = [...standing.map((one) => ({ ...one, after: one.statement })), ...edits].flatMap(
      ({ source, after }) => (after === null ? [] : [{ source, statement: after }]),
    );
    const evaluation = evaluate(reduced(after), this.#request);
    if (this.#narrowed(evaluation, this.#request.context).reason !== 'ALLOWED') return null;
    return { kind: 'STATEMENT', changes: statementChanges(edits) };
  }

  /** Denies that match, each with its edit; null when one of them may not be changed. */
  #liftDenies(): readonly Edited<Origin>[] | null {
    const { mayEdit } = this.#options;
    const denies = [...this.#near.about, ...this.#narrowing].filter(
      (one) => one.statement.effect === 'DENY' && this.#applies(one),
    );
    if (denies.some(({ source }) => mayEdit?.(source) !== true)) return null;
    if (this.#narrowing.some((one) => denies.includes(one))) return null;
    return denies.map((deny) => liftDeny(deny, this.#request));
  }

  #extendedAllow(): Edited<Origin> | null {
    const { mayEdit } = this.#options;
    const editable = [...this.#near.about, ...this.#near.beside].filter(
      ({ source, statement }) => statement.effect === 'ALLOW' && mayEdit?.(source) === true,
    );
    // Each of its parts that fails takes one edit or more, so those with fewest are looked at first.
    const bySize = new Map<number, DeterminingStatement<Origin>[]>();
    for (const one of editable) {
      const size = this.#leastEdits(one.statement);
      const alike = bySize.get(size);
      if (alike === undefined) bySize.set(size, [one]);
      else if (alike.length < mostExtended) alike.push(one);
    }
    let best: Edited<Origin> | null = null;
    for (const size of [...bySize.keys()].sort((a, b) => a - b)) {
      if (best !== null && size > best.changes.length) break;
      for (const one of bySize.get(size) ?? []) {
        const extended = extendAllow(one, this.#request);
        if (best === null || costOf(extended) < costOf(best)) best = extended;
      }
    }
    return best;
  }

  #leastEdits(statement: Statement): number {
    const one = prepareStatement(statement);
    const failing = one.conditions.filter((condition) => !this.#reading.holds(one, condition)).length;
    const named = this.#aboutIt().has(statement);
    return failing + (this.#reading.fits(one) ? 0 : 1) + (named ? 0 : 1);
  }

  #aboutIt(): ReadonlySet<Statement> {
    return (this.#aboutSet ??= new Set(this.#near.about.map(({ statement }) => statement)));
  }

  #grantWays(): readonly Way<Origin>[] {
    const { mayGrant, candidates = [] } = this.#options;
    const { context } = this.#request;
    if (this.#near.about.some((one) => one.statement.effect === 'ALLOW' && this.#applies(one))) return [];
    const first = this.#freeOfDenies();
    if (first === null) return [];
    const inContext = first.context === null ? context : first.context;
    const allow: PolicySource<Origin>['document'] = {
      version: '5.0',
      statements: [tightestAllow(this.#request)],
      depends: [],
    };
    const flips = (document: PolicySource<Origin>['document']): boolean => {
      // The origin of what is yet to be given exempts it from nothing.
      const source = { name: '', document, origin: null as Origin };
      const evaluation = evaluate([source], { ...this.#request, context: inContext });
      if (evaluation.effect !== 'ALLOW' || this.#options.narrowing === undefined) return evaluation.effect === 'ALLOW';
      return evaluate(reduced(this.#narrowing), { ...this.#request, context: inContext }).effect === 'ALLOW';
    };
    const ways: Way<Origin>[] = [];
    if (mayGrant === true && flips(allow)) {
      const statement = tightestAllow(this.#request);
      ways.push({ kind: 'GRANT', changes: [{ kind: 'GRANT', statement }, ...first.changes] });
    }
    const policy = this.#tightestCandidate(candidates, flips);
    if (policy !== null) ways.push({ kind: 'POLICY', changes: [{ kind: 'POLICY', source: policy }, ...first.changes] });
    return ways;
  }

  /** What must be done so that no Deny matches; null when nothing helps. */
  #freeOfDenies(): { readonly changes: readonly Change<Origin>[]; readonly context: RequestContext | null } | null {
    const lifted = this.#liftDenies();
    if (lifted?.length === 0) return { changes: [], context: null };
    const way = this.#searchContext([{ allows: [], of: [] }], (context) => {
      const request = { ...this.#request, context };
      const { reason } = neighbourhoodOf(this.#sources).compiled.evaluate(request, this.#takesPart, true);
      return reason !== 'EXPLICIT_DENY' && evaluate(reduced(this.#narrowing), request).reason !== 'EXPLICIT_DENY';
    });
    const elements = way?.changes.filter((change) => change.kind !== 'CONTEXT' || !change.entailed).length ?? Infinity;
    if (way !== null && elements <= (lifted?.length ?? Infinity)) {
      const inContext = changedContext(this.#request.context, this.#keys(), way.settled);
      return { changes: way.changes, context: inContext };
    }
    return lifted === null ? null : { changes: statementChanges(lifted), context: null };
  }

  #tightestCandidate(
    candidates: readonly PolicySource<Origin>[],
    flips: (document: PolicySource<Origin>['document']) => boolean,
  ): PolicySource<Origin> | null {
    if (candidates.length === 0) return null;
    const about = new Map<PolicySource<Origin>, Statement[]>();
    for (const { source, statement } of neighbourhoodOf(candidates).around(this.#names).about) {
      about.set(source, [...(about.get(source) ?? []), statement]);
    }
    const tightest = [...about.keys()].sort(
      (a, b) => widthOf(a.document) - widthOf(b.document) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
    );
    return tightest.find((source) => flips({ ...source.document, statements: about.get(source) ?? [] })) ?? null;
  }

  #applies({ statement }: DeterminingStatement<Origin>): boolean {
    return this.#reading.applies(prepareStatement(statement));
  }

  /** Every key that has a say. */
  #keys(): ReadonlySet<string> {
    if (this.#allKeys !== null) return this.#allKeys;
    const keys = new Set<string>();
    for (const list of [this.#near.about, this.#narrowing]) {
      for (const { statement } of list) for (const key of prepareStatement(statement).keys) keys.add(key);
    }
    this.#allKeys = keys;
    return keys;
  }

  #spelling(key: string): string {
    for (const { statement } of [...this.#near.about, ...this.#narrowing]) {
      const written = statement.conditions.find((one) => one.key.toLowerCase() === key)?.key;
      if (written !== undefined) return written;
    }
    return key;
  }
}

interface Aim<Origin> {
  readonly of: DeterminingStatement<Origin>;
  readonly one: PreparedStatement;
}

/** Of those that apply together, the first. */
function distinct<Origin>(aims: readonly Aim<Origin>[]): readonly Aim<Origin>[] {
  const first = new Map<string, Aim<Origin>>();
  for (const aim of aims) {
    const key = `${aim.one.signature}`;
    if (!first.has(key)) first.set(key, aim);
  }
  return [...first.values()];
}

function targetOf<Origin>(...aims: readonly Aim<Origin>[]): ContextTarget<Origin> {
  return { allows: aims.map(({ one }) => one), of: aims.map(({ of }) => of) };
}

/** Statements as sources of their own, each with the name and origin of its own. */
function reduced<Origin>(statements: readonly DeterminingStatement<Origin>[]): readonly PolicySource<Origin>[] {
  return statements.map(({ source, statement }) => ({
    ...source,
    document: { ...source.document, statements: [statement] },
  }));
}

function statementChanges<Origin>(edits: readonly Edited<Origin>[]): readonly Change<Origin>[] {
  return edits.flatMap(({ changes }) => changes.map((change) => ({ ...change, kind: 'STATEMENT' as const })));
}

/** Fewest edits first, and of as many the ones that give least away. */
function costOf<Origin>({ changes }: Edited<Origin>): number {
  const weights = { ADD_VALUE: 0, ADD_RESOURCE: 1, ADD_ACTION: 2, DROP_EXCEPTION: 3, DROP_CONDITION: 4 } as const;
  const weight = (edit: StatementChange<Origin>['edit']): number =>
    edit in weights ? weights[edit as 'ADD_VALUE'] : 5;
  return changes.length * 100 + changes.reduce((sum, { edit }) => sum + weight(edit), 0);
}
