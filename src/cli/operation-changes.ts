/**
 * What a changed operation takes from whom: for each group (or user without one) that could run it as it was, whether
 * every new question is allowed by what they hold, refused, or depends on what is not known here.
 */
import { modelArtsDefaultPolicy, platformCatalogue } from '../catalogue/index.js';
import {
  shownResource,
  type AskedPermission,
  type AskedResource,
  type OperationPermissions,
} from '../graphql/index.js';
import { reaches, type RequiredScope } from '../iam/index.js';
import {
  matchesActionPattern,
  planStatements,
  withSegments,
  type PolicySource,
  type Statement,
} from '../policy/index.js';
import type { HeldScope, Holder } from './operation-holders.js';
import { isEverybodys, patternOf } from './operation-policy.js';

/** Where an operation is run: the account, or a workspace. */
interface Place {
  readonly scope: Exclude<RequiredScope, 'ANY'>;
  readonly workspace: { readonly id: string; readonly enterpriseProjectId: string } | null;
  readonly name: string;
}

export interface ChangedQuestion {
  readonly outcome: 'BREAKS' | 'DEPENDS';
  readonly path: readonly string[];
  readonly coordinate: string;
  readonly anyOf: readonly string[];
  readonly resource: string | null;
  readonly whenRefused: AskedPermission['whenRefused'];
  readonly place: string;
  /** Condition keys, `resource`, or `default access` that it depends on; for BREAKS why, where it is the scope. */
  readonly on: readonly string[];
}

export interface HolderChange {
  readonly operation: string;
  readonly holder: string;
  readonly outcome: 'KEEPS' | 'BREAKS' | 'DEPENDS';
  readonly questions: readonly ChangedQuestion[];
}

export interface OperationChange {
  readonly name: string;
  readonly before: OperationPermissions;
  readonly after: OperationPermissions;
}

/** Holders who could not run the operation before are left out. */
export function changesFor(
  { name, before, after }: OperationChange,
  holders: readonly Holder[],
  requiredOnly: boolean,
): readonly HolderChange[] {
  const known = new Set(before.asked.map(keyOf));
  const added = after.asked.filter(
    (each) => !known.has(keyOf(each)) && !each.onlyWhenRepeated && (!requiredOnly || each.whenRefused === 'ERROR'),
  );
  return holders.flatMap((holder): readonly HolderChange[] => {
    const places = placesOf(holder).filter((place) =>
      before.asked.every((each) => each.whenRefused === 'NULL' || verdictOn(each, holder, place).outcome !== 'BREAKS'),
    );
    if (places.length === 0) return [];
    const questions = places.flatMap((place) =>
      added.flatMap((each): readonly ChangedQuestion[] => {
        const { outcome, on } = verdictOn(each, holder, place);
        if (outcome === 'KEEPS') return [];
        const { path, coordinate, anyOf, whenRefused } = each;
        const resource = each.resource === null ? null : shownResource(each.resource);
        return [{ outcome, path, coordinate, anyOf, resource, whenRefused, place: place.name, on }];
      }),
    );
    const outcome = questions.some((each) => each.outcome === 'BREAKS')
      ? 'BREAKS'
      : questions.length > 0
        ? 'DEPENDS'
        : 'KEEPS';
    return [{ operation: name, holder: `${holder.kind} ${holder.name}`, outcome, questions }];
  });
}

function keyOf({ anyOf, resource, scope }: AskedPermission): string {
  return JSON.stringify([[...anyOf].sort(), patternOf(resource), scope]);
}

/** The account, a workspace that no grant names, and each place that one does. */
function placesOf({ sources }: Holder): readonly Place[] {
  const places = new Map<string, Place>([
    ['account', { scope: 'ACCOUNT', workspace: null, name: 'the account' }],
    ['', { scope: 'WORKSPACE', workspace: { id: '', enterpriseProjectId: '' }, name: 'any workspace' }],
  ]);
  for (const { origin } of sources) {
    const { scopeKind, scopeId, scopeName } = origin;
    const name = scopeName ?? scopeId;
    if (scopeKind === 'WORKSPACE') {
      const workspace = { id: scopeId, enterpriseProjectId: '' };
      places.set(`w ${scopeId}`, { scope: 'WORKSPACE', workspace, name: `workspace ${name}` });
    } else if (scopeKind === 'ENTERPRISE_PROJECT') {
      const workspace = { id: '', enterpriseProjectId: scopeId };
      places.set(`p ${scopeId}`, { scope: 'WORKSPACE', workspace, name: `workspaces of enterprise project ${name}` });
    }
  }
  return [...places.values()];
}

interface Verdict {
  readonly outcome: HolderChange['outcome'];
  readonly on: readonly string[];
}

/** Of several actions one is enough. */
function verdictOn(question: AskedPermission, { sources }: Holder, place: Place): Verdict {
  if (question.scope !== 'ANY' && question.scope !== place.scope) {
    return { outcome: 'BREAKS', on: [question.scope === 'ACCOUNT' ? 'account scope' : 'a workspace'] };
  }
  const verdicts = question.anyOf.map((action) => verdictOnAction(action, question, sources, place));
  if (verdicts.some(({ outcome }) => outcome === 'KEEPS')) return { outcome: 'KEEPS', on: [] };
  const open = verdicts.filter(({ outcome }) => outcome === 'DEPENDS');
  if (open.length === 0) return { outcome: 'BREAKS', on: [] };
  return { outcome: 'DEPENDS', on: [...new Set(open.flatMap(({ on }) => on))].sort() };
}

function verdictOnAction(
  action: string,
  { resource }: AskedPermission,
  sources: Holder['sources'],
  place: Place,
): Verdict {
  const row = platformCatalogue.find(action) ?? { global: false, enterpriseProjectScope: true };
  const taking = sources.filter(({ origin }) => reaches(origin, place.workspace, row));
  const found = taking.flatMap((source) =>
    source.document.statements.map((statement) => ({ statement, fit: fitOf(source, statement, action, resource) })),
  );
  const meeting = found.flatMap(({ statement, fit }) => (fit === null ? [] : [{ effect: statement.effect, fit }]));
  const denials = meeting.filter(({ effect }) => effect === 'DENY');
  const allows = meeting.filter(({ effect }) => effect === 'ALLOW');
  if (denials.some(({ fit }) => fit.length === 0)) return { outcome: 'BREAKS', on: [] };
  const denying = denials.flatMap(({ fit }) => fit);
  const firm = isEverybodys({ anyOf: [action], resource }) || allows.some(({ fit }) => fit.length === 0);
  if (firm) return denying.length === 0 ? { outcome: 'KEEPS', on: [] } : { outcome: 'DEPENDS', on: denying };
  const maybe = allows.flatMap(({ fit }) => fit);
  if (maybe.length > 0) return { outcome: 'DEPENDS', on: [...maybe, ...denying] };
  return place.scope === 'WORKSPACE' && isOfDefaultAccess(action)
    ? { outcome: 'DEPENDS', on: ['default access to ModelArts', ...denying] }
    : { outcome: 'BREAKS', on: [] };
}

const unlimited = { resources: null, notResources: null };

/** Null: the statement is not about it. Else what it depends on beside; nothing when it certainly holds. */
function fitOf(
  { name, origin }: PolicySource<HeldScope>,
  statement: Statement,
  action: string,
  resource: AskedResource | null,
): readonly string[] | null {
  const request = { action, aliases: platformCatalogue.namesOf(action), context: new Map<string, never>() };
  const planOf = (changed: Partial<Statement>) => {
    const one = { ...statement, effect: 'ALLOW' as const, conditions: [], ...changed };
    const document = { version: '1.1' as const, statements: [one], depends: [] };
    return withSegments(
      planStatements([{ name, origin, document }], { ...request, urnKeys: [] }).allowed,
      segmentsOf(resource),
    );
  };
  if (planOf(unlimited).kind === 'NONE') return null;
  const keys = [...new Set(statement.conditions.map(({ key }) => key))];
  const limits = [...(statement.resources ?? []), ...(statement.notResources ?? [])];
  if (limits.length === 0) return keys;
  // Asked about none in particular: only a statement that is about every resource fits.
  if (resource === null) return limits.every((limit) => /^\**(:\**){4}$|^\*+$/.test(limit)) ? keys : null;
  if (limits.some((limit) => limit.includes('${'))) return [...keys, 'resource'];
  const plan = planOf({});
  if (plan.kind === 'NONE') return null;
  return plan.kind === 'EVERY' ? keys : [...keys, 'resource'];
}

const open = '\u0000';

/** Segments of the URN that do not depend on who asks, where and about which object; null for the others. */
function segmentsOf(resource: AskedResource | null): readonly (string | null)[] {
  const text = (resource?.parts ?? []).map((part) => (typeof part === 'string' ? part : open)).join('');
  if (text === open || text === '') return [null, null, null, null, null];
  const [service = '', region = '', account = '', type = '', ...path] = text.split(':');
  return [service, region, account, type, path.join(':')].map((each) => (each.includes(open) ? null : each));
}

const defaultActions = (
  modelArtsDefaultPolicy.document['Statement'] as readonly { readonly Action: readonly string[] }[]
).flatMap(({ Action }) => Action);

function isOfDefaultAccess(action: string): boolean {
  return defaultActions.some((pattern) => matchesActionPattern(pattern, action));
}

export function printChanges(changes: readonly HolderChange[], unpaired: readonly string[]): string {
  const lines = unpaired.map((name) => `${name}: not compared, there is none or there are several of this name`);
  for (const { operation, holder, outcome, questions } of changes) {
    if (outcome === 'KEEPS') lines.push(`${operation}: ${holder} keeps it`);
    for (const { outcome: one, path, anyOf, resource, whenRefused, place, on } of questions) {
      const what = `${anyOf.join(' or ')}${resource === null ? '' : ` on ${resource}`} at ${path.join('.')}`;
      const effect = whenRefused === 'ERROR' ? 'an error' : 'null';
      const why = on.length === 0 ? '' : `, it needs ${on.join(', ')}`;
      lines.push(
        one === 'BREAKS'
          ? `${operation}: breaks for ${holder} in ${place}: ${what} is ${effect}${why}`
          : `${operation}: depends for ${holder} in ${place}: ${what}, on ${on.join(', ')}`,
      );
    }
  }
  if (lines.length === 0) lines.push('no operation asks for more than before of anybody who could run it');
  return `${lines.join('\n')}\n`;
}
