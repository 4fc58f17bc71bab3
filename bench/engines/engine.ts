/** What the bench asks of each engine, by way of its adapter. */
import { type Request, type World } from './worlds.js';

export interface Adapter {
  readonly name: string;
  /** What is used of the engine, for the table's footnotes. */
  readonly use: string;
  /** Translates the requests of a world, and gives what opens it: policies read, nobody's rights put together yet. */
  prepare(world: World): () => OpenEngine;
}

export interface OpenEngine {
  /** Reads some of `world.requests` anew, from one up to another: whoever decides has just read what it decides about. */
  renew(from: number, to: number): void;
  /** Decides the request at a place of `world.requests`, putting together what its user holds when it is the first. */
  allows(request: number): boolean;
  /** Ids of all determining statements, where the engine tells them. */
  determining?(request: number): readonly string[];
  /** The effect alone, where the engine has a shorter way to it. */
  effectOnly?(request: number): boolean;
  /** Bytes that it holds outside the JavaScript heap. */
  outsideHeap?(): number;
}

/** The rights of one user, put together when first asked for. */
export function keepByUser<Rights>(make: (user: number) => Rights): (user: number) => Rights {
  const known = new Map<number, Rights>();
  return (user) => {
    const found = known.get(user);
    if (found !== undefined) return found;
    const made = make(user);
    known.set(user, made);
    return made;
  };
}

/** The requests of a world in an engine's own form; what is renewed shares no text with what was read before. */
export class ReadRequests<Read> {
  readonly #asked: readonly Request[];
  readonly #read: (request: Request) => Read;
  readonly #all: Read[];

  constructor(world: World, read: (request: Request) => Read) {
    this.#asked = world.requests;
    this.#read = read;
    this.#all = world.requests.map(read);
  }

  at(place: number): Read {
    return at(this.#all, place);
  }

  renew(from: number, to: number): void {
    for (let place = from; place < to; place += 1) {
      const { user, action, ...facts } = at(this.#asked, place);
      const arrived = JSON.parse(JSON.stringify(facts)) as typeof facts;
      this.#all[place] = this.#read({ user, action, ...arrived });
    }
  }
}

export function at<T>(list: readonly T[], place: number): T {
  const found = list[place];
  if (found === undefined) throw new Error(`nothing is at ${place}`);
  return found;
}
