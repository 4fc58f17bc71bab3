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

/**
 * Reads JSON text. A member named `__proto__` becomes an own property like any other, as `JSON.parse` has it; whoever
 * copies such an object must not assign member by member.
 */
export function readJson(text: string, what: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message repeats a piece of the input, which may be a password.
    throw new HttpFault(400, `${what} is not JSON; send one JSON object`);
  }
  const fault = structuralFault(text, value);
  if (fault === 'DUPLICATE_KEY') {
    throw new HttpFault(
      400,
      `${what} has a name twice in one object, and readers would differ on which counts; keep one`,
    );
  }
  if (fault === 'TOO_DEEP') throw new HttpFault(400, `${what} is nested deeper than ${deepest} levels; flatten it`);
  return value;
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
