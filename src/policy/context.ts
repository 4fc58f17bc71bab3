/** What is known about a request besides its action and its resource. */

/** By key in lower case, each with its values, never an empty list. */
export interface RequestContext {
  get(key: string): readonly string[] | undefined;
  has(key: string): boolean;
}

/**
 * Request context from entries: keys in lower case, each with its list of values.
 *
 * A later entry replaces an earlier one of the same key, as in a `Map`, so that callers put what they know themselves
 * after what they were told. An empty list takes the key away: absent and empty-handed are the same.
 */
export function buildContext(
  entries: Iterable<readonly [string, string | readonly string[]]>,
): ReadonlyMap<string, readonly string[]> {
  const context = new Map<string, readonly string[]>();
  for (const [key, value] of entries) {
    const values = typeof value === 'string' ? [value] : [...value];
    if (values.length === 0) context.delete(key.toLowerCase());
    else context.set(key.toLowerCase(), values);
  }
  return context;
}

/** The same context but for one key, given in lower case; null takes it away. */
export function contextWith(context: RequestContext, key: string, values: readonly string[] | null): RequestContext {
  return {
    get: (asked) => (asked === key ? (values ?? undefined) : context.get(asked)),
    has: (asked) => (asked === key ? values !== null : context.has(asked)),
  };
}
