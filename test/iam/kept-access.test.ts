/** Which revision each fact is kept under (rule 28): whatever can have changed is read again. */
import { describe, expect, it } from 'vitest';
import type { DelegationFacts } from '../../src/iam/delegation.js';
import type { AccessReader } from '../../src/iam/index.js';
import { KeptAccess } from '../../src/iam/kept-access.js';

/** Counts what is read of it; the one account stands where the test says. */
class CountedReader {
  revision = 1;
  readonly reads: string[] = [];

  reader(): AccessReader {
    const row = (kind: string) => async (id: string) => this.#read(kind, { id, accountId: 'a' });
    return {
      account: async () => ({ id: 'a', revision: this.revision, accessRevision: 1 }),
      user: async (_accountId: string, id: string) => this.#read('user', { id }),
      accessKey: row('accessKey'),
      isAdministrator: async () => this.#read('isAdministrator', true),
      isListedIn: async () => this.#read('isListedIn', true),
      resourcesByUrn: async (accountId: string, urns: readonly string[]) => {
        this.reads.push(`${accountId}: ${urns.join(' ')}`);
        return new Map(urns.filter((urn) => urn !== 'none').map((urn) => [urn, { urn, accountId }]));
      },
    } as unknown as AccessReader;
  }

  taken(): readonly string[] {
    return this.reads.splice(0);
  }

  #read<T>(name: string, value: T): T {
    this.reads.push(name);
    return value;
  }
}

describe('what is kept of an account', () => {
  it('rows are read again after any write, facts about entry after one that can change a decision', async () => {
    const counted = new CountedReader();
    const kept = new KeptAccess(counted.reader(), 100);
    const ask = async (revision: number, accessRevision: number): Promise<readonly string[]> => {
      const facts = kept.of({ id: 'a', revision, accessRevision });
      await Promise.all([facts.row('user', 'u'), facts.isAdministrator('a', 'u'), facts.isListedIn('a', 'w', 'u')]);
      return counted.taken();
    };
    expect(await ask(1, 1)).toEqual(['user', 'isAdministrator', 'isListedIn']);
    expect(await ask(1, 1)).toEqual([]);
    expect(await ask(2, 1)).toEqual(['user']);
    expect(await ask(3, 2)).toEqual(['user', 'isAdministrator', 'isListedIn']);
  });

  it('resources, and that there is none, are read again after a write that can change a decision, several at once', async () => {
    const counted = new CountedReader();
    const kept = new KeptAccess(counted.reader(), 100);
    const ask = async (id: string, accessRevision: number, ...urns: string[]): Promise<readonly string[]> => {
      const found = await kept.resources({ id, accessRevision }, urns);
      expect([...found.values()]).toEqual(urns.filter((urn) => urn !== 'none').map((urn) => ({ urn, accountId: id })));
      return counted.taken();
    };
    expect(await ask('a', 1, 'one', 'none')).toEqual(['a: one none']);
    expect(await ask('a', 1, 'none', 'one')).toEqual([]);
    expect(await ask('a', 1, 'none', 'none')).toEqual([]);
    expect(await ask('a', 1, 'one', 'two', 'none', 'three')).toEqual(['a: two three']);
    expect(await ask('b', 1, 'one')).toEqual(['b: one']);
    expect(await ask('a', 2, 'one', 'none')).toEqual(['a: one none']);
    await kept.resources({ id: 'a', accessRevision: 2 }, ['twice', 'one', 'twice']);
    expect(counted.taken()).toEqual(['a: twice']);
    // Whoever was slow asks under a revision that is past: what is kept stays the newer.
    expect(await ask('a', 1, 'one')).toEqual(['a: one']);
    expect(await ask('a', 2, 'one')).toEqual([]);
  });

  it('a key is read again after any write in its account, which it is known to be in', async () => {
    const counted = new CountedReader();
    const kept = new KeptAccess(counted.reader(), 100);
    const ask = async (): Promise<readonly string[]> => {
      expect(await kept.accessKey('k')).toMatchObject({ id: 'k', accountId: 'a' });
      return counted.taken();
    };
    expect(await ask()).toEqual(['accessKey']);
    // Now that its account is known, where that stands is known too.
    expect(await ask()).toEqual(['accessKey']);
    expect(await ask()).toEqual([]);
    counted.revision = 2;
    expect(await ask()).toEqual(['accessKey']);
    expect(await ask()).toEqual([]);
  });

  it('what a session of an agency stands on is read again after a write in either account', async () => {
    const kept = new KeptAccess(new CountedReader().reader(), 100);
    let reads = 0;
    const ask = async (own: number, other: number | null): Promise<number> => {
      const before = reads;
      const read = async () => {
        reads += 1;
        return {} as DelegationFacts;
      };
      await kept.delegation('s', { revision: own }, other === null ? null : { revision: other }, read);
      return reads - before;
    };
    expect([await ask(1, 1), await ask(1, 1), await ask(2, 1), await ask(2, 2), await ask(2, 2)]).toEqual([
      1, 0, 1, 1, 0,
    ]);
  });
});
