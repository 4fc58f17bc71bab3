/** What is drawn from a seed: the same seed, the same draws. */
export class Draw {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to below 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  one<T>(of: readonly T[]): T {
    const drawn = of[this.below(of.length)];
    if (drawn === undefined) throw new Error('nothing to draw from');
    return drawn;
  }

  /** So many different ones, in their order. */
  some<T>(of: readonly T[], count: number): T[] {
    const left = of.map((_one, place) => place);
    while (left.length > count) left.splice(this.below(left.length), 1);
    return left.flatMap((place) => of.slice(place, place + 1));
  }

  list<T>(length: number, make: (place: number) => T): T[] {
    return Array.from({ length }, (_none, place) => make(place));
  }

  /** Places by Zipf's law: the second comes half as often as the first. */
  zipf(count: number): () => number {
    const sums = new Float64Array(count);
    let sum = 0;
    for (let i = 0; i < count; i += 1) sums[i] = sum += 1 / (i + 1);
    return () => {
      const wanted = this.next() * sum;
      let low = 0;
      let high = count - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((sums[middle] ?? 0) > wanted) high = middle;
        else low = middle + 1;
      }
      return low;
    };
  }
}
