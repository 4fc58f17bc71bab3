/** Kills replicas and stands them still, at moments that the seed chooses among the requests that are sent. */
import { setTimeout as rest } from 'node:timers/promises';
import { Dice } from '../replay/random.js';
import type { Replicas } from './replicas.js';

/** Milliseconds for which a replica stands still, or is not there, at most. */
const longestPause = 3_000;
const longestAbsence = 1_000;
const longestStart = 2_000;

export class Adversary {
  kills = 0;
  pauses = 0;
  readonly #dice: Dice;
  readonly #due: number[];
  readonly #under = new Set<Promise<void>>();

  /** @param strikes how many while so many requests are sent */
  constructor(
    private readonly replicas: Replicas,
    { operations, strikes, seed }: { readonly operations: number; readonly strikes: number; readonly seed: number },
  ) {
    this.#dice = new Dice(seed);
    this.#due = Array.from({ length: strikes }, () => this.#dice.below(operations)).sort((one, other) => one - other);
  }

  /** Told after every request how many were sent; what has no victim now waits for one. */
  strike(sent: number): void {
    while (this.#due[0] !== undefined && this.#due[0] <= sent) {
      const victims = [...Array(this.replicas.count).keys()].filter((replica) => this.replicas.is(replica, 'running'));
      if (victims.length === 0) return;
      this.#due.shift();
      const replica = this.#dice.pick(victims);
      const striking = this.#dice.chance(0.5) ? this.#kill(replica) : this.#pause(replica);
      this.#under.add(striking);
      void striking.finally(() => this.#under.delete(striking));
    }
  }

  /** Waits until every replica is as it was. */
  async end(): Promise<void> {
    while (this.#under.size > 0) await Promise.all(this.#under);
  }

  async #kill(replica: number): Promise<void> {
    this.kills += 1;
    await this.replicas.kill(replica);
    await rest(this.#dice.next() * longestAbsence);
    const starting = this.replicas.start(replica);
    // Once in a while it does not even get as far as to listen.
    if (!this.#dice.chance(0.2)) return starting;
    await Promise.race([starting, rest(this.#dice.next() * longestStart)]);
    if (this.replicas.is(replica, 'running')) return;
    return this.#kill(replica);
  }

  async #pause(replica: number): Promise<void> {
    this.pauses += 1;
    await this.replicas.pause(replica, this.#dice.next() * longestPause);
  }
}
