/**
 * The one place where a question becomes a decision:
 *
 *   decision = authenticated ∧ scope fits ∧ workspace entry ∧ (root ∨ evaluate)
 *
 * (DESIGN section 2, docs/domain.md sections a4, b4 and k.) Synchronous and pure: everything it needs — the principal's
 * rights, the scope's facts, the clock's reading — was gathered before. It must never read the store.
 */
import type { Catalogue } from '../catalogue/index.js';
import {
  CompiledSources,
  type DeterminingStatement,
  type Evaluation,
  type PolicyRequest,
  type PolicySource,
  type TakesPart,
} from '../policy/index.js';
export { iamUrn, principalUrn } from './directory-urns.js';
import { DecisionContext } from './decision-context.js';
import { reaches } from './reach.js';
import type { Account, Delegation, GrantScopeKind, Id, Instant, Tag } from './records.js';

/** Why a decision came out as it did; stable, shown in the API. */
export const decisionReasons = {
  ROOT: 'The account’s root user bypasses policies.',
  ALLOWED: 'An Allow statement matches and no Deny does.',
  AUTHORIZATION_MODE: 'Allowed by the account’s LOOSE default and nothing else.',
  EXPLICIT_DENY: 'A Deny statement matches; it beats every Allow.',
  NO_MATCHING_ALLOW: 'No Allow statement matches.',
  UNAUTHENTICATED: 'No credential was sent; an anonymous actor owns no statement.',
  WRONG_SCOPE: 'The credential acts in another scope than the question needs.',
  WORKSPACE_CLOSED: 'The principal may not enter the workspace, or it is gone.',
  CREDENTIAL_REVOKED: 'The credential was ended, has expired, or is broken.',
  UNKNOWN_ACTION: 'No service has registered the action.',
  PRINCIPAL_DISABLED: 'The user or service is disabled.',
  PRINCIPAL_NOT_FOUND: 'The principal does not exist or is invisible here.',
  SESSION_POLICY: 'The session’s own policy does not allow it.',
  TRUST_CONDITION: 'A condition of the agency’s trust does not hold.',
  AGENCY_EXPIRED: 'The agency has expired.',
  INVALID_POLICY: 'A policy that takes part cannot be evaluated.',
} as const;

export type DecisionReason = keyof typeof decisionReasons;

export type PrincipalKind = 'ANONYMOUS' | 'ROOT' | 'USER' | 'SERVICE' | 'AGENCY';

/** Who asks, after authentication. */
export interface Principal {
  readonly kind: PrincipalKind;
  /** '' for the anonymous actor. */
  readonly id: Id;
  readonly name: string;
  readonly mfaAt: Instant | null;
  /** Behind a session of an agency: who assumed it and on whose behalf. */
  readonly delegation?: Delegation;
}

export const anonymous: Principal = { kind: 'ANONYMOUS', id: '', name: '', mfaAt: null };

/** Where a policy comes from, for the reasons shown. */
export interface StatementOrigin {
  /** INLINE: given with the question, in a simulation. SESSION: the policy that narrows a session. */
  readonly kind: 'BUILT_IN' | 'GRANT' | 'INLINE' | 'SESSION';
  readonly policyId: Id;
  readonly policyVersion: number;
  readonly grantId: Id | null;
  readonly scopeKind: GrantScopeKind;
  readonly scopeId: Id;
  readonly expiresAt: Instant | null;
  /** The group that brings it, null when it reaches the principal straight. */
  readonly group: string | null;
  /** The LOOSE default: what it allows is allowed for reason AUTHORIZATION_MODE. */
  readonly authorizationMode: boolean;
}

export type RightsSource = PolicySource<StatementOrigin>;

/** Everything a principal has been given, in every scope; what of it counts is decided question by question. */
export interface Rights {
  readonly principal: Principal;
  readonly sources: readonly RightsSource[];
  /** Stored policies that no longer parse: whoever holds one is refused rather than guessed about. */
  readonly unreadable: readonly string[];
  /** What narrows the rights of a session of an agency. */
  readonly bounds?: SessionBounds;
}

export interface SessionBounds {
  /** Allows only what it allows as well, the built-in policies apart; what it denies is denied with them. */
  readonly policy: RightsSource | null;
  /** The one workspace that it acts in; null for any scope that a grant reaches. */
  readonly workspaceId: Id | null;
  readonly expiresAt: Instant;
  /** When what it holds ends with its agency; null: never. */
  readonly agencyExpiresAt: Instant | null;
}

/** The scope of a question, with the facts about it that decisions read. */
export interface ScopeFacts {
  readonly account: Pick<Account, 'id' | 'name'>;
  readonly workspace: { readonly id: Id; readonly name: string; readonly enterpriseProjectId: Id } | null;
  /** False for a workspace that the principal may not enter, or that does not exist. */
  readonly open: boolean;
}

/** What surrounds a question. */
export interface Environment {
  readonly now: Instant;
  readonly sourceAddress: string | null;
}

export interface Question {
  readonly action: string;
  /**
   * Other spellings of the same act, registered or not: statements that name one are about the question too, so that an
   * act which is registered under another name tomorrow does not step out of a Deny.
   */
  readonly spellings?: readonly string[];
  /** Asked behind a door that has let the caller in: an action that nobody registered forbids nothing, a Deny does. */
  readonly onlyIfRegistered?: boolean;
  /** URN, null when the question is about the scope as a whole. */
  readonly resource: string | null;
  /** Facts of the row, when it is known: they become `g:ResourceTag/…` and the like. */
  readonly tags?: readonly Tag[];
  /** Tags that the request itself sets: they become `g:RequestTag/…` and `g:TagKeys`. */
  readonly requestTags?: readonly Tag[];
  /** Further context, already checked for who may set it (rule 17). */
  readonly context?: ReadonlyMap<string, readonly string[]>;
}

export interface DecidingStatement {
  readonly policy: string;
  readonly index: number;
  readonly sid: string | null;
  readonly effect: 'ALLOW' | 'DENY';
  readonly origin: StatementOrigin;
}

export type RequiredScope = 'ACCOUNT' | 'WORKSPACE' | 'ANY';

export interface Decision {
  readonly effect: 'ALLOW' | 'DENY';
  readonly reason: DecisionReason;
  readonly action: string;
  readonly resource: string | null;
  readonly statements: readonly DecidingStatement[];
  /** Condition keys whose absence kept a statement, a Deny above all, from applying. */
  readonly missingContextKeys: readonly string[];
  readonly problems: readonly string[];
  readonly requiredScope: RequiredScope | null;
}

/** A decision that needed no statement. */
export function decideBy(
  reason: DecisionReason,
  question: Pick<Question, 'action' | 'resource'>,
  requiredScope: RequiredScope | null = null,
): Decision {
  return {
    effect: reason === 'ROOT' ? 'ALLOW' : 'DENY',
    reason,
    action: question.action,
    resource: question.resource,
    statements: [],
    missingContextKeys: [],
    problems: [],
    requiredScope,
  };
}

/** Whether a door that demands `required` opens for a credential of this scope. */
export function fitsScope(facts: ScopeFacts, required: RequiredScope): boolean {
  return required === 'ANY' || (required === 'WORKSPACE') === (facts.workspace !== null);
}

/** What a question is decided by, once nothing else decides it. */
export interface Ground {
  /** Whether something that the principal has been given counts here and now. */
  readonly takesPart: TakesPart<StatementOrigin>;
  readonly request: PolicyRequest;
  /** False for an action that nobody registered and that forbids nothing by itself. */
  readonly registered: boolean;
}

/**
 * What decides a question: its ground, or the decision that needs no statement. Unknown actions, closed workspaces and
 * unreadable policies deny.
 */
export function groundOf(
  catalogue: Catalogue,
  rights: Rights,
  facts: ScopeFacts,
  environment: Environment,
  question: Question,
): Ground | Decision {
  const { principal } = rights;
  if (principal.kind === 'ANONYMOUS') return decideBy('UNAUTHENTICATED', question);
  const row = catalogue.find(question.action) ?? (question.onlyIfRegistered === true ? unregistered : undefined);
  if (row === undefined) return decideBy('UNKNOWN_ACTION', question);
  if (!facts.open) return decideBy('WORKSPACE_CLOSED', question);
  if (principal.kind === 'ROOT') return decideBy('ROOT', question);
  if (rights.unreadable.length > 0) {
    return { ...decideBy('INVALID_POLICY', question), problems: rights.unreadable };
  }
  return {
    takesPart: (origin) => counts(origin, facts, environment.now, row),
    request: {
      action: question.action,
      aliases: aliasesOf(catalogue, question),
      resource: question.resource,
      context: new DecisionContext(principal, facts, environment, question),
    },
    registered: row !== unregistered,
  };
}

const noAliases: readonly string[] = [];

/** Other names alone: most actions have none, and then there is nothing to tell apart. */
function aliasesOf(catalogue: Catalogue, { action, spellings }: Question): readonly string[] {
  const names = catalogue.namesOf(action);
  if (spellings !== undefined) return [...names, ...spellings];
  return names.length === 1 && names[0] === action ? noAliases : names;
}

const untold: readonly DecidingStatement[] = [];

/**
 * Decides one question. Which resources a question would be allowed for says decision-plan.ts, in the same words.
 *
 * @param explained whether anybody will see which statements decided
 */
export function decide(
  catalogue: Catalogue,
  rights: Rights,
  facts: ScopeFacts,
  environment: Environment,
  question: Question,
  explained = true,
): Decision {
  const ground = groundOf(catalogue, rights, facts, environment, question);
  if ('effect' in ground) return ground;
  const { takesPart, request, registered } = ground;
  const granted = compiledOf(rights.sources).evaluate(request, takesPart, registered);
  const { evaluation, bySession } = narrow(rights.bounds?.policy ?? null, granted, request);
  const { statements } = evaluation;
  if (!registered && !bySession && evaluation.effect === 'DENY' && statements.length === 0) {
    return { ...decideBy('ALLOWED', question), effect: 'ALLOW' };
  }
  const byModeOnly = evaluation.effect === 'ALLOW' && statements.every(isByMode);
  return {
    effect: evaluation.effect,
    reason: bySession ? 'SESSION_POLICY' : byModeOnly ? 'AUTHORIZATION_MODE' : evaluation.reason,
    action: question.action,
    resource: question.resource,
    statements: explained ? statements.map(decidingStatement) : untold,
    missingContextKeys: evaluation.missingContextKeys,
    problems: evaluation.problems,
    requiredScope: null,
  };
}

const sessions = new WeakMap<RightsSource, CompiledSources<StatementOrigin>>();

function compiledSession(policy: RightsSource): CompiledSources<StatementOrigin> {
  const known = sessions.get(policy);
  if (known !== undefined) return known;
  const made = new CompiledSources([policy]);
  sessions.set(policy, made);
  return made;
}

const compiled = new WeakMap<readonly RightsSource[], CompiledSources<StatementOrigin>>();

/** What a principal has been given, made ready for as long as it is kept. */
function compiledOf(sources: readonly RightsSource[]): CompiledSources<StatementOrigin> {
  const known = compiled.get(sources);
  if (known !== undefined) return known;
  const made = new CompiledSources(sources);
  compiled.set(sources, made);
  return made;
}

/** Stands for an action of a resource kind that nobody registered: every grant that reaches the workspace is about it. */
export const unregistered = { global: false, enterpriseProjectScope: true } as const;

interface Narrowed {
  readonly evaluation: Evaluation<StatementOrigin>;
  /** The policy of the session refused what the grants would not have. */
  readonly bySession: boolean;
}

/**
 * Lays the policy of a session over what its grants say. It allows nothing by itself. What is built in it leaves alone
 * unless it denies it, or a session could not even ask who it is.
 */
function narrow(
  policy: RightsSource | null,
  evaluation: Evaluation<StatementOrigin>,
  request: PolicyRequest,
): Narrowed {
  if (policy === null || evaluation.reason === 'EXPLICIT_DENY') return { evaluation, bySession: false };
  const own = compiledSession(policy).evaluate(request);
  const missingContextKeys = [...new Set([...evaluation.missingContextKeys, ...own.missingContextKeys])];
  const problems = [...evaluation.problems, ...own.problems];
  const builtIn = evaluation.statements.some(({ source }) => source.origin.kind === 'BUILT_IN');
  const refuses = own.reason === 'EXPLICIT_DENY' || (own.effect === 'DENY' && !builtIn);
  if (refuses && (evaluation.effect === 'ALLOW' || own.reason === 'EXPLICIT_DENY')) {
    return { evaluation: { ...own, missingContextKeys, problems }, bySession: true };
  }
  const statements = evaluation.effect === 'ALLOW' ? [...evaluation.statements, ...own.statements] : [];
  return { evaluation: { ...evaluation, statements, missingContextKeys, problems }, bySession: false };
}

function counts(
  origin: StatementOrigin,
  facts: ScopeFacts,
  now: Instant,
  row: { readonly global: boolean; readonly enterpriseProjectScope: boolean },
): boolean {
  if (origin.expiresAt !== null && origin.expiresAt <= now) return false;
  return reaches(origin, facts.workspace, row);
}

function isByMode({ source }: DeterminingStatement<StatementOrigin>): boolean {
  return source.origin.authorizationMode;
}

function decidingStatement({ source, statement }: DeterminingStatement<StatementOrigin>): DecidingStatement {
  return {
    policy: source.name,
    index: statement.index,
    sid: statement.sid,
    effect: statement.effect,
    origin: source.origin,
  };
}

/** An actor in words, with those who stand behind a session of an agency. */
export function describeActor({ kind, name, delegation }: Pick<Principal, 'kind' | 'name' | 'delegation'>): string {
  const own = kind === 'ROOT' ? `root user ${name}` : `${kind.toLowerCase()} ${name}`;
  if (delegation === undefined) return own;
  const { assumedBy, onBehalfOf } = delegation;
  const assumed = `${own} assumed by ${assumedBy.kind.toLowerCase()} ${assumedBy.name}`;
  return onBehalfOf === null ? assumed : `${assumed} on behalf of user ${onBehalfOf.name}`;
}
