/** Every decision that was made in a random history is recalled as it was, by its revision and by its instant. */
import { afterAll, describe, expect, it } from 'vitest';
import { databases } from '../store/databases.js';
import { recallHistory } from './recall.js';

const sources = databases();
const seed = Number(process.env['RECALL_SEED'] ?? Date.now() & 0x7fffffff);

afterAll(async () => {
  await sources.sqlite.stop();
  await sources.postgres.stop();
});

describe.each(['sqlite', 'postgres'] as const)('decisions of a history on %s', (name) => {
  it('are recalled as they were', { timeout: 240_000 }, async () => {
    process.stderr.write(`recall on ${name}: RECALL_SEED=${seed}\n`);
    const { found, recalled, reasons } = await recallHistory(await sources[name].freshUrl(), {
      seed,
      steps: 90,
      decisions: 5,
    });
    expect(found).toEqual([]);
    // A history in which little happens proves little.
    expect(recalled).toBeGreaterThan(200);
    expect(reasons.size, [...reasons.keys()].join(', ')).toBeGreaterThan(2);
  });
});
