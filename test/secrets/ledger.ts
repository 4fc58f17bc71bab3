/** Every value that proves somebody or something, as it was issued or sent: what the search looks for. */
import { randomBytes } from 'node:crypto';

export interface Kept {
  /** Such as `token`: what a finding is reported as, for the value itself is never shown. */
  readonly kind: string;
  /** A text, or bytes that are no text. */
  readonly value: string | Uint8Array;
}

export class Ledger {
  readonly #kinds = new Map<string, string>();
  readonly #bytes: Kept[] = [];

  /** Answers the value. The kind that it was kept as first is the one it has. */
  keep(kind: string, value: string): string {
    if (value === '') throw new Error(`a ${kind} is empty`);
    if (!this.#kinds.has(value)) this.#kinds.set(value, kind);
    return value;
  }

  /**
   * Keeps the signature of a token, which is what proves it. The rest is claims in clear: the ids there stand in many
   * places, and are no secret.
   */
  keepToken(kind: string, token: string): string {
    const parts = token.split('.');
    const signature = parts[2];
    if (parts.length !== 3 || signature === undefined) throw new Error(`a ${kind} does not have three parts`);
    this.keep(kind, signature);
    return token;
  }

  keepBytes(kind: string, value: Uint8Array): void {
    this.#bytes.push({ kind, value });
  }

  *all(): Generator<Kept> {
    for (const [value, kind] of this.#kinds) yield { kind, value };
    yield* this.#bytes;
  }

  /** How many of each kind, in the order of the alphabet. */
  counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { kind } of this.all()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return new Map([...counts].sort(([one], [other]) => (one < other ? -1 : 1)));
  }
}

/** A good password, random throughout, with characters that JSON, SQL, COPY and URLs write in ways of their own. */
export function newPassword(): string {
  return `Aa1"\\'/ +%ü${randomBytes(24).toString('base64url')}`;
}
