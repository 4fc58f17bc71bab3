/** Whoever writes waits for their turn: one at a time for each key, first come, first served. */
export class Turns {
  private readonly last = new Map<string, Promise<unknown>>();

  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.last.get(key) ?? Promise.resolve()).then(work);
    const over = turn.catch(() => undefined);
    this.last.set(key, over);
    try {
      return await turn;
    } finally {
      if (this.last.get(key) === over) this.last.delete(key);
    }
  }

  /** Resolves when nobody waits any more. */
  async drained(): Promise<void> {
    while (this.last.size > 0) await Promise.all(this.last.values());
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
