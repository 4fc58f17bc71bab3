/** Keys that requests are signed with, and where they come from. */

/** A permanent key, or with `securityToken` a temporary one. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Goes with every request that a temporary key signs. */
  readonly securityToken?: string;
  /** When a temporary key ends by itself; milliseconds since 1970. */
  readonly expiresAt?: number;
}

/** Gives a key that is good now; asked before every request, so it should remember what it has. */
export interface CredentialProvider {
  /** @throws what kept it from having one */
  get(): Promise<Credentials>;
  /** Told when a key was refused: the next `get` must not give it again. */
  discard?(accessKeyId: string): void;
}

/** A fixed key, a function that gives one, or a provider. */
export type CredentialSource = Credentials | (() => Promise<Credentials>) | CredentialProvider;

export function providerOf(source: CredentialSource): CredentialProvider {
  if (typeof source === 'function') return { get: source };
  return 'get' in source ? source : { get: async () => source };
}

const longestEarly = 5 * 60_000;
const retryAfter = 5_000;

/**
 * Keeps a temporary key and asks for the next before it ends: when a fifth of its life is left, or five minutes. Whoever
 * asks meanwhile waits for the same answer. A key that is still good is used on when the next cannot be had.
 *
 * @param issue asks for a new key; `expiresAt` must be there
 */
export function refreshing(
  issue: () => Promise<Credentials & { readonly expiresAt: number }>,
  now: () => number = Date.now,
): CredentialProvider {
  let current: (Credentials & { readonly expiresAt: number }) | null = null;
  let due = 0;
  let pending: Promise<Credentials> | null = null;

  const refresh = (): Promise<Credentials> => {
    pending ??= issue()
      .then((issued) => {
        current = issued;
        const life = issued.expiresAt - now();
        due = issued.expiresAt - Math.min(life / 5, longestEarly);
        return issued;
      })
      .catch((error: unknown) => {
        if (current === null || current.expiresAt <= now()) throw error;
        // Good for now; asking again with every request would only add to whatever keeps it from answering.
        due = now() + retryAfter;
        return current;
      })
      .finally(() => {
        pending = null;
      });
    return pending;
  };

  return {
    get: () => {
      if (current === null || current.expiresAt <= now() || due <= now()) return refresh();
      return Promise.resolve(current);
    },
    discard: (accessKeyId) => {
      if (current?.accessKeyId === accessKeyId) current = null;
    },
  };
}
