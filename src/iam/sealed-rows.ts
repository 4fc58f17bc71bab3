/**
 * Whether a secret key is the one under which the secrets of a database are sealed, for whoever moves a database to
 * another place. Answers that and nothing else: neither the key nor what it opens comes out.
 */
import { sealedName } from './reauthentication.js';
import type { Kind } from './records.js';
import { createSealing } from './sealing.js';

export interface SealedRows {
  /** The same for the same key, and of no use to whoever wants to know the key. */
  readonly keyCheck: string;
  /** Null for a row in which nothing is sealed. */
  opens(kind: Kind, row: Readonly<Record<string, unknown>>): boolean | null;
}

export function sealedRows(masterKey: Uint8Array): SealedRows {
  const sealing = createSealing(masterKey);
  return {
    keyCheck: sealing.digest('secret key', 'backup'),
    opens: (kind, { accountId, id, sealedSecret }) => {
      if (kind !== 'accessKey' && kind !== 'secondFactor') return null;
      const name = kind === 'accessKey' ? String(id) : sealedName({ accountId: String(accountId), id: String(id) });
      return sealing.open(String(sealedSecret), name) !== null;
    },
  };
}
