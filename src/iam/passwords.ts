/**
 * Password hashing (Argon2id, RFC 9106) and the password policy (docs/domain.md section d4).
 */
import { hash, verify } from '@node-rs/argon2';

/** RFC 9106's second recommendation scaled to OWASP's floor: 19 MiB, two passes, one lane. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

export const passwordLimits = { minimumLength: 8, maximumLength: 128, minimumKinds: 2 } as const;

export interface Passwords {
  hash(password: string): Promise<string>;
  /** With no stored hash the same work is done and the answer is false: an unknown user takes as long as a known one. */
  verify(stored: string | null, password: string): Promise<boolean>;
}

/**
 * Hashes at most two at a time: hashing and SQLite share Node's four worker threads (rule 31), and a burst of sign-ins
 * must not keep the database waiting.
 */
export function createPasswords(atOnce = 2): Passwords {
  let running = 0;
  const waiting: (() => void)[] = [];
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
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
    hash: (password) => inTurn(() => hash(password, parameters)),
    verify: (stored, password) =>
      inTurn(async () => {
        // Nobody's password is longer than a new one may be; what is sent instead is not worth hashing whole.
        const tooLong = password.length > 2 * passwordLimits.maximumLength;
        const matches = await verify(stored ?? (await stranger), tooLong ? '' : password);
        return stored !== null && matches && !tooLong;
      }),
  };
}

/** What is wrong with a new password, null when nothing is. Never repeats the password. */
export function weakness(password: string, userName: string): string | null {
  const { minimumLength, maximumLength, minimumKinds } = passwordLimits;
  const length = [...password].length;
  if (length < minimumLength) return `the password has ${length} characters; give it at least ${minimumLength}`;
  if (length > maximumLength) return `the password has ${length} characters; at most ${maximumLength} are allowed`;
  const kinds = [/\p{Lu}/u, /\p{Ll}/u, /\p{N}/u, /[^\p{L}\p{N}]/u].filter((kind) => kind.test(password)).length;
  if (kinds < minimumKinds) {
    return `the password uses one kind of character; mix at least ${minimumKinds} of upper case, lower case, digits and others`;
  }
  const folded = password.toLowerCase();
  const name = userName.toLowerCase();
  if (folded === name || folded === [...name].reverse().join('')) {
    return 'the password is the user name or its reverse; choose another';
  }
  return null;
}
