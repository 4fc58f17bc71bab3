import { FairQueue } from '../iam/index.js';

/** How many of one may wait for a turn. What they hold in memory is bounded by it; they wait for themselves anyway. */
const mostOfOne = 1_000;

/**
 * Whoever writes waits for their turn: one at a time for each key. Those who wait take turns, each of their own in the order in which
 * they came: nobody holds up what is about to be taken from them by asking for much.
 */
export class Turns {
  /** Those who wait for each key that is taken. */
  private readonly queues = new Map<string, FairQueue<() => void>>();
  private readonly idle: (() => void)[] = [];

  /** @param refusal of who waits too often at a time */
  constructor(private readonly refusal: () => Error) {}

  async take<T>(key: string, who: string, work: () => Promise<T>): Promise<T> {
    const queue = this.queues.get(key);
    if (queue === undefined) this.queues.set(key, new FairQueue());
    else await this.wait(queue, who);
    try {
      return await work();
    } finally {
      this.pass(key);
    }
  }

  /** Resolves when nobody waits any more. */
  async drained(): Promise<void> {
    while (this.queues.size > 0) await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  private wait(queue: FairQueue<() => void>, who: string): Promise<void> {
    if (queue.countOf(who) >= mostOfOne) throw this.refusal();
    return new Promise((resolve) => queue.add(who, resolve));
  }

  private pass(key: string): void {
    const enter = this.queues.get(key)?.next();
    if (enter !== undefined) return enter();
    this.queues.delete(key);
    if (this.queues.size === 0) for (const tell of this.idle.splice(0)) tell();
  }
}

/** No more than so many at a time, whatever their key; who comes when all places are taken waits, first come, first served. */
export class Places {
  readonly #waiting = new Set<() => void>();
  #free: number;

  /**
   * @param longestWait milliseconds
   * @param refusal of who has waited for so long
   */
  constructor(
    count: number,
    private readonly longestWait: number,
    private readonly refusal: () => Error,
  ) {
    this.#free = count;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait();
    try {
      return await work();
    } finally {
      const [next] = this.#waiting;
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  /** Resolves with the place of somebody who left. */
  #wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(enter);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(enter);
        reject(this.refusal());
      }, this.longestWait);
      this.#waiting.add(enter);
    });
  }
}
