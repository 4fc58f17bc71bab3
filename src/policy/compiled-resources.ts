/**
 * Resource patterns made ready. A resource is cut once for all of them, and compared in place; a pattern with variables is
 * read once and met anew by each request.
 */
import { holds, misses, unclear, type Verdict } from './compiled-conditions.js';
import { beginningOf, type Beginning, shapeOf } from './compiled-texts.js';
import type { RequestContext } from './context.js';
import type { Statement } from './document.js';
import type { Glob } from './globs.js';
import { matchResources } from './evaluation.js';
import { meetTemplate, type ReadPattern, readPattern, readResourcePattern, segmentCount } from './resources.js';
import { hasVariables } from './templates.js';

/** The resource of a request, cut at its first four colons. */
export class CutResource {
  readonly text: string;
  /** Where each segment ends; negative from the first that is not there on. */
  readonly #ends: readonly [number, number, number, number];
  #service: string | null = null;
  #path: string | null = null;

  constructor(text: string) {
    this.text = text;
    const first = text.indexOf(':');
    const second = first < 0 ? -1 : text.indexOf(':', first + 1);
    const third = second < 0 ? -1 : text.indexOf(':', second + 1);
    const fourth = third < 0 ? -1 : text.indexOf(':', third + 1);
    this.#ends = [first, second, third, fourth];
  }

  /** Nothing fits what has fewer segments but a pattern of every resource. */
  get isWhole(): boolean {
    return this.#ends[3] >= 0;
  }

  startOf(segment: number): number {
    return segment === 0 ? 0 : (this.#ends[segment - 1] ?? 0) + 1;
  }

  endOf(segment: number): number {
    return this.#ends[segment] ?? this.text.length;
  }

  /** In lower case: services compare without it. */
  get service(): string {
    return (this.#service ??= this.text.slice(0, this.#ends[0]).toLowerCase());
  }

  get path(): string {
    return (this.#path ??= this.text.slice(this.#ends[3] + 1));
  }
}

/** How the resource part of a statement meets a request. */
export type ResourcesTest = (resource: CutResource | null, context: RequestContext) => Verdict;

export interface CompiledResources {
  /** Null: whatever is asked about, and about nothing in particular. */
  readonly test: ResourcesTest | null;
  /** What the paths begin with that it can be about; null: any, and requests without a resource. */
  readonly paths: readonly Beginning[] | null;
}

const everyResource: CompiledResources = { test: null, paths: null };

export function compileResources(statement: Statement): CompiledResources {
  const { resources, notResources } = statement;
  if (notResources !== null) return byReference(statement);
  if (resources === null) return everyResource;
  const compiled: CompiledPattern[] = [];
  const open: ReadPattern[] = [];
  for (const pattern of resources) {
    if (hasVariables(pattern)) open.push(readPattern(pattern));
    else {
      const made = compilePattern(pattern);
      if (made === 'EVERY_RESOURCE') return everyResource;
      if (made !== 'NO_RESOURCE') compiled.push(made);
    }
  }
  const fits = someFits(compiled);
  if (open.length > 0) return { paths: null, test: withOpen(fits, open) };
  return {
    paths: compiled.map(({ path }) => path),
    test: (resource) => (resource !== null && fits(resource) ? holds : misses),
  };
}

type FitsResource = (resource: CutResource) => boolean;

interface CompiledPattern {
  readonly path: Beginning;
  readonly fits: FitsResource;
}

function someFits(compiled: readonly CompiledPattern[]): FitsResource {
  const [only] = compiled;
  if (only !== undefined && compiled.length === 1) return only.fits;
  return (resource) => compiled.some(({ fits }) => fits(resource));
}

/** Beside patterns without variables. What one pattern lacks does not matter when another fits. */
function withOpen(fits: FitsResource, open: readonly ReadPattern[]): ResourcesTest {
  return (resource, context) => {
    if (resource !== null && fits(resource)) return holds;
    let verdict: Verdict = misses;
    for (const pattern of open) {
      const { matches, missing, problems } = meetTemplate(pattern, resource?.text ?? null, context);
      if (matches) return holds;
      if (missing.length > 0 || problems.length > 0) verdict = unclear;
    }
    return verdict;
  };
}

function byReference(statement: Statement): CompiledResources {
  return {
    paths: null,
    test: (resource, context) => {
      const { matches, missing, problems } = matchResources(statement, resource?.text ?? null, context);
      if (missing.length > 0 || problems.length > 0) return unclear;
      return matches ? holds : misses;
    },
  };
}

/** A pattern without variables. */
function compilePattern(pattern: string): CompiledPattern | 'EVERY_RESOURCE' | 'NO_RESOURCE' {
  const reading = readResourcePattern(pattern, new Map());
  if (reading === 'EVERY_RESOURCE') return reading;
  if (reading === 'UNREADABLE' || reading.segments.length !== segmentCount) return 'NO_RESOURCE';
  const { segments } = reading;
  // The path tells most apart.
  const tests = [4, 3, 0, 1, 2].flatMap((i) => compileSegment(segments[i] ?? [], i) ?? []);
  const [one = isWhole, two] = tests;
  return {
    path: beginningOf(segments[segmentCount - 1] ?? []),
    fits:
      tests.length <= 1
        ? (resource) => resource.isWhole && one(resource)
        : tests.length === 2 && two !== undefined
          ? (resource) => resource.isWhole && one(resource) && two(resource)
          : (resource) => resource.isWhole && tests.every((fits) => fits(resource)),
  };
}

const isWhole: FitsResource = () => true;

/** Null when anything fits. */
function compileSegment(glob: Glob, segment: number): FitsResource | null {
  const shape = shapeOf(glob);
  if (shape.kind === 'ANY') return null;
  if (segment === 0) return compileService(shape);
  switch (shape.kind) {
    case 'TEXT': {
      const { text } = shape;
      const { length } = text;
      return (resource) => {
        const start = resource.startOf(segment);
        return resource.endOf(segment) - start === length && resource.text.startsWith(text, start);
      };
    }
    case 'AROUND': {
      const { before, after } = shape;
      const least = before.length + after.length;
      return (resource) => {
        const start = resource.startOf(segment);
        const end = resource.endOf(segment);
        return end - start >= least && resource.text.startsWith(before, start) && resource.text.endsWith(after, end);
      };
    }
    case 'OTHER':
      return (resource) => shape.fits(resource.text.slice(resource.startOf(segment), resource.endOf(segment)));
  }
}

function compileService(shape: Exclude<ReturnType<typeof shapeOf>, { kind: 'ANY' }>): FitsResource {
  switch (shape.kind) {
    case 'TEXT':
      return ({ service }) => service === shape.text;
    case 'AROUND':
      return ({ service }) =>
        service.length >= shape.before.length + shape.after.length &&
        service.startsWith(shape.before) &&
        service.endsWith(shape.after);
    case 'OTHER':
      return ({ service }) => shape.fits(service);
  }
}
