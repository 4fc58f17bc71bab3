/**
 * What of a document can have no effect in the scope that it is granted in. Derived from `reaches` and from which questions
 * there are, so that it says nothing else than decisions do.
 *
 * INVARIANT: nothing is said to be void wrongly. Without what is named here, in that scope, every question that is asked
 * comes out as before, as long as the catalogue and the scope's own facts stay as they are.
 */
import { type Catalogue, hasWildcard, NameIndex } from '../catalogue/index.js';
import {
  actionsMatcher,
  type Condition,
  conditionsExclude,
  type PolicyDocument,
  readActionName,
  readOperator,
  type Statement,
} from '../policy/index.js';
import { unregistered } from './authorizer.js';
import { type GrantScope, type ReachableAction, reaches } from './reach.js';
import { kindOperations, kindQuestion, registerableKinds } from './resource-kinds.js';

/**
 * Actions that the doors ask in account scope alone. What is granted in workspaces never opens them. Others may ask about
 * them for themselves, but nothing is done by that. Held against the doors by test/iam/void-grants.test.ts.
 */
export const askedInAccountOnly = [
  'bailiwick:audit:getHead',
  'bailiwick:services:create',
  'bailiwick:services:delete',
  'bailiwick:services:rotateKey',
  'bailiwick:services:update',
  'bailiwick:settings:update',
  'eps:enterpriseProjects:create',
  'eps:enterpriseProjects:disable',
  'eps:enterpriseProjects:update',
  'iam:agencies:createAgency',
  'iam:agencies:deleteAgency',
  'iam:agencies:updateAgency',
  'iam:groups:createGroup',
  'iam:groups:deleteGroup',
  'iam:groups:updateGroup',
  'iam:permissions:addUserToGroup',
  'iam:permissions:removeUserFromGroup',
  'iam:roles:createRole',
  'iam:roles:deleteRole',
  'iam:roles:updateRole',
  'iam:users:createUser',
  'iam:users:deleteUser',
  'iam:users:updateUser',
  'modelarts:authorization:create',
  'modelarts:authorization:delete',
  'modelarts:workspace:create',
  'modelarts:workspace:delete',
  'modelarts:workspace:update',
  'modelarts:workspace:updateQuotas',
] as const;

/**
 * ENTERPRISE_PROJECT: no enterprise project gives the action. ACCOUNT_ONLY: it is asked in account scope alone.
 * CONDITION: in this scope the condition never holds.
 */
export type VoidReason =
  | { readonly kind: 'ENTERPRISE_PROJECT' | 'ACCOUNT_ONLY' }
  | { readonly kind: 'CONDITION'; readonly condition: Condition };

export interface VoidPart {
  readonly statement: Statement;
  /** Nothing is left of the statement. */
  readonly whole: boolean;
  /** What this reason voids, by places in the statement's `Action`; none when it is not about single actions. */
  readonly places: readonly number[];
  readonly reason: VoidReason;
}

/** What every request that is reached says of a key, by the key's name: one value, whoever asks. */
export type ScopeKeys = ReadonlyMap<string, string>;

/** What is void of a document granted in this scope, statement by statement. */
export function findVoid(
  document: PolicyDocument,
  scope: GrantScope,
  catalogue: Catalogue,
  keys: ScopeKeys = new Map(),
): readonly VoidPart[] {
  return document.statements.flatMap((statement) => {
    const condition = impossibleCondition(statement, keys);
    if (condition === null) return voidActions(statement, scope, catalogue);
    return [{ statement, whole: true, places: [], reason: { kind: 'CONDITION', condition } as const }];
  });
}

/** Whether nothing of the document is left. */
export function isWhollyVoid({ statements }: PolicyDocument, parts: readonly VoidPart[]): boolean {
  return (
    statements.length > 0 &&
    statements.every((statement) => parts.some((part) => part.whole && part.statement === statement))
  );
}

/** Says of one part why it is void, and what to do; `named` is how its reader knows what is void. */
export function describeVoid({ places, statement, reason }: VoidPart, named: string | null = null): string {
  const listed = places.map((place) => statement.actions[place] ?? '');
  const few = listed.slice(0, mostListed).map((action) => `\`${action}\``);
  const rest = listed.length > mostListed ? ` and ${listed.length - mostListed} more` : '';
  const subject = named ?? (listed.length > 0 ? `${few.join(', ')}${rest}` : 'this statement');
  const verb = named === null && listed.length > 1 ? 'have' : 'has';
  return `${subject} ${verb} no effect in this scope: ${because(reason)}`;
}

const mostListed = 5;

function because(reason: VoidReason): string {
  switch (reason.kind) {
    case 'ENTERPRISE_PROJECT':
      return 'what it names cannot be given through an enterprise project; grant it in another scope';
    case 'ACCOUNT_ONLY':
      return 'what it names is asked in account scope alone; grant it there';
    case 'CONDITION':
      return `its condition on \`${reason.condition.key}\` never holds there; mend it, or grant it elsewhere`;
  }
}

function voidActions(statement: Statement, scope: GrantScope, catalogue: Catalogue): readonly VoidPart[] {
  const { index, all } = questionsOf(catalogue);
  const denies = statement.effect === 'DENY';
  if (statement.notActions !== null) {
    const excepted = actionsMatcher(statement.notActions);
    const left = all.filter(({ names }) => !names.some(excepted));
    // Names that nobody registered are among what such a Deny is about.
    const kind = denies ? null : hindranceOf(left, scope, false);
    return kind === null ? [] : [{ statement, whole: true, places: [], reason: { kind } }];
  }
  const kinds = statement.actions.map((pattern) =>
    // A Deny is also about resources of a kind that nobody registers any more, of whichever service that was.
    denies && hasWildcard(pattern.split(':')[0] ?? '') ? null : hindranceOf(index.matching(pattern), scope, denies),
  );
  const whole = kinds.length > 0 && !kinds.includes(null);
  return hindrances.flatMap((kind) => {
    const places = kinds.flatMap((own, place) => (own === kind ? [place] : []));
    return places.length === 0 ? [] : [{ statement, whole, places, reason: { kind } }];
  });
}

/** What keeps all of these questions from being reached; null when something is, or there is nothing to say. */
function hindranceOf(asked: readonly AskedAction[], scope: GrantScope, denies: boolean): Hindrance | null {
  // Of what nobody registered an Allow gives nothing: it is not refused to begin with.
  const found = asked.filter(({ registered }) => registered || denies).map((one) => hindrance(one, scope));
  return found.includes(null) ? null : (hindrances.find((kind) => found.includes(kind)) ?? null);
}

const hindrances = ['ENTERPRISE_PROJECT', 'ACCOUNT_ONLY'] as const;
type Hindrance = (typeof hindrances)[number];

function hindrance({ action, accountOnly }: AskedAction, scope: GrantScope): Hindrance | null {
  if (reaches(scope, null, action)) return null;
  // Reach asks of a workspace which one it is and where it belongs: no other is reached where this one is not.
  const workspace = { id: scope.scopeId, enterpriseProjectId: scope.scopeId };
  if (!reaches(scope, workspace, action)) return 'ENTERPRISE_PROJECT';
  return accountOnly ? 'ACCOUNT_ONLY' : null;
}

/** A question that may be asked, as far as patterns and reach look at it. */
interface AskedAction {
  /** Every name that it goes under. */
  readonly names: readonly (readonly string[])[];
  readonly action: ReachableAction;
  readonly registered: boolean;
  readonly accountOnly: boolean;
}

interface Questions {
  readonly all: readonly AskedAction[];
  readonly index: NameIndex<AskedAction>;
}

const questions = new WeakMap<Catalogue, Questions>();

function questionsOf(catalogue: Catalogue): Questions {
  const known = questions.get(catalogue);
  if (known !== undefined) return known;
  const onlyInAccount = new Set<string | undefined>(askedInAccountOnly);
  const ofRows = catalogue.rows
    .filter(({ aliasOf }) => aliasOf === null)
    .map((row) => ({
      names: catalogue.namesOf(row.name),
      action: row,
      registered: true,
      accountOnly: onlyInAccount.has(row.name),
    }));
  const ofKinds = registerableKinds(catalogue).flatMap((kind) =>
    kindOperations.map((operation) => {
      const { action, spellings = [] } = kindQuestion({ catalogue }, kind, operation, { resource: null });
      const row = catalogue.find(action);
      return {
        names: [...new Set([...catalogue.namesOf(action), ...spellings])],
        action: row ?? unregistered,
        registered: row !== undefined,
        accountOnly: false,
      };
    }),
  );
  const asked = [...ofRows, ...ofKinds].map((one) => ({ ...one, read: one.names.map(readActionName) }));
  const all = asked.map(({ read, ...one }): AskedAction => ({ ...one, names: read }));
  const made = { all, index: new NameIndex(all.map((one, at) => [one, asked[at]?.names ?? []] as const)) };
  questions.set(catalogue, made);
  return made;
}

function impossibleCondition({ conditions }: Statement, keys: ScopeKeys): Condition | null {
  // Rule 10: a Deny with an operator that nobody knows may match all the same.
  if (keys.size === 0 || conditions.some(({ operator }) => readOperator(operator) === null)) return null;
  const known = [...keys].filter(([, value]) => /^[\w-]+$/.test(value));
  return (
    conditions.find((condition) =>
      known.some(([key, value]) =>
        conditionsExclude(condition, { operator: 'StringEquals', key, values: [value] }, true),
      ),
    ) ?? null
  );
}
