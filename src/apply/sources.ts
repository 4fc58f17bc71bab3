/**
 * Files as pieces that hold one document each, read as they come: a folder with a hundred thousand users is never in
 * memory as a whole. What the pieces mean is not known here.
 */
import { createReadStream } from 'node:fs';
import { readdir, readlink, realpath, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { FileProblem } from './documents.js';

export interface Piece {
  readonly file: string;
  readonly text: string;
  /** Number of the line in the file that the text begins with. */
  readonly line: number;
  readonly format: 'YAML' | 'JSON';
}

const formats: Readonly<Record<string, 'YAML' | 'JSON' | 'JSON_LINES'>> = {
  '.yaml': 'YAML',
  '.yml': 'YAML',
  '.json': 'JSON',
  '.jsonl': 'JSON_LINES',
};

/** Bytes of the largest single document, and of the largest file of JSON, which is read whole. */
const longestPiece = 64 * 1024 * 1024;

/** Whatever case the ending is written in: a file that is skipped is one whose objects `--prune` takes away. */
function formatOf(file: string): 'YAML' | 'JSON' | 'JSON_LINES' | undefined {
  return formats[extname(file).toLowerCase()];
}

/**
 * Files of a folder and the folders in it, in the order of their names; what begins with a dot is left out. What is no
 * file to read is a problem in its place. Throws when there is nothing at the path itself.
 */
export async function documentFiles(path: string): Promise<readonly (string | FileProblem)[]> {
  const found = await stat(path);
  if (found.isDirectory()) return filesBelow(path, []);
  return [found.isFile() ? path : problemOf(path, 'this is no regular file')];
}

async function filesBelow(path: string, above: readonly string[]): Promise<readonly (string | FileProblem)[]> {
  const folder = await realpath(path);
  // A link to a folder that it lies in would have no end.
  if (above.includes(folder)) return [];
  const found: (string | FileProblem)[] = [];
  for (const name of (await readdir(path)).sort()) {
    if (name.startsWith('.')) continue;
    const inner = join(path, name);
    try {
      const entry = await stat(inner);
      if (entry.isDirectory()) found.push(...(await filesBelow(inner, [...above, folder])));
      else if (formatOf(name) !== undefined) {
        // A pipe would be waited for, and a device may never end.
        found.push(entry.isFile() ? inner : problemOf(inner, 'this is no regular file; take it out of the folder'));
      }
    } catch (error) {
      // Who knows what would have been behind it: a folder may be missing as well as a file.
      found.push(problemOf(inner, await unreachable(inner, error)));
    }
  }
  return found;
}

function problemOf(file: string, message: string): FileProblem {
  return { place: { file, line: 1, column: 1 }, message };
}

async function unreachable(path: string, error: unknown): Promise<string> {
  const link = await readlink(path).catch(() => null);
  if (link !== null && codeOf(error) === 'ENOENT')
    return 'the link leads nowhere; mend it or take it out of the folder';
  return `this cannot be read: ${codeOf(error)}`;
}

/** The pieces of a file; what cannot be read is a problem and the last that is answered. */
export async function* piecesOf(file: string): AsyncGenerator<Piece | FileProblem> {
  const format = formatOf(file) ?? 'YAML';
  let lines: string[] = [];
  let length = 0;
  let first = 1;
  let number = 0;
  const take = (): Piece => {
    const piece: Piece = { file, text: lines.join(''), line: first, format: format === 'YAML' ? 'YAML' : 'JSON' };
    lines = [];
    length = 0;
    first = number;
    return piece;
  };
  try {
    for await (const line of linesOf(file)) {
      number += 1;
      // By the rules of YAML no text of a document can have such a line.
      const begins = format === 'JSON_LINES' || (format === 'YAML' && /^(---|\.\.\.)(\s|$)/.test(line));
      if (begins && lines.length > 0) yield take();
      if (begins) first = number;
      // The end of one document, and nothing of the next.
      if (begins && line.startsWith('...')) {
        first = number + 1;
        continue;
      }
      lines.push(line);
      length += line.length;
      if (length > longestPiece) throw new TooLong();
    }
  } catch (error) {
    const message =
      error instanceof TooLong
        ? tooLong[format]
        : error instanceof TypeError
          ? 'the file is not UTF-8; save it in that encoding'
          : `the file cannot be read: ${codeOf(error)}`;
    yield { place: { file, line: number + 1, column: 1 }, message };
    return;
  }
  if (lines.length > 0) yield take();
}

class TooLong extends Error {}

const limit = `${longestPiece / 1024 / 1024} MiB`;

const tooLong = {
  YAML: `the document is longer than ${limit}; split it`,
  JSON: `the file is longer than ${limit}; split it, or write it as JSON Lines`,
  JSON_LINES: `the line is longer than ${limit}; split it`,
} as const;

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

/** Each with its end, which the last may lack. Throws when one is longer than any document may be. */
async function* linesOf(file: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  // The line whose end has not come yet: its chunks are looked through once, however many there are.
  let begun: Buffer[] = [];
  let length = 0;
  for await (const read of createReadStream(file, { highWaterMark: 256 * 1024 })) {
    const chunk = read as Buffer;
    const next = chunk.lastIndexOf(0x0a) + 1;
    if (next > 0) {
      const lines = decoder.decode(Buffer.concat([...begun, chunk.subarray(0, next)]), { stream: true });
      let from = 0;
      for (let end = lines.indexOf('\n'); end >= 0; end = lines.indexOf('\n', from)) {
        yield lines.slice(from, end + 1);
        from = end + 1;
      }
      begun = [];
      length = 0;
    }
    begun.push(chunk.subarray(next));
    length += chunk.length - next;
    if (length > longestPiece) throw new TooLong();
  }
  const rest = decoder.decode(Buffer.concat(begun));
  if (rest !== '') yield rest;
}
