/** Actions made ready: the names that a request is asked under, and the patterns of a statement. */
import { isConcreteAction } from './actions.js';
import { compileText, type TextTest } from './compiled-texts.js';
import { hashBeginning } from './cut-resource.js';
import type { Statement } from './document.js';
import { SharedParts } from './shared-parts.js';

/** An action under all of its names, as statements are asked about it. */
export class ActionNames {
  readonly names: readonly string[];
  readonly hashes: readonly number[];
  readonly segments: readonly (readonly string[])[];
  /** One of a closed set, which will be asked about again. */
  readonly kept: boolean;
  /** As that of actions: what shares no bit with it is not about it. */
  readonly marks: number;

  /** Of concrete names. */
  constructor(names: readonly string[], kept: boolean) {
    this.names = [...new Set(names.map((name) => name.toLowerCase()))];
    this.hashes = this.names.map(hashBeginning);
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
function marksOf(pattern: string): number {
  const segments = pattern.split(':');
  return segments.length < 3 || /[*?]/.test(`${segments[0]}${segments[1]}`) ? everyMark : markOf(segments);
}

/** More names than these are looked up. */
const fewNames = 8;

/** The actions of a statement, those that it leaves out included. */
export class CompiledActions {
  /** Bits of what it may be about, to be told without a look at it; see `ActionNames.marks`. */
  readonly marks: number;
  /** It is about everything else. */
  readonly #excepting: boolean;
  readonly #every: boolean;
  readonly #names: readonly string[];
  readonly #hashes: readonly number[];
  /** By name, when they are many. */
  readonly #named: ReadonlySet<string> | null;
  readonly #patterns: readonly (readonly TextTest[])[];

  constructor(written: readonly string[], excepting: boolean) {
    const all = written.map((pattern) => pattern.toLowerCase());
    const names = all.filter(isConcreteAction);
    this.#excepting = excepting;
    this.#every = all.some((pattern) => /^\*+$/.test(pattern));
    this.#named = names.length > fewNames ? new Set(names) : null;
    this.#names = this.#named === null ? names : [];
    this.#hashes = this.#names.map(hashBeginning);
    this.#patterns = all
      .filter((pattern) => !isConcreteAction(pattern))
      .map((pattern) => pattern.split(':').map(compileText));
    this.marks = excepting || this.#every ? everyMark : all.reduce((marks, pattern) => marks | marksOf(pattern), 0);
  }

  isAbout(asked: ActionNames): boolean {
    if ((this.marks & asked.marks) === 0) return false;
    return this.#fits(asked) !== this.#excepting;
  }

  #fits({ names, hashes, segments }: ActionNames): boolean {
    if (this.#every) return true;
    for (let i = 0; i < names.length; i += 1) {
      const name = names[i] ?? '';
      if (this.#named?.has(name) === true) return true;
      const place = this.#hashes.indexOf(hashes[i] ?? 0);
      if (place >= 0 && (this.#names[place] === name || this.#names.includes(name))) return true;
      for (const tests of this.#patterns) if (fitsAll(tests, segments[i] ?? noSegments)) return true;
    }
    return false;
  }
}

const noSegments: readonly string[] = [];

function fitsAll(tests: readonly TextTest[], segments: readonly string[]): boolean {
  if (tests.length !== segments.length) return false;
  for (let i = 0; i < tests.length; i += 1) if (tests[i]?.(segments[i] ?? '') !== true) return false;
  return true;
}

const shared = new SharedParts<CompiledActions>();

export function compileActions({ actions, notActions }: Statement): CompiledActions {
  const written = notActions ?? actions;
  const excepting = notActions !== null;
  return shared.take(JSON.stringify([excepting, written]), () => new CompiledActions(written, excepting));
}
