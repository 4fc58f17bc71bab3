/**
 * Opens calls: from what a request carried to who it acts as, where, with which rights. The list of ways to prove who
 * one is stands here; each answers *not mine*, *mine*, or *mine but broken* (DESIGN section 2).
 */
import { accountCatalogue, serviceHosts } from './account-catalogues.js';
import { type Environment, type Principal, type Rights, type ScopeFacts, type SessionBounds } from './authorizer.js';
import { Call, type BrokenCredential, type CallParts, type Performer } from './call.js';
import { isAhead } from './clocks.js';
import { delegationOf, faultOf, readDelegation } from './delegation.js';
import type { House } from './house.js';
import { KeptAccess } from './kept-access.js';
import type { ChangeOrigin, Scope } from './ports.js';
import { Recollection } from './recollection.js';
import type {
  AccessKey,
  Account,
  AgencySession,
  Id,
  Instant,
  Resource,
  Service,
  Session,
  User,
  Workspace,
} from './records.js';
import { boundsOf, RightsBook } from './rights.js';
import { ownHostFault } from './received-host.js';
import { scopeFacts } from './scope-facts.js';
import { headerOf, type ReceivedRequest } from '../signatures/index.js';
import {
  badSignature,
  findSigningKey,
  inactive,
  noteUse,
  spendSignature,
  verifySignature,
  type SignatureUse,
  type SignedRequest,
  type SigningKey,
} from './signed-requests.js';
import { KeyLocks } from './key-locks.js';
import { assumedAhead, begunAhead, elsewhere, ended, expiredToken, forService, nobodyCall } from './nobody.js';

/** What a request carried, as the listener saw it. */
export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'signed'; readonly authorization: string; readonly request: ReceivedRequest }
  /** Two credentials that disagree, a scheme nobody knows, a header that cannot be read. */
  | { readonly kind: 'broken'; readonly message: string; readonly reference: string };

export interface Arrival {
  readonly requestId: string;
  readonly credential: Credential;
  readonly environment: Environment;
  /** This request has spent its signature already: it is opened again between its own mutations. */
  readonly spent?: boolean;
}

function originOf(call: Call): Omit<ChangeOrigin, 'operation'> {
  const { accountId, principal, requestId, now, scope } = call;
  const { kind: actorKind, id: actorId, name: actorName, delegation } = principal;
  const actor = { actorKind, actorId, actorName, delegation: delegation ?? null };
  return { accountId, workspaceId: scope.workspaceId, ...actor, requestId, at: now };
}

/** What a call of a session has, whatever request it is opened for. */
type OpenedSession = Omit<CallParts, 'requestId' | 'environment' | 'reader' | 'tokenExpiresAt' | 'session'> & {
  readonly session: Session;
};

/** Whether the time lets a session and the token that was shown be good; where it does not, it is said why further down. */
function isNow({ startedAt, expiresAt }: Session, tokenExpiresAt: Instant | null, now: Instant): boolean {
  return expiresAt > now && (tokenExpiresAt === null || tokenExpiresAt > now) && !isAhead(startedAt, now);
}

function accountOf(signing: SigningKey): Id {
  return signing.kind === 'PERMANENT' ? signing.key.accountId : signing.session.accountId;
}

export class Calls {
  readonly #house: House;
  readonly #rights: RightsBook;
  readonly #kept: KeptAccess;
  readonly #locks: KeyLocks;
  /** Sessions of users that are good, in a scope, while nothing is written in the account. Nothing in it knows the time. */
  readonly #sessions: Recollection<OpenedSession>;

  /** @param remembered principals whose rights are kept in memory; of rows about them twice as many */
  constructor(house: House, remembered = 20_000) {
    this.#house = house;
    this.#rights = new RightsBook(remembered);
    this.#kept = new KeptAccess(house.store.access, 2 * remembered);
    this.#locks = new KeyLocks(house.tallies);
    this.#sessions = new Recollection(remembered);
  }

  /** Opens the call of a request. Never throws for anything a client can send. */
  async open(arrival: Arrival): Promise<Call> {
    const { credential } = arrival;
    if (credential.kind === 'none') return this.#nobody(arrival, null);
    if (credential.kind === 'broken') return this.#nobody(arrival, credential);
    if (credential.kind === 'signed') return this.#openSigned(arrival, credential.authorization, credential.request);
    const read = this.#house.tokens.read(credential.token);
    const reading = read instanceof Promise ? await read : read;
    if (reading.kind === 'expired') return this.#nobody(arrival, expiredToken);
    if (reading.kind === 'broken') {
      return this.#nobody(arrival, {
        message: 'the token is not one of ours; sign in again',
        reference: 'IAM.0067',
      });
    }
    const { accountId, userId, sessionId, scope, audience, expiresAt } = reading.claims;
    // Or a service that was handed one could act as the user (rule 23).
    if (audience !== null) return this.#nobody(arrival, forService);
    return this.openSession(arrival, accountId, userId, sessionId, scope, expiresAt);
  }

  /**
   * Opens the call of a token that somebody shows in a question about its bearer. One that was made for a service is good
   * when that service shows it, and nobody else.
   *
   * @param showing id of the service that shows it; null when it is no service that asks
   */
  async openShown(
    arrival: Pick<Arrival, 'requestId' | 'environment'>,
    token: string,
    showing: Id | null,
  ): Promise<Call | null> {
    const reading = await this.#house.tokens.read(token);
    if (reading.kind !== 'good') return null;
    const { accountId, userId, sessionId, scope, audience } = reading.claims;
    if (audience !== null && audience !== showing) return null;
    const call = await this.openSession(arrival, accountId, userId, sessionId, scope);
    return call.broken === null ? call : null;
  }

  /**
   * Opens the call of whoever signed a request that a service of the same account received. Bad signatures are counted for
   * that service and the address that it names, so that nobody locks a key for anybody else; where it names none they are
   * not counted, or five forged requests would keep a key's owner out.
   */
  async openReceived(call: Call, service: Service, request: ReceivedRequest, sender: string | null): Promise<Call> {
    const arrival = { requestId: call.requestId, environment: { now: call.now, sourceAddress: null } };
    const authorization = headerOf(request, 'authorization') ?? '';
    const presented = { authorization, request, now: call.now, sourceAddress: `service ${service.id} ${sender ?? ''}` };
    const signed = await verifySignature(this.#house, this.#kept, sender === null ? null : this.#locks, presented);
    if ('message' in signed) return this.#nobody(arrival, signed);
    // Whose key it is elsewhere is no business of this account.
    if (accountOf(signed.signing) !== call.accountId) return this.#nobody(arrival, badSignature);
    return this.#openSigner(arrival, signed);
  }

  /**
   * Opens the call of a session in a scope; the session, its user and the scope are looked at as they are now.
   *
   * @param tokenExpiresAt when the token that was shown ends; null when none was
   */
  async openSession(
    arrival: Pick<Arrival, 'requestId' | 'environment'>,
    accountId: Id,
    userId: Id,
    sessionId: Id,
    scope: Scope,
    tokenExpiresAt: Instant | null = null,
  ): Promise<Call> {
    const { access } = this.#house.store;
    // The account first: rights are kept under its revision, so nothing older than that may go into them.
    const account = await access.account(accountId);
    const { now } = arrival.environment;
    const key = `${accountId}\n${userId}\n${sessionId}\n${scope.workspaceId ?? ''}`;
    const known = account === null ? undefined : this.#sessions.known(key, account.revision);
    if (account !== null && known !== undefined && isNow(known.session, tokenExpiresAt, now)) {
      return this.#callOf(arrival, known, tokenExpiresAt);
    }
    const facts = account === null ? null : this.#kept.of(account);
    const [session = null, user = null] = await Promise.all([
      facts?.row('session', sessionId),
      facts?.row('user', userId),
    ]);
    if (account === null || session === null || session.userId !== userId || session.endedAt !== null) {
      return this.#nobody(arrival, {
        message: 'the session has ended; sign in again',
        reference: 'IAM.0067',
      });
    }
    if (tokenExpiresAt !== null && tokenExpiresAt <= now) return this.#nobody(arrival, expiredToken);
    if (session.expiresAt <= now) {
      return this.#nobody(arrival, {
        message: 'the session has expired; sign in again',
        reference: 'IAM.0066',
      });
    }
    if (isAhead(session.startedAt, now)) return this.#nobody(arrival, begunAhead);
    if (user === null || !user.enabled) {
      return this.#nobody(arrival, {
        message: 'the user is disabled; ask an administrator',
        reference: 'IAM.0082',
      });
    }
    const principal: Principal = {
      kind: user.root ? 'ROOT' : 'USER',
      id: user.id,
      name: user.name,
      mfaAt: session.mfaAt,
    };
    const call = await this.#call(arrival, { account, session, user, principal, scope, tokenExpiresAt });
    this.#sessions.keep(key, account.revision, { ...call, session });
    return call;
  }

  /** The call of a session that was opened before, for another request. */
  #callOf(
    { requestId, environment }: Pick<Arrival, 'requestId' | 'environment'>,
    opened: OpenedSession,
    tokenExpiresAt: Instant | null,
  ): Call {
    const reader = this.#house.store.reader(opened.scope);
    return new Call({ ...opened, reader, requestId, environment, tokenExpiresAt });
  }

  /**
   * Opens the call of the operator, who works on the machine itself and shows no credential: in account scope, with the
   * rights of one user, root unless another is named. The trail says that it was the operator.
   */
  async openOperator(requestId: string, accountId: Id, userId: Id | null = null): Promise<Call> {
    const { access } = this.#house.store;
    const arrival = { requestId, environment: { now: this.#house.now(), sourceAddress: null } };
    const account = await access.account(accountId);
    const user = account === null ? null : await access.user(accountId, userId ?? account.rootUserId);
    if (account === null || user === null || !user.enabled) {
      return this.#nobody(arrival, {
        message: 'the user is disabled or gone',
        reference: 'IAM.0082',
      });
    }
    const principal: Principal = { kind: user.root ? 'ROOT' : 'USER', id: user.id, name: user.name, mfaAt: null };
    const performer: Performer = user.root
      ? { actorKind: 'OPERATOR', actorId: '', actorName: 'operator' }
      : { actorKind: 'OPERATOR', actorId: user.id, actorName: `operator as ${user.name}` };
    const scope = { accountId, workspaceId: null };
    return this.#call(arrival, { account, session: null, user, principal, scope, performer });
  }

  /** Opens the call of the same credential in the same scope again, as things are now. */
  async reopen(call: Call): Promise<Call> {
    const { requestId, environment, accountId, user, session, scope, signature, tokenExpiresAt } = call;
    if (call.performer !== null && user !== null) return this.openOperator(requestId, accountId, user.id);
    const arrival = { requestId, environment: { ...environment, now: this.#house.now() } };
    if (signature !== null) {
      const signing = await findSigningKey(this.#kept, signature.keyId);
      // A key that is gone, and one that is disabled, sign nothing any more.
      if (signing === null || (signing.kind === 'PERMANENT' && !signing.key.enabled)) {
        return this.#nobody(arrival, inactive);
      }
      return this.#openKey(arrival, signing, scope, signature);
    }
    if (user === null || session === null) return call;
    return this.openSession(arrival, accountId, user.id, session.id, scope, tokenExpiresAt);
  }

  /** Opens the call of a signed request; the key's owner is looked at as it is now. */
  async #openSigned(arrival: Arrival, authorization: string, request: ReceivedRequest): Promise<Call> {
    const { now, sourceAddress } = arrival.environment;
    const presented = { authorization, request, now, sourceAddress };
    const signed = await verifySignature(this.#house, this.#kept, this.#locks, presented);
    if ('message' in signed) return this.#nobody(arrival, signed);
    return this.#openSigner(arrival, { ...signed, use: { ...signed.use, spent: arrival.spent === true } }, request);
  }

  async #openSigner(
    arrival: Pick<Arrival, 'requestId' | 'environment'>,
    { signing, workspaceId, use }: SignedRequest,
    received: ReceivedRequest | null = null,
  ): Promise<Call> {
    const call = await this.#openKey(arrival, signing, { accountId: accountOf(signing), workspaceId }, use);
    if (received !== null && call.account !== null) {
      const services = await serviceHosts(this.#house, call.account);
      const misdirected = ownHostFault(this.#house.hosts, services, received);
      if (misdirected !== null) return this.#nobody(arrival, { message: misdirected, reference: 'APIG.0301' });
    }
    // That it was used is worth knowing, and not worth refusing anything for.
    if (call.broken === null && signing.kind === 'PERMANENT') {
      await noteUse(this.#house, originOf(call), signing.key).catch(() => undefined);
    }
    return call;
  }

  #openKey(
    arrival: Pick<Arrival, 'requestId' | 'environment'>,
    signing: SigningKey,
    scope: Scope,
    signature: SignatureUse,
  ): Promise<Call> {
    return signing.kind === 'PERMANENT'
      ? this.#openOwner(arrival, signing.key, scope, signature)
      : this.#openAgencySession(arrival, signing.session, scope, signature);
  }

  /** Opens the call of a session of an agency, if everything that it stands on still holds. */
  async #openAgencySession(
    arrival: Pick<Arrival, 'requestId' | 'environment'>,
    session: AgencySession,
    scope: Scope,
    signature: SignatureUse,
  ): Promise<Call> {
    const { now } = arrival.environment;
    // The account first: rights are kept under its revision, so nothing older than that may go into them.
    const { access } = this.#house.store;
    const { accountId, assumedByAccountId } = session;
    const [account, other] = await Promise.all([
      access.account(accountId),
      assumedByAccountId === accountId ? null : access.account(assumedByAccountId),
    ]);
    const read = () => readDelegation(this.#house, session);
    const facts = await (account === null ? read() : this.#kept.delegation(session.id, account, other, read));
    const { agency } = facts;
    const fault = faultOf(session, facts, now);
    if (fault !== null || account === null || agency === null) return this.#nobody(arrival, ended(fault));
    if (session.expiresAt <= now) return this.#nobody(arrival, ended(null));
    if (isAhead(session.startedAt, now)) return this.#nobody(arrival, ended(assumedAhead));
    const bounds = boundsOf(session, agency);
    // Naming another scope than its own is a mistake of the caller's, and told as one.
    if (bounds.workspaceId !== null && scope.workspaceId !== bounds.workspaceId) {
      return this.#nobody(arrival, elsewhere);
    }
    const principal: Principal = {
      kind: 'AGENCY',
      id: agency.id,
      name: agency.name,
      mfaAt: null,
      delegation: delegationOf(session, facts),
    };
    return this.#call(arrival, { account, session: null, user: null, principal, scope, signature, bounds });
  }

  async #openOwner(
    arrival: Pick<Arrival, 'requestId' | 'environment'>,
    key: AccessKey,
    scope: Scope,
    signature: SignatureUse,
  ): Promise<Call> {
    const { access } = this.#house.store;
    const { accountId, ownerId } = key;
    // The account first: rights are kept under its revision, so nothing older than that may go into them.
    const account = await access.account(accountId);
    const gone = { message: 'the owner of the key is disabled or gone; ask an administrator', reference: 'IAM.0080' };
    if (key.ownerKind === 'USER') {
      const user = account === null ? null : await this.#kept.of(account).row('user', ownerId);
      if (account === null || user === null || !user.enabled) return this.#nobody(arrival, gone);
      const kind = user.root ? 'ROOT' : 'USER';
      const principal: Principal = { kind, id: user.id, name: user.name, mfaAt: null };
      return this.#call(arrival, { account, session: null, user, principal, scope, signature });
    }
    const service = account === null ? null : await this.#kept.of(account).row('service', ownerId);
    if (account === null || service === null || !service.enabled) return this.#nobody(arrival, gone);
    const principal: Principal = { kind: 'SERVICE', id: service.id, name: service.name, mfaAt: null };
    return this.#call(arrival, { account, session: null, user: null, principal, scope, signature });
  }

  /**
   * Spends the signature of a call before it changes anything, and opens it again. A request that was received before is
   * answered as a broken credential: it changes nothing and learns nothing.
   */
  async spend(call: Call): Promise<Call> {
    const { signature } = call;
    if (signature === null || signature.spent || call.broken !== null) return call;
    const refused = await spendSignature(this.#house, originOf(call), signature);
    if (refused !== null) return this.#nobody(call, refused);
    const opened = await this.reopen(call);
    return opened.broken === null ? opened.withSpentSignature() : opened;
  }

  async #call(
    arrival: Pick<Arrival, 'requestId' | 'environment'>,
    parts: {
      readonly account: Account;
      readonly session: Session | null;
      readonly user: User | null;
      readonly principal: Principal;
      readonly scope: Scope;
      readonly signature?: SignatureUse;
      readonly bounds?: SessionBounds;
      readonly tokenExpiresAt?: Instant | null;
      readonly performer?: Performer;
    },
  ): Promise<Call> {
    const { store } = this.#house;
    const { account, session, user, principal, scope } = parts;
    const facts = this.#kept.of(account);
    const [workspace, held, administrator, catalogue] = await Promise.all([
      scope.workspaceId === null ? null : facts.row('workspace', scope.workspaceId),
      this.#rights.rightsOf(store.access, account, principal, user),
      user === null ? false : facts.isAdministrator(account.id, user.id),
      accountCatalogue(this.#house, account),
    ]);
    // What is kept of an agency is without the session, of which there may be many.
    const rights = parts.bounds === undefined ? held : { ...held, principal, bounds: parts.bounds };
    return new Call({
      requestId: arrival.requestId,
      environment: arrival.environment,
      catalogue,
      rights,
      facts: await this.scopeFacts(account, scope, workspace, user, rights),
      scope,
      reader: store.reader(scope),
      account,
      workspace,
      user,
      session,
      administrator: user?.root === true || administrator,
      broken: null,
      signature: parts.signature ?? null,
      tokenExpiresAt: parts.tokenExpiresAt ?? null,
      observer: this.#house.observer,
      performer: parts.performer ?? null,
    });
  }

  /** The same caller as they would be in another workspace of the account, which may be closed to them. */
  async inWorkspace(call: Call, workspace: Workspace): Promise<Call> {
    const { account, user, rights } = call;
    if (account === null) throw new Error('a call with an actor has an account');
    const scope = { accountId: account.id, workspaceId: workspace.id };
    const facts = await this.scopeFacts(account, scope, workspace, user, rights);
    return new Call({ ...call, rights, scope, workspace, facts, reader: this.#house.store.reader(scope) });
  }

  /** Registered resources, as decisions about them read them, as they are now or were when the account was read. */
  resources(account: Account, urns: readonly string[]): Promise<ReadonlyMap<string, Resource>> {
    return this.#kept.resources(account, urns);
  }

  /** Rights of a principal as they are now. */
  rightsOf(account: Account, principal: Principal, user: User | null): Promise<Rights> {
    return this.#rights.rightsOf(this.#house.store.access, account, principal, user);
  }

  /** Facts of a scope for one principal as they are now. */
  async scopeFacts(
    account: Account,
    scope: Scope,
    workspace: Workspace | null,
    user: User | null,
    rights: Rights,
  ): Promise<ScopeFacts> {
    return scopeFacts(this.#kept.of(account), this.#house.now(), { account, scope, workspace, user, rights });
  }

  #nobody(arrival: Pick<Arrival, 'requestId' | 'environment'>, broken: BrokenCredential | null): Call {
    return nobodyCall(this.#house.catalogue, arrival, broken);
  }
}
