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
  const fault = structuralFault(text);
  if (fault === 'DUPLICATE_KEY') {
    throw new HttpFault(
      400,
      `${what} has a name twice in one object, and readers would differ on which counts; keep one`,
    );
  }
  if (fault === 'TOO_DEEP') throw new HttpFault(400, `${what} is nested deeper than ${deepest} levels; flatten it`);
  return value;
}

/** One pass over text that is known to be JSON: what the parser lets pass and this server does not. */
function structuralFault(text: string): 'DUPLICATE_KEY' | 'TOO_DEEP' | null {
  // For each open bracket the names seen in that object; null for an array.
  const open: (Set<string> | null)[] = [];
  let expectsName = false;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case 0x7b: // {
        open.push(new Set());
        expectsName = true;
        break;
      case 0x5b: // [
        open.push(null);
        expectsName = false;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        open.pop();
        expectsName = false;
        break;
      case 0x2c: // ,
        expectsName = open.at(-1) instanceof Set;
        break;
      case 0x22: {
        // "
        const end = endOfString(text, at);
        if (expectsName) {
          const names = open.at(-1);
          const name = nameOf(text.slice(at, end + 1));
          if (names?.has(name) === true) return 'DUPLICATE_KEY';
          names?.add(name);
          expectsName = false;
        }
        at = end;
        break;
      }
      default:
        break;
    }
    if (open.length > deepest) return 'TOO_DEEP';
  }
  return null;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1;
  return at;
}

// Two spellings of one name (`a`, `\u0061`) are the same name.
function nameOf(quoted: string): string {
  return quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
}
