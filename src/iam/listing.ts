/** What a use-case that lists answers, where a list needs more than a filter to show only what the caller may see. */
import type { Page } from './ports.js';

export interface Listing<R> {
  readonly page: Page<R>;
  /** Counts the whole list; null when counting would cost a look at every row. */
  readonly count: (() => Promise<number>) | null;
}

export function emptyListing<R>(): Listing<R> {
  return { page: { rows: [], hasNext: false, hasPrevious: false }, count: async () => 0 };
}
