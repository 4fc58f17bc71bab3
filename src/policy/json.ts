/**
 * JSON with places: a reader that keeps where each value stood, and refuses what `JSON.parse` lets pass.
 *
 * `JSON.parse` forgets positions, keeps the last of two equal names silently (one reader sees an Allow, another a
 * Deny), accepts half surrogates and U+0000 (which not every store can hold), and recurses as deep as the input asks.
 * Objects are lists of members here, never JavaScript objects, so a member named `__proto__` is a name like any other.
 */

interface Placed {
  /** Offset in the text where the value begins; null when the input was not text. */
  readonly at: number | null;
}
export interface JsonMember {
  readonly name: string;
  /** Offset of the name. */
  readonly at: number | null;
  readonly value: JsonNode;
}
export type JsonObject = Placed & { readonly kind: 'object'; readonly members: readonly JsonMember[] };
export type JsonArray = Placed & { readonly kind: 'array'; readonly items: readonly JsonNode[] };
export type JsonString = Placed & { readonly kind: 'string'; readonly value: string };
export type JsonOther = Placed & { readonly kind: 'number' | 'boolean' | 'null'; readonly source: string };
export type JsonNode = JsonObject | JsonArray | JsonString | JsonOther;

export interface JsonFault {
  readonly code: 'JSON_SYNTAX' | 'NOT_JSON' | 'DUPLICATE_KEY' | 'TOO_DEEP' | 'BAD_CHARACTER' | 'IAM.1021';
  readonly message: string;
  readonly pointer: string;
  readonly at: number | null;
}

export interface JsonReading {
  /** Null when no tree could be made; of repeated names the first is kept. */
  readonly root: JsonNode | null;
  readonly faults: readonly JsonFault[];
}

/** Nesting that is read; the deepest policy has six levels. */
const deepest = 16;

/** Ends a reading at a fault after which nothing can be read. */
class ReadingStopped extends Error {
  constructor(readonly fault: JsonFault) {
    super(fault.message);
  }
}

/** `token` as one step of an RFC 6901 pointer. */
export function pointerStep(token: string | number): string {
  return `/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** Reads RFC 8259 text. A syntax fault is reported once, where it stands; the others are all collected. Never throws. */
export function readJsonText(text: string): JsonReading {
  const reader = new TextReader(text);
  return collect(reader.faults, () => reader.readDocument());
}

/**
 * Reads a value that somebody else parsed, as JSON would show it: own enumerable data properties of plain objects,
 * `undefined` members left out. What JSON cannot hold is refused; getters and `toJSON` are never run. Never throws.
 *
 * @param budget characters that the value may come to before reading stops, so that shared parts cannot explode
 */
export function readJsonValue(value: unknown, budget: number): JsonReading {
  const reader = new ValueReader(budget);
  return collect(reader.faults, () => reader.read(value, '', 1));
}

/** The tree as JSON without spaces: what an object counts as when its length is measured. */
export function printCompactJson(node: JsonNode): string {
  switch (node.kind) {
    case 'object':
      return `{${node.members.map((member) => `${JSON.stringify(member.name)}:${printCompactJson(member.value)}`).join(',')}}`;
    case 'array':
      return `[${node.items.map(printCompactJson).join(',')}]`;
    case 'string':
      return JSON.stringify(node.value);
    case 'number':
    case 'boolean':
    case 'null':
      return node.source;
  }
}

/**
 * The value that an RFC 6901 pointer names, or null. A lone string stands for a list of one, as the 5.0 grammar lets
 * it, so `/Action/0` finds `"Action": "…"`.
 */
export function findJsonNode(root: JsonNode, pointer: string): JsonNode | null {
  if (pointer !== '' && !pointer.startsWith('/')) return null;
  let node: JsonNode = root;
  for (const step of pointer.split('/').slice(1)) {
    const token = step.replaceAll('~1', '/').replaceAll('~0', '~');
    let next: JsonNode | undefined;
    if (node.kind === 'object') next = node.members.find((member) => member.name === token)?.value;
    else if (node.kind === 'array') next = /^(0|[1-9]\d{0,8})$/.test(token) ? node.items[Number(token)] : undefined;
    else if (node.kind === 'string' && token === '0') next = node;
    if (next === undefined) return null;
    node = next;
  }
  return node;
}

/** Line and column, 1-based, of offsets in `text`. Lines end at LF, CR or CR LF. */
export function indexLines(text: string): (offset: number) => { line: number; column: number } {
  const starts = [0];
  for (const lineEnd of text.matchAll(/\r\n|\r|\n/g)) starts.push(lineEnd.index + lineEnd[0].length);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}

function collect(faults: JsonFault[], read: () => JsonNode): JsonReading {
  try {
    return { root: read(), faults };
  } catch (error) {
    // Anything else came from the value itself (a proxy that throws): the value is not JSON, and that is all it says.
    const fault: JsonFault =
      error instanceof ReadingStopped
        ? error.fault
        : { code: 'NOT_JSON', message: 'the value cannot be read; give JSON text instead', pointer: '', at: null };
    return { root: null, faults: [...faults, fault] };
  }
}

function characterFault(value: string, pointer: string, at: number | null): JsonFault | null {
  const nul = value.includes('\0');
  // With the `u` flag whole pairs are one character, so the class finds lone halves only.
  if (!nul && !/[\ud800-\udfff]/u.test(value)) return null;
  const what = nul ? 'U+0000' : 'half of a surrogate pair';
  return { code: 'BAD_CHARACTER', message: `the string holds ${what}, which cannot be stored; remove it`, pointer, at };
}

function tooDeep(pointer: string, at: number | null): ReadingStopped {
  const message = `nesting deeper than ${deepest} levels; a policy needs six`;
  return new ReadingStopped({ code: 'TOO_DEEP', message, pointer, at });
}

class TextReader {
  readonly faults: JsonFault[] = [];
  private offset = 0;

  constructor(private readonly text: string) {}

  readDocument(): JsonNode {
    this.skipSpace();
    const node = this.readValue('', 1);
    this.skipSpace();
    if (this.offset < this.text.length) this.stop('text after the end of the document; remove it');
    return node;
  }

  private readValue(pointer: string, depth: number): JsonNode {
    const at = this.offset;
    const character = this.text[at];
    if (character === '{' || character === '[') {
      if (depth > deepest) throw tooDeep(pointer, at);
      return character === '{' ? this.readObject(pointer, depth) : this.readArray(pointer, depth);
    }
    if (character === '"') {
      const value = this.readString();
      this.checkCharacters(value, pointer, at);
      return { kind: 'string', at, value };
    }
    for (const word of ['true', 'false', 'null']) {
      if (this.text.startsWith(word, at)) {
        this.offset += word.length;
        return { kind: word === 'null' ? 'null' : 'boolean', at, source: word };
      }
    }
    const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
    number.lastIndex = at;
    const source = number.exec(this.text)?.[0];
    if (source === undefined) {
      if (character === undefined) this.stop('the text ends where a value should stand; complete it');
      if (character === '\ufeff') this.stop('the text begins with a byte order mark; remove it');
      if (character === "'") this.stop('strings stand in double quotes');
      this.stop('a value should stand here: an object, array, string, number, true, false or null');
    }
    this.offset += source.length;
    return { kind: 'number', at, source };
  }

  private readObject(pointer: string, depth: number): JsonObject {
    const at = this.offset;
    const members: JsonMember[] = [];
    const names = new Set<string>();
    this.readList('}', () => {
      const nameAt = this.offset;
      if (this.text[nameAt] !== '"') this.stop('a member name in double quotes should stand here');
      const name = this.readString();
      const memberPointer = pointer + pointerStep(name);
      this.checkCharacters(name, memberPointer, nameAt);
      this.skipSpace();
      if (this.text[this.offset] !== ':') this.stop('a colon should stand here, between name and value');
      this.offset += 1;
      this.skipSpace();
      const value = this.readValue(memberPointer, depth + 1);
      if (names.has(name)) {
        const message = 'this name appears twice in one object, and readers would differ on which counts; keep one';
        this.faults.push({ code: 'DUPLICATE_KEY', message, pointer: memberPointer, at: nameAt });
      } else {
        names.add(name);
        members.push({ name, at: nameAt, value });
      }
    });
    return { kind: 'object', at, members };
  }

  private readArray(pointer: string, depth: number): JsonArray {
    const at = this.offset;
    const items: JsonNode[] = [];
    this.readList(']', () => {
      items.push(this.readValue(pointer + pointerStep(items.length), depth + 1));
    });
    return { kind: 'array', at, items };
  }

  /** From the opening bracket to the closing one, `readEntry` between commas. */
  private readList(end: string, readEntry: () => void): void {
    this.offset += 1;
    this.skipSpace();
    if (this.text[this.offset] === end) {
      this.offset += 1;
      return;
    }
    for (;;) {
      readEntry();
      this.skipSpace();
      const character = this.text[this.offset];
      if (character !== ',' && character !== end) this.stop(`a comma or ${quoteMark(end)} should stand here`);
      this.offset += 1;
      if (character === end) return;
      this.skipSpace();
      if (this.text[this.offset] === end) this.stop('a comma stands before the end of the list; remove it');
    }
  }

  private readString(): string {
    let value = '';
    this.offset += 1;
    for (;;) {
      const character = this.text[this.offset];
      if (character === undefined) this.stop('the text ends inside a string; close it with a double quote');
      if (character === '"') {
        this.offset += 1;
        return value;
      }
      if (character === '\\') value += this.readEscape();
      // A raw U+0000 passes here, to be refused by name like its escaped form.
      else if (character < ' ' && character !== '\0')
        this.stop('a control character in a string; write it as an escape');
      else {
        value += character;
        this.offset += 1;
      }
    }
  }

  private readEscape(): string {
    const letter = this.text[this.offset + 1] ?? '';
    const simple = simpleEscapes.get(letter);
    if (simple !== undefined) {
      this.offset += 2;
      return simple;
    }
    const digits = this.text.slice(this.offset + 2, this.offset + 6);
    if (letter !== 'u' || !/^[0-9a-fA-F]{4}$/.test(digits)) this.stop('not an escape; a backslash is written twice');
    this.offset += 6;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  private skipSpace(): void {
    while (this.offset < this.text.length && ' \t\n\r'.includes(this.text.charAt(this.offset))) this.offset += 1;
  }

  private checkCharacters(value: string, pointer: string, at: number): void {
    const fault = characterFault(value, pointer, at);
    if (fault !== null) this.faults.push(fault);
  }

  private stop(message: string): never {
    throw new ReadingStopped({ code: 'JSON_SYNTAX', message, pointer: '', at: this.offset });
  }
}

const simpleEscapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

function quoteMark(character: string): string {
  return `\`${character}\``;
}

class ValueReader {
  readonly faults: JsonFault[] = [];

  constructor(private budget: number) {}

  read(value: unknown, pointer: string, depth: number): JsonNode {
    this.spend(1);
    if (value === null) return { kind: 'null', at: null, source: 'null' };
    if (typeof value === 'boolean') return { kind: 'boolean', at: null, source: String(value) };
    if (typeof value === 'number' && Number.isFinite(value))
      return { kind: 'number', at: null, source: JSON.stringify(value) };
    if (typeof value === 'string') {
      this.readText(value, pointer);
      return { kind: 'string', at: null, value };
    }
    if (typeof value !== 'object')
      this.stop(
        `\`${typeof value === 'number' ? value : typeof value}\` is not JSON; give JSON text or plain values`,
        pointer,
      );
    if (depth > deepest) throw tooDeep(pointer, null);
    return Array.isArray(value) ? this.readArray(value, pointer, depth) : this.readObject(value, pointer, depth);
  }

  private readArray(value: readonly unknown[], pointer: string, depth: number): JsonArray {
    const items: JsonNode[] = [];
    for (let index = 0; index < value.length; index += 1) {
      const itemPointer = pointer + pointerStep(index);
      items.push(this.read(this.dataProperty(value, String(index), itemPointer), itemPointer, depth + 1));
    }
    return { kind: 'array', at: null, items };
  }

  private readObject(value: object, pointer: string, depth: number): JsonObject {
    const prototype: unknown = Object.getPrototypeOf(value);
    // `Object.prototype` of any realm has no prototype of its own; instances of classes are one step further.
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
      this.stop('an instance of a class is not JSON; give JSON text or plain values', pointer);
    const members: JsonMember[] = [];
    for (const name of Object.keys(value)) {
      const memberPointer = pointer + pointerStep(name);
      this.readText(name, memberPointer);
      const member = this.dataProperty(value, name, memberPointer);
      // As JSON has it: a member without a value is not there.
      if (member !== undefined) members.push({ name, at: null, value: this.read(member, memberPointer, depth + 1) });
    }
    return { kind: 'object', at: null, members };
  }

  /** Reads a property without running code of the value's owner: a getter could answer differently each time. */
  private dataProperty(value: object, name: string, pointer: string): unknown {
    const descriptor = Object.getOwnPropertyDescriptor(value, name);
    if (descriptor?.get !== undefined || descriptor?.set !== undefined)
      this.stop('a property with a getter is not JSON; give JSON text or plain values', pointer);
    return descriptor?.value as unknown;
  }

  private readText(value: string, pointer: string): void {
    this.spend(value.length + 2);
    const fault = characterFault(value, pointer, null);
    if (fault !== null) this.faults.push(fault);
  }

  private spend(characters: number): void {
    this.budget -= characters;
    if (this.budget < 0)
      throw new ReadingStopped({
        code: 'IAM.1021',
        message: 'the policy is far too long to be read; split it',
        pointer: '',
        at: null,
      });
  }

  private stop(message: string, pointer: string): never {
    throw new ReadingStopped({ code: 'NOT_JSON', message, pointer, at: null });
  }
}
