/** What only the catalogue can say of a parsed document: unknown names, mixed levels, and what will surprise. */
import {
  actionsMatcher,
  type ParsedPolicy,
  type PolicyDocument,
  type Problem,
  readActionName,
  readOperator,
  type Statement,
} from '../policy/index.js';
import { foldName, hasWildcard, segmentsOf } from './action-row.js';
import type { Catalogue } from './catalogue.js';
import { checkIdle, escapePointer, type Report } from './idle-check.js';
import { everyAction, patternLevel, reachesService, statementLevel } from './policy-level.js';
import { didYouMean, quote } from './suggestion.js';

/**
 * What the document is for. A GRANT has a scope, hence no mix of levels. A SESSION policy only narrows what a session
 * already has, in no scope of its own, so it may name services of both.
 */
export type DocumentPurpose = 'GRANT' | 'SESSION';

/**
 * The problems of a parsed document as seen by the catalogue, located in its text; to be read beside
 * `parsed.problems`, which are about grammar. A document that did not parse has none here.
 *
 * ERROR `IAM.1036`: an action or pattern that matches nothing registered. ERROR `MIXED_SCOPE`: account-level and
 * project-level services in one version 1.1 document; the pattern `*:*:*` does not count, any other wildcard in the
 * service segment counts as both (rule 11). Roles (1.0) and identity policies (5.0) are made by the system and exempt.
 * WARNING: `RESOURCE_ON_MODELARTS`, `DENY_DISARMED_BY_ABSENT_KEY`, `UNKNOWN_CONDITION_KEY`, `LEGACY_ACTION`,
 * `ALIASED_ACTION`, and those of `checkIdle`. Source: docs/domain.md sections a1 to a3.
 */
export function checkDocument(
  parsed: ParsedPolicy,
  catalogue: Catalogue,
  purpose: DocumentPurpose = 'GRANT',
): Problem[] {
  const { document } = parsed;
  if (document === null) return [];
  const problems: Problem[] = [];
  const report: Report = (severity, code, pointer, message) => {
    const place = locate(parsed, pointer);
    problems.push({ code, severity, message, pointer, line: place?.line ?? null, column: place?.column ?? null });
  };
  for (const statement of document.statements) {
    checkActions(statement, catalogue, report);
    checkAliases(statement, catalogue, report);
    checkResource(statement, report);
    checkConditions(statement, catalogue, report);
  }
  checkIdle(document, catalogue, report);
  if (purpose === 'GRANT' && document.version === '1.1') checkLevels(document, report);
  return problems;
}

/** Suggestions per statement. One costs as much as reading the document; a hundred slips are not slips. */
const mostSuggestions = 10;

function checkActions(statement: Statement, catalogue: Catalogue, report: Report): void {
  let suggestions = 0;
  patternsOf(statement).forEach(({ pattern, pointer }) => {
    if (!catalogue.knows(pattern)) {
      suggestions += 1;
      const suggestion = suggestions > mostSuggestions ? null : catalogue.suggest(pattern);
      const advice = didYouMean(suggestion, 'look the name up in the catalogue of actions');
      const what = hasWildcard(pattern) ? 'action pattern' : 'action';
      const why = hasWildcard(pattern) ? 'matches no registered action' : 'is not registered by any service';
      report('ERROR', 'IAM.1036', pointer, `${what} ${quote(pattern)} ${why}; ${advice}`);
      return;
    }
    if (catalogue.find(pattern)?.legacy === true) {
      const message = `action ${quote(pattern)} is of an older generation; check that the service still asks it`;
      report('WARNING', 'LEGACY_ACTION', pointer, message);
    }
  });
}

// An alias is canonical on both sides (rule 7), so naming one decides the other. Say so where nothing in the statement
// names the canonical action: an Allow on one kind can give an act on another.
function checkAliases(statement: Statement, catalogue: Catalogue, report: Report): void {
  if (statement.notActions !== null) return;
  const named = actionsMatcher(statement.actions);
  const surprising = aliasesOf(catalogue).filter(({ canonical }) => !named(canonical));
  if (surprising.length === 0) return;
  for (const { pattern, pointer } of patternsOf(statement)) {
    const matches = actionsMatcher([pattern]);
    const surprises = surprising.filter(({ read }) => matches(read));
    if (surprises.length === 0) continue;
    const pairs = surprises.map(({ name, aliasOf }) => `\`${name}\` is another name of \`${aliasOf}\``).join(', ');
    report('WARNING', 'ALIASED_ACTION', pointer, `${pairs}: this statement decides both; name both if that is meant`);
  }
}

/** An action's other name, and the names of both as patterns are held against them. */
interface Alias {
  readonly name: string;
  readonly aliasOf: string;
  readonly read: readonly string[];
  readonly canonical: readonly string[];
}

const aliases = new WeakMap<Catalogue, readonly Alias[]>();

function aliasesOf(catalogue: Catalogue): readonly Alias[] {
  const known = aliases.get(catalogue);
  if (known !== undefined) return known;
  const found = catalogue.rows.flatMap(({ name, aliasOf }) =>
    aliasOf === null ? [] : [{ name, aliasOf, read: readActionName(name), canonical: readActionName(aliasOf) }],
  );
  aliases.set(catalogue, found);
  return found;
}

function checkResource(statement: Statement, report: Report): void {
  const [field, resources] =
    statement.notResources === null ? ['Resource', statement.resources] : ['NotResource', statement.notResources];
  if (
    resources === null ||
    resources.every((resource) => resource === '*') ||
    !reachesService(statement, 'modelarts')
  ) {
    return;
  }
  const message =
    'ModelArts itself cannot be limited to named resources; Bailiwick honours this limit, other platforms may not read it';
  report('WARNING', 'RESOURCE_ON_MODELARTS', `/Statement/${statement.index}/${field}`, message);
}

function checkConditions(statement: Statement, catalogue: Catalogue, report: Report): void {
  for (const { operator, key, values } of statement.conditions) {
    const pointer = `/Statement/${statement.index}/Condition/${escapePointer(operator)}/${escapePointer(key)}`;
    checkKey(key, pointer, catalogue, report);
    if (statement.effect === 'DENY' && failsWhenAbsent(operator) && mayLack(statement, key, catalogue)) {
      const advice = `use ${quote(`${operator}IfExists`)} to deny then too`;
      const message = `this Deny does not apply when ${quote(key)} is absent (${absence(key, catalogue)}); ${advice}`;
      report('WARNING', 'DENY_DISARMED_BY_ABSENT_KEY', pointer, message);
    }
    // A value that cannot be resolved agrees with nothing: that costs a positive operator and never a negated one.
    const costs = readOperator(operator)?.operator.negated === false;
    values.forEach((value, index) => checkVariables(value, `${pointer}/${index}`, statement, costs, catalogue, report));
  }
  (statement.resources ?? []).forEach((resource, index) =>
    checkVariables(resource, `/Statement/${statement.index}/Resource/${index}`, statement, true, catalogue, report),
  );
}

function checkVariables(
  text: string,
  pointer: string,
  statement: Statement,
  costs: boolean,
  catalogue: Catalogue,
  report: Report,
): void {
  // Variables without a default, `${key}`; the engine's grammar keeps these characters out of keys.
  for (const [, key = ''] of text.matchAll(/\$\{\s*([^${},'*?]+?)\s*\}/g)) {
    checkKey(key, pointer, catalogue, report);
    if (statement.effect !== 'DENY' || !costs || !mayLack(statement, key, catalogue)) continue;
    const advice = `give it a default, ${quote(`\${${key}, '…'}`)}, or leave it out`;
    const message = `this Deny does not apply when ${quote(key)} is absent (${absence(key, catalogue)}); ${advice}`;
    report('WARNING', 'DENY_DISARMED_BY_ABSENT_KEY', pointer, message);
  }
}

function checkKey(key: string, pointer: string, catalogue: Catalogue, report: Report): void {
  if (catalogue.findConditionKey(key) !== undefined) return;
  const advice = didYouMean(catalogue.suggestConditionKey(key), 'requests will lack it unless a service sets it');
  report('WARNING', 'UNKNOWN_CONDITION_KEY', pointer, `condition key ${quote(key)} is unknown; ${advice}`);
}

/** Whether a condition with this operator is false when the request lacks the key (rule 9). */
function failsWhenAbsent(operator: string): boolean {
  const use = readOperator(operator);
  if (use === null || use.ifExists || use.prefix === 'ForAllValues') return false;
  const { comparison, negated } = use.operator;
  // Asking for absence itself is not disarmed by it.
  if (comparison === 'ABSENT' || comparison === 'ABSENT_OR_EMPTY') return false;
  return use.prefix === 'ForAnyValue' || !negated;
}

function mayLack(statement: Statement, key: string, catalogue: Catalogue): boolean {
  const known = catalogue.findConditionKey(key);
  if (known === undefined || known.filled === 'WHEN_KNOWN') return true;
  return known.filled === 'IN_WORKSPACE' && statementLevel(statement) !== 'PROJECT';
}

function absence(key: string, catalogue: Catalogue): string {
  return catalogue.findConditionKey(key)?.absentWhen ?? 'no service names it';
}

function checkLevels(document: PolicyDocument, report: Report): void {
  const levels = document.statements
    .flatMap(patternsOf)
    .filter(({ pattern }) => pattern !== everyAction)
    .map((entry) => ({ ...entry, level: patternLevel(entry.pattern), service: segmentsOf(entry.pattern).service }));
  for (const { pattern, pointer, level } of levels) {
    if (level !== 'BOTH') continue;
    const advice = `write \`${everyAction}\`, or name the services, account-level ones in a policy of their own`;
    const message = `${quote(pattern)} stands for account-level and project-level services at once; ${advice}`;
    report('ERROR', 'MIXED_SCOPE', pointer, message);
  }
  const global = levels.filter(({ level }) => level === 'GLOBAL');
  const project = levels.filter(({ level }) => level === 'PROJECT');
  const [firstGlobal] = global;
  const [firstProject] = project;
  if (firstGlobal === undefined || firstProject === undefined) return;
  // The smaller half is the one to move out; its first pattern is where to look.
  const place = global.length <= project.length ? firstGlobal : firstProject;
  const message =
    `account-level services (${quoted(global)}) and project-level services (${quoted(project)}) cannot share a policy, ` +
    `because each is granted in another scope; write one policy for each`;
  report('ERROR', 'MIXED_SCOPE', place.pointer, message);
}

function quoted(entries: readonly { readonly service: string }[]): string {
  const services = [...new Set(entries.map(({ service }) => foldName(service)))].sort();
  return services.map(quote).join(', ');
}

function patternsOf(statement: Statement): readonly { readonly pattern: string; readonly pointer: string }[] {
  const [field, patterns] =
    statement.notActions === null ? ['Action', statement.actions] : ['NotAction', statement.notActions];
  return patterns.map((pattern, index) => ({ pattern, pointer: `/Statement/${statement.index}/${field}/${index}` }));
}

// Single values may stand bare in newer documents: their place is then that of the field around them.
function locate(parsed: ParsedPolicy, pointer: string): { line: number; column: number } | null {
  for (let at = pointer; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    const place = parsed.locate(at);
    if (place !== null) return place;
  }
  return null;
}
