import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { createIam } from '../../src/iam/index.js';
import { openStore } from '../../src/store/index.js';
import { databases } from '../store/databases.js';
import { compareWorld, newTally } from './worlds.js';

const seed = Number(process.env['ENUMERATE_SEED'] ?? Date.now() & 0x7fffffff);
process.stderr.write(`generated worlds: ENUMERATE_SEED=${seed}\n`);

/**
 * Worlds that are the same in every run, chosen because each has something of every verdict. Many a world has no IF at
 * all, and half a dozen that are drawn may have too few by chance.
 */
const known = [24, 27, 32];
/**
 * What brute force may take of a world that is drawn: some would ask for hundreds of thousands of decisions, and several
 * of these for longer than the test may run. Of ten worlds nine need less, and `enumerate:access` has no such limit.
 */
const mostDecisions = 40_000;

const drawn = [0, 1, 2].map((i) => seed + i);

describe.each(Object.values(databases()))('lists of access on $name', (database) => {
  afterAll(() => database.stop());

  it('say what deciding for everybody says', { timeout: 120_000 }, async () => {
    const store = await openStore(await database.readyUrl(), {});
    const iam = createIam({ store, masterKey: randomBytes(32) });
    const [ofKnown, ofDrawn] = [newTally(), newTally()];
    for (const each of known) await compareWorld(iam, each, ofKnown);
    // A world stands in the store once.
    for (const each of drawn.filter((one) => !known.includes(one))) {
      await compareWorld(iam, each, ofDrawn, mostDecisions);
    }
    await iam.clearings.stop();
    await store.close();
    expect([...ofKnown.disagreements, ...ofDrawn.disagreements]).toEqual([]);
    // Or they would agree for having nothing to say.
    for (const [verdict, count] of Object.entries(ofKnown.compared)) expect(count, verdict).toBeGreaterThan(20);
  });
});
