/**
 * What is supposed of the keys that variables read, and what statements come to under it.
 *
 * A variable ties what it stands in to the key that it reads. Where the key is supposed to be absent, to have several
 * values or one that is known, every variable is put in and the tie is gone. Where it is left open, patterns and
 * conditions with it are free: each may hold or not, as far as no other that must hold decides it. That allows more than
 * requests can be, so it can show that nothing differs, and never that something does.
 *
 * Conditions, and patterns that are free, are atoms. An atom with its sign is a literal: the atom's number twice, and one
 * more where it is denied.
 */
import { conditionImplies, conditionsExclude } from './condition-implication.js';
import { listedValueReads, testCondition } from './conditions.js';
import type { RequestContext } from './context.js';
import type { Condition, Statement } from './document.js';
import { anyOne, anyRun } from './globs.js';
import type { PlainCondition, ValueCount } from './key-classes.js';
import { readOperator } from './operators.js';
import type { SegmentedPattern } from './request-cells.js';
import { readResourcePattern, type ResourcePatternReading, segmentCount } from './resources.js';
import {
  readTemplate,
  resolveTemplate,
  splitTemplate,
  type Template,
  templateGlob,
  templateText,
} from './templates.js';

/** What is supposed of one key. */
export type Supposition =
  | { readonly kind: 'ABSENT' | 'SEVERAL' }
  | { readonly kind: 'VALUE'; readonly value: string }
  /** One value that is not known, but none of `except`; or anything at all. */
  | { readonly kind: 'OPEN'; readonly count: 'ONE'; readonly except: readonly string[] | null }
  | { readonly kind: 'OPEN'; readonly count: 'ANY' };

export type Suppositions = ReadonlyMap<string, Supposition>;

/** Literals that hold together. */
export type Conjunction = readonly number[];

export function negated(literal: number): number {
  return literal ^ 1;
}

/** A resource pattern under suppositions. */
export type SupposedPattern =
  | { readonly kind: 'EVERY' | 'UNREADABLE' }
  | {
      readonly kind: 'SEGMENTS';
      readonly text: string;
      /** `UNRESOLVED`: fits nothing, though what it would fit may count; `FREE`: may fit what its segments fit. */
      readonly state: 'RESOLVED' | 'UNRESOLVED' | 'FREE';
      readonly pattern: SegmentedPattern;
      /** Of a free one: it is resolved and fits; it is resolved or would not fit, and does not fit. */
      readonly fits: number;
      readonly misses: number;
    };

/** A statement without its actions. */
export interface Remainder {
  readonly effect: Statement['effect'];
  readonly named: boolean;
  /** Null: whatever the resource. */
  readonly patterns: readonly SupposedPattern[] | null;
  readonly conditions: Conjunction;
}

type Atom =
  | { readonly kind: 'PLAIN'; readonly plain: PlainCondition }
  | { readonly kind: 'FREE'; readonly condition: Condition }
  | { readonly kind: 'PATTERN' | 'MISS'; readonly text: string };

/** Keys, in lower case, that variables of statements read. */
export function keysRead(statements: readonly Statement[]): readonly string[] {
  const keys = new Set<string>();
  for (const text of statements.flatMap(templatesOf)) {
    for (const key of keysIn(text)) keys.add(key);
  }
  return [...keys].sort();
}

/** Everything in a statement that may have variables. */
export function templatesOf({ resources, notResources, conditions }: Statement): readonly string[] {
  return [...(resources ?? []), ...(notResources ?? []), ...conditions.flatMap(({ values }) => values)];
}

export function keysIn(text: string): readonly string[] {
  if (!text.includes('${')) return [];
  return (readTemplate(text).template ?? []).flatMap((part) =>
    part.kind === 'variable' ? [part.key.toLowerCase()] : [],
  );
}

export class Situation {
  readonly suppositions: Suppositions;
  /** The suppositions as a request's context; an open key is there with several values, so that it stays unresolved. */
  readonly #context: RequestContext;
  readonly #singleValued: (key: string) => boolean;
  readonly #atoms: Atom[] = [];
  readonly #atomOf = new Map<string, number>();
  readonly #consequences = new Map<number, readonly number[]>();
  #implications: ReadonlyMap<number, readonly number[]> | null = null;

  /** @param singleValued whether no request has several values for a key */
  constructor(suppositions: Suppositions, singleValued: (key: string) => boolean) {
    this.suppositions = suppositions;
    this.#singleValued = singleValued;
    const context = new Map<string, readonly string[]>();
    for (const [key, supposed] of suppositions) {
      if (supposed.kind === 'VALUE') context.set(key, [supposed.value]);
      else if (supposed.kind !== 'ABSENT') context.set(key, ['', '']);
    }
    this.#context = context;
  }

  /** Whether something is left open, so that what is found need not be a request. */
  get open(): boolean {
    return [...this.suppositions.values()].some(({ kind }) => kind === 'OPEN');
  }

  countOf(key: string): ValueCount {
    const supposed = this.suppositions.get(key);
    if (supposed?.kind === 'SEVERAL') return 'SEVERAL';
    if (supposed?.kind === 'OPEN' && supposed.count === 'ONE') return 'ONE';
    return this.#singleValued(key) ? 'AT_MOST_ONE' : 'ANY';
  }

  /** The condition that a literal is about; null for what is free. */
  conditionOf(literal: number): PlainCondition | null {
    const atom = this.#atoms[literal >> 1];
    return atom?.kind === 'PLAIN' ? atom.plain : null;
  }

  /** What holds in this situation, whatever the request. */
  axioms(): Conjunction {
    return [...this.suppositions].flatMap(([key, supposed]) => {
      if (supposed.kind !== 'OPEN' || supposed.count === 'ANY' || (supposed.except ?? []).length === 0) return [];
      const values = (supposed.except ?? []).map((text) => writeTemplate([{ kind: 'literal', text }]));
      const read = this.#read({ operator: 'StringEquals', key, values }, 'ALLOW');
      return typeof read === 'number' ? [negated(read)] : [];
    });
  }

  /** Null for a statement that never applies. */
  remainder(statement: Statement): Remainder | null {
    const { effect, resources, notResources } = statement;
    const literals = new Set<number>();
    for (const condition of statement.conditions) {
      const read = this.#read(condition, effect);
      if (read === false) return null;
      if (read !== true) literals.add(read);
    }
    const patterns = (notResources ?? resources)?.map((pattern) => this.#pattern(pattern)) ?? null;
    const named = notResources === null;
    const everywhere = named && patterns?.some(({ kind }) => kind === 'EVERY') === true;
    const conditions = [...literals].sort((a, b) => a - b);
    return { effect, named, patterns: everywhere ? null : patterns, conditions };
  }

  /** What must hold beside a literal; asked once every statement of the search is read. */
  consequencesOf(literal: number): readonly number[] {
    let known = this.#consequences.get(literal);
    if (known === undefined) {
      this.#implications ??= this.#findImplications();
      known = this.#implications.get(literal) ?? [];
      this.#consequences.set(literal, known);
    }
    return known;
  }

  #pattern(text: string): SupposedPattern {
    const reading = readPatternUnder(text, this.#context);
    if (reading === 'UNREADABLE') return { kind: 'UNREADABLE' };
    if (reading === 'EVERY_RESOURCE') return { kind: 'EVERY' };
    const { segments, resolved } = reading;
    const pattern = { segments };
    const template = readTemplate(text).template ?? [];
    if (resolved || !this.#isFree(template))
      return { kind: 'SEGMENTS', text, state: resolved ? 'RESOLVED' : 'UNRESOLVED', pattern, fits: -1, misses: -1 };
    const fits = 2 * this.#identify(`fits ${text}`, () => ({ kind: 'PATTERN', text }));
    const certain = keysIn(text).every((key) => this.countOf(key) === 'ONE' || this.suppositions.get(key)?.kind === 'VALUE'); // prettier-ignore
    const misses = certain ? negated(fits) : 2 * this.#identify(`misses ${text}`, () => ({ kind: 'MISS', text }));
    return { kind: 'SEGMENTS', text, state: 'FREE', pattern, fits, misses };
  }

  /** Whether a template that cannot be resolved could be if its open keys were known. */
  #isFree(template: Template): boolean {
    return template.every((part) => {
      if (part.kind !== 'variable') return true;
      const supposed = this.suppositions.get(part.key.toLowerCase());
      if (supposed === undefined || supposed.kind === 'SEVERAL') return false;
      return supposed.kind !== 'ABSENT' || part.fallback !== null;
    });
  }

  /** What a condition comes to: a constant, or the literal under which it is asked. */
  #read(condition: Condition, effect: Statement['effect']): boolean | number {
    const use = readOperator(condition.operator);
    // As the evaluator has it: each effect takes the reading that gives less.
    if (use === null) return effect === 'DENY';
    const key = condition.key.toLowerCase();
    const values: string[] = [];
    let free = false;
    for (const text of condition.values) {
      const { template } = readTemplate(text);
      if (template === null) return false;
      const resolution = resolveTemplate(template, this.#context);
      if (resolution.missing.length > 0 || resolution.problems.length > 0) {
        const mayResolve = this.#isFree(template);
        free ||= mayResolve;
        if (mayResolve) values.push(text);
        continue;
      }
      if (!listedValueReads(use.operator.valueType, templateText(resolution.template))) return false;
      values.push(writeTemplate(resolution.template));
    }
    const plain = { operator: condition.operator, key: condition.key, values: [...new Set(values)].sort() };
    const name = `${plain.operator} ${key} ${JSON.stringify(plain.values)}`;
    if (free) return 2 * this.#identify(`free ${name}`, () => ({ kind: 'FREE', condition: plain }));
    const supposed = this.suppositions.get(key);
    if (supposed?.kind === 'ABSENT' || supposed?.kind === 'VALUE')
      return testCondition(plain, this.#context).result === 'TRUE';
    return 2 * this.#identify(name, (id) => ({ kind: 'PLAIN', plain: { id, condition: plain, use } }));
  }

  #isSingle(key: string): boolean {
    const count = this.countOf(key);
    return count === 'ONE' || count === 'AT_MOST_ONE';
  }

  #identify(name: string, make: (id: number) => Atom): number {
    const known = this.#atomOf.get(name);
    if (known !== undefined) return known;
    const id = this.#atoms.length;
    this.#atomOf.set(name, id);
    this.#atoms.push(make(id));
    return id;
  }

  /** What free atoms have to do with others. What plain conditions have to do with each other, their keys' values say. */
  #findImplications(): ReadonlyMap<number, readonly number[]> {
    const segments = new Map<string, OpenSegments>();
    const segmentsOf = (text: string): OpenSegments => {
      let known = segments.get(text);
      if (known === undefined) segments.set(text, (known = openSegments(text)));
      return known;
    };
    const implications = new Map<number, number[]>();
    const add = (from: number, to: number): void => {
      implications.set(from, [...(implications.get(from) ?? []), to]);
      implications.set(negated(to), [...(implications.get(negated(to)) ?? []), negated(from)]);
    };
    for (const [id, atom] of this.#atoms.entries()) {
      if (atom.kind === 'PLAIN') continue;
      for (const [other, against] of this.#atoms.entries()) {
        if (other === id) continue;
        if (atom.kind === 'FREE') {
          const condition = conditionIn(against);
          if (condition === null) continue;
          if (conditionImplies(atom.condition, condition)) add(2 * id, 2 * other);
          if (against.kind === 'PLAIN' && conditionImplies(condition, atom.condition)) add(2 * other, 2 * id);
          if (conditionsExclude(atom.condition, condition, this.#isSingle(condition.key.toLowerCase())))
            add(2 * id, 2 * other + 1);
        } else if (atom.kind === 'MISS') {
          if (against.kind === 'PATTERN' && against.text === atom.text) add(2 * id, 2 * other + 1);
        } else if (against.kind === 'PATTERN' && templateCovers(segmentsOf(against.text), segmentsOf(atom.text)))
          add(2 * id, 2 * other);
      }
    }
    return implications;
  }
}

/** Patterns that are the same whatever is supposed, as they were last read: each situation reads all of them. */
const plainPatterns = new Map<string, ResourcePatternReading>();
const mostPatterns = 2000;

function readPatternUnder(text: string, context: RequestContext): ResourcePatternReading {
  if (text.includes('${')) return readResourcePattern(text, context);
  let known = plainPatterns.get(text);
  if (known === undefined) {
    if (plainPatterns.size >= mostPatterns) plainPatterns.clear();
    plainPatterns.set(text, (known = readResourcePattern(text, context)));
  }
  return known;
}

function conditionIn(atom: Atom): Condition | null {
  return atom.kind === 'PLAIN' ? atom.plain.condition : atom.kind === 'FREE' ? atom.condition : null;
}

/** A template without variables as it would be written. */
function writeTemplate(template: Template): string {
  return template
    .map((part) => {
      if (part.kind === 'variable') return '';
      // A `$` before what follows could be read as the beginning of a variable.
      return part.kind === 'literal' ? part.text.replace(/[*?$]/g, '${$&}') : part.text.replace(/\$$/, '${$$}');
    })
    .join('');
}

/** One place of a pattern whose variables are not known: as in globs, or a variable by its name. */
type OpenToken = string | typeof anyRun | typeof anyOne | { readonly key: string; readonly fallback: string | null };

type OpenSegments = readonly (readonly OpenToken[])[];

/**
 * Whether whatever one pattern fits, under one request, the wider one fits too. The wide one is laid over the narrow one
 * token by token, and a variable over itself: what it comes to is the same for both. Sound, not complete.
 */
function templateCovers(wide: OpenSegments, narrow: OpenSegments): boolean {
  return wide.length === narrow.length && wide.every((segment, i) => lies(segment, narrow[i] ?? []));
}

function lies(over: readonly OpenToken[], under: readonly OpenToken[]): boolean {
  // Up to the first run each token lies over one: most pairs differ there.
  let plain = 0;
  for (; plain < over.length; plain += 1) {
    const token = over[plain];
    const below = under[plain];
    if (token === undefined || token === anyRun) break;
    if (below === undefined || !swallows(token, below)) return false;
  }
  return plain === over.length ? plain === under.length : liesFrom(over.slice(plain), under.slice(plain));
}

function liesFrom(over: readonly OpenToken[], under: readonly OpenToken[]): boolean {
  // covered[j]: what is left of `over` lies over what is left of `under` from j.
  let covered = Array.from({ length: under.length + 1 }, (_, j) => j === under.length);
  for (const token of over.toReversed()) {
    const next = new Array<boolean>(under.length + 1).fill(false);
    for (let j = under.length; j >= 0; j -= 1) {
      const below = under[j];
      if (token === anyRun) next[j] = covered[j] === true || next[j + 1] === true;
      else if (below !== undefined) next[j] = swallows(token, below) && covered[j + 1] === true;
    }
    if (!next.includes(true)) return false;
    covered = next;
  }
  return covered[0] ?? false;
}

function swallows(token: OpenToken, below: OpenToken): boolean {
  if (typeof token === 'object') {
    if (typeof below !== 'object' || token.key !== below.key) return false;
    // What fits without a default has the key, and then no default counts.
    return below.fallback === null || token.fallback === below.fallback;
  }
  return token === anyOne ? typeof below === 'string' || below === anyOne : token === below;
}

function openSegments(pattern: string): OpenSegments {
  return splitTemplate(readTemplate(pattern).template ?? [], segmentCount).map((segment, i) => {
    if (segment.every((part) => part.kind === 'text' && part.text === '')) return [anyRun];
    return segment.flatMap((part): OpenToken[] => {
      if (part.kind === 'variable') return [{ key: part.key.toLowerCase(), fallback: part.fallback }];
      const text = i === 0 ? part.text.toLowerCase() : part.text;
      return [...templateGlob([{ kind: part.kind, text }])];
    });
  });
}
