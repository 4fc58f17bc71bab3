/**
 * What an operator should know of the accounts of an installation: settings and rights that are allowed, and that an
 * attacker would look for first. Reads alone; it must never say a secret.
 */
import { accountSettingRules, settingsOf, type AccountSettingName } from './account-settings.js';
import { administratorsGroup } from './groups.js';
import type { Filters, ListedKind, Orders, Page, Position, Reader, Store } from './ports.js';
import type { AccessKey, Account, Grant, Id, Instant, Records, User } from './records.js';
import { documentOf } from './rights.js';

export type AccountFindingCode =
  | 'ADMINISTRATOR_WITHOUT_SECOND_FACTOR'
  | 'ROOT_ACCESS_KEY'
  | 'LOOSE_MODE'
  | 'LOCKOUT_DISABLED'
  | 'ACCESS_KEY_UNUSED'
  | 'AGENCY_WITHOUT_EXTERNAL_ID'
  | 'FULL_ACCESS_OUTSIDE_ADMIN';

export interface AccountFinding {
  readonly code: AccountFindingCode;
  /** Name of the account. */
  readonly account: string;
  /** What it is about, by name or id; empty when it is the account itself. */
  readonly subjects: readonly string[];
}

/** Days without use after which an access key counts as forgotten. */
export const forgottenDays = 90;

const day = 24 * 60 * 60 * 1000;

interface Review {
  readonly store: Pick<Store, 'access' | 'reader'>;
  readonly account: Account;
  /** In account scope. */
  readonly reader: Reader;
  readonly now: Instant;
}

/** Everything worth saying of every account; in the order of their names. */
export async function reviewAccounts(
  store: Pick<Store, 'access' | 'reader'>,
  now: Instant,
): Promise<readonly AccountFinding[]> {
  const findings: AccountFinding[] = [];
  for (const account of await store.access.accounts()) {
    const review = { store, account, reader: store.reader({ accountId: account.id, workspaceId: null }), now };
    for (const [code, look] of Object.entries(looks)) {
      const subjects = await look(review);
      if (subjects === null || (subjects.length === 0 && !ofAccount.has(code))) continue;
      findings.push({ code: code as AccountFindingCode, account: account.name, subjects });
    }
  }
  return findings;
}

/** Those that are about the account itself, and so name nothing in it. */
const ofAccount: ReadonlySet<string> = new Set<AccountFindingCode>(['LOOSE_MODE', 'LOCKOUT_DISABLED']);

/** What each finding is about; null when there is nothing to say. */
const looks: { readonly [Code in AccountFindingCode]: (review: Review) => Promise<readonly string[] | null> } = {
  ADMINISTRATOR_WITHOUT_SECOND_FACTOR: async ({ reader, account, store }) => {
    const administrators = await administratorsOf(reader, account, store);
    const factors = await reader.find('secondFactor', [...administrators.keys()]);
    return [...administrators.values()]
      .filter(({ id, enabled }) => enabled && (factors.get(id)?.confirmedAt ?? null) === null)
      .map(({ name }) => name)
      .sort();
  },
  ROOT_ACCESS_KEY: async ({ reader, account }) => {
    const keys = await every(reader, 'accessKey', { ownerKind: 'USER', ownerId: account.rootUserId }, 'CREATED_AT');
    return keys.filter(({ enabled }) => enabled).map(({ id }) => id);
  },
  LOOSE_MODE: async ({ account }) => (account.authorizationMode === 'LOOSE' ? [] : null),
  LOCKOUT_DISABLED: async ({ store, account }) => {
    // The API keeps these within their ranges, so others were written into the database by hand.
    const settings = await settingsOf(store.access, account.id);
    const outside = (['failuresBeforeLock', 'lockMinutes'] satisfies AccountSettingName[]).some((name) => {
      const { minimum, maximum } = accountSettingRules[name];
      return settings[name] < minimum || settings[name] > maximum;
    });
    return outside ? [] : null;
  },
  ACCESS_KEY_UNUSED: async ({ reader, now }) =>
    (await every(reader, 'accessKey', {}, 'CREATED_AT')).filter((key) => isForgotten(key, now)).map(({ id }) => id),
  AGENCY_WITHOUT_EXTERNAL_ID: async ({ reader, now }) =>
    (await every(reader, 'agency', {}, 'NAME'))
      .filter(({ trustKind, externalId, expiresAt }) => {
        return trustKind === 'ACCOUNT' && externalId === null && (expiresAt === null || expiresAt > now);
      })
      .map(({ name }) => name),
  FULL_ACCESS_OUTSIDE_ADMIN: fullAccessOutsideAdmin,
};

async function administratorsOf(
  reader: Reader,
  account: Account,
  { access }: Review['store'],
): Promise<ReadonlyMap<Id, User>> {
  const groups = await builtInGroups(reader);
  const members = await Promise.all(groups.map((groupId) => access.userIdsOfGroup(account.id, groupId)));
  return reader.find('user', [...new Set([account.rootUserId, ...members.flat()])]);
}

async function builtInGroups(reader: Reader): Promise<readonly Id[]> {
  const named = await every(reader, 'group', { name: administratorsGroup }, 'NAME');
  return named.filter(({ builtIn }) => builtIn).map(({ id }) => id);
}

function isForgotten({ enabled, lastUsedAt, createdAt }: AccessKey, now: Instant): boolean {
  return enabled && (lastUsedAt ?? createdAt) < now - forgottenDays * day;
}

/** Grants that are in force and give everything, to whom and where. */
async function fullAccessOutsideAdmin({ reader, now }: Review): Promise<readonly string[]> {
  const administrators = await builtInGroups(reader);
  const grants = (await every(reader, 'grant', {}, 'CREATED_AT')).filter(
    ({ expiresAt, subjectId }) => (expiresAt === null || expiresAt > now) && !administrators.includes(subjectId),
  );
  const policies = await reader.find('policy', [...new Set(grants.map(({ policyId }) => policyId))]);
  const inUse = [...policies.values()].map(({ id, defaultVersion }) => `${id}.${defaultVersion}`);
  const versions = await reader.find('policyVersion', inUse);
  const full = new Set(
    [...versions.values()].filter(({ text }) => givesEverything(text)).map(({ policyId }) => policyId),
  );
  const found = grants.filter(({ policyId }) => full.has(policyId));
  const names = await subjectNames(reader, found);
  return found.map(({ subjectKind, subjectId, policyId, scopeKind }) => {
    const subject = `${subjectKind.toLowerCase()} ${names.get(subjectId) ?? subjectId}`;
    return `${subject} by ${policies.get(policyId)?.name ?? policyId} in ${scopeKind}`;
  });
}

/**
 * An Allow for every action on everything without a condition; other statements beside it can only take away. One that
 * names what it leaves out counts too: whatever is thought of later is given by it.
 */
function givesEverything(text: string): boolean {
  const everything = (pattern: string): boolean => /^\*(:\*)*$/.test(pattern);
  return (documentOf(text)?.statements ?? []).some((statement) => {
    const { effect, actions, notActions, resources, notResources, conditions } = statement;
    const everywhere = notResources !== null || resources === null || resources.some(everything);
    return (
      effect === 'ALLOW' && conditions.length === 0 && everywhere && (notActions !== null || actions.some(everything))
    );
  });
}

async function subjectNames(reader: Reader, grants: readonly Grant[]): Promise<ReadonlyMap<Id, string>> {
  const names = new Map<Id, string>();
  for (const [subjectKind, kind] of [
    ['USER', 'user'],
    ['GROUP', 'group'],
    ['AGENCY', 'agency'],
    ['SERVICE', 'service'],
  ] as const) {
    const ids = grants.filter((grant) => grant.subjectKind === subjectKind).map(({ subjectId }) => subjectId);
    for (const [id, { name }] of await reader.find(kind, [...new Set(ids)])) names.set(id, name);
  }
  return names;
}

/** All rows of a list, page by page. */
async function every<K extends ListedKind>(
  reader: Reader,
  kind: K,
  filter: Filters[K],
  by: Orders[K],
): Promise<readonly Records[K][]> {
  const rows: Records[K][] = [];
  for (let after: Position | null = null; ;) {
    const order = { by, direction: 'ASC' } as const;
    const page: Page<Records[K]> = await reader.page(kind, filter, {
      order,
      limit: 500,
      backward: false,
      after,
      before: null,
    });
    rows.push(...page.rows.map(({ record }) => record));
    const last = page.rows.at(-1);
    if (!page.hasNext || last === undefined) return rows;
    after = last.position;
  }
}
