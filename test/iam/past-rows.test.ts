/** Undoing what happened to rows, and saying so where the trail does not tell it. */
import { describe, expect, it } from 'vitest';
import { mostLookedThrough, mostUndone, PastAccount } from '../../src/iam/past-account.js';
import { rowsBefore, UnknownPast } from '../../src/iam/past-rows.js';
import type { AuditEvent, Group, TrailReader } from '../../src/iam/index.js';

const group = (name: string, more: Partial<Group> = {}): Group => ({
  id: 'g1',
  accountId: 'acc',
  name,
  description: '',
  builtIn: false,
  version: 1,
  createdAt: 0,
  updatedAt: 0,
  ...more,
});

const image = (row: object | null) => row as AuditEvent['before'];

/** Changes of one row after another, each from what the one before left. */
function changes(...images: readonly (object | null)[]): readonly AuditEvent[] {
  return images.slice(1).map((after, index) => {
    const before = images[index] ?? null;
    const { id } = (after ?? before) as { id: string };
    return { targetKind: 'group', targetId: id, before: image(before), after: image(after) } as AuditEvent;
  });
}

function reasonOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof UnknownPast) return error.reason;
    throw error;
  }
  return 'known';
}

describe('rows as they were', () => {
  const [one, two, three] = [group('one'), group('two', { version: 2 }), group('three', { version: 3 })];

  it.each([
    ['nothing happened', [three], [], [three]],
    ['it was changed twice', [three], changes(one, two, three), [one]],
    ['it was made', [two], changes(null, one, two), []],
    ['it was deleted', [], changes(two, three, null), [two]],
    ['it was made and deleted', [], changes(null, one, null), []],
    ['it was deleted and made again', [two], changes(one, null, two), [one]],
    ['nothing happened to another', [three, group('other', { id: 'g2' })], changes(two, three), [two, group('other', { id: 'g2' })]], // prettier-ignore
  ] as const)('%s', (_, present, events, before) => {
    expect(rowsBefore('group', present, events)).toEqual(before);
  });

  it.each([
    ['the row is not what the last event made of it', [two], changes(one, three)],
    ['the row is gone without an event', [], changes(one, two)],
    ['the row is there again without an event', [three], changes(three, null)],
    ['an event in between is missing', [three], [...changes(one, two), ...changes(group('else'), three)]],
    ['an event of its deletion is missing', [three], [...changes(one, two), ...changes(null, three)]],
  ] as const)('is not known where %s', (_, present, events) => {
    expect(reasonOf(() => rowsBefore('group', present, events))).toBe('TRAIL_BROKEN');
  });

  it('is not known where an image was made before there was a column that decisions read', () => {
    const { builtIn: _, ...earlier } = one;
    expect(reasonOf(() => rowsBefore('group', [two], changes(earlier, two)))).toBe('NOT_RECORDED');
  });

  it('is known where an image lacks a column that no decision reads', () => {
    const { description: _, ...earlier } = one;
    expect(rowsBefore('group', [two], changes(earlier, two))).toEqual([earlier]);
  });

  it('minds no revision of the account, which every change raises without saying so', () => {
    const account = { id: 'acc', name: 'a', authorizationMode: 'LOOSE', workspacesEnabled: true, rootUserId: 'u' };
    const after = { ...account, authorizationMode: 'STRICT', revision: 4, accessRevision: 3 };
    const now = { ...after, revision: 9, accessRevision: 8, createdAt: 0 } as const;
    const before = { ...account, revision: 3, accessRevision: 2 };
    expect(rowsBefore('account', [now as never], changes(before, after))).toEqual([before]);
  });
});

/** A trail in which one row was changed, or whatever a test says of it. */
function trail(more: Partial<TrailReader>): TrailReader {
  const nothing = () => Promise.reject(new Error('nobody asked for this'));
  return {
    first: nothing,
    firstRevisionSince: nothing,
    lastAt: nothing,
    isWholeAfter: nothing,
    isOrderedAround: nothing,
    countAfter: () => Promise.resolve(1),
    present: () => Promise.resolve([]),
    changesAfter: () => Promise.resolve([]),
    ...more,
  };
}

describe('an account as it was', () => {
  const user = (name: string) => ({
    id: 'u1',
    accountId: 'acc',
    name,
    enabled: true,
    root: false,
    defaultModelArtsAccess: 'ENDED',
  });

  it('is read again where somebody wrote between the rows and the events', async () => {
    let reads = 0;
    const past = new PastAccount(
      trail({
        // The row is read, then changed once more, then its events are read.
        present: () => Promise.resolve([user((reads += 1) === 1 ? 'two' : 'three')] as never),
        changesAfter: () => Promise.resolve(changes(user('one'), user('two'), user('three'))),
      }),
      'acc',
      1,
    );
    expect(await past.user('u1')).toEqual(user('one'));
    expect(reads).toBe(2);
  });

  it.each([
    ['more happened than is looked through', { countAfter: () => Promise.resolve(mostLookedThrough + 1) }],
    ['more is to be undone than may be', { changesAfter: () => Promise.resolve(Array<never>(mostUndone + 1)) }],
  ])('is not known where %s', async (_, more) => {
    await expect(new PastAccount(trail(more), 'acc', 1).user('u1')).rejects.toMatchObject({
      reason: 'TOO_MANY_CHANGES',
    });
  });

  it('is not known where a grant names a policy that was not there', async () => {
    const grant = {
      id: 'r1', policyId: 'p1', subjectKind: 'USER', subjectId: 'u1', scopeKind: 'ALL', scopeId: '', expiresAt: null, createdAt: 0,
    }; // prettier-ignore
    const present: TrailReader['present'] = (_account, { kind }) =>
      Promise.resolve(kind === 'grant' ? [grant as never] : []);
    await expect(
      new PastAccount(trail({ present }), 'acc', 1).attachments('acc', 'USER', ['u1']),
    ).rejects.toMatchObject({
      reason: 'TRAIL_BROKEN',
    });
  });
});
