/** From files to what they want: the shape of each kind of document. */
import { isMap, isScalar, isSeq, Scalar, type Node, type YAMLMap } from 'yaml';
import {
  documentKinds,
  scopeWords,
  type DocumentKind,
  type FileProblem,
  type Place,
  type ScopeName,
  type SubjectName,
  type Wanted,
  type WantedPolicy,
} from './documents.js';
import { Fields, Sheet } from './fields.js';
import { documentFiles, piecesOf, type Piece } from './sources.js';

export interface Reading {
  readonly wanted: readonly Wanted[];
  readonly problems: readonly FileProblem[];
}

/** So that one broken file does not fill the screen. */
const mostProblems = 100;

/** Everything that the files of a folder, or one file, say. `tell` hears how many documents have been read so far. */
export async function readDocuments(
  path: string,
  tell: (documents: number) => void = () => undefined,
): Promise<Reading> {
  const wanted: Wanted[] = [];
  const problems: FileProblem[] = [];
  for (const file of await documentFiles(path)) {
    for await (const piece of typeof file === 'string' ? piecesOf(file) : [file]) {
      if (!('text' in piece)) problems.push(piece);
      else {
        const read = readPiece(piece);
        wanted.push(...read.wanted);
        problems.push(...read.problems);
        tell(wanted.length);
      }
      if (problems.length >= mostProblems) return { wanted, problems };
    }
  }
  return { wanted, problems };
}

export function readPiece(piece: Piece): Reading {
  const sheet = new Sheet(piece);
  const wanted = sheet.read().flatMap((object) => readObject(sheet, object) ?? []);
  return { wanted, problems: sheet.problems };
}

function readObject(sheet: Sheet, object: YAMLMap): Wanted | null {
  const known = sheet.problems.length;
  const kind = new Fields(sheet, object, 'a document').oneOf('kind', documentKinds, null);
  if (kind === null) {
    if (sheet.problems.length === known) sheet.report(object, `a document needs the field \`kind\`: ${kinds}`);
    return null;
  }
  const fields = new Fields(sheet, object, `${kind === 'EnterpriseProject' ? 'an' : 'a'} ${kind}`);
  fields.has('kind');
  const read = readers[kind](fields);
  fields.refuseOthers();
  return sheet.problems.length > known ? null : read;
}

const kinds = documentKinds.join(', ');

type Reader = (fields: Fields) => Wanted | null;

const readers: Readonly<Record<DocumentKind, Reader>> = {
  EnterpriseProject: (fields) => {
    const { place, name, description } = described(fields);
    return { kind: 'EnterpriseProject', place, lines: {}, name, description, enabled: fields.flag('enabled', true) };
  },
  Policy: readPolicy,
  Group: (fields) => ({ kind: 'Group', lines: {}, ...described(fields) }),
  User: (fields) => ({
    kind: 'User',
    ...described(fields),
    enabled: fields.flag('enabled', true),
    groups: fields.texts('groups').map(shared),
    defaultModelArtsAccess: fields.oneOf('defaultModelArtsAccess', ['ENDED'], null),
    lines: { groups: fields.lineOf('groups') },
  }),
  Workspace: (fields) => ({
    kind: 'Workspace',
    ...described(fields),
    enterpriseProject: fields.text('enterpriseProject', 'default') ?? '',
    visibility: fields.oneOf('visibility', ['PUBLIC', 'PRIVATE', 'INTERNAL'], 'PUBLIC') ?? 'PUBLIC',
    members: fields.texts('members'),
    lines: { enterpriseProject: fields.lineOf('enterpriseProject'), members: fields.lineOf('members') },
  }),
  Grant: (fields) => {
    const policy = fields.text('policy');
    const subject = readSubject(fields);
    const scope = readScope(fields);
    const expiresAt = readInstant(fields, 'expiresAt');
    if (policy === null || subject === null || scope === null) return null;
    const lines = Object.fromEntries(
      ['policy', 'subject', 'scope', 'expiresAt'].map((name) => [name, fields.lineOf(name)]),
    );
    return {
      kind: 'Grant',
      place: fields.sheet.placeOf(fields.object),
      lines,
      policy: shared(policy),
      subject,
      scope,
      expiresAt,
    };
  },
};

function described(fields: Fields): { readonly place: Place; readonly name: string; readonly description: string } {
  return {
    place: fields.sheet.placeOf(fields.object),
    name: fields.text('name') ?? '',
    description: fields.text('description', '') ?? '',
  };
}

const known = new Map<string, string>();

/** A few names stand in very many documents: one copy of each is enough, and none that holds on to a whole file. */
function shared(name: string): string {
  const kept = known.get(name);
  if (kept !== undefined) return kept;
  if (known.size >= 100_000) known.clear();
  known.set(name, name);
  return name;
}

function readPolicy(fields: Fields): WantedPolicy | null {
  const { place, name, description } = described(fields);
  const node = fields.node('document');
  const text = isScalar(node) && typeof node.value === 'string' ? node.value : null;
  if (node === null || (text === null && !isMap(node))) {
    fields.sheet.report(node ?? fields.object, 'a Policy needs the field `document`: an object, or its JSON as a text');
    return null;
  }
  const start = fields.sheet.placeOf(node);
  const locate = (pointer: string, line: number | null): Place => {
    if (text === null) return fields.sheet.placeOf(nodeAt(node, pointer));
    // Only in a literal block do lines of the text stay lines of the file.
    const literal = isScalar(node) && node.type === Scalar.BLOCK_LITERAL;
    return literal && line !== null ? { ...start, line: start.line + line, column: 1 } : start;
  };
  const document: unknown = text ?? (node as YAMLMap).toJSON();
  return { kind: 'Policy', place, lines: { document: fields.lineOf('document') }, name, description, document, locate };
}

/** The node at a JSON pointer, or the nearest one above it. */
function nodeAt(root: Node, pointer: string): Node {
  let node = root;
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    const next: unknown = isMap(node) || isSeq(node) ? node.get(isSeq(node) ? Number(name) : name, true) : undefined;
    if (next === undefined || next === null) return node;
    node = next as Node;
  }
  return node;
}

function readSubject(fields: Fields): SubjectName | null {
  const node = fields.node('subject');
  if (isMap(node)) {
    const choice = new Fields(fields.sheet, node, '`subject`');
    const kinds = (['user', 'group'] as const).filter((kind) => choice.has(kind));
    choice.refuseOthers();
    const [kind] = kinds;
    if (kind !== undefined && kinds.length === 1) {
      const name = choice.text(kind);
      return name === null ? null : { kind: kind === 'user' ? 'USER' : 'GROUP', name: shared(name) };
    }
  }
  fields.sheet.report(node ?? fields.object, '`subject` must name one: `{ user: NAME }` or `{ group: NAME }`');
  return null;
}

function readScope(fields: Fields): ScopeName | null {
  const node = fields.node('scope');
  if (isScalar(node)) {
    const word = (Object.keys(scopeWords) as (keyof typeof scopeWords)[]).find((each) => node.value === each);
    if (word !== undefined) return { kind: scopeWords[word] };
  }
  if (isMap(node)) {
    const choice = new Fields(fields.sheet, node, '`scope`');
    const kinds = (['workspace', 'enterpriseProject'] as const).filter((kind) => choice.has(kind));
    choice.refuseOthers();
    const [kind] = kinds;
    if (kind !== undefined && kinds.length === 1) {
      const name = choice.text(kind);
      if (name === null) return null;
      return { kind: kind === 'workspace' ? 'WORKSPACE' : 'ENTERPRISE_PROJECT', name: shared(name) };
    }
  }
  const words = Object.keys(scopeWords).map((word) => `\`${word}\``);
  const forms = [...words, '`{ workspace: NAME }`', '`{ enterpriseProject: NAME }`'].join(', ');
  fields.sheet.report(node ?? fields.object, `\`scope\` must be one of ${forms}`);
  return null;
}

function readInstant(fields: Fields, name: string): number | null {
  if (!fields.has(name)) return null;
  const text = fields.text(name);
  if (text === null) return null;
  const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text)
    : NaN;
  if (!Number.isNaN(instant)) return instant;
  fields.sheet.report(fields.node(name), `\`${name}\` must be a time with its zone, such as 2027-01-31T18:00:00Z`);
  return null;
}
