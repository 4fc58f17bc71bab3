/** What the bench asks of each engine, by way of its adapter. */
import { type World } from './worlds.js';

export interface Adapter {
  readonly name: string;
  /** What is used of the engine, for the table's footnotes. */
  readonly use: string;
  /** Translates the requests of a world, and gives what opens it: policies read, nobody's rights put together yet. */
  prepare(world: World): () => OpenEngine;
}

export interface OpenEngine {
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

export function at<T>(list: readonly T[], place: number): T {
  const found = list[place];
  if (found === undefined) throw new Error(`nothing is at ${place}`);
  return found;
}
