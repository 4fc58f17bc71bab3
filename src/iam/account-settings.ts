/**
 * What an account decides about signing in and about passwords (docs/domain.md section d4): ranges, defaults, and the
 * one way to change them. Read at sign-in and wherever a password is set; no decision of the authorizer depends on it.
 */
import type { Call } from './call.js';
import { change, type OpenChange } from './change.js';
import { versionConflict } from './faults.js';
import type { House } from './house.js';
import { problem, refuse, reject, succeed, type Outcome, type UserProblem } from './outcome.js';
import type { AccessReader } from './ports.js';
import type { AccountSettings, Id, Instant } from './records.js';

export type AccountSettingName = Exclude<
  keyof AccountSettings,
  'id' | 'accountId' | 'version' | 'createdAt' | 'updatedAt'
>;

interface SettingRule {
  readonly minimum: number;
  readonly maximum: number;
  readonly standard: number;
  /** Where the value stands in the input of the API, and so in the path of a problem. */
  readonly path: readonly [group: 'signIn' | 'password', name: string];
}

const day = 24 * 60;

/** Section d4, with the ranges of the vendor that allows more where two differ; units stand in the names. */
export const accountSettingRules = {
  failuresBeforeLock: { minimum: 3, maximum: 10, standard: 5, path: ['signIn', 'failuresBeforeLock'] },
  countingWindowMinutes: { minimum: 15, maximum: 60, standard: 15, path: ['signIn', 'countingWindowMinutes'] },
  lockMinutes: { minimum: 15, maximum: day, standard: 15, path: ['signIn', 'lockMinutes'] },
  // A console's hour would be a quarter of a day's work; tokens live for a day (section d2).
  sessionMinutes: { minimum: 15, maximum: day, standard: day, path: ['signIn', 'sessionMinutes'] },
  idleDays: { minimum: 0, maximum: 240, standard: 0, path: ['signIn', 'idleDays'] },
  passwordKinds: { minimum: 2, maximum: 4, standard: 2, path: ['password', 'characterKinds'] },
  passwordLength: { minimum: 6, maximum: 32, standard: 8, path: ['password', 'minimumLength'] },
  passwordRepeats: { minimum: 0, maximum: 32, standard: 0, path: ['password', 'repeatedCharacters'] },
  rememberedPasswords: { minimum: 0, maximum: 10, standard: 1, path: ['password', 'remembered'] },
  passwordValidityDays: { minimum: 0, maximum: 180, standard: 0, path: ['password', 'validityDays'] },
  passwordMinimumAgeMinutes: { minimum: 0, maximum: day, standard: 0, path: ['password', 'minimumAgeMinutes'] },
} as const satisfies Record<AccountSettingName, SettingRule>;

const names = Object.keys(accountSettingRules) as readonly AccountSettingName[];

/** The settings that an account begins with. */
export function usualSettings(accountId: Id, at: Instant): AccountSettings {
  const values = Object.fromEntries(names.map((name) => [name, accountSettingRules[name].standard])) as Record<
    AccountSettingName,
    number
  >;
  return { id: accountId, accountId, ...values, version: 1, createdAt: at, updatedAt: at };
}

/** The settings of an account as they are now; an account from before there were any has the defaults. */
export async function settingsOf(access: AccessReader, accountId: Id): Promise<AccountSettings> {
  return (await access.accountSettings(accountId)) ?? usualSettings(accountId, 0);
}

/** What whoever may see the settings is shown. */
export async function accountSettings(house: House, call: Call): Promise<Outcome<AccountSettings>> {
  const decision = call.decide({ action: 'bailiwick:settings:get', resource: null });
  if (decision.effect !== 'ALLOW') return refuse(decision);
  return succeed(await settingsOf(house.store.access, call.accountId));
}

export interface UpdateAccountSettingsInput {
  /** Absent or null leaves a value as it is. */
  readonly values: { readonly [Name in AccountSettingName]?: number | null };
  readonly expectedVersion?: number | null;
}

/** Changes settings of the account, all or none. They bind the next sign-in and the next password, not open sessions. */
export async function updateAccountSettings(
  house: House,
  call: Call,
  input: UpdateAccountSettingsInput,
): Promise<Outcome<AccountSettings>> {
  const given = names.flatMap((name) => {
    const value = input.values[name];
    return value == null ? [] : [[name, value] as const];
  });
  return change(house, call, { operation: 'updateAccountSettings' }, async (open) => {
    const refused = open.ask('bailiwick:settings:update', null);
    if (refused !== null) return refused;
    const problems = given.flatMap(([name, value]) => checkRange(name, value) ?? []);
    if (problems.length > 0) return reject(...problems);
    const settings = await keptSettings(open);
    const stale = versionConflict(settings.version, input.expectedVersion);
    if (stale !== null) return reject(stale);
    if (given.length === 0) return succeed(settings);
    return succeed(await open.transaction.update('accountSettings', settings.id, Object.fromEntries(given)));
  });
}

/** The row of an account; made with the defaults first where there is none, so that its first change has both images. */
async function keptSettings({ transaction, call }: OpenChange): Promise<AccountSettings> {
  const kept = await transaction.get('accountSettings', call.accountId);
  if (kept !== null) return kept;
  const settings = usualSettings(call.accountId, call.now);
  await transaction.insert('accountSettings', settings);
  return settings;
}

function checkRange(name: AccountSettingName, value: number): UserProblem | null {
  const { minimum, maximum, path }: SettingRule = accountSettingRules[name];
  if (value < minimum) {
    return problem('INVALID', `\`${path[1]}\` is ${value}; give ${minimum} to ${maximum}`, path);
  }
  if (value <= maximum) return null;
  return problem('LIMIT_EXCEEDED', `\`${path[1]}\` is ${value}; give ${minimum} to ${maximum}`, path, {
    limit: maximum,
  });
}
