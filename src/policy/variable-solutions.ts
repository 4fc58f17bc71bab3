/** What a variable of a pattern would have to be for the pattern to come to a given text. */
import { SharedParts } from './shared-parts.js';
import { readTemplate } from './templates.js';

/** Two runs side by side would be tried in every division of the text, so long texts and many runs are not looked at. */
const mostCharacters = 300;
const mostRuns = 4;

/** Null for a pattern in which nothing is to be solved. */
interface Equation {
  readonly solve: RegExp | null;
}

const equations = new SharedParts<Equation>(4_096);

/**
 * The value of a variable that makes a text with wildcards come to another; null when none is seen.
 *
 * @param key in lower case
 */
export function solveVariable(pattern: string, key: string, text: string): string | null {
  if (text.length > mostCharacters) return null;
  const { solve } = equations.take(`${key}\n${pattern}`, () => ({ solve: equationOf(pattern, key) }));
  return solve?.exec(text)?.[1] ?? null;
}

function equationOf(pattern: string, key: string): RegExp | null {
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
  return new RegExp(`^${blanks}$`, 'u');
}

function escape(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}
