/** A plan for a person at a terminal, and as JSON for a program. */
import type { DocumentKind, FileProblem, Place } from './documents.js';
import { quoted, type Detail, type Plan, type PlannedChange, type Verb } from './planning.js';

export const signs: Readonly<Record<Verb, string>> = { CREATE: '+', UPDATE: '~', DELETE: '-', KEEP: '=' };

/** Of one kind and verb so many are shown, unless all are asked for. */
const mostShown = 50;

export function printPlan({ changes }: Plan, full = false): string {
  const shown = new Map<string, number>();
  const lines: string[] = [];
  for (const change of changes) {
    if (change.verb === 'KEEP' && !full) continue;
    const group = `${change.verb} ${change.kind}`;
    const count = (shown.get(group) ?? 0) + 1;
    shown.set(group, count);
    if (full || count <= mostShown) lines.push(...printChange(change));
  }
  for (const [group, count] of shown) {
    const [verb = '', kind = ''] = group.split(' ');
    if (!full && count > mostShown) {
      lines.push(`${signs[verb as Verb]} … and ${count - mostShown} more of ${kind} (--full shows all)`);
    }
  }
  return `${[...lines.map(printable), summarise(changes)].join('\n')}\n`;
}

/** What moves the cursor, colours, ends lines, or turns the order of what is read. */
const unprintable = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * A line as it may stand on a terminal. What is printed here comes from files that somebody is still reviewing: it must look
 * like what it is, whatever is in names, values and the names of the files themselves. Escapes are those of JSON.
 */
export function printable(line: string): string {
  return line.replaceAll(unprintable, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** The same value for every parser, and printable. */
export function printJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2).split('\n').map(printable).join('\n')}\n`;
}

export function countOf(changes: readonly PlannedChange[], verb: Verb): number {
  return changes.filter((change) => change.verb === verb).length;
}

function summarise(changes: readonly PlannedChange[]): string {
  const [create, update, remove, keep] = (['CREATE', 'UPDATE', 'DELETE', 'KEEP'] as const).map((verb) =>
    countOf(changes, verb),
  );
  return `plan: ${create} to create, ${update} to change, ${remove} to delete, ${keep} as they are`;
}

function printChange({ verb, kind, name, place, details }: PlannedChange): readonly string[] {
  const where = place === null ? '' : `  (${place.file}:${place.line})`;
  return [`${signs[verb]} ${kind} ${quoted(name)}${where}`, ...details.map((detail) => `    ${printDetail(detail)}`)];
}

function printDetail({ field, before, after }: Detail): string {
  if (before === null) return `${field}: + ${short(after ?? '')}`;
  if (after === null) return `${field}: - ${short(before)}`;
  return `${field}: ${short(before)} -> ${short(after)}`;
}

const longest = 400;

function short(text: string): string {
  const shown = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return JSON.stringify(shown);
}

/** One line for each problem, as editors and continuous integration read it. */
export function printProblems(problems: readonly FileProblem[]): string {
  return problems
    .map(({ place, message }) => `${printable(`${place === null ? '' : `${printPlace(place)} `}${message}`)}\n`)
    .join('');
}

export function printPlace({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

export interface ShownChange {
  readonly verb: Verb;
  readonly kind: DocumentKind;
  readonly name: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly details: readonly Detail[];
}

export function showChange({ verb, kind, name, place, details }: PlannedChange): ShownChange {
  return { verb, kind, name, file: place?.file ?? null, line: place?.line ?? null, details };
}
