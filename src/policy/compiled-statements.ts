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
import { type CompiledPattern, compileResources, type ResourcesTest } from './compiled-resources.js';
import { type CutResource, hashBeginning, hashedCharacters } from './cut-resource.js';
import { type Beginning, compileText, type TextTest } from './compiled-texts.js';
import type { RequestContext } from './context.js';
import type { Condition, PolicyDocument, Statement } from './document.js';
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
  /** What every path begins with that it can be about, as far as it is hashed. */
  readonly begunLength: number;
  readonly begunHash: number;
  readonly #onResource: ResourcesTest | null;
  /** Where one pattern without variables is all that it comes to. */
  readonly #pattern: CompiledPattern | null;
  /** Made when first asked: most statements are passed over. */
  #conditions: readonly ConditionTest[] | null = null;

  constructor(statement: Statement) {
    const { test, paths, only } = compileResources(statement);
    const begun = paths === null ? '' : commonBeginning(paths).slice(0, hashedCharacters);
    this.statement = statement;
    this.denies = statement.effect === 'DENY';
    this.paths = paths;
    this.begunLength = begun.length;
    this.begunHash = hashBeginning(begun);
    this.#onResource = test;
    this.#pattern = only;
  }

  get wanted(): readonly WantedTexts[] {
    return this.statement.conditions.flatMap((condition) => {
      const texts = wantedTexts(condition);
      return texts === null ? [] : [{ condition, key: condition.key.toLowerCase(), texts }];
    });
  }

  /** How it meets a request about an action of its own. Where that is unclear, `tell` says it, and what there is to note. */
  meet(resource: CutResource | null, context: RequestContext): typeof misses | typeof holds | typeof unclear {
    const onResource =
      this.#pattern !== null
        ? resource !== null && this.#pattern.fits(resource)
          ? holds
          : misses
        : this.#onResource === null
          ? holds
          : this.#onResource(resource, context);
    if (onResource === misses) return misses;
    let clear = onResource === holds;
    const conditions = (this.#conditions ??= this.statement.conditions.map(compileCondition));
    for (let i = 0; i < conditions.length; i += 1) {
      const verdict = conditions[i]?.(context) ?? misses;
      // As the reference form has it: what plainly misses says nothing.
      if (verdict === misses) return misses;
      if (verdict !== holds) clear = false;
    }
    return clear ? holds : unclear;
  }

  /** Whether it matches after all; what it lacked and what was wrong goes to the notes. */
  tell(resource: CutResource | null, context: RequestContext, source: string, notes: Notes): boolean {
    const { statement } = this;
    let matches = true;
    if (this.#onResource !== null && this.#onResource(resource, context) === unclear) {
      const onResource = matchResources(statement, resource?.text ?? null, context);
      matches = onResource.matches;
      notes.lacks(onResource.missing);
      notes.reports(source, statement, onResource.problems);
    }
    for (const [i, condition] of statement.conditions.entries()) {
      const verdict = this.#conditions?.[i]?.(context);
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

function commonBeginning(paths: readonly Beginning[]): string {
  const [first, ...others] = paths.map(({ text }) => text);
  let common = first ?? '';
  for (const text of others) {
    let length = 0;
    while (length < common.length && common[length] === text[length]) length += 1;
    common = common.slice(0, length);
  }
  return common;
}

/** An action under all of its names, as documents are asked about it. */
export class ActionNames {
  readonly names: readonly string[];
  readonly segments: readonly (readonly string[])[];
  /** One of a closed set, which will be asked about again. */
  readonly kept: boolean;
  /** As that of documents: what shares no bit with it is not about the action. */
  readonly marks: number;

  /** Of concrete names. */
  constructor(names: readonly string[], kept: boolean) {
    this.names = [...new Set(names.map((name) => name.toLowerCase()))];
    this.segments = this.names.map((name) => name.split(':'));
    this.kept = kept;
    this.marks = this.segments.reduce((marks, segments) => marks | markOf(segments), 0);
  }
}

/** One of 30 bits for the service and the type that a name begins with. */
function markOf([service = '', type = '']: readonly string[]): number {
  return 1 << (hashBeginning(`${service}:${type}`) % 30);
}

const everyMark = 0x3fffffff;

/** A pattern whose service or type has a wildcard may be about anything. */
function marksOf({ actions, notActions }: Statement): number {
  if (notActions !== null) return everyMark;
  return actions.reduce((marks, pattern) => {
    const segments = pattern.toLowerCase().split(':');
    return marks | (segments.length < 3 || /[*?]/.test(`${segments[0]}${segments[1]}`) ? everyMark : markOf(segments));
  }, 0);
}

/** Actions that one document remembers its statements for. */
const rememberedNames = 512;

const nothing: readonly never[] = [];

export class CompiledDocument {
  /** Bits of what it may be about, to be told without a look at it; see `ActionNames.marks`. */
  readonly marks: number;
  /** By the whole name of an action, in the order of the document. */
  readonly #named = new Map<string, Entry[]>();
  /** By patterns, which are asked one by one. */
  readonly #patterned: { readonly entry: Entry; readonly isAbout: (names: ActionNames) => boolean }[] = [];

  #asked: Map<ActionNames, readonly CompiledStatement[]> | null = null;

  constructor({ statements }: PolicyDocument) {
    this.marks = statements.reduce((marks, statement) => marks | marksOf(statement), 0);
    for (const statement of statements) {
      const entry: Entry = { statement, compiled: null };
      const { actions, notActions } = statement;
      if (notActions !== null || !actions.every(isConcreteAction)) {
        const fits = compileActions(notActions ?? actions);
        this.#patterned.push({ entry, isAbout: ({ segments }) => segments.some(fits) === (notActions === null) });
        continue;
      }
      for (const action of actions) {
        const name = action.toLowerCase();
        const known = this.#named.get(name);
        if (known === undefined) this.#named.set(name, [entry]);
        else if (known.at(-1) !== entry) known.push(entry);
      }
    }
  }

  /** The statements about an action under any of its names, in order. */
  about(asked: ActionNames): readonly CompiledStatement[] {
    const known = this.#asked?.get(asked);
    if (known !== undefined) return known;
    const [only = ''] = asked.names;
    // What is not there needs no remembering: it is as quickly found out again.
    const plain = asked.names.length === 1 && this.#patterned.length === 0;
    if (plain && !this.#named.has(only)) return nothing;
    const found = this.#find(asked);
    if (!asked.kept) return found;
    const remembered = (this.#asked ??= new Map<ActionNames, readonly CompiledStatement[]>());
    const [oldest] = remembered.size >= rememberedNames ? remembered.keys() : nothing;
    if (oldest !== undefined) remembered.delete(oldest);
    remembered.set(asked, found);
    return found;
  }

  #find(asked: ActionNames): readonly CompiledStatement[] {
    const found = new Set<Entry>();
    for (const name of asked.names) for (const one of this.#named.get(name) ?? nothing) found.add(one);
    for (const { entry, isAbout } of this.#patterned) if (isAbout(asked)) found.add(entry);
    if (found.size === 0) return nothing;
    return [...found].sort((a, b) => a.statement.index - b.statement.index).map(compiledOf);
  }
}

/** A statement, made ready when it is first asked about. */
interface Entry {
  readonly statement: Statement;
  compiled: CompiledStatement | null;
}

function compiledOf(entry: Entry): CompiledStatement {
  return (entry.compiled ??= new CompiledStatement(entry.statement));
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
  const compiled = patterns.map((pattern): readonly TextTest[] => pattern.toLowerCase().split(':').map(compileText));
  return (name) =>
    compiled.some((tests) => tests.length === name.length && tests.every((fits, i) => fits(name[i] ?? '')));
}
