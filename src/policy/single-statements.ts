/**
 * One statement, part by part, made ready to be asked about many times: in other facts, and in search of what keeps it
 * from applying. Which keys a part depends on is remembered, and what it asks is compiled once.
 */
import {
  compileCondition,
  type ConditionTest,
  holds,
  lacksKey,
  misses,
  unclear,
  type Verdict,
} from './compiled-conditions.js';
import { CompiledStatement } from './compiled-statements.js';
import { type ConditionOutcome, testCondition } from './conditions.js';
import { meetCondition, matchResources } from './evaluation.js';
import type { RequestContext } from './context.js';
import type { CutResource } from './cut-resource.js';
import type { Condition, Statement, StatementEffect } from './document.js';
import { readTemplate } from './templates.js';

const saysNothing: RequestContext = new Map();

export class PreparedCondition {
  readonly condition: Condition;
  /** In lower case. */
  readonly key: string;
  /** Keys of variables in the listed values, in lower case. */
  readonly variables: readonly string[];
  /** Conditions of one signature come out alike whenever the request is the same. */
  readonly signature: string;
  readonly #effect: StatementEffect;
  #test: ConditionTest | null = null;

  constructor(condition: Condition, effect: StatementEffect) {
    const { operator, key, values } = condition;
    this.condition = condition;
    this.key = key.toLowerCase();
    this.variables = variablesOf(values);
    this.signature = JSON.stringify([effect, operator, key, values]);
    this.#effect = effect;
  }

  meet(context: RequestContext): Verdict {
    return (this.#test ??= compileCondition(this.condition))(context);
  }

  /** Nobody knows what an unknown operator asks, so it depends on the effect of the statement (rule 10). */
  holds(context: RequestContext, verdict = this.meet(context)): boolean {
    return verdict === unclear ? meetCondition(this.condition, this.#effect, context).matches : verdict === holds;
  }

  /** What is to be told of it when it does not hold. */
  tell(context: RequestContext): Pick<ConditionOutcome, 'missing' | 'problems'> {
    const verdict = this.meet(context);
    if (verdict === unclear) return testCondition(this.condition, context);
    return { missing: verdict === lacksKey ? [this.condition.key] : nothing, problems: nothing };
  }

  /** In a request that says only this of its key; none: that it says nothing. */
  holdsGiven(values: readonly string[]): boolean {
    return this.holds(values.length === 0 ? saysNothing : new Map([[this.key, values]]));
  }
}

export class PreparedStatement {
  readonly statement: Statement;
  readonly conditions: readonly PreparedCondition[];
  /** Keys of variables in resources, in lower case. */
  readonly variables: readonly string[];
  /** Those without which no resource fits: each of the patterns has them, without a default. */
  readonly needed: readonly string[];
  /** Every key that it depends on, in lower case. */
  readonly keys: readonly string[];
  /** Statements of one signature, whose resources a request fits alike, apply together or not at all. */
  readonly signature: string;
  /** Statements of one such signature fit the same resources. */
  readonly onResources: string;
  /** As the evaluator meets it. */
  readonly compiled: CompiledStatement;

  constructor(statement: Statement) {
    const { effect, resources, notResources } = statement;
    const conditions = statement.conditions.map((condition) => new PreparedCondition(condition, effect));
    const variables = variablesOf([...(resources ?? []), ...(notResources ?? [])]);
    this.statement = statement;
    this.compiled = new CompiledStatement(statement);
    this.conditions = conditions;
    this.variables = variables;
    this.needed = variables.filter(
      (key) => notResources === null && resources?.every((pattern) => needs(pattern, key)),
    );
    this.keys = [...new Set([...variables, ...conditions.flatMap(({ key, variables }) => [key, ...variables])])];
    this.onResources = JSON.stringify(notResources === null ? resources : [effect, notResources]);
    this.signature = JSON.stringify([
      effect,
      variables.length === 0 ? null : this.onResources,
      conditions.map(({ signature }) => signature).sort(),
    ]);
  }

  /** How its resources meet that of a request, null for none. */
  meet(resource: CutResource | null, context: RequestContext): Verdict {
    return this.compiled.resources.meet(resource, context);
  }

  /** Whether the resource of a request is one that the statement is about. */
  fits(resource: CutResource | null, context: RequestContext, verdict = this.meet(resource, context)): boolean {
    if (verdict !== unclear) return verdict === holds;
    return matchResources(this.statement, resource?.text ?? null, context).matches;
  }

  /** Whether, where its resources do not fit, they may lack something or be at fault. */
  tellsOfResources(resource: CutResource | null, context: RequestContext): boolean {
    if (this.statement.notResources !== null) return true;
    return this.meet(resource, context) !== misses;
  }
}

const prepared = new WeakMap<Statement, PreparedStatement>();

export function prepareStatement(statement: Statement): PreparedStatement {
  const known = prepared.get(statement);
  if (known !== undefined) return known;
  const made = new PreparedStatement(statement);
  prepared.set(statement, made);
  return made;
}

const nothing: readonly never[] = [];

function variablesOf(texts: readonly string[]): readonly string[] {
  const open = texts.filter((text) => text.includes('${'));
  if (open.length === 0) return nothing;
  const keys = open.flatMap((text) =>
    (readTemplate(text).template ?? []).flatMap((part) => (part.kind === 'variable' ? [part.key.toLowerCase()] : [])),
  );
  return [...new Set(keys)];
}

function needs(pattern: string, key: string): boolean {
  const { template } = readTemplate(pattern);
  return (
    template?.some((part) => part.kind === 'variable' && part.key.toLowerCase() === key && part.fallback === null) ??
    true
  );
}
