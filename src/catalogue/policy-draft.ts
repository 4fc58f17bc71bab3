/** From "these kinds of resource, at these levels" to a document that can be saved as it stands (rule 6). */
import { matchesActionPattern, policyLimits, type Problem } from '../policy/index.js';
import { accessLevels, foldName, type AccessLevel, type ActionRow, type ResourceKind } from './action-row.js';
import { dependenciesOf, type Catalogue } from './catalogue.js';
import { patternLevel } from './policy-level.js';
import { didYouMean, quote } from './suggestion.js';

export interface PolicyDraftRequest {
  /** Names of resource kinds, `modelarts:notebook`; letter case does not count. */
  readonly resourceKinds: readonly string[];
  readonly accessLevels: readonly AccessLevel[];
  readonly effect: 'ALLOW' | 'DENY';
}

/** The document as one writes it by hand. */
export interface DraftDocument {
  readonly Version: '1.1';
  readonly Statement: readonly { readonly Effect: 'Allow' | 'Deny'; readonly Action: readonly string[] }[];
}

export interface PolicyDraft {
  /** Null when the choice cannot become one valid document; `problems` then says what to choose instead. */
  readonly document: DraftDocument | null;
  /** The same as text: indented, unless only the compact form keeps within the limit. */
  readonly text: string | null;
  /** Located in the request (`/resourceKinds/0`). Warnings accompany a document, an error never does. */
  readonly problems: readonly Problem[];
}

const limits = policyLimits.CUSTOM;

/**
 * Drafts a custom policy. All five levels of a kind become `service:type:*`, which also covers actions that the kind
 * gains later; fewer levels name the actions of today. An Allow comes with a warning that lists the actions that the
 * chosen ones depend on and the draft does not include: one document of 1.1 has no other way to ask for them.
 */
export function draftPolicy(request: PolicyDraftRequest, catalogue: Catalogue): PolicyDraft {
  const problems: Problem[] = [];
  const report = (severity: Problem['severity'], code: string, pointer: string, message: string): void => {
    problems.push({ code, severity, message, pointer, line: null, column: null });
  };
  const refused = (): PolicyDraft => ({ document: null, text: null, problems });

  const kinds = chosenKinds(request, catalogue, report);
  const levels = accessLevels.filter((level) => request.accessLevels.includes(level));
  if (request.resourceKinds.length === 0) {
    report('ERROR', 'NOTHING_TO_DRAFT', '/resourceKinds', 'no resource kind is chosen; choose at least one');
  }
  if (levels.length === 0) {
    report('ERROR', 'NOTHING_TO_DRAFT', '/accessLevels', 'no access level is chosen; choose at least one');
  }
  checkLevelsMatch(kinds, report);
  if (hasError(problems)) return refused();

  const chosen = kinds.map((kind) => ({ kind, rows: levels.flatMap((level) => kind.actions[level]) }));
  const empty = chosen.filter(({ rows }) => rows.length === 0).map(({ kind }) => kind);
  if (empty.length > 0) {
    const names = empty.map((kind) => `\`${kind.name}\``).join(', ');
    const all = empty.length === kinds.length;
    const message = `no action of ${names} has the chosen access levels; choose ${all ? 'further' : 'other'} levels`;
    report(all ? 'ERROR' : 'WARNING', 'NOTHING_TO_DRAFT', '/accessLevels', message);
    if (all) return refused();
  }
  const wholeKind = levels.length === accessLevels.length;
  const patterns = chosen.flatMap(({ kind, rows }) =>
    rows.length === 0 ? [] : wholeKind ? [`${kind.name}:*`] : currentNames(rows),
  );
  const document = draftDocument(patterns, request.effect);
  const text = draftText(document);
  if (text === null || document.Statement.length > limits.statements) {
    const message = `a policy holds ${limits.characters} characters and the draft needs more; choose fewer kinds and draft two policies`;
    report('ERROR', 'IAM.1021', '/resourceKinds', message);
    return refused();
  }
  noteAliases(chosen, patterns, report);
  if (request.effect === 'ALLOW') noteDependencies(chosen, patterns, catalogue, report);
  return { document, text, problems };
}

type Report = (severity: Problem['severity'], code: string, pointer: string, message: string) => void;
type Chosen = readonly { readonly kind: ResourceKind; readonly rows: readonly ActionRow[] }[];

function chosenKinds(request: PolicyDraftRequest, catalogue: Catalogue, report: Report): readonly ResourceKind[] {
  const kinds = new Set<ResourceKind>();
  request.resourceKinds.forEach((name, index) => {
    const kind = catalogue.findKind(name);
    if (kind !== undefined) {
      kinds.add(kind);
      return;
    }
    const advice = didYouMean(catalogue.suggestKind(name), 'take a name from `resourceKinds`');
    report(
      'ERROR',
      'UNKNOWN_RESOURCE_KIND',
      `/resourceKinds/${index}`,
      `resource kind ${quote(name)} is unknown; ${advice}`,
    );
  });
  return [...kinds];
}

function checkLevelsMatch(kinds: readonly ResourceKind[], report: Report): void {
  const named = (level: string): string =>
    kinds
      .filter((kind) => patternLevel(kind.name) === level)
      .map((kind) => `\`${kind.name}\``)
      .join(', ');
  const global = named('GLOBAL');
  const project = named('PROJECT');
  if (global === '' || project === '') return;
  const message = `account-level kinds (${global}) and project-level kinds (${project}) cannot share a policy; draft two, one for each`;
  report('ERROR', 'MIXED_SCOPE', '/resourceKinds', message);
}

// Another name of an action that is chosen anyway says nothing more.
function currentNames(rows: readonly ActionRow[]): readonly string[] {
  const names = new Set(rows.map((row) => foldName(row.name)));
  return rows.filter((row) => row.aliasOf === null || !names.has(foldName(row.aliasOf))).map((row) => row.name);
}

/** One document of these patterns, in as many statements as their number asks for. */
export function draftDocument(patterns: readonly string[], effect: PolicyDraftRequest['effect']): DraftDocument {
  const statements = [];
  for (let from = 0; from < patterns.length; from += limits.actions) {
    statements.push({
      Effect: effect === 'ALLOW' ? ('Allow' as const) : ('Deny' as const),
      Action: patterns.slice(from, from + limits.actions),
    });
  }
  return { Version: '1.1', Statement: statements };
}

/** Text of a document, indented if that keeps within the limit; null when none of its forms does. */
export function draftText(document: DraftDocument): string | null {
  const forms = [JSON.stringify(document, null, 2), JSON.stringify(document)];
  return forms.find((form) => form.length <= limits.characters) ?? null;
}

function noteAliases(chosen: Chosen, patterns: readonly string[], report: Report): void {
  const pairs = chosen
    .flatMap(({ rows }) => rows)
    .filter(({ aliasOf }) => aliasOf !== null && !covered(aliasOf, patterns))
    .map((row) => `\`${row.name}\` is another name of \`${row.aliasOf}\``);
  if (pairs.length === 0) return;
  const message = `${pairs.join(', ')}: the draft decides both; leave the kind out if that is not meant`;
  report('WARNING', 'ALIASED_ACTION', '/resourceKinds', message);
}

function noteDependencies(chosen: Chosen, patterns: readonly string[], catalogue: Catalogue, report: Report): void {
  const actions = chosen.flatMap(({ rows }) => rows.map((row) => row.name));
  const missing = dependenciesOf(actions, catalogue).filter((action) => !covered(action, patterns));
  if (missing.length === 0) return;
  const list = missing.map((action) => `\`${action}\``).join(', ');
  const message = `the chosen actions depend on actions that this draft does not include; grant them besides: ${list}`;
  report('WARNING', 'DEPENDENCIES_NOT_INCLUDED', '/resourceKinds', message);
}

function covered(action: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => matchesActionPattern(pattern, action));
}

function hasError(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity === 'ERROR');
}
