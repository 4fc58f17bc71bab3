/** The one spelling of a JSON value (RFC 8785): members in the order of their UTF-16 code units, no space anywhere. */

/**
 * Takes whatever there is, because it also spells what somebody has put into a database, as far as JSON has a word for
 * it. What JSON has none for must not come here as it is (misstored.ts): bytes spell like an object.
 *
 *     canonicalJson({ b: 1, a: ['ü'] }) === '{"a":["ü"],"b":1}'
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = value as Readonly<Record<string, unknown>>;
    let text = '';
    for (const name of Object.keys(members).sort()) {
      const member = members[name];
      // As JSON.stringify has it: what is undefined is not there.
      if (member === undefined) continue;
      text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${canonicalJson(member)}`;
    }
    return `{${text}}`;
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? JSON.stringify(value)
    : 'null';
}

/**
 * The value of a text that this program wrote, which is of an object or a list; null for no text. Another spelling of it,
 * or no JSON at all, stays a text and so is never taken for what was written: a member that stands twice would be read in
 * two ways by two programs, and the text `null` is a text where nothing was.
 */
export function jsonAsWritten(text: unknown): unknown {
  if (typeof text !== 'string') return text ?? null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && JSON.stringify(value) === text ? value : text;
  } catch {
    return text;
  }
}
