/**
 * Resource names and patterns: `service:region:account:type:path`.
 *
 * Only the first four colons cut: a path may hold colons itself. Each segment of a pattern is a wildcard pattern of its
 * own. A blank segment of a pattern fits anything (`obs:::bucket:*` is written so in the vendors' documents); a blank
 * segment of a request is an empty text, so only a blank segment or stars fit it. Wildcards in a request are ordinary
 * characters. Letter case counts except in the service. A pattern of stars and blanks only (`*`, `*:*:*:*:*`) is every
 * resource, and the only kind that also fits a request that is about none.
 * Source: domain facts, sections a1 and a5.
 */
import type { RequestContext } from './context.js';
import { anyRun, type Glob, globCovers, globsOverlap, matchesGlob } from './globs.js';
import { quote } from './problems.js';
import { readTemplate, resolveTemplate, splitTemplate, type Template, templateGlob } from './templates.js';

/** How many segments a resource has; what follows the fourth colon is the path. */
export const segmentCount = 5;

/** How one pattern meets one request. */
export interface ResourceMatch {
  readonly matches: boolean;
  /** Variables' keys without which it cannot be told, though every other part of the pattern fits. */
  readonly missing: readonly string[];
  /** Why the pattern could not be used. */
  readonly problems: readonly string[];
}

/**
 * Whether a resource fits a pattern that may have variables. A pattern with a variable that cannot be resolved fits
 * nothing, and says what was missing if the pattern would otherwise fit.
 *
 * @param resource null when the request is about no resource in particular
 */
export function matchResource(pattern: string, resource: string | null, context: RequestContext): ResourceMatch {
  return meetTemplate(readPattern(pattern), resource, context);
}

/** A pattern, read once. */
export interface ReadPattern {
  readonly pattern: string;
  readonly every: boolean;
  /** Null for one that cannot be read, and then the fault says why. */
  readonly template: Template | null;
  readonly fault: string | null;
}

export function readPattern(pattern: string): ReadPattern {
  return { pattern, every: isEveryResource(pattern), ...readTemplate(pattern) };
}

/** `matchResource` for a pattern that was read before. */
export function meetTemplate(
  { pattern, every, template, fault }: ReadPattern,
  resource: string | null,
  context: RequestContext,
): ResourceMatch {
  if (template === null) {
    const problem = `the resource ${quote(pattern)} cannot be used: ${fault ?? 'it cannot be read'}`;
    return { matches: false, missing: [], problems: [problem] };
  }
  if (every) return fitsPlainly;
  if (resource === null) return missesPlainly;
  const resolution = resolveTemplate(template, context);
  const fits = fitsSegments(resolution.template, resource);
  if (resolution.missing.length === 0 && resolution.problems.length === 0) return fits ? fitsPlainly : missesPlainly;
  return { matches: false, missing: fits ? resolution.missing : [], problems: fits ? resolution.problems : [] };
}

const fitsPlainly: ResourceMatch = { matches: true, missing: [], problems: [] };
const missesPlainly: ResourceMatch = { matches: false, missing: [], problems: [] };

/** What a pattern comes to for one request, whichever resource it may be about. */
export type ResourcePatternReading =
  | 'UNREADABLE'
  | 'EVERY_RESOURCE'
  /** Not resolved: some variable is not known, so the pattern fits nothing; its segments have any run in its place. */
  | { readonly segments: readonly Glob[]; readonly resolved: boolean };

/** Reads a pattern as `matchResource` does, for those who meet many resources with it. */
export function readResourcePattern(pattern: string, context: RequestContext): ResourcePatternReading {
  const { template } = readTemplate(pattern);
  if (template === null) return 'UNREADABLE';
  if (isEveryResource(pattern)) return 'EVERY_RESOURCE';
  const { template: resolution, missing, problems } = resolveTemplate(template, context);
  return { segments: segmentGlobs(resolution), resolved: missing.length === 0 && problems.length === 0 };
}

/** Whether a resource fits a pattern when nothing is known about the request: variables without default fit nothing. */
export function matchesResourcePattern(pattern: string, resource: string): boolean {
  return matchResource(pattern, resource, new Map()).matches;
}

/**
 * Whether every resource that fits `narrower`, whoever asks, fits `wider`. May say no too often, never yes wrongly.
 *
 * A variable in `narrower` may come to any text. A `wider` with a variable covers nothing: for one request it stands
 * for one text, for a request without the key for none.
 */
export function resourcePatternCovers(wider: string, narrower: string): boolean {
  if (isEveryResource(wider)) return true;
  if (isEveryResource(narrower)) return false;
  const wide = readTemplate(wider).template;
  const narrow = readTemplate(narrower).template;
  // A pattern that cannot be read fits nothing, so anything covers it; it cannot itself cover.
  if (wide === null || wide.some((part) => part.kind === 'variable')) return false;
  if (narrow === null) return true;
  const over = segmentGlobs(wide);
  const under = segmentGlobs(narrow);
  return over.length === under.length && over.every((segment, i) => globCovers(segment, under[i] ?? []));
}

/** Whether some resource may fit both patterns; false only when certainly none does. */
export function resourcePatternsMayOverlap(a: string, b: string): boolean {
  if (isEveryResource(a) || isEveryResource(b)) return true;
  const left = readTemplate(a).template;
  const right = readTemplate(b).template;
  if (left === null || right === null) return false;
  const ones = segmentGlobs(left);
  const others = segmentGlobs(right);
  return ones.length === others.length && ones.every((segment, i) => globsOverlap(segment, others[i] ?? []));
}

/** What is wrong with a resource of a document; `form` marks what a simulated document may have all the same. */
export interface ResourceFault {
  readonly code: 'BAD_RESOURCE' | 'BAD_VARIABLE';
  readonly kind: 'form' | 'content';
  readonly message: string;
}

/** Checks a resource of a document: five segments or `*` alone, readable variables, and none in the service. */
export function checkResource(text: string): ResourceFault | null {
  const { template, fault } = readTemplate(text);
  if (template === null) return { code: 'BAD_VARIABLE', kind: 'content', message: fault };
  if (/[\u0000-\u001f\u007f]/.test(text))
    return { code: 'BAD_RESOURCE', kind: 'content', message: 'a resource has no control characters; remove them' };
  if (/^\*+$/.test(text)) return null;
  const [service = [], ...rest] = splitTemplate(template, segmentCount);
  if (rest.length !== segmentCount - 1) {
    const message = 'a resource has five segments; write `service:region:account:type:path`, or `*` for all';
    return { code: 'BAD_RESOURCE', kind: 'form', message };
  }
  if (service.some((part) => part.kind !== 'text')) {
    return {
      code: 'BAD_VARIABLE',
      kind: 'content',
      message: 'the service of a resource cannot be a variable; name it',
    };
  }
  return null;
}

/**
 * The pattern that an agency URI of the object form stands for, or null when it is not `/iam/agencies/<id>`. Ids may
 * have wildcards. Source: domain facts, section a1 ("Resource for agencies").
 */
export function agencyUriPattern(uri: string): string | null {
  const id = /^\/iam\/agencies\/([A-Za-z0-9_.*?-]+)$/.exec(uri)?.[1];
  return id === undefined ? null : `iam:*:*:agency:${id}`;
}

export function isEveryResource(pattern: string): boolean {
  return /^\*+$|^\**(:\**){4}$/.test(pattern);
}

function fitsSegments(template: Template, resource: string): boolean {
  const globs = segmentGlobs(template);
  const texts = splitTemplate([{ kind: 'text', text: resource }], segmentCount).map((segment) =>
    segment.map((part) => (part.kind === 'variable' ? '' : part.text)).join(''),
  );
  return (
    globs.length === texts.length &&
    globs.every((glob, i) => matchesGlob(glob, i === 0 ? (texts[i] ?? '').toLowerCase() : (texts[i] ?? '')))
  );
}

/** Segments as globs: service in lower case, blank as anything, unresolved variables as any run. */
function segmentGlobs(template: Template): Glob[] {
  return splitTemplate(template, segmentCount).map((segment, i) => {
    const parts = i === 0 ? segment.map(withoutCase) : segment;
    // Blank as written. A variable that came to nothing is not blank: it must not widen what its author named.
    return parts.every((part) => part.kind === 'text' && part.text === '') ? [anyRun] : templateGlob(parts);
  });
}

function withoutCase(part: Template[number]): Template[number] {
  return part.kind === 'variable' ? part : { kind: part.kind, text: part.text.toLowerCase() };
}
