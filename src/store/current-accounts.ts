/**
 * The rows of accounts as they are now, which every request begins with: what else is kept of an account in memory is good
 * while its revisions stand (rule 28).
 */
import type { AccessReader, Account, Id } from '../iam/index.js';

export interface CurrentAccounts {
  /** The account as it is at some moment after this was called. */
  account(accountId: Id): Promise<Account | null>;
  /** A transaction of this account has committed, or may have. Told before whoever asked for it is answered. */
  changed(accountId: Id): void;
}

type Reading = Pick<AccessReader, 'account' | 'revisions'>;

const keptAccounts = 10_000;

/** Of a database that this process alone writes: what it has not changed is as it was. */
export class OwnedAccounts implements CurrentAccounts {
  readonly #known = new Map<Id, Promise<Account | null>>();

  constructor(private readonly access: Reading) {}

  account(accountId: Id): Promise<Account | null> {
    const known = this.#known.get(accountId);
    if (known !== undefined) return known;
    const reading = this.access.account(accountId);
    if (this.#known.size >= keptAccounts) this.#known.clear();
    this.#known.set(accountId, reading);
    const forget = () => {
      if (this.#known.get(accountId) === reading) this.#known.delete(accountId);
    };
    // Neither a failure nor that there is none is worth keeping.
    reading.then((account) => (account === null ? forget() : undefined), forget);
    return reading;
  }

  changed(accountId: Id): void {
    // What is being read now may be from before the change.
    this.#known.delete(accountId);
  }
}

/** How many reads may be under way at a time: one that the database is slow to answer holds up the next. */
const readsAtOnce = 2;

interface SharedRead {
  readonly accountIds: Set<Id>;
  readonly answer: Promise<ReadonlyMap<Id, Account>>;
  readonly start: () => void;
}

/**
 * Of a database that other processes write as well: each who asks waits for one read that began after they did, which all
 * share who have asked meanwhile. Only accounts that have moved since are read whole.
 */
export class SharedAccounts implements CurrentAccounts {
  readonly #known = new Map<Id, Account>();
  #next: SharedRead | null = null;
  #underWay = 0;

  constructor(private readonly access: Reading) {}

  async account(accountId: Id): Promise<Account | null> {
    const read = (this.#next ??= this.#prepare());
    read.accountIds.add(accountId);
    this.#startNext();
    return (await read.answer).get(accountId) ?? null;
  }

  changed(): void {
    // The next read sees it.
  }

  #prepare(): SharedRead {
    const accountIds = new Set<Id>();
    let start = () => undefined as void;
    const answer = new Promise<void>((resolve) => (start = resolve)).then(() => this.#read([...accountIds]));
    const ended = () => {
      this.#underWay -= 1;
      this.#startNext();
    };
    answer.then(ended, ended);
    return { accountIds, answer, start };
  }

  #startNext(): void {
    const next = this.#next;
    if (next === null || this.#underWay >= readsAtOnce) return;
    this.#underWay += 1;
    this.#next = null;
    next.start();
  }

  async #read(accountIds: readonly Id[]): Promise<ReadonlyMap<Id, Account>> {
    const commits = await this.access.revisions(accountIds);
    const accounts = await Promise.all(
      commits.map(async ({ accountId, revision }) => {
        const known = this.#known.get(accountId);
        return known?.revision === revision ? known : this.access.account(accountId);
      }),
    );
    const found = new Map<Id, Account>();
    for (const account of accounts) {
      if (account === null) continue;
      found.set(account.id, account);
      this.#keep(account);
    }
    return found;
  }

  #keep(account: Account): void {
    const known = this.#known.get(account.id);
    // Of two reads under way at a time the older may end last.
    if (known !== undefined && known.revision > account.revision) return;
    if (known === undefined && this.#known.size >= keptAccounts) this.#known.clear();
    this.#known.set(account.id, account);
  }
}
