/**
 * What is read once and kept in memory for as long as a stamp stands still: a revision of the account that it is about
 * (rule 28). What is read under one stamp is never answered under another.
 */

/** A number that is raised by every write that could make the value another one. */
export type Stamp = number;

interface Kept<Value> {
  readonly stamp: Stamp;
  readonly value: Value | Promise<Value>;
}

/**
 * Bounded: half of the limit may be of late use, half was used before; who comes when both are full has the older half
 * forgotten. So what is used all the time stays, and no use costs more than two look-ups.
 */
export class Recollection<Value> {
  readonly #half: number;
  #young = new Map<string, Kept<Value>>();
  #old = new Map<string, Kept<Value>>();

  /** @param limit values kept at most */
  constructor(limit: number) {
    this.#half = Math.max(1, limit >> 1);
  }

  /**
   * @param read must begin after the stamp was read, so that nothing older than the stamp is kept under it
   * @param worth whether it is worth keeping; what is not is read again
   */
  of(
    key: string,
    stamp: Stamp,
    read: () => Promise<Value>,
    worth: (value: Value) => boolean = always,
  ): Value | Promise<Value> {
    const known = this.#find(key);
    if (known?.stamp === stamp) return known.value;
    const reading = read();
    // Somebody who was slow asks under a stamp that is past: what others keep is newer.
    if (known !== undefined && known.stamp > stamp) return reading;
    const kept: Kept<Value> = { stamp, value: reading };
    this.#keep(key, kept);
    reading.then(
      (value) => this.#settle(key, kept, worth(value) ? { stamp, value } : null),
      () => this.#settle(key, kept, null),
    );
    return reading;
  }

  /** What is kept under this very stamp and has been read; undefined when nothing is. */
  known(key: string, stamp: Stamp): Value | undefined {
    const found = this.#find(key);
    return found?.stamp !== stamp || found.value instanceof Promise ? undefined : found.value;
  }

  /** Keeps what was read by a reading of several; it must have begun after the stamp was read. */
  keep(key: string, stamp: Stamp, value: Value): void {
    const found = this.#find(key);
    // What others keep may be newer, or is being read.
    if (found === undefined || found.stamp < stamp) this.#keep(key, { stamp, value });
  }

  #find(key: string): Kept<Value> | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.#keep(key, old);
    return old;
  }

  #keep(key: string, kept: Kept<Value>): void {
    if (this.#young.size >= this.#half && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, kept);
  }

  /** Puts what was read, or nothing, in the place of the reading, unless something else has taken it. */
  #settle(key: string, reading: Kept<Value>, kept: Kept<Value> | null): void {
    for (const half of [this.#young, this.#old]) {
      if (half.get(key) !== reading) continue;
      if (kept === null) half.delete(key);
      else half.set(key, kept);
    }
  }
}

/**
 * The same for what has its key within a group, as a URN has in an account, and is read by readings of several. Bounded as
 * one, whatever the groups. To put group and key into one text would take longer than to look it up.
 */
export class GroupedRecollection<Value> {
  readonly #half: number;
  #young = new Groups<Value>();
  #old = new Groups<Value>();

  /** @param limit values kept at most */
  constructor(limit: number) {
    this.#half = Math.max(1, limit >> 1);
  }

  /** What is kept under this very stamp; undefined when nothing is. */
  known(group: string, key: string, stamp: Stamp): Value | undefined {
    const found = this.#find(group, key);
    return found?.stamp === stamp ? found.value : undefined;
  }

  /** Keeps what was read by a reading that began after the stamp was read. */
  keep(group: string, key: string, stamp: Stamp, value: Value): void {
    const found = this.#find(group, key);
    // What others keep may be newer.
    if (found === undefined || found.stamp < stamp) this.#keep(group, key, { stamp, value });
  }

  #find(group: string, key: string): Read<Value> | undefined {
    const young = this.#young.get(group, key);
    if (young !== undefined) return young;
    const old = this.#old.get(group, key);
    if (old !== undefined) this.#keep(group, key, old);
    return old;
  }

  #keep(group: string, key: string, read: Read<Value>): void {
    if (this.#young.size >= this.#half && this.#young.get(group, key) === undefined) {
      this.#old = this.#young;
      this.#young = new Groups();
    }
    this.#young.set(group, key, read);
  }
}

interface Read<Value> {
  readonly stamp: Stamp;
  readonly value: Value;
}

class Groups<Value> {
  readonly #groups = new Map<string, Map<string, Read<Value>>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(group: string, key: string): Read<Value> | undefined {
    return this.#groups.get(group)?.get(key);
  }

  set(group: string, key: string, read: Read<Value>): void {
    let keys = this.#groups.get(group);
    if (keys === undefined) this.#groups.set(group, (keys = new Map<string, Read<Value>>()));
    if (!keys.has(key)) this.#size += 1;
    keys.set(key, read);
  }
}

function always(): boolean {
  return true;
}
