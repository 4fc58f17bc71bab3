/**
 * Resource patterns made ready. A resource is cut once for all of them, and compared in place; a pattern with variables is
 * read once and met anew by each request.
 */
import { holds, misses, unclear, type Verdict } from './compiled-conditions.js';
import { beginningOf, type Beginning, shapeOfText, type TextTest } from './compiled-texts.js';
import { type CutResource, SegmentTest } from './cut-resource.js';
import type { RequestContext } from './context.js';
import type { Statement } from './document.js';
import { matchResources } from './evaluation.js';
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
 * One pattern without variables, as most statements have. What tells most apart, the path, is compared here; what it is
 * compared with lies side by side, since looking for it takes longer than comparing.
 */
class ClosedPattern implements CompiledResources {
  readonly #before: string;
  readonly #least: number;
  /** A text fits whole. */
  readonly #whole: boolean;
  readonly #after: string;
  readonly #other: TextTest | null;
  readonly #type: SegmentTest | null;
  readonly #service: SegmentTest | null;
  readonly #region: SegmentTest | null;
  readonly #account: SegmentTest | null;
  readonly #path: Beginning;

  /** @param segments five, as written */
  constructor(segments: readonly string[]) {
    const [service = '', region = '', account = '', type = '', path = ''] = segments;
    const shape = shapeOfText(path === '' ? '*' : path);
    this.#before = shape.kind === 'TEXT' ? shape.text : shape.kind === 'AROUND' ? shape.before : '';
    this.#after = shape.kind === 'AROUND' ? shape.after : '';
    this.#least = this.#before.length + this.#after.length;
    this.#whole = shape.kind === 'TEXT';
    this.#other = shape.kind === 'OTHER' ? shape.fits : null;
    // It goes without case.
    this.#service = segmentTest(service.toLowerCase(), 0);
    this.#region = segmentTest(region, 1);
    this.#account = segmentTest(account, 2);
    this.#type = segmentTest(type, 3);
    this.#path = beginningOf(shape, path);
  }

  get paths(): readonly Beginning[] {
    return [this.#path];
  }

  meet(resource: CutResource | null): typeof holds | typeof misses {
    if (resource?.isWhole !== true) return misses;
    const start = resource.startOf(4);
    const { text } = resource;
    if (this.#other !== null) {
      if (!this.#other(text.slice(start))) return misses;
    } else {
      const length = text.length - start;
      if (this.#whole ? length !== this.#least : length < this.#least) return misses;
      if (!text.startsWith(this.#before, start)) return misses;
      if (this.#after !== '' && !text.endsWith(this.#after)) return misses;
    }
    return (this.#type === null || this.#type.fits(resource)) &&
      (this.#service === null || this.#service.fits(resource)) &&
      (this.#region === null || this.#region.fits(resource)) &&
      (this.#account === null || this.#account.fits(resource))
      ? holds
      : misses;
  }
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

/** What it leaves out is asked of the reference form. */
class ResourceExceptions implements CompiledResources {
  readonly paths = null;
  readonly #statement: Statement;

  constructor(statement: Statement) {
    this.#statement = statement;
  }

  meet(resource: CutResource | null, context: RequestContext): Verdict {
    const { matches, missing, problems } = matchResources(this.#statement, resource?.text ?? null, context);
    if (missing.length > 0 || problems.length > 0) return unclear;
    return matches ? holds : misses;
  }
}

const shared = new SharedParts<CompiledResources>();

export function compileResources(statement: Statement): CompiledResources {
  const { resources, notResources, effect } = statement;
  if (notResources !== null) {
    return shared.take(JSON.stringify([effect, notResources]), () => new ResourceExceptions(statement));
  }
  if (resources === null) return everyResource;
  const [only] = resources;
  // One pattern is shared with the lists that it is in.
  if (resources.length === 1 && only !== undefined && !only.includes('${')) {
    return compilePattern(only) ?? new SeveralPatterns([], [new OpenPattern(only)]);
  }
  return shared.take(JSON.stringify(resources), () => compileSeveral(resources));
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
