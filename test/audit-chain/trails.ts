/** Trails for tests, and what somebody who can write where they are kept might do to them. */
import {
  beginningOf,
  endLine,
  eventLine,
  headerLine,
  headKeyFrom,
  linkAfter,
  signHead,
  type ChainedEvent,
  type HeadKey,
  type Link,
  type SignedHead,
} from '../../src/audit-chain/index.js';

export type Event = { -readonly [Member in keyof ChainedEvent]: ChainedEvent[Member] };

export const account = '0af1c5a2f9a54d5e8b0c3a6d7e8f9012';
export const key = headKeyFrom(Buffer.alloc(32, 7));
export const otherKey = headKeyFrom(Buffer.alloc(32, 8));
const noon = Date.UTC(2030, 0, 31, 12);

const image = (index: number): object => ({
  id: `user-${index}`,
  name: `Ünïcode ${index} “☃”`,
  enabled: index % 2 === 0,
  tags: [{ key: 'team', value: String(index % 3) }, null, index / 7],
  '10': 'a number for a name',
});

/** A trail of so many events, chained. */
export function trailOf(length: number, of = account): Event[] {
  const unchained = Array.from({ length }, (_, index): Event => {
    const revision = 1 + Math.floor(index / 2);
    return {
      accountId: of,
      id: `${revision}.${String(index % 2).padStart(6, '0')}`,
      position: 0,
      revision,
      sequence: index % 2,
      at: noon + 1_000 * revision,
      operation: ['createUser', 'updateUser', 'grantPolicy'][index % 3],
      actorKind: index % 5 === 0 ? 'AGENCY' : 'USER',
      actorId: `actor-${index % 4}`,
      actorName: `Actor ${index % 4}`,
      delegation: index % 5 === 0 ? { sessionId: 's', assumedBy: { kind: 'SERVICE', id: 'training' } } : null,
      workspaceId: index % 3 === 0 ? '0' : '',
      targetKind: 'user',
      targetId: `user-${index}`,
      before: index % 2 === 0 ? null : image(index),
      after: index % 4 === 3 ? null : image(index + 1),
      requestId: `request-${revision}`,
      hash: '',
    };
  });
  return rechained(unchained, beginningOf(of), of);
}

/** As somebody would write them who knows how events are chained: places and hashes anew. */
export function rechained(events: readonly Event[], after: Link, of = account): Event[] {
  let last = after;
  return events.map((event) => {
    const placed = { ...event, accountId: of, position: last.position + 1 };
    last = linkAfter(last, placed);
    return { ...placed, hash: last.hash };
  });
}

export function linkOf(events: readonly Event[], position: number): Link {
  const event = events[position - 1];
  return event === undefined ? beginningOf(account) : { position, hash: String(event.hash) };
}

export function headOf(events: readonly Event[], position: number, signer: HeadKey = key): SignedHead {
  const at = new Date(noon + position).toISOString();
  return signHead(signer, { account, ...linkOf(events, position), at });
}

/** Lines of an export without their ends. */
export function exported(
  events: readonly Event[],
  signer: HeadKey = key,
  after: Link = beginningOf(account),
): string[] {
  const last = events.at(-1);
  const link = last === undefined ? after : { position: Number(last.position), hash: String(last.hash) };
  const head = signHead(signer, { account, ...link, at: new Date(noon).toISOString() });
  return [headerLine(account, 'acme', after), ...events.map(eventLine), endLine(head)].map((line) => line.trimEnd());
}

/** A deed: what it makes of a trail, and the first position that is not what it was. */
export interface Tampering {
  readonly name: string;
  /** Whoever did it has written every hash from there on anew. */
  readonly covered: boolean;
  readonly events: readonly Event[];
  readonly first: number;
}

const choose = (dice: () => number, count: number): number => Math.floor(dice() * count);

const deeds: Readonly<Record<string, (events: readonly Event[], dice: () => number) => Event[]>> = {
  'edit a member': (events, dice) => {
    const changed = structuredClone(events) as Event[];
    const event = changed[choose(dice, changed.length)] as unknown as Record<string, unknown>;
    const names = Object.keys(event);
    editMember(event, names[choose(dice, names.length)] ?? 'id', dice);
    return changed;
  },
  'edit the hash alone': (events, dice) => {
    const changed = structuredClone(events) as Event[];
    const event = changed[choose(dice, changed.length)] as Event;
    const digit = choose(dice, 64);
    const hash = String(event.hash);
    const other = ((parseInt(hash[digit] ?? '0', 16) + 1 + choose(dice, 15)) % 16).toString(16);
    event.hash = hash.slice(0, digit) + other + hash.slice(digit + 1);
    return changed;
  },
  'delete one': (events, dice) => events.toSpliced(choose(dice, events.length), 1),
  'delete some': (events, dice) => {
    const from = choose(dice, events.length);
    return events.toSpliced(from, 1 + choose(dice, events.length - from));
  },
  'cut off the end': (events, dice) => events.slice(0, choose(dice, events.length)),
  'cut off the beginning': (events, dice) => events.slice(1 + choose(dice, events.length)),
  'exchange two': (events, dice) => {
    const [one, other] = [choose(dice, events.length), choose(dice, events.length)];
    return events.with(one, events[other] as Event).with(other, events[one] as Event);
  },
  'move one': (events, dice) => {
    const from = choose(dice, events.length);
    return events.toSpliced(from, 1).toSpliced(choose(dice, events.length), 0, events[from] as Event);
  },
  'turn some round': (events, dice) => {
    const from = choose(dice, events.length);
    const count = 2 + choose(dice, 6);
    return events.toSpliced(from, count, ...events.slice(from, from + count).reverse());
  },
  'repeat one': (events, dice) =>
    events.toSpliced(choose(dice, events.length), 0, events[choose(dice, events.length)] as Event),
  'put another in': (events, dice) =>
    events.toSpliced(choose(dice, events.length + 1), 0, { ...(events[0] as Event), id: '9.000009', operation: 'x' }),
  'exchange the contents of two': (events, dice) => {
    const changed = structuredClone(events) as Event[];
    const [one, other] = [changed[choose(dice, changed.length)], changed[choose(dice, changed.length)]] as [
      Event,
      Event,
    ];
    const name = (['after', 'actorId', 'at', 'targetId'] as const)[choose(dice, 4)] ?? 'after';
    [one[name], other[name]] = [other[name], one[name]];
    return changed;
  },
};

/** Somewhere in the value, however deep, something else. */
function editMember(owner: Record<string, unknown>, name: string, dice: () => number): void {
  const value = owner[name];
  if (typeof value === 'object' && value !== null && Object.keys(value).length > 0 && dice() < 0.8) {
    const names = Object.keys(value);
    const inner = names[choose(dice, names.length)] ?? '';
    if (dice() < 0.15 && !Array.isArray(value)) delete (value as Record<string, unknown>)[inner];
    else if (dice() < 0.15) Object.assign(value, { [`more${choose(dice, 9)}`]: true });
    else editMember(value as Record<string, unknown>, inner, dice);
    return;
  }
  const others = [
    null,
    true,
    false,
    0,
    1,
    '',
    'x',
    `${JSON.stringify(value)} `,
    Number(value) + 1,
    [value],
    { a: value },
  ];
  const other = others[choose(dice, others.length)];
  owner[name] = JSON.stringify(other) === JSON.stringify(value) ? 'something else' : other;
}

/** A deed by chance that changes the trail; covered or not. */
export function tampering(events: readonly Event[], random: () => number): Tampering {
  const names = Object.keys(deeds);
  for (;;) {
    const name = names[choose(random, names.length)] ?? '';
    const covered = random() < 0.5;
    const raw = deeds[name]?.(events, random) ?? [];
    const done = covered ? rechained(raw, beginningOf(account)) : raw;
    const first = events.findIndex((event, index) => JSON.stringify(event) !== JSON.stringify(done[index]));
    // More at the end changes nothing of what was there: no head of before can tell, and none has to.
    if (first >= 0) return { name, covered, events: done, first: first + 1 };
  }
}

/** Chances that one number decides, so that a deed can be done again. */
export function diceOf(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
