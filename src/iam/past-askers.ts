/** Whom a question about the past is about, and what was known of them then: the rows were others, the rules are these. */
import type { Asking } from './access.js';
import { type Asker, namedPrincipal, type PrincipalChoice } from './askers.js';
import type { DecisionReason, Rights, ScopeFacts } from './authorizer.js';
import { BadInput } from './outcome.js';
import type { PastAccount } from './past-account.js';
import type { Account, Id, Instant } from './records.js';
import { composeRights } from './rights.js';
import { scopeFacts } from './scope-facts.js';

export class PastAskers implements Asking {
  readonly #past: PastAccount;
  readonly #account: Account;
  readonly #at: Instant;
  readonly #home: Id | null;
  readonly #rights: Map<string, Rights>;

  /**
   * @param home the workspace that the questions are asked in; null for account scope
   * @param rights what was found of principals already, to be shared by those who ask of the same moment
   */
  constructor(past: PastAccount, account: Account, at: Instant, home: Id | null, rights: Map<string, Rights>) {
    this.#past = past;
    this.#account = account;
    this.#at = at;
    this.#home = home;
    this.#rights = rights;
  }

  async find(choice: PrincipalChoice | null): Promise<Asker | { readonly reason: DecisionReason }> {
    if (choice === null || !('id' in choice))
      throw new BadInput('no credential is kept; name a user, agency or service');
    const named = namedPrincipal(choice.kind, await this.#past[choice.kind](choice.id), this.#at);
    if ('reason' in named) return named;
    const { principal, user } = named;
    const key = `${principal.kind} ${principal.id}`;
    const known = this.#rights.get(key);
    if (known !== undefined) return { rights: known, user, home: this.#home };
    const kind = principal.kind === 'AGENCY' || principal.kind === 'SERVICE' ? principal.kind : 'USER';
    const attachments = await this.#past.attachments(this.#account.id, kind, [principal.id]);
    const rights = composeRights(this.#account, principal, user, attachments.get(principal.id) ?? []);
    this.#rights.set(key, rights);
    return { rights, user, home: this.#home };
  }

  async facts({ rights, user }: Asker, workspaceId: Id | null): Promise<ScopeFacts> {
    const account = this.#account;
    const workspace = workspaceId === null ? null : await this.#past.workspace(account.id, workspaceId);
    const scope = { accountId: account.id, workspaceId };
    return scopeFacts(this.#past, this.#at, { account, scope, workspace, user, rights });
  }
}
