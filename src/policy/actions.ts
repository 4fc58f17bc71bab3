/**
 * Action names and patterns: `service:type:operation`.
 *
 * A name has three segments; the type may be blank (`modelarts::tagResource`). A pattern keeps its segments: each
 * segment is a wildcard pattern of its own, `*` fits an empty one, and none reaches across a colon. Case never counts.
 * One text stands outside: `*` alone is every action (5.0 and simulated documents).
 * Source: domain facts, sections a1, a5 and k (rule 3).
 */
import { globCovers, globsOverlap, matchesGlob, readGlob } from './globs.js';

/**
 * Whether this is the name of one action, as a request must give it, and not a pattern. Segments are not counted, since
 * simulated requests may have any form; a name without three simply fits no pattern that has three.
 */
export function isConcreteAction(action: string): boolean {
  return action !== '' && !/[*?\s\u0000-\u001f]/.test(action);
}

/** Whether an action fits a pattern. False for an action that is itself a pattern: that question has no answer. */
export function matchesActionPattern(pattern: string, action: string): boolean {
  return actionMatcher(pattern)(action);
}

/** `matchesActionPattern` for one pattern and many actions: the pattern is read once. */
export function actionMatcher(pattern: string): (action: string) => boolean {
  if (isEveryAction(pattern)) return isConcreteAction;
  const globs = segmentsOf(pattern).map((segment) => readGlob(segment));
  return (action) => {
    if (!isConcreteAction(action)) return false;
    const names = segmentsOf(action);
    return globs.length === names.length && globs.every((glob, i) => matchesGlob(glob, names[i] ?? ''));
  };
}

/** A name as `actionsMatcher` takes it: in segments, without case. */
export function readActionName(action: string): readonly string[] {
  return segmentsOf(action);
}

/**
 * The patterns read once, for those who meet many names with them: says of a concrete name whether it fits some of them, as
 * `matchesActionPattern` does.
 */
export function actionsMatcher(patterns: readonly string[]): (name: readonly string[]) => boolean {
  if (patterns.some(isEveryAction)) return () => true;
  const read = patterns.map((pattern) =>
    segmentsOf(pattern).map((segment) => (/[*?]/.test(segment) ? readGlob(segment) : segment)),
  );
  return (name) =>
    read.some(
      (segments) =>
        segments.length === name.length &&
        segments.every((segment, i) =>
          typeof segment === 'string' ? segment === name[i] : matchesGlob(segment, name[i] ?? ''),
        ),
    );
}

/**
 * Whether every action that fits `narrower` fits `wider`. May say no too often, never yes wrongly. `*:*:*` does not
 * cover `*`, which also fits names of other forms.
 */
export function actionPatternCovers(wider: string, narrower: string): boolean {
  if (isEveryAction(wider)) return true;
  const wide = segmentsOf(wider);
  const narrow = segmentsOf(narrower);
  return (
    wide.length === narrow.length &&
    wide.every((segment, i) => globCovers(readGlob(segment), readGlob(narrow[i] ?? '')))
  );
}

/** Whether some action name fits both patterns. Exact for names; aliases are the caller's business. */
export function actionPatternsOverlap(a: string, b: string): boolean {
  if (isEveryAction(a) || isEveryAction(b)) return true;
  const left = segmentsOf(a);
  const right = segmentsOf(b);
  return (
    left.length === right.length &&
    left.every((segment, i) => globsOverlap(readGlob(segment), readGlob(right[i] ?? '')))
  );
}

/** What is wrong with an action of a document; `form` marks what a simulated document may have all the same. */
export interface ActionFault {
  readonly kind: 'form' | 'content';
  readonly message: string;
}

/**
 * Checks an action of a document. The service must be written in lower case (it is compared without, but the published
 * grammar has it so); characters are ASCII letters, digits, `_ - . /` and the wildcards.
 *
 * @param allowLoneStar whether `*` alone may stand for every action
 */
export function checkAction(text: string, allowLoneStar: boolean): ActionFault | null {
  if (text === '*' && allowLoneStar) return null;
  if (!/^[A-Za-z0-9_\-./*?:]+$/.test(text))
    return {
      kind: 'content',
      message: 'an action has letters, digits, `_-./`, colons, `*` and `?` only; remove the rest',
    };
  const [service = '', , ...rest] = text.split(':');
  if (service !== service.toLowerCase())
    return { kind: 'content', message: `the service is written in lower case; write \`${service.toLowerCase()}\`` };
  if (rest.length !== 1 || service === '' || rest[0] === '')
    return { kind: 'form', message: 'an action has three segments; write `service:type:operation`' };
  return null;
}

/** The one action, under its two published names, that agency URIs go with. Source: domain facts, section a1. */
export function isAssumeAction(action: string): boolean {
  return ['iam:agencies:assume', 'iam:tokens:assume'].includes(action.toLowerCase());
}

function isEveryAction(pattern: string): boolean {
  return /^\*+$/.test(pattern);
}

function segmentsOf(action: string): string[] {
  return action.toLowerCase().split(':');
}
