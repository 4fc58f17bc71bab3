/**
 * Nobody gives more than they hold (rule 5). Every write that can widen someone's reach describes what it would give as
 * *gifts*; this file answers which of their actions the giver does not hold.
 *
 * The test is sound and may refuse too much: a gift counts as held only when one Allow that was granted to the giver —
 * not a built-in, not the LOOSE default — covers it whole, in a scope that covers the gift's, for at least as long, and
 * no Deny of the giver's could touch it. Taking a Deny away gives what it denied, so a lifted Deny is a gift too.
 */
import type { Catalogue } from '../catalogue/index.js';
import { statementCovers, statementsMayOverlap, type Statement } from '../policy/index.js';
import type { Rights, RightsSource } from './authorizer.js';
import type { Call } from './call.js';
import type { OpenChange } from './change.js';
import { mayUserEnter } from './entry.js';
import { problem, reject, type Invalid } from './outcome.js';
import type { Attachment, Transaction } from './ports.js';
import { covers, mayMeet, type GrantScope } from './reach.js';
import type { Grant, Id, Instant } from './records.js';
import { documentOf } from './rights.js';

/** Statements that would begin to act for someone. */
export interface Gift {
  readonly statements: readonly Statement[];
  readonly scope: GrantScope;
  readonly expiresAt: Instant | null;
  /**
   * Given to a service or an agency: it enters wherever the gift reaches (rule 3), so it would be a way in for a giver
   * who may not enter there. True also when who receives it is not told.
   */
  readonly entersByGrant: boolean;
}

/**
 * Patterns of actions that these gifts would give and the holder does not hold, in order, without repeats. `enterable`:
 * the workspaces, of those that gifts name, that the holder may enter.
 */
export function gainedActions(
  catalogue: Pick<Catalogue, 'rows' | 'namesOf'>,
  holder: Rights,
  gifts: readonly Gift[],
  now: Instant,
  enterable: ReadonlySet<Id> = new Set(),
): readonly string[] {
  const sameActions = aliasesOf(catalogue);
  const gained = new Set<string>();
  for (const gift of gifts) {
    if (gift.expiresAt !== null && gift.expiresAt <= now) continue;
    for (const statement of gift.statements) {
      if (statement.effect !== 'ALLOW') continue;
      for (const atom of atoms(statement)) {
        const held = mayEnterWhere(gift, enterable) && holds(holder, atom, gift, now, sameActions);
        if (!held) gained.add(atom.actions[0] ?? '*:*:*');
      }
    }
  }
  return [...gained];
}

/** Wider than one workspace reaches those that others close, today or one day: that is for administrators. */
function mayEnterWhere({ entersByGrant, scope }: Gift, enterable: ReadonlySet<Id>): boolean {
  return !entersByGrant || (scope.scopeKind === 'WORKSPACE' && enterable.has(scope.scopeId));
}

/** One statement for each action and resource, so that several held statements together may cover a given one. */
function atoms(statement: Statement): readonly Statement[] {
  if (statement.notActions !== null || statement.notResources !== null) return [statement];
  return statement.actions.flatMap((action) =>
    (statement.resources ?? [null]).map((resource) => ({
      ...statement,
      actions: [action],
      resources: resource === null ? null : [resource],
    })),
  );
}

/** Groups of names that stand for one action, so that a Deny on one name is seen against a gift of another (rule 7). */
function aliasesOf(catalogue: Pick<Catalogue, 'rows' | 'namesOf'>): readonly (readonly string[])[] {
  return catalogue.rows.map(({ name }) => catalogue.namesOf(name)).filter((names) => names.length > 1);
}

function holds(
  holder: Rights,
  given: Statement,
  gift: Gift,
  now: Instant,
  sameActions: readonly (readonly string[])[],
): boolean {
  if (holder.unreadable.length > 0) return false;
  const granted = holder.sources.filter(
    ({ origin }) => origin.kind === 'GRANT' && (origin.expiresAt === null || origin.expiresAt > now),
  );
  const denied = granted.some(
    ({ document, origin }) =>
      mayMeet(origin, gift.scope) &&
      document.statements.some((held) => held.effect === 'DENY' && statementsMayOverlap(held, given, sameActions)),
  );
  if (denied) return false;
  return granted.some(
    ({ document, origin }) =>
      covers(origin, gift.scope) &&
      lastsAsLong(origin.expiresAt, gift.expiresAt) &&
      // What an agency holds ends with it, whatever its grants say.
      lastsAsLong(holder.bounds?.agencyExpiresAt ?? null, gift.expiresAt) &&
      document.statements.some((held) => held.effect === 'ALLOW' && statementCovers(held, given)),
  );
}

function lastsAsLong(held: Instant | null, given: Instant | null): boolean {
  return held === null || (given !== null && held >= given);
}

/** What a grant gives while it stands. */
export function giftOf(attachment: Pick<Attachment, 'grant' | 'text'>): Gift {
  return {
    statements: statementsOf(attachment.text, 'ALLOW'),
    scope: attachment.grant,
    expiresAt: attachment.grant.expiresAt,
    entersByGrant: entersByGrant(attachment.grant),
  };
}

/** What taking a grant away gives: all that its Deny statements kept back. */
export function giftOfLifting(attachment: Pick<Attachment, 'grant' | 'text'>): Gift {
  const statements = lift(statementsOf(attachment.text, 'DENY'));
  return { statements, scope: attachment.grant, expiresAt: null, entersByGrant: entersByGrant(attachment.grant) };
}

/** Visibility of workspaces binds users alone. */
export function entersByGrant({ subjectKind }: Pick<Grant, 'subjectKind'>): boolean {
  return subjectKind === 'SERVICE' || subjectKind === 'AGENCY';
}

export function lift(denials: readonly Statement[]): readonly Statement[] {
  return denials.map((statement) => ({ ...statement, effect: 'ALLOW' as const }));
}

/** An unreadable document gives everything: when it cannot be decided, it is refused (rule 5). */
export function statementsOf(text: string, effect: Statement['effect']): readonly Statement[] {
  const document = documentOf(text);
  if (document !== null) return document.statements.filter((statement) => statement.effect === effect);
  return [
    {
      index: 0,
      sid: null,
      effect,
      actions: ['*:*:*'],
      notActions: null,
      resources: null,
      notResources: null,
      conditions: [],
    },
  ];
}

/** Everything a principal holds by grants, as a gift of all of it: what taking its place would give. */
export async function giftsOfPrincipal(
  transaction: Transaction,
  kind: 'USER' | 'GROUP' | 'AGENCY' | 'SERVICE',
  id: Id,
): Promise<readonly Gift[]> {
  const attachments = await transaction.access.attachments(transaction.origin.accountId, kind, [id]);
  return (attachments.get(id) ?? []).map(giftOf);
}

/** Refuses when the caller would give more than they hold; root and administrators may give anything (rule 5). */
export async function refuseGain(
  { transaction, call }: Pick<OpenChange, 'transaction' | 'call'>,
  gifts: readonly Gift[],
  path: string,
): Promise<Invalid | null> {
  if (call.administrator) return null;
  const enterable = await enterableOf(transaction, call, gifts);
  // A session that was narrowed gives only what its policy lets it have, whatever its agency holds.
  const narrowing = call.rights.bounds?.policy ?? null;
  const holders = narrowing === null ? [call.rights] : [call.rights, narrowedTo(call.rights, narrowing)];
  const actions = [
    ...new Set(holders.flatMap((holder) => gainedActions(call.catalogue, holder, gifts, call.now, enterable))),
  ];
  if (actions.length === 0) return null;
  const shown = actions.slice(0, 3).map((action) => `\`${action}\``);
  const more = actions.length > shown.length ? ` and ${actions.length - shown.length} more` : '';
  return reject(
    problem(
      'NOT_HELD',
      `you would give ${shown.join(', ')}${more}, which you do not hold there by an explicit Allow, or where you may not enter yourself; ask an administrator`,
      path,
      { reference: 'IAM.0003', actions },
    ),
  );
}

/** Rights that consist of this policy alone, as if it had been granted everywhere. */
function narrowedTo(rights: Rights, { name, document, origin }: RightsSource): Rights {
  return { ...rights, sources: [{ name, document, origin: { ...origin, kind: 'GRANT' } }] };
}

/** The workspaces that these gifts would let a service or agency enter, as far as the caller may enter them. */
async function enterableOf(transaction: Transaction, call: Call, gifts: readonly Gift[]): Promise<ReadonlySet<Id>> {
  const entered = gifts.filter((gift) => gift.entersByGrant && gift.scope.scopeKind === 'WORKSPACE');
  const enterable = new Set<Id>();
  for (const id of new Set(entered.map(({ scope }) => scope.scopeId))) {
    const workspace = await transaction.get('workspace', id);
    if (workspace === null) continue;
    const may =
      call.user === null ? id === call.scope.workspaceId : await mayUserEnter(transaction.access, workspace, call.user);
    if (may) enterable.add(id);
  }
  return enterable;
}

/** Whether a statement looks at this condition key, in conditions or by a variable: what its value could switch on. */
export function looksAt({ conditions, resources, notResources }: Statement, key: string): boolean {
  const folded = key.toLowerCase();
  const names = (text: string): boolean => text.toLowerCase().includes(folded);
  return (
    conditions.some((condition) => names(condition.key) || condition.values.some(names)) ||
    [...(resources ?? []), ...(notResources ?? [])].some(names)
  );
}
