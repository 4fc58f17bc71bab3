/** The checker itself: histories that keep every law, and one that breaks it for each, made up. */
import { describe, expect, it } from 'vitest';
import { given, violationsOf, type Change, type Operation, type Value } from './laws.js';

type Interval = readonly [sent: number, answered: number];

function change([sent, answered]: Interval, register: string, value: Value, more: Partial<Change> = {}): Change {
  const writes = [{ register, value }];
  const says = `${register} becomes ${value}`;
  return {
    kind: 'change',
    sent,
    answered,
    replica: 1,
    says,
    outcome: 'acknowledged',
    writes,
    revision: null,
    version: null,
    ...more,
  };
}

const give = (at: Interval, register = 'grant', more: Partial<Change> = {}) => change(at, register, given, more);
const take = (at: Interval, register = 'grant', more: Partial<Change> = {}) => change(at, register, null, more);
const unknown = { outcome: 'unknown' } as const;
const refused = { outcome: 'refused' } as const;

function ask([sent, answered]: Interval, allowed: boolean, ...needs: readonly string[]): Operation {
  const decisions = [{ needs: needs.length > 0 ? needs : ['grant'], allowed, because: '' }];
  return { kind: 'question', sent, answered, replica: 2, says: allowed ? 'ALLOW' : 'DENY', decisions };
}

function read([sent, answered]: Interval, register: string, value: Value): Operation {
  return { kind: 'reading', sent, answered, replica: 2, says: `read ${value}`, seen: [{ register, value }] };
}

function found(...operations: readonly Operation[]): readonly string[] {
  return violationsOf({ operations, faults: [] }).map(({ says }) => says);
}

const allowed = ['grant: allowed, and it was not given'];
const denied = ['grant: denied, and all of it was given'];

describe('taken away and given', () => {
  it('binds who asks after it was acknowledged', () => {
    expect(found(give([0, 1]), ask([2, 3], true), take([4, 5]), ask([6, 7], false))).toEqual([]);
    expect(found(give([0, 1]), take([4, 5]), ask([6, 7], true))).toEqual(allowed);
    expect(found(ask([6, 7], true))).toEqual(allowed);
    expect(found(give([0, 1]), ask([2, 3], false))).toEqual(denied);
    expect(found(ask([0, 1], false))).toEqual([]);
  });

  it('leaves both answers to who asks meanwhile', () => {
    for (const answer of [true, false]) {
      expect(found(give([0, 1]), take([4, 8]), ask([5, 6], answer))).toEqual([]);
      expect(found(give([0, 1]), take([4, 8]), ask([3, 5], answer))).toEqual([]);
      expect(found(give([0, 1]), take([4, 8]), ask([7, 9], answer))).toEqual([]);
      expect(found(give([0, 1]), take([4, 5]), give([6, 9]), ask([7, 8], answer))).toEqual([]);
    }
    // Sent at the very moment of the answer is not after it.
    expect(found(give([0, 1]), take([4, 5]), ask([5, 6], true))).toEqual([]);
  });

  it('is widened by what nobody knows, and by that alone', () => {
    for (const answer of [true, false]) {
      expect(found(give([0, 1]), take([4, 5], 'grant', unknown), ask([60, 61], answer))).toEqual([]);
      expect(found(give([0, 1], 'grant', unknown), ask([60, 61], answer))).toEqual([]);
      // It may happen as late as after what was acknowledged meanwhile.
      expect(found(give([0, 1], 'grant', unknown), take([4, 5]), ask([60, 61], answer))).toEqual([]);
    }
    expect(found(give([0, 1]), take([4, 5], 'grant', unknown), take([6, 7]), ask([8, 9], true))).toEqual(allowed);
    expect(found(give([0, 1]), take([4, 5]), ask([6, 7], true), give([8, 9], 'grant', unknown))).toEqual(allowed);
  });

  it('is what it was when a change was refused', () => {
    expect(found(give([0, 1]), take([4, 5], 'grant', refused), ask([6, 7], true))).toEqual([]);
    expect(found(give([0, 1]), take([4, 5], 'grant', refused), ask([6, 7], false))).toEqual(denied);
    expect(found(give([0, 1], 'grant', refused), ask([6, 7], true))).toEqual(allowed);
  });

  it('does not go back once it was seen, though it be acknowledged later or never', () => {
    const seen = [give([0, 1]), take([4, 20]), ask([5, 6], false)];
    expect(found(...seen, ask([5, 7], true))).toEqual([]);
    expect(found(...seen, ask([7, 8], true))).toEqual(allowed);
    const never = [give([0, 1]), take([4, 5], 'grant', unknown), ask([6, 7], false)];
    expect(found(...never, ask([8, 9], true))).toEqual(allowed);
    expect(found(give([0, 1], 'grant', unknown), ask([2, 3], true), ask([4, 5], false))).toEqual(denied);
    // Of two that may have been seen nobody knows which.
    const two = [give([0, 1], 'a'), give([0, 1], 'b'), take([4, 20], 'a'), take([4, 20], 'b')];
    expect(found(...two, ask([5, 6], false, 'a', 'b'), ask([7, 8], true, 'a'))).toEqual([]);
  });

  it('is asked of everything that a decision needs', () => {
    const both = [give([0, 1], 'a'), give([0, 1], 'b')];
    expect(found(...both, ask([2, 3], true, 'a', 'b'))).toEqual([]);
    expect(found(...both, take([4, 5], 'b'), ask([6, 7], false, 'a', 'b'))).toEqual([]);
    expect(found(...both, take([4, 5], 'b'), ask([6, 7], true, 'a', 'b'))).toEqual([
      'b: allowed, and it was not given',
    ]);
    expect(found(...both, ask([2, 3], false, 'a', 'b'))).toEqual(['a, b: denied, and all of it was given']);
  });
});

describe('what was written', () => {
  it('is there, or what was written later', () => {
    const writes = [change([0, 1], 'g', 'one'), change([2, 3], 'g', 'two')];
    expect(found(...writes, read([4, 5], 'g', 'two'))).toEqual([]);
    expect(found(...writes, read([4, 5], 'g', 'one'))).toEqual(['g: "one" was read, which was not there']);
    expect(found(...writes, read([4, 5], 'g', null))).toEqual(['g: nothing was read, which was not there']);
    expect(found(...writes, change([6, 7], 'g', null), read([8, 9], 'g', null))).toEqual([]);
  });

  it('is whole or absent where nobody knows', () => {
    const lost = change([0, 1], 'g', 'whole', unknown);
    expect(found(lost, read([4, 5], 'g', 'whole'))).toEqual([]);
    expect(found(lost, read([4, 5], 'g', null))).toEqual([]);
    expect(found(lost, read([4, 5], 'g', 'half'))).toEqual(['g: "half" was read, which was not there']);
    expect(found(lost, read([4, 5], 'g', 'whole'), read([6, 7], 'g', null))).toEqual([
      'g: nothing was read, which was not there',
    ]);
  });

  it('is nothing that nobody wrote', () => {
    expect(found(read([4, 5], 'g', 'one'))).toEqual(['g: "one" was read, which was not there']);
  });

  it('is the only one of its version', () => {
    const version = (number: number) => ({ version: { of: 'g', number } });
    const [one, two] = [change([0, 1], 'g', 'one', version(2)), change([0, 1], 'g', 'two', version(3))];
    expect(found(one, two)).toEqual([]);
    expect(found(one, change([0, 1], 'g', 'two', version(2)))).toEqual(['version 2 of g was written twice']);
    expect(found(one, change([0, 1], 'g', 'two', { ...version(2), ...refused }))).toEqual([]);
  });
});

describe('revisions', () => {
  const at = (interval: Interval, revision: number, more: Partial<Change> = {}) =>
    change(interval, `r${revision}`, given, { revision, ...more });

  it('grow as time does', () => {
    expect(found(at([0, 1], 1), at([2, 3], 2), at([4, 9], 4), at([5, 8], 3))).toEqual([]);
    expect(found(at([0, 1], 2), at([2, 3], 1))).toEqual(['revision 2 was told before revision 1 was asked for']);
    expect(found(at([4, 5], 5), at([0, 1], 6), at([2, 3], 7))).toEqual([
      'revision 7 was told before revision 5 was asked for',
    ]);
  });

  it('are told once', () => {
    expect(found(at([0, 3], 1), at([1, 2], 1))).toEqual(['revision 1 was told twice']);
    expect(found(at([0, 3], 1), at([1, 2], 1, unknown))).toEqual([]);
  });
});

describe('a violation', () => {
  it('shows what it follows from, and nothing of later', () => {
    const operations = [give([0, 1]), take([2, 3]), ask([4, 5], true), give([6, 7]), give([0, 1], 'other')];
    const [violation] = violationsOf({ operations, faults: [] });
    expect(violation?.operations).toEqual(operations.slice(0, 3));
  });

  it('is what was found in the database as well', () => {
    expect(violationsOf({ operations: [], faults: ['the chain is broken'] })).toEqual([
      { says: 'the chain is broken', operations: [] },
    ]);
  });
});
