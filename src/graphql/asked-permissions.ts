/** What an operation asks for, as the analysis of its text says it. It knows no document: see operation-permissions.ts. */
import type { FieldNode } from 'graphql';
import type { RequiredScope } from '../iam/index.js';
import type { Placeholder, Template } from '../urn-templates/index.js';

/** What stands before a field or a type; a public field has nothing. */
export interface DeclaredPermission {
  readonly anyOf: readonly string[];
  readonly resource: Template | null;
  readonly scope: RequiredScope;
}

export interface DeclaredPermissions {
  /** By coordinate: `Query.users`. Public fields are not among them. */
  readonly roots: ReadonlyMap<string, DeclaredPermission>;
  readonly types: ReadonlyMap<string, DeclaredPermission>;
  readonly fields: ReadonlyMap<string, DeclaredPermission>;
  /**
   * Whether payloads, edges and the schema itself are as in this API: what a mutation made is readable in its payload,
   * an edge goes with its node, reading the schema needs a permission. Schemas of other services have no such customs.
   */
  readonly customs: boolean;
}

/** A part of a URN that the document alone does not say. */
export type OpenPart = Placeholder;

export interface AskedResource {
  /** As the schema has it. */
  readonly template: string;
  /** The template with what the document says filled in. */
  readonly parts: readonly (string | OpenPart)[];
}

export interface AskedPermission {
  /** Of the field (`Query.users`, `User.groups`) or the type (`User`) that asks. */
  readonly coordinate: string;
  /** Names in the response, without places in lists. */
  readonly path: readonly string[];
  readonly anyOf: readonly string[];
  readonly scope: RequiredScope;
  readonly resource: AskedResource | null;
  /** ERROR: the field is an error, and null up to where it may be. NULL: what is refused is null, silently. */
  readonly whenRefused: 'ERROR' | 'NULL';
  /** The type that the object has to be of, where the document leaves that open; the innermost one. */
  readonly onType: string | null;
  /** Only a repeat with the same `idempotencyKey` asks: what a mutation makes is readable in its payload. */
  readonly onlyWhenRepeated: boolean;
  /** Under `@include` or `@skip`; counted as included. */
  readonly conditional: boolean;
  readonly node: FieldNode;
}

/** ACCOUNT and WORKSPACE: only there. IMPOSSIBLE: it needs both, and a credential acts in one. */
export type FittingScope = 'ACCOUNT' | 'WORKSPACE' | 'EITHER' | 'IMPOSSIBLE';

/** What the description of a root field says of its permissions, the door among them. */
export interface DeclaredNeeds {
  readonly coordinate: string;
  readonly path: readonly string[];
  readonly sentence: string;
  /** Actions that it names beside those of the door. */
  readonly further: readonly string[];
}

export interface OperationPermissions {
  readonly kind: 'query' | 'mutation' | 'subscription';
  readonly name: string | null;
  readonly asked: readonly AskedPermission[];
  /** Root fields that need no permission. */
  readonly open: readonly string[];
  /** Where every root field lets in whoever holds the permissions. */
  readonly scope: FittingScope;
  /** Where nothing at all is refused for its scope. */
  readonly wholeScope: FittingScope;
  readonly needs: readonly DeclaredNeeds[];
  /** False when there was more than `most`. */
  readonly complete: boolean;
}

export interface ReadOptions {
  /** Values of variables; a variable without one is not known. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** What a text in an argument stands for: the plain id behind a Node id. */
  readonly plain?: (text: string) => string;
  /** Most questions and most steps that are looked at. */
  readonly most?: number;
}

/** The URN as the document leaves it, with placeholders for the rest. */
export function shownResource({ parts }: AskedResource): string {
  return parts.map((part) => (typeof part === 'string' ? part : shownPart(part))).join('');
}

function shownPart(part: OpenPart): string {
  switch (part.kind) {
    case 'account':
    case 'caller':
      return `{${part.kind}}`;
    case 'source':
      return `{source.${part.property}}`;
    case 'argument':
      return `{args.${part.path.join('.')}${part.orCaller ? '|caller' : ''}}`;
  }
}
