/**
 * An account as files: one for each kind, one document for each object, in the order of their names, so that the same
 * account is the same bytes wherever it is exported, and one change is one place in a comparison.
 */
import { parseDocument, stringify } from 'yaml';
import { fold } from '../iam/index.js';
import type { Current, CurrentPolicy } from './current.js';
import { documentKinds, scopeWords, type DocumentKind } from './documents.js';
import { grantKey, sayableGrants, type SayableGrant } from './plan-grants.js';
import { isKept } from './planning.js';

export const fileNames: Readonly<Record<DocumentKind, string>> = {
  EnterpriseProject: 'enterprise-projects.yaml',
  Policy: 'policies.yaml',
  Group: 'groups.yaml',
  User: 'users.yaml',
  Workspace: 'workspaces.yaml',
  Grant: 'grants.yaml',
};

/** The line that a file of an export begins with, by which the next one knows what it may replace. */
export const exportMark = '# written by `bailiwick export`, which replaces this file when it is run again';

export interface ExportedFile {
  readonly kind: DocumentKind;
  /** Texts of the documents, each with its separator. */
  readonly documents: Iterable<string>;
  readonly count: number;
}

export interface Export {
  readonly files: readonly ExportedFile[];
  /** What files cannot say and was left out, in words. */
  readonly leftOut: readonly string[];
}

export function exportAccount(current: Current, now: number): Export {
  const { grants, others } = sayableGrants(current, now);
  const busy = [...current.workspaces.values()].filter(({ status }) => status !== 'NORMAL').length;
  const objects: Readonly<Record<DocumentKind, readonly (() => object)[]>> = {
    EnterpriseProject: inOrder(current.projects, (project) => () => ({
      name: project.name,
      ...unless('description', project.description, ''),
      ...unless('enabled', project.enabled, true),
    })),
    Policy: inOrder(current.policies, (policy) => () => policyObject(policy)),
    Group: inOrder(
      current.groups,
      ({ name, description }) =>
        () => ({ name, ...unless('description', description, '') }),
      false,
    ),
    User: users(current),
    Workspace: workspaces(current),
    Grant: [...grants].sort((a, b) => compare(grantKey(a), grantKey(b))).map((grant) => () => grantObject(grant)),
  };
  const files = documentKinds.map((kind) => ({
    kind,
    count: objects[kind].length,
    documents: texts(kind, objects[kind]),
  }));
  const leftOut = [
    ...(others.length > 0
      ? [`${others.length} grants that have ended, or are of services, agencies or the root user`]
      : []),
    ...(busy > 0 ? [`${busy} workspaces that are being made or deleted`] : []),
  ];
  return { files, leftOut };
}

function* texts(kind: DocumentKind, objects: readonly (() => object)[]): Generator<string> {
  for (const [index, object] of objects.entries()) {
    yield `${index === 0 ? '' : '---\n'}${written({ kind, ...object() })}`;
  }
}

function written(object: object): string {
  // Long texts stay in one line: where a line is broken depends on nothing but the text.
  return stringify(object, { lineWidth: 0, aliasDuplicateObjects: false, compat: 'yaml-1.1' });
}

function users(current: Current): readonly (() => object)[] {
  const groups = new Map([...current.groups.values()].map(({ id, name }) => [id, name]));
  return inOrder(current.users, ({ name, description, enabled, groupIds, defaultEnded }) => () => {
    const joined = groupIds.map((id) => groups.get(id) ?? id).sort((a, b) => compare(fold(a), fold(b)));
    return {
      name,
      ...unless('description', description, ''),
      ...unless('enabled', enabled, true),
      ...(joined.length === 0 ? {} : { groups: joined }),
      ...(defaultEnded ? { defaultModelArtsAccess: 'ENDED' } : {}),
    };
  });
}

function workspaces(current: Current): readonly (() => object)[] {
  const projects = new Map([...current.projects.values()].map(({ id, name }) => [id, name]));
  const names = new Map(
    [...current.users.values()].flatMap(({ id, name, root }) => (root ? [] : [[id, name] as const])),
  );
  const settled = new Map([...current.workspaces].filter(([, { status }]) => status === 'NORMAL'));
  return inOrder(settled, (workspace) => () => {
    const { name, description, enterpriseProjectId, visibility, memberIds } = workspace;
    const members = memberIds.flatMap((id) => names.get(id) ?? []).sort((a, b) => compare(fold(a), fold(b)));
    return {
      name,
      ...unless('description', description, ''),
      ...unless('enterpriseProject', projects.get(enterpriseProjectId) ?? 'default', 'default'),
      ...unless('visibility', visibility, 'PUBLIC'),
      ...(members.length === 0 ? {} : { members }),
    };
  });
}

/** As an object where that gives the very bytes of the text back; else as the text. */
function policyObject({ name, description, text }: CurrentPolicy): object {
  const said = { name, ...unless('description', description, '') };
  try {
    const document: unknown = JSON.parse(text);
    const read = parseDocument(written({ document })).toJS() as { readonly document: unknown };
    if (JSON.stringify(read.document) === text) return { ...said, document };
  } catch {
    // What is no JSON was stored by an older grammar; it is kept as it is all the same.
  }
  return { ...said, document: text };
}

function grantObject({ policy, subject, scope, expiresAt }: SayableGrant): object {
  const word = Object.entries(scopeWords).find(([, kind]) => kind === scope.kind)?.[0];
  return {
    policy,
    subject: { [subject.kind.toLowerCase()]: subject.name },
    scope: 'name' in scope ? { [scope.kind === 'WORKSPACE' ? 'workspace' : 'enterpriseProject']: scope.name } : word,
    ...(expiresAt === null ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
  };
}

function unless(field: string, value: string | boolean, usual: string | boolean): object {
  return value === usual ? {} : { [field]: value };
}

/** @param own whether what belongs to every account is left out */
function inOrder<R extends object>(
  records: ReadonlyMap<string, R>,
  objectOf: (record: R) => () => object,
  own = true,
): readonly (() => object)[] {
  return [...records]
    .filter(([, record]) => !own || !isKept(record))
    .sort(([a], [b]) => compare(a, b))
    .map(([, record]) => objectOf(record));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
