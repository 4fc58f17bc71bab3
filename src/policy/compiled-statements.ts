/**
 * Statements and documents made ready. What one comes to is kept for as long as the document itself, so principals that
 * share policies share it.
 */
import { isConcreteAction } from './actions.js';
import {
  compileCondition,
  type ConditionTest,
  holds,
  lacksKey,
  misses,
  unclear,
  wantedTexts,
} from './compiled-conditions.js';
import { compileResources, type CutResource, type ResourcesTest } from './compiled-resources.js';
import { compileGlob, type Beginning, type TextTest } from './compiled-texts.js';
import type { RequestContext } from './context.js';
import type { Condition, PolicyDocument, Statement } from './document.js';
import { matchResources, meetCondition } from './evaluation.js';
import { readGlob } from './globs.js';
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

/** A condition that can be looked up: without one of these texts for its key, the statement does not apply. */
export interface WantedTexts {
  readonly condition: Condition;
  /** In lower case. */
  readonly key: string;
  readonly texts: readonly string[];
}

export class CompiledStatement {
  readonly statement: Statement;
  readonly denies: boolean;
  /** As `CompiledResources.paths`. */
  readonly paths: readonly Beginning[] | null;
  readonly wanted: readonly WantedTexts[];
  /** It says of its one condition's key alone that it lacks it, and nothing else. */
  readonly lacksOnly: string | null;
  readonly #onResource: ResourcesTest | null;
  readonly #conditions: readonly ConditionTest[];

  constructor(statement: Statement) {
    const { test, paths } = compileResources(statement);
    const [condition] = statement.conditions;
    this.statement = statement;
    this.denies = statement.effect === 'DENY';
    this.paths = paths;
    this.#onResource = test;
    this.#conditions = statement.conditions.map(compileCondition);
    this.wanted = statement.conditions.flatMap((condition) => {
      const texts = wantedTexts(condition);
      return texts === null ? [] : [{ condition, key: condition.key.toLowerCase(), texts }];
    });
    this.lacksOnly =
      test === null && statement.conditions.length === 1 && condition !== undefined ? condition.key : null;
  }

  /** Whether it matches a request about an action of its own; what it lacked and what was wrong goes to the notes. */
  matches(resource: CutResource | null, context: RequestContext, source: string, notes: Notes): boolean {
    let clear = true;
    if (this.#onResource !== null) {
      const verdict = this.#onResource(resource, context);
      if (verdict === misses) return false;
      if (verdict === unclear) clear = false;
    }
    const conditions = this.#conditions;
    for (let i = 0; i < conditions.length; i += 1) {
      const verdict = conditions[i]?.(context) ?? misses;
      // As the reference form has it: what plainly misses says nothing.
      if (verdict === misses) return false;
      if (verdict !== holds) clear = false;
    }
    return clear || this.#tell(resource, context, source, notes);
  }

  #tell(resource: CutResource | null, context: RequestContext, source: string, notes: Notes): boolean {
    const { statement } = this;
    const onResource = matchResources(statement, resource?.text ?? null, context);
    let { matches } = onResource;
    notes.lacks(onResource.missing);
    notes.reports(source, statement, onResource.problems);
    for (const [i, condition] of statement.conditions.entries()) {
      const verdict = this.#conditions[i]?.(context);
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
}

/** An action under all of its names, as documents are asked about it. */
export class ActionNames {
  readonly names: readonly string[];
  readonly segments: readonly (readonly string[])[];

  /** Of concrete names. */
  constructor(names: readonly string[]) {
    this.names = [...new Set(names.map((name) => name.toLowerCase()))];
    this.segments = this.names.map((name) => name.split(':'));
  }
}

const nothing: readonly never[] = [];

export class CompiledDocument {
  /** By the whole name of an action, in the order of the document. */
  readonly #named = new Map<string, CompiledStatement[]>();
  /** By patterns, which are asked one by one. */
  readonly #patterned: { readonly compiled: CompiledStatement; readonly isAbout: (names: ActionNames) => boolean }[] =
    [];

  constructor({ statements }: PolicyDocument) {
    for (const statement of statements) {
      const compiled = new CompiledStatement(statement);
      const { actions, notActions } = statement;
      if (notActions !== null || !actions.every(isConcreteAction)) {
        const fits = compileActions(notActions ?? actions);
        this.#patterned.push({ compiled, isAbout: ({ segments }) => segments.some(fits) === (notActions === null) });
        continue;
      }
      for (const action of new Set(actions.map((action) => action.toLowerCase()))) {
        const known = this.#named.get(action);
        if (known === undefined) this.#named.set(action, [compiled]);
        else known.push(compiled);
      }
    }
  }

  /** The statements about an action under any of its names, in order. */
  about(asked: ActionNames): readonly CompiledStatement[] {
    const [only = ''] = asked.names;
    if (asked.names.length === 1 && this.#patterned.length === 0) return this.#named.get(only) ?? nothing;
    const found = new Set<CompiledStatement>();
    for (const name of asked.names) for (const one of this.#named.get(name) ?? nothing) found.add(one);
    for (const { compiled, isAbout } of this.#patterned) if (isAbout(asked)) found.add(compiled);
    if (found.size < 2) return found.size === 0 ? nothing : [...found];
    return [...found].sort((a, b) => a.statement.index - b.statement.index);
  }
}

const documents = new WeakMap<PolicyDocument, CompiledDocument>();

export function compileDocument(document: PolicyDocument): CompiledDocument {
  const known = documents.get(document);
  if (known !== undefined) return known;
  const made = new CompiledDocument(document);
  documents.set(document, made);
  return made;
}

function compileActions(patterns: readonly string[]): (name: readonly string[]) => boolean {
  if (patterns.some((pattern) => /^\*+$/.test(pattern))) return () => true;
  const compiled = patterns.map((pattern): readonly TextTest[] =>
    pattern
      .toLowerCase()
      .split(':')
      .map((segment) => compileGlob(readGlob(segment))),
  );
  return (name) =>
    compiled.some((tests) => tests.length === name.length && tests.every((fits, i) => fits(name[i] ?? '')));
}
