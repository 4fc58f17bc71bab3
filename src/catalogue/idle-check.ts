/** What of a document will not do what its author expects: idle statements, limits that nothing meets, acts that need more. */
import {
  actionMatcher,
  conditionsExclude,
  findShadows,
  type PolicyDocument,
  type Problem,
  readOperator,
  resourcePatternsMayOverlap,
  type Shadow,
  type Statement,
} from '../policy/index.js';
import { foldName, hasWildcard, segmentsOf } from './action-row.js';
import { askedTypes, saysTypes, typesOfService } from './asked-types.js';
import { type Catalogue, dependenciesOf } from './catalogue.js';
import { quote } from './suggestion.js';

/** Takes one problem; the pointer says where it is. */
export type Report = (severity: Problem['severity'], code: string, pointer: string, message: string) => void;

/**
 * Warnings about how the statements of a document work together, each certain: `REDUNDANT_STATEMENT`,
 * `UNREACHABLE_STATEMENT` (also of single entries of one), `CONTRADICTORY_CONDITIONS`, `RESOURCE_NEVER_ASKED`,
 * `MISSING_DEPENDENCY`.
 */
export function checkIdle(document: PolicyDocument, catalogue: Catalogue, report: Report): void {
  for (const shadow of findShadows(document.statements, (name) => catalogue.namesOf(name))) {
    report('WARNING', `${shadow.kind}_STATEMENT`, shadowPlace(shadow), shadowMessage(shadow));
  }
  const isAllowed = allowedIn(document, catalogue);
  for (const statement of document.statements) {
    checkContradictions(statement, catalogue, report);
    checkAskedResource(statement, catalogue, report);
    checkDependencies(statement, isAllowed, catalogue, report);
  }
}

function shadowPlace({ statement, part }: Shadow): string {
  const place = `/Statement/${statement.index}`;
  if (part === null) return place;
  return `${place}/${part.field === 'actions' ? 'Action' : 'Resource'}/${part.places[0] ?? 0}`;
}

function shadowMessage({ statement, kind, part, by }: Shadow): string {
  const others = by.map(({ index }) => `\`/Statement/${index}\``).join(', ');
  const listed = part === null ? [] : part.places.map((place) => statement[part.field]?.[place] ?? '');
  const what = part === null ? `this ${statement.effect === 'ALLOW' ? 'Allow' : 'Deny'}` : fewOf(listed);
  const many = listed.length > 1;
  if (kind === 'UNREACHABLE') {
    return `${what} never ${many ? 'count' : 'counts'}: the Deny ${others} keeps all of it back; remove one of the two, or narrow the Deny`;
  }
  return `${what} ${many ? 'add' : 'adds'} nothing to ${others}; remove ${many ? 'them' : 'it'}, or narrow the other`;
}

function fewOf(names: readonly string[]): string {
  const most = 5;
  const shown = names.slice(0, most).map(quote).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}

function checkContradictions(statement: Statement, catalogue: Catalogue, report: Report): void {
  // Rule 10: a Deny with an operator that nobody knows may match all the same.
  if (statement.conditions.some(({ operator }) => readOperator(operator) === null)) return;
  for (const [place, later] of statement.conditions.entries()) {
    const known = catalogue.findConditionKey(later.key);
    const single = known !== undefined && known.documented && known.setBy === 'SERVER' && known.type !== 'string-set';
    const earlier = statement.conditions.slice(0, place).find((other) => conditionsExclude(other, later, single));
    if (earlier === undefined) continue;
    const pointer = `/Statement/${statement.index}/Condition/${escapePointer(later.operator)}/${escapePointer(later.key)}`;
    const message = `${quote(later.operator)} and ${quote(earlier.operator)} on ${quote(later.key)} never hold together, so the statement never matches; take one out, or make two statements`;
    report('WARNING', 'CONTRADICTORY_CONDITIONS', pointer, message);
    return;
  }
}

/** Actions that are asked before there is a resource to ask about. */
export const askedWithoutResource = [
  'bailiwick:services:create',
  'eps:enterpriseProjects:create',
  'iam:agencies:createAgency',
  'iam:groups:createGroup',
  'iam:roles:createRole',
  'iam:users:createUser',
  'modelarts:workspace:create',
] as const;

/** Services whose actions are asked about what belongs to others: a registered resource, a resource to be moved. */
const askedOfOthers = new Set(['bailiwick', 'eps']);

function checkAskedResource(statement: Statement, catalogue: Catalogue, report: Report): void {
  const { resources, actions, notActions } = statement;
  if (resources === null || notActions !== null) return;
  if (resources.some((resource) => /^[*:]*$/.test(resource))) return;
  const place = `/Statement/${statement.index}`;
  const unasked = actions.flatMap((action, at) => {
    const row = catalogue.canonical(action);
    const found = row !== undefined && (askedWithoutResource as readonly string[]).includes(row.name);
    return found ? [{ action, at }] : [];
  });
  const [first] = unasked;
  if (first !== undefined) {
    const what = fewOf(unasked.map(({ action }) => action));
    const message = `${what} ${unasked.length > 1 ? 'are' : 'is'} asked about no resource, so with this \`Resource\` never matched; give a statement without \`Resource\` for that`;
    report('WARNING', 'RESOURCE_NEVER_ASKED', `${place}/Action/${first.at}`, message);
  }
  const services = new Set(actions.map((action) => foldName(segmentsOf(action).service)));
  if ([...services].some((service) => hasWildcard(service) || askedOfOthers.has(service))) return;
  const placed = resources.map((resource, at) => ({ resource, at, service: foldName(segmentsOf(resource).service) }));
  const strangers = placed.filter(
    ({ service }) => !services.has(service) && catalogue.services.some(({ name }) => foldName(name) === service),
  );
  const [stranger] = strangers;
  if (stranger !== undefined) {
    const message = `${fewOf(strangers.map(({ resource }) => resource))} ${strangers.length > 1 ? 'are' : 'is'} of a service that no action here belongs to (${fewOf([...services])}), so never matched; name a resource of that service`;
    report('WARNING', 'RESOURCE_NEVER_ASKED', `${place}/Resource/${stranger.at}`, message);
  }
  if (unasked.length === actions.length) return;
  // What is asked before there is a resource counts too: who registers one asks about it by the same name.
  for (const service of services) {
    const own = placed.filter((one) => one.service === service);
    checkAskedType(place, service, own, actions, catalogue, report);
  }
}

/** Resources of one service, of a type that none of its actions here is asked about. */
function checkAskedType(
  place: string,
  service: string,
  own: readonly { readonly resource: string; readonly at: number }[],
  actions: readonly string[],
  catalogue: Catalogue,
  report: Report,
): void {
  if (own.length === 0 || !saysTypes(service)) return;
  const types = actions
    .filter((action) => foldName(segmentsOf(action).service) === service)
    .map((action) => askedTypes(action, catalogue));
  const asked = new Set(types.flatMap((known) => known ?? []));
  if (types.includes(null) || asked.size === 0) return;
  const others = typesOfService(service, catalogue).filter((type) => !asked.has(type));
  // Letter case counts in URNs; who asks may have written a type otherwise.
  const mayBe = (resource: string, type: string): boolean =>
    resourcePatternsMayOverlap(resource.toLowerCase(), `${service}:*:*:${type}:*`);
  // A type that nobody knows may be one by which some asker calls the same thing.
  const strangers = own.filter(
    ({ resource }) => ![...asked].some((type) => mayBe(resource, type)) && others.some((type) => mayBe(resource, type)),
  );
  const [first] = strangers;
  if (first === undefined) return;
  const message = `${fewOf(strangers.map(({ resource }) => resource))} ${strangers.length > 1 ? 'are' : 'is'} of a type that no action here is asked about (${fewOf([...asked])}), so never matched; name a resource of that type`;
  report('WARNING', 'RESOURCE_NEVER_ASKED', `${place}/Resource/${first.at}`, message);
}

// Of actions that are named. A wildcard takes in so many that what some of them need says little of what is meant.
function checkDependencies(
  statement: Statement,
  isAllowed: (action: string) => boolean,
  catalogue: Catalogue,
  report: Report,
): void {
  if (statement.effect !== 'ALLOW') return;
  const named = statement.actions.filter((action) => (catalogue.canonical(action)?.dependsOn ?? []).length > 0);
  const missing = dependenciesOf(named, catalogue).filter((action) => !isAllowed(action));
  if (missing.length === 0) return;
  const at = statement.actions.findIndex(
    (action) =>
      named.includes(action) && dependenciesOf([action], catalogue).some((needed) => missing.includes(needed)),
  );
  const message = `what is allowed here needs ${fewOf(missing)} besides; grant ${missing.length > 1 ? 'them' : 'it'} too, here or by another policy`;
  report('WARNING', 'MISSING_DEPENDENCY', `/Statement/${statement.index}/Action/${Math.max(at, 0)}`, message);
}

/** Whether some Allow names an action; each pattern is read once for all that will be asked. */
function allowedIn(document: PolicyDocument, catalogue: Catalogue): (action: string) => boolean {
  const matchers = (patterns: readonly string[]): ((names: readonly string[]) => boolean) => {
    const plain = new Set(patterns.filter((pattern) => !hasWildcard(pattern)).map(foldName));
    const wild = patterns.filter(hasWildcard).map(actionMatcher);
    return (names) => names.some((name) => plain.has(foldName(name)) || wild.some((matches) => matches(name)));
  };
  const allows = document.statements
    .filter(({ effect }) => effect === 'ALLOW')
    .map(({ actions, notActions }) => ({ except: notActions !== null, fits: matchers(notActions ?? actions) }));
  return (action) => {
    const names = catalogue.namesOf(action);
    return allows.some(({ except, fits }) => fits(names) !== except);
  };
}

/** A name as a step of a JSON pointer. */
export function escapePointer(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1');
}
