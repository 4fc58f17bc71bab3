/** The catalogue proper: every action, its other names, its kind; and how a service's own actions join it. */
import type { Problem } from '../policy/index.js';
import {
  foldName,
  hasWildcard,
  segmentsOf,
  type AccessLevel,
  type ActionOrigin,
  type ActionRow,
  type RegisteredAction,
  type RegisteredKind,
  type ResourceKind,
} from './action-row.js';
import {
  ConditionKeyIndex,
  platformConditionKeys,
  registeredConditionKey,
  type ConditionKey,
} from './condition-keys.js';
import { NameIndex } from './name-index.js';
import { checkRegistration, isOwnKey } from './registration.js';
import { readActionRows } from './schema-file.js';
import { suggestAction, suggestName } from './suggestion.js';

/** A service as the catalogue sees it. All actions of one service stand on the same level. */
export interface CatalogueService {
  readonly name: string;
  /** Account-level (iam, obs, eps, bss, bailiwick); see `ActionRow.global`. */
  readonly global: boolean;
  readonly origin: ActionOrigin;
}

/** What can be named in policies and asked in decisions. Immutable: `with` gives a larger one. */
export interface Catalogue {
  /** Every row, aliases and legacy names included, service by service. */
  readonly rows: readonly ActionRow[];
  readonly services: readonly CatalogueService[];
  readonly resourceKinds: readonly ResourceKind[];
  readonly conditionKeys: readonly ConditionKey[];
  /** The row of exactly this name, letter case apart; undefined for unknown names and for patterns. */
  find(action: string): ActionRow | undefined;
  /** As `find`, with another name of an action resolved to the row that stands for all of its names. */
  canonical(action: string): ActionRow | undefined;
  /**
   * The canonical name first, then every alias; an engine that tries all of them binds a Deny on one name to the others
   * (rule 7). An unknown action has only the name that was given.
   */
  namesOf(action: string): readonly string[];
  /**
   * The canonical rows that a pattern stands for, by their own name or by an alias. `modelarts::tagResource` and
   * `modelarts:tag:create` give the same one row.
   */
  matching(pattern: string): readonly ActionRow[];
  /** Whether a name or pattern stands for anything: whether `matching` gives some row. */
  knows(pattern: string): boolean;
  /** The nearest known name or pattern for one that matches nothing, null when none is near. */
  suggest(action: string): string | null;
  findKind(name: string): ResourceKind | undefined;
  suggestKind(name: string): string | null;
  findConditionKey(key: string): ConditionKey | undefined;
  suggestConditionKey(key: string): string | null;
  /**
   * This catalogue and what services of an account registered. Throws `RegistrationRefused` if anything collides,
   * stands outside its owner's prefix or is malformed; ask `checkRegistration` first to show the problems to a person.
   * A prefix can be joined once: to add to a service, start from the platform's catalogue with all that it registers.
   * Dependencies and condition keys that nobody knows are left out and refuse nothing: they may have been another
   * service's, and its going must not take the account's whole catalogue with it.
   */
  with(registered: readonly RegisteredAction[], kinds?: readonly RegisteredKind[]): Catalogue;
}

/** Thrown by `Catalogue.with`. */
export class RegistrationRefused extends Error {
  constructor(readonly problems: readonly Problem[]) {
    super(`registration refused: ${problems.map((problem) => `${problem.pointer}: ${problem.message}`).join('; ')}`);
    this.name = 'RegistrationRefused';
  }
}

interface Parts {
  readonly rows: readonly ActionRow[];
  /** Kinds named apart from any action, for their label or because they have no action yet. */
  readonly kinds: readonly RegisteredKind[];
  readonly conditionKeys: readonly ConditionKey[];
}

/** Builds and checks a catalogue. Throws on the first row at fault. */
export function buildCatalogue(parts: Parts): Catalogue {
  const byName = new Map<string, ActionRow>();
  for (const row of parts.rows) {
    if (byName.has(foldName(row.name))) throw new Error(`action \`${row.name}\` stands in the catalogue twice`);
    byName.set(foldName(row.name), row);
  }
  const keys = new ConditionKeyIndex(parts.conditionKeys);
  const services = servicesOf(parts.rows);
  const namesByCanonical = new Map<ActionRow, string[]>();
  for (const row of parts.rows) {
    checkRow(row, byName, keys);
    if (row.aliasOf === null) namesByCanonical.set(row, [row.name]);
  }
  const find = (action: string): ActionRow | undefined => byName.get(action) ?? byName.get(foldName(action));
  const canonicalOf = (row: ActionRow): ActionRow => (row.aliasOf === null ? row : (find(row.aliasOf) ?? row));
  for (const row of parts.rows) {
    if (row.aliasOf !== null) namesByCanonical.get(canonicalOf(row))?.push(row.name);
  }
  // Made when it is asked for: an account's catalogue is put together more often than that, and many are kept.
  const names = once(() => new NameIndex(namesByCanonical));
  const kinds = once(() => kindsOf(parts));
  const kindsByName = once(() => new Map(kinds().map((kind) => [foldName(kind.name), kind])));
  // Current names come first, so that they win among equally near ones.
  const suggestible = once(() =>
    [...parts.rows]
      .sort((a, b) => Number(a.legacy || a.aliasOf !== null) - Number(b.legacy || b.aliasOf !== null))
      .map((row) => segmentsOf(row.name)),
  );

  const catalogue: Catalogue = {
    rows: parts.rows,
    services,
    get resourceKinds() {
      return kinds();
    },
    conditionKeys: parts.conditionKeys,
    find,
    canonical: (action) => {
      const row = find(action);
      return row === undefined ? undefined : canonicalOf(row);
    },
    namesOf: (action) => {
      const row = find(action);
      return (row === undefined ? undefined : namesByCanonical.get(canonicalOf(row))) ?? [action];
    },
    matching: (pattern) => {
      if (!hasWildcard(pattern)) {
        const row = catalogue.canonical(pattern);
        return row === undefined ? [] : [row];
      }
      return names().matching(pattern);
    },
    knows: (pattern) => (hasWildcard(pattern) ? names().has(pattern) : find(pattern) !== undefined),
    suggest: (action) => suggestAction(action, suggestible()),
    findKind: (name) => kindsByName().get(foldName(name)),
    suggestKind: (name) =>
      suggestName(
        name,
        kinds().map((kind) => kind.name),
      ),
    findConditionKey: (key) => keys.find(key),
    suggestConditionKey: (key) =>
      suggestName(
        key,
        parts.conditionKeys.map((known) => known.key),
      ),
    with: (registered, registeredKinds = []) => {
      const problems = checkRegistration(catalogue, registered, registeredKinds).filter(
        ({ severity, code }) => severity === 'ERROR' && !isDangling(code),
      );
      if (problems.length > 0) throw new RegistrationRefused(problems);
      const conditionKeys = [...parts.conditionKeys, ...ownConditionKeys(registered, keys)];
      const knownKeys = new ConditionKeyIndex(conditionKeys);
      const registeredNames = new Set(registered.map(({ name }) => foldName(name)));
      const isKnown = (action: string): boolean => registeredNames.has(foldName(action)) || find(action) !== undefined;
      const joining = registered.map(registeredRow).map((row) => ({
        ...row,
        dependsOn: row.dependsOn.filter(isKnown),
        conditionKeys: row.conditionKeys.filter((key) => knownKeys.find(key) !== undefined),
      }));
      return buildCatalogue({
        rows: [...parts.rows, ...joining],
        kinds: [...parts.kinds, ...registeredKinds],
        conditionKeys,
      });
    },
  };
  return catalogue;
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** The published platform's actions and Bailiwick's own, loaded and checked once. */
export const platformCatalogue: Catalogue = buildCatalogue({
  rows: readActionRows(),
  kinds: [],
  conditionKeys: platformConditionKeys,
});

/**
 * Everything that the given actions depend on, and what that depends on in turn, without the given ones; canonical
 * names, sorted. Unknown actions bring nothing.
 */
export function dependenciesOf(
  actions: readonly string[],
  catalogue: Catalogue = platformCatalogue,
): readonly string[] {
  const given = new Set<ActionRow>();
  const reached = new Set<ActionRow>();
  const visit = (action: string, into: Set<ActionRow>): void => {
    const row = catalogue.canonical(action);
    if (row === undefined || into.has(row)) return;
    into.add(row);
  };
  for (const action of actions) visit(action, given);
  for (const row of given) for (const dependency of row.dependsOn) visit(dependency, reached);
  // A Set's iteration also visits what is added on the way: this is the whole closure, cycles included.
  for (const row of reached) for (const dependency of row.dependsOn) visit(dependency, reached);
  return [...reached]
    .filter((row) => !given.has(row))
    .map((row) => row.name)
    .sort();
}

function checkRow(row: ActionRow, byName: ReadonlyMap<string, ActionRow>, keys: ConditionKeyIndex): void {
  for (const dependency of row.dependsOn) {
    if (!byName.has(foldName(dependency))) {
      throw new Error(`action \`${row.name}\` depends on \`${dependency}\`, which the catalogue does not have`);
    }
  }
  for (const key of row.conditionKeys) {
    // Rows name a family by its placeholder, `g:ResourceTag/<tag-key>`, which finds itself.
    if (keys.find(key) === undefined) throw new Error(`action \`${row.name}\` names the unknown key \`${key}\``);
  }
  if (row.aliasOf === null) return;
  const target = byName.get(foldName(row.aliasOf));
  if (target === undefined) throw new Error(`action \`${row.name}\` is an alias of the unknown \`${row.aliasOf}\``);
  if (target.aliasOf !== null) throw new Error(`action \`${row.name}\` is an alias of an alias; name the last one`);
  // INVARIANT: both names reach equally far. Otherwise a grant that does not reach one name would under the other.
  if (target.global !== row.global || target.enterpriseProjectScope !== row.enterpriseProjectScope) {
    throw new Error(`action \`${row.name}\` and its canonical \`${target.name}\` disagree in their scopes`);
  }
}

function servicesOf(rows: readonly ActionRow[]): readonly CatalogueService[] {
  const services = new Map<string, CatalogueService>();
  for (const row of rows) {
    const known = services.get(row.service);
    if (known === undefined) {
      services.set(row.service, { name: row.service, global: row.global, origin: row.origin });
    } else if (known.global !== row.global) {
      // INVARIANT: one level per service; `policyLevel` reads the level off a pattern's first segment.
      throw new Error(`action \`${row.name}\` stands on another level than the rest of \`${row.service}\``);
    }
  }
  return [...services.values()];
}

function kindsOf(parts: Parts): readonly ResourceKind[] {
  const found = new Map<string, { name: string; label: string | null; rows: ActionRow[] }>();
  for (const kind of parts.kinds) {
    found.set(foldName(kind.name), { name: kind.name, label: kind.label ?? null, rows: [] });
  }
  for (const row of parts.rows) {
    const name = `${row.service}:${row.resourceType}`;
    const kind = found.get(foldName(name)) ?? { name, label: null, rows: [] };
    kind.rows.push(row);
    found.set(foldName(name), kind);
  }
  return [...found.values()].map(({ name, label, rows }) => {
    const { service, resourceType } = segmentsOf(name);
    const own = new Set(rows.map((row) => row.name));
    return {
      name,
      service,
      type: resourceType,
      label,
      actions: actionsByLevel(rows),
      dependsOn: [...new Set(rows.flatMap((row) => row.dependsOn))].filter((action) => !own.has(action)).sort(),
    };
  });
}

function actionsByLevel(rows: readonly ActionRow[]): Readonly<Record<AccessLevel, readonly ActionRow[]>> {
  const at = (level: AccessLevel): readonly ActionRow[] => rows.filter((row) => row.accessLevel === level);
  return {
    LIST: at('LIST'),
    READ: at('READ'),
    WRITE: at('WRITE'),
    TAGGING: at('TAGGING'),
    PERMISSION_MANAGEMENT: at('PERMISSION_MANAGEMENT'),
  };
}

function registeredRow(action: RegisteredAction): ActionRow {
  return {
    name: action.name,
    ...segmentsOf(action.name),
    accessLevel: action.accessLevel,
    global: false,
    projectScope: true,
    enterpriseProjectScope: true,
    description: action.description ?? '',
    dependsOn: action.dependsOn ?? [],
    conditionKeys: action.conditionKeys ?? [],
    aliasOf: null,
    legacy: false,
    origin: 'SERVICE',
  };
}

function ownConditionKeys(registered: readonly RegisteredAction[], keys: ConditionKeyIndex): readonly ConditionKey[] {
  const own = new Map<string, ConditionKey>();
  for (const { service, conditionKeys = [] } of registered) {
    for (const key of conditionKeys) {
      if (isOwnKey(key, service) && keys.find(key) === undefined) own.set(foldName(key), registeredConditionKey(key));
    }
  }
  return [...own.values()];
}

// What `checkRegistration` says of references, not of the registration's own names.
function isDangling(code: string): boolean {
  return code === 'IAM.1036' || code === 'UNKNOWN_CONDITION_KEY';
}
