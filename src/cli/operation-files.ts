/**
 * The operations of a frontend, read from its files: GraphQL documents, and templates tagged `gql` or `graphql` in
 * TypeScript and JavaScript. Fragments may stand in any of the files. All problems are found, each with its place.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import {
  getLocation,
  GraphQLError,
  Kind,
  NoUnusedFragmentsRule,
  parse,
  Source,
  specifiedRules,
  validate,
  visit,
  type DefinitionNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';

export interface DocumentProblem {
  readonly file: string;
  readonly line: number | null;
  readonly column: number | null;
  readonly code: 'UNREADABLE' | 'GRAPHQL_PARSE_FAILED' | 'GRAPHQL_VALIDATION_FAILED' | 'NO_OPERATION';
  readonly message: string;
}

export interface ReadOperation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly operation: OperationDefinitionNode;
  /** With every fragment that can be reached from it. */
  readonly document: DocumentNode;
}

export interface ReadOperations {
  readonly operations: readonly ReadOperation[];
  readonly problems: readonly DocumentProblem[];
}

/** A text with the name it has in problems. */
export interface SourceText {
  readonly name: string;
  readonly text: string;
}

const documentEndings: ReadonlySet<string> = new Set(['.graphql', '.gql']);
const programEndings: ReadonlySet<string> = new Set(['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs']);
const standardInput = '-';

/** Texts of files, of all files with a fitting ending in folders, and of standard input. */
export async function readSources(
  names: readonly string[],
  readInput: () => Promise<Uint8Array>,
): Promise<{ readonly sources: readonly SourceText[]; readonly problems: readonly DocumentProblem[] }> {
  const sources: SourceText[] = [];
  const problems: DocumentProblem[] = [];
  const seen = new Set<string>();
  const take = async (name: string, read: () => Promise<Uint8Array>): Promise<void> => {
    if (seen.has(name)) return;
    seen.add(name);
    const unreadable = (message: string) =>
      void problems.push({ file: name, line: null, column: null, code: 'UNREADABLE', message });
    let bytes: Uint8Array;
    try {
      bytes = await read();
    } catch (error) {
      const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
      unreadable(`the file cannot be read: ${reason}`);
      return;
    }
    try {
      sources.push({ name, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) });
    } catch {
      unreadable('the file is not UTF-8; save it in that encoding');
    }
  };
  for (const name of names) {
    if (name === standardInput) await take('<stdin>', readInput);
    else for (const file of await filesOf(name)) await take(file, () => readFile(file));
  }
  return { sources, problems };
}

async function filesOf(name: string): Promise<readonly string[]> {
  const facts = await stat(name).catch(() => null);
  if (facts === null || !facts.isDirectory()) return [name];
  const found: string[] = [];
  for (const entry of (await readdir(name, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(name, entry.name);
    // Packages and hidden folders are not the frontend's own text.
    if (entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.')) {
      found.push(...(await filesOf(path)));
    } else if (entry.isFile() && isOperationFile(entry.name)) found.push(path);
  }
  return found;
}

export function isOperationFile(name: string): boolean {
  return documentEndings.has(extname(name)) || programEndings.has(extname(name));
}

/** One document or template of a file. */
interface Piece {
  readonly file: string;
  readonly document: DocumentNode;
}

/** Reads and checks all operations of these texts against a schema. */
export function readOperations(schema: GraphQLSchema, sources: readonly SourceText[]): ReadOperations {
  const problems: DocumentProblem[] = [];
  const pieces: Piece[] = [];
  for (const source of sources) {
    for (const piece of piecesOf(source)) {
      if ('problem' in piece) {
        problems.push(piece.problem);
        continue;
      }
      try {
        pieces.push({ file: source.name, document: parse(piece.source) });
      } catch (error) {
        if (!(error instanceof GraphQLError)) throw error;
        problems.push(problemOf(error, source.name, 'GRAPHQL_PARSE_FAILED'));
      }
    }
  }
  const fragments = fragmentsOf(pieces);
  const operations: ReadOperation[] = [];
  const said = new Set<string>();
  for (const { file, document } of pieces) {
    const whole = completed(document, fragments.get(file) ?? new Map(), fragments.all);
    for (const error of validate(schema, whole, rules)) {
      const problem = problemOf(error, file, 'GRAPHQL_VALIDATION_FAILED');
      const key = JSON.stringify(problem);
      if (!said.has(key)) problems.push(problem);
      said.add(key);
    }
    for (const operation of document.definitions) {
      if (operation.kind !== Kind.OPERATION_DEFINITION) continue;
      const { line = 1, column = 1 } = placeOf(operation) ?? {};
      operations.push({ file, line, column, operation, document: whole });
    }
  }
  if (operations.length === 0 && problems.length === 0) {
    const [first = { name: '<stdin>' }] = sources;
    const message = 'there is no operation in what was given; name files with queries, mutations or subscriptions';
    problems.push({ file: first.name, line: null, column: null, code: 'NO_OPERATION', message });
  }
  return { operations: problems.length > 0 ? [] : operations, problems: inOrder(problems) };
}

// A fragment that nobody here spreads may be another file's.
const rules = specifiedRules.filter((rule) => rule !== NoUnusedFragmentsRule);

type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

class FragmentBook extends Map<string, Map<string, FragmentDefinitionNode>> {
  readonly all = new Map<string, FragmentDefinitionNode>();
}

function fragmentsOf(pieces: readonly Piece[]): FragmentBook {
  const book = new FragmentBook();
  for (const { file, document } of pieces) {
    const own = book.get(file) ?? new Map<string, FragmentDefinitionNode>();
    book.set(file, own);
    for (const definition of document.definitions) {
      if (definition.kind !== Kind.FRAGMENT_DEFINITION) continue;
      own.set(definition.name.value, definition);
      // Of two with one name the first is taken, unless a file has its own.
      if (!book.all.has(definition.name.value)) book.all.set(definition.name.value, definition);
    }
  }
  return book;
}

/** A document with the fragments that it spreads, and those that they spread, from elsewhere. */
function completed(document: DocumentNode, own: Fragments, all: Fragments): DocumentNode {
  const here = new Set(
    document.definitions.flatMap((each) => (each.kind === Kind.FRAGMENT_DEFINITION ? [each.name.value] : [])),
  );
  const definitions: DefinitionNode[] = [...document.definitions];
  for (let next = 0; next < definitions.length; next += 1) {
    const definition = definitions[next];
    if (definition === undefined) break;
    visit(definition, {
      [Kind.FRAGMENT_SPREAD]: ({ name: { value } }) => {
        const fragment = own.get(value) ?? all.get(value);
        if (here.has(value) || fragment === undefined) return;
        here.add(value);
        definitions.push(fragment);
      },
    });
  }
  return { ...document, definitions };
}

type Found = { readonly source: Source } | { readonly problem: DocumentProblem };

function piecesOf({ name, text }: SourceText): readonly Found[] {
  if (!programEndings.has(extname(name))) return text.trim() === '' ? [] : [{ source: new Source(text, name) }];
  return [...text.matchAll(/(?:\b(?:gql|graphql)\s*(?:\(\s*)?|\/\*\s*GraphQL\s*\*\/\s*)`/g)].map((match): Found => {
    const start = match.index + match[0].length;
    const offset = lineAndColumn(text, start);
    const template = readTemplateLiteral(text, start);
    if (typeof template === 'string') return { source: new Source(template, name, offset) };
    return {
      problem: { file: name, ...lineAndColumn(text, template.at), code: 'UNREADABLE', message: template.fault },
    };
  });
}

/** The text of a template up to its end; fragments put in between definitions are found by name, and leave a blank. */
function readTemplateLiteral(text: string, start: number): string | { readonly at: number; readonly fault: string } {
  let read = '';
  let open = 0;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === '`') return read;
    if (character === '$' && text[at + 1] === '{') {
      const end = endOfExpression(text, at + 2);
      if (end === null) break;
      if (open > 0) {
        return {
          at,
          fault: 'what is put into a selection as text cannot be read; spread a fragment or use a variable',
        };
      }
      read += text.slice(at, end + 1).replaceAll(/[^\n]/g, ' ');
      at = end;
      continue;
    }
    if (character === '{') open += 1;
    else if (character === '}') open -= 1;
    // An escape stands for one character; what it is matters to no selection.
    if (character === '\\' && at + 1 < text.length) {
      read += ` ${text[at + 1] ?? ''}`;
      at += 1;
    } else read += character;
  }
  return { at: start, fault: 'the template does not end' };
}

function endOfExpression(text: string, start: number): number | null {
  let open = 1;
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '{') open += 1;
    else if (text[at] === '}') open -= 1;
    if (open === 0) return at;
  }
  return null;
}

function lineAndColumn(text: string, at: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, at);
  return { line: before.split('\n').length, column: at - before.lastIndexOf('\n') };
}

function placeOf({ loc }: { readonly loc?: OperationDefinitionNode['loc'] }) {
  return loc === undefined ? null : { file: loc.source.name, ...located(loc.source, loc.start) };
}

function located(source: Source, position: number): { readonly line: number; readonly column: number } {
  const { line, column } = getLocation(source, position);
  const { locationOffset: offset } = source;
  return { line: line + offset.line - 1, column: column + (line === 1 ? offset.column - 1 : 0) };
}

function problemOf(error: GraphQLError, file: string, code: DocumentProblem['code']): DocumentProblem {
  const [position] = error.positions ?? [];
  const source = error.nodes?.[0]?.loc?.source ?? error.source;
  const message = error.message.replaceAll(/\s*\n\s*/g, '; ');
  if (source === undefined || position === undefined) return { file, line: null, column: null, code, message };
  return { file: source.name, ...located(source, position), code, message };
}

function inOrder(problems: readonly DocumentProblem[]): readonly DocumentProblem[] {
  return [...problems].sort(
    (a, b) =>
      (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  );
}
