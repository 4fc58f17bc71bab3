/**
 * Statements and documents made ready. What one comes to is kept for as long as the document itself, so principals that
 * share policies share it.
 */
import { type ActionNames, compileActions, type CompiledActions } from './compiled-actions.js';
import { type CompiledConditions, compileConditions, holds, lacksKey, misses, unclear } from './compiled-conditions.js';
import { type CompiledResources, compileResources } from './compiled-resources.js';
import type { CutResource } from './cut-resource.js';
import type { RequestContext } from './context.js';
import type { PolicyDocument, Statement } from './document.js';
import { matchResources, meetCondition } from './evaluation.js';
import { quote } from './problems.js';

/** What is learnt besides the answer; nothing is made until there is something. */
export class Notes {
  missing: string[] | null = null;
  problems: string[] | null = null;

  lacks(keys: readonly string[]): void {
    if (keys.length > 0) (this.missing ??= []).push(...keys);
  }

  reports(source: string, statement: Statement, problems: readonly string[]): void {
    for (const problem of problems) {
      (this.problems ??= []).push(`statement ${statement.index} of ${quote(source)}: ${problem}`);
    }
  }
}

export class CompiledStatement {
  /** Made when first asked, or beforehand: see `CompiledDocument.prepare`. */
  #resources: CompiledResources | null = null;
  #conditions: CompiledConditions | null = null;
  readonly denies: boolean;
  readonly statement: Statement;
  readonly actions: CompiledActions;

  constructor(statement: Statement) {
    this.denies = statement.effect === 'DENY';
    this.statement = statement;
    this.actions = compileActions(statement);
  }

  get resources(): CompiledResources {
    return (this.#resources ??= compileResources(this.statement));
  }

  get conditions(): CompiledConditions {
    return (this.#conditions ??= compileConditions(this.statement.conditions));
  }
}

/** A statement as it is met: what is compared, and what is answered. */
export interface MeetingStatement {
  readonly resources: CompiledResources;
  readonly conditions: CompiledConditions;
  readonly statement: Statement;
}

/** How it meets a request about an action of its own. Where that is unclear, `tell` says it, and what there is to note. */
export function meetStatement(
  { resources, conditions }: MeetingStatement,
  resource: CutResource | null,
  context: RequestContext,
): typeof misses | typeof holds | typeof unclear {
  const onResource = resources.meet(resource, context);
  if (onResource === misses) return misses;
  const onConditions = conditions.meet(context);
  return onResource === holds ? onConditions : onConditions === misses ? misses : unclear;
}

/** Whether it matches after all; what it lacked and what was wrong goes to the notes. */
export function tellStatement(
  { resources, conditions, statement }: MeetingStatement,
  resource: CutResource | null,
  context: RequestContext,
  source: string,
  notes: Notes,
): boolean {
  let matches = true;
  if (resources.meet(resource, context) === unclear) {
    const onResource = matchResources(statement, resource?.text ?? null, context);
    matches = onResource.matches;
    notes.lacks(onResource.missing);
    notes.reports(source, statement, onResource.problems);
  }
  for (const [i, condition] of statement.conditions.entries()) {
    const verdict = conditions.tests[i]?.(context);
    if (verdict === holds) continue;
    if (verdict === lacksKey) {
      notes.lacks([condition.key]);
      matches = false;
      continue;
    }
    const met = meetCondition(condition, statement.effect, context);
    notes.lacks(met.missing);
    notes.reports(source, statement, met.problems);
    matches &&= met.matches;
  }
  return matches;
}

export class CompiledDocument {
  /** Bits of what it may be about, to be told without a look at it; see `ActionNames.marks`. */
  readonly marks: number;
  readonly #statements: readonly CompiledStatement[];
  /** Those of each statement. */
  readonly #marks: readonly number[];

  constructor({ statements }: PolicyDocument) {
    this.#statements = statements.map((statement) => new CompiledStatement(statement));
    this.#marks = this.#statements.map(({ actions }) => actions.marks);
    this.marks = this.#marks.reduce((marks, each) => marks | each, 0);
  }

  /** Makes ready what would else be made when it is first asked about. */
  prepare(): void {
    for (const { resources, conditions } of this.#statements) void [resources, conditions];
  }

  /** The statements about an action under any of its names, in order. */
  about(asked: ActionNames): readonly CompiledStatement[] {
    let found: CompiledStatement[] | null = null;
    const marks = this.#marks;
    for (let i = 0; i < marks.length; i += 1) {
      if (((marks[i] ?? 0) & asked.marks) === 0) continue;
      const statement = this.#statements[i];
      if (statement?.actions.isAbout(asked) !== true) continue;
      if (found === null) found = [statement];
      else found.push(statement);
    }
    return found ?? nothing;
  }
}

const nothing: readonly never[] = [];

const documents = new WeakMap<PolicyDocument, CompiledDocument>();

/** Where a document that was made ready beforehand holds what it became: to find it in a map takes four times as long. */
const made = Symbol('made ready');

interface PreparedDocument {
  readonly [made]?: CompiledDocument;
}

export function compileDocument(document: PolicyDocument): CompiledDocument {
  const known = (document as PreparedDocument)[made] ?? documents.get(document);
  if (known !== undefined) return known;
  const compiled = new CompiledDocument(document);
  documents.set(document, compiled);
  return compiled;
}

/** Makes a document ready beforehand, so that who is first asked about it waits less. */
export function prepareDocument(document: PolicyDocument): void {
  const compiled = compileDocument(document);
  compiled.prepare();
  // Not enumerable, so that no copy of a changed document takes it along.
  if (Object.isExtensible(document)) Object.defineProperty(document, made, { value: compiled, configurable: true });
}
