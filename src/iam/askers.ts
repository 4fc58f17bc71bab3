/** Whom a question about access is about, and what is known of them: looked up once for a batch. */
import type { DecisionReason, Principal, Rights, ScopeFacts } from './authorizer.js';
import type { Call } from './call.js';
import type { Calls } from './calls.js';
import type { House } from './house.js';
import { hostFault } from './received-host.js';
import type { Account, Agency, Id, Instant, Service, User } from './records.js';
import type { ReceivedRequest } from '../signatures/index.js';

export type PrincipalChoice =
  | { readonly kind: 'user' | 'agency' | 'service'; readonly id: Id }
  | { readonly kind: 'token'; readonly token: string }
  /** As a service received it, which alone may show it. */
  | { readonly kind: 'signedRequest'; readonly request: ReceivedRequest; readonly sender: string | null }
  /** Whoever signed it, found out already. */
  | { readonly kind: 'signer'; readonly call: Call };

export interface Asker {
  readonly rights: Rights;
  readonly user: User | null;
  /** The workspace in which a question is asked that names none. */
  readonly home: Id | null;
}

/** Who is asked about, or why nobody is. */
type Found = Asker | { readonly reason: DecisionReason };

/** Principals and scopes of one batch, each looked up once. */
export class Askers {
  readonly #house: House;
  readonly #calls: Calls;
  readonly #call: Call;
  readonly #viewer: Asker;
  readonly #found = new Map<string, Found>();
  readonly #facts = new Map<string, ScopeFacts>();

  constructor(house: House, calls: Calls, call: Call) {
    this.#house = house;
    this.#calls = calls;
    this.#call = call;
    this.#viewer = askerOf(call);
  }

  /** At once for the viewer and for who was looked up before: most of a batch is about one of these. */
  find(choice: PrincipalChoice | null): Found | Promise<Found> {
    const call = this.#call;
    if (choice === null || isViewer(call, choice)) return this.#viewer;
    if (choice.kind === 'signer') return askerOf(choice.call);
    const key = keyOf(choice);
    return this.#found.get(key) ?? this.#keep(key, choice);
  }

  async #keep(key: string, choice: Exclude<PrincipalChoice, { kind: 'signer' }>): Promise<Found> {
    const found = await this.#look(choice);
    this.#found.set(key, found);
    return found;
  }

  #look(choice: Exclude<PrincipalChoice, { kind: 'signer' }>): Promise<Found> {
    if (choice.kind === 'token') return this.#bearer(choice.token);
    return choice.kind === 'signedRequest'
      ? this.#signer(choice.request, choice.sender)
      : this.#named(choice.kind, choice.id);
  }

  facts(asker: Asker, workspaceId: Id | null): ScopeFacts | Promise<ScopeFacts> {
    const call = this.#call;
    if (asker.rights === call.rights && workspaceId === call.scope.workspaceId) return call.facts;
    const { kind, id, delegation } = asker.rights.principal;
    const key = `${kind} ${id} ${delegation?.sessionId ?? ''} ${workspaceId ?? ''}`;
    return this.#facts.get(key) ?? this.#keepFacts(key, asker, workspaceId);
  }

  async #keepFacts(key: string, asker: Asker, workspaceId: Id | null): Promise<ScopeFacts> {
    const account = this.#account();
    const scope = { accountId: account.id, workspaceId };
    const workspace = workspaceId === null ? null : await this.#house.store.access.workspace(account.id, workspaceId);
    const facts = await this.#calls.scopeFacts(account, scope, workspace, asker.user, asker.rights);
    this.#facts.set(key, facts);
    return facts;
  }

  async #named(kind: 'user' | 'agency' | 'service', id: Id): Promise<Found> {
    const account = this.#account();
    const found = (await this.#call.reader.find(kind, [id])).get(id);
    const named = namedPrincipal(kind, found ?? null, this.#call.now);
    if ('reason' in named) return named;
    const rights = await this.#calls.rightsOf(account, named.principal, named.user);
    return { rights, user: named.user, home: this.#call.scope.workspaceId };
  }

  /** A credential carries the whole session: who, second factor, and scope. */
  async #bearer(token: string): Promise<Found> {
    const { principal, accountId } = this.#call;
    const showing = principal.kind === 'SERVICE' ? principal.id : null;
    const other = await this.#calls.openShown(this.#call, token, showing);
    if (other === null || other.accountId !== accountId) return { reason: 'CREDENTIAL_REVOKED' } as const;
    return askerOf(other);
  }

  /** Whoever signed a request that this service received, which must have been made for one of its hosts (rule 22). */
  async #signer(request: ReceivedRequest, sender: string | null): Promise<Found> {
    const { principal, accountId } = this.#call;
    const revoked = { reason: 'CREDENTIAL_REVOKED' } as const;
    if (principal.kind !== 'SERVICE') return revoked;
    const service = await this.#house.store.access.service(accountId, principal.id);
    if (service === null || hostFault(service, request) !== null) return revoked;
    const other = await this.#calls.openReceived(this.#call, service, request, sender);
    return other.broken === null ? askerOf(other) : { reason: other.broken.reason ?? revoked.reason };
  }

  #account(): Account {
    const { account } = this.#call;
    if (account === null) throw new Error('a call with an actor has an account');
    return account;
  }
}

/** Who is named by an id, or why nobody is who could do anything. */
export function namedPrincipal(
  kind: 'user' | 'agency' | 'service',
  found: User | Agency | Service | null,
  now: Instant,
): { readonly principal: Principal; readonly user: User | null } | { readonly reason: DecisionReason } {
  if (found === null) return { reason: 'PRINCIPAL_NOT_FOUND' };
  if ('enabled' in found && !found.enabled) return { reason: 'PRINCIPAL_DISABLED' };
  if ('trustKind' in found && found.expiresAt !== null && found.expiresAt <= now) return { reason: 'AGENCY_EXPIRED' };
  const user = 'root' in found ? found : null;
  // By id there is no session, so its keys take their weakest value: no second factor (rule 17).
  const principal: Principal = {
    kind: kind === 'agency' ? 'AGENCY' : kind === 'service' ? 'SERVICE' : user?.root === true ? 'ROOT' : 'USER',
    id: found.id,
    name: found.name,
    mfaAt: null,
  };
  return { principal, user };
}

function askerOf({ rights, user, scope }: Call): Asker {
  return { rights, user, home: scope.workspaceId };
}

/** Two that look the same are the same. */
function keyOf(choice: Exclude<PrincipalChoice, { kind: 'signer' }>): string {
  if (choice.kind === 'token') return `token ${choice.token}`;
  return choice.kind === 'signedRequest'
    ? `signedRequest ${JSON.stringify([choice.request, choice.sender])}`
    : `${choice.kind} ${choice.id}`;
}

export function isViewer(call: Call, choice: PrincipalChoice): boolean {
  if (choice.kind === 'token' || choice.kind === 'signedRequest' || choice.kind === 'signer') return false;
  const own = call.principal.kind === 'SERVICE' ? 'service' : call.principal.kind === 'AGENCY' ? 'agency' : 'user';
  return choice.kind === own && choice.id === call.principal.id;
}
