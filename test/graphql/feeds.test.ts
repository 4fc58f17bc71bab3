/** What a stream costs whoever listens, and that it ends when they cannot pay. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import type { GraphContext } from '../../src/graphql/context.js';
import { clientError } from '../../src/graphql/errors.js';
import { Feed, streamOf, type News } from '../../src/graphql/feeds.js';
import { throttledActor } from '../../src/graphql/throttle.js';
import { Watches, type Store } from '../../src/iam/index.js';
import { contextOf } from './kit.js';

const nothing: News = { events: [], more: false };

/** Brings what it is given, a piece at each look, and then nothing more. */
class ListedFeed extends Feed {
  readonly wakening = 'EVERY';
  looks = 0;

  constructor(private readonly news: readonly News[]) {
    super();
  }

  async next(): Promise<News> {
    this.looks += 1;
    return this.news[this.looks - 1] ?? nothing;
  }
}

/** @param points of which one is taken each time */
async function streaming(news: readonly News[], points = Infinity) {
  let tell: Parameters<Store['onCommit']>[0] = () => undefined;
  let revision = 0;
  const store = { database: 'sqlite', onCommit: (told: typeof tell) => ((tell = told), () => undefined) };
  const watches = new Watches(store as unknown as Store, () => 0);
  const paid = { points: 0 };
  const { call } = await contextOf({});
  const context = {
    call,
    iam: { watches },
    renew: async () => undefined,
    chargeAgain: () => {
      if (paid.points >= points) throw clientError('RATE_LIMITED', 'no points are left');
      paid.points += 1;
    },
  } as unknown as GraphContext;
  const feed = new ListedFeed(news);
  const stream = streamOf(feed, context, () => undefined);
  const settle = async (): Promise<void> => {
    for (let n = 0; n < 20; n += 1) await turn();
  };
  return {
    call,
    stream,
    feed,
    paid,
    watches,
    settle,
    commit: async () => {
      revision += 1;
      tell({ accountId: call.accountId, revision, accessRevision: revision });
      await settle();
    },
  };
}

it('takes nothing for the first look, and the price of an event for each one that was woken and finds nothing', async () => {
  const { stream, feed, paid, settle, commit } = await streaming([]);
  const heard = stream.next();
  await settle();
  expect([feed.looks, paid.points]).toEqual([1, 0]);
  await commit();
  expect([feed.looks, paid.points]).toEqual([2, 1]);
  for (let n = 0; n < 3; n += 1) await commit();
  expect([feed.looks, paid.points]).toEqual([5, 4]);
  await stream.return?.();
  expect(await heard).toEqual({ done: true, value: undefined });
});

it('takes nothing for looks that bring events beside the events, nor for looking whether that was all', async () => {
  const { stream, feed, paid, settle, commit } = await streaming([
    nothing,
    { events: ['a', 'b'], more: true },
    { events: ['c'], more: true },
    nothing,
    { events: ['d'], more: false },
  ]);
  const first = stream.next();
  await settle();
  await commit();
  expect([(await first).value, (await stream.next()).value, (await stream.next()).value]).toEqual(['a', 'b', 'c']);
  const fourth = stream.next();
  await settle();
  expect([feed.looks, paid.points]).toEqual([4, 3]);
  await commit();
  expect((await fourth).value).toBe('d');
  const none = stream.next();
  await settle();
  expect([feed.looks, paid.points]).toEqual([5, 4]);
  await commit();
  expect([feed.looks, paid.points]).toEqual([6, 5]);
  await stream.return?.();
  await none;
});

it('waits for its turns as whoever pays', async () => {
  const { call, stream, watches, settle, commit } = await streaming([{ events: ['a', 'b'], more: false }]);
  const waited = vi.spyOn(watches, 'inTurn');
  for (const _ of ['a', 'b']) await stream.next();
  const none = stream.next();
  await settle();
  await commit();
  await stream.return?.();
  await none;
  expect(waited.mock.calls.map(([who]) => who)).toEqual(Array.from({ length: 3 }, () => throttledActor(call)));
});

it('ends with what is told to whoever has no points left, and is looked for no more', async () => {
  const { stream, feed, settle, commit } = await streaming([], 1);
  const heard = stream.next().catch((error: unknown) => error);
  await settle();
  await commit();
  await commit();
  await stream.return?.();
  expect(await heard).toMatchObject({ extensions: { code: 'RATE_LIMITED' } });
  await commit();
  expect(feed.looks).toBe(3);
  expect(await stream.next()).toEqual({ done: true, value: undefined });
});

/** All turns are taken until what is answered is called. */
function holdTurns(watches: Watches): () => Promise<unknown> {
  let end = (): void => undefined;
  const held = new Promise<void>((resolve) => (end = resolve));
  const others = ['a', 'b', 'c', 'd'].map((who) => watches.inTurn(who, () => held));
  return () => {
    end();
    return Promise.all(others);
  };
}

it.each([
  { says: 'to look for the first time', news: [{ events: ['a'], more: false }], looks: 0, points: 0 },
  { says: 'to look again', news: [nothing], looks: 1, points: 0 },
  { says: 'to be told an event', news: [{ events: ['a', 'b'], more: false }], looks: 1, points: 1 },
])('costs nothing more once whoever listened has left, though it waits for its turn $says', async (row) => {
  const { stream, feed, paid, watches, settle, commit } = await streaming(row.news);
  for (let taken = 0; taken < row.points; taken += 1) await stream.next();
  const asleep = row.looks > row.points ? stream.next() : null;
  await settle();
  const release = holdTurns(watches);
  const heard = asleep ?? stream.next();
  await commit();
  await stream.return?.();
  await release();
  expect(await heard).toEqual({ done: true, value: undefined });
  expect([feed.looks, paid.points]).toEqual([row.looks, row.points]);
});
