/**
 * What opening a call reads, kept in memory while the account's revisions stand (rule 28): rows while nothing at all is
 * written in the account, what only decisions read while nothing is written that could change one.
 */
import type { AccessReader } from './ports.js';
import { Recollection } from './recollection.js';
import type { Account, Id, Records } from './records.js';

type KeptKind = 'session' | 'user' | 'service' | 'workspace';
type KeptRow = Records[KeptKind] | null;

export class KeptAccess {
  readonly #access: AccessReader;
  readonly #rows: Recollection<KeptRow>;
  readonly #entry: Recollection<boolean>;

  /** @param limit rows kept at most, and as many facts about who may enter */
  constructor(access: AccessReader, limit: number) {
    this.#access = access;
    this.#rows = new Recollection(limit);
    this.#entry = new Recollection(limit);
  }

  /** @param account as it is now: nothing that is answered is older */
  of(account: Pick<Account, 'id' | 'revision' | 'accessRevision'>): AccountFacts {
    return new AccountFacts(account, this.#access, this.#rows, this.#entry);
  }
}

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

function isThere(row: KeptRow): boolean {
  return row !== null;
}
