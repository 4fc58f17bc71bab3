/**
 * Which of two sets of documents allows more.
 *
 * For each direction a request is looked for that the one allows and the other does not. Requests are told apart by
 * what patterns and conditions can tell: actions first, then resources, then the values of condition keys. What is found
 * is confirmed by the evaluator before it is said; that nothing is to be found is said only when nothing was left out.
 * Between the two stands UNKNOWN: the work is bounded by steps, and variables may tie more together than is followed.
 */
import { type Budget, spend } from './cells.js';
import { isContained } from './comparison-containment.js';
import {
  type AskedAction,
  ComparisonSearch,
  type Direction,
  directions,
  type Directions,
  type SidedStatement,
} from './comparison-search.js';
import type { PolicyDocument, Statement } from './document.js';
import { evaluate, type Evaluation, type PolicyRequest } from './evaluation.js';
import { cutShort } from './least-texts.js';
import { type ActionCell, actionCells, type KnownActions, likelyActions } from './request-cells.js';
import { keysRead, Situation, type Suppositions } from './situations.js';
import { casesOf, likelySuppositions, openSuppositions, sampled } from './suppositions.js';

export type ComparisonVerdict = 'EQUIVALENT' | 'NARROWER' | 'WIDER' | 'INCOMPARABLE' | 'UNKNOWN';

/** A request that the two decide differently. */
export interface Witness {
  readonly request: PolicyRequest;
  /** The request's context with keys as documents write them. */
  readonly context: readonly (readonly [key: string, values: readonly string[]])[];
  /** Origins of statements are the places of their documents. */
  readonly before: Evaluation<number>;
  readonly after: Evaluation<number>;
}

export interface PolicyComparison {
  /** What `after` is to `before`: `WIDER` allows all that `before` does, and more. */
  readonly verdict: ComparisonVerdict;
  /** A request that only `after` allows. */
  readonly gained: Witness | null;
  /** A request that only `before` allows. */
  readonly lost: Witness | null;
}

export interface ComparisonOptions {
  /** Names of known actions, each with its aliases. The engine knows no catalogue: without it all names are apart. */
  readonly actions?: readonly (readonly string[])[];
  /** Whether requests may be about actions that are not known. Without known ones they always may. */
  readonly anyAction?: boolean;
  /** Whether no request has several values for a key, given in lower case. Without it every key may have. */
  readonly singleValued?: (key: string) => boolean;
  /** How much work is done before UNKNOWN is said. A step takes well under a microsecond. */
  readonly steps?: number;
}

/** Enough for two sets of a few hundred statements. */
const usualSteps = 900_000;

type Documents = PolicyDocument | readonly PolicyDocument[];
type Sides = Readonly<Record<'before' | 'after', readonly PolicyDocument[]>>;

/** Compares what two documents, or sets of documents, allow. Total, and bounded by its steps. */
export function comparePolicies(
  before: Documents,
  after: Documents,
  options: ComparisonOptions = {},
): PolicyComparison {
  const sides = { before: listOf(before), after: listOf(after) };
  const statements = distinctStatements(sides);
  const steps = options.steps ?? usualSteps;
  const { actions, complete } = readActions(statements, options, { left: Math.ceil(steps / 4) });
  const found: Record<Direction, Witness | null> = { gained: null, lost: null };
  const excluded: Record<Direction, boolean> = { gained: false, lost: false };
  const confirm = (direction: Direction, request: PolicyRequest): boolean => {
    found[direction] ??= witnessOf(direction, request, sides, statements);
    return found[direction] !== null;
  };
  const singleValued = options.singleValued ?? ((): boolean => false);
  const namesOf = namesIn(options.actions ?? []);
  let open = false;
  for (const direction of directions) {
    const glance = new DirectionWork(direction, statements, singleValued, { left: Math.ceil(steps / 16) }, confirm);
    if (glance.shows(actions)) continue;
    if (isContained(direction, statements, namesOf)) {
      excluded[direction] = true;
      continue;
    }
    // Where the other one stays open so does the verdict: a request to show is worth a glance.
    if (open) break;
    const work = new DirectionWork(direction, statements, singleValued, { left: steps }, confirm);
    excluded[direction] = work.isExcluded(actions) && complete;
    open = found[direction] === null && !excluded[direction];
  }
  return { verdict: verdictOf(found, excluded), ...found };
}

/** One direction, through all that variables may come to. */
class DirectionWork {
  readonly #direction: Direction;
  readonly #statements: readonly SidedStatement[];
  readonly #singleValued: (key: string) => boolean;
  readonly #budget: Budget;
  readonly #confirm: (direction: Direction, request: PolicyRequest) => boolean;
  #shown = false;

  constructor(
    direction: Direction,
    statements: readonly SidedStatement[],
    singleValued: (key: string) => boolean,
    budget: Budget,
    confirm: (direction: Direction, request: PolicyRequest) => boolean,
  ) {
    this.#direction = direction;
    this.#statements = statements;
    this.#singleValued = singleValued;
    this.#budget = budget;
    this.#confirm = confirm;
  }

  /** Whether a request that is easily found shows the direction. */
  shows(actions: readonly AskedAction[]): boolean {
    const read = keysRead(this.#statements.map(({ statement }) => statement));
    return this.#searchIn(new Situation(likelySuppositions(read), this.#singleValued)).glance(this.#direction, actions);
  }

  /** True when no request shows the direction; false when one was confirmed, or when it is not known. */
  isExcluded(actions: readonly AskedAction[]): boolean {
    return this.#isExcluded(openSuppositions(keysRead(this.#statements.map(({ statement }) => statement))), actions);
  }

  /** Case by case, as long as leaving something open proves nothing. */
  #isExcluded(suppositions: Suppositions, actions: readonly AskedAction[]): boolean {
    const situation = new Situation(suppositions, this.#singleValued);
    const search = this.#searchIn(situation);
    const suspects = search.run(this.#direction, actions);
    if (suspects === null) {
      this.#shown = true;
      return false;
    }
    if (suspects.length === 0) return true;
    if (!situation.open || this.#budget.left < 0) return false;
    const places = new Set(suspects.flatMap(({ about }) => about));
    const statements = this.#statements.filter((_, place) => places.has(place)).map(({ statement }) => statement);
    const cases = casesOf(suppositions, statements, this.#singleValued);
    if (cases === null) {
      this.#sample(
        sampled(suppositions, statements, (key) => search.valuesOf(key)),
        suspects,
      );
      return false;
    }
    let excluded = true;
    for (const each of cases) {
      excluded = this.#isExcluded(each, suspects) && excluded;
      if (this.#shown || this.#budget.left < 0) return false;
    }
    return excluded;
  }

  #sample(samples: Iterable<Suppositions>, suspects: readonly AskedAction[]): void {
    for (const each of samples) {
      if (this.#searchIn(new Situation(each, this.#singleValued)).run(this.#direction, suspects) === null) {
        this.#shown = true;
        return;
      }
      if (this.#budget.left < 0) return;
    }
  }

  #searchIn(situation: Situation): ComparisonSearch {
    return new ComparisonSearch(this.#statements, situation, this.#budget, this.#confirm);
  }
}

function verdictOf(found: Directions<Witness | null>, excluded: Directions<boolean>): ComparisonVerdict {
  if (directions.some((direction) => found[direction] === null && !excluded[direction])) return 'UNKNOWN';
  if (found.gained !== null) return found.lost !== null ? 'INCOMPARABLE' : 'WIDER';
  return found.lost !== null ? 'NARROWER' : 'EQUIVALENT';
}

/** All names of an action, by any of them. */
function namesIn(actions: readonly (readonly string[])[]): (action: string) => readonly string[] {
  const byName = new Map(actions.flatMap((names) => names.map((name) => [name.toLowerCase(), names] as const)));
  return (action) => byName.get(action.toLowerCase()) ?? [action];
}

/** Each statement once, with the sides that have it; what only its place or name tells apart is one. */
function distinctStatements(sides: Sides): readonly SidedStatement[] {
  const known = new Map<string, SidedStatement>();
  for (const side of ['before', 'after'] as const) {
    for (const statement of sides[side].flatMap(({ statements }) => statements)) {
      const key = contentOf(statement);
      let entry = known.get(key);
      if (entry === undefined) known.set(key, (entry = { statement, before: false, after: false }));
      entry[side] = true;
    }
  }
  return [...known.values()];
}

function contentOf({ effect, actions, notActions, resources, notResources, conditions }: Statement): string {
  const sorted = (list: readonly string[] | null): readonly string[] | null =>
    list === null ? null : [...new Set(list)].sort();
  return JSON.stringify([
    effect,
    sorted(actions),
    sorted(notActions),
    sorted(resources),
    sorted(notResources),
    sorted(
      conditions.map(({ operator, key, values }) => JSON.stringify([operator, key.toLowerCase(), sorted(values)])),
    ),
  ]);
}

interface Actions {
  readonly actions: readonly AskedAction[];
  readonly complete: boolean;
}

/** The actions that the statements tell apart, each with the statements about it. */
function readActions(statements: readonly SidedStatement[], options: ComparisonOptions, budget: Budget): Actions {
  const places = new Map<string, number>();
  const placed = statements.map(({ statement }) =>
    (statement.notActions ?? statement.actions).map((pattern) => {
      const lower = pattern.toLowerCase();
      const place = places.get(lower) ?? places.size;
      places.set(lower, place);
      return place;
    }),
  );
  const known: KnownActions = {
    actions: options.actions ?? [],
    others: options.actions === undefined || (options.anyAction ?? true),
  };
  const found = new Map<string, AskedAction>();
  const take = (cell: ActionCell): void => {
    const about = aboutAction(statements, placed, cell);
    const key = about.join();
    if (!found.has(key)) found.set(key, { names: cell.names, about });
  };
  let complete = true;
  for (const cell of actionCells([...places.keys()], known, budget)) {
    if (cell === cutShort) complete = false;
    else take(cell);
    // Of tens of thousands of actions that patterns tell apart, which statements are about each is most of the work.
    if (spend(budget, statements.length / 8)) continue;
    complete = false;
    break;
  }
  if (!complete) {
    const apart = statements.filter(({ before, after }) => before !== after);
    const asked = new Set(apart.flatMap(({ statement }) => statement.notActions ?? statement.actions));
    for (const cell of likelyActions([...places.keys()], asked, known, { left: mostLikely })) take(cell);
  }
  return { actions: [...found.values()], complete };
}

/** Steps for actions that are tried where all are too many. */
const mostLikely = 100_000;

function aboutAction(
  statements: readonly SidedStatement[],
  placed: readonly (readonly number[])[],
  cell: ActionCell,
): number[] {
  const about: number[] = [];
  for (let i = 0; i < statements.length; i += 1) {
    const fits = placed[i]?.some((place) => cell.fits.has(place)) ?? false;
    if (fits === (statements[i]?.statement.notActions === null)) about.push(i);
  }
  return about;
}

/** The witness that a request is, or null when the evaluator decides otherwise than the search. */
function witnessOf(
  direction: Direction,
  request: PolicyRequest,
  sides: Sides,
  statements: readonly SidedStatement[],
): Witness | null {
  const decide = (documents: readonly PolicyDocument[]): Evaluation<number> =>
    evaluate(
      documents.map((document, place) => ({ name: `document ${place + 1}`, document, origin: place })),
      request,
    );
  const before = decide(sides.before);
  const after = decide(sides.after);
  const [denied, allowed] = direction === 'gained' ? [before, after] : [after, before];
  if (denied.effect !== 'DENY' || allowed.effect !== 'ALLOW') return null;
  return { request, context: spelled(request, statements), before, after };
}

/** The context with each key as it is first written. */
function spelled({ context }: PolicyRequest, statements: readonly SidedStatement[]): Witness['context'] {
  const spellings = new Map<string, string>();
  for (const { statement } of statements) {
    for (const { key } of statement.conditions)
      if (!spellings.has(key.toLowerCase())) spellings.set(key.toLowerCase(), key);
  }
  const keys = new Set([...spellings.keys(), ...keysRead(statements.map(({ statement }) => statement))]);
  return [...keys].sort().flatMap((key) => {
    const values = context.get(key);
    return values === undefined ? [] : [[spellings.get(key) ?? key, values] as const];
  });
}

function listOf(documents: Documents): readonly PolicyDocument[] {
  return 'statements' in documents ? [documents] : documents;
}
