/**
 * What the operator does on the machine itself, without the API: make accounts, lift locks, replace lost passwords
 * (rules 1 and 24). On SQLite the server is the only process that writes, so these commands ask for it to be stopped
 * first.
 */
import { createAccount, resetLostPassword, textRules, unlockUser, type Iam, type OperatorReset } from '../iam/index.js';
import { createFirstAccount, openHouse } from '../house.js';
import { accountName, type Settings } from '../settings.js';
import { describeAccount } from './first-start.js';
import { StartRefused } from './refusal.js';

/** Makes database, secret key and first account without serving. */
export async function initialise(settings: Settings): Promise<string> {
  const house = await openHouse(settings);
  try {
    const created = await createFirstAccount(house, settings);
    if (created === null) return 'the database has accounts already; nothing was changed\n';
    return `${describeAccount(created)}start the server with \`bailiwick serve\`\n`;
  } finally {
    await house.close();
  }
}

export async function addAccount(
  settings: Settings,
  name: string,
  options: { readonly rootName: string; readonly workspaces?: boolean },
): Promise<string> {
  if (!accountName.pattern.test(name)) {
    throw new StartRefused(`the account name is not allowed; write ${accountName.allowed}`);
  }
  const { pattern, maximum, allowed } = textRules.userName;
  if (!pattern.test(options.rootName) || options.rootName.trim() === '' || [...options.rootName].length > maximum) {
    throw new StartRefused(`the name of the root user is not allowed; write up to ${maximum} ${allowed}`);
  }
  return withIam(settings, async (iam) => {
    if ((await iam.store.access.accountByName(name)) !== null) {
      throw new StartRefused(`an account \`${name}\` exists already; choose another name`);
    }
    const { rootName, workspaces: workspacesEnabled = true } = options;
    return describeAccount(await createAccount(iam, { name, rootName, rootPassword: null, workspacesEnabled }));
  });
}

export async function unlock(settings: Settings, account: string, user: string): Promise<string> {
  return withIam(settings, async (iam) => {
    if (await unlockUser(iam, account, user)) return `\`${user}\` of account \`${account}\` may try to sign in again\n`;
    throw new StartRefused(`there is no user \`${user}\` in account \`${account}\`; check both names`);
  });
}

export async function resetPassword(
  settings: Settings,
  account: string,
  user: string,
  options: OperatorReset,
): Promise<string> {
  return withIam(settings, async (iam) => {
    const password = await resetLostPassword(iam, account, user, options);
    if (password === null) {
      throw new StartRefused(`there is no user \`${user}\` in account \`${account}\`; check both names`);
    }
    return `\`${user}\` of account \`${account}\` has a new password\n\n  password: ${password}\n\nit is shown this once and stored nowhere; sign in and change it\n`;
  });
}

async function withIam(settings: Settings, work: (iam: Iam) => Promise<string>): Promise<string> {
  const house = await openHouse(settings);
  try {
    return await work(house.iam);
  } finally {
    await house.close();
  }
}
