/**
 * Patterns made ready: what most of them are (a text, a text and a star, anything) is told by comparing strings; the
 * others are walked in the string itself. Each answers as `matchesGlob` does.
 */
import { anyOne, anyRun, type Glob, type GlobToken, matchesGlob, readGlob } from './globs.js';

export type TextTest = (text: string) => boolean;

/** What of a pattern can be looked up: the text that all that fits begins with, and whether nothing else fits. */
export interface Beginning {
  readonly text: string;
  readonly whole: boolean;
}

/** A pattern by what it is; most are not `OTHER`. */
export type Shape =
  | { readonly kind: 'ANY' }
  | { readonly kind: 'TEXT'; readonly text: string }
  /** Begins and ends with these, which do not overlap; one of them may be blank. */
  | { readonly kind: 'AROUND'; readonly before: string; readonly after: string }
  | { readonly kind: 'OTHER'; readonly fits: TextTest };

/** Half a surrogate pair is a character of its own to a pattern, and part of another one to string comparison. */
const halfPair = /\p{Surrogate}/u;

export function shapeOf(glob: Glob): Shape {
  const texts = glob.filter((token) => typeof token === 'string');
  // One by one: two halves with a wildcard between would make a whole one here.
  if (texts.some((text) => halfPair.test(text))) return { kind: 'OTHER', fits: (value) => matchesGlob(glob, value) };
  const tokens = glob.filter((token, i) => token !== anyRun || glob[i - 1] !== anyRun);
  if (tokens.includes(anyOne)) return { kind: 'OTHER', fits: (value) => walk(tokens, value) };
  const stars = tokens.filter((token) => token === anyRun).length;
  if (stars === 0) return { kind: 'TEXT', text: texts.join('') };
  if (tokens.length === 1) return { kind: 'ANY' };
  if (stars > 1) return { kind: 'OTHER', fits: compileChunks(tokens) };
  const star = tokens.indexOf(anyRun);
  return { kind: 'AROUND', before: tokens.slice(0, star).join(''), after: tokens.slice(star + 1).join('') };
}

/** `shapeOf` a pattern as written, without cutting most into characters first. */
export function shapeOfText(text: string): Shape {
  const star = text.indexOf('*');
  if (!text.includes('?') && !halfPair.test(text)) {
    if (star < 0) return { kind: 'TEXT', text };
    if (text.length === 1) return { kind: 'ANY' };
    if (text.indexOf('*', star + 1) < 0) {
      return { kind: 'AROUND', before: text.slice(0, star), after: text.slice(star + 1) };
    }
  }
  return shapeOf(readGlob(text));
}

export function compileGlob(glob: Glob): TextTest {
  return testOfShape(shapeOf(glob));
}

export function compileText(pattern: string): TextTest {
  return testOfShape(shapeOfText(pattern));
}

function testOfShape(shape: Shape): TextTest {
  switch (shape.kind) {
    case 'ANY':
      return () => true;
    case 'TEXT':
      return (value) => value === shape.text;
    case 'OTHER':
      return shape.fits;
    case 'AROUND': {
      const { before, after } = shape;
      if (after === '') return (value) => value.startsWith(before);
      if (before === '') return (value) => value.endsWith(after);
      const least = before.length + after.length;
      return (value) => value.length >= least && value.startsWith(before) && value.endsWith(after);
    }
  }
}

/** Texts between stars, each found at the first place after the one before: none further right fits what that does not. */
function compileChunks(tokens: readonly GlobToken[]): TextTest {
  const chunks: string[] = [''];
  for (const token of tokens) {
    if (token === anyRun) chunks.push('');
    else chunks[chunks.length - 1] += String(token);
  }
  const first = chunks[0] ?? '';
  const last = chunks[chunks.length - 1] ?? '';
  const between = chunks.slice(1, -1);
  const least = first.length + last.length;
  return (value) => {
    if (value.length < least || !value.startsWith(first) || !value.endsWith(last)) return false;
    const end = value.length - last.length;
    let from = first.length;
    for (const chunk of between) {
      const at = value.indexOf(chunk, from);
      if (at < 0) return false;
      from = at + chunk.length;
    }
    return from <= end;
  };
}

/** As `matchesGlob`, without cutting the value into characters first. */
function walk(tokens: readonly GlobToken[], value: string): boolean {
  let token = 0;
  let at = 0;
  let starToken = -1;
  let starReach = 0;
  while (at < value.length) {
    const wanted = tokens[token];
    if (wanted === anyRun) {
      starToken = token;
      starReach = at;
      token += 1;
    } else if (wanted === anyOne) {
      at += widthAt(value, at);
      token += 1;
    } else if (typeof wanted === 'string' && value.startsWith(wanted, at)) {
      at += wanted.length;
      token += 1;
    } else if (starToken >= 0) {
      starReach += widthAt(value, starReach);
      token = starToken + 1;
      at = starReach;
    } else {
      return false;
    }
  }
  while (tokens[token] === anyRun) token += 1;
  return token === tokens.length;
}

/** Code units of the character there. */
function widthAt(value: string, at: number): number {
  return (value.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

/** What all that fits begins with. */
export function beginningOf(shape: Shape, pattern: string): Beginning {
  switch (shape.kind) {
    case 'ANY':
      return { text: '', whole: false };
    case 'TEXT':
      return { text: shape.text, whole: true };
    case 'AROUND':
      return { text: shape.before, whole: false };
    case 'OTHER': {
      const text = /^[^*?]*/.exec(pattern)?.[0] ?? '';
      return { text: halfPair.test(text) ? '' : text, whole: false };
    }
  }
}
