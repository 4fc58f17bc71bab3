/**
 * Who may ask how much, and how soon again: points for each actor, requests for each address that has no good
 * credential, failed sign-ins for each address beside the lock of the user (rule 24). Asked before an operation runs; a
 * refusal is HTTP 429 with `retry-after`. In memory, in each process by itself (docs/decisions/0039), but failed sign-ins, which
 * protect people, are counted together with the other processes on the database (docs/decisions/0084).
 */
import { HeaderMap } from '@apollo/server';
import { isIPv6 } from 'node:net';
import type { GraphQLError } from 'graphql';
import {
  Recollection,
  tallyId,
  TokenBuckets,
  type Arrival,
  type Call,
  type Credential,
  type Environment,
  type Id,
  type Instant,
  type SharedTallies,
} from '../iam/index.js';
import { readAuthorization } from '../signatures/index.js';
import { clientError } from './errors.js';

/** Each within a minute; a minute's worth may be spent at once. */
export interface ThrottleLimits {
  /** Points that operations of one actor cost (cost.ts). */
  readonly points: number;
  /** Requests of one address without a good credential; as many with keys that were not good from there lately. */
  readonly strangers: number;
  /** Failed sign-ins of one address. */
  readonly failedSignIns: number;
}

export const usualThrottle: ThrottleLimits = { points: 20_000_000, strangers: 6_000, failedSignIns: 60 };

const minute = 60_000;

/** Keys of which it is remembered from where they were good. */
const rememberedKeys = 20_000;

/** A key that was good is tried again whatever has happened since: what is wrong with it is found out then, and counted. */
const forGood = 0;

/** Points for a document that does not fit the schema or the limits: to see that takes up to tens of milliseconds. */
const refusedCost = 1_000;

/** What an actor has left, for `rateLimit`. */
export interface Allowance {
  /** Points within a minute. */
  readonly limit: number;
  readonly cost: number;
  readonly remaining: number;
  readonly resetAt: Instant;
}

export class Throttle {
  readonly #points: TokenBuckets;
  readonly #strangers: TokenBuckets;
  readonly #unprovenKeys: TokenBuckets;
  readonly #failedSignIns: TokenBuckets;
  readonly #provenKeys = new Recollection<true>(rememberedKeys);
  readonly #keys = new WeakMap<Credential, string | null>();
  /** What came with a trial that was paid for. */
  readonly #tried = new WeakSet<Credential>();
  /** When a stranger was held back last: while nobody is, nobody's address is looked up. */
  #heldAt: Instant = -Infinity;

  constructor(
    { points, strangers, failedSignIns }: ThrottleLimits = usualThrottle,
    /** Null: this process counts alone. */
    private readonly tallies: SharedTallies | null = null,
  ) {
    const perMinute = (capacity: number) => new TokenBuckets({ capacity, perSecond: capacity / 60 });
    this.#points = perMinute(points);
    this.#strangers = perMinute(strangers);
    this.#unprovenKeys = perMinute(strangers);
    this.#failedSignIns = perMinute(failedSignIns);
    tallies?.onOthers('sign-in', ({ id, amount, at, now }) => {
      // What failed some time ago has been given back in part.
      const refilled = (Math.max(0, now - at) * failedSignIns) / minute;
      if (amount > refilled) this.#failedSignIns.drain(id, amount - refilled, now);
      if (amount < 0) this.#failedSignIns.giveBack(id, -amount, now);
    });
  }

  /** Throws when an actor has no point left, before any work is done for its document. */
  admitActor(call: Call): void {
    const { capacity } = this.#points;
    const wait = this.#points.take(throttledActor(call), 1, call.now);
    if (wait > 0) throw tooSoon(pointsUsedUp, wait, { limit: capacity });
    this.#points.giveBack(throttledActor(call), 1, call.now);
  }

  /** Takes from an actor what it cost to find out that its document cannot be answered. */
  chargeRefused(call: Call): void {
    this.#points.drain(throttledActor(call), refusedCost, call.now);
  }

  /** Takes the cost of an operation from its actor; throws when there is not enough. */
  spend(call: Call, cost: number): Allowance {
    const { now } = call;
    const key = throttledActor(call);
    const wait = this.#points.take(key, cost, now);
    if (wait > 0) throw tooSoon(pointsUsedUp, wait, { limit: this.#points.capacity, cost });
    const { remaining, fullAt } = this.#points.state(key, now);
    return { limit: this.#points.capacity, cost, remaining, resetAt: fullAt };
  }

  /** Counts a request without a good credential; throws when its address sent too many. */
  admitStranger({ environment }: Pick<Call, 'environment'>): void {
    const wait = this.#strangers.take(throttledPlace(environment), 1, environment.now);
    if (wait === 0) return;
    this.#heldAt = environment.now;
    throw tooSoon(tooManyStrangers, wait);
  }

  /** Whether it is found out who sends a request before anything of it is read: of those for whom work was done too often, or never. */
  looksFirst(arrival: Pick<Arrival, 'credential' | 'environment'>): boolean {
    const { environment } = arrival;
    const { now } = environment;
    const key = this.#keyOf(arrival);
    if (key !== null && this.#provenKeys.known(key, forGood) === undefined) return true;
    return (
      Math.abs(now - this.#heldAt) < minute && this.#strangers.state(throttledPlace(environment), now).remaining < 1
    );
  }

  /**
   * Counts a request that is signed with a key which was not good from its address lately, before the key is looked for;
   * answers what it is told when its address has sent too many. They are counted apart from the requests of strangers, so that
   * those who show nothing keep out nobody who signs.
   */
  tryKey(arrival: Pick<Arrival, 'credential' | 'environment'>): GraphQLError | null {
    const key = this.#keyOf(arrival);
    if (key === null || this.#provenKeys.known(key, forGood) !== undefined) return null;
    const { credential, environment } = arrival;
    const wait = this.#unprovenKeys.take(throttledPlace(environment), 1, environment.now);
    if (wait > 0) return tooSoon(tooManyStrangers, wait);
    this.#tried.add(credential);
    return null;
  }

  /** Gives back what the trial of a key cost: the key was good, or it could not be found out. */
  giveBackTrial({ credential, environment }: Pick<Arrival, 'credential' | 'environment'>): void {
    if (this.#tried.delete(credential)) this.#unprovenKeys.giveBack(throttledPlace(environment), 1, environment.now);
  }

  /** From then on the key of a request that was good is tried freely at its address. */
  noteProven(arrival: Pick<Arrival, 'credential' | 'environment'>): void {
    const key = this.#keyOf(arrival);
    if (key === null) return;
    this.giveBackTrial(arrival);
    this.#provenKeys.keep(key, forGood, true);
  }

  /** The key that signs a request, at the address from which it comes; null where none does. Read once for each request. */
  #keyOf({ credential, environment }: Pick<Arrival, 'credential' | 'environment'>): string | null {
    if (credential.kind !== 'signed') return null;
    let key = this.#keys.get(credential);
    if (key === undefined) {
      const parts = readAuthorization(credential.authorization);
      key = parts === null ? null : `${parts.accessKeyId} ${throttledPlace(environment)}`;
      this.#keys.set(credential, key);
    }
    return key;
  }

  /** Counts an attempt as failed, until `signedIn` says otherwise; throws when too many of the address have failed. */
  attemptSignIn({ environment }: Pick<Call, 'environment'>): void {
    const id = placeId(environment);
    this.tallies?.attend();
    const wait = this.#failedSignIns.take(id, 1, environment.now);
    if (wait > 0) throw tooSoon('too many sign-ins from your address have failed', wait);
    this.tallies?.add(id, 1, Math.floor(environment.now / minute));
  }

  signedIn({ environment }: Pick<Call, 'environment'>): void {
    const id = placeId(environment);
    this.#failedSignIns.giveBack(id, 1, environment.now);
    this.tallies?.add(id, -1, Math.floor(environment.now / minute));
  }
}

const tooManyStrangers = 'too many requests without a good credential came from your address';

const pointsUsedUp = 'your operations have used up the points of this minute';

/** A session of an agency counts with the others of who assumed it for the same user: one user's job uses up no other's points. */
export function throttledActor({ accountId, principal }: Call): string {
  const { assumedBy, onBehalfOf } = principal.delegation ?? {};
  const behind = assumedBy === undefined ? '' : ` ${assumedBy.id} ${onBehalfOf?.id ?? ''}`;
  return `${accountId} ${principal.id}${behind}`;
}

/** An IPv6 address counts with its whole network of 64 bits, which is what one subscriber is given. */
export function throttledPlace({ sourceAddress }: Pick<Environment, 'sourceAddress'>): string {
  if (sourceAddress === null) return '';
  if (!isIPv6(sourceAddress)) return sourceAddress;
  const [head = '', tail] = sourceAddress.toLowerCase().split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  const groups = [...before, ...zeros, ...after].slice(0, 4);
  return groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':');
}

function placeId(environment: Environment): Id {
  return tallyId('sign-in', throttledPlace(environment));
}

function tooSoon(message: string, wait: number, facts: Readonly<Record<string, unknown>> = {}): GraphQLError {
  const retryAfter = Math.max(1, Math.ceil(wait / 1000));
  return clientError(
    'RATE_LIMITED',
    `${message}; try again in ${retryAfter} ${retryAfter === 1 ? 'second' : 'seconds'}`,
    {
      ...facts,
      retryAfter,
      http: { status: 429, headers: new HeaderMap([['retry-after', String(retryAfter)]]) },
    },
  );
}
