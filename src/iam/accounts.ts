/**
 * Accounts and what every one of them begins with (rules 1 and 2): its root user, the group `admin` with FullAccess in
 * scope ALL, workspace and enterprise project `"0"`, and its own copy of the system policies. Made by the operator only;
 * no field of the API reaches this file.
 */
import { randomBytes } from 'node:crypto';
import { builtInPolicies, fullAccessId, policyLevel, systemPolicies } from '../catalogue/index.js';
import { settingsOf, usualSettings } from './account-settings.js';
import { administratorsGroup } from './groups.js';
import { newId, type House } from './house.js';
import { noFailures } from './lockout.js';
import { newPasswordOf, writePassword } from './password-changes.js';
import { randomPassword } from './passwords.js';
import type { ChangeOrigin, Transaction } from './ports.js';
import {
  DEFAULT_ID,
  type Account,
  type AuthorizationMode,
  type Id,
  type Instant,
  type Policy,
  type PolicyVersion,
  type User,
} from './records.js';
import { documentOf } from './rights.js';
import { endSessions, endSessionsOfAll } from './sessions.js';

export interface NewAccount {
  readonly name: string;
  readonly rootName: string;
  /** Null: a random one is made and answered once. */
  readonly rootPassword: string | null;
  readonly authorizationMode?: AuthorizationMode;
  /** Whether workspaces beside the default one may be made; true unless given. */
  readonly workspacesEnabled?: boolean;
}

export interface CreatedAccount {
  readonly account: Account;
  readonly root: User;
  /** The random password when one was made, else null. */
  readonly password: string | null;
}

/** Makes an account with everything it begins with, in one transaction. Throws when the name is taken. */
export async function createAccount(house: House, input: NewAccount): Promise<CreatedAccount> {
  if ((await house.store.access.accountByName(input.name)) !== null) {
    throw new Error(`an account \`${input.name}\` exists already; choose another name`);
  }
  const password = input.rootPassword === null ? randomBytes(15).toString('base64url') : null;
  const hash = await house.passwords.hash(input.rootPassword ?? password ?? '');
  const at = house.now();
  const accountId = newId();
  const rootId = newId();
  const account: Account = {
    id: accountId,
    name: input.name,
    rootUserId: rootId,
    authorizationMode: input.authorizationMode ?? 'LOOSE',
    workspacesEnabled: input.workspacesEnabled ?? true,
    revision: 0,
    accessRevision: 0,
    createdAt: at,
  };
  const root: User = {
    id: rootId,
    accountId,
    name: input.rootName,
    description: 'The root user of the account',
    enabled: true,
    root: true,
    defaultModelArtsAccess: 'ENDED',
    version: 1,
    createdAt: at,
    updatedAt: at,
  };
  await house.store.transaction(operatorOrigin(accountId, 'createAccount', at), async (transaction) => {
    await transaction.insert('account', account);
    await transaction.insert('user', root);
    await transaction.insert('password', newPasswordOf(accountId, rootId, hash, at));
    await transaction.insert('accountSettings', usualSettings(accountId, at));
    await transaction.insert('strangerAttempts', { id: accountId, accountId, attempts: 0, lastAt: at });
    await transaction.insert('enterpriseProject', {
      id: DEFAULT_ID,
      accountId,
      name: 'default',
      description: 'The default enterprise project',
      enabled: true,
      version: 1,
      createdAt: at,
      updatedAt: at,
    });
    await transaction.insert('workspace', {
      id: DEFAULT_ID,
      accountId,
      name: 'default',
      description: 'The default workspace',
      enterpriseProjectId: DEFAULT_ID,
      visibility: 'PUBLIC',
      creatorId: rootId,
      status: 'NORMAL',
      statusDetail: '',
      version: 1,
      createdAt: at,
      updatedAt: at,
    });
    await refreshSystemPolicies(transaction, async () => false);
    const groupId = newId();
    await transaction.insert('group', {
      id: groupId,
      accountId,
      name: administratorsGroup,
      description: 'Administrators: may do and grant everything, but obey a Deny',
      builtIn: true,
      version: 1,
      createdAt: at,
      updatedAt: at,
    });
    await transaction.insert('grant', {
      id: newId(),
      accountId,
      policyId: fullAccessId,
      subjectKind: 'GROUP',
      subjectId: groupId,
      scopeKind: 'ALL',
      scopeId: '',
      expiresAt: null,
      createdAt: at,
      createdBy: rootId,
    });
    return { commit: true, value: undefined };
  });
  return { account, root, password };
}

/** Brings every account's copy of the system policies up to this program's; to be called at each start. */
export async function updateSystemPolicies(house: House): Promise<number> {
  let changed = 0;
  for (const account of await house.store.access.accounts()) {
    const origin = operatorOrigin(account.id, 'updateSystemPolicies', house.now());
    await house.store.transaction(origin, async (transaction) => {
      changed += await refreshSystemPolicies(transaction, isTaken);
      return { commit: true, value: undefined };
    });
  }
  return changed;
}

/**
 * A policy whose document changed gets a new version; grants follow the version in use.
 *
 * @param isTaken whether the account has another policy of this name
 */
async function refreshSystemPolicies(
  transaction: Transaction,
  isTaken: (transaction: Transaction, name: string, id: Id) => Promise<boolean>,
): Promise<number> {
  const { accountId, at, actorId } = transaction.origin;
  // Built-in ones are stored to be read like any other (rule 4); what they give does not come from these rows.
  const shipped = [...systemPolicies, ...builtInPolicies];
  // Read at once: this is done at each start, for each account.
  const known = await transaction.getAll(
    'policy',
    shipped.map(({ id }) => id),
  );
  const inUse = [...known.values()].map(({ id, defaultVersion }) => versionId(id, defaultVersion));
  const texts = await transaction.getAll('policyVersion', inUse);
  const added: { readonly policies: Policy[]; readonly versions: PolicyVersion[] } = { policies: [], versions: [] };
  let changed = 0;
  for (const { id, displayName, description, document } of shipped) {
    const text = JSON.stringify(document);
    const kept = known.get(id);
    if (kept !== undefined && texts.get(versionId(id, kept.defaultVersion))?.text === text) continue;
    const parsed = documentOf(text);
    if (parsed === null) throw new Error(`the system policy ${id} cannot be read`);
    changed += 1;
    const number = (kept?.latestVersion ?? 0) + 1;
    const level = policyLevel(parsed);
    const name = (await isTaken(transaction, displayName, id)) ? `${displayName} (system)` : displayName;
    const version: PolicyVersion = {
      id: versionId(id, number),
      accountId,
      policyId: id,
      number,
      text,
      createdAt: at,
      createdBy: actorId,
    };
    const shown = { name, description, level, defaultVersion: number, latestVersion: number };
    if (kept === undefined) {
      added.policies.push({ id, accountId, ...shown, origin: 'SYSTEM', version: 1, createdAt: at, updatedAt: at });
      added.versions.push(version);
    } else {
      await transaction.insert('policyVersion', version);
      await transaction.update('policy', id, shown);
    }
  }
  await transaction.insertAll('policy', added.policies);
  await transaction.insertAll('policyVersion', added.versions);
  return changed;
}

function versionId(policyId: Id, number: number): Id {
  return `${policyId}.${number}`;
}

/** An account may have a policy of its own under the name of one that ships later. */
async function isTaken(transaction: Transaction, name: string, id: Id): Promise<boolean> {
  const other = await transaction.idOfName('policy', name);
  return other !== null && other !== id;
}

/** Lifts the lock of a user, on the machine itself (rule 24). Answers false when there is no such user. */
export async function unlockUser(house: House, accountName: string, userName: string): Promise<boolean> {
  const account = await house.store.access.accountByName(accountName);
  const user = account === null ? null : await house.store.access.userByName(account.id, userName);
  if (account === null || user === null) return false;
  await house.store.transaction(operatorOrigin(account.id, 'unlockUser', house.now()), async (transaction) => {
    if ((await transaction.get('password', user.id)) !== null) {
      await transaction.update('password', user.id, noFailures);
    }
    return { commit: true, value: undefined };
  });
  return true;
}

export interface OperatorReset {
  /** Also takes the second factor away, which may be lost together with the password. */
  readonly removeSecondFactor: boolean;
}

/**
 * Gives a user a random password on the machine itself: a lost root password must not lose an installation. Ends the
 * user's sessions and lifts a lock. Answers the password, null when there is no such user.
 */
export async function resetLostPassword(
  house: House,
  accountName: string,
  userName: string,
  { removeSecondFactor }: OperatorReset,
): Promise<string | null> {
  const { access } = house.store;
  const account = await access.accountByName(accountName);
  const user = account === null ? null : await access.userByName(account.id, userName);
  if (account === null || user === null) return null;
  const settings = await settingsOf(access, account.id);
  const password = randomPassword(user.name, settings);
  const hash = await house.passwords.hash(password);
  const origin = operatorOrigin(account.id, 'resetPassword', house.now());
  await house.store.transaction(origin, async (transaction) => {
    await writePassword(transaction, user.id, hash, settings.rememberedPasswords);
    await transaction.update('password', user.id, noFailures);
    if (removeSecondFactor && (await transaction.get('secondFactor', user.id)) !== null) {
      await transaction.remove('secondFactor', user.id);
    }
    await endSessions(transaction, user.id);
    return { commit: true, value: undefined };
  });
  return password;
}

/**
 * Ends the sessions of everybody in an account that is being restored, and with them what was obtained by them: those that had been
 * ended after the backup are open in it. Answers how many.
 */
export async function endRestoredSessions(
  transact: House['store']['transaction'],
  accountId: Id,
  now: Instant,
): Promise<number> {
  const { value } = await transact(operatorOrigin(accountId, 'restore', now), async (transaction) => ({
    commit: true,
    value: await endSessionsOfAll(transaction),
  }));
  return value;
}

function operatorOrigin(accountId: Id, operation: string, at: Instant): ChangeOrigin {
  return {
    accountId,
    workspaceId: null,
    operation,
    actorKind: 'OPERATOR',
    actorId: '',
    actorName: 'operator',
    requestId: newId(),
    at,
  };
}
