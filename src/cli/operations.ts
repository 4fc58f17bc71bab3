/** `bailiwick operations`: what the operations of a frontend need, in words and as JSON. */
import {
  shownResource,
  permissionsOfOperation,
  type AskedPermission,
  type OperationPermissions,
} from '../graphql/index.js';
import { readAtCommit } from './operation-base.js';
import { changesFor, type HolderChange } from './operation-changes.js';
import type { Holder } from './operation-holders.js';
import { readOperations, readSources, type DocumentProblem, type ReadOperation } from './operation-files.js';
import { isEverybodys, tightestPolicies, type TightPolicies } from './operation-policy.js';
import { readGuardedSchema, type GuardedSchema } from './operation-schema.js';

export interface AnalysedOperation extends ReadOperation {
  readonly permissions: OperationPermissions;
  readonly policies: TightPolicies;
}

export interface Analysis {
  readonly operations: readonly AnalysedOperation[];
  readonly problems: readonly DocumentProblem[];
}

export interface AnalyseOptions {
  readonly schema: string | null;
  /** Leaves out of the policies what is null, silently, when refused. */
  readonly requiredOnly: boolean;
}

export async function analyseFiles(
  files: readonly string[],
  { schema: schemaFile, requiredOnly }: AnalyseOptions,
  readInput: () => Promise<Uint8Array>,
): Promise<Analysis> {
  const guarded = await readGuardedSchema(schemaFile);
  if (!('schema' in guarded)) return { operations: [], problems: guarded };
  const { sources, problems } = await readSources(files, readInput);
  const read = readOperations(guarded.schema, sources);
  if (problems.length > 0 || read.problems.length > 0) {
    const others = problems.length > 0 ? read.problems.filter(({ code }) => code !== 'NO_OPERATION') : read.problems;
    return { operations: [], problems: [...problems, ...others] };
  }
  return { operations: read.operations.map((each) => analyse(each, guarded, requiredOnly)), problems: [] };
}

export function analyse(
  read: ReadOperation,
  { schema, declared, plain }: GuardedSchema,
  requiredOnly: boolean,
): AnalysedOperation {
  const permissions = permissionsOfOperation(schema, declared, read.document, read.operation, { plain });
  return { ...read, permissions, policies: tightestPolicies(wanted(permissions, requiredOnly)) };
}

function wanted({ asked }: OperationPermissions, requiredOnly: boolean): readonly AskedPermission[] {
  return requiredOnly ? asked.filter(({ whenRefused }) => whenRefused === 'ERROR') : asked;
}

/** Policies for all of the operations together. */
export function policiesOfAll(operations: readonly AnalysedOperation[], requiredOnly: boolean): TightPolicies {
  return tightestPolicies(operations.flatMap(({ permissions }) => wanted(permissions, requiredOnly)));
}

export function printDocumentProblems(problems: readonly DocumentProblem[]): string {
  return problems
    .map(({ file, line, column, code, message }) => {
      const place = line === null || column === null ? file : `${file}:${line}:${column}`;
      return `${place} ${code} ${message}\n`;
    })
    .join('');
}

/** One document in each line, or the one document as a person writes it. */
export function printPolicies({ policies }: TightPolicies): string {
  if (policies.length === 1) return `${policies[0]?.text ?? ''}\n`;
  return policies.map(({ document }) => `${JSON.stringify(document)}\n`).join('');
}

const scopes = {
  ACCOUNT: 'account scope',
  WORKSPACE: 'workspace scope',
  EITHER: 'account scope or a workspace',
  IMPOSSIBLE: 'NO SCOPE: some parts need account scope and others a workspace, so it can never succeed whole; split it',
} as const;

export function printOperations(operations: readonly AnalysedOperation[]): string {
  return `${operations.map(printOperation).join('\n')}\n${notKnown}`;
}

const notKnown = `Not known from the text: what is asked about rows once they are read (their tags, owners, kinds and numbers), entry into a
workspace, and conditions of policies. What is said of it stands above as "also needs". Fields under @include and @skip
are counted as included.
`;

function printOperation({ file, line, column, permissions, policies }: AnalysedOperation): string {
  const { kind, name, asked, open, scope, wholeScope, needs, complete } = permissions;
  const lines = [`${kind} ${name ?? '(without a name)'}  ${file}:${line}:${column}`, `  runs in    ${scopes[scope]}`];
  if (wholeScope !== scope) {
    const parts = asked.filter((each) => each.scope !== 'ANY' && each.whenRefused === 'NULL' && !each.onlyWhenRepeated);
    const only = [...new Set(parts.map((each) => `${each.path.join('.')} (${each.scope})`))].join(', ');
    const said = wholeScope === 'IMPOSSIBLE' ? 'never: it needs both scopes' : `in ${scopes[wholeScope]}`;
    lines.push(`  whole only ${said}; elsewhere null: ${only}`);
  }
  for (const at of open) lines.push(`  open       ${at} needs no permission`);
  section(lines, 'must be allowed, or the field is an error:', asked.filter(isRequired));
  section(
    lines,
    'null where refused:',
    asked.filter((each) => !isRequired(each) && !each.onlyWhenRepeated),
  );
  section(
    lines,
    'asked only by a repeat with the same idempotencyKey:',
    asked.filter((each) => each.onlyWhenRepeated),
  );
  const beyond = needs.filter(({ sentence, further }) => further.length > 0 || /,| and that | that /.test(sentence));
  if (beyond.length > 0) lines.push('  also needs, by the description of the field:');
  for (const { path, sentence } of beyond) lines.push(`    ${path.join('.')}: ${sentence}`);
  if (!complete) lines.push('  the operation is larger than can be looked at; what follows is not all');
  lines.push(...policyLines(policies, scope));
  return `${lines.join('\n')}\n`;
}

function isRequired({ whenRefused }: AskedPermission): boolean {
  return whenRefused === 'ERROR';
}

function section(lines: string[], title: string, asked: readonly AskedPermission[]): void {
  if (asked.length === 0) return;
  lines.push(`  ${title}`);
  for (const each of asked) {
    const marks = [
      each.resource === null ? '' : ` on ${shownResource(each.resource)}`,
      each.scope === 'ANY' ? '' : ` [${each.scope}]`,
      each.onType === null ? '' : ` (if it is ${/^[AEIOU]/.test(each.onType) ? 'an' : 'a'} ${each.onType})`,
      each.conditional ? ' (under @include or @skip)' : '',
      isEverybodys(each) ? ' (everybody has it)' : '',
    ];
    lines.push(`    ${each.path.join('.')}: ${each.anyOf.join(' or ')}${marks.join('')}`);
  }
}

function policyLines({ policies, dependsOn, unregistered }: TightPolicies, scope: OperationPermissions['scope']) {
  if (policies.length === 0) return ['  policy     none: everybody who is signed in has all of it'];
  const lines: string[] = [];
  for (const { level, text } of policies) {
    lines.push(`  policy, ${whereGranted(level, scope)}:`, ...text.split('\n').map((line) => `    ${line}`));
  }
  if (dependsOn.length > 0) lines.push(`  the catalogue says that these depend on: ${dependsOn.join(', ')}`);
  if (unregistered.length > 0) {
    lines.push(`  not actions of the platform, a service must have registered them: ${unregistered.join(', ')}`);
  }
  if (policies.some(({ document }) => document.Statement.some(namesModelArts))) {
    lines.push('  a grant that names modelarts ends the default access to ModelArts of whom it reaches (mode LOOSE)');
  }
  return lines;
}

function namesModelArts({ Action }: { readonly Action: readonly string[] }): boolean {
  return Action.some((action) => action.startsWith('modelarts:'));
}

function whereGranted(level: 'GLOBAL' | 'PROJECT', scope: OperationPermissions['scope']): string {
  if (level === 'GLOBAL') return 'account-level services; grant it for the account';
  if (scope === 'ACCOUNT') return 'project-level services; grant it for everything, account scope is asked too';
  return 'project-level services; grant it for the workspaces where it is used';
}

export interface CompareOptions extends AnalyseOptions {
  /** A commit, or files. */
  readonly before: { readonly commit: string } | { readonly files: readonly string[] };
  readonly holders: readonly Holder[];
}

export interface Comparison {
  readonly changes: readonly HolderChange[];
  /** Names of operations that are not compared: there was none of the name before, or there are several of it. */
  readonly unpaired: readonly string[];
  readonly problems: readonly DocumentProblem[];
}

/** Whom the operations of these files break that could run them as they were. Operations are paired by their names. */
export async function compareFiles(
  files: readonly string[],
  { before: earlierFiles, holders, schema, requiredOnly }: CompareOptions,
  readInput: () => Promise<Uint8Array>,
): Promise<Comparison> {
  const after = await analyseFiles(files, { schema, requiredOnly }, readInput);
  const guarded = await readGuardedSchema(schema);
  if (after.problems.length > 0 || !('schema' in guarded))
    return { changes: [], unpaired: [], problems: after.problems };
  const earlier =
    'commit' in earlierFiles
      ? { sources: await readAtCommit(earlierFiles.commit, files, process.cwd()), problems: [] }
      : await readSources(earlierFiles.files, readInput);
  const read = readOperations(guarded.schema, earlier.sources);
  const problems = [...earlier.problems, ...read.problems.filter(({ code }) => code !== 'NO_OPERATION')];
  if (problems.length > 0) return { changes: [], unpaired: [], problems };
  const before = onlyOnes(read.operations);
  const now = onlyOnes(after.operations);
  const pairs = [...now].flatMap(([name, each]) => {
    const then = before.get(name);
    return then === undefined
      ? []
      : [{ name, before: analyse(then, guarded, requiredOnly).permissions, after: each.permissions }];
  });
  const paired = new Set(pairs.map(({ name }) => name));
  return {
    changes: pairs.flatMap((pair) => changesFor(pair, holders, requiredOnly)),
    unpaired: [...new Set(after.operations.map(nameOf))].filter((name) => !paired.has(name)),
    problems: [],
  };
}

/** By name; of several with one name nobody knows which was which. */
function onlyOnes<Operation extends ReadOperation>(operations: readonly Operation[]): ReadonlyMap<string, Operation> {
  const found = new Map<string, Operation>();
  const several = new Set<string>();
  for (const each of operations) {
    const name = nameOf(each);
    if (found.has(name)) several.add(name);
    found.set(name, each);
  }
  for (const name of several) found.delete(name);
  return found;
}

function nameOf({ operation }: ReadOperation): string {
  return `${operation.operation} ${operation.name?.value ?? '(without a name)'}`;
}

/** For other programs; members are added, never changed. */
export function operationsAsJson(operations: readonly AnalysedOperation[]): string {
  const shown = operations.map(({ file, line, column, permissions, policies }) => ({
    file,
    line,
    column,
    kind: permissions.kind,
    name: permissions.name,
    scope: permissions.scope,
    wholeScope: permissions.wholeScope,
    complete: permissions.complete,
    asked: permissions.asked.map((each) => ({
      coordinate: each.coordinate,
      path: each.path,
      anyOf: each.anyOf,
      scope: each.scope,
      resource: each.resource === null ? null : shownResource(each.resource),
      whenRefused: each.whenRefused,
      onType: each.onType,
      onlyWhenRepeated: each.onlyWhenRepeated,
      conditional: each.conditional,
      everybodys: isEverybodys(each),
    })),
    open: permissions.open,
    needs: permissions.needs,
    policies: policies.policies.map(({ level, document }) => ({ level, document })),
    dependsOn: policies.dependsOn,
    unregistered: policies.unregistered,
  }));
  return `${JSON.stringify(shown, null, 2)}\n`;
}
