/**
 * What becomes of instants when a clock is set, or the clocks of two processes differ (docs/decisions/0092-clocks.md). Time is
 * what the clock says; but nothing lives longer because a clock was once ahead, and nothing that was used up can be used again.
 */
import type { Instant } from './records.js';

/** Milliseconds by which clocks may differ: those of two processes, and one before and after it was set. */
export const clockTolerance = 5 * 60_000;

/** Whether something was begun by a clock that was ahead of this one: how long it may last is not known then. */
export function isAhead(begun: Instant, now: Instant): boolean {
  return begun - now > clockTolerance;
}
