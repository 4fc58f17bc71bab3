/**
 * `bailiwick audit`: heads and exports of the audit trail, read from the database beside whoever uses it. Who can run
 * these can read the database and the key anyway; over the API a head is `auditHead`.
 */
import {
  beginningOf,
  endLine,
  EndMisstored,
  eventLine,
  headerLine,
  placeOf,
  publicKeyText,
  type Link,
} from '../audit-chain/index.js';
import { auditHeadKey, signedHead, type Account, type Id } from '../iam/index.js';
import type { Settings } from '../settings.js';
import type { ChainEnd, Inspection } from '../store/index.js';
import { withDatabase } from './existing-database.js';
import { StartRefused } from './refusal.js';
import { readSecretKey } from './secret-key.js';

/** The account of this name; the only one there is when none is named. */
export async function accountNamed({ store }: Inspection, name: string | undefined): Promise<Account> {
  const accounts = await store.access.accounts();
  const names = accounts.map((account) => `\`${account.name}\``).join(', ');
  if (name === undefined) {
    const [only, ...others] = accounts;
    if (only === undefined) throw new StartRefused('the database has no account');
    if (others.length > 0) throw new StartRefused(`there are several accounts; give one of ${names} with --account`);
    return only;
  }
  const account = await store.access.accountByName(name);
  if (account === null) throw new StartRefused(`there is no account \`${name}\`; there are ${names}`);
  return account;
}

/** The signed head of an account as JSON. */
export async function printHead(settings: Settings, name: string | undefined, now = Date.now): Promise<string> {
  const key = await headKeyOf(settings);
  return withDatabase(settings, async (inspection) => {
    const { id } = await accountNamed(inspection, name);
    return `${JSON.stringify(signedHead(key, id, await endOf(inspection, id), now()), null, 2)}\n`;
  });
}

export async function printPublicKey(settings: Settings): Promise<string> {
  return publicKeyText((await headKeyOf(settings)).publicKey);
}

/**
 * Writes the trail of an account, up to where it ended when the export began. What is broken is written as it is: an
 * export proves nothing by itself.
 *
 * @param after position after which events are written; 0 for a whole trail
 */
export async function exportTrail(
  settings: Settings,
  { account: name, after }: { readonly account: string | undefined; readonly after: number },
  write: (line: string) => Promise<void>,
  now = Date.now,
): Promise<void> {
  const key = await headKeyOf(settings);
  await withDatabase(settings, async (inspection) => {
    const account = await accountNamed(inspection, name);
    const { trail } = inspection;
    const end = await endOf(inspection, account.id);
    if (end === null) throw new StartRefused('it is not said where the trail ends; see `bailiwick audit verify`');
    let begun = after === 0;
    if (begun) await write(headerLine(account.id, account.name, beginningOf(account.id)));
    for await (const event of trail.events(account.id)) {
      const { position, hash } = event;
      if (begun && typeof position === 'number' && position > end.position) break;
      if (begun) await write(eventLine(event));
      else if (position === after && typeof hash === 'string') {
        begun = true;
        await write(headerLine(account.id, account.name, { position: after, hash } satisfies Link));
      }
    }
    if (!begun) throw new StartRefused(`the trail has no event at position ${after}`);
    await write(endLine(signedHead(key, account.id, end, now())));
  });
}

/** A head of what is no place would prove something else than it says. */
async function endOf({ trail }: Inspection, accountId: Id): Promise<ChainEnd | null> {
  try {
    const end = await trail.end(accountId);
    return end === null ? null : { ...end, ...placeOf(end) };
  } catch (error) {
    if (!(error instanceof EndMisstored)) throw error;
    throw new StartRefused(`where the trail ends cannot be read: ${error.message}; see \`bailiwick audit verify\``);
  }
}

async function headKeyOf({ secretKeyFile }: Settings): Promise<ReturnType<typeof auditHeadKey>> {
  const masterKey = await readSecretKey(secretKeyFile);
  if (masterKey === null) {
    throw new StartRefused(
      `the secret key file \`${secretKeyFile}\` is missing; run this where the server runs, or set BAILIWICK_SECRET_KEY_FILE`,
    );
  }
  return auditHeadKey(masterKey);
}
