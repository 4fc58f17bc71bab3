/**
 * What the server and the commands stand on: the store, the business on it, and the first account. It loads nothing of the
 * API, which takes longer to load than most commands take to run.
 */
import { Progress } from './cli/progress.js';
import { StartRefused } from './cli/refusal.js';
import { createSecretKey, readSecretKey } from './cli/secret-key.js';
import {
  createAccount,
  createIam,
  updateSystemPolicies,
  type CreatedAccount,
  type Iam,
  type Observer,
} from './iam/index.js';
import type { Settings } from './settings.js';
import { openStore } from './store/index.js';

export interface House {
  readonly iam: Iam;
  /** The database had no account when it was opened. */
  readonly empty: boolean;
  readonly close: () => Promise<void>;
}

/** Opens the database and what stands on it, and brings the system policies up to date. */
export async function openHouse(settings: Settings, observer?: Observer): Promise<House> {
  const house = await openAsItIs(settings, observer);
  try {
    await updateSystemPolicies(house.iam);
    return house;
  } catch (error) {
    await house.close();
    throw error;
  }
}

/** Without bringing the system policies up to date: of a database that is in use, nothing is changed by opening it. */
export async function openAsItIs(settings: Settings, observer?: Observer): Promise<House> {
  const limits = {
    poolSize: settings.databasePool,
    connectionWait: settings.databaseWaitSeconds * 1000,
    longestStatement: settings.databaseStatementSeconds * 1000,
    longestLockWait: settings.databaseLockSeconds * 1000,
    longestIdle: settings.databaseIdleSeconds * 1000,
  };
  const progress = new Progress(process.stderr);
  const wait = (what: string | null) => progress.wait(what);
  const store = await openStore(settings.databaseUrl, { limits, wait })
    .catch((error: unknown) => {
      throw new StartRefused(error instanceof Error ? error.message : String(error));
    })
    .finally(() => progress.close());
  try {
    const empty = (await store.access.accounts()).length === 0;
    const { tokenKeyDays: days, tokenKeyEpoch: epoch } = settings;
    const masterKey = await masterKeyFor(settings, empty);
    const watched = observer === undefined ? {} : { observer };
    const { publicHosts: hosts, rememberedPrincipals: remembered } = settings;
    const iam = createIam({ store, masterKey, tokenKeys: { days, epoch }, hosts, remembered, ...watched });
    return { iam, empty, close: () => store.close() };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Makes the account that an empty database begins with; null when there is one. */
export async function createFirstAccount({ iam, empty }: House, settings: Settings): Promise<CreatedAccount | null> {
  if (!empty) return null;
  const { accountName: name, adminName: rootName, adminPassword: rootPassword } = settings;
  try {
    return await createAccount(iam, { name, rootName, rootPassword });
  } catch (error) {
    // Of processes that are started together one makes it, and says the password.
    if ((await iam.store.access.accounts()).length > 0) return null;
    throw error;
  }
}

/** A key is made only beside an empty database: another one has things sealed under the key that is missing. */
async function masterKeyFor({ secretKeyFile: path }: Settings, empty: boolean): Promise<Uint8Array> {
  const key = await readSecretKey(path);
  if (key !== null) return key;
  if (empty) return createSecretKey(path);
  throw new StartRefused(
    `the secret key file \`${path}\` is missing, but the database is in use; restore the file, or set BAILIWICK_SECRET_KEY_FILE`,
  );
}
