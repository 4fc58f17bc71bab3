/** Long work that lets others get their turn: nobody else is answered while one request keeps the thread. */
import { setImmediate as immediate } from 'node:timers/promises';

/** Milliseconds; a decision by many long policies can take as long as a thousand others, so it is not counted but timed. */
const longest = 10;

export class Breath {
  #since = performance.now();

  /** To be awaited between two pieces of work: null while it is too soon to pause. */
  pause(): Promise<void> | null {
    if (performance.now() - this.#since < longest) return null;
    return immediate().then(() => {
      this.#since = performance.now();
    });
  }
}
