/**
 * The keys that sign tokens (Ed25519, RFC 8037): one for each period of days, derived from the installation's master key
 * (HKDF, RFC 5869). Nothing is stored, replicas need tell one another nothing, and a key changes without anyone being
 * signed out. It must never know what a token says.
 *
 * Whoever knows the key of one period can forge tokens of that period and no others; whoever fears that for all of them
 * raises the epoch, which is part of every derivation.
 */
import { createPrivateKey, createPublicKey, hkdfSync, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { Instant } from './records.js';

const day = 24 * 60 * 60 * 1000;

/** No token lives longer (docs/domain.md section d2): for so long is the key of the last period still taken. */
export const longestTokenLife = day;

/** Milliseconds by which the clocks of two machines of one installation may differ. */
const clockSkew = 5 * 60 * 1000;

export interface TokenKeySettings {
  /** Days for which one key signs, 1 to 365. Another number is another series of keys: it ends every token. */
  readonly days: number;
  /** Raised in an emergency: it ends every token at once. */
  readonly epoch: number;
}

export const usualTokenKeys: TokenKeySettings = { days: 30, epoch: 0 };

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** PKCS #8 header of an Ed25519 private key (RFC 8410 section 7); the 32 bytes of the seed follow it. */
const pkcs8Header = Buffer.from('302e020100300506032b657004220420', 'hex');

export class TokenKeys {
  readonly #masterKey: Uint8Array;
  readonly #settings: TokenKeySettings;
  readonly #derived = new Map<number, SigningKey>();

  /** @param masterKey 32 bytes kept outside the database */
  constructor(masterKey: Uint8Array, settings: TokenKeySettings = usualTokenKeys) {
    this.#masterKey = masterKey;
    this.#settings = settings;
  }

  /** The key that signs at this instant. */
  signing(now: Instant): SigningKey {
    return this.#keyOf(this.#periodAt(now), now);
  }

  /**
   * The key that a token names, null when none of that name is good now: this period's, the last one's for as long as a
   * token of it can live, and the next one's where another machine's clock may be in it already.
   */
  verifying(kid: string, now: Instant): KeyObject | null {
    const current = this.#periodAt(now);
    const taken = [
      current,
      ...(now - this.#startOf(current) < longestTokenLife + clockSkew ? [current - 1] : []),
      ...(this.#startOf(current + 1) - now <= clockSkew ? [current + 1] : []),
    ];
    const period = taken.find((each) => this.#kidOf(each) === kid);
    return period === undefined ? null : this.#keyOf(period, now).publicKey;
  }

  /** Public keys for whoever verifies tokens elsewhere (RFC 7517); the next one beforehand, because sets are cached. */
  published(now: Instant): readonly JsonWebKey[] {
    const current = this.#periodAt(now);
    const periods = [current - 1, current, current + 1].filter((period) => period >= 0);
    return periods.map((period) => {
      const { kid, publicKey } = this.#keyOf(period, now);
      const { kty, crv, x } = publicKey.export({ format: 'jwk' });
      return { kty, crv, x, kid, use: 'sig', alg: 'EdDSA' };
    });
  }

  #periodAt(now: Instant): number {
    return Math.floor(now / (this.#settings.days * day));
  }

  #startOf(period: number): Instant {
    return period * this.#settings.days * day;
  }

  #kidOf(period: number): string {
    const { epoch, days } = this.#settings;
    return `${epoch}.${days}.${period}`;
  }

  #keyOf(period: number, now: Instant): SigningKey {
    const known = this.#derived.get(period);
    if (known !== undefined) return known;
    const kid = this.#kidOf(period);
    const seed = hkdfSync('sha256', this.#masterKey, new Uint8Array(0), `bailiwick token signing 2 ${kid}`, 32);
    const privateKey = createPrivateKey({
      key: Buffer.concat([pkcs8Header, Buffer.from(seed)]),
      format: 'der',
      type: 'pkcs8',
    });
    const key = { kid, privateKey, publicKey: createPublicKey(privateKey) };
    for (const old of this.#derived.keys()) if (Math.abs(old - this.#periodAt(now)) > 1) this.#derived.delete(old);
    this.#derived.set(period, key);
    return key;
  }
}
