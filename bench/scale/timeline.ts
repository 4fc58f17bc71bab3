/**
 * Time that only events move. Whatever is simulated waits for this clock and no other, so a minute of many machines takes
 * as long as its events take to work out, and the same seed gives the same minute.
 */
interface Event {
  readonly at: number;
  /** Of events at one instant the one that was asked for first comes first. */
  readonly place: number;
  readonly work: () => void;
}

export class Timeline {
  #now = 0;
  #places = 0;
  #failure: { readonly error: unknown } | null = null;
  /** A heap: the next event is the first. */
  readonly #events: Event[] = [];

  /** Milliseconds since it began. */
  get now(): number {
    return this.#now;
  }

  at(instant: number, work: () => void): void {
    const event = { at: Math.max(instant, this.#now), place: this.#places, work };
    this.#places += 1;
    let index = this.#events.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = this.#events[parent];
      if (above === undefined || isBefore(above, event)) break;
      this.#events[index] = above;
      index = parent;
    }
    this.#events[index] = event;
  }

  wait(duration: number): Promise<void> {
    return new Promise((resolve) => this.at(this.#now + duration, resolve));
  }

  /** Begins something that takes time. Should it fail, the run does. */
  start(task: () => Promise<unknown>): void {
    task().catch((error: unknown) => (this.#failure ??= { error }));
  }

  /** Lets time pass until there is no event before that instant. */
  async run(until: number): Promise<void> {
    // What was begun before has its first events there.
    await settle();
    for (let next = this.#events[0]; next !== undefined && next.at <= until; next = this.#events[0]) {
      this.#remove();
      this.#now = next.at;
      next.work();
      // Everything that waited for this event goes as far as it can before time moves on.
      await settle();
      if (this.#failure !== null) throw this.#failure.error;
    }
    this.#now = Math.max(this.#now, until);
  }

  #remove(): void {
    const last = this.#events.pop();
    if (last === undefined || this.#events.length === 0) return;
    let index = 0;
    for (;;) {
      const [left, right] = [2 * index + 1, 2 * index + 2];
      let least = left;
      const [one, other] = [this.#events[left], this.#events[right]];
      if (one === undefined) break;
      if (other !== undefined && isBefore(other, one)) least = right;
      const child = this.#events[least];
      if (child === undefined || isBefore(last, child)) break;
      this.#events[index] = child;
      index = least;
    }
    this.#events[index] = last;
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isBefore(one: Event, other: Event): boolean {
  return one.at < other.at || (one.at === other.at && one.place < other.place);
}

/** Something of which there are only so many: processors, connections of a pool, the lock of a row. First come, first served. */
export class Station {
  #free: number;
  #used = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(
    private readonly timeline: Timeline,
    places: number,
  ) {
    this.#free = places;
  }

  /** Milliseconds for which places were used by `use`, all together. */
  get used(): number {
    return this.#used;
  }

  async take(): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }

  /** Waits for a place and has it for so long. */
  async use(duration: number): Promise<void> {
    await this.take();
    this.#used += duration;
    await this.timeline.wait(duration);
    this.release();
  }

  /** Nobody else is served for so long, as soon as who is being served has been: a process that is stopped. */
  async stop(duration: number): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.unshift(resolve));
    await this.timeline.wait(duration);
    this.release();
  }
}
