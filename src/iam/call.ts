/**
 * A call: one request being answered — who asks, in which scope, what they hold — fixed at the moment it was opened.
 * Everything a use-case needs to know about its caller is here; it never looks at a header or a token.
 */
import type { Catalogue } from '../catalogue/index.js';
import {
  decide,
  decideBy,
  fitsScope,
  type Decision,
  type DecisionReason,
  type Environment,
  type Principal,
  type Question,
  type RequiredScope,
  type Rights,
  type ScopeFacts,
} from './authorizer.js';
import { none, type Plan } from '../policy/index.js';
import { isAllowedEverywhere, planQuestion, type OpenQuestion, type WantedVerdict } from './decision-plan.js';
import { silentObserver, type Observer } from './observer.js';
import type { ChangeOrigin, Reader, Scope } from './ports.js';
import type { Account, Id, Instant, Session, User, Workspace } from './records.js';
import type { SignatureUse } from './signed-requests.js';

/** What a credential turned out to be. BROKEN: one was sent and it is not good; nothing is answered to it (rule 19). */
export interface BrokenCredential {
  readonly message: string;
  readonly reference: string;
  /** 400 when the request contradicts itself rather than being refused; 401 unless given. */
  readonly status?: 400 | 401;
  /** Why, as a decision about its bearer says it; CREDENTIAL_REVOKED unless given. */
  readonly reason?: DecisionReason;
}

export interface CallParts {
  readonly requestId: string;
  readonly environment: Environment;
  readonly catalogue: Catalogue;
  readonly rights: Rights;
  readonly facts: ScopeFacts;
  readonly scope: Scope;
  readonly reader: Reader;
  readonly account: Account | null;
  readonly workspace: Workspace | null;
  readonly user: User | null;
  readonly session: Session | null;
  readonly administrator: boolean;
  readonly broken: BrokenCredential | null;
  readonly signature?: SignatureUse | null;
  /** When the token of the call ends, which may be before its session; absent where no token was shown. */
  readonly tokenExpiresAt?: Instant | null;
  readonly observer?: Observer;
  readonly performer?: Performer | null;
}

/** Whom the trail names for a change, where it is not the principal whose rights bind it. */
export type Performer = Pick<ChangeOrigin, 'actorKind' | 'actorId' | 'actorName'>;

export class Call {
  readonly requestId: string;
  readonly catalogue: Catalogue;
  readonly scope: Scope;
  readonly reader: Reader;
  readonly account: Account | null;
  readonly workspace: Workspace | null;
  /** The user behind the call; null for the anonymous actor, services and agency sessions. */
  readonly user: User | null;
  readonly session: Session | null;
  /** Root or member of `admin` (rule 2): may grant anything. Never a way around a Deny. */
  readonly administrator: boolean;
  readonly broken: BrokenCredential | null;
  /** The signature of the request itself, which could be sent again by whoever saw it pass; null for other credentials. */
  readonly signature: SignatureUse | null;
  readonly tokenExpiresAt: Instant | null;
  readonly environment: Environment;
  readonly rights: Rights;
  readonly facts: ScopeFacts;
  readonly observer: Observer;
  /** Null: the principal itself. */
  readonly performer: Performer | null;
  readonly #remembered = new Map<string, Decision>();
  #hasChanged = false;

  constructor(parts: CallParts) {
    this.requestId = parts.requestId;
    this.catalogue = parts.catalogue;
    this.scope = parts.scope;
    this.reader = parts.reader;
    this.account = parts.account;
    this.workspace = parts.workspace;
    this.user = parts.user;
    this.session = parts.session;
    this.administrator = parts.administrator;
    this.broken = parts.broken;
    this.signature = parts.signature ?? null;
    this.tokenExpiresAt = parts.tokenExpiresAt ?? null;
    this.environment = parts.environment;
    this.rights = parts.rights;
    this.facts = parts.facts;
    this.observer = parts.observer ?? silentObserver;
    this.performer = parts.performer ?? null;
  }

  /** The same call, after its signature was spent: it may change things, and no other call with that signature. */
  withSpentSignature(): Call {
    const signature = this.signature === null ? null : { ...this.signature, spent: true };
    return new Call({ ...this, signature });
  }

  /** The same call in answer to another request. */
  asRequest(requestId: string): Call {
    return new Call({ ...this, requestId });
  }

  /**
   * Whether what this call asked to change is in the database, whatever became of the answer. Not told by the request's id, which
   * callers choose and others may choose too.
   */
  get hasChanged(): boolean {
    return this.#hasChanged;
  }

  /** Said once the change is committed; not of what is written down on the way to it, as a failure or a use of a key is. */
  noteChanged(): void {
    this.#hasChanged = true;
  }

  get principal(): Principal {
    return this.rights.principal;
  }

  get accountId(): Id {
    return this.scope.accountId;
  }

  get now(): Instant {
    return this.environment.now;
  }

  /** Whether something that the caller held, or the session itself, has ended between the opening and this instant. */
  hasLapsed(now: Instant): boolean {
    const ended = (end: Instant | null | undefined): boolean => end != null && end > this.now && end <= now;
    if (ended(this.session?.expiresAt) || ended(this.rights.bounds?.expiresAt)) return true;
    return this.rights.sources.some(({ origin }) => ended(origin.expiresAt));
  }

  /**
   * The next instant at which something that the call was opened with ends by itself: its credential, or a grant. Infinity
   * when nothing does. What policies make of the time of day is not among it.
   */
  lapsesAt(): Instant {
    const ends = [
      this.tokenExpiresAt,
      this.session?.expiresAt,
      this.rights.bounds?.expiresAt,
      ...this.rights.sources.map(({ origin }) => origin.expiresAt),
    ];
    return Math.min(...ends.map((end) => (end != null && end > this.now ? end : Infinity)));
  }

  /** Accounts in which a change can touch the caller: its own, and that of whoever assumed the agency it acts as. */
  accountIds(): readonly Id[] {
    const assumer = this.principal.delegation?.assumedBy.accountId;
    return [...new Set(assumer === undefined ? [this.accountId] : [this.accountId, assumer])];
  }

  /** Whether its user has switched from this scope to another since then; a token that is left is good all the same. */
  hasLeft(since: Instant): boolean {
    const left = this.session?.scopesLeft ?? [];
    return left.some(({ workspaceId, at }) => workspaceId === this.scope.workspaceId && at >= since);
  }

  /** Decides one question for the caller, in the caller's scope. Remembered for this call only. */
  decide(question: Question): Decision {
    if (this.broken !== null) return decideBy('CREDENTIAL_REVOKED', question);
    const { tags, context, spellings, onlyIfRegistered } = question;
    const plain = [tags, context, spellings, onlyIfRegistered].every((more) => more === undefined);
    const key = plain ? `${question.action}\n${question.resource ?? ''}` : null;
    const known = key === null ? undefined : this.#remembered.get(key);
    if (known !== undefined) return known;
    const decision = decide(this.catalogue, this.rights, this.facts, this.environment, question);
    this.observer.decided(decision.reason);
    if (key !== null) this.#remembered.set(key, decision);
    return decision;
  }

  /** For which resources `decide` would allow this, or would at least not refuse it by a Deny. */
  plan(question: OpenQuestion, wanted: WantedVerdict = 'ALLOWED'): Plan {
    if (this.broken !== null) return none;
    return planQuestion(this.catalogue, this.rights, this.facts, this.environment, question, wanted);
  }

  /**
   * Whether one of these actions is allowed on whatever resource. False as well where it depends on the resource in any
   * way, even if each there is would be allowed.
   */
  mayEverywhere(anyOf: readonly string[], scope: RequiredScope): boolean {
    if (this.broken !== null || this.principal.kind === 'ANONYMOUS' || !fitsScope(this.facts, scope)) return false;
    return anyOf.some((action) =>
      isAllowedEverywhere(this.catalogue, this.rights, this.facts, this.environment, action),
    );
  }

  may(action: string, resource: string | null = null): boolean {
    return this.decide({ action, resource }).effect === 'ALLOW';
  }

  /**
   * The question of a door: any of these actions, on this resource, in this kind of scope. Answers the first decision
   * that allows, else the refusal of the first action.
   */
  ask(anyOf: readonly string[], resource: string | null, scope: RequiredScope): Decision {
    const first = { action: anyOf[0] ?? '', resource };
    if (this.broken !== null) return decideBy('CREDENTIAL_REVOKED', first);
    if (this.principal.kind === 'ANONYMOUS') return decideBy('UNAUTHENTICATED', first);
    if (!fitsScope(this.facts, scope)) return decideBy('WRONG_SCOPE', first, scope);
    let refusal: Decision | null = null;
    for (const action of anyOf) {
      const decision = this.decide({ action, resource });
      if (decision.effect === 'ALLOW') return decision;
      refusal ??= decision;
    }
    return refusal ?? decideBy('UNKNOWN_ACTION', first);
  }
}
