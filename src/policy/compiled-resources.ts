/**
 * Resource patterns made ready. A resource is cut once for all of them, and compared in place; a pattern with variables is
 * read once and met anew by each request.
 */
import { holds, misses, unclear, type Verdict } from './compiled-conditions.js';
import { beginningOf, type Beginning, shapeOfText } from './compiled-texts.js';
import { type CutResource, SegmentTest } from './cut-resource.js';
import type { RequestContext } from './context.js';
import type { Statement } from './document.js';
import { matchResources } from './evaluation.js';
import { OpenPattern } from './compiled-variables.js';
import { isEveryResource, segmentCount } from './resources.js';

/** How the resource part of a statement meets a request. */
export type ResourcesTest = (resource: CutResource | null, context: RequestContext) => Verdict;

export interface CompiledResources {
  /** Null: whatever is asked about, and about nothing in particular. */
  readonly test: ResourcesTest | null;
  /** What the paths begin with that it can be about; null: any, and requests without a resource. */
  readonly paths: readonly Beginning[] | null;
  /** The one pattern without variables that it comes to, if it is one. */
  readonly only: CompiledPattern | null;
}

const everyResource: CompiledResources = { test: null, paths: null, only: null };

export function compileResources(statement: Statement): CompiledResources {
  const { resources, notResources } = statement;
  if (notResources !== null) return byReference(statement);
  if (resources === null) return everyResource;
  const compiled: CompiledPattern[] = [];
  const open: OpenPattern[] = [];
  for (const pattern of resources) {
    const made = pattern.includes('${') ? null : compilePattern(pattern);
    if (made === 'EVERY_RESOURCE') return everyResource;
    if (made === null) open.push(new OpenPattern(pattern));
    else compiled.push(made);
  }
  if (open.length > 0) {
    const paths = [...compiled, ...open].map(({ path }) => path);
    const known = paths.filter((path) => path !== null);
    return { paths: known.length < paths.length ? null : known, test: withOpen(compiled, open), only: null };
  }
  const [only = null] = compiled;
  return {
    paths: compiled.map(({ path }) => path),
    test: (resource) => (resource !== null && someFits(compiled, resource) ? holds : misses),
    only: compiled.length === 1 ? only : null,
  };
}

export class CompiledPattern {
  readonly path: Beginning;
  readonly #tests: readonly SegmentTest[];

  /** @param segments five, as written */
  constructor(segments: readonly string[]) {
    // The service goes without case, and a blank segment is anything.
    const shapes = segments.map((text, i) => shapeOfText(text === '' ? '*' : i === 0 ? text.toLowerCase() : text));
    const path = segments[segmentCount - 1] ?? '';
    this.path = beginningOf(shapes[segmentCount - 1] ?? { kind: 'ANY' }, path);
    // The path tells most apart.
    this.#tests = [4, 3, 0, 1, 2].flatMap((segment) => {
      const shape = shapes[segment];
      return shape === undefined || shape.kind === 'ANY' ? [] : [new SegmentTest(shape, segment)];
    });
  }

  fits(resource: CutResource): boolean {
    if (!resource.isWhole) return false;
    const tests = this.#tests;
    for (let i = 0; i < tests.length; i += 1) if (tests[i]?.fits(resource) !== true) return false;
    return true;
  }
}

function someFits(compiled: readonly CompiledPattern[], resource: CutResource): boolean {
  for (let i = 0; i < compiled.length; i += 1) if (compiled[i]?.fits(resource) === true) return true;
  return false;
}

/** Patterns without variables and with some. What one pattern lacks does not matter when another fits. */
function withOpen(compiled: readonly CompiledPattern[], open: readonly OpenPattern[]): ResourcesTest {
  return (resource, context) => {
    if (resource !== null && someFits(compiled, resource)) return holds;
    let verdict: Verdict = misses;
    for (const pattern of open) {
      const met = pattern.meet(resource, context);
      if (met === holds) return holds;
      if (met === unclear) verdict = unclear;
    }
    return verdict;
  };
}

function byReference(statement: Statement): CompiledResources {
  return {
    paths: null,
    only: null,
    test: (resource, context) => {
      const { matches, missing, problems } = matchResources(statement, resource?.text ?? null, context);
      if (missing.length > 0 || problems.length > 0) return unclear;
      return matches ? holds : misses;
    },
  };
}

/** A pattern without variables; null for another number of segments, which simulated documents may have. */
function compilePattern(pattern: string): CompiledPattern | 'EVERY_RESOURCE' | null {
  if (isEveryResource(pattern)) return 'EVERY_RESOURCE';
  const segments = cutPattern(pattern);
  return segments.length === segmentCount ? new CompiledPattern(segments) : null;
}

/** At its first four colons. */
function cutPattern(pattern: string): readonly string[] {
  const [service = '', region, account, type, ...path] = pattern.split(':');
  if (region === undefined || account === undefined || type === undefined || path.length === 0) return [];
  return [service, region, account, type, path.join(':')];
}
