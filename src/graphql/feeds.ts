/**
 * From what a subscription field brings to the stream that goes out. Fields bring a feed, which says what is new to a
 * call; when to look, as whom, and whether the caller may still listen is the same for all of them and stands here.
 */
import type { Call, Wakening } from '../iam/index.js';
import type { GraphContext } from './context.js';
import { throttledActor } from './throttle.js';

/** Milliseconds after which a stream looks at its caller though nothing woke it: policies may read the time of day. */
const lookAgainAfter = 30_000;

export interface News {
  /** Oldest first. */
  readonly events: readonly unknown[];
  /** There was more than could be answered at once. */
  readonly more: boolean;
}

/**
 * What a subscription field listens to. Not a stream: only the guard makes one of it, so a field that the guard has
 * missed answers nothing rather than everything.
 */
export abstract class Feed implements AsyncIterable<never> {
  /** What may bring something new. */
  abstract readonly wakening: Wakening;

  /** What is new to the caller since the last time; never asked twice at once, nor as a caller who is refused. */
  abstract next(call: Call): Promise<News>;

  [Symbol.asyncIterator](): AsyncIterator<never> {
    throw new Error('a feed becomes a stream by the guard alone');
  }
}

/**
 * The stream of a feed. Whenever something may have happened, and again for each event, the call is opened anew (rule 21)
 * and `enter` asks whether the caller may listen. At the first refusal one more event goes out, so that resolving it says
 * why, and the stream ends; it ends without one when the caller has switched to another scope. Nothing is read ahead of whoever takes the events.
 *
 * A look that was woken costs what an event costs though it brings none: it decided as much, and who listens a thousand
 * times would make each commit of anybody a thousand times as dear, for nothing.
 */
export function streamOf(feed: Feed, context: GraphContext, enter: () => void): AsyncIterableIterator<unknown> {
  const { watches } = context.iam;
  const { now: since, session } = context.call;
  // Of the first call: one that is refused later has no actor any more.
  const actor = throttledActor(context.call);
  const watch = watches.watch(context.call.accountIds(), feed.wakening, session?.id ?? null);
  let waiting: unknown[] = [];
  let more = false;
  /** The next look is paid: the first by the beginning, one that only asks for the rest by the events before. */
  let paid = true;
  /** The call was opened after the last event went out. */
  let fresh = false;
  let refused = false;
  /** The caller has switched to another scope. */
  let left = false;
  let ended = false;

  const finish = async (): Promise<IteratorResult<unknown>> => {
    ended = true;
    watch.close();
    return { done: true, value: undefined };
  };
  const renew = async (): Promise<void> => {
    await context.renew();
    fresh = true;
    left = context.call.hasLeft(since);
    try {
      enter();
    } catch {
      refused = true;
    }
  };
  const look = async (): Promise<void> => {
    // Whoever left while this waited for its turn.
    if (ended) return;
    await renew();
    if (refused || left) return;
    const news = await feed.next(context.call);
    waiting = [...news.events];
    more = news.more;
  };
  const advance = async (): Promise<IteratorResult<unknown>> => {
    while (waiting.length === 0) {
      const { call } = context;
      const due = Math.min(call.lapsesAt(), call.now + lookAgainAfter);
      if (!more && !(await watch.woken(due))) return finish();
      await watches.inTurn(actor, look);
      if (ended || left) return finish();
      if (refused) return { done: false, value: undefined };
      const found = waiting.length > 0;
      if (!found && !paid) context.chargeAgain?.();
      paid = found && more;
    }
    if (!fresh) await watches.inTurn(actor, renew);
    if (ended || left) return finish();
    fresh = false;
    if (!refused) context.chargeAgain?.();
    return { done: false, value: waiting.shift() };
  };
  return {
    async next() {
      if (refused || ended) return finish();
      try {
        return await advance();
      } catch (error) {
        // Nobody knows any more who listens, or what they have been told.
        await finish();
        throw error;
      }
    },
    return: finish,
    async throw(error: unknown) {
      await finish();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
