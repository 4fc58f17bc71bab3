/** `bailiwick policy check`: reads policy documents as the server would, and says all that is wrong with them. */
import { readFile } from 'node:fs/promises';
import { checkDocument, platformCatalogue } from '../catalogue/index.js';
import type { GrantScopeKind } from '../iam/index.js';
import { type ParsedPolicy, parsePolicy, type Problem } from '../policy/index.js';

export interface FileProblem {
  readonly file: string;
  readonly severity: 'ERROR' | 'WARNING';
  readonly code: string;
  readonly message: string;
  readonly pointer: string | null;
  readonly line: number | null;
  readonly column: number | null;
}

/** Stands for standard input among file names. */
export const standardInput = '-';

/** Kinds of scope that a policy may be meant for, as they are written on the command line. */
export const scopeNames = {
  account: 'ACCOUNT',
  all: 'ALL',
  'all-workspaces': 'ALL_WORKSPACES',
  'enterprise-project': 'ENTERPRISE_PROJECT',
  workspace: 'WORKSPACE',
} as const satisfies Readonly<Record<string, GrantScopeKind>>;

/**
 * All problems of these files, in their order, and in each file in the order of its text.
 *
 * @param scope where the policies are to be granted; null when nothing is known of that
 */
export async function checkPolicyFiles(
  files: readonly string[],
  readInput: () => Promise<Uint8Array>,
  scope: GrantScopeKind | null = null,
): Promise<readonly FileProblem[]> {
  const problems: FileProblem[] = [];
  for (const file of files) problems.push(...(await checkFile(file, readInput, scope)));
  return problems;
}

async function checkFile(
  file: string,
  readInput: () => Promise<Uint8Array>,
  scope: GrantScopeKind | null,
): Promise<readonly FileProblem[]> {
  const read = await readPolicyText(file, readInput);
  if ('problem' in read) return [read.problem];
  const parsed = parsePolicy(read.text, 'CUSTOM');
  const voids = scope === null ? [] : await checkVoid(parsed, scope);
  return [...parsed.problems, ...checkDocument(parsed, platformCatalogue), ...voids]
    .map((problem) => ({ file: read.name, ...problem }))
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}

/** Text of a file or of standard input with the name it has in problems, or why there is none. */
export async function readPolicyText(
  file: string,
  readInput: () => Promise<Uint8Array>,
): Promise<{ readonly name: string; readonly text: string } | { readonly problem: FileProblem }> {
  const name = file === standardInput ? '<stdin>' : file;
  let bytes: Uint8Array;
  try {
    bytes = file === standardInput ? await readInput() : await readFile(file);
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
    return { problem: unreadable(name, `the file cannot be read: ${reason}`) };
  }
  try {
    // A byte order mark stays, to be refused by name: the server would not take it either.
    return { name, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { problem: unreadable(name, 'the file is not UTF-8; save it in that encoding') };
  }
}

/** `NO_EFFECT_IN_SCOPE`: whichever workspace or project it is, so nothing is said of conditions that name one. */
async function checkVoid(parsed: ParsedPolicy, scopeKind: GrantScopeKind): Promise<readonly Problem[]> {
  if (parsed.document === null) return [];
  // Only when it is asked for: the check alone starts in half the time without it.
  const { describeVoid, findVoid } = await import('../iam/index.js');
  return findVoid(parsed.document, { scopeKind, scopeId: 'any' }, platformCatalogue).map((part) => {
    const statement = `/Statement/${part.statement.index}`;
    const [first] = part.places;
    const pointer = first === undefined ? statement : `${statement}/Action/${first}`;
    const { line, column } = parsed.locate(pointer) ?? parsed.locate(statement) ?? { line: null, column: null };
    return {
      code: 'NO_EFFECT_IN_SCOPE',
      severity: 'WARNING' as const,
      message: describeVoid(part),
      pointer,
      line,
      column,
    };
  });
}

function unreadable(file: string, message: string): FileProblem {
  return { file, severity: 'ERROR', code: 'UNREADABLE', message, pointer: null, line: null, column: null };
}

/** One line for each problem, as editors and continuous integration read it: `file:line:column code message`. */
export function printProblems(problems: readonly FileProblem[]): string {
  return problems
    .map(({ file, line, column, code, severity, message }) => {
      const place = line === null || column === null ? file : `${file}:${line}:${column}`;
      return `${place} ${code} ${severity === 'WARNING' ? 'warning: ' : ''}${message}\n`;
    })
    .join('');
}
