/**
 * What many statements say alike (a pattern, a condition, a list of actions) is made ready once: it takes its memory once, and
 * what is asked all the time stays near at hand.
 */

/** Parts of one kind. The ones made first are let go when there are too many; who holds one keeps it. */
export class SharedParts<Part> {
  readonly #parts = new Map<string, Part>();
  readonly #most: number;

  constructor(most = 16_384) {
    this.#most = most;
  }

  /** @param text tells the part from every other of its kind */
  take(text: string, make: () => Part): Part {
    const known = this.#parts.get(text);
    if (known !== undefined) return known;
    const made = make();
    if (this.#parts.size >= this.#most) {
      for (const oldest of this.#parts.keys()) {
        this.#parts.delete(oldest);
        break;
      }
    }
    this.#parts.set(text, made);
    return made;
  }
}
