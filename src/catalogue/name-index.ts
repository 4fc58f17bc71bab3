/** Names of actions by their segments, read once: which of them a pattern stands for, without a look at each. */
import { actionsMatcher, readActionName } from '../policy/index.js';
import { hasWildcard } from './action-row.js';

/** What a name stands for, and its place in the order of answers. */
interface Entry<T> {
  readonly operation: string;
  readonly place: number;
  readonly value: T;
}

/**
 * Finds what patterns stand for. Every name has three segments; what has another form is of no pattern's form either,
 * except of the pattern that is stars alone, which stands for all.
 */
export class NameIndex<T> {
  readonly #services = new Map<string, Map<string, Entry<T>[]>>();

  /** @param named each value with all its names, in the order of answers */
  constructor(named: Iterable<readonly [value: T, names: readonly string[]]>) {
    let place = 0;
    for (const [value, names] of named) {
      for (const name of names) this.#add(name, { place, value });
      place += 1;
    }
  }

  /** The values of which some name fits, each once, in their order. */
  matching(pattern: string): readonly T[] {
    const found = new Map<number, T>();
    for (const { place, value } of this.#fitting(pattern)) found.set(place, value);
    return [...found].sort(([a], [b]) => a - b).map(([, value]) => value);
  }

  /** Whether some name fits. */
  has(pattern: string): boolean {
    return this.#fitting(pattern).next().done !== true;
  }

  *#fitting(pattern: string): Generator<Entry<T>, void> {
    const every = /^\*+$/.test(pattern);
    const [service = '', type, operation, ...rest] = every ? ['*', '*', '*'] : readActionName(pattern);
    if (type === undefined || operation === undefined || rest.length > 0) return;
    const fits = segmentMatcher(operation);
    for (const types of within(this.#services, service)) {
      for (const entries of within(types, type)) {
        for (const entry of entries) if (fits(entry.operation)) yield entry;
      }
    }
  }

  #add(name: string, entry: Omit<Entry<T>, 'operation'>): void {
    const [service = '', type = '', operation = ''] = readActionName(name);
    const types = this.#services.get(service) ?? new Map<string, Entry<T>[]>();
    const entries = types.get(type) ?? [];
    entries.push({ ...entry, operation });
    types.set(type, entries);
    this.#services.set(service, types);
  }
}

function* within<V>(map: ReadonlyMap<string, V>, segment: string): Generator<V, void> {
  if (hasWildcard(segment)) {
    const fits = segmentMatcher(segment);
    for (const [text, value] of map) if (fits(text)) yield value;
  } else {
    const value = map.get(segment);
    if (value !== undefined) yield value;
  }
}

/** The engine's matcher, so that the two can never differ about what a wildcard stands for. */
function segmentMatcher(segment: string): (text: string) => boolean {
  const fits = actionsMatcher([segment]);
  return (text) => fits([text]);
}
