/**
 * Nobody gives more than they hold (rule 5). Every write that can widen someone's reach describes what it would give as
 * *gifts*; this file answers which of their actions the giver does not hold.
 *
 * What counts as held was granted to the giver — not a built-in, not the LOOSE default — in a scope that covers the
 * gift's, for at least as long. Most gifts are covered by one held Allow whole, with no Deny of the giver's near: that is
 * seen at once. The others are compared with all that is held together (exact-holding.ts); both halves are sound, and
 * what neither is certain of is refused. Taking a Deny away gives what it denied, so a lifted Deny is a gift too.
 */
import {
  describeChangedRequest,
  type Catalogue,
  type ChangedRequest,
  type ComparingCatalogue,
} from '../catalogue/index.js';
import { statementCovers, statementsMayOverlap, type Statement } from '../policy/index.js';
import type { Rights, RightsSource } from './authorizer.js';
import type { Call } from './call.js';
import type { OpenChange } from './change.js';
import { mayUserEnter } from './entry.js';
import { ExactHolding, type Held } from './exact-holding.js';
import { problem, reject, type Invalid } from './outcome.js';
import type { Attachment, Transaction } from './ports.js';
import { covers, mayMeet, type GrantScope } from './reach.js';
import type { Grant, Id, Instant } from './records.js';
import { documentOf } from './rights.js';

/** Statements that would begin to act for someone. */
export interface Gift {
  readonly statements: readonly Statement[];
  /** Denies that come and go with the statements, in the same scope: what they keep back is not given. */
  readonly denials?: readonly Statement[];
  readonly scope: GrantScope;
  readonly expiresAt: Instant | null;
  /**
   * Given to a service or an agency: it enters wherever the gift reaches (rule 3), so it would be a way in for a giver
   * who may not enter there. True also when who receives it is not told.
   */
  readonly entersByGrant: boolean;
}

/** What somebody would give and does not hold. */
export interface Gains {
  /** Patterns of actions, in order, without repeats. */
  readonly actions: readonly string[];
  /** A request that one of them would allow and the holder may not make; null when none was looked for or found. */
  readonly request: ChangedRequest<null> | null;
}

/**
 * What these gifts would give and the holder does not hold. `enterable`: the workspaces, of those that gifts name, that
 * the holder may enter.
 */
export function gainsOf(
  catalogue: ComparingCatalogue,
  holder: Rights,
  gifts: readonly Gift[],
  now: Instant,
  enterable: ReadonlySet<Id> = new Set(),
  exact: ExactHolding = new ExactHolding(catalogue),
): Gains {
  const sameActions = aliasesOf(catalogue);
  const actions = new Set<string>();
  let request: ChangedRequest<null> | null = null;
  for (const gift of gifts) {
    if (gift.expiresAt !== null && gift.expiresAt <= now) continue;
    const given = gift.statements.filter(({ effect }) => effect === 'ALLOW').flatMap(atoms);
    const held = mayEnterWhere(gift, enterable) && holder.unreadable.length === 0 ? heldFor(holder, gift, now) : null;
    const doubtful = given.filter((atom) => held === null || !coversAlone(held, atom, sameActions));
    if (doubtful.length === 0) continue;
    const denials = gift.denials ?? [];
    const whole = held === null ? nothingHeld : exact.covers(held, doubtful, denials);
    if (whole.held) continue;
    request ??= whole.request;
    for (const atom of doubtful) {
      if (held !== null && doubtful.length > 1 && exact.covers(held, [atom], denials).held) continue;
      actions.add(atom.actions[0] ?? '*:*:*');
    }
  }
  return { actions: [...actions], request };
}

const nothingHeld = { held: false, request: null } as const;

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

/** Of what was granted to the holder, what may count where and while the gift would. */
function heldFor(holder: Rights, gift: Gift, now: Instant): Held {
  const granted = holder.sources.filter(
    ({ origin }) => origin.kind === 'GRANT' && (origin.expiresAt === null || origin.expiresAt > now),
  );
  const statements = (sources: readonly RightsSource[], wanted: Statement['effect']): readonly Statement[] =>
    sources.flatMap(({ document }) => document.statements.filter(({ effect }) => effect === wanted));
  const lasting = granted.filter(
    ({ origin }) =>
      covers(origin, gift.scope) &&
      lastsAsLong(origin.expiresAt, gift.expiresAt) &&
      // What an agency holds ends with it, whatever its grants say.
      lastsAsLong(holder.bounds?.agencyExpiresAt ?? null, gift.expiresAt),
  );
  const near = granted.filter(({ origin }) => mayMeet(origin, gift.scope));
  return { allows: statements(lasting, 'ALLOW'), denials: statements(near, 'DENY') };
}

function coversAlone(
  { allows, denials }: Held,
  given: Statement,
  sameActions: readonly (readonly string[])[],
): boolean {
  return (
    !denials.some((held) => statementsMayOverlap(held, given, sameActions)) &&
    allows.some((held) => statementCovers(held, given))
  );
}

function lastsAsLong(held: Instant | null, given: Instant | null): boolean {
  return held === null || (given !== null && held >= given);
}

/** What a grant gives while it stands. */
export function giftOf(attachment: Pick<Attachment, 'grant' | 'text'>): Gift {
  return {
    statements: statementsOf(attachment.text, 'ALLOW'),
    denials: denialsOf(attachment.text),
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

/** Unlike what is given, what is kept back is only what can be read. */
export function denialsOf(text: string): readonly Statement[] {
  return documentOf(text)?.statements.filter(({ effect }) => effect === 'DENY') ?? [];
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
  const exact = new ExactHolding(call.catalogue);
  const gains = holders.map((holder) => gainsOf(call.catalogue, holder, gifts, call.now, enterable, exact));
  const actions = [...new Set(gains.flatMap((each) => each.actions))];
  if (actions.length === 0) return null;
  const shown = actions.slice(0, 3).map((action) => `\`${action}\``);
  const more = actions.length > shown.length ? ` and ${actions.length - shown.length} more` : '';
  return reject(
    problem(
      'NOT_HELD',
      `you would give ${shown.join(', ')}${more}, which you do not hold there by an explicit Allow, or where you may not enter yourself${instance(call, gains)}; ask an administrator`,
      path,
      { reference: 'IAM.0003', actions },
    ),
  );
}

/** A request shows conditions and resources of policies, so it is for those who may know them. */
function instance(call: Call, gains: readonly Gains[]): string {
  const request = gains.find((each) => each.request !== null)?.request ?? null;
  if (request === null || !call.may('bailiwick:access:explain')) return '';
  return `: it would allow ${describeChangedRequest(request)}, which you may not do`;
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
