/**
 * Documents that are known beforehand, by the SHA-256 of their text: sent as `documentId` (GraphQL over HTTP), they need
 * no text, and an installation can answer nothing else. Whoever may `bailiwick:documents:execute` is free to send any.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Kind, parse, print, validate, type GraphQLSchema } from 'graphql';
import { clientError } from '../graphql/index.js';
import { HttpFault } from './faults.js';

/** any: every document. known: the text of a known one, or its id. only: the id of a known one. */
export type DocumentMode = 'any' | 'known' | 'only';

export interface TrustedDocuments {
  readonly mode: DocumentMode;
  /** The id of the document whose operation has this name; null when none has. */
  idOf(operation: string): string | null;
  /** The request with the text in place of the id, and how its document came. */
  resolve(request: DocumentRequest): ResolvedDocument;
}

export interface DocumentRequest {
  /** Of GET, with the question mark. */
  readonly search: string;
  /** Of POST; undefined for GET. */
  readonly body: unknown;
}

/** How a document came. */
export type DocumentTrust = 'ID' | 'TEXT' | 'NONE';

export interface ResolvedDocument extends DocumentRequest {
  /** Reads the document, where the mode asks for that: not to be asked before it is known who sends it. */
  trust(): DocumentTrust;
}

/** The documents that ship with the program; the same beside `src` and beside `dist`. */
const shipped = fileURLToPath(new URL('../../schema/operations', import.meta.url));

/** A file that cannot be trusted: not GraphQL, or not of this schema. */
export class DocumentRefused extends Error {}

/** Reads every `.graphql` file of these folders, the shipped one first; throws `DocumentRefused` with what is wrong. */
export async function readTrustedDocuments(
  mode: DocumentMode,
  schema: GraphQLSchema,
  folder: string | null = null,
): Promise<TrustedDocuments> {
  const texts: string[] = [];
  for (const place of folder === null ? [shipped] : [shipped, folder]) {
    const names = await readdir(place).catch(() => {
      throw new DocumentRefused(
        `the folder of documents \`${place}\` cannot be read; set BAILIWICK_DOCUMENTS_FOLDER to another`,
      );
    });
    for (const name of names.filter((found) => found.endsWith('.graphql')).sort()) {
      const text = await readFile(join(place, name), 'utf8');
      checkDocument(schema, text, name);
      texts.push(text);
    }
  }
  return trustDocuments(mode, texts);
}

function checkDocument(schema: GraphQLSchema, text: string, name: string): void {
  try {
    const [problem] = validate(schema, parse(text));
    if (problem !== undefined) throw problem;
  } catch (error) {
    throw new DocumentRefused(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

export function trustDocuments(mode: DocumentMode, texts: readonly string[]): TrustedDocuments {
  const byId = new Map(texts.map((text) => [documentId(text), text]));
  const known = new Set(texts.map(canonical));
  const read = (id: unknown, query: unknown): string => {
    if (query != null && query !== '') {
      throw new HttpFault(400, '`documentId` and `query` were both sent; send one of them');
    }
    const text = typeof id === 'string' ? byId.get(id.toLowerCase()) : undefined;
    if (text !== undefined) return text;
    throw clientError('PERSISTED_QUERY_NOT_FOUND', 'no document of this id is known here; send its text as `query`', {
      http: { status: 400 },
    });
  };
  const shownById = (): DocumentTrust => 'ID';
  const trustOf = (query: unknown) => (): DocumentTrust =>
    mode !== 'any' && typeof query === 'string' && known.has(canonical(query)) ? 'TEXT' : 'NONE';
  return {
    mode,
    idOf: (operation) => {
      const text = texts.find((found) => operationIn(found) === operation);
      return text === undefined ? null : documentId(text);
    },
    resolve: ({ search, body }) => {
      if (body !== undefined) {
        const sent = body as { readonly documentId?: unknown; readonly query?: unknown };
        if (sent.documentId == null) return { search, body, trust: trustOf(sent.query) };
        const { documentId: id, ...rest } = sent;
        return { search, body: { ...rest, query: read(id, rest.query) }, trust: shownById };
      }
      const parameters = new URLSearchParams(search);
      const id = parameters.get('documentId');
      if (id === null) return { search, body, trust: trustOf(parameters.get('query')) };
      const query = read(id, parameters.get('query'));
      parameters.delete('documentId');
      parameters.set('query', query);
      return { search: `?${parameters.toString()}`, body, trust: shownById };
    },
  };
}

function operationIn(text: string): string | null {
  const operation = parse(text).definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  return operation?.name?.value ?? null;
}

/** `sha256:` and 64 hexadecimal digits, of the bytes of the text. */
export function documentId(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** The same text for documents that differ in blanks and comments alone; itself for what is no document. */
function canonical(text: string): string {
  try {
    // Longer than any known document could be is not worth parsing.
    return text.length > 20_000 ? text : print(parse(text, { noLocation: true, maxTokens: 2_000 }));
  } catch {
    return text;
  }
}

/** Whether a mode lets a document through that came like this; the permission is asked by the caller. */
export function isTrusted(mode: DocumentMode, { trust }: Pick<ResolvedDocument, 'trust'>): boolean {
  if (mode === 'any') return true;
  const came = trust();
  return came === 'ID' || (mode === 'known' && came === 'TEXT');
}
