import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { createIam } from '../../src/iam/index.js';
import { openStore } from '../../src/store/index.js';
import { databases } from '../store/databases.js';
import { compareWorld, newTally } from './worlds.js';

const seed = Number(process.env['ENUMERATE_SEED'] ?? Date.now() & 0x7fffffff);
process.stderr.write(`generated worlds: ENUMERATE_SEED=${seed}\n`);

const worlds = 6;

describe.each(Object.values(databases()))('lists of access on $name', (database) => {
  afterAll(() => database.stop());

  it('say what deciding for everybody says', { timeout: 120_000 }, async () => {
    const store = await openStore(await database.readyUrl(), {});
    const iam = createIam({ store, masterKey: randomBytes(32) });
    const tally = newTally();
    for (let i = 0; i < worlds; i++) await compareWorld(iam, seed + i, tally);
    await iam.clearings.stop();
    await store.close();
    expect(tally.disagreements).toEqual([]);
    // Or they would agree for having nothing to say.
    for (const count of Object.values(tally.compared)) expect(count).toBeGreaterThan(worlds);
  });
});
