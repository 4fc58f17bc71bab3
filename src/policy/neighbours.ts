/**
 * Statements of some sources by what they are about: those about an action, and those about its neighbours, the other
 * actions on the same kind of thing. Made once for sources that do not change, so that explaining one request does not
 * walk every statement.
 */
import { actionsMatcher, isConcreteAction, readActionName } from './actions.js';
import { CompiledSources } from './compiled.js';
import type { Statement } from './document.js';
import type { DeterminingStatement, PolicySource } from './evaluation.js';

/** Actions whose statements are remembered for one list of sources. */
const rememberedActions = 256;

/** Neighbours that are looked at; an author who means more of them has no near miss but another subject. */
const mostNeighbours = 48;

export interface Surroundings<Origin> {
  /** In the order given. */
  readonly about: readonly DeterminingStatement<Origin>[];
  /** Statements about other actions on the same kind of thing, at most some. */
  readonly beside: readonly DeterminingStatement<Origin>[];
}

export class Neighbourhood<Origin> {
  readonly compiled: CompiledSources<Origin>;
  readonly #statements: readonly DeterminingStatement<Origin>[];
  readonly #named = new Map<string, number[]>();
  /** Patterns by their service; under '' those whose service is a pattern itself. */
  readonly #patterns = new Map<string, number[]>();
  readonly #kinds = new Map<string, number[]>();
  readonly #known = new Map<string, Surroundings<Origin>>();

  constructor(sources: readonly PolicySource<Origin>[]) {
    this.compiled = new CompiledSources(sources);
    this.#statements = sources.flatMap((source) =>
      source.document.statements.map((statement) => ({ source, statement })),
    );
    for (const [place, { statement }] of this.#statements.entries()) {
      const { actions, notActions } = statement;
      if (notActions !== null) {
        add(this.#patterns, '', place);
        continue;
      }
      for (const action of actions) {
        const [service = '', type = ''] = readActionName(action);
        if (isConcreteAction(action)) add(this.#named, action.toLowerCase(), place);
        else add(this.#patterns, /[*?]/.test(service) ? '' : service, place);
        if (!/[*?]/.test(service + type)) add(this.#kinds, `${service}:${type}`, place);
      }
    }
  }

  around(names: readonly string[]): Surroundings<Origin> {
    const key = names.join('\n').toLowerCase();
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = this.#look(names);
    const [oldest] = this.#known.size >= rememberedActions ? this.#known.keys() : [];
    if (oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(key, found);
    return found;
  }

  #look(names: readonly string[]): Surroundings<Origin> {
    const read = names.map(readActionName);
    const about = new Set<number>();
    for (const name of names) for (const place of this.#named.get(name.toLowerCase()) ?? []) about.add(place);
    for (const service of new Set(['', ...read.map(([first = '']) => first)])) {
      for (const place of this.#patterns.get(service) ?? []) {
        const statement = this.#statements[place]?.statement;
        if (statement !== undefined && isAbout(statement, read)) about.add(place);
      }
    }
    const beside: number[] = [];
    for (const kind of new Set(read.map(([service = '', type = '']) => `${service}:${type}`))) {
      for (const place of this.#kinds.get(kind) ?? []) {
        if (beside.length < mostNeighbours && !about.has(place)) beside.push(place);
      }
    }
    const at = (places: Iterable<number>): DeterminingStatement<Origin>[] =>
      [...new Set(places)].sort((a, b) => a - b).flatMap((place) => this.#statements[place] ?? []);
    return { about: at(about), beside: at(beside) };
  }
}

const matchers = new WeakMap<Statement, ReturnType<typeof actionsMatcher>>();

/** Whether a statement is about an action, read as segments, under one of its names. */
function isAbout(statement: Statement, names: readonly (readonly string[])[]): boolean {
  let matcher = matchers.get(statement);
  if (matcher === undefined) {
    matcher = actionsMatcher(statement.notActions ?? statement.actions);
    matchers.set(statement, matcher);
  }
  return names.some(matcher) === (statement.notActions === null);
}

const kept = new WeakMap<readonly PolicySource<never>[], Neighbourhood<never>>();

/** The neighbourhood of sources, made once for as long as the list of them is kept. They must not change. */
export function neighbourhoodOf<Origin>(sources: readonly PolicySource<Origin>[]): Neighbourhood<Origin> {
  const known = kept.get(sources as readonly PolicySource<never>[]) as unknown as Neighbourhood<Origin> | undefined;
  if (known !== undefined) return known;
  const made = new Neighbourhood(sources);
  kept.set(sources as readonly PolicySource<never>[], made as unknown as Neighbourhood<never>);
  return made;
}

function add(map: Map<string, number[]>, key: string, place: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [place]);
  else if (list.at(-1) !== place) list.push(place);
}
