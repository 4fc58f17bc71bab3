/**
 * Password hashing (Argon2id, RFC 9106), the rules that a new password must keep (docs/domain.md section d4), and random
 * passwords that keep them. It must never know whose password it is.
 */
import { randomInt } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { Overloaded } from './outcome.js';
import type { AccountSettings, Id } from './records.js';

/** RFC 9106's second recommendation scaled to OWASP's floor: 19 MiB, two passes, one lane. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** The minimum is that of an installation's first password; an account sets its own (src/iam/account-settings.ts). */
export const passwordLimits = { minimumLength: 8, maximumLength: 128 } as const;

/** What an account asks of new passwords. */
export type PasswordPolicy = Pick<AccountSettings, 'passwordKinds' | 'passwordLength' | 'passwordRepeats'>;

/** `asker`: id of who is signed in and asks, so that nobody fills the line alone; absent for those who sign in. */
export interface Passwords {
  hash(password: string, asker?: Id): Promise<string>;
  /** With no stored hash the same work is done and the answer is false: an unknown user takes as long as a known one. */
  verify(stored: string | null, password: string, asker?: Id): Promise<boolean>;
}

/**
 * Hashes at most two at a time: hashing and SQLite share Node's four worker threads (rule 31), and a burst of sign-ins
 * must not keep the database waiting. At most `inLine` wait for their turn: whoever came later would have gone away by
 * then, and the line would only grow; and at most `ofOne` for one asker. Throws `Overloaded` for them.
 */
export function createPasswords(atOnce = 2, inLine = 100, ofOne = 20): Passwords {
  let running = 0;
  const waiting: (() => void)[] = [];
  /** How many wait for each asker; nobody is remembered for whom none does. */
  const askers = new Map<Id, number>();
  const count = (asker: Id | undefined, change: 1 | -1): void => {
    if (asker === undefined) return;
    const left = (askers.get(asker) ?? 0) + change;
    if (left === 0) askers.delete(asker);
    else askers.set(asker, left);
  };
  const inTurn = async <T>(asker: Id | undefined, work: () => Promise<T>): Promise<T> => {
    const own = asker === undefined ? 0 : (askers.get(asker) ?? 0);
    if (running >= atOnce && (waiting.length >= inLine || own >= ofOne)) {
      throw new Overloaded('too many passwords are being checked just now; try again in a few seconds');
    }
    if (running >= atOnce) {
      count(asker, 1);
      await new Promise<void>((resolve) => waiting.push(resolve));
      count(asker, -1);
    } else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
  const stranger = hash('nobody has this password', parameters);
  // An unhandled rejection here would end the process; verify() meets it where it is awaited.
  stranger.catch(() => undefined);
  return {
    hash: (password, asker) => inTurn(asker, () => hash(password, parameters)),
    verify: (stored, password, asker) =>
      inTurn(asker, async () => {
        // Nobody's password is longer than a new one may be; what is sent instead is not worth hashing whole.
        const tooLong = password.length > 2 * passwordLimits.maximumLength;
        const matches = await verify(stored ?? (await stranger), tooLong ? '' : password);
        return stored !== null && matches && !tooLong;
      }),
  };
}

const kinds = [/\p{Lu}/u, /\p{Ll}/u, /\p{N}/u, /[^\p{L}\p{N}]/u];

/** What is wrong with a new password, null when nothing is. Never repeats the password. */
export function weakness(password: string, userName: string, policy: PasswordPolicy): string | null {
  const { maximumLength } = passwordLimits;
  const { passwordKinds, passwordLength, passwordRepeats } = policy;
  const characters = [...password];
  const { length } = characters;
  if (length < passwordLength) return `the password has ${length} characters; give it at least ${passwordLength}`;
  if (length > maximumLength) return `the password has ${length} characters; at most ${maximumLength} are allowed`;
  const used = kinds.filter((kind) => kind.test(password)).length;
  if (used < passwordKinds) {
    const shown = used === 1 ? 'one kind of character' : `${used} kinds of characters`;
    return `the password uses ${shown}; mix at least ${passwordKinds} of upper case, lower case, digits and others`;
  }
  if (passwordRepeats > 0 && longestRun(characters) > passwordRepeats) {
    const times = passwordRepeats === 1 ? 'once' : `${passwordRepeats} times`;
    return `the password has one character more than ${times} in a row; break the row`;
  }
  const folded = password.toLowerCase();
  const name = userName.toLowerCase();
  if (folded === name || folded === [...name].reverse().join('')) {
    return 'the password is the user name or its reverse; choose another';
  }
  return null;
}

function longestRun(characters: readonly string[]): number {
  let longest = 0;
  let run = 0;
  characters.forEach((character, index) => {
    run = character === characters[index - 1] ? run + 1 : 1;
    longest = Math.max(longest, run);
  });
  return longest;
}

/** Without letters and digits that are taken for one another when read aloud or copied by hand. */
const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789-_.+=';

/** A random password that keeps the policy: at least 20 characters, over 118 bits. */
export function randomPassword(userName: string, policy: PasswordPolicy): string {
  const length = Math.max(20, policy.passwordLength);
  for (;;) {
    const password = Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
    // Of random ones nearly all keep any policy; the others are thrown away rather than mended.
    if (weakness(password, userName, policy) === null) return password;
  }
}
