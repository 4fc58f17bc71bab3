/**
 * What opening a call and deciding for it read, kept in memory while the account's revisions stand (rule 28): rows while nothing at all is
 * written in the account, what only decisions read while nothing is written that could change one.
 */
import type { DelegationFacts } from './delegation.js';
import type { AccessReader } from './ports.js';
import { GroupedRecollection, Recollection, type Stamp } from './recollection.js';
import type { Account, Id, Records } from './records.js';

type KeptKind = 'session' | 'user' | 'service' | 'workspace';
type SigningKind = 'accessKey' | 'agencySession';
type KeptRow = Records[KeptKind | SigningKind] | null;

export class KeptAccess implements Pick<AccessReader, SigningKind> {
  readonly #access: AccessReader;
  readonly #rows: Recollection<KeptRow>;
  readonly #entry: Recollection<boolean>;
  readonly #delegations: Recollection<DelegationFacts>;
  /** Resources by account and URN, and that there is none. */
  readonly #resources: GroupedRecollection<Records['resource'] | null>;
  /** Accounts of what signs, which never move. */
  readonly #homes: Recollection<Id | null>;

  /** @param limit rows kept at most, and as many facts about who may enter */
  constructor(access: AccessReader, limit: number) {
    this.#access = access;
    this.#rows = new Recollection(limit);
    this.#entry = new Recollection(limit);
    this.#delegations = new Recollection(limit);
    this.#resources = new GroupedRecollection(limit);
    this.#homes = new Recollection(limit);
  }

  /** @param account as it is now: nothing that is answered is older */
  of(account: Pick<Account, 'id' | 'revision' | 'accessRevision'>): AccountFacts {
    return new AccountFacts(account, this.#access, this.#rows, this.#entry);
  }

  async accessKey(id: string): Promise<Records['accessKey'] | null> {
    return this.#signing('accessKey', id);
  }

  async agencySession(id: Id): Promise<Records['agencySession'] | null> {
    return this.#signing('agencySession', id);
  }

  /**
   * @param account of the session, as it is now
   * @param other account of who assumed the agency, as it is now; null for the same
   * @param read reads everything of these two accounts
   */
  async delegation(
    sessionId: Id,
    account: Pick<Account, 'revision'>,
    other: Pick<Account, 'revision'> | null,
    read: () => Promise<DelegationFacts>,
  ): Promise<DelegationFacts> {
    return this.#delegations.of(`${sessionId}\n${other?.revision ?? ''}`, account.revision, read);
  }

  /**
   * Registered resources as far as decisions read them: where each is, and its tags. Whoever asks about many that are not
   * registered has others' forgotten, and no more than those.
   *
   * @param account as it is now: nothing that is answered is older
   */
  async resources(
    { id, accessRevision }: Pick<Account, 'id' | 'accessRevision'>,
    urns: readonly string[],
  ): Promise<ReadonlyMap<string, Records['resource']>> {
    const found = new Map<string, Records['resource']>();
    const unknown = new Set<string>();
    for (const urn of urns) {
      const known = this.#resources.known(id, urn, accessRevision);
      if (known === undefined) unknown.add(urn);
      else if (known !== null) found.set(urn, known);
    }
    if (unknown.size === 0) return found;
    const read = await this.#access.resourcesByUrn(id, [...unknown]);
    for (const urn of unknown) {
      const resource = read.get(urn);
      this.#resources.keep(id, urn, accessRevision, resource ?? null);
      if (resource !== undefined) found.set(urn, resource);
    }
    return found;
  }

  /** By an id that alone does not say in which account to look. */
  async #signing<K extends SigningKind>(kind: K, id: string): Promise<Records[K] | null> {
    let first: Records[K] | null | undefined;
    const home = await this.#homes.of(
      `${kind}\n${id}`,
      forGood,
      async () => {
        first = (await this.#access[kind](id)) as Records[K] | null;
        return first?.accountId ?? null;
      },
      isThere,
    );
    if (home === null || first !== undefined) return first ?? null;
    const account = await this.#access.account(home);
    if (account === null) return null;
    const read = (): Promise<KeptRow> => this.#access[kind](id);
    return this.#rows.of(`${kind}\n${id}`, account.revision, read, isThere) as Promise<Records[K] | null>;
  }
}

/** What never becomes another. */
const forGood: Stamp = 0;

/** Facts about one account. */
export class AccountFacts implements Pick<AccessReader, 'isAdministrator' | 'isListedIn'> {
  constructor(
    private readonly account: Pick<Account, 'id' | 'revision' | 'accessRevision'>,
    private readonly access: AccessReader,
    private readonly rows: Recollection<KeptRow>,
    private readonly entry: Recollection<boolean>,
  ) {}

  async row<K extends KeptKind>(kind: K, id: Id): Promise<Records[K] | null> {
    const { account, access } = this;
    const read = (): Promise<KeptRow> => access[kind](account.id, id);
    // Nobody fills the memory by asking for what is not there.
    return this.rows.of(`${kind}\n${account.id}\n${id}`, account.revision, read, isThere) as Promise<Records[K] | null>;
  }

  async isAdministrator(accountId: Id, userId: Id): Promise<boolean> {
    const read = () => this.access.isAdministrator(accountId, userId);
    return this.entry.of(`${accountId}\n${userId}`, this.account.accessRevision, read);
  }

  async isListedIn(accountId: Id, workspaceId: Id, userId: Id): Promise<boolean> {
    const read = () => this.access.isListedIn(accountId, workspaceId, userId);
    return this.entry.of(`${accountId}\n${workspaceId}\n${userId}`, this.account.accessRevision, read);
  }
}

function isThere(found: unknown): boolean {
  return found !== null;
}
