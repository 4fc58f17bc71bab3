/**
 * Patterns made ready: what most of them are (a text, a text and a star, anything) is told by comparing strings; only the
 * others walk the pattern. Each answers as `matchesGlob` does.
 */
import { anyRun, type Glob, matchesGlob } from './globs.js';

export type TextTest = (text: string) => boolean;

export const anyText: TextTest = () => true;

/** What of a pattern can be looked up: the text that all that fits begins with, and whether nothing else fits. */
export interface Beginning {
  readonly text: string;
  readonly whole: boolean;
}

/** Half a surrogate pair is a character of its own to a pattern, and part of another one to string comparison. */
const halfPair = /\p{Surrogate}/u;

export function compileGlob(glob: Glob): TextTest {
  const stars = glob.filter((token) => token === anyRun).length;
  const plain = glob.every((token) => typeof token === 'string' || token === anyRun);
  const text = glob.filter((token) => typeof token === 'string').join('');
  if (!plain || stars > 1 || halfPair.test(text)) return (value) => matchesGlob(glob, value);
  if (stars === 0) return (value) => value === text;
  if (text === '') return anyText;
  const star = glob.indexOf(anyRun);
  const before = glob.slice(0, star).join('');
  const after = glob.slice(star + 1).join('');
  if (after === '') return (value) => value.startsWith(before);
  if (before === '') return (value) => value.endsWith(after);
  const least = before.length + after.length;
  return (value) => value.length >= least && value.startsWith(before) && value.endsWith(after);
}

export function beginningOf(glob: Glob): Beginning {
  const first = glob.findIndex((token) => typeof token !== 'string');
  const text = (first < 0 ? glob : glob.slice(0, first)).join('');
  return halfPair.test(text) ? { text: '', whole: false } : { text, whole: first < 0 };
}
