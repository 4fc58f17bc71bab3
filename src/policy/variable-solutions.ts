/** What a variable of a pattern would have to be for the pattern to come to a given text. */
import { readTemplate } from './templates.js';

/** Two runs side by side would be tried in every division of the text, so long texts and many runs are not looked at. */
const mostCharacters = 300;
const mostRuns = 4;

/** A pattern with a variable that is looked for. */
export class Equation {
  readonly #pattern: RegExp;

  constructor(pattern: RegExp) {
    this.#pattern = pattern;
  }

  /** The value that makes the pattern, a text with wildcards, come to another text; null when none is seen. */
  solve(text: string): string | null {
    return text.length > mostCharacters ? null : (this.#pattern.exec(text)?.[1] ?? null);
  }
}

/**
 * Null when the pattern has no such variable, or too many runs.
 *
 * @param key in lower case
 */
export function readEquation(pattern: string, key: string): Equation | null {
  const { template } = readTemplate(pattern);
  if (template === null || !template.some((part) => part.kind === 'variable' && part.key.toLowerCase() === key)) {
    return null;
  }
  let taken = false;
  const source = template
    .map((part) => {
      if (part.kind === 'variable') {
        if (part.key.toLowerCase() !== key || taken) return '[^]*?';
        taken = true;
        return '([^]*?)';
      }
      const wild = part.kind === 'text';
      return Array.from(part.text, (character) =>
        wild && character === '*' ? '[^]*?' : wild && character === '?' ? '[^]' : escape(character),
      ).join('');
    })
    .join('');
  if (source.split('*?').length > mostRuns) return null;
  // Blank segments fit anything.
  const blanks = source.replace(/(?<=^|:)(?=:)/g, '[^:]*');
  return new Equation(new RegExp(`^${blanks}$`, 'u'));
}

function escape(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}
