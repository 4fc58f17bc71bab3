/**
 * The nodes of one document, read strictly: each value has its place, and whatever is not understood is a problem at
 * that place. YAML's liberties (anchors, tags, keys that are no text) are refused: a file of rights must read the same
 * for a person and for every parser.
 */
import {
  isCollection,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
  type YAMLMap,
} from 'yaml';
import type { FileProblem, Place } from './documents.js';
import type { Piece } from './sources.js';

/** Lists and objects in one another: more than a policy may have, and few enough for whatever walks through them. */
const deepest = 100;

const tooDeep = `the document is nested deeper than ${deepest} levels; no object needs as many`;
const noAliases = 'anchors and aliases are not read; write the value out';
const noTags = 'tags are not read; write the value without one';

/** Nodes of one piece, and where they stand. */
export class Sheet {
  readonly problems: FileProblem[] = [];
  readonly #lines = new LineCounter();
  readonly #piece: Piece;

  constructor(piece: Piece) {
    this.#piece = piece;
  }

  /** The objects in the piece: one, or in JSON as many as the list has. */
  read(): readonly YAMLMap[] {
    const { text, format } = this.#piece;
    if (text.trim() === '') return [];
    if (format === 'JSON' && !this.#isJson(text)) return [];
    const document = parseDocument<Node>(format === 'JSON' ? text.replaceAll('\t', ' ') : text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      stringKeys: true,
      uniqueKeys: true,
      resolveKnownTags: false,
      logLevel: 'silent',
    });
    // Documents are split before they come here, and a directive would be parted from its own.
    const first = format === 'YAML' ? text.search(/^[^\s#]/m) : -1;
    if (text.charAt(first) === '%') {
      this.problems.push({ place: this.#placeAt(first), message: 'directives are not read; take the line out' });
      return [];
    }
    const faults = [...document.errors, ...document.warnings];
    const { contents } = document;
    // It says that of every level that it comes back through.
    if (faults.some(({ code }) => code === 'RESOURCE_EXHAUSTION')) {
      this.#refuseLiberties(document);
      if (this.problems.length === 0) this.report(contents, tooDeep);
      return [];
    }
    for (const { pos, message, code } of faults) {
      const known = { DUPLICATE_KEY: 'the field is there twice', TAG_RESOLVE_FAILED: noTags }[String(code)];
      this.problems.push({ place: this.#placeAt(pos[0]), message: known ?? lowered(message) });
    }
    if (this.problems.length > 0 || contents === null) return [];
    this.#refuseLiberties(document);
    if (this.problems.length > 0 || (isScalar(contents) && contents.value === null)) return [];
    const objects = format === 'JSON' && isSeq(contents) ? (contents.items as Node[]) : [contents];
    return objects.filter((node): node is YAMLMap => {
      if (isMap(node)) return true;
      this.report(node, 'a document is an object: fields with values');
      return false;
    });
  }

  #refuseLiberties(document: Document): void {
    visit(document, {
      Alias: (_, node) => this.report(node, noAliases),
      Value: (_, node, path) => {
        if (node.anchor) this.report(node, noAliases);
        if (node.tag) this.report(node, noTags);
        if (isScalar(node) || path.filter(isCollection).length < deepest) return undefined;
        this.report(node, tooDeep);
        return visit.BREAK;
      },
    });
  }

  report(node: Node | null | undefined, message: string): void {
    this.problems.push({ place: this.placeOf(node), message });
  }

  placeOf(node: Node | null | undefined): Place {
    return this.#placeAt(node?.range?.[0] ?? 0);
  }

  #placeAt(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.#piece.file, line: this.#piece.line + Math.max(line, 1) - 1, column: Math.max(col, 1) };
  }

  #isJson(text: string): boolean {
    try {
      JSON.parse(text);
      return true;
    } catch (error) {
      // Nested too deep for this parser; the other one says where.
      if (error instanceof RangeError) return true;
      const reason = error instanceof Error ? error.message : String(error);
      const [, position] = /at position (\d+)/.exec(reason) ?? [];
      // Where the parser does not say where, it is the first text without quotes, as YAML would have it.
      let offset = Number(position ?? 0);
      const document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, logLevel: 'silent' });
      if (position === undefined) {
        visit(document, {
          Scalar: (_, { type, value, range }) => {
            if (type !== 'QUOTE_SINGLE' && (type !== 'PLAIN' || typeof value !== 'string')) return undefined;
            offset = range?.[0] ?? 0;
            return visit.BREAK;
          },
        });
      }
      this.problems.push({ place: this.#placeAt(offset), message: `this is no JSON: ${lowered(reason)}` });
      return false;
    }
  }
}

function lowered(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1).replaceAll(/\s*\n\s*/g, '; ');
}

/** The fields of one object: each is asked for by name, and what nobody asked for is a problem. */
export class Fields {
  readonly #values = new Map<string, Node | null>();
  readonly #keys = new Map<string, Node>();
  readonly #asked = new Set<string>();

  constructor(
    readonly sheet: Sheet,
    readonly object: YAMLMap,
    /** How it is called in problems: `a User`. */
    readonly called: string,
  ) {
    for (const { key, value } of object.items) {
      if (!isScalar(key)) continue;
      this.#values.set(String(key.value), value as Node | null);
      this.#keys.set(String(key.value), key);
    }
  }

  has(name: string): boolean {
    this.#asked.add(name);
    return this.#values.has(name);
  }

  node(name: string): Node | null {
    this.#asked.add(name);
    return this.#values.get(name) ?? null;
  }

  lineOf(name: string): number {
    return this.sheet.placeOf(this.#keys.get(name) ?? this.object).line;
  }

  /** Null where it is missing or wrong, which is reported. */
  text(name: string, otherwise: string | null = null): string | null {
    if (!this.has(name)) {
      if (otherwise === null) this.sheet.report(this.object, `${this.called} needs the field \`${name}\``);
      return otherwise;
    }
    const node = this.node(name);
    if (isScalar(node) && typeof node.value === 'string') return node.value;
    this.#wrong(name, isScalar(node) && node.value !== null ? 'a text; put it in quotes' : 'a text');
    return null;
  }

  flag(name: string, otherwise: boolean): boolean {
    if (!this.has(name)) return otherwise;
    const node = this.node(name);
    if (isScalar(node) && typeof node.value === 'boolean') return node.value;
    this.#wrong(name, '`true` or `false`');
    return otherwise;
  }

  oneOf<W extends string>(name: string, words: readonly W[], otherwise: W | null): W | null {
    if (!this.has(name)) return otherwise;
    const node = this.node(name);
    const word = words.find((each) => isScalar(node) && node.value === each);
    if (word === undefined) this.#wrong(name, words.map((each) => `\`${each}\``).join(' or '));
    return word ?? otherwise;
  }

  texts(name: string): readonly string[] {
    if (!this.has(name)) return [];
    const node = this.node(name);
    if (!isSeq(node)) {
      this.#wrong(name, 'a list of texts');
      return [];
    }
    return (node.items as Node[]).flatMap((item) => {
      if (isScalar(item) && typeof item.value === 'string') return [item.value];
      this.sheet.report(item, `each of \`${name}\` must be a text`);
      return [];
    });
  }

  /** To be called last. */
  refuseOthers(): void {
    for (const [name, key] of this.#keys) {
      if (this.#asked.has(name)) continue;
      const known = [...this.#asked].map((each) => `\`${each}\``).join(', ');
      this.sheet.report(key, `${this.called} has no field \`${name}\`; there are ${known}`);
    }
  }

  #wrong(name: string, expected: string): void {
    this.sheet.report(this.node(name) ?? this.#keys.get(name), `\`${name}\` must be ${expected}`);
  }
}
