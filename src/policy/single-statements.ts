/**
 * One statement against one request, part by part. What a part comes to is always asked of the reference form; here is
 * only remembered what of a statement depends on which keys.
 */
import { testCondition } from './conditions.js';
import type { RequestContext } from './context.js';
import type { Condition, Statement } from './document.js';
import { evaluate, type PolicyRequest } from './evaluation.js';
import { readTemplate } from './templates.js';

export interface PreparedCondition {
  readonly condition: Condition;
  /** In lower case. */
  readonly key: string;
  /** Keys of variables in the listed values, in lower case. */
  readonly variables: readonly string[];
  /** Conditions of one signature come out alike whenever the request is the same. */
  readonly signature: string;
}

export interface PreparedStatement {
  readonly statement: Statement;
  readonly conditions: readonly PreparedCondition[];
  /** Keys of variables in resources, in lower case. */
  readonly variables: readonly string[];
  /** Every key that it depends on, in lower case. */
  readonly keys: readonly string[];
  /** Texts that what comes after the fourth colon must begin with, one of them; null: not to be told by that. */
  readonly beginnings: readonly string[] | null;
  /** Statements of one signature, whose resources a request fits alike, apply together or not at all. */
  readonly signature: string;
  /** The statement without its conditions, about whatever action: it matches whatever its resources fit. */
  readonly onResource: Statement;
}

const prepared = new WeakMap<Statement, PreparedStatement>();

export function prepareStatement(statement: Statement): PreparedStatement {
  const known = prepared.get(statement);
  if (known !== undefined) return known;
  const conditions = statement.conditions.map((condition) => ({
    condition,
    key: condition.key.toLowerCase(),
    variables: variablesOf(condition.values),
    signature: [statement.effect, condition.operator, condition.key.toLowerCase(), ...condition.values].join('\n'),
  }));
  const variables = variablesOf([...(statement.resources ?? []), ...(statement.notResources ?? [])]);
  const made: PreparedStatement = {
    statement,
    conditions,
    variables,
    keys: [...new Set([...variables, ...conditions.flatMap(({ key, variables }) => [key, ...variables])])],
    beginnings: statement.resources === null ? null : statement.resources.map(beginningOf),
    signature: JSON.stringify([
      statement.effect,
      variables.length === 0 ? null : [statement.resources, statement.notResources],
      conditions.map(({ signature }) => signature).sort(),
    ]),
    onResource: { ...statement, actions: ['*'], notActions: null, conditions: [] },
  };
  prepared.set(statement, made);
  return made;
}

/** What the parts of statements come to for one request, each asked once. */
export class RequestReading {
  readonly request: PolicyRequest;
  readonly #fits = new Map<PreparedStatement, boolean>();
  readonly #holds = new Map<string, boolean>();

  constructor(request: PolicyRequest) {
    this.request = request;
  }

  fits(one: PreparedStatement): boolean {
    const known = this.#fits.get(one);
    if (known !== undefined) return known;
    const fits = fitsResource(one, this.request, this.request.context);
    this.#fits.set(one, fits);
    return fits;
  }

  holds(one: PreparedStatement, { condition, signature }: PreparedCondition): boolean {
    const known = this.#holds.get(signature);
    if (known !== undefined) return known;
    const holds = holdsFor(one.statement, condition, this.request.context);
    this.#holds.set(signature, holds);
    return holds;
  }

  applies(one: PreparedStatement): boolean {
    return one.conditions.every((condition) => this.holds(one, condition)) && this.fits(one);
  }
}

/** Whether the resource of a request fits a statement. */
export function fitsResource(one: PreparedStatement, request: PolicyRequest, context: RequestContext): boolean {
  const { statement, beginnings, onResource } = one;
  if (statement.resources === null && statement.notResources === null) return true;
  if (beginnings !== null && request.resource !== null && !beginsLike(request.resource, beginnings)) return false;
  const document = { version: '5.0', statements: [onResource], depends: [] } as const;
  const source = { name: '', document, origin: null };
  return evaluate([source], { action: 'any:any:any', resource: request.resource, context }).statements.length > 0;
}

/** Whether a condition holds for a statement of this effect: nobody knows what an unknown operator asks (rule 10). */
export function holdsFor({ effect }: Statement, condition: Condition, context: RequestContext): boolean {
  const { result } = testCondition(condition, context);
  return result === 'UNKNOWN' ? effect === 'DENY' : result === 'TRUE';
}

function variablesOf(texts: readonly string[]): readonly string[] {
  const keys = texts.flatMap((text) =>
    (readTemplate(text).template ?? []).flatMap((part) => (part.kind === 'variable' ? [part.key.toLowerCase()] : [])),
  );
  return [...new Set(keys)];
}

/** What the path of a pattern begins with, up to its first wildcard or variable; '' when that says nothing. */
function beginningOf(pattern: string): string {
  const [, path = ''] = /^(?:[^:$]*:){4}([^*?$]*)/s.exec(pattern) ?? [];
  return path;
}

function beginsLike(resource: string, beginnings: readonly string[]): boolean {
  let at = -1;
  for (let colons = 0; colons < 4; colons += 1) {
    at = resource.indexOf(':', at + 1);
    if (at < 0) return true;
  }
  return beginnings.some((text) => resource.startsWith(text, at + 1));
}
