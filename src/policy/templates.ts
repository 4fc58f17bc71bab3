/**
 * Variables in resources and condition values: `${key}` and `${key, 'default'}`.
 *
 * Text is cut into parts once; a variable's value takes the place of its part and is a literal from then on. It is
 * never put into text that is read again: a user named `*` must not become a wildcard, one named `a:b` must not add a
 * segment. Source: the decisions on operators in the project's rules, and domain facts, section a3.
 */
import type { RequestContext } from './context.js';
import { anyRun, type Glob, type GlobToken, literalGlob, readGlob } from './globs.js';

export type TemplatePart =
  /** As written; wildcards and colons in it count where the place knows them. */
  | { readonly kind: 'text'; readonly text: string }
  /** Stands for itself: an escape (`${*}`, `${?}`, `${$}`), or what a variable came to. */
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'variable'; readonly key: string; readonly fallback: string | null };

export type Template = readonly TemplatePart[];

/** Either the parts, or what is wrong with the first variable that cannot be read. */
export type TemplateReading =
  { readonly template: Template; readonly fault: null } | { readonly template: null; readonly fault: string };

/**
 * Cuts text into parts. A `$` without `{` is an ordinary character. Keys are trimmed; they hold none of `$ { } , ' * ?`.
 * A default is any text without a single quote, the empty text too.
 */
export function readTemplate(text: string): TemplateReading {
  const parts: TemplatePart[] = [];
  let offset = 0;
  while (offset < text.length) {
    const opening = text.indexOf('${', offset);
    if (opening !== offset) {
      const end = opening < 0 ? text.length : opening;
      parts.push({ kind: 'text', text: text.slice(offset, end) });
      offset = end;
      continue;
    }
    const variable = readVariable(text, opening + 2);
    if (typeof variable === 'string') return { template: null, fault: variable };
    parts.push(variable.part);
    offset = variable.end;
  }
  return { template: parts, fault: null };
}

/** Whether the text says anything that depends on the request. Unreadable text counts as if it did. */
export function hasVariables(text: string): boolean {
  const { template } = readTemplate(text);
  return template === null || template.some((part) => part.kind === 'variable');
}

/** A template after its variables were looked up. */
export interface Resolution {
  /** Variables that stayed unresolved are still in it; there are some iff `missing` or `problems` names any. */
  readonly template: Template;
  /** Keys of variables that the request lacks and that have no default. */
  readonly missing: readonly string[];
  /** Variables whose key has several values: which one is meant cannot be known, so none is taken. */
  readonly problems: readonly string[];
}

/**
 * Puts the request's values in the place of variables. An absent key takes its default; without one, or when the key
 * has several values, the variable stays. Callers let what stays unresolved fit nothing.
 */
export function resolveTemplate(template: Template, context: RequestContext): Resolution {
  const missing: string[] = [];
  const problems: string[] = [];
  const resolved = template.map((part): TemplatePart => {
    if (part.kind !== 'variable') return part;
    const values = context.get(part.key.toLowerCase()) ?? [];
    const [value] = values;
    if (value !== undefined && values.length === 1) return { kind: 'literal', text: value };
    if (value !== undefined)
      problems.push(`variable \`${part.key}\` has ${values.length} values; a variable needs one`);
    else if (part.fallback !== null) return { kind: 'literal', text: part.fallback };
    else missing.push(part.key);
    return part;
  });
  return { template: resolved, missing, problems };
}

/** The text that a fully resolved template comes to, wildcards as ordinary characters. */
export function templateText(template: Template): string {
  return template.map((part) => (part.kind === 'variable' ? '' : part.text)).join('');
}

/** A pattern in which `text` parts may hold wildcards. A variable still there fits any run of characters. */
export function templateGlob(template: Template): Glob {
  return template.flatMap((part): GlobToken[] => {
    if (part.kind === 'variable') return [anyRun];
    return [...(part.kind === 'text' ? readGlob(part.text) : literalGlob(part.text))];
  });
}

/** The template cut at the first `count - 1` colons that stand in its own text; colons of values do not cut. */
export function splitTemplate(template: Template, count: number): Template[] {
  const segments: TemplatePart[][] = [[]];
  for (const part of template) {
    if (part.kind !== 'text') {
      segments.at(-1)?.push(part);
      continue;
    }
    let rest = part.text;
    for (let colon = rest.indexOf(':'); colon >= 0 && segments.length < count; colon = rest.indexOf(':')) {
      segments.at(-1)?.push({ kind: 'text', text: rest.slice(0, colon) });
      segments.push([]);
      rest = rest.slice(colon + 1);
    }
    segments.at(-1)?.push({ kind: 'text', text: rest });
  }
  return segments;
}

/** Reads from after `${`; answers the part and where it ends, or what is wrong. */
function readVariable(text: string, start: number): { part: TemplatePart; end: number } | string {
  const escape = text.charAt(start);
  if ('*?$'.includes(escape) && escape !== '' && text.charAt(start + 1) === '}')
    return { part: { kind: 'literal', text: escape }, end: start + 2 };
  let offset = start;
  while (offset < text.length && text[offset] !== ',' && text[offset] !== '}') offset += 1;
  if (offset === text.length) return 'a variable is not closed; write `${key}`';
  const key = text.slice(start, offset).trim();
  if (key === '' || /[${'*?]/.test(key))
    return 'a variable names no key; write `${key}`, or `${*}`, `${?}`, `${$}` for the character itself';
  if (text[offset] === '}') return { part: { kind: 'variable', key, fallback: null }, end: offset + 1 };
  offset = skipSpaces(text, offset + 1);
  const closing = text.indexOf("'", offset + 1);
  if (text[offset] !== "'" || closing < 0) return "a default stands in single quotes; write `${key, 'default'}`";
  const end = skipSpaces(text, closing + 1);
  if (text[end] !== '}') return "a variable is not closed after its default; write `${key, 'default'}`";
  return { part: { kind: 'variable', key, fallback: text.slice(offset + 1, closing) }, end: end + 1 };
}

function skipSpaces(text: string, start: number): number {
  let offset = start;
  while (text[offset] === ' ') offset += 1;
  return offset;
}
