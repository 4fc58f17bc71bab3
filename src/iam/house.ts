/**
 * What every use-case stands on, gathered once by the composition root: ports, clock, and the catalogue. No global
 * state anywhere else in this folder, so that two houses can live in one process (as the tests do).
 */
import { randomBytes } from 'node:crypto';
import type { HeadKey } from '../audit-chain/index.js';
import type { Catalogue } from '../catalogue/index.js';
import type { Call } from './call.js';
import type { Observer } from './observer.js';
import type { Passwords } from './passwords.js';
import type { Store } from './ports.js';
import type { Id, Instant } from './records.js';
import type { Sealing } from './sealing.js';
import type { SharedTallies } from './shared-tallies.js';
import type { Tokens } from './tokens.js';
import type { Watches } from './watches.js';

export interface House {
  readonly store: Store;
  readonly catalogue: Catalogue;
  readonly tokens: Tokens;
  readonly passwords: Passwords;
  readonly sealing: Sealing;
  /** Signs heads of the audit trail. */
  readonly headKey: HeadKey;
  readonly observer: Observer;
  /** Host names under which callers reach this server; empty: not known. */
  readonly hosts: readonly string[];
  readonly now: () => Instant;
  readonly watches: Watches;
  readonly tallies: SharedTallies;
  /** The same caller with the rights of this moment; what a change is asked with when they moved while it waited. */
  readonly reopen: (call: Call) => Promise<Call>;
}

/** 32 hexadecimal digits without hyphens, the form of ids in docs/domain.md section g1. */
export function newId(): Id {
  return randomBytes(16).toString('hex');
}
