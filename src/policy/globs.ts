/**
 * Wildcard patterns over one piece of text: fit, containment and overlap.
 *
 * `*` fits any run of characters, the empty one too, `?` exactly one. A character is a code point, so an emoji is one.
 * Patterns are token lists, not text: what came out of a variable is already a list of plain characters and can never
 * turn into a wildcard. Letter case and segments are the callers' business.
 *
 * INVARIANT: containment may miss cases but never claims one wrongly; overlap is exact. The no-escalation rule and the
 * pruning of statements stand on that.
 */

/** Any run of characters, the empty one too. */
export const anyRun = Symbol('*');
/** Exactly one character. */
export const anyOne = Symbol('?');
/** One place of a pattern: a character, or a wildcard. */
export type GlobToken = string | typeof anyRun | typeof anyOne;
export type Glob = readonly GlobToken[];

/** `text` with its `*` and `?` read as wildcards. */
export function readGlob(text: string): Glob {
  return Array.from(text, (character) => (character === '*' ? anyRun : character === '?' ? anyOne : character));
}

/** `text` taken as it is: every character stands for itself. */
export function literalGlob(text: string): Glob {
  return Array.from(text);
}

/** Whether `text` fits the pattern from its first character to its last. */
export function matchesGlob(glob: Glob, text: string): boolean {
  if (glob.length === 1 && glob[0] === anyRun) return true;
  const characters = Array.from(text);
  let token = 0;
  let character = 0;
  // Where the latest `*` stood and how far it reached: on a misfit only that one needs to reach further.
  let starToken = -1;
  let starReach = 0;
  while (character < characters.length) {
    const wanted = glob[token];
    if (wanted === anyRun) {
      starToken = token;
      starReach = character;
      token += 1;
    } else if (wanted !== undefined && (wanted === anyOne || wanted === characters[character])) {
      token += 1;
      character += 1;
    } else if (starToken >= 0) {
      starReach += 1;
      token = starToken + 1;
      character = starReach;
    } else {
      return false;
    }
  }
  while (glob[token] === anyRun) token += 1;
  return token === glob.length;
}

/**
 * Whether every text that fits `narrow` also fits `wide`. Sound, not complete.
 *
 * The wide pattern is laid over the narrow one as if that were text: `*` swallows any tokens, `?` swallows one
 * character or `?`, a character swallows itself. Whatever text the narrow tokens come to, the wide tokens that
 * swallowed them fit it piece by piece.
 */
export function globCovers(wide: Glob, narrow: Glob): boolean {
  const over = inOrder(wide);
  const under = inOrder(narrow);
  // covered[j]: the rest of `over` from the current token covers the rest of `under` from j.
  let covered = Array.from({ length: under.length + 1 }, (_, j) => j === under.length);
  for (let i = over.length - 1; i >= 0; i -= 1) {
    const token = over[i];
    const next: boolean[] = new Array<boolean>(under.length + 1).fill(false);
    for (let j = under.length; j >= 0; j -= 1) {
      const skipped = covered[j + 1] ?? false;
      if (token === anyRun) next[j] = (covered[j] ?? false) || (next[j + 1] ?? false);
      else if (j === under.length) next[j] = false;
      else if (token === anyOne) next[j] = under[j] !== anyRun && skipped;
      else next[j] = under[j] === token && skipped;
    }
    covered = next;
  }
  return covered[0] ?? false;
}

/** Whether some text fits both patterns. Exact. */
export function globsOverlap(a: Glob, b: Glob): boolean {
  // meets[j]: the rest of `a` from the current token and the rest of `b` from j share a text.
  let meets: boolean[] = [];
  for (let i = a.length; i >= 0; i -= 1) {
    const next: boolean[] = new Array<boolean>(b.length + 1).fill(false);
    for (let j = b.length; j >= 0; j -= 1) {
      const left = a[i];
      const right = b[j];
      if (left === undefined && right === undefined) next[j] = true;
      else if (left === anyRun) next[j] = (meets[j] ?? false) || (next[j + 1] ?? false);
      else if (right === anyRun) next[j] = (next[j + 1] ?? false) || (meets[j] ?? false);
      else if (left === undefined || right === undefined) next[j] = false;
      else next[j] = (left === anyOne || right === anyOne || left === right) && (meets[j + 1] ?? false);
    }
    meets = next;
  }
  return meets[0] ?? false;
}

/** The same pattern with each run of wildcards written one way, `?` before a single `*`, so that `*?` covers `?*`. */
function inOrder(glob: Glob): Glob {
  const ordered: GlobToken[] = [];
  let starPending = false;
  for (const token of glob) {
    if (token === anyRun) starPending = true;
    else {
      if (starPending && token !== anyOne) {
        ordered.push(anyRun);
        starPending = false;
      }
      ordered.push(token);
    }
  }
  if (starPending) ordered.push(anyRun);
  return ordered;
}
