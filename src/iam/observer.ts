/** What the business tells whoever watches it: counts of what happened, never of whom. */
import type { DecisionReason } from './authorizer.js';
import type { UserErrorCode } from './outcome.js';

/** Called on the way, so it must be quick and must not throw. */
export interface Observer {
  decided(reason: DecisionReason): void;
  /** How an attempt to sign in came out. */
  signedIn(outcome: 'SUCCEEDED' | 'REFUSED' | UserErrorCode): void;
  /** A user was locked out by wrong passwords or codes, or a key at one address by bad signatures. */
  locked(what: 'USER' | 'ACCESS_KEY'): void;
}

export const silentObserver: Observer = {
  decided: () => undefined,
  signedIn: () => undefined,
  locked: () => undefined,
};
