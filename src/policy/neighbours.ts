/**
 * Statements of some sources by what they are about: those about an action, and those about its neighbours, the other
 * actions on the same kind of thing. Each statement is made ready once for sources that do not change, and what several
 * statements have in common is numbered, so that one request asks it once.
 */
import { readActionName } from './actions.js';
import { CompiledSources } from './compiled.js';
import type { PolicyDocument, Statement } from './document.js';
import type { DeterminingStatement, PolicyRequest, PolicySource } from './evaluation.js';
import { PlanMemory } from './context-plans.js';
import { CandidateMemory } from './key-candidates.js';
import { NearList, type NearStatement } from './near-lists.js';
import { type PreparedCondition, prepareStatement } from './single-statements.js';

/** Actions whose statements are remembered for one list of sources. */
const rememberedActions = 256;

export type NamedAction = Pick<PolicyRequest, 'action' | 'aliases'>;

export interface Surroundings<Origin> {
  readonly about: NearList<Origin>;
  /** Statements about other actions on the same kind of thing. */
  readonly beside: NearList<Origin>;
}

export class Neighbourhood<Origin> {
  readonly compiled: CompiledSources<Origin>;
  /** By the numbers of conditions. */
  readonly candidates = new CandidateMemory();
  /** Of searches that make some of these statements match and let no Deny among them. */
  readonly plansToYes = new PlanMemory<NearList<Origin>>();
  /** Of searches that let no Deny match. */
  readonly plansPastDenies = new PlanMemory<NearList<Origin>>();
  readonly #sources: readonly PolicySource<Origin>[];
  readonly #near = new Map<PolicySource<Origin>, Map<Statement, NearStatement<Origin>>>();
  readonly #conditions: PreparedCondition[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #kinds = new Map<string, number>();
  readonly #resources = new Map<string, number>();
  readonly #known = new Map<string, Surroundings<Origin>>();

  constructor(sources: readonly PolicySource<Origin>[]) {
    this.compiled = new CompiledSources(sources);
    this.#sources = sources;
  }

  /** By their numbers. */
  get conditions(): readonly PreparedCondition[] {
    return this.#conditions;
  }

  get countOfResources(): number {
    return this.#resources.size;
  }

  get countOfKinds(): number {
    return this.#kinds.size;
  }

  /** Of an action by its name, not of a pattern; null: of none. */
  around(asked: NamedAction | null): Surroundings<Origin> {
    if (asked === null) return nowhere;
    const { action, aliases = [] } = asked;
    const key = [action, ...aliases].join('\n').toLowerCase();
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = this.#look({ action, aliases });
    const [oldest] = this.#known.size >= rememberedActions ? this.#known.keys() : [];
    if (oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(key, found);
    return found;
  }

  #look(named: Required<NamedAction>): Surroundings<Origin> {
    const about = this.compiled.about(named, undefined, true);
    const known = new Set(about.map(({ statement }) => statement));
    const kinds = new Set([named.action, ...named.aliases].map(kindOf));
    const beside = this.#sources.flatMap((source) => {
      const byKind = statementsByKind(source.document);
      return [...new Set([...kinds].flatMap((kind) => byKind.get(kind) ?? []))]
        .filter((statement) => !known.has(statement))
        .sort((a, b) => a.index - b.index)
        .map((statement) => ({ source, statement }));
    });
    return {
      about: new NearList(about.map((one) => this.#prepare(one))),
      beside: new NearList(beside.map((one) => this.#prepare(one))),
    };
  }

  #prepare({ source, statement }: DeterminingStatement<Origin>): NearStatement<Origin> {
    let ofSource = this.#near.get(source);
    if (ofSource === undefined) this.#near.set(source, (ofSource = new Map<Statement, NearStatement<Origin>>()));
    const known = ofSource.get(statement);
    if (known !== undefined) return known;
    const one = prepareStatement(statement);
    const made = {
      source,
      statement,
      one,
      resources: numbered(this.#resources, one.onResources),
      conditions: one.conditions.map((condition) => this.#numberOf(condition)),
      kind: numbered(this.#kinds, one.signature),
    };
    ofSource.set(statement, made);
    return made;
  }

  #numberOf(condition: PreparedCondition): number {
    const number = numbered(this.#numbers, condition.signature);
    this.#conditions[number] ??= condition;
    return number;
  }
}

const nowhere: Surroundings<never> = { about: new NearList<never>([]), beside: new NearList<never>([]) };

function numbered(numbers: Map<string, number>, text: string): number {
  const known = numbers.get(text);
  if (known !== undefined) return known;
  numbers.set(text, numbers.size);
  return numbers.size - 1;
}

/** What kind of thing an action is on: its service and type. */
function kindOf(action: string): string {
  const [service = '', type = ''] = readActionName(action);
  return `${service}:${type}`;
}

const kindsOfDocuments = new WeakMap<PolicyDocument, ReadonlyMap<string, readonly Statement[]>>();

/** Those that name actions on some kind of thing, without a wildcard in what says of which kind. */
function statementsByKind(document: PolicyDocument): ReadonlyMap<string, readonly Statement[]> {
  const known = kindsOfDocuments.get(document);
  if (known !== undefined) return known;
  const made = new Map<string, Statement[]>();
  for (const statement of document.statements) {
    if (statement.notActions !== null) continue;
    for (const kind of new Set(statement.actions.map(kindOf))) {
      if (/[*?]/.test(kind)) continue;
      const list = made.get(kind);
      if (list === undefined) made.set(kind, [statement]);
      else list.push(statement);
    }
  }
  kindsOfDocuments.set(document, made);
  return made;
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
