/**
 * The tightest policies for operations: the fewest actions that let somebody through every door, on no more resources than
 * the operations say, in documents that can be saved as they stand. What everybody has anyhow is left out.
 */
import {
  accessLevels,
  dependenciesOf,
  draftText,
  platformCatalogue,
  policyLevel,
  selfPolicy,
  type Catalogue,
  type DraftDocument,
} from '../catalogue/index.js';
import type { AskedPermission, AskedResource } from '../graphql/index.js';
import {
  buildContext,
  evaluate,
  parsePolicy,
  policyLimits,
  resourcePatternCovers,
  type PolicySource,
} from '../policy/index.js';

export interface TightPolicy {
  /** GLOBAL: account-level services; PROJECT: those of workspaces. Each in a document of its own. */
  readonly level: 'GLOBAL' | 'PROJECT';
  readonly document: TightDocument;
  readonly text: string;
}

export interface TightDocument {
  readonly Version: '1.1';
  readonly Statement: readonly TightStatement[];
}

export type TightStatement = DraftDocument['Statement'][number] & { readonly Resource?: readonly string[] };

export interface TightPolicies {
  readonly policies: readonly TightPolicy[];
  /** Actions that the chosen ones depend on by the catalogue, and that no operation here asks for. */
  readonly dependsOn: readonly string[];
  /** Actions that the platform does not know; a service of the account has to have registered them. */
  readonly unregistered: readonly string[];
}

const ownAccount = 'own-account';
const ownId = 'own-id';
const somebody = 'somebody';

const self: PolicySource = {
  name: selfPolicy.displayName,
  document: documentOf(selfPolicy.document),
  origin: null,
};

function documentOf(document: object) {
  const parsed = parsePolicy(JSON.stringify(document), 'SYSTEM').document;
  if (parsed === null) throw new Error('the policy Self cannot be read');
  return parsed;
}

/** Whether everybody who is signed in may do this on whatever it is asked about, by the built-in policy Self. */
export function isEverybodys({ anyOf, resource }: Pick<AskedPermission, 'anyOf' | 'resource'>): boolean {
  const context = buildContext([
    ['g:DomainId', ownAccount],
    ['g:UserId', ownId],
    ['g:PrincipalId', ownId],
  ]);
  return anyOf.some((action) => {
    const aliases = platformCatalogue.namesOf(action);
    const urn = resource === null ? null : somebodysUrn(resource);
    return evaluate([self], { action, aliases, resource: urn, context }).effect === 'ALLOW';
  });
}

function somebodysUrn({ parts }: AskedResource): string {
  return parts
    .map((part) =>
      typeof part === 'string'
        ? part
        : part.kind === 'account'
          ? ownAccount
          : part.kind === 'caller'
            ? ownId
            : somebody,
    )
    .join('');
}

/** The narrowest pattern that fits whatever the question can be about; null when only an unlimited statement does. */
export function patternOf(resource: AskedResource | null): string | null {
  if (resource === null) return null;
  const [only] = resource.parts;
  if (resource.parts.length === 1 && typeof only !== 'string') return null;
  const pattern = resource.parts
    .map((part) => {
      // A dollar would begin a variable of the policy.
      if (typeof part === 'string') return part.includes('$') ? '*' : part;
      // Whoever asks, a service too.
      return part.kind === 'caller' ? '${g:PrincipalId}' : '*';
    })
    .join('');
  // Blank and star say the same of a region; the star cannot be mistaken for a slip.
  return pattern.replace(/^([^:]*)::/, '$1:*:');
}

interface Need {
  readonly anyOf: readonly string[];
  readonly pattern: string | null;
}

/** The policies for all of these questions together. */
export function tightestPolicies(
  asked: readonly AskedPermission[],
  catalogue: Catalogue = platformCatalogue,
): TightPolicies {
  const needs = asked
    .filter((question) => !question.onlyWhenRepeated && !isEverybodys(question))
    .map(({ anyOf, resource }): Need => ({ anyOf, pattern: patternOf(resource) }));
  const chosen = chooseActions(needs, catalogue);
  const patterns = new Map<string, Set<string | null>>();
  for (const { anyOf, pattern } of needs) {
    const action = anyOf.find((one) => chosen.has(one));
    if (action === undefined) continue;
    const known = patterns.get(action) ?? new Set();
    known.add(pattern);
    patterns.set(action, known);
  }
  const byResources = new Map<string, { readonly actions: string[]; readonly resources: readonly string[] | null }>();
  for (const [action, found] of [...patterns].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const resources = found.has(null) ? null : widest([...found].flatMap((each) => (each === null ? [] : [each])));
    const level = isGlobal(action, catalogue) ? 'GLOBAL' : 'PROJECT';
    const key = `${level} ${JSON.stringify(resources)}`;
    const group = byResources.get(key) ?? { actions: [], resources };
    group.actions.push(action);
    byResources.set(key, group);
  }
  const statements = [...byResources].flatMap(([key, { actions, resources }]) =>
    statementsOf(actions, resources).map(
      (statement) => ({ level: key.startsWith('GLOBAL') ? 'GLOBAL' : 'PROJECT', statement }) as const,
    ),
  );
  const actions = [...patterns.keys()];
  return {
    policies: (['GLOBAL', 'PROJECT'] as const).flatMap((level) =>
      packed(statements.filter((each) => each.level === level).map(({ statement }) => statement)).map((document) => ({
        level,
        document,
        text: textOf(document),
      })),
    ),
    dependsOn: dependenciesOf(actions, catalogue).filter((action) => !actions.includes(action)),
    unregistered: actions.filter((action) => catalogue.find(action) === undefined),
  };
}

/** Without those that another covers. */
function widest(patterns: readonly string[]): readonly string[] {
  return patterns.filter((one) => !patterns.some((other) => other !== one && resourcePatternCovers(other, one))).sort();
}

/** The fewest that can be found without trying all: what is needed alone first, then what serves most; none too many. */
function chooseActions(needs: readonly Need[], catalogue: Catalogue): ReadonlySet<string> {
  const chosen = new Set(needs.flatMap(({ anyOf }) => (anyOf.length === 1 ? anyOf : [])));
  const isMet = ({ anyOf }: Need): boolean => anyOf.some((action) => chosen.has(action));
  for (let open = needs.filter((need) => !isMet(need)); open.length > 0; open = open.filter((need) => !isMet(need))) {
    const candidates = [...new Set(open.flatMap(({ anyOf }) => anyOf))];
    const serves = (action: string): number => open.filter(({ anyOf }) => anyOf.includes(action)).length;
    const [best] = candidates.sort((a, b) => serves(b) - serves(a) || weightOf(a, catalogue) - weightOf(b, catalogue));
    if (best === undefined) break;
    chosen.add(best);
  }
  for (const action of [...chosen].sort((a, b) => weightOf(b, catalogue) - weightOf(a, catalogue))) {
    chosen.delete(action);
    if (!needs.every(isMet)) chosen.add(action);
  }
  return chosen;
}

function weightOf(action: string, catalogue: Catalogue): number {
  const level = catalogue.find(action)?.accessLevel;
  return level === undefined ? accessLevels.length : accessLevels.indexOf(level);
}

function isGlobal(action: string, catalogue: Catalogue): boolean {
  const row = catalogue.find(action);
  return row === undefined ? levelOfUnregistered(action) : row.global;
}

function levelOfUnregistered(action: string): boolean {
  const text = JSON.stringify({ Version: '1.1', Statement: [{ Effect: 'Allow', Action: [action] }] });
  const { document } = parsePolicy(text, 'CUSTOM');
  return document !== null && policyLevel(document) === 'GLOBAL';
}

const limits = policyLimits.CUSTOM;

/** So many names, with the resources beside them, keep within the characters of a document. */
const actionsTogether = 40;

function statementsOf(actions: readonly string[], resources: readonly string[] | null): readonly TightStatement[] {
  const lists = resources === null ? [null] : slices(resources, limits.resources);
  return lists.flatMap((list) =>
    slices(actions, actionsTogether).map((some) => ({
      Effect: 'Allow' as const,
      Action: some,
      ...(list === null ? {} : { Resource: list }),
    })),
  );
}

function slices<T>(items: readonly T[], length: number): readonly (readonly T[])[] {
  const found: (readonly T[])[] = [];
  for (let from = 0; from < items.length; from += length) found.push(items.slice(from, from + length));
  return found;
}

/** As many statements in each document as fit. */
function packed(statements: readonly TightStatement[]): readonly TightDocument[] {
  const documents: TightDocument[] = [];
  for (const statement of statements) {
    const last = documents.at(-1);
    const longer: TightDocument = { Version: '1.1', Statement: [...(last?.Statement ?? []), statement] };
    const fits = last !== undefined && longer.Statement.length <= limits.statements && draftText(longer) !== null;
    if (fits) documents[documents.length - 1] = longer;
    else documents.push({ Version: '1.1', Statement: [statement] });
  }
  return documents;
}

function textOf(document: TightDocument): string {
  return draftText(document) ?? JSON.stringify(document);
}
