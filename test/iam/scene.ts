/**
 * Scenes for tests of the business: a real store, an account, people, groups and grants, each made in one line through
 * the use-cases themselves as the root user. `must` shows the whole outcome when one fails that should not.
 */
import { randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import {
  addGroupMembers,
  anonymous,
  Call,
  confirmSecondFactor,
  createAccount,
  createGroup,
  createIam,
  createPolicy,
  createSecondFactor,
  createUser,
  createWorkspace,
  grantPolicy,
  setAuthorizationMode,
  signIn,
  type Account,
  type ChangeOrigin,
  type CreateWorkspaceInput,
  type Grant,
  type GrantPolicyInput,
  type Group,
  type Iam,
  type Id,
  type Issued,
  type Outcome,
  type Policy,
  type SignInInput,
  type User,
  type Workspace,
} from '../../src/iam/index.js';
import { openStore } from '../../src/store/index.js';

export interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: readonly string[];
  readonly Resource?: readonly string[];
  readonly Condition?: unknown;
}

export function must<T>(outcome: Outcome<T>): T {
  if (outcome.kind !== 'succeeded') throw new Error(`expected success, got ${JSON.stringify(outcome, null, 2)}`);
  return outcome.value;
}

let names = 0;

export class Scene {
  /** The clock of the scene; tests move it. */
  readonly clock: { at: number };
  readonly iam: Iam;
  readonly account: Account;
  readonly rootUser: User;

  readonly #masterKey: Uint8Array;
  /** The session that root's calls share while the clock stands. */
  #rootSession: { readonly at: number; readonly id: Promise<Id> } | null = null;

  private constructor(iam: Iam, account: Account, rootUser: User, clock: { at: number }, masterKey: Uint8Array) {
    this.#masterKey = masterKey;
    this.iam = iam;
    this.account = account;
    this.rootUser = rootUser;
    this.clock = clock;
  }

  /** @param log is given the text of each SQL statement */
  static async open(url: string, log?: (text: string) => void): Promise<Scene> {
    const clock = { at: Date.now() };
    const now = () => clock.at;
    const store = await openStore(url, log === undefined ? { now } : { now, log });
    const masterKey = randomBytes(32);
    const iam = createIam({ store, masterKey, now });
    const { account, root } = await createAccount(iam, {
      name: `account-${(names += 1)}`,
      rootName: 'root',
      rootPassword: 'Root-password-1',
    });
    return new Scene(iam, account, root, clock, masterKey);
  }

  /** The same scene as another process on its database sees it, with connections and a memory of its own. */
  async beside(url: string): Promise<Scene> {
    const now = () => this.clock.at;
    const iam = createIam({ store: await openStore(url, { now }), masterKey: this.#masterKey, now });
    return new Scene(iam, this.account, this.rootUser, this.clock, this.#masterKey);
  }

  async close(): Promise<void> {
    await this.iam.clearings.stop();
    await this.iam.store.close();
  }

  /** A call as this user: in a workspace, or in account scope (null). A session of its own unless one is given. */
  async call(user: Pick<User, 'id'>, workspaceId: Id | null = null, sessionId?: Id): Promise<Call> {
    const accountId = this.account.id;
    const session = sessionId ?? (await this.session(user));
    return this.iam.calls.openSession(
      { requestId: `request-${(names += 1)}`, environment: { now: this.clock.at, sourceAddress: '127.0.0.1' } },
      accountId,
      user.id,
      session,
      { accountId, workspaceId },
    );
  }

  async root(workspaceId: Id | null = null): Promise<Call> {
    const { at } = this.clock;
    // Most of what a scene asks is root's, and a session of its own for each would cost as much again.
    if (this.#rootSession?.at === at) {
      const call = await this.call(this.rootUser, workspaceId, await this.#rootSession.id);
      // Unless the test has ended it.
      if (call.broken === null) return call;
    }
    this.#rootSession = { at, id: this.session(this.rootUser) };
    return this.call(this.rootUser, workspaceId, await this.#rootSession.id);
  }

  /** Of a change that a test makes past the use-cases. */
  origin(operation: string, actorId: Id = ''): ChangeOrigin {
    return {
      accountId: this.account.id,
      workspaceId: null,
      operation,
      actorKind: 'USER',
      actorId,
      actorName: '',
      requestId: `request-${(names += 1)}`,
      at: this.clock.at,
    };
  }

  async session(user: Pick<User, 'id'>): Promise<Id> {
    const id = randomBytes(16).toString('hex');
    await this.iam.store.transaction(this.origin('signIn', user.id), async (transaction) => {
      await transaction.insert('session', {
        id,
        accountId: this.account.id,
        userId: user.id,
        startedAt: this.clock.at,
        expiresAt: this.clock.at + 86_400_000,
        endedAt: null,
        mfaAt: null,
        sourceAddress: '127.0.0.1',
        scopesLeft: [],
      });
      return { commit: true, value: undefined };
    });
    return id;
  }

  async strict(): Promise<this> {
    must(await setAuthorizationMode(this.iam, await this.root(), { mode: 'STRICT' }));
    return this;
  }

  async user(name = `user ${(names += 1)}`.replace(' ', '-'), password: string | null = null): Promise<User> {
    return must(await createUser(this.iam, await this.root(), { name, password }));
  }

  /** Gives a user who has none a first password, past the use-case that would end the user's sessions. */
  async password({ id }: Pick<User, 'id'>, password: string): Promise<void> {
    const hash = await this.iam.passwords.hash(password);
    const at = this.clock.at;
    await this.iam.store.transaction(this.origin('test'), async (transaction) => {
      await transaction.insert('password', {
        id,
        accountId: this.account.id,
        hash,
        history: [],
        changedAt: at,
        activeAt: at,
        failures: 0,
        firstFailureAt: null,
        lockedUntil: null,
      });
      return { commit: true, value: undefined };
    });
  }

  /** What signing in as this user answers, from nowhere in particular and into workspace `"0"` unless said. */
  signIn(user: Pick<User, 'name'>, password: string, more: Partial<SignInInput> = {}): Promise<Outcome<Issued>> {
    const input = { account: this.account.name, userName: user.name, password, scope: null, ...more };
    return signIn(this.iam, this.iam.calls, this.nobody(), input);
  }

  /** The call of a request without a credential. */
  nobody(): Call {
    return new Call({
      requestId: `request-${(names += 1)}`,
      environment: { now: this.clock.at, sourceAddress: '192.0.2.9' },
      catalogue: this.iam.catalogue,
      rights: { principal: anonymous, sources: [], unreadable: [] },
      facts: { account: { id: '', name: '' }, workspace: null, open: true },
      scope: { accountId: '', workspaceId: null },
      reader: this.iam.store.reader({ accountId: '', workspaceId: null }),
      account: null,
      workspace: null,
      user: null,
      session: null,
      administrator: false,
      broken: null,
    });
  }

  /** The call of whoever bears this token. */
  bearer(token: string): Promise<Call> {
    const environment = { now: this.clock.at, sourceAddress: '127.0.0.1' };
    return this.iam.calls.open({ requestId: 'bearer', environment, credential: { kind: 'token', token } });
  }

  /** Gives a user a confirmed second factor; answers its secret. The code that confirmed it is spent. */
  async secondFactor(user: Pick<User, 'id'>): Promise<string> {
    const { secret } = must(await createSecondFactor(this.iam, await this.call(user), {}));
    if (secret === null) throw new Error('no secret was shown');
    must(await confirmSecondFactor(this.iam, await this.call(user), { code: this.code(secret) }));
    return secret;
  }

  /** The code that a device with this secret shows now. */
  code(secret: string): string {
    return TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: this.clock.at });
  }

  async group(...members: readonly User[]): Promise<Group> {
    const group = must(await createGroup(this.iam, await this.root(), { name: `group-${(names += 1)}` }));
    if (members.length > 0) await this.join(group, ...members);
    return group;
  }

  async join(group: Pick<Group, 'id'>, ...members: readonly User[]): Promise<void> {
    const userIds = members.map(({ id }) => id);
    must(await addGroupMembers(this.iam, await this.root(), { groupId: group.id, userIds }));
  }

  async policy(...statements: readonly Statement[]): Promise<Policy> {
    const document = { Version: '1.1', Statement: statements };
    return must(await createPolicy(this.iam, await this.root(), { name: `policy-${(names += 1)}`, document }));
  }

  async grant(
    subject: GrantPolicyInput['subject'],
    policy: Pick<Policy, 'id'>,
    scope: GrantPolicyInput['scope'] = { kind: 'ALL', id: '' },
    expiresAt: number | null = null,
  ): Promise<Grant> {
    const input = { policyId: policy.id, subject, scope, expiresAt };
    return must(await grantPolicy(this.iam, await this.root(), input)).grant;
  }

  /** Grants these actions to a user in ALL, one policy for each level. */
  async allow(user: Pick<User, 'id'>, ...actions: readonly string[]): Promise<Grant> {
    const policy = await this.policy({ Effect: 'Allow', Action: actions });
    return this.grant({ kind: 'USER', id: user.id }, policy);
  }

  async workspace(input: Partial<CreateWorkspaceInput> = {}, by?: User): Promise<Workspace> {
    const call = by === undefined ? await this.root() : await this.call(by);
    return must(await createWorkspace(this.iam, call, { name: `workspace-${(names += 1)}`, ...input }));
  }
}
