/**
 * Resource patterns made ready. A resource is cut once for all of them, and compared in place; a pattern with variables is
 * read once and met anew by each request.
 */
import { holds, misses, unclear, type Verdict } from './compiled-conditions.js';
import { beginningOf, type Beginning, shapeOfText, type TextTest } from './compiled-texts.js';
import { type CutResource, SegmentTest } from './cut-resource.js';
import type { RequestContext } from './context.js';
import type { Statement } from './document.js';
import { OpenPattern } from './compiled-variables.js';
import { isEveryResource, segmentCount } from './resources.js';
import { SharedParts } from './shared-parts.js';

/** The resource part of a statement, made ready. */
export interface CompiledResources {
  /** What the paths begin with that it can be about; null: any, and requests without a resource. */
  readonly paths: readonly Beginning[] | null;
  meet(resource: CutResource | null, context: RequestContext): Verdict;
}

/** Whatever is asked about, and about nothing in particular. */
const everyResource: CompiledResources = { paths: null, meet: () => holds };

/**
 * One pattern without variables, as most statements have. What it says in plain text up to a wildcard of the path, from the
 * first segment from which there is no other wildcard, is compared as one text: colons included, so that it fits only where
 * the resource is cut as the pattern is.
 */
class ClosedPattern implements CompiledResources {
  /** The segment that the tail begins with, from 1 on: all between it and the path are texts. */
  readonly #from: number;
  readonly #tail: string;
  /** The tail ends the resource. */
  readonly #whole: boolean;
  readonly #after: string;
  /** What is compared one by one: the service, which goes without case, and what stands before the tail. */
  readonly #service: SegmentTest | null;
  readonly #others: readonly SegmentTest[] | null;
  readonly #path: TextTest | null;
  readonly #begins: Beginning;

  /** @param segments five, as written */
  constructor(segments: readonly string[]) {
    const [service = '', , , , path = ''] = segments;
    const shape = shapeOfText(path === '' ? '*' : path);
    let from = segmentCount - 1;
    while (from > 1 && isPlain(segments[from - 1] ?? '')) from -= 1;
    this.#from = from;
    const before = shape.kind === 'TEXT' ? shape.text : shape.kind === 'AROUND' ? shape.before : '';
    this.#tail = [...segments.slice(from, -1), before].join(':');
    this.#whole = shape.kind === 'TEXT';
    this.#after = shape.kind === 'AROUND' ? shape.after : '';
    this.#path = shape.kind === 'OTHER' ? shape.fits : null;
    this.#service = segmentTest(service.toLowerCase(), 0);
    const others = segments.slice(1, from).map((text, place) => segmentTest(text, place + 1));
    const compared = others.filter((test) => test !== null);
    this.#others = compared.length === 0 ? null : compared;
    this.#begins = beginningOf(shape, path);
  }

  get paths(): readonly Beginning[] {
    return [this.#begins];
  }

  meet(resource: CutResource | null): typeof holds | typeof misses {
    if (resource?.isWhole !== true) return misses;
    const { text } = resource;
    const start = resource.startOf(this.#from);
    const end = start + this.#tail.length;
    if (this.#whole ? text.length !== end : text.length < end + this.#after.length) return misses;
    if (!text.startsWith(this.#tail, start)) return misses;
    if (this.#after !== '' && !text.endsWith(this.#after)) return misses;
    if (this.#service !== null && !this.#service.fits(resource)) return misses;
    if (this.#others !== null) for (const other of this.#others) if (!other.fits(resource)) return misses;
    return this.#path === null || this.#path(resource.path) ? holds : misses;
  }
}

/** A text, which only itself fits. A blank segment is fitted by all. */
function isPlain(segment: string): boolean {
  return segment !== '' && shapeOfText(segment).kind === 'TEXT';
}

const segmentTests = new SharedParts<SegmentTest>();

/** Null for what anything fits, as it does a blank one. */
function segmentTest(text: string, segment: number): SegmentTest | null {
  const shape = shapeOfText(text === '' ? '*' : text);
  return shape.kind === 'ANY' ? null : segmentTests.take(`${segment}${text}`, () => new SegmentTest(shape, segment));
}

/** Several patterns, or some with variables. What one lacks does not matter when another fits. */
class SeveralPatterns implements CompiledResources {
  readonly paths: readonly Beginning[] | null;
  readonly #closed: readonly ClosedPattern[];
  readonly #open: readonly OpenPattern[];

  constructor(closed: readonly ClosedPattern[], open: readonly OpenPattern[]) {
    const known = open.flatMap(({ path }) => (path === null ? [] : [path]));
    this.paths = known.length < open.length ? null : [...closed.flatMap(({ paths }) => paths), ...known];
    this.#closed = closed;
    this.#open = open;
  }

  meet(resource: CutResource | null, context: RequestContext): Verdict {
    const closed = this.#closed;
    for (let i = 0; i < closed.length; i += 1) if (closed[i]?.meet(resource) === holds) return holds;
    let verdict: Verdict = misses;
    for (const pattern of this.#open) {
      const met = pattern.meet(resource, context);
      if (met === holds) return holds;
      if (met === unclear) verdict = unclear;
    }
    return verdict;
  }
}

/** `NotResource`: holds where none of its patterns fits, and cannot tell where none does and one cannot be told. */
class ResourceExceptions implements CompiledResources {
  readonly paths = null;
  readonly #listed: CompiledResources;

  constructor(listed: CompiledResources) {
    this.#listed = listed;
  }

  meet(resource: CutResource | null, context: RequestContext): Verdict {
    const met = this.#listed.meet(resource, context);
    if (met === unclear) return unclear;
    return met === holds ? misses : holds;
  }
}

const lists = new SharedParts<CompiledResources>();
const exceptions = new SharedParts<CompiledResources>();

export function compileResources({ resources, notResources }: Statement): CompiledResources {
  if (notResources !== null) {
    return exceptions.take(JSON.stringify(notResources), () => new ResourceExceptions(compileList(notResources)));
  }
  return resources === null ? everyResource : compileList(resources);
}

/** What fits one of the patterns at least. */
function compileList(resources: readonly string[]): CompiledResources {
  const [only] = resources;
  // One pattern is shared with the lists that it is in.
  if (resources.length === 1 && only !== undefined && !only.includes('${')) {
    return compilePattern(only) ?? new SeveralPatterns([], [new OpenPattern(only)]);
  }
  return lists.take(JSON.stringify(resources), () => compileSeveral(resources));
}

function compileSeveral(resources: readonly string[]): CompiledResources {
  const closed: ClosedPattern[] = [];
  const open: OpenPattern[] = [];
  for (const pattern of resources) {
    const made = pattern.includes('${') ? null : compilePattern(pattern);
    if (made === everyResource) return everyResource;
    if (made instanceof ClosedPattern) closed.push(made);
    else open.push(new OpenPattern(pattern));
  }
  return new SeveralPatterns(closed, open);
}

const patterns = new SharedParts<ClosedPattern>();

/** A pattern without variables; null for another number of segments, which simulated documents may have. */
function compilePattern(pattern: string): CompiledResources | null {
  if (isEveryResource(pattern)) return everyResource;
  const segments = cutPattern(pattern);
  return segments.length === segmentCount ? patterns.take(pattern, () => new ClosedPattern(segments)) : null;
}

/** At its first four colons. */
function cutPattern(pattern: string): readonly string[] {
  const [service = '', region, account, type, ...path] = pattern.split(':');
  if (region === undefined || account === undefined || type === undefined || path.length === 0) return [];
  return [service, region, account, type, path.join(':')];
}
