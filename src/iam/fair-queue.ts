/**
 * Those who wait for something that few have at a time, by who they are. They take turns, each of their own in the order in
 * which they came: nobody is held up for longer because somebody else asks for much.
 */
export class FairQueue<T> {
  readonly #waiting = new Map<string, T[]>();

  /** How many of one wait. */
  countOf(who: string): number {
    return this.#waiting.get(who)?.length ?? 0;
  }

  add(who: string, waiting: T): void {
    const theirs = this.#waiting.get(who);
    if (theirs === undefined) this.#waiting.set(who, [waiting]);
    else theirs.push(waiting);
  }

  /** Takes out whose turn it is; undefined when nobody waits. */
  next(): T | undefined {
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    const [who, theirs] = first;
    const next = theirs.shift();
    this.#waiting.delete(who);
    // Behind everybody else who waits.
    if (theirs.length > 0) this.#waiting.set(who, theirs);
    return next;
  }
}
