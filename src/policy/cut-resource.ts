/** A resource of a request, cut once for all the patterns that it meets, and compared in place. */
import type { Shape, TextTest } from './compiled-texts.js';

/** The resource of a request, cut at its first four colons. */
export class CutResource {
  readonly text: string;
  /** Where the first, the second … colon is; negative from the first that is not there on. */
  readonly #first: number;
  readonly #second: number;
  readonly #third: number;
  readonly #fourth: number;
  #service: string | null = null;
  #path: string | null = null;

  constructor(text: string) {
    this.text = text;
    this.#first = text.indexOf(':');
    this.#second = this.#first < 0 ? -1 : text.indexOf(':', this.#first + 1);
    this.#third = this.#second < 0 ? -1 : text.indexOf(':', this.#second + 1);
    this.#fourth = this.#third < 0 ? -1 : text.indexOf(':', this.#third + 1);
  }

  /** What has fewer segments fits no pattern of five. */
  get isWhole(): boolean {
    return this.#fourth >= 0;
  }

  startOf(segment: number): number {
    return segment === 4 ? this.#fourth + 1 : segment === 0 ? 0 : this.endOf(segment - 1) + 1;
  }

  endOf(segment: number): number {
    if (segment === 4) return this.text.length;
    if (segment === 3) return this.#fourth;
    return segment === 2 ? this.#third : segment === 1 ? this.#second : this.#first;
  }

  /** False only when the path does not begin with the text of a sign that is not 0; see `signOf`. */
  mayBegin(sign: number): boolean {
    const end = this.#fourth + 1 + (sign & 31);
    const { text } = this;
    return (
      this.#fourth >= 0 &&
      end <= text.length &&
      (text.charCodeAt(end - 1) & 0xff) === ((sign >> 5) & 0xff) &&
      (text.charCodeAt(end - 2) & 0xff) === ((sign >> 13) & 0xff) &&
      (text.charCodeAt(end - 3) & 0xff) === sign >> 21
    );
  }

  /** In lower case: services compare without it. */
  get service(): string {
    return (this.#service ??= this.text.slice(0, this.#first).toLowerCase());
  }

  get path(): string {
    return (this.#path ??= this.text.slice(this.#fourth + 1));
  }
}

/** Characters of a path that its beginnings are told apart by. */
export const hashedCharacters = 24;

/**
 * What a path may begin with, in one number that is kept in place: its length and the lower bytes of its last three code
 * units, which is where beginnings differ most (`team7-`, `team12-`). 0 for what is shorter.
 *
 * @param text of at most `hashedCharacters`
 */
export function signOf(text: string): number {
  const { length } = text;
  if (length < 3) return 0;
  const code = (back: number): number => text.charCodeAt(length - back) & 0xff;
  return (code(3) << 21) | (code(2) << 13) | (code(1) << 5) | length;
}

/** One table serves all: it is filled and read within one decision. */
const beginnings = new Int32Array(hashedCharacters + 1);

/**
 * Hashes of what the path begins with, by length, up to its own or the one asked: most patterns are told to miss by them
 * without a look.
 *
 * @param longest at most `hashedCharacters`
 */
export function hashBeginnings(resource: CutResource, longest: number): Int32Array {
  const { text } = resource;
  const start = resource.startOf(4);
  const count = Math.min(text.length - start, longest);
  let hash = 0;
  for (let i = 0; i < count; i += 1) beginnings[i + 1] = hash = nextHash(hash, text.charCodeAt(start + i));
  return beginnings;
}

export function hashBeginning(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i += 1) hash = nextHash(hash, text.charCodeAt(i));
  return hash;
}

/** Below 2^30, so that it is kept in place. */
function nextHash(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193) & 0x3fffffff;
}

/** Plain classes with one method each: what decides most often is then one piece of code, whichever pattern it is for. */
export class SegmentTest {
  readonly #segment: number;
  readonly #before: string;
  readonly #after: string;
  /** A text fits whole. */
  readonly #whole: boolean;
  readonly #least: number;
  readonly #other: TextTest | null;

  constructor(shape: Exclude<Shape, { kind: 'ANY' }>, segment: number) {
    this.#segment = segment;
    this.#whole = shape.kind === 'TEXT';
    this.#before = shape.kind === 'TEXT' ? shape.text : shape.kind === 'AROUND' ? shape.before : '';
    this.#after = shape.kind === 'AROUND' ? shape.after : '';
    this.#least = this.#before.length + this.#after.length;
    this.#other = shape.kind === 'OTHER' ? shape.fits : null;
  }

  fits(resource: CutResource): boolean {
    if (this.#segment !== 0) {
      return this.#fitsPart(resource.text, resource.startOf(this.#segment), resource.endOf(this.#segment));
    }
    // Without case; most are written as they are compared.
    if (this.#other === null && this.#fitsPart(resource.text, 0, resource.endOf(0))) return true;
    const { service } = resource;
    return this.#fitsPart(service, 0, service.length);
  }

  #fitsPart(text: string, start: number, end: number): boolean {
    if (this.#other !== null) return this.#other(text.slice(start, end));
    const length = end - start;
    if (this.#whole ? length !== this.#least : length < this.#least) return false;
    if (!text.startsWith(this.#before, start)) return false;
    return this.#after === '' || text.endsWith(this.#after, end);
  }
}
