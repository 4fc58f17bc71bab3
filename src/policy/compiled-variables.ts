/**
 * Resource patterns with variables, made ready: segments without one are compared as anywhere, and in one with variables the
 * request's values are put between its texts. What this cannot tell, the reference form tells.
 */
import { holds, misses, unclear, type Verdict } from './compiled-conditions.js';
import { type Beginning, shapeOf } from './compiled-texts.js';
import type { RequestContext } from './context.js';
import { type CutResource, SegmentTest } from './cut-resource.js';
import { meetTemplate, type ReadPattern, readPattern, readResourcePattern, segmentCount } from './resources.js';
import { splitTemplate, type Template } from './templates.js';

export class OpenPattern {
  /** What every path begins with that it can fit; null when that depends on the request. */
  readonly path: Beginning | null;
  readonly #read: ReadPattern;
  readonly #closed: readonly SegmentTest[];
  /** Null when only the reference form can tell. */
  readonly #open: readonly OpenSegment[] | null;

  constructor(pattern: string) {
    this.#read = readPattern(pattern);
    const { template } = this.#read;
    const reading = readResourcePattern(pattern, new Map());
    const segments = template === null ? [] : splitTemplate(template, segmentCount);
    if (typeof reading === 'string' || segments.length !== segmentCount || isOpen(segments[0] ?? [])) {
      this.path = null;
      this.#closed = [];
      this.#open = null;
      return;
    }
    this.#closed = segments.flatMap((parts, segment) => {
      const shape = shapeOf(reading.segments[segment] ?? []);
      return isOpen(parts) || shape.kind === 'ANY' ? [] : [new SegmentTest(shape, segment)];
    });
    const open = segments.flatMap((parts, segment) => (isOpen(parts) ? [readOpenSegment(parts, segment)] : []));
    const known = open.filter((segment) => segment !== null);
    this.#open = known.length < open.length ? null : known;
    this.path = { text: textBefore(segments[segmentCount - 1] ?? []), whole: false };
  }

  meet(resource: CutResource | null, context: RequestContext): Verdict {
    if (resource !== null && this.#open !== null) {
      if (!resource.isWhole) return misses;
      for (const segment of this.#closed) if (!segment.fits(resource)) return misses;
      let told = true;
      for (const segment of this.#open) {
        const fits = segment.fits(resource, context);
        if (fits === false) return misses;
        if (fits === null) told = false;
      }
      if (told) return holds;
    }
    const { matches, missing, problems } = meetTemplate(this.#read, resource?.text ?? null, context);
    if (missing.length > 0 || problems.length > 0) return unclear;
    return matches ? holds : misses;
  }
}

/** A text, or a variable's key in lower case with its default. */
type Piece = string | { readonly key: string; readonly fallback: string | null };

/** Half a surrogate pair may become part of a whole one where texts are joined. */
const halfPair = /\p{Surrogate}/u;

class OpenSegment {
  readonly #segment: number;
  readonly #before: readonly Piece[];
  /** Null: nothing between, the texts before are all of it. */
  readonly #after: readonly Piece[] | null;

  constructor(segment: number, before: readonly Piece[], after: readonly Piece[] | null) {
    this.#segment = segment;
    this.#before = before;
    this.#after = after;
  }

  /** Null when it cannot be told here. */
  fits(resource: CutResource, context: RequestContext): boolean | null {
    const before = join(this.#before, context);
    const after = this.#after === null ? '' : join(this.#after, context);
    if (before === null || after === null) return null;
    const start = resource.startOf(this.#segment);
    const end = resource.endOf(this.#segment);
    const least = before.length + after.length;
    if (this.#after === null ? end - start !== least : end - start < least) return false;
    return resource.text.startsWith(before, start) && resource.text.endsWith(after, end);
  }
}

/** Null when a variable has no value or several, or half a character. */
function join(pieces: readonly Piece[], context: RequestContext): string | null {
  let text = '';
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      text += piece;
      continue;
    }
    const values = context.get(piece.key);
    const value = values === undefined || values.length === 0 ? piece.fallback : values.length === 1 ? values[0] : null;
    // Halves of two values would make a whole one.
    if (value === null || value === undefined || halfPair.test(value)) return null;
    text += value;
  }
  return text;
}

/** Null for more than one star, for single wildcards and for half a character. */
function readOpenSegment(parts: Template, segment: number): OpenSegment | null {
  if (parts.some((part) => part.kind !== 'variable' && halfPair.test(part.text))) return null;
  const before: Piece[] = [];
  let after: Piece[] | null = null;
  for (const part of parts) {
    if (part.kind === 'variable') (after ?? before).push({ key: part.key.toLowerCase(), fallback: part.fallback });
    else if (part.kind === 'literal') (after ?? before).push(part.text);
    else {
      const [text = '', ...others] = part.text.split('*');
      if (part.text.includes('?') || others.length > 1 || (others.length > 0 && after !== null)) return null;
      (after ?? before).push(text);
      if (others[0] !== undefined) after = [others[0]];
    }
  }
  return new OpenSegment(segment, before, after);
}

function isOpen(parts: Template): boolean {
  return parts.some(({ kind }) => kind === 'variable');
}

/** The text that stands before the first variable or wildcard. */
function textBefore(parts: Template): string {
  let text = '';
  for (const part of parts) {
    if (part.kind === 'variable') break;
    const wildcard = part.kind === 'text' ? part.text.search(/[*?]/) : -1;
    text += wildcard < 0 ? part.text : part.text.slice(0, wildcard);
    if (wildcard >= 0) break;
  }
  return halfPair.test(text) ? '' : text;
}
