/**
 * `bailiwick policy diff`: what policy documents allow that others did not, and the other way round. Files are compared
 * one with one, folders file by file of the same name; a file that stands on one side only is compared with none.
 */
import { readdir, stat } from 'node:fs/promises';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { changeOfPolicies, mayWiden, platformCatalogue, type PolicyChange } from '../catalogue/index.js';
import { parsePolicy, type ComparisonVerdict, type PolicySource } from '../policy/index.js';
import { readPolicyText, standardInput, type FileProblem } from './policy-check.js';
import { isSystemError, StartRefused } from './refusal.js';

/** A document that was read, and where in its file something stands. */
export interface PolicyFile {
  readonly file: string;
  readonly locate: (pointer: string) => { readonly line: number; readonly column: number } | null;
}

export interface PolicyDifference {
  /** Of one pair the file of after; in folders the path that both have below them; `.` for all together. */
  readonly name: string;
  /** Empty for a file that was added. */
  readonly before: readonly PolicyFile[];
  /** Empty for a file that was removed. */
  readonly after: readonly PolicyFile[];
  readonly change: PolicyChange<PolicyFile>;
}

export interface PolicyDiff {
  readonly differences: readonly PolicyDifference[];
  readonly problems: readonly FileProblem[];
}

export interface PolicyDiffOptions {
  /** All documents of each side are one set, which somebody holds together. */
  readonly together: boolean;
  readonly steps?: number;
}

/** What can end the command with status 1. */
export const failures = ['wider', 'any', 'never'] as const;

export type Failure = (typeof failures)[number];

export async function diffPolicies(
  before: string,
  after: string,
  { together, steps }: PolicyDiffOptions,
  readInput: () => Promise<Uint8Array>,
): Promise<PolicyDiff> {
  if (before === standardInput && after === standardInput) {
    throw new StartRefused('standard input can be one of the two sides; name a file for the other');
  }
  const pairs = await pairsOf(before, after, together);
  const differences: PolicyDifference[] = [];
  const problems: FileProblem[] = [];
  for (const pair of pairs) {
    const then = await readSide(pair.before, readInput);
    const now = await readSide(pair.after, readInput);
    problems.push(...then.problems, ...now.problems);
    if (problems.length > 0) continue;
    differences.push({
      name: pair.name,
      before: then.sources.map(({ origin }) => origin),
      after: now.sources.map(({ origin }) => origin),
      change: changeOfPolicies(then.sources, now.sources, platformCatalogue, steps === undefined ? {} : { steps }),
    });
  }
  return problems.length > 0 ? { differences: [], problems } : { differences, problems };
}

/** Whether the command is to end with status 1. */
export function fails(verdicts: readonly ComparisonVerdict[], on: Failure): boolean {
  if (on === 'never') return false;
  return verdicts.some((verdict) => (on === 'any' ? verdict !== 'EQUIVALENT' : mayWiden(verdict)));
}

interface Pair {
  readonly name: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

async function pairsOf(before: string, after: string, together: boolean): Promise<readonly Pair[]> {
  const [then, now] = [await sideOf(before), await sideOf(after)];
  if (together) return [{ name: '.', before: filesOf(before, then), after: filesOf(after, now) }];
  if (then === 'FILE' && now === 'FILE') return [{ name: after, before: [before], after: [after] }];
  // As git names a file that is not there: in place of one side of a pair, or of a whole folder.
  const absent = [then, now].filter((side) => side === 'NONE').length;
  if (absent === 1 && (then === 'FILE' || now === 'FILE')) {
    const name = now === 'FILE' ? after : before;
    return [{ name, before: filesOf(before, then), after: filesOf(after, now) }];
  }
  if (then === 'FILE' || now === 'FILE') {
    throw new StartRefused(
      'compare a file with a file or a folder with a folder; --together takes one of each as well',
    );
  }
  const [old, young] = [then === 'NONE' ? [] : then, now === 'NONE' ? [] : now];
  const names = [...new Set([...old, ...young])].sort((a, b) => (a < b ? -1 : 1));
  const below = (folder: string, has: readonly string[], name: string) =>
    has.includes(name) ? [join(folder, name)] : [];
  return names.map((name) => ({ name, before: below(before, old, name), after: below(after, young, name) }));
}

/** Names of the files below a folder. */
type Side = 'FILE' | 'NONE' | readonly string[];

function filesOf(name: string, side: Side): readonly string[] {
  if (side === 'NONE') return [];
  return side === 'FILE' ? [name] : side.map((below) => join(name, below));
}

async function sideOf(name: string): Promise<Side> {
  if (name === devNull) return 'NONE';
  if (name === standardInput) return 'FILE';
  try {
    return (await stat(name)).isDirectory() ? await namesBelow(name, '') : 'FILE';
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) throw new StartRefused(`there is no \`${name}\`; ${devNull} stands for none`);
    if (isSystemError(error)) throw new StartRefused(`\`${name}\` cannot be read: ${error.code}`);
    throw error;
  }
}

async function namesBelow(folder: string, path: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(folder, path), { withFileTypes: true })) {
    const name = path === '' ? entry.name : `${path}/${entry.name}`;
    if (entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.')) {
      found.push(...(await namesBelow(folder, name)));
      // `git difftool --dir-diff` makes links to the files that are checked out.
    } else if (entry.name.endsWith('.json') && (entry.isFile() || entry.isSymbolicLink())) found.push(name);
  }
  return found.sort((a, b) => (a < b ? -1 : 1));
}

async function readSide(files: readonly string[], readInput: () => Promise<Uint8Array>) {
  const sources: PolicySource<PolicyFile>[] = [];
  const problems: FileProblem[] = [];
  for (const file of files) {
    const read = await readPolicyText(file, readInput);
    if ('problem' in read) {
      problems.push(read.problem);
      continue;
    }
    // Every version: system policies can be compared too. What only a catalogue knows is the business of `policy check`.
    const { document, problems: found, locate } = parsePolicy(read.text, 'ANY');
    if (document !== null) sources.push({ name: read.name, document, origin: { file: read.name, locate } });
    else
      problems.push(
        ...found.filter(({ severity }) => severity === 'ERROR').map((each) => ({ file: read.name, ...each })),
      );
  }
  return { sources, problems };
}
