/**
 * A search for any number of values in any number of bytes, in one pass (Rabin and Karp): a hash rolls over every sixteen
 * bytes that follow one another, and is looked up among the hashes of pieces of the values. It must never know where the
 * bytes come from.
 *
 * Pieces, because a database splits what is long: of a value as it is one begins every four bytes, of each encoding every
 * sixteen. So nineteen bytes in a row of the value are found wherever they stand, 31 of an encoding.
 *
 * Values of fewer than sixteen bytes would be found everywhere by chance: they must be six digits, as codes are, and are
 * looked for in text only, where they stand by themselves and not as a number of JSON.
 */
import { formsOf } from './forms.js';
import type { Kept } from './ledger.js';

export interface Finding {
  readonly kind: string;
  /** How it was written: `plain`, `base64` … */
  readonly form: string;
  readonly place: string;
  readonly source: string;
  /** Bytes before the first one that was found; of several findings alike, only the first is told. */
  readonly at: number;
}

export interface Source {
  /** Such as the path of a file. */
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** Text, where values of six digits are looked for too. */
  readonly text: boolean;
}

const piece = 16;
const multiplier = 0x01000193;
/** The multiplier to the power of fifteen: the weight of the oldest byte. */
const oldest = Array.from({ length: piece - 1 }).reduce<number>((product) => Math.imul(product, multiplier), 1);

/** A code in quotes, after a space or as a parameter; a number of JSON, a time or a part of a longer one is none. */
const standingAlone = /(?<=["'` =/(>])\d{6}(?![\w.:-])/g;

export class Search {
  readonly findings = new Map<string, Finding>();
  /** Bytes that were searched, by place. */
  readonly searched = new Map<string, number>();
  readonly #labels: { readonly kind: string; readonly form: string }[] = [];
  readonly #codes = new Map<string, string>();
  /** The pieces, one after the other; `#owners` says which label each has. */
  #pieces = new Uint8Array(piece * 1024);
  #owners = new Uint16Array(1024);
  #count = 0;
  /** Open addressing: number of the piece plus one, nought where nothing is. */
  #slots: Int32Array;
  /** One bit for each hash that some piece has: what nearly every lookup ends at. */
  #sieve: Int32Array;
  readonly #slotShift: number;
  readonly #sieveShift: number;

  constructor(values: Iterable<Kept>) {
    const labels = new Map<string, number>();
    for (const { kind, value } of values) {
      if (typeof value === 'string' && Buffer.byteLength(value) < piece) {
        if (!/^\d{6}$/.test(value)) throw new Error(`a ${kind} is too short to be told from chance`);
        this.#codes.set(value, kind);
        continue;
      }
      formsOf(value).forEach(([form, bytes], index) => {
        if (bytes.length < piece) return;
        const name = `${kind}\n${form}`;
        const label = labels.get(name) ?? this.#labels.push({ kind, form }) - 1;
        labels.set(name, label);
        this.#add(bytes, index === 0 ? 4 : piece, label);
      });
    }
    const bits = Math.ceil(Math.log2(Math.max(this.#count, 1)));
    this.#slotShift = 32 - Math.min(30, bits + 2);
    this.#sieveShift = 32 - Math.min(30, Math.max(bits + 5, 5));
    this.#slots = new Int32Array(2 ** (32 - this.#slotShift));
    this.#sieve = new Int32Array(2 ** (32 - this.#sieveShift - 5));
    for (let index = 0; index < this.#count; index += 1) this.#file(index);
  }

  /** Number of pieces that are looked for. */
  get pieces(): number {
    return this.#count;
  }

  async read(place: string, { name, bytes, text }: Source): Promise<void> {
    let before: Uint8Array = new Uint8Array(0);
    let at = 0;
    for await (const chunk of bytes) {
      const joined = before.length === 0 ? chunk : Buffer.concat([before, chunk]);
      const report = (label: { readonly kind: string; readonly form: string }, offset: number): void =>
        this.#report({ ...label, place, source: name, at: at - before.length + offset });
      this.#roll(joined, report);
      if (text && this.#codes.size > 0) this.#readCodes(joined, report);
      at += chunk.length;
      // Too few for a piece that was seen already, enough for one that the end of the chunk has cut.
      before = joined.slice(Math.max(0, joined.length - (piece - 1)));
    }
    this.searched.set(place, (this.searched.get(place) ?? 0) + at);
  }

  #roll(bytes: Uint8Array, report: (label: { kind: string; form: string }, offset: number) => void): void {
    const sieve = this.#sieve;
    const shift = this.#sieveShift;
    let hash = 0;
    for (let index = 0; index < bytes.length; index += 1) {
      const leaving = index < piece ? 0 : (bytes[index - piece] ?? 0);
      hash = (Math.imul(hash - Math.imul(leaving, oldest), multiplier) + (bytes[index] ?? 0)) | 0;
      if (index < piece - 1) continue;
      const bit = mix(hash) >>> shift;
      if (((sieve[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) continue;
      const start = index - piece + 1;
      const found = this.#find(bytes, start, hash);
      const label = found < 0 ? undefined : this.#labels[this.#owners[found] ?? 0];
      if (label !== undefined) report(label, start);
    }
  }

  #readCodes(bytes: Uint8Array, report: (label: { kind: string; form: string }, offset: number) => void): void {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    for (const { 0: code, index } of text.matchAll(standingAlone)) {
      const kind = this.#codes.get(code);
      // What may go on in the next chunk is looked at again there.
      if (kind !== undefined && index + code.length < text.length) report({ kind, form: 'plain' }, index);
    }
  }

  #report(finding: Finding): void {
    const { kind, form, place, source } = finding;
    const key = [kind, form, place, source].join('\n');
    if (!this.findings.has(key)) this.findings.set(key, finding);
  }

  #add(bytes: Uint8Array, step: number, label: number): void {
    const last = bytes.length - piece;
    for (let start = 0; start < last; start += step) this.#push(bytes, start, label);
    this.#push(bytes, last, label);
  }

  #push(bytes: Uint8Array, start: number, label: number): void {
    if (this.#count === this.#owners.length) {
      this.#pieces = grown(this.#pieces, new Uint8Array(this.#pieces.length * 2));
      this.#owners = grown(this.#owners, new Uint16Array(this.#owners.length * 2));
    }
    this.#pieces.set(bytes.subarray(start, start + piece), this.#count * piece);
    this.#owners[this.#count] = label;
    this.#count += 1;
  }

  /** Of pieces that are the same only the first is filed. */
  #file(index: number): void {
    const start = index * piece;
    let hash = 0;
    for (let offset = 0; offset < piece; offset += 1) {
      hash = (Math.imul(hash, multiplier) + (this.#pieces[start + offset] ?? 0)) | 0;
    }
    if (this.#find(this.#pieces, start, hash) >= 0) return;
    const mask = this.#slots.length - 1;
    let slot = mix(hash) >>> this.#slotShift;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = index + 1;
    const bit = mix(hash) >>> this.#sieveShift;
    this.#sieve[bit >>> 5] = (this.#sieve[bit >>> 5] ?? 0) | (1 << (bit & 31));
  }

  /** Number of the piece that stands there; negative when none does. */
  #find(bytes: Uint8Array, start: number, hash: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = mix(hash) >>> this.#slotShift; ; slot = (slot + 1) & mask) {
      const index = (this.#slots[slot] ?? 0) - 1;
      if (index < 0) return -1;
      let same = 0;
      while (same < piece && this.#pieces[index * piece + same] === bytes[start + same]) same += 1;
      if (same === piece) return index;
    }
  }
}

/** The low bits of a rolling hash hardly mix; the high ones of this product do. */
function mix(hash: number): number {
  return Math.imul(hash ^ (hash >>> 15), 0x9e3779b1);
}

function grown<T extends Uint8Array | Uint16Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}
