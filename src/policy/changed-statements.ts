/** Statements in a request whose context is changed: what each part of them comes to then, asked once for each value. */
import type { RequestContext } from './context.js';
import { CutResource } from './cut-resource.js';
import type { PolicyRequest } from './evaluation.js';
import type { KeyValues } from './key-values.js';
import type { PreparedCondition, PreparedStatement } from './single-statements.js';

/** A statement, and its conditions by their numbers: those of one number are the same. */
export interface NumberedStatement {
  readonly one: PreparedStatement;
  readonly conditions: readonly number[];
}

/** Values by key in lower case; an empty list takes the key away. */
export type ContextChanges = ReadonlyMap<string, KeyValues>;

/** The request's context with changes, as far as some keys go. */
export function changedContext(
  base: RequestContext,
  keys: Iterable<string>,
  changes: ContextChanges,
): Map<string, KeyValues> {
  const context = new Map<string, KeyValues>();
  const put = (key: string, values: KeyValues): void => {
    if (values.length > 0) context.set(key, values);
  };
  for (const key of keys) put(key, changes.get(key) ?? base.get(key) ?? absent);
  for (const [key, values] of changes) put(key, values);
  return context;
}

const absent: KeyValues = [];

export class ChangedCondition {
  readonly one: PreparedCondition;
  readonly number: number;
  readonly #context: RequestContext;
  readonly #truths = new Map<KeyValues, boolean>();
  #unchanged: boolean | null = null;

  constructor(one: PreparedCondition, number: number, context: RequestContext) {
    this.one = one;
    this.number = number;
    this.#context = context;
  }

  holds(changes: ContextChanges): boolean {
    const { key, variables } = this.one;
    const values = changes.get(key);
    if (variables.some((variable) => changes.has(variable)) || (variables.length > 0 && values !== undefined)) {
      return this.one.holds(changedContext(this.#context, [key, ...variables], changes));
    }
    if (values === undefined) return (this.#unchanged ??= this.one.holds(this.#context));
    const known = this.#truths.get(values);
    if (known !== undefined) return known;
    const holds = this.one.holds(values.length === 0 ? noContext : new Map([[key, values]]));
    this.#truths.set(values, holds);
    return holds;
  }
}

const noContext: RequestContext = new Map();

/** What the resources of some statements, which list the same, come to. */
class ChangedResources {
  readonly #one: PreparedStatement;
  readonly #resource: CutResource | null;
  readonly #context: RequestContext;
  readonly #truths = new Map<string, boolean>();
  #unchanged: boolean | null = null;

  constructor(one: PreparedStatement, resource: CutResource | null, context: RequestContext) {
    this.#one = one;
    this.#resource = resource;
    this.#context = context;
  }

  fit(changes: ContextChanges): boolean {
    const { variables } = this.#one;
    if (!variables.some((variable) => changes.has(variable))) {
      return (this.#unchanged ??= this.#one.fits(this.#resource, this.#context));
    }
    const values = JSON.stringify(variables.map((variable) => changes.get(variable) ?? null));
    const known = this.#truths.get(values);
    if (known !== undefined) return known;
    const fits = this.#one.fits(this.#resource, changedContext(this.#context, variables, changes));
    this.#truths.set(values, fits);
    return fits;
  }
}

export class ChangedStatement {
  readonly one: PreparedStatement;
  readonly conditions: readonly ChangedCondition[];
  readonly #resources: ChangedResources;

  constructor(one: PreparedStatement, conditions: readonly ChangedCondition[], resources: ChangedResources) {
    this.one = one;
    this.conditions = conditions;
    this.#resources = resources;
  }

  fits(changes: ContextChanges): boolean {
    return this.#resources.fit(changes);
  }

  matches(changes: ContextChanges): boolean {
    for (const condition of this.conditions) if (!condition.holds(changes)) return false;
    return this.fits(changes);
  }
}

/** Statements of one request; conditions that are the same are one. */
export class ChangedStatements {
  readonly #request: PolicyRequest;
  readonly #resource: CutResource | null;
  readonly #conditions = new Map<number, ChangedCondition>();
  readonly #resources = new Map<string, ChangedResources>();
  readonly #statements = new Map<PreparedStatement, ChangedStatement>();

  constructor(request: PolicyRequest) {
    this.#request = request;
    this.#resource = request.resource === null ? null : new CutResource(request.resource);
  }

  /** Of those taken in so far. */
  get conditions(): readonly ChangedCondition[] {
    return [...this.#conditions.values()];
  }

  get statements(): readonly PreparedStatement[] {
    return [...this.#statements.keys()];
  }

  take({ one, conditions: numbers }: NumberedStatement): ChangedStatement {
    const known = this.#statements.get(one);
    if (known !== undefined) return known;
    const conditions = one.conditions.map((condition, i) => this.#condition(condition, numbers[i] ?? 0));
    const made = new ChangedStatement(one, conditions, this.#resourcesOf(one));
    this.#statements.set(one, made);
    return made;
  }

  #resourcesOf(one: PreparedStatement): ChangedResources {
    const known = this.#resources.get(one.onResources);
    if (known !== undefined) return known;
    const made = new ChangedResources(one, this.#resource, this.#request.context);
    this.#resources.set(one.onResources, made);
    return made;
  }

  #condition(one: PreparedCondition, number: number): ChangedCondition {
    const known = this.#conditions.get(number);
    if (known !== undefined) return known;
    const made = new ChangedCondition(one, number, this.#request.context);
    this.#conditions.set(number, made);
    return made;
  }
}
