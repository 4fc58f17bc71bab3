/** Puts the business together: what the composition root makes once and the skins use. */
import { platformCatalogue, type Catalogue } from '../catalogue/index.js';
import { auditHeadKey } from './audit-heads.js';
import { Calls } from './calls.js';
import type { House } from './house.js';
import { silentObserver, type Observer } from './observer.js';
import { createPasswords } from './passwords.js';
import { createSealing } from './sealing.js';
import type { Store } from './ports.js';
import type { Instant } from './records.js';
import { SharedTallies } from './shared-tallies.js';
import type { TokenKeySettings } from './token-keys.js';
import { createTokens } from './tokens.js';
import { WorkspaceClearings } from './workspace-deletion.js';
import { Watches } from './watches.js';

export interface Iam extends House {
  readonly calls: Calls;
  /** Deletions of workspaces that go on in the background. */
  readonly clearings: WorkspaceClearings;
}

export interface IamParts {
  readonly store: Store;
  /** 32 bytes kept outside the database. */
  readonly masterKey: Uint8Array;
  readonly tokenKeys?: TokenKeySettings;
  /** Host names under which callers reach this server; absent or empty: not known. */
  readonly hosts?: readonly string[];
  /** Principals whose rights are kept in memory; of rows about them and of their tokens, twice as many. */
  readonly remembered?: number;
  readonly observer?: Observer;
  readonly now?: () => Instant;
  readonly catalogue?: Catalogue;
}

export function createIam({
  store,
  masterKey,
  tokenKeys,
  hosts = [],
  remembered = 20_000,
  observer = silentObserver,
  now = Date.now,
  catalogue = platformCatalogue,
}: IamParts): Iam {
  if (masterKey.length !== 32) throw new Error(`the master key has ${masterKey.length} bytes; it must have 32`);
  const house: House = {
    store,
    catalogue,
    observer,
    hosts,
    now,
    passwords: createPasswords(),
    sealing: createSealing(masterKey),
    headKey: auditHeadKey(masterKey),
    tokens: createTokens(masterKey, now, tokenKeys, 2 * remembered),
    watches: new Watches(store, now),
    tallies: new SharedTallies(store, now),
    reopen: (call) => calls.reopen(call),
  };
  const calls = new Calls(house, remembered);
  return { ...house, calls, clearings: new WorkspaceClearings(house) };
}
