/**
 * Token buckets by key: each holds so many tokens, refills at a steady pace, and refuses what it cannot pay. Kept in
 * memory, in each process by itself (docs/decisions/0039): a throttle protects the process it runs in. What protects people is told
 * from one process to the others by whoever uses a bucket (docs/decisions/0084).
 */
import type { Instant } from './records.js';

export interface BucketOptions {
  /** Most tokens a bucket holds: what may be spent at once. */
  readonly capacity: number;
  readonly perSecond: number;
  /** Keys that are remembered; the one that was used longest ago is forgotten for a new one. */
  readonly remembered?: number;
}

export interface BucketState {
  /** Whole tokens that are left. */
  readonly remaining: number;
  /** When the bucket is full again if nothing more is spent. */
  readonly fullAt: Instant;
}

/** Milliseconds; no request is under way for longer. */
const longestRequest = 120_000;

interface Bucket {
  readonly tokens: number;
  readonly at: Instant;
}

export class TokenBuckets {
  readonly capacity: number;
  readonly #perMillisecond: number;
  readonly #remembered: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor({ capacity, perSecond, remembered = 20_000 }: BucketOptions) {
    this.capacity = capacity;
    this.#perMillisecond = perSecond / 1000;
    this.#remembered = remembered;
  }

  /** Takes tokens; answers 0, or the milliseconds after which they would be there. Then nothing was taken. */
  take(key: string, amount: number, now: Instant): number {
    const tokens = this.#tokens(key, now);
    // More than a bucket ever holds is paid by a full one, or it could never be paid.
    const price = Math.min(amount, this.capacity);
    const enough = tokens >= price;
    // Kept when refused too: who keeps asking is not the one who asked longest ago, and must not be forgotten.
    this.#keep(key, { tokens: enough ? tokens - price : tokens, at: this.#instant(key, now) });
    return enough ? 0 : Math.ceil((price - tokens) / this.#perMillisecond);
  }

  /** Takes tokens that cannot be refused any more: as many of them as there are. */
  drain(key: string, amount: number, now: Instant): void {
    this.take(key, Math.min(amount, this.#tokens(key, now)), now);
  }

  /** Gives back what was taken for something that turned out not to count. */
  giveBack(key: string, amount: number, now: Instant): void {
    const tokens = Math.min(this.capacity, this.#tokens(key, now) + amount);
    this.#keep(key, { tokens, at: this.#instant(key, now) });
  }

  state(key: string, now: Instant): BucketState {
    const tokens = this.#tokens(key, now);
    return {
      remaining: Math.floor(tokens),
      fullAt: now + Math.ceil((this.capacity - tokens) / this.#perMillisecond),
    };
  }

  #tokens(key: string, now: Instant): number {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return this.capacity;
    // A clock that was set back refills nothing.
    const passed = Math.max(0, now - bucket.at);
    return Math.min(this.capacity, bucket.tokens + passed * this.#perMillisecond);
  }

  /**
   * Until when a bucket has been refilled. Requests come out of the order of their clock readings, and going back with
   * one would refill the time between twice. A clock that was set back by more than that must not stop refilling.
   */
  #instant(key: string, now: Instant): Instant {
    const at = this.#buckets.get(key)?.at ?? now;
    return at - now > longestRequest ? now : Math.max(at, now);
  }

  #keep(key: string, bucket: Bucket): void {
    this.#buckets.delete(key);
    if (this.#buckets.size >= this.#remembered) {
      const oldest = this.#buckets.keys().next();
      if (!oldest.done) this.#buckets.delete(oldest.value);
    }
    this.#buckets.set(key, bucket);
  }
}
