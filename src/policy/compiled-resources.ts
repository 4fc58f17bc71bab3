/**
 * Resource patterns made ready. A resource is cut once for all of them, and compared in place; a pattern with variables is
 * read once and met anew by each request.
 */
import { holds, misses, unclear, type Verdict } from './compiled-conditions.js';
import { beginningOf, type Beginning, shapeOf } from './compiled-texts.js';
import { type CutResource, SegmentTest } from './cut-resource.js';
import type { RequestContext } from './context.js';
import type { Statement } from './document.js';
import type { Glob } from './globs.js';
import { matchResources } from './evaluation.js';
import { OpenPattern } from './compiled-variables.js';
import { readResourcePattern, segmentCount } from './resources.js';
import { hasVariables } from './templates.js';

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
    const made = hasVariables(pattern) ? null : compilePattern(pattern);
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

  constructor(segments: readonly Glob[]) {
    this.path = beginningOf(segments[segmentCount - 1] ?? []);
    // The path tells most apart.
    this.#tests = [4, 3, 0, 1, 2].flatMap((segment) => {
      const shape = shapeOf(segments[segment] ?? []);
      return shape.kind === 'ANY' ? [] : [new SegmentTest(shape, segment)];
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
  const reading = readResourcePattern(pattern, new Map());
  if (reading === 'EVERY_RESOURCE') return reading;
  if (reading === 'UNREADABLE' || reading.segments.length !== segmentCount) return null;
  return new CompiledPattern(reading.segments);
}
