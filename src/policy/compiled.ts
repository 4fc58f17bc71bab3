/**
 * The decision, made ready: the statements of a principal are read once and found by the action and the resource that a
 * request names, instead of being walked. It answers what the reference form (evaluation.ts) answers, determining
 * statements, missing keys and problems included; a differential test and `npm run fuzz:policy` hold the two together.
 *
 * What a statement comes to is kept for as long as the statement itself, so principals that share policies share it.
 */
import { actionMatcher, isConcreteAction } from './actions.js';
import { anyText, beginningOf, compileGlob, type Beginning } from './compiled-texts.js';
import { compileCondition, Notes, type ConditionTest } from './compiled-conditions.js';
import type { Statement } from './document.js';
import {
  distinctKeys,
  evaluate,
  type DeterminingStatement,
  type Evaluation,
  type PolicyRequest,
  type PolicySource,
} from './evaluation.js';
import { quote } from './problems.js';
import { matchResource, readResourcePattern, readSegments, segmentCount, type ResourceSegments } from './resources.js';
import { hasVariables, type RequestContext } from './templates.js';

/** Actions whose statements are remembered for one principal. */
const rememberedActions = 512;

/** From so many statements about one action on, they are found by the resource too. */
const indexedFrom = 12;

/** Whether a source takes part in a request. */
export type TakesPart<Origin> = (origin: Origin) => boolean;

const everySource = (): boolean => true;
const nothing: readonly never[] = [];

/** The sources of one principal, made ready. They must not change. */
export class CompiledSources<Origin> {
  readonly #statements: readonly Placed<Origin>[];
  readonly #known = new Map<string, Candidates>();
  #byAction: ActionIndex | null = null;

  constructor(sources: readonly PolicySource<Origin>[]) {
    this.#statements = sources.flatMap((source) =>
      source.document.statements.map((statement) => ({ source, compiled: compileStatement(statement) })),
    );
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
    const { resource, context } = request;
    const segments = resource === null ? null : readSegments(resource);
    let allows: DeterminingStatement<Origin>[] | null = null;
    let denials: DeterminingStatement<Origin>[] | null = null;
    let problems: string[] | null = null;
    const notes = new Notes();
    for (const place of candidates.on(segments)) {
      const placed = this.#statements[place];
      if (placed === undefined || !takesPart(placed.source.origin)) continue;
      const { source, compiled } = placed;
      const matches = compiled.test(resource, segments, context, notes);
      if (notes.problems !== null) {
        const where = `statement ${compiled.statement.index} of ${quote(source.name)}: `;
        (problems ??= []).push(...notes.problems.map((problem) => where + problem));
        notes.problems = null;
      }
      if (!matches) continue;
      const determining = { source, statement: compiled.statement };
      if (compiled.denies) (denials ??= []).push(determining);
      else (allows ??= []).push(determining);
    }
    const missingContextKeys = notes.missing === null ? nothing : distinctKeys(notes.missing);
    const told = { missingContextKeys, problems: problems === null ? nothing : [...new Set(problems)].sort() };
    if (denials !== null) return { effect: 'DENY', reason: 'EXPLICIT_DENY', statements: denials, ...told };
    if (allows !== null) return { effect: 'ALLOW', reason: 'ALLOWED', statements: allows, ...told };
    return { effect: 'DENY', reason: 'NO_MATCHING_ALLOW', statements: nothing, ...told };
  }

  /** Null when a name is a pattern. */
  #candidates({ action, aliases = nothing }: PolicyRequest, remember: boolean): Candidates | null {
    const key = aliases.length === 0 ? action : `${action}\n${aliases.join('\n')}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const names = [action, ...aliases];
    if (!names.every(isConcreteAction)) return null;
    this.#byAction ??= new ActionIndex(this.#statements.map(({ compiled }) => compiled));
    const candidates = new Candidates(this.#byAction.about(names), (place) => this.#statements[place]?.compiled);
    if (remember) {
      const [oldest] = this.#known.size >= rememberedActions ? this.#known.keys() : [];
      if (oldest !== undefined) this.#known.delete(oldest);
      this.#known.set(key, candidates);
    }
    return candidates;
  }
}

interface Placed<Origin> {
  readonly source: PolicySource<Origin>;
  readonly compiled: CompiledStatement;
}

interface CompiledStatement {
  readonly statement: Statement;
  readonly denies: boolean;
  /** In lower case: it is about these actions and no others; null when patterns say which. */
  readonly actions: readonly string[] | null;
  isAbout(names: readonly string[]): boolean;
  /** Beginnings of the paths that it can be about; null: of any, and of requests without a resource. */
  readonly paths: readonly Beginning[] | null;
  test(resource: string | null, segments: ResourceSegments | null, context: RequestContext, notes: Notes): boolean;
}

const compiledStatements = new WeakMap<Statement, CompiledStatement>();

function compileStatement(statement: Statement): CompiledStatement {
  const known = compiledStatements.get(statement);
  if (known !== undefined) return known;
  const { actions, notActions, effect } = statement;
  const denies = effect === 'DENY';
  const matchers = (notActions ?? actions).map((pattern) => actionMatcher(pattern));
  const onResource = compileResources(statement);
  const conditions = statement.conditions.map(compileCondition);
  const compiled: CompiledStatement = {
    statement,
    denies,
    actions:
      notActions === null && actions.every(isConcreteAction) ? actions.map((action) => action.toLowerCase()) : null,
    isAbout: (names) => matchers.some((fits) => names.some(fits)) === (notActions === null),
    paths: onResource.paths,
    test: (resource, segments, context, notes) =>
      onResource.test(resource, segments, context, notes) && holdAll(conditions, denies, context, notes),
  };
  compiledStatements.set(statement, compiled);
  return compiled;
}

/** Each is asked, even when one does not hold: what a statement lacked is told as a whole. */
function holdAll(
  conditions: readonly ConditionTest[],
  denies: boolean,
  context: RequestContext,
  notes: Notes,
): boolean {
  let holds = true;
  for (const test of conditions) {
    const result = test(context, notes);
    // Rule 10, as the reference form has it.
    if (result === 'FALSE' || (result === 'UNKNOWN' && !denies)) holds = false;
  }
  return holds;
}

interface CompiledResources {
  readonly paths: readonly Beginning[] | null;
  readonly test: CompiledStatement['test'];
}

const everyResource: CompiledResources = { paths: null, test: () => true };

function compileResources({ resources, notResources, effect }: Statement): CompiledResources {
  if (notResources !== null) {
    return {
      paths: null,
      test: (resource, _segments, context, notes) => {
        const met = notResources.map((pattern) => matchResource(pattern, resource, context));
        for (const { missing, problems } of met) {
          notes.lacks(missing);
          notes.reports(problems);
        }
        if (met.some(({ matches }) => matches)) return false;
        return effect === 'DENY' || met.every(({ missing, problems }) => missing.length + problems.length === 0);
      },
    };
  }
  if (resources === null) return everyResource;
  const compiled = resources.map(compileResource);
  if (compiled.includes(null)) {
    return {
      paths: null,
      test: (resource, _segments, context, notes) => {
        const met = resources.map((pattern) => matchResource(pattern, resource, context));
        if (met.some(({ matches }) => matches)) return true;
        for (const { missing, problems } of met) {
          notes.lacks(missing);
          notes.reports(problems);
        }
        return false;
      },
    };
  }
  const patterns = compiled.filter((pattern) => pattern !== null);
  if (patterns.some(({ every }) => every)) return everyResource;
  const [only] = patterns;
  return {
    paths: patterns.map(({ path }) => path),
    test:
      only !== undefined && patterns.length === 1
        ? (_resource, segments) => segments !== null && only.fits(segments)
        : (_resource, segments) => segments !== null && patterns.some(({ fits }) => fits(segments)),
  };
}

interface CompiledResource {
  readonly every: boolean;
  readonly path: Beginning;
  readonly fits: (segments: ResourceSegments) => boolean;
}

/** Null for a pattern with variables, and for one that cannot be read: those go to the reference form. */
function compileResource(pattern: string): CompiledResource | null {
  const reading = hasVariables(pattern) ? 'UNREADABLE' : readResourcePattern(pattern, new Map());
  if (reading === 'UNREADABLE') return null;
  const anyPath = { text: '', whole: false };
  if (reading === 'EVERY_RESOURCE') return { every: true, path: anyPath, fits: () => true };
  const globs = reading.segments;
  if (globs.length !== segmentCount) return { every: false, path: anyPath, fits: () => false };
  const [service = anyText, region = anyText, account = anyText, type = anyText, path = anyText] =
    globs.map(compileGlob);
  return {
    every: false,
    path: beginningOf(globs[segmentCount - 1] ?? []),
    // The path tells most apart.
    fits: (segments) =>
      path(segments.path) &&
      type(segments.type) &&
      service(segments.service) &&
      region(segments.region) &&
      account(segments.account),
  };
}

/** Statements by the actions that they name: most by their whole name, the others by the service or one by one. */
class ActionIndex {
  readonly #statements: readonly CompiledStatement[];
  readonly #named = new Map<string, number[]>();
  readonly #others: number[] = [];

  constructor(statements: readonly CompiledStatement[]) {
    this.#statements = statements;
    for (const [place, { actions }] of statements.entries()) {
      if (actions === null) this.#others.push(place);
      else for (const action of new Set(actions)) listed(this.#named, action).push(place);
    }
  }

  /** Places of the statements about an action under any of its names, in order. */
  about(names: readonly string[]): readonly number[] {
    const places = new Set<number>();
    for (const name of names) for (const place of this.#named.get(name.toLowerCase()) ?? nothing) places.add(place);
    for (const place of this.#others) if (this.#statements[place]?.isAbout(names) === true) places.add(place);
    return [...places].sort((a, b) => a - b);
  }
}

/** The statements about one action; when they are many, found by what the path of the resource begins with. */
class Candidates {
  readonly #all: readonly number[];
  readonly #index: PathIndex | null;

  constructor(all: readonly number[], statementAt: (place: number) => CompiledStatement | undefined) {
    this.#all = all;
    this.#index = all.length < indexedFrom ? null : new PathIndex(all, statementAt);
  }

  on(resource: ResourceSegments | null): readonly number[] {
    return this.#index === null ? this.#all : this.#index.on(resource);
  }
}

class PathIndex {
  /** About every path, or not to be told by it. */
  readonly #always: number[] = [];
  readonly #whole = new Map<string, number[]>();
  readonly #begun = new Map<string, number[]>();
  /** Lengths of the beginnings, the shortest first. */
  readonly #lengths: readonly number[];

  constructor(places: readonly number[], statementAt: (place: number) => CompiledStatement | undefined) {
    const lengths = new Set<number>();
    for (const place of places) {
      const paths = statementAt(place)?.paths ?? null;
      if (paths === null || paths.some(({ text, whole }) => text === '' && !whole)) {
        this.#always.push(place);
        continue;
      }
      for (const { text, whole } of paths) {
        const list = listed(whole ? this.#whole : this.#begun, text);
        if (list.at(-1) !== place) list.push(place);
        if (!whole) lengths.add(text.length);
      }
    }
    this.#lengths = [...lengths].sort((a, b) => a - b);
  }

  on(resource: ResourceSegments | null): readonly number[] {
    if (resource === null) return this.#always;
    const { path } = resource;
    const lists: (readonly number[])[] = this.#always.length > 0 ? [this.#always] : [];
    const whole = this.#whole.get(path);
    if (whole !== undefined) lists.push(whole);
    for (const length of this.#lengths) {
      if (length > path.length) break;
      const begun = this.#begun.get(path.slice(0, length));
      if (begun !== undefined) lists.push(begun);
    }
    const [only = nothing] = lists;
    // In the order given, each once: a statement may have several patterns that a path fits.
    return lists.length < 2 ? only : [...new Set(lists.flat())].sort((a, b) => a - b);
  }
}

function listed<K>(map: Map<K, number[]>, key: K): number[] {
  const known = map.get(key);
  if (known !== undefined) return known;
  const list: number[] = [];
  map.set(key, list);
  return list;
}
