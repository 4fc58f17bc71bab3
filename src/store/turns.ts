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
