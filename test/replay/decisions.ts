/**
 * The model's answer to "may they": decision = authenticated ∧ scope fits ∧ entry ∧ (root ∨ evaluate), in the words of
 * docs/domain.md sections b4 and k and DESIGN section 2. Nothing here knows src.
 */
import { applies, type Clause, type Request, type Tag } from './documents.js';
import {
  documentOf,
  grantsOf,
  isAdministrator,
  mayEnter,
  type Grant,
  type Id,
  type Principal,
  type State,
} from './state.js';

export type Reason =
  | 'ROOT'
  | 'ALLOWED'
  | 'AUTHORIZATION_MODE'
  | 'EXPLICIT_DENY'
  | 'NO_MATCHING_ALLOW'
  | 'WORKSPACE_CLOSED'
  | 'UNKNOWN_ACTION'
  | 'WRONG_SCOPE'
  | 'CREDENTIAL_REVOKED'
  | 'PRINCIPAL_DISABLED'
  | 'PRINCIPAL_NOT_FOUND';

export interface Verdict {
  readonly effect: 'ALLOW' | 'DENY';
  readonly reason: Reason;
}

export interface About {
  readonly resource?: string | null;
  readonly tags?: readonly Tag[];
}

type Operation = 'create' | 'update' | 'delete' | 'get' | 'list';

/** The kinds that the run registers, with the acts that somebody registered for each. */
export type Catalogue = ReadonlyMap<string, readonly string[]>;

/** A caller at one moment, in one scope: what of their grants counts was fixed then. */
export class Caller {
  readonly root: boolean;
  readonly administrator: boolean;
  readonly open: boolean;
  readonly broken: boolean;
  readonly #grants: readonly { readonly grant: Grant; readonly document: readonly Clause[] }[];

  constructor(
    readonly state: State,
    readonly catalogue: Catalogue,
    readonly principal: Principal,
    readonly workspaceId: Id | null,
    readonly now: number,
  ) {
    const user = principal.kind === 'USER' ? state.users.get(principal.id) : undefined;
    this.root = user?.root === true;
    this.administrator = user !== undefined && isAdministrator(state, user.id);
    this.broken =
      principal.sessionId !== null && (user?.enabled !== true || state.endedSessions.has(principal.sessionId));
    this.open = workspaceId === null || mayEnter(state, workspaceId, principal, now);
    this.#grants = grantsOf(state, principal.kind, principal.id, now).map((grant) => ({
      grant,
      document: documentOf(state, grant.policyId),
    }));
  }

  may(action: string, about: About = {}): boolean {
    return this.decide(action, about).effect === 'ALLOW';
  }

  decide(action: string, about: About = {}): Verdict {
    if (!this.#isKnown(action)) return deny('UNKNOWN_ACTION');
    return this.#weigh([action], action, about);
  }

  /** About an act on a kind: all its spellings take part; one that nobody registered forbids nothing, a Deny does. */
  decideKind(kind: string, operation: Operation, about: About): Verdict {
    const type = kind.slice(kind.indexOf(':') + 1);
    const spellings = ['', type, `${type}s`].map((suffix) => `${kind}:${operation}${suffix}`);
    const verdict = this.#weigh(spellings, spellings[0] ?? '', about);
    const registered = this.catalogue.get(kind)?.includes(operation) === true;
    return !registered && verdict.reason === 'NO_MATCHING_ALLOW' ? { effect: 'ALLOW', reason: 'ALLOWED' } : verdict;
  }

  mayKind(kind: string, operation: Operation, about: About): boolean {
    return this.decideKind(kind, operation, about).effect === 'ALLOW';
  }

  /** By the register's `get` or `list` and the kind's, each on the row itself. */
  maySee({ urn, kind, tags }: { readonly urn: string; readonly kind: string; readonly tags: readonly Tag[] }): boolean {
    const about = { resource: urn, tags };
    const known = (['get', 'list'] as const).filter((act) => this.catalogue.get(kind)?.includes(act));
    return (
      (this.may('bailiwick:resources:get', about) || this.may('bailiwick:resources:list', about)) &&
      (known.length > 0 ? known : (['get'] as const)).some((act) => this.mayKind(kind, act, about))
    );
  }

  /** Whether a list shows a row: `list` of its kind, or what reads it where nothing lists, asked about the row itself. */
  mayList({
    urn,
    kind,
    tags,
  }: {
    readonly urn: string;
    readonly kind: string;
    readonly tags: readonly Tag[];
  }): boolean {
    const lists = this.catalogue.get(kind)?.includes('list') === true;
    return this.mayKind(kind, lists ? 'list' : 'get', { resource: urn, tags });
  }

  /**
   * Nothing that the caller holds could tell two resources of one kind apart: lists can be counted. The built-in policy
   * Self does so with kinds that whoever lists everything lists too (`modelarts:authorization`).
   */
  seesPlainly(kinds: readonly string[] | null): boolean {
    if (this.root) return true;
    return this.#grants.every(({ document }) =>
      document.every(
        ({ effect, actions, resource, tag }) =>
          effect === 'Allow' &&
          resource === null &&
          tag === null &&
          (kinds !== null || !actions.some((pattern) => /^(\*|modelarts):\*:/.test(pattern))),
      ),
    );
  }

  /** What of a clause and its grant speaks of a request in this scope (rule 11). */
  #weigh(actions: Request['actions'], action: string, { resource = null, tags = [] }: About): Verdict {
    if (!this.open) return deny('WORKSPACE_CLOSED');
    if (this.root) return { effect: 'ALLOW', reason: 'ROOT' };
    const request = { actions, resource, tags };
    const matching = this.#grants
      .filter(({ grant }) => this.#reaches(grant, action))
      .flatMap(({ document }) => document.filter((clause) => applies(clause, request)));
    if (matching.some(({ effect }) => effect === 'Deny')) return deny('EXPLICIT_DENY');
    if (matching.length > 0 || action === 'bailiwick:session:use') return { effect: 'ALLOW', reason: 'ALLOWED' };
    return this.#isByDefault(action) ? { effect: 'ALLOW', reason: 'AUTHORIZATION_MODE' } : deny('NO_MATCHING_ALLOW');
  }

  #reaches({ scopeKind, scopeId }: Grant, action: string): boolean {
    const global = /^(iam|bailiwick):/.test(action);
    const here = this.workspaceId;
    if (scopeKind === 'ALL') return true;
    if (scopeKind === 'ACCOUNT') return here === null || global;
    if (here === null) return false;
    if (scopeKind === 'ALL_WORKSPACES') return true;
    if (scopeKind === 'WORKSPACE') return scopeId === here;
    return !global && this.state.workspaces.get(here)?.projectId === scopeId;
  }

  /** DESIGN section 2, "authorization mode": workspaces only, users only, no administration of workspaces. */
  #isByDefault(action: string): boolean {
    const user = this.principal.kind === 'USER' ? this.state.users.get(this.principal.id) : undefined;
    if (this.state.mode !== 'LOOSE' || user?.usesDefault !== true || this.workspaceId === null) return false;
    if (/^modelarts:workspace:(list|get|getQuotas)$/.test(action)) return true;
    return /^modelarts:/.test(action) && !/^modelarts:(workspace|authorization):/.test(action);
  }

  #isKnown(action: string): boolean {
    const [service, type, operation = ''] = action.split(':');
    const registered = this.catalogue.get(`${service}:${type}`);
    return registered === undefined ? /^(iam|bailiwick|modelarts):/.test(action) : registered.includes(operation);
  }
}

function deny(reason: Reason): Verdict {
  return { effect: 'DENY', reason };
}
