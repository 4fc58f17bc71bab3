/**
 * Files as pieces that hold one document each, read as they come: a folder with a hundred thousand users is never in
 * memory as a whole. What the pieces mean is not known here.
 */
import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
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

/** The largest single document, and the largest file of JSON, which is read whole. */
const longestPiece = 64 * 1024 * 1024;

/** Files of a folder and the folders in it, in the order of their names; what begins with a dot is left out. */
export async function documentFiles(path: string, above: readonly string[] = []): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const folder = await realpath(path);
  // A link to a folder that it lies in would have no end.
  if (above.includes(folder)) return [];
  const found: string[] = [];
  for (const name of (await readdir(path)).sort()) {
    if (name.startsWith('.')) continue;
    const inner = join(path, name);
    if ((await stat(inner)).isDirectory()) found.push(...(await documentFiles(inner, [...above, folder])));
    else if (extname(name) in formats) found.push(inner);
  }
  return found;
}

/** The pieces of a file; what cannot be read is a problem and the last that is answered. */
export async function* piecesOf(file: string): AsyncGenerator<Piece | FileProblem> {
  const format = formats[extname(file)] ?? 'YAML';
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
      if (length > longestPiece) {
        yield { place: { file, line: number, column: 1 }, message: 'the document is too long; split it' };
        return;
      }
    }
  } catch (error) {
    const message = error instanceof TypeError ? 'the file is not UTF-8; save it in that encoding' : unreadable(error);
    yield { place: { file, line: number + 1, column: 1 }, message };
    return;
  }
  if (lines.length > 0) yield take();
}

function unreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return `the file cannot be read: ${code}`;
}

/** Each with its end, which the last may lack. */
async function* linesOf(file: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) {
    rest += decoder.decode(chunk as Uint8Array, { stream: true });
    let from = 0;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', from)) {
      yield rest.slice(from, end + 1);
      from = end + 1;
    }
    rest = rest.slice(from);
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}
