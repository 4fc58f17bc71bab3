/**
 * JSON as clients send it, read strictly. `JSON.parse` alone keeps the last of two equal names silently, so that a
 * proxy and this server could see two different requests in one body; and it turns broken UTF-8 into U+FFFD before that.
 */
import { HttpFault } from './faults.js';

/** Nesting that is read; a request with a policy in its variables has about twelve levels. */
const deepest = 64;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a body; broken UTF-8 is refused, not mended. */
export function decodeText(bytes: Uint8Array, what: string): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new HttpFault(400, `${what} is not UTF-8; encode it so`);
  }
}

export interface ReadJson {
  readonly value: unknown;
  /**
   * Nothing in the text stands for something else: no escape, no name twice, no blank between. Strings of the value are then
   * pieces of the text, without control characters, and well-formed where that is.
   */
  readonly plain: boolean;
}

/**
 * Reads JSON text. A member named `__proto__` becomes an own property like any other, as `JSON.parse` has it; whoever
 * copies such an object must not assign member by member.
 */
export function readJson(text: string, what: string): ReadJson {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message repeats a piece of the input, which may be a password.
    throw new HttpFault(400, `${what} is not JSON; send one JSON object`);
  }
  // Most programs write no more than they must. To know what that comes to takes a tenth of the time of reading the text.
  if (leastLength(value, deepest) === text.length) return { value, plain: true };
  const fault = structuralFault(text, value);
  if (fault === 'DUPLICATE_KEY') {
    throw new HttpFault(
      400,
      `${what} has a name twice in one object, and readers would differ on which counts; keep one`,
    );
  }
  if (fault === 'TOO_DEEP') throw new HttpFault(400, `${what} is nested deeper than ${deepest} levels; flatten it`);
  return { value, plain: false };
}

/**
 * Length that every text of a value has at least; infinite for what is nested too deeply. A text as long as that has
 * nothing but the value: each escape, each blank, and each member that the parser dropped for a later one is more.
 */
function leastLength(value: unknown, levels: number): number {
  if (typeof value === 'string') return value.length + 2;
  // Of a number one digit is sure: 1000 may be written 1e3.
  if (typeof value !== 'object') return value === true ? 4 : value === false ? 5 : 1;
  if (value === null) return 4;
  if (levels === 0) return Infinity;
  if (Array.isArray(value)) {
    // What it has, a comma after each but the last, and two brackets.
    let length = Math.max(2, value.length + 1);
    for (let i = 0; i < value.length; i += 1) length += leastLength(value[i], levels - 1);
    return length;
  }
  const members = value as Readonly<Record<string, unknown>>;
  let length = 1;
  // A list of the names of each object would be most of what this costs.
  for (const name in members) {
    if (!Object.prototype.hasOwnProperty.call(members, name)) return Infinity;
    length += name.length + 4 + leastLength(members[name], levels - 1);
  }
  return Math.max(2, length);
}

/**
 * What the parser lets pass and this server does not. Of two equal names in one object, in whatever spelling, the parser
 * keeps one: then the text has more names than the value has members.
 */
function structuralFault(text: string, value: unknown): 'DUPLICATE_KEY' | 'TOO_DEEP' | null {
  const names = namesIn(text);
  if (names === null) return 'TOO_DEEP';
  return names > membersIn(value) ? 'DUPLICATE_KEY' : null;
}

/** How many names the objects of a text have that is known to be JSON; null when it is nested too deeply. */
function namesIn(text: string): number | null {
  let names = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case 0x7b: // {
      case 0x5b: // [
        depth += 1;
        if (depth > deepest) return null;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth -= 1;
        break;
      case 0x3a: // :
        names += 1;
        break;
      case 0x22: // "
        at = endOfString(text, at);
        break;
      default:
        break;
    }
  }
  return names;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1;
  return at;
}

/** How many members the objects of a value have that is not nested deeply. */
function membersIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') members += membersIn(item);
    return members;
  }
  for (const member of Object.values(value)) {
    members += 1;
    if (typeof member === 'object') members += membersIn(member);
  }
  return members;
}
