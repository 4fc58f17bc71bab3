/**
 * Tags in the form in which statements look for them: a line for each, key and value as JSON, sorted.
 *
 *     "stage":"prod"
 *     "team":"vision"
 *
 * JSON has no bare line break inside a text, so what lies between two is a whole tag: the text of a line with the breaks
 * around it is found if and only if the tag is there, whatever stands in other keys and values.
 */
import { tagFacts } from '../policy/index.js';

/** Keys without letter case, one line for each that has a value: what conditions see of the tags. */
export function tagLines(tags: readonly { readonly key: string; readonly value: string }[]): string {
  const lines = [...tagFacts(tags)].map(([key, value]) => `${JSON.stringify(key)}:${tagValue(value)}`);
  return lines.length === 0 ? '' : `\n${lines.sort().join('\n')}\n`;
}

/** A tag with its value, as `tagLines` has it. */
export function tagLine(key: string, value: string): string {
  return `${tagKeyLine(key)}${tagValue(value)}\n`;
}

/** The beginning of a tag's line, whatever its value. */
export function tagKeyLine(key: string): string {
  return `\n${JSON.stringify(key)}:`;
}

/** A value as it stands in a line. */
export function tagValue(value: string): string {
  return JSON.stringify(value);
}
